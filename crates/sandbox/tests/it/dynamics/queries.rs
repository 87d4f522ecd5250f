//! Lists: the query language, pages, counts, annotations, what is expanded.

use serde_json::{Value as Json, json};

use super::{Org, refused};

fn filled() -> Org {
    let mut org = Org::new();
    for (name, revenue, city) in
        [("Acme", 10.5, "Bonn"), ("Béta", 20.0, "Köln"), ("O'Neil", 30.0, "Bonn"), ("delta", 5.0, "")]
    {
        let id = org.create("accounts", &json!({"name": name, "revenue": revenue, "address1_city": city}));
        let contact = json!({"lastname": name, "firstname": "Kim", "parentcustomerid_account@odata.bind": format!("/accounts({id})")});
        let contact = org.create("contacts", &contact);
        org.patch(&format!("accounts({id})"), &json!({"primarycontactid@odata.bind": format!("/contacts({contact})")}));
    }
    org
}

#[test]
fn conditions_choose_rows() {
    let mut org = filled();
    let me = org.me();
    let cases = [
        ("name eq 'ACME'", "Acme"),
        ("name eq 'beta'", "Béta"),
        ("name eq 'O''Neil'", "O'Neil"),
        ("revenue gt 10.5", "Béta O'Neil"),
        ("revenue ge 10.5 and revenue lt 30", "Acme Béta"),
        ("not (revenue gt 10)", "delta"),
        ("address1_city eq null", "delta"),
        ("address1_city ne 'Bonn'", "Béta delta"),
        ("contains(name,'et') or endswith(name,'ta')", "Béta delta"),
        ("startswith(name,'o')", "O'Neil"),
        ("Microsoft.Dynamics.CRM.In(PropertyName='name',PropertyValues=['Acme','delta'])", "Acme delta"),
        ("primarycontactid/lastname eq 'Acme'", "Acme"),
        ("contact_customer_accounts/any(c:c/lastname eq 'delta')", "delta"),
        ("contact_customer_accounts/all(c:c/lastname eq 'delta')", "delta"),
        ("createdon ge 2026-11-20T09:00:00Z and createdon lt 2026-11-21", "Acme Béta delta O'Neil"),
        ("statecode eq 0 and donotemail eq false and name eq 'Acme'", "Acme"),
        ("versionnumber gt 1 and name eq 'Acme'", "Acme"),
    ];
    for (filter, wanted) in cases {
        let request =
            org.request("GET", "accounts").with_param("$filter", filter).with_param("$orderby", "createdon,name");
        let reply = org.send(&request);
        assert_eq!(reply.status, 200, "{filter}: {}", reply.body_json());
        let names: Vec<String> = reply.body_json()["value"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["name"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(names.join(" "), wanted, "{filter}");
    }
    assert_eq!(org.rows(&format!("accounts?$filter=_ownerid_value eq {me}")).len(), 4);
    let strict = json!({"accent_insensitive": false, "filter_on_version": false});
    let mut strict = Org::with(strict);
    strict.create("accounts", &json!({"name": "Béta"}));
    assert!(strict.rows("accounts?$filter=name eq 'beta'").is_empty());
    assert_eq!(strict.call("GET", "accounts?$filter=versionnumber gt 1", None).0, 400);
}

#[test]
fn conditions_that_do_not_fit_are_refused() {
    let mut org = Org::new();
    let filters = [
        "name eq",
        "name eq 'x",
        "name = 'x'",
        "name eq 1",
        "revenue eq '1'",
        "colour eq 'x'",
        "Name eq 'x'",
        "primarycontactid eq null",
        "_primarycontactid_value eq 'x'",
        "contact_customer_accounts/lastname eq 'x'",
        "primarycontactid/any(c:c/lastname eq 'x')",
        "contains(revenue,'1')",
        "length(name) gt 1",
        "name eq 'x' und name eq 'y'",
        "(name eq 'x'",
        "statecode eq 'Active'",
        "birthdate eq 2020-01-01T00:00:00Z",
    ];
    for filter in filters {
        let request = org.request("GET", "accounts").with_param("$filter", filter);
        let reply = org.send(&request);
        refused((reply.status, reply.body_json()), 400, "0x80060888");
    }
    let deep = format!("{}name eq 'x'{}", "(".repeat(5_000), ")".repeat(5_000));
    let wide = vec!["name eq 'x'"; 501].join(" or ");
    let expand = format!("parentaccountid{}", "($expand=parentaccountid".repeat(900)) + &")".repeat(900);
    for (option, text) in [("$filter", deep), ("$filter", wide), ("$expand", expand)] {
        let request = org.request("GET", "accounts").with_param(option, text);
        assert_eq!(org.send(&request).status, 400);
    }
    for query in [
        "$select=colour",
        "$select=primarycontactid",
        "$orderby=name up",
        "$orderby=colour",
        "$skip=5",
        "$top=0",
        "$expand=colour",
        "$expand=primarycontactid($filter=lastname eq 'x')",
        "$apply=x",
        "$count=maybe",
        "colour=1",
    ] {
        assert_eq!(org.call("GET", &format!("accounts?{query}"), None).0, 400, "{query}");
    }
    let many: Vec<String> = std::iter::repeat_n("primarycontactid".to_owned(), 16).collect();
    assert_eq!(org.call("GET", &format!("accounts?$expand={}", many.join(",")), None).0, 400);
    assert_eq!(org.call("GET", &format!("accounts?$filter=name eq '{}'", "x".repeat(33_000)), None).0, 414);
}

#[test]
fn pages_follow_each_other() {
    let mut org = Org::new();
    for at in 0..7 {
        org.create("accounts", &json!({"name": format!("A{}", at % 3)}));
    }
    let prefer = [("prefer", "odata.maxpagesize=3")];
    let mut path = "accounts?$select=name&$orderby=name desc&$filter=startswith(name,'A')".to_owned();
    let (mut names, mut pages) = (Vec::new(), 0);
    loop {
        let reply = org.ask("GET", &path, &prefer, None);
        assert_eq!(reply.header("preference-applied"), Some("odata.maxpagesize=3"));
        let body = reply.body_json();
        names.extend(body["value"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()));
        pages += 1;
        if pages == 1 {
            // A row of the first page goes: nothing of the second is missed.
            let id = body["value"][0]["accountid"].as_str().unwrap().to_owned();
            org.delete(&format!("accounts({id})"));
        }
        match body["@odata.nextLink"].as_str() {
            Some(next) => {
                assert!(next.contains("$skiptoken=%3Ccookie%20pagenumber%3D%22"), "{next}");
                path = next.to_owned();
            }
            None => break,
        }
    }
    assert_eq!((pages, names.join(" ")), (3, "A2 A2 A1 A1 A0 A0 A0".to_owned()));
    assert_eq!(org.rows("accounts?$top=2").len(), 2);
    assert_eq!(org.call("GET", "accounts?$skiptoken=nonsense", None).0, 400);
}

#[test]
fn pages_by_number_shift() {
    let mut org = Org::with(json!({"pages_by_number": true}));
    for at in 0..5 {
        org.create("accounts", &json!({"name": format!("A{at}")}));
    }
    let prefer = [("prefer", "odata.maxpagesize=2")];
    let first = org.ask("GET", "accounts?$orderby=name", &prefer, None).body_json();
    org.delete(&format!("accounts({})", first["value"][0]["accountid"].as_str().unwrap()));
    let second = org.ask("GET", first["@odata.nextLink"].as_str().unwrap(), &prefer, None).body_json();
    assert_eq!(second["value"][0]["name"], "A3", "A2 slipped to the page before");
}

#[test]
fn rows_are_counted_up_to_five_thousand() {
    let records: Vec<Json> = (0..5_003).map(|at| json!({"name": format!("A{at}")})).collect();
    let mut org = Org::of(json!({"records": {"account": records}}));
    let reply = org
        .ask("GET", "accounts?$count=true&$select=name&$top=1", &[("prefer", "odata.include-annotations=\"*\"")], None)
        .body_json();
    assert_eq!(
        (&reply["@odata.count"], &reply["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"]),
        (&json!(5_000), &json!(true))
    );
    let reply = org.ask("GET", "accounts/$count", &[], None);
    assert_eq!(String::from_utf8(reply.body).unwrap(), "\u{feff}5000");
    let total = org.get("RetrieveTotalRecordCount(EntityNames=['account'])");
    assert_eq!(total["EntityRecordCountCollection"]["Values"], json!([5_003]));
    let page = org.get("accounts?$select=name");
    assert_eq!(page["value"].as_array().unwrap().len(), 5_000);
    assert!(page["@odata.nextLink"].is_string());
}

#[test]
fn annotations_come_when_asked_for() {
    let mut org = filled();
    let path = "accounts?$select=name,revenue,statecode,createdon,_primarycontactid_value&$filter=name eq 'Acme'";
    let plain = org.rows(path)[0].clone();
    assert!(plain.as_object().unwrap().keys().all(|key| !key.contains('@') || key == "@odata.etag"), "{plain}");
    let row =
        org.ask("GET", path, &[("prefer", "odata.include-annotations=\"*\"")], None).body_json()["value"][0].clone();
    for (key, value) in [
        ("revenue@OData.Community.Display.V1.FormattedValue", "$10.50"),
        ("statecode@OData.Community.Display.V1.FormattedValue", "Active"),
        ("createdon@OData.Community.Display.V1.FormattedValue", "11/20/2026 9:00 AM"),
        ("_primarycontactid_value@OData.Community.Display.V1.FormattedValue", "Kim Acme"),
        ("_primarycontactid_value@Microsoft.Dynamics.CRM.lookuplogicalname", "contact"),
        ("_primarycontactid_value@Microsoft.Dynamics.CRM.associatednavigationproperty", "primarycontactid"),
    ] {
        assert_eq!(row[key], value, "{key}");
    }
    let only = org
        .ask("GET", path, &[("prefer", "odata.include-annotations=\"Microsoft.Dynamics.CRM.*\"")], None)
        .body_json()["value"][0]
        .clone();
    assert!(only.get("revenue@OData.Community.Display.V1.FormattedValue").is_none());
    let error =
        org.ask("GET", "accounts?$select=colour", &[("prefer", "odata.include-annotations=\"*\"")], None).body_json();
    assert!(error["error"]["@Microsoft.PowerApps.CDS.HelpLink"].is_string());
}

#[test]
fn related_rows_are_expanded() {
    let mut org = filled();
    let path = "accounts?$select=name&$filter=name eq 'Acme'&$expand=primarycontactid($select=fullname),\
                contact_customer_accounts($select=lastname;$orderby=lastname;$top=1),ownerid($select=fullname)";
    let row = org.rows(path)[0].clone();
    assert_eq!(row["primarycontactid"]["fullname"], "Kim Acme");
    assert_eq!(row["contact_customer_accounts"][0]["lastname"], "Acme");
    assert!(row["ownerid"]["fullname"].is_string(), "{row}");
    let id = row["accountid"].as_str().unwrap().to_owned();
    for at in 0..3 {
        org.create(
            "contacts",
            &json!({"lastname": format!("L{at}"), "parentcustomerid_account@odata.bind": format!("/accounts({id})")}),
        );
    }
    let prefer = [("prefer", "odata.maxpagesize=2")];
    let one = org
        .ask("GET", &format!("accounts({id})?$expand=contact_customer_accounts($select=lastname)"), &prefer, None)
        .body_json();
    let next = one["contact_customer_accounts@odata.nextLink"].as_str().unwrap().to_owned();
    let rest = org.ask("GET", &next, &prefer, None).body_json();
    let names = |list: &Json| list.as_array().unwrap().len();
    assert_eq!((names(&one["contact_customer_accounts"]), names(&rest["value"])), (2, 2), "{rest}");
}
