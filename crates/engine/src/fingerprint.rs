//! Recognising what a lost write made: by the source key, or where the platform has no field for one, by
//! the values that were written.

use handover_connect::Write;
use handover_model::{Fields, Kind, Record, Value};

use crate::setup::Ready;

/// Whether `candidate` is what `write` made: `None` if not, else the fields that it lacks.
///
/// A file's bytes come in one request and its description in another, so a file may lack what was written:
/// such a field says nothing against it. Whether the bytes are the same is the caller's to see. So may every record the
/// fields that are written `behind` it.
pub(crate) fn match_up(ready: &Ready, candidate: &Record, write: &Write, key: &str, behind: &[&str]) -> Option<Fields> {
    let kind_of = |name: &str| ready.target.field(name).map(|field| &field.kind);
    let mut lacking = Fields::new();
    for name in behind {
        if let (Some(value), Some(have)) = (write.fields.get(name), candidate.fields.get(name))
            && !value.is_blank()
            && !alike(kind_of(name), value, have)
        {
            lacking.set((*name).into(), value.clone());
        }
    }
    if let Some(field) = &ready.flow.key {
        let have = candidate.fields.get(field.as_str()).and_then(Value::as_text);
        return (have == Some(key)).then_some(lacking);
    }
    let mut compared = 0;
    for (name, value) in write.fields.iter().filter(|(name, _)| !behind.contains(&name.as_str())) {
        let kind = kind_of(name.as_str());
        let Some(have) = candidate.fields.get(name.as_str()) else { continue };
        if value.is_blank() {
            continue;
        }
        if have.is_blank() && write.content.is_some() {
            lacking.set(name.clone(), value.clone());
            continue;
        }
        // The bytes tell files apart, so a name may have got a number behind it because it was taken.
        let numbered = write.content.is_some() && is_numbered(value, have);
        if !numbered && !alike(kind, value, have) {
            return None;
        }
        compared += 1;
    }
    (compared > 0).then_some(lacking)
}

/// How much of a record, that says not all that was written, speaks for its being what a lost write made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kinship {
    /// Nothing.
    None,
    /// Something, or there is too little to compare.
    Perhaps,
    /// An address or a number, or at least as much as speaks against it.
    Close,
}

/// Compares a record with what a lost write would have made.
pub(crate) fn kinship(ready: &Ready, candidate: &Record, wanted: &Fields) -> Kinship {
    let Compared { same, other, is_named } = compared(ready, candidate, wanted);
    match (same, other) {
        _ if is_named => Kinship::Close,
        (2.., _) if same >= other => Kinship::Close,
        (0, 2..) => Kinship::None,
        _ => Kinship::Perhaps,
    }
}

/// Whether a record says anything of what a write would have made.
pub(crate) fn is_akin(ready: &Ready, candidate: &Record, wanted: &Fields) -> bool {
    compared(ready, candidate, wanted).same > 0
}

/// Fields that say the same, fields that say something else, and whether an address or a number is among the former.
#[derive(Default)]
struct Compared {
    same: usize,
    other: usize,
    is_named: bool,
}

/// By the fields that tell records apart: not by options, users, links and the like, which many records share.
fn compared(ready: &Ready, candidate: &Record, wanted: &Fields) -> Compared {
    let mut compared = Compared::default();
    for (name, value) in wanted.iter().filter(|(_, value)| !value.is_blank()) {
        let kind = ready.target.field(name.as_str()).map(|field| &field.kind);
        let is_shared = matches!(
            kind,
            Some(Kind::Bool | Kind::Choice { .. } | Kind::User | Kind::Reference { .. } | Kind::Currency)
        );
        let Some(have) = candidate.fields.get(name.as_str()).filter(|_| !is_shared) else { continue };
        if alike(kind, value, have) {
            compared.same += 1;
            compared.is_named |= matches!(kind, Some(Kind::Email { .. } | Kind::Phone { .. }));
        } else {
            compared.other += 1;
        }
    }
    compared
}

/// Equal but for what platforms change by themselves: HTML is cleaned, blanks are trimmed, case of
/// addresses, order of lists.
pub(crate) fn alike(kind: Option<&Kind>, value: &Value, have: &Value) -> bool {
    match (value, have) {
        (Value::Text(one), Value::Text(other)) if matches!(kind, Some(Kind::Text { .. })) => {
            letters(one) == letters(other)
        }
        _ => crate::merge::same(kind, value, have),
    }
}

/// Whether a file's name is another with a number behind it, because that was taken: `offer-1.pdf`,
/// `offer (2).pdf` for `offer.pdf`.
pub(crate) fn is_numbered(value: &Value, have: &Value) -> bool {
    let (Some(value), Some(have)) = (value.as_text(), have.as_text()) else { return false };
    let parts = |name| str::rsplit_once(name, '.').unwrap_or((name, ""));
    let ((stem, ending), (have, other)) = (parts(value), parts(have));
    let number = have.strip_prefix(stem).map(|rest| rest.trim_matches(['-', '_', ' ', '(', ')']));
    !stem.is_empty()
        && ending.eq_ignore_ascii_case(other)
        && number.is_some_and(|number| number.bytes().all(|digit| digit.is_ascii_digit()))
}

/// The letters and digits outside of tags.
fn letters(text: &str) -> String {
    let mut inside = false;
    let decoded = html_escape::decode_html_entities(text);
    decoded
        .chars()
        .filter(|letter| {
            match letter {
                '<' => inside = true,
                '>' => inside = false,
                _ => return !inside && letter.is_alphanumeric(),
            }
            false
        })
        .flat_map(char::to_lowercase)
        .collect()
}
