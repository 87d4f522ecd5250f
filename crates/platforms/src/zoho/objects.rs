//! The objects that this dialect knows: one table. Modules that a customer made may have any name.

use handover_connect::Refusal;

/// The version of the API in use (sheet: Zoho, heading).
pub(super) const API: &str = "/crm/v8";
/// The token endpoint (sheet: Zoho section 1 \[doc\]).
pub(super) const TOKEN: &str = "/oauth/v2/token";
/// When a record was changed (sheet: Zoho section 4).
pub(super) const MODIFIED: &str = "Modified_Time";
/// When a record was made.
pub(super) const CREATED: &str = "Created_Time";
/// The module whose records are out of sight once they were converted, and the field that says so (sheet: Zoho section 4;
/// the field is not in the sheet: the organization tells whether it is there).
pub(super) const LEADS: &str = "Leads";
/// See [`LEADS`].
pub(super) const CONVERTED: &str = "Converted__s";
/// The module that a record of several possible ones is of (sheet: Zoho section 2).
pub(super) const SE_MODULE: &str = "$se_module";

/// The families of objects: what they share decides how they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// By queries.
    Plain,
    /// Ids by queries, then records by their ids: a query does not say of which module `What_Id` is.
    Activity,
    /// By pages of the records interface: there are no queries for them (sheet: Zoho section 4).
    Note,
    /// Through the records that they hang on.
    Attachment,
}

/// One object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Object<'n> {
    /// The API's name.
    pub(super) name: &'n str,
    /// Its family.
    pub(super) family: Family,
    /// Whether it can be written. Records with rows that must come along (quoted items) cannot.
    pub(super) writes: bool,
    /// Whether its records can be merged (sheet: Zoho section 2 \[spec\]).
    pub(super) merges: bool,
}

const fn plain(name: &str) -> Object<'_> {
    Object { name, family: Family::Plain, writes: true, merges: false }
}

const fn merged(name: &str) -> Object<'_> {
    Object { merges: true, ..plain(name) }
}

const fn shown(name: &str) -> Object<'_> {
    Object { writes: false, ..plain(name) }
}

const fn activity(name: &str) -> Object<'_> {
    Object { family: Family::Activity, ..plain(name) }
}

/// All objects of the vendor's that are carried, parents before children (sheet: Zoho trap 1).
pub(super) const OBJECTS: [Object<'static>; 19] = [
    merged("Accounts"),
    merged("Vendors"),
    merged("Contacts"),
    merged("Leads"),
    plain("Campaigns"),
    plain("Products"),
    shown("Price_Books"),
    merged("Deals"),
    shown("Quotes"),
    shown("Sales_Orders"),
    shown("Purchase_Orders"),
    shown("Invoices"),
    plain("Cases"),
    plain("Solutions"),
    activity("Tasks"),
    activity("Events"),
    activity("Calls"),
    Object { family: Family::Note, ..plain("Notes") },
    Object { family: Family::Attachment, ..plain("Attachments") },
];

/// What attachments are looked for at.
pub(super) const PARENTS: [&str; 11] =
    ["Accounts", "Vendors", "Contacts", "Leads", "Campaigns", "Products", "Deals", "Cases", "Tasks", "Events", "Calls"];

/// What is known of a module that a customer made.
pub(super) const OWN: Object<'static> = merged("any other");

/// Modules of the vendor's that cannot be called, or are no records of the customer's (sheet: Zoho section 2).
const CLOSED: [&str; 4] = ["Activities", "Users", "Home", "Reports"];

/// The object of a name.
pub(super) fn object(name: &str) -> Result<Object<'_>, Refusal> {
    if let Some(known) = OBJECTS.iter().find(|object| object.name == name) {
        return Ok(*known);
    }
    if is_name(name) && !CLOSED.contains(&name) {
        return Ok(Object { name, ..OWN });
    }
    Err(Refusal::unsupported(format!("Zoho's `{name}` is not among the modules that can be carried")))
}

/// Whether a module is one of the vendor's that are carried.
pub(super) fn is_standard(name: &str) -> bool {
    OBJECTS.iter().any(|object| object.name == name)
}

/// Whether a text can stand in a path or a query as a name.
pub(super) fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.bytes().next().is_some_and(|first| first.is_ascii_alphabetic()) && text.bytes().all(plain)
}

/// Whether a text has the form of an id: about 19 digits (sheet: Zoho section 2). What has not is no record's.
pub(super) fn is_id(text: &str) -> bool {
    (1..=25).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl Object<'_> {
    /// Whether it can be written by upsert (sheet: Zoho section 5 \[doc\]).
    pub(super) fn upserts(&self) -> bool {
        self.writes && self.family == Family::Plain
    }

    /// The field that can point to several modules.
    pub(super) fn several(&self) -> Option<&'static str> {
        match self.family {
            Family::Plain => None,
            Family::Activity => Some("What_Id"),
            Family::Note | Family::Attachment => Some("Parent_Id"),
        }
    }

    /// The path of its records.
    pub(super) fn path(&self) -> String {
        format!("{API}/{}", self.name)
    }
}
