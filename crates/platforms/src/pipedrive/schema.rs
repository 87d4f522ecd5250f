//! An object's fields: the account's own list, the system fields that it may not tell, and the lists of
//! choices that stand elsewhere (pipelines, stages, types of activities, labels of leads).

use std::sync::Arc;

use handover_connect::{Cursor, Fault, Method, Refusal, Reply, Request, Step};
use handover_model::{Above, Choice, Field, FieldName, Kind, ObjectName, ReadCost, Schema, Writable};
use serde_json::{Value as Json, json};

use super::faults;
use super::form::id_text;
use super::mail;
use super::mark::{Asked, DescribeMark, Told};
use super::object::{Object, cost};
use super::system::{ADDRESS, Brought, Holds, LONG, Shown, System, VARCHAR};
use crate::marks::{self, Mark};

/// What describing an object asks, in order.
fn questions(object: Object) -> &'static [Asked] {
    match object {
        Object::Organizations | Object::Persons | Object::Products => &[Asked::Fields],
        Object::Deals => &[Asked::Fields, Asked::Pipelines, Asked::Stages],
        Object::Activities => &[Asked::Fields, Asked::ActivityTypes],
        Object::Leads => &[Asked::Fields, Asked::LeadLabels],
        // Their fields are fixed; the cheapest call tells whether the token works and who it is.
        Object::DealProducts | Object::Notes | Object::Files | Object::MailMessages => &[Asked::Me],
    }
}

/// The next question of a description.
pub(super) fn request(object: Object, cursor: Option<&Cursor>) -> Result<Request, Refusal> {
    let mark = marks::of::<DescribeMark>(cursor)?.unwrap_or_default();
    let asked = questions(object).get(mark.answered).copied().unwrap_or(Asked::Me);
    let paged = |path: &str, tokens: u32| {
        let request = Request::new(Method::Get, path, &cost(tokens)).with_query("limit", "500");
        match &mark.cursor {
            Some(cursor) => request.with_query("cursor", cursor.as_str()),
            None => request,
        }
    };
    Ok(match asked {
        Asked::Fields => paged(object.fields_path().unwrap_or_default(), 10),
        Asked::Pipelines => paged("/api/v2/pipelines", 5),
        // Without a pipeline all stages come (sheet: Pipedrive section 9 trap 13).
        Asked::Stages => paged("/api/v2/stages", 5),
        Asked::ActivityTypes => Request::new(Method::Get, "/v1/activityTypes", &cost(20)),
        Asked::LeadLabels => Request::new(Method::Get, "/v1/leadLabels", &cost(10)),
        Asked::Me => Request::new(Method::Get, "/v1/users/me", &cost(2)),
    })
}

/// What the answer to a question means: the next one, or the schema.
pub(super) fn described(object: Object, cursor: Option<&Cursor>, reply: &Reply) -> Result<Step, Fault> {
    let body = faults::check(reply)?;
    let mut mark: DescribeMark = marks::sent(cursor)?.unwrap_or_default();
    let asked = questions(object).get(mark.answered).copied().unwrap_or(Asked::Me);
    let rows = body.get("data").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let named = |row: &Json, id: &str, name: &str| Some((row.get(id).and_then(id_text)?, text(row, name)?));
    match asked {
        Asked::Fields => {
            for row in rows {
                mark.fields.push(told(row).ok_or_else(|| Fault::malformed("a field without code or type"))?);
            }
        }
        Asked::Pipelines => mark.pipelines.extend(live(rows).filter_map(|row| named(row, "id", "name"))),
        Asked::Stages => {
            let stage = |row: &Json| {
                let (id, name) = named(row, "id", "name")?;
                Some((id, name, row.get("pipeline_id").and_then(id_text)?))
            };
            mark.stages.extend(live(rows).filter_map(stage));
        }
        Asked::ActivityTypes => mark.choices.extend(rows.iter().filter_map(|row| named(row, "key_string", "name"))),
        Asked::LeadLabels => mark.choices.extend(rows.iter().filter_map(|row| named(row, "id", "name"))),
        Asked::Me => mark.admin = body.get("data").is_some_and(is_admin),
    }
    mark.cursor = body.pointer("/additional_data/next_cursor").and_then(Json::as_str).map(ToOwned::to_owned);
    if mark.cursor.is_none() {
        mark.answered += 1;
    }
    if mark.answered < questions(object).len() {
        return Ok(mark.then());
    }
    Ok(Step::Schema(schema(object, &mark)))
}

/// Whether a user is an administrator of sales; one who is not sees less in silence (sheet: section 1).
pub(super) fn is_admin(user: &Json) -> bool {
    let access = user.get("access").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let admin = |entry: &&Json| entry.get("admin").and_then(Json::as_bool) == Some(true);
    let mut sales = access.iter().filter(|entry| entry.get("app").and_then(Json::as_str) == Some("sales")).peekable();
    if sales.peek().is_some() { sales.any(|entry| admin(&entry)) } else { access.iter().any(|entry| admin(&entry)) }
}

/// The request that creates a custom field.
pub(super) fn create(object: Object, field: &Field) -> Result<Request, Refusal> {
    let path = match object {
        Object::Organizations | Object::Persons | Object::Products | Object::Deals => object.fields_path(),
        Object::DealProducts
        | Object::Activities
        | Object::Leads
        | Object::Notes
        | Object::Files
        | Object::MailMessages => None,
    };
    let path =
        path.ok_or_else(|| Refusal::unsupported(format!("custom fields of {} cannot be created", object.name())))?;
    let mut body = json!({"field_name": field.label, "field_type": type_for(&field.kind)?});
    if let (Kind::Choice { options, .. }, Some(map)) = (&field.kind, body.as_object_mut()) {
        let options: Vec<Json> = options.iter().map(|option| json!({"label": option.label})).collect();
        map.insert("options".to_owned(), Json::Array(options));
    }
    Ok(Request::new(Method::Post, path, &cost(5)).with_json(body.to_string().into_bytes()))
}

/// The field as the server made it: its code is drawn by the server (sheet: section 3 \[spec\]).
pub(super) fn created(reply: &Reply) -> Result<Step, Fault> {
    let body = faults::check(reply)?;
    let told = body.get("data").and_then(told).ok_or_else(|| Fault::malformed("the new field has no code or type"))?;
    let mut fields = Vec::new();
    custom(&Told { custom: true, ..told }, &mut fields);
    fields.into_iter().next().map(Step::Field).ok_or_else(|| Fault::malformed("the new field has no type"))
}

/// Types of custom fields for kinds of the model. There is none for instants and yes/no (sheet: section 3).
fn type_for(kind: &Kind) -> Result<&'static str, Refusal> {
    Ok(match kind {
        Kind::Text { max: Some(max), html: false } if *max <= VARCHAR => "varchar",
        Kind::Text { .. } => "text",
        Kind::Number => "double",
        Kind::Date => "date",
        Kind::Time => "time",
        Kind::Choice { many: false, .. } => "enum",
        Kind::Choice { many: true, .. } => "set",
        Kind::User => "user",
        Kind::Reference { object, many: false } if *object == "organizations" => "org",
        Kind::Reference { object, many: false } if *object == "persons" => "people",
        Kind::Phone { many: false } => "phone",
        Kind::Email { many: false } | Kind::Currency => "varchar",
        Kind::Bool
        | Kind::DateTime
        | Kind::Reference { .. }
        | Kind::Email { many: true }
        | Kind::Phone { many: true }
        | Kind::Opaque => {
            return Err(Refusal::unsupported(format!("Pipedrive has no custom field for {}", kind.word())));
        }
    })
}

fn told(row: &Json) -> Option<Told> {
    let options = row.get("options").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let flag = |name: &str| row.get(name).and_then(Json::as_bool).unwrap_or(false);
    Some(Told {
        code: text(row, "field_code")?,
        name: text(row, "field_name").unwrap_or_default(),
        kind: text(row, "field_type")?,
        custom: flag("is_custom_field"),
        on_request: flag("is_optional_response_field"),
        options: options.iter().filter_map(|o| Some((o.get("id").and_then(id_text)?, text(o, "label")?))).collect(),
    })
}

fn text(row: &Json, name: &str) -> Option<String> {
    row.get(name).and_then(Json::as_str).map(ToOwned::to_owned)
}

fn live(rows: &[Json]) -> impl Iterator<Item = &Json> {
    rows.iter().filter(|row| row.get("is_deleted").and_then(Json::as_bool) != Some(true))
}

fn schema(object: Object, mark: &DescribeMark) -> Schema {
    let mut fields = Vec::new();
    for system in object.system() {
        // Leads borrow the deals' list for custom fields only.
        let told = if object == Object::Leads {
            None
        } else {
            mark.fields.iter().find(|told| !told.custom && (told.code == system.name || told.code == system.also))
        };
        let is_there = match (system.shown, told) {
            (Shown::Always, _) => true,
            (Shown::WhenTold, None) => false,
            // Asking for it where the account does not offer it fails the whole list.
            (Shown::WhenTold, Some(told)) => system.brought != Brought::Asked || told.on_request,
        };
        if is_there {
            system_fields(object, system, told, mark, &mut fields);
        }
    }
    if object.has_custom() {
        mark.fields.iter().filter(|told| told.custom).for_each(|told| custom(told, &mut fields));
    }
    Schema {
        object: ObjectName::from(object.name()),
        label: object.label().to_owned(),
        fields,
        name: None,
        content: object == Object::Files,
        own: std::collections::BTreeMap::new(),
    }
}

fn system_fields(object: Object, system: &System, told: Option<&Told>, mark: &DescribeMark, into: &mut Vec<Field>) {
    let label = told.map(|told| told.name.as_str()).filter(|name| !name.is_empty()).unwrap_or(system.label);
    let field = |name: FieldName, label: String, kind: Kind| Field {
        name,
        label,
        kind,
        required: system.required,
        writable: writable(object, system, mark),
        unique: false,
        custom: false,
        read: read_cost(object, system),
        blank_is_zero: system.blank_is_zero,
    };
    if system.parts().is_empty() {
        into.push(field(system.name.into(), label.to_owned(), kind(system, told, mark)));
        return;
    }
    for (part, word) in system.parts() {
        let kind = match *part {
            "amount" => Kind::Number,
            "currency" => Kind::Currency,
            _ => Kind::Text { max: Some(VARCHAR), html: false },
        };
        into.push(field(format!("{}.{part}", system.name).into(), format!("{label} ({word})"), kind));
    }
}

fn writable(object: Object, system: &System, mark: &DescribeMark) -> Writable {
    // The author of a note can be set by administrators only (sheet: section 2.1 [spec]).
    if object == Object::Notes && system.name == "user_id" && !mark.admin {
        return Writable::Never;
    }
    system.writable
}

fn read_cost(object: Object, system: &System) -> ReadCost {
    if system.brought != Brought::Extra {
        return ReadCost::Listed;
    }
    if object == Object::MailMessages {
        let only_above = Some(Above { field: FieldName::from(mail::HAS_BODY), than: 0 });
        return ReadCost::Extra { per_call: 1, opt_in: true, only_above };
    }
    // A deal's main person is its participant too, so the call is worth making from two on. There is no
    // such count for relations of organizations (sheet: section 2.1 [code]).
    let only_above = (object == Object::Deals).then(|| Above { field: FieldName::from("participants_count"), than: 1 });
    ReadCost::Extra { per_call: 1, opt_in: false, only_above }
}

fn kind(system: &System, told: Option<&Told>, mark: &DescribeMark) -> Kind {
    let options = |pairs: &[(String, String)]| -> Arc<[Choice]> {
        pairs.iter().map(|(value, label)| choice(value, label, None)).collect()
    };
    let told_options = told.map(|told| told.options.as_slice()).unwrap_or_default();
    let one = |options| Kind::Choice { options, many: false };
    match system.holds {
        Holds::Text(max) => Kind::Text { max: Some(max), html: false },
        Holds::Free | Holds::Address | Holds::LeadValue => Kind::Text { max: None, html: false },
        Holds::Html(max) => Kind::Text { max: Some(max), html: true },
        Holds::FreeHtml => Kind::Text { max: None, html: true },
        Holds::Plain => plain(system),
        // Without a list the ids mean nothing to anybody: carried as they are.
        Holds::Choice if told_options.is_empty() => Kind::Opaque,
        Holds::Choice => one(options(told_options)),
        Holds::Choices => Kind::Choice { options: options(told_options), many: true },
        Holds::OneOf(fixed) => {
            // The account's own words for the same values, where it tells them.
            let label = |value: &str, word: &str| {
                let own = told_options.iter().find(|(id, _)| id == value).map(|(_, label)| label.as_str());
                choice(value, own.unwrap_or(word), None)
            };
            one(fixed.iter().map(|(value, word)| label(value, word)).collect())
        }
        Holds::Pipeline => one(options(&mark.pipelines)),
        Holds::Stage => one(mark.stages.iter().map(|(id, name, pipeline)| stage(id, name, pipeline, mark)).collect()),
        Holds::ActivityType => one(options(&mark.choices)),
        Holds::LeadLabels => Kind::Choice { options: options(&mark.choices), many: true },
        Holds::User => Kind::User,
        Holds::Link(object) => Kind::Reference { object: object.name().into(), many: false },
        Holds::Links(object) => Kind::Reference { object: object.name().into(), many: true },
        Holds::Emails => Kind::Email { many: true },
        Holds::Phones => Kind::Phone { many: true },
        Holds::Currency => Kind::Currency,
        Holds::Opaque => Kind::Opaque,
    }
}

fn plain(system: &System) -> Kind {
    use super::form::Form;
    match system.form {
        Form::Number => Kind::Number,
        Form::Bool | Form::Flag => Kind::Bool,
        Form::Instant | Form::Stamp => Kind::DateTime,
        Form::Date => Kind::Date,
        Form::Clock => Kind::Time,
        Form::Text
        | Form::Id
        | Form::Ids
        | Form::TextId
        | Form::Words
        | Form::Contacts
        | Form::Participants
        | Form::Parties
        | Form::Prices
        | Form::Opaque => Kind::Opaque,
    }
}

fn choice(value: &str, label: &str, within: Option<&str>) -> Choice {
    Choice { value: value.to_owned(), label: label.to_owned(), within: within.map(ToOwned::to_owned) }
}

fn stage(id: &str, name: &str, pipeline: &str, mark: &DescribeMark) -> Choice {
    let within = mark.pipelines.iter().find(|(have, _)| have == pipeline).map(|(_, name)| name.as_str());
    let label = within.map_or_else(|| name.to_owned(), |within| format!("{within}: {name}"));
    choice(id, &label, Some(pipeline))
}

/// A custom field, structured ones part by part (sheet: section 3 \[doc\]).
fn custom(told: &Told, into: &mut Vec<Field>) {
    let mut push = |part: Option<(&str, &str)>, kind: Kind| {
        let (name, label) = match part {
            Some((part, word)) => (format!("{}.{part}", told.code), format!("{} ({word})", told.name)),
            None => (told.code.clone(), told.name.clone()),
        };
        into.push(Field {
            name: name.into(),
            label,
            kind,
            // Required fields bind the web pages only (sheet: section 3 [spec]).
            required: false,
            writable: Writable::Always,
            unique: false,
            custom: true,
            blank_is_zero: false,
            read: ReadCost::Listed,
        });
    };
    let line = || Kind::Text { max: Some(VARCHAR), html: false };
    let options = || told.options.iter().map(|(value, label)| choice(value, label, None)).collect();
    match told.kind.as_str() {
        "varchar" | "varchar_auto" | "varchar_options" => push(None, line()),
        "text" => push(None, Kind::Text { max: Some(LONG), html: false }),
        "phone" => push(None, Kind::Phone { many: false }),
        "double" | "int" => push(None, Kind::Number),
        "boolean" => push(None, Kind::Bool),
        "date" => push(None, Kind::Date),
        "enum" => push(None, Kind::Choice { options: options(), many: false }),
        "set" => push(None, Kind::Choice { options: options(), many: true }),
        "user" => push(None, Kind::User),
        "org" => push(None, Kind::Reference { object: "organizations".into(), many: false }),
        "people" => push(None, Kind::Reference { object: "persons".into(), many: false }),
        "monetary" => {
            push(Some(("value", "amount")), Kind::Number);
            push(Some(("currency", "currency")), Kind::Currency);
        }
        "daterange" => {
            push(Some(("value", "from")), Kind::Date);
            push(Some(("until", "until")), Kind::Date);
        }
        "time" => {
            push(Some(("value", "time")), Kind::Time);
            push(Some(("timezone_name", "time zone")), line());
        }
        "timerange" => {
            push(Some(("value", "from")), Kind::Time);
            push(Some(("until", "until")), Kind::Time);
            push(Some(("timezone_name", "time zone")), line());
        }
        "address" => ADDRESS.iter().for_each(|part| push(Some(*part), line())),
        // A type that came after the sheet: carried, not understood.
        _ => push(None, Kind::Opaque),
    }
}
