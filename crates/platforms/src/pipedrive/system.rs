//! The system fields of each object, as the sheet has them: what the account's own field list may not
//! tell (links, flags, times) and who may write what.
//!
//! Writability follows the write shapes of the specification (sheet: Pipedrive section 2.1 \[spec\]).

use handover_model::Writable;

use super::form::Form;
use super::object::Object;

/// What a system field holds, beyond its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// Text of at most so many characters.
    Text(u32),
    /// Text without a documented length.
    Free,
    /// HTML of at most so many characters.
    Html(u32),
    /// HTML without a documented length.
    FreeHtml,
    /// What its form says: number, flag, time.
    Plain,
    /// One option of the account's list for this field.
    Choice,
    /// Several of them.
    Choices,
    /// One of these.
    OneOf(&'static [(&'static str, &'static str)]),
    /// A pipeline.
    Pipeline,
    /// A stage of a pipeline.
    Stage,
    /// A type of activities, by its `key_string`.
    ActivityType,
    /// Labels of leads.
    LeadLabels,
    /// A user.
    User,
    /// A record of an object.
    Link(Object),
    /// Records of an object.
    Links(Object),
    /// E-mail addresses.
    Emails,
    /// Phone numbers.
    Phones,
    /// A currency code.
    Currency,
    /// An address, told in parts.
    Address,
    /// `{"amount", "currency"}` of leads, told in parts.
    LeadValue,
    /// Carried as it is.
    Opaque,
}

/// When a field is part of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// Always.
    Always,
    /// Only when the account's field list has it.
    WhenTold,
}

/// How a field is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Brought {
    /// With every list.
    Listed,
    /// With a list that asks for it in `include_fields`.
    Asked,
    /// In a call for each record.
    Extra,
}

/// One system field.
#[derive(Clone, Copy, Debug)]
pub(super) struct System {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) form: Form,
    pub(super) holds: Holds,
    pub(super) writable: Writable,
    pub(super) required: bool,
    pub(super) shown: Shown,
    pub(super) brought: Brought,
    /// Another code under which the account's field list may have it.
    pub(super) also: &'static str,
    /// Whether it reads as zero where nothing is.
    pub(super) blank_is_zero: bool,
}

/// Parts of an address; those left out of a write become null (sheet: section 3 \[doc\]).
pub(super) const ADDRESS: &[(&str, &str)] = &[
    ("value", "full"),
    ("country", "country"),
    ("admin_area_level_1", "state"),
    ("admin_area_level_2", "county"),
    ("locality", "city"),
    ("sublocality", "district"),
    ("route", "street"),
    ("street_number", "house number"),
    ("subpremise", "apartment"),
    ("postal_code", "postal code"),
];

/// Parts of a lead's value; it takes both or none (sheet: section 9 trap 11).
pub(super) const LEAD_VALUE: &[(&str, &str)] = &[("amount", "amount"), ("currency", "currency")];

/// `visible_to`: its meaning depends on the plan (sheet: section 5 \[spec\]).
const VISIBLE: &[(&str, &str)] =
    &[("1", "Owner"), ("3", "Company, or group"), ("5", "Group and sub-groups"), ("7", "Company")];
const STATUS: &[(&str, &str)] = &[("open", "Open"), ("won", "Won"), ("lost", "Lost")];
const MARKETING: &[(&str, &str)] = &[
    ("no_consent", "No consent"),
    ("unsubscribed", "Unsubscribed"),
    ("subscribed", "Subscribed"),
    ("archived", "Archived"),
];
const BILLING: &[(&str, &str)] = &[
    ("one-time", "One-time"),
    ("weekly", "Weekly"),
    ("monthly", "Monthly"),
    ("quarterly", "Quarterly"),
    ("semi-annually", "Semi-annually"),
    ("annually", "Annually"),
];

const DISCOUNT: &[(&str, &str)] = &[("percentage", "Percentage"), ("amount", "Amount")];
const TAX: &[(&str, &str)] = &[("exclusive", "Tax exclusive"), ("inclusive", "Tax inclusive"), ("none", "No tax")];

const fn field(name: &'static str, label: &'static str, form: Form, holds: Holds, writable: Writable) -> System {
    System {
        name,
        label,
        form,
        holds,
        writable,
        required: false,
        shown: Shown::Always,
        brought: Brought::Listed,
        also: "",
        blank_is_zero: false,
    }
}

impl System {
    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    const fn when_told(mut self) -> Self {
        self.shown = Shown::WhenTold;
        self
    }

    const fn brought(mut self, brought: Brought) -> Self {
        self.brought = brought;
        self
    }

    /// Reads as zero where nothing is.
    const fn zero(mut self) -> Self {
        self.blank_is_zero = true;
        self
    }

    const fn also(mut self, code: &'static str) -> Self {
        self.also = code;
        self
    }

    /// The parts of a structured field.
    pub(super) const fn parts(&self) -> &'static [(&'static str, &'static str)] {
        match self.holds {
            Holds::Address => ADDRESS,
            Holds::LeadValue => LEAD_VALUE,
            _ => &[],
        }
    }

    /// The form of one part.
    pub(super) fn part_form(&self, part: &str) -> Form {
        if part == "amount" { Form::Number } else { Form::Text }
    }
}

impl Object {
    /// Its system fields.
    pub(super) const fn system(self) -> &'static [System] {
        match self {
            Self::Organizations => ORGANIZATIONS,
            Self::Persons => PERSONS,
            Self::Products => PRODUCTS,
            Self::Deals => DEALS,
            Self::DealProducts => DEAL_PRODUCTS,
            Self::Activities => ACTIVITIES,
            Self::Leads => LEADS,
            Self::Notes => NOTES,
            Self::Files => FILES,
            Self::MailMessages => MAIL,
        }
    }

    /// The system field of this name, without a part.
    pub(super) fn system_field(self, name: &str) -> Option<&'static System> {
        self.system().iter().find(|field| field.name == name)
    }
}

use Form::{
    Bool, Clock, Contacts, Date, Flag, Id, Ids, Instant, Number, Participants, Parties, Stamp, Text as T, TextId, Words,
};
use Holds::{
    ActivityType, Address, Choice, Choices, Currency, Emails, Free, FreeHtml, Html, LeadLabels, LeadValue, Link, Links,
    OneOf, Opaque, Phones, Pipeline, Plain, Stage, Text, User,
};
use Writable::{Always, Never, OnCreate};

/// The longest `varchar`, in characters (sheet: section 3 \[spec\]).
pub(super) const VARCHAR: u32 = 255;
/// The longest `text`: "65k characters" (sheet: section 3 \[spec\]); the exact end is not documented.
pub(super) const LONG: u32 = 65_000;
/// Notes: about 100 KB (sheet: section 9 trap 8 \[unsure\]).
const NOTE: u32 = 100_000;

const ORGANIZATIONS: &[System] = &[
    field("name", "Name", T, Text(VARCHAR), Always).required(),
    field("owner_id", "Owner", Id, User, Always),
    field("label_ids", "Labels", Ids, Choices, Always).also("label"),
    field("address", "Address", T, Address, Always),
    field("website", "Website", T, Free, Always),
    field("linkedin", "LinkedIn profile", T, Free, Always),
    field("industry", "Industry", Id, Choice, Always),
    field("annual_revenue", "Annual revenue", Number, Plain, Always),
    field("employee_count", "Number of employees", Number, Plain, Always),
    field("visible_to", "Visible to", Id, OneOf(VISIBLE), Always),
    field("parent", "Parent organization", Id, Link(Object::Organizations), Always).brought(Brought::Extra),
    // Writable on creation only (sheet: section 5 [spec]).
    field("add_time", "Created", Instant, Plain, OnCreate),
    field("update_time", "Updated", Instant, Plain, Never),
];

const PERSONS: &[System] = &[
    field("name", "Name", T, Text(VARCHAR), Always).required(),
    // Derived from `name` by the server (sheet: section 9 trap 7).
    field("first_name", "First name", T, Text(VARCHAR), Never),
    field("last_name", "Last name", T, Text(VARCHAR), Never),
    field("owner_id", "Owner", Id, User, Always),
    field("org_id", "Organization", Id, Link(Object::Organizations), Always),
    field("emails", "E-mail", Contacts, Emails, Always).also("email"),
    field("phones", "Phone", Contacts, Phones, Always).also("phone"),
    field("label_ids", "Labels", Ids, Choices, Always).also("label"),
    field("visible_to", "Visible to", Id, OneOf(VISIBLE), Always),
    field("picture_id", "Picture", Id, Opaque, Never),
    field("marketing_status", "Marketing status", T, OneOf(MARKETING), Always).when_told().brought(Brought::Asked),
    // Contact sync only: else writing them is refused (sheet: section 9 trap 4 [doc]).
    field("job_title", "Job title", T, Text(VARCHAR), Always).when_told(),
    field("birthday", "Birthday", Date, Plain, Always).when_told(),
    field("notes", "Contact notes", T, Text(10_000), Always).when_told(),
    field("im", "Instant messengers", Contacts, Opaque, Always).when_told(),
    field("postal_address", "Postal address", T, Address, Always).when_told(),
    field("add_time", "Created", Instant, Plain, OnCreate),
    field("update_time", "Updated", Instant, Plain, Never),
];

const PRODUCTS: &[System] = &[
    field("name", "Name", T, Text(VARCHAR), Always).required(),
    field("code", "Code", T, Text(VARCHAR), Always),
    field("description", "Description", T, Free, Always),
    field("unit", "Unit", T, Text(VARCHAR), Always),
    field("tax", "Tax", Number, Plain, Always).zero(),
    field("category", "Category", Id, Choice, Always),
    field("owner_id", "Owner", Id, User, Always),
    field("is_linkable", "Can be added to deals", Bool, Plain, Always),
    field("visible_to", "Visible to", Id, OneOf(VISIBLE), Always),
    // `{EUR: {price, cost, direct_cost}}`, replaced as a whole.
    field("prices", "Prices", Form::Prices, Opaque, Always),
    field("billing_frequency", "Billing frequency", T, OneOf(BILLING), Always),
    field("billing_frequency_cycles", "Billing cycles", Number, Plain, Always),
    field("add_time", "Created", Instant, Plain, Never),
    field("update_time", "Updated", Instant, Plain, Never),
];

const DEALS: &[System] = &[
    field("title", "Title", T, Text(VARCHAR), Always).required(),
    field("owner_id", "Owner", Id, User, Always),
    // Derived from the products where a deal has some (sheet: section 9 trap 6).
    field("value", "Value", Number, Plain, Always).zero(),
    field("currency", "Currency", T, Currency, Always),
    field("person_id", "Contact person", Id, Link(Object::Persons), Always),
    field("org_id", "Organization", Id, Link(Object::Organizations), Always),
    field("pipeline_id", "Pipeline", Id, Pipeline, Always).also("pipeline"),
    field("stage_id", "Stage", Id, Stage, Always),
    field("status", "Status", T, OneOf(STATUS), Always),
    field("probability", "Probability", Number, Plain, Always),
    // Only with the status lost, won or either of them (sheet: section 5 [spec]).
    field("lost_reason", "Lost reason", T, Free, Always),
    field("won_time", "Won time", Instant, Plain, Always),
    field("lost_time", "Lost time", Instant, Plain, Always),
    field("close_time", "Closed", Instant, Plain, Always),
    field("expected_close_date", "Expected close date", Date, Plain, Always),
    field("is_archived", "Archived", Bool, Plain, Always),
    field("archive_time", "Archived at", Stamp, Plain, Always),
    field("label_ids", "Labels", Ids, Choices, Always).also("label"),
    field("visible_to", "Visible to", Id, OneOf(VISIBLE), Always),
    field("participants", "Participants", Ids, Links(Object::Persons), Always).brought(Brought::Extra),
    field("participants_count", "Number of participants", Number, Plain, Never).brought(Brought::Asked),
    field("creator_user_id", "Creator", Id, User, Never),
    field("stage_change_time", "Last stage change", Instant, Plain, Never),
    field("local_won_date", "Won date (account's zone)", Date, Plain, Never),
    field("local_lost_date", "Lost date (account's zone)", Date, Plain, Never),
    field("local_close_date", "Close date (account's zone)", Date, Plain, Never),
    field("origin", "Source origin", T, Free, Never),
    field("origin_id", "Source origin id", T, Free, Never),
    field("channel", "Source channel", Id, Opaque, Never),
    field("channel_id", "Source channel id", T, Free, Never),
    field("source_lead_id", "Converted from lead", T, Free, Never),
    field("acv", "Annual contract value", Number, Plain, Never),
    field("arr", "Annual recurring revenue", Number, Plain, Never),
    field("mrr", "Monthly recurring revenue", Number, Plain, Never),
    // Not among the keys of v2's POST and PATCH (sheet: section 5 [spec]).
    field("add_time", "Created", Instant, Plain, Never),
    field("update_time", "Updated", Instant, Plain, Never),
];

/// The lines of a deal (sheet: section 2.1 \[spec\]). The deal's value is their sum (section 9 trap 6).
const DEAL_PRODUCTS: &[System] = &[
    // A line stands in its deal for good.
    field("deal_id", "Deal", Id, Link(Object::Deals), OnCreate).required(),
    field("product_id", "Product", Id, Link(Object::Products), Always).required(),
    field("quantity", "Quantity", Number, Plain, Always).required(),
    field("item_price", "Price", Number, Plain, Always).required(),
    field("discount", "Discount", Number, Plain, Always).zero(),
    field("discount_type", "Type of discount", T, OneOf(DISCOUNT), Always),
    // In percent.
    field("tax", "Tax", Number, Plain, Always).zero(),
    // Whether it can differ between the products of one deal is not certain.
    field("tax_method", "Tax method", T, OneOf(TAX), Always),
    field("comments", "Comments", T, Free, Always),
    // A line that is not enabled does not count for the deal's value.
    field("is_enabled", "Enabled", Bool, Plain, Always),
    field("product_variation_id", "Variation", Id, Opaque, Always),
    field("billing_frequency", "Billing frequency", T, OneOf(BILLING), Always),
    field("billing_frequency_cycles", "Billing cycles", Number, Plain, Always),
    field("billing_start_date", "Billing start", Date, Plain, Always),
    // The product's, at the time when it was added.
    field("name", "Name", T, Free, Never),
    // The deal's.
    field("currency", "Currency", T, Currency, Never),
    field("sum", "Sum", Number, Plain, Never),
    field("add_time", "Created", Instant, Plain, Never),
    field("update_time", "Updated", Instant, Plain, Never),
];

const ACTIVITIES: &[System] = &[
    field("subject", "Subject", T, Text(VARCHAR), Always),
    field("type", "Type", T, ActivityType, Always),
    field("owner_id", "Assigned to", Id, User, Always),
    field("deal_id", "Deal", Id, Link(Object::Deals), Always),
    field("lead_id", "Lead", T, Link(Object::Leads), Always),
    field("org_id", "Organization", Id, Link(Object::Organizations), Always),
    // Read-only in practice, so it is written as the primary participant (sheet: section 2.1 [doc]).
    field("person_id", "Contact person", Id, Link(Object::Persons), Always),
    field("participants", "Participants", Participants, Links(Object::Persons), Always),
    field("due_date", "Due date", Date, Plain, Always),
    // UTC; an activity without one lasts all day (sheet: section 9 trap 10).
    field("due_time", "Due time (UTC)", Clock, Plain, Always),
    // A length and no time of day: it may pass 24 hours.
    field("duration", "Duration (HH:MM:SS)", T, Text(8), Always),
    field("busy", "Busy", Bool, Plain, Always),
    field("done", "Done", Bool, Plain, Always),
    field("note", "Note", T, Html(NOTE), Always),
    field("public_description", "Public description", T, Free, Always),
    field("location", "Location", T, Address, Always),
    field("priority", "Priority", Id, Choice, Always),
    field("outcome", "Outcome", T, Free, Always).when_told(),
    field("marked_as_done_time", "Marked as done", Instant, Plain, Never),
    field("creator_user_id", "Creator", Id, User, Never),
    // Holds ids of this account inside, and writing it may send invitations: read only.
    field("attendees", "Attendees", Form::Opaque, Opaque, Never).brought(Brought::Asked),
    field("project_id", "Project", Id, Opaque, Never),
    field("conference_meeting_client", "Conference client", T, Free, Never),
    field("conference_meeting_url", "Conference address", T, Free, Never),
    field("conference_meeting_id", "Conference id", T, Free, Never),
    field("add_time", "Created", Instant, Plain, Never),
    field("update_time", "Updated", Instant, Plain, Never),
];

const LEADS: &[System] = &[
    field("title", "Title", T, Text(VARCHAR), Always).required(),
    field("owner_id", "Owner", Id, User, Always),
    // One of the two is needed (sheet: section 9 trap 14).
    field("person_id", "Contact person", Id, Link(Object::Persons), Always),
    field("organization_id", "Organization", Id, Link(Object::Organizations), Always),
    field("value", "Value", T, LeadValue, Always),
    field("expected_close_date", "Expected close date", Date, Plain, Always),
    field("label_ids", "Labels", Words, LeadLabels, Always),
    field("visible_to", "Visible to", TextId, OneOf(VISIBLE), Always),
    field("is_archived", "Archived", Bool, Plain, Always),
    field("was_seen", "Seen", Bool, Plain, Always),
    // A usable key of our own (sheet: section 5 [spec]).
    field("origin_id", "Source origin id", T, Text(VARCHAR), OnCreate),
    field("origin", "Source origin", T, Free, Never),
    field("source_name", "Source", T, Free, Never),
    field("channel", "Source channel", Id, Opaque, Never),
    field("channel_id", "Source channel id", T, Free, Never),
    field("creator_id", "Creator", Id, User, Never),
    field("add_time", "Created", Instant, Plain, Never),
    field("update_time", "Updated", Instant, Plain, Never),
];

const NOTES: &[System] = &[
    field("content", "Content", T, Html(NOTE), Always).required(),
    // One of the parents is needed on creation (sheet: section 2.1 [spec]).
    field("deal_id", "Deal", Id, Link(Object::Deals), Always),
    field("person_id", "Person", Id, Link(Object::Persons), Always),
    field("org_id", "Organization", Id, Link(Object::Organizations), Always),
    field("lead_id", "Lead", T, Link(Object::Leads), Always),
    // Administrators only (sheet: section 2.1 [spec]).
    field("user_id", "Author", Id, User, Always),
    field("pinned_to_deal_flag", "Pinned to the deal", Flag, Plain, Always),
    field("pinned_to_person_flag", "Pinned to the person", Flag, Plain, Always),
    field("pinned_to_organization_flag", "Pinned to the organization", Flag, Plain, Always),
    field("pinned_to_lead_flag", "Pinned to the lead", Flag, Plain, Always),
    field("project_id", "Project", Id, Opaque, Never),
    field("last_update_user_id", "Last updated by", Id, User, Never),
    // Settable with POST and PUT, in the past too (sheet: section 5 [spec]).
    field("add_time", "Created", Stamp, Plain, Always),
    field("update_time", "Updated", Stamp, Plain, Never),
];

const FILES: &[System] = &[
    field("name", "Name", T, Text(VARCHAR), Always),
    field("description", "Description", T, Free, Always),
    field("deal_id", "Deal", Id, Link(Object::Deals), OnCreate),
    field("person_id", "Person", Id, Link(Object::Persons), OnCreate),
    field("org_id", "Organization", Id, Link(Object::Organizations), OnCreate),
    field("activity_id", "Activity", Id, Link(Object::Activities), OnCreate),
    field("product_id", "Product", Id, Link(Object::Products), OnCreate),
    field("lead_id", "Lead", T, Link(Object::Leads), OnCreate),
    field("file_name", "File name", T, Free, Never),
    field("file_type", "File type", T, Free, Never),
    field("file_size", "Size in bytes", Number, Plain, Never),
    field("user_id", "Uploaded by", Id, User, Never),
    field("inline_flag", "Inline", Flag, Plain, Never),
    field("remote_location", "Remote service", T, Free, Never),
    field("remote_id", "Remote id", T, Free, Never),
    field("mail_message_id", "Mail message", Id, Opaque, Never),
    field("add_time", "Created", Stamp, Plain, Never),
    field("update_time", "Updated", Stamp, Plain, Never),
];

/// As the lists of deals and persons tell them (vendor's specification of `GET /v1/deals/{id}/mailMessages`);
/// nothing can be written. `deal_id` and `linked_person_id` say where a message hangs.
const MAIL: &[System] = &[
    field("subject", "Subject", T, Free, Never),
    field("snippet", "Beginning of the text", T, Free, Never),
    field("body", "Text", T, FreeHtml, Never).brought(Brought::Extra),
    field("from", "From", Parties, Emails, Never),
    field("to", "To", Parties, Emails, Never),
    field("cc", "Copy to", Parties, Emails, Never),
    field("bcc", "Blind copy to", Parties, Emails, Never),
    field("message_time", "Sent at", Instant, Plain, Never),
    field("sent_flag", "Sent by a user", Flag, Plain, Never),
    field("draft_flag", "Draft", Flag, Plain, Never),
    field("deal_id", "Deal", Id, Link(Object::Deals), Never),
    field("linked_person_id", "People", Ids, Links(Object::Persons), Never),
    field("user_id", "User", Id, User, Never),
    field("mail_thread_id", "Thread", Id, Opaque, Never),
    field("account_id", "Mail account", T, Free, Never),
    field("mail_tracking_status", "Tracking", T, Free, Never),
    field("mail_link_tracking_enabled_flag", "Links are tracked", Flag, Plain, Never),
    field("read_flag", "Read", Flag, Plain, Never),
    field("synced_flag", "Synced", Flag, Plain, Never),
    field("has_body_flag", "Has a text", Flag, Plain, Never),
    field("has_attachments_flag", "Has attachments", Flag, Plain, Never),
    field("sent_from_pipedrive_flag", "Sent from Pipedrive", Flag, Plain, Never),
    field("smart_bcc_flag", "Came by the copy address", Flag, Plain, Never),
    field("add_time", "Created", Instant, Plain, Never),
    field("update_time", "Updated", Instant, Plain, Never),
];
