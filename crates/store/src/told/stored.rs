//! Reading what was told.

use handover_model::{FieldName, Fields, Value};
use serde_json::Value as Json;

use super::{FIELDS, JSON, REPEATING, TEXT};
use crate::codec::{DEPTH, Reader, Unreadable};

/// What an item tells, as it lies in a row.
#[derive(Clone, Copy)]
pub(crate) struct Stored<'b> {
    pub(crate) is_json: bool,
    pub(crate) bytes: &'b [u8],
}

impl<'b> Stored<'b> {
    pub(crate) fn of(form: u8, bytes: &'b [u8]) -> Result<Self, Unreadable> {
        match form {
            1 => Ok(Self { is_json: true, bytes }),
            2 => Ok(Self { is_json: false, bytes }),
            _ => Err(Unreadable("no such kind of item")),
        }
    }

    /// The number that says which it is.
    pub(crate) fn form(&self) -> u8 {
        if self.is_json { 1 } else { 2 }
    }

    /// The same as JSON, with the row's names.
    pub(crate) fn json(&self, names: &[&str]) -> Result<Json, Unreadable> {
        if self.is_json {
            return serde_json::from_slice(self.bytes).map_err(|_| Unreadable("values are no JSON"));
        }
        let mut told = serde_json::Map::new();
        for (name, part) in parts(names, self.bytes)? {
            let part = match part {
                Part::Json(text) => serde_json::from_str(text).map_err(|_| Unreadable("values are no JSON"))?,
                Part::Text(text) => Json::from(text),
                Part::Fields(fields) => {
                    Json::Object(fields.iter().map(|(name, value)| ((*name).to_owned(), plain(value))).collect())
                }
            };
            told.insert(name.to_owned(), part);
        }
        Ok(Json::Object(told))
    }

    /// The fields that stand under a name.
    pub(crate) fn fields(&self, names: &[&str], wanted: &str) -> Result<Fields, Unreadable> {
        if self.is_json {
            return Err(Unreadable("values in JSON have lost their kinds"));
        }
        let found = parts(names, self.bytes)?.into_iter().find_map(|part| match part {
            (name, Part::Fields(fields)) if name == wanted => Some(fields),
            _ => None,
        });
        Ok(found.into_iter().flatten().map(|(name, value)| (FieldName::from(name), value)).collect())
    }
}

/// The names of a row, in the order of their numbers.
pub(crate) fn names(bytes: &[u8]) -> Result<Vec<&str>, Unreadable> {
    let mut reader = Reader(bytes);
    let mut names = Vec::new();
    while !reader.is_empty() {
        names.push(reader.text()?);
    }
    Ok(names)
}

enum Part<'b> {
    Json(&'b str),
    Text(&'b str),
    Fields(Vec<(&'b str, Value)>),
}

fn parts<'b>(names: &[&'b str], bytes: &'b [u8]) -> Result<Vec<(&'b str, Part<'b>)>, Unreadable> {
    let mut reader = Reader(bytes);
    let mut parts: Vec<(&str, Part<'_>)> = Vec::new();
    let mut first = None;
    while !reader.is_empty() {
        let name = name(names, reader.unsigned()?)?.ok_or(Unreadable("a part has no name"))?;
        let part = match reader.byte()? {
            JSON => Part::Json(reader.text()?),
            TEXT => Part::Text(reader.text()?),
            FIELDS => {
                first.get_or_insert(parts.len());
                Part::Fields(fields(&mut reader, names, None)?)
            }
            REPEATING => {
                let repeated = match first.and_then(|at| parts.get(at)) {
                    Some((_, Part::Fields(fields))) => fields.as_slice(),
                    _ => &[],
                };
                Part::Fields(fields(&mut reader, names, Some(repeated))?)
            }
            _ => return Err(Unreadable("no such kind of part")),
        };
        parts.push((name, part));
    }
    Ok(parts)
}

fn fields<'b>(
    reader: &mut Reader<'b>,
    names: &[&'b str],
    repeated: Option<&[(&'b str, Value)]>,
) -> Result<Vec<(&'b str, Value)>, Unreadable> {
    let mut fields = Vec::new();
    while let Some(name) = name(names, reader.unsigned()?)? {
        let place = if repeated.is_some() { reader.unsigned()? } else { 0 };
        let value = match place.checked_sub(1) {
            None => reader.value(DEPTH)?,
            Some(at) => {
                let there = usize::try_from(at).ok().and_then(|at| repeated?.get(at));
                there.ok_or(Unreadable("no such field"))?.1.clone()
            }
        };
        fields.push((name, value));
    }
    Ok(fields)
}

/// The name with this number; `None` for 0.
fn name<'b>(names: &[&'b str], number: u64) -> Result<Option<&'b str>, Unreadable> {
    let Some(at) = number.checked_sub(1) else { return Ok(None) };
    let name = usize::try_from(at).ok().and_then(|at| names.get(at));
    name.copied().map(Some).ok_or(Unreadable("no such name"))
}

/// A value as plain JSON: numbers and instants as the text that people read, so that no digit is lost.
fn plain(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Text(text) => Json::from(text.as_str()),
        Value::Number(_) | Value::Date(_) | Value::DateTime(_) | Value::Time(_) => Json::from(value.display()),
        Value::List(items) => Json::Array(items.iter().map(plain).collect()),
        Value::Map(parts) => Json::Object(parts.iter().map(|(name, part)| (name.clone(), plain(part))).collect()),
    }
}
