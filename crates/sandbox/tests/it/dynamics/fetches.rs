//! FetchXML.

use serde_json::{Value as Json, json};

use super::{Org, refused};

fn fetch(org: &mut Org, set: &str, xml: &str) -> (u16, Json) {
    let request = org.request("GET", set).with_param("fetchXml", xml);
    let reply = org.send(&request);
    (reply.status, reply.body_json())
}

#[test]
fn rows_are_fetched() {
    let mut org = Org::new();
    for (name, phone) in [("Acme", "1"), ("Beta", "2"), ("Acorn", "")] {
        let id = org.create("accounts", &json!({"name": name, "telephone1": phone}));
        org.create(
            "contacts",
            &json!({"lastname": name, "parentcustomerid_account@odata.bind": format!("/accounts({id})")}),
        );
    }
    let ask = |inside: &str| {
        format!(
            "<fetch><entity name=\"account\"><attribute name=\"name\"/>{inside}<order attribute='name'/></entity></fetch>"
        )
    };
    let cases = [
        ("", "Acme Acorn Beta"),
        ("<filter><condition attribute='name' operator='eq' value='acme'/></filter>", "Acme"),
        (
            "<filter type='or'><condition attribute='name' operator='like' value='%orn'/><condition attribute='telephone1' operator='in'><value>2</value></condition></filter>",
            "Acorn Beta",
        ),
        ("<filter><condition attribute='telephone1' operator='null'/></filter>", "Acorn"),
        (
            "<filter><condition attribute='statecode' operator='eq' value='0'/><filter><condition attribute='name' operator='begins-with' value='B'/></filter></filter>",
            "Beta",
        ),
        (
            "<link-entity name='contact' from='parentcustomerid' to='accountid' alias='c'><attribute name='lastname'/><filter><condition attribute='lastname' operator='ne' value='Acme'/></filter></link-entity>",
            "Acorn Beta",
        ),
        (
            "<link-entity name='contact' from='contactid' to='primarycontactid' alias='p' link-type='outer'><attribute name='lastname'/></link-entity>",
            "Acme Acorn Beta",
        ),
    ];
    for (inside, wanted) in cases {
        let (status, body) = fetch(&mut org, "accounts", &ask(inside));
        assert_eq!(status, 200, "{inside}: {body}");
        let names: Vec<&str> =
            body["value"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
        assert_eq!(names.join(" "), wanted, "{inside}");
    }
    let (_, body) = fetch(&mut org, "accounts", &ask(cases[5].0));
    assert_eq!(body["value"][0]["c.lastname"], "Acorn");
    let paged = |page: usize| {
        format!(
            "<fetch count=\"2\" page=\"{page}\" returntotalrecordcount=\"true\"><entity name=\"account\"><order attribute=\"name\" descending=\"true\"/></entity></fetch>"
        )
    };
    let (_, first) = fetch(&mut org, "accounts", &paged(1));
    assert_eq!(
        (&first["@odata.count"], &first["@Microsoft.Dynamics.CRM.morerecords"], &first["value"][0]["name"]),
        (&json!(3), &json!(true), &json!("Beta"))
    );
    assert!(first["@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"].as_str().unwrap().contains("pagenumber=\"2\""));
    let (_, second) = fetch(&mut org, "accounts", &paged(2));
    assert_eq!(
        (second["value"].as_array().unwrap().len(), second.get("@Microsoft.Dynamics.CRM.fetchxmlpagingcookie")),
        (1, None)
    );
}

#[test]
fn what_is_not_understood_is_refused() {
    let mut org = Org::new();
    for (xml, code) in [
        ("<fetch><entity name='account'>", "0x80041130"),
        ("nothing", "0x80041130"),
        ("<fetch><entity name='contact'/></fetch>", "0x80041130"),
        ("<fetch aggregate='true'><entity name='account'/></fetch>", "0x80041130"),
        ("<fetch><entity name='account'><attribute name='colour'/></entity></fetch>", "0x80041103"),
        ("<fetch top='5' count='2'><entity name='account'/></fetch>", "0x80041130"),
        (
            "<fetch><entity name='account'><link-entity name='contact' from='x' to='accountid'/></entity></fetch>",
            "0x80041103",
        ),
    ] {
        refused(fetch(&mut org, "accounts", xml), 400, code);
    }
    org.create("accounts", &json!({"name": "A"}));
    for condition in ["operator='between' value='1'", "operator='eq'", "operator='like'"] {
        let xml = format!(
            "<fetch><entity name='account'><filter><condition attribute='name' {condition}/></filter></entity></fetch>"
        );
        assert_eq!(fetch(&mut org, "accounts", &xml).0, 400, "{condition}");
    }
}
