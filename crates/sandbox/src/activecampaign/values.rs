//! Custom values: how each type stands, for contacts and for deals and accounts (sheet: section 5, encodings).

use serde_json::{Map, Value as Json, json};

use super::call::Call;
use super::kind::Kind;
use super::refusal::Refusal;
use super::time;
use super::world::{Cell, Row, World};

/// Takes the values of a body into a row. Gives whether some were left out because they are bad, as the settings
/// may want it.
pub(super) fn take(
    world: &mut World,
    call: &Call<'_>,
    kind: Kind,
    row: &mut Row,
    list: &Json,
) -> Result<bool, Refusal> {
    let root = if kind == Kind::Contact { "fieldValues" } else { "fields" };
    let list = list.as_array().ok_or_else(|| Refusal::wrong(root, "a list is expected"))?;
    let mut left_out = false;
    for item in list {
        let item = item.as_object().ok_or_else(|| Refusal::wrong(root, "a list of objects is expected"))?;
        match one(world, call, kind, row, item) {
            Ok(()) => {}
            Err(_) if world.settings.saves_without_bad_values && kind != Kind::Contact => left_out = true,
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(left_out)
}

/// Takes one value.
pub(super) fn one(
    world: &mut World,
    call: &Call<'_>,
    kind: Kind,
    row: &mut Row,
    item: &Map<String, Json>,
) -> Result<(), Refusal> {
    let names = if kind == Kind::Contact { ("field", "value") } else { ("customFieldId", "fieldValue") };
    let field = item.get(names.0).and_then(whole).ok_or_else(|| Refusal::missing("value", names.0))?;
    let described = kind.fields().and_then(|fields| world.get(fields, field)).cloned();
    let described = described.ok_or_else(|| Refusal::related(names.0))?;
    let given = item.get(names.1).unwrap_or(&Json::Null);
    let currency = item.get("fieldCurrency").and_then(Json::as_str);
    let value = if kind == Kind::Contact {
        let key = format!("fieldValues/{field}");
        of_contact(world, call, &described, given).map_err(|why| Refusal::wrong(&key, why))?
    } else {
        let shown = given.as_str().map_or_else(|| given.to_string(), str::to_owned);
        of_record(world, call, &described, given).map_err(|_| Refusal::value(&shown, described.text("fieldType")))?
    };
    let is_money = described.text("fieldType") == "currency";
    if is_money && value.is_some() && currency.is_none() {
        return Err(Refusal::missing("value", "fieldCurrency"));
    }
    let Some(value) = value else {
        row.cells.remove(&field);
        return Ok(());
    };
    let currency = currency.filter(|_| is_money).map(str::to_owned);
    match row.cells.get_mut(&field) {
        Some(cell) if cell.value == value && cell.currency == currency => {}
        Some(cell) => {
            (cell.value, cell.currency, cell.updated) = (value, currency, call.at);
        }
        None => {
            let id = world.next_cell(kind);
            row.cells.insert(field, Cell { id, value, currency, created: call.at, updated: call.at });
        }
    }
    Ok(())
}

/// A whole number, or the text of one.
pub(super) fn whole(json: &Json) -> Option<u64> {
    match json {
        Json::Number(number) => number.as_u64(),
        Json::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && digits.bytes().filter(|byte| *byte == b'.').count() <= 1
        && digits.bytes().any(|byte| byte.is_ascii_digit())
}

fn instant(world: &World, call: &Call<'_>, text: &str) -> Option<Json> {
    let at = time::read(text, &call.zone)?;
    let utc = jiff::tz::TimeZone::UTC;
    Some(json!(if world.settings.plain_instants { time::wall(at, &utc) } else { time::told(at, &call.zone) }))
}

/// A contact's value is text; several options stand as `||a||b||`. The empty text is none.
fn of_contact(world: &World, call: &Call<'_>, field: &Row, given: &Json) -> Result<Option<Json>, &'static str> {
    let text = match given {
        Json::Null => return Ok(None),
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        Json::Bool(_) | Json::Array(_) | Json::Object(_) => return Err("a text is expected"),
    };
    if text.is_empty() {
        return Ok(None);
    }
    let is_option = |text: &str| {
        world.settings.any_option
            || world.pointing(Kind::FieldOption, "field", field.id).any(|option| option.text("value") == text)
    };
    match field.text("type") {
        "dropdown" | "radio" if !is_option(&text) => Err("it is no option"),
        "multiselect" | "listbox" | "checkbox" => {
            let inner = text.strip_prefix("||").and_then(|text| text.strip_suffix("||"));
            let inner = inner.ok_or("several options stand as ||a||b||")?;
            if inner.split("||").all(is_option) { Ok(Some(json!(text))) } else { Err("it is no option") }
        }
        "date" => time::day(&text).map(|_| Some(json!(text))).ok_or("a date is expected"),
        "datetime" => instant(world, call, &text).map(Some).ok_or("a date and time is expected"),
        "number" if !is_decimal(&text) => Err("a number is expected"),
        "text" | "hidden" if text.chars().count() > world.settings.text_max => Err("it is too long"),
        _ => Ok(Some(json!(text))),
    }
}

/// A value of a deal or an account: several options stand as an array, money as whole cents.
fn of_record(world: &World, call: &Call<'_>, field: &Row, given: &Json) -> Result<Option<Json>, ()> {
    if given.is_null() || given.as_str() == Some("") || given.as_array().is_some_and(Vec::is_empty) {
        return Ok(None);
    }
    let options = field.get("fieldOptions").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let is_option = |one: &Json| one.is_string() && options.contains(one);
    let text = given.as_str();
    let fits = match field.text("fieldType") {
        "dropdown" | "radio" => is_option(given),
        "multiselect" | "checkbox" => given.as_array().is_some_and(|all| all.iter().all(is_option)),
        "date" => text.is_some_and(|text| time::day(text).is_some()),
        "datetime" => return text.and_then(|text| instant(world, call, text)).map(Some).ok_or(()),
        "currency" => given.as_i64().is_some() || text.is_some_and(|text| text.parse::<i64>().is_ok()),
        "number" => given.is_number() || text.is_some_and(is_decimal),
        "textarea" => text.is_some(),
        _ => text.is_some_and(|text| text.chars().count() <= world.settings.text_max),
    };
    let as_number = matches!(field.text("fieldType"), "currency" | "number").then_some(text).flatten();
    let number = as_number.and_then(|text| serde_json::from_str::<serde_json::Number>(text).ok()).map(Json::Number);
    if fits { Ok(Some(number.unwrap_or_else(|| given.clone()))) } else { Err(()) }
}
