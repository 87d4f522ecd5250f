//! Search: an index apart from the lists, which lags behind them (sheet: Pipedrive sections 2.1 and 4).
//!
//! The sandbox has no index; it looks through the records and leaves out what is younger than the
//! lag that the settings name.

use serde_json::{Map, Value as Json, json};

use super::call::{Call, sees};
use super::kind::Kind;
use super::objects::kind_of;
use super::page::{limit, plain_cursor, read_plain_cursor};
use super::record::Record;
use super::refusal::{Answer, Refusal, page};
use super::world::World;
use crate::Reply;

/// What a search asks for.
struct Question {
    term: String,
    exact: bool,
    fields: Option<Vec<String>>,
}

fn question(call: &Call<'_>) -> Result<Question, Refusal> {
    let exact = call.bool_param("exact_match")?.unwrap_or_default();
    let term = call.param("term").unwrap_or_default().trim().to_lowercase();
    let least = if exact { 1 } else { 2 };
    if term.chars().count() < least {
        return Err(Refusal::key("term", format!("String must contain at least {least} character(s)")));
    }
    let fields = call.param("fields").map(|text| text.split(',').map(str::to_owned).collect());
    Ok(Question { term, exact, fields })
}

fn hits(question: &Question, text: &str) -> bool {
    // exact_match is not case sensitive.
    let text = text.to_lowercase();
    if question.exact { text == question.term } else { text.contains(&question.term) }
}

/// The texts of a record that search looks into, by the name that `fields` calls them.
fn texts(world: &World, kind: Kind, record: &Record) -> Vec<(&'static str, String)> {
    let mut texts = Vec::new();
    let title = if matches!(kind, Kind::Deal | Kind::Lead) { "title" } else { "name" };
    texts.push((title, record.text(title).to_owned()));
    for (key, name) in [("emails", "email"), ("phones", "phone")] {
        for one in record.get(key).as_array().into_iter().flatten() {
            texts.push((name, one.get("value").and_then(Json::as_str).unwrap_or_default().to_owned()));
        }
    }
    if kind == Kind::Product {
        texts.push(("code", record.text("code").to_owned()));
    }
    if let Some(address) = record.get("address").get("value").and_then(Json::as_str) {
        texts.push(("address", address.to_owned()));
    }
    for field in world.fields(kind).custom().filter(|field| field.is_searchable()) {
        let value = record.custom(&field.code);
        let value = value.get("value").unwrap_or(value);
        match value {
            Json::Null => {}
            Json::String(text) => texts.push(("custom_fields", text.clone())),
            other => texts.push(("custom_fields", other.to_string())),
        }
    }
    if let Some(key) = world.table(Kind::Note).indexes(match kind {
        Kind::Deal => "deal_id",
        Kind::Person => "person_id",
        Kind::Organization => "org_id",
        _ => "",
    }) {
        for note in world.table(Kind::Note).live_children(key, record.id) {
            texts.push(("notes", note.text("content").to_owned()));
        }
    }
    texts
}

/// Living, visible records that the lagging index already knows.
fn candidates<'w>(world: &'w World, call: &Call<'_>, kind: Kind) -> impl Iterator<Item = &'w Record> + use<'w> {
    let (actor, horizon) = (call.actor.clone(), call.at - world.settings.search_lag_s);
    world.table(kind).all().filter(move |record| {
        record.deleted.is_none()
            && (world.settings.search_lag_s == 0 || record.changed() <= horizon)
            && sees(world, &actor, kind, record)
    })
}

fn shown(world: &World, kind: Kind, record: &Record) -> Json {
    let mut item = Map::new();
    let id = if kind == Kind::Lead { record.get("uuid").clone() } else { json!(record.id) };
    item.insert("id".to_owned(), id);
    item.insert("type".to_owned(), json!(kind.name()));
    let named = |kind: Kind, id: Option<u64>, key: &str| {
        let record = id.and_then(|id| world.table(kind).get(id));
        record.map_or(Json::Null, |record| json!({"id": record.id, "name": record.text(key)}))
    };
    let org = record.id_of("org_id").or(record.id_of("organization_id"));
    match kind {
        Kind::Deal | Kind::Lead => {
            item.insert("title".to_owned(), record.get("title").clone());
            item.insert("value".to_owned(), record.get("value").clone());
            item.insert("currency".to_owned(), record.get("currency").clone());
            item.insert("status".to_owned(), record.get("status").clone());
            item.insert("person".to_owned(), named(Kind::Person, record.id_of("person_id"), "name"));
            item.insert("organization".to_owned(), named(Kind::Organization, org, "name"));
        }
        Kind::Person => {
            let values = |key: &str| -> Json {
                let list = record.get(key).as_array().into_iter().flatten();
                list.filter_map(|one| one.get("value").cloned()).collect()
            };
            item.insert("name".to_owned(), record.get("name").clone());
            item.insert("emails".to_owned(), values("emails"));
            item.insert("phones".to_owned(), values("phones"));
            item.insert("organization".to_owned(), named(Kind::Organization, org, "name"));
        }
        _ => {
            item.insert("name".to_owned(), record.get("name").clone());
            if kind == Kind::Product {
                item.insert("code".to_owned(), record.get("code").clone());
            }
            let address = record.get("address").get("value").cloned().unwrap_or_default();
            item.insert("address".to_owned(), address);
        }
    }
    item.insert("visible_to".to_owned(), record.get("visible_to").clone());
    item.insert("owner".to_owned(), json!({"id": record.get("owner_id")}));
    let of = |name: &str| -> Json {
        texts(world, kind, record)
            .into_iter()
            .filter(|(field, _)| *field == name)
            .map(|(_, text)| json!(text))
            .collect()
    };
    item.insert("custom_fields".to_owned(), of("custom_fields"));
    item.insert("notes".to_owned(), of("notes"));
    Json::Object(item)
}

fn matches(world: &World, kind: Kind, record: &Record, question: &Question) -> bool {
    texts(world, kind, record).into_iter().any(|(field, text)| {
        let asked = |wanted: &String| wanted == field || (wanted == "title" && field == "name");
        question.fields.as_ref().is_none_or(|fields| fields.iter().any(asked)) && hits(question, &text)
    })
}

fn answer(call: &Call<'_>, found: impl Iterator<Item = Json>, most: usize) -> Answer {
    let (limit, at) = (limit(call, most)?, read_plain_cursor(call)?);
    let mut found = found.skip(at);
    let items: Vec<Json> = found.by_ref().take(limit).map(|item| json!({"result_score": 0.5, "item": item})).collect();
    let next = found.next().is_some().then(|| plain_cursor(at + limit));
    let body = json!({"success": true, "data": {"items": items}, "additional_data": {"next_cursor": next}});
    Ok(Reply::json(200, &body))
}

/// `GET /api/v2/{deals,persons,organizations,products,leads}/search`.
pub(super) fn objects(world: &mut World, call: &mut Call<'_>) -> Answer {
    let world = &*world;
    let kind = kind_of(call)?;
    call.only_params(&[
        "term",
        "fields",
        "exact_match",
        "limit",
        "cursor",
        "person_id",
        "organization_id",
        "status",
        "include_fields",
    ])?;
    let question = question(call)?;
    let (person, org) = (call.int_param("person_id")?, call.int_param("organization_id")?);
    let status = call.param("status");
    let found = candidates(world, call, kind)
        .filter(|record| person.is_none_or(|id| record.id_of("person_id") == Some(id)))
        .filter(|record| org.is_none_or(|id| record.id_of("org_id").or(record.id_of("organization_id")) == Some(id)))
        .filter(|record| status.is_none_or(|status| record.text("status") == status))
        .filter(|record| matches(world, kind, record, &question))
        .map(|record| shown(world, kind, record));
    answer(call, found, 500)
}

/// `GET /api/v2/itemSearch`.
pub(super) fn items(world: &mut World, call: &mut Call<'_>) -> Answer {
    let world = &*world;
    call.only_params(&[
        "term",
        "item_types",
        "fields",
        "search_for_related_items",
        "exact_match",
        "include_fields",
        "limit",
        "cursor",
    ])?;
    let question = question(call)?;
    let wanted: Option<Vec<&str>> = call.param("item_types").map(|text| text.split(',').collect());
    let kinds = [Kind::Deal, Kind::Person, Kind::Organization, Kind::Product, Kind::Lead, Kind::File];
    let found = kinds
        .into_iter()
        .filter(|kind| wanted.as_ref().is_none_or(|wanted| wanted.contains(&kind.name())))
        .flat_map(|kind| {
            let question = &question;
            candidates(world, call, kind)
                .filter(move |record| matches(world, kind, record, question))
                .map(move |record| shown(world, kind, record))
        });
    answer(call, found, 100)
}

/// `GET /api/v2/itemSearch/field`: case sensitive, `data: [{id, name}]`.
pub(super) fn field(world: &mut World, call: &mut Call<'_>) -> Answer {
    let world = &*world;
    call.only_params(&["term", "entity_type", "field", "match", "limit", "cursor"])?;
    let entity = call.param("entity_type").unwrap_or_default();
    let kind = Kind::of_name(entity).filter(|kind| Kind::V2.contains(kind) || *kind == Kind::Lead);
    let kind = kind.ok_or_else(|| Refusal::key("entity_type", format!("Invalid enum value, received '{entity}'")))?;
    let code = call.param("field").unwrap_or_default();
    let known = world.fields(kind).get(code).ok_or_else(|| Refusal::key("field", "Field does not exist"))?;
    if known.custom && !known.is_searchable() && !known.takes_options() {
        return Err(Refusal::key("field", "Field is not searchable"));
    }
    let how = call.param("match").unwrap_or("exact");
    let term = call.param("term").unwrap_or_default();
    let least = if how == "exact" { 1 } else { 2 };
    if term.chars().count() < least {
        return Err(Refusal::key("term", format!("String must contain at least {least} character(s)")));
    }
    let fits = |text: &str| match how {
        "exact" => text == term,
        "beginning" => text.starts_with(term),
        _ => text.contains(term),
    };
    if !matches!(how, "exact" | "beginning" | "middle") {
        return Err(Refusal::key("match", format!("Invalid enum value, received '{how}'")));
    }
    let value_fits = |record: &&Record| {
        let value = if known.custom { record.custom(code) } else { record.get(code) };
        let value = value.get("value").unwrap_or(value);
        match value {
            Json::Null => false,
            Json::String(text) => fits(text),
            Json::Array(list) => list.iter().any(|one| one.get("value").and_then(Json::as_str).is_some_and(fits)),
            other => fits(&other.to_string()),
        }
    };
    let (limit, at) = (limit(call, 500)?, read_plain_cursor(call)?);
    let mut found = candidates(world, call, kind).filter(value_fits).skip(at);
    let name = if matches!(kind, Kind::Deal | Kind::Lead) { "title" } else { "name" };
    let data: Vec<Json> = found
        .by_ref()
        .take(limit)
        .map(|record| {
            let id = if kind == Kind::Lead { record.get("uuid").clone() } else { json!(record.id) };
            json!({"id": id, "name": record.get(name)})
        })
        .collect();
    let next = found.next().is_some().then(|| plain_cursor(at + limit));
    Ok(page(data, next))
}
