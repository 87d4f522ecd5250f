//! This process as one of the workers of a state: its name, its turn, and whether another worker still lives.
//!
//! Invariants:
//! - A request leaves only while the lease on the state outlasts its time-out.
//! - Another worker's lease is taken before its end only if its process has certainly ended: it was one of this
//!   machine, and its number belongs to nobody or to a younger process.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use handover_connect::Leave;
use handover_store::{Claim, Error, Lease, Location, Store};

/// A process that writes a state.
#[derive(Clone, Debug)]
pub(crate) struct Worker {
    /// The name under which people know it.
    pub(crate) name: String,
    /// What tells it from every other process: machine since its start, numbering of processes, number, start.
    process: String,
}

impl Worker {
    /// This process under a name that somebody gave it, else by its machine and number.
    pub(crate) fn named(name: Option<&str>) -> Self {
        let number = std::process::id();
        let host = || std::fs::read_to_string("/proc/sys/kernel/hostname").map(|name| name.trim().to_owned());
        let name = match name {
            Some(name) => name.to_owned(),
            None => format!("{} process {number}", host().unwrap_or_else(|_| "this machine's".to_owned())),
        };
        let process = place().and_then(|place| Some(format!("{place}/{number}/{}", started(number)?)));
        Self { name, process: process.unwrap_or_default() }
    }

    /// Opens a state to write it. The lease of a worker that died on this machine is not waited for.
    ///
    /// # Errors
    /// Those of [`Store::open_as`].
    pub(crate) async fn open(&self, location: &Location, term: Duration, own: Option<i64>) -> Result<Store, Error> {
        let claim = Claim { worker: self.name.clone(), process: self.process.clone(), term, over: own };
        match Store::open_as(location, &claim).await {
            Err(Error::Locked { by, .. }) if has_ended(&by.process) => {
                tracing::info!(%by, "it has ended without giving the state back");
                Store::open_as(location, &Claim { over: Some(by.fence), ..claim }).await
            }
            opened => opened,
        }
    }
}

/// Where numbers of processes mean the same as here: on this machine since it started, in this container.
fn place() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let numbering = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{}/{}", boot.trim(), numbering.display()))
}

/// When a process of this machine started, in the machine's own count; none for a process that is no more.
fn started(number: u32) -> Option<String> {
    let told = std::fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
    // The second field is the program's name, in brackets, and may contain anything: see proc(5).
    let (_, behind) = told.rsplit_once(')')?;
    let mut fields = behind.split_whitespace();
    let ended = matches!(fields.next()?, "Z" | "X");
    if ended { None } else { fields.nth(18).map(str::to_owned) }
}

/// Whether a process has certainly ended.
fn has_ended(process: &str) -> bool {
    let parts = process.rsplit_once('/').and_then(|(rest, start)| Some((rest.rsplit_once('/')?, start)));
    let Some(((there, number), start)) = parts else { return false };
    let Ok(number) = number.parse() else { return false };
    place().is_some_and(|here| here == there) && started(number).is_none_or(|now| now != start)
}

/// The turn of this process to write: the lease under which the state is open.
#[derive(Default)]
pub(crate) struct Turn(Mutex<Option<Lease>>);

impl Turn {
    /// The state is open now.
    pub(crate) fn begins(&self, store: &Store) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = store.lease();
    }
}

#[async_trait]
impl Leave for Turn {
    async fn until_answered(&self, timeout: Duration) -> Result<(), String> {
        let lease = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match lease {
            Some(lease) => lease.outlasts(timeout).await.map_err(|error| error.to_string()),
            None => Ok(()),
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{Worker, has_ended, place, started};

    #[test]
    fn only_what_has_ended_has_ended() {
        let here = place().unwrap();
        let own = Worker::named(None);
        assert!(!has_ended(&own.process), "{own:?}");
        let mut child = std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let other = format!("{here}/{}/{}", child.id(), started(child.id()).unwrap());
        assert!(!has_ended(&other), "{other}");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(has_ended(&other), "{other}");
        // Its number may be somebody else's by now; and of other machines nothing is known.
        let number = std::process::id();
        assert!(has_ended(&format!("{here}/{number}/1")));
        for unknown in ["", "/", "nonsense", &format!("elsewhere/{number}/1"), &format!("{here}/x/1")] {
            assert!(!has_ended(unknown), "{unknown}");
        }
    }
}
