//! Notifications (sheet: section 8).

use serde_json::{Value as Json, json};

use super::{Org, denied};

fn watch(more: Json) -> Json {
    let mut item = json!({"channel_id": "1000000068001", "events": ["Leads.all", "Contacts.edit"], "token": "secret", "notify_url": "http://127.0.0.1:9/hook"});
    for (name, value) in more.as_object().unwrap() {
        item[name.as_str()] = value.clone();
    }
    json!({"watch": [item]})
}

#[test]
fn a_channel_is_told_what_happens_while_it_lives() {
    let mut org = Org::new();
    let reply = org.post("actions/watch", &watch(json!({"channel_expiry": "2026-11-25T12:00:00+03:00"})), 201);
    let events = &reply["watch"][0]["details"]["events"];
    assert_eq!((&events[0]["resource_name"], &events[1]["resource_name"]), (&json!("Leads"), &json!("Contacts")));
    assert_eq!(events[0]["channel_expiry"], "2026-11-25T12:00:00+03:00");
    let lead = org.create("Leads", &json!({"Last_Name": "x"}));
    let contact = org.create("Contacts", &json!({"Last_Name": "y"}));
    org.update("Contacts", &contact, &json!({"City": "x", "Phone": "1"}));
    org.put(&format!("Leads/{lead}"), &json!({"data": [{"City": "Rome"}], "trigger": []}), 200);
    org.delete("Leads", &lead);
    let told: Vec<(Json, Json)> =
        org.events.iter().map(|event| (event.body["module"].clone(), event.body["operation"].clone())).collect();
    let wanted = [("Leads", "insert"), ("Contacts", "update"), ("Leads", "update"), ("Leads", "delete")];
    assert_eq!(told, wanted.map(|(module, word)| (json!(module), json!(word))));
    let body = &org.events[0].body;
    assert_eq!(
        (&body["ids"], &body["token"], &body["channel_id"]),
        (&json!([lead]), &json!("secret"), &json!("1000000068001"))
    );
    assert_eq!(body["affected_fields"], json!([]));
    assert!(body["resource_uri"].as_str().unwrap().ends_with("/crm/v2/Leads"));
    org.events.clear();
    org.wait(5 * 86_400);
    org.create("Leads", &json!({"Last_Name": "x"}));
    assert!(org.events.is_empty(), "the channel has ended");
}

#[test]
fn a_channel_lives_an_hour_unless_it_says_so_and_a_week_at_most() {
    let mut org = Org::new();
    for (path, expiry, wanted) in [
        ("actions/watch", None, "2026-11-20T13:00:00+03:00"),
        ("actions/watch", Some("2026-11-28T12:00:00+03:00"), "2026-11-20T13:00:00+03:00"),
        ("actions/watch", Some("2026-11-27T12:00:00+03:00"), "2026-11-27T12:00:00+03:00"),
        ("/crm/v4/actions/watch", Some("2026-11-22T12:00:00+03:00"), "2026-11-20T13:00:00+03:00"),
        ("/crm/v4/actions/watch", Some("2026-11-21T12:00:00+03:00"), "2026-11-21T12:00:00+03:00"),
    ] {
        let body = watch(expiry.map_or(json!({}), |expiry| json!({"channel_expiry": expiry})));
        let reply = org.post(path, &body, 201);
        assert_eq!(reply["watch"][0]["details"]["events"][0]["channel_expiry"], wanted, "{path} {expiry:?}");
    }
}

#[test]
fn channels_are_changed_listed_and_ended() {
    let mut org = Org::new();
    org.empty("actions/watch");
    assert_eq!(org.put("actions/watch", &watch(json!({})), 202)["watch"][0]["code"], "NOT_SUBSCRIBED");
    org.post("actions/watch", &watch(json!({})), 201);
    let id = json!("1000000068001");
    let patch = |org: &mut Org, item: Json| org.call("PATCH", "actions/watch", Some(&json!({"watch": [item]})));
    assert_eq!(patch(&mut org, json!({"channel_id": id, "channel_expiry": "2026-11-21T12:00:00+03:00"})).0, 200);
    assert_eq!(patch(&mut org, json!({"channel_id": id, "events": ["Leads.all"], "_delete_events": true})).0, 200);
    let list = org.get("actions/watch?channel_id=1000000068001");
    assert_eq!((list["watch"].as_array().unwrap().len(), &list["watch"][0]["events"]), (1, &json!(["Contacts.edit"])));
    assert_eq!(list["watch"][0]["channel_expiry"], "2026-11-21T12:00:00+03:00");
    assert_eq!(org.call("DELETE", "actions/watch?channel_ids=1000000068001", None).0, 200);
    let (status, body) = org.call("DELETE", "actions/watch?channel_ids=1000000068001", None);
    assert_eq!((status, &body["watch"][0]["code"]), (202, &json!("NOT_SUBSCRIBED")));
    for wrong in [
        json!({"channel_id": "x"}),
        json!({"events": []}),
        json!({"events": ["Leads.some"]}),
        json!({"notify_url": "here"}),
        json!({"token": "x".repeat(51)}),
    ] {
        let (status, body) = org.call("POST", "actions/watch", Some(&watch(wrong.clone())));
        assert_eq!((status, &body["watch"][0]["code"]), (202, &json!("INVALID_DATA")), "{wrong}");
    }
    denied(org.call("DELETE", "actions/watch", None), 400, "REQUIRED_PARAM_MISSING");
}

#[test]
fn values_related_records_and_silent_writes() {
    let mut org = Org::with(&json!({"silent_writes_notify": false}));
    org.post("actions/watch", &watch(json!({"return_affected_field_values": true})), 201);
    let reply = org.post("Leads", &json!({"data": [{"Last_Name": "x"}], "trigger": []}), 201);
    let lead = reply["data"][0]["details"]["id"].as_str().unwrap().to_owned();
    assert!(org.events.is_empty(), "a silent write");
    org.update("Leads", &lead, &json!({"City": "Rome"}));
    assert_eq!(org.events[0].body["affected_fields"], json!([{lead.as_str(): ["City"]}]));
    org.events.clear();
    org.post(&format!("Leads/{lead}/Notes"), &json!({"data": [{"Note_Content": "c"}]}), 201);
    assert_eq!((&org.events[0].body["operation"], &org.events[0].body["ids"]), (&json!("update"), &json!([lead])));
    org.events.clear();
    org.post("actions/watch", &watch(json!({"notify_on_related_action": false})), 201);
    org.post(&format!("Leads/{lead}/Notes"), &json!({"data": [{"Note_Content": "c"}]}), 201);
    assert!(org.events.is_empty());
}
