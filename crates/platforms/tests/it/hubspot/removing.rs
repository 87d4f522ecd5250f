//! Deleting, merging, taking links away, histories: text in and text out.

use handover_connect::{
    Author, Dialect as _, FaultKind, Link, LinkBatch, Method, Operation, Reply, Step, WriteOutcome, Written,
};
use handover_platforms::hubspot::HubSpot;
use serde_json::{Value as Json, json};

use super::{ids, json_of, names, play, reply};

fn delete(object: &str, of: &[&str]) -> Operation {
    Operation::Delete { object: object.into(), ids: ids(of) }
}

fn merge(object: &str) -> Operation {
    Operation::Merge { object: object.into(), survivor: "1".into(), other: "2".into() }
}

fn nothing(status: u16) -> Reply {
    Reply { status, headers: Vec::new(), body: Vec::new(), sunk: None }
}

fn written(operation: &Operation, reply: &Reply) -> Vec<Written> {
    match HubSpot::new().decode(operation, None, reply).unwrap() {
        Step::Written(written) => written,
        other => panic!("{other:?}"),
    }
}

#[test]
fn records_are_archived_together_and_files_alone() {
    let dialect = HubSpot::new();
    let request = dialect.encode(&delete("contacts", &["1", "2"]), None).unwrap();
    assert_eq!((request.method, request.path.as_str()), (Method::Post, "/crm/v3/objects/contacts/batch/archive"));
    assert_eq!(json_of(&request), json!({"inputs": [{"id": "1"}, {"id": "2"}]}));
    assert!(request.idempotent);
    let request = dialect.encode(&delete("files", &["a/b"]), None).unwrap();
    assert_eq!((request.method, request.path.as_str()), (Method::Delete, "/files/v3/files/a%2Fb"));
    for status in [204, 404, 410] {
        assert!(matches!(
            &written(&delete("files", &["5"]), &nothing(status))[0].outcome,
            WriteOutcome::Applied { .. }
        ));
    }
}

#[test]
fn what_a_mixed_answer_to_a_delete_means() {
    let row = |ids: &[&str], category: &str| json!({"status": "error", "category": category, "message": "m", "context": {"ids": ids}});
    let body =
        json!({"status": "COMPLETE", "errors": [row(&["2"], "VALIDATION_ERROR"), row(&["3"], "OBJECT_NOT_FOUND")]});
    let outcomes = written(&delete("deals", &["1", "2", "3"]), &reply(207, &body));
    // The one refused; the others may be meant by nothing else.
    assert!(matches!(&outcomes[1].outcome, WriteOutcome::Refused(fault) if fault.kind == FaultKind::Invalid));
    assert!(matches!(&outcomes[0].outcome, WriteOutcome::Applied { .. }), "{outcomes:?}");
    assert!(matches!(&outcomes[2].outcome, WriteOutcome::Applied { .. }), "absent is deleted");
    let nameless = json!({"errors": [{"status": "error", "category": "VALIDATION_ERROR", "message": "m"}]});
    let outcomes = written(&delete("deals", &["1", "2"]), &reply(207, &nameless));
    assert!(outcomes.iter().all(|written| matches!(written.outcome, WriteOutcome::Unknown(_))), "{outcomes:?}");
    // A refusal of the whole leaves a batch open and refuses a single one.
    let whole = reply(400, &json!({"status": "error", "category": "VALIDATION_ERROR", "message": "m"}));
    let outcomes = written(&delete("deals", &["1", "2"]), &whole);
    assert!(outcomes.iter().all(|written| matches!(written.outcome, WriteOutcome::Unknown(_))), "{outcomes:?}");
    assert!(matches!(written(&delete("deals", &["1"]), &whole)[0].outcome, WriteOutcome::Refused(_)));
    let denied = reply(403, &json!({"status": "error", "category": "MISSING_SCOPES", "message": "m"}));
    let fault = HubSpot::new().decode(&delete("deals", &["1"]), None, &denied).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Denied);
}

#[test]
fn a_merge_is_sent_once_and_gives_the_id_to_use() {
    let request = HubSpot::new().encode(&merge("contacts"), None).unwrap();
    assert_eq!((request.method, request.path.as_str()), (Method::Post, "/crm/v3/objects/contacts/merge"));
    assert_eq!(json_of(&request), json!({"primaryObjectId": "1", "objectIdToMerge": "2"}));
    assert!(!request.idempotent);
    let outcome = |status: u16, body: &Json| written(&merge("contacts"), &reply(status, body)).remove(0);
    let merged = outcome(200, &json!({"id": "10017", "properties": {}}));
    assert!(merged.trace == "1" && matches!(merged.outcome, WriteOutcome::Applied { id, .. } if id == "10017"));
    // The ceiling of addresses on one contact has a status of its own (sheet: HubSpot section 7).
    let full = json!({"status": "error", "message": "Cannot have more than 250 identities on a profile", "category": "VALIDATION_ERROR"});
    let WriteOutcome::Refused(fault) = outcome(414, &full).outcome else { panic!("not refused") };
    assert_eq!((fault.kind, fault.status), (FaultKind::Invalid, 414));
    assert_eq!(fault.message, "Cannot have more than 250 identities on a profile");
    assert_eq!(HubSpot::new().encode(&merge("notes"), None).unwrap_err().kind, FaultKind::Unsupported);
    assert_eq!(
        HubSpot::new().decode(&merge("contacts"), None, &reply(200, &json!({}))).unwrap_err().kind,
        FaultKind::Malformed
    );
}

fn unlink(object: &str, field: &str, to_object: &str, pairs: &[(&str, &str)]) -> Operation {
    let links = pairs.iter().map(|(from, to)| Link { from: (*from).into(), to: (*to).into() }).collect();
    Operation::Unlink(LinkBatch { object: object.into(), field: field.into(), to_object: to_object.into(), links })
}

#[test]
fn plain_links_go_whole_and_typed_ones_lose_their_type() {
    let plain = unlink("contacts", "associations.companies", "companies", &[("1", "8"), ("2", "8"), ("1", "9")]);
    let (requests, step) = play(&HubSpot::new(), &plain, &[nothing(204)]);
    assert_eq!(requests[0].path, "/crm/v4/associations/contacts/companies/batch/archive");
    let inputs =
        json!([{"from": {"id": "1"}, "to": [{"id": "8"}, {"id": "9"}]}, {"from": {"id": "2"}, "to": [{"id": "8"}]}]);
    assert_eq!(json_of(&requests[0])["inputs"], inputs);
    let Step::Linked(outcomes) = step.unwrap() else { panic!("no links") };
    assert!(outcomes.len() == 3 && outcomes.iter().all(|outcome| outcome.result.is_ok()));
    let typed = unlink("companies", "associations.parent_company", "companies", &[("1", "8")]);
    let (requests, _) = play(&HubSpot::new(), &typed, &[nothing(204)]);
    assert_eq!(requests[0].path, "/crm/v4/associations/companies/companies/batch/labels/archive");
    let spec = json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 14}]);
    assert_eq!(json_of(&requests[0])["inputs"], json!([{"from": {"id": "1"}, "to": {"id": "8"}, "types": spec}]));
}

#[test]
fn many_links_go_a_hundred_at_a_time() {
    let ids: Vec<String> = (1..=250).map(|n| n.to_string()).collect();
    let pairs: Vec<(&str, &str)> = ids.iter().map(|id| (id.as_str(), "8")).collect();
    let operation = unlink("contacts", "associations.companies", "companies", &pairs);
    let (requests, step) = play(&HubSpot::new(), &operation, &[nothing(204), nothing(204), nothing(204)]);
    let sizes: Vec<usize> =
        requests.iter().map(|request| json_of(request)["inputs"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [100, 100, 50]);
    assert!(matches!(step.unwrap(), Step::Linked(outcomes) if outcomes.len() == 250));
    // One record with as many: no more targets in an input than inputs in a call.
    let pairs: Vec<(&str, &str)> = ids.iter().map(|id| ("7", id.as_str())).collect();
    let operation = unlink("contacts", "associations.companies", "companies", &pairs);
    let (requests, _) = play(&HubSpot::new(), &operation, &[nothing(204)]);
    assert_eq!(json_of(&requests[0])["inputs"].as_array().unwrap().len(), 3);
    // What the answer refuses is no success.
    let bad = json!({"errors": [{"status": "error", "category": "VALIDATION_ERROR", "subCategory": "crm.associations.INVALID_ASSOCIATION_TYPE"}]});
    let fault = HubSpot::new().decode(&operation, None, &reply(207, &bad)).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Invalid);
}

#[test]
fn the_newest_version_tells_who() {
    let version =
        |at: &str, source: &str, id: &str| json!({"value": "x", "timestamp": at, "sourceType": source, "sourceId": id});
    let early = "2024-01-01T00:00:00Z";
    let operation = Operation::History {
        object: "contacts".into(),
        fields: names(&["city", "phone", "zip", "state", "fax", "jobtitle", "associations.companies"]),
        ids: ids(&["1"]),
    };
    let body = json!({"results": [{"id": "1", "properties": {}, "propertiesWithHistory": {
        "city": [version(early, "CRM_UI", "userId:1"), version("2024-02-01T00:00:00Z", "INTEGRATION", "99")],
        "phone": [version("2024-02-01T00:00:00Z", "CRM_UI", "userId:7"), version(early, "API", "99")],
        "zip": [version(early, "AUTOMATION_PLATFORM", "workflowId:3")],
        "state": [version(early, "WORKFLOWS", "3")],
        "fax": [version(early, "SOMETHING_NEW", "")],
        "jobtitle": []}}], "errors": [{"category": "OBJECT_NOT_FOUND", "context": {"ids": ["2"]}}]});
    let (requests, step) = play(&HubSpot::new(), &operation, &[reply(207, &body)]);
    assert_eq!(requests[0].path, "/crm/v3/objects/contacts/batch/read");
    assert_eq!(
        json_of(&requests[0])["propertiesWithHistory"],
        json!(["city", "phone", "zip", "state", "fax", "jobtitle"])
    );
    let Step::History(changes) = step.unwrap() else { panic!("no history") };
    let who: Vec<(&str, &Author)> = changes.iter().map(|change| (change.field.as_str(), &change.by)).collect();
    let (app, user) = (Author::Program(Some("99".into())), Author::Person(Some("7".into())));
    let expected = [
        ("city", &app),
        ("phone", &user),
        ("zip", &Author::Platform),
        ("state", &Author::Platform),
        ("fax", &Author::Unknown),
    ];
    assert_eq!(who, expected);
    assert!(changes.iter().all(|change| change.record == *"1"));
    let only_links =
        Operation::History { object: "contacts".into(), fields: names(&["associations.companies"]), ids: ids(&["1"]) };
    assert_eq!(HubSpot::new().encode(&only_links, None).unwrap_err().kind, FaultKind::Unsupported);
}
