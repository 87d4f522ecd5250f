//! A journal played again: what every record went through.

use std::collections::BTreeMap;

use handover_sandbox::journal::{Action, Change, Entry};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use super::beside::Beside;
use super::rules::FlowRule;

/// Who did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A person or an integration.
    People,
    /// Whoever sends requests: us.
    Client,
}

/// One change of one field.
#[derive(Clone, Debug)]
pub struct Edit {
    /// When, by the clock that all share.
    pub at: Timestamp,
    /// Whose.
    pub by: By,
    /// The field.
    pub field: String,
    /// What it said before.
    pub before: Json,
    /// What it said then.
    pub after: Json,
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is there.
    Living,
    /// It was deleted, and is gone.
    Deleted,
    /// It was merged into this one.
    Merged(String),
}

/// A record from its birth on.
#[derive(Clone, Debug)]
pub struct Life {
    /// The object, as the journal names it.
    pub object: String,
    /// The id.
    pub id: String,
    /// When it was made.
    pub born: Timestamp,
    /// Who made it.
    pub made_by: By,
    /// Everything that was changed, its birth included, in order.
    pub edits: Vec<Edit>,
    /// What it says in the end.
    pub fields: BTreeMap<String, Json>,
    /// What became of it.
    pub fate: Fate,
    /// When it last died or came back.
    pub fated: Timestamp,
    /// Every death and return, in order.
    pub fates: Vec<(Timestamp, By, Fate)>,
    /// When anybody last changed anything of it.
    pub touched: Timestamp,
}

/// One system's records.
#[derive(Clone, Debug, Default)]
pub struct Side {
    /// By object and id; what is gone and whose id was given again, before those.
    pub lives: BTreeMap<(String, String), Life>,
}

impl Side {
    /// A merge gives the survivor an id of its own: it lives on as the first of those that became it, with what the
    /// others had beside it.
    fn survivor(&mut self, entry: &Entry, (object, id): &(String, String), at: Timestamp) {
        let is_old = |change: &&Change| change.action == Action::Merged && change.object == *object;
        let olds: Vec<Life> = entry
            .changes
            .iter()
            .filter(is_old)
            .filter_map(|change| self.lives.get(&(object.clone(), change.id.clone())).cloned())
            .collect();
        let Some((first, others)) = olds.split_first() else { return };
        let mut life = Life {
            id: id.clone(),
            born: at,
            made_by: By::People,
            fate: Fate::Living,
            fated: at,
            fates: Vec::new(),
            touched: at,
            ..first.clone()
        };
        let blank = |value: &Json| value.is_null() || value == "";
        for (field, value) in others.iter().flat_map(|other| &other.fields) {
            let before = life.fields.get(field).cloned().unwrap_or_default();
            if blank(&before) && !blank(value) {
                let (field, after) = (field.clone(), value.clone());
                life.fields.insert(field.clone(), after.clone());
                life.edits.push(Edit { at, by: By::People, field, before, after });
            }
        }
        self.lives.insert((object.clone(), id.clone()), life);
    }

    /// Some platforms let whoever makes a record choose its id, also that of one that is gone: that is another record.
    fn bury(&mut self, place: &(String, String)) {
        let Some(gone) = self.lives.get(place).filter(|life| life.fate != Fate::Living) else { return };
        // Before the living one in order, which is then the last of its id.
        let (object, id) = place;
        let grave = (object.clone(), format!(" {} {id}", gone.fated));
        self.lives.insert(grave, gone.clone());
        self.lives.remove(place);
    }

    /// The records of an object.
    pub fn of<'s>(&'s self, object: &'s str) -> impl DoubleEndedIterator<Item = &'s Life> {
        self.lives.values().filter(move |life| life.object == object)
    }
}

impl Life {
    /// The id of the source record that it stands for.
    pub(crate) fn key(&self, flow: &FlowRule) -> Option<&str> {
        self.fields.get(flow.key.as_ref()?)?.as_str()?.strip_prefix(flow.key_head.as_str())
    }

    /// Whether it was dead at some time between these two.
    pub(crate) fn was_dead(&self, from: Timestamp, to: Timestamp) -> bool {
        let mut dead_since = None;
        for (at, _, fate) in &self.fates {
            match (fate, dead_since) {
                (Fate::Living, Some(since)) => {
                    if since <= to && *at >= from {
                        return true;
                    }
                    dead_since = None;
                }
                (Fate::Living, None) | (_, Some(_)) => {}
                (_, None) => dead_since = Some(*at),
            }
        }
        dead_since.is_some_and(|since| since <= to)
    }

    /// Whether it was alive at some time between these two.
    pub(crate) fn was_alive(&self, from: Timestamp, to: Timestamp) -> bool {
        let mut alive_since = Some(self.born);
        for (at, _, fate) in &self.fates {
            match (fate, alive_since) {
                (Fate::Living, None) => alive_since = Some(*at),
                (Fate::Living, Some(_)) | (_, None) => {}
                (_, Some(since)) => {
                    if since <= to && *at >= from {
                        return true;
                    }
                    alive_since = None;
                }
            }
        }
        alive_since.is_some_and(|since| since <= to)
    }

    /// A field in the end.
    pub(crate) fn field(&self, name: &str) -> &Json {
        self.fields.get(name).unwrap_or(&Json::Null)
    }

    /// The changes of a field, in order.
    pub(crate) fn edits_of<'l>(&'l self, field: &'l str) -> impl Iterator<Item = &'l Edit> {
        self.edits.iter().filter(move |edit| edit.field == field)
    }
}

/// Plays a journal again.
pub(crate) fn replay(journal: &[Entry], ahead: SignedDuration, beside: &Beside) -> Side {
    let mut side = Side::default();
    for entry in journal {
        // What a merge makes of the survivor nobody wrote: both records' people did.
        let merges = entry.changes.iter().any(|change| change.action == Action::Merged);
        let by = if entry.method == "DISTURB" { By::People } else { By::Client };
        let whose = if merges { By::People } else { by };
        let at = entry.at - ahead;
        for change in &entry.changes {
            let place = (change.object.clone(), change.id.clone());
            if change.action == Action::Created && merges {
                side.survivor(entry, &place, at);
            } else if change.action == Action::Created {
                side.bury(&place);
                side.lives.entry(place.clone()).or_insert_with(|| Life {
                    object: change.object.clone(),
                    id: change.id.clone(),
                    born: at,
                    made_by: by,
                    edits: Vec::new(),
                    fields: BTreeMap::new(),
                    fate: Fate::Living,
                    fated: at,
                    fates: Vec::new(),
                    touched: at,
                });
            }
            beside.linked(&mut side, change, (at, by));
            let Some(life) = side.lives.get_mut(&place) else { continue };
            // Who was away and is back is as before.
            if !matches!(change.action, Action::Deleted | Action::Restored | Action::Purged) {
                life.touched = at;
            }
            for (field, (before, after)) in &change.fields {
                // What is gone says what it said last, also where the journal shows it empty.
                let back = change.action == Action::Restored && life.field(field) == after;
                if back || is_emptied(change.action, field) {
                    continue;
                }
                life.fields.insert(field.clone(), after.clone());
                let (field, before, after) = (field.clone(), before.clone(), after.clone());
                life.edits.push(Edit { at, by: whose, field, before, after });
            }
            beside.composed(life, (at, whose));
            let fate = match change.action {
                Action::Deleted | Action::Purged if matches!(life.fate, Fate::Merged(_)) => continue,
                Action::Deleted | Action::Purged => Fate::Deleted,
                // A platform that keeps what was merged away may bring it back as such, with whatever it went along with.
                Action::Restored if matches!(life.fate, Fate::Merged(_)) => continue,
                Action::Restored => Fate::Living,
                Action::Merged => {
                    let into = change.fields.get("merged_into").map(|(_, into)| into);
                    Fate::Merged(into.map(text).unwrap_or_default())
                }
                Action::Created | Action::Updated | Action::Linked | Action::Unlinked => continue,
            };
            if change.action != Action::Purged {
                let along = change.action == Action::Deleted && beside.went_along(life, entry);
                life.fates.push((at, if along { By::People } else { by }, fate.clone()));
                life.fated = at;
            }
            life.fate = fate;
        }
    }
    side
}

/// Whether a field is empty in the journal because its record went.
fn is_emptied(action: Action, field: &str) -> bool {
    matches!(action, Action::Deleted | Action::Purged | Action::Merged) && field != "merged_into"
}

/// An id, however it is written.
fn text(id: &Json) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}
