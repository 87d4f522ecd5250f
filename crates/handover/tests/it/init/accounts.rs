//! Two small accounts, their objects as the platforms describe them.

use handover::init::SystemView;
use handover_model::{Account, Choice, Field, Kind, ReadCost, Schema, User, Writable};

/// Fields in lines of `name | label | kind | flags`. Kinds: `text`, `html`, `bool`, `number`, `date`,
/// `datetime`, `time`, `user`, `currency`, `email`, `emails`, `phone`, `phones`, `opaque`, `>object`,
/// `>>object`, `[value=Label;...]`, `[[value=Label;...]]`. Flags: `ro`, `create`, `custom`, `required`.
pub(super) fn schema(object: &str, lines: &str) -> Schema {
    let fields = lines.lines().filter(|line| !line.trim().is_empty()).map(field).collect();
    Schema {
        object: object.into(),
        label: capital(object),
        fields,
        name: None,
        content: matches!(object, "files" | "attachments"),
        own: std::collections::BTreeMap::new(),
    }
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}

fn field(line: &str) -> Field {
    let mut columns = line.split('|').map(str::trim);
    let mut next = || columns.next().unwrap_or_default();
    let (name, label, kind, flags) = (next(), next(), next(), next());
    let has = |flag: &str| flags.split(' ').any(|have| have == flag);
    Field {
        name: name.into(),
        label: label.to_owned(),
        kind: self::kind(kind),
        required: has("required"),
        writable: match () {
            () if has("ro") => Writable::Never,
            () if has("create") => Writable::OnCreate,
            () => Writable::Always,
        },
        unique: has("unique"),
        custom: has("custom"),
        read: ReadCost::Listed,
        blank_is_zero: false,
    }
}

fn kind(word: &str) -> Kind {
    let choices = |text: &str, many| Kind::Choice { options: text.split(';').map(choice).collect(), many };
    if let Some(text) = word.strip_prefix("[[") {
        return choices(text.trim_end_matches("]]"), true);
    }
    if let Some(text) = word.strip_prefix('[') {
        return choices(text.trim_end_matches(']'), false);
    }
    if let Some(object) = word.strip_prefix(">>") {
        return Kind::Reference { object: object.into(), many: true };
    }
    if let Some(object) = word.strip_prefix('>') {
        return Kind::Reference { object: object.into(), many: false };
    }
    match word {
        "html" => Kind::Text { max: None, html: true },
        "bool" => Kind::Bool,
        "number" => Kind::Number,
        "date" => Kind::Date,
        "datetime" => Kind::DateTime,
        "time" => Kind::Time,
        "user" => Kind::User,
        "currency" => Kind::Currency,
        "email" => Kind::Email { many: false },
        "emails" => Kind::Email { many: true },
        "phone" => Kind::Phone { many: false },
        "phones" => Kind::Phone { many: true },
        "opaque" => Kind::Opaque,
        _ => Kind::Text { max: None, html: false },
    }
}

/// `value=Label`, with `value=Label@pipeline` for what belongs to a pipeline.
fn choice(text: &str) -> Choice {
    let (value, label) = text.split_once('=').unwrap_or((text, text));
    let (label, within) = match label.split_once('@') {
        Some((label, within)) => (label, Some(within.to_owned())),
        None => (label, None),
    };
    Choice { value: value.to_owned(), label: label.to_owned(), within }
}

pub(super) fn view(name: &str, platform: &str, schemas: Vec<Schema>, users: &[(&str, &str, bool)]) -> SystemView {
    let user = |(id, email, active): &(&str, &str, bool)| User {
        id: (*id).into(),
        email: (*email).to_owned(),
        name: format!("User {id}"),
        active: *active,
    };
    SystemView {
        name: name.into(),
        platform: platform.to_owned(),
        account: Account {
            id: "4711".to_owned(),
            name: "Acme Ltd".to_owned(),
            currencies: vec!["EUR".to_owned()],
            time_zone: "Europe/Berlin".to_owned(),
            lacks: Vec::new(),
            daily_limit: None,
            fallback_user: (platform == "pipedrive").then(|| users[0].0.into()),
        },
        schemas,
        custom: Some(Vec::new()),
        // Nobody sells by products here.
        counts: handover::init::optional(platform).map(|(object, _)| (object.into(), 0)).collect(),
        users: users.iter().map(user).collect(),
    }
}

pub(super) fn pipedrive() -> SystemView {
    let schemas = [
        ("organizations", include_str!("accounts/organizations.txt")),
        ("persons", include_str!("accounts/persons.txt")),
        ("deals", include_str!("accounts/deals.txt")),
        ("activities", include_str!("accounts/activities.txt")),
        ("notes", include_str!("accounts/notes.txt")),
        ("files", include_str!("accounts/files.txt")),
        ("mail_messages", include_str!("accounts/mail_messages.txt")),
        ("leads", "title | Title | text | required"),
    ];
    let users =
        [("11", "Ana@Acme.example", true), ("12", "ben@acme.example", true), ("13", "gone@acme.example", false)];
    view("old", "pipedrive", schemas.iter().map(|(object, lines)| schema(object, lines)).collect(), &users)
}

pub(super) fn hubspot() -> SystemView {
    let schemas = [
        ("companies", include_str!("accounts/companies.txt")),
        ("contacts", include_str!("accounts/contacts.txt")),
        ("deals", include_str!("accounts/hubspot_deals.txt")),
        ("calls", include_str!("accounts/calls.txt")),
        ("meetings", include_str!("accounts/meetings.txt")),
        ("tasks", include_str!("accounts/tasks.txt")),
        ("notes", include_str!("accounts/hubspot_notes.txt")),
        ("emails", include_str!("accounts/emails.txt")),
        (
            "files",
            "name | Name | text | create required\nfolderPath | Folder | text | create required\nsize | Size | number | ro",
        ),
        ("attachments", include_str!("accounts/attachments.txt")),
    ];
    let users = [("901", "ana@acme.example", true), ("902", "ben@acme.example", false)];
    view("new", "hubspot", schemas.iter().map(|(object, lines)| schema(object, lines)).collect(), &users)
}
