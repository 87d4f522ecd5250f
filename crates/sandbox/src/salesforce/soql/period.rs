//! Dates by name: `TODAY`, `LAST_N_DAYS:30`. Days are those of UTC; the user's time zone is left out.

use crate::salesforce::instant::Seconds;

const DAY: i64 = 86_400;

/// Whether the word, in capitals, names a period.
pub(super) fn is_known(word: &str) -> bool {
    matches!(word, "TODAY" | "YESTERDAY" | "TOMORROW" | "LAST_N_DAYS" | "NEXT_N_DAYS" | "LAST_90_DAYS" | "NEXT_90_DAYS")
}

/// The first second of the period, and the first after it.
pub(super) fn bounds(word: &str, n: i64, now: Seconds) -> (Seconds, Seconds) {
    let today = now - now.rem_euclid(DAY);
    match word {
        "YESTERDAY" => (today - DAY, today),
        "TOMORROW" => (today + DAY, today + 2 * DAY),
        "LAST_N_DAYS" => (today - n * DAY, today + DAY),
        "LAST_90_DAYS" => (today - 90 * DAY, today + DAY),
        "NEXT_N_DAYS" => (today + DAY, today + (n + 1) * DAY),
        "NEXT_90_DAYS" => (today + DAY, today + 91 * DAY),
        _ => (today, today + DAY),
    }
}
