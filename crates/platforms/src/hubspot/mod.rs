//! HubSpot: companies, contacts, products, deals with their line items, tickets, activities, files, and objects that a portal made.
//!
//! Text in, text out. What a reply leaves open (links, files, pipelines) becomes a continuation whose
//! state stands in the cursor.
//!
//! Invariants:
//! - Records are listed by the plain list, which has no ceiling and no lag; the search index serves only
//!   "changed since", by a keyset that cannot lose records of one time stamp, and numbers.
//! - Rows of a batch are joined by the trace that we gave them, never by place.
//! - No message repeats a value that was written.
//!
//! Deliberately absent: links to a portal's own objects from HubSpot's, between its records of one object, and of
//! activities; events of such objects; leads, quotes; association labels of the portal's
//! own; moving `lifecyclestage` backwards (it wants to be cleared in a request before, sheet: HubSpot
//! section 9, trap 4 \[doc\]); what the credentials lack before a call is refused.

mod account;
mod associations;
mod attached;
mod auth;
mod capabilities;
mod decode;
mod encode;
mod events;
mod faults;
mod files;
mod gather;
mod history;
mod json;
mod links;
mod objects;
mod place;
mod reading;
mod removal;
mod rows;
mod schema;
mod values;
mod write;

use handover_connect::{
    Capabilities, Credentials, Cursor, Delivery, Dialect, Door, Event, Fault, LimitTold, Operation, Refusal, Reply,
    Request, Step,
};
use handover_model::{FieldName, ObjectName, Schema};

use crate::learnt::Learnt;
use crate::marks;

/// The HubSpot dialect.
///
/// Values are read by the types that [`Dialect::learn`] was told; a property of an object that was not
/// described is text.
///
/// Numbers of records are the search's `total`. It counts live records only and trails writes by moments
/// up to minutes (sheet: HubSpot section 4 \[doc, obs\]): it is the system's own number once it was left in
/// peace for that long, and no proof while it is written to.
pub struct HubSpot {
    capabilities: Capabilities,
    learnt: Learnt,
}

impl HubSpot {
    /// A dialect that has learnt nothing yet.
    pub fn new() -> Self {
        Self { capabilities: capabilities::table(), learnt: Learnt::default() }
    }
}

impl Default for HubSpot {
    fn default() -> Self {
        Self::new()
    }
}

impl Dialect for HubSpot {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn objects(&self) -> Vec<ObjectName> {
        objects::OBJECTS.iter().map(|object| object.name.into()).collect()
    }

    fn encode(&self, operation: &Operation, cursor: Option<&Cursor>) -> Result<Request, Refusal> {
        encode::request(operation, marks::of(cursor)?, self.learnt.schema_for(operation))
    }

    fn decode(&self, operation: &Operation, cursor: Option<&Cursor>, reply: &Reply) -> Result<Step, Fault> {
        let place = marks::of(cursor).map_err(Fault::from)?;
        decode::step(operation, place, reply, self.learnt.schema_for(operation))
    }

    fn authorize(&self, request: &mut Request, credentials: &Credentials) {
        auth::authorize(request, credentials);
    }

    fn door(&self) -> &'static Door {
        &auth::DOOR
    }

    fn scopes(&self, objects: &[(ObjectName, bool)]) -> Vec<String> {
        auth::scopes(objects)
    }

    fn limits_told(&self, reply: &Reply) -> Vec<LimitTold> {
        auth::limits_told(reply)
    }

    fn events(&self, delivery: &Delivery<'_>) -> Result<Vec<Event>, Fault> {
        events::told(delivery)
    }

    fn subscriptions(&self, object: &ObjectName, fields: &[FieldName]) -> Vec<String> {
        events::subscriptions(object.as_str(), fields)
    }

    fn learn(&self, schema: &Schema) {
        self.learnt.learn(schema);
    }
}
