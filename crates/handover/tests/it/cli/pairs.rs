//! The sample company moves from every platform to every other one, with the mappings that `init` proposes: nothing
//! differs afterwards, and what is held is listed in the manual (docs/manual/pairs.md); then it moves back into a new
//! account, and what does not come back as it went is listed too (docs/manual/there-and-back.md). `cargo xtask pairs`
//! writes both tables anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use handover_sandbox::sample::PLATFORMS;
use serde_json::Value as Json;

use super::{back, binary};

/// The pages with the tables: of the moves, and of those there and back.
const PAGES: [&str; 2] = ["pairs.md", "there-and-back.md"];

fn page(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/manual").join(name)
}

/// Moves the company, and back again if that is wanted; gives the pair's rows of the tables.
fn moved(from: &str, to: &str, returns: bool) -> [Option<String>; 2] {
    let folder = tempfile::tempdir().unwrap();
    let (there, back) = (folder.path().join("there"), folder.path().join("back"));
    [Some(forth(from, to, &there)), returns.then(|| back::row(from, to, &there, &back))]
}

/// Whether the company moves back over the n-th of the other platforms: over all of them, or over one whose turn it is
/// where `HANDOVER_TEST_TURN` gives a number.
fn returns(nth: usize) -> bool {
    let turn = std::env::var("HANDOVER_TEST_TURN").ok();
    turn.is_none_or(|turn| turn.parse::<usize>().unwrap() % (PLATFORMS.len() - 1) == nth)
}

fn forth(from: &str, to: &str, dir: &Path) -> String {
    let mut command = binary();
    command.args(["demo", "--small", "--json", "--quiet", "--from", from, "--to", to]);
    let made = command.arg("--dir").arg(dir).output().unwrap();
    assert!(made.status.success(), "{from} to {to}: {}", String::from_utf8_lossy(&made.stderr));
    let told: Json = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(told["verify"]["differences"], 0, "{from} to {to}: {}", told["verify"]);
    let objects = ["after", "objects"].iter().fold(&told, |told, key| &told[*key]);
    let objects = if objects.is_null() { &told["objects"] } else { objects };
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for outcomes in objects.as_object().unwrap().values() {
        for (outcome, count) in outcomes.as_object().unwrap() {
            *sums.entry(outcome).or_default() += count.as_u64().unwrap();
        }
    }
    assert_eq!(sums["pending"], 0, "{from} to {to}");
    let is_gone = told["holds"].as_array().unwrap().iter().any(|hold| hold["cause"] == "content_gone");
    let [planned, found] = ["planned", "holds"].map(|moment| foreseen(&told[moment], is_gone));
    assert_eq!(planned, found, "{from} to {to}: what the plan told of, and what the run held");
    let mut held: BTreeMap<&str, u64> = BTreeMap::new();
    for group in told["after"]["holds"].as_array().unwrap() {
        *held.entry(group["cause"].as_str().unwrap()).or_default() += group["count"].as_u64().unwrap();
    }
    let held: Vec<String> = held.iter().map(|(cause, count)| format!("{cause} {count}")).collect();
    let written = sums["created"] + sums["merged"] + sums["updated"] + sums["unchanged"];
    let (read, left) = (sums["read"], sums["excluded"]);
    format!("| {from} | {to} | {read} | {written} | {} | {left} | {} |", sums["held"], held.join(", "))
}

/// Holds by object and cause, as far as a plan can know them: it reads no bytes of files, and what hangs on a file waits
/// for them.
fn foreseen(holds: &Json, is_gone: bool) -> BTreeMap<String, u64> {
    let unseen: &[&str] = if is_gone { &["content_gone", "parent_held"] } else { &[] };
    let holds = holds.as_array().unwrap().iter();
    holds
        .filter(|hold| !unseen.contains(&hold["cause"].as_str().unwrap()))
        .map(|hold| (format!("{} {}", hold["object"], hold["cause"]), hold["count"].as_u64().unwrap()))
        .collect()
}

/// Whether a line of the page is a pair's.
fn is_row(line: &str) -> bool {
    PLATFORMS.iter().any(|platform| line.starts_with(&format!("| {platform} |")))
}

/// One after the other, so that several sources can be tried at once.
fn check(from: &str) {
    let others = PLATFORMS.iter().filter(|to| **to != from).enumerate();
    let moved: Vec<[Option<String>; 2]> = others.map(|(nth, to)| moved(from, to, returns(nth))).collect();
    for (at, name) in PAGES.into_iter().enumerate() {
        let rows: Vec<&String> = moved.iter().filter_map(|rows| rows[at].as_ref()).collect();
        let text = std::fs::read_to_string(page(name)).unwrap();
        let head = format!("| {from} |");
        if std::env::var_os("UPDATE").is_some() {
            let mut lines: Vec<&str> = text.lines().filter(|line| !line.starts_with(&head)).collect();
            let is_before = |line: &&str| line.starts_with("|---") || is_row(line) && *line < head.as_str();
            let at = lines.iter().rposition(is_before).unwrap();
            rows.iter().rev().for_each(|row| lines.insert(at + 1, row));
            std::fs::write(page(name), lines.join("\n") + "\n").unwrap();
            continue;
        }
        let is_tried = |line: &&str| {
            let over = line.split('|').nth(2).unwrap_or_default().trim();
            let nth = PLATFORMS.iter().filter(|to| **to != from).position(|to| *to == over);
            at == 0 || nth.is_some_and(returns)
        };
        let listed: Vec<&str> = text.lines().filter(|line| line.starts_with(&head)).filter(is_tried).collect();
        assert_eq!(listed, rows, "docs/manual/{name} is not what happens: `cargo xtask pairs` writes it");
    }
}

#[test]
fn from_activecampaign() {
    check("activecampaign");
}

#[test]
fn from_dynamics() {
    check("dynamics");
}

#[test]
fn from_hubspot() {
    check("hubspot");
}

#[test]
fn from_pipedrive() {
    check("pipedrive");
}

#[test]
fn from_salesforce() {
    check("salesforce");
}

#[test]
fn from_zoho() {
    check("zoho");
}

/// No platform of the sample is without a test of its own.
#[test]
fn every_platform_is_left() {
    let source = include_str!("pairs.rs");
    for platform in PLATFORMS {
        assert!(source.contains(&format!("fn from_{platform}()")), "{platform}");
    }
}
