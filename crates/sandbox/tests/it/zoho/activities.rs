//! Tasks, events and calls, and what they hang on (sheet: section 5, activities).

use serde_json::{Value as Json, json};

use super::Org;

#[test]
fn what_needs_its_module() {
    let mut org = Org::new();
    let account = org.create("Accounts", &json!({"Account_Name": "Acme"}));
    let contact = org.create("Contacts", &json!({"Last_Name": "Lee"}));
    let task = |more: Json| {
        let mut task = json!({"Subject": "x", "What_Id": {"id": account}});
        task["$se_module"] = more;
        task
    };
    let mut without = task(Json::Null);
    without.as_object_mut().unwrap().remove("$se_module");
    assert_eq!(
        org.refused("Tasks", &without),
        ("MANDATORY_NOT_FOUND".into(), json!({"api_name": "$se_module", "json_path": "$.data[0].$se_module"}))
    );
    assert_eq!(org.refused("Tasks", &task(json!("Deals"))).0, "INVALID_DATA");
    let mut whole = task(json!("Accounts"));
    whole["Who_Id"] = json!({"id": contact});
    let id = org.create("Tasks", &whole);
    let record = org.record("Tasks", &id);
    assert_eq!(
        (&record["What_Id"]["name"], &record["Who_Id"]["name"], &record["$se_module"]),
        (&json!("Acme"), &json!("Lee"), &json!("Accounts"))
    );
    assert_eq!(org.texts("Subject", &format!("Accounts/{account}/Tasks?fields=Subject")), ["x"]);
    assert_eq!(org.texts("Subject", &format!("Contacts/{contact}/Tasks?fields=Subject")), ["x"]);
    org.update("Tasks", &id, &json!({"What_Id": null}));
    let record = org.record("Tasks", &id);
    assert_eq!((&record["What_Id"], &record["$se_module"]), (&Json::Null, &Json::Null));
}

#[test]
fn a_lead_is_what_an_activity_is_about() {
    let mut org = Org::new();
    let lead = org.create("Leads", &json!({"Last_Name": "Lee"}));
    assert_eq!(org.refused("Tasks", &json!({"Subject": "x", "Who_Id": {"id": lead}})).0, "INVALID_DATA");
    let id = org.create("Tasks", &json!({"Subject": "x", "What_Id": {"id": lead}, "$se_module": "Leads"}));
    assert_eq!(org.record("Tasks", &id)["What_Id"]["name"], "Lee");
    assert_eq!(org.texts("Subject", &format!("Leads/{lead}/Tasks?fields=Subject")), ["x"]);
}

#[test]
fn a_completed_task_has_its_time() {
    let mut org = Org::new();
    let id = org.create("Tasks", &json!({"Subject": "x", "Status": "Not Started"}));
    assert_eq!(org.record("Tasks", &id)["Closed_Time"], Json::Null);
    org.wait(60);
    org.update("Tasks", &id, &json!({"Status": "Completed"}));
    org.wait(60);
    org.update("Tasks", &id, &json!({"Subject": "y"}));
    assert_eq!(org.record("Tasks", &id)["Closed_Time"], "2026-11-20T12:01:00+03:00");
}

#[test]
fn a_logged_call_lasts() {
    let mut org = Org::new();
    let call = |start: &str, duration: &str| json!({"Subject": "x", "Call_Type": "Outbound", "Call_Start_Time": start, "Call_Duration": duration});
    let past = "2026-11-19T10:00:00+00:00";
    assert_eq!(org.refused("Calls", &call(past, "0:00")).1["api_name"], "Call_Duration");
    assert_eq!(org.refused("Calls", &call(past, "ten")).0, "INVALID_DATA");
    assert_eq!(org.refused("Calls", &json!({"Subject": "x"})).0, "MANDATORY_NOT_FOUND");
    let id = org.create("Calls", &call(past, "10:00"));
    let record = org.record("Calls", &id);
    assert_eq!((&record["Call_Duration"], &record["Call_Duration_in_seconds"]), (&json!("10:00"), &json!(600)));
    org.create("Calls", &call("2026-12-19T10:00:00+00:00", "00:00"));
}

#[test]
fn events_have_participants() {
    let mut org = Org::new();
    let contact = org.create("Contacts", &json!({"Last_Name": "Lee"}));
    let event = |who: Json| {
        json!({"Event_Title": "x", "Start_DateTime": "2026-12-01T10:00:00+00:00", "End_DateTime": "2026-12-01T11:00:00+00:00",
            "Participants": who})
    };
    let id = org.create(
        "Events",
        &event(json!([{"type": "contact", "participant": contact}, {"type": "email", "participant": "a@x.io"}])),
    );
    assert_eq!(org.record("Events", &id)["Participants"].as_array().unwrap().len(), 2);
    assert_eq!(org.refused("Events", &event(json!([{"type": "lead", "participant": contact}]))).0, "INVALID_DATA");
    let many: Vec<Json> = (0..51).map(|n| json!({"type": "email", "participant": format!("{n}@x.io")})).collect();
    assert_eq!(org.refused("Events", &event(json!(many))).0, "LIMIT_EXCEEDED");
}
