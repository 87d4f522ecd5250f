//! Every pair of platforms at full size: the whole sample company, with an optimised build. Too long for CI, which moves a
//! hundredth of it.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

use crate::tidy::PLATFORMS;

/// Moves the company between every two platforms, a line for each; fails where anything differs or a move stops.
pub(crate) fn run(root: &Path) -> Result<String, String> {
    let built = Command::new("cargo").args(["build", "--release", "--package", "handover"]).current_dir(root).status();
    if !built.is_ok_and(|status| status.success()) {
        return Err("handover could not be built\n".to_owned());
    }
    let mut wrong = 0;
    for from in PLATFORMS {
        for to in PLATFORMS.iter().filter(|to| **to != from) {
            let line = moved(root, from, to).unwrap_or_else(|why| {
                wrong += 1;
                why
            });
            drop(writeln!(std::io::stdout().lock(), "{from} to {to}: {line}"));
        }
    }
    match wrong {
        0 => Ok("nothing differs in any pair\n".to_owned()),
        wrong => Err(format!("something is wrong in {wrong} pairs, see above\n")),
    }
}

/// One move, in a line; what is wrong with it instead.
fn moved(root: &Path, from: &str, to: &str) -> Result<String, String> {
    let target = root.join("target");
    let dir = target.join("pairs").join(format!("{from}-{to}"));
    let output = Command::new(target.join("release").join("handover"))
        .args(["demo", "--json", "--quiet", "--from", from, "--to", to, "--dir"])
        .arg(&dir)
        .output()
        .map_err(|error| error.to_string())?;
    let told: Json = serde_json::from_slice(&output.stdout).unwrap_or_default();
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("STOPPED: {}", said.lines().find(|line| line.starts_with("error")).unwrap_or_default()));
    }
    let objects = told.pointer("/after/objects").filter(|objects| objects.is_object()).or_else(|| told.get("objects"));
    let sum = |outcome: &str| {
        let objects = objects.and_then(Json::as_object).into_iter().flatten();
        objects.filter_map(|(_, counts)| counts.get(outcome)?.as_u64()).sum::<u64>()
    };
    let number = |path: &str| told.pointer(path).cloned().unwrap_or_default();
    let line = format!(
        "{} read, {} held, {} pending, {} differences, calls {} and {}, {} s here, {} s at the real limits",
        sum("read"),
        sum("held"),
        sum("pending"),
        number("/verify/differences"),
        number("/calls/old"),
        number("/calls/new"),
        number("/seconds"),
        number("/seconds_at_real_limits"),
    );
    // Its project is kept only where it shows what is wrong.
    if number("/verify/differences") != 0 || sum("pending") > 0 {
        return Err(format!("WRONG: {line}"));
    }
    std::fs::remove_dir_all(&dir).map_err(|error| error.to_string())?;
    Ok(line)
}
