//! Pipedrive (sheet: Pipedrive sections 2 and 3).

mod products;

use super::{
    Concept, Funnel, Lack, Lexicon, Make, OF_DEALS, Own, Scope, Thing, choice, expr, make, step, take, tell, thing,
    told, value, with,
};

const STREET: &str = "coalesce([concat([.address.route, .address.street_number], \" \"), .address.value])";
const POSTAL_STREET: &str =
    "coalesce([concat([.postal_address.route, .postal_address.street_number], \" \"), .postal_address.value])";
const FIRST_NAME: &str = "if is_blank(.first_name) && is_blank(.last_name) { .name } else { .first_name }";
const NAME: &str = "coalesce([{name}, {email}])";
const STARTS: &str = "if is_blank(.due_date) { .add_time } else { at!(.due_date, .due_time) }";
const ENDS: &str = "start = if is_blank(.due_date) { .add_time } else { at!(.due_date, .due_time) }\n\
    add_duration!(start, .duration)";
const TEXT: &str = "concat([.note, html(.public_description)], \"<br>\")";
const MEETING_TEXT: &str = "concat([{internal}, {url}], \"<br>\")";
const LENGTH: &str = "if is_blank({milliseconds}) { null } else { duration!({milliseconds}) }";
const UNTIL: &str = "if is_blank({ends}) || is_blank({starts}) || {ends} == {starts} { null } else { duration_between!({starts}, {ends}) }";
const ADDED: &str = "added = if is_blank({created_at}) { null } else { concat([\"Added\", format_date!({created_at}, \"%Y-%m-%d %H:%M\"), \"UTC\"], \" \") }\n\
    concat([{description}, added], \"\\n\")";
const ADDRESS: &str = "concat([{street}, {street2}, {postal_code}, {city}, {region}, {country}], \", \")";

const MAIL_TEXT: &str = "kind = if {sent} == false { \"E-mail received\" } else { \"E-mail sent\" }\n\
    when = if is_blank({created_at}) { null } else { concat([format_date!({created_at}, \"%Y-%m-%d %H:%M\"), \"UTC\"], \" \") }\n\
    from = if is_blank({from}) { null } else { concat([\"From:\", {from}], \" \") }\n\
    to = if is_blank({to}) { null } else { concat([\"To:\", {to}], \" \") }\n\
    cc = if is_blank({cc}) { null } else { concat([\"Cc:\", {cc}], \" \") }\n\
    subject = if is_blank({subject}) { null } else { concat([\"Subject:\", {subject}], \" \") }\n\
    concat([concat([kind, when], \", \"), from, to, cc, subject, {text}], \"<br>\")";

const PINNED: &str = "notes are pinned by hand";
const LOCATION: &str = "part of the location's text";
const VISIBILITY: (&str, &str) = ("visible_to", "who sees a record is a matter of the new system's own rules");
const NO_LEADS: (&str, &str) = ("lead_id", "leads are not moved");
const NO_PROJECTS: (&str, &str) = ("project_id", "projects are not moved");

pub(super) const LEXICON: Lexicon = Lexicon {
    title: "Pipedrive",
    lacks: &[Lack::Html, Lack::Bool, Lack::DateTime],
    points_to: &[Concept::Organization, Concept::Person],
    things: &[
        ORGANIZATIONS,
        PERSONS,
        DEALS,
        products::PRODUCTS,
        products::LINES,
        CALLS,
        MEETINGS,
        TASKS,
        NOTES,
        FILES,
        MAILS,
        MAIL_NOTES,
    ],
    made: None,
};

const ORGANIZATIONS: Thing = Thing {
    own_fields: Own::Plain,
    keys: &[("domain", "site", &["website"]), ("text", "name", &["name"])],
    tells: &[
        tell("name", &["name"]),
        tell("website", &["website"]),
        tell("owner", &["owner_id"]),
        tell("linkedin", &["linkedin"]),
        tell("revenue", &["annual_revenue"]),
        tell("employees", &["employee_count"]),
        tell("industry", &["industry"]),
        told("street", &["address.route", "address.street_number", "address.value"], STREET),
        tell("street", &["address.value"]),
        tell("street2", &["address.subpremise"]),
        tell("address", &["address.value"]),
        tell("city", &["address.locality"]),
        tell("region", &["address.admin_area_level_1"]),
        tell("postal_code", &["address.postal_code"]),
        tell("country", &["address.country"]),
        tell("county", &["address.admin_area_level_2"]),
        tell("district", &["address.sublocality"]),
        tell("parent", &["parent"]),
        tell("labels", &["label_ids"]),
        tell("created_at", &["add_time"]),
    ],
    takes: &[
        expr("name", &["name", "domain"], "coalesce([{name}, {domain}])"),
        take("website", &["website", "domain"]),
        take("owner_id", &["owner"]),
        take("linkedin", &["linkedin"]),
        take("annual_revenue", &["revenue"]),
        take("employee_count", &["employees"]),
        choice("industry", "industry", "industries"),
        expr("address.value", &["street", "city", "country"], ADDRESS),
        take("address.locality", &["city"]),
        take("address.admin_area_level_1", &["region"]),
        take("address.postal_code", &["postal_code"]),
        take("address.country", &["country"]),
        take("address.subpremise", &["street2"]),
        with("parent", &["parent"], "later: true"),
        take("add_time", &["created_at"]),
        choice("label_ids", "labels", "labels"),
    ],
    left: &[VISIBILITY],
    ..thing(Concept::Organization, "organizations", "organizations")
};

const PERSONS: Thing = Thing {
    about: "Add `region: DE` (your country) to the phone key if numbers are kept without a country code.",
    own_fields: Own::Plain,
    keys: &[("email", "emails", &["emails"]), ("phone", "phones", &["phones"])],
    tells: &[
        told("first_name", &["first_name", "last_name", "name"], FIRST_NAME),
        tell("first_name", &["name"]),
        tell("last_name", &["last_name"]),
        tell("name", &["name"]),
        step("given_name", &["name"], "first_name"),
        step("family_name", &["name"], "last_name"),
        step("email", &["emails"], "primary"),
        step("other_emails", &["emails"], "others"),
        tell("emails", &["emails"]),
        step("phone", &["phones"], "primary"),
        step("mobile", &["phones"], "others, first"),
        step("other_phones", &["phones"], "others"),
        tell("phones", &["phones"]),
        tell("owner", &["owner_id"]),
        tell("organization", &["org_id"]),
        tell("job_title", &["job_title"]),
        tell("birthday", &["birthday"]),
        told(
            "street",
            &["postal_address.route", "postal_address.street_number", "postal_address.value"],
            POSTAL_STREET,
        ),
        tell("city", &["postal_address.locality"]),
        tell("region", &["postal_address.admin_area_level_1"]),
        tell("postal_code", &["postal_address.postal_code"]),
        tell("country", &["postal_address.country"]),
        tell("labels", &["label_ids"]),
        tell("marketing", &["marketing_status"]),
        tell("created_at", &["add_time"]),
    ],
    takes: &[
        expr("name", &["name", "email"], NAME),
        take("name", &["name"]),
        expr(
            "emails",
            &["email", "other_emails"],
            "split(concat([{email}, join({other_emails}, \"; \")], \"; \"), \"; \")",
        ),
        take("emails", &["emails"]),
        expr(
            "phones",
            &["phone", "other_phones"],
            "split(concat([{phone}, join({other_phones}, \"; \")], \"; \"), \"; \")",
        ),
        take("phones", &["phones"]),
        take("owner_id", &["owner"]),
        take("org_id", &["organization"]),
        take("add_time", &["created_at"]),
        choice("label_ids", "labels", "labels"),
    ],
    back: &[take("name", &["name"])],
    left: &[VISIBILITY, ("picture_id", "pictures of people are not moved")],
    ..thing(Concept::Person, "persons", "persons")
};

const DEALS: Thing = Thing {
    own_fields: Own::Plain,
    tells: &[
        tell("title", &["title"]),
        tell("amount", &["value"]),
        tell("currency", &["currency"]),
        tell("close", &["won_time", "lost_time", "close_time", "expected_close_date"]),
        tell("closed", &["won_time", "lost_time", "close_time"]),
        tell("expected_close", &["expected_close_date"]),
        tell("lost_reason", &["lost_reason"]),
        tell("owner", &["owner_id"]),
        tell("organization", &["org_id"]),
        tell("person", &["person_id"]),
        tell("other_persons", &["participants"]),
        tell("persons", &["person_id", "participants"]),
        tell("labels", &["label_ids"]),
        tell("probability", &["probability"]),
        tell("archived", &["is_archived"]),
        tell("created_at", &["add_time"]),
        tell("created_by", &["creator_user_id"]),
    ],
    takes: &[
        take("title", &["title"]),
        take("value", &["amount"]),
        take("currency", &["currency"]),
        make("stage_id", Make::Stage),
        make("pipeline_id", Make::Pipeline),
        make("status", Make::Status),
        make("won_time", Make::Ending("if {won} { {closed} } else { null }", "")),
        make("lost_time", Make::Ending("if {lost} { {closed} } else { null }", "")),
        make("lost_reason", Make::Ending("if {lost} { {lost_reason} } else { null }", "")),
        take("expected_close_date", &["expected_close"]),
        take("owner_id", &["owner"]),
        take("org_id", &["organization"]),
        take("person_id", &["person"]),
        // The main person takes part without a link of its own.
        with("participants", &["other_persons"], "later: true"),
        take("add_time", &["created_at"]),
        choice("label_ids", "labels", "labels"),
    ],
    back: &[
        make("status", Make::Ending("if {won} { \"won\" } else if {lost} { \"lost\" } else { \"open\" }", "")),
        make(
            "stage_id",
            Make::Ending("if {won} { null } else if {lost} { null } else { {stage} }", "translate: deal_stages"),
        ),
        make(
            "expected_close_date",
            Make::Ending("if {won} { null } else if {lost} { null } else { {expected_close} }", ""),
        ),
        take("person_id", &["person"]),
        take("participants", &["persons"]),
    ],
    funnel: Some(Funnel {
        tables: &OF_DEALS,
        pipeline: "pipeline_id",
        stage: "stage_id",
        status: Some(("status", ["open", "won", "lost"])),
    }),
    left: &[
        VISIBILITY,
        ("archive_time", "the flag is kept"),
        ("participants_count", "counted from the participants"),
        ("local_won_date", "derived from won_time"),
        ("local_lost_date", "derived from lost_time"),
        ("local_close_date", "derived from close_time"),
    ],
    ..thing(Concept::Deal, "deals", "deals")
};

macro_rules! activity {
    ($concept:expr, $flow:literal, $scope:expr, $kind:literal, $title:literal, [$($tell:expr),*], [$($take:expr),*]) => {
        Thing {
            scope: $scope,
            tells: &[
                tell("title", &["subject"]),
                told("text", &["note", "public_description"], TEXT),
                tell("text", &["note"]),
                tell("location", &["location.value"]),
                told("starts", &["due_date", "due_time", "add_time"], STARTS),
                tell("day", &["due_date"]),
                tell("clock", &["due_time"]),
                told("ends", &["due_date", "due_time", "add_time", "duration"], ENDS),
                step("milliseconds", &["duration"], "duration_ms!"),
                tell("done", &["done"]),
                tell("done_at", &["marked_as_done_time"]),
                tell("owner", &["owner_id"]),
                tell("deal", &["deal_id"]),
                tell("organization", &["org_id"]),
                tell("person", &["person_id"]),
                tell("persons", &["person_id", "participants"]),
                tell("priority", &["priority"]),
                tell("outcome", &["outcome"]),
                tell("internal", &["note"]),
                tell("public", &["public_description"]),
                told("is_email", &["type"], ".type == \"email\""),
                $($tell,)*
                tell("url", &["conference_meeting_url"]),
                tell("created_at", &["add_time"]),
                tell("created_by", &["creator_user_id"]),
            ],
            takes: &[
                with("subject", &["title"], concat!("default: ", $title)),
                value("type", $kind),
                $($take,)*
                take("note", &["text"]),
                take("location.value", &["location"]),
                take("due_date", &["day", "starts"]),
                take("due_time", &["clock"]),
                expr("duration", &["milliseconds"], LENGTH),
                expr("duration", &["ends", "starts"], UNTIL),
                take("done", &["done"]),
                take("owner_id", &["owner"]),
                choice("priority", "priority", "task_priorities"),
                take("deal_id", &["deal"]),
                take("org_id", &["organization"]),
                take("participants", &["persons"]),
            ],
            back: &[
                value("type", $kind),
                take("due_date", &["day", "starts"]),
                take("due_time", &["clock"]),
            ],
            left: &[
                ("type", "the flow itself says it: see `where`"),
                ("location.country", LOCATION),
                ("location.admin_area_level_1", LOCATION),
                ("location.admin_area_level_2", LOCATION),
                ("location.locality", LOCATION),
                ("location.sublocality", LOCATION),
                ("location.route", LOCATION),
                ("location.street_number", LOCATION),
                ("location.subpremise", LOCATION),
                ("location.postal_code", LOCATION),
                NO_LEADS,
                NO_PROJECTS,
                ("busy", "free and busy times are a matter of calendars"),
                ("attendees", "they name ids of the old account; the participants are linked"),
                ("conference_meeting_client", "the meeting's address says it"),
                ("conference_meeting_url", "addresses of meetings are kept for meetings only"),
                ("conference_meeting_id", "the meeting's address says it"),
            ],
            ..thing($concept, "activities", $flow)
        }
    };
}

const CALLS: Thing = activity!(Concept::Call, "calls", Scope::Where(".type == \"call\""), "call", "Call", [], []);
const MEETINGS: Thing = activity!(
    Concept::Meeting,
    "meetings",
    Scope::Where(".type == \"meeting\""),
    "meeting",
    "Meeting",
    [],
    [
        expr("note", &["internal", "url"], MEETING_TEXT),
        take("note", &["internal"]),
        take("public_description", &["public"])
    ]
);
const TASKS: Thing = activity!(
    Concept::Task,
    "tasks",
    Scope::Where(".type != \"call\" && .type != \"meeting\""),
    "task",
    "Task",
    [tell("activity_type", &["type"])],
    []
);

const NOTES: Thing = Thing {
    tells: &[
        tell("text", &["content"]),
        tell("created_at", &["add_time"]),
        tell("author", &["user_id"]),
        tell("deal", &["deal_id"]),
        tell("person", &["person_id"]),
        tell("organization", &["org_id"]),
    ],
    takes: &[
        make("content", Make::Dated("add_time")),
        take("add_time", &["created_at"]),
        take("user_id", &["author"]),
        take("deal_id", &["deal"]),
        take("person_id", &["person"]),
        take("org_id", &["organization"]),
    ],
    left: &[
        NO_LEADS,
        NO_PROJECTS,
        ("pinned_to_deal_flag", PINNED),
        ("pinned_to_person_flag", PINNED),
        ("pinned_to_organization_flag", PINNED),
        ("pinned_to_lead_flag", PINNED),
        ("last_update_user_id", "the author is kept"),
    ],
    hangs: true,
    ..thing(Concept::Note, "notes", "notes")
};

const FILES: Thing = Thing {
    tells: &[
        tell("title", &["name", "file_name"]),
        tell("file_name", &["file_name", "name"]),
        tell("description", &["description"]),
        tell("created_at", &["add_time"]),
        tell("author", &["user_id"]),
        tell("deal", &["deal_id"]),
        tell("person", &["person_id"]),
        tell("organization", &["org_id"]),
    ],
    takes: &[
        take("name", &["title", "file_name"]),
        // Pipedrive sets the time of a file itself.
        expr("description", &["created_at"], ADDED),
        take("description", &["description"]),
        take("deal_id", &["deal"]),
        take("person_id", &["person"]),
        take("org_id", &["organization"]),
    ],
    left: &[
        ("activity_id", "files of activities are not moved"),
        ("product_id", "files of products are not moved"),
        NO_LEADS,
    ],
    ..thing(Concept::File, "files", "files")
};

/// Synced e-mail: read, never written.
const MAILS: Thing = Thing {
    about: "Synced e-mail, without its attachments. Drafts stay behind. The text is read message by message: take\n\
        `body` out of its rule and exclude it, and the beginning of the text has to do.",
    scope: Scope::Where(".draft_flag != true"),
    opt_in: "synced e-mail costs one call (20 tokens) for each deal and each person that has some, and one (2 tokens) for the text of each message",
    tells: &[
        tell("sent", &["sent_flag"]),
        tell("subject", &["subject"]),
        told("text", &["body", "snippet"], "coalesce([.body, html(.snippet)])"),
        tell("text", &["body"]),
        tell("from", &["from"]),
        tell("to", &["to"]),
        tell("cc", &["cc"]),
        tell("bcc", &["bcc"]),
        tell("created_at", &["message_time", "add_time"]),
        tell("author", &["user_id"]),
        tell("deal", &["deal_id"]),
        tell("persons", &["linked_person_id"]),
    ],
    left: &[
        ("draft_flag", "drafts are not moved: see `where`"),
        ("mail_thread_id", "threads are made anew of the addresses and the subject"),
        ("has_body_flag", "the text says it"),
        ("has_attachments_flag", "attachments of e-mails are not moved"),
    ],
    ..thing(Concept::Email, "mail_messages", "emails")
};

const MAIL_NOTES: Thing = Thing {
    about: "Pipedrive takes no e-mail through its API: each becomes a note with its date, sender, recipients and\n\
        text, without styles and layout. It is no e-mail any more there, and answers to it start a thread of\n\
        their own.",
    opt_in: "e-mail costs one call (10 tokens) for each message, which becomes a note: Pipedrive takes no e-mail through its API",
    takes: &[
        expr("content", &["text"], MAIL_TEXT),
        take("add_time", &["created_at"]),
        take("user_id", &["author"]),
        take("deal_id", &["deal"]),
        take("person_id", &["person"]),
        take("org_id", &["organization"]),
    ],
    ..thing(Concept::Email, "notes", "emails")
};
