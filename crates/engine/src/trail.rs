//! What the ledger tells of a record, in the form in which it is kept: a tree or a text of it would be built
//! and taken down again for every record, and costs more than everything else about the record together.

use std::sync::{MutexGuard, PoisonError};

use handover_model::{FieldName, Fields, Value};
use handover_store::{Telling, Values, Words};
use serde::Serialize;

use crate::setup::Ready;

/// Under which name it is told what a record was when it was read.
pub(crate) const SOURCE: &str = "source";

/// Under which name it is told what is written.
pub(crate) const WRITE: &str = "write";

/// What a field said before it was written.
pub(crate) const BEFORE: &str = "before";

/// What is told of a record, part by part.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trail(Telling);

impl Trail {
    /// Nothing told yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Tells one thing. What cannot be JSON is left out: nothing that the engine tells is of that kind.
    pub(crate) fn tell(&mut self, ready: &Ready, name: &str, value: &impl Serialize) {
        if let Ok(text) = serde_json::to_string(value) {
            self.0.json(&mut words(ready), name, &text);
        }
    }

    /// Tells a text.
    pub(crate) fn text(&mut self, ready: &Ready, name: &str, text: &str) {
        self.0.text(&mut words(ready), name, text);
    }

    /// Tells fields with their values; nothing when there is none.
    pub(crate) fn fields<'f>(
        &mut self,
        ready: &Ready,
        name: &str,
        fields: impl Iterator<Item = (&'f FieldName, &'f Value)>,
    ) {
        self.0.fields(&mut words(ready), name, fields);
    }

    /// Tells what is written of a record of which the source was told first.
    pub(crate) fn write(&mut self, ready: &Ready, fields: &Fields, source: &Fields) {
        self.0.repeating(&mut words(ready), WRITE, fields.iter(), source);
    }

    /// All of it.
    pub(crate) fn end(self, ready: &Ready) -> Values {
        self.0.end(&mut words(ready))
    }
}

/// The names that a flow's records are told with.
fn words(ready: &Ready) -> MutexGuard<'_, Words> {
    ready.words.lock().unwrap_or_else(PoisonError::into_inner)
}
