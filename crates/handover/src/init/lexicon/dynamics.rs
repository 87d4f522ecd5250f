//! Dynamics 365 (sheet: Dynamics sections 2, 5 and 9).

use super::terms::{CASE_ALONE, ENDS, FIRST_NAME, LAST_NAME, LEAD_ALONE, ORGANIZATION_ALONE, PERSON_ALONE, TEXT};
use super::{
    Concept, Funnel, Lack, Lexicon, Made, Make, OF_CASES, OF_DEALS, Own, RECORDS, Scope, Thing, choice, choice_else,
    expr, make, take, tell, thing, told, with,
};

const SUBJECT: &str = "truncate(coalesce([{title}, {text}]), 200)";
/// The customer of an opportunity is one: the account, else the person.
const CUSTOMER: &str = "if is_blank({organization}) { {person} } else { null }";
const STATE: &str = "if {done} == true { \"1\" } else { \"0\" }";
const MINUTES: &str = "if is_blank({milliseconds}) { null } else { round!(({milliseconds} / 60000) ?? 0) }";
const MILLISECONDS: &str = "(.actualdurationminutes * 60000) ?? null";
const CLOSED: &str = "if {won} { {closed} } else if {lost} { {closed} } else { null }";
/// What the platform itself makes of a deal that is lost.
const ACTUAL: &str = "if {won} { {amount} } else if {lost} { 0 } else { null }";
const DONE: &str = ".statecode == \"1\"";

/// What a lead is about, where nobody says it.
const TOPIC: &str = "coalesce([{topic}, {company}, {name}])";

const LINK: &str = "the link itself says it";
const PARTS: &str = "the parts of the address say it";
const COUNTED: &str = "Dynamics counts it";

pub(super) const LEXICON: Lexicon = Lexicon {
    title: "Dynamics 365",
    lacks: &[Lack::Html, Lack::Time, Lack::User],
    points_to: &RECORDS,
    things: &[ACCOUNTS, CONTACTS, LEADS, OPPORTUNITIES, CASES, CALLS, APPOINTMENTS, TASKS, NOTES, FILES],
    made: Some(&MADE),
};

const MADE: Made = Made {
    // The publisher's prefix stands before.
    bare: |name| name.split_once('_').map_or(name, |(_, own)| own),
    thing: Thing {
        own_fields: Own::Unique,
        tells: &[
            tell("owner", &["ownerid"]),
            tell("currency", &["transactioncurrencyid"]),
            tell("created_at", &["createdon"]),
            tell("created_by", &["createdby"]),
        ],
        takes: &[
            take("ownerid", &["owner"]),
            take("transactioncurrencyid", &["currency"]),
            take("createdon", &["created_at"]),
        ],
        ..thing(Concept::Made, "", "")
    },
};

const ACCOUNTS: Thing = Thing {
    own_fields: Own::Unique,
    keys: &[("domain", "site", &["websiteurl"]), ("text", "name", &["name"])],
    tells: &[
        tell("name", &["name"]),
        tell("website", &["websiteurl"]),
        tell("owner", &["ownerid"]),
        tell("phone", &["telephone1"]),
        tell("other_phone", &["telephone2"]),
        tell("fax", &["fax"]),
        tell("email", &["emailaddress1"]),
        tell("revenue", &["revenue"]),
        tell("employees", &["numberofemployees"]),
        tell("industry", &["industrycode"]),
        tell("description", &["description"]),
        tell("street", &["address1_line1"]),
        tell("street2", &["address1_line2"]),
        tell("city", &["address1_city"]),
        tell("region", &["address1_stateorprovince"]),
        tell("postal_code", &["address1_postalcode"]),
        tell("country", &["address1_country"]),
        tell("parent", &["parentaccountid"]),
        tell("category", &["customertypecode"]),
        tell("number", &["accountnumber"]),
        tell("shipping_street", &["address2_line1"]),
        tell("shipping_city", &["address2_city"]),
        tell("shipping_region", &["address2_stateorprovince"]),
        tell("shipping_postal_code", &["address2_postalcode"]),
        tell("shipping_country", &["address2_country"]),
        tell("created_at", &["createdon"]),
        tell("created_by", &["createdby"]),
    ],
    takes: &[
        expr("name", &["name", "domain"], "coalesce([{name}, {domain}])"),
        take("name", &["name"]),
        take("websiteurl", &["website", "domain"]),
        take("ownerid", &["owner"]),
        take("telephone1", &["phone"]),
        take("telephone2", &["other_phone"]),
        take("fax", &["fax"]),
        take("revenue", &["revenue"]),
        take("numberofemployees", &["employees"]),
        choice("industrycode", "industry", "industries"),
        take("description", &["description"]),
        take("address1_line1", &["street"]),
        take("address1_line2", &["street2"]),
        take("address1_city", &["city"]),
        take("address1_stateorprovince", &["region"]),
        take("address1_postalcode", &["postal_code"]),
        take("address1_country", &["country"]),
        with("parentaccountid", &["parent"], "later: true"),
        take("accountnumber", &["number"]),
        take("address2_line1", &["shipping_street"]),
        take("address2_city", &["shipping_city"]),
        take("address2_stateorprovince", &["shipping_region"]),
        take("address2_postalcode", &["shipping_postal_code"]),
        take("address2_country", &["shipping_country"]),
        take("createdon", &["created_at"]),
    ],
    left: &[("address1_composite", PARTS), ("address2_composite", PARTS)],
    ..thing(Concept::Organization, "account", "accounts")
};

/// Contacts and leads, as far as the platform calls the same things the same.
macro_rules! people {
    (tells: [$($tell:expr),* $(,)?], takes: [$($take:expr),* $(,)?], $($rest:tt)*) => {
        Thing {
            own_fields: Own::Unique,
            keys: &[
                ("email", "emails", &["emailaddress1", "emailaddress2", "emailaddress3"]),
                ("phone", "phones", &["telephone1", "mobilephone"]),
            ],
            tells: &[
                tell("first_name", &["firstname"]),
                tell("last_name", &["lastname"]),
                tell("name", &["fullname"]),
                tell("salutation", &["salutation"]),
                tell("email", &["emailaddress1"]),
                tell("second_email", &["emailaddress2"]),
                tell("third_email", &["emailaddress3"]),
                told(
                    "emails",
                    &["emailaddress1", "emailaddress2", "emailaddress3"],
                    "split(concat([.emailaddress1, .emailaddress2, .emailaddress3], \";\"), \";\")",
                ),
                tell("phone", &["telephone1"]),
                tell("mobile", &["mobilephone"]),
                told("phones", &["telephone1", "mobilephone"], "split(concat([.telephone1, .mobilephone], \";\"), \";\")"),
                tell("home_phone", &["telephone2"]),
                tell("other_phone", &["telephone3"]),
                tell("fax", &["fax"]),
                tell("website", &["websiteurl"]),
                tell("owner", &["ownerid"]),
                $($tell,)*
                tell("job_title", &["jobtitle"]),
                tell("street", &["address1_line1"]),
                tell("street2", &["address1_line2"]),
                tell("city", &["address1_city"]),
                tell("region", &["address1_stateorprovince"]),
                tell("postal_code", &["address1_postalcode"]),
                tell("country", &["address1_country"]),
                tell("description", &["description"]),
                tell("created_at", &["createdon"]),
                tell("created_by", &["createdby"]),
            ],
            takes: &[
                expr("lastname", &["last_name", "name"], LAST_NAME),
                expr("firstname", &["first_name"], FIRST_NAME),
                take("salutation", &["salutation"]),
                take("emailaddress1", &["email"]),
                take("emailaddress2", &["second_email"]),
                take("emailaddress3", &["third_email"]),
                take("telephone1", &["phone"]),
                take("mobilephone", &["mobile"]),
                take("telephone2", &["home_phone"]),
                take("telephone3", &["other_phone"]),
                take("fax", &["fax"]),
                take("websiteurl", &["website"]),
                take("ownerid", &["owner"]),
                $($take,)*
                take("jobtitle", &["job_title"]),
                take("address1_line1", &["street"]),
                take("address1_line2", &["street2"]),
                take("address1_city", &["city"]),
                take("address1_stateorprovince", &["region"]),
                take("address1_postalcode", &["postal_code"]),
                take("address1_country", &["country"]),
                take("description", &["description"]),
                take("createdon", &["created_at"]),
            ],
            $($rest)*
        }
    };
}

const CONTACTS: Thing = people! {
    tells: [
        tell("organization", &["parentcustomerid.account"]),
        tell("department", &["department"]),
        tell("birthday", &["birthdate"]),
    ],
    takes: [
        take("parentcustomerid.account", &["organization"]),
        take("department", &["department"]),
        take("birthdate", &["birthday", "date_of_birth"]),
    ],
    about: "Add `region: DE` (your country) to the phone key if numbers are kept without a country code.",
    back: &[
        take("firstname", &["given_name", "first_name"]),
        take("lastname", &["family_name", "last_name"]),
        take("emailaddress1", &["email"]),
        take("telephone1", &["phone"]),
        take("mobilephone", &["mobile"]),
    ],
    left: &[
        ("parentcustomerid", LINK),
        ("address1_composite", PARTS),
        ("address2_composite", PARTS),
    ],
    ..thing(Concept::Person, "contact", "contacts")
};

const LEADS: Thing = people! {
    tells: [
        tell("topic", &["subject"]),
        tell("company", &["companyname"]),
        tell("lead_status", &["statuscode"]),
        tell("lead_source", &["leadsourcecode"]),
        tell("rating", &["leadqualitycode"]),
        tell("industry", &["industrycode"]),
        tell("revenue", &["revenue"]),
        tell("employees", &["numberofemployees"]),
    ],
    takes: [
        expr("subject", &["name"], TOPIC),
        take("companyname", &["company"]),
        choice("statuscode", "lead_status", "lead_statuses"),
        choice("leadqualitycode", "rating", "lead_ratings"),
        choice("industrycode", "industry", "industries"),
        take("revenue", &["revenue"]),
        take("numberofemployees", &["employees"]),
    ],
    about: "Leads that were qualified stay behind: they live on as the accounts, contacts and opportunities they became.",
    scope: Scope::Where(".statecode != \"1\""),
    left: &[
        ("statecode", "the status says it"),
        ("customerid", LINK),
        ("address1_composite", PARTS),
        ("address2_composite", PARTS),
    ],
    ..thing(Concept::Lead, "lead", "leads")
};

const OPPORTUNITIES: Thing = Thing {
    about: "Dynamics has one list of stages for all opportunities. Its further persons are connections, which are not moved.",
    own_fields: Own::Unique,
    tells: &[
        tell("title", &["name"]),
        tell("amount", &["estimatedvalue"]),
        tell("actual_value", &["actualvalue"]),
        tell("currency", &["transactioncurrencyid"]),
        tell("close", &["actualclosedate", "estimatedclosedate"]),
        tell("closed", &["actualclosedate"]),
        tell("expected_close", &["estimatedclosedate"]),
        tell("status_reason", &["statuscode"]),
        tell("owner", &["ownerid"]),
        tell("organization", &["parentaccountid", "customerid.account"]),
        tell("person", &["parentcontactid", "customerid.contact"]),
        tell("probability", &["closeprobability"]),
        tell("description", &["description"]),
        tell("rating", &["opportunityratingcode"]),
        tell("created_at", &["createdon"]),
        tell("created_by", &["createdby"]),
    ],
    takes: &[
        take("name", &["title"]),
        take("estimatedvalue", &["amount"]),
        make("actualvalue", Make::Ending(ACTUAL, "")),
        take("transactioncurrencyid", &["currency"]),
        make("salesstage", Make::Stage),
        make("statecode", Make::Status),
        take("estimatedclosedate", &["expected_close", "close"]),
        make("actualclosedate", Make::Ending(CLOSED, "")),
        take("ownerid", &["owner"]),
        take("parentaccountid", &["organization"]),
        take("parentcontactid", &["person"]),
        take("customerid.account", &["organization"]),
        expr("customerid.contact", &["person"], CUSTOMER),
        take("closeprobability", &["probability"]),
        take("description", &["description"]),
        take("createdon", &["created_at"]),
    ],
    funnel: Some(Funnel {
        tables: &OF_DEALS,
        pipeline: "",
        stage: "salesstage",
        status: Some(("statecode", ["0", "1", "2"])),
    }),
    left: &[
        ("customerid", LINK),
        ("totalamount", COUNTED),
        ("totallineitemamount", COUNTED),
        ("stepname", "the stage says it"),
    ],
    ..thing(Concept::Deal, "opportunity", "opportunities")
};

const CASES: Thing = Thing {
    about: "A case of Dynamics is an account's or a contact's: one that is nobody's is held. translations/case_stages.csv says which status is which.",
    own_fields: Own::Unique,
    used_with: "incident",
    tells: &[
        tell("title", &["title"]),
        tell("text", &["description"]),
        tell("priority", &["prioritycode"]),
        tell("origin", &["caseorigincode"]),
        tell("case_type", &["casetypecode"]),
        tell("case_number", &["ticketnumber"]),
        tell("owner", &["ownerid"]),
        tell("organization", &["customerid.account"]),
        tell("person", &["primarycontactid", "customerid.contact"]),
        tell("parent", &["parentcaseid"]),
        tell("created_at", &["createdon"]),
        tell("created_by", &["createdby"]),
    ],
    takes: &[
        expr("title", &["title", "text"], SUBJECT),
        take("description", &["text"]),
        make("statuscode", Make::Stage),
        choice_else("prioritycode", "priority", "case_priorities", "Normal"),
        choice("caseorigincode", "origin", "case_origins"),
        choice("casetypecode", "case_type", "case_types"),
        take("ownerid", &["owner"]),
        take("customerid.account", &["organization"]),
        expr("customerid.contact", &["person"], CUSTOMER),
        take("primarycontactid", &["person"]),
        with("parentcaseid", &["parent"], "later: true"),
        take("createdon", &["created_at"]),
    ],
    funnel: Some(Funnel { tables: &OF_CASES, pipeline: "", stage: "statuscode", status: None }),
    left: &[("statecode", "the status says it"), ("customerid", LINK)],
    ..thing(Concept::Case, "incident", "cases")
};

macro_rules! activity {
    (tells: [$($tell:expr),* $(,)?], takes: [$($take:expr),* $(,)?], $($rest:tt)*) => {
        Thing {
            tells: &[
                tell("title", &["subject"]),
                tell("text", &["description"]),
                tell("owner", &["ownerid"]),
                tell("deal", &["regardingobjectid.opportunity"]),
                tell("organization", &["regardingobjectid.account"]),
                tell("lead", &["regardingobjectid.lead"]),
                tell("case", &["regardingobjectid.incident"]),
                told("done", &["statecode"], DONE),
                tell("priority", &["prioritycode"]),
                tell("created_at", &["createdon"]),
                tell("created_by", &["createdby"]),
                $($tell,)*
            ],
            takes: &[
                expr("subject", &["title", "text"], SUBJECT),
                $($take,)*
                take("description", &["text"]),
                take("ownerid", &["owner"]),
                expr("statecode", &["done"], STATE),
                choice_else("prioritycode", "priority", "task_priorities", "Normal"),
                take("regardingobjectid.opportunity", &["deal"]),
                expr("regardingobjectid.contact", &["person"], PERSON_ALONE),
                expr("regardingobjectid.account", &["organization"], ORGANIZATION_ALONE),
                expr("regardingobjectid.lead", &["lead"], LEAD_ALONE),
                expr("regardingobjectid.incident", &["case"], CASE_ALONE),
                take("createdon", &["created_at"]),
            ],
            about: "An activity of Dynamics is about one record: the deal, else the person, else the account.",
            own_fields: Own::Plain,
            left: &[
                ("regardingobjectid", LINK),
                ("statuscode", "the state says it"),
                ("scheduleddurationminutes", COUNTED),
                ("activitytypecode", "the flow itself says it"),
            ],
            $($rest)*
        }
    };
}

const CALLS: Thing = activity! {
    tells: [
        tell("starts", &["scheduledstart", "scheduledend"]),
        tell("ends", &["scheduledend"]),
        told("milliseconds", &["actualdurationminutes"], MILLISECONDS),
        tell("done_at", &["actualend"]),
        tell("person", &["regardingobjectid.contact"]),
        tell("persons", &["regardingobjectid.contact", "to.contact"]),
    ],
    takes: [
        take("scheduledstart", &["starts"]),
        expr("scheduledend", &["ends", "starts"], ENDS),
        take("scheduledend", &["starts"]),
        expr("actualdurationminutes", &["milliseconds"], MINUTES),
        with("actualend", &["done_at"], "recalculated: Dynamics 365 sets it where it is blank"),
        expr("description", &["text", "location"], TEXT),
    ],
    ..thing(Concept::Call, "phonecall", "calls")
};

const APPOINTMENTS: Thing = activity! {
    tells: [
        tell("starts", &["scheduledstart"]),
        tell("ends", &["scheduledend"]),
        tell("location", &["location"]),
        tell("done_at", &["actualend"]),
        tell("person", &["regardingobjectid.contact"]),
        tell("persons", &["regardingobjectid.contact", "requiredattendees.contact", "optionalattendees.contact"]),
    ],
    takes: [
        take("scheduledstart", &["starts"]),
        expr("scheduledend", &["ends", "starts"], ENDS),
        take("scheduledend", &["starts"]),
        with("actualend", &["done_at"], "recalculated: Dynamics 365 sets it where it is blank"),
        take("location", &["location"]),
    ],
    ..thing(Concept::Meeting, "appointment", "appointments")
};

const TASKS: Thing = activity! {
    tells: [
        tell("starts", &["scheduledend", "scheduledstart"]),
        tell("done_at", &["actualend"]),
        tell("person", &["regardingobjectid.contact"]),
    ],
    takes: [
        take("scheduledend", &["starts", "day"]),
        with("actualend", &["done_at"], "recalculated: Dynamics 365 sets it where it is blank"),
        expr("description", &["text", "location"], TEXT),
    ],
    ..thing(Concept::Task, "task", "tasks")
};

const NOTES: Thing = Thing {
    about: "A note hangs on one record.",
    tells: &[
        tell("title", &["subject"]),
        tell("text", &["notetext"]),
        tell("author", &["ownerid"]),
        tell("created_at", &["createdon"]),
        tell("deal", &["objectid.opportunity"]),
        tell("person", &["objectid.contact"]),
        tell("organization", &["objectid.account"]),
        tell("lead", &["objectid.lead"]),
        tell("case", &["objectid.incident"]),
    ],
    takes: &[
        take("subject", &["title"]),
        make("notetext", Make::Dated("createdon")),
        take("ownerid", &["author"]),
        take("createdon", &["created_at"]),
        take("objectid.opportunity", &["deal"]),
        expr("objectid.contact", &["person"], PERSON_ALONE),
        expr("objectid.account", &["organization"], ORGANIZATION_ALONE),
        expr("objectid.lead", &["lead"], LEAD_ALONE),
        expr("objectid.incident", &["case"], CASE_ALONE),
    ],
    left: &[("objectid", LINK)],
    ..thing(Concept::Note, "annotation", "notes")
};

const FILES: Thing = Thing {
    tells: &[
        tell("title", &["filename"]),
        told("description", &["subject", "notetext"], "concat([.subject, .notetext], \"\\n\")"),
        tell("author", &["ownerid"]),
        tell("created_at", &["createdon"]),
        tell("deal", &["objectid.opportunity"]),
        tell("person", &["objectid.contact"]),
        tell("organization", &["objectid.account"]),
        tell("lead", &["objectid.lead"]),
        tell("case", &["objectid.incident"]),
    ],
    takes: &[
        take("filename", &["file_name", "title"]),
        take("notetext", &["description"]),
        take("ownerid", &["author"]),
        take("createdon", &["created_at"]),
        take("objectid.opportunity", &["deal"]),
        expr("objectid.contact", &["person"], PERSON_ALONE),
        expr("objectid.account", &["organization"], ORGANIZATION_ALONE),
        expr("objectid.lead", &["lead"], LEAD_ALONE),
        expr("objectid.incident", &["case"], CASE_ALONE),
    ],
    left: &[("objectid", LINK)],
    ..thing(Concept::File, "annotation.document", "files")
};
