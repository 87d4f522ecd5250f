//! The objects that this dialect knows: one table. Tables that a customer made are told by the environment.

use handover_connect::Refusal;
use handover_model::Schema;

/// The version of the API in use (sheet: Dynamics section 2).
pub(super) const DATA: &str = "/api/data/v9.2";
/// The token endpoint below the tenant's address (sheet: Dynamics section 1).
pub(super) const TOKEN: &str = "/oauth2/v2.0/token";
/// What stands behind the publisher's prefix in the names of customers' tables and columns (section 3).
pub(super) const CUSTOM: char = '_';
/// When a record was changed last (section 4).
pub(super) const MODIFIED: &str = "modifiedon";
/// When it was made, and the column through which that can be said of a new record (section 5.6).
pub(super) const CREATED: &str = "createdon";
/// See [`CREATED`].
pub(super) const OVERRIDDEN: &str = "overriddencreatedon";
/// The object of notes that carry a file.
pub(super) const DOCUMENT: &str = "annotation.document";

/// Ways in which records of a table are closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    /// By writing the state.
    Plain,
    /// Won or lost, by actions (section 5.6).
    Opportunity,
    /// Resolved by an action, cancelled by writing the state.
    Incident,
}

/// One object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Object<'n> {
    /// Its name: the table's, but for files.
    pub(super) name: &'n str,
    /// The table's logical name.
    pub(super) table: &'n str,
    /// The set in addresses, an irregular plural (section 2).
    pub(super) set: &'n str,
    /// The column of the id.
    pub(super) id: &'n str,
    /// The column by which its records are told from others of the table, and what it says of them.
    pub(super) only: Option<(&'static str, bool)>,
    /// Whether records can be merged, so that one that was names the one that it became (section 5.7).
    pub(super) merges: bool,
    /// Whether the table takes columns of the customer's.
    pub(super) has_key: bool,
    /// How its records are closed.
    pub(super) closing: Closing,
}

const fn plain(name: &'static str, set: &'static str, id: &'static str) -> Object<'static> {
    Object { name, table: name, set, id, only: None, merges: false, has_key: true, closing: Closing::Plain }
}

const fn activity(name: &'static str, set: &'static str) -> Object<'static> {
    plain(name, set, "activityid")
}

/// All tables of the vendor's that are carried, parents before children (sections 2, 5.10).
pub(super) const OBJECTS: [Object<'static>; 20] = [
    plain("campaign", "campaigns", "campaignid"),
    Object { merges: true, ..plain("account", "accounts", "accountid") },
    Object { merges: true, ..plain("contact", "contacts", "contactid") },
    Object { merges: true, ..plain("lead", "leads", "leadid") },
    plain("uomschedule", "uomschedules", "uomscheduleid"),
    plain("uom", "uoms", "uomid"),
    plain("pricelevel", "pricelevels", "pricelevelid"),
    plain("product", "products", "productid"),
    plain("productpricelevel", "productpricelevels", "productpricelevelid"),
    Object { closing: Closing::Opportunity, ..plain("opportunity", "opportunities", "opportunityid") },
    plain("opportunityproduct", "opportunityproducts", "opportunityproductid"),
    Object { merges: true, closing: Closing::Incident, ..plain("incident", "incidents", "incidentid") },
    activity("task", "tasks"),
    activity("phonecall", "phonecalls"),
    activity("appointment", "appointments"),
    activity("email", "emails"),
    // Notes take no columns of one's own, as far as is known.
    Object { only: Some(("isdocument", false)), has_key: false, ..plain("annotation", "annotations", "annotationid") },
    Object {
        name: DOCUMENT,
        only: Some(("isdocument", true)),
        has_key: false,
        ..plain("annotation", "annotations", "annotationid")
    },
    plain("connectionrole", "connectionroles", "connectionroleid"),
    // Each has a twin that looks the other way, which the platform makes and keeps (section 9).
    Object { only: Some(("ismaster", true)), ..plain("connection", "connections", "connectionid") },
];

/// What is known of a table that a customer made, but for its set and id.
pub(super) const OWN: Object<'static> = plain("_", "", "");

/// A table of the vendor's.
pub(super) fn known(name: &str) -> Option<&'static Object<'static>> {
    OBJECTS.iter().find(|object| object.name == name)
}

/// The object of a name; of a customer's table its description must have been read.
pub(super) fn object<'a>(name: &'a str, learnt: Option<&'a Schema>) -> Result<Object<'a>, Refusal> {
    if let Some(known) = known(name) {
        return Ok(*known);
    }
    if !is_custom(name) {
        let why = format!("Dynamics' `{name}` is not among the tables that can be carried");
        return Err(Refusal::unsupported(why));
    }
    let own = |key: &str| learnt.and_then(|schema| schema.own.get(key)).map(String::as_str);
    match (own(SET), own(ID)) {
        (Some(set), Some(id)) => Ok(Object { name, table: name, set, id, ..OWN }),
        _ => Err(Refusal::unsupported(format!("the table `{name}` was not described yet"))),
    }
}

/// Whether a name is that of a table that a customer made.
pub(super) fn is_custom(name: &str) -> bool {
    is_name(name) && name.split_once(CUSTOM).is_some_and(|(prefix, rest)| !prefix.is_empty() && !rest.is_empty())
}

/// Whether a text can stand in an address as a name.
pub(super) fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.bytes().next().is_some_and(|first| first.is_ascii_alphabetic()) && text.bytes().all(plain)
}

/// What a schema keeps for the dialect ([`Schema::own`]): the set in addresses.
pub(super) const SET: &str = "set";
/// The column of the id.
pub(super) const ID: &str = "id";

/// The column that says whether a record was merged into another one (section 5.7).
pub(super) const MERGED: &str = "merged";

/// Whether the table's changes are tracked.
pub(super) const TRACKED: &str = "tracked";

/// What a schema keeps of one field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Keeps {
    /// The property that is read: of a lookup `_x_value`.
    Read,
    /// The navigation property by which a lookup is written.
    Nav,
    /// The set that a lookup leads to.
    To,
    /// Of links that are pairs: navigation property, set and id of the other table, with blanks between them.
    Pair,
    /// Of links that are parties of an activity: navigation property, part that they take, table, with blanks between.
    Party,
    /// The id of a currency, by its code.
    Currency,
}

impl Keeps {
    /// The key of a field.
    pub(super) fn of(self, field: &str) -> String {
        let what = match self {
            Self::Read => "read",
            Self::Nav => "nav",
            Self::To => "to",
            Self::Pair => "pair",
            Self::Party => "party",
            Self::Currency => "currency",
        };
        format!("{what}:{field}")
    }

    /// What is kept of a field.
    pub(super) fn get<'s>(self, schema: Option<&'s Schema>, field: &str) -> Option<&'s str> {
        schema?.own.get(&self.of(field)).map(String::as_str)
    }
}

impl Object<'_> {
    /// The conditions of its live records.
    pub(super) fn live(&self) -> Vec<String> {
        // What was merged away stays, as an inactive record that says so (section 5.7). It names the other one for as long
        // as that is there.
        let merged = self.merges.then(|| format!("{MERGED} ne true"));
        self.condition().into_iter().chain(merged).collect()
    }

    /// The condition for its records, living or merged.
    pub(super) fn condition(&self) -> Option<String> {
        self.only.map(|(column, value)| format!("{column} eq {value}"))
    }

    /// The state in which records are made: only then they are closed (section 5.6).
    pub(super) fn open_state(&self) -> i64 {
        // A product begins as a draft.
        if self.table == "product" { 2 } else { 0 }
    }

    /// Whether it is the object of files.
    pub(super) fn is_document(&self) -> bool {
        self.name == DOCUMENT
    }

    /// The address of the set, or of a record in it.
    pub(super) fn path(&self, id: Option<&str>) -> String {
        match id {
            Some(id) => format!("{DATA}/{}({})", self.set, super::query::escaped(id)),
            None => format!("{DATA}/{}", self.set),
        }
    }
}
