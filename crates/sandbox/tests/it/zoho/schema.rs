//! Modules, fields, layouts, custom fields and modules (sheet: section 3).

use serde_json::{Value as Json, json};

use super::{Org, denied};

fn field<'a>(fields: &'a Json, name: &str) -> &'a Json {
    fields["fields"].as_array().unwrap().iter().find(|field| field["api_name"] == name).unwrap()
}

#[test]
fn modules_and_their_fields_are_told() {
    let mut org = Org::new();
    let all = org.get("settings/modules");
    let module =
        |name: &str| all["modules"].as_array().unwrap().iter().find(|one| one["api_name"] == name).unwrap().clone();
    assert_eq!(
        (&module("Deals")["api_supported"], &module("Quoted_Items")["api_supported"]),
        (&json!(true), &json!(false))
    );
    let one = org.get("settings/modules/Leads");
    assert_eq!(
        (&one["modules"][0]["generated_type"], &one["modules"][0]["convertable"]),
        (&json!("default"), &json!(true))
    );
    let fields = org.get("settings/fields?module=Leads");
    let source = field(&fields, "Lead_Source");
    assert_eq!((&source["data_type"], &source["json_type"]), (&json!("picklist"), &json!("string")));
    assert_eq!(source["pick_list_values"][0]["actual_value"], "-None-");
    let created = field(&fields, "Created_Time");
    assert_eq!((&created["read_only"], &created["operation_type"]["api_create"]), (&json!(false), &json!(false)));
    assert_eq!(field(&fields, "Last_Name")["system_mandatory"], true);
    let deals = org.get("settings/fields?module=Deals");
    assert_eq!(field(&deals, "Account_Name")["lookup"]["module"]["api_name"], "Accounts");
    assert_eq!(field(&deals, "Stage")["pick_list_values"][3]["display_value"], "Identify Decision Makers");
    assert_eq!(field(&deals, "Stage")["pick_list_values"][0]["probability"], 10);
    denied(org.call("GET", "settings/fields", None), 400, "REQUIRED_PARAM_MISSING");
    denied(org.call("GET", "settings/fields?module=Planets", None), 400, "INVALID_MODULE");
    let layouts = org.get("settings/layouts?module=Deals");
    let section = layouts["layouts"][0]["sections"][0].clone();
    assert_eq!(field(&section, "Closing_Date")["required"], true);
    denied(org.call("GET", "settings/pipeline", None), 400, "REQUIRED_PARAM_MISSING");
    let lists = org.get("settings/related_lists?module=Accounts");
    let names: Vec<&Json> = lists["related_lists"].as_array().unwrap().iter().map(|list| &list["api_name"]).collect();
    assert!(names.contains(&&json!("Contacts")) && names.contains(&&json!("Notes")), "{names:?}");
}

#[test]
fn the_organization_tells_of_itself() {
    let mut org = Org::of(json!({"org": {"currencies": {"EUR": "0.9"}}}));
    let told = org.get("org")["org"][0].clone();
    assert_eq!(
        (&told["zgid"], &told["iso_code"], &told["mc_status"]),
        (&json!("60012345678"), &json!("USD"), &json!(true))
    );
    assert_eq!(org.get("org/currencies")["currencies"][1]["iso_code"], "EUR");
    let id = org.create("Leads", &json!({"Last_Name": "x", "Currency": "EUR"}));
    assert_eq!(org.record("Leads", &id)["Currency"], "EUR");
    assert_eq!(org.get("users?type=CurrentUser")["users"][0]["profile"]["name"], "Administrator");
    assert_eq!(org.get("settings/profiles")["profiles"].as_array().unwrap().len(), 2);
    denied(Org::new().call("GET", "org/currencies", None), 403, "FEATURE_NOT_ENABLED");
}

#[test]
fn a_custom_field_gets_its_name_from_its_label() {
    let mut org = Org::new();
    let body = json!({"fields": [
        {"field_label": "Source Id", "data_type": "text", "length": 40, "unique": {"case_sensitive": false}, "external": {"type": "org", "show": false}},
        {"field_label": "Größe (cm)", "data_type": "picklist", "pick_list_values": [{"display_value": "S"}, {"display_value": "L"}]}]});
    let reply = org.post("settings/fields?module=Contacts", &body, 201);
    assert_eq!(reply["fields"][0]["message"], "field created");
    let fields = org.get("settings/fields?module=Contacts");
    let key = field(&fields, "Source_Id").clone();
    assert_eq!(
        (&key["custom_field"], &key["unique"], &key["external"]["type"]),
        (&json!(true), &json!({"case_sensitive": false}), &json!("org"))
    );
    let id = org.create("Contacts", &json!({"Last_Name": "x", "Source_Id": "1", "Gr_e_cm": "S"}));
    assert_eq!(org.record("Contacts", &id)["Gr_e_cm"], "S");
    assert_eq!(org.refused("Contacts", &json!({"Last_Name": "y", "Source_Id": "1"})).0, "DUPLICATE_DATA");
    let again = org.post("settings/fields?module=Contacts", &body, 400);
    assert_eq!(again["fields"][0]["code"], "DUPLICATE_DATA");
    // Renaming what people see of a value leaves what is stored.
    let size = field(&fields, "Gr_e_cm").clone();
    let value = json!({"id": size["pick_list_values"][1]["id"], "display_value": "Small"});
    let change = json!({"fields": [{"pick_list_values": [value]}]});
    let path = format!("settings/fields/{}?module=Contacts", size["id"].as_str().unwrap());
    assert_eq!(org.call("PATCH", &path, Some(&change)).0, 200);
    assert_eq!(org.record("Contacts", &id)["Gr_e_cm"], "S");
    assert_eq!(org.call("DELETE", &path, None).0, 200);
    assert!(org.record("Contacts", &id).get("Gr_e_cm").is_none());
}

#[test]
fn custom_fields_have_their_limits() {
    let mut org = Org::keyed();
    let add = |org: &mut Org, module: &str, field: Json| {
        org.call("POST", &format!("settings/fields?module={module}"), Some(&json!({"fields": [field]}))).1["fields"][0]
            ["code"]
            .clone()
    };
    let unique = |label: &str| json!({"field_label": label, "data_type": "text", "unique": {"case_sensitive": true}});
    assert_eq!(add(&mut org, "Contacts", unique("One")), "SUCCESS");
    assert_eq!(add(&mut org, "Contacts", unique("Two")), "LIMIT_EXCEEDED");
    for (module, field, wanted) in [
        ("Leads", json!({"data_type": "text"}), "MANDATORY_NOT_FOUND"),
        ("Leads", json!({"field_label": "x"}), "MANDATORY_NOT_FOUND"),
        ("Leads", json!({"field_label": "x", "data_type": "colour"}), "INVALID_DATA"),
        ("Leads", json!({"field_label": "x", "data_type": "picklist"}), "MANDATORY_NOT_FOUND"),
        ("Leads", json!({"field_label": "x", "data_type": "text", "length": 256}), "INVALID_DATA"),
        (
            "Leads",
            json!({"field_label": "x", "data_type": "lookup", "lookup": {"module": {"api_name": "Planets"}}}),
            "INVALID_DATA",
        ),
        ("Calls", json!({"field_label": "x", "data_type": "text", "external": {"type": "org"}}), "INVALID_DATA"),
        ("Leads", json!({"field_label": "x", "data_type": "date", "external": {"type": "org"}}), "INVALID_DATA"),
        ("Tasks", unique("Key"), "INVALID_DATA"),
    ] {
        assert_eq!(add(&mut org, module, field.clone()), wanted, "{module} {field}");
    }
    let six: Vec<Json> = (0..6).map(|n| json!({"field_label": format!("F{n}"), "data_type": "text"})).collect();
    denied(org.call("POST", "settings/fields?module=Leads", Some(&json!({"fields": six}))), 400, "LIMIT_EXCEEDED");
    let mut small = Org::of(json!({"org": {"edition": "standard"}}));
    for n in 0..10 {
        assert_eq!(add(&mut small, "Leads", json!({"field_label": format!("F{n}"), "data_type": "text"})), "SUCCESS");
    }
    assert_eq!(add(&mut small, "Leads", json!({"field_label": "F10", "data_type": "text"})), "LIMIT_EXCEEDED");
}

#[test]
fn a_custom_module_holds_records() {
    let mut org = Org::new();
    let body = json!({"modules": [{"plural_label": "Space Ships", "singular_label": "Space Ship"}]});
    let cost = org.sandbox.journal().cost();
    org.post("settings/modules", &body, 201);
    assert_eq!(org.sandbox.journal().cost() - cost, 500);
    let field = json!({"fields": [{"field_label": "Captain", "data_type": "lookup", "lookup": {"module": {"api_name": "Contacts"}}}]});
    org.post("settings/fields?module=Space_Ships", &field, 201);
    let contact = org.create("Contacts", &json!({"Last_Name": "Lee"}));
    let id = org.create("Space_Ships", &json!({"Name": "Vostok", "Captain": {"id": contact}}));
    assert_eq!(org.record("Space_Ships", &id)["Captain"]["name"], "Lee");
    assert_eq!(org.refused("Space_Ships", &json!({})).0, "MANDATORY_NOT_FOUND");
    let again = org.post("Space_Ships/upsert", &json!({"data": [{"Name": "Vostok"}]}), 200);
    assert_eq!(again["data"][0]["duplicate_field"], "Name");
}
