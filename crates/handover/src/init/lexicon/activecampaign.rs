//! ActiveCampaign (sheet: ActiveCampaign sections 2, 3 and 9).

use super::terms::{ENDS, ORGANIZATION_ALONE, PERSON_ALONE, SUBJECT, TEXT};
use super::{
    Concept, Funnel, Lack, Lexicon, Make, OF_DEALS, Own, Scope, Thing, expr, make, take, tell, thing, told, value, with,
};

/// Notes and tasks hang on one record: the deal, else the person, else the account.
const JOB_TITLE: &str = "if is_blank({organization}) { null } else { {job_title} }";

pub(super) const LEXICON: Lexicon = Lexicon {
    title: "ActiveCampaign",
    lacks: &[Lack::Html, Lack::Bool, Lack::Time, Lack::User],
    points_to: &[],
    things: &[ACCOUNTS, CONTACTS, DEALS, CALLS, MEETINGS, TASKS, NOTES],
    made: None,
};

const ACCOUNTS: Thing = Thing {
    about: "Names of accounts are unique in ActiveCampaign: a second one of a name is held until somebody renames it.",
    own_fields: Own::Plain,
    keys: &[("domain", "site", &["accountUrl"]), ("text", "name", &["name"])],
    tells: &[
        tell("name", &["name"]),
        tell("website", &["accountUrl"]),
        tell("owner", &["owner"]),
        tell("created_at", &["createdTimestamp"]),
    ],
    takes: &[
        expr("name", &["name", "domain"], "coalesce([{name}, {domain}])"),
        take("accountUrl", &["website", "domain"]),
        take("owner", &["owner"]),
    ],
    ..thing(Concept::Organization, "accounts", "accounts")
};

const CONTACTS: Thing = Thing {
    about: "A contact is its e-mail address in ActiveCampaign: whoever has none is held.",
    own_fields: Own::Plain,
    keys: &[("email", "emails", &["email"])],
    tells: &[
        tell("first_name", &["firstName"]),
        tell("last_name", &["lastName"]),
        told("name", &["firstName", "lastName"], "concat([.firstName, .lastName], \" \")"),
        tell("email", &["email"]),
        tell("phone", &["phone"]),
        tell("organization", &["accountContact.account"]),
        tell("job_title", &["accountContact.jobTitle"]),
        tell("created_at", &["cdate"]),
    ],
    takes: &[
        take("email", &["email"]),
        take("firstName", &["first_name", "name"]),
        take("lastName", &["last_name"]),
        take("phone", &["phone"]),
        take("accountContact.account", &["organization"]),
        // It stands with the account: people without one keep it in a field of their own.
        make("accountContact.jobTitle", Make::Part(&["organization", "job_title"], JOB_TITLE)),
    ],
    left: &[
        ("tags", "tags are read contact by contact: write a rule if they are wanted"),
        ("lists", "whom the company writes to is agreed with each person, list by list"),
        ("unsubscribed_lists", "whom the company writes to is agreed with each person, list by list"),
    ],
    ..thing(Concept::Person, "contacts", "contacts")
};

const DEALS: Thing = Thing {
    about: "A deal needs a value, a currency, and a contact or an account.",
    own_fields: Own::Plain,
    tells: &[
        tell("title", &["title"]),
        tell("amount", &["value"]),
        tell("currency", &["currency"]),
        tell("owner", &["owner"]),
        tell("organization", &["account"]),
        tell("person", &["contact"]),
        tell("other_persons", &["contactDeals"]),
        tell("persons", &["contact", "contactDeals"]),
        tell("description", &["description"]),
        tell("probability", &["percent"]),
        tell("created_at", &["cdate"]),
    ],
    takes: &[
        take("title", &["title"]),
        with("value", &["amount"], "default: 0"),
        take("currency", &["currency"]),
        make("stage", Make::Stage),
        make("group", Make::Pipeline),
        make("status", Make::Status),
        take("owner", &["owner"]),
        take("account", &["organization"]),
        take("contact", &["person"]),
        with("contactDeals", &["other_persons"], "later: true"),
        take("description", &["description"]),
    ],
    back: &[
        make("status", Make::Ending("if {won} { \"1\" } else if {lost} { \"2\" } else { \"0\" }", "")),
        make(
            "stage",
            Make::Ending("if {won} { null } else if {lost} { null } else { {stage} }", "translate: deal_stages"),
        ),
        take("contact", &["person"]),
    ],
    funnel: Some(Funnel {
        tables: &OF_DEALS,
        pipeline: "group",
        stage: "stage",
        status: Some(("status", ["0", "1", "2"])),
    }),
    ..thing(Concept::Deal, "deals", "deals")
};

macro_rules! task {
    ($concept:expr, $flow:literal, $scope:expr, $kind:literal, $about:literal) => {
        Thing {
            about: $about,
            scope: $scope,
            tells: &[
                tell("title", &["title"]),
                tell("text", &["note"]),
                tell("starts", &["duedate"]),
                tell("ends", &["edate"]),
                tell("done", &["status"]),
                tell("owner", &["assignee"]),
                tell("deal", &["deal"]),
                tell("person", &["contact"]),
                tell("created_at", &["cdate"]),
                tell("created_by", &["user"]),
            ],
            takes: &[
                expr("title", &["title", "text"], SUBJECT),
                expr("note", &["text", "location"], TEXT),
                take("note", &["text"]),
                value("dealTasktype", $kind),
                take("duedate", &["starts"]),
                expr("edate", &["ends", "starts"], ENDS),
                take("edate", &["starts"]),
                take("status", &["done"]),
                take("assignee", &["owner"]),
                take("deal", &["deal"]),
                expr("contact", &["person"], PERSON_ALONE),
            ],
            left: &[("dealTasktype", "the flow itself says it: see `where`")],
            hangs: true,
            ..thing($concept, "dealTasks", $flow)
        }
    };
}

const CALLS: Thing = task!(
    Concept::Call,
    "calls",
    Scope::Option("dealTasktype", "Call"),
    "Call",
    "A task hangs on a deal or a contact, on nothing else."
);
const MEETINGS: Thing = task!(
    Concept::Meeting,
    "meetings",
    Scope::Option("dealTasktype", "Meeting"),
    "Meeting",
    "A task hangs on a deal or a contact, on nothing else."
);
const TASKS: Thing = task!(
    Concept::Task,
    "tasks",
    Scope::Others("dealTasktype", &["Call", "Meeting"]),
    "Task",
    "A task hangs on a deal or a contact, on nothing else."
);

const NOTES: Thing = Thing {
    about: "A note hangs on one record, and its date and author cannot be set.",
    tells: &[
        tell("text", &["note"]),
        tell("author", &["userid"]),
        tell("created_at", &["cdate"]),
        tell("deal", &["deal"]),
        tell("person", &["contact"]),
        tell("organization", &["account"]),
    ],
    takes: &[
        make("note", Make::Dated("cdate")),
        take("deal", &["deal"]),
        expr("contact", &["person"], PERSON_ALONE),
        expr("account", &["organization"], ORGANIZATION_ALONE),
    ],
    left: &[("dealTask", "notes of tasks are not moved")],
    hangs: true,
    ..thing(Concept::Note, "notes", "notes")
};
