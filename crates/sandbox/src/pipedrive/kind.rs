//! The kinds of records and their keys: what each key holds, who may write it, what it is when unset.
//!
//! One table per kind drives validation, rendering, the schema endpoints and the world file, so that
//! they cannot disagree (sheet: Pipedrive section 2.1 \[spec\]).

use serde_json::{Value as Json, json};

/// A kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Deal,
    Person,
    Organization,
    Activity,
    Product,
    Note,
    File,
    Lead,
}

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Form {
    /// Text of at most so many characters.
    Text(usize),
    /// HTML text, sanitised, of at most the note size.
    Html,
    Int,
    Number,
    Bool,
    /// RFC 3339.
    Instant,
    /// `YYYY-MM-DD HH:MM:SS` (sheet: section 5 \[spec\] about `archive_time`).
    ArchiveInstant,
    Date,
    Clock,
    Currency,
    User,
    Link(Kind),
    /// The UUID of a lead.
    Lead,
    /// No such object in the sandbox: only null fits.
    Absent,
    Pipeline,
    Stage,
    /// One of these.
    Choice(&'static [&'static str]),
    /// Option ids of the kind's field of this key.
    Options,
    /// One option id of the kind's field of this key.
    Option,
    Visible,
    /// `[{value, primary, label}]`.
    Contacts,
    Address,
    Participants,
    Attendees,
    ActivityType,
    Prices,
}

/// Who may write a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Nobody; sending it is refused.
    Read,
    /// On creation only.
    Create,
    /// Always.
    Write,
    /// Only with contact sync (sheet: section 9 trap 4 \[doc\]).
    Sync,
    /// Only with the Campaigns product (vendor's specification of `POST /persons`); lists show it when
    /// `include_fields` asks.
    Campaigns,
}

/// What an unset key reads as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unset {
    Null,
    Zero,
    No,
    Yes,
    List,
    Blank,
}

/// One key of a kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) form: Form,
    pub(super) access: Access,
    pub(super) unset: Unset,
}

const fn key(name: &'static str, form: Form, access: Access, unset: Unset) -> Key {
    Key { name, form, access, unset }
}

use Access::{Campaigns, Create, Read, Sync, Write};
use Form::{
    Absent, ActivityType, Address, ArchiveInstant, Attendees, Bool, Choice, Clock, Contacts, Currency, Date, Html,
    Instant, Int, Link, Number, Options, Participants, Pipeline, Prices, Stage, Text, User, Visible,
};
use Unset::{Blank, List, No, Null, Yes, Zero};

const VARCHAR: Form = Text(255);
const LONG: Form = Text(65_535);

const DEAL: &[Key] = &[
    key("title", VARCHAR, Write, Null),
    key("creator_user_id", User, Read, Null),
    key("owner_id", User, Write, Null),
    key("value", Number, Write, Zero),
    key("currency", Currency, Write, Null),
    key("person_id", Link(Kind::Person), Write, Null),
    key("org_id", Link(Kind::Organization), Write, Null),
    key("stage_id", Stage, Write, Null),
    key("pipeline_id", Pipeline, Write, Null),
    key("status", Choice(&["open", "won", "lost"]), Write, Null),
    key("is_archived", Bool, Write, No),
    key("archive_time", ArchiveInstant, Write, Null),
    key("is_deleted", Bool, Write, No),
    key("probability", Number, Write, Null),
    key("lost_reason", VARCHAR, Write, Null),
    key("visible_to", Visible, Write, Null),
    key("stage_change_time", Instant, Read, Null),
    key("close_time", Instant, Write, Null),
    key("won_time", Instant, Write, Null),
    key("lost_time", Instant, Write, Null),
    key("local_won_date", Date, Read, Null),
    key("local_lost_date", Date, Read, Null),
    key("local_close_date", Date, Read, Null),
    key("expected_close_date", Date, Write, Null),
    key("label_ids", Options, Write, List),
    key("origin", VARCHAR, Read, Null),
    key("origin_id", VARCHAR, Read, Null),
    key("channel", Int, Read, Null),
    key("channel_id", VARCHAR, Read, Null),
    key("source_lead_id", VARCHAR, Read, Null),
    key("acv", Number, Read, Null),
    key("arr", Number, Read, Null),
    key("mrr", Number, Read, Null),
];

const PERSON: &[Key] = &[
    key("name", VARCHAR, Write, Null),
    key("first_name", VARCHAR, Read, Null),
    key("last_name", VARCHAR, Read, Null),
    key("owner_id", User, Write, Null),
    key("org_id", Link(Kind::Organization), Write, Null),
    key("emails", Contacts, Write, List),
    key("phones", Contacts, Write, List),
    key("is_deleted", Bool, Read, No),
    key("visible_to", Visible, Write, Null),
    key("label_ids", Options, Write, List),
    key("picture_id", Int, Read, Null),
    key("marketing_status", Choice(&["no_consent", "unsubscribed", "subscribed", "archived"]), Campaigns, Null),
    key("notes", LONG, Sync, Blank),
    key("im", Contacts, Sync, List),
    key("birthday", Date, Sync, Null),
    key("job_title", VARCHAR, Sync, Blank),
    key("postal_address", Address, Sync, Null),
];

const ORGANIZATION: &[Key] = &[
    key("name", VARCHAR, Write, Null),
    key("owner_id", User, Write, Null),
    key("address", Address, Write, Null),
    key("is_deleted", Bool, Read, No),
    key("visible_to", Visible, Write, Null),
    key("label_ids", Options, Write, List),
    key("website", VARCHAR, Write, Null),
    key("linkedin", VARCHAR, Write, Null),
    key("industry", Form::Option, Write, Null),
    key("annual_revenue", Number, Write, Null),
    key("employee_count", Int, Write, Null),
];

const ACTIVITY: &[Key] = &[
    key("subject", VARCHAR, Write, Null),
    key("type", ActivityType, Write, Null),
    key("owner_id", User, Write, Null),
    key("creator_user_id", User, Read, Null),
    key("is_deleted", Bool, Read, No),
    key("deal_id", Link(Kind::Deal), Write, Null),
    key("lead_id", Form::Lead, Write, Null),
    key("person_id", Link(Kind::Person), Read, Null),
    key("org_id", Link(Kind::Organization), Write, Null),
    key("project_id", Absent, Write, Null),
    key("due_date", Date, Write, Null),
    key("due_time", Clock, Write, Null),
    key("duration", Clock, Write, Null),
    key("busy", Bool, Write, No),
    key("done", Bool, Write, No),
    key("marked_as_done_time", Instant, Read, Null),
    key("location", Address, Write, Null),
    key("participants", Participants, Write, List),
    key("attendees", Attendees, Write, List),
    key("conference_meeting_client", VARCHAR, Read, Null),
    key("conference_meeting_url", VARCHAR, Read, Null),
    key("conference_meeting_id", VARCHAR, Read, Null),
    key("public_description", LONG, Write, Null),
    key("priority", Int, Write, Null),
    key("outcome", VARCHAR, Write, Null),
    key("note", Html, Write, Null),
];

const PRODUCT: &[Key] = &[
    key("name", VARCHAR, Write, Null),
    key("code", VARCHAR, Write, Null),
    key("description", LONG, Write, Null),
    key("unit", VARCHAR, Write, Null),
    key("tax", Number, Write, Zero),
    key("category", Form::Option, Write, Null),
    key("owner_id", User, Write, Null),
    key("is_linkable", Bool, Write, Yes),
    key("is_deleted", Bool, Read, No),
    key("visible_to", Visible, Write, Null),
    key("prices", Prices, Write, List),
    key(
        "billing_frequency",
        Choice(&["one-time", "weekly", "monthly", "quarterly", "semi-annually", "annually"]),
        Write,
        Null,
    ),
    key("billing_frequency_cycles", Int, Write, Null),
];

const NOTE: &[Key] = &[
    key("content", Html, Write, Null),
    key("deal_id", Link(Kind::Deal), Write, Null),
    key("person_id", Link(Kind::Person), Write, Null),
    key("org_id", Link(Kind::Organization), Write, Null),
    key("lead_id", Form::Lead, Write, Null),
    key("project_id", Absent, Write, Null),
    key("task_id", Absent, Write, Null),
    key("user_id", User, Write, Null),
    key("last_update_user_id", User, Read, Null),
    key("pinned_to_deal_flag", Bool, Write, No),
    key("pinned_to_person_flag", Bool, Write, No),
    key("pinned_to_organization_flag", Bool, Write, No),
    key("pinned_to_lead_flag", Bool, Write, No),
    key("pinned_to_project_flag", Bool, Write, No),
];

const FILE: &[Key] = &[
    key("user_id", User, Read, Null),
    key("deal_id", Link(Kind::Deal), Create, Null),
    key("person_id", Link(Kind::Person), Create, Null),
    key("org_id", Link(Kind::Organization), Create, Null),
    key("product_id", Link(Kind::Product), Create, Null),
    key("activity_id", Link(Kind::Activity), Create, Null),
    key("lead_id", Form::Lead, Create, Null),
    key("project_id", Absent, Create, Null),
    key("file_name", VARCHAR, Read, Null),
    key("file_type", VARCHAR, Read, Null),
    key("file_size", Int, Read, Zero),
    key("inline_flag", Bool, Read, No),
    key("remote_location", VARCHAR, Read, Null),
    key("remote_id", VARCHAR, Read, Null),
    key("cid", VARCHAR, Read, Null),
    key("mail_message_id", VARCHAR, Read, Null),
    key("name", VARCHAR, Write, Null),
    key("description", LONG, Write, Null),
];

const LEAD: &[Key] = &[
    key("uuid", VARCHAR, Read, Null),
    key("title", VARCHAR, Write, Null),
    key("owner_id", User, Write, Null),
    key("creator_id", User, Read, Null),
    key("label_ids", Text(36), Write, List),
    key("person_id", Link(Kind::Person), Write, Null),
    key("organization_id", Link(Kind::Organization), Write, Null),
    key("source_name", VARCHAR, Read, Null),
    key("origin", VARCHAR, Read, Null),
    key("origin_id", VARCHAR, Create, Null),
    key("channel", Int, Write, Null),
    key("channel_id", VARCHAR, Write, Null),
    key("is_archived", Bool, Write, No),
    key("was_seen", Bool, Write, No),
    key("value", Number, Write, Null),
    key("expected_close_date", Date, Write, Null),
    key("next_activity_id", Int, Read, Null),
    key("visible_to", Visible, Write, Null),
    key("cc_email", VARCHAR, Read, Null),
];

impl Kind {
    /// Every kind.
    pub(super) const ALL: [Self; 8] = [
        Self::Deal,
        Self::Person,
        Self::Organization,
        Self::Activity,
        Self::Product,
        Self::Note,
        Self::File,
        Self::Lead,
    ];

    /// The kinds that v2 lists, whose records have custom fields of their own or may have.
    pub(super) const V2: [Self; 5] = [Self::Deal, Self::Person, Self::Organization, Self::Activity, Self::Product];

    /// `deal`: the name in the journal, in webhooks and in search results.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Deal => "deal",
            Self::Person => "person",
            Self::Organization => "organization",
            Self::Activity => "activity",
            Self::Product => "product",
            Self::Note => "note",
            Self::File => "file",
            Self::Lead => "lead",
        }
    }

    /// `deals`: the name in paths and in world files.
    pub(super) const fn plural(self) -> &'static str {
        match self {
            Self::Deal => "deals",
            Self::Person => "persons",
            Self::Organization => "organizations",
            Self::Activity => "activities",
            Self::Product => "products",
            Self::Note => "notes",
            Self::File => "files",
            Self::Lead => "leads",
        }
    }

    /// The kind of a plural name.
    pub(super) fn of_plural(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.plural() == name)
    }

    /// The kind of a singular name.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Its keys, in the order of the sheet.
    pub(super) const fn keys(self) -> &'static [Key] {
        match self {
            Self::Deal => DEAL,
            Self::Person => PERSON,
            Self::Organization => ORGANIZATION,
            Self::Activity => ACTIVITY,
            Self::Product => PRODUCT,
            Self::Note => NOTE,
            Self::File => FILE,
            Self::Lead => LEAD,
        }
    }

    /// The key of this name.
    pub(super) fn key(self, name: &str) -> Option<&'static Key> {
        self.keys().iter().find(|key| key.name == name)
    }

    /// The links that its table indexes.
    pub(super) const fn link_keys(self) -> &'static [&'static str] {
        match self {
            Self::Deal => &["person_id", "org_id"],
            Self::Person => &["org_id"],
            Self::Activity => &["deal_id", "person_id", "org_id"],
            Self::Note => &["deal_id", "person_id", "org_id"],
            Self::File => &["deal_id", "person_id", "org_id", "activity_id", "product_id"],
            Self::Lead => &["person_id", "organization_id"],
            Self::Organization | Self::Product => &[],
        }
    }

    /// Whether its records may hold custom fields (leads borrow those of deals).
    pub(super) const fn has_custom(self) -> bool {
        !matches!(self, Self::Activity | Self::Note | Self::File)
    }

    /// The kind that defines its fields.
    pub(super) const fn fields_of(self) -> Self {
        match self {
            Self::Lead => Self::Deal,
            other => other,
        }
    }
}

impl Unset {
    /// The value that an unset key reads as.
    pub(super) fn value(self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Zero => json!(0),
            Self::No => json!(false),
            Self::Yes => json!(true),
            Self::List => json!([]),
            Self::Blank => json!(""),
        }
    }
}
