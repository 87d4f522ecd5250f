//! HubSpot for the suite.

use base64::Engine as _;
use handover_connect::{Method, Request};
use handover_model::{Fields, RecordId, Value};
use handover_sandbox::Platform;
use handover_sandbox::faults::DisturbAction;
use serde_json::{Value as Json, json};

use crate::conformance::subject::{MARK, MODIFIED, Object, Scene, Subject, live_text};
use crate::conformance::values::Dice;

/// The custom property that carries keys.
const KEY: &str = "src_key";
const RECORDS: [&str; 5] = ["companies", "contacts", "deals", "tickets", SHIPS];
const ITEMS: [&str; 2] = ["products", "line_items"];
/// An object that the portal made.
const SHIPS: &str = "p33_ship";
const ACTIVITIES: [&str; 5] = ["notes", "calls", "meetings", "tasks", "emails"];

pub(crate) struct HubSpot;

const fn object(name: &'static str, text: &'static str) -> Object {
    Object {
        name,
        journal: name,
        disturbed: true,
        text,
        key: KEY,
        lists: 1,
        overlap: 0,
        again: 0,
        apart: &[],
        open: &[],
    }
}

static OBJECTS: [Object; 14] = [
    object("companies", "name"),
    Object {
        apart: &[("associatedcompanyid", "the primary company decides it")],
        open: &[("hs_pipeline", "its options are kept elsewhere")],
        ..object("contacts", "firstname")
    },
    object("products", "name"),
    object("deals", "dealname"),
    object("line_items", "name"),
    object("tickets", "subject"),
    object("notes", "hs_note_body"),
    Object { open: &[("hs_call_disposition", "its options are kept elsewhere")], ..object("calls", "hs_call_title") },
    object("meetings", "hs_meeting_title"),
    object("tasks", "hs_task_subject"),
    object("emails", "hs_email_subject"),
    Object { key: "", disturbed: false, ..object("files", "name") },
    Object { key: "", journal: "notes", ..object("attachments", "") },
    Object { journal: "ships", ..object(SHIPS, "my_text") },
];

/// What a record cannot be without, beside its text.
fn needed(object: &str) -> &'static [(&'static str, &'static str)] {
    match object {
        "deals" => &[("dealstage", "appointmentscheduled"), ("pipeline", "default")],
        "tickets" => &[("hs_pipeline", "0"), ("hs_pipeline_stage", "1")],
        "notes" | "calls" | "meetings" | "tasks" => &[("hs_timestamp", "2026-01-05T09:00:00Z")],
        "emails" => &[("hs_timestamp", "2026-01-05T09:00:00Z"), ("hs_email_direction", "EMAIL")],
        _ => &[],
    }
}

fn record(object: &str, n: u64) -> Json {
    let (kind, file) = if object == "attachments" { ("notes", Some("1")) } else { (object, None) };
    let text = OBJECTS.iter().find(|one| one.name == kind).unwrap().text;
    let mut properties = json!({ text: live_text(n) });
    for (name, value) in needed(kind) {
        properties[name] = json!(value);
    }
    if let Some(file) = file {
        properties["hs_attachment_ids"] = json!(file);
    }
    json!({"id": n.to_string(), "properties": properties, "createdAt": "2026-01-01T10:00:00Z", "updatedAt": MODIFIED})
}

fn records(scene: Scene, object: &str) -> Json {
    let is_scene = scene.object == object || scene.object == "attachments" && object == "notes";
    if !is_scene {
        return [record(object, 1), record(object, 2)].into();
    }
    let gone = (scene.live + 1..=scene.live + scene.gone).map(|n| {
        let mut gone = record(scene.object, n);
        gone["archived"] = json!(true);
        gone["archivedAt"] = json!("2026-02-28T10:00:00Z");
        gone
    });
    (1..=scene.live).map(|n| record(scene.object, n)).chain(gone).collect()
}

fn files(scene: Scene) -> Json {
    let live = if scene.object == "files" { scene.live } else { 2 };
    let bytes = |n: u64| base64::engine::general_purpose::STANDARD.encode(format!("bytes {n}"));
    (1..=live)
        .map(
            |n| json!({"id": n, "name": live_text(n), "extension": "bin", "content_base64": bytes(n), "folder": "/in"}),
        )
        .collect()
}

/// One custom property of each type.
fn properties() -> Json {
    let options = json!([{"label": "Low", "value": "low", "displayOrder": 0, "hidden": false},
        {"label": "High", "value": "high", "displayOrder": 1, "hidden": false}]);
    let property = |name: &str, kind: &str, field_type: &str| {
        json!({"name": name, "label": name, "type": kind, "fieldType": field_type, "groupName": "ours",
            "options": if kind == "enumeration" { options.clone() } else { json!([]) }})
    };
    json!([
        property("my_text", "string", "text"),
        property("my_area", "string", "textarea"),
        property("my_html", "string", "html"),
        property("my_phone", "string", "phonenumber"),
        property("my_number", "number", "number"),
        property("my_date", "date", "date"),
        property("my_instant", "datetime", "date"),
        property("my_flag", "bool", "booleancheckbox"),
        property("my_choice", "enumeration", "select"),
        property("my_choices", "enumeration", "checkbox"),
    ])
}

impl Subject for HubSpot {
    fn name(&self) -> &'static str {
        "hubspot"
    }

    fn objects(&self) -> &'static [Object] {
        &OBJECTS
    }

    fn world(&self, scene: Scene) -> Json {
        let owner = |id: &str, archived: bool| {
            json!({"id": id, "email": format!("o{id}@x.example"), "firstName": "O", "lastName": id, "userId": 7,
                "archived": archived})
        };
        let mut world = json!({
            "platform": "hubspot",
            "account": {"portalId": 33, "timeZone": "Europe/Berlin", "companyCurrency": "EUR",
                "additionalCurrencies": ["USD"], "tier": "professional"},
            "tokens": [{"token": "pat-secret", "scopes": "all", "app": 1}],
            "oauth_apps": [{"client_id": "app", "client_secret": "app-secret", "scopes": "all",
                "refresh_token": "first-secret", "app": 2}],
            "owners": [owner("11", false), owner("12", false), owner("13", true)],
            "files": files(scene),
            "custom_objects": [{"objectTypeId": "2-1", "name": "ship", "plural": "ships",
                "primaryDisplayProperty": "my_text"}],
        });
        for object in RECORDS.into_iter().chain(ITEMS).chain(ACTIVITIES) {
            world["property_groups"][object] = json!([{"name": "ours", "label": "Ours"}]);
            world["properties"][object] = properties();
            let key = json!({"name": KEY, "label": "Source key", "type": "string", "fieldType": "text",
                "groupName": "ours", "hasUniqueValue": RECORDS.contains(&object)});
            world["properties"][object].as_array_mut().unwrap().push(key);
            world["objects"][object] = records(scene, object);
        }
        world
    }

    fn sandbox(&self, world: Json) -> Box<dyn Platform> {
        Box::new(handover_sandbox::hubspot::Hubspot::from_world(world, 7).unwrap())
    }

    fn token(&self) -> &'static str {
        "pat-secret"
    }

    fn secrets(&self) -> &'static [&'static str] {
        &["pat-secret", "app-secret", "first-secret", "CSANDBOX", "Bearer "]
    }

    fn renews_refresh_tokens(&self) -> bool {
        false
    }

    fn id(&self, object: &str, n: u64) -> RecordId {
        if object == "attachments" { format!("{n}:1").into() } else { n.to_string().into() }
    }

    fn mint(&self, object: &Object, n: u64) -> Fields {
        let mut fields = Fields::new();
        let mut set = |name: &str, value: Value| fields.set(name.into(), value);
        set(object.text, format!("{MARK} new {n}").into());
        for (name, value) in needed(object.name) {
            let value = if *name == "hs_timestamp" { Value::DateTime(value.parse().unwrap()) } else { (*value).into() };
            set(name, value);
        }
        if object.name == "files" {
            set("name", format!("{MARK} new {n}.bin").into());
            set("folderPath", "/in".into());
        }
        if ACTIVITIES.contains(&object.name) || object.name == "line_items" {
            set("associations.deals", Value::List(vec!["1".into()]));
        }
        if !object.key.is_empty() {
            set(object.key, format!("{MARK}:{}:{n}", object.name).into());
        }
        fields
    }

    fn value(&self, object: &Object, field: &str, dice: &mut Dice) -> Option<Value> {
        match (object.name, field) {
            ("files", "name") => Some(format!("{MARK} {}.bin", dice.next()).into()),
            ("files", "folderPath") => Some(format!("/f{}", dice.below(9)).into()),
            _ => None,
        }
    }

    fn along(&self, _: &Object, _: &str) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    fn user(&self) -> &'static str {
        "12"
    }

    fn users(&self) -> (&'static [&'static str], &'static [&'static str]) {
        (&["11", "12"], &["13"])
    }

    fn raw(&self, object: &Object) -> Json {
        let kind = if object.name == "attachments" { "notes" } else { object.name };
        record(kind, 1)["properties"].clone()
    }

    fn request(&self, object: &Object, id: &str, action: &DisturbAction) -> Option<Request> {
        // The file manager is no part of the CRM; its files are deleted by whoever has the scope.
        let deletes = object.name == "files" && *action == DisturbAction::Delete;
        deletes.then(|| Request::new(Method::Delete, format!("/files/v3/files/{id}"), &[]))
    }

    fn refuse_whole(&self, world: &mut Json) -> bool {
        world["settings"] = json!({"batch_row_errors": "whole", "partial_write_on_refusal": true});
        true
    }

    fn without_rights(&self, world: &mut Json, object: &Object) -> (&'static str, bool) {
        world["tokens"][0]["scopes"] = json!(["automation"]);
        let word = match object.name {
            "companies" => "crm.objects.companies.read",
            "deals" => "crm.objects.deals.read",
            "products" => "crm.objects.products.read",
            "line_items" => "crm.objects.line_items.read",
            "files" => "files",
            "tickets" => "tickets",
            SHIPS => "crm.objects.custom.read",
            _ => "crm.objects.contacts.read",
        };
        (word, false)
    }

    fn reverse(&self, object: &Object, field: &str, _: &str, to: &str) -> Option<Request> {
        let other = match field {
            "associations.companies" | "associations.primary_company" | "associations.parent_company" => "companies",
            "associations.contacts" => "contacts",
            "associations.deals" => "deals",
            "associations.tickets" => "tickets",
            _ => return None,
        };
        Some(Request::new(Method::Get, format!("/crm/v4/objects/{other}/{to}/associations/{}", object.name), &[]))
    }
}
