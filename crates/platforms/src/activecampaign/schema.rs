//! An object's fields: the system ones, the account's own, and the lists of choices that stand elsewhere.

use std::collections::BTreeSet;
use std::sync::Arc;

use handover_connect::{Cursor, Fault, Method, Refusal, Reply, Request, Step};
use handover_model::{Choice, Field, Kind, ObjectName, ReadCost, Schema, Writable};
use serde_json::{Value as Json, json};

use super::decode::more;
use super::encode::{get, paged};
use super::faults;
use super::form::{Form, id_text, word};
use super::known::{AMOUNT, CURRENCY, CUSTOM};
use super::mark::{Asked, DescribeMark, FieldMark, Told};
use super::object::{CALL, Object};
use super::reader::rows;
use super::system::{Holds, System};
use crate::marks::{self, Mark};

/// The longest one-line text, in characters (sheet: ActiveCampaign section 9 trap 22 \[unsure\]).
const LINE: u32 = 255;

/// What describing an object asks, in order.
const fn questions(object: Object) -> &'static [Asked] {
    match object {
        Object::Accounts => &[Asked::Fields],
        Object::Contacts => &[Asked::Fields, Asked::Tags, Asked::Lists],
        Object::Deals => &[Asked::Fields, Asked::Pipelines, Asked::Stages],
        Object::Tasks => &[Asked::TaskTypes],
        // Its fields are fixed; the cheapest call tells whether the key works.
        Object::Notes => &[Asked::Me],
    }
}

/// Where a question is answered: path, and the name of the rows.
const fn place(object: Object, asked: Asked) -> (&'static str, &'static str) {
    match asked {
        Asked::Fields => match object {
            Object::Contacts => ("/api/3/fields", "fields"),
            Object::Deals => ("/api/3/dealCustomFieldMeta", "dealCustomFieldMeta"),
            _ => ("/api/3/accountCustomFieldMeta", "accountCustomFieldMeta"),
        },
        Asked::Pipelines => ("/api/3/dealGroups", "dealGroups"),
        Asked::Stages => ("/api/3/dealStages", "dealStages"),
        Asked::TaskTypes => ("/api/3/dealTasktypes", "dealTasktypes"),
        Asked::Tags => ("/api/3/tags", "tags"),
        Asked::Lists => ("/api/3/lists", "lists"),
        Asked::Me => ("/api/3/users/me", "users"),
    }
}

/// The next question of a description.
pub(super) fn request(object: Object, cursor: Option<&Cursor>) -> Result<Request, Refusal> {
    let mark: DescribeMark = marks::of(cursor)?.unwrap_or_default();
    let asked = questions(object).get(mark.answered).copied().unwrap_or(Asked::Me);
    let request = get(place(object, asked).0);
    Ok(if asked == Asked::Me { request } else { paged(request, mark.start) })
}

/// The objects that the account made (sheet: ActiveCampaign section 2).
pub(super) fn objects_told(reply: &Reply) -> Result<Step, Fault> {
    let body = faults::check(reply)?;
    let slugs = rows(&body, "schemas").iter().filter_map(|schema| schema.get("slug").and_then(Json::as_str));
    Ok(Step::Objects(slugs.map(ObjectName::from).collect()))
}

/// What the answer to a question means: the next one, or the schema.
pub(super) fn described(object: Object, cursor: Option<&Cursor>, reply: &Reply) -> Result<Step, Fault> {
    let body = faults::check(reply)?;
    let mut mark: DescribeMark = marks::sent(cursor)?.unwrap_or_default();
    let asked = questions(object).get(mark.answered).copied().unwrap_or(Asked::Me);
    let found = rows(&body, place(object, asked).1);
    let named = |row: &Json, name: &str| Some((row.get("id").and_then(id_text)?, text(row, name)?));
    match asked {
        Asked::Fields => {
            for row in found {
                let told = told(object, row, &body);
                mark.fields.push(told.ok_or_else(|| Fault::malformed("a field without id or type"))?);
            }
        }
        Asked::Pipelines => mark.pipelines.extend(found.iter().filter_map(|row| named(row, "title"))),
        Asked::Stages => mark.stages.extend(found.iter().filter_map(|row| {
            let (id, title) = named(row, "title")?;
            Some((id, title, row.get("group").and_then(id_text)?))
        })),
        Asked::TaskTypes => mark.task_types.extend(found.iter().filter_map(|row| named(row, "title"))),
        Asked::Tags => mark.tags.extend(found.iter().filter_map(|row| named(row, "tag"))),
        Asked::Lists => mark.lists.extend(found.iter().filter_map(|row| named(row, "name"))),
        Asked::Me => {}
    }
    if asked != Asked::Me && more(&body, found.len(), mark.start) {
        mark.start += found.len() as u64;
    } else {
        mark.start = 0;
        mark.answered += 1;
    }
    if mark.answered < questions(object).len() {
        return Ok(mark.then());
    }
    Ok(Step::Schema(schema(object, &mark)))
}

fn text(row: &Json, name: &str) -> Option<String> {
    row.get(name).and_then(Json::as_str).filter(|text| !text.is_empty()).map(ToOwned::to_owned)
}

/// A field as told. Options of contacts' fields stand beside the fields (sheet: section 3 \[rec\]).
fn told(object: Object, row: &Json, body: &Json) -> Option<Told> {
    let id = row.get("id").and_then(id_text)?;
    if object != Object::Contacts {
        let options = rows(row, "fieldOptions").iter().filter_map(word).map(|option| (option.clone(), option));
        let label = text(row, "fieldLabel").unwrap_or_else(|| id.clone());
        return Some(Told { label, kind: text(row, "fieldType")?, options: options.collect(), id });
    }
    let option = |option: &Json| {
        let of = option.get("field").and_then(id_text)?;
        let value = option.get("value").and_then(word)?;
        let label = text(option, "label").unwrap_or_else(|| value.clone());
        (of == id).then_some((value, label))
    };
    let options = rows(body, "fieldOptions").iter().filter_map(option).collect();
    let label = text(row, "title").unwrap_or_else(|| id.clone());
    Some(Told { label, kind: text(row, "type").unwrap_or_else(|| "NULL".to_owned()), options, id })
}

fn schema(object: Object, mark: &DescribeMark) -> Schema {
    let mut fields: Vec<Field> = object.system().iter().map(|system| system_field(system, mark)).collect();
    mark.fields.iter().for_each(|told| custom(told, &mut fields));
    Schema {
        object: ObjectName::from(object.name()),
        label: object.label().to_owned(),
        fields,
        name: None,
        content: false,
        own: std::collections::BTreeMap::new(),
    }
}

fn system_field(system: &System, mark: &DescribeMark) -> Field {
    let is_extra = system.place == super::system::Place::Extra;
    let read = if is_extra {
        ReadCost::Extra { per_call: 1, opt_in: system.is_dear, only_above: None }
    } else {
        ReadCost::Listed
    };
    Field {
        name: system.name.into(),
        label: system.label.to_owned(),
        kind: kind(system, mark),
        required: system.is_required,
        writable: system.writable,
        unique: system.is_unique,
        custom: false,
        read,
        blank_is_zero: false,
    }
}

fn kind(system: &System, mark: &DescribeMark) -> Kind {
    let line = Kind::Text { max: Some(LINE), html: false };
    match system.holds {
        Holds::Line => line,
        Holds::Free => Kind::Text { max: None, html: false },
        Holds::Email => Kind::Email { many: false },
        Holds::Phone => Kind::Phone { many: false },
        Holds::Plain => match system.form {
            Form::Number | Form::Cents | Form::Decimal => Kind::Number,
            Form::Flag => Kind::Bool,
            Form::Instant => Kind::DateTime,
            Form::Date => Kind::Date,
            _ => line,
        },
        Holds::Pipeline => Kind::Choice { options: choices(&mark.pipelines), many: false },
        Holds::Stage => {
            let stage = |(id, title, group): &(String, String, String)| {
                let pipeline = mark.pipelines.iter().find(|(have, _)| have == group).map(|(_, title)| title.as_str());
                let label = pipeline.map_or_else(|| title.clone(), |pipeline| format!("{pipeline}: {title}"));
                Choice { value: id.clone(), label, within: Some(group.clone()) }
            };
            Kind::Choice { options: mark.stages.iter().map(stage).collect(), many: false }
        }
        Holds::TaskType => Kind::Choice { options: choices(&mark.task_types), many: false },
        Holds::Tags => Kind::Choice { options: choices(&mark.tags), many: true },
        Holds::Lists => Kind::Choice { options: choices(&mark.lists), many: true },
        Holds::OneOf(fixed) => {
            let fixed: Vec<_> = fixed.iter().map(|(value, label)| ((*value).to_owned(), (*label).to_owned())).collect();
            Kind::Choice { options: choices(&fixed), many: false }
        }
        Holds::User => Kind::User,
        Holds::Link(object) => Kind::Reference { object: object.name().into(), many: false },
        Holds::Links(object) => Kind::Reference { object: object.name().into(), many: true },
        Holds::Currency => Kind::Currency,
    }
}

/// Options, each value once.
fn choices(pairs: &[(String, String)]) -> Arc<[Choice]> {
    let mut seen = BTreeSet::new();
    let new = pairs.iter().filter(|(value, _)| seen.insert(value.clone()));
    new.map(|(value, label)| Choice { value: value.clone(), label: label.clone(), within: None }).collect()
}

/// A custom field; money in two parts (sheet: section 3).
fn custom(told: &Told, into: &mut Vec<Field>) {
    let mut push = |part: Option<(&str, &str)>, kind: Kind| {
        let (name, label) = match part {
            Some((part, word)) => (format!("{CUSTOM}{}.{part}", told.id), format!("{} ({word})", told.label)),
            None => (format!("{CUSTOM}{}", told.id), told.label.clone()),
        };
        into.push(Field {
            name: name.into(),
            label,
            kind,
            // Whether it is required is a rule of forms only.
            required: false,
            writable: Writable::Always,
            unique: false,
            custom: true,
            read: ReadCost::Listed,
            blank_is_zero: false,
        });
    };
    let options = |many| Kind::Choice { options: choices(&told.options), many };
    match told.kind.as_str() {
        "text" | "hidden" => push(None, Kind::Text { max: Some(LINE), html: false }),
        "textarea" => push(None, Kind::Text { max: None, html: false }),
        "date" => push(None, Kind::Date),
        "datetime" => push(None, Kind::DateTime),
        "number" => push(None, Kind::Number),
        "dropdown" | "radio" => push(None, options(false)),
        "multiselect" | "listbox" | "checkbox" => push(None, options(true)),
        "currency" => {
            push(Some((AMOUNT, "amount")), Kind::Number);
            push(Some((CURRENCY, "currency")), Kind::Currency);
        }
        // A type that came after the sheet: carried, not understood.
        _ => push(None, Kind::Opaque),
    }
}

/// The request that creates a custom field; of a contact's field also its options, and its relation to all lists,
/// without which people do not see it (sheet: section 3, three steps).
pub(super) fn create(object: Object, field: &Field, cursor: Option<&Cursor>) -> Result<Request, Refusal> {
    let Some((path, one)) = object.fields() else {
        return Err(Refusal::unsupported(format!("custom fields of {} cannot be created", object.name())));
    };
    let kind = type_for(&field.kind)?;
    let options: &[Choice] = match &field.kind {
        Kind::Choice { options, .. } => options,
        _ => &[],
    };
    let post = |path: &str, body: Json| {
        Request::new(Method::Post, format!("/api/3/{path}"), &CALL).with_json(body.to_string().into_bytes())
    };
    if object != Object::Contacts {
        let options: Vec<&str> = options.iter().map(|option| option.label.as_str()).collect();
        let mut body = json!({"fieldLabel": field.label, "fieldType": kind, "isFormVisible": 1, "isRequired": 0});
        if let (false, Some(map)) = (options.is_empty(), body.as_object_mut()) {
            map.insert("fieldOptions".to_owned(), json!(options));
        }
        return Ok(post(path, json!({ one: body })));
    }
    Ok(match marks::of::<FieldMark>(cursor)? {
        None => {
            let tag: String = field.name.as_str().chars().filter(char::is_ascii).collect();
            post(path, json!({one: {"type": kind, "title": field.label, "perstag": tag.to_uppercase(), "visible": 1}}))
        }
        Some(mark) if !mark.has_options => {
            let options: Vec<Json> = (1_u32..)
                .zip(options)
                .map(|(at, option)| {
                    json!({"orderid": at.to_string(), "value": option.value, "label": option.label, "isdefault": false,
                        "field": mark.id})
                })
                .collect();
            post("fieldOption/bulk", json!({ "fieldOptions": options }))
        }
        Some(mark) => post("fieldRels", json!({"fieldRel": {"field": mark.id, "relid": 0}})),
    })
}

/// What the answer means: the next step, or the field as the account has it now.
pub(super) fn created(object: Object, field: &Field, cursor: Option<&Cursor>, reply: &Reply) -> Result<Step, Fault> {
    let body = faults::check(reply)?;
    let options: Vec<(String, String)> = match &field.kind {
        Kind::Choice { options, .. } if object == Object::Contacts => {
            options.iter().map(|option| (option.value.clone(), option.label.clone())).collect()
        }
        Kind::Choice { options, .. } => options.iter().map(|one| (one.label.clone(), one.label.clone())).collect(),
        _ => Vec::new(),
    };
    let kind = type_for(&field.kind).unwrap_or("text").to_owned();
    let made = |id: String| -> Result<Step, Fault> {
        let mut fields = Vec::new();
        custom(&Told { id, label: field.label.clone(), kind, options: options.clone() }, &mut fields);
        fields.into_iter().next().map(Step::Field).ok_or_else(|| Fault::malformed("the new field has no type"))
    };
    let mark: Option<FieldMark> = marks::sent(cursor)?;
    let id = match &mark {
        Some(mark) => mark.id.clone(),
        None => {
            let one = object.fields().map(|(_, one)| one).unwrap_or_default();
            let id = body.get(one).and_then(|made| made.get("id")).and_then(id_text);
            id.ok_or_else(|| Fault::malformed("the new field has no id"))?
        }
    };
    let next = |has_options| Ok(FieldMark { id: id.clone(), has_options }.then());
    match mark {
        _ if object != Object::Contacts => made(id),
        None => next(options.is_empty()),
        Some(mark) if !mark.has_options => next(true),
        Some(_) => made(id),
    }
}

/// Types of custom fields for kinds of the model.
fn type_for(kind: &Kind) -> Result<&'static str, Refusal> {
    Ok(match kind {
        Kind::Text { max: Some(max), html: false } if *max <= LINE => "text",
        Kind::Text { .. } => "textarea",
        Kind::Email { many: false } | Kind::Phone { many: false } | Kind::Currency => "text",
        Kind::Number => "number",
        Kind::Date => "date",
        Kind::DateTime => "datetime",
        Kind::Choice { many: false, .. } => "dropdown",
        Kind::Choice { many: true, .. } => "multiselect",
        Kind::Bool
        | Kind::Time
        | Kind::User
        | Kind::Reference { .. }
        | Kind::Email { many: true }
        | Kind::Phone { many: true }
        | Kind::Opaque => {
            return Err(Refusal::unsupported(format!("ActiveCampaign has no custom field for {}", kind.word())));
        }
    })
}
