use handover_model::{Cause, Value};
use handover_store::{CohortCount, CohortRow};

use crate::scene::{Scene, commit, hold, on_both, paired};

on_both!(what_waits_is_found_and_counts_as_left_out, a_record_may_leave_its_cohort);

fn place(record: &str, cohort: Option<&str>, waits: bool) -> CohortRow {
    CohortRow { flow: "contacts".into(), record: record.into(), cohort: cohort.map(Into::into), waits, block: 3 }
}

async fn what_waits_is_found_and_counts_as_left_out(scene: Scene) {
    let store = scene.open().await;
    let flow = "contacts".into();
    let rows = ["1", "2", "3"].map(|record| paired("contacts", record, &format!("t{record}"), 7));
    store.commit(commit(1, |commit| commit.rows = rows.to_vec())).await.unwrap();
    assert_eq!(store.counts(&flow).await.unwrap().created, 3);
    let places = [
        place("1", Some("north"), true),
        place("2", Some("north"), false),
        place("3", Some("south"), false),
        place("4", Some("north"), true),
    ];
    let conflict = Cause::Conflict {
        field: "name".into(),
        moved: Some("north".into()),
        there: Box::new(Value::Null),
        mark: String::new(),
        source: None,
        target: None,
    };
    let held = commit(2, |commit| {
        commit.cohorts = places.to_vec();
        commit.holds = vec![hold("contacts", "persons", "2", conflict)];
    });
    store.commit(held).await.unwrap();
    let counts = store.counts(&flow).await.unwrap();
    assert_eq!((counts.created, counts.excluded, counts.read), (2, 1, 3), "a pair that waits is left out for now");
    let other = "elsewhere".into();
    assert_eq!(store.object_counts(&[flow.clone(), other]).await.unwrap().excluded, 1);
    let waiting = store.cohort_waiting(&flow, None, 1).await.unwrap();
    assert_eq!(waiting, places[..1]);
    assert_eq!(store.cohort_waiting(&flow, Some(&"1".into()), 9).await.unwrap(), places[3..]);
    let known = store.cohorts_of(&flow, &["3".into(), "7".into()]).await.unwrap();
    assert_eq!(known.into_values().collect::<Vec<_>>(), places[2..3]);
    let count = |cohort: &str, [records, paired, waiting, conflicts]: [u64; 4]| CohortCount {
        flow: flow.clone(),
        cohort: cohort.into(),
        records,
        paired,
        waiting,
        conflicts,
    };
    let all = store.cohort_counts().await.unwrap();
    assert_eq!(all, [count("north", [3, 2, 2, 1]), count("south", [1, 1, 0, 0])]);
}

async fn a_record_may_leave_its_cohort(scene: Scene) {
    let store = scene.open().await;
    let flow = "contacts".into();
    store.commit(commit(1, |commit| commit.cohorts = vec![place("1", Some("north"), true)])).await.unwrap();
    store.commit(commit(2, |commit| commit.cohorts = vec![place("1", None, false)])).await.unwrap();
    assert_eq!(store.cohort_waiting(&flow, None, 9).await.unwrap(), []);
    assert_eq!(store.cohort_counts().await.unwrap(), []);
    let known = store.cohorts_of(&flow, &["1".into()]).await.unwrap();
    assert_eq!(known["1"].cohort, None);
    let copy = store.fork().await.unwrap();
    assert_eq!(copy.cohorts_of(&flow, &["1".into()]).await.unwrap(), known);
}
