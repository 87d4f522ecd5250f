//! What Salesforce itself fills in when a record is written, and what it refuses of its own accord.
//!
//! `before` works on the record that is about to be written, `after` on its neighbours.

mod activities;
mod files;
mod people;
mod sales;

use serde_json::{Value as Json, json};

use super::refusal::Fault;
use super::schema::Object;
use super::world::{Record, World, text};
use super::write::Writer;

/// A record that is about to be written.
struct Draft<'a> {
    object: &'a Object,
    record: &'a mut Record,
    old: Option<&'a Record>,
    given: &'a [String],
    by: &'a Writer,
}

impl Draft<'_> {
    /// Whether the sender named the field.
    fn gave(&self, field: &str) -> bool {
        self.given.iter().any(|given| given == field)
    }

    /// Whether the field's value differs from what was, or there was nothing.
    fn moved(&self, field: &str) -> bool {
        self.old.is_none_or(|old| old.get(field) != self.record.get(field))
    }

    fn set(&mut self, field: &str, value: Json) {
        if value.is_null() {
            self.record.remove(field);
        } else {
            self.record.insert(field.to_owned(), value);
        }
    }

    fn text(&self, field: &str) -> &str {
        text(self.record, field)
    }

    fn number(&self, field: &str) -> Option<f64> {
        self.record.get(field).and_then(Json::as_f64)
    }
}

/// Completes a record, or refuses it.
pub(super) fn before(
    world: &mut World,
    object: &Object,
    record: &mut Record,
    old: Option<&Record>,
    given: &[String],
    by: &Writer,
) -> Result<(), Fault> {
    let mut draft = Draft { object, record, old, given, by };
    numbers(world, &mut draft);
    circles(world, &draft)?;
    if world.org.multi_currency
        && object.any_field("CurrencyIsoCode").is_some()
        && draft.text("CurrencyIsoCode").is_empty()
    {
        let corporate = corporate_currency(world);
        draft.set("CurrencyIsoCode", json!(corporate));
    }
    if object.custom && !draft.record.contains_key("Name") {
        // A record without a name shows its id.
        let id = draft.text("Id").to_owned();
        draft.set("Name", json!(id));
    }
    match object.name.as_str() {
        "Contact" | "User" => people::name(&mut draft),
        "Lead" => people::lead(&mut draft)?,
        "CampaignMember" => people::member(world, &mut draft)?,
        "Opportunity" => {
            sales::settled(&draft)?;
            sales::opportunity(world, &mut draft);
        }
        "PricebookEntry" => sales::price(world, &mut draft)?,
        "OpportunityLineItem" => sales::line(world, &mut draft)?,
        "Case" => activities::case(world, &mut draft),
        "Task" => activities::task(world, &mut draft)?,
        "Event" => activities::event(world, &mut draft)?,
        "Attachment" => files::attachment(&mut draft),
        "ContentVersion" => files::version(world, &mut draft)?,
        "ContentDocumentLink" => files::link(world, &draft)?,
        _ => {}
    }
    Ok(())
}

/// Carries a write over to its neighbours.
pub(super) fn after(
    world: &mut World,
    object: &Object,
    id: &str,
    old: Option<&Record>,
    by: &Writer,
) -> Result<(), Fault> {
    let system = Writer { system: true, ..by.clone() };
    match object.name.as_str() {
        "Opportunity" if old.is_none() => sales::primary(world, id, &system),
        "OpportunityContactRole" => sales::one_primary(world, id, &system),
        "OpportunityLineItem" => sales::roll_up(world, id, &system),
        "ContentVersion" if old.is_none() => files::publish(world, id, &system),
        _ => Ok(()),
    }
}

/// What a deletion changes beside its record.
pub(super) fn after_delete(world: &mut World, object: &str, record: &Record, by: &Writer) -> Result<(), Fault> {
    let system = Writer { system: true, ..by.clone() };
    match object {
        "OpportunityLineItem" => sales::roll_up_opportunity(world, text(record, "OpportunityId"), &system),
        _ => Ok(()),
    }
}

pub(super) fn corporate_currency(world: &World) -> String {
    let mut types = world.rows("CurrencyType").map(|(_, record)| record);
    let corporate = types.find(|record| record.get("IsCorporate") == Some(&json!(true)));
    corporate.map_or("USD", |record| text(record, "IsoCode")).to_owned()
}

/// Automatic numbers: `{0000}` in the format is the count, padded.
fn numbers(world: &mut World, draft: &mut Draft<'_>) {
    if draft.old.is_some() {
        return;
    }
    for field in draft.object.fields.iter().filter(|field| field.auto_number) {
        if draft.record.contains_key(&field.name) {
            continue;
        }
        let count = world.draw(&format!("number of {}.{}", draft.object.name, field.name));
        let format = &draft.object.number_format;
        let number = match (format.find('{'), format.find('}')) {
            (Some(from), Some(to)) if from < to => {
                let width = to - from - 1;
                let (head, tail) = (format.get(..from).unwrap_or(""), format.get(to + 1..).unwrap_or(""));
                format!("{head}{count:0width$}{tail}")
            }
            _ => count.to_string(),
        };
        draft.record.insert(field.name.clone(), json!(number));
    }
}

/// A record may not be its own ancestor.
fn circles(world: &World, draft: &Draft<'_>) -> Result<(), Fault> {
    let id = draft.text("Id");
    for field in draft.object.fields.iter().filter(|field| {
        field.updateable
            && field.targets.len() == 1
            && field.targets.iter().any(|target| target.object == draft.object.name)
    }) {
        let mut above = draft.text(&field.name).to_owned();
        for _ in 0..500 {
            if above.is_empty() {
                break;
            }
            if above == id {
                let message = format!("attempt to create a circular dependency: {}", field.label);
                return Err(Fault::row("CIRCULAR_DEPENDENCY", message, &[&field.name]));
            }
            above =
                world.get(&draft.object.name, &above).map(|record| text(record, &field.name)).unwrap_or("").to_owned();
        }
    }
    Ok(())
}

/// The row of a list of statuses or stages that a value names.
fn status<'a>(world: &'a World, list: &str, value: &str) -> Option<&'a Record> {
    world.rows(list).map(|(_, record)| record).find(|record| {
        text(record, "ApiName").eq_ignore_ascii_case(value) || text(record, "MasterLabel").eq_ignore_ascii_case(value)
    })
}

fn flag(record: Option<&Record>, field: &str) -> bool {
    record.and_then(|record| record.get(field)) == Some(&Json::Bool(true))
}
