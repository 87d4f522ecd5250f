//! Rows as the API tells them: strings for nearly everything, numbers in answers to creations (sheet: section 2
//! \[rec\]).

use serde_json::{Map, Value as Json, json};

use super::call::Call;
use super::kind::{Form, Key, Kind, Unset};
use super::time;
use super::world::{Row, World};

/// How a row is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum As {
    /// In a list, or alone.
    Told,
    /// In the answer to a creation: numbers are numbers.
    Made,
}

/// A row.
pub(super) fn row(world: &World, call: &Call<'_>, kind: Kind, row: &Row, how: As) -> Json {
    if kind == Kind::Deal && row.number("isDisabled") == Some(1) {
        // What the key's user may not see comes stripped (sheet: section 2 [rec]).
        let told = json!({"title": row.text("title"), "status": row.number("status").unwrap_or(0).to_string(),
            "id": row.id.to_string(), "isDisabled": true});
        return told;
    }
    let shape = kind.shape();
    let mut told = Map::new();
    for key in shape.keys {
        told.insert(key.name.to_owned(), value(call, key, row.get(key.name), how));
    }
    told.insert(shape.stamps.0.to_owned(), json!(time::told(row.created, &call.zone)));
    told.insert(shape.stamps.1.to_owned(), json!(time::told(row.updated, &call.zone)));
    more(world, call, kind, row, &mut told);
    told.insert("links".to_owned(), links(world, kind, row));
    told.insert("id".to_owned(), json!(row.id.to_string()));
    Json::Object(told)
}

fn value(call: &Call<'_>, key: &Key, value: Option<&Json>, how: As) -> Json {
    let Some(value) = value else {
        return match key.unset {
            Unset::Null => Json::Null,
            Unset::Empty => json!(""),
            Unset::Zero if how == As::Made => json!(0),
            Unset::Zero => json!("0"),
        };
    };
    match (key.form, value) {
        (Form::Instant, value) => json!(time::told(value.as_i64().unwrap_or_default(), &call.zone)),
        (Form::Id(_) | Form::Flag | Form::Whole, Json::Number(number)) if how == As::Told => json!(number.to_string()),
        (_, value) => value.clone(),
    }
}

/// What a collection tells beside its keys.
fn more(world: &World, call: &Call<'_>, kind: Kind, row: &Row, told: &mut Map<String, Json>) {
    let ids = |from: Kind, key: &'static str| -> Json {
        world.pointing(from, key, row.id).map(|row| row.id.to_string()).collect()
    };
    let mut set = |key: &str, value: Json| drop(told.insert(key.to_owned(), value));
    match kind {
        Kind::Contact => {
            set("created_utc_timestamp", json!(time::wall(row.created, &call.zone)));
            set("updated_utc_timestamp", json!(time::wall(row.updated, &call.zone)));
            set("deleted_at", row.deleted.map_or(Json::Null, |at| json!(time::wall(at, &call.zone))));
            set("accountContacts", ids(Kind::AccountContact, "contact"));
            set("scoreValues", json!([]));
            set("organization", Json::Null);
            if world.settings.sideloads {
                set("fieldValues", row.cells.values().map(|cell| cell.id.to_string()).collect());
            }
        }
        Kind::Account => {
            let count = |kind, key| world.pointing(kind, key, row.id).count().to_string();
            set("contactCount", json!(count(Kind::AccountContact, "account")));
            let deals =
                if call.param("count_deals") == Some("true") { count(Kind::Deal, "account") } else { "0".into() };
            set("dealCount", json!(deals));
        }
        Kind::Deal => {
            set("organization", Json::Null);
            set("customerAccount", row.number("account").map_or(Json::Null, |id| json!(id.to_string())));
            set("winProbability", Json::Null);
            set("nextdate", Json::Null);
            set("activitycount", json!("0"));
            set("edate", Json::Null);
            set("isDisabled", json!(false));
        }
        Kind::Pipeline => set("stages", ids(Kind::Stage, "group")),
        Kind::Note => {
            if world.settings.escapes_notes {
                set("note", json!(html_escape::encode_text(row.text("note"))));
            }
            set("owner", owner(row));
            set("user", json!(row.number("userid").unwrap_or(1).to_string()));
            set("is_draft", json!(""));
        }
        Kind::Task => {
            set("owner", owner(row));
            set("status", json!(row.number("status").unwrap_or(0)));
            set("outcomeId", Json::Null);
            set("outcomeInfo", Json::Null);
            drop(told.remove("ownerType"));
        }
        Kind::Field => {
            set("options", ids(Kind::FieldOption, "field"));
            set("relations", ids(Kind::FieldRel, "field"));
        }
        Kind::User if world.settings.numbered_zones => set("localZoneid", json!("57")),
        _ => {}
    }
}

/// What a note or a task hangs on, in the words of `owner`.
fn owner(row: &Row) -> Json {
    let kind = match row.text("reltype") {
        "Subscriber" => "contact",
        "Deal" => "deal",
        "CustomerAccount" => "customerAccount",
        "DealTask" => "dealTask",
        _ => "activity",
    };
    json!({"type": kind, "id": row.number("relid").unwrap_or_default().to_string()})
}

/// The addresses of a record's relations: one of them, as all begin alike.
fn links(world: &World, kind: Kind, row: &Row) -> Json {
    let base = format!("https://{}/api/3/{}/{}", world.account.host, kind.shape().path, row.id);
    match kind {
        Kind::User => json!({"lists": format!("{base}/lists"), "configs": format!("{base}/configs")}),
        Kind::Contact => json!({"contactTags": format!("{base}/contactTags"), "notes": format!("{base}/notes")}),
        Kind::Deal => json!({"contactDeals": format!("{base}/contactDeals"), "notes": format!("{base}/notes")}),
        _ => json!({}),
    }
}

/// A custom value of a contact.
pub(super) fn field_value(call: &Call<'_>, contact: &Row, field: u64) -> Json {
    let Some(cell) = contact.cells.get(&field) else { return Json::Null };
    json!({
        "contact": contact.id.to_string(), "field": field.to_string(), "value": cell.value,
        "cdate": time::told(cell.created, &call.zone), "udate": time::told(cell.updated, &call.zone),
        "owner": contact.id.to_string(), "links": {}, "id": cell.id.to_string(),
    })
}

/// A custom value of a deal or an account.
pub(super) fn datum(call: &Call<'_>, kind: Kind, record: &Row, field: u64) -> Json {
    let Some(cell) = record.cells.get(&field) else { return Json::Null };
    let (root, owner) = if kind == Kind::Deal { ("deal", "dealId") } else { ("account", "accountId") };
    let mut told = json!({
        "id": cell.id.to_string(), "customFieldId": field, "fieldValue": cell.value,
        "createdTimestamp": time::wall(cell.created, &call.zone), "updatedTimestamp": time::wall(cell.updated, &call.zone),
        "links": {},
    });
    if let Some(map) = told.as_object_mut() {
        map.insert(owner.to_owned(), json!(record.id));
        map.insert(format!("{root}CustomFieldMetumId"), json!(field));
        if kind == Kind::Account {
            map.insert("customerAccountId".to_owned(), json!(record.id));
        }
        if let Some(currency) = &cell.currency {
            map.insert("fieldCurrency".to_owned(), json!(currency));
        }
    }
    told
}

/// All custom values of a record, in the order of their fields.
pub(super) fn values(call: &Call<'_>, kind: Kind, row: &Row) -> Vec<Json> {
    let one = |field: &u64| match kind {
        Kind::Contact => field_value(call, row, *field),
        _ => datum(call, kind, row, *field),
    };
    row.cells.keys().map(one).collect()
}
