//! World files, folders, and the same requests twice.

use handover_sandbox::dynamics::{Dynamics, WorldError};
use handover_sandbox::sample::{Scale, bare, company_in};
use handover_sandbox::{Platform, persist};
use serde_json::{Value as Json, json};

use super::{NOWHERE, Org};

fn keyed() -> Json {
    json!({"columns": {"account": [{"schema_name": "new_SourceId"}]}, "keys": {"account": [{"schema_name": "new_Key", "columns": ["new_sourceid"]}]}})
}

/// A bit of everything that changes state.
fn live(org: &mut Org) {
    let account = org.create("accounts", &json!({"name": "Acme", "revenue": 5, "new_sourceid": "A"}));
    let contact = org.create(
        "contacts",
        &json!({"lastname": "Lee", "parentcustomerid_account@odata.bind": format!("/accounts({account})")}),
    );
    org.create(
        "emails",
        &json!({"subject": "s", "email_activity_parties": [
        {"partyid_contact@odata.bind": format!("/contacts({contact})"), "participationtypemask": 2}]}),
    );
    org.create("annotations", &json!({"subject": "n", "documentbody": "aGk=", "objectid_contact@odata.bind": format!("/contacts({contact})")}));
    org.wait(30);
    org.patch("accounts(new_sourceid='A')", &json!({"telephone1": "1"}));
    let column = json!({"@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata", "SchemaName": "new_Late", "MaxLength": 20});
    assert_eq!(org.call("POST", "EntityDefinitions(LogicalName='account')/Attributes", Some(&column)).0, 204);
    org.create("accounts", &json!({"name": "Late", "new_late": "x"}));
    org.delete(&format!("contacts({contact})"));
    let list = org.create("lists", &json!({"listname": "L", "createdfromcode": 1}));
    let link = json!({"@odata.id": format!("/accounts({account})")});
    assert_eq!(org.call("POST", &format!("lists({list})/listaccount_association/$ref"), Some(&link)).0, 204);
    assert_eq!(org.call("POST", "accounts", Some(&json!({"name": 1}))).0, 400);
}

#[test]
fn a_world_file_loads_to_the_same_world() {
    let mut org = Org::of(keyed());
    live(&mut org);
    let world = org.sandbox.platform().world();
    let again = Dynamics::from_world(world.clone(), 99).unwrap();
    assert_eq!(again.world(), world);
    assert_eq!(world["records"]["account"].as_array().unwrap().len(), 2);
}

#[test]
fn the_same_requests_give_the_same_world() {
    let (mut one, mut two) = (Org::of(keyed()), Org::of(keyed()));
    live(&mut one);
    live(&mut two);
    assert_eq!(one.sandbox.platform().world(), two.sandbox.platform().world());
    assert_eq!(one.sandbox.journal().to_json_lines(), two.sandbox.journal().to_json_lines());
}

#[test]
fn what_was_answered_survives_a_kill() {
    let boxed =
        |world: Json| -> Result<Box<dyn Platform>, WorldError> { Ok(Box::new(Dynamics::from_world(world, 7)?)) };
    let dir = tempfile::tempdir().unwrap();
    let open = || persist::open(dir.path(), || boxed(keyed()), boxed).unwrap();
    let mut org = Org::of(keyed());
    org.sandbox = open();
    live(&mut org);
    let before = org.sandbox.platform().world();
    drop(org);
    assert_eq!(open().platform().world(), before);
}

#[test]
fn rows_of_a_file_are_complete() {
    let mut org = Org::of(json!({"org": {"currency": "EUR"}, "records": {
        "account": [{"accountid": NOWHERE, "name": "A", "revenue": 5, "createdon": "2021-01-01T00:00:00Z", "statecode": 1}],
        "contact": [{"lastname": "Lee", "parentcustomerid": format!("account/{NOWHERE}")}]}}));
    let row = org.get(&format!("accounts({NOWHERE})"));
    assert_eq!(
        (&row["revenue_base"], &row["statuscode"], &row["createdon"]),
        (&json!(5.0), &json!(2), &json!("2021-01-01T00:00:00Z"))
    );
    assert!(row["_ownerid_value"].is_string() && row["_owningbusinessunit_value"].is_string());
    assert_eq!(org.texts("fullname", &format!("accounts({NOWHERE})/contact_customer_accounts")), ["Lee"]);
}

#[test]
fn a_world_that_does_not_fit_together_is_refused() {
    for world in [
        json!({"colour": 1}),
        json!({"records": {"person": []}}),
        json!({"records": {"account": [{"name": "x", "colour": 1}]}}),
        json!({"records": {"account": [{"accountid": "1", "name": "x"}]}}),
        json!({"records": {"account": [{"accountid": NOWHERE, "name": "x"}, {"accountid": NOWHERE, "name": "x"}]}}),
        json!({"records": {"account": [{"name": "x", "primarycontactid": NOWHERE}]}}),
        json!({"records": {"account": [{"name": "x", "primarycontactid": format!("lead/{NOWHERE}")}]}}),
        json!({"records": {"account": [{"name": "x", "industrycode": 99}]}}),
        json!({"tables": [{"schema_name": "Project"}]}),
        json!({"columns": {"account": [{"schema_name": "Colour"}]}}),
        json!({"columns": {"account": [{"schema_name": "new_P", "kind": "lookup", "targets": ["new_none"]}]}}),
        json!({"keys": {"account": [{"schema_name": "new_K", "columns": ["colour"]}]}}),
        json!({"duplicate_rules": [{"table": "account", "columns": ["colour"]}]}),
        json!({"tracking": {"person": false}}),
    ] {
        assert!(Dynamics::from_world(world.clone(), 1).is_err(), "{world}");
    }
}

#[test]
fn the_sample_company_is_there() {
    let seed = 3;
    let world = company_in("dynamics", seed, Scale::small()).unwrap();
    assert_eq!(Some(world.clone()), company_in("dynamics", seed, Scale::small()));
    let count = |table: &str| world["records"][table].as_array().unwrap().len();
    let mut org = Org::of(world.clone());
    for (table, set) in [
        ("account", "accounts"),
        ("contact", "contacts"),
        ("opportunity", "opportunities"),
        ("connection", "connections"),
        ("phonecall", "phonecalls"),
        ("appointment", "appointments"),
        ("task", "tasks"),
        ("annotation", "annotations"),
    ] {
        assert!(count(table) > 0, "seed {seed}: no {table}");
        assert_eq!(org.rows(set).len(), count(table), "seed {seed}: {table}");
    }
    for state in 0..3 {
        let of_state = format!("opportunities?$filter=statecode eq {state} and salesstage ne null");
        assert!(!org.rows(&of_state).is_empty(), "seed {seed}: no deal in state {state}");
    }
    assert!(!org.rows("annotations?$filter=isdocument eq true and filesize gt 0").is_empty(), "seed {seed}");
    assert!(!org.rows("activityparties?$filter=participationtypemask eq 5").is_empty(), "seed {seed}");
    assert_eq!(org.texts("fullname", "systemusers?$filter=isdisabled eq true"), ["Ana Kovačević"], "seed {seed}");
    let contact = org.texts("contactid", "contacts?$top=1")[0].clone();
    org.patch(&format!("contacts({contact})"), &json!({"address1_city": "Rome"}));
}

#[test]
fn the_bare_company_has_users_and_stages_and_no_record() {
    let mut org = Org::of(bare("dynamics", 3).unwrap());
    assert!(org.rows("accounts").is_empty() && org.rows("connections").is_empty());
    assert_eq!(org.rows("systemusers?$filter=applicationid eq null").len(), 13);
    assert_eq!(org.rows("transactioncurrencies").len(), 4);
    org.create("opportunities", &json!({"name": "First", "salesstage": 100_000_010}));
}
