use handover_store::{Commit, Error, Pass};
use serde_json::json;

use crate::scene::{Scene, at, on_both};

on_both!(texts_are_kept_under_their_names, passes_are_numbered, a_state_belongs_to_its_project_and_accounts);

async fn texts_are_kept_under_their_names(scene: Scene) {
    let store = scene.open().await;
    assert_eq!(store.kept("a").await.unwrap(), None);
    let keep = |pairs: &[(&str, &str)]| Commit {
        at: at(1),
        kept: pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..Commit::default()
    };
    store.commit(keep(&[("a", "one"), ("b", "two"), ("a", "three")])).await.unwrap();
    assert_eq!(store.kept("a").await.unwrap().as_deref(), Some("three"));
    store.commit(keep(&[("a", ""), ("c", "")])).await.unwrap();
    assert_eq!(store.kept("a").await.unwrap(), None);
    assert_eq!(store.kept("b").await.unwrap().as_deref(), Some("two"));
}

async fn passes_are_numbered(scene: Scene) {
    let store = scene.open().await;
    assert_eq!(store.last_pass().await.unwrap(), None);
    assert_eq!(store.begin_pass(at(0), "hash 1", "backfill", json!({ "a": 1, "b": 1 })).await.unwrap(), 1);
    let mut first = Pass {
        id: 1,
        kind: "backfill".to_owned(),
        began: at(0),
        ended: None,
        status: None,
        snapshot: "hash 1".to_owned(),
        note: json!({ "a": 1, "b": 1 }),
    };
    assert_eq!(store.last_pass().await.unwrap(), Some(first.clone()));
    store.finish_pass(1, at(9), "done", json!({ "b": 2 })).await.unwrap();
    first = Pass { ended: Some(at(9)), status: Some("done".to_owned()), note: json!({ "a": 1, "b": 2 }), ..first };
    assert_eq!(store.last_pass().await.unwrap(), Some(first.clone()));
    assert_eq!(store.begin_pass(at(10), "hash 2", "delta", json!(null)).await.unwrap(), 2);
    let all = store.passes().await.unwrap();
    assert_eq!(store.first_pass().await.unwrap(), Some(first.clone()));
    assert_eq!(all[0], first);
    assert_eq!(all.iter().map(|pass| pass.id).collect::<Vec<_>>(), [1, 2]);
    // A text that looks like the fact is none.
    store.finish_pass(2, at(11), "done", json!({ "text": "\"whole\":true", "part": true })).await.unwrap();
    let any =
        async |status: &str, name: &str, value: bool| store.any_pass(status, (name, &json!(value))).await.unwrap();
    assert!(any("done", "part", true).await);
    for (status, name, value) in [("done", "part", false), ("failed", "part", true), ("done", "whole", true)] {
        assert!(!any(status, name, value).await, "{status} {name} {value}");
    }
}

async fn a_state_belongs_to_its_project_and_accounts(scene: Scene) {
    let store = scene.open().await;
    let told = |system: &str, platform: &str, account: &str| (system.into(), platform.to_owned(), account.to_owned());
    let old = told("old", "pipedrive", "company 7");
    store.bind("acme", std::slice::from_ref(&old)).await.unwrap();
    let writes = store.durable_writes();
    store.bind("acme", std::slice::from_ref(&old)).await.unwrap();
    assert_eq!(store.durable_writes(), writes, "nothing new was written");
    store.bind("acme", &[old, told("new", "hubspot", "1")]).await.unwrap();
    let error = store.bind("acme", &[told("old", "pipedrive", "company 8")]).await.unwrap_err();
    let Error::OtherAccount { system, have, given, .. } = &error else { panic!("{error}") };
    assert_eq!((system.as_str(), have.as_str()), ("old", "pipedrive account company 7"));
    assert_eq!(given, "pipedrive account company 8");
    assert!(error.to_string().contains("nothing was changed"), "{error}");
    let error = store.bind("acme", &[told("new", "zoho", "1")]).await.unwrap_err();
    assert!(matches!(error, Error::OtherAccount { .. }));
    store.belongs_to("acme").await.unwrap();
    for refused in [store.bind("other", &[]).await, store.belongs_to("other").await] {
        let error = refused.unwrap_err();
        assert!(matches!(error, Error::OtherProject { .. }), "{error}");
    }
}
