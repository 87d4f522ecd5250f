//! One request on its way: who asks, what was matched, and what it has changed so far.
//!
//! [`commit`] is the only door through which a row changes: it indexes the row, journals the difference and makes
//! the webhook events.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value as Json, json};

use super::kind::Kind;
use super::refusal::Refusal;
use super::time::Seconds;
use super::webhooks;
use super::world::{Row, World};
use crate::faults::Interference;
use crate::journal::{Action, Change};
use crate::{Event, Request};

/// How a change is named that comes from no request.
pub(super) const BY_HAND: &str = "DISTURB";

/// One request with everything that handling it needs and yields.
pub(super) struct Call<'a> {
    pub(super) request: &'a Request,
    pub(super) interference: &'a Interference,
    pub(super) now: Timestamp,
    pub(super) at: Seconds,
    pub(super) zone: TimeZone,
    /// The key's user.
    pub(super) user: u64,
    pub(super) changes: Vec<Change>,
    pub(super) events: Vec<Event>,
    /// Nothing of it fires webhooks: bulk imports (sheet: section 8).
    pub(super) is_silent: bool,
}

impl<'a> Call<'a> {
    pub(super) fn new(world: &World, request: &'a Request, now: Timestamp, interference: &'a Interference) -> Self {
        Self {
            request,
            interference,
            now,
            at: now.as_second(),
            zone: world.account.zone(),
            user: 1,
            changes: Vec::new(),
            events: Vec::new(),
            is_silent: false,
        }
    }

    pub(super) fn param(&self, name: &str) -> Option<&'a str> {
        self.request.param(name)
    }

    /// A parameter as a number.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.param(name)?.trim().parse().ok()
    }

    /// All values of a parameter that repeats: `ids[]=1&ids[]=2`.
    pub(super) fn repeated(&self, name: &str) -> Vec<u64> {
        let fits = |key: &str| key == name || key.strip_suffix("[]") == Some(name);
        let values = self.request.query.iter().filter(|(key, _)| fits(key));
        values.flat_map(|(_, value)| value.split(',')).filter_map(|id| id.trim().parse().ok()).collect()
    }

    /// The object of a JSON body.
    pub(super) fn body(&self) -> Result<Map<String, Json>, Refusal> {
        match serde_json::from_slice(&self.request.body) {
            Ok(Json::Object(map)) => Ok(map),
            Ok(_) | Err(_) => Err(Refusal::bad_body()),
        }
    }

    /// What stands under the root of a body.
    pub(super) fn under(&self, root: &str) -> Result<Map<String, Json>, Refusal> {
        match self.body()?.remove(root) {
            Some(Json::Object(map)) => Ok(map),
            _ => Err(Refusal::bad_body()),
        }
    }

    /// Where a change comes from, in the words of webhooks.
    pub(super) fn source(&self) -> &'static str {
        if self.request.method == BY_HAND { "admin" } else { "api" }
    }
}

/// Puts a changed row into its collection, and the change everywhere else where it belongs.
pub(super) fn commit(
    world: &mut World,
    call: &mut Call<'_>,
    kind: Kind,
    before: Option<&Row>,
    after: Row,
    action: Action,
) {
    let mut change = Change::new(kind.shape().one, after.id, action);
    let nothing = Row::new(after.id, after.created);
    let old = before.unwrap_or(&nothing);
    for key in kind.shape().keys {
        let (was, is) = (old.get(key.name), after.get(key.name));
        if was != is {
            change = change.with(key.name, was.cloned().unwrap_or_default(), is.cloned().unwrap_or_default());
        }
    }
    let mut fields: Vec<u64> = old.cells.keys().chain(after.cells.keys()).copied().collect();
    fields.sort_unstable();
    fields.dedup();
    for field in fields {
        let of = |row: &Row| row.cells.get(&field).map_or(Json::Null, |cell| cell.value.clone());
        let (was, is) = (of(old), of(&after));
        if was != is {
            change = change.with(format!("field_{field}"), was, is);
        }
    }
    webhooks::announce(world, call, kind, before, &after, action);
    call.changes.push(change);
    world.put(kind, after);
}

/// Deletes a row, and what cannot be without it.
pub(super) fn delete(world: &mut World, call: &mut Call<'_>, kind: Kind, id: u64) {
    let Some(before) = world.get(kind, id).cloned() else { return };
    let mut after = before.clone();
    after.deleted = Some(call.at);
    if kind == Kind::Contact {
        after.set("deleted", Some(json!(1)));
    }
    commit(world, call, kind, Some(&before), after, Action::Deleted);
    let mut orphans: Vec<(Kind, u64)> = Vec::new();
    let mut gather = |world: &World, from: Kind, key: &'static str| {
        orphans.extend(world.pointing(from, key, id).map(|row| (from, row.id)));
    };
    match kind {
        Kind::Contact => {
            for from in [Kind::AccountContact, Kind::ContactDeal, Kind::ContactList, Kind::ContactTag] {
                gather(world, from, "contact");
            }
            gather(world, Kind::Note, "Subscriber");
            gather(world, Kind::Task, "Subscriber");
            if world.settings.deals_die_with_contacts {
                gather(world, Kind::Deal, "contact");
            }
        }
        Kind::Account => {
            gather(world, Kind::AccountContact, "account");
            gather(world, Kind::Note, "CustomerAccount");
        }
        Kind::Deal => {
            gather(world, Kind::ContactDeal, "deal");
            gather(world, Kind::Note, "Deal");
            gather(world, Kind::Task, "Deal");
        }
        Kind::Pipeline => gather(world, Kind::Stage, "group"),
        Kind::Field => {
            gather(world, Kind::FieldOption, "field");
            gather(world, Kind::FieldRel, "field");
        }
        Kind::Tag => gather(world, Kind::ContactTag, "tag"),
        Kind::MailingList => gather(world, Kind::ContactList, "list"),
        _ => {}
    }
    for (kind, id) in orphans {
        delete(world, call, kind, id);
    }
    drop_values(world, call, kind, id);
    loosen(world, call, kind, id);
}

/// The values of a field that is gone (sheet: section 3: all values go with it).
fn drop_values(world: &mut World, call: &mut Call<'_>, kind: Kind, field: u64) {
    let owners = [Kind::Contact, Kind::Deal, Kind::Account].into_iter().filter(|owner| owner.fields() == Some(kind));
    for owner in owners {
        let with: Vec<Row> = world.live(owner).filter(|row| row.cells.contains_key(&field)).cloned().collect();
        for before in with {
            let mut after = before.clone();
            after.cells.remove(&field);
            commit(world, call, owner, Some(&before), after, Action::Updated);
        }
    }
}

/// Deals of an account or a contact that is gone stay without it.
fn loosen(world: &mut World, call: &mut Call<'_>, kind: Kind, id: u64) {
    let key = match kind {
        Kind::Contact => "contact",
        Kind::Account => "account",
        _ => return,
    };
    let deals: Vec<Row> = world.pointing(Kind::Deal, key, id).cloned().collect();
    for before in deals {
        let mut after = before.clone();
        after.set(key, None);
        commit(world, call, Kind::Deal, Some(&before), after, Action::Updated);
    }
}
