//! Lists, pages, numbers, records by their ids.

use handover_connect::{Cursor, Dialect, Operation, Read, Step, Which, WriteMode};
use handover_model::{Kind, Value};
use handover_platforms::salesforce::Salesforce;
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::{
    CONTACT, ONE, TWO, batch, decoded, described, encoded, encoded_by, field, list, names, page_of, reply, rows, text,
    then,
};

fn account(id: &str) -> Json {
    json!({"attributes": {"type": "Account"}, "Id": id, "Name": "N", "SystemModstamp": "2026-02-01T10:00:00.000+0000"})
}

#[test]
fn what_is_asked_for() {
    let since: Option<Timestamp> = Some("2026-02-01T10:00:00.9Z".parse().unwrap());
    let read = |object: &str, which, since| {
        Operation::List(Read {
            object: object.into(),
            fields: names(&["Subject", "WhatId.Account", "WhatId.Case"]),
            which,
            since,
        })
    };
    let all = [
        (list("Account", &["Name", "Id"]), "GET /query?q=SELECT Id, Name, SystemModstamp FROM Account ORDER BY Id"),
        // Old tasks are archived: only the query of everything shows them.
        (
            read("Task", Which::Live, None),
            "GET /queryAll?q=SELECT Id, Subject, SystemModstamp, WhatId FROM Task WHERE IsDeleted = false ORDER BY Id",
        ),
        (
            read("Task", Which::Deleted, since),
            "GET /queryAll?q=SELECT Id, IsDeleted, Subject, SystemModstamp, WhatId FROM Task WHERE IsDeleted = true \
             AND SystemModstamp >= 2026-02-01T10:00:00Z ORDER BY Id",
        ),
        (
            list("ContentVersion", &["Title"]),
            "GET /query?q=SELECT Id, SystemModstamp, Title FROM ContentVersion WHERE IsLatest = true ORDER BY Id",
        ),
        (
            list("ns__Ship__c", &["Port__c"]),
            "GET /query?q=SELECT Id, Port__c, SystemModstamp FROM ns__Ship__c ORDER BY Id",
        ),
        (Operation::Count("Event".into()), "GET /queryAll?q=SELECT COUNT() FROM Event WHERE IsDeleted = false"),
        (list("Folder", &[]), "refused: Salesforce's `Folder` is not among the objects that can be carried"),
        (list("Account", &["Name FROM User"]), "refused: `Name FROM User` is no name that Salesforce could have"),
    ];
    for (operation, expected) in all {
        assert_eq!(encoded(&operation, None), expected);
    }
}

#[test]
fn pages_follow_each_other_and_resume_when_their_path_is_forgotten() {
    let list = list("Account", &["Name"]);
    let next = "/services/data/v66.0/query/01gD0000002HU6KIAW-2000";
    let first = reply(
        200,
        &json!({"totalSize": 3, "done": false, "nextRecordsUrl": next, "records": [account(ONE), account(TWO)]}),
    );
    let (records, cursor) = page_of(decoded(&list, None, &first).unwrap());
    assert_eq!(records.len(), 2);
    assert_eq!(records[0].modified, Some("2026-02-01T10:00:00Z".parse().unwrap()));
    let cursor = cursor.unwrap();
    assert_eq!(encoded(&list, Some(&cursor)), "GET /query/01gD0000002HU6KIAW-2000");
    assert!(page_of(decoded(&list, Some(&cursor), &rows(json!([account(ONE)]))).unwrap()).1.is_none());
    // Days later the platform has forgotten it: reading goes on behind the last record.
    for (status, code) in [(400, "INVALID_QUERY_LOCATOR"), (404, "NOT_FOUND")] {
        let gone = reply(status, &json!([{"message": "invalid query locator", "errorCode": code}]));
        let (again, wait_ms) = then(&list, Some(&cursor), &gone);
        assert_eq!(wait_ms, 0);
        assert_eq!(
            encoded(&list, Some(&again)),
            format!("GET /query?q=SELECT Id, Name, SystemModstamp FROM Account WHERE Id > '{TWO}' ORDER BY Id")
        );
    }
    // Another failure is one, and a path that leads elsewhere is none.
    assert!(decoded(&list, Some(&cursor), &text(503, "<html>")).is_err());
    for odd in ["https://elsewhere.example/query/1", "/services/data/v66.0/query/../sobjects", ""] {
        let page = json!({"totalSize": 3, "done": false, "nextRecordsUrl": odd, "records": []});
        assert!(decoded(&list, None, &reply(200, &page)).is_err(), "{odd}");
    }
}

#[test]
fn a_query_that_is_too_long_for_an_address_goes_into_a_body() {
    let fields: Vec<String> = (0..700).map(|n| format!("Field_with_a_long_name_{n}__c")).collect();
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let list = list("Account", &fields);
    let line = encoded(&list, None);
    assert!(line.starts_with(r#"POST /composite {"compositeRequest":[{"method":"GET","#), "{}", &line[..80]);
    let answer = json!({"compositeResponse": [{"body": {"totalSize": 1, "done": true, "records": [account(ONE)]},
        "httpHeaders": {}, "httpStatusCode": 200, "referenceId": "rows"}]});
    assert_eq!(page_of(decoded(&list, None, &reply(200, &answer)).unwrap()).0.len(), 1);
    let refused = json!({"compositeResponse": [{"body": [{"message": "No such column 'X'", "errorCode": "INVALID_FIELD"}],
        "httpHeaders": {}, "httpStatusCode": 400, "referenceId": "rows"}]});
    assert_eq!(decoded(&list, None, &reply(200, &refused)).unwrap_err().code, "INVALID_FIELD");
}

#[test]
fn values_are_read_as_their_fields_say() {
    let dialect = Salesforce::new();
    let kinds = [
        ("Name", "string"),
        ("Amount", "currency"),
        ("Flag", "boolean"),
        ("Close", "date"),
        ("Met", "datetime"),
        ("At", "time"),
        ("Regions", "multipicklist"),
        ("Gone", "string"),
    ];
    let mut fields: Vec<Json> = kinds.iter().map(|(name, kind)| field(name, kind, &json!({}))).collect();
    fields.push(field("WhatId", "reference", &json!({"referenceTo": ["Account", "Case", "Asset"]})));
    described(&dialect, "Task", &json!({"fields": fields, "label": "Task"}));
    let wanted: Vec<&str> =
        kinds.iter().map(|(name, _)| *name).chain(["WhatId", "WhatId.Account", "WhatId.Case"]).collect();
    // Digits that no binary fraction has.
    let body = format!(
        r#"{{"totalSize":1,"done":true,"records":[{{"attributes":{{"type":"Task"}},"Id":"{ONE}","Name":"a \"b\" ü",
        "Amount":1234567890123456.78,"Flag":false,"Close":"2026-01-31","Met":"2013-05-07T22:07:19.000+0000",
        "At":"13:30:00.000Z","Regions":"four;six","Gone":null,"WhatId":"{TWO}"}}]}}"#
    );
    let (records, _) = page_of(dialect.decode(&list("Task", &wanted), None, &text(200, &body)).unwrap());
    let expected = [
        ("Name", Value::from("a \"b\" ü")),
        ("Amount", Value::Number("1234567890123456.78".parse().unwrap())),
        ("Flag", Value::Bool(false)),
        ("Close", Value::Date("2026-01-31".parse().unwrap())),
        ("Met", Value::DateTime("2013-05-07T22:07:19Z".parse().unwrap())),
        ("At", Value::Time("13:30:00".parse().unwrap())),
        ("Regions", Value::List(vec!["four".into(), "six".into()])),
        ("Gone", Value::Null),
        ("WhatId", TWO.into()),
        ("WhatId.Account", TWO.into()),
        ("WhatId.Case", Value::Null),
    ];
    for (name, value) in expected {
        assert_eq!(records[0].fields.get(name), Some(&value), "{name}");
    }
}

#[test]
fn records_by_their_ids_and_what_they_became() {
    let fetch = |object: &str, ids: &[&str]| Operation::Fetch {
        object: object.into(),
        fields: names(&["Name"]),
        ids: ids.iter().map(|id| (*id).into()).collect(),
    };
    let two = fetch("Account", &[ONE, TWO, "nobody"]);
    assert_eq!(
        encoded(&two, None),
        format!(
            r#"POST /composite/sobjects/Account {{"fields":["Name","SystemModstamp","Id"],"ids":["{ONE}","{TWO}"]}}"#
        )
    );
    // One is not there: it may have been merged into another.
    let (records, next) = page_of(decoded(&two, None, &reply(200, &json!([account(ONE), null]))).unwrap());
    assert_eq!(records.len(), 1);
    let gone = next.unwrap();
    assert_eq!(
        encoded(&two, Some(&gone)),
        format!(
            "GET /queryAll?q=SELECT Id, MasterRecordId FROM Account WHERE Id IN ('{TWO}') AND IsDeleted = true \
             AND MasterRecordId != null ORDER BY Id"
        )
    );
    let third = "001D000000IqhSNIAZ";
    let (became, _) = then(&two, Some(&gone), &rows(json!([{"Id": TWO, "MasterRecordId": third}])));
    assert!(encoded(&two, Some(&became)).contains(&format!(r#""ids":["{third}"]"#)));
    let (records, next) = page_of(decoded(&two, Some(&became), &reply(200, &json!([account(third)]))).unwrap());
    assert_eq!((records[0].id.as_str(), next.is_none()), (third, true));
    // Into one that was asked for too: it comes once.
    let step = decoded(&two, Some(&gone), &rows(json!([{"Id": TWO, "MasterRecordId": ONE}]))).unwrap();
    assert!(page_of(step).0.is_empty());
    // What cannot be merged is not looked for; nothing at all is an empty answer.
    let campaign = fetch("Campaign", &["nobody"]);
    assert!(page_of(decoded(&campaign, None, &reply(200, &json!([null]))).unwrap()).1.is_none());
    let odd = reply(400, &json!([{"errorCode": "MALFORMED_ID", "message": "bad id nobody"}]));
    assert!(page_of(decoded(&campaign, None, &odd).unwrap()).0.is_empty());
    // Archived ones are only seen by the query of everything.
    assert_eq!(
        encoded(&fetch("Event", &[CONTACT]), None),
        format!(
            "GET /queryAll?q=SELECT Id, IsDeleted, Name, SystemModstamp FROM Event WHERE Id IN ('{CONTACT}') \
             AND IsDeleted = false ORDER BY Id"
        )
    );
}

#[test]
fn persons_come_as_accounts_only() {
    let dialect = Salesforce::new();
    let fields = [field("LastName", "string", &json!({})), field("IsPersonAccount", "boolean", &json!({}))];
    let schema = described(&dialect, "Contact", &json!({"fields": fields, "label": "Contact"}));
    assert_eq!(schema.field("IsPersonAccount").unwrap().kind, Kind::Bool);
    assert_eq!(
        encoded_by(&dialect, &list("Contact", &["LastName"]), None),
        "GET /query?q=SELECT Id, LastName, SystemModstamp FROM Contact WHERE IsPersonAccount = false ORDER BY Id"
    );
    assert_eq!(
        encoded_by(&dialect, &Operation::Count("Contact".into()), None),
        "GET /query?q=SELECT COUNT() FROM Contact WHERE IsPersonAccount = false"
    );
}

#[test]
fn what_came_of_a_lost_write() {
    let since: Timestamp = "2026-02-01T10:00:00Z".parse().unwrap();
    let of = |mode: WriteMode, rows: &[(&str, &[(&str, Value)])]| Operation::Candidates {
        batch: batch("Account", mode, rows),
        fields: names(&["Name"]),
        since,
    };
    let key = || WriteMode::Create { key: Some("Src__c".into()) };
    let select = "GET /query?q=SELECT Id, Name, SystemModstamp FROM Account WHERE";
    let quote: &[(&str, Value)] = &[("Src__c", "a'b\\".into())];
    let number: &[(&str, Value)] = &[("Src__c", Value::Number(7.into()))];
    let none: &[(&str, Value)] = &[("Name", "x".into())];
    let by_time = format!("{select} SystemModstamp >= 2026-02-01T09:00:00Z ORDER BY Id");
    let all = [
        (of(key(), &[("", quote)]), format!(r"{select} Src__c IN ('a\'b\\') ORDER BY Id")),
        (of(key(), &[("", number)]), format!("{select} Src__c IN (7) ORDER BY Id")),
        (of(key(), &[("", number), ("", none)]), by_time.clone()),
        (of(WriteMode::Create { key: None }, &[("", none)]), by_time),
        (of(WriteMode::Update, &[(ONE, none)]), format!("{select} Id IN ('{ONE}') ORDER BY Id")),
    ];
    for (operation, expected) in all {
        assert_eq!(encoded(&operation, None), expected);
    }
    // As many queries as it takes, one behind the other.
    let rows_of: Vec<Vec<(&str, Value)>> =
        (0..200).map(|n| vec![("Src__c", Value::from(format!("{n}{}", "ö".repeat(40))))]).collect();
    let many: Vec<(&str, &[(&str, Value)])> = rows_of.iter().map(|row| ("", row.as_slice())).collect();
    let operation = of(key(), &many);
    let mut cursor: Option<Cursor> = None;
    let mut asked = 0;
    for _ in 0..20 {
        let request = Salesforce::new().encode(&operation, cursor.as_ref()).unwrap();
        let query = &request.query[0].1;
        assert!(query.len() < 14_000);
        asked += query.matches('ö').count() / 40;
        let (_, next) = page_of(decoded(&operation, cursor.as_ref(), &rows(json!([]))).unwrap());
        cursor = next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(asked, 200, "every key is asked for once");
}

#[test]
fn numbers_are_told() {
    let counted = reply(200, &json!({"totalSize": 12345, "done": true, "records": []}));
    let step = decoded(&Operation::Count("Lead".into()), None, &counted).unwrap();
    assert!(matches!(step, Step::Count(12345)), "{step:?}");
}
