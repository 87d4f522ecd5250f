//! One record: create, get, update, upsert, delete.

use handover_sandbox::Request;
use serde_json::{Value as Json, json};

use super::{Org, refused};

#[test]
fn a_record_is_created_read_updated_and_deleted() {
    let mut org = Org::new();
    let id = org.create("Account", &json!({"Name": "  Acme ", "BillingCity": "Bonn", "AnnualRevenue": 12.6}));
    assert_eq!((id.len(), &id[..3]), (18, "001"));
    let record = org.get(&format!("sobjects/Account/{id}"));
    assert_eq!(
        record["attributes"],
        json!({"type": "Account", "url": format!("/services/data/v66.0/sobjects/Account/{id}")})
    );
    assert_eq!(record["Name"], "Acme");
    assert_eq!(record["BillingAddress"]["city"], "Bonn");
    assert_eq!(record["ShippingAddress"], Json::Null);
    assert_eq!(record["CreatedDate"], "2026-11-20T09:00:00.000+0000");
    assert_eq!(record["AnnualRevenue"], 13.0);
    assert_eq!(record["IsDeleted"], false);
    org.wait(60);
    org.patch(&format!("sobjects/Account/{id}"), &json!({"BillingCity": "", "Rating": "Lukewarm"}), 204);
    let record = org.get(&format!("sobjects/account/{}?fields=BillingCity,Rating,SystemModstamp", &id[..15]));
    assert_eq!(record["SystemModstamp"], "2026-11-20T09:01:00.000+0000");
    assert_eq!((&record["BillingCity"], &record["Rating"]), (&Json::Null, &json!("Lukewarm")));
    assert_eq!(record.as_object().unwrap().len(), 5, "the fields asked for, Id and attributes: {record}");
    org.delete("Account", &id);
    let gone = org.call("DELETE", &format!("sobjects/Account/{id}"), None);
    assert_eq!(gone, (404, json!([{"errorCode": "ENTITY_IS_DELETED", "message": "entity is deleted", "fields": []}])));
}

/// Status, code and fields of what a create answers.
fn check(org: &mut Org, object: &str, body: Json, code: &str, fields: Option<&[&str]>) {
    let (status, reply) = org.call("POST", &format!("sobjects/{object}"), Some(&body));
    assert_eq!((status, reply[0]["errorCode"].as_str()), (400, Some(code)), "{body}: {reply}");
    let told = fields.map_or(Json::Null, |fields| json!(fields));
    assert_eq!(reply[0]["fields"], told, "{reply}");
}

#[test]
fn a_create_is_refused_as_the_platform_refuses() {
    let mut org = Org::keyed();
    let account = org.create("Account", &json!({"Name": "Acme", "Src_Id__c": "A-1"}));
    let contact = org.create("Contact", &json!({"LastName": "Lee"}));
    let cases: Vec<(&str, Json, &str, Option<&[&str]>)> = vec![
        ("Contact", json!({}), "REQUIRED_FIELD_MISSING", Some(&["LastName"])),
        ("Account", json!({"Name": "  "}), "REQUIRED_FIELD_MISSING", Some(&["Name"])),
        ("Account", json!({"Name": "x", "Colour": 1}), "INVALID_FIELD", None),
        (
            "Account",
            json!({"Name": "x", "CreatedDate": "2020-01-01T00:00:00Z"}),
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            Some(&["CreatedDate"]),
        ),
        ("Account", json!({"Name": "x", "Id": account}), "INVALID_FIELD_FOR_INSERT_UPDATE", Some(&["Id"])),
        ("Account", json!({"Name": "x".repeat(256)}), "STRING_TOO_LONG", Some(&["Name"])),
        ("Account", json!({"Name": "x", "AnnualRevenue": "12"}), "JSON_PARSER_ERROR", None),
        (
            "Account",
            json!({"Name": "x", "AnnualRevenue": 1e18}),
            "NUMBER_OUTSIDE_VALID_RANGE",
            Some(&["AnnualRevenue"]),
        ),
        ("Account", json!({"Name": "x", "NumberOfEmployees": 1.5}), "JSON_PARSER_ERROR", None),
        ("Account", json!({"Name": "x", "CleanStatus": 1}), "INVALID_FIELD", None),
        (
            "Account",
            json!({"Name": "x", "BillingGeocodeAccuracy": "Near"}),
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            Some(&["BillingGeocodeAccuracy"]),
        ),
        ("Account", json!({"Name": "x", "Src_Id__c": "a-1"}), "DUPLICATE_VALUE", Some(&["Src_Id__c"])),
        ("Account", json!({"Name": "x", "ParentId": "001"}), "MALFORMED_ID", Some(&["ParentId"])),
        ("Account", json!({"Name": "x", "ParentId": contact}), "FIELD_INTEGRITY_EXCEPTION", Some(&["ParentId"])),
        // An id that was recorded, and the same with a wrong check character.
        ("Account", json!({"Name": "x", "ParentId": "001D000000IqhSLIAZ"}), "INVALID_CROSS_REFERENCE_KEY", Some(&[])),
        ("Account", json!({"Name": "x", "ParentId": "001D000000IqhSLIAA"}), "MALFORMED_ID", Some(&["ParentId"])),
        ("Account", json!({"Name": "x", "ParentId": "001Hs0000zzzzzz"}), "INVALID_CROSS_REFERENCE_KEY", Some(&[])),
        ("Contact", json!({"LastName": "x", "Email": "no address"}), "INVALID_EMAIL_ADDRESS", Some(&["Email"])),
        ("Contact", json!({"LastName": "x", "Birthdate": "20.11.1970"}), "JSON_PARSER_ERROR", None),
        ("Contact", json!({"LastName": "x", "Account": {"Src_Id__c": "A-9"}}), "INVALID_FIELD", None),
        ("Contact", json!({"LastName": "x", "Account": {"Name": "Acme"}}), "INVALID_FIELD", None),
    ];
    for (object, body, code, fields) in cases {
        check(&mut org, object, body, code, fields);
    }
    assert_eq!(org.query("SELECT Id FROM Account").len(), 1, "a refused row leaves nothing");
    let text = org.request("POST", "sobjects/Account").with_header("content-type", "application/json");
    let broken = org.send(&Request { body: b"{\"Name\": ".to_vec(), ..text });
    refused((broken.status, broken.body_json()), 400, "JSON_PARSER_ERROR");
    refused(org.call("POST", "sobjects/Nothing", Some(&json!({}))), 404, "NOT_FOUND");
    refused(org.call("PUT", "sobjects/Account", Some(&json!({}))), 405, "METHOD_NOT_ALLOWED");
    refused(org.call("GET", "sobjects/Account/001Hs0000zzzzzz", None), 404, "NOT_FOUND");
    let shape = refused(org.call("GET", "sobjects/Account/23foo", None), 404, "NOT_FOUND");
    assert_eq!(shape, "Provided external ID field does not exist or is not accessible: 23foo");
}

#[test]
fn an_upsert_creates_then_updates_and_never_chooses_between_two() {
    let mut org = Org::of(json!({"fields": {"Account": [
        {"name": "Src_Id__c", "external_id": true, "unique": true}, {"name": "Loose__c", "external_id": true}]}}));
    let path = "sobjects/Account/Src_Id__c/A-1";
    let made = org.patch(path, &json!({"Name": "Acme"}), 201);
    assert_eq!(made["created"], true);
    let again = org.patch(path, &json!({"Name": "Acme 2"}), 200);
    assert_eq!((&again["id"], &again["created"]), (&made["id"], &json!(false)));
    assert_eq!(org.get(path)["Name"], "Acme 2");
    refused(org.call("PATCH", path, Some(&json!({"Src_Id__c": "A-1"}))), 400, "INVALID_FIELD");
    refused(org.call("PATCH", "sobjects/Account/Site/x", Some(&json!({}))), 404, "NOT_FOUND");
    refused(
        org.call("PATCH", "sobjects/Account/Src_Id__c/B?updateOnly=true", Some(&json!({"Name": "B"}))),
        404,
        "NOT_FOUND",
    );
    refused(org.call("GET", "sobjects/Account/Src_Id__c/B", None), 404, "NOT_FOUND");
    // Before v46 an update had no body.
    org.patch("/services/data/v45.0/sobjects/Account/Src_Id__c/A-1", &json!({"Name": "Acme 3"}), 204);
    for name in ["One", "Two"] {
        org.create("Account", &json!({"Name": name, "Loose__c": "L"}));
    }
    let (status, urls) = org.call("PATCH", "sobjects/Account/Loose__c/L", Some(&json!({"Name": "x"})));
    assert_eq!((status, urls.as_array().unwrap().len()), (300, 2));
    assert!(urls[0].as_str().unwrap().starts_with("/services/data/v66.0/sobjects/Account/001"));
}

#[test]
fn parents_are_named_by_their_keys() {
    let mut org = Org::keyed();
    let account = org.create("Account", &json!({"Name": "Acme", "Src_Id__c": "A-1"}));
    let contact =
        org.create("Contact", &json!({"LastName": "Lee", "Src_Id__c": "C-1", "Account": {"Src_Id__c": "a-1"}}));
    assert_eq!(org.value("Contact", &contact, "AccountId"), json!(account));
    let who = json!({"Subject": "Call", "Who": {"attributes": {"type": "Contact"}, "Src_Id__c": "C-1"}});
    let task = org.create("Task", &who);
    assert_eq!(org.value("Task", &task, "WhoId"), json!(contact));
    assert_eq!(org.value("Task", &task, "AccountId"), json!(account));
    let untyped = json!({"Subject": "Call", "Who": {"Src_Id__c": "C-1"}});
    refused(org.call("POST", "sobjects/Task", Some(&untyped)), 400, "INVALID_FIELD");
}

#[test]
fn an_update_can_be_bound_to_a_time() {
    let mut org = Org::new();
    let id = org.create("Account", &json!({"Name": "Acme"}));
    let path = format!("sobjects/Account/{id}");
    let early = org.request("PATCH", &path).with_header("if-unmodified-since", "Fri, 20 Nov 2026 08:59:59 GMT");
    let reply = org.send(&early.with_json(&json!({"Site": "x"})));
    assert_eq!(reply.status, 412);
    let right = org.request("PATCH", &path).with_header("if-unmodified-since", "Fri, 20 Nov 2026 09:00:00 GMT");
    assert_eq!(org.send(&right.with_json(&json!({"Site": "x"}))).status, 204);
    let unchanged = org.request("GET", &path).with_header("if-modified-since", "Fri, 20 Nov 2026 09:00:00 GMT");
    assert_eq!(org.send(&unchanged).status, 304);
}

#[test]
fn owners_are_active_users_and_dates_are_set_with_permission_alone() {
    let users = json!([
        {"Username": "ada@x.example", "LastName": "Ada", "Alias": "ada", "Email": "ada@x.example", "IsActive": true},
        {"Id": "005Hs00000000XX", "Username": "gone@x.example", "LastName": "Gone", "Alias": "g", "Email": "g@x.example",
         "IsActive": false}]);
    let mut org = Org::of(json!({"records": {"User": users}}));
    let owned = json!({"Name": "x", "OwnerId": "005Hs00000000XX"});
    refused(org.call("POST", "sobjects/Account", Some(&owned)), 400, "INACTIVE_OWNER_OR_USER");
    let settings = json!({"audit_fields": true, "inactive_owners": true});
    let mut org = Org::of(json!({"settings": settings, "records": {"User": users}}));
    let id = org.create(
        "Account",
        &json!({"Name": "x", "OwnerId": "005Hs00000000XX", "CreatedDate": "2020-02-03T04:05:06+01:00"}),
    );
    assert_eq!(org.value("Account", &id, "CreatedDate"), "2020-02-03T03:05:06.000+0000");
    assert_eq!(org.value("Account", &id, "LastModifiedDate"), "2026-11-20T09:00:00.000+0000");
    let (_, wrong) =
        org.call("PATCH", &format!("sobjects/Account/{id}"), Some(&json!({"CreatedDate": "2021-01-01T00:00:00Z"})));
    assert_eq!(wrong[0]["errorCode"], "INVALID_FIELD_FOR_INSERT_UPDATE");
}
