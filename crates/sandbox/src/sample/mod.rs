//! A sample company, made up from a seed: what a mid-size sales company has in its CRM after five years.
//!
//! [`company`] stands in Pipedrive and is to move to a HubSpot portal that knows some of the people
//! already; [`hubspot_company`] stands in HubSpot and is to move to an empty Pipedrive account.
//! [`small`] is the first at about a hundredth of the size, for tests that repeat a migration often.
//!
//! Invariants:
//! - Same seed, same bytes. Each part draws from its own stream.
//! - Counts are exact, and every oddity is listed in [`Facts`].
//! - E-mail addresses and phone numbers of different persons differ, also without case and
//!   punctuation, except the pairs in the facts. Domains end in `.example` or `.test`.
//!
//! Deliberately absent: leads, products and webhooks.

mod account;
mod activities;
mod as_activecampaign;
mod as_dynamics;
mod as_hubspot;
mod as_pipedrive;
mod as_salesforce;
mod as_zoho;
mod calendar;
mod custom;
mod deals;
mod dice;
mod facts;
mod files;
mod leads;
mod mails;
mod notes;
mod organizations;
mod persons;
mod phones;
mod places;
mod plain;
mod portal;
mod records;
mod scale;
mod survey;
mod words;

use serde_json::Value as Json;

use self::custom::Fields;
use self::deals::Ground;
use self::dice::Dice;
pub use self::facts::{Deleted, Facts, Finding, Match};
use self::notes::Hooks;
use self::phones::Exchange;
use self::records::Books;
pub use self::scale::Scale;

/// A company in Pipedrive, and the HubSpot portal that it moves to.
#[derive(Clone, Debug, PartialEq)]
pub struct Company {
    /// Pipedrive's world file.
    pub pipedrive: Json,
    /// HubSpot's world file.
    pub hubspot: Json,
    /// What is odd, by id.
    pub facts: Facts,
}

/// A company in HubSpot, and the Pipedrive account that it moves to.
#[derive(Clone, Debug, PartialEq)]
pub struct HubspotCompany {
    /// HubSpot's world file.
    pub hubspot: Json,
    /// Pipedrive's world file: users, pipelines and currencies, no record.
    pub pipedrive: Json,
    /// What is odd, by HubSpot id.
    pub facts: HubspotFacts,
}

pub use self::as_hubspot::HubspotFacts;

/// The company of the documented size: see [`Scale::full`].
pub fn company(seed: u64) -> Company {
    company_scaled(seed, Scale::full())
}

/// The same at about a hundredth of the size: see [`Scale::small`].
pub fn small(seed: u64) -> Company {
    company_scaled(seed, Scale::small())
}

/// The company at any scale.
pub fn company_scaled(seed: u64, scale: Scale) -> Company {
    let (fields, books, mut exchange) = books(seed, &scale);
    let mut facts = survey::facts(&books);
    let hubspot = portal::world(seed, &scale, &mut exchange, &books, &mut facts);
    survey::sort(&mut facts);
    Company { pipedrive: as_pipedrive::world(seed, &fields, &books), hubspot, facts }
}

/// The company standing in HubSpot: its organizations are companies, its persons contacts, and so on.
pub fn hubspot_company(seed: u64) -> HubspotCompany {
    hubspot_company_scaled(seed, Scale::full())
}

/// The company standing in HubSpot, at any scale.
pub fn hubspot_company_scaled(seed: u64, scale: Scale) -> HubspotCompany {
    let (fields, books, _) = books(seed, &scale);
    let (hubspot, facts) = as_hubspot::world(seed, &fields, &books);
    HubspotCompany { hubspot, pipedrive: as_pipedrive::empty(seed), facts }
}

/// The platforms in which the company has been written down.
pub const PLATFORMS: [&str; 6] = ["activecampaign", "dynamics", "hubspot", "pipedrive", "salesforce", "zoho"];

/// The company standing in a platform, at any scale: a world file; `None` where it has not been written down.
/// Deals, persons and organizations keep their ids as far as the platform's form of ids allows.
pub fn company_in(platform: &str, seed: u64, scale: Scale) -> Option<Json> {
    let (fields, books, _) = books(seed, &scale);
    written(platform, seed, &fields, &books)
}

/// An account of the company's users, stages and currencies without a record or a field of its own: a world file.
/// `None` where it has not been written down.
pub fn bare(platform: &str, seed: u64) -> Option<Json> {
    match platform {
        "pipedrive" => Some(as_pipedrive::empty(seed)),
        "hubspot" => Some(as_hubspot::bare(seed)),
        _ => written(platform, seed, &Fields::none(), &Books::default()),
    }
}

fn written(platform: &str, seed: u64, fields: &Fields, books: &Books) -> Option<Json> {
    Some(match platform {
        "activecampaign" => as_activecampaign::world(seed, fields, books),
        "dynamics" => as_dynamics::world(fields, books),
        "hubspot" => as_hubspot::world(seed, fields, books).0,
        "pipedrive" => as_pipedrive::world(seed, fields, books),
        "salesforce" => as_salesforce::world(fields, books),
        "zoho" => as_zoho::world(fields, books),
        _ => return None,
    })
}

/// Everything that the company recorded, its fields, and the numbers that are still free.
fn books(seed: u64, scale: &Scale) -> (Fields, Books, Exchange) {
    let fields = Fields::new(seed);
    let mut exchange = Exchange::new(&mut Dice::new(seed, "phones"));
    let mut organizations = organizations::organizations(seed, scale);
    let spared = portal::shared_places(scale, &organizations);
    let duplicate_names = organizations::odd_names(seed, scale, &mut organizations, &spared);
    let relations = organizations::relations(seed, scale, &organizations);
    let mut persons = persons::persons(seed, scale, &mut exchange, &organizations);
    let people = persons::by_organization(organizations.len(), &persons);
    persons::fill(seed, &fields, &mut exchange, &organizations, &people, &mut persons);
    organizations::fill(seed, &fields, &mut exchange, &mut organizations, &people);
    let ground = Ground { organizations: &organizations, persons: &persons, people: &people, fields: &fields };
    let deals = deals::deals(seed, scale, &mut exchange, &ground);
    let hooks = Hooks::new(&organizations, &persons, &deals);
    let (notes, oversized_note) = notes::notes(seed, scale, &hooks);
    let activities = activities::activities(seed, scale, &hooks);
    let files = files::files(seed, scale, &hooks, &activities);
    let mails = mails::mails(seed, scale, &hooks);
    let leads = leads::leads(seed, scale);
    let cycle = relations.last().copied().unwrap_or_default();
    let books = Books {
        organizations,
        relations,
        cycle,
        duplicate_names,
        persons,
        leads,
        deals,
        notes,
        oversized_note,
        activities,
        files,
        mails,
    };
    (fields, books, exchange)
}
