//! Reading a tree into the project, with every mistake named instead of only the first.

use std::path::Path;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use handover_model::{Place, Value};
use rust_decimal::Decimal;

use super::node::{Entry, Kind, Mark, Mistake, Node, parse};
use super::sources::{Sources, read};
use crate::problem::Problem;

/// What every reader of a project file shares: the files read so far and the problems found so far.
#[derive(Default)]
pub(super) struct Reading {
    pub(super) sources: Sources,
    pub(super) problems: Vec<Problem>,
    /// Every file's name and hash, in the order of their names at the end.
    pub(super) hashes: std::collections::BTreeMap<String, blake3::Hash>,
}

/// One file under its name.
#[derive(Clone)]
pub(super) struct File(pub(super) Arc<str>);

impl File {
    pub(super) fn place(&self, mark: Mark) -> Place {
        Place { file: self.0.clone(), line: mark.line, column: mark.column }
    }
}

impl Reading {
    /// Reads a file's bytes, notes its hash. `None` when it is missing or unreadable (which is a problem).
    pub(super) fn bytes(&mut self, root: &Path, file: &str) -> Option<Vec<u8>> {
        match read(root, file) {
            Ok(Some(bytes)) => {
                self.hashes.insert(file.to_owned(), blake3::hash(&bytes));
                Some(bytes)
            }
            Ok(None) => None,
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    /// Parses a YAML file's bytes. Notation mistakes become problems. Literal secrets are masked in what
    /// excerpts show when the file is one that people may put them in.
    pub(super) fn tree(&mut self, file: &File, bytes: &[u8], secrets: bool) -> Option<Node> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let line = 1 + bytes.iter().take(error.valid_up_to()).filter(|byte| **byte == b'\n').count();
                let message = format!("{} is not UTF-8 (line {line})", file.0);
                self.problems.push(Problem::new("encoding", message).hint("save the file as UTF-8"));
                return None;
            }
        };
        if secrets {
            self.sources.add_masked(&file.0, text);
        } else {
            self.sources.add(&file.0, text);
        }
        match parse(text) {
            Ok((node, mistakes)) => {
                if secrets {
                    self.sources.mask(&file.0, &node);
                }
                for mistake in mistakes {
                    self.mistake(file, mistake);
                }
                Some(node)
            }
            Err(mistake) => {
                self.mistake(file, mistake);
                None
            }
        }
    }

    fn mistake(&mut self, file: &File, mistake: Mistake) {
        let mut problem = self.problem(file, mistake.mark, mistake.code, mistake.message);
        problem.notes.extend(mistake.note);
        self.problems.push(problem);
    }

    /// A problem at a mark, not yet noted.
    pub(super) fn problem(&self, file: &File, mark: Mark, code: &str, message: impl Into<String>) -> Problem {
        Problem::new(code, message).at(&file.place(mark), mark.width, &self.sources)
    }

    /// Notes a problem at a mark.
    pub(super) fn complain(&mut self, file: &File, mark: Mark, code: &str, message: impl Into<String>) {
        let problem = self.problem(file, mark, code, message);
        self.problems.push(problem);
    }

    /// Notes that `node` is not what `what` needs.
    pub(super) fn wrong(&mut self, file: &File, node: &Node, what: &str, wanted: &str) {
        // Names stand in backticks, descriptions do not.
        let what = if what.contains(' ') { what.to_owned() } else { format!("`{what}`") };
        self.complain(file, node.mark, "wrong_type", format!("{what} wants {wanted}, not {}", node.word()));
    }

    /// A text, whatever it looks like.
    pub(super) fn text(&mut self, file: &File, node: &Node, what: &str) -> Option<String> {
        match node.text() {
            Some(text) => Some(text.to_owned()),
            None => {
                self.wrong(file, node, what, "a text");
                None
            }
        }
    }

    /// One text or a list of texts, at least one.
    pub(super) fn texts(&mut self, file: &File, node: &Node, what: &str) -> Option<Vec<String>> {
        match &node.kind {
            Kind::Scalar { text, .. } => Some(vec![text.clone()]),
            Kind::List(items) if !items.is_empty() => {
                items.iter().map(|item| self.text(file, item, what)).collect::<Option<Vec<_>>>()
            }
            _ => {
                self.wrong(file, node, what, "a name or a list of names");
                None
            }
        }
    }

    pub(super) fn flag(&mut self, file: &File, node: &Node, what: &str) -> Option<bool> {
        match &node.kind {
            Kind::Scalar { text, quoted: false } if text == "true" => Some(true),
            Kind::Scalar { text, quoted: false } if text == "false" => Some(false),
            _ => {
                self.wrong_value(file, node, what, "`true` or `false`");
                None
            }
        }
    }

    pub(super) fn whole(&mut self, file: &File, node: &Node, what: &str, least: u64, most: u64) -> Option<u64> {
        match node.text().and_then(|text| text.parse().ok()) {
            Some(number) if (least..=most).contains(&number) => Some(number),
            _ => {
                self.wrong_value(file, node, what, &format!("a whole number from {least} to {most}"));
                None
            }
        }
    }

    /// `5%` as 0.05, up to `most` per cent.
    pub(super) fn share(&mut self, file: &File, node: &Node, what: &str, most: u32) -> Option<f64> {
        let share = node.text().and_then(|text| text.trim().strip_suffix('%')?.trim_end().parse::<f64>().ok());
        match share {
            Some(share) if (0.0..=f64::from(most)).contains(&share) => Some(share / 100.0),
            _ => {
                self.wrong_value(file, node, what, &format!("a percentage from `0%` to `{most}%`"));
                None
            }
        }
    }

    /// `60s`, `2m`, `500ms`.
    pub(super) fn duration(&mut self, file: &File, node: &Node, what: &str) -> Option<Duration> {
        let duration = node.text().and_then(|text| {
            let digits = text.find(|c: char| !c.is_ascii_digit())?;
            let number: u64 = text.get(..digits)?.parse().ok()?;
            match text.get(digits..)?.trim() {
                "ms" => Some(Duration::from_millis(number)),
                "s" => Some(Duration::from_secs(number)),
                "m" | "min" => Some(Duration::from_secs(number.checked_mul(60)?)),
                "h" => Some(Duration::from_secs(number.checked_mul(3600)?)),
                "d" => Some(Duration::from_secs(number.checked_mul(24 * 3600)?)),
                _ => None,
            }
        });
        if duration.is_none_or(|duration| duration.is_zero()) {
            self.wrong_value(file, node, what, "a duration like `60s`, `2m` or `500ms`");
            return None;
        }
        duration
    }

    /// One of several words.
    pub(super) fn word(&mut self, file: &File, node: &Node, what: &str, words: &[&str]) -> Option<String> {
        let text = self.text(file, node, what)?;
        if words.contains(&text.as_str()) {
            return Some(text);
        }
        let mut problem = self.problem(
            file,
            node.mark,
            "unknown_word",
            format!("`{text}` is not a word for `{what}`; known are {}", quoted(words)),
        );
        problem.notes.extend(did_you_mean(&text, words.iter().copied()));
        self.problems.push(problem);
        None
    }

    fn wrong_value(&mut self, file: &File, node: &Node, what: &str, wanted: &str) {
        match node.text() {
            Some(_) => self.complain(file, node.mark, "wrong_value", format!("`{what}` wants {wanted}")),
            None => self.wrong(file, node, what, wanted),
        }
    }

    /// Opens a mapping.
    pub(super) fn open<'n>(&mut self, file: &File, node: &'n Node, what: &str) -> Option<Entries<'n>> {
        match &node.kind {
            Kind::Map { entries, .. } => Some(Entries {
                entries,
                used: vec![false; entries.len()],
                known: Vec::new(),
                file: file.clone(),
                what: what.to_owned(),
                mark: node.mark,
            }),
            _ => {
                self.wrong(file, node, what, "a mapping (`key: value`)");
                None
            }
        }
    }
}

/// The entries of a mapping, each to be taken once. What is asked for is what is known: the rest is
/// refused at the end.
pub(super) struct Entries<'n> {
    entries: &'n [Entry],
    used: Vec<bool>,
    known: Vec<&'static str>,
    file: File,
    what: String,
    mark: Mark,
}

impl<'n> Entries<'n> {
    /// An entry that may be there.
    pub(super) fn entry(&mut self, key: &'static str) -> Option<&'n Entry> {
        self.known.push(key);
        let at = self.entries.iter().position(|entry| entry.key == key)?;
        self.used[at] = true;
        self.entries.get(at)
    }

    /// The value of an entry that may be there; one that is empty (`key:`) counts as not there.
    pub(super) fn take(&mut self, key: &'static str) -> Option<&'n Node> {
        self.entry(key).map(|entry| &entry.value).filter(|node| !matches!(node.kind, Kind::Null))
    }

    /// The value of an entry that must be there.
    pub(super) fn need(&mut self, key: &'static str, reading: &mut Reading) -> Option<&'n Node> {
        let value = self.take(key);
        if value.is_none() {
            reading.complain(&self.file, self.mark, "missing_key", format!("{} has no `{key}`", self.what));
        }
        value
    }

    /// Refuses what nobody asked for.
    pub(super) fn finish(self, reading: &mut Reading) {
        for (entry, _) in self.entries.iter().zip(&self.used).filter(|(_, used)| !**used) {
            let message = format!("`{}` is not a key of {}", entry.key, self.what);
            let mut problem = reading.problem(&self.file, entry.key_mark, "unknown_key", message);
            problem.notes.push(
                did_you_mean(&entry.key, self.known.iter().copied())
                    .unwrap_or_else(|| format!("known are {}", quoted(&self.known))),
            );
            reading.problems.push(problem);
        }
    }
}

/// A value as YAML 1.2 reads it: `true`, `12`, `1.5`, otherwise a text.
pub(super) fn value(node: &Node) -> Value {
    match &node.kind {
        Kind::Null => Value::Null,
        Kind::Scalar { text, quoted: true } => Value::Text(text.clone()),
        Kind::Scalar { text, quoted: false } => match text.as_str() {
            "true" | "True" | "TRUE" => Value::Bool(true),
            "false" | "False" | "FALSE" => Value::Bool(false),
            // A leading zero or plus belongs to a phone number or a postal code.
            number if is_number(number) => {
                Decimal::from_str(number).map_or_else(|_| Value::Text(text.clone()), Value::Number)
            }
            _ => Value::Text(text.clone()),
        },
        Kind::List(items) => Value::List(items.iter().map(value).collect()),
        Kind::Map { entries, .. } => {
            Value::Map(entries.iter().map(|entry| (entry.key.clone(), value(&entry.value))).collect())
        }
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain(whole) && plain(part) && (whole == "0" || !whole.starts_with('0'))
}

/// `did you mean` with the nearest of the known words, if one is near.
pub(crate) fn did_you_mean<'w>(word: &str, known: impl IntoIterator<Item = &'w str>) -> Option<String> {
    let lower = word.to_lowercase();
    let near = known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .min_by_key(|(distance, _)| *distance)?;
    let most = (word.chars().count() / 3).clamp(1, 3);
    (near.0 <= most).then(|| format!("did you mean `{}`?", near.1))
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
