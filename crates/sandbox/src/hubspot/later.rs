//! What happens without a request: follow-ups of writes, and disturbances that a fault plan asks for.

use serde_json::{Map, Value as Json};

use super::Hubspot;
use super::draft::Values;
use super::kinds::{self, Kind, Kinds};
use super::links::{Node, Write};
use super::record::Source;
use super::world::{FollowUp, FollowUpAction};
use super::{merge, values, write};
use crate::faults::{DisturbAction, Disturbance, Which};
use crate::journal::Change;

/// Mail hosts whose domain is no company's (sheet: HubSpot section 9, trap 3).
const FREE_MAIL: [&str; 8] =
    ["gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "yahoo.com", "icloud.com", "gmx.de", "web.de"];

/// Performs what is due, in order, each at its own time.
pub(crate) fn settle(hub: &mut Hubspot, now: i64) {
    loop {
        let due =
            hub.world.follow_ups.iter().enumerate().filter(|(_, f)| f.due <= now).min_by_key(|(at, f)| (f.due, *at));
        let Some(at) = due.map(|(at, _)| at) else { return };
        let next = hub.world.follow_ups.remove(at);
        perform(hub, &next);
    }
}

fn perform(hub: &mut Hubspot, next: &FollowUp) {
    let (kind, at) = (next.kind, next.due);
    let Some(id) = hub.world.table(kind).live(next.id).map(|r| r.id) else { return };
    match &next.action {
        FollowUpAction::Set { property, value, workflow } => {
            let source = Source::Automation(*workflow);
            set(hub, kind, id, property, value, at, &source);
        }
        FollowUpAction::AssociateCompany => associate_company(hub, kind, id, at),
    }
}

/// Sets one property as a person or a workflow would: checked, but free of the API's read-only rule.
fn set(hub: &mut Hubspot, kind: Kind, id: u64, property: &str, value: &str, at: i64, source: &Source) {
    let schema = hub.world.schema(kind);
    let Some(ix) = schema.live_index(property) else { return };
    let Some(definition) = schema.get(ix) else { return };
    let current = hub.world.table(kind).get(id).and_then(|r| r.value(ix));
    if let Ok(stored) = values::check(&hub.world, kind, definition, value, current) {
        write::update(hub, kind, id, &vec![(ix, stored)], at, source);
    }
}

fn associate_company(hub: &mut Hubspot, kind: Kind, id: u64, at: i64) {
    let schema = hub.world.schema(kind);
    let record = hub.world.table(kind).get(id);
    let email = schema.index("email").and_then(|ix| record.and_then(|r| r.value(ix)));
    let Some(domain) = email.and_then(|e| e.split_once('@')).map(|(_, domain)| domain.to_owned()) else { return };
    let node = Node { kind, id };
    let linked = hub.world.links.of(node, kinds::COMPANIES, 0).next().is_some();
    let Some(ix) = hub.world.schema(kinds::COMPANIES).index("domain") else { return };
    if linked || FREE_MAIL.contains(&domain.as_str()) {
        return;
    }
    let found = {
        let mut live = hub.world.table(kinds::COMPANIES).from(0).filter(|r| r.archived_at.is_none());
        live.find(|r| r.value(ix) == Some(domain.as_str())).map(|r| r.id)
    };
    let company = found.unwrap_or_else(|| {
        let values: Values = vec![(ix, Some(domain.into()))];
        write::insert(hub, kinds::COMPANIES, &values, &[], at, &Source::System)
    });
    let to = Node { kind: kinds::COMPANIES, id: company };
    write::link(hub, node, to, &[], Write::Add, at, &Source::System);
}

/// Changes the world behind the client's back, as a person in the user interface.
pub(crate) fn disturb(hub: &mut Hubspot, wanted: &Disturbance, now: i64) -> Vec<Change> {
    settle(hub, now);
    let user = Source::User(hub.world.owners.first().and_then(|o| o.user_id).unwrap_or(1));
    let Some(kind) = hub.world.kinds.find(&wanted.object) else { return Vec::new() };
    if let DisturbAction::Create { fields } = &wanted.action {
        create(hub, kind, fields.as_object().unwrap_or(&Map::new()), now, &user);
        return std::mem::take(&mut hub.changes);
    }
    if let (DisturbAction::Restore, Which::Id(id)) = (&wanted.action, &wanted.which) {
        id.parse().ok().into_iter().for_each(|id| write::restore(hub, kind, id, now, &user));
    } else if let Some(id) = which(hub, kind, &wanted.which) {
        match &wanted.action {
            DisturbAction::Touch => {
                if let Some(mut record) = hub.world.table(kind).get(id).cloned() {
                    record.updated_at = now;
                    hub.world.put(kind, id, Some(record), now);
                    let change = Change::new(hub.world.kinds.plural(kind), id, crate::journal::Action::Updated);
                    hub.changes.push(change);
                }
            }
            DisturbAction::Change { field, value } => {
                let text = value.as_str().map_or_else(|| plain(value), str::to_owned);
                set(hub, kind, id, field, &text, now, &user);
            }
            DisturbAction::Delete => write::archive(hub, kind, id, now, &user),
            DisturbAction::Merge { into } => {
                let into = into.parse().ok().and_then(|into| hub.world.table(kind).live(into)).map(|r| r.id);
                // Nobody can merge what happened (sheet: no such event for activities \[spec\]).
                if let Some(into) = into.filter(|into| *into != id && !Kinds::is_activity(kind)) {
                    merge::perform(hub, kind, into, id, now, &user);
                }
            }
            DisturbAction::Link { object, to } => {
                if let Some(to) = node(hub, object, to) {
                    write::link(hub, Node { kind, id }, to, &[], Write::Add, now, &user);
                }
            }
            DisturbAction::Unlink { object, to } => {
                if let Some(to) = node(hub, object, to) {
                    write::unlink(hub, Node { kind, id }, to, None, now, &user);
                }
            }
            DisturbAction::Restore | DisturbAction::Create { .. } => {}
        }
    }
    std::mem::take(&mut hub.changes)
}

/// A living record of an object.
fn node(hub: &Hubspot, object: &str, id: &str) -> Option<Node> {
    let kind = hub.world.kinds.find(object)?;
    hub.world.table(kind).live(id.parse().ok()?).map(|record| Node { kind, id: record.id })
}

fn plain(value: &Json) -> String {
    if value.is_null() { String::new() } else { value.to_string() }
}

fn which(hub: &Hubspot, kind: Kind, which: &Which) -> Option<u64> {
    let table = hub.world.table(kind);
    match which {
        Which::Id(id) => table.live(id.parse().ok()?).map(|r| r.id),
        Which::Nth(n) => {
            let mut live = table.from(0).filter(|r| r.archived_at.is_none());
            live.nth(usize::try_from(*n).ok()?).map(|r| r.id)
        }
    }
}

fn create(hub: &mut Hubspot, kind: Kind, fields: &Map<String, Json>, now: i64, user: &Source) {
    let schema = hub.world.schema(kind);
    let values: Values = fields
        .iter()
        .filter_map(|(name, value)| {
            let ix = schema.live_index(name)?;
            let text = value.as_str().map_or_else(|| plain(value), str::to_owned);
            let stored = values::check(&hub.world, kind, schema.get(ix)?, &text, None).ok()?;
            Some((ix, stored))
        })
        .collect();
    write::insert(hub, kind, &values, &[], now, user);
}
