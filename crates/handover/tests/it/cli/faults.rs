//! Records that cannot be carried as they are: each is a hold with its cause, and the rest goes on.

use serde_json::{Value as Json, json};

use super::{Play, made_of, record};

/// The causes for which a record is held.
fn causes(play: &Play, name: &str) -> Vec<String> {
    let told = play.does(&["holds", "show", name, "--json"]).json();
    told["holds"].as_array().unwrap().iter().map(|hold| hold["group"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_deal_without_a_person_is_carried() {
    let play = Play::forth();
    play.disturb("old", |world| {
        let deal = record(world, "deals", 2).as_object_mut().unwrap();
        deal.remove("person_id");
        deal.remove("org_id");
        world["deal_participants"].as_array_mut().unwrap().retain(|one| one["deal_id"] != 2);
    });
    play.does(&["run"]).ends(3);
    made_of(&mut play.world("new"), "deals", "old:deals:2");
    play.does(&["verify", "--json"]).ends(0);
}

#[test]
fn a_person_with_eleven_addresses() {
    let play = Play::forth();
    play.disturb("old", |world| {
        let addresses: Vec<Json> = (0..11)
            .map(|n| json!({"value": format!("bjorn{n}@umbra-mobler.example"), "label": "work", "primary": n == 0}))
            .collect();
        record(world, "persons", 4)["emails"] = addresses.into();
    });
    play.does(&["run"]).ends(3);
    let contact = made_of(&mut play.world("new"), "contacts", "old:persons:4").clone();
    assert_eq!(contact["properties"]["email"], "bjorn0@umbra-mobler.example");
    let others = contact["properties"]["hs_additional_emails"].as_str().unwrap();
    assert_eq!(others.split(';').count(), 10, "{others}");
    play.does(&["verify", "--json"]).ends(0);
}

#[test]
fn values_that_the_target_does_not_take() {
    let play = Play::forth();
    play.disturb("old", |world| {
        record(world, "notes", 1)["content"] = json!("x".repeat(65_537));
        record(world, "persons", 1)["emails"][0]["value"] = json!("not an address");
        record(world, "organizations", 2)["name"] = json!("");
    });
    play.does(&["run"]).ends(3);
    assert_eq!(causes(&play, "notes/1"), ["invalid:hs_note_body:longer than 65536 characters"]);
    assert_eq!(causes(&play, "persons/1"), ["invalid:email:not an e-mail address that the target takes"]);
    play.does(&["verify", "--json"]).ends(0);
}

#[test]
fn a_file_that_is_gone_and_one_that_comes_back() {
    let play = Play::ran();
    let told = play.does(&["holds", "list", "content_gone", "--json"]).json();
    let file = told["holds"][0]["record"].as_str().unwrap().to_owned();
    assert_eq!(causes(&play, &format!("files/{file}")), ["content_gone"]);
    let id: u64 = file.parse().unwrap();
    play.disturb("old", |world| {
        let file = record(world, "files", id);
        file["content_base64"] = json!("aGVsbG8=");
        file["file_size"] = json!(5);
    });
    play.does(&["holds", "answer", "content_gone", "--retry"]).ends(3);
    assert_eq!(causes(&play, &format!("files/{file}")), Vec::<String>::new());
    play.does(&["verify", "--json"]).ends(0);
}

/// Two organizations that are each other's parent: both are carried, the link is held.
#[test]
fn organizations_in_a_circle() {
    let play = Play::ran();
    let group = "invalid:associations.parent_company:the chain of parents is a circle";
    let told = play.does(&["holds", "list", group, "--json"]).ends(3).json();
    let held = told["holds"].as_array().unwrap().clone();
    assert_eq!(held.len(), 2);
    let mut world = play.world("new");
    for hold in &held {
        made_of(&mut world, "companies", &format!("old:organizations:{}", hold["record"].as_str().unwrap()));
    }
}

#[test]
fn a_record_that_vanished_from_the_target_after_the_run() {
    let play = Play::ran();
    play.disturb("new", |world| {
        let id = made_of(world, "deals", "old:deals:1")["id"].clone();
        world["objects"]["deals"].as_array_mut().unwrap().retain(|deal| deal["id"] != id);
        world["associations"].as_array_mut().unwrap().retain(|link| link["toId"] != id && link["fromId"] != id);
    });
    // The run goes on with what is open; that the record is missing is for verify to say.
    play.does(&["run"]).ends(3);
    let told = play.does(&["verify", "--json"]).ends(4).json();
    let kinds: Vec<&str> =
        told["report"]["differences"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"missing_record"), "{kinds:?}");
}

#[test]
fn an_option_that_was_deleted_during_the_run() {
    let play = Play::ran();
    play.disturb("new", |world| {
        for pipeline in world["pipelines"]["deals"].as_array_mut().unwrap() {
            pipeline["stages"].as_array_mut().unwrap().retain(|stage| stage["id"] != "1184520411");
        }
    });
    let told = play.does(&["holds", "answer", "untranslated:deal_stages:10", "--translate", "1184520411"]).ends(1);
    assert!(told.err.contains("`1184520411` is no option of `dealstage`"), "{}", told.err);
}
