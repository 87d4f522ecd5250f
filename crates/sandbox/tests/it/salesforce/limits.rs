//! The daily budget, locks, and faults as the platform words them.

use handover_sandbox::faults::{Fault, FaultPlan, LimitScope, Rule, When};
use serde_json::json;

use super::{Org, refused};

#[test]
fn the_budget_rolls_over_a_day() {
    let mut org = Org::of(json!({"settings": {"daily_requests": 3}}));
    let request = org.request("GET", "sobjects");
    assert_eq!(org.send(&request).header("sforce-limit-info"), Some("api-usage=1/3"));
    org.wait(12 * 3_600);
    for left in [1, 0] {
        assert_eq!(org.get("limits")["DailyApiRequests"], json!({"Max": 3, "Remaining": left}));
    }
    let told = refused(org.call("GET", "limits", None), 403, "REQUEST_LIMIT_EXCEEDED");
    assert_eq!(told, "TotalRequests Limit exceeded.");
    org.wait(12 * 3_600);
    org.get("limits");
    refused(org.call("GET", "limits", None), 403, "REQUEST_LIMIT_EXCEEDED");
    org.sandbox.platform_mut().set_limits(false);
    org.get("limits");
}

#[test]
fn locks_hold_rows_and_their_children() {
    let mut org = Org::of(json!({"settings": {"lock_every": 3}}));
    for n in 1..=6 {
        let (status, body) = org.call("POST", "sobjects/Account", Some(&json!({"Name": n.to_string()})));
        let locked = n % 3 == 0;
        assert_eq!(
            (status, body[0]["errorCode"] == "UNABLE_TO_LOCK_ROW"),
            (if locked { 400 } else { 201 }, locked),
            "{n}"
        );
    }
    let locked = json!({"settings": {"locked": ["001Hs00000000001AA3"]}, "records": {"Account": [{"Id": "001Hs0000000001", "Name": "x"}]}});
    let id = super::Org::of(locked.clone()).texts("Id", "SELECT Id FROM Account").remove(0);
    let mut locked = locked;
    locked["settings"]["locked"] = json!([id]);
    let mut org = Org::of(locked);
    let child = json!({"LastName": "x", "AccountId": id});
    let told = refused(org.call("POST", "sobjects/Contact", Some(&child)), 400, "UNABLE_TO_LOCK_ROW");
    assert_eq!(told, format!("unable to obtain exclusive access to this record or 1 records: {id}"));
    refused(org.call("DELETE", &format!("sobjects/Account/{id}"), None), 400, "UNABLE_TO_LOCK_ROW");
}

#[test]
fn faults_speak_as_the_platform_does() {
    let rule = |nth, fault| Rule { name: None, when: When { nth: Some(nth), ..When::default() }, fault };
    let mut org = Org::new();
    org.sandbox.set_faults(FaultPlan::new(
        1,
        vec![
            rule(1, Fault::Limited { scope: LimitScope::Burst, retry_after_s: None }),
            rule(2, Fault::Unavailable { status: 503 }),
            rule(3, Fault::Unavailable { status: 500 }),
            rule(4, Fault::ExpiredToken { until_refresh: None }),
        ],
    ));
    let told = refused(org.call("GET", "limits", None), 403, "REQUEST_LIMIT_EXCEEDED");
    assert!(told.starts_with("ConcurrentRequests"));
    let request = org.request("GET", "limits");
    let html = org.send(&request);
    assert_eq!((html.status, html.header("content-type")), (503, Some("text/html; charset=utf-8")));
    refused(org.call("GET", "limits", None), 500, "UNKNOWN_EXCEPTION");
    refused(org.call("GET", "limits", None), 401, "INVALID_SESSION_ID");
    let mut org = Org::of(json!({"settings": {"api": false}}));
    refused(org.call("GET", "limits", None), 403, "API_DISABLED_FOR_ORG");
}
