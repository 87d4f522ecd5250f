//! HubSpot (sheet: HubSpot sections 2 and 3).

mod products;

use super::{
    Concept, Funnel, Lack, Lexicon, Made, Make, OF_CASES, OF_DEALS, Own, Thing, choice, expr, make, take, tell, thing,
    told, value, with,
};

const NAME: &str = "concat([.firstname, .lastname], \" \")";
const EMAILS: &str = "split(concat([.email, join(.hs_additional_emails, \";\")], \";\"), \";\")";
const PHONES: &str = "split(concat([.phone, .mobilephone], \";\"), \";\")";
const CALL_STATUS: &str = "if {done} == true { \"COMPLETED\" } else { null }";
const MEETING_OUTCOME: &str = "if {done} == true { \"COMPLETED\" } else { \"SCHEDULED\" }";
const TASK_STATUS: &str = "if {done} == true { \"COMPLETED\" } else { \"NOT_STARTED\" }";
const MEETING_TEXT: &str =
    "concat([.hs_meeting_body, .hs_internal_meeting_notes, html(.hs_meeting_external_url)], \"<br>\")";
const CALL_TEXT: &str = "concat([.hs_call_body, .hs_call_status], \"<br>\")";

const FILE_TEXT: &str = "concat([concat([\"File:\", {title}], \" \"), {description}], \"<br>\")";
const MAIL_TEXT: &str = "coalesce([clean_html(.hs_email_html), html(.hs_email_text)])";
const MAIL_DIRECTION: &str = "if {sent} == true { \"EMAIL\" } else { \"INCOMING_EMAIL\" }";
const MAIL_STATUS: &str = "if {sent} == true { \"SENT\" } else { null }";

const ATTACHED: (&str, &str) = ("hs_attachment_ids", "files are carried by a flow of their own");

pub(super) const LEXICON: Lexicon = Lexicon {
    title: "HubSpot",
    lacks: &[Lack::Time],
    points_to: &[],
    things: &[
        COMPANIES,
        CONTACTS,
        DEALS,
        products::PRODUCTS,
        products::LINES,
        TICKETS,
        CALLS,
        MEETINGS,
        TASKS,
        NOTES,
        ATTACHMENTS,
        FILES,
        FILE_NOTES,
        MAILS,
    ],
    made: Some(&MADE),
};

const MADE: Made = Made {
    // The portal stands before: `p123_grants`.
    bare: |name| {
        let parts = name.strip_prefix('p').and_then(|rest| rest.split_once('_'));
        parts
            .filter(|(portal, _)| !portal.is_empty() && portal.bytes().all(|byte| byte.is_ascii_digit()))
            .map_or(name, |(_, own)| own)
    },
    thing: Thing {
        own_fields: Own::Unique,
        tells: &[tell("owner", &["hubspot_owner_id"]), tell("created_at", &["hs_createdate"])],
        takes: &[take("hubspot_owner_id", &["owner"]), take("hs_createdate", &["created_at"])],
        ..thing(Concept::Made, "", "")
    },
};

const COMPANIES: Thing = Thing {
    own_fields: Own::Unique,
    keys: &[("domain", "site", &["domain"]), ("text", "name", &["name"])],
    tells: &[
        tell("name", &["name"]),
        tell("website", &["website", "domain"]),
        tell("domain", &["domain"]),
        tell("site", &["domain"]),
        tell("owner", &["hubspot_owner_id"]),
        tell("linkedin", &["linkedin_company_page"]),
        tell("revenue", &["annualrevenue"]),
        tell("employees", &["numberofemployees"]),
        tell("industry", &["industry"]),
        tell("phone", &["phone"]),
        tell("description", &["description"]),
        tell("street", &["address"]),
        tell("street2", &["address2"]),
        tell("city", &["city"]),
        tell("region", &["state"]),
        tell("postal_code", &["zip"]),
        tell("country", &["country"]),
        tell("parent", &["associations.parent_company"]),
        tell("lifecycle_stage", &["lifecyclestage"]),
        tell("lead_status", &["hs_lead_status"]),
        tell("category", &["type"]),
        tell("founded", &["founded_year"]),
        tell("created_at", &["createdate", "hs_createdate"]),
    ],
    takes: &[
        take("name", &["name"]),
        take("domain", &["domain"]),
        take("website", &["website"]),
        take("hubspot_owner_id", &["owner"]),
        take("linkedin_company_page", &["linkedin"]),
        take("annualrevenue", &["revenue"]),
        take("numberofemployees", &["employees"]),
        choice("industry", "industry", "industries"),
        take("phone", &["phone"]),
        take("description", &["description"]),
        take("address", &["street"]),
        take("address2", &["street2"]),
        take("city", &["city"]),
        take("state", &["region"]),
        take("zip", &["postal_code"]),
        take("country", &["country"]),
        with("associations.parent_company", &["parent"], "later: true"),
        take("createdate", &["created_at"]),
    ],
    back: &[take("name", &["name"]), take("website", &["website"]), take("domain", &["domain"])],
    left: &[("hs_parent_company_id", "the link to the parent company says it")],
    ..thing(Concept::Organization, "companies", "companies")
};

const CONTACTS: Thing = Thing {
    about: "Add `region: DE` (your country) to the phone key if numbers are kept without a country code.",
    own_fields: Own::Unique,
    keys: &[("email", "emails", &["email", "hs_additional_emails"]), ("phone", "phones", &["phone", "mobilephone"])],
    tells: &[
        tell("first_name", &["firstname"]),
        tell("last_name", &["lastname"]),
        told("name", &["firstname", "lastname"], NAME),
        tell("salutation", &["salutation"]),
        tell("email", &["email"]),
        tell("other_emails", &["hs_additional_emails"]),
        told("emails", &["email", "hs_additional_emails"], EMAILS),
        tell("phone", &["phone"]),
        tell("mobile", &["mobilephone"]),
        told("phones", &["phone", "mobilephone"], PHONES),
        tell("owner", &["hubspot_owner_id"]),
        tell("organization", &["associations.primary_company"]),
        tell("organizations", &["associations.companies"]),
        tell("job_title", &["jobtitle"]),
        tell("date_of_birth", &["date_of_birth"]),
        tell("street", &["address"]),
        tell("city", &["city"]),
        tell("region", &["state"]),
        tell("postal_code", &["zip"]),
        tell("country", &["country"]),
        tell("website", &["website"]),
        tell("fax", &["fax"]),
        tell("lifecycle_stage", &["lifecyclestage"]),
        tell("lead_status", &["hs_lead_status"]),
        tell("linkedin", &["hs_linkedin_url"]),
        tell("language", &["hs_language"]),
        tell("message", &["message"]),
        tell("buying_role", &["hs_buying_role"]),
        tell("created_at", &["createdate", "hs_createdate"]),
    ],
    takes: &[
        take("firstname", &["first_name"]),
        take("firstname", &["name"]),
        take("lastname", &["last_name"]),
        take("email", &["email"]),
        take("hs_additional_emails", &["other_emails"]),
        take("phone", &["phone"]),
        take("mobilephone", &["mobile"]),
        take("hubspot_owner_id", &["owner"]),
        take("associations.primary_company", &["organization"]),
        take("jobtitle", &["job_title"]),
        take("date_of_birth", &["birthday", "date_of_birth"]),
        take("address", &["street"]),
        take("city", &["city"]),
        take("state", &["region"]),
        take("zip", &["postal_code"]),
        take("country", &["country"]),
        take("salutation", &["salutation"]),
        take("fax", &["fax"]),
        take("website", &["website"]),
        take("createdate", &["created_at"]),
    ],
    back: &[
        take("firstname", &["given_name", "first_name"]),
        take("lastname", &["family_name", "last_name"]),
        take("email", &["email"]),
        take("hs_additional_emails", &["other_emails"]),
        take("phone", &["phone"]),
        take("mobilephone", &["mobile"]),
    ],
    left: &[
        ("company", "the primary company is linked"),
        ("associatedcompanyid", "the primary company is linked"),
        ("associations.companies", "the primary company is linked"),
    ],
    ..thing(Concept::Person, "contacts", "contacts")
};

const DEALS: Thing = Thing {
    own_fields: Own::Unique,
    tells: &[
        tell("title", &["dealname"]),
        tell("amount", &["amount"]),
        tell("currency", &["deal_currency_code"]),
        tell("close", &["closedate"]),
        tell("lost_reason", &["closed_lost_reason"]),
        tell("won_reason", &["closed_won_reason"]),
        tell("owner", &["hubspot_owner_id"]),
        tell("organization", &["associations.primary_company"]),
        tell("persons", &["associations.contacts"]),
        tell("description", &["description"]),
        tell("deal_type", &["dealtype"]),
        tell("priority", &["hs_priority"]),
        tell("next_step", &["hs_next_step"]),
        tell("created_at", &["createdate", "hs_createdate"]),
    ],
    takes: &[
        take("dealname", &["title"]),
        take("amount", &["amount"]),
        take("deal_currency_code", &["currency"]),
        make("dealstage", Make::Stage),
        make("pipeline", Make::Pipeline),
        take("closedate", &["close"]),
        take("closed_lost_reason", &["lost_reason"]),
        take("hubspot_owner_id", &["owner"]),
        take("associations.primary_company", &["organization"]),
        with("associations.contacts", &["persons"], "later: true"),
        take("description", &["description"]),
        take("hs_next_step", &["next_step"]),
        take("createdate", &["created_at"]),
    ],
    funnel: Some(Funnel { tables: &OF_DEALS, pipeline: "pipeline", stage: "dealstage", status: None }),
    left: &[("associations.companies", "the primary company is linked")],
    ..thing(Concept::Deal, "deals", "deals")
};

const TICKETS: Thing = Thing {
    own_fields: Own::Unique,
    used_with: "tickets",
    tells: &[
        tell("title", &["subject"]),
        tell("text", &["content"]),
        tell("priority", &["hs_ticket_priority"]),
        tell("origin", &["source_type"]),
        tell("case_type", &["hs_ticket_category"]),
        tell("resolution", &["hs_resolution"]),
        tell("owner", &["hubspot_owner_id"]),
        tell("organization", &["associations.primary_company"]),
        tell("persons", &["associations.contacts"]),
        tell("deals", &["associations.deals"]),
        tell("done_at", &["closed_date"]),
        tell("created_at", &["createdate", "hs_createdate"]),
    ],
    takes: &[
        take("subject", &["title", "text"]),
        take("content", &["text"]),
        make("hs_pipeline", Make::Pipeline),
        make("hs_pipeline_stage", Make::Stage),
        choice("hs_ticket_priority", "priority", "case_priorities"),
        choice("source_type", "origin", "case_origins"),
        take("hubspot_owner_id", &["owner"]),
        take("associations.primary_company", &["organization"]),
        with("associations.contacts", &["persons"], "later: true"),
        with("associations.deals", &["deals"], "later: true"),
        take("createdate", &["created_at"]),
    ],
    funnel: Some(Funnel { tables: &OF_CASES, pipeline: "hs_pipeline", stage: "hs_pipeline_stage", status: None }),
    left: &[("associations.companies", "the primary company is linked")],
    ..thing(Concept::Case, "tickets", "tickets")
};

macro_rules! activity {
    (tells: [$($tell:expr),* $(,)?], takes: [$($take:expr),* $(,)?], $($rest:tt)*) => {
        Thing {
            tells: &[
                tell("starts", &["hs_timestamp"]),
                tell("owner", &["hubspot_owner_id"]),
                tell("deals", &["associations.deals"]),
                tell("organizations", &["associations.companies"]),
                tell("persons", &["associations.contacts"]),
                tell("cases", &["associations.tickets"]),
                tell("created_at", &["hs_createdate"]),
                $($tell,)*
            ],
            takes: &[
                take("hs_timestamp", &["starts"]),
                take("hubspot_owner_id", &["owner"]),
                take("associations.deals", &["deals"]),
                take("associations.companies", &["organizations"]),
                take("associations.contacts", &["persons"]),
                take("associations.tickets", &["cases"]),
                $($take,)*
            ],
            own_fields: Own::Plain,
            left: &[ATTACHED, ("hs_meeting_start_time", "the activity date says it")],
            $($rest)*
        }
    };
}

const CALLS: Thing = activity! {
    tells: [
        tell("title", &["hs_call_title"]),
        told("text", &["hs_call_body", "hs_call_status"], CALL_TEXT),
        tell("text", &["hs_call_body"]),
        tell("milliseconds", &["hs_call_duration"]),
        told("done", &[], "true"),
    ],
    takes: [
        take("hs_call_title", &["title"]),
        expr("hs_call_body", &["text", "location"], "concat([{text}, {location}], \"<br>\")"),
        take("hs_call_body", &["text"]),
        take("hs_call_duration", &["milliseconds"]),
        expr("hs_call_status", &["done"], CALL_STATUS),
    ],
    ..thing(Concept::Call, "calls", "calls")
};

const MEETINGS: Thing = activity! {
    tells: [
        tell("title", &["hs_meeting_title"]),
        told("text", &["hs_meeting_body", "hs_internal_meeting_notes", "hs_meeting_external_url"], MEETING_TEXT),
        tell("text", &["hs_internal_meeting_notes"]),
        tell("internal", &["hs_internal_meeting_notes"]),
        tell("public", &["hs_meeting_body"]),
        tell("url", &["hs_meeting_external_url"]),
        tell("location", &["hs_meeting_location"]),
        tell("ends", &["hs_meeting_end_time"]),
        told("done", &["hs_meeting_outcome"], ".hs_meeting_outcome == \"COMPLETED\""),
    ],
    takes: [
        take("hs_meeting_title", &["title"]),
        take("hs_meeting_body", &["public"]),
        // What nobody said to be for the customer is not.
        take("hs_internal_meeting_notes", &["internal"]),
        take("hs_internal_meeting_notes", &["text"]),
        take("hs_meeting_location", &["location"]),
        take("hs_meeting_external_url", &["url"]),
        take("hs_meeting_start_time", &["starts"]),
        take("hs_meeting_end_time", &["ends"]),
        take("hs_meeting_end_time", &["starts"]),
        expr("hs_meeting_outcome", &["done"], MEETING_OUTCOME),
    ],
    ..thing(Concept::Meeting, "meetings", "meetings")
};

const TASKS: Thing = activity! {
    tells: [
        tell("title", &["hs_task_subject"]),
        tell("text", &["hs_task_body"]),
        told("done", &["hs_task_status"], ".hs_task_status == \"COMPLETED\""),
        tell("priority", &["hs_task_priority"]),
    ],
    takes: [
        take("hs_task_subject", &["title"]),
        expr("hs_task_body", &["text", "location"], "concat([{text}, {location}], \"<br>\")"),
        take("hs_task_body", &["text"]),
        expr("hs_task_status", &["done"], TASK_STATUS),
        choice("hs_task_priority", "priority", "task_priorities"),
        expr("hs_task_type", &["is_email"], "if {is_email} == true { \"EMAIL\" } else { \"TODO\" }"),
        value("hs_task_type", "TODO"),
    ],
    ..thing(Concept::Task, "tasks", "tasks")
};

const NOTES: Thing = Thing {
    own_fields: Own::Plain,
    tells: &[
        tell("text", &["hs_note_body"]),
        tell("created_at", &["hs_timestamp"]),
        tell("author", &["hubspot_owner_id"]),
        tell("deals", &["associations.deals"]),
        tell("organizations", &["associations.companies"]),
        tell("persons", &["associations.contacts"]),
        tell("cases", &["associations.tickets"]),
    ],
    takes: &[
        expr("hs_note_body", &["title", "text"], "concat([{title}, {text}], \"<br>\")"),
        take("hs_note_body", &["text"]),
        take("hs_timestamp", &["created_at"]),
        take("hubspot_owner_id", &["author"]),
        take("associations.deals", &["deals"]),
        take("associations.contacts", &["persons"]),
        take("associations.companies", &["organizations"]),
        take("associations.tickets", &["cases"]),
    ],
    left: &[ATTACHED],
    ..thing(Concept::Note, "notes", "notes")
};

const ATTACHMENTS: Thing = Thing {
    tells: &[
        tell("title", &["name"]),
        tell("created_at", &["hs_timestamp"]),
        tell("author", &["hubspot_owner_id"]),
        tell("deals", &["associations.deals"]),
        tell("organizations", &["associations.companies"]),
        tell("persons", &["associations.contacts"]),
        tell("cases", &["associations.tickets"]),
    ],
    ..thing(Concept::File, "attachments", "files")
};

const FILES: Thing = Thing {
    about: "The bytes. What a file hangs on is said by a note: the flow `file_notes`.",
    takes: &[take("name", &["title", "file_name"]), value("folderPath", "/handover")],
    ..thing(Concept::File, "files", "files")
};

const FILE_NOTES: Thing = Thing {
    about: "HubSpot attaches a file to a record through a note that carries it.",
    own_fields: Own::Plain,
    takes: &[
        with("hs_attachment_ids", &["id"], "flow: files"),
        expr("hs_note_body", &["title", "description"], FILE_TEXT),
        take("hs_timestamp", &["created_at"]),
        take("hubspot_owner_id", &["author"]),
        take("associations.deals", &["deals"]),
        take("associations.contacts", &["persons"]),
        take("associations.companies", &["organizations"]),
        take("associations.tickets", &["cases"]),
    ],
    ..thing(Concept::FileNote, "notes", "file_notes")
};

const MAILS: Thing = Thing {
    own_fields: Own::Plain,
    tells: &[
        told("sent", &["hs_email_direction"], ".hs_email_direction != \"INCOMING_EMAIL\""),
        tell("subject", &["hs_email_subject"]),
        told("text", &["hs_email_html", "hs_email_text"], MAIL_TEXT),
        tell("text", &["hs_email_html", "hs_email_text"]),
        tell("from", &["hs_email_from_email"]),
        tell("to", &["hs_email_to_email"]),
        tell("cc", &["hs_email_cc_email"]),
        tell("created_at", &["hs_timestamp"]),
        tell("author", &["hubspot_owner_id"]),
        tell("deals", &["associations.deals"]),
        tell("organizations", &["associations.companies"]),
        tell("persons", &["associations.contacts"]),
    ],
    takes: &[
        expr("hs_email_direction", &["sent"], MAIL_DIRECTION),
        expr("hs_email_status", &["sent"], MAIL_STATUS),
        take("hs_email_subject", &["subject"]),
        take("hs_email_html", &["text"]),
        expr("hs_email_headers", &["from"], "email_headers({from}, {to}, {cc}, {bcc})"),
        take("hs_timestamp", &["created_at"]),
        take("hubspot_owner_id", &["author"]),
        take("associations.deals", &["deals"]),
        // One of many recipients who is held does not hold the message.
        with("associations.contacts", &["persons"], "later: true"),
    ],
    left: &[
        ("hs_attachment_ids", "attachments of e-mails are not moved"),
        ("hs_email_headers", "sender and recipients say it"),
        ("hs_email_status", "the state of an e-mail that was sent elsewhere"),
    ],
    ..thing(Concept::Email, "emails", "emails")
};
