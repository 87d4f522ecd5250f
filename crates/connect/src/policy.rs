//! What is done after a request failed: sent again after a while, or given up.

use jiff::{SignedDuration, Timestamp};

use crate::{Fault, FaultKind, Limited};

/// The longest wait that is slept through, in milliseconds. A system that asks for more (HubSpot while an
/// account is moved: up to a day, sheet: HubSpot section 7 \[doc\]) is told about instead, so that nobody
/// waits for hours without knowing.
const LONGEST_WAIT_MS: u64 = 10 * 60 * 1_000;

/// How often a refusal that may pass is asked about again before it is believed.
const DOUBTS: u32 = 2;

/// What to do after a failed attempt.
pub(crate) enum Next {
    Again { wait_ms: u64 },
    GiveUp(Fault),
}

/// The one policy for failed requests. `harmless`: sending again can do nothing twice. `attempt` counts
/// from 0, `retries` is how often a failure is borne.
pub(crate) fn after(fault: Fault, harmless: bool, attempt: u32, retries: u32, now: Timestamp) -> Next {
    let backoff = 500_u64.saturating_mul(1 << attempt.min(6)).min(30_000);
    let limited = fault.detail.limited.as_ref();
    let asked = limited.and_then(|limited| limited.wait_ms).unwrap_or(0);
    let wait_ms = match fault.kind {
        // A limit refuses before anything is done, so waiting is always right, except for a day's.
        FaultKind::Limited if !fault.is_daily_limit() && attempt < retries.max(1) * 4 => {
            let until = limited
                .and_then(|limited| limited.until)
                .map_or(0, |until| u64::try_from(until.duration_since(now).as_millis()).unwrap_or(0));
            asked.max(until).max(backoff)
        }
        FaultKind::Unavailable | FaultKind::Malformed if harmless && attempt < retries => asked.max(backoff),
        FaultKind::Auth | FaultKind::Denied if fault.detail.passing && attempt < retries.min(DOUBTS) => backoff,
        FaultKind::Limited
        | FaultKind::Unavailable
        | FaultKind::Malformed
        | FaultKind::Auth
        | FaultKind::Denied
        | FaultKind::NotFound
        | FaultKind::Conflict
        | FaultKind::Invalid
        | FaultKind::Unsupported => return Next::GiveUp(fault),
    };
    match bearable(wait_ms, now, fault) {
        Ok(()) => Next::Again { wait_ms },
        Err(fault) => Next::GiveUp(fault),
    }
}

/// Refuses a wait that is too long to sleep through; `cause` says what is waited for.
pub(crate) fn bearable(wait_ms: u64, now: Timestamp, cause: Fault) -> Result<(), Fault> {
    if wait_ms <= LONGEST_WAIT_MS {
        return Ok(());
    }
    let until = later(now, wait_ms);
    let message = format!("{}; the system asks to wait until {until:.0}", cause.message);
    let mut fault = Fault { kind: FaultKind::Unavailable, message, ..cause };
    let none = Limited { limit: "", daily: false, until: None, wait_ms: None };
    fault.detail.limited.get_or_insert(none).until = Some(until);
    Err(fault)
}

/// The instant so many milliseconds later.
pub(crate) fn later(now: Timestamp, wait_ms: u64) -> Timestamp {
    let wait = SignedDuration::from_millis(i64::try_from(wait_ms).unwrap_or(i64::MAX));
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}
