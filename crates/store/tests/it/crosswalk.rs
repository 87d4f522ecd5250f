use std::collections::HashMap;

use handover_model::{Outcome, RecordId};
use handover_store::Membership;

use crate::scene::{Scene, commit, ids, member, on_both, paired};

on_both!(
    identities_are_given_once,
    members_of_an_identity,
    counterparts_are_live_and_the_thing_itself,
    what_a_flow_paired_are_members,
    what_flows_pair_in_several_ways_is_one_identity,
    targets_and_sources_of_a_flow,
);

async fn identities_are_given_once(scene: Scene) {
    let store = scene.open().await;
    assert_eq!(store.reserve_identities(3).await.unwrap(), 1);
    assert_eq!(store.reserve_identities(1).await.unwrap(), 4);
    drop(store);
    assert_eq!(scene.open().await.reserve_identities(1).await.unwrap(), 5);
}

async fn members_of_an_identity(scene: Scene) {
    let store = scene.open().await;
    let carrier = Membership { role: "carrier".to_owned(), ..member("new", "notes", "n", 1) };
    let merged = Membership { state: "merged".to_owned(), ..member("old", "files", "b", 1) };
    let all = vec![member("old", "files", "a", 1), carrier.clone(), merged.clone(), member("old", "files", "c", 2)];
    store.commit(commit(0, |commit| commit.memberships = all)).await.unwrap();
    let members = store.members(1).await.unwrap();
    assert_eq!(members, [carrier, member("old", "files", "a", 1), merged]);
    let found = store.identities(&"old".into(), &"files".into(), &ids(&["a", "b", "c", "d"])).await.unwrap();
    let told = |identity, role: &str, state: &str| (identity, role.to_owned(), state.to_owned());
    let expected: HashMap<RecordId, _> =
        [("a".into(), told(1, "", "live")), ("b".into(), told(1, "", "merged")), ("c".into(), told(2, "", "live"))]
            .into();
    assert_eq!(found, expected);
    // A record that moves to another identity leaves the first.
    store.commit(commit(1, |commit| commit.memberships = vec![member("old", "files", "a", 2)])).await.unwrap();
    assert_eq!(store.members(1).await.unwrap().len(), 2);
    assert_eq!(store.members(3).await.unwrap(), []);
}

async fn counterparts_are_live_and_the_thing_itself(scene: Scene) {
    let store = scene.open().await;
    let carrier = Membership { role: "carrier".to_owned(), ..member("new", "files", "0", 1) };
    let gone = Membership { state: "deleted".to_owned(), ..member("new", "files", "t2", 2) };
    let all = vec![
        member("old", "files", "1", 1),
        carrier,
        member("new", "files", "t1", 1),
        member("new", "notes", "n1", 1),
        member("old", "files", "2", 2),
        gone,
    ];
    store.commit(commit(0, |commit| commit.memberships = all)).await.unwrap();
    let (old, new, files) = ("old".into(), "new".into(), "files".into());
    let found = store.counterparts((&old, &files), (&new, &files), &ids(&["1", "2", "3"])).await.unwrap();
    assert_eq!(found, [("1".into(), "t1".into())].into());
    let back = store.counterparts((&new, &files), (&old, &files), &ids(&["t1"])).await.unwrap();
    assert_eq!(back, [("t1".into(), "1".into())].into());
    let none = store.counterparts((&old, &files), (&new, &"never heard of".into()), &ids(&["1"])).await.unwrap();
    assert!(none.is_empty());
}

async fn what_a_flow_paired_are_members(scene: Scene) {
    let store = scene.open().await;
    let end = |system: &str| handover_model::End { system: system.into(), object: "contacts".into() };
    store.bind_flows(&[("contacts".into(), end("old"), end("new"), "contacts.back".into())]).await.unwrap();
    let carrier = Membership { role: "carrier".to_owned(), ..member("new", "notes", "n", 1) };
    store
        .commit(commit(0, |commit| {
            commit.rows = vec![
                paired("contacts", "1", "t1", 1),
                paired("contacts", "2", "t2", 2),
                crate::scene::row("contacts", "3", Outcome::Held),
            ];
            commit.memberships = vec![carrier.clone()];
        }))
        .await
        .unwrap();
    let (old, new, contacts) = ("old".into(), "new".into(), "contacts".into());
    let pair = [member("new", "contacts", "t1", 1), carrier, member("old", "contacts", "1", 1)];
    assert_eq!(store.members(1).await.unwrap(), pair);
    let told = |identity| (identity, String::new(), "live".to_owned());
    let found = store.identities(&new, &contacts, &ids(&["t1", "t2", "t3"])).await.unwrap();
    assert_eq!(found, [("t1".into(), told(1)), ("t2".into(), told(2))].into());
    let found = store.identities(&old, &contacts, &ids(&["1", "3"])).await.unwrap();
    assert_eq!(found, [("1".into(), told(1))].into());
    let found = store.counterparts((&new, &contacts), (&old, &contacts), &ids(&["t2", "t3"])).await.unwrap();
    assert_eq!(found, [("t2".into(), "2".into())].into());
}

/// A hub, two spokes, and a further system behind the hub; the pairs become known in an order that helps nobody.
async fn what_flows_pair_in_several_ways_is_one_identity(scene: Scene) {
    let store = scene.open().await;
    let end = |system: &str| handover_model::End { system: system.into(), object: "people".into() };
    let flow = |name: &str, from: &str, to: &str| (name.into(), end(from), end(to), format!("{name}.back").into());
    let flows = [flow("old", "old", "hub"), flow("shop", "shop", "hub"), flow("mail", "hub", "mail")];
    store.bind_flows(&flows).await.unwrap();
    let commits = [
        vec![paired("old", "o1", "h1", 7), paired("old", "o2", "h2", 8)],
        vec![paired("mail", "h1", "m1", 3)],
        // The row of another step, which knows of no other identity.
        vec![paired("shop", "s1", "h1", 9), paired("shop", "s2", "h9", 10)],
    ];
    for (at, rows) in (0..).zip(commits) {
        store.commit(commit(at, |commit| commit.rows = rows)).await.unwrap();
    }
    let all = [("hub", "h1"), ("mail", "m1"), ("old", "o1"), ("shop", "s1")];
    assert_eq!(store.members(3).await.unwrap(), all.map(|(system, record)| member(system, "people", record, 3)));
    assert_eq!(store.members(7).await.unwrap(), []);
    assert_eq!(store.members(8).await.unwrap().len(), 2, "nobody else is it");
    // A row that is written again with what it knew before says the same.
    store.commit(commit(5, |commit| commit.rows = vec![paired("old", "o1", "h1", 7)])).await.unwrap();
    assert_eq!(store.members(3).await.unwrap().len(), 4);
    // Two that became one.
    let merged = handover_store::RecordRow { outcome: Outcome::Merged, ..paired("old", "o2", "h1", 8) };
    store.commit(commit(6, |commit| commit.rows = vec![merged])).await.unwrap();
    assert_eq!(store.members(3).await.unwrap().len(), 5);
}

async fn targets_and_sources_of_a_flow(scene: Scene) {
    let store = scene.open().await;
    let merged = handover_store::RecordRow { outcome: Outcome::Merged, ..paired("contacts", "0", "t1", 1) };
    let rows = vec![
        merged,
        paired("contacts", "1", "t1", 1),
        paired("contacts", "2", "t2", 2),
        paired("others", "9", "t2", 3),
        crate::scene::row("contacts", "3", Outcome::Held),
    ];
    store.commit(commit(0, |commit| commit.rows = rows)).await.unwrap();
    let flow = "contacts".into();
    let targets = store.targets_of_flow(&flow, &ids(&["0", "1", "2", "3", "4"])).await.unwrap();
    assert_eq!(targets, [("0".into(), "t1".into()), ("1".into(), "t1".into()), ("2".into(), "t2".into())].into());
    let sources = store.sources_of_flow(&flow, &ids(&["t1", "t2", "t3"])).await.unwrap();
    assert_eq!(sources, [("t1".into(), "1".into()), ("t2".into(), "2".into())].into());
}
