//! The unified card of a customer, and what people report of one.

use serde_json::json;

use super::{ADA, ALAN, Place};

/// All three systems in step, and another Ada.
fn in_step() -> Place {
    let place = Place::new();
    place.drop_in(&[ADA, ALAN, "C3,Ada,Byron,byron@example.com,"]);
    place.does(&["run"]).ends(0);
    place.drop_in(&["C1,Ada,Lovelace,ada@example.com,+49 30 999999", ALAN, "C3,Ada,Byron,byron@example.com,"]);
    place.settles();
    place
}

#[test]
fn a_card_shows_what_every_system_says_and_where_it_came_from() {
    let place = in_step();
    let shown = place.does(&["record", "show", "Ada Lovelace"]).ends(0);
    insta::assert_snapshot!("card", shown.shown());
    for who in ["ada@example.com", "ADA  LOVELACE", "C1", "persons/1", "people/C1"] {
        assert_eq!(place.does(&["record", "show", who]).ends(0).out, shown.out, "{who}");
    }
    let card = place.does(&["record", "show", "C1", "--json"]).ends(0).json();
    let phone = card["fields"].as_array().unwrap().iter().find(|field| field["field"] == "phone").unwrap();
    assert_eq!(phone["value"], "+49 30 999999");
    assert_eq!((&phone["written"]["flow"], &phone["written"]["from"]), (&json!("people"), &json!("shop.people/C1")));
    let back = &card["written_back"][0];
    assert_eq!((&back["record"], &back["field"]), (&json!("old.persons/1"), &json!("phones")), "{card}");
}

#[test]
fn a_record_that_is_held_has_a_card_too() {
    let place = Place::new();
    place.drop_in(&["C9,No,Body,not an address,"]);
    place.does(&["run"]).ends(3);
    let card = place.does(&["record", "show", "no body"]).ends(0).out;
    for part in ["hub.contacts: none", "shop.people/C9", "not an address", "Held as people/C9"] {
        assert!(card.contains(part), "{part} is missing in {card}");
    }
}

#[test]
fn fresh_values_are_those_of_now() {
    let place = in_step();
    place.rename("old", 1, "Augusta", "Lovelace");
    let said = |fresh: &[&str]| {
        let told = place.does(&[&["record", "show", "persons/1", "--json"], fresh].concat()).ends(0).json();
        told["fields"][0]["sources"]["old.persons/1"].clone()
    };
    assert_eq!((said(&[]), said(&["--fresh"])), (json!("Ada"), json!("Augusta")));
}

#[test]
fn several_are_told_apart() {
    let place = in_step();
    insta::assert_snapshot!("several", place.does(&["record", "show", "ada"]).ends(1).shown());
    let nobody = place.does(&["record", "show", "nobody@example.com"]).ends(1);
    assert!(nobody.out.is_empty() && !nobody.err.contains("nobody@"), "{}", nobody.err);
    let found = place.does(&["record", "show", "ada", "--object", "people", "--json"]).ends(1).json();
    assert_eq!(found["matches"].as_array().unwrap().len(), 2, "{found}");
    place.does(&["record", "show", "ada", "--object", "deals"]).ends(1);
}

#[test]
fn a_report_waits_in_somebodys_care_and_blocks_nothing() {
    let place = in_step();
    let filed =
        ["holds", "report", "persons/1", "--text", "the number is a fax", "--owner", "Ben", "--reviewer", "Ana"];
    let told = place.does(&filed).ends(0);
    assert!(told.out.contains("Ben's care") && told.out.contains("Ana says that it is wrong: the number is a fax"));
    assert!(told.err.is_empty(), "{}", told.err);
    insta::assert_snapshot!("report", place.does(&["holds", "show", "persons/1"]).ends(3).shown());
    let card = place.does(&["record", "show", "C1"]).ends(0).out;
    assert!(card.contains("Held as persons/1 (Ben)"), "{card}");
    // It is carried on as before, and the report stays.
    place.rename("old", 1, "Ada", "King");
    let did = place.does(&["sync", "--once", "--json"]).ends(3).json();
    assert_eq!((&did["did"]["updated"], &did["did"]["held"]), (&json!(1), &json!(0)), "{did}");
    place.does(&["run"]).ends(3);
    let held = place.does(&["holds", "list", "reported", "--json"]).ends(3).json()["holds"].clone();
    assert_eq!((&held[0]["owner"], &held[0]["value"]), (&json!("Ben"), &json!("the number is a fax")), "{held}");
    // Other answers are not for it; its own closes it, and the ledger tells the whole.
    let refused = place.does(&["holds", "answer", "persons/1", "--skip"]).ends(1);
    assert!(refused.err.contains("it takes --close"), "{}", refused.err);
    place.does(&["holds", "answer", "persons/1", "--close", "--comment", "it was", "--reviewer", "Ben"]).ends(0);
    place.does(&["holds"]).ends(0);
    let story = place.does(&["audit", "show", "persons/1"]).ends(0).out;
    assert!(story.contains("the number is a fax") && story.contains("Ben answered: close (it was)"), "{story}");
}

/// Neither side's edits are carried, and the next pass after the closing carries both.
#[test]
fn a_report_that_stops_its_record() {
    let place = in_step();
    let filed = place.does(&["holds", "report", "persons/1", "--text", "two people in one", "--stop"]).ends(0);
    assert!(filed.out.contains("nothing of it is carried until then"), "{}", filed.out);
    place.rename("old", 1, "Ada", "King");
    place.rename("old", 2, "Charles", "Stopless");
    let did = place.does(&["sync", "--once", "--json"]).ends(3).json();
    assert_eq!(did["did"]["updated"], 1, "the other one alone: {did}");
    assert_eq!(place.does(&["sync", "--once", "--json"]).ends(3).json()["did"]["updated"], 0);
    place.does(&["verify"]).ends(0);
    let held = place.does(&["holds", "list", "reported:stop"]).ends(3).out;
    assert!(held.contains("nothing of it is carried until that is closed"), "{held}");
    place.does(&["holds", "answer", "persons/1", "--close"]).ends(0);
    let did = place.does(&["sync", "--once", "--json"]).ends(0).json();
    assert_eq!(did["did"]["updated"], 1, "{did}");
    assert_eq!(place.does(&["sync", "--once", "--json"]).ends(0).json()["did"]["updated"], 0);
    place.does(&["verify"]).ends(0);
    place.does(&["audit", "verify"]).ends(0);
}

#[test]
fn what_was_reported_can_be_erased() {
    let place = in_step();
    place.does(&["holds", "report", "ada@example.com", "--text", "she is the countess"]).ends(0);
    place.does(&["holds", "report", "ada@example.com", "--text", " "]).ends(1);
    let several = place.does(&["holds", "report", "ada", "--text", "which of them"]).ends(1);
    assert!(several.err.contains("2 records answer to that"), "{}", several.err);
    place.does(&["audit", "erase", "people/C1", "--who", "Ana", "--reason", "request"]).ends(0);
    let told = [place.does(&["holds", "list", "--json"]).ends(3).out, place.does(&["audit", "export"]).ends(0).out];
    assert!(told.iter().all(|told| !told.contains("countess")), "{told:?}");
    place.does(&["audit", "verify"]).ends(0);
}
