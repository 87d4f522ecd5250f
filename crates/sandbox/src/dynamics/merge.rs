//! Merging two rows (sheet: section 5.7): the one stays, what points to the other moves to it.

use serde_json::{Value as Json, json};

use super::actions::id_of;
use super::call::Call;
use super::refusal::{Answer, Fault, no_content};
use super::world::{World, flag, reference};
use super::write::{self, Writer};
use crate::journal::{Action, Change};

/// `POST /Merge`.
pub(super) fn answer(world: &mut World, call: &Call<'_>) -> Answer {
    let body = call.map()?;
    let part = |name: &str| body.get(name).ok_or_else(|| Fault::argument(format!("The body has no '{name}'.")));
    let (target, subordinate) = (part("Target")?, part("Subordinate")?);
    let kind = |value: &Json| {
        value["@odata.type"].as_str().unwrap_or("").trim_start_matches('#').rsplit('.').next().unwrap_or("").to_owned()
    };
    let table = kind(target);
    let entity = world.entity(&table).filter(|entity| entity.mergeable);
    let entity = entity.ok_or_else(|| Fault::argument("The entity type of Target cannot be merged."))?;
    if kind(subordinate) != table {
        return Err(Fault::argument("Target and Subordinate are of different types."));
    }
    let (keep, lose) = (id_of(Some(target), &entity.primary_id)?, id_of(Some(subordinate), &entity.primary_id)?);
    if let Some(content) = body.get("UpdateContent").and_then(Json::as_object) {
        let draft = super::records::draft(world, call, &entity, content, false)?;
        write::update(world, &keep, &draft, &call.writer())?;
    }
    merge(world, &table, &keep, &lose, &call.writer())?;
    Ok(no_content())
}

/// Merges a row into another.
pub(super) fn merge(world: &mut World, table: &str, keep: &str, lose: &str, by: &Writer) -> Result<(), Fault> {
    for id in [keep, lose] {
        let row = world.get(table, id).ok_or_else(|| Fault::no_row(table, id))?;
        if flag(row, "merged") {
            return Err(Fault::argument("A record that was merged cannot be merged again."));
        }
    }
    if keep == lose {
        return Err(Fault::argument("A record cannot be merged with itself."));
    }
    let relations: Vec<_> = world.schema.to(table).cloned().collect();
    for relation in relations.iter().filter(|relation| relation.attribute != "masterid") {
        if relation.referencing == "activitypointer" {
            continue;
        }
        for child in world.pointing(&relation.referencing, &relation.attribute, table, lose) {
            // A row does not become its own parent.
            let value = (relation.referencing != table || child != keep).then(|| reference(table, keep));
            write::patch(world, &relation.referencing, &child, &[(relation.attribute.as_str(), value)]);
        }
    }
    let state = match table {
        "incident" => (2, 2_000),
        "lead" => (2, 7),
        _ => (1, 2),
    };
    let values = [
        ("merged", Some(json!(true))),
        ("masterid", Some(reference(table, keep))),
        ("statecode", Some(json!(state.0))),
        ("statuscode", Some(json!(state.1))),
        ("modifiedon", Some(json!(super::instant::stamp(by.at)))),
        ("modifiedby", Some(reference("systemuser", &by.user))),
    ];
    write::patch(world, table, lose, &values);
    let touched = [("modifiedon", Some(json!(super::instant::stamp(by.at))))];
    write::patch(world, table, keep, &touched);
    world.note(Change::new(table, lose, Action::Merged).with("merged_into", Json::Null, json!(keep)));
    Ok(())
}
