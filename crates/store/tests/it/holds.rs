use handover_model::{Answer, Candidate, Cause, Hold, Value};
use handover_store::{Cared, Child, GivenAnswer, HoldFilter, Intent};

use crate::scene::{Scene, at, commit, hold, ids, on_both, waits_for};

on_both!(
    a_hold_stays_the_same_hold_while_its_cause_stays,
    released_holds_are_gone,
    groups_tell_what_one_answer_releases,
    children_of_held_parents,
    pages_are_filtered,
    answers_belong_to_the_hold_they_were_given_to,
    answers_come_oldest_first,
    intents_are_open_until_settled,
    what_is_spent_adds_up,
);

fn untranslated(value: &str) -> Cause {
    Cause::Untranslated {
        field: "stage".into(),
        table: "stages".to_owned(),
        value: value.to_owned(),
        label: value.to_owned(),
    }
}

fn ambiguous(shown: &str) -> Cause {
    let candidate =
        Candidate { key: "email".to_owned(), target: "t1".into(), shown: vec![("name".into(), Value::text(shown))] };
    Cause::Ambiguous { key: "email".to_owned(), candidates: vec![candidate] }
}

fn everything() -> HoldFilter {
    HoldFilter::default()
}

async fn a_hold_stays_the_same_hold_while_its_cause_stays(scene: Scene) {
    let store = scene.open().await;
    let judged = |second, causes: Vec<Cause>| {
        commit(second, |commit| {
            commit.released = vec![("deals".into(), "1".into())];
            commit.holds = causes.into_iter().map(|cause| hold("deals", "deals", "1", cause)).collect();
        })
    };
    store.commit(judged(1, vec![untranslated("A"), ambiguous("old name")])).await.unwrap();
    let care =
        |owner: Option<&str>| Cared { flow: "deals".into(), records: ids(&["1"]), owner: owner.map(str::to_owned) };
    store.commit(commit(1, |commit| commit.cared = vec![care(Some("Eve"))])).await.unwrap();
    // The candidate's shown values changed: still the same question.
    store.commit(judged(2, vec![ambiguous("new name"), untranslated("B"), untranslated("B")])).await.unwrap();
    let mut rows = store.holds_page(&everything(), None, 10).await.unwrap();
    rows.sort_by_key(|row| row.hold.cause.word());
    let shown: Vec<_> = rows.iter().map(|row| (row.hold.cause.clone(), row.since, row.owner.as_deref())).collect();
    assert_eq!(shown, [(ambiguous("new name"), at(1), Some("Eve")), (untranslated("B"), at(2), None)]);
    assert_eq!(store.holds_of(&"deals".into(), &"1".into()).await.unwrap().len(), 2);
    // Added once more without being released: nothing doubles, and the first instant stays.
    let again = commit(3, |commit| commit.holds = vec![hold("deals", "deals", "1", untranslated("B"))]);
    store.commit(again).await.unwrap();
    let rows = store.holds_page(&everything(), None, 10).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.since).max(), Some(at(2)));
    assert_eq!(rows.len(), 2);
    store.commit(commit(4, |commit| commit.cared = vec![care(None)])).await.unwrap();
    let rows = store.holds_page(&everything(), None, 10).await.unwrap();
    assert!(rows.iter().all(|row| row.owner.is_none()) && rows.len() == 2);
}

async fn released_holds_are_gone(scene: Scene) {
    let store = scene.open().await;
    let held = commit(0, |commit| {
        commit.holds = (0..600).map(|at| hold("deals", "deals", &format!("{at}"), untranslated("A"))).collect();
    });
    store.commit(held).await.unwrap();
    let released = commit(1, |commit| {
        commit.released = (1..600).map(|at| ("deals".into(), format!("{at}").into())).collect();
    });
    store.commit(released).await.unwrap();
    assert_eq!(store.hold_counts().await.unwrap(), [("deals".into(), "untranslated".to_owned(), 1)]);
    assert_eq!(store.holds_of(&"deals".into(), &"5".into()).await.unwrap(), []);
}

async fn groups_tell_what_one_answer_releases(scene: Scene) {
    let store = scene.open().await;
    let long = "x".repeat(5000);
    let holds = vec![
        hold("companies", "orgs", "c2", untranslated("A")),
        hold("companies", "orgs", "c1", untranslated("A")),
        hold("companies", "orgs", "c1", untranslated(&long)),
        // Waits for c1 only, and its child for it.
        hold("contacts", "persons", "p1", waits_for("companies", "c1")),
        hold("deals", "deals", "d1", waits_for("contacts", "p1")),
        // Waits for both: counts once.
        hold("contacts", "persons", "p2", waits_for("companies", "c1")),
        hold("contacts", "persons", "p2", waits_for("companies", "c2")),
        // Has a cause of its own: the parent's release alone does not free it, nor its child.
        hold("contacts", "persons", "p3", waits_for("companies", "c1")),
        hold("contacts", "persons", "p3", untranslated("B")),
        hold("deals", "deals", "d3", waits_for("contacts", "p3")),
    ];
    store.commit(commit(0, |commit| commit.holds = holds)).await.unwrap();
    let groups = store.hold_groups().await.unwrap();
    let shown: Vec<_> = groups
        .iter()
        .map(|group| {
            let (flow, name) = (group.flow.as_str(), group.group.as_str());
            (flow, name, group.count, group.waiting, group.sample.record.as_str())
        })
        .collect();
    let long = format!("untranslated:stages:{long}");
    assert_eq!(
        shown,
        [
            ("companies", "untranslated:stages:A", 2, 3, "c1"),
            ("companies", long.as_str(), 1, 3, "c1"),
            ("contacts", "parent_held", 3, 2, "p1"),
            ("contacts", "untranslated:stages:B", 1, 1, "p3"),
            ("deals", "parent_held", 2, 0, "d1"),
        ]
    );
    assert_eq!(groups[0].object.as_str(), "orgs");
    assert_eq!(groups[0].cause, "untranslated");
    // A very long group is found by its whole name.
    let filter = HoldFilter { group: Some(long), ..HoldFilter::default() };
    assert_eq!(store.holds_page(&filter, None, 10).await.unwrap().len(), 1);
}

async fn children_of_held_parents(scene: Scene) {
    let store = scene.open().await;
    let holds = vec![
        hold("contacts", "persons", "p1", waits_for("companies", "c1")),
        hold("contacts", "persons", "p2", waits_for("companies", "c2")),
        hold("deals", "deals", "d1", waits_for("companies", "c1")),
        hold("deals", "deals", "d2", waits_for("contacts", "c1")),
    ];
    store.commit(commit(0, |commit| commit.holds = holds)).await.unwrap();
    let mut children = store.children(&"companies".into(), &ids(&["c1", "c9"])).await.unwrap();
    children.sort();
    let child = |flow: &str, record: &str| Child { flow: flow.into(), record: record.into(), parent: "c1".into() };
    assert_eq!(children, [child("contacts", "p1"), child("deals", "d1")]);
    assert_eq!(store.children(&"never heard of".into(), &ids(&["c1"])).await.unwrap(), []);
}

async fn pages_are_filtered(scene: Scene) {
    let store = scene.open().await;
    let mut holds: Vec<Hold> = Vec::new();
    for at in 0..40 {
        holds.push(hold("deals", "deals", &format!("{at}"), untranslated(if at % 2 == 0 { "A" } else { "B" })));
        holds.push(hold("contacts", "persons", &format!("{at}"), Cause::Missing { field: "name".into() }));
    }
    store.commit(commit(0, |commit| commit.holds = holds)).await.unwrap();
    let filters = [
        (everything(), 80),
        (HoldFilter { flow: Some("deals".into()), ..everything() }, 40),
        (HoldFilter { object: Some("persons".into()), ..everything() }, 40),
        (HoldFilter { cause: Some("missing".to_owned()), ..everything() }, 40),
        (HoldFilter { group: Some("untranslated:stages:A".to_owned()), ..everything() }, 20),
        (HoldFilter { record: Some("7".into()), ..everything() }, 2),
        (HoldFilter { record: Some("7".into()), flow: Some("deals".into()), ..everything() }, 1),
        (HoldFilter { flow: Some("never heard of".into()), ..everything() }, 0),
    ];
    for (filter, expected) in filters {
        let (mut seen, mut after) = (std::collections::HashSet::new(), None);
        loop {
            let page = store.holds_page(&filter, after.as_ref(), 7).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.cursor.clone());
            for row in page {
                assert!(seen.insert((row.hold.flow.clone(), row.hold.record.clone())), "{filter:?}");
            }
        }
        assert_eq!(seen.len(), expected, "{filter:?}");
    }
}

fn given(record: &str, answer: Answer, comment: &str) -> GivenAnswer {
    GivenAnswer {
        flow: "deals".into(),
        record: record.into(),
        answer,
        reviewer: "Eve".to_owned(),
        comment: comment.to_owned(),
    }
}

async fn answers_belong_to_the_hold_they_were_given_to(scene: Scene) {
    let store = scene.open().await;
    let answered = || async {
        let rows = store.holds_page(&everything(), None, 10).await.unwrap();
        rows.iter().map(|row| row.answered).collect::<Vec<_>>()
    };
    let judged = |second, value: &'static str| {
        commit(second, |commit| {
            commit.released = vec![("deals".into(), "1".into())];
            commit.holds = vec![hold("deals", "deals", "1", untranslated(value))];
        })
    };
    store.commit(judged(1, "A")).await.unwrap();
    assert_eq!(answered().await, [false]);
    let accepted = commit(2, |commit| commit.answers = vec![given("1", Answer::Accept, "")]);
    store.commit(accepted).await.unwrap();
    assert_eq!(answered().await, [true]);
    store.commit(judged(3, "A")).await.unwrap();
    assert_eq!(answered().await, [true]);
    store.commit(judged(4, "B")).await.unwrap();
    assert_eq!(answered().await, [false]);
}

async fn answers_come_oldest_first(scene: Scene) {
    let store = scene.open().await;
    let first = given("1", Answer::Edit { field: "name".into(), value: Value::text("x"), of: None }, "why\0not");
    let second = given("1", Answer::Skip, "");
    let both = vec![first.clone(), given("2", Answer::Create, "")];
    store.commit(commit(0, |commit| commit.answers = both)).await.unwrap();
    store.commit(commit(0, |commit| commit.answers = vec![second.clone()])).await.unwrap();
    let found = store.answers(&"deals".into(), &ids(&["1", "3"])).await.unwrap();
    assert_eq!(found.len(), 1);
    let found = &found["1"];
    assert_eq!(found.iter().map(|given| &given.answer).collect::<Vec<_>>(), [&first.answer, &second.answer]);
    assert_eq!(found[0].reviewer, "Eve");
}

async fn intents_are_open_until_settled(scene: Scene) {
    let store = scene.open().await;
    let intent = |id: &str, second| Intent {
        id: id.to_owned(),
        flow: "deals".into(),
        payload: vec![0, 255, 1],
        at: at(second),
        entry: None,
    };
    let two = vec![intent("b", 1), intent("a", 2)];
    store.commit(commit(1, |commit| commit.intents = two.clone())).await.unwrap();
    assert_eq!(store.open_intents().await.unwrap(), two);
    store.commit(commit(2, |commit| commit.settled = vec!["b".to_owned(), "z".to_owned()])).await.unwrap();
    drop(store);
    assert_eq!(scene.open().await.open_intents().await.unwrap(), two[1..]);
}

async fn what_is_spent_adds_up(scene: Scene) {
    let store = scene.open().await;
    let spend = |second, amount| commit(second, |commit| commit.spent = vec![("old".into(), amount)]);
    store.commit(spend(0, 10)).await.unwrap();
    store.commit(spend(1, 5)).await.unwrap();
    store.commit(spend(7200, 2)).await.unwrap();
    let other = commit(0, |commit| commit.spent = vec![("new".into(), 100)]);
    store.commit(other).await.unwrap();
    let old = "old".into();
    let since = |second| store.spent_today(&old, at(second));
    assert_eq!(since(-3600).await.unwrap(), 17);
    assert_eq!(since(3600).await.unwrap(), 2);
    assert_eq!(since(9000).await.unwrap(), 0);
    assert_eq!(store.spent_today(&"third".into(), at(0)).await.unwrap(), 0);
}
