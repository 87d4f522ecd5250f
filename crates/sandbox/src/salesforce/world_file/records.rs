//! The records of a world file, completed as far as the file leaves things out.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::shape::WorldFile;
use super::{WorldError, read_id, wrong};
use crate::salesforce::derive;
use crate::salesforce::instant;
use crate::salesforce::rules::DuplicateHeader;
use crate::salesforce::schema::{Kind, Object};
use crate::salesforce::world::{Binned, Record, World, text};
use crate::salesforce::write::Writer;

/// When records were made that do not say it.
const BEGINNING: &str = "2026-01-01T00:00:00.000+0000";

/// Objects in whose order records are completed: what others look at comes first.
const ORDER: [&str; 20] = [
    "Organization",
    "Profile",
    "User",
    "Group",
    "RecordType",
    "CurrencyType",
    "OpportunityStage",
    "LeadStatus",
    "CaseStatus",
    "TaskStatus",
    "Account",
    "Contact",
    "Campaign",
    "CampaignMemberStatus",
    "Lead",
    "Product2",
    "Pricebook2",
    "PricebookEntry",
    "Opportunity",
    "Case",
];

/// Loads the records and what lies in the bin.
pub(super) fn load(world: &mut World, file: &WorldFile) -> Result<(), WorldError> {
    let mut given = file.records.clone();
    for (object, rows) in standard(world) {
        given.entry(object).or_insert(rows);
    }
    for name in given.keys() {
        if world.schema.object(name).is_none_or(|object| object.name != *name) {
            return Err(wrong(format!("records: there is no object {name}")));
        }
    }
    let order: Vec<String> = ORDER.iter().map(|name| (*name).to_owned()).chain(given.keys().cloned()).collect();
    let mut made: Vec<(String, String)> = Vec::new();
    for name in order {
        let Some(object) = world.schema.object(&name).cloned() else { continue };
        for row in given.remove(&name).unwrap_or_default() {
            let id = raw(world, &object, &row)?;
            made.push((name.clone(), id));
        }
    }
    for (id, binned) in &file.bin {
        let binned = binned.clone();
        let binned = Binned { object: binned.object, at: binned.at, root: binned.root, cleared: binned.cleared };
        world.set_bin(id, Some(binned));
    }
    world.gone.clone_from(&file.gone);
    let owner = world.rows("User").next().map(|(id, _)| id.clone()).unwrap_or_default();
    for (name, id) in made {
        complete(world, &name, &id, &owner, file.complete)?;
    }
    Ok(())
}

/// A row as the file has it.
fn raw(world: &mut World, object: &Object, row: &Map<String, Json>) -> Result<String, WorldError> {
    let mut record = Record::new();
    for (key, value) in row.iter().filter(|(_, value)| !value.is_null()) {
        let field = object.any_field(key).filter(|field| field.name == *key);
        let field = field.ok_or_else(|| wrong(format!("{}: there is no field {key}", object.name)))?;
        let value = match (field.kind, value) {
            (Kind::Datetime, Json::String(text)) => {
                let at = instant::read(text).ok_or_else(|| wrong(format!("{}.{key} is no time", object.name)))?;
                json!(instant::stamp(at))
            }
            (kind, Json::String(text)) if kind.is_id() => json!(read_id(text)?),
            (_, other) => other.clone(),
        };
        record.insert(key.clone(), value);
    }
    let id = match record.get("Id").and_then(Json::as_str) {
        Some(id) => id.to_owned(),
        None => world.mint(&object.prefix),
    };
    if !id.starts_with(&object.prefix) || world.get(&object.name, &id).is_some() {
        return Err(wrong(format!("{}: the id {id} has another prefix or is there twice", object.name)));
    }
    record.insert("Id".to_owned(), json!(id));
    world.put(&object.name, &id, Some(record));
    Ok(id)
}

/// Fills in what the file leaves out, and what Salesforce works out.
fn complete(world: &mut World, name: &str, id: &str, owner: &str, whole: bool) -> Result<(), WorldError> {
    let Some(object) = world.schema.object(name).cloned() else { return Ok(()) };
    let Some(mut record) = world.get(name, id).cloned() else { return Ok(()) };
    let given: Vec<String> = record.keys().cloned().collect();
    let mut fill = |field: &str, value: Json| {
        record.entry(field.to_owned()).or_insert(value);
    };
    for field in &object.fields {
        if let Some(default) = field.default.clone() {
            fill(&field.name, default);
        }
    }
    fill("IsDeleted", json!(false));
    fill("CreatedDate", json!(BEGINNING));
    fill("CreatedById", json!(owner));
    if object.any_field("OwnerId").is_some_and(|field| field.defaulted) {
        fill("OwnerId", json!(owner));
    }
    let created = record.get("CreatedDate").cloned().unwrap_or_default();
    record.entry("LastModifiedDate".to_owned()).or_insert(created);
    let modified = record.get("LastModifiedDate").cloned().unwrap_or_default();
    record.entry("SystemModstamp".to_owned()).or_insert(modified);
    let by = record.get("CreatedById").cloned().unwrap_or_default();
    record.entry("LastModifiedById".to_owned()).or_insert(by);
    if whole {
        world.put(name, id, Some(record));
        return Ok(());
    }
    let at = instant::read(text(&record, "LastModifiedDate")).unwrap_or(0);
    let by = Writer { user: owner.to_owned(), at, duplicates: DuplicateHeader::default(), system: true };
    let refused = |fault: crate::salesforce::refusal::Fault| wrong(format!("{name} {id}: {}", fault.message));
    derive::before(world, &object, &mut record, None, &given, &by).map_err(refused)?;
    for field in object.fields.iter().filter(|field| field.unique) {
        let Some(value) = record.get(&field.name) else { continue };
        if world.live_by_value(name, field, value).iter().any(|other| other != id) {
            return Err(wrong(format!("{name}.{}: a value is there twice", field.name)));
        }
    }
    // What the file says of its own accord stays, also where Salesforce would say otherwise.
    if let Some(before) = world.get(name, id).cloned() {
        record.extend(before);
    }
    world.put(name, id, Some(record));
    derive::after(world, &object, id, None, &by).map_err(refused)
}

type Rows = BTreeMap<String, Vec<Map<String, Json>>>;

/// What a new organization has.
fn standard(world: &World) -> Rows {
    let org = &world.org;
    let mut rows = Rows::new();
    let mut add = |object: &str, row: Json| {
        if let Json::Object(row) = row {
            rows.entry(object.to_owned()).or_default().push(row);
        }
    };
    add("Profile", json!({"Name": "System Administrator"}));
    add(
        "User",
        json!({"Username": "admin@sandbox.example", "FirstName": "Ada", "LastName": "Admin", "Alias": "aadmi",
            "Email": "admin@sandbox.example", "IsActive": true, "TimeZoneSidKey": org.time_zone,
            "LocaleSidKey": org.locale, "LanguageLocaleKey": org.locale, "EmailEncodingKey": "UTF-8"}),
    );
    add(
        "Organization",
        json!({"Id": org.id, "Name": org.name, "OrganizationType": org.edition, "IsSandbox": org.sandbox,
            "InstanceName": org.instance, "DefaultLocaleSidKey": org.locale, "TimeZoneSidKey": org.time_zone,
            "LanguageLocaleKey": org.locale, "FiscalYearStartMonth": 1}),
    );
    stages(&mut add);
    statuses(&mut add);
    add("Pricebook2", json!({"Name": "Standard Price Book", "IsActive": true, "IsStandard": true}));
    if org.multi_currency {
        add(
            "CurrencyType",
            json!({"IsoCode": "USD", "ConversionRate": 1.0, "DecimalPlaces": 2, "IsActive": true,
            "IsCorporate": true}),
        );
    }
    rows
}

/// The stages of a new organization.
fn stages(add: &mut impl FnMut(&str, Json)) {
    // Sheet: section 3 [fixture] for the names; probabilities and categories are those of a new organization.
    for (order, (label, percent, category, closed, won)) in [
        ("Prospecting", 10, "Pipeline", false, false),
        ("Qualification", 10, "Pipeline", false, false),
        ("Needs Analysis", 20, "Pipeline", false, false),
        ("Value Proposition", 50, "Pipeline", false, false),
        ("Id. Decision Makers", 60, "Pipeline", false, false),
        ("Perception Analysis", 70, "Pipeline", false, false),
        ("Proposal/Price Quote", 75, "Pipeline", false, false),
        ("Negotiation/Review", 90, "Pipeline", false, false),
        ("Closed Won", 100, "Closed", true, true),
        ("Closed Lost", 0, "Omitted", true, false),
    ]
    .into_iter()
    .enumerate()
    {
        add(
            "OpportunityStage",
            json!({"MasterLabel": label, "ApiName": label, "IsActive": true, "SortOrder": order + 1,
                "IsClosed": closed, "IsWon": won, "DefaultProbability": percent, "ForecastCategory": category,
                "ForecastCategoryName": category}),
        );
    }
}

/// The statuses of leads, cases and tasks.
fn statuses(add: &mut impl FnMut(&str, Json)) {
    for (object, mark, values) in [
        (
            "LeadStatus",
            "IsConverted",
            vec![
                ("Open - Not Contacted", false),
                ("Working - Contacted", false),
                ("Closed - Converted", true),
                ("Closed - Not Converted", false),
            ],
        ),
        ("CaseStatus", "IsClosed", vec![("New", false), ("Working", false), ("Escalated", false), ("Closed", true)]),
        (
            "TaskStatus",
            "IsClosed",
            vec![
                ("Not Started", false),
                ("In Progress", false),
                ("Completed", true),
                ("Waiting on someone else", false),
                ("Deferred", false),
            ],
        ),
    ] {
        for (order, (label, marked)) in values.into_iter().enumerate() {
            add(
                object,
                json!({"MasterLabel": label, "ApiName": label, "SortOrder": order + 1,
                "IsDefault": order == 0, mark: marked}),
            );
        }
    }
}
