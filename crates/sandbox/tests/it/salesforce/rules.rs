//! Rules that administrators wrote.

use serde_json::json;

use super::{Org, refused};

#[test]
fn a_validation_rule_refuses_what_its_condition_finds() {
    let mut org = Org::of(json!({"validation_rules": [{"object": "Opportunity", "name": "won",
        "when": "StageName = 'Closed Won' AND Amount = null", "message": "Ohne Betrag nicht gewonnen", "field": "Amount"}]}));
    let deal = org.create("Opportunity", &json!({"Name": "D", "StageName": "Prospecting", "CloseDate": "2026-12-01"}));
    let (status, body) =
        org.call("PATCH", &format!("sobjects/Opportunity/{deal}"), Some(&json!({"StageName": "Closed Won"})));
    assert_eq!(
        (status, body),
        (
            400,
            json!([{"errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "message": "Ohne Betrag nicht gewonnen", "fields": ["Amount"]}])
        )
    );
    org.patch(&format!("sobjects/Opportunity/{deal}"), &json!({"StageName": "Closed Won", "Amount": 5}), 204);
}

#[test]
fn a_duplicate_rule_warns_or_blocks() {
    let rule = |action: &str| json!({"duplicate_rules": [{"object": "Contact", "name": "Same address", "fields": ["Email", "LastName"], "action": action}]});
    let twin = json!({"LastName": "lee", "Email": "A@x.example"});
    let mut org = Org::of(rule("alert"));
    let first = org.create("Contact", &json!({"LastName": "Lee", "Email": "a@x.example"}));
    org.create("Contact", &json!({"LastName": "Ray", "Email": "a@x.example"}));
    refused(org.call("POST", "sobjects/Contact", Some(&twin)), 400, "DUPLICATES_DETECTED");
    let detailed = org
        .request("POST", "sobjects/Contact")
        .with_header("sforce-duplicate-rule-header", "allowSave=false; includeRecordDetails=true");
    let found = org.send(&detailed.with_json(&twin)).body_json();
    assert_eq!(found[0]["duplicateResult"]["matchResults"][0]["matchRecords"][0]["record"]["Id"], json!(first));
    org.patch(&format!("sobjects/Contact/{first}"), &json!({"Title": "x"}), 204);
    org.header("sforce-duplicate-rule-header", "allowSave=true");
    org.create("Contact", &twin);
    let mut org = Org::of(rule("block"));
    org.header("sforce-duplicate-rule-header", "allowSave=true");
    org.create("Contact", &twin);
    refused(org.call("POST", "sobjects/Contact", Some(&twin)), 400, "DUPLICATES_DETECTED");
}
