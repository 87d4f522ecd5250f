//! Leases in PostgreSQL: one worker at a time, and whoever was succeeded commits nothing more.

use std::time::Duration;

use handover_model::{End, Event, Happened, Outcome};
use handover_store::{Claim, Commit, Error, Store};
use serde_json::json;

use crate::scene::{Scene, at, commit, entry, on_both, row};

on_both!(whoever_is_refused_learns_who_has_it_and_since_when, what_is_closed_or_dropped_is_free_at_once);

/// Longer than any test.
const LONG: Duration = Duration::from_secs(3_600);

fn claim(worker: &str, term: Duration) -> Claim {
    Claim { worker: worker.to_owned(), process: format!("process of {worker}"), term, over: None }
}

async fn opened(scene: &Scene, claim: &Claim) -> Store {
    Store::open_as(&scene.location, claim).await.unwrap()
}

/// `worker` opens the state over whoever has it, as if that were known to be dead.
async fn seized(scene: &Scene, worker: &str) -> Store {
    loop {
        let reader = Store::open_reading(&scene.location).await.unwrap();
        let over = reader.holder().await.unwrap().map(|holder| holder.fence);
        match Store::open_as(&scene.location, &Claim { over, ..claim(worker, LONG) }).await {
            Ok(store) => return store,
            // Somebody was quicker.
            Err(Error::Locked { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

async fn whoever_is_refused_learns_who_has_it_and_since_when(scene: Scene) {
    let store = opened(&scene, &claim("one", LONG)).await;
    let error = Store::open_as(&scene.location, &claim("two", LONG)).await.unwrap_err();
    let Error::Locked { by, .. } = &error else { panic!("{error}") };
    assert_eq!(by.worker, "one");
    assert!(error.to_string().contains(&format!("in use by one since {:.0}", by.since.unwrap())), "{error}");
    let known = Store::open_reading(&scene.location).await.unwrap().holder().await.unwrap();
    if scene.is_sqlite() {
        // The lock is the operating system's: it ends with the process, and nobody succeeds a living one.
        assert_eq!((known, by.until, store.lease().is_none()), (None, None, true));
        return;
    }
    let known = known.unwrap();
    assert_eq!((known.worker.as_str(), known.process.as_str()), ("one", "process of one"));
    let lease = store.lease().unwrap();
    assert_eq!((known.fence, lease.lost_to(), lease.predecessor()), (lease.fence(), None, None));
    let lasts = known.until.unwrap().duration_since(known.since.unwrap());
    assert!(lasts.as_secs() >= 3_600, "{lasts}");
}

async fn what_is_closed_or_dropped_is_free_at_once(scene: Scene) {
    let store = opened(&scene, &claim("one", LONG)).await;
    let lease = store.lease();
    store.close().await.unwrap();
    if let Some(lease) = &lease {
        // Nothing hangs on a lease that was given back.
        lease.outlasts(LONG * 2).await.unwrap();
    }
    assert_eq!(Store::open_reading(&scene.location).await.unwrap().holder().await.unwrap(), None);
    drop(opened(&scene, &claim("two", LONG)).await);
    let store = opened(&scene, &claim("three", LONG)).await;
    if let Some(lease) = store.lease() {
        let before = lease.predecessor().unwrap();
        assert_eq!((before.process.as_str(), before.gave_back), ("process of two", true));
        assert!(before.ago < LONG, "{before:?}");
    }
}

#[tokio::test]
async fn whoever_was_succeeded_writes_nothing() {
    let Some(scene) = Scene::postgres("lease_succeeded").await else { return };
    let event = Event {
        id: "e".to_owned(),
        account: String::new(),
        object: "persons".into(),
        record: "1".into(),
        what: Happened::Changed,
        at: at(0),
    };
    let rows = |record: &str| {
        commit(0, |commit| {
            commit.rows = vec![row("contacts", record, Outcome::Held)];
            commit.entries = vec![entry("held", "contacts", &[(record, json!({"name": record}))])];
            commit.kept = vec![("name".to_owned(), record.to_owned())];
        })
    };
    let one = opened(&scene, &claim("one", LONG)).await;
    let [source, target] = ["old", "new"].map(|system| End { system: system.into(), object: "persons".into() });
    let flow = ("contacts".into(), source, target, "contacts.back".into());
    one.bind_flows(std::slice::from_ref(&flow)).await.unwrap();
    one.commit(rows("1")).await.unwrap();
    one.receive(&"old".into(), std::slice::from_ref(&event), at(0)).await.unwrap();
    let waiting = one.inbox(9).await.unwrap();
    let two = seized(&scene, "two").await;
    let refused = |error: Error| match error {
        Error::Succeeded { by, .. } => assert_eq!(by.worker, "two"),
        error => panic!("{error}"),
    };
    refused(one.commit(rows("2")).await.unwrap_err());
    refused(one.commit_many(vec![Commit::default(), rows("3")]).await.unwrap_err());
    refused(one.reserve_identities(1).await.unwrap_err());
    refused(one.bind("project", &[]).await.unwrap_err());
    refused(one.bind_flows(&[flow]).await.unwrap_err());
    refused(one.begin_pass(at(1), "", "sync", json!({})).await.unwrap_err());
    refused(one.mark_done(&waiting, at(1)).await.unwrap_err());
    refused(one.erase(&"contacts".into(), &"1".into(), at(1), "who", "why").await.unwrap_err());
    let lease = one.lease().unwrap();
    refused(lease.outlasts(Duration::ZERO).await.unwrap_err());
    assert_eq!(lease.lost_to().unwrap().fence, two.lease().unwrap().fence());
    // What it had written stands, and nothing else is there.
    assert_eq!(two.counts(&"contacts".into()).await.unwrap().held, 1);
    assert_eq!(two.kept("name").await.unwrap().as_deref(), Some("1"));
    assert_eq!((two.inbox(9).await.unwrap(), two.passes().await.unwrap()), (waiting, Vec::new()));
    assert_eq!(two.verify(|_, _| {}).await.unwrap().entries, 1);
    assert_eq!((one.successor().await.unwrap().worker.as_str(), two.successor().await), ("two", None));
    // Its end takes nothing from the successor.
    one.close().await.unwrap();
    two.commit(rows("4")).await.unwrap();
}

/// Several workers take the state from each other at any moment, also in the middle of a step: what one was told is
/// committed is there once, what was refused is not, and no outdated worker's row stands behind a newer one's.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn whoever_takes_it_from_whom_the_ledger_is_whole_and_in_order() {
    let Some(scene) = Scene::postgres("lease_order").await else { return };
    Store::open(&scene.location).await.unwrap().close().await.unwrap();
    let scene = std::sync::Arc::new(scene);
    let worker = |name: usize| {
        let scene = scene.clone();
        async move {
            let (mut kept, mut refused) = (Vec::new(), 0);
            for round in 0..6 {
                let store = seized(&scene, &format!("worker {name}")).await;
                let fence = store.lease().unwrap().fence();
                for nth in 0..4 {
                    let mark = format!("{fence}/{nth}/{name}/{round}");
                    let told = [(mark.as_str(), json!({"mark": mark}))];
                    let step = commit(0, |commit| {
                        commit.entries = vec![entry("held", &format!("flow {nth}"), &told)];
                        commit.rows = vec![row(&format!("flow {nth}"), &mark, Outcome::Held)];
                    });
                    match store.commit(step).await {
                        Ok(numbers) => kept.push((numbers[0], fence)),
                        Err(Error::Succeeded { .. }) => refused += 1,
                        Err(error) => panic!("{error}"),
                    }
                }
            }
            (kept, refused)
        }
    };
    let workers = [0, 1, 2].map(|name| tokio::spawn(worker(name)));
    let (mut kept, mut refused) = (Vec::new(), 0);
    for worker in workers {
        let (of_one, refused_of_one) = worker.await.unwrap();
        kept.extend(of_one);
        refused += refused_of_one;
    }
    assert!(refused > 0, "nobody was ever succeeded");
    kept.sort_unstable();
    assert!(kept.is_sorted_by_key(|(_, fence)| *fence), "{kept:?}");
    let reader = Store::open_reading(&scene.location).await.unwrap();
    // Each chain but the first begins with a row that ties it to those before.
    let whole = reader.verify(|_, _| {}).await.unwrap();
    assert_eq!(whole.items, kept.len() as u64);
    let mut held = 0;
    for nth in 0..4 {
        held += reader.counts(&format!("flow {nth}").as_str().into()).await.unwrap().held;
    }
    assert_eq!(held, kept.len() as u64);
}

/// A worker that is paused loses its lease by its end, not before; it finds that out by itself.
#[test]
fn a_paused_worker_is_succeeded_once_its_lease_is_over() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // A runtime that nobody drives is a process that is paused.
    let (paused, awake) = (runtime(), runtime());
    let Some(scene) = awake.block_on(Scene::postgres("lease_paused")) else { return };
    let one = paused.block_on(opened(&scene, &claim("one", Duration::from_millis(300))));
    let lease = one.lease().unwrap();
    let two = awake.block_on(opened(&scene, &claim("two", LONG)));
    let before = two.lease().unwrap().predecessor().cloned().unwrap();
    assert_eq!((before.process.as_str(), before.gave_back), ("process of one", false));
    assert!(before.ago >= Duration::from_millis(30), "a tenth of the lease is left to clocks: {before:?}");
    assert_eq!(paused.block_on(one.successor()).unwrap().worker, "two");
    let error = paused.block_on(lease.outlasts(Duration::from_millis(100))).unwrap_err();
    assert!(matches!(error, Error::Succeeded { .. }), "{error}");
    let error = paused.block_on(one.commit(Commit::default())).unwrap_err();
    assert!(error.to_string().contains("was taken over by two since "), "{error}");
    awake.block_on(two.commit(Commit::default())).unwrap();
}

#[tokio::test]
async fn what_takes_longer_than_the_lease_is_refused() {
    let Some(scene) = Scene::postgres("lease_short").await else { return };
    let store = opened(&scene, &claim("one", Duration::from_secs(20))).await;
    let lease = store.lease().unwrap();
    lease.outlasts(Duration::from_secs(10)).await.unwrap();
    let error = lease.outlasts(Duration::from_secs(21)).await.unwrap_err();
    assert!(matches!(error, Error::LeaseShort { .. }), "{error}");
}

#[tokio::test]
async fn webhooks_are_received_without_a_lease() {
    let Some(scene) = Scene::postgres("lease_receiving").await else { return };
    let event = |id: String, object: &str| Event {
        id,
        account: String::new(),
        object: object.into(),
        record: "1".into(),
        what: Happened::Changed,
        at: at(0),
    };
    let writer = opened(&scene, &claim("one", LONG)).await;
    // Several at once, of objects that nobody has named before, while another one writes of others.
    let receivers = [0, 1, 2].map(|number| {
        let location = scene.location.clone();
        tokio::spawn(async move {
            let receiver = Store::open_receiving(&location, "receiver").await.unwrap();
            let told: Vec<Event> = (0..20).map(|nth| event(format!("{nth}"), &format!("object {nth}"))).collect();
            let own = event(format!("own {number}"), &format!("own {number}"));
            let mut new = receiver.receive(&"old".into(), &told, at(1)).await.unwrap();
            new += receiver.receive(&"old".into(), &[own], at(2)).await.unwrap();
            new
        })
    });
    for nth in 0..20 {
        let name = format!("flow {nth}");
        writer.commit(commit(0, |commit| commit.rows = vec![row(&name, "1", Outcome::Held)])).await.unwrap();
    }
    let mut new = 0;
    for receiver in receivers {
        new += receiver.await.unwrap();
    }
    assert_eq!(new, 23);
    let waiting = writer.inbox(99).await.unwrap();
    assert_eq!(waiting.len(), 23);
    let receiver = Store::open_receiving(&scene.location, "two").await.unwrap();
    let names: Vec<String> = receiver.workers().await.unwrap().into_iter().map(|(name, _)| name).collect();
    assert!(["one", "two"].iter().all(|name| names.iter().any(|one| one == name)), "{names:?}");
    assert_eq!(writer.received().await.unwrap()[0].events, 23);
    for nth in 0..20 {
        assert_eq!(writer.counts(&format!("flow {nth}").as_str().into()).await.unwrap().held, 1, "{nth}");
    }
}
