//! The second step: links between records that are both in the target.
//!
//! Adding a link twice is harmless on some platforms and makes a duplicate on others, so links too have an
//! intent, and a lost answer is looked up by reading the links of the record that points.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::join_all;
use handover_connect::{Fault, FaultKind, Link, LinkBatch, Write, WriteBatch, WriteMode, WriteOutcome};
use handover_model::{Cause, FieldName, Fields, Hold, Kind, ObjectName, RecordId, Value};
use handover_store::{Intent, Item, PendingLink};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Error;
use crate::observe::Event;
use crate::pass::Pass;
use crate::setup::Ready;
use crate::transform::State;
use crate::write::is_about_records;

/// How the ids of link intents begin.
pub(crate) const INTENT: &str = "links:";

/// Links read from the state at once.
const PAGE: usize = 20_000;

/// A link with its ends in the target.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Tied {
    record: RecordId,
    field: String,
    parent_flow: handover_model::FlowName,
    parent: RecordId,
    from: RecordId,
    to: RecordId,
}

impl Tied {
    fn pending(&self, ready: &Ready) -> PendingLink {
        PendingLink {
            flow: ready.flow.name.clone(),
            record: self.record.clone(),
            field: self.field.clone(),
            parent_flow: self.parent_flow.clone(),
            parent: self.parent.clone(),
        }
    }
}

impl Pass {
    /// Writes every link whose both ends are in the target.
    pub(crate) async fn link_all(&self) -> Result<(), Error> {
        let mut done = 0;
        loop {
            self.go_on()?;
            let mut page = self.place.store.ready_links(PAGE).await?;
            // Those of a stopped flow wait until it works again.
            page.retain(|(link, ..)| !self.setup.drift.stopped.contains_key(&link.flow));
            if page.is_empty() {
                return Ok(());
            }
            let mut groups: BTreeMap<(handover_model::FlowName, String), Vec<Tied>> = BTreeMap::new();
            for (link, from, to) in page {
                groups.entry((link.flow.clone(), link.field.clone())).or_default().push(Tied {
                    record: link.record,
                    field: link.field,
                    parent_flow: link.parent_flow,
                    parent: link.parent,
                    from,
                    to,
                });
            }
            for ((flow, field), mut links) in groups {
                let Some(ready) = self.setup.flow(&flow).cloned() else {
                    // The project no longer has the flow: nobody wants these links.
                    let commit = handover_store::Commit {
                        linked: links
                            .iter()
                            .map(|link| PendingLink { flow: flow.clone(), ..pending_of(link) })
                            .collect(),
                        ..self.commit()
                    };
                    self.place.store.commit(commit).await?;
                    continue;
                };
                self.drop_outdated(&ready, &field, &mut links).await?;
                self.hold_circles(&ready, &field, &mut links).await?;
                // What a record points to is looked at once for all its links that go out together.
                links.sort_by(|one, other| one.from.cmp(&other.from));
                done += self.link_chunks(&ready, &field, &links, done).await?;
            }
        }
    }

    /// A record that was pointed elsewhere before its link was written: of a field that holds one link only that
    /// counts to which the record points now.
    async fn drop_outdated(&self, ready: &Arc<Ready>, field: &str, links: &mut Vec<Tied>) -> Result<(), Error> {
        if !matches!(ready.target.field(field).map(|field| &field.kind), Some(Kind::Reference { many: false, .. })) {
            return Ok(());
        }
        let source = &ready.flow.source;
        // Before changes are read nothing was pointed elsewhere.
        if self.place.store.watermark(&source.system, &source.object).await?.is_none() {
            return Ok(());
        }
        let mut records: Vec<RecordId> = links.iter().map(|link| link.record.clone()).collect();
        records.sort();
        records.dedup();
        let mut outdated = Vec::new();
        for (record, row) in self.place.store.rows(&ready.flow.name, &records).await? {
            let block = self.place.store.block(&source.system, &source.object, row.block).await?;
            let Some(staged) = block.iter().find(|staged| staged.id == record) else { continue };
            let mapped = ready.program.apply(staged);
            let points_to = mapped.into_iter().find_map(|mapped| match mapped.state {
                State::Links(ids) if mapped.target == *field => Some(ids),
                State::Absent if mapped.target == *field => Some(Vec::new()),
                _ => None,
            });
            let Some(ids) = points_to else { continue };
            outdated.extend(
                links
                    .iter()
                    .filter(|link| link.record == record && !ids.iter().any(|id| *id == *link.parent.as_str()))
                    .map(|link| link.pending(ready)),
            );
        }
        if outdated.is_empty() {
            return Ok(());
        }
        links.retain(|link| !outdated.contains(&link.pending(ready)));
        self.place.store.commit(handover_store::Commit { linked: outdated, ..self.commit() }).await?;
        Ok(())
    }

    /// A chain of parents that comes back to its beginning is no hierarchy: platforms refuse it, or keep one
    /// half of it in silence. Its links are held; the records themselves are written.
    async fn hold_circles(&self, ready: &Arc<Ready>, field: &str, links: &mut Vec<Tied>) -> Result<(), Error> {
        let single =
            matches!(ready.target.field(field).map(|field| &field.kind), Some(Kind::Reference { many: false, .. }));
        if !single || pointed_to(ready, field) != ready.flow.target.object {
            return Ok(());
        }
        let circular = circular(links);
        if circular.is_empty() {
            return Ok(());
        }
        let mut commit = self.commit();
        let mut entry = self.entry("held", ready);
        for link in links.iter().filter(|link| circular.contains(&link.record)) {
            let cause =
                Cause::Invalid { field: FieldName::from(field), rule: "the chain of parents is a circle".to_owned() };
            entry.items.push(Item { record: link.record.clone(), values: json!({"causes": [cause]}).into() });
            commit.linked.push(link.pending(ready));
            commit.holds.push(self.link_hold(ready, link, cause));
        }
        commit.entries.push(entry);
        self.place.store.commit(commit).await?;
        links.retain(|link| !circular.contains(&link.record));
        Ok(())
    }

    fn link_hold(&self, ready: &Ready, link: &Tied, cause: Cause) -> Hold {
        Hold {
            flow: ready.flow.name.clone(),
            object: ready.flow.source.object.clone(),
            record: link.record.clone(),
            title: link.record.to_string(),
            cause,
            value: Some(Value::from(link.parent.as_str())),
            announced: false,
        }
    }

    /// Adds links, several calls at once; gives their number. After a failure nothing more is begun.
    async fn link_chunks(&self, ready: &Arc<Ready>, field: &str, links: &[Tied], before: u64) -> Result<u64, Error> {
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
        let results = self.add_links(ready, field, links).await;
        match results {
            Ok(results) => self.commit_links(ready, &id, links, results).await,
            Err(fault) if fault.kind == FaultKind::Unavailable || fault.kind == FaultKind::Malformed => {
                // Perhaps applied: look before the next attempt, which is the next pass's.
                let there = self.links_there(ready, field, links).await?;
                let results =
                    links.iter().zip(there).map(|(_, there)| if there { Ok(()) } else { Err(fault.clone()) }).collect();
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

    /// Adds links in the way the platform has for this field.
    async fn add_links(&self, ready: &Ready, field: &str, links: &[Tied]) -> Result<Vec<Result<(), Fault>>, Fault> {
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
            let outcomes = system.link(&batch).await?;
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
        let mut linked = self.entry("linked", ready);
        let mut stop = None;
        for (link, result) in links.iter().zip(results) {
            match result {
                Ok(()) => {
                    let values = json!({"field": link.field, "to": link.to.as_str(), "parent": link.parent.as_str()});
                    linked.items.push(Item { record: link.record.clone(), values: values.into() });
                    commit.linked.push(link.pending(ready));
                }
                Err(fault) if is_about_records(fault.kind) => {
                    commit.linked.push(link.pending(ready));
                    let field = Some(FieldName::from(link.field.as_str()));
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
        commit.spent = self.newly_spent();
        self.place.store.commit(commit).await?;
        match stop {
            Some(fault) => Err(Error::system(&ready.flow.target.system, fault)),
            None => self.threshold().check(&ready.flow.name),
        }
    }

    /// A link intent that a crash left open.
    pub(crate) async fn settle_link_intent(&self, ready: &Arc<Ready>, intent: &Intent) -> Result<(), Error> {
        let (field, links): (String, Vec<Tied>) = postcard::from_bytes(&intent.payload).map_err(Error::Intent)?;
        let there = self.links_there(ready, &field, &links).await?;
        let have: Vec<Tied> = links.into_iter().zip(there).filter(|(_, there)| *there).map(|(link, _)| link).collect();
        // Those that are not there stay pending and are written in the second step.
        let results = have.iter().map(|_| Ok(())).collect();
        self.commit_links(ready, &intent.id, &have, results).await
    }
}

fn pending_of(link: &Tied) -> PendingLink {
    PendingLink {
        flow: handover_model::FlowName::from(""),
        record: link.record.clone(),
        field: link.field.clone(),
        parent_flow: link.parent_flow.clone(),
        parent: link.parent.clone(),
    }
}

fn by_record(links: &[Tied]) -> BTreeMap<RecordId, Vec<RecordId>> {
    let mut map: BTreeMap<RecordId, Vec<RecordId>> = BTreeMap::new();
    for link in links {
        map.entry(link.from.clone()).or_default().push(link.to.clone());
    }
    map
}

/// The records whose chain of parents comes back to them.
fn circular(links: &[Tied]) -> BTreeSet<RecordId> {
    let parents: BTreeMap<&RecordId, &RecordId> = links.iter().map(|link| (&link.record, &link.parent)).collect();
    let mut safe: BTreeSet<&RecordId> = BTreeSet::new();
    let mut circular = BTreeSet::new();
    for start in parents.keys() {
        let mut path: Vec<&RecordId> = Vec::new();
        let mut at = *start;
        while !safe.contains(at) && !circular.contains(at) {
            if let Some(begin) = path.iter().position(|seen| *seen == at) {
                circular.extend(path[begin..].iter().map(|record| (*record).clone()));
                break;
            }
            path.push(at);
            match parents.get(at) {
                Some(parent) => at = parent,
                None => break,
            }
        }
        safe.extend(path.into_iter().filter(|record| !circular.contains(*record)));
    }
    circular
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

fn pointed_to(ready: &Ready, field: &str) -> ObjectName {
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
        hasher.update(b">");
        hasher.update(link.to.as_str().as_bytes());
        hasher.update(b"\0");
    }
    hasher.finalize().to_hex().as_str()[..32].to_owned()
}
