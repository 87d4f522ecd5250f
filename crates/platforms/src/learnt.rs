//! What dialects were told of fields, for all threads.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use handover_connect::Operation;
use handover_model::{ObjectName, Schema};

/// The schemas that a dialect learnt, the last one of each object.
#[derive(Default)]
pub(crate) struct Learnt(RwLock<HashMap<ObjectName, Arc<Schema>>>);

impl Learnt {
    /// Keeps a schema, in place of what was known before.
    pub(crate) fn learn(&self, schema: &Schema) {
        let mut learnt = self.0.write().unwrap_or_else(PoisonError::into_inner);
        learnt.insert(schema.object.clone(), Arc::new(schema.clone()));
    }

    /// What is known of the object whose records an operation is about.
    pub(crate) fn schema_for(&self, operation: &Operation) -> Option<Arc<Schema>> {
        let object = match operation {
            Operation::List(read) => &read.object,
            Operation::Count(object)
            | Operation::Feed { object, .. }
            | Operation::Fetch { object, .. }
            | Operation::Enrich { object, .. }
            | Operation::Delete { object, .. }
            | Operation::Merge { object, .. }
            | Operation::Download { object, .. }
            | Operation::CreateField { object, .. } => object,
            Operation::Write(batch) | Operation::Candidates { batch, .. } => &batch.object,
            Operation::Link(batch) | Operation::Unlink(batch) => &batch.object,
            _ => return None,
        };
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(object).cloned()
    }
}
