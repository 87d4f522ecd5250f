//! Links: each that is expected is there, and a record that we made has no others.

use std::collections::BTreeSet;

use handover_model::{FieldName, Fields, Kind, ObjectName, Outcome, Record, Value};
use handover_store::RecordRow;

use super::{FlowVerified, Verifier};
use crate::setup::Ready;

/// A pair of records whose links are compared.
pub(super) struct Linked<'a> {
    pub(super) ready: &'a Ready,
    pub(super) record: &'a Record,
    pub(super) row: &'a RecordRow,
    pub(super) target: &'a Record,
    /// What the record should hold.
    pub(super) expected: &'a Fields,
}

impl Linked<'_> {
    /// The object that a field points to.
    fn object(&self, name: &FieldName) -> Option<&ObjectName> {
        self.ready.target.field(name.as_str()).and_then(|field| field.kind.referenced())
    }

    /// The links of a field that were not asked for. A platform may add to a list of records the one that
    /// another field of the record links (the main person of a deal takes part in it): that was asked for.
    fn uninvited(&self, name: &FieldName) -> Vec<String> {
        let there = self.target.fields.get(name.as_str()).map(Value::ids).unwrap_or_default();
        let alike = self.expected.iter().filter(|(other, _)| self.object(other) == self.object(name));
        let invited: BTreeSet<&str> = alike.flat_map(|(_, value)| value.ids()).collect();
        let own = self.expected.get(name.as_str()).map(Value::ids).unwrap_or_default();
        let is_list = matches!(
            self.ready.target.field(name.as_str()).map(|field| &field.kind),
            Some(Kind::Reference { many: true, .. })
        );
        let uninvited = |id: &&str| !(own.contains(id) || is_list && invited.contains(*id));
        there.into_iter().filter(uninvited).map(str::to_owned).collect()
    }
}

impl Verifier<'_> {
    /// Links of a record of ours in fields for which its source has none at all.
    pub(super) fn links_from_nowhere(&mut self, pair: &Linked<'_>, verified: &mut FlowVerified) {
        let is_silent = |name: &&FieldName| pair.object(name).is_some() && pair.expected.get(name.as_str()).is_none();
        let silent: BTreeSet<&FieldName> =
            pair.ready.flow.rules.iter().map(|rule| &rule.target).filter(is_silent).collect();
        for name in silent {
            self.extra_links(pair, name, verified);
        }
    }

    /// The links of one field: `value` is what it should hold, `have` what it holds.
    pub(super) fn compare_links(
        &mut self,
        pair: &Linked<'_>,
        name: &FieldName,
        (value, have): (&Value, &Value),
        verified: &mut FlowVerified,
    ) {
        let there = have.ids();
        for id in value.ids() {
            verified.links += 1;
            if !there.contains(&id) {
                let (record, target) = (Some(&pair.record.id), Some(&pair.target.id));
                self.differ("missing_link", pair.ready, record, target, Some(name), id, "no link");
            }
        }
        self.extra_links(pair, name, verified);
    }

    /// A record that the target had before may have links of its own.
    fn extra_links(&mut self, pair: &Linked<'_>, name: &FieldName, verified: &mut FlowVerified) {
        if pair.row.outcome != Outcome::Created {
            return;
        }
        for id in pair.uninvited(name) {
            verified.links += 1;
            let (record, target) = (Some(&pair.record.id), Some(&pair.target.id));
            self.differ("extra_link", pair.ready, record, target, Some(name), "no link", &id);
        }
    }
}
