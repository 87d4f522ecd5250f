//! Microsoft Dynamics 365: standard tables of sales and service, and those that a customer made.
//!
//! Text in, text out, over the Dataverse Web API, version 9.2 (sheet: Dynamics). What one request leaves open becomes a
//! continuation whose state stands in the cursor.
//!
//! Invariants:
//! - The links to next pages are followed as they stand, at the environment's own address.
//! - The parts of a batch are answered in the order in which they were sent (sheet: Dynamics section 5.3): an answer with
//!   another number of parts is no answer, and what became of the rows is unknown.
//! - A lookup is read by one name and written by another, which differ between environments (sections 5.1, 9): a schema
//!   keeps both ([`Schema::own`]). So nothing is written to a table that was not described.
//! - A lookup that may lead to several tables (`customerid`) is one field for each of them (`customerid.account`), and
//!   what it leads to beyond them is shown by the field itself, which is read only.
//! - An update never makes a record: `If-Match` says that it must be there.
//! - No message of the platform's is repeated: what values stand in it nobody knows.
//!
//! Deliberately absent: bulk actions (all rows or none, and not a word about which one is bad); search (an index that lags);
//! the history of fields; sending e-mail; elastic and virtual tables; files and pictures in columns.

mod account;
mod auth;
mod batch;
mod capabilities;
mod closing;
mod decode;
mod definition;
mod encode;
mod events;
mod faults;
mod feed;
mod fetch;
mod fields;
mod files;
mod guid;
mod links;
mod objects;
mod place;
mod query;
mod reading;
mod removal;
mod rows;
mod schema;
mod values;
mod write;

use std::sync::{PoisonError, RwLock};

use handover_connect::{
    Capabilities, Credentials, Cursor, Delivery, Dialect, Door, Event, Fault, LimitTold, Operation, Refusal, Reply,
    Request, Step,
};
use handover_model::{FieldName, ObjectName, Schema};

use crate::learnt::Learnt;
use crate::marks;

/// The Dynamics dialect.
pub struct Dynamics {
    capabilities: Capabilities,
    learnt: Learnt,
    /// The environment's address: what tokens are sold for.
    environment: RwLock<String>,
}

impl Dynamics {
    /// A dialect that has learnt nothing yet.
    pub fn new() -> Self {
        Self { capabilities: capabilities::table(), learnt: Learnt::default(), environment: RwLock::default() }
    }

    fn environment(&self) -> String {
        self.environment.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Default for Dynamics {
    fn default() -> Self {
        Self::new()
    }
}

impl Dialect for Dynamics {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn objects(&self) -> Vec<ObjectName> {
        objects::OBJECTS.iter().map(|object| object.name.into()).collect()
    }

    fn encode(&self, operation: &Operation, cursor: Option<&Cursor>) -> Result<Request, Refusal> {
        let learnt = self.learnt.schema_for(operation);
        encode::request(operation, marks::of(cursor)?, learnt.as_deref(), &self.environment())
    }

    fn decode(&self, operation: &Operation, cursor: Option<&Cursor>, reply: &Reply) -> Result<Step, Fault> {
        let place = marks::of(cursor).map_err(Fault::from)?;
        decode::step(operation, place, reply, self.learnt.schema_for(operation).as_deref())
    }

    fn authorize(&self, request: &mut Request, credentials: &Credentials) {
        auth::authorize(request, credentials, &self.environment());
    }

    fn door(&self) -> &'static Door {
        &auth::DOOR
    }

    fn scopes(&self, _objects: &[(ObjectName, bool)]) -> Vec<String> {
        auth::scopes(&self.environment())
    }

    fn limits_told(&self, reply: &Reply) -> Vec<LimitTold> {
        auth::limits_told(reply)
    }

    fn events(&self, delivery: &Delivery<'_>) -> Result<Vec<Event>, Fault> {
        events::told(delivery)
    }

    fn subscriptions(&self, object: &ObjectName, _: &[FieldName]) -> Vec<String> {
        events::words(object.as_str())
    }

    fn learn(&self, schema: &Schema) {
        self.learnt.learn(schema);
    }

    fn based(&self, api_base: &str) {
        let mut environment = self.environment.write().unwrap_or_else(PoisonError::into_inner);
        api_base.trim_end_matches('/').clone_into(&mut environment);
    }
}
