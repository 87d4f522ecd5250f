//! What the engine can ask of a system.

use std::path::PathBuf;
use std::sync::Arc;

use handover_model::{Content, Field, FieldName, Fields, ObjectName, RecordId, Value};
use jiff::Timestamp;

use crate::{Fault, Subscribe};

/// Where an operation goes on: a page's cursor, or a dialect's own note about a step in the middle.
/// Only the dialect that made it reads it; it is stored, so that reading resumes after a crash.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

/// One thing asked of a system. Each may take several requests (see [`crate::Step`]).
#[derive(Clone, Debug)]
pub enum Operation {
    /// Who are we, and what may we do?
    Account,
    /// The objects that the customer made. Answered by [`crate::Step::Objects`].
    Objects,
    /// An object's fields.
    Describe(ObjectName),
    /// All users, inactive ones too.
    Users,
    /// Workflows and the like that act when records are written.
    Automations,
    /// How many live records an object has.
    Count(ObjectName),
    /// Records of an object, page by page.
    List(Read),
    /// What happened to an object's records since an earlier reading. Answered by [`crate::Step::Fed`]; refused as
    /// unsupported where the account does not tell it of this object, as denied where not to this user, and as not
    /// found where the token counts no more.
    Feed {
        /// The object.
        object: ObjectName,
        /// What that reading left; `None` to begin: then all live records come, and behind them the first token.
        token: Option<Cursor>,
    },
    /// Records by their ids. Ids that no longer exist are simply not among the results; an id that was
    /// merged away may bring a record with another id.
    Fetch {
        /// The object.
        object: ObjectName,
        /// The fields.
        fields: Arc<[FieldName]>,
        /// At most `fetch_batch` ids.
        ids: Vec<RecordId>,
    },
    /// A field that lists do not bring, for some records. Yields records with that field only.
    Enrich {
        /// The object.
        object: ObjectName,
        /// The field, one with [`handover_model::ReadCost::Extra`].
        field: FieldName,
        /// At most `per_call` ids.
        ids: Vec<RecordId>,
    },
    /// Records that may be what came of writes whose answers were lost: found by the key field, or by
    /// listing what was made since, or through the records pointed to. Yields candidates with `fields`
    /// read; the engine decides which is which.
    Candidates {
        /// The batch whose answer was lost.
        batch: WriteBatch,
        /// The fields to read.
        fields: Arc<[FieldName]>,
        /// A little before the write was sent.
        since: Timestamp,
    },
    /// Creates, updates or upserts records.
    Write(WriteBatch),
    /// Adds links between existing records.
    Link(LinkBatch),
    /// Takes links away; taking away one that is not there is success.
    Unlink(LinkBatch),
    /// Deletes records, into the platform's bin where it has one. Answered by [`crate::Step::Written`] with the ids
    /// as traces; a record that is gone already counts as deleted. Where fetches follow merges, an id that was merged
    /// away may stand for the record that it became, so such an id is looked up before it is deleted.
    Delete {
        /// The object.
        object: ObjectName,
        /// At most `delete_batch` ids.
        ids: Vec<RecordId>,
    },
    /// Merges one record into another, which no platform undoes. Answered by [`crate::Step::Written`] with one
    /// result, traced by `survivor`, whose id is the one that the record has from now on.
    Merge {
        /// The object.
        object: ObjectName,
        /// The record that stays and whose values win.
        survivor: RecordId,
        /// The record that is merged into it.
        other: RecordId,
    },
    /// Who changed fields last, and when. Answered by [`crate::Step::History`]. Of records that are gone, and of
    /// fields that have no history (links), nothing is told; when none of the fields has one, it is refused.
    History {
        /// The object.
        object: ObjectName,
        /// The fields.
        fields: Arc<[FieldName]>,
        /// At most `history_batch` ids.
        ids: Vec<RecordId>,
    },
    /// Reads a file's bytes into a file.
    Download {
        /// The object.
        object: ObjectName,
        /// The record.
        id: RecordId,
        /// Where the bytes go.
        to: PathBuf,
    },
    /// Creates a custom field.
    CreateField {
        /// The object.
        object: ObjectName,
        /// The field wanted; its name is a wish where the platform assigns names.
        field: Field,
    },
    /// What the platform tells us by webhooks. Answered by [`crate::Step::Subscriptions`], which names none where some
    /// were added or removed; refused as unsupported where people make them in the platform's settings.
    Subscriptions(Subscribe),
    /// Buys an access token with whatever the credentials are.
    Refresh,
    /// Asks for a code with which a person lets the app in from another device. Answered by [`crate::Step::Device`].
    Device {
        /// The app's id.
        client_id: String,
    },
}

impl Operation {
    /// Whether a lost answer to it leaves records of which nobody knows what became of them.
    pub(crate) fn changes_records(&self) -> bool {
        matches!(self, Self::Write(_) | Self::Delete { .. } | Self::Merge { .. })
    }

    /// Whether it needs no access token, since it is about getting one.
    pub(crate) fn is_about_tokens(&self) -> bool {
        matches!(self, Self::Refresh | Self::Device { .. })
    }

    /// The object and the fields that are asked for; `None` of an operation that yields no records.
    pub fn wanted(&self) -> Option<(&ObjectName, &[FieldName])> {
        match self {
            Self::List(read) => Some((&read.object, &read.fields)),
            Self::Feed { object, .. } => Some((object, &[])),
            Self::Fetch { object, fields, .. } => Some((object, fields)),
            Self::Candidates { batch, fields, .. } => Some((&batch.object, fields)),
            Self::Enrich { object, field, .. } => Some((object, std::slice::from_ref(field))),
            _ => None,
        }
    }
}

/// Which records to list.
#[derive(Clone, Debug)]
pub struct Read {
    /// The object.
    pub object: ObjectName,
    /// The fields; dialects read no others (some bring more: they are dropped).
    pub fields: Arc<[FieldName]>,
    /// Live or deleted ones.
    pub which: Which,
    /// Only those modified at or after this time.
    pub since: Option<Timestamp>,
}

/// Live or deleted records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those that users see, archived deals and the like included.
    Live,
    /// Those that were deleted and that the system still remembers.
    Deleted,
}

/// Records to be written in one operation, all in the same mode.
#[derive(Clone, Debug)]
pub struct WriteBatch {
    /// The object.
    pub object: ObjectName,
    /// Create, update or upsert.
    pub mode: WriteMode,
    /// At most `write_batch` records, or as many as [`crate::Bulk`] says.
    pub writes: Arc<[Write]>,
}

impl WriteBatch {
    /// Whether what comes of each write is told apart: by its id, or by what stands in the key field.
    #[must_use]
    pub fn is_keyed(&self) -> bool {
        let key = match &self.mode {
            WriteMode::Update => return true,
            WriteMode::Create { key: None } => return false,
            WriteMode::Create { key: Some(key) } | WriteMode::Upsert { key } => key.as_str(),
        };
        self.writes.iter().all(|write| write.fields.get(key).is_some_and(|value| !value.is_blank()))
    }
}

/// How records are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteMode {
    /// New records. `key` names the field that carries the source key where the object has one.
    Create {
        /// The key field.
        key: Option<FieldName>,
    },
    /// Existing records, by their ids.
    Update,
    /// Either, by a unique field that each write has among its fields.
    Upsert {
        /// The unique field.
        key: FieldName,
    },
}

/// One record to be written.
#[derive(Clone, Debug)]
pub struct Write {
    /// What the result is joined by; unique within the batch.
    pub trace: RecordId,
    /// The target id, for updates.
    pub id: Option<RecordId>,
    /// What to write. [`handover_model::Value::Null`] clears a field.
    pub fields: Arc<Fields>,
    /// The bytes, for files.
    pub content: Option<Content>,
}

impl Write {
    /// The values as text: what the message of a fault must not repeat.
    pub fn values(&self) -> Vec<String> {
        fn gather(value: &Value, into: &mut Vec<String>) {
            match value {
                Value::List(items) => items.iter().for_each(|item| gather(item, into)),
                Value::Map(parts) => parts.values().for_each(|part| gather(part, into)),
                Value::Null | Value::Bool(_) => {}
                value => into.push(value.display()),
            }
        }
        let mut values = Vec::new();
        self.fields.iter().for_each(|(_, value)| gather(value, &mut values));
        values
    }
}

/// What became of one write.
#[derive(Clone, Debug)]
pub struct Written {
    /// The write's `trace`.
    pub trace: RecordId,
    /// Its outcome.
    pub outcome: WriteOutcome,
}

/// A write is never merely "failed": a lost answer may have been applied.
#[derive(Clone, Debug)]
pub enum WriteOutcome {
    /// Confirmed by the system.
    Applied {
        /// The target id.
        id: RecordId,
        /// Whether an upsert made a new record; `None` where the system does not say.
        created: Option<bool>,
    },
    /// Certainly not applied.
    Refused(Fault),
    /// Perhaps applied: to be looked up before anything else is tried.
    Unknown(Fault),
}

/// Links to be added in one operation, all of the same field.
#[derive(Clone, Debug)]
pub struct LinkBatch {
    /// The object that has the field.
    pub object: ObjectName,
    /// The reference field.
    pub field: FieldName,
    /// The object pointed to.
    pub to_object: ObjectName,
    /// At most `per_call` links.
    pub links: Arc<[Link]>,
}

/// One link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The record that points.
    pub from: RecordId,
    /// The record pointed to.
    pub to: RecordId,
}

/// What became of one link. Adding a link that exists is success.
#[derive(Clone, Debug)]
pub struct LinkOutcome {
    /// The link.
    pub link: Link,
    /// `Err` when the system refused it.
    pub result: Result<(), Fault>,
}

/// The last change of one field of one record, as the platform's history tells it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Change {
    /// The record.
    pub record: RecordId,
    /// The field.
    pub field: FieldName,
    /// When it was changed, by the platform's clock.
    pub at: Timestamp,
    /// Who changed it.
    pub by: Author,
}

/// Who changed something, as far as the platform tells.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Author {
    /// A person; the id where it is told, as histories write it. It need not be the one that records are assigned
    /// by (HubSpot: the user's, not the owner's).
    Person(Option<String>),
    /// A program, through the API: ours or another. What it is told by, where that is told: the app (HubSpot), the
    /// user whose token it has (Pipedrive).
    Program(Option<String>),
    /// A workflow or another machinery of the platform.
    Platform,
    /// It does not say.
    Unknown,
}
