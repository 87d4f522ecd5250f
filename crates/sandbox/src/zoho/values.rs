//! Values as the API takes them (sheet: section 5, formats), and what is kept of them.

use serde_json::{Value as Json, json};

use super::draft::{self, Writer};
use super::instant;
use super::refusal::Refusal;
use super::schema::{Field, Kind};
use super::settings::UnknownPick;
use super::world::{Id, Row, World};

/// What a field takes of a value: none clears it. `row` is the record as far as it is known.
pub(super) fn take(
    world: &World,
    by: &Writer,
    row: &Row,
    field: &Field,
    given: &Json,
    path: &str,
) -> Result<Option<Json>, Refusal> {
    if given.is_null() {
        return Ok(None);
    }
    match field.data_type {
        Kind::Text | Kind::Textarea | Kind::Email | Kind::Phone | Kind::Website => text(field, given, path),
        Kind::Picklist => match given.as_str() {
            Some("" | "-None-") => Ok(None),
            Some(text) => pick(world, field, text, path).map(Some),
            None if field.api_name == "Pipeline" => pipeline(field, given, path),
            None => Err(Refusal::invalid(&field.api_name, path, "text")),
        },
        Kind::Multipick => {
            let wrong = || Refusal::invalid(&field.api_name, path, "jsonarray");
            let list = given.as_array().ok_or_else(wrong)?;
            let picked = list.iter().map(|one| pick(world, field, one.as_str().ok_or_else(wrong)?, path));
            let picked = picked.collect::<Result<Vec<_>, Refusal>>()?;
            Ok((!picked.is_empty()).then_some(Json::Array(picked)))
        }
        Kind::Date => match given.as_str().and_then(instant::read_day) {
            Some(day) => Ok(Some(json!(day))),
            None => Err(Refusal::invalid(&field.api_name, path, "date")),
        },
        Kind::Datetime => match given.as_str().and_then(instant::read_strict) {
            Some(at) => Ok(Some(json!(instant::kept(at)))),
            None => Err(Refusal::invalid(&field.api_name, path, "datetime")),
        },
        Kind::Boolean => match given {
            Json::Bool(_) => Ok(Some(given.clone())),
            _ => Err(Refusal::invalid(&field.api_name, path, "boolean")),
        },
        Kind::Integer | Kind::Bigint => whole(field, given, path),
        Kind::Currency | Kind::Double | Kind::Percent => number(field, given, path),
        Kind::Lookup => lookup(world, by, row, field, given, path),
        Kind::Ownerlookup | Kind::Userlookup => user(world, field, given, path),
        Kind::Layout => layout(given, path),
        Kind::Multiselectlookup | Kind::Subform | Kind::Fileupload | Kind::Participants | Kind::Tag => {
            draft::list(world, by, row, field, given, path)
        }
        Kind::Autonumber | Kind::Formula => Ok(None),
    }
}

fn text(field: &Field, given: &Json, path: &str) -> Result<Option<Json>, Refusal> {
    let name = &field.api_name;
    let expected = match field.data_type {
        Kind::Text | Kind::Textarea => "text".to_owned(),
        kind => kind.word(),
    };
    let text = given.as_str().ok_or_else(|| Refusal::invalid(name, path, &expected))?;
    // Characters outside the basic plane count twice (sheet: trap 18).
    if text.encode_utf16().count() > field.length {
        return Err(Refusal::too_long(name, path, field.length));
    }
    let text = text.trim();
    let fits = match field.data_type {
        _ if text.is_empty() => true,
        Kind::Email => is_email(text),
        Kind::Phone => is_phone(text),
        Kind::Website => !text.contains(char::is_whitespace) && text.contains('.'),
        _ => true,
    };
    match fits {
        true => Ok((!text.is_empty()).then(|| json!(text))),
        false => Err(Refusal::invalid(name, path, &expected)),
    }
}

fn is_email(text: &str) -> bool {
    let allowed = |letter: char| letter.is_alphanumeric() || "._-+%'!#$&*/=?^`{|}~".contains(letter);
    let Some((local, domain)) = text.split_once('@') else { return false };
    let parts: Vec<&str> = domain.split('.').collect();
    let is_label = |part: &&str| !part.is_empty() && part.chars().all(|l| l.is_alphanumeric() || l == '-');
    !local.is_empty()
        && local.len() <= 64
        && local.chars().all(allowed)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && parts.len() >= 2
        && parts.iter().all(is_label)
        && parts.last().is_some_and(|last| last.chars().count() >= 2)
}

/// The vendor's pattern in words: perhaps a plus, then runs of letters and digits that are parted by one dot or
/// hyphen and at most one blank behind it, runs in brackets, and at the end an extension behind commas.
fn is_phone(text: &str) -> bool {
    let mut open = false;
    let mut last = ' ';
    let mut run = false;
    for (at, letter) in text.chars().enumerate() {
        let fits = match letter {
            '+' => at == 0,
            '.' | '-' => run || last == ')',
            ' ' => run || matches!(last, '.' | '-' | ')'),
            '(' => !std::mem::replace(&mut open, true) && (at == 0 || last != '.'),
            ')' => std::mem::replace(&mut open, false) && run,
            ',' | ';' => run || last == ',',
            _ => letter.is_ascii_alphanumeric(),
        };
        if !fits {
            return false;
        }
        run = letter.is_ascii_alphanumeric();
        last = letter;
    }
    !open && (run || matches!(last, ')' | ';'))
}

/// A value of a picklist: its actual value.
fn pick(world: &World, field: &Field, text: &str, path: &str) -> Result<Json, Refusal> {
    if field.api_name == "Pipeline" {
        return Ok(json!(text));
    }
    if let Some(pick) = field.pick(text, world.settings.display_picks).filter(|pick| !pick.unused) {
        return Ok(json!(pick.actual));
    }
    if text.chars().count() > field.length {
        return Err(Refusal::too_long(&field.api_name, path, field.length));
    }
    match field.restricted || world.settings.unknown_picks == UnknownPick::Refused {
        // A stage that no pipeline has is no stage of the record's pipeline either.
        true if field.api_name == "Stage" => Ok(json!(text)),
        true => Err(Refusal::invalid(&field.api_name, path, "picklist")),
        false => Ok(json!(text)),
    }
}

/// A pipeline as an object: by its id or its name.
fn pipeline(field: &Field, given: &Json, path: &str) -> Result<Option<Json>, Refusal> {
    let word = given.get("id").or_else(|| given.get("name")).and_then(Json::as_str);
    word.map(|word| Some(json!(word))).ok_or_else(|| Refusal::invalid(&field.api_name, path, "picklist"))
}

fn whole(field: &Field, given: &Json, path: &str) -> Result<Option<Json>, Refusal> {
    let is_big = field.data_type == Kind::Bigint;
    let expected = if is_big { "bigint" } else { "integer" };
    let wrong = || Refusal::invalid(&field.api_name, path, expected);
    let number = match given {
        Json::String(text) if is_big && text.is_empty() => return Ok(None),
        Json::String(text) if is_big => text.parse::<i64>().map_err(|_| wrong())?,
        given => given.as_i64().ok_or_else(wrong)?,
    };
    if number.unsigned_abs().to_string().len() > field.length {
        return Err(Refusal::too_long(&field.api_name, path, field.length));
    }
    Ok(Some(if is_big { json!(number.to_string()) } else { json!(number) }))
}

fn number(field: &Field, given: &Json, path: &str) -> Result<Option<Json>, Refusal> {
    let number = given.as_f64().ok_or_else(|| Refusal::invalid(&field.api_name, path, "double"))?;
    let whole = format!("{:.0}", number.trunc().abs());
    if whole.len() > field.length {
        return Err(Refusal::too_long(&field.api_name, path, field.length));
    }
    // More decimals than the field has are rounded away.
    let rounded: f64 = format!("{number:.*}", field.decimals).parse().unwrap_or(number);
    Ok(Some(plain(rounded)))
}

/// A number without a needless point.
pub(super) fn plain(number: f64) -> Json {
    // Whole numbers up to 2^53 are exact.
    if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
        #[expect(clippy::cast_possible_truncation, reason = "it was just found to be whole and small")]
        return json!(number as i64);
    }
    json!(number)
}

/// The id in `{"id": ".."}`.
pub(super) fn id_of(given: &Json) -> Option<Id> {
    match given.get("id")? {
        Json::String(text) => text.parse().ok(),
        Json::Number(number) => number.as_u64(),
        _ => None,
    }
}

fn lookup(
    world: &World,
    by: &Writer,
    row: &Row,
    field: &Field,
    given: &Json,
    path: &str,
) -> Result<Option<Json>, Refusal> {
    if !given.is_object() {
        return Err(Refusal::invalid(&field.api_name, path, "jsonobject"));
    }
    let module = match field.module.as_deref() {
        Some("se_module") => row.text("$se_module"),
        Some(module) => module,
        None => "",
    };
    let id = match id_of(given) {
        Some(id) => Some(id),
        None => by.external(world, module, field, given),
    };
    let id = id.ok_or_else(|| Refusal::bad_related(&field.api_name, path))?;
    if world.get(module, id).is_none() {
        return Err(Refusal::bad_related(&field.api_name, path));
    }
    // A record cannot be its own parent.
    if id == row.id && row.id != 0 {
        return Err(Refusal::bad_related(&field.api_name, path));
    }
    Ok(Some(json!(id.to_string())))
}

fn user(world: &World, field: &Field, given: &Json, path: &str) -> Result<Option<Json>, Refusal> {
    if !given.is_object() {
        return Err(Refusal::invalid(&field.api_name, path, "jsonobject"));
    }
    // Inactive users cannot own records (sheet: trap 15).
    let fits = |id: &Id| match field.data_type {
        Kind::Ownerlookup => world.is_active_user(*id),
        _ => world.users.contains_key(id),
    };
    match id_of(given).filter(fits) {
        Some(id) => Ok(Some(json!(id.to_string()))),
        None => Err(Refusal::bad_related(&field.api_name, path)),
    }
}

fn layout(given: &Json, path: &str) -> Result<Option<Json>, Refusal> {
    match id_of(given) {
        Some(id) => Ok(Some(json!(id.to_string()))),
        None => Err(Refusal::invalid("Layout", path, "jsonobject")),
    }
}
