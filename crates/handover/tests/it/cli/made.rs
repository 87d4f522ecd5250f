//! Objects that customers made, from Salesforce to accounts that have some of the same name: proposed, moved, linked;
//! nothing differs, and a second run writes nothing. What has no counterpart is told of.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use serde_json::{Value as Json, json};

use super::{Play, Told, binary};

/// A sandbox as a process; it ends with the test.
struct Served {
    child: Child,
    base_url: String,
    token: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn serve(play: &Play, side: &str) -> Served {
    let world = play.world(side);
    let mut command = binary();
    command.args(["sandbox", world["platform"].as_str().unwrap(), "--limits", "off", "--world"]);
    let mut child = command.arg(play.world_file(side)).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Json = serde_json::from_str(&line).unwrap();
    let [base_url, token] = ["base_url", "token"].map(|key| ready[key].as_str().unwrap().to_owned());
    Served { child, base_url, token }
}

/// What `init` proposes for two worlds, and then a project over the same worlds in its folder.
fn proposed(old: &Json, new: &Json) -> (Play, Told) {
    let play = Play { folder: tempfile::tempdir().unwrap() };
    for (side, world) in [("old", old), ("new", new)] {
        std::fs::create_dir_all(play.world_file(side).parent().unwrap()).unwrap();
        std::fs::write(play.world_file(side), world.to_string()).unwrap();
    }
    let served = [serve(&play, "old"), serve(&play, "new")];
    let [from, to] = [old, new].map(|world| world["platform"].as_str().unwrap());
    let [old, new] = &served;
    let told = play.does_with(
        &["init", "--from", from, "--from-url", &old.base_url, "--to", to, "--to-url", &new.base_url],
        &[("OLD_TOKEN", &old.token), ("NEW_TOKEN", &new.token)],
    );
    let told = told.ends(0);
    for (side, served) in [("old", old), ("new", new)] {
        let url = format!("base_url: {}\n    token: {{env: {}_TOKEN}}", served.base_url, side.to_uppercase());
        play.edit("handover.yaml", &url, &format!("sandbox: sandbox/{side}"));
    }
    (play, told)
}

const USER: &str = "005Aa0000000001IAA";
const NORTH: &str = "001Aa0000000001IAA";
const SOUTH: &str = "001Aa0000000002IAA";

/// Programs, of which one is below another, and grants, which are counted, of accounts and programs; they lead to each
/// other in a circle. Nothing of the kind of gadgets is elsewhere.
fn salesforce() -> Json {
    let (school, health) = ("a00Aa0000000001IAA", "a00Aa0000000002IAA");
    let (first, second) = ("a01Aa0000000001IAA", "a01Aa0000000002IAA");
    json!({
        "platform": "salesforce",
        "objects": [
            {"name": "Program__c", "prefix": "a00", "label": "Program", "plural": "Programs", "fields": [
                {"name": "Parent__c", "label": "Parent program", "type": "reference", "reference_to": ["Program__c"]},
                {"name": "Field__c", "label": "Field", "type": "picklist", "values": ["Health", "School"]},
                {"name": "Active__c", "label": "Is active", "type": "boolean"},
                {"name": "Main_Grant__c", "label": "Main grant", "type": "reference", "reference_to": ["Grant__c"]},
            ]},
            {"name": "Grant__c", "prefix": "a01", "label": "Grant", "plural": "Grants", "number_format": "G-{0000}",
             "fields": [
                {"name": "Account__c", "label": "Account", "type": "reference", "reference_to": ["Account"]},
                {"name": "Program__c", "label": "Program", "type": "reference", "reference_to": ["Program__c"]},
                {"name": "Sum__c", "label": "Sum granted", "type": "currency", "precision": 18, "scale": 2},
                {"name": "Paid__c", "label": "Paid", "type": "boolean"},
                {"name": "Due__c", "label": "Due on", "type": "date"},
            ]},
            {"name": "Gadget__c", "prefix": "a02", "label": "Gadget", "plural": "Gadgets", "fields": []},
        ],
        "fields": {"Account": [{"name": "Main_Program__c", "label": "Main program", "type": "reference",
            "reference_to": ["Program__c"]}]},
        "records": {
            "User": [{"Id": USER, "Username": "ana@acme.example", "LastName": "Ana", "Email": "ana@acme.example",
                "Alias": "ana", "IsActive": true}],
            "Account": [
                {"Id": NORTH, "Name": "North", "OwnerId": USER, "Main_Program__c": health},
                {"Id": SOUTH, "Name": "South", "OwnerId": USER},
            ],
            "Program__c": [
                {"Id": school, "Name": "Schools", "OwnerId": USER, "Parent__c": health, "Field__c": "School", "Active__c": true},
                {"Id": health, "Name": "Clinics", "OwnerId": USER, "Field__c": "Health", "Active__c": false, "Main_Grant__c": second},
            ],
            "Grant__c": [
                {"Id": first, "Name": "G-0007", "OwnerId": USER, "Account__c": NORTH, "Program__c": school, "Sum__c": 1200.5, "Paid__c": true,
                 "Due__c": "2026-05-04"},
                {"Id": second, "Name": "G-0008", "OwnerId": USER, "Account__c": SOUTH, "Program__c": health, "Sum__c": 80, "Paid__c": false},
            ],
            "Gadget__c": [{"Id": "a02Aa0000000001IAA", "Name": "One", "OwnerId": USER}],
        },
    })
}

fn dynamics() -> Json {
    let choices = json!([{"value": 1, "label": "Health"}, {"value": 2, "label": "School"}]);
    json!({
        "platform": "dynamics",
        "tables": [
            {"schema_name": "new_Program", "label": "Program", "plural": "Programs"},
            {"schema_name": "new_Grant", "label": "Grant", "plural": "Grants"},
        ],
        "columns": {
            "new_program": [{"schema_name": "new_Field", "label": "Field", "kind": "picklist", "choices": choices}],
            "new_grant": [
                {"schema_name": "new_ProgramId", "label": "Program", "kind": "lookup", "targets": ["new_program"]},
                {"schema_name": "new_Sum", "label": "Amount", "kind": "money"},
            ],
        },
        "records": {"systemuser": [{"systemuserid": "00000000-0000-0000-0000-000000000001", "domainname": "ana@acme.example", "firstname": "Ana",
            "lastname": "A", "internalemailaddress": "ana@acme.example"}]},
    })
}

fn zoho() -> Json {
    let picks = json!([{"display": "Health", "actual": "Health"}, {"display": "School", "actual": "School"}]);
    json!({
        "platform": "zoho",
        "modules": [
            {"api_name": "CustomModule1", "singular": "Program", "plural": "Programs"},
            {"api_name": "Grants", "singular": "Grant", "plural": "Money given"},
        ],
        "fields": {
            "CustomModule1": [{"api_name": "Field", "label": "Field", "data_type": "picklist", "picks": picks, "custom": true}],
            "Grants": [{"api_name": "Program", "label": "Program", "data_type": "lookup", "module": "CustomModule1", "custom": true}],
        },
        "users": [{"first_name": "Ana", "last_name": "A", "email": "ana@acme.example", "admin": true}],
    })
}

/// Values of the target's records under their source keys: `Field` of what a lookup leads to is that record's key.
fn made(play: &Play, objects: &[&str], id: &str, fields: &BTreeMap<&str, &str>) -> BTreeMap<String, Json> {
    let world = play.world("new");
    let records = |object: &str| world["records"][object].as_array().cloned().unwrap_or_default();
    let key_of = |record: &Json| record[fields["key"]].as_str().unwrap_or_default().to_owned();
    let all: Vec<Json> = objects.iter().flat_map(|object| records(object)).collect();
    let named = |value: &Json| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let bare = text.rsplit('/').next().unwrap_or_default();
        all.iter().find(|record| record[id] == *value || record[id] == *bare).map(key_of)
    };
    let _ = named;
    all.iter().map(|record| (key_of(record), record.clone())).collect()
}

fn sums(told: &Json) -> [u64; 5] {
    let objects = told["objects"].as_object().unwrap();
    ["read", "created", "updated", "merged", "held"]
        .map(|word| objects.values().map(|counts| counts[word].as_u64().unwrap()).sum())
}

fn moves(new: &Json) -> Play {
    let (play, told) = proposed(&salesforce(), new);
    eprintln!("{}", told.shown());
    for file in
        ["handover.yaml", "fields.yaml", "mappings/programs.yaml", "mappings/grants.yaml", "mappings/accounts.yaml"]
    {
        eprintln!("=== {file}\n{}", play.read(file));
    }
    assert!(told.err.contains("Gadget__c (1 record)"), "{}", told.err);
    eprintln!("{}", play.does(&["plan", "--create-fields"]).shown());
    eprintln!("{}", play.does(&["check"]).shown());
    let ran = play.does(&["run", "--json"]).ends(0).json();
    eprintln!("{ran}");
    assert_eq!(sums(&ran), [6, 6, 0, 0, 0]);
    let again = play.does(&["run", "--json"]).ends(0).json();
    assert_eq!(sums(&again)[1..], [0, 0, 0, 0]);
    let verified = play.does(&["verify"]).ends(0);
    assert!(verified.shown().contains("Nothing differs"), "{}", verified.shown());
    play
}

#[test]
fn to_dynamics() {
    let play = moves(&dynamics());
    eprintln!("{:#}", play.world("new")["records"]["new_grant"]);
    eprintln!("{:#}", play.world("new")["records"]["new_program"]);
    let _ = made;
    panic!();
}

#[test]
fn to_zoho() {
    let play = moves(&zoho());
    eprintln!("{:#}", play.world("new")["records"]["Grants"]);
    eprintln!("{:#}", play.world("new")["records"]["CustomModule1"]);
    panic!();
}
