//! Phone numbers, as Google's library reads them.

use std::str::FromStr;

use handover_model::Value;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, Region};

use super::super::registry::{Back, Failure, Function, Type};
use super::{USUAL, optional, text_at, value, word};

pub(super) static ALL: &[Function] = &[Function {
    name: "phone",
    doc: "Writes a phone number in one form. What is no phone number stays as it is, unless `otherwise` says to hold \
          the record or to leave the field blank.",
    parameters: &[
        value(Type::Text, "The number."),
        optional("region", Type::Text, "The region of numbers without a country code, ISO 3166: `DE`."),
        word("format", &["e164", "international", "national"], "The form; `e164` when it is not given."),
        word("otherwise", &["keep", "hold", "blank"], "What happens to text that is no phone number."),
    ],
    blank: true,
    fallible: true,
    example: r#"phone!("030 123456", "DE", "international")"#,
    result: "+49 30 123456",
    run: phone,
    back: Back::Same,
    ..USUAL
}];

fn phone(arguments: &[Value]) -> Result<Value, Failure> {
    let text = text_at(arguments, 0);
    let region = text_at(arguments, 1);
    let form = match text_at(arguments, 2).as_str() {
        "international" => PhoneForm::International,
        "national" => PhoneForm::National,
        _ => PhoneForm::E164,
    };
    match (phone_form(&text, region_of(&region), form), text_at(arguments, 3).as_str()) {
        (Some(number), _) => Ok(number.into()),
        (None, "hold") => Err("not a phone number, or a region is needed to read it"),
        (None, "blank") => Ok(Value::Null),
        (None, _) => Ok(text.into()),
    }
}

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PhoneForm {
    /// `+4930123456;ext=5` without the extension: a key.
    Key,
    /// `+4930123456`, with ` ext. 5` behind it where there is one.
    E164,
    /// `+49 30 123456`.
    International,
    /// `030 123456`.
    National,
}

/// A region by its ISO code.
pub(crate) fn region_of(code: &str) -> Option<Region> {
    let code = code.trim().to_uppercase();
    (code.len() == 2).then(|| Region::from_str(&code).ok()).flatten()
}

/// A number in one form, or `None` for what is no possible number.
pub(crate) fn phone_form(text: &str, region: Option<Region>, form: PhoneForm) -> Option<String> {
    let number = PHONE_NUMBER_UTIL.parse(text.trim(), region).ok()?;
    number.is_possible_with_reason().ok()?;
    let plain = number.format_as(PhoneNumberFormat::E164);
    Some(match form {
        PhoneForm::Key => plain.into_owned(),
        // E.164 has no extensions; one that is there would vanish in silence.
        PhoneForm::E164 => match number.extension.as_deref().filter(|extension| !extension.is_empty()) {
            Some(extension) => format!("{plain} ext. {extension}"),
            None => plain.into_owned(),
        },
        PhoneForm::International => number.format_as(PhoneNumberFormat::International).into_owned(),
        PhoneForm::National => number.format_as(PhoneNumberFormat::National).into_owned(),
    })
}
