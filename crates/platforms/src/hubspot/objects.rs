//! The objects that this dialect knows, and every path it calls: one table each.
//!
//! Paths are v3 for objects, properties, pipelines, owners, files and v4 for associations; the dated
//! forms (`/crm/objects/2026-03/..`) answer beside them (sheet: HubSpot section 0b \[doc\]), so a later
//! version is a change of this table alone.

use handover_connect::Refusal;

/// The prefixes of the API's paths.
pub(super) mod path {
    /// Records.
    pub(crate) const OBJECTS: &str = "/crm/v3/objects";
    /// Field definitions.
    pub(crate) const PROPERTIES: &str = "/crm/v3/properties";
    /// Pipelines with their stages.
    pub(crate) const PIPELINES: &str = "/crm/v3/pipelines";
    /// Owners: the users to whom records are assigned.
    pub(crate) const OWNERS: &str = "/crm/v3/owners";
    /// The objects that the portal made (sheet: HubSpot section 2.8 \[spec\]).
    pub(crate) const SCHEMAS: &str = "/crm-object-schemas/v3/schemas";
    /// Links between records.
    pub(crate) const ASSOCIATIONS: &str = "/crm/v4/associations";
    /// Files.
    pub(crate) const FILES: &str = "/files/v3/files";
    /// The account and its use of the API.
    pub(crate) const ACCOUNT: &str = "/account-info/v3";
    /// Outcomes of calls (sheet: HubSpot section 2.4 \[doc\]).
    pub(crate) const DISPOSITIONS: &str = "/calling/v1/dispositions";
    /// Workflows (public reference of the workflows v4 API, in beta; the sheet does not cover them).
    pub(crate) const FLOWS: &str = "/automation/v4/flows";
    /// The token endpoint; v1 is served until 2027-02-16 (sheet: HubSpot section 0b \[doc\]).
    pub(crate) const TOKEN: &str = "/oauth/v1/token";
}

/// The families of objects: what they share decides how they are read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// Contacts, companies, deals: unique custom properties, upsert.
    Record,
    /// Notes, calls, meetings, tasks, emails: linked on creation, no upsert.
    Activity,
    /// Products and the line items of deals: no unique properties and no merging (sheet: HubSpot section 3 \[doc\]),
    /// so no upsert. A line item belongs to one deal for good (section 9, trap 15).
    Item,
    /// Files of the file manager.
    File,
    /// Files seen from the notes they hang on; exists in this dialect only.
    Attachment,
}

/// One object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Object<'n> {
    /// The API's plural name; of a portal's own object its qualified one.
    pub(super) name: &'n str,
    /// What users call it; of a portal's own object only its description says that.
    pub(super) label: &'n str,
    /// The API's type id, as workflows name it (sheet: HubSpot section 2 \[doc\]).
    pub(super) type_id: &'static str,
    /// Its family.
    pub(super) family: Family,
    /// The property with the time of the last change (sheet: HubSpot section 4 \[doc\]).
    pub(super) modified: &'static str,
    /// The group that new properties go to; where none is known the portal's groups are read first.
    pub(super) group: Option<&'static str>,
    /// What a record cannot be created without (sheet: HubSpot section 2.3 \[doc\]). *One of several*
    /// (a contact's e-mail or name, a company's name or domain) cannot be said of a single field and is
    /// not here.
    pub(super) required: &'static [&'static str],
    /// String properties that hold HTML (sheet: HubSpot section 2.4 \[doc\]).
    pub(super) html: &'static [&'static str],
}

/// The object that scopes and pipelines treat in a way of its own.
pub(super) const TICKETS: &str = "tickets";

/// All objects, parents before children.
pub(super) const OBJECTS: [Object<'static>; 13] = [
    Object {
        name: "companies",
        label: "Companies",
        type_id: "0-2",
        family: Family::Record,
        modified: "hs_lastmodifieddate",
        group: Some("companyinformation"),
        required: &[],
        html: &[],
    },
    Object {
        name: "contacts",
        label: "Contacts",
        type_id: "0-1",
        family: Family::Record,
        // Contacts alone call it without the prefix (sheet: HubSpot section 4 [doc]).
        modified: "lastmodifieddate",
        group: Some("contactinformation"),
        required: &[],
        html: &[],
    },
    item("products", "Products", "0-7", "productinformation", &["name"]),
    Object {
        name: "deals",
        label: "Deals",
        type_id: "0-3",
        family: Family::Record,
        modified: "hs_lastmodifieddate",
        group: Some("dealinformation"),
        // The pipeline has a default, and the stage must belong to it.
        required: &["dealname", "dealstage"],
        html: &[],
    },
    Object {
        name: TICKETS,
        label: "Tickets",
        type_id: "0-5",
        family: Family::Record,
        modified: "hs_lastmodifieddate",
        group: Some("ticketinformation"),
        required: &["subject", "hs_pipeline", "hs_pipeline_stage"],
        html: &[],
    },
    // Nothing is required of it but what it belongs to (sheet: HubSpot section 2.3 [doc]).
    item("line_items", "Line items", "0-8", "lineiteminformation", &[]),
    NOTES,
    activity("calls", "Calls", "0-48", &["hs_timestamp"], &["hs_call_body"]),
    activity("meetings", "Meetings", "0-47", &["hs_timestamp"], &["hs_meeting_body"]),
    activity("tasks", "Tasks", "0-27", &["hs_timestamp"], &["hs_task_body"]),
    activity("emails", "Emails", "0-49", &["hs_timestamp", "hs_email_direction"], &["hs_email_html"]),
    Object {
        name: "files",
        label: "Files",
        type_id: "",
        family: Family::File,
        modified: "updatedAt",
        group: None,
        required: &["name", "folderPath"],
        html: &[],
    },
    Object {
        name: "attachments",
        label: "Attachments",
        type_id: "",
        family: Family::Attachment,
        modified: "hs_lastmodifieddate",
        group: None,
        required: &[],
        html: &[],
    },
];

const fn activity(
    name: &'static str,
    label: &'static str,
    type_id: &'static str,
    required: &'static [&'static str],
    html: &'static [&'static str],
) -> Object<'static> {
    Object {
        name,
        label,
        type_id,
        family: Family::Activity,
        modified: "hs_lastmodifieddate",
        group: None,
        required,
        html,
    }
}

const fn item(
    name: &'static str,
    label: &'static str,
    type_id: &'static str,
    group: &'static str,
    required: &'static [&'static str],
) -> Object<'static> {
    let activity = activity(name, label, type_id, required, &[]);
    Object { family: Family::Item, group: Some(group), ..activity }
}

/// What is known of an object that a portal made (sheet: HubSpot section 2.8 \[spec\]).
pub(super) const OWN: Object<'static> = Object {
    name: "_",
    label: "",
    type_id: "",
    family: Family::Record,
    modified: "hs_lastmodifieddate",
    group: None,
    required: &[],
    html: &[],
};

/// The object of a name.
pub(super) fn object(name: &str) -> Result<Object<'_>, Refusal> {
    if let Some(known) = known(name) {
        return Ok(*known);
    }
    if is_own(name) {
        return Ok(Object { name, label: name, ..OWN });
    }
    Err(Refusal::unsupported(format!("HubSpot's `{name}` is not among the objects that can be carried")))
}

/// One of HubSpot's own objects.
pub(super) fn known(name: &str) -> Option<&'static Object<'static>> {
    OBJECTS.iter().find(|object| object.name == name)
}

/// What stands behind the portal in the names of its own objects.
pub(super) const BEHIND_PORTAL: char = '_';

/// Whether a name is that of an object that a portal made: `p`, the portal, what it is called there (sheet: HubSpot
/// section 2.8 \[spec\]). It stands in paths, so nothing else is one.
pub(super) fn is_own(name: &str) -> bool {
    let parts = name.strip_prefix('p').and_then(|rest| rest.split_once(BEHIND_PORTAL));
    parts.is_some_and(|(portal, own)| {
        !portal.is_empty()
            && portal.bytes().all(|byte| byte.is_ascii_digit())
            && !own.is_empty()
            && own.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

impl Object<'_> {
    /// The object whose records are read for it: attachments are read from notes.
    pub(super) fn source(self) -> Self {
        match self.family {
            Family::Attachment => NOTES,
            Family::Record | Family::Activity | Family::Item | Family::File => self,
        }
    }

    /// Whether two of its records can be merged; of a portal's own objects that is not certain (section 2 \[spec\]).
    pub(super) fn merges(&self) -> bool {
        self.family == Family::Record && known(self.name).is_some()
    }

    /// Whether it is one of the CRM's own record types, with properties, search and batches.
    pub(super) fn is_crm(&self) -> bool {
        matches!(self.family, Family::Record | Family::Activity | Family::Item)
    }
}

/// Where attachments are read from.
const NOTES: Object<'static> = activity("notes", "Notes", "0-46", &["hs_timestamp"], &["hs_note_body"]);
