//! One read: which properties it wants, and records out of rows.

use handover_connect::{Fault, Operation, Refusal, Request};
use handover_model::{FieldName, Fields, Kind, Record, Schema, Value};
use serde_json::Value as Json;

use super::objects::{Keeps, MODIFIED, Object, object};
use super::rows::{Row, text};
use super::{query, values};
use crate::json::text_at;

/// What stands before the id of a team among owners.
pub(super) const TEAM: &str = "team:";
/// What says where a lookup leads (sheet: Dynamics section 2).
const TABLE: &str = "Microsoft.Dynamics.CRM.lookuplogicalname";

/// What a read operation wants.
pub(super) struct Reading<'a> {
    /// The object.
    pub(super) object: Object<'a>,
    /// The fields asked for.
    pub(super) fields: &'a [FieldName],
    /// What was learnt of it.
    pub(super) schema: Option<&'a Schema>,
}

impl<'a> Reading<'a> {
    /// What an operation that yields records wants.
    pub(super) fn of(operation: &'a Operation, schema: Option<&'a Schema>) -> Result<Self, Refusal> {
        let (name, fields) = operation.wanted().ok_or_else(|| Refusal::unsupported("it yields no records"))?;
        Ok(Self { object: object(name.as_str(), schema)?, fields, schema })
    }

    /// The fields that come with a record.
    fn listed(&self) -> impl Iterator<Item = &'a str> {
        let schema = self.schema;
        let is_apart =
            move |name: &str| [Keeps::Pair, Keeps::Party].iter().any(|keeps| keeps.get(schema, name).is_some());
        self.fields.iter().map(FieldName::as_str).filter(move |name| !is_apart(name))
    }

    fn property(&self, field: &'a str) -> &'a str {
        Keeps::Read.get(self.schema, field).unwrap_or(field)
    }

    fn kind(&self, field: &str) -> Option<&'a Kind> {
        self.schema.and_then(|schema| schema.field(field)).map(|field| &field.kind)
    }

    /// The properties to ask for, each once.
    pub(super) fn select(&self) -> Result<String, Refusal> {
        let mut all: Vec<&str> =
            self.listed().map(|name| self.property(name)).chain([MODIFIED, self.object.id]).collect();
        if self.object.merges {
            all.extend(["_masterid_value", "merged"]);
        }
        all.sort_unstable();
        all.dedup();
        let is_property = |name: &&str| super::objects::is_name(name.trim_start_matches('_'));
        match all.iter().find(|name| !is_property(name)) {
            Some(odd) => Err(Refusal::unsupported(format!("`{odd}` is no name that Dynamics could have"))),
            None => Ok(all.join(",")),
        }
    }

    /// The request for a page of rows under these conditions.
    pub(super) fn request(&self, conditions: &[String]) -> Result<Request, Refusal> {
        let order = format!("{} asc", self.object.id);
        let filter = conditions.join(" and ");
        let select = self.select()?;
        let query = [("$select", select.as_str()), ("$filter", &filter), ("$orderby", &order)];
        Ok(self.paged(query::get(&self.object.path(None), &query)))
    }

    /// The same request with what every page must be asked with (section 4 \[doc\]).
    pub(super) fn paged(&self, mut request: Request) -> Request {
        let leads = |name: &str| Keeps::Read.get(self.schema, name).is_some();
        let annotated =
            if self.listed().any(leads) { format!("odata.include-annotations=\"{TABLE}\",") } else { String::new() };
        let prefer = format!("{annotated}odata.maxpagesize={}", super::capabilities::PAGE);
        request.headers.push(("prefer".to_owned(), prefer));
        request
    }

    /// A record with the fields asked for.
    pub(super) fn record(&self, row: &Row<'_>) -> Result<Record, Fault> {
        let id = text(row, self.object.id).ok_or_else(|| Fault::malformed("a record has no id"))?;
        let mut fields = Fields::with_capacity(self.fields.len());
        for name in self.listed() {
            let property = self.property(name);
            // Columns that are asked for come, null or not (section 2).
            let Some(raw) = row.get(property) else { continue };
            let value = match self.kind(name) {
                Some(Kind::Currency) => self.currency(values::read(None, raw.get())),
                Some(Kind::User) => owner(row, property, values::read(None, raw.get())),
                Some(Kind::Reference { object, many: false }) if name.contains('.') => {
                    let leads = text(row, &format!("{property}@{TABLE}"));
                    if leads.as_deref() == Some(object.as_str()) { values::read(None, raw.get()) } else { Value::Null }
                }
                kind => values::read(kind, raw.get()),
            };
            fields.set(name.into(), value);
        }
        let modified = text(row, MODIFIED).and_then(|text| values::read_instant(&text));
        Ok(Record { id: id.into(), fields, modified, gone: false })
    }

    /// The code of a currency, where its id is known.
    fn currency(&self, id: Value) -> Value {
        let code = id.as_text().and_then(|id| {
            let own = &self.schema?.own;
            let is_it = |(key, value): &(&String, &String)| value.as_str() == id && key.starts_with("currency:");
            own.iter().find(is_it).map(|(key, _)| key.trim_start_matches("currency:"))
        });
        code.map_or(id.clone(), Value::from)
    }

    /// The links that an extra read asks for.
    pub(super) fn apart(&self) -> Option<Apart<'a>> {
        let field = self.fields.first()?.as_str();
        let parts = |kept: &'a str| {
            let mut parts = kept.split(' ');
            Some((parts.next()?, parts.next()?, parts.next()?))
        };
        if let Some((nav, _, id)) = Keeps::Pair.get(self.schema, field).and_then(parts) {
            return Some(Apart { nav, select: id.to_owned(), id, part: None });
        }
        let (nav, part, table) = Keeps::Party.get(self.schema, field).and_then(parts)?;
        let select = "_partyid_value,participationtypemask".to_owned();
        Some(Apart { nav, select, id: "_partyid_value", part: Some((part.parse().ok()?, table)) })
    }
}

/// Links that are read in calls of their own.
pub(super) struct Apart<'a> {
    /// The navigation property that leads to them.
    pub(super) nav: &'a str,
    /// What is asked of each.
    pub(super) select: String,
    /// The property with the id of what it leads to.
    id: &'a str,
    /// Of parties: the part that they take, and their table.
    part: Option<(i64, &'a str)>,
}

impl Apart<'_> {
    /// What is asked for with every page.
    pub(super) fn prefer() -> String {
        format!("odata.include-annotations=\"{TABLE}\"")
    }

    /// The id of what a row leads to, if it is one of those that are meant.
    pub(super) fn target(&self, row: &Json) -> Option<String> {
        let is_meant = self.part.is_none_or(|(part, table)| {
            let own = row.get("participationtypemask").and_then(Json::as_i64) == Some(part);
            own && text_at(row, &format!("{}@{TABLE}", self.id)) == Some(table)
        });
        text_at(row, self.id).filter(|_| is_meant).map(str::to_owned)
    }
}

/// Whose a record is: a team says so.
fn owner(row: &Row<'_>, property: &str, id: Value) -> Value {
    let is_team = text(row, &format!("{property}@{TABLE}")).as_deref() == Some("team");
    match id.as_text() {
        Some(id) if is_team => format!("{TEAM}{id}").into(),
        _ => id,
    }
}
