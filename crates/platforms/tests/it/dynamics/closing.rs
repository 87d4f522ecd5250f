//! Records are made open and closed behind that; what is closed stays as it is (sheet: section 5.6).

use handover_connect::{FaultKind, WriteOutcome};
use handover_model::Value;
use rust_decimal::Decimal;
use serde_json::json;

use super::{Stage, applied, id, refused, value};

fn text(text: &str) -> Value {
    Value::from(text)
}

#[tokio::test]
async fn opportunities_are_won_and_lost_by_actions() {
    let stage = Stage::of(json!({}), &["opportunity"]).await;
    let won: &[(&str, Value)] = &[
        ("name", text("Won")),
        ("statuscode", text("3")),
        ("actualclosedate", Value::Date("2025-06-30".parse().unwrap())),
        ("actualvalue", Value::Number(Decimal::from(1_200))),
    ];
    let lost: &[(&str, Value)] = &[("name", text("Lost")), ("statecode", text("2")), ("statuscode", text("5"))];
    let open: &[(&str, Value)] = &[("name", text("Open")), ("statecode", text("0")), ("statuscode", text("2"))];
    let before = stage.sent();
    let written = stage.create("opportunity", &[won, lost, open]).await;
    assert_eq!(stage.sent() - before, 1, "all in one batch");
    let fields = ["statecode", "statuscode", "actualclosedate", "actualvalue"];
    let of = |at: usize| applied(&written[at].outcome);
    let record = stage.fetch("opportunity", &fields, &of(0)).await;
    assert_eq!((value(&record, "statecode"), value(&record, "statuscode")), (&text("1"), &text("3")));
    // What was said of the end is what stands there, and not today.
    assert_eq!(value(&record, "actualclosedate"), &Value::Date("2025-06-30".parse().unwrap()));
    assert_eq!(value(&record, "actualvalue"), &Value::Number(Decimal::from(1_200)));
    let record = stage.fetch("opportunity", &fields, &of(1)).await;
    assert_eq!((value(&record, "statecode"), value(&record, "statuscode")), (&text("2"), &text("5")));
    let record = stage.fetch("opportunity", &fields, &of(2)).await;
    assert_eq!((value(&record, "statecode"), value(&record, "statuscode")), (&text("0"), &text("2")));
    // A closed one is read only; opened again it takes what is said.
    let outcome = stage.update("opportunity", &of(0), &[("name", text("Changed"))]).await;
    let fault = refused(&outcome);
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Invalid, "0x80048d0f"));
    assert!(fault.message.contains("closed"));
    applied(&stage.update("opportunity", &of(0), &[("statecode", text("0")), ("name", text("Again"))]).await);
    let record = stage.fetch("opportunity", &["name", "statecode"], &of(0)).await;
    assert_eq!((value(&record, "name"), value(&record, "statecode")), (&text("Again"), &text("0")));
    // What is changed with the closing arrives before it.
    applied(&stage.update("opportunity", &of(2), &[("name", text("Last")), ("statuscode", text("4"))]).await);
    let record = stage.fetch("opportunity", &["name", "statecode"], &of(2)).await;
    assert_eq!((value(&record, "name"), value(&record, "statecode")), (&text("Last"), &text("2")));
}

#[tokio::test]
async fn a_record_that_cannot_be_closed_is_not_made() {
    let stage = Stage::of(json!({}), &["opportunity", "task"]).await;
    let bad: &[(&str, Value)] = &[("name", text("A")), ("statecode", text("1")), ("statuscode", text("5"))];
    let written = stage.create("opportunity", &[bad, &[("name", text("B"))]]).await;
    assert_eq!(refused(&written[0].outcome).kind, FaultKind::Invalid);
    applied(&written[1].outcome);
    let all = stage.list("opportunity", &["name"]).await.unwrap();
    assert_eq!(all.iter().map(|record| value(record, "name").display()).collect::<Vec<_>>(), ["B"]);
}

#[tokio::test]
async fn activities_and_cases_close_in_their_ways() {
    let account = json!({"records": {"account": [{"accountid": id(1), "name": "A"}]}});
    let stage = Stage::of(account, &["task", "incident", "email"]).await;
    let done: &[(&str, Value)] = &[("subject", text("T")), ("statuscode", text("5"))];
    let task = applied(&stage.create("task", &[done]).await[0].outcome);
    assert_eq!(value(&stage.fetch("task", &["statecode"], &task).await, "statecode"), &text("1"));
    assert_eq!(refused(&stage.update("task", &task, &[("subject", text("U"))]).await).kind, FaultKind::Invalid);
    let case = |state: &str, status: &str| {
        [
            ("title", text("C")),
            ("customerid.account", text(&id(1))),
            ("statecode", text(state)),
            ("statuscode", text(status)),
        ]
    };
    let (resolved, cancelled) = (case("1", "1000"), case("2", "6"));
    let written = stage.create("incident", &[&resolved, &cancelled]).await;
    for (at, status) in [(0, "1000"), (1, "6")] {
        let record = stage.fetch("incident", &["statuscode"], &applied(&written[at].outcome)).await;
        assert_eq!(value(&record, "statuscode"), &text(status));
    }
    // An e-mail becomes history and is not sent.
    let mail: &[(&str, Value)] = &[("subject", text("M")), ("statecode", text("1")), ("statuscode", text("3"))];
    let mail = applied(&stage.create("email", &[mail]).await[0].outcome);
    assert_eq!(value(&stage.fetch("email", &["statuscode"], &mail).await, "statuscode"), &text("3"));
    let sandbox = stage.sandbox.lock().unwrap();
    assert!(sandbox.journal().entries().iter().all(|entry| !entry.path.contains("SendEmail")));
}

#[tokio::test]
async fn a_lost_closing_is_not_sent_twice() {
    let stage =
        Stage::of(json!({"records": {"opportunity": [{"opportunityid": id(1), "name": "O"}]}}), &["opportunity"]).await;
    stage.plan(json!([{"when": {"nth": 1}, "fault": {"kind": "lost_after"}}]));
    let before = stage.sent();
    let outcome = stage.update("opportunity", &id(1), &[("statecode", text("1"))]).await;
    assert!(matches!(outcome, WriteOutcome::Unknown(_)), "{outcome:?}");
    assert_eq!(stage.sent() - before, 1);
}
