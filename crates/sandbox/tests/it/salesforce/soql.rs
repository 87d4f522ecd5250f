//! Queries: what they find, what they refuse, and their pages.

use serde_json::{Value as Json, json};

use super::{Org, refused};

/// Four contacts in two accounts, one without.
fn company() -> Org {
    let mut org = Org::of(json!({"fields": {"Contact": [
        {"name": "Tags__c", "type": "multipicklist", "values": ["red", "green", "blue"]},
        {"name": "Score__c", "type": "double", "precision": 6, "scale": 2},
        {"name": "City__c", "formula": "Account.BillingCity"}]}}));
    let acme = org.create("Account", &json!({"Name": "Acme", "BillingCity": "Bonn"}));
    let blue = org.create("Account", &json!({"Name": "Blue_Moon", "ParentId": acme}));
    for (last, account, email, tags, score) in [
        ("Ada", Some(&acme), "ada@x.example", "blue;red", json!(1.5)),
        ("Bob", Some(&acme), "bob@x.example", "green", json!(2)),
        ("Cy", Some(&blue), "", "", Json::Null),
        ("O'Hara", None, "o@x.example", "red", json!(-3)),
    ] {
        org.wait(60);
        let fields = json!({"LastName": last, "AccountId": account, "Email": email, "Tags__c": tags, "Score__c": score,
            "Birthdate": if last == "Ada" { json!("1980-02-29") } else { Json::Null }});
        org.create("Contact", &fields);
    }
    org
}

#[test]
fn conditions_find_what_they_say() {
    let mut org = company();
    for (condition, names) in [
        ("LastName = 'ada'", "Ada"),
        ("LastName != 'Ada' AND Email != null", "Bob O'Hara"),
        ("LastName = 'O\\'Hara'", "O'Hara"),
        ("Email = null OR Score__c < 0", "Cy O'Hara"),
        ("(Email = null OR Score__c < 0) AND AccountId = null", "O'Hara"),
        ("NOT (Score__c > 1)", "Cy O'Hara"),
        ("Score__c >= 1.5 AND Score__c <= 2", "Ada Bob"),
        ("LastName IN ('Ada', 'cy')", "Ada Cy"),
        ("LastName NOT IN ('Ada', 'cy')", "Bob O'Hara"),
        ("LastName LIKE 'o%'", "O'Hara"),
        ("Account.Name LIKE 'Blue\\_M%'", "Cy"),
        ("LastName LIKE '_o_'", "Bob"),
        ("Tags__c INCLUDES ('red;blue', 'green')", "Ada Bob"),
        ("Tags__c EXCLUDES ('red')", "Bob Cy"),
        ("Account.Name = 'Acme'", "Ada Bob"),
        ("Account.Parent.Name = 'Acme'", "Cy"),
        ("Birthdate = 1980-02-29", "Ada"),
        ("CreatedDate > 2026-11-20T09:02:00Z", "Cy O'Hara"),
        ("CreatedDate >= 2026-11-20T10:02:00+01:00 AND CreatedDate < 2026-11-20T09:04:00.000Z", "Bob Cy"),
        ("CreatedDate = TODAY AND Contact.Email LIKE 'a%'", "Ada"),
        ("CreatedDate < LAST_N_DAYS:3", ""),
        ("AccountId IN (SELECT Id FROM Account WHERE BillingCity = 'Bonn')", "Ada Bob"),
        ("Id NOT IN (SELECT ContactId FROM Case) AND City__c = 'Bonn'", "Ada Bob"),
        ("SystemModstamp > 2026-11-20T09:03:00Z", "O'Hara"),
    ] {
        let found = org.texts("LastName", &format!("SELECT LastName FROM Contact WHERE {condition} ORDER BY LastName"));
        assert_eq!(found.join(" "), names, "{condition}");
    }
}

#[test]
fn rows_are_ordered_limited_and_nested() {
    let mut org = company();
    let ordered = org.texts("LastName", "SELECT LastName FROM Contact ORDER BY Score__c DESC NULLS LAST, LastName");
    assert_eq!(ordered.join(" "), "Bob Ada O'Hara Cy");
    let cut = org.texts("LastName", "SELECT LastName FROM Contact ORDER BY LastName LIMIT 2 OFFSET 1");
    assert_eq!(cut.join(" "), "Bob Cy");
    let first = org.texts("Id", "SELECT Id FROM Contact ORDER BY Id LIMIT 2");
    let rest = org.texts("Id", &format!("SELECT Id FROM Contact WHERE Id > '{}' ORDER BY Id LIMIT 5", first[1]));
    assert_eq!(rest.len(), 2);
    let rows =
        org.query("SELECT c.LastName, Account.Name, Account.Parent.Name, Owner.Name FROM Contact c ORDER BY LastName");
    assert_eq!(rows[0]["Account"]["Name"], "Acme");
    assert_eq!(rows[0]["Account"]["Parent"], Json::Null);
    assert_eq!(rows[2]["Account"]["Parent"]["Name"], "Acme");
    assert_eq!(rows[3]["Account"], Json::Null);
    assert_eq!(rows[0]["Owner"]["attributes"]["type"], "User");
    let accounts =
        org.query("SELECT Name, (SELECT LastName FROM Contacts WHERE Score__c > 1.7) FROM Account ORDER BY Name");
    assert_eq!(accounts[0]["Contacts"]["totalSize"], 1);
    assert_eq!(accounts[0]["Contacts"]["records"][0]["LastName"], "Bob");
    assert_eq!(accounts[1]["Contacts"], Json::Null);
    let (_, count) = org.ask("query", "SELECT COUNT() FROM Contact WHERE AccountId != null");
    assert_eq!(count, json!({"totalSize": 3, "done": true, "records": []}));
    let groups = org.query(
        "SELECT AccountId, COUNT(Id), MAX(Score__c) best FROM Contact WHERE AccountId != null GROUP BY AccountId",
    );
    assert_eq!((&groups[0]["expr0"], &groups[0]["best"]), (&json!(2), &json!(2.0)));
    assert_eq!(groups[0]["attributes"], json!({"type": "AggregateResult"}));
    let all = org.query("SELECT FIELDS(ALL) FROM Account WHERE Name = 'Acme' LIMIT 200");
    assert_eq!(all[0]["BillingAddress"]["city"], "Bonn");
}

#[test]
fn lookups_of_many_objects_tell_their_type() {
    let mut org = company();
    let acme = org.texts("Id", "SELECT Id FROM Account WHERE Name = 'Acme'").remove(0);
    org.create("Task", &json!({"Subject": "Call", "WhatId": acme}));
    let rows =
        org.query("SELECT What.Type, What.Name, TYPEOF What WHEN Account THEN BillingCity ELSE Name END FROM Task");
    assert_eq!(
        (&rows[0]["What"]["BillingCity"], &rows[0]["What"]["attributes"]["type"]),
        (&json!("Bonn"), &json!("Account"))
    );
    let typed = org.query("SELECT What.Type FROM Task WHERE What.Type = 'Account'");
    assert_eq!(typed[0]["What"]["Type"], "Account");
}

#[test]
fn queries_are_refused_as_the_platform_refuses() {
    let mut org = company();
    for (soql, code) in [
        ("SELECT Id", "MALFORMED_QUERY"),
        ("SELECT Id FROM", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE LastName = 'x' AND Email = 'y' OR Phone = 'z'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE LastName = 'x", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE LastName = \"x\"", "MALFORMED_QUERY"),
        ("SELECT * FROM Contact", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact LIMIT -1", "MALFORMED_QUERY"),
        ("SELECT FIELDS(ALL) FROM Contact", "MALFORMED_QUERY"),
        ("SELECT FIELDS(ALL) FROM Contact LIMIT 201", "MALFORMED_QUERY"),
        ("SELECT LastName, COUNT(Id) FROM Contact", "MALFORMED_QUERY"),
        ("SELECT Id FROM ContentDocumentLink", "MALFORMED_QUERY"),
        ("SELECT Colour FROM Contact", "INVALID_FIELD"),
        ("SELECT Id, Id FROM Contact", "INVALID_FIELD"),
        ("SELECT Boss.Name FROM Contact", "INVALID_FIELD"),
        ("SELECT What.Amount FROM Task", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE LastName = 5", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Score__c = '5'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE CreatedDate > '2026-01-01T00:00:00Z'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE CreatedDate > 2026-01-01", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Description = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact ORDER BY Description", "INVALID_FIELD"),
        ("SELECT Id FROM Person", "INVALID_TYPE"),
        ("SELECT Id, (SELECT Id FROM Invoices) FROM Contact", "INVALID_TYPE"),
        ("SELECT Id FROM Contact WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Contact WHERE LastName INCLUDES ('x')", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Contact WHERE Score__c LIKE '5'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Contact OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE"),
    ] {
        let (status, body) = org.ask("query", soql);
        assert_eq!((status, body[0]["errorCode"].as_str()), (400, Some(code)), "{soql}: {body}");
    }
    let told = refused(org.ask("query", "SELECT foo FROM Contact"), 400, "INVALID_FIELD");
    assert!(
        told.starts_with(
            "\nSELECT foo FROM Contact\n       ^\nERROR at Row:1:Column:8\nNo such column 'foo' on entity 'Contact'."
        ),
        "{told}"
    );
}

#[test]
fn a_large_result_comes_in_pages() {
    let mut org = Org::new();
    for chunk in 0..3 {
        let records: Vec<Json> =
            (0..200).map(|n| json!({"attributes": {"type": "Account"}, "Name": format!("{chunk}-{n:03}")})).collect();
        org.post("composite/sobjects", &json!({"records": records}), 200);
    }
    org.header("sforce-query-options", "batchSize=250");
    let (_, first) = org.ask("query", "SELECT Id, Name FROM Account ORDER BY Name");
    assert_eq!((&first["totalSize"], &first["done"]), (&json!(600), &json!(false)));
    assert_eq!(first["records"].as_array().unwrap().len(), 250);
    let next = first["nextRecordsUrl"].as_str().unwrap().to_owned();
    assert!(next.starts_with("/services/data/v66.0/query/01g") && next.ends_with("-250"), "{next}");
    // The result is a snapshot of ids; rows are read when their page is.
    let late = org.texts("Id", "SELECT Id FROM Account WHERE Name = '1-060'").remove(0);
    org.patch(&format!("sobjects/Account/{late}"), &json!({"Name": "renamed"}), 204);
    let second = org.get(&next);
    assert_eq!(second["records"][10]["Name"], "renamed");
    let third = org.get(second["nextRecordsUrl"].as_str().unwrap());
    assert_eq!((third["records"].as_array().unwrap().len(), &third["done"]), (100, &json!(true)));
    assert!(third.get("nextRecordsUrl").is_none());
    org.wait(3 * 86_400);
    refused(org.call("GET", &next, None), 400, "INVALID_QUERY_LOCATOR");
}
