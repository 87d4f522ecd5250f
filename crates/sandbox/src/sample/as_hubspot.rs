//! The company as a HubSpot portal: a world file (sheet: HubSpot sections 2 and 5.6).
//!
//! Custom fields become custom properties; won and lost deals stand in closed stages; a file is a note
//! with an attachment. What HubSpot does not allow is missing: a second contact with an address, malformed
//! addresses, a circle of parents, notes over 65,536 characters, files without bytes, deleted records.

use std::collections::{BTreeMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::account::{self, DEPARTED, SELLERS, owner_of};
use super::calendar::millis;
use super::custom::{Field, Fields, Value, Values, clock, day};
use super::mails;
use super::portal::{self, own_stage_id, property, record};
use super::records::{Activity, Books, Deal, DealRole, Mail, Note, Organization, Parents, Person, Role, Status};
use super::words;

/// The owner id of the representative who has no user in Pipedrive.
const DEPARTED_OWNER: u64 = 71_000_107;
/// HubSpot takes no longer note.
const LONGEST_NOTE: usize = 65_536;

/// What is odd in a [`HubspotCompany`](super::HubspotCompany), by HubSpot id, and how much there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubspotFacts {
    /// Deal stages that the Pipedrive account does not have under any name like theirs.
    pub untranslated_stages: Vec<String>,
    /// Deals in those stages.
    pub untranslated_deals: Vec<String>,
    /// The owner without a Pipedrive user.
    pub departed_owner: String,
    /// Contacts of this owner.
    pub departed_contacts: Vec<String>,
    /// Deals of this owner.
    pub departed_deals: Vec<String>,
    /// Deals with more than one contact.
    pub deals_with_several_contacts: Vec<String>,
    /// Notes that only carry a file.
    pub file_notes: Vec<String>,
    /// How many records each object has, by its plural name.
    pub counts: BTreeMap<String, usize>,
}

/// A portal with the company's users and pipelines and no record, as the target of a migration.
pub(super) fn bare(seed: u64) -> Json {
    let mut world = portal::account(seed, |_| true);
    // Nobody is there whose mail or deal a workflow could be about.
    for list in ["workflows", "properties"] {
        world.remove(list);
    }
    Json::Object(world)
}

/// The portal's world file.
pub(super) fn world(seed: u64, fields: &Fields, books: &Books) -> (Json, HubspotFacts) {
    let mut world = portal::account(seed, |_| true);
    if let Some(Json::Array(owners)) = world.get_mut("owners") {
        let departed = SELLERS.iter().filter(|seller| seller.id == DEPARTED);
        owners.extend(departed.map(|seller| {
            json!({"id": DEPARTED_OWNER.to_string(), "email": seller.email, "firstName": seller.first,
                "lastName": seller.last, "userId": DEPARTED_OWNER + 5_000_000, "archived": false})
        }));
    }
    world.insert(
        "properties".to_owned(),
        json!({
            "companies": properties("companyinformation", &fields.organization),
            "contacts": properties("contactinformation", fields.person.get(1..).unwrap_or_default()),
            "deals": properties("dealinformation", &fields.deal),
        }),
    );
    let mut writer = Writer { fields, books, links: Vec::new(), objects: BTreeMap::new(), files: Vec::new() };
    writer.write();
    let mut facts = facts(books);
    facts.counts = writer.objects.iter().map(|(name, list)| ((*name).to_owned(), list.len())).collect();
    facts.file_notes =
        books.files.iter().filter(|file| carried(file)).map(|file| id(NOTE_OF_FILE, file.id).to_string()).collect();
    world.insert("objects".to_owned(), json!(writer.objects));
    world.insert("associations".to_owned(), Json::Array(writer.links));
    world.insert("files".to_owned(), Json::Array(writer.files));
    (Json::Object(world), facts)
}

fn facts(books: &Books) -> HubspotFacts {
    let deals = |keep: &dyn Fn(&Deal) -> bool| -> Vec<String> {
        books
            .deals
            .iter()
            .filter(|deal| !deal.deleted && keep(deal))
            .map(|deal| id(DEAL, deal.id).to_string())
            .collect()
    };
    let contacts = books.persons.iter().filter(|person| person.role == Role::Departed);
    let stages = account::PIPELINES.iter().flat_map(|pipeline| pipeline.stages);
    HubspotFacts {
        untranslated_stages: stages
            .filter(|stage| stage.counterpart.is_none())
            .map(|stage| own_stage_id(stage.id))
            .collect(),
        untranslated_deals: deals(&|deal| deal.role == DealRole::Untranslated),
        departed_owner: DEPARTED_OWNER.to_string(),
        departed_contacts: contacts.map(|person| id(CONTACT, person.id).to_string()).collect(),
        departed_deals: deals(&|deal| deal.role == DealRole::Departed),
        deals_with_several_contacts: deals(&|deal| !deal.participants.is_empty()),
        ..HubspotFacts::default()
    }
}

/// Kinds of records as ids tell them apart: HubSpot's ids are unique per kind, these over all.
const COMPANY: u64 = 21;
const CONTACT: u64 = 31;
const DEAL: u64 = 41;
const NOTE: u64 = 52;
const NOTE_OF_FILE: u64 = 53;
const CALL: u64 = 61;
const MEETING: u64 = 62;
const TASK: u64 = 63;
const EMAIL: u64 = 64;
const FILE: u64 = 71;

fn id(kind: u64, id: u64) -> u64 {
    kind * 1_000_000_000 + id * 37
}

fn carried(file: &super::records::File) -> bool {
    !file.gone && !file.deleted
}

fn name_of(field: &Field) -> String {
    words::slug(field.design.name, '_')
}

fn properties(group: &str, fields: &[Field]) -> Vec<Json> {
    let mut all = Vec::new();
    for field in fields {
        let (name, label) = (name_of(field), field.design.name);
        let options: Vec<(String, String)> =
            field.options.iter().map(|(_, label)| (words::slug(label, '_'), (*label).to_owned())).collect();
        let kind = match field.design.kind {
            "text" => ("string", "textarea"),
            "double" | "monetary" => ("number", "number"),
            "date" => ("date", "date"),
            "set" => ("enumeration", "checkbox"),
            "enum" => ("enumeration", "select"),
            "phone" => ("string", "phonenumber"),
            _ => ("string", "text"),
        };
        if field.design.kind == "daterange" {
            all.push(property(group, &format!("{name}_from"), &format!("{label}: from"), ("date", "date"), &[]));
            all.push(property(group, &format!("{name}_until"), &format!("{label}: until"), ("date", "date"), &[]));
        } else {
            all.push(property(group, &name, label, kind, &options));
        }
    }
    all
}

type Properties = BTreeMap<&'static str, String>;

struct Writer<'a> {
    fields: &'a Fields,
    books: &'a Books,
    links: Vec<Json>,
    objects: BTreeMap<&'static str, Vec<Json>>,
    files: Vec<Json>,
}

impl Writer<'_> {
    fn write(&mut self) {
        let books = self.books;
        for organization in books.organizations.iter().filter(|organization| !organization.deleted) {
            self.company(organization);
        }
        for &(parent, child) in &books.relations {
            if (parent, child) != books.cycle {
                let (parent, child) = (books.organizations[parent].id, books.organizations[child].id);
                self.link(("companies", id(COMPANY, parent)), ("companies", id(COMPANY, child)), &[13]);
            }
        }
        let mut taken = HashSet::new();
        for person in books.persons.iter().filter(|person| !person.deleted) {
            self.contact(person, &mut taken);
        }
        for deal in books.deals.iter().filter(|deal| !deal.deleted) {
            self.deal(deal);
        }
        for note in books.notes.iter().filter(|note| !note.deleted) {
            self.note(note);
        }
        for activity in books.activities.iter().filter(|activity| !activity.deleted) {
            self.activity(activity);
        }
        for file in books.files.iter().filter(|file| carried(file)) {
            self.file(file);
        }
        for mail in books.mails.iter().filter(|mail| !mail.draft) {
            self.email(mail);
        }
    }

    fn put(
        &mut self,
        object: &'static str,
        id: u64,
        times: (i64, i64),
        properties: Properties,
        custom: Vec<(String, String)>,
    ) {
        let mut entry = record(id, times.0, times.1, properties);
        if let Some(Json::Object(map)) = entry.get_mut("properties") {
            map.extend(custom.into_iter().map(|(name, value)| (name, Json::String(value))));
        }
        self.objects.entry(object).or_default().push(entry);
    }

    fn link(&mut self, from: (&str, u64), to: (&str, u64), types: &[u64]) {
        let types = types.iter().map(|kind| json!({"category": "HUBSPOT_DEFINED", "typeId": kind})).collect();
        // Put together by hand: there are tens of thousands, and `json!` would copy the list.
        let mut link = Map::new();
        link.insert("fromType".to_owned(), Json::String(from.0.to_owned()));
        link.insert("fromId".to_owned(), Json::String(from.1.to_string()));
        link.insert("toType".to_owned(), Json::String(to.0.to_owned()));
        link.insert("toId".to_owned(), Json::String(to.1.to_string()));
        link.insert("types".to_owned(), Json::Array(types));
        self.links.push(Json::Object(link));
    }

    fn custom(&self, fields: &[Field], values: &Values) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for (place, value) in values {
            let field = &fields[*place];
            let name = name_of(field);
            let option = |id: &u64| {
                let label = field.options.iter().find(|option| option.0 == *id).map(|option| option.1);
                words::slug(label.unwrap_or_default(), '_')
            };
            let text = match value {
                Value::Text(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                Value::Money(amount, _) => amount.to_string(),
                Value::Date(second) => day(*second),
                Value::Dates(from, until) => {
                    all.push((format!("{name}_from"), day(*from)));
                    all.push((format!("{name}_until"), day(*until)));
                    continue;
                }
                Value::Time(minutes, zone) => format!("{} {zone}", clock(*minutes)),
                Value::Times(from, until, zone) => format!("{} - {} {zone}", clock(*from), clock(*until)),
                Value::Set(options) => options.iter().map(option).collect::<Vec<_>>().join(";"),
                Value::Enum(chosen) => option(chosen),
                Value::User(user) => owner(*user),
                Value::Organization(place) => id(COMPANY, self.books.organizations[*place].id).to_string(),
                Value::Person(place) => id(CONTACT, self.books.persons[*place].id).to_string(),
                Value::Address(address) => address.line(),
            };
            all.push((name, text));
        }
        all
    }

    fn company(&mut self, organization: &Organization) {
        let mut properties = Properties::from([
            ("name", organization.name.clone()),
            ("domain", organization.domain.clone()),
            ("hubspot_owner_id", owner(organization.owner)),
        ]);
        properties.extend(organization.website.clone().map(|website| ("website", website)));
        properties.extend(organization.employees.map(|count| ("numberofemployees", count.to_string())));
        properties.extend(organization.revenue.map(|revenue| ("annualrevenue", revenue.to_string())));
        if let Some(address) = &organization.address {
            properties.extend([
                ("address", format!("{} {}", address.route, address.number)),
                ("city", address.locality.to_owned()),
                ("state", address.region.to_owned()),
                ("zip", address.postal_code.to_owned()),
                ("country", address.country.to_owned()),
            ]);
        }
        let custom = self.custom(&self.fields.organization, &organization.custom);
        self.put(
            "companies",
            id(COMPANY, organization.id),
            (organization.added, organization.updated),
            properties,
            custom,
        );
    }

    fn contact(&mut self, person: &Person, taken: &mut HashSet<String>) {
        let trailing = if person.name.ends_with(' ') { " " } else { "" };
        let mut properties = Properties::from([
            ("firstname", person.given.to_owned()),
            ("lastname", format!("{}{trailing}", person.family)),
            ("hubspot_owner_id", owner(person.owner)),
            ("lifecyclestage", if person.labels.contains(&7) { "customer" } else { "lead" }.to_owned()),
        ]);
        let mut addresses = person
            .emails
            .iter()
            .map(|line| line.value.to_ascii_lowercase())
            .filter(|address| !matches!(person.role, Role::RefusedEmail(_)) && taken.insert(address.clone()));
        properties.extend(addresses.next().map(|address| ("email", address)));
        let more: Vec<String> = addresses.collect();
        if !more.is_empty() {
            properties.insert("hs_additional_emails", more.join(";"));
        }
        for line in person.phones.iter().rev() {
            properties.insert(if line.label == "mobile" { "mobilephone" } else { "phone" }, line.value.clone());
        }
        properties.extend(person.position.map(|position| ("jobtitle", position.to_owned())));
        // The first field is the job title.
        let values: Values = person.custom.iter().filter(|(place, _)| *place != 0).cloned().collect();
        let custom = self.custom(&self.fields.person, &values);
        let contact = id(CONTACT, person.id);
        self.put("contacts", contact, (person.added, person.updated), properties, custom);
        if let Some(place) = person.organization {
            let company = id(COMPANY, self.books.organizations[place].id);
            self.link(("contacts", contact), ("companies", company), &[279, 1]);
        }
    }

    fn deal(&mut self, deal: &Deal) {
        let mut properties = Properties::from([
            ("dealname", deal.title.clone()),
            ("amount", format!("{}.{:02}", deal.cents / 100, deal.cents % 100)),
            ("deal_currency_code", deal.currency.to_owned()),
            ("hubspot_owner_id", owner(deal.owner)),
        ]);
        if let Some((pipeline, stage)) = account::stage(deal.stage) {
            let stage = match deal.status {
                Status::Won => pipeline.won.to_owned(),
                Status::Lost => pipeline.lost.to_owned(),
                Status::Open => stage.counterpart.map_or_else(|| own_stage_id(stage.id), |pair| pair.1.to_owned()),
            };
            properties.extend([("pipeline", pipeline.hubspot_id.to_owned()), ("dealstage", stage)]);
        }
        properties.extend(deal.closed.or(deal.expected_close).map(|closed| ("closedate", millis(closed))));
        properties.extend(deal.lost_reason.map(|reason| ("closed_lost_reason", reason.to_owned())));
        let custom = self.custom(&self.fields.deal, &deal.custom);
        let from = ("deals", id(DEAL, deal.id));
        self.put("deals", from.1, (deal.added, deal.updated), properties, custom);
        for &place in deal.person.iter().chain(&deal.participants) {
            self.link(from, ("contacts", id(CONTACT, self.books.persons[place].id)), &[3]);
        }
        if let Some(place) = deal.organization {
            self.link(from, ("companies", id(COMPANY, self.books.organizations[place].id)), &[341, 5]);
        }
    }

    /// Links an entry of the timeline; `types` are those to contact, company and deal.
    fn hang(&mut self, from: (&str, u64), parents: &Parents, types: [u64; 3]) {
        let books = self.books;
        if let Some(place) = parents.person {
            self.link(from, ("contacts", id(CONTACT, books.persons[place].id)), &types[..1]);
        }
        if let Some(place) = parents.organization {
            self.link(from, ("companies", id(COMPANY, books.organizations[place].id)), &types[1..2]);
        }
        if let Some(place) = parents.deal {
            self.link(from, ("deals", id(DEAL, books.deals[place].id)), &types[2..]);
        }
    }

    fn note(&mut self, note: &Note) {
        let properties = Properties::from([
            ("hs_timestamp", millis(note.added)),
            ("hs_note_body", shortened(&note.content)),
            ("hubspot_owner_id", owner(note.user)),
        ]);
        let from = ("notes", id(NOTE, note.id));
        self.put("notes", from.1, (note.added, note.updated), properties, Vec::new());
        self.hang(from, &note.parents, [202, 190, 214]);
    }

    fn email(&mut self, mail: &Mail) {
        let properties = mails::in_hubspot(mail, self.books, owner(mail.user));
        let from = ("emails", id(EMAIL, mail.id));
        self.put("emails", from.1, (mail.at, mail.at), properties, Vec::new());
        for place in mail.person.into_iter().chain(mail.colleague) {
            self.link(from, ("contacts", id(CONTACT, self.books.persons[place].id)), &[198]);
        }
        if let Some(place) = mail.deal {
            self.link(from, ("deals", id(DEAL, self.books.deals[place].id)), &[210]);
        }
    }

    fn activity(&mut self, activity: &Activity) {
        let due = activity.due + activity.due_time.unwrap_or(0);
        let mut properties =
            Properties::from([("hubspot_owner_id", owner(activity.owner)), ("hs_timestamp", millis(due))]);
        let body = activity.note.clone();
        let (object, kind, types) = match activity.kind {
            "call" => ("calls", CALL, [194, 182, 206]),
            "meeting" | "lunch" => ("meetings", MEETING, [200, 188, 212]),
            _ => ("tasks", TASK, [204, 192, 216]),
        };
        match object {
            "calls" => {
                let status = if activity.done.is_some() { "COMPLETED" } else { "QUEUED" };
                properties.extend([
                    ("hs_call_title", activity.subject.clone()),
                    ("hs_call_direction", "OUTBOUND".to_owned()),
                    ("hs_call_status", status.to_owned()),
                ]);
                properties.extend(activity.minutes.map(|minutes| ("hs_call_duration", (minutes * 60_000).to_string())));
                properties.extend(body.map(|body| ("hs_call_body", body)));
            }
            "meetings" => {
                let outcome = if activity.done.is_some() { "COMPLETED" } else { "SCHEDULED" };
                properties.extend([
                    ("hs_meeting_title", activity.subject.clone()),
                    ("hs_meeting_start_time", millis(due)),
                    ("hs_meeting_end_time", millis(due + activity.minutes.unwrap_or(60) * 60)),
                    ("hs_meeting_outcome", outcome.to_owned()),
                ]);
                properties.extend(activity.location.as_ref().map(|address| ("hs_meeting_location", address.line())));
                properties.extend(body.map(|body| ("hs_internal_meeting_notes", body)));
                properties.extend(activity.public_description.clone().map(|text| ("hs_meeting_body", text)));
            }
            _ => {
                let status = if activity.done.is_some() { "COMPLETED" } else { "NOT_STARTED" };
                let kind = if activity.kind == "email" { "EMAIL" } else { "TODO" };
                let priority = if activity.kind == "deadline" { "HIGH" } else { "NONE" };
                properties.extend([
                    ("hs_task_subject", activity.subject.clone()),
                    ("hs_task_status", status.to_owned()),
                    ("hs_task_type", kind.to_owned()),
                    ("hs_task_priority", priority.to_owned()),
                ]);
                properties.extend(body.map(|body| ("hs_task_body", body)));
            }
        }
        let from = (object, id(kind, activity.id));
        self.put(object, from.1, (activity.added, activity.updated), properties, Vec::new());
        self.hang(from, &activity.parents, types);
        for &place in &activity.participants {
            self.link(from, ("contacts", id(CONTACT, self.books.persons[place].id)), &types[..1]);
        }
    }

    /// The file, and the note that attaches it (sheet: HubSpot section 2.7 \[doc\]).
    fn file(&mut self, file: &super::records::File) {
        let stored = id(FILE, file.id);
        self.files.push(json!({"id": stored, "name": file.name, "access": "PRIVATE", "folder": "/crm",
            "created_at": file.added * 1_000, "updated_at": file.added * 1_000,
            "content_base64": STANDARD.encode(&file.bytes)}));
        let properties = Properties::from([
            ("hs_timestamp", millis(file.added)),
            ("hs_note_body", format!("<p>{}</p>", file.name)),
            ("hs_attachment_ids", stored.to_string()),
            ("hubspot_owner_id", owner(file.user)),
        ]);
        let mut parents = file.parents;
        // Activities cannot carry notes: their files hang on what the activity hangs on.
        if let Some(place) = parents.activity {
            parents = self.books.activities[place].parents;
        }
        let from = ("notes", id(NOTE_OF_FILE, file.id));
        self.put("notes", from.1, (file.added, file.added), properties, Vec::new());
        self.hang(from, &parents, [202, 190, 214]);
    }
}

fn owner(user: u64) -> String {
    owner_of(user).unwrap_or(DEPARTED_OWNER).to_string()
}

/// The paragraphs that fit into a note.
fn shortened(content: &str) -> String {
    let mut kept = String::new();
    for paragraph in content.split_inclusive("</p>") {
        if kept.chars().count() + paragraph.chars().count() > LONGEST_NOTE {
            break;
        }
        kept.push_str(paragraph);
    }
    kept
}
