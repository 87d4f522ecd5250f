//! What happens beside the passes on schedule: webhooks that begin a pass, answers, a second worker.

use std::collections::BTreeMap;

use handover_connect::Clock as _;
use jiff::{SignedDuration, Timestamp};

use super::Weeks;
use crate::deeds::lock;
use crate::mishaps::{Death, Mishap};
use crate::oracle::{NEW, OLD, Span};
use crate::post::Letter;
use crate::process::{Ended, Process};
use crate::scene::Broken;
use crate::worker::Pause;

/// How long another worker waits for one that is silent: its lease, and as long as its requests may take.
const LEASE: SignedDuration = SignedDuration::from_secs(126);

impl Weeks<'_> {
    /// A webhook arrives; gives whether we have kept it.
    pub(super) fn deliver(&self, letter: Letter) -> bool {
        let status = match &self.process {
            Some(process) if letter.arrives() => Some(process.receive(letter.side, &letter.event)),
            _ => None,
        };
        let mut society = lock(&self.society);
        let (now, side) = (self.clock.now(), letter.side);
        let sandbox = society.sandboxes[side].clone();
        society.post.answered(letter, status, &mut lock(&sandbox), (now, now + self.ahead[side]));
        status == Some(200)
    }

    /// A pass over what was told.
    pub(super) fn told(&mut self) -> Result<(), Broken> {
        let Some(process) = self.process.take().filter(|_| self.loaded && !self.is_quiet) else { return Ok(()) };
        let began = self.clock.now();
        let death = Death::draw(&mut self.telling, self.scenario);
        let ended = process.told(death);
        self.process = Some(process);
        match ended {
            None => return Ok(()),
            Some(Ended::Failed(error)) => self.explain(&error),
            Some(Ended::Finished(_) | Ended::Guarded(_)) => self.counted.told += 1,
            Some(Ended::Died) => self.died(death),
        }
        self.beside(began);
        Ok(())
    }

    /// The process died.
    pub(super) fn died(&mut self, death: Death) {
        if let Some(mishap) = death.mishap() {
            *self.counted.mishaps.entry(mishap).or_default() += 1;
        }
        self.process = None;
    }

    /// Somebody answers some of what is held, and it is carried.
    pub(super) fn answer(&mut self) {
        let Some(process) = &self.process else { return };
        let began = self.clock.now();
        let (answered, ended) = process.answers(&mut self.answering, self.scene.places.mail());
        for one in &answered {
            *self.counted.answers.entry(one.word.name()).or_default() += 1;
        }
        self.answered.extend(answered);
        match ended {
            None => return,
            Some(Ended::Failed(error)) => self.explain(&error),
            Some(Ended::Finished(_) | Ended::Guarded(_) | Ended::Died) => {}
        }
        self.beside(began);
    }

    /// A pass over some records only: it may have carried anything, and need not have.
    pub(super) fn beside(&mut self, began: Timestamp) {
        let entries = [OLD, NEW].map(|side| lock(&lock(&self.society).sandboxes[side]).journal().len());
        self.passes.push(Span {
            began,
            ended: self.clock.now(),
            whole: false,
            entries,
            confirmed: BTreeMap::default(),
            tripped: BTreeMap::default(),
        });
    }

    /// A worker is paused in mid-pass; another one takes over once its lease is over, and the first comes back.
    pub(super) fn succession(&mut self) -> Result<(), Broken> {
        let Some(process) = self.process.take().filter(|_| self.loaded) else { return Ok(()) };
        let began = self.clock.now();
        let nth = u64::try_from(self.workers.between(1, 16)).unwrap_or(1);
        let pause = if self.workers.chance(500) { Pause::Before(nth) } else { Pause::Behind(nth) };
        let paused = match process.pause(pause) {
            Ok(paused) => paused,
            Err(other) => {
                let (process, ended) = *other;
                self.process = Some(process);
                if let Ended::Failed(error) = ended {
                    self.explain(&error);
                }
                self.beside(began);
                return Ok(());
            }
        };
        self.beside(began);
        let silent = LEASE + self.workers.seconds(0, 9_000);
        self.people_until(self.clock.now() + silent)?;
        let second = Process::start(&self.place(&BTreeMap::new()), Some(paused.store()))?;
        match second {
            Ok(second) => self.process = Some(second),
            Err(error) => self.explain(&error),
        }
        if self.process.is_some() {
            self.guard.waits();
            self.pass(Death::No)?;
        }
        let back = paused.comes_back();
        self.wrong.extend(back);
        *self.counted.mishaps.entry(Mishap::Zombie).or_default() += 1;
        Ok(())
    }
}
