//! Figures that the design promises, measured: `cargo bench-handover NAME`.
//!
//! Each prints what it measured and on what; a figure depends on the machine, a ratio taken in one run less.
//! No test asserts any of them.

mod bare;
mod calls;
mod changes;
mod edits;
mod jobs;
mod least;
mod machine;
mod movement;
mod resume;
mod stub;
mod throughput;
mod turns;
mod webhook;

use std::io::Write as _;
use std::process::ExitCode;

const USAGE: &str = "usage: handover-bench NAME [--records N] [--dir DIR] [--small]
  throughput   records a second from a stub server to a stub server, and beside it a client that does nothing else
  resume       after kill -9: the time until the successor asks for the next page, and until its first new write
  calls        the sample company both ways, carried and verified: calls against the least, time against the limits
               (--small: a hundredth)
  changes      behind a load: a pass in which nothing changed, and one with a thousand changes (calls, our own
               processor time, memory)
  jobs         contacts out of the sandbox of Salesforce, read by jobs, to a stub server (calls, memory, records a second;
               --platform zoho: out of that of Zoho CRM)
  load         persons of a stub server into the sandbox of Salesforce, written by jobs (calls, memory, records a second)
  webhook      from a change in one system, told by its webhook, to the confirmed write in the other";

/// What is asked for.
struct Asked {
    name: String,
    records: u64,
    changes: u64,
    dir: Option<std::path::PathBuf>,
    server: Option<String>,
    platform: Option<String>,
    small: bool,
}

/// Commands of `handover` that a measurement runs as processes of their own.
const COMMANDS: [&str; 4] = ["demo", "run", "sandbox", "serve"];

fn main() -> ExitCode {
    if std::env::args().nth(1).is_some_and(|name| COMMANDS.contains(&name.as_str())) {
        return handover::cli::main();
    }
    let Some(mut asked) = asked(std::env::args().skip(1)) else {
        print(USAGE);
        return ExitCode::from(1);
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let platform = asked.platform.take().unwrap_or_else(|| "salesforce".to_owned());
    let done = match asked.name.as_str() {
        "throughput" => runtime.block_on(throughput::run(asked.records, asked.dir)),
        "resume" => runtime.block_on(resume::run(asked.records, asked.dir)),
        "webhook" => webhook::run(),
        "calls" => runtime.block_on(calls::run(asked.small)),
        "changes" => runtime.block_on(changes::run(asked.records, asked.dir)),
        "jobs" => runtime.block_on(jobs::run(&platform, asked.records, asked.dir)),
        "load" => runtime.block_on(jobs::load(asked.records, asked.dir)),
        // Processes of the others, each measured by itself.
        "carry" => {
            runtime.block_on(jobs::carry(&platform, &asked.server.unwrap_or_default(), asked.dir.unwrap_or_default()))
        }
        "fill" => runtime.block_on(jobs::fill(&asked.server.unwrap_or_default(), asked.dir.unwrap_or_default())),
        "stub" => runtime.block_on(stub::serve(asked.records, asked.changes)).map_err(Into::into),
        "passes" => runtime.block_on(changes::passes(&asked.server.unwrap_or_default(), asked.dir.unwrap_or_default())),
        "move" => runtime.block_on(movement::run(&asked.server.unwrap_or_default(), asked.dir.unwrap_or_default())),
        "bare" => runtime.block_on(bare::run(&asked.server.unwrap_or_default(), asked.records)),
        _ => {
            print(USAGE);
            return ExitCode::from(1);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

/// Whatever went wrong.
type Error = Box<dyn std::error::Error + Send + Sync>;

fn asked(mut arguments: impl Iterator<Item = String>) -> Option<Asked> {
    let mut asked = Asked {
        name: arguments.next()?,
        records: 100_000,
        changes: 0,
        dir: None,
        server: None,
        platform: None,
        small: false,
    };
    while let Some(option) = arguments.next() {
        if option == "--small" {
            asked.small = true;
            continue;
        }
        let value = arguments.next()?;
        match option.as_str() {
            "--records" => asked.records = value.parse().ok()?,
            "--changes" => asked.changes = value.parse().ok()?,
            "--dir" => asked.dir = Some(value.into()),
            "--server" => asked.server = Some(value),
            "--platform" => asked.platform = Some(value),
            _ => return None,
        }
    }
    Some(asked)
}

fn failed(error: &Error) -> ExitCode {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    print(&text);
    ExitCode::from(2)
}

/// Prints a line.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    // Whoever reads no more wants no more.
    drop(writeln!(out, "{text}").and_then(|()| out.flush()));
}
