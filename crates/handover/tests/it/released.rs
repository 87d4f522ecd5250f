//! Who waited for a held parent is judged once that one is settled, also when the pass that settled it died before.

use std::collections::BTreeSet;

use handover_engine::Selection;
use handover_model::{Answer, Cause, FlowName, RecordId};
use handover_store::{Commit, GivenAnswer, HoldFilter, Moment, Store};

use crate::rig::{Death, Ended, Ground, Orders, Scene, Way, on_threads};

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// A held record for which others wait, and about which somebody just said that it is to be left out.
async fn answered(ground: &Ground<'_>) -> (FlowName, RecordId) {
    let store = Store::open(&ground.location).await.unwrap();
    let holds = store.holds_page(&HoldFilter::default(), None, 100_000).await.unwrap();
    let (flow, record) = holds
        .iter()
        .find_map(|row| match &row.hold.cause {
            Cause::ParentHeld { flow, parent, .. } => Some((flow.clone(), parent.clone())),
            _ => None,
        })
        .expect("somebody waits for a parent");
    let given = GivenAnswer {
        flow: flow.clone(),
        record: record.clone(),
        answer: Answer::Skip,
        reviewer: "Ana".to_owned(),
        comment: String::new(),
    };
    store.commit(Commit { at: ground.now, answers: vec![given], ..Commit::default() }).await.unwrap();
    store.close().await.unwrap();
    (flow, record)
}

#[test]
fn a_release_that_died_leaves_nobody_waiting() {
    for way in [Way::ToHubspot, Way::ToPipedrive] {
        let mut begun = Ground::new(Scene::of(way));
        begun.finish().unwrap();
        let (flow, record) = block_on(answered(&begun));
        let only = [(flow, BTreeSet::from([record]))].into();
        let release = Orders { selection: Some(Selection::Only(only)), ..Orders::default() };
        let changes = Orders { selection: Some(Selection::Changes), ..Orders::default() };
        let mut whole = begun.copy();
        assert!(matches!(whole.live_with(Death::No, &release), Ended::Finished(_)));
        let writes = whole.writes;
        assert!(matches!(whole.live_with(Death::No, &changes), Ended::Finished(_)));
        let expected = whole.end();
        assert!(expected.held.len() < begun.end().held.len(), "somebody is held no more");
        let deaths: Vec<Death> =
            (1..=writes).flat_map(|n| [Moment::Before, Moment::After].map(|when| Death::AtWrite(n, when))).collect();
        eprintln!("{way:?}: {} deaths", deaths.len());
        on_threads(&deaths, |death| {
            let mut ground = begun.copy();
            let ended = ground.live_with(*death, &release);
            if !matches!(ended, Ended::Died) {
                return Err(format!("{death:?}: it did not die: {ended:?}"));
            }
            match ground.live_with(Death::No, &changes) {
                Ended::Finished(_) => {}
                ended => return Err(format!("{death:?}: {ended:?}")),
            }
            let wrong = expected.differences(&ground.end());
            if wrong.is_empty() { Ok(()) } else { Err(format!("{death:?}: {}", wrong.join("; "))) }
        });
    }
}
