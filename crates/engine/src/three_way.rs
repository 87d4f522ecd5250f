//! Merging three ways: what becomes of one field that two records share, when either may have changed since both
//! were settled.
//!
//! A side has changed when it differs from its own base; values are never compared across sides to find a change.
//! Invariants:
//! - A change on one side only is carried, unless the other side owns the field: then the owner's value is
//!   written again, and the change is in the ledger.
//! - A field is never overwritten on the side that owns it.
//! - What no rule decides is held: nothing is guessed, and nothing within the clocks' tolerance is newest.

use std::cmp::Ordering;

use handover_model::{Keep, Owner, Value};
use jiff::{SignedDuration, Timestamp};

/// One side of a field that two records share.
#[derive(Clone, Copy, Debug)]
pub struct Side<'v> {
    /// Its value now, in the other side's terms.
    pub value: &'v Value,
    /// Whether it differs from what was settled last.
    pub changed: bool,
    /// When it was changed, by its system's history, our clock's terms; `None` where that is not known.
    pub at: Option<Timestamp>,
}

/// What becomes of the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing changed.
    Nothing,
    /// Both sides say the same: that is settled now.
    Agreed,
    /// The source's value is written to the target.
    Forth(Why),
    /// The target's value is written to the source.
    Back(Why),
    /// Both values, put together, are written to both sides.
    Joined,
    /// A person decides.
    Held,
}

/// Why a value is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Only this side changed.
    Changed,
    /// This side owns the field, and the other changed it.
    Owns,
    /// The rule for conflicts chose it.
    Rule,
}

/// Edits that are no further apart are not put in an order.
pub(crate) const TOLERANCE: SignedDuration = SignedDuration::from_secs(60);

/// Judges one field. `same` tells whether both values are one and the same in their settled form; `keep` is the
/// rule for conflicts, `None` to ask a person.
pub fn judge(source: Side<'_>, target: Side<'_>, same: bool, owner: Owner, keep: Option<&Keep>) -> Verdict {
    if !source.changed && !target.changed {
        return Verdict::Nothing;
    }
    if same {
        return Verdict::Agreed;
    }
    match owner {
        Owner::Source => Verdict::Forth(if target.changed { Why::Owns } else { Why::Changed }),
        Owner::Target => Verdict::Back(if source.changed { Why::Owns } else { Why::Changed }),
        Owner::Both => match (source.changed, target.changed) {
            (true, false) => Verdict::Forth(Why::Changed),
            (false, true) => Verdict::Back(Why::Changed),
            _ => conflict(source, target, keep),
        },
    }
}

/// Judges a field that had passed to the target with its record's cohort, and whose value cannot go back: only the
/// rule for conflicts lets the source overwrite it. `Back` leaves the target as it is.
pub(crate) fn judge_late(source: Side<'_>, target: Side<'_>, same: bool, keep: Option<&Keep>) -> Verdict {
    match (source.changed, same) {
        (false, _) => Verdict::Nothing,
        (true, true) => Verdict::Agreed,
        (true, false) => conflict(source, target, keep),
    }
}

fn conflict(source: Side<'_>, target: Side<'_>, keep: Option<&Keep>) -> Verdict {
    match keep {
        None => Verdict::Held,
        Some(Keep::Source) => Verdict::Forth(Why::Rule),
        Some(Keep::Target) => Verdict::Back(Why::Rule),
        // A value that one side cleared while the other wrote it: what was written fills the gap.
        Some(Keep::FillEmpty) => match (source.value.is_blank(), target.value.is_blank()) {
            (false, true) => Verdict::Forth(Why::Rule),
            (true, false) => Verdict::Back(Why::Rule),
            _ => Verdict::Held,
        },
        Some(Keep::Newest) => newest(source.at, target.at),
        Some(Keep::MostComplete) => match extent(source.value).cmp(&extent(target.value)) {
            Ordering::Greater => Verdict::Forth(Why::Rule),
            Ordering::Less => Verdict::Back(Why::Rule),
            Ordering::Equal => Verdict::Held,
        },
        Some(Keep::Concatenate(_)) => Verdict::Joined,
    }
}

/// How much a value says.
pub(crate) fn extent(value: &Value) -> usize {
    match value {
        blank if blank.is_blank() => 0,
        Value::List(items) => items.iter().map(extent).sum(),
        Value::Text(text) => text.trim().chars().count(),
        _ => 1,
    }
}

fn newest(source: Option<Timestamp>, target: Option<Timestamp>) -> Verdict {
    let (Some(source), Some(target)) = (source, target) else { return Verdict::Held };
    let later = source.duration_since(target);
    if later.abs() <= TOLERANCE {
        Verdict::Held
    } else if later.is_positive() {
        Verdict::Forth(Why::Rule)
    } else {
        Verdict::Back(Why::Rule)
    }
}

#[cfg(test)]
mod tests {
    use handover_model::{Keep, Owner, Value};
    use jiff::Timestamp;

    use super::{Side, Verdict, Why, judge};

    /// A side in a few letters: its value, `*` when it changed, `@` and the second at which it did.
    fn side<'v>(text: &str, value: &'v mut Value) -> Side<'v> {
        let (text, at) = text.split_once('@').map_or((text, None), |(text, at)| (text, at.parse().ok()));
        let changed = text.ends_with('*');
        let word = text.trim_end_matches('*');
        *value = if word.is_empty() { Value::Null } else { word.into() };
        Side { value, changed, at: at.and_then(|at| Timestamp::from_second(at).ok()) }
    }

    #[test]
    fn a_field_is_judged_by_who_changed_it_and_whose_it_is() {
        use Owner::{Both, Source, Target};
        let forth = |why| Verdict::Forth(why);
        let back = |why| Verdict::Back(why);
        let joined = Keep::Concatenate("; ".to_owned());
        let rows: Vec<(&str, &str, Owner, Option<&Keep>, Verdict)> = vec![
            ("a", "b", Both, None, Verdict::Nothing),
            ("a", "b", Source, None, Verdict::Nothing),
            ("a*", "b", Both, None, forth(Why::Changed)),
            ("a", "b*", Both, None, back(Why::Changed)),
            ("*", "b", Both, None, forth(Why::Changed)),
            ("a*", "a*", Both, None, Verdict::Agreed),
            ("a*", "a", Source, None, Verdict::Agreed),
            ("a*", "b", Source, None, forth(Why::Changed)),
            ("a", "b*", Source, None, forth(Why::Owns)),
            ("a*", "b*", Source, Some(&Keep::Target), forth(Why::Owns)),
            ("a", "b*", Target, None, back(Why::Changed)),
            ("a*", "b", Target, None, back(Why::Owns)),
            ("a*", "b*", Both, None, Verdict::Held),
            ("a*", "b*", Both, Some(&Keep::Source), forth(Why::Rule)),
            ("a*", "b*", Both, Some(&Keep::Target), back(Why::Rule)),
            ("a*", "*", Both, Some(&Keep::FillEmpty), forth(Why::Rule)),
            ("*", "b*", Both, Some(&Keep::FillEmpty), back(Why::Rule)),
            ("a*", "b*", Both, Some(&Keep::FillEmpty), Verdict::Held),
            ("a*", "b*", Both, Some(&joined), Verdict::Joined),
            ("longer*", "long*", Both, Some(&Keep::MostComplete), forth(Why::Rule)),
            ("a*", "bc*", Both, Some(&Keep::MostComplete), back(Why::Rule)),
            ("a*", "b*", Both, Some(&Keep::MostComplete), Verdict::Held),
            ("a*@100", "b*@300", Both, Some(&Keep::Newest), back(Why::Rule)),
            ("a*@300", "b*@100", Both, Some(&Keep::Newest), forth(Why::Rule)),
            ("a*@100", "b*@160", Both, Some(&Keep::Newest), Verdict::Held),
            ("a*@100", "b*", Both, Some(&Keep::Newest), Verdict::Held),
        ];
        for (source, target, owner, keep, expected) in rows {
            let (mut left, mut right) = (Value::Null, Value::Null);
            let (source_side, target_side) = (side(source, &mut left), side(target, &mut right));
            let same = source_side.value == target_side.value;
            assert_eq!(
                judge(source_side, target_side, same, owner, keep),
                expected,
                "{source} {target} {owner:?} {keep:?}"
            );
        }
    }
}
