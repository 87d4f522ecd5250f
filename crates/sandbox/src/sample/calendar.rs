//! The sample's time: five years that end on 31 October 2026, office hours, in seconds since 1970 (UTC).

use jiff::Timestamp;

use super::dice::Dice;

/// 2021-11-01T00:00:00Z, when the company began to use its CRM.
pub(super) const START: i64 = 1_635_724_800;
/// 2026-10-31T23:59:59Z, when the sample was taken.
pub(super) const END: i64 = 1_793_491_199;
/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;

/// A moment in office hours on a weekday between `from` and `to`; never before `from`, never after `to`.
pub(super) fn moment(dice: &mut Dice, from: i64, to: i64) -> i64 {
    let day = dice.between(from, to).div_euclid(DAY);
    // 1970-01-01 was a Thursday, so Monday is 0 here.
    let weekday = (day + 3).rem_euclid(7);
    let day = if weekday > 4 { day - (weekday - 4) } else { day };
    (day * DAY + dice.between(7 * 3600, 17 * 3600)).clamp(from, to.max(from))
}

/// When a record added at `added` was deleted: in the last weeks, so that no purge has removed it.
pub(super) fn deletion(dice: &mut Dice, added: i64) -> i64 {
    (END - dice.between(DAY, 20 * DAY)).max(added)
}

/// RFC 3339 with whole seconds: `2026-10-31T23:59:59Z`.
pub(super) fn rfc3339(second: i64) -> String {
    Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// RFC 3339 with three zeros for milliseconds, as HubSpot writes times.
pub(super) fn millis(second: i64) -> String {
    let mut text = rfc3339(second);
    text.truncate(19);
    text + ".000Z"
}

/// Pipedrive's first API: `2026-10-31 23:59:59`, UTC.
pub(super) fn spaced(second: i64) -> String {
    let mut text = rfc3339(second);
    text.truncate(19);
    text.replace('T', " ")
}

/// The date alone: `2026-10-31`.
pub(super) fn date(second: i64) -> String {
    let mut text = rfc3339(second);
    text.truncate(10);
    text
}
