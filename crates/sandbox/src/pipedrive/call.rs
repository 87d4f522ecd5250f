//! One request on its way: who asks, what was matched, and what it has changed so far.
//!
//! [`commit`] is the only door through which a record changes: it indexes the row, journals the
//! difference, writes the changelog and makes the webhook events.

use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};

use super::kind::Kind;
use super::record::Record;
use super::refusal::Refusal;
use super::time::{self, Seconds};
use super::world::{Item, World};
use super::{upheaval, webhooks};
use crate::faults::Interference;
use crate::journal::{Action, Change};
use crate::{Event, Request};

/// Who asks.
#[derive(Clone, Debug, Default)]
pub(super) struct Actor {
    pub(super) user: u64,
    /// An administrator sees everything.
    pub(super) admin: bool,
    /// The scopes of an OAuth token; none for an API token, which may do all.
    pub(super) scopes: Option<Vec<String>>,
    /// What the burst limit counts by.
    pub(super) token: String,
}

/// One request with everything that handling it needs and yields.
pub(super) struct Call<'a> {
    pub(super) request: &'a Request,
    pub(super) interference: &'a Interference,
    pub(super) now: Timestamp,
    pub(super) at: Seconds,
    pub(super) actor: Actor,
    /// What stood in the `{}` of the route's pattern.
    pub(super) path: Vec<String>,
    pub(super) changes: Vec<Change>,
    pub(super) events: Vec<Event>,
}

impl<'a> Call<'a> {
    pub(super) fn new(request: &'a Request, now: Timestamp, interference: &'a Interference) -> Self {
        Self {
            request,
            interference,
            now,
            at: now.as_second(),
            actor: Actor::default(),
            path: Vec::new(),
            changes: Vec::new(),
            events: Vec::new(),
        }
    }

    /// The n-th part of the path that the pattern left open.
    pub(super) fn part(&self, n: usize) -> &str {
        self.path.get(n).map_or("", String::as_str)
    }

    /// That part as an id; anything else names nothing.
    pub(super) fn id(&self, n: usize) -> Result<u64, Refusal> {
        self.part(n).parse().map_err(|_| Refusal::not_found())
    }

    pub(super) fn param(&self, name: &str) -> Option<&'a str> {
        self.request.param(name)
    }

    /// Refuses query parameters that the route does not have, as v2 does.
    pub(super) fn only_params(&self, known: &[&str]) -> Result<(), Refusal> {
        let unknown: Vec<_> = self
            .request
            .query
            .iter()
            .filter(|(key, _)| !known.contains(&key.as_str()) && key != "api_token")
            .map(|(key, _)| (key.clone(), format!("Parameter '{key}' is not allowed for this request")))
            .collect();
        if unknown.is_empty() { Ok(()) } else { Err(Refusal::schema(&unknown)) }
    }

    /// An integer parameter.
    pub(super) fn int_param(&self, name: &str) -> Result<Option<u64>, Refusal> {
        self.param(name)
            .map(|text| text.parse().map_err(|_| Refusal::key(name, "Expected number, received string")))
            .transpose()
    }

    /// A boolean parameter; v1 writes 0 and 1.
    pub(super) fn bool_param(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.param(name) {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(_) => Err(Refusal::key(name, "Expected boolean, received string")),
        }
    }

    /// An instant parameter of v2: whole seconds.
    pub(super) fn instant_param(&self, name: &str) -> Result<Option<Seconds>, Refusal> {
        self.param(name)
            .map(|text| time::read_v2(text).ok_or_else(|| Refusal::key(name, "not a valid datetime")))
            .transpose()
    }

    /// The JSON object of a v2 body.
    pub(super) fn body(&self) -> Result<Map<String, Json>, Refusal> {
        let json = self.request.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
        if !json {
            return Err(Refusal::bad("Content-Type must be application/json"));
        }
        match serde_json::from_slice(&self.request.body) {
            Ok(Json::Object(map)) => Ok(map),
            Ok(_) => Err(Refusal::key("body", "Expected object")),
            Err(_) => Err(Refusal::bad("Request body is not valid JSON")),
        }
    }

    /// The body of a v1 request: JSON or a form, whose values are all text.
    pub(super) fn v1_body(&self) -> Result<Map<String, Json>, Refusal> {
        let form = self
            .request
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        if form {
            let text = String::from_utf8_lossy(&self.request.body);
            return Ok(crate::http::read_pairs(&text).into_iter().map(|(key, value)| (key, json!(value))).collect());
        }
        self.body()
    }

    /// Records a change of something that is not a record.
    pub(super) fn changed(&mut self, change: Change) {
        self.changes.push(change);
    }
}

/// Whether the actor may see the record (sheet: section 5, `visible_to`).
pub(super) fn sees(world: &World, actor: &Actor, kind: Kind, record: &Record) -> bool {
    if actor.admin {
        return true;
    }
    let owner = record.id_of("owner_id").or(record.id_of("user_id"));
    if owner == Some(actor.user) || record.id_of("creator_user_id") == Some(actor.user) {
        return true;
    }
    match kind {
        Kind::Activity | Kind::Note | Kind::File => sees_a_parent(world, actor, record),
        _ => sees_by_level(world, actor, owner, record.id_of("visible_to")),
    }
}

/// A child is seen with any of its parents; without a parent by everybody.
fn sees_a_parent(world: &World, actor: &Actor, record: &Record) -> bool {
    let links = [("deal_id", Kind::Deal), ("person_id", Kind::Person), ("org_id", Kind::Organization)];
    let mut parents =
        links.into_iter().filter_map(|(key, kind)| Some((kind, world.table(kind).get(record.id_of(key)?)?))).peekable();
    parents.peek().is_none() || parents.any(|(kind, parent)| sees(world, actor, kind, parent))
}

fn sees_by_level(world: &World, actor: &Actor, owner: Option<u64>, level: Option<u64>) -> bool {
    let group =
        |user: Option<u64>| user.and_then(|user| world.users.get(&user)).and_then(|user| user.get("role_id")).cloned();
    match (level.unwrap_or(world.default_visible_to()), world.account.plan.has_groups()) {
        (7, _) | (3 | 5, false) => true,
        (3 | 5, true) => group(owner).is_some() && group(owner) == group(Some(actor.user)),
        _ => false,
    }
}

/// What the record was and what it becomes; `None` before is a creation.
pub(super) struct Commit {
    pub(super) kind: Kind,
    pub(super) before: Option<Record>,
    pub(super) after: Record,
    pub(super) action: Action,
    /// The other record of a merge.
    pub(super) merged: Option<u64>,
}

/// Puts a changed record into its table, and the change everywhere else where it belongs.
pub(super) fn commit(world: &mut World, call: &mut Call<'_>, commit: Commit) {
    let Commit { kind, before, after, action, merged } = commit;
    let mut change = Change::new(kind.name(), after.id, action);
    let nothing = Record::new(after.id, after.added);
    let old = before.as_ref().unwrap_or(&nothing);
    for key in kind.keys() {
        let (was, is) = (old.get(key.name), after.get(key.name));
        if was != is {
            change = change.with(key.name, was.clone(), is.clone());
        }
    }
    let codes: std::collections::BTreeSet<&str> = old.customs().chain(after.customs()).map(|(code, _)| code).collect();
    for code in codes {
        let (was, is) = (old.custom(code), after.custom(code));
        if was != is {
            change = change.with(code, was.clone(), is.clone());
        }
    }
    if let Some(other) = merged {
        let name = if action == Action::Merged { "merged_into" } else { "merged_from" };
        change = change.with(name, Json::Null, json!(other));
    }
    if before.is_some() && matches!(kind, Kind::Deal | Kind::Person | Kind::Organization) {
        log_changes(world, call, kind, after.id, &change);
    }
    webhooks::announce(world, call, kind, before.as_ref(), &after, action, merged);
    call.changes.push(change);
    world.table_mut(kind).put(after);
}

fn log_changes(world: &mut World, call: &Call<'_>, kind: Kind, id: u64, change: &Change) {
    if change.fields.is_empty() {
        return;
    }
    let log = world.changelog.entry((kind, id)).or_default();
    for (field, (was, is)) in &change.fields {
        log.push(json!({
            "field_key": field, "old_value": was, "new_value": is, "actor_user_id": call.actor.user,
            "time": time::v1(call.at), "change_source": upheaval::change_source(call),
            "change_source_user_agent": call.request.header("user-agent"), "is_bulk_update_flag": false,
        }));
    }
}

/// The keys in which two items differ, for the journal.
pub(super) fn item_change(object: &str, id: impl ToString, before: Option<&Item>, after: &Item) -> Change {
    let action = if before.is_some() { Action::Updated } else { Action::Created };
    let mut change = Change::new(object, id, action);
    for (key, is) in after {
        let was = before.and_then(|item| item.get(key)).cloned().unwrap_or_default();
        if was != *is {
            change = change.with(key.clone(), was, is.clone());
        }
    }
    change
}
