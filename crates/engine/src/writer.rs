//! From judging to the target: waves of batches pass through three stages that work beside each other and
//! beside the judging. The first makes the intents durable, the second sends, the third makes the outcomes
//! durable.
//!
//! Invariants:
//! - A wave's intents are durable before its first request leaves; what a flow has worked through is noted
//!   after the outcomes that it stands on.
//! - One wave at a time is under way to the target, so that what is looked up is not disturbed.
//! - A large batch (see [`crate::waiting`]) is a wave of its own, and no second one is under way beside it: memory holds
//!   one, and what gathers for the next.
//! - Once anything went wrong nothing more is sent; what was noted and not sent is settled as not sent.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use handover_connect::{Bulk, Upsert};
use handover_store::{Commit, Worked};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::Error;
use crate::observe::Event;
use crate::pass::Pass;
use crate::send::{Sent, is_repeatable};
use crate::setup::Ready;
use crate::waiting::Waiting;
use crate::write::{Batch, Kind, Outgoing, batch_id};

/// Waves between judging and their outcomes, at most: what memory holds of a flow of any size.
const UNDER_WAY: u32 = 3;

/// For how many a large batch counts: no two of them are there at once.
const LARGE: u32 = 2;

/// After how many more blocks it is noted how far a flow came: a successor judges so many again, which takes
/// less than the notes of each would.
const STRIDE: i64 = 10;

/// Single writes would otherwise leave too many intents to look up after a crash.
const SINGLE: usize = 32;

/// How far a flow came once a wave is settled.
#[derive(Clone, Copy, Default)]
struct Reached {
    /// The records of all blocks before this one have outcomes.
    block: i64,
    /// Records that were judged.
    done: u64,
}

/// Batches whose intents are made durable together.
struct Wave {
    batches: Vec<Batch>,
    reached: Reached,
    room: OwnedSemaphorePermit,
}

/// What became of a wave.
struct Answered {
    sent: Vec<Sent>,
    reached: Reached,
    room: OwnedSemaphorePermit,
}

/// What the stages share.
struct Line {
    pass: Arc<Pass>,
    ready: Arc<Ready>,
    /// Set once something went wrong.
    halted: AtomicBool,
    /// What went wrong first.
    error: Mutex<Option<Error>>,
}

impl Line {
    fn halt(&self, error: Error) {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.halted.store(true, Ordering::SeqCst);
    }

    fn is_halted(&self) -> bool {
        self.halted.load(Ordering::SeqCst)
    }
}

/// Gathers records into full batches across blocks, since calls are the users' scarcest good, and sends them.
pub(crate) struct Writer {
    line: Arc<Line>,
    creates: Waiting,
    updates: Waiting,
    /// Records that the target takes at once.
    batch: usize,
    /// Records of a wave.
    wave: usize,
    /// Whether what is made anew goes apart.
    apart: bool,
    reached: Reached,
    /// Up to which block the stages were told.
    told: i64,
    room: Arc<Semaphore>,
    waves: Option<mpsc::Sender<Wave>>,
    stages: JoinSet<()>,
}

impl Writer {
    /// For a whole flow, of which so many blocks were worked through before: notes how far it comes.
    pub(crate) fn of_flow(pass: &Arc<Pass>, ready: &Arc<Ready>, worked: i64, total: u64) -> Result<Self, Error> {
        Self::new(pass, ready, worked, Some(total))
    }

    /// For single records of a flow.
    pub(crate) fn of_records(pass: &Arc<Pass>, ready: &Arc<Ready>) -> Result<Self, Error> {
        Self::new(pass, ready, 0, None)
    }

    fn new(pass: &Arc<Pass>, ready: &Arc<Ready>, worked: i64, total: Option<u64>) -> Result<Self, Error> {
        let end = &ready.flow.target;
        let system = pass.setup.project.system(&end.system)?;
        let can = system.capabilities().object(end.object.as_str());
        let size = can.map_or(1, |can| can.write_batch.max(1));
        // Where fewer records are there than pay, none wait longer than they must.
        let bulk = can.and_then(|can| can.bulk).filter(|bulk| total.is_none_or(|total| total >= bulk.least.into()));
        let bulk = |kind| -> Result<Option<Bulk>, Error> {
            let repeatable = is_repeatable(&pass.mode(ready, kind)?);
            Ok(bulk.filter(|_| repeatable))
        };
        let apart = can.is_some_and(|can| can.upsert == Upsert::ByIdOfKey);
        let policies = &pass.setup.project.policies;
        let batch = usize::try_from(size).unwrap_or(1);
        let wave = if batch == 1 { policies.wave.min(SINGLE) } else { policies.wave };
        let line = Arc::new(Line {
            pass: pass.clone(),
            ready: ready.clone(),
            halted: AtomicBool::new(false),
            error: Mutex::new(None),
        });
        let (waves, to_note) = mpsc::channel(1);
        let (noted, to_send) = mpsc::channel(1);
        let (answered, to_settle) = mpsc::channel(1);
        let mut stages = JoinSet::new();
        stages.spawn(note(line.clone(), to_note, noted));
        stages.spawn(send(line.clone(), to_send, answered));
        stages.spawn(settle(line.clone(), to_settle, worked, total));
        Ok(Self {
            line,
            creates: Waiting::new(bulk(Kind::Create)?),
            updates: Waiting::new(bulk(Kind::Update)?),
            batch,
            wave: (wave.max(batch) / batch) * batch,
            apart,
            reached: Reached { block: worked, done: 0 },
            told: worked,
            room: Arc::new(Semaphore::new(usize::try_from(UNDER_WAY).unwrap_or(1))),
            waves: Some(waves),
            stages,
        })
    }

    /// Takes a record that is to be written.
    pub(crate) fn push(&mut self, one: Outgoing) {
        if one.target.is_some() { self.updates.push(one) } else { self.creates.push(one) }
    }

    /// Sends the waves that are full.
    pub(crate) async fn send_full(&mut self) -> Result<(), Error> {
        loop {
            let update = match (self.creates.is_full(self.wave), self.updates.is_full(self.wave)) {
                (false, false) => return Ok(()),
                (true, true) => self.creates.len() < self.updates.len(),
                (_, update) => update,
            };
            self.next_wave(update).await?;
        }
    }

    /// All records of the blocks before this one were pushed or are settled.
    pub(crate) async fn reached(&mut self, block: i64, done: u64) -> Result<(), Error> {
        self.reached = Reached { block, done };
        // Where nothing is to be written no wave tells how far the flow came.
        if self.oldest().unwrap_or(block) >= self.told + STRIDE {
            self.hand_over(Vec::new()).await?;
        }
        Ok(())
    }

    /// Sends what is left, unless judging failed, and waits for all outcomes.
    pub(crate) async fn end(mut self, judged: Result<(), Error>) -> Result<(), Error> {
        let mut ended = judged;
        while ended.is_ok() && self.creates.len() + self.updates.len() > 0 {
            ended = self.next_wave(self.creates.len() < self.updates.len()).await;
        }
        if ended.is_ok() {
            ended = self.hand_over(Vec::new()).await;
        }
        if ended.is_err() {
            self.line.halted.store(true, Ordering::SeqCst);
        }
        self.waves = None;
        while let Some(stage) = self.stages.join_next().await {
            if let Err(error) = stage
                && error.is_panic()
            {
                std::panic::resume_unwind(error.into_panic());
            }
        }
        // What a stage says is why nothing more could be handed over.
        match self.line.error.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(error),
            None => ended,
        }
    }

    /// The first block that a record which waits here comes from.
    fn oldest(&self) -> Option<i64> {
        self.creates.iter().chain(self.updates.iter()).map(|write| write.case.block).min()
    }

    /// The next wave, of one kind.
    async fn next_wave(&mut self, update: bool) -> Result<(), Error> {
        let queue = if update { &mut self.updates } else { &mut self.creates };
        let mut batches = Vec::new();
        for writes in queue.next(self.wave, self.batch) {
            // Who has an identity and no counterpart had one.
            let (anew, rest): (Vec<Outgoing>, Vec<Outgoing>) =
                writes.into_iter().partition(|write| self.apart && !update && write.case.identity.is_some());
            let kind = if update { Kind::Update } else { Kind::Create };
            for (kind, writes) in [(Kind::Anew, anew), (kind, rest)] {
                if !writes.is_empty() {
                    batches.push(Batch { id: batch_id(&self.line.ready, &writes), kind, writes });
                }
            }
        }
        self.hand_over(batches).await
    }

    /// Gives a wave to the first stage as soon as there is room.
    async fn hand_over(&mut self, batches: Vec<Batch>) -> Result<(), Error> {
        let block = self.oldest().unwrap_or(self.reached.block).min(self.reached.block);
        let reached = Reached { block, ..self.reached };
        let room = if batches.iter().any(|batch| batch.writes.len() > self.batch) { LARGE } else { 1 };
        let (Ok(room), Some(waves)) = (self.room.clone().acquire_many_owned(room).await, &self.waves) else {
            return Err(Error::Stopped);
        };
        self.told = block;
        let taken = waves.send(Wave { batches, reached, room }).await.is_ok();
        // Whoever halted the line says why.
        if taken && !self.line.is_halted() { Ok(()) } else { Err(Error::Stopped) }
    }
}

/// The first stage: contents, identities, intents.
async fn note(line: Arc<Line>, mut waves: mpsc::Receiver<Wave>, noted: mpsc::Sender<Wave>) {
    while let Some(mut wave) = waves.recv().await {
        if line.is_halted() {
            continue;
        }
        if let Err(error) = line.pass.note_intents(&line.ready, &mut wave.batches).await {
            line.halt(error);
            continue;
        }
        if noted.send(wave).await.is_err() {
            return;
        }
    }
}

/// The second stage: requests.
async fn send(line: Arc<Line>, mut waves: mpsc::Receiver<Wave>, answered: mpsc::Sender<Answered>) {
    while let Some(Wave { batches, reached, room }) = waves.recv().await {
        if let Err(error) = line.pass.go_on() {
            line.halt(error);
        }
        let sent = if line.is_halted() {
            batches.into_iter().map(|batch| line.pass.not_sent(batch)).collect()
        } else {
            line.pass.send_all(&line.ready, batches).await
        };
        if sent.iter().any(|sent| sent.stop.is_some()) {
            line.halted.store(true, Ordering::SeqCst);
        }
        if answered.send(Answered { sent, reached, room }).await.is_err() {
            return;
        }
    }
}

/// The third stage: outcomes, and how far the flow came.
async fn settle(line: Arc<Line>, mut waves: mpsc::Receiver<Answered>, mut worked: i64, total: Option<u64>) {
    let mut last = worked;
    while let Some(Answered { sent, reached, room }) = waves.recv().await {
        if !sent.is_empty()
            && let Err(error) = line.pass.commit_outcomes(&line.ready, sent).await
        {
            line.halt(error);
        }
        if let Some(total) = total.filter(|_| !line.is_halted()) {
            last = reached.block;
            line.note_worked(&mut worked, last, STRIDE).await;
            let (flow, held) = (line.ready.flow.name.clone(), line.pass.threshold().held());
            line.pass.place.observer.on(Event::Working { flow, done: reached.done.min(total), total, held });
        }
        drop(room);
    }
    if total.is_some() && !line.is_halted() {
        line.note_worked(&mut worked, last, 1).await;
    }
}

impl Line {
    /// Notes that the flow has worked through all blocks before `block`, so that a successor need not look
    /// at them again. It may lag behind, never run ahead: it is written after the outcomes that it stands
    /// on, and not at all once a write was left without one.
    async fn note_worked(&self, worked: &mut i64, block: i64, stride: i64) {
        if block < *worked + stride || self.pass.left_open.load(Ordering::Relaxed) {
            return;
        }
        let (flow, snapshot) = (self.ready.flow.name.clone(), self.pass.setup.project.snapshot.clone());
        let row = Worked { flow, snapshot, blocks: block };
        match self.pass.place.store.commit(Commit { worked: vec![row], ..self.pass.commit() }).await {
            Ok(_) => *worked = block,
            Err(error) => self.halt(error.into()),
        }
    }
}
