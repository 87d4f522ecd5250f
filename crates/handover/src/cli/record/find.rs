//! Finding a customer by what people know of it: an id, an address, a name.

use std::collections::{BTreeMap, HashSet};

use handover_engine::{forth_of, title};
use handover_model::{FlowName, ObjectName, Record, RecordId, SystemName, Value};
use handover_store::{Identity, Membership, Store};

use super::super::failure;
use super::super::session::Session;
use crate::problem::Problem;

/// A record of a system.
pub(in crate::cli) type Start = (SystemName, ObjectName, RecordId);

/// A customer: everything that is the same as the record that was found.
pub(in crate::cli) struct Found {
    /// The record that was found.
    pub(in crate::cli) start: Start,
    pub(in crate::cli) identity: Option<Identity>,
    /// Its records in all systems.
    pub(in crate::cli) members: Vec<Membership>,
    /// Under which flows and source records it is carried.
    pub(in crate::cli) rows: Vec<(FlowName, RecordId)>,
}

fn failed(error: handover_store::Error) -> Vec<Problem> {
    vec![failure::store(&error)]
}

/// `old.persons/42`.
pub(super) fn name(member: &Membership) -> String {
    format!("{}.{}/{}", member.system, member.object, member.record)
}

/// What nobody has.
pub(in crate::cli) fn unknown() -> Problem {
    Problem::new("no_record", "no flow has read or written a record that answers to that")
        .hint("a name or an address has to be whole; a record that was not read yet is known after the next pass")
}

/// The one customer that answers to `text`.
pub(in crate::cli) async fn one(
    session: &Session,
    store: &Store,
    text: &str,
    object: Option<&ObjectName>,
) -> Result<Found, Vec<Problem>> {
    let mut found = find(session, store, text, object).await?;
    match found.len() {
        0 => Err(vec![unknown()]),
        1 => Ok(found.swap_remove(0)),
        several => Err(vec![super::ambiguous(several)]),
    }
}

/// All customers that answer to `text`, in order.
pub(super) async fn find(
    session: &Session,
    store: &Store,
    text: &str,
    object: Option<&ObjectName>,
) -> Result<Vec<Found>, Vec<Problem>> {
    let mut starts = by_flow(session, store, text).await?;
    if starts.is_empty() {
        let id = RecordId::from(text.trim());
        let known = store.records_called(&id).await.map_err(failed)?;
        starts = known.into_iter().map(|(system, object)| (system, object, id.clone())).collect();
    }
    if starts.is_empty() {
        starts = by_value(store, text).await?;
    }
    let mut found: BTreeMap<(Option<Identity>, Option<Start>), Found> = BTreeMap::new();
    for start in starts {
        let one = customer(store, start.clone()).await?;
        let alone = one.identity.is_none().then_some(start);
        if object.is_none_or(|object| one.members.iter().any(|member| member.object == *object)) {
            found.entry((one.identity, alone)).or_insert(one);
        }
    }
    Ok(found.into_values().collect())
}

/// `FLOW/ID`, where the project has the flow and the flow has the record.
async fn by_flow(session: &Session, store: &Store, text: &str) -> Result<Vec<Start>, Vec<Problem>> {
    let Some((flow, id)) = text.split_once('/') else { return Ok(Vec::new()) };
    let (name, id) = (FlowName::from(flow), RecordId::from(id));
    let forth = forth_of(&name);
    let Some(flow) = session.project.flow(forth.as_ref().unwrap_or(&name)) else { return Ok(Vec::new()) };
    let end = if forth.is_some() { &flow.target } else { &flow.source };
    let rows = store.rows(&name, std::slice::from_ref(&id)).await.map_err(failed)?;
    Ok(rows.into_keys().map(|id| (end.system.clone(), end.object.clone(), id)).collect())
}

/// Records of which a value, or the name, is this text. Every record that was read is looked at, as it was read last.
async fn by_value(store: &Store, text: &str) -> Result<Vec<Start>, Vec<Problem>> {
    let wanted = folded(text);
    let mut starts = Vec::new();
    for read in store.extractions().await.map_err(failed)? {
        let mut seen: HashSet<u64> = HashSet::new();
        for number in (0..read.blocks).rev() {
            for record in store.block_once(&read.system, &read.object, number).await.map_err(failed)? {
                if seen.insert(Store::mark_of(&record.id)) && answers_to(&record, &wanted) {
                    starts.push((read.system.clone(), read.object.clone(), record.id));
                }
            }
        }
    }
    Ok(starts)
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn answers_to(record: &Record, wanted: &str) -> bool {
    let says_it = |part: &str| record.fields.iter().any(|(_, value)| says(value, part));
    // Some systems keep a name in two fields.
    let in_two = || wanted.match_indices(' ').any(|(at, _)| says_it(&wanted[..at]) && says_it(&wanted[at + 1..]));
    folded(&title(record)) == *wanted || says_it(wanted) || in_two()
}

fn says(value: &Value, wanted: &str) -> bool {
    match value {
        Value::Text(text) => folded(text) == *wanted,
        Value::List(items) => items.iter().any(|item| says(item, wanted)),
        Value::Map(parts) => parts.values().any(|part| says(part, wanted)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Date(_) | Value::DateTime(_) | Value::Time(_) => false,
    }
}

/// Everything that is the same as a record.
async fn customer(store: &Store, start: Start) -> Result<Found, Vec<Problem>> {
    let (system, object, record) = &start;
    let known = store.identities(system, object, std::slice::from_ref(record)).await.map_err(failed)?;
    let identity = known.get(record).map(|(identity, ..)| *identity);
    let mut members = match identity {
        Some(identity) => store.members(identity).await.map_err(failed)?,
        None => Vec::new(),
    };
    if members.is_empty() {
        members.push(Membership {
            system: system.clone(),
            object: object.clone(),
            record: record.clone(),
            identity: 0,
            role: String::new(),
            state: "live".to_owned(),
        });
    }
    let (mut rows, mut backs) = (Vec::new(), Vec::new());
    for member in &members {
        let told = store.sources_everywhere(&member.system, &member.object, &member.record).await.map_err(failed)?;
        for (flow, source) in told {
            if store.rows(&flow, std::slice::from_ref(&source)).await.map_err(failed)?.is_empty() {
                continue;
            }
            if forth_of(&flow).is_some() { backs.push((flow, source)) } else { rows.push((flow, source)) }
        }
    }
    rows.sort();
    rows.dedup();
    // Pairs stand in the rows of the flow; a way back has those that are not paired.
    if rows.is_empty() {
        rows = backs;
    }
    Ok(Found { start, identity, members, rows })
}

/// What people call a customer, by the first of its records that was read.
pub(in crate::cli) async fn title_of(store: &Store, found: &Found) -> Result<String, Vec<Problem>> {
    Ok(called(store, found).await?.0)
}

/// What people call a customer, and an address that it has.
pub(super) async fn called(store: &Store, found: &Found) -> Result<(String, String), Vec<Problem>> {
    let mut called = None;
    for member in &found.members {
        let ids = std::slice::from_ref(&member.record);
        let copies = store.last_copies(&member.system, &member.object, ids).await.map_err(failed)?;
        let Some(copy) = copies.into_values().next() else { continue };
        let title = title(&copy);
        let address = copy.fields.iter().find_map(|(_, value)| address(value)).unwrap_or_default();
        // A record that has no name of its own is called by its id.
        if title != copy.id.as_str() {
            return Ok((title, address));
        }
        called.get_or_insert((title, address));
    }
    Ok(called.unwrap_or_else(|| (found.start.2.to_string(), String::new())))
}

fn address(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) if text.contains('@') && !text.contains(' ') => Some(text.clone()),
        Value::List(items) => items.iter().find_map(address),
        Value::Map(parts) => parts.values().find_map(address),
        _ => None,
    }
}
