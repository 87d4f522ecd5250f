use handover_model::{Cause, Outcome};
use handover_store::Store;

use crate::scene::{Scene, commit, entry, hold, ids, member, on_both, paired, row};

on_both!(a_fork_has_everything_and_touches_nothing, a_fork_leaves_nothing_behind);

async fn a_fork_has_everything_and_touches_nothing(scene: Scene) {
    let store = scene.open().await;
    let filled = commit(0, |commit| {
        commit.rows = (0..3000).map(|at| paired("contacts", &format!("{at}"), &format!("t{at}"), at)).collect();
        commit.memberships = vec![member("old", "persons", "1", 1)];
        commit.entries = vec![entry("decided", "contacts", &[("1", serde_json::json!({"a": 1}))])];
        commit.holds = vec![hold("contacts", "persons", "x", Cause::OutcomeUnknown)];
    });
    store.commit(filled).await.unwrap();
    store.reserve_identities(5).await.unwrap();
    store.bind("acme", &[("old".into(), "pipedrive".to_owned(), "7".to_owned())]).await.unwrap();

    let fork = store.fork().await.unwrap();
    let flow = "contacts".into();
    assert_eq!(fork.counts(&flow).await.unwrap(), store.counts(&flow).await.unwrap());
    let some = ids(&["1", "2999", "zz"]);
    assert_eq!(fork.rows(&flow, &some).await.unwrap(), store.rows(&flow, &some).await.unwrap());
    assert_eq!(fork.members(1).await.unwrap(), store.members(1).await.unwrap());
    assert_eq!(fork.entries(0, 9).await.unwrap(), store.entries(0, 9).await.unwrap());
    assert_eq!(fork.hold_counts().await.unwrap(), store.hold_counts().await.unwrap());
    assert_eq!(fork.verify(|_, _| ()).await.unwrap(), store.verify(|_, _| ()).await.unwrap());
    assert_eq!(fork.reserve_identities(1).await.unwrap(), 6);
    assert!(fork.bind("other", &[]).await.is_err());

    let more = commit(1, |commit| {
        commit.rows = vec![row("contacts", "new", Outcome::Pending)];
        commit.entries = vec![entry("decided", "contacts", &[("new", serde_json::json!(1))])];
    });
    fork.commit(more).await.unwrap();
    assert_eq!(fork.counts(&flow).await.unwrap().read, 3001);
    assert_eq!(store.counts(&flow).await.unwrap().read, 3000);
    assert_eq!(store.reserve_identities(1).await.unwrap(), 6);
    assert_eq!(fork.verify(|_, _| ()).await.unwrap().entries, 3);
}

async fn a_fork_leaves_nothing_behind(scene: Scene) {
    let store = scene.open().await;
    let fork = store.fork().await.unwrap();
    let path = std::path::PathBuf::from(fork.location());
    assert!(path.exists());
    let second = fork.fork().await.unwrap();
    assert_ne!(second.location(), fork.location());
    drop(second);
    drop(fork);
    assert!(!path.parent().unwrap().exists());
}

#[tokio::test]
async fn forks_whose_process_died_are_removed_and_others_are_not() {
    let scene = Scene::sqlite();
    scene.open().await.close().await.unwrap();
    let reader = Store::open_reading(&scene.location).await.unwrap();
    let alive = reader.fork().await.unwrap();
    let beside = |name: &str| scene.path().with_file_name(name);
    let dead = beside("handover.db.fork-1-1");
    std::fs::create_dir(&dead).unwrap();
    std::fs::write(dead.join("state.db"), b"left behind").unwrap();
    std::fs::create_dir(beside("other.fork-1-1")).unwrap();
    scene.open().await;
    assert!(!dead.exists());
    assert!(beside("other.fork-1-1").exists());
    assert_eq!(alive.reserve_identities(1).await.unwrap(), 1);
}
