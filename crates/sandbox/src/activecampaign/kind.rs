//! The collections, as data: paths, roots, keys, and how each key stands in JSON.
//!
//! Keys follow the sheet's shapes (ActiveCampaign section 2 \[rec, spec\]). Values are kept in one form (ids and
//! flags as numbers); most are told as strings, and as numbers in the answer to a creation.

use Form::{Address, Currency, Flag, Free, Id, Instant, Line, List, Whole};

/// A collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    User,
    Contact,
    Account,
    AccountContact,
    Pipeline,
    Stage,
    Deal,
    Role,
    ContactDeal,
    Note,
    TaskType,
    Task,
    Field,
    FieldOption,
    FieldRel,
    DealField,
    AccountField,
    MailingList,
    ContactList,
    Tag,
    ContactTag,
    Webhook,
}

/// How a key stands in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Text of one line, as long as the settings allow.
    Line,
    /// Text of any length.
    Free,
    /// An e-mail address.
    Address,
    /// The id of a record of a collection.
    Id(Kind),
    /// `0` or `1`.
    Flag,
    /// A whole number.
    Whole,
    /// Three letters, lower case.
    Currency,
    /// An instant.
    Instant,
    /// An array, kept as it is.
    List,
}

/// What is told of a key without a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unset {
    Null,
    Empty,
    Zero,
}

/// A key of a collection's rows.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) form: Form,
    pub(super) unset: Unset,
    pub(super) is_required: bool,
    pub(super) is_written: bool,
    /// Text that no second row may have, without case.
    pub(super) is_unique: bool,
}

const fn key(name: &'static str, form: Form) -> Key {
    let unset = match form {
        Line | Free | Address => Unset::Empty,
        Flag | Whole => Unset::Zero,
        Id(_) | Currency | Instant | List => Unset::Null,
    };
    Key { name, form, unset, is_required: false, is_written: true, is_unique: false }
}

impl Key {
    const fn needed(self) -> Self {
        Self { is_required: true, ..self }
    }

    const fn fixed(self) -> Self {
        Self { is_written: false, ..self }
    }

    const fn unique(self) -> Self {
        Self { is_unique: true, ..self }
    }

    const fn or_null(self) -> Self {
        Self { unset: Unset::Null, ..self }
    }
}

/// A collection's description.
#[derive(Debug)]
pub(super) struct Shape {
    kind: Kind,
    /// Its path.
    pub(super) path: &'static str,
    /// The root of one, and its name in the journal.
    pub(super) one: &'static str,
    /// What the 404 calls it.
    pub(super) said: &'static str,
    /// `meta.total` is a number and no string (section 2 \[rec\]).
    pub(super) numeric_total: bool,
    /// The keys of the times of creation and change.
    pub(super) stamps: (&'static str, &'static str),
    /// `l`ist, `c`reate, `r`ead, `u`pdate, `d`elete, as far as it has them.
    pub(super) does: &'static str,
    /// The greatest page without `limit`.
    pub(super) default_page: usize,
    pub(super) keys: &'static [Key],
}

const fn shape(kind: Kind, path: &'static str, one: &'static str, said: &'static str, keys: &'static [Key]) -> Shape {
    let stamps = ("cdate", "udate");
    Shape { kind, path, one, said, numeric_total: false, stamps, does: "lcrud", default_page: 20, keys }
}

impl Shape {
    const fn stamped(self, created: &'static str, updated: &'static str) -> Self {
        Self { stamps: (created, updated), ..self }
    }

    const fn numeric(self) -> Self {
        Self { numeric_total: true, ..self }
    }

    const fn does(self, does: &'static str) -> Self {
        Self { does, ..self }
    }

    const fn page(self, default_page: usize) -> Self {
        Self { default_page, ..self }
    }

    pub(super) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

impl Kind {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        SHAPES.iter().map(|shape| shape.kind)
    }

    pub(super) fn shape(self) -> &'static Shape {
        // Each kind has its shape, in whichever order.
        SHAPES.iter().find(|shape| shape.kind == self).unwrap_or(&SHAPES[0])
    }

    /// By path or root.
    pub(super) fn of(name: &str) -> Option<Self> {
        SHAPES.iter().find(|shape| shape.path == name || shape.one == name).map(|shape| shape.kind)
    }

    /// Where the values of its custom fields are described.
    pub(super) const fn fields(self) -> Option<Self> {
        match self {
            Self::Contact => Some(Self::Field),
            Self::Deal => Some(Self::DealField),
            Self::Account => Some(Self::AccountField),
            _ => None,
        }
    }
}

const SHAPES: [Shape; 22] = [
    shape(Kind::User, "users", "user", "User", USER).does("lr"),
    shape(Kind::Contact, "contacts", "contact", "Subscriber", CONTACT),
    shape(Kind::Account, "accounts", "account", "Account", ACCOUNT).stamped("createdTimestamp", "updatedTimestamp"),
    shape(Kind::AccountContact, "accountContacts", "accountContact", "AccountContact", ACCOUNT_CONTACT)
        .stamped("createdTimestamp", "updatedTimestamp"),
    shape(Kind::Pipeline, "dealGroups", "dealGroup", "DealGroup", PIPELINE).numeric(),
    shape(Kind::Stage, "dealStages", "dealStage", "DealStage", STAGE).numeric(),
    shape(Kind::Deal, "deals", "deal", "Deal", DEAL).stamped("cdate", "mdate").numeric(),
    shape(Kind::Role, "dealRoles", "dealRole", "DealRole", ROLE)
        .stamped("created_timestamp", "updated_timestamp")
        .does("lcd"),
    shape(Kind::ContactDeal, "contactDeals", "contactDeal", "ContactDeal", CONTACT_DEAL),
    shape(Kind::Note, "notes", "note", "Note", NOTE).stamped("cdate", "mdate").numeric(),
    shape(Kind::TaskType, "dealTasktypes", "dealTasktype", "DealTasktype", TASK_TYPE),
    shape(Kind::Task, "dealTasks", "dealTask", "DealTask", TASK),
    shape(Kind::Field, "fields", "field", "Field", FIELD),
    shape(Kind::FieldOption, "fieldOptions", "fieldOption", "FieldOption", FIELD_OPTION).does("rd"),
    shape(Kind::FieldRel, "fieldRels", "fieldRel", "FieldRel", FIELD_REL).does("cd"),
    shape(Kind::DealField, "dealCustomFieldMeta", "dealCustomFieldMetum", "DealCustomFieldMetum", META)
        .stamped("createdTimestamp", "updatedTimestamp")
        .page(100),
    shape(Kind::AccountField, "accountCustomFieldMeta", "accountCustomFieldMetum", "AccountCustomFieldMetum", META)
        .stamped("createdTimestamp", "updatedTimestamp")
        .page(100),
    shape(Kind::MailingList, "lists", "list", "List", LIST),
    shape(Kind::ContactList, "contactLists", "contactList", "ContactList", CONTACT_LIST).does("lc"),
    shape(Kind::Tag, "tags", "tag", "Tag", TAG),
    shape(Kind::ContactTag, "contactTags", "contactTag", "ContactTag", CONTACT_TAG).does("cd"),
    shape(Kind::Webhook, "webhooks", "webhook", "Webhook", WEBHOOK),
];

const USER: &[Key] = &[
    key("username", Line),
    key("firstName", Line),
    key("lastName", Line),
    key("email", Address).unique(),
    key("phone", Line),
    key("signature", Free).or_null(),
    key("lang", Line),
    key("localZoneid", Line),
];
const CONTACT: &[Key] = &[
    key("email", Address).needed().unique(),
    key("phone", Line),
    key("firstName", Line),
    key("lastName", Line),
    key("orgid", Whole),
    key("orgname", Line).fixed(),
    key("ip", Line).fixed(),
    key("ua", Line).fixed().or_null(),
    key("deleted", Flag).fixed(),
    key("anonymized", Flag).fixed(),
];
const ACCOUNT: &[Key] = &[key("name", Line).needed().unique(), key("accountUrl", Line), key("owner", Id(Kind::User))];
const ACCOUNT_CONTACT: &[Key] =
    &[key("contact", Id(Kind::Contact)).needed(), key("account", Id(Kind::Account)).needed(), key("jobTitle", Line)];
const PIPELINE: &[Key] = &[
    key("title", Line).needed(),
    key("currency", Currency).needed(),
    key("allgroups", Flag),
    key("allusers", Flag),
    key("autoassign", Whole),
    key("users", List),
    key("groups", List),
];
const STAGE: &[Key] = &[
    key("title", Line).needed(),
    key("group", Id(Kind::Pipeline)).needed(),
    key("order", Whole),
    key("color", Line),
    key("width", Whole),
    key("dealOrder", Line),
    key("cardRegion1", Line),
    key("cardRegion2", Line),
    key("cardRegion3", Line),
    key("cardRegion4", Line),
    key("cardRegion5", Line),
];
const DEAL: &[Key] = &[
    key("title", Line).needed(),
    key("description", Free),
    key("value", Whole).needed(),
    key("currency", Currency).needed(),
    key("contact", Id(Kind::Contact)),
    key("account", Id(Kind::Account)),
    key("group", Id(Kind::Pipeline)),
    key("stage", Id(Kind::Stage)),
    key("owner", Id(Kind::User)),
    key("percent", Whole),
    key("status", Whole),
    key("isDisabled", Flag).fixed(),
];
const ROLE: &[Key] = &[key("title", Line).needed()];
const CONTACT_DEAL: &[Key] =
    &[key("contact", Id(Kind::Contact)).needed(), key("deal", Id(Kind::Deal)).needed(), key("role", Id(Kind::Role))];
const NOTE: &[Key] =
    &[key("note", Free).needed(), key("relid", Whole), key("reltype", Line), key("userid", Id(Kind::User)).fixed()];
const TASK_TYPE: &[Key] = &[key("title", Line).needed(), key("status", Whole)];
const TASK: &[Key] = &[
    key("title", Line).or_null(),
    key("note", Free),
    key("duedate", Instant),
    key("edate", Instant),
    key("status", Whole),
    key("relid", Whole),
    key("reltype", Line).fixed(),
    key("ownerType", Line),
    key("dealTasktype", Id(Kind::TaskType)),
    key("assignee", Id(Kind::User)),
    key("user", Id(Kind::User)).fixed(),
];
const FIELD: &[Key] = &[
    key("title", Line).needed().unique(),
    key("type", Line).needed(),
    key("descript", Free),
    key("perstag", Line),
    key("isrequired", Flag),
    key("defval", Line).or_null(),
    key("visible", Flag),
    key("ordernum", Whole),
    key("service", Line),
];
const FIELD_OPTION: &[Key] = &[
    key("field", Id(Kind::Field)).needed(),
    key("value", Line),
    key("label", Line),
    key("orderid", Whole),
    key("isdefault", Flag),
];
const FIELD_REL: &[Key] = &[key("field", Id(Kind::Field)).needed(), key("relid", Whole), key("dorder", Whole)];
const META: &[Key] = &[
    key("fieldLabel", Line).unique(),
    key("fieldType", Line),
    key("fieldOptions", List),
    key("fieldDefault", Free).or_null(),
    key("fieldDefaultCurrency", Currency),
    key("isFormVisible", Flag),
    key("isRequired", Flag),
    key("displayOrder", Whole),
    key("personalization", Line),
    key("knownFieldId", Whole).or_null(),
    key("hideFieldFlag", Flag),
];
const LIST: &[Key] =
    &[key("name", Line).needed(), key("stringid", Line), key("sender_url", Line), key("sender_reminder", Free)];
const CONTACT_LIST: &[Key] = &[
    key("contact", Id(Kind::Contact)).needed(),
    key("list", Id(Kind::MailingList)).needed(),
    key("status", Whole).needed(),
    key("sourceid", Whole),
    key("unsubreason", Line),
];
const TAG: &[Key] = &[key("tag", Line).needed().unique(), key("tagType", Line), key("description", Free)];
const CONTACT_TAG: &[Key] = &[key("contact", Id(Kind::Contact)).needed(), key("tag", Id(Kind::Tag)).needed()];
const WEBHOOK: &[Key] = &[
    key("name", Line).needed(),
    key("url", Free).needed(),
    key("events", List).needed(),
    key("sources", List).needed(),
    key("listid", Whole),
];
