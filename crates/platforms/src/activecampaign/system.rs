//! The system fields of each object, as the sheet has them (ActiveCampaign section 2 \[rec, spec\]).

use handover_model::Writable;

use super::form::Form;
use super::object::Object;

/// Where a field stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A key of the row.
    Key(&'static str),
    /// `relid`, where `reltype` is this object's word.
    Parent(Object),
    /// A key of the contact's association with its account, of which there is one at most.
    Join(&'static str),
    /// Read in calls of its own.
    Extra,
}

/// What a field holds, beyond its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// Text of one line: no longer than 255 characters, as far as is known (section 9 trap 22 \[unsure\]).
    Line,
    /// Text of any length.
    Free,
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// What its form says.
    Plain,
    /// A pipeline.
    Pipeline,
    /// A stage.
    Stage,
    /// A type of tasks.
    TaskType,
    /// One of these.
    OneOf(&'static [(&'static str, &'static str)]),
    /// Tags.
    Tags,
    /// Mailing lists.
    Lists,
    /// A user.
    User,
    /// A record.
    Link(Object),
    /// Several.
    Links(Object),
    /// A currency.
    Currency,
}

/// A system field.
#[derive(Debug)]
pub(super) struct System {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) place: Place,
    pub(super) form: Form,
    pub(super) holds: Holds,
    pub(super) writable: Writable,
    pub(super) is_required: bool,
    pub(super) is_unique: bool,
    /// Read only when the project asks for it by name.
    pub(super) is_dear: bool,
}

use Form::{Cents, Currency, Flag, Id, Instant, Number, Text, TextIds};
use Holds::{Email, Free, Line, Link, Links, OneOf, Phone, Pipeline, Plain, Stage, Tags, TaskType, User};
use Writable::{Always, Never};

const fn field(name: &'static str, label: &'static str, form: Form, holds: Holds, writable: Writable) -> System {
    System {
        name,
        label,
        place: Place::Key(name),
        form,
        holds,
        writable,
        is_required: false,
        is_unique: false,
        is_dear: false,
    }
}

impl System {
    const fn required(self) -> Self {
        Self { is_required: true, ..self }
    }

    const fn unique(self) -> Self {
        Self { is_unique: true, ..self }
    }

    const fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }

    const fn dear(self) -> Self {
        Self { is_dear: true, place: Place::Extra, ..self }
    }
}

impl Object {
    /// Its system fields.
    pub(super) const fn system(self) -> &'static [System] {
        match self {
            Self::Accounts => ACCOUNTS,
            Self::Contacts => CONTACTS,
            Self::Deals => DEALS,
            Self::Tasks => TASKS,
            Self::Notes => NOTES,
        }
    }

    pub(super) fn system_field(self, name: &str) -> Option<&'static System> {
        self.system().iter().find(|field| field.name == name)
    }
}

/// The field of a contact that names its account, and the one of its job there. A contact has one account at most
/// (section 2 \[spec\]).
pub(super) const ACCOUNT: &str = "accountContact.account";
pub(super) const JOB_TITLE: &str = "accountContact.jobTitle";
/// Contacts of a deal beside the main one.
pub(super) const SECONDARY: &str = "contactDeals";
/// Dear fields of contacts.
pub(super) const TAGS: &str = "tags";
pub(super) const LISTS: &str = "lists";
pub(super) const UNSUBSCRIBED: &str = "unsubscribed_lists";

const STATUS: &[(&str, &str)] = &[("0", "Open"), ("1", "Won"), ("2", "Lost")];

const ACCOUNTS: &[System] = &[
    field("name", "Name", Text, Line, Always).required().unique(),
    field("accountUrl", "Website", Text, Line, Always),
    field("owner", "Owner", Id, User, Always),
    field("createdTimestamp", "Created", Instant, Plain, Never),
    field("updatedTimestamp", "Updated", Instant, Plain, Never),
];

const CONTACTS: &[System] = &[
    field("email", "E-mail", Text, Email, Always).required().unique(),
    field("firstName", "First name", Text, Line, Always),
    field("lastName", "Last name", Text, Line, Always),
    field("phone", "Phone", Text, Phone, Always),
    field(ACCOUNT, "Account", Id, Link(Object::Accounts), Always).at(Place::Join("account")),
    field(JOB_TITLE, "Job title", Text, Line, Always).at(Place::Join("jobTitle")),
    field(TAGS, "Tags", TextIds, Tags, Never).dear(),
    field(LISTS, "Subscribed to", TextIds, Holds::Lists, Never).dear(),
    field(UNSUBSCRIBED, "Unsubscribed from", TextIds, Holds::Lists, Never).dear(),
    field("cdate", "Created", Instant, Plain, Never),
    field("udate", "Updated", Instant, Plain, Never),
];

const DEALS: &[System] = &[
    field("title", "Title", Text, Line, Always).required(),
    field("value", "Value", Cents, Plain, Always).required(),
    field("currency", "Currency", Currency, Holds::Currency, Always).required(),
    field("stage", "Stage", Id, Stage, Always).required(),
    field("group", "Pipeline", Id, Pipeline, Always),
    field("status", "Status", Id, OneOf(STATUS), Always),
    // Needed unless the pipeline assigns one (section 9 trap 6).
    field("owner", "Owner", Id, User, Always).required(),
    // One of the two is needed (section 2).
    field("contact", "Contact", Id, Link(Object::Contacts), Always),
    field("account", "Account", Id, Link(Object::Accounts), Always),
    field(SECONDARY, "Further contacts", TextIds, Links(Object::Contacts), Always).at(Place::Extra),
    field("description", "Description", Text, Free, Always),
    field("percent", "Probability", Number, Plain, Always),
    field("cdate", "Created", Instant, Plain, Never),
    field("mdate", "Updated", Instant, Plain, Never),
];

const TASKS: &[System] = &[
    field("title", "Title", Text, Line, Always),
    field("note", "Description", Text, Free, Always),
    field("dealTasktype", "Type", Id, TaskType, Always).required(),
    field("duedate", "Due", Instant, Plain, Always).required(),
    field("edate", "End", Instant, Plain, Always),
    field("status", "Completed", Flag, Plain, Always),
    // One of the two is needed (section 2).
    field("contact", "Contact", Id, Link(Object::Contacts), Always).at(Place::Parent(Object::Contacts)),
    field("deal", "Deal", Id, Link(Object::Deals), Always).at(Place::Parent(Object::Deals)),
    field("assignee", "Assigned to", Id, User, Always),
    field("user", "Creator", Id, User, Never),
    field("cdate", "Created", Instant, Plain, Never),
    field("udate", "Updated", Instant, Plain, Never),
];

const NOTES: &[System] = &[
    field("note", "Note", Text, Free, Always).required(),
    // One of them is needed, and a note has one only (section 2).
    field("contact", "Contact", Id, Link(Object::Contacts), Always).at(Place::Parent(Object::Contacts)),
    field("deal", "Deal", Id, Link(Object::Deals), Always).at(Place::Parent(Object::Deals)),
    field("account", "Account", Id, Link(Object::Accounts), Always).at(Place::Parent(Object::Accounts)),
    field("dealTask", "Task", Id, Link(Object::Tasks), Always).at(Place::Parent(Object::Tasks)),
    field("userid", "Author", Id, User, Never),
    field("cdate", "Created", Instant, Plain, Never),
    field("mdate", "Updated", Instant, Plain, Never),
];
