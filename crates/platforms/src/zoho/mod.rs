//! Zoho CRM: its standard modules and those that a customer made.
//!
//! Text in, text out, over the REST interface, version 8 (sheet: Zoho). What one request leaves open becomes a
//! continuation whose state stands in the cursor.
//!
//! Invariants:
//! - A list resumes however old its position is: behind the last id that was read. Page tokens, which live for a day,
//!   are used for notes alone, which cannot be queried. One that is large is read by jobs, which are gone on with while
//!   their results are there.
//! - The rows of a batch come back in the order in which they were sent, and nothing else joins them (sheet: Zoho
//!   section 5): an answer with another number of rows, or with another id than a row was sent with, is no answer, and
//!   what became of the rows is unknown. Statuses of batches are not believed.
//! - A field that can point to several modules (`What_Id`) is one field for each of them (`What_Id.Deals`). What it
//!   points to beyond the modules that are carried is shown by the field itself, which is read only.
//! - Nothing that the platform would pass by without a word is sent: fields that it does not have or cannot write.
//! - No message repeats a value that was written.
//!
//! Deliberately absent: search (an index that lags); converted leads (lists do not show them); jobs that write, and jobs
//! that read activities (a cell does not say of which module `What_Id` is); original dates and authors (they cannot be set); rows of subforms,
//! tags, files in fields and links through modules between (shown, not written); quotes, orders and invoices as targets
//! (they cannot be without their rows); the roles of contacts in deals (a link has no place for them).

mod account;
mod archive;
mod auth;
mod capabilities;
mod coql;
mod decode;
mod encode;
mod faults;
mod fields;
mod files;
mod jobs;
mod json;
mod links;
mod objects;
mod paged;
mod phone;
mod place;
mod queried;
mod reading;
mod removal;
mod rows;
mod schema;
mod values;
mod watch;
mod write;

use handover_connect::{
    Capabilities, Credentials, Cursor, Delivery, Dialect, Door, Event, Fault, LimitTold, Operation, Refusal, Reply,
    Request, Step,
};
use handover_model::{FieldName, ObjectName, Schema};

pub use jobs::Jobs;

use crate::learnt::Learnt;
use crate::marks;

/// The Zoho CRM dialect.
///
/// Values are read and written by the types that [`Dialect::learn`] was told.
pub struct Zoho {
    capabilities: Capabilities,
    learnt: Learnt,
    jobs: Jobs,
}

impl Zoho {
    /// A dialect that has learnt nothing yet.
    pub fn new() -> Self {
        Self { capabilities: capabilities::table(), learnt: Learnt::default(), jobs: Jobs::default() }
    }

    /// The same, which reads large lists by jobs at other sizes.
    #[must_use]
    pub fn with_jobs(self, jobs: Jobs) -> Self {
        Self { jobs, ..self }
    }
}

impl Default for Zoho {
    fn default() -> Self {
        Self::new()
    }
}

impl Dialect for Zoho {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn objects(&self) -> Vec<ObjectName> {
        objects::OBJECTS.iter().map(|object| object.name.into()).collect()
    }

    fn encode(&self, operation: &Operation, cursor: Option<&Cursor>) -> Result<Request, Refusal> {
        encode::request(operation, marks::of(cursor)?, self.learnt.schema_for(operation), self.jobs)
    }

    fn decode(&self, operation: &Operation, cursor: Option<&Cursor>, reply: &Reply) -> Result<Step, Fault> {
        let place = marks::of(cursor).map_err(Fault::from)?;
        decode::step(operation, place, reply, self.learnt.schema_for(operation), self.jobs)
    }

    fn authorize(&self, request: &mut Request, credentials: &Credentials) {
        auth::authorize(request, credentials);
    }

    fn door(&self) -> &'static Door {
        &auth::DOOR
    }

    fn scopes(&self, _objects: &[(ObjectName, bool)]) -> Vec<String> {
        auth::scopes()
    }

    fn limits_told(&self, reply: &Reply) -> Vec<LimitTold> {
        auth::limits_told(reply)
    }

    fn events(&self, delivery: &Delivery<'_>) -> Result<Vec<Event>, Fault> {
        watch::told(delivery)
    }

    fn subscriptions(&self, object: &ObjectName, _: &[FieldName]) -> Vec<String> {
        watch::words(object.as_str())
    }

    fn learn(&self, schema: &Schema) {
        self.learnt.learn(schema);
    }
}
