//! Who may know whom, from what cargo itself says about the workspace.

use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

use super::Finding;

/// Our crates, with those of ours that they may depend on in what is shipped.
const MAY_KNOW: [(&str, &[&str]); 12] = [
    ("handover-model", &[]),
    ("handover-sandbox", &[]),
    ("handover-store", &["handover-model"]),
    ("handover-connect", &["handover-model"]),
    ("handover-platforms", &["handover-model", "handover-connect"]),
    ("handover-files", &["handover-model", "handover-connect"]),
    ("handover-engine", &["handover-model", "handover-store", "handover-connect"]),
    // Ties a sandbox to the driver without sockets: the one place that knows both sides.
    ("handover-local", &["handover-model", "handover-connect", "handover-sandbox"]),
    (
        "handover",
        &[
            "handover-model",
            "handover-store",
            "handover-connect",
            "handover-platforms",
            "handover-files",
            "handover-engine",
            "handover-local",
            "handover-sandbox",
        ],
    ),
    // Measures the parts and the whole; nothing depends on it.
    (
        "handover-bench",
        &[
            "handover",
            "handover-model",
            "handover-store",
            "handover-connect",
            "handover-platforms",
            "handover-engine",
            "handover-local",
            "handover-sandbox",
        ],
    ),
    // Plays weeks with the engine between two sandboxes; nothing depends on it. Its oracle knows the sandboxes alone,
    // which a test of its own reads.
    (
        "handover-simulation",
        &[
            "handover-model",
            "handover-store",
            "handover-connect",
            "handover-platforms",
            "handover-engine",
            "handover-local",
            "handover-sandbox",
        ],
    ),
    ("xtask", &[]),
];

/// What `cargo metadata` says, for Linux on x86-64: other machines' packages need not be fetched.
pub(super) fn metadata(root: &Path) -> Result<Json, String> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("cargo could not be started: {error}\n"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}\n"))
}

/// The packages of the metadata.
pub(super) fn packages(metadata: &Json) -> impl Iterator<Item = &Json> {
    metadata.get("packages").and_then(Json::as_array).into_iter().flatten()
}

/// A text of a package; empty when it has none.
pub(super) fn word<'a>(package: &'a Json, key: &str) -> &'a str {
    package.get(key).and_then(Json::as_str).unwrap_or_default()
}

/// Checks all crates.
pub(super) fn check(metadata: &Json, findings: &mut Vec<Finding>) {
    let ours: Vec<&Json> =
        packages(metadata).filter(|package| package.get("source").is_none_or(Json::is_null)).collect();
    let names: Vec<&str> = ours.iter().map(|package| word(package, "name")).collect();
    for package in &ours {
        let name = word(package, "name");
        let Some((_, may)) = MAY_KNOW.iter().find(|(known, _)| *known == name) else {
            findings.push(Finding::new(
                "direction",
                "xtask/src/tidy/crates.rs",
                0,
                format!("the crate `{name}` has no place in the list"),
            ));
            continue;
        };
        for dependency in package.get("dependencies").and_then(Json::as_array).into_iter().flatten() {
            let other = word(dependency, "name");
            // Tests may know more: they put the parts together.
            let shipped = word(dependency, "kind") != "dev";
            if names.contains(&other) && shipped && !may.contains(&other) {
                let path = format!("{}/Cargo.toml", folder(name));
                findings.push(Finding::new("direction", &path, 0, format!("`{name}` must not know `{other}`")));
            }
        }
        let development = package.get("dependencies").and_then(Json::as_array).into_iter().flatten();
        let knows_ours = development.filter(|dependency| names.contains(&word(dependency, "name"))).count();
        if name == "handover-sandbox" && knows_ours > 0 {
            findings.push(Finding::new(
                "direction",
                "crates/sandbox/Cargo.toml",
                0,
                "the sandbox knows none of ours, in tests neither",
            ));
        }
    }
}

fn folder(name: &str) -> String {
    match name {
        "xtask" => "xtask".to_owned(),
        name => format!("crates/{}", name.strip_prefix("handover-").unwrap_or(name)),
    }
}
