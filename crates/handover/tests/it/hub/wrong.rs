//! Projects whose flows cannot meet.

use super::Place;

/// A third flow by which what the shop says would come round to it.
const BACK: &str = "\
source: {system: old, object: persons}
target: {system: shop, object: people}
fields:
  first: first_name
";

#[test]
fn a_circle_of_spokes_is_refused() {
    let place = Place::new();
    place.write("mappings/round.yaml", BACK);
    place.edit("handover.yaml", "flows: [persons, people]", "flows: [persons, people, round]");
    let told = place.does(&["check", "--no-usage"]).ends(1);
    let circle = told.err.split("error[").find(|part| part.starts_with("circle_of_flows")).unwrap().to_owned();
    insta::assert_snapshot!(circle);
}

#[test]
fn two_flows_against_each_other_are_a_circle_unless_they_divide_the_records() {
    let place = Place::new();
    let back = "source: {system: hub, object: contacts}\ntarget: {system: old, object: persons}\n";
    place.write("mappings/round.yaml", &format!("{back}fields:\n  first_name: firstname\n"));
    place.edit("handover.yaml", "flows: [persons, people]", "flows: [persons, round]");
    let told = place.does(&["check", "--no-usage"]).ends(1);
    assert!(told.err.contains("error[circle_of_flows]"), "{}", told.err);
    place
        .write("mappings/round.yaml", &format!("{back}where: '.city == \"Bonn\"'\nfields:\n  first_name: firstname\n"));
    let told = place.does(&["check", "--no-usage"]).ends(1);
    assert!(!told.err.contains("circle_of_flows"), "{}", told.err);
}

#[test]
fn what_two_systems_write_wants_an_owner() {
    let place = Place::new();
    place.drop_in(&[super::ADA]);
    let warned = "`persons` and `people` both write `firstname`, `lastname`, `phone` of hub.contacts, and nobody owns";
    let told = place.does(&["check"]).ends(0);
    assert!(told.err.contains(warned) && told.err.contains("mappings/people.yaml:7:3"), "{}", told.err);
    place.edit("mappings/persons.yaml", "direction: both_ways", "owner: both\ndirection: both_ways");
    let told = place.does(&["check"]).ends(0);
    assert!(!told.err.contains("field_of_two_systems"), "{}", told.err);
}

#[test]
fn one_field_does_not_hold_the_keys_of_two_systems() {
    let place = Place::new();
    for flow in ["persons", "people"] {
        place.edit(&format!("mappings/{flow}.yaml"), "keep: fill_empty", "key: company\nkeep: fill_empty");
    }
    let told = place.does(&["check", "--no-usage"]).ends(1);
    assert!(told.err.contains("error[one_key_of_two_systems]"), "{}", told.err);
}
