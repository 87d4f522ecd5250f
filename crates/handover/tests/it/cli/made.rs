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
const SCHOOLS: &str = "a00Aa0000000001IAA";
const CLINICS: &str = "a00Aa0000000002IAA";
const FIRST: &str = "a01Aa0000000001IAA";
const SECOND: &str = "a01Aa0000000002IAA";

/// Programs, of which one is below another, and grants, which are counted, of accounts and programs; they lead to each
/// other in a circle. Nothing of the kind of gadgets is elsewhere.
fn salesforce() -> Json {
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
                {"Id": NORTH, "Name": "North", "OwnerId": USER, "Main_Program__c": CLINICS},
                {"Id": SOUTH, "Name": "South", "OwnerId": USER},
            ],
            "Program__c": [
                {"Id": SCHOOLS, "Name": "Schools", "OwnerId": USER, "Parent__c": CLINICS, "Field__c": "School", "Active__c": true},
                {"Id": CLINICS, "Name": "Clinics", "OwnerId": USER, "Field__c": "Health", "Active__c": false, "Main_Grant__c": SECOND},
            ],
            "Grant__c": [
                {"Id": FIRST, "Name": "G-0007", "OwnerId": USER, "Account__c": NORTH, "Program__c": SCHOOLS, "Sum__c": 1200.5, "Paid__c": true,
                 "Due__c": "2026-05-04"},
                {"Id": SECOND, "Name": "G-0008", "OwnerId": USER, "Account__c": SOUTH, "Program__c": CLINICS, "Sum__c": 80, "Paid__c": false},
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
            "lastname": "A", "islicensed": true, "internalemailaddress": "ana@acme.example"}]},
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

const PORTAL: u64 = 77;

fn hubspot() -> Json {
    let text = |name: &str, label: &str| json!({"name": name, "label": label, "type": "string", "fieldType": "text", "groupName": "custom_object_information"});
    let options = json!([{"label": "Health", "value": "h"}, {"label": "School", "value": "s"}]);
    json!({
        "platform": "hubspot",
        "account": {"portalId": PORTAL},
        "owners": [{"id": "1", "email": "ana@acme.example"}],
        "custom_objects": [
            {"objectTypeId": "2-1", "name": "program", "plural": "programs", "label": "Program", "pluralLabel": "Programs",
             "primaryDisplayProperty": "title", "requiredProperties": ["title"]},
            {"objectTypeId": "2-2", "name": "gift", "plural": "gifts", "label": "Grant", "pluralLabel": "Grants",
             "primaryDisplayProperty": "called"},
        ],
        "properties": {
            "programs": [text("title", "Title"), {"name": "field", "label": "Field", "type": "enumeration",
                "fieldType": "select", "groupName": "custom_object_information", "options": options}],
            "gifts": [text("called", "Called")],
        },
    })
}

/// What became of the source's records, by the ids that these had: what stands in the fields of the target, in place of a
/// link the id of the source's record behind it.
struct Moved {
    /// The target's records by the source's ids.
    records: BTreeMap<String, Json>,
    /// The source's ids by the target's.
    ids: BTreeMap<String, String>,
}

/// An id as a link has it, or as a record: `table/id`, a number, a text, or within an object.
fn bare(id: &Json) -> String {
    let id = if id.is_object() { &id["id"] } else { id };
    let text = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    text.rsplit('/').next().unwrap_or_default().to_owned()
}

impl Moved {
    /// Of these objects, with the fields of their ids and of their source keys.
    fn of(play: &Play, objects: &[(&str, &str)], key: &str) -> Self {
        let world = play.world("new");
        let mut moved = Self { records: BTreeMap::new(), ids: BTreeMap::new() };
        for (object, id) in objects {
            for record in world["records"][object].as_array().unwrap() {
                let key = record[key].as_str().unwrap();
                let source = key.rsplit(':').next().unwrap().to_owned();
                moved.ids.insert(bare(&record[id]), source.clone());
                moved.records.insert(source, record.clone());
            }
        }
        moved
    }

    fn field(&self, id: &str, field: &str) -> Json {
        let value = self.records[id][field].clone();
        self.ids.get(&bare(&value)).map_or(value, |source| json!(source))
    }

    /// The fields of a record.
    #[track_caller]
    fn has(&self, id: &str, fields: &[(&str, Json)]) {
        for (field, expected) in fields {
            assert_eq!(self.field(id, field), *expected, "{field}: {:#}", self.records[id]);
        }
    }
}

/// Proposes and moves; nothing differs, and again nothing is written.
fn moves(new: &Json) -> Play {
    let (play, told) = proposed(&salesforce(), new);
    let left = "objects made in old are not moved by this project: Gadget__c (1 record)";
    assert!(told.err.contains(left), "{}", told.err);
    play.does(&["plan", "--create-fields"]).ends(0);
    play.does(&["check"]).ends(0);
    let ran = play.does(&["run", "--json"]).ends(0).json();
    for object in ["Account", "Program__c", "Grant__c"] {
        assert_eq!((&ran["objects"][object]["read"], &ran["objects"][object]["created"]), (&json!(2), &json!(2)));
    }
    assert_eq!((&ran["links_waiting"], &ran["holds"]), (&json!(0), &json!([])));
    let there = play.world("new")["records"].clone();
    play.does(&["run"]).ends(0);
    assert_eq!(play.world("new")["records"], there, "a second run writes nothing");
    let verified = play.does(&["verify"]).ends(0);
    assert!(verified.shown().contains("Nothing differs"), "{}", verified.shown());
    play
}

#[test]
fn to_dynamics() {
    let play = moves(&dynamics());
    let objects = [("account", "accountid"), ("new_program", "new_programid"), ("new_grant", "new_grantid")];
    let moved = Moved::of(&play, &objects, "handover_source_key");
    moved.has(
        SCHOOLS,
        &[
            ("new_name", json!("Schools")),
            ("parent_program", json!(CLINICS)),
            ("new_field", json!(2)),
            ("is_active", json!(true)),
        ],
    );
    moved.has(CLINICS, &[("main_grant", json!(SECOND)), ("is_active", json!(false))]);
    moved.has(
        FIRST,
        &[
            ("new_name", json!("G-0007")),
            ("new_account", json!(NORTH)),
            ("new_programid", json!(SCHOOLS)),
            ("new_sum", json!(1200.5)),
            ("new_paid", json!(true)),
            ("due_on", json!("2026-05-04")),
        ],
    );
    moved.has(SECOND, &[("new_account", json!(SOUTH)), ("new_programid", json!(CLINICS))]);
    moved.has(NORTH, &[("main_program", json!(CLINICS))]);
}

#[test]
fn to_zoho() {
    let play = moves(&zoho());
    let moved =
        Moved::of(&play, &["Accounts", "CustomModule1", "Grants"].map(|module| (module, "id")), "Source_key_Handover");
    moved.has(
        SCHOOLS,
        &[
            ("Name", json!("Schools")),
            ("Parent_program", json!(CLINICS)),
            ("Field", json!("School")),
            ("Is_active", json!(true)),
        ],
    );
    moved.has(CLINICS, &[("Main_grant", json!(SECOND)), ("Is_active", json!(false))]);
    moved.has(
        FIRST,
        &[
            ("Name", json!("G-0007")),
            ("Account", json!(NORTH)),
            ("Program", json!(SCHOOLS)),
            ("Sum_granted", json!(1200.5)),
            ("Paid", json!(true)),
            ("Due_on", json!("2026-05-04")),
        ],
    );
    moved.has(SECOND, &[("Account", json!(SOUTH)), ("Program", json!(CLINICS))]);
    moved.has(NORTH, &[("Main_program", json!(CLINICS))]);
}

#[test]
fn to_hubspot() {
    let play = moves(&hubspot());
    let world = play.world("new");
    let mut sources: BTreeMap<String, String> = BTreeMap::new();
    let mut properties: BTreeMap<String, Json> = BTreeMap::new();
    for record in ["companies", "programs", "gifts"].iter().flat_map(|kind| world["objects"][kind].as_array().unwrap())
    {
        let key = record["properties"]["handover_source_key"].as_str().unwrap();
        let source = key.rsplit(':').next().unwrap().to_owned();
        sources.insert(bare(&record["id"]), source.clone());
        properties.insert(source, record["properties"].clone());
    }
    for (id, property, expected) in [
        (SCHOOLS, "title", "Schools"),
        (SCHOOLS, "field", "s"),
        (SCHOOLS, "is_active", "true"),
        (CLINICS, "is_active", "false"),
        // Which of two programs is above the other, and of which grant a program also speaks, links cannot say.
        (SCHOOLS, "parent_program", "old:Program__c:a00Aa0000000002IAA"),
        (CLINICS, "main_grant", "old:Grant__c:a01Aa0000000002IAA"),
        (FIRST, "called", "G-0007"),
        (FIRST, "sum_granted", "1200.5"),
        (FIRST, "paid", "true"),
        (FIRST, "due_on", "2026-05-04"),
        (NORTH, "main_program", "old:Program__c:a00Aa0000000002IAA"),
    ] {
        assert_eq!(properties[id][property], *expected, "{id} {property}");
    }
    let links = world["associations"].as_array().unwrap().iter();
    let mut links: Vec<[String; 2]> = links
        .map(|link| {
            let mut ends = ["fromId", "toId"].map(|end| sources[&bare(&link[end])].clone());
            ends.sort_unstable();
            ends
        })
        .collect();
    links.sort_unstable();
    links.dedup();
    let expected = [[NORTH, FIRST], [SOUTH, SECOND], [SCHOOLS, FIRST], [CLINICS, SECOND]];
    assert_eq!(links, expected.map(|ends| ends.map(str::to_owned)));
}
