//! Many operations in one request: references, batches, graphs, trees.

use serde_json::{Value as Json, json};

use super::{Org, refused};

fn step(id: &str, method: &str, path: &str, body: Json) -> Json {
    json!({"method": method, "url": format!("/services/data/v66.0/{path}"), "referenceId": id, "body": body})
}

#[test]
fn a_later_request_uses_what_an_earlier_one_gave() {
    let mut org = Org::new();
    let steps = json!([
        step("acc", "POST", "sobjects/Account", json!({"Name": "Acme"})),
        step("con", "POST", "sobjects/Contact", json!({"LastName": "Lee", "AccountId": "@{acc.id}"})),
        {"method": "GET", "url": "/services/data/v66.0/query?q=SELECT+Id,Name+FROM+Account", "referenceId": "found"},
        step("up", "PATCH", "sobjects/Account/@{found.records[0].Id}", json!({"Site": "of @{found.records[0].Name}"})),
        step("lost", "POST", "sobjects/Contact", json!({"LastName": "x", "AccountId": "@{none.id}"})),
    ]);
    let reply = org.post("composite", &json!({"compositeRequest": steps}), 200);
    let list = reply["compositeResponse"].as_array().unwrap();
    let statuses: Vec<u64> = list.iter().map(|one| one["httpStatusCode"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [201, 201, 200, 204, 400]);
    assert!(list[0]["httpHeaders"]["Location"].as_str().unwrap().contains("/sobjects/Account/001"));
    assert_eq!(list[4]["body"][0]["errorCode"], "PROCESSING_HALTED");
    let rows = org.query("SELECT Account.Name, Account.Site FROM Contact");
    assert_eq!(rows[0]["Account"]["Site"], "of Acme");
}

#[test]
fn all_or_none_takes_everything_back() {
    let mut org = Org::new();
    let steps = json!([
        step("a", "POST", "sobjects/Account", json!({"Name": "Acme"})),
        step("b", "POST", "sobjects/Contact", json!({})),
        step("c", "POST", "sobjects/Account", json!({"Name": "x"}))
    ]);
    let before = org.sandbox.platform().world();
    let reply = org.post("composite", &json!({"allOrNone": true, "compositeRequest": steps}), 200);
    let codes: Vec<&str> = reply["compositeResponse"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["body"][0]["errorCode"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["PROCESSING_HALTED", "REQUIRED_FIELD_MISSING", "PROCESSING_HALTED"]);
    assert_eq!(org.sandbox.platform().world(), before);
    let graph = |id: &str, steps: &Json| json!({"graphId": id, "compositeRequest": steps});
    let good = json!([step("a", "POST", "sobjects/Account", json!({"Name": "Acme"}))]);
    let reply = org.post("composite/graph", &json!({"graphs": [graph("1", &steps), graph("2", &good)]}), 200);
    assert_eq!(
        (&reply["graphs"][0]["isSuccessful"], &reply["graphs"][1]["isSuccessful"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(org.query("SELECT Id FROM Account").len(), 1);
}

#[test]
fn composites_have_limits() {
    let mut org = Org::new();
    let many: Vec<Json> = (0..26).map(|n| step(&format!("r{n}"), "GET", "limits", Json::Null)).collect();
    refused(org.call("POST", "composite", Some(&json!({"compositeRequest": many}))), 400, "LIMIT_EXCEEDED");
    let heavy: Vec<Json> =
        (0..6).map(|n| step(&format!("r{n}"), "GET", "query?q=SELECT+Id+FROM+Account", Json::Null)).collect();
    refused(org.call("POST", "composite", Some(&json!({"compositeRequest": heavy}))), 400, "LIMIT_EXCEEDED");
    let twice = json!([step("a", "GET", "limits", Json::Null), step("a", "GET", "limits", Json::Null)]);
    refused(org.call("POST", "composite", Some(&json!({"compositeRequest": twice}))), 400, "INVALID_INPUT");
}

#[test]
fn a_batch_is_many_requests() {
    let mut org = Org::new();
    let id = org.create("Account", &json!({"Name": "Acme"}));
    let requests = json!([
        {"method": "PATCH", "url": format!("v66.0/sobjects/Account/{id}"), "richInput": {"Site": "x"}},
        {"method": "GET", "url": "v66.0/sobjects/Account/nothing"},
        {"method": "GET", "url": format!("v66.0/sobjects/Account/{id}?fields=Site")},
    ]);
    let reply = org.post("composite/batch", &json!({"batchRequests": requests}), 200);
    assert_eq!(
        (&reply["hasErrors"], &reply["results"][0]),
        (&json!(true), &json!({"statusCode": 204, "result": null}))
    );
    assert_eq!(
        (&reply["results"][1]["statusCode"], &reply["results"][2]["result"]["Site"]),
        (&json!(404), &json!("x"))
    );
    let halted = org.post("composite/batch", &json!({"haltOnError": true, "batchRequests": requests}), 200);
    assert_eq!(halted["results"][2]["statusCode"], 412);
    let used = org.get("limits")["DailyApiRequests"]["Remaining"].as_u64().unwrap();
    assert_eq!(used, 15_000 - 1 - 3 - 3 - 1, "each request of a batch counts");
}

#[test]
fn a_tree_is_planted_whole() {
    let mut org = Org::new();
    let tree = |last: Json| {
        json!({"records": [{"attributes": {"type": "Account", "referenceId": "r1"}, "Name": "Acme", "Contacts": {"records": [
            {"attributes": {"type": "Contact", "referenceId": "r2"}, "LastName": "Lee"},
            {"attributes": {"type": "Contact", "referenceId": "r3"}, "LastName": last}]}}]})
    };
    let bad = org.post("composite/tree/Account", &tree(Json::Null), 400);
    assert_eq!((&bad["hasErrors"], &bad["results"][0]["referenceId"]), (&json!(true), &json!("r3")));
    assert_eq!(bad["results"][0]["errors"][0]["statusCode"], "REQUIRED_FIELD_MISSING");
    assert_eq!(org.query("SELECT Id FROM Account").len(), 0);
    let good = org.post("composite/tree/Account", &tree(json!("Ray")), 201);
    assert_eq!(good["results"].as_array().unwrap().len(), 3);
    assert_eq!(org.query("SELECT Id FROM Contact WHERE Account.Name = 'Acme'").len(), 2);
}
