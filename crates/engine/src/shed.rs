//! Updates that the target refuses because of one field: they are sent again without it, so that the others arrive.
//!
//! Invariants:
//! - Each time fewer fields are sent, so that it ends. A refusal that names no field of the write, or one that the
//!   record cannot be without, refuses the whole.
//! - A field that was left out keeps both its bases: it counts as changed until it is carried.
//! - An intent keeps all fields: a successor does not know what was left out, and tries them again.

use std::borrow::Cow;
use std::sync::Arc;

use handover_connect::Fault;
use handover_model::{Cause, FieldName, Fields, From};

use crate::base;
use crate::case::Case;
use crate::resolve::outer;
use crate::setup::Ready;
use crate::write::{Outgoing, refused};

/// A field that was left out of an update.
#[derive(Clone, Debug)]
pub(crate) struct Shed {
    field: FieldName,
    /// Why; `None` for one that hangs together with a refused one.
    why: Option<Fault>,
    /// The fields of the pair's bases that are not settled with it.
    open: Vec<FieldName>,
}

/// The fields of a pair's bases that a written field settles: itself, or, of a way back, the target fields that its
/// rules read. `None` where that cannot be told.
fn settles(ready: &Ready, field: &FieldName) -> Option<Vec<FieldName>> {
    if ready.forth.is_none() {
        return Some(vec![field.clone()]);
    }
    let mut fields = Vec::new();
    for rule in ready.flow.rules.iter().filter(|rule| rule.target == *field) {
        match &rule.from {
            From::Fields(names) => fields.extend(names.iter().cloned()),
            From::Expression(_) | From::Constant(_) => return None,
        }
    }
    Some(fields)
}

impl Outgoing {
    /// Leaves out the field that a refusal names. False when the write is refused as it is.
    pub(crate) fn shed(&mut self, ready: &Ready, fault: &Fault) -> bool {
        let Some(field) = fault.field.clone() else { return false };
        let is_update = self.target.is_some() && self.content.is_none();
        if !is_update || !self.sends(&field) || ready.required.contains(&field) {
            return false;
        }
        // A pipeline does not change without its stage, nor a stage without its pipeline.
        let inner = ready.nested.iter().filter(|inner| outer(ready, inner) == Some(&field));
        let hangs: Vec<FieldName> = outer(ready, &field).into_iter().chain(inner).cloned().collect();
        let is_left = |name: &FieldName| *name != field && !hangs.contains(name) && self.sends(name);
        if !self.fields.iter().any(|(name, _)| is_left(name)) {
            return false;
        }
        let hangs = hangs.into_iter().filter(|name| self.sends(name)).map(|name| (name, None));
        let left_out: Option<Vec<Shed>> = std::iter::once((field.clone(), Some(fault.clone())))
            .chain(hangs)
            .map(|(field, why)| settles(ready, &field).map(|open| Shed { field, why, open }))
            .collect();
        let is_known = left_out.is_some();
        self.without.extend(left_out.into_iter().flatten());
        is_known
    }

    fn sends(&self, field: &FieldName) -> bool {
        self.fields.get(field.as_str()).is_some() && !self.without.iter().any(|shed| shed.field == *field)
    }

    /// What is still to be sent.
    pub(crate) fn left(&self) -> Arc<Fields> {
        if self.without.is_empty() {
            return self.fields.clone();
        }
        let left = self.fields.iter().filter(|(name, _)| self.sends(name));
        Arc::new(left.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// Why fields were left out.
    pub(crate) fn causes(&self) -> Vec<Cause> {
        self.without.iter().filter_map(|shed| shed.why.as_ref()).map(refused).collect()
    }

    /// What is settled of the record: the fields that were left out keep what was settled of them before.
    pub(crate) fn settled(&self) -> Cow<'_, Case> {
        if self.without.is_empty() {
            return Cow::Borrowed(&self.case);
        }
        let mut case = self.case.clone();
        let names: Vec<FieldName> = self.without.iter().flat_map(|shed| shed.open.clone()).collect();
        let before = case.before.as_ref();
        let target = before.and_then(|before| before.base.as_deref()).unwrap_or_default();
        let source = before.and_then(|before| before.mapped.as_deref()).unwrap_or(target);
        let mapped = base::keeping(case.mapped_base.as_deref().unwrap_or(&case.base), source, &names);
        let there = base::keeping(&case.base, target, &names);
        case.mapped_base = (mapped != there).then_some(mapped);
        case.base = there;
        Cow::Owned(case)
    }
}
