//! Lists, changes, records by id, links, candidates, files.

use std::sync::Arc;

use handover_connect::{Dialect as _, FaultKind, Host, Method, Operation, Read, Step, Which, WriteMode};
use handover_model::{Content, FieldName, Value};
use handover_platforms::hubspot::HubSpot;
use jiff::civil::date;
use serde_json::{Value as Json, json};

use super::{Row, batch, fields, ids, json_of, list, names, page, play, property, query, reply, taught};

fn contact(id: &str, properties: &Json) -> Json {
    json!({ "id": id, "properties": properties, "createdAt": "2024-01-01T00:00:00.000Z",
            "updatedAt": "2024-05-01T00:00:00.000Z", "archived": false })
}

fn texts(value: Option<&Value>) -> Vec<&str> {
    value.map(Value::ids).unwrap_or_default()
}

#[test]
fn values_are_read_by_their_kind() {
    let dialect = taught(
        "contacts",
        &[
            property("a_text", "string", "text", &json!({})),
            property("a_number", "number", "number", &json!({})),
            property("a_flag", "bool", "booleancheckbox", &json!({})),
            property("a_day", "date", "date", &json!({})),
            property("a_time", "datetime", "date", &json!({})),
            property("many", "enumeration", "checkbox", &json!({})),
            property("empty", "string", "text", &json!({})),
            property("absent", "string", "text", &json!({})),
            property("odd", "number", "number", &json!({})),
        ],
    );
    let wanted = ["a_text", "a_number", "a_flag", "a_day", "a_time", "many", "empty", "absent", "odd", "unheard"];
    let body = json!({ "results": [contact("512", &json!({
        "a_text": "x\ny", "a_number": "1.50", "a_flag": "true", "a_day": "2024-02-29", "a_time": "1704067200000",
        "many": "a;b", "empty": null, "odd": "n/a", "lastmodifieddate": "2024-06-01T10:00:00.123Z", "not_asked": "z",
    }))] });
    let (records, next) = page(play(&dialect, &list("contacts", &wanted), &[reply(200, &body)]).1);
    assert!(next.is_none());
    let record = &records[0];
    assert_eq!(record.modified, Some("2024-06-01T10:00:00.123Z".parse().unwrap()));
    let expected = fields(&[
        ("a_text", "x\ny".into()),
        ("a_number", Value::Number("1.50".parse().unwrap())),
        ("a_flag", true.into()),
        ("a_day", Value::Date(date(2024, 2, 29))),
        ("a_time", Value::DateTime("2024-01-01T00:00:00Z".parse().unwrap())),
        ("many", Value::List(vec!["a".into(), "b".into()])),
        ("empty", Value::Null),
        ("absent", Value::Null),
        ("odd", "n/a".into()),
    ]);
    let got: Vec<_> = record.fields.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let wanted: Vec<_> = expected.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    assert!(got == wanted, "{:?}", record.fields);
}

#[test]
fn a_list_brings_links_and_reads_on_where_a_record_has_many() {
    let mut many = contact("1", &json!({ "firstname": "A" }));
    // The same company once for each type of the link.
    many["associations"] = json!({ "companies": { "results": [
        { "id": "90", "type": "contact_to_company" }, { "id": "90", "type": "contact_to_company_unlabeled" },
    ], "paging": { "next": { "after": "p" } } } });
    let none = contact("2", &json!({ "firstname": "B" }));
    let first = json!({ "results": [many, none], "paging": { "next": { "after": "3" } } });
    let links = json!({ "status": "COMPLETE", "results": [{ "from": { "id": "1" }, "to": [
        { "toObjectId": 100, "associationTypes": [] }, { "toObjectId": 90, "associationTypes": [] },
    ] }] });
    let operation = list("contacts", &["firstname", "associations.companies"]);
    let (requests, step) = play(&HubSpot::new(), &operation, &[reply(200, &first), reply(207, &links)]);
    assert_eq!(requests[0].path, "/crm/v3/objects/contacts");
    assert_eq!(query(&requests[0], "limit"), Some("100"));
    assert_eq!(query(&requests[0], "properties"), Some("firstname"));
    assert_eq!(query(&requests[0], "associations"), Some("companies"));
    assert_eq!(requests[1].path, "/crm/v4/associations/contacts/companies/batch/read");
    assert_eq!(json_of(&requests[1]), json!({ "inputs": [{ "id": "1" }] }));
    let (records, next) = page(step);
    assert_eq!(texts(records[0].fields.get("associations.companies")), ["90", "100"]);
    assert!(records[1].fields.get("associations.companies") == Some(&Value::Null));
    let request = HubSpot::new().encode(&operation, next.as_ref()).unwrap();
    assert_eq!(query(&request, "after"), Some("3"));
}

#[test]
fn too_many_properties_for_a_query_are_read_in_a_body() {
    let wanted: Vec<String> = (0..400).map(|at| format!("a_rather_long_property_name_{at}")).collect();
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let first = json!({ "results": [contact("1", &json!({}))], "paging": { "next": { "after": "2" } } });
    let read =
        json!({ "status": "COMPLETE", "results": [contact("1", &json!({ "a_rather_long_property_name_399": "x" }))] });
    let (requests, step) = play(&HubSpot::new(), &list("contacts", &wanted), &[reply(200, &first), reply(200, &read)]);
    assert_eq!(query(&requests[0], "properties"), Some("hs_object_id"));
    assert_eq!(requests[1].path, "/crm/v3/objects/contacts/batch/read");
    assert_eq!(json_of(&requests[1])["properties"].as_array().unwrap().len(), 400);
    assert!(requests[1].idempotent);
    let (records, next) = page(step);
    assert_eq!(texts(records[0].fields.get("a_rather_long_property_name_399")), ["x"]);
    assert!(next.is_some());
}

fn changed(object: &str, wanted: &[&str], since: &str) -> Operation {
    let since = Some(since.parse().unwrap());
    Operation::List(Read { object: object.into(), fields: names(wanted), which: Which::Live, since })
}

#[test]
fn changes_are_found_by_a_keyset_of_record_ids() {
    let dialect = HubSpot::new();
    for (object, property) in [("contacts", "lastmodifieddate"), ("deals", "hs_lastmodifieddate")] {
        let operation = changed(object, &["x"], "2024-01-01T00:00:00Z");
        let first = json!({ "total": 20_000, "results": [contact("5", &json!({})), contact("12", &json!({}))],
                            "paging": { "next": { "after": "200" } } });
        let (requests, step) = play(&dialect, &operation, &[reply(200, &first)]);
        assert_eq!(requests[0].path, format!("/crm/v3/objects/{object}/search"));
        assert!(requests[0].charges.iter().any(|charge| charge.limit == "search"));
        let body = json_of(&requests[0]);
        assert_eq!(
            body["filterGroups"][0]["filters"][0],
            json!({ "propertyName": property, "operator": "GTE", "value": "1704067200000" })
        );
        assert_eq!(body["sorts"], json!([{ "propertyName": "hs_object_id", "direction": "ASCENDING" }]));
        assert_eq!(body["limit"], 200);
        let (_, next) = page(step);
        let body = json_of(&dialect.encode(&operation, next.as_ref()).unwrap());
        assert_eq!(
            body["filterGroups"][0]["filters"][1],
            json!({ "propertyName": "hs_object_id", "operator": "GT", "value": "12" })
        );
        assert_eq!(body.get("after"), None, "never beyond the first page of a query");
    }
}

#[test]
fn a_search_out_of_order_fails_instead_of_skipping() {
    let body = json!({ "total": 2, "results": [contact("12", &json!({})), contact("5", &json!({}))] });
    let (_, step) = play(&HubSpot::new(), &changed("contacts", &[], "2024-01-01T00:00:00Z"), &[reply(200, &body)]);
    assert_eq!(step.unwrap_err().kind, FaultKind::Malformed);
}

#[test]
fn a_search_body_stays_under_three_thousand_characters() {
    let wanted: Vec<String> = (0..150).map(|at| format!("a_rather_long_property_name_{at}")).collect();
    let mut wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    wanted.push("associations.companies");
    let found = json!({ "total": 1, "results": [contact("5", &json!({}))] });
    let read = json!({ "results": [contact("5", &json!({ "a_rather_long_property_name_0": "x" }))] });
    let links = json!({ "results": [{ "from": { "id": "5" }, "to": [{ "toObjectId": 7, "associationTypes": [] }] }] });
    let operation = changed("contacts", &wanted, "2024-01-01T00:00:00Z");
    let (requests, step) =
        play(&HubSpot::new(), &operation, &[reply(200, &found), reply(200, &read), reply(200, &links)]);
    assert!(json_of(&requests[0]).to_string().len() < 3_000);
    let (records, _) = page(step);
    assert_eq!(texts(records[0].fields.get("associations.companies")), ["7"]);
}

#[test]
fn deleted_records_are_listed_and_sifted_by_the_time_of_deletion() {
    let gone = |id: &str, at: &str| json!({ "id": id, "properties": {}, "archived": true, "archivedAt": at, "updatedAt": "2023-01-01T00:00:00Z" });
    let body = json!({ "results": [gone("1", "2024-01-01T00:00:00Z"), gone("2", "2024-03-01T00:00:00Z")] });
    let operation = Operation::List(Read {
        object: "contacts".into(),
        fields: names(&[]),
        which: Which::Deleted,
        since: Some("2024-02-01T00:00:00Z".parse().unwrap()),
    });
    let (requests, step) = play(&HubSpot::new(), &operation, &[reply(200, &body)]);
    assert_eq!(query(&requests[0], "archived"), Some("true"));
    let (records, _) = page(step);
    assert_eq!(records.len(), 1);
    assert!(records[0].gone);
    assert_eq!(records[0].modified, Some("2024-03-01T00:00:00Z".parse().unwrap()));
}

fn fetch(object: &str, wanted: &[&str], which: &[&str]) -> Operation {
    Operation::Fetch { object: object.into(), fields: names(wanted), ids: ids(which) }
}

#[test]
fn merged_ids_bring_the_surviving_record_once_and_missing_ones_nothing() {
    let read = json!({ "status": "COMPLETE", "results": [contact("50", &json!({ "firstname": "A" })), contact("50", &json!({ "firstname": "A" }))],
        "numErrors": 1, "errors": [{ "status": "error", "category": "OBJECT_NOT_FOUND", "message": "Could not get some CONTACT objects", "context": { "ids": ["3"] } }] });
    let links = json!({ "status": "COMPLETE", "results": [{ "from": { "id": "50" }, "to": [
        { "toObjectId": 7, "associationTypes": [{ "category": "HUBSPOT_DEFINED", "typeId": 279, "label": null }] },
        { "toObjectId": 8, "associationTypes": [{ "category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary" }, { "category": "HUBSPOT_DEFINED", "typeId": 279, "label": null }] },
    ] }] });
    let operation =
        fetch("contacts", &["firstname", "associations.companies", "associations.primary_company"], &["1", "2", "3"]);
    let (requests, step) = play(&HubSpot::new(), &operation, &[reply(207, &read), reply(200, &links)]);
    assert_eq!(json_of(&requests[0])["inputs"], json!([{ "id": "1" }, { "id": "2" }, { "id": "3" }]));
    assert_eq!(json_of(&requests[1])["inputs"], json!([{ "id": "50" }]));
    let (records, _) = page(step);
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].id, "50");
    assert_eq!(texts(records[0].fields.get("associations.companies")), ["7", "8"]);
    assert_eq!(texts(records[0].fields.get("associations.primary_company")), ["8"]);
}

#[test]
fn a_row_that_could_not_be_read_is_not_a_row_that_is_gone() {
    let read = json!({ "status": "COMPLETE", "results": [], "numErrors": 1, "errors": [{ "status": "error", "category": "INTERNAL_ERROR", "message": "m" }] });
    let (_, step) = play(&HubSpot::new(), &fetch("contacts", &["firstname"], &["1"]), &[reply(207, &read)]);
    assert_eq!(step.unwrap_err().kind, FaultKind::Unavailable);
}

#[test]
fn an_extra_field_is_read_for_a_thousand_records_and_paged() {
    let operation = Operation::Enrich {
        object: "companies".into(),
        field: "associations.parent_company".into(),
        ids: ids(&["1", "2", "3"]),
    };
    let kind = |id: u64| json!([{ "category": "HUBSPOT_DEFINED", "typeId": id, "label": null }]);
    let first = json!({ "status": "COMPLETE", "results": [
        { "from": { "id": "1" }, "to": [{ "toObjectId": 2, "associationTypes": kind(13) }], "paging": { "next": { "after": "n" } } },
        { "from": { "id": "3" }, "to": [{ "toObjectId": 2, "associationTypes": kind(13) }] },
    ], "numErrors": 1, "errors": [{ "status": "error", "category": "OBJECT_NOT_FOUND", "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND", "context": { "fromObjectId": ["2"] } }] });
    let second = json!({ "status": "COMPLETE", "results": [{ "from": { "id": "1" }, "to": [{ "toObjectId": 9, "associationTypes": kind(14) }] }] });
    let (requests, step) = play(&HubSpot::new(), &operation, &[reply(207, &first), reply(200, &second)]);
    assert_eq!(requests[0].path, "/crm/v4/associations/companies/companies/batch/read");
    assert_eq!(json_of(&requests[1]), json!({ "inputs": [{ "id": "1", "after": "n" }] }));
    let (records, _) = page(step);
    assert_eq!(records.len(), 1, "records without it are left out");
    assert_eq!(texts(records[0].fields.get("associations.parent_company")), ["9"]);
}

#[test]
fn the_number_of_records_is_the_search_s_total() {
    let (requests, step) = play(
        &HubSpot::new(),
        &Operation::Count("deals".into()),
        &[reply(200, &json!({ "total": 31_337, "results": [] }))],
    );
    assert_eq!(json_of(&requests[0])["limit"], 1);
    assert!(matches!(step.unwrap(), Step::Count(31_337)));
}

fn candidates(object: &str, key: Option<&str>, writes: &[Row<'_>]) -> Operation {
    let mode = WriteMode::Create { key: key.map(FieldName::from) };
    Operation::Candidates {
        batch: batch(object, mode, writes),
        fields: names(&["src_key"]),
        since: "2024-01-01T12:00:00Z".parse().unwrap(),
    }
}

#[test]
fn lost_contacts_are_read_back_by_their_key() {
    let operation = candidates(
        "contacts",
        Some("src_key"),
        &[("t1", None, &[("src_key", "old:1".into())]), ("t2", None, &[("src_key", "old:2".into())])],
    );
    let read = json!({ "results": [contact("7", &json!({ "src_key": "old:2" }))] });
    let (requests, step) = play(&HubSpot::new(), &operation, &[reply(207, &read)]);
    assert_eq!(requests[0].path, "/crm/v3/objects/contacts/batch/read");
    let body = json_of(&requests[0]);
    assert_eq!(body["idProperty"], "src_key");
    assert_eq!(body["inputs"], json!([{ "id": "old:1" }, { "id": "old:2" }]));
    assert_eq!(page(step).0[0].id, "7");
}

#[test]
fn lost_activities_are_looked_for_at_their_parents_and_orphans_by_key() {
    let operation = candidates(
        "notes",
        Some("src_key"),
        &[
            ("t1", None, &[("src_key", "old:1".into()), ("associations.deals", Value::List(vec!["4".into()]))]),
            ("t2", None, &[("src_key", "Old:2".into())]),
        ],
    );
    let children = json!({ "results": [{ "from": { "id": "4" }, "to": [{ "toObjectId": 70, "associationTypes": [] }, { "toObjectId": 60, "associationTypes": [] }] }] });
    let found = json!({ "total": 1, "results": [contact("71", &json!({}))] });
    let fresh = |id: &str, made: &str| json!({ "id": id, "createdAt": made, "properties": { "src_key": "old:1" } });
    let read = json!({ "results": [fresh("70", "2024-01-01T12:00:30Z"), fresh("60", "2023-01-01T00:00:00Z"), fresh("71", "2024-01-01T11:59:00Z")] });
    let (requests, step) =
        play(&HubSpot::new(), &operation, &[reply(200, &children), reply(200, &found), reply(200, &read)]);
    assert_eq!(requests[0].path, "/crm/v4/associations/deals/notes/batch/read");
    assert_eq!(
        json_of(&requests[1])["filterGroups"][0]["filters"][0],
        json!({ "propertyName": "src_key", "operator": "EQ", "value": "Old:2" })
    );
    assert_eq!(json_of(&requests[2])["inputs"], json!([{ "id": "70" }, { "id": "60" }, { "id": "71" }]));
    let found: Vec<String> = page(step).0.iter().map(|record| record.id.to_string()).collect();
    assert_eq!(found, ["70", "71"], "an old one cannot be it");
}

#[test]
fn attachments_are_the_files_of_notes() {
    let note = json!({ "id": "30", "properties": { "hs_attachment_ids": "8;9;8", "hs_timestamp": "2024-01-01T00:00:00Z", "hubspot_owner_id": "5" },
        "associations": { "deals": { "results": [{ "id": "4", "type": "note_to_deal" }] } } });
    let bare =
        json!({ "id": "31", "properties": { "hs_attachment_ids": null, "hs_timestamp": "2024-01-01T00:00:00Z" } });
    let notes = json!({ "results": [note, bare], "paging": { "next": { "after": "32" } } });
    let file = json!({ "id": "8", "name": "offer", "extension": "pdf", "size": 12, "path": "/in/offer.pdf" });
    let dialect = HubSpot::new();
    let (_, step) =
        play(&dialect, &Operation::Describe("attachments".into()), &[reply(200, &json!({ "results": [] }))]);
    dialect.learn(&super::schema(step));
    let operation = list("attachments", &["name", "size", "hs_timestamp", "hubspot_owner_id", "associations.deals"]);
    let (requests, step) = play(&dialect, &operation, &[reply(200, &notes), reply(200, &file), reply(404, &json!({}))]);
    assert_eq!(requests[0].path, "/crm/v3/objects/notes");
    assert_eq!(requests[1].path, "/files/v3/files/8");
    let (records, next) = page(step);
    assert!(next.is_some());
    assert_eq!(records.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(), ["30:8", "30:9"]);
    assert_eq!(texts(records[0].fields.get("name")), ["offer.pdf"]);
    assert!(records[0].fields.get("size") == Some(&Value::Number(12.into())));
    assert!(records[0].fields.get("hs_timestamp") == Some(&Value::DateTime("2024-01-01T00:00:00Z".parse().unwrap())));
    assert_eq!(texts(records[0].fields.get("associations.deals")), ["4"]);
    assert!(records[0].fields.get("hs_attachment_ids").is_none());
    assert!(records[1].fields.get("name") == Some(&Value::Null), "the file is gone, the note still names it");
}

#[test]
fn attachments_by_id_are_those_asked_for() {
    let read = json!({ "results": [{ "id": "30", "properties": { "hs_attachment_ids": "8;9" } }] });
    let (requests, step) =
        play(&HubSpot::new(), &fetch("attachments", &["hs_timestamp"], &["30:9"]), &[reply(200, &read)]);
    assert_eq!(json_of(&requests[0])["inputs"], json!([{ "id": "30" }]));
    assert_eq!(page(step).0.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(), ["30:9"]);
}

#[test]
fn bytes_come_from_a_signed_address() {
    for (object, id) in [("files", "8"), ("attachments", "30:8")] {
        let operation = Operation::Download { object: object.into(), id: id.into(), to: "/tmp/x".into() };
        let signed = reply(200, &json!({ "url": "https://files.example/8?sig=1" }));
        let mut sunk = reply(200, &json!(null));
        sunk.sunk = Some(Content { path: "/tmp/x".into(), bytes: 1, blake3: String::new() });
        let (requests, step) = play(&HubSpot::new(), &operation, &[signed, sunk]);
        assert_eq!(requests[0].path, "/files/v3/files/8/signed-url");
        assert_eq!(requests[1].host, Host::Given("https://files.example/8?sig=1".into()));
        assert!(requests[1].sink.is_some() && requests[0].sink.is_none());
        assert!(matches!(step.unwrap(), Step::Downloaded));
    }
}

#[test]
fn a_lost_upload_is_looked_up_by_its_path() {
    let operation =
        candidates("files", None, &[("t", None, &[("folderPath", "/from old/é".into()), ("name", "a b.pdf".into())])]);
    let Operation::Candidates { batch, since, .. } = operation else { panic!() };
    let operation = Operation::Candidates { batch, since, fields: names(&["name", "size", "folderPath"]) };
    let there =
        json!({ "file": { "id": "8", "name": "a b", "extension": "pdf", "size": 3, "path": "/from old/é/a b.pdf" } });
    let renamed = json!({ "results": [there["file"], { "id": "9", "name": "a b-1", "extension": "pdf", "size": 3, "path": "/from old/é/a b-1.pdf" }] });
    let (requests, step) = play(&HubSpot::new(), &operation, &[reply(200, &there), reply(200, &renamed)]);
    assert_eq!(query(&requests[1], "name"), Some("a b"));
    assert_eq!(
        (requests[0].method, requests[0].path.as_str()),
        (Method::Get, "/files/v3/files/stat/from%20old/%C3%A9/a%20b.pdf")
    );
    let (records, _) = page(step);
    assert_eq!(records.len(), 2, "by its path, and under the number that it may have got");
    assert_eq!(texts(records[0].fields.get("name")), ["a b.pdf"]);
    assert_eq!(texts(records[0].fields.get("folderPath")), ["/from old/é"]);
    let (_, step) = play(
        &HubSpot::new(),
        &operation,
        &[
            reply(404, &json!({ "status": "error", "message": "No file or folder exists at path" })),
            reply(200, &json!({ "results": [] })),
        ],
    );
    assert!(page(step).0.is_empty());
}

#[test]
fn what_cannot_be_listed_is_refused_and_a_foreign_position_too() {
    let deleted = |object: &str| {
        Operation::List(Read { object: object.into(), fields: Arc::from([]), which: Which::Deleted, since: None })
    };
    let dialect = HubSpot::new();
    assert!(dialect.encode(&deleted("files"), None).is_err());
    assert!(dialect.encode(&deleted("attachments"), None).is_err());
    assert!(dialect.encode(&list("unicorns", &[]), None).is_err());
    assert!(dialect.encode(&list("contacts", &[]), Some(&handover_connect::Cursor("?".into()))).is_err());
}
