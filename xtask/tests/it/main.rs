//! The generated pages of the manual: each is made from what the code itself says, and must be what is
//! committed. `cargo xtask gen` writes them anew.
#![expect(clippy::unwrap_used, reason = "a test that unwraps in vain has failed as it should")]

mod platforms;
mod steps;

use std::path::Path;

/// Compares a page with the committed one; under `UPDATE=1` writes it.
fn generated(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/manual").join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, text).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "docs/manual/{name} is not what the code says: cargo xtask gen");
}
