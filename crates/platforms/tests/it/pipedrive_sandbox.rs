//! Pipedrive's dialect behind the real driver, against the sandbox account, on a clock that jumps.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use handover_connect::{
    Clock as _, Connector as _, Credentials, Driver, FaultKind, Link, LinkBatch, NoKeeper, Read, Settings,
    VirtualClock, Which, Write, WriteBatch, WriteMode, WriteOutcome,
};
use handover_local::LocalTransport;
use handover_model::{Content, FieldName, Fields, Kind, Record, RecordId, Schema, Value};
use handover_platforms::pipedrive::Pipedrive;
use handover_sandbox::Sandbox;
use handover_sandbox::faults::FaultPlan;
use secrecy::SecretString;
use serde_json::{Value as Json, json};

const SEED: u64 = 11;
const TYPES: [&str; 14] = [
    "varchar",
    "text",
    "double",
    "phone",
    "date",
    "enum",
    "set",
    "user",
    "org",
    "people",
    "monetary",
    "daterange",
    "time",
    "timerange",
];

struct Stage {
    sandbox: Arc<Mutex<Sandbox>>,
    clock: Arc<VirtualClock>,
    driver: Driver,
}

/// An account with one custom field of each type on deals, and some records.
fn world() -> Json {
    let options = json!([{"id": 901, "label": "Low"}, {"id": 902, "label": "High"}]);
    let fields: Vec<Json> = TYPES
        .iter()
        .chain(&["address"])
        .map(|kind| json!({"field_name": format!("My {kind}"), "field_type": kind, "options": options}))
        .collect();
    let notes: Vec<Json> =
        (1..=1_200).map(|id| json!({"id": id, "content": format!("<p>{id}</p>"), "deal_id": 1})).collect();
    json!({
        "account": {"plan": "growth", "seats": 5, "api_tokens": [{"token": "api", "user_id": 1}],
            "oauth_clients": [{"client_id": "app", "client_secret": "s", "refresh_token": "first", "user_id": 1,
                "scopes": ["base", "deals:full", "contacts:full", "activities:full", "products:full", "leads:full",
                    "users:read", "admin", "deal-fields:full", "contact-fields:full"]}]},
        "users": [{"id": 1, "name": "Ana", "email": "ana@x.test", "active_flag": true, "is_deleted": false,
            "timezone_name": "Europe/Berlin", "default_currency": "EUR",
            "access": [{"app": "sales", "admin": true}]}],
        "organizations": [{"id": 1, "name": "Parent"}, {"id": 2, "name": "Daughter"}],
        "persons": [{"id": 1, "name": "Ada Main"}, {"id": 2, "name": "Bo Second"}, {"id": 3, "name": "Cy Third"}],
        "deals": [{"id": 1, "title": "Open", "person_id": 1, "org_id": 1}, {"id": 2, "title": "Alone", "person_id": 2},
            {"id": 3, "title": "Stored", "is_archived": true, "archive_time": "2022-01-01T00:00:00Z"},
            {"id": 4, "title": "Gone", "is_deleted": true, "delete_time": "2023-12-30T00:00:00Z"}],
        "deal_participants": [{"deal_id": 1, "person_id": 2}],
        "notes": notes,
        "deal_fields": fields,
    })
}

fn stage_with(credentials: Credentials) -> Stage {
    let platform = handover_sandbox::pipedrive::Pipedrive::from_world(world(), SEED).unwrap();
    let sandbox = Arc::new(Mutex::new(Sandbox::new(Box::new(platform))));
    let clock = Arc::new(VirtualClock::new("2024-01-10T12:00:00Z".parse().unwrap()));
    let settings = Settings {
        api_base: "http://sandbox.test".to_owned(),
        oauth_base: "http://sandbox.test".to_owned(),
        timeout: Duration::from_secs(30),
        retries: 3,
        reserve: 0.0,
        concurrency: 2,
    };
    let transport = Arc::new(LocalTransport::new(sandbox.clone(), clock.clone()));
    let dialect = Box::new(Pipedrive::new());
    let driver = Driver::new(dialect, transport, clock.clone(), Arc::new(NoKeeper), credentials, settings);
    Stage { sandbox, clock, driver }
}

fn stage() -> Stage {
    stage_with(Credentials::Token(SecretString::from("api")))
}

impl Stage {
    fn faults(&self, rules: Json) {
        let plan: FaultPlan = serde_json::from_value(json!({"rules": rules})).unwrap();
        self.sandbox.lock().unwrap().set_faults(plan);
    }

    async fn schema(&self, object: &str) -> Schema {
        self.driver.describe(&object.into()).await.unwrap()
    }

    async fn all(&self, object: &str, fields: &Arc<[FieldName]>, which: Which) -> Vec<Record> {
        let read = Read { object: object.into(), fields: fields.clone(), which, since: None };
        let mut records = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.driver.page(&read, cursor.as_ref()).await.unwrap();
            records.extend(page.records);
            match page.next {
                Some(next) => cursor = Some(next),
                None => return records,
            }
        }
    }

    async fn write(&self, batch: &WriteBatch) -> WriteOutcome {
        self.driver.write(batch).await.unwrap().remove(0).outcome
    }

    async fn made(&self, object: &str, fields: &[(&str, Value)]) -> RecordId {
        match self.write(&create(object, fields)).await {
            WriteOutcome::Applied { id, .. } => id,
            other => panic!("{object}: {other:?}"),
        }
    }

    async fn one(&self, object: &str, id: &RecordId, fields: &[&str]) -> Record {
        let mut found = self.driver.fetch(&object.into(), &names(fields), std::slice::from_ref(id)).await.unwrap();
        assert_eq!(found.len(), 1, "{object} {id}");
        found.remove(0)
    }
}

fn names(names: &[&str]) -> Arc<[FieldName]> {
    names.iter().map(|name| FieldName::from(*name)).collect()
}

fn every(schema: &Schema) -> Arc<[FieldName]> {
    schema.fields.iter().map(|field| field.name.clone()).collect()
}

fn batch(object: &str, mode: WriteMode, id: Option<RecordId>, fields: &[(&str, Value)]) -> WriteBatch {
    let fields: Fields = fields.iter().map(|(name, value)| (FieldName::from(*name), value.clone())).collect();
    let write = Write { trace: "t".into(), id, fields, content: None };
    WriteBatch { object: object.into(), mode, writes: vec![write].into() }
}

fn create(object: &str, fields: &[(&str, Value)]) -> WriteBatch {
    batch(object, WriteMode::Create { key: None }, None, fields)
}

fn at(text: &str) -> Value {
    Value::DateTime(text.parse().unwrap())
}

fn number(text: &str) -> Value {
    Value::Number(text.parse().unwrap())
}

/// A value that a custom field of this kind takes in the account of [`world`].
fn sample(name: &str, kind: &Kind) -> Value {
    match kind {
        Kind::Text { .. } if name.ends_with("timezone_name") => "Europe/London".into(),
        Kind::Text { .. } | Kind::Phone { .. } => format!("text of {}", &name[name.len() - 4..]).into(),
        Kind::Number => number("1234.5"),
        Kind::Date => Value::Date("2024-02-29".parse().unwrap()),
        Kind::Time => Value::Time("09:30:00".parse().unwrap()),
        Kind::Choice { options, many: true } => {
            Value::List(options.iter().map(|option| option.value.as_str().into()).collect())
        }
        Kind::Choice { options, many: false } => options.last().unwrap().value.as_str().into(),
        Kind::User | Kind::Reference { .. } => "1".into(),
        Kind::Currency => "USD".into(),
        other => panic!("no sample for {other:?}"),
    }
}

#[tokio::test]
async fn the_account_and_every_schema_can_be_read() {
    let stage = stage();
    let account = stage.driver.account().await.unwrap();
    assert_eq!((account.time_zone.as_str(), account.lacks.len()), ("Europe/Berlin", 0));
    assert!(account.currencies.contains(&"USD".to_owned()));
    assert_eq!(stage.driver.users().await.unwrap().len(), 1);
    for object in stage.driver.objects() {
        let schema = stage.driver.describe(&object).await.unwrap();
        assert_eq!(schema, stage.driver.describe(&object).await.unwrap(), "{object} is stable");
        let records = stage.all(object.as_str(), &every(&schema), Which::Live).await;
        assert!(records.iter().all(|record| !record.gone), "{object}");
    }
    assert!(stage.driver.automations().await.unwrap().is_none());
    assert_eq!(stage.driver.count(&"deals".into()).await.unwrap(), None);
}

#[tokio::test]
async fn lists_bring_archived_deals_and_deleted_ones_on_request() {
    let stage = stage();
    stage.schema("deals").await;
    let fields = names(&["title", "is_archived"]);
    let ids = |records: Vec<Record>| records.iter().map(|record| record.id.to_string()).collect::<Vec<_>>();
    assert_eq!(ids(stage.all("deals", &fields, Which::Live).await), ["1", "2", "3"]);
    let deleted = stage.all("deals", &fields, Which::Deleted).await;
    assert!(deleted.iter().all(|record| record.gone));
    assert_eq!(ids(deleted), ["4"]);
    let fetched = stage.driver.fetch(&"deals".into(), &fields, &["3".into(), "1".into(), "99".into()]).await.unwrap();
    assert_eq!(ids(fetched), ["1", "3"]);
}

#[tokio::test]
async fn notes_deleted_during_the_walk_hide_no_others() {
    let stage = stage();
    let deletions: Vec<Json> = (0..5)
        .map(|_| {
            json!({"when": {"path": "/v1/notes", "nth": 1},
            "fault": {"kind": "disturb", "disturbance": {"object": "note", "action": "delete"}}})
        })
        .collect();
    stage.faults(json!(deletions));
    let records = stage.all("notes", &names(&["content"]), Which::Live).await;
    let ids: Vec<u64> = records.iter().map(|record| record.id.as_str().parse().unwrap()).collect();
    assert_eq!(ids, (1..=1_200).collect::<Vec<u64>>());
}

#[tokio::test]
async fn each_custom_field_type_comes_back_as_it_was_written() {
    let stage = stage();
    let schema = stage.schema("deals").await;
    let values: Vec<(String, Value)> = schema
        .fields
        .iter()
        .filter(|field| field.custom)
        .map(|field| (field.name.to_string(), sample(field.name.as_str(), &field.kind)))
        .collect();
    assert_eq!(values.len(), 10 + 2 + 2 + 2 + 3 + 10);
    let mut fields: Vec<(&str, Value)> = values.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    fields.push(("title", "All".into()));
    let id = stage.made("deals", &fields).await;
    let wanted: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    let back = stage.one("deals", &id, &wanted).await;
    for (name, value) in &fields {
        assert_eq!(back.fields.get(name), Some(value), "{name}");
    }
    // And all of them can be cleared.
    let cleared: Vec<(&str, Value)> = values.iter().map(|(name, _)| (name.as_str(), Value::Null)).collect();
    let outcome = stage.write(&batch("deals", WriteMode::Update, Some(id.clone()), &cleared)).await;
    assert!(matches!(outcome, WriteOutcome::Applied { .. }), "{outcome:?}");
    let back = stage.one("deals", &id, &wanted).await;
    assert!(cleared.iter().all(|(name, _)| back.fields.get(name) == Some(&Value::Null)));
}

#[tokio::test]
async fn system_fields_come_back_as_they_were_written() {
    let stage = stage();
    for object in ["organizations", "persons", "deals", "activities", "notes", "leads", "products"] {
        stage.schema(object).await;
    }
    let mail = |value: &str, label: &str, primary: bool| {
        let parts = [("value", value.into()), ("label", label.into()), ("primary", primary.into())];
        Value::Map(
            parts.map(|(name, part): (&str, Value)| (name.to_owned(), part)).into_iter().collect::<BTreeMap<_, _>>(),
        )
    };
    let long_ago = at("2015-03-04T05:06:07Z");
    let cases: Vec<(&str, Vec<(&str, Value)>)> = vec![
        (
            "organizations",
            vec![
                ("name", "Acme".into()),
                ("address.locality", "Bonn".into()),
                ("address.value", "Bonn".into()),
                ("website", "https://acme.test".into()),
                ("annual_revenue", number("1000000")),
                ("add_time", long_ago.clone()),
            ],
        ),
        (
            "persons",
            vec![
                ("name", "Eve Example".into()),
                ("org_id", "1".into()),
                ("add_time", long_ago.clone()),
                ("emails", Value::List(vec![mail("e@x.test", "work", true), mail("f@x.test", "home", false)])),
                ("phones", Value::List(vec![mail("+49 30 1", "mobile", true)])),
            ],
        ),
        (
            "deals",
            vec![
                ("title", "Won".into()),
                ("value", number("10.5")),
                ("currency", "USD".into()),
                ("status", "won".into()),
                ("won_time", at("2020-02-03T04:05:06Z")),
                ("stage_id", "2".into()),
                ("expected_close_date", Value::Date("2020-01-01".parse().unwrap())),
                ("is_archived", true.into()),
                ("archive_time", at("2021-02-03T04:05:06Z")),
            ],
        ),
        (
            "deals",
            vec![
                ("title", "Lost".into()),
                ("status", "lost".into()),
                ("lost_time", at("2020-02-03T04:05:06Z")),
                ("lost_reason", "price".into()),
            ],
        ),
        (
            "activities",
            vec![
                ("subject", "Call".into()),
                ("type", "call".into()),
                ("deal_id", "1".into()),
                ("done", true.into()),
                ("due_date", Value::Date("2020-01-01".parse().unwrap())),
                ("due_time", Value::Time("15:00:00".parse().unwrap())),
                ("participants", Value::List(vec!["2".into(), "1".into()])),
                ("duration", "01:00:00".into()),
                ("note", "<b>x</b>".into()),
                ("location.value", "Bonn".into()),
            ],
        ),
        (
            "notes",
            vec![
                ("content", "<p>x</p>".into()),
                ("person_id", "1".into()),
                ("add_time", long_ago.clone()),
                ("pinned_to_person_flag", true.into()),
            ],
        ),
        ("products", vec![("name", "Pencil".into()), ("code", "P1".into())]),
        (
            "leads",
            vec![
                ("title", "Lead".into()),
                ("organization_id", "1".into()),
                ("value.amount", number("9.5")),
                ("value.currency", "EUR".into()),
            ],
        ),
    ];
    for (object, fields) in cases {
        let id = stage.made(object, &fields).await;
        let wanted: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
        let back = stage.one(object, &id, &wanted).await;
        for (name, value) in &fields {
            assert_eq!(back.fields.get(name).map(Value::display), Some(value.display()), "{object} {name}");
            assert_eq!(back.fields.get(name), Some(value), "{object} {name}");
        }
    }
}

#[tokio::test]
async fn updates_of_one_part_keep_the_rest_of_an_address_and_of_the_people() {
    let stage = stage();
    let address = [("name", "Acme".into()), ("address.route", "Main St".into()), ("address.locality", "Ulm".into())];
    let id = stage.made("organizations", &address).await;
    let update = batch("organizations", WriteMode::Update, Some(id.clone()), &[("address.locality", "Bonn".into())]);
    assert!(matches!(stage.write(&update).await, WriteOutcome::Applied { created: Some(false), .. }));
    let back = stage.one("organizations", &id, &["address.route", "address.locality"]).await;
    assert_eq!(back.fields.get("address.route"), Some(&"Main St".into()));
    assert_eq!(back.fields.get("address.locality"), Some(&"Bonn".into()));
    let people = [("subject", "Call".into()), ("participants", Value::List(vec!["1".into(), "2".into()]))];
    let id = stage.made("activities", &people).await;
    let update = batch("activities", WriteMode::Update, Some(id.clone()), &[("person_id", "3".into())]);
    assert!(matches!(stage.write(&update).await, WriteOutcome::Applied { .. }));
    let back = stage.one("activities", &id, &["participants", "person_id"]).await;
    assert_eq!(back.fields.get("person_id"), Some(&"3".into()));
    assert_eq!(back.fields.get("participants").map(Value::display).as_deref(), Some("3, 1, 2"));
    let missing = batch("organizations", WriteMode::Update, Some("999".into()), &[("address.locality", "X".into())]);
    let WriteOutcome::Refused(fault) = stage.write(&missing).await else { panic!("not refused") };
    assert_eq!(fault.kind, FaultKind::NotFound);
}

#[tokio::test]
async fn parents_and_participants_are_read_and_linked() {
    let stage = stage();
    stage.schema("organizations").await;
    stage.schema("deals").await;
    let deals = stage.all("deals", &names(&["participants"]), Which::Live).await;
    let counts: Vec<String> =
        deals.iter().map(|deal| deal.fields.get("participants_count").unwrap().display()).collect();
    assert_eq!(counts, ["2", "1", "0"]);
    let link = |object: &str, field: &str, to: &str, link: (&str, &str)| LinkBatch {
        object: object.into(),
        field: field.into(),
        to_object: to.into(),
        links: vec![Link { from: link.0.into(), to: link.1.into() }].into(),
    };
    let parent = link("organizations", "parent", "organizations", ("2", "1"));
    let person = link("deals", "participants", "persons", ("1", "3"));
    // Adding a link that exists is success, and adds none.
    for batch in [&parent, &parent, &person, &person] {
        assert!(stage.driver.link(batch).await.unwrap()[0].result.is_ok());
    }
    let read = |object: &'static str, field: &'static str, id: &'static str| {
        let driver = &stage.driver;
        async move {
            let records = driver.enrich(&object.into(), &field.into(), &[id.into()]).await.unwrap();
            records[0].fields.get(field).unwrap().display()
        }
    };
    assert_eq!(read("organizations", "parent", "2").await, "1");
    assert_eq!(read("organizations", "parent", "1").await, "");
    assert_eq!(read("deals", "participants", "1").await, "1, 2, 3");
    let world = stage.sandbox.lock().unwrap().platform().world();
    assert_eq!(world["organization_relationships"].as_array().unwrap().len(), 1);
    let nobody = link("deals", "participants", "persons", ("1", "99"));
    assert_eq!(stage.driver.link(&nobody).await.unwrap()[0].result.as_ref().unwrap_err().kind, FaultKind::Invalid);
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_its_record_is_among_the_candidates() {
    let stage = stage();
    let schema = stage.schema("deals").await;
    let key = schema.fields.iter().find(|field| field.label == "My varchar").unwrap().name.clone();
    for object in ["persons", "activities", "notes"] {
        stage.schema(object).await;
    }
    let long_ago = at("2015-03-04T05:06:07Z");
    let cases = [
        (
            "deals",
            batch(
                "deals",
                WriteMode::Create { key: Some(key.clone()) },
                None,
                &[("title", "Lost".into()), (key.as_str(), "old:deal:7".into()), ("is_archived", true.into())],
            ),
            key.as_str(),
        ),
        ("activities", create("activities", &[("subject", "Lost call".into()), ("deal_id", "1".into())]), "subject"),
        (
            "notes",
            create("notes", &[("content", "lost".into()), ("person_id", "2".into()), ("add_time", long_ago)]),
            "content",
        ),
    ];
    for (object, batch, field) in cases {
        stage.faults(json!([{"when": {"method": "POST", "path": "/**"}, "fault": {"kind": "lost_after"}}]));
        let since = stage.clock.now();
        let WriteOutcome::Unknown(_) = stage.write(&batch).await else { panic!("{object} is known") };
        stage.faults(json!([]));
        let found = stage.driver.candidates(&batch, &names(&[field]), since).await.unwrap();
        let value = batch.writes[0].fields.get(field);
        let hits: Vec<_> = found.iter().filter(|record| record.fields.get(field) == value).collect();
        assert_eq!(hits.len(), 1, "{object}: {} candidates", found.len());
    }
}

#[tokio::test]
async fn bursts_are_waited_out_and_a_spent_day_is_told() {
    let stage = stage();
    stage.faults(json!([{"when": {"path": "/**", "to": 2}, "fault": {"kind": "limited"}}]));
    let records = stage.all("organizations", &names(&["name"]), Which::Live).await;
    assert_eq!((records.len(), stage.driver.spent().limited), (2, 2));
    // Left to itself the budget keeps below the plan's burst: no refusal at all.
    stage.faults(json!([]));
    for _ in 0..60 {
        stage.all("organizations", &names(&["name"]), Which::Live).await;
    }
    assert_eq!(stage.driver.spent().limited, 2);
    // The headers told the plan's allowance, above the documented lowest one.
    assert!(stage.driver.spent().left_today.unwrap() > 30_000);
    stage.faults(json!([{"fault": {"kind": "limited", "scope": "daily"}}]));
    let read = Read { object: "organizations".into(), fields: names(&["name"]), which: Which::Live, since: None };
    assert!(stage.driver.page(&read, None).await.unwrap_err().is_daily_limit());
}

#[tokio::test]
async fn an_expired_token_is_renewed_in_the_middle() {
    let oauth = Credentials::Oauth {
        client_id: "app".to_owned(),
        client_secret: SecretString::from("s"),
        refresh_token: SecretString::from("first"),
        access: None,
    };
    let stage = stage_with(oauth);
    assert_eq!(stage.all("organizations", &names(&["name"]), Which::Live).await.len(), 2);
    stage.faults(json!([{"when": {"path": "/v1/notes", "nth": 2}, "fault": {"kind": "expired_token"}}]));
    assert_eq!(stage.all("notes", &names(&["content"]), Which::Live).await.len(), 1_200);
    // An hour later the token is bought anew before it is used.
    let later = stage.clock.now().checked_add(jiff::SignedDuration::from_hours(2)).unwrap();
    stage.clock.set(later);
    assert_eq!(stage.all("persons", &names(&["name"]), Which::Live).await.len(), 3);
}

#[tokio::test]
async fn refusals_and_broken_answers_are_told_apart() {
    let stage = stage();
    let WriteOutcome::Refused(fault) =
        stage.write(&create("deals", &[("title", "T".into()), ("stage_id", "99".into())])).await
    else {
        panic!("not refused")
    };
    assert_eq!((fault.kind, fault.field.unwrap().as_str()), (FaultKind::Invalid, "stage_id"));
    assert!(!fault.message.contains("99"), "{}", fault.message);
    stage.faults(json!([{"when": {"method": "POST"}, "fault": {"kind": "malformed"}}]));
    let outcome = stage.write(&create("deals", &[("title", "T".into())])).await;
    assert!(matches!(outcome, WriteOutcome::Unknown(fault) if fault.kind == FaultKind::Malformed));
    stage.faults(
        json!([{"when": {"path": "/api/v2/persons", "to": 2}, "fault": {"kind": "unavailable", "status": 502}}]),
    );
    assert_eq!(stage.all("persons", &names(&["name"]), Which::Live).await.len(), 3);
}

#[tokio::test]
async fn files_are_uploaded_and_downloaded_whole() {
    let stage = stage();
    stage.schema("files").await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("blob");
    std::fs::write(&path, b"the bytes").unwrap();
    let mut batch =
        create("files", &[("name", "offer.pdf".into()), ("deal_id", "1".into()), ("description", "Signed".into())]);
    let mut write = batch.writes[0].clone();
    write.content = Some(Content { path, bytes: 9, blake3: String::new() });
    batch.writes = vec![write].into();
    let WriteOutcome::Applied { id, .. } = stage.write(&batch).await else { panic!("not uploaded") };
    let back = stage.one("files", &id, &["name", "description", "deal_id", "person_id", "file_size"]).await;
    let told = ["name", "description", "deal_id", "person_id", "file_size"]
        .map(|name| back.fields.get(name).unwrap().display());
    assert_eq!(told, ["offer.pdf", "Signed", "1", "", "9"]);
    let to = folder.path().join("back");
    let content = stage.driver.download(&"files".into(), &id, &to).await.unwrap();
    assert_eq!((std::fs::read(&to).unwrap().as_slice(), content.bytes), (b"the bytes".as_slice(), 9));
    let gone = stage.driver.download(&"files".into(), &"99".into(), &to).await.unwrap_err();
    assert_eq!(gone.kind, FaultKind::NotFound);
}

#[tokio::test]
async fn a_created_field_can_be_written_at_once() {
    let stage = stage();
    let schema = stage.schema("persons").await;
    let mut wish = schema.field("name").unwrap().clone();
    wish.label = "Source key".to_owned();
    let field = stage.driver.create_field(&"persons".into(), &wish).await.unwrap();
    assert_eq!((field.name.as_str().len(), field.custom), (40, true));
    assert!(stage.schema("persons").await.field(field.name.as_str()).is_some());
    let id = stage.made("persons", &[("name", "Eve".into()), (field.name.as_str(), "old:1".into())]).await;
    let back = stage.one("persons", &id, &[field.name.as_str()]).await;
    assert_eq!(back.fields.get(field.name.as_str()), Some(&"old:1".into()));
}
