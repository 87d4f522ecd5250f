//! Salesforce: lookups by text, opportunities that need a stage and a day, contact roles instead of an opportunity's
//! person, no fields of one's own at tasks, no webhooks (sheet: Salesforce sections 2, 3 and 5).

use serde_json::{Value as Json, json};

use super::Concept::{
    Amount, Close, Deal, Due, Firm, First, Last, Mail, Name, Phone, Site, Sort, Staff, Stage, Subject, Title, Whole,
};
use super::{Account, Field, PLAIN, Says, field, object};

pub(super) static ACCOUNT: Account = Account {
    platform: "salesforce",
    world,
    objects: [
        object("Account", ACCOUNTS).keyed(true),
        object("Contact", CONTACTS).keyed(true),
        object("Opportunity", OPPORTUNITIES).keyed(true),
        object("Task", TASKS).marked("Priority", "High"),
    ],
    writes: "/services/data/*/composite/**",
    ..PLAIN
};

const ACCOUNTS: &[Field] = &[
    field(Name, "Name", Says::Text).required(),
    field(Site, "Website", Says::Text),
    field(Staff, "NumberOfEmployees", Says::Number),
];

const CONTACTS: &[Field] = &[
    field(First, "FirstName", Says::Text),
    field(Last, "LastName", Says::Text).required(),
    field(Whole, "FirstName LastName", Says::Text).derived(),
    field(Mail, "Email", Says::Text),
    field(Phone, "Phone", Says::Text),
    field(Firm, "AccountId", Says::Key),
];

const OPPORTUNITIES: &[Field] = &[
    field(Title, "Name", Says::Text).required(),
    field(Amount, "Amount", Says::Number),
    field(
        Stage,
        "StageName",
        Says::Option(&["Prospecting", "Qualification", "Needs Analysis", "Value Proposition", "Id. Decision Makers"]),
    )
    .required(),
    field(Close, "CloseDate", Says::Day).required(),
    field(Sort, "Type", Says::Option(&["New Customer", "Existing Customer - Upgrade"])),
    field(Firm, "AccountId", Says::Key),
];

const TASKS: &[Field] = &[
    field(Subject, "Subject", Says::Text),
    field(Due, "ActivityDate", Says::Day),
    field(Deal, "WhatId", Says::Key).in_schema("WhatId.Opportunity"),
];

fn world() -> Json {
    // Whoever makes a field grants it to the users who need it (sheet: section 3).
    json!({"platform": "salesforce", "settings": {"new_fields_hidden": false}})
}
