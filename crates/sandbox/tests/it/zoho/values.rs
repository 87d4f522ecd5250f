//! Formats of values, deals and their stages, rows of subforms (sheet: section 5; traps 4, 5, 18, 19).

use serde_json::{Value as Json, json};

use super::Org;

fn lead(field: &str, value: Json) -> Json {
    let mut lead = json!({"Last_Name": "x"});
    lead[field] = value;
    lead
}

#[test]
fn values_that_break_the_format_are_refused() {
    let mut org = Org::new();
    for (field, value, expected) in [
        ("Email", json!("no mail"), "email"),
        ("Email", json!("a@b"), "email"),
        ("Phone", json!("12--34"), "phone"),
        ("Phone", json!("call me!"), "phone"),
        ("Phone", json!(1234), "phone"),
        ("Website", json!("not a site"), "website"),
        ("City", json!(7), "text"),
        ("No_of_Employees", json!("7"), "integer"),
        ("Annual_Revenue", json!("7.5"), "double"),
        ("Email_Opt_Out", json!("true"), "boolean"),
        ("Lead_Source", json!("Nowhere"), "picklist"),
        ("Owner", json!("Ada"), "jsonobject"),
    ] {
        let (code, details) = org.refused("Leads", &lead(field, value.clone()));
        assert_eq!(
            (code.as_str(), details["expected_data_type"].as_str()),
            ("INVALID_DATA", Some(expected)),
            "{field} {value}"
        );
        assert_eq!(details["json_path"], format!("$.data[0].{field}"));
    }
    for (field, value, most) in [
        ("City", json!("x".repeat(101)), 100),
        ("City", json!("😀".repeat(51)), 100),
        ("Phone", json!("1".repeat(31)), 30),
        ("No_of_Employees", json!(1_234_567_890), 9),
        ("Annual_Revenue", json!(1e17), 16),
    ] {
        let (code, details) = org.refused("Leads", &lead(field, value));
        assert_eq!((code.as_str(), &details["maximum_length"]), ("INVALID_DATA", &json!(most)), "{field}");
    }
}

#[test]
fn values_are_kept_as_they_are_taken() {
    let mut org = Org::new();
    for (field, value, wanted) in [
        ("City", json!("  Rome "), json!("Rome")),
        ("City", json!(""), Json::Null),
        ("Phone", json!("+49 (30) 12-34"), json!("+49 (30) 12-34")),
        ("Lead_Source", json!("-None-"), Json::Null),
        ("Lead_Source", json!("Cold Call"), json!("Cold Call")),
        ("Annual_Revenue", json!(10.126), json!(10.13)),
        ("Annual_Revenue", json!(10.0), json!(10)),
        ("Email", json!("ä.b+c@x-y.example"), json!("ä.b+c@x-y.example")),
    ] {
        let id = org.create("Leads", &lead(field, value));
        assert_eq!(org.record("Leads", &id)[field], wanted, "{field}");
    }
    let mut kind = Org::with(&json!({"unknown_picks": "kept"}));
    let id = kind.create("Leads", &lead("Lead_Source", json!("Nowhere")));
    assert_eq!(kind.record("Leads", &id)["Lead_Source"], "Nowhere");
}

#[test]
fn times_have_an_offset_and_no_milliseconds() {
    let mut org = Org::new();
    let event =
        |start: &str| json!({"Event_Title": "x", "Start_DateTime": start, "End_DateTime": "2026-12-01T12:00:00+01:00"});
    for wrong in [
        "2026-12-01T10:00:00.000+01:00",
        "2026-12-01 10:00",
        "2026-12-01T10:00:00Z",
        "2026-12-01",
        "2026-12-02T10:00:00+01:00",
    ] {
        assert_eq!(org.refused("Events", &event(wrong)).0, "INVALID_DATA", "{wrong}");
    }
    let id = org.create("Events", &event("2026-12-01T10:00:00-05:00".replace("-05", "+01").as_str()));
    // It comes back in the zone of the user.
    assert_eq!(org.record("Events", &id)["Start_DateTime"], "2026-12-01T12:00:00+03:00");
    let (_, details) =
        org.refused("Deals", &json!({"Deal_Name": "x", "Stage": "Qualification", "Closing_Date": "2026-13-01"}));
    assert_eq!(details["expected_data_type"], "date");
}

#[test]
fn stage_pipeline_and_layout_belong_together() {
    let layouts = json!({"Deals": [
        {"name": "Standard", "required": ["Closing_Date"], "pipelines": [
            {"display": "Sales", "actual": "Sales (Standard)", "default": true, "stages": ["Qualification", "Closed Won"]},
            {"display": "Renewals", "stages": ["Needs Analysis"]}]},
        {"name": "Partner", "required": ["Amount"], "pipelines": [{"display": "Partners"}]}]});
    let mut org = Org::of(json!({"layouts": layouts}));
    let deal = |more: Json| {
        let mut deal = json!({"Deal_Name": "x", "Closing_Date": "2026-12-01", "Stage": "Qualification"});
        for (name, value) in more.as_object().unwrap() {
            deal[name.as_str()] = value.clone();
        }
        deal
    };
    assert_eq!(org.refused("Deals", &deal(json!({}))).1["api_name"], "Pipeline");
    let (code, _) = org.refused("Deals", &deal(json!({"Pipeline": "Partners"})));
    assert_eq!(code, "MAPPING_MISMATCH");
    let (code, details) = org.refused("Deals", &deal(json!({"Pipeline": "Renewals"})));
    assert_eq!((code.as_str(), &details["api_name"]), ("MAPPING_MISMATCH", &json!("Stage")));
    let layouts = org.get("settings/layouts?module=Deals");
    let partner = layouts["layouts"][1]["id"].as_str().unwrap().to_owned();
    let (_, details) = org.refused("Deals", &deal(json!({"Pipeline": "Partners", "Layout": {"id": partner}})));
    assert_eq!(details["api_name"], "Amount");
    let id = org.create("Deals", &deal(json!({"Pipeline": "Sales", "Amount": 250, "Probability": 77})));
    let record = org.record("Deals", &id);
    assert_eq!(record["Pipeline"]["name"], "Sales");
    // The stage decides about the probability.
    assert_eq!((&record["Probability"], &record["Expected_Revenue"]), (&json!(10), &json!(25)));
    org.update("Deals", &id, &json!({"Stage": "Closed Won"}));
    assert_eq!(org.record("Deals", &id)["Expected_Revenue"], 250);
    let one = org.get(&format!("settings/pipeline?layout_id={}", layouts["layouts"][0]["id"].as_str().unwrap()));
    assert_eq!(
        (&one["pipeline"][0]["actual_value"], &one["pipeline"][1]["maps"][0]["display_value"]),
        (&json!("Sales (Standard)"), &json!("Needs Analysis"))
    );
}

#[test]
fn the_actual_value_of_a_stage_is_not_what_people_see() {
    let mut org = Org::new();
    let deal = |stage: &str| json!({"Deal_Name": "x", "Closing_Date": "2026-12-01", "Stage": stage});
    assert_eq!(org.refused("Deals", &deal("Identify Decision Makers")).0, "MAPPING_MISMATCH");
    let id = org.create("Deals", &deal("Id. Decision Makers"));
    assert_eq!(org.record("Deals", &id)["Stage"], "Id. Decision Makers");
    let mut kind = Org::with(&json!({"display_picks": true, "pipeline_objects": false}));
    let id = kind.create("Deals", &deal("Identify Decision Makers"));
    let record = kind.record("Deals", &id);
    assert_eq!((&record["Stage"], &record["Pipeline"]), (&json!("Id. Decision Makers"), &json!("Standard (Standard)")));
}

#[test]
fn rows_of_a_subform_are_the_new_whole() {
    let mut org = Org::new();
    let product = org.create("Products", &json!({"Product_Name": "Pump"}));
    let row = json!({"Product_Name": {"id": product}, "Quantity": 2, "List_Price": 10.5});
    assert_eq!(org.refused("Quotes", &json!({"Subject": "x"})).1["api_name"], "Quoted_Items");
    let (_, details) = org.refused("Quotes", &json!({"Subject": "x", "Quoted_Items": [{"Quantity": 1}]}));
    assert_eq!(details["json_path"], "$.data[0].Quoted_Items[0].Product_Name");
    let id = org.create("Quotes", &json!({"Subject": "x", "Quoted_Items": [row, row]}));
    let record = org.record("Quotes", &id);
    assert_eq!(
        (&record["Grand_Total"], &record["Quoted_Items"][0]["Product_Name"]["name"]),
        (&json!(42), &json!("Pump"))
    );
    let kept = record["Quoted_Items"][1]["id"].clone();
    org.update("Quotes", &id, &json!({"Quoted_Items": [{"id": kept, "Quantity": 3}]}));
    let record = org.record("Quotes", &id);
    assert_eq!((record["Quoted_Items"].as_array().unwrap().len(), &record["Grand_Total"]), (1, &json!(31.5)));
    assert!(org.get("Quotes?fields=Subject,Quoted_Items")["data"][0].get("Quoted_Items").is_none());
    let (status, _) =
        org.call("PUT", &format!("Quotes/{id}"), Some(&json!({"data": [{"Quoted_Items": [{"id": "7"}]}]})));
    assert_eq!(status, 400);
}

#[test]
fn lists_of_values_are_replaced_or_appended() {
    let picks = json!([{"actual": "red"}, {"actual": "green"}, {"actual": "blue"}]);
    let mut org = Org::of(json!({"fields": {"Leads": [
        {"api_name": "Colours", "data_type": "multiselectpicklist", "picks": picks},
        {"api_name": "Partners", "data_type": "multiselectlookup", "module": "Accounts"}]}}));
    let id = org.create("Leads", &lead("Colours", json!(["red"])));
    org.update("Leads", &id, &json!({"Colours": ["green", "red"], "$append_values": {"Colours": true}}));
    assert_eq!(org.record("Leads", &id)["Colours"], json!(["red", "green"]));
    org.update("Leads", &id, &json!({"Colours": ["blue"]}));
    assert_eq!(org.record("Leads", &id)["Colours"], json!(["blue"]));
    assert_eq!(org.refused("Leads", &lead("Colours", json!("red"))).1["expected_data_type"], "jsonarray");
    let account = org.create("Accounts", &json!({"Account_Name": "Acme"}));
    org.update("Leads", &id, &json!({"Partners": [{"Partners": {"id": account}}]}));
    let links = org.record("Leads", &id)["Partners"].clone();
    assert_eq!(links[0]["Partners"]["name"], "Acme");
    org.update("Leads", &id, &json!({"Partners": [{"id": links[0]["id"], "_delete": null}]}));
    assert_eq!(org.record("Leads", &id)["Partners"], Json::Null);
}

#[test]
fn lookups_are_objects_with_an_id() {
    let mut org = Org::new();
    let account = org.create("Accounts", &json!({"Account_Name": "Acme"}));
    let contact = |value: Json| json!({"Last_Name": "x", "Account_Name": value});
    assert_eq!(org.refused("Contacts", &contact(json!("Acme"))).1["expected_data_type"], "jsonobject");
    assert_eq!(org.refused("Contacts", &contact(json!({"name": "Acme"}))).0, "INVALID_DATA");
    assert_eq!(org.refused("Contacts", &contact(json!({"id": "554023000001999999"}))).0, "INVALID_DATA");
    let id = org.create("Contacts", &contact(json!({"id": account})));
    assert_eq!(org.record("Contacts", &id)["Account_Name"], json!({"name": "Acme", "id": account}));
    org.delete("Accounts", &account);
    assert_eq!(org.record("Contacts", &id)["Account_Name"], Json::Null);
}
