//! Life of records: defaults, status, activities, notes, files, leads, products, merges, deletion.

use handover_sandbox::journal::Action;
use serde_json::{Value, json};

use crate::pipedrive::Account;

#[test]
fn a_new_deal_is_complete() {
    let mut account = Account::empty();
    let deal = account.post("/api/v2/deals", &json!({"title": "First"}));
    assert_eq!(deal["id"], 1);
    assert_eq!(deal["owner_id"], 1);
    assert_eq!(deal["creator_user_id"], 1);
    assert_eq!((&deal["value"], &deal["currency"]), (&json!(0), &json!("EUR")));
    assert_eq!((&deal["stage_id"], &deal["pipeline_id"]), (&json!(1), &json!(1)));
    assert_eq!(
        (&deal["status"], &deal["is_deleted"], &deal["is_archived"]),
        (&json!("open"), &json!(false), &json!(false))
    );
    assert_eq!(deal["add_time"], "2026-03-02T10:00:00Z");
    assert_eq!(deal["label_ids"], json!([]));
    assert_eq!(deal["person_id"], Value::Null);
}

#[test]
fn duplicates_are_accepted() {
    let mut account = Account::empty();
    let person = json!({"name": "Ann Lee", "emails": [{"value": "ann@example.com"}]});
    let first = account.post("/api/v2/persons", &person);
    let second = account.post("/api/v2/persons", &person);
    assert_ne!(first["id"], second["id"]);
    assert_eq!(first["emails"], json!([{"value": "ann@example.com", "primary": true, "label": "work"}]));
    assert_eq!((&first["first_name"], &first["last_name"]), (&json!("Ann"), &json!("Lee")));
    let twice = account.sandbox.journal().created_by("person", "emails");
    assert_eq!(twice.values().next().unwrap(), &["1", "2"]);
}

#[test]
fn add_time_is_settable_where_the_sheet_says() {
    let mut account = Account::empty();
    let person = account.post("/api/v2/persons", &json!({"name": "A", "add_time": "2019-05-01T08:00:00Z"}));
    assert_eq!(person["add_time"], "2019-05-01T08:00:00Z");
    assert_eq!(person["update_time"], "2026-03-02T10:00:00Z");
    account.refused("PATCH", "/api/v2/persons/1", Some(&json!({"add_time": "2019-05-01T08:00:00Z"})), 400);
    let body = json!({"content": "<p>Hi</p>", "person_id": 1, "add_time": "2018-01-02 03:04:05"});
    let note = account.post("/v1/notes", &body);
    assert_eq!(note["add_time"], "2018-01-02 03:04:05");
}

#[test]
fn status_carries_its_times() {
    let mut account = Account::empty();
    let won = json!({"title": "W", "status": "won", "won_time": "2025-12-31T23:30:00Z"});
    let deal = account.post("/api/v2/deals", &won);
    assert_eq!(deal["won_time"], "2025-12-31T23:30:00Z");
    assert_eq!(deal["close_time"], "2025-12-31T23:30:00Z");
    // The account's zone is Berlin: the local date is the next year's.
    assert_eq!(deal["local_won_date"], "2026-01-01");
    let deal = account.send("PATCH", "/api/v2/deals/1", &json!({"status": "open"}), 200);
    assert_eq!((&deal["won_time"], &deal["close_time"]), (&Value::Null, &Value::Null));
    let lost = json!({"status": "lost", "lost_reason": "price"});
    let deal = account.send("PATCH", "/api/v2/deals/1", &lost, 200);
    assert_eq!((&deal["lost_time"], &deal["lost_reason"]), (&json!("2026-03-02T10:00:00Z"), &json!("price")));
    let archived = json!({"is_archived": true, "archive_time": "2024-01-01 00:00:00"});
    let deal = account.send("PATCH", "/api/v2/deals/1", &archived, 200);
    assert_eq!(deal["archive_time"], "2024-01-01T00:00:00Z");
    assert_eq!(account.get("/api/v2/deals")["data"], json!([]));
    assert_eq!(account.get("/api/v2/deals/archived")["data"].as_array().unwrap().len(), 1);
}

#[test]
fn a_stage_belongs_to_one_pipeline() {
    let mut account = Account::empty();
    let pipeline = account.post("/api/v2/pipelines", &json!({"name": "Second"}));
    let stage = account.post("/api/v2/stages", &json!({"name": "S", "pipeline_id": pipeline["id"]}));
    let deal = account.post("/api/v2/deals", &json!({"title": "T", "stage_id": stage["id"]}));
    assert_eq!(deal["pipeline_id"], pipeline["id"]);
    let wrong = json!({"stage_id": 1, "pipeline_id": pipeline["id"]});
    account.refused("PATCH", "/api/v2/deals/1", Some(&wrong), 400);
    account.wait(5);
    let deal = account.send("PATCH", "/api/v2/deals/1", &json!({"pipeline_id": 1}), 200);
    assert_eq!((&deal["stage_id"], &deal["stage_change_time"]), (&json!(1), &json!("2026-03-02T10:00:05Z")));
}

#[test]
fn the_person_of_an_activity_is_a_participant() {
    let mut account = Account::empty();
    account.post("/api/v2/persons", &json!({"name": "A"}));
    account.post("/api/v2/persons", &json!({"name": "B"}));
    let body = json!({"type": "call", "participants": [{"person_id": 2, "primary": true}, {"person_id": 1}], "due_time": "15:00"});
    let activity = account.post("/api/v2/activities", &body);
    assert_eq!(
        (&activity["person_id"], &activity["subject"], &activity["due_time"]),
        (&json!(2), &json!("Call"), &json!("15:00:00"))
    );
    assert_eq!(account.get("/api/v2/activities?person_id=1")["data"].as_array().unwrap().len(), 1);
    let done = account.send("PATCH", "/api/v2/activities/1", &json!({"done": true}), 200);
    assert_eq!(done["marked_as_done_time"], "2026-03-02T10:00:00Z");
    let moved = account.send("PATCH", "/api/v2/activities/1", &json!({"participants": [{"person_id": 1}]}), 200);
    assert_eq!(moved["person_id"], 1);
    assert_eq!(account.get("/api/v2/activities?person_id=2")["data"], json!([]));
}

#[test]
fn notes_need_a_parent_and_are_sanitised() {
    let mut account = Account::empty();
    account.post("/api/v2/deals", &json!({"title": "T"}));
    let words = account.refused("POST", "/v1/notes", Some(&json!({"content": "x"})), 400);
    assert!(words.starts_with("One of the following fields is required: deal_id"), "{words}");
    account.refused("POST", "/v1/notes", Some(&json!({"deal_id": 1})), 400);
    account.refused("POST", "/v1/notes", Some(&json!({"content": "x".repeat(102_401), "deal_id": 1})), 400);
    account.refused("POST", "/v1/notes", Some(&json!({"content": "x", "deal_id": 9})), 400);
    let dirty = "<p onclick=\"x()\">A<!-- key 17 --></p><script>alert(1)</script><b>B</b> 1 < 2";
    let note = account.post("/v1/notes", &json!({"content": dirty, "deal_id": "1", "pinned_to_deal_flag": 1}));
    assert_eq!(note["content"], "<p>A</p><b>B</b> 1 < 2");
    assert_eq!((&note["pinned_to_deal_flag"], &note["deal"]["title"]), (&json!(true), &json!("T")));
    account.refused("PUT", "/v1/notes/1", Some(&json!({"deal_id": null})), 400);
    account.token = "seller-token".to_owned();
    account.refused("POST", "/v1/notes", Some(&json!({"content": "x", "deal_id": 1, "user_id": 1})), 403);

    let mut keeps = Account::of(json!({"settings": {"keep_html_comments": true}}));
    keeps.post("/api/v2/deals", &json!({"title": "T"}));
    let note = keeps.post("/v1/notes", &json!({"content": "A<!-- key 17 -->", "deal_id": 1}));
    assert_eq!(note["content"], "A<!-- key 17 -->");
}

#[test]
fn files_travel_as_bytes() {
    let mut account = Account::empty();
    account.post("/api/v2/deals", &json!({"title": "T"}));
    let bytes: Vec<u8> = (0..=255).chain([13, 10, 45, 45]).collect();
    let mut request =
        account.request("POST", "/v1/files", None).with_header("content-type", "multipart/form-data; boundary=XX");
    request.body = b"--XX\r\nContent-Disposition: form-data; name=\"deal_id\"\r\n\r\n1\r\n--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a b.png\"\r\nContent-Type: image/png\r\n\r\n".to_vec();
    request.body.extend(&bytes);
    request.body.extend(b"\r\n--XX--\r\n");
    let reply = account.sandbox.handle(&request, account.now).reply().unwrap().clone();
    assert_eq!(reply.status, 201, "{}", String::from_utf8_lossy(&reply.body));
    let file = reply.body_json()["data"].clone();
    assert_eq!(
        (&file["name"], &file["file_type"], &file["file_size"], &file["deal_id"]),
        (&json!("a b.png"), &json!("img"), &json!(260), &json!(1))
    );
    assert_eq!(account.call("GET", "/v1/files/1/download", None).body, bytes);
    account.send("PUT", "/v1/files/1", &json!({"name": "c.png"}), 200);
    assert_eq!(account.get("/v1/files")["data"][0]["name"], "c.png");
    account.send("DELETE", "/v1/files/1", &json!({}), 200);
    account.refused("GET", "/v1/files/1/download", None, 404);

    let mut made = Account::of(json!({"files": [{"id": 4, "name": "big.bin", "content_seed": 3, "size": 1000}]}));
    let body = made.call("GET", "/v1/files/4/download", None).body;
    assert_eq!(body.len(), 1000);
    assert_eq!(made.call("GET", "/v1/files/4/download", None).body, body);
}

#[test]
fn a_file_may_have_lost_its_bytes() {
    let world = json!({"files": [{"id": 1, "name": "a.pdf", "file_size": 70, "content_base64": null}]});
    let mut account = Account::of(world);
    assert_eq!(account.get("/v1/files")["data"][0]["file_size"], 70);
    account.refused("GET", "/v1/files/1/download", None, 404);
    let mut again = Account::of(account.sandbox.platform().world());
    assert_eq!(again.get("/v1/files/1")["data"]["file_size"], 70);
    again.refused("GET", "/v1/files/1/download", None, 404);
}

#[test]
fn a_page_of_files_has_a_hundred_rows() {
    let files: Vec<Value> = (1..=150).map(|id| json!({"id": id, "name": "a.pdf", "content_base64": ""})).collect();
    let mut account = Account::of(json!({"files": files}));
    let first = account.get("/v1/files?limit=500");
    assert_eq!(first["data"].as_array().unwrap().len(), 100);
    assert_eq!(first["additional_data"]["pagination"]["next_start"], 100);
    let rest = account.get("/v1/files?limit=500&start=100");
    assert_eq!(rest["data"].as_array().unwrap().len(), 50);
    assert_eq!(rest["additional_data"]["pagination"]["more_items_in_collection"], false);
    account.refused("GET", "/v1/files?sort=add_time%20ASC", None, 400);
}

#[test]
fn leads_are_flat_and_have_uuids() {
    let field = "a".repeat(40);
    let money = "b".repeat(40);
    let mut account = Account::of(json!({"deal_fields": [
        {"field_code": field, "field_name": "Ext key", "field_type": "varchar"},
        {"field_code": money, "field_name": "Cost", "field_type": "monetary"}]}));
    account.refused("POST", "/v1/leads", Some(&json!({"title": "L"})), 400);
    account.post("/api/v2/persons", &json!({"name": "A"}));
    account.refused("POST", "/v1/leads", Some(&json!({"title": "L", "person_id": 1, "value": {"amount": 5}})), 400);
    let body = json!({"title": "L", "person_id": 1, "value": {"amount": 5, "currency": "EUR"}, &field: "k", &money: 9,
        format!("{money}_currency"): "USD"});
    let lead = account.post("/v1/leads", &body);
    let id = lead["id"].as_str().unwrap().to_owned();
    assert_eq!(id.len(), 36);
    assert_eq!(
        (&lead[&field], &lead[&money], &lead[format!("{money}_currency")]),
        (&json!("k"), &json!(9), &json!("USD"))
    );
    assert_eq!((&lead["visible_to"], &lead["origin"]), (&json!("3"), &json!("API")));
    account.send("PATCH", &format!("/v1/leads/{id}"), &json!({"is_archived": true}), 200);
    assert_eq!(account.get("/v1/leads")["data"], Value::Null);
    assert_eq!(account.get("/v1/leads/archived")["data"][0]["id"], json!(id));
    let activity = account.post("/api/v2/activities", &json!({"type": "call", "lead_id": id}));
    assert_eq!(activity["lead_id"], json!(id));
}

#[test]
fn the_value_follows_from_the_products() {
    let mut account = Account::empty();
    account.post("/api/v2/deals", &json!({"title": "T", "value": 5}));
    account.post("/api/v2/products", &json!({"name": "P", "prices": [{"currency": "EUR", "price": 10}]}));
    let line = json!({"product_id": 1, "item_price": 10, "quantity": 3, "discount": 10});
    account.refused(
        "POST",
        "/api/v2/deals/1/products",
        Some(&json!({"product_id": 1, "item_price": "10", "quantity": 1})),
        400,
    );
    account.post("/api/v2/deals/1/products", &line);
    assert_eq!(account.get("/api/v2/deals/1")["data"]["value"], 27);
    account.post("/api/v2/deals/1/products/bulk", &json!({"data": [line, line]}));
    assert_eq!(account.get("/api/v2/deals/1?include_fields=products_count")["data"]["products_count"], 3);
    let words = account.refused("PATCH", "/api/v2/deals/1", Some(&json!({"value": 99})), 400);
    assert!(words.contains("Deal value cannot be changed"), "{words}");
    account.send("DELETE", "/api/v2/deals/1/products?ids=1,2", &json!({}), 200);
    assert_eq!(account.get("/api/v2/deals/1")["data"]["value"], 27);
}

#[test]
fn merging_moves_what_hung_on_the_lost_record() {
    let mut account = Account::empty();
    for (name, mail) in [("A", "a@x.de"), ("B", "b@x.de")] {
        account.post("/api/v2/persons", &json!({"name": name, "emails": [{"value": mail}]}));
    }
    account.post("/api/v2/deals", &json!({"title": "T", "person_id": 1}));
    account.post("/v1/notes", &json!({"content": "n", "person_id": 1}));
    account.send("PUT", "/v1/persons/1/merge", &json!({"merge_with_id": 1}), 400);
    let survivor = account.send("PUT", "/v1/persons/1/merge", &json!({"merge_with_id": 2}), 200);
    assert_eq!((&survivor["id"], &survivor["name"], &survivor["merge_what_id"]), (&json!(2), &json!("B"), &json!(1)));
    assert_eq!(survivor["emails"].as_array().unwrap().len(), 2);
    assert_eq!(account.get("/api/v2/persons/1")["data"]["is_deleted"], true);
    assert_eq!(account.get("/api/v2/deals/1")["data"]["person_id"], 2);
    assert_eq!(account.get("/v1/notes?person_id=2")["data"].as_array().unwrap().len(), 1);
    let merged: Vec<_> =
        account.sandbox.journal().changes_of("person", "1").filter(|c| c.action == Action::Merged).collect();
    assert_eq!(merged[0].fields["merged_into"].1, 2);
}

#[test]
fn deletion_is_soft_for_thirty_days() {
    let mut account = Account::empty();
    account.post("/api/v2/deals", &json!({"title": "T"}));
    account.send("DELETE", "/api/v2/deals/1", &json!({}), 200);
    account.refused("DELETE", "/api/v2/deals/1", None, 404);
    account.refused("PATCH", "/api/v2/deals/1", Some(&json!({"title": "U"})), 404);
    assert_eq!(account.get("/api/v2/deals")["data"], json!([]));
    assert_eq!(account.get("/api/v2/deals?status=deleted")["data"][0]["is_deleted"], true);
    assert_eq!(
        account.get("/v1/recents?since_timestamp=2026-03-01 00:00:00&items=deal")["data"][0]["data"]["active_flag"],
        false
    );
    account.wait(30 * 86_400 + 1);
    account.get("/api/v2/deals");
    account.refused("GET", "/api/v2/deals/1", None, 404);
    assert_eq!(account.sandbox.journal().count("deal", Action::Purged), 1);
    account.refused("GET", "/v1/recents?since_timestamp=2026-02-01 00:00:00", None, 400);

    let mut revives =
        Account::of(json!({"settings": {"restore_deals": true, "hide_deleted": true, "delete_again_gone": true}}));
    revives.post("/api/v2/deals", &json!({"title": "T"}));
    revives.send("DELETE", "/api/v2/deals/1", &json!({}), 200);
    revives.refused("GET", "/api/v2/deals/1", None, 404);
    revives.refused("DELETE", "/api/v2/deals/1", None, 410);
    let deal = revives.send("PATCH", "/api/v2/deals/1", &json!({"is_deleted": false}), 200);
    assert_eq!(deal["is_deleted"], false);
}

#[test]
fn a_seller_sees_a_part_in_silence() {
    let mut account = Account::empty();
    account.post("/api/v2/deals", &json!({"title": "Open to all"}));
    account.post("/api/v2/deals", &json!({"title": "Mine", "visible_to": 1}));
    account.post("/v1/notes", &json!({"content": "n", "deal_id": 2}));
    account.token = "seller-token".to_owned();
    assert_eq!(account.walk("/api/v2/deals?ids=1,2", |_, _| {}), [1]);
    account.refused("GET", "/api/v2/deals/2", None, 404);
    assert_eq!(account.get("/v1/notes")["data"], Value::Null);
    account.refused("POST", "/api/v2/pipelines", Some(&json!({"name": "P"})), 403);
}

#[test]
fn fields_and_options_live_in_the_account() {
    let mut account = Account::empty();
    let body = json!({"field_name": "Tier", "field_type": "enum", "options": [{"label": "Gold"}]});
    let field = account.post("/api/v2/personFields", &body);
    let code = field["field_code"].as_str().unwrap().to_owned();
    assert_eq!(code.len(), 40);
    assert!(code.bytes().all(|b| b.is_ascii_hexdigit()));
    let path = format!("/api/v2/personFields/{code}/options");
    account.send("POST", &path, &json!([{"label": "Silver"}, {"label": "Gold"}]), 400);
    let added = account.send("POST", &path, &json!([{"label": "Silver"}]), 200);
    let silver = added[0]["id"].clone();
    account.send("PATCH", &path, &json!([{"id": silver, "label": "Silber"}]), 200);
    let field = account.get(&format!("/api/v2/personFields/{code}"))["data"].clone();
    assert_eq!(field["options"][1], json!({"id": silver, "label": "Silber", "color": null}));
    account.send("DELETE", &path, &json!([{"id": silver}]), 200);
    account.refused("POST", "/api/v2/personFields", Some(&json!({"field_name": "U", "field_type": "url"})), 400);
    account.refused("PATCH", "/api/v2/personFields/name", Some(&json!({"field_name": "Nom"})), 403);
    let all = account.get("/api/v2/personFields?limit=500");
    let names: Vec<_> = all["data"].as_array().unwrap().iter().map(|f| f["field_code"].as_str().unwrap()).collect();
    assert!(["name", "emails", "label_ids", "org_id", &code].iter().all(|name| names.contains(name)));
}

#[test]
fn participants_and_relationships_are_read_record_by_record() {
    let mut account = Account::empty();
    for name in ["A", "B"] {
        account.post("/api/v2/persons", &json!({"name": name}));
        account.post("/api/v2/organizations", &json!({"name": name}));
    }
    account.post("/api/v2/deals", &json!({"title": "T", "person_id": 1}));
    account.send("POST", "/v1/deals/1/participants", &json!({"person_id": 2}), 200);
    account.send("POST", "/v1/deals/1/participants", &json!({"person_id": 2}), 400);
    let list = account.get("/v1/deals/1/participants")["data"].clone();
    let people: Vec<_> = list.as_array().unwrap().iter().map(|one| one["person_id"]["value"].clone()).collect();
    assert_eq!(people, [1, 2]);
    assert_eq!(account.get("/api/v2/deals?include_fields=participants_count")["data"][0]["participants_count"], 2);
    account.refused("GET", "/v1/organizationRelationships", None, 400);
    let link = json!({"type": "parent", "rel_owner_org_id": 1, "rel_linked_org_id": 2});
    account.post("/v1/organizationRelationships", &link);
    let found = account.get("/v1/organizationRelationships?org_id=2")["data"].clone();
    assert_eq!(found[0]["rel_owner_org_id"]["value"], 1);
    assert_eq!(account.get("/v1/deals/1/changelog")["data"], json!([]));
    account.send("PATCH", "/api/v2/deals/1", &json!({"title": "U"}), 200);
    let log = account.get("/v1/deals/1/changelog")["data"].clone();
    assert_eq!(
        (&log[0]["field_key"], &log[0]["old_value"], &log[0]["new_value"]),
        (&json!("title"), &json!("T"), &json!("U"))
    );
}

#[test]
fn search_lags_and_minds_its_case() {
    let code = "a".repeat(40);
    let mut account =
        Account::of(json!({"deal_fields": [{"field_code": code, "field_name": "Key", "field_type": "varchar"}]}));
    account.post("/api/v2/deals", &json!({"title": "Big Deal", "custom_fields": {&code: "Key-1"}}));
    let by_key = format!("/api/v2/itemSearch/field?entity_type=deal&field={code}&match=exact&term=");
    assert_eq!(account.get(&format!("{by_key}Key-1"))["data"], json!([]));
    account.wait(10);
    assert_eq!(account.get(&format!("{by_key}Key-1"))["data"], json!([{"id": 1, "name": "Big Deal"}]));
    assert_eq!(account.get(&format!("{by_key}key-1"))["data"], json!([]));
    assert_eq!(account.get("/api/v2/deals/search?term=big deal&exact_match=true")["data"]["items"][0]["item"]["id"], 1);
    account.refused("GET", "/api/v2/deals/search?term=b", None, 400);
    let conditions = json!({"glue": "and", "conditions": [{"glue": "and", "conditions": [
        {"object": "deal", "field_id": code, "operator": "=", "value": "Key-1"}]}]});
    let filter =
        account.send("POST", "/v1/filters", &json!({"name": "f", "type": "deals", "conditions": conditions}), 200);
    assert_eq!(account.walk(&format!("/api/v2/deals?filter_id={}", filter["id"]), |_, _| {}), [1]);
}
