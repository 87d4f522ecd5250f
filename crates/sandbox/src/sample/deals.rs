//! Deals: open, won and lost, in two pipelines and four currencies.

use super::account::{ADMIN, DEAL_LABELS, DEPARTED, PIPELINES, seller_for};
use super::calendar::{DAY, END, deletion, moment};
use super::custom::{self, Fields, Scope};
use super::dice::Dice;
use super::phones::Exchange;
use super::records::{Deal, DealRole, Organization, Person, Role, Status, live};
use super::scale::Scale;
use super::words;

/// What deals are made from.
pub(super) struct Ground<'a> {
    pub(super) organizations: &'a [Organization],
    pub(super) persons: &'a [Person],
    /// Plain persons of each organization.
    pub(super) people: &'a [Vec<usize>],
    pub(super) fields: &'a Fields,
}

struct Candidates {
    organizations: Vec<usize>,
    /// Persons with an organization that nothing keeps from being carried over.
    plain: Vec<usize>,
    /// All live persons with an organization, but those of the departed user.
    any: Vec<usize>,
    departed: Vec<usize>,
}

/// The deals with the deleted ones, ordered by creation.
pub(super) fn deals(seed: u64, scale: &Scale, exchange: &mut Exchange, ground: &Ground<'_>) -> Vec<Deal> {
    let mut dice = Dice::new(seed, "deals");
    let placed: Vec<usize> = live(ground.persons, |person| person.deleted || person.organization.is_none());
    let of_role = |keep: &dyn Fn(Role) -> bool| -> Vec<usize> {
        placed.iter().copied().filter(|&place| keep(ground.persons[place].role)).collect()
    };
    let candidates = Candidates {
        organizations: live(ground.organizations, |organization| organization.deleted),
        plain: of_role(&Role::is_plain),
        any: of_role(&|role| role != Role::Departed),
        departed: of_role(&|role| role == Role::Departed),
    };
    let mut deals: Vec<Deal> = roles(&mut dice, scale)
        .into_iter()
        .map(|(role, deleted)| deal(&mut dice, role, deleted, ground, &candidates))
        .collect();
    deals.sort_by_key(|deal| deal.added);
    let mut id = 0;
    for deal in &mut deals {
        id += if dice.chance(10) { dice.between(2, 5) as u64 } else { 1 };
        deal.id = id;
    }
    participants(&mut dice, scale, ground, &candidates, &mut deals);
    for deal in &mut deals {
        let people = deal.organization.map_or(&[][..], |place| ground.people[place].as_slice());
        let partner = [dice.pick_copy(&candidates.organizations)];
        let culture = deal.organization.map_or(&words::CULTURES[0], |place| ground.organizations[place].culture);
        let scope = Scope { culture, organizations: &partner, persons: people, first: None };
        deal.custom = custom::values(&ground.fields.deal, &mut dice, exchange, &scope);
    }
    deals
}

fn roles(dice: &mut Dice, scale: &Scale) -> Vec<(DealRole, bool)> {
    let mut roles = Vec::new();
    for (role, count) in [
        (DealRole::Untranslated, scale.untranslated_deals),
        (DealRole::Departed, scale.departed_deals),
        (DealRole::WithoutPerson, scale.deals_without_person),
        (DealRole::WithoutOrganization, scale.deals_without_organization),
        (DealRole::Archived, scale.archived_deals),
    ] {
        roles.extend(std::iter::repeat_n(role, count));
    }
    roles.resize(scale.deals, DealRole::Plain);
    let mut roles: Vec<(DealRole, bool)> = roles.into_iter().map(|role| (role, false)).collect();
    roles.extend(std::iter::repeat_n((DealRole::Plain, true), scale.deleted));
    dice.shuffle(&mut roles);
    roles
}

fn deal(dice: &mut Dice, role: DealRole, deleted: bool, ground: &Ground<'_>, candidates: &Candidates) -> Deal {
    let (person, organization) = match role {
        DealRole::WithoutPerson => (None, Some(dice.pick_copy(&candidates.organizations))),
        _ => {
            let place = dice.pick_copy(match role {
                DealRole::Departed => &candidates.departed,
                DealRole::Plain => &candidates.any,
                _ => &candidates.plain,
            });
            (Some(place), ground.persons[place].organization)
        }
    };
    let name = organization.map_or("", |place| ground.organizations[place].name.trim_end());
    let title = dice.entry(words::DEAL_TITLES, ';').replace("{o}", name);
    let culture = organization.map_or(&words::CULTURES[0], |place| ground.organizations[place].culture);
    let organization = organization.filter(|_| role != DealRole::WithoutOrganization);
    let first = person
        .map(|place| ground.persons[place].added)
        .or(organization.map(|place| ground.organizations[place].added))
        .unwrap_or(END - 900 * DAY);
    let added = moment(dice, first.min(END - 40 * DAY), END - 30 * DAY).max(first);
    let owner = match role {
        DealRole::Departed => DEPARTED,
        _ => match person
            .map(|place| ground.persons[place].owner)
            .or(organization.map(|place| ground.organizations[place].owner))
        {
            None | Some(DEPARTED) => seller_for(dice.below(100) as u32),
            Some(owner) => owner,
        },
    };
    let mut deal = Deal {
        id: 0,
        role,
        title,
        cents: 0,
        currency: if dice.chance(8) { "EUR" } else { culture.currency },
        person,
        organization,
        participants: Vec::new(),
        owner,
        creator: if dice.chance(20) { ADMIN } else { owner },
        stage: 0,
        status: Status::Open,
        lost_reason: None,
        closed: None,
        expected_close: None,
        probability: dice.chance(12).then(|| dice.between(1, 19) * 5),
        labels: if dice.chance(25) { vec![dice.pick_copy(&DEAL_LABELS).0] } else { Vec::new() },
        archived: None,
        visible_to: if dice.chance(4) { 1 } else { 3 },
        added,
        updated: added,
        deleted,
        custom: Vec::new(),
    };
    // Yen have no hundredths; some values do.
    deal.cents = dice.between(6, 2_400) * if deal.currency == "JPY" { 1_000_000 } else { 5_000 };
    if deal.currency != "JPY" && dice.chance(18) {
        deal.cents += dice.between(1, 99);
    }
    settle(dice, &mut deal);
    deal
}

/// Stage, status and the times that follow from them.
fn settle(dice: &mut Dice, deal: &mut Deal) {
    let pipeline = if deal.role == DealRole::Untranslated || dice.chance(28) { &PIPELINES[1] } else { &PIPELINES[0] };
    let untranslated = deal.role == DealRole::Untranslated;
    let stages: Vec<u64> = pipeline
        .stages
        .iter()
        .filter(|stage| stage.counterpart.is_none() == untranslated)
        .map(|stage| stage.id)
        .collect();
    deal.stage = dice.pick_copy(&stages);
    deal.status = match deal.role {
        DealRole::Untranslated => Status::Open,
        DealRole::Archived => dice.pick_copy(&[Status::Lost, Status::Lost, Status::Won]),
        _ => dice.pick_copy(&[Status::Open, Status::Won, Status::Lost]),
    };
    let last = END - 3600;
    match deal.status {
        Status::Open => deal.updated = moment(dice, deal.added, last),
        Status::Won | Status::Lost => {
            let closed = moment(dice, deal.added, (deal.added + 240 * DAY).min(last));
            deal.closed = Some(closed);
            deal.updated = if dice.chance(70) { closed } else { moment(dice, closed, last) };
            if deal.status == Status::Lost {
                deal.lost_reason = dice.chance(92).then(|| dice.entry(words::LOST_REASONS, ';'));
            }
        }
    }
    if dice.chance(64) {
        deal.expected_close = Some(deal.closed.unwrap_or(deal.updated) + dice.between(-20, 120) * DAY);
    }
    if deal.role == DealRole::Archived {
        let archived = moment(dice, deal.updated, last);
        deal.archived = Some(archived);
        deal.updated = archived;
    }
    if deal.deleted {
        deal.updated = deletion(dice, deal.added);
    }
}

/// Two to four more persons for as many deals as the scale says, colleagues first.
fn participants(dice: &mut Dice, scale: &Scale, ground: &Ground<'_>, candidates: &Candidates, deals: &mut [Deal]) {
    let mut places = live(deals, |deal| deal.deleted || deal.person.is_none());
    dice.shuffle(&mut places);
    for place in places.into_iter().take(scale.deals_with_participants) {
        let deal = &mut deals[place];
        let count = dice.between(2, 4) as usize;
        let mut colleagues =
            deal.organization.map(|organization| ground.people[organization].clone()).unwrap_or_default();
        dice.shuffle(&mut colleagues);
        // Consultants and other outsiders fill up where there are too few colleagues.
        let outsiders = (0..40).map(|_| dice.pick_copy(&candidates.plain));
        for other in colleagues.into_iter().take(count).chain(outsiders) {
            if deal.participants.len() < count && Some(other) != deal.person && !deal.participants.contains(&other) {
                deal.participants.push(other);
            }
        }
        deal.participants.sort_unstable();
    }
}
