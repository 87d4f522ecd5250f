//! World files, folders, and the same requests twice.

use handover_sandbox::zoho::{WorldError, Zoho};
use handover_sandbox::{Platform, Request, persist};
use serde_json::{Value as Json, json};

use super::{Org, keys};

/// A bit of everything that changes state.
fn live(org: &mut Org) {
    let account = org.create("Accounts", &json!({"Account_Name": "Acme", "Source_Id": "A"}));
    let contact = org.create("Contacts", &json!({"Last_Name": "Lee", "Account_Name": {"id": account}}));
    let deal = json!({"Deal_Name": "Deal", "Stage": "Qualification", "Closing_Date": "2026-12-01", "Contact_Name": {"id": contact}});
    let deal = org.create("Deals", &deal);
    let other = org.create("Contacts", &json!({"Last_Name": "Kim"}));
    let role = json!({"data": [{"Contact_Role": {"name": "Purchasing"}}]});
    org.put(&format!("Deals/{deal}/Contact_Roles/{other}"), &role, 200);
    org.post(&format!("Deals/{deal}/Notes"), &json!({"data": [{"Note_Content": "c"}]}), 201);
    org.post(&format!("Deals/{deal}/Attachments?attachmentUrl=https://x.example/y"), &json!({}), 200);
    let event = json!({"Event_Title": "x", "Start_DateTime": "2026-12-01T10:00:00+00:00", "End_DateTime": "2026-12-01T11:00:00+00:00", "What_Id": {"id": deal}, "$se_module": "Deals"});
    org.create("Events", &event);
    org.wait(30);
    org.post(
        "Accounts/upsert",
        &json!({"data": [{"Source_Id": "a", "Account_Name": "Acme Ltd"}], "duplicate_check_fields": ["Source_Id"]}),
        200,
    );
    let product = org.create("Products", &json!({"Product_Name": "Pump"}));
    org.put(&format!("Deals/{deal}/Products"), &json!({"data": [{"id": product}]}), 200);
    let row = json!({"Product_Name": {"id": product}, "Quantity": 2, "List_Price": 10.5});
    org.create("Quotes", &json!({"Subject": "x", "Quoted_Items": [row]}));
    org.delete("Contacts", &contact);
    org.post("settings/fields?module=Leads", &json!({"fields": [{"field_label": "Late", "data_type": "text"}]}), 201);
    org.post("settings/modules", &json!({"modules": [{"plural_label": "Ships", "singular_label": "Ship"}]}), 201);
    org.create("Ships", &json!({"Name": "Vostok"}));
    let lead = org.create("Leads", &json!({"Last_Name": "Last", "Late": "x"}));
    org.post("Leads/actions/add_tags", &json!({"tags": [{"name": "hot"}], "ids": [lead]}), 200);
    let watch = json!({"watch": [{"channel_id": "1", "events": ["Leads.all"], "notify_url": "http://127.0.0.1:9/"}]});
    org.post("actions/watch", &watch, 201);
    let told = org.sandbox.platform().credentials();
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    let form = format!(
        "grant_type=refresh_token&client_id={}&client_secret={}&refresh_token={}",
        text("client_id"),
        text("client_secret"),
        text("refresh_token")
    );
    let mut request = Request::new("POST", "/oauth/v2/token");
    request.body = form.into_bytes();
    assert_eq!(org.send(&request).status, 200);
}

#[test]
fn a_world_file_loads_to_the_same_world() {
    let mut org = Org::keyed();
    live(&mut org);
    let world = org.sandbox.platform().world();
    let again = Zoho::from_world(world.clone(), 99).unwrap();
    assert_eq!(again.world(), world);
}

#[test]
fn the_same_requests_give_the_same_world() {
    let (mut one, mut two) = (Org::keyed(), Org::keyed());
    live(&mut one);
    live(&mut two);
    assert_eq!(one.sandbox.platform().world(), two.sandbox.platform().world());
    assert_eq!(one.sandbox.journal().to_json_lines(), two.sandbox.journal().to_json_lines());
}

#[test]
fn what_was_answered_survives_a_kill() {
    let boxed = |world: Json| -> Result<Box<dyn Platform>, WorldError> { Ok(Box::new(Zoho::from_world(world, 7)?)) };
    let dir = tempfile::tempdir().unwrap();
    let open = || persist::open(dir.path(), || boxed(json!({"fields": keys()})), boxed).unwrap();
    let mut org = Org::keyed();
    org.sandbox = open();
    live(&mut org);
    let before = org.sandbox.platform().world();
    drop(org);
    assert_eq!(open().platform().world(), before);
}

#[test]
fn a_world_that_does_not_fit_together_is_refused() {
    for world in [
        json!({"colour": 1}),
        json!({"platform": "hubspot"}),
        json!({"records": {"Planets": [{"Name": "x"}]}}),
        json!({"records": {"Leads": [{"Last_Name": "x", "Colour": 1}]}}),
        json!({"records": {"Leads": [{"id": 7, "Last_Name": "x"}, {"id": "7", "Last_Name": "y"}]}}),
        json!({"records": {"Contacts": [{"Last_Name": "x", "Account_Name": "7"}]}}),
        json!({"records": {"Leads": [{"Last_Name": "x", "Created_Time": "today"}]}}),
        json!({"records": {"Deals": [{"Deal_Name": "x", "Stage": "None"}]}}),
        json!({"fields": {"Leads": [{"api_name": "P", "data_type": "lookup", "module": "Planets"}]}}),
        json!({"fields": {"Leads": [{"api_name": "P", "data_type": "colour"}]}}),
        json!({"modules": [{"api_name": "Leads"}]}),
        json!({"layouts": {"Deals": [{"name": "Standard", "pipelines": [{"display": "x", "stages": ["None"]}]}]}}),
        json!({"settings": {"colour": 1}}),
    ] {
        assert!(Zoho::from_world(world.clone(), 1).is_err(), "{world}");
    }
}

#[test]
fn records_of_a_world_file_are_completed() {
    let world = json!({"records": {
        "Accounts": [{"id": "5000000000000000001", "Account_Name": "Acme"}],
        "Contacts": [{"id": 9, "First_Name": "A", "Last_Name": "B", "Account_Name": {"id": "5000000000000000001"}, "Created_Time": "2026-01-01T00:00:00Z"}],
        "Leads": [{"Last_Name": "C"}]}});
    let mut org = Org::of(world);
    let record = org.record("Contacts", "9");
    assert_eq!((&record["Full_Name"], &record["Account_Name"]["name"]), (&json!("A B"), &json!("Acme")));
    assert_eq!(record["Created_Time"], "2026-01-01T03:00:00+03:00");
    let id = org.create("Leads", &json!({"Last_Name": "D"}));
    assert!(id.parse::<u64>().unwrap() > 5_000_000_000_000_000_001, "{id}: ids ascend");
}

#[test]
fn the_sample_company_is_there() {
    let seed = 3;
    let world = handover_sandbox::sample::company_in("zoho", seed, handover_sandbox::sample::Scale::small()).unwrap();
    assert_eq!(
        Some(world.clone()),
        handover_sandbox::sample::company_in("zoho", seed, handover_sandbox::sample::Scale::small())
    );
    let count = |module: &str| world["records"][module].as_array().unwrap().len();
    for module in ["Accounts", "Contacts", "Deals", "Notes", "Calls", "Events", "Tasks", "Attachments"] {
        assert!(count(module) > 0, "seed {seed}: no {module}");
    }
    let mut org = Org::of(world.clone());
    let deals = org.get("Deals?fields=Deal_Name,Stage,Pipeline,Account_Name,Amount,Currency,Owner&sort_order=asc");
    assert_eq!(deals["data"].as_array().unwrap().len(), count("Deals").min(200), "seed {seed}");
    assert!(deals["data"][0]["Pipeline"]["name"].is_string(), "seed {seed}: {}", deals["data"][0]);
    let contact = org.texts("id", "Contacts?fields=id&per_page=1")[0].clone();
    org.update("Contacts", &contact, &json!({"Mailing_City": "Rome"}));
}
