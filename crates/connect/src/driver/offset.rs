//! How far a system's clock is ahead of ours, by the `Date` of its replies (RFC 9110, section 6.6.1).
//!
//! A reply was made between the moment at which its request left and the one at which it came, and its `Date` is
//! cut to a second: that bounds the offset from both sides. The bounds of further replies narrow it; bounds that
//! contradict it mean that one of the clocks was set, and take its place.

use jiff::{SignedDuration, Timestamp};

/// A `Date` is cut to a second, and servers may keep the text of it for another.
const RESOLUTION: SignedDuration = SignedDuration::from_secs(2);

/// The best estimate so far.
#[derive(Debug, Default)]
pub(super) struct Offset {
    /// At least, and at most.
    bounds: Option<(SignedDuration, SignedDuration)>,
}

impl Offset {
    /// Takes note of a reply with this `Date`, whose request was sent and which was received at these times of our
    /// clock. What is no date is left aside, and so is a reply during which our own clock was set back.
    pub(super) fn told(&mut self, date: &str, sent: Timestamp, received: Timestamp) {
        let Ok(date) = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date) else { return };
        if received < sent {
            return;
        }
        let least = date.duration_since(received);
        let most = date.duration_since(sent).saturating_add(RESOLUTION);
        self.bounds = Some(match self.bounds {
            Some((low, high)) if low.max(least) <= high.min(most) => (low.max(least), high.min(most)),
            _ => (least, most),
        });
    }

    /// How far the system's clock is ahead; negative when it is behind.
    pub(super) fn ahead(&self) -> Option<SignedDuration> {
        let (low, high) = self.bounds?;
        Some(low.saturating_add(high.saturating_sub(low) / 2))
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::Offset;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + ms).unwrap()
    }

    /// The reply that a clock so far ahead gives at a moment of ours.
    fn date(ms: i64, ahead_ms: i64) -> String {
        jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at(ms + ahead_ms)).unwrap()
    }

    #[test]
    fn replies_narrow_the_offset_and_a_clock_that_was_set_begins_anew() {
        let mut offset = Offset::default();
        assert_eq!(offset.ahead(), None);
        for (no_date, sent, received) in [("", 0, 1), ("yesterday", 0, 1), (date(0, 0).as_str(), 10, 0)] {
            offset.told(no_date, at(sent), at(received));
            assert_eq!(offset.ahead(), None, "{no_date}");
        }
        for ahead_ms in [0, 3_600_000, -3_600_000, 400, -86_400_000] {
            // Each reply takes so long and is made somewhere in between.
            for step in 0..50 {
                let sent = step * 7_333;
                let (made, received) = (sent + step * 40, sent + step * 40 + 300);
                offset.told(&date(made, ahead_ms), at(sent), at(received));
                let off = offset.ahead().unwrap().as_millis() - i128::from(ahead_ms);
                assert!(off.abs() <= 2_300, "{off} ms beside {ahead_ms} ms at step {step}");
            }
            let off = offset.ahead().unwrap().saturating_sub(SignedDuration::from_millis(ahead_ms)).abs();
            assert!(off <= SignedDuration::from_millis(1_100), "{off} beside {ahead_ms} ms in the end");
        }
    }
}
