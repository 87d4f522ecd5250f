//! One value of a body, as its column takes it (sheet: sections 2, 7 and 9).

use serde_json::{Value as Json, json};

use super::refusal::Fault;
use super::schema::{Attribute, Behavior, Entity, Kind};
use super::{guid, instant};

/// The value to store; none clears the column.
pub(super) fn read(entity: &Entity, attribute: &Attribute, value: &Json) -> Result<Option<Json>, Fault> {
    if value.is_null() {
        return Ok(None);
    }
    let wrong = || {
        let why = format!(
            "Microsoft.OData.ODataException: Cannot convert the value of '{}' to the expected target type '{}'.",
            attribute.name,
            attribute.edm()
        );
        Fault::payload(&entity.set, &why)
    };
    match attribute.kind {
        Kind::String | Kind::Memo | Kind::EntityName => {
            let text = value.as_str().ok_or_else(wrong)?;
            if text.encode_utf16().count() > attribute.max_length {
                return Err(too_long(entity, attribute));
            }
            // An empty text is no value.
            Ok((!text.is_empty()).then(|| json!(text)))
        }
        Kind::Integer | Kind::BigInt => whole(entity, attribute, value.as_i64().ok_or_else(wrong)?),
        Kind::Decimal | Kind::Money | Kind::Double => {
            decimal(entity, attribute, value.as_f64().ok_or_else(wrong)?).map(Some)
        }
        Kind::Boolean => Ok(Some(json!(value.as_bool().ok_or_else(wrong)?))),
        Kind::Picklist | Kind::State | Kind::Status => {
            let code = value.as_i64().ok_or_else(wrong)?;
            choice(entity, attribute, code)?;
            Ok(Some(json!(code)))
        }
        Kind::MultiSelect => several(entity, attribute, value.as_str().ok_or_else(wrong)?).map(Some),
        Kind::DateTime => date(attribute, value.as_str().ok_or_else(wrong)?).ok_or_else(wrong).map(Some),
        Kind::Guid => Ok(Some(json!(value.as_str().and_then(guid::parse).ok_or_else(wrong)?))),
        Kind::Lookup | Kind::Customer | Kind::Owner => Err(wrong()),
    }
}

fn too_long(entity: &Entity, attribute: &Attribute) -> Fault {
    let message = format!(
        "A validation error occurred. The length of the '{}' attribute of the '{}' entity exceeded the maximum allowed \
         length of '{}'.",
        attribute.name, entity.name, attribute.max_length
    );
    Fault::new(400, "0x80044331", message)
}

fn out_of_range(entity: &Entity, attribute: &Attribute, code: &str) -> Fault {
    let message = format!(
        "A validation error occurred. The value of '{}' on record of type '{}' is outside the valid range.",
        attribute.name, entity.name
    );
    Fault::new(400, code, message)
}

#[expect(clippy::cast_precision_loss, reason = "bounds of whole numbers are far below what a double holds")]
fn whole(entity: &Entity, attribute: &Attribute, value: i64) -> Result<Option<Json>, Fault> {
    let within = attribute.kind == Kind::BigInt || (attribute.min..=attribute.max).contains(&(value as f64));
    if within { Ok(Some(json!(value))) } else { Err(out_of_range(entity, attribute, "0x8004432f")) }
}

/// A number within its bounds, rounded to its digits.
fn decimal(entity: &Entity, attribute: &Attribute, value: f64) -> Result<Json, Fault> {
    if !(attribute.min..=attribute.max).contains(&value) {
        return Err(out_of_range(entity, attribute, "0x80044330"));
    }
    Ok(json!(rounded(value, attribute.precision)))
}

/// Half away from zero, to so many digits behind the point.
pub(super) fn rounded(value: f64, digits: u8) -> f64 {
    let shift = 10_f64.powi(i32::from(digits));
    let shifted = value * shift;
    // Beyond that a double has no digits behind the point to round.
    if shifted.abs() > 9.0e15 { value } else { (shifted + shifted.signum() * 1.0e-6).round() / shift }
}

fn choice(entity: &Entity, attribute: &Attribute, code: i64) -> Result<(), Fault> {
    if attribute.choice(code).is_some() {
        return Ok(());
    }
    let accepted: Vec<String> = attribute.choices.iter().map(|choice| choice.value.to_string()).collect();
    let message = format!(
        "A validation error occurred. The value {code} of '{}' on record of type '{}' is outside the valid range. \
         Accepted Values: {}",
        attribute.name,
        entity.name,
        accepted.join(",")
    );
    Err(Fault::new(400, "0x8004431a", message))
}

/// `1,2,3`, each once, in order.
fn several(entity: &Entity, attribute: &Attribute, text: &str) -> Result<Json, Fault> {
    let mut codes = Vec::new();
    for part in text.split(',') {
        let Ok(code) = part.trim().parse::<i64>() else {
            return Err(Fault::argument(format!("The value of '{}' is not a list of choices.", attribute.name)));
        };
        choice(entity, attribute, code)?;
        codes.push(code);
    }
    codes.sort_unstable();
    codes.dedup();
    let codes: Vec<String> = codes.iter().map(i64::to_string).collect();
    Ok(json!(codes.join(",")))
}

fn date(attribute: &Attribute, text: &str) -> Option<Json> {
    match attribute.behavior {
        Behavior::DateOnly => instant::read_day(text).map(Json::String),
        Behavior::UserLocal => instant::read(text).map(|at| json!(instant::stamp(at))),
        // The digits stay; what zone they are said to be in does not count.
        Behavior::TimeZoneIndependent => {
            let digits = text.get(..19)?;
            instant::read(&format!("{digits}Z")).map(|at| json!(instant::stamp(at)))
        }
    }
}
