//! Errors of the crates below become problems: what failed, why, what is true now, what to do next.

use std::sync::Arc;

use handover_connect::{Fault, FaultKind};
use handover_engine::Error;
use handover_files::CsvConnector;
use handover_model::{Account, SystemName, Weight};

use crate::config::{Sources, System};
use crate::kept::USUAL_KEY;
use crate::problem::{Exit, Problem};

/// A system's fault.
pub(crate) fn system(name: &SystemName, fault: &Fault) -> Problem {
    if fault.code == "no_leave" {
        return Problem::new("no_leave", format!("nothing may be sent to `{name}` any more"))
            .cause(fault.message.clone())
            .state("what was confirmed stands; the rest is pending, and what is open is looked up by the next pass")
            .hint("run the command again; it goes on where it stopped");
    }
    let problem = Problem::new(code(fault.kind), format!("`{name}` failed")).cause(fault.to_string());
    if fault.code == "token_not_kept" {
        return problem.state("nothing was sent since").hint(format!(
            "a refresh token that changes is kept, encrypted: set {USUAL_KEY} to a passphrase, or name a key under `secrets:` in handover.yaml"
        ));
    }
    match fault.kind {
        FaultKind::Auth => problem
            .state("nothing was written since")
            .hint(format!("check the token of `{name}`: expired, revoked, or of another account")),
        FaultKind::Denied => problem
            .state("nothing was written since")
            .hint("give the app the scopes and rights that the message names, then run the command again"),
        FaultKind::Limited if fault.is_daily_limit() => problem
            .exit(Exit::Guard)
            .state("what was confirmed stands; the rest is pending, and nothing was sent twice")
            .hint(day_hint(fault)),
        FaultKind::Limited | FaultKind::Unavailable => problem
            .state("what was confirmed stands; the rest is pending, and nothing was sent twice")
            .hint("run the command again later; it goes on where it stopped"),
        FaultKind::NotFound
        | FaultKind::Invalid
        | FaultKind::Conflict
        | FaultKind::Unsupported
        | FaultKind::Malformed => problem.state("what was confirmed stands; the rest is pending"),
    }
}

fn code(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::Limited => "limited",
        FaultKind::Unavailable => "unavailable",
        FaultKind::Auth => "not_let_in",
        FaultKind::Denied => "denied",
        FaultKind::NotFound => "not_found",
        FaultKind::Conflict => "conflict",
        FaultKind::Invalid => "refused",
        FaultKind::Unsupported => "unsupported",
        FaultKind::Malformed => "malformed_answer",
    }
}

fn day_hint(fault: &Fault) -> String {
    match fault.detail.limited.as_ref().and_then(|limited| limited.until) {
        Some(until) => format!("run the command again after {until}; it goes on where it stopped"),
        None => "run the command again tomorrow; it goes on where it stopped".to_owned(),
    }
}

/// What a system's credentials cannot see or do: a warning each.
pub(crate) fn lacks<'a>(name: &'a SystemName, account: &'a Account) -> impl Iterator<Item = Problem> + 'a {
    let problem =
        move |lack: &String| Problem::new("credentials_lack", format!("`{name}`: {lack}")).weighing(Weight::Warning);
    account.lacks.iter().map(problem)
}

/// The state's error.
pub(crate) fn store(error: &handover_store::Error) -> Problem {
    use handover_store::Error as State;
    let whole = error.to_string();
    let message = whole.strip_suffix(&format!("; {}", error.state())).unwrap_or(&whole);
    let code = if matches!(error, State::Succeeded { .. }) { "succeeded" } else { "state" };
    let problem = because_source(Problem::new(code, message), error).state(error.state());
    match error {
        State::Absent { .. } => problem.hint("`handover run` makes it; nothing was run yet"),
        State::Locked { by, .. } => locked(problem, by),
        State::Succeeded { .. } => {
            problem.hint("nothing is to be done for the state; look why this process was silent: paused, or cut off")
        }
        State::LeaseShort { .. } => {
            problem.hint("let `policies.lease` be twice the longest `timeout` of a system, or more")
        }
        State::NewerVersion { .. } => problem.hint("use the Handover that made it, or a newer one"),
        State::ReadOnly { .. } => problem.hint("make the file and its folder writable for this user"),
        State::DiskFull { .. } => problem.hint("make room, then run the command again; it goes on where it stopped"),
        State::OtherAccount { system, .. } => problem.hint(format!(
            "give `{system}` the credentials of the account it had, or begin a new project with its own state"
        )),
        State::OtherProject { .. } => problem.hint("each project has its own state: change `state:` or `project:`"),
        State::Corrupt { .. } | State::Broken { .. } | State::BadLocation { .. } | State::UnknownFlow { .. } => problem,
        State::Failed { .. } => problem.hint(
            "look whether its disk is well and has room (a quota, a limit of this user), then run the command \
             again; it goes on where it stopped",
        ),
        State::Unreachable { .. } => {
            problem.hint("when it answers again, run the command again; it goes on where it stopped")
        }
        State::Stopped { .. } => problem,
    }
}

/// Somebody else writes the state.
fn locked(problem: Problem, by: &handover_store::Holder) -> Problem {
    let problem = problem.hint("wait until the other one ends; readers like `handover status` need not wait");
    match by.until {
        Some(until) => problem
            .hint(format!("if it has died, its lease ends by itself at {until:.0}, and soon after anybody may go on"))
            .hint("`handover serve` waits for its turn by itself"),
        None => problem,
    }
}

/// The engine's error.
pub(crate) fn engine(error: &Error, sources: &Sources) -> Vec<Problem> {
    let standing = "what was confirmed stands; the rest is pending, and nothing was sent twice";
    let problem = match error {
        Error::Findings(findings) => return Problem::from_findings(findings, sources),
        Error::System { system: name, fault } | Error::DayIsSpent { system: name, fault } => system(name, fault),
        Error::Store(error) => store(error),
        Error::CountMismatch { system, object, .. } => Problem::new("count_mismatch", error.to_string())
            .exit(Exit::Guard)
            .state("everything read so far is kept, and what was confirmed stands; nothing of this object was written")
            .hint(format!("if people worked in `{system}` meanwhile, go on with `handover run --accept-counts`"))
            .hint(format!("if not, the token may not see all of `{object}`: use one of an administrator")),
        Error::Threshold { .. } => Problem::new("error_threshold", error.to_string())
            .exit(Exit::Guard)
            .state("what was confirmed stands; the held records are in the queue, the rest is pending")
            .hint("look at `handover holds`, mend the cause, then `handover run --continue --reason \"...\"`"),
        Error::Guard(tripped) => {
            let confirm: Vec<String> = tripped.iter().map(|trip| format!("{}={}", trip.flow, trip.due)).collect();
            let problem = Problem::new("delete_guard", error.to_string())
                .exit(Exit::Guard)
                .state("nothing of that was deleted, merged, taken away or asked; everything else of the pass was carried over")
                .hint(
                    "so much at once may be a mistake: a system restored from an older backup, a token that sees less",
                );
            confirm.iter().fold(problem, |problem, name| {
                problem.hint(format!("to let it through once: `handover sync --once --confirm-deletes {name}`"))
            })
        }
        Error::FlowGone { flow } => Problem::new("flow_gone", error.to_string())
            .state("what was confirmed stands; nothing was sent since")
            .hint(format!(
                "put the flow `{flow}` back and run once: its writes are looked up then; afterwards it can go"
            )),
        Error::Stopped => Problem::new("stopped", "stopped on request")
            .exit(Exit::User)
            .state(standing)
            .hint("go on with `handover run`"),
        Error::Disk { .. } => because_source(Problem::new("disk", error.to_string()), error).state(standing),
        Error::UnknownSystem(_) | Error::Intent(_) => because_source(Problem::ours("engine", error.to_string()), error),
    };
    vec![problem]
}

/// Opens a folder of files as a system.
pub(crate) fn files(system: &System, settings: &handover_files::Settings) -> Result<Arc<CsvConnector>, Problem> {
    let connector = CsvConnector::new(settings.clone()).map_err(|error| {
        let problem = Problem::new("files", format!("the files of `{}` cannot be read: {error}", system.name));
        because_source(problem, &error).state("nothing was read or written")
    })?;
    Ok(Arc::new(connector))
}

/// The causes of an error whose own sentence is the problem's.
fn because_source(problem: Problem, error: &dyn std::error::Error) -> Problem {
    let mut problem = problem;
    let mut next = error.source();
    while let Some(cause) = next {
        problem = problem.cause(cause.to_string());
        next = cause.source();
    }
    problem
}
