//! The company as an environment of Dynamics 365: a world file (sheet: Dynamics sections 2, 5 and 9).
//!
//! Organizations are accounts, persons contacts, and activities phone calls, appointments or tasks by their kind; a call
//! and an appointment name the person as a party beside the one record that they are about. Participants of deals are
//! connections, each with its twin. Won and lost deals are closed and keep their stage. Files are notes with a document.
//! What Dynamics does not allow is missing or made to fit: addresses that are none, a circle of parents, what hangs on
//! nothing, e-mails, the pipelines of the stages. Values of fields that it has no type for are texts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use super::account::{self, CURRENCIES, SELLERS};
use super::calendar::{date, rfc3339};
use super::custom::{Field, Fields, Value, Values, clock, day};
use super::plain::{is_address, plain, short};
use super::records::{Activity, Books, Deal, File, Lead, LeadStatus, Note, Organization, Parents, Person, Status};

/// The longest text of one line in a column of the company's own.
const LINE: usize = 255;
/// The longest text of several lines there.
const AREA: usize = 32_000;
/// The longest note.
const NOTE: usize = 100_000;
/// The longest description of an activity.
const DESCRIPTION: usize = 2_000;
/// Notes and tasks of leads have numbers after this one.
const LEADS: u64 = 900_000_000;
/// The numbers of choices that are not the vendor's come after this one.
const CHOICES: u64 = 100_000_000;

/// The environment's world file.
pub(super) fn world(fields: &Fields, books: &Books) -> Json {
    let writer = Writer { fields, books };
    let [calls, appointments, tasks] = writer.activities();
    let stages = account::PIPELINES.iter().flat_map(|pipeline| pipeline.stages.iter());
    let stages: Json = stages.map(|stage| json!({"value": CHOICES + stage.id, "label": stage.name})).collect();
    let mut opportunity = described(&fields.deal);
    if let Some(columns) = opportunity.as_array_mut() {
        columns.push(json!({"schema_name": "SalesStage", "choices": stages}));
    }
    json!({
        "platform": "dynamics",
        "org": {"name": "Handwerk Nord GmbH", "currency": CURRENCIES[0]},
        "columns": {"account": described(&fields.organization), "contact": described(&fields.person), "opportunity": opportunity},
        "records": {
            "businessunit": [{"businessunitid": id(Table::Unit, 1), "name": "Handwerk Nord GmbH"}],
            "systemuser": users(), "transactioncurrency": currencies(), "connectionrole": [stakeholder()],
            "account": writer.accounts(), "contact": writer.contacts(), "lead": writer.leads(), "opportunity": writer.deals(),
            "connection": writer.connections(), "phonecall": calls, "appointment": appointments, "task": tasks,
            "activityparty": writer.parties(), "annotation": writer.annotations(),
        },
    })
}

/// Tables whose ids are made here.
#[derive(Clone, Copy)]
enum Table {
    Unit = 1,
    User,
    Currency,
    Role,
    Account,
    Contact,
    Opportunity,
    Connection,
    Activity,
    Party,
    Note,
    Document,
    Lead,
}

/// The id of a record: the table's number and its own.
fn id(table: Table, number: u64) -> String {
    format!("{:08x}-0000-4000-8000-{number:012}", table as u32)
}

/// The value of an owner's column.
fn owner(seller: u64) -> String {
    format!("systemuser/{}", id(Table::User, seller))
}

fn users() -> Json {
    let one = |seller: &account::Seller| {
        json!({"systemuserid": id(Table::User, seller.id), "firstname": seller.first, "lastname": seller.last,
            "internalemailaddress": seller.email, "domainname": seller.email, "isdisabled": !seller.active,
            "islicensed": true, "businessunitid": id(Table::Unit, 1)})
    };
    SELLERS.iter().map(one).collect()
}

fn currencies() -> Json {
    let one = |(place, code): (u64, &&str)| {
        json!({"transactioncurrencyid": id(Table::Currency, place), "currencyname": code, "isocurrencycode": code,
            "currencysymbol": code, "currencyprecision": if *code == "JPY" { 0 } else { 2 },
            "exchangerate": if *code == CURRENCIES[0] { 1.0 } else { 1.1 }})
    };
    (1..).zip(CURRENCIES.iter()).map(one).collect()
}

fn currency(code: &str) -> Option<String> {
    let (place, _) = (1..).zip(CURRENCIES.iter()).find(|(_, have)| **have == code)?;
    Some(id(Table::Currency, place))
}

/// The role of further persons of a deal.
fn stakeholder() -> Json {
    json!({"connectionroleid": id(Table::Role, 1), "name": "Stakeholder", "category": 1000})
}

/// The name of a label's column.
fn schema_name(label: &str) -> String {
    let words = label.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    format!("new_{}", words.collect::<Vec<_>>().join("_"))
}

fn described(fields: &[Field]) -> Json {
    let one = |field: &Field| {
        let choices: Json =
            field.options.iter().map(|(id, label)| json!({"value": CHOICES + id, "label": label})).collect();
        let mut told =
            json!({"schema_name": schema_name(field.design.name), "label": field.design.name, "choices": choices});
        match field.design.kind {
            "text" => (told["kind"], told["max_length"]) = (json!("memo"), json!(AREA)),
            "double" => told["kind"] = json!("decimal"),
            "date" => {
                told["kind"] = json!("datetime");
                (told["format"], told["behavior"]) = (json!("DateOnly"), json!("DateOnly"));
            }
            "enum" => told["kind"] = json!("picklist"),
            "set" => told["kind"] = json!("multiselect"),
            _ => (told["kind"], told["max_length"]) = (json!("string"), json!(LINE)),
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
        Some(id(Table::Account, one.id))
    }

    fn contact(&self, place: Option<usize>) -> Option<String> {
        let one = place.map(|place| &self.books.persons[place]).filter(|one| !one.deleted)?;
        Some(id(Table::Contact, one.id))
    }

    fn deal(&self, place: Option<usize>) -> Option<String> {
        let one = place.map(|place| &self.books.deals[place]).filter(|one| !one.deleted)?;
        Some(id(Table::Opportunity, one.id))
    }

    /// A record with its custom values; what is null is left out.
    fn record(&self, mut told: Json, fields: &[Field], values: &Values) -> Json {
        for (place, value) in values {
            let field = &fields[*place];
            told[schema_name(field.design.name).to_lowercase().as_str()] = self.value(field, value);
        }
        if let Some(told) = told.as_object_mut() {
            told.retain(|_, value| !value.is_null() && value != "");
        }
        told
    }

    fn value(&self, field: &Field, value: &Value) -> Json {
        match value {
            Value::Text(text) if field.design.kind == "text" => json!(text),
            Value::Text(text) => json!(short(text, LINE)),
            Value::Number(number) => json!(number),
            Value::Money(amount, currency) => json!(format!("{amount} {currency}")),
            Value::Date(second) => json!(day(*second)),
            Value::Dates(from, until) => json!(format!("{} to {}", day(*from), day(*until))),
            Value::Time(minutes, zone) => json!(format!("{} {zone}", clock(*minutes))),
            Value::Times(from, until, zone) => json!(format!("{} to {} {zone}", clock(*from), clock(*until))),
            Value::Set(ids) => {
                let ids: Vec<String> = ids.iter().map(|id| (CHOICES + id).to_string()).collect();
                json!(ids.join(","))
            }
            Value::Enum(id) => json!(CHOICES + id),
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
            let address = one.address.as_ref();
            let told = json!({"accountid": self.account(Some(place))?, "name": short(&one.name, 160), "websiteurl": one.website,
                "numberofemployees": one.employees, "revenue": one.revenue, "parentaccountid": parent(place),
                "address1_line1": address.map(|address| format!("{} {}", address.route, address.number)),
                "address1_city": address.map(|address| address.locality),
                "address1_stateorprovince": address.map(|address| address.region),
                "address1_postalcode": address.map(|address| address.postal_code),
                "address1_country": address.map(|address| address.country),
                "ownerid": owner(one.owner), "createdon": rfc3339(one.added), "modifiedon": rfc3339(one.updated)});
            Some(self.record(told, &self.fields.organization, &one.custom))
        };
        self.books.organizations.iter().enumerate().filter_map(write).collect()
    }

    fn contacts(&self) -> Json {
        let write = |(place, one): (usize, &Person)| {
            let mut mails = one.emails.iter().map(|line| line.value.trim()).filter(|mail| is_address(mail, 100));
            let phone = |n: usize| one.phones.get(n).map(|line| short(&line.value, 50));
            let family = if one.family.is_empty() { one.name.trim() } else { one.family };
            let account = self.account(one.organization).map(|id| format!("account/{id}"));
            let told = json!({"contactid": self.contact(Some(place))?, "firstname": short(one.given, 50),
                "lastname": short(family, 50), "emailaddress1": mails.next(), "emailaddress2": mails.next(),
                "emailaddress3": mails.next(), "telephone1": phone(0), "mobilephone": phone(1), "telephone2": phone(2),
                "jobtitle": one.position, "parentcustomerid": account, "ownerid": owner(one.owner),
                "createdon": rfc3339(one.added), "modifiedon": rfc3339(one.updated)});
            Some(self.record(told, &self.fields.person, &one.custom))
        };
        self.books.persons.iter().enumerate().filter_map(write).collect()
    }

    fn leads(&self) -> Json {
        let write = |one: &Lead| {
            let (state, status) = match one.status {
                LeadStatus::New => (0, 1),
                LeadStatus::Contacted => (0, 2),
                LeadStatus::Lost => (2, 4),
            };
            let told = json!({"leadid": id(Table::Lead, one.id), "firstname": short(one.given, 50), "lastname": short(one.family, 50),
                "subject": format!("{} {}", one.given, one.family), "companyname": short(&one.company, 100),
                "emailaddress1": one.email, "telephone1": one.phone, "jobtitle": one.position, "statecode": state,
                "statuscode": status, "ownerid": owner(one.owner), "createdon": rfc3339(one.added),
                "modifiedon": rfc3339(one.updated)});
            self.record(told, &[], &Vec::new())
        };
        self.books.leads.iter().map(write).collect()
    }

    fn deals(&self) -> Json {
        let write = |(place, one): (usize, &Deal)| {
            let (state, status) = match one.status {
                Status::Open => (0, 1),
                Status::Won => (1, 3),
                Status::Lost => (2, 4),
            };
            let amount = one.cents as f64 / 100.0;
            let (account, contact) = (self.account(one.organization), self.contact(one.person));
            let customer = account.as_ref().map(|id| format!("account/{id}"));
            let customer = customer.or_else(|| contact.as_ref().map(|id| format!("contact/{id}")));
            // What a lost one brought is nothing, as the platform itself writes.
            let actual = match one.status {
                Status::Open => None,
                Status::Won => Some(amount),
                Status::Lost => Some(0.0),
            };
            let closed = one.closed.filter(|_| one.status != Status::Open);
            let told = json!({"opportunityid": self.deal(Some(place))?, "name": short(&one.title, 300),
                "estimatedvalue": amount, "actualvalue": actual,
                "transactioncurrencyid": currency(one.currency), "customerid": customer, "parentaccountid": account,
                "parentcontactid": contact, "salesstage": CHOICES + one.stage, "statecode": state, "statuscode": status,
                "estimatedclosedate": one.expected_close.map(date), "actualclosedate": closed.map(date),
                "closeprobability": one.probability, "ownerid": owner(one.owner), "createdon": rfc3339(one.added),
                "modifiedon": rfc3339(one.updated)});
            Some(self.record(told, &self.fields.deal, &one.custom))
        };
        self.books.deals.iter().enumerate().filter_map(write).collect()
    }

    /// Further persons of deals: each a connection and its twin, which looks the other way.
    fn connections(&self) -> Json {
        let mut all: Vec<Json> = Vec::new();
        for (place, deal) in self.books.deals.iter().enumerate() {
            let Some(from) = self.deal(Some(place)).map(|id| format!("opportunity/{id}")) else { continue };
            let others = deal.participants.iter().filter(|one| Some(**one) != deal.person);
            for to in others.filter_map(|one| self.contact(Some(*one))).map(|id| format!("contact/{id}")) {
                let next = all.len() as u64 + 1;
                let (master, twin) = (id(Table::Connection, next), id(Table::Connection, next + 1));
                let one = |own: &str, other: &str, from: &str, to: &str, role: &str| {
                    json!({"connectionid": own, "relatedconnectionid": other, "ismaster": role == "record2roleid",
                        "record1id": from, "record2id": to, role: id(Table::Role, 1), "ownerid": owner(deal.owner),
                        "createdon": rfc3339(deal.added), "modifiedon": rfc3339(deal.updated)})
                };
                all.push(one(&master, &twin, &from, &to, "record2roleid"));
                all.push(one(&twin, &master, &to, &from, "record1roleid"));
            }
        }
        Json::Array(all)
    }

    /// What a record hangs on: the deal before the contact, the contact before the account.
    fn parent(&self, parents: &Parents) -> Option<String> {
        let deal = self.deal(parents.deal).map(|id| format!("opportunity/{id}"));
        let contact = || self.contact(parents.person).map(|id| format!("contact/{id}"));
        deal.or_else(contact).or_else(|| self.account(parents.organization).map(|id| format!("account/{id}")))
    }

    /// Phone calls, appointments, tasks.
    fn activities(&self) -> [Json; 3] {
        let mut lists: [Vec<Json>; 3] = Default::default();
        for one in self.books.activities.iter().filter(|one| !one.deleted) {
            let (place, own) = activity(one);
            let mut told = json!({"activityid": id(Table::Activity, one.id), "subject": short(&one.subject, 200),
                "description": one.note.as_deref().map(|note| short(&plain(note), DESCRIPTION)),
                "regardingobjectid": self.parent(&one.parents), "ownerid": owner(one.owner),
                "createdon": rfc3339(one.added), "modifiedon": rfc3339(one.updated)});
            if let (Some(told), Json::Object(own)) = (told.as_object_mut(), own) {
                told.extend(own);
            }
            lists[place].push(self.record(told, &[], &Vec::new()));
        }
        lists[2].extend(self.books.leads.iter().filter_map(|one| {
            Some(json!({"activityid": id(Table::Activity, LEADS + one.id), "subject": one.task.as_deref()?,
                "regardingobjectid": format!("lead/{}", id(Table::Lead, one.id)), "scheduledend": rfc3339(one.updated),
                "statecode": 0, "ownerid": owner(one.owner), "createdon": rfc3339(one.added),
                "modifiedon": rfc3339(one.updated)}))
        }));
        lists.map(Json::Array)
    }

    /// Whom calls went to and who was asked to appointments.
    fn parties(&self) -> Json {
        let write = |one: &Activity| {
            let (table, part) = match place(one) {
                0 => ("phonecall", 2),
                1 => ("appointment", 5),
                _ => return None,
            };
            let contact = self.contact(one.parents.person).filter(|_| !one.deleted)?;
            Some(json!({"activitypartyid": id(Table::Party, one.id), "participationtypemask": part,
                "activityid": format!("{table}/{}", id(Table::Activity, one.id)), "partyid": format!("contact/{contact}")}))
        };
        self.books.activities.iter().filter_map(write).collect()
    }

    /// Notes, and notes that carry a file.
    fn annotations(&self) -> Json {
        let note = |one: &Note| {
            let parent = self.parent(&one.parents).filter(|_| !one.deleted)?;
            let text = short(&plain(&one.content), NOTE);
            (!text.is_empty()).then(|| {
                json!({"annotationid": id(Table::Note, one.id), "notetext": text, "objectid": parent, "ownerid": owner(one.user),
                    "createdon": rfc3339(one.added), "modifiedon": rfc3339(one.updated)})
            })
        };
        let file = |one: &File| {
            let parent = self.parent(&one.parents).filter(|_| !one.deleted && !one.gone && !one.bytes.is_empty())?;
            Some(json!({"annotationid": id(Table::Document, one.id), "filename": short(&one.name, LINE),
                "documentbody": STANDARD.encode(&one.bytes), "objectid": parent, "ownerid": owner(one.user),
                "createdon": rfc3339(one.added), "modifiedon": rfc3339(one.added)}))
        };
        let of_lead = |one: &Lead| {
            Some(json!({"annotationid": id(Table::Note, LEADS + one.id), "notetext": one.note.as_deref()?,
                "objectid": format!("lead/{}", id(Table::Lead, one.id)), "ownerid": owner(one.owner),
                "createdon": rfc3339(one.added), "modifiedon": rfc3339(one.updated)}))
        };
        let notes = self.books.notes.iter().filter_map(note).chain(self.books.leads.iter().filter_map(of_lead));
        notes.chain(self.books.files.iter().filter_map(file)).collect()
    }
}

/// The list that an activity is in.
fn place(one: &Activity) -> usize {
    match one.kind {
        "call" => 0,
        "meeting" | "lunch" => 1,
        _ => 2,
    }
}

/// The list and the own columns of an activity.
fn activity(one: &Activity) -> (usize, Json) {
    let begin = one.due + one.due_time.unwrap_or(9 * 3_600);
    let minutes = one.minutes.unwrap_or(15).max(1);
    let end = rfc3339(begin + minutes * 60);
    let is_done = one.done.is_some();
    let place = place(one);
    let own = match place {
        0 => json!({"scheduledstart": rfc3339(begin), "scheduledend": end, "directioncode": true,
            "actualdurationminutes": is_done.then_some(minutes)}),
        1 => json!({"scheduledstart": rfc3339(begin), "scheduledend": end,
            "location": one.location.as_ref().map(|place| short(&place.line(), 200))}),
        _ => json!({"scheduledend": rfc3339(begin)}),
    };
    let Json::Object(mut own) = own else { return (place, own) };
    own.insert("statecode".to_owned(), json!(u8::from(is_done)));
    own.insert("actualend".to_owned(), json!(one.done.map(rfc3339)));
    (place, Json::Object(own))
}
