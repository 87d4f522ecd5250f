//! HubSpot: associations instead of lookups, everything as text, merges that give the survivor a new id (sheet: HubSpot
//! sections 2, 3 and 5).

use serde_json::{Value as Json, json};

use super::Concept::{
    Amount, Close, Contact, Deal, Due, Firm, First, Last, Mail, Name, Phone, Site, Sort, Staff, Stage, Subject, Title,
    Whole,
};
use super::{Account, Field, Mood, PLAIN, Says, field, object};
use crate::people::Deed;
use crate::scene::SECRET;

pub(super) static ACCOUNT: Account = Account {
    platform: "hubspot",
    world,
    objects: [
        object("companies", COMPANIES).keyed(true),
        object("contacts", CONTACTS).keyed(true),
        object("deals", DEALS).keyed(true).always(&[("pipeline", "default")]),
        object("tasks", TASKS).keyed(false).marked("hs_task_priority", "HIGH"),
    ],
    tells: Some(tells),
    mood,
    writes: "/crm/**/batch/**",
    tokens: Some("/oauth/v1/token"),
    // The journal does not tell which associations a merge takes along.
    lacks: [&[Deed::Merge], &[]],
    ..PLAIN
};

const COMPANIES: &[Field] = &[
    field(Name, "name", Says::Words),
    field(Site, "website", Says::Words),
    field(Staff, "numberofemployees", Says::Digits),
];

const CONTACTS: &[Field] = &[
    field(First, "firstname", Says::Words),
    field(Last, "lastname", Says::Words),
    field(Whole, "firstname lastname", Says::Words).derived(),
    field(Mail, "email", Says::Words),
    field(Phone, "phone", Says::Words),
    field(Firm, "associations.primary_company", Says::Association(Some([1, 2]))),
];

const DEALS: &[Field] = &[
    field(Title, "dealname", Says::Words),
    field(Amount, "amount", Says::Digits),
    field(
        Stage,
        "dealstage",
        Says::Option(&[
            "appointmentscheduled",
            "qualifiedtobuy",
            "presentationscheduled",
            "decisionmakerboughtin",
            "contractsent",
        ]),
    ),
    field(Close, "closedate", Says::Midnight),
    field(Sort, "dealtype", Says::Option(&["newbusiness", "existingbusiness"])),
    field(Firm, "associations.primary_company", Says::Association(Some([5, 6]))),
    field(Contact, "associations.contacts", Says::Association(None)),
];

const TASKS: &[Field] = &[
    field(Subject, "hs_task_subject", Says::Words),
    field(Due, "hs_timestamp", Says::Midnight),
    field(Deal, "associations.deals", Says::Association(None)),
];

fn world() -> Json {
    json!({"platform": "hubspot", "account": {"portalId": 1, "tier": "enterprise"}})
}

fn mood(world: &mut Json, mood: &Mood) {
    world["settings"]["search_lag_ms"] = json!(mood.lag_ms);
    world["settings"]["partial_write_on_refusal"] = json!(mood.seed % 2 == 1);
}

/// Each property is subscribed to.
fn tells(world: &mut Json, address: &str, wanted: &[String]) {
    let subscription = |(at, one): (usize, &String)| {
        let words: Vec<&str> = one.split(' ').collect();
        let after = |word| Some(*words.get(words.iter().position(|one| *one == word)? + 1)?);
        json!({"id": at + 1, "appId": 5, "eventType": words.first(), "propertyName": after("of"),
            "objectTypeId": after("objectTypeId")})
    };
    let all: Vec<Json> = wanted.iter().enumerate().map(subscription).collect();
    world["webhooks"] = json!([{"appId": 5, "targetUrl": address, "clientSecret": SECRET, "subscriptions": all}]);
}
