//! Pages, tokens, times (sheet: section 4).

use serde_json::{Value as Json, json};

use super::{Org, START, denied};

/// So many leads, a second after each hundred.
fn leads(org: &mut Org, count: usize) {
    for at in 0..count.div_ceil(100) {
        let size = (count - at * 100).min(100);
        let data: Vec<Json> = (0..size).map(|n| json!({"Last_Name": format!("L{:05}", at * 100 + n)})).collect();
        org.post("Leads", &json!({"data": data}), 201);
        org.wait(1);
    }
}

#[test]
fn fields_are_mandatory_and_limited() {
    let mut org = Org::new();
    org.empty("Leads?fields=id");
    assert_eq!(denied(org.call("GET", "Leads", None), 400, "REQUIRED_PARAM_MISSING"), json!({"param_name": "fields"}));
    let many = vec!["City"; 51].join(",");
    denied(org.call("GET", &format!("Leads?fields={many}"), None), 400, "LIMIT_EXCEEDED");
    for wrong in ["per_page=201", "per_page=0", "page=0", "sort_by=City", "sort_order=up", "cvid=1"] {
        denied(org.call("GET", &format!("Leads?fields=id&{wrong}"), None), 400, "INVALID_DATA");
    }
}

#[test]
fn pages_reach_two_thousand_records_and_tokens_the_rest() {
    let mut org = Org::with(&json!({"limits": false}));
    leads(&mut org, 2_050);
    let first = org.get("Leads?fields=Last_Name");
    assert_eq!(first["data"][0]["Last_Name"], "L02049", "newest first");
    assert_eq!(
        (&first["info"]["count"], &first["info"]["more_records"], &first["info"]["sort_by"]),
        (&json!(200), &json!(true), &json!("id"))
    );
    let path = "Leads?fields=Last_Name&sort_order=asc";
    let last = org.get(&format!("{path}&page=10"));
    denied(org.call("GET", &format!("{path}&page=11"), None), 400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED");
    let token = last["info"]["next_page_token"].as_str().unwrap().to_owned();
    assert_eq!(last["info"]["page_token_expiry"].as_str().map(str::len), Some(25));
    let rest = org.get(&format!("{path}&page_token={token}"));
    assert_eq!((&rest["data"][0]["Last_Name"], &rest["info"]["count"]), (&json!("L02000"), &json!(50)));
    assert_eq!((&rest["info"]["more_records"], &rest["info"]["next_page_token"]), (&json!(false), &Json::Null));
    denied(org.call("GET", &format!("{path}&page=1&page_token={token}"), None), 400, "AMBIGUITY_DURING_PROCESSING");
    denied(org.call("GET", &format!("{path}&per_page=100&page_token={token}"), None), 400, "TOKEN_BOUND_DATA_MISMATCH");
    denied(org.call("GET", &format!("{path}&page_token=abc"), None), 400, "INVALID_DATA");
    org.wait(86_400);
    denied(org.call("GET", &format!("{path}&page_token={token}"), None), 400, "EXPIRED_VALUE");
}

#[test]
fn what_changed_since_a_time_the_time_included() {
    let mut org = Org::new();
    leads(&mut org, 300);
    let path = "Leads?fields=Last_Name&sort_by=Modified_Time&sort_order=asc";
    org.header("if-modified-since", "2026-11-20T12:00:01+03:00");
    let found = org.texts("Last_Name", path);
    assert_eq!((found.len(), found[0].as_str()), (200, "L00100"));
    org.headers.clear();
    org.header("if-modified-since", "2026-11-20T12:00:03+03:00");
    let request = org.request("GET", path);
    let reply = org.send(&request);
    assert_eq!((reply.status, reply.body.len()), (304, 0));
    let mut kind = Org::with(&json!({"unchanged_status": 204}));
    kind.header("if-modified-since", "2026-11-20T12:00:03+03:00");
    kind.empty("Leads?fields=id");
    org.headers.clear();
    org.header("if-modified-since", "yesterday");
    denied(org.call("GET", path, None), 400, "INVALID_DATA");
    assert_eq!(org.now, START + 3);
}

#[test]
fn several_by_id() {
    let mut org = Org::new();
    let one = org.create("Leads", &json!({"Last_Name": "One"}));
    let two = org.create("Leads", &json!({"Last_Name": "Two"}));
    assert_eq!(org.texts("Last_Name", &format!("Leads?fields=Last_Name&ids={two},{one},7")), ["Two", "One"]);
    org.empty("Leads?fields=Last_Name&ids=7");
}

#[test]
fn rich_text_is_cut_in_lists() {
    let field = json!([{"api_name": "Story", "data_type": "textarea", "textarea": "rich_text"}]);
    let mut org = Org::of(json!({"fields": {"Leads": field}}));
    let id = org.create("Leads", &json!({"Last_Name": "x", "Story": "y".repeat(600)}));
    assert_eq!(org.texts("Story", "Leads?fields=Story")[0].len(), 500);
    let whole = org.get(&format!("Leads/{id}/actions/fetch_full_data?fields=Story"));
    assert_eq!(whole["data"][0]["Story"].as_str().unwrap().len(), 600);
}

#[test]
fn the_count_lags_behind() {
    let mut org = Org::new();
    leads(&mut org, 5);
    assert_eq!(org.get("Leads/actions/count"), json!({"count": 0}));
    org.wait(60);
    assert_eq!(org.get("Leads/actions/count"), json!({"count": 5}));
}
