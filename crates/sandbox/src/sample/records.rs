//! The company's records, before either platform writes them in its own way.
//!
//! Records refer to each other by their place in the lists of [`Books`]; users, stages, labels and
//! options by id. Lists are ordered by the time of creation, and ids ascend with it.

use super::custom::Values;
use super::phones::Number;
use super::words::Culture;

/// A postal address with all its parts.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub(super) country: &'static str,
    pub(super) region: &'static str,
    pub(super) district: Option<String>,
    pub(super) locality: &'static str,
    pub(super) sublocality: &'static str,
    pub(super) route: &'static str,
    pub(super) number: String,
    pub(super) subpremise: Option<String>,
    pub(super) postal_code: &'static str,
}

impl Address {
    /// The address in one line.
    pub(super) fn line(&self) -> String {
        format!("{} {}, {} {}, {}", self.route, self.number, self.postal_code, self.locality, self.country)
    }
}

/// What a person is chosen for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Plain,
    ByEmail,
    ByPhone,
    ByExternalId,
    SamePhoneTwice,
    SameExternalIdTwice,
    EmailAgainstPhone,
    NearMiss,
    /// The number of the pair.
    SharedEmail(usize),
    RefusedEmail(usize),
    ElevenEmails,
    TrailingSpace,
    Departed,
}

impl Role {
    /// Whether nothing about the person keeps it from being carried over.
    pub(super) fn is_plain(self) -> bool {
        matches!(self, Self::Plain | Self::ByEmail | Self::ByPhone | Self::ByExternalId | Self::NearMiss)
    }
}

pub(super) struct Organization {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) domain: String,
    pub(super) website: Option<String>,
    pub(super) culture: &'static Culture,
    pub(super) address: Option<Address>,
    pub(super) owner: u64,
    pub(super) labels: Vec<u64>,
    pub(super) employees: Option<i64>,
    pub(super) revenue: Option<i64>,
    pub(super) visible_to: u64,
    pub(super) added: i64,
    pub(super) updated: i64,
    pub(super) deleted: bool,
    pub(super) custom: Values,
}

/// An e-mail address or a phone number as written, with its label.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) value: String,
    pub(super) label: &'static str,
}

pub(super) struct Person {
    pub(super) id: u64,
    pub(super) role: Role,
    pub(super) name: String,
    pub(super) given: &'static str,
    pub(super) family: &'static str,
    pub(super) latin: String,
    pub(super) culture: &'static Culture,
    pub(super) organization: Option<usize>,
    pub(super) emails: Vec<Line>,
    pub(super) phones: Vec<Line>,
    /// The number behind `phones[0]`.
    pub(super) number: Option<Number>,
    /// The form in which `phones[0]` is written, where it is a known one.
    pub(super) form: usize,
    pub(super) position: Option<&'static str>,
    pub(super) owner: u64,
    pub(super) labels: Vec<u64>,
    pub(super) visible_to: u64,
    pub(super) added: i64,
    pub(super) updated: i64,
    pub(super) deleted: bool,
    pub(super) custom: Values,
}

/// How far somebody has come with a lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeadStatus {
    New,
    Contacted,
    Lost,
}

pub(super) struct Lead {
    pub(super) id: u64,
    pub(super) given: &'static str,
    pub(super) family: &'static str,
    pub(super) company: String,
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) position: Option<&'static str>,
    pub(super) status: LeadStatus,
    pub(super) owner: u64,
    /// What was noted about it.
    pub(super) note: Option<String>,
    /// What is to be done about it.
    pub(super) task: Option<String>,
    pub(super) added: i64,
    pub(super) updated: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Open,
    Won,
    Lost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DealRole {
    Plain,
    Untranslated,
    Departed,
    WithoutPerson,
    WithoutOrganization,
    Archived,
}

pub(super) struct Deal {
    pub(super) id: u64,
    pub(super) role: DealRole,
    pub(super) title: String,
    /// Hundredths of the currency.
    pub(super) cents: i64,
    pub(super) currency: &'static str,
    pub(super) person: Option<usize>,
    pub(super) organization: Option<usize>,
    /// Persons beside the main one.
    pub(super) participants: Vec<usize>,
    pub(super) owner: u64,
    pub(super) creator: u64,
    pub(super) stage: u64,
    pub(super) status: Status,
    pub(super) lost_reason: Option<&'static str>,
    pub(super) closed: Option<i64>,
    pub(super) expected_close: Option<i64>,
    pub(super) probability: Option<i64>,
    pub(super) labels: Vec<u64>,
    pub(super) archived: Option<i64>,
    pub(super) visible_to: u64,
    pub(super) added: i64,
    pub(super) updated: i64,
    pub(super) deleted: bool,
    pub(super) custom: Values,
}

/// What a note, an activity or a file hangs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parents {
    pub(super) deal: Option<usize>,
    pub(super) person: Option<usize>,
    pub(super) organization: Option<usize>,
    pub(super) activity: Option<usize>,
}

pub(super) struct Note {
    pub(super) id: u64,
    pub(super) parents: Parents,
    pub(super) user: u64,
    pub(super) content: String,
    pub(super) pinned: bool,
    pub(super) added: i64,
    pub(super) updated: i64,
    pub(super) deleted: bool,
}

pub(super) struct Activity {
    pub(super) id: u64,
    pub(super) kind: &'static str,
    pub(super) subject: String,
    pub(super) parents: Parents,
    /// Persons beside `parents.person`.
    pub(super) participants: Vec<usize>,
    pub(super) owner: u64,
    /// Midnight (UTC) of the day on which it is due.
    pub(super) due: i64,
    /// Seconds after midnight, UTC; `None`: all day.
    pub(super) due_time: Option<i64>,
    pub(super) minutes: Option<i64>,
    pub(super) done: Option<i64>,
    pub(super) location: Option<Address>,
    pub(super) note: Option<String>,
    pub(super) public_description: Option<String>,
    pub(super) attendees: bool,
    pub(super) added: i64,
    pub(super) updated: i64,
    pub(super) deleted: bool,
}

pub(super) struct File {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) parents: Parents,
    pub(super) user: u64,
    pub(super) bytes: Vec<u8>,
    pub(super) gone: bool,
    pub(super) added: i64,
    pub(super) deleted: bool,
}

/// A synced e-mail.
pub(super) struct Mail {
    pub(super) id: u64,
    pub(super) thread: u64,
    pub(super) subject: String,
    pub(super) html: String,
    /// Whether a user wrote it, and not the customer.
    pub(super) sent: bool,
    pub(super) user: u64,
    /// The customer; none when the address is nobody's.
    pub(super) person: Option<usize>,
    /// Who got a copy.
    pub(super) colleague: Option<usize>,
    pub(super) deal: Option<usize>,
    pub(super) draft: bool,
    pub(super) at: i64,
}

/// Everything that the company recorded.
#[derive(Default)]
pub(super) struct Books {
    pub(super) organizations: Vec<Organization>,
    /// Parent and child, by place.
    pub(super) relations: Vec<(usize, usize)>,
    /// The two organizations that are each other's parent.
    pub(super) cycle: (usize, usize),
    pub(super) duplicate_names: Vec<(usize, usize)>,
    pub(super) persons: Vec<Person>,
    pub(super) leads: Vec<Lead>,
    pub(super) deals: Vec<Deal>,
    pub(super) notes: Vec<Note>,
    pub(super) oversized_note: usize,
    pub(super) activities: Vec<Activity>,
    pub(super) files: Vec<File>,
    pub(super) mails: Vec<Mail>,
}

/// The place of the records that may be referred to: not deleted ones.
pub(super) fn live<T>(records: &[T], deleted: impl Fn(&T) -> bool) -> Vec<usize> {
    (0..records.len()).filter(|&place| !deleted(&records[place])).collect()
}
