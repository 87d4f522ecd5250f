//! The objects that this dialect knows: one table. Objects that a customer made are told by their names.

use handover_connect::Refusal;

/// The version of the API in use (sheet: Salesforce, heading).
pub(super) const DATA: &str = "/services/data/v66.0";
/// The interface of SOAP in the partner's form, same version (sheet: Salesforce section 5.9 \[doc\]).
pub(super) const SOAP: &str = "/services/Soap/u/66.0";
/// The token endpoint (sheet: Salesforce section 1 \[code\]).
pub(super) const TOKEN: &str = "/services/oauth2/token";
/// How the names of customers' objects and fields end (sheet: Salesforce section 3).
pub(super) const CUSTOM: &str = "__c";
/// What every object has: when a record was changed, by whomever and whatever (sheet: Salesforce section 4).
///
/// It is indexed, moves with automated changes too and cannot be set; `LastModifiedDate` is none of these.
pub(super) const MODIFIED: &str = "SystemModstamp";

/// What is sold.
pub(super) const PRODUCT: &str = "Product2";
/// The lines of opportunities.
pub(super) const LINE: &str = "OpportunityLineItem";
/// The deals.
pub(super) const DEAL: &str = "Opportunity";

/// The families of objects: what they share decides how they are read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// Rows with fields.
    Plain,
    /// Files: the newest version of each (`ContentVersion`), made once and not changed.
    File,
    /// Notes with a formatted body that is kept as a file's bytes.
    Note,
    /// Files of the older kind: read only, new ones are written as files.
    Attachment,
}

/// One object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Object<'n> {
    /// The API's name.
    pub(super) name: &'n str,
    /// How its ids begin (sheet: Salesforce section 2); empty where it differs between organizations.
    pub(super) prefix: &'static str,
    /// Its family.
    pub(super) family: Family,
    /// Whether old records are archived, so that only the query that shows deleted records too shows them
    /// (sheet: Salesforce section 2 \[unsure\]; it shows all either way).
    pub(super) archives: bool,
    /// Whether records can be merged, so that a deleted one names the one that it became (section 4).
    pub(super) merges: bool,
    /// Whether records can be told by a field of the customer's.
    pub(super) has_key: bool,
    /// A condition for its live records.
    pub(super) only: Option<&'static str>,
}

const fn plain(name: &'static str, prefix: &'static str) -> Object<'static> {
    Object { name, prefix, family: Family::Plain, archives: false, merges: false, has_key: true, only: None }
}

/// All objects of the vendor's that are carried, parents before children.
pub(super) const OBJECTS: [Object<'static>; 18] = [
    Object { merges: true, ..plain("Account", "001") },
    Object { merges: true, ..plain("Contact", "003") },
    Object { merges: true, ..plain("Lead", "00Q") },
    plain("Campaign", "701"),
    plain("CampaignMember", "00v"),
    plain(PRODUCT, "01t"),
    plain("Pricebook2", "01s"),
    plain("PricebookEntry", "01u"),
    plain(DEAL, "006"),
    // Whether it takes fields of one's own is not certain (sheet: Salesforce section 2 [unsure]).
    Object { has_key: false, ..plain("OpportunityContactRole", "00K") },
    plain(LINE, "00k"),
    plain("Case", "500"),
    Object { archives: true, ..plain("Task", "00T") },
    Object { archives: true, ..plain("Event", "00U") },
    Object { has_key: false, ..plain("Note", "002") },
    Object { family: Family::Note, has_key: false, ..plain("ContentNote", "069") },
    Object { family: Family::File, only: Some("IsLatest = true"), ..plain("ContentVersion", "068") },
    Object { family: Family::Attachment, has_key: false, ..plain("Attachment", "00P") },
];

/// What is known of an object that a customer made.
pub(super) const OWN: Object<'static> = plain(CUSTOM, "");

/// The object of a name.
pub(super) fn object(name: &str) -> Result<Object<'_>, Refusal> {
    if let Some(known) = OBJECTS.iter().find(|object| object.name == name) {
        return Ok(*known);
    }
    if is_custom(name) {
        return Ok(Object { name, ..OWN });
    }
    Err(Refusal::unsupported(format!("Salesforce's `{name}` is not among the objects that can be carried")))
}

/// Whether a name is that of an object that a customer made.
pub(super) fn is_custom(name: &str) -> bool {
    is_name(name) && name.strip_suffix(CUSTOM).is_some_and(|rest| !rest.is_empty())
}

/// Whether a text can stand in a query as a name.
pub(super) fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.bytes().next().is_some_and(|first| first.is_ascii_alphabetic()) && text.bytes().all(plain)
}

impl Object<'_> {
    /// Whether very many of its records are written by a job. Not those that assignment rules are about: a job cannot
    /// switch them off (sheet: Salesforce section 5.1; whether it runs them is \[unsure\]). Nor those with prices, which
    /// are rows of another object.
    pub(super) fn by_job(&self) -> bool {
        self.family == Family::Plain && !matches!(self.name, "Account" | "Case" | "Lead" | PRODUCT | LINE)
    }

    /// Whether its records are read by a query also where their ids are known: a retrieval shows no archived ones, and
    /// no rows of other objects.
    pub(super) fn is_queried(&self) -> bool {
        self.archives || self.name == PRODUCT
    }

    /// The condition of its live records in a query that shows deleted ones too.
    pub(super) fn live(&self, has_person_accounts: bool) -> Vec<&'static str> {
        let mut live = Vec::new();
        if self.archives {
            live.push("IsDeleted = false");
        }
        live.extend(self.only);
        // A person is an account with a contact as its twin, which would double it (sheet: Salesforce section 9).
        if self.name == "Contact" && has_person_accounts {
            live.push("IsPersonAccount = false");
        }
        live
    }
}
