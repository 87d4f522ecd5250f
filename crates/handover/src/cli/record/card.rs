//! The card itself: every mapped field with each system's value, who wrote it last, what is held.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use handover_engine::{back_of, forth_of};
use handover_model::{End, FieldName, Flow, FlowName, From, ReadCost, Record, RecordId};
use handover_store::{HeldRow, HoldFilter, Membership, Pass, RecordRow, Seq, Store};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::super::audit::rule_in_words;
use super::super::holds::held_json;
use super::super::session::Session;
use super::super::{failure, plain, queue};
use super::find::{Found, name, title_of};
use crate::problem::Problem;

/// A confirmed write of a field.
#[derive(Clone)]
pub(super) struct Written {
    pub(super) flow: FlowName,
    pub(super) at: Timestamp,
    pass: i64,
    pub(super) seq: Seq,
    /// The record that the value came from.
    pub(super) from: String,
    value: Json,
}

/// A value of one record, and the write that it came by.
#[derive(Clone)]
pub(super) struct Cell {
    pub(super) value: Json,
    pub(super) written: Option<Written>,
}

/// A field of a target record beside what the sources say that it is made of.
pub(super) struct Line {
    pub(super) field: FieldName,
    pub(super) target: Cell,
    /// In the order of the part's sources.
    pub(super) sources: Vec<Option<Cell>>,
    /// By flow: the rule, in words.
    rules: BTreeMap<FlowName, String>,
}

/// A target record with all that flows into it.
pub(super) struct Part {
    /// Its name; of a record that is not there yet the object's.
    pub(super) target: String,
    is_there: bool,
    pub(super) sources: Vec<String>,
    pub(super) lines: Vec<Line>,
}

/// The card.
pub(super) struct Card {
    pub(super) title: String,
    pub(super) parts: Vec<Part>,
    pub(super) holds: Vec<(HeldRow, bool)>,
    pub(super) last_pass: Option<Pass>,
    members: Vec<Membership>,
    known: Known,
}

/// Writes of a record by field.
type Writes = BTreeMap<String, BTreeMap<String, Written>>;

/// What is known of the members' values.
struct Known {
    copies: HashMap<String, Record>,
    writes: Writes,
    is_fresh: bool,
}

/// A row with its flow and both of its records' names.
struct Carried<'s> {
    flow: &'s Flow,
    row: RecordRow,
    source: String,
    target: Option<String>,
}

fn failed(error: handover_store::Error) -> Vec<Problem> {
    vec![failure::store(&error)]
}

fn called(end: &End, record: &RecordId) -> String {
    format!("{}.{}/{record}", end.system, end.object)
}

impl Card {
    pub(super) async fn of(session: &Session, store: &Store, found: &Found, fresh: bool) -> Result<Self, Vec<Problem>> {
        let mut carried = Vec::new();
        for (name, record) in &found.rows {
            let Some(flow) = session.project.flow(name) else { continue };
            let rows = store.rows(name, std::slice::from_ref(record)).await.map_err(failed)?;
            carried.extend(rows.into_values().map(|row| Carried {
                source: called(&flow.source, &row.record),
                target: row.target.as_ref().map(|target| called(&flow.target, target)),
                flow,
                row,
            }));
        }
        let mut writes = Writes::new();
        for one in &carried {
            told(store, one, &mut writes).await?;
        }
        let copies = copies(session, store, found, fresh).await?;
        let known = Known { copies, writes, is_fresh: fresh };
        let mut holds = Vec::new();
        for (flow, record) in names_of_holds(found, &carried) {
            let filter = HoldFilter { flow: Some(flow), record: Some(record), ..HoldFilter::default() };
            holds.extend(queue::rows(store, &filter).await?);
        }
        let passes = store.passes().await.map_err(failed)?;
        Ok(Self {
            title: title_of(store, found).await?,
            parts: parts(&carried, &known),
            holds,
            last_pass: passes.into_iter().next_back(),
            members: found.members.clone(),
            known,
        })
    }

    /// Fields of source records that ways back wrote: record, field, write.
    pub(super) fn written_back(&self) -> Vec<(&str, &str, &Written)> {
        let all = self.known.writes.iter().flat_map(|(record, fields)| {
            fields.iter().map(move |(field, written)| (record.as_str(), field.as_str(), written))
        });
        all.filter(|(_, _, written)| forth_of(&written.flow).is_some()).collect()
    }

    /// Members that no flow of the project carries.
    pub(super) fn lone(&self) -> BTreeSet<String> {
        let shown: BTreeSet<&String> =
            self.parts.iter().flat_map(|part| part.sources.iter().chain([&part.target])).collect();
        self.members.iter().map(name).filter(|name| !shown.contains(name)).collect()
    }

    pub(super) fn json(&self) -> Json {
        let members: Vec<Json> = self
            .members
            .iter()
            .map(|member| {
                let (system, object, record) = (&member.system, &member.object, &member.record);
                let read = if self.known.is_fresh { "now" } else { "last_reading" };
                let read = self.known.copies.contains_key(&name(member)).then_some(read);
                json!({"system": system, "object": object, "record": record, "state": member.state, "read": read})
            })
            .collect();
        let fields: Vec<Json> =
            self.parts.iter().flat_map(|part| part.lines.iter().map(|line| line.json(part))).collect();
        let back: Vec<Json> = self
            .written_back()
            .into_iter()
            .map(|(record, field, written)| json!({"record": record, "field": field, "written": written.json()}))
            .collect();
        let pass = self.last_pass.as_ref().map(|pass| {
            json!({"pass": pass.id, "kind": pass.kind, "status": pass.status, "ended": pass.ended.map(|at| at.to_string())})
        });
        json!({
            "title": self.title,
            "members": members,
            "fields": fields,
            "written_back": back,
            "holds": self.holds.iter().map(held_json).collect::<Vec<_>>(),
            "last_pass": pass,
        })
    }
}

impl Line {
    fn json(&self, part: &Part) -> Json {
        let sources: serde_json::Map<String, Json> = part
            .sources
            .iter()
            .zip(&self.sources)
            .filter_map(|(name, cell)| Some((name.clone(), cell.as_ref()?.value.clone())))
            .collect();
        json!({
            "record": part.is_there.then_some(&part.target),
            "field": self.field,
            "value": self.target.value,
            "sources": sources,
            "rules": self.rules,
            "written": self.target.written.as_ref().map(Written::json),
        })
    }
}

impl Written {
    fn json(&self) -> Json {
        json!({"flow": self.flow, "from": self.from, "at": self.at.to_string(), "pass": self.pass, "row": self.seq})
    }
}

impl Known {
    /// The newest that is known of a field: as it was read, or as it was written since.
    fn cell(&self, record: &str, field: &FieldName) -> Cell {
        let written = self.writes.get(record).and_then(|fields| fields.get(field.as_str())).cloned();
        let copy = self.copies.get(record);
        let read = copy.and_then(|copy| copy.fields.get(field.as_str())).map(plain::value);
        let newer = |written: &&Written| match copy {
            Some(_) if self.is_fresh => false,
            Some(copy) => copy.modified.is_none_or(|modified| modified < written.at),
            None => true,
        };
        let value = match written.as_ref().filter(newer) {
            Some(written) => written.value.clone(),
            None => read.unwrap_or(Json::Null),
        };
        Cell { value, written }
    }

    /// What a rule reads of a source record; nothing where an expression makes it.
    fn sources(&self, record: &str, from: &From) -> Option<Cell> {
        let From::Fields(names) = from else { return None };
        let id = record.split_once('/').map_or(record, |(_, id)| id);
        let cells = names.iter().map(|name| match name.as_str() {
            "id" => Cell { value: json!(id), written: None },
            _ => self.cell(record, name),
        });
        // Of several fields the first that says something is taken.
        let mut cells: Vec<Cell> = cells.collect();
        let said = cells.iter().position(|cell| !cell.value.is_null()).unwrap_or(0);
        (said < cells.len()).then(|| cells.swap_remove(said))
    }
}

/// The target records, each with what flows into it.
fn parts(carried: &[Carried<'_>], known: &Known) -> Vec<Part> {
    let place = |one: &Carried<'_>| {
        let none = || format!("{}.{}: none", one.flow.target.system, one.flow.target.object);
        (one.target.is_some(), one.target.clone().unwrap_or_else(none))
    };
    let targets: BTreeSet<(bool, String)> = carried.iter().map(place).collect();
    let part = |(is_there, target): (bool, String)| {
        let into: Vec<&Carried<'_>> = carried.iter().filter(|one| place(one).1 == target).collect();
        let mut fields: Vec<&FieldName> = Vec::new();
        for rule in into.iter().flat_map(|one| &one.flow.rules) {
            if !fields.contains(&&rule.target) {
                fields.push(&rule.target);
            }
        }
        let line = |field: &FieldName| {
            let mut rules = BTreeMap::new();
            let sources = into
                .iter()
                .map(|one| {
                    let rule = one.flow.rules.iter().find(|rule| rule.target == *field)?;
                    rules.insert(one.flow.name.clone(), rule_in_words(rule));
                    known.sources(&one.source, &rule.from)
                })
                .collect();
            Line { field: field.clone(), target: known.cell(&target, field), sources, rules }
        };
        let lines = fields.into_iter().map(line).collect();
        Part { is_there, sources: into.iter().map(|one| one.source.clone()).collect(), lines, target }
    };
    targets.into_iter().map(part).collect()
}

/// What the ledger tells of a pair's confirmed writes.
async fn told(store: &Store, one: &Carried<'_>, writes: &mut Writes) -> Result<(), Vec<Problem>> {
    let mut decided: HashMap<FlowName, Json> = HashMap::new();
    for told in store.story(&one.flow.name, &one.row.record).await.map_err(failed)? {
        let (Some(flow), Some(values)) = (told.flow, told.values) else { continue };
        match told.kind.as_str() {
            "decided" => drop(decided.insert(flow, values["write"].clone())),
            "confirmed" => {
                let Some(Json::Object(fields)) = decided.remove(&flow) else { continue };
                let target = values["target"].as_str().map(|id| called(&one.flow.target, &RecordId::from(id)));
                let Some(target) = one.target.clone().or(target) else { continue };
                let back = forth_of(&flow).is_some();
                let (to, from) = if back { (&one.source, &target) } else { (&target, &one.source) };
                for (field, value) in fields {
                    let known = writes.entry(to.clone()).or_default();
                    if known.get(&field).is_none_or(|known| known.seq < told.seq) {
                        let (flow, from) = (flow.clone(), from.clone());
                        let (at, pass, seq) = (told.at, told.pass, told.seq);
                        known.insert(field, Written { flow, at, pass, seq, from, value });
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The members as they were read last, or as they are now.
async fn copies(
    session: &Session,
    store: &Store,
    found: &Found,
    fresh: bool,
) -> Result<HashMap<String, Record>, Vec<Problem>> {
    let mut copies = HashMap::new();
    for member in &found.members {
        let ids = std::slice::from_ref(&member.record);
        let copy = match session.systems.get(&member.system).filter(|_| fresh) {
            Some(system) => {
                let fault = |fault: handover_connect::Fault| vec![failure::system(&member.system, &fault)];
                let schema = system.describe(&member.object).await.map_err(fault)?;
                let listed = schema.fields.iter().filter(|field| matches!(field.read, ReadCost::Listed));
                let fields: Arc<[FieldName]> = listed.map(|field| field.name.clone()).collect();
                let found = system.fetch(&member.object, &fields, ids).await.map_err(fault)?;
                found.into_iter().find(|record| !record.gone)
            }
            None => {
                let copies = store.last_copies(&member.system, &member.object, ids).await.map_err(failed)?;
                copies.into_values().next()
            }
        };
        copies.extend(copy.map(|copy| (name(member), copy)));
    }
    Ok(copies)
}

/// Under which names holds of a customer stand: those of its flows, and those of their ways back.
fn names_of_holds(found: &Found, carried: &[Carried<'_>]) -> BTreeSet<(FlowName, RecordId)> {
    let mut names: BTreeSet<(FlowName, RecordId)> = found.rows.iter().cloned().collect();
    for one in carried {
        names.extend(one.row.target.clone().map(|target| (back_of(&one.flow.name), target)));
    }
    names
}
