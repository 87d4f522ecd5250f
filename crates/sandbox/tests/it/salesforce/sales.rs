//! What Salesforce fills in and refuses of its own accord.

use serde_json::{Value as Json, json};

use super::{Org, refused};

#[test]
fn a_stage_sets_probability_and_forecast_unless_they_are_sent() {
    let mut org = Org::new();
    let deal = |stage: &str| json!({"Name": "D", "StageName": stage, "CloseDate": "2026-12-01", "Amount": 200});
    let id = org.create("Opportunity", &deal("Needs Analysis"));
    let path =
        format!("sobjects/Opportunity/{id}?fields=Probability,ForecastCategoryName,ExpectedRevenue,IsClosed,IsWon");
    let row = org.get(&path);
    assert_eq!((&row["Probability"], &row["ForecastCategoryName"]), (&json!(20), &json!("Pipeline")));
    assert_eq!((&row["ExpectedRevenue"], &row["IsClosed"]), (&json!(40.0), &json!(false)));
    org.patch(&format!("sobjects/Opportunity/{id}"), &json!({"StageName": "Closed Won"}), 204);
    let row = org.get(&path);
    assert_eq!((&row["Probability"], &row["IsClosed"], &row["IsWon"]), (&json!(100), &json!(true), &json!(true)));
    let mut own = deal("Prospecting");
    own["Probability"] = json!(33);
    let id = org.create("Opportunity", &own);
    assert_eq!(org.value("Opportunity", &id, "Probability"), 33.0);
}

/// An opportunity with a price book that has one price; the ids of opportunity, product and price.
fn shop(org: &mut Org) -> (String, String, String) {
    let book = org.texts("Id", "SELECT Id FROM Pricebook2 WHERE IsStandard = true").remove(0);
    let own = org.create("Pricebook2", &json!({"Name": "Own", "IsActive": true}));
    let product = org.create("Product2", &json!({"Name": "Chair", "ProductCode": "C1", "IsActive": true}));
    let price = |book: &str| json!({"Pricebook2Id": book, "Product2Id": product, "UnitPrice": 10, "IsActive": true});
    refused(org.call("POST", "sobjects/PricebookEntry", Some(&price(&own))), 400, "STANDARD_PRICE_NOT_DEFINED");
    let entry = org.create("PricebookEntry", &price(&book));
    refused(org.call("POST", "sobjects/PricebookEntry", Some(&price(&book))), 400, "DUPLICATE_VALUE");
    org.create("PricebookEntry", &price(&own));
    let deal =
        json!({"Name": "D", "StageName": "Prospecting", "CloseDate": "2026-12-01", "Amount": 1, "Pricebook2Id": book});
    (org.create("Opportunity", &deal), product, entry)
}

#[test]
fn lines_make_the_amount() {
    let mut org = Org::new();
    let (deal, product, entry) = shop(&mut org);
    let line = |fields: Json| {
        let mut line = json!({"OpportunityId": deal, "Quantity": 3});
        line.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        line
    };
    let first = org.create("OpportunityLineItem", &line(json!({"PricebookEntryId": entry, "UnitPrice": 9})));
    let second = org.create("OpportunityLineItem", &line(json!({"PricebookEntryId": entry, "TotalPrice": 30.3})));
    assert_eq!(org.value("OpportunityLineItem", &second, "Product2Id"), *product);
    assert_eq!(org.value("OpportunityLineItem", &second, "UnitPrice"), 10.1);
    assert_eq!(org.value("Opportunity", &deal, "Amount"), 57.3);
    org.patch(&format!("sobjects/Opportunity/{deal}"), &json!({"Amount": 5, "NextStep": "call"}), 204);
    assert_eq!(
        org.value("Opportunity", &deal, "Amount"),
        57.3,
        "the amount of lines cannot be written, and nothing says so"
    );
    org.delete("OpportunityLineItem", &first);
    assert_eq!(org.value("Opportunity", &deal, "Amount"), 30.3);
    let both = line(json!({"PricebookEntryId": entry, "TotalPrice": 30, "UnitPrice": 10}));
    refused(org.call("POST", "sobjects/OpportunityLineItem", Some(&both)), 400, "FIELD_INTEGRITY_EXCEPTION");
    let by_product = line(json!({"Product2Id": product, "UnitPrice": 10}));
    refused(
        org.call("POST", "sobjects/OpportunityLineItem", Some(&by_product)),
        400,
        "INVALID_FIELD_FOR_INSERT_UPDATE",
    );
}

#[test]
fn the_first_line_says_by_which_book_an_opportunity_sells() {
    let mut org = Org::new();
    let (_, _, entry) = shop(&mut org);
    let deal = org.create("Opportunity", &json!({"Name": "D", "StageName": "Prospecting", "CloseDate": "2026-12-01"}));
    let line = json!({"OpportunityId": deal, "PricebookEntryId": entry, "Quantity": 1});
    let standard = org.texts("Id", "SELECT Id FROM Pricebook2 WHERE IsStandard = true").remove(0);
    org.patch(&format!("sobjects/Pricebook2/{standard}"), &json!({"IsActive": false}), 204);
    refused(org.call("POST", "sobjects/OpportunityLineItem", Some(&line)), 400, "FIELD_INTEGRITY_EXCEPTION");
    org.patch(&format!("sobjects/Pricebook2/{standard}"), &json!({"IsActive": true}), 204);
    org.patch(&format!("sobjects/PricebookEntry/{entry}"), &json!({"IsActive": false}), 204);
    refused(org.call("POST", "sobjects/OpportunityLineItem", Some(&line)), 400, "FIELD_INTEGRITY_EXCEPTION");
    org.patch(&format!("sobjects/PricebookEntry/{entry}"), &json!({"IsActive": true}), 204);
    org.create("OpportunityLineItem", &line);
    assert_eq!(org.value("Opportunity", &deal, "Pricebook2Id"), *standard);
    let own = org.texts("Id", "SELECT Id FROM Pricebook2 WHERE IsStandard = false").remove(0);
    let other = org.call("PATCH", &format!("sobjects/Opportunity/{deal}"), Some(&json!({"Pricebook2Id": own})));
    refused(other, 400, "FIELD_INTEGRITY_EXCEPTION");
}

#[test]
fn people_in_deals_and_campaigns_are_there_once() {
    let mut org = Org::new();
    let deal = org.create("Opportunity", &json!({"Name": "D", "StageName": "Prospecting", "CloseDate": "2026-12-01"}));
    let (a, b) = (org.create("Contact", &json!({"LastName": "A"})), org.create("Contact", &json!({"LastName": "B"})));
    let role =
        |contact: &str| json!({"OpportunityId": deal, "ContactId": contact, "IsPrimary": true, "Role": "Evaluator"});
    let first = org.create("OpportunityContactRole", &role(&a));
    org.create("OpportunityContactRole", &role(&b));
    assert_eq!(org.value("OpportunityContactRole", &first, "IsPrimary"), false);
    assert_eq!(org.value("Opportunity", &deal, "ContactId"), *b);
    // The contact that it is created with has the primary role; later the roles alone say it.
    let body = json!({"Name": "E", "StageName": "Prospecting", "CloseDate": "2026-12-01", "ContactId": a});
    let other = org.create("Opportunity", &body);
    let of_other = format!("SELECT ContactId, IsPrimary FROM OpportunityContactRole WHERE OpportunityId = '{other}'");
    let roles = org.query(&of_other);
    assert_eq!((roles.len(), &roles[0]["ContactId"], &roles[0]["IsPrimary"]), (1, &json!(a), &json!(true)));
    let later = org.call("PATCH", &format!("sobjects/Opportunity/{other}"), Some(&json!({"ContactId": b})));
    refused(later, 400, "INVALID_FIELD_FOR_INSERT_UPDATE");
    let campaign = org.create("Campaign", &json!({"Name": "Fair"}));
    let member = json!({"CampaignId": campaign, "ContactId": a, "Status": "Responded"});
    let id = org.create("CampaignMember", &member);
    assert_eq!(org.value("CampaignMember", &id, "HasResponded"), true);
    refused(org.call("POST", "sobjects/CampaignMember", Some(&member)), 400, "DUPLICATE_VALUE");
    let nobody = json!({"CampaignId": campaign});
    refused(org.call("POST", "sobjects/CampaignMember", Some(&nobody)), 400, "FIELD_INTEGRITY_EXCEPTION");
}

#[test]
fn activities_and_cases_complete_themselves() {
    let mut org = Org::new();
    let task = org.create("Task", &json!({"Subject": "x", "Status": "Completed", "Priority": "High"}));
    assert_eq!(org.value("Task", &task, "IsClosed"), true);
    refused(org.call("POST", "sobjects/Event", Some(&json!({"Subject": "x"}))), 400, "REQUIRED_FIELD_MISSING");
    let event = org.create(
        "Event",
        &json!({"Subject": "x", "StartDateTime": "2026-12-01T23:30:00Z", "EndDateTime": "2026-12-02T00:15:00Z"}),
    );
    let row = org.get(&format!("sobjects/Event/{event}?fields=DurationInMinutes,ActivityDate,EndDate"));
    assert_eq!((&row["DurationInMinutes"], &row["EndDate"]), (&json!(45), &json!("2026-12-02")));
    org.patch(&format!("sobjects/Event/{event}"), &json!({"DurationInMinutes": 10}), 204);
    assert_eq!(org.value("Event", &event, "EndDateTime"), "2026-12-01T23:40:00.000+0000");
    let lead = org.create("Lead", &json!({"LastName": "L", "Company": "C"}));
    let account = org.create("Account", &json!({"Name": "A"}));
    let both = json!({"Subject": "x", "WhoId": lead, "WhatId": account});
    refused(org.call("POST", "sobjects/Task", Some(&both)), 400, "FIELD_INTEGRITY_EXCEPTION");
    let contact = org.create("Contact", &json!({"LastName": "L", "AccountId": account, "Email": "l@x.example"}));
    let case = org.create("Case", &json!({"ContactId": contact, "Status": "Closed"}));
    let row = org.get(&format!("sobjects/Case/{case}"));
    assert_eq!(
        (&row["CaseNumber"], &row["AccountId"], &row["ContactEmail"]),
        (&json!("00000001"), &json!(account), &json!("l@x.example"))
    );
    assert_eq!((&row["IsClosed"], &row["Priority"]), (&json!(true), &json!("Medium")));
    let circle = json!({"ParentId": account});
    refused(org.call("PATCH", &format!("sobjects/Account/{account}"), Some(&circle)), 400, "CIRCULAR_DEPENDENCY");
}

#[test]
fn a_file_is_a_version_a_document_and_its_links() {
    let mut org = Org::new();
    let account = org.create("Account", &json!({"Name": "A"}));
    let parts = format!(
        "--b\r\nContent-Disposition: form-data; name=\"entity_content\"\r\nContent-Type: application/json\r\n\r\n\
         {{\"PathOnClient\": \"a.txt\", \"Title\": \"A\", \"FirstPublishLocationId\": \"{account}\"}}\r\n--b\r\n\
         Content-Disposition: form-data; name=\"VersionData\"; filename=\"a.txt\"\r\nContent-Type: application/octet-stream\r\n\r\n\
         hello\r\n--b--\r\n"
    );
    let mut request =
        org.request("POST", "sobjects/ContentVersion").with_header("content-type", "multipart/form-data; boundary=b");
    request.body = parts.into_bytes();
    let made = org.send(&request);
    assert_eq!(made.status, 201, "{}", made.body_json());
    let version = made.body_json()["id"].as_str().unwrap().to_owned();
    let row = org.get(&format!("sobjects/ContentVersion/{version}"));
    assert_eq!((&row["Checksum"], &row["ContentSize"]), (&json!("5d41402abc4b2a76b9719d911017c592"), &json!(5)));
    let bytes = org.request("GET", row["VersionData"].as_str().unwrap());
    assert_eq!(org.send(&bytes).body, b"hello");
    let document = row["ContentDocumentId"].as_str().unwrap().to_owned();
    let links = org.texts(
        "ShareType",
        &format!("SELECT ShareType FROM ContentDocumentLink WHERE ContentDocumentId = '{document}'"),
    );
    assert_eq!(links, ["I", "V"], "the owner's and the place's");
    let again = json!({"ContentDocumentId": document, "LinkedEntityId": account, "ShareType": "V"});
    refused(org.call("POST", "sobjects/ContentDocumentLink", Some(&again)), 400, "DUPLICATE_VALUE");
    let next = org.create(
        "ContentVersion",
        &json!({"ContentDocumentId": document, "PathOnClient": "b.txt", "VersionData": "aGk="}),
    );
    assert_eq!(org.value("ContentVersion", &version, "IsLatest"), false);
    assert_eq!(org.value("ContentDocument", &document, "LatestPublishedVersionId"), json!(next));
}
