//! Contacts, accounts, deals and what hangs on them.

use serde_json::{Value, json};

use super::{Account, refusal};

fn contact(email: &str) -> Value {
    json!({"contact": {"email": email}})
}

#[test]
fn an_address_is_one_contact() {
    let mut account = Account::empty();
    let made = account.post("contacts", &contact("Ann@X.example"));
    assert_eq!((&made["contact"]["id"], &made["contact"]["email"]), (&json!("1"), &json!("ann@x.example")));
    assert_eq!(made["contact"]["cdate"], "2026-03-02T04:00:00-06:00", "the account's own offset");
    assert_eq!(made["contact"]["created_utc_timestamp"], "2026-03-02 04:00:00", "no UTC, whatever it is called");
    let told = account.refused("POST", "contacts", Some(&contact("ann@x.example")), 422);
    assert_eq!(refusal(&told), ("duplicate", "email"));
    assert_eq!(refusal(&account.refused("POST", "contacts", Some(&contact("nobody")), 422)).0, "field_invalid");
    assert_eq!(
        refusal(&account.refused("POST", "contacts", Some(&json!({"contact": {}})), 422)),
        ("field_missing", "email")
    );
    let body = json!({"contact": {"email": "ANN@x.example", "firstName": "Ann"}});
    assert_eq!(account.send("POST", "contact/sync", Some(&body), 200)["contact"]["id"], "1");
    assert_eq!(account.send("POST", "contact/sync", Some(&contact("new@x.example")), 201)["contact"]["id"], "2");
    assert_eq!(account.get("contacts/1")["contact"]["firstName"], "Ann", "what is left out stays");
    account.send("PATCH", "contacts/1", Some(&json!({"contact": {"firstName": ""}})), 200);
    assert_eq!(account.get("contacts/1")["contact"]["firstName"], "");
    assert_eq!(account.send("DELETE", "contacts/1", None, 200), json!({}));
    assert_eq!(
        account.send("GET", "contacts/1", None, 404),
        json!({"message": "No Result found for Subscriber with id 1"})
    );
    account.post("contacts", &contact("ann@x.example"));
}

#[test]
fn a_contact_has_one_account_and_accounts_have_names_of_their_own() {
    let mut account = Account::empty();
    for name in ["Acme", "Other"] {
        account.post("accounts", &json!({"account": {"name": name}}));
    }
    let told = account.refused("POST", "accounts", Some(&json!({"account": {"name": "ACME"}})), 422);
    assert_eq!(refusal(&told).0, "duplicate");
    account.post("contacts", &contact("a@x.example"));
    let join = |to: u64| json!({"accountContact": {"contact": 1, "account": to, "jobTitle": "CTO"}});
    let made = account.post("accountContacts", &join(1));
    assert_eq!(made["accountContact"]["account"], 1, "a number in the answer to a creation");
    let told = account.refused("POST", "accountContacts", Some(&join(2)), 422);
    assert_eq!(refusal(&told), ("field_invalid", "contact"));
    let all = account.get("accountContacts?filters[contact]=1");
    assert_eq!(
        (&all["accountContacts"][0]["account"], &all["accountContacts"][0]["jobTitle"]),
        (&json!("1"), &json!("CTO"))
    );
    assert_eq!(account.get("contacts?limit=1")["contacts"][0]["accountContacts"], json!(["1"]));
    account.send("DELETE", "accounts/bulk_delete?ids[]=1&ids[]=2", None, 200);
    assert_eq!(account.get("contacts/1")["accountContacts"], json!([]));
}

fn deal(more: Value) -> Value {
    let mut deal = json!({"title": "D", "value": 45600, "currency": "USD", "contact": "1", "stage": "2", "owner": "1"});
    deal.as_object_mut().unwrap().append(more.as_object().cloned().as_mut().unwrap());
    json!({ "deal": deal })
}

#[test]
fn deals_need_money_in_cents_a_place_and_somebody() {
    let mut account = Account::empty();
    account.post("contacts", &contact("a@x.example"));
    let made = account.post("deals", &deal(json!({"fields": []})));
    assert_eq!(
        (&made["deal"]["value"], &made["deal"]["currency"], &made["deal"]["group"]),
        (&json!(45600), &json!("usd"), &json!(1))
    );
    let read = account.get("deals/1");
    assert_eq!((&read["deal"]["value"], &read["deal"]["status"]), (&json!("45600"), &json!("0")), "texts when read");
    for (gone, code) in [
        ("title", "field_missing"),
        ("value", "field_missing"),
        ("owner", "field_missing"),
        ("contact", "field_missing"),
        ("stage", "field_missing"),
    ] {
        let told = account.refused("POST", "deals", Some(&deal(json!({gone: null}))), 422);
        assert_eq!(refusal(&told), (code, gone));
    }
    let told = account.refused("POST", "deals", Some(&deal(json!({"stage": 99}))), 422);
    assert_eq!(refusal(&told), ("related_missing", "stage"));
    account.post("dealGroups", &json!({"dealGroup": {"title": "Second", "currency": "eur"}}));
    account.refused("POST", "deals", Some(&deal(json!({"group": 2}))), 422);
    assert_eq!(account.get("dealStages?filters[d_groupid]=2")["meta"]["total"], 3, "three stages of its own");
    let body = json!({"contactDeal": {"contact": 1, "deal": 1}});
    account.post("contactDeals", &body);
    account.refused("POST", "contactDeals", Some(&body), 422);
    assert_eq!(account.get("deals/1/contactDeals")["contactDeals"].as_array().unwrap().len(), 1);
    assert_eq!(account.get("deals?filters[minimum_value]=456")["meta"]["total"], 1, "in units");
    assert_eq!(account.get("deals?filters[minimum_value]=457")["meta"]["total"], 0);
}

#[test]
fn hidden_deals_come_stripped() {
    let mut account = Account::of(json!({"deals": [
        {"id": 1, "title": "D", "value": 1, "currency": "usd", "stage": 1, "group": 1, "owner": 1, "isDisabled": 1}]}));
    assert_eq!(account.get("deals")["deals"][0], json!({"title": "D", "status": "0", "id": "1", "isDisabled": true}));
}

#[test]
fn notes_and_tasks_hang_on_something() {
    let mut account = Account::empty();
    account.post("contacts", &contact("a@x.example"));
    let note = |relid: u64, reltype: &str| json!({"note": {"note": "text", "relid": relid, "reltype": reltype}});
    account.post("notes", &note(1, "Subscriber"));
    account.refused("POST", "notes", Some(&note(9, "Subscriber")), 422);
    account.refused("POST", "notes", Some(&note(1, "Person")), 422);
    let read = account.get("contacts/1/notes");
    assert_eq!(
        (&read["notes"][0]["relid"], &read["notes"][0]["owner"]),
        (&json!("1"), &json!({"type": "contact", "id": "1"}))
    );
    let task = |more: Value| {
        let mut task = json!({"title": "Call", "ownerType": "contact", "relid": "1", "duedate": "2026-04-01T12:00:00-05:00", "dealTasktype": "1"});
        task.as_object_mut().unwrap().append(more.as_object().cloned().as_mut().unwrap());
        json!({ "dealTask": task })
    };
    let made = account.post("dealTasks", &task(json!({})));
    assert_eq!(
        (&made["dealTask"]["reltype"], &made["dealTask"]["duedate"]),
        (&json!("Subscriber"), &json!("2026-04-01T12:00:00-05:00"))
    );
    assert_eq!(account.refused("POST", "dealTasks", Some(&task(json!({"duedate": null}))), 400), json!({}));
    assert_eq!(
        account.get("dealTasks?filters[reltype]=Subscriber&filters[relid]=1&filters[title]=Call")["meta"]["total"],
        "1"
    );
    account.send("DELETE", "contacts/1", None, 200);
    assert_eq!(account.get("notes")["meta"]["total"], 0, "gone with the contact");
}

#[test]
fn tags_and_lists_are_joined_once() {
    let mut account = Account::of(json!({"settings": {"joins_touch": true}}));
    account.post("contacts", &contact("a@x.example"));
    account.post("tags", &json!({"tag": {"tag": "VIP", "tagType": "contact"}}));
    account.post("lists", &json!({"list": {"name": "News", "stringid": "news"}}));
    account.wait(60);
    let tag = json!({"contactTag": {"contact": "1", "tag": "1"}});
    account.send("POST", "contactTags", Some(&tag), 201);
    account.send("POST", "contactTags", Some(&tag), 200);
    assert_eq!(account.get("contacts/1")["contact"]["udate"], "2026-03-02T04:01:00-06:00");
    let list = |status: u64, source: u64| json!({"contactList": {"list": 1, "contact": 1, "status": status, "sourceid": source}});
    account.send("POST", "contactLists", Some(&list(2, 0)), 201);
    account.send("POST", "contactLists", Some(&list(1, 0)), 422);
    account.send("POST", "contactLists", Some(&list(1, 4)), 200);
    assert_eq!(account.get("contacts?tagid=1&listid=1&status=1")["meta"]["total"], "1");
    account.send("DELETE", "contactTags/1", None, 200);
    assert_eq!(account.get("contacts/1/contactTags")["contactTags"], json!([]));
}
