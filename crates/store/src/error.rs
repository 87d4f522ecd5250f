//! What can go wrong with the state, as decisions: who can mend it and what is true now.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use handover_model::{FlowName, SystemName};

use crate::Holder;

type Source = Box<dyn StdError + Send + Sync>;

/// A failure of the store. Every one names the file or the URL without its password, and
/// [`Error::state`] says what is true now. Values of records are never part of it.
#[derive(Debug)]
pub enum Error {
    /// The location is not a path and not a `postgres://` URL.
    BadLocation {
        /// What was given, without a password.
        given: String,
        /// What is wrong with it.
        why: String,
    },
    /// There is no state to read yet.
    Absent {
        /// The file or URL.
        location: Arc<str>,
    },
    /// Another process has it open for writing.
    Locked {
        /// The file or URL.
        location: Arc<str>,
        /// Who, as far as it is known.
        by: Box<Holder>,
    },
    /// Another process has taken the lease over: this one writes nothing any more.
    Succeeded {
        /// The URL.
        location: Arc<str>,
        /// Who.
        by: Box<Holder>,
    },
    /// The lease is shorter than what it has to outlast.
    LeaseShort {
        /// The URL.
        location: Arc<str>,
        /// How long it lasts.
        term: Duration,
    },
    /// A newer version of Handover made it.
    NewerVersion {
        /// The file or URL.
        location: Arc<str>,
        /// The version that the state has.
        have: i64,
        /// The newest version that this program knows.
        know: i64,
    },
    /// The file is truncated, damaged or not a state at all.
    Corrupt {
        /// The file or URL.
        location: Arc<str>,
        /// What was found.
        what: String,
        /// The database's own error.
        source: Option<Source>,
    },
    /// It cannot be written.
    ReadOnly {
        /// The file or URL.
        location: Arc<str>,
        /// The database's or the file system's own error.
        source: Option<Source>,
    },
    /// There is no space left.
    DiskFull {
        /// The file or URL.
        location: Arc<str>,
        /// The database's or the file system's own error.
        source: Option<Source>,
    },
    /// The state belongs to another project.
    OtherProject {
        /// The file or URL.
        location: Arc<str>,
        /// The project that it was made for.
        have: String,
        /// The project that was given.
        given: String,
    },
    /// The state was made with another account of a system.
    OtherAccount {
        /// The file or URL.
        location: Arc<str>,
        /// The system.
        system: SystemName,
        /// Platform and account that it was made with.
        have: String,
        /// Platform and account that were given.
        given: String,
    },
    /// The ends of a flow were never told (`Store::bind_flows`).
    UnknownFlow {
        /// The file or URL.
        location: Arc<str>,
        /// The flow.
        flow: FlowName,
    },
    /// The ledger does not verify.
    Broken {
        /// The file or URL.
        location: Arc<str>,
        /// The first ledger row that is not as it was written.
        seq: i64,
        /// What is wrong with it.
        what: String,
    },
    /// The fuse of a test went off.
    Stopped {
        /// The file or URL.
        location: Arc<str>,
        /// At which durable transaction.
        nth: u64,
    },
    /// The database cannot be reached.
    Unreachable {
        /// The URL.
        location: Arc<str>,
        /// The driver's error.
        source: Source,
    },
    /// Anything else that the database or the file system refused.
    Failed {
        /// The file or URL.
        location: Arc<str>,
        /// The database's or the file system's own error.
        source: Source,
    },
}

impl Error {
    /// What is true now, in one clause.
    pub fn state(&self) -> &'static str {
        match self {
            Self::BadLocation { .. } | Self::Absent { .. } => "nothing was created",
            Self::Locked { .. } | Self::NewerVersion { .. } => "nothing of this step was read or changed",
            Self::Succeeded { .. } => {
                "what was committed before stands; what was under way is looked up by the one that has it now"
            }
            Self::LeaseShort { .. } => "nothing was sent since; what was committed stands",
            Self::Corrupt { .. } => "nothing was changed; restore it from a copy",
            Self::ReadOnly { .. } | Self::DiskFull { .. } | Self::Failed { .. } => {
                "nothing of this step was written, everything before it stays"
            }
            Self::OtherProject { .. } | Self::OtherAccount { .. } | Self::UnknownFlow { .. } => "nothing was changed",
            Self::Broken { .. } => "the rows before it are as they were written",
            Self::Stopped { .. } => "the process behaves as if it had been killed at this write",
            Self::Unreachable { .. } => {
                "a step that was under way is either written whole or not at all; open the state again to see"
            }
        }
    }

    /// A database's error as a decision.
    pub(crate) fn of_database(location: &Arc<str>, error: sqlx::Error) -> Self {
        let location = location.clone();
        let code = error.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned());
        let is_sqlite = matches!(&error, sqlx::Error::Database(inner) if is_sqlite(inner.as_ref()));
        if let Some(code) = code {
            return match (is_sqlite, code.as_str()) {
                // The extended result code's low byte is the primary code (sqlite.org/rescode.html).
                (true, code) => match code.parse::<i64>().unwrap_or(1) & 0xff {
                    5 | 6 => Self::Locked { location, by: Holder::named("another program").into() },
                    8 => Self::ReadOnly { location, source: Some(error.into()) },
                    11 | 26 => Self::Corrupt {
                        location,
                        what: "SQLite finds it damaged".to_owned(),
                        source: Some(error.into()),
                    },
                    13 => Self::DiskFull { location, source: Some(error.into()) },
                    14 => Self::ReadOnly { location, source: Some(error.into()) },
                    _ => Self::Failed { location, source: error.into() },
                },
                (false, "55P03") => Self::Locked { location, by: Holder::named("another process").into() },
                (false, "53100") => Self::DiskFull { location, source: Some(error.into()) },
                (false, "25006") | (false, "42501") => Self::ReadOnly { location, source: Some(error.into()) },
                (false, "XX001") | (false, "XX002") => Self::Corrupt {
                    location,
                    what: "PostgreSQL finds it damaged".to_owned(),
                    source: Some(error.into()),
                },
                // Connection exceptions, shut-downs, log-ins that are refused, a transaction that was left open too long.
                (false, code) if ["08", "57P", "28"].iter().any(|class| code.starts_with(class)) || code == "25P03" => {
                    Self::Unreachable { location, source: error.into() }
                }
                _ => Self::Failed { location, source: error.into() },
            };
        }
        match error {
            sqlx::Error::Io(error) => Self::of_file(&location, error),
            sqlx::Error::Decode(source) | sqlx::Error::ColumnDecode { source, .. } => {
                Self::Corrupt { location, what: "a row cannot be read".to_owned(), source: Some(source) }
            }
            sqlx::Error::PoolTimedOut | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed => {
                Self::Unreachable { location, source: error.into() }
            }
            error => Self::Failed { location, source: error.into() },
        }
    }

    /// A file system's error as a decision.
    pub(crate) fn of_file(location: &Arc<str>, error: io::Error) -> Self {
        let location = location.clone();
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { location, source: Some(error.into()) }
            }
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                Self::ReadOnly { location, source: Some(error.into()) }
            }
            io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::TimedOut
            | io::ErrorKind::HostUnreachable => Self::Unreachable { location, source: error.into() },
            _ => Self::Failed { location, source: error.into() },
        }
    }
}

fn is_sqlite(error: &dyn sqlx::error::DatabaseError) -> bool {
    error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadLocation { given, why } => write!(f, "`{given}` is no place for a state: {why}"),
            Self::Absent { location } => write!(f, "there is no state at `{location}`"),
            Self::Locked { location, by } => write!(f, "the state `{location}` is in use by {by}"),
            Self::Succeeded { location, by } => {
                write!(
                    f,
                    "the state `{location}` was taken over by {by}, since this process had been silent for too long"
                )
            }
            Self::LeaseShort { location, term } => {
                write!(f, "the lease on the state `{location}` lasts for {} ms only", term.as_millis())
            }
            Self::NewerVersion { location, have, know } => {
                write!(f, "the state `{location}` has version {have}, this program knows {know} at most")
            }
            Self::Corrupt { location, what, .. } => write!(f, "the state `{location}` is damaged: {what}"),
            Self::ReadOnly { location, .. } => write!(f, "the state `{location}` cannot be written"),
            Self::DiskFull { location, .. } => write!(f, "no space is left for the state `{location}`"),
            Self::OtherProject { location, have, given } => {
                write!(f, "the state `{location}` belongs to the project `{have}`, not to `{given}`")
            }
            Self::OtherAccount { location, system, have, given } => {
                write!(f, "the state `{location}` was made with {have} as `{system}`, not with {given}")
            }
            Self::UnknownFlow { location, flow } => {
                write!(f, "the state `{location}` does not know which objects the flow `{flow}` pairs")
            }
            Self::Broken { location, seq, what } => {
                write!(f, "the ledger in `{location}` is broken at row {seq}: {what}")
            }
            Self::Stopped { location, nth } => write!(f, "stopped at write {nth} to `{location}`"),
            Self::Unreachable { location, .. } => write!(f, "the database `{location}` cannot be reached"),
            Self::Failed { location, .. } => write!(f, "the state `{location}` failed"),
        }?;
        write!(f, "; {}", self.state())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Corrupt { source, .. } | Self::ReadOnly { source, .. } | Self::DiskFull { source, .. } => {
                source.as_deref().map(|source| source as _)
            }
            Self::Unreachable { source, .. } | Self::Failed { source, .. } => Some(source.as_ref()),
            _ => None,
        }
    }
}
