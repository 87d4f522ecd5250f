//! Descriptions, new fields, the organization and its users.

use handover_connect::{Dialect, Operation, Step};
use handover_model::{Field, Kind, ReadCost, Writable};
use handover_platforms::salesforce::Salesforce;
use serde_json::{Value as Json, json};

use super::{decoded, described, encoded, field, page_of, reply, rows, text, then};

fn description() -> Json {
    let choice = |value: &str, active: bool| json!({"value": value, "label": format!("{value}!"), "active": active});
    json!({"name": "Opportunity", "label": "Opportunity", "labelPlural": "Opportunities",
    "recordTypeInfos": [
        {"active": true, "master": true, "name": "Master", "recordTypeId": "012000000000000AAA"},
        {"active": true, "master": false, "name": "Big", "developerName": "Big", "recordTypeId": "01254000001upcKAAQ"},
        {"active": true, "master": false, "available": false, "name": "Closed", "recordTypeId": "01254000001upcLAAQ"},
    ],
    "fields": [
        field("Id", "id", &json!({"createable": false, "updateable": false, "length": 18})),
        field("Name", "string", &json!({"length": 120, "nillable": false})),
        field("StageName", "picklist", &json!({"nillable": false,
            "picklistValues": [choice("New", true), choice("Old", false), choice("Won", true), choice("New", true)]})),
        field("Regions__c", "multipicklist", &json!({"custom": true, "picklistValues": [choice("a", true)]})),
        field("Key__c", "string", &json!({"custom": true, "unique": true, "externalId": true, "length": 80})),
        field("IsPrivate", "boolean", &json!({"nillable": false})),
        field("OwnerId", "reference", &json!({"referenceTo": ["Group", "User"], "nillable": false, "defaultedOnCreate": true})),
        field("AccountId", "reference", &json!({"referenceTo": ["Account"]})),
        field("Ship__c", "reference", &json!({"referenceTo": ["Ship__c"], "custom": true})),
        field("Asset", "reference", &json!({"referenceTo": ["Asset"]})),
        field("WhoId", "reference", &json!({"referenceTo": ["Contact", "Lead"], "nillable": false})),
        field("RecordTypeId", "reference", &json!({"referenceTo": ["RecordType"]})),
        field("CurrencyIsoCode", "picklist", &json!({"picklistValues": [choice("EUR", true)]})),
        field("CreatedDate", "datetime", &json!({"updateable": false, "nillable": false, "defaultedOnCreate": true})),
        field("Notes__c", "textarea", &json!({"extraTypeInfo": "richtextarea", "length": 32768})),
        field("BillingAddress", "address", &json!({"createable": false, "updateable": false})),
        field("Body", "base64", &json!({})),
        field("Old__c", "string", &json!({"deprecatedAndHidden": true})),
        field("Mail", "email", &json!({})),
        field("Sum", "currency", &json!({"createable": false, "updateable": false, "calculated": true})),
    ]})
}

#[test]
fn a_description_becomes_fields() {
    let schema = described(&Salesforce::new(), "Opportunity", &description());
    assert_eq!((schema.label.as_str(), schema.content), ("Opportunities", false));
    let seen: Vec<String> = schema
        .fields
        .iter()
        .map(|field| {
            let to = field.kind.referenced().map(|to| format!(" {to}")).unwrap_or_default();
            let required = if field.required { " required" } else { "" };
            let unique = if field.unique { " unique" } else { "" };
            format!("{} {}{to} {:?}{required}{unique}", field.name, field.kind.word(), field.writable)
        })
        .collect();
    assert_eq!(
        seen,
        [
            "Id text Never",
            "Name text Always required",
            "StageName choice Always required",
            "Regions__c multiple choice Always",
            "Key__c text Always unique",
            "IsPrivate yes/no Always",
            "OwnerId user Always",
            "AccountId link Account Always",
            "Ship__c link Ship__c Always",
            "Asset opaque Always",
            "WhoId opaque Never",
            "WhoId.Contact link Contact Always",
            "WhoId.Lead link Lead Always",
            "RecordTypeId choice Always",
            "CurrencyIsoCode currency Always",
            "CreatedDate date and time OnCreate",
            "Notes__c HTML text Always",
            "Mail e-mail Always",
            "Sum number Never",
            "OpportunityContactRoles links Contact Always",
        ]
    );
    let values = |name: &str| match &schema.field(name).unwrap().kind {
        Kind::Choice { options, .. } => {
            options.iter().map(|option| format!("{} {}", option.value, option.label)).collect()
        }
        kind => vec![kind.word().to_owned()],
    };
    assert_eq!(values("StageName"), ["New New!", "Won Won!"], "only what is accepted, each once");
    assert_eq!(values("RecordTypeId"), ["01254000001upcKAAQ Big"]);
    assert_eq!(schema.field("Key__c").unwrap().kind, Kind::Text { max: Some(80), html: false });
}

#[test]
fn a_list_of_thousands_of_choices_is_read_whole() {
    let values: Vec<Json> = (0..5_000)
        .map(|n| json!({"value": format!("v{n}"), "label": format!("Wert {n} \u{e4}"), "active": true}))
        .collect();
    let fields = [field("Code__c", "picklist", &json!({"custom": true, "picklistValues": values}))];
    let schema = described(&Salesforce::new(), "Account", &json!({"fields": fields, "label": "Account"}));
    let Kind::Choice { options, many: false } = &schema.field("Code__c").unwrap().kind else { panic!("no choice") };
    assert_eq!((options.len(), options[4_999].value.as_str()), (5_000, "v4999"));
}

#[test]
fn objects_of_the_customer_are_told() {
    let all = json!({"sobjects": [
        {"name": "Ship__c", "custom": true, "queryable": true},
        {"name": "Setting__c", "custom": true, "queryable": true, "customSetting": true},
        {"name": "Account", "custom": false, "queryable": true},
        {"name": "Ship__Share", "custom": true, "queryable": true},
        {"name": "Thing__mdt", "custom": true, "queryable": true},
        {"name": "a__Crew__c", "custom": true, "queryable": true},
    ]});
    let Step::Objects(objects) = decoded(&Operation::Objects, None, &reply(200, &all)).unwrap() else { panic!() };
    assert_eq!(objects, ["Ship__c", "a__Crew__c"].map(handover_model::ObjectName::from));
    let capabilities = Salesforce::new();
    let capabilities = capabilities.capabilities();
    assert_eq!(capabilities.object("Ship__c").unwrap().write_batch, 200);
    assert!(capabilities.object("Ship").is_none());
}

fn wish(kind: Kind, unique: bool) -> Operation {
    let field = Field {
        name: "src-key 1".into(),
        label: "Source key".to_owned(),
        kind,
        required: false,
        writable: Writable::Always,
        unique,
        custom: true,
        read: ReadCost::Listed,
        blank_is_zero: false,
    };
    Operation::CreateField { object: "Account".into(), field }
}

#[test]
fn new_fields_are_made_and_looked_at() {
    let key = wish(Kind::Text { max: Some(100), html: false }, true);
    assert_eq!(
        encoded(&key, None),
        r#"POST /tooling/sobjects/CustomField {"FullName":"Account.src_key_1__c","Metadata":{"caseSensitive":true,"externalId":true,"label":"Source key","length":100,"type":"Text","unique":true}}"#
    );
    let (made, _) = then(&key, None, &reply(201, &json!({"id": "00ND0000000abcdEAA", "success": true, "errors": []})));
    assert_eq!(encoded(&key, Some(&made)), "GET /sobjects/Account/describe");
    let with = |more: Json| {
        let fields = [field("Name", "string", &json!({})), field("src_key_1__c", "string", &more)];
        reply(200, &json!({"label": "Account", "fields": fields}))
    };
    let unique = with(json!({"unique": true, "custom": true, "length": 100}));
    let Step::Field(field_made) = decoded(&key, Some(&made), &unique).unwrap() else { panic!() };
    assert_eq!(field_made.name, "src_key_1__c");
    // Nobody granted it: the field is there and of no use.
    let hidden = reply(200, &json!({"label": "Account", "fields": [field("Name", "string", &json!({}))]}));
    let fault = decoded(&key, Some(&made), &hidden).unwrap_err();
    assert_eq!(fault.code, "field_not_visible");
    // The name is taken: by the same field, or by another.
    let taken =
        reply(400, &json!([{"errorCode": "DUPLICATE_DEVELOPER_NAME", "message": "There is already a field named"}]));
    let (existing, _) = then(&key, None, &taken);
    assert!(matches!(decoded(&key, Some(&existing), &unique), Ok(Step::Field(_))));
    assert!(decoded(&key, Some(&existing), &with(json!({"unique": false}))).is_err());
    let many = wish(Kind::Reference { object: "Contact".into(), many: true }, false);
    assert!(encoded(&many, None).starts_with("refused: "));
}

#[test]
fn the_organization_and_its_currencies() {
    let first = encoded(&Operation::Account, None);
    assert_eq!(first, "GET /query?q=SELECT Id, Name, IsSandbox, TimeZoneSidKey FROM Organization");
    let mut organization = rows(json!([{"Id": "00DD00000000001AAA", "Name": "Acme", "IsSandbox": true,
        "TimeZoneSidKey": "Europe/Berlin"}]));
    organization.headers.push(("sforce-limit-info".to_owned(), "api-usage=18/5000; api-bursts=1/750".to_owned()));
    let (next, _) = then(&Operation::Account, None, &organization);
    let told = |reply: &handover_connect::Reply| match decoded(&Operation::Account, Some(&next), reply).unwrap() {
        Step::Account(account) => account,
        step => panic!("{step:?}"),
    };
    let account = told(&rows(json!([{"Id": "1", "IsoCode": "EUR"}, {"Id": "2", "IsoCode": "USD"}])));
    assert_eq!((account.name.as_str(), account.time_zone.as_str()), ("Acme (sandbox)", "Europe/Berlin"));
    assert_eq!((account.currencies.len(), account.daily_limit), (2, Some(5_000)));
    // One currency only: nothing tells which.
    let none =
        reply(400, &json!([{"errorCode": "INVALID_TYPE", "message": "sObject type 'CurrencyType' is not supported."}]));
    assert!(told(&none).currencies.is_empty());
    assert!(decoded(&Operation::Account, Some(&next), &text(500, "")).is_err());
}

#[test]
fn users_and_queues() {
    let step = decoded(
        &Operation::Users,
        None,
        &rows(json!([
            {"Id": "005D000000000001", "Name": "Ana", "Email": "ana@x.example", "IsActive": true},
            {"Id": "005D000000000002", "Name": "Ben", "Email": "ben@x.example", "IsActive": false},
        ])),
    );
    let Step::Users { users, next } = step.unwrap() else { panic!() };
    assert_eq!(users.iter().map(|user| user.active).collect::<Vec<_>>(), [true, false]);
    let next = next.unwrap();
    assert!(encoded(&Operation::Users, Some(&next)).contains("FROM Group WHERE Type = 'Queue'"));
    let queues = rows(json!([{"Id": "00GD000000000001", "Name": "Support", "Email": null}]));
    let Step::Users { users, next: last } = decoded(&Operation::Users, Some(&next), &queues).unwrap() else { panic!() };
    assert!(users[0].active && users[0].email.is_empty() && last.is_none());
}

#[test]
fn notes_have_their_bodies_apart() {
    let schema = described(
        &Salesforce::new(),
        "ContentNote",
        &json!({"label": "Note", "fields": [
        field("Title", "string", &json!({"length": 255})), field("Content", "base64", &json!({}))]}),
    );
    let body = schema.field("Content").unwrap();
    assert_eq!(body.kind, Kind::Text { max: None, html: true });
    assert!(matches!(body.read, ReadCost::Extra { per_call: 1, .. }));
    let id = "069D000000IqhSLIAZ";
    let enrich = Operation::Enrich { object: "ContentNote".into(), field: "Content".into(), ids: vec![id.into()] };
    assert_eq!(encoded(&enrich, None), format!("GET /sobjects/ContentNote/{id}/Content"));
    let (records, _) = page_of(decoded(&enrich, None, &text(200, "<p>ü</p>")).unwrap());
    assert_eq!(records[0].fields.get("Content"), Some(&"<p>ü</p>".into()));
}
