//! Describe, beside what was recorded of the real one.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::{Org, refused};

fn field<'a>(describe: &'a Json, name: &str) -> &'a Json {
    describe["fields"].as_array().unwrap().iter().find(|field| field["name"] == name).unwrap()
}

#[test]
fn every_object_is_described() {
    let mut org = Org::new();
    let list = org.get("sobjects");
    assert_eq!((&list["encoding"], &list["maxBatchSize"]), (&json!("UTF-8"), &json!(200)));
    let names: BTreeSet<&str> =
        list["sobjects"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    for name in [
        "Account",
        "Contact",
        "Lead",
        "Opportunity",
        "OpportunityContactRole",
        "Task",
        "Event",
        "Case",
        "Campaign",
        "CampaignMember",
        "Product2",
        "Pricebook2",
        "PricebookEntry",
        "OpportunityLineItem",
        "User",
        "Group",
        "RecordType",
        "OpportunityStage",
        "LeadStatus",
        "TaskStatus",
        "CaseStatus",
        "ContentVersion",
        "ContentDocument",
        "ContentDocumentLink",
        "Note",
        "Attachment",
        "Organization",
    ] {
        assert!(names.contains(name), "{name}");
        let describe = org.get(&format!("sobjects/{name}/describe"));
        assert_eq!(field(&describe, "Id")["type"], "id");
        assert_eq!(describe["keyPrefix"].as_str().unwrap().len(), 3);
    }
}

#[test]
fn fields_are_described_as_they_are() {
    let mut org = Org::keyed();
    let contact = org.get("sobjects/contact/describe");
    assert_eq!(contact["name"], "Contact");
    let key = field(&contact, "Src_Id__c");
    assert_eq!(
        (&key["externalId"], &key["unique"], &key["custom"], &key["length"]),
        (&json!(true), &json!(true), &json!(true), &json!(40))
    );
    let account = field(&contact, "AccountId");
    assert_eq!((&account["referenceTo"], &account["relationshipName"]), (&json!(["Account"]), &json!("Account")));
    assert_eq!(account["label"], "Account ID");
    let email = field(&contact, "Email");
    assert_eq!((&email["idLookup"], &email["length"], &email["byteLength"]), (&json!(true), &json!(80), &json!(240)));
    let last = field(&contact, "LastName");
    assert_eq!(
        (&last["nillable"], &last["createable"], &last["defaultedOnCreate"]),
        (&json!(false), &json!(true), &json!(false))
    );
    assert_eq!(field(&contact, "Name")["createable"], false);
    let lead = org.get("sobjects/Lead/describe");
    assert_eq!(field(&lead, "OwnerId")["polymorphicForeignKey"], true);
    assert_eq!(
        field(&lead, "Status")["picklistValues"][0],
        json!({"active": true, "defaultValue": true,
        "label": "Open - Not Contacted", "validFor": null, "value": "Open - Not Contacted"})
    );
    let account = org.get("sobjects/Account/describe");
    let ways: Vec<&Json> = account["childRelationships"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|way| ["Contacts", "Cases"].contains(&way["relationshipName"].as_str().unwrap_or("")))
        .collect();
    assert_eq!((&ways[0]["restrictedDelete"], &ways[1]["cascadeDelete"]), (&json!(true), &json!(true)));
    assert_eq!(account["recordTypeInfos"][0]["recordTypeId"], "012000000000000AAA");
    assert_eq!(field(&account, "CreatedDate")["createable"], false);
    let counts = org.get("limits/recordCount?sObjects=User,OpportunityStage");
    assert_eq!(counts["sObjects"][0], json!({"count": 10, "name": "OpportunityStage"}));
}

/// The keys that the API gave for a field and for an object (recorded of v52).
#[test]
fn describe_has_every_key_of_the_real_one() {
    let field_keys = "aggregatable aiPredictionField autoNumber byteLength calculated calculatedFormula cascadeDelete caseSensitive \
        compoundFieldName controllerName createable custom defaultValue defaultValueFormula defaultedOnCreate dependentPicklist \
        deprecatedAndHidden digits displayLocationInDecimal encrypted externalId extraTypeInfo filterable filteredLookupInfo \
        formulaTreatNullNumberAsZero groupable highScaleNumber htmlFormatted idLookup inlineHelpText label length mask maskType name \
        nameField namePointing nillable permissionable picklistValues polymorphicForeignKey precision queryByDistance \
        referenceTargetField referenceTo relationshipName relationshipOrder restrictedDelete restrictedPicklist scale \
        searchPrefilterable soapType sortable type unique updateable writeRequiresMasterRead";
    let mut org = Org::new();
    let describe = org.get("sobjects/Opportunity/describe");
    let own: BTreeSet<&str> = field(&describe, "StageName").as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(own, field_keys.split_whitespace().collect::<BTreeSet<_>>());
    for key in [
        "fields",
        "childRelationships",
        "recordTypeInfos",
        "supportedScopes",
        "namedLayoutInfos",
        "urls",
        "keyPrefix",
        "networkScopeFieldName",
        "sobjectDescribeOption",
        "mergeable",
        "replicateable",
        "searchLayoutable",
    ] {
        assert!(describe.get(key).is_some(), "{key}");
    }
}

#[test]
fn an_unchanged_describe_is_not_sent_again() {
    let mut org = Org::new();
    let request = org
        .request("GET", "sobjects/Account/describe")
        .with_header("if-modified-since", "Fri, 20 Nov 2026 09:00:00 GMT");
    assert_eq!(org.send(&request).status, 304);
    org.wait(60);
    let new = json!({"FullName": "Account.New__c", "Metadata": {"type": "Text", "length": 5}});
    org.post("tooling/sobjects/CustomField", &new, 201);
    assert_eq!(org.send(&request).status, 200);
}

#[test]
fn record_types_dependencies_and_hidden_fields_show() {
    let mut org = Org::of(json!({
        "fields": {"Account": [
            {"name": "Area__c", "type": "picklist", "values": ["EU", "US"], "restricted": true},
            {"name": "Land__c", "type": "picklist", "controller": "Area__c", "values": [
                {"value": "DE", "valid_for": [0]}, {"value": "TX", "valid_for": [1]}]},
            {"name": "Secret__c", "hidden": true}]},
        "records": {"RecordType": [{"Id": "012Hs0000000001", "Name": "Shop", "DeveloperName": "Shop", "SobjectType": "Account", "IsActive": true},
            {"Id": "012Hs0000000002", "Name": "Old", "DeveloperName": "Old", "SobjectType": "Account", "IsActive": false}]}}));
    let account = org.get("sobjects/Account/describe");
    let land = field(&account, "Land__c");
    assert_eq!((&land["controllerName"], &land["dependentPicklist"]), (&json!("Area__c"), &json!(true)));
    // 0x80 and 0x40: the highest bit is the controller's first value.
    assert_eq!(
        (&land["picklistValues"][0]["validFor"], &land["picklistValues"][1]["validFor"]),
        (&json!("gA=="), &json!("QA=="))
    );
    assert!(account["fields"].as_array().unwrap().iter().all(|field| field["name"] != "Secret__c"));
    assert_eq!(account["recordTypeInfos"].as_array().unwrap().len(), 3);
    let shop = account["recordTypeInfos"][0]["recordTypeId"].clone();
    let old = account["recordTypeInfos"][1]["recordTypeId"].clone();
    org.create("Account", &json!({"Name": "x", "RecordTypeId": shop}));
    refused(
        org.call("POST", "sobjects/Account", Some(&json!({"Name": "x", "RecordTypeId": old}))),
        400,
        "INVALID_CROSS_REFERENCE_KEY",
    );
    refused(
        org.call("POST", "sobjects/Contact", Some(&json!({"LastName": "x", "RecordTypeId": shop}))),
        400,
        "INVALID_FIELD",
    );
    refused(org.ask("query", "SELECT Secret__c FROM Account"), 400, "INVALID_FIELD");
}
