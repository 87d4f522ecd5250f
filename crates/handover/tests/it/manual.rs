//! The commands in the README and the manual run: every `sh` block, in order, in a folder of its own for each
//! page, with the real binary on the `PATH`. What the marks behind `sh` mean stands in the manual's first page.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use handover_sandbox::sample;
use serde_json::json;

use crate::cli::binary;
use crate::kill::Served;

/// A fenced block of a page.
struct Block {
    line: usize,
    words: Vec<String>,
    text: String,
}

/// What a page's blocks need beside the binary.
#[derive(Default)]
struct Needs {
    sandbox: bool,
    project: bool,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The README and every page of the manual.
fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = std::fs::read_dir(root().join("docs/manual"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    pages.push(root().join("README.md"));
    pages.sort();
    pages
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for (line, number) in text.lines().zip(1..) {
        match line.trim_start().strip_prefix("```") {
            Some(_) if open => open = false,
            Some(words) => {
                open = true;
                let words = words.split_whitespace().map(str::to_owned).collect();
                blocks.push(Block { line: number, words, text: String::new() });
            }
            None if open => {
                let block = blocks.last_mut().unwrap();
                writeln!(block.text, "{line}").unwrap();
            }
            None => assert!(!line.starts_with("    handover "), "line {number}: a command outside of a block"),
        }
    }
    assert!(!open, "the last block has no end");
    blocks
}

/// The page's commands as one script, and what they need; panics at a mark that nobody knows.
fn script(blocks: &[Block]) -> (String, Needs) {
    let mut script = String::from("set -eu\n");
    let mut needs = Needs::default();
    for block in blocks {
        let words: Vec<&str> = block.words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["sh", marks @ ..] => {
                let known = ["sandbox", "project", "held", "setup"];
                let unknown = marks.iter().find(|mark| !known.contains(mark));
                assert!(unknown.is_none(), "line {}: `{}` is not a mark of `sh`", block.line, unknown.unwrap());
                if marks.contains(&"setup") {
                    assert_eq!(marks.len(), 1, "line {}: what is not run needs nothing", block.line);
                    continue;
                }
                needs.sandbox |= marks.contains(&"sandbox");
                needs.project |= marks.contains(&"project");
                let held = "handover() { command handover \"$@\" || [ $? -eq 3 ]; }\n";
                script.push_str(if marks.contains(&"held") { held } else { "unset -f handover\n" });
                // The shell's trace names the command that failed.
                let within = if marks.contains(&"project") { "cd \"$PAGE/play\"\n" } else { "" };
                writeln!(script, "{within}set -x").unwrap();
                script.push_str(&block.text);
                script.push_str("{ set +x; } 2>/dev/null\n");
            }
            // A file that later commands read.
            [_, file] if file.contains('.') => {
                writeln!(script, "cat >{file} <<'END'\n{}END", block.text).unwrap();
            }
            _ => {
                let command = block.text.lines().find(|line| line.trim_start_matches("$ ").starts_with("handover "));
                assert!(command.is_none(), "line {}: commands stand in `sh` blocks: {command:?}", block.line);
            }
        }
    }
    (script, needs)
}

/// Two accounts as a reader has them: workflows of the new one are off, as the README asks.
fn accounts(folder: &Path) -> [Served; 2] {
    let mut company = sample::small(1);
    for workflow in company.hubspot["workflows"].as_array_mut().unwrap() {
        workflow["enabled"] = json!(false);
    }
    [("pipedrive", company.pipedrive), ("hubspot", company.hubspot)].map(|(platform, world)| {
        let file = folder.join(format!("{platform}.json"));
        std::fs::write(&file, world.to_string()).unwrap();
        Served::of(platform, &file)
    })
}

/// Runs a page; gives how many blocks it ran and what was wrong.
fn run(page: &Path) -> (usize, Option<String>) {
    let name = page.strip_prefix(root()).unwrap().display().to_string();
    let blocks = blocks(&std::fs::read_to_string(page).unwrap());
    let (script, needs) = script(&blocks);
    let count = blocks.iter().filter(|block| block.words.first().is_some_and(|word| word == "sh")).count();
    if count == 0 {
        return (0, None);
    }
    let folder = tempfile::tempdir().unwrap();
    let bin = Path::new(env!("CARGO_BIN_EXE_handover")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(folder.path()).stdin(Stdio::null());
    command.env("PATH", path).env("PAGE", folder.path()).env("NO_COLOR", "1").env_remove("HANDOVER_LOG");
    let worlds = tempfile::tempdir().unwrap();
    let served = if needs.sandbox { Some(accounts(worlds.path())) } else { None };
    for (served, side) in served.iter().flatten().zip(["OLD", "NEW"]) {
        command.env(format!("{side}_URL"), served.base_url()).env(format!("{side}_TOKEN"), &served.token);
    }
    if needs.project {
        let made = |arguments: &[&str], within: &Path, code| {
            let output = binary().args(arguments).current_dir(within).output().unwrap();
            assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
        };
        made(&["demo", "--small", "--until", "init", "--dir", "play"], folder.path(), 0);
        made(&["run"], &folder.path().join("play"), 3);
    }
    let output = command.output().unwrap();
    let wrong = (!output.status.success()).then(|| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        format!("{name}: {}\n{}\n{}", output.status, text(&output.stdout), text(&output.stderr))
    });
    (count, wrong)
}

#[test]
fn every_command_of_the_pages_runs() {
    let pages = pages();
    let ran: Vec<(usize, Option<String>)> = std::thread::scope(|scope| {
        let running: Vec<_> = pages.iter().map(|page| scope.spawn(|| run(page))).collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let wrong: Vec<String> = ran.iter().filter_map(|(_, wrong)| wrong.clone()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let count: usize = ran.iter().map(|(count, _)| count).sum();
    assert!(count >= 10, "{count} blocks only: are they still found?");
}

#[test]
#[should_panic(expected = "line 3: `sandbx` is not a mark of `sh`")]
fn an_unknown_mark_is_refused() {
    script(&blocks("# Page\n\n```sh sandbx\nhandover status\n```\n"));
}

#[test]
#[should_panic(expected = "line 1: commands stand in `sh` blocks")]
fn a_command_in_another_block_is_refused() {
    script(&blocks("```text\nhandover status\n```\n"));
}
