//! Fields that the source blanks: in how many of a flow's changed records one is blank that was not before.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use handover_model::{FieldName, FlowName};

/// How many of a flow's changed records have a field blank that was not before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cleared {
    /// The flow.
    pub flow: FlowName,
    /// The target field.
    pub field: FieldName,
    /// Records in which it is blank now.
    pub records: u64,
    /// Of so many that changed.
    pub of: u64,
}

/// Counts them while a pass works.
#[derive(Debug, Default)]
pub(crate) struct Clearing(Mutex<BTreeMap<FlowName, Changed>>);

#[derive(Debug, Default)]
struct Changed {
    records: u64,
    blank: BTreeMap<FieldName, u64>,
}

impl Clearing {
    /// Takes note of a changed record and of its fields that are blank now.
    pub(crate) fn note<'f>(&self, flow: &FlowName, blank: impl Iterator<Item = &'f FieldName>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = all.entry(flow.clone()).or_default();
        changed.records += 1;
        blank.for_each(|field| *changed.blank.entry(field.clone()).or_default() += 1);
    }

    /// What was counted.
    pub(crate) fn told(&self) -> Vec<Cleared> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut told = Vec::new();
        for (flow, changed) in &*all {
            told.extend(changed.blank.iter().map(|(field, records)| Cleared {
                flow: flow.clone(),
                field: field.clone(),
                records: *records,
                of: changed.records,
            }));
        }
        told
    }
}
