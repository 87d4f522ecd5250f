//! What dialects keep in cursors: their own notes about an operation in the middle, JSON text to everybody else.

use handover_connect::{Cursor, Fault, FaultKind, Refusal, Step};
use handover_model::FieldName;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A note about an operation in the middle.
pub(crate) trait Mark: Serialize {
    /// As a cursor.
    fn cursor(&self) -> Cursor {
        // Notes are plain data with text keys, which always have a JSON form.
        Cursor(serde_json::to_string(self).unwrap_or_default())
    }

    /// Going on here at once.
    fn then(&self) -> Step {
        self.after(0)
    }

    /// Going on here after so many milliseconds.
    fn after(&self, wait_ms: u64) -> Step {
        Step::Then { cursor: self.cursor(), wait_ms, instead_of: None }
    }

    /// Going on here at once, instead of what failed.
    fn instead_of(&self, fault: Fault) -> Step {
        Step::Then { cursor: self.cursor(), wait_ms: 0, instead_of: Some(fault) }
    }
}

impl<T: Serialize> Mark for T {}

/// The note in a cursor, to encode its request; `None` at the beginning.
///
/// # Errors
/// When another dialect, or another operation, made the cursor.
pub(crate) fn of<T: DeserializeOwned>(cursor: Option<&Cursor>) -> Result<Option<T>, Refusal> {
    let read = |cursor: &Cursor| {
        serde_json::from_str(&cursor.0)
            .map_err(|error| Refusal::unsupported(format!("the position is not one of this dialect: {error}")))
    };
    cursor.map(read).transpose()
}

/// The note in a cursor, to decode its reply.
///
/// # Errors
/// When another dialect, or another operation, made the cursor.
pub(crate) fn sent<T: DeserializeOwned>(cursor: Option<&Cursor>) -> Result<Option<T>, Fault> {
    of(cursor).map_err(|refusal| Fault::malformed(refusal.message))
}

/// The refusal of a note that belongs to another operation.
pub(crate) fn foreign() -> Refusal {
    Refusal::unsupported("the position is not one of this operation")
}

/// A refusal that is kept while the operation goes on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Refused {
    kind: FaultKind,
    code: String,
    message: String,
    field: Option<FieldName>,
    status: u16,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    clashing: Vec<String>,
}

impl From<&Fault> for Refused {
    fn from(fault: &Fault) -> Self {
        let Fault { kind, code, message, field, status, detail } = fault.clone();
        Self { kind, code, message, field, status, clashing: detail.clashing }
    }
}

impl Refused {
    /// The fault again.
    pub(crate) fn fault(self) -> Fault {
        let mut fault = Fault::new(self.kind, self.code, self.message).with_status(self.status);
        (fault.field, fault.detail.clashing) = (self.field, self.clashing);
        fault
    }
}

/// Whether a refusal of a request with one row says that the row was at fault.
pub(crate) fn is_about_the_row(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::Invalid | FaultKind::Conflict | FaultKind::NotFound) && fault.status < 500
}
