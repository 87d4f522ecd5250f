//! Pipedrive.
//!
//! v2 of its API where it has one, v1 for leads, notes, files, users and relations (sheet: Pipedrive
//! section 0b \[spec\]). Owned here: the objects, their fields, both notations, the meaning of refusals.
//!
//! Invariants:
//! - Nothing is sent that the strict v2 would misread: numbers are numbers, ids integers, sets null and
//!   never empty (section 9 traps 5 and 9).
//! - A structured value is never written in part, since the server blanks what is left out (section 3).
//! - Deliberately absent: search (an index that lags, section 4), batch writes and upserts (there are
//!   none, section 2).

mod auth;
mod decode;
mod encode;
mod events;
mod faults;
mod flat;
mod form;
mod history;
mod hooks;
mod known;
mod lines;
mod link;
mod mail;
mod mark;
mod object;
mod prices;
mod reader;
mod removal;
mod rows;
mod schema;
mod system;
mod unlink;
mod write;

use handover_connect::{
    Capabilities, Count, Credentials, Cursor, Delivery, Dialect, Door, Event, Fault, Limit, LimitTold, Links, Lookup,
    ObjectCapabilities, Operation, Refusal, Reply, Request, Span, Step, Upsert,
};
use handover_model::{FieldName, ObjectName, Schema};

use known::Known;
use object::{BURST, DAILY, Object, SEARCH, cost};

/// Pipedrive's dialect.
pub struct Pipedrive {
    capabilities: Capabilities,
    known: Known,
}

impl Pipedrive {
    /// The dialect, knowing the system fields only until it learns a schema.
    pub fn new() -> Self {
        Self { capabilities: capabilities(), known: Known::default() }
    }
}

impl Default for Pipedrive {
    fn default() -> Self {
        Self::new()
    }
}

impl Dialect for Pipedrive {
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

    fn door(&self) -> &'static Door {
        &auth::DOOR
    }

    fn scopes(&self, objects: &[(ObjectName, bool)]) -> Vec<String> {
        auth::scopes(objects)
    }

    fn limits_told(&self, reply: &Reply) -> Vec<LimitTold> {
        let number = |name: &str| reply.header(name).and_then(|value| value.trim().parse::<u64>().ok());
        // The token headers are observed, not documented, and may be missing (section 6 [P1]).
        [
            (BURST, number("x-ratelimit-limit"), number("x-ratelimit-remaining")),
            (DAILY, number("x-daily-ratelimit-token-limit"), number("x-daily-ratelimit-token-remaining")),
        ]
        .into_iter()
        .filter(|(_, total, remaining)| total.is_some() || remaining.is_some())
        .collect()
    }

    fn events(&self, delivery: &Delivery<'_>) -> Result<Vec<Event>, Fault> {
        events::told(delivery)
    }

    fn subscriptions(&self, object: &ObjectName, fields: &[FieldName]) -> Vec<String> {
        events::subscriptions(object.as_str(), fields)
    }

    fn learn(&self, schema: &Schema) {
        self.known.learn(schema);
    }
}

/// What Pipedrive can do. Limits are those of the lowest plan with one seat and an API token; the headers
/// tell more (section 6 \[doc\]).
fn capabilities() -> Capabilities {
    Capabilities {
        platform: "pipedrive",
        objects: Object::ALL.into_iter().map(object_capabilities).collect(),
        custom: None,
        limits: vec![
            Limit { name: BURST, amount: 20, span: Span::Rolling(2_000) },
            Limit { name: SEARCH, amount: 10, span: Span::Rolling(2_000) },
            Limit { name: DAILY, amount: 30_000, span: Span::Day },
        ],
        // The calls of v1 that ended on 2026-08-01 are not used; for the others no end is told (section 0b \[doc\]).
        ending: Vec::new(),
        automations: false,
        create_fields: true,
    }
}

fn object_capabilities(object: Object) -> ObjectCapabilities {
    let is_mail = object == Object::MailMessages;
    ObjectCapabilities {
        object: object.name().into(),
        list_page: object.page(),
        list_charges: cost(object.list_cost()).to_vec(),
        fetch_batch: if object.is_v2() { 100 } else { 1 },
        fetch_charges: cost(if object.is_v2() { object.list_cost() } else { object.get_cost() }).to_vec(),
        write_batch: u32::from(!is_mail),
        write_charges: cost(object.write_cost()).to_vec(),
        bulk: None,
        upsert: Upsert::None,
        lookup: match object {
            Object::MailMessages => Lookup::None,
            _ if object.has_key() => Lookup::ByKey { keyless_lag_ms: 0 },
            _ => Lookup::ByListing,
        },
        // No list tells its total. `GET /v1/deals/summary` counts deals for 40 tokens and archived ones
        // for 80; whether those counts are exact is not documented.
        count: Count::NotTold,
        links: Links::Inline,
        content: object == Object::Files,
        delete_batch: u32::from(!is_mail),
        delete_charges: if is_mail { Vec::new() } else { cost(object.delete_cost()).to_vec() },
        merge_charges: object.has_changelog().then(|| cost(removal::MERGE_COST).to_vec()),
        people_merge: object.has_changelog(),
        history_batch: u32::from(object.has_changelog()),
        history_charges: if object.has_changelog() { cost(history::PAGE_COST).to_vec() } else { Vec::new() },
        // The merged-away id is deleted (section 4); where it went is told by webhooks only.
        fetch_follows_merges: false,
        merge_marks: None,
        // Six core entities are kept for 30 days (section 4 [doc]); of notes and files nothing is said.
        // What is taken from a deal is gone.
        keeps_deleted: object.is_v2() && object != Object::DealProducts,
        // Links that are fields change the record as any field does. Whether participants of a deal and parents
        // of an organization do, which have calls of their own, is not documented.
        links_touch: matches!(object, Object::Persons | Object::Leads | Object::Activities | Object::Notes),
        lists_deleted: object == Object::Deals,
        feeds: false,
        bin_is_quiet: false,
        lists_since: !matches!(object, Object::Files | Object::DealProducts) && !is_mail,
        through: if is_mail { mail::PARENTS } else { &[] },
        written_behind: &[],
    }
}
