//! Times as the account tells them: with its own offset, which daylight saving moves.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// Seconds since 1970, UTC.
pub(super) type Seconds = i64;

/// `2026-05-28T04:33:44-05:00`.
pub(super) fn told(at: Seconds, zone: &TimeZone) -> String {
    let Ok(at) = Timestamp::from_second(at) else { return String::new() };
    at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// `2026-05-28 04:33:44`: the account's wall clock, without saying so (sheet: section 4, time trap \[rec\]).
pub(super) fn wall(at: Seconds, zone: &TimeZone) -> String {
    let Ok(at) = Timestamp::from_second(at) else { return String::new() };
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Reads an instant: ISO 8601 with an offset, or without one in the account's zone.
pub(super) fn read(text: &str, zone: &TimeZone) -> Option<Seconds> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.as_second());
    }
    let civil: DateTime = text.parse().ok()?;
    Some(civil.to_zoned(zone.clone()).ok()?.timestamp().as_second())
}

/// A day, `YYYY-MM-DD`.
pub(super) fn day(text: &str) -> Option<Date> {
    if text.len() == 10 { text.parse().ok() } else { None }
}
