//! Deleting, the recycle bin, and the feed of deleted records (sheet: sections 2 and 4).

use serde_json::{Value as Json, json};

use super::call::Call;
use super::draft::Writer;
use super::refusal::{Answer, Refusal, nothing, success, unchanged};
use super::schema::Module;
use super::scopes::Does;
use super::world::{Binned, Id, World};
use super::{instant, view, write};
use crate::Reply;
use crate::journal::Action;

/// `DELETE /{M}/{id}` and `DELETE /{M}?ids=`.
pub(super) fn delete(world: &mut World, call: &Call<'_>, module: &Module, one: Option<&str>) -> Answer {
    call.may_in(world, &module.api_name, Does::Delete)?;
    let ids = match one {
        Some(id) => vec![id.to_owned()],
        None => call.list("ids").ok_or_else(|| Refusal::missing_param("ids"))?,
    };
    if ids.len() > write::MOST {
        return Err(Refusal::limit(
            "The limit of ids in a call is exceeded",
            json!({"param_name": "ids", "limit": write::MOST}),
        ));
    }
    if call.param("wf_trigger") == Some("false") && !world.settings.silent_writes_notify {
        world.hushed = true;
    }
    let by = Writer::of(call);
    let most = call.apply_only.unwrap_or(ids.len());
    let mut results = Vec::new();
    for text in ids.iter().take(most) {
        results.push(match by.record(world, module, text) {
            Some(id) => {
                remove(world, &module.api_name, id, call.user);
                Ok(success("record deleted", json!({"id": id.to_string()})))
            }
            None => {
                let refusal = Refusal::new("INVALID_DATA", "the id given seems to be invalid");
                Err(refusal.with(json!({"id": text, "api_name": "id"})))
            }
        });
    }
    Ok(write::reply(world, &results, 200))
}

/// Puts a record into the recycle bin, with its notes and attachments.
pub(super) fn remove(world: &mut World, module: &str, id: Id, by: Id) {
    let mut along: Vec<(&str, Id)> = Vec::new();
    let mut lists = vec![("Notes", "Parent_Id"), ("Attachments", "Parent_Id")];
    if world.settings.activities_go_along {
        lists.extend(["Tasks", "Events", "Calls"].into_iter().flat_map(|one| [(one, "What_Id"), (one, "Who_Id")]));
    }
    for (list, lookup) in lists {
        along.extend(world.pointing(list, lookup, id).into_iter().map(|one| (list, one)));
    }
    for (list, one) in along {
        bin(world, list, one, by, id);
    }
    bin(world, module, id, by, id);
}

fn bin(world: &mut World, module: &str, id: Id, by: Id, root: Id) {
    let touches = world.get(module, id).map(|row| (row.text("$se_module").to_owned(), row.target("Parent_Id")));
    if let Some(row) = world.take(module, id, Action::Deleted) {
        let at = world.now;
        // What goes along comes back along; by itself it is not in the feed.
        let told = id == root;
        world.bin.insert(id, Binned { module: module.to_owned(), row, at, by, root, permanent: false, told });
    }
    if let Some((parent, Some(of))) = touches.filter(|_| id == root) {
        write::bump(world, &parent, of, by);
    }
}

/// Brings a record back, and what went along with it.
pub(super) fn restore(world: &mut World, id: Id) {
    let here = |binned: &Binned| (binned.root == id) && !binned.permanent;
    let back: Vec<Id> = world.bin.iter().filter(|(_, binned)| here(binned)).map(|(id, _)| *id).collect();
    for id in back {
        if let Some(binned) = world.bin.remove(&id) {
            let mut row = binned.row;
            if world.settings.restore_bumps {
                row.modified = world.now;
            }
            world.put(&binned.module, row, Action::Restored);
        }
    }
}

/// `GET /{M}/deleted`.
pub(super) fn feed(world: &World, call: &Call<'_>, module: &Module) -> Answer {
    call.may_in(world, &module.api_name, Does::Read)?;
    let kind = call.param("type").unwrap_or("all");
    if !["all", "recycle", "permanent"].contains(&kind) {
        return Err(Refusal::bad_param("type"));
    }
    let (per_page, page) = (call.number("per_page", 200, 200)?, call.number("page", usize::MAX, 1)?);
    let since = call.time_header("if-modified-since")?;
    let mut gone: Vec<(&Id, &Binned)> = world
        .bin
        .iter()
        .filter(|(_, one)| one.module == module.api_name && one.told && since.is_none_or(|since| one.at >= since))
        .filter(|(_, one)| kind == "all" || (kind == "permanent") == one.permanent)
        .collect();
    // Newest first (sheet: silent).
    gone.sort_by(|one, other| (other.1.at, other.0).cmp(&(one.1.at, one.0)));
    let start = (page - 1).saturating_mul(per_page);
    let rows: Vec<Json> = gone.iter().skip(start).take(per_page).map(|(id, one)| told(world, **id, one)).collect();
    if rows.is_empty() {
        return Ok(if since.is_some() && page == 1 { unchanged(world) } else { nothing() });
    }
    let more = gone.len() > start + rows.len();
    let info = json!({"per_page": per_page, "count": rows.len(), "page": page, "more_records": more});
    Ok(Reply::json(200, &json!({"data": rows, "info": info})))
}

fn told(world: &World, id: Id, binned: &Binned) -> Json {
    let user = |id: Id| match world.users.get(&id) {
        Some(user) if !binned.permanent => json!({"name": user.full_name(), "id": id.to_string()}),
        _ => Json::Null,
    };
    let name = if binned.permanent { Json::Null } else { view::name(world, &binned.module, &binned.row) };
    json!({
        "id": id.to_string(), "display_name": name, "type": if binned.permanent { "permanent" } else { "recycle" },
        "deleted_time": instant::told(binned.at, world.org.utc_offset_min),
        "deleted_by": user(binned.by), "created_by": user(binned.row.created_by),
    })
}
