//! Several workers on one state, real processes on a real PostgreSQL: they take turns, and whoever was silent for too
//! long does no harm.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use serde_json::{Value as Json, json};

use super::company::{Company, Serving};
use crate::kill::Served;

/// A company on the server that the tests are given; none where it was said that there is no PostgreSQL.
fn company(test: &str) -> Option<Company> {
    let Ok(url) = std::env::var("HANDOVER_TEST_POSTGRES") else {
        let said = std::env::var("HANDOVER_TEST_NO_POSTGRES").is_ok_and(|said| said == "1");
        assert!(said, "set HANDOVER_TEST_POSTGRES to a URL, or HANDOVER_TEST_NO_POSTGRES=1");
        return None;
    };
    Some(Company::on_postgres(&url, test))
}

/// What changes contacts in the new system.
const WRITES: [(&str, &str); 3] =
    [("POST", "**/batch/update"), ("POST", "**/batch/upsert"), ("POST", "**/batch/create")];

/// What reads records and fields of the old system.
const READS: [(&str, &str); 1] = [("GET", "/api/v2/**")];

fn rename(company: &Company, person: &str, name: &str) {
    company.does_in_old("PATCH", &format!("/api/v2/persons/{person}"), &json!({"name": name}));
}

fn signal(process: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &process.id().to_string()]).status().unwrap().success());
}

/// Waits until a system got such requests more often than `before`.
fn is_asked(served: &Served, requests: &[(&str, &str)], before: u64) {
    while asked(served, requests) <= before {
        std::thread::yield_now();
    }
}

/// The same by a process, which must not end before.
fn asks(process: Child, served: &Served, requests: &[(&str, &str)], before: u64) -> Child {
    let mut process = process;
    while asked(served, requests) <= before {
        if process.try_wait().unwrap().is_some() {
            panic!("{:?}", ended(process));
        }
    }
    process
}

fn asked(served: &Served, requests: &[(&str, &str)]) -> u64 {
    let sums: Json = serde_json::from_str(&served.asks("sums")).unwrap();
    let is_one = |route: &&Json| {
        let (method, path) = (route["method"].as_str().unwrap(), route["path"].as_str().unwrap());
        requests.iter().any(|(wanted, part)| method == *wanted && path.contains(part.trim_matches('*')))
    };
    sums["routes"].as_array().unwrap().iter().filter(is_one).map(|route| route["count"].as_u64().unwrap()).sum()
}

/// How a process ended, and what it said to people.
fn ended(process: Child) -> (Option<i32>, String) {
    let output = process.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn status(company: &Company) -> Json {
    company.play.does_with(&["status", "--json"], &company.environment()).ends(3).json()
}

/// Waits until a contact says so and nothing is left to be looked at.
fn is_carried(company: &Company, contact: &str, name: &str, serving: &Serving) {
    while company.contact(contact, "lastname") != name
        || serving.metric("handover_webhook_events_waiting{system=\"old\"}") > 0
    {}
}

#[test]
fn workers_take_turns_and_each_receives() {
    let Some(company) = company("turns") else { return };
    let one = company.in_step(&["--every", "1h", "--worker", "one"]);
    let two = company.in_step(&["--every", "1h", "--worker", "two"]);
    let (person, contact) = company.person();
    // Whoever's turn it is carries what either was told.
    for (name, teller) in [("First", &one), ("Second", &two)] {
        rename(&company, &person, &format!("Ada {name}"));
        assert_eq!(teller.delivers(name, "change", &person), 200);
        is_carried(&company, &contact, name, &one);
    }
    // Nobody writes between two passes, once the last one has given its turn back, and both are there.
    let told = loop {
        let told = status(&company);
        if told["lease"].is_null() {
            break told;
        }
    };
    let names: Vec<&Json> = told["workers"].as_array().unwrap().iter().map(|worker| &worker["worker"]).collect();
    assert!(["one", "two"].iter().all(|name| names.contains(&&json!(name))), "{told}");
    let (code, body) = two.asks("GET", "/health", &[], b"");
    let health: Json = serde_json::from_str(&body).unwrap();
    assert_eq!((code, &health["worker"], &health["lease"]), (200, &json!("two"), &Json::Null), "{health}");
    assert_eq!(two.metric("handover_lease_held{worker=\"two\"}"), 0);
    // One is killed in the middle of a pass; the other one knows that it is dead and does not wait.
    let before = asked(&company.new, &WRITES);
    company.silences(&company.new, &WRITES);
    rename(&company, &person, "Ada Third");
    assert_eq!(one.delivers("Third", "change", &person), 200);
    is_asked(&company.new, &WRITES, before);
    assert_eq!(status(&company)["lease"]["worker"], "one");
    let (_, body) = two.asks("GET", "/health", &[], b"");
    assert_eq!(serde_json::from_str::<Json>(&body).unwrap()["lease"]["worker"], "one", "{body}");
    one.dies();
    company.silences(&company.new, &[]);
    assert_eq!(two.delivers("again", "change", &person), 200);
    is_carried(&company, &contact, "Third", &two);
    assert!(two.stops().success());
    company.play.does_with(&["verify"], &company.environment()).ends(0);
    company.play.does_with(&["audit", "verify"], &company.environment()).ends(0);
}

/// A worker is paused after its write was sent; another one takes over, and what the first one does when it comes back
/// is nothing.
#[test]
fn a_worker_that_was_paused_and_comes_back_does_no_harm() {
    let Some(company) = company("paused") else { return };
    let (person, contact) = company.person();
    rename(&company, &person, "Ada Paused");
    let new = json!({"name": "Newly Paused", "emails": [{"value": "newly@paused.example"}]});
    company.does_in_old("POST", "/api/v2/persons", &new);
    company.silences(&company.new, &WRITES);
    let before = asked(&company.new, &WRITES);
    let paused = company.begins(&["sync", "--once", "--worker", "paused"]);
    let paused = asks(paused, &company.new, &WRITES, before);
    signal(&paused, "-STOP");
    company.silences(&company.new, &[]);
    let mut next = company.serve(&["--every", "1h", "--worker", "next"]);
    // It may have to stand by first.
    let pass =
        std::iter::repeat_with(|| next.next()).find(|told| told["end"] != "standby" && told["register"].is_null());
    assert!(pass.as_ref().is_some_and(|pass| pass["pass"].is_number()), "{pass:?}");
    let calm = [company.old.asks("sums"), company.new.asks("sums")];
    signal(&paused, "-CONT");
    let (code, told) = ended(paused);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("was taken over by next since "), "{told}");
    assert_eq!([company.old.asks("sums"), company.new.asks("sums")], calm, "it asked for something");
    assert_eq!(company.contact(&contact, "lastname"), "Paused");
    let world = company.world(&company.new);
    let contacts = world["objects"]["contacts"].as_array().unwrap();
    let made = contacts.iter().filter(|contact| contact["properties"]["email"] == "newly@paused.example");
    assert_eq!(made.count(), 1);
    assert!(next.stops().success());
    company.play.does_with(&["verify"], &company.environment()).ends(0);
    company.play.does_with(&["audit", "verify"], &company.environment()).ends(0);
}

/// The second of two says who has the state, since when, and what to do; `serve` stands by.
#[test]
fn two_syncs_at_once() {
    let companies = [Some(Company::in_a_file()), company("two_syncs")];
    for company in companies.iter().flatten() {
        let before = asked(&company.old, &READS);
        company.silences(&company.old, &READS);
        let first = company.begins(&["sync", "--once", "--worker", "first"]);
        let first = asks(first, &company.old, &READS, before);
        let refused = company.play.does_with(&["sync", "--once", "--worker", "second"], &company.environment()).ends(1);
        for part in ["is in use by first since 20", "wait until the other one ends"] {
            assert!(refused.err.contains(part), "{}", refused.err);
        }
        let mut serving = company.serve(&["--worker", "third"]);
        let standby = serving.next();
        assert_eq!((&standby["end"], &standby["behind"]), (&json!("standby"), &json!("first")), "{standby}");
        assert!(serving.stops().success());
        company.silences(&company.old, &[]);
        let (code, told) = ended(first);
        assert_eq!(code, Some(3), "{told}");
        company.play.does_with(&["sync", "--once", "--worker", "second"], &company.environment()).ends(3);
    }
}

/// Whoever is asked to stop gives the state back: the next one need not wait.
#[test]
fn a_worker_that_stops_gives_the_state_back() {
    let Some(company) = company("stops") else { return };
    let before = asked(&company.old, &READS);
    company.silences(&company.old, &READS);
    let serving = company.serve(&["--every", "1h", "--worker", "stops"]);
    is_asked(&company.old, &READS, before);
    assert_eq!(status(&company)["lease"]["worker"], "stops");
    assert!(serving.stops().success());
    assert_eq!(status(&company)["lease"], Json::Null);
    company.silences(&company.old, &[]);
    company.play.does_with(&["sync", "--once"], &company.environment()).ends(3);
}

/// A PostgreSQL of a test's own; it ends with the test.
struct Postgres(PathBuf);

impl Postgres {
    fn script(&self, verb: &str) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/services");
        let output = Command::new(script).arg(verb).arg(&self.0).output().unwrap();
        assert!(output.status.success(), "{verb}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.script("stop");
    }
}

#[test]
fn postgresql_is_restarted_in_mid_pass() {
    if std::env::var("HANDOVER_TEST_NO_POSTGRES").is_ok_and(|said| said == "1") {
        return;
    }
    // Not in a folder of the test's: the server's own user has to reach it.
    let server = Postgres(std::env::temp_dir().join(format!("handover-restart-{}", std::process::id())));
    let told = server.script("start");
    let company = Company::on_postgres(told.trim().split_once('=').unwrap().1, "restart");
    let (person, contact) = company.person();
    let mut serving = company.in_step(&["--every", "1h", "--worker", "serving"]);
    rename(&company, &person, "Ada Restarted");
    company.silences(&company.new, &WRITES);
    let before = asked(&company.new, &WRITES);
    assert_eq!(serving.delivers("told", "change", &person), 200);
    is_asked(&company.new, &WRITES, before);
    server.script("restart");
    company.silences(&company.new, &[]);
    let pass = serving.next();
    assert_eq!((&pass["kind"], &pass["end"]), (&json!("webhooks"), &json!("failed")), "{pass}");
    let why = pass["why"][0].as_str().unwrap();
    assert!(why.ends_with("cannot be reached") || why == "nothing may be sent to `new` any more", "{why}");
    // The server connects anew, and what was left open is looked up.
    assert_eq!(serving.delivers("again", "change", &person), 200);
    let pass = serving.next();
    assert_eq!((&pass["kind"], &pass["events"]), (&json!("webhooks"), &json!(2)), "{pass}");
    assert_eq!(company.contact(&contact, "lastname"), "Restarted");
    company.play.does_with(&["sync", "--once"], &company.environment()).ends(3);
    assert!(serving.stops().success());
    company.play.does_with(&["verify"], &company.environment()).ends(0);
    company.play.does_with(&["audit", "verify"], &company.environment()).ends(0);
}
