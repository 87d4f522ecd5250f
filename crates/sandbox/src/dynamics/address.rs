//! Paths and references: `accounts(guid)/primarycontactid`, `/contacts(emailaddress1='a@b.c')`, `$1`.

use std::collections::BTreeMap;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use serde_json::{Value as Json, json};

use super::instant::Seconds;
use super::refusal::Fault;
use super::schema::{Entity, Kind};
use super::world::{World, reference};
use super::{guid, values};

/// One segment of a path: a name, and what stands in parentheses behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) name: String,
    pub(super) key: Option<String>,
}

/// The segments of a path; none when parentheses or quotes do not close.
pub(super) fn segments(path: &str) -> Option<Vec<Segment>> {
    let path = percent_decode_str(path).decode_utf8_lossy().into_owned();
    let parts = split(&path, '/')?;
    parts.iter().filter(|part| !part.is_empty()).map(|part| segment(part)).collect()
}

fn segment(part: &str) -> Option<Segment> {
    match part.split_once('(') {
        None => Some(Segment { name: part.to_owned(), key: None }),
        Some((name, rest)) => Some(Segment { name: name.to_owned(), key: Some(rest.strip_suffix(')')?.to_owned()) }),
    }
}

/// Splits where a sign stands outside of quotes and parentheses.
pub(super) fn split(text: &str, sign: char) -> Option<Vec<String>> {
    let mut parts = vec![String::new()];
    let (mut quoted, mut depth) = (false, 0_u32);
    for letter in text.chars() {
        match letter {
            '\'' => quoted = !quoted,
            '(' | '[' if !quoted => depth += 1,
            ')' | ']' if !quoted => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if letter == sign && !quoted && depth == 0 {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(letter);
        }
    }
    (!quoted && depth == 0).then_some(parts)
}

/// What names a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum RowKey {
    Id(String),
    /// Columns of an alternate key with their values as they are stored.
    Values(Vec<(String, Json)>),
}

/// Reads what stands in the parentheses behind a set.
pub(super) fn key(world: &World, entity: &Entity, text: &str, at: Seconds) -> Result<RowKey, Fault> {
    if let Some(id) = guid::parse(text) {
        return Ok(RowKey::Id(id));
    }
    let bad = || Fault::odata("Bad Request - Error in query syntax.");
    let mut found: Vec<(String, Json)> = Vec::new();
    for part in split(text, ',').ok_or_else(bad)? {
        let (name, value) = part.split_once('=').ok_or_else(bad)?;
        let name = name.trim();
        if name == entity.primary_id {
            return guid::parse(value.trim()).map(RowKey::Id).ok_or_else(bad);
        }
        let attribute = entity.property(name).ok_or_else(|| no_key(entity))?;
        found.push((attribute.name.clone(), literal(world, entity, name, value.trim())?));
    }
    let mut names: Vec<&String> = found.iter().map(|(name, _)| name).collect();
    names.sort();
    let fits = entity.keys.iter().filter(|key| key.status(at) == "Active").any(|key| {
        let mut columns: Vec<&String> = key.columns.iter().collect();
        columns.sort();
        columns == names
    });
    if fits { Ok(RowKey::Values(found)) } else { Err(no_key(entity)) }
}

fn no_key(entity: &Entity) -> Fault {
    Fault::bad_request(format!("The specified key properties are not valid for entity '{}'.", entity.name))
}

/// A value of an alternate key in a path.
fn literal(world: &World, entity: &Entity, property: &str, text: &str) -> Result<Json, Fault> {
    let bad = || Fault::odata("Bad Request - Error in query syntax.");
    let attribute = entity.property(property).ok_or_else(bad)?;
    if attribute.kind.is_lookup() {
        let id = guid::parse(text).ok_or_else(bad)?;
        let table = attribute.targets.iter().find(|table| world.get(table, &id).is_some());
        let table = table.or(attribute.targets.first()).ok_or_else(bad)?;
        return Ok(reference(table, &id));
    }
    let quoted = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    let value = match (attribute.kind, quoted) {
        (Kind::String | Kind::Memo | Kind::MultiSelect, Some(inner)) => {
            // These cannot stand in a path (sheet: section 3 [doc]).
            if inner.contains(['/', '<', '>', '*', '%', '&', ':', '\\', '?', '+']) {
                return Err(bad());
            }
            json!(inner.replace("''", "'"))
        }
        (Kind::DateTime, None) => json!(text),
        (kind, None) if !kind.is_text() => serde_json::from_str(text).map_err(|_| bad())?,
        _ => return Err(bad()),
    };
    values::read(entity, attribute, &value).map(|value| value.unwrap_or(Json::Null))
}

/// The id of the row that a key names, if there is one.
pub(super) fn find(world: &World, entity: &Entity, key: &RowKey) -> Option<String> {
    match key {
        RowKey::Id(id) => world.get(&entity.name, id).map(|_| id.clone()),
        RowKey::Values(values) => {
            let (first, value) = values.first()?;
            let mut ids = world.by_value(&entity.name, first, value);
            for (name, value) in values.iter().skip(1) {
                let others = world.by_value(&entity.name, name, value);
                ids.retain(|id| others.contains(id));
            }
            ids.into_iter().next()
        }
    }
}

/// The same, or the refusal.
pub(super) fn existing(world: &World, entity: &Entity, key: &RowKey) -> Result<String, Fault> {
    find(world, entity, key).ok_or_else(|| match key {
        RowKey::Id(id) => Fault::no_row(&entity.name, id),
        RowKey::Values(_) => Fault::new(
            404,
            "0x80060891",
            "A record with the specified key values does not exist in {} entity".replace("{}", &entity.name),
        ),
    })
}

/// Names of rows that earlier requests of a change set made.
pub(super) type References = BTreeMap<String, String>;

/// What `/contacts(guid)`, an address, or `$1` refers to.
pub(super) fn refer(
    world: &World,
    references: &References,
    text: &str,
    at: Seconds,
) -> Result<(Arc<Entity>, RowKey), Fault> {
    let bad = || Fault::odata("Bad Request - Error in query syntax.");
    let text = match text.strip_prefix('$') {
        Some(id) => references.get(id).ok_or_else(bad)?.as_str(),
        None => text,
    };
    let rest = match text.split_once("/api/data/v9.") {
        Some((_, rest)) => rest.split_once('/').ok_or_else(bad)?.1,
        None => text.trim_start_matches('/'),
    };
    let mut list = segments(rest).ok_or_else(bad)?;
    let (Some(segment), true) = (list.pop(), list.is_empty()) else { return Err(bad()) };
    let entity = world.schema.set(&segment.name).cloned().ok_or_else(|| Fault::no_segment(&segment.name))?;
    let key = key(world, &entity, segment.key.as_deref().ok_or_else(bad)?, at)?;
    Ok((entity, key))
}
