//! Service protection.

use serde_json::json;

use super::Org;

#[test]
fn requests_run_out_and_come_back() {
    let mut org = Org::with(json!({"requests": 3}));
    let first = org.ask("GET", "WhoAmI", &[], None);
    assert_eq!(first.header("x-ms-ratelimit-burst-remaining-xrm-requests"), Some("2"));
    assert_eq!(first.header("x-ms-ratelimit-time-remaining-xrm-requests"), Some("1,199.9"));
    assert_eq!(first.header("x-ms-dop-hint"), Some("4"));
    org.wait(100);
    org.get("WhoAmI");
    org.get("WhoAmI");
    let stop = org.ask("GET", "WhoAmI", &[], None);
    assert_eq!((stop.status, stop.header("retry-after")), (429, Some("200")));
    let body = stop.body_json();
    assert_eq!(body["error"]["code"], "0x80072322");
    assert_eq!(body["error"]["message"], "Number of requests exceeded the limit of 3 over time window of 300 seconds.");
    org.wait(200);
    org.get("WhoAmI");
}

#[test]
fn time_runs_out_too() {
    let mut org = Org::with(json!({"execution_ms": 100, "row_ms": 40, "throttle_body": false}));
    org.create("accounts", &json!({"name": "A"}));
    org.create("accounts", &json!({"name": "B"}));
    let stop = org.ask("POST", "accounts", &[], Some(&json!({"name": "C"})));
    assert_eq!((stop.status, stop.header("retry-after"), stop.body.len()), (429, Some("300"), 0));
    org.sandbox.platform_mut().set_limits(false);
    org.create("accounts", &json!({"name": "C"}));
}
