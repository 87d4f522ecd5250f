//! Projects that are wrong: each mistake is told with its place, and nothing is written.

use serde_json::json;

use super::Play;

/// Commands on a broken project tell the same and end with 1; snapshots of what `check` says.
fn refused(play: &Play, name: &str) {
    let (old, new) = (play.records("old"), play.records("new"));
    for command in ["plan", "run"] {
        play.does(&[command]).ends(1);
    }
    insta::assert_snapshot!(format!("broken_{name}"), play.does(&["check"]).ends(1).shown());
    let told = play.does(&["check", "--json"]).ends(1).json();
    assert!(told["errors"].as_u64().unwrap() > 0, "{told}");
    assert_eq!((old, new), (play.records("old"), play.records("new")));
}

#[test]
fn broken_yaml() {
    let play = Play::forth();
    play.edit("mappings/persons.yaml", "fields:\n", "fields: [\n");
    refused(&play, "yaml");
}

#[test]
fn an_unknown_key() {
    let play = Play::forth();
    play.edit("handover.yaml", "policies:\n", "polices:\n");
    refused(&play, "key");
}

#[test]
fn an_unknown_field() {
    let play = Play::forth();
    play.edit("mappings/deals.yaml", "dealname: title", "dealnam: titel");
    refused(&play, "field");
}

#[test]
fn an_expression_of_the_wrong_type() {
    let play = Play::forth();
    play.edit("mappings/deals.yaml", "  amount: value\n", "  amount: {expr: '.title + 1'}\n");
    refused(&play, "expression");
}

#[test]
fn a_missing_translation_table() {
    let play = Play::forth();
    std::fs::remove_file(play.dir().join("translations/deal_stages.csv")).unwrap();
    refused(&play, "no_table");
}

#[test]
fn a_value_translated_twice() {
    let play = Play::forth();
    let row = play.read("translations/deal_stages.csv").lines().nth(1).unwrap().to_owned();
    let twice = format!("{},closedlost,again\n", row.split(',').next().unwrap());
    play.append("translations/deal_stages.csv", &twice);
    refused(&play, "twice");
}

#[test]
fn a_translation_to_an_option_that_was_deleted() {
    let play = Play::forth();
    play.does(&["check"]).ends(0);
    play.disturb("new", |world| {
        for pipeline in world["pipelines"]["deals"].as_array_mut().unwrap() {
            pipeline["stages"].as_array_mut().unwrap().retain(|stage| stage["id"] != "1184520302");
        }
    });
    refused(&play, "option_deleted");
}

#[test]
fn a_source_field_that_was_removed_since_the_check() {
    let play = Play::forth();
    play.does(&["check"]).ends(0);
    play.disturb("old", |world| {
        let fields = world["deal_fields"].as_array_mut().unwrap();
        fields.retain(|field| field["field_name"] != "Licences");
        for deal in world["deals"].as_array_mut().unwrap() {
            if let Some(custom) = deal["custom_fields"].as_object_mut() {
                custom.remove("fe41e46772d667619e72dcbe07a32111fdf5dbd9");
            }
        }
    });
    refused(&play, "field_removed");
}

#[test]
fn a_target_field_that_was_removed_since_the_check() {
    let play = Play::forth();
    play.does(&["check"]).ends(0);
    play.disturb("new", |world| {
        world["properties"]["deals"].as_array_mut().unwrap().retain(|field| field["name"] != "licences")
    });
    refused(&play, "target_removed");
}

#[test]
fn fields_that_were_not_created() {
    let play = Play::forth();
    let fields = play.read("fields.yaml");
    let mut left_out = 0;
    let lines = fields.lines().filter(|line| {
        let drop = line.trim_start().starts_with("created_as:");
        left_out += usize::from(drop);
        !drop
    });
    let text = lines.collect::<Vec<_>>().join("\n") + "\n";
    let text = if left_out > 0 { text } else { without_created(&fields) };
    std::fs::write(play.dir().join("fields.yaml"), text).unwrap();
    let before = play.records("new");
    insta::assert_snapshot!("fields_not_created", play.does(&["run"]).ends(1).shown());
    assert_eq!(before, play.records("new"));
    play.does(&["plan", "--create-fields"]).ends(0);
    play.does(&["run"]).ends(3);
}

/// The same where `created_as` stands within a line.
fn without_created(text: &str) -> String {
    let mut result = String::new();
    for line in text.lines() {
        let cut = line.find(", created_as:").map_or_else(
            || line.to_owned(),
            |at| {
                let rest = &line[at + 2..];
                let end = rest.find([',', '}']).unwrap_or(rest.len());
                format!("{}{}", &line[..at], &rest[end..])
            },
        );
        result.push_str(&cut);
        result.push('\n');
    }
    result
}

#[test]
fn automations_that_nobody_acknowledged() {
    let play = Play::forth();
    play.edit("handover.yaml", "\"Assign new deals round robin\",", "");
    let before = play.records("new");
    insta::assert_snapshot!("automations", play.does(&["run"]).ends(4).shown());
    assert_eq!(before, play.records("new"));
    play.disturb("new", |world| {
        for workflow in world["workflows"].as_array_mut().unwrap() {
            workflow["enabled"] = json!(false);
        }
    });
    play.does(&["run"]).ends(3);
}

#[test]
fn no_project_and_no_state() {
    let play = Play::forth();
    std::fs::remove_dir_all(play.dir().join(".handover")).unwrap_or_default();
    insta::assert_snapshot!("no_state", play.does(&["status"]).ends(1).shown());
    std::fs::remove_file(play.dir().join("handover.yaml")).unwrap();
    insta::assert_snapshot!("no_project", play.does(&["status"]).ends(1).shown());
}

/// Every command refuses it, also one that only looks.
#[test]
fn the_state_of_another_project() {
    let play = Play::ran();
    let (old, new) = (play.records("old"), play.records("new"));
    play.edit("handover.yaml", "project: ", "project: other-");
    let commands: [&[&str]; 10] = [
        &["run"],
        &["sync", "--once"],
        &["serve", "--listen", "127.0.0.1:0"],
        &["plan"],
        &["verify"],
        &["status"],
        &["holds"],
        &["holds", "answer", "persons/1", "--skip", "--reviewer", "Ana"],
        &["audit", "verify"],
        &["audit", "erase", "persons/1", "--who", "Ana", "--reason", "asked"],
    ];
    for command in commands {
        let told = play.does(command).ends(1);
        for part in
            ["belongs to the project `", "not to `other-", "nothing was changed", "change `state:` or `project:`"]
        {
            assert!(told.err.contains(part), "{command:?}: {}", told.err);
        }
    }
    assert_eq!((old, new), (play.records("old"), play.records("new")));
}
