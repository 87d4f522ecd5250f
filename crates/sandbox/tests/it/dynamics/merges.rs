//! Merging, and what happens behind the client's back.

use handover_sandbox::faults::{DisturbAction, Disturbance, Which};
use handover_sandbox::journal::Action;
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::{Org, refused};

fn merge(keep: &str, lose: &str, content: Json) -> Json {
    let row = |id: &str| json!({"@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": id});
    json!({"Target": row(keep), "Subordinate": row(lose), "UpdateContent": content, "PerformParentingChecks": false})
}

#[test]
fn a_merged_row_stays_behind_and_its_children_move() {
    let mut org = Org::new();
    let keep = org.create("accounts", &json!({"name": "Keep"}));
    let lose = org.create("accounts", &json!({"name": "Lose"}));
    let bind = format!("/accounts({lose})");
    let contact = org.create("contacts", &json!({"lastname": "Lee", "parentcustomerid_account@odata.bind": bind}));
    org.create("tasks", &json!({"subject": "t", "regardingobjectid_account_task@odata.bind": bind}));
    let body = merge(&keep, &lose, json!({"@odata.type": "Microsoft.Dynamics.CRM.account", "telephone1": "5"}));
    assert_eq!(org.call("POST", "Merge", Some(&body)).0, 204);
    let row = org.get(&format!("accounts({lose})"));
    assert_eq!((&row["merged"], &row["_masterid_value"], &row["statecode"]), (&json!(true), &json!(keep), &json!(1)));
    assert_eq!(org.get(&format!("accounts({keep})"))["telephone1"], "5");
    assert_eq!(org.get(&format!("contacts({contact})"))["_parentcustomerid_value"], json!(keep));
    assert_eq!(org.rows(&format!("accounts({keep})/Account_Tasks")).len(), 1);
    refused(org.call("POST", "Merge", Some(&body)), 400, "0x80040203");
    refused(org.call("POST", "Merge", Some(&merge(&keep, &keep, json!({})))), 400, "0x80040203");
    let change =
        org.sandbox.journal().changes_of("account", &lose).find(|change| change.action == Action::Merged).unwrap();
    assert_eq!(change.fields["merged_into"].1, json!(keep));
}

fn disturb(org: &mut Org, which: Which, action: DisturbAction) {
    let now = Timestamp::from_second(org.now).unwrap();
    org.sandbox.disturb(&Disturbance { object: "account".to_owned(), which, action }, now);
}

#[test]
fn users_of_the_environment_work_meanwhile() {
    let mut org = Org::new();
    let me = org.me();
    let one = org.create("accounts", &json!({"name": "One"}));
    let two = org.create("accounts", &json!({"name": "Two"}));
    let contact = org.create(
        "contacts",
        &json!({"lastname": "Lee", "parentcustomerid_account@odata.bind": format!("/accounts({two})")}),
    );
    org.wait(5);
    let id = || Which::Id(one.clone());
    disturb(&mut org, id(), DisturbAction::Change { field: "name".to_owned(), value: json!("Changed") });
    let row = org.get(&format!("accounts({one})"));
    assert_eq!((&row["name"], &row["modifiedon"]), (&json!("Changed"), &json!("2026-11-20T09:00:05Z")));
    assert_ne!(row["_modifiedby_value"], json!(me), "somebody else");
    disturb(&mut org, id(), DisturbAction::Change { field: "colour".to_owned(), value: json!(1) });
    disturb(&mut org, id(), DisturbAction::Link { object: "contacts".to_owned(), to: contact.clone() });
    assert_eq!(org.get(&format!("accounts({one})"))["_primarycontactid_value"], json!(contact));
    disturb(&mut org, id(), DisturbAction::Unlink { object: "contact".to_owned(), to: contact.clone() });
    assert_eq!(org.get(&format!("accounts({one})"))["_primarycontactid_value"], Json::Null);
    disturb(&mut org, Which::Nth(0), DisturbAction::Create { fields: json!({"name": "New"}) });
    assert_eq!(org.rows("accounts").len(), 3);
    disturb(&mut org, Which::Id(two.clone()), DisturbAction::Delete);
    assert_eq!(org.call("GET", &format!("contacts({contact})"), None).0, 404);
    disturb(&mut org, Which::Id(two.clone()), DisturbAction::Restore);
    let back = org.get(&format!("contacts({contact})"));
    assert_eq!(back["_parentcustomerid_value"], json!(two), "with what it had taken along");
    disturb(&mut org, Which::Id(two.clone()), DisturbAction::Merge { into: one });
    assert_eq!(org.get(&format!("accounts({two})"))["merged"], true);
    // Opportunities are merged neither by requests nor by people.
    let [won, lost] = ["a", "b"].map(|name| org.create("opportunities", &json!({"name": name})));
    let now = Timestamp::from_second(org.now).unwrap();
    let (which, action) = (Which::Id(won.clone()), DisturbAction::Merge { into: lost });
    org.sandbox.disturb(&Disturbance { object: "opportunity".to_owned(), which, action }, now);
    assert_eq!(org.get(&format!("opportunities({won})"))["statecode"], 0);
    org.delete(&format!("contacts({contact})"));
    org.wait(31 * 86_400);
    disturb(&mut org, Which::Id(contact.clone()), DisturbAction::Restore);
    assert_eq!(org.call("GET", &format!("contacts({contact})"), None).0, 404, "too late");
}

#[test]
fn nothing_comes_back_over_a_new_row_with_its_id() {
    let mut org = Org::new();
    let one = org.create("accounts", &json!({"name": "One"}));
    disturb(&mut org, Which::Id(one.clone()), DisturbAction::Delete);
    assert_eq!(org.create("accounts", &json!({"name": "Another", "accountid": one})), one);
    disturb(&mut org, Which::Id(one.clone()), DisturbAction::Restore);
    assert_eq!(org.get(&format!("accounts({one})"))["name"], "Another");
    assert_eq!(
        org.sandbox.journal().changes_of("account", &one).filter(|one| one.action == Action::Restored).count(),
        0
    );
    disturb(&mut org, Which::Id(one.clone()), DisturbAction::Delete);
    disturb(&mut org, Which::Id(one.clone()), DisturbAction::Restore);
    assert_eq!(org.get(&format!("accounts({one})"))["name"], "Another", "the last one that was deleted");
}
