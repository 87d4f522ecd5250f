//! Pipedrive for the suite.

use base64::Engine as _;
use handover_connect::{Method, Request};
use handover_model::{Fields, RecordId, Value};
use handover_sandbox::Platform;
use handover_sandbox::faults::DisturbAction;
use serde_json::{Value as Json, json};

use crate::conformance::subject::{MARK, MODIFIED, Object, Scene, Subject, live_text};
use crate::conformance::values::Dice;

/// The custom field that carries keys, on organizations, persons, products and deals.
const KEY: &str = "a1b2c3d4e5f6a1b2c3d4e5f6a1b2c3d4e5f6a1b2";
const KINDS: [&str; 15] = [
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
    "address",
];

pub(crate) struct Pipedrive;

const fn object(name: &'static str, journal: &'static str, text: &'static str) -> Object {
    Object { name, journal, disturbed: true, text, key: "", lists: 1, overlap: 0, again: 0, apart: &[], open: &[] }
}

const DERIVED: &str = "the first of them is the main person, which is a field of its own";

static OBJECTS: [Object; 10] = [
    Object { key: KEY, ..object("organizations", "organization", "name") },
    Object { key: KEY, ..object("persons", "person", "name") },
    Object { key: KEY, ..object("products", "product", "name") },
    Object { lists: 2, overlap: 1, ..object("leads", "lead", "title") },
    Object {
        key: KEY,
        lists: 2,
        apart: &[("pipeline_id", "the stage decides it")],
        ..object("deals", "deal", "title")
    },
    // Read through deals and archived deals: a list each, and the lines of those that have some in one call.
    Object { disturbed: false, lists: 3, ..object("deal_products", "deal_product", "comments") },
    Object { apart: &[("participants", DERIVED)], ..object("activities", "activity", "subject") },
    Object { overlap: 1, ..object("notes", "note", "content") },
    Object { overlap: 1, ..object("files", "file", "name") },
    // Read through deals, archived deals and persons: a list each, and then the mail of the one deal that has
    // some.
    Object { disturbed: false, lists: 4, overlap: 1, ..object("mail_messages", "mail_message", "subject") },
];

fn uuid(n: u64) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}

/// The deal in which line `n` stands: a hundred deals fill a page of lines.
fn deal_of(n: u64) -> u64 {
    (n - 1) / 5 + 1
}

/// The scene's record `n` of an object.
fn record(object: &str, n: u64) -> Json {
    let text = live_text(n);
    let mut record = match object {
        "deals" => json!({"title": text}),
        "deal_products" => {
            json!({"comments": text, "deal_id": deal_of(n), "product_id": 1, "quantity": 1, "item_price": 10})
        }
        "activities" => json!({"subject": text, "type": "call", "deal_id": 1}),
        "notes" => json!({"content": text, "deal_id": 1}),
        "leads" => json!({"title": text, "person_id": 1, "row_id": n}),
        "mail_messages" => json!({"subject": text, "deal_id": 1, "mail_thread_id": n, "sent_flag": 1,
            "body": format!("<p>{text}</p>"), "from": [{"email_address": "u1@x.test", "name": "User 1"}]}),
        "files" => {
            let bytes = base64::engine::general_purpose::STANDARD.encode(format!("bytes {n}"));
            json!({"name": text, "deal_id": 1, "content_base64": bytes})
        }
        _ => json!({"name": text}),
    };
    record["id"] = if object == "leads" { json!(uuid(n)) } else { json!(n) };
    record["add_time"] = json!("2026-01-01T10:00:00Z");
    record["update_time"] = json!(MODIFIED);
    record
}

fn records(scene: Scene, object: &str) -> Json {
    if scene.object != object {
        let deals = if object == "deals" && scene.object == "deal_products" { scene.live.div_ceil(5) } else { 2 };
        return (1..=deals.max(2)).map(|n| record(object, n)).collect();
    }
    // What is taken from a deal is gone.
    let gone = if object == "deal_products" { 0 } else { scene.gone };
    let gone = (scene.live + 1..=scene.live + gone).map(|n| {
        let mut gone = record(object, n);
        gone["is_deleted"] = json!(true);
        gone["delete_time"] = json!("2026-02-28T10:00:00Z");
        gone
    });
    (1..=scene.live).map(|n| record(object, n)).chain(gone).collect()
}

impl Subject for Pipedrive {
    fn name(&self) -> &'static str {
        "pipedrive"
    }

    fn objects(&self) -> &'static [Object] {
        &OBJECTS
    }

    fn world(&self, scene: Scene) -> Json {
        let options = json!([{"id": 901, "label": "Low"}, {"id": 902, "label": "High"}]);
        let mut custom: Vec<Json> = KINDS
            .iter()
            .enumerate()
            .map(|(at, kind)| {
                let code = format!("{:040x}", 0xc0de_0001_usize + at);
                json!({"field_name": format!("My {kind}"), "field_type": kind, "field_code": code, "options": options})
            })
            .collect();
        custom.push(json!({"field_name": "Source key", "field_type": "varchar", "field_code": KEY}));
        let key = json!([{"field_name": "Source key", "field_type": "varchar", "field_code": KEY}]);
        let user = |id: u64, active: bool| {
            json!({"id": id, "name": format!("User {id}"), "email": format!("u{id}@x.test"), "active_flag": active,
                "is_deleted": false, "timezone_name": "Europe/Berlin", "default_currency": "EUR",
                "access": [{"app": "sales", "admin": true}]})
        };
        let mut world = json!({
            "account": {"plan": "growth", "seats": 5, "api_tokens": [{"token": "tok-secret", "user_id": 1}],
                "oauth_clients": [{"client_id": "app", "client_secret": "app-secret", "refresh_token": "first-secret",
                    "user_id": 1, "scopes": ["base", "deals:full", "contacts:full", "activities:full",
                    "products:full", "leads:full", "users:read", "admin", "mail:read", "deal-fields:full", "contact-fields:full"]}]},
            "users": [user(1, true), user(2, true), user(3, false)],
            "organization_fields": key, "person_fields": key, "product_fields": key, "deal_fields": custom,
        });
        for object in &OBJECTS {
            world[object.name] = records(scene, object.name);
        }
        world
    }

    fn sandbox(&self, world: Json) -> Box<dyn Platform> {
        Box::new(handover_sandbox::pipedrive::Pipedrive::from_world(world, 11).unwrap())
    }

    fn token(&self) -> &'static str {
        "tok-secret"
    }

    fn secrets(&self) -> &'static [&'static str] {
        &["tok-secret", "app-secret", "first-secret", "v1u:", "Bearer ", "Basic "]
    }

    fn renews_refresh_tokens(&self) -> bool {
        true
    }

    fn id(&self, object: &str, n: u64) -> RecordId {
        match object {
            "leads" => uuid(n).into(),
            "deal_products" => format!("{}:{n}", deal_of(n)).into(),
            _ => n.to_string().into(),
        }
    }

    fn mint(&self, object: &Object, n: u64) -> Fields {
        let mut fields = Fields::new();
        let mut set = |name: &str, value: Value| fields.set(name.into(), value);
        set(object.text, format!("{MARK} new {n}").into());
        match object.name {
            "activities" => set("deal_id", "1".into()),
            "notes" | "files" => set("deal_id", "2".into()),
            "leads" => set("person_id", "1".into()),
            "deal_products" => {
                set("deal_id", "2".into());
                set("product_id", "1".into());
                set("quantity", 2.into());
                set("item_price", 10.into());
            }
            _ => {}
        }
        if !object.key.is_empty() {
            set(object.key, format!("{MARK}:{}:{n}", object.name).into());
        }
        fields
    }

    fn value(&self, object: &Object, field: &str, dice: &mut Dice) -> Option<Value> {
        match (object.name, field) {
            ("organizations", "employee_count") | ("products" | "deal_products", "billing_frequency_cycles") => {
                Some(Value::from(i64::try_from(dice.below(100)).unwrap()))
            }
            ("activities", "duration") => Some("01:30:00".into()),
            _ => None,
        }
    }

    fn along(&self, _: &Object, field: &str) -> Vec<(&'static str, Value)> {
        match field {
            "won_time" | "close_time" => vec![("status", "won".into())],
            "lost_time" | "lost_reason" => vec![("status", "lost".into())],
            "archive_time" => vec![("is_archived", true.into())],
            "pinned_to_person_flag" => vec![("person_id", "1".into())],
            "pinned_to_organization_flag" => vec![("org_id", "1".into())],
            "pinned_to_lead_flag" => vec![("lead_id", uuid(1).into())],
            _ => Vec::new(),
        }
    }

    fn user(&self) -> &'static str {
        "2"
    }

    fn users(&self) -> (&'static [&'static str], &'static [&'static str]) {
        (&["1", "2"], &["3"])
    }

    fn raw(&self, object: &Object) -> Json {
        match object.name {
            "notes" | "activities" | "files" => json!({object.text: "made meanwhile", "deal_id": 1}),
            "leads" => json!({"title": "made meanwhile", "person_id": 1}),
            _ => json!({object.text: "made meanwhile"}),
        }
    }

    fn request(&self, object: &Object, id: &str, action: &DisturbAction) -> Option<Request> {
        let path = match object.name {
            "mail_messages" => format!("/v1/mailbox/mailThreads/{id}"),
            "deal_products" => format!("/api/v2/deals/{}", id.replace(':', "/products/")),
            _ => return None,
        };
        matches!(action, DisturbAction::Delete).then(|| Request::new(Method::Delete, path, &[]))
    }

    fn refuse_whole(&self, _: &mut Json) -> bool {
        false
    }

    fn without_rights(&self, world: &mut Json, _: &Object) -> (&'static str, bool) {
        world["account"]["oauth_clients"][0]["scopes"] =
            json!(["base", "deal-fields:full", "contact-fields:full", "product-fields:full", "admin", "mail:read"]);
        // The answer says that the scope does not fit, not which one is missing (sheet: Pipedrive section 7).
        ("cope", true)
    }

    fn reverse(&self, _: &Object, field: &str, from: &str, to: &str) -> Option<Request> {
        match field {
            "participants" => Some(Request::new(Method::Get, "/api/v2/persons", &[]).with_query("deal_id", from)),
            "parent" => Some(Request::new(Method::Get, "/v1/organizationRelationships", &[]).with_query("org_id", to)),
            _ => None,
        }
    }
}
