//! COQL and search (sheet: section 4).

use serde_json::{Value as Json, json};

use super::{Org, denied};

/// Two accounts, three contacts.
fn people() -> Org {
    let mut org = Org::with(&json!({"limits": false}));
    let acme = org.create("Accounts", &json!({"Account_Name": "Acme", "Annual_Revenue": 100}));
    let bolt = org.create("Accounts", &json!({"Account_Name": "Bolt (UK), Ltd", "Annual_Revenue": 9}));
    for (last, first, account, source) in
        [("Rao", "Ada", &acme, "Chat"), ("Lee", "Bo", &acme, "Cold Call"), ("Rossi", "Cy", &bolt, "Chat")]
    {
        let mail = format!("{}@x.io", first.to_lowercase());
        org.create(
            "Contacts",
            &json!({"Last_Name": last, "First_Name": first, "Email": mail, "Fax": (last == "Rao").then_some("7"),
                "Assistant": (last == "Lee").then_some("07"), "Phone": "+49 30-12", "Lead_Source": source,
                "Account_Name": {"id": account}}),
        );
        org.wait(60);
    }
    org
}

fn ask(org: &mut Org, query: &str) -> (u16, Json) {
    org.call("POST", "coql", Some(&json!({"select_query": query})))
}

#[track_caller]
fn names(org: &mut Org, rest: &str) -> Vec<String> {
    let (status, body) = ask(org, &format!("select Last_Name from Contacts where {rest}"));
    if status == 204 {
        return Vec::new();
    }
    assert_eq!(status, 200, "{rest}: {body}");
    body["data"].as_array().unwrap().iter().map(|row| row["Last_Name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn conditions_of_a_query() {
    let mut org = people();
    for (rest, wanted) in [
        ("id is not null", vec!["Rao", "Lee", "Rossi"]),
        ("Last_Name = 'rao'", vec!["Rao"]),
        ("Last_Name != 'Rao' order by Last_Name desc", vec!["Rossi", "Lee"]),
        ("Last_Name in ('Rao', 'Lee')", vec!["Rao", "Lee"]),
        ("Last_Name not in ('Rao')", vec!["Lee", "Rossi"]),
        ("Last_Name like 'R%'", vec!["Rao", "Rossi"]),
        ("Last_Name like '%e'", vec!["Lee"]),
        ("Last_Name like '%os%'", vec!["Rossi"]),
        ("Last_Name not like '%os%'", vec!["Rao", "Lee"]),
        ("Fax is null and Lead_Source = 'Chat'", vec!["Rossi"]),
        ("Assistant = '7'", vec![]),
        ("(Last_Name = 'Rao' or (Last_Name = 'Lee' and First_Name = 'x'))", vec!["Rao"]),
        ("((Last_Name = 'Rao' or Last_Name = 'Lee') and Lead_Source = 'Chat')", vec!["Rao"]),
        ("Account_Name.Account_Name = 'Acme'", vec!["Rao", "Lee"]),
        ("Account_Name.Annual_Revenue between 5 and 10", vec!["Rossi"]),
        ("Owner.email = 'ada@example.com' and Last_Name >= 'Rb'", vec!["Rossi"]),
        ("Created_Time > '2026-11-20T12:00:00+03:00'", vec!["Lee", "Rossi"]),
        ("Created_Time between '2026-11-20T09:00:00+00:00' and '2026-11-20T09:01:00+00:00'", vec!["Rao", "Lee"]),
        ("Email_Opt_Out = true", vec![]),
        ("Phone = '+49 30-12' and Last_Name = 'Lee'", vec!["Lee"]),
        ("Fax = '7'", vec!["Rao"]),
        ("id > '0' order by id asc limit 2", vec!["Rao", "Lee"]),
        ("id > '0' limit 2 offset 2", vec!["Rossi"]),
        ("id > '0' limit 1, 2", vec!["Lee", "Rossi"]),
        ("id > '0' order by Lead_Source, Last_Name desc", vec!["Rossi", "Rao", "Lee"]),
    ] {
        assert_eq!(names(&mut org, rest), wanted, "{rest}");
    }
}

#[test]
fn rows_of_a_query() {
    let mut org = people();
    let (_, body) = ask(
        &mut org,
        "SELECT Account_Name, Account_Name.Account_Name, Created_Time as Since, Owner FROM Contacts WHERE Last_Name = 'Rao' LIMIT 1",
    );
    let row = &body["data"][0];
    assert_eq!(row["Account_Name"].as_object().unwrap().len(), 1, "lookups give their id alone: {row}");
    assert_eq!(
        (&row["Account_Name.Account_Name"], &row["Since"]),
        (&json!("Acme"), &json!("2026-11-20T12:00:00+03:00"))
    );
    assert!(row["id"].is_string());
    let (_, body) = ask(&mut org, "select id from Contacts where id > '0' limit 2");
    assert_eq!(body["info"], json!({"count": 2, "more_records": true}));
    assert_eq!(ask(&mut org, "select id from Contacts where id > '0' offset 5").0, 204);
    let (_, body) = ask(&mut org, "select Lead_Source, COUNT(id) from Contacts where id > '0' group by Lead_Source");
    assert_eq!(
        body["data"],
        json!([{"Lead_Source": "Chat", "COUNT(id)": 2}, {"Lead_Source": "Cold Call", "COUNT(id)": 1}])
    );
    let (_, body) =
        ask(&mut org, "select SUM(Annual_Revenue) as total, MAX(Account_Name) from Accounts where id > '0'");
    assert_eq!(body["data"][0], json!({"total": 109, "MAX(Account_Name)": "Bolt (UK), Ltd"}));
}

#[test]
fn queries_that_are_refused() {
    let mut org = people();
    for query in [
        "select id from Contacts",
        "select id from Contacts where",
        "select id Contacts where id > '0'",
        "select id from Contacts where Last_Name = 'x",
        "select id from Contacts where Last_Name ~ 'x'",
        "select id from Contacts where Last_Name = 'a' and Last_Name = 'b' and Last_Name = 'c'",
        "select id from Contacts where (Last_Name = 'a'",
        "select id from Contacts where Last_Name not = 'a'",
        "select id from Contacts where id > '0' limit all",
        "update Contacts",
        "",
    ] {
        let details = denied(ask(&mut org, query), 400, "SYNTAX_ERROR");
        assert_eq!(details["line"], 1, "{query}");
    }
    let many = |count: usize| (0..count).map(|n| format!("'{n}'")).collect::<Vec<_>>().join(",");
    for query in [
        "select Colour from Contacts where id > '0'".to_owned(),
        "select id from Contacts where Colour = 'x'".to_owned(),
        "select id from Contacts where Account_Name.Colour = 'x'".to_owned(),
        "select id from Contacts where Created_Time > 'today'".to_owned(),
        "select id from Contacts where Account_Name = 'Acme'".to_owned(),
        "select id from Contacts where Description = 'x'".to_owned(),
        "select Quoted_Items from Quotes where id > '0'".to_owned(),
    ] {
        denied(ask(&mut org, &query), 400, "INVALID_QUERY");
    }
    for query in [
        "select id from Contacts where id > '0' limit 2001".to_owned(),
        "select id from Contacts where id > '0' limit 0".to_owned(),
        "select id from Contacts where id > '0' limit 1 offset 100000".to_owned(),
        format!("select id from Contacts where id in ({})", many(51)),
        format!("select {} from Contacts where id > '0'", vec!["id"; 51].join(",")),
        "select Account_Name.Account_Name, Owner.email, Vendor_Name.Vendor_Name from Contacts where id > '0'"
            .to_owned(),
    ] {
        denied(ask(&mut org, &query), 400, "LIMIT_EXCEEDED");
    }
    denied(ask(&mut org, "select id from Contacts where id > '0' order by id, id"), 400, "DUPLICATE_DATA");
    denied(ask(&mut org, "select id from Planets where id > '0'"), 400, "INVALID_MODULE");
    denied(org.call("POST", "coql", Some(&json!({"query": "x"}))), 400, "MANDATORY_NOT_FOUND");
    let old = json!({"select_query": "select id from Contacts where id > '0' limit 201"});
    denied(org.call("POST", "/crm/v6/coql", Some(&old)), 400, "LIMIT_EXCEEDED");
}

#[test]
fn a_query_costs_by_its_limit() {
    let mut org = people();
    let before = org.sandbox.journal().cost();
    for limit in [200, 1_000, 2_000] {
        ask(&mut org, &format!("select id from Contacts where id > '0' limit {limit}"));
    }
    assert_eq!(org.sandbox.journal().cost() - before, 1 + 2 + 3);
    let mut late = Org::with(&json!({"coql_lag_s": 5}));
    late.create("Contacts", &json!({"Last_Name": "New"}));
    assert!(names(&mut late, "id > '0'").is_empty());
    late.wait(5);
    assert_eq!(names(&mut late, "id > '0'"), ["New"]);
}

#[test]
fn searches() {
    let mut org = people();
    for (query, wanted) in [
        ("criteria=(Last_Name:starts_with:R)", vec!["Rossi", "Rao"]),
        ("criteria=((Last_Name:starts_with:R)and(Lead_Source:equals:Chat))", vec!["Rossi", "Rao"]),
        ("criteria=((First_Name:equals:Ada)or(First_Name:equals:Bo))", vec!["Lee", "Rao"]),
        ("criteria=(((First_Name:equals:Ada)or(First_Name:equals:Bo))and(Last_Name:equals:Lee))", vec!["Lee"]),
        ("criteria=(Last_Name:in:Rao,Lee)", vec!["Lee", "Rao"]),
        ("criteria=(Account_Name.Account_Name:equals:Bolt \\(UK\\)\\, Ltd)", vec!["Rossi"]),
        ("criteria=(Created_Time:greater_than:2026-11-20T12:00:30%2B03:00)", vec!["Rossi", "Lee"]),
        ("email=ADA@x.io", vec!["Rao"]),
        ("phone=493012", vec!["Rossi", "Lee", "Rao"]),
        ("word=oss", vec!["Rossi"]),
        ("criteria=(Last_Name:starts_with:R)&per_page=1&page=2", vec!["Rao"]),
    ] {
        assert_eq!(org.texts("Last_Name", &format!("Contacts/search?{query}&fields=Last_Name")), wanted, "{query}");
    }
    // An equal text may be a longer one, unless the organization is kinder than that.
    assert_eq!(org.texts("Last_Name", "Contacts/search?criteria=(Last_Name:equals:Ros)"), ["Rossi"]);
    let mut exact = Org::with(&json!({"loose_equals": false, "search_lag_s": 0}));
    exact.create("Contacts", &json!({"Last_Name": "Rossi"}));
    exact.empty("Contacts/search?criteria=(Last_Name:equals:Ros)");
}

#[test]
fn searches_that_are_refused() {
    let mut org = people();
    let ten = ["(City:equals:x)"; 11].join("and");
    for (query, code) in [
        ("criteria=Last_Name:equals:x", "INVALID_QUERY"),
        ("criteria=(Last_Name:like:x)", "INVALID_QUERY"),
        ("criteria=(Colour:equals:x)", "INVALID_QUERY"),
        ("criteria=((City:equals:x)and(City:equals:y)or(City:equals:z))", "INVALID_QUERY"),
        ("criteria=(Created_Time:equals:now)", "INVALID_QUERY"),
        (&format!("criteria=({ten})"), "LIMIT_EXCEEDED"),
        ("word=x", "INVALID_DATA"),
        ("fields=id", "REQUIRED_PARAM_MISSING"),
        ("word=xx&page=11", "LIMIT_REACHED"),
    ] {
        denied(org.call("GET", &format!("Contacts/search?{query}"), None), 400, code);
    }
}

#[test]
fn the_search_sees_a_change_later() {
    let mut org = Org::new();
    let id = org.create("Leads", &json!({"Last_Name": "Old"}));
    org.empty("Leads/search?word=old");
    org.wait(30);
    assert_eq!(org.texts("Last_Name", "Leads/search?word=old"), ["Old"]);
    org.update("Leads", &id, &json!({"Last_Name": "New"}));
    org.empty("Leads/search?word=new");
    assert_eq!(org.texts("Last_Name", "Leads/search?word=old"), ["Old"], "what it was a moment ago");
    org.wait(30);
    assert_eq!(org.texts("Last_Name", "Leads/search?word=new"), ["New"]);
    org.delete("Leads", &id);
    assert_eq!(org.texts("Last_Name", "Leads/search?word=new"), ["New"]);
    org.wait(30);
    org.empty("Leads/search?word=new");
}
