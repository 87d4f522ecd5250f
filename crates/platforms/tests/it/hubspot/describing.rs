//! Schemas, new fields, the account, users, workflows.

use handover_connect::{Dialect as _, FaultKind, Method, Operation, Step};
use handover_model::{Choice, Field, Kind, ReadCost, Writable};
use handover_platforms::hubspot::HubSpot;
use serde_json::{Value as Json, json};

use super::{json_of, play, property, query, reply, schema};

fn kind_of(object: &str, property: Json) -> Kind {
    let name = property["name"].as_str().unwrap().to_owned();
    let mut replies = vec![reply(200, &json!({ "results": [property] }))];
    if object == "deals" {
        replies.push(reply(200, &json!({ "results": [] })));
    }
    let schema = schema(play(&HubSpot::new(), &Operation::Describe(object.into()), &replies).1);
    schema.field(&name).unwrap().kind.clone()
}

#[test]
fn the_type_decides_the_kind() {
    let text = |html| Kind::Text { max: Some(65_536), html };
    let one = || Kind::Choice { options: [].into(), many: false };
    let cases: Vec<(&str, Json, Kind)> = vec![
        ("contacts", property("firstname", "string", "text", &json!({})), text(false)),
        ("contacts", property("phone", "string", "phonenumber", &json!({})), Kind::Phone { many: false }),
        ("contacts", property("mobile", "phone_number", "phonenumber", &json!({})), Kind::Phone { many: false }),
        ("contacts", property("email", "string", "text", &json!({})), Kind::Email { many: false }),
        (
            "contacts",
            property("hs_additional_emails", "enumeration", "checkbox", &json!({})),
            Kind::Email { many: true },
        ),
        ("contacts", property("opted", "bool", "booleancheckbox", &json!({})), Kind::Bool),
        ("contacts", property("birthday", "date", "date", &json!({})), Kind::Date),
        ("contacts", property("seen", "datetime", "date", &json!({})), Kind::DateTime),
        ("contacts", property("hs_object_id", "number", "number", &json!({})), text(false)),
        ("contacts", property("level", "enumeration", "radio", &json!({})), one()),
        (
            "contacts",
            property("associatedcompanyid", "number", "number", &json!({ "referencedObjectType": "COMPANY" })),
            Kind::Reference { object: "companies".into(), many: false },
        ),
        (
            "contacts",
            property("hubspot_owner_id", "enumeration", "select", &json!({ "referencedObjectType": "OWNER" })),
            Kind::User,
        ),
        ("companies", property("email", "string", "text", &json!({})), text(false)),
        ("deals", property("deal_currency_code", "enumeration", "select", &json!({})), Kind::Currency),
        ("deals", property("amount", "number", "number", &json!({ "showCurrencySymbol": true })), Kind::Number),
        ("notes", property("hs_note_body", "string", "html", &json!({})), text(true)),
        ("tasks", property("hs_task_body", "string", "textarea", &json!({})), text(true)),
        (
            "notes",
            property("hs_attachment_ids", "enumeration", "checkbox", &json!({})),
            Kind::Reference { object: "files".into(), many: true },
        ),
        ("notes", property("hs_thing", "json", "text", &json!({})), Kind::Opaque),
    ];
    for (object, property, wanted) in cases {
        let name = property["name"].clone();
        assert_eq!(kind_of(object, property), wanted, "{object}.{name}");
    }
}

#[test]
fn deals_have_their_stages_within_pipelines_and_their_links() {
    let properties = json!({ "results": [
        property("dealname", "string", "text", &json!({})),
        property("dealstage", "enumeration", "radio", &json!({})),
        property("pipeline", "enumeration", "select", &json!({})),
        property("hs_createdate", "datetime", "date", &json!({ "modificationMetadata": { "readOnlyValue": true } })),
        property("src_key", "string", "text", &json!({ "hasUniqueValue": true, "hubspotDefined": false })),
    ]});
    let pipelines = json!({ "results": [{ "id": "default", "label": "Sales", "archived": false, "stages": [
        { "id": "new", "label": "New", "archived": false },
        { "id": "1234", "label": "Won", "archived": false },
    ]}]});
    let (requests, step) =
        play(&HubSpot::new(), &Operation::Describe("deals".into()), &[reply(200, &properties), reply(200, &pipelines)]);
    assert_eq!(requests[0].path, "/crm/v3/properties/deals");
    assert_eq!(requests[1].path, "/crm/v3/pipelines/deals");
    let schema = schema(step);
    let stage = schema.field("dealstage").unwrap();
    assert!(stage.required);
    let won = Choice { value: "1234".into(), label: "Sales: Won".into(), within: Some("default".into()) };
    assert!(matches!(&stage.kind, Kind::Choice { options, many: false } if options.contains(&won)));
    assert!(!schema.field("pipeline").unwrap().required, "it has a default");
    assert_eq!(schema.field("hs_createdate").unwrap().writable, Writable::Never);
    let key = schema.field("src_key").unwrap();
    assert!(key.unique && key.custom);
    let contacts = schema.field("associations.contacts").unwrap();
    assert_eq!(contacts.kind, Kind::Reference { object: "contacts".into(), many: true });
    assert_eq!(contacts.read, ReadCost::Listed);
    let primary = schema.field("associations.primary_company").unwrap();
    assert_eq!(primary.kind, Kind::Reference { object: "companies".into(), many: false });
    assert!(matches!(primary.read, ReadCost::Extra { per_call: 1_000, .. }));
}

#[test]
fn call_outcomes_are_asked_for_when_the_property_does_not_have_them() {
    let empty = json!({ "results": [property("hs_call_disposition", "enumeration", "select", &json!({}))] });
    let outcomes =
        json!([{ "id": "g-1", "label": "Busy", "deleted": false }, { "id": "g-2", "label": "Old", "deleted": true }]);
    let operation = Operation::Describe("calls".into());
    let (requests, step) = play(&HubSpot::new(), &operation, &[reply(200, &empty), reply(200, &outcomes)]);
    assert_eq!(requests[1].path, "/calling/v1/dispositions");
    let found = schema(step).field("hs_call_disposition").unwrap().kind.clone();
    assert!(matches!(found, Kind::Choice { options, .. } if options.len() == 1 && options[0].label == "Busy"));
    // Without the scope the object is still described.
    let (_, step) = play(&HubSpot::new(), &operation, &[reply(200, &empty), reply(403, &json!({}))]);
    assert!(schema(step).field("hs_call_disposition").is_some());
}

fn wish(name: &str, kind: Kind, unique: bool) -> Field {
    Field {
        name: name.into(),
        label: "A field".into(),
        kind,
        required: false,
        writable: Writable::Always,
        unique,
        custom: true,
        read: ReadCost::Listed,
        blank_is_zero: false,
    }
}

#[test]
fn a_new_field_gets_a_name_a_group_and_a_type() {
    let field = wish("Größe (cm)", Kind::Text { max: Some(100), html: false }, true);
    let operation = Operation::CreateField { object: "contacts".into(), field };
    let made = property("gr_e_cm", "string", "text", &json!({ "hasUniqueValue": true, "hubspotDefined": false }));
    let (requests, step) = play(&HubSpot::new(), &operation, &[reply(201, &made)]);
    assert_eq!((requests[0].method, requests[0].path.as_str()), (Method::Post, "/crm/v3/properties/contacts"));
    assert_eq!(
        json_of(&requests[0]),
        json!({ "groupName": "contactinformation", "name": "gr_e_cm", "label": "A field", "type": "string",
                "fieldType": "text", "hasUniqueValue": true })
    );
    assert!(matches!(step.unwrap(), Step::Field(field) if field.unique && field.name == "gr_e_cm"));
}

#[test]
fn an_activity_s_new_field_goes_to_a_group_that_exists_or_is_made() {
    let operation = Operation::CreateField { object: "notes".into(), field: wish("key", Kind::Number, false) };
    let made = property("key", "number", "number", &json!({}));
    let groups = json!({ "results": [{ "name": "engagement", "label": "Engagement", "archived": false }] });
    let (requests, step) = play(&HubSpot::new(), &operation, &[reply(200, &groups), reply(201, &made)]);
    assert_eq!((requests[0].method, requests[0].path.as_str()), (Method::Get, "/crm/v3/properties/notes/groups"));
    assert_eq!(json_of(&requests[1])["groupName"], "engagement");
    assert!(matches!(step.unwrap(), Step::Field(_)));

    let none = json!({ "results": [] });
    let replies = [reply(200, &none), reply(201, &json!({ "name": "handover" })), reply(201, &made)];
    let (requests, _) = play(&HubSpot::new(), &operation, &replies);
    assert_eq!((requests[1].method, requests[1].path.as_str()), (Method::Post, "/crm/v3/properties/notes/groups"));
    assert_eq!(json_of(&requests[2])["groupName"], "handover");
}

#[test]
fn a_taken_name_is_ours_only_when_it_is_what_was_wanted() {
    let taken = reply(
        409,
        &json!({ "status": "error", "category": "OBJECT_ALREADY_EXISTS",
        "subCategory": "Properties.PROPERTY_WITH_NAME_EXISTS", "message": "A property named 'k' already exists." }),
    );
    let operation = Operation::CreateField { object: "deals".into(), field: wish("k", Kind::Number, false) };
    let same = reply(200, &property("k", "number", "number", &json!({})));
    let (requests, step) = play(&HubSpot::new(), &operation, &[taken.clone(), same]);
    assert_eq!(requests[1].path, "/crm/v3/properties/deals/k");
    assert!(matches!(step.unwrap(), Step::Field(_)));
    let other = reply(200, &property("k", "date", "date", &json!({})));
    let (_, step) = play(&HubSpot::new(), &operation, &[taken, other]);
    assert_eq!(step.unwrap_err().kind, FaultKind::Conflict);
}

#[test]
fn what_cannot_be_a_property_is_refused_before_anything_is_sent() {
    let link = wish("k", Kind::Reference { object: "deals".into(), many: true }, false);
    for (object, field) in
        [("contacts", link), ("files", wish("k", Kind::Bool, false)), ("contacts", wish("$$", Kind::Bool, false))]
    {
        let operation = Operation::CreateField { object: object.into(), field };
        assert!(HubSpot::new().encode(&operation, None).is_err());
    }
}

#[test]
fn the_account_tells_currencies_zone_and_the_daily_allowance_when_it_may() {
    let details = reply(
        200,
        &json!({ "portalId": 33, "accountType": "STANDARD", "timeZone": "Europe/Berlin",
        "companyCurrency": "EUR", "additionalCurrencies": ["USD", "EUR"] }),
    );
    let usage = reply(
        200,
        &json!({ "results": [{ "name": "private-apps-api-calls-daily", "usageLimit": 625_000, "currentUsage": 7 }] }),
    );
    let denied = reply(403, &json!({ "status": "error", "category": "MISSING_SCOPES", "message": "no" }));
    for (second, limit) in [(usage, Some(625_000)), (denied, None)] {
        let (_, step) = play(&HubSpot::new(), &Operation::Account, &[details.clone(), second]);
        let Step::Account(account) = step.unwrap() else { panic!("no account") };
        assert_eq!((account.id.as_str(), account.time_zone.as_str()), ("33", "Europe/Berlin"));
        assert_eq!(account.currencies, ["EUR", "USD"]);
        assert_eq!(account.daily_limit, limit);
    }
}

#[test]
fn owners_come_in_two_phases_the_inactive_ones_last() {
    let dialect = HubSpot::new();
    let active = reply(
        200,
        &json!({ "results": [{ "id": "9", "email": "a@b.example", "firstName": "Ana", "lastName": "B",
        "userId": 77, "archived": false }] }),
    );
    let Step::Users { users, next } = dialect.decode(&Operation::Users, None, &active).unwrap() else { panic!() };
    assert_eq!((users[0].id.as_str(), users[0].name.as_str(), users[0].active), ("9", "Ana B", true));
    let next = next.unwrap();
    let request = dialect.encode(&Operation::Users, Some(&next)).unwrap();
    assert_eq!(query(&request, "archived"), Some("true"));
    let inactive = reply(200, &json!({ "results": [{ "id": "8", "email": "old@b.example", "archived": true }] }));
    let Step::Users { users, next } = dialect.decode(&Operation::Users, Some(&next), &inactive).unwrap() else {
        panic!()
    };
    assert!(!users[0].active && next.is_none());
}

#[test]
fn workflows_are_paged_and_a_missing_scope_is_denied() {
    let first = reply(
        200,
        &json!({ "results": [{ "id": "1", "name": "Welcome", "isEnabled": true, "objectTypeId": "0-1" }],
        "paging": { "next": { "after": "x" } } }),
    );
    let second =
        reply(200, &json!({ "results": [{ "id": "2", "name": "Other", "isEnabled": false, "objectTypeId": "2-9" }] }));
    let (requests, step) = play(&HubSpot::new(), &Operation::Automations, &[first, second]);
    assert_eq!(query(&requests[1], "after"), Some("x"));
    let Step::Automations(found) = step.unwrap() else { panic!() };
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].object, Some("contacts".into()));
    for status in [403, 404] {
        let fault = HubSpot::new().decode(&Operation::Automations, None, &reply(status, &json!({}))).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Denied);
    }
}
