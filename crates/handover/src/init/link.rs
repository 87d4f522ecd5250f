//! Links of customers' objects where the one platform has a lookup to one record and the other links to many, which show
//! on both sides.
//!
//! What such links cannot say stays out of them: which of two records of one object leads to the other, and which of
//! several lookups it was. That goes the way of other lookups that the target cannot hold.

use handover_model::{Field, Kind, Writable};

use super::flow::Builder;
use super::lexicon::{Concept, points_to};
use super::template::Pair;
use super::write;

impl Builder<'_> {
    /// Maps a lookup to links to many, links to many to a lookup, or links to links; false where it is none of these.
    pub(super) fn link(&mut self, field: &Field) -> bool {
        let Kind::Reference { many, .. } = field.kind else { return false };
        let Some((target, right)) = self.linked(field, many) else { return false };
        self.take(field.name.as_str(), target, right, field.label.clone());
        true
    }

    /// The field of the target, and the rule.
    fn linked(&mut self, field: &Field, many: bool) -> Option<(String, String)> {
        let (other, later) = self.leads(field).filter(|(other, _)| other.source != self.pair.source)?;
        if self.pair.target_concept != Concept::Made || !many && !self.is_only(other, later) {
            return None;
        }
        let (to, concept) = (other.target.to_owned(), other.target_concept);
        let mut keys: Vec<&str> = if later { vec!["later: true"] } else { Vec::new() };
        let links = self.field_to(&to, true);
        let target = match (links, many) {
            (Some(links), _) => links,
            (None, false) => return None,
            (None, true) => {
                keys.push("steps: [first]");
                let own = |builder: &mut Self| {
                    // They show on both sides: a lookup of the other one says it, else the one that is moved later has it.
                    let is_said = builder.sides.to.schema(&to).is_some_and(|other| {
                        let here = builder.pair.target;
                        other.fields.iter().any(
                            |field| matches!(&field.kind, Kind::Reference { object, many: false } if *object == *here),
                        )
                    });
                    let can = !later && !is_said && points_to(&builder.sides.to.platform, concept);
                    let kind = Kind::Reference { object: to.as_str().into(), many: false };
                    let wish = super::carrier::slug(&field.label);
                    can.then(|| builder.own_field(&wish, &field.label, kind, false, field.name.as_str())).flatten()
                };
                self.field_to(&to, false).or_else(|| own(self))?
            }
        };
        let from = write::scalar(field.name.as_str());
        let right = if keys.is_empty() { from } else { write::rule(&format!("from: {from}"), &keys.join(", ")) };
        Some((target, right))
    }

    /// Whether the lookup to another object is the only one between the two that links can take: its records lead to
    /// this one's by none, or by one that is not moved before.
    fn is_only(&self, other: &Pair<'_>, later: bool) -> bool {
        let lookups = |object: &str, to: &str| {
            let fields = self.sides.from.schema(object).into_iter().flat_map(|schema| &schema.fields);
            fields
                .filter(|field| matches!(&field.kind, Kind::Reference { object, many: false } if *object == *to))
                .count()
        };
        let is_taken = other.target_concept == Concept::Made && !later && lookups(other.source, self.pair.source) > 0;
        !is_taken && lookups(self.pair.source, other.source) == 1
    }

    /// The one field of the target that is free and leads to an object: links to many, or a lookup.
    fn field_to(&self, to: &str, many: bool) -> Option<String> {
        let is_it = |field: &&Field| {
            field.writable == Writable::Always
                && !self.claimed.contains(field.name.as_str())
                && matches!(&field.kind, Kind::Reference { object, many: has } if *object == *to && *has == many)
        };
        let mut found = self.sides.target.fields.iter().filter(is_it);
        found.next().filter(|_| found.next().is_none()).map(|field| field.name.to_string())
    }
}
