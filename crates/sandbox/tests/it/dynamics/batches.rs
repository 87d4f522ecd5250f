//! `$batch`, change sets, and the actions on many rows.

use handover_sandbox::{Reply, Request};
use serde_json::{Value as Json, json};

use super::{NOWHERE, Org, refused};

/// One request of a batch as text.
fn inner(method: &str, path: &str, body: Option<&Json>) -> String {
    let body = body.map(ToString::to_string).unwrap_or_default();
    format!("{method} /api/data/v9.2/{path} HTTP/1.1\r\nContent-Type: application/json; type=entry\r\n\r\n{body}\r\n")
}

fn part(boundary: &str, inner: &str, id: Option<usize>) -> String {
    let id = id.map(|id| format!("Content-ID: {id}\r\n")).unwrap_or_default();
    format!("--{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n{id}\r\n{inner}")
}

fn change_set(requests: &[String]) -> String {
    let parts: String = requests.iter().enumerate().map(|(at, one)| part("changeset_1", one, Some(at + 1))).collect();
    format!("--batch_1\r\nContent-Type: multipart/mixed; boundary=\"changeset_1\"\r\n\r\n{parts}--changeset_1--\r\n")
}

fn batch(org: &mut Org, parts: &[String], headers: &[(&str, &str)]) -> (Reply, String) {
    let mut request =
        org.request("POST", "$batch").with_header("content-type", "multipart/mixed; boundary=\"batch_1\"");
    for (name, value) in headers {
        request = request.with_header(name, *value);
    }
    request.body = format!("{}--batch_1--\r\n", parts.concat()).into_bytes();
    let reply = org.send(&request);
    let text = String::from_utf8(reply.body.clone()).unwrap();
    (reply, text)
}

fn one(inner: &str) -> String {
    part("batch_1", inner, None)
}

/// The statuses within a reply.
fn statuses(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.strip_prefix("HTTP/1.1 ")).map(|line| &line[..3]).collect()
}

#[test]
fn a_change_set_is_one_transaction() {
    let mut org = Org::new();
    let parts = [
        change_set(&[
            inner("POST", "accounts", Some(&json!({"name": "A"}))),
            inner("POST", "contacts", Some(&json!({"lastname": "B", "parentcustomerid_account@odata.bind": "$1"}))),
            inner("PATCH", "$1", Some(&json!({"telephone1": "2"}))).replace("/api/data/v9.2/", ""),
        ]),
        one(&inner("GET", "contacts?$select=lastname&$expand=parentcustomerid_account($select=name,telephone1)", None)),
    ];
    let (reply, text) = batch(&mut org, &parts, &[]);
    assert_eq!((reply.status, statuses(&text)), (200, vec!["204", "204", "204", "200"]), "{text}");
    assert!(reply.header("content-type").unwrap().starts_with("multipart/mixed; boundary=batchresponse_"));
    assert!(
        text.contains("Content-ID: 2\r\n")
            && text.contains("OData-EntityId: http://127.0.0.1:8080/api/data/v9.2/accounts(")
    );
    assert!(text.contains("\"telephone1\":\"2\"") && text.contains("boundary=changesetresponse_"), "{text}");
    let bad = [change_set(&[
        inner("POST", "accounts", Some(&json!({"name": "C"}))),
        inner("POST", "accounts", Some(&json!({"colour": 1}))),
    ])];
    let (reply, text) = batch(&mut org, &bad, &[]);
    assert_eq!((reply.status, statuses(&text)), (400, vec!["400"]), "{text}");
    assert_eq!(org.texts("name", "accounts"), ["A"]);
    for (method, path) in [("GET", "accounts"), ("POST", "EntityDefinitions")] {
        let (_, text) = batch(&mut org, &[change_set(&[inner(method, path, Some(&json!({})))])], &[]);
        assert_eq!(statuses(&text), ["400"], "{method} {path}");
    }
}

#[test]
fn a_batch_stops_or_goes_on() {
    let parts = [
        one(&inner("POST", "accounts", Some(&json!({"name": "A"})))),
        one(&inner("DELETE", &format!("accounts({NOWHERE})"), None)),
        one(&inner("POST", "accounts", Some(&json!({"name": "B"})))),
    ];
    let mut org = Org::new();
    let (reply, text) = batch(&mut org, &parts, &[]);
    assert_eq!((reply.status, statuses(&text)), (404, vec!["204", "404"]));
    assert_eq!(org.texts("name", "accounts"), ["A"], "what came before stays");
    let (reply, text) = batch(&mut org, &parts, &[("prefer", "odata.continue-on-error")]);
    assert_eq!((reply.status, statuses(&text)), (200, vec!["204", "404", "204"]));
}

#[test]
fn a_batch_has_bounds() {
    let mut org = Org::with(json!({"requests": 1_500}));
    let many: Vec<String> = (0..1_001).map(|_| one(&inner("GET", "WhoAmI", None))).collect();
    let (reply, _) = batch(&mut org, &many, &[]);
    refused((reply.status, reply.body_json()), 400, "0x8005f100");
    let (reply, _) = batch(&mut org, &many[..1_000], &[]);
    assert_eq!(reply.status, 429, "each request counts");
    org.wait(300);
    let (reply, text) = batch(&mut org, &many[..1_000], &[]);
    assert_eq!((reply.status, statuses(&text).len()), (200, 1_000));
    let odd = Request { body: b"--other".to_vec(), ..org.request("POST", "$batch") };
    assert_eq!(org.send(&odd.with_header("content-type", "multipart/mixed; boundary=batch_1")).status, 400);
}

fn targets(table: &str, rows: &[Json]) -> Json {
    let typed = rows.iter().map(|row| {
        let mut row = row.clone();
        row["@odata.type"] = json!(format!("Microsoft.Dynamics.CRM.{table}"));
        row
    });
    json!({"Targets": typed.collect::<Vec<_>>()})
}

#[test]
fn many_rows_are_written_or_none() {
    let mut org = Org::keyed();
    let create = "accounts/Microsoft.Dynamics.CRM.CreateMultiple";
    let made = org.post(
        create,
        &targets("account", &[json!({"name": "A"}), json!({"name": "B", "new_sourceid": "B-1"})]),
        200,
    );
    let ids: Vec<&str> = made["Ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!(org.get(&format!("accounts({})", ids[1]))["name"], "B", "in their order");
    refused(
        org.call("POST", create, Some(&targets("account", &[json!({"name": "C"}), json!({"name": 1})]))),
        400,
        "0x80048d19",
    );
    assert_eq!(org.call("POST", create, Some(&json!({"Targets": [{"name": "C"}]}))).0, 400, "without its type");
    assert_eq!(org.call("POST", create, Some(&json!({"Targets": []}))).0, 400);
    assert_eq!(org.rows("accounts").len(), 2);
    let update = "accounts/Microsoft.Dynamics.CRM.UpdateMultiple";
    let rows = [json!({"accountid": ids[0], "telephone1": "1"}), json!({"accountid": ids[1], "telephone1": "2"})];
    assert_eq!(org.call("POST", update, Some(&targets("account", &rows))).0, 204);
    let rows = [json!({"accountid": ids[0], "telephone1": "9"}), json!({"accountid": NOWHERE, "telephone1": "9"})];
    refused(org.call("POST", update, Some(&targets("account", &rows))), 404, "0x80040217");
    assert!(org.rows("accounts?$filter=telephone1 eq '9'").is_empty());
    let upsert = "accounts/Microsoft.Dynamics.CRM.UpsertMultiple";
    let rows = [
        json!({"@odata.id": "accounts(new_sourceid='B-1')", "name": "B2"}),
        json!({"@odata.id": "accounts(new_sourceid='D-1')", "name": "D"}),
    ];
    assert_eq!(org.call("POST", upsert, Some(&targets("account", &rows))).0, 204);
    assert_eq!(org.texts("name", "accounts?$orderby=name"), ["A", "B2", "D"]);
    assert_eq!(
        org.call("POST", "systemusers/Microsoft.Dynamics.CRM.CreateMultiple", Some(&targets("systemuser", &rows))).0,
        404
    );
    assert_eq!(
        org.call("POST", "accounts/Microsoft.Dynamics.CRM.DeleteMultiple", Some(&targets("account", &rows))).0,
        404
    );
    let mut told = Org::with(json!({"upsert_multiple_results": true}));
    let rows = [json!({"accountid": NOWHERE, "name": "A"})];
    for created in [true, false] {
        let body = told.post(upsert, &targets("account", &rows), 200);
        assert_eq!(body["Results"][0]["RecordCreated"], json!(created));
    }
}
