//! From Pipedrive to HubSpot.

use super::template::{Line, Pair, by, by_ending, carry, carry_with, choices, constant, expr, plain, stages, with};

const STREET: &str = "street = concat([.address.route, .address.street_number], \" \")\n\
    if is_blank(street) { .address.value } else { street }";
const POSTAL_STREET: &str = "street = concat([.postal_address.route, .postal_address.street_number], \" \")\n\
    if is_blank(street) { .postal_address.value } else { street }";
const FIRST_NAME: &str = "if is_blank(.first_name) && is_blank(.last_name) { .name } else { .first_name }";
const DEAL_STAGE: &str = "if .status == \"won\" { concat([.pipeline_id, \"won\"], \":\") }\n\
    else if .status == \"lost\" { concat([.pipeline_id, \"lost\"], \":\") }\n\
    else { .stage_id }";
const STATUS: &str = "if {won} { \"won\" } else if {lost} { \"lost\" } else { \"open\" }";
const OPEN_STAGE: &str = "if {won} { null } else if {lost} { null } else { .dealstage }";
const OPEN_CLOSE: &str = "if {won} { null } else if {lost} { null } else { .closedate }";
const DUE: &str = "if is_blank(.due_date) { .add_time } else { at!(.due_date, .due_time) }";
const END: &str = "start = if is_blank(.due_date) { .add_time } else { at!(.due_date, .due_time) }\n\
    add_duration!(start, .duration)";
const TEXTS: &str = "concat([.note, html(.public_description), html(.location.value)], \"<br>\")";
const CALL_STATUS: &str = "if .done == true { \"COMPLETED\" } else { null }";
const MEETING_OUTCOME: &str = "if .done == true { \"COMPLETED\" } else { \"SCHEDULED\" }";
const TASK_STATUS: &str = "if .done == true { \"COMPLETED\" } else { \"NOT_STARTED\" }";
const TASK_TYPE: &str = "if .type == \"email\" { \"EMAIL\" } else { \"TODO\" }";
const MAIL_DIRECTION: &str = "if .sent_flag == true { \"EMAIL\" } else { \"INCOMING_EMAIL\" }";
const MAIL_STATUS: &str = "if .sent_flag == true { \"SENT\" } else { null }";
const MAIL_TEXT: &str = "if is_blank(.body) { html(.snippet) } else { .body }";
const MAIL_HEADERS: &str = "email_headers(.from, .to, .cc, .bcc)";
const FILE_TEXT: &str = "concat([concat([\"File:\", html(.name)], \" \"), html(.description)], \"<br>\")";

const CREATED_BY: Line = carry("handover_created_by", &["creator_user_id"], "Created by (before the move)");
const CREATED_AT: Line = carry("handover_created_at", &["add_time"], "Created (before the move)");

const VISIBILITY: (&str, &str) = ("visible_to", "who sees a record is a matter of HubSpot's teams and permissions");
const NO_LEADS: (&str, &str) = ("lead_id", "leads are not moved");
const NO_PROJECTS: (&str, &str) = ("project_id", "projects are not moved");

const ACTIVITY_EXCLUDED: [(&str, &str); 18] = [
    ("type", "the flow itself says it: see `where`"),
    // The location's text says all of its parts.
    ("location.country", "part of the location's text"),
    ("location.admin_area_level_1", "part of the location's text"),
    ("location.admin_area_level_2", "part of the location's text"),
    ("location.locality", "part of the location's text"),
    ("location.sublocality", "part of the location's text"),
    ("location.route", "part of the location's text"),
    ("location.street_number", "part of the location's text"),
    ("location.subpremise", "part of the location's text"),
    ("location.postal_code", "part of the location's text"),
    NO_LEADS,
    NO_PROJECTS,
    ("busy", "HubSpot keeps no free and busy times"),
    ("attendees", "they name ids of the old account; the participants are linked"),
    ("conference_meeting_client", "the meeting's address says it"),
    ("conference_meeting_id", "the meeting's address says it"),
    ("conference_meeting_url", "HubSpot keeps such addresses for meetings only"),
    ("priority", "HubSpot keeps priorities for tasks only"),
];

/// What calls, meetings and tasks have in common.
macro_rules! activity {
    ($($line:expr),* $(,)?) => {
        &[
            CREATED_AT,
            CREATED_BY,
            $($line,)*
            expr("hs_timestamp", &["due_date", "due_time", "add_time"], DUE),
            plain("hubspot_owner_id", &["owner_id"]),
            plain("associations.deals", &["deal_id"]),
            plain("associations.companies", &["org_id"]),
            plain("associations.contacts", &["person_id", "participants"]),
            carry("handover_done_at", &["marked_as_done_time"], "Done (before the move)"),
            carry("handover_outcome", &["outcome"], "Outcome (before the move)"),
        ]
    };
}

pub(super) const PAIRS: &[Pair] = &[
    Pair {
        flow: "organizations",
        source: "organizations",
        target: "companies",
        about: "",
        scope: "",
        opt_in: "",
        matching: &[by("domain", "website", &["domain"]), by("text", "name", &["name"])],
        lines: &[
            plain("name", &["name"]),
            with("domain", &["website"], "steps: [domain]"),
            plain("website", &["website"]),
            plain("hubspot_owner_id", &["owner_id"]),
            plain("linkedin_company_page", &["linkedin"]),
            plain("annualrevenue", &["annual_revenue"]),
            plain("numberofemployees", &["employee_count"]),
            choices("industry", &["industry"], "industries"),
            expr("address", &["address.route", "address.street_number", "address.value"], STREET),
            plain("address", &["address.value"]),
            plain("address2", &["address.subpremise"]),
            plain("city", &["address.locality"]),
            plain("state", &["address.admin_area_level_1"]),
            plain("zip", &["address.postal_code"]),
            plain("country", &["address.country"]),
            with("associations.parent_company", &["parent"], "later: true"),
            carry("handover_labels", &["label_ids"], "Labels (before the move)"),
            carry("handover_county", &["address.admin_area_level_2"], "County"),
            carry("handover_district", &["address.sublocality"], "District"),
            plain("createdate", &["add_time"]),
            CREATED_AT,
        ],
        excluded: &[VISIBILITY],
        back: &[],
    },
    Pair {
        flow: "persons",
        source: "persons",
        target: "contacts",
        about: "Add `region: DE` (your country) to the phone key if numbers are kept without a country code.",
        scope: "",
        opt_in: "",
        matching: &[
            by("email", "emails", &["email", "hs_additional_emails"]),
            by("phone", "phones", &["phone", "mobilephone"]),
        ],
        lines: &[
            expr("firstname", &["first_name", "last_name", "name"], FIRST_NAME),
            plain("firstname", &["name"]),
            plain("lastname", &["last_name"]),
            with("email", &["emails"], "steps: [primary]"),
            with("hs_additional_emails", &["emails"], "steps: [others]"),
            carry_with(
                "handover_other_emails",
                &["emails"],
                "Other e-mail addresses",
                "steps: [{others: {separator: \"; \"}}]",
            ),
            with("phone", &["phones"], "steps: [primary]"),
            with("mobilephone", &["phones"], "steps: [others, first]"),
            carry_with(
                "handover_other_phones",
                &["phones"],
                "Other phone numbers",
                "steps: [{others: {separator: \"; \"}}]",
            ),
            plain("hubspot_owner_id", &["owner_id"]),
            plain("associations.primary_company", &["org_id"]),
            plain("jobtitle", &["job_title"]),
            plain("date_of_birth", &["birthday"]),
            expr(
                "address",
                &["postal_address.route", "postal_address.street_number", "postal_address.value"],
                POSTAL_STREET,
            ),
            plain("city", &["postal_address.locality"]),
            plain("state", &["postal_address.admin_area_level_1"]),
            plain("zip", &["postal_address.postal_code"]),
            plain("country", &["postal_address.country"]),
            carry("handover_labels", &["label_ids"], "Labels (before the move)"),
            carry("handover_marketing_status", &["marketing_status"], "Marketing status (before the move)"),
            plain("createdate", &["add_time"]),
            CREATED_AT,
        ],
        excluded: &[VISIBILITY, ("picture_id", "HubSpot takes no pictures of contacts through its API")],
        back: &[expr("name", &["firstname", "lastname"], "concat([.firstname, .lastname], \" \")")],
    },
    Pair {
        flow: "deals",
        source: "deals",
        target: "deals",
        about: "Won and lost deals go to the stages that translations/deal_stages.csv names for `PIPELINE:won` and\n\
            `PIPELINE:lost`; the pipeline goes with the stage, so both tables must agree.",
        scope: "",
        opt_in: "",
        matching: &[],
        lines: &[
            plain("dealname", &["title"]),
            plain("amount", &["value"]),
            plain("deal_currency_code", &["currency"]),
            stages("dealstage", &["stage_id", "status", "pipeline_id"], "deal_stages", DEAL_STAGE),
            stages("pipeline", &["pipeline_id"], "deal_pipelines", ""),
            plain("closedate", &["won_time", "lost_time", "close_time", "expected_close_date"]),
            plain("closed_lost_reason", &["lost_reason"]),
            plain("hubspot_owner_id", &["owner_id"]),
            plain("associations.primary_company", &["org_id"]),
            with("associations.contacts", &["person_id", "participants"], "later: true"),
            carry("handover_labels", &["label_ids"], "Labels (before the move)"),
            carry("handover_probability", &["probability"], "Probability (before the move)"),
            carry("handover_archived", &["is_archived"], "Archived (before the move)"),
            plain("createdate", &["add_time"]),
            CREATED_AT,
            CREATED_BY,
        ],
        excluded: &[
            VISIBILITY,
            ("archive_time", "the flag is kept"),
            ("participants_count", "counted from the participants"),
            ("local_won_date", "derived from won_time"),
            ("local_lost_date", "derived from lost_time"),
            ("local_close_date", "derived from close_time"),
        ],
        back: &[
            with("person_id", &["associations.contacts"], "steps: [first]"),
            plain("participants", &["associations.contacts"]),
            by_ending("status", &["dealstage"], STATUS, ""),
            by_ending("stage_id", &["dealstage"], OPEN_STAGE, "translate: deal_stages"),
            by_ending("expected_close_date", &["closedate", "dealstage"], OPEN_CLOSE, ""),
        ],
    },
    Pair {
        flow: "calls",
        source: "activities",
        target: "calls",
        about: "",
        scope: ".type == \"call\"",
        opt_in: "",
        matching: &[],
        lines: activity![
            plain("hs_call_title", &["subject"]),
            expr("hs_call_body", &["note", "public_description", "location.value"], TEXTS),
            plain("hs_call_body", &["note"]),
            with("hs_call_duration", &["duration"], "steps: [duration_ms]"),
            expr("hs_call_status", &["done"], CALL_STATUS),
        ],
        excluded: &ACTIVITY_EXCLUDED,
        back: &[constant("type", "call"), plain("due_date", &["hs_timestamp"]), plain("due_time", &["hs_timestamp"])],
    },
    Pair {
        flow: "meetings",
        source: "activities",
        target: "meetings",
        about: "",
        scope: ".type == \"meeting\"",
        opt_in: "",
        matching: &[],
        lines: activity![
            plain("hs_meeting_title", &["subject"]),
            with("hs_meeting_body", &["public_description"], "steps: [html]"),
            plain("hs_internal_meeting_notes", &["note"]),
            plain("hs_meeting_location", &["location.value"]),
            plain("hs_meeting_external_url", &["conference_meeting_url"]),
            expr("hs_meeting_start_time", &["due_date", "due_time", "add_time"], DUE),
            expr("hs_meeting_end_time", &["due_date", "due_time", "add_time", "duration"], END),
            expr("hs_meeting_outcome", &["done"], MEETING_OUTCOME),
        ],
        excluded: &ACTIVITY_EXCLUDED,
        back: &[
            constant("type", "meeting"),
            plain("due_date", &["hs_timestamp"]),
            plain("due_time", &["hs_timestamp"]),
        ],
    },
    Pair {
        flow: "tasks",
        source: "activities",
        target: "tasks",
        about: "Everything that is neither a call nor a meeting: e-mails, deadlines, lunches, types of your own.",
        scope: ".type != \"call\" && .type != \"meeting\"",
        opt_in: "",
        matching: &[],
        lines: activity![
            carry("handover_activity_type", &["type"], "Activity type (before the move)"),
            plain("hs_task_subject", &["subject"]),
            expr("hs_task_body", &["note", "public_description", "location.value"], TEXTS),
            plain("hs_task_body", &["note"]),
            expr("hs_task_status", &["done"], TASK_STATUS),
            expr("hs_task_type", &["type"], TASK_TYPE),
            choices("hs_task_priority", &["priority"], "task_priorities"),
            carry("handover_duration", &["duration"], "Duration (before the move)"),
        ],
        excluded: &ACTIVITY_EXCLUDED,
        back: &[constant("type", "task"), plain("due_date", &["hs_timestamp"]), plain("due_time", &["hs_timestamp"])],
    },
    Pair {
        flow: "notes",
        source: "notes",
        target: "notes",
        about: "",
        scope: "",
        opt_in: "",
        matching: &[],
        lines: &[
            plain("hs_note_body", &["content"]),
            plain("hs_timestamp", &["add_time"]),
            plain("hubspot_owner_id", &["user_id"]),
            plain("associations.deals", &["deal_id"]),
            plain("associations.contacts", &["person_id"]),
            plain("associations.companies", &["org_id"]),
        ],
        excluded: &[
            NO_LEADS,
            NO_PROJECTS,
            ("pinned_to_deal_flag", "HubSpot pins one activity of a record by hand"),
            ("pinned_to_person_flag", "HubSpot pins one activity of a record by hand"),
            ("pinned_to_organization_flag", "HubSpot pins one activity of a record by hand"),
            ("pinned_to_lead_flag", "leads are not moved"),
            ("last_update_user_id", "the author is kept"),
        ],
        back: &[],
    },
    Pair {
        flow: "files",
        source: "files",
        target: "files",
        about: "The bytes. What a file hangs on is said by a note: the flow `file_notes`.",
        scope: "",
        opt_in: "",
        matching: &[],
        lines: &[plain("name", &["name", "file_name"]), constant("folderPath", "/handover")],
        excluded: &[
            ("description", "goes into the note of `file_notes`"),
            ("deal_id", "goes into the note of `file_notes`"),
            ("person_id", "goes into the note of `file_notes`"),
            ("org_id", "goes into the note of `file_notes`"),
            ("user_id", "goes into the note of `file_notes`"),
            ("add_time", "goes into the note of `file_notes`"),
            ("activity_id", "HubSpot links notes to contacts, companies and deals only"),
            ("product_id", "products are not moved"),
            NO_LEADS,
        ],
        back: &[],
    },
    Pair {
        flow: "file_notes",
        source: "files",
        target: "notes",
        about: "HubSpot attaches a file to a record through a note that carries it.",
        scope: "",
        opt_in: "",
        matching: &[],
        lines: &[
            with("hs_attachment_ids", &["id"], "flow: files"),
            expr("hs_note_body", &["name", "description"], FILE_TEXT),
            plain("hs_timestamp", &["add_time"]),
            plain("hubspot_owner_id", &["user_id"]),
            plain("associations.deals", &["deal_id"]),
            plain("associations.contacts", &["person_id"]),
            plain("associations.companies", &["org_id"]),
        ],
        excluded: &[
            ("file_name", "the file itself has it"),
            ("activity_id", "HubSpot links notes to contacts, companies and deals only"),
            ("product_id", "products are not moved"),
            NO_LEADS,
        ],
        back: &[],
    },
    Pair {
        flow: "emails",
        source: "mail_messages",
        target: "emails",
        about: "Synced e-mail, without its attachments. Drafts stay behind. The text is read message by message: take\n\
            `body` out of the rule of `hs_email_html` and exclude it, and the beginning of the text has to do.",
        scope: ".draft_flag != true",
        opt_in: "synced e-mail costs one call (20 tokens) for each deal and each person that has some, and one (2 tokens) for the text of each message",
        matching: &[],
        lines: &[
            expr("hs_email_direction", &["sent_flag"], MAIL_DIRECTION),
            expr("hs_email_status", &["sent_flag"], MAIL_STATUS),
            plain("hs_email_subject", &["subject"]),
            expr("hs_email_html", &["body", "snippet"], MAIL_TEXT),
            plain("hs_email_html", &["body"]),
            expr("hs_email_headers", &["from", "to", "cc", "bcc"], MAIL_HEADERS),
            plain("hs_timestamp", &["message_time", "add_time"]),
            plain("hubspot_owner_id", &["user_id"]),
            plain("associations.deals", &["deal_id"]),
            // One of many recipients who is held does not hold the message.
            with("associations.contacts", &["linked_person_id"], "later: true"),
        ],
        excluded: &[
            ("draft_flag", "drafts are not moved: see `where`"),
            ("mail_thread_id", "HubSpot makes its threads of the addresses and the subject"),
            ("has_body_flag", "the text says it"),
            ("has_attachments_flag", "attachments of e-mails are not moved"),
        ],
        back: &[],
    },
];
