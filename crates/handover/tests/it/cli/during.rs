//! Accounts that are changed while a run is under way, after it has checked them: what the target refuses is
//! held with the platform's reason, the rest arrives.

use std::sync::atomic::AtomicBool;

use serde_json::{Value as Json, json};

use super::gate::{Gate, administer, begins, once};
use super::served::{Served, serve};
use super::{Play, Told};

/// Puts a gate before a served side.
fn gated(play: &Play, served: &Served, hook: impl Fn(&str, &[u8]) -> Vec<u8> + Send + Sync + 'static) {
    let gate = Gate::open(&served.base_url, hook);
    play.edit("handover.yaml", &served.base_url, &gate.base_url);
}

/// The records of an object that are held, by group.
fn held(play: &Play, served: &Served, group: &str) -> Vec<Json> {
    let told = play.does_with(&["holds", "list", group, "--json"], &served.token()).json();
    told["holds"].as_array().unwrap_or_else(|| panic!("{told}")).clone()
}

/// Read = the sum of the outcomes, and nothing is pending.
fn adds_up(told: &Told) {
    for (object, counts) in told.json()["objects"].as_object().unwrap() {
        let counts = counts.as_object().unwrap();
        let sum: u64 = counts.iter().filter(|(word, _)| *word != "read").map(|(_, n)| n.as_u64().unwrap()).sum();
        assert_eq!(sum, counts["read"].as_u64().unwrap(), "{object}");
        assert_eq!(counts["pending"], 0, "{object}");
    }
}

#[test]
fn an_option_that_is_deleted_during_the_run() {
    let play = Play::forth();
    let served = serve(&play, "new", &json!([]));
    let token = served.token.clone();
    let done = AtomicBool::new(false);
    // `New business: Proposal made`, while the first deals are on their way.
    gated(&play, &served, move |address, bytes| {
        if begins(bytes, "POST /crm/v3/objects/deals/batch/") && once(&done) {
            administer(address, &token, "DELETE", STAGE, "");
        }
        bytes.to_vec()
    });
    let told = play.does_with(&["run", "--json"], &served.token()).ends(3);
    adds_up(&told);
    let groups: Vec<String> = groups(&told, "deals");
    assert_eq!(groups.iter().filter(|group| group.starts_with("refused:")).count(), 1, "{groups:?}");
    let group = groups.iter().find(|group| group.starts_with("refused:")).unwrap();
    let rows = held(&play, &served, group);
    let why = rows[0]["why"].as_str().unwrap();
    assert!(why.contains("dealstage"), "the field is named: {why}");
    // The project still translates to it: the next check says so, with the row's place.
    let told = play.does_with(&["check"], &served.token()).ends(1);
    assert!(told.err.contains("translations/deal_stages.csv:"), "{}", told.err);
}

const STAGE: &str = "/crm/v3/pipelines/deals/default/stages/1184520302";

fn groups(told: &Told, flow: &str) -> Vec<String> {
    let holds = told.json()["holds"].as_array().unwrap().clone();
    holds.iter().filter(|hold| hold["flow"] == flow).map(|hold| hold["group"].as_str().unwrap().to_owned()).collect()
}

/// HubSpot enforces required properties on its newest paths only; the gate sends the writes there, as if the
/// account enforced them everywhere from this moment on.
#[test]
fn a_property_that_becomes_required_during_the_run() {
    let play = Play::forth();
    play.disturb("new", |world| world["settings"]["required_properties"] = json!({"companies": ["domain"]}));
    let served = serve(&play, "new", &json!([]));
    gated(&play, &served, |_, bytes| {
        let old = b"POST /crm/v3/objects/companies/batch/";
        match bytes.strip_prefix(old) {
            Some(rest) => [&b"POST /crm/objects/2026-09/companies/batch/"[..], rest].concat(),
            None => bytes.to_vec(),
        }
    });
    play.does_with(&["check"], &served.token()).ends(0);
    let told = play.does_with(&["run", "--json"], &served.token());
    assert_eq!(told.code, 3, "{}", told.shown());
    adds_up(&told);
    let group = groups(&told, "organizations").into_iter().find(|group| group.starts_with("refused:")).unwrap();
    let rows = held(&play, &served, &group);
    assert!(rows[0]["why"].as_str().unwrap().contains("domain"), "the property is named: {}", rows[0]["why"]);
    // What has the property arrived.
    assert!(told.json()["objects"]["organizations"]["created"].as_u64().unwrap() > 0, "{}", told.shown());
    // The way out: a value for the one record, then it is there.
    let name = format!("organizations/{}", rows[0]["record"].as_str().unwrap());
    play.does_with(&["holds", "answer", &name, "--edit", "domain=mended.example"], &served.token());
    let shown = play.does_with(&["holds", "show", &name], &served.token());
    assert!(!shown.out.contains("refused"), "{}", shown.shown());
}

/// A field of the target is archived while its object's records are written.
#[test]
fn a_field_that_is_deleted_during_the_run() {
    let play = Play::forth();
    let served = serve(&play, "new", &json!([]));
    let token = served.token.clone();
    let done = AtomicBool::new(false);
    gated(&play, &served, move |address, bytes| {
        if begins(bytes, "POST /crm/v3/objects/deals/batch/") && once(&done) {
            administer(address, &token, "DELETE", "/crm/v3/properties/deals/licences", "");
        }
        bytes.to_vec()
    });
    let told = play.does_with(&["run", "--json"], &served.token());
    assert!([3, 4].contains(&told.code), "{}", told.shown());
    let found = groups(&told, "deals");
    assert!(found.iter().any(|group| group.contains("licences")), "{found:?}");
}

/// An address that our own rules let pass and HubSpot's do not: it is refused with the batch, which is split
/// until the one record is alone.
#[test]
fn an_address_that_only_the_target_refuses() {
    let play = Play::forth();
    play.disturb("old", |world| {
        super::record(world, "persons", 4)["emails"][0]["value"] = json!("jox\u{301}@umbra.example");
    });
    let told = play.does(&["run", "--json"]).ends(3);
    adds_up(&told);
    let shown = play.does(&["holds", "show", "persons/4", "--json"]).ends(3).json();
    assert_eq!(shown["holds"][0]["cause"]["cause"], "refused", "{shown}");
    let why = shown["holds"][0]["why"].as_str().unwrap();
    assert!(why.contains("email") && why.contains("INVALID_EMAIL"), "{why}");
    assert!(!why.contains("umbra.example"), "no values in reasons: {why}");
    play.does(&["holds", "answer", "persons/4", "--edit", "email=jose@umbra.example"]).ends(3);
    assert_eq!(play.does(&["holds", "show", "persons/4"]).ends(0).out, "persons/4 is not held.\n");
    play.does(&["verify", "--json"]).ends(0);
}
