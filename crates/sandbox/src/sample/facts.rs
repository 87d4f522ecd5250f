//! What is odd in a sample, by id, so that tests and the demo need not search for it.

use serde::{Deserialize, Serialize};

/// What a person of the source finds in the HubSpot portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// One contact with the same primary e-mail address, in the same or another case.
    Email,
    /// One contact that has the address among its additional ones.
    AdditionalEmail,
    /// One contact without e-mail, with the same phone number in another written form.
    Phone,
    /// One contact that shares only the value of `pipedrive_person_id`.
    ExternalId,
    /// Two contacts with the same phone number.
    SamePhoneTwice,
    /// Two contacts with the same `pipedrive_person_id`.
    SameExternalIdTwice,
    /// The e-mail address leads to the first contact, the phone number to the second.
    EmailAgainstPhone,
    /// Another person of the same name, with another address and number: must not be matched.
    SameNameOnly,
}

/// A person of the source and the portal's contacts concerned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    /// The Pipedrive person id.
    pub person: u64,
    /// The HubSpot contact ids.
    pub contacts: Vec<String>,
    /// How they relate.
    pub finding: Finding,
    /// HubSpot properties in which the portal deliberately differs: newer, blank, or written otherwise.
    pub differs: Vec<String>,
}

/// Ids of records that are deleted, beyond all counts: no listing may show them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted {
    /// Organization ids.
    pub organizations: Vec<u64>,
    /// Person ids.
    pub persons: Vec<u64>,
    /// Deal ids.
    pub deals: Vec<u64>,
    /// Note ids.
    pub notes: Vec<u64>,
    /// Activity ids.
    pub activities: Vec<u64>,
    /// File ids.
    pub files: Vec<u64>,
}

/// Everything odd in a [`Company`](super::Company), by Pipedrive id, ascending where order has no meaning.
///
/// A record has at most one oddity: no person stands in two of the lists of persons, no deal in two of
/// the lists of deals, except that any deal may have participants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Persons that the portal already holds as exactly one contact: by e-mail, phone or external id.
    pub matches: Vec<Match>,
    /// Persons for which two contacts qualify.
    pub ambiguous: Vec<Match>,
    /// Persons whose e-mail and phone lead to different contacts.
    pub contradicting: Vec<Match>,
    /// Contacts of the portal that are other people with the name of a source person.
    pub near_misses: Vec<Match>,
    /// Pairs of persons that share one e-mail address; none of them is in the portal.
    pub shared_email_pairs: Vec<(u64, u64)>,
    /// Persons whose only e-mail address HubSpot refuses, with the address.
    pub refused_emails: Vec<(u64, String)>,
    /// The person with eleven e-mail addresses.
    pub person_with_eleven_emails: u64,
    /// Persons whose name ends in a space.
    pub persons_with_trailing_space: Vec<u64>,

    /// The user without a HubSpot owner (deactivated; she owns no organization and wrote no note).
    pub departed_user: u64,
    /// Persons that this user owns.
    pub departed_persons: Vec<u64>,
    /// Deals that this user owns: all in translatable stages, all with persons that she owns.
    pub departed_deals: Vec<u64>,
    /// Activities that this user owns.
    pub departed_activities: Vec<u64>,
    /// Users that own and wrote nothing.
    pub users_without_records: Vec<u64>,

    /// Stages whose names HubSpot's pipelines do not have.
    pub untranslated_stages: Vec<u64>,
    /// Deals in those stages: all open, none archived, none of the departed user, and none with a
    /// person (main or participant) of a list above, except `matches` and `near_misses`.
    pub untranslated_deals: Vec<u64>,
    /// Deals without a person.
    pub deals_without_person: Vec<u64>,
    /// Deals without an organization.
    pub deals_without_organization: Vec<u64>,
    /// Archived deals, which the API lists separately; part of the count of deals.
    pub archived_deals: Vec<u64>,
    /// Deals with two to four participants beside the main person.
    pub deals_with_participants: Vec<u64>,

    /// Two organizations that are each other's parent.
    pub organization_cycle: (u64, u64),
    /// Pairs of organizations of the same name (and other address and domain).
    pub duplicate_organization_names: Vec<(u64, u64)>,
    /// Organizations whose name ends in a space.
    pub organizations_with_trailing_space: Vec<u64>,
    /// Organizations that the portal has under the same name and domain, with the company id there.
    pub shared_companies: Vec<(u64, String)>,

    /// The note whose visible text is longer than the 65,536 characters that HubSpot takes.
    pub oversized_note: u64,
    /// The file whose bytes are gone: its `content_base64` is null, and downloading answers 404.
    pub file_without_bytes: u64,
    /// Activities without deal, person and organization.
    pub activities_without_parent: Vec<u64>,

    /// Deleted records.
    pub deleted: Deleted,
}
