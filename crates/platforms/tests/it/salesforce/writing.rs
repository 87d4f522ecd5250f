//! Batches, and what becomes of their rows.

use handover_connect::{Dialect, Operation, Step, Write, WriteBatch, WriteMode};
use handover_model::{Content, Fields, Value};
use handover_platforms::salesforce::Salesforce;
use serde_json::json;

use super::{
    CONTACT, ONE, TWO, batch, create, decoded, described, encoded, field, outcomes, reply, text, then, update, written,
};

#[test]
fn how_rows_are_sent() {
    let null = Value::Null;
    let amount = Value::Number("1234567890123456.78".parse().unwrap());
    let many = Value::List(vec!["a".into(), "b".into()]);
    let at = Value::DateTime("2026-01-05T09:00:00Z".parse().unwrap());
    let all = [
        (
            create("Account", &[&[("Name", "a \"b\"".into()), ("Sum__c", amount), ("Gone", null.clone())]]),
            r#"POST /composite/sobjects {"allOrNone":false,"records":[{"attributes":{"type":"Account"},"Name":"a \"b\"","Sum__c":1234567890123456.78}]}"#.to_owned(),
        ),
        (
            update("Account", &[(ONE, &[("Gone", null.clone()), ("Regions__c", many)]), (TWO, &[("Met__c", at)])]),
            format!(r#"PATCH /composite/sobjects {{"allOrNone":false,"records":[{{"attributes":{{"type":"Account"}},"id":"{ONE}","Gone":null,"Regions__c":"a;b"}},{{"attributes":{{"type":"Account"}},"id":"{TWO}","Met__c":"2026-01-05T09:00:00.000Z"}}]}}"#),
        ),
        (
            Operation::Write(batch("Ship__c", WriteMode::Upsert { key: "Key__c".into() }, &[("", &[("Key__c", "K".into())])])),
            r#"PATCH /composite/sobjects/Ship__c/Key__c {"allOrNone":false,"records":[{"attributes":{"type":"Ship__c"},"Key__c":"K"}]}"#.to_owned(),
        ),
        // Of a column with several fields one leads somewhere.
        (
            update("Task", &[(ONE, &[("WhatId.Account", TWO.into()), ("WhatId.Case", null.clone())])]),
            format!(r#"PATCH /composite/sobjects {{"allOrNone":false,"records":[{{"attributes":{{"type":"Task"}},"id":"{ONE}","WhatId":"{TWO}"}}]}}"#),
        ),
        (
            update("Task", &[(ONE, &[("WhatId.Account", null.clone())])]),
            format!(r#"PATCH /composite/sobjects {{"allOrNone":false,"records":[{{"attributes":{{"type":"Task"}},"id":"{ONE}","WhatId":null}}]}}"#),
        ),
        (
            update("Task", &[(ONE, &[("WhatId.Account", TWO.into()), ("WhatId.Case", CONTACT.into())])]),
            "refused: `WhatId` points to one record only".to_owned(),
        ),
        (
            create("Account", &[&[("Regions__c", Value::List(vec!["a;b".into()]))]]),
            "refused: one of several choices has a semicolon, which would make two of it".to_owned(),
        ),
        (
            create("ContentNote", &[&[("Title", "t".into()), ("Content", "<b>".into())]]),
            r#"POST /composite/sobjects {"allOrNone":false,"records":[{"attributes":{"type":"ContentNote"},"Content":"PGI+","Title":"t"}]}"#.to_owned(),
        ),
        (
            update("Opportunity", &[(ONE, &[("OpportunityContactRoles", null)])]),
            "refused: `OpportunityContactRoles` is written in calls of its own".to_owned(),
        ),
        (
            update("Account", &[(ONE, &[]), ("001D000000IqhSL", &[])]),
            "refused: a batch may have one write only for each record".to_owned(),
        ),
        (create("Attachment", &[&[]]), "refused: attachments are read only: new ones are written as files (ContentVersion)".to_owned()),
    ];
    for (operation, expected) in all {
        assert_eq!(encoded(&operation, None), expected);
    }
}

#[test]
fn only_what_may_be_sent_twice_says_so() {
    let dialect = Salesforce::new();
    let request = |operation: &Operation| dialect.encode(operation, None).unwrap();
    let made = request(&create("Account", &[&[("Name", "a".into())]]));
    assert!(!made.idempotent);
    assert!(made.headers.contains(&("sforce-auto-assign".to_owned(), "FALSE".to_owned())));
    assert!(request(&update("Account", &[(ONE, &[])])).idempotent);
    assert!(request(&Operation::Delete { object: "Account".into(), ids: vec![ONE.into()] }).idempotent);
}

fn ok(id: &str) -> serde_json::Value {
    json!({"id": id, "success": true, "errors": []})
}

fn refused(code: &str, message: &str, fields: &[&str]) -> serde_json::Value {
    json!({"success": false, "errors": [{"statusCode": code, "message": message, "fields": fields}]})
}

#[test]
fn rows_are_joined_by_their_places_and_only_when_all_fits() {
    let name: &[(&str, Value)] = &[("Name", "a".into())];
    let new = create("Account", &[name, name]);
    let change = update("Account", &[(ONE, name), (TWO, name)]);
    let all = [
        (&new, json!([ok(ONE), ok(TWO)]), vec![format!("t0 {ONE} Some(true)"), format!("t1 {TWO} Some(true)")]),
        (
            &new,
            json!([ok(ONE), refused("REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", &["Name"])]),
            vec![format!("t0 {ONE} Some(true)"), "t1 Invalid REQUIRED_FIELD_MISSING".to_owned()],
        ),
        // Fewer, more, one record twice, no id, another id than was sent: nobody knows.
        (&new, json!([ok(ONE)]), vec!["t0 ? Malformed".to_owned(), "t1 ? Malformed".to_owned()]),
        (&new, json!([ok(ONE), ok(TWO), ok(TWO)]), vec!["t0 ? Malformed".to_owned(), "t1 ? Malformed".to_owned()]),
        (&new, json!([ok(ONE), ok(ONE)]), vec!["t0 ? Malformed".to_owned(), "t1 ? Malformed".to_owned()]),
        (&new, json!([ok(ONE), {"success": true}]), vec!["t0 ? Malformed".to_owned(), "t1 ? Malformed".to_owned()]),
        (&change, json!([ok(TWO), ok(ONE)]), vec!["t0 ? Malformed".to_owned(), "t1 ? Malformed".to_owned()]),
        (
            &change,
            json!([ok("001D000000IqhSL"), refused("ENTITY_IS_DELETED", "entity is deleted", &[])]),
            vec!["t0 001D000000IqhSL Some(false)".to_owned(), "t1 NotFound ENTITY_IS_DELETED".to_owned()],
        ),
        (
            &change,
            json!([ok(ONE), {"success": false, "errors": []}]),
            vec![format!("t0 {ONE} Some(false)"), "t1 ? Malformed".to_owned()],
        ),
    ];
    for (operation, answer, expected) in all {
        assert_eq!(outcomes(&written(decoded(operation, None, &reply(200, &answer)).unwrap())), expected, "{answer}");
    }
    // What cannot be told apart from an answer is none.
    assert!(decoded(&new, None, &text(200, "<html>")).is_err());
    assert!(decoded(&new, None, &reply(400, &json!([{"errorCode": "JSON_PARSER_ERROR", "message": "x"}]))).is_err());
    let key = WriteMode::Upsert { key: "Key__c".into() };
    let upsert = Operation::Write(batch("Account", key, &[("", &[("Key__c", "K".into())])]));
    let made = json!([{"id": ONE, "success": true, "errors": [], "created": false}]);
    let told = written(decoded(&upsert, None, &reply(200, &made)).unwrap());
    assert_eq!(outcomes(&told), [format!("t0 {ONE} Some(false)")]);
}

#[test]
fn only_rows_that_met_a_lock_are_sent_again() {
    let row = |name: &str| [("Name", Value::from(name))];
    let (a, b, c) = (row("a"), row("b"), row("c"));
    let new = create("Account", &[&a, &b, &c]);
    let lock = || refused("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", &[]);
    let wrapped = refused("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "trigger: UNABLE_TO_LOCK_ROW, x", &[]);
    let (cursor, first) = then(&new, None, &reply(200, &json!([lock(), ok(ONE), wrapped])));
    assert!(first > 0);
    let sent = encoded(&new, Some(&cursor));
    assert!(sent.contains(r#""Name":"a""#) && sent.contains(r#""Name":"c""#) && !sent.contains(r#""Name":"b""#));
    let told = written(decoded(&new, Some(&cursor), &reply(200, &json!([ok(TWO), ok(CONTACT)]))).unwrap());
    let all = [format!("t0 {TWO} Some(true)"), format!("t1 {ONE} Some(true)"), format!("t2 {CONTACT} Some(true)")];
    assert_eq!(outcomes(&told), all);
    // Not for ever, and each time later.
    let (mut at, mut waited) = (cursor, first);
    for _ in 0..10 {
        match decoded(&new, Some(&at), &reply(200, &json!([lock(), lock()]))).unwrap() {
            Step::Then { cursor, wait_ms, .. } => {
                assert!(wait_ms > waited);
                (at, waited) = (cursor, wait_ms);
            }
            step => {
                assert_eq!(outcomes(&written(step))[0], "t0 ? Unavailable");
                return;
            }
        }
    }
    panic!("it is sent again for ever");
}

#[test]
fn files_are_uploaded_one_at_a_time() {
    let fields = [("PathOnClient", Value::from("a.pdf")), ("FirstPublishLocationId.Account", ONE.into())];
    let fields: Fields = fields.into_iter().map(|(name, value)| (name.into(), value)).collect();
    let content = Some(Content { path: "/staged".into(), bytes: 9, blake3: String::new() });
    let write = Write { trace: "t0".into(), id: None, fields: fields.into(), content };
    let mode = || WriteMode::Create { key: None };
    let upload = Operation::Write(WriteBatch { object: "ContentVersion".into(), mode: mode(), writes: [write].into() });
    assert_eq!(
        encoded(&upload, None),
        format!(
            r#"POST /sobjects/ContentVersion multipart entity_content:{{"FirstPublishLocationId":"{ONE}","PathOnClient":"a.pdf"}} VersionData=<a.pdf, 9 bytes>"#
        )
    );
    let id = "068D000000IqhSLIAZ";
    let told = written(decoded(&upload, None, &reply(201, &json!({"id": id, "success": true, "errors": []}))).unwrap());
    assert_eq!(outcomes(&told), [format!("t0 {id} Some(true)")]);
    let full = reply(400, &json!([{"errorCode": "STORAGE_LIMIT_EXCEEDED", "message": "storage limit exceeded"}]));
    assert!(decoded(&upload, None, &full).is_err());
    let bare = create("ContentVersion", &[&[("PathOnClient", "a.pdf".into())]]);
    assert_eq!(encoded(&bare, None), "refused: a file cannot be written without its bytes");
    let down = Operation::Download { object: "Attachment".into(), id: "00PD000000IqhSLIAZ".into(), to: "/to".into() };
    assert_eq!(encoded(&down, None), "GET /sobjects/Attachment/00PD000000IqhSLIAZ/Body");
    let none = Operation::Download { object: "Account".into(), id: ONE.into(), to: "/to".into() };
    assert_eq!(encoded(&none, None), format!("refused: `{ONE}` of Account has no bytes"));
}

#[test]
fn what_is_gone_is_deleted() {
    let delete =
        |ids: &[&str]| Operation::Delete { object: "Account".into(), ids: ids.iter().map(|id| (*id).into()).collect() };
    let two = delete(&[ONE, TWO]);
    assert_eq!(encoded(&two, None), format!("DELETE /composite/sobjects?ids={ONE},{TWO}&allOrNone=false"));
    let all = [
        (json!([ok(ONE), refused("ENTITY_IS_DELETED", "entity is deleted", &[])]), "t"),
        (json!([ok(ONE), refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &[])]), "t"),
        (json!([ok(ONE), refused("DELETE_FAILED", "related records", &[])]), "Conflict"),
        (json!([ok(ONE), ok(ONE)]), "?"),
        (json!([ok(ONE), refused("UNABLE_TO_LOCK_ROW", "", &[])]), "?"),
    ];
    for (answer, expected) in all {
        let told = outcomes(&written(decoded(&two, None, &reply(200, &answer)).unwrap()));
        assert_eq!(told[0], format!("{ONE} {ONE} Some(false)"));
        let second = if expected == "t" { format!("{TWO} Some(false)") } else { expected.to_owned() };
        assert!(told[1].contains(&second), "{answer}: {told:?}");
    }
    assert!(decoded(&two, None, &reply(200, &json!([ok(ONE)]))).is_err());
}

/// One wrong type would have all rows refused, and nobody told which: it does not leave.
#[test]
fn values_of_another_type_are_not_sent() {
    let dialect = Salesforce::new();
    let fields = ["Amount currency", "Flag boolean", "Close date", "Met datetime", "At time", "Name string"];
    let fields: Vec<serde_json::Value> = fields
        .iter()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(name, kind)| field(name, kind, &json!({})))
        .collect();
    described(&dialect, "Ship__c", &json!({"fields": fields, "label": "Ship"}));
    for name in ["Amount", "Flag", "Close", "Met", "At"] {
        let wrong = create("Ship__c", &[&[("Name", "x".into())], &[(name, "Zq7 secret".into())]]);
        let refusal = dialect.encode(&wrong, None).unwrap_err();
        assert_eq!(refusal.field.as_ref().map(|field| field.as_str()), Some(name));
        assert!(!refusal.message.contains("Zq7"));
        assert!(dialect.encode(&create("Ship__c", &[&[(name, Value::Null)]]), None).is_ok());
    }
}

#[test]
fn a_refused_column_is_the_field_that_was_written() {
    let change = update("Task", &[(ONE, &[("WhatId.Account", TWO.into()), ("WhatId.Case", Value::Null)])]);
    let answer = json!([refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &["WhatId"])]);
    let told = written(decoded(&change, None, &reply(200, &answer)).unwrap());
    let handover_connect::WriteOutcome::Refused(fault) = &told[0].outcome else { panic!("{told:?}") };
    assert_eq!(fault.field.as_ref().map(|field| field.as_str()), Some("WhatId.Account"));
}
