//! Zoho CRM (sheet: Zoho sections 2, 3 and 5).

use super::terms::{
    CASE_ALONE, CASE_BESIDE, COMPANY, ENDS, FIRST_NAME, LAST_NAME, LEAD_ALONE, ORGANIZATION_ALONE, ORGANIZATION_BESIDE,
    PERSON_ALONE, STATUS, SUBJECT, TEXT,
};
use super::{
    Concept, Funnel, Lack, Lexicon, Made, Make, OF_CASES, OF_DEALS, Own, RECORDS, Thing, choice, choice_else, expr,
    make, take, tell, thing, told, value, with,
};

const STREET: &str = "concat([{street}, {street2}], \" \")";
/// Minutes and seconds, of which the first are not cut at sixty; one second for a call whose length nobody knows, since
/// a call in the past must have one (section 5).
const LENGTH: &str = "minutes = round!((default({milliseconds}, 0) / 60000) ?? 0)\n\
    is_short = (minutes < 10) ?? false\n\
    if minutes == 0 { \"00:01\" } else if is_short { concat([\"0\", string(minutes), \":00\"]) } else { concat([string(minutes), \":00\"]) }";
const MILLISECONDS: &str = "(.Call_Duration_in_seconds * 1000) ?? null";

const VENDORS_OWN: &str = "Zoho CRM's own bookkeeping";

pub(super) const LEXICON: Lexicon = Lexicon {
    title: "Zoho CRM",
    lacks: &[Lack::Html, Lack::Time, Lack::User],
    points_to: &RECORDS,
    things: &[ACCOUNTS, CONTACTS, LEADS, DEALS, PRODUCTS, CASES, CALLS, EVENTS, TASKS, NOTES, ATTACHMENTS],
    made: Some(&MADE),
};

const MADE: Made = Made {
    bare: |name| name,
    thing: Thing {
        own_fields: Own::Unique,
        tells: &[
            tell("owner", &["Owner"]),
            tell("currency", &["Currency"]),
            tell("created_at", &["Created_Time"]),
            tell("created_by", &["Created_By"]),
        ],
        takes: &[take("Owner", &["owner"]), take("Currency", &["currency"]), take("Created_Time", &["created_at"])],
        left: &[("Exchange_Rate", VENDORS_OWN), ("Layout", VENDORS_OWN)],
        ..thing(Concept::Made, "", "")
    },
};

/// Without what is sold of them: Zoho keeps that in quotes, orders and invoices, which are not moved.
const PRODUCTS: Thing = Thing {
    own_fields: Own::Unique,
    used_with: "Products",
    keys: &[("text", "sku", &["Product_Code"]), ("text", "name", &["Product_Name"])],
    tells: &[
        tell("name", &["Product_Name"]),
        tell("sku", &["Product_Code"]),
        tell("description", &["Description"]),
        tell("price", &["Unit_Price"]),
        tell("unit", &["Usage_Unit"]),
        tell("product_category", &["Product_Category"]),
        tell("owner", &["Owner"]),
        tell("created_at", &["Created_Time"]),
    ],
    takes: &[
        take("Product_Name", &["name"]),
        take("Product_Code", &["sku"]),
        take("Description", &["description"]),
        take("Unit_Price", &["price"]),
        take("Owner", &["owner"]),
    ],
    ..thing(Concept::Product, "Products", "products")
};

const ACCOUNTS: Thing = Thing {
    own_fields: Own::Unique,
    keys: &[("domain", "site", &["Website"]), ("text", "name", &["Account_Name"])],
    tells: &[
        tell("name", &["Account_Name"]),
        tell("website", &["Website"]),
        tell("owner", &["Owner"]),
        tell("phone", &["Phone"]),
        tell("fax", &["Fax"]),
        tell("revenue", &["Annual_Revenue"]),
        tell("employees", &["Employees"]),
        tell("industry", &["Industry"]),
        tell("description", &["Description"]),
        tell("street", &["Billing_Street"]),
        tell("city", &["Billing_City"]),
        tell("region", &["Billing_State"]),
        tell("postal_code", &["Billing_Code"]),
        tell("country", &["Billing_Country"]),
        tell("parent", &["Parent_Account"]),
        tell("category", &["Account_Type"]),
        tell("rating", &["Rating"]),
        tell("number", &["Account_Number"]),
        tell("shipping_street", &["Shipping_Street"]),
        tell("shipping_city", &["Shipping_City"]),
        tell("shipping_region", &["Shipping_State"]),
        tell("shipping_postal_code", &["Shipping_Code"]),
        tell("shipping_country", &["Shipping_Country"]),
        tell("created_at", &["Created_Time"]),
        tell("created_by", &["Created_By"]),
    ],
    takes: &[
        expr("Account_Name", &["name", "domain"], "coalesce([{name}, {domain}])"),
        take("Account_Name", &["name"]),
        take("Website", &["website", "domain"]),
        take("Owner", &["owner"]),
        take("Phone", &["phone"]),
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
    left: &[("Exchange_Rate", VENDORS_OWN), ("Layout", VENDORS_OWN)],
    ..thing(Concept::Organization, "Accounts", "accounts")
};

/// Contacts and leads, as far as the platform calls the same things the same.
macro_rules! people {
    (address: [$street:literal, $city:literal, $region:literal, $code:literal, $country:literal], tells: [$($tell:expr),* $(,)?], takes: [$($take:expr),* $(,)?], $($rest:tt)*) => {
        Thing {
            own_fields: Own::Unique,
            keys: &[("email", "emails", &["Email", "Secondary_Email"]), ("phone", "phones", &["Phone", "Mobile"])],
            tells: &[
                tell("first_name", &["First_Name"]),
                tell("last_name", &["Last_Name"]),
                tell("name", &["Full_Name"]),
                tell("salutation", &["Salutation"]),
                tell("email", &["Email"]),
                tell("second_email", &["Secondary_Email"]),
                told("emails", &["Email", "Secondary_Email"], "split(concat([.Email, .Secondary_Email], \";\"), \";\")"),
                tell("phone", &["Phone"]),
                tell("mobile", &["Mobile"]),
                told("phones", &["Phone", "Mobile"], "split(concat([.Phone, .Mobile], \";\"), \";\")"),
                tell("fax", &["Fax"]),
                tell("owner", &["Owner"]),
                $($tell,)*
                tell("street", &[$street]),
                tell("city", &[$city]),
                tell("region", &[$region]),
                tell("postal_code", &[$code]),
                tell("country", &[$country]),
                tell("lead_source", &["Lead_Source"]),
                tell("description", &["Description"]),
                tell("created_at", &["Created_Time"]),
            ],
            takes: &[
                expr("Last_Name", &["last_name", "name"], LAST_NAME),
                expr("First_Name", &["first_name"], FIRST_NAME),
                choice("Salutation", "salutation", "salutations"),
                take("Email", &["email"]),
                take("Secondary_Email", &["second_email"]),
                take("Phone", &["phone"]),
                take("Mobile", &["mobile"]),
                take("Fax", &["fax"]),
                take("Owner", &["owner"]),
                $($take,)*
                expr($street, &["street"], STREET),
                take($city, &["city"]),
                take($region, &["region"]),
                take($code, &["postal_code"]),
                take($country, &["country"]),
                take("Description", &["description"]),
                take("Created_Time", &["created_at"]),
            ],
            $($rest)*
        }
    };
}

const CONTACTS: Thing = people! {
    address: ["Mailing_Street", "Mailing_City", "Mailing_State", "Mailing_Zip", "Mailing_Country"],
    tells: [
        tell("home_phone", &["Home_Phone"]),
        tell("other_phone", &["Other_Phone"]),
        tell("organization", &["Account_Name"]),
        tell("manager", &["Reporting_To"]),
        tell("job_title", &["Title"]),
        tell("department", &["Department"]),
        tell("birthday", &["Date_of_Birth"]),
    ],
    takes: [
        take("Home_Phone", &["home_phone"]),
        take("Account_Name", &["organization"]),
        with("Reporting_To", &["manager"], "later: true"),
        take("Title", &["job_title"]),
        take("Department", &["department"]),
        take("Date_of_Birth", &["birthday"]),
    ],
    about: "Add `region: DE` (your country) to the phone key if numbers are kept without a country code.",
    back: &[
        take("First_Name", &["given_name", "first_name"]),
        take("Last_Name", &["family_name", "last_name"]),
        take("Email", &["email"]),
        take("Phone", &["phone"]),
        take("Mobile", &["mobile"]),
    ],
    left: &[("Layout", VENDORS_OWN), ("Email_Opt_Out", "whom the company writes to is agreed with each person")],
    ..thing(Concept::Person, "Contacts", "contacts")
};

const LEADS: Thing = people! {
    address: ["Street", "City", "State", "Zip_Code", "Country"],
    tells: [
        tell("company", &["Company"]),
        tell("website", &["Website"]),
        tell("job_title", &["Designation"]),
        tell("lead_status", &["Lead_Status"]),
        tell("rating", &["Rating"]),
        tell("industry", &["Industry"]),
        tell("revenue", &["Annual_Revenue"]),
        tell("employees", &["No_of_Employees"]),
    ],
    takes: [
        expr("Company", &["company"], COMPANY),
        take("Website", &["website"]),
        take("Designation", &["job_title"]),
        choice("Lead_Status", "lead_status", "lead_statuses"),
        choice("Industry", "industry", "industries"),
        take("Annual_Revenue", &["revenue"]),
        take("No_of_Employees", &["employees"]),
    ],
    about: "Leads that were converted stay behind: they live on as the accounts, contacts and deals they became.",
    left: &[
        ("Layout", VENDORS_OWN),
        ("Exchange_Rate", VENDORS_OWN),
        ("Email_Opt_Out", "whom the company writes to is agreed with each person"),
    ],
    ..thing(Concept::Lead, "Leads", "leads")
};

const DEALS: Thing = Thing {
    own_fields: Own::Unique,
    tells: &[
        tell("title", &["Deal_Name"]),
        tell("amount", &["Amount"]),
        tell("currency", &["Currency"]),
        tell("close", &["Closing_Date"]),
        tell("lost_reason", &["Reason_For_Loss__s"]),
        tell("owner", &["Owner"]),
        tell("organization", &["Account_Name"]),
        tell("person", &["Contact_Name"]),
        tell("other_persons", &["Contact_Roles"]),
        tell("persons", &["Contact_Name", "Contact_Roles"]),
        tell("probability", &["Probability"]),
        tell("description", &["Description"]),
        tell("deal_type", &["Type"]),
        tell("next_step", &["Next_Step"]),
        tell("lead_source", &["Lead_Source"]),
        tell("created_at", &["Created_Time"]),
        tell("created_by", &["Created_By"]),
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
    funnel: Some(Funnel { tables: &OF_DEALS, pipeline: "Pipeline", stage: "Stage", status: None }),
    left: &[("Exchange_Rate", VENDORS_OWN), ("Layout", VENDORS_OWN)],
    ..thing(Concept::Deal, "Deals", "deals")
};

const CASES: Thing = Thing {
    about: "translations/case_stages.csv says which status is which.",
    own_fields: Own::Unique,
    used_with: "Cases",
    tells: &[
        tell("title", &["Subject"]),
        tell("text", &["Description"]),
        tell("priority", &["Priority"]),
        tell("origin", &["Case_Origin"]),
        tell("case_type", &["Type"]),
        tell("case_reason", &["Case_Reason"]),
        tell("case_number", &["Case_Number"]),
        tell("resolution", &["Solution"]),
        tell("owner", &["Owner"]),
        tell("organization", &["Account_Name"]),
        tell("person", &["Related_To"]),
        tell("deal", &["Deal_Name"]),
        tell("email", &["Email"]),
        tell("phone", &["Phone"]),
        tell("created_at", &["Created_Time"]),
        tell("created_by", &["Created_By"]),
    ],
    takes: &[
        expr("Subject", &["title", "text"], SUBJECT),
        take("Description", &["text"]),
        make("Status", Make::Stage),
        choice("Priority", "priority", "case_priorities"),
        // Nothing is taken without one.
        choice_else("Case_Origin", "origin", "case_origins", "Web"),
        value("Case_Origin", "Web"),
        choice("Type", "case_type", "case_types"),
        choice("Case_Reason", "case_reason", "case_reasons"),
        take("Solution", &["resolution"]),
        take("Owner", &["owner"]),
        take("Account_Name", &["organization"]),
        take("Related_To", &["person"]),
        take("Deal_Name", &["deal"]),
        take("Created_Time", &["created_at"]),
    ],
    funnel: Some(Funnel { tables: &OF_CASES, pipeline: "", stage: "Status", status: None }),
    left: &[("Layout", VENDORS_OWN)],
    ..thing(Concept::Case, "Cases", "cases")
};

macro_rules! activity {
    (tells: [$($tell:expr),* $(,)?], takes: [$($take:expr),* $(,)?], $($rest:tt)*) => {
        Thing {
            tells: &[
                tell("text", &["Description"]),
                tell("owner", &["Owner"]),
                tell("deal", &["What_Id.Deals"]),
                tell("organization", &["What_Id.Accounts"]),
                tell("lead", &["What_Id.Leads"]),
                tell("case", &["What_Id.Cases"]),
                tell("person", &["Who_Id"]),
                tell("created_at", &["Created_Time"]),
                $($tell,)*
            ],
            takes: &[
                $($take,)*
                take("Description", &["text"]),
                take("Owner", &["owner"]),
                take("What_Id.Deals", &["deal"]),
                expr("What_Id.Accounts", &["organization"], ORGANIZATION_BESIDE),
                expr("What_Id.Leads", &["lead"], LEAD_ALONE),
                expr("What_Id.Cases", &["case"], CASE_BESIDE),
                take("Who_Id", &["person"]),
                take("Created_Time", &["created_at"]),
            ],
            own_fields: Own::Plain,
            left: &[("What_Id", "the link itself says it")],
            $($rest)*
        }
    };
}

const CALLS: Thing = activity! {
    tells: [
        tell("title", &["Subject"]),
        tell("starts", &["Call_Start_Time"]),
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
    ..thing(Concept::Call, "Calls", "calls")
};

const EVENTS: Thing = activity! {
    tells: [
        tell("title", &["Event_Title"]),
        tell("starts", &["Start_DateTime"]),
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
    ..thing(Concept::Meeting, "Events", "events")
};

const TASKS: Thing = activity! {
    tells: [
        tell("title", &["Subject"]),
        tell("starts", &["Due_Date"]),
        told("done", &["Status"], ".Status == \"Completed\""),
        tell("done_at", &["Closed_Time"]),
        tell("priority", &["Priority"]),
    ],
    takes: [
        expr("Subject", &["title", "text"], SUBJECT),
        take("Due_Date", &["day", "starts"]),
        expr("Status", &["done"], STATUS),
        choice("Priority", "priority", "task_priorities"),
        expr("Description", &["text", "location"], TEXT),
    ],
    ..thing(Concept::Task, "Tasks", "tasks")
};

const NOTES: Thing = Thing {
    about: "A note hangs on one record.",
    tells: &[
        tell("title", &["Note_Title"]),
        tell("text", &["Note_Content"]),
        tell("author", &["Owner"]),
        tell("created_at", &["Created_Time"]),
        tell("deal", &["Parent_Id.Deals"]),
        tell("person", &["Parent_Id.Contacts"]),
        tell("organization", &["Parent_Id.Accounts"]),
        tell("lead", &["Parent_Id.Leads"]),
        tell("case", &["Parent_Id.Cases"]),
    ],
    takes: &[
        take("Note_Title", &["title"]),
        make("Note_Content", Make::Dated("Created_Time")),
        take("Owner", &["author"]),
        take("Created_Time", &["created_at"]),
        take("Parent_Id.Deals", &["deal"]),
        expr("Parent_Id.Contacts", &["person"], PERSON_ALONE),
        expr("Parent_Id.Accounts", &["organization"], ORGANIZATION_ALONE),
        expr("Parent_Id.Leads", &["lead"], LEAD_ALONE),
        expr("Parent_Id.Cases", &["case"], CASE_ALONE),
    ],
    left: &[("Parent_Id", "the link itself says it")],
    hangs: true,
    ..thing(Concept::Note, "Notes", "notes")
};

const ATTACHMENTS: Thing = Thing {
    tells: &[
        tell("title", &["File_Name"]),
        tell("author", &["Owner"]),
        tell("created_at", &["Created_Time"]),
        tell("deal", &["Parent_Id.Deals"]),
        tell("person", &["Parent_Id.Contacts"]),
        tell("organization", &["Parent_Id.Accounts"]),
        tell("lead", &["Parent_Id.Leads"]),
        tell("case", &["Parent_Id.Cases"]),
    ],
    takes: &[
        take("File_Name", &["file_name", "title"]),
        take("Parent_Id.Deals", &["deal"]),
        expr("Parent_Id.Contacts", &["person"], PERSON_ALONE),
        expr("Parent_Id.Accounts", &["organization"], ORGANIZATION_ALONE),
        expr("Parent_Id.Leads", &["lead"], LEAD_ALONE),
        expr("Parent_Id.Cases", &["case"], CASE_ALONE),
    ],
    left: &[("Parent_Id", "the link itself says it")],
    hangs: true,
    ..thing(Concept::File, "Attachments", "files")
};
