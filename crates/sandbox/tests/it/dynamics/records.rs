//! One row: create, read, update, upsert, delete, and their conditions.

use serde_json::{Value as Json, json};

use super::{NOWHERE, Org, id_of, refused};

#[test]
fn a_row_is_created_read_changed_and_deleted() {
    let mut org = Org::new();
    let id =
        org.create("accounts", &json!({"name": "Acme", "revenue": 12.345, "industrycode": 6, "address1_city": "Bonn"}));
    let row = org.get(&format!("accounts({id})"));
    assert_eq!(row["@odata.context"], "http://127.0.0.1:8080/api/data/v9.2/$metadata#accounts/$entity");
    assert_eq!((&row["name"], &row["accountid"]), (&json!("Acme"), &json!(id)));
    assert_eq!((&row["revenue"], &row["statecode"], &row["statuscode"]), (&json!(12.35), &json!(0), &json!(1)));
    assert_eq!((&row["createdon"], &row["donotemail"]), (&json!("2026-11-20T09:00:00Z"), &json!(false)));
    assert_eq!((&row["telephone1"], &row["_primarycontactid_value"]), (&Json::Null, &Json::Null));
    assert_eq!(row["@odata.etag"], json!(format!("W/\"{}\"", row["versionnumber"])));
    org.wait(60);
    org.patch(&format!("accounts({id})"), &json!({"address1_city": null, "telephone1": ""}));
    let row = org.get(&format!("accounts({id})?$select=address1_city,modifiedon"));
    assert_eq!(row["modifiedon"], "2026-11-20T09:01:00Z");
    let columns: Vec<&String> = row.as_object().unwrap().keys().collect();
    assert_eq!(columns, ["@odata.context", "@odata.etag", "accountid", "address1_city", "modifiedon"]);
    org.delete(&format!("accounts({id})"));
    let gone = org.call("DELETE", &format!("accounts({id})"), None);
    assert_eq!(refused(gone, 404, "0x80040217"), format!("account With Id = {id} Does Not Exist"));
}

#[test]
fn a_write_shows_the_row_when_asked() {
    let mut org = Org::new();
    let prefer = [("prefer", "return=representation")];
    let made = org.ask("POST", "accounts?$select=name", &prefer, Some(&json!({"name": "A", "accountid": NOWHERE})));
    assert_eq!((made.status, made.header("preference-applied")), (201, Some("return=representation")));
    assert_eq!((&made.body_json()["name"], id_of(&made)), (&json!("A"), NOWHERE.to_owned()));
    let changed = org.ask("PATCH", &format!("accounts({NOWHERE})"), &prefer, Some(&json!({"name": "B"})));
    assert_eq!((changed.status, &changed.body_json()["name"]), (200, &json!("B")));
    refused(org.call("POST", "accounts", Some(&json!({"name": "C", "accountid": NOWHERE}))), 412, "0x80040237");
}

#[test]
fn an_update_without_a_condition_is_an_upsert() {
    let mut org = Org::new();
    let path = format!("accounts({NOWHERE})");
    let body = json!({"name": "Ghost"});
    let strict = org.ask("PATCH", &path, &[("if-match", "*")], Some(&body));
    refused((strict.status, strict.body_json()), 404, "0x80040217");
    assert_eq!(org.ask("PATCH", &path, &[], Some(&body)).status, 204);
    assert_eq!(org.get(&path)["name"], "Ghost");
    let create = org.ask("PATCH", &path, &[("if-none-match", "*")], Some(&body));
    let sentence = refused((create.status, create.body_json()), 412, "0x80040237");
    assert_eq!(sentence, "A record with matching key values already exists.");
    // A refused condition changed nothing.
    let tag = org.get(&path)["@odata.etag"].as_str().unwrap().to_owned();
    assert_eq!(org.ask("PATCH", &path, &[("if-match", &tag)], Some(&json!({"name": "B"}))).status, 204);
    for method in ["PATCH", "DELETE"] {
        let late = org.ask(method, &path, &[("if-match", &tag)], Some(&json!({"name": "C"})));
        refused((late.status, late.body_json()), 412, "0x80060882");
    }
    let tag = org.get(&path)["@odata.etag"].as_str().unwrap().to_owned();
    assert_eq!(org.ask("GET", &path, &[("if-none-match", &tag)], None).status, 304);
    assert_eq!(org.get(&path)["name"], "B");
}

#[test]
fn rows_are_found_and_upserted_by_their_keys() {
    let mut org = Org::keyed();
    let path = "accounts(new_sourceid='A-1')";
    refused(org.call("GET", path, None), 404, "0x80060891");
    let made = org.ask("PATCH", path, &[("prefer", "return=representation")], Some(&json!({"name": "One"})));
    assert_eq!((made.status, &made.body_json()["new_sourceid"]), (201, &json!("A-1")));
    let again = org.ask(
        "PATCH",
        "accounts(new_sourceid='a-1')",
        &[("prefer", "return=representation")],
        Some(&json!({"name": "Two"})),
    );
    assert_eq!((again.status, &again.body_json()["accountid"]), (200, &made.body_json()["accountid"]));
    let twin =
        refused(org.call("POST", "accounts", Some(&json!({"name": "x", "new_sourceid": "A-1"}))), 412, "0x80060892");
    assert!(twin.starts_with("Entity Key new_SourceKey violated."), "{twin}");
    refused(org.call("GET", "accounts(name='One')", None), 400, "0x8005f100");
    refused(org.call("GET", "accounts(nothing)", None), 400, "0x80060888");
    org.create("accounts", &json!({"name": "no key"}));
    org.create("accounts", &json!({"name": "no key either"}));
    let contact = json!({"lastname": "Lee", "parentcustomerid_account@odata.bind": "/accounts(new_sourceid='A-1')"});
    let id = org.create("contacts", &contact);
    let row = org.get(&format!("contacts({id})"));
    assert_eq!(row["_parentcustomerid_value"], made.body_json()["accountid"]);
    assert_eq!(row["fullname"], "Lee");
}

#[test]
fn one_property_is_written_alone() {
    let mut org = Org::new();
    let id = org.create("accounts", &json!({"name": "A", "telephone1": "1"}));
    let path = format!("accounts({id})/telephone1");
    assert_eq!(org.get(&path)["value"], "1");
    assert_eq!(org.call("PUT", &path, Some(&json!({"value": "2"}))).0, 204);
    assert_eq!(org.get(&path)["value"], "2");
    org.delete(&path);
    assert_eq!(org.call("GET", &path, None).0, 204, "nothing is there");
}

#[test]
fn lookups_are_set_and_cleared() {
    let mut org = Org::new();
    let account = org.create("accounts", &json!({"name": "A"}));
    let contact = org.create("contacts", &json!({"lastname": "Lee"}));
    let path = format!("accounts({account})");
    org.patch(&path, &json!({"primarycontactid@odata.bind": format!("/contacts({contact})")}));
    assert_eq!(org.get(&path)["_primarycontactid_value"], json!(contact));
    assert_eq!(org.get(&format!("{path}/primarycontactid?$select=fullname"))["fullname"], "Lee");
    org.patch(&path, &json!({"primarycontactid@odata.bind": null}));
    let link = json!({"@odata.id": format!("http://127.0.0.1:8080/api/data/v9.2/contacts({contact})")});
    assert_eq!(org.call("PUT", &format!("{path}/primarycontactid/$ref"), Some(&link)).0, 204);
    assert_eq!(org.get(&path)["_primarycontactid_value"], json!(contact));
    org.delete(&format!("{path}/primarycontactid/$ref"));
    assert_eq!(org.get(&path)["_primarycontactid_value"], Json::Null);
    assert_eq!(org.call("POST", &format!("{path}/contact_customer_accounts/$ref"), Some(&link)).0, 204);
    assert_eq!(org.texts("fullname", &format!("{path}/contact_customer_accounts?$select=fullname")), ["Lee"]);
    org.delete(&format!("{path}/contact_customer_accounts({contact})/$ref"));
    assert!(org.rows(&format!("{path}/contact_customer_accounts")).is_empty());
}

#[test]
fn what_does_not_fit_is_refused_and_leaves_nothing() {
    let mut org = Org::new();
    let account = org.create("accounts", &json!({"name": "A"}));
    let to_account = format!("/accounts({account})");
    let payload = "0x80048d19";
    let cases = [
        ("accounts", json!({"colour": 1}), 400, payload),
        ("accounts", json!({"Name": "x"}), 400, payload),
        ("accounts", json!({"name": 1}), 400, payload),
        ("accounts", json!({"name": "x".repeat(161)}), 400, "0x80044331"),
        ("accounts", json!({"name": "x", "revenue": "12"}), 400, payload),
        ("accounts", json!({"name": "x", "revenue": -1}), 400, "0x80044330"),
        ("accounts", json!({"name": "x", "numberofemployees": 1.5}), 400, payload),
        ("accounts", json!({"name": "x", "industrycode": 99}), 400, "0x8004431a"),
        ("accounts", json!({"name": "x", "industrycode": "Accounting"}), 400, payload),
        ("accounts", json!({"name": "x", "donotemail": "false"}), 400, payload),
        ("accounts", json!({"name": "x", "createdon": "2020-01-01T00:00:00Z"}), 400, "0x80040203"),
        ("accounts", json!({"name": "x", "revenue_base": 1}), 400, "0x80040203"),
        ("accounts", json!({"name": "x", "statecode": 1, "statuscode": 2}), 400, "0x80048408"),
        ("accounts", json!({"name": "x", "statuscode": 2}), 400, "0x80048408"),
        ("accounts", json!({"name": "x", "_primarycontactid_value": NOWHERE}), 400, payload),
        ("accounts", json!({"name": "x", "PrimaryContactId@odata.bind": to_account}), 400, payload),
        ("accounts", json!({"name": "x", "primarycontactid@odata.bind": to_account}), 400, payload),
        (
            "accounts",
            json!({"name": "x", "primarycontactid@odata.bind": format!("/contacts({NOWHERE})")}),
            404,
            "0x80040217",
        ),
        ("accounts", json!({"name": "x", "primarycontactid@odata.bind": "/people(1)"}), 404, "0x0"),
        ("accounts", json!({"name": "x", "@odata.type": "Microsoft.Dynamics.CRM.contact"}), 400, payload),
        ("contacts", json!({"lastname": "x", "parentcustomerid@odata.bind": to_account}), 400, payload),
        ("contacts", json!({"lastname": "x", "birthdate": "1970-11-20T00:00:00Z"}), 400, payload),
        ("contacts", json!({"lastname": "x", "fullname": "y"}), 400, "0x80040203"),
        ("incidents", json!({"title": "x"}), 400, "0x80040203"),
        ("activityparties", json!({"participationtypemask": 1}), 405, "0x80040800"),
        ("activitypointers", json!({"subject": "x"}), 405, "0x80040800"),
        ("nothings", json!({}), 404, "0x0"),
    ];
    for (set, body, status, code) in cases {
        let reply = org.ask("POST", set, &[], Some(&body));
        assert_eq!(
            (reply.status, reply.body_json()["error"]["code"].as_str()),
            (status, Some(code)),
            "{set} {body}: {}",
            reply.body_json()
        );
    }
    assert_eq!(org.rows("accounts").len(), 1);
    assert!(org.rows("contacts").is_empty());
    let text = org.request("POST", "accounts").with_header("content-type", "text/plain");
    assert_eq!(org.send(&text).status, 415);
    let broken = handover_sandbox::Request { body: b"{\"name\": ".to_vec(), ..org.request("POST", "accounts") };
    let broken = org.send(&broken.with_header("content-type", "application/json"));
    assert_eq!(broken.status, 400);
    assert_eq!(org.call("PUT", &format!("accounts({account})"), Some(&json!({}))).0, 405);
}

#[test]
fn switches_choose_the_other_reading() {
    let mut org =
        Org::with(json!({"read_only_columns": "ignore", "closed_at_create": "ignore", "missing_target_status": 400,
        "odata_error_code": "", "unselected_files": true}));
    let id = org.create(
        "accounts",
        &json!({"name": "x", "createdon": "2020-01-01T00:00:00Z", "statecode": 1, "statuscode": 2}),
    );
    let row = org.get(&format!("accounts({id})"));
    assert_eq!((&row["createdon"], &row["statecode"]), (&json!("2026-11-20T09:00:00Z"), &json!(0)));
    let bind = json!({"name": "x", "primarycontactid@odata.bind": format!("/contacts({NOWHERE})")});
    refused(org.call("POST", "accounts", Some(&bind)), 400, "0x80040217");
    refused(org.call("GET", "accounts?$select=colour", None), 400, "");
    refused(org.call("GET", "nothings", None), 404, "");
    org.create("annotations", &json!({"subject": "f", "filename": "a.txt", "documentbody": "aGk="}));
    assert_eq!(org.rows("annotations")[0]["documentbody"], "aGk=");
}

#[test]
fn deleting_takes_children_along_or_lets_them_go() {
    let mut org = Org::new();
    let account = org.create("accounts", &json!({"name": "A"}));
    let bind = format!("/accounts({account})");
    let contact = org.create("contacts", &json!({"lastname": "Lee", "parentcustomerid_account@odata.bind": bind}));
    org.create("annotations", &json!({"subject": "n", "objectid_account@odata.bind": bind}));
    let task = org.create(
        "tasks",
        &json!({"subject": "t", "regardingobjectid_contact_task@odata.bind": format!("/contacts({contact})")}),
    );
    let lead = org.create("leads", &json!({"lastname": "Low", "parentaccountid@odata.bind": bind}));
    let currency = org.rows("transactioncurrencies")[0]["transactioncurrencyid"].as_str().unwrap().to_owned();
    org.create("accounts", &json!({"name": "B", "revenue": 1}));
    refused(org.call("DELETE", &format!("transactioncurrencies({currency})"), None), 405, "0x80040227");
    org.delete(&format!("accounts({account})"));
    for path in [format!("contacts({contact})"), format!("tasks({task})")] {
        refused(org.call("GET", &path, None), 404, "0x80040217");
    }
    assert!(org.rows("annotations").is_empty());
    assert_eq!(org.get(&format!("leads({lead})"))["_parentaccountid_value"], Json::Null);
}

#[test]
fn nested_rows_are_created_with_it_or_not_at_all() {
    let mut org = Org::new();
    let body = |revenue: Json| {
        json!({"name": "A", "primarycontactid": {"lastname": "Lee"}, "opportunity_customer_accounts": [
            {"name": "Deal", "estimatedvalue": revenue, "Opportunity_Tasks": [{"subject": "Call"}]}]})
    };
    refused(org.call("POST", "accounts", Some(&body(json!("much")))), 400, "0x80048d19");
    assert!(org.rows("contacts").is_empty() && org.rows("accounts").is_empty());
    let id = org.create("accounts", &body(json!(5)));
    let row = org.get(&format!("accounts({id})?$expand=primarycontactid($select=lastname),opportunity_customer_accounts($select=name;$expand=Opportunity_Tasks($select=subject))"));
    assert_eq!(row["primarycontactid"]["lastname"], "Lee");
    assert_eq!(row["opportunity_customer_accounts"][0]["Opportunity_Tasks"][0]["subject"], "Call");
    let nested = json!({"opportunity_customer_accounts": [{"name": "x"}]});
    assert_eq!(org.ask("PATCH", &format!("accounts({id})"), &[("if-match", "*")], Some(&nested)).status, 400);
}

#[test]
fn duplicate_rules_count_when_they_are_asked_for() {
    let mut org = Org::of(json!({"duplicate_rules": [{"table": "contact", "columns": ["emailaddress1"]}]}));
    let body = json!({"lastname": "Lee", "emailaddress1": "lee@x.example"});
    org.create("contacts", &body);
    org.create("contacts", &body);
    let reply = org.ask("POST", "contacts", &[("mscrm.suppressduplicatedetection", "false")], Some(&body));
    refused((reply.status, reply.body_json()), 412, "0x80040333");
}
