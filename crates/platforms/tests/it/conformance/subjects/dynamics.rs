//! Dynamics for the suite.

use handover_connect::Request;
use handover_model::{Fields, RecordId, Value};
use handover_sandbox::Platform;
use handover_sandbox::faults::DisturbAction;
use serde_json::{Value as Json, json};

use crate::conformance::subject::{MARK, MODIFIED, Object, Scene, Subject, live_text};
use crate::conformance::values::Dice;

/// The custom column that carries keys.
const KEY: &str = "new_sourcekey";
const USERS: [&str; 3] = [
    "00000008-0000-4000-8000-000000000001",
    "00000008-0000-4000-8000-000000000002",
    "00000008-0000-4000-8000-000000000003",
];
/// The app's own user, who is no person.
const APP: &str = "00000008-0000-4000-8000-0000000000aa";
const TEAM: &str = "team:00000009-0000-4000-8000-000000000001";
const TENANT: &str = "sandbox.onmicrosoft.com";

pub(crate) struct Dynamics;

const fn object(name: &'static str, text: &'static str) -> Object {
    Object {
        name,
        journal: name,
        disturbed: true,
        text,
        key: KEY,
        lists: 1,
        overlap: 0,
        again: 0,
        apart: &[],
        open: &[],
    }
}

const ONE: &str = "the lookup leads to one record";
const REGARDING: &[(&str, &str)] = &[
    ("regardingobjectid.contact", ONE),
    ("regardingobjectid.lead", ONE),
    ("regardingobjectid.opportunity", ONE),
    ("regardingobjectid.incident", ONE),
    ("regardingobjectid.campaign", ONE),
];
const ABOUT: &[(&str, &str)] = &[
    ("objectid.contact", ONE),
    ("objectid.lead", ONE),
    ("objectid.opportunity", ONE),
    ("objectid.incident", ONE),
    ("objectid.task", ONE),
    ("objectid.phonecall", ONE),
    ("objectid.appointment", ONE),
    ("objectid.email", ONE),
    ("objectid.product", ONE),
    ("objectid.campaign", ONE),
];

static OBJECTS: [Object; 10] = [
    object("account", "name"),
    Object { apart: &[("parentcustomerid.contact", ONE)], ..object("contact", "lastname") },
    Object { apart: &[("customerid.contact", ONE)], ..object("lead", "lastname") },
    Object { apart: &[("customerid.contact", ONE)], ..object("opportunity", "name") },
    Object { apart: REGARDING, ..object("task", "subject") },
    Object { apart: REGARDING, ..object("phonecall", "subject") },
    Object { apart: REGARDING, ..object("appointment", "subject") },
    Object { key: "", apart: ABOUT, ..object("annotation", "subject") },
    Object {
        key: "",
        journal: "annotation",
        disturbed: false,
        apart: ABOUT,
        ..object("annotation.document", "subject")
    },
    object("new_ship", "new_name"),
];

/// Objects of which each can exactly what the one beside it can.
const ALIKE: [(&str, &str); 11] = [
    ("campaign", "opportunity"),
    ("uomschedule", "opportunity"),
    ("uom", "opportunity"),
    ("pricelevel", "opportunity"),
    ("product", "opportunity"),
    ("productpricelevel", "opportunity"),
    ("opportunityproduct", "opportunity"),
    ("incident", "account"),
    ("email", "task"),
    ("connectionrole", "opportunity"),
    ("connection", "opportunity"),
];

/// The tables of the world with their numbers and names.
const TABLES: [(&str, u32, &str, &str); 16] = [
    ("account", 1, "accountid", "name"),
    ("contact", 2, "contactid", "lastname"),
    ("lead", 4, "leadid", "lastname"),
    ("campaign", 4400, "campaignid", "name"),
    ("uomschedule", 1056, "uomscheduleid", "name"),
    ("uom", 1055, "uomid", "name"),
    ("pricelevel", 1022, "pricelevelid", "name"),
    ("product", 1024, "productid", "name"),
    ("opportunity", 3, "opportunityid", "name"),
    ("incident", 112, "incidentid", "title"),
    ("task", 4212, "activityid", "subject"),
    ("phonecall", 4210, "activityid", "subject"),
    ("appointment", 4201, "activityid", "subject"),
    ("email", 4202, "activityid", "subject"),
    ("annotation", 5, "annotationid", "subject"),
    ("new_ship", 10_000, "new_shipid", "new_name"),
];

/// Numbers that take whole ones only, or have bounds.
const NUMBERS: &[&str] = &[
    "percentcomplete",
    "closeprobability",
    "actualdurationminutes",
    "importsequencenumber",
    "numberofemployees",
    "sharesoutstanding",
    "numberofchildren",
    "new_whole",
    "new_decimal",
    "new_money",
    "estimatedvalue",
    "estimatedamount",
    "budgetamount",
    "actualvalue",
    "discountamount",
    "freightamount",
    "revenue",
    "creditlimit",
    "marketcap",
    "annualincome",
];

fn table(object: &str) -> &'static (&'static str, u32, &'static str, &'static str) {
    let name = object.split('.').next().unwrap();
    TABLES.iter().find(|(table, ..)| *table == name).unwrap()
}

fn id(object: &str, n: u64) -> String {
    // Files are numbered apart from the notes without.
    let kind = if object.contains('.') { 1 } else { 0 };
    format!("{:08x}-{kind:04x}-4000-8000-{n:012x}", table(object).1)
}

/// What a record cannot be without, beside its text, in the notation of a world file.
fn needed(object: &str) -> Json {
    match object {
        "appointment" => json!({"scheduledstart": "2026-01-05T09:00:00Z", "scheduledend": "2026-01-05T09:30:00Z"}),
        "incident" => json!({"customerid": format!("account/{}", id("account", 1))}),
        "annotation.document" => json!({"isdocument": true, "filename": "f.bin", "mimetype": "text/plain"}),
        "uom" => json!({"quantity": 1, "uomscheduleid": id("uomschedule", 1)}),
        "product" => json!({"productnumber": "P", "quantitydecimal": 2, "defaultuomid": id("uom", 1),
            "defaultuomscheduleid": id("uomschedule", 1)}),
        _ => json!({}),
    }
}

fn record(object: &str, n: u64) -> Json {
    use base64::Engine as _;
    let (_, _, key, text) = table(object);
    let mut record = needed(object);
    record[*key] = json!(id(object, n));
    record[*text] = json!(live_text(n));
    record["createdon"] = json!("2026-01-01T10:00:00Z");
    record["modifiedon"] = json!(MODIFIED);
    if object == "annotation.document" {
        record["documentbody"] = json!(base64::engine::general_purpose::STANDARD.encode(format!("bytes {n}")));
    }
    record
}

/// Columns of the customer's: the key, and of two tables one of each type.
fn columns(table: &str) -> Json {
    let mut all = Vec::new();
    if table != "annotation" {
        all.push(json!({"schema_name": "new_SourceKey", "kind": "string", "max_length": 120}));
    }
    if table == "account" || table == "new_ship" {
        let choices = json!([{"value": 100_000_000, "label": "Low"}, {"value": 100_000_001, "label": "High"}]);
        all.extend([
            json!({"schema_name": "new_Text", "kind": "string", "max_length": 100}),
            json!({"schema_name": "new_Memo", "kind": "memo", "max_length": 4000}),
            json!({"schema_name": "new_Whole", "kind": "integer"}),
            json!({"schema_name": "new_Decimal", "kind": "decimal", "precision": 4}),
            json!({"schema_name": "new_Money", "kind": "money"}),
            json!({"schema_name": "new_Day", "kind": "datetime", "format": "DateOnly", "behavior": "DateOnly"}),
            json!({"schema_name": "new_Instant", "kind": "datetime"}),
            json!({"schema_name": "new_Flag", "kind": "boolean", "default": false}),
            json!({"schema_name": "new_Choice", "kind": "picklist", "choices": choices}),
            json!({"schema_name": "new_Choices", "kind": "multiselect", "choices": choices}),
            json!({"schema_name": "new_Global", "kind": "picklist", "global_choices": "new_sizes"}),
            json!({"schema_name": "new_ShipId", "kind": "lookup", "targets": ["new_ship"]}),
        ]);
    }
    all.into()
}

impl Subject for Dynamics {
    fn name(&self) -> &'static str {
        "dynamics"
    }

    fn objects(&self) -> &'static [Object] {
        &OBJECTS
    }

    fn alike(&self) -> &'static [(&'static str, &'static str)] {
        &ALIKE
    }

    fn world(&self, scene: Scene) -> Json {
        let unit = "0000000a-0000-4000-8000-000000000001";
        let user = |n: usize| {
            json!({"systemuserid": USERS[n], "firstname": "User", "lastname": format!("{n}"), "isdisabled": n == 2,
                "internalemailaddress": format!("u{n}@x.example"), "domainname": format!("u{n}@x.example"),
                "businessunitid": unit, "islicensed": true})
        };
        let currency = |n: u64, code: &str| {
            json!({"transactioncurrencyid": format!("{:08x}-0000-4000-8000-{n:012x}", 9105), "currencyname": code,
                "isocurrencycode": code, "currencysymbol": code, "currencyprecision": 2, "exchangerate": 1.0})
        };
        let app = json!({"systemuserid": APP, "firstname": "#", "lastname": "App", "applicationid": id("account", 77),
            "internalemailaddress": "app@x.example", "domainname": "app@x.example", "businessunitid": unit,
            "accessmode": 4});
        let team = json!({"teamid": TEAM.trim_start_matches("team:"), "name": "Support",
            "emailaddress": "team@x.example", "businessunitid": unit, "administratorid": USERS[0]});
        let mut world = json!({
            "platform": "dynamics",
            "org": {"domain": TENANT, "currency": "EUR"},
            "tokens": {"tok-secret": {"user": APP}},
            "apps": [{"client_id": "app", "client_secret": "app-secret", "user": APP,
                "refresh_tokens": {"first-secret": USERS[0]}}],
            "choices": {"new_sizes": [{"value": 100_000_000, "label": "Small"}, {"value": 100_000_001, "label": "Big"}]},
            "tables": [{"schema_name": "new_Ship", "label": "Ship", "plural": "Ships"}],
            "pairs": [{"schema_name": "new_ship_contact", "one": "new_ship", "two": "contact"}],
            "records": {
                "businessunit": [{"businessunitid": unit, "name": "All"}],
                "systemuser": [user(0), user(1), user(2), app],
                "team": [team],
                "transactioncurrency": [currency(1, "EUR"), currency(2, "USD")],
            },
        });
        for (table, ..) in TABLES {
            let live = if scene.object == table { scene.live } else { 2 };
            world["records"][table] = (1..=live).map(|n| record(table, n)).collect();
            if table == "incident" && scene.object == "account" {
                for row in world["records"][table].as_array_mut().unwrap() {
                    row["customerid"] = json!(format!("contact/{}", id("contact", 1)));
                }
            }
            world["columns"][table] = columns(table);
            if table != "annotation" {
                world["keys"][table] = json!([{"schema_name": "new_SourceKey_Key", "columns": [KEY]}]);
            }
        }
        if scene.object == "annotation.document" {
            let notes = world["records"]["annotation"].as_array_mut().unwrap();
            notes.extend((1..=scene.live).map(|n| record(scene.object, n)));
        }
        world
    }

    fn sandbox(&self, world: Json) -> Box<dyn Platform> {
        Box::new(handover_sandbox::dynamics::Dynamics::from_world(world, 7).unwrap())
    }

    fn token(&self) -> &'static str {
        "tok-secret"
    }

    fn tenant(&self) -> &'static str {
        "/sandbox.onmicrosoft.com"
    }

    fn time_zone(&self) -> &'static str {
        ""
    }

    fn secrets(&self) -> &'static [&'static str] {
        &["tok-secret", "app-secret", "first-secret", "0.AXoA", "eyJ0", "Bearer "]
    }

    fn renews_refresh_tokens(&self) -> bool {
        true
    }

    fn id(&self, object: &str, n: u64) -> RecordId {
        id(object, n).into()
    }

    fn mint(&self, object: &Object, n: u64) -> Fields {
        let mut fields = Fields::new();
        let mut set = |name: &str, value: Value| fields.set(name.into(), value);
        match object.name {
            "appointment" => {
                set("scheduledstart", Value::DateTime("2026-01-05T09:00:00Z".parse().unwrap()));
                set("scheduledend", Value::DateTime("2026-01-05T09:30:00Z".parse().unwrap()));
            }
            "annotation.document" => set("filename", format!("{n}.bin").into()),
            _ => {}
        }
        set(object.text, format!("{MARK} new {n}").into());
        if !object.key.is_empty() {
            set(object.key, format!("{MARK}:{}:{n}", object.name).into());
        }
        fields
    }

    fn value(&self, _: &Object, field: &str, dice: &mut Dice) -> Option<Value> {
        let is_place = field.ends_with("latitude") || field.ends_with("longitude");
        (is_place || NUMBERS.contains(&field)).then(|| Value::Number(dice.below(90).into()))
    }

    fn along(&self, _: &Object, _: &str) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    fn user(&self) -> &'static str {
        USERS[1]
    }

    fn users(&self) -> (&'static [&'static str], &'static [&'static str]) {
        (&[USERS[0], USERS[1], TEAM], &[USERS[2]])
    }

    fn raw(&self, object: &Object) -> Json {
        let mut fields = if object.name == "appointment" { needed("appointment") } else { json!({}) };
        fields[object.text] = json!("made meanwhile");
        fields
    }

    fn request(&self, _: &Object, _: &str, _: &DisturbAction) -> Option<Request> {
        None
    }

    fn refuse_whole(&self, _: &mut Json) -> bool {
        false
    }

    fn without_rights(&self, world: &mut Json, _: &Object) -> (&'static str, bool) {
        world["tokens"]["tok-secret"]["user"] = Json::Null;
        ("organization", false)
    }

    fn reverse(&self, _: &Object, _: &str, _: &str, _: &str) -> Option<Request> {
        None
    }
}
