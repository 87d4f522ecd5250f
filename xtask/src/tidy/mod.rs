//! Tidy: what holds for the whole tree and what no compiler checks.
//!
//! A ratchet (`xtask/ratchet.txt`) names, per check and file, how many findings are still borne. More
//! than that fail; fewer are told, and `--tighten` lowers the number. A finding of a check that the
//! ratchet does not name for that file always fails.

mod crates;
mod licences;
mod links;
mod manifests;
mod names;
mod text;
mod tree;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

pub(crate) use names::PLATFORMS;
use tree::Tree;

/// One thing that is not as it should be.
pub(crate) struct Finding {
    /// The check's name, as the ratchet writes it.
    check: &'static str,
    /// The file, from the workspace's folder.
    path: String,
    /// The line, from 1; 0 for the whole file.
    line: usize,
    message: String,
    /// What it counts for in the ratchet: 1, or the size of what is too large.
    weight: usize,
}

impl fmt::Display for Finding {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}:{}: {}: {}", self.path, self.line, self.check, self.message)
    }
}

impl Finding {
    fn new(check: &'static str, path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { check, path: path.to_owned(), line, message: message.into(), weight: 1 }
    }

    fn key(&self) -> (String, String) {
        (self.check.to_owned(), self.path.clone())
    }
}

/// What happens to the ratchet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ratchet {
    /// It stays.
    Keep,
    /// It is written anew, with the lower of the old and the new number for each entry.
    Tighten,
}

type Borne = BTreeMap<(String, String), usize>;

const RATCHET: &str = "xtask/ratchet.txt";

/// Runs all checks; the text is for the terminal, and an `Err` fails the command.
pub(crate) fn run(root: &Path, ratchet: Ratchet) -> Result<String, String> {
    let tree = Tree::read(root)?;
    let mut findings = Vec::new();
    for file in &tree.files {
        text::check(file, &mut findings);
        names::check(file, &mut findings);
        links::check(file, &tree, &mut findings);
        manifests::check(file, &mut findings);
    }
    let metadata = crates::metadata(root)?;
    crates::check(&metadata, &mut findings);
    licences::check(&metadata, tree.text("deny.toml"), &mut findings);
    judge(root, &tree, &findings, ratchet)
}

fn judge(root: &Path, tree: &Tree, findings: &[Finding], ratchet: Ratchet) -> Result<String, String> {
    let borne = parse(tree.text(RATCHET));
    let mut found = Borne::new();
    for finding in findings {
        *found.entry(finding.key()).or_default() += finding.weight;
    }
    let of = |list: &Borne, key: &(String, String)| list.get(key).copied().unwrap_or(0);
    let worse: Vec<&Finding> =
        findings.iter().filter(|finding| of(&found, &finding.key()) > of(&borne, &finding.key())).collect();
    let mut lines: Vec<String> = worse.iter().map(|finding| finding.to_string()).collect();
    let better = borne.iter().filter(|(key, count)| of(&found, key) < **count).count();
    if ratchet == Ratchet::Tighten {
        let kept = borne.iter().map(|(key, old)| (key, of(&found, key).min(*old))).filter(|(_, count)| *count > 0);
        let text: String = kept.map(|((check, path), count)| format!("{check} {path} {count}\n")).collect();
        std::fs::write(root.join(RATCHET), text)
            .map_err(|error| format!("{RATCHET} could not be written: {error}\n"))?;
    } else if better > 0 {
        lines.push(format!("{better} entries of {RATCHET} are better than it says: cargo xtask tidy --tighten"));
    }
    let files = tree.files.len();
    let rest = findings.len() - worse.len();
    if worse.is_empty() {
        lines.push(format!("tidy: {files} files, nothing new, {rest} findings borne\n"));
        Ok(lines.join("\n"))
    } else {
        lines.push(format!("tidy: {} findings in {files} files, {rest} more are borne\n", worse.len()));
        Err(lines.join("\n"))
    }
}

fn parse(text: &str) -> Borne {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let key = (words.next()?.to_owned(), words.next()?.to_owned());
            Some((key, words.next()?.parse().ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::tree::File;
    use super::{Finding, manifests, names, text};

    /// The checks that find something in `text`, when it stands at `path`.
    fn found(path: &str, text: &str) -> Vec<&'static str> {
        let file = File { path: path.to_owned(), text: text.to_owned() };
        let mut findings: Vec<Finding> = Vec::new();
        text::check(&file, &mut findings);
        names::check(&file, &mut findings);
        manifests::check(&file, &mut findings);
        findings.iter().map(|finding| finding.check).collect()
    }

    #[test]
    fn each_check_finds_what_it_is_for() {
        let long = "//\n".repeat(501);
        for (path, text, expected) in [
            ("crates/model/src/lib.rs", long.as_str(), vec!["size"]),
            ("crates/model/src/lib.rs", concat!("#[al", "low(dead_code)]\n"), vec!["allow"]),
            ("crates/model/src/lib.rs", concat!("#[ig", "nore]\n"), vec!["ignore"]),
            ("crates/model/src/lib.rs", concat!("to", "do!()\n"), vec!["unfinished"]),
            ("crates/model/src/lib.rs", "#[expect(dead_code)]\n", vec!["reason"]),
            ("crates/model/src/lib.rs", "#[expect(dead_code, reason = \"read by nobody\")]\n", vec![]),
            ("crates/model/src/lib.rs", "fn a() {} \n", vec!["whitespace"]),
            ("crates/model/src/lib.rs", "fn a() {}", vec!["whitespace"]),
            ("crates/model/src/lib.rs", concat!("struct Record", "Manager;\n"), vec!["names"]),
            ("crates/model/src/utils.rs", "//!\n", vec!["names"]),
            ("crates/engine/src/pass.rs", "if name == \"hubspot\" {}\n", vec!["direction"]),
            ("crates/engine/src/pass.rs", "// as HubSpot does\n", vec![]),
            ("crates/platforms/src/hubspot/mod.rs", "use crate::pipedrive::form;\n", vec!["direction"]),
            ("docs/manual/holds.md", concat!("see /wo", "rk/main\n"), vec!["machine"]),
            ("docs/manual/holds.md", concat!("This is obvi", "ously so.\n"), vec!["wording"]),
        ] {
            assert_eq!(found(path, text), expected, "{path}: {text}");
        }
    }

    #[test]
    fn a_manifest_takes_everything_from_the_workspace() {
        let inherited: String = ["version", "edition", "rust-version", "license", "publish"]
            .iter()
            .map(|key| format!("{key}.workspace = true\n"))
            .collect();
        let whole =
            format!("[package]\n{inherited}[lints]\nworkspace = true\n[dependencies]\nserde.workspace = true\n");
        assert!(found("crates/model/Cargo.toml", &whole).is_empty());
        assert_eq!(
            found("crates/model/Cargo.toml", &whole.replace("serde.workspace = true", "serde = \"1\"")),
            ["manifest"]
        );
        assert_eq!(found("crates/model/Cargo.toml", &whole.replace("[lints]\nworkspace = true\n", "")), ["manifest"]);
    }
}
