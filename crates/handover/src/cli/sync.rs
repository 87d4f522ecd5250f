//! `handover sync`: carries over what changed in the source since it was read last, once or again and again.
//!
//! Each pass opens the project anew: what is edited counts from the next pass on, after it was checked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use handover_connect::Ending;
use handover_engine::{LinksDone, Looked, Policies, Reconcile, Report, Selection, Vanishings};
use handover_model::{FieldName, FlowName, Outcome as Became, Weight};
use handover_store::Store;
use jiff::SignedDuration;
use serde_json::json;

use super::output::{count, plural};
use super::queue::{Queue, last_run};
use super::run::{self, calls_json, objects_json};
use super::session::Session;
use super::{Done, Global, Output, failure};
use crate::alerts::conditions::{Ends, Facts, Judged, calls_of};
use crate::alerts::{self, Outcome};
use crate::config::{CredentialSource, USUAL_RECONCILE as USUAL};
use crate::problem::{Exit, Problem};
use crate::worker::Worker;

/// Options of `sync`.
#[derive(clap::Args)]
#[command(after_help = "After `handover run` has come to its end, what people create and change in the old system is
carried over: new records are matched like all others, of known ones only the fields that
changed are written. What becomes of the counterparts of deleted and merged records say
`deletes` and `merges` of each mapping; without them a person is asked. What changed in the
new system goes back where a mapping says `direction: both_ways`.

Examples:
  handover sync --once             one pass, for a scheduler of your own
  handover sync --once --confirm-deletes persons=140
                                   what the guard stopped is meant
  handover sync --once --repair    look at all pairs again, and carry what differs
  handover sync --every 15m        a pass each quarter of an hour, until Ctrl-C or SIGTERM")]
pub(crate) struct Options {
    /// One pass, then end
    #[arg(long)]
    once: bool,
    /// How long to wait between two passes: `30s`, `5m`, `1h`
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = time, conflicts_with = "once")]
    every: SignedDuration,
    /// Let so many deletions and merges of a flow through the guard, in this pass: `persons=140`
    #[arg(long, value_name = "FLOW=N", value_parser = confirmed, requires = "once")]
    confirm_deletes: Vec<(FlowName, u64)>,
    /// Look at all pairs again on both sides, at the end of this pass
    #[arg(long, requires = "once")]
    reconcile: bool,
    /// The same, and carry what differs and has done so for long enough
    #[arg(long, requires = "once")]
    repair: bool,
    /// The name of this process among the workers of a state in PostgreSQL [default: its machine and number]
    #[arg(long, value_name = "NAME")]
    worker: Option<String>,
}

fn confirmed(text: &str) -> Result<(FlowName, u64), String> {
    let parts = text.split_once('=').and_then(|(flow, number)| Some((flow.trim(), number.trim().parse().ok()?)));
    match parts {
        Some((flow, number)) if !flow.is_empty() => Ok((FlowName::from(flow), number)),
        _ => Err("a flow and how many, such as `persons=140`".to_owned()),
    }
}

pub(crate) fn time(text: &str) -> Result<SignedDuration, String> {
    match text.parse::<SignedDuration>() {
        Ok(time) if time >= SignedDuration::from_secs(1) => Ok(time),
        Ok(_) => Err("a second is the shortest".to_owned()),
        Err(_) => Err("a time such as `30s`, `5m` or `1h`".to_owned()),
    }
}

/// Runs the command.
pub(crate) async fn run(global: &Global, options: &Options, output: &Output) -> Done {
    let stop = run::stop_on_request(output);
    loop {
        let exit = pass(global, options, output, &stop).await?;
        if options.once {
            return Ok(exit);
        }
        wait(options.every, &stop).await;
        if stop.load(Ordering::Relaxed) {
            return Ok(exit);
        }
    }
}

/// Waits, but ends soon when somebody asks to stop.
async fn wait(time: SignedDuration, stop: &AtomicBool) {
    const STEP: Duration = Duration::from_millis(250);
    let mut left = Duration::try_from(time).unwrap_or_default();
    while !left.is_zero() && !stop.load(Ordering::Relaxed) {
        let step = left.min(STEP);
        tokio::time::sleep(step).await;
        left -= step;
    }
}

async fn pass(global: &Global, options: &Options, output: &Output, stop: &Arc<AtomicBool>) -> Done {
    let mut session = Session::open(&global.project)?;
    session.worker = Worker::named(options.worker.as_deref());
    let store = session.store().await?;
    let done = guarded(&session, &store, options, output, stop).await;
    let done = Session::unless_succeeded(&store, done).await;
    let alerts = alert(&session, &store, output, &done).await;
    let (report, queue) = Session::closed(store, done).await?;
    let did = |outcome| report.did.of(outcome);
    output.value(&json!({
        "pass": report.pass,
        "did": {
            "created": did(Became::Created),
            "updated": did(Became::Updated),
            "merged": did(Became::Merged),
            "held": did(Became::Held),
        },
        "links": report.links,
        "vanished": report.vanishings,
        "objects": objects_json(&report),
        "holds": queue.json(),
        "calls": calls_json(&session),
        "links_waiting": report.links_waiting,
        "reconciled": report.looked,
        "adopted": by_flow(&report.adopted),
        "flipped": by_flow(&report.flipped),
        "left_to_the_target": by_flow(&report.late),
        "findings": report.findings,
        "stopped": report.stopped,
        "alerts": alerts.as_ref().map(Outcome::json),
    }));
    output.warn(&Problem::from_findings(&report.findings, &session.project.sources));
    output.say(&format!(
        "Pass {}, {}: {} created, {} updated, {} held; {} calls.",
        report.pass,
        session.clock.now().strftime("%Y-%m-%d %H:%M:%S UTC"),
        count(did(Became::Created)),
        count(did(Became::Updated)),
        count(did(Became::Held)),
        count(session.systems.values().map(|system| system.spent().calls).sum()),
    ));
    for (what, done) in [("Links", links(report.links)), ("Records that vanished", vanished(&report.vanishings))] {
        if !done.is_empty() {
            output.say(&format!("{what}: {}.", done.join(", ")));
        }
    }
    if let Some(line) = late(&report) {
        output.say(&line);
    }
    if let Some(line) = looked(&report) {
        output.say(&line);
    }
    if did(Became::Held) + report.vanishings.asked > 0 {
        queue.say(output);
    }
    if report.stopped.is_empty() {
        return Ok(queue.exit());
    }
    let names: Vec<String> = report.stopped.iter().map(|flow| format!("`{flow}`")).collect();
    output.say(&format!("Stopped: {}. The records wait; all other flows were carried.", names.join(", ")));
    Ok(Exit::User)
}

/// Numbers of fields, by flow and field.
fn by_flow(numbers: &BTreeMap<(FlowName, FieldName), u64>) -> serde_json::Value {
    let mut flows = serde_json::Map::new();
    for ((flow, field), number) in numbers {
        let fields = flows.entry(flow.to_string()).or_insert_with(|| json!({}));
        fields[field.as_str()] = json!(number);
    }
    flows.into()
}

/// Edits that came too late to be carried, if any did.
fn late(report: &Report) -> Option<String> {
    let all: u64 = report.late.values().sum();
    let fields: Vec<String> = report.late.keys().map(|(flow, field)| format!("{flow}.{field}")).collect();
    (all > 0).then(|| {
        format!(
            "Edited in the source after their cohort had moved, and left to the target: {} ({}).",
            count(all),
            fields.join(", ")
        )
    })
}

/// What looking at pairs again brought, if any were looked at.
fn looked(report: &Report) -> Option<String> {
    let all = |number: fn(&Looked) -> u64| report.looked.iter().map(number).sum::<u64>();
    let (pairs, open, sent) = (all(|one| one.pairs), all(|one| one.open.values().sum()), all(|one| one.sent));
    (pairs > 0).then(|| {
        let sent = if sent > 0 { format!("; {} carried", plural(sent, "record")) } else { String::new() };
        format!("Looked at again: {}; {}{sent}.", plural(pairs, "pair"), plural(open, "difference"))
    })
}

/// Tells people what the pass brought, if the project names somebody. A stop on request is no failure.
pub(crate) async fn alert(
    session: &Session,
    store: &Store,
    output: &Output,
    done: &Result<(Report, Queue), Vec<Problem>>,
) -> Option<Outcome> {
    let alerts = session.project.alerts.as_ref()?;
    // Whoever was succeeded has nothing to say any more either.
    let is_over = |problem: &Problem| matches!(problem.code.as_str(), "stopped" | "succeeded");
    let is_asked = |problems: &Vec<Problem>| problems.iter().all(is_over);
    if done.as_ref().err().is_some_and(is_asked) {
        return None;
    }
    let passes = store.passes().await.unwrap_or_default();
    let spent = session.systems.iter().map(|(name, system)| (name.clone(), system.spent()));
    let flows: Vec<FlowName> = session.project.flows.iter().map(|flow| flow.name.clone()).collect();
    let facts = Facts {
        flows: &flows,
        ends: ends(session),
        now: session.clock.now(),
        ended: done.as_ref().map(|(report, queue)| (report, queue.open())).map_err(Vec::as_slice),
        passes: &passes,
        calls: calls_of(spent),
    };
    let told = alerts::tell(&session.project.name, alerts, store, &facts).await;
    warn_untold(output, &told.why);
    Some(told)
}

/// Tells people what was found outside the end of a pass.
pub(crate) async fn alert_found(session: &Session, store: &Store, output: &Output, found: &Judged) {
    let Some(alerts) = session.project.alerts.as_ref() else { return };
    let why = alerts::tell_found(&session.project.name, alerts, store, found, session.clock.now()).await;
    warn_untold(output, &why);
}

/// Says why alerts did not leave.
fn warn_untold(output: &Output, why: &[String]) {
    let failed = |why: &String| Problem::new("alert_failed", why.clone()).weighing(Weight::Warning);
    output.warn(&why.iter().map(failed).collect::<Vec<_>>());
}

/// What ends some day: tokens, as far as the project tells, and versions of APIs, as far as the platforms do.
fn ends(session: &Session) -> Vec<Ends> {
    let mut ends = Vec::new();
    for system in &session.project.systems {
        let day = system.token_ends.as_ref();
        ends.extend(day.map(|day| Ends { system: system.name.clone(), version: None, on: day.date }));
        let opened = session.systems.get(&system.name);
        let buys = !matches!(system.credentials, CredentialSource::None | CredentialSource::Token(_));
        let is_used = |ending: &&Ending| !ending.buys_tokens || buys;
        let versions = opened.into_iter().flat_map(|opened| &opened.capabilities().ending).filter(is_used);
        ends.extend(versions.map(|one| Ends { system: system.name.clone(), version: Some(one.version), on: one.on }));
    }
    ends
}

/// Only what was loaded to its end can be kept in step.
pub(crate) async fn guard_load(store: &Store, command: &str) -> Result<(), Vec<Problem>> {
    let passes = store.passes().await.map_err(|error| vec![failure::store(&error)])?;
    if last_run(&passes).is_some_and(|pass| pass.status.as_deref() == Some("finished")) {
        return Ok(());
    }
    Err(vec![no_load(command)])
}

/// There was no first load yet, or not to its end.
pub(crate) fn no_load(command: &str) -> Problem {
    let hint = "`handover run` carries everything over, or goes on where it was cut off; then";
    Problem::new("no_load", "the first load has not come to its end")
        .exit(Exit::User)
        .state("nothing was written")
        .hint(format!("{hint} `handover {command}`"))
}

/// What was done about deleted and merged records, word by word.
pub(crate) fn vanished(done: &Vanishings) -> Vec<String> {
    numbered(&[
        (done.noticed, "missed since now"),
        (done.returned, "there again"),
        (done.followed, "part of another record"),
        (done.asked, "asked about"),
        (done.deleted, "deleted"),
        (done.marked, "marked"),
        (done.merged, "merged"),
        (done.kept, "kept"),
    ])
}

/// What was done about links that have calls of their own.
pub(crate) fn links(done: LinksDone) -> Vec<String> {
    numbered(&[(done.made, "made"), (done.taken_away, "taken away")])
}

/// The numbers that are not zero, with their words.
pub(crate) fn numbered(numbers: &[(u64, &str)]) -> Vec<String> {
    let some = numbers.iter().filter(|(number, _)| *number > 0);
    some.map(|(number, what)| format!("{} {what}", count(*number))).collect()
}

async fn guarded(
    session: &Session,
    store: &Store,
    options: &Options,
    output: &Output,
    stop: &Arc<AtomicBool>,
) -> Result<(Report, Queue), Vec<Problem>> {
    guard_load(store, "sync").await?;
    if let Some((flow, _)) = options.confirm_deletes.iter().find(|(flow, _)| session.project.flow(flow).is_none()) {
        return Err(vec![
            Problem::new("unknown_flow", format!("the project has no flow `{flow}`")).state("nothing was written"),
        ]);
    }
    let confirmed = |policies: &mut Policies| {
        if options.reconcile || options.repair {
            let asked = policies.reconcile.unwrap_or(USUAL);
            policies.reconcile = Some(Reconcile { now: true, carry: asked.carry || options.repair, ..asked });
        }
        policies.confirmed_deletes = options.confirm_deletes.iter().cloned().collect();
    };
    let report = run::work(session, store, output, ("sync", &Selection::Changes, &confirmed), stop.clone()).await;
    run::ended(session, store, report).await
}
