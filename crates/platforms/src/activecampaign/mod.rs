//! ActiveCampaign, API v3.
//!
//! Owned here: the objects, their fields, both notations, the meaning of refusals.
//!
//! Invariants:
//! - Nothing is believed that the platform does not tell for certain: what lists leave out is asked for record by
//!   record, and never read as empty ([`reader`]).
//! - Contacts are listed behind an id, everything else by offsets with an anchor on each page ([`decode`]).
//! - Nothing is upserted: an address that is taken is a conflict, and no silent merge ([`write`]).
//! - Deliberately absent: bulk import (its result does not say which id is whose), custom objects, campaigns and
//!   everything of v1.

mod auth;
mod decode;
mod encode;
mod events;
mod faults;
mod form;
mod hooks;
mod known;
mod link;
mod mark;
mod object;
mod reader;
mod removal;
mod schema;
mod system;
mod write;

use handover_connect::{
    Capabilities, Count, Credentials, Cursor, Delivery, Dialect, Event, Fault, Limit, LimitTold, Links, Lookup,
    ObjectCapabilities, Operation, Refusal, Reply, Request, Span, Step, Upsert,
};
use handover_model::{FieldName, ObjectName, Schema};

use known::Known;
use object::{BURST, CALL, Object, PAGE};

/// How long lists and searches may lag behind a write, as far as is known (sheet: ActiveCampaign section 4 \[unsure\]).
const LAG_MS: u64 = 15_000;

/// ActiveCampaign's dialect.
pub struct ActiveCampaign {
    capabilities: Capabilities,
    known: Known,
}

impl ActiveCampaign {
    /// The dialect, knowing the system fields only until it learns a schema.
    pub fn new() -> Self {
        Self { capabilities: capabilities(), known: Known::default() }
    }
}

impl Default for ActiveCampaign {
    fn default() -> Self {
        Self::new()
    }
}

impl Dialect for ActiveCampaign {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn objects(&self) -> Vec<ObjectName> {
        Object::ALL.into_iter().map(|object| object.name().into()).collect()
    }

    fn encode(&self, operation: &Operation, cursor: Option<&Cursor>) -> Result<Request, Refusal> {
        encode::request(&self.known, operation, cursor)
    }

    fn decode(&self, operation: &Operation, cursor: Option<&Cursor>, reply: &Reply) -> Result<Step, Fault> {
        decode::step(&self.known, operation, cursor, reply)
    }

    fn authorize(&self, request: &mut Request, credentials: &Credentials) {
        auth::authorize(request, credentials);
    }

    fn limits_told(&self, reply: &Reply) -> Vec<LimitTold> {
        let number = |name: &str| reply.header(name).and_then(|value| value.trim().parse::<u64>().ok());
        let (total, remaining) = (number("ratelimit-limit"), number("ratelimit-remaining"));
        if total.is_some() || remaining.is_some() { vec![(BURST, total, remaining)] } else { Vec::new() }
    }

    fn events(&self, delivery: &Delivery<'_>) -> Result<Vec<Event>, Fault> {
        events::told(delivery)
    }

    fn subscriptions(&self, object: &ObjectName, _: &[FieldName]) -> Vec<String> {
        events::subscriptions(object.as_str())
    }

    fn learn(&self, schema: &Schema) {
        self.known.learn(schema);
    }
}

/// What ActiveCampaign can do. The limit is the account's, whoever asks (section 6 \[doc\]).
fn capabilities() -> Capabilities {
    Capabilities {
        platform: "activecampaign",
        objects: Object::ALL.into_iter().map(object_capabilities).collect(),
        custom: None,
        limits: vec![Limit { name: BURST, amount: 5, span: Span::Rolling(1_000) }],
        ending: Vec::new(),
        automations: false,
        create_fields: true,
    }
}

fn object_capabilities(object: Object) -> ObjectCapabilities {
    let call = || CALL.to_vec();
    ObjectCapabilities {
        object: object.name().into(),
        list_page: PAGE,
        list_charges: call(),
        fetch_batch: if object == Object::Contacts { PAGE } else { 1 },
        fetch_charges: call(),
        write_batch: 1,
        write_charges: call(),
        bulk: None,
        // By e-mail only, which is no key of ours, and two people with one address become one in silence.
        upsert: Upsert::None,
        lookup: Lookup::ByIndex { lag_ms: LAG_MS },
        // Recorded for these (section 2 [rec]); of tasks no total is known.
        count: if object == Object::Tasks { Count::NotTold } else { Count::Told },
        links: Links::Inline,
        content: false,
        delete_batch: 1,
        delete_charges: call(),
        merge_charges: None,
        // In the application, without a trace in the API (section 2).
        people_merge: matches!(object, Object::Contacts | Object::Accounts),
        history_batch: 0,
        history_charges: Vec::new(),
        fetch_follows_merges: false,
        merge_marks: None,
        keeps_deleted: false,
        // A contact's account and a deal's further contacts have rows of their own, which do not touch them as far as
        // is known (section 4 [unsure]).
        links_touch: !matches!(object, Object::Contacts | Object::Deals),
        // No feed of deletions (section 4).
        lists_deleted: false,
        feeds: false,
        bin_is_quiet: true,
        lists_since: object.lists_since(),
        through: &[],
        written_behind: &[],
    }
}
