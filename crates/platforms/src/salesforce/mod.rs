//! Salesforce: its standard objects and those that a customer made.
//!
//! Text in, text out, over the REST interface, version 66.0, and SOAP for merging (sheet: Salesforce). What one request leaves open becomes
//! a continuation whose state stands in the cursor.
//!
//! Invariants:
//! - A list resumes however old its position is: by the path of the next page while the platform knows it, else
//!   behind the last id that was read. One that is large is read by a job, which is gone on with while it is there.
//! - The rows of a collection come back in the order in which they were sent, and nothing else joins them (sheet:
//!   Salesforce section 5.2): an answer with another number of rows, or with another id than a row was sent with,
//!   is no answer, and what became of the rows is unknown.
//! - What became of the rows of a job is joined by the key or the id that each row has, never by order; a row that no
//!   result names is unknown.
//! - A field that can point to several objects (`WhatId`) is one field for each of them (`WhatId.Account`), which the
//!   beginnings of ids tell apart. What it points to beyond the objects that are carried is shown by the field itself,
//!   which is read only.
//! - No message repeats a value that was written.
//!
//! Deliberately absent: search (an index that lags); the conversion of leads (SOAP alone); webhooks (there are
//! none for records); dependencies between choices (one entry may belong to several entries of the other
//! field); the subsets of choices that record types allow (not among an object's description); a leave for duplicates
//! that only warn (a person answers those).

mod account;
mod auth;
mod before;
mod bulk;
mod capabilities;
mod decode;
mod encode;
mod faults;
mod fetch;
mod fields;
mod files;
mod ids;
mod ingest;
mod jobs;
mod links;
mod notes;
mod objects;
mod place;
mod prices;
mod reading;
mod removal;
mod rows;
mod schema;
mod soap;
mod soql;
mod values;
mod write;

use handover_connect::{
    Capabilities, Credentials, Cursor, Dialect, Door, Fault, LimitTold, Operation, Refusal, Reply, Request, Step,
};
use handover_model::{ObjectName, Schema};

use jobs::Jobs;

use crate::learnt::Learnt;
use crate::marks;

/// The Salesforce dialect.
///
/// Values are read by the types that [`Dialect::learn`] was told; before, days and instants are text.
pub struct Salesforce {
    capabilities: Capabilities,
    learnt: Learnt,
    jobs: Jobs,
}

impl Salesforce {
    /// A dialect that has learnt nothing yet.
    pub fn new() -> Self {
        Self { capabilities: capabilities::table(), learnt: Learnt::default(), jobs: Jobs::default() }
    }

    /// The same, which reads by a job what stands behind the first page of a list where that are `from` rows or more,
    /// `page` rows with a call.
    #[must_use]
    pub fn with_jobs(self, from: u64, page: u32) -> Self {
        Self { jobs: Jobs { from, page }, ..self }
    }
}

impl Default for Salesforce {
    fn default() -> Self {
        Self::new()
    }
}

impl Dialect for Salesforce {
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

    fn learn(&self, schema: &Schema) {
        self.learnt.learn(schema);
    }
}
