//! One value against its field: the right type, the right size, a known choice, a record that exists.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use super::refusal::Fault;
use super::schema::{Field, Kind, Object};
use super::world::{World, is_deleted};
use super::{id, instant};

/// The master record type, which stands for none (sheet: section 3).
pub(super) const MASTER_RECORD_TYPE: &str = "012000000000000AAA";

/// Brings a value sent as JSON into the form in which it is kept; null for nothing.
pub(super) fn judge(world: &World, object: &Object, field: &Field, value: &Json) -> Result<Json, Fault> {
    let value = match value {
        Json::String(text) if world.settings.scalars_as_strings => from_text(field, text),
        other => other.clone(),
    };
    if value.is_null() {
        return Ok(Json::Null);
    }
    match field.kind {
        Kind::Boolean => value.as_bool().map(Json::Bool).ok_or_else(|| wrong("boolean", &value)),
        Kind::Int => int(field, &value),
        Kind::Double | Kind::Currency | Kind::Percent => number(field, &value),
        Kind::Date => by_text(&value, "date", |text| instant::read_day(text).map(Json::String)),
        Kind::Time => by_text(&value, "time", |text| instant::read_time(text).map(Json::String)),
        Kind::Datetime => by_text(&value, "datetime", |text| instant::read(text).map(instant::stamp).map(Json::String)),
        Kind::Address => Err(wrong("address", &value)),
        Kind::Base64 => {
            by_text(&value, "base64", |text| STANDARD.decode(text).ok().map(|_| Json::String(text.to_owned())))
        }
        Kind::Id | Kind::Reference => {
            let text = value.as_str().ok_or_else(|| wrong("string", &value))?;
            if text.trim().is_empty() { Ok(Json::Null) } else { reference(world, object, field, text.trim()) }
        }
        _ => {
            let text = value.as_str().ok_or_else(|| wrong("string", &value))?;
            words(field, text.trim())
        }
    }
}

/// A cell of a CSV file as the JSON that stands for it; what does not fit stays text, and is refused as such.
pub(super) fn from_text(field: &Field, cell: &str) -> Json {
    let number = || cell.trim().parse::<f64>().ok();
    match field.kind {
        Kind::Boolean => match cell.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => Json::Bool(true),
            "false" | "0" => Json::Bool(false),
            _ => json!(cell),
        },
        Kind::Int => number().filter(|n| n.fract() == 0.0).map_or_else(|| json!(cell), |n| json!(whole(n))),
        kind if kind.is_number() => number().map_or_else(|| json!(cell), |n| json!(n)),
        _ => json!(cell),
    }
}

fn wrong(wanted: &str, value: &Json) -> Fault {
    let kind = match value {
        Json::String(_) => "VALUE_STRING",
        Json::Number(number) if number.is_f64() => "VALUE_NUMBER_FLOAT",
        Json::Number(_) => "VALUE_NUMBER_INT",
        Json::Bool(true) => "VALUE_TRUE",
        Json::Bool(false) => "VALUE_FALSE",
        Json::Array(_) => "START_ARRAY",
        Json::Object(_) => "START_OBJECT",
        Json::Null => "VALUE_NULL",
    };
    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Fault::parser(&format!(
        "Cannot deserialize instance of {wanted} from {kind} value {shown} or request may be missing a required field"
    ))
}

fn by_text(value: &Json, wanted: &str, read: impl Fn(&str) -> Option<Json>) -> Result<Json, Fault> {
    match value.as_str() {
        Some("") => Ok(Json::Null),
        Some(text) => read(text).ok_or_else(|| wrong(wanted, value)),
        None => Err(wrong(wanted, value)),
    }
}

fn whole(number: f64) -> i64 {
    // Only called with numbers that passed the range of their field, at most 18 digits.
    #[expect(clippy::cast_possible_truncation, reason = "a saturating cast of an integral number")]
    let whole = number as i64;
    whole
}

fn out_of_range(field: &Field, number: f64) -> Fault {
    let message = format!("{}: value outside of valid range on numeric field: {number}", field.label);
    Fault::row("NUMBER_OUTSIDE_VALID_RANGE", message, &[&field.name])
}

fn int(field: &Field, value: &Json) -> Result<Json, Fault> {
    let number = value.as_f64().filter(|number| number.fract() == 0.0).ok_or_else(|| wrong("int", value))?;
    let digits = if field.precision == 0 { 9 } else { field.precision };
    if number.abs() >= 10_f64.powi(i32::try_from(digits).unwrap_or(9)) {
        return Err(out_of_range(field, number));
    }
    Ok(json!(whole(number)))
}

/// Rounded half up to the field's scale (sheet: section 9).
fn number(field: &Field, value: &Json) -> Result<Json, Fault> {
    let number = value.as_f64().ok_or_else(|| wrong("double", value))?;
    let factor = 10_f64.powi(i32::try_from(field.scale).unwrap_or(0));
    let rounded = (number * factor).abs().round() / factor * number.signum();
    let before_point = field.precision.saturating_sub(field.scale);
    if field.precision > 0 && rounded.abs() >= 10_f64.powi(i32::try_from(before_point).unwrap_or(18)) {
        return Err(out_of_range(field, number));
    }
    Ok(json!(if rounded == 0.0 { 0.0 } else { rounded }))
}

fn words(field: &Field, text: &str) -> Result<Json, Fault> {
    if text.is_empty() {
        return Ok(Json::Null);
    }
    if field.length > 0 && text.chars().count() > field.length {
        let message = format!("{}: data value too large: {text} (max length={})", field.label, field.length);
        return Err(Fault::row("STRING_TOO_LONG", message, &[&field.name]));
    }
    if field.kind == Kind::Email && !is_email(text) {
        let message = format!("{}: invalid email address: {text}", field.label);
        return Err(Fault::row("INVALID_EMAIL_ADDRESS", message, &[&field.name]));
    }
    match field.kind {
        Kind::Picklist => choice(field, text).map(|()| json!(text)),
        Kind::Multipicklist => {
            let mut chosen: Vec<&str> = text.split(';').map(str::trim).filter(|one| !one.is_empty()).collect();
            for one in &chosen {
                choice(field, one)?;
            }
            // The order is the picklist's, not the sender's (sheet: section 9).
            let place = |one: &str| field.values.iter().position(|pick| pick.value == one).unwrap_or(usize::MAX);
            chosen.sort_by_key(|one| (place(one), (*one).to_owned()));
            chosen.dedup();
            Ok(json!(chosen.join(";")))
        }
        _ => Ok(json!(text)),
    }
}

fn choice(field: &Field, value: &str) -> Result<(), Fault> {
    let known = field.values.iter().any(|pick| pick.active && pick.value == value);
    if !field.restricted || known {
        return Ok(());
    }
    let message = format!("{}: bad value for restricted picklist field: {value}", field.label);
    Err(Fault::row("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, &[&field.name]))
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let clean = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || "@,;<>()[]".contains(c));
    let dots = |part: &str| !part.starts_with('.') && !part.ends_with('.') && !part.contains("..");
    clean(local) && clean(domain) && dots(local) && dots(domain) && domain.contains('.')
}

fn reference(world: &World, object: &Object, field: &Field, text: &str) -> Result<Json, Fault> {
    let wrong_type = |code: &str| {
        let message = format!("{}: id value of incorrect type: {text}", field.label);
        Fault::row(code, message, &[&field.name])
    };
    let id = id::parse(text).ok_or_else(|| wrong_type("MALFORMED_ID"))?;
    if field.name == "RecordTypeId" && id == MASTER_RECORD_TYPE {
        return Ok(Json::Null);
    }
    let target = world.schema.of_id(&id);
    if target.is_some_and(|target| !field.targets.iter().any(|one| one.object == target.name)) {
        return Err(wrong_type("FIELD_INTEGRITY_EXCEPTION"));
    }
    let unknown = || Fault::row("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &[]);
    let (target, record) = world.find(&id).ok_or_else(unknown)?;
    if is_deleted(record) {
        return Err(Fault::deleted().with_status(400));
    }
    if field.name == "RecordTypeId" {
        let fits = record.get("SobjectType").and_then(Json::as_str) == Some(&object.name);
        if !fits || record.get("IsActive") == Some(&json!(false)) {
            let message = format!("Record Type ID: this ID value isn't valid for the user: {id}");
            return Err(Fault::row("INVALID_CROSS_REFERENCE_KEY", message, &["RecordTypeId"]));
        }
    }
    if field.name == "OwnerId" && target.name == "User" && !world.settings.inactive_owners && !world.is_active_user(&id)
    {
        let message =
            format!("operation performed with inactive user [{id}] as owner of {}", object.name.to_lowercase());
        return Err(Fault::row("INACTIVE_OWNER_OR_USER", message, &["OwnerId"]));
    }
    Ok(json!(id))
}
