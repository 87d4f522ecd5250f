//! Objects that customers made, and which of the other account is which.

use std::collections::BTreeMap;

use handover::init::{SystemView, propose, unpaired};
use handover_model::{ObjectName, Schema};

use super::accounts::{schema, view};
use super::{check_compiles, check_whole, proposed};

const USERS: [(&str, &str, bool); 1] = [("1", "ana@acme.example", true)];

/// An account with one object of the platform's and these of the customer's: `name`, `label`, lines of fields. The first
/// field of each is its name.
fn account(name: &str, platform: &str, own: (&str, &str), made: &[(&str, &str, &str)]) -> SystemView {
    let made: Vec<Schema> = made
        .iter()
        .map(|(object, label, lines)| {
            let schema = schema(object, lines);
            let name = schema.fields.first().map(|field| field.name.clone());
            Schema { label: (*label).to_owned(), name, ..schema }
        })
        .collect();
    let custom: Vec<ObjectName> = made.iter().map(|schema| schema.object.clone()).collect();
    let schemas = std::iter::once(schema(own.0, own.1)).chain(made).collect();
    SystemView { custom: Some(custom), ..view(name, platform, schemas, &USERS) }
}

const ACCOUNT: (&str, &str) = ("Account", "Name | Account Name | text | required\nBest__c | Best | >Grant__c | custom");
const ACCOUNTS: (&str, &str) = ("Accounts", "Account_Name | Account Name | text | required");

fn salesforce(made: &[(&str, &str, &str)]) -> SystemView {
    account("old", "salesforce", ACCOUNT, made)
}

fn zoho(made: &[(&str, &str, &str)]) -> SystemView {
    account("new", "zoho", ACCOUNTS, made)
}

/// The objects that are taken for the same.
fn pairs(from: &SystemView, to: &SystemView) -> Vec<String> {
    let made = proposed(from, to);
    let flows =
        made.project.flows.iter().filter(|flow| from.custom.iter().flatten().any(|own| *own == flow.source.object));
    flows.map(|flow| format!("{}: {} to {}", flow.name, flow.source.object, flow.target.object)).collect()
}

const NAME: &str = "Name | Name | text |";

#[test]
fn they_pair_by_name_or_label_in_the_singular_or_the_plural() {
    let check = |old: &[(&str, &str)], new: &[(&str, &str)], expected: &[&str]| {
        let old: Vec<_> = old.iter().map(|(name, label)| (*name, *label, NAME)).collect();
        let new: Vec<_> = new.iter().map(|(name, label)| (*name, *label, NAME)).collect();
        assert_eq!(pairs(&salesforce(&old), &zoho(&new)), expected);
    };
    check(&[("Grant__c", "Grants")], &[("Grants", "Money given")], &["grants: Grant__c to Grants"]);
    check(&[("npsp__Allocation__c", "GAU")], &[("Allocations", "X")], &["gau: npsp__Allocation__c to Allocations"]);
    check(&[("X1__c", "Grants")], &[("CustomModule4", "grant")], &["grants: X1__c to CustomModule4"]);
    check(&[("City__c", "Places")], &[("CustomModule4", "Cities")], &["places: City__c to CustomModule4"]);
    check(&[("Status__c", "A")], &[("Statuses", "B")], &["a: Status__c to Statuses"]);
    check(&[("Address__c", "A")], &[("Addresses", "B")], &["a: Address__c to Addresses"]);
    // The name goes before the label.
    check(
        &[("Grant__c", "Programs"), ("Program__c", "Grants")],
        &[("Grants", "G"), ("Programs", "P")],
        &["programs: Grant__c to Grants", "grants: Program__c to Programs"],
    );
    // Two that could be one are none.
    check(&[("A__c", "Grants")], &[("B1", "Grant"), ("B2", "Grants")], &[]);
    check(&[("A__c", "Grants"), ("B__c", "Grant")], &[("C", "Grant")], &[]);
    check(&[("Grant__c", "Grants")], &[("Gift", "Gifts")], &[]);
    // A flow's name is no other flow's.
    check(&[("Other__c", "Accounts")], &[("Others", "O")], &["accounts_2: Other__c to Others"]);
}

#[test]
fn what_leads_to_them_leads_to_their_counterparts() {
    let grant = "Name | Grant Name | text | ro\n\
                 OwnerId | Owner | user |\n\
                 Account__c | Account | >Account | custom\n\
                 Program__c | Program | >Program__c | custom\n\
                 Sum__c | Sum | number | custom\n\
                 Stage__c | Stage | [a=Open;b=Paid] | custom\n\
                 Mail__c | Mail | email | custom\n\
                 CreatedDate | Created | datetime | ro";
    let program = "Name | Program Name | text |\n\
                   Parent__c | Parent | >Program__c | custom\n\
                   Main__c | Main | >Grant__c | custom";
    let from = salesforce(&[("Grant__c", "Grants", grant), ("Program__c", "Programs", program)]);
    let grants = "Name | Grant Name | text | required\n\
                  Owner | Owner | user |\n\
                  Program | Program | >Programs | custom\n\
                  Sum | Amount | number | custom\n\
                  Stage | Stage | [1=Open;2=Lost] | custom\n\
                  Mail | Mail | email | custom";
    let to = zoho(&[("Grants", "Grants", grants), ("Programs", "Programs", "Name | Program Name | text | required")]);
    let made = proposed(&from, &to);
    check_whole(&made, &from, &to);
    check_compiles(&made, &from, &to);
    for (flow, target, from, later) in [
        ("grants", "Name", &["Name"] as &[&str], false),
        ("grants", "Owner", &["OwnerId"], false),
        ("grants", "account", &["Account__c"], false),
        ("grants", "Program", &["Program__c"], true),
        ("grants", "Sum", &["Sum__c"], false),
        ("grants", "Stage", &["Stage__c"], false),
        ("grants", "Mail", &["Mail__c"], false),
        ("programs", "Name", &["Name", "id"], false),
        ("programs", "parent", &["Parent__c"], true),
        ("programs", "main", &["Main__c"], false),
        ("accounts", "best", &["Best__c"], true),
    ] {
        assert_eq!((made.from(flow, target), made.rule(flow, target).later), (from.to_vec(), later), "{flow} {target}");
    }
    assert_eq!(made.flow("grants").key.as_ref().unwrap().as_str(), "handover_source_key");
    assert!(made.file("mappings/grants.yaml").contains("handover_created_at"));
    assert!(made.codes().contains(&"custom_objects_paired") && !made.codes().contains(&"custom_objects_not_moved"));
}

#[test]
fn numbers_that_the_old_platform_gave_are_kept_where_the_new_one_counts_too() {
    let name = "Name | Number | text | ro";
    let (from, to) = (salesforce(&[("Grant__c", "Grants", name)]), zoho(&[("Grants", "Grants", name)]));
    let made = proposed(&from, &to);
    check_whole(&made, &from, &to);
    check_compiles(&made, &from, &to);
    assert_eq!(made.from("grants", "number"), ["Name"]);
    // What has no name at all moves without one.
    let (mut from, to) =
        (salesforce(&[("Grant__c", "Grants", "A__c | A | text | custom")]), zoho(&[("Grants", "G", NAME)]));
    from.schemas[1].name = None;
    let made = proposed(&from, &to);
    check_whole(&made, &from, &to);
    assert_eq!(made.from("grants", "a"), ["A__c"]);
}

#[test]
fn what_has_no_counterpart_is_told_with_its_number() {
    let mut from =
        salesforce(&[("Grant__c", "Grants", NAME), ("Gadget__c", "Gadgets", NAME), ("One__c", "Ones", NAME)]);
    let to = zoho(&[("Grants", "Grants", NAME)]);
    assert_eq!(unpaired(&from, &to), ["Gadget__c", "One__c"].map(ObjectName::from));
    from.counts = BTreeMap::from([("Gadget__c".into(), 12), ("One__c".into(), 1)]);
    let told = propose(&from, &to).findings.into_iter().find(|finding| finding.code == "custom_objects_not_moved");
    assert_eq!(
        told.unwrap().message,
        "objects made in old are not moved by this project: Gadget__c (12 records), One__c (1 record)"
    );
}

#[test]
fn each_goes_behind_what_it_leads_to_and_before_what_leads_to_it() {
    let deals = ("Opportunity", "Name | Name | text | required\nGift__c | Gift | >Gift__c | custom");
    let gift = "Name | Name | text |\nDonor__c | Donor | >Account | custom";
    let with = |mut view: SystemView, (object, lines): (&str, &str)| {
        view.schemas.push(schema(object, lines));
        view
    };
    let from = with(salesforce(&[("Gift__c", "Gifts", gift), ("Fund__c", "Funds", NAME)]), deals);
    let to = with(
        zoho(&[("Gifts", "Gifts", NAME), ("Funds", "Funds", NAME)]),
        ("Deals", "Deal_Name | Deal Name | text | required\nStage | Stage | [a=A] | required"),
    );
    let made = proposed(&from, &to);
    let flows: Vec<&str> = made.project.flows.iter().map(|flow| flow.name.as_str()).collect();
    assert_eq!(flows, ["accounts", "gifts", "opportunities", "funds"]);
    assert!(!made.rule("opportunities", "gift").later, "a deal that is closed is not changed once more");
}

const GIFT: &str = "name | Name | text | custom\n\
                    associations.companies | Companies | >>companies |\n\
                    associations.p7_fund | Funds | >>p7_fund |";
const FUND: &str = "name | Name | text | custom\nassociations.p7_gift | Gifts | >>p7_gift |";

fn hubspot(name: &str) -> SystemView {
    let companies = ("companies", "name | Company name | text |\ndomain | Domain | text |");
    account(name, "hubspot", companies, &[("p7_gift", "Gifts", GIFT), ("p7_fund", "Funds", FUND)])
}

#[test]
fn lookups_become_links_where_there_is_one_alone() {
    let gift = "Name | Name | text |\n\
                Donor__c | Donor | >Account | custom\n\
                Fund__c | Fund | >Fund__c | custom\n\
                After__c | After | >Gift__c | custom";
    let fund = "Name | Name | text |\n\
                One__c | One | >Account | custom\n\
                Two__c | Two | >Account | custom\n\
                Top__c | Top | >Gift__c | custom";
    let from = salesforce(&[("Gift__c", "Gifts", gift), ("Fund__c", "Funds", fund)]);
    let to = hubspot("new");
    let made = proposed(&from, &to);
    check_whole(&made, &from, &to);
    check_compiles(&made, &from, &to);
    assert_eq!(made.from("gifts", "associations.companies"), ["Donor__c"]);
    // One of the two that lead to each other takes the links.
    let (fund, top) = (made.from("gifts", "fund"), made.from("funds", "associations.p7_gift"));
    assert_eq!((fund, top), (vec!["Fund__c"], vec!["Top__c"]));
    for (flow, target) in
        [("gifts", "fund"), ("gifts", "after"), ("funds", "one"), ("funds", "two"), ("accounts", "best")]
    {
        assert_eq!(made.rule(flow, target).steps[0].name, "prefix", "{target}");
    }
}

#[test]
fn links_become_lookups_on_one_side() {
    let gift = "Name | Name | text |\nFund__c | Fund | >Fund__c | custom";
    let to = account("new", "salesforce", ACCOUNT, &[("Gift__c", "Gifts", gift), ("Fund__c", "Funds", NAME)]);
    let from = hubspot("old");
    let made = proposed(&from, &to);
    check_whole(&made, &from, &to);
    check_compiles(&made, &from, &to);
    let rule = made.rule("gifts", "Fund__c");
    assert_eq!((made.from("gifts", "Fund__c"), rule.steps[0].name.as_str()), (vec!["associations.p7_fund"], "first"));
    // There is none to companies yet: one is made.
    assert_eq!(made.from("gifts", "companies"), ["associations.companies"]);
    assert!(made.flow("funds").excluded.contains_key("associations.p7_gift"), "the gift says it");
}
