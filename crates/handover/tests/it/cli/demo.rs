//! `handover demo --parallel`: what the ten days after the load must show, whichever way the company moves.

use serde_json::{Value as Json, json};

use super::binary;

/// What the days told.
struct Days(Json);

impl Days {
    fn of(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("play");
        let mut command = binary();
        command.args(["demo", "--small", "--parallel", "--json"]).args(arguments).arg("--dir").arg(&dir);
        let made = command.output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let told: Json = serde_json::from_slice(&made.stdout).unwrap();
        assert_eq!(told["parallel"]["days"].as_array().unwrap().len(), 10);
        assert_eq!(told["parallel"]["verify"]["differences"], 0);
        Self(told["parallel"]["days"].clone())
    }

    fn pass(&self, day: usize, pass: usize) -> &Json {
        &self.0[day - 1]["passes"][pass]
    }

    fn did(&self, day: usize) -> [u64; 4] {
        ["created", "updated", "merged", "held"].map(|word| self.pass(day, 0)["did"][word].as_u64().unwrap())
    }

    fn answered(&self, day: usize) -> &str {
        self.0[day - 1]["answered"][0].as_str().unwrap()
    }

    /// What is the same whichever way the company moves.
    fn are_told(&self) {
        assert_eq!(self.did(1), [2, 1, 0, 1], "a correction, two people, and one whom the new system refuses");
        assert_eq!(self.did(2), [0, 2, 0, 0], "carried back");
        assert_eq!(self.did(3), [0, 2, 0, 1], "different fields of one person both arrive; one field is asked about");
        assert!(self.answered(4).contains("was changed on both sides"));
        assert_eq!(self.pass(8, 0)["vanished"]["noticed"], 21);
        assert!(self.pass(8, 1)["guard"][0].as_str().unwrap().contains("21 deletions"), "{}", self.pass(8, 1));
        assert_eq!(self.pass(9, 0)["vanished"]["returned"], 21);
        let quiet = self.pass(10, 1);
        assert_eq!([&quiet["did"]["created"], &quiet["did"]["updated"], &quiet["links"]["made"]], [0, 0, 0]);
    }
}

#[test]
fn ten_days_of_both_systems_in_use() {
    let days = Days::of(&[]);
    days.are_told();
    assert_eq!(days.pass(5, 0)["links"], json!({"made": 1, "taken_away": 1}));
    assert_eq!(days.pass(6, 1)["vanished"]["asked"], 1);
    assert!(days.answered(7).contains("may have been merged"));
}

/// HubSpot does not count a link as a change of its record: the next list of all records finds it.
#[test]
fn ten_days_the_other_way_round() {
    let days = Days::of(&["--reverse"]);
    days.are_told();
    assert_eq!(days.did(6)[1], 2, "the deal has its new organization, and one person is who two were");
    assert!(days.answered(7).contains("merged"));
}
