//! What the engine sees of a system.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use handover_model::{Account, Automation, Content, Field, FieldName, ObjectName, Record, RecordId, Schema, User};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::{
    Capabilities, Change, Cursor, Delivery, Event, Fault, LinkBatch, LinkOutcome, Read, Refusal, Spent, Subscription,
    WriteBatch, WriteOutcome, Written,
};

/// One page of records.
#[derive(Clone, Debug)]
pub struct Page {
    /// The records.
    pub records: Vec<Record>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Cursor>,
}

/// One page of what happened to an object's records since an earlier reading.
#[derive(Clone, Debug)]
pub struct Fed {
    /// Records without fields: those that changed, were made or came back, and marked as gone those that were deleted or
    /// merged away. Some may be told again that an earlier reading told.
    pub records: Vec<Record>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Cursor>,
    /// At the end: what a later reading goes on from. `None` where the system left nothing.
    pub token: Option<Cursor>,
}

/// A system, whatever is behind it: the HTTP driver with a dialect, files, a database, an overlay.
///
/// Contract for writes: the answer has one [`Written`] for each write of the batch, joined by `trace`.
/// `Err` of [`Connector::write`] means that certainly *nothing* of the batch was applied.
#[async_trait]
pub trait Connector: Send + Sync {
    /// What the system can do.
    fn capabilities(&self) -> &Capabilities;

    /// Its objects, without those that the customer made.
    fn objects(&self) -> Vec<ObjectName>;

    /// The objects that the customer made, whether they can be carried ([`Capabilities::custom`]) or not.
    async fn custom_objects(&self) -> Result<Vec<ObjectName>, Fault> {
        Ok(Vec::new())
    }

    /// Who we are there.
    async fn account(&self) -> Result<Account, Fault>;

    /// An object's fields. Call it before reading or writing the object.
    async fn describe(&self, object: &ObjectName) -> Result<Schema, Fault>;

    /// All users, inactive ones too.
    async fn users(&self) -> Result<Vec<User>, Fault>;

    /// What acts on its own when records are written; `None` where the platform does not tell.
    async fn automations(&self) -> Result<Option<Vec<Automation>>, Fault>;

    /// How many live records the system says it has; `None` where it does not tell.
    async fn count(&self, object: &ObjectName) -> Result<Option<u64>, Fault>;

    /// One page of a list. A record that moved while the list was read, or that is read through several
    /// others, comes again: the first copy counts.
    async fn page(&self, read: &Read, cursor: Option<&Cursor>) -> Result<Page, Fault>;

    /// One page of what happened to an object's records since the reading that left `token`, or of all that live where
    /// there is none (see [`crate::Operation::Feed`]).
    ///
    /// # Errors
    /// A fault of kind `Unsupported` or `Denied` where it is not told, `NotFound` where the token counts no more.
    async fn feed(&self, object: &ObjectName, _token: Option<&Cursor>, _cursor: Option<&Cursor>) -> Result<Fed, Fault> {
        Err(Refusal::no_feed(object).into())
    }

    /// Records by their ids, any number; those that no longer exist are not among the results.
    async fn fetch(
        &self,
        object: &ObjectName,
        fields: &Arc<[FieldName]>,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, Fault>;

    /// A field that lists do not bring, for any number of records; records without it are left out.
    async fn enrich(&self, object: &ObjectName, field: &FieldName, ids: &[RecordId]) -> Result<Vec<Record>, Fault>;

    /// Records that may be what came of a batch whose answer was lost.
    async fn candidates(
        &self,
        batch: &WriteBatch,
        fields: &Arc<[FieldName]>,
        since: Timestamp,
    ) -> Result<Vec<Record>, Fault>;

    /// Why a batch would be refused before anything of it is sent, from what is known without asking the system. `None`
    /// where it would be sent.
    fn refuses(&self, _batch: &WriteBatch) -> Option<Fault> {
        None
    }

    /// Writes a batch of at most `write_batch` records, or a large one (see [`crate::Bulk`]).
    async fn write(&self, batch: &WriteBatch) -> Result<Vec<Written>, Fault>;

    /// Adds at most `per_call` links.
    async fn link(&self, batch: &LinkBatch) -> Result<Vec<LinkOutcome>, Fault>;

    /// Takes away at most `per_call` links.
    async fn unlink(&self, batch: &LinkBatch) -> Result<Vec<LinkOutcome>, Fault>;

    /// Deletes at most `delete_batch` records; one result for each id, which is its trace. `Err` means that
    /// certainly nothing was deleted.
    async fn delete(&self, object: &ObjectName, ids: &[RecordId]) -> Result<Vec<Written>, Fault>;

    /// Merges `other` into `survivor`; the outcome has the id that the record has from now on. `Err` means that
    /// certainly nothing was merged.
    async fn merge(&self, object: &ObjectName, survivor: &RecordId, other: &RecordId) -> Result<WriteOutcome, Fault>;

    /// The last change of each of these fields, for any number of records.
    async fn history(
        &self,
        object: &ObjectName,
        fields: &Arc<[FieldName]>,
        ids: &[RecordId],
    ) -> Result<Vec<Change>, Fault>;

    /// Reads a file's bytes into `to`.
    async fn download(&self, object: &ObjectName, id: &RecordId, to: &Path) -> Result<Content, Fault>;

    /// Creates a custom field and gives it as the system made it.
    async fn create_field(&self, object: &ObjectName, field: &Field) -> Result<Field, Fault>;

    /// What a delivery of the system's webhooks tells (see [`crate::Dialect::events`]).
    ///
    /// # Errors
    /// A fault of kind `Auth`, `Malformed` or `Unsupported`.
    fn events(&self, delivery: &Delivery<'_>) -> Result<Vec<Event>, Fault>;

    /// What to register at the system so that it sends webhooks (see [`crate::Dialect::subscriptions`]).
    fn subscriptions(&self, _object: &ObjectName, _fields: &[FieldName]) -> Vec<String> {
        Vec::new()
    }

    /// What the system tells by webhooks now, to whatever address.
    ///
    /// # Errors
    /// A fault of kind `Unsupported` where this cannot be asked through its API, `Denied` where this user may not.
    async fn subscribed(&self) -> Result<Vec<Subscription>, Fault> {
        Err(Fault::unsupported("this system is not asked what it tells"))
    }

    /// Has these words (see [`Connector::subscriptions`]) told at an address from now on, by deliveries that know the
    /// secret.
    ///
    /// # Errors
    /// As [`Connector::subscribed`]; of kind `Invalid` where the platform takes no such address or secret.
    async fn subscribe(&self, _words: &[String], _url: &str, _secret: &SecretString) -> Result<(), Fault> {
        Err(Fault::unsupported("this system is not told what to tell"))
    }

    /// Ends a subscription; one that is not there is success.
    ///
    /// # Errors
    /// As [`Connector::subscribed`].
    async fn unsubscribe(&self, _id: &str) -> Result<(), Fault> {
        Err(Fault::unsupported("this system is not told what to tell"))
    }

    /// What was spent since the connector was made.
    fn spent(&self) -> Spent;

    /// How far the system's clock is ahead of ours, negative when it is behind; `None` while it has told no time.
    fn clock_ahead(&self) -> Option<SignedDuration> {
        None
    }

    /// When the account's day began, where a limit per day is known.
    fn day_began(&self, _now: Timestamp) -> Option<Timestamp> {
        None
    }

    /// Counts what was spent today in all, by this process and by others, as far as it was kept; in the unit of the
    /// limit per day.
    fn spent_today(&self, _amount: u64, _now: Timestamp) {}

    /// What was taken from the day's allowance since this was asked last, in the limit's unit.
    fn newly_spent(&self) -> u64 {
        0
    }

    /// What stands in the windows of the other limits: by limit, in its unit.
    fn windows(&self, _now: Timestamp) -> BTreeMap<String, u64> {
        BTreeMap::new()
    }

    /// Counts what stood in them when another worker ended, so long ago; `None` when nobody knows: then as much as is
    /// allowed.
    fn others_left(&self, _windows: Option<&BTreeMap<String, u64>>, _ago: SignedDuration, _now: Timestamp) {}
}
