//! Sandboxes over HTTP with a fault plan: what systems do to a client that works on.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use serde_json::{Value as Json, json};

use super::{Play, binary};

/// A sandbox as a process; it ends with the test.
pub(super) struct Served {
    child: Child,
    pub(super) base_url: String,
    pub(super) token: String,
    variable: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Served {
    pub(super) fn token(&self) -> [(&str, &str); 1] {
        [(&self.variable, &self.token)]
    }
}

/// Serves one side of a play with these fault rules; the project reaches it over HTTP from now on.
pub(super) fn serve(play: &Play, side: &str, rules: &Json) -> Served {
    let world = play.world(side);
    let faults = play.dir().join("faults.json");
    std::fs::write(&faults, json!({"rules": rules}).to_string()).unwrap();
    let mut child = binary()
        .args(["sandbox", world["platform"].as_str().unwrap(), "--limits", "off", "--world"])
        .arg(play.dir().join("sandbox").join(side).join("world.json"))
        .arg("--faults")
        .arg(&faults)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Json = serde_json::from_str(&line).unwrap();
    let base_url = ready["base_url"].as_str().unwrap().to_owned();
    let variable = format!("{}_TOKEN", side.to_uppercase());
    let system = format!("base_url: {base_url}\n    token: {{env: {variable}}}");
    play.edit("handover.yaml", &format!("sandbox: sandbox/{side}"), &system);
    Served { child, base_url, variable, token: ready["token"].as_str().unwrap().to_owned() }
}

#[test]
fn a_wrong_token_and_none() {
    let play = Play::forth();
    let _served = serve(&play, "new", &json!([]));
    let told = play.does_with(&["run"], &[("NEW_TOKEN", "pat-eu1-wrong")]).ends(1);
    assert!(
        told.err.contains("error[not_let_in]: `new` failed") && told.err.contains("check the token of `new`"),
        "{}",
        told.err
    );
    assert!(!told.err.contains("pat-eu1-wrong"), "{}", told.err);
    let told = play.does(&["run"]).ends(1);
    assert!(told.err.contains("NEW_TOKEN"), "{}", told.err);
}

#[test]
fn a_token_that_expires_in_the_middle() {
    let play = Play::forth();
    let served = serve(
        &play,
        "old",
        &json!([{"when": {"path": "**/deals", "from": 1}, "fault": {"kind": "expired_token", "until_refresh": true}}]),
    );
    let told = play.does_with(&["run"], &served.token()).ends(1);
    assert!(told.err.contains("check the token of `old`"), "{}", told.err);
    assert!(!told.err.contains(&served.token) && !told.out.contains(&served.token), "the token is shown");
}

#[test]
fn a_token_with_few_scopes() {
    let play = Play::forth();
    play.disturb("new", |world| {
        world["tokens"][0]["scopes"] = json!(["crm.objects.contacts.read", "crm.schemas.contacts.read"])
    });
    let told = play.does(&["run"]).ends(1);
    insta::assert_snapshot!("few_scopes", told.shown());
}

#[test]
fn the_days_calls_are_used_up() {
    let play = Play::forth();
    let served = serve(
        &play,
        "old",
        &json!([{"when": {"path": "**/notes", "from": 1}, "fault": {"kind": "limited", "scope": "daily"}}]),
    );
    let told = play.does_with(&["run"], &served.token()).ends(4);
    assert!(told.err.contains("run the command again"), "{}", told.err);
    assert!(told.err.contains("what was confirmed stands"), "{}", told.err);
    assert_eq!(play.does_with(&["run", "--json"], &served.token()).json()["problems"][0]["exit"], 4);
    drop(served);
}

/// HubSpot as the source: records appear between the count and the page, and behind the page. One that was
/// read is counted again and agrees; one that was not read stays a difference.
#[test]
fn a_count_that_does_not_fit_pauses_the_run() {
    let play = Play::back();
    let birth = |email: &str, before: bool| {
        json!({
            "when": {"method": "GET", "path": "/crm/v3/objects/contacts", "nth": 1},
            "fault": {"kind": "disturb", "before": before, "disturbance": {"object": "contacts", "action": {"create": {"fields": {"email": email}}}}}
        })
    };
    let born = json!([birth("early@example.com", true), birth("late@example.com", false)]);
    let served = serve(&play, "old", &born);
    let before = play.world("new");
    let told = play.does_with(&["run"], &served.token()).ends(4);
    assert!(told.err.contains("old.contacts: 43 records were read, the system says it has 44"), "{}", told.err);
    assert!(told.err.contains("--accept-counts"), "{}", told.err);
    assert_eq!(before["persons"], play.world("new")["persons"]);
    play.does_with(&["run", "--accept-counts"], &served.token()).ends(3);
}

/// Records are deleted between two pages of a listing, one of a page that was read and one of a page that
/// was not: nothing else is lost, and nothing comes twice.
#[test]
fn records_that_are_deleted_between_two_pages() {
    let play = Play::forth();
    let before = play.disturb("old", |world| {
        let people = world["persons"].as_array_mut().unwrap();
        let mut plain = people[2].clone();
        for id in 2_000..2_600 {
            plain["id"] = json!(id);
            plain["name"] = json!(format!("Person {id}"));
            plain["emails"] = json!([{"value": format!("person{id}@umbra.example"), "label": "work", "primary": true}]);
            plain["phones"] = json!([]);
            people.push(plain.clone());
        }
        people.iter().filter(|person| person["is_deleted"] != true).count()
    });
    let gone = |id: &str| {
        json!({
            "when": {"method": "GET", "path": "/api/v2/persons", "nth": 1},
            "fault": {"kind": "disturb", "disturbance": {"object": "person", "which": {"id": id}, "action": "delete"}}
        })
    };
    let served = serve(&play, "old", &json!([gone("2001"), gone("2590")]));
    let ran = play.does_with(&["run", "--json"], &served.token()).ends(3).json();
    // The one of the later page was never seen; the one of the first page was read before it vanished.
    assert_eq!(ran["objects"]["persons"]["read"], before - 1, "{}", ran["objects"]);
    let world = play.world("new");
    let mut keys: Vec<&str> = world["objects"]["contacts"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|contact| contact["properties"]["handover_source_key"].as_str())
        .collect();
    let with_key = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), with_key, "somebody is there twice");
    for id in (2_000..2_600).filter(|id| ![2_001, 2_590].contains(id)) {
        assert!(keys.contains(&&*format!("old:persons:{id}")), "{id} is lost");
    }
    // Whoever vanished is told as that, and as nothing else.
    let told = play.does_with(&["verify", "--json"], &served.token());
    for one in told.json()["report"]["differences"].as_array().into_iter().flatten() {
        assert!(one["source"] == "2001" || one["kind"] == "total", "{one}");
    }
}

/// Lost answers, 429s, 5xx: the run ends as without them, and nothing is there twice.
#[test]
fn a_bad_day_on_the_wire() {
    let play = Play::forth();
    let faults = json!([
        {"when": {"method": "POST", "every": 4}, "fault": {"kind": "lost_after", "status": 502}},
        {"when": {"method": "POST", "every": 7}, "fault": {"kind": "unavailable", "status": 503}},
        {"when": {"every": 5}, "fault": {"kind": "limited", "retry_after_s": 1}},
    ]);
    let served = serve(&play, "new", &faults);
    let told = play.does_with(&["run", "--json"], &served.token());
    assert!([0, 1, 3].contains(&told.code), "{}", told.shown());
    let mut code = told.code;
    for _ in 0..4 {
        if code == 3 {
            break;
        }
        code = play.does_with(&["run"], &served.token()).code;
    }
    assert_eq!(code, 3);
    let told = play.does_with(&["verify", "--json"], &served.token());
    let twice = told.json()["report"]["differences"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["kind"] == "duplicate")
        .count();
    assert_eq!(twice, 0, "{}", told.shown());
}
