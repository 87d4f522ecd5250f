//! A sandbox in a folder, killed without a word.

use std::fs;
use std::path::Path;

use handover_sandbox::faults::{DisturbAction, Disturbance, Fault, FaultPlan, Rule, When, Which};
use handover_sandbox::persist;
use handover_sandbox::pipedrive::{Pipedrive, WorldError};
use handover_sandbox::{Platform, Sandbox};
use serde_json::{Value, json};

use crate::pipedrive::{Account, SEED};

fn boxed(world: Value) -> Result<Box<dyn Platform>, WorldError> {
    Ok(Box::new(Pipedrive::from_world(world, SEED)?))
}

fn open(dir: &Path) -> Account {
    let fresh = json!({"settings": {"limits": false}, "account": {
        "api_tokens": [{"token": "admin-token", "user_id": 1}],
        "oauth_clients": [{"client_id": "app", "client_secret": "shh", "scopes": ["base"], "refresh_token": "first"}]}});
    Account::over(persist::open(dir, || boxed(fresh), boxed).unwrap())
}

fn world(sandbox: &Sandbox) -> Value {
    sandbox.platform().world()
}

/// A bit of everything that changes state.
fn live(account: &mut Account, round: u64) {
    account.wait(i64::try_from(round).unwrap() * 60);
    account.post("/api/v2/persons", &json!({"name": format!("P {round}")}));
    for _ in 0..2 {
        account.post("/api/v2/deals", &json!({"title": "T", "person_id": 1}));
    }
    account.post("/v1/notes", &json!({"content": "n", "deal_id": 1}));
    account.post("/v1/leads", &json!({"title": "L", "person_id": 1}));
    let code = account
        .post("/api/v2/dealFields", &json!({"field_name": format!("F {round}"), "field_type": "varchar"}))["field_code"]
        .as_str()
        .unwrap()
        .to_owned();
    account.send("PATCH", "/api/v2/deals/1", &json!({"custom_fields": {code: "x"}}), 200);
    account.refused("POST", "/api/v2/deals", Some(&json!({"title": 1})), 400);
    account.get("/api/v2/deals");
    account.send("DELETE", &format!("/api/v2/deals/{}", 2 * round + 2), &json!({}), 200);
    let disturbance = Disturbance { object: "person".into(), which: Which::Nth(0), action: DisturbAction::Touch };
    account.sandbox.disturb(&disturbance, account.now);
}

#[test]
fn what_was_answered_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut account = open(dir.path());
    live(&mut account, 0);
    let before = world(&account.sandbox);
    let created = account.sandbox.journal().count("deal", handover_sandbox::journal::Action::Created);
    drop(account);
    let mut account = open(dir.path());
    assert_eq!(world(&account.sandbox), before);
    assert_eq!(account.sandbox.journal().count("deal", handover_sandbox::journal::Action::Created), created);
    // And again, over a snapshot in between.
    live(&mut account, 1);
    account.sandbox.snapshot().unwrap();
    live(&mut account, 2);
    let before = world(&account.sandbox);
    drop(account);
    assert_eq!(world(&open(dir.path()).sandbox), before);
}

#[test]
fn a_lost_answer_and_half_a_batch_survive_too() {
    let dir = tempfile::tempdir().unwrap();
    let mut account = open(dir.path());
    account.post("/api/v2/deals", &json!({"title": "T"}));
    account.post("/api/v2/products", &json!({"name": "P"}));
    let rules = vec![
        Rule {
            name: None,
            when: When { path: Some("**/bulk".into()), ..When::default() },
            fault: Fault::HalfBatch { apply_only: 1, status: None },
        },
        Rule { name: None, when: When::default(), fault: Fault::LostAfter { status: None } },
    ];
    account.sandbox.set_faults(FaultPlan::new(0, rules));
    account.handle("POST", "/api/v2/persons", Some(&json!({"name": "A"})));
    let line = json!({"product_id": 1, "item_price": 1, "quantity": 1});
    account.handle("POST", "/api/v2/deals/1/products/bulk", Some(&json!({"data": [line, line]})));
    let before = world(&account.sandbox);
    assert_eq!(before["deal_products"].as_array().unwrap().len(), 1);
    drop(account);
    assert_eq!(world(&open(dir.path()).sandbox), before);
}

#[test]
fn a_torn_last_line_was_never_answered() {
    let dir = tempfile::tempdir().unwrap();
    let mut account = open(dir.path());
    account.post("/api/v2/persons", &json!({"name": "A"}));
    let before = world(&account.sandbox);
    account.post("/api/v2/persons", &json!({"name": "B"}));
    drop(account);
    let log = dir.path().join("requests.log");
    let text = fs::read(&log).unwrap();
    fs::write(&log, &text[..text.len() - 5]).unwrap();
    let mut account = open(dir.path());
    assert_eq!(world(&account.sandbox), before);
    account.post("/api/v2/persons", &json!({"name": "C"}));
    drop(account);
    assert_eq!(open(dir.path()).get("/api/v2/persons/2")["data"]["name"], "C");
}

#[test]
fn a_log_that_the_snapshot_already_holds_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let mut account = open(dir.path());
    account.post("/api/v2/persons", &json!({"name": "A"}));
    let log = dir.path().join("requests.log");
    let old = fs::read(&log).unwrap();
    account.sandbox.snapshot().unwrap();
    let before = world(&account.sandbox);
    drop(account);
    // The process died between the two renames.
    fs::write(&log, old).unwrap();
    assert_eq!(world(&open(dir.path()).sandbox), before);
}

#[test]
fn a_broken_folder_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).post("/api/v2/persons", &json!({"name": "A"}));
    let log = dir.path().join("requests.log");
    let text = fs::read_to_string(&log).unwrap();
    fs::write(&log, format!("{}\n{{\"nonsense\": 1}}\n", text.lines().next().unwrap())).unwrap();
    let error = persist::open(dir.path(), || boxed(json!({})), boxed).err().unwrap();
    assert!(error.to_string().starts_with("failed understanding line 2 of "), "{error}");
    fs::write(dir.path().join("world.json"), "{\"nonsense\": 1}").unwrap();
    let error = persist::open(dir.path(), || boxed(json!({})), boxed).err().unwrap();
    assert!(error.to_string().starts_with("failed loading the world from "), "{error}");
}

#[test]
fn a_world_file_reads_back_as_it_was_written() {
    let mut account = Account::empty();
    for round in 0..3 {
        live(&mut account, round);
    }
    account.send("PUT", "/v1/persons/1/merge", &json!({"merge_with_id": 2}), 200);
    let first = world(&account.sandbox);
    let again = Pipedrive::from_world(first.clone(), 99).unwrap();
    assert_eq!(again.world(), first);
}
