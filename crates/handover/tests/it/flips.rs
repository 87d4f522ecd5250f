//! Fields that say something else than what was written: taken as they are, or written again a few times and then held.

use std::path::Path;

use handover_engine::{Policies, Report, Reread, Selection};
use handover_model::{Answer, Cause, FlowName, Hold, RecordId, Wins};
use handover_store::{Commit, GivenAnswer, Store};
use jiff::SignedDuration;
use serde_json::{Value as Json, json};

use crate::both_ways::{change, person_of, two_carried};
use crate::rig::{Death, Ended, Ground, Orders, Scene, Way};

fn source_owns(folder: &Path) {
    let file = folder.join("mappings/persons.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(file, text.replace("direction: both_ways", "direction: both_ways\nowner: source")).unwrap();
}

/// A pass after so many minutes; its report and the number of requests that changed something.
fn pass(ground: &mut Ground<'_>, minutes: i32) -> (Report, usize) {
    ground.now += SignedDuration::from_mins(1) * minutes;
    let policies: fn(&mut Policies) = |policies| policies.settle = SignedDuration::from_mins(15);
    let orders = Orders { selection: Some(Selection::Changes), policies: Some(policies), ..Orders::default() };
    match ground.live_with(Death::No, &orders) {
        Ended::Finished(report) => (report, ground.changing.len()),
        ended => panic!("{ended:?}"),
    }
}

/// Does something with the state while no process lives.
fn with_state<T>(ground: &Ground<'_>, work: impl AsyncFnOnce(&Store) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(&ground.location).await.unwrap();
        let done = work(&store).await;
        store.close().await.unwrap();
        done
    })
}

fn holds(ground: &Ground<'_>, record: &str) -> Vec<Hold> {
    with_state(ground, async |store| store.holds_of(&FlowName::from("persons"), &RecordId::from(record)).await.unwrap())
}

fn answer(ground: &Ground<'_>, record: &str, wins: Wins) {
    let hold = holds(ground, record).pop().unwrap();
    let Cause::Conflict { field, mark, .. } = hold.cause else { panic!("{:?}", hold.cause) };
    let given = GivenAnswer {
        flow: "persons".into(),
        record: record.into(),
        answer: Answer::Take { field, wins, mark },
        reviewer: "Ana".to_owned(),
        comment: String::new(),
    };
    let commit = Commit { at: ground.now, answers: vec![given], ..Commit::default() };
    with_state(ground, async |store| store.commit(commit).await.map(drop).unwrap());
}

fn rules(ground: &mut Ground<'_>, rules: Json) {
    ground.change("new", |world| world["settings"]["rules"] = rules);
}

fn lastname(ground: &Ground<'_>, contact: &str) -> String {
    let new = ground.world("new");
    let contacts = new["objects"]["contacts"].as_array().unwrap();
    let found = contacts.iter().find(|record| record["id"] == *contact).unwrap();
    found["properties"]["lastname"].as_str().unwrap().to_owned()
}

/// A workflow of the target against the owner of a field: written again three times, then a person is asked, and each
/// time anew. What the target's people change is overwritten as often as they do it.
#[test]
fn a_field_that_flips_is_held() {
    let scene = Scene::edited(Way::ToHubspot, &["persons"], &source_owns);
    let mut ground = Ground::new(scene);
    ground.finish().unwrap();
    let [one, other] = two_carried(&ground, "persons", "persons");
    let [contact, another] = [&one, &other].map(|id| person_of(&ground, id));
    // The one at once, as platforms put values into their form; the other when nobody expects it any more.
    let form =
        json!({"object": "contacts", "on": "firstname", "set": "firstname", "to": "{value}!", "after_ms": 5_000});
    let late = json!({
        "object": "contacts", "on": "lastname", "set": "lastname", "to": "{value} (by itself)", "after_ms": 1_200_000,
    });
    rules(&mut ground, json!([form, late]));
    ground.disturb(0, &[change("person", &one, "name", json!("Ada Byron"))]);
    assert!(pass(&mut ground, 0).1 > 0);
    let (report, writes) = pass(&mut ground, 10);
    assert_eq!((report.adopted.values().sum::<u64>(), writes), (1, 0), "taken as it is: {:?}", report.adopted);
    rules(&mut ground, json!([late]));
    let mut asked = 0;
    for round in 1..=3 {
        let (report, writes) = pass(&mut ground, 30);
        assert_eq!((report.flipped[&("persons".into(), "lastname".into())], writes > 0), (1, true), "round {round}");
        assert_eq!(lastname(&ground, &contact), "Byron", "round {round}");
        // People are overwritten as often as they like.
        ground.disturb(1, &[change("contacts", &another, "firstname", json!(format!("Their {round}")))]);
        asked += holds(&ground, &one).len() + holds(&ground, &other).len();
    }
    assert_eq!(asked, 0);
    let (report, _) = pass(&mut ground, 30);
    assert_eq!(report.did.held, 1);
    let held = holds(&ground, &one);
    let told = held.iter().map(|hold| hold.cause.sentence()).collect::<String>();
    assert!(told.contains("`lastname` flips") && told.contains("4 times"), "{told}");
    assert_eq!(pass(&mut ground, 30).1 + pass(&mut ground, 30).1, 0, "it stopped");
    assert_eq!(lastname(&ground, &contact), "Byron (by itself)");
    for round in 4..=5 {
        ground.disturb(1, &[change("contacts", &another, "firstname", json!(format!("Their {round}")))]);
        assert!(pass(&mut ground, 0).1 > 0);
    }
    assert_eq!(holds(&ground, &other), vec![], "nobody is asked about what people do");
    // An answer counts once.
    answer(&ground, &one, Wins::Source);
    ground.disturb(0, &[change("person", &one, "job_title", json!("Countess"))]);
    pass(&mut ground, 0);
    assert_eq!((lastname(&ground, &contact).as_str(), holds(&ground, &one).len()), ("Byron", 0));
    pass(&mut ground, 30);
    assert!(holds(&ground, &one)[0].cause.sentence().contains("5 times"));
    let counted = with_state(&ground, async |store| Reread::of(store).await.unwrap());
    let times = &counted.0[&FlowName::from("persons")];
    assert_eq!((times["firstname"].adopted, times["lastname"].flips >= 4), (1, true), "{times:?}");
}
