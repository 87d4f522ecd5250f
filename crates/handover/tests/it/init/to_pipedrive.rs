//! HubSpot to Pipedrive.

use handover_model::{From, Kind};

use super::{accounts, check_compiles, check_whole, proposed};

#[test]
fn the_proposal_is_whole_and_reads_back() {
    let (from, to) = (accounts::hubspot(), accounts::pipedrive());
    let proposed = proposed(&from, &to);
    check_whole(&proposed, &from, &to);
    check_compiles(&proposed, &from, &to);
    let flows: Vec<_> = proposed.project.flows.iter().map(|flow| flow.name.as_str()).collect();
    assert_eq!(flows, ["companies", "contacts", "deals", "calls", "meetings", "tasks", "notes", "files"]);
}

#[test]
fn the_files_are_what_people_read() {
    let proposed = proposed(&accounts::hubspot(), &accounts::pipedrive());
    for (path, text) in &proposed.proposal.files {
        let name = path.to_string_lossy().replace(['/', '.'], "_");
        insta::assert_snapshot!(format!("to_pipedrive_{name}"), text);
    }
    let findings: Vec<_> = proposed.proposal.findings.iter().map(|f| format!("{}: {}", f.code, f.message)).collect();
    insta::assert_snapshot!("to_pipedrive_findings", findings.join("\n"));
}

#[test]
fn won_and_lost_become_a_status_beside_the_stage() {
    let proposed = proposed(&accounts::hubspot(), &accounts::pipedrive());
    assert_eq!(
        proposed.rows("deal_status"),
        [
            ("closedlost", "lost"),
            ("closedwon", "won"),
            ("r1", "open"),
            ("r8", "won"),
            ("r9", "lost"),
            ("s1", "open"),
            ("s2", "open")
        ]
    );
    assert_eq!(proposed.rows("deal_pipelines"), [("default", "1"), ("p2", "2")]);
    assert_eq!(
        proposed.rows("deal_stages"),
        [
            ("closedlost", "13"),
            ("closedwon", "13"),
            ("r1", "21"),
            ("r8", "22"),
            ("r9", "22"),
            ("s1", "11"),
            ("s2", "12")
        ]
    );
    let From::Expression(won) = &proposed.rule("deals", "won_time").from else { panic!("an expression") };
    assert_eq!(won, "if .dealstage == \"closedwon\" || .dealstage == \"r8\" { .closedate } else { null }");
}

#[test]
fn what_pipedrive_has_no_type_for_is_kept_in_another() {
    let proposed = proposed(&accounts::hubspot(), &accounts::pipedrive());
    let wanted = |object: &str, name: &str| {
        let found = proposed.project.create_fields.iter().find(|w| w.object == *object && w.field.name == *name);
        found.unwrap_or_else(|| panic!("{object}.{name} is not proposed")).field.clone()
    };
    assert!(matches!(wanted("persons", "newsletter").kind, Kind::Choice { many: false, .. }));
    assert!(matches!(proposed.rule("contacts", "newsletter").from, From::Expression(_)));
    assert!(matches!(wanted("persons", "first_seen").kind, Kind::Text { .. }));
    assert!(!wanted("organizations", "handover_source_key").unique);
    assert!(proposed.flow("notes").key.is_none(), "Pipedrive's notes take no fields");
}
