//! A sandbox whose state lives in a folder and survives `kill -9`.
//!
//! The folder holds `world.json`, a world file, and `requests.log`: one line per request that changed
//! something, appended before the reply leaves. Opening loads the world and replays the log, which
//! gives the same world because handling is deterministic. The first line of the log holds the hash
//! of the world file it continues; a log that continues another world was already folded into this
//! one when the process died, and is dropped.
//!
//! Deliberately not kept: the fault plan, the rate windows of reads, and the journal's reads.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::faults::{Disturbance, Interference};
use crate::journal::{Entry, Journal};
use crate::{Platform, Request, Sandbox};

const WORLD: &str = "world.json";
const LOG: &str = "requests.log";

/// Why a sandbox's folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PersistError {
    /// A file cannot be read or written.
    #[error("failed {what} {path}")]
    File {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("failed understanding line {line} of {path}")]
    Shape {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// Why it failed.
        #[source]
        source: serde_json::Error,
    },
    /// The platform refuses the world.
    #[error("failed loading the world from {path}")]
    World {
        /// Which file.
        path: PathBuf,
        /// The platform's reason.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// One line of the log.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// The world that the log continues.
    Continues(String),
    Request {
        now: Timestamp,
        request: Logged,
        #[serde(default)]
        interference: Interference,
    },
    Disturbance {
        now: Timestamp,
        disturbance: Disturbance,
    },
}

/// A request with its body in Base64.
#[derive(Serialize, Deserialize)]
struct Logged {
    method: String,
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: String,
}

/// The append-only log of what changed the world.
///
/// A write that fails is remembered and told at the next [`Sandbox::snapshot`]; the shell asks
/// [`Sandbox::log_failure`] before it answers.
#[derive(Debug)]
pub struct Log {
    dir: PathBuf,
    file: File,
    failure: Option<io::Error>,
}

/// Opens the folder, or begins it with a fresh world.
///
/// `fresh` gives the world of a new folder; `load` reads a world file.
pub fn open<E>(
    dir: &Path,
    fresh: impl FnOnce() -> Result<Box<dyn Platform>, E>,
    load: impl FnOnce(Json) -> Result<Box<dyn Platform>, E>,
) -> Result<Sandbox, PersistError>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fs::create_dir_all(dir).map_err(file_error("creating", dir))?;
    let world_path = dir.join(WORLD);
    let refused = |source: E| PersistError::World { path: world_path.clone(), source: source.into() };
    if !world_path.exists() {
        let platform = fresh().map_err(refused)?;
        let log = begin(dir, platform.as_ref())?;
        let mut sandbox = Sandbox::new(platform);
        sandbox.log = Some(log);
        return Ok(sandbox);
    }
    let text = fs::read(&world_path).map_err(file_error("reading", &world_path))?;
    let hash = blake3::hash(&text).to_hex().to_string();
    let world = serde_json::from_slice(&text).map_err(|source| PersistError::Shape {
        path: world_path.clone(),
        line: 1,
        source,
    })?;
    drop(text);
    let mut platform = load(world).map_err(refused)?;
    let mut journal = Journal::default();
    let log = replay(dir, &hash, platform.as_mut(), &mut journal)?;
    let mut sandbox = Sandbox::new(platform);
    sandbox.journal = journal;
    sandbox.log = Some(log);
    Ok(sandbox)
}

/// Writes the world file and begins an empty log that continues it.
pub(crate) fn begin(dir: &Path, platform: &dyn Platform) -> Result<Log, PersistError> {
    let world_path = dir.join(WORLD);
    let draft = dir.join("world.json.new");
    let text = serde_json::to_vec(&platform.world()).map_err(io::Error::from).map_err(file_error("writing", &draft))?;
    let written = File::create(&draft).and_then(|mut file| {
        file.write_all(&text)?;
        file.sync_all()
    });
    written.map_err(file_error("writing", &draft))?;
    fs::rename(&draft, &world_path).map_err(file_error("replacing", &world_path))?;
    begin_log(dir, blake3::hash(&text).to_hex().as_str())
}

fn begin_log(dir: &Path, hash: &str) -> Result<Log, PersistError> {
    let path = dir.join(LOG);
    let draft = dir.join("requests.log.new");
    let mut first = serde_json::to_string(&Line::Continues(hash.to_owned())).unwrap_or_default();
    first.push('\n');
    fs::write(&draft, first).map_err(file_error("writing", &draft))?;
    fs::rename(&draft, &path).map_err(file_error("replacing", &path))?;
    let file = OpenOptions::new().append(true).open(&path).map_err(file_error("opening", &path))?;
    Ok(Log { dir: dir.to_owned(), file, failure: None })
}

fn replay(dir: &Path, hash: &str, platform: &mut dyn Platform, journal: &mut Journal) -> Result<Log, PersistError> {
    let path = dir.join(LOG);
    let Ok(file) = File::open(&path) else {
        return begin_log(dir, hash);
    };
    let mut reader = BufReader::new(file);
    let mut whole: u64 = 0;
    for line in 1.. {
        let mut text = Vec::new();
        let read = reader.read_until(b'\n', &mut text).map_err(file_error("reading", &path))?;
        // A last line without its end was never answered: the process died while writing it.
        if read == 0 || text.last() != Some(&b'\n') {
            break;
        }
        let parsed: Line =
            serde_json::from_slice(&text).map_err(|source| PersistError::Shape { path: path.clone(), line, source })?;
        match parsed {
            Line::Continues(of) if of != hash => return begin_log(dir, hash),
            Line::Continues(_) => {}
            Line::Request { now, request, interference } => {
                let request = request.open();
                let outcome = platform.handle(&request, now, &interference);
                let mut entry = Entry::of(&request, now);
                entry.status = Some(outcome.reply.status);
                entry.applied_status = entry.status;
                entry.cost = platform.cost();
                entry.changes = outcome.changes;
                journal.push(entry);
            }
            Line::Disturbance { now, disturbance } => {
                let changes = platform.disturb(&disturbance, now);
                journal.push_disturbance(now, changes);
            }
        }
        whole += read as u64;
    }
    if whole == 0 {
        return begin_log(dir, hash);
    }
    let file = OpenOptions::new().append(true).open(&path).map_err(file_error("opening", &path))?;
    file.set_len(whole).map_err(file_error("truncating", &path))?;
    Ok(Log { dir: dir.to_owned(), file, failure: None })
}

impl Log {
    /// The folder that holds the log and its world.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn handled(&mut self, now: Timestamp, request: &Request, interference: &Interference) {
        let line = Line::Request { now, request: Logged::of(request), interference: interference.clone() };
        self.append(&line);
    }

    pub(crate) fn disturbed(&mut self, now: Timestamp, disturbance: &Disturbance) {
        self.append(&Line::Disturbance { now, disturbance: disturbance.clone() });
    }

    pub(crate) fn failure(&self) -> Option<&io::Error> {
        self.failure.as_ref()
    }

    fn append(&mut self, line: &Line) {
        let written = serde_json::to_vec(line).map_err(io::Error::from).and_then(|mut text| {
            text.push(b'\n');
            // One write per line; the operating system keeps it when the process is killed.
            self.file.write_all(&text)
        });
        if let Err(error) = written {
            self.failure.get_or_insert(error);
        }
    }
}

impl Logged {
    fn of(request: &Request) -> Self {
        Self {
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            headers: request.headers.clone(),
            body: STANDARD.encode(&request.body),
        }
    }

    fn open(self) -> Request {
        Request {
            method: self.method,
            path: self.path,
            query: self.query,
            headers: self.headers,
            body: STANDARD.decode(self.body).unwrap_or_default(),
        }
    }
}

fn file_error(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PersistError + use<> {
    let path = path.to_owned();
    move |source| PersistError::File { what, path, source }
}
