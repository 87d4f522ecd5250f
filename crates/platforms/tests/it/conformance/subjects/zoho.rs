//! Zoho CRM for the suite.

use handover_connect::Request;
use handover_model::{Fields, RecordId, Value};
use handover_sandbox::Platform;
use handover_sandbox::faults::DisturbAction;
use serde_json::{Value as Json, json};

use crate::conformance::subject::{MARK, MODIFIED, Object, Scene, Subject, live_text};
use crate::conformance::values::Dice;

/// The custom field that carries keys.
const KEY: &str = "Src_Key";
const USERS: [&str; 3] = ["100000000000000001", "100000000000000002", "100000000000000003"];

pub(crate) struct Zoho;

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

const ONE: &str = "the column points to one record";
/// All that an activity can hang on but deals.
const APART: &[(&str, &str)] = &[
    ("What_Id.Accounts", ONE),
    ("What_Id.Vendors", ONE),
    ("What_Id.Leads", ONE),
    ("What_Id.Campaigns", ONE),
    ("What_Id.Products", ONE),
    ("What_Id.Price_Books", ONE),
    ("What_Id.Quotes", ONE),
    ("What_Id.Sales_Orders", ONE),
    ("What_Id.Purchase_Orders", ONE),
    ("What_Id.Invoices", ONE),
    ("What_Id.Cases", ONE),
    ("What_Id.Solutions", ONE),
    ("What_Id.Ships", ONE),
];

static OBJECTS: [Object; 9] = [
    object("Accounts", "Account_Name"),
    object("Contacts", "Last_Name"),
    object("Products", "Product_Name"),
    Object { apart: &[("Probability", "the stage decides it")], ..object("Deals", "Deal_Name") },
    // Its records cannot be without their prices: read only.
    Object { key: "", ..object("Price_Books", "Price_Book_Name") },
    // A query for ids, and the records by these.
    Object { key: "", lists: 2, apart: APART, ..object("Tasks", "Subject") },
    Object { key: "", lists: 2, apart: APART, ..object("Calls", "Subject") },
    Object {
        key: "",
        again: 1,
        apart: &[
            ("Parent_Id.Vendors", ONE),
            ("Parent_Id.Contacts", ONE),
            ("Parent_Id.Leads", ONE),
            ("Parent_Id.Campaigns", ONE),
            ("Parent_Id.Products", ONE),
            ("Parent_Id.Price_Books", ONE),
            ("Parent_Id.Deals", ONE),
            ("Parent_Id.Quotes", ONE),
            ("Parent_Id.Sales_Orders", ONE),
            ("Parent_Id.Purchase_Orders", ONE),
            ("Parent_Id.Invoices", ONE),
            ("Parent_Id.Cases", ONE),
            ("Parent_Id.Solutions", ONE),
            ("Parent_Id.Tasks", ONE),
            ("Parent_Id.Events", ONE),
            ("Parent_Id.Calls", ONE),
            ("Parent_Id.Ships", ONE),
        ],
        ..object("Notes", "Note_Title")
    },
    object("Ships", "Name"),
];

/// Objects of which each can exactly what the one beside it can, and one that has tests of its own (`zoho::files`): it
/// is read through all others.
const ALIKE: [(&str, &str); 11] = [
    ("Vendors", "Contacts"),
    ("Leads", "Contacts"),
    ("Campaigns", "Products"),
    ("Cases", "Products"),
    ("Solutions", "Products"),
    ("Quotes", "Price_Books"),
    ("Sales_Orders", "Price_Books"),
    ("Purchase_Orders", "Price_Books"),
    ("Invoices", "Price_Books"),
    ("Events", "Tasks"),
    ("Attachments", ""),
];

/// Every module that the world has records of, with the field that names them.
const MODULES: [(&str, &str); 13] = [
    ("Accounts", "Account_Name"),
    ("Contacts", "Last_Name"),
    ("Leads", "Last_Name"),
    ("Vendors", "Vendor_Name"),
    ("Campaigns", "Campaign_Name"),
    ("Products", "Product_Name"),
    ("Price_Books", "Price_Book_Name"),
    ("Deals", "Deal_Name"),
    ("Cases", "Subject"),
    ("Tasks", "Subject"),
    ("Calls", "Subject"),
    ("Notes", "Note_Title"),
    ("Ships", "Name"),
];

/// Below the ids that the sandbox gives.
fn id(object: &str, n: u64) -> String {
    let place = MODULES.iter().position(|(name, _)| *name == object).unwrap_or(MODULES.len()) as u64;
    (200_000_000_000_000_000 + place * 1_000_000_000 + n).to_string()
}

/// What a record cannot be without, beside its text.
fn needed(object: &str) -> Json {
    match object {
        "Deals" => json!({"Stage": "Qualification", "Closing_Date": "2026-06-30"}),
        "Cases" => json!({"Case_Origin": "Web", "Status": "New"}),
        "Calls" => json!({"Call_Type": "Inbound", "Call_Start_Time": "2026-01-05T09:00:00+00:00",
            "Call_Duration": "10:00"}),
        "Notes" => json!({"$se_module": "Accounts", "Parent_Id": id("Accounts", 1)}),
        _ => json!({}),
    }
}

fn record(object: &str, n: u64) -> Json {
    let mut record = needed(object);
    let text = MODULES.iter().find(|(name, _)| *name == object).map_or("Name", |(_, text)| text);
    record["id"] = json!(id(object, n));
    record[text] = json!(live_text(n));
    record["Owner"] = json!(USERS[0]);
    record["Created_Time"] = json!("2026-01-01T10:00:00Z");
    record["Modified_Time"] = json!(MODIFIED);
    record
}

/// Custom fields: one of each type, and the key.
fn fields(object: &str) -> Json {
    let mut all = Vec::new();
    if OBJECTS.iter().any(|one| one.name == object && !one.key.is_empty()) {
        all.push(json!({"api_name": KEY, "data_type": "text", "length": 120, "unique": true, "case_sensitive": true}));
    }
    if object == "Accounts" || object == "Ships" {
        let picks = json!([{"display": "Low"}, {"display": "Very high", "actual": "High"}]);
        all.extend([
            json!({"api_name": "My_Text", "data_type": "text", "length": 100}),
            json!({"api_name": "My_Area", "data_type": "textarea", "textarea": "large"}),
            json!({"api_name": "My_Html", "data_type": "textarea", "textarea": "rich_text"}),
            json!({"api_name": "My_Number", "data_type": "double", "decimals": 3}),
            json!({"api_name": "My_Date", "data_type": "date"}),
            json!({"api_name": "My_Instant", "data_type": "datetime"}),
            json!({"api_name": "My_Flag", "data_type": "boolean"}),
            json!({"api_name": "My_Choice", "data_type": "picklist", "picks": picks}),
            json!({"api_name": "My_Choices", "data_type": "multiselectpicklist", "picks": picks}),
            json!({"api_name": "My_Ship", "data_type": "lookup", "module": "Ships"}),
            json!({"api_name": "My_User", "data_type": "userlookup"}),
        ]);
    }
    all.into()
}

const NUMBERS: &[&str] = &[
    "Account_Number",
    "Employees",
    "Annual_Revenue",
    "SIC_Code",
    "Amount",
    "Probability",
    "Exchange_Rate",
    "Unit_Price",
    "Commission_Rate",
    "Qty_in_Stock",
    "Qty_in_Demand",
    "Qty_Ordered",
    "Reorder_Level",
];

/// Texts in which letters outside the basic plane count twice (sheet: Zoho trap 18), so that the longest are shorter
/// than they say.
fn is_text(object: &Object, field: &str) -> bool {
    let of_address = ["Billing_", "Shipping_", "Mailing_", "Other_"].iter().any(|start| field.starts_with(start));
    field == object.text
        || (of_address && !field.ends_with("Phone"))
        || [
            "Account_Site",
            "Ticker_Symbol",
            "Description",
            "First_Name",
            "Title",
            "Department",
            "Assistant",
            "Skype_ID",
            "Twitter",
            "Next_Step",
            "Call_Agenda",
            "Note_Content",
            "My_Text",
            "My_Area",
            "Product_Code",
        ]
        .contains(&field)
}

impl Subject for Zoho {
    fn name(&self) -> &'static str {
        "zoho"
    }

    fn objects(&self) -> &'static [Object] {
        &OBJECTS
    }

    fn alike(&self) -> &'static [(&'static str, &'static str)] {
        &ALIKE
    }

    fn world(&self, scene: Scene) -> Json {
        let user = |n: usize| {
            json!({"id": USERS[n].parse::<u64>().unwrap(), "first_name": "User", "last_name": n.to_string(),
                "email": format!("u{n}@x.example"), "admin": n == 0, "status": if n < 2 { "active" } else { "inactive" }})
        };
        let scope = "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.users.ALL,ZohoCRM.org.READ,ZohoCRM.coql.READ,ZohoCRM.bulk.READ,ZohoCRM.notifications.ALL";
        let admin = USERS[0].parse::<u64>().unwrap();
        let mut world = json!({
            "platform": "zoho",
            // What could be worked out takes long for ten thousand records.
            "complete": true,
            "org": {"time_zone": "Europe/Berlin", "currency": "EUR", "currencies": {"USD": "1.1"}},
            "users": [user(0), user(1), user(2)],
            "access": {
                "clients": [{"client_id": "app", "client_secret": "app-secret"}],
                "refresh_tokens": {"first-secret": {"client_id": "app", "user": admin, "scope": scope}},
                "tokens": {"tok-secret": {"user": admin, "scope": scope}},
            },
            "modules": [{"api_name": "Ships", "singular": "Ship", "plural": "Ships"}],
        });
        for (object, _) in MODULES {
            let live = if scene.object == object { scene.live } else { 2 };
            world["records"][object] = (1..=live).map(|n| record(object, n)).collect();
            let own = fields(object);
            if !own.as_array().unwrap().is_empty() {
                world["fields"][object] = own;
            }
        }
        let gone = scene.live + 1..=scene.live + scene.gone;
        let binned = |n: u64| {
            json!({"module": scene.object, "record": record(scene.object, n), "at": 1_772_272_800, "by": admin,
                "root": id(scene.object, n).parse::<u64>().unwrap(), "told": true})
        };
        world["bin"] = gone.map(binned).collect();
        world
    }

    fn sandbox(&self, world: Json) -> Box<dyn Platform> {
        Box::new(handover_sandbox::zoho::Zoho::from_world(world, 7).unwrap())
    }

    fn token(&self) -> &'static str {
        "tok-secret"
    }

    fn secrets(&self) -> &'static [&'static str] {
        &["tok-secret", "app-secret", "first-secret", "Zoho-oauthtoken"]
    }

    fn renews_refresh_tokens(&self) -> bool {
        false
    }

    fn id(&self, object: &str, n: u64) -> RecordId {
        id(object, n).into()
    }

    fn mint(&self, object: &Object, n: u64) -> Fields {
        let mut fields = Fields::new();
        let mut set = |name: &str, value: Value| fields.set(name.into(), value);
        match object.name {
            "Deals" => {
                set("Stage", "Qualification".into());
                set("Closing_Date", Value::Date("2026-06-30".parse().unwrap()));
            }
            "Calls" => {
                set("Call_Type", "Inbound".into());
                set("Call_Start_Time", Value::DateTime("2026-01-05T09:00:00Z".parse().unwrap()));
                set("Call_Duration", "10:00".into());
            }
            "Notes" => set("Parent_Id.Accounts", id("Accounts", 1).as_str().into()),
            _ => {}
        }
        set(object.text, format!("{MARK} new {n}").into());
        if !object.key.is_empty() {
            set(object.key, format!("{MARK}:{}:{n}", object.name).into());
        }
        fields
    }

    fn value(&self, object: &Object, field: &str, dice: &mut Dice) -> Option<Value> {
        Some(match field {
            // A long whole number is a text.
            "Account_Number" => dice.below(1_000_000).to_string().into(),
            "Call_Duration" => format!("{:02}:{:02}", 1 + dice.below(90), dice.below(60)).into(),
            "Website" => format!("https://zq7.example/{}", dice.below(1_000)).into(),
            _ if NUMBERS.contains(&field) => Value::Number((1 + dice.below(90)).into()),
            _ if is_text(object, field) => format!("{MARK} {} äß中", dice.below(1_000_000)).into(),
            _ => return None,
        })
    }

    fn along(&self, _: &Object, _: &str) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    fn user(&self) -> &'static str {
        USERS[1]
    }

    fn users(&self) -> (&'static [&'static str], &'static [&'static str]) {
        (&USERS[..2], &USERS[2..])
    }

    fn raw(&self, object: &Object) -> Json {
        let mut fields = needed(object.name);
        fields[object.text] = json!("made meanwhile");
        if object.name == "Notes" {
            fields["Parent_Id"] = json!({"module": {"api_name": "Accounts"}, "id": id("Accounts", 1)});
        }
        fields
    }

    fn request(&self, _: &Object, _: &str, _: &DisturbAction) -> Option<Request> {
        None
    }

    fn refuse_whole(&self, _: &mut Json) -> bool {
        false
    }

    fn without_rights(&self, world: &mut Json, object: &Object) -> (&'static str, bool) {
        world["access"]["tokens"]["tok-secret"]["scope"] = json!("ZohoCRM.users.READ");
        let word = match object.name {
            "Accounts" => "ZohoCRM.modules.accounts.READ",
            "Contacts" => "ZohoCRM.modules.contacts.READ",
            "Products" => "ZohoCRM.modules.products.READ",
            "Deals" => "ZohoCRM.modules.deals.READ",
            "Price_Books" => "ZohoCRM.modules.pricebooks.READ",
            "Tasks" => "ZohoCRM.modules.tasks.READ",
            "Calls" => "ZohoCRM.modules.calls.READ",
            "Notes" => "ZohoCRM.modules.notes.READ",
            _ => "ZohoCRM.modules.custom.READ",
        };
        (word, false)
    }

    fn reverse(&self, _: &Object, _: &str, _: &str, _: &str) -> Option<Request> {
        None
    }
}
