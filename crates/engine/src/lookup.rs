//! Looking up writes whose answers were lost, and finishing what was half done.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use handover_connect::{Fault, FaultKind, Lookup, Write, WriteBatch, WriteMode, WriteOutcome};
use handover_model::{Candidate, Cause, Content, FieldName, Fields, FlowName, Outcome, Record, RecordId, Side};
use handover_store::{HoldFilter, RecordRow};
use jiff::{SignedDuration, Timestamp};

use crate::Error;
use crate::fingerprint::{Kinship, is_akin, kinship, match_up};
use crate::observe::Event;
use crate::pairing::{Paired, source_key};
use crate::pass::Pass;
use crate::send::{Loss, Sending, is_repeatable};
use crate::setup::Ready;
use crate::vanish::candidate;
use crate::write::Settled;

/// By what a record qualifies that an interrupted write may have made.
const INTERRUPTED: &str = "an interrupted write";

/// What a lost write made.
struct Found {
    id: RecordId,
    /// Fields that it lacks: the write took several requests, and the later ones did not come.
    lacking: Fields,
}

/// What looking up lost writes found, by source record.
#[derive(Default)]
struct Looked {
    found: HashMap<RecordId, Found>,
    /// Those that may have made a record which people changed since.
    doubtful: HashSet<RecordId>,
}

impl Pass {
    /// Looks lost writes up. What is found is applied, what is certainly not there is to be sent again, the
    /// rest stays unknown.
    pub(crate) async fn look_up(
        &self,
        ready: &Arc<Ready>,
        sending: &mut Sending,
        loss: &Loss,
        taken: &HashSet<RecordId>,
    ) -> Result<(), Error> {
        self.place.observer.on(Event::LookingUp { flow: ready.flow.name.clone(), writes: loss.writes.len() as u64 });
        let request = self.request(ready, &sending.batch, &loss.writes)?;
        let Some(mut looked) = self.find(ready, &request, sending.since, loss.by, taken).await? else {
            if is_repeatable(&request.mode) {
                sending.again(loss.writes.clone(), loss.tries, true, loss.why.as_ref());
                return Ok(());
            }
            for at in &loss.writes {
                sending.settled[*at] = Some(Settled::Unknown);
            }
            return Ok(());
        };
        let mut absent = Vec::new();
        for at in &loss.writes {
            let record = &sending.batch.writes[*at].case.record;
            match looked.found.remove(record) {
                Some(found) => sending.settled[*at] = Some(self.complete(ready, found).await?),
                None if looked.doubtful.contains(record) => sending.settled[*at] = Some(Settled::Unknown),
                None => absent.push(*at),
            }
        }
        if !absent.is_empty() {
            sending.again(absent, loss.tries, is_repeatable(&request.mode), loss.why.as_ref());
        }
        Ok(())
    }

    /// Records of a flow with writes that could not be looked up: they are not sent again before somebody
    /// looked and answered.
    pub(crate) async fn unknown_outcomes(
        &self,
        flow: &FlowName,
        mut rows: impl Iterator<Item = &RecordRow>,
    ) -> Result<HashSet<RecordId>, Error> {
        if !rows.any(|row| row.outcome == Outcome::Held) {
            return Ok(HashSet::new());
        }
        self.never_looked_up(flow).await
    }

    /// Every record of a flow of which that is so.
    async fn never_looked_up(&self, flow: &FlowName) -> Result<HashSet<RecordId>, Error> {
        let mut unknown = HashSet::new();
        let filter = HoldFilter {
            flow: Some(flow.clone()),
            group: Some(Cause::OutcomeUnknown.group()),
            ..HoldFilter::default()
        };
        let mut after = None;
        loop {
            let page = self.place.store.holds_page(&filter, after.as_ref(), 1000).await?;
            let Some(last) = page.last() else { return Ok(unknown) };
            after = Some(last.cursor.clone());
            unknown.extend(page.into_iter().filter(|row| !row.answered).map(|row| row.hold.record));
        }
    }

    /// New records of a flow's source that say something of what its way back may have made in a write that could not
    /// be looked up: until somebody says whether they are that, they get no counterpart of their own.
    pub(crate) async fn hold_doubtful(
        &self,
        ready: &Ready,
        records: &[&Record],
        pairs: &mut [Paired],
    ) -> Result<(), Error> {
        let Some(back) = &ready.back else { return Ok(()) };
        let is_new = |paired: &Paired| *paired == Paired::New;
        if !pairs.iter().any(is_new) {
            return Ok(());
        }
        let unknown: Vec<RecordId> = self.never_looked_up(&back.ready.flow.name).await?.into_iter().collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let there = self.targets_now(ready, &unknown).await?;
        let turned = self.turn_records(back, &there).await?;
        let wanted: Vec<Fields> = turned.iter().map(|returned| returned.all(back)).collect();
        for (record, paired) in records.iter().zip(pairs).filter(|(_, paired)| is_new(paired)) {
            let akin = there.iter().zip(&wanted).filter(|(_, wanted)| is_akin(&back.ready, record, wanted));
            let candidates: Vec<Candidate> =
                akin.filter_map(|(card, _)| candidate(ready, Side::Source, INTERRUPTED, card)).collect();
            if !candidates.is_empty() {
                *paired = Paired::Held(Cause::Ambiguous { key: INTERRUPTED.to_owned(), candidates });
            }
        }
        Ok(())
    }

    /// What lost writes made. `None` when the platform cannot tell.
    async fn find(
        &self,
        ready: &Ready,
        request: &WriteBatch,
        since: Timestamp,
        by: Timestamp,
        taken: &HashSet<RecordId>,
    ) -> Result<Option<Looked>, Error> {
        let end = &ready.flow.target;
        let system = self.setup.project.system(&end.system)?;
        let can = system.capabilities().object(end.object.as_str());
        let lookup = can.map_or(Lookup::None, |object| object.lookup);
        let behind = can.map_or(&[][..], |object| object.written_behind);
        if lookup == Lookup::None {
            return Ok(None);
        }
        let lag = SignedDuration::from_millis(i64::try_from(lookup.lag_ms(request)).unwrap_or(i64::MAX));
        if lag.is_positive() {
            self.place.clock.sleep_until(by.checked_add(lag).unwrap_or(by)).await;
        }
        let fields: Arc<[FieldName]> = request
            .writes
            .iter()
            .flat_map(|write| write.fields.iter().map(|(name, _)| name.clone()))
            .chain(ready.flow.key.clone())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let candidates = match system.candidates(request, &fields, since).await {
            Ok(candidates) => candidates,
            Err(fault) if fault.kind == FaultKind::Unsupported => return Ok(None),
            Err(fault) => return Err(Error::system(&end.system, fault)),
        };
        let ids: Vec<RecordId> = candidates.iter().map(|record| record.id.clone()).collect();
        let known = self.place.store.identities(&end.system, &end.object, &ids).await?;
        let mut free: Vec<&Record> = candidates
            .iter()
            .filter(|record| !record.gone && !known.contains_key(&record.id) && !taken.contains(&record.id))
            .collect();
        let mut looked = Looked::default();
        for write in request.writes.iter() {
            let key = source_key(&ready.flow.source.system, &ready.flow.source.object, &write.trace);
            for at in 0..free.len() {
                let Some(lacking) = match_up(ready, free[at], write, &key, behind) else { continue };
                if self.same_bytes(ready, &free[at].id, write.content.as_ref()).await? {
                    let id = free.swap_remove(at).id.clone();
                    looked.found.insert(write.trace.clone(), Found { id, lacking });
                    break;
                }
            }
        }
        self.find_changed(ready, request, free, &mut looked).await?;
        Ok(Some(looked))
    }

    /// What comes of a way back has no key, and people may have changed it before it is looked up: then no record says
    /// all that was written. The one that says enough of it is it; where that does not tell, the write is in doubt, and
    /// not sent again.
    async fn find_changed(
        &self,
        ready: &Ready,
        request: &WriteBatch,
        mut free: Vec<&Record>,
        looked: &mut Looked,
    ) -> Result<(), Error> {
        let Some(forth) = ready.forth.as_ref().filter(|_| ready.flow.key.is_none() && !free.is_empty()) else {
            return Ok(());
        };
        // What the flow has judged already was there before.
        let ids: Vec<RecordId> = free.iter().map(|record| record.id.clone()).collect();
        let judged = self.place.store.rows(forth, &ids).await?;
        free.retain(|record| !judged.contains_key(&record.id));
        let mut kin: HashMap<&RecordId, Vec<&RecordId>> = HashMap::new();
        let mut claims: HashMap<&RecordId, usize> = HashMap::new();
        for write in request.writes.iter().filter(|write| !looked.found.contains_key(&write.trace)) {
            for record in &free {
                match kinship(ready, record, &write.fields) {
                    Kinship::None => continue,
                    Kinship::Perhaps => drop(kin.entry(&write.trace).or_default()),
                    Kinship::Close => {
                        kin.entry(&write.trace).or_default().push(&record.id);
                        *claims.entry(&record.id).or_default() += 1;
                    }
                }
            }
        }
        for (trace, close) in kin {
            match close.as_slice() {
                [id] if claims.get(id) == Some(&1) => {
                    looked.found.insert(trace.clone(), Found { id: (*id).clone(), lacking: Fields::new() });
                }
                _ => drop(looked.doubtful.insert(trace.clone())),
            }
        }
        Ok(())
    }

    /// Whether a file of the target has these bytes: names alone do not tell files apart.
    async fn same_bytes(&self, ready: &Ready, id: &RecordId, content: Option<&Content>) -> Result<bool, Error> {
        let Some(content) = content else { return Ok(true) };
        let end = &ready.flow.target;
        let name = blake3::hash(format!("looked up: {}/{id}", ready.flow.name).as_bytes()).to_hex();
        let path = self.place.scratch.join(name.as_str());
        tokio::fs::create_dir_all(&self.place.scratch)
            .await
            .map_err(|source| Error::Disk { path: self.place.scratch.clone(), source })?;
        let downloaded = self.setup.project.system(&end.system)?.download(&end.object, id, &path).await;
        drop(tokio::fs::remove_file(&path).await);
        match downloaded {
            Ok(found) => Ok(found.blake3 == content.blake3),
            Err(fault) if fault.kind == FaultKind::Unsupported => Ok(true),
            Err(fault) if matches!(fault.kind, FaultKind::NotFound | FaultKind::Invalid) => Ok(false),
            Err(fault) => Err(Error::system(&end.system, fault)),
        }
    }

    /// Writes what a half-done write still lacks.
    async fn complete(&self, ready: &Ready, found: Found) -> Result<Settled, Error> {
        let Found { id, lacking } = found;
        if lacking.is_empty() {
            return Ok(Settled::Applied { id, created: true, lacks: None });
        }
        let end = &ready.flow.target;
        let write = Write { trace: id.clone(), id: Some(id.clone()), fields: lacking.into(), content: None };
        let batch = WriteBatch { object: end.object.clone(), mode: WriteMode::Update, writes: vec![write].into() };
        let written = self.setup.project.system(&end.system)?.write(&batch).await;
        let failed = |fault| Err(Error::system(&end.system, fault));
        match written.map(|written| written.into_iter().next().map(|written| written.outcome)) {
            Ok(Some(WriteOutcome::Applied { .. })) => Ok(Settled::Applied { id, created: true, lacks: None }),
            Ok(Some(WriteOutcome::Refused(fault))) => Ok(Settled::Applied { id, created: true, lacks: Some(fault) }),
            Ok(Some(WriteOutcome::Unknown(fault))) => failed(fault),
            Ok(None) => failed(Fault::malformed("the answer does not mention this record")),
            Err(fault) if crate::write::is_about_records(fault.kind) => {
                Ok(Settled::Applied { id, created: true, lacks: Some(fault) })
            }
            Err(fault) => failed(fault),
        }
    }
}
