//! What people change when their moment has come, through the door that the sandboxes have for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use handover_sandbox::Sandbox;
use handover_sandbox::faults::{DisturbAction, Disturbance, Which};
use handover_sandbox::journal::Action;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::{Value as Json, json};

use crate::dice::Dice;
use crate::oracle::{NEW, OLD};
use crate::people::{Agenda, Appointment, Deed};
use crate::post::Post;

/// The objects, as the old system's journal names them, and as the new one's does.
pub(crate) const OBJECTS: [[&str; 2]; 4] =
    [["organization", "companies"], ["person", "contacts"], ["deal", "deals"], ["activity", "tasks"]];

const FIRST: [&str; 12] =
    ["Ada", "Björn", "Chloé", "Dmitri", "Elif", "Farah", "Goran", "Hana", "Ines", "Jörg", "Katja", "Luca"];
const LAST: [&str; 12] = [
    "Albrecht",
    "Brunner",
    "Costa",
    "Dvořák",
    "Eriksen",
    "Fischer",
    "Grün",
    "Horvat",
    "Ivanova",
    "Jensen",
    "Kowalski",
    "Lindqvist",
];
const FIRMS: [&str; 10] = [
    "Nordwind",
    "Ostsee",
    "Südhang",
    "Westpark",
    "Alpenglühen",
    "Hafenkante",
    "Kranich",
    "Lotsen",
    "Mühlbach",
    "Zeder",
];
const KINDS: [&str; 4] = ["GmbH", "AG", "Ltd", "KG"];
/// Stages of the new system's deals.
const STAGES: [&str; 4] = ["appointmentscheduled", "qualifiedtobuy", "presentationscheduled", "decisionmakerboughtin"];

/// Both systems with the people in them.
pub(crate) struct Society {
    pub(crate) sandboxes: [Arc<Mutex<Sandbox>>; 2],
    pub(crate) agenda: Agenda,
    /// What the systems tell of it.
    pub(crate) post: Post,
    seed: u64,
    ahead: [SignedDuration; 2],
    roster: Roster,
    /// How often what was done, and did something.
    pub(crate) done: BTreeMap<(usize, Deed), u64>,
}

/// Who is there, read from the journals as they grow.
#[derive(Default)]
struct Roster {
    read: [usize; 2],
    living: BTreeMap<(usize, String), Vec<String>>,
    binned: BTreeMap<(usize, String), Vec<String>>,
    /// Addresses that people of the old system have, or had.
    addresses: Vec<String>,
    firms: Vec<String>,
}

impl Society {
    pub(crate) fn new(
        seed: u64,
        sandboxes: [Arc<Mutex<Sandbox>>; 2],
        ahead: [SignedDuration; 2],
        agenda: Agenda,
    ) -> Self {
        Self { sandboxes, agenda, post: Post::new(seed), seed, ahead, roster: Roster::default(), done: BTreeMap::new() }
    }

    /// Everybody does what is due.
    pub(crate) fn act_until(&mut self, now: Timestamp) {
        while let Some(one) = self.agenda.due(now) {
            self.act(&one, now);
        }
    }

    fn act(&mut self, one: &Appointment, now: Timestamp) {
        self.roster.read_on(&self.sandboxes);
        let mut dice = Dice::new(self.seed, &format!("deed {}", one.number));
        let at = now + self.ahead[one.side];
        let Some(disturbances) = self.plan(one, now, &mut dice) else { return };
        let mut did = false;
        let mut sandbox = lock(&self.sandboxes[one.side]);
        for disturbance in disturbances {
            let before = sandbox.journal().entries().len();
            self.post.send(one.side, sandbox.disturb(&disturbance, at), now);
            did |= sandbox.journal().entries()[before..].iter().any(|entry| !entry.changes.is_empty());
        }
        if did {
            *self.done.entry((one.side, one.deed)).or_default() += 1;
        }
    }

    fn plan(&mut self, one: &Appointment, now: Timestamp, dice: &mut Dice) -> Option<Vec<Disturbance>> {
        let side = one.side;
        let kind = match &one.record {
            Some((name, _)) => OBJECTS.iter().position(|names| names.contains(name))?,
            None => dice.pick(&[0, 1, 1, 1, 2, 2, 3]),
        };
        let object = OBJECTS[kind][side];
        let named = one.record.as_ref().map(|(_, id)| id.clone()).filter(|id| !id.is_empty());
        let id = named.or_else(|| self.roster.pick(side, object, dice));
        let on = |action| Some(vec![Disturbance { object: object.to_owned(), which: Which::Id(id.clone()?), action }]);
        match one.deed {
            Deed::Create => Some(vec![self.create(side, kind, dice)]),
            Deed::Post => Some(vec![self.post(dice)]),
            Deed::Import => Some((0..5).map(|_| self.create(side, 1, dice)).collect()),
            Deed::Touch => on(DisturbAction::Touch),
            Deed::Edit => on(edit(side, kind, one.number, dice)),
            Deed::Clear => on(clear(side, kind, dice)),
            Deed::SameMinute => {
                let again = Some((OBJECTS[kind][side], id.clone()?));
                self.agenda.add(now + dice.seconds(0, 50), side, Deed::Edit, again);
                on(edit(side, kind, one.number, dice))
            }
            Deed::Associate => on(self.associate(side, kind, dice)?),
            Deed::Unlink => on(self.unlink(side, kind, dice)?),
            Deed::Merge => {
                let into = self.roster.pick(side, object, dice).filter(|into| Some(into) != id.as_ref())?;
                on(DisturbAction::Merge { into })
            }
            Deed::Delete => on(DisturbAction::Delete),
            Deed::Restore => {
                let id = self.roster.out_of_bin(side, object, dice)?;
                let which = Which::Id(id);
                Some(vec![Disturbance { object: object.to_owned(), which, action: DisturbAction::Restore }])
            }
        }
    }

    fn create(&mut self, side: usize, kind: usize, dice: &mut Dice) -> Disturbance {
        let fields = match (kind, side) {
            (0, OLD) => {
                let name = self.firm(dice, 350);
                json!({"name": name, "website": site(dice), "employee_count": dice.between(1, 900)})
            }
            (0, _) => json!({"name": self.firm(dice, 600), "website": site(dice)}),
            (1, OLD) => {
                let address = self.address(dice, 150);
                let mut fields = json!({"name": format!("{} {}", dice.pick(&FIRST), dice.pick(&LAST)),
                    "emails": contacts(&address), "phones": contacts(&phone(dice))});
                if let Some(org) =
                    self.roster.pick(OLD, "organization", dice).and_then(number).filter(|_| dice.chance(700))
                {
                    fields["org_id"] = org;
                }
                fields
            }
            (1, _) => {
                let address = self.address_for_new(dice);
                json!({"firstname": dice.pick(&FIRST), "lastname": dice.pick(&LAST), "email": address})
            }
            (3, OLD) => {
                let due = day(dice);
                let mut fields = json!({"subject": format!("Call number {}", dice.between(1, 9_999)), "type": "task",
                    "due_date": due});
                if let Some(deal) = self.roster.pick(OLD, "deal", dice).and_then(number) {
                    fields["deal_id"] = deal;
                }
                fields
            }
            (3, _) => json!({"hs_task_subject": "Call back", "hs_timestamp": format!("{}T00:00:00Z", day(dice))}),
            (_, OLD) => {
                let mut fields = json!({"title": format!("Deal {}", dice.between(1, 9_999)),
                    "value": dice.between(1, 500) * 100, "stage_id": dice.between(1, 5),
                    "currency": if dice.chance(300) { "USD" } else { "EUR" }});
                for (field, object) in [("org_id", "organization"), ("person_id", "person")] {
                    if let Some(id) = self.roster.pick(OLD, object, dice).and_then(number) {
                        fields[field] = id;
                    }
                }
                fields
            }
            _ => {
                json!({"dealname": format!("Deal {}", dice.between(1, 9_999)), "amount": dice.between(1, 9_999).to_string(),
                "pipeline": "default", "dealstage": dice.pick(&STAGES)})
            }
        };
        let object = OBJECTS[kind][side].to_owned();
        Disturbance { object, which: Which::default(), action: DisturbAction::Create { fields } }
    }

    /// A form knows a name and an address, and nothing of who is there already.
    fn post(&mut self, dice: &mut Dice) -> Disturbance {
        let address = self.address(dice, 400);
        let fields = json!({"name": dice.pick(&FIRST), "emails": contacts(&address)});
        Disturbance { object: "person".to_owned(), which: Which::default(), action: DisturbAction::Create { fields } }
    }

    /// A firm's name; in so many of a thousand cases one that is known already.
    fn firm(&mut self, dice: &mut Dice, known: u32) -> String {
        if let Some(name) = self.roster.firms.get(dice.below(self.roster.firms.len())).filter(|_| dice.chance(known)) {
            return name.clone();
        }
        format!("{} {} {}", dice.pick(&FIRMS), dice.between(1, 99), dice.pick(&KINDS))
    }

    fn address(&mut self, dice: &mut Dice, known: u32) -> String {
        let all = &self.roster.addresses;
        if let Some(known) = all.get(dice.below(all.len())).filter(|_| dice.chance(known)) {
            return known.clone();
        }
        let address = fresh(dice);
        self.roster.addresses.push(address.clone());
        address
    }

    /// The new system takes an address once only: half of them are of people whom the old one knows.
    fn address_for_new(&mut self, dice: &mut Dice) -> String {
        let sandbox = lock(&self.sandboxes[NEW]);
        let taken = |address: &String| {
            let value = json!(address);
            let changes = sandbox.journal().changes("contacts");
            changes
                .into_iter()
                .any(|change| change.fields.get("email").is_some_and(|(was, is)| *was == value || *is == value))
        };
        let known = self.roster.addresses.get(dice.below(self.roster.addresses.len())).filter(|_| dice.chance(500));
        known.filter(|address| !taken(address)).cloned().unwrap_or_else(|| fresh(dice))
    }

    fn associate(&mut self, side: usize, kind: usize, dice: &mut Dice) -> Option<DisturbAction> {
        let (field, object) = match kind {
            3 if side == OLD => ("deal_id", OBJECTS[2][side]),
            1 => ("org_id", OBJECTS[0][side]),
            2 if dice.chance(500) => ("org_id", OBJECTS[0][side]),
            2 => ("person_id", OBJECTS[1][side]),
            _ => return None,
        };
        let to = self.roster.pick(side, object, dice)?;
        if side == OLD {
            return Some(DisturbAction::Change { field: field.to_owned(), value: number(to)? });
        }
        Some(DisturbAction::Link { object: object.to_owned(), to })
    }

    fn unlink(&mut self, side: usize, kind: usize, dice: &mut Dice) -> Option<DisturbAction> {
        match (side, kind) {
            (_, 0 | 3) => None,
            (OLD, _) => Some(DisturbAction::Change { field: "org_id".to_owned(), value: Json::Null }),
            _ => {
                let to = self.roster.pick(side, OBJECTS[0][side], dice)?;
                Some(DisturbAction::Unlink { object: OBJECTS[0][side].to_owned(), to })
            }
        }
    }
}

impl Roster {
    fn read_on(&mut self, sandboxes: &[Arc<Mutex<Sandbox>>; 2]) {
        for (side, sandbox) in sandboxes.iter().enumerate() {
            let sandbox = lock(sandbox);
            let entries = sandbox.journal().entries();
            for change in entries[self.read[side]..].iter().flat_map(|entry| &entry.changes) {
                let place = (side, change.object.clone());
                match change.action {
                    Action::Created => {
                        self.living.entry(place).or_default().push(change.id.clone());
                        if let Some((_, name)) = change.fields.get("name").filter(|_| change.object == OBJECTS[0][side])
                        {
                            self.firms.extend(name.as_str().map(str::to_owned));
                        }
                    }
                    Action::Deleted | Action::Merged | Action::Purged => {
                        self.living.entry(place.clone()).or_default().retain(|id| *id != change.id);
                        let bin = self.binned.entry(place).or_default();
                        bin.retain(|id| *id != change.id);
                        if change.action == Action::Deleted {
                            bin.push(change.id.clone());
                        }
                    }
                    Action::Restored => {
                        self.binned.entry(place.clone()).or_default().retain(|id| *id != change.id);
                        self.living.entry(place).or_default().push(change.id.clone());
                    }
                    Action::Updated | Action::Linked | Action::Unlinked => {}
                }
            }
            self.read[side] = entries.len();
        }
    }

    /// A living record; those that many work on come up more often, and the newest.
    fn pick(&self, side: usize, object: &str, dice: &mut Dice) -> Option<String> {
        let all = self.living.get(&(side, object.to_owned()))?;
        let hot = all.len().min(4);
        let at = match dice.below(10) {
            0..3 => dice.below(hot),
            3 => all.len().saturating_sub(1),
            _ => dice.below(all.len()),
        };
        all.get(at).cloned()
    }

    fn out_of_bin(&self, side: usize, object: &str, dice: &mut Dice) -> Option<String> {
        dice.one_of(self.binned.get(&(side, object.to_owned()))?).cloned()
    }
}

fn edit(side: usize, kind: usize, salt: u64, dice: &mut Dice) -> DisturbAction {
    let (field, value) = match (kind, side) {
        (0, OLD) => match dice.below(3) {
            0 => ("name", json!(format!("{} {} {}", dice.pick(&FIRMS), dice.between(1, 99), dice.pick(&KINDS)))),
            1 => ("website", site(dice)),
            _ => ("employee_count", json!(dice.between(1, 900))),
        },
        (0, _) => match dice.below(3) {
            0 => ("name", json!(format!("{} {} {}", dice.pick(&FIRMS), dice.between(1, 99), dice.pick(&KINDS)))),
            1 => ("website", site(dice)),
            _ => ("numberofemployees", json!(dice.between(1, 900).to_string())),
        },
        (1, OLD) => match dice.below(3) {
            0 => ("name", json!(format!("{} {}", dice.pick(&FIRST), dice.pick(&LAST)))),
            // Somebody types what the form demands.
            1 if dice.chance(60) => ("emails", contacts("n/a")),
            1 => ("emails", contacts(&fresh(dice))),
            _ => ("phones", contacts(&phone(dice))),
        },
        (1, _) => match dice.below(4) {
            0 => ("firstname", json!(dice.pick(&FIRST))),
            1 => ("lastname", json!(dice.pick(&LAST))),
            2 => ("email", json!(format!("new{salt}.{}", fresh(dice)))),
            _ => ("phone", json!(phone(dice))),
        },
        (3, OLD) if dice.chance(500) => ("due_date", json!(day(dice))),
        (3, OLD) => ("subject", json!(format!("Call number {}", dice.between(1, 9_999)))),
        (3, _) => ("hs_task_subject", json!(format!("Call {}", dice.between(1, 9_999)))),
        (_, OLD) => match dice.below(4) {
            0 => ("title", json!(format!("Deal {}", dice.between(1, 9_999)))),
            1 => ("value", json!(dice.between(1, 500) * 50)),
            2 => ("stage_id", json!(dice.between(1, 5))),
            _ => ("expected_close_date", json!(day(dice))),
        },
        _ => match dice.below(4) {
            0 => ("dealname", json!(format!("Deal {}", dice.between(1, 9_999)))),
            1 => ("amount", json!(dice.between(1, 9_999).to_string())),
            2 => ("dealstage", json!(dice.pick(&STAGES))),
            _ => ("closedate", json!(format!("{}T00:00:00Z", day(dice)))),
        },
    };
    DisturbAction::Change { field: field.to_owned(), value }
}

fn clear(side: usize, kind: usize, dice: &mut Dice) -> DisturbAction {
    let (field, value) = match (kind, side) {
        (0, OLD) => (dice.pick(&["website", "employee_count"]), Json::Null),
        (0, _) => (dice.pick(&["website", "numberofemployees"]), json!("")),
        (1, OLD) => (dice.pick(&["phones", "emails"]), json!([])),
        (1, _) => ("phone", json!("")),
        (3, _) => (OBJECTS_SUBJECT[side], json!("Call")),
        (_, OLD) => ("expected_close_date", Json::Null),
        _ => (dice.pick(&["closedate", "amount"]), json!("")),
    };
    DisturbAction::Change { field: field.to_owned(), value }
}

/// Subjects are never emptied.
const OBJECTS_SUBJECT: [&str; 2] = ["subject", "hs_task_subject"];

/// A day of the coming months.
fn day(dice: &mut Dice) -> String {
    jiff::civil::date(2026, 12, 1).saturating_add(dice.between(0, 200).days()).to_string()
}

fn contacts(value: &str) -> Json {
    json!([{"value": value, "primary": true, "label": "work"}])
}

fn fresh(dice: &mut Dice) -> String {
    format!(
        "{}{}@{}.example.com",
        ["ada", "bo", "cy", "di", "eli"][dice.below(5)],
        dice.between(1, 999_999),
        ["ost", "west"][dice.below(2)]
    )
}

fn phone(dice: &mut Dice) -> String {
    format!("+4930{}", dice.between(1_000_000, 9_999_999))
}

fn site(dice: &mut Dice) -> Json {
    json!(format!("https://www.firm{}.example.com", dice.between(1, 9_999)))
}

/// An id as the old system writes it.
fn number(id: String) -> Option<Json> {
    id.parse::<u64>().ok().map(|id| json!(id))
}

pub(crate) fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
