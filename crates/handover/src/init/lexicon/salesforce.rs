//! Salesforce (sheet: Salesforce sections 2, 3 and 5).

mod cases;
mod products;

use super::terms::{
    CASE_ALONE, CASE_BESIDE, COMPANY, ENDS, FIRST_NAME, LAST_NAME, LEAD_ALONE, ORGANIZATION_ALONE, ORGANIZATION_BESIDE,
    PERSON_ALONE, STATUS, SUBJECT,
};
use super::{
    Concept, Funnel, Lexicon, Made, Make, OF_DEALS, Own, RECORDS, Scope, Thing, choice, choice_else, expr, make, take,
    tell, thing, told, value, with,
};

const STREET: &str = "concat([{street}, {street2}], \"\\n\")";
const NOTE_TITLE: &str = "coalesce([{title}, truncate(replace({text}, \"\\n\", \" \"), 80), \"Note\"])";
const SECONDS: &str = "if is_blank({milliseconds}) { null } else { round!(({milliseconds} / 1000) ?? 0) }";
const FILE_PATH: &str = "coalesce([{file_name}, {title}])";

const LATITUDE: &str = "a position on a map: the address says it";
const VIEWED: &str = "when a user of Salesforce last looked at it";

pub(super) const LEXICON: Lexicon = Lexicon {
    title: "Salesforce",
    lacks: &[],
    points_to: &RECORDS,
    things: &[
        ACCOUNTS,
        CONTACTS,
        LEADS,
        OPPORTUNITIES,
        products::PRODUCTS,
        products::LINES,
        cases::CASES,
        CALLS,
        EVENTS,
        TASKS,
        NOTES,
        OLD_NOTES,
        FILES,
    ],
    made: Some(&MADE),
};

const MADE: Made = Made {
    // A package puts its own name before: `npsp__Payment__c`.
    bare: |name| {
        let name = name.strip_suffix("__c").unwrap_or(name);
        name.split_once("__").map_or(name, |(_, own)| own)
    },
    thing: Thing {
        own_fields: Own::Unique,
        tells: &[
            tell("owner", &["OwnerId"]),
            tell("currency", &["CurrencyIsoCode"]),
            tell("created_at", &["CreatedDate"]),
            tell("created_by", &["CreatedById"]),
        ],
        takes: &[
            take("OwnerId", &["owner"]),
            take("CurrencyIsoCode", &["currency"]),
            take("CreatedDate", &["created_at"]),
        ],
        left: &[("LastViewedDate", VIEWED), ("LastReferencedDate", VIEWED)],
        ..thing(Concept::Made, "", "")
    },
};

const ACCOUNTS: Thing = Thing {
    own_fields: Own::Unique,
    keys: &[("domain", "site", &["Website"]), ("text", "name", &["Name"])],
    tells: &[
        tell("name", &["Name"]),
        tell("website", &["Website"]),
        tell("owner", &["OwnerId"]),
        tell("phone", &["Phone"]),
        tell("fax", &["Fax"]),
        tell("revenue", &["AnnualRevenue"]),
        tell("employees", &["NumberOfEmployees"]),
        tell("industry", &["Industry"]),
        tell("description", &["Description"]),
        tell("street", &["BillingStreet"]),
        tell("city", &["BillingCity"]),
        tell("region", &["BillingState"]),
        tell("postal_code", &["BillingPostalCode"]),
        tell("country", &["BillingCountry"]),
        tell("parent", &["ParentId"]),
        tell("category", &["Type"]),
        tell("rating", &["Rating"]),
        tell("number", &["AccountNumber"]),
        tell("lead_source", &["AccountSource"]),
        tell("shipping_street", &["ShippingStreet"]),
        tell("shipping_city", &["ShippingCity"]),
        tell("shipping_region", &["ShippingState"]),
        tell("shipping_postal_code", &["ShippingPostalCode"]),
        tell("shipping_country", &["ShippingCountry"]),
        tell("created_at", &["CreatedDate"]),
        tell("created_by", &["CreatedById"]),
    ],
    takes: &[
        expr("Name", &["name", "domain"], "coalesce([{name}, {domain}])"),
        take("Website", &["website", "domain"]),
        take("OwnerId", &["owner"]),
        take("Phone", &["phone"]),
        take("Fax", &["fax"]),
        take("AnnualRevenue", &["revenue"]),
        take("NumberOfEmployees", &["employees"]),
        choice("Industry", "industry", "industries"),
        take("Description", &["description"]),
        expr("BillingStreet", &["street"], STREET),
        take("BillingCity", &["city"]),
        take("BillingState", &["region"]),
        take("BillingPostalCode", &["postal_code"]),
        take("BillingCountry", &["country"]),
        with("ParentId", &["parent"], "later: true"),
        take("AccountNumber", &["number"]),
        take("CreatedDate", &["created_at"]),
    ],
    left: &[
        ("BillingLatitude", LATITUDE),
        ("BillingLongitude", LATITUDE),
        ("BillingGeocodeAccuracy", LATITUDE),
        ("ShippingLatitude", LATITUDE),
        ("ShippingLongitude", LATITUDE),
        ("ShippingGeocodeAccuracy", LATITUDE),
        ("LastViewedDate", VIEWED),
        ("LastReferencedDate", VIEWED),
    ],
    ..thing(Concept::Organization, "Account", "accounts")
};

/// Contacts and leads, as far as the platform calls the same things the same.
macro_rules! people {
    (address: [$street:literal, $city:literal, $region:literal, $code:literal, $country:literal], tells: [$($tell:expr),* $(,)?], takes: [$($take:expr),* $(,)?], $($rest:tt)*) => {
        Thing {
            own_fields: Own::Unique,
            keys: &[("email", "emails", &["Email"]), ("phone", "phones", &["Phone", "MobilePhone"])],
            tells: &[
                tell("first_name", &["FirstName"]),
                tell("last_name", &["LastName"]),
                tell("name", &["Name"]),
                tell("salutation", &["Salutation"]),
                tell("email", &["Email"]),
                tell("phone", &["Phone"]),
                tell("mobile", &["MobilePhone"]),
                told("phones", &["Phone", "MobilePhone"], "split(concat([.Phone, .MobilePhone], \";\"), \";\")"),
                tell("fax", &["Fax"]),
                tell("owner", &["OwnerId"]),
                $($tell,)*
                tell("job_title", &["Title"]),
                tell("street", &[$street]),
                tell("city", &[$city]),
                tell("region", &[$region]),
                tell("postal_code", &[$code]),
                tell("country", &[$country]),
                tell("lead_source", &["LeadSource"]),
                tell("description", &["Description"]),
                tell("created_at", &["CreatedDate"]),
            ],
            takes: &[
                expr("LastName", &["last_name", "name"], LAST_NAME),
                expr("FirstName", &["first_name"], FIRST_NAME),
                choice("Salutation", "salutation", "salutations"),
                take("Email", &["email"]),
                take("Phone", &["phone"]),
                take("MobilePhone", &["mobile"]),
                take("Fax", &["fax"]),
                take("OwnerId", &["owner"]),
                $($take,)*
                take("Title", &["job_title"]),
                expr($street, &["street"], STREET),
                take($city, &["city"]),
                take($region, &["region"]),
                take($code, &["postal_code"]),
                take($country, &["country"]),
                take("Description", &["description"]),
                take("CreatedDate", &["created_at"]),
            ],
            $($rest)*
        }
    };
}

const CONTACTS: Thing = people! {
    address: ["MailingStreet", "MailingCity", "MailingState", "MailingPostalCode", "MailingCountry"],
    tells: [
        tell("home_phone", &["HomePhone"]),
        tell("other_phone", &["OtherPhone"]),
        tell("organization", &["AccountId"]),
        tell("manager", &["ReportsToId"]),
        tell("department", &["Department"]),
        tell("birthday", &["Birthdate"]),
    ],
    takes: [
        take("HomePhone", &["home_phone"]),
        take("AccountId", &["organization"]),
        with("ReportsToId", &["manager"], "later: true"),
        take("Department", &["department"]),
        take("Birthdate", &["birthday"]),
    ],
    about: "Add `region: DE` (your country) to the phone key if numbers are kept without a country code.",
    back: &[
        take("FirstName", &["given_name", "first_name"]),
        take("LastName", &["family_name", "last_name"]),
        take("Email", &["email"]),
        take("Phone", &["phone"]),
        take("MobilePhone", &["mobile"]),
    ],
    left: &[
        ("MailingLatitude", LATITUDE),
        ("MailingLongitude", LATITUDE),
        ("MailingGeocodeAccuracy", LATITUDE),
        ("OtherLatitude", LATITUDE),
        ("OtherLongitude", LATITUDE),
        ("OtherGeocodeAccuracy", LATITUDE),
        ("LastViewedDate", VIEWED),
        ("LastReferencedDate", VIEWED),
    ],
    ..thing(Concept::Person, "Contact", "contacts")
};

const LEADS: Thing = people! {
    address: ["Street", "City", "State", "PostalCode", "Country"],
    tells: [
        tell("company", &["Company"]),
        tell("website", &["Website"]),
        tell("lead_status", &["Status"]),
        tell("rating", &["Rating"]),
        tell("industry", &["Industry"]),
        tell("revenue", &["AnnualRevenue"]),
        tell("employees", &["NumberOfEmployees"]),
    ],
    takes: [
        expr("Company", &["company"], COMPANY),
        take("Website", &["website"]),
        choice_else("Status", "lead_status", "lead_statuses", "Open - Not Contacted"),
        choice("Rating", "rating", "lead_ratings"),
        choice("Industry", "industry", "industries"),
        take("AnnualRevenue", &["revenue"]),
        take("NumberOfEmployees", &["employees"]),
    ],
    about: "Leads that were converted stay behind: they live on as the accounts, contacts and opportunities they became.",
    scope: Scope::Where(".IsConverted != true"),
    left: &[
        ("Latitude", LATITUDE),
        ("Longitude", LATITUDE),
        ("GeocodeAccuracy", LATITUDE),
        ("LastViewedDate", VIEWED),
        ("LastReferencedDate", VIEWED),
        ("IsUnreadByOwner", "whether its owner has looked at it in Salesforce"),
    ],
    ..thing(Concept::Lead, "Lead", "leads")
};

const OPPORTUNITIES: Thing = Thing {
    about: "Salesforce has one list of stages, of which some are closed: translations/deal_stages.csv says which stage is which.",
    own_fields: Own::Unique,
    tells: &[
        tell("title", &["Name"]),
        tell("amount", &["Amount"]),
        tell("currency", &["CurrencyIsoCode"]),
        tell("close", &["CloseDate"]),
        tell("owner", &["OwnerId"]),
        tell("organization", &["AccountId"]),
        tell("persons", &["OpportunityContactRoles"]),
        tell("probability", &["Probability"]),
        tell("description", &["Description"]),
        tell("deal_type", &["Type"]),
        tell("next_step", &["NextStep"]),
        tell("lead_source", &["LeadSource"]),
        tell("created_at", &["CreatedDate"]),
        tell("created_by", &["CreatedById"]),
    ],
    takes: &[
        take("Name", &["title"]),
        take("Amount", &["amount"]),
        take("CurrencyIsoCode", &["currency"]),
        make("StageName", Make::Stage),
        take("CloseDate", &["close", "created_at"]),
        take("OwnerId", &["owner"]),
        take("AccountId", &["organization"]),
        take("ContactId", &["person"]),
        with("OpportunityContactRoles", &["persons"], "later: true"),
        take("Description", &["description"]),
        take("NextStep", &["next_step"]),
        take("CreatedDate", &["created_at"]),
    ],
    funnel: Some(Funnel { tables: &OF_DEALS, pipeline: "", stage: "StageName", status: None }),
    left: &[
        ("ContactId", "the contact roles say it"),
        ("ForecastCategoryName", "it follows the stage"),
        ("LastStageChangeDate", "Salesforce's own record of it"),
        ("LastViewedDate", VIEWED),
        ("LastReferencedDate", VIEWED),
    ],
    ..thing(Concept::Deal, "Opportunity", "opportunities")
};

macro_rules! activity {
    (tells: [$($tell:expr),* $(,)?], takes: [$($take:expr),* $(,)?], $($rest:tt)*) => {
        Thing {
            tells: &[
                tell("title", &["Subject"]),
                tell("text", &["Description"]),
                tell("owner", &["OwnerId"]),
                tell("deal", &["WhatId.Opportunity"]),
                tell("organization", &["WhatId.Account"]),
                tell("person", &["WhoId.Contact"]),
                tell("lead", &["WhoId.Lead"]),
                tell("case", &["WhatId.Case"]),
                tell("created_at", &["CreatedDate"]),
                $($tell,)*
            ],
            takes: &[
                expr("Subject", &["title", "text"], SUBJECT),
                take("Description", &["text"]),
                take("OwnerId", &["owner"]),
                take("WhatId.Opportunity", &["deal"]),
                expr("WhatId.Account", &["organization"], ORGANIZATION_BESIDE),
                expr("WhatId.Case", &["case"], CASE_BESIDE),
                take("WhoId.Contact", &["person"]),
                expr("WhoId.Lead", &["lead"], LEAD_ALONE),
                take("CreatedDate", &["created_at"]),
                $($take,)*
            ],
            left: &[("WhoId", "the link itself says it"), ("WhatId", "the link itself says it"), ("AccountId", "it follows the other links")],
            $($rest)*
        }
    };
}

const CALLS: Thing = activity! {
    tells: [
        tell("starts", &["ActivityDate"]),
        tell("done", &["IsClosed"]),
        told("milliseconds", &["CallDurationInSeconds"], "(.CallDurationInSeconds * 1000) ?? null"),
        tell("priority", &["Priority"]),
    ],
    takes: [
        value("TaskSubtype", "Call"),
        take("ActivityDate", &["day", "starts"]),
        expr("Status", &["done"], STATUS),
        expr("CallDurationInSeconds", &["milliseconds"], SECONDS),
        choice_else("Priority", "priority", "task_priorities", "Normal"),
    ],
    scope: Scope::Where(".TaskSubtype == \"Call\""),
    ..thing(Concept::Call, "Task", "calls")
};

const EVENTS: Thing = activity! {
    tells: [
        tell("starts", &["StartDateTime", "ActivityDateTime", "ActivityDate"]),
        tell("clock", &["StartDateTime", "ActivityDateTime"]),
        tell("ends", &["EndDateTime"]),
        tell("location", &["Location"]),
    ],
    takes: [
        take("StartDateTime", &["starts"]),
        expr("EndDateTime", &["ends", "starts"], ENDS),
        take("EndDateTime", &["starts"]),
        take("Location", &["location"]),
    ],
    ..thing(Concept::Meeting, "Event", "events")
};

const TASKS: Thing = activity! {
    tells: [
        tell("starts", &["ActivityDate"]),
        tell("done", &["IsClosed"]),
        tell("priority", &["Priority"]),
        tell("done_at", &["CompletedDateTime"]),
    ],
    takes: [
        take("ActivityDate", &["day", "starts"]),
        expr("Status", &["done"], STATUS),
        choice_else("Priority", "priority", "task_priorities", "Normal"),
    ],
    scope: Scope::Where(".TaskSubtype != \"Call\""),
    ..thing(Concept::Task, "Task", "tasks")
};

const NOTES: Thing = Thing {
    tells: &[
        tell("title", &["Title"]),
        tell("text", &["Content"]),
        tell("author", &["OwnerId"]),
        tell("created_at", &["CreatedDate"]),
        tell("deals", &["LinkedEntityId.Opportunity"]),
        tell("persons", &["LinkedEntityId.Contact"]),
        tell("organizations", &["LinkedEntityId.Account"]),
        tell("leads", &["LinkedEntityId.Lead"]),
        tell("cases", &["LinkedEntityId.Case"]),
    ],
    takes: &[
        expr("Title", &["text"], NOTE_TITLE),
        make("Content", Make::Dated("CreatedDate")),
        take("OwnerId", &["author"]),
        take("CreatedDate", &["created_at"]),
        take("LinkedEntityId.Opportunity", &["deals"]),
        take("LinkedEntityId.Contact", &["persons"]),
        take("LinkedEntityId.Account", &["organizations"]),
        take("LinkedEntityId.Lead", &["leads"]),
        take("LinkedEntityId.Case", &["cases"]),
    ],
    left: &[("LatestPublishedVersionId", "the note itself")],
    ..thing(Concept::Note, "ContentNote", "notes")
};

/// Organizations without the newer notes have these, of which each hangs on one record.
const OLD_NOTES: Thing = Thing {
    tells: &[
        tell("title", &["Title"]),
        tell("text", &["Body"]),
        tell("author", &["OwnerId"]),
        tell("created_at", &["CreatedDate"]),
        tell("deal", &["ParentId.Opportunity"]),
        tell("person", &["ParentId.Contact"]),
        tell("organization", &["ParentId.Account"]),
        tell("lead", &["ParentId.Lead"]),
    ],
    takes: &[
        expr("Title", &["text"], NOTE_TITLE),
        make("Body", Make::Dated("CreatedDate")),
        take("OwnerId", &["author"]),
        take("CreatedDate", &["created_at"]),
        take("ParentId.Opportunity", &["deal"]),
        expr("ParentId.Contact", &["person"], PERSON_ALONE),
        expr("ParentId.Account", &["organization"], ORGANIZATION_ALONE),
        expr("ParentId.Lead", &["lead"], LEAD_ALONE),
    ],
    left: &[("ParentId", "the link itself says it")],
    hangs: true,
    ..thing(Concept::Note, "Note", "notes")
};

const FILES: Thing = Thing {
    about: "A file hangs on the record at which it was first published.",
    tells: &[
        tell("title", &["Title"]),
        tell("file_name", &["PathOnClient", "Title"]),
        tell("description", &["Description"]),
        tell("author", &["OwnerId"]),
        tell("created_at", &["CreatedDate"]),
        tell("deal", &["FirstPublishLocationId.Opportunity"]),
        tell("person", &["FirstPublishLocationId.Contact"]),
        tell("organization", &["FirstPublishLocationId.Account"]),
        tell("lead", &["FirstPublishLocationId.Lead"]),
        tell("case", &["FirstPublishLocationId.Case"]),
    ],
    takes: &[
        take("Title", &["title", "file_name"]),
        expr("PathOnClient", &["file_name", "title"], FILE_PATH),
        take("Description", &["description"]),
        take("OwnerId", &["author"]),
        take("CreatedDate", &["created_at"]),
        take("FirstPublishLocationId.Opportunity", &["deal"]),
        expr("FirstPublishLocationId.Contact", &["person"], PERSON_ALONE),
        expr("FirstPublishLocationId.Account", &["organization"], ORGANIZATION_ALONE),
        expr("FirstPublishLocationId.Lead", &["lead"], LEAD_ALONE),
        expr("FirstPublishLocationId.Case", &["case"], CASE_ALONE),
    ],
    left: &[("FirstPublishLocationId", "the link itself says it")],
    ..thing(Concept::File, "ContentVersion", "files")
};
