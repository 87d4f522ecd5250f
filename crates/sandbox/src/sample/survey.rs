//! Reads the oddities out of the books.

use super::account::{DEPARTED, PIPELINES, SELLERS};
use super::facts::{Deleted, Facts};
use super::records::{Books, Deal, DealRole, Person, Role};

/// Everything odd in the books; what concerns the portal is added by the portal.
pub(super) fn facts(books: &Books) -> Facts {
    let organization = |place: usize| books.organizations[place].id;
    let persons = |role: Role| ids(&books.persons, |person: &Person| person.role == role, |person| person.id);
    let deals = |role: DealRole| ids(&books.deals, |deal: &Deal| deal.role == role && !deal.deleted, |deal| deal.id);
    let untranslated =
        PIPELINES.iter().flat_map(|pipeline| pipeline.stages).filter(|stage| stage.counterpart.is_none());
    Facts {
        shared_email_pairs: pairs(&books.persons),
        refused_emails: books
            .persons
            .iter()
            .filter(|person| matches!(person.role, Role::RefusedEmail(_)))
            .filter_map(|person| Some((person.id, person.emails.first()?.value.clone())))
            .collect(),
        person_with_eleven_emails: persons(Role::ElevenEmails).first().copied().unwrap_or_default(),
        persons_with_trailing_space: persons(Role::TrailingSpace),
        departed_user: DEPARTED,
        departed_persons: persons(Role::Departed),
        departed_deals: deals(DealRole::Departed),
        departed_activities: ids(
            &books.activities,
            |activity| activity.owner == DEPARTED && !activity.deleted,
            |activity| activity.id,
        ),
        users_without_records: idle(books),
        untranslated_stages: untranslated.map(|stage| stage.id).collect(),
        untranslated_deals: deals(DealRole::Untranslated),
        deals_without_person: deals(DealRole::WithoutPerson),
        deals_without_organization: deals(DealRole::WithoutOrganization),
        archived_deals: deals(DealRole::Archived),
        deals_with_participants: ids(&books.deals, |deal| !deal.participants.is_empty(), |deal| deal.id),
        organization_cycle: (organization(books.cycle.0), organization(books.cycle.1)),
        duplicate_organization_names: books
            .duplicate_names
            .iter()
            .map(|&(one, other)| (organization(one), organization(other)))
            .collect(),
        organizations_with_trailing_space: ids(
            &books.organizations,
            |organization| organization.name.ends_with(' '),
            |organization| organization.id,
        ),
        oversized_note: books.notes.get(books.oversized_note).map(|note| note.id).unwrap_or_default(),
        file_without_bytes: books.files.iter().find(|file| file.gone).map(|file| file.id).unwrap_or_default(),
        activities_without_parent: ids(
            &books.activities,
            |activity| activity.parents == super::records::Parents::default() && !activity.deleted,
            |activity| activity.id,
        ),
        deleted: deleted(books),
        ..Facts::default()
    }
}

fn ids<T>(records: &[T], keep: impl Fn(&T) -> bool, id: impl Fn(&T) -> u64) -> Vec<u64> {
    records.iter().filter(|record| keep(record)).map(id).collect()
}

fn pairs(persons: &[Person]) -> Vec<(u64, u64)> {
    let mut pairs: Vec<(usize, u64)> = persons
        .iter()
        .filter_map(|person| match person.role {
            Role::SharedEmail(pair) => Some((pair, person.id)),
            _ => None,
        })
        .collect();
    pairs.sort_unstable();
    pairs.chunks_exact(2).map(|pair| (pair[0].1, pair[1].1)).collect()
}

fn idle(books: &Books) -> Vec<u64> {
    let busy = |user: u64| {
        books.organizations.iter().any(|organization| organization.owner == user)
            || books.persons.iter().any(|person| person.owner == user)
            || books.deals.iter().any(|deal| deal.owner == user || deal.creator == user)
            || books.notes.iter().any(|note| note.user == user)
            || books.activities.iter().any(|activity| activity.owner == user)
            || books.files.iter().any(|file| file.user == user)
    };
    SELLERS.iter().map(|seller| seller.id).filter(|&user| !busy(user)).collect()
}

fn deleted(books: &Books) -> Deleted {
    Deleted {
        organizations: ids(&books.organizations, |organization| organization.deleted, |organization| organization.id),
        persons: ids(&books.persons, |person| person.deleted, |person| person.id),
        deals: ids(&books.deals, |deal| deal.deleted, |deal| deal.id),
        notes: ids(&books.notes, |note| note.deleted, |note| note.id),
        activities: ids(&books.activities, |activity| activity.deleted, |activity| activity.id),
        files: ids(&books.files, |file| file.deleted, |file| file.id),
    }
}

/// Orders what the portal added.
pub(super) fn sort(facts: &mut Facts) {
    for matches in [&mut facts.matches, &mut facts.ambiguous, &mut facts.contradicting, &mut facts.near_misses] {
        matches.sort_by_key(|found| found.person);
    }
}
