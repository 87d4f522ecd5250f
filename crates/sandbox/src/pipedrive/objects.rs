//! Deals, persons, organizations, activities and products in v2: list, get, create, patch, delete
//! (sheet: Pipedrive sections 2, 4 and 5).

use serde_json::{Map, Value as Json, json};

use super::call::{Call, Commit, commit, sees};
use super::kind::{Access, Kind};
use super::page::{cursor, read_cursor, v2_limit};
use super::record::{Order, Record, Walk, position};
use super::refusal::{Answer, Refusal, one, page};
use super::validate::{self, Draft};
use super::world::World;
use super::{counts, derive, filters, render};
use crate::Reply;
use crate::journal::Action;

/// The kind that the path names.
pub(super) fn kind_of(call: &Call<'_>) -> Result<Kind, Refusal> {
    let mut parts = call.request.path.split('/').skip_while(|part| !matches!(*part, "v1" | "v2"));
    parts.nth(1).and_then(Kind::of_plural).ok_or_else(Refusal::not_found)
}

/// What a list shows: which parts beside the plain record.
struct View {
    custom: Option<Vec<String>>,
    include: Vec<String>,
    /// Options appear as `{id, label}` instead of ids.
    labels: bool,
}

/// `GET /api/v2/{deals,persons,organizations,activities,products}`.
pub(super) fn list(world: &mut World, call: &mut Call<'_>) -> Answer {
    list_of(world, call, false)
}

/// `GET /api/v2/deals/archived`.
pub(super) fn list_archived(world: &mut World, call: &mut Call<'_>) -> Answer {
    list_of(world, call, true)
}

fn params(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Deal => &["person_id", "org_id", "pipeline_id", "stage_id", "status", "updated_until"],
        Kind::Person => &["org_id", "deal_id", "updated_until"],
        Kind::Organization => &["updated_until"],
        Kind::Activity => &["deal_id", "lead_id", "person_id", "org_id", "done", "updated_until"],
        _ => &[],
    }
}

fn list_of(world: &World, call: &Call<'_>, archived: bool) -> Answer {
    let kind = kind_of(call)?;
    let mut known = vec![
        "filter_id",
        "ids",
        "owner_id",
        "updated_since",
        "sort_by",
        "sort_direction",
        "include_fields",
        "custom_fields",
        "include_option_labels",
        "limit",
        "cursor",
    ];
    known.extend(params(kind));
    call.only_params(&known)?;
    let limit = v2_limit(call)?;
    let view = view(world, kind, call)?;
    let (order, descending) = ordering(kind, call)?;
    let after = call.param("cursor").filter(|text| !text.is_empty());
    let after = after.map(|text| read_cursor(text, order, descending)).transpose()?;
    let walk = Walk {
        order,
        descending,
        after,
        since: call.instant_param("updated_since")?,
        until: call.instant_param("updated_until")?,
    };
    let keep = selection(world, kind, call, archived)?;
    let table = world.table(kind);
    let rows = match narrowed(world, kind, call)? {
        Some(ids) => table.walk_ids(ids, walk),
        None => table.walk(walk),
    };
    let mut found = rows.filter(|record| keep(record) && sees(world, &call.actor, kind, record));
    let mut data = Vec::new();
    let mut last = None;
    for record in found.by_ref().take(limit) {
        last = Some(position(record, order));
        data.push(show(world, kind, record, &view));
    }
    let next = last.filter(|_| found.next().is_some()).map(|place| cursor(order, descending, place));
    Ok(page(data, next))
}

fn ordering(kind: Kind, call: &Call<'_>) -> Result<(Order, bool), Refusal> {
    let order = match call.param("sort_by") {
        None | Some("id") => Order::Id,
        Some("update_time") => Order::Updated,
        Some("add_time") => Order::Added,
        Some(other) => {
            let more = if kind == Kind::Activity { " (due_date is not in the sandbox)" } else { "" };
            let why =
                format!("Invalid enum value. Expected 'id' | 'update_time' | 'add_time', received '{other}'{more}");
            return Err(Refusal::key("sort_by", why));
        }
    };
    match call.param("sort_direction") {
        None | Some("asc") => Ok((order, false)),
        Some("desc") => Ok((order, true)),
        Some(other) => Err(Refusal::key(
            "sort_direction",
            format!("Invalid enum value. Expected 'asc' | 'desc', received '{other}'"),
        )),
    }
}

/// Ids that the request narrows the list to through an index; none when the whole table is walked.
fn narrowed(world: &World, kind: Kind, call: &Call<'_>) -> Result<Option<Vec<u64>>, Refusal> {
    if let Some(text) = call.param("ids") {
        let ids: Result<Vec<u64>, _> =
            text.split(',').filter(|id| !id.is_empty()).map(|id| id.trim().parse()).collect();
        let ids = ids.map_err(|_| Refusal::key("ids", "Expected comma separated numbers"))?;
        if ids.len() > 100 {
            return Err(Refusal::key("ids", "Array must contain at most 100 element(s)"));
        }
        return Ok(Some(ids));
    }
    if kind == Kind::Deal && call.param("status") == Some("deleted") {
        return Ok(Some(world.table(kind).deleted_ids().collect()));
    }
    if kind == Kind::Person
        && let Some(deal) = call.int_param("deal_id")?
    {
        return Ok(Some(super::relations::people_of(world, deal)));
    }
    for key in world.table(kind).indexes("deal_id").into_iter().chain(["person_id", "org_id"]) {
        if let (Some(key), Some(parent)) = (world.table(kind).indexes(key), call.int_param(key)?) {
            return Ok(Some(world.table(kind).children(key, parent).collect()));
        }
    }
    Ok(None)
}

type Keep<'a> = Box<dyn Fn(&Record) -> bool + 'a>;

/// The filters of a list, as one question to a record.
fn selection<'a>(world: &'a World, kind: Kind, call: &Call<'_>, archived: bool) -> Result<Keep<'a>, Refusal> {
    if let Some(id) = call.int_param("filter_id")? {
        // A filter overrides the other filters (sheet: section 4 [spec]).
        let filter = filters::find(world, kind, id)?;
        return Ok(Box::new(move |record| {
            record.deleted.is_none()
                && record.flag("is_archived") == archived
                && filters::fits(world, kind, record, filter)
        }));
    }
    let mut equal: Vec<(&'static str, Json)> = Vec::new();
    let links = ["owner_id", "org_id", "pipeline_id", "stage_id", "deal_id"];
    for key in links.into_iter().filter(|key| kind.key(key).is_some()) {
        if let Some(id) = call.int_param(key)? {
            equal.push((key, json!(id)));
        }
    }
    let person = if kind == Kind::Person { None } else { call.int_param("person_id")? };
    if let Some(lead) = call.param("lead_id") {
        equal.push(("lead_id", json!(lead)));
    }
    let done = call.bool_param("done")?;
    let status = match call.param("status") {
        None => None,
        Some(status @ ("open" | "won" | "lost" | "deleted")) if kind == Kind::Deal => Some(status.to_owned()),
        Some(other) => {
            let why = format!("Invalid enum value. Expected 'open' | 'won' | 'lost' | 'deleted', received '{other}'");
            return Err(Refusal::key("status", why));
        }
    };
    Ok(Box::new(move |record| {
        let wants_deleted = status.as_deref() == Some("deleted");
        record.deleted.is_some() == wants_deleted
            && (wants_deleted || record.flag("is_archived") == archived)
            && status.as_deref().is_none_or(|status| wants_deleted || record.text("status") == status)
            && equal.iter().all(|(key, value)| record.get(key) == value)
            && person.is_none_or(|person| links_person(record, person))
            && done.is_none_or(|done| record.flag("done") == done)
    }))
}

fn links_person(record: &Record, person: u64) -> bool {
    let others = record.get("participants").as_array().into_iter().flatten();
    record.id_of("person_id") == Some(person)
        || others.into_iter().any(|one| one.get("person_id") == Some(&json!(person)))
}

fn view(world: &World, kind: Kind, call: &Call<'_>) -> Result<View, Refusal> {
    let split = |name: &str| -> Option<Vec<String>> {
        call.param(name).map(|text| text.split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect())
    };
    let custom = split("custom_fields").filter(|list| !list.is_empty());
    if let Some(list) = &custom {
        if list.len() > 15 {
            return Err(Refusal::key("custom_fields", "Array must contain at most 15 element(s)"));
        }
        if let Some(unknown) = list.iter().find(|code| world.fields(kind).get_custom(code).is_none()) {
            return Err(Refusal::key("custom_fields", format!("Field '{unknown}' does not exist")));
        }
    }
    let include = split("include_fields").unwrap_or_default();
    let known = |name: &str| counts::known(kind).contains(&name) || is_campaigns(world, kind, name);
    if let Some(unknown) = include.iter().find(|name| !known(name)) {
        return Err(Refusal::key("include_fields", format!("Invalid enum value, received '{unknown}'")));
    }
    let labels = call.bool_param("include_option_labels")?.unwrap_or_default();
    Ok(View { custom, include, labels })
}

/// Whether it is a key of the Campaigns product, and the account has that.
fn is_campaigns(world: &World, kind: Kind, name: &str) -> bool {
    world.settings.campaigns && kind.key(name).is_some_and(|key| key.access == Access::Campaigns)
}

fn show(world: &World, kind: Kind, record: &Record, view: &View) -> Json {
    let mut map = render::v2(world, kind, record, view.custom.as_deref());
    if kind == Kind::Activity && !view.include.iter().any(|name| name == "attendees") {
        map.remove("attendees");
    }
    if view.labels
        && let Some(Json::Object(custom)) = map.get_mut("custom_fields")
    {
        render::label_options(world, kind, custom);
    }
    let campaigns = kind.keys().iter().filter(|key| key.access == Access::Campaigns).map(|key| key.name);
    for name in campaigns.filter(|name| !view.include.iter().any(|asked| asked == name)) {
        map.remove(name);
    }
    let shown_already = |name: &str| name == "attendees" || is_campaigns(world, kind, name);
    for name in view.include.iter().filter(|name| !shown_already(name)) {
        map.insert(name.clone(), counts::count(world, kind, record, name));
    }
    Json::Object(map)
}

/// `GET /api/v2/{plural}/{id}`.
pub(super) fn get(world: &mut World, call: &mut Call<'_>) -> Answer {
    let kind = kind_of(call)?;
    call.only_params(&["include_fields", "custom_fields", "include_option_labels"])?;
    let view = view(world, kind, call)?;
    let record = world.table(kind).get(call.id(0)?).ok_or_else(Refusal::not_found)?;
    if !sees(world, &call.actor, kind, record) || (record.deleted.is_some() && world.settings.hide_deleted) {
        return Err(Refusal::not_found());
    }
    Ok(one(200, show(world, kind, record, &view)))
}

/// The answer to a write: the whole record.
fn written(world: &World, kind: Kind, id: u64, status: u16) -> Answer {
    let record = world.table(kind).get(id).ok_or_else(Refusal::not_found)?;
    Ok(one(status, Json::Object(render::v2(world, kind, record, None))))
}

/// `POST /api/v2/{plural}`.
pub(super) fn create(world: &mut World, call: &mut Call<'_>) -> Answer {
    let kind = kind_of(call)?;
    call.only_params(&[])?;
    let mut body = call.body()?;
    let needed: &[&str] = match kind {
        Kind::Deal => &["title"],
        Kind::Activity => &[],
        _ => &["name"],
    };
    validate::required(call, &body, needed)?;
    let added = add_time(kind, &mut body)?;
    drop_activity_person(world, kind, &mut body);
    let draft = validate::body(world, kind, &body, true, &[])?;
    refuse_caps(world, kind)?;
    let id = world.table(kind).peek_next();
    let mut record = Record::new(id, added.unwrap_or(call.at));
    record.updated = Some(call.at);
    let owner = json!(call.actor.user);
    record.set("owner_id", owner.clone());
    match kind {
        Kind::Deal => {
            record.set("creator_user_id", owner);
            record.set("currency", json!(world.currency_of(call.actor.user)));
            record.set("origin", json!("API"));
        }
        Kind::Activity => {
            record.set("creator_user_id", owner);
            default_activity(world, &mut record, &draft);
        }
        _ => {}
    }
    apply(&mut record, &draft);
    settle(world, kind, None, &mut record, &draft, call)?;
    commit(world, call, Commit { kind, before: None, after: record, action: Action::Created, merged: None });
    let status = if world.settings.create_with_200 { 200 } else { 201 };
    written(world, kind, id, status)
}

/// `add_time` is writable on creation of persons and organizations only (sheet: section 5 \[spec\]).
fn add_time(kind: Kind, body: &mut Map<String, Json>) -> Result<Option<i64>, Refusal> {
    if !matches!(kind, Kind::Person | Kind::Organization) {
        return Ok(None);
    }
    match body.remove("add_time") {
        None | Some(Json::Null) => Ok(None),
        Some(at) => {
            let at = at.as_str().and_then(super::time::read_v2);
            at.map(Some).ok_or_else(|| Refusal::key("add_time", "not a valid datetime"))
        }
    }
}

/// `person_id` of an activity is read-only in practice (sheet: section 2.1 \[doc\]).
fn drop_activity_person(world: &World, kind: Kind, body: &mut Map<String, Json>) {
    if kind == Kind::Activity && world.settings.ignore_activity_person {
        body.remove("person_id");
    }
}

fn default_activity(world: &World, record: &mut Record, draft: &Draft) {
    let first = world.activity_types.values().find(|one| one.get("active_flag") != Some(&json!(false)));
    let wanted = draft.get("type").or_else(|| first?.get("key_string")).cloned().unwrap_or_default();
    let named = world.activity_types.values().find(|one| one.get("key_string") == Some(&wanted));
    record.set("subject", named.and_then(|one| one.get("name")).cloned().unwrap_or_default());
    record.set("type", wanted);
}

/// Caps of the plan (sheet: section 9 trap 15).
fn refuse_caps(world: &World, kind: Kind) -> Result<(), Refusal> {
    let Some(most) = world.settings.open_deals_limit.filter(|_| kind == Kind::Deal) else { return Ok(()) };
    let open = world
        .table(kind)
        .all()
        .filter(|deal| deal.deleted.is_none() && deal.text("status") == "open" && !deal.flag("is_archived"))
        .count();
    if open as u64 >= most {
        return Err(Refusal::capped("Couldn't add the deal. Open deals limit reached.", "feature_capping_deals_limit"));
    }
    Ok(())
}

/// Writes what the body set.
pub(super) fn apply(record: &mut Record, draft: &Draft) {
    for (key, value) in &draft.fields {
        let unset = key.unset.value();
        record.set(key.name, if *value == unset { Json::Null } else { value.clone() });
    }
    for (code, value) in &draft.custom {
        record.set_custom(code, value.clone());
    }
}

/// Brings a written record into agreement with itself, or says why it cannot be.
fn settle(
    world: &World,
    kind: Kind,
    before: Option<&Record>,
    record: &mut Record,
    draft: &Draft,
    call: &Call<'_>,
) -> Result<(), Refusal> {
    match kind {
        Kind::Deal => settle_deal(world, before, record, draft, call)?,
        Kind::Activity => {
            let was_done = before.is_some_and(|before| before.flag("done"));
            match (was_done, record.flag("done")) {
                (false, true) => record.set("marked_as_done_time", json!(super::time::v2(call.at))),
                (true, false) => record.set("marked_as_done_time", Json::Null),
                _ => {}
            }
            if draft.get("participants").is_some() {
                record.set("person_id", Json::Null);
            }
        }
        _ => {}
    }
    derive::settle(world, kind, record);
    Ok(())
}

fn settle_deal(
    world: &World,
    before: Option<&Record>,
    record: &mut Record,
    draft: &Draft,
    call: &Call<'_>,
) -> Result<(), Refusal> {
    let (stage, pipeline) = (draft.get("stage_id"), draft.get("pipeline_id"));
    match (stage, pipeline.and_then(Json::as_u64)) {
        // A stage belongs to one pipeline (sheet: section 9 trap 13).
        (Some(stage), Some(pipeline)) if stage.as_u64().and_then(|id| world.pipeline_of(id)) != Some(pipeline) => {
            return Err(Refusal::key("stage_id", format!("Stage {stage} does not belong to pipeline {pipeline}")));
        }
        (None, Some(pipeline)) if before.and_then(|before| before.id_of("pipeline_id")) != Some(pipeline) => {
            record.set("stage_id", Json::Null);
        }
        _ => {}
    }
    let sent = |key: &str| draft.get(key).is_some();
    derive::status_times(before, record, &sent, call.at)?;
    let has_lines = world.deal_products.get(&record.id).is_some_and(|lines| !lines.is_empty());
    if sent("value") && has_lines {
        // The value follows from the products (sheet: section 9 trap 6).
        if !world.settings.ignore_value_with_products {
            return Err(Refusal::key("value", "Deal value cannot be changed while the deal has products attached"));
        }
        record.set("value", super::deal_products::value_of(world, record.id));
    }
    let stage = record.get("stage_id").clone();
    if before.is_some_and(|before| *before.get("stage_id") != stage) {
        record.set("stage_change_time", json!(super::time::v2(call.at)));
    }
    Ok(())
}

/// `PATCH /api/v2/{plural}/{id}`.
pub(super) fn update(world: &mut World, call: &mut Call<'_>) -> Answer {
    let kind = kind_of(call)?;
    call.only_params(&[])?;
    let id = call.id(0)?;
    let mut body = call.body()?;
    let before = world.table(kind).get(id).ok_or_else(Refusal::not_found)?.clone();
    if !sees(world, &call.actor, kind, &before) {
        return Err(Refusal::not_found());
    }
    drop_activity_person(world, kind, &mut body);
    let draft = validate::body(world, kind, &body, false, &[])?;
    let restores = draft.get("is_deleted") == Some(&json!(false)) && world.settings.restore_deals;
    if before.deleted.is_some() && !restores {
        return Err(Refusal::not_found());
    }
    validate_names(&draft)?;
    let mut after = before.clone();
    apply(&mut after, &draft);
    after.set("is_deleted", Json::Null);
    let mut action = Action::Updated;
    if draft.get("is_deleted") == Some(&json!(true)) {
        after.deleted = Some(call.at);
        action = Action::Deleted;
    } else if before.deleted.is_some() {
        after.deleted = None;
        action = Action::Restored;
    }
    settle(world, kind, Some(&before), &mut after, &draft, call)?;
    if after != before {
        after.updated = Some(call.at);
        commit(world, call, Commit { kind, before: Some(before), after, action, merged: None });
    }
    written(world, kind, id, 200)
}

fn validate_names(draft: &Draft) -> Result<(), Refusal> {
    for name in ["title", "name", "subject"] {
        if draft.get(name).and_then(Json::as_str).is_some_and(|text| text.trim().is_empty()) {
            return Err(Refusal::key(name, "String must contain at least 1 character(s)"));
        }
    }
    Ok(())
}

/// `DELETE /api/v2/{plural}/{id}`: soft; purged after 30 days.
pub(super) fn delete(world: &mut World, call: &mut Call<'_>) -> Answer {
    let kind = kind_of(call)?;
    call.only_params(&[])?;
    let id = call.id(0)?;
    remove(world, call, kind, id)?;
    Ok(one(200, json!({"id": id})))
}

/// Deletes a record softly.
pub(super) fn remove(world: &mut World, call: &mut Call<'_>, kind: Kind, id: u64) -> Result<(), Refusal> {
    let before = world.table(kind).get(id).ok_or_else(Refusal::not_found)?.clone();
    if !sees(world, &call.actor, kind, &before) {
        return Err(Refusal::not_found());
    }
    if before.deleted.is_some() {
        return Err(if world.settings.delete_again_gone { Refusal::gone() } else { Refusal::not_found() });
    }
    let mut after = before.clone();
    after.deleted = Some(call.at);
    after.updated = Some(call.at);
    commit(world, call, Commit { kind, before: Some(before), after, action: Action::Deleted, merged: None });
    Ok(())
}

/// A v1 answer to a deletion.
pub(super) fn deleted_v1(id: &Json) -> Reply {
    Reply::json(200, &json!({"success": true, "data": {"id": id}}))
}
