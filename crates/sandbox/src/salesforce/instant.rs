//! Times as Salesforce writes and reads them (sheet: section 2): `2026-01-31T12:00:00.000+0000` out, ISO in.

use jiff::Timestamp;
use jiff::civil::{Date, Time};

/// A second of the virtual clock, since the epoch.
pub(super) type Seconds = i64;

/// `2026-01-31T12:00:00.000+0000`. Texts of this form sort as their times do.
pub(super) fn stamp(at: Seconds) -> String {
    let at = Timestamp::from_second(at).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string()
}

/// `2026-01-31T12:00:00.000Z`, as results of bulk queries have it (sheet: section 4 \[doc\]).
pub(super) fn bulk_stamp(stamp: &str) -> String {
    stamp.replace("+0000", "Z")
}

/// `2026-01-31`.
pub(super) fn day(at: Seconds) -> String {
    stamp(at).chars().take(10).collect()
}

/// A time with `Z` or an offset.
pub(super) fn read(text: &str) -> Option<Seconds> {
    if !text.contains('T') {
        return None;
    }
    // `+0000` is Salesforce's own form; ISO wants a colon in it.
    let plain = match text.char_indices().rev().nth(3) {
        Some((at, _)) if at > 10 && text.get(..at).is_some_and(|head| head.ends_with(['+', '-'])) => {
            let (head, minutes) = text.split_at(at + 2);
            format!("{head}:{minutes}")
        }
        _ => text.to_owned(),
    };
    plain.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

/// A calendar day.
pub(super) fn read_day(text: &str) -> Option<String> {
    (text.len() == 10).then(|| text.parse::<Date>().ok()).flatten().map(|day| day.to_string())
}

/// A time of day, `12:30:00.000Z`.
pub(super) fn read_time(text: &str) -> Option<String> {
    let time = text.strip_suffix('Z').unwrap_or(text).parse::<Time>().ok()?;
    Some(time.strftime("%H:%M:%S.000Z").to_string())
}
