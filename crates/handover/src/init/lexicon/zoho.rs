//! Zoho CRM (sheet: Zoho sections 2, 3 and 5).

use super::{
    Concept, Funnel, Lack, Lexicon, Make, Own, Scope, Thing, choice, expr, make, step, take, tell, told, value, with,
};

const LAST_NAME: &str = "coalesce([{last_name}, {name}, {email}])";
const FIRST_NAME: &str = "if is_blank({last_name}) { null } else { {first_name} }";
const STREET: &str = "concat([{street}, {street2}], \" \")";
const SUBJECT: &str = "truncate(coalesce([{title}, {text}]), 255)";
const TEXT: &str = "concat([{text}, {location}], \"\\n\")";
/// An activity hangs on one record beside the person: the deal, else the account.
const ACCOUNT: &str = "if is_blank({deal}) { {organization} } else { null }";
/// A note or an attachment hangs on one record: the deal, else the person, else the account.
const PERSON_ALONE: &str = "if is_blank({deal}) { {person} } else { null }";
const ACCOUNT_ALONE: &str = "if is_blank({deal}) && is_blank({person}) { {organization} } else { null }";
const STATUS: &str = "if {done} == true { \"Completed\" } else { \"Not Started\" }";
const ENDS: &str = "coalesce([{ends}, {starts}])";
/// Minutes and seconds, of which the first are not cut at sixty; one second for a call whose length nobody knows, since
/// a call in the past must have one (section 5).
const LENGTH: &str = "minutes = round!((default({milliseconds}, 0) / 60000) ?? 0)\n\
    is_short = (minutes < 10) ?? false\n\
    if minutes == 0 { \"00:01\" } else if is_short { concat([\"0\", string(minutes), \":00\"]) } else { concat([string(minutes), \":00\"]) }";
/// A slash is not taken in phone numbers (section 5).
const PHONE: &str = "replace({phone}, \"/\", \" \")";
const MOBILE: &str = "replace({mobile}, \"/\", \" \")";
const MILLISECONDS: &str = "(.Call_Duration_in_seconds * 1000) ?? null";

const VENDORS_OWN: &str = "Zoho CRM's own bookkeeping";

pub(super) const LEXICON: Lexicon = Lexicon {
    title: "Zoho CRM",
    lacks: &[Lack::Html, Lack::Time, Lack::User],
    things: &[ACCOUNTS, CONTACTS, DEALS, CALLS, EVENTS, TASKS, NOTES, ATTACHMENTS],
};

const ACCOUNTS: Thing = Thing {
    concept: Concept::Organization,
    object: "Accounts",
    flow: "accounts",
    about: "",
    scope: Scope::All,
    opt_in: "",
    own_fields: Own::Unique,
    keys: &[("domain", "site", &["Website"]), ("text", "name", &["Account_Name"])],
    tells: &[
        tell("name", &["Account_Name"]),
        tell("website", &["Website"]),
        tell("site", &["Website"]),
        step("domain", &["Website"], "domain"),
        tell("owner", &["Owner"]),
        tell("phone", &["Phone"]).kept("Phone"),
        tell("fax", &["Fax"]).kept("Fax"),
        tell("revenue", &["Annual_Revenue"]).kept("Annual revenue"),
        tell("employees", &["Employees"]).kept("Number of employees"),
        tell("industry", &["Industry"]).kept("Industry"),
        tell("description", &["Description"]).kept("Description"),
        tell("street", &["Billing_Street"]).kept("Street"),
        tell("city", &["Billing_City"]).kept("City"),
        tell("region", &["Billing_State"]).kept("State/Region"),
        tell("postal_code", &["Billing_Code"]).kept("Postal code"),
        tell("country", &["Billing_Country"]).kept("Country"),
        tell("parent", &["Parent_Account"]),
        tell("category", &["Account_Type"]).kept("Type of account"),
        tell("rating", &["Rating"]).kept("Rating"),
        tell("number", &["Account_Number"]).kept("Account number"),
        tell("shipping_street", &["Shipping_Street"]).kept("Shipping street"),
        tell("shipping_city", &["Shipping_City"]).kept("Shipping city"),
        tell("shipping_region", &["Shipping_State"]).kept("Shipping state"),
        tell("shipping_postal_code", &["Shipping_Code"]).kept("Shipping postal code"),
        tell("shipping_country", &["Shipping_Country"]).kept("Shipping country"),
        tell("created_at", &["Created_Time"]).kept("Created (before the move)"),
        tell("created_by", &["Created_By"]).kept("Created by (before the move)"),
    ],
    takes: &[
        expr("Account_Name", &["name", "domain"], "coalesce([{name}, {domain}])"),
        take("Account_Name", &["name"]),
        take("Website", &["website", "domain"]),
        take("Owner", &["owner"]),
        expr("Phone", &["phone"], PHONE),
        take("Fax", &["fax"]),
        take("Annual_Revenue", &["revenue"]),
        take("Employees", &["employees"]),
        choice("Industry", "industry", "industries"),
        take("Description", &["description"]),
        expr("Billing_Street", &["street"], STREET),
        take("Billing_City", &["city"]),
        take("Billing_State", &["region"]),
        take("Billing_Code", &["postal_code"]),
        take("Billing_Country", &["country"]),
        with("Parent_Account", &["parent"], "later: true"),
        take("Created_Time", &["created_at"]),
    ],
    back: &[],
    funnel: None,
    left: &[("Exchange_Rate", VENDORS_OWN), ("Layout", VENDORS_OWN)],
};

const CONTACTS: Thing = Thing {
    concept: Concept::Person,
    object: "Contacts",
    flow: "contacts",
    about: "Add `region: DE` (your country) to the phone key if numbers are kept without a country code.",
    scope: Scope::All,
    opt_in: "",
    own_fields: Own::Unique,
    keys: &[("email", "emails", &["Email", "Secondary_Email"]), ("phone", "phones", &["Phone", "Mobile"])],
    tells: &[
        tell("first_name", &["First_Name"]),
        tell("last_name", &["Last_Name"]),
        tell("name", &["Full_Name"]),
        tell("salutation", &["Salutation"]).kept("Salutation"),
        tell("email", &["Email"]),
        tell("second_email", &["Secondary_Email"]).kept("Second e-mail address"),
        told("emails", &["Email", "Secondary_Email"], "split(concat([.Email, .Secondary_Email], \";\"), \";\")"),
        tell("phone", &["Phone"]),
        tell("mobile", &["Mobile"]).kept("Mobile phone"),
        told("phones", &["Phone", "Mobile"], "split(concat([.Phone, .Mobile], \";\"), \";\")"),
        tell("home_phone", &["Home_Phone"]).kept("Home phone"),
        tell("other_phone", &["Other_Phone"]).kept("Other phone"),
        tell("fax", &["Fax"]).kept("Fax"),
        tell("owner", &["Owner"]),
        tell("organization", &["Account_Name"]),
        tell("organizations", &["Account_Name"]),
        tell("manager", &["Reporting_To"]),
        tell("job_title", &["Title"]).kept("Job title"),
        tell("department", &["Department"]).kept("Department"),
        tell("birthday", &["Date_of_Birth"]).kept("Birthday"),
        tell("street", &["Mailing_Street"]).kept("Street"),
        tell("city", &["Mailing_City"]).kept("City"),
        tell("region", &["Mailing_State"]).kept("State/Region"),
        tell("postal_code", &["Mailing_Zip"]).kept("Postal code"),
        tell("country", &["Mailing_Country"]).kept("Country"),
        tell("lead_source", &["Lead_Source"]).kept("Lead source"),
        tell("description", &["Description"]).kept("Description"),
        tell("created_at", &["Created_Time"]).kept("Created (before the move)"),
    ],
    takes: &[
        expr("Last_Name", &["last_name", "name"], LAST_NAME),
        expr("First_Name", &["first_name"], FIRST_NAME),
        choice("Salutation", "salutation", "salutations"),
        take("Email", &["email"]),
        take("Secondary_Email", &["second_email"]),
        expr("Phone", &["phone"], PHONE),
        expr("Mobile", &["mobile"], MOBILE),
        take("Mobile", &["mobile"]),
        take("Home_Phone", &["home_phone"]),
        take("Fax", &["fax"]),
        take("Owner", &["owner"]),
        take("Account_Name", &["organization"]),
        take("Title", &["job_title"]),
        take("Department", &["department"]),
        take("Date_of_Birth", &["birthday"]),
        expr("Mailing_Street", &["street"], STREET),
        take("Mailing_City", &["city"]),
        take("Mailing_State", &["region"]),
        take("Mailing_Zip", &["postal_code"]),
        take("Mailing_Country", &["country"]),
        take("Description", &["description"]),
        take("Created_Time", &["created_at"]),
    ],
    back: &[
        take("First_Name", &["given_name", "first_name"]),
        take("Last_Name", &["family_name", "last_name"]),
        take("Email", &["email"]),
        take("Phone", &["phone"]),
        take("Mobile", &["mobile"]),
    ],
    funnel: None,
    left: &[("Layout", VENDORS_OWN), ("Email_Opt_Out", "whom the company writes to is agreed with each person")],
};

const DEALS: Thing = Thing {
    concept: Concept::Deal,
    object: "Deals",
    flow: "deals",
    about: "",
    scope: Scope::All,
    opt_in: "",
    own_fields: Own::Unique,
    keys: &[],
    tells: &[
        tell("stage", &["Stage"]),
        tell("title", &["Deal_Name"]),
        tell("amount", &["Amount"]),
        tell("currency", &["Currency"]),
        tell("close", &["Closing_Date"]),
        tell("closed", &["Closing_Date"]),
        tell("expected_close", &["Closing_Date"]),
        tell("lost_reason", &["Reason_For_Loss__s"]).kept("Lost reason"),
        tell("owner", &["Owner"]),
        tell("organization", &["Account_Name"]),
        tell("person", &["Contact_Name"]),
        tell("other_persons", &["Contact_Roles"]),
        tell("persons", &["Contact_Name", "Contact_Roles"]),
        tell("probability", &["Probability"]).kept("Probability (before the move)"),
        tell("description", &["Description"]).kept("Description"),
        tell("deal_type", &["Type"]).kept("Deal type"),
        tell("next_step", &["Next_Step"]).kept("Next step"),
        tell("lead_source", &["Lead_Source"]).kept("Lead source"),
        tell("created_at", &["Created_Time"]).kept("Created (before the move)"),
        tell("created_by", &["Created_By"]).kept("Created by (before the move)"),
    ],
    takes: &[
        take("Deal_Name", &["title"]),
        take("Amount", &["amount"]),
        take("Currency", &["currency"]),
        make("Stage", Make::Stage),
        make("Pipeline", Make::Pipeline),
        take("Closing_Date", &["close", "created_at"]),
        take("Owner", &["owner"]),
        take("Account_Name", &["organization"]),
        take("Contact_Name", &["person"]),
        with("Contact_Roles", &["other_persons"], "later: true"),
        take("Description", &["description"]),
        take("Next_Step", &["next_step"]),
        take("Created_Time", &["created_at"]),
    ],
    back: &[],
    funnel: Some(Funnel { pipeline: "Pipeline", stage: "Stage", status: None }),
    left: &[("Exchange_Rate", VENDORS_OWN), ("Layout", VENDORS_OWN)],
};

macro_rules! activity {
    (tells: [$($tell:expr),* $(,)?], takes: [$($take:expr),* $(,)?], $($rest:tt)*) => {
        Thing {
            tells: &[
                tell("text", &["Description"]),
                tell("owner", &["Owner"]),
                tell("deal", &["What_Id.Deals"]),
                tell("deals", &["What_Id.Deals"]),
                tell("organization", &["What_Id.Accounts"]),
                tell("organizations", &["What_Id.Accounts"]),
                tell("person", &["Who_Id"]),
                tell("persons", &["Who_Id"]),
                tell("created_at", &["Created_Time"]).kept("Created (before the move)"),
                $($tell,)*
            ],
            takes: &[
                $($take,)*
                take("Description", &["text"]),
                take("Owner", &["owner"]),
                take("What_Id.Deals", &["deal"]),
                expr("What_Id.Accounts", &["organization"], ACCOUNT),
                take("Who_Id", &["person"]),
                take("Created_Time", &["created_at"]),
            ],
            about: "",
            scope: Scope::All,
            opt_in: "",
            own_fields: Own::Plain,
            keys: &[],
            back: &[],
            funnel: None,
            left: &[("What_Id", "the link itself says it")],
            $($rest)*
        }
    };
}

const CALLS: Thing = activity! {
    tells: [
        tell("title", &["Subject"]),
        tell("starts", &["Call_Start_Time"]),
        tell("day", &["Call_Start_Time"]),
        tell("clock", &["Call_Start_Time"]),
        told("milliseconds", &["Call_Duration_in_seconds"], MILLISECONDS),
        told("done", &[], "true"),
    ],
    takes: [
        expr("Subject", &["title", "text"], SUBJECT),
        value("Call_Type", "Outbound"),
        take("Call_Start_Time", &["starts"]),
        expr("Call_Duration", &["milliseconds"], LENGTH),
        value("Call_Duration", "00:01"),
        expr("Description", &["text", "location"], TEXT),
    ],
    concept: Concept::Call,
    object: "Calls",
    flow: "calls",
};

const EVENTS: Thing = activity! {
    tells: [
        tell("title", &["Event_Title"]),
        tell("starts", &["Start_DateTime"]),
        tell("day", &["Start_DateTime"]),
        tell("clock", &["Start_DateTime"]),
        tell("ends", &["End_DateTime"]),
        tell("location", &["Venue"]),
    ],
    takes: [
        expr("Event_Title", &["title", "text"], SUBJECT),
        take("Start_DateTime", &["starts"]),
        expr("End_DateTime", &["ends", "starts"], ENDS),
        take("End_DateTime", &["starts"]),
        take("Venue", &["location"]),
    ],
    concept: Concept::Meeting,
    object: "Events",
    flow: "events",
};

const TASKS: Thing = activity! {
    tells: [
        tell("title", &["Subject"]),
        tell("starts", &["Due_Date"]),
        tell("day", &["Due_Date"]),
        told("done", &["Status"], ".Status == \"Completed\""),
        tell("done_at", &["Closed_Time"]).kept("Done (before the move)"),
        tell("priority", &["Priority"]).kept("Priority (before the move)"),
    ],
    takes: [
        expr("Subject", &["title", "text"], SUBJECT),
        take("Due_Date", &["day", "starts"]),
        expr("Status", &["done"], STATUS),
        choice("Priority", "priority", "task_priorities"),
        expr("Description", &["text", "location"], TEXT),
    ],
    concept: Concept::Task,
    object: "Tasks",
    flow: "tasks",
};

const NOTES: Thing = Thing {
    concept: Concept::Note,
    object: "Notes",
    flow: "notes",
    about: "A note hangs on one record.",
    scope: Scope::All,
    opt_in: "",
    own_fields: Own::No,
    keys: &[],
    tells: &[
        tell("title", &["Note_Title"]),
        tell("text", &["Note_Content"]),
        tell("author", &["Owner"]),
        tell("created_at", &["Created_Time"]),
        tell("deal", &["Parent_Id.Deals"]),
        tell("deals", &["Parent_Id.Deals"]),
        tell("person", &["Parent_Id.Contacts"]),
        tell("persons", &["Parent_Id.Contacts"]),
        tell("organization", &["Parent_Id.Accounts"]),
        tell("organizations", &["Parent_Id.Accounts"]),
    ],
    takes: &[
        take("Note_Title", &["title"]),
        make("Note_Content", Make::Dated("Created_Time")),
        take("Owner", &["author"]),
        take("Created_Time", &["created_at"]),
        take("Parent_Id.Deals", &["deal"]),
        expr("Parent_Id.Contacts", &["person"], PERSON_ALONE),
        expr("Parent_Id.Accounts", &["organization"], ACCOUNT_ALONE),
    ],
    back: &[],
    funnel: None,
    left: &[("Parent_Id", "the link itself says it")],
};

const ATTACHMENTS: Thing = Thing {
    concept: Concept::File,
    object: "Attachments",
    flow: "files",
    about: "",
    scope: Scope::All,
    opt_in: "",
    own_fields: Own::No,
    keys: &[],
    tells: &[
        tell("title", &["File_Name"]),
        tell("file_name", &["File_Name"]),
        tell("author", &["Owner"]),
        tell("created_at", &["Created_Time"]),
        tell("deal", &["Parent_Id.Deals"]),
        tell("deals", &["Parent_Id.Deals"]),
        tell("person", &["Parent_Id.Contacts"]),
        tell("persons", &["Parent_Id.Contacts"]),
        tell("organization", &["Parent_Id.Accounts"]),
        tell("organizations", &["Parent_Id.Accounts"]),
    ],
    takes: &[
        take("File_Name", &["file_name", "title"]),
        take("Parent_Id.Deals", &["deal"]),
        expr("Parent_Id.Contacts", &["person"], PERSON_ALONE),
        expr("Parent_Id.Accounts", &["organization"], ACCOUNT_ALONE),
    ],
    back: &[],
    funnel: None,
    left: &[("Parent_Id", "the link itself says it")],
};
