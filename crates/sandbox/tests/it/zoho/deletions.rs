//! Deleting, the feed of deleted records, the recycle bin, merges (sheet: sections 2 and 4).

use handover_sandbox::faults::{DisturbAction, Disturbance, Which};
use handover_sandbox::journal::Action;
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::{Org, denied};

fn disturb(org: &mut Org, object: &str, id: &str, action: DisturbAction) {
    let disturbance = Disturbance { object: object.to_owned(), which: Which::Id(id.to_owned()), action };
    let events = org.sandbox.disturb(&disturbance, Timestamp::from_second(org.now).unwrap());
    org.events.extend(events);
}

#[test]
fn deleted_records_are_in_the_feed_and_become_permanent() {
    let mut org = Org::new();
    let one = org.create("Leads", &json!({"Last_Name": "One"}));
    let two = org.create("Leads", &json!({"Last_Name": "Two"}));
    org.empty("Leads/deleted?type=all");
    org.wait(10);
    let (status, body) = org.call("DELETE", &format!("Leads?ids={one},{two},9&wf_trigger=false"), None);
    assert_eq!(
        (status, &body["data"][1]["code"], &body["data"][2]["code"]),
        (207, &json!("SUCCESS"), &json!("INVALID_DATA"))
    );
    let feed = org.get("Leads/deleted?type=all&per_page=1");
    let item = &feed["data"][0];
    assert_eq!((&item["id"], &item["display_name"], &item["type"]), (&json!(two), &json!("Two"), &json!("recycle")));
    assert_eq!(
        (&item["deleted_time"], &item["deleted_by"]["name"]),
        (&json!("2026-11-20T12:00:10+03:00"), &json!("Ada Admin"))
    );
    assert_eq!(feed["info"]["more_records"], true);
    assert_eq!(org.texts("id", "Leads/deleted?per_page=1&page=2"), [one.as_str()]);
    org.empty("Leads/deleted?type=permanent");
    denied(org.call("GET", "Leads/deleted?type=some", None), 400, "INVALID_DATA");
    org.header("if-modified-since", "2026-11-20T12:00:11+03:00");
    assert_eq!(org.call("GET", "Leads/deleted?type=all", None).0, 304);
    org.headers.clear();
    org.wait(61 * 86_400);
    org.empty("Leads/deleted?type=recycle");
    let gone = org.get("Leads/deleted?type=permanent")["data"][0].clone();
    assert_eq!(
        (&gone["display_name"], &gone["deleted_by"], &gone["type"]),
        (&Json::Null, &Json::Null, &json!("permanent"))
    );
    org.wait(61 * 86_400);
    org.empty("Leads/deleted?type=all");
}

#[test]
fn a_restored_record_comes_back_with_its_notes_and_its_links() {
    let mut org = Org::with(&json!({"restore_bumps": true}));
    let account = org.create("Accounts", &json!({"Account_Name": "Acme"}));
    let contact = org.create("Contacts", &json!({"Last_Name": "Lee", "Account_Name": {"id": account}}));
    let note = json!({"data": [{"Note_Title": "t", "Note_Content": "c"}]});
    org.post(&format!("Accounts/{account}/Notes"), &note, 201);
    org.delete("Accounts", &account);
    org.empty("Notes?fields=id");
    org.empty("Notes/deleted?type=all");
    org.wait(60);
    disturb(&mut org, "Accounts", &account, DisturbAction::Restore);
    assert_eq!(org.record("Accounts", &account)["Modified_Time"], "2026-11-20T12:01:00+03:00");
    assert_eq!(org.texts("Note_Title", "Notes?fields=Note_Title"), ["t"]);
    assert_eq!(org.record("Contacts", &contact)["Account_Name"]["name"], "Acme");
    org.empty("Accounts/deleted?type=all");
    let mut silent = Org::new();
    let lead = silent.create("Leads", &json!({"Last_Name": "x"}));
    silent.delete("Leads", &lead);
    silent.wait(60);
    disturb(&mut silent, "Leads", &lead, DisturbAction::Restore);
    assert_eq!(silent.record("Leads", &lead)["Modified_Time"], "2026-11-20T12:00:00+03:00");
    assert_eq!(org.sandbox.journal().count("Accounts", Action::Restored), 1);
}

#[test]
fn a_merge_moves_what_hangs_on_the_child() {
    for told in [false, true] {
        let mut org = Org::with(&json!({"merged_in_feed": told}));
        let master = org.create("Accounts", &json!({"Account_Name": "Acme"}));
        let child =
            org.create("Accounts", &json!({"Account_Name": "ACME Ltd", "Phone": "123", "Website": "acme.example"}));
        let contact = org.create("Contacts", &json!({"Last_Name": "Lee", "Account_Name": {"id": child}}));
        org.post(&format!("Accounts/{child}/Notes"), &json!({"data": [{"Note_Content": "c"}]}), 201);
        let merge = json!({"merge": [{"data": [{"id": child, "_fields": [{"api_name": "Account_Name"}]}]}]});
        let done = org.post(&format!("Accounts/{master}/actions/merge"), &merge, 200);
        assert_eq!(done["merge"][0]["code"], "SUCCESS");
        let record = org.record("Accounts", &master);
        assert_eq!((&record["Account_Name"], &record["Phone"]), (&json!("ACME Ltd"), &json!("123")));
        org.empty(&format!("Accounts/{child}"));
        assert_eq!(org.record("Contacts", &contact)["Account_Name"]["id"], json!(master));
        assert_eq!(org.texts("Note_Content", &format!("Accounts/{master}/Notes?fields=Note_Content")), ["c"]);
        let (status, _) = org.call("GET", "Accounts/deleted?type=all", None);
        assert_eq!(status, if told { 200 } else { 204 });
        let merged: Vec<_> = org
            .sandbox
            .journal()
            .changes_of("Accounts", &child)
            .filter(|change| change.action == Action::Merged)
            .collect();
        assert_eq!(merged[0].fields["merged_into"].1, json!(master));
        disturb(&mut org, "Accounts", &child, DisturbAction::Restore);
        org.empty(&format!("Accounts/{child}"));
    }
}

#[test]
fn merges_have_their_limits() {
    let mut org = Org::new();
    let deal = |stage: &str| json!({"Deal_Name": "x", "Closing_Date": "2026-12-01", "Stage": stage});
    let open = org.create("Deals", &deal("Qualification"));
    let won = org.create("Deals", &deal("Closed Won"));
    let merge = |ids: &[&str]| json!({"merge": [{"data": ids.iter().map(|id| json!({"id": id})).collect::<Json>()}]});
    let path = format!("Deals/{open}/actions/merge");
    denied(org.call("POST", &path, Some(&merge(&[&won]))), 400, "NOT_ALLOWED");
    denied(org.call("POST", &path, Some(&merge(&["1", "2", "3"]))), 400, "LIMIT_EXCEEDED");
    denied(org.call("POST", &path, Some(&merge(&[&open]))), 400, "INVALID_DATA");
    let product = org.create("Products", &json!({"Product_Name": "Pump"}));
    denied(org.call("POST", &format!("Products/{product}/actions/merge"), Some(&merge(&["1"]))), 400, "INVALID_MODULE");
}

#[test]
fn people_change_records_behind_the_clients_back() {
    let mut org = Org::new();
    let lead = org.create("Leads", &json!({"Last_Name": "One"}));
    org.wait(9);
    disturb(&mut org, "Leads", &lead, DisturbAction::Change { field: "City".into(), value: json!("Rome") });
    let record = org.record("Leads", &lead);
    assert_eq!((&record["City"], &record["Modified_Time"]), (&json!("Rome"), &json!("2026-11-20T12:00:09+03:00")));
    disturb(&mut org, "Leads", &lead, DisturbAction::Change { field: "Email".into(), value: json!("wrong") });
    assert_eq!(org.record("Leads", &lead)["Email"], Json::Null);
    disturb(&mut org, "Contacts", "", DisturbAction::Create { fields: json!({"Last_Name": "New"}) });
    let contact = org.texts("id", "Contacts?fields=id")[0].clone();
    let account = org.create("Accounts", &json!({"Account_Name": "Acme"}));
    let to = |id: &str| DisturbAction::Link { object: "Accounts".into(), to: id.to_owned() };
    disturb(&mut org, "Contacts", &contact, to(&account));
    assert_eq!(org.record("Contacts", &contact)["Account_Name"]["name"], "Acme");
    disturb(&mut org, "Contacts", &contact, DisturbAction::Unlink { object: "Accounts".into(), to: account });
    assert_eq!(org.record("Contacts", &contact)["Account_Name"], Json::Null);
    disturb(&mut org, "Leads", &lead, DisturbAction::Delete);
    assert_eq!(org.texts("id", "Leads/deleted?type=recycle"), [lead]);
}
