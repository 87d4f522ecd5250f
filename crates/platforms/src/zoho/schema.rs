//! Field definitions out of a module's fields, layouts and pipelines (sheet: Zoho section 3).
//!
//! - A field can be written when `operation_type` says so: `read_only` is false of stamps that nobody can set.
//! - It is required when the system or the first layout requires it: a record that names no layout gets that one.
//! - What lists do not bring (linking modules, rows of subforms, formatted texts, files) is read with one record.

use std::collections::BTreeMap;
use std::sync::Arc;

use handover_connect::{Fault, Method, Reply, Request, Step};
use handover_model::{Choice, Field, FieldName, Kind, ObjectName, ReadCost, Schema, Writable};
use serde_json::Value as Json;

use super::capabilities::CALL;
use super::faults;
use super::json::{body, flag_at, has_parts, items, text_at};
use super::links;
use super::objects::{API, Family, OBJECTS, Object, PARENTS, is_name, is_standard};
use super::place::{Described, Place};
use super::values::NONE;
use crate::marks::Mark;

/// How the names of the vendor's younger modules end, which are not carried.
const VENDORS_OWN: &str = "__s";

/// What the name of a record is called in every module that a customer made.
const NAME: &str = "Name";

/// The request for the list of modules.
pub(super) fn modules() -> Request {
    Request::new(Method::Get, format!("{API}/settings/modules"), &CALL)
}

/// The modules that the customer made.
pub(super) fn modules_told(reply: &Reply) -> Result<Step, Fault> {
    faults::check(reply)?;
    Ok(Step::Objects(own_modules(&body(reply)?)))
}

fn own_modules(body: &Json) -> Vec<ObjectName> {
    let is_meant = |module: &&Json| {
        text_at(module, "generated_type") == Some("custom")
            && flag_at(module, "api_supported")
            && module.get("viewable").and_then(Json::as_bool).unwrap_or(true)
    };
    let names = items(body, "modules").iter().filter(is_meant).filter_map(|module| text_at(module, "api_name"));
    let mut names: Vec<ObjectName> =
        names.filter(|name| is_name(name) && !is_standard(name)).map(ObjectName::from).collect();
    names.sort_unstable();
    names
}

/// The next request that describes a module.
pub(super) fn describe(object: &Object<'_>, place: Option<&Place>) -> Request {
    let of_module = |what: &str| {
        Request::new(Method::Get, format!("{API}/settings/{what}"), &CALL).with_query("module", object.name)
    };
    match place {
        Some(Place::Described(told)) => match next(object, told) {
            Some(Missing::Layouts) => of_module("layouts"),
            Some(Missing::Pipelines(layout)) => {
                Request::new(Method::Get, format!("{API}/settings/pipeline"), &CALL).with_query("layout_id", layout)
            }
            Some(Missing::Modules) | None => modules(),
        },
        _ => of_module("fields"),
    }
}

/// What is not told yet.
enum Missing {
    Layouts,
    Pipelines(String),
    Modules,
}

fn next(object: &Object<'_>, told: &Described) -> Option<Missing> {
    let has_layouts = !matches!(object.family, Family::Note | Family::Attachment);
    let Some(layouts) = &told.layouts else {
        return if has_layouts { Some(Missing::Layouts) } else { modules_missing(object, told) };
    };
    let ids = layout_ids(layouts);
    match ids.get(told.pipelines.len()).filter(|_| object.name == "Deals") {
        Some(id) => Some(Missing::Pipelines((*id).to_owned())),
        None => modules_missing(object, told),
    }
}

fn modules_missing(object: &Object<'_>, told: &Described) -> Option<Missing> {
    // What users call a customer's module stands there only.
    let is_told = object.several().is_none() && is_standard(object.name);
    (!is_told && told.modules.is_none()).then_some(Missing::Modules)
}

fn layout_ids(layouts: &Json) -> Vec<&str> {
    items(layouts, "layouts").iter().filter_map(|layout| text_at(layout, "id")).collect()
}

/// What a reply adds to the description.
pub(super) fn described(object: &Object<'_>, place: Option<Place>, reply: &Reply) -> Result<Step, Fault> {
    let told = match place {
        Some(Place::Described(mut told)) => {
            let missing = next(object, &told);
            faults::check(reply)?;
            let body = body(reply)?;
            match missing {
                Some(Missing::Layouts) => told.layouts = Some(body),
                Some(Missing::Pipelines(_)) => told.pipelines.push(body),
                Some(Missing::Modules) | None => told.modules = Some(body),
            }
            told
        }
        _ => {
            faults::check(reply)?;
            Described { fields: body(reply)?, ..Described::default() }
        }
    };
    if next(object, &told).is_some() {
        return Ok(Place::Described(told).then());
    }
    Ok(Step::Schema(schema(object, &told)?))
}

fn schema(object: &Object<'_>, told: &Described) -> Result<Schema, Fault> {
    let mut fields: Vec<Field> = Vec::new();
    for raw in items(&told.fields, "fields") {
        fields.extend(fields_of(object, raw, told));
    }
    if fields.is_empty() {
        return Err(Fault::malformed("the description has no fields"));
    }
    if object.name == "Deals" {
        pipelines(&mut fields, told);
        fields.push(links::field());
    }
    Ok(Schema {
        object: object.name.into(),
        label: label(object, told).unwrap_or_else(|| object.name.replace('_', " ")),
        name: name(object, &fields),
        fields,
        content: object.family == Family::Attachment,
        own: BTreeMap::new(),
    })
}

/// What users call a customer's module.
fn label(object: &Object<'_>, told: &Described) -> Option<String> {
    let modules = told.modules.as_ref().filter(|_| !is_standard(object.name))?;
    let module = items(modules, "modules").iter().find(|module| text_at(module, "api_name") == Some(object.name))?;
    text_at(module, "plural_label").map(str::to_owned)
}

/// The field of the name that every customer's module has (sheet: Zoho section 5).
fn name(object: &Object<'_>, fields: &[Field]) -> Option<FieldName> {
    let name = fields.iter().find(|field| field.name == *NAME && !is_standard(object.name));
    name.map(|field| field.name.clone())
}

/// A field; several for one that can point to several modules; none for what is no value.
fn fields_of(object: &Object<'_>, raw: &Json, told: &Described) -> Vec<Field> {
    let Some(name) = text_at(raw, "api_name").filter(|name| is_name(name) && *name != "id") else { return Vec::new() };
    let label = ["field_label", "display_label"].into_iter().find_map(|label| text_at(raw, label)).unwrap_or(name);
    let Some((kind, read)) = kind(name, raw, told) else { return Vec::new() };
    let is_computed = matches!(text_at(raw, "data_type"), Some("formula" | "autonumber" | "rollup_summary"));
    let may = |what: &str| raw.pointer(&format!("/operation_type/{what}")).and_then(Json::as_bool).unwrap_or(false);
    let is_own = matches!(name, "Note_Title" | "Note_Content");
    let writable = match (object.family, may("api_create"), may("api_update")) {
        _ if !object.writes || is_computed || opaque(&kind) => Writable::Never,
        (_, false, _) => Writable::Never,
        (Family::Attachment, ..) if !matches!(name, "File_Name" | "Parent_Id") => Writable::Never,
        (Family::Attachment, ..) | (_, true, false) => Writable::OnCreate,
        // Of a note only the title and the text can be changed (sheet: Zoho section 2).
        (Family::Note, ..) if !is_own => Writable::OnCreate,
        (_, true, true) => Writable::Always,
    };
    let is_needed = flag_at(raw, "system_mandatory") || is_required_by_layout(name, told);
    let can = writable != Writable::Never && kind != Kind::Bool;
    let field = Field {
        name: name.into(),
        label: label.to_owned(),
        required: is_needed && can,
        kind,
        writable,
        unique: has_parts(raw, "unique"),
        custom: flag_at(raw, "custom_field"),
        read,
        blank_is_zero: false,
    };
    if object.several() == Some(name) { parts(object, &field, may("api_create"), told) } else { vec![field] }
}

fn opaque(kind: &Kind) -> bool {
    matches!(kind, Kind::Opaque | Kind::Reference { many: true, .. })
}

/// A field that can point to several modules: as it is, and once for each of them. One of several cannot be asked of
/// each, so none of them is required.
fn parts(object: &Object<'_>, field: &Field, creates: bool, told: &Described) -> Vec<Field> {
    let standard: Vec<&str> = match object.family {
        Family::Attachment => PARENTS.to_vec(),
        // Contacts are pointed to by `Who_Id` (sheet: Zoho section 5).
        Family::Activity => records().filter(|name| *name != "Contacts").collect(),
        Family::Plain | Family::Note => records().chain(["Tasks", "Events", "Calls"]).collect(),
    };
    let own = match (object.family, &told.modules) {
        (Family::Attachment, _) | (_, None) => Vec::new(),
        (_, Some(modules)) => own_modules(modules),
    };
    let writable = match object.family {
        Family::Activity => Writable::Always,
        Family::Plain | Family::Note | Family::Attachment => Writable::OnCreate,
    };
    let part = |to: &str| Field {
        name: format!("{}.{to}", field.name).into(),
        label: format!("{}: {}", field.label, to.replace('_', " ")),
        kind: Kind::Reference { object: to.into(), many: false },
        required: false,
        writable: if creates { writable } else { Writable::Never },
        ..field.clone()
    };
    let shown = Field { kind: Kind::Opaque, writable: Writable::Never, required: false, ..field.clone() };
    let all =
        standard.into_iter().map(part).collect::<Vec<_>>().into_iter().chain(own.iter().map(|to| part(to.as_str())));
    std::iter::once(shown).chain(all).collect()
}

fn records() -> impl Iterator<Item = &'static str> {
    OBJECTS.iter().filter(|object| object.family == Family::Plain).map(|object| object.name)
}

fn is_required_by_layout(name: &str, told: &Described) -> bool {
    let Some(layout) = told.layouts.as_ref().and_then(|layouts| items(layouts, "layouts").first()) else {
        return false;
    };
    let fields = items(layout, "sections").iter().flat_map(|section| items(section, "fields"));
    fields.filter(|field| text_at(field, "api_name") == Some(name)).any(|field| flag_at(field, "required"))
}

/// What a field holds, and what reading it costs; `None` for what is no value by itself.
fn kind(name: &str, raw: &Json, told: &Described) -> Option<(Kind, ReadCost)> {
    let alone = |opt_in: bool| ReadCost::Extra { per_call: 1, opt_in, only_above: None };
    let length = raw.get("length").and_then(Json::as_u64).and_then(|length| u32::try_from(length).ok());
    let text = |html: bool| Kind::Text { max: length.filter(|length| *length > 0), html };
    let kind = match text_at(raw, "data_type").unwrap_or_default() {
        "text" | "website" | "autonumber" | "textarea" if is_formatted(raw) => return Some((text(true), alone(false))),
        // Long whole numbers are texts of up to 18 digits (sheet: Zoho section 5).
        "text" | "website" | "autonumber" | "textarea" | "bigint" => text(false),
        "email" => Kind::Email { many: false },
        "phone" => Kind::Phone { many: false },
        "picklist" if name == "Currency" => Kind::Currency,
        "picklist" => choices(raw, false),
        "multiselectpicklist" => choices(raw, true),
        "date" => Kind::Date,
        "datetime" => Kind::DateTime,
        "integer" | "double" | "currency" | "percent" | "rollup_summary" => Kind::Number,
        "boolean" => Kind::Bool,
        "lookup" => lookup(text_at(raw.get("lookup")?.get("module").unwrap_or(&Json::Null), "api_name")),
        "ownerlookup" | "userlookup" => Kind::User,
        "formula" => result_of(raw),
        "layout" => return layouts(told).map(|kind| (kind, alone(true))),
        "multiselectlookup" => {
            let to = raw.pointer("/multiselectlookup/connected_module/api_name").and_then(Json::as_str);
            return Some((
                to.map_or(Kind::Opaque, |to| Kind::Reference { object: to.into(), many: true }),
                alone(false),
            ));
        }
        _ => return Some((Kind::Opaque, alone(true))),
    };
    Some((kind, ReadCost::Listed))
}

fn is_formatted(raw: &Json) -> bool {
    raw.pointer("/textarea/type").and_then(Json::as_str) == Some("rich_text")
}

/// A lookup, by the module that it points to.
fn lookup(to: Option<&str>) -> Kind {
    match to {
        Some(to) if is_standard(to) || is_name(to) && !to.ends_with(VENDORS_OWN) && to != "se_module" => {
            Kind::Reference { object: to.into(), many: false }
        }
        _ => Kind::Opaque,
    }
}

fn result_of(raw: &Json) -> Kind {
    match raw.pointer("/formula/return_type").and_then(Json::as_str).unwrap_or_default() {
        "double" | "currency" | "integer" => Kind::Number,
        "boolean" => Kind::Bool,
        "date" => Kind::Date,
        "datetime" => Kind::DateTime,
        _ => Kind::Text { max: None, html: false },
    }
}

/// Layouts as choices, where there are several.
fn layouts(told: &Described) -> Option<Kind> {
    let all = items(told.layouts.as_ref()?, "layouts");
    let option = |layout: &Json| {
        let value = text_at(layout, "id")?.to_owned();
        let label = ["name", "display_label"].into_iter().find_map(|label| text_at(layout, label)).unwrap_or(&value);
        Some(Choice { label: label.to_owned(), value, within: None })
    };
    let options: Vec<Choice> = all.iter().filter_map(option).collect();
    (options.len() > 1).then(|| Kind::Choice { options: options.into(), many: false })
}

/// The values that are offered. Others may still stand in old records.
fn choices(raw: &Json, many: bool) -> Kind {
    let values = items(raw, "pick_list_values").iter().filter(|value| text_at(value, "type") != Some("unused"));
    Kind::Choice { options: options(values), many }
}

fn options<'j>(values: impl Iterator<Item = &'j Json>) -> Arc<[Choice]> {
    let mut options: Vec<Choice> = Vec::new();
    for value in values {
        let shown = text_at(value, "display_value");
        let Some(actual) = text_at(value, "actual_value").or(shown).filter(|actual| *actual != NONE) else { continue };
        if options.iter().all(|have| have.value != actual) {
            let label = shown.unwrap_or(actual).to_owned();
            options.push(Choice { value: actual.to_owned(), label, within: None });
        }
    }
    options.into()
}

/// Pipelines of all layouts, and the stages that belong to one of several alone (sheet: Zoho trap 5). A stage that is
/// in several pipelines belongs to none for certain.
fn pipelines(fields: &mut [Field], told: &Described) {
    let all: Vec<&Json> = told.pipelines.iter().flat_map(|one| items(one, "pipeline")).collect();
    let names = options(all.iter().copied());
    if names.len() > 1 {
        for field in fields.iter_mut().filter(|field| field.name == *"Pipeline") {
            field.required = field.writable != Writable::Never;
        }
    }
    for field in fields.iter_mut() {
        let Kind::Choice { options: own, many: false } = &mut field.kind else { continue };
        if field.name == *"Pipeline" && !names.is_empty() {
            *own = names.clone();
        } else if field.name == *"Stage" && names.len() > 1 {
            *own = own.iter().map(|stage| within(stage, &all)).collect();
        }
    }
}

fn within(stage: &Choice, pipelines: &[&Json]) -> Choice {
    let has = |pipeline: &&&Json| {
        items(pipeline, "maps").iter().any(|map| text_at(map, "actual_value") == Some(stage.value.as_str()))
    };
    let mut of: Vec<Choice> =
        pipelines.iter().filter(has).flat_map(|one| options([*one].into_iter()).to_vec()).collect();
    of.dedup();
    match &*of {
        [one] => Choice {
            label: format!("{}: {}", one.label, stage.label),
            within: Some(one.value.clone()),
            value: stage.value.clone(),
        },
        _ => stage.clone(),
    }
}

/// A field of a description that may lack its layouts, for whoever made it.
pub(super) fn field_named(object: &Object<'_>, name: &str, told: &Described) -> Option<Field> {
    let fields = items(&told.fields, "fields").iter().flat_map(|raw| fields_of(object, raw, told));
    fields.into_iter().find(|field| field.name == *name)
}
