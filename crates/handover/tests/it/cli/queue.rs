//! The conflict queue: answers, whom they release, and when a migration is complete.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::{Play, made_of, record};

/// The groups, as `flow group`.
fn groups(play: &Play) -> BTreeMap<String, u64> {
    let told = play.does(&["holds", "--json"]).json();
    let holds = told["holds"].as_array().unwrap();
    holds
        .iter()
        .map(|hold| {
            (
                format!("{} {}", hold["flow"].as_str().unwrap(), hold["group"].as_str().unwrap()),
                hold["count"].as_u64().unwrap(),
            )
        })
        .collect()
}

/// The records of the target that are new or not as they were, by object.
fn changed(before: &Json, after: &Json) -> BTreeMap<String, BTreeSet<String>> {
    let mut changed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (object, records) in after["objects"].as_object().unwrap() {
        for record in records.as_array().unwrap() {
            let same = before["objects"][object].as_array().into_iter().flatten().any(|have| have == record);
            if !same {
                let key = record["properties"]["handover_source_key"].as_str().unwrap_or("-");
                changed.entry(object.clone()).or_default().insert(key.to_owned());
            }
        }
    }
    changed
}

fn set(keys: &[&str]) -> BTreeSet<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

#[test]
fn list_and_show() {
    let play = Play::ran();
    insta::assert_snapshot!("queue", play.does(&["holds"]).ends(3).shown());
    insta::assert_snapshot!("queue_group", play.does(&["holds", "list", "duplicate_source"]).ends(3).shown());
    let shown = play.does(&["holds", "show", "persons/45"]).ends(3).out;
    assert!(shown.contains("candidate 51000001555 by phone: phone: +49 221 4710143"), "{shown}");
    assert!(shown.contains("1 record waits for it: notes/46"), "{shown}");
    assert_eq!(play.does(&["holds", "show", "persons/1"]).ends(0).out, "persons/1 is not held.\n");
    insta::assert_snapshot!("queue_unknown_group", play.does(&["holds", "list", "nonsense"]).ends(1).shown());
}

#[test]
fn what_is_held_is_given_into_somebodys_care() {
    let play = Play::ran();
    let given = play.does(&["holds", "give", "duplicate_source", "--to", "Ben", "--reviewer", "Ana Silva"]).ends(3).out;
    assert!(given.ends_with("are in Ben's care.\n"), "{given}");
    let rows = play.does(&["holds", "list", "--json"]).json()["holds"].as_array().unwrap().clone();
    let of_ben = |row: &&Json| row["owner"] == "Ben";
    let in_group = |row: &&Json| row["group"] == "duplicate_source";
    assert!(rows.iter().filter(in_group).count() > 1);
    assert!(rows.iter().filter(in_group).all(|row| of_ben(&row)));
    let named = |row: &Json| format!("{}/{}", row["flow"].as_str().unwrap(), row["record"].as_str().unwrap());
    let one = named(rows.iter().find(in_group).unwrap());
    assert!(play.does(&["holds", "show", &one]).ends(3).out.contains("  in the care of Ben\n"));
    play.does(&["holds", "give", &one, "--to-nobody"]).ends(3);
    assert!(!play.does(&["holds", "show", &one]).ends(3).out.contains("care"));
    let story = play.does(&["audit", "show", &one]).ends(0).out;
    assert!(story.contains("Ana Silva puts it into Ben's care"), "{story}");
    assert!(story.contains("somebody puts it into nobody's care"), "{story}");
    assert!(play.does(&["holds", "give", "nonsense", "--to", "Ben"]).ends(1).err.contains("nothing is held as"));
    assert!(play.does(&["holds", "give", &one, "--to", " "]).ends(1).err.contains("`--to` names nobody"));
}

#[test]
fn a_translation_releases_its_records_and_what_waits_for_them() {
    let play = Play::ran();
    let before = play.world("new");
    let held = play.does(&["holds", "list", "untranslated:deal_stages:10", "--json"]).json();
    let deal = held["holds"][0]["record"].as_str().unwrap().to_owned();
    let waiting = play.does(&["holds", "show", &format!("deals/{deal}"), "--json"]).json();
    let answer = [
        "holds",
        "answer",
        "untranslated:deal_stages:10",
        "--translate",
        "1184520411",
        "--reviewer",
        "Ana Silva",
        "--comment",
        "as agreed",
    ];
    play.does(&answer).ends(3);
    assert!(play.read("translations/deal_stages.csv").contains("as agreed"));
    let changed = changed(&before, &play.world("new"));
    assert_eq!(changed["deals"], set(&[&format!("old:deals:{deal}")]));
    let children: usize = changed.iter().filter(|(object, _)| *object != "deals").map(|(_, keys)| keys.len()).sum();
    let waiting = waiting["waiting"].as_array().unwrap();
    assert!(children > 0 && children <= waiting.len() + 2, "{changed:?} of {waiting:?}");
    for (object, keys) in changed.iter().filter(|(object, _)| *object != "deals") {
        for key in keys {
            let id = key.rsplit(':').next().unwrap();
            assert!(
                waiting.iter().any(|child| child.as_str().unwrap().ends_with(&format!("/{id}"))),
                "{object} {key} did not wait"
            );
        }
    }
    let story = play.does(&["audit", "show", &format!("deals/{deal}")]).ends(0).out;
    assert!(story.contains("Ana Silva answered") && story.contains("as agreed"), "{story}");
    assert!(!groups(&play).contains_key("deals untranslated:deal_stages:10"));
    play.does(&["verify", "--json"]).ends(0);
}

#[test]
fn an_assignment_releases_all_records_of_a_user() {
    let play = Play::ran();
    play.does(&["holds", "answer", "unknown_user:15200107", "--assign", "mats.nystrom@handwerk-nord.example"]).ends(3);
    assert!(groups(&play).keys().all(|group| !group.contains("unknown_user")), "{:?}", groups(&play));
    play.does(&["verify", "--json"]).ends(0);
}

#[test]
fn answers_about_the_counterpart() {
    let play = Play::ran();
    let before = play.world("new");
    let contacts = |world: &Json| world["objects"]["contacts"].as_array().unwrap().len();
    let doubtful = play.does(&["holds", "show", "persons/55", "--json"]).ends(3).json();
    let first = &doubtful["holds"][0]["cause"]["candidates"][0];
    assert_eq!(first["shown"]["email"], "svenja.weiss@brueck-gebaeudetechnik.example", "values are plain: {first}");
    assert!(first["shown"]["phone"].is_null(), "{first}");
    let candidate = first["target"].as_str().unwrap().to_owned();
    play.does(&["holds", "answer", "persons/55", "--choose", &candidate]).ends(3);
    let world = play.world("new");
    assert_eq!(contacts(&world), contacts(&before));
    let chosen =
        world["objects"]["contacts"].as_array().unwrap().iter().find(|one| one["id"] == *candidate).unwrap().clone();
    assert_eq!(chosen["properties"]["handover_source_key"], "old:persons:55");
    play.does(&["holds", "answer", "persons/45", "--create"]).ends(3);
    assert_eq!(contacts(&play.world("new")), contacts(&before) + 1);
    // Two people with one address: one of them is made, the other goes into it.
    play.does(&["holds", "answer", "persons/52", "--create"]).ends(3);
    assert_eq!(contacts(&play.world("new")), contacts(&before) + 2);
    let twin = play.does(&["holds", "show", "persons/24", "--json"]).ends(3).json();
    let other = twin["holds"][0]["cause"]["others"][0].as_str().unwrap().to_owned();
    play.does(&["holds", "answer", "persons/24", "--merge-into", &other]).ends(3);
    assert_eq!(contacts(&play.world("new")), contacts(&before) + 2);
    let status = play.does(&["status", "--json"]).json();
    assert_eq!(status["flows"]["persons"]["merged"], 1, "{status}");
    let long = "invalid:hs_note_body:longer than 65536 characters";
    play.does(&["holds", "answer", long, "--skip", "--comment", "test record"]).ends(3);
    let status = play.does(&["status", "--json"]).json();
    assert_eq!(status["flows"]["notes"]["skipped"], 1, "{status}");
    play.does(&["verify", "--json"]).ends(0);
}

#[test]
fn an_edit_and_a_second_try() {
    let play = Play::ran();
    let groups = groups(&play);
    let refused = groups
        .keys()
        .find_map(|group| group.strip_prefix("persons ").filter(|group| group.starts_with("invalid:email")))
        .unwrap();
    let rows = play.does(&["holds", "list", refused, "--json"]).json();
    let person = format!("persons/{}", rows["holds"][0]["record"].as_str().unwrap());
    play.does(&["holds", "answer", &person, "--edit", "email=mended@example.com"]).ends(3);
    assert_eq!(play.does(&["holds", "show", &person]).ends(0).out, format!("{person} is not held.\n"));
    let long = play.does(&["holds", "list", "invalid:hs_note_body:longer than 65536 characters", "--json"]).json();
    let note = long["holds"][0]["record"].as_str().unwrap().to_owned();
    // Nothing was mended: the same hold stands again.
    play.does(&["holds", "answer", &format!("notes/{note}"), "--retry"]).ends(3);
    let again = play.does(&["holds", "list", "invalid:hs_note_body:longer than 65536 characters", "--json"]).json();
    assert_eq!(again["holds"][0]["record"], note);
    play.does(&["verify", "--json"]).ends(0);
}

/// A correction is of the value that was held: what people write later in the source is carried.
#[test]
fn a_correction_counts_until_the_source_says_something_else() {
    let play = Play::ran();
    let group = groups(&play)
        .keys()
        .find_map(|group| group.strip_prefix("persons ").filter(|group| group.starts_with("invalid:email")))
        .unwrap()
        .to_owned();
    let rows = play.does(&["holds", "list", &group, "--json"]).json();
    let id = rows["holds"][0]["record"].as_str().unwrap().to_owned();
    let address = |play: &Play| {
        made_of(&mut play.world("new"), "contacts", &format!("old:persons:{id}"))["properties"]["email"].clone()
    };
    play.does(&["holds", "answer", &format!("persons/{id}"), "--edit", "email=mended@example.com"]).ends(3);
    assert_eq!(address(&play), "mended@example.com");
    play.does(&["sync", "--once"]).ends(3);
    assert_eq!(address(&play), "mended@example.com");
    play.disturb("old", |world| {
        let person = record(world, "persons", id.parse().unwrap());
        person["emails"] = json!([{"value": "later@example.com", "primary": true, "label": "work"}]);
        person["update_time"] = json!("2026-11-02T09:30:00Z");
    });
    play.does(&["sync", "--once"]).ends(3);
    assert_eq!(address(&play), "later@example.com");
}

/// What was answered and not carried at once, or not to its end, the next pass carries; and it does so once.
#[test]
fn an_answer_for_later_is_carried_by_the_next_pass() {
    let play = Play::ran();
    let group = groups(&play)
        .keys()
        .find_map(|group| group.strip_prefix("persons ").filter(|group| group.starts_with("invalid:email")))
        .unwrap()
        .to_owned();
    let rows = play.does(&["holds", "list", &group, "--json"]).json();
    let id = rows["holds"][0]["record"].as_str().unwrap().to_owned();
    let is_there = |play: &Play| play.world("new").to_string().contains("mended@example.com");
    play.does(&["holds", "answer", &format!("persons/{id}"), "--edit", "email=mended@example.com", "--later"]).ends(3);
    assert!(!is_there(&play));
    let first = play.does(&["sync", "--once", "--json"]).ends(3).json();
    assert_ne!(first["did"]["created"], 0, "it, and what waited for it: {first}");
    assert!(is_there(&play));
    let second = play.does(&["sync", "--once", "--json"]).ends(3).json();
    assert_eq!((&second["did"]["created"], &second["did"]["updated"]), (&json!(0), &json!(0)), "{second}");
}

/// Answers that cannot be carried out are refused before anything of them is written down.
#[test]
fn answers_that_cannot_be() {
    let play = Play::ran();
    let files = ["translations/deal_stages.csv", "translations/users.csv"];
    let before = files.map(|file| play.read(file));
    let mut shown = String::new();
    for answer in [
        "untranslated:deal_stages:10 --translate nonsense",
        "untranslated:deal_stages:10 --assign ben@example.com",
        "unknown_user:15200107 --assign nobody@example.com",
        "ambiguous --choose 4711",
        "ambiguous --edit nonsense=1",
        "ambiguous --edit nonsense",
        "duplicate_source --merge-into 4711",
        "nonsense --skip",
        "persons/4711 --skip",
    ] {
        let mut arguments = vec!["holds", "answer"];
        arguments.extend(answer.split(' '));
        shown.push_str(&format!("$ handover holds answer {answer}\n{}\n\n", play.does(&arguments).shown()));
    }
    insta::assert_snapshot!("answers_refused", shown);
    assert_eq!(files.map(|file| play.read(file)), before);
    let told = play.does(&["holds", "list", "untranslated:deal_stages:10", "--json"]).json();
    assert_eq!(told["holds"][0]["accepted"], false);
}

#[test]
fn complete_when_every_hold_is_resolved_or_accepted() {
    let play = Play::ran();
    assert_eq!(play.does(&["status", "--json"]).ends(3).json()["complete"], false);
    // Group by group; a released child may be held for a reason of its own.
    for round in 0..5 {
        let open: Vec<String> = open_groups(&play);
        if open.is_empty() {
            break;
        }
        assert!(round < 4, "never empty: {open:?}");
        for group in open {
            play.does(&[
                "holds",
                "answer",
                &group,
                "--accept",
                "--reviewer",
                "Ana Silva",
                "--comment",
                "left in the archive",
            ]);
        }
    }
    let status = play.does(&["status", "--json"]).ends(0).json();
    assert_eq!(status["complete"], true, "{status}");
    let holds = status["holds"].as_array().unwrap();
    assert!(!holds.is_empty() && holds.iter().all(|hold| hold["accepted"] == hold["count"]), "{status}");
    play.does(&["holds"]).ends(0);
    let listed = play.does(&["holds", "list", "ambiguous", "--json"]).ends(0).json();
    assert_eq!(listed["holds"][0]["accepted"], true);
    // A further run judges them again and finds the same: they stay accepted.
    play.does(&["run"]).ends(0);
    assert_eq!(play.does(&["status", "--json"]).ends(0).json()["complete"], true);
    // An answer that takes the acceptance back opens the record again.
    play.does(&["holds", "answer", "ambiguous", "--retry"]).ends(3);
    assert_eq!(play.does(&["status", "--json"]).ends(3).json()["complete"], false);
    play.does(&["verify", "--json"]).ends(0);
}

/// Groups with records that nobody accepted.
fn open_groups(play: &Play) -> Vec<String> {
    let told = play.does(&["holds", "--json"]).json();
    let open = told["holds"].as_array().unwrap().iter().filter(|hold| hold["accepted"] != hold["count"]);
    let names: BTreeSet<String> = open.map(|hold| hold["group"].as_str().unwrap().to_owned()).collect();
    names.into_iter().collect()
}

#[test]
fn a_spreadsheet_there_and_back() {
    let play = Play::ran();
    play.does(&["holds", "export", "queue.csv"]).ends(0);
    let mut reader = csv::Reader::from_path(play.dir().join("queue.csv")).unwrap();
    let head = reader.headers().unwrap().clone();
    let column = |name: &str| head.iter().position(|have| have == name).unwrap();
    let mut writer = csv::Writer::from_path(play.dir().join("answered.csv")).unwrap();
    writer.write_record(&head).unwrap();
    let mut answered = 0;
    for row in reader.records() {
        let mut cells: Vec<String> = row.unwrap().iter().map(str::to_owned).collect();
        let answer = match (cells[column("record")].as_str(), cells[column("group")].as_str()) {
            (_, "untranslated:deal_stages:10") => Some(("translate", "1184520411")),
            ("persons/45", _) => Some(("choose", "51000001555")),
            ("persons/52", _) => Some(("skip", "")),
            (_, "content_gone") => Some(("accept", "")),
            _ => None,
        };
        if let Some((word, value)) = answer {
            cells[column("answer")] = word.to_owned();
            cells[column("answer_value")] = value.to_owned();
            cells[column("comment")] = "from the spreadsheet".to_owned();
            answered += 1;
        }
        writer.write_record(&cells).unwrap();
    }
    writer.flush().unwrap();
    drop(writer);
    let told = play.does(&["holds", "import", "answered.csv", "--reviewer", "Ben", "--json"]).ends(3).json();
    assert_eq!(told["answered"], answered);
    let groups = groups(&play);
    for gone in ["deals untranslated:deal_stages:10", "persons ambiguous"] {
        assert!(!groups.contains_key(gone), "{groups:?}");
    }
    assert!(play.does(&["audit", "show", "persons/52"]).ends(0).out.contains("Ben answered"));
    // A file with one answer that cannot be: nothing of it is taken.
    let text = play.read("answered.csv").replace("skip", "jump");
    std::fs::write(play.dir().join("wrong.csv"), text).unwrap();
    let told = play.does(&["holds", "import", "wrong.csv"]).ends(1);
    assert!(told.err.contains("`jump` is not an answer") && told.err.contains("nothing was answered"), "{}", told.err);
    play.does(&["verify", "--json"]).ends(0);
}

#[test]
fn answers_for_the_next_run() {
    let play = Play::ran();
    let before = play.world("new");
    play.does(&["holds", "answer", "persons/45", "--choose", "51000001555", "--later"]).ends(3);
    assert_eq!(changed(&before, &play.world("new")), BTreeMap::new());
    play.does(&["run"]).ends(3);
    assert!(changed(&before, &play.world("new"))["contacts"].contains("old:persons:45"));
    assert!(!groups(&play).contains_key("persons ambiguous"));
}
