//! What a world file does not say: one administrator, one pipeline, the stages and activity types of
//! a new account.

use serde_json::{Map, Value as Json, json};

use super::account::ApiToken;
use super::kind::Kind;
use super::load::{WorldError, list, take_id};
use super::schema::Choice;
use super::world::{Item, World};
use crate::drawn;

const STAGES: [(&str, u64); 5] = [
    ("Qualified", 100),
    ("Contact Made", 100),
    ("Demo Scheduled", 100),
    ("Proposal Made", 100),
    ("Negotiations Started", 100),
];

const ACTIVITY_TYPES: [(&str, &str); 6] = [
    ("Call", "call"),
    ("Meeting", "meeting"),
    ("Task", "task"),
    ("Deadline", "deadline"),
    ("Email", "email"),
    ("Lunch", "lunch"),
];

const LEAD_LABELS: [(&str, &str); 3] = [("Hot", "red"), ("Warm", "yellow"), ("Cold", "blue")];

const LABELS: [(&str, &str); 4] =
    [("Customer", "green"), ("Hot lead", "red"), ("Warm lead", "yellow"), ("Cold lead", "blue")];

const CREATED: &str = "2020-01-01T00:00:00Z";

/// Reads the account's own lists, or gives those of a new account.
pub(super) fn complete(world: &mut World, file: &mut Map<String, Json>) -> Result<(), WorldError> {
    if world.users.is_empty() {
        let id = world.next_id("user");
        world.users.insert(id, first_user(id, &world.account.default_currency));
    }
    if world.currencies.is_empty() {
        world.currencies = ["EUR", "USD", "GBP"].map(str::to_owned).to_vec();
    }
    if !world.currencies.contains(&world.account.default_currency) {
        world.currencies.push(world.account.default_currency.clone());
    }
    if world.account.api_tokens.is_empty() {
        let user_id = world.users.keys().copied().find(|id| world.is_admin(*id));
        let user_id = user_id.or(world.users.keys().next().copied()).unwrap_or(1);
        world.account.api_tokens.push(ApiToken { token: drawn::hex(world.seed, "api token", user_id, 40), user_id });
    }
    pipelines(world, file)?;
    let given = list(file, "activity_types")?;
    for mut item in given {
        let id = take_id(world, "activity_type", &mut item);
        item.entry("active_flag").or_insert(json!(true));
        world.activity_types.insert(id, item);
    }
    if world.activity_types.is_empty() {
        for (order, (name, key)) in ACTIVITY_TYPES.into_iter().enumerate() {
            let id = world.next_id("activity_type");
            let item = json!({
                "id": id, "order_nr": order + 1, "name": name, "key_string": key, "icon_key": key, "active_flag": true,
                "color": null, "is_custom_flag": false, "add_time": "2020-01-01 00:00:00", "update_time": null,
            });
            world.activity_types.insert(id, object(item));
        }
    }
    lead_labels(world, file)?;
    system_options(world);
    Ok(())
}

/// A JSON object as the map that it is.
pub(super) fn object(json: Json) -> Item {
    match json {
        Json::Object(map) => map,
        _ => Item::new(),
    }
}

fn first_user(id: u64, currency: &str) -> Item {
    object(json!({
        "id": id, "name": "Admin", "email": "admin@example.com", "active_flag": true, "is_deleted": false, "activated": true,
        "timezone_name": "Europe/Berlin", "timezone_offset": "+01:00", "default_currency": currency, "locale": "en_US",
        "role_id": 1, "access": [{"app": "sales", "admin": true, "permission_set_id": "sales-admin"},
        {"app": "account_settings", "admin": true, "permission_set_id": "account-admin"}],
        "created": "2020-01-01 00:00:00", "modified": "2020-01-01 00:00:00", "last_login": "2020-01-01 00:00:00",
    }))
}

fn pipelines(world: &mut World, file: &mut Map<String, Json>) -> Result<(), WorldError> {
    for mut item in list(file, "pipelines")? {
        let id = take_id(world, "pipeline", &mut item);
        fill(
            &mut item,
            json!({"name": "", "order_nr": id, "is_deleted": false, "is_deal_probability_enabled": false, "add_time": CREATED, "update_time": null}),
        );
        world.pipelines.insert(id, item);
    }
    for mut item in list(file, "stages")? {
        let id = take_id(world, "stage", &mut item);
        fill(
            &mut item,
            json!({"name": "", "order_nr": id, "is_deleted": false, "deal_probability": 100, "pipeline_id": 1, "is_deal_rot_enabled": false, "days_to_rotten": null, "add_time": CREATED, "update_time": null}),
        );
        world.stages.insert(id, item);
    }
    if world.pipelines.is_empty() {
        let id = world.next_id("pipeline");
        let item = json!({"id": id, "name": "Pipeline", "order_nr": 1, "is_deleted": false, "is_deal_probability_enabled": false, "add_time": CREATED, "update_time": null});
        world.pipelines.insert(id, object(item));
    }
    let first = world.pipelines.keys().next().copied().unwrap_or(1);
    if world.stages.is_empty() {
        for (order, (name, probability)) in STAGES.into_iter().enumerate() {
            let id = world.next_id("stage");
            let item = json!({"id": id, "order_nr": order + 1, "name": name, "is_deleted": false, "deal_probability": probability, "pipeline_id": first, "is_deal_rot_enabled": false, "days_to_rotten": null, "add_time": CREATED, "update_time": null});
            world.stages.insert(id, object(item));
        }
    }
    Ok(())
}

fn lead_labels(world: &mut World, file: &mut Map<String, Json>) -> Result<(), WorldError> {
    for item in list(file, "lead_labels")? {
        if let Some(id) = item.get("id").and_then(Json::as_str) {
            world.lead_labels.insert(id.to_owned(), item);
        }
    }
    if world.lead_labels.is_empty() {
        for (name, color) in LEAD_LABELS {
            let id = super::world::uuid_of(&drawn::hex(world.seed, name, 0, 32));
            let item = json!({"id": id, "name": name, "color": color, "add_time": "2020-01-01T00:00:00.000Z", "update_time": "2020-01-01T00:00:00.000Z"});
            world.lead_labels.insert(id, object(item));
        }
    }
    Ok(())
}

/// Options of system fields; `labels` in the world file replaces them.
fn system_options(world: &mut World) {
    let industries = [
        "Advertising",
        "Agriculture",
        "Construction",
        "Education",
        "Energy",
        "Finance",
        "Health care",
        "Manufacturing",
        "Retail",
        "Software",
    ];
    for (kind, code) in [(Kind::Deal, "label_ids"), (Kind::Person, "label_ids"), (Kind::Organization, "label_ids")] {
        let options: Vec<Choice> = LABELS
            .into_iter()
            .map(|(label, color)| Choice {
                id: world.next_id("option"),
                label: label.to_owned(),
                color: Some(color.to_owned()),
            })
            .collect();
        if let Some(field) = world.fields_mut(kind).get_mut(code) {
            field.options = options;
        }
    }
    let options: Vec<Choice> = industries
        .into_iter()
        .map(|label| Choice { id: world.next_id("option"), label: label.to_owned(), color: None })
        .collect();
    if let Some(field) = world.fields_mut(Kind::Organization).get_mut("industry") {
        field.options = options;
    }
}

/// Gives an item the keys that it lacks.
fn fill(item: &mut Item, unset: Json) {
    for (key, value) in object(unset) {
        item.entry(key).or_insert(value);
    }
}
