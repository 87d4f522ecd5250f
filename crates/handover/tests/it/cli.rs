//! The command line through the real binary: every test plays on a folder that `handover demo` made, with
//! both worlds in files that it may change between commands.

pub(crate) mod alerts;
mod audit;
mod back;
mod both_ways;
mod broken;
mod browser;
mod cohorts;
mod demo;
mod drift;
mod during;
mod faults;
mod gate;
mod guards;
mod made;
mod mail;
mod page;
mod pairs;
mod queue;
mod served;
mod sync;
mod unwritable;
mod verify;
mod webhooks;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value as Json;

/// A project on two sandboxes in a folder of its own.
pub(crate) struct Play {
    folder: tempfile::TempDir,
}

/// How a command ended.
pub(crate) struct Told {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Told {
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.out, self.err))
    }

    /// Fails unless the process ended with `code`.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        self
    }

    /// What a person sees of it.
    pub(crate) fn shown(&self) -> String {
        let mut text = format!("exit {}", self.code);
        for (name, part) in [("out", &self.out), ("err", &self.err)] {
            if !part.trim().is_empty() {
                text.push_str(&format!("\n--- {name}\n{}", part.trim_end()));
            }
        }
        // The number that a platform gives a request is its own affair.
        while let Some((before, rest)) = text.split_once(" [request ") {
            let after = rest.split_once(']').map_or("", |(_, after)| after);
            text = format!("{before}{after}");
        }
        text
    }
}

pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handover"));
    command.env_remove("HANDOVER_LOG").env_remove("HANDOVER_REVIEWER").env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

/// From Pipedrive to HubSpot, the project written and the fields created.
const FORTH: &[&str] = &["demo", "--small", "--until", "init"];
/// From HubSpot to Pipedrive.
const BACK: &[&str] = &["demo", "--small", "--reverse", "--until", "init"];

impl Play {
    pub(crate) fn forth() -> Self {
        Self::begun(FORTH)
    }

    pub(crate) fn back() -> Self {
        Self::begun(BACK)
    }

    pub(crate) fn between(from: &str, to: &str) -> Self {
        Self::begun(&["demo", "--small", "--until", "init", "--from", from, "--to", to])
    }

    fn begun(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("play");
        let made = binary().args(arguments).arg("--dir").arg(&dir).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self { folder }
    }

    /// The same after `handover run`.
    pub(crate) fn ran() -> Self {
        let play = Self::forth();
        play.does(&["run"]).ends(3);
        play
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.folder.path().join("play")
    }

    pub(crate) fn does(&self, arguments: &[&str]) -> Told {
        self.does_with(arguments, &[])
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = binary();
        command.args(arguments).current_dir(self.dir());
        command
    }

    pub(crate) fn does_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Told {
        let output = self.command(arguments).envs(environment.iter().copied()).output().unwrap();
        let folder = self.folder.path().display().to_string();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&folder, "<folder>");
        Told { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Changes a file of the project.
    #[track_caller]
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.dir().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} does not contain {from}");
        std::fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    /// Appends to a file of the project.
    pub(crate) fn append(&self, file: &str, text: &str) {
        let path = self.dir().join(file);
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        std::fs::write(path, before + text).unwrap();
    }

    pub(crate) fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.dir().join(file)).unwrap()
    }

    fn world_file(&self, side: &str) -> PathBuf {
        self.dir().join("sandbox").join(side).join("world.json")
    }

    pub(crate) fn world(&self, side: &str) -> Json {
        read_json(&self.world_file(side))
    }

    /// The records of a side with their links and files, without what mere reading counts.
    pub(crate) fn records(&self, side: &str) -> Vec<Json> {
        let world = self.world(side);
        let parts = ["objects", "associations", "files", "organizations", "persons", "deals", "activities", "notes"];
        parts.iter().map(|part| world[*part].clone()).collect()
    }

    /// Changes a world behind the project's back.
    pub(crate) fn disturb<T>(&self, side: &str, change: impl FnOnce(&mut Json) -> T) -> T {
        let mut world = self.world(side);
        let result = change(&mut world);
        std::fs::write(self.world_file(side), world.to_string()).unwrap();
        result
    }
}

pub(crate) fn read_json(path: &Path) -> Json {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The HubSpot record that was made of a source record.
pub(crate) fn made_of<'w>(world: &'w mut Json, object: &str, key: &str) -> &'w mut Json {
    let records = world["objects"][object].as_array_mut().unwrap();
    records
        .iter_mut()
        .find(|record| record["properties"]["handover_source_key"] == key)
        .unwrap_or_else(|| panic!("no {key}"))
}

/// A Pipedrive record by its id.
pub(crate) fn record<'w>(world: &'w mut Json, objects: &str, id: u64) -> &'w mut Json {
    let records = world[objects].as_array_mut().unwrap();
    records.iter_mut().find(|record| record["id"] == id).unwrap_or_else(|| panic!("no {objects}/{id}"))
}
