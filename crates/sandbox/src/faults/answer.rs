//! One request through the plan, the platform, the log and the journal, in this order.

use jiff::Timestamp;

use super::{Decision, Disturbance, Fault, FaultPlan, Interference, Invented};
use crate::journal::{Delivered, Entry, Journal};
use crate::persist::Log;
use crate::{Delivery, Event, Handled, Outcome, Platform, Reply, Request};

/// Answers one request: the plan first, then the platform, then the log, then the journal. `now` is the platform's
/// own time.
pub(crate) fn handle(
    platform: &mut dyn Platform,
    plan: &mut FaultPlan,
    journal: &mut Journal,
    mut log: Option<&mut Log>,
    request: &Request,
    now: Timestamp,
) -> Handled {
    let decision = plan.decide(request, platform.refreshable(request));
    let mut events = Vec::new();
    for disturbance in &decision.before {
        events.extend(disturb(platform, journal, log.as_deref_mut(), disturbance, now));
    }
    let mut entry = Entry::of(request, now);
    entry.rule = decision.rule.clone();
    let delivery = match before_commit(&decision) {
        Some(None) => Delivery::Silence,
        Some(Some(invented)) => Delivery::Whole(platform.fault_reply(&invented, now)),
        None => {
            let outcome = apply(platform, log.as_deref_mut(), &decision, request, now);
            entry.cost = platform.cost();
            entry.applied_status = Some(outcome.reply.status);
            entry.changes = outcome.changes;
            events.extend(outcome.events);
            after_commit(platform, &decision, outcome.reply, now)
        }
    };
    let delivery = dated(delivery, now);
    (entry.status, entry.delivered) = match &delivery {
        Delivery::Whole(reply) => (Some(reply.status), Delivered::Whole),
        Delivery::Cut { reply, .. } => (Some(reply.status), Delivered::Cut),
        Delivery::Silence => (None, Delivered::Lost),
    };
    journal.push(entry);
    for disturbance in &decision.after {
        events.extend(disturb(platform, journal, log.as_deref_mut(), disturbance, now));
    }
    Handled { delivery, delay_ms: decision.delay_ms, events }
}

/// The same with the platform's time, as every reply of an origin server with a clock has it (RFC 9110, section
/// 6.6.1).
fn dated(delivery: Delivery, now: Timestamp) -> Delivery {
    let stamp = |reply: Reply| match jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now) {
        Ok(date) => reply.with_header("date", date),
        Err(_) => reply,
    };
    match delivery {
        Delivery::Whole(reply) => Delivery::Whole(stamp(reply)),
        Delivery::Cut { reply, bytes } => Delivery::Cut { reply: stamp(reply), bytes },
        Delivery::Silence => Delivery::Silence,
    }
}

/// Lets the platform handle the request, and logs it if it may have changed something.
fn apply(
    platform: &mut dyn Platform,
    log: Option<&mut Log>,
    decision: &Decision,
    request: &Request,
    now: Timestamp,
) -> Outcome {
    let interference = match decision.fault {
        Some(Fault::HalfBatch { apply_only, .. }) => Interference { apply_only: Some(apply_only) },
        _ => Interference::default(),
    };
    let outcome = platform.handle(request, now, &interference);
    // On disk before the reply leaves: a sandbox that is killed forgets nothing it answered. Refusals
    // are left out, as limits would not refuse them in the same way when they are replayed.
    if let Some(log) = log
        && platform.changes_state(request)
        && (outcome.reply.status < 400 || !outcome.changes.is_empty())
    {
        log.handled(now, request, &interference);
    }
    outcome
}

/// Disturbs the world; gives the webhook deliveries that follow.
pub(crate) fn disturb(
    platform: &mut dyn Platform,
    journal: &mut Journal,
    log: Option<&mut Log>,
    disturbance: &Disturbance,
    now: Timestamp,
) -> Vec<Event> {
    let changes = platform.disturb(disturbance, now);
    if let Some(log) = log {
        log.disturbed(now, disturbance);
    }
    journal.push_disturbance(now, changes);
    platform.take_events()
}

/// The answer of a fault that keeps the request from the platform: `Some(None)` is silence.
fn before_commit(decision: &Decision) -> Option<Option<Invented>> {
    match decision.fault.as_ref()? {
        Fault::Limited { scope, retry_after_s } => {
            Some(Some(Invented::Limited { scope: *scope, retry_after_s: *retry_after_s }))
        }
        Fault::Unavailable { status } => Some(Some(Invented::Failed { status: *status })),
        Fault::LostBefore => Some(None),
        Fault::ExpiredToken { .. } => Some(Some(Invented::ExpiredToken)),
        Fault::Maintenance { status, retry_after_s } => {
            Some(Some(Invented::Maintenance { status: *status, retry_after_s: *retry_after_s }))
        }
        Fault::LostAfter { .. }
        | Fault::HalfBatch { .. }
        | Fault::Cut { .. }
        | Fault::Malformed
        | Fault::Slow { .. }
        | Fault::Disturb { .. } => None,
    }
}

/// How the platform's reply reaches the client.
fn after_commit(platform: &dyn Platform, decision: &Decision, reply: Reply, now: Timestamp) -> Delivery {
    match &decision.fault {
        Some(Fault::LostAfter { status } | Fault::HalfBatch { status, .. }) => match status {
            Some(status) => Delivery::Whole(platform.fault_reply(&Invented::Failed { status: *status }, now)),
            None => Delivery::Silence,
        },
        Some(Fault::Cut { bytes }) => Delivery::Cut { bytes: (*bytes).min(reply.body.len()), reply },
        Some(Fault::Malformed) => Delivery::Whole(malformed(reply)),
        _ => Delivery::Whole(reply),
    }
}

/// The first half of the body, which is no JSON any more, under the same status.
fn malformed(mut reply: Reply) -> Reply {
    let half = reply.body.len() / 2;
    reply.body.truncate(half);
    if reply.body.is_empty() {
        reply.body = b"{".to_vec();
    }
    reply
}
