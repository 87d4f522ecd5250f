//! `handover serve`, the real binary: what changes in one system arrives in the other, and what should not does not.

mod company;
mod refused;
mod workers;

use serde_json::{Value as Json, json};

use crate::cli::alerts::{hook, stub};
use company::Company;

fn did(pass: &Json) -> (&str, u64, u64) {
    let count = |word: &str| pass["did"][word].as_u64().unwrap_or(99);
    (pass["kind"].as_str().unwrap(), count("created"), count("updated"))
}

#[test]
fn what_pipedrive_tells_is_carried_to_hubspot() {
    let company = Company::forth();
    let mut serving = company.in_step(&["--every", "1h"]);
    company.register_pipedrive(&serving);
    let (person, contact) = company.person();
    company.does_in_old("PATCH", &format!("/api/v2/persons/{person}"), &json!({"name": "Ada Told"}));
    assert_eq!(did(&serving.next()), ("webhooks", 0, 1));
    assert_eq!(company.contact(&contact, "lastname"), "Told");
    company.does_in_old(
        "POST",
        "/api/v2/persons",
        &json!({"name": "Newly Told", "emails": [{"value": "newly@told.example"}]}),
    );
    assert_eq!(did(&serving.next()), ("webhooks", 1, 0));
    // Other commands find the state free between two passes.
    let told = company.play.does_with(&["sync", "--once", "--json"], &company.environment()).ends(3).json();
    assert_eq!((&told["did"]["created"], &told["did"]["updated"]), (&json!(0), &json!(0)), "polling sees nothing new");
    let status = company.play.does_with(&["status", "--json"], &company.environment()).ends(3).json();
    assert_eq!((&status["webhooks"]["old"]["events"], &status["webhooks"]["old"]["waiting"]), (&json!(2), &json!(0)));
    assert!(status["last_good_pass"]["persons"]["lag_s"].as_u64().is_some(), "{}", status["last_good_pass"]);
    let shown = company.play.does_with(&["status"], &company.environment()).ends(3);
    assert!(shown.out.contains("Webhooks of `old`: 2 events, the last "), "{}", shown.out);
    assert_eq!(serving.asks("GET", "/health", &[], b"").0, 200);
    assert_eq!(serving.metric("handover_webhooks_total{system=\"old\",became=\"kept\"}"), 2);
    assert_eq!(serving.metric("handover_passes_total{kind=\"webhooks\",end=\"finished\"}"), 2);
    assert!(serving.metric("handover_calls_total{system=\"new\"}") > 2);
    assert!(serving.stops().success());
    let log = company.log();
    for secret in [company::SECRET, "open-sesame", "Told", &company.old.token, &company.new.token] {
        assert!(!log.contains(secret), "{log}");
    }
    company.play.does_with(&["verify"], &company.environment()).ends(0);
    company.play.does_with(&["audit", "verify"], &company.environment()).ends(0);
}

#[test]
fn what_hubspot_tells_is_carried_to_pipedrive() {
    let company = Company::back();
    let mut serving = company.in_step(&["--every", "1h"]);
    company.register_hubspot(&serving);
    let contacts = company.world(&company.old);
    let named = contacts["objects"]["contacts"].as_array().unwrap().iter();
    let contact = named.map(|contact| contact["id"].to_string()).next().unwrap();
    let path = format!("/crm/v3/objects/contacts/{}", contact.trim_matches('"'));
    company.does_in_old("PATCH", &path, &json!({"properties": {"lastname": "Toldwell"}}));
    assert_eq!(did(&serving.next()), ("webhooks", 0, 1));
    let world = company.world(&company.new);
    let there = |person: &&Json| person["name"].as_str().is_some_and(|name| name.ends_with("Toldwell"));
    assert!(world["persons"].as_array().unwrap().iter().any(|person| there(&person)));
    assert!(serving.stops().success());
}

/// With the address in the project the server looks whether the platform tells what it should.
#[test]
fn what_nobody_has_registered_is_said() {
    let mut company = Company::forth();
    let (address, sent) = stub(hook);
    company.alerts = format!("http://{address}/");
    company.play.append("handover.yaml", "alerts:\n  webhook: {env: ALERT_WEBHOOK}\n");
    let told = |state: &str| {
        let is_it = |alert: &Json| alert["key"] == "untold:old" && alert["state"] == state;
        let alerts = |body: &String| serde_json::from_str::<Json>(body).unwrap()["alerts"].clone();
        sent.lock().unwrap().iter().any(|body| alerts(body).as_array().unwrap().iter().any(is_it))
    };
    let url = "{secret: {env: OLD_HOOKS}, url: https://sync.example.com/hooks/old}";
    company.play.edit("handover.yaml", "{secret: {env: OLD_HOOKS}}", url);
    let serving = company.in_step(&["--every", "1h"]);
    assert_eq!(
        (&serving.register["untold"], &serving.register["renewed"]),
        (&serving.register["subscriptions"], &json!(0))
    );
    while !told("new") {}
    assert!(serving.stops().success());
    company.play.does_with(&["webhooks", "register"], &company.environment()).ends(0);
    let serving = company.in_step(&["--every", "1h"]);
    assert_eq!((&serving.register["untold"], &serving.register["renewed"]), (&json!([]), &json!(0)));
    while !told("resolved") {}
    assert!(serving.stops().success());
}

/// A system that has stopped answering: health, metrics and `status` tell while the pass waits.
#[test]
fn a_pass_that_hangs_is_seen() {
    let company = Company::forth();
    company.play.edit("handover.yaml", "policies:\n", "policies:\n  hangs: 1s\n");
    let serving = company.in_step(&["--every", "1s"]);
    assert_eq!(serving.asks("GET", "/health", &[], b"").0, 200);
    company.silences(&company.new, &[("POST", "**/search")]);
    let hangs = |body: &str| body.contains("the pass under way hangs: no answer and nothing written for ");
    while !hangs(&serving.asks("GET", "/health", &[], b"").1) {}
    assert_eq!(serving.asks("GET", "/health", &[], b"").0, 503);
    assert!(serving.metric("handover_pass_idle_seconds") >= 1);
    let shown = || company.play.does_with(&["status", "--json"], &company.environment()).ends(3).json();
    while shown()["hanging"]["pass"].is_null() {}
    let told = company.play.does_with(&["status"], &company.environment()).ends(3);
    assert!(told.out.contains(" hangs: no answer and nothing written since "), "{}", told.out);
    assert!(serving.stops().success());
}

/// The server dies after it answered 200 and before it looked: the next one looks. Polling would not see it for an hour.
#[test]
fn what_was_received_is_carried_after_a_kill() {
    let company = Company::back();
    let serving = company.in_step(&["--every", "1h", "--gather", "1m"]);
    company.register_hubspot(&serving);
    let world = company.world(&company.old);
    let contact = world["objects"]["contacts"][0]["id"].to_string();
    let path = format!("/crm/v3/objects/contacts/{}", contact.trim_matches('"'));
    company.does_in_old("PATCH", &path, &json!({"properties": {"lastname": "Survivor"}}));
    // The sandbox delivers by itself: it has come when it waits.
    while serving.metric("handover_webhook_events_waiting{system=\"old\"}") == 0 {}
    serving.dies();
    let mut serving = company.in_step(&["--every", "1h"]);
    assert_eq!(did(&serving.next()), ("webhooks", 0, 1));
    assert_eq!(serving.metric("handover_webhook_events_waiting{system=\"old\"}"), 0);
    assert!(serving.stops().success());
}

/// Events come late, in another order, again, and about records that are not gone.
#[test]
fn events_out_of_order_do_no_harm() {
    let company = Company::forth();
    let mut serving = company.in_step(&["--every", "1h"]);
    let (person, contact) = company.person();
    let path = format!("/api/v2/persons/{person}");
    company.does_in_old("PATCH", &path, &json!({"name": "Ada First"}));
    company.does_in_old("PATCH", &path, &json!({"name": "Ada Second"}));
    assert_eq!(serving.delivers("second", "change", &person), 200);
    assert_eq!(did(&serving.next()), ("webhooks", 0, 1));
    assert_eq!(company.contact(&contact, "lastname"), "Second");
    assert_eq!(serving.delivers("first", "change", &person), 200);
    assert_eq!(did(&serving.next()), ("webhooks", 0, 0));
    // Again: known already, so that no pass begins.
    assert_eq!(serving.delivers("second", "change", &person), 200);
    // Not believed: a pass over changes will look.
    assert_eq!(serving.delivers("gone", "delete", &person), 200);
    assert_eq!(serving.metric("handover_webhook_events_waiting{system=\"old\"}"), 1);
    company.does_in_old("PATCH", &path, &json!({"name": "Ada Third"}));
    assert_eq!(serving.delivers("third", "change", &person), 200);
    assert_eq!(did(&serving.next()), ("webhooks", 0, 1));
    assert_eq!(company.contact(&contact, "lastname"), "Third");
    assert_eq!(serving.metric("handover_passes_total{kind=\"webhooks\",end=\"finished\"}"), 3);
    assert_eq!(serving.metric("handover_webhook_events_waiting{system=\"old\"}"), 1);
    assert!(serving.stops().success());
    // The next pass over changes has looked.
    let serving = company.in_step(&["--every", "1h"]);
    assert_eq!(serving.metric("handover_webhook_events_waiting{system=\"old\"}"), 0);
    assert!(serving.stops().success());
}

/// Nobody tells: polling finds it.
#[test]
fn what_is_lost_is_found_by_polling() {
    let company = Company::forth();
    let mut serving = company.in_step(&["--every", "1s"]);
    let (person, contact) = company.person();
    company.does_in_old("PATCH", &format!("/api/v2/persons/{person}"), &json!({"name": "Ada Untold"}));
    let found = (0..30).map(|_| serving.next()).find(|pass| did(pass) == ("sync", 0, 1));
    assert!(found.is_some(), "no pass found it");
    assert_eq!(company.contact(&contact, "lastname"), "Untold");
    assert!(serving.stops().success());
}

/// What waits is one pass, with as few calls as can be.
#[test]
fn a_burst_is_one_pass() {
    let company = Company::forth();
    let serving = company.in_step(&["--every", "1h", "--gather", "1m"]);
    let world = company.world(&company.old);
    let people: Vec<String> =
        world["persons"].as_array().unwrap().iter().take(30).map(|person| person["id"].to_string()).collect();
    for person in &people {
        assert_eq!(serving.delivers(&format!("burst {person}"), "change", person), 200);
    }
    serving.dies();
    let mut serving = company.in_step(&["--every", "1h"]);
    let pass = serving.next();
    assert_eq!((did(&pass), &pass["events"]), (("webhooks", 0, 0), &json!(30)), "{pass}");
    assert!(pass["calls"].as_u64().unwrap() <= 3, "{pass}");
    assert!(serving.stops().success());
}

/// While a system does not answer, whoever asks to stop need not wait for it.
#[test]
fn it_stops_within_five_seconds_also_in_a_pass() {
    let company = Company::forth();
    let silence = json!({"rules": [{"when": {"path": "/api/v2/**"}, "fault": {"kind": "lost_before"}}]});
    let address = company.old.base_url().trim_start_matches("http://").to_owned();
    let (status, body) = company::ask(&address, "PUT", "/_sandbox/faults", &[], silence.to_string().as_bytes());
    assert_eq!(status, 200, "{body}");
    let before = company.old.asks("sums");
    let serving = company.serve(&["--every", "1h"]);
    // It has asked and waits.
    while company.old.asks("sums") == before {}
    assert!(serving.stops().success());
}

#[test]
fn health_says_why() {
    let company = Company::forth();
    company.play.edit("handover.yaml", "{env: NEW_TOKEN}", "{env: OLD_TOKEN}");
    let mut serving = company.serve(&["--every", "1h"]);
    let pass = serving.next();
    assert_eq!((&pass["kind"], &pass["end"]), (&json!("sync"), &json!("failed")), "{pass}");
    let (status, body) = serving.asks("GET", "/health", &[], b"");
    let told: Json = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &told["healthy"]), (503, &json!(false)));
    assert_eq!(told["why"], json!(["the last pass over changes failed: `new` failed"]), "{told}");
    assert!(!body.contains(&company.old.token));
    // What is told meanwhile is kept for when it works again.
    assert_eq!(serving.delivers("kept", "change", "1"), 200);
    assert_eq!(serving.metric("handover_webhook_events_waiting{system=\"old\"}"), 1);
    assert_eq!(serving.metric("handover_passes_total{kind=\"sync\",end=\"failed\"}"), 1);
    assert!(serving.stops().success());
}
