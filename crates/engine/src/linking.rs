//! The calls that make links and take them away.
//!
//! Adding a link twice is harmless on some platforms and makes a duplicate on others, so links too have an
//! intent, and a lost answer is looked up by reading the links of the record that points.
//!
//! Invariant: a link that has a call of its own is settled, in the bases of its pair, once that call is confirmed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures::future::join_all;
use handover_connect::{Fault, FaultKind, Link, LinkBatch, Write, WriteBatch, WriteMode, WriteOutcome};
use handover_model::{Cause, FieldName, Fields, Kind, ObjectName, RecordId, Value};
use handover_store::{Intent, Item, RecordRow};
use serde_json::json;

use crate::Error;
use crate::base;
use crate::links::Tied;
use crate::observe::Event;
use crate::pass::{Pass, locked};
use crate::setup::Ready;
use crate::transform::forth_of;
use crate::write::is_about_records;

/// How the ids of link intents begin.
pub(crate) const INTENT: &str = "links:";

impl Pass {
    /// Adds links or takes them away, several calls at once; gives their number. After a failure nothing more is begun.
    pub(crate) async fn link_chunks(
        &self,
        ready: &Arc<Ready>,
        field: &str,
        links: &[Tied],
        before: u64,
    ) -> Result<u64, Error> {
        let chunks: Vec<&[Tied]> = links.chunks(per_call(ready, field)).collect();
        let mut done = 0;
        for wave in chunks.chunks(self.setup.project.policies.writes_at_once.max(1)) {
            self.go_on()?;
            let added = join_all(wave.iter().map(|chunk| self.link_chunk(ready, field, chunk))).await;
            done += wave.iter().map(|chunk| chunk.len() as u64).sum::<u64>();
            self.place.observer.on(Event::Linking { done: before + done });
            added.into_iter().collect::<Result<(), Error>>()?;
        }
        Ok(done)
    }

    async fn link_chunk(&self, ready: &Arc<Ready>, field: &str, links: &[Tied]) -> Result<(), Error> {
        let id = format!("{INTENT}{}", batch_name(ready, field, links));
        let mut commit = self.commit();
        let payload = postcard::to_stdvec(&(field, links)).map_err(Error::Intent)?;
        let flow = ready.flow.name.clone();
        commit.intents.push(Intent { id: id.clone(), flow, payload, at: commit.at, entry: None });
        self.place.store.commit(commit).await?;
        let results = self.change_links(ready, field, links).await;
        match results {
            Ok(results) => self.commit_links(ready, &id, links, results).await,
            Err(fault) if fault.kind == FaultKind::Unavailable || fault.kind == FaultKind::Malformed => {
                // Perhaps applied: look before the next attempt, which is the next pass's.
                let there = self.links_there(ready, field, links).await?;
                let done =
                    |(link, there): (&Tied, bool)| if there != link.waits.gone { Ok(()) } else { Err(fault.clone()) };
                let results = links.iter().zip(there).map(done).collect();
                self.commit_links(ready, &id, links, results).await?;
                Ok(())
            }
            Err(fault) => {
                let commit = handover_store::Commit { settled: vec![id], ..self.commit() };
                self.place.store.commit(commit).await?;
                Err(Error::system(&ready.flow.target.system, fault))
            }
        }
    }

    /// Adds links, or takes them away, in the way the platform has for this field.
    async fn change_links(&self, ready: &Ready, field: &str, links: &[Tied]) -> Result<Vec<Result<(), Fault>>, Fault> {
        let end = &ready.flow.target;
        let Some(system) = self.setup.project.systems.get(&end.system) else {
            return Err(Fault::unsupported("the target system is not open"));
        };
        if is_separate(ready, field) {
            let wire: Arc<[Link]> =
                links.iter().map(|link| Link { from: link.from.clone(), to: link.to.clone() }).collect();
            let batch = LinkBatch {
                object: end.object.clone(),
                field: FieldName::from(field),
                to_object: pointed_to(ready, field),
                links: wire,
            };
            let gone = links.iter().all(|link| link.waits.gone);
            let outcomes = if gone { system.unlink(&batch).await? } else { system.link(&batch).await? };
            return Ok(links
                .iter()
                .map(|link| {
                    outcomes
                        .iter()
                        .find(|outcome| outcome.link.from == link.from && outcome.link.to == link.to)
                        .map_or_else(
                            || Err(Fault::malformed("the answer does not mention this link")),
                            |outcome| outcome.result.clone(),
                        )
                })
                .collect());
        }
        let mut results = Vec::new();
        for (from, targets) in by_record(links) {
            let many =
                matches!(ready.target.field(field).map(|field| &field.kind), Some(Kind::Reference { many: true, .. }));
            let value = match targets.as_slice() {
                [one] if !many => Value::from(one.as_str()),
                several => Value::List(several.iter().map(|id| Value::from(id.as_str())).collect()),
            };
            let fields: Fields = [(FieldName::from(field), value)].into_iter().collect();
            let write = Write { trace: from.clone(), id: Some(from.clone()), fields: fields.into(), content: None };
            let batch = WriteBatch { object: end.object.clone(), mode: WriteMode::Update, writes: vec![write].into() };
            let outcome = system.write(&batch).await?.into_iter().next().map(|written| written.outcome);
            results.push((
                from,
                match outcome {
                    Some(WriteOutcome::Applied { .. }) => Ok(()),
                    Some(WriteOutcome::Refused(fault) | WriteOutcome::Unknown(fault)) => Err(fault),
                    None => Err(Fault::malformed("the answer does not mention this record")),
                },
            ));
        }
        let results: BTreeMap<RecordId, Result<(), Fault>> = results.into_iter().collect();
        Ok(links.iter().map(|link| results.get(&link.from).cloned().unwrap_or(Ok(()))).collect())
    }

    /// Which of these links the target has.
    async fn links_there(&self, ready: &Ready, field: &str, links: &[Tied]) -> Result<Vec<bool>, Error> {
        let end = &ready.flow.target;
        let system = self.setup.project.system(&end.system)?;
        let ids: Vec<RecordId> =
            links.iter().map(|link| link.from.clone()).collect::<BTreeSet<_>>().into_iter().collect();
        let name = FieldName::from(field);
        let records = match system.enrich(&end.object, &name, &ids).await {
            Ok(records) => records,
            Err(fault) if fault.kind == FaultKind::Unsupported => system
                .fetch(&end.object, &vec![name].into(), &ids)
                .await
                .map_err(|fault| Error::system(&end.system, fault))?,
            Err(fault) => return Err(Error::system(&end.system, fault)),
        };
        let have: BTreeMap<RecordId, Vec<String>> = records
            .into_iter()
            .map(|record| {
                let ids = record.fields.get(field).map(|value| value.ids().into_iter().map(str::to_owned).collect());
                (record.id, ids.unwrap_or_default())
            })
            .collect();
        Ok(links
            .iter()
            .map(|link| have.get(&link.from).is_some_and(|ids| ids.iter().any(|id| id == link.to.as_str())))
            .collect())
    }

    async fn commit_links(
        &self,
        ready: &Arc<Ready>,
        intent: &str,
        links: &[Tied],
        results: Vec<Result<(), Fault>>,
    ) -> Result<(), Error> {
        let mut commit = self.commit();
        commit.settled.push(intent.to_owned());
        let gone = links.iter().all(|link| link.waits.gone);
        let mut linked = self.entry(if gone { "unlinked" } else { "linked" }, ready);
        let mut stop = None;
        let mut done = Vec::new();
        for (link, result) in links.iter().zip(results) {
            match result {
                Ok(()) => {
                    let values = json!({"field": link.waits.field, "to": link.to.as_str(), "parent": link.waits.parent.as_str()});
                    linked.items.push(Item { record: link.waits.record.clone(), values: values.into() });
                    commit.linked.push(link.waits.clone());
                    done.push(link);
                }
                Err(fault) if is_about_records(fault.kind) => {
                    commit.linked.push(link.waits.clone());
                    let field = Some(FieldName::from(link.waits.field.as_str()));
                    let cause = Cause::Refused { code: fault.code, field, message: fault.message };
                    commit.holds.push(self.link_hold(ready, link, cause));
                    self.threshold().note(true);
                }
                Err(fault) => stop = Some(fault),
            }
        }
        if !linked.items.is_empty() {
            commit.entries.push(linked);
        }
        // One at a time: several calls may make links of one record.
        let _linking = self.linking.lock().await;
        commit.rows = self.with_links(ready, &done).await?;
        commit.spent = self.newly_spent();
        self.place.store.commit(commit).await?;
        let mut counted = locked(&self.links);
        *(if gone { &mut counted.taken_away } else { &mut counted.made }) += done.len() as u64;
        drop(counted);
        match stop {
            Some(fault) => Err(Error::system(&ready.flow.target.system, fault)),
            None => self.threshold().check(&ready.flow.name),
        }
    }

    /// The rows of pairs whose links were made or taken away, with that settled.
    async fn with_links(&self, ready: &Arc<Ready>, done: &[&Tied]) -> Result<Vec<RecordRow>, Error> {
        let Some(forth) = &ready.forth else {
            let records: Vec<RecordId> = done.iter().map(|link| link.waits.record.clone()).collect();
            let rows = self.place.store.rows(&ready.flow.name, &records).await?;
            let links = done.iter().map(|link| {
                (&link.waits.record, FieldName::from(link.waits.field.as_str()), &link.to, link.waits.gone)
            });
            return Ok(settled(ready, rows.into_iter().collect(), links));
        };
        let Some(forth) = self.setup.flow(forth) else { return Ok(Vec::new()) };
        let targets: Vec<RecordId> = done.iter().map(|link| link.waits.record.clone()).collect();
        let rows = self.place.store.rows_with_targets(&forth.flow.name, &targets).await?;
        // In the terms of the flow the record pointed to is one of its target's.
        let (gone, made): (Vec<&&Tied>, Vec<&&Tied>) = done.iter().partition(|link| link.waits.gone);
        let mut to: HashMap<RecordId, RecordId> =
            made.into_iter().map(|link| (link.to.clone(), link.waits.parent.clone())).collect();
        // What is done together is of one field.
        let rule = gone.first().and_then(|link| rule_of(ready, &link.waits.field));
        if let Some(parents) = rule.and_then(|rule| forth_of(&rule.flow)) {
            let ends: Vec<RecordId> = gone.iter().map(|link| link.to.clone()).collect();
            to.extend(self.place.store.targets_of_flow(&parents, &ends).await?);
        }
        let mut links = Vec::new();
        for link in done {
            let Some(to) = to.get(&link.to) else { continue };
            links.extend(
                forth
                    .fields_back_to(&link.waits.field)
                    .map(|field| (&link.waits.record, field.clone(), to, link.waits.gone)),
            );
        }
        let rows = rows.into_iter().filter_map(|row| Some((row.target.clone()?, row))).collect();
        Ok(settled(forth, rows, links.into_iter()))
    }

    /// A link intent that a crash left open.
    pub(crate) async fn settle_link_intent(&self, ready: &Arc<Ready>, intent: &Intent) -> Result<(), Error> {
        let (field, links): (String, Vec<Tied>) = postcard::from_bytes(&intent.payload).map_err(Error::Intent)?;
        let there = self.links_there(ready, &field, &links).await?;
        let is_done = |(link, there): &(Tied, bool)| *there != link.waits.gone;
        let have: Vec<Tied> = links.into_iter().zip(there).filter(is_done).map(|(link, _)| link).collect();
        // The others stay pending and are done in the second step.
        let results = have.iter().map(|_| Ok(())).collect();
        self.commit_links(ready, &intent.id, &have, results).await
    }
}

/// Rows with links settled that were made, or are gone.
fn settled<'l>(
    ready: &Ready,
    mut rows: BTreeMap<RecordId, RecordRow>,
    links: impl Iterator<Item = (&'l RecordId, FieldName, &'l RecordId, bool)>,
) -> Vec<RecordRow> {
    for (record, field, to, gone) in links {
        let Some(row) = rows.get_mut(record) else { continue };
        let one = base::holds_one(ready, &field);
        for base in [&mut row.base, &mut row.mapped].into_iter().flatten() {
            *base = base::with_link(base, &field, to.as_str(), !gone, one);
        }
    }
    rows.into_values().filter(|row| row.outcome.is_paired()).map(|row| RecordRow { last_entry: None, ..row }).collect()
}

fn by_record(links: &[Tied]) -> BTreeMap<RecordId, Vec<RecordId>> {
    let mut map: BTreeMap<RecordId, Vec<RecordId>> = BTreeMap::new();
    for link in links {
        map.entry(link.from.clone()).or_default().push(link.to.clone());
    }
    map
}

fn rule_of<'r>(ready: &'r Ready, field: &str) -> Option<&'r crate::setup::LinkRule> {
    ready.links.iter().find(|(rule, _)| ready.flow.rules[**rule].target == *field).map(|(_, link)| link)
}

fn is_separate(ready: &Ready, field: &str) -> bool {
    rule_of(ready, field).is_some_and(|link| link.separate_on_update.is_some())
}

fn per_call(ready: &Ready, field: &str) -> usize {
    let per_call = rule_of(ready, field).and_then(|link| link.separate_on_update).unwrap_or(1);
    usize::try_from(per_call.max(1)).unwrap_or(1)
}

pub(crate) fn pointed_to(ready: &Ready, field: &str) -> ObjectName {
    ready
        .target
        .field(field)
        .and_then(|field| field.kind.referenced().cloned())
        .unwrap_or_else(|| ready.flow.target.object.clone())
}

fn batch_name(ready: &Ready, field: &str, links: &[Tied]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(ready.flow.name.as_str().as_bytes());
    hasher.update(field.as_bytes());
    for link in links {
        hasher.update(link.from.as_str().as_bytes());
        hasher.update(if link.waits.gone { b"-" } else { b">" });
        hasher.update(link.to.as_str().as_bytes());
        hasher.update(b"\0");
    }
    hasher.finalize().to_hex().as_str()[..32].to_owned()
}
