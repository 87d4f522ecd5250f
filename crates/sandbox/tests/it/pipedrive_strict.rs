//! What Pipedrive refuses, with the exact status and words (checklist of the sheet, section 13).

use serde_json::{Value, json};

use crate::pipedrive::Account;

fn with_fields() -> Account {
    Account::of(json!({
        "deal_fields": [
            {"field_code": "a".repeat(40), "field_name": "Ext key", "field_type": "varchar"},
            {"field_code": "b".repeat(40), "field_name": "Kinds", "field_type": "set",
             "options": [{"id": 51, "label": "A"}, {"id": 52, "label": "B"}]},
            {"field_code": "c".repeat(40), "field_name": "Kind", "field_type": "enum", "options": [{"id": 61, "label": "X"}]},
            {"field_code": "d".repeat(40), "field_name": "Size", "field_type": "double"},
            {"field_code": "e".repeat(40), "field_name": "Cost", "field_type": "monetary"},
            {"field_code": "f".repeat(40), "field_name": "Slot", "field_type": "timerange"},
            {"field_code": "1".repeat(40), "field_name": "Place", "field_type": "address"},
            {"field_code": "2".repeat(40), "field_name": "Who", "field_type": "people"},
            {"field_code": "3".repeat(40), "field_name": "Day", "field_type": "date"},
        ]
    }))
}

/// A v2 body that must be refused as a schema violation with these words.
fn check_schema(account: &mut Account, method: &str, path: &str, body: &Value, words: &str) {
    let reply = account.call(method, path, Some(body));
    let json = reply.body_json();
    assert_eq!(reply.status, 400, "{body}");
    assert_eq!(json["code"], "ERR_SCHEMA_VALIDATION_FAILED", "{body}");
    assert_eq!(json["success"], false);
    let error = json["error"].as_str().unwrap();
    assert_eq!(error, format!("Validation failed: {words}"), "{body}");
}

#[test]
fn deals_are_validated_key_by_key() {
    let mut account = with_fields();
    let hash = "a".repeat(40);
    let cases = [
        (json!({"value": 1}), "title: Required".to_owned()),
        (json!({"title": "T", "nonsense": 1}), "nonsense: Parameter 'nonsense' is not allowed for this request".into()),
        (json!({"title": "T", &hash: "x"}), format!("{hash}: Parameter '{hash}' is not allowed for this request")),
        (json!({"title": "T", "value": "1"}), "value: Expected number, received string".into()),
        (json!({"title": 5}), "title: Expected string, received number".into()),
        (json!({"title": "x".repeat(256)}), "title: String must contain at most 255 character(s)".into()),
        (json!({"title": "T", "owner_id": "1"}), "owner_id: Expected number, received string".into()),
        (json!({"title": "T", "owner_id": 99}), "owner_id: User 99 does not exist".into()),
        (json!({"title": "T", "owner_id": 3}), "owner_id: User 3 is not active".into()),
        (json!({"title": "T", "is_archived": 1}), "is_archived: Expected boolean, received number".into()),
        (json!({"title": "T", "currency": "XXX"}), "currency: Currency XXX is not enabled".into()),
        (json!({"title": "T", "person_id": 12}), "person_id: person 12 does not exist".into()),
        (json!({"title": "T", "stage_id": 77}), "stage_id: Stage 77 does not exist".into()),
        (json!({"title": "T", "visible_to": 2}), "visible_to: Invalid value 2, expected 1, 3, 5 or 7".into()),
        (json!({"title": "T", "visible_to": "3"}), "visible_to: Expected number, received string".into()),
        (json!({"title": "T", "label_ids": [99]}), "label_ids: Option 99 does not exist".into()),
        (
            json!({"title": "T", "add_time": "2020-01-01T00:00:00Z"}),
            "add_time: Parameter 'add_time' is not allowed for this request".into(),
        ),
        (
            json!({"title": "T", "won_time": "2020-01-01T00:00:00Z"}),
            "won_time: can only be set when status is 'won'".into(),
        ),
        (
            json!({"title": "T", "status": "won", "won_time": "2020-01-01T00:00:00.5Z"}),
            "won_time: not a valid datetime".into(),
        ),
        (
            json!({"title": "T", "status": "lost", "won_time": "2020-01-01T00:00:00Z"}),
            "won_time: can only be set when status is 'won'".into(),
        ),
        (json!({"title": "T", "lost_reason": "price"}), "lost_reason: can only be set when status is 'lost'".into()),
        (
            json!({"title": "T", "expected_close_date": "2020-01-01T00:00:00Z"}),
            "expected_close_date: not a valid date".into(),
        ),
        (
            json!({"title": "T", "archive_time": "2020-01-01 00:00:00"}),
            "archive_time: can only be set when is_archived is true".into(),
        ),
    ];
    for (body, words) in cases {
        check_schema(&mut account, "POST", "/api/v2/deals", &body, &words);
    }
    assert_eq!(account.get("/api/v2/deals")["data"], json!([]));
}

#[test]
fn custom_values_have_their_shapes() {
    let mut account = with_fields();
    let code = |c: &str| c.repeat(40);
    let cases = [
        ("b", json!([]), "Array must contain at least 1 element(s)"),
        ("b", json!([99]), "Option 99 does not exist"),
        ("b", json!("51"), "Expected array, received string"),
        ("c", json!(62), "Option 62 does not exist"),
        ("c", json!("61"), "Expected number, received string"),
        ("d", json!("1.5"), "Expected number, received string"),
        ("e", json!(5), "Expected object, received number"),
        ("e", json!({"value": 5, "currency": "XXX"}), "currency: Currency XXX is not enabled"),
        ("f", json!({"value": "09:00"}), "until: Required"),
        ("1", json!({"value": "Street 1", "city": "B"}), "Parameter 'city' is not allowed for this request"),
        ("2", json!(4), "Person 4 does not exist"),
        ("3", json!("02.03.2026"), "not a valid date"),
        ("a", json!("x".repeat(256)), "String must contain at most 255 character(s)"),
    ];
    for (field, value, words) in cases {
        let body = json!({"title": "T", "custom_fields": {code(field): value}});
        check_schema(&mut account, "POST", "/api/v2/deals", &body, &format!("{}: {words}", code(field)));
    }
    let unknown = json!({"title": "T", "custom_fields": {"9".repeat(40): 1}});
    let words = format!("{0}: Parameter '{0}' is not allowed for this request", "9".repeat(40));
    check_schema(&mut account, "POST", "/api/v2/deals", &unknown, &words);

    let whole = json!({
        code("a"): "key", code("b"): [52, 51], code("c"): 61, code("d"): 1.5, code("e"): {"value": 5, "currency": "EUR"},
        code("f"): {"value": "09:00:00", "until": "10:00:00", "timezone_name": null}, code("3"): "2026-03-02",
    });
    let deal = account.post("/api/v2/deals", &json!({"title": "T", "custom_fields": whole}));
    assert_eq!(deal["custom_fields"], whole);
    // null clears; what is omitted stays; an address sent in part loses its other parts.
    let path = format!("/api/v2/deals/{}", deal["id"]);
    let patch = json!({"custom_fields": {code("b"): null, code("1"): {"value": "Street 1", "locality": "Berlin"}}});
    let deal = account.send("PATCH", &path, &patch, 200);
    assert_eq!(deal["custom_fields"][code("b")], Value::Null);
    assert_eq!(deal["custom_fields"][code("a")], "key");
    let deal = account.send("PATCH", &path, &json!({"custom_fields": {code("1"): {"value": "Street 2"}}}), 200);
    assert_eq!(deal["custom_fields"][code("1")]["locality"], Value::Null);
}

#[test]
fn a_deleted_field_makes_the_write_fail() {
    let mut account = with_fields();
    let code = "a".repeat(40);
    account.post("/api/v2/deals", &json!({"title": "T", "custom_fields": {&code: "x"}}));
    account.send("DELETE", &format!("/api/v2/dealFields/{code}"), &json!({}), 200);
    let words = format!("{code}: Parameter '{code}' is not allowed for this request");
    check_schema(&mut account, "POST", "/api/v2/deals", &json!({"title": "T", "custom_fields": {&code: "x"}}), &words);
    assert_eq!(account.get("/api/v2/deals/1")["data"]["custom_fields"], json!({}));
}

#[test]
fn persons_organizations_and_activities_are_validated() {
    let mut account = Account::empty();
    let check = |account: &mut Account, path: &str, body: Value, words: &str| {
        check_schema(account, "POST", path, &body, words);
    };
    check(&mut account, "/api/v2/persons", json!({}), "name: Required");
    check(
        &mut account,
        "/api/v2/persons",
        json!({"name": "A", "first_name": "A"}),
        "first_name: Parameter 'first_name' is not allowed for this request",
    );
    check(
        &mut account,
        "/api/v2/persons",
        json!({"name": "A", "emails": ["a@b.c"]}),
        "emails: 0: Expected object, received string",
    );
    check(
        &mut account,
        "/api/v2/persons",
        json!({"name": "A", "emails": [{"label": "work"}]}),
        "emails: 0.value: Required",
    );
    check(
        &mut account,
        "/api/v2/persons",
        json!({"name": "A", "phones": [{"value": 49}]}),
        "phones: 0.value: Expected string, received number",
    );
    check(
        &mut account,
        "/api/v2/organizations",
        json!({"name": "A", "employee_count": "5"}),
        "employee_count: Expected integer, received string",
    );
    check(
        &mut account,
        "/api/v2/organizations",
        json!({"name": "A", "address": "Street 1"}),
        "address: Expected object, received string",
    );
    check(&mut account, "/api/v2/activities", json!({"type": "fax"}), "type: Activity type 'fax' does not exist");
    check(
        &mut account,
        "/api/v2/activities",
        json!({"type": "call", "person_id": 1}),
        "person_id: Parameter 'person_id' is not allowed for this request",
    );
    check(&mut account, "/api/v2/activities", json!({"type": "call", "due_time": "3pm"}), "due_time: not a valid time");
    check(
        &mut account,
        "/api/v2/activities",
        json!({"type": "call", "marked_as_done_time": "2020-01-01T00:00:00Z"}),
        "marked_as_done_time: Parameter 'marked_as_done_time' is not allowed for this request",
    );
    check(
        &mut account,
        "/api/v2/activities",
        json!({"type": "call", "project_id": 3}),
        "project_id: project 3 does not exist",
    );

    let words = account.refused("POST", "/api/v2/persons", Some(&json!({"name": "A", "job_title": "CEO"})), 403);
    assert_eq!(words, "Contact sync is not enabled for this company, 'job_title' cannot be set");
    let mut synced = Account::of(json!({"settings": {"contact_sync": true}}));
    assert_eq!(synced.post("/api/v2/persons", &json!({"name": "A", "job_title": "CEO"}))["job_title"], "CEO");
}

/// The person fields in question that an account with these settings lists, v1 and v2 alike.
fn offered(settings: &Value) -> Vec<String> {
    let mut account = Account::of(json!({"settings": settings}));
    let asked = ["marketing_status", "notes", "im", "birthday", "job_title", "postal_address"];
    let listed = |list: &Value, key: &str| -> Vec<String> {
        let names = list["data"].as_array().unwrap().iter().map(|field| field[key].as_str().unwrap());
        names.filter(|name| asked.contains(name)).map(str::to_owned).collect()
    };
    let list = listed(&account.get("/api/v2/personFields?limit=500"), "field_code");
    assert_eq!(listed(&account.get("/v1/personFields?limit=500"), "key"), list);
    for name in asked {
        let status = if list.iter().any(|have| have == name) { 200 } else { 404 };
        assert_eq!(account.call("GET", &format!("/api/v2/personFields/{name}"), None).status, status, "{name}");
    }
    list
}

#[test]
fn fields_of_contact_sync_and_campaigns_come_with_them() {
    assert!(offered(&json!({})).is_empty());
    let synced = ["notes", "im", "birthday", "job_title", "postal_address"];
    assert_eq!(offered(&json!({"contact_sync": true})), synced);
    assert_eq!(offered(&json!({"campaigns": true})), ["marketing_status"]);

    let mut plain = Account::empty();
    let words = plain.refused("GET", "/api/v2/persons?include_fields=marketing_status", None, 400);
    assert_eq!(words, "Validation failed: include_fields: Invalid enum value, received 'marketing_status'");
    let body = json!({"name": "A", "marketing_status": "subscribed"});
    plain.refused("POST", "/api/v2/persons", Some(&body), 400);

    let mut marketing = Account::of(json!({"settings": {"campaigns": true}}));
    assert_eq!(marketing.post("/api/v2/persons", &body)["marketing_status"], "subscribed");
    assert!(marketing.get("/api/v2/persons")["data"][0].get("marketing_status").is_none());
    let asked = marketing.get("/api/v2/persons?include_fields=marketing_status");
    assert_eq!(asked["data"][0]["marketing_status"], "subscribed");
    let field = marketing.get("/api/v2/personFields/marketing_status");
    assert_eq!(field["data"]["is_optional_response_field"], true);
}

#[test]
fn an_address_needs_no_full_line() {
    let mut account = Account::empty();
    let made = account.post("/api/v2/organizations", &json!({"name": "A", "address": {"locality": "Kiel"}}));
    assert_eq!((&made["address"]["locality"], &made["address"]["value"]), (&json!("Kiel"), &Value::Null));
    let words =
        account.refused("POST", "/api/v2/organizations", Some(&json!({"name": "A", "address": {"city": "K"}})), 400);
    assert_eq!(words, "Validation failed: address: Parameter 'city' is not allowed for this request");
}

#[test]
fn lists_refuse_what_they_do_not_know() {
    let mut account = Account::empty();
    let cases = [
        ("/api/v2/deals?limit=501", "limit: Number must be between 1 and 500"),
        ("/api/v2/deals?limit=x", "limit: Expected number, received string"),
        ("/api/v2/deals?start=0", "start: Parameter 'start' is not allowed for this request"),
        ("/api/v2/deals?updated_since=2026-01-01T00:00:00.123Z", "updated_since: not a valid datetime"),
        ("/api/v2/deals?updated_since=2026-01-01", "updated_since: not a valid datetime"),
        ("/api/v2/deals?cursor=abc", "cursor: Invalid cursor"),
        (
            "/api/v2/products?updated_until=2026-01-01T00:00:00Z",
            "updated_until: Parameter 'updated_until' is not allowed for this request",
        ),
        (
            "/api/v2/persons?include_fields=participants_count",
            "include_fields: Invalid enum value, received 'participants_count'",
        ),
    ];
    for (path, words) in cases {
        assert_eq!(account.refused("GET", path, None, 400), format!("Validation failed: {words}"), "{path}");
    }
    let ids: Vec<String> = (1..=101).map(|id| id.to_string()).collect();
    let words = account.refused("GET", &format!("/api/v2/deals?ids={}", ids.join(",")), None, 400);
    assert_eq!(words, "Validation failed: ids: Array must contain at most 100 element(s)");
    let codes = vec!["x"; 16].join(",");
    let words = account.refused("GET", &format!("/api/v2/deals?custom_fields={codes}"), None, 400);
    assert_eq!(words, "Validation failed: custom_fields: Array must contain at most 15 element(s)");
}

#[test]
fn paths_tokens_and_methods() {
    let mut account = Account::empty();
    let reply = account.call("GET", "/api/v2/users/me", None);
    assert_eq!((reply.status, reply.header("content-type").unwrap()), (404, "text/html; charset=utf-8"));
    assert!(reply.body.starts_with(b"<!DOCTYPE html>"));
    assert_eq!(account.call("GET", "/v1/nowhere", None).status, 404);
    assert_eq!(account.call("GET", "/v1/deals", None).status, 410);
    assert_eq!(account.call("PUT", "/api/v2/deals/1", None).status, 405);
    assert_eq!(
        account.call("GET", "/v1/users/me", None).body_json(),
        account.call("GET", "/api/v1/users/me", None).body_json()
    );

    account.token = "wrong".to_owned();
    let reply = account.call("GET", "/api/v2/deals", None);
    assert_eq!(reply.status, 401);
    assert_eq!(reply.header("x-401-by-gw"), Some("true"));
    let words = json!({"success": false, "error": "unauthorized access", "errorCode": 401,
        "error_info": "Please check developers.pipedrive.com"});
    assert_eq!(reply.body_json(), words);

    let mut closed = Account::of(json!({"account": {"open": false}}));
    assert_eq!(closed.call("GET", "/api/v2/deals", None).status, 402);
    assert_eq!(closed.call("GET", "/v1/users/me", None).status, 402);
}

#[test]
fn caps_of_the_plan() {
    let mut account =
        Account::of(json!({"settings": {"open_deals_limit": 1, "custom_fields_limit": 1, "options_limit": 2}}));
    account.post("/api/v2/deals", &json!({"title": "T"}));
    let reply = account.call("POST", "/api/v2/deals", Some(&json!({"title": "U"})));
    assert_eq!(reply.status, 403);
    assert_eq!(reply.body_json()["code"], "feature_capping_deals_limit");
    assert_eq!(reply.body_json()["error"], "Couldn't add the deal. Open deals limit reached.");
    let many =
        json!({"field_name": "F", "field_type": "enum", "options": [{"label": "A"}, {"label": "B"}, {"label": "C"}]});
    assert_eq!(account.call("POST", "/api/v2/dealFields", Some(&many)).status, 403);
    account.post("/api/v2/dealFields", &json!({"field_name": "F", "field_type": "varchar"}));
    let reply = account.call("POST", "/api/v2/dealFields", Some(&json!({"field_name": "G", "field_type": "varchar"})));
    assert_eq!((reply.status, reply.body_json()["code"].clone()), (403, json!("feature_capping_custom_fields_limit")));
}

#[test]
fn bodies_must_be_json_objects() {
    let mut account = Account::empty();
    let mut request = account.request("POST", "/api/v2/persons", None);
    request.body = b"{\"name\": ".to_vec();
    assert_eq!(account.sandbox.handle(&request, account.now).reply().unwrap().status, 400);
    let mut request = account
        .request("POST", "/api/v2/persons", None)
        .with_header("content-type", "application/x-www-form-urlencoded");
    request.body = b"name=A".to_vec();
    assert_eq!(account.sandbox.handle(&request, account.now).reply().unwrap().status, 400);
}
