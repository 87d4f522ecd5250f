//! Times as Zoho writes and reads them (sheet: section 5, formats): `2026-05-14T12:53:58+03:00` in the zone of the
//! user who asks, to the second. Kept in UTC, so that texts sort as their times do.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

/// A second of the virtual clock, since the epoch.
pub(super) type Seconds = i64;

/// `2026-05-14T09:53:58Z`: how times are kept.
pub(super) fn kept(at: Seconds) -> String {
    Timestamp::from_second(at).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// `2026-05-14T12:53:58+03:00`.
pub(super) fn told(at: Seconds, offset_min: i32) -> String {
    let offset = Offset::from_seconds(offset_min * 60).unwrap_or(Offset::UTC);
    let local = offset.to_datetime(Timestamp::from_second(at).unwrap_or(Timestamp::UNIX_EPOCH));
    let (sign, minutes) = if offset_min < 0 { ('-', -offset_min) } else { ('+', offset_min) };
    format!("{}{sign}{:02}:{:02}", local.strftime("%Y-%m-%dT%H:%M:%S"), minutes / 60, minutes % 60)
}

/// A kept time in a user's zone.
pub(super) fn retold(kept: &str, offset_min: i32) -> String {
    read(kept).map_or_else(|| kept.to_owned(), |at| told(at, offset_min))
}

/// A time with an offset or `Z`.
pub(super) fn read(text: &str) -> Option<Seconds> {
    if !text.is_ascii() || !text.contains('T') {
        return None;
    }
    text.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

/// A time as a record may bring it: with an offset, without parts of seconds (sheet: section 5, formats).
pub(super) fn read_strict(text: &str) -> Option<Seconds> {
    let fits = text.len() == 25 && matches!(text.as_bytes().get(19), Some(b'+' | b'-'));
    fits.then(|| read(text)).flatten()
}

/// A calendar day, `2026-05-14`.
pub(super) fn read_day(text: &str) -> Option<String> {
    (text.len() == 10).then(|| text.parse::<Date>().ok()).flatten().map(|day| day.to_string())
}
