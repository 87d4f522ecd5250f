//! Leads: people whom nobody has talked into anything yet. They stand only where the platform keeps them apart from the
//! persons: in Salesforce, Zoho CRM and Dynamics 365.

use super::account::SELLERS;
use super::calendar::{END, START, moment};
use super::dice::Dice;
use super::records::{Lead, LeadStatus};
use super::scale::Scale;
use super::words;

/// The leads, ordered by creation.
pub(super) fn leads(seed: u64, scale: &Scale) -> Vec<Lead> {
    let mut dice = Dice::new(seed, "leads");
    let active: Vec<u64> = SELLERS.iter().filter(|seller| seller.active).map(|seller| seller.id).collect();
    let mut leads: Vec<Lead> = (0..scale.leads).map(|place| lead(&mut dice, place, &active)).collect();
    leads.sort_by_key(|lead| lead.added);
    for (id, lead) in (1..).zip(&mut leads) {
        lead.id = id;
    }
    leads
}

fn lead(dice: &mut Dice, place: usize, sellers: &[u64]) -> Lead {
    let culture = super::organizations::culture(dice);
    let (given, family) = (dice.word(culture.firsts), dice.word(culture.lasts));
    let added = moment(dice, START, END);
    let local = words::slug(&format!("{} {}", given.latin, family.latin), '.');
    let topic = dice.entry(words::TOPICS, ';');
    Lead {
        id: 0,
        given: given.native,
        family: family.native,
        company: format!("{} & Co.", family.native),
        email: dice.chance(90).then(|| format!("{local}.{place}@leads.example.com")),
        phone: dice.chance(70).then(|| format!("+49 30 5550{place:04}")),
        position: dice.chance(50).then(|| dice.entry(words::POSITIONS, ';')),
        status: match dice.below(5) {
            0 | 1 => LeadStatus::New,
            2 | 3 => LeadStatus::Contacted,
            _ => LeadStatus::Lost,
        },
        owner: dice.pick_copy(sellers),
        note: place.is_multiple_of(2).then(|| format!("Asked about {topic} at the fair.")),
        task: place.is_multiple_of(3).then(|| format!("Call back on {topic}")),
        updated: moment(dice, added, END),
        added,
    }
}
