//! What follows from other values: names, the person of an activity, the times of a deal's status.

use serde_json::{Value as Json, json};

use super::kind::Kind;
use super::record::Record;
use super::refusal::Refusal;
use super::time::{self, Seconds};
use super::world::World;

/// Completes a record with what follows from its own values.
pub(super) fn settle(world: &World, kind: Kind, record: &mut Record) {
    match kind {
        Kind::Person => split_name(record),
        Kind::Activity => {
            let people = record.get("participants").as_array().cloned().unwrap_or_default();
            let primary = people.iter().find(|one| one.get("primary") == Some(&json!(true))).or(people.first());
            let person = primary.and_then(|one| one.get("person_id")).cloned().unwrap_or_default();
            if !people.is_empty() || record.get("person_id").is_null() {
                record.set("person_id", person);
            } else {
                let person = record.get("person_id").clone();
                record.set("participants", json!([{"person_id": person, "primary": true}]));
            }
        }
        Kind::Deal => {
            if record.get("status").is_null() {
                record.set("status", json!("open"));
            }
            if record.get("currency").is_null() {
                record.set("currency", json!(world.account.default_currency));
            }
            place(world, record);
        }
        _ => {}
    }
    if kind.key("visible_to").is_some() && record.get("visible_to").is_null() {
        record.set("visible_to", json!(world.default_visible_to()));
    }
}

/// A stage implies its pipeline, and a pipeline its first stage (sheet: Pipedrive section 2.1).
fn place(world: &World, record: &mut Record) {
    if record.get("stage_id").is_null() {
        let pipeline = record.id_of("pipeline_id").or_else(|| {
            let living = world.pipelines.iter().filter(|(_, one)| one.get("is_deleted") != Some(&json!(true)));
            living.map(|(id, _)| *id).next()
        });
        if let Some(stage) = pipeline.and_then(|pipeline| world.first_stage(pipeline)) {
            record.set("stage_id", json!(stage));
        }
    }
    if let Some(pipeline) = record.id_of("stage_id").and_then(|stage| world.pipeline_of(stage)) {
        record.set("pipeline_id", json!(pipeline));
    }
}

/// The last word of a name is the last name; a single word is the first name.
fn split_name(record: &mut Record) {
    let name = record.text("name").trim().to_owned();
    let (first, last) = match name.rsplit_once(' ') {
        Some((first, last)) => (json!(first.trim()), json!(last)),
        None => (json!(name), Json::Null),
    };
    record.set("first_name", first);
    record.set("last_name", last);
}

/// Brings status and times of a deal into agreement after a write. `sent` says which keys the body had.
///
/// Times and reasons of a status need that status (sheet: section 5 \[spec\]).
pub(super) fn status_times(
    before: Option<&Record>,
    record: &mut Record,
    sent: &dyn Fn(&str) -> bool,
    at: Seconds,
) -> Result<(), Refusal> {
    let status = record.text("status").to_owned();
    let was = before.map_or("open", |before| before.text("status"));
    let needs = [("won_time", "won"), ("lost_time", "lost"), ("lost_reason", "lost")];
    for (key, needed) in needs {
        if sent(key) && !record.get(key).is_null() && status != needed {
            return Err(Refusal::key(key, format!("can only be set when status is '{needed}'")));
        }
    }
    if sent("close_time") && !record.get("close_time").is_null() && status == "open" {
        return Err(Refusal::key("close_time", "can only be set when status is 'won' or 'lost'"));
    }
    if status != was {
        for (key, needed) in needs {
            if status != needed && !sent(key) {
                record.set(key, Json::Null);
            }
        }
        if !sent("close_time") {
            record.set("close_time", Json::Null);
        }
    }
    let own = match status.as_str() {
        "won" => Some("won_time"),
        "lost" => Some("lost_time"),
        _ => None,
    };
    if let Some(own) = own {
        if record.get(own).is_null() {
            let closed = record.get("close_time").clone();
            record.set(own, if closed.is_null() { json!(time::v2(at)) } else { closed });
        }
        if record.get("close_time").is_null() || (sent(own) && !sent("close_time")) {
            let time = record.get(own).clone();
            record.set("close_time", time);
        }
    }
    archive_times(record, sent, at)
}

fn archive_times(record: &mut Record, sent: &dyn Fn(&str) -> bool, at: Seconds) -> Result<(), Refusal> {
    if record.flag("is_archived") {
        if record.get("archive_time").is_null() {
            record.set("archive_time", json!(time::v2(at)));
        }
        return Ok(());
    }
    if sent("archive_time") && !record.get("archive_time").is_null() {
        return Err(Refusal::key("archive_time", "can only be set when is_archived is true"));
    }
    record.set("archive_time", Json::Null);
    Ok(())
}
