//! Merging two records into one (sheet: HubSpot section 4 \[doc/obs\]): by default under a new id, to
//! which both old ids resolve from then on.

use serde_json::{Value as Json, json};

use super::Hubspot;
use super::call::{Call, id_text};
use super::draft::Values;
use super::instant::iso;
use super::kinds::{self, Kind};
use super::link_types::LinkType;
use super::links::{Node, Write};
use super::record::{Record, Source};
use super::refusal::{Answer, Refusal};
use super::view::{Selection, record_json};
use super::webhooks::Occurrence;
use crate::Reply;
use crate::journal::{Action, Change};

/// `POST /crm/v3/objects/{kind}/merge`
pub(crate) fn merge(hub: &mut Hubspot, call: &Call<'_>, kind: Kind) -> Answer {
    let body = call.object()?;
    let id = |name: &str| {
        id_text(body.get(name)).ok_or_else(|| Refusal::json(&format!("Some required fields were not set: [{name}]")))
    };
    let (primary, merged) = (id("primaryObjectId")?, id("objectIdToMerge")?);
    let table = hub.world.table(kind);
    let live = |id: &str| id.parse().ok().and_then(|id| table.live(id)).map(|r| r.id);
    let (Some(primary), Some(merged)) = (live(&primary), live(&merged)) else {
        return Err(Refusal::not_found(format!("Could not find the {} to merge", hub.world.kinds.singular(kind))));
    };
    if primary == merged {
        return Err(Refusal::invalid("The records to merge are the same"));
    }
    let identities = [primary, merged].iter().map(|&id| identities(hub, kind, id)).sum::<usize>();
    if kind == kinds::CONTACTS && identities > hub.world.settings.merge_identities {
        let limit = hub.world.settings.merge_identities;
        let status = hub.world.settings.merge_limit_status;
        return Err(Refusal::new(
            status,
            "VALIDATION_ERROR",
            format!("Cannot have more than {limit} identities on a profile"),
        ));
    }
    let survivor = perform(hub, kind, primary, merged, call.now, &call.source());
    let record = hub.world.table(kind).get(survivor).ok_or_else(Refusal::no_record)?;
    let shown = record_json(&hub.world, kind, record, &Selection::default());
    Ok(Reply::json(200, &Json::Object(shown)))
}

/// Addresses and ids that a record answers to.
fn identities(hub: &Hubspot, kind: Kind, id: u64) -> usize {
    let schema = hub.world.schema(kind);
    let Some(record) = hub.world.table(kind).get(id) else { return 0 };
    let count = |name: &str| {
        let value = schema.index(name).and_then(|ix| record.value(ix)).unwrap_or("");
        value.split(';').filter(|part| !part.is_empty()).count()
    };
    1 + count("email") + count("hs_additional_emails") + count("hs_merged_object_ids")
}

/// Merges two live records; gives the survivor's id.
pub(crate) fn perform(hub: &mut Hubspot, kind: Kind, primary: u64, merged: u64, at: i64, source: &Source) -> u64 {
    let table = hub.world.table(kind);
    let (Some(winner), Some(loser)) = (table.get(primary).cloned(), table.get(merged).cloned()) else {
        return primary;
    };
    let survivor = if hub.world.settings.preserve_primary_on_merge {
        primary
    } else {
        let step = 1 + u64::from(hub.draw("step", hub.world.table(kind).next_id)[0] % 3);
        hub.world.tables.get_mut(usize::from(kind)).map_or(primary, |table| table.take_id(step))
    };
    let values = merged_values(hub, kind, &winner, &loser, at);
    let mut record = winner.clone();
    record.id = survivor;
    record.created_at = winner.created_at.min(loser.created_at);
    record.updated_at = at;
    let mut moved = 0;
    for (ix, value) in &values {
        moved += usize::from(record.change(*ix, value.clone(), at, &Source::Merge));
    }
    let olds: Vec<u64> = [primary, merged].into_iter().filter(|id| *id != survivor).collect();
    for &old in &olds {
        hub.world.put(kind, old, None, at);
    }
    hub.world.put(kind, survivor, Some(record), at);
    if let Some(table) = hub.world.tables.get_mut(usize::from(kind)) {
        table.aliases.extend(olds.iter().map(|&old| (old, survivor)));
    }
    for &old in &olds {
        move_links(hub, Node { kind, id: old }, Node { kind, id: survivor });
    }
    journal(hub, kind, &olds, survivor, primary);
    hub.occurrences.push(Occurrence::merge(kind, primary, merged, survivor, moved, at, source));
    survivor
}

/// The winner's values stay; gaps are filled from the loser; traces and addresses are kept.
fn merged_values(hub: &Hubspot, kind: Kind, winner: &Record, loser: &Record, at: i64) -> Values {
    let schema = hub.world.schema(kind);
    let mut values = Values::new();
    for (ix, value) in loser.values() {
        let Some(property) = schema.get(ix) else { continue };
        let kept = matches!(
            property.name.as_str(),
            "email" | "hs_additional_emails" | "hs_merged_object_ids" | "hs_calculated_merged_vids"
        );
        let empty = winner.value(ix).is_none();
        let further = property.name == "lifecyclestage" && {
            let place = |v: &str| property.options.iter().position(|o| o.value == v);
            winner.value(ix).and_then(place) < place(value)
        };
        if !kept && (empty || further) {
            values.push((ix, Some(value.into())));
        }
    }
    let join = |name: &str, more: Vec<String>| {
        let ix = schema.index(name)?;
        let mut all: Vec<String> = Vec::new();
        let own = [winner, loser].into_iter().filter_map(|r| r.value(ix)).flat_map(|v| v.split(';')).map(str::to_owned);
        for part in own.chain(more).filter(|part| !part.is_empty()) {
            if !all.contains(&part) {
                all.push(part);
            }
        }
        (!all.is_empty()).then(|| (ix, Some(all.join(";").into_boxed_str())))
    };
    let mut ids = vec![loser.id.to_string()];
    if !hub.world.settings.preserve_primary_on_merge {
        ids.insert(0, winner.id.to_string());
    }
    values.extend(join("hs_merged_object_ids", ids.clone()));
    if kind == kinds::CONTACTS {
        values.extend(join("hs_calculated_merged_vids", ids.iter().map(|id| format!("{id}:{at}")).collect()));
        emails(hub, kind, winner, loser, &mut values, &join);
    }
    values
}

type Joined = Option<(super::property::PropIx, super::values::Stored)>;

/// The loser's address becomes an additional one, or the address of a winner without.
fn emails(
    hub: &Hubspot,
    kind: Kind,
    winner: &Record,
    loser: &Record,
    values: &mut Values,
    join: &dyn Fn(&str, Vec<String>) -> Joined,
) {
    let Some(email) = hub.world.schema(kind).index("email") else { return };
    let address = loser.value(email).map(str::to_owned);
    match (winner.value(email), address) {
        (None, Some(address)) => {
            values.push((email, Some(address.into())));
            values.extend(join("hs_additional_emails", Vec::new()));
        }
        (_, address) => values.extend(join("hs_additional_emails", address.into_iter().collect())),
    }
}

fn move_links(hub: &mut Hubspot, from: Node, to: Node) {
    let pairs: Vec<(Node, Vec<LinkType>)> =
        hub.world.links.all_of(from).map(|(other, types)| (other, types.to_vec())).collect();
    for (other, types) in pairs {
        hub.world.links.remove(&hub.world.link_types, from, other, None);
        if other == to {
            continue;
        }
        // A survivor that has its primary keeps it.
        let table = &hub.world.link_types;
        let primary = table.between(to.kind, other.kind).find(|row| row.one_per_from).map(|row| row.link);
        let has = hub.world.links.primary(table, to, other.kind).is_some();
        let types: Vec<LinkType> = types.into_iter().filter(|link| !(has && Some(*link) == primary)).collect();
        hub.world.links.write(&hub.world.link_types, to, other, &types, Write::Add);
    }
}

fn journal(hub: &mut Hubspot, kind: Kind, olds: &[u64], survivor: u64, primary: u64) {
    let object = hub.world.kinds.plural(kind).to_owned();
    let into = json!(survivor.to_string());
    for &old in olds {
        hub.changes.push(Change::new(object.clone(), old, Action::Merged).with(
            "merged_into",
            Json::Null,
            into.clone(),
        ));
    }
    let action = if survivor == primary { Action::Updated } else { Action::Created };
    let mut change = Change::new(object, survivor, action);
    if let Some(record) = hub.world.table(kind).get(survivor) {
        change = change.with("merged_at", Json::Null, iso(record.updated_at).into());
    }
    hub.changes.push(change);
}
