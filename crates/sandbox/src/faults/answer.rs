//! One request through the plan, the platform, the log and the journal, in this order.

use jiff::Timestamp;

use super::{Decision, Fault, FaultPlan, Interference, Invented};
use crate::journal::{Delivered, Entry, Journal};
use crate::persist::Log;
use crate::{Delivery, Handled, Platform, Reply, Request};

/// Answers one request: the plan first, then the platform, then the log, then the journal.
pub(crate) fn handle(
    platform: &mut dyn Platform,
    plan: &mut FaultPlan,
    journal: &mut Journal,
    log: Option<&mut Log>,
    request: &Request,
    now: Timestamp,
) -> Handled {
    let decision = plan.decide(request, platform.refreshable(request));
    let mut log = log;
    let mut disturbed = Vec::new();
    for disturbance in &decision.before {
        let changes = platform.disturb(disturbance, now);
        if let Some(log) = log.as_deref_mut() {
            log.disturbed(now, disturbance);
        }
        disturbed.extend(changes);
    }
    if !disturbed.is_empty() {
        journal.push_disturbance(now, disturbed);
    }
    let mut entry = Entry::of(request, now);
    entry.rule = decision.rule.clone();
    let (delivery, events) = match before_commit(&decision) {
        Some(delivery) => (
            delivery.map_or(Delivery::Silence, |f| {
                Delivery::Whole(platform.fault_reply(&f, now))
            }),
            vec![],
        ),
        None => {
            let interference = match decision.fault {
                Some(Fault::HalfBatch { apply_only, .. }) => Interference {
                    apply_only: Some(apply_only),
                },
                _ => Interference::default(),
            };
            let outcome = platform.handle(request, now, &interference);
            // On disk before the reply leaves: a sandbox that is killed forgets nothing it answered.
            if let Some(log) = log.as_deref_mut()
                && platform.changes_state(request)
                && (outcome.reply.status < 400 || !outcome.changes.is_empty())
            {
                log.handled(now, request, &interference);
            }
            entry.cost = platform.cost();
            entry.applied_status = Some(outcome.reply.status);
            entry.changes = outcome.changes;
            (
                after_commit(platform, &decision, outcome.reply, now),
                outcome.events,
            )
        }
    };
    entry.delivered = match &delivery {
        Delivery::Whole(reply) => {
            entry.status = Some(reply.status);
            Delivered::Whole
        }
        Delivery::Cut { reply, .. } => {
            entry.status = Some(reply.status);
            Delivered::Cut
        }
        Delivery::Silence => Delivered::Lost,
    };
    journal.push(entry);
    for disturbance in &decision.after {
        let changes = platform.disturb(disturbance, now);
        if let Some(log) = log.as_deref_mut() {
            log.disturbed(now, disturbance);
        }
        journal.push_disturbance(now, changes);
    }
    Handled {
        delivery,
        delay_ms: decision.delay_ms,
        events,
    }
}

/// The answer of a fault that keeps the request from the platform: `Some(None)` is silence.
fn before_commit(decision: &Decision) -> Option<Option<Invented>> {
    match decision.fault.as_ref()? {
        Fault::Limited {
            scope,
            retry_after_s,
        } => Some(Some(Invented::Limited {
            scope: *scope,
            retry_after_s: *retry_after_s,
        })),
        Fault::Unavailable { status } => Some(Some(Invented::Failed { status: *status })),
        Fault::LostBefore => Some(None),
        Fault::ExpiredToken { .. } => Some(Some(Invented::ExpiredToken)),
        Fault::Maintenance {
            status,
            retry_after_s,
        } => Some(Some(Invented::Maintenance {
            status: *status,
            retry_after_s: *retry_after_s,
        })),
        Fault::LostAfter { .. }
        | Fault::HalfBatch { .. }
        | Fault::Cut { .. }
        | Fault::Malformed
        | Fault::Slow { .. }
        | Fault::Disturb { .. } => None,
    }
}

/// How the platform's reply reaches the client.
fn after_commit(
    platform: &dyn Platform,
    decision: &Decision,
    reply: Reply,
    now: Timestamp,
) -> Delivery {
    match &decision.fault {
        Some(Fault::LostAfter { status } | Fault::HalfBatch { status, .. }) => match status {
            Some(status) => {
                Delivery::Whole(platform.fault_reply(&Invented::Failed { status: *status }, now))
            }
            None => Delivery::Silence,
        },
        Some(Fault::Cut { bytes }) => Delivery::Cut {
            bytes: (*bytes).min(reply.body.len()),
            reply,
        },
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
