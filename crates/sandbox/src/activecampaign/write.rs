//! Creating, changing and deleting rows of any collection; what is peculiar to one stands in [`super::rules`].

use serde_json::{Map, Value as Json, json};

use super::call::{Call, commit, delete};
use super::kind::{Form, Key, Kind};
use super::refusal::{Answer, Refusal};
use super::render::{self, As};
use super::rules;
use super::time;
use super::values;
use super::world::{Row, World};
use crate::Reply;
use crate::journal::Action;

/// A row after a body was taken into it, and whether bad custom values were left out.
pub(super) struct Taken {
    pub(super) row: Row,
    pub(super) left_out: bool,
}

/// A new row from a body, or a row as the body changes it. Nothing is kept yet.
pub(super) fn take(
    world: &mut World,
    call: &Call<'_>,
    kind: Kind,
    before: Option<&Row>,
    body: &Map<String, Json>,
) -> Result<Taken, Refusal> {
    let shape = kind.shape();
    let mut row = before.cloned().unwrap_or_else(|| Row::new(world.next_id(kind), call.at));
    let mut left_out = false;
    for (name, given) in body {
        if is_values(kind, name) {
            left_out |= values::take(world, call, kind, &mut row, given)?;
            continue;
        }
        match shape.key(name) {
            Some(key) if key.is_written => row.set(key.name, read(world, call, key, given)?),
            Some(_) => {}
            None if world.settings.ignores_unknown_keys || is_told(kind, name) => {}
            None => return Err(Refusal::wrong(name, "it is not known")),
        }
    }
    if let Some(key) = shape.keys.iter().find(|key| key.is_required && row.get(key.name).is_none()) {
        return Err(Refusal::missing(shape.one, key.name));
    }
    rules::settle(world, call, kind, before, &mut row)?;
    for key in shape.keys.iter().filter(|key| key.is_unique) {
        let other = row.get(key.name).and_then(Json::as_str).and_then(|text| world.with(kind, key.name, text));
        if other.is_some_and(|other| other != row.id) {
            return Err(rules::duplicate(kind, key.name, row.text(key.name)));
        }
    }
    if before != Some(&row) {
        row.updated = call.at;
    }
    Ok(Taken { row, left_out })
}

/// Whether a key holds custom values.
fn is_values(kind: Kind, name: &str) -> bool {
    matches!((kind, name), (Kind::Contact, "fieldValues") | (Kind::Account | Kind::Deal, "fields"))
}

/// Keys that rows tell and that nobody writes: sent back, they are passed over.
fn is_told(kind: Kind, name: &str) -> bool {
    let stamps = kind.shape().stamps;
    name == stamps.0
        || name == stamps.1
        || matches!(name, "id" | "links" | "owner" | "hash" | "organization")
        || (kind == Kind::Task && matches!(name, "triggerAutomationOnCreate" | "doneAutomation" | "outcomeId"))
}

/// A value in the form that is kept; none for an empty one.
pub(super) fn read(world: &World, call: &Call<'_>, key: &Key, given: &Json) -> Result<Option<Json>, Refusal> {
    let wrong = |why: &str| Err(Refusal::wrong(key.name, why));
    if given.is_null() {
        return Ok(None);
    }
    let whole = values::whole(given);
    let text = match given {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    };
    match key.form {
        Form::List => {
            if given.is_array() {
                Ok(Some(given.clone()))
            } else {
                wrong("a list is expected")
            }
        }
        Form::Line | Form::Free | Form::Address | Form::Currency | Form::Instant if text.is_none() => {
            wrong("a text is expected")
        }
        Form::Line | Form::Free => {
            let text = text.unwrap_or_default();
            if key.form == Form::Line && text.chars().count() > world.settings.text_max {
                return wrong("it is too long");
            }
            Ok((!text.is_empty()).then(|| json!(text)))
        }
        Form::Address => address(world, &text.unwrap_or_default()),
        Form::Currency => {
            let text = text.unwrap_or_default().to_lowercase();
            if text.is_empty() {
                return Ok(None);
            }
            let is_code = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_lowercase());
            if is_code { Ok(Some(json!(text))) } else { wrong("a currency is expected") }
        }
        Form::Instant => {
            let text = text.unwrap_or_default();
            if text.is_empty() {
                return Ok(None);
            }
            time::read(&text, &call.zone).map_or_else(|| wrong("a date and time is expected"), |at| Ok(Some(json!(at))))
        }
        Form::Flag => match (given.as_bool(), whole) {
            (Some(flag), _) => Ok(Some(json!(u8::from(flag)))),
            (None, Some(flag @ (0 | 1))) => Ok(Some(json!(flag))),
            _ => wrong("0 or 1 is expected"),
        },
        Form::Whole => whole.map_or_else(
            || if text.as_deref() == Some("") { Ok(None) } else { wrong("a whole number is expected") },
            |number| Ok(Some(json!(number))),
        ),
        Form::Id(to) => match whole {
            // `"0"`, `""` and null all mean none (sheet: section 9 trap 9).
            Some(0) => Ok(None),
            Some(id) if world.get(to, id).is_some() => Ok(Some(json!(id))),
            None if text.as_deref() == Some("") => Ok(None),
            _ => Err(Refusal::related(key.name)),
        },
    }
}

fn address(world: &World, text: &str) -> Result<Option<Json>, Refusal> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let is_address = text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && domain.contains('.') && !domain.starts_with('.') && !domain.ends_with('.')
    });
    if !is_address || text.contains(char::is_whitespace) || text.matches('@').count() != 1 {
        // Its words are [unsure] (sheet: section 7).
        return Err(Refusal::key("email", "field_invalid", "Email address is not valid."));
    }
    Ok(Some(json!(if world.settings.lowers_emails { text.to_lowercase() } else { text.to_owned() })))
}

/// `POST /{collection}`.
pub(super) fn create(world: &mut World, call: &mut Call<'_>, kind: Kind) -> Answer {
    let body = call.under(kind.shape().one)?;
    let taken = take(world, call, kind, None, &body)?;
    if let Some(there) = rules::already(world, kind, &taken.row) {
        return rules::again(world, call, kind, there, &taken.row);
    }
    let id = taken.row.id;
    commit(world, call, kind, None, taken.row, Action::Created);
    rules::made(world, call, kind, id);
    answer(world, call, kind, id, 201, taken.left_out)
}

/// `PUT` or `PATCH /{collection}/{id}`: both are partial (sheet: section 2 \[rec\]).
pub(super) fn update(world: &mut World, call: &mut Call<'_>, kind: Kind, id: &str) -> Answer {
    let before = find(world, kind, id)?.clone();
    let body = call.under(kind.shape().one)?;
    change(world, call, kind, &before, &body)
}

/// The same with a body at hand.
pub(super) fn change(
    world: &mut World,
    call: &mut Call<'_>,
    kind: Kind,
    before: &Row,
    body: &Map<String, Json>,
) -> Answer {
    let taken = take(world, call, kind, Some(before), body)?;
    let id = before.id;
    if taken.row != *before {
        commit(world, call, kind, Some(before), taken.row, Action::Updated);
    }
    answer(world, call, kind, id, 200, taken.left_out)
}

/// A row in the answer to its writing.
pub(super) fn answer(world: &World, call: &Call<'_>, kind: Kind, id: u64, status: u16, left_out: bool) -> Answer {
    let shape = kind.shape();
    let row = world.get(kind, id).ok_or_else(|| Refusal::not_found(shape.said, &id.to_string()))?;
    let how = if status == 201 { As::Made } else { As::Told };
    let mut told = render::row(world, call, kind, row, how);
    let mut body = Map::new();
    if let (Kind::Deal | Kind::Account, Some(map)) = (kind, told.as_object_mut()) {
        map.insert("fields".to_owned(), Json::Array(render::values(call, kind, row)));
        let saved = if left_out { json!({"status": "failure"}) } else { json!({"status": "success"}) };
        map.insert("customFieldSaveStatus".to_owned(), saved);
    }
    if kind == Kind::Contact {
        body.insert("fieldValues".to_owned(), Json::Array(render::values(call, kind, row)));
    }
    body.insert(shape.one.to_owned(), told);
    Ok(Reply::json(status, &Json::Object(body)))
}

/// `DELETE /{collection}/{id}`: 200 with `{}` (sheet: section 2 \[rec\]).
pub(super) fn remove(world: &mut World, call: &mut Call<'_>, kind: Kind, id: &str) -> Answer {
    let id = find(world, kind, id)?.id;
    delete(world, call, kind, id);
    if matches!(kind, Kind::ContactTag) {
        rules::touched(world, call, None);
    }
    Ok(Reply::json(200, &json!({})))
}

/// A live row by the text of its id.
pub(super) fn find<'w>(world: &'w World, kind: Kind, id: &str) -> Result<&'w Row, Refusal> {
    let row = id.parse().ok().and_then(|id| world.get(kind, id));
    row.ok_or_else(|| Refusal::not_found(kind.shape().said, id))
}
