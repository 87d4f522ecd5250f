//! Checks that look at lines.

use super::Finding;
use super::tree::File;

/// The longest program file, in lines.
const LINES_MAX: usize = 500;

/// What must not stand in a Rust file. Written in two halves, so that this file does not find itself.
const BANNED_RUST: [(&str, &str, &str, &str); 8] = [
    ("allow", "#[al", "low(", "say #[expect(lint, reason = \"...\")]"),
    ("allow", "#![al", "low(", "say #![expect(lint, reason = \"...\")]"),
    ("ignore", "#[ig", "nore", "nothing passes by not running"),
    ("ignore", "```ig", "nore", "an example of the documentation compiles, or it is text"),
    ("unfinished", "to", "do!(", "finish it, or do not begin it"),
    ("unfinished", "unimple", "mented!(", "finish it, or do not begin it"),
    ("unfinished", "db", "g!(", "say it in a log or a test"),
    ("unfinished", "#[cfg(a", "ny())]", "code that never runs is deleted"),
];

/// What must not stand anywhere.
const BANNED: [(&str, &str, &str, &str); 11] = [
    ("machine", "/wo", "rk/", "a path of one machine"),
    ("machine", "/ro", "ot/", "a path of one machine"),
    ("machine", "/tmp/re", "search", "a path of one machine"),
    ("machine", "/ho", "me/", "a path of one machine"),
    ("registry", "registry.np", "mjs.org", "the name of a registry's host"),
    ("registry", "index.cra", "tes.io", "the name of a registry's host"),
    ("registry", "static.cra", "tes.io", "the name of a registry's host"),
    ("registry", "deb.deb", "ian.org", "the name of a registry's host"),
    ("unfinished", "TO", "DO:", "finish it, or write it into the honest gaps of the README"),
    ("unfinished", "TO", "DO(", "finish it, or write it into the honest gaps of the README"),
    ("unfinished", "FIX", "ME", "mend it, or write it into the honest gaps of the README"),
];

/// Words that say nothing, in comments and pages.
const EMPTY_WORDS: [&str; 8] =
    ["obviously", "basically", "blazing", "seamless", "leverage", "utilize", "whitelist", "blacklist"];

/// Checks one file.
pub(super) fn check(file: &File, findings: &mut Vec<Finding>) {
    if file.is_program() {
        size(file, findings);
    }
    for (at, line) in file.text.lines().enumerate() {
        let number = at + 1;
        if !is_recorded(file) {
            layout(file, number, line, findings);
        }
        if file.path != "Cargo.lock" {
            banned(file, number, line, &BANNED, findings);
        }
        if file.extension() == "rs" {
            banned(file, number, line, &BANNED_RUST, findings);
        }
        if is_ours_to_word(file) {
            empty_words(file, number, line, findings);
        }
    }
    if !is_recorded(file) && !file.text.is_empty() && !file.text.ends_with('\n') {
        findings.push(Finding::new("whitespace", &file.path, 0, "the last line does not end"));
    }
    if file.extension() == "rs" {
        reasons(file, findings);
    }
}

fn size(file: &File, findings: &mut Vec<Finding>) {
    let lines = file.text.lines().count();
    if lines > LINES_MAX {
        let message = format!("{lines} lines, {LINES_MAX} are the most: split it by idea");
        findings.push(Finding { weight: lines, ..Finding::new("size", &file.path, 0, message) });
    }
}

fn layout(file: &File, number: usize, line: &str, findings: &mut Vec<Finding>) {
    let line = if file.extension() == "md" { line.strip_suffix("  ").unwrap_or(line) } else { line };
    if line.ends_with([' ', '\t', '\r']) {
        findings.push(Finding::new("whitespace", &file.path, number, "white space at the end of the line"));
    }
}

fn banned(
    file: &File,
    number: usize,
    line: &str,
    list: &[(&'static str, &str, &str, &str)],
    findings: &mut Vec<Finding>,
) {
    for (check, head, tail, why) in list {
        let word = format!("{head}{tail}");
        if line.contains(&word) {
            findings.push(Finding::new(check, &file.path, number, format!("`{word}`: {why}")));
        }
    }
}

fn empty_words(file: &File, number: usize, line: &str, findings: &mut Vec<Finding>) {
    let lower = line.to_lowercase();
    for word in EMPTY_WORDS {
        if lower.split(|letter: char| !letter.is_alphanumeric()).any(|each| each == word) {
            findings.push(Finding::new("wording", &file.path, number, format!("`{word}` says nothing here")));
        }
    }
}

/// Each `expect` attribute gives its reason.
fn reasons(file: &File, findings: &mut Vec<Finding>) {
    for opening in ["#[expect(", "#![expect("] {
        for (at, _) in file.text.match_indices(opening) {
            let rest = file.text.get(at..).unwrap_or_default();
            let attribute = rest.split_once(")]").map_or(rest, |(inside, _)| inside);
            let line = file.text.get(..at).unwrap_or_default().lines().count() + 1;
            let starts_line =
                file.text.get(..at).unwrap_or_default().rsplit('\n').next().is_some_and(|lead| lead.trim().is_empty());
            if starts_line && !attribute.contains("reason") {
                findings.push(Finding::new("reason", &file.path, line, "an #[expect] without a reason"));
            }
        }
    }
}

/// Files that a program wrote or recorded: their layout is not ours.
fn is_recorded(file: &File) -> bool {
    let of_tests = file.path.contains("/tests/") && file.extension() == "txt";
    of_tests || matches!(file.extension(), "snap" | "csv" | "tsv" | "jsonl" | "lock" | "golden")
}

fn is_ours_to_word(file: &File) -> bool {
    matches!(file.extension(), "rs" | "md" | "html") && file.path != "xtask/src/tidy/text.rs"
}
