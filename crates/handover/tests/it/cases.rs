//! Cases: what customers ask for help with, with whom it is about and what hangs on it.

use handover_engine::Selection;
use handover_sandbox::sample;
use serde_json::{Value as Json, json};

use crate::products::{live, made, pass};
use crate::products_salesforce::{EARLIER, id, record};
use crate::rig::{Ground, Scene};

/// An account with its contact, who asks twice; of the second case, which is part of the first, nobody has said how far
/// it has come in the terms of others. A task of the first.
fn salesforce() -> Json {
    let mut world = sample::bare("salesforce", 3).unwrap();
    let records = world["records"].as_object_mut().unwrap();
    let mut put = |object: &str, rows: &[Json]| drop(records.insert(object.to_owned(), json!(rows)));
    let (account, contact) = (id("001", 1), id("003", 1));
    put("Account", &[record("001", 1, json!({"Name": "Acme Ltd"}))]);
    put(
        "Contact",
        &[record("003", 1, json!({"LastName": "Byron", "Email": "ada@acme.example", "AccountId": account}))],
    );
    let case = |n: u64, subject: &str, status: &str, parent: Option<u64>| {
        let said = json!({"Subject": subject, "Description": "It hums.", "Status": status, "Priority": "High",
            "Origin": "Phone", "AccountId": account, "ContactId": contact, "CaseNumber": format!("{n:08}"),
            "ParentId": parent.map(|parent| id("500", parent))});
        record("500", n, said)
    };
    put(
        "Case",
        &[
            case(1, "Noise", "Closed", None),
            case(2, "More noise", "New", Some(1)),
            case(3, "Silence", "Escalated", None),
        ],
    );
    let task = json!({"Subject": "Listen", "WhatId": id("500", 1), "WhoId": contact, "Status": "Not Started",
        "Priority": "Normal", "ActivityDate": "2026-03-01"});
    put("Task", &[record("00T", 1, task)]);
    world
}

/// The key that a record of the old system is known by.
fn key(old: &Json, object: &str, n: usize) -> String {
    format!("old:{object}:{}", old["records"][object].as_array().unwrap()[n]["Id"].as_str().unwrap())
}

fn load(platforms: [&'static str; 2], old: Json) -> Ground<'static> {
    let scene = Scene::between(platforms, old, sample::bare(platforms[1], 3).unwrap());
    let mut ground = Ground::new(scene);
    live(&mut ground, Selection::All);
    assert_eq!(ground.differences, Vec::<String>::new());
    ground
}

/// The cases that nobody can place, by the lines of the state.
fn held(ground: &Ground<'_>, flow: &str) -> usize {
    ground.end().state.keys().filter(|line| line.starts_with(flow) && line.contains(" held")).count()
}

/// The row of a world that came of this record: each platform calls the field with the key in its own way.
fn came<'w>(rows: &'w Json, key: &str) -> &'w Json {
    let rows = rows.as_array().unwrap();
    let has_key = |row: &&Json| row.as_object().unwrap().values().any(|value| value == key);
    rows.iter().find(has_key).unwrap_or_else(|| panic!("no {key}: {rows:?}"))
}

#[test]
fn to_hubspot_as_tickets() {
    let mut ground = load(["salesforce", "hubspot"], salesforce());
    let (old, world) = (ground.world("old"), ground.world("new"));
    let closed = made(&world, "tickets", &key(&old, "Case", 0));
    assert_eq!((&closed["subject"], &closed["content"]), (&json!("Noise"), &json!("It hums.")));
    assert_eq!((&closed["hs_pipeline"], &closed["hs_pipeline_stage"]), (&json!("0"), &json!("4")));
    assert_eq!((&closed["hs_ticket_priority"], &closed["source_type"]), (&json!("HIGH"), &json!("PHONE")));
    assert_eq!(closed["handover_case_number"], "00000001", "people quote it");
    let open = made(&world, "tickets", &key(&old, "Case", 1));
    assert_eq!(open["hs_pipeline_stage"], "1");
    assert_eq!(world["objects"]["tickets"].as_array().unwrap().len(), 2);
    assert_eq!(held(&ground, "cases"), 1, "nobody has translated `Escalated`");
    let between = |one: &str, other: &str| {
        let links = world["associations"].as_array().unwrap().iter();
        let ends = links.map(|link| [link["fromType"].as_str().unwrap(), link["toType"].as_str().unwrap()]);
        ends.filter(|ends| ends.contains(&one) && ends.contains(&other)).count()
    };
    assert_eq!((between("tickets", "contacts"), between("tasks", "tickets")), (2, 1));
    assert!(between("tickets", "companies") >= 2);
    assert_eq!(pass(&mut ground), Vec::<String>::new(), "nothing changed");
}

#[test]
fn to_zoho() {
    let mut ground = load(["salesforce", "zoho"], salesforce());
    let (old, world) = (ground.world("old"), ground.world("new"));
    let closed = came(&world["records"]["Cases"], &key(&old, "Case", 0));
    assert_eq!((&closed["Subject"], &closed["Status"]), (&json!("Noise"), &json!("Closed")));
    assert_eq!((&closed["Case_Origin"], &closed["Priority"]), (&json!("Phone"), &json!("High")));
    assert_eq!(held(&ground, "cases"), 0, "Zoho knows `Escalated`");
    assert_eq!(world["records"]["Cases"].as_array().unwrap().len(), 3);
    let task = &world["records"]["Tasks"][0];
    assert_eq!((&task["What_Id"], &task["$se_module"]), (&closed["id"], &json!("Cases")));
    assert_eq!(pass(&mut ground), Vec::<String>::new(), "nothing changed");
}

#[test]
fn to_dynamics() {
    let mut ground = load(["salesforce", "dynamics"], salesforce());
    let (old, world) = (ground.world("old"), ground.world("new"));
    let rows = world["records"].get("incident").unwrap_or_else(|| panic!("{:?}", ground.end().state));
    let closed = came(rows, &key(&old, "Case", 0));
    assert_eq!(
        (&closed["title"], &closed["statecode"], &closed["statuscode"]),
        (&json!("Noise"), &json!(1), &json!(5))
    );
    let open = came(rows, &key(&old, "Case", 1));
    assert_eq!((&open["statecode"], &open["statuscode"]), (&json!(0), &json!(1)));
    assert_eq!(held(&ground, "cases"), 1, "nobody has translated `Escalated`");
    assert_eq!(pass(&mut ground), Vec::<String>::new(), "nothing changed");
}

/// From a portal of tickets: two links of a kind, an urgent one, and a stage of another pipeline.
#[test]
fn from_hubspot() {
    let mut old = sample::bare("hubspot", 3).unwrap();
    let owner = old["owners"][0]["id"].clone();
    let record = |id: &str, rest: Json| {
        let mut properties = json!({"createdate": EARLIER, "hubspot_owner_id": owner});
        properties.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        json!({"id": id, "createdAt": EARLIER, "updatedAt": EARLIER, "archived": false, "properties": properties})
    };
    old["objects"]["contacts"] = json!([record("501", json!({"lastname": "Byron", "email": "ada@acme.example"}))]);
    old["objects"]["tickets"] = json!([
        record(
            "601",
            json!({"subject": "Noise", "content": "It hums.", "hs_pipeline": "0", "hs_pipeline_stage": "4",
            "hs_ticket_priority": "HIGH", "source_type": "PHONE"})
        ),
        record(
            "602",
            json!({"subject": "Silence", "hs_pipeline": "0", "hs_pipeline_stage": "2",
            "hs_ticket_priority": "URGENT"})
        ),
    ]);
    old["associations"] = json!([{"fromType": "tickets", "fromId": "601", "toType": "contacts", "toId": "501",
        "types": [{"category": "HUBSPOT_DEFINED", "typeId": 16}]}]);
    let mut ground = load(["hubspot", "salesforce"], old);
    let world = ground.world("new");
    let closed = came(&world["records"]["Case"], "old:tickets:601");
    assert_eq!(
        (&closed["Subject"], &closed["Status"], &closed["Priority"]),
        (&json!("Noise"), &json!("Closed"), &json!("High"))
    );
    let contact = came(&world["records"]["Contact"], "old:contacts:501");
    assert_eq!(closed["ContactId"], contact["Id"]);
    assert_eq!(world["records"]["Case"].as_array().unwrap().len(), 1);
    assert_eq!(held(&ground, "tickets"), 2, "its stage and its urgency have no counterpart");
    assert_eq!(pass(&mut ground), Vec::<String>::new(), "nothing changed");
}
