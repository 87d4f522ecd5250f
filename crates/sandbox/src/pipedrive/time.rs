//! Instants as Pipedrive writes them: RFC 3339 in v2, `YYYY-MM-DD HH:MM:SS` (UTC) in v1, both in
//! whole seconds (sheet: Pipedrive section 4 \[spec, obs\]).

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// Whole seconds since 1970, the resolution of the world's clock.
pub(super) type Seconds = i64;

/// `2021-01-01T00:00:00Z`.
pub(super) fn v2(at: Seconds) -> String {
    instant(at).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `2021-01-01 00:00:00`.
pub(super) fn v1(at: Seconds) -> String {
    instant(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `2021-01-01T00:00:00.000Z`, as leads and webhook metadata write it.
pub(super) fn millis(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Reads RFC 3339 in whole seconds; a fraction is refused.
pub(super) fn read_v2(text: &str) -> Option<Seconds> {
    let shape = text.len() >= 20 && text.as_bytes().get(10) == Some(&b'T') && !text.contains('.');
    shape.then(|| text.parse::<Timestamp>().ok())?.map(Timestamp::as_second)
}

/// Reads `YYYY-MM-DD HH:MM:SS` as UTC.
pub(super) fn read_v1(text: &str) -> Option<Seconds> {
    if text.len() != 19 || text.as_bytes().get(10) != Some(&b' ') {
        return None;
    }
    let civil: DateTime = DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()?;
    civil.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp().as_second())
}

/// Reads either form, and a bare date as midnight: world files and v1 parameters hold all of them.
pub(super) fn read_any(text: &str) -> Option<Seconds> {
    let whole = text.split_once('.').map_or_else(
        || text.to_owned(),
        |(head, tail)| {
            let zone = tail.trim_start_matches(|c: char| c.is_ascii_digit());
            format!("{head}{zone}")
        },
    );
    read_v2(&whole)
        .or_else(|| read_v1(&whole))
        .or_else(|| is_date(text).then(|| read_v1(&format!("{text} 00:00:00"))).flatten())
}

/// Whether the text is a date, `YYYY-MM-DD`.
pub(super) fn is_date(text: &str) -> bool {
    text.len() == 10 && Date::strptime("%Y-%m-%d", text).is_ok()
}

/// Whether the text is a time of day or a duration, `HH:MM` or `HH:MM:SS`.
pub(super) fn is_clock(text: &str) -> bool {
    match text.len() {
        5 => Time::strptime("%H:%M", text).is_ok(),
        8 => Time::strptime("%H:%M:%S", text).is_ok(),
        _ => false,
    }
}

/// The date of an instant in a zone, `YYYY-MM-DD`; in UTC when the zone is unknown.
pub(super) fn local_date(at: Seconds, zone: &str) -> String {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    instant(at).to_zoned(zone).strftime("%Y-%m-%d").to_string()
}

fn instant(at: Seconds) -> Timestamp {
    Timestamp::from_second(at).unwrap_or(Timestamp::UNIX_EPOCH)
}
