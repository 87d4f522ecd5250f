//! Pipedrive: one field for a person's name, lists of addresses and numbers, lookups by number, tasks without fields of
//! one's own (sheet: Pipedrive sections 2, 3 and 5).

use serde_json::{Value as Json, json};

use super::Concept::{
    Amount, Close, Contact, Deal, Due, Firm, First, Last, Mail, Name, Phone, Site, Sort, Staff, Stage, Subject, Title,
    Whole,
};
use super::{Account, Field, Mood, PLAIN, Says, field, object};
use crate::scene::SECRET;

pub(super) static ACCOUNT: Account = Account {
    platform: "pipedrive",
    world,
    objects: [
        object("organizations", ORGANIZATIONS).in_journal("organization").keyed(false),
        object("persons", PERSONS).in_journal("person").keyed(false),
        object("deals", DEALS).in_journal("deal").keyed(false),
        object("activities", ACTIVITIES).in_journal("activity").always(&[("type", "task")]).marked("note", "gone"),
    ],
    tells: Some(tells),
    mood,
    has_day: true,
    writes: "/api/**",
    any_mail: true,
    ..PLAIN
};

const ORGANIZATIONS: &[Field] = &[
    field(Name, "name", Says::Text),
    field(Site, "website", Says::Text),
    field(Staff, "employee_count", Says::Number),
];

const PERSONS: &[Field] = &[
    field(Whole, "name", Says::Text),
    field(First, "first_name", Says::Text).derived(),
    field(Last, "last_name", Says::Text).derived(),
    field(Mail, "emails", Says::Entries),
    field(Phone, "phones", Says::Entries),
    field(Firm, "org_id", Says::Id),
];

const DEALS: &[Field] = &[
    field(Title, "title", Says::Text),
    field(Amount, "value", Says::Number),
    field(Stage, "stage_id", Says::Numbered(&["1", "2", "3", "4", "5"])),
    field(Close, "expected_close_date", Says::Day),
    field(Sort, "currency", Says::Option(&["EUR", "USD"])),
    field(Firm, "org_id", Says::Id),
    field(Contact, "person_id", Says::Id),
];

const ACTIVITIES: &[Field] =
    &[field(Subject, "subject", Says::Text), field(Due, "due_date", Says::Day), field(Deal, "deal_id", Says::Id)];

fn world() -> Json {
    json!({"platform": "pipedrive", "account": {"plan": "ultimate", "seats": 40}})
}

fn mood(world: &mut Json, mood: &Mood) {
    if let Some(day) = mood.day {
        world["settings"]["daily_budget"] = json!(day);
    }
}

/// Everything goes to one address, with a name and a password.
fn tells(world: &mut Json, address: &str, _: &[String]) {
    let (user, password) = SECRET.split_once(':').unwrap_or_default();
    world["webhooks"] = json!([{"id": 1, "company_id": 1, "owner_id": 1, "user_id": 1, "event_action": "*",
        "event_object": "*", "subscription_url": address, "name": "handover", "version": "2.0", "is_active": 1,
        "http_auth_user": user, "http_auth_password": password, "failures": 0, "banned_until": 0}]);
}
