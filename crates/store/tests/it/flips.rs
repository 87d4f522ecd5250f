use handover_model::FlowName;
use handover_store::Flip;
use jiff::Timestamp;

use crate::scene::{Scene, commit, on_both};

on_both!(what_flips_is_known_until_it_is_forgotten);

async fn what_flips_is_known_until_it_is_forgotten(scene: Scene) {
    let store = scene.open().await;
    let flow: FlowName = "contacts".into();
    let flip = |record: &str, field: &str, number: u64, at: i64| Flip {
        flow: flow.clone(),
        record: record.into(),
        field: field.into(),
        mark: vec![1, 2, 3],
        number,
        at: Timestamp::from_second(at).unwrap(),
    };
    let all = [flip("1", "name", 1, 100), flip("1", "phone", 2, 200), flip("2", "name", 3, 300)];
    store.commit(commit(1, |commit| commit.flips = all.to_vec())).await.unwrap();
    let again = commit(2, |commit| {
        commit.flips = vec![flip("1", "name", 2, 400)];
        commit.flips_before = Some(Timestamp::from_second(300).unwrap());
    });
    store.commit(again).await.unwrap();
    let known = store.flips(&flow, &["1".into(), "2".into(), "3".into()]).await.unwrap();
    let mut known: Vec<_> = known.into_values().map(|flip| (flip.record, flip.field, flip.number)).collect();
    known.sort();
    assert_eq!(known, [("1".into(), "name".into(), 2), ("2".into(), "name".into(), 3)]);
}
