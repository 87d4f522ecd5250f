//! `examples/hub-with-spokes`, as its README tells it.

use std::path::Path;

use serde_json::json;

use super::Place;
use crate::cli::read_json;

fn copied() -> Place {
    let place = Place { folder: tempfile::tempdir().unwrap() };
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/hub-with-spokes");
    for part in ["", "mappings", "shop", "accounting"] {
        std::fs::create_dir_all(place.path(part)).unwrap();
        for entry in std::fs::read_dir(example.join(part)).unwrap() {
            let entry = entry.unwrap();
            if entry.path().is_file() {
                std::fs::copy(entry.path(), place.path(part).join(entry.file_name())).unwrap();
            }
        }
    }
    place
}

#[test]
fn the_example_does_what_it_tells() {
    let place = copied();
    place.does(&["check"]).ends(0);
    let ran = place.does(&["run", "--json"]).ends(0).json();
    assert_eq!([&ran["objects"]["customers"]["created"], &ran["objects"]["debtors"]["created"]], [2, 2]);
    let went_on = |number: u64, word: &str| {
        let did = place.does(&["sync", "--once", "--json"]).ends(0).json();
        assert_eq!(did["did"][word], number, "{did}");
    };
    went_on(2, "created");
    let card = place.does(&["record", "show", "ada@lovelace-mills.example", "--json"]).ends(0).json();
    assert_eq!((card["members"].as_array().map(Vec::len), &card["title"]), (Some(3), &json!("Ada Lovelace")), "{card}");
    place.edit("shop/customers.csv", "222222", "999999");
    went_on(1, "updated");
    went_on(1, "updated");
    went_on(0, "updated");
    place.does(&["verify"]).ends(0);
    let sales = read_json(&place.world_file("sales"));
    assert_eq!(sales["organizations"].as_array().map_or(0, Vec::len), 0, "no flow leads there");
}
