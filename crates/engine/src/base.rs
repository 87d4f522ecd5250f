//! Bases: the last settled value of a field, kept as a few bytes: every row of every record has them all.
//!
//! Values are marked in their settled form, so that reading back what was written gives the same mark. A field that
//! holds links has a mark for each of them, so that it can be told which one came or went.
//!
//! Invariant: the fields of one flow have different marks; a flow of which that is not true is refused before it
//! works, see [`alike`].

use std::borrow::Cow;
use std::collections::HashMap;

use handover_model::{FieldName, Fields, Kind, Value};

use crate::merge::settled_form;
use crate::setup::Ready;

/// Bytes that stand for a field's name: enough for the fields of one object.
const NAME: usize = 4;

/// Bytes that stand for a value.
pub(crate) const MARK: usize = 6;

const ENTRY: usize = NAME + MARK;

/// The base of a record: a mark for each field, and for each link of a field that holds links.
pub(crate) fn encode(ready: &Ready, fields: &Fields) -> Vec<u8> {
    let mut base = Vec::with_capacity(fields.len() * ENTRY);
    let mut part = Vec::with_capacity(256);
    for (name, value) in fields.iter() {
        let kind = ready.target_field(name).map(|field| &field.kind);
        let name = hashed::<NAME>(name.as_str().as_bytes());
        let mut push = |mark: [u8; MARK]| {
            base.extend_from_slice(&name);
            base.extend_from_slice(&mark);
        };
        match kind {
            Some(Kind::Reference { .. }) => links(value).into_iter().for_each(push),
            _ => push(marked(&mut part, kind, value)),
        }
    }
    base
}

/// The marks of a field's links, in order; one of nothing where there are none.
fn links(value: &Value) -> Vec<[u8; MARK]> {
    let mut marks: Vec<[u8; MARK]> = value.ids().into_iter().map(link).collect();
    if marks.is_empty() {
        marks.push(mark(None, &Value::Null));
    }
    marks.sort_unstable();
    marks.dedup();
    marks
}

fn link(id: &str) -> [u8; MARK] {
    hashed(id.as_bytes())
}

/// The first two fields that no base could tell apart.
pub(crate) fn alike<'n>(names: impl Iterator<Item = &'n FieldName>) -> Option<(&'n FieldName, &'n FieldName)> {
    let mut known: HashMap<[u8; NAME], &FieldName> = HashMap::new();
    for name in names {
        match known.insert(hashed(name.as_str().as_bytes()), name) {
            Some(other) if other != name => return Some((other, name)),
            _ => {}
        }
    }
    None
}

/// The marks of `now`, but for some fields those of `before`.
pub(crate) fn keeping(now: &[u8], before: &[u8], names: &[FieldName]) -> Vec<u8> {
    let kept: Vec<[u8; NAME]> = names.iter().map(|name| hashed(name.as_str().as_bytes())).collect();
    let is_kept = |entry: &&[u8]| kept.iter().any(|name| entry[..NAME] == *name);
    let mut base: Vec<u8> = now.chunks_exact(ENTRY).filter(|entry| !is_kept(entry)).flatten().copied().collect();
    base.extend(before.chunks_exact(ENTRY).filter(is_kept).flatten());
    base
}

/// Sixteen bytes for all of a base but some fields, whatever its order. Not the update time but this tells whether a
/// record changed: clocks of one second hide edits.
pub(crate) fn digest(base: &[u8], but: &[FieldName]) -> [u8; 16] {
    let but: Vec<[u8; NAME]> = but.iter().map(|name| hashed(name.as_str().as_bytes())).collect();
    let entries = base.chunks_exact(ENTRY).filter(|entry| !but.iter().any(|name| entry[..NAME] == *name));
    // A sum knows no order.
    entries.map(twox_hash::XxHash3_128::oneshot).fold(0_u128, u128::wrapping_add).to_le_bytes()
}

/// Whether a field says something else than what was settled; `None` where nothing was.
pub(crate) fn differs(base: &[u8], name: &FieldName, kind: Option<&Kind>, value: &Value) -> Option<bool> {
    let wanted = hashed::<NAME>(name.as_str().as_bytes());
    let mut settled = base.chunks_exact(ENTRY).filter(|entry| entry[..NAME] == wanted).map(|entry| &entry[NAME..]);
    if matches!(kind, Some(Kind::Reference { .. })) {
        let mut settled: Vec<&[u8]> = settled.collect();
        settled.sort_unstable();
        return (!settled.is_empty()).then(|| settled != links(value));
    }
    settled.next().map(|was| *was != mark(kind, value))
}

/// How many fields of a target record say what was settled. Its key is none of them.
pub(crate) fn agreeing(ready: &Ready, base: &[u8], fields: &Fields) -> usize {
    let kind = |name: &FieldName| ready.target_field(name).map(|field| &field.kind);
    let all = fields.iter().filter(|(name, _)| Some(*name) != ready.flow.key.as_ref());
    all.filter(|(name, value)| differs(base, name, kind(name), value) == Some(false)).count()
}

/// A link whose call is still to be made: it is not settled yet that it is there, or that it is gone.
#[derive(Clone, Debug)]
pub(crate) struct OpenLink {
    pub(crate) field: FieldName,
    /// The target's id.
    pub(crate) id: String,
    pub(crate) gone: bool,
}

/// The base with these links as they were.
pub(crate) fn leaving_open(ready: &Ready, base: Vec<u8>, open: &[OpenLink]) -> Vec<u8> {
    // Those to be added first: what a field holds until then is what is to go.
    let added = open.iter().filter(|link| !link.gone);
    added
        .chain(open.iter().filter(|link| link.gone))
        .fold(base, |base, OpenLink { field, id, gone }| with_link(&base, field, id, *gone, holds_one(ready, field)))
}

/// Whether a field holds one link at most.
pub(crate) fn holds_one(ready: &Ready, field: &FieldName) -> bool {
    matches!(ready.target_field(field).map(|field| &field.kind), Some(Kind::Reference { many: false, .. }))
}

/// Whether a link was settled.
pub(crate) fn has_link(base: &[u8], name: &FieldName, id: &str) -> bool {
    let wanted = hashed::<NAME>(name.as_str().as_bytes());
    let wanted_link = link(id);
    base.chunks_exact(ENTRY).any(|entry| entry[..NAME] == wanted && entry[NAME..] == wanted_link)
}

/// The base with a link settled as being there or not; of a field that is to hold one link only, no other.
pub(crate) fn with_link(base: &[u8], name: &FieldName, id: &str, there: bool, one: bool) -> Vec<u8> {
    let wanted = hashed::<NAME>(name.as_str().as_bytes());
    let (this, none) = (link(id), mark(None, &Value::Null));
    let of_field = |entry: &&[u8]| entry[..NAME] == wanted;
    let stays = |entry: &&[u8]| !of_field(entry) || !(one || entry[NAME..] == this || entry[NAME..] == none);
    let mut with: Vec<u8> = base.chunks_exact(ENTRY).filter(stays).flatten().copied().collect();
    let is_empty = !with.chunks_exact(ENTRY).any(|entry| entry[..NAME] == wanted);
    if there || is_empty {
        with.extend_from_slice(&wanted);
        with.extend_from_slice(if there { &this } else { &none });
    }
    with
}

/// What was settled of a field that holds no links.
pub(crate) fn mark_of(base: &[u8], name: &FieldName) -> Option<[u8; MARK]> {
    let wanted = hashed::<NAME>(name.as_str().as_bytes());
    let entry = base.chunks_exact(ENTRY).find(|entry| entry[..NAME] == wanted)?;
    entry[NAME..].try_into().ok()
}

/// The mark of a value.
pub(crate) fn mark(kind: Option<&Kind>, value: &Value) -> [u8; MARK] {
    marked(&mut Vec::new(), kind, value)
}

/// The mark of a value, written down in `part` first: every field of every record comes by here.
fn marked(part: &mut Vec<u8>, kind: Option<&Kind>, value: &Value) -> [u8; MARK] {
    part.clear();
    let settled = match value {
        Value::Text(text)
            if text.trim().len() == text.len()
                && !text.is_empty()
                && !matches!(kind, Some(Kind::Email { .. } | Kind::Phone { .. })) =>
        {
            Cow::Borrowed(value)
        }
        Value::Number(_) | Value::Date(_) | Value::Time(_) | Value::Bool(_) => Cow::Borrowed(value),
        Value::DateTime(instant) if instant.subsec_nanosecond() == 0 => Cow::Borrowed(value),
        other => Cow::Owned(settled_form(kind, other)),
    };
    match &*settled {
        // Its digits as text would cost more than all other fields together.
        Value::Number(number) => {
            let number = number.normalize();
            part.push(b'n');
            part.push(number.scale() as u8);
            part.extend_from_slice(&number.mantissa().to_le_bytes());
        }
        other => other.write_down(part),
    }
    hashed(part)
}

fn hashed<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let hash = twox_hash::XxHash3_64::oneshot(bytes).to_le_bytes();
    std::array::from_fn(|at| hash.get(at).copied().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use handover_model::{FieldName, Kind, Value};

    use super::{alike, mark};

    /// Values of one row have one mark, and no two rows share one.
    #[test]
    fn equal_in_their_settled_form_and_only_then() {
        let text = Some(Kind::Text { max: None, html: false });
        let email = Some(Kind::Email { many: false });
        let phone = Some(Kind::Phone { many: false });
        let list = |items: &[&str]| Value::List(items.iter().map(|item| Value::from(*item)).collect());
        let instant = |text: &str| Value::DateTime(text.parse().unwrap());
        let number = |digits: &str| Value::Number(digits.parse().unwrap());
        let rows: Vec<(Option<Kind>, Vec<Value>)> = vec![
            (text.clone(), vec!["a b".into(), " a b ".into(), list(&["a b"])]),
            (text.clone(), vec!["A b".into()]),
            (text.clone(), vec![Value::Null, "".into(), "  ".into(), list(&[])]),
            (email, vec!["x@Y.z".into(), " X@y.z".into()]),
            (phone.clone(), vec!["+49 (30) 901820/1".into(), "+4930 901820-1 ".into()]),
            (phone.clone(), vec!["49 30 9018201".into()]),
            (phone, vec!["-".into(), " - ".into()]),
            (text.clone(), vec![list(&["one", "two"]), list(&["two", "one"])]),
            (text.clone(), vec![list(&["onetwo", ""])]),
            (None, vec![number("1"), number("1.0"), number("1.000"), Value::List(vec![number("1.00")])]),
            (None, vec![number("0"), number("-0.0")]),
            (None, vec![number("-79228162514264337593543950335")]),
            (None, vec![number("-7922816251426433759354395033.5")]),
            (None, vec!["1".into()]),
            (None, ["2026-11-02T08:00:46Z", "2026-11-02T08:00:46.22Z"].map(instant).to_vec()),
            (None, vec![instant("2026-11-02T08:00:47Z")]),
            (None, vec![Value::Bool(true)]),
            (None, vec![Value::Date("2026-11-02".parse().unwrap())]),
            (None, vec![Value::Date("2026-11-20".parse().unwrap())]),
        ];
        let marks: Vec<Vec<[u8; super::MARK]>> =
            rows.iter().map(|(kind, values)| values.iter().map(|value| mark(kind.as_ref(), value)).collect()).collect();
        for (at, row) in marks.iter().enumerate() {
            assert!(row.iter().all(|one| *one == row[0]), "row {at}");
            assert!(marks[..at].iter().all(|other| other[0] != row[0]), "row {at}");
        }
    }

    /// Two names with one mark: about one pair among 65,000.
    #[test]
    fn names_with_one_mark_are_found() {
        let names: Vec<FieldName> =
            (0..400_000).map(|n| FieldName::from(format!("custom_field_{n}").as_str())).collect();
        let (one, other) = alike(names.iter()).expect("a pair among so many");
        assert_ne!(one, other);
        let some: Vec<&FieldName> = names.iter().take(300).chain([one]).collect();
        assert_eq!(alike(some.iter().copied()), None);
        assert_eq!(alike(some.into_iter().chain([one])), None, "the same name twice is one field");
    }
}
