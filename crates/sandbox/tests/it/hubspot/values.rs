//! Checklist 7 and 8: what a value must look like, e-mail uniqueness, the lifecycle stage.

use serde_json::{Value as Json, json};

use super::{Client, refused};

/// The code of a refused value.
#[track_caller]
fn code(client: &mut Client, object: &str, property: &str, value: &str) -> String {
    let mut properties = match object {
        "contacts" => json!({"lastname": "L"}),
        "companies" => json!({"name": "C"}),
        "deals" => json!({"dealname": "D", "dealstage": "closedwon"}),
        "emails" => json!({"hs_timestamp": "1795165200000", "hs_email_direction": "EMAIL"}),
        _ => json!({"hs_timestamp": "1795165200000"}),
    };
    properties[property] = value.into();
    let (status, body) = client.post(&format!("/crm/v3/objects/{object}"), json!({"properties": properties}));
    if status == 201 {
        return "ok".to_owned();
    }
    assert_eq!((status, body["category"].as_str()), (400, Some("VALIDATION_ERROR")), "{body}");
    let message = body["message"].as_str().unwrap();
    let embedded: Json =
        serde_json::from_str(message.strip_prefix("Property values were not valid: ").unwrap()).unwrap();
    assert_eq!(embedded[0]["error"], body["errors"][0]["code"]);
    assert_eq!(embedded[0]["name"], property);
    assert_eq!(body["errors"][0]["context"]["propertyName"][0], property);
    body["errors"][0]["code"].as_str().unwrap().to_owned()
}

#[test]
fn each_type_refuses_what_does_not_fit() {
    let mut client = Client::new();
    client.post(
        "/crm/v3/properties/contacts",
        json!({"name": "birthday", "label": "B", "type": "date", "fieldType": "date", "groupName": "contactinformation"}),
    );
    let long = "x".repeat(65_537);
    let cases = [
        ("contacts", "no_such", "1", "PROPERTY_DOESNT_EXIST"),
        ("contacts", "hs_object_id", "1", "READ_ONLY_VALUE"),
        ("contacts", "lastmodifieddate", "1795165200000", "READ_ONLY_VALUE"),
        ("contacts", "createdate", "1795165200000", "READ_ONLY_VALUE"),
        ("companies", "createdate", "1795165200000", "READ_ONLY_VALUE"),
        ("deals", "createdate", "1795165200000", "ok"),
        ("contacts", "birthday", "2026-01-02", "ok"),
        ("contacts", "birthday", "1767312000000", "ok"),
        ("contacts", "birthday", "1767312000001", "INVALID_DATE"),
        ("contacts", "birthday", "02.01.2026", "INVALID_DATE"),
        ("contacts", "closedate", "2026-01-02T03:04:05+01:00", "ok"),
        ("contacts", "closedate", "yesterday", "INVALID_DATE"),
        ("deals", "amount", "-12.5", "ok"),
        ("deals", "amount", "1,000", "INVALID_INTEGER"),
        ("deals", "amount", "1.2.3", "INVALID_INTEGER"),
        ("companies", "is_public", "true", "ok"),
        ("companies", "is_public", "yes", "INVALID_OPTION"),
        ("companies", "industry", "BANKING", "ok"),
        ("companies", "industry", "Banking", "INVALID_OPTION"),
        ("contacts", "hubspot_owner_id", "96879917", "ok"),
        ("contacts", "hubspot_owner_id", "admin@example.com", "INVALID_OWNER_ID"),
        ("contacts", "email", "no-address", "INVALID_EMAIL"),
        ("contacts", "email", "a b@c.de", "INVALID_EMAIL"),
        ("contacts", "hs_additional_emails", "x@b.co;y", "INVALID_EMAIL"),
        ("contacts", "message", long.as_str(), "PROPERTY_VALUE_TOO_LONG"),
        ("deals", "deal_currency_code", "EUR", "ok"),
        ("deals", "deal_currency_code", "USD", "INVALID_OPTION"),
        ("deals", "dealstage", "1", "INVALID_OPTION"),
        ("deals", "pipeline", "other", "INVALID_OPTION"),
        ("emails", "hs_email_to_email", "a@b.co", "READ_ONLY_VALUE"),
        ("notes", "hs_attachment_ids", "1;2", "INVALID_OPTION"),
        ("calls", "hs_call_direction", "IN", "INVALID_OPTION"),
    ];
    for (object, property, value, wanted) in cases {
        let shown: String = value.chars().take(30).collect();
        assert_eq!(code(&mut client, object, property, value), wanted, "{object}.{property} = {shown}");
    }
}

#[test]
fn the_day_says_midnight() {
    let mut client = Client::new();
    let name =
        json!({"name": "day", "label": "D", "type": "date", "fieldType": "date", "groupName": "contactinformation"});
    assert_eq!(client.post("/crm/v3/properties/contacts", name).0, 201);
    let reply =
        client.post("/crm/v3/objects/contacts", json!({"properties": {"lastname": "L", "day": "1767355445000"}}));
    assert!(refused(reply, 400, "VALIDATION_ERROR").contains("1767355445000 is at 12:04:05.000 UTC, not midnight!"));
    let id = client.create("contacts", json!({"lastname": "L", "day": "1767312000000"}));
    assert_eq!(client.value("contacts", &id, "day"), "2026-01-02");
}

#[test]
fn values_must_be_strings_unless_the_portal_is_lenient() {
    let deal = json!({"properties": {"dealname": "D", "dealstage": "closedwon", "amount": 12}});
    refused(Client::new().post("/crm/v3/objects/deals", deal.clone()), 400, "VALIDATION_ERROR");
    let (status, body) = Client::with(json!({"accept_json_scalars": true})).post("/crm/v3/objects/deals", deal);
    assert_eq!((status, &body["properties"]["amount"]), (201, &json!("12")));
}

#[test]
fn an_address_belongs_to_one_contact() {
    let mut client = Client::over(json!({"platform": "hubspot", "objects": {"contacts": [
        {"id": "51", "properties": {"email": "one@b.co", "hs_additional_emails": "more@b.co;third@b.co"}},
        {"id": "52", "properties": {"email": "two@b.co"}}]}}));
    for address in ["one@b.co", "ONE@b.co", "third@b.co"] {
        let reply = client.post("/crm/v3/objects/contacts", json!({"properties": {"email": address}}));
        assert_eq!(refused(reply, 409, "CONFLICT"), "Contact already exists. Existing ID: 51", "{address}");
    }
    let reply = client.patch("/crm/v3/objects/contacts/52", json!({"properties": {"email": "more@b.co"}}));
    assert!(refused(reply, 400, "VALIDATION_ERROR").contains("Existing ID: 51"));
    assert_eq!(client.patch("/crm/v3/objects/contacts/52", json!({"properties": {"email": "TWO@b.co"}})).0, 200);
    let reply = client
        .patch("/crm/v3/objects/contacts/52", json!({"properties": {"hs_additional_emails": "new@b.co;one@b.co"}}));
    assert!(refused(reply, 400, "VALIDATION_ERROR").contains("Existing ID: 51"));
    client.patch("/crm/v3/objects/contacts/52", json!({"properties": {"hs_additional_emails": "New@b.co"}}));
    let reply = client.post("/crm/v3/objects/contacts", json!({"properties": {"email": "new@b.co"}}));
    assert_eq!(refused(reply, 409, "CONFLICT"), "Contact already exists. Existing ID: 52");
    for name in ["A", "B"] {
        client.create("contacts", json!({"lastname": name}));
    }
}

#[test]
fn the_lifecycle_stage_moves_forward_only() {
    let mut client = Client::new();
    let id = client.create("contacts", json!({"lastname": "L", "lifecyclestage": "opportunity"}));
    let path = format!("/crm/v3/objects/contacts/{id}");
    let set =
        |client: &mut Client, stage: &str| client.patch(&path, json!({"properties": {"lifecyclestage": stage}})).0;
    assert_eq!(set(&mut client, "lead"), 200);
    assert_eq!(client.value("contacts", &id, "lifecyclestage"), "opportunity", "quietly kept");
    assert_eq!(set(&mut client, "customer"), 200);
    assert_eq!(client.value("contacts", &id, "lifecyclestage"), "customer");
    assert_eq!((set(&mut client, ""), set(&mut client, "lead")), (200, 200));
    assert_eq!(client.value("contacts", &id, "lifecyclestage"), "lead", "after clearing it goes back");

    let mut strict = Client::with(json!({"lifecycle_backward": "refuse"}));
    let id = strict.create("contacts", json!({"lastname": "L", "lifecyclestage": "customer"}));
    let reply =
        strict.patch(&format!("/crm/v3/objects/contacts/{id}"), json!({"properties": {"lifecyclestage": "lead"}}));
    refused(reply, 400, "VALIDATION_ERROR");
}

#[test]
fn a_leading_semicolon_appends() {
    let mut client = Client::new();
    let id = client.create("contacts", json!({"lastname": "L", "hs_buying_role": "CHAMPION;BLOCKER"}));
    let path = format!("/crm/v3/objects/contacts/{id}");
    client.patch(&path, json!({"properties": {"hs_buying_role": ";OTHER;BLOCKER"}}));
    assert_eq!(client.value("contacts", &id, "hs_buying_role"), "CHAMPION;BLOCKER;OTHER");
    client.patch(&path, json!({"properties": {"hs_buying_role": "END_USER"}}));
    assert_eq!(client.value("contacts", &id, "hs_buying_role"), "END_USER");
    let spaced = client.patch(&path, json!({"properties": {"hs_buying_role": "OTHER; BLOCKER"}}));
    refused(spaced, 400, "VALIDATION_ERROR");
}

#[test]
fn the_participants_of_an_email_follow_from_its_headers() {
    let mut client = Client::new();
    let headers = json!({"from": {"email": "ada@x.test", "firstName": "Ada", "lastName": "Lovelace"},
        "to": [{"email": "bo@y.test"}, {"email": "cy@y.test"}], "cc": [], "bcc": []});
    let email = json!({"hs_timestamp": "1795165200000", "hs_email_direction": "EMAIL",
        "hs_email_headers": headers.to_string()});
    let id = client.create("emails", email);
    for (property, value) in [
        ("hs_email_from_email", json!("ada@x.test")),
        ("hs_email_from_lastname", json!("Lovelace")),
        ("hs_email_to_email", json!("bo@y.test;cy@y.test")),
        ("hs_email_cc_email", Json::Null),
    ] {
        assert_eq!(client.value("emails", &id, property), value, "{property}");
    }
    let path = format!("/crm/v3/objects/emails/{id}");
    client.patch(&path, json!({"properties": {"hs_email_headers": ""}}));
    assert_eq!(client.value("emails", &id, "hs_email_from_email"), Json::Null);
}
