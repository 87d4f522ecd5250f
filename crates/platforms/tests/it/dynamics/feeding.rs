//! Change tracking: tokens, what is gone and what is there, tables without it.

use handover_connect::{Clock as _, Connector as _, Cursor, Fault, FaultKind, Fed};
use handover_sandbox::faults::DisturbAction;
use jiff::SignedDuration;
use serde_json::{Value as Json, json};

use super::{Stage, id};

impl Stage {
    fn later(&self, span: SignedDuration) {
        self.clock.set(self.clock.now().checked_add(span).unwrap());
    }

    /// A whole feed, and on how many pages it came.
    async fn fed(&self, object: &str, token: Option<&Cursor>) -> Result<(Fed, usize), Fault> {
        let (mut records, mut next, mut pages) = (Vec::new(), None, 0);
        loop {
            let page = self.driver.feed(&object.into(), token, next.as_ref()).await?;
            records.extend(page.records);
            pages += 1;
            next = page.next;
            if next.is_none() {
                return Ok((Fed { records, next: None, token: page.token }, pages));
            }
        }
    }

    /// Who is there and who is gone since a token, each once and in order.
    async fn since(&self, object: &str, token: &Cursor) -> [Vec<String>; 2] {
        let told = self.fed(object, Some(token)).await.unwrap().0;
        [false, true].map(|gone| {
            let some = told.records.iter().filter(|record| record.gone == gone);
            let mut ids: Vec<String> = some.map(|record| record.id.to_string()).collect();
            ids.sort();
            ids
        })
    }
}

fn rows(table: &str, key: &str, all: &[(u64, Json)]) -> Json {
    let row = |(n, more): &(u64, Json)| {
        let mut row = more.clone();
        row[key] = json!(id(*n));
        row
    };
    json!({"records": {table: all.iter().map(row).collect::<Vec<_>>()}})
}

fn accounts(count: u64) -> Json {
    let all: Vec<(u64, Json)> = (1..=count).map(|n| (n, json!({"name": format!("A{n}")}))).collect();
    rows("account", "accountid", &all)
}

#[tokio::test]
async fn pages_are_as_large_as_those_of_lists_and_the_token_is_behind_the_last() {
    let stage = Stage::of(accounts(5_003), &["account"]).await;
    let (all, pages) = stage.fed("account", None).await.unwrap();
    assert_eq!((all.records.len(), pages), (5_003, 2));
    let token = all.token.unwrap();
    assert!(!token.0.contains("sandbox.test"), "a link's host is not believed: {}", token.0);
    for n in 1..=5_001 {
        stage.upset("account", &id(n), DisturbAction::Touch);
    }
    stage.upset("account", &id(5_003), DisturbAction::Delete);
    let (told, pages) = stage.fed("account", Some(&token)).await.unwrap();
    assert_eq!((told.records.len(), pages), (5_002, 2));
    assert!(told.records.iter().filter(|record| record.gone).map(|record| record.id.as_str()).eq([id(5_003)]));
}

#[tokio::test]
async fn who_was_merged_away_is_gone_and_who_comes_back_is_there() {
    let stage = Stage::of(accounts(4), &["account"]).await;
    let token = stage.fed("account", None).await.unwrap().0.token.unwrap();
    stage.upset("account", &id(1), DisturbAction::Merge { into: id(2) });
    stage.upset("account", &id(3), DisturbAction::Delete);
    let [there, gone] = stage.since("account", &token).await;
    assert!(there.contains(&id(2)) && gone == [id(1), id(3)], "{there:?} {gone:?}");
    stage.upset("account", &id(3), DisturbAction::Restore);
    let [there, gone] = stage.since("account", &token).await;
    assert!(there.contains(&id(3)) && gone == [id(1)], "{there:?} {gone:?}");
    // Who is merged away already when it begins is gone too.
    let begun = stage.fed("account", None).await.unwrap().0;
    assert_eq!(begun.records.iter().filter(|record| !record.gone).count(), 3);
}

#[tokio::test]
async fn notes_and_files_are_told_apart_while_they_are_there() {
    let notes = [
        (1, json!({"subject": "N"})),
        (2, json!({"subject": "F", "isdocument": true, "filename": "f.txt", "documentbody": "eA=="})),
    ];
    let stage = Stage::of(rows("annotation", "annotationid", &notes), &["annotation", "annotation.document"]).await;
    let mut tokens = Vec::new();
    for (object, n) in [("annotation", 1), ("annotation.document", 2)] {
        let all = stage.fed(object, None).await.unwrap().0;
        assert!(all.records.iter().map(|record| record.id.as_str()).eq([id(n)]), "{object}");
        tokens.push(all.token.unwrap());
    }
    // What kind of row it was nobody tells: whoever asks for it by its id learns that it was none of its own.
    stage.upset("annotation", &id(2), DisturbAction::Delete);
    assert_eq!(stage.since("annotation", &tokens[0]).await, [vec![], vec![id(2)]]);
    assert_eq!(stage.since("annotation.document", &tokens[1]).await, [vec![], vec![id(2)]]);
}

#[tokio::test]
async fn a_table_without_it_is_not_asked() {
    let stage = Stage::of(json!({"tracking": {"account": false}}), &["account", "connectionrole"]).await;
    for object in ["account", "connectionrole"] {
        let before = stage.sent();
        let fault = stage.fed(object, None).await.unwrap_err();
        assert_eq!((fault.kind, stage.sent()), (FaultKind::Unsupported, before), "{object}");
    }
}

#[tokio::test]
async fn a_token_ends_and_is_believed_of_its_own_table_alone() {
    let stage = Stage::of(accounts(2), &["account", "contact"]).await;
    let token = stage.fed("account", None).await.unwrap().0.token.unwrap();
    let before = stage.sent();
    let fault = stage.fed("contact", Some(&token)).await.unwrap_err();
    assert_eq!((fault.kind, stage.sent()), (FaultKind::Unsupported, before));
    stage.later(SignedDuration::from_hours(7 * 24));
    assert_eq!(stage.since("account", &token).await, [Vec::<String>::new(), Vec::new()]);
    stage.later(SignedDuration::from_secs(1));
    let fault = stage.fed("account", Some(&token)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotFound);
    // Another refusal of it means the same, whatever its code; that of a right does not.
    let token = stage.fed("account", None).await.unwrap().0.token.unwrap();
    let broken = Cursor(token.0.replace("%21", "%22"));
    assert_eq!(stage.fed("account", Some(&broken)).await.unwrap_err().kind, FaultKind::NotFound);
    let stage = Stage::of(json!({"settings": {"reads_all": false}}), &["account"]).await;
    assert_eq!(stage.fed("account", Some(&token)).await.unwrap_err().kind, FaultKind::Denied);
    assert_eq!(stage.fed("account", None).await.unwrap_err().kind, FaultKind::Denied);
}
