//! Salesforce for the suite.

use base64::Engine as _;
use handover_connect::{Method, Request};
use handover_model::{Fields, RecordId, Value};
use handover_sandbox::Platform;
use handover_sandbox::faults::DisturbAction;
use serde_json::{Value as Json, json};

use crate::conformance::subject::{MARK, MODIFIED, Object, Scene, Subject, live_text};
use crate::conformance::values::Dice;

/// The custom field that carries keys.
const KEY: &str = "Src_Key__c";
const USERS: [&str; 3] = ["005Aa0000000001IAA", "005Aa0000000002IAA", "005Aa0000000003IAA"];
const QUEUE: &str = "00GAa0000000001MAA";

pub(crate) struct Salesforce;

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

const FREE: &str = "its list is not restricted";
const ONE: &str = "the column points to one record";

static OBJECTS: [Object; 8] = [
    Object {
        open: &[("Type", FREE), ("Industry", FREE), ("Ownership", FREE), ("Rating", FREE), ("AccountSource", FREE)],
        ..object("Account", "Name")
    },
    Object { open: &[("Salutation", FREE), ("LeadSource", FREE)], ..object("Contact", "LastName") },
    Object { open: &[("StageName", FREE), ("Type", FREE), ("LeadSource", FREE)], ..object("Opportunity", "Name") },
    Object {
        apart: &[
            ("WhoId.Lead", ONE),
            ("WhatId.Account", ONE),
            ("WhatId.Campaign", ONE),
            ("WhatId.Product2", ONE),
            ("WhatId.Case", ONE),
        ],
        open: &[("Status", FREE), ("Priority", FREE)],
        ..object("Task", "Description")
    },
    Object {
        key: "",
        apart: &[
            ("ParentId.Campaign", ONE),
            ("ParentId.Contact", ONE),
            ("ParentId.Lead", ONE),
            ("ParentId.Opportunity", ONE),
            ("ParentId.Product2", ONE),
        ],
        ..object("Note", "Title")
    },
    Object {
        key: "",
        disturbed: false,
        apart: &[
            ("ContentLocation", "the platform says where it is"),
            ("Origin", "the platform says whence it is"),
            ("FirstPublishLocationId.Campaign", ONE),
            ("FirstPublishLocationId.Contact", ONE),
            ("FirstPublishLocationId.Lead", ONE),
            ("FirstPublishLocationId.Opportunity", ONE),
            ("FirstPublishLocationId.Product2", ONE),
            ("FirstPublishLocationId.Case", ONE),
            ("FirstPublishLocationId.Task", ONE),
            ("FirstPublishLocationId.Event", ONE),
        ],
        ..object("ContentVersion", "Title")
    },
    Object { key: "", ..object("Attachment", "Name") },
    object("Ship__c", "Name"),
];

/// Objects of which each can exactly what the one beside it can, and one that the sandbox does not have.
const ALIKE: [(&str, &str); 11] = [
    ("Lead", "Account"),
    ("Campaign", "Ship__c"),
    ("CampaignMember", "Ship__c"),
    ("Product2", ""),
    ("Pricebook2", "Ship__c"),
    ("PricebookEntry", "Ship__c"),
    ("OpportunityContactRole", "Note"),
    ("OpportunityLineItem", ""),
    ("Case", "Ship__c"),
    ("Event", "Task"),
    ("ContentNote", ""),
];

fn prefix(object: &str) -> &'static str {
    match object {
        "Account" => "001",
        "Contact" => "003",
        "Lead" => "00Q",
        "Campaign" => "701",
        "Product2" => "01t",
        "Pricebook2" => "01s",
        "Opportunity" => "006",
        "Case" => "500",
        "Task" => "00T",
        "Event" => "00U",
        "Note" => "002",
        "ContentVersion" => "068",
        "ContentDocument" => "069",
        "Attachment" => "00P",
        _ => "a0S",
    }
}

/// An id with the letters that tell its case (sheet: Salesforce section 9).
fn id(object: &str, n: u64) -> String {
    let short = format!("{}Aa0{n:09}", prefix(object));
    let check = |five: &[u8]| {
        let bits = five.iter().enumerate().filter(|(_, letter)| letter.is_ascii_uppercase());
        char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[bits.map(|(bit, _)| 1 << bit).sum::<usize>()])
    };
    let checks: String = short.as_bytes().chunks(5).map(check).collect();
    format!("{short}{checks}")
}

fn whole(id: &str) -> String {
    assert_eq!(id.len(), 18);
    id.to_owned()
}

/// What a record cannot be without, beside its text.
fn needed(object: &str) -> Json {
    match object {
        "Lead" => json!({"Company": "C"}),
        "Opportunity" => json!({"StageName": "Prospecting", "CloseDate": "2026-06-30"}),
        "Note" | "Attachment" => json!({"ParentId": id("Account", 1)}),
        _ => json!({}),
    }
}

fn text_of(object: &str) -> &'static str {
    match object {
        "Lead" => "LastName",
        "Case" | "Event" => "Subject",
        _ => OBJECTS.iter().find(|one| one.name == object).map_or("Name", |one| one.text),
    }
}

fn record(object: &str, n: u64) -> Json {
    let mut record = needed(object);
    record["Id"] = json!(id(object, n));
    record[text_of(object)] = json!(live_text(n));
    record["CreatedDate"] = json!("2026-01-01T10:00:00.000+0000");
    record["LastModifiedDate"] = json!(MODIFIED);
    record["SystemModstamp"] = json!(MODIFIED);
    let bytes = base64::engine::general_purpose::STANDARD.encode(format!("bytes {n}"));
    match object {
        "Event" => {
            record["ActivityDateTime"] = json!("2026-01-05T09:00:00.000+0000");
            record["DurationInMinutes"] = json!(30);
        }
        "Attachment" => record["Body"] = json!(bytes),
        "ContentVersion" => {
            record["VersionData"] = json!(bytes);
            record["PathOnClient"] = json!(format!("{n}.bin"));
            record["ContentDocumentId"] = json!(id("ContentDocument", n));
            record["IsLatest"] = json!(true);
        }
        _ => {}
    }
    record
}

/// Custom fields: one of each type, and the key.
fn fields(object: &str) -> Json {
    let field = |name: &str, kind: &str, more: Json| {
        let mut field = json!({"name": name, "type": kind});
        for (name, value) in more.as_object().unwrap() {
            field[name] = value.clone();
        }
        field
    };
    let has_key = OBJECTS.iter().all(|one| one.name != object || !one.key.is_empty());
    let key = json!({"length": 120, "unique": true, "external_id": true, "case_sensitive": true});
    let mut all = Vec::new();
    if has_key {
        all.push(field(KEY, "string", key));
    }
    if object == "Account" || object == "Ship__c" {
        let choices = || json!({"values": ["Low", "High"], "restricted": true});
        all.extend([
            field("My_Text__c", "string", json!({"length": 100})),
            field("My_Area__c", "textarea", json!({"length": 32000})),
            field("My_Html__c", "textarea", json!({"length": 32000, "html": true})),
            field("My_Number__c", "double", json!({"precision": 18, "scale": 3})),
            field("My_Date__c", "date", json!({})),
            field("My_Instant__c", "datetime", json!({})),
            field("My_Time__c", "time", json!({})),
            field("My_Flag__c", "boolean", json!({})),
            field("My_Choice__c", "picklist", choices()),
            field("My_Choices__c", "multipicklist", choices()),
            field("My_Ship__c", "reference", json!({"reference_to": ["Ship__c"]})),
        ]);
    }
    all.into()
}

impl Subject for Salesforce {
    fn name(&self) -> &'static str {
        "salesforce"
    }

    fn objects(&self) -> &'static [Object] {
        &OBJECTS
    }

    fn alike(&self) -> &'static [(&'static str, &'static str)] {
        &ALIKE
    }

    fn world(&self, scene: Scene) -> Json {
        let user = |n: usize| {
            json!({"Id": whole(USERS[n]), "Username": format!("u{n}@x.example"), "LastName": format!("User {n}"),
                "Email": format!("u{n}@x.example"), "Alias": format!("u{n}"), "IsActive": n < 2})
        };
        let mut world = json!({
            "platform": "salesforce",
            // What could be worked out takes long for ten thousand records.
            "complete": true,
            "org": {"time_zone": "Europe/Berlin", "multi_currency": true, "id": "00DAa0000000001MAA", "sandbox": false},
            "settings": {"rotate_refresh_tokens": true, "new_fields_hidden": false},
            "sessions": {"tok-secret": {"user": USERS[0], "used": null, "refreshable": false}},
            "apps": [{"client_id": "app", "client_secret": "app-secret", "refresh_tokens": {"first-secret": "u0@x.example"}}],
            "objects": [{"name": "Ship__c", "label": "Ship", "plural": "Ships", "prefix": prefix("Ship__c")}],
            "records": {
                "User": [user(0), user(1), user(2)],
                "Group": [{"Id": QUEUE, "Name": "Support", "Type": "Queue", "Email": "queue@x.example"}],
                "CurrencyType": [{"IsoCode": "EUR", "ConversionRate": 1.0, "DecimalPlaces": 2, "IsActive": true, "IsCorporate": true},
                    {"IsoCode": "USD", "ConversionRate": 1.1, "DecimalPlaces": 2, "IsActive": true}],
            },
        });
        let all = [
            "Account",
            "Contact",
            "Lead",
            "Campaign",
            "Product2",
            "Pricebook2",
            "Opportunity",
            "Case",
            "Task",
            "Event",
            "Note",
            "ContentVersion",
            "Attachment",
            "Ship__c",
        ];
        for object in all {
            let live = if scene.object == object { scene.live } else { 2 };
            let mut rows: Vec<Json> = (1..=live).map(|n| record(object, n)).collect();
            if scene.object == object && object != "ContentVersion" {
                for n in scene.live + 1..=scene.live + scene.gone {
                    let mut gone = record(object, n);
                    gone["IsDeleted"] = json!(true);
                    gone["SystemModstamp"] = json!("2026-02-28T10:00:00.000+0000");
                    rows.push(gone);
                    world["bin"][id(object, n)] =
                        json!({"object": object, "at": 1_772_272_800, "root": id(object, n), "cleared": []});
                }
            }
            if object == "ContentVersion" {
                let document = |n| json!({"Id": id("ContentDocument", n), "Title": live_text(n)});
                world["records"]["ContentDocument"] = (1..=live).map(document).collect();
            }
            world["records"][object] = rows.into();
            if !matches!(object, "ContentVersion" | "Attachment" | "Note") {
                world["fields"][object] = fields(object);
            }
        }
        world
    }

    fn sandbox(&self, world: Json) -> Box<dyn Platform> {
        Box::new(handover_sandbox::salesforce::Salesforce::from_world(world, 7).unwrap())
    }

    fn token(&self) -> &'static str {
        "tok-secret"
    }

    fn secrets(&self) -> &'static [&'static str] {
        &["tok-secret", "app-secret", "first-secret", "!AQ", "5Aep", "Bearer "]
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
            "Opportunity" => {
                set("StageName", "Prospecting".into());
                set("CloseDate", Value::Date("2026-06-30".parse().unwrap()));
            }
            "Note" => set("ParentId.Account", id("Account", 1).as_str().into()),
            "ContentVersion" => set("PathOnClient", format!("{n}.bin").into()),
            _ => {}
        }
        set(object.text, format!("{MARK} new {n}").into());
        if !object.key.is_empty() {
            set(object.key, format!("{MARK}:{}:{n}", object.name).into());
        }
        fields
    }

    fn value(&self, _: &Object, field: &str, dice: &mut Dice) -> Option<Value> {
        let is_number = field.ends_with("Latitude")
            || field.ends_with("Longitude")
            || [
                "AnnualRevenue",
                "NumberOfEmployees",
                "Amount",
                "Probability",
                "TotalOpportunityQuantity",
                "CallDurationInSeconds",
            ]
            .contains(&field);
        // As many digits as the field has room for.
        is_number.then(|| Value::Number(dice.below(90).into()))
    }

    fn along(&self, _: &Object, _: &str) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    fn user(&self) -> &'static str {
        USERS[1]
    }

    fn users(&self) -> (&'static [&'static str], &'static [&'static str]) {
        (&[USERS[0], USERS[1], QUEUE], &[USERS[2]])
    }

    fn raw(&self, object: &Object) -> Json {
        let mut fields = needed(object.name);
        fields[object.text] = json!("made meanwhile");
        if object.name == "Attachment" {
            fields["Body"] = json!("bmV3");
        }
        fields
    }

    fn request(&self, object: &Object, of: &str, action: &DisturbAction) -> Option<Request> {
        // Of a file all versions are deleted together.
        let deletes = object.name == "ContentVersion" && *action == DisturbAction::Delete;
        deletes.then(|| {
            let document = id("ContentDocument", of[6..15].parse().unwrap());
            Request::new(Method::Delete, format!("/services/data/v66.0/sobjects/ContentDocument/{document}"), &[])
        })
    }

    fn refuse_whole(&self, _: &mut Json) -> bool {
        false
    }

    fn without_rights(&self, world: &mut Json, _: &Object) -> (&'static str, bool) {
        world["settings"]["api"] = json!(false);
        ("API", false)
    }

    fn reverse(&self, _: &Object, _: &str, _: &str, _: &str) -> Option<Request> {
        None
    }
}
