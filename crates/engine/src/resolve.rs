//! Users and links of mapped values become the target's ids, or the reason why they cannot.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use handover_model::{Answer, Cause, FieldName, Fields, FlowName, Kind, Outcome, Record, RecordId, Side, Value};
use handover_store::{Fate, GivenAnswer, PendingLink, RecordRow};

use crate::Error;
use crate::base::OpenLink;
use crate::pairing::source_key;
use crate::pass::Pass;
use crate::setup::Ready;
use crate::transform::{Mapped, State, forth_of};
use crate::write::UNSTAGED;

/// The parents that the records of a block point to.
pub(crate) struct Parents {
    rows: HashMap<FlowName, HashMap<RecordId, RecordRow>>,
    /// Flows of parents that may not have been read: what is not known of them is not left out.
    stopped: BTreeSet<FlowName>,
    /// Parents that wait for their cohort: what points to them is linked once they are there.
    waiting: HashMap<FlowName, HashSet<RecordId>>,
    /// Parents whose counterparts are missed: what points to them is linked once those are there again.
    missed: HashMap<FlowName, HashSet<RecordId>>,
}

/// Parents as a record sees them that points to them.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'p> {
    parents: &'p Parents,
    /// Whether the record was carried before: its links to records that are in the target wait for nothing.
    again: bool,
}

impl Parents {
    /// As a new record sees them.
    pub(crate) fn at_first(&self) -> Seen<'_> {
        Seen { parents: self, again: false }
    }

    /// As a record sees them that was carried before.
    pub(crate) fn again(&self) -> Seen<'_> {
        Seen { parents: self, again: true }
    }

    /// The target ids of a rule's links whose parents are in the target.
    pub(crate) fn targets(&self, ready: &Ready, rule: usize, ids: &[String]) -> Vec<String> {
        let Some(rows) = ready.links.get(&rule).and_then(|link| self.rows.get(&link.flow)) else { return Vec::new() };
        ids.iter()
            .filter_map(|id| rows.get(id.as_str()))
            .filter(|row| row.outcome.is_paired())
            .filter_map(|row| row.target.as_ref().map(ToString::to_string))
            .collect()
    }
}

/// Mapped values with users and links resolved, and what stands in the way.
#[derive(Default)]
pub(crate) struct Resolved {
    pub(crate) fields: Fields,
    /// Links to records that are not in the target yet.
    pub(crate) links: Vec<PendingLink>,
    /// By rule and target id: the source record that is linked.
    pub(crate) found: HashMap<(usize, String), RecordId>,
    pub(crate) causes: Vec<(Cause, Option<Value>)>,
    pub(crate) dropped: Vec<String>,
    /// Of these, the records of which nothing is known.
    pub(crate) unknown: Vec<RecordId>,
}

impl Pass {
    /// The rows of all records that these point to.
    pub(crate) async fn parents<'m>(
        &self,
        ready: &Ready,
        mapped: impl Iterator<Item = &'m [Mapped]>,
    ) -> Result<Parents, Error> {
        let mut wanted: HashMap<FlowName, Vec<RecordId>> = HashMap::new();
        for value in mapped.flatten() {
            if let (State::Links(ids), Some(link)) = (&value.state, ready.links.get(&value.rule)) {
                wanted.entry(link.flow.clone()).or_default().extend(ids.iter().map(|id| RecordId::from(id.as_str())));
            }
        }
        let mut rows = HashMap::new();
        let (mut waiting, mut missed) = (HashMap::new(), HashMap::new());
        for (flow, mut ids) in wanted {
            ids.sort();
            ids.dedup();
            if self.has_cohorts {
                let placed = self.place.store.cohorts_of(&flow, &ids).await?;
                let placed = placed.into_values().filter(|row| row.waits);
                waiting.insert(flow.clone(), placed.map(|row| row.record).collect());
            }
            let (found, away) = self.known_parents(&flow, &ids).await?;
            missed.insert(flow.clone(), away);
            rows.insert(flow, found);
        }
        Ok(Parents { rows, stopped: self.setup.drift.stopped.keys().cloned().collect(), waiting, missed })
    }

    /// What is known of parents, and which of them have counterparts that are missed.
    pub(crate) async fn known_parents(
        &self,
        flow: &FlowName,
        ids: &[RecordId],
    ) -> Result<(HashMap<RecordId, RecordRow>, HashSet<RecordId>), Error> {
        let mut found = self.place.store.rows(flow, ids).await?;
        if let Some(forth) = forth_of(flow) {
            found.extend(self.pairs_turned(flow, &forth, ids).await?);
        }
        let missed = self.missed_parents(flow, &found).await?;
        Ok((found, missed))
    }

    /// Those of these parents whose counterparts are missed: no platform links with what is gone.
    async fn missed_parents(
        &self,
        flow: &FlowName,
        rows: &HashMap<RecordId, RecordRow>,
    ) -> Result<HashSet<RecordId>, Error> {
        let there: Vec<RecordId> = rows.values().filter_map(|row| row.target.clone()).collect();
        let missed = match forth_of(flow) {
            None => self.place.store.vanished_among(flow, Side::Target, &there).await?,
            Some(forth) => self.place.store.vanished_among(&forth, Side::Source, &there).await?,
        };
        let missed: HashSet<RecordId> =
            missed.into_iter().filter(|gone| gone.fate < Fate::Deleted).map(|gone| gone.record).collect();
        let is_missed = |row: &&RecordRow| row.target.as_ref().is_some_and(|target| missed.contains(target));
        Ok(rows.values().filter(is_missed).map(|row| row.record.clone()).collect())
    }

    /// The pairs of a flow as its way back sees them.
    async fn pairs_turned(
        &self,
        back: &FlowName,
        forth: &FlowName,
        ids: &[RecordId],
    ) -> Result<impl Iterator<Item = (RecordId, RecordRow)>, Error> {
        let pairs = self.place.store.sources_of_flow(forth, ids).await?;
        let back = back.clone();
        let row = move |(record, target): (RecordId, RecordId)| {
            let row = RecordRow {
                flow: back.clone(),
                record: record.clone(),
                outcome: Outcome::Unchanged,
                identity: None,
                target: Some(target),
                digest: None,
                base: None,
                mapped: None,
                block: UNSTAGED,
                written: None,
                last_entry: None,
            };
            (record, row)
        };
        Ok(pairs.into_iter().map(row))
    }

    /// Users and links of mapped values become the target's ids.
    pub(crate) fn resolve(
        &self,
        ready: &Ready,
        record: &Record,
        mapped: Vec<Mapped>,
        answers: &[GivenAnswer],
        parents: Seen<'_>,
    ) -> Resolved {
        let mut resolved = Resolved::default();
        // By the place of their names, in which order they are put together.
        let mut values: Vec<Option<(FieldName, Value)>> = Vec::new();
        values.resize_with(mapped.len(), || None);
        for one in mapped {
            let (rule, target) = (one.rule, one.target.clone());
            let found = self.resolve_one(ready, record, one, answers, parents, &mut resolved);
            let place = ready.program.place(rule).and_then(|place| values.get_mut(place));
            if let (Some(found), Some(place)) = (found, place) {
                *place = Some((target, found));
            }
        }
        resolved.fields = Fields::with_capacity(values.len() + 1);
        for (name, value) in values.into_iter().flatten() {
            resolved.fields.set(name, value);
        }
        if let Some(key) = &ready.flow.key {
            let source = &ready.flow.source;
            resolved.fields.set(key.clone(), source_key(&source.system, &source.object, &record.id).into());
        }
        resolved
    }

    /// What one rule made of a record; what stands in its way is among the causes.
    pub(crate) fn resolve_one(
        &self,
        ready: &Ready,
        record: &Record,
        Mapped { rule, target, state }: Mapped,
        answers: &[GivenAnswer],
        parents: Seen<'_>,
        resolved: &mut Resolved,
    ) -> Option<Value> {
        let edited = answers.iter().rev().find_map(|given| match &given.answer {
            Answer::Edit { field, value: edited, of } if *field == target && counts(of.as_deref(), &state) => {
                Some(edited.clone())
            }
            _ => None,
        });
        match (edited, state) {
            (Some(edited), _) => Some(edited),
            (None, State::Absent) => None,
            (None, State::Value(found)) => Some(self.target_user(ready, &target, found)),
            (None, State::Problem(cause, found)) => {
                resolved.causes.push((cause, found));
                None
            }
            (None, State::User(user)) => self.resolve_user(ready, &target, &user, resolved),
            (None, State::Links(ids)) => resolve_links(ready, record, rule, &target, &ids, parents, resolved),
        }
    }

    /// A user that the project itself names, by address or id, as the target's id.
    fn target_user(&self, ready: &Ready, target: &FieldName, value: Value) -> Value {
        let is_user = ready.users.contains(target);
        let known = if is_user {
            value.as_text().and_then(|user| self.setup.people.known(&ready.flow.target.system, user))
        } else {
            None
        };
        known.map_or(value, |id| Value::from(id.as_str()))
    }

    fn resolve_user(&self, ready: &Ready, target: &FieldName, user: &str, resolved: &mut Resolved) -> Option<Value> {
        let (source, to) = (&ready.flow.source.system, &ready.flow.target.system);
        let people = &self.setup.people;
        let found = match &ready.forth {
            None => people.counterpart(source, user, to),
            Some(_) => people.counterpart_back(source, user, to),
        };
        let found = found.map(|id| id.as_str().into());
        if found.is_none() {
            let label = self.setup.people.label(source, user);
            let cause = Cause::UnknownUser { field: target.clone(), user: user.to_owned(), label };
            resolved.causes.push((cause, Some(user.into())));
        }
        found
    }

    /// Required fields of a new record that have no value.
    pub(crate) fn missing(&self, ready: &Ready, resolved: &mut Resolved) {
        for name in &ready.required {
            let there = resolved.fields.get(name.as_str()).is_some_and(|value| !value.is_blank());
            let explained = resolved.causes.iter().any(|(cause, _)| cause.field() == Some(name));
            if !there && !explained {
                resolved.causes.push((Cause::Missing { field: name.clone() }, None));
            }
        }
    }
}

/// Options that belong to another field's option (a stage to its pipeline) and stand beside a different one.
pub(crate) fn misplaced(ready: &Ready, resolved: &mut Resolved) {
    let mut causes = Vec::new();
    for (name, value) in resolved.fields.iter().filter(|(name, _)| ready.nested.contains(name)) {
        let Some(within) = option_of(ready, name, value).and_then(|option| option.within.as_deref()) else { continue };
        let Some(other) = outer(ready, name) else { continue };
        let beside = resolved.fields.get(other.as_str()).and_then(Value::as_text);
        if beside.is_some_and(|beside| beside != within) {
            let rule = format!("the option does not belong to the `{other}` beside it");
            causes.push((Cause::Invalid { field: name.clone(), rule }, Some(value.clone())));
        }
    }
    resolved.causes.extend(causes);
}

/// Whether a value that a person gave still counts: the source says what it said when they gave it.
fn counts(of: Option<&Value>, state: &State) -> bool {
    let Some(of) = of else { return true };
    match state {
        State::Problem(_, found) => found.as_ref() == Some(of),
        State::Value(found) => found == of,
        State::Absent => false,
        State::User(_) | State::Links(_) => true,
    }
}

/// The field to whose options the options of another field belong: the pipeline of a stage.
pub(crate) fn outer<'r>(ready: &'r Ready, name: &FieldName) -> Option<&'r FieldName> {
    let Kind::Choice { options, .. } = &ready.target_field(name)?.kind else { return None };
    let within = options.iter().find_map(|option| option.within.as_deref())?;
    let holds = |kind: &Kind| matches!(kind, Kind::Choice { options, .. } if options.iter().any(|option| option.value == within));
    ready.target.fields.iter().find(|field| field.name != *name && holds(&field.kind)).map(|field| &field.name)
}

fn option_of<'r>(ready: &'r Ready, name: &FieldName, value: &Value) -> Option<&'r handover_model::Choice> {
    match &ready.target_field(name)?.kind {
        Kind::Choice { options, many: false } => {
            options.iter().find(|option| Some(option.value.as_str()) == value.as_text())
        }
        _ => None,
    }
}

/// Links whose parents are in the target become its ids, those of held parents hold the record, those of
/// parents that are left out are left out.
fn resolve_links(
    ready: &Ready,
    record: &Record,
    rule: usize,
    target: &FieldName,
    ids: &[String],
    Seen { parents, again }: Seen<'_>,
    resolved: &mut Resolved,
) -> Option<Value> {
    let link = ready.links.get(&rule)?;
    let later = link.deferred || ready.flow.rules.get(rule).is_some_and(|rule| rule.later);
    let [waiting, missed] = [&parents.waiting, &parents.missed].map(|flows| flows.get(&link.flow));
    let waits = |parent: &RecordId| waiting.is_some_and(|waiting| waiting.contains(parent));
    let is_optional = !ready.required.contains(target);
    let many = ready.target_field(target).is_some_and(|field| matches!(field.kind, Kind::Reference { many: true, .. }));
    // Several links of a pair are judged one by one (`link_sets.rs`).
    let is_missed = |parent: &RecordId| !(again && many) && missed.is_some_and(|missed| missed.contains(parent));
    let none = HashMap::new();
    let rows = parents.rows.get(&link.flow).unwrap_or(&none);
    let mut there = Vec::new();
    for id in ids {
        let parent = RecordId::from(id.as_str());
        let row = rows.get(&parent);
        let pending = || PendingLink {
            flow: ready.flow.name.clone(),
            record: record.id.clone(),
            field: target.as_str().to_owned(),
            parent_flow: link.flow.clone(),
            parent: parent.clone(),
            gone: false,
        };
        match row.map(|row| (row.outcome, row.target.as_ref())) {
            Some((outcome, Some(_))) if outcome.is_paired() && is_optional && is_missed(&parent) => {
                resolved.links.push(pending());
            }
            Some((outcome, Some(found))) if outcome.is_paired() && (again || !link.deferred) => {
                resolved.found.insert((rule, found.as_str().to_owned()), parent);
                there.push(Value::from(found.as_str()));
            }
            Some((Outcome::Skipped | Outcome::Excluded, _)) => {
                resolved.dropped.push(format!("{target}: {id} was left out"));
            }
            _ if later => resolved.links.push(pending()),
            None if waits(&parent) && is_optional => resolved.links.push(pending()),
            None if !waits(&parent) && !parents.stopped.contains(&link.flow) => {
                resolved.dropped.push(format!("{target}: {id} is not among the records of `{}`", link.flow));
                resolved.unknown.push(parent);
            }
            Some(_) | None => {
                let cause = Cause::ParentHeld { field: target.clone(), flow: link.flow.clone(), parent };
                resolved.causes.push((cause, Some(Value::from(id.as_str()))));
            }
        }
    }
    match there.len() {
        0 => None,
        _ if many => Some(Value::List(there)),
        _ => Some(there.swap_remove(0)),
    }
}

/// The fields without the links that are written in calls of their own, and these links: those to be added, and those
/// to be taken away of a record that has `have` already, each as it stays open until then. Where there are none the
/// fields stay shared.
pub(crate) fn split_links(
    ready: &Ready,
    record: &RecordId,
    fields: &Arc<Fields>,
    found: &HashMap<(usize, String), RecordId>,
    have: Option<&Fields>,
) -> (Arc<Fields>, Vec<PendingLink>, Vec<OpenLink>) {
    let mut fields = fields.clone();
    let (mut links, mut open) = (Vec::new(), Vec::new());
    for (rule, link) in &ready.links {
        let separate = if have.is_some() { link.separate_on_update } else { link.separate };
        let target = &ready.flow.rules[*rule].target;
        if separate.is_none() || fields.get(target.as_str()).is_none() {
            continue;
        }
        let Some(value) = Arc::make_mut(&mut fields).remove(target.as_str()) else { continue };
        let pending = |flow: &FlowName, parent: RecordId, gone: bool| PendingLink {
            flow: ready.flow.name.clone(),
            record: record.clone(),
            field: target.as_str().to_owned(),
            parent_flow: flow.clone(),
            parent,
            gone,
        };
        let (wanted, there) =
            (value.ids(), have.and_then(|have| have.get(target.as_str())).map(Value::ids).unwrap_or_default());
        // What the target had already needs no call.
        for id in wanted.iter().filter(|id| !there.contains(id)) {
            let Some(parent) = found.get(&(*rule, (*id).to_owned())) else { continue };
            links.push(pending(&link.flow, parent.clone(), false));
            open.push(OpenLink { field: target.clone(), id: (*id).to_owned(), gone: false });
        }
        for id in there.iter().filter(|id| !wanted.contains(id)) {
            links.push(pending(&ready.flow.name, RecordId::from(*id), true));
            open.push(OpenLink { field: target.clone(), id: (*id).to_owned(), gone: true });
        }
    }
    (fields, links, open)
}
