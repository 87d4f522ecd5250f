//! What no journal says as a field of a record: what it is associated with, and fields that are said as one.
//!
//! Associations are entries of their own, `contacts/1/companies/2` with the types that they have from the first end.

use handover_sandbox::journal::{Action, Change, Entry};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::replay::{By, Edit, Life, Side};
use super::rules::{Form, Rules, Stands, ids};

/// What the object of associations is called.
const ASSOCIATIONS: &str = "associations";

/// One field that is an association.
struct Link {
    object: &'static str,
    field: &'static str,
    to: &'static str,
    kind: Option<[u64; 2]>,
}

/// What is to be said beside the journal of a side.
pub(crate) struct Beside {
    links: Vec<Link>,
    /// Objects, their fields that point to others, and those.
    pointers: Vec<[&'static str; 3]>,
    /// Objects, and fields of theirs that are said as one.
    composed: Vec<(&'static str, &'static str)>,
}

impl Beside {
    /// Everything that the rules name of a side.
    pub(crate) fn of(rules: &Rules, side: usize) -> Self {
        let (mut links, mut pointers, mut composed) = (Vec::new(), Vec::new(), Vec::new());
        for flow in &rules.flows {
            let object = flow.objects[side];
            for rule in &flow.fields {
                let field = rule.names[side];
                if field.contains(' ') {
                    composed.push((object, field));
                }
                let Form::Link { flow: to, stands } = &rule.form else { continue };
                let Some(to) = rules.flows.iter().find(|flow| flow.name == *to) else { continue };
                match stands[side] {
                    Stands::Association(kind) => links.push(Link { object, field, to: to.objects[side], kind }),
                    Stands::Field => pointers.push([object, field, to.objects[side]]),
                }
            }
        }
        Self { links, pointers, composed }
    }

    /// Whether a record went because another one did that it pointed to: the platform took it along.
    pub(crate) fn went_along(&self, life: &Life, entry: &Entry) -> bool {
        let gone = |object: &str, ids: &[String]| {
            let is_it = |change: &&Change| change.action == Action::Deleted && change.object == object;
            entry.changes.iter().filter(is_it).any(|change| ids.contains(&change.id))
        };
        let own = self.pointers.iter().filter(|[object, ..]| *object == life.object);
        own.into_iter().any(|[_, field, to]| gone(to, &ids(life.field(field))))
    }

    /// An association that came or went is an edit of the field that it is.
    pub(crate) fn linked(&self, side: &mut Side, change: &Change, (at, by): (Timestamp, By)) {
        let parts: Vec<&str> = change.id.split('/').collect();
        let ([from, id, to, other], ASSOCIATIONS) = (parts.as_slice(), change.object.as_str()) else { return };
        let types: Vec<u64> = change.fields.get("types").into_iter().flat_map(|(_, types)| numbers(types)).collect();
        for link in &self.links {
            for (end, (near, far)) in [((from, id), (to, other)), ((to, other), (from, id))].into_iter().enumerate() {
                if (*near.0, *far.0) != (link.object, link.to) {
                    continue;
                }
                let Some(life) = side.lives.get_mut(&(link.object.to_owned(), (*near.1).to_owned())) else { continue };
                let mut all = ids(life.field(link.field));
                let is_it = link.kind.is_none_or(|kind| types.contains(&kind[end]));
                match (change.action, link.kind) {
                    // One of a kind takes the place of the one before.
                    (Action::Linked, Some(_)) if is_it => all = vec![(*far.1).to_owned()],
                    (Action::Linked, None) if !all.iter().any(|one| one == far.1) => all.push((*far.1).to_owned()),
                    (Action::Unlinked, _) if types.is_empty() || (link.kind.is_some() && is_it) => {
                        all.retain(|one| one != far.1);
                    }
                    _ => continue,
                }
                let value = match all.as_slice() {
                    [] => Json::Null,
                    [one] => json!(one),
                    many => json!(many),
                };
                said(life, link.field, value, (at, by));
            }
        }
    }

    /// Fields that are said as one.
    pub(crate) fn composed(&self, life: &mut Life, whose: (Timestamp, By)) {
        for (object, name) in &self.composed {
            if *object != life.object {
                continue;
            }
            let parts = name.split(' ').filter_map(|part| life.field(part).as_str());
            let whole = parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
            let value = if whole.is_empty() { Json::Null } else { json!(whole) };
            said(life, name, value, whose);
        }
    }
}

/// A record says something else.
fn said(life: &mut Life, field: &str, after: Json, (at, by): (Timestamp, By)) {
    let before = life.field(field).clone();
    if before != after {
        life.touched = at;
        life.fields.insert(field.to_owned(), after.clone());
        life.edits.push(Edit { at, by, field: field.to_owned(), before, after });
    }
}

/// The numbers of types, which are written behind their category.
fn numbers(types: &Json) -> Vec<u64> {
    let texts = types.as_array().into_iter().flatten().filter_map(Json::as_str);
    texts.filter_map(|text| text.rsplit(':').next()?.parse().ok()).collect()
}
