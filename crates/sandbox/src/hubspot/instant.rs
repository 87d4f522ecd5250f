//! Points in time as HubSpot writes and reads them: ISO 8601 with milliseconds and `Z`, or epoch
//! milliseconds; and the calendar day of an account, at whose end daily budgets reset.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Milliseconds in a day.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// `2024-01-01T00:00:00.000Z`.
pub(crate) fn iso(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |t| format!("{t:.3}"))
}

/// Epoch milliseconds, or an ISO 8601 date-time with an offset; `None` when it is neither.
pub(crate) fn parse(text: &str) -> Option<i64> {
    if let Ok(ms) = text.parse::<i64>() {
        return Some(ms);
    }
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

/// The civil day of epoch milliseconds at UTC, `2024-01-01`.
pub(crate) fn day(ms: i64) -> Option<Date> {
    Timestamp::from_millisecond(ms).ok().map(|t| t.to_zoned(TimeZone::UTC).date())
}

/// Midnight UTC of `YYYY-MM-DD`.
pub(crate) fn midnight(text: &str) -> Option<i64> {
    let date: Date = if text.len() == 10 { text.parse().ok()? } else { return None };
    date.to_zoned(TimeZone::UTC).ok().map(|z| z.timestamp().as_millisecond())
}

/// Start (epoch ms) of the account's day that holds `ms`, and of the next one.
pub(crate) fn account_day(ms: i64, zone: &TimeZone) -> (i64, i64) {
    let fallback = (ms - ms.rem_euclid(DAY_MS), ms - ms.rem_euclid(DAY_MS) + DAY_MS);
    let Ok(at) = Timestamp::from_millisecond(ms) else { return fallback };
    let start = at.to_zoned(zone.clone()).start_of_day();
    let next = start.as_ref().ok().and_then(|s| s.tomorrow().ok()).and_then(|t| t.start_of_day().ok());
    match (start, next) {
        (Ok(start), Some(next)) => (start.timestamp().as_millisecond(), next.timestamp().as_millisecond()),
        _ => fallback,
    }
}
