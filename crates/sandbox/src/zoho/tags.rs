//! Tags: names by module, and their adding and taking away (sheet: section 2).

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::call::Call;
use super::draft::Writer;
use super::refusal::{Answer, Refusal, nothing, success};
use super::schema::Module;
use super::scopes::Does;
use super::world::{Id, Row, World};
use super::write;
use crate::Reply;
use crate::journal::Action;

/// Characters of a tag's name (sheet: section 2).
const LONGEST: usize = 25;

/// Tags of a record (sheet: trap 11 \[unsure\]).
const PER_RECORD: usize = 10;

/// Records in a call (sheet: section 2).
const MOST: usize = 500;

/// A tag of a module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TagName {
    pub(super) id: Id,
    pub(super) name: String,
    pub(super) color_code: Option<String>,
}

/// A record's tags, which are kept by name.
pub(super) fn told(world: &World, row: &Row, value: &Json) -> Json {
    let home = world.tables.iter().find(|(_, table)| table.rows.contains_key(&row.id)).map(|(module, _)| module);
    let known = home.and_then(|module| world.tags.get(module)).map(Vec::as_slice).unwrap_or_default();
    let names = value.as_array().into_iter().flatten().filter_map(Json::as_str);
    let tags = names.filter_map(|name| known.iter().find(|tag| tag.name == name));
    tags.map(|tag| json!({"name": tag.name, "id": tag.id.to_string(), "color_code": tag.color_code})).collect()
}

/// Makes tags of a module known that it does not have yet.
pub(super) fn know(world: &mut World, module: &str, names: Option<&Json>) {
    for name in names.and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str) {
        if !world.tags.get(module).is_some_and(|tags| tags.iter().any(|tag| tag.name == name)) {
            let id = world.mint_meta();
            let tag = TagName { id, name: name.to_owned(), color_code: None };
            world.tags.entry(module.to_owned()).or_default().push(tag);
        }
    }
}

/// `POST /{M}/actions/add_tags`, `/remove_tags` and the same of one record.
pub(super) fn change(world: &mut World, call: &Call<'_>, module: &Module, one: Option<&str>, add: bool) -> Answer {
    call.may_in(world, &module.api_name, Does::Create)?;
    let body = if call.request.body.is_empty() { serde_json::Map::new() } else { call.body()? };
    let names = named(call, &body)?;
    let in_body = body
        .get("ids")
        .and_then(Json::as_array)
        .map(|ids| ids.iter().map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned)).collect::<Vec<_>>());
    let ids = one.map(|one| vec![one.to_owned()]).or_else(|| call.list("ids")).or(in_body);
    let ids = ids.ok_or_else(|| Refusal::missing("ids", "$.ids"))?;
    if ids.len() > MOST {
        return Err(Refusal::limit(
            "The limit of ids in a call is exceeded",
            json!({"api_name": "ids", "limit": MOST}),
        ));
    }
    let over_write = body.get("over_write") == Some(&json!(true)) || call.param("over_write") == Some("true");
    let by = Writer::of(call);
    let most = call.apply_only.unwrap_or(ids.len());
    let mut results = Vec::new();
    for text in ids.iter().take(most) {
        let Some(mut row) = by.record(world, module, text).and_then(|id| world.get(&module.api_name, id).cloned())
        else {
            results
                .push(Err(Refusal::new("INVALID_DATA", "the id given seems to be invalid").with(json!({"id": text}))));
            continue;
        };
        let old = row.values.get("Tag").and_then(Json::as_array).cloned().unwrap_or_default();
        let mut tags: Vec<Json> = if add && over_write { Vec::new() } else { old.clone() };
        tags.retain(|tag| add || !names.iter().any(|name| tag == name));
        let more = names.iter().filter(|name| add && !old.contains(&json!(name)) || over_write);
        tags.extend(more.map(|name| json!(name)));
        if tags.len() > PER_RECORD {
            let details = json!({"id": row.id.to_string(), "limit": PER_RECORD});
            results.push(Err(Refusal::limit("The limit of tags of a record is exceeded", details)));
            continue;
        }
        know(world, &module.api_name, Some(&Json::Array(tags.clone())));
        let told = told(world, &row, &Json::Array(tags.clone()));
        row.set("Tag", (!tags.is_empty()).then_some(Json::Array(tags)));
        if world.settings.related_bumps {
            (row.modified, row.modified_by) = (call.at, call.user);
        }
        let id = row.id.to_string();
        world.put(&module.api_name, row, Action::Updated);
        results.push(Ok(success("tags updated successfully", json!({"id": id, "tags": told}))));
    }
    Ok(write::reply(world, &results, 200))
}

/// The names of tags in the body, or in `tag_names` (older versions).
fn named(call: &Call<'_>, body: &serde_json::Map<String, Json>) -> Result<Vec<String>, Refusal> {
    let in_body = body.get("tags").and_then(Json::as_array).map(|tags| {
        tags.iter().filter_map(|tag| tag.get("name").and_then(Json::as_str).map(str::to_owned)).collect::<Vec<_>>()
    });
    let names = in_body.or_else(|| call.list("tag_names")).ok_or_else(|| Refusal::missing("tags", "$.tags"))?;
    match names.iter().find(|name| name.is_empty() || name.chars().count() > LONGEST) {
        Some(_) => Err(Refusal::too_long("name", "$.tags[0].name", LONGEST)),
        None => Ok(names),
    }
}

/// `GET /settings/tags?module=` and `POST`.
pub(super) fn settings(world: &mut World, call: &Call<'_>) -> Answer {
    call.may("ZohoCRM.settings.tags", Does::of(call.method()))?;
    let module = call.param("module").ok_or_else(|| Refusal::missing_param("module"))?.to_owned();
    world.module(&module).ok_or_else(|| Refusal::bad_param("module"))?;
    if call.method() == "GET" {
        let tags = world.tags.get(&module).map(Vec::as_slice).unwrap_or_default();
        if tags.is_empty() {
            return Ok(nothing());
        }
        let told: Vec<Json> = tags
            .iter()
            .map(|tag| json!({"name": tag.name, "id": tag.id.to_string(), "color_code": tag.color_code}))
            .collect();
        let info = json!({"count": told.len(), "allowed_count": 500});
        return Ok(Reply::json(200, &json!({"tags": told, "info": info})));
    }
    let (_, items) = call.items("tags", 50)?;
    let mut results = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let name = item.get("name").and_then(Json::as_str).unwrap_or("");
        let path = format!("$.tags[{at}].name");
        let known = world.tags.get(&module).and_then(|tags| tags.iter().find(|tag| tag.name == name));
        results.push(if name.is_empty() {
            Refusal::missing("name", &path).item()
        } else if name.chars().count() > LONGEST {
            Refusal::too_long("name", &path, LONGEST).item()
        } else if let Some(known) = known {
            Refusal::new("DUPLICATE_DATA", "duplicate data").with(json!({"id": known.id.to_string()})).item()
        } else {
            know(world, &module, Some(&json!([name])));
            let id = world.tags.get(&module).and_then(|tags| tags.last()).map(|tag| tag.id.to_string());
            Json::Object(success("tags created successfully", json!({"id": id})))
        });
    }
    Ok(Reply::json(201, &json!({"tags": results})))
}
