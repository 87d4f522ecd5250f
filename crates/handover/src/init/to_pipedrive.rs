//! From HubSpot to Pipedrive.

use super::template::{Line, Pair, by, by_ending, carry, choices, constant, expr, plain, stages, with};

const NAME: &str = "name = concat([.firstname, .lastname], \" \")\nif is_blank(name) { .email } else { name }";
const EMAILS: &str = "split(concat([.email, join(.hs_additional_emails, \";\")], \";\"), \";\")";
const PHONES: &str = "split(concat([.phone, .mobilephone], \";\"), \";\")";
const COMPANY_NAME: &str = "if is_blank(.name) { .domain } else { .name }";
const COMPANY_SITE: &str = "if is_blank(.website) { .domain } else { .website }";
const ADDRESS: &str = "concat([.address, .address2, .zip, .city, .state, .country], \", \")";
const CALL_TEXT: &str = "length = if is_blank(.hs_call_duration) { null } else { concat([\"Duration in milliseconds:\", string(.hs_call_duration)], \" \") }\n\
    concat([.hs_call_body, length, .hs_call_status], \"<br>\")";
const MEETING_TEXT: &str = "ends = if is_blank(.hs_meeting_end_time) { null } else { concat([\"Until\", format_date!(.hs_meeting_end_time, \"%Y-%m-%d %H:%M\"), \"UTC\"], \" \") }\n\
    concat([.hs_internal_meeting_notes, html(.hs_meeting_external_url), ends], \"<br>\")";
const MAIL_TEXT: &str = "kind = if .hs_email_direction == \"INCOMING_EMAIL\" { \"E-mail received\" } else { \"E-mail sent\" }\n\
    when = if is_blank(.hs_timestamp) { null } else { concat([format_date!(.hs_timestamp, \"%Y-%m-%d %H:%M\"), \"UTC\"], \" \") }\n\
    from = if is_blank(.hs_email_from_email) { null } else { concat([\"From:\", html(.hs_email_from_email)], \" \") }\n\
    to = if is_blank(.hs_email_to_email) { null } else { concat([\"To:\", html(.hs_email_to_email)], \" \") }\n\
    cc = if is_blank(.hs_email_cc_email) { null } else { concat([\"Cc:\", html(.hs_email_cc_email)], \" \") }\n\
    subject = if is_blank(.hs_email_subject) { null } else { concat([\"Subject:\", html(.hs_email_subject)], \" \") }\n\
    body = clean_html(.hs_email_html)\n\
    text = if is_blank(body) { html(.hs_email_text) } else { body }\n\
    concat([concat([kind, when], \", \"), from, to, cc, subject, text], \"<br>\")";
const FILE_TEXT: &str = "if is_blank(.hs_timestamp) { null } else { concat([\"Added\", format_date!(.hs_timestamp, \"%Y-%m-%d %H:%M\"), \"UTC\"], \" \") }";
const MEETING_DONE: &str = ".hs_meeting_outcome == \"COMPLETED\"";
const TASK_DONE: &str = ".hs_task_status == \"COMPLETED\"";

const CREATED_AT: Line = carry("handover_created_at", &["createdate", "hs_createdate"], "Created (before the move)");

const ATTACHED: (&str, &str) = ("hs_attachment_ids", "the flow `files` carries them");

/// What notes and activities have in common: Pipedrive links each to one deal and one organization.
macro_rules! linked {
    ($($line:expr),* $(,)?) => {
        &[
            $($line,)*
            with("deal_id", &["associations.deals"], "steps: [first]"),
            with("org_id", &["associations.companies"], "steps: [first]"),
        ]
    };
}

/// What the account's activities have in common.
macro_rules! activity {
    ($($line:expr),* $(,)?) => {
        linked![
            $($line,)*
            plain("due_date", &["hs_timestamp"]),
            plain("due_time", &["hs_timestamp"]),
            plain("owner_id", &["hubspot_owner_id"]),
            plain("participants", &["associations.contacts"]),
        ]
    };
}

pub(super) const PAIRS: &[Pair] = &[
    Pair {
        flow: "companies",
        source: "companies",
        target: "organizations",
        about: "",
        scope: "",
        opt_in: "",
        matching: &[by("domain", "domain", &["website"]), by("text", "name", &["name"])],
        lines: &[
            expr("name", &["name", "domain"], COMPANY_NAME),
            expr("website", &["website", "domain"], COMPANY_SITE),
            plain("owner_id", &["hubspot_owner_id"]),
            plain("linkedin", &["linkedin_company_page"]),
            plain("annual_revenue", &["annualrevenue"]),
            plain("employee_count", &["numberofemployees"]),
            choices("industry", &["industry"], "industries"),
            expr("address.value", &["address", "address2", "zip", "city", "state", "country"], ADDRESS),
            plain("address.locality", &["city"]),
            plain("address.admin_area_level_1", &["state"]),
            plain("address.postal_code", &["zip"]),
            plain("address.country", &["country"]),
            plain("address.subpremise", &["address2"]),
            with("parent", &["associations.parent_company"], "later: true"),
            plain("add_time", &["createdate"]),
            CREATED_AT,
            carry("handover_phone", &["phone"], "Phone"),
            carry("handover_description", &["description"], "Description"),
            carry("handover_lifecycle_stage", &["lifecyclestage"], "Lifecycle stage"),
            carry("handover_lead_status", &["hs_lead_status"], "Lead status"),
            carry("handover_type", &["type"], "Type of company"),
        ],
        excluded: &[("hs_parent_company_id", "the link to the parent company says it")],
        back: &[
            plain("name", &["name"]),
            plain("website", &["website"]),
            with("domain", &["website"], "steps: [domain]"),
        ],
    },
    Pair {
        flow: "contacts",
        source: "contacts",
        target: "persons",
        about: "Add `region: DE` (your country) to the phone key if numbers are kept without a country code.",
        scope: "",
        opt_in: "",
        matching: &[by("email", "email", &["emails"]), by("phone", "phone", &["phones"])],
        lines: &[
            expr("name", &["firstname", "lastname", "email"], NAME),
            expr("emails", &["email", "hs_additional_emails"], EMAILS),
            plain("emails", &["email"]),
            expr("phones", &["phone", "mobilephone"], PHONES),
            plain("phones", &["phone"]),
            plain("owner_id", &["hubspot_owner_id"]),
            plain("org_id", &["associations.primary_company"]),
            plain("add_time", &["createdate"]),
            CREATED_AT,
            carry("handover_jobtitle", &["jobtitle"], "Job title"),
            carry("handover_salutation", &["salutation"], "Salutation"),
            carry("handover_website", &["website"], "Website"),
            carry("handover_lifecycle_stage", &["lifecyclestage"], "Lifecycle stage"),
            carry("handover_lead_status", &["hs_lead_status"], "Lead status"),
            carry("handover_street", &["address"], "Street address"),
            carry("handover_city", &["city"], "City"),
            carry("handover_state", &["state"], "State/Region"),
            carry("handover_zip", &["zip"], "Postal code"),
            carry("handover_country", &["country"], "Country"),
            carry("handover_date_of_birth", &["date_of_birth"], "Date of birth"),
            carry("handover_linkedin", &["hs_linkedin_url"], "LinkedIn profile"),
            carry("handover_language", &["hs_language"], "Preferred language"),
            carry("handover_fax", &["fax"], "Fax"),
            carry("handover_message", &["message"], "Message"),
            carry("handover_buying_role", &["hs_buying_role"], "Buying role"),
        ],
        excluded: &[
            ("company", "the primary company is linked"),
            ("associatedcompanyid", "the primary company is linked"),
            ("associations.companies", "Pipedrive keeps one organization of a person, the primary one"),
        ],
        back: &[
            with("firstname", &["name"], "steps: [first_name]"),
            with("lastname", &["name"], "steps: [last_name]"),
            with("email", &["emails"], "steps: [primary]"),
            with("hs_additional_emails", &["emails"], "steps: [others]"),
            with("phone", &["phones"], "steps: [primary]"),
            with("mobilephone", &["phones"], "steps: [others, first]"),
        ],
    },
    Pair {
        flow: "deals",
        source: "deals",
        target: "deals",
        about: "translations/deal_status.csv says which stages are won and lost; such deals keep the pipeline's stage\n\
            that translations/deal_stages.csv names, with the status beside it.",
        scope: "",
        opt_in: "",
        matching: &[],
        lines: &[
            plain("title", &["dealname"]),
            plain("value", &["amount"]),
            plain("currency", &["deal_currency_code"]),
            stages("stage_id", &["dealstage"], "deal_stages", ""),
            stages("pipeline_id", &["pipeline"], "deal_pipelines", ""),
            stages("status", &["dealstage"], "deal_status", ""),
            by_ending("won_time", &["closedate"], "if {won} { .closedate } else { null }", ""),
            by_ending("lost_time", &["closedate"], "if {lost} { .closedate } else { null }", ""),
            by_ending("lost_reason", &["closed_lost_reason"], "if {lost} { .closed_lost_reason } else { null }", ""),
            plain("expected_close_date", &["closedate"]),
            plain("owner_id", &["hubspot_owner_id"]),
            plain("org_id", &["associations.primary_company"]),
            with("person_id", &["associations.contacts"], "steps: [first]"),
            // The main person takes part without a link of its own.
            with("participants", &["associations.contacts"], "steps: [rest], later: true"),
            CREATED_AT,
            carry("handover_description", &["description"], "Description"),
            carry("handover_deal_type", &["dealtype"], "Deal type"),
            carry("handover_priority", &["hs_priority"], "Priority"),
            carry("handover_next_step", &["hs_next_step"], "Next step"),
            carry("handover_won_reason", &["closed_won_reason"], "Closed won reason"),
        ],
        excluded: &[("associations.companies", "Pipedrive keeps one organization of a deal, the primary one")],
        back: &[],
    },
    Pair {
        flow: "calls",
        source: "calls",
        target: "activities",
        about: "",
        scope: "",
        opt_in: "",
        matching: &[],
        lines: activity![
            with("subject", &["hs_call_title"], "default: Call"),
            constant("type", "call"),
            expr("note", &["hs_call_body", "hs_call_duration", "hs_call_status"], CALL_TEXT),
            plain("note", &["hs_call_body"]),
            constant("done", "true"),
        ],
        excluded: &[ATTACHED],
        back: &[],
    },
    Pair {
        flow: "meetings",
        source: "meetings",
        target: "activities",
        about: "",
        scope: "",
        opt_in: "",
        matching: &[],
        lines: activity![
            with("subject", &["hs_meeting_title"], "default: Meeting"),
            constant("type", "meeting"),
            expr(
                "note",
                &["hs_internal_meeting_notes", "hs_meeting_external_url", "hs_meeting_end_time"],
                MEETING_TEXT,
            ),
            plain("note", &["hs_internal_meeting_notes"]),
            plain("public_description", &["hs_meeting_body"]),
            plain("location.value", &["hs_meeting_location"]),
            expr("done", &["hs_meeting_outcome"], MEETING_DONE),
        ],
        excluded: &[ATTACHED, ("hs_meeting_start_time", "the activity date says it")],
        back: &[],
    },
    Pair {
        flow: "tasks",
        source: "tasks",
        target: "activities",
        about: "",
        scope: "",
        opt_in: "",
        matching: &[],
        lines: activity![
            with("subject", &["hs_task_subject"], "default: Task"),
            constant("type", "task"),
            plain("note", &["hs_task_body"]),
            expr("done", &["hs_task_status"], TASK_DONE),
            choices("priority", &["hs_task_priority"], "task_priorities"),
        ],
        excluded: &[ATTACHED],
        back: &[],
    },
    Pair {
        flow: "notes",
        source: "notes",
        target: "notes",
        about: "",
        scope: "",
        opt_in: "",
        matching: &[],
        lines: linked![
            plain("content", &["hs_note_body"]),
            plain("add_time", &["hs_timestamp"]),
            plain("user_id", &["hubspot_owner_id"]),
            with("person_id", &["associations.contacts"], "steps: [first]"),
        ],
        excluded: &[ATTACHED, ("hubspot_owner_id", "only an administrator's token can set the author of a note")],
        back: &[],
    },
    Pair {
        flow: "files",
        source: "attachments",
        target: "files",
        about: "",
        scope: "",
        opt_in: "",
        matching: &[],
        lines: linked![
            plain("name", &["name"]),
            expr("description", &["hs_timestamp"], FILE_TEXT),
            with("person_id", &["associations.contacts"], "steps: [first]"),
        ],
        excluded: &[
            ("hs_timestamp", "Pipedrive sets the time of a file itself"),
            ("hubspot_owner_id", "Pipedrive sets the owner of a file itself"),
        ],
        back: &[],
    },
    Pair {
        flow: "emails",
        source: "emails",
        target: "notes",
        about: "Pipedrive takes no e-mail through its API: each becomes a note with its date, sender, recipients and\n\
            text, without styles and layout. It is no e-mail any more there, and answers to it start a thread of\n\
            their own.",
        scope: "",
        opt_in: "e-mail costs one call (10 tokens) for each message, which becomes a note: Pipedrive takes no e-mail through its API",
        matching: &[],
        lines: linked![
            expr(
                "content",
                &[
                    "hs_email_direction",
                    "hs_timestamp",
                    "hs_email_from_email",
                    "hs_email_to_email",
                    "hs_email_cc_email",
                    "hs_email_subject",
                    "hs_email_text",
                    "hs_email_html",
                ],
                MAIL_TEXT,
            ),
            plain("content", &["hs_email_html", "hs_email_text"]),
            plain("add_time", &["hs_timestamp"]),
            plain("user_id", &["hubspot_owner_id"]),
            with("person_id", &["associations.contacts"], "steps: [first]"),
        ],
        excluded: &[
            ("hs_attachment_ids", "attachments of e-mails are not moved"),
            ("hs_email_headers", "the note says who wrote to whom"),
            ("hs_email_status", "Pipedrive keeps no state of an e-mail that was sent elsewhere"),
            ("hubspot_owner_id", "only an administrator's token can set the author of a note"),
        ],
        back: &[],
    },
];
