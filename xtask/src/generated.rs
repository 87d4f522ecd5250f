//! Generated pages of the manual.
//!
//! The pages are made and compared by a test (`xtask/tests/it`), because only a test may know the
//! engine and the platforms; this command runs it in the mode in which it writes.

use std::path::Path;
use std::process::Command;

/// Writes the pages anew.
pub(crate) fn write(root: &Path) -> Result<String, String> {
    let status = Command::new("cargo")
        .args(["test", "--quiet", "--package", "xtask", "--test", "it", "generated"])
        .env("UPDATE", "1")
        .current_dir(root)
        .status()
        .map_err(|error| format!("cargo could not be started: {error}\n"))?;
    if status.success() {
        Ok("written: docs/manual\n".to_owned())
    } else {
        Err("the pages could not be made\n".to_owned())
    }
}
