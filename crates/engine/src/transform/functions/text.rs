//! Text: case, blanks, parts.

use handover_model::Value;

use super::super::registry::{Back, Function, Type};
use super::{USUAL, count_at, optional, required, text_at, text_or, value};

const TEXT: super::Parameter = value(Type::Text, "The text.");

pub(super) static ALL: &[Function] = &[
    Function {
        name: "trim",
        doc: "Takes blanks away from both ends.",
        parameters: &[TEXT],
        example: r#"trim("  Ada ")"#,
        result: "Ada",
        run: |arguments| Ok(text_at(arguments, 0).trim().into()),
        back: Back::Same,
        ..USUAL
    },
    Function {
        name: "lower",
        doc: "Writes in lower case.",
        parameters: &[TEXT],
        example: r#"lower("ADA")"#,
        result: "ada",
        run: |arguments| Ok(text_at(arguments, 0).to_lowercase().into()),
        back: Back::Same,
        ..USUAL
    },
    Function {
        name: "upper",
        doc: "Writes in upper case.",
        parameters: &[TEXT],
        example: r#"upper("Ada")"#,
        result: "ADA",
        run: |arguments| Ok(text_at(arguments, 0).to_uppercase().into()),
        back: Back::Same,
        ..USUAL
    },
    Function {
        name: "title",
        doc: "Writes each word with a capital and the rest in lower case; after a hyphen or apostrophe too.",
        parameters: &[TEXT],
        example: r#"title("ADA LOVELACE-KING")"#,
        result: "Ada Lovelace-King",
        run: |arguments| Ok(title(&text_at(arguments, 0)).into()),
        back: Back::Same,
        ..USUAL
    },
    Function {
        name: "replace",
        doc: "Replaces each occurrence of a plain text by another.",
        parameters: &[
            TEXT,
            required("pattern", Type::Text, "The text to look for, letter by letter."),
            optional("with", Type::Text, "What stands in its place; nothing when it is not given."),
        ],
        example: r#"replace("a-b-c", "-", " ")"#,
        result: "a b c",
        run: |arguments| {
            let pattern = text_at(arguments, 1);
            if pattern.is_empty() {
                return Ok(text_at(arguments, 0).into());
            }
            Ok(text_at(arguments, 0).replace(&pattern, &text_at(arguments, 2)).into())
        },
        ..USUAL
    },
    Function {
        name: "truncate",
        doc: "Cuts to at most so many characters. Without it a text that is too long is held, never cut.",
        parameters: &[TEXT, required("max", Type::Number, "The number of characters that stay.")],
        example: r#"truncate("Lovelace", 4)"#,
        result: "Love",
        run: |arguments| {
            let max = count_at(arguments, 1).unwrap_or(usize::MAX);
            Ok(text_at(arguments, 0).chars().take(max).collect::<String>().into())
        },
        ..USUAL
    },
    Function {
        name: "prefix",
        doc: "Puts a text in front, unless the value is blank.",
        parameters: &[TEXT, required("text", Type::Text, "The text in front.")],
        example: r#"prefix("4711", "PD-")"#,
        result: "PD-4711",
        run: |arguments| Ok((text_at(arguments, 1) + &text_at(arguments, 0)).into()),
        back: Back::Step("without_prefix"),
        ..USUAL
    },
    Function {
        name: "suffix",
        doc: "Puts a text behind, unless the value is blank.",
        parameters: &[TEXT, required("text", Type::Text, "The text behind.")],
        example: r#"suffix("Acme", " GmbH")"#,
        result: "Acme GmbH",
        run: |arguments| Ok((text_at(arguments, 0) + &text_at(arguments, 1)).into()),
        back: Back::Step("without_suffix"),
        ..USUAL
    },
    Function {
        name: "without_prefix",
        doc: "Takes a text away from the front, where it stands there.",
        parameters: &[TEXT, required("text", Type::Text, "The text in front.")],
        blank: true,
        example: r#"without_prefix("PD-4711", "PD-")"#,
        result: "4711",
        run: |arguments| {
            let (text, front) = (text_at(arguments, 0), text_at(arguments, 1));
            Ok(text.strip_prefix(front.as_str()).unwrap_or(&text).into())
        },
        back: Back::Step("prefix"),
        ..USUAL
    },
    Function {
        name: "without_suffix",
        doc: "Takes a text away from the end, where it stands there.",
        parameters: &[TEXT, required("text", Type::Text, "The text behind.")],
        blank: true,
        example: r#"without_suffix("Acme GmbH", " GmbH")"#,
        result: "Acme",
        run: |arguments| {
            let (text, end) = (text_at(arguments, 0), text_at(arguments, 1));
            Ok(text.strip_suffix(end.as_str()).unwrap_or(&text).into())
        },
        back: Back::Step("suffix"),
        ..USUAL
    },
    Function {
        name: "split",
        doc: "Cuts a text into a list at each separator; blanks around the parts and empty parts go.",
        parameters: &[
            TEXT,
            optional("separator", Type::Text, "What stands between the parts; `,` when it is not given."),
        ],
        gives: Type::List,
        each: false,
        example: r#"split("red; blue", ";")"#,
        result: "red, blue",
        run: |arguments| {
            let separator = text_or(arguments, 1, ",");
            let text = text_at(arguments, 0);
            if separator.is_empty() {
                return Ok(Value::List(vec![text.into()]));
            }
            let parts = text.split(separator.as_str()).map(str::trim).filter(|part| !part.is_empty());
            Ok(Value::List(parts.map(Value::from).collect()))
        },
        ..USUAL
    },
    Function {
        name: "string",
        doc: "Writes a number, a yes/no value, a date or a list as text.",
        parameters: &[value(Type::Any, "The value.")],
        each: false,
        example: r#""No. " + string(12)"#,
        result: "No. 12",
        run: |arguments| Ok(text_at(arguments, 0).into()),
        back: Back::Same,
        ..USUAL
    },
    Function {
        name: "contains",
        doc: "Whether a text contains another, without regard to case.",
        parameters: &[TEXT, required("text", Type::Text, "The text to look for.")],
        gives: Type::Bool,
        place: super::Place::Expressions,
        sees_blank: true,
        example: r#"contains("Acme GmbH", "gmbh")"#,
        result: "true",
        run: |arguments| {
            Ok(text_at(arguments, 0).to_lowercase().contains(&text_at(arguments, 1).to_lowercase()).into())
        },
        ..USUAL
    },
    Function {
        name: "starts_with",
        doc: "Whether a text begins with another, without regard to case.",
        parameters: &[TEXT, required("text", Type::Text, "The beginning.")],
        gives: Type::Bool,
        place: super::Place::Expressions,
        sees_blank: true,
        example: r#"starts_with("TEST Ada", "test")"#,
        result: "true",
        run: |arguments| {
            Ok(text_at(arguments, 0).to_lowercase().starts_with(&text_at(arguments, 1).to_lowercase()).into())
        },
        ..USUAL
    },
    Function {
        name: "ends_with",
        doc: "Whether a text ends with another, without regard to case.",
        parameters: &[TEXT, required("text", Type::Text, "The end.")],
        gives: Type::Bool,
        place: super::Place::Expressions,
        sees_blank: true,
        example: r#"ends_with("ada@test.example", "@TEST.example")"#,
        result: "true",
        run: |arguments| {
            Ok(text_at(arguments, 0).to_lowercase().ends_with(&text_at(arguments, 1).to_lowercase()).into())
        },
        ..USUAL
    },
    Function {
        name: "is_blank",
        doc: "Whether a value is empty, or only blanks.",
        parameters: &[value(Type::Any, "The value.")],
        gives: Type::Bool,
        place: super::Place::Expressions,
        sees_blank: true,
        example: r#"is_blank("  ")"#,
        result: "true",
        run: |arguments| Ok(arguments.first().is_none_or(Value::is_blank).into()),
        ..USUAL
    },
    Function {
        name: "length",
        doc: "The number of characters of a text, or of entries of a list.",
        parameters: &[value(Type::Any, "The text or list.")],
        gives: Type::Number,
        place: super::Place::Expressions,
        sees_blank: true,
        example: r#"length("Zoë")"#,
        result: "3",
        run: |arguments| {
            let length = match arguments.first() {
                Some(Value::List(items)) => items.len(),
                Some(value) => value.display().chars().count(),
                None => 0,
            };
            Ok(Value::Number(length.into()))
        },
        ..USUAL
    },
];

fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut starts = true;
    for letter in text.chars() {
        if letter.is_alphanumeric() {
            if starts {
                out.extend(letter.to_uppercase());
            } else {
                out.extend(letter.to_lowercase());
            }
            starts = false;
        } else {
            out.push(letter);
            starts = true;
        }
    }
    out
}
