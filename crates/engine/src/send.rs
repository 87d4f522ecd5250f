//! Sending batches until every record of them has an outcome: halving what is refused as a whole, leaving out
//! fields that are refused, looking up what was lost.
//!
//! Invariants:
//! - Lost writes are looked up when nothing else of the wave is under way: what another write of the wave
//!   made must not pass for what this one made.
//! - A large batch that was not written whole goes on in ordinary ones, which tell of each record what is wrong with it.
//! - A write that may have been applied and could not be looked up keeps its intent open.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt as _;
use handover_connect::{Fault, FaultKind, ObjectCapabilities, WriteMode, WriteOutcome, Written};
use handover_model::{ObjectName, RecordId};
use jiff::{SignedDuration, Timestamp};

use crate::Error;
use crate::pass::Pass;
use crate::planted::Planted;
use crate::setup::Ready;
use crate::write::{Batch, Settled, is_about_records, refused};

/// How often a write is tried when looking it up says that it was not applied.
const TRIES: u32 = 3;

/// After so many requests in a row that brought no outcome the system is taken to be down.
const FAILURES: u32 = 12;

/// How far a system's clock may be from what we take it for.
const CLOCKS_APART: SignedDuration = SignedDuration::from_secs(60);

/// A batch and what became of its writes, in their order.
pub(crate) struct Sent {
    pub(crate) batch: Batch,
    pub(crate) settled: Vec<Settled>,
    /// Nothing of it was made before, by the target's clock.
    pub(crate) since: Timestamp,
    /// Why the pass has to stop once the outcomes are committed.
    pub(crate) stop: Option<Error>,
}

/// A batch on its way.
pub(crate) struct Sending {
    pub(crate) batch: Batch,
    pub(crate) since: Timestamp,
    pub(crate) settled: Vec<Option<Settled>>,
    parts: Vec<Part>,
    lost: Vec<Loss>,
    stop: Option<Error>,
    /// Requests in a row that brought no outcome.
    failures: u32,
    /// Whether another process began it: staged bytes are not to be trusted then.
    resumed: bool,
    /// Whose outcomes the error threshold knows.
    weighed: Vec<bool>,
}

/// Writes of a batch that are to be sent.
struct Part {
    writes: Vec<usize>,
    tries: u32,
    /// Whether an earlier request may have applied them.
    unsure: bool,
    /// Whether so many may go in one large batch.
    bulk: bool,
}

impl Part {
    /// To be sent in ordinary batches.
    fn ordinary(writes: Vec<usize>, tries: u32, unsure: bool) -> Self {
        Self { writes, tries, unsure, bulk: false }
    }
}

/// Writes whose answers were lost.
pub(crate) struct Loss {
    pub(crate) writes: Vec<usize>,
    pub(crate) tries: u32,
    pub(crate) why: Option<Fault>,
    /// They were applied by then, or never.
    pub(crate) by: Timestamp,
}

impl Sending {
    fn new(batch: Batch, at: Timestamp) -> Self {
        let settled = batch.writes.iter().map(|_| None).collect();
        let weighed = vec![false; batch.writes.len()];
        let since = at.checked_sub(CLOCKS_APART).unwrap_or(at);
        Self {
            batch,
            since,
            settled,
            parts: Vec::new(),
            lost: Vec::new(),
            stop: None,
            failures: 0,
            resumed: false,
            weighed,
        }
    }

    /// Writes that an earlier process sent, perhaps; `at` is when.
    pub(crate) fn resumed(batch: Batch, at: Timestamp) -> Self {
        Self { resumed: true, ..Self::new(batch, at) }
    }

    /// All of it is to be sent, though an earlier request may have applied it.
    pub(crate) fn repeat(&mut self) {
        self.parts.push(Part::ordinary(self.all(), 0, true));
    }

    /// All of it is to be looked up: it was applied by then, or never.
    pub(crate) fn lose(&mut self, by: Timestamp) {
        self.lost.push(Loss { writes: self.all(), tries: 0, why: None, by });
    }

    fn all(&self) -> Vec<usize> {
        (0..self.batch.writes.len()).collect()
    }

    /// The ids of what is known to be applied.
    fn applied(&self) -> impl Iterator<Item = &RecordId> {
        self.settled.iter().flatten().filter_map(|settled| match settled {
            Settled::Applied { id, .. } => Some(id),
            Settled::Refused(_) | Settled::Unknown | Settled::NotSent | Settled::Open => None,
        })
    }

    /// Takes the outcomes of a part.
    fn take(&mut self, ready: &Ready, part: Part, written: Vec<Written>, repeatable: bool, now: Timestamp) {
        let mut outcomes: HashMap<RecordId, WriteOutcome> =
            written.into_iter().map(|written| (written.trace, written.outcome)).collect();
        let mut lost = Vec::new();
        let (mut fewer, mut later) = (Vec::new(), Vec::new());
        let mut why = None;
        for at in &part.writes {
            let write = &mut self.batch.writes[*at];
            match outcomes.remove(&write.case.record) {
                // Whether an upsert made the record or found it says nothing once it was sent twice; under
                // our own key it is ours either way.
                Some(WriteOutcome::Applied { id, .. }) => {
                    self.settled[*at] = Some(Settled::Applied { id, created: write.target.is_none(), lacks: None });
                }
                Some(WriteOutcome::Refused(fault)) if is_about_records(fault.kind) && write.shed(ready, &fault) => {
                    fewer.push(*at);
                }
                Some(WriteOutcome::Refused(fault)) if is_about_records(fault.kind) || part.tries + 1 >= TRIES => {
                    self.settled[*at] = Some(Settled::Refused(fault));
                }
                // Of very many none is sent alone before they were sent by the usual number.
                Some(WriteOutcome::Refused(_)) if part.bulk => later.push(*at),
                Some(WriteOutcome::Refused(_)) => {
                    self.parts.push(Part::ordinary(vec![*at], part.tries + 1, part.unsure));
                }
                Some(WriteOutcome::Unknown(fault)) => {
                    why = Some(fault);
                    lost.push(*at);
                }
                None => lost.push(*at),
            }
        }
        for again in [fewer, later].into_iter().filter(|again| !again.is_empty()) {
            self.parts.push(Part::ordinary(again, part.tries, part.unsure));
        }
        self.failures = if lost.len() < part.writes.len() { 0 } else { self.failures + 1 };
        if lost.is_empty() {
        } else if repeatable {
            self.again(lost, part.tries, true, why.as_ref());
        } else {
            self.lost.push(Loss { writes: lost, tries: part.tries, why, by: now });
        }
    }

    /// The part was refused as a whole.
    fn refused(&mut self, ready: &Ready, part: Part, fault: &Fault, repeatable: bool) {
        self.failures = 0;
        let unsure = part.unsure || repeatable;
        // A value that is at fault is looked for by halves; what cannot go this way at all goes in ordinary batches.
        let bulk = part.bulk && fault.kind == FaultKind::Invalid;
        if part.bulk && !bulk {
            self.parts.push(Part::ordinary(part.writes, part.tries, unsure));
            return;
        }
        match halves(&part.writes) {
            // Some rows may have landed all the same; what can be repeated is repeated.
            Some(halves) => {
                self.parts.extend(halves.map(|writes| Part { writes, tries: part.tries, unsure, bulk }));
            }
            None if part.writes.iter().any(|at| self.batch.writes[*at].shed(ready, fault)) => {
                self.parts.push(Part { unsure, ..part });
            }
            None => self.refuse(&part.writes, Some(fault)),
        }
    }

    /// Sends writes again that are certainly not applied, or whose repetition does no harm; those that were
    /// tried often enough are halved until the bad one is alone.
    pub(crate) fn again(&mut self, writes: Vec<usize>, tries: u32, unsure: bool, why: Option<&Fault>) {
        let refused = why.is_some_and(|fault| matches!(fault.kind, FaultKind::Invalid | FaultKind::Conflict));
        let worn_out = tries + 1 >= TRIES;
        match halves(&writes) {
            // Halving ends by itself: each half is smaller.
            Some(halves) if refused || worn_out => {
                let tries = if refused { tries } else { TRIES - 2 };
                self.parts.extend(halves.map(|writes| Part::ordinary(writes, tries, unsure)));
            }
            // Looked up and not there, three times over: the system does not take it.
            None if worn_out => self.refuse(&writes, why),
            Some(_) | None => self.parts.push(Part::ordinary(writes, tries + 1, unsure)),
        }
    }

    fn refuse(&mut self, writes: &[usize], why: Option<&Fault>) {
        let fault = why.cloned().unwrap_or_else(|| Fault::malformed("the system does not keep this record"));
        for at in writes {
            self.settled[*at] = Some(Settled::Refused(fault.clone()));
        }
    }

    /// What is known in the end.
    pub(crate) fn end(mut self) -> Sent {
        let unsure = self.parts.iter().filter(|part| part.unsure).flat_map(|part| &part.writes);
        let open: HashSet<usize> = unsure.chain(self.lost.iter().flat_map(|loss| &loss.writes)).copied().collect();
        let settled = std::mem::take(&mut self.settled)
            .into_iter()
            .enumerate()
            .map(|(at, settled)| settled.unwrap_or(if open.contains(&at) { Settled::Open } else { Settled::NotSent }))
            .collect();
        Sent { batch: self.batch, settled, since: self.since, stop: self.stop }
    }
}

impl Pass {
    /// Sends batches, several at once, and looks up what was lost.
    pub(crate) async fn send_all(&self, ready: &Arc<Ready>, batches: Vec<Batch>) -> Vec<Sent> {
        let stopped = AtomicBool::new(false);
        let at = self.time_of(&ready.flow.target.system);
        let mut sendings: Vec<Sending> = futures::stream::iter(batches)
            .map(|batch| {
                let stopped = &stopped;
                async move {
                    let mut sending = Sending::new(batch, at);
                    if !stopped.load(Ordering::Relaxed) {
                        let writes = sending.all();
                        sending.parts.push(Part { writes, tries: 0, unsure: false, bulk: true });
                        self.send_parts(ready, &mut sending).await;
                        self.weigh(ready, &mut sending);
                        stopped.fetch_or(sending.stop.is_some(), Ordering::Relaxed);
                    }
                    sending
                }
            })
            .buffer_unordered(self.setup.project.policies.writes_at_once.max(1))
            .collect()
            .await;
        self.look_all_up(ready, &mut sendings).await;
        sendings.iter_mut().for_each(|sending| self.weigh(ready, sending));
        sendings.into_iter().map(Sending::end).collect()
    }

    /// A batch that is not sent any more.
    pub(crate) fn not_sent(&self, batch: Batch) -> Sent {
        Sending::new(batch, self.place.clock.now()).end()
    }

    /// Tells the error threshold what became of a batch's writes, each once; stops when there is too much.
    fn weigh(&self, ready: &Ready, sending: &mut Sending) {
        let mut threshold = self.threshold();
        for (at, settled) in sending.settled.iter().enumerate() {
            if matches!(settled, Some(Settled::NotSent | Settled::Open) | None) || sending.weighed[at] {
                continue;
            }
            let write = &sending.batch.writes[at];
            let held = match settled {
                Some(Settled::Applied { lacks, .. }) => lacks.is_some() || !write.without.is_empty(),
                Some(Settled::Refused(fault)) => {
                    !write.case.was_held && !threshold.was_planned(&ready.flow.name, &refused(fault))
                }
                _ => !write.case.was_held,
            };
            sending.weighed[at] = true;
            threshold.note(held);
        }
        if let Err(error) = threshold.check(&ready.flow.name) {
            sending.stop.get_or_insert(error);
        }
    }

    /// Sends what is to be sent of a batch.
    async fn send_parts(&self, ready: &Arc<Ready>, sending: &mut Sending) {
        while sending.stop.is_none()
            && let Some(part) = sending.parts.pop()
        {
            // A later pass reads the bytes again.
            if sending.resumed && part.writes.iter().any(|at| sending.batch.writes[*at].content.is_some()) {
                continue;
            }
            let target = &ready.flow.target.system;
            let (request, system) =
                match (self.request(ready, &sending.batch, &part.writes), self.setup.project.system(target)) {
                    (Ok(request), Ok(system)) => (request, system),
                    (Err(error), _) | (_, Err(error)) => {
                        sending.stop = Some(error);
                        sending.parts.push(part);
                        return;
                    }
                };
            let can = system.capabilities().object(request.object.as_str());
            let Some(part) = at_once(can, part, &mut sending.parts) else { continue };
            let repeatable = is_repeatable(&request.mode) || self.errs(Planted::LostAnswerResent);
            match system.write(&request).await {
                Ok(written) => {
                    tell_left(&request.object, part.bulk, &written);
                    let why = written.iter().find_map(|written| match &written.outcome {
                        WriteOutcome::Unknown(fault) => Some(fault.clone()),
                        WriteOutcome::Applied { .. } | WriteOutcome::Refused(_) => None,
                    });
                    sending.take(ready, part, written, repeatable, self.place.clock.now());
                    if let Some(fault) = why.filter(|_| sending.failures >= FAILURES) {
                        sending.stop = Some(Error::system(target, fault));
                    }
                }
                Err(fault) if is_about_records(fault.kind) => {
                    if part.bulk {
                        let (object, records) = (&request.object, part.writes.len());
                        tracing::warn!(%object, records, %fault, "a large batch is not taken as one");
                    }
                    sending.refused(ready, part, &fault, repeatable);
                }
                Err(fault) => {
                    sending.stop = Some(Error::system(target, fault));
                    sending.parts.push(part);
                }
            }
        }
    }

    /// Sends and looks up all of one batch.
    pub(crate) async fn finish(&self, ready: &Arc<Ready>, sending: &mut Sending) {
        self.send_parts(ready, sending).await;
        self.look_all_up(ready, std::slice::from_mut(sending)).await;
        self.weigh(ready, sending);
    }

    /// Looks up the lost writes of batches, one after the other.
    async fn look_all_up(&self, ready: &Arc<Ready>, sendings: &mut [Sending]) {
        let mut taken: HashSet<RecordId> = sendings.iter().flat_map(Sending::applied).cloned().collect();
        for sending in sendings {
            while sending.stop.is_none()
                && let Some(loss) = sending.lost.pop()
            {
                if let Err(error) = self.look_up(ready, sending, &loss, &taken).await {
                    sending.stop = Some(error);
                    let writes = loss.writes.iter().filter(|at| sending.settled[**at].is_none()).copied().collect();
                    sending.lost.push(Loss { writes, ..loss });
                    return;
                }
                self.send_parts(ready, sending).await;
                taken.extend(sending.applied().cloned());
            }
        }
    }
}

/// Whether sending it twice leaves the target as sending it once does.
pub(crate) fn is_repeatable(mode: &WriteMode) -> bool {
    match mode {
        WriteMode::Update | WriteMode::Upsert { .. } => true,
        WriteMode::Create { .. } => false,
    }
}

/// A part as it is sent: `None` where it is more than the target takes at once, and was divided.
fn at_once(can: Option<&ObjectCapabilities>, part: Part, parts: &mut Vec<Part>) -> Option<Part> {
    let number = part.writes.len();
    let size = |size: u32| usize::try_from(size).unwrap_or(usize::MAX);
    let batch = can.map_or(1, |can| size(can.write_batch)).max(1);
    if number <= batch {
        return Some(Part { bulk: false, ..part });
    }
    let bulk = can.and_then(|can| can.bulk).filter(|_| part.bulk);
    if bulk.is_some_and(|bulk| (size(bulk.least)..=size(bulk.most)).contains(&number)) {
        return Some(part);
    }
    // The first of them is sent next.
    let chunks = part.writes.chunks(batch).rev();
    parts.extend(chunks.map(|some| Part::ordinary(some.to_vec(), part.tries, part.unsure)));
    None
}

/// Tells that not all of a large batch was answered: what is left goes another way.
fn tell_left(object: &ObjectName, bulk: bool, written: &[Written]) {
    let left = written.iter().filter_map(|written| match &written.outcome {
        WriteOutcome::Unknown(fault) => Some(fault),
        WriteOutcome::Applied { .. } | WriteOutcome::Refused(_) => None,
    });
    if let Some(fault) = left.clone().next().filter(|_| bulk) {
        let records = left.count();
        tracing::warn!(%object, records, %fault, "what a large batch left open is sent again in ordinary ones");
    }
}

/// Both halves of several writes, the first to be sent last.
fn halves(writes: &[usize]) -> Option<[Vec<usize>; 2]> {
    if writes.len() < 2 {
        return None;
    }
    let (one, other) = writes.split_at(writes.len() / 2);
    Some([other.to_vec(), one.to_vec()])
}
