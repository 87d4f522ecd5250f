//! The command line. One file per command; each makes one value and renders it as text or as JSON.

mod answers;
mod audit;
mod care;
mod check;
mod cohorts;
mod connect;
mod demo;
mod failure;
mod hanging;
mod holds;
mod inferred;
mod init;
mod output;
mod plain;
mod plan;
mod price;
mod progress;
mod queue;
mod reach;
mod record;
mod report;
mod run;
mod sandbox;
mod serve;
mod session;
mod sheet;
pub(crate) mod standing;
mod status;
mod sync;
mod verify;
mod webhooks;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::problem::{Exit, Problem};
pub use output::Output;

/// What every command gives: how the process ends, or what went wrong.
pub(crate) type Done = Result<Exit, Vec<Problem>>;

/// Moves a company from one CRM to another and keeps both in step until the old one is switched off.
#[derive(Parser)]
#[command(name = "handover", version, max_term_width = 100, after_help = AFTER_HELP)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  handover demo                                    the whole story on two local CRMs
  handover init --from pipedrive --to hubspot      a project that fits your two accounts
  handover connect old                             lets a system in without a token by hand
  handover check && handover plan && handover run  then: holds, verify, audit

Exit codes: 0 done, 1 you can fix it, 2 our fault, 3 finished with records held,
4 stopped by a guard or the error threshold.";

/// Options of every command.
#[derive(clap::Args)]
pub(crate) struct Global {
    /// The project file
    #[arg(long, short = 'p', global = true, default_value = "handover.yaml", value_name = "FILE")]
    pub(crate) project: PathBuf,
    /// One JSON value on standard output instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// No colour
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
    /// No progress on standard error
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Write a commented project that fits two accounts
    Init(init::Options),
    /// Let a system in: asks its platform for tokens, proves them, keeps them encrypted
    Connect(connect::Options),
    /// Prove the project against both systems before anything moves
    Check(check::Options),
    /// Show what a run would write, hold and cost
    Plan(plan::Options),
    /// Carry the records over; goes on where an earlier run stopped
    Run(run::Options),
    /// Carry over what changed in the old system since it was read last
    Sync(sync::Options),
    /// Keep in step all the time: changes on a schedule, webhooks at once, health and metrics
    Serve(serve::Options),
    /// What the platforms are to tell by webhooks: shown, registered, removed
    Webhooks(webhooks::Options),
    /// The conflict queue: list, show, answer, export, import
    Holds(holds::Options),
    /// Read both systems anew and compare everything
    Verify(verify::Options),
    /// One customer with all systems' records: values, where they came from, what is held
    Record(record::Options),
    /// The ledger: verify its chain, tell a record's story, export, erase
    Audit(audit::Options),
    /// Where the migration stands
    Status(status::Options),
    /// Serve a strict local copy of a platform's API
    Sandbox(sandbox::Options),
    /// Play the whole story on two local CRMs
    Demo(demo::Options),
    /// Completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let asked = !error.use_stderr();
            drop(error.print());
            return if asked { ExitCode::SUCCESS } else { ExitCode::from(Exit::User.code()) };
        }
    };
    start_log();
    let output = Output::of(&cli.global);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let problem = Problem::ours("runtime", "the process could not start its threads").because(&error);
            return output.finish(Err(vec![problem]));
        }
    };
    let done = runtime.block_on(dispatch(cli, &output));
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    output.finish(done)
}

async fn dispatch(cli: Cli, output: &Output) -> Done {
    let global = &cli.global;
    match cli.command {
        Command::Init(options) => init::run(global, &options, output).await,
        Command::Connect(options) => connect::run(global, &options, output).await,
        Command::Check(options) => check::run(global, &options, output).await,
        Command::Plan(options) => plan::run(global, &options, output).await,
        Command::Run(options) => run::run(global, &options, output).await,
        Command::Sync(options) => sync::run(global, &options, output).await,
        Command::Serve(options) => serve::run(global, &options, output).await,
        Command::Webhooks(options) => webhooks::run(global, &options, output).await,
        Command::Holds(options) => holds::run(global, &options, output).await,
        Command::Verify(options) => verify::run(global, &options, output).await,
        Command::Record(options) => record::run(global, &options, output).await,
        Command::Audit(options) => audit::run(global, &options, output).await,
        Command::Status(options) => status::run(global, &options, output).await,
        Command::Sandbox(options) => sandbox::run(&options, output).await,
        Command::Demo(options) => demo::run(&options, output).await,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "handover", &mut script);
            output.text(&String::from_utf8_lossy(&script));
            Ok(Exit::Done)
        }
    }
}

/// Logs go to standard error, only when `HANDOVER_LOG` asks for them; they never hold values.
fn start_log() {
    let Ok(filter) = tracing_subscriber::EnvFilter::try_from_env("HANDOVER_LOG") else { return };
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).finish();
    drop(tracing::subscriber::set_global_default(subscriber));
}
