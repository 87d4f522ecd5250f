//! The ledger: it verifies, it names the first broken row, it exports, and it can forget.

use super::Play;

#[test]
fn the_chain_verifies_and_is_exported() {
    let play = Play::ran();
    let told = play.does(&["audit", "verify", "--json"]).ends(0).json();
    assert!(told["items"].as_u64().unwrap() > 150, "{told}");
    assert_eq!(told["erased"], 0);
    let lines = play.does(&["audit", "export"]).ends(0).out;
    let rows: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len() as u64, told["entries"].as_u64().unwrap());
    assert_eq!(rows[0]["kind"], "pass_begun");
    assert!(rows.iter().zip(1..).all(|(row, seq)| row["seq"] == seq));
    play.does(&["audit", "export", "--format", "csv", "--out", "ledger.csv"]).ends(0);
    let csv = play.read("ledger.csv");
    let items: usize = rows.iter().map(|row| row["items"].as_array().unwrap().len()).sum();
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("seq,writer,at,pass,kind,flow,record,values,note,hash"));
    assert!(csv.lines().count() > items, "one line for each record told of");
}

#[test]
fn a_tampered_row_is_named() {
    let play = Play::ran();
    let path = play.dir().join(".handover/state.db");
    let mut bytes = std::fs::read(&path).unwrap();
    // The kind of a row stands in the clear in the database's file.
    let at = bytes.windows(9).position(|window| window == b"confirmed").unwrap();
    bytes[at..at + 9].copy_from_slice(b"confirmeD");
    std::fs::write(&path, bytes).unwrap();
    let told = play.does(&["audit", "verify"]).ends(4);
    assert!(told.err.contains("is broken at row "), "{}", told.err);
    assert!(told.err.contains("the rows before it are as they were written"), "{}", told.err);
    let json = play.does(&["audit", "verify", "--json"]).ends(4).json();
    assert_eq!(json["problems"][0]["exit"], 4);
}

#[test]
fn a_person_is_forgotten_and_the_chain_still_verifies() {
    let play = Play::ran();
    let before = play.does(&["audit", "show", "persons/1"]).ends(0).out;
    assert!(before.contains("Nystr\u{f6}m"), "{before}");
    let told =
        play.does(&["audit", "erase", "persons/1", "--who", "Ana Silva", "--reason", "request of 2026-11-03"]).ends(0);
    insta::assert_snapshot!(told.shown());
    let after = play.does(&["audit", "show", "persons/1"]).ends(0).out;
    assert!(!after.contains("Nystr\u{f6}m") && !after.contains("bjorn.nystrom"), "{after}");
    assert!(after.contains("(its values were erased)"), "{after}");
    assert!(after.contains("Ana Silva"), "{after}");
    let verified = play.does(&["audit", "verify", "--json"]).ends(0).json();
    assert!(verified["erased"].as_u64().unwrap() >= 2, "{verified}");
    let exported = play.does(&["audit", "export"]).ends(0).out;
    assert!(!exported.contains("bjorn.nystrom"), "an export brings back what was erased");
}

#[test]
fn what_the_ledger_does_not_know() {
    let play = Play::ran();
    insta::assert_snapshot!(play.does(&["audit", "show", "persons/4711"]).ends(1).shown());
    play.does(&["audit", "show", "persons"]).ends(1);
    let nobody = play.does(&["audit", "erase", "persons/4711", "--who", "Ana", "--reason", "request"]).ends(0);
    assert!(nobody.out.contains("The ledger tells no values of persons/4711"), "{}", nobody.out);
}
