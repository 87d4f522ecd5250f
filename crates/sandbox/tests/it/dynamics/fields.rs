//! Values: money, dates, names, owners, the time of creation, states.

use serde_json::{Value as Json, json};

use super::{NOWHERE, Org, refused};

#[test]
fn money_has_a_currency_and_a_base() {
    let records = json!({"transactioncurrency": [{"transactioncurrencyid": NOWHERE, "currencyname": "Yen",
        "isocurrencycode": "JPY", "currencysymbol": "¥", "currencyprecision": 0, "exchangerate": 150.0}]});
    let mut org = Org::of(json!({"records": records}));
    let bind = format!("/transactioncurrencies({NOWHERE})");
    let id = org.create("accounts", &json!({"name": "A", "revenue": 300.6, "transactioncurrencyid@odata.bind": bind}));
    let row =
        org.ask("GET", &format!("accounts({id})"), &[("prefer", "odata.include-annotations=\"*\"")], None).body_json();
    assert_eq!(
        (&row["revenue"], &row["revenue_base"], &row["exchangerate"]),
        (&json!(301.0), &json!(2.0067), &json!(150.0))
    );
    assert_eq!(row["revenue@OData.Community.Display.V1.FormattedValue"], "¥301");
    let plain = org.create("accounts", &json!({"name": "B"}));
    assert_eq!(org.get(&format!("accounts({plain})"))["_transactioncurrencyid_value"], Json::Null);
    let base = org.create("accounts", &json!({"name": "C", "revenue": 1}));
    assert_ne!(org.get(&format!("accounts({base})"))["_transactioncurrencyid_value"], Json::Null, "the base currency");
}

#[test]
fn times_and_days_keep_their_kinds() {
    let mut org = Org::new();
    let id = org.create("contacts", &json!({"firstname": "Kim", "lastname": "Lee", "birthdate": "1970-11-20"}));
    let row = org.get(&format!("contacts({id})"));
    assert_eq!((&row["fullname"], &row["birthdate"]), (&json!("Kim Lee"), &json!("1970-11-20")));
    let task = json!({"subject": "t", "scheduledstart": "2026-03-01T12:00:00.750+01:00", "scheduledend": "2026-03-01T11:30:00"});
    let id = org.create("tasks", &task);
    let row = org.get(&format!("tasks({id})"));
    assert_eq!(
        (&row["scheduledstart"], &row["scheduledend"]),
        (&json!("2026-03-01T11:00:00Z"), &json!("2026-03-01T11:30:00Z"))
    );
    assert_eq!((&row["scheduleddurationminutes"], &row["activitytypecode"]), (&json!(30), &json!("task")));
    for bad in ["2026-03-01", "1700-01-01T00:00:00Z", "soon"] {
        refused(org.call("POST", "tasks", Some(&json!({"subject": "t", "scheduledstart": bad}))), 400, "0x80048d19");
    }
}

#[test]
fn several_choices_are_one_text() {
    let choices = json!([{"value": 1, "label": "Red"}, {"value": 2, "label": "Blue"}]);
    let mut org = Org::of(
        json!({"columns": {"account": [{"schema_name": "new_Colours", "kind": "multiselect", "choices": choices}]}}),
    );
    let id = org.create("accounts", &json!({"name": "A", "new_colours": "2,1"}));
    let row = org
        .ask(
            "GET",
            &format!("accounts({id})"),
            &[("prefer", "odata.include-annotations=\"OData.Community.Display.V1.FormattedValue\"")],
            None,
        )
        .body_json();
    assert_eq!(
        (&row["new_colours"], &row["new_colours@OData.Community.Display.V1.FormattedValue"]),
        (&json!("1,2"), &json!("Red; Blue"))
    );
    refused(org.call("POST", "accounts", Some(&json!({"name": "B", "new_colours": "1,3"}))), 400, "0x8004431a");
    refused(org.call("POST", "accounts", Some(&json!({"name": "B", "new_colours": [1]}))), 400, "0x80048d19");
}

#[test]
fn the_time_of_creation_may_be_given_once() {
    let mut org = Org::new();
    let old = json!({"name": "A", "overriddencreatedon": "2019-05-06T07:08:09Z", "importsequencenumber": 7});
    let id = org.create("accounts", &old);
    let row = org.get(&format!("accounts({id})"));
    assert_eq!(
        (&row["createdon"], &row["overriddencreatedon"]),
        (&json!("2019-05-06T07:08:09Z"), &json!("2026-11-20T09:00:00Z"))
    );
    assert_eq!(row["modifiedon"], "2026-11-20T09:00:00Z");
    let late = org.ask(
        "PATCH",
        &format!("accounts({id})"),
        &[("if-match", "*")],
        Some(&json!({"overriddencreatedon": "2018-05-06T07:08:09Z"})),
    );
    assert_eq!(late.status, 400);
    let mut strict = Org::with(json!({"override_created_on": false}));
    refused(strict.call("POST", "accounts", Some(&old)), 403, "0x80040220");
}

#[test]
fn owners_work_here() {
    let user = |id: &str, disabled: bool, licensed: bool| {
        json!({"systemuserid": id, "firstname": "U", "lastname": "V", "domainname": format!("{id}@x.example"),
            "internalemailaddress": "u@x.example", "isdisabled": disabled, "islicensed": licensed,
            "businessunitid": "22222222-2222-4222-8222-222222222222"})
    };
    let (good, gone, free) = (
        "33333333-3333-4333-8333-333333333331",
        "33333333-3333-4333-8333-333333333332",
        "33333333-3333-4333-8333-333333333333",
    );
    let unit = json!([{"businessunitid": "22222222-2222-4222-8222-222222222222", "name": "Root"}]);
    let mut org = Org::of(json!({"records": {"businessunit": unit,
        "systemuser": [user(good, false, true), user(gone, true, true), user(free, false, false)]}}));
    let owned = |id: &str| json!({"name": "A", "ownerid@odata.bind": format!("/systemusers({id})")});
    let id = org.create("accounts", &owned(good));
    let row = org.get(&format!("accounts({id})"));
    assert_eq!(
        (&row["_ownerid_value"], &row["_owninguser_value"], &row["_owningteam_value"]),
        (&json!(good), &json!(good), &Json::Null)
    );
    assert_eq!(row["_owningbusinessunit_value"], "22222222-2222-4222-8222-222222222222");
    refused(org.call("POST", "accounts", Some(&owned(gone))), 403, "0x80040225");
    refused(org.call("POST", "accounts", Some(&owned(free))), 403, "0x8004d24b");
    let team = org.create(
        "teams",
        &json!({"name": "T", "administratorid@odata.bind": format!("/systemusers({good})"),
        "businessunitid@odata.bind": "/businessunits(22222222-2222-4222-8222-222222222222)"}),
    );
    org.patch(&format!("accounts({id})"), &json!({"ownerid@odata.bind": format!("/teams({team})")}));
    assert_eq!(org.get(&format!("accounts({id})"))["_owningteam_value"], json!(team));
}

#[test]
fn states_and_reasons_change_together() {
    let mut org = Org::new();
    let lead = org.create("leads", &json!({"lastname": "Lee"}));
    let path = format!("leads({lead})");
    let strict = [("if-match", "*")];
    for body in [json!({"statuscode": 3}), json!({"statecode": 1, "statuscode": 4})] {
        let reply = org.ask("PATCH", &path, &strict, Some(&body));
        refused((reply.status, reply.body_json()), 400, "0x80048408");
    }
    org.patch(&path, &json!({"statecode": 1, "statuscode": 3}));
    org.patch(&path, &json!({"statecode": 0}));
    assert_eq!(org.get(&path)["statuscode"], 1);
    let task = org.create("tasks", &json!({"subject": "t"}));
    let path = format!("tasks({task})");
    org.patch(&path, &json!({"statecode": 1, "statuscode": 5, "subject": "done"}));
    assert_eq!(org.get(&path)["actualend"], "2026-11-20T09:00:00Z");
    assert_eq!(org.ask("PATCH", &path, &strict, Some(&json!({"subject": "x"}))).status, 400, "closed");
    org.patch(&path, &json!({"statecode": 0, "statuscode": 2, "subject": "again"}));
}
