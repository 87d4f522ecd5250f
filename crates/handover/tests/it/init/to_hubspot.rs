//! Pipedrive to HubSpot.

use handover::init::{SystemView, propose};
use handover_model::{From, Kind};

use super::{accounts, check_compiles, check_whole, proposed};

#[test]
fn the_proposal_is_whole_and_reads_back() {
    let (from, to) = (accounts::pipedrive(), accounts::hubspot());
    let proposed = proposed(&from, &to);
    check_whole(&proposed, &from, &to);
    check_compiles(&proposed, &from, &to);
    let flows: Vec<_> = proposed.project.flows.iter().map(|flow| flow.name.as_str()).collect();
    assert_eq!(
        flows,
        ["organizations", "persons", "deals", "calls", "meetings", "tasks", "notes", "files", "file_notes"]
    );
    assert!(proposed.project.notices.is_empty());
}

#[test]
fn the_files_are_what_people_read() {
    let proposed = proposed(&accounts::pipedrive(), &accounts::hubspot());
    for (path, text) in &proposed.proposal.files {
        let name = path.to_string_lossy().replace(['/', '.'], "_");
        insta::assert_snapshot!(format!("to_hubspot_{name}"), text);
    }
    let findings: Vec<_> = proposed.proposal.findings.iter().map(|f| format!("{}: {}", f.code, f.message)).collect();
    insta::assert_snapshot!("to_hubspot_findings", findings.join("\n"));
}

#[test]
fn stages_are_translated_where_names_agree_and_left_open_otherwise() {
    let proposed = proposed(&accounts::pipedrive(), &accounts::hubspot());
    assert_eq!(
        proposed.rows("deal_stages"),
        [
            ("11", "s1"),
            ("12", "s2"),
            ("1:lost", "closedlost"),
            ("1:won", "closedwon"),
            ("21", "r1"),
            ("2:lost", "r9"),
            ("2:won", "r8"),
        ]
        .into_iter()
        .collect::<std::collections::BTreeMap<_, _>>()
        .into_iter()
        .collect::<Vec<_>>()
    );
    assert_eq!(proposed.rows("deal_pipelines"), [("1", "default"), ("2", "p2")]);
    let table = proposed.file("translations/deal_stages.csv");
    assert!(table.contains("13,,Sales: Negotiation\n"), "{table}");
    let open = proposed.proposal.findings.iter().find(|finding| finding.message.contains("deal_stages.csv")).unwrap();
    assert!(
        open.message.contains("Sales: Negotiation") && open.message.contains("Renewals: Talking"),
        "{}",
        open.message
    );
}

#[test]
fn every_custom_field_finds_a_place() {
    let proposed = proposed(&accounts::pipedrive(), &accounts::hubspot());
    assert_eq!(proposed.from("persons", "jobtitle"), ["c100000000000000000000000000000000000001"], "by its label");
    assert_eq!(proposed.from("organizations", "tier"), ["b700000000000000000000000000000000000007"]);
    assert_eq!(proposed.rule("organizations", "tier").table.as_deref(), Some("organizations_tier"));
    assert!(proposed.file("translations/organizations_tier.csv").contains("3,,Bronze"));
    let wanted = |object: &str, name: &str| {
        let found = proposed.project.create_fields.iter().find(|w| w.object == *object && w.field.name == *name);
        found.unwrap_or_else(|| panic!("{object}.{name} is not proposed"))
    };
    let sector = wanted("companies", "industry_sector");
    let Kind::Choice { options, many: false } = &sector.field.kind else { panic!("a choice") };
    let options: Vec<_> = options.iter().map(|option| (option.value.as_str(), option.label.as_str())).collect();
    assert_eq!(
        options,
        [("manufacturing", "Manufacturing"), ("food_drink", "Food & drink"), ("other_unknown", "Other / unknown")]
    );
    assert_eq!(sector.from.as_deref(), Some("a200000000000000000000000000000000000002"));
    assert_eq!(wanted("companies", "yearly_budget_amount").field.kind, Kind::Number);
    assert!(matches!(wanted("companies", "yearly_budget_currency").field.kind, Kind::Text { .. }));
    assert_eq!(wanted("companies", "technical_contact_at_ours").field.kind, Kind::User);
    assert_eq!(wanted("companies", "groesse_m_halle").field.label, "Größe: \"m²\" # Halle");
    assert_eq!(wanted("deals", "contract_term_until").field.kind, Kind::Date);
    let reseller = proposed.rule("organizations", "reseller");
    assert_eq!(reseller.steps[0].arguments["text"].as_text(), Some("old:organizations:"));
}

#[test]
fn keys_dates_and_people() {
    let proposed = proposed(&accounts::pipedrive(), &accounts::hubspot());
    let unique = |object: &str| {
        let keys = proposed.proposal.create_fields.iter();
        keys.filter(|(_, have, field)| *have == *object && field.name == *"handover_source_key")
            .map(|(.., field)| field.unique)
            .collect::<Vec<_>>()
    };
    assert_eq!(unique("companies"), [true]);
    assert_eq!(unique("deals"), [true]);
    assert_eq!(unique("notes"), [false], "once, though two flows write notes");
    assert_eq!(unique("files"), Vec::<bool>::new());
    assert_eq!(proposed.from("deals", "createdate"), ["add_time"], "writable there");
    assert_eq!(proposed.from("organizations", "handover_created_at"), ["add_time"], "not writable there");
    assert_eq!(proposed.from("notes", "hs_timestamp"), ["add_time"]);
    assert_eq!(proposed.from("notes", "hubspot_owner_id"), ["user_id"]);
    let users = proposed.file("translations/users.csv");
    assert_eq!(users, "from,to,comment\nben@acme.example,,User 12\ngone@acme.example,,User 13 (inactive)\n");
    assert!(proposed.codes().contains(&"unknown_user"));
    assert!(proposed.codes().contains(&"object_not_moved"), "leads");
}

/// Leads are not moved to HubSpot: what hangs on nothing else would hang on nothing there.
#[test]
fn what_hangs_on_a_lead_alone_stays_behind() {
    let proposed = proposed(&accounts::pipedrive(), &accounts::hubspot());
    let scope = |flow: &str| proposed.flow(flow).scope.as_ref().map(|scope| scope.expression.clone());
    let hangs = "!is_blank(.deal_id) || !is_blank(.person_id) || !is_blank(.org_id)";
    assert_eq!(scope("notes"), Some(format!("{hangs} || is_blank(.lead_id)")));
    assert_eq!(scope("organizations"), None);
    assert!(proposed.file("mappings/notes.yaml").contains("stays behind with them"));
}

#[test]
fn every_activity_type_is_covered_once() {
    let proposed = proposed(&accounts::pipedrive(), &accounts::hubspot());
    let scope = |flow: &str| proposed.flow(flow).scope.as_ref().unwrap().expression.clone();
    let split = |flow: &str| scope(flow).split_once(" && (!is_blank").unwrap().0.to_owned();
    assert_eq!(split("calls"), ".type == \"call\"");
    assert_eq!(split("meetings"), ".type == \"meeting\"");
    assert_eq!(split("tasks"), ".type != \"call\" && .type != \"meeting\"");
    assert_eq!(proposed.rule("file_notes", "hs_attachment_ids").flow.as_ref().unwrap().as_str(), "files");
    assert!(matches!(proposed.rule("calls", "hs_timestamp").from, From::Expression(_)));
}

#[test]
fn a_second_init_uses_the_fields_that_the_first_one_made() {
    let (from, mut to) = (accounts::pipedrive(), accounts::hubspot());
    let first = propose(&from, &to);
    for (_, object, field) in &first.create_fields {
        to.schemas.iter_mut().find(|schema| schema.object == *object).unwrap().fields.push(field.clone());
    }
    let second = proposed(&from, &to);
    check_whole(&second, &from, &to);
    assert_eq!(second.proposal.create_fields, []);
    assert_eq!(second.rule("organizations", "industry_sector").steps.len(), 1);
}

#[test]
fn the_same_accounts_give_the_same_proposal() {
    let first = propose(&accounts::pipedrive(), &accounts::hubspot());
    let second = propose(&accounts::pipedrive(), &accounts::hubspot());
    assert_eq!(first.files, second.files);
}

#[test]
fn unknown_platforms_give_an_empty_project_and_say_so() {
    let (mut from, to) = (accounts::pipedrive(), accounts::hubspot());
    from.platform = "csv".to_owned();
    let proposal = propose(&from, &to);
    assert!(proposal.findings.iter().any(|finding| finding.code == "no_template"));
    assert!(proposal.create_fields.is_empty());
}

#[test]
fn objects_that_the_customer_made_are_told() {
    let told = |custom: Option<Vec<&str>>| {
        let custom = custom.map(|names| names.into_iter().map(Into::into).collect());
        let from = SystemView { custom, ..accounts::pipedrive() };
        let findings = propose(&from, &accounts::hubspot()).findings;
        let told = findings.into_iter().filter(|finding| finding.code.starts_with("custom_objects"));
        told.map(|finding| format!("{}: {}", finding.code, finding.message)).collect::<Vec<_>>()
    };
    assert_eq!(told(Some(Vec::new())), Vec::<String>::new());
    assert_eq!(
        told(Some(vec!["Address__c", "Payment__c"])),
        ["custom_objects_not_moved: objects made in old are not moved by this project: Address__c, Payment__c"]
    );
    assert_eq!(
        told(None),
        ["custom_objects_unknown: old does not let the objects be listed that were made there"],
        "silence would look like there being none"
    );
}
