//! Licences of everything that is built in: each expression must hold with the list in `deny.toml`.
//!
//! The list is read from there, so that two tools cannot disagree about it.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::Finding;
use super::crates::{packages, word};

/// Checks every package that is not ours.
pub(super) fn check(metadata: &Json, deny: &str, findings: &mut Vec<Finding>) {
    let (allowed, exceptions) = lists(deny);
    if allowed.is_empty() {
        findings.push(Finding::new("licence", "deny.toml", 0, "its list of licences is missing"));
        return;
    }
    let foreign = packages(metadata).filter(|package| package.get("source").is_some_and(Json::is_string));
    for package in foreign {
        let (name, licence) = (word(package, "name"), word(package, "license"));
        let extra = exceptions.get(name);
        let allows = |id: &str| {
            allowed.iter().any(|each| each == id) || extra.is_some_and(|list| list.iter().any(|each| each == id))
        };
        if !holds(licence, &allows) {
            findings.push(Finding::new("licence", "Cargo.lock", 0, format!("`{name}` is under `{licence}`")));
        }
    }
}

/// The list of allowed licences, and the exceptions by crate.
fn lists(deny: &str) -> (Vec<String>, BTreeMap<String, Vec<String>>) {
    let mut allowed = Vec::new();
    let mut exceptions = BTreeMap::new();
    let mut inside = false;
    for line in deny.lines().map(|line| line.split('#').next().unwrap_or_default().trim()) {
        if let Some((crate_name, ids)) = line.split_once("crate = ") {
            let _ = crate_name;
            let mut words = quoted(ids);
            if !words.is_empty() {
                let name = words.remove(0);
                exceptions.insert(name, words);
            }
        } else if line.starts_with("allow = [") {
            inside = true;
        }
        if inside {
            allowed.extend(quoted(line));
            inside = !line.contains(']');
        }
    }
    (allowed, exceptions)
}

fn quoted(line: &str) -> Vec<String> {
    line.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether an SPDX expression holds: `AND` binds more tightly than `OR`, `/` is an old way to write `OR`.
fn holds(expression: &str, allows: &dyn Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let found = either(&words, &mut at, allows);
    found && at == words.len() && !words.is_empty()
}

fn either(words: &[&str], at: &mut usize, allows: &dyn Fn(&str) -> bool) -> bool {
    let mut found = both(words, at, allows);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        found |= both(words, at, allows);
    }
    found
}

fn both(words: &[&str], at: &mut usize, allows: &dyn Fn(&str) -> bool) -> bool {
    let mut found = one(words, at, allows);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        found &= one(words, at, allows);
    }
    found
}

fn one(words: &[&str], at: &mut usize, allows: &dyn Fn(&str) -> bool) -> bool {
    let Some(word) = words.get(*at) else { return false };
    *at += 1;
    if *word == "(" {
        let found = either(words, at, allows);
        let closed = words.get(*at) == Some(&")");
        *at += 1;
        return found && closed;
    }
    let mut id = (*word).to_owned();
    if words.get(*at) == Some(&"WITH") {
        id = format!("{id} WITH {}", words.get(*at + 1).copied().unwrap_or_default());
        *at += 2;
    }
    allows(&id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_judged_as_a_whole() {
        let allows = |id: &str| matches!(id, "MIT" | "Unicode-3.0");
        for (expression, expected) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("Apache-2.0 OR MIT", true),
            ("Apache-2.0/MIT", true),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
            ("MIT AND Apache-2.0", false),
            ("Apache-2.0 WITH LLVM-exception OR MIT", true),
            ("(MIT", false),
            ("", false),
        ] {
            assert_eq!(holds(expression, &allows), expected, "{expression}");
        }
    }
}
