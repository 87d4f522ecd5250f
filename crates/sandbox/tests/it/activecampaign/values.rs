//! Custom fields and their values.

use serde_json::{Value, json};

use super::{Account, refusal};

fn with_fields(settings: Value) -> Account {
    Account::of(json!({"settings": settings, "contacts": [{"id": 1, "email": "a@x.example"}],
        "fields": [{"id": 1, "title": "Text", "type": "text"}, {"id": 2, "title": "One", "type": "dropdown"},
            {"id": 3, "title": "Many", "type": "checkbox"}, {"id": 4, "title": "Day", "type": "date"}],
        "fieldOptions": [{"id": 1, "field": 2, "value": "a", "label": "A"}, {"id": 2, "field": 3, "value": "a", "label": "A"},
            {"id": 3, "field": 3, "value": "b", "label": "B"}],
        "accountCustomFieldMeta": [{"id": 1, "fieldLabel": "Money", "fieldType": "currency"},
            {"id": 2, "fieldLabel": "Many", "fieldType": "multiselect", "fieldOptions": ["a", "b"]},
            {"id": 3, "fieldLabel": "Day", "fieldType": "date"}]}))
}

fn put(account: &mut Account, field: u64, value: &str, status: u16) -> Value {
    let body = json!({"contact": {"fieldValues": [{"field": field.to_string(), "value": value}]}});
    account.send("PUT", "contacts/1", Some(&body), status)
}

#[test]
fn values_of_contacts_are_texts() {
    let mut account = with_fields(json!({}));
    for (field, value) in [(1, "x"), (2, "a"), (3, "||a||b||"), (4, "2026-01-31")] {
        put(&mut account, field, value, 200);
    }
    let read = account.get("contacts/1");
    let told: Vec<&str> =
        read["fieldValues"].as_array().unwrap().iter().map(|value| value["value"].as_str().unwrap()).collect();
    assert_eq!(told, ["x", "a", "||a||b||", "2026-01-31"]);
    assert_eq!(account.get("contacts?limit=1").get("fieldValues"), None, "lists bring no values");
    for (field, value) in [(2, "z"), (3, "a"), (3, "||a||z||"), (4, "31.01.2026")] {
        let told = put(&mut account, field, value, 422);
        assert_eq!(refusal(&told), ("field_invalid", field.to_string().as_str()));
    }
    put(&mut account, 1, "", 200);
    assert_eq!(account.get("fieldValues?filters[fieldid]=1")["meta"]["total"], "0", "the empty text wipes");
    assert_eq!(account.get("fieldValues?filters[fieldid]=2&filters[val]=a")["meta"]["total"], "1");
}

#[test]
fn what_is_unsure_has_a_switch() {
    let mut account = with_fields(json!({"any_option": true, "sideloads": true}));
    put(&mut account, 2, "z", 200);
    let list = account.get("contacts?include=fieldValues&limit=1");
    assert_eq!((&list["fieldValues"][0]["value"], &list["contacts"][0]["fieldValues"]), (&json!("z"), &json!(["1"])));
}

#[test]
fn values_of_accounts_are_arrays_and_cents() {
    let mut account = with_fields(json!({}));
    let body = |fields: Value| json!({"account": {"name": "Acme", "fields": fields}});
    let fields = json!([{"customFieldId": 1, "fieldValue": 25000, "fieldCurrency": "USD"}, {"customFieldId": 2, "fieldValue": ["a"]}]);
    let made = account.post("accounts", &body(fields));
    assert_eq!(made["account"]["customFieldSaveStatus"], json!({"status": "success"}));
    let data = account.get("accountCustomFieldData?filters[customerAccountId]=1");
    assert_eq!(
        (&data["accountCustomFieldData"][0]["fieldValue"], &data["accountCustomFieldData"][1]["fieldValue"]),
        (&json!(25000), &json!(["a"]))
    );
    let bad = json!({"account": {"name": "Second", "fields": [{"customFieldId": 3, "fieldValue": "abc"}]}});
    let told = account.refused("POST", "accounts", Some(&bad), 422);
    assert_eq!(
        told["errors"][0]["detail"],
        "The custom field value `abc` could not be saved to the custom field of type `date`."
    );
    let mut account = with_fields(json!({"saves_without_bad_values": true}));
    assert_eq!(account.post("accounts", &bad)["account"]["customFieldSaveStatus"]["status"], "failure");
}

#[test]
fn fields_are_made_in_three_steps() {
    let mut account = Account::empty();
    let field = json!({"field": {"type": "dropdown", "title": "Region", "perstag": "REGION", "visible": 1}});
    let made = account.post("fields", &field);
    assert_eq!(made["field"]["id"], "1");
    account.refused("POST", "fields", Some(&field), 422);
    let options = json!({"fieldOptions": [{"orderid": "1", "value": "n", "label": "North", "isdefault": false, "field": "1"},
        {"orderid": "2", "value": "s", "label": "South", "isdefault": false, "field": "1"}]});
    account.post("fieldOption/bulk", &options);
    assert!(account.refused("POST", "fieldOption/bulk", Some(&json!({"fieldOptions": []})), 422)["errors"].is_string());
    account.post("fieldRels", &json!({"fieldRel": {"field": "1", "relid": 0}}));
    let told = account.get("fields?limit=100");
    assert_eq!((&told["fields"][0]["options"], &told["fields"][0]["relations"]), (&json!(["1", "2"]), &json!(["1"])));
    assert_eq!(told["fieldOptions"][1]["label"], "South", "options stand beside the fields");
    let told = account.refused(
        "POST",
        "dealCustomFieldMeta",
        Some(&json!({"dealCustomFieldMetum": {"fieldLabel": "L"}})),
        422,
    );
    assert_eq!(told["errors"][0]["code"], 422, "a number");
}
