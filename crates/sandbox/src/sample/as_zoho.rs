//! The company as an organization in Zoho CRM: a world file (sheet: Zoho sections 2, 3 and 5).
//!
//! Organizations are accounts, persons contacts, and activities calls, events or tasks by their kind; participants
//! of deals have contact roles, files are attachments. Ids are of one space there, so that every module has a range
//! of its own. What Zoho CRM does not allow is missing or made to fit: addresses that are none, what hangs on nothing,
//! e-mails. Values of fields that it has no type for are texts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};

use super::account::{self, CURRENCIES, SELLERS};
use super::calendar::{date, rfc3339};
use super::custom::{Field, Fields, Value, Values, clock, day};
use super::plain::{is_address, plain, short};
use super::records::{Activity, Books, Deal, File, Lead, LeadStatus, Note, Organization, Parents, Person, Status};

/// Ids of records come after this one.
const FIRST: u64 = 554_023_000_000_000_000;
/// Ids of a module, from one to the next.
const RANGE: u64 = 1_000_000_000_000;
/// The longest text of one line.
const LINE: usize = 255;
/// The longest note.
const NOTE: usize = 32_000;

/// The organization's world file.
pub(super) fn world(fields: &Fields, books: &Books) -> Json {
    let writer = Writer { fields, books };
    let (attachments, files) = writer.attachments();
    let rates: Map<String, Json> = CURRENCIES[1..].iter().map(|code| ((*code).to_owned(), json!("1.1"))).collect();
    let [calls, events, tasks] = writer.activities();
    json!({
        "platform": "zoho",
        "org": {"company_name": "Handwerk Nord GmbH", "dc": "eu", "time_zone": "Europe/Berlin", "utc_offset_min": 60,
            "currency": CURRENCIES[0], "currency_symbol": "€", "currencies": rates},
        "users": users(),
        "fields": {"Accounts": described(&fields.organization), "Contacts": described(&fields.person), "Deals": deal_fields(fields)},
        "layouts": {"Deals": layouts()},
        "records": {"Accounts": writer.accounts(), "Contacts": writer.contacts(), "Leads": writer.leads(), "Deals": writer.deals(),
            "Notes": writer.notes(), "Calls": calls, "Events": events, "Tasks": tasks, "Attachments": attachments},
        "roles": writer.roles(), "files": files,
    })
}

/// A seller's user.
fn user(seller: u64) -> String {
    (FIRST + 300_000 + seller % 1_000).to_string()
}

/// A lead's id.
fn lead(one: &Lead) -> String {
    (FIRST + 7 * RANGE + one.id).to_string()
}

fn users() -> Json {
    let one = |seller: &account::Seller| {
        json!({"id": FIRST + 300_000 + seller.id % 1_000, "first_name": seller.first, "last_name": seller.last,
            "email": seller.email, "admin": seller.admin, "status": if seller.active { "active" } else { "inactive" }})
    };
    SELLERS.iter().map(one).collect()
}

/// The name that the API gives a label.
fn api_name(label: &str) -> String {
    let word = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
    let mut name: String = label.chars().map(word).collect();
    while name.contains("__") {
        name = name.replace("__", "_");
    }
    name.trim_matches('_').to_owned()
}

/// The type that takes a custom field's values.
fn kind(field: &Field) -> &'static str {
    match field.design.kind {
        "text" => "textarea",
        "double" => "double",
        "date" => "date",
        "enum" => "picklist",
        "set" => "multiselectpicklist",
        _ => "text",
    }
}

fn described(fields: &[Field]) -> Json {
    let one = |field: &Field| {
        let picks: Json = field.options.iter().map(|(_, label)| json!({"actual": label})).collect();
        let mut told = json!({"api_name": api_name(field.design.name), "label": field.design.name, "data_type": kind(field), "picks": picks});
        if kind(field) == "textarea" {
            told["textarea"] = json!("large");
        }
        told
    };
    fields.iter().map(one).collect()
}

/// The deals' own fields, and the stages of both pipelines.
fn deal_fields(fields: &Fields) -> Json {
    let open = account::PIPELINES.iter().flat_map(|pipeline| pipeline.stages.iter());
    let mut picks: Vec<Json> =
        open.map(|stage| json!({"actual": stage.name, "probability": stage.probability, "forecast": "Open"})).collect();
    picks.push(json!({"actual": "Closed Won", "probability": 100, "forecast": "Closed Won"}));
    picks.push(json!({"actual": "Closed Lost", "probability": 0, "forecast": "Closed Lost"}));
    let stage = json!({"api_name": "Stage", "label": "Stage", "data_type": "picklist", "mandatory": true, "restricted": true, "picks": picks});
    let mut all = described(&fields.deal);
    if let Some(all) = all.as_array_mut() {
        all.push(stage);
    }
    all
}

fn layouts() -> Json {
    let pipeline = |one: &account::Pipeline| {
        let stages = one.stages.iter().map(|stage| stage.name).chain(["Closed Won", "Closed Lost"]);
        json!({"display": one.label, "actual": format!("{} (Standard)", one.label), "default": one.id == 1,
            "stages": stages.collect::<Vec<_>>()})
    };
    let pipelines: Json = account::PIPELINES.iter().map(pipeline).collect();
    json!([{"name": "Standard", "required": ["Closing_Date"], "pipelines": pipelines}])
}

struct Writer<'a> {
    fields: &'a Fields,
    books: &'a Books,
}

impl Writer<'_> {
    fn account(&self, place: Option<usize>) -> Option<String> {
        let one = place.map(|place| &self.books.organizations[place]).filter(|one| !one.deleted)?;
        Some((FIRST + RANGE + one.id).to_string())
    }

    fn contact(&self, place: Option<usize>) -> Option<String> {
        let one = place.map(|place| &self.books.persons[place]).filter(|one| !one.deleted)?;
        Some((FIRST + 2 * RANGE + one.id).to_string())
    }

    fn deal(&self, place: Option<usize>) -> Option<String> {
        let one = place.map(|place| &self.books.deals[place]).filter(|one| !one.deleted)?;
        Some((FIRST + 3 * RANGE + one.id).to_string())
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
        let label = |id: &u64| {
            field.options.iter().find(|(have, _)| have == id).map(|(_, label)| label.to_string()).unwrap_or_default()
        };
        match value {
            Value::Text(text) if field.design.kind == "text" => json!(text),
            Value::Text(text) => json!(short(text, LINE)),
            Value::Number(number) => json!(number),
            Value::Money(amount, currency) => json!(format!("{amount} {currency}")),
            Value::Date(second) => json!(day(*second)),
            Value::Dates(from, until) => json!(format!("{} to {}", day(*from), day(*until))),
            Value::Time(minutes, zone) => json!(format!("{} {zone}", clock(*minutes))),
            Value::Times(from, until, zone) => json!(format!("{} to {} {zone}", clock(*from), clock(*until))),
            Value::Set(ids) => ids.iter().map(label).collect(),
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
        let write = |(place, one): (usize, &Organization)| {
            let told = json!({"id": self.account(Some(place))?, "Account_Name": short(&one.name, 200), "Website": one.website,
                "Employees": one.employees, "Annual_Revenue": one.revenue, "Owner": user(one.owner),
                "Billing_Street": one.address.as_ref().map(|address| format!("{} {}", address.route, address.number)),
                "Billing_City": one.address.as_ref().map(|address| address.locality),
                "Billing_State": one.address.as_ref().map(|address| address.region),
                "Billing_Code": one.address.as_ref().map(|address| address.postal_code),
                "Billing_Country": one.address.as_ref().map(|address| address.country),
                "Created_Time": rfc3339(one.added), "Modified_Time": rfc3339(one.updated)});
            Some(self.record(told, &self.fields.organization, &one.custom))
        };
        self.books.organizations.iter().enumerate().filter_map(write).collect()
    }

    fn contacts(&self) -> Json {
        let write = |(place, one): (usize, &Person)| {
            let mut mails = one.emails.iter().map(|line| line.value.trim()).filter(|mail| is_address(mail, 100));
            let phone = |n: usize| one.phones.get(n).map(|line| short(&line.value, 30));
            let family = if one.family.is_empty() { one.name.trim() } else { one.family };
            let told = json!({"id": self.contact(Some(place))?, "First_Name": short(one.given, 40), "Last_Name": short(family, 80),
                "Email": mails.next(), "Secondary_Email": mails.next(), "Phone": phone(0), "Mobile": phone(1),
                "Title": one.position, "Account_Name": self.account(one.organization), "Owner": user(one.owner),
                "Created_Time": rfc3339(one.added), "Modified_Time": rfc3339(one.updated)});
            Some(self.record(told, &self.fields.person, &one.custom))
        };
        self.books.persons.iter().enumerate().filter_map(write).collect()
    }

    fn leads(&self) -> Json {
        let write = |one: &Lead| {
            let status = match one.status {
                LeadStatus::New => "Not Contacted",
                LeadStatus::Contacted => "Contacted",
                LeadStatus::Lost => "Lost Lead",
            };
            let told = json!({"id": lead(one), "First_Name": short(one.given, 40), "Last_Name": short(one.family, 80),
                "Company": short(&one.company, 200), "Email": one.email, "Phone": one.phone, "Designation": one.position,
                "Lead_Status": status, "Owner": user(one.owner), "Created_Time": rfc3339(one.added),
                "Modified_Time": rfc3339(one.updated)});
            self.record(told, &[], &Vec::new())
        };
        self.books.leads.iter().map(write).collect()
    }

    fn deals(&self) -> Json {
        let write = |(place, one): (usize, &Deal)| {
            let stage = account::stage(one.stage);
            let name = match one.status {
                Status::Open => stage.map(|(_, stage)| stage.name),
                Status::Won => Some("Closed Won"),
                Status::Lost => Some("Closed Lost"),
            };
            let amount = if one.cents % 100 == 0 { json!(one.cents / 100) } else { json!(one.cents as f64 / 100.0) };
            let told = json!({"id": self.deal(Some(place))?, "Deal_Name": short(&one.title, 120), "Amount": amount,
                "Currency": one.currency, "Account_Name": self.account(one.organization), "Contact_Name": self.contact(one.person),
                "Pipeline": stage.map(|(pipeline, _)| format!("{} (Standard)", pipeline.label)), "Stage": name,
                "Closing_Date": date(one.closed.or(one.expected_close).unwrap_or(one.updated)), "Owner": user(one.owner),
                "Created_Time": rfc3339(one.added), "Modified_Time": rfc3339(one.updated)});
            Some(self.record(told, &self.fields.deal, &one.custom))
        };
        self.books.deals.iter().enumerate().filter_map(write).collect()
    }

    /// Further contacts of deals, without a role of their own.
    fn roles(&self) -> Json {
        let pair = |deal: Option<String>, contact: Option<String>| {
            Some(json!([deal?.parse::<u64>().ok()?, contact?.parse::<u64>().ok()?, null]))
        };
        let all = self.books.deals.iter().enumerate().flat_map(|(place, deal)| {
            deal.participants.iter().filter_map(move |one| pair(self.deal(Some(place)), self.contact(Some(*one))))
        });
        all.collect()
    }

    /// What a record hangs on: the deal before the contact, the contact before the account.
    fn parent(&self, parents: &Parents) -> Option<(&'static str, String)> {
        let deal = self.deal(parents.deal).map(|id| ("Deals", id));
        let contact = || self.contact(parents.person).map(|id| ("Contacts", id));
        deal.or_else(contact).or_else(|| self.account(parents.organization).map(|id| ("Accounts", id)))
    }

    fn notes(&self) -> Json {
        let write = |one: &Note| {
            let (module, parent) = self.parent(&one.parents).filter(|_| !one.deleted)?;
            let text = short(&plain(&one.content), NOTE);
            (!text.is_empty()).then(|| {
                json!({"id": FIRST + 4 * RANGE + one.id, "Note_Content": text, "Parent_Id": parent, "$se_module": module,
                    "Owner": user(one.user), "Created_Time": rfc3339(one.added), "Modified_Time": rfc3339(one.updated)})
            })
        };
        let of_lead = |one: &Lead| {
            Some(json!({"id": FIRST + 8 * RANGE + one.id, "Note_Content": one.note.as_deref()?, "Parent_Id": lead(one),
                "$se_module": "Leads", "Owner": user(one.owner), "Created_Time": rfc3339(one.added),
                "Modified_Time": rfc3339(one.updated)}))
        };
        let own = self.books.notes.iter().filter_map(write);
        own.chain(self.books.leads.iter().filter_map(of_lead)).collect()
    }

    /// Calls, events, tasks.
    fn activities(&self) -> [Json; 3] {
        let mut lists: [Vec<Json>; 3] = Default::default();
        for one in self.books.activities.iter().filter(|one| !one.deleted) {
            let (place, own) = self.activity(one);
            let about = self.deal(one.parents.deal).map(|id| ("Deals", id));
            let about = about.or_else(|| self.account(one.parents.organization).map(|id| ("Accounts", id)));
            let mut told = json!({"id": FIRST + 5 * RANGE + one.id, "Who_Id": self.contact(one.parents.person),
                "What_Id": about.as_ref().map(|(_, id)| id), "$se_module": about.as_ref().map(|(module, _)| module),
                "Description": one.note.as_deref().map(|note| short(&plain(note), NOTE)), "Owner": user(one.owner),
                "Created_Time": rfc3339(one.added), "Modified_Time": rfc3339(one.updated)});
            if let (Some(told), Json::Object(own)) = (told.as_object_mut(), own) {
                told.extend(own);
            }
            lists[place].push(self.record(told, &[], &Vec::new()));
        }
        lists[2].extend(self.books.leads.iter().filter_map(|one| {
            Some(json!({"id": FIRST + 9 * RANGE + one.id, "Subject": one.task.as_deref()?, "What_Id": lead(one),
                "$se_module": "Leads", "Due_Date": date(one.updated), "Status": "Not Started", "Owner": user(one.owner),
                "Created_Time": rfc3339(one.added), "Modified_Time": rfc3339(one.updated)}))
        }));
        lists.map(Json::Array)
    }

    /// The list and the own fields of an activity.
    fn activity(&self, one: &Activity) -> (usize, Json) {
        let subject = short(&one.subject, LINE);
        let begin = one.due + one.due_time.unwrap_or(9 * 3_600);
        let minutes = one.minutes.unwrap_or(15).max(1);
        match one.kind {
            "call" => (
                0,
                json!({"Subject": subject, "Call_Type": "Outbound", "Call_Start_Time": rfc3339(begin),
                "Call_Duration": format!("{minutes:02}:00")}),
            ),
            "meeting" | "lunch" => (
                1,
                json!({"Event_Title": subject, "Start_DateTime": rfc3339(begin),
                "End_DateTime": rfc3339(begin + minutes * 60)}),
            ),
            _ => (
                2,
                json!({"Subject": subject, "Due_Date": date(one.due),
                "Status": if one.done.is_some() { "Completed" } else { "Not Started" }}),
            ),
        }
    }

    /// Attachments and their bytes.
    fn attachments(&self) -> (Json, Json) {
        let mut files = Map::new();
        let mut write = |one: &File| {
            let (module, parent) = self.parent(&one.parents).filter(|_| !one.deleted && !one.gone)?;
            let file = format!("sample{}", one.id);
            files.insert(file.clone(), json!({"name": one.name, "bytes": STANDARD.encode(&one.bytes)}));
            Some(
                json!({"id": FIRST + 6 * RANGE + one.id, "File_Name": short(&one.name, LINE), "Size": one.bytes.len().to_string(),
                "Parent_Id": parent, "$se_module": module, "$file_id": file, "$type": "Attachment", "Owner": user(one.user),
                "Created_Time": rfc3339(one.added), "Modified_Time": rfc3339(one.added)}),
            )
        };
        let attachments: Json = self.books.files.iter().filter_map(&mut write).collect();
        (attachments, Json::Object(files))
    }
}
