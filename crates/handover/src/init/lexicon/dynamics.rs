//! Dynamics 365 (sheet: Dynamics sections 2, 5 and 9).

use super::{
    Concept, Funnel, Lack, Lexicon, Make, Own, Scope, Thing, choice, choice_else, expr, make, step, take, tell, told,
    with,
};

const LAST_NAME: &str = "coalesce([{last_name}, {name}, {email}])";
const FIRST_NAME: &str = "if is_blank({last_name}) { null } else { {first_name} }";
const SUBJECT: &str = "truncate(coalesce([{title}, {text}]), 200)";
const TEXT: &str = "concat([{text}, {location}], \"\\n\")";
/// Activities and notes are about one record: the deal, else the person, else the account.
const PERSON_ALONE: &str = "if is_blank({deal}) { {person} } else { null }";
const ACCOUNT_ALONE: &str = "if is_blank({deal}) && is_blank({person}) { {organization} } else { null }";
/// The customer of an opportunity is one: the account, else the person.
const CUSTOMER: &str = "if is_blank({organization}) { {person} } else { null }";
const STATE: &str = "if {done} == true { \"1\" } else { \"0\" }";
const ENDS: &str = "coalesce([{ends}, {starts}])";
const MINUTES: &str = "if is_blank({milliseconds}) { null } else { round!(({milliseconds} / 60000) ?? 0) }";
const MILLISECONDS: &str = "(.actualdurationminutes * 60000) ?? null";
const CLOSED: &str = "if {won} { {closed} } else if {lost} { {closed} } else { null }";
/// What the platform itself makes of a deal that is lost.
const ACTUAL: &str = "if {won} { {amount} } else if {lost} { 0 } else { null }";
const DONE: &str = ".statecode == \"1\"";

const LINK: &str = "the link itself says it";
const COUNTED: &str = "Dynamics counts it";

pub(super) const LEXICON: Lexicon = Lexicon {
    title: "Dynamics 365",
    lacks: &[Lack::Html, Lack::Time, Lack::User],
    things: &[ACCOUNTS, CONTACTS, OPPORTUNITIES, CALLS, APPOINTMENTS, TASKS, NOTES, FILES],
};

const ACCOUNTS: Thing = Thing {
    concept: Concept::Organization,
    object: "account",
    flow: "accounts",
    about: "",
    scope: Scope::All,
    opt_in: "",
    own_fields: Own::Unique,
    keys: &[("domain", "site", &["websiteurl"]), ("text", "name", &["name"])],
    tells: &[
        tell("name", &["name"]),
        tell("website", &["websiteurl"]),
        tell("site", &["websiteurl"]),
        step("domain", &["websiteurl"], "domain"),
        tell("owner", &["ownerid"]),
        tell("phone", &["telephone1"]).kept("Phone"),
        tell("other_phone", &["telephone2"]).kept("Other phone"),
        tell("fax", &["fax"]).kept("Fax"),
        tell("email", &["emailaddress1"]).kept("E-mail address"),
        tell("revenue", &["revenue"]).kept("Annual revenue"),
        tell("employees", &["numberofemployees"]).kept("Number of employees"),
        tell("industry", &["industrycode"]).kept("Industry"),
        tell("description", &["description"]).kept("Description"),
        tell("street", &["address1_line1"]).kept("Street"),
        tell("street2", &["address1_line2"]).kept("Street, second line"),
        tell("city", &["address1_city"]).kept("City"),
        tell("region", &["address1_stateorprovince"]).kept("State/Region"),
        tell("postal_code", &["address1_postalcode"]).kept("Postal code"),
        tell("country", &["address1_country"]).kept("Country"),
        tell("parent", &["parentaccountid"]),
        tell("category", &["customertypecode"]).kept("Type of account"),
        tell("number", &["accountnumber"]).kept("Account number"),
        tell("shipping_street", &["address2_line1"]).kept("Shipping street"),
        tell("shipping_city", &["address2_city"]).kept("Shipping city"),
        tell("shipping_region", &["address2_stateorprovince"]).kept("Shipping state"),
        tell("shipping_postal_code", &["address2_postalcode"]).kept("Shipping postal code"),
        tell("shipping_country", &["address2_country"]).kept("Shipping country"),
        tell("created_at", &["createdon"]).kept("Created (before the move)"),
        tell("created_by", &["createdby"]).kept("Created by (before the move)"),
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
    back: &[],
    funnel: None,
    left: &[
        ("address1_composite", "the parts of the address say it"),
        ("address2_composite", "the parts of the address say it"),
    ],
};

const CONTACTS: Thing = Thing {
    concept: Concept::Person,
    object: "contact",
    flow: "contacts",
    about: "Add `region: DE` (your country) to the phone key if numbers are kept without a country code.",
    scope: Scope::All,
    opt_in: "",
    own_fields: Own::Unique,
    keys: &[
        ("email", "emails", &["emailaddress1", "emailaddress2", "emailaddress3"]),
        ("phone", "phones", &["telephone1", "mobilephone"]),
    ],
    tells: &[
        tell("first_name", &["firstname"]),
        tell("last_name", &["lastname"]),
        tell("name", &["fullname"]),
        tell("salutation", &["salutation"]).kept("Salutation"),
        tell("email", &["emailaddress1"]),
        tell("second_email", &["emailaddress2"]).kept("Second e-mail address"),
        tell("third_email", &["emailaddress3"]).kept("Third e-mail address"),
        told(
            "emails",
            &["emailaddress1", "emailaddress2", "emailaddress3"],
            "split(concat([.emailaddress1, .emailaddress2, .emailaddress3], \";\"), \";\")",
        ),
        tell("phone", &["telephone1"]),
        tell("mobile", &["mobilephone"]).kept("Mobile phone"),
        told("phones", &["telephone1", "mobilephone"], "split(concat([.telephone1, .mobilephone], \";\"), \";\")"),
        tell("home_phone", &["telephone2"]).kept("Home phone"),
        tell("other_phone", &["telephone3"]).kept("Other phone"),
        tell("fax", &["fax"]).kept("Fax"),
        tell("website", &["websiteurl"]).kept("Website"),
        tell("owner", &["ownerid"]),
        tell("organization", &["parentcustomerid.account"]),
        tell("organizations", &["parentcustomerid.account"]),
        tell("job_title", &["jobtitle"]).kept("Job title"),
        tell("department", &["department"]).kept("Department"),
        tell("birthday", &["birthdate"]).kept("Birthday"),
        tell("street", &["address1_line1"]).kept("Street"),
        tell("street2", &["address1_line2"]).kept("Street, second line"),
        tell("city", &["address1_city"]).kept("City"),
        tell("region", &["address1_stateorprovince"]).kept("State/Region"),
        tell("postal_code", &["address1_postalcode"]).kept("Postal code"),
        tell("country", &["address1_country"]).kept("Country"),
        tell("description", &["description"]).kept("Description"),
        tell("created_at", &["createdon"]).kept("Created (before the move)"),
        tell("created_by", &["createdby"]).kept("Created by (before the move)"),
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
        take("parentcustomerid.account", &["organization"]),
        take("jobtitle", &["job_title"]),
        take("department", &["department"]),
        take("birthdate", &["birthday", "date_of_birth"]),
        take("address1_line1", &["street"]),
        take("address1_line2", &["street2"]),
        take("address1_city", &["city"]),
        take("address1_stateorprovince", &["region"]),
        take("address1_postalcode", &["postal_code"]),
        take("address1_country", &["country"]),
        take("description", &["description"]),
        take("createdon", &["created_at"]),
    ],
    back: &[
        take("firstname", &["given_name", "first_name"]),
        take("lastname", &["family_name", "last_name"]),
        take("emailaddress1", &["email"]),
        take("telephone1", &["phone"]),
        take("mobilephone", &["mobile"]),
    ],
    funnel: None,
    left: &[
        ("parentcustomerid", LINK),
        ("address1_composite", "the parts of the address say it"),
        ("address2_composite", "the parts of the address say it"),
    ],
};

const OPPORTUNITIES: Thing = Thing {
    concept: Concept::Deal,
    object: "opportunity",
    flow: "opportunities",
    about: "Dynamics has one list of stages for all opportunities. Its further persons are connections, which are not moved.",
    scope: Scope::All,
    opt_in: "",
    own_fields: Own::Unique,
    keys: &[],
    tells: &[
        tell("stage", &["salesstage"]),
        tell("title", &["name"]),
        tell("amount", &["estimatedvalue"]),
        tell("actual_value", &["actualvalue"]).kept("Actual revenue"),
        tell("currency", &["transactioncurrencyid"]),
        tell("close", &["actualclosedate", "estimatedclosedate"]),
        tell("closed", &["actualclosedate"]),
        tell("expected_close", &["estimatedclosedate"]),
        tell("status_reason", &["statuscode"]).kept("Status reason (before the move)"),
        tell("owner", &["ownerid"]),
        tell("organization", &["parentaccountid", "customerid.account"]),
        tell("person", &["parentcontactid", "customerid.contact"]),
        tell("persons", &["parentcontactid", "customerid.contact"]),
        tell("probability", &["closeprobability"]).kept("Probability (before the move)"),
        tell("description", &["description"]).kept("Description"),
        tell("rating", &["opportunityratingcode"]).kept("Rating"),
        tell("created_at", &["createdon"]).kept("Created (before the move)"),
        tell("created_by", &["createdby"]).kept("Created by (before the move)"),
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
    back: &[],
    funnel: Some(Funnel { pipeline: "", stage: "salesstage", status: Some(("statecode", ["0", "1", "2"])) }),
    left: &[
        ("customerid", LINK),
        ("totalamount", COUNTED),
        ("totallineitemamount", COUNTED),
        ("stepname", "the stage says it"),
    ],
};

macro_rules! activity {
    (tells: [$($tell:expr),* $(,)?], takes: [$($take:expr),* $(,)?], $($rest:tt)*) => {
        Thing {
            tells: &[
                tell("title", &["subject"]),
                tell("text", &["description"]),
                tell("owner", &["ownerid"]),
                tell("deal", &["regardingobjectid.opportunity"]),
                tell("deals", &["regardingobjectid.opportunity"]),
                tell("organization", &["regardingobjectid.account"]),
                tell("organizations", &["regardingobjectid.account"]),
                told("done", &["statecode"], DONE),
                tell("priority", &["prioritycode"]).kept("Priority (before the move)"),
                tell("created_at", &["createdon"]).kept("Created (before the move)"),
                tell("created_by", &["createdby"]).kept("Created by (before the move)"),
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
                expr("regardingobjectid.account", &["organization"], ACCOUNT_ALONE),
                take("createdon", &["created_at"]),
            ],
            about: "An activity of Dynamics is about one record: the deal, else the person, else the account.",
            scope: Scope::All,
            opt_in: "",
            own_fields: Own::Plain,
            keys: &[],
            back: &[],
            funnel: None,
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
        tell("day", &["scheduledstart", "scheduledend"]),
        tell("clock", &["scheduledstart", "scheduledend"]),
        tell("ends", &["scheduledend"]),
        told("milliseconds", &["actualdurationminutes"], MILLISECONDS),
        tell("done_at", &["actualend"]).kept("Done (before the move)"),
        tell("person", &["regardingobjectid.contact"]),
        tell("persons", &["regardingobjectid.contact", "to.contact"]),
    ],
    takes: [
        take("scheduledstart", &["starts"]),
        expr("scheduledend", &["ends", "starts"], ENDS),
        take("scheduledend", &["starts"]),
        expr("actualdurationminutes", &["milliseconds"], MINUTES),
        take("actualend", &["done_at"]),
        expr("description", &["text", "location"], TEXT),
    ],
    concept: Concept::Call,
    object: "phonecall",
    flow: "calls",
};

const APPOINTMENTS: Thing = activity! {
    tells: [
        tell("starts", &["scheduledstart"]),
        tell("day", &["scheduledstart"]),
        tell("clock", &["scheduledstart"]),
        tell("ends", &["scheduledend"]),
        tell("location", &["location"]),
        tell("done_at", &["actualend"]).kept("Done (before the move)"),
        tell("person", &["regardingobjectid.contact"]),
        tell("persons", &["regardingobjectid.contact", "requiredattendees.contact", "optionalattendees.contact"]),
    ],
    takes: [
        take("scheduledstart", &["starts"]),
        expr("scheduledend", &["ends", "starts"], ENDS),
        take("scheduledend", &["starts"]),
        take("actualend", &["done_at"]),
        take("location", &["location"]),
    ],
    concept: Concept::Meeting,
    object: "appointment",
    flow: "appointments",
};

const TASKS: Thing = activity! {
    tells: [
        tell("starts", &["scheduledend", "scheduledstart"]),
        tell("day", &["scheduledend", "scheduledstart"]),
        tell("clock", &["scheduledend", "scheduledstart"]),
        tell("done_at", &["actualend"]).kept("Done (before the move)"),
        tell("person", &["regardingobjectid.contact"]),
        tell("persons", &["regardingobjectid.contact"]),
    ],
    takes: [
        take("scheduledend", &["starts", "day"]),
        take("actualend", &["done_at"]),
        expr("description", &["text", "location"], TEXT),
    ],
    concept: Concept::Task,
    object: "task",
    flow: "tasks",
};

const NOTES: Thing = Thing {
    concept: Concept::Note,
    object: "annotation",
    flow: "notes",
    about: "A note hangs on one record.",
    scope: Scope::All,
    opt_in: "",
    own_fields: Own::No,
    keys: &[],
    tells: &[
        tell("title", &["subject"]),
        tell("text", &["notetext"]),
        tell("author", &["ownerid"]),
        tell("created_at", &["createdon"]),
        tell("deal", &["objectid.opportunity"]),
        tell("deals", &["objectid.opportunity"]),
        tell("person", &["objectid.contact"]),
        tell("persons", &["objectid.contact"]),
        tell("organization", &["objectid.account"]),
        tell("organizations", &["objectid.account"]),
    ],
    takes: &[
        take("subject", &["title"]),
        make("notetext", Make::Dated("createdon")),
        take("ownerid", &["author"]),
        take("createdon", &["created_at"]),
        take("objectid.opportunity", &["deal"]),
        expr("objectid.contact", &["person"], PERSON_ALONE),
        expr("objectid.account", &["organization"], ACCOUNT_ALONE),
    ],
    back: &[],
    funnel: None,
    left: &[("objectid", LINK)],
};

const FILES: Thing = Thing {
    concept: Concept::File,
    object: "annotation.document",
    flow: "files",
    about: "",
    scope: Scope::All,
    opt_in: "",
    own_fields: Own::No,
    keys: &[],
    tells: &[
        tell("title", &["filename"]),
        tell("file_name", &["filename"]),
        told("description", &["subject", "notetext"], "concat([.subject, .notetext], \"\\n\")"),
        tell("author", &["ownerid"]),
        tell("created_at", &["createdon"]),
        tell("deal", &["objectid.opportunity"]),
        tell("deals", &["objectid.opportunity"]),
        tell("person", &["objectid.contact"]),
        tell("persons", &["objectid.contact"]),
        tell("organization", &["objectid.account"]),
        tell("organizations", &["objectid.account"]),
    ],
    takes: &[
        take("filename", &["file_name", "title"]),
        take("notetext", &["description"]),
        take("ownerid", &["author"]),
        take("createdon", &["created_at"]),
        take("objectid.opportunity", &["deal"]),
        expr("objectid.contact", &["person"], PERSON_ALONE),
        expr("objectid.account", &["organization"], ACCOUNT_ALONE),
    ],
    back: &[],
    funnel: None,
    left: &[("objectid", LINK)],
};
