//! Times as Dataverse writes and reads them (sheet: section 9): UTC with `Z`, whole seconds; days as `yyyy-MM-dd`.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

/// A second of the virtual clock, since the epoch.
pub(super) type Seconds = i64;

/// 1753-01-01T00:00:00Z: nothing earlier can be stored.
const EARLIEST: Seconds = -6_847_804_800;

/// `2026-01-31T12:00:00Z`. Texts of this form sort as their times do.
pub(super) fn stamp(at: Seconds) -> String {
    let at = Timestamp::from_second(at).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `08/22/2017 08:10:44`, the time within a delta token (sheet: section 4 \[doc\]).
pub(super) fn token_time(at: Seconds) -> String {
    let at = Timestamp::from_second(at).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%m/%d/%Y %H:%M:%S").to_string()
}

/// The time of a delta token.
pub(super) fn read_token_time(text: &str) -> Option<Seconds> {
    let at = DateTime::strptime("%m/%d/%Y %H:%M:%S", text).ok()?;
    at.in_tz("UTC").ok().map(|zoned| zoned.timestamp().as_second())
}

/// A time with `Z`, an offset, or nothing, which means UTC; fractions are dropped.
pub(super) fn read(text: &str) -> Option<Seconds> {
    if !text.contains('T') {
        return None;
    }
    let at = match text.parse::<Timestamp>() {
        Ok(at) => at.as_second(),
        Err(_) => text.parse::<DateTime>().ok()?.in_tz("UTC").ok()?.timestamp().as_second(),
    };
    (at >= EARLIEST).then_some(at)
}

/// A calendar day, not before 1753.
pub(super) fn read_day(text: &str) -> Option<String> {
    let day = (text.len() == 10).then(|| text.parse::<Date>().ok()).flatten()?;
    (day.year() >= 1753).then(|| day.to_string())
}

/// The day of a stamp as people of the organization read it: `1/31/2026`.
pub(super) fn display_day(stamp: &str) -> Option<String> {
    let day: Date = stamp.get(..10)?.parse().ok()?;
    Some(format!("{}/{}/{}", day.month(), day.day(), day.year()))
}

/// `1/31/2026 12:00 PM`.
pub(super) fn display(stamp: &str) -> Option<String> {
    let at = Timestamp::from_second(read(stamp)?).ok()?;
    let hour = at.strftime("%I:%M %p").to_string();
    Some(format!("{} {}", display_day(stamp)?, hour.trim_start_matches('0')))
}
