//! Manifests: each crate takes lints, version and dependencies from the workspace.

use super::Finding;
use super::tree::File;

const INHERITED: [&str; 5] =
    ["version.workspace", "edition.workspace", "rust-version.workspace", "license.workspace", "publish.workspace"];

/// Checks one file.
pub(super) fn check(file: &File, findings: &mut Vec<Finding>) {
    if !file.path.ends_with("/Cargo.toml") {
        return;
    }
    let mut section = "";
    let mut lints = false;
    for (at, line) in file.text.lines().enumerate() {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if section == "lints" && line == "workspace = true" {
            lints = true;
        } else if section.ends_with("dependencies") && is_entry(line) && !line.contains("workspace = true") {
            findings.push(Finding::new(
                "manifest",
                &file.path,
                at + 1,
                "a dependency that does not stand in the workspace's list",
            ));
        }
    }
    if !lints {
        findings.push(Finding::new("manifest", &file.path, 0, "[lints] workspace = true is missing"));
    }
    for key in INHERITED {
        if !file.text.lines().any(|line| line.starts_with(key)) {
            findings.push(Finding::new("manifest", &file.path, 0, format!("{key} = true is missing")));
        }
    }
}

fn is_entry(line: &str) -> bool {
    !line.is_empty() && !line.starts_with('#') && line.contains('=')
}
