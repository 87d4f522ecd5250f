//! Watermarks: how far the changes of an object were read, and from where the next reading goes on.
//!
//! A system's list of changes lies in four ways: a change shows late (its index lags), its clock is not ours, its
//! times are rounded, and what changes while the list is read may be missed. So a watermark never passes the
//! moment at which the reading began, by the system's clock, and the next reading goes back by an overlap. What
//! comes again is recognised by its values and costs no write.
//!
//! Invariants, as long as lag and rounding together are shorter than the overlap:
//! - Every change is read by the first reading that begins when it shows, or by a later one.
//! - Nothing is read for ever: a watermark that was read again after the overlap has passed is *closed*, and the
//!   next reading begins behind it. So quiet weeks cost one page, even after a million changes at one time.
//! - A watermark never passes the oldest record that a reading left unfinished.
//! - A clock that was set, the system's or ours, costs a second look and no change: see [`Watermark::under`] and
//!   [`Ahead`].
//!
//! All times in here are the system's clock's: ours may be set without a word.

use jiff::{SignedDuration, Timestamp};

/// How far the changes of an object were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermark {
    /// The latest modification that counts as read.
    pub at: Timestamp,
    /// When the reading began that first came this far.
    pub reached: Timestamp,
    /// Whether it was read once more after the overlap.
    pub closed: bool,
}

/// What is known of a system's sense of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// How far a reading goes back. Longer than a change takes to show, and than the rounding.
    pub overlap: SignedDuration,
    /// The smallest step of its times.
    pub tick: SignedDuration,
}

/// One reading of changes, from its watermark to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When it began.
    pub began: Timestamp,
    /// The latest modification among the records that it brought.
    pub latest: Option<Timestamp>,
    /// The earliest modification among those that it left unfinished; a durable hold is finished.
    pub unfinished: Option<Timestamp>,
}

impl Watermark {
    /// Before the first reading of changes: all that happened since a reading of everything began is open.
    pub fn since_whole_reading(began: Timestamp) -> Self {
        Self { at: began, reached: began, closed: false }
    }

    /// The watermark for a reading that begins at `now`, when the system's clock is `back` further behind ours than
    /// it was at the last reading: what changed since may be stamped so much earlier, and is looked for there.
    /// `None` for a watermark that lies in the future all the same: nothing is known of how it came there.
    pub fn under(self, back: SignedDuration, now: Timestamp, clocks: &Clocks) -> Option<Self> {
        let here = if back > STEADY {
            Self { at: later(self.at, -back), reached: now, closed: false }
        } else if back < -STEADY || self.reached > later(now, STEADY) {
            // The overlap is counted anew: between two times of a clock that was set nothing can be counted.
            Self { reached: now, ..self }
        } else {
            self
        };
        (here.at <= later(now, clocks.overlap)).then_some(here)
    }

    /// The earliest modification that the next reading asks for.
    pub fn since(&self, clocks: &Clocks) -> Timestamp {
        if self.closed { later(self.at, clocks.tick) } else { later(self.at, -clocks.overlap) }
    }

    /// The watermark behind a reading that was carried to its end.
    #[must_use]
    pub fn behind(&self, seen: &Seen, clocks: &Clocks) -> Self {
        let mut at = seen.latest.map_or(self.at, |latest| self.at.max(latest.min(seen.began)));
        if let Some(unfinished) = seen.unfinished {
            at = at.min(later(unfinished, -clocks.tick));
        }
        if at == self.at {
            let again = seen.began.duration_since(self.reached) >= clocks.overlap;
            return Self { closed: self.closed || again, ..*self };
        }
        Self { at, reached: seen.began, closed: false }
    }
}

/// How far a system's clock counts as ahead of ours.
///
/// A clock that was set back counts at once: what it stamps lies before what it stamped. One that was set forward
/// counts when the overlap has passed: until then changes may show that bear its old time, and a watermark of the new
/// one would lie behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ahead {
    /// How far, as long as nothing says otherwise.
    pub(crate) by: SignedDuration,
    /// When it was first seen to have been set forward, by our clock.
    pub(crate) set: Option<Timestamp>,
}

impl Ahead {
    /// Of a clock that nobody has set.
    pub(crate) fn of(by: SignedDuration) -> Self {
        Self { by, set: None }
    }

    /// What counts now, when the system's clock is `told` ahead of ours and `mark` was read last.
    pub(crate) fn now(self, told: SignedDuration, ours: Timestamp, mark: &Watermark, clocks: &Clocks) -> Self {
        let forward = told.saturating_sub(self.by);
        if forward.abs() <= STEADY {
            return Self::of(self.by);
        }
        // Ours was set back instead: by the old difference no time would have passed since the last reading.
        let ours_was_set = later(ours, self.by) < later(mark.reached, -STEADY);
        let set = self.set.map_or(ours, |set| set.min(ours));
        if forward.is_negative() || ours_was_set || ours.duration_since(set) >= clocks.overlap {
            return Self::of(told);
        }
        Self { by: self.by, set: Some(set) }
    }
}

/// Clocks that drift no further apart are taken to go on as they did: an estimate is not finer than that, and what
/// it misses is far shorter than any overlap.
pub(crate) const STEADY: SignedDuration = SignedDuration::from_secs(10);

/// A time that much later, at most the end of time.
pub(crate) fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    let end = if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX };
    time.checked_add(by).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::{SignedDuration, Timestamp};
    use proptest::prelude::*;

    use super::{Ahead, Clocks, Seen, Watermark, later};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn seconds(seconds: i64) -> SignedDuration {
        SignedDuration::from_secs(seconds)
    }

    fn clocks() -> Clocks {
        Clocks { overlap: seconds(300), tick: seconds(1) }
    }

    fn seen(began: i64, latest: Option<i64>) -> Seen {
        Seen { began: at(began), latest: latest.map(at), unfinished: None }
    }

    #[test]
    fn it_moves_with_what_was_read_and_closes_behind_the_overlap() {
        let clocks = clocks();
        let start = Watermark::since_whole_reading(at(0));
        assert_eq!(start.since(&clocks), at(-300));
        let moved = start.behind(&seen(1_000, Some(900)), &clocks);
        assert_eq!((moved.since(&clocks), moved.closed), (at(600), false));
        // The same again, too early: still open.
        let early = moved.behind(&seen(1_100, Some(900)), &clocks);
        assert_eq!(early, moved);
        let closed = early.behind(&seen(1_300, Some(900)), &clocks);
        assert_eq!((closed.since(&clocks), closed.closed), (at(901), true));
        // Quiet for weeks.
        let quiet = closed.behind(&seen(1_000_000, None), &clocks);
        assert_eq!(quiet, closed);
        let woken = quiet.behind(&seen(1_000_100, Some(1_000_050)), &clocks);
        assert_eq!((woken.since(&clocks), woken.closed), (at(999_750), false));
    }

    #[test]
    fn it_passes_neither_the_readings_beginning_nor_what_is_unfinished() {
        let clocks = clocks();
        let start = Watermark::since_whole_reading(at(0));
        // Changed while it was read, or stamped by a clock that is ahead.
        assert_eq!(start.behind(&seen(1_000, Some(5_000)), &clocks).at, at(1_000));
        let unfinished = Seen { unfinished: Some(at(700)), ..seen(1_000, Some(900)) };
        let held_back = start.behind(&unfinished, &clocks);
        assert_eq!((held_back.at, held_back.closed), (at(699), false));
        // Also below where it was.
        let moved = start.behind(&seen(1_000, Some(900)), &clocks);
        assert_eq!(moved.behind(&Seen { unfinished: Some(at(400)), ..seen(1_100, None) }, &clocks).at, at(399));
    }

    #[test]
    fn a_watermark_in_the_future_is_not_believed_unless_the_clock_says_why() {
        let clocks = clocks();
        let mark = Watermark { at: at(10_000), reached: at(10_000), closed: true };
        let steady = |now| mark.under(seconds(0), at(now), &clocks);
        assert_eq!(steady(20_000), Some(mark));
        assert_eq!(steady(9_995), Some(mark));
        assert_eq!(steady(9_800), Some(Watermark { reached: at(9_800), ..mark }));
        assert_eq!(steady(9_699), None);
        // Set back by an hour: so much is looked at again, and what was closed is open.
        let back = mark.under(seconds(3_600), at(6_500), &clocks);
        assert_eq!(back, Some(Watermark { at: at(6_400), reached: at(6_500), closed: false }));
        assert_eq!(mark.under(seconds(3_600), at(6_000), &clocks), None);
        // Set forward: nothing can lie before it.
        let forward = mark.under(seconds(-3_600), at(14_000), &clocks);
        assert_eq!(forward, Some(Watermark { reached: at(14_000), ..mark }));
    }

    /// A system whose records change while it is read: who changed when, stamped by its own clock and rounding, and
    /// shown late. Its clock, or ours, is set once.
    #[derive(Debug)]
    struct System {
        /// Record and time of each change, in order of time.
        changes: Vec<(u8, i64)>,
        ahead: [i64; 2],
        set: i64,
        tick: i64,
        lag: i64,
    }

    impl System {
        /// How far its clock is ahead of ours.
        fn ahead(&self, when: i64) -> i64 {
            self.ahead[usize::from(when >= self.set)]
        }

        /// What a list of changes since some time brings when it begins at `began` and takes `long`: a record that
        /// changes meanwhile may have been passed already.
        fn list(&self, since: Timestamp, began: i64, long: i64) -> Vec<(u8, i64, i64)> {
            let mut records: BTreeSet<u8> = self.changes.iter().map(|(record, _)| *record).collect();
            let mut found = Vec::new();
            while let Some(record) = records.pop_first() {
                // Records are read in order of their ids, evenly over the reading.
                let when = began + long * i64::from(record) / 256;
                let shown = self.changes.iter().rfind(|(of, at)| *of == record && at + self.lag <= when);
                let Some((_, changed)) = shown else { continue };
                let stamp = (changed + self.ahead(*changed)).div_euclid(self.tick) * self.tick;
                if at(stamp) >= since {
                    found.push((record, *changed, stamp));
                }
            }
            found
        }
    }

    /// Reads what changed again and again, each reading after a pause and as long as it takes, and then until all
    /// must have come: no last change of a record is missed, and in the end nothing is read any more.
    fn read_all(system: &System, off: i64, pauses: Vec<(i64, i64)>) -> Result<(), TestCaseError> {
        let clocks = Clocks { overlap: seconds(300), tick: seconds(system.tick) };
        let whole = Watermark::since_whole_reading(at(system.ahead(0)));
        let (mut mark, mut then) = (whole, Ahead::of(seconds(system.ahead(0))));
        let mut read: BTreeSet<(u8, i64)> = BTreeSet::new();
        let mut now = 0;
        let quiet = std::iter::repeat_n((400, 0), 130);
        let mut last = Vec::new();
        for (pause, long) in pauses.into_iter().chain(quiet) {
            now += pause;
            // The estimate is not exact.
            let told = seconds(system.ahead(now) + off * (now % 2));
            let ahead = then.now(told, at(now), &mark, &clocks);
            let began = later(at(now), ahead.by);
            mark = mark.under(then.by - ahead.by, began, &clocks).unwrap_or(whole);
            then = ahead;
            last = system.list(mark.since(&clocks), now, long);
            read.extend(last.iter().map(|(record, changed, _)| (*record, *changed)));
            let latest = last.iter().map(|(.., stamp)| at(*stamp)).max();
            mark = mark.behind(&Seen { began, latest, unfinished: None }, &clocks);
            now += long;
        }
        prop_assert!(now > 21_000, "the last change shows before the end");
        let records: BTreeSet<u8> = system.changes.iter().map(|(record, _)| *record).collect();
        for record in records {
            let changed = system.changes.iter().rfind(|(of, _)| *of == record).map(|(_, at)| *at);
            prop_assert!(changed.is_some_and(|changed| read.contains(&(record, changed))), "record {record}");
        }
        prop_assert!(last.is_empty(), "{} records are read for ever", last.len());
        Ok(())
    }

    #[test]
    fn what_an_old_clock_stamped_shows_after_it_was_set_forward() {
        // Stamped a second before the clock was set, and shown when a change of the new time had been read.
        let changes = vec![(0, 1_496), (202, 1_554)];
        let system = System { changes, ahead: [-1_304, 0], set: 1_497, tick: 1, lag: 141 };
        read_all(&system, 0, vec![(1_497, 251)]).unwrap();
    }

    proptest! {
        /// Whatever the lag, the rounding and the clocks, and however far one of them is set back or forth.
        #[test]
        fn nothing_is_missed_and_nothing_is_read_for_ever(
            mut changes in prop::collection::vec((any::<u8>(), 0_i64..20_000), 1..200),
            ahead in [-7_200_i64..7_200, -7_200_i64..7_200],
            set in 0_i64..25_000,
            off in -5_i64..5,
            tick in prop::sample::select(vec![1_i64, 60]),
            lag in 0_i64..200,
            pauses in prop::collection::vec((prop_oneof![1_i64..60, 1_i64..2_000], prop_oneof![Just(0_i64), 0_i64..3_000]), 1..200),
        ) {
            changes.sort_by_key(|(_, at)| *at);
            // A part of them happens at one and the same time.
            let half = changes.len() / 2;
            let together = changes[half].1;
            for change in changes.iter_mut().skip(half).take(30) {
                change.1 = together;
            }
            changes.sort_by_key(|(_, at)| *at);
            read_all(&System { changes, ahead, set, tick, lag }, off, pauses)?;
        }
    }
}
