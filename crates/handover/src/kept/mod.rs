//! Secrets that Handover keeps: one encrypted file for each system, in `.handover/secrets` beside the project.
//!
//! Invariants:
//! - No secret is ever on disk in plain: what is not encrypted is not written.
//! - The key is the user's and is never kept: a passphrase or an age identity, from the environment or a file.
//! - A file is replaced whole, durably, by one process at a time.
//! - Deliberately absent: the keyring of an operating system, which servers do not have.

mod keeper;
mod seal;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use handover_model::{Place, SystemName};
use handover_store::{private_file, private_folder};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Serialize};

use crate::config::{Secret, SecretFrom};
use crate::problem::Problem;
pub(crate) use keeper::{Original, Renewer};
pub(crate) use seal::{Recipients, Sealed};

/// The variable with the passphrase, unless the project says otherwise.
pub(crate) const USUAL_KEY: &str = "HANDOVER_PASSPHRASE";

/// Where secrets are kept, and under which key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vault {
    folder: PathBuf,
    key: Key,
}

/// What secrets are encrypted under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// A passphrase.
    Passphrase(Secret),
    /// An age identity: the text of a file that `age-keygen` made.
    Identity(Secret),
}

/// Reads an environment variable.
pub(crate) type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// Everything that is kept for one system.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Entry {
    /// Secrets by their keys in the project file.
    pub(crate) secrets: BTreeMap<String, String>,
    /// What became of a refresh token that the project names elsewhere.
    pub(crate) renewed: Option<Renewed>,
    /// A person was asked, and did not answer yet.
    pub(crate) asked: Option<Asked>,
    /// What a project file says of the system, its platform and the lines that refer to what is kept: for `init`.
    pub(crate) entry: Option<(String, Vec<String>)>,
}

/// A refresh token that was exchanged for another.
#[derive(Serialize, Deserialize)]
pub(crate) struct Renewed {
    /// The one that the project names.
    from: String,
    /// The newest.
    to: String,
}

/// What a person was asked with.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) state: String,
    pub(crate) verifier: Option<String>,
}

/// Why kept secrets cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// No passphrase, no identity.
    #[error("there is no key to keep them under: {0}")]
    NoKey(String),
    /// The key is no key.
    #[error("what should be an age identity is none")]
    BadIdentity,
    /// Encrypted under another key.
    #[error("{0} was encrypted under another key")]
    WrongKey(PathBuf),
    /// Not an age file, cut off, changed.
    #[error("{0} is damaged")]
    Damaged(PathBuf),
    /// It is not there.
    #[error("nothing is kept under `{name}` in {file}")]
    Absent {
        /// Where it would be.
        file: PathBuf,
        /// Its key in the project file.
        name: String,
    },
    /// The disk's error.
    #[error("{file} cannot be {what}")]
    Io {
        file: PathBuf,
        what: &'static str,
        #[source]
        source: io::Error,
    },
}

impl Failure {
    /// The failure as a problem of a system.
    pub(crate) fn problem(&self, system: &SystemName) -> Problem {
        let code = match self {
            Self::NoKey(_) | Self::BadIdentity => "no_key",
            Self::WrongKey(_) => "wrong_key",
            Self::Damaged(_) | Self::Io { .. } => "not_kept",
            Self::Absent { .. } => "no_credentials",
        };
        let problem = Problem::new(code, format!("the kept secrets of `{system}` cannot be used"))
            .because(self)
            .state("nothing was sent, and what is kept is as it was");
        match self {
            Self::NoKey(_) | Self::BadIdentity => problem.hint(format!(
                "set {USUAL_KEY} to a passphrase of yours, or name a key in handover.yaml: `secrets: {{identity: {{file: PATH}}}}`"
            )),
            Self::WrongKey(_) => problem
                .hint("give the passphrase or identity under which it was kept")
                .hint(format!("if it is lost, remove the file and let the system in again: `handover connect {system}`")),
            Self::Damaged(_) => {
                problem.hint(format!("remove the file and let the system in again: `handover connect {system}`"))
            }
            Self::Absent { .. } => problem.hint(format!("let the system in: `handover connect {system}`")),
            Self::Io { .. } => problem,
        }
    }
}

impl Vault {
    /// The vault of the project in `root`; without a key, under the passphrase in `HANDOVER_PASSPHRASE`.
    pub fn of(root: &Path, key: Option<Key>) -> Self {
        let usual = || Key::Passphrase(Secret { from: SecretFrom::Env(USUAL_KEY.to_owned()), place: Place::default() });
        Self { folder: root.join(".handover").join("secrets"), key: key.unwrap_or_else(usual) }
    }

    /// The file of a system.
    pub(crate) fn file(&self, system: &SystemName) -> PathBuf {
        self.folder.join(format!("{system}.age"))
    }

    /// A secret of a system, by its key in the project file.
    pub(crate) fn secret(
        &self,
        system: &SystemName,
        name: &str,
        environment: Environment<'_>,
    ) -> Result<SecretString, Failure> {
        let secret = self.read(system, environment)?.secrets.remove(name).map(SecretString::from);
        secret.ok_or_else(|| Failure::Absent { file: self.file(system), name: name.to_owned() })
    }

    /// Everything that is kept for a system; empty when nothing is. The key must be there and, of what is kept, the
    /// right one.
    pub(crate) fn read(&self, system: &SystemName, environment: Environment<'_>) -> Result<Entry, Failure> {
        let file = self.file(system);
        let bytes = match std::fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Entry::default()),
            Err(source) => return Err(Failure::Io { file, what: "read", source }),
        };
        let plain = Zeroizing::new(self.opened(environment)?.decrypt(&file, &bytes)?);
        serde_json::from_slice(&plain).map_err(|_| Failure::Damaged(file))
    }

    /// Changes what is kept for a system; nobody else does meanwhile.
    pub(crate) fn change(
        &self,
        system: &SystemName,
        environment: Environment<'_>,
        change: impl FnOnce(&mut Entry),
    ) -> Result<(), Failure> {
        let _lock = self.lock(system)?;
        let mut entry = self.read(system, environment)?;
        change(&mut entry);
        self.write(system, environment, &entry)
    }

    /// The right to change what is kept for a system: until what this gives is dropped, others wait.
    fn lock(&self, system: &SystemName) -> Result<File, Failure> {
        let file = self.folder.join(format!("{system}.lock"));
        let wrong = |source| Failure::Io { file: file.clone(), what: "locked", source };
        private_folder(&self.folder).map_err(wrong)?;
        let lock = private_file(&file).map_err(wrong)?;
        lock.lock().map_err(wrong)?;
        Ok(lock)
    }

    fn write(&self, system: &SystemName, environment: Environment<'_>, entry: &Entry) -> Result<(), Failure> {
        let file = self.file(system);
        let plain = Zeroizing::new(serde_json::to_vec(entry).map_err(|_| Failure::Damaged(file.clone()))?);
        let bytes = self.opened(environment)?.encrypt(&plain).map_err(|_| Failure::BadIdentity)?;
        let wrong = |source| Failure::Io { file: file.clone(), what: "written", source };
        private_folder(&self.folder).map_err(wrong)?;
        crate::config::replace_private(&file, &bytes).map_err(wrong)
    }

    /// The key itself.
    pub(crate) fn opened(&self, environment: Environment<'_>) -> Result<seal::Opened, Failure> {
        let (Key::Passphrase(secret) | Key::Identity(secret)) = &self.key;
        let text = secret.words(environment).map_err(Failure::NoKey)?;
        match &self.key {
            Key::Passphrase(_) => Ok(seal::Opened::Passphrase(text)),
            Key::Identity(_) => seal::Opened::identity(&text).ok_or(Failure::BadIdentity),
        }
    }
}

/// Environment variables of the process.
pub(crate) fn process(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
