//! Dying at every durable write: what was told to be written is there, nothing else is, and whoever
//! begins again at the first step that is not there comes to the same end.

use std::sync::Arc;

use handover_model::{Cause, Outcome};
use handover_store::{Cared, Commit, Error, Location, Moment, PendingLink, Store};
use serde_json::json;

use crate::scene::{Scene, at, commit, entry, hold, member, on_both, paired, row};

on_both!(
    whatever_the_moment_the_end_is_the_same,
    a_failed_step_leaves_no_trace_in_memory,
    a_step_whose_caller_goes_away_is_whole_or_not_at_all,
);

/// How many durable steps the scenario has.
const STEPS: usize = 8;

async fn step(store: &Store, number: usize) -> Result<(), Error> {
    let flow = || ("contacts".into(), "1".into());
    match number {
        0 => store.bind("acme", &[("old".into(), "pipedrive".to_owned(), "7".to_owned())]).await,
        1 => store.begin_pass(at(0), "hash", "backfill", json!({})).await.map(drop),
        2 => store.reserve_identities(2).await.map(drop),
        3 => store.commit(first()).await.map(drop),
        4 => store.commit_many(vec![held(), released()]).await.map(drop),
        5 => {
            let (flow, record) = flow();
            let cared = vec![Cared { flow, records: vec![record], owner: Some("Eve".to_owned()) }];
            store.commit(commit(5, |commit| commit.cared = cared)).await.map(drop)
        }
        6 => {
            let (flow, record) = flow();
            let end = |system: &str| handover_model::End { system: system.into(), object: "persons".into() };
            // One durable step more, which may be repeated.
            store.bind_flows(&[("contacts".into(), end("old"), end("new"), "contacts.back".into())]).await?;
            store.erase(&flow, &record, at(6), "Eve", "asked").await.map(drop)
        }
        _ => store.finish_pass(1, at(7), "done", json!({})).await,
    }
}

fn first() -> Commit {
    commit(3, |commit| {
        commit.rows = vec![paired("contacts", "1", "t1", 1), row("contacts", "2", Outcome::Pending)];
        commit.memberships = vec![member("old", "persons", "1", 1), member("new", "persons", "t1", 1)];
        commit.entries = vec![entry("decided", "contacts", &[("1", json!("secret")), ("2", json!(2))])];
        commit.links = vec![PendingLink {
            flow: "contacts".into(),
            record: "1".into(),
            field: "company".to_owned(),
            parent_flow: "companies".into(),
            parent: "c".into(),
            gone: false,
        }];
        commit.spent = vec![("old".into(), 10)];
    })
}

fn held() -> Commit {
    commit(4, |commit| {
        commit.rows = vec![row("contacts", "2", Outcome::Held)];
        commit.holds = vec![hold("contacts", "persons", "2", Cause::OutcomeUnknown)];
        commit.entries = vec![entry("held", "contacts", &[("2", json!(3)), ("never seen", json!(4))])];
    })
}

fn released() -> Commit {
    commit(5, |commit| {
        commit.rows = vec![row("contacts", "2", Outcome::Skipped)];
        commit.released = vec![("contacts".into(), "2".into())];
        commit.entries = vec![entry("answered", "contacts", &[("2", json!(5))])];
        commit.spent = vec![("old".into(), 1)];
    })
}

/// Everything that can be told of the state, but for writers' checkpoints: how often somebody died
/// is no part of it.
async fn told(store: &Store) -> String {
    let flow = "contacts".into();
    let entries = store.entries(0, 100).await.unwrap();
    let entries: Vec<_> = entries
        .into_iter()
        .filter(|entry| entry.kind != "checkpoint")
        .map(|entry| (entry.kind, entry.at, entry.note.to_string(), entry.items))
        .collect();
    let mut rows = store.rows_page(&flow, None, None, 100).await.unwrap();
    rows.iter_mut().for_each(|row| row.last_entry = None);
    let mut stories = Vec::new();
    for record in ["1", "2", "never seen"] {
        let story = store.story(&flow, &record.into()).await.unwrap();
        stories.push(story.into_iter().map(|told| (told.kind, told.values)).collect::<Vec<_>>());
    }
    let spent = store.spent_today(&"old".into(), at(0)).await.unwrap();
    let holds = store.hold_counts().await.unwrap();
    let links = store.count_pending_links().await.unwrap();
    let (passes, members) = (store.passes().await.unwrap(), store.members(1).await.unwrap());
    format!("{entries:?}\n{rows:?}\n{stories:?}\n{spent} {holds:?} {links}\n{passes:?}\n{members:?}")
}

/// A new state with nothing in it.
async fn fresh(scene: &Scene) -> Scene {
    if scene.is_sqlite() {
        return Scene::sqlite();
    }
    let Location::Postgres(url) = &scene.location else { unreachable!("not a file") };
    let schema = url.rsplit_once("schema=").unwrap().1;
    let clear = format!("DROP SCHEMA IF EXISTS \"{schema}\" CASCADE");
    scene.tamper(&clear).await;
    Scene { _folder: tempfile::tempdir().unwrap(), location: scene.location.clone() }
}

async fn whatever_the_moment_the_end_is_the_same(scene: Scene) {
    let mut after_each = Vec::new();
    let whole = fresh(&scene).await;
    let store = whole.open().await;
    for number in 0..STEPS {
        after_each.push((store.durable_writes(), told(&store).await));
        step(&store, number).await.unwrap();
    }
    let writes = store.durable_writes();
    let end = told(&store).await;
    after_each.push((writes, end.clone()));
    store.close().await.unwrap();
    assert_eq!(writes, STEPS as u64 + 1);

    for nth in 1..=writes {
        for moment in [Moment::Before, Moment::After] {
            let scene = fresh(&scene).await;
            let store = scene.open().await;
            store.set_fuse(Arc::new(move |write, at| (write, at) == (nth, moment)));
            let mut number = 0;
            let error = loop {
                match step(&store, number).await {
                    Ok(()) => number += 1,
                    Err(error) => break error,
                }
            };
            assert!(matches!(error, Error::Stopped { nth: at, .. } if at == nth), "{nth} {moment:?}: {error}");
            drop(store);

            let store = scene.open().await;
            store.verify(|_, _| ()).await.unwrap();
            let now = told(&store).await;
            let reached = if moment == Moment::After { nth } else { nth - 1 };
            let (_, expected) = after_each.iter().rev().find(|(writes, _)| *writes <= reached).unwrap();
            assert_eq!(now, *expected, "{nth} {moment:?}");
            let next = after_each.iter().position(|(_, told)| *told == now).unwrap();
            // Setting identities aside shows nowhere: that step may be repeated.
            for number in next..STEPS {
                if !(number == 1 && store.last_pass().await.unwrap().is_some()) {
                    step(&store, number).await.unwrap();
                }
            }
            assert_eq!(told(&store).await, end, "{nth} {moment:?}");
            store.verify(|_, _| ()).await.unwrap();
            // A lease that is given back in the background would be the next state's, whose numbers begin anew.
            store.close().await.unwrap();
        }
    }
}

async fn a_failed_step_leaves_no_trace_in_memory(scene: Scene) {
    let store = scene.open().await;
    store.set_fuse(Arc::new(|write, moment| write == 2 && moment == Moment::Before));
    let tell = |flow: &'static str| {
        commit(0, |commit| {
            commit.entries = vec![entry("decided", flow, &[("1", json!(flow))])];
            commit.rows = vec![row(flow, "1", Outcome::Pending)];
        })
    };
    assert_eq!(store.commit(tell("a")).await.unwrap(), [1]);
    assert!(matches!(store.commit(tell("b")).await, Err(Error::Stopped { nth: 2, .. })));
    assert_eq!(store.counts(&"b".into()).await.unwrap().read, 0);
    assert_eq!(store.commit(tell("b")).await.unwrap(), [2]);
    assert_eq!(store.commit(tell("a")).await.unwrap(), [3]);
    assert_eq!(store.verify(|_, _| ()).await.unwrap().entries, 3);
    assert_eq!(store.counts(&"b".into()).await.unwrap().pending, 1);
}

async fn a_step_whose_caller_goes_away_is_whole_or_not_at_all(scene: Scene) {
    let store = scene.open().await;
    for polls in 0..60 {
        let flow = format!("flow {polls}");
        let told = commit(polls, |commit| {
            commit.entries = vec![entry("decided", &flow, &[("1", json!(polls))])];
            commit.rows = (0..20).map(|at| row(&flow, &format!("{at}"), Outcome::Pending)).collect();
        });
        let mut step = Box::pin(store.commit(told));
        for _ in 0..polls {
            if futures::poll!(&mut step).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(step);
        let sure = commit(polls, |commit| commit.entries = vec![entry("sure", "sure", &[("1", json!(0))])]);
        store.commit(sure).await.unwrap();
        let (rows, story) =
            (store.counts(&flow.as_str().into()).await.unwrap().read, store.story(&flow.into(), &"1".into()).await);
        assert!(matches!((rows, story.unwrap().len()), (0, 0) | (20, 1)));
    }
    store.verify(|_, _| ()).await.unwrap();
    assert_eq!(store.story(&"sure".into(), &"1".into()).await.unwrap().len(), 60);
}
