//! Lists: cursors, windows, and records that move while they are read.

use handover_sandbox::faults::{DisturbAction, Disturbance, Which};
use serde_json::{Value, json};

use crate::pipedrive::Account;

fn many(count: u64) -> Account {
    let persons: Vec<Value> = (1..=count)
        .map(|id| json!({"id": id, "name": format!("P {id}"), "add_time": "2025-01-01T00:00:00Z", "update_time": "2026-01-01T00:00:00Z"}))
        .collect();
    Account::of(json!({"persons": persons}))
}

#[test]
fn pages_follow_opaque_cursors() {
    let mut account = many(1_203);
    assert_eq!(account.get("/api/v2/persons")["data"].as_array().unwrap().len(), 100);
    let mut pages = 0;
    let ids = account.walk("/api/v2/persons?limit=500", |_, _| pages += 1);
    assert_eq!((ids, pages), ((1..=1_203).collect(), 2));
    let down = account.walk("/api/v2/persons?limit=500&sort_direction=desc", |_, _| {});
    assert_eq!(down, (1..=1_203).rev().collect::<Vec<_>>());
    let last = account.get("/api/v2/persons?limit=500&cursor=");
    assert!(last["additional_data"]["next_cursor"].is_string());
    // A cursor belongs to its order.
    let cursor = last["additional_data"]["next_cursor"].as_str().unwrap().to_owned();
    account.refused("GET", &format!("/api/v2/persons?sort_by=update_time&cursor={cursor}"), None, 400);
}

#[test]
fn equal_timestamps_lose_nothing() {
    let mut account = many(12_345);
    let path = "/api/v2/persons?limit=500&sort_by=update_time&updated_since=2026-01-01T00:00:00Z";
    assert_eq!(account.walk(path, |_, _| {}), (1..=12_345).collect::<Vec<_>>());
    assert_eq!(account.walk("/api/v2/persons?limit=500&updated_since=2026-01-01T00:00:00Z", |_, _| {}).len(), 12_345);
    assert_eq!(account.walk("/api/v2/persons?updated_until=2026-01-01T00:00:00Z", |_, _| {}), [0_u64; 0]);
    assert_eq!(account.walk("/api/v2/persons?updated_since=2026-01-01T00:00:01Z", |_, _| {}), [0_u64; 0]);
}

#[test]
fn the_window_is_closed_below_and_open_above() {
    let mut account = Account::empty();
    for second in 0..4 {
        account.post("/api/v2/persons", &json!({"name": format!("P {second}")}));
        account.wait(1);
    }
    let window = "updated_since=2026-03-02T10:00:01Z&updated_until=2026-03-02T10:00:03Z";
    for order in ["id", "update_time", "add_time"] {
        assert_eq!(
            account.walk(&format!("/api/v2/persons?limit=1&sort_by={order}&{window}"), |_, _| {}),
            [2, 3],
            "{order}"
        );
        let down = format!("/api/v2/persons?limit=1&sort_by={order}&sort_direction=desc&{window}");
        assert_eq!(account.walk(&down, |_, _| {}), [3, 2], "{order}");
    }
}

#[test]
fn a_record_touched_during_the_walk_moves_to_its_end() {
    let mut account = many(10);
    let path = "/api/v2/persons?limit=3&sort_by=update_time&sort_direction=asc";
    let ids = account.walk(path, |account, page| {
        if page == 0 {
            account.wait(1);
            for (id, action) in
                [("2", DisturbAction::Touch), ("9", DisturbAction::Touch), ("10", DisturbAction::Delete)]
            {
                let disturbance = Disturbance { object: "person".into(), which: Which::Id(id.into()), action };
                account.sandbox.disturb(&disturbance, account.now);
            }
        }
    });
    // 2 is seen twice, 9 once and late, 10 never.
    assert_eq!(ids, [1, 2, 3, 4, 5, 6, 7, 8, 2, 9]);
}

#[test]
fn deleting_during_a_walk_by_id_skips_nobody() {
    let mut account = many(10);
    let ids = account.walk("/api/v2/persons?limit=3", |account, page| {
        let which = Which::Nth(u64::try_from(page).unwrap());
        let disturbance = Disturbance { object: "persons".into(), which, action: DisturbAction::Delete };
        account.sandbox.disturb(&disturbance, account.now);
    });
    assert_eq!(ids, (1..=10).collect::<Vec<_>>());
}

#[test]
fn v1_lists_page_by_offset() {
    let notes: Vec<Value> = (1..=5).map(|id| json!({"id": id, "content": "n", "org_id": 1})).collect();
    let mut account = Account::of(json!({"organizations": [{"id": 1, "name": "O"}], "notes": notes}));
    let page = account.get("/v1/notes?start=2&limit=2");
    let ids: Vec<_> = page["data"].as_array().unwrap().iter().map(|note| note["id"].clone()).collect();
    assert_eq!(ids, [3, 4]);
    let pagination = json!({"start": 2, "limit": 2, "more_items_in_collection": true, "next_start": 4});
    assert_eq!(page["additional_data"]["pagination"], pagination);
    let end = account.get("/v1/notes?start=4&limit=2");
    assert_eq!(end["additional_data"]["pagination"]["more_items_in_collection"], false);
    assert_eq!(account.get("/v1/notes?sort=add_time DESC")["data"][0]["id"], 5);
    assert_eq!(account.get("/v1/notes?updated_since=2026-01-01T00:00:00Z")["data"], Value::Null);
}

#[test]
fn old_records_that_were_never_updated() {
    let mut account = Account::of(json!({
        "persons": [{"id": 1, "name": "Old", "add_time": "2026-03-01T00:00:00Z", "update_time": null}, {"id": 2, "name": "New", "add_time": "2026-03-01T00:00:00Z"}]
    }));
    let recents = account.get("/v1/recents?since_timestamp=2026-02-20 00:00:00&items=person");
    assert_eq!(recents["data"].as_array().unwrap().len(), 1);
    assert_eq!(recents["data"][0]["id"], 2);
    assert_eq!(account.walk("/api/v2/persons", |_, _| {}), [1, 2]);
}
