//! The HubSpot portal that the company moves to: it already knows some of the people.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::account::{CURRENCIES, PIPELINES, SELLERS, owner_of};
use super::calendar::{DAY, END, millis, moment};
use super::dice::Dice;
use super::facts::{Facts, Finding, Match};
use super::phones::{Exchange, Number};
use super::records::{Books, Organization, Person, Role};
use super::scale::Scale;
use super::words::{self, CULTURES};

/// HubSpot's portal id of the sample.
const PORTAL: u64 = 145_208_733;

/// The custom property in which an older integration kept Pipedrive's person id; not unique.
pub(super) const EXTERNAL_ID: &str = "pipedrive_person_id";

/// The portal without records: account, token, owners, pipelines, properties, workflows.
pub(super) fn account(seed: u64, stages: fn(&super::account::Stage) -> bool) -> Map<String, Json> {
    let mut dice = Dice::new(seed, "hubspot account");
    let token = format!("pat-eu1-{}-{}-{}-{}-{}", dice.hex(8), dice.hex(4), dice.hex(4), dice.hex(4), dice.hex(12));
    let mut world = Map::new();
    let mut set = |key: &str, value: Json| world.insert(key.to_owned(), value);
    set("platform", json!("hubspot"));
    set(
        "account",
        json!({"portalId": PORTAL, "timeZone": "Europe/Berlin", "companyCurrency": CURRENCIES[0],
            "additionalCurrencies": CURRENCIES[1..], "tier": "professional", "uiDomain": "app-eu1.hubspot.com"}),
    );
    set("settings", json!({}));
    set("tokens", json!([{"token": token, "scopes": "all", "app": 3_104_977}]));
    let owner = |id: u64, email: &str, first: &str, last: &str, archived: bool| {
        json!({"id": id.to_string(), "email": email, "firstName": first, "lastName": last, "userId": id + 5_000_000,
            "archived": archived})
    };
    let mut owners: Vec<Json> = SELLERS
        .iter()
        .filter_map(|seller| seller.owner.map(|(email, id)| owner(id, email, seller.first, seller.last, false)))
        .collect();
    owners.push(owner(71_000_201, "milan.horvat@handwerk-nord.example", "Milan", "Horvat", false));
    owners.push(owner(71_000_202, "sofie.winther@handwerk-nord.example", "Sofie", "Winther", true));
    set("owners", Json::Array(owners));
    set(
        "pipelines",
        json!({"deals": PIPELINES.iter().enumerate().map(|(order, one)| pipeline(order, one, stages)).collect::<Json>()}),
    );
    set("properties", json!({"contacts": contact_properties()}));
    set("files", json!([]));
    set(
        "workflows",
        json!([
            {"id": "500101", "name": "Welcome mail to new contacts", "type": "CONTACT_FLOW", "enabled": true},
            {"id": "500102", "name": "Assign new deals round robin", "type": "DEAL_FLOW", "enabled": true},
            {"id": "500103", "name": "Notify support when a deal is won", "type": "DEAL_FLOW", "enabled": true},
        ]),
    );
    world
}

fn pipeline(order: usize, pipeline: &super::account::Pipeline, stages: fn(&super::account::Stage) -> bool) -> Json {
    let stage = |order: usize, id: &str, label: &str, closed: bool, probability: String| {
        json!({"id": id, "label": label, "displayOrder": order,
            "metadata": {"isClosed": closed.to_string(), "probability": probability}})
    };
    let mut all: Vec<Json> = Vec::new();
    for one in pipeline.stages.iter().filter(|one| stages(one)) {
        let own = (one.name, own_stage_id(one.id));
        let (label, id) = one.counterpart.map_or((own.0, own.1.as_str()), |pair| pair);
        all.push(stage(all.len(), id, label, false, format!("{:.2}", f64::from(one.probability) / 100.0)));
    }
    all.push(stage(all.len(), pipeline.won, "Closed won", true, "1.0".to_owned()));
    all.push(stage(all.len(), pipeline.lost, "Closed lost", true, "0.0".to_owned()));
    json!({"id": pipeline.hubspot_id, "label": pipeline.label, "displayOrder": order, "stages": all})
}

/// The id of a stage that only a portal which grew up with the company has.
pub(super) fn own_stage_id(stage: u64) -> String {
    (1_184_520_500 + stage).to_string()
}

/// One custom property; options are values, their labels follow from them.
pub(super) fn property(group: &str, name: &str, label: &str, kind: (&str, &str), options: &[(String, String)]) -> Json {
    let options: Vec<Json> = options
        .iter()
        .enumerate()
        .map(|(order, (value, label))| json!({"label": label, "value": value, "displayOrder": order, "hidden": false}))
        .collect();
    json!({"groupName": group, "name": name, "label": label, "type": kind.0, "fieldType": kind.1, "options": options,
        "hasUniqueValue": false})
}

fn contact_properties() -> Json {
    let option = |value: &str, label: &str| (value.to_owned(), label.to_owned());
    let group = "contactinformation";
    json!([
        property(group, EXTERNAL_ID, "Pipedrive person id", ("string", "text"), &[]),
        property(
            group,
            "preferred_language",
            "Preferred language",
            ("enumeration", "select"),
            &[option("de", "German"), option("en", "English"), option("fr", "French"), option("other", "Other")],
        ),
        property(group, "last_fair_visit", "Last fair visit", ("date", "date"), &[]),
        property(group, "newsletter_score", "Newsletter score", ("number", "number"), &[]),
    ])
}

/// One record of an object list.
pub(super) fn record(id: u64, created: i64, updated: i64, properties: BTreeMap<&str, String>) -> Json {
    let properties: Map<String, Json> =
        properties.into_iter().map(|(name, value)| (name.to_owned(), Json::String(value))).collect();
    let mut record = Map::new();
    record.insert("id".to_owned(), Json::String(id.to_string()));
    record.insert("properties".to_owned(), Json::Object(properties));
    record.insert("createdAt".to_owned(), Json::String(millis(created)));
    record.insert("updatedAt".to_owned(), Json::String(millis(updated)));
    Json::Object(record)
}

/// The portal with the people it knows; what they are goes into `facts`.
pub(super) fn world(seed: u64, scale: &Scale, exchange: &mut Exchange, books: &Books, facts: &mut Facts) -> Json {
    let mut world = account(seed, |stage| stage.counterpart.is_some());
    let mut desk = Desk {
        dice: Dice::new(seed, "portal"),
        exchange,
        contacts: Vec::new(),
        next: 51_000_000_101,
        companies: BTreeMap::new(),
        links: Vec::new(),
    };
    let companies = desk.companies(scale, books, facts);
    let mut places: Vec<usize> = (0..books.persons.len()).collect();
    desk.dice.shuffle(&mut places);
    for place in places {
        desk.meet(&books.persons[place], facts);
    }
    world.insert("objects".to_owned(), json!({"contacts": desk.contacts, "companies": companies}));
    world.insert("associations".to_owned(), Json::Array(desk.links));
    Json::Object(world)
}

/// Pairs of organization place and company name that the portal shares are settled before names are
/// made odd, so that both sides agree.
pub(super) fn shared_places(scale: &Scale, organizations: &[Organization]) -> Vec<usize> {
    let fit = |place: &usize| !organizations[*place].deleted && organizations[*place].website.is_some();
    (0..organizations.len()).filter(fit).take(scale.shared_companies).collect()
}

/// The portal's records in the making.
struct Desk<'a> {
    dice: Dice,
    exchange: &'a mut Exchange,
    contacts: Vec<Json>,
    next: u64,
    /// Company ids by the place of the organization.
    companies: BTreeMap<usize, u64>,
    links: Vec<Json>,
}

/// A contact before it has an id.
struct Draft {
    properties: BTreeMap<&'static str, String>,
    differs: Vec<String>,
}

impl Draft {
    fn differ(&mut self, property: &'static str, value: Option<String>) {
        match value {
            Some(value) => self.properties.insert(property, value),
            None => self.properties.remove(property),
        };
        self.differs.push(property.to_owned());
    }
}

impl Desk<'_> {
    fn next_id(&mut self) -> u64 {
        self.next += self.dice.between(1, 400) as u64;
        self.next
    }

    fn companies(&mut self, scale: &Scale, books: &Books, facts: &mut Facts) -> Vec<Json> {
        let mut companies = Vec::new();
        for place in shared_places(scale, &books.organizations) {
            let organization = &books.organizations[place];
            let id = self.next_id();
            self.companies.insert(place, id);
            facts.shared_companies.push((organization.id, id.to_string()));
            let city = organization.address.as_ref().map(|address| address.locality.to_owned());
            let mut properties = BTreeMap::from([
                ("name", organization.name.clone()),
                ("domain", organization.domain.clone()),
                ("hubspot_owner_id", owner_of(organization.owner).unwrap_or_default().to_string()),
            ]);
            properties.extend(city.map(|city| ("city", city)));
            companies.push(self.company(id, properties));
        }
        for count in companies.len()..scale.portal_companies {
            let id = self.next_id();
            let stem = self.dice.word(CULTURES[0].stems);
            let name = format!("{} Ventures {}", stem.native, count + 1);
            let domain = format!("{}-ventures-{}.test", words::slug(stem.latin, '-'), count + 1);
            companies.push(self.company(id, BTreeMap::from([("name", name), ("domain", domain)])));
        }
        companies
    }

    fn company(&mut self, id: u64, properties: BTreeMap<&'static str, String>) -> Json {
        let created = moment(&mut self.dice, END - 900 * DAY, END - 200 * DAY);
        let updated = moment(&mut self.dice, created, END);
        record(id, created, updated, properties)
    }

    /// Writes the contacts that the person finds in the portal, if any.
    fn meet(&mut self, person: &Person, facts: &mut Facts) {
        match person.role {
            Role::ByEmail => facts.matches.push(self.by_email(person)),
            Role::ByPhone => {
                let drafts = vec![self.by_phone(person, 1)];
                facts.matches.push(self.file(person, drafts, Finding::Phone));
            }
            Role::ByExternalId => {
                let drafts = vec![self.by_external_id(person)];
                facts.matches.push(self.file(person, drafts, Finding::ExternalId));
            }
            Role::SamePhoneTwice => {
                let mut drafts = vec![self.by_phone(person, 1), self.by_phone(person, 2)];
                if self.dice.chance(40) {
                    let other = self.other_email(person);
                    drafts[1].differ("email", Some(other));
                }
                facts.ambiguous.push(self.file(person, drafts, Finding::SamePhoneTwice));
            }
            Role::SameExternalIdTwice => {
                let drafts = vec![self.by_external_id(person), self.by_external_id(person)];
                facts.ambiguous.push(self.file(person, drafts, Finding::SameExternalIdTwice));
            }
            Role::EmailAgainstPhone => {
                let mut by_email = self.draft(person);
                by_email.properties.insert("email", person.emails[0].value.to_ascii_lowercase());
                by_email.properties.remove("phone");
                let mut by_phone = self.by_phone(person, 1);
                let stranger = self.dice.word(CULTURES[1].firsts).native;
                by_phone.differ("firstname", Some(stranger.to_owned()));
                facts.contradicting.push(self.file(person, vec![by_email, by_phone], Finding::EmailAgainstPhone));
            }
            Role::NearMiss => {
                let mut draft = self.draft(person);
                let (email, phone) = (self.other_email(person), self.other_phone(person));
                draft.differ("email", Some(email));
                draft.differ("phone", Some(phone));
                facts.near_misses.push(self.file(person, vec![draft], Finding::SameNameOnly));
            }
            _ => {}
        }
    }

    /// What the portal would know if it agreed with Pipedrive, without e-mail address and number.
    fn draft(&mut self, person: &Person) -> Draft {
        let mut properties = BTreeMap::from([
            ("firstname", person.given.to_owned()),
            ("lastname", person.family.to_owned()),
            ("lifecyclestage", self.dice.pick(&["lead", "marketingqualifiedlead", "customer"]).to_owned()),
        ]);
        properties.extend(person.position.map(|position| ("jobtitle", position.to_owned())));
        if self.dice.chance(60) {
            properties.extend(owner_of(person.owner).map(|owner| ("hubspot_owner_id", owner.to_string())));
        }
        if self.dice.chance(40) {
            properties.insert("preferred_language", self.dice.pick(&["de", "en", "fr", "other"]).to_owned());
        }
        Draft { properties, differs: Vec::new() }
    }

    fn by_email(&mut self, person: &Person) -> Match {
        let mut draft = self.draft(person);
        let address = &person.emails[0].value;
        let mut finding = Finding::Email;
        match self.dice.below(10) {
            0 => {
                let other = self.other_email(person);
                draft.differ("email", Some(other));
                draft.properties.insert("hs_additional_emails", address.to_ascii_lowercase());
                finding = Finding::AdditionalEmail;
            }
            1..=5 => draft.differ("email", Some(other_case(address))),
            _ => {
                draft.properties.insert("email", address.clone());
            }
        }
        match &person.number {
            Some(number) if self.dice.chance(50) => {
                let form = number.known_form(self.dice.below(5));
                if person.phones.first().is_some_and(|line| line.value == form) {
                    draft.properties.insert("phone", form);
                } else {
                    draft.differ("phone", Some(form));
                }
            }
            Some(_) if self.dice.chance(50) => draft.differ("phone", None),
            Some(_) => {
                let phone = self.other_phone(person);
                draft.differ("phone", Some(phone));
            }
            None if self.dice.chance(30) => {
                let phone = self.other_phone(person);
                draft.differ("phone", Some(phone));
            }
            None => {}
        }
        if self.dice.chance(22) {
            let newer = self.dice.entry(words::POSITIONS, ';');
            if Some(newer) != person.position {
                draft.differ("jobtitle", Some(newer.to_owned()));
            }
        }
        if self.dice.chance(6) {
            let family = self.dice.word(person.culture.lasts).native;
            if family != person.family {
                draft.differ("lastname", Some(family.to_owned()));
            }
        }
        self.file(person, vec![draft], finding)
    }

    /// A contact without e-mail whose number is the person's in another form: `step` forms further.
    fn by_phone(&mut self, person: &Person, step: usize) -> Draft {
        let mut draft = self.draft(person);
        let written = person.number.as_ref().map(|number: &Number| number.known_form(person.form + step));
        draft.differ("phone", written);
        draft.differs.retain(|property| property == "phone");
        draft
    }

    fn by_external_id(&mut self, person: &Person) -> Draft {
        let mut draft = self.draft(person);
        let email = self.other_email(person);
        draft.differ("email", Some(email));
        draft.properties.insert(EXTERNAL_ID, person.id.to_string());
        draft
    }

    /// An address that no person of the source has.
    fn other_email(&mut self, person: &Person) -> String {
        let serial = self.next_id() % 10_000_000;
        format!("{}.{serial}@mail.test", words::slug(&person.latin, '.'))
    }

    fn other_phone(&mut self, person: &Person) -> String {
        let number = self.exchange.number(&mut self.dice, person.culture.code);
        number.known_form(self.dice.below(5))
    }

    /// Gives ids and times, and links to the company where the portal has it.
    fn file(&mut self, person: &Person, drafts: Vec<Draft>, finding: Finding) -> Match {
        let mut found = Match { person: person.id, contacts: Vec::new(), finding, differs: Vec::new() };
        for draft in drafts {
            let id = self.next_id();
            let created = moment(&mut self.dice, END - 900 * DAY, END - 200 * DAY);
            // Some of the portal's versions are newer than Pipedrive's, some older.
            let updated = moment(&mut self.dice, created, END);
            self.contacts.push(record(id, created, updated, draft.properties));
            found.contacts.push(id.to_string());
            found.differs.extend(draft.differs);
            let company = person.organization.and_then(|place| self.companies.get(&place));
            if let (Some(company), true) = (company, finding != Finding::SameNameOnly) {
                self.links.push(json!({"fromType": "contacts", "fromId": id.to_string(), "toType": "companies",
                    "toId": company.to_string(),
                    "types": [{"category": "HUBSPOT_DEFINED", "typeId": 279}, {"category": "HUBSPOT_DEFINED", "typeId": 1}]}));
            }
        }
        found.differs.sort();
        found.differs.dedup();
        found
    }
}

/// The same address in another case.
fn other_case(address: &str) -> String {
    let lower = address.to_ascii_lowercase();
    if lower == *address {
        let mut letters = lower.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
    } else {
        lower
    }
}
