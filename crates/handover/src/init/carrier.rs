//! A field of the target that takes over a source field which has no counterpart there.

use std::collections::BTreeSet;

use handover_model::{Choice, Field, Kind, ObjectName, ReadCost, SystemName, Writable};

use super::lexicon::Lack;
use super::options::folded;

/// The kind of a new field, and how the value gets into it.
pub(super) struct Carrier {
    pub(super) kind: Kind,
    pub(super) way: Way,
    /// What is worth saying beside the rule.
    pub(super) remark: &'static str,
}

/// How a value gets into its new field.
pub(super) enum Way {
    /// As it is.
    Plain,
    /// With these keys in the rule.
    With(String),
    /// Yes and no as the options `Yes` and `No`.
    YesNo,
}

/// Characters of a text that is one line: platforms make short fields of it.
const LINE: u32 = 255;

/// Where a field of one's own in the target leads instead of a field in the source.
pub(super) struct Aim {
    /// What the records that it points to are in the target.
    pub(super) object: ObjectName,
    /// Whether they are moved after those that point to them.
    pub(super) later: bool,
}

/// What takes over values of `kind` on a platform whose own fields do without `lacks`; what points to records that are
/// moved points to them there, where it can.
pub(super) fn carrier(kind: &Kind, aim: Option<Aim>, lacks: &[Lack], from: &SystemName) -> Carrier {
    let line = || Kind::Text { max: Some(LINE), html: false };
    let as_it_is = |kind: Kind| Carrier { kind, way: Way::Plain, remark: "" };
    let lacks = |what: Lack| lacks.contains(&what);
    match kind {
        Kind::Text { .. } if lacks(Lack::Html) => as_it_is(Kind::Text { max: text_max(kind), html: false }),
        Kind::Bool if lacks(Lack::Bool) => Carrier {
            kind: Kind::Choice { options: [choice("Yes", "yes"), choice("No", "no")].into(), many: false },
            way: Way::YesNo,
            remark: "",
        },
        Kind::DateTime if lacks(Lack::DateTime) => as_it_is(line()),
        Kind::Time if lacks(Lack::Time) => as_it_is(line()),
        Kind::User if lacks(Lack::User) => Carrier { remark: "the user's id in the old system", ..as_it_is(line()) },
        Kind::Choice { options, .. } if options.is_empty() => as_it_is(line()),
        Kind::Choice { options, many } => Carrier {
            kind: Kind::Choice { options: renamed(options).into(), many: *many },
            way: Way::With("steps: [by_label]".to_owned()),
            remark: "",
        },
        Kind::Reference { many: false, .. } if let Some(Aim { object, later }) = aim => Carrier {
            kind: Kind::Reference { object, many: false },
            way: if later { Way::With("later: true".to_owned()) } else { Way::Plain },
            remark: "",
        },
        Kind::Reference { object, .. } => Carrier {
            kind: line(),
            way: Way::With(format!("steps: [{{prefix: {{text: \"{from}:{object}:\"}}}}]")),
            remark: "the source key of the record that it points to",
        },
        Kind::Email { many: true } | Kind::Phone { many: true } => Carrier {
            kind: Kind::Text { max: None, html: false },
            way: Way::With("steps: [{join: {separator: \"; \"}}]".to_owned()),
            remark: "",
        },
        Kind::Currency | Kind::Email { many: false } => as_it_is(line()),
        Kind::Opaque => as_it_is(Kind::Text { max: None, html: false }),
        Kind::Text { .. }
        | Kind::Bool
        | Kind::Number
        | Kind::Date
        | Kind::DateTime
        | Kind::Time
        | Kind::User
        | Kind::Phone { many: false } => as_it_is(kind.clone()),
    }
}

fn text_max(kind: &Kind) -> Option<u32> {
    match kind {
        Kind::Text { max, .. } => max.filter(|max| *max <= LINE),
        _ => None,
    }
}

/// Options under names of their own: the source's ids mean nothing in the target.
fn renamed(options: &[Choice]) -> Vec<Choice> {
    let mut taken = BTreeSet::new();
    let mut labels = BTreeSet::new();
    let mut renamed = Vec::new();
    for option in options {
        // Equal labels cannot be told apart by anybody: one option takes them all.
        if !labels.insert(folded(&option.label)) {
            continue;
        }
        let value = unique(&slug(&option.label), |value| taken.contains(value));
        taken.insert(value.clone());
        renamed.push(choice(&option.label, &value));
    }
    renamed
}

fn choice(label: &str, value: &str) -> Choice {
    Choice { value: value.to_owned(), label: label.to_owned(), within: None }
}

/// A name made of a label: lower-case letters, digits, underscores, a letter first.
pub(super) fn slug(label: &str) -> String {
    let mut name = String::new();
    for c in label.chars().flat_map(char::to_lowercase) {
        match plain(c) {
            Some(text) => name.push_str(text),
            None if c.is_ascii_alphanumeric() => name.push(c),
            None if !name.is_empty() && !name.ends_with('_') => name.push('_'),
            None => {}
        }
    }
    let name = name.trim_end_matches('_');
    let name: String = name.chars().take(80).collect();
    match name.chars().next() {
        None => "field".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("n{name}"),
        Some(_) => name,
    }
}

/// Letters that have a usual spelling without marks.
fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        'ä' | 'æ' => "ae",
        'ö' | 'ø' | 'œ' => "oe",
        'ü' => "ue",
        'ß' => "ss",
        'à' | 'á' | 'â' | 'ã' | 'å' => "a",
        'ç' | 'č' | 'ć' => "c",
        'è' | 'é' | 'ê' | 'ë' | 'ě' | 'ę' => "e",
        'ì' | 'í' | 'î' | 'ï' => "i",
        'ñ' | 'ń' => "n",
        'ò' | 'ó' | 'ô' | 'õ' => "o",
        'ù' | 'ú' | 'û' => "u",
        'š' | 'ś' => "s",
        'ž' | 'ź' | 'ż' => "z",
        'ł' => "l",
        'ý' => "y",
        _ => return None,
    })
}

/// The name, with a number behind it when it is taken.
pub(super) fn unique(name: &str, taken: impl Fn(&str) -> bool) -> String {
    if !taken(name) {
        return name.to_owned();
    }
    let mut number = 2_u32;
    loop {
        let candidate = format!("{name}_{number}");
        if !taken(&candidate) {
            return candidate;
        }
        number += 1;
    }
}

/// A field that is to be created.
pub(super) fn field(name: &str, label: &str, kind: Kind, unique: bool) -> Field {
    Field {
        name: name.into(),
        label: label.to_owned(),
        kind,
        required: false,
        writable: Writable::Always,
        unique,
        custom: true,
        read: ReadCost::Listed,
        blank_is_zero: false,
    }
}

/// Whether a field of the target can be what a carrier is.
pub(super) fn fits(there: &Kind, carrier: &Kind) -> bool {
    match (there, carrier) {
        (Kind::Reference { .. }, Kind::Reference { .. }) => there == carrier,
        _ => is_like(there, carrier),
    }
}

/// Whether two kinds hold the same sort of value.
pub(super) fn is_like(a: &Kind, b: &Kind) -> bool {
    let many = |kind: &Kind| match kind {
        Kind::Choice { many, .. } | Kind::Email { many } | Kind::Phone { many } | Kind::Reference { many, .. } => *many,
        _ => false,
    };
    std::mem::discriminant(a) == std::mem::discriminant(b) && many(a) == many(b)
}
