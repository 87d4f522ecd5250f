//! Through the driver, against the sandbox, on one virtual clock.

use std::sync::{Arc, Mutex};

use handover_connect::{
    Clock as _, Connector as _, Credentials, Driver, FaultKind, Link, LinkBatch, NoKeeper, Read, Settings,
    VirtualClock, Which, WriteBatch, WriteMode, WriteOutcome, Written,
};
use handover_local::LocalTransport;
use handover_model::{Field, FieldName, Kind, ReadCost, Record, RecordId, Value, Writable};
use handover_platforms::hubspot::HubSpot;
use handover_sandbox::faults::FaultPlan;
use handover_sandbox::hubspot::Hubspot;
use handover_sandbox::{Delivery, Sandbox};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::{Value as Json, json};

use super::{Row, batch, names};

const SEED: u64 = 7;

pub(super) struct Portal {
    pub(super) driver: Driver,
    sandbox: Arc<Mutex<Sandbox>>,
    pub(super) clock: Arc<VirtualClock>,
}

pub(super) fn portal(world: &Json) -> Portal {
    with(world, Credentials::Token(SecretString::from("pat-test")))
}

fn with(world: &Json, credentials: Credentials) -> Portal {
    let mut world = world.clone();
    world["platform"] = json!("hubspot");
    world["tokens"] = json!([{ "token": "pat-test", "scopes": "all", "app": 1 }]);
    world["properties"] = json!({});
    world["property_groups"] = json!({});
    for object in ["contacts", "companies", "deals", "notes"] {
        world["property_groups"][object] = json!([{ "name": "ours", "label": "Ours" }]);
        world["properties"][object] = json!([{ "name": "src_key", "label": "Source key", "type": "string", "fieldType": "text",
            "groupName": "ours", "hasUniqueValue": object != "notes" }]);
    }
    Portal::over(world, credentials)
}

impl Portal {
    /// A driver over a portal made of a world file.
    pub(super) fn over(world: Json, credentials: Credentials) -> Self {
        let hub = Hubspot::from_world(world, SEED).unwrap();
        let sandbox = Arc::new(Mutex::new(Sandbox::new(Box::new(hub))));
        let clock = Arc::new(VirtualClock::new("2026-03-02T08:00:00Z".parse().unwrap()));
        let settings = Settings { retries: 3, concurrency: 2, ..Settings::at("http://hubspot.test") };
        let transport = Arc::new(LocalTransport::new(sandbox.clone(), clock.clone()));
        let driver =
            Driver::new(Box::new(HubSpot::new()), transport, clock.clone(), Arc::new(NoKeeper), credentials, settings);
        Self { driver, sandbox, clock }
    }

    /// Somebody else's request.
    pub(super) fn post(&self, path: &str, body: &Json) {
        let request = handover_sandbox::Request::new("POST", path).with_json(body);
        let request = request.with_header("authorization", "Bearer pat-test");
        let handled = self.sandbox.lock().unwrap().handle(&request, self.clock.now());
        assert!(matches!(handled.delivery, Delivery::Whole(reply) if reply.status == 200));
    }

    /// The portal as a world file.
    pub(super) fn world(&self) -> Json {
        self.sandbox.lock().unwrap().platform().world()
    }

    pub(super) fn faults(&self, rules: &Json) {
        let plan: FaultPlan = serde_json::from_value(json!({ "seed": SEED, "rules": rules })).unwrap();
        self.sandbox.lock().unwrap().set_faults(plan);
    }

    pub(super) async fn list(&self, object: &str, fields: &[&str], since: Option<Timestamp>) -> Vec<Record> {
        let read = Read { object: object.into(), fields: names(fields), which: Which::Live, since };
        let (mut all, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.driver.page(&read, cursor.as_ref()).await.unwrap();
            all.extend(page.records);
            match page.next {
                Some(next) => cursor = Some(next),
                None => return all,
            }
        }
    }

    pub(super) async fn write(&self, batch: &WriteBatch) -> Vec<Written> {
        self.driver.write(batch).await.unwrap()
    }
}

pub(super) fn contacts(count: u64) -> Json {
    let records: Vec<Json> = (1..=count)
        .map(|at| json!({ "id": at.to_string(), "properties": { "firstname": format!("N{at}"), "email": format!("n{at}@x.example") } }))
        .collect();
    json!({ "objects": { "contacts": records } })
}

pub(super) fn applied(written: &[Written], trace: &str) -> RecordId {
    match &written.iter().find(|written| written.trace == *trace).unwrap().outcome {
        WriteOutcome::Applied { id, .. } => id.clone(),
        other => panic!("{trace} was not applied: {other:?}"),
    }
}

pub(super) fn text<'a>(record: &'a Record, field: &str) -> Option<&'a str> {
    record.fields.get(field).and_then(Value::as_text)
}

pub(super) fn upsert() -> WriteMode {
    WriteMode::Upsert { key: "src_key".into() }
}

#[tokio::test]
async fn every_object_is_described_and_the_portal_tells_who_it_is() {
    let portal = portal(
        &json!({ "account": { "portalId": 33, "timeZone": "Europe/Berlin", "companyCurrency": "EUR", "tier": "professional" } }),
    );
    let account = portal.driver.account().await.unwrap();
    assert_eq!((account.id.as_str(), account.currencies[0].as_str()), ("33", "EUR"));
    assert_eq!(account.daily_limit, Some(625_000));
    for object in portal.driver.objects() {
        let schema = portal.driver.describe(&object).await.unwrap();
        assert!(!schema.fields.is_empty(), "{object}");
    }
    let deals = portal.driver.describe(&"deals".into()).await.unwrap();
    let Kind::Choice { options, .. } = &deals.field("dealstage").unwrap().kind else { panic!("no choice") };
    assert!(options.iter().all(|stage| stage.label.contains(": ") && stage.within.is_some()) && !options.is_empty());
    assert_eq!(deals.field("hubspot_owner_id").unwrap().kind, Kind::User);
    assert!(deals.field("src_key").unwrap().unique);
    assert!(portal.driver.users().await.unwrap().iter().any(|user| user.active));
    assert!(portal.driver.automations().await.unwrap().is_some());
}

#[tokio::test]
async fn lists_and_changes_bring_every_record_once() {
    let portal = portal(&contacts(450));
    portal.driver.describe(&"contacts".into()).await.unwrap();
    let all = portal.list("contacts", &["firstname", "associations.companies"], None).await;
    let mut ids: Vec<u64> = all.iter().map(|record| record.id.as_str().parse().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=450).collect::<Vec<_>>());
    // All have one time of modification.
    let changed = portal.list("contacts", &["firstname"], Some("2024-01-01T00:00:00Z".parse().unwrap())).await;
    assert_eq!(changed.len(), 450);
    assert!(portal.list("contacts", &["firstname"], Some(portal.clock.now())).await.is_empty());
    assert_eq!(portal.driver.count(&"contacts".into()).await.unwrap(), Some(450));
    let wanted: Vec<RecordId> = ["3", "999", "77"].iter().map(|id| RecordId::from(*id)).collect();
    let fetched = portal.driver.fetch(&"contacts".into(), &names(&["firstname"]), &wanted).await.unwrap();
    assert_eq!(fetched.len(), 2);
}

#[tokio::test]
async fn upserts_survive_shuffling_a_bad_row_and_a_lost_answer() {
    let portal = portal(&json!({}));
    portal.driver.describe(&"contacts".into()).await.unwrap();
    let rows: [Row<'_>; 3] = [
        ("r1", None, &[("src_key", "old:1".into()), ("email", "a@x.example".into())]),
        ("r2", None, &[("src_key", "old:2".into()), ("email", "no address".into())]),
        ("r3", None, &[("src_key", "old:3".into()), ("email", "c@x.example".into())]),
    ];
    // Applied, and the answer lost: sent again without harm.
    portal.faults(&json!([{ "when": { "path": "/crm/v3/objects/contacts/batch/upsert", "nth": 1 }, "fault": { "kind": "lost_after" } }]));
    let written = portal.write(&batch("contacts", upsert(), &rows)).await;
    assert_ne!(applied(&written, "r1"), applied(&written, "r3"));
    let WriteOutcome::Refused(fault) = &written.iter().find(|written| written.trace == "r2").unwrap().outcome else {
        panic!("{written:?}")
    };
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Invalid, "INVALID_EMAIL"));
    assert_eq!(fault.field, Some("email".into()));
    assert!(!fault.message.contains("no address"));
    assert_eq!(portal.list("contacts", &["email"], None).await.len(), 2);

    // An update, in the same way, and null clears.
    let id = applied(&written, "r1");
    let update = batch(
        "contacts",
        WriteMode::Update,
        &[("u", Some(id.as_str()), &[("firstname", "Ana".into()), ("email", Value::Null)])],
    );
    applied(&portal.write(&update).await, "u");
    let read = portal.driver.fetch(&"contacts".into(), &names(&["firstname", "email"]), &[id]).await.unwrap();
    assert_eq!(text(&read[0], "firstname"), Some("Ana"));
    assert!(read[0].fields.get("email") == Some(&Value::Null));
    let gone = batch("contacts", WriteMode::Update, &[("u", Some("4711"), &[("firstname", "x".into())])]);
    let written = portal.write(&gone).await;
    assert!(
        matches!(&written[0].outcome, WriteOutcome::Refused(fault) if fault.kind == FaultKind::NotFound),
        "{written:?}"
    );
}

#[tokio::test]
async fn a_taken_address_names_the_record_that_has_it() {
    let portal = portal(&contacts(1));
    let create =
        batch("contacts", WriteMode::Create { key: None }, &[("r", None, &[("email", "N1@x.example".into())])]);
    let written = portal.write(&create).await;
    let WriteOutcome::Refused(fault) = &written[0].outcome else { panic!("{written:?}") };
    assert_eq!((fault.kind, fault.detail.clashing.as_slice()), (FaultKind::Conflict, &["1".to_owned()][..]));
}

#[tokio::test]
async fn typed_values_come_back_as_they_were_written() {
    let portal = portal(
        &json!({ "account": { "portalId": 1, "timeZone": "Europe/Berlin", "companyCurrency": "EUR", "additionalCurrencies": ["USD"] } }),
    );
    portal.driver.describe(&"deals".into()).await.unwrap();
    let closed: Timestamp = "2025-05-06T07:08:09.123Z".parse().unwrap();
    let rows: [Row<'_>; 1] = [(
        "r",
        None,
        &[
            ("src_key", "old:1".into()),
            ("dealname", "Line one\nline two".into()),
            ("dealstage", "appointmentscheduled".into()),
            ("amount", Value::Number("1234.50".parse().unwrap())),
            ("closedate", Value::DateTime(closed)),
            ("deal_currency_code", "USD".into()),
            ("hubspot_owner_id", "96879917".into()),
        ],
    )];
    let deals = batch("deals", upsert(), &rows);
    let id = applied(&portal.write(&deals).await, "r");
    let fields: Arc<[FieldName]> = deals.writes[0].fields.iter().map(|(name, _)| name.clone()).collect();
    let read = portal.driver.fetch(&"deals".into(), &fields, &[id]).await.unwrap();
    for (name, value) in deals.writes[0].fields.iter() {
        let back = read[0].fields.get(name.as_str());
        let same = match (back, value) {
            (Some(Value::Number(a)), Value::Number(b)) => a == b,
            (back, value) => back == Some(value),
        };
        assert!(same, "{name}");
    }
}

fn company(id: &str) -> Json {
    json!({ "id": id, "properties": { "name": format!("C{id}") } })
}

fn links(object: &str, field: &str, to_object: &str, pairs: &[(&str, &str)]) -> LinkBatch {
    let links = pairs.iter().map(|(from, to)| Link { from: (*from).into(), to: (*to).into() }).collect();
    LinkBatch { object: object.into(), field: field.into(), to_object: to_object.into(), links }
}

#[tokio::test]
async fn links_are_made_and_read_and_the_primary_company_stays_when_links_are_made_again() {
    let mut world = contacts(2);
    world["objects"]["companies"] = json!([company("10"), company("11"), company("12")]);
    let portal = portal(&world);
    for object in ["contacts", "companies"] {
        portal.driver.describe(&object.into()).await.unwrap();
    }
    let plain = links(
        "contacts",
        "associations.companies",
        "companies",
        &[("1", "10"), ("1", "11"), ("1", "404"), ("9", "10")],
    );
    let results: Vec<_> = portal
        .driver
        .link(&plain)
        .await
        .unwrap()
        .into_iter()
        .map(|link| link.result.map_err(|fault| fault.kind))
        .collect();
    assert_eq!(results, [Ok(()), Ok(()), Err(FaultKind::NotFound), Err(FaultKind::NotFound)]);
    let primary = links("contacts", "associations.primary_company", "companies", &[("1", "11")]);
    assert!(portal.driver.link(&primary).await.unwrap()[0].result.is_ok());
    // Again, as after a crash: nothing changes.
    portal.driver.link(&plain).await.unwrap();
    let read = portal.list("contacts", &["associations.companies"], None).await;
    let first = read.iter().find(|record| record.id == "1").unwrap();
    assert_eq!(first.fields.get("associations.companies").unwrap().ids(), ["10", "11"]);
    let ids: Vec<RecordId> = ["1", "2"].iter().map(|id| RecordId::from(*id)).collect();
    let primaries =
        portal.driver.enrich(&"contacts".into(), &"associations.primary_company".into(), &ids).await.unwrap();
    assert_eq!(primaries.len(), 1);
    assert_eq!(text(&primaries[0], "associations.primary_company"), Some("11"));

    let parent = links("companies", "associations.parent_company", "companies", &[("10", "12")]);
    assert!(portal.driver.link(&parent).await.unwrap()[0].result.is_ok());
    let ids: Vec<RecordId> = ["10", "12"].iter().map(|id| RecordId::from(*id)).collect();
    let parents = portal.driver.enrich(&"companies".into(), &"associations.parent_company".into(), &ids).await.unwrap();
    assert_eq!(parents.len(), 1, "the parent has no parent");
    assert_eq!((parents[0].id.as_str(), text(&parents[0], "associations.parent_company")), ("10", Some("12")));
}

#[tokio::test]
async fn access_tokens_are_renewed_before_they_end_and_after_a_refusal() {
    let mut world = contacts(1);
    world["oauth_apps"] =
        json!([{ "client_id": "app", "client_secret": "cs", "scopes": "all", "refresh_token": "rt", "app": 2 }]);
    let oauth = |refresh: &str| Credentials::Oauth {
        client_id: "app".into(),
        client_secret: Some(SecretString::from("cs")),
        refresh_token: SecretString::from(refresh.to_owned()),
        access: None,
    };
    let portal = with(&world, oauth("rt"));
    assert_eq!(portal.list("contacts", &["firstname"], None).await.len(), 1);
    portal.clock.set(portal.clock.now().checked_add(SignedDuration::from_hours(2)).unwrap());
    assert_eq!(portal.list("contacts", &["firstname"], None).await.len(), 1);
    portal.faults(
        &json!([{ "when": { "path": "/crm/v3/objects/contacts", "nth": 1 }, "fault": { "kind": "expired_token" } }]),
    );
    assert_eq!(portal.list("contacts", &["firstname"], None).await.len(), 1);

    let portal = with(&world, oauth("dead"));
    let read = Read { object: "contacts".into(), fields: names(&[]), which: Which::Live, since: None };
    let fault = portal.driver.page(&read, None).await.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Auth, "BAD_REFRESH_TOKEN"));
}

#[tokio::test]
async fn new_fields_are_made_on_records_and_activities() {
    let portal = portal(&json!({}));
    for object in ["companies", "notes"] {
        let field = Field {
            name: "Handover Key".into(),
            label: "Handover key".into(),
            kind: Kind::Text { max: Some(255), html: false },
            required: false,
            writable: Writable::Always,
            unique: object == "companies",
            custom: true,
            read: ReadCost::Listed,
            blank_is_zero: false,
        };
        let made = portal.driver.create_field(&object.into(), &field).await.unwrap();
        assert_eq!((made.name.as_str(), made.unique), ("handover_key", object == "companies"));
        // Again, as after a lost answer.
        assert_eq!(portal.driver.create_field(&object.into(), &field).await.unwrap().name, made.name);
        assert!(portal.driver.describe(&object.into()).await.unwrap().field("handover_key").is_some());
    }
}

#[tokio::test]
async fn deleted_records_are_listed_as_gone() {
    let mut world = contacts(1);
    world["objects"]["contacts"].as_array_mut().unwrap().push(json!({ "id": "9", "properties": { "firstname": "Z" },
        "archived": true, "archivedAt": "2025-01-01T00:00:00Z" }));
    let portal = portal(&world);
    let read = Read { object: "contacts".into(), fields: names(&["firstname"]), which: Which::Deleted, since: None };
    let page = portal.driver.page(&read, None).await.unwrap();
    assert_eq!(page.records.len(), 1);
    assert!(page.records[0].gone && page.records[0].id == "9");
}

#[tokio::test]
async fn more_properties_than_a_query_takes_are_read_all_the_same() {
    let mut world = contacts(3);
    world["associations"] = json!([{ "fromType": "contacts", "fromId": "1", "toType": "companies", "toId": "10",
        "types": [{ "category": "HUBSPOT_DEFINED", "typeId": 279 }] }]);
    world["objects"]["companies"] = json!([company("10")]);
    let portal = portal(&world);
    let schema = portal.driver.describe(&"contacts".into()).await.unwrap();
    let mut wanted: Vec<&str> = schema.fields.iter().map(|field| field.name.as_str()).collect();
    wanted.retain(|name| *name != "associations.primary_company");
    let filler: Vec<String> = (0..200).map(|at| format!("a_property_that_was_deleted_meanwhile_{at}")).collect();
    wanted.extend(filler.iter().map(String::as_str));
    for since in [None, Some("2024-01-01T00:00:00Z".parse().unwrap())] {
        let all = portal.list("contacts", &wanted, since).await;
        assert_eq!(all.len(), 3);
        let first = all.iter().find(|record| record.id == "1").unwrap();
        assert_eq!(text(first, "email"), Some("n1@x.example"));
        assert_eq!(first.fields.get("associations.companies").unwrap().ids(), ["10"]);
    }
}
