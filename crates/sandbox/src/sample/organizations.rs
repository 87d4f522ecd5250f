//! Organizations: names, domains, addresses, and who belongs to whom.

use std::collections::HashSet;

use super::account::{self, ORGANIZATION_LABELS};
use super::calendar::{DAY, END, START, deletion, moment};
use super::custom::{self, Fields, Scope};
use super::dice::Dice;
use super::phones::Exchange;
use super::places;
use super::records::{Organization, live};
use super::scale::Scale;
use super::words::{self, CULTURES, Culture};

/// One of a hundred draws of language areas, by their weights.
pub(super) fn culture(dice: &mut Dice) -> &'static Culture {
    let mut draw = dice.below(100) as u32;
    for culture in &CULTURES {
        if draw < culture.weight {
            return culture;
        }
        draw -= culture.weight;
    }
    &CULTURES[0]
}

/// The organizations with the deleted ones, ordered by creation; custom values come with the persons.
pub(super) fn organizations(seed: u64, scale: &Scale) -> Vec<Organization> {
    let mut dice = Dice::new(seed, "organizations");
    let mut names = HashSet::new();
    let mut domains = HashSet::new();
    let total = scale.organizations + scale.deleted;
    let mut organizations: Vec<Organization> = (0..total)
        .map(|count| {
            let culture = culture(&mut dice);
            let (name, domain) = name(&mut dice, culture, &mut names, &mut domains);
            // Four in ten came with the import on the first day.
            let added = if dice.chance(40) {
                START + dice.between(8 * 3600, 10 * 3600)
            } else {
                moment(&mut dice, START + DAY, END - 30 * DAY)
            };
            let deleted = count >= scale.organizations;
            Organization {
                id: 0,
                website: dice.chance(70).then(|| format!("https://www.{domain}")),
                name,
                domain,
                culture,
                address: dice.chance(86).then(|| places::address(&mut dice, culture)),
                owner: account::seller_for(dice.below(100) as u32),
                labels: if dice.chance(55) { vec![dice.pick_copy(&ORGANIZATION_LABELS).0] } else { Vec::new() },
                employees: dice.chance(35).then(|| dice.between(3, 900) * 5),
                revenue: dice.chance(20).then(|| dice.between(1, 600) * 100_000),
                visible_to: if dice.chance(4) { 1 } else { 3 },
                updated: if deleted { deletion(&mut dice, added) } else { moment(&mut dice, added, END) },
                added,
                deleted,
                custom: Vec::new(),
            }
        })
        .collect();
    organizations.sort_by_key(|organization| organization.added);
    let mut id = 0;
    for organization in &mut organizations {
        id += if dice.chance(12) { dice.between(2, 6) as u64 } else { 1 };
        organization.id = id;
    }
    organizations
}

/// A name and a domain that no other organization has.
fn name(
    dice: &mut Dice,
    culture: &'static Culture,
    names: &mut HashSet<String>,
    domains: &mut HashSet<String>,
) -> (String, String) {
    let mut number = 1;
    loop {
        let (stem, branch) = (dice.word(culture.stems), dice.word(culture.branches));
        // After a few attempts a number tells namesakes apart, as it does in commercial registers.
        let tail = if number > 6 { format!(" {}", number - 5) } else { String::new() };
        let name = dice
            .entry(culture.forms, ';')
            .replace("{s}", stem.native)
            .replace("{b}", &format!("{}{tail}", branch.native));
        let domain = format!("{}.example", words::slug(&format!("{} {}{tail}", stem.latin, branch.latin), '-'));
        if !names.contains(&name) && !domains.contains(&domain) {
            names.insert(name.clone());
            domains.insert(domain.clone());
            return (name, domain);
        }
        number += 1;
    }
}

/// Makes some names equal and some end in a space; gives the pairs of equal ones, by place.
///
/// The places in `spared` keep their names.
pub(super) fn odd_names(
    seed: u64,
    scale: &Scale,
    organizations: &mut [Organization],
    spared: &[usize],
) -> Vec<(usize, usize)> {
    let mut dice = Dice::new(seed, "odd organization names");
    let mut places = live(organizations, |organization| organization.deleted);
    places.retain(|place| !spared.contains(place));
    dice.shuffle(&mut places);
    let mut pairs = Vec::new();
    for pair in places.chunks_exact(2).take(scale.duplicate_names) {
        let (first, second) = (pair[0].min(pair[1]), pair[0].max(pair[1]));
        organizations[second].name = organizations[first].name.clone();
        pairs.push((first, second));
    }
    for &place in places.iter().skip(2 * scale.duplicate_names).take(scale.trailing_spaces) {
        organizations[place].name.push(' ');
    }
    pairs
}

/// Parents and children by place, the two that are each other's parent last.
///
/// No organization has two parents, no chain is longer than five, and apart from the one cycle
/// of two the relations are trees.
pub(super) fn relations(seed: u64, scale: &Scale, organizations: &[Organization]) -> Vec<(usize, usize)> {
    let mut dice = Dice::new(seed, "relations");
    let mut places = live(organizations, |organization| organization.deleted);
    dice.shuffle(&mut places);
    let mut free = places.into_iter();
    let cycle: Vec<usize> = free.by_ref().take(2).collect();
    let roots = (scale.relations / 4).max(1);
    let mut levels: Vec<(usize, u32)> = free.by_ref().take(roots).map(|place| (place, 0)).collect();
    let mut relations = Vec::new();
    for child in free.take(scale.relations.saturating_sub(2)) {
        let candidates: Vec<(usize, u32)> = levels.iter().copied().filter(|(_, level)| *level < 4).collect();
        // Late entries are deep ones: half of the draws prefer them.
        let from = if dice.chance(50) { candidates.len().saturating_sub(roots) } else { 0 };
        let (parent, level) = dice.pick_copy(&candidates[from..]);
        relations.push((parent, child));
        levels.push((child, level + 1));
    }
    if let [one, other] = cycle[..] {
        relations.push((one, other));
        relations.push((other, one));
    }
    relations
}

/// Fills the custom fields, now that persons exist: `main_contacts` has each organization's people.
pub(super) fn fill(
    seed: u64,
    fields: &Fields,
    exchange: &mut Exchange,
    organizations: &mut [Organization],
    main_contacts: &[Vec<usize>],
) {
    let mut dice = Dice::new(seed, "organization fields");
    let places = live(organizations, |organization| organization.deleted);
    for (place, organization) in organizations.iter_mut().enumerate() {
        let others: Vec<usize> = (0..3).map(|_| dice.pick_copy(&places)).filter(|&other| other != place).collect();
        let scope = Scope {
            culture: organization.culture,
            organizations: &others,
            persons: main_contacts.get(place).map_or(&[], Vec::as_slice),
            first: None,
        };
        organization.custom = custom::values(&fields.organization, &mut dice, exchange, &scope);
    }
}
