//! Webhooks on their way from the systems to us: lost, doubled, out of order, late.
//!
//! What nobody answers is delivered again when its platform says so, and then it is signed anew.

use std::collections::BTreeMap;

use handover_sandbox::{Event, Sandbox};
use jiff::{SignedDuration, Timestamp};

use crate::dice::Dice;
use crate::mishaps::Mishap;

/// One delivery.
pub(crate) struct Letter {
    /// Whose.
    pub(crate) side: usize,
    pub(crate) event: Event,
    /// From 1.
    attempt: u32,
    /// Whether nobody is to answer it this time.
    fails: bool,
    number: u64,
}

/// Everything that is on its way.
pub(crate) struct Post {
    under_way: BTreeMap<(Timestamp, u64), Letter>,
    numbered: u64,
    /// The number of the newest that arrived.
    newest: u64,
    dice: Dice,
    pub(crate) counted: BTreeMap<Mishap, u64>,
}

impl Post {
    pub(crate) fn new(seed: u64) -> Self {
        let (under_way, counted) = (BTreeMap::new(), BTreeMap::new());
        Self { under_way, numbered: 0, newest: 0, dice: Dice::new(seed, "webhooks"), counted }
    }

    /// A system tells something.
    pub(crate) fn send(&mut self, side: usize, events: Vec<Event>, now: Timestamp) {
        for event in events {
            match self.dice.below(100) {
                0..10 => self.count(Mishap::WebhookLost),
                10..22 => {
                    self.count(Mishap::WebhookTwice);
                    self.put(side, event.clone(), now, (1, false));
                    let again = now + self.dice.seconds(1, 150);
                    self.put(side, event, again, (1, false));
                }
                22..30 => {
                    self.count(Mishap::WebhookLate);
                    self.put(side, event, now, (1, true));
                }
                _ => self.put(side, event, now, (1, false)),
            }
        }
    }

    fn put(&mut self, side: usize, event: Event, at: Timestamp, (attempt, fails): (u32, bool)) {
        // Most take a moment, some a few minutes: those overtake each other.
        let takes = if self.dice.chance(700) { self.dice.seconds(0, 2) } else { self.dice.seconds(3, 150) };
        self.queue(Letter { side, event, attempt, fails, number: 0 }, at + takes);
    }

    fn queue(&mut self, letter: Letter, at: Timestamp) {
        self.numbered += 1;
        self.under_way.insert((at, self.numbered), Letter { number: self.numbered, ..letter });
    }

    /// When the next one arrives.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.under_way.keys().next().map(|(at, _)| *at)
    }

    /// Takes the next one that has arrived by now.
    pub(crate) fn due(&mut self, now: Timestamp) -> Option<Letter> {
        let first = self.under_way.first_entry().filter(|first| first.key().0 <= now)?;
        let letter = first.remove();
        if letter.number < self.newest {
            self.count(Mishap::WebhookShuffled);
        }
        self.newest = self.newest.max(letter.number);
        Some(letter)
    }

    /// What we answered to it; nothing when nobody was there. `at` is the time of its system.
    pub(crate) fn answered(
        &mut self,
        letter: Letter,
        status: Option<u16>,
        sandbox: &mut Sandbox,
        (now, at): (Timestamp, Timestamp),
    ) {
        let Letter { side, event, attempt, .. } = letter;
        let Some(retry) = sandbox.platform_mut().delivered(&event, attempt, status, at) else { return };
        let wait = SignedDuration::from_millis(i64::try_from(retry.after_ms).unwrap_or(i64::MAX));
        let fails = self.dice.chance(300);
        let letter = Letter { side, event: retry.event, attempt: attempt + 1, fails, number: 0 };
        self.queue(letter, now + wait);
    }

    fn count(&mut self, mishap: Mishap) {
        *self.counted.entry(mishap).or_default() += 1;
    }
}

impl Letter {
    /// Whether it is to reach us.
    pub(crate) fn arrives(&self) -> bool {
        !self.fails
    }
}
