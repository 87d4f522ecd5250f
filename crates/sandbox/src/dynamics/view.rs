//! Rows as replies show them (sheet: section 2): columns, annotations, what is expanded.

use serde_json::{Map, Value as Json, json};

use super::call::Prefer;
use super::instant;
use super::links;
use super::odata::{Expand, Options, Row, holds};
use super::query;
use super::relations::Nav;
use super::schema::{Attribute, Behavior, Entity, Kind};
use super::world::{Record, World, number, points, referred, text};

const FORMATTED: &str = "OData.Community.Display.V1.FormattedValue";
const LOGICAL: &str = "Microsoft.Dynamics.CRM.lookuplogicalname";
const NAVIGATION: &str = "Microsoft.Dynamics.CRM.associatednavigationproperty";

/// How a row is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lens<'a> {
    pub(super) world: &'a World,
    pub(super) prefer: &'a Prefer,
    /// `http://host/api/data/v9.2/`.
    pub(super) base: &'a str,
}

/// The name of a row: the value of its primary name.
pub(super) fn name_of(world: &World, table: &str, id: &str) -> Option<String> {
    let (entity, row) = (world.schema.entity(table)?, world.get(table, id)?);
    row.get(entity.primary_name.as_ref()?)?.as_str().map(str::to_owned)
}

/// `W/"468026"`.
pub(super) fn etag(row: &Record) -> String {
    format!("W/\"{}\"", row.get("versionnumber").and_then(Json::as_u64).unwrap_or(0))
}

impl Lens<'_> {
    /// A row with the columns and the related rows that were asked for.
    pub(super) fn row(&self, entity: &Entity, row: &Record, options: &Options) -> Map<String, Json> {
        let mut out = Map::new();
        out.insert("@odata.etag".to_owned(), json!(etag(row)));
        match &options.select {
            Some(names) => {
                for attribute in names.iter().filter_map(|name| entity.property(name)) {
                    self.column(entity, row, attribute, &mut out);
                }
            }
            None => {
                for attribute in entity.attributes.iter().filter(|attribute| self.shown(attribute)) {
                    self.column(entity, row, attribute, &mut out);
                }
            }
        }
        if !out.contains_key(&entity.primary_id) {
            out.insert(entity.primary_id.clone(), row.get(&entity.primary_id).cloned().unwrap_or(Json::Null));
        }
        for expand in &options.expand {
            self.expanded(entity, row, expand, &mut out);
        }
        out
    }

    /// Whether a column is in a row although nobody selected it.
    fn shown(&self, attribute: &Attribute) -> bool {
        let file = matches!(attribute.name.as_str(), "documentbody" | "body");
        attribute.read && (!file || self.world.settings.unselected_files)
    }

    fn column(&self, entity: &Entity, row: &Record, attribute: &Attribute, out: &mut Map<String, Json>) {
        let property = attribute.property();
        let stored = row.get(&attribute.name);
        let lookup = stored.and_then(referred).filter(|_| attribute.kind.is_lookup());
        let value = match lookup {
            Some((_, id)) => json!(id),
            None => stored.cloned().unwrap_or(Json::Null),
        };
        out.insert(property.clone(), value);
        if self.prefer.annotations.is_empty() {
            return;
        }
        if self.prefer.wants(FORMATTED)
            && let Some(formatted) = formatted(self.world, attribute, row)
        {
            out.insert(format!("{property}@{FORMATTED}"), json!(formatted));
        }
        if let Some((table, _)) = lookup {
            if self.prefer.wants(LOGICAL) {
                out.insert(format!("{property}@{LOGICAL}"), json!(table));
            }
            let mut relations = self.world.schema.of_attribute(&entity.name, &attribute.name);
            if self.prefer.wants(NAVIGATION)
                && let Some(relation) = relations.find(|relation| relation.referenced == table)
            {
                out.insert(format!("{property}@{NAVIGATION}"), json!(relation.nav));
            }
        }
    }

    fn expanded(&self, entity: &Entity, row: &Record, expand: &Expand, out: &mut Map<String, Json>) {
        let Some(nav) = self.world.schema.nav(&entity.name, &expand.nav) else { return };
        let id = text(row, &entity.primary_id);
        let Nav::Parent(relation) = nav else {
            self.collection(entity, id, nav, expand, out);
            return;
        };
        let target = points(row, &relation.attribute)
            .filter(|(table, _)| *table == relation.referenced || relation.nav == "ownerid");
        let parent = target.and_then(|(table, id)| {
            let (entity, parent) = (self.world.schema.entity(table)?, self.world.get(table, id)?);
            Some(if expand.reference {
                self.address(entity, id)
            } else {
                Json::Object(self.row(entity, parent, &expand.options))
            })
        });
        out.insert(expand.nav.clone(), parent.unwrap_or(Json::Null));
    }

    fn address(&self, entity: &Entity, id: &str) -> Json {
        json!({"@odata.id": format!("{}{}({id})", self.base, entity.set)})
    }

    /// A collection has its own pages (sheet: section 4).
    fn collection(&self, entity: &Entity, id: &str, nav: &Nav, expand: &Expand, out: &mut Map<String, Json>) {
        let Some(target) = self.world.schema.entity(nav.target()) else { return };
        let mut rows: Vec<(&str, &Record)> = Vec::new();
        let ids = related(self.world, entity, id, nav);
        for id in &ids {
            let Some(row) = self.world.get(&target.name, id) else { continue };
            let fits =
                expand.options.filter.as_ref().is_none_or(|filter| holds(self.world, Row::Record(target, row), filter));
            if fits {
                rows.push((id, row));
            }
        }
        query::sort(self.world, target, &mut rows, &expand.options.order);
        let page = expand
            .options
            .top
            .unwrap_or(usize::MAX)
            .min(self.prefer.page.unwrap_or(5_000))
            .min(self.world.settings.page_rows);
        let more = rows.len() > page && expand.options.top.is_none();
        rows.truncate(page);
        let list: Vec<Json> = rows
            .iter()
            .map(|(id, row)| match expand.reference {
                true => self.address(target, id),
                false => Json::Object(self.row(target, row, &expand.options)),
            })
            .collect();
        out.insert(expand.nav.clone(), Json::Array(list));
        if more && let Some((last, row)) = rows.last() {
            let path = format!("{}({id})/{}", entity.set, expand.nav);
            let keys = query::sort_values(self.world, target, row, &expand.options.order);
            let cookie = query::Cookie { page: 2, keys, id: (*last).to_owned(), ..query::Cookie::default() };
            let link = query::link(self.base, &path, &expand.options.sent, "$skiptoken", &cookie.write());
            out.insert(format!("{}@odata.nextLink", expand.nav), json!(link));
        }
    }
}

/// Ids of the rows of a collection.
pub(super) fn related(world: &World, entity: &Entity, id: &str, nav: &Nav) -> Vec<String> {
    match nav {
        Nav::Parent(_) => Vec::new(),
        Nav::Children(relation) => world.pointing(&relation.referencing, &relation.attribute, &entity.name, id),
        Nav::Paired(pairs, first) => links::paired(world, pairs, *first, id),
    }
}

/// A value as people read it; none where it is the same.
fn formatted(world: &World, attribute: &Attribute, row: &Record) -> Option<String> {
    let value = row.get(&attribute.name)?;
    match attribute.kind {
        Kind::Picklist | Kind::State | Kind::Status => Some(attribute.choice(value.as_i64()?)?.label.clone()),
        Kind::Boolean => Some(attribute.choice(i64::from(value.as_bool()?))?.label.clone()),
        Kind::MultiSelect => {
            let labels =
                value.as_str()?.split(',').filter_map(|code| Some(attribute.choice(code.parse().ok()?)?.label.clone()));
            Some(labels.collect::<Vec<_>>().join("; "))
        }
        Kind::Lookup | Kind::Customer | Kind::Owner => {
            let (table, id) = referred(value)?;
            name_of(world, table, id)
        }
        Kind::DateTime if attribute.format == "DateOnly" || attribute.behavior == Behavior::DateOnly => {
            instant::display_day(value.as_str()?)
        }
        Kind::DateTime => instant::display(value.as_str()?),
        Kind::Integer | Kind::BigInt => Some(grouped(&value.as_i64()?.to_string())),
        Kind::Decimal | Kind::Double => {
            Some(grouped(&format!("{:.*}", usize::from(attribute.precision), value.as_f64()?)))
        }
        Kind::Money => {
            let currency = points(row, "transactioncurrencyid").and_then(|(table, id)| world.get(table, id));
            let symbol = currency.map_or("", |currency| text(currency, "currencysymbol"));
            let digits = currency.and_then(|currency| number(currency, "currencyprecision")).unwrap_or(2.0);
            let digits = if digits < 1.0 { 0 } else { 2 };
            Some(format!("{symbol}{}", grouped(&format!("{:.*}", digits, value.as_f64()?))))
        }
        Kind::EntityName => {
            let entity = world.schema.entity(value.as_str()?)?;
            Some(entity.label.clone())
        }
        Kind::String | Kind::Memo | Kind::Guid => None,
    }
}

/// `1234567.5` as `1,234,567.5`.
pub(super) fn grouped(number: &str) -> String {
    let (sign, plain) = number.strip_prefix('-').map_or(("", number), |plain| ("-", plain));
    let (whole, rest) = plain.split_once('.').map_or((plain, None), |(whole, rest)| (whole, Some(rest)));
    let mut out = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    match rest {
        Some(rest) => format!("{sign}{out}.{rest}"),
        None => format!("{sign}{out}"),
    }
}
