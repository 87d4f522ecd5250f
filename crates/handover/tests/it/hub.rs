//! A hub with spokes through the real binary: Pipedrive in use beside HubSpot, and a folder into which a shop drops its
//! customers. What one brings reaches the others once, and nothing comes back to where it came from.

mod card;
mod example;
mod wrong;

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use crate::cli::{Told, binary, read_json};

/// A project in a folder of its own: `old` (Pipedrive), `hub` (HubSpot), `shop` (CSV).
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

const PROJECT: &str = "\
project: one-hub
systems:
  old: {platform: pipedrive, sandbox: sandbox/old}
  hub: {platform: hubspot, sandbox: sandbox/hub}
  shop:
    platform: csv
    folder: shop
    objects:
      people: {id: customer, columns: {first: text, last: text, email: text, phone: text}}
flows: [persons, people]
";
const PERSONS: &str = "\
source: {system: old, object: persons}
target: {system: hub, object: contacts}
direction: both_ways
keep: fill_empty
match:
  - {email: emails, target: [email]}
fields:
  firstname: first_name
  lastname: last_name
  email: {from: emails, steps: [primary]}
  phone: {from: phones, steps: [primary]}
back:
  name: {expr: 'concat([.firstname, .lastname], \" \")'}
exclude:
  name: made of its two parts
  owner_id: &no not part of this test
  org_id: *no
  label_ids: *no
  visible_to: *no
  picture_id: *no
  add_time: *no
  update_time: *no
";
const PEOPLE: &str = "\
source: {system: shop, object: people}
target: {system: hub, object: contacts}
keep: fill_empty
match:
  - {email: email, target: [email]}
fields:
  firstname: first
  lastname: last
  email: email
  phone: phone
exclude: {customer: the shop's own number}
";
const ADA: &str = "C1,Ada,Lovelace,ada@example.com,+49 30 111111";
const ALAN: &str = "C2,Alan,Turing,alan@example.com,+49 30 222222";

impl Place {
    /// Ada and Grace are in Pipedrive; HubSpot and the shop are empty.
    pub(crate) fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir(place.path("mappings")).unwrap();
        std::fs::create_dir(place.path("shop")).unwrap();
        place.write("handover.yaml", PROJECT);
        place.write("mappings/persons.yaml", PERSONS);
        place.write("mappings/people.yaml", PEOPLE);
        place.does(&["check", "--no-usage"]).ends(0);
        place.disturb("old", |world| {
            let person = |id: u64, first: &str, last: &str, email: &str, phone: &str| {
                json!({
                    "id": id, "first_name": first, "last_name": last, "name": format!("{first} {last}"),
                    "emails": [{"label": "work", "primary": true, "value": email}],
                    "phones": [{"label": "work", "primary": true, "value": phone}],
                    "owner_id": world["users"][0]["id"], "visible_to": 3, "label_ids": [], "custom_fields": {},
                    "add_time": "2024-01-01T08:00:00Z", "update_time": "2024-01-01T08:00:00Z",
                })
            };
            let persons = [
                person(1, "Ada", "Lovelace", "ada@example.com", "+49 30 111111"),
                person(2, "Grace", "Hopper", "grace@example.com", "+49 30 333333"),
            ];
            world["persons"] = json!(persons);
            world["next_ids"]["person"] = json!(3);
        });
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// The shop drops its list.
    pub(crate) fn drop_in(&self, rows: &[&str]) {
        self.write("shop/people.csv", &format!("customer,first,last,email,phone\n{}\n", rows.join("\n")));
    }

    #[track_caller]
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path(file)).unwrap();
        assert!(text.contains(from), "{file} does not contain {from}");
        self.write(file, &text.replacen(from, to, 1));
    }

    pub(crate) fn does(&self, arguments: &[&str]) -> Told {
        let output = binary().args(arguments).current_dir(self.folder.path()).output().unwrap();
        let folder = self.folder.path().display().to_string();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&folder, "<folder>");
        Told { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
    }

    fn world_file(&self, system: &str) -> PathBuf {
        self.path("sandbox").join(system).join("world.json")
    }

    pub(crate) fn disturb(&self, system: &str, change: impl FnOnce(&mut Json)) {
        let file = self.world_file(system);
        let mut world = read_json(&file);
        change(&mut world);
        std::fs::write(file, world.to_string()).unwrap();
    }

    /// An hour passes: longer than a platform may be changing what was written. Then a person of Pipedrive is renamed.
    fn rename(&self, system: &str, id: u64, first: &str, last: &str) {
        let clock = self.path("sandbox/clock");
        let now: jiff::Timestamp = std::fs::read_to_string(&clock).unwrap().trim().parse().unwrap();
        let later = now + jiff::SignedDuration::from_hours(1);
        std::fs::write(clock, later.to_string()).unwrap();
        self.disturb(system, |world| {
            let persons = world["persons"].as_array_mut().unwrap();
            let person = persons.iter_mut().find(|person| person["id"] == id).unwrap();
            (person["first_name"], person["last_name"]) = (json!(first), json!(last));
            person["name"] = json!(format!("{first} {last}"));
            person["update_time"] = json!(later.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        });
    }

    /// A pass over what changed; gives how many records it created and updated.
    #[track_caller]
    pub(crate) fn sync(&self) -> (u64, u64) {
        let did = self.does(&["sync", "--once", "--json"]).ends(0).json()["did"].clone();
        (did["created"].as_u64().unwrap(), did["updated"].as_u64().unwrap())
    }

    /// Passes until nothing is written; gives how many wrote.
    #[track_caller]
    fn settles(&self) -> usize {
        let wrote = (0..4).take_while(|_| self.sync() != (0, 0)).count();
        assert!(wrote < 4, "writes do not stop");
        wrote
    }

    /// Everybody in Pipedrive and in HubSpot: `Ada Lovelace ada@example.com +49 30 111111`.
    fn people(&self) -> [Vec<String>; 2] {
        let (old, hub) = (read_json(&self.world_file("old")), read_json(&self.world_file("hub")));
        let line = |parts: [&Json; 4]| parts.map(|part| part.as_str().unwrap_or("-").to_owned()).join(" ");
        let persons = old["persons"].as_array().unwrap().iter().map(|one| {
            line([&one["first_name"], &one["last_name"], &one["emails"][0]["value"], &one["phones"][0]["value"]])
        });
        let contacts = hub["objects"]["contacts"].as_array().unwrap().iter().map(|one| {
            let one = &one["properties"];
            line([&one["firstname"], &one["lastname"], &one["email"], &one["phone"]])
        });
        let mut both = [persons.collect::<Vec<_>>(), contacts.collect()];
        both.iter_mut().for_each(|people| people.sort());
        both
    }

    /// Both say the same: these.
    #[track_caller]
    fn both_say(&self, people: &[&str]) {
        let [old, hub] = self.people();
        assert_eq!(old, people, "Pipedrive");
        assert_eq!(hub, people, "HubSpot");
    }

    /// The records of the customer who answers to this.
    pub(crate) fn members(&self, who: &str) -> Vec<String> {
        let card = self.does(&["record", "show", who, "--json"]).ends(0).json();
        let name = |one: &Json| {
            let word = |name: &str| one[name].as_str().unwrap();
            format!("{}.{}/{}", word("system"), word("object"), word("record"))
        };
        card["members"].as_array().unwrap().iter().map(name).collect()
    }
}

#[test]
fn what_one_spoke_brings_reaches_the_others_once() {
    let place = Place::new();
    place.drop_in(&[ADA, ALAN]);
    let planned = place.does(&["plan", "--json"]).ends(0).json();
    let ran = place.does(&["run", "--json"]).ends(0).json();
    // Ada is in both spokes: the second finds what the first made in the same pass, and the plan said so.
    let counts = &ran["objects"]["people"];
    assert_eq!((&counts["created"], &counts["unchanged"]), (&json!(1), &json!(1)), "{ran}");
    assert_eq!(planned["objects"], ran["objects"], "the plan is the run");
    // Alan goes on to Pipedrive; Ada is there.
    assert_eq!(place.sync(), (1, 0));
    assert_eq!(place.sync(), (0, 0), "writes stop");
    let (ada, grace) = ("Ada Lovelace ada@example.com +49 30 111111", "Grace Hopper grace@example.com +49 30 333333");
    place.both_say(&[ada, "Alan Turing alan@example.com +49 30 222222", grace]);
    let alan = place.members("alan@example.com");
    assert_eq!(alan.len(), 3, "one identity joins all ids: {alan:?}");
    assert_eq!(place.members("C2"), alan);
    assert_eq!(place.members("ada@example.com").len(), 3);
    assert_eq!(place.members("grace@example.com").len(), 2);
    place.does(&["verify"]).ends(0);
    place.does(&["audit", "verify"]).ends(0);
}

#[test]
fn an_edit_in_one_spoke_reaches_the_others_and_writes_stop() {
    let place = Place::new();
    place.drop_in(&[ADA, ALAN]);
    place.does(&["run"]).ends(0);
    place.settles();
    // So soon after our own writes that a platform's doing would be taken for what it is: another flow's write is not.
    place.drop_in(&["C1,Ada,Lovelace,ada@example.com,+49 30 999999", ALAN]);
    assert!(place.settles() <= 2);
    place.rename("old", 3, "Alan", "Mathison");
    assert!(place.settles() <= 2);
    place.both_say(&[
        "Ada Lovelace ada@example.com +49 30 999999",
        "Alan Mathison alan@example.com +49 30 222222",
        "Grace Hopper grace@example.com +49 30 333333",
    ]);
    // What the shop still says of Alan is no difference: Pipedrive said otherwise since, and that is compared.
    place.does(&["verify"]).ends(0);
}

#[test]
fn files_that_arrive_later_are_read_by_the_next_pass() {
    let place = Place::new();
    place.does(&["run"]).ends(0);
    assert_eq!(place.sync(), (0, 0));
    place.drop_in(&[ADA, ALAN]);
    assert_eq!(place.sync(), (1, 0), "Alan in HubSpot");
    assert_eq!(place.sync(), (1, 0), "and in Pipedrive");
    assert_eq!(place.sync(), (0, 0));
    place.drop_in(&[ADA, ALAN, "C3,Edsger,Dijkstra,ed@example.com,"]);
    assert_eq!(place.settles(), 2);
    assert_eq!(place.members("ed@example.com").len(), 3);
}

/// Pipedrive twice: the teams of two regions, each with its own, and HubSpot between them.
fn two_teams() -> Place {
    let place = Place::new();
    place.edit("handover.yaml", "  shop:\n", "  east: {platform: pipedrive, sandbox: sandbox/east}\n  shop:\n");
    place.edit("handover.yaml", "flows: [persons, people]", "flows: [persons, easterners]");
    place.write("mappings/easterners.yaml", &PERSONS.replacen("{system: old,", "{system: east,", 1));
    std::fs::remove_file(place.path("mappings/people.yaml")).unwrap();
    place.does(&["check", "--no-usage"]).ends(0);
    place.does(&["run"]).ends(0);
    place.settles();
    place
}

#[test]
fn what_one_team_does_reaches_the_other_through_the_hub() {
    let place = two_teams();
    assert_eq!(place.members("grace@example.com").len(), 3);
    let in_east = read_json(&place.world_file("east"))["persons"].clone();
    let grace = in_east.as_array().unwrap().iter().find(|one| one["last_name"] == "Hopper").unwrap()["id"].clone();
    place.rename("east", grace.as_u64().unwrap(), "Grace", "Murray");
    assert!(place.settles() <= 2);
    place.both_say(&["Ada Lovelace ada@example.com +49 30 111111", "Grace Murray grace@example.com +49 30 333333"]);
    // Both teams change one thing at once: what came first into the hub stands beside what the other says.
    place.rename("old", 2, "Grace", "Brewster");
    place.rename("east", grace.as_u64().unwrap(), "Grace", "Hopper");
    let mut wrote = 0;
    for _ in 0..3 {
        let told = place.does(&["sync", "--once", "--json"]).ends(3).json();
        wrote += usize::from(told["did"]["updated"] != 0);
        assert_eq!(told["did"]["created"], 0, "{told}");
    }
    assert_eq!(wrote, 1, "nothing goes to and fro");
    let held = place.does(&["holds", "list", "--json"]).ends(3).json()["holds"].clone();
    assert_eq!((&held[0]["flow"], &held[0]["group"]), (&json!("easterners"), &json!("conflict:lastname")), "{held}");
    place.does(&["holds", "answer", "conflict:lastname", "--take", "source"]).ends(0);
    assert!(place.settles() <= 2);
    place.both_say(&["Ada Lovelace ada@example.com +49 30 111111", "Grace Hopper grace@example.com +49 30 333333"]);
}

/// The shop's customers become persons of Pipedrive, and persons become contacts.
fn chain(place: &Place) {
    place.edit("mappings/people.yaml", "{system: hub, object: contacts}", "{system: old, object: persons}");
    place.edit("mappings/people.yaml", "target: [email]", "target: [emails]");
    let fields = "firstname: first\n  lastname: last\n  email: email\n  phone: phone";
    let wanted = "name: {expr: 'concat([.first, .last], \" \")'}\n  emails: email\n  phones: phone";
    place.edit("mappings/people.yaml", fields, wanted);
    place.edit("mappings/persons.yaml", "direction: both_ways\n", "");
    let persons = std::fs::read_to_string(place.path("mappings/persons.yaml")).unwrap();
    let (before, rest) = persons.split_once("back:\n").unwrap();
    let (_, after) = rest.split_once("exclude:\n").unwrap();
    place.write("mappings/persons.yaml", &format!("{before}exclude:\n{after}"));
}

#[test]
fn a_chain_of_systems_is_carried_in_one_run() {
    let place = Place::new();
    chain(&place);
    place.drop_in(&[ADA, ALAN]);
    let planned = place.does(&["plan", "--json"]).ends(0).json();
    // `persons` stands first in the project and works second: it reads what `people` writes.
    let ran = place.does(&["run", "--json"]).ends(0).json();
    assert_eq!(ran["objects"]["persons"]["created"], json!(3), "{ran}");
    assert_eq!(planned["objects"], ran["objects"], "the plan is the run");
    place.both_say(&[
        "Ada Lovelace ada@example.com +49 30 111111",
        "Alan Turing alan@example.com +49 30 222222",
        "Grace Hopper grace@example.com +49 30 333333",
    ]);
    assert_eq!(place.members("C2").len(), 3);
    assert_eq!(place.sync(), (0, 0));
    place.does(&["verify"]).ends(0);
}

/// A flow that comes later finds its source read by another flow, with some records in several blocks: none of them
/// is carried twice.
#[test]
fn what_other_flows_read_again_and_again_is_carried_once() {
    let place = Place::new();
    chain(&place);
    place.edit("mappings/persons.yaml", "match:\n  - {email: emails, target: [email]}\n", "");
    // HubSpot would refuse a second contact with the same address.
    place.edit("mappings/persons.yaml", "  firstname: first_name\n  lastname: last_name\n", "  lastname: name\n");
    place.edit("mappings/persons.yaml", "  email: {from: emails, steps: [primary]}\n", "");
    let excluded = "exclude:\n  emails: nobody can be found by it\n  first_name: *no\n  last_name: *no\n";
    place.edit(
        "mappings/persons.yaml",
        "exclude:\n  name: made of its two parts\n  owner_id: &no not part of this test\n",
        &excluded.replacen("*no", "&no not part of this test", 1),
    );
    place.edit("mappings/persons.yaml", "  org_id: *no", "  owner_id: *no\n  org_id: *no");
    place.edit("handover.yaml", "flows: [persons, people]", "flows: [people]");
    place.drop_in(&[ADA]);
    place.does(&["run"]).ends(0);
    place.rename("old", 2, "Grace", "Murray");
    place.drop_in(&[ADA, ALAN]);
    assert_eq!(place.sync(), (1, 0));
    place.edit("handover.yaml", "flows: [people]", "flows: [people, persons]");
    place.does(&["run"]).ends(0);
    let contacts = read_json(&place.world_file("hub"))["objects"]["contacts"].clone();
    let names: Vec<&Json> = contacts.as_array().unwrap().iter().map(|one| &one["properties"]["lastname"]).collect();
    assert_eq!(names.iter().filter(|name| **name == "Grace Murray").count(), 1, "{names:?}");
    assert_eq!(names.len(), 3, "{names:?}");
}
