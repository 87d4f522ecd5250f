//! What is peculiar to ActiveCampaign, through the driver and the sandbox that has it.

use std::sync::{Arc, Mutex};

use handover_connect::{
    Connector as _, Credentials, Driver, FaultKind, NoKeeper, Read, Settings, VirtualClock, Which, Write, WriteBatch,
    WriteMode, WriteOutcome,
};
use handover_local::LocalTransport;
use handover_model::{FieldName, Fields, Value};
use handover_sandbox::Sandbox;
use handover_sandbox::faults::FaultPlan;
use secrecy::SecretString;
use serde_json::{Value as Json, json};

struct Stage {
    sandbox: Arc<Mutex<Sandbox>>,
    driver: Driver,
}

impl Stage {
    async fn of(world: Json) -> Self {
        let account = handover_sandbox::activecampaign::ActiveCampaign::from_world(world, 1).unwrap();
        let sandbox = Arc::new(Mutex::new(Sandbox::new(Box::new(account))));
        let clock = Arc::new(VirtualClock::new("2026-03-02T10:00:00Z".parse().unwrap()));
        let settings = Settings { retries: 3, concurrency: 2, ..Settings::at("http://sandbox.test") };
        let transport = Arc::new(LocalTransport::new(sandbox.clone(), clock.clone()));
        let dialect = handover_platforms::dialect("activecampaign").unwrap();
        let key = Credentials::Token(SecretString::from("sandbox-key"));
        let driver = Driver::new(dialect, transport, clock, Arc::new(NoKeeper), key, settings);
        for object in driver.objects() {
            driver.describe(&object).await.unwrap();
        }
        Self { sandbox, driver }
    }

    fn sent(&self) -> usize {
        self.sandbox.lock().unwrap().journal().entries().len()
    }

    async fn list(&self, object: &str, fields: &[&str]) -> Vec<handover_model::Record> {
        let fields = fields.iter().map(|name| FieldName::from(*name)).collect();
        let read = Read { object: object.into(), fields, which: Which::Live, since: None };
        let page = self.driver.page(&read, None).await.unwrap();
        assert!(page.next.is_none());
        let mut records = page.records;
        // Those that had to be completed come behind the others.
        records.sort_by(|a, b| a.id.cmp(&b.id));
        records
    }

    async fn write(&self, object: &str, id: Option<&str>, fields: &[(&str, Value)]) -> WriteOutcome {
        let fields: Fields = fields.iter().map(|(name, value)| (FieldName::from(*name), value.clone())).collect();
        let write = Write { trace: "t".into(), id: id.map(Into::into), fields: fields.into(), content: None };
        let mode = if id.is_some() { WriteMode::Update } else { WriteMode::Create { key: None } };
        let batch = WriteBatch { object: object.into(), mode, writes: [write].into() };
        self.driver.write(&batch).await.unwrap().remove(0).outcome
    }
}

fn company(settings: Json) -> Json {
    json!({"settings": settings, "fields": [{"id": 1, "title": "Key", "type": "text"}],
        "accounts": [{"id": 1, "name": "One"}, {"id": 2, "name": "Two"}],
        "contacts": [{"id": 1, "email": "a@x.example", "fieldValues": [{"field": 1, "value": "k1"}]},
            {"id": 2, "email": "b@x.example"}],
        "accountContacts": [{"id": 1, "contact": 1, "account": 2, "jobTitle": "CTO"}],
        "dealCustomFieldMeta": [{"id": 1, "fieldLabel": "Budget", "fieldType": "currency"}],
        "deals": [{"id": 1, "title": "D", "value": 100, "currency": "usd", "contact": 1, "stage": 1, "group": 1, "owner": 1,
            "fields": [{"customFieldId": 1, "fieldValue": 2550, "fieldCurrency": "USD"}]},
            {"id": 2, "title": "Hidden", "isDisabled": 1}]})
}

#[tokio::test]
async fn what_lists_leave_out_is_read_whether_sideloaded_or_not() {
    let fields = ["email", "field_1", "accountContact.account", "accountContact.jobTitle"];
    for (sideloads, calls) in [(true, 1), (false, 3)] {
        let stage = Stage::of(company(json!({"sideloads": sideloads}))).await;
        let before = stage.sent();
        let contacts = stage.list("contacts", &fields).await;
        assert_eq!(stage.sent() - before, calls, "sideloads: {sideloads}");
        let of = |name: &str| contacts[0].fields.get(name).unwrap().display();
        assert_eq!(fields.map(of), ["a@x.example", "k1", "2", "CTO"]);
        assert!(contacts[1].fields.get("field_1") == Some(&Value::Null));
        let deals = stage.list("deals", &["title", "value", "field_1.amount", "field_1.currency"]).await;
        let of = |name: &str| deals[0].fields.get(name).unwrap().display();
        assert_eq!(["value", "field_1.amount", "field_1.currency"].map(of), ["1", "25.5", "USD"]);
        // What the key's user may not see is not read as empty.
        assert_eq!(deals[1].fields.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["title"]);
    }
}

#[tokio::test]
async fn another_account_takes_the_place_of_the_first_one() {
    let stage = Stage::of(company(json!({}))).await;
    let fields = ["accountContact.account", "accountContact.jobTitle"];
    for (id, write, expected) in [
        ("1", vec![("accountContact.account", Value::from("1"))], ["1", "CTO"]),
        ("1", vec![("accountContact.jobTitle", Value::from("CEO")), ("phone", "1".into())], ["1", "CEO"]),
        ("1", vec![("accountContact.account", Value::Null)], ["", ""]),
        ("1", vec![("accountContact.account", "2".into()), ("accountContact.jobTitle", "VP".into())], ["2", "VP"]),
    ] {
        let outcome = stage.write("contacts", Some(id), &write).await;
        assert!(matches!(outcome, WriteOutcome::Applied { .. }), "{outcome:?}");
        let contacts = stage.list("contacts", &fields).await;
        assert_eq!(fields.map(|name| contacts[0].fields.get(name).unwrap().display()), expected);
    }
    // A new one with an account that is not there stands, so nobody may say that it was refused.
    let new = [("email", Value::from("n@x.example")), ("accountContact.account", "99".into())];
    let outcome = stage.write("contacts", None, &new).await;
    assert!(matches!(&outcome, WriteOutcome::Unknown(fault) if fault.field == Some(fields[0].into())), "{outcome:?}");
    // And one with an address that is taken is a conflict, and no silent merge.
    let outcome = stage.write("contacts", None, &[("email", "A@x.example".into())]).await;
    assert!(matches!(&outcome, WriteOutcome::Refused(fault) if fault.kind == FaultKind::Conflict), "{outcome:?}");
}

#[tokio::test]
async fn a_record_without_its_custom_value_is_not_all_of_it() {
    let mut world = company(json!({"saves_without_bad_values": true}));
    world["accountCustomFieldMeta"] =
        json!([{"id": 1, "fieldLabel": "L", "fieldType": "dropdown", "fieldOptions": ["a"]}]);
    let stage = Stage::of(world).await;
    let fields = [("name", Value::from("New")), ("field_1", "b".into())];
    let outcome = stage.write("accounts", None, &fields).await;
    assert!(matches!(outcome, WriteOutcome::Unknown(_)), "{outcome:?}");
    let outcome = stage.write("accounts", Some("1"), &fields[1..]).await;
    assert!(matches!(outcome, WriteOutcome::Refused(_)), "{outcome:?}");
}

#[tokio::test]
async fn a_key_that_is_refused_once_is_not_given_up() {
    let stage = Stage::of(company(json!({}))).await;
    let plan = |times: u64| -> FaultPlan {
        let rules = json!([{"when": {"to": times}, "fault": {"kind": "expired_token", "until_refresh": false}}]);
        serde_json::from_value(json!({ "rules": rules })).unwrap()
    };
    stage.sandbox.lock().unwrap().set_faults(plan(2));
    assert_eq!(stage.list("accounts", &["name"]).await.len(), 2);
    stage.sandbox.lock().unwrap().set_faults(plan(3));
    let fault = stage.driver.users().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Auth, "{fault}");
    assert_eq!(stage.driver.users().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_note_hangs_on_one_record_only() {
    let stage = Stage::of(company(json!({}))).await;
    let both = [("note", Value::from("n")), ("contact", "1".into()), ("deal", "1".into())];
    let fields: Fields = both.iter().map(|(name, value)| (FieldName::from(*name), value.clone())).collect();
    let write = Write { trace: "t".into(), id: None, fields: fields.into(), content: None };
    let mode = WriteMode::Create { key: None };
    let batch = WriteBatch { object: "notes".into(), mode, writes: [write].into() };
    let before = stage.sent();
    let fault = stage.driver.write(&batch).await.unwrap_err();
    assert_eq!((fault.kind, stage.sent()), (FaultKind::Invalid, before), "{fault}");
    let outcome = stage.write("notes", None, &both[..2]).await;
    assert!(matches!(outcome, WriteOutcome::Applied { .. }), "{outcome:?}");
    let outcome = stage.write("notes", Some("1"), &[("contact", Value::Null), ("deal", "1".into())]).await;
    assert!(matches!(outcome, WriteOutcome::Applied { .. }), "{outcome:?}");
    let notes = stage.list("notes", &["contact", "deal"]).await;
    assert!(notes[0].fields.get("contact") == Some(&Value::Null));
    assert_eq!(notes[0].fields.get("deal").unwrap().display(), "1");
}

/// They are named, so that nobody believes that they were moved; where the plan has none nobody is told that there are none.
#[tokio::test]
async fn objects_that_the_account_made_are_named() {
    let stage = Stage::of(json!({})).await;
    assert!(stage.driver.custom_objects().await.unwrap().is_empty());
    let body = json!({"schema": {"slug": "car", "fields": []}});
    let request = handover_sandbox::Request::new("POST", "/api/3/customObjects/schemas").with_json(&body);
    let request = request.with_header("api-token", "sandbox-key");
    let now = "2026-03-02T10:00:05Z".parse().unwrap();
    let handled = stage.sandbox.lock().unwrap().handle(&request, now);
    assert!(
        matches!(&handled.delivery, handover_sandbox::Delivery::Whole(reply) if reply.status == 201),
        "{handled:?}"
    );
    assert_eq!(stage.driver.custom_objects().await.unwrap(), [handover_model::ObjectName::from("car")]);
    let plain = Stage::of(json!({"settings": {"custom_objects": false}})).await;
    assert_eq!(plain.driver.custom_objects().await.unwrap_err().kind, FaultKind::Denied);
}
