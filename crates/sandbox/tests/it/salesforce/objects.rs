//! Custom objects: names, numbers, masters, lookups of their own.

use serde_json::json;

use super::{Org, refused};

fn org() -> Org {
    Org::of(json!({"objects": [
        {"name": "Project__c", "fields": [
            {"name": "Account__c", "type": "reference", "reference_to": ["Account"], "children": "Projects__r"},
            {"name": "Kind__c", "type": "picklist", "values": ["in", "out", {"value": "old", "inactive": true}], "restricted": true, "default": "in"},
            {"name": "Key__c", "external_id": true, "unique": true, "case_sensitive": true}]},
        {"name": "Hour__c", "number_format": "H-{0000}", "owner": false, "fields": [
            {"name": "Project__c", "type": "reference", "reference_to": ["Project__c"], "children": "Hours__r", "master_detail": true},
            {"name": "Amount__c", "type": "double", "precision": 5, "scale": 1, "required": true}]}]}))
}

#[test]
fn custom_objects_behave_as_described() {
    let mut org = org();
    let account = org.create("Account", &json!({"Name": "Acme"}));
    let project = org.create("Project__c", &json!({"Account__c": account, "Key__c": "k"}));
    assert!(project.starts_with("a0"));
    let row = org.get(&format!("sobjects/Project__c/{project}"));
    assert_eq!((&row["Name"], &row["Kind__c"]), (&json!(project), &json!("in")), "without a name the id stands for it");
    org.create("Project__c", &json!({"Name": "Other", "Key__c": "K"}));
    let old = json!({"Kind__c": "old"});
    refused(org.call("POST", "sobjects/Project__c", Some(&old)), 400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST");
    refused(org.call("POST", "sobjects/Hour__c", Some(&json!({"Amount__c": 1}))), 400, "REQUIRED_FIELD_MISSING");
    let hour = org.create("Hour__c", &json!({"Project__c": project, "Amount__c": 1.25}));
    let rows = org.query("SELECT Name, Amount__c, Project__r.Account__r.Name FROM Hour__c");
    assert_eq!((&rows[0]["Name"], &rows[0]["Amount__c"]), (&json!("H-0001"), &json!(1.3)));
    assert_eq!(rows[0]["Project__r"]["Account__r"]["Name"], "Acme");
    let nested = org.query("SELECT (SELECT Name FROM Projects__r) FROM Account");
    assert_eq!(nested[0]["Projects__r"]["totalSize"], 1);
    let task = org.create("Task", &json!({"Subject": "x", "WhatId": project}));
    org.delete("Project__c", &project);
    refused(org.call("GET", &format!("sobjects/Hour__c/{hour}"), None), 404, "ENTITY_IS_DELETED");
    refused(org.call("GET", &format!("sobjects/Task/{task}"), None), 404, "ENTITY_IS_DELETED");
}

#[test]
fn a_new_field_is_seen_when_it_is_granted() {
    let mut org = org();
    let field = json!({"FullName": "Account.Src__c", "Metadata": {"type": "Text", "label": "Src", "length": 40,
        "externalId": true, "unique": true}});
    org.post("tooling/sobjects/CustomField", &field, 201);
    refused(org.call("POST", "tooling/sobjects/CustomField", Some(&field)), 400, "DUPLICATE_DEVELOPER_NAME");
    refused(org.call("POST", "sobjects/Account", Some(&json!({"Name": "x", "Src__c": "1"}))), 400, "INVALID_FIELD");
    let grant = json!({"ParentId": "0PSHs0000000001", "SobjectType": "Account", "Field": "Account.Src__c",
        "PermissionsRead": true, "PermissionsEdit": true});
    org.post("sobjects/FieldPermissions", &grant, 201);
    org.patch("sobjects/Account/Src__c/1", &json!({"Name": "x"}), 201);
    org.patch("sobjects/Account/Src__c/1", &json!({"Name": "y"}), 200);
}
