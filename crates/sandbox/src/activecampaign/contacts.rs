//! Contacts: `contact/sync`, one with what hangs on it, and the lists below one.

use serde_json::{Map, Value as Json, json};

use super::call::{Call, commit};
use super::kind::Kind;
use super::list;
use super::refusal::{Answer, Refusal};
use super::render::{self, As};
use super::values;
use super::world::{Row, World};
use super::write::{self, find};
use crate::Reply;
use crate::journal::Action;

/// `POST /contact/sync`: an upsert by e-mail address (sheet: section 5). Keys left out stay, empty ones wipe.
pub(super) fn sync(world: &mut World, call: &mut Call<'_>) -> Answer {
    let body = call.under("contact")?;
    let email = body.get("email").and_then(Json::as_str).unwrap_or_default();
    let there = world.with(Kind::Contact, "email", email).and_then(|id| world.get(Kind::Contact, id)).cloned();
    match there {
        Some(before) => write::change(world, call, Kind::Contact, &before, &body),
        None => write::create(world, call, Kind::Contact),
    }
}

/// `GET /contacts/{id}`, with arrays of what hangs on it (sheet: section 2 \[rec\]).
pub(super) fn get(world: &World, call: &Call<'_>, id: &str) -> Answer {
    let contact = find(world, Kind::Contact, id)?;
    let of = |from: Kind, key| -> Json {
        world.pointing(from, key, contact.id).map(|row| render::row(world, call, from, row, As::Told)).collect()
    };
    let mut body = Map::new();
    body.insert("contactAutomations".to_owned(), json!([]));
    body.insert("contactLists".to_owned(), of(Kind::ContactList, "contact"));
    body.insert("deals".to_owned(), of(Kind::Deal, "contact"));
    body.insert("fieldValues".to_owned(), Json::Array(render::values(call, Kind::Contact, contact)));
    body.insert("geoIps".to_owned(), json!([]));
    body.insert("accountContacts".to_owned(), of(Kind::AccountContact, "contact"));
    body.insert("contact".to_owned(), render::row(world, call, Kind::Contact, contact, As::Told));
    Ok(Reply::json(200, &Json::Object(body)))
}

/// `GET /{parent}/{id}/{list}`: what hangs on a contact, a deal or an account.
pub(super) fn below(world: &World, call: &Call<'_>, parent: Kind, id: &str, name: &str) -> Answer {
    let row = find(world, parent, id)?;
    let (from, key) = match (parent, name) {
        (Kind::Contact, "fieldValues") => {
            return Ok(list::page_of(call, name, list::MOST, render::values(call, Kind::Contact, row)));
        }
        (Kind::Contact, "contactLists") => (Kind::ContactList, "contact"),
        (Kind::Contact, "contactTags") => (Kind::ContactTag, "contact"),
        (Kind::Contact, "accountContacts") => (Kind::AccountContact, "contact"),
        (Kind::Contact, "contactDeals") => (Kind::ContactDeal, "contact"),
        (Kind::Contact, "deals") => (Kind::Deal, "contact"),
        (Kind::Contact, "notes") => (Kind::Note, "Subscriber"),
        (Kind::Contact, "contactData" | "contactLogs" | "bounceLogs" | "geoIps") => {
            return Ok(list::page_of(call, name, list::MOST, Vec::new()));
        }
        (Kind::Deal, "contactDeals") => (Kind::ContactDeal, "deal"),
        (Kind::Deal, "notes") => (Kind::Note, "Deal"),
        (Kind::Deal, "tasks") => (Kind::Task, "Deal"),
        (Kind::Deal, "dealActivities") => return Ok(list::page_of(call, name, list::MOST, Vec::new())),
        (Kind::Deal, "dealCustomFieldData") | (Kind::Account, "accountCustomFieldData") => {
            return Ok(list::page_of(call, name, list::MOST, render::values(call, parent, row)));
        }
        (Kind::Account, "notes") => (Kind::Note, "CustomerAccount"),
        (Kind::Account, "accountContacts") => (Kind::AccountContact, "account"),
        _ => return Err(Refusal(Box::new(super::refusal::unknown_path()))),
    };
    let rows: Vec<&Row> = world.pointing(from, key, row.id).collect();
    Ok(list::page(world, call, from, &rows))
}

/// `POST`/`PUT /{accounts|deals}/{id}/notes[/{note}]`.
pub(super) fn note(world: &mut World, call: &mut Call<'_>, parent: Kind, id: &str, note: Option<&str>) -> Answer {
    let parent_id = find(world, parent, id)?.id;
    let mut body = call.under("note")?;
    let word = if parent == Kind::Deal { "Deal" } else { "CustomerAccount" };
    body.insert("relid".to_owned(), json!(parent_id));
    body.insert("reltype".to_owned(), json!(word));
    if let Some(note) = note {
        let before = find(world, Kind::Note, note)?.clone();
        return write::change(world, call, Kind::Note, &before, &body);
    }
    let taken = write::take(world, call, Kind::Note, None, &body)?;
    let id = taken.row.id;
    commit(world, call, Kind::Note, None, taken.row, Action::Created);
    write::answer(world, call, Kind::Note, id, 201, false)
}

/// `GET /fieldValues`, with `filters[fieldid]` and `filters[val]`.
pub(super) fn all_values(world: &World, call: &Call<'_>) -> Answer {
    let (field, wanted) = (call.number("filters[fieldid]"), call.param("filters[val]"));
    let mut found: Vec<(u64, Json)> = Vec::new();
    for contact in world.live(Kind::Contact) {
        for (id, cell) in &contact.cells {
            let fits = field.is_none_or(|field| field == *id) && wanted.is_none_or(|wanted| cell.value == wanted);
            if fits {
                found.push((cell.id, render::field_value(call, contact, *id)));
            }
        }
    }
    found.sort_by_key(|(id, _)| *id);
    Ok(list::page_of(call, "fieldValues", 20, found.into_iter().map(|(_, value)| value).collect()))
}

/// `POST /fieldValues` and `PUT /fieldValues/{id}`: one value of one contact.
pub(super) fn put_value(world: &mut World, call: &mut Call<'_>) -> Answer {
    let body = call.under("fieldValue")?;
    let contact = body.get("contact").and_then(values::whole).and_then(|id| world.get(Kind::Contact, id)).cloned();
    let before = contact.ok_or_else(|| Refusal::related("contact"))?;
    let mut after = before.clone();
    values::one(world, call, Kind::Contact, &mut after, &body)?;
    if world.settings.joins_touch {
        after.updated = call.at;
    }
    if after != before {
        commit(world, call, Kind::Contact, Some(&before), after.clone(), Action::Updated);
    }
    let field = body.get("field").and_then(values::whole).unwrap_or_default();
    let contacts = [render::row(world, call, Kind::Contact, &after, As::Told)];
    let told = json!({"contacts": contacts, "fieldValue": render::field_value(call, &after, field)});
    Ok(Reply::json(200, &told))
}

/// `GET /{deal|account}CustomFieldData`, with the filter by record.
pub(super) fn all_data(world: &World, call: &Call<'_>, kind: Kind) -> Answer {
    let (name, filter) = match kind {
        Kind::Deal => ("dealCustomFieldData", "filters[dealId]"),
        _ => ("accountCustomFieldData", "filters[customerAccountId]"),
    };
    let told = match call.number(filter) {
        Some(id) => world.get(kind, id).map(|row| render::values(call, kind, row)).unwrap_or_default(),
        None => world.live(kind).flat_map(|row| render::values(call, kind, row)).collect(),
    };
    Ok(list::page_of(call, name, 100, told))
}

/// `POST /{deal|account}CustomFieldData`, and `bulkCreate`/`bulkUpdate` with a list of them.
pub(super) fn put_data(world: &mut World, call: &mut Call<'_>, kind: Kind, bulk: bool) -> Answer {
    let (root, owner) =
        if kind == Kind::Deal { ("dealCustomFieldDatum", "dealId") } else { ("accountCustomFieldDatum", "accountId") };
    let items: Vec<Map<String, Json>> = if bulk {
        let list: Json = serde_json::from_slice(&call.request.body).map_err(|_| Refusal::bad_body())?;
        list.as_array().into_iter().flatten().filter_map(|item| item.as_object().cloned()).collect()
    } else {
        vec![call.under(root)?]
    };
    let mut last = json!({});
    for item in items {
        let id = item.get(owner).or_else(|| item.get("customerAccountId")).and_then(values::whole);
        let before = id.and_then(|id| world.get(kind, id)).cloned().ok_or_else(|| Refusal::related(owner))?;
        let mut after = before.clone();
        values::one(world, call, kind, &mut after, &item)?;
        if after != before {
            after.updated = call.at;
            commit(world, call, kind, Some(&before), after.clone(), Action::Updated);
        }
        let field = item.get("customFieldId").and_then(values::whole).unwrap_or_default();
        last = json!({ root: render::datum(call, kind, &after, field) });
    }
    Ok(Reply::json(if bulk { 200 } else { 201 }, &last))
}
