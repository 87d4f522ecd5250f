//! The state and the guards: a state that cannot be used, and passes that stop. States that cannot be written
//! are in `unwritable`.

use std::net::TcpListener;
use std::process::Stdio;

use serde_json::json;

use super::{Play, binary};

const STATE: &str = ".handover/state.db";

#[test]
fn another_account() {
    let play = Play::ran();
    play.disturb("old", |world| world["account"]["company_id"] = json!(4711));
    let before = play.records("new");
    insta::assert_snapshot!("other_account", play.does(&["run"]).ends(1).shown());
    for command in [&["verify"][..], &["plan"], &["holds", "answer", "persons/45", "--create"]] {
        let told = play.does(command).ends(1);
        assert!(told.err.contains("was made with"), "{}", told.err);
    }
    assert_eq!(before, play.records("new"));
}

#[test]
fn a_state_from_a_newer_version() {
    let play = Play::ran();
    let path = play.dir().join(STATE);
    let mut bytes = std::fs::read(&path).unwrap();
    // The row `version` of the table `meta`: a name, and right behind it a digit.
    let at = bytes.windows(8).position(|window| window.starts_with(b"version") && window[7].is_ascii_digit()).unwrap();
    bytes[at + 7] = b'9';
    std::fs::write(&path, bytes).unwrap();
    insta::assert_snapshot!("newer_state", play.does(&["run"]).ends(1).shown());
    play.does(&["status"]).ends(1);
}

#[test]
fn a_truncated_state() {
    let play = Play::ran();
    let path = play.dir().join(STATE);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 3]).unwrap();
    for command in ["run", "status"] {
        let told = play.does(&[command]).ends(1);
        assert!(told.err.contains("is damaged"), "{}", told.err);
        assert!(told.err.contains("restore it from a copy"), "{}", told.err);
    }
    std::fs::write(&path, b"not a state at all, whatever its name says").unwrap();
    let told = play.does(&["run"]).ends(1);
    assert!(told.err.contains("is damaged"), "{}", told.err);
}

#[test]
fn a_state_that_cannot_be_made() {
    let play = Play::forth();
    // A file stands where the folder should be; also root cannot write there.
    std::fs::remove_dir_all(play.dir().join(".handover")).unwrap_or_default();
    std::fs::write(play.dir().join(".handover"), "").unwrap();
    let told = play.does(&["run"]).ends(1);
    assert!(told.err.contains("nothing"), "{}", told.err);
}

#[test]
fn a_state_that_another_run_has_open() {
    let play = Play::ran();
    // A system that never answers: who asks it has the state open.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let text = play.read("handover.yaml");
    let served = text.replace(
        "sandbox: sandbox/old",
        &format!("base_url: http://{}\n    token: {{env: OLD_TOKEN}}", silent.local_addr().unwrap()),
    );
    std::fs::write(play.dir().join("slow.yaml"), served).unwrap();
    let mut first = play
        .command(&["run", "-p", "slow.yaml"])
        .env("OLD_TOKEN", "1234")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let asked = silent.accept().unwrap();
    let second = play.does(&["run"]);
    let reading = play.does(&["status"]);
    first.kill().unwrap();
    first.wait().unwrap();
    drop(asked);
    assert_eq!(second.code, 1, "{}", second.shown());
    assert!(second.err.contains("is in use by"), "{}", second.err);
    assert_eq!(reading.code, 3, "{}", reading.shown());
    // The lock went with its holder.
    play.does(&["run"]).ends(3);
}

#[test]
fn the_error_threshold() {
    let play = Play::forth();
    play.edit("handover.yaml", "or: 50", "or: 3");
    insta::assert_snapshot!("threshold", play.does(&["run"]).ends(4).shown());
    let before = play.records("new");
    insta::assert_snapshot!("threshold_again", play.does(&["run"]).ends(4).shown());
    assert_eq!(before, play.records("new"));
    // Answering a hold is no answer to why the run stopped.
    let told = play.does(&["holds", "--json"]).ends(3).json();
    let group = told["holds"][0]["group"].as_str().unwrap().to_owned();
    play.does(&["holds", "answer", &group, "--accept"]);
    let status = play.does(&["status", "--json"]).json();
    assert_eq!(status["complete"], false, "{status}");
    play.does(&["run"]).ends(4);
    play.does(&["run", "--continue"]).ends(1);
    play.edit("handover.yaml", "or: 3", "or: 50");
    play.does(&["run", "--continue", "--reason", "known duplicates"]).ends(3);
    let ledger = play.does(&["audit", "export"]).ends(0).out;
    assert!(ledger.contains("known duplicates"));
    play.does(&["verify", "--json"]).ends(0);
}

/// Neither by their number nor by their share; another reason, or one record more, would.
#[test]
fn holds_that_a_plan_told_of_stop_no_run() {
    let play = Play::forth();
    play.edit("handover.yaml", "or: 50", "or: 3");
    play.does(&["plan", "--as-of", "2027-01-31"]).ends(0);
    play.does(&["run"]).ends(4);
    play.does(&["plan"]).ends(0);
    play.does(&["run", "--continue", "--reason", "the plan told of them"]).ends(3);
    play.does(&["verify", "--json"]).ends(0);
}

/// One second before midnight, with limits that make the load take twenty.
#[test]
fn a_kill_date_that_the_limits_do_not_meet() {
    let folder = tempfile::tempdir().unwrap();
    let does = |args: &[&str]| {
        let made = binary().args(args).current_dir(folder.path()).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        String::from_utf8(made.stderr).unwrap()
    };
    does(&["demo", "--small", "--from", "zoho", "--to", "pipedrive", "--dir", "demo", "--until", "init"]);
    let project = folder.path().join("demo/handover.yaml");
    let text = std::fs::read_to_string(&project).unwrap();
    for (day, is_late) in [("2026-11-03", true), ("2026-11-04", false)] {
        std::fs::write(&project, format!("{text}\nkill_date: {day}\n")).unwrap();
        std::fs::write(folder.path().join("demo/sandbox/clock"), "2026-11-02T23:59:59Z").unwrap();
        let told = does(&["plan", "--project", "demo/handover.yaml"]);
        assert_eq!(told.contains("warning[too_late]"), is_late, "{told}");
        assert_eq!(told.contains("the limits of `new` make this run take"), is_late, "{told}");
    }
}

#[test]
fn a_clock_that_goes_backwards() {
    let play = Play::ran();
    std::fs::write(play.dir().join("sandbox/clock"), "2020-01-01T00:00:00Z").unwrap();
    play.does(&["run"]).ends(3);
    play.does(&["holds", "answer", "persons/45", "--create"]).ends(3);
    play.does(&["verify", "--json"]).ends(0);
    play.does(&["audit", "verify"]).ends(0);
    std::fs::write(play.dir().join("sandbox/clock"), "no time at all").unwrap();
    play.does(&["run"]).ends(3);
}
