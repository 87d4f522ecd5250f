//! `handover run`: carries the records over; goes on where an earlier run stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use handover_engine::{Pass, Policies, Report, Selection, Setup};
use handover_model::{Counts, Finding, Outcome, Weight};
use handover_store::Store;
use serde_json::{Value as Json, json};
use tokio::sync::watch;

use super::hanging;
use super::inferred::{self, Nowhere};
use super::output::{count, plural, table};
use super::progress::Progress;
use super::queue::{Queue, last_run};
use super::session::Session;
use super::{Done, Global, Output, check, failure};
use crate::problem::{Exit, Problem};

/// Options of `run`.
#[derive(Default, clap::Args)]
#[command(after_help = "Examples:
  handover run
  handover run --accept-counts                          the source changed while it was read
  handover run --continue --reason \"INV-7 was fixed\"    after the error threshold stopped a run")]
pub(crate) struct Options {
    /// Go on although the error threshold stopped the last run
    #[arg(long = "continue", requires = "reason")]
    go_on: bool,
    /// Why it is right to go on (written into the ledger)
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Go on although the number of records read differs from the source's own total
    #[arg(long)]
    accept_counts: bool,
}

/// Runs the command.
pub(crate) async fn run(global: &Global, options: &Options, output: &Output) -> Done {
    let session = Session::open(&global.project)?;
    let nowhere = inferred::found(&session)?.nowhere();
    let store = session.store().await?;
    let ran = guarded(&session, &store, output, options).await;
    let (report, queue) = Session::closed(store, ran).await?;
    output.value(&json!({
        "objects": objects_json(&report),
        "holds": queue.json(),
        "calls": calls_json(&session),
        "links_waiting": report.links_waiting,
        "links_nowhere": nowhere.iter().map(Nowhere::json).collect::<Vec<_>>(),
    }));
    output.say(&objects_table(&report));
    for one in &nowhere {
        output.say(&one.sentence());
    }
    queue.say(output);
    Ok(queue.exit())
}

async fn guarded(
    session: &Session,
    store: &Store,
    output: &Output,
    options: &Options,
) -> Result<(Report, Queue), Vec<Problem>> {
    guard_threshold(store, options).await?;
    let report = carry(session, store, output, options).await;
    ended(session, store, report).await
}

/// The end of a pass, also of one that failed: what was spent is kept, the systems are closed, the queue is read.
pub(crate) async fn ended(
    session: &Session,
    store: &Store,
    report: Result<Report, Vec<Problem>>,
) -> Result<(Report, Queue), Vec<Problem>> {
    let report = session.spent(store, report).await;
    let closed = session.close();
    let report = report?;
    closed.map_err(|problem| vec![problem])?;
    Ok((report, Queue::of(store).await?))
}

/// Checks, then works through everything.
pub(crate) async fn carry(
    session: &Session,
    store: &Store,
    output: &Output,
    options: &Options,
) -> Result<Report, Vec<Problem>> {
    let kind = options.reason.as_ref().map_or_else(|| "run".to_owned(), |reason| format!("run, continued: {reason}"));
    let stop = stop_on_request(output);
    let planned = handover_engine::planned_holds(store).await;
    let planned = planned.map_err(|error| failure::engine(&error, &session.project.sources))?;
    let accepted = |policies: &mut Policies| {
        policies.accept_counts = options.accept_counts;
        policies.planned_holds.clone_from(&planned);
    };
    let report = work(session, store, output, (&kind, &Selection::All, &accepted), stop).await?;
    output.warn(&Problem::from_findings(&report.findings, &session.project.sources));
    Ok(report)
}

/// What is different from the project's policies.
type Adjust<'a> = &'a dyn Fn(&mut Policies);

/// Checks, then works through what is selected: the pass's kind, its selection, and what is different from the
/// project's policies this time.
pub(crate) async fn work(
    session: &Session,
    store: &Store,
    output: &Output,
    (kind, selection, adjust): (&str, &Selection, Adjust<'_>),
    stop: Arc<AtomicBool>,
) -> Result<Report, Vec<Problem>> {
    let goes_on = matches!(selection, Selection::Changes);
    let mut setup = prepared(session, store, output, goes_on).await?;
    adjust(&mut setup.project.policies);
    pass(session, store, output, Arc::new(setup), (kind, selection), stop).await
}

/// What a pass works from, proven against both systems; one that `goes_on` works around schemas that changed.
pub(crate) async fn prepared(
    session: &Session,
    store: &Store,
    output: &Output,
    goes_on: bool,
) -> Result<Setup, Vec<Problem>> {
    let lacks = session.bind(store).await?;
    output.warn(&lacks);
    guard_fields(session)?;
    let checked = check::check_for_pass(session, store, goes_on).await?;
    guard_automations(session, &checked.findings)?;
    Ok(checked.setup)
}

/// Works through what is selected.
pub(crate) async fn pass(
    session: &Session,
    store: &Store,
    output: &Output,
    setup: Arc<Setup>,
    (kind, selection): (&str, &Selection),
    stop: Arc<AtomicBool>,
) -> Result<Report, Vec<Problem>> {
    let place = session.workplace(store.clone(), Progress::watch(output.telling(), &session.systems));
    let pass = async { Pass::begin(setup, &place, kind, stop).await?.run(selection).await };
    hanging::watched(session, store, pass).await.map_err(|error| failure::engine(&error, &session.project.sources))
}

/// Ctrl-C and SIGTERM end the pass at the next safe place; a second one ends the process.
pub(crate) fn stop_on_request(output: &Output) -> Arc<AtomicBool> {
    stop_and_tell(output).0
}

/// The same, with a receiver that learns of it at once.
pub(crate) fn stop_and_tell(output: &Output) -> (Arc<AtomicBool>, watch::Receiver<bool>) {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = stop.clone();
    let quiet = output.is_json();
    let (told, learns) = watch::channel(false);
    tokio::spawn(async move {
        let terminated = async {
            match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
                Ok(mut signal) => drop(signal.recv().await),
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            () = terminated => {}
        }
        asked.store(true, Ordering::Relaxed);
        told.send_replace(true);
        if !quiet {
            use std::io::Write as _;
            drop(writeln!(
                std::io::stderr().lock(),
                "\nstopping at the next safe place; once more to stop at once (nothing is lost)"
            ));
        }
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(130);
        }
    });
    (stop, learns)
}

async fn guard_threshold(store: &Store, options: &Options) -> Result<(), Vec<Problem>> {
    let passes = store.passes().await.map_err(|error| vec![failure::store(&error)])?;
    let status = last_run(&passes).and_then(|pass| pass.status.as_deref());
    let stopped = status.is_some_and(|status| status.contains("had not announced"));
    if stopped && !options.go_on {
        return Err(vec![
            Problem::new("error_threshold", "the last run was stopped by the error threshold")
                .exit(Exit::Guard)
                .state("nothing was written since")
                .hint("look at `handover holds`, mend the cause, then `handover run --continue --reason \"...\"`"),
        ]);
    }
    Ok(())
}

/// Fields that the project wants have to exist before anything is written into them.
fn guard_fields(session: &Session) -> Result<(), Vec<Problem>> {
    let wanted: Vec<String> = session
        .wanted_fields()
        .iter()
        .flat_map(|(system, objects)| {
            objects.iter().flat_map(move |(object, fields)| {
                fields.iter().map(move |field| format!("{system}.{object}.{}", field.name))
            })
        })
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let are = if wanted.len() == 1 { "is" } else { "are" };
    let message = format!("{} of fields.yaml {are} not created yet", plural(wanted.len() as u64, "field"));
    let mut problem = Problem::new("fields_not_created", message)
        .state("nothing was written")
        .hint("see them with `handover plan`, create them with `handover plan --create-fields`");
    for field in wanted.iter().take(5) {
        problem = problem.cause(format!("{field} is wanted"));
    }
    if wanted.len() > 5 {
        problem = problem.cause(format!("and {} more", wanted.len() - 5));
    }
    Err(vec![problem])
}

fn guard_automations(session: &Session, findings: &[Finding]) -> Result<(), Vec<Problem>> {
    let problems: Vec<Problem> = findings
        .iter()
        .filter(|finding| finding.weight == Weight::Warning && finding.code == "automation")
        .map(|finding| {
            Problem::from_finding(finding, &session.project.sources)
                .weighing(Weight::Error)
                .exit(Exit::Guard)
                .state("nothing was written")
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// The objects of a report, for people.
pub(crate) fn objects_table(report: &Report) -> String {
    let rows: Vec<Vec<String>> = report
        .objects
        .iter()
        .map(|object| {
            let mut row = vec![format!("{}.{}", object.system, object.object), count(object.counts.read)];
            row.extend(Outcome::ALL.iter().map(|outcome| count(object.counts.of(*outcome))));
            row
        })
        .collect();
    let mut head = vec!["object", "read"];
    head.extend(Outcome::ALL.iter().map(|outcome| outcome.word()));
    table(&head, &rows)
}

/// The objects of a report, by name.
pub(crate) fn objects_json(report: &Report) -> Json {
    let names: Vec<&str> = report.objects.iter().map(|object| object.object.as_str()).collect();
    report
        .objects
        .iter()
        .map(|object| {
            let alone = names.iter().filter(|name| **name == object.object.as_str()).count() == 1;
            let name = if alone { object.object.to_string() } else { format!("{}.{}", object.system, object.object) };
            (name, counts_json(&object.counts))
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn counts_json(counts: &Counts) -> Json {
    json!(counts)
}

/// Calls per system.
pub(crate) fn calls_json(session: &Session) -> Json {
    session
        .systems
        .iter()
        .map(|(name, system)| (name.to_string(), json!(system.spent().calls)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
