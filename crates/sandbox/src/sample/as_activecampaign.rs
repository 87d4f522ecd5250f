//! The company as an ActiveCampaign account: a world file (sheet: ActiveCampaign sections 2, 3 and 9).
//!
//! Organizations are accounts, persons contacts with the account of their organization and their position there,
//! activities tasks; an amount is in hundredths. What ActiveCampaign does not allow is missing or made to fit:
//! a second account of a name is numbered, contacts without a usable address of their own and what hangs on nothing
//! are left out, files and e-mails do not exist. Values of fields that it has no type for are texts.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Value as Json, json};

use super::account::{self, ADMIN, SELLERS};
use super::calendar::rfc3339;
use super::custom::{Field, Fields, Value, Values, clock, day};
use super::dice::Dice;
use super::plain::plain;
use super::records::{Activity, Books, Deal, Note, Organization, Parents, Person, Status};

/// The longest text of one line.
const LINE: usize = 255;
/// Types of tasks: the id, the title, and the kinds of activities that become such.
const TYPES: [(u64, &str, &[&str]); 5] = [
    (1, "Call", &["call"]),
    (2, "Email", &["email"]),
    (3, "Lunch", &["lunch"]),
    (4, "Meeting", &["meeting"]),
    (5, "Task", &[]),
];

/// The account's world file.
pub(super) fn world(seed: u64, fields: &Fields, books: &Books) -> Json {
    let mut dice = Dice::new(seed, "activecampaign account");
    let writer = Writer::new(fields, books);
    let (contacts, joins) = writer.contacts();
    let deals = writer.deals();
    json!({
        "platform": "activecampaign",
        "account": {"host": "handwerk-nord.api-us1.com", "timezone": "Europe/Berlin",
            "api_keys": [{"key": dice.hex(64), "user_id": user(ADMIN)}]},
        "users": users(), "dealGroups": pipelines(), "dealStages": stages(),
        "dealTasktypes": TYPES.iter().map(|(id, title, _)| json!({"id": id, "title": title})).collect::<Json>(),
        "fields": described(&fields.person, ("title", "type")), "fieldOptions": options(&fields.person),
        "accountCustomFieldMeta": described(&fields.organization, ("fieldLabel", "fieldType")),
        "dealCustomFieldMeta": described(&fields.deal, ("fieldLabel", "fieldType")),
        "accounts": writer.accounts(), "contacts": contacts, "accountContacts": joins,
        "contactDeals": writer.further(), "deals": deals,
        "notes": books.notes.iter().filter_map(|note| writer.note(note)).collect::<Json>(),
        "dealTasks": books.activities.iter().filter_map(|activity| writer.task(activity)).collect::<Json>(),
    })
}

/// A seller's user. Who left has none: the administrator has taken over.
fn user(seller: u64) -> u64 {
    let place = SELLERS.iter().filter(|one| one.active).position(|one| one.id == seller);
    place.map_or(1, |place| place as u64 + 1)
}

fn users() -> Json {
    let active = SELLERS.iter().filter(|seller| seller.active);
    active
        .map(|seller| {
            let name = seller.email.split('@').next().unwrap_or_default().to_lowercase();
            json!({"id": user(seller.id), "username": name, "firstName": seller.first, "lastName": seller.last,
                "email": seller.email, "lang": "english", "localZoneid": seller.zone})
        })
        .collect()
}

fn pipelines() -> Json {
    let pipeline = |one: &account::Pipeline| json!({"id": one.id, "title": one.label, "currency": "eur", "allgroups": 1, "allusers": 1});
    account::PIPELINES.iter().map(pipeline).collect()
}

fn stages() -> Json {
    let all = account::PIPELINES.iter().flat_map(|pipeline| pipeline.stages.iter().map(move |stage| (pipeline, stage)));
    all.map(|(pipeline, stage)| json!({"id": stage.id, "title": stage.name, "group": pipeline.id, "order": stage.id}))
        .collect()
}

/// The type that takes a custom field's values.
fn kind(field: &Field) -> &'static str {
    match field.design.kind {
        "text" => "textarea",
        "double" => "number",
        "date" => "date",
        "enum" => "dropdown",
        "set" => "multiselect",
        _ => "text",
    }
}

fn described(fields: &[Field], (label, kind_key): (&str, &str)) -> Json {
    let one = |(id, field): (u64, &Field)| {
        let mut told = json!({"id": id, label: field.design.name, kind_key: kind(field)});
        if label == "fieldLabel" && !field.options.is_empty() {
            told["fieldOptions"] = field.options.iter().map(|(_, label)| json!(label)).collect();
        }
        told
    };
    (1..).zip(fields).map(one).collect()
}

fn options(fields: &[Field]) -> Json {
    let all = (1_u64..).zip(fields).flat_map(|(field, one)| one.options.iter().map(move |(_, label)| (field, label)));
    (1_u64..)
        .zip(all)
        .map(|(id, (field, label))| json!({"id": id, "field": field, "value": label, "label": label, "orderid": id}))
        .collect()
}

struct Writer<'a> {
    fields: &'a Fields,
    books: &'a Books,
    /// The address of each person who is a contact, by place.
    addresses: BTreeMap<usize, String>,
}

impl<'a> Writer<'a> {
    fn new(fields: &'a Fields, books: &'a Books) -> Self {
        let mut taken = HashSet::new();
        let mut addresses = BTreeMap::new();
        for (place, person) in books.persons.iter().enumerate().filter(|(_, person)| !person.deleted) {
            let lines = person.emails.iter().map(|line| line.value.trim().to_lowercase());
            let mut fits = lines.filter(|address| {
                let parts = address.split_once('@');
                let is_whole = parts.is_some_and(|(local, domain)| {
                    !local.is_empty() && domain.contains('.') && !domain.starts_with('.') && !domain.ends_with('.')
                });
                is_whole && address.matches('@').count() == 1 && !address.contains(char::is_whitespace)
            });
            if let Some(address) = fits.find(|address| taken.insert(address.clone())) {
                addresses.insert(place, address);
            }
        }
        Self { fields, books, addresses }
    }

    fn contact(&self, place: Option<usize>) -> Option<u64> {
        place.filter(|place| self.addresses.contains_key(place)).map(|place| self.books.persons[place].id)
    }

    fn account(&self, place: Option<usize>) -> Option<u64> {
        place.map(|place| &self.books.organizations[place]).filter(|one| !one.deleted).map(|one| one.id)
    }

    fn deal_of(&self, place: Option<usize>) -> Option<u64> {
        let deal = place.map(|place| &self.books.deals[place])?;
        self.is_kept(deal).then_some(deal.id)
    }

    fn is_kept(&self, deal: &Deal) -> bool {
        !deal.deleted && (self.contact(deal.person).is_some() || self.account(deal.organization).is_some())
    }

    fn values(&self, fields: &[Field], values: &Values, names: (&str, &str), pipes: bool) -> Json {
        let one = |(place, value): &(usize, Value)| {
            let field = &fields[*place];
            json!({names.0: *place as u64 + 1, names.1: self.value(field, value, pipes)})
        };
        values.iter().map(one).collect()
    }

    fn value(&self, field: &Field, value: &Value, pipes: bool) -> Json {
        let label = |id: &u64| {
            field.options.iter().find(|(have, _)| have == id).map(|(_, label)| label.to_string()).unwrap_or_default()
        };
        match value {
            Value::Text(text) if field.design.kind == "text" => json!(text),
            Value::Text(text) => json!(text.chars().take(LINE).collect::<String>()),
            Value::Number(number) if pipes => json!(number.to_string()),
            Value::Number(number) => json!(number),
            Value::Money(amount, currency) => json!(format!("{amount} {currency}")),
            Value::Date(second) => json!(day(*second)),
            Value::Dates(from, until) => json!(format!("{} to {}", day(*from), day(*until))),
            Value::Time(minutes, zone) => json!(format!("{} {zone}", clock(*minutes))),
            Value::Times(from, until, zone) => json!(format!("{} to {} {zone}", clock(*from), clock(*until))),
            Value::Set(ids) if pipes => json!(format!("||{}||", ids.iter().map(label).collect::<Vec<_>>().join("||"))),
            Value::Set(ids) => ids.iter().map(label).collect(),
            Value::Enum(id) => json!(label(id)),
            Value::User(id) => {
                let seller = SELLERS.iter().find(|seller| seller.id == *id);
                json!(seller.map(|seller| format!("{} {}", seller.first, seller.last)).unwrap_or_default())
            }
            Value::Organization(place) => json!(self.books.organizations[*place].name.trim()),
            Value::Person(place) => json!(self.books.persons[*place].name.trim()),
            Value::Address(address) => json!(address.line()),
        }
    }

    fn accounts(&self) -> Json {
        let mut names: BTreeMap<String, u32> = BTreeMap::new();
        let mut write = |one: &Organization| {
            let count = names.entry(one.name.trim().to_lowercase()).or_default();
            *count += 1;
            let name = one.name.trim();
            let name = if *count > 1 { format!("{name} ({count})") } else { name.to_owned() };
            json!({"id": one.id, "name": name, "accountUrl": one.website, "owner": user(one.owner),
                "createdTimestamp": rfc3339(one.added), "updatedTimestamp": rfc3339(one.updated),
                "fields": self.values(&self.fields.organization, &one.custom, ("customFieldId", "fieldValue"), false)})
        };
        self.books.organizations.iter().filter(|one| !one.deleted).map(&mut write).collect()
    }

    /// Contacts, and their associations with accounts.
    fn contacts(&self) -> (Json, Json) {
        let write = |(place, address): (&usize, &String)| {
            let one: &Person = &self.books.persons[*place];
            json!({"id": one.id, "email": address, "firstName": one.given, "lastName": one.family,
                "phone": one.phones.first().map(|line| &line.value), "cdate": rfc3339(one.added), "udate": rfc3339(one.updated),
                "fieldValues": self.values(&self.fields.person, &one.custom, ("field", "value"), true)})
        };
        let join = |place: &usize| {
            let one = &self.books.persons[*place];
            let account = self.account(one.organization)?;
            Some(json!({"contact": one.id, "account": account, "jobTitle": one.position}))
        };
        (self.addresses.iter().map(write).collect(), self.addresses.keys().filter_map(join).collect())
    }

    fn deals(&self) -> Json {
        let write = |one: &Deal| {
            let pipeline = account::stage(one.stage).map(|(pipeline, _)| pipeline.id);
            let status = match one.status {
                Status::Open => 0,
                Status::Won => 1,
                Status::Lost => 2,
            };
            json!({"id": one.id, "title": one.title, "value": one.cents, "currency": one.currency.to_lowercase(),
                "contact": self.contact(one.person), "account": self.account(one.organization), "group": pipeline,
                "stage": one.stage, "owner": user(one.owner), "percent": one.probability, "status": status,
                "cdate": rfc3339(one.added), "mdate": rfc3339(one.updated),
                "fields": self.values(&self.fields.deal, &one.custom, ("customFieldId", "fieldValue"), false)})
        };
        self.books.deals.iter().filter(|deal| self.is_kept(deal)).map(write).collect()
    }

    /// Further contacts of deals.
    fn further(&self) -> Json {
        let kept = self.books.deals.iter().filter(|deal| self.is_kept(deal));
        let pairs = kept.flat_map(|deal| deal.participants.iter().map(move |place| (deal.id, *place)));
        pairs.filter_map(|(deal, place)| Some(json!({"deal": deal, "contact": self.contact(Some(place))?}))).collect()
    }

    /// What a record hangs on: the deal before the contact, the contact before the account.
    fn parent(&self, parents: &Parents) -> Option<(&'static str, u64)> {
        let deal = self.deal_of(parents.deal).map(|id| ("Deal", id));
        let contact = || self.contact(parents.person).map(|id| ("Subscriber", id));
        deal.or_else(contact).or_else(|| self.account(parents.organization).map(|id| ("CustomerAccount", id)))
    }

    fn note(&self, one: &Note) -> Option<Json> {
        let (reltype, relid) = self.parent(&one.parents).filter(|_| !one.deleted)?;
        let text = plain(&one.content);
        (!text.is_empty()).then(|| {
            json!({"id": one.id, "note": text, "reltype": reltype, "relid": relid, "userid": user(one.user),
                "cdate": rfc3339(one.added), "mdate": rfc3339(one.updated)})
        })
    }

    fn task(&self, one: &Activity) -> Option<Json> {
        let (reltype, relid) = self.parent(&one.parents).filter(|_| !one.deleted)?;
        let owner = match reltype {
            "Deal" => "deal",
            "Subscriber" => "contact",
            _ => return None,
        };
        let kind = TYPES.iter().find(|(_, _, kinds)| kinds.contains(&one.kind)).map_or(5, |(id, ..)| *id);
        let due = one.due + one.due_time.unwrap_or(0);
        let end = due + one.minutes.unwrap_or(15) * 60;
        Some(json!({"id": one.id, "title": one.subject.chars().take(LINE).collect::<String>(),
            "note": one.note.as_deref().map(plain), "ownerType": owner, "relid": relid, "dealTasktype": kind,
            "duedate": rfc3339(due), "edate": rfc3339(end), "status": u8::from(one.done.is_some()), "assignee": user(one.owner),
            "user": user(one.owner), "cdate": rfc3339(one.added), "udate": rfc3339(one.updated)}))
    }
}
