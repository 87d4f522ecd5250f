use handover_model::{Event, Happened};
use jiff::{SignedDuration, Timestamp};

use crate::scene::{Scene, on_both};

on_both!(hints_wait_until_they_are_done, the_same_event_counts_once, what_was_received_survives);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn event(id: &str, record: &str, what: Happened) -> Event {
    Event {
        id: id.to_owned(),
        account: String::new(),
        object: "persons".into(),
        record: record.into(),
        what,
        at: at(0),
    }
}

async fn hints_wait_until_they_are_done(scene: Scene) {
    let store = scene.open().await;
    assert_eq!(store.inbox(10).await.unwrap(), []);
    assert_eq!(store.received().await.unwrap(), []);
    let told = [
        event("a", "1", Happened::Created),
        event("b", "1", Happened::Changed),
        event("c", "2", Happened::Deleted),
        event("d", "3", Happened::Restored),
        event("e", "4", Happened::MergedInto("5".into())),
    ];
    assert_eq!(store.receive(&"old".into(), &told, at(1)).await.unwrap(), 5);
    assert_eq!(store.receive(&"new".into(), &told[..1], at(2)).await.unwrap(), 1);
    assert_eq!(store.receive(&"new".into(), &[], at(9)).await.unwrap(), 0);
    let waiting = store.inbox(10).await.unwrap();
    let events: Vec<Event> = waiting.iter().take(5).map(|hint| hint.event.clone()).collect();
    assert_eq!(events, told);
    assert_eq!((waiting.len(), waiting[5].system.as_str(), waiting[5].received), (6, "new", at(2)));
    assert_eq!(store.inbox(2).await.unwrap(), waiting[..2]);
    store.mark_done(&waiting[1..4], at(3)).await.unwrap();
    let left = store.inbox(10).await.unwrap();
    assert_eq!(left, [waiting[0].clone(), waiting[4].clone(), waiting[5].clone()]);
    let received = store.received().await.unwrap();
    let told: Vec<_> = received.iter().map(|one| (one.system.as_str(), one.events, one.last, one.waiting)).collect();
    assert_eq!(told, [("new", 1, at(2), 1), ("old", 5, at(1), 2)]);
}

async fn the_same_event_counts_once(scene: Scene) {
    let store = scene.open().await;
    let long = event(&"x".repeat(5_000), "1", Happened::Changed);
    let told = [long.clone(), event("b", "2", Happened::Changed), long.clone()];
    assert_eq!(store.receive(&"old".into(), &told, at(0)).await.unwrap(), 2);
    assert_eq!(store.receive(&"old".into(), &told, at(1)).await.unwrap(), 0);
    let waiting = store.inbox(10).await.unwrap();
    assert_eq!(waiting.len(), 2);
    store.mark_done(&waiting, at(2)).await.unwrap();
    // Delivered again a day after it was carried: nothing waits.
    let late = at(2) + SignedDuration::from_hours(24);
    assert_eq!(store.receive(&"old".into(), &told, late).await.unwrap(), 0);
    assert_eq!(store.inbox(10).await.unwrap(), []);
    // Nothing is remembered for ever.
    let other = [event("c", "3", Happened::Changed)];
    store.receive(&"old".into(), &other, at(3)).await.unwrap();
    let waiting = store.inbox(10).await.unwrap();
    store.mark_done(&waiting, at(4) + SignedDuration::from_hours(3 * 24)).await.unwrap();
    assert_eq!(store.receive(&"old".into(), &told, at(5)).await.unwrap(), 2);
}

async fn what_was_received_survives(scene: Scene) {
    let store = scene.open().await;
    store.receive(&"old".into(), &[event("a", "1", Happened::Changed)], at(1)).await.unwrap();
    store.close().await.unwrap();
    let store = scene.open().await;
    let waiting = store.inbox(10).await.unwrap();
    assert_eq!(waiting.len(), 1);
    assert_eq!(store.received().await.unwrap()[0].events, 1);
    let reader = handover_store::Store::open_reading(&scene.location).await.unwrap();
    assert_eq!(reader.inbox(10).await.unwrap(), waiting);
    assert!(reader.receive(&"old".into(), &[event("b", "1", Happened::Changed)], at(2)).await.is_err());
}
