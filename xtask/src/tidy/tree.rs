//! The files of the project, read once.

use std::collections::BTreeSet;
use std::path::Path;

/// One text file.
pub(crate) struct File {
    /// From the workspace's folder, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// The last part of the path after its last dot; empty without one.
    pub(crate) fn extension(&self) -> &str {
        self.path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map_or("", |(_, extension)| extension)
    }

    /// Whether it is a program of ours: Rust, a script, a client's scenario.
    pub(crate) fn is_program(&self) -> bool {
        matches!(self.extension(), "rs" | "mjs" | "js" | "css") || self.text.starts_with("#!")
    }
}

/// All text files, and the paths of everything.
pub(crate) struct Tree {
    pub(crate) files: Vec<File>,
    paths: BTreeSet<String>,
}

impl Tree {
    /// Reads the tree; without what is built, fetched or hidden from the project.
    pub(crate) fn read(root: &Path) -> Result<Self, String> {
        let mut tree = Self { files: Vec::new(), paths: BTreeSet::new() };
        tree.walk(root, "").map_err(|error| format!("the tree cannot be read: {error}\n"))?;
        tree.files.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(tree)
    }

    fn walk(&mut self, folder: &Path, prefix: &str) -> std::io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
            let kind = entry.file_type()?;
            if kind.is_dir() {
                if !is_foreign(&name, prefix) {
                    self.paths.insert(path.clone());
                    self.walk(&entry.path(), &path)?;
                }
            } else if kind.is_file() {
                self.paths.insert(path.clone());
                // A file that is no UTF-8 is no text.
                if let Ok(text) = String::from_utf8(std::fs::read(entry.path())?) {
                    self.files.push(File { path, text });
                }
            }
        }
        Ok(())
    }

    /// The text of a file; empty when there is none.
    pub(crate) fn text(&self, path: &str) -> &str {
        self.files.iter().find(|file| file.path == path).map_or("", |file| file.text.as_str())
    }

    /// Whether there is a file or a folder at `path`.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.paths.contains(path)
    }
}

fn is_foreign(name: &str, prefix: &str) -> bool {
    let built = prefix.is_empty()
        && (name == ".git" || name == "target" || name.starts_with("target-") || name == "handover-demo");
    built || name == "node_modules"
}
