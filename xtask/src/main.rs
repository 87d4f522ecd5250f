//! Chores of the project, in one command: `cargo xtask COMMAND`.
//!
//! Light on purpose: it compiles in seconds, so that `tidy` is asked often.

mod full;
mod generated;
mod tidy;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask tidy              what no compiler checks: sizes, names, directions, licences, links
cargo xtask tidy --tighten    the same; lowers the ratchet to what is left
cargo xtask gen               writes the generated pages of the manual anew
cargo xtask pairs             moves the sample company between every two platforms; writes the manual's table of it
cargo xtask pairs --full      the same at full size and optimised, about ten minutes; tells what it sees
cargo xtask simulate [--from PLATFORM] [--to PLATFORM] [--seeds N] [--first SEED] [--days N] [--both-ways] [--with DEED]
                     [--without MISHAP|DEED] [--planted NAME] [--dump FOLDER]
                              plays six weeks of two systems in use, once for each seed
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let root = root();
    let done = match words.as_slice() {
        ["tidy"] => tidy::run(&root, tidy::Ratchet::Keep),
        ["tidy", "--tighten"] => tidy::run(&root, tidy::Ratchet::Tighten),
        ["gen"] => generated::write(&root),
        ["pairs"] => pairs(&root),
        ["pairs", "--full"] => full::run(&root),
        ["simulate", rest @ ..] => simulate(&root, rest),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(text) => {
            drop(write!(std::io::stdout().lock(), "{text}"));
            ExitCode::SUCCESS
        }
        Err(text) => {
            drop(write!(std::io::stderr().lock(), "{text}"));
            ExitCode::FAILURE
        }
    }
}

/// Lets the tests of the pairs write what they see, one after the other.
fn pairs(root: &Path) -> Result<String, String> {
    let status = std::process::Command::new("cargo")
        .args(["test", "--package", "handover", "--test", "it", "--", "cli::pairs", "--test-threads=1"])
        .env("UPDATE", "1")
        .env_remove("HANDOVER_TEST_TURN")
        .current_dir(root)
        .status()
        .map_err(|error| format!("cargo could not be started: {error}\n"))?;
    if status.success() { Ok(String::new()) } else { Err("something is wrong, see above\n".to_owned()) }
}

/// Builds the simulation optimised and lets it play; what it tells goes to the terminal as it comes.
fn simulate(root: &Path, words: &[&str]) -> Result<String, String> {
    let status = std::process::Command::new("cargo")
        .args(["run", "--quiet", "--profile", "bench", "--package", "handover-simulation", "--"])
        .args(words)
        .current_dir(root)
        .status()
        .map_err(|error| format!("cargo could not be started: {error}\n"))?;
    if status.success() { Ok(String::new()) } else { Err("something is wrong, see above\n".to_owned()) }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}
