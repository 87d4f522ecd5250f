//! Judging: what is to become of each record of a block. Reads the state, writes nothing.

use std::collections::HashMap;
use std::sync::Arc;

use handover_model::{Answer, Cause, FieldName, Fields, FlowName, Hold, Kind, Outcome, Record, RecordId, Value};
use handover_store::{GivenAnswer, PendingLink, RecordRow};

use crate::Error;
use crate::merge::merge;
use crate::pairing::{Paired, Pairing, source_key};
use crate::pass::Pass;
use crate::setup::Ready;
use crate::title::title;
use crate::trail::Trail;
use crate::transform::{Mapped, State};

/// A record with its staged place.
#[derive(Clone)]
pub(crate) struct Staged {
    pub(crate) record: Record,
    pub(crate) block: i64,
}

/// What is to become of a record.
pub(crate) struct Judged {
    pub(crate) record: RecordId,
    pub(crate) title: String,
    pub(crate) block: i64,
    /// The record's identity, when it has one already.
    pub(crate) identity: Option<i64>,
    /// Whether it was held already.
    pub(crate) was_held: bool,
    pub(crate) decision: Decision,
    /// What the ledger tells of it.
    pub(crate) trail: Trail,
    /// The mapped values, for the ledger.
    pub(crate) mapped: Fields,
    /// Digest of the mapped values.
    pub(crate) digest: [u8; 16],
    /// What the target says of the mapped fields once this is written.
    pub(crate) base: Vec<u8>,
    /// Links for the second step.
    pub(crate) links: Vec<PendingLink>,
}

/// The decision.
pub(crate) enum Decision {
    /// Kept out, for these causes.
    Hold(Vec<Hold>),
    /// Left out by a person's answer.
    Skip,
    /// Merged by a person's answer into another record's target.
    Merge(RecordId),
    /// Paired, and nothing to write.
    Unchanged(RecordId),
    /// A new record.
    Create(Fields),
    /// An existing record gets these fields.
    Update(RecordId, Fields),
}

/// The parents that the records of a block point to.
pub(crate) struct Parents(HashMap<FlowName, HashMap<RecordId, RecordRow>>);

impl Parents {
    /// The target ids of a rule's links whose parents are in the target.
    pub(crate) fn targets(&self, ready: &Ready, rule: usize, ids: &[String]) -> Vec<String> {
        let Some(rows) = ready.links.get(&rule).and_then(|link| self.0.get(&link.flow)) else { return Vec::new() };
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
    links: Vec<PendingLink>,
    /// By rule and target id: the source record that is linked.
    found: HashMap<(usize, String), RecordId>,
    causes: Vec<(Cause, Option<Value>)>,
    dropped: Vec<String>,
}

impl Pass<'_> {
    /// Judges records that are in the flow's scope and not settled yet.
    pub(crate) async fn judge(
        &self,
        ready: &Arc<Ready>,
        pairing: &Pairing,
        staged: Vec<Staged>,
    ) -> Result<Vec<Judged>, Error> {
        let flow = &ready.flow.name;
        let ids: Vec<RecordId> = staged.iter().map(|staged| staged.record.id.clone()).collect();
        let mut rows = self.place.store.rows(flow, &ids).await?;
        let mut answers = self.place.store.answers(flow, &ids).await?;
        let unknown = self.unknown_outcomes(flow, rows.values()).await?;
        let mut open = Vec::new();
        let mut judged = Vec::new();
        for staged in staged {
            let row = rows.remove(&staged.record.id);
            if row.as_ref().is_some_and(|row| !matches!(row.outcome, Outcome::Held | Outcome::Pending)) {
                continue;
            }
            if unknown.contains(&staged.record.id) {
                let causes = vec![(Cause::OutcomeUnknown, None)];
                judged.push(self.held(ready, &staged, row.as_ref(), causes, Trail::new()));
                continue;
            }
            match ready.program.in_scope(&staged.record) {
                Ok(true) => {
                    let mapped = ready.program.apply(&staged.record);
                    let answers = answers.remove(&staged.record.id).unwrap_or_default();
                    open.push((staged, row, mapped, answers));
                }
                Ok(false) => {}
                Err(message) => {
                    let cause = Cause::Expression { field: FieldName::from("where"), message };
                    judged.push(self.held(ready, &staged, row.as_ref(), vec![(cause, None)], Trail::new()));
                }
            }
        }
        let parents = self.parents(ready, open.iter().map(|(_, _, mapped, _)| mapped.as_slice())).await?;
        let undecided: Vec<&Record> = open.iter().map(|(staged, ..)| &staged.record).collect();
        let pairs = pairing.pair(&self.place.store, &undecided).await?;
        for ((staged, row, mapped, answers), paired) in open.into_iter().zip(pairs) {
            judged.push(self.decide(ready, staged, row, mapped, &answers, paired, &parents).await?);
        }
        Ok(judged)
    }

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
        for (flow, mut ids) in wanted {
            ids.sort();
            ids.dedup();
            let found = self.place.store.rows(&flow, &ids).await?;
            rows.insert(flow, found);
        }
        Ok(Parents(rows))
    }

    /// Claims a target record for a source record; gives the other source record that has it already, in the
    /// state or earlier in this pass. Two source records never end silently on one target record.
    async fn claim(&self, ready: &Ready, record: &RecordId, target: &RecordId) -> Result<Option<RecordId>, Error> {
        let flow = &ready.flow.name;
        let settled = self.place.store.sources_of_flow(flow, std::slice::from_ref(target)).await?;
        if let Some(other) = settled.get(target).filter(|other| *other != record) {
            return Ok(Some(other.clone()));
        }
        let mut claims = self.claims.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let holder = claims.entry((flow.clone(), target.clone())).or_insert_with(|| record.clone());
        Ok((holder != record).then(|| holder.clone()))
    }

    #[expect(clippy::too_many_arguments, reason = "one record's whole case, used once")]
    async fn decide(
        &self,
        ready: &Arc<Ready>,
        staged: Staged,
        row: Option<RecordRow>,
        mapped: Vec<Mapped>,
        answers: &[GivenAnswer],
        paired: Paired,
        parents: &Parents,
    ) -> Result<Judged, Error> {
        if answers.iter().any(|given| matches!(given.answer, Answer::Skip)) {
            return Ok(self.judged(ready, &staged, row.as_ref(), Decision::Skip, Trail::new(), Carried::default()));
        }
        let mut resolved = self.resolve(ready, &staged.record, mapped, answers, parents);
        let paired = self.answered(ready, answers, paired, &mut resolved).await?;
        let (target, by) = match paired {
            Paired::Held(cause) => {
                resolved.causes.push((cause, None));
                (None, None)
            }
            Paired::New => (None, None),
            Paired::With { target, block, by } => {
                if let Some(other) = self.claim(ready, &staged.record.id, &target).await? {
                    let cause = Cause::DuplicateSource { key: by.clone(), others: vec![other] };
                    resolved.causes.push((cause, None));
                }
                (Some((target, block)), Some(by))
            }
        };
        if let Some(Answer::MergeInto { record }) =
            answers.iter().rev().map(|given| &given.answer).find(|answer| matches!(answer, Answer::MergeInto { .. }))
        {
            let other = self.place.store.targets_of_flow(&ready.flow.name, std::slice::from_ref(record)).await?;
            if let Some(target) = other.get(record) {
                let mut trail = Trail::new();
                trail.tell("merged_into", &record.as_str());
                let decision = Decision::Merge(target.clone());
                return Ok(self.judged(ready, &staged, row.as_ref(), decision, trail, Carried::of(resolved.fields)));
            }
        }
        if target.is_none() {
            self.missing(ready, &mut resolved);
        }
        misplaced(ready, &mut resolved);
        let mut trail = Trail::new();
        trail.all("source", &staged.record.fields);
        trail.tell("match", &by);
        if !resolved.dropped.is_empty() {
            trail.tell("links_left_out", &resolved.dropped);
        }
        if !resolved.causes.is_empty() {
            trail.all("mapped", &resolved.fields);
            return Ok(self.held(ready, &staged, row.as_ref(), resolved.causes, trail));
        }
        self.settle(ready, staged, row, target, resolved, trail).await
    }

    /// Create, update, or nothing to do.
    async fn settle(
        &self,
        ready: &Arc<Ready>,
        staged: Staged,
        row: Option<RecordRow>,
        target: Option<(RecordId, i64)>,
        resolved: Resolved,
        mut trail: Trail,
    ) -> Result<Judged, Error> {
        let Some((target, block)) = target else {
            let (fields, links) = split_links(ready, &staged.record.id, &resolved, false);
            return Ok(self.judged(
                ready,
                &staged,
                row.as_ref(),
                Decision::Create(fields),
                trail,
                Carried { fields: resolved.fields, links },
            ));
        };
        let Some(there) = self.target_record(ready, &target, block).await? else {
            let causes = vec![(Cause::TargetGone { target }, None)];
            return Ok(self.held(ready, &staged, row.as_ref(), causes, trail));
        };
        let merged = merge(ready, &staged.record, &resolved.fields, &there);
        trail.all("before", &merged.before);
        let wanted =
            Resolved { fields: merged.write, links: resolved.links, found: resolved.found, ..Resolved::default() };
        let (fields, links) = split_links(ready, &staged.record.id, &wanted, true);
        let decision = if fields.is_empty() { Decision::Unchanged(target) } else { Decision::Update(target, fields) };
        let mut judged =
            self.judged(ready, &staged, row.as_ref(), decision, trail, Carried { fields: resolved.fields, links });
        let mut after = there.fields;
        for (name, value) in wanted.fields {
            after.set(name, value);
        }
        judged.base = crate::base::encode(&ready.target, &after);
        Ok(judged)
    }

    /// The target record as it was staged; fetched when it was not (a person chose it).
    async fn target_record(&self, ready: &Ready, target: &RecordId, block: i64) -> Result<Option<Record>, Error> {
        let end = &ready.flow.target;
        if block >= 0 {
            let records = self.place.store.block(&end.system, &end.object, block).await?;
            if let Some(record) = records.iter().find(|record| record.id == *target) {
                return Ok(Some(record.clone()));
            }
        }
        let fields: Arc<[FieldName]> = ready.flow.rules.iter().map(|rule| rule.target.clone()).collect();
        let found = self
            .setup
            .project
            .system(&end.system)?
            .fetch(&end.object, &fields, std::slice::from_ref(target))
            .await
            .map_err(|fault| Error::system(&end.system, fault))?;
        Ok(found.into_iter().next())
    }

    /// People's answers to the question of who the counterpart is.
    async fn answered(
        &self,
        ready: &Ready,
        answers: &[GivenAnswer],
        paired: Paired,
        resolved: &mut Resolved,
    ) -> Result<Paired, Error> {
        for given in answers.iter().rev() {
            match &given.answer {
                Answer::Choose { target } => {
                    return Ok(Paired::With {
                        target: target.clone(),
                        block: -1,
                        by: format!("{}'s choice", given.reviewer),
                    });
                }
                Answer::Create => return Ok(Paired::New),
                Answer::Edit { field, value } => {
                    if ready.target.field(field.as_str()).is_none() {
                        let rule = "the edited field does not exist".to_owned();
                        resolved.causes.push((Cause::Invalid { field: field.clone(), rule }, Some(value.clone())));
                    }
                }
                Answer::Translate { .. }
                | Answer::Assign { .. }
                | Answer::MergeInto { .. }
                | Answer::Skip
                | Answer::Accept
                | Answer::Retry => {}
            }
        }
        Ok(paired)
    }

    /// Users and links of mapped values become the target's ids.
    pub(crate) fn resolve(
        &self,
        ready: &Ready,
        record: &Record,
        mapped: Vec<Mapped>,
        answers: &[GivenAnswer],
        parents: &Parents,
    ) -> Resolved {
        let mut resolved = Resolved::default();
        for value in mapped {
            let edited = answers.iter().rev().find_map(|given| match &given.answer {
                Answer::Edit { field, value: edited } if *field == value.target => Some(edited.clone()),
                _ => None,
            });
            if let Some(edited) = edited {
                resolved.fields.set(value.target, edited);
                continue;
            }
            match value.state {
                State::Absent => {}
                State::Value(found) => {
                    let found = self.target_user(ready, &value.target, found);
                    resolved.fields.set(value.target, found);
                }
                State::Problem(cause, found) => resolved.causes.push((cause, found)),
                State::User(user) => self.resolve_user(ready, value.target, &user, &mut resolved),
                State::Links(ids) => {
                    resolve_links(ready, record, value.rule, &value.target, &ids, parents, &mut resolved)
                }
            }
        }
        if let Some(key) = &ready.flow.key {
            let source = &ready.flow.source;
            resolved.fields.set(key.clone(), source_key(&source.system, &source.object, &record.id).into());
        }
        resolved
    }

    /// A user that the project itself names, by address or id, as the target's id.
    fn target_user(&self, ready: &Ready, target: &FieldName, value: Value) -> Value {
        let is_user = ready.target.field(target.as_str()).is_some_and(|field| field.kind == Kind::User);
        let known = if is_user {
            value.as_text().and_then(|user| self.setup.people.known(&ready.flow.target.system, user))
        } else {
            None
        };
        known.map_or(value, |id| Value::from(id.as_str()))
    }

    fn resolve_user(&self, ready: &Ready, target: FieldName, user: &str, resolved: &mut Resolved) {
        let (source, to) = (&ready.flow.source.system, &ready.flow.target.system);
        match self.setup.people.counterpart(source, user, to) {
            Some(id) => resolved.fields.set(target, id.as_str().into()),
            None => {
                let label = self.setup.people.label(source, user);
                let cause = Cause::UnknownUser { field: target, user: user.to_owned(), label };
                resolved.causes.push((cause, Some(user.into())));
            }
        }
    }

    /// Required fields of a new record that have no value.
    fn missing(&self, ready: &Ready, resolved: &mut Resolved) {
        for field in &ready.target.fields {
            let there = resolved.fields.get(field.name.as_str()).is_some_and(|value| !value.is_blank());
            let explained = resolved.causes.iter().any(|(cause, _)| cause.field() == Some(&field.name));
            if field.required && !there && !explained {
                resolved.causes.push((Cause::Missing { field: field.name.clone() }, None));
            }
        }
    }

    fn held(
        &self,
        ready: &Ready,
        staged: &Staged,
        row: Option<&RecordRow>,
        causes: Vec<(Cause, Option<Value>)>,
        trail: Trail,
    ) -> Judged {
        let title = title(&staged.record);
        let holds = causes
            .into_iter()
            .map(|(cause, value)| Hold {
                flow: ready.flow.name.clone(),
                object: ready.flow.source.object.clone(),
                record: staged.record.id.clone(),
                title: title.clone(),
                announced: is_announced(&cause),
                cause,
                value,
            })
            .collect();
        self.judged(ready, staged, row, Decision::Hold(holds), trail, Carried::default())
    }

    fn judged(
        &self,
        ready: &Ready,
        staged: &Staged,
        row: Option<&RecordRow>,
        decision: Decision,
        trail: Trail,
        mapped: Carried,
    ) -> Judged {
        Judged {
            record: staged.record.id.clone(),
            title: title(&staged.record),
            block: staged.block,
            identity: row.and_then(|row| row.identity),
            was_held: row.is_some_and(|row| row.outcome == Outcome::Held),
            decision,
            trail,
            digest: mapped.fields.digest(),
            base: crate::base::encode(&ready.target, &mapped.fields),
            mapped: mapped.fields,
            links: mapped.links,
        }
    }
}

/// What the rules make of a record.
#[derive(Default)]
struct Carried {
    fields: Fields,
    links: Vec<PendingLink>,
}

impl Carried {
    /// Fields, and no links that wait.
    fn of(fields: Fields) -> Self {
        Self { fields, links: Vec::new() }
    }
}

/// Options that belong to another field's option (a stage to its pipeline) and stand beside a different one.
fn misplaced(ready: &Ready, resolved: &mut Resolved) {
    let mut causes = Vec::new();
    for (name, value) in resolved.fields.iter() {
        let Some(within) = option_of(ready, name, value).and_then(|option| option.within.as_deref()) else { continue };
        let other = ready.target.fields.iter().find(|field| {
            field.name != *name && matches!(&field.kind, Kind::Choice { options, .. } if options.iter().any(|option| option.value == within))
        });
        let Some(other) = other else { continue };
        let beside = resolved.fields.get(other.name.as_str()).and_then(Value::as_text);
        if beside.is_some_and(|beside| beside != within) {
            let rule = format!("the option does not belong to the `{}` beside it", other.name);
            causes.push((Cause::Invalid { field: name.clone(), rule }, Some(value.clone())));
        }
    }
    resolved.causes.extend(causes);
}

fn option_of<'r>(ready: &'r Ready, name: &FieldName, value: &Value) -> Option<&'r handover_model::Choice> {
    match &ready.target.field(name.as_str())?.kind {
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
    parents: &Parents,
    resolved: &mut Resolved,
) {
    let Some(link) = ready.links.get(&rule) else { return };
    let later = link.deferred || ready.flow.rules.get(rule).is_some_and(|rule| rule.later);
    let none = HashMap::new();
    let rows = parents.0.get(&link.flow).unwrap_or(&none);
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
        };
        match row.map(|row| (row.outcome, row.target.as_ref())) {
            Some((outcome, Some(found))) if outcome.is_paired() && !link.deferred => {
                resolved.found.insert((rule, found.as_str().to_owned()), parent);
                there.push(Value::from(found.as_str()));
            }
            Some((Outcome::Skipped | Outcome::Excluded, _)) => {
                resolved.dropped.push(format!("{target}: {id} was left out"));
            }
            _ if later => resolved.links.push(pending()),
            Some(_) => {
                let cause = Cause::ParentHeld { field: target.clone(), flow: link.flow.clone(), parent };
                resolved.causes.push((cause, Some(Value::from(id.as_str()))));
            }
            None => resolved.dropped.push(format!("{target}: {id} is not among the records of `{}`", link.flow)),
        }
    }
    let many = ready
        .target
        .field(target.as_str())
        .is_some_and(|field| matches!(field.kind, Kind::Reference { many: true, .. }));
    match there.len() {
        0 => {}
        _ if many => resolved.fields.set(target.clone(), Value::List(there)),
        _ => resolved.fields.set(target.clone(), there.swap_remove(0)),
    }
}

/// Takes links that are written in calls of their own out of the fields.
fn split_links(ready: &Ready, record: &RecordId, resolved: &Resolved, update: bool) -> (Fields, Vec<PendingLink>) {
    let mut fields = resolved.fields.clone();
    let mut links = resolved.links.clone();
    for (rule, link) in &ready.links {
        let separate = if update { link.separate_on_update } else { link.separate };
        if separate.is_none() {
            continue;
        }
        let target = &ready.flow.rules[*rule].target;
        if let Some(value) = fields.remove(target.as_str()) {
            for id in value.ids() {
                // What the target had already needs no call.
                let Some(parent) = resolved.found.get(&(*rule, id.to_owned())) else { continue };
                links.push(PendingLink {
                    flow: ready.flow.name.clone(),
                    record: record.clone(),
                    field: target.as_str().to_owned(),
                    parent_flow: link.flow.clone(),
                    parent: parent.clone(),
                });
            }
        }
    }
    (fields, links)
}

/// Whether a cause was announced by `check`: values and users in use are counted before a run.
fn is_announced(cause: &Cause) -> bool {
    matches!(cause, Cause::Untranslated { .. } | Cause::UnknownUser { .. } | Cause::ParentHeld { .. })
}
