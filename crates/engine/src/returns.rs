//! What goes back of a pair: the way back's rules over the target's record, and the writes that come of it.
//!
//! Invariant: going back never undoes what was not changed: what the source says already is not written, and of a
//! list only the part that a rule makes is replaced.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use handover_connect::{Fault, FaultKind};
use handover_model::{End, FieldName, Fields, Flow, From, Record, RecordId, Value};
use handover_store::GivenAnswer;
use jiff::{SignedDuration, Timestamp};

use crate::Error;
use crate::back::Back;
use crate::base::{self, OpenLink};
use crate::change::Pair;
use crate::decide::{Carried, Decision, Judged, Staged, holds};
use crate::merge::written_over;
use crate::pass::Pass;
use crate::resolve::{Parents, Resolved, misplaced, split_links};
use crate::returned::Returned;
use crate::setup::Ready;
use crate::trail::{BEFORE, SOURCE, Trail};
use crate::transform::Mapped;
use crate::unread::awaited;
use crate::verdict::{Known, Told, Verdicts, known_of, link_sets, weigh};
use crate::watermark::later;
use crate::write::Outgoing;
use crate::writer::Writer;

/// A write that goes back, and what is settled once it is confirmed.
struct Return {
    pair: usize,
    names: Vec<FieldName>,
    after: Record,
    resolved: Resolved,
    mapped: Vec<u8>,
    base: Vec<u8>,
    open: Vec<OpenLink>,
}

impl Pass {
    /// Writes what goes back of these pairs. They are as they were left then; what did not go back is `stuck`.
    pub(crate) async fn carry_back(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        back: &Back,
        pairs: &mut [Pair],
    ) -> Result<Known, Error> {
        self.turn_all(ready, back, pairs).await?;
        let known = self.histories(ready, pairs).await?;
        if self.carry_along((ready, back), pairs, &known).await? {
            self.turn_all(ready, back, pairs).await?;
        }
        let judged = self.judge_returns(ready, back, pairs, &known).await?;
        self.keep_flips().await?;
        if judged.is_empty() {
            return Ok(known);
        }
        let mut writer = Writer::of_records(self, &back.ready)?;
        let mut returns = Vec::new();
        let mut alone = Vec::new();
        for (one, done) in judged {
            returns.push(done);
            match one.decision {
                Decision::Update(..) => writer.push(Outgoing::of(one)),
                _ => alone.push(one),
            }
        }
        let sent = writer.send_full().await;
        writer.end(sent).await?;
        self.commit_settled(&back.ready, alone).await?;
        self.take_returned(ready, pairs, returns).await?;
        Ok(known)
    }

    /// What the way back makes of every counterpart. Of several links it sees those that the source is to have.
    pub(crate) async fn turn_all(&self, ready: &Ready, back: &Back, pairs: &mut [Pair]) -> Result<(), Error> {
        let wanted = |pair: &Pair| Some(as_wanted(ready, pair, pair.there.as_ref()?));
        let there: Vec<Record> = pairs.iter().filter_map(wanted).collect();
        let mut returned = self.turn_known(ready, back, &there).await?.into_iter();
        for pair in pairs.iter_mut().filter(|pair| pair.there.is_some()) {
            pair.returned = returned.next();
        }
        Ok(())
    }

    /// What the way back makes of target records.
    pub(crate) async fn turn_records(&self, back: &Back, records: &[Record]) -> Result<Vec<Returned>, Error> {
        let mapped: Vec<Vec<Mapped>> = records.iter().map(|record| back.ready.program.apply(record)).collect();
        let parents = self.parents(&back.ready, mapped.iter().map(Vec::as_slice)).await?;
        let ids: Vec<RecordId> = records.iter().map(|record| record.id.clone()).collect();
        let mut answers = self.place.store.answers(&back.ready.flow.name, &ids).await?;
        let turned = records.iter().zip(mapped).map(|(record, mapped)| {
            let given = answers.remove(&record.id).unwrap_or_default();
            self.turn(back, record, mapped, &given, &parents)
        });
        Ok(turned.collect())
    }

    /// A rule may read fields that do not go back: of these the source keeps its own, so that what goes back is made
    /// of both sides. Gives what the way back makes of such pairs, by their place. Where the source's own cannot be
    /// told, the fields beside it wait.
    async fn turn_mixed(
        &self,
        ready: &Ready,
        back: &Back,
        pairs: &mut [Pair],
        known: &Known,
    ) -> Result<HashMap<usize, Returned>, Error> {
        let mut mixed: Vec<(usize, Record)> = Vec::new();
        for (at, pair) in pairs.iter_mut().enumerate() {
            let Some(there) = &pair.there else { continue };
            let Verdicts { back: names, .. } = weigh(ready, pair, there, known);
            let wanted = as_wanted(ready, pair, there);
            let mut record = wanted.clone();
            let mut stuck = Vec::new();
            for name in &names {
                for beside in back.beside(name).filter(|beside| !names.contains(beside)) {
                    if pair.resolved.causes.iter().any(|(cause, _)| cause.field() == Some(beside)) {
                        stuck.push(name.clone());
                    }
                    let own = pair.resolved.fields.get(beside.as_str()).cloned();
                    record.fields.set(beside.clone(), own.unwrap_or(Value::Null));
                }
            }
            if record.fields != wanted.fields {
                mixed.push((at, record));
            }
            pair.stuck.append(&mut stuck);
        }
        if mixed.is_empty() {
            return Ok(HashMap::new());
        }
        let (places, records): (Vec<usize>, Vec<Record>) = mixed.into_iter().unzip();
        let returned = self.turn_records(back, &records).await?;
        Ok(places.into_iter().zip(returned).collect())
    }

    fn turn(
        &self,
        back: &Back,
        there: &Record,
        mapped: Vec<Mapped>,
        answers: &[GivenAnswer],
        parents: &Parents,
    ) -> Returned {
        let mut rules = BTreeMap::new();
        let mut found = HashMap::new();
        let (mut left_out, mut unknown) = (BTreeSet::new(), Vec::new());
        for one in mapped {
            let rule = one.rule;
            let mut resolved = Resolved::default();
            let value = self.resolve_one(&back.ready, there, one, answers, parents.again(), &mut resolved);
            found.extend(resolved.found);
            if !resolved.dropped.is_empty() {
                left_out.insert(rule);
            }
            unknown.extend(resolved.unknown.into_iter().map(|id| (rule, id)));
            rules.insert(
                rule,
                match resolved.causes.into_iter().next() {
                    Some(cause) => Err(cause),
                    // What is blank in the target is cleared; an expression that gives nothing leaves the field alone.
                    None => Ok(value.or_else(|| (!is_expression(&back.ready.flow, rule)).then_some(Value::Null))),
                },
            );
        }
        Returned { rules, found, left_out, unknown, awaited: BTreeSet::new() }
    }

    /// Judges what goes back: for each pair with something to write the judgement, and what is settled then.
    async fn judge_returns(
        &self,
        ready: &Arc<Ready>,
        back: &Back,
        pairs: &mut [Pair],
        known: &Known,
    ) -> Result<Vec<(Judged, Return)>, Error> {
        let mut mixed = self.turn_mixed(ready, back, pairs, known).await?;
        let mut wanted = Vec::new();
        for (at, pair) in pairs.iter_mut().enumerate() {
            let (Some(there), Some(alone)) = (&pair.there, &pair.returned) else { continue };
            let Verdicts { back: mut names, mut late, gave_way, .. } = weigh(ready, pair, there, known);
            late.retain(|name| names.contains(name));
            self.leave_late(ready, &late);
            pair.stuck.extend(awaited(back, alone, &mut names));
            let mixed = mixed.remove(&at);
            let returned = mixed.as_ref().unwrap_or(alone);
            let mut causes = Vec::new();
            let fields = loop {
                let rules: BTreeSet<usize> = names.iter().flat_map(|name| back.rules_of(name)).copied().collect();
                match returned.fields(back, &rules, &pair.staged.record) {
                    Ok(fields) => break fields,
                    Err((cause, value)) => {
                        let field = cause.field().cloned();
                        let concerns = |rule: &usize| Some(&back.ready.flow.rules[*rule].target) == field.as_ref();
                        let before = names.len();
                        let (stays, goes) =
                            names.into_iter().partition(|name| back.rules_of(name).iter().any(concerns));
                        names = goes;
                        pair.stuck.extend::<Vec<FieldName>>(stays);
                        causes.push((cause, value));
                        if names.len() == before {
                            // A cause that names no field of a rule stops them all.
                            pair.stuck.append(&mut names);
                        }
                    }
                }
            };
            pair.holds.extend(holds(&back.ready, there, causes));
            if !names.is_empty() {
                let goes = gave_way.into_iter().filter(|one| names.contains(&one.field));
                self.give_way(ready, &pair.staged.record.id, goes);
                wanted.push((at, names, fields));
            }
        }
        let afters: Vec<Record> = wanted
            .iter()
            .map(|(at, _, fields)| {
                let record = &pairs[*at].staged.record;
                Record { fields: written_over(record.fields.clone(), fields), ..record.clone() }
            })
            .collect();
        let mut resolved = self.resolve_all(ready, &afters).await?.into_iter();
        let mut judged = Vec::new();
        for ((at, names, fields), after) in wanted.into_iter().zip(afters) {
            let Some(resolved) = resolved.next() else { continue };
            judged.push(self.judge_return(ready, back, (at, &pairs[at]), names, fields, after, resolved));
        }
        Ok(judged)
    }

    #[expect(clippy::too_many_arguments, reason = "one record's whole case, used once")]
    fn judge_return(
        &self,
        ready: &Ready,
        back: &Back,
        (at, pair): (usize, &Pair),
        names: Vec<FieldName>,
        fields: Fields,
        after: Record,
        mut resolved: Resolved,
    ) -> (Judged, Return) {
        let none = Fields::new();
        let there = pair.there.as_ref().map_or(&none, |there| &there.fields);
        took(ready, back, &fields, there, &mut resolved, |name| names.contains(name));
        let source = &pair.staged.record;
        let (mut settled_here, mut settled_there) = (resolved.fields.clone(), there.clone());
        for (name, links) in pair.there.iter().flat_map(|there| link_sets(ready, pair, there)) {
            let (source, target) = links.settled();
            settled_here.set(name.clone(), source);
            settled_there.set(name, target);
        }
        let mapped = base::keeping(known_of(&pair.row), &base::encode(ready, &settled_here), &names);
        let known = pair.row.base.as_deref().unwrap_or_default();
        let target = base::keeping(known, &base::encode(ready, &settled_there), &names);
        let mut trail = Trail::new();
        trail.fields(&back.ready, SOURCE, there.iter());
        let before: Vec<(FieldName, Value)> = fields
            .iter()
            .map(|(name, _)| (name.clone(), source.fields.get(name.as_str()).cloned().unwrap_or(Value::Null)))
            .collect();
        trail.fields(&back.ready, BEFORE, before.iter().map(|(name, value)| (name, value)));
        let fields = Arc::new(fields);
        let empty = HashMap::new();
        let found = pair.returned.as_ref().map_or(&empty, |returned| &returned.found);
        let (write, links, unlinked) = split_links(&back.ready, &pair.target, &fields, found, Some(&source.fields));
        let decision = if write.is_empty() {
            Decision::Unchanged(source.id.clone())
        } else {
            trail.write(&back.ready, &write, there);
            Decision::Update(source.id.clone(), write)
        };
        let record = Record { id: pair.target.clone(), fields: there.clone(), modified: None, gone: false };
        let staged = Staged::new(record, pair.row.block);
        let carried = Carried { fields, links };
        let mut judged = self.judged(&back.ready, &staged, Some(&pair.row), decision, trail, carried);
        let open = self.open_forth(ready, pair, found, &unlinked);
        let mapped = base::leaving_open(ready, mapped, &open);
        let target = base::leaving_open(ready, target, &open);
        judged.digest = base::digest(&mapped, &ready.deferred);
        judged.settles(mapped.clone(), target.clone());
        judged.before = Some(pair.row.clone());
        (judged, Return { pair: at, names, after, resolved, mapped, base: target, open })
    }

    /// Links of the way back whose calls are still to be made, in the terms of the flow.
    fn open_forth(
        &self,
        ready: &Ready,
        pair: &Pair,
        found: &HashMap<(usize, String), RecordId>,
        open: &[OpenLink],
    ) -> Vec<OpenLink> {
        let mut forth = Vec::new();
        for link in open {
            let added = found.iter().find(|((_, id), _)| *id == link.id).map(|(_, target)| target.as_str());
            let gone =
                pair.resolved.found.iter().find(|(_, id)| id.as_str() == link.id).map(|((_, id), _)| id.as_str());
            let Some(id) = (if link.gone { gone } else { added }) else { continue };
            let fields = ready.fields_back_to(link.field.as_str());
            forth.extend(fields.map(|field| OpenLink { field: field.clone(), id: id.to_owned(), gone: link.gone }));
        }
        forth
    }

    /// Of pairs of which something went back: the source and its bases as they are now.
    async fn take_returned(&self, ready: &Ready, pairs: &mut [Pair], returns: Vec<Return>) -> Result<(), Error> {
        let ids: Vec<RecordId> = returns.iter().map(|one| pairs[one.pair].staged.record.id.clone()).collect();
        let mut rows = self.place.store.rows(&ready.flow.name, &ids).await?;
        for one in returns {
            let pair = &mut pairs[one.pair];
            let Some(row) = rows.remove(&pair.staged.record.id) else { continue };
            let mapped = row.mapped.as_deref().or(row.base.as_deref()).unwrap_or_default();
            if row.base.as_deref() == Some(one.base.as_slice()) && mapped == one.mapped {
                pair.staged.record = one.after;
                pair.resolved = one.resolved;
                pair.open = one.open;
            } else {
                pair.stuck.extend(one.names);
                // What the source refused is held beyond the judgement of the pair, which clears both ways' holds.
                if let Some((flow, record)) = ready.held_back(&pair.target) {
                    pair.holds.extend(self.place.store.holds_of(&flow, &record).await?);
                }
            }
            pair.row = row;
        }
        Ok(())
    }

    /// What the rules make of records, with users and links resolved.
    pub(crate) async fn resolve_all(&self, ready: &Ready, records: &[Record]) -> Result<Vec<Resolved>, Error> {
        let mapped: Vec<Vec<Mapped>> = records.iter().map(|record| ready.program.apply(record)).collect();
        let parents = self.parents(ready, mapped.iter().map(Vec::as_slice)).await?;
        let resolved = records.iter().zip(mapped).map(|(record, mapped)| {
            let mut resolved = self.resolve(ready, record, mapped, &[], parents.again());
            misplaced(ready, &mut resolved);
            resolved
        });
        Ok(resolved.collect())
    }

    /// What the histories tell of fields in question: those that both sides changed, and those that changed while a
    /// platform may still be putting our own writes into its form.
    async fn histories(&self, ready: &Ready, pairs: &[Pair]) -> Result<Known, Error> {
        let mut known = Known { settling: self.settling(ready, pairs), ..Known::default() };
        self.flips_of(ready, pairs, &mut known).await?;
        let settling = pairs.iter().filter(|pair| known.settling.contains_key(&pair.staged.record.id));
        known.foreign = self.written_elsewhere(ready, &settling.collect::<Vec<_>>()).await?;
        let (mut ours, mut theirs) = (Asked::default(), Asked::default());
        for pair in pairs {
            let Some(there) = &pair.there else { continue };
            let Verdicts { forth, back, held, .. } = weigh(ready, pair, there, &known);
            let settling = known.settling.contains_key(&pair.staged.record.id);
            let moved = forth.into_keys().chain(back).filter(|_| settling);
            for name in held.iter().filter_map(|(cause, _)| cause.field().cloned()).chain(moved) {
                let rule = ready.flow.rules.iter().find(|rule| rule.target == name);
                if let Some(From::Fields(fields)) = rule.map(|rule| &rule.from) {
                    ours.ask(&pair.staged.record.id, fields.iter().filter(|field| *field != "id"));
                }
                theirs.ask(&there.id, [&name].into_iter());
            }
        }
        let (source, target) = (&ready.flow.source, &ready.flow.target);
        known.kept = (self.keeps_history(source), self.keeps_history(target));
        known.source = self.told(source, ours).await?;
        known.target = self.told(target, theirs).await?;
        Ok(known)
    }

    fn keeps_history(&self, end: &End) -> bool {
        let system = self.setup.project.systems.get(&end.system);
        let object = system.and_then(|system| system.capabilities().object(end.object.as_str()));
        object.is_some_and(|object| object.history_batch > 0)
    }

    /// Pairs that we wrote a short while ago, by their source record, and since when what changes may be due to that.
    /// A record may be written several times before it is read again, and its system's clock may be slow.
    fn settling(&self, ready: &Ready, pairs: &[Pair]) -> BTreeMap<RecordId, Timestamp> {
        let now = self.place.clock.now();
        let settle = self.setup.project.policies.settle;
        let ends = [&ready.flow.source, &ready.flow.target];
        let slow =
            ends.map(|end| self.ahead(&end.system)).into_iter().min().unwrap_or_default().min(SignedDuration::ZERO);
        let since = |at: Timestamp| later(later(at, -settle), slow);
        let fresh = pairs.iter().filter_map(|pair| {
            let at = pair.row.written.filter(|at| now.duration_since(*at) <= settle)?;
            Some((pair.staged.record.id.clone(), since(at)))
        });
        fresh.collect()
    }

    /// Asks a system's history. Where it tells nothing, nothing is known.
    async fn told(&self, end: &End, asked: Asked) -> Result<HashMap<(RecordId, FieldName), Told>, Error> {
        if asked.ids.is_empty() || asked.fields.is_empty() || !self.keeps_history(end) {
            return Ok(HashMap::new());
        }
        let fields: Vec<FieldName> = asked.fields.into_iter().collect();
        let ids: Vec<RecordId> = asked.ids.into_iter().collect();
        let changes = match self.setup.project.system(&end.system)?.history(&end.object, &fields.into(), &ids).await {
            Ok(changes) => changes,
            Err(fault) if tells_nothing(&fault) => return Ok(HashMap::new()),
            Err(fault) => return Err(Error::system(&end.system, fault)),
        };
        let told =
            |change: handover_connect::Change| ((change.record, change.field), Told { at: change.at, by: change.by });
        Ok(changes.into_iter().map(told).collect())
    }
}

/// A target record with those of several links that the source is to have.
fn as_wanted(ready: &Ready, pair: &Pair, there: &Record) -> Record {
    let mut wanted = there.clone();
    for (name, links) in link_sets(ready, pair, there) {
        wanted.fields.set(name, links.back());
    }
    wanted
}

fn is_expression(flow: &Flow, rule: usize) -> bool {
    flow.rules.get(rule).is_some_and(|rule| matches!(rule.from, From::Expression(_)))
}

/// What a platform itself makes of what is written, a name's parts say, is not known yet: until it is read the source
/// counts as saying what went back.
pub(crate) fn took(
    ready: &Ready,
    back: &Back,
    written: &Fields,
    there: &Fields,
    resolved: &mut Resolved,
    went: impl Fn(&FieldName) -> bool,
) {
    let is_written = |field: &FieldName| written.get(field.as_str()).is_some();
    for rule in ready.flow.rules.iter().filter(|rule| went(&rule.target)) {
        let From::Fields(read) = &rule.from else { continue };
        let made = back.rules_of(&rule.target).iter().any(|rule| is_written(&back.ready.flow.rules[*rule].target));
        if made && !read.iter().any(is_written) {
            let have = there.get(rule.target.as_str()).cloned().unwrap_or(Value::Null);
            resolved.fields.set(rule.target.clone(), have);
        }
    }
}

/// Whether a history is not to be had, now or ever: then a person is asked.
fn tells_nothing(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::Unsupported | FaultKind::Denied | FaultKind::NotFound | FaultKind::Invalid)
}

/// What a system's history is asked for.
#[derive(Default)]
struct Asked {
    ids: BTreeSet<RecordId>,
    fields: BTreeSet<FieldName>,
}

impl Asked {
    fn ask<'f>(&mut self, id: &RecordId, fields: impl Iterator<Item = &'f FieldName>) {
        self.ids.insert(id.clone());
        self.fields.extend(fields.cloned());
    }
}
