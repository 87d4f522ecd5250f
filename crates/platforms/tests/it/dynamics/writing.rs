//! Batches: which answer is whose, records that must be there, keys, owners, lookups.

use handover_connect::{Connector as _, Dialect as _, FaultKind, Operation, Reply, Step, WriteMode, WriteOutcome};
use handover_model::Value;
use handover_platforms::dynamics::Dynamics;
use handover_sandbox::faults::DisturbAction;
use handover_sandbox::journal::Action;
use serde_json::json;

use super::{Stage, TEAM, USER, applied, batch, id, refused, value};

fn text(text: &str) -> Value {
    Value::from(text)
}

#[tokio::test]
async fn an_update_brings_nobody_back() {
    let stage = Stage::of(json!({"records": {"account": [{"accountid": id(1), "name": "A"}]}}), &["account"]).await;
    stage.upset("account", &id(1), DisturbAction::Delete);
    let outcome = stage.update("account", &id(1), &[("name", text("B"))]).await;
    assert_eq!(refused(&outcome).kind, FaultKind::NotFound);
    assert!(stage.list("account", &["name"]).await.unwrap().is_empty());
}

#[tokio::test]
async fn each_row_has_its_own_answer() {
    let account = json!({"records": {"account": [{"accountid": id(1), "name": "A"}]}});
    let stage = Stage::of(account, &["account", "contact"]).await;
    let rows: Vec<Vec<(&str, Value)>> = vec![
        vec![("lastname", text("One")), ("parentcustomerid.account", text(&id(1)))],
        vec![("lastname", text("Two")), ("parentcustomerid.account", text(&id(99)))],
        vec![("lastname", text("Three")), ("gendercode", text("77"))],
        vec![("lastname", text("x".repeat(60).as_str()))],
        vec![("lastname", text("Five")), ("ownerid", text(&id(98)))],
        vec![("lastname", text("Six"))],
    ];
    let rows: Vec<&[(&str, Value)]> = rows.iter().map(Vec::as_slice).collect();
    let written = stage.create("contact", &rows).await;
    let fault = |at: usize| {
        let fault = refused(&written[at].outcome);
        (fault.kind, fault.field.as_ref().map(|field| field.to_string()).unwrap_or_default())
    };
    assert_eq!(fault(1), (FaultKind::Invalid, "parentcustomerid.account".to_owned()));
    assert_eq!(fault(2), (FaultKind::Invalid, "gendercode".to_owned()));
    assert_eq!(fault(3), (FaultKind::Invalid, "lastname".to_owned()));
    assert_eq!(fault(4), (FaultKind::Invalid, "ownerid".to_owned()));
    for (at, name) in [(0, "One"), (5, "Six")] {
        let record = stage.fetch("contact", &["lastname"], &applied(&written[at].outcome)).await;
        assert_eq!(value(&record, "lastname"), &text(name));
    }
    assert_eq!(stage.list("contact", &[]).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_key_makes_one_record_however_often_it_is_sent() {
    let stage = Stage::of(json!({}), &["account"]).await;
    let key = || Some("new_sourcekey".into());
    let row: &[(&str, Value)] = &[("name", text("A")), ("new_sourcekey", text("old:persons:1"))];
    let create = batch("account", WriteMode::Create { key: key() }, &[("", row)]);
    let first = stage.driver.write(&create).await.unwrap().remove(0).outcome;
    let made = applied(&first);
    // The same creation again, as after an answer that was lost: refused, naming what is there.
    let again = stage.driver.write(&create).await.unwrap().remove(0).outcome;
    let fault = refused(&again);
    assert_eq!((fault.kind, fault.detail.clashing.as_slice()), (FaultKind::Conflict, [made.clone()].as_slice()));
    // An upsert changes it instead; the colon of the key stands in no address.
    let changed: &[(&str, Value)] = &[("name", text("B")), ("new_sourcekey", text("old:persons:1"))];
    let upsert = batch("account", WriteMode::Upsert { key: "new_sourcekey".into() }, &[("", changed)]);
    let outcome = stage.driver.write(&upsert).await.unwrap().remove(0).outcome;
    assert!(
        matches!(&outcome, WriteOutcome::Applied { id, created: Some(false) } if *id == *made.as_str()),
        "{outcome:?}"
    );
    // Somebody else's record with the key is not touched.
    let foreign = json!({"name": "Other", "new_sourcekey": "old:persons:2"});
    stage.upset("account", "", DisturbAction::Create { fields: foreign });
    let taken: &[(&str, Value)] = &[("name", text("C")), ("new_sourcekey", text("old:persons:2"))];
    let upsert = batch("account", WriteMode::Upsert { key: "new_sourcekey".into() }, &[("", taken)]);
    let outcome = stage.driver.write(&upsert).await.unwrap().remove(0).outcome;
    assert_eq!((refused(&outcome).kind, refused(&outcome).code.as_str()), (FaultKind::Conflict, "0x80060892"));
    assert_eq!(stage.sandbox.lock().unwrap().journal().count("account", Action::Created), 2);
}

#[tokio::test]
async fn lookups_lead_where_they_are_told_and_owners_may_be_teams() {
    let records = json!({"records": {
        "account": [{"accountid": id(1), "name": "A"}], "contact": [{"contactid": id(2), "lastname": "C"}],
    }});
    let stage = Stage::of(records, &["account", "contact", "opportunity", "task"]).await;
    let team = format!("team:{TEAM}");
    let row: &[(&str, Value)] = &[
        ("name", text("O")),
        ("customerid.contact", text(&id(2))),
        ("ownerid", text(&team)),
        ("transactioncurrencyid", text("USD")),
    ];
    let made = applied(&stage.create("opportunity", &[row]).await[0].outcome);
    let fields = ["customerid", "customerid.account", "customerid.contact", "ownerid", "transactioncurrencyid"];
    let record = stage.fetch("opportunity", &fields, &made).await;
    assert_eq!(value(&record, "customerid"), &text(&id(2)));
    assert_eq!(
        (value(&record, "customerid.account"), value(&record, "customerid.contact")),
        (&Value::Null, &text(&id(2)))
    );
    assert_eq!((value(&record, "ownerid"), value(&record, "transactioncurrencyid")), (&text(&team), &text("USD")));
    // One part leads elsewhere, and the other says nothing: that is no clearing.
    let moved = [("customerid.contact", Value::Null), ("customerid.account", text(&id(1))), ("ownerid", text(USER))];
    applied(&stage.update("opportunity", &made, &moved).await);
    let record = stage.fetch("opportunity", &fields, &made).await;
    assert_eq!((value(&record, "customerid.account"), value(&record, "ownerid")), (&text(&id(1)), &text(USER)));
    // Two at once cannot be.
    let both: &[(&str, Value)] = &[("customerid.account", text(&id(1))), ("customerid.contact", text(&id(2)))];
    let fault = stage.driver.write(&batch("opportunity", WriteMode::Update, &[(&made, both)])).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Invalid);
    // A currency that the environment does not have is not sent.
    let before = stage.sent();
    let yen: &[(&str, Value)] = &[("name", text("Y")), ("transactioncurrencyid", text("JPY"))];
    let fault =
        stage.driver.write(&batch("opportunity", WriteMode::Create { key: None }, &[("", yen)])).await.unwrap_err();
    assert_eq!((fault.kind, stage.sent()), (FaultKind::Invalid, before));
}

#[tokio::test]
async fn dates_of_creation_are_set_back() {
    let stage = Stage::of(json!({}), &["account"]).await;
    let then = Value::DateTime("2019-05-04T03:02:01Z".parse().unwrap());
    let made =
        applied(&stage.create("account", &[&[("name", text("A")), ("createdon", then.clone())]]).await[0].outcome);
    assert_eq!(value(&stage.fetch("account", &["createdon"], &made).await, "createdon"), &then);
}

/// An answer of which parts are missing, or in which a limit stands, is told by no sandbox.
#[tokio::test]
async fn parts_are_joined_by_their_order_and_sent_again_alone() {
    let stage = Stage::of(json!({}), &["account"]).await;
    let dialect = Dynamics::new();
    dialect.learn(&stage.driver.describe(&"account".into()).await.unwrap());
    let rows: [(&str, &[(&str, Value)]); 2] = [("", &[("name", text("A"))]), ("", &[("name", text("B"))])];
    let operation = Operation::Write(batch("account", WriteMode::Create { key: None }, &rows));
    let part = |status: &str, more: &str, body: &str| {
        format!(
            "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nHTTP/1.1 {status}\r\n{more}\r\n{body}\r\n"
        )
    };
    let reply = |parts: &[String]| Reply {
        status: 200,
        headers: vec![("content-type".to_owned(), "multipart/mixed; boundary=b".to_owned())],
        body: format!("{}--b--\r\n", parts.concat()).into_bytes(),
        sunk: None,
    };
    let made = part("204 No Content", &format!("OData-EntityId: https://x/api/data/v9.2/accounts({})\r\n", id(5)), "");
    // The body holds what looks like an end, and is none.
    let body = json!({"error": {"code": "0x80072322", "message": "--b-- Number of requests exceeded"}}).to_string();
    let limited = part("429 Too Many Requests", "Retry-After: 7\r\n", &body);
    let step = dialect.decode(&operation, None, &reply(&[limited, made.clone()])).unwrap();
    let Step::Then { cursor, wait_ms, .. } = step else { panic!("{step:?}") };
    assert_eq!(wait_ms, 7_000);
    let again = dialect.encode(&operation, Some(&cursor)).unwrap();
    assert_eq!(again.charges[0].amount, 1, "only the one that was refused");
    let other = part("204 No Content", &format!("OData-EntityId: https://x/api/data/v9.2/accounts({})\r\n", id(6)), "");
    let Step::Written(written) = dialect.decode(&operation, Some(&cursor), &reply(&[other])).unwrap() else { panic!() };
    assert_eq!((applied(&written[0].outcome), applied(&written[1].outcome)), (id(6), id(5)));
    let fault = dialect.decode(&operation, None, &reply(&[made])).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Malformed);
}
