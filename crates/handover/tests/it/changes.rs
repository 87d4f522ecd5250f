//! Passes over what changed: what people did in the old system arrives in the new one, and nothing else does.

use handover_engine::Selection;
use handover_sandbox::faults::{DisturbAction, Disturbance, Which};
use handover_sandbox::journal::Action;
use serde_json::{Value as Json, json};

use crate::rig::{Death, Ended, Ground, Orders, Scene, Way};

fn changes() -> Orders {
    Orders { selection: Some(Selection::Changes), verify: true, ..Orders::default() }
}

/// A pass over what changed; gives what it changed in the new system, one word for each record.
fn pass(ground: &mut Ground<'_>) -> Vec<String> {
    let before = ground.end().new_journal.len();
    match ground.live_with(Death::No, &changes()) {
        Ended::Finished(_) => {}
        ended => panic!("{ended:?}"),
    }
    assert_eq!(ground.differences, Vec::<String>::new());
    let journal = ground.end().new_journal;
    let mut done: Vec<String> = journal[before..]
        .iter()
        .flat_map(|entry| &entry.changes)
        .filter(|change| !matches!(change.action, Action::Linked | Action::Unlinked))
        .map(|change| format!("{:?} {}", change.action, change.object))
        .collect();
    done.sort();
    done
}

fn disturbance(object: &str, which: Which, action: DisturbAction) -> Disturbance {
    Disturbance { object: object.to_owned(), which, action }
}

fn change(object: &str, nth: u64, field: &str, value: Json) -> Disturbance {
    disturbance(object, Which::Nth(nth), DisturbAction::Change { field: field.to_owned(), value })
}

#[test]
fn what_people_change_in_pipedrive_arrives_in_hubspot() {
    let mut ground = Ground::new(Scene::of(Way::ToHubspot));
    ground.finish().unwrap();
    assert_eq!(pass(&mut ground), Vec::<String>::new(), "nothing changed");
    ground.disturb(
        0,
        &[
            change("organization", 0, "name", json!("Renamed GmbH")),
            change("person", 3, "name", json!("Somebody Else")),
            change("deal", 0, "value", json!(4711)),
            disturbance("person", Which::Nth(5), DisturbAction::Touch),
            disturbance("person", Which::default(), DisturbAction::Create { fields: json!({"name": "Newly Come"}) }),
        ],
    );
    let expected = ["Created contacts", "Updated companies", "Updated contacts", "Updated deals"];
    assert_eq!(pass(&mut ground), expected);
    assert_eq!(pass(&mut ground), Vec::<String>::new(), "it stopped changing");
}
