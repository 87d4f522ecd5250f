//! Checklist 4: what search accepts, what it sees, and where it ends.

use serde_json::{Value as Json, json};

use super::{Client, ids, refused};

const SEARCH: &str = "/crm/v3/objects/contacts/search";

fn filter(property: &str, operator: &str, value: &str) -> Json {
    json!({"filterGroups": [{"filters": [{"propertyName": property, "operator": operator, "value": value}]}]})
}

fn people() -> Client {
    let contact = |id: u64, email: &str, properties: Json| {
        let mut entry = json!({"id": id.to_string(), "properties": properties,
            "createdAt": 1_700_000_000_000_u64 + id, "updatedAt": 1_700_000_000_000_u64 + id});
        entry["properties"]["email"] = email.into();
        entry
    };
    Client::over(json!({"platform": "hubspot", "objects": {"contacts": [
        contact(1, "ana@b.co", json!({"firstname": "Ana", "city": "Ulm", "hs_lead_status": "NEW", "numemployees": "1-5"})),
        contact(2, "bo@b.co", json!({"firstname": "Bo", "city": "Bad Ulm", "hs_buying_role": "CHAMPION;OTHER"})),
        contact(3, "cy@x.co", json!({"firstname": "Cy"})),
        {"id": "4", "properties": {"email": "gone@b.co"}, "archived": true},
    ]}}))
}

#[test]
fn operators() {
    let mut client = people();
    let cases: [(Json, &[&str]); 15] = [
        (filter("email", "EQ", "ANA@b.co"), &["1"]),
        (filter("email", "NEQ", "ana@b.co"), &["2", "3"]),
        (filter("city", "HAS_PROPERTY", ""), &["1", "2"]),
        (filter("city", "NOT_HAS_PROPERTY", ""), &["3"]),
        (filter("city", "CONTAINS_TOKEN", "ulm"), &["1", "2"]),
        (filter("city", "CONTAINS_TOKEN", "b*"), &["2"]),
        (filter("city", "NOT_CONTAINS_TOKEN", "bad"), &["1", "3"]),
        (filter("hs_object_id", "GT", "1"), &["2", "3"]),
        (filter("hs_object_id", "LTE", "2"), &["1", "2"]),
        (filter("lastmodifieddate", "GTE", "1700000000002"), &["2", "3"]),
        (filter("lastmodifieddate", "LT", "2023-11-14T22:13:20.002Z"), &["1"]),
        (filter("hs_buying_role", "EQ", "OTHER"), &["2"]),
        (
            json!({"filterGroups": [{"filters": [{"propertyName": "firstname", "operator": "IN", "values": ["ana", "cy"]}]}]}),
            &["1", "3"],
        ),
        (
            json!({"filterGroups": [{"filters": [{"propertyName": "firstname", "operator": "IN", "values": ["Ana"]}]}]}),
            &[],
        ),
        (
            json!({"filterGroups": [{"filters": [{"propertyName": "hs_object_id", "operator": "BETWEEN", "value": "2", "highValue": "3"}]}]}),
            &["2", "3"],
        ),
    ];
    for (body, wanted) in cases {
        let (status, found) = client.post(SEARCH, body.clone());
        assert_eq!(status, 200, "{body}: {found}");
        assert_eq!(ids(&found), wanted, "{body}");
        assert_eq!(found["total"], wanted.len());
    }
    let (_, text) = client.post(SEARCH, json!({"query": "ana"}));
    assert_eq!(ids(&text), ["1"]);
    let (_, all) = client.post(SEARCH, json!({}));
    assert_eq!(ids(&all), ["1", "2", "3"], "archived records never answer");
    let or = json!({"filterGroups": [{"filters": [{"propertyName": "city", "operator": "EQ", "value": "Ulm"}]},
        {"filters": [{"propertyName": "firstname", "operator": "EQ", "value": "Cy"}]}]});
    assert_eq!(ids(&client.post(SEARCH, or).1), ["1", "3"]);
}

#[test]
fn sorts_and_pages() {
    let mut client = people();
    let order = |client: &mut Client, sorts: Json| -> Vec<String> {
        let (status, body) = client.post(SEARCH, json!({"sorts": sorts}));
        assert_eq!(status, 200, "{body}");
        body["results"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(order(&mut client, json!([])), ["1", "2", "3"], "by creation without a rule");
    let down = json!([{"propertyName": "hs_object_id", "direction": "DESCENDING"}]);
    assert_eq!(order(&mut client, down.clone()), ["3", "2", "1"]);
    assert_eq!(order(&mut client, json!([{"propertyName": "city", "direction": "ASCENDING"}])), ["2", "1", "3"]);
    assert_eq!(order(&mut client, json!(["firstname"])), ["1", "2", "3"]);
    let two = json!({"sorts": [down[0], down[0]]});
    refused(client.post(SEARCH, two), 400, "VALIDATION_ERROR");
    let (_, page) = client.post(SEARCH, json!({"limit": 2, "properties": ["city"]}));
    assert_eq!((ids(&page).len(), &page["total"], &page["paging"]["next"]["after"]), (2, &json!(3), &json!("2")));
    let (_, rest) = client.post(SEARCH, json!({"limit": 2, "after": "2"}));
    assert_eq!((ids(&rest), rest.get("paging")), (vec!["3".to_owned()], None));
}

#[test]
fn what_is_too_much_is_refused() {
    let mut client = people();
    let one = json!({"propertyName": "city", "operator": "EQ", "value": "x"});
    let groups =
        |n: usize, filters: usize| json!({"filterGroups": vec![json!({"filters": vec![one.clone(); filters]}); n]});
    let cases = [
        groups(6, 1),
        groups(1, 7),
        groups(4, 5),
        json!({"limit": 201}),
        json!({"limit": 200, "after": "9900"}),
        json!({"after": "10000"}),
        json!({"query": "x".repeat(3_000)}),
        filter("no_such", "EQ", "1"),
        filter("city", "LIKE", "1"),
        filter("city", "EQ", ""),
        filter("lastmodifieddate", "GTE", "soon"),
        json!({"filterGroups": [{"filters": [{"propertyName": "city", "operator": "BETWEEN", "value": "1"}]}]}),
        json!({"filterGroups": [{"filters": [{"propertyName": "city", "operator": "IN", "value": "1"}]}]}),
        json!({"filterGroups": [{"filters": [{"value": "1"}]}]}),
    ];
    for body in cases {
        let reply = client.post(SEARCH, body.clone());
        assert_eq!(reply.0, 400, "{body}");
        refused(reply, 400, "VALIDATION_ERROR");
    }
    assert_eq!(client.post(SEARCH, groups(5, 3)).0, 200);
    assert_eq!(client.post(SEARCH, groups(3, 6)).0, 200);
    assert_eq!(client.post(SEARCH, json!({"limit": 200, "after": "9800"})).0, 200);
}

#[test]
fn a_portal_may_take_longer_searches() {
    let long = json!({"properties": vec!["city"; 1_000]});
    refused(people().post(SEARCH, long.clone()), 400, "VALIDATION_ERROR");
    let settings = json!({"search_body_characters": 10_000});
    let mut lenient = Client::over(json!({"platform": "hubspot", "settings": settings}));
    assert_eq!(lenient.post(SEARCH, long).0, 200);
}

#[test]
fn ten_thousand_is_the_end_and_keyset_paging_the_way_round() {
    let records: Vec<Json> = (1..=10_400)
        .map(|id: u64| json!({"id": id.to_string(), "properties": {"lastname": "L"}, "updatedAt": 1_700_000_000_000_u64}))
        .collect();
    let mut client = Client::over(json!({"platform": "hubspot", "objects": {"contacts": records}}));
    let mut last = 0;
    let mut seen = 0;
    loop {
        let body = json!({"limit": 200, "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "filterGroups": [{"filters": [
                {"propertyName": "lastmodifieddate", "operator": "GTE", "value": "1700000000000"},
                {"propertyName": "hs_object_id", "operator": "GT", "value": last.to_string()}]}]});
        let (status, page) = client.post(SEARCH, body);
        assert_eq!(status, 200);
        let found = page["results"].as_array().unwrap();
        let Some(end) = found.last() else { break };
        seen += found.len();
        last = end["id"].as_str().unwrap().parse::<u64>().unwrap();
    }
    assert_eq!((seen, last), (10_400, 10_400));
}

#[test]
fn search_lags_behind_the_records() {
    let mut client = Client::with(json!({"search_lag_ms": 10_000}));
    let id = client.create("contacts", json!({"email": "a@b.co", "city": "Ulm"}));
    let find = |client: &mut Client, city: &str| ids(&client.post(SEARCH, filter("city", "EQ", city)).1);
    assert!(find(&mut client, "Ulm").is_empty(), "a new record is not there yet");
    client.now += 10_000;
    assert_eq!(find(&mut client, "Ulm"), std::slice::from_ref(&id));
    client.patch(&format!("/crm/v3/objects/contacts/{id}"), json!({"properties": {"city": "Bonn"}}));
    assert_eq!(client.value("contacts", &id, "city"), "Bonn", "reading by id is current");
    assert_eq!((find(&mut client, "Ulm").len(), find(&mut client, "Bonn").len()), (1, 0));
    client.now += 10_000;
    assert_eq!((find(&mut client, "Ulm").len(), find(&mut client, "Bonn").len()), (0, 1));
    client.delete(&format!("/crm/v3/objects/contacts/{id}"));
    assert_eq!(find(&mut client, "Bonn").len(), 1);
    client.now += 10_000;
    assert!(find(&mut client, "Bonn").is_empty());
}

#[test]
fn search_has_its_own_bucket_and_no_rate_headers() {
    let mut client = people();
    client.step = 10;
    for _ in 0..5 {
        let request = client.request("POST", SEARCH).with_json(&json!({}));
        let reply = client.send(&request);
        assert_eq!(reply.status, 200);
        assert!(!reply.headers.iter().any(|(name, _)| name.contains("ratelimit")));
    }
    let reply = client.post(SEARCH, json!({}));
    assert_eq!(reply.1["policyName"], "SECONDLY");
    assert_eq!(refused(reply, 429, "RATE_LIMITS"), "You have reached your secondly limit.");
    assert_eq!(client.get("/crm/v3/objects/contacts").0, 200);
    client.now += 1_000;
    assert_eq!(client.post(SEARCH, json!({})).0, 200);
}
