//! Lookups that the customer made between records that move.

use handover::init::SystemView;
use handover_model::Kind;

use super::accounts::{hubspot, schema, view};
use super::{check_compiles, check_whole, proposed};

const USERS: [(&str, &str, bool); 1] = [("1", "ana@acme.example", true)];

fn salesforce() -> SystemView {
    let accounts = "Name | Account Name | text | required\n\
                    Primary__c | Primary contact | >Contact | custom\n\
                    Rival__c | Rival | >Account | custom\n\
                    Plan__c | Plan | >Plan__c | custom";
    let contacts = "LastName | Last Name | text | required\n\
                    AccountId | Account | >Account |\n\
                    ReportsToId | Reports To | >Contact |\n\
                    Household__c | Household | >Account | custom";
    let schemas = [("Account", accounts), ("Contact", contacts)];
    view("old", "salesforce", schemas.iter().map(|(object, lines)| schema(object, lines)).collect(), &USERS)
}

fn zoho() -> SystemView {
    let accounts = "Account_Name | Account Name | text | required\nRival | Rival | >Contacts | custom";
    let contacts = "Last_Name | Last Name | text | required\n\
                    Account_Name | Account Name | >Accounts |\n\
                    Reporting_To | Reporting To | >Contacts |\n\
                    Household | Household | >Accounts | custom";
    let schemas = [("Accounts", accounts), ("Contacts", contacts)];
    view("new", "zoho", schemas.iter().map(|(object, lines)| schema(object, lines)).collect(), &USERS)
}

/// The text of a proposal from Salesforce, the fields that it wants and the links among them.
fn to(target: &SystemView) -> (super::Proposed, Vec<(String, String)>) {
    let from = salesforce();
    let made = proposed(&from, target);
    check_whole(&made, &from, target);
    check_compiles(&made, &from, target);
    let wanted = made.proposal.create_fields.iter().filter_map(|(_, _, field)| match &field.kind {
        Kind::Reference { object, .. } => Some((field.name.to_string(), object.to_string())),
        _ => None,
    });
    let wanted = wanted.collect();
    (made, wanted)
}

#[test]
fn they_lead_to_the_same_records() {
    let (made, wanted) = to(&zoho());
    // What is moved later is linked later; a field of the same label that leads elsewhere is not the one.
    let links = [("primary_contact", "Contacts"), ("rival", "Accounts")];
    assert_eq!(wanted, links.map(|(name, to)| (name.to_owned(), to.to_owned())));
    for (flow, target, source, later) in [
        ("accounts", "primary_contact", "Primary__c", true),
        ("accounts", "rival", "Rival__c", true),
        ("contacts", "Account_Name", "AccountId", false),
        ("contacts", "Reporting_To", "ReportsToId", true),
        ("contacts", "Household", "Household__c", false),
    ] {
        assert_eq!(made.from(flow, target), [source]);
        let rule = made.rule(flow, target);
        assert_eq!((rule.later, rule.steps.len()), (later, 0), "{target}");
    }
    // Nothing moves plans.
    let plan = made.rule("accounts", "plan");
    assert_eq!(plan.steps.iter().map(|step| step.name.as_str()).collect::<Vec<_>>(), ["prefix"]);
}

#[test]
fn where_fields_cannot_point_to_records_they_keep_the_source_key() {
    let (made, wanted) = to(&hubspot());
    assert!(wanted.is_empty(), "{wanted:?}");
    for (flow, target) in [("accounts", "primary_contact"), ("accounts", "rival"), ("contacts", "household")] {
        assert_eq!(made.rule(flow, target).steps[0].name, "prefix", "{target}");
    }
}
