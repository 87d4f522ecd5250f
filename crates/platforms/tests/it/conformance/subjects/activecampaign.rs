//! ActiveCampaign for the suite.

use handover_connect::{Method, Request};
use handover_model::{Fields, RecordId, Value};
use handover_sandbox::Platform;
use handover_sandbox::faults::DisturbAction;
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

use crate::conformance::subject::{MARK, MODIFIED, Object, Scene, Subject, live_text};
use crate::conformance::values::Dice;

pub(crate) struct ActiveCampaign;

/// The custom field that carries keys, on accounts, contacts and deals.
const KEY: &str = "field_1";

const fn object(name: &'static str, journal: &'static str, text: &'static str) -> Object {
    Object { name, journal, disturbed: true, text, key: "", lists: 1, overlap: 1, again: 0, apart: &[], open: &[] }
}

const ONE_PARENT: &str = "a record hangs on one other, which `contact` shows";

static OBJECTS: [Object; 5] = [
    Object { key: KEY, ..object("accounts", "account", "name") },
    Object { key: KEY, overlap: 0, ..object("contacts", "contact", "lastName") },
    Object { key: KEY, apart: &[("group", "the stage decides it")], ..object("deals", "deal", "title") },
    Object { apart: &[("deal", ONE_PARENT)], ..object("dealTasks", "dealTask", "title") },
    Object {
        apart: &[("deal", ONE_PARENT), ("account", ONE_PARENT), ("dealTask", ONE_PARENT)],
        ..object("notes", "note", "note")
    },
];

const CONTACT_TYPES: [&str; 11] = [
    "text",
    "textarea",
    "date",
    "datetime",
    "dropdown",
    "multiselect",
    "listbox",
    "radio",
    "checkbox",
    "hidden",
    "number",
];
const META_TYPES: [&str; 11] = [
    "text",
    "textarea",
    "date",
    "datetime",
    "dropdown",
    "multiselect",
    "radio",
    "checkbox",
    "hidden",
    "currency",
    "number",
];

/// The scene's record `n` of an object.
fn record(object: &str, n: u64) -> Json {
    let text = live_text(n);
    let (updated, created) = match object {
        "accounts" => ("updatedTimestamp", "createdTimestamp"),
        "deals" | "notes" => ("mdate", "cdate"),
        _ => ("udate", "cdate"),
    };
    let mut record = match object {
        "accounts" => json!({"name": text}),
        "contacts" => json!({"email": format!("c{n}@x.example"), "lastName": text}),
        "deals" => {
            json!({"title": text, "value": 100, "currency": "eur", "contact": 1, "stage": 1, "group": 1, "owner": 1})
        }
        "dealTasks" => json!({"title": text, "ownerType": "contact", "relid": 1, "dealTasktype": 1,
            "duedate": "2026-01-05T10:00:00Z", "assignee": 1}),
        _ => json!({"note": text, "reltype": "Subscriber", "relid": 1}),
    };
    record["id"] = json!(n);
    record[created] = json!("2026-01-01T10:00:00Z");
    record[updated] = json!(MODIFIED);
    record
}

fn records(scene: Scene, object: &str) -> Json {
    if scene.object != object {
        return [record(object, 1), record(object, 2)].into();
    }
    let gone = (scene.live + 1..=scene.live + scene.gone).map(|n| {
        let mut gone = record(object, n);
        gone["deleted"] = json!(true);
        gone
    });
    (1..=scene.live).map(|n| record(object, n)).chain(gone).collect()
}

impl Subject for ActiveCampaign {
    fn name(&self) -> &'static str {
        "activecampaign"
    }

    fn objects(&self) -> &'static [Object] {
        &OBJECTS
    }

    fn world(&self, scene: Scene) -> Json {
        let key = |label: &str, kind: &str| json!({"id": 1, label: "Source key", kind: "text"});
        let mut fields = vec![key("title", "type")];
        let mut options = Vec::new();
        for (id, kind) in (2_u64..).zip(CONTACT_TYPES) {
            fields.push(json!({"id": id, "title": format!("My {kind}"), "type": kind}));
            let values = ["low", "high"].map(|value| json!({"field": id, "value": value, "label": value}));
            options.extend(values);
        }
        let mut metas = vec![key("fieldLabel", "fieldType")];
        metas.extend((2_u64..).zip(META_TYPES).map(|(id, kind)| {
            json!({"id": id, "fieldLabel": format!("My {kind}"), "fieldType": kind, "fieldOptions": ["low", "high"]})
        }));
        let user = |id: u64| {
            json!({"id": id, "username": format!("u{id}"), "firstName": "User", "lastName": id.to_string(),
                "email": format!("u{id}@x.test"), "localZoneid": "Europe/Berlin"})
        };
        let mut world = json!({
            "account": {"timezone": "Europe/Berlin", "api_keys": [{"key": "key-secret", "user_id": 1}]},
            "users": [user(1), user(2)], "fields": fields, "fieldOptions": options,
            "dealCustomFieldMeta": metas, "accountCustomFieldMeta": metas,
            "tags": [{"id": 1, "tag": "VIP"}], "lists": [{"id": 1, "name": "News"}],
        });
        for object in &OBJECTS {
            world[object.name] = records(scene, object.name);
        }
        world
    }

    fn sandbox(&self, world: Json) -> Box<dyn Platform> {
        Box::new(handover_sandbox::activecampaign::ActiveCampaign::from_world(world, 11).unwrap())
    }

    fn token(&self) -> &'static str {
        "key-secret"
    }

    fn secrets(&self) -> &'static [&'static str] {
        &["key-secret", "app-secret", "first-secret"]
    }

    fn has_oauth(&self) -> bool {
        false
    }

    fn renews_refresh_tokens(&self) -> bool {
        false
    }

    fn id(&self, _: &str, n: u64) -> RecordId {
        n.to_string().into()
    }

    fn mint(&self, object: &Object, n: u64) -> Fields {
        let mut fields = Fields::new();
        let mut set = |name: &str, value: Value| fields.set(name.into(), value);
        set(object.text, format!("{MARK} new {n}").into());
        match object.name {
            "contacts" => set("email", format!("zq7.new{n}@x.example").into()),
            "deals" => {
                set("value", Value::Number(Decimal::new(12_345, 2)));
                set("currency", "EUR".into());
                set("stage", "2".into());
                set("owner", "1".into());
                set("contact", "1".into());
            }
            "dealTasks" => {
                set("duedate", Value::DateTime("2026-04-01T10:00:00Z".parse().unwrap()));
                set("dealTasktype", "1".into());
                set("contact", "1".into());
            }
            "notes" => set("contact", "1".into()),
            _ => {}
        }
        if !object.key.is_empty() {
            set(object.key, format!("{MARK}:{}:{n}", object.name).into());
        }
        fields
    }

    fn value(&self, object: &Object, field: &str, dice: &mut Dice) -> Option<Value> {
        let below = |dice: &mut Dice, end: u64| i64::try_from(dice.below(end)).unwrap();
        match (object.name, field) {
            ("deals", "percent") => Some(Value::from(below(dice, 101))),
            ("deals", "value") => Some(Value::Number(Decimal::new(below(dice, 1_000_000_000), 2).normalize())),
            (_, field) if field.ends_with(".amount") => {
                Some(Value::Number(Decimal::new(below(dice, 1_000_000_000), 2).normalize()))
            }
            _ => None,
        }
    }

    fn along(&self, _: &Object, _: &str) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    fn user(&self) -> &'static str {
        "2"
    }

    fn users(&self) -> (&'static [&'static str], &'static [&'static str]) {
        // Users who are gone are not listed.
        (&["1", "2"], &[])
    }

    fn raw(&self, object: &Object) -> Json {
        let mut raw = record(object.name, 0);
        raw[object.text] = json!("made meanwhile");
        if object.name == "contacts" {
            raw["email"] = json!("meanwhile@x.example");
        }
        raw
    }

    fn request(&self, _: &Object, _: &str, _: &DisturbAction) -> Option<Request> {
        None
    }

    fn refuse_whole(&self, _: &mut Json) -> bool {
        false
    }

    fn without_rights(&self, world: &mut Json, object: &Object) -> (&'static str, bool) {
        world["account"]["api_keys"][0]["hidden"] = json!([object.name]);
        // The answer says that something is not permitted, not what (sheet: ActiveCampaign section 1).
        ("permission", false)
    }

    fn reverse(&self, _: &Object, field: &str, _: &str, to: &str) -> Option<Request> {
        (field == "contactDeals").then(|| Request::new(Method::Get, format!("/api/3/contacts/{to}/contactDeals"), &[]))
    }
}
