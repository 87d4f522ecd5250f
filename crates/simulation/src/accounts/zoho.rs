//! Zoho CRM: lookups as objects, deals that need a stage, a merge that tells only who is gone, no webhooks (sheet: Zoho
//! sections 2, 3 and 5).

use serde_json::{Value as Json, json};

use super::Concept::{
    Amount, Close, Contact, Deal, Due, Firm, First, Last, Mail, Name, Phone, Site, Sort, Staff, Stage, Subject, Title,
    Whole,
};
use super::{Account, Field, PLAIN, Says, field, object};

pub(super) static ACCOUNT: Account = Account {
    platform: "zoho",
    world,
    objects: [
        object("Accounts", ACCOUNTS).keyed(true),
        object("Contacts", CONTACTS).keyed(true),
        object("Deals", DEALS).keyed(true),
        object("Tasks", TASKS).keyed(false).always(&[("$se_module", "Deals")]).marked("Priority", "High"),
    ],
    writes: "/crm/**",
    ..PLAIN
};

const ACCOUNTS: &[Field] = &[
    field(Name, "Account_Name", Says::Text).required(),
    field(Site, "Website", Says::Text),
    field(Staff, "Employees", Says::Number),
];

const CONTACTS: &[Field] = &[
    field(First, "First_Name", Says::Text),
    field(Last, "Last_Name", Says::Text).required(),
    field(Whole, "First_Name Last_Name", Says::Text).derived(),
    field(Mail, "Email", Says::Text),
    field(Phone, "Phone", Says::Text),
    field(Firm, "Account_Name", Says::Lookup),
];

const DEALS: &[Field] = &[
    field(Title, "Deal_Name", Says::Text).required(),
    field(Amount, "Amount", Says::Number),
    field(
        Stage,
        "Stage",
        Says::Option(&[
            "Qualification",
            "Needs Analysis",
            "Value Proposition",
            "Id. Decision Makers",
            "Proposal/Price Quote",
        ]),
    )
    .required(),
    field(Close, "Closing_Date", Says::Day).required(),
    field(Sort, "Type", Says::Option(&["New Business", "Existing Business"])),
    field(Firm, "Account_Name", Says::Lookup),
    field(Contact, "Contact_Name", Says::Lookup),
];

const TASKS: &[Field] = &[
    field(Subject, "Subject", Says::Text).required(),
    field(Due, "Due_Date", Says::Day),
    field(Deal, "What_Id", Says::Lookup).in_schema("What_Id.Deals"),
];

fn world() -> Json {
    // What comes back from the bin counts as modified (the sheet is silent): else a record that nobody ever saw, since it
    // waited for its cohort's day in the bin, would not be seen afterwards either.
    json!({"platform": "zoho", "settings": {"restore_bumps": true}})
}
