//! The project's files as they were when it was loaded: what excerpts show and what the snapshot hashes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::node::{Kind, Mark, Node};
use crate::problem::Problem;

/// The texts of a project's files by their path relative to it, with `/`, literal secrets masked.
#[derive(Clone, Default)]
pub struct Sources(BTreeMap<Arc<str>, Vec<String>>);

/// Keys whose literal values are secrets: they are refused, and masked wherever their line is shown.
pub(super) const SECRET_KEYS: [&str; 12] = [
    "token",
    "access_token",
    "client_secret",
    "refresh_token",
    "private_key",
    "password",
    "secret",
    "api_key",
    "api_token",
    "webhook",
    "passphrase",
    "identity",
];

impl Sources {
    /// A line, from 1.
    pub fn line(&self, file: &str, line: u32) -> Option<&str> {
        let lines = self.0.get(file)?;
        lines.get((line as usize).checked_sub(1)?).map(String::as_str)
    }

    /// Files that were read.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|file| &**file)
    }

    /// Keeps a file's text as it is.
    pub(super) fn add(&mut self, file: &str, text: &str) {
        self.0.insert(file.into(), text.lines().map(str::to_owned).collect());
    }

    /// Keeps a file's text, masking what looks like a secret by its line alone: in case the file turns
    /// out to be no YAML.
    pub(super) fn add_masked(&mut self, file: &str, text: &str) {
        self.0.insert(file.into(), text.lines().map(mask_line).collect());
    }

    /// Masks the literal secrets of a tree: those that stand on lines of their own, too.
    pub(super) fn mask(&mut self, file: &str, node: &Node) {
        match &node.kind {
            Kind::Map { entries, .. } => {
                for entry in entries {
                    if SECRET_KEYS.contains(&entry.key.as_str()) && entry.value.text().is_some() {
                        self.mask_at(file, entry.value.mark);
                    }
                    self.mask(file, &entry.value);
                }
            }
            Kind::List(items) => items.iter().for_each(|item| self.mask(file, item)),
            Kind::Null | Kind::Scalar { .. } => {}
        }
    }

    fn mask_at(&mut self, file: &str, mark: Mark) {
        let Some(lines) = self.0.get_mut(file) else { return };
        let first = (mark.line as usize).saturating_sub(1);
        // A secret over several lines: how many is not known, so its indented block is masked.
        let mut indent = None;
        for (index, line) in lines.iter_mut().enumerate().skip(first) {
            let blanks = line.len() - line.trim_start().len();
            match indent {
                None if mark.width > 0 => {
                    let start = mark.column.saturating_sub(1) as usize;
                    *line = stars(line, start, start + mark.width as usize);
                    return;
                }
                None => {
                    *line = stars(line, mark.column.saturating_sub(1) as usize, usize::MAX);
                    indent = Some(blanks);
                }
                Some(indent) if index > first && blanks > indent => *line = stars(line, blanks, usize::MAX),
                Some(_) if line.trim().is_empty() => {}
                Some(_) => return,
            }
        }
    }
}

/// Reads a text file of the project; `Ok(None)` when it does not exist.
pub(super) fn read(root: &Path, file: &str) -> Result<Option<Vec<u8>>, Problem> {
    match std::fs::read(root.join(file)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Problem::new("unreadable", format!("cannot read {file}")).because(&error)),
    }
}

/// Masks what stands after `token:` and the like, for files that are no YAML.
fn mask_line(line: &str) -> String {
    let mut masked = line.to_owned();
    for key in SECRET_KEYS {
        let mut from = 0;
        while let Some(at) = masked.get(from..).and_then(|rest| rest.find(key)) {
            let (begin, after_key) = (from + at, from + at + key.len());
            from = after_key;
            if masked[..begin].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let rest = &masked[after_key..];
            let Some(value) = rest.trim_start_matches(['"', '\'', ' ']).strip_prefix(':') else { continue };
            let trimmed = value.trim_start();
            if trimmed.is_empty() || trimmed.starts_with(['{', '#', '&', '*', '|', '>']) {
                continue;
            }
            let start = masked.len() - trimmed.len();
            let end = trimmed.find([',', '}']).map_or(masked.len(), |at| start + at);
            let stars = "*".repeat(masked[start..end].trim_end().chars().count());
            let kept = masked[start..end].len() - masked[start..end].trim_end().len();
            let tail = " ".repeat(kept) + &masked[end..];
            masked.replace_range(start.., &(stars + &tail));
        }
    }
    masked
}

/// The line with the characters from `start` to `end` as stars.
fn stars(line: &str, start: usize, end: usize) -> String {
    line.chars().enumerate().map(|(at, c)| if at >= start && at < end { '*' } else { c }).collect()
}
