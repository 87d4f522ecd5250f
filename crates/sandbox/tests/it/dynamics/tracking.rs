//! Change tracking: a first load, deltas, tombstones, expiry.

use serde_json::{Value as Json, json};

use super::{Org, refused};

const TRACK: (&str, &str) = ("prefer", "odata.track-changes");

fn load(org: &mut Org, path: &str, prefer: &str) -> (Vec<Json>, String) {
    let mut path = path.to_owned();
    let mut rows = Vec::new();
    loop {
        let reply = org.ask("GET", &path, &[("prefer", prefer)], None);
        assert_eq!(reply.status, 200, "{path}: {}", reply.body_json());
        let body = reply.body_json();
        rows.extend(body["value"].as_array().unwrap().clone());
        match (body["@odata.nextLink"].as_str(), body["@odata.deltaLink"].as_str()) {
            (Some(next), None) => path = next.to_owned(),
            (None, Some(delta)) => return (rows, delta.to_owned()),
            other => panic!("one link of the two: {other:?}"),
        }
    }
}

fn names(rows: &[Json]) -> Vec<String> {
    rows.iter().map(|row| row["name"].as_str().or(row["reason"].as_str()).unwrap().to_owned()).collect()
}

#[test]
fn a_delta_tells_what_changed_and_what_went() {
    let mut org = Org::new();
    let ids: Vec<String> = ["A", "B", "C"].iter().map(|name| org.create("accounts", &json!({"name": name}))).collect();
    let (rows, delta) = load(&mut org, "accounts?$select=name", "odata.track-changes,odata.maxpagesize=2");
    assert_eq!(rows.len(), 3);
    assert!(
        delta.contains("accounts?$select=name&$deltatoken=") && delta.contains("%2111%2F20%2F2026%2009%3A00%3A00"),
        "{delta}"
    );
    let (rows, same) = load(&mut org, &delta, "odata.track-changes");
    assert!(rows.is_empty(), "{rows:?}");
    org.wait(60);
    org.delete(&format!("accounts({})", ids[0]));
    org.create("accounts", &json!({"name": "D"}));
    org.patch(&format!("accounts({})", ids[1]), &json!({"name": "B2"}));
    let brief = org.create("accounts", &json!({"name": "E"}));
    org.delete(&format!("accounts({brief})"));
    let count = org.ask("GET", &same.replace("accounts?", "accounts/$count?"), &[], None);
    assert_eq!(String::from_utf8(count.body).unwrap(), "\u{feff}4");
    for page in [1, 2, 5_000] {
        let (rows, _) = load(&mut org, &same, &format!("odata.track-changes,odata.maxpagesize={page}"));
        assert_eq!(names(&rows), ["D", "B2", "deleted", "deleted"], "pages of {page}");
        let tomb = rows.iter().find(|row| row["id"] == json!(ids[0])).unwrap();
        assert!(tomb["@odata.context"].as_str().unwrap().ends_with("$metadata#accounts/$deletedEntity"));
        assert!(rows[0].get("telephone1").is_none(), "only what was selected");
    }
    let body = org.get(&same);
    assert!(body["@odata.context"].as_str().unwrap().ends_with("#accounts(name)/$delta"));
}

#[test]
fn a_token_ends_and_some_tables_have_none() {
    let mut org = Org::new();
    org.create("accounts", &json!({"name": "A"}));
    let (_, delta) = load(&mut org, "accounts", "odata.track-changes");
    org.wait(7 * 86_400);
    org.get(&delta);
    org.wait(1);
    let sentence = refused(org.call("GET", &delta, None), 400, "0x80044352");
    assert_eq!(sentence, "Version stamp associated with the client has expired. Please perform a full sync.");
    let reply = org.ask("GET", "connectionroles", &[TRACK], None);
    refused((reply.status, reply.body_json()), 400, "0x80072491");
    for query in ["$filter=name eq 'A'", "$orderby=name", "$top=1", "$expand=primarycontactid"] {
        assert_eq!(org.ask("GET", &format!("accounts?{query}"), &[TRACK], None).status, 400, "{query}");
    }
    assert_eq!(org.call("GET", "accounts?$deltatoken=soon", None).0, 400);
    let mut off = Org::of(json!({"tracking": {"account": false}, "settings": {"tracking_days": 1}}));
    assert_eq!(off.ask("GET", "accounts", &[TRACK], None).status, 400);
    assert_eq!(
        off.call("PUT", "EntityDefinitions(LogicalName='account')", Some(&json!({"ChangeTrackingEnabled": true}))).0,
        204
    );
    assert_eq!(off.ask("GET", "accounts", &[TRACK], None).status, 200);
    assert_eq!(
        off.call("PUT", "EntityDefinitions(LogicalName='account')", Some(&json!({"ChangeTrackingEnabled": false}))).0,
        400
    );
}

#[test]
fn who_may_not_read_all_tracks_nothing() {
    let mut org = Org::with(json!({"reads_all": false}));
    org.create("accounts", &json!({"name": "A"}));
    assert_eq!(org.ask("GET", "accounts", &[TRACK], None).status, 403);
    assert_eq!(org.ask("GET", "accounts", &[], None).status, 200);
}

#[test]
fn a_first_load_may_miss_what_changes_meanwhile() {
    for (at_end, seen) in [(true, 0), (false, 1)] {
        let mut org = Org::with(json!({"delta_stamped_at_end": at_end}));
        for name in ["A", "B", "C"] {
            org.create("accounts", &json!({"name": name}));
        }
        let prefer = [("prefer", "odata.track-changes,odata.maxpagesize=2")];
        let first = org.ask("GET", "accounts?$select=name", &prefer, None).body_json();
        let id = first["value"][0]["accountid"].as_str().unwrap().to_owned();
        org.patch(&format!("accounts({id})"), &json!({"name": "changed"}));
        let last = org.ask("GET", first["@odata.nextLink"].as_str().unwrap(), &prefer, None).body_json();
        let delta = org.get(last["@odata.deltaLink"].as_str().unwrap());
        assert_eq!(delta["value"].as_array().unwrap().len(), seen, "stamped at the end: {at_end}");
    }
}

#[test]
fn what_comes_back_is_no_tombstone() {
    let mut org = Org::new();
    let id = org.create("accounts", &json!({"name": "A"}));
    let (_, delta) = load(&mut org, "accounts?$select=name", "odata.track-changes");
    org.delete(&format!("accounts({id})"));
    let again = org.ask("PATCH", &format!("accounts({id})"), &[], Some(&json!({"name": "again"})));
    assert_eq!(again.status, 204);
    let (rows, _) = load(&mut org, &delta, "odata.track-changes");
    assert_eq!(names(&rows), ["again"]);
}
