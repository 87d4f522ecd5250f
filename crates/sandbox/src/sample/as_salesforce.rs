//! The company as an organization in Salesforce: a world file (sheet: Salesforce sections 2, 3 and 9).
//!
//! Organizations are accounts, persons contacts, meetings events and all other activities tasks; participants of
//! deals have contact roles; a file hangs on the record at which it was first published. What Salesforce does not
//! allow is missing or made to fit: addresses that are none, a circle of parents, what hangs on nothing, e-mails.
//! Values of fields that it has no type for are texts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};

use super::account::{self, CURRENCIES, SELLERS};
use super::calendar::{date, rfc3339};
use super::custom::{Field, Fields, Value, Values, clock, day};
use super::plain::{is_address, plain, short};
use super::records::{Activity, Books, Deal, File, Lead, LeadStatus, Note, Organization, Parents, Person, Status};

/// The longest text of one line.
const LINE: usize = 255;
/// The longest text of several lines.
const AREA: usize = 32_000;
/// Notes and tasks of leads have numbers after this one.
const LEADS: u64 = 900_000_000;

/// The organization's world file.
pub(super) fn world(fields: &Fields, books: &Books) -> Json {
    let writer = Writer { fields, books };
    let (tasks, events) = writer.activities();
    let currency = |code: &&str| {
        let corporate = *code == CURRENCIES[0];
        json!({"IsoCode": code, "ConversionRate": if corporate { 1.0 } else { 1.1 }, "DecimalPlaces": if *code == "JPY" { 0 } else { 2 },
            "IsActive": true, "IsCorporate": corporate})
    };
    json!({
        "platform": "salesforce",
        "org": {"name": "Handwerk Nord GmbH", "time_zone": "Europe/Berlin", "multi_currency": true},
        // Whoever makes a field grants it to the users who need it (sheet: section 3).
        "settings": {"new_fields_hidden": false},
        "fields": {"Account": described(&fields.organization), "Contact": described(&fields.person), "Opportunity": described(&fields.deal)},
        "records": {
            "User": users(), "CurrencyType": CURRENCIES.iter().map(currency).collect::<Json>(), "OpportunityStage": stages(),
            "Account": writer.accounts(), "Contact": writer.contacts(), "Lead": writer.leads(), "Opportunity": writer.deals(),
            "OpportunityContactRole": writer.roles(), "Task": tasks, "Event": events,
            "Note": writer.notes(), "ContentVersion": writer.files(),
        },
    })
}

/// The id of a record: the object's prefix and a number.
fn id(prefix: &str, number: u64) -> String {
    format!("{prefix}{number:012}")
}

/// A seller's user.
fn user(seller: u64) -> String {
    id("005", seller)
}

fn users() -> Json {
    let one = |seller: &account::Seller| {
        let alias: String = seller.email.chars().filter(char::is_ascii_alphabetic).take(8).collect();
        json!({"Id": user(seller.id), "Username": seller.email, "FirstName": seller.first, "LastName": seller.last,
            "Alias": alias, "Email": seller.email, "IsActive": seller.active, "TimeZoneSidKey": seller.zone,
            "LocaleSidKey": "en_US", "LanguageLocaleKey": "en_US", "EmailEncodingKey": "UTF-8"})
    };
    SELLERS.iter().map(one).collect()
}

/// The stages of both pipelines, each name once, and the two that end a deal.
fn stages() -> Json {
    let open = account::PIPELINES.iter().flat_map(|pipeline| pipeline.stages.iter());
    let open = open.map(|stage| (stage.name, stage.probability, "Pipeline", false, false));
    let ends = [("Closed Won", 100, "Closed", true, true), ("Closed Lost", 0, "Omitted", true, false)];
    let stage = |(order, (label, percent, category, closed, won)): (usize, (&str, u32, &str, bool, bool))| {
        json!({"MasterLabel": label, "ApiName": label, "IsActive": true, "SortOrder": order + 1, "IsClosed": closed, "IsWon": won,
            "DefaultProbability": percent, "ForecastCategory": category, "ForecastCategoryName": category})
    };
    open.chain(ends).enumerate().map(stage).collect()
}

/// The name that the API gives a label.
fn api_name(label: &str) -> String {
    let word = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
    let mut name: String = label.chars().map(word).collect();
    while name.contains("__") {
        name = name.replace("__", "_");
    }
    format!("{}__c", name.trim_matches('_'))
}

fn described(fields: &[Field]) -> Json {
    let one = |field: &Field| {
        let values: Vec<&str> = field.options.iter().map(|(_, label)| *label).collect();
        let mut told = json!({"name": api_name(field.design.name), "label": field.design.name});
        let (kind, length) = match field.design.kind {
            "text" => ("textarea", AREA),
            "double" => ("double", 0),
            "date" => ("date", 0),
            "enum" => ("picklist", LINE),
            "set" => ("multipicklist", LINE),
            _ => ("string", LINE),
        };
        told["type"] = json!(kind);
        if length > 0 {
            told["length"] = json!(length);
        } else if kind == "double" {
            (told["precision"], told["scale"]) = (json!(18), json!(2));
        }
        if !values.is_empty() {
            told["values"] = json!(values);
        }
        told
    };
    fields.iter().map(one).collect()
}

struct Writer<'a> {
    fields: &'a Fields,
    books: &'a Books,
}

impl Writer<'_> {
    fn account(&self, place: Option<usize>) -> Option<String> {
        let one = place.map(|place| &self.books.organizations[place]).filter(|one| !one.deleted)?;
        Some(id("001", one.id))
    }

    fn contact(&self, place: Option<usize>) -> Option<String> {
        let one = place.map(|place| &self.books.persons[place]).filter(|one| !one.deleted)?;
        Some(id("003", one.id))
    }

    fn deal(&self, place: Option<usize>) -> Option<String> {
        let one = place.map(|place| &self.books.deals[place]).filter(|one| !one.deleted)?;
        Some(id("006", one.id))
    }

    /// A record with its custom values; what is null is left out.
    fn record(&self, mut told: Json, fields: &[Field], values: &Values) -> Json {
        for (place, value) in values {
            let field = &fields[*place];
            told[api_name(field.design.name).as_str()] = self.value(field, value);
        }
        if let Some(told) = told.as_object_mut() {
            told.retain(|_, value| !value.is_null() && value != "");
        }
        told
    }

    fn value(&self, field: &Field, value: &Value) -> Json {
        let label = |id: &u64| field.options.iter().find(|(have, _)| have == id).map_or("", |(_, label)| *label);
        match value {
            Value::Text(text) if field.design.kind == "text" => json!(text),
            Value::Text(text) => json!(short(text, LINE)),
            Value::Number(number) => json!(number),
            Value::Money(amount, currency) => json!(format!("{amount} {currency}")),
            Value::Date(second) => json!(day(*second)),
            Value::Dates(from, until) => json!(format!("{} to {}", day(*from), day(*until))),
            Value::Time(minutes, zone) => json!(format!("{} {zone}", clock(*minutes))),
            Value::Times(from, until, zone) => json!(format!("{} to {} {zone}", clock(*from), clock(*until))),
            Value::Set(ids) => json!(ids.iter().map(label).collect::<Vec<_>>().join(";")),
            Value::Enum(id) => json!(label(id)),
            Value::User(id) => {
                let seller = SELLERS.iter().find(|seller| seller.id == *id);
                json!(seller.map(|seller| format!("{} {}", seller.first, seller.last)).unwrap_or_default())
            }
            Value::Organization(place) => json!(short(&self.books.organizations[*place].name, LINE)),
            Value::Person(place) => json!(short(&self.books.persons[*place].name, LINE)),
            Value::Address(address) => json!(short(&address.line(), LINE)),
        }
    }

    fn accounts(&self) -> Json {
        let parent = |place: usize| {
            let (one, other) = self.books.cycle;
            let pair = self.books.relations.iter().find(|(_, child)| *child == place);
            // A circle of parents is refused.
            self.account(pair.map(|(parent, _)| *parent)).filter(|_| place != one && place != other)
        };
        let write = |(place, one): (usize, &Organization)| {
            let told = json!({"Id": self.account(Some(place))?, "Name": short(&one.name, LINE), "Website": one.website,
                "NumberOfEmployees": one.employees, "AnnualRevenue": one.revenue, "OwnerId": user(one.owner), "ParentId": parent(place),
                "BillingStreet": one.address.as_ref().map(|address| format!("{} {}", address.route, address.number)),
                "BillingCity": one.address.as_ref().map(|address| short(address.locality, 40)),
                "BillingState": one.address.as_ref().map(|address| address.region),
                "BillingPostalCode": one.address.as_ref().map(|address| address.postal_code),
                "BillingCountry": one.address.as_ref().map(|address| address.country),
                "CreatedDate": rfc3339(one.added), "LastModifiedDate": rfc3339(one.updated)});
            Some(self.record(told, &self.fields.organization, &one.custom))
        };
        self.books.organizations.iter().enumerate().filter_map(write).collect()
    }

    fn contacts(&self) -> Json {
        let write = |(place, one): (usize, &Person)| {
            let mut mails = one.emails.iter().map(|line| line.value.trim()).filter(|mail| is_address(mail, 80));
            let phone = |n: usize| one.phones.get(n).map(|line| short(&line.value, 40));
            let family = if one.family.is_empty() { one.name.trim() } else { one.family };
            let told = json!({"Id": self.contact(Some(place))?, "FirstName": short(one.given, 40), "LastName": short(family, 80),
                "Email": mails.next(), "Phone": phone(0), "MobilePhone": phone(1), "Title": one.position,
                "AccountId": self.account(one.organization), "OwnerId": user(one.owner),
                "CreatedDate": rfc3339(one.added), "LastModifiedDate": rfc3339(one.updated)});
            Some(self.record(told, &self.fields.person, &one.custom))
        };
        self.books.persons.iter().enumerate().filter_map(write).collect()
    }

    fn leads(&self) -> Json {
        let write = |one: &Lead| {
            let status = match one.status {
                LeadStatus::New => "Open - Not Contacted",
                LeadStatus::Contacted => "Working - Contacted",
                LeadStatus::Lost => "Closed - Not Converted",
            };
            let told = json!({"Id": id("00Q", one.id), "FirstName": short(one.given, 40), "LastName": short(one.family, 80),
                "Company": short(&one.company, LINE), "Email": one.email, "Phone": one.phone, "Title": one.position,
                "Status": status, "OwnerId": user(one.owner), "CreatedDate": rfc3339(one.added),
                "LastModifiedDate": rfc3339(one.updated)});
            self.record(told, &[], &Vec::new())
        };
        self.books.leads.iter().map(write).collect()
    }

    fn deals(&self) -> Json {
        let write = |(place, one): (usize, &Deal)| {
            let name = match one.status {
                Status::Open => account::stage(one.stage).map(|(_, stage)| stage.name),
                Status::Won => Some("Closed Won"),
                Status::Lost => Some("Closed Lost"),
            };
            let amount = if one.cents % 100 == 0 { json!(one.cents / 100) } else { json!(one.cents as f64 / 100.0) };
            let told = json!({"Id": self.deal(Some(place))?, "Name": short(&one.title, 120), "Amount": amount,
                "CurrencyIsoCode": one.currency, "AccountId": self.account(one.organization), "StageName": name,
                "CloseDate": date(one.closed.or(one.expected_close).unwrap_or(one.updated)), "OwnerId": user(one.owner),
                "CreatedDate": rfc3339(one.added), "LastModifiedDate": rfc3339(one.updated)});
            Some(self.record(told, &self.fields.deal, &one.custom))
        };
        self.books.deals.iter().enumerate().filter_map(write).collect()
    }

    /// The contacts of deals, the main one first.
    fn roles(&self) -> Json {
        let mut number = 0;
        let mut roles: Vec<Json> = Vec::new();
        for (place, deal) in self.books.deals.iter().enumerate() {
            let Some(to) = self.deal(Some(place)) else { continue };
            let others = deal.participants.iter().filter(|one| Some(**one) != deal.person);
            for (main, one) in deal.person.iter().map(|one| (true, *one)).chain(others.map(|one| (false, *one))) {
                let Some(contact) = self.contact(Some(one)) else { continue };
                number += 1;
                roles.push(
                    json!({"Id": id("00K", number), "OpportunityId": to, "ContactId": contact, "IsPrimary": main,
                    "CreatedDate": rfc3339(deal.added), "LastModifiedDate": rfc3339(deal.updated)}),
                );
            }
        }
        Json::Array(roles)
    }

    /// What a record hangs on: the deal before the contact, the contact before the account.
    fn parent(&self, parents: &Parents) -> Option<String> {
        let contact = || self.contact(parents.person);
        self.deal(parents.deal).or_else(contact).or_else(|| self.account(parents.organization))
    }

    fn notes(&self) -> Json {
        let write = |one: &Note| {
            let parent = self.parent(&one.parents).filter(|_| !one.deleted)?;
            let text = short(&plain(&one.content), AREA);
            let title = short(&text.replace('\n', " "), 80);
            (!title.is_empty()).then(|| {
                json!({"Id": id("002", one.id), "Title": title, "Body": text, "ParentId": parent, "OwnerId": user(one.user),
                    "CreatedDate": rfc3339(one.added), "LastModifiedDate": rfc3339(one.updated)})
            })
        };
        let of_lead = |one: &Lead| {
            let text = one.note.as_deref()?;
            Some(
                json!({"Id": id("002", LEADS + one.id), "Title": short(text, 80), "Body": text, "ParentId": id("00Q", one.id),
                "OwnerId": user(one.owner), "CreatedDate": rfc3339(one.added), "LastModifiedDate": rfc3339(one.updated)}),
            )
        };
        let own = self.books.notes.iter().filter_map(write);
        own.chain(self.books.leads.iter().filter_map(of_lead)).collect()
    }

    /// Tasks and events.
    fn activities(&self) -> (Json, Json) {
        let (mut tasks, mut events): (Vec<Json>, Vec<Json>) = Default::default();
        for one in self.books.activities.iter().filter(|one| !one.deleted) {
            let about = self.deal(one.parents.deal).or_else(|| self.account(one.parents.organization));
            let mut told = json!({"Subject": short(&one.subject, LINE), "WhoId": self.contact(one.parents.person), "WhatId": about,
                "Description": one.note.as_deref().map(|note| short(&plain(note), AREA)), "OwnerId": user(one.owner),
                "CreatedDate": rfc3339(one.added), "LastModifiedDate": rfc3339(one.updated)});
            let is_event = matches!(one.kind, "meeting" | "lunch");
            if let (Some(told), Json::Object(own)) = (told.as_object_mut(), Self::own(one, is_event)) {
                told.extend(own);
            }
            let list = if is_event { &mut events } else { &mut tasks };
            list.push(self.record(told, &[], &Vec::new()));
        }
        tasks.extend(self.books.leads.iter().filter_map(|one| {
            Some(json!({"Id": id("00T", LEADS + one.id), "Subject": one.task.as_deref()?, "WhoId": id("00Q", one.id),
                "ActivityDate": date(one.updated), "TaskSubtype": "Task", "Status": "Not Started", "OwnerId": user(one.owner),
                "CreatedDate": rfc3339(one.added), "LastModifiedDate": rfc3339(one.updated)}))
        }));
        (Json::Array(tasks), Json::Array(events))
    }

    /// The own fields of an activity.
    fn own(one: &Activity, is_event: bool) -> Json {
        let begin = one.due + one.due_time.unwrap_or(9 * 3_600);
        let minutes = one.minutes.unwrap_or(15).max(1);
        if is_event {
            return json!({"Id": id("00U", one.id), "StartDateTime": rfc3339(begin), "EndDateTime": rfc3339(begin + minutes * 60),
                "Location": one.location.as_ref().map(|place| short(&place.line(), LINE))});
        }
        let is_call = one.kind == "call";
        json!({"Id": id("00T", one.id), "ActivityDate": date(one.due), "TaskSubtype": if is_call { "Call" } else { "Task" },
            "Status": if one.done.is_some() { "Completed" } else { "Not Started" },
            "CallDurationInSeconds": is_call.then_some(minutes * 60)})
    }

    /// Files at the record on which they hang.
    fn files(&self) -> Json {
        let write = |one: &File| {
            let parent = self.parent(&one.parents).filter(|_| !one.deleted && !one.gone && !one.bytes.is_empty())?;
            let told: Map<String, Json> = [
                ("Id", json!(id("068", one.id))),
                ("Title", json!(short(&one.name, LINE))),
                ("PathOnClient", json!(one.name)),
                ("VersionData", json!(STANDARD.encode(&one.bytes))),
                ("FirstPublishLocationId", json!(parent)),
                ("OwnerId", json!(user(one.user))),
                ("CreatedDate", json!(rfc3339(one.added))),
            ]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
            Some(Json::Object(told))
        };
        self.books.files.iter().filter_map(write).collect()
    }
}
