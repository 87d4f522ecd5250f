//! Doing what a draft says: records made, changed and archived, with history, journal, webhooks and
//! the follow-ups that HubSpot performs by itself.

use serde_json::Value as Json;

use super::Hubspot;
use super::draft::Values;
use super::email;
use super::instant::iso;
use super::kinds::{self, Kind};
use super::link_types::LinkType;
use super::links::{Node, Write};
use super::record::{Record, Source};
use super::values::Stored;
use super::webhooks::Occurrence;
use super::world::{FollowUp, FollowUpAction};
use crate::journal::{Action, Change};

/// Creates a record with its associations; gives its id.
pub(crate) fn insert(
    hub: &mut Hubspot,
    kind: Kind,
    values: &Values,
    links: &[(Node, Vec<LinkType>)],
    at: i64,
    source: &Source,
) -> u64 {
    let step = 1 + u64::from(hub.draw("step", hub.world.table(kind).next_id)[0] % 3);
    let Some(table) = hub.world.tables.get_mut(usize::from(kind)) else { return 0 };
    let id = table.take_id(step);
    let mut record = Record::new(id, at, source.clone());
    for (ix, value) in values {
        record.put(*ix, value.clone());
    }
    derive(hub, kind, &mut record, values, at, None);
    let mut change = Change::new(hub.world.kinds.plural(kind), id, Action::Created);
    for (ix, value) in record.values() {
        if let Some(property) = hub.world.schema(kind).get(ix) {
            change = change.with(property.name.clone(), Json::Null, value.into());
        }
    }
    hub.world.put(kind, id, Some(record), at);
    hub.changes.push(change);
    hub.occurrences.push(Occurrence::creation(kind, id, at, source));
    announce(hub, kind, id, values, at, source);
    for (to, types) in links {
        link(hub, Node { kind, id }, *to, types, Write::Add, at, source);
    }
    id
}

/// Writes values to a record; `false` when it does not exist.
pub(crate) fn update(hub: &mut Hubspot, kind: Kind, id: u64, values: &Values, at: i64, source: &Source) -> bool {
    let Some(mut record) = hub.world.table(kind).get(id).cloned() else { return false };
    let mut change = Change::new(hub.world.kinds.plural(kind), id, Action::Updated);
    let mut changed = Values::new();
    for (ix, value) in values {
        let before = record.value(*ix).map(str::to_owned);
        if record.change(*ix, value.clone(), at, source) {
            if let Some(property) = hub.world.schema(kind).get(*ix) {
                change = change.with(property.name.clone(), before.into(), value.as_deref().into());
            }
            changed.push((*ix, value.clone()));
        }
    }
    if changed.is_empty() && !hub.world.settings.touch_on_equal_write {
        return true;
    }
    derive(hub, kind, &mut record, &changed, at, Some(source));
    record.updated_at = at.max(record.updated_at);
    hub.world.put(kind, id, Some(record), at);
    if !changed.is_empty() {
        hub.changes.push(change);
    }
    announce(hub, kind, id, &changed, at, source);
    true
}

/// Values that follow from the written ones: when an owner was assigned, when a task was done, between whom
/// an e-mail went. Without a source the record is new and has no history.
fn derive(hub: &Hubspot, kind: Kind, record: &mut Record, written: &Values, at: i64, source: Option<&Source>) {
    let schema = hub.world.schema(kind);
    let touched = |name: &str| schema.index(name).is_some_and(|ix| written.iter().any(|(w, _)| *w == ix));
    let mut set = |name: &str, value: Stored| {
        if let Some(ix) = schema.index(name) {
            match source {
                None => record.put(ix, value),
                Some(source) => {
                    record.change(ix, value, at, source);
                }
            }
        }
    };
    if touched("hubspot_owner_id") {
        set("hubspot_owner_assigneddate", Some(iso(at).into()));
    }
    if kind == kinds::TASKS && touched("hs_task_status") {
        let done = schema
            .index("hs_task_status")
            .is_some_and(|ix| written.iter().any(|(w, v)| *w == ix && v.as_deref() == Some("COMPLETED")));
        set("hs_task_completion_date", done.then(|| iso(at).into()));
    }
    if kind == kinds::EMAILS && touched(email::HEADERS) {
        let headers = written.iter().find(|(ix, _)| schema.index(email::HEADERS) == Some(*ix));
        for (name, value) in email::participants(headers.and_then(|(_, value)| value.as_deref())) {
            set(name, value.map(Into::into));
        }
    }
}

/// Webhooks and follow-ups of changed values.
fn announce(hub: &mut Hubspot, kind: Kind, id: u64, changed: &Values, at: i64, source: &Source) {
    for (ix, value) in changed {
        let Some(name) = hub.world.schema(kind).get(*ix).map(|p| p.name.clone()) else { continue };
        let text = value.as_deref().unwrap_or("").to_owned();
        if !matches!(source, Source::Automation(_)) {
            schedule_rules(hub, kind, id, &name, &text, at);
        }
        if kind == kinds::CONTACTS && name == "email" && value.is_some() && hub.world.settings.auto_associate_companies
        {
            let due = at + hub.world.settings.auto_associate_after_ms;
            hub.world.follow_ups.push(FollowUp { due, kind, id, action: FollowUpAction::AssociateCompany });
        }
        hub.occurrences.push(Occurrence::property(kind, id, name, text, at, source));
    }
}

fn schedule_rules(hub: &mut Hubspot, kind: Kind, id: u64, name: &str, text: &str, at: i64) {
    for (number, rule) in hub.world.settings.rules.iter().enumerate() {
        if rule.on != name || hub.world.kinds.find(&rule.object) != Some(kind) {
            continue;
        }
        hub.world.follow_ups.push(FollowUp {
            due: at + rule.after_ms,
            kind,
            id,
            action: FollowUpAction::Set {
                property: rule.set.clone(),
                value: rule.to.replace("{value}", text),
                workflow: number as u64 + 1,
            },
        });
    }
}

/// Archives a record; its associations go with it.
pub(crate) fn archive(hub: &mut Hubspot, kind: Kind, id: u64, at: i64, source: &Source) {
    let Some(mut record) = hub.world.table(kind).get(id).cloned() else { return };
    if record.archived_at.is_some() {
        return;
    }
    record.archived_at = Some(at);
    hub.world.put(kind, id, Some(record), at);
    drop_links(hub, Node { kind, id });
    hub.changes.push(Change::new(hub.world.kinds.plural(kind), id, Action::Deleted));
    hub.occurrences.push(Occurrence::deletion(kind, id, at, source));
}

/// Brings a record back from the bin, without the associations that it had (whether those come back is not
/// documented).
pub(crate) fn restore(hub: &mut Hubspot, kind: Kind, id: u64, at: i64, source: &Source) {
    let Some(mut record) = hub.world.table(kind).get(id).cloned() else { return };
    if record.archived_at.take().is_none() {
        return;
    }
    record.updated_at = at;
    hub.world.put(kind, id, Some(record), at);
    hub.changes.push(Change::new(hub.world.kinds.plural(kind), id, Action::Restored));
    hub.occurrences.push(Occurrence::restoration(kind, id, at, source));
}

/// Takes every association from a record, without webhooks.
pub(crate) fn drop_links(hub: &mut Hubspot, node: Node) {
    let others: Vec<Node> = hub.world.links.all_of(node).map(|(to, _)| to).collect();
    for other in others {
        hub.world.links.remove(&hub.world.link_types, node, other, None);
        let change = link_change(hub, node, other, Action::Unlinked, &[]);
        hub.changes.push(change);
    }
}

/// The journal's entry for an association; its id is `contacts/1/companies/2`.
fn link_change(hub: &Hubspot, from: Node, to: Node, action: Action, types: &[LinkType]) -> Change {
    let kinds = &hub.world.kinds;
    let id = format!("{}/{}/{}/{}", kinds.plural(from.kind), from.id, kinds.plural(to.kind), to.id);
    let types: Vec<String> = types.iter().map(|t| format!("{}:{}", t.category.name(), t.id)).collect();
    Change::new("associations", id, action).with("types", Json::Null, types.into())
}

/// Associates two records under `types` and the plain type. The first company becomes the primary one
/// by setting.
pub(crate) fn link(hub: &mut Hubspot, from: Node, to: Node, types: &[LinkType], how: Write, at: i64, source: &Source) {
    let mut types = types.to_vec();
    if hub.world.settings.first_company_is_primary {
        let table = &hub.world.link_types;
        for (owner, other) in [(from, to), (to, from)] {
            let row =
                table.between(owner.kind, other.kind).find(|row| row.one_per_from && other.kind == kinds::COMPANIES);
            let Some(row) = row else { continue };
            let first = hub.world.links.of(owner, other.kind, 0).next().is_none();
            let mine = if owner == from { Some(row.link) } else { row.inverse };
            types.extend(mine.filter(|_| first));
        }
    }
    if !hub.world.links.write(&hub.world.link_types, from, to, &types, how) {
        return;
    }
    let now_types = hub.world.links.types(from, to).map(<[LinkType]>::to_vec).unwrap_or_default();
    let change = link_change(hub, from, to, Action::Linked, &now_types);
    hub.changes.push(change);
    let name = association_name(hub, from.kind, to.kind);
    hub.occurrences.push(Occurrence::association(from, to, name, false, at, source));
}

/// Takes types (none: all) from a pair; `false` when there was nothing.
pub(crate) fn unlink(
    hub: &mut Hubspot,
    from: Node,
    to: Node,
    types: Option<&[LinkType]>,
    at: i64,
    source: &Source,
) -> bool {
    if !hub.world.links.remove(&hub.world.link_types, from, to, types) {
        return false;
    }
    let change = link_change(hub, from, to, Action::Unlinked, types.unwrap_or(&[]));
    hub.changes.push(change);
    let name = association_name(hub, from.kind, to.kind);
    hub.occurrences.push(Occurrence::association(from, to, name, true, at, source));
    true
}

/// `CONTACT_TO_COMPANY`, as webhooks write it.
fn association_name(hub: &Hubspot, from: Kind, to: Kind) -> String {
    let kinds = &hub.world.kinds;
    format!("{}_TO_{}", kinds.singular(from), kinds.singular(to)).to_uppercase()
}
