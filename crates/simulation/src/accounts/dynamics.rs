//! Dynamics 365: lookups that are written as paths, choices that are numbers, lookups that tell the table with the id, no
//! webhooks (sheet: Dynamics sections 2, 5 and 9).

use serde_json::{Value as Json, json};

use super::Concept::{
    Amount, Close, Contact, Deal, Due, Firm, First, Last, Mail, Name, Phone, Site, Sort, Staff, Stage, Subject, Title,
    Whole,
};
use super::{Account, Field, PLAIN, Says, field, object};

pub(super) static ACCOUNT: Account = Account {
    platform: "dynamics",
    world,
    objects: [
        object("account", ACCOUNTS).keyed(true),
        object("contact", CONTACTS).keyed(true),
        object("opportunity", OPPORTUNITIES).keyed(true),
        object("task", TASKS).keyed(false).marked("category", "gone"),
    ],
    writes: "/api/data/**",
    ..PLAIN
};

const ACCOUNTS: &[Field] = &[
    field(Name, "name", Says::Text),
    field(Site, "websiteurl", Says::Text),
    field(Staff, "numberofemployees", Says::Number),
];

const CONTACTS: &[Field] = &[
    field(First, "firstname", Says::Text),
    field(Last, "lastname", Says::Text),
    field(Whole, "firstname lastname", Says::Text).derived(),
    field(Mail, "emailaddress1", Says::Text),
    field(Phone, "telephone1", Says::Text),
    field(Firm, "parentcustomerid", Says::Bind("accounts"))
        .in_schema("parentcustomerid.account")
        .by("parentcustomerid_account@odata.bind"),
];

const OPPORTUNITIES: &[Field] = &[
    field(Title, "name", Says::Text),
    field(Amount, "estimatedvalue", Says::Number),
    field(Stage, "salesstage", Says::Numbered(&["0", "1", "2", "3"])),
    field(Close, "estimatedclosedate", Says::Day),
    field(Sort, "opportunityratingcode", Says::Numbered(&["2", "3"])),
    field(Firm, "parentaccountid", Says::Bind("accounts")).by("parentaccountid@odata.bind"),
    field(Contact, "parentcontactid", Says::Bind("contacts")).by("parentcontactid@odata.bind"),
];

const TASKS: &[Field] = &[
    field(Subject, "subject", Says::Text),
    field(Due, "scheduledend", Says::Midnight),
    field(Deal, "regardingobjectid", Says::Bind("opportunities"))
        .in_schema("regardingobjectid.opportunity")
        .by("regardingobjectid_opportunity_task@odata.bind"),
];

fn world() -> Json {
    json!({"platform": "dynamics"})
}
