//! What is wrong with a file, for the person who can mend it.

use std::fmt;
use std::path::PathBuf;

use handover_connect::{Fault, FaultKind};

/// What is wrong with a folder or file. Lines count from 1, the header's line being the first.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file or folder cannot be read or written.
    #[error("cannot {doing} {path}")]
    Io {
        /// `read`, `write`, ...
        doing: &'static str,
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// There is no such object in the folder.
    #[error("there is no {0}.csv in the folder")]
    NoObject(String),
    /// The object has no such column.
    #[error("{file} has no column `{column}`")]
    NoColumn {
        /// The file.
        file: String,
        /// The column.
        column: String,
    },
    /// The file breaks a rule.
    #[error("{file}: {what}")]
    File {
        /// The file.
        file: String,
        /// What is wrong.
        what: String,
    },
    /// A line breaks a rule.
    #[error("{file}, line {line}: {what}")]
    Line {
        /// The file.
        file: String,
        /// The line.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// Rows have another number of cells than the header.
    #[error("{file}: {} another number of cells than the header ({width}): {lines}", rows(*.count))]
    Ragged {
        /// The file.
        file: String,
        /// The header's cells.
        width: usize,
        /// How many rows.
        count: u64,
        /// The first of them.
        lines: Lines,
    },
}

/// Some lines, and whether there are more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    first: Vec<u64>,
    more: bool,
}

/// How many lines a message names.
const NAMED: usize = 10;

impl Lines {
    /// Adds a line.
    pub fn add(&mut self, line: u64) {
        if self.first.len() < NAMED {
            self.first.push(line);
        } else {
            self.more = true;
        }
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.first.iter().map(u64::to_string).collect();
        write!(f, "{} {}", if lines.len() == 1 { "line" } else { "lines" }, lines.join(", "))?;
        if self.more { f.write_str(" and more") } else { Ok(()) }
    }
}

fn rows(count: u64) -> String {
    if count == 1 { "1 row has".to_owned() } else { format!("{count} rows have") }
}

impl Error {
    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let (kind, code) = match &error {
            Error::Io { .. } => (FaultKind::Unavailable, "io"),
            Error::NoObject(_) | Error::NoColumn { .. } => (FaultKind::NotFound, "not_found"),
            Error::File { .. } | Error::Line { .. } | Error::Ragged { .. } => (FaultKind::Malformed, "csv"),
        };
        let mut message = error.to_string();
        if let Error::Io { source, .. } = &error {
            message.push_str(": ");
            message.push_str(&source.to_string());
        }
        Self::new(kind, code, message)
    }
}
