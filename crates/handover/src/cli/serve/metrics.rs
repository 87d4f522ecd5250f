//! What is counted and measured, in Prometheus' text format.
//!
//! Counters begin at 0 with each process. Names of flows, objects, systems and causes only, never a value.

use handover_engine::Times;
use handover_model::Outcome;
use handover_store::Error;

use super::desk::Desk;
use crate::cli::standing::{Standing, share};

/// A sample: its labels with their values, and its value.
type Sample<'s> = (Vec<(&'static str, &'s str)>, String);

/// The page.
#[derive(Default)]
struct Page(String);

impl Page {
    /// A family of samples; nothing at all where there is none.
    fn family<'s>(&mut self, name: &str, kind: &str, help: &str, samples: impl IntoIterator<Item = Sample<'s>>) {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return;
        }
        self.0.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        for (labels, value) in samples {
            let labels: Vec<String> =
                labels.into_iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            self.0.push_str(&format!("{name}{labels} {value}\n"));
        }
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// The metrics as they are now.
///
/// # Errors
/// When the state cannot be read.
pub(super) async fn of(desk: &Desk) -> Result<String, Error> {
    let standing = desk.standing().await?;
    let now = desk.clock.now();
    let mut page = Page::default();
    counted(desk, &mut page);
    let writes = standing.holder.as_ref().is_some_and(|holder| holder.worker == desk.state.worker());
    page.family(
        "handover_lease_held",
        "gauge",
        "1 while this worker writes the state, 0 while it stands by or nothing is to be done; in PostgreSQL.",
        desk.state.is_shared().then(|| (vec![("worker", desk.state.worker())], u8::from(writes).to_string())),
    );
    let good = || standing.flows.iter().filter_map(|(flow, _, good)| Some((flow.as_str(), good.as_ref()?)));
    page.family(
        "handover_last_good_pass_timestamp_seconds",
        "gauge",
        "When the last pass that carried all changes of a flow ended.",
        good().map(|(flow, good)| (vec![("flow", flow)], good.ended.as_second().to_string())),
    );
    page.family(
        "handover_lag_seconds",
        "gauge",
        "How long ago that pass began: what changed since may not have been carried yet.",
        good().map(|(flow, good)| (vec![("flow", flow)], good.lag_s(now).to_string())),
    );
    let records = standing.flows.iter().flat_map(|(flow, counts, _)| {
        Outcome::ALL.iter().map(move |outcome| {
            (vec![("flow", flow.as_str()), ("outcome", outcome.word())], counts.of(*outcome).to_string())
        })
    });
    page.family("handover_records", "gauge", "Records of a flow by what became of them.", records);
    page.family(
        "handover_holds",
        "gauge",
        "Holds by object and cause.",
        standing.holds.iter().map(|(object, cause, count)| {
            (vec![("object", object.as_str()), ("cause", cause.as_str())], count.to_string())
        }),
    );
    page.family(
        "handover_links_waiting",
        "gauge",
        "Links that wait for held records.",
        [(Vec::new(), standing.links_waiting.to_string())],
    );
    reconciled(&standing, &mut page);
    page.family(
        "handover_calls_left_today",
        "gauge",
        "What is left of a system's day in its own unit, the reserve taken off, where that is known.",
        standing.calls_left.iter().map(|(system, (left, _))| (vec![("system", system.as_str())], left.to_string())),
    );
    page.family(
        "handover_webhook_events_waiting",
        "gauge",
        "Events that were received and at which nobody has looked.",
        standing.webhooks.iter().map(|told| (vec![("system", told.system.as_str())], told.waiting.to_string())),
    );
    page.family(
        "handover_kill_date_timestamp_seconds",
        "gauge",
        "The day on which the old system is switched off, where the project names it.",
        desk.tally().kill_date.map(|day| (Vec::new(), day.at.as_second().to_string())),
    );
    Ok(page.0)
}

/// Fields that said something else when they were read than what was written, and how often.
fn reread(standing: &Standing, number: fn(Times) -> u64) -> Vec<Sample<'_>> {
    let counted = standing.reread.fields().map(|(flow, field, times)| (flow, field, number(times)));
    let some = counted.filter(|(.., number)| *number > 0);
    some.map(|(flow, field, number)| (vec![("flow", flow.as_str()), ("field", field.as_str())], number.to_string()))
        .collect()
}

/// What is known of pairs by looking at them again.
fn reconciled(standing: &Standing, page: &mut Page) {
    let known = || standing.reconciled.iter().map(|(flow, known)| (flow.as_str(), known));
    let open: Vec<_> = known().map(|(flow, known)| (flow, known.open())).collect();
    page.family(
        "handover_differences",
        "gauge",
        "Fields of pairs that differ although passes had the time to carry them.",
        open.iter().flat_map(|(flow, fields)| {
            fields.iter().map(|(field, number)| (vec![("flow", *flow), ("field", field.as_str())], number.to_string()))
        }),
    );
    page.family(
        "handover_differences_counted_total",
        "counter",
        "Differences that were found since the state was made.",
        known().map(|(flow, known)| (vec![("flow", flow)], known.counted.to_string())),
    );
    page.family(
        "handover_reconciled_ratio",
        "gauge",
        "The share of a flow's pairs that were looked at again in the round under way.",
        known().map(|(flow, known)| {
            let pairs = standing.flows.iter().find(|(name, ..)| name.as_str() == flow).map(|(name, ..)| name);
            let of = pairs.map_or(0, |name| standing.pairs(name));
            (vec![("flow", flow)], share(known.pairs, of).to_string())
        }),
    );
    page.family(
        "handover_reconciled_since_timestamp_seconds",
        "gauge",
        "Since when all pairs of a flow were looked at again: the beginning of the last whole round.",
        known().filter_map(|(flow, known)| Some((vec![("flow", flow)], known.whole?.as_second().to_string()))),
    );
    page.family(
        "handover_adopted_total",
        "counter",
        "Fields that a platform put into another form than was written, and that were taken so.",
        reread(standing, |times| times.adopted),
    );
    page.family(
        "handover_flips_total",
        "counter",
        "Fields of which a value that had given way was written again.",
        reread(standing, |times| times.flips),
    );
}

/// What this process has counted, and how its pass gets on.
fn counted(desk: &Desk, page: &mut Page) {
    page.family(
        "handover_pass_idle_seconds",
        "gauge",
        "How long the pass under way has had no answer and written nothing; while there is one.",
        desk.pulse.idle().map(|idle| (Vec::new(), idle.as_secs().to_string())),
    );
    let tally = desk.tally();
    page.family(
        "handover_passes_total",
        "counter",
        "Passes by what began them and how they ended.",
        tally.passes.iter().map(|((kind, end), count)| (vec![("kind", *kind), ("end", *end)], count.to_string())),
    );
    let did = Outcome::ALL.iter().filter(|outcome| tally.did.of(**outcome) > 0);
    page.family(
        "handover_carried_total",
        "counter",
        "Records that passes decided about, by what became of them.",
        did.map(|outcome| (vec![("outcome", outcome.word())], tally.did.of(*outcome).to_string())),
    );
    let calls = tally.all_calls();
    page.family(
        "handover_calls_total",
        "counter",
        "Calls to a system's API.",
        calls.iter().map(|(system, calls)| (vec![("system", system.as_str())], calls.to_string())),
    );
    page.family(
        "handover_webhooks_total",
        "counter",
        "Deliveries of webhooks by what became of them; no system where the address named none of the project's.",
        tally.deliveries.iter().map(|((system, became), count)| {
            let system = system.as_ref().map_or("", |system| system.as_str());
            (vec![("system", system), ("became", *became)], count.to_string())
        }),
    );
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn labels_are_escaped_and_empty_families_left_out() {
        let mut page = Page::default();
        page.family("a", "gauge", "Help.", [(vec![("x", "q\"b\\n\nl"), ("y", "")], "1".to_owned())]);
        page.family("b", "counter", "Help.", []);
        page.family("c", "counter", "Help.", [(Vec::new(), "2".to_owned())]);
        let expected = "# HELP a Help.\n# TYPE a gauge\na{x=\"q\\\"b\\\\n\\nl\",y=\"\"} 1\n\
                        # HELP c Help.\n# TYPE c counter\nc 2\n";
        assert_eq!(page.0, expected);
    }
}
