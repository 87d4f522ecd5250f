//! `handover demo --parallel`: what the ten days after the load must show.

use serde_json::{Value as Json, json};

use super::binary;

#[test]
fn ten_days_of_both_systems_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("play");
    let made = binary().args(["demo", "--small", "--parallel", "--json", "--dir"]).arg(&dir).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let told: Json = serde_json::from_slice(&made.stdout).unwrap();
    let days = told["parallel"]["days"].as_array().unwrap();
    assert_eq!(days.len(), 10);
    let pass = |day: usize, pass: usize| &days[day - 1]["passes"][pass];
    let did =
        |day: usize| ["created", "updated", "merged", "held"].map(|word| pass(day, 0)["did"][word].as_u64().unwrap());
    assert_eq!(did(1), [2, 1, 0, 1], "a correction, two people, and one whose address the new system refuses");
    assert_eq!(did(2), [0, 2, 0, 0], "carried back");
    assert_eq!(did(3), [0, 2, 0, 1], "different fields of one person both arrive; one field is asked about");
    assert!(days[3]["answered"][0].as_str().unwrap().contains("was changed on both sides"));
    assert_eq!(pass(5, 0)["links"], json!({"made": 1, "taken_away": 1}));
    assert_eq!(pass(6, 1)["vanished"]["asked"], 1);
    assert!(days[6]["answered"][0].as_str().unwrap().contains("may have been merged"));
    assert_eq!(pass(8, 0)["vanished"]["noticed"], 21);
    assert!(pass(8, 1)["guard"][0].as_str().unwrap().contains("21 deletions"), "{}", pass(8, 1));
    assert_eq!(pass(9, 0)["vanished"]["returned"], 21);
    for quiet in [pass(10, 0), pass(10, 1)] {
        assert_eq!([&quiet["did"]["created"], &quiet["did"]["updated"], &quiet["links"]["made"]], [0, 0, 0]);
    }
    assert_eq!(told["parallel"]["verify"]["differences"], 0);
}
