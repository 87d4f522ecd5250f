//! `handover status`: where the migration stands.

use handover_model::Counts;
use serde_json::json;

use super::output::{count, table};
use super::queue::{Queue, last_run};
use super::session::Session;
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
    let passes = store.passes().await.map_err(failed)?;
    let last = passes.last();
    let mut flows = Vec::new();
    for flow in &session.project.flows {
        flows.push((flow.name.clone(), store.counts(&flow.name).await.map_err(failed)?));
    }
    let queue = Queue::of(&store).await?;
    let waiting = store.count_pending_links().await.map_err(failed)?;
    let pending: u64 = flows.iter().map(|(_, counts)| counts.pending).sum();
    // Answers release single records; only a run to its end has judged all of them.
    let finished = last_run(&passes).is_some_and(|pass| pass.status.as_deref() == Some("finished"));
    let complete = finished && pending == 0 && queue.is_settled();
    output.value(&json!({
        "last_pass": last.map(|pass| json!({"pass": pass.id, "kind": pass.kind, "began": pass.began.to_string(), "ended": pass.ended.map(|at| at.to_string()), "status": pass.status})),
        "flows": flows.iter().map(|(name, counts)| (name.to_string(), json!(counts))).collect::<serde_json::Map<_, _>>(),
        "holds": queue.json(),
        "links_waiting": waiting,
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
    output.say(&table(
        &["flow", "created", "updated", "unchanged", "merged", "held", "skipped"],
        &flows.iter().map(|(name, counts)| row(name.as_str(), counts)).collect::<Vec<_>>(),
    ));
    queue.say(output);
    if waiting > 0 {
        output.say(&format!(
            "{} for held records.",
            if waiting == 1 { "1 link waits".to_owned() } else { format!("{} links wait", count(waiting)) }
        ));
    }
    output.say(if complete { "\nThe migration is complete." } else { "\nThe migration is not complete." });
    Ok(queue.exit())
}

fn row(name: &str, counts: &Counts) -> Vec<String> {
    let mut row = vec![name.to_owned()];
    row.extend(
        [counts.created, counts.updated, counts.unchanged, counts.merged, counts.held, counts.skipped].map(count),
    );
    row
}
