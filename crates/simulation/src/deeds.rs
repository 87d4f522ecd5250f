//! What people change when their moment has come, through the door that the sandboxes have for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use handover_sandbox::Sandbox;
use handover_sandbox::faults::{DisturbAction, Disturbance, Which};
use handover_sandbox::journal::{Action, Change};
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::Value as Json;

use crate::accounts::Concept::{
    Amount, Close, Contact, Deal, Due, Firm, First, Last, Mail, Name, Phone, Site, Sort, Staff, Stage, Subject, Title,
    Whole,
};
use crate::accounts::{Concept, DEAL, Field, ORGANIZATION, PERSON, Pair, TASK};
use crate::dice::Dice;
use crate::oracle::{NEW, OLD};
use crate::people::{Agenda, Appointment, Deed};
use crate::post::Post;
use crate::roster::Roster;

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
/// Both systems with the people in them.
pub(crate) struct Society {
    pub(crate) sandboxes: [Arc<Mutex<Sandbox>>; 2],
    pub(crate) agenda: Agenda,
    /// What the systems tell of it.
    pub(crate) post: Post,
    pair: Pair,
    seed: u64,
    ahead: [SignedDuration; 2],
    roster: Roster,
    /// How often what was done, and did something.
    pub(crate) done: BTreeMap<(usize, Deed), u64>,
}

impl Society {
    pub(crate) fn new(
        (seed, pair): (u64, Pair),
        sandboxes: [Arc<Mutex<Sandbox>>; 2],
        ahead: [SignedDuration; 2],
        agenda: Agenda,
    ) -> Self {
        let (post, roster) = (Post::new(seed), Roster::default());
        Self { sandboxes, agenda, post, pair, seed, ahead, roster, done: BTreeMap::new() }
    }

    /// Everybody does what is due.
    pub(crate) fn act_until(&mut self, now: Timestamp) {
        while let Some(one) = self.agenda.due(now) {
            self.act(&one, now);
        }
    }

    fn act(&mut self, one: &Appointment, now: Timestamp) {
        self.roster.read_on(&self.sandboxes, self.pair);
        let mut dice = Dice::new(self.seed, &format!("deed {}", one.number));
        let at = now + self.ahead[one.side];
        let Some(steps) = self.plan(one, now, &mut dice) else { return };
        let mut did = false;
        let mut sandbox = lock(&self.sandboxes[one.side]);
        for step in steps {
            let before = sandbox.journal().entries().len();
            self.post.send(one.side, sandbox.disturb(&step.disturbance, at), now);
            let changes = || sandbox.journal().entries()[before..].iter().flat_map(|entry| &entry.changes);
            did |= changes().next().is_some();
            let is_it = |change: &&Change| change.action == Action::Created && change.object == step.disturbance.object;
            let made = changes().find(is_it).map(|change| change.id.clone());
            for further in step.further(made) {
                self.post.send(one.side, sandbox.disturb(&further, at), now);
            }
        }
        if did {
            *self.done.entry((one.side, one.deed)).or_default() += 1;
        }
    }

    fn plan(&mut self, one: &Appointment, now: Timestamp, dice: &mut Dice) -> Option<Vec<Step>> {
        let side = one.side;
        let kind = match &one.record {
            Some((kind, _)) => *kind,
            None => dice.pick(&[0, 1, 1, 1, 2, 2, 3]),
        };
        let object = self.object(side, kind);
        let named = one.record.as_ref().map(|(_, id)| id.clone()).filter(|id| !id.is_empty());
        let id = named.or_else(|| self.roster.pick(side, object, dice));
        let on = |action| Some(vec![Step::on(object, id.clone()?, action)]);
        match one.deed {
            Deed::Create => Some(vec![self.create(side, kind, dice)]),
            Deed::Post => Some(vec![self.post(dice)]),
            Deed::Import => Some((0..5).map(|_| self.create(side, PERSON, dice)).collect()),
            Deed::Touch => on(DisturbAction::Touch),
            Deed::Edit => on(self.edit(side, kind, one.number, dice)?),
            Deed::Clear => on(self.clear(side, kind, dice)?),
            Deed::SameMinute => {
                let again = Some((kind, id.clone()?));
                self.agenda.add(now + dice.seconds(0, 50), side, Deed::Edit, again);
                on(self.edit(side, kind, one.number, dice)?)
            }
            Deed::Associate => self.associate(side, kind, id?, dice),
            Deed::Unlink => self.unlink(side, kind, id?, dice),
            Deed::Merge => {
                let into = self.roster.pick(side, object, dice).filter(|into| Some(into) != id.as_ref())?;
                on(DisturbAction::Merge { into })
            }
            Deed::Delete => on(DisturbAction::Delete),
            Deed::Restore => {
                let id = self.roster.out_of_bin(side, object, dice)?;
                Some(vec![Step::on(object, id, DisturbAction::Restore)])
            }
        }
    }

    /// What a side's journal calls a kind of record.
    fn object(&self, side: usize, kind: usize) -> &'static str {
        self.pair.0[side].objects[kind].journal
    }

    fn field(&self, side: usize, kind: usize, concept: Concept) -> Option<&'static Field> {
        self.pair.0[side].objects[kind].writable(concept)
    }

    fn create(&mut self, side: usize, kind: usize, dice: &mut Dice) -> Step {
        let mut said: Vec<(Concept, String)> = Vec::new();
        match (kind, side) {
            (ORGANIZATION, OLD) => {
                said.push((Name, self.firm(dice, 350)));
                said.extend([(Site, site(dice)), (Staff, dice.between(1, 900).to_string())]);
            }
            (ORGANIZATION, _) => said.extend([(Name, self.firm(dice, 600)), (Site, site(dice))]),
            (PERSON, OLD) => {
                let address = self.address(dice, 150);
                said.extend(names(dice.pick(&FIRST), dice.pick(&LAST)));
                said.extend([(Mail, address), (Phone, phone(dice))]);
                let firm = self.roster.pick(OLD, self.object(OLD, ORGANIZATION), dice);
                said.extend(firm.filter(|_| dice.chance(700)).map(|id| (Firm, id)));
            }
            (PERSON, _) => {
                let address = self.address_for_new(dice);
                said.extend(names(dice.pick(&FIRST), dice.pick(&LAST)));
                said.push((Mail, address));
            }
            (TASK, OLD) => {
                said.push((Due, day(dice)));
                said.push((Subject, format!("Call number {}", dice.between(1, 9_999))));
                said.extend(self.roster.pick(OLD, self.object(OLD, DEAL), dice).map(|id| (Deal, id)));
            }
            (TASK, _) => said.extend([(Subject, "Call back".to_owned()), (Due, day(dice))]),
            (_, OLD) => said.extend(self.old_deal(dice)),
            _ => {
                said.push((Title, format!("Deal {}", dice.between(1, 9_999))));
                said.push((Amount, dice.between(1, 9_999).to_string()));
                said.push((Stage, dice.below(4).to_string()));
                said.extend(self.pair.needs(DEAL, Close).then(|| (Close, day(dice))));
            }
        }
        self.made(side, kind, &said)
    }

    fn old_deal(&self, dice: &mut Dice) -> Vec<(Concept, String)> {
        let mut said = vec![
            (Title, format!("Deal {}", dice.between(1, 9_999))),
            (Amount, (dice.between(1, 500) * 100).to_string()),
            (Stage, self.field(OLD, DEAL, Stage).map_or_else(String::new, |field| stage(field, dice))),
            (Sort, if dice.chance(300) { "1" } else { "0" }.to_owned()),
        ];
        for (concept, kind) in [(Firm, ORGANIZATION), (Contact, PERSON)] {
            said.extend(self.roster.pick(OLD, self.object(OLD, kind), dice).map(|id| (concept, id)));
        }
        said.extend(self.pair.needs(DEAL, Close).then(|| (Close, day(dice))));
        said
    }

    /// A new record; what it is associated with is said once it is there.
    fn made(&self, side: usize, kind: usize, said: &[(Concept, String)]) -> Step {
        let object = &self.pair.0[side].objects[kind];
        let links = said.iter().filter_map(|(concept, id)| {
            object.field(*concept).filter(|field| field.is_association())?;
            Some((self.object(side, points_to(*concept)?).to_owned(), id.clone()))
        });
        let action = DisturbAction::Create { fields: object.filled(said) };
        let disturbance = Disturbance { object: object.journal.to_owned(), which: Which::default(), action };
        Step { disturbance, links: links.collect() }
    }

    /// A form knows a name and an address, and nothing of who is there already.
    fn post(&mut self, dice: &mut Dice) -> Step {
        let address = self.address(dice, 400);
        let first = dice.pick(&FIRST).to_owned();
        // Where a family name is needed the form asks for it.
        let last = self.pair.0[OLD].objects[PERSON].field(Last).filter(|field| field.required);
        let last = last.map(|_| (Last, dice.pick(&LAST).to_owned()));
        let said = [(Whole, first.clone()), (First, first), (Mail, address)].into_iter().chain(last);
        self.made(OLD, PERSON, &said.collect::<Vec<_>>())
    }

    /// A firm's name; in so many of a thousand cases one that is known already.
    fn firm(&mut self, dice: &mut Dice, known: u32) -> String {
        if let Some(name) = self.roster.firms.get(dice.below(self.roster.firms.len())).filter(|_| dice.chance(known)) {
            return name.clone();
        }
        firm(dice)
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

    /// Each address is new to the new system, where some platforms take it once only: half of them are of people whom
    /// the old one knows.
    fn address_for_new(&mut self, dice: &mut Dice) -> String {
        let sandbox = lock(&self.sandboxes[NEW]);
        let object = self.object(NEW, PERSON);
        let field = self.field(NEW, PERSON, Mail);
        let taken = |address: &String| {
            let value = field.map(|field| field.value(address));
            let is_it = |said: &Json| Some(said) == value.as_ref();
            let said = |change: &Change| change.fields.get(field?.journal).cloned();
            let changes = sandbox.journal().changes(object);
            changes.into_iter().any(|change| said(change).is_some_and(|(was, is)| is_it(&was) || is_it(&is)))
        };
        let known = self.roster.addresses.get(dice.below(self.roster.addresses.len())).filter(|_| dice.chance(500));
        known.filter(|address| !taken(address)).cloned().unwrap_or_else(|| fresh(dice))
    }

    fn edit(&self, side: usize, kind: usize, salt: u64, dice: &mut Dice) -> Option<DisturbAction> {
        let is_whole = self.field(side, PERSON, Whole).is_some();
        let concepts: &[Concept] = match (kind, side) {
            (ORGANIZATION, _) => &[Name, Site, Staff],
            (PERSON, _) if is_whole => &[Whole, Mail, Phone],
            (PERSON, _) => &[First, Last, Mail, Phone],
            (TASK, OLD) if dice.chance(500) => &[Due],
            (TASK, _) => &[Subject],
            _ => &[Title, Amount, Stage, Close],
        };
        let concept = if concepts.len() > 1 { concepts[dice.below(concepts.len())] } else { concepts[0] };
        let field = self.field(side, kind, concept)?;
        let value = match concept {
            Name => firm(dice),
            Site => site(dice),
            Staff => dice.between(1, 900).to_string(),
            Whole => format!("{} {}", dice.pick(&FIRST), dice.pick(&LAST)),
            First => dice.pick(&FIRST).to_owned(),
            Last => dice.pick(&LAST).to_owned(),
            // Somebody types what the form demands.
            Mail if side == OLD && self.pair.0[OLD].any_mail && dice.chance(60) => "n/a".to_owned(),
            Mail if side == OLD => fresh(dice),
            Mail => format!("new{salt}.{}", fresh(dice)),
            Phone => phone(dice),
            Title => format!("Deal {}", dice.between(1, 9_999)),
            Amount if side == OLD => (dice.between(1, 500) * 50).to_string(),
            Amount => dice.between(1, 9_999).to_string(),
            Stage if side == OLD => stage(field, dice),
            Stage => dice.below(4).to_string(),
            Subject if side == OLD => format!("Call number {}", dice.between(1, 9_999)),
            Subject => format!("Call {}", dice.between(1, 9_999)),
            Close | Due => day(dice),
            Firm | Contact | Deal | Sort => return None,
        };
        Some(field.change(field.value(&value)))
    }

    fn clear(&self, side: usize, kind: usize, dice: &mut Dice) -> Option<DisturbAction> {
        let concept = match (kind, side) {
            (ORGANIZATION, _) => dice.pick(&[Site, Staff]),
            (PERSON, OLD) => dice.pick(&[Phone, Mail]),
            (PERSON, _) => Phone,
            (TASK, _) => Subject,
            (_, OLD) => Close,
            _ => dice.pick(&[Close, Amount]),
        };
        let field = self.field(side, kind, concept)?;
        // Subjects are never emptied.
        let value = if concept == Subject { field.value("Call") } else { field.blank() };
        Some(field.change(value))
    }

    fn associate(&mut self, side: usize, kind: usize, id: String, dice: &mut Dice) -> Option<Vec<Step>> {
        let concept = match kind {
            TASK if side == OLD => Deal,
            PERSON => Firm,
            DEAL if dice.chance(500) => Firm,
            DEAL => Contact,
            _ => return None,
        };
        let object = self.object(side, kind);
        let to_object = self.object(side, points_to(concept)?);
        let to = self.roster.pick(side, to_object, dice)?;
        let field = self.field(side, kind, concept)?;
        if !field.is_association() {
            return Some(vec![Step::on(object, id, field.change(field.value(&to)))]);
        }
        let mut steps = if side == OLD { self.apart(kind, &id, to_object) } else { Vec::new() };
        steps.push(Step::on(object, id, DisturbAction::Link { object: to_object.to_owned(), to }));
        Some(steps)
    }

    fn unlink(&mut self, side: usize, kind: usize, id: String, dice: &mut Dice) -> Option<Vec<Step>> {
        if kind == ORGANIZATION || kind == TASK {
            return None;
        }
        let (object, firms) = (self.object(side, kind), self.object(side, ORGANIZATION));
        let field = self.field(side, kind, Firm)?;
        if !field.is_association() {
            return Some(vec![Step::on(object, id, field.change(field.blank()))]);
        }
        if side == OLD {
            return Some(self.apart(kind, &id, firms));
        }
        let to = self.roster.pick(side, firms, dice)?;
        Some(vec![Step::on(object, id, DisturbAction::Unlink { object: firms.to_owned(), to })])
    }

    /// Whoever is associated with another one in the old system has one such there: the one before goes.
    fn apart(&self, kind: usize, id: &str, other: &str) -> Vec<Step> {
        let object = self.object(OLD, kind);
        let all = self.roster.linked.get(&(object.to_owned(), id.to_owned(), other.to_owned()));
        let unlink = |to: &String| {
            let action = DisturbAction::Unlink { object: other.to_owned(), to: to.clone() };
            Step::on(object, id.to_owned(), action)
        };
        all.into_iter().flatten().map(unlink).collect()
    }
}

/// Something that is done at once, and what the record that it makes is associated with.
struct Step {
    disturbance: Disturbance,
    links: Vec<(String, String)>,
}

impl Step {
    fn on(object: &str, id: String, action: DisturbAction) -> Self {
        let disturbance = Disturbance { object: object.to_owned(), which: Which::Id(id), action };
        Self { disturbance, links: Vec::new() }
    }

    /// What is done to the record that it made.
    fn further(&self, made: Option<String>) -> Vec<Disturbance> {
        let object = &self.disturbance.object;
        let links = self.links.iter().zip(std::iter::repeat(made));
        let link = |((other, to), made): (&(String, String), Option<String>)| {
            let action = DisturbAction::Link { object: other.clone(), to: to.clone() };
            Some(Disturbance { object: object.clone(), which: Which::Id(made?), action })
        };
        links.filter_map(link).collect()
    }
}

/// The kind of the record that a thing points to.
fn points_to(concept: Concept) -> Option<usize> {
    match concept {
        Firm => Some(ORGANIZATION),
        Contact => Some(PERSON),
        Deal => Some(DEAL),
        _ => None,
    }
}

/// A person's names, both ways to write them.
fn names(first: &str, last: &str) -> [(Concept, String); 3] {
    [(Whole, format!("{first} {last}")), (First, first.to_owned()), (Last, last.to_owned())]
}

/// A day of the coming months.
fn day(dice: &mut Dice) -> String {
    jiff::civil::date(2026, 12, 1).saturating_add(dice.between(0, 200).days()).to_string()
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

fn site(dice: &mut Dice) -> String {
    format!("https://www.firm{}.example.com", dice.between(1, 9_999))
}

/// The place of one of the stages.
fn stage(field: &Field, dice: &mut Dice) -> String {
    (dice.between(1, i64::try_from(field.options().len()).unwrap_or(1)) - 1).to_string()
}

fn firm(dice: &mut Dice) -> String {
    format!("{} {} {}", dice.pick(&FIRMS), dice.between(1, 99), dice.pick(&KINDS))
}

pub(crate) fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
