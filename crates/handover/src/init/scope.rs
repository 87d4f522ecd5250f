//! Which records of an object are in a flow: those of the concept, and none that hang on nothing but what stays behind.

use std::collections::BTreeSet;

use handover_model::{Field, Finding, Kind, ObjectName, ReadCost, Weight};

use super::SystemView;
use super::compose::Sides;
use super::lexicon::{self, CONCEPTS, Scope};
use super::options::{by_label, of};
use super::write;

/// Two conditions as one; a blank one always holds.
pub(super) fn both(conditions: &[String; 2]) -> String {
    match conditions {
        [one, other] if !one.is_empty() && !other.is_empty() => format!("{one} && ({other})"),
        [one, other] => format!("{one}{other}"),
    }
}

/// What people should know of records that hang on what stays behind.
const HANGING: &str =
    "What hangs on nothing but records that are not moved stays behind with them; `excluded` counts it.";
/// The same where the target takes none that hangs on nothing.
const ALONE: &str =
    "What hangs on nothing that is moved stays behind: the target would refuse it; `excluded` counts it.";

impl<'s> Sides<'s> {
    /// The condition of the flow; `None` where the account has no such records.
    pub(super) fn scope(&self) -> Option<String> {
        let option = |field: &str, label: &str| by_label(of(self.from.2, field), label).map(|one| one.value.clone());
        match self.from.1.scope {
            Scope::All => Some(String::new()),
            Scope::Where(expr) => Some(expr.to_owned()),
            Scope::Option(field, label) => {
                let value = option(field, label)?;
                Some(format!("{} == {value:?}", write::path(field)))
            }
            Scope::Others(field, labels) => {
                let others = labels.iter().filter_map(|label| option(field, label));
                Some(
                    others.map(|value| format!("{} != {value:?}", write::path(field))).collect::<Vec<_>>().join(" && "),
                )
            }
        }
    }

    /// The condition that a record hangs on something that is moved, or on nothing where the target takes that; `None`
    /// where it cannot hang on anything else.
    pub(super) fn hanging(&self) -> Option<String> {
        let (_, thing, schema) = self.from;
        if thing.concept.stands_alone() {
            return None;
        }
        let links = || schema.fields.iter().filter(|field| matches!(field.kind, Kind::Reference { .. }));
        let is_told = |name: &str| thing.tells.iter().any(|tell| tell.from.contains(&name));
        // A lookup that leads to several objects is a field for each of them beside itself.
        let base = |field: &&'s Field| field.name.as_str().split_once('.').map(|(base, _)| base);
        let bases: BTreeSet<&str> =
            links().filter(|field| is_told(field.name.as_str())).filter_map(|field| base(&field)).collect();
        // What takes calls of its own to read is not read for this.
        let of_base =
            |field: &&'s Field| field.read == ReadCost::Listed && base(field).is_some_and(|base| bases.contains(base));
        // What it may hang on beside, as far as the lexicon says so; several at once are no parents (a note's files).
        let is_left = |field: &&'s Field| {
            matches!(field.kind, Kind::Reference { many: false, .. })
                && thing.left.iter().any(|(left, _)| field.name == **left)
        };
        let hangs = || links().filter(|field| !bases.contains(field.name.as_str()));
        let moved: Vec<&Field> = hangs().filter(|field| is_told(field.name.as_str()) && self.is_moved(field)).collect();
        let left = hangs().filter(|field| is_told(field.name.as_str()) || of_base(field) || is_left(field));
        let left: Vec<&Field> = left.filter(|field| !self.is_moved(field)).collect();
        let all = |not: &str, names: &mut dyn Iterator<Item = &str>, between: &str| {
            names.map(|name| format!("{not}is_blank({})", self.path(name))).collect::<Vec<_>>().join(between)
        };
        let some = |fields: &[&Field]| all("!", &mut fields.iter().map(|field| field.name.as_str()), " || ");
        if self.to.1.hangs {
            let taken: Vec<&Field> = moved.into_iter().filter(|field| self.is_taken_here(field)).collect();
            return (!taken.is_empty()).then(|| some(&taken));
        }
        if moved.is_empty() || left.is_empty() {
            return None;
        }
        let some = some(&moved);
        let mut blank: BTreeSet<&str> = BTreeSet::new();
        for field in left {
            // The lookup itself says it shorter, where it can be read.
            let base = base(&field).filter(|base| schema.field(base).is_some());
            blank.insert(base.unwrap_or(field.name.as_str()));
        }
        let is_one = blank.len() == 1;
        let none = all("", &mut blank.into_iter(), " && ");
        Some(if is_one { format!("{some} || {none}") } else { format!("{some} || ({none})") })
    }

    /// What people should know of records that the condition leaves out.
    pub(super) fn about_hanging(&self, condition: &str) -> &'static str {
        match condition {
            "" => "",
            _ if self.to.1.hangs => ALONE,
            _ => HANGING,
        }
    }

    /// Whether what a link of the source leads to is moved by a flow.
    fn is_moved(&self, link: &Field) -> bool {
        self.moved_to(link).next().is_some()
    }

    /// Whether the target's object can hang on what a link of the source leads to.
    fn is_taken_here(&self, link: &Field) -> bool {
        let takes = self.to.1.takes.iter().filter_map(|take| self.to.2.field(take.field));
        let leads: Vec<&ObjectName> = takes
            .filter_map(|field| match &field.kind {
                Kind::Reference { object, .. } => Some(object),
                _ => None,
            })
            .collect();
        self.moved_to(link).any(|object| leads.iter().any(|to| **to == *object))
    }

    /// The objects of the target to which what a link of the source leads to is moved.
    fn moved_to(&self, link: &Field) -> impl Iterator<Item = &'static str> {
        let target = lexicon::of(&self.to.0.platform);
        CONCEPTS.iter().filter_map(move |concept| {
            let Kind::Reference { object, .. } = &link.kind else { return None };
            self.from.0.teller(*concept).filter(|thing| *object == *thing.object)?;
            Some(target?.taker(*concept, &self.to.0.schemas)?.object)
        })
    }
}

/// Objects that the customer made and no flow reads: they may be most of what the company has.
pub(super) fn left_behind(from: &SystemView, to: &SystemView, moved: &BTreeSet<&str>) -> Option<Finding> {
    let Some(custom) = &from.custom else {
        let message = format!("{} does not let the objects be listed that were made there", from.name);
        return Some(
            Finding::new(Weight::Warning, "custom_objects_unknown", message)
                .hint("look in its settings which there are: this project moves none of them"),
        );
    };
    let left: Vec<&ObjectName> = custom.iter().filter(|object| !moved.contains(object.as_str())).collect();
    if left.is_empty() {
        return None;
    }
    let name = |object: &ObjectName| match from.counts.get(object) {
        Some(1) => format!("{object} (1 record)"),
        Some(count) => format!("{object} ({count} records)"),
        None => object.to_string(),
    };
    let names: Vec<String> = left.into_iter().map(name).collect();
    let message = format!("objects made in {} are not moved by this project: {}", from.name, names.join(", "));
    let (old, new) = (lexicon::of(&from.platform), lexicon::of(&to.platform));
    let is_carried = [old, new].iter().all(|lexicon| lexicon.is_some_and(|lexicon| lexicon.made.is_some()));
    let hint = if is_carried {
        format!(
            "make an object of the same name in {} and begin anew with `handover init`, write a mapping to another one, \
             or state in the scope document that they stay behind",
            to.name
        )
    } else {
        "state in the scope document that they stay behind; or, where platforms.md says that they can be carried, write \
         a mapping for each"
            .to_owned()
    };
    Some(Finding::new(Weight::Warning, "custom_objects_not_moved", message).hint(hint))
}
