//! Persons: names, addresses, numbers, and what each is chosen for.

use std::collections::HashSet;

use super::account::{DEPARTED, PERSON_LABELS, seller_for};
use super::calendar::{END, START, deletion, moment};
use super::custom::{self, Fields, Scope};
use super::dice::Dice;
use super::organizations::culture;
use super::phones::Exchange;
use super::records::{Line, Organization, Person, Role, live};
use super::scale::Scale;
use super::words;

/// The persons with the deleted ones, ordered by creation; custom values come with [`fill`].
pub(super) fn persons(
    seed: u64,
    scale: &Scale,
    exchange: &mut Exchange,
    organizations: &[Organization],
) -> Vec<Person> {
    let mut dice = Dice::new(seed, "persons");
    let places = live(organizations, |organization| organization.deleted);
    let mut maker = Maker { seen: HashSet::new(), exchange, organizations };
    let mut persons: Vec<Person> = roles(&mut dice, scale)
        .into_iter()
        .map(|(role, deleted)| maker.person(&mut dice, role, deleted, &places))
        .collect();
    persons.sort_by_key(|person| person.added);
    let mut id = 0;
    for person in &mut persons {
        id += if dice.chance(10) { dice.between(2, 5) as u64 } else { 1 };
        person.id = id;
    }
    share_emails(&mut persons, scale);
    persons
}

/// Each person's role, and whether it is deleted.
fn roles(dice: &mut Dice, scale: &Scale) -> Vec<(Role, bool)> {
    let mut roles = vec![Role::ElevenEmails];
    let external = scale.ambiguous / 4;
    for (role, count) in [
        (Role::ByEmail, scale.by_email),
        (Role::ByPhone, scale.by_phone),
        (Role::ByExternalId, scale.by_external_id),
        (Role::SamePhoneTwice, scale.ambiguous - external),
        (Role::SameExternalIdTwice, external),
        (Role::EmailAgainstPhone, scale.contradicting),
        (Role::NearMiss, scale.near_misses),
        (Role::TrailingSpace, scale.trailing_spaces),
        (Role::Departed, scale.departed_persons),
    ] {
        roles.extend(std::iter::repeat_n(role, count));
    }
    roles.extend((0..scale.shared_email_pairs).flat_map(|pair| [Role::SharedEmail(pair); 2]));
    roles.extend((0..scale.refused_emails).map(Role::RefusedEmail));
    roles.resize(scale.persons, Role::Plain);
    let mut roles: Vec<(Role, bool)> = roles.into_iter().map(|role| (role, false)).collect();
    roles.extend(std::iter::repeat_n((Role::Plain, true), scale.deleted));
    dice.shuffle(&mut roles);
    roles
}

struct Maker<'a> {
    /// E-mail addresses given out, lower case.
    seen: HashSet<String>,
    exchange: &'a mut Exchange,
    organizations: &'a [Organization],
}

impl Maker<'_> {
    fn person(&mut self, dice: &mut Dice, role: Role, deleted: bool, places: &[usize]) -> Person {
        let placed = role != Role::Plain || dice.chance(96);
        let organization = placed.then(|| places[dice.skewed(places.len())]);
        let home = organization.map(|place| &self.organizations[place]);
        // Most people live where their company does.
        let culture = match home {
            Some(home) if dice.chance(88) => home.culture,
            _ => culture(dice),
        };
        let (given, family) = (dice.word(culture.firsts), dice.word(culture.lasts));
        let mut name = if culture.family_first {
            format!("{} {}", family.native, given.native)
        } else {
            format!("{} {}", given.native, family.native)
        };
        if role == Role::TrailingSpace {
            name.push(' ');
        }
        let latin = format!("{} {}", given.latin, family.latin);
        let domain =
            home.map_or_else(|| dice.pick(&["example.com", "example.net", "example.org"]), |home| &home.domain);
        let emails = self.emails(dice, role, &latin, domain);
        let first = home.map_or(START, |home| home.added);
        let added = if dice.chance(35) { first + dice.between(60, 3600) } else { moment(dice, first, END) };
        let added = added.min(END - 3600);
        let mut person = Person {
            id: 0,
            role,
            name,
            given: given.native,
            family: family.native,
            latin,
            culture,
            organization,
            emails,
            phones: Vec::new(),
            number: None,
            form: dice.below(5),
            position: dice.chance(68).then(|| dice.entry(words::POSITIONS, ';')),
            owner: owner(dice, role, home),
            labels: if dice.chance(30) { vec![dice.pick_copy(&PERSON_LABELS).0] } else { Vec::new() },
            visible_to: if dice.chance(4) { 1 } else { 3 },
            updated: if deleted { deletion(dice, added) } else { moment(dice, added, END) },
            added,
            deleted,
            custom: Vec::new(),
        };
        self.phones(dice, &mut person);
        person
    }

    fn emails(&mut self, dice: &mut Dice, role: Role, latin: &str, domain: &str) -> Vec<Line> {
        let count = match role {
            Role::ElevenEmails => 11,
            Role::RefusedEmail(kind) => {
                let local = self.local(dice, latin, domain);
                let value = match kind % 3 {
                    0 => format!("{local}@{}", domain.split('.').next().unwrap_or_default()),
                    1 => format!("{local}@{domain}."),
                    _ => format!("{} {}@{domain}", local.replace('.', " "), kind),
                };
                return vec![Line { value, label: "work" }];
            }
            Role::ByEmail | Role::EmailAgainstPhone | Role::SharedEmail(_) | Role::Departed => 1,
            _ if dice.chance(10) => 0,
            _ => 1,
        };
        let more = if count == 1 && !matches!(role, Role::SharedEmail(_)) && dice.chance(13) {
            dice.between(1, 2) as usize
        } else {
            0
        };
        let labels = ["work", "home", "other"];
        (0..count + more)
            .map(|place| {
                let domain =
                    if place == 0 { domain } else { dice.pick(&["example.com", "example.net", "example.org"]) };
                let local = self.local(dice, latin, domain);
                let value = if dice.chance(25) {
                    capitalised(&format!("{local}@{domain}"))
                } else {
                    format!("{local}@{domain}")
                };
                Line { value, label: labels[place.min(2)] }
            })
            .collect()
    }

    /// The part before `@`, such that the address is new.
    fn local(&mut self, dice: &mut Dice, latin: &str, domain: &str) -> String {
        let base = match dice.below(5) {
            0 => words::slug(
                &format!("{}. {}", &latin[..1], latin.split_once(' ').map_or(latin, |(_, family)| family)),
                '.',
            ),
            1 => words::slug(latin, '_'),
            _ => words::slug(latin, '.'),
        };
        let mut local = base.clone();
        let mut number = 2;
        while !self.seen.insert(format!("{local}@{domain}")) {
            local = format!("{base}{number}");
            number += 1;
        }
        local
    }

    fn phones(&mut self, dice: &mut Dice, person: &mut Person) {
        // Matches by number rest on forms that need no guess about the country.
        let known = matches!(person.role, Role::ByPhone | Role::SamePhoneTwice | Role::EmailAgainstPhone);
        let count = match dice.below(100) {
            _ if known => 1,
            draw if draw < 24 => 0,
            draw if draw < 84 => 1,
            _ => 2,
        };
        for place in 0..count {
            let number = self.exchange.number(dice, person.culture.code);
            let value = if known { number.known_form(person.form) } else { number.any_form(dice) };
            let label = if number.mobile() || place == 1 { "mobile" } else { "work" };
            person.phones.push(Line { value, label });
            person.number.get_or_insert(number);
        }
    }
}

fn owner(dice: &mut Dice, role: Role, home: Option<&Organization>) -> u64 {
    match home {
        _ if role == Role::Departed => DEPARTED,
        Some(home) if dice.chance(90) => home.owner,
        _ => seller_for(dice.below(100) as u32),
    }
}

/// `anna.schmidt@example.com` as `Anna.Schmidt@Example.com`.
fn capitalised(address: &str) -> String {
    let mut start = true;
    let mut at_seen = false;
    address
        .chars()
        .map(|letter| {
            let letter = if start && letter.is_ascii_alphabetic() { letter.to_ascii_uppercase() } else { letter };
            start = letter == '@' || (letter == '.' && !at_seen);
            at_seen |= letter == '@';
            letter
        })
        .collect()
}

/// Gives the second of each pair the address of the first, in another case.
fn share_emails(persons: &mut [Person], scale: &Scale) {
    for pair in 0..scale.shared_email_pairs {
        let places: Vec<usize> =
            (0..persons.len()).filter(|&place| persons[place].role == Role::SharedEmail(pair)).collect();
        if let [first, second] = places[..] {
            let address = persons[first].emails[0].value.clone();
            let written = if pair % 2 == 0 { address.to_ascii_uppercase() } else { address };
            persons[second].emails[0].value = written;
        }
    }
}

/// The plain persons of each organization, by place: those that others may refer to.
pub(super) fn by_organization(organizations: usize, persons: &[Person]) -> Vec<Vec<usize>> {
    let mut people = vec![Vec::new(); organizations];
    for (place, person) in persons.iter().enumerate() {
        if let Some(organization) = person.organization
            && person.role.is_plain()
            && !person.deleted
        {
            people[organization].push(place);
        }
    }
    people
}

/// Fills the custom fields.
pub(super) fn fill(
    seed: u64,
    fields: &Fields,
    exchange: &mut Exchange,
    organizations: &[Organization],
    people: &[Vec<usize>],
    persons: &mut [Person],
) {
    let mut dice = Dice::new(seed, "person fields");
    let places = live(organizations, |organization| organization.deleted);
    for (place, person) in persons.iter_mut().enumerate() {
        // Nobody reports to somebody later in the list: reporting lines have no cycle.
        let superiors: Vec<usize> = person
            .organization
            .map(|organization| people[organization].iter().copied().filter(|&other| other < place).collect())
            .unwrap_or_default();
        let employer = [dice.pick_copy(&places)];
        let scope = Scope {
            culture: person.culture,
            organizations: &employer,
            persons: &superiors,
            first: person.position.map(str::to_owned),
        };
        person.custom = custom::values(&fields.person, &mut dice, exchange, &scope);
        if person.position.is_none() {
            person.custom.retain(|(field, _)| *field != 0);
        }
    }
}
