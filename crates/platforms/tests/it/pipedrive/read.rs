//! Lists, fetches, extra reads, candidates, the account, downloads.

use super::*;
use handover_connect::{Host, LinkBatch};
use handover_model::Content;

#[test]
fn a_list_of_deals_goes_on_with_the_archived_ones() {
    let dialect = learned();
    let (key, money) = (code('a'), format!("{}.value", code('b')));
    let operation = list("deals", &["title", "value", &key, &money]);
    let custom = format!("custom_fields={},{}", code('a'), code('b'));
    assert_eq!(encoded(&dialect, &operation, None), format!("GET /api/v2/deals?limit=500&{custom}&sort_by=id"));
    let first = reply(
        200,
        &json!({"success": true, "data": [{
        "id": 1, "title": "T", "value": 200.5, "update_time": "2021-01-01T00:00:00Z", "is_deleted": false,
        "custom_fields": {code('a'): "old:deal:7", code('b'): {"value": 500, "currency": "USD"}}}],
        "additional_data": {"next_cursor": "c2"}}),
    );
    let (records, next) = page(&dialect, &operation, None, &first);
    let record = records.first().unwrap();
    assert_eq!((record.id.as_str(), record.gone), ("1", false));
    assert_eq!(shown(record, "value"), "200.5");
    assert_eq!(shown(record, &key), "old:deal:7");
    assert_eq!(shown(record, &money), "500");
    assert_eq!(record.fields.len(), 4);
    assert_eq!(record.modified.unwrap().to_string(), "2021-01-01T00:00:00Z");
    let next = next.unwrap();
    assert!(encoded(&dialect, &operation, Some(&next)).ends_with("&cursor=c2"));
    let end = reply(200, &json!({"success": true, "data": [], "additional_data": {"next_cursor": null}}));
    let archived = page(&dialect, &operation, Some(&next), &end).1.unwrap();
    assert_eq!(
        encoded(&dialect, &operation, Some(&archived)),
        format!("GET /api/v2/deals/archived?limit=500&{custom}&sort_by=id")
    );
    assert!(page(&dialect, &operation, Some(&archived), &end).1.is_none());
}

#[test]
fn unset_custom_fields_are_null_whether_told_or_left_out() {
    let dialect = learned();
    let (set, place) = (code('d'), format!("{}.locality", code('1')));
    let operation = list("deals", &[&set, &place, "title"]);
    let rows = ok(json!([
        {"id": 1, "title": "A", "custom_fields": {code('d'): null, code('1'): null}},
        {"id": 2, "title": "B", "custom_fields": {}},
        {"id": 3, "custom_fields": {code('d'): [7, 8], code('1'): {"value": "X", "locality": "Bonn"}}},
    ]));
    let (records, _) = page(&dialect, &operation, None, &rows);
    let told: Vec<_> = records.iter().map(|r| [&set, &place, "title"].map(|name| shown(r, name))).collect();
    assert_eq!(told[0], ["null", "null", "A"]);
    assert_eq!(told[1], ["null", "null", "B"]);
    assert_eq!(told[2], ["7, 8", "Bonn", "absent"]);
}

#[test]
fn since_is_in_whole_seconds_and_deleted_deals_have_a_status() {
    let dialect = learned();
    let read = |which, object: &str| Read {
        object: object.into(),
        fields: names(&[]),
        which,
        since: Some("2024-05-06T07:08:09.999Z".parse().unwrap()),
    };
    let line = |read| encoded(&dialect, &Operation::List(read), None);
    assert_eq!(
        line(read(Which::Deleted, "deals")),
        "GET /api/v2/deals?limit=500&sort_by=id&status=deleted&updated_since=2024-05-06T07:08:09Z"
    );
    assert_eq!(line(read(Which::Deleted, "persons")), "refused: Pipedrive does not list deleted persons");
    assert_eq!(
        line(read(Which::Live, "notes")),
        "GET /v1/notes?start=0&limit=500&sort=id ASC&updated_since=2024-05-06T07:08:09Z"
    );
    assert_eq!(line(read(Which::Live, "files")), "refused: files have no filter by time: they are listed whole");
}

#[test]
fn more_than_fifteen_custom_fields_are_not_listed_in_the_request() {
    let dialect = Pipedrive::new();
    let rows: Vec<Json> = (0..16)
        .map(|n| json!({"field_name": "F", "field_code": format!("{n:040x}"), "field_type": "varchar", "is_custom_field": true}))
        .collect();
    let describe = Operation::Describe("persons".into());
    let Step::Schema(schema) = dialect.decode(&describe, None, &ok(json!(rows))).unwrap() else { panic!("no schema") };
    dialect.learn(&schema);
    let codes: Vec<String> = (0..16).map(|n| format!("{n:040x}")).collect();
    let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
    assert_eq!(encoded(&dialect, &list("persons", &codes), None), "GET /api/v2/persons?limit=500&sort_by=id");
    assert!(encoded(&dialect, &list("persons", &codes[..15]), None).contains("custom_fields="));
    assert!(encoded(&dialect, &list("persons", &["nonsense"]), None).starts_with("refused: `persons` has no field"));
}

#[test]
fn wanting_participants_brings_their_count() {
    let dialect = learned();
    let operation = list("deals", &["participants"]);
    assert_eq!(
        encoded(&dialect, &operation, None),
        "GET /api/v2/deals?limit=500&include_fields=participants_count&sort_by=id"
    );
    let (records, _) = page(&dialect, &operation, None, &ok(json!([{"id": 9, "participants_count": 3}])));
    assert_eq!(shown(&records[0], "participants_count"), "3");
    assert_eq!(shown(&records[0], "participants"), "absent");
}

#[test]
fn a_list_tells_the_participants_of_deals_with_the_main_person_alone() {
    let dialect = learned();
    let rows = ok(json!([
        {"id": 1, "person_id": 11, "participants_count": 1},
        {"id": 2, "person_id": null, "participants_count": 0},
        {"id": 3, "person_id": 11, "participants_count": 2},
        // Somebody takes part who is not the main person: only the call tells who.
        {"id": 4, "person_id": null, "participants_count": 1},
    ]));
    let (records, _) = page(&dialect, &list("deals", &["participants"]), None, &rows);
    let told: Vec<_> = records.iter().map(|record| shown(record, "participants")).collect();
    assert_eq!(told, ["11", "", "absent", "absent"]);
    let (records, _) = page(&dialect, &list("deals", &["participants_count"]), None, &rows);
    assert_eq!(shown(&records[0], "participants"), "absent");
}

fn notes(ids: std::ops::RangeInclusive<u64>, start: u64, more: bool) -> Reply {
    let rows: Vec<Json> = ids.map(|id| json!({"id": id, "content": "x", "add_time": "2020-01-01 00:00:00"})).collect();
    let pagination = json!({"start": start, "limit": 500, "more_items_in_collection": more, "next_start": start + 500});
    reply(200, &json!({"success": true, "data": rows, "additional_data": {"pagination": pagination}}))
}

#[test]
fn rows_deleted_between_two_offset_pages_hide_none() {
    let dialect = Pipedrive::new();
    let operation = list("notes", &["content"]);
    let (records, next) = page(&dialect, &operation, None, &notes(1..=500, 0, true));
    assert_eq!(records.len(), 500);
    let next = next.unwrap();
    // The next page begins with the last record of this one.
    assert_eq!(encoded(&dialect, &operation, Some(&next)), "GET /v1/notes?start=499&limit=500&sort=id ASC");
    // Undisturbed: the anchor is given once.
    let (records, _) = page(&dialect, &operation, Some(&next), &notes(500..=700, 499, false));
    assert_eq!(records.first().unwrap().id.as_str(), "501");
    // Ten earlier records were deleted: the offset goes back until a known record shows.
    let back = then(&dialect, &operation, Some(&next), &notes(510..=700, 499, false));
    assert_eq!(encoded(&dialect, &operation, Some(&back)), "GET /v1/notes?start=249&limit=500&sort=id ASC");
    let (records, _) = page(&dialect, &operation, Some(&back), &notes(260..=700, 249, false));
    let ids: Vec<_> = records.iter().map(|record| record.id.as_str().to_owned()).collect();
    assert_eq!((ids.first().unwrap().as_str(), ids.len()), ("501", 200));
    let unsorted = ok(json!([{"id": 2}, {"id": 1}]));
    assert_eq!(fault(&dialect, &operation, &unsorted).code, "malformed");
}

#[test]
fn a_fetch_looks_for_missing_deals_among_the_archived_ones() {
    let dialect = learned();
    let operation =
        Operation::Fetch { object: "deals".into(), fields: names(&["title"]), ids: vec!["3".into(), "4".into()] };
    assert_eq!(encoded(&dialect, &operation, None), "GET /api/v2/deals?limit=500&ids=3,4");
    let next = page(&dialect, &operation, None, &ok(json!([{"id": 3, "title": "T"}]))).1.unwrap();
    assert_eq!(encoded(&dialect, &operation, Some(&next)), "GET /api/v2/deals/archived?limit=500&ids=3,4");
    assert!(page(&dialect, &operation, None, &ok(json!([{"id": 3}, {"id": 4}]))).1.is_none());
    let operation = Operation::Fetch { object: "notes".into(), fields: names(&["content"]), ids: vec!["8".into()] };
    assert_eq!(encoded(&dialect, &operation, None), "GET /v1/notes/8");
    let gone = reply(404, &json!({"success": false, "error": "Entity was not found"}));
    assert!(page(&dialect, &operation, None, &gone).0.is_empty());
    let (records, _) = page(&dialect, &operation, None, &ok(json!({"id": 8, "content": "c", "active_flag": false})));
    assert!(records[0].gone);
}

#[test]
fn parents_and_participants_are_read_record_by_record() {
    let dialect = Pipedrive::new();
    let enrich = |object: &str, field: &str, id: &str| Operation::Enrich {
        object: object.into(),
        field: field.into(),
        ids: vec![id.into()],
    };
    let parent = enrich("organizations", "parent", "1480");
    assert_eq!(encoded(&dialect, &parent, None), "GET /v1/organizationRelationships?org_id=1480");
    let relation = |kind: &str, owner: u64, linked: u64| json!({"type": kind, "rel_owner_org_id": {"name": "x", "value": owner}, "rel_linked_org_id": {"value": linked}});
    let rows = ok(json!([relation("related", 7, 1480), relation("parent", 1480, 9), relation("parent", 1481, 1480)]));
    assert_eq!(shown(&page(&dialect, &parent, None, &rows).0[0], "parent"), "1481");
    let none = ok(Json::Null);
    assert_eq!(shown(&page(&dialect, &parent, None, &none).0[0], "parent"), "null");
    let people = enrich("deals", "participants", "5");
    assert_eq!(encoded(&dialect, &people, None), "GET /v1/deals/5/participants?start=0&limit=500");
    let first = reply(
        200,
        &json!({"success": true, "data": [{"person_id": {"value": 11}}, {"person_id": 12}],
        "additional_data": {"pagination": {"more_items_in_collection": true, "next_start": 2}}}),
    );
    let next = then(&dialect, &people, None, &first);
    assert_eq!(encoded(&dialect, &people, Some(&next)), "GET /v1/deals/5/participants?start=2&limit=500");
    let (records, _) = page(&dialect, &people, Some(&next), &ok(json!([{"person_id": {"value": 13}}])));
    assert_eq!(shown(&records[0], "participants"), "11, 12, 13");
}

#[test]
fn links_are_added_only_when_they_are_not_there() {
    let dialect = Pipedrive::new();
    let operation = Operation::Link(LinkBatch {
        object: "organizations".into(),
        field: "parent".into(),
        to_object: "organizations".into(),
        links: vec![handover_connect::Link { from: "2".into(), to: "1".into() }].into(),
    });
    assert_eq!(encoded(&dialect, &operation, None), "GET /v1/organizationRelationships?org_id=2");
    let add = then(&dialect, &operation, None, &ok(Json::Null));
    let request = dialect.encode(&operation, Some(&add)).unwrap();
    assert!(!request.idempotent);
    assert_eq!(
        line(&request),
        r#"POST /v1/organizationRelationships {"rel_linked_org_id":2,"rel_owner_org_id":1,"type":"parent"}"#
    );
    let there = ok(json!([{"type": "parent", "rel_owner_org_id": 1, "rel_linked_org_id": 2}]));
    for (cursor, reply) in [(None, &there), (Some(&add), &ok(json!({"id": 1})))] {
        let Step::Linked(outcomes) = dialect.decode(&operation, cursor, reply).unwrap() else { panic!("not linked") };
        assert!(outcomes[0].result.is_ok());
    }
}

#[test]
fn candidates_come_from_the_primary_lists() {
    let dialect = learned();
    let key = code('a');
    let since = "2024-01-01T00:01:00Z".parse().unwrap();
    let of = |batch: WriteBatch, fields: &[&str]| Operation::Candidates { batch, fields: names(fields), since };
    let mode = WriteMode::Create { key: Some(key.as_str().into()) };
    let deal = of(batch("deals", mode.clone(), None, &[(&key, "k".into())]), &[&key]);
    let newest = format!(
        "?limit=500&custom_fields={key}&updated_since=2024-01-01T00:00:00Z&sort_by=add_time&sort_direction=desc"
    );
    assert_eq!(encoded(&dialect, &deal, None), format!("GET /api/v2/deals{newest}"));
    assert!(page(&dialect, &deal, None, &ok(json!([]))).1.is_none());
    let archived = of(batch("deals", mode, None, &[("is_archived", true.into())]), &[&key]);
    let next = page(&dialect, &archived, None, &ok(json!([]))).1.unwrap();
    assert_eq!(encoded(&dialect, &archived, Some(&next)), format!("GET /api/v2/deals/archived{newest}"));
    let note =
        batch("notes", WriteMode::Create { key: None }, None, &[("person_id", "6".into()), ("content", "c".into())]);
    assert_eq!(encoded(&dialect, &of(note, &["content"]), None), "GET /v1/notes?start=0&limit=500&person_id=6");
    let file = of(batch("files", WriteMode::Create { key: None }, None, &[]), &["name"]);
    assert_eq!(encoded(&dialect, &file, None), "GET /v1/files?start=0&limit=100&sort=id DESC");
    let old = reply(
        200,
        &json!({"success": true, "data": [{"id": 1, "add_time": "2023-12-31 00:00:00"}],
        "additional_data": {"pagination": {"more_items_in_collection": true, "next_start": 100}}}),
    );
    assert!(page(&dialect, &file, None, &old).1.is_none());
    let changed = of(batch("persons", WriteMode::Update, Some("4"), &[("name", "N".into())]), &["name"]);
    assert_eq!(encoded(&dialect, &changed, None), "GET /api/v2/persons?limit=500&ids=4");
}

#[test]
fn the_account_tells_currencies_and_what_the_token_lacks() {
    let dialect = Pipedrive::new();
    let me = ok(json!({"id": 1, "company_id": 54235233, "company_name": "Pipedrive", "company_domain": "pd",
        "timezone_name": "Europe/Berlin", "access": [{"app": "sales", "admin": false}]}));
    assert_eq!(encoded(&dialect, &Operation::Account, None), "GET /v1/users/me");
    let cursor = then(&dialect, &Operation::Account, None, &me);
    assert_eq!(encoded(&dialect, &Operation::Account, Some(&cursor)), "GET /v1/currencies");
    let currencies = ok(json!([{"code": "EUR", "active_flag": true}, {"code": "XTS", "active_flag": false}]));
    let Step::Account(account) = dialect.decode(&Operation::Account, Some(&cursor), &currencies).unwrap() else {
        panic!("no account")
    };
    assert_eq!((account.id.as_str(), account.time_zone.as_str()), ("54235233", "Europe/Berlin"));
    assert_eq!(account.currencies, ["EUR"]);
    assert_eq!(account.lacks.len(), 1);
    let users = ok(json!([{"id": 1, "name": "Ana", "email": "a@x.test", "active_flag": true},
        {"id": 2, "name": "Ben", "email": "b@x.test", "active_flag": false}]));
    let Step::Users { users, next: None } = dialect.decode(&Operation::Users, None, &users).unwrap() else {
        panic!("no users")
    };
    assert_eq!(users.iter().map(|user| user.active).collect::<Vec<_>>(), [true, false]);
    assert!(encoded(&dialect, &Operation::Automations, None).starts_with("refused"));
    assert!(encoded(&dialect, &Operation::Count("deals".into()), None).starts_with("refused"));
}

#[test]
fn a_download_follows_where_it_is_sent_without_the_token() {
    let dialect = Pipedrive::new();
    let to = std::path::PathBuf::from("/nowhere/file");
    let operation = Operation::Download { object: "files".into(), id: "123".into(), to: to.clone() };
    let request = dialect.encode(&operation, None).unwrap();
    assert_eq!(
        (line(&request).as_str(), request.sink.as_ref().map(|sink| &sink.path)),
        ("GET /v1/files/123/download", Some(&to))
    );
    let moved = Reply {
        status: 302,
        headers: vec![("location".to_owned(), "https://store.test/x?sig=1".to_owned())],
        body: Vec::new(),
        sunk: None,
    };
    let cursor = then(&dialect, &operation, None, &moved);
    let request = dialect.encode(&operation, Some(&cursor)).unwrap();
    assert_eq!(request.host, Host::Given("https://store.test/x?sig=1".to_owned()));
    assert!(request.charges.is_empty());
    let content = Content { path: to, bytes: 3, blake3: String::new() };
    let bytes = Reply { status: 200, headers: Vec::new(), body: Vec::new(), sunk: Some(content) };
    assert!(matches!(dialect.decode(&operation, Some(&cursor), &bytes).unwrap(), Step::Downloaded));
}

#[test]
fn leads_are_flat_and_their_archive_comes_second() {
    let dialect = Pipedrive::new();
    let describe = Operation::Describe("leads".into());
    let labels = then(&dialect, &describe, None, &ok(deal_fields()));
    assert_eq!(encoded(&dialect, &describe, Some(&labels)), "GET /v1/leadLabels");
    let hot = ok(json!([{"id": "f08b42a0", "name": "Hot"}]));
    let Step::Schema(schema) = dialect.decode(&describe, Some(&labels), &hot).unwrap() else { panic!("no schema") };
    dialect.learn(&schema);
    let (set, money) = (code('d'), format!("{}.currency", code('b')));
    let operation = list("leads", &["title", "value.amount", &set, &money, "label_ids"]);
    assert_eq!(encoded(&dialect, &operation, None), "GET /v1/leads?start=0&limit=500");
    let rows = ok(json!([{"id": "adf21080-0e10", "title": "L", "value": {"amount": 9.5, "currency": "EUR"},
        "label_ids": ["f08b42a0"], code('d'): "7,8", code('b'): 5, format!("{}_currency", code('b')): "USD",
        "update_time": "2020-10-14T11:30:36.551Z"}]));
    let (records, next) = page(&dialect, &operation, None, &rows);
    let told = ["value.amount", &set, &money, "label_ids"].map(|name| shown(&records[0], name));
    assert_eq!(told, ["9.5", "7, 8", "USD", "f08b42a0"]);
    assert_eq!(encoded(&dialect, &operation, next.as_ref()), "GET /v1/leads/archived?start=0&limit=500");
}
