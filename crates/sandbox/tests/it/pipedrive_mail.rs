//! Synced e-mail in the Pipedrive sandbox: per deal, per person, one by one.

use serde_json::{Value as Json, json};

use crate::pipedrive::Account;

fn party(address: &str, person: Option<u64>) -> Json {
    json!({"email_address": address, "name": address, "linked_person_id": person, "linked_person_name": null})
}

/// Message 5 hangs on the deal and two persons, 6 on one person, 7 on the deal alone.
fn account() -> Account {
    let message = |id: u64, thread: u64, deal: Option<u64>, to: Json, body: Option<&str>| {
        json!({"id": id, "mail_thread_id": thread, "subject": format!("Subject {id}"), "user_id": 1, "deal_id": deal,
            "from": [party("ada@example.com", None)], "to": to, "cc": [], "bcc": [], "body": body,
            "message_time": "2026-01-05T09:00:00.000Z"})
    };
    Account::of(json!({
        "persons": [{"id": 1, "name": "Bo", "visible_to": 1, "owner_id": 1}, {"id": 2, "name": "Cy", "visible_to": 1, "owner_id": 1}],
        "deals": [{"id": 9, "title": "A deal", "visible_to": 1, "owner_id": 1}, {"id": 10, "title": "Another"}],
        "mail_messages": [
            message(5, 50, Some(9), json!([party("bo@x.test", Some(1)), party("cy@x.test", Some(2))]), Some("<p>five</p>")),
            message(6, 60, None, json!([party("bo@x.test", Some(1))]), None),
            message(7, 50, Some(9), json!([party("nobody@x.test", None)]), Some("<p>seven</p>")),
        ],
    }))
}

fn ids(answer: &Json) -> Vec<u64> {
    // v1 tells nothing as null.
    answer["data"].as_array().into_iter().flatten().map(|row| row["data"]["id"].as_u64().unwrap()).collect()
}

#[test]
fn a_message_hangs_on_its_deal_and_on_every_person_among_its_parties() {
    let mut account = account();
    let of_deal = account.get("/v1/deals/9/mailMessages");
    assert_eq!(ids(&of_deal), [5, 7]);
    assert_eq!(ids(&account.get("/v1/persons/1/mailMessages")), [5, 6]);
    assert_eq!(ids(&account.get("/v1/persons/2/mailMessages")), [5]);
    assert_eq!(ids(&account.get("/v1/deals/10/mailMessages")), [0; 0]);
    let row = &of_deal["data"][0];
    assert_eq!((&row["object"], &row["timestamp"]), (&json!("mailMessage"), &json!("2026-01-05T09:00:00.000Z")));
    let keys = row["data"].as_object().unwrap();
    for hidden in ["body", "deal_id", "person_id"] {
        assert!(!keys.contains_key(hidden), "a list does not tell `{hidden}`");
    }
    assert_eq!(row["data"]["has_body_flag"], 1);
    let counts = account.get("/api/v2/deals?include_fields=email_messages_count&sort_by=id");
    let counts: Vec<u64> =
        counts["data"].as_array().unwrap().iter().map(|deal| deal["email_messages_count"].as_u64().unwrap()).collect();
    assert_eq!(counts, [2, 0]);
    let persons = account.get("/api/v2/persons?include_fields=email_messages_count&sort_by=id");
    assert_eq!(persons["data"][0]["email_messages_count"], 2);
}

#[test]
fn pages_have_offsets_and_unknown_records_no_mail() {
    let mut account = account();
    let first = account.get("/v1/deals/9/mailMessages?start=0&limit=1");
    assert_eq!(ids(&first), [5]);
    assert_eq!(first["additional_data"]["pagination"]["next_start"], 1);
    let last = account.get("/v1/deals/9/mailMessages?start=1&limit=1");
    assert_eq!(
        (ids(&last), &last["additional_data"]["pagination"]["more_items_in_collection"]),
        (vec![7], &json!(false))
    );
    account.refused("GET", "/v1/deals/9/mailMessages?start=x", None, 400);
    account.refused("GET", "/v1/deals/77/mailMessages", None, 404);
    account.call("DELETE", "/api/v2/deals/9", None);
    account.refused("GET", "/v1/deals/9/mailMessages", None, 404);
}

#[test]
fn the_text_comes_on_request_with_a_single_message() {
    let mut account = account();
    let without = account.get("/v1/mailbox/mailMessages/5");
    assert!(!without["data"].as_object().unwrap().contains_key("body"));
    assert_eq!(account.get("/v1/mailbox/mailMessages/5?include_body=1")["data"]["body"], "<p>five</p>");
    let blank = account.get("/v1/mailbox/mailMessages/6?include_body=1");
    assert_eq!((&blank["data"]["body"], &blank["data"]["has_body_flag"]), (&Json::Null, &json!(0)));
    account.refused("GET", "/v1/mailbox/mailMessages/5?include_body=yes", None, 400);
    account.refused("GET", "/v1/mailbox/mailMessages/99", None, 404);
    account.refused("POST", "/v1/mailbox/mailMessages", Some(&json!({"subject": "new"})), 404);
}

#[test]
fn nobody_reads_the_mail_of_records_that_he_does_not_see() {
    let mut account = account();
    account.token = "seller-token".to_owned();
    account.refused("GET", "/v1/deals/9/mailMessages", None, 404);
    account.refused("GET", "/v1/mailbox/mailMessages/5?include_body=1", None, 404);
}

#[test]
fn a_deleted_thread_takes_its_messages_along() {
    let mut account = account();
    let handled = account.handle("DELETE", "/v1/mailbox/mailThreads/50", None);
    assert_eq!(handled.reply().unwrap().status, 200);
    assert_eq!(ids(&account.get("/v1/deals/9/mailMessages")), [0; 0]);
    assert_eq!(ids(&account.get("/v1/persons/1/mailMessages")), [6]);
    account.refused("GET", "/v1/mailbox/mailMessages/7", None, 404);
    account.refused("DELETE", "/v1/mailbox/mailThreads/50", None, 404);
}
