//! Names of modules, and who may name whom inside a crate.

use super::Finding;
use super::tree::File;

/// Modules that say what they are not: one idea.
const BANNED_MODULES: [&str; 7] = ["common", "utils", "util", "types", "helpers", "helper", "prelude"];

/// The platforms: words that the engine must not know, and folders that must not know each other.
pub(crate) const PLATFORMS: [&str; 6] = ["hubspot", "salesforce", "zoho", "pipedrive", "activecampaign", "dynamics"];

/// Endings of type names that say nothing.
const BANNED_ENDINGS: [&str; 5] = ["Manager", "Handler", "Helper", "Util", "Utils"];

/// Checks one file.
pub(super) fn check(file: &File, findings: &mut Vec<Finding>) {
    if file.extension() != "rs" {
        return;
    }
    module(file, findings);
    for (at, line) in file.text.lines().enumerate() {
        type_name(file, at + 1, line, findings);
        neighbours(file, at + 1, line, findings);
        engine(file, at + 1, line, findings);
    }
}

fn module(file: &File, findings: &mut Vec<Finding>) {
    for part in file.path.trim_end_matches(".rs").split('/') {
        if BANNED_MODULES.contains(&part) {
            findings.push(Finding::new(
                "names",
                &file.path,
                0,
                format!("a module called `{part}` has no idea of its own"),
            ));
        }
    }
}

fn type_name(file: &File, number: usize, line: &str, findings: &mut Vec<Finding>) {
    let mut words =
        line.split(|letter: char| !letter.is_alphanumeric() && letter != '_').filter(|word| !word.is_empty());
    let Some(name) =
        words.by_ref().find(|word| matches!(*word, "struct" | "enum" | "trait")).and_then(|_| words.next())
    else {
        return;
    };
    if line.trim_start().starts_with("//") {
        return;
    }
    if let Some(ending) = BANNED_ENDINGS.iter().find(|ending| name.ends_with(**ending)) {
        findings.push(Finding::new(
            "names",
            &file.path,
            number,
            format!("`{name}`: say what it is instead of `{ending}`"),
        ));
    }
}

/// No platform's folder imports another's: not among the dialects, not among the sandboxes.
fn neighbours(file: &File, number: usize, line: &str, findings: &mut Vec<Finding>) {
    for home in ["crates/platforms/src/", "crates/sandbox/src/"] {
        let Some(rest) = file.path.strip_prefix(home) else { continue };
        let Some(own) = PLATFORMS.iter().find(|platform| rest.starts_with(&format!("{platform}/"))) else { continue };
        for other in PLATFORMS.iter().filter(|other| *other != own) {
            if [format!("crate::{other}"), format!("super::{other}")].iter().any(|path| line.contains(path)) {
                findings.push(Finding::new("direction", &file.path, number, format!("`{own}` imports `{other}`")));
            }
        }
    }
}

/// The engine names no platform.
fn engine(file: &File, number: usize, line: &str, findings: &mut Vec<Finding>) {
    if !file.path.starts_with("crates/engine/src/") && !file.path.starts_with("crates/model/src/") {
        return;
    }
    let code = line.split_once("//").map_or(line, |(code, _)| code).to_lowercase();
    if let Some(platform) = PLATFORMS.iter().find(|platform| code.contains(**platform)) {
        findings.push(Finding::new(
            "direction",
            &file.path,
            number,
            format!("the engine names the platform `{platform}`"),
        ));
    }
}
