//! `handover status`: where the migration stands.

use handover_model::{Counts, FlowName};
use jiff::Timestamp;
use serde_json::json;

use super::cohorts::{Cohorts, days_to, when};
use super::output::{count, duration, plural, table};
use super::queue::Queue;
use super::session::Session;
use super::standing::{Good, Standing, share};
use super::{Done, Global, Output, failure, plain};

/// Options of `status`.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  handover status --json")]
pub(crate) struct Options {}

/// Runs the command. It asks no system anything.
pub(crate) async fn run(global: &Global, _: &Options, output: &Output) -> Done {
    let session = Session::open(&global.project)?;
    let store = session.store_reading().await?;
    let failed = |error: handover_store::Error| vec![failure::store(&error)];
    let flows: Vec<FlowName> = session.project.flows.iter().map(|flow| flow.name.clone()).collect();
    let standing = Standing::of(&store, &flows).await.map_err(failed)?;
    let now = session.clock.now();
    let queue = Queue::of(&store).await?;
    let cohorts = Cohorts::of(&session.project, &store, None).await?;
    let pending: u64 = standing.flows.iter().map(|(_, counts, _)| counts.pending).sum();
    // Answers release single records; only a run to its end has judged all of them.
    let complete = standing.is_loaded && pending == 0 && cohorts.waiting() == 0 && queue.is_settled();
    let last = standing.last.as_ref();
    output.value(&json!({
        "last_pass": last.map(|pass| json!({"pass": pass.id, "kind": pass.kind, "began": pass.began.to_string(), "ended": pass.ended.map(|at| at.to_string()), "status": pass.status})),
        "hanging": standing.hanging,
        "flows": standing.flows.iter().map(|(name, counts, _)| (name.to_string(), json!(counts))).collect::<serde_json::Map<_, _>>(),
        "last_good_pass": standing.good_json(now),
        "holds": queue.json(),
        "holds_by_cause": standing.holds_json(),
        "links_waiting": standing.links_waiting,
        "calls_left_today": standing.calls_json(),
        "reconciled": standing.reconciled_json(),
        "reread": standing.reread,
        "cohorts": cohorts.json(now),
        "webhooks": standing.webhooks_json(),
        "lease": standing.lease_json(),
        "workers": standing.workers_json(),
        "kill_date": session.project.kill_date.map(|day| {
            json!({"date": day.date.to_string(), "days_to_go": days_to(day, &session.project.time_zone, now)})
        }),
        "complete": complete,
    }));
    match last {
        None => output.say("Nothing was run yet: `handover check`, `handover plan`, `handover run`."),
        Some(pass) => output.say(&format!(
            "Last pass: {} ({}), begun {}, {}.",
            pass.id,
            pass.kind,
            plain::moment(pass.began),
            pass.status.as_deref().unwrap_or("cut off: `handover run` goes on where it stopped")
        )),
    }
    if let Some(hanging) = &standing.hanging {
        let since = plain::moment(hanging.since);
        output.say(&format!("Pass {} hangs: no answer and nothing written since {since}.", hanging.pass));
    }
    output.say(&table(
        &["flow", "created", "updated", "unchanged", "merged", "held", "skipped", "lag"],
        &standing.flows.iter().map(|(name, counts, good)| row(name, counts, good.as_ref(), now)).collect::<Vec<_>>(),
    ));
    cohorts.say(now, output);
    queue.say(output);
    if standing.links_waiting > 0 {
        let wait = if standing.links_waiting == 1 { "waits" } else { "wait" };
        output.say(&format!("{} {wait} for held records.", plural(standing.links_waiting, "link")));
    }
    drift(&standing, output);
    reread(&standing, output);
    for (system, (left, at)) in &standing.calls_left {
        output.say(&format!("Left of the day of `{system}`: {}, as of {}.", count(*left), plain::moment(*at)));
    }
    webhooks(&standing, output);
    workers(&standing, output);
    if let Some(day) = session.project.kill_date {
        output.say(&format!("Kill date: {}.", when(day, &session.project.time_zone, now)));
    }
    output.say(if complete { "\nThe migration is complete." } else { "\nThe migration is not complete." });
    Ok(queue.exit())
}

/// What webhooks told.
fn webhooks(standing: &Standing, output: &Output) {
    for told in &standing.webhooks {
        output.say(&format!(
            "Webhooks of `{}`: {}, the last {}; {} waiting.",
            told.system,
            plural(told.events, "event"),
            plain::moment(told.last),
            count(told.waiting)
        ));
    }
}

/// What is known of pairs by looking at them again.
fn drift(standing: &Standing, output: &Output) {
    for (flow, known) in &standing.reconciled {
        let covered = match known.whole {
            Some(since) => format!("all since {}", plain::moment(since)),
            None => {
                let share = share(known.pairs, standing.pairs(flow)) * 100.0;
                format!("{share:.0}% since {}", plain::moment(known.round))
            }
        };
        let open = known.open();
        let fields: Vec<String> = open.iter().map(|(field, number)| format!("{field} {}", count(*number))).collect();
        let told = match open.values().sum::<u64>() {
            0 => "no differences".to_owned(),
            number => format!("{} ({})", plural(number, "difference"), fields.join(", ")),
        };
        output.say(&format!("Looked at again, `{flow}`: {covered}; {told}."));
    }
}

/// Fields that said something else when they were read than what was written.
fn reread(standing: &Standing, output: &Output) {
    let mut fields = Vec::new();
    for (flow, name, times) in standing.reread.fields() {
        let words = [(times.adopted, "taken as it was"), (times.flips, "written again")];
        let words = words.iter().filter(|(number, _)| *number > 0);
        let words: Vec<String> = words.map(|(number, word)| format!("{} {word}", count(*number))).collect();
        fields.push(format!("{flow}.{name} ({})", words.join(", ")));
    }
    if !fields.is_empty() {
        output.say(&format!("Read otherwise than written: {}.", fields.join("; ")));
    }
}

/// Who works on a state in PostgreSQL.
fn workers(standing: &Standing, output: &Output) {
    if let Some(by) = &standing.holder {
        let until =
            by.until.map_or_else(String::new, |until| format!(", until {} unless it goes on", plain::moment(until)));
        let since = by.since.map_or_else(String::new, |since| format!(" since {}", plain::moment(since)));
        output.say(&format!("The state is written by `{}`{since}{until}.", by.worker));
    }
    for (name, since) in &standing.workers {
        output.say(&format!("Worker `{name}`, connected since {}.", plain::moment(*since)));
    }
}

fn row(name: &FlowName, counts: &Counts, good: Option<&Good>, now: Timestamp) -> Vec<String> {
    let mut row = vec![name.to_string()];
    row.extend(
        [counts.created, counts.updated, counts.unchanged, counts.merged, counts.held, counts.skipped].map(count),
    );
    let ms = |good: &Good| u64::try_from(good.lag_s(now)).unwrap_or(0).saturating_mul(1_000);
    row.push(good.map_or_else(|| "-".to_owned(), |good| duration(ms(good))));
    row
}
