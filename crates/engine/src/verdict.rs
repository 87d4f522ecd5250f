//! What becomes of each field of a pair: which side changed it, whose it is, and what the rule for conflicts says.
//!
//! Invariants:
//! - A side has changed a field when it differs from that side's own base: what the rules made of the source, what
//!   the target said.
//! - What a platform or one of its workflows made of our own write is adopted, not carried.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use handover_connect::Author;
use handover_model::{
    Answer, Cause, CohortName, Conflict, Edit, FieldName, Fields, Kind, Owner, Record, RecordId, Rule, Value, Wins,
};
use handover_store::{Flip, RecordRow};
use jiff::Timestamp;

use crate::base;
use crate::change::Pair;
use crate::flips::GaveWay;
use crate::hub::Foreign;
use crate::link_sets::Links;
use crate::merge::same;
use crate::new_pairs::owes;
use crate::resolve::{Resolved, outer};
use crate::setup::{Ready, Shared};
use crate::three_way::{Side, Verdict, Why, judge, judge_late};
use crate::write::UNSTAGED;

/// What becomes of the fields of a pair.
#[derive(Default)]
pub(crate) struct Verdicts {
    /// Target fields with the values that the source gives them.
    pub(crate) forth: BTreeMap<FieldName, Value>,
    /// Target fields of which the value goes back.
    pub(crate) back: Vec<FieldName>,
    /// Fields that a person decides about.
    pub(crate) held: Vec<(Cause, Option<Value>)>,
    /// Fields that a platform or a workflow put into another form than we wrote: taken as they are.
    pub(crate) adopted: Vec<FieldName>,
    /// Values that were written and give way to the other side's, or come again.
    pub(crate) gave_way: Vec<GaveWay>,
    /// Fields that had passed to the target with their record's cohort when the source changed them: not carried.
    pub(crate) late: Vec<FieldName>,
}

/// What the systems' histories tell of fields in question.
#[derive(Default)]
pub(crate) struct Known {
    /// By the source's record and field.
    pub(crate) source: HashMap<(RecordId, FieldName), Told>,
    /// By the target's record and field.
    pub(crate) target: HashMap<(RecordId, FieldName), Told>,
    /// What gave way before: by the source's record and the field.
    pub(crate) flips: HashMap<(RecordId, FieldName), Flip>,
    /// How often that may be.
    pub(crate) most_flips: u64,
    /// Whether the source and the target keep histories.
    pub(crate) kept: (bool, bool),
    /// Pairs that we wrote so lately that a platform may still be putting our values into its own form: by the
    /// source's record, with the time before which no change can be of that.
    pub(crate) settling: BTreeMap<RecordId, Timestamp>,
    /// What other flows wrote of those since: of the source's records, and of the target's.
    pub(crate) foreign: (Foreign, Foreign),
}

/// A field's last change.
#[derive(Clone)]
pub(crate) struct Told {
    pub(crate) at: Timestamp,
    pub(crate) by: Author,
}

impl Known {
    /// Whether a change is taken for the platform's own doing: made so soon after our write, by no person and by no
    /// other flow. What a field says since long before, be it by a write of ours, is no answer to that write.
    fn adopts(&self, pair: &Pair, kept: bool, kind: Option<&Kind>, told: &Option<Told>, foreign: bool) -> bool {
        let Some(since) = self.settling.get(&pair.staged.record.id) else { return false };
        let is_other = match told {
            Some(told) => matches!(told.by, Author::Person(_) | Author::Unknown) || told.at < *since,
            // What a platform fills in by itself when a record is made is in no history; later changes are, but for
            // those of links.
            None => !kept || pair.row.block != UNSTAGED || matches!(kind, Some(Kind::Reference { .. })),
        };
        !is_other && !foreign
    }
}

impl Known {
    /// Whether the source's change is taken for its platform's own doing: never that of a pair that was found and still
    /// owes something to its counterpart, since what it says was there before us.
    fn adopts_source(
        &self,
        ready: &Ready,
        pair: &Pair,
        kind: Option<&Kind>,
        told: &Option<Told>,
        foreign: bool,
    ) -> bool {
        !owes(ready, &pair.row) && self.adopts(pair, self.kept.0, kind, told, foreign)
    }

    /// Whether another flow wrote what a field reads of the source, and the field in the target.
    fn foreign_of(&self, pair: &Pair, rule: Option<&Rule>, name: &FieldName) -> (bool, bool) {
        let (source, target) = &self.foreign;
        let here = source.get(&pair.staged.record.id).is_some_and(|written| match rule.map(|rule| &rule.from) {
            Some(handover_model::From::Fields(names)) => names.iter().any(|name| written.contains(name)),
            Some(handover_model::From::Expression(_)) => true,
            Some(handover_model::From::Constant(_)) | None => false,
        });
        (here, target.get(&pair.target).is_some_and(|written| written.contains(name)))
    }
}

/// Whether any field of a record's source differs from what was settled.
pub(crate) fn source_changed(ready: &Ready, row: &RecordRow, resolved: &Resolved) -> bool {
    let held = held_fields(ready, resolved);
    ready
        .flow
        .rules
        .iter()
        .any(|rule| !held.contains(&rule.target) && source_differs(ready, row, resolved, rule).is_some())
}

/// Whether any field of the target that concerns the source differs from what was settled.
pub(crate) fn target_changed(ready: &Ready, row: &RecordRow, there: &Record) -> bool {
    let concerned =
        ready.shared.iter().filter(|field| field.concerns && !ready.without.frozen.contains_key(&field.name));
    concerned.map(|field| &field.name).any(|name| target_differs(ready, row, there, name))
}

/// How many values of a pair the target's people changed which the rules leave to them.
pub(crate) fn left_to_the_target(ready: &Ready, pair: &Pair, there: &Record) -> u64 {
    let own = ready.shared.iter().filter(|field| field.rule.is_some() && !field.concerns);
    own.filter(|field| target_differs(ready, &pair.row, there, &field.name)).count() as u64
}

/// What the rules made of the source when it was settled.
pub(crate) fn known_of(row: &RecordRow) -> &[u8] {
    row.mapped.as_deref().or(row.base.as_deref()).unwrap_or_default()
}

fn kind_of<'r>(ready: &'r Ready, name: &FieldName) -> Option<&'r Kind> {
    ready.target_field(name).map(|field| &field.kind)
}

/// What the rules make of a field, if it is not what was settled; null where they made something then and nothing
/// now.
fn source_differs(ready: &Ready, row: &RecordRow, resolved: &Resolved, rule: &Rule) -> Option<Value> {
    let name = &rule.target;
    let kind = kind_of(ready, name);
    // Of several links those that wait are not among the others; of one link nothing else is known meanwhile.
    let waits = || resolved.links.iter().any(|link| link.field == name.as_str());
    if matches!(kind, Some(Kind::Reference { many: false, .. })) && waits() {
        return None;
    }
    let was = known_of(row);
    match resolved.fields.get(name.as_str()) {
        Some(value) if is_blank_as_zero((was, name, kind), value, || reads_blank_as_zero(ready, rule)) => None,
        Some(value) => (base::differs(was, name, kind, value) != Some(false)).then(|| value.clone()),
        None => (base::differs(was, name, kind, &Value::Null) == Some(true)).then_some(Value::Null),
    }
}

fn target_differs(ready: &Ready, row: &RecordRow, there: &Record, name: &FieldName) -> bool {
    let have = there.fields.get(name.as_str()).unwrap_or(&Value::Null);
    let was = row.base.as_deref().unwrap_or_default();
    let kind = kind_of(ready, name);
    let is_zero = || ready.target_field(name).is_some_and(|field| field.blank_is_zero);
    !is_blank_as_zero((was, name, kind), have, is_zero)
        && base::differs(was, name, kind, have).unwrap_or(!have.is_blank())
}

/// Whether a number is what the system shows where nothing was settled.
fn is_blank_as_zero(
    (was, name, kind): (&[u8], &FieldName, Option<&Kind>),
    now: &Value,
    shows_zero: impl FnOnce() -> bool,
) -> bool {
    matches!(now, Value::Number(number) if number.is_zero())
        && base::differs(was, name, kind, &Value::Null) != Some(true)
        && shows_zero()
}

fn reads_blank_as_zero(ready: &Ready, rule: &Rule) -> bool {
    let shows_zero = |name: &FieldName| ready.source.field(name.as_str()).is_some_and(|field| field.blank_is_zero);
    matches!(&rule.from, handover_model::From::Fields(names) if names.iter().any(shows_zero))
}

/// The target fields that the source has blanked since they were settled.
pub(crate) fn blanked(ready: &Ready, row: &RecordRow, resolved: &Resolved) -> Vec<FieldName> {
    let held = held_fields(ready, resolved);
    let rules = ready.flow.rules.iter().filter(|rule| !held.contains(&rule.target));
    let blank = |rule: &&Rule| source_differs(ready, row, resolved, rule).is_some_and(|value| value.is_blank());
    rules.filter(blank).map(|rule| rule.target.clone()).collect()
}

/// Fields of which the source's value cannot be told. A pipeline does not change without its stage.
fn held_fields(ready: &Ready, resolved: &Resolved) -> BTreeSet<FieldName> {
    let mut held: BTreeSet<FieldName> =
        resolved.causes.iter().filter_map(|(cause, _)| cause.field().cloned()).collect();
    held.extend(held.clone().iter().filter_map(|name| outer(ready, name).cloned()));
    held.extend(ready.untold().cloned());
    held
}

/// Who owns a field of a pair, by its cohort.
fn owner_of(field: &Shared, pair: &Pair) -> Owner {
    if pair.staged.standing.moved { field.then } else { field.owner }
}

/// What becomes of the fields of a pair that hold several links.
pub(crate) fn link_sets(ready: &Ready, pair: &Pair, there: &Record) -> Vec<(FieldName, Links)> {
    let several = |field: &&Shared| {
        matches!(kind_of(ready, &field.name), Some(Kind::Reference { many: true, .. }))
            && !pair.stuck.contains(&field.name)
    };
    let judged = |field: &Shared| {
        let value = |fields: &Fields| fields.get(field.name.as_str()).cloned().unwrap_or(Value::Null);
        let (now, have) = (value(&pair.resolved.fields), value(&there.fields));
        (field.name.clone(), Links::judge((field, owner_of(field, pair)), &pair.row, &now, &have, &pair.missing))
    };
    let held = held_fields(ready, &pair.resolved);
    ready.shared.iter().filter(several).filter(|field| !held.contains(&field.name)).map(judged).collect()
}

/// Judges every field that both sides share.
pub(crate) fn weigh(ready: &Ready, pair: &Pair, there: &Record, known: &Known) -> Verdicts {
    let mut verdicts = Verdicts::default();
    let held = held_fields(ready, &pair.resolved);
    for field in &ready.shared {
        let name = &field.name;
        if held.contains(name) || pair.stuck.contains(name) {
            continue;
        }
        match ready.without.frozen.get(name) {
            None => weigh_field(ready, pair, there, known, field, &mut verdicts),
            Some(frozen) => {
                let rule = field.rule.and_then(|rule| ready.flow.rules.get(rule));
                let value = rule.and_then(|rule| source_differs(ready, &pair.row, &pair.resolved, rule));
                verdicts.held.extend(value.and_then(|value| frozen.cause(name, value)));
            }
        }
    }
    if let Some(key) = &ready.flow.key
        && let Some(value) = pair.resolved.fields.get(key.as_str())
        && base::differs(known_of(&pair.row), key, kind_of(ready, key), value).is_none()
        && !same(kind_of(ready, key), value, there.fields.get(key.as_str()).unwrap_or(&Value::Null))
    {
        // Of a record that became another one the counterpart still has the old key.
        verdicts.forth.insert(key.clone(), value.clone());
    }
    verdicts
}

fn weigh_field(ready: &Ready, pair: &Pair, there: &Record, known: &Known, field: &Shared, verdicts: &mut Verdicts) {
    let Shared { name, rule: at, goes_back, concerns: concerned, .. } = field;
    let (goes_back, concerned) = (*goes_back, *concerned);
    let owner = owner_of(field, pair);
    let rule = at.and_then(|rule| ready.flow.rules.get(rule));
    let here = rule.and_then(|rule| source_differs(ready, &pair.row, &pair.resolved, rule));
    let changed = target_differs(ready, &pair.row, there, name);
    if here.is_none() && !(changed && concerned) {
        return;
    }
    let have = there.fields.get(name.as_str()).unwrap_or(&Value::Null);
    let now = pair.resolved.fields.get(name.as_str()).unwrap_or(&Value::Null);
    let kind = kind_of(ready, name);
    let is_returned =
        || pair.returned.as_ref().is_some_and(|returned| returned.equals_source(ready, name, &pair.staged.record));
    if matches!(kind, Some(Kind::Reference { many: true, .. })) {
        let links = Links::judge((field, owner), &pair.row, now, have, &pair.missing);
        if links.goes_forth(have) {
            verdicts.forth.insert(name.clone(), links.forth());
        }
        if links.goes_back(now) && !is_returned() {
            verdicts.back.push(name.clone());
        }
        return;
    }
    // Who points to nobody since that record is missing was pointed elsewhere by nobody.
    let is_missing = |id: &str| pair.missing.get(name).is_some_and(|missing| missing.contains(id));
    let here = here.filter(|now| !(now.is_blank() && have.ids().into_iter().any(is_missing)));
    let changed = changed && !(have.is_blank() && now.ids().into_iter().any(is_missing));
    if here.is_none() && !(changed && concerned) {
        return;
    }
    let same = same(kind, now, have) || is_returned();
    let told = |side: &HashMap<_, Told>, key| side.get(&key).cloned();
    let (theirs, ours) = (
        told(&known.target, (there.id.clone(), name.clone())),
        rule.and_then(|rule| latest(known, &pair.staged.record.id, rule)),
    );
    let (foreign_here, foreign_there) = known.foreign_of(pair, rule, name);
    let mut adopted = (here.is_some() && known.adopts_source(ready, pair, kind, &ours, foreign_here), false);
    // What is not carried back is the target's own affair, until the source changes the field.
    let changed = changed && (concerned || here.is_some());
    adopted.1 = changed && known.adopts(pair, known.kept.1, kind, &theirs, foreign_there);
    let source = Side { value: now, changed: here.is_some() && !adopted.0, at: ours.as_ref().map(|told| told.at) };
    let target = Side { value: have, changed: changed && !adopted.1, at: theirs.as_ref().map(|told| told.at) };
    if adopted.0 || adopted.1 {
        verdicts.adopted.push(name.clone());
    }
    let keep = match rule.map(|rule| ready.flow.conflict(rule)) {
        Some(Conflict::Keep(keep)) => Some(keep),
        Some(Conflict::Ask | Conflict::Expression(_)) | None => None,
    };
    // Nothing carries the target's value back: what becomes of the source's is told by the rule for conflicts.
    let late = pair.staged.standing.moved && owner == Owner::Target && !goes_back;
    let verdict = if late { judge_late(source, target, same, keep) } else { judge(source, target, same, owner, keep) };
    let gives = GaveWay::by(verdict, (ready, pair, known), name, now, (source.changed, target.changed));
    let flips = gives.as_ref().filter(|_| !late).and_then(|gives| gives.too_often(known, &ours, &theirs));
    verdicts.gave_way.extend(gives.filter(|_| !late));
    if let Some(flips) = flips {
        return decide(ready, pair, field, (now, have, late, flips), (ours, theirs), verdicts);
    }
    match verdict {
        Verdict::Nothing | Verdict::Agreed => {}
        Verdict::Forth(_) => drop(verdicts.forth.insert(name.clone(), now.clone())),
        Verdict::Back(why) => {
            if late || owner != field.owner && why == Why::Owns {
                verdicts.late.push(name.clone());
            }
            verdicts.back.extend(goes_back.then(|| name.clone()));
        }
        Verdict::Joined | Verdict::Held => {
            decide(ready, pair, field, (now, have, late, 0), (ours, theirs), verdicts);
        }
    }
}

/// What becomes of a field about which no rule of the judgement's own decides: a person's answer, an expression of the
/// project, or nobody so far. `late` says that the field had passed to the target, and nothing carries it back; `flips`
/// how often it flipped, where that is why a person is asked: each time anew.
fn decide(
    ready: &Ready,
    pair: &Pair,
    field: &Shared,
    (now, have, late, flips): (&Value, &Value, bool, u32),
    told: (Option<Told>, Option<Told>),
    verdicts: &mut Verdicts,
) {
    let name = &field.name;
    let mut mark = conflict_mark(ready, name, now, have);
    if flips > 0 {
        mark.push_str(&format!(":{flips}"));
    }
    let answered = answered(pair, name, &mark);
    // A rule that decided each time would let it flip for ever.
    let ruled = || ready.program.winner(field.rule.filter(|_| flips == 0)?, &pair.staged.record.id, now, have);
    match answered.or_else(ruled) {
        Some(Wins::Source) => drop(verdicts.forth.insert(name.clone(), now.clone())),
        Some(Wins::Target) if field.goes_back => verdicts.back.push(name.clone()),
        // What cannot go back is left as it is.
        Some(Wins::Target) if flips > 0 => {}
        Some(Wins::Target) if late => verdicts.late.push(name.clone()),
        Some(Wins::Target) | None => {
            let moved = pair.staged.standing.cohort.clone().filter(|_| late);
            let cause = conflict(name, moved, (mark, have), told);
            verdicts.held.push((cause, Some(now.clone())));
        }
    }
}

/// The latest change of the source fields that a rule reads.
fn latest(known: &Known, record: &RecordId, rule: &Rule) -> Option<Told> {
    let handover_model::From::Fields(names) = &rule.from else { return None };
    names
        .iter()
        .filter_map(|name| known.source.get(&(record.clone(), name.clone())))
        .max_by_key(|told| told.at)
        .cloned()
}

/// A person's answer to a conflict over these very values.
fn answered(pair: &Pair, name: &FieldName, mark: &str) -> Option<Wins> {
    pair.answers.iter().rev().find_map(|given| match &given.answer {
        Answer::Take { field, wins, mark: of } if field == name && of == mark => Some(*wins),
        _ => None,
    })
}

/// What tells a conflict from one over other values of the same field.
fn conflict_mark(ready: &Ready, name: &FieldName, now: &Value, have: &Value) -> String {
    let kind = kind_of(ready, name);
    let marks = base::mark(kind, now).into_iter().chain(base::mark(kind, have));
    marks.map(|byte| format!("{byte:02x}")).collect()
}

fn conflict(
    name: &FieldName,
    moved: Option<CohortName>,
    (mark, have): (String, &Value),
    (ours, theirs): (Option<Told>, Option<Told>),
) -> Cause {
    let edit = |told: Option<Told>| {
        told.map(|told| {
            Box::new(Edit {
                at: told.at,
                by: match told.by {
                    Author::Person(Some(who)) => format!("user {who}"),
                    Author::Person(None) => "a person".to_owned(),
                    Author::Program(_) => "a program".to_owned(),
                    Author::Platform => "the platform itself".to_owned(),
                    Author::Unknown => "unknown".to_owned(),
                },
            })
        })
    };
    Cause::Conflict {
        field: name.clone(),
        moved,
        there: Box::new(have.clone()),
        mark,
        source: edit(ours),
        target: edit(theirs),
    }
}
