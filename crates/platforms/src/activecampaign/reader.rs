//! Rows into records, and what a row lacks.
//!
//! Lists bring no custom values, and of a contact's account only the id of the association. They are asked for with
//! `include`, which is documented for activities only (sheet: ActiveCampaign section 4 \[unsure\]): what comes is
//! taken where it is whole; other rows are completed by a call each.

use handover_connect::{Fault, FaultKind, Reply, Step};
use handover_model::{FieldName, Fields, Record, Value};
use serde_json::Value as Json;

use super::faults;
use super::form::{count, id_text, instant, word};
use super::known::{Known, Spot};
use super::mark::{Completing, ListMark};
use super::object::Object;
use super::system::{Holds, Place, System};
use crate::marks::Mark;

/// Reads records of one object, with the fields wanted and no others.
pub(super) struct Reader {
    pub(super) object: Object,
    columns: Vec<(FieldName, Spot)>,
    /// Whether custom values are wanted.
    pub(super) wants_values: bool,
    /// Whether the association with an account is wanted.
    pub(super) wants_join: bool,
}

/// What lists do not bring of a record; `None` where it is not known.
#[derive(Clone, Copy, Default)]
struct More<'b> {
    values: Option<&'b [Json]>,
    join: Option<Option<&'b Json>>,
}

impl Reader {
    pub(super) fn new(known: &Known, object: Object, wanted: &[FieldName]) -> Result<Self, Fault> {
        let mut columns = Vec::new();
        for name in wanted.iter().filter(|name| **name != "id") {
            let spot = known.spot(object, name.as_str()).map_err(|refusal| Fault::malformed(refusal.message))?;
            if !spot.is_extra() {
                columns.push((name.clone(), spot));
            }
        }
        let is_join = |spot: &Spot| matches!(spot, Spot::System(system) if matches!(system.place, Place::Join(_)));
        Ok(Self {
            object,
            wants_values: columns.iter().any(|(_, spot)| matches!(spot, Spot::Value { .. })),
            wants_join: columns.iter().any(|(_, spot)| is_join(spot)),
            columns,
        })
    }

    /// What is asked for beside the rows of a list.
    pub(super) fn include(&self) -> Option<String> {
        let mut names = Vec::new();
        if self.wants_values {
            names.push(self.object.values().map_or("fieldValues", |(collection, _)| collection));
        }
        if self.wants_join {
            names.push("accountContacts");
        }
        (!names.is_empty()).then(|| names.join(","))
    }

    /// A page of rows as records; those that lack something are completed one by one first.
    pub(super) fn page(&self, body: &Json, rows: &[&Json], next: Option<ListMark>) -> Result<Step, Fault> {
        let mut page = Completing { next: next.map(Box::new), ..Completing::default() };
        for row in rows {
            let beside = self.beside(body, row);
            let values = beside.as_ref().and_then(|(values, _)| values.as_deref());
            let join = beside.as_ref().and_then(|(_, join)| join.as_ref().map(Option::as_ref));
            // What the key's user may not see comes stripped, and must not be read as empty (section 9 trap 11).
            let is_stripped = row.get("isDisabled").and_then(Json::as_bool) == Some(true);
            let is_whole = (!self.wants_values || values.is_some()) && (!self.wants_join || join.is_some());
            if is_stripped {
                page.records.push(self.record(row, More::default())?);
            } else if is_whole {
                page.records.push(self.record(row, More { values, join })?);
            } else {
                page.waiting.push_back((*row).clone());
            }
        }
        Ok(step(page))
    }

    /// The answer about the first row that waits.
    pub(super) fn completed(&self, mut page: Completing, reply: &Reply) -> Result<Step, Fault> {
        let Some(row) = page.waiting.front() else { return Ok(step(page)) };
        let answer = faults::check(reply);
        if self.object == Object::Contacts {
            match answer {
                Ok(body) => {
                    let contact = body.get("contact").ok_or_else(|| Fault::malformed("the answer has no contact"))?;
                    let more = More {
                        values: Some(rows(&body, "fieldValues")),
                        join: Some(rows(&body, "accountContacts").first()),
                    };
                    page.records.push(self.record(contact, more)?);
                }
                // Deleted meanwhile.
                Err(fault) if fault.kind == FaultKind::NotFound => {}
                Err(fault) => return Err(fault),
            }
        } else if let Some((collection, _)) = self.object.values() {
            let body = answer?;
            let found = rows(&body, collection);
            page.values.extend(found.iter().cloned());
            let total = body.pointer("/meta/total").and_then(count);
            if !found.is_empty() && total.is_some_and(|total| total > page.values.len() as u64) {
                return Ok(step(page));
            }
            let id = row.get("id").and_then(word).unwrap_or_default();
            let own: Vec<Json> = page.values.iter().filter(|value| self.is_of(value, &id)).cloned().collect();
            page.records.push(self.record(row, More { values: Some(&own), join: None })?);
        }
        page.waiting.pop_front();
        page.values.clear();
        Ok(step(page))
    }

    /// Whether a custom value is this record's.
    fn is_of(&self, value: &Json, id: &str) -> bool {
        let keys: &[&str] = match self.object {
            Object::Deals => &["dealId", "deal"],
            Object::Accounts => &["accountId", "customerAccountId"],
            _ => &["contact"],
        };
        keys.iter().find_map(|key| value.get(*key)).and_then(word).is_some_and(|owner| owner == id)
    }

    /// What came beside the rows for one of them: values and association, as far as they are whole.
    #[expect(clippy::type_complexity, reason = "two optional parts, one of them with an absence of its own")]
    fn beside(&self, body: &Json, row: &Json) -> Option<(Option<Vec<Json>>, Option<Option<Json>>)> {
        let id = row.get("id").and_then(word)?;
        if let Some((collection, _)) = self.object.values() {
            let all = body.get(collection).and_then(Json::as_array)?;
            return Some((Some(all.iter().filter(|value| self.is_of(value, &id)).cloned().collect()), None));
        }
        let named = |key: &str| -> Option<Vec<Json>> {
            let ids = row.get(key).and_then(Json::as_array)?;
            let all = rows(body, key);
            let find = |id: &Json| all.iter().find(|one| one.get("id").and_then(word) == word(id)).cloned();
            ids.iter().map(find).collect()
        };
        let values = body.get("fieldValues").and_then(|_| named("fieldValues"));
        Some((values, named("accountContacts").map(|all| all.into_iter().next())))
    }

    fn record(&self, row: &Json, more: More<'_>) -> Result<Record, Fault> {
        let id = row.get("id").and_then(id_text).ok_or_else(|| Fault::malformed("a record without an id"))?;
        let mut fields = Fields::with_capacity(self.columns.len());
        for (name, spot) in &self.columns {
            if let Some(value) = value(row, spot, more) {
                fields.set(name.clone(), value);
            }
        }
        let (updated, created) = self.object.stamps();
        let time = |key: &str| row.get(key).and_then(Json::as_str).and_then(instant);
        Ok(Record {
            id: id.into(),
            fields,
            modified: time(updated).or_else(|| time(created)),
            // Whether deleted contacts stay in lists is not known (section 4 [unsure]).
            gone: row.get("deleted").and_then(word).is_some_and(|deleted| deleted == "1"),
        })
    }
}

/// The page when nothing waits, else the next call for it.
fn step(page: Completing) -> Step {
    if page.waiting.is_empty() {
        return Step::Page { records: page.records, next: page.next.map(|next| next.cursor()) };
    }
    ListMark { page: Some(Box::new(page)), ..ListMark::default() }.then()
}

/// A field's value; `None` where the row does not tell it.
fn value(row: &Json, spot: &Spot, more: More<'_>) -> Option<Value> {
    match spot {
        Spot::System(system) => of_system(row, system, more),
        Spot::Value { field, form, is_currency, .. } => {
            let is_it = |value: &&Json| {
                let of = value.get("customFieldId").or_else(|| value.get("field"));
                of.and_then(word).is_some_and(|of| of == *field)
            };
            let key = if *is_currency { "fieldCurrency" } else { "fieldValue" };
            let found = more.values?.iter().find(is_it);
            let json = found.and_then(|value| value.get(key).or_else(|| value.get("value"))).unwrap_or(&Json::Null);
            Some(match form.read(json) {
                // A list without entries is an empty field.
                Value::List(items) if items.is_empty() => Value::Null,
                value => value,
            })
        }
    }
}

fn of_system(row: &Json, system: &System, more: More<'_>) -> Option<Value> {
    let json = match system.place {
        Place::Key(key) => match row.get(key) {
            None | Some(Json::Null) if key == "account" => row.get("customerAccount").or_else(|| row.get(key))?,
            told => told?,
        },
        Place::Parent(object) => {
            let is_it = row.get("reltype")?.as_str() == Some(object.reltype());
            if is_it { row.get("relid")? } else { &Json::Null }
        }
        Place::Join(key) => more.join?.and_then(|join| join.get(key)).unwrap_or(&Json::Null),
        Place::Extra => return None,
    };
    let is_record = matches!(system.holds, Holds::Link(_) | Holds::User);
    if is_record {
        return Some(id_text(json).map_or(Value::Null, Value::Text));
    }
    Some(system.form.read(json))
}

/// The rows under a name.
pub(super) fn rows<'b>(body: &'b Json, name: &str) -> &'b [Json] {
    body.get(name).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}
