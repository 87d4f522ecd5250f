//! New custom fields, and what the tooling tells of fields that the user may not see (sheet: section 3).

use serde_json::{Value as Json, json};

use super::Salesforce;
use super::call::Call;
use super::refusal::{Answer, Fault};
use super::world_file::{self, FieldSpec};
use crate::Reply;

/// Types of custom fields by what describe calls them (sheet: section 3 \[spec\]).
const TYPES: [(&str, &str); 17] = [
    ("Text", "string"),
    ("LongTextArea", "textarea"),
    ("TextArea", "textarea"),
    ("Html", "textarea"),
    ("Number", "double"),
    ("Currency", "currency"),
    ("Percent", "percent"),
    ("Date", "date"),
    ("DateTime", "datetime"),
    ("Time", "time"),
    ("Checkbox", "boolean"),
    ("Picklist", "picklist"),
    ("MultiselectPicklist", "multipicklist"),
    ("Email", "email"),
    ("Phone", "phone"),
    ("Url", "url"),
    ("Lookup", "reference"),
];

/// Answers `/tooling/...`.
pub(super) fn answer(org: &mut Salesforce, call: &Call<'_>, path: &[&str]) -> Answer {
    match (call.method(), path) {
        ("POST", ["sobjects", "CustomField"]) => create_field(org, call),
        _ => Err(Fault::not_found()),
    }
}

/// `{"FullName": "Account.Src_Id__c", "Metadata": {"type": "Text", ...}}` (the body's form is \[unsure\]).
fn create_field(org: &mut Salesforce, call: &Call<'_>) -> Answer {
    let world = &mut org.world;
    let body = call.map()?;
    let integrity = |message: String| Fault::row("FIELD_INTEGRITY_EXCEPTION", message, &["FullName"]);
    let full = body.get("FullName").and_then(Json::as_str).unwrap_or("");
    let (object, name) = full.split_once('.').ok_or_else(|| integrity(format!("no field name: {full}")))?;
    if !name.ends_with("__c") {
        return Err(integrity(format!("the name of a custom field ends in __c: {full}")));
    }
    let of = world.schema.object(object).ok_or_else(|| integrity(format!("no such object: {object}")))?;
    if of.any_field(name).is_some() {
        let message = format!("There is already a field named {} on {}.", name.trim_end_matches("__c"), of.label);
        return Err(Fault::row("DUPLICATE_DEVELOPER_NAME", message, &[]));
    }
    let meta = body.get("Metadata").cloned().unwrap_or_default();
    let spec = spec(name, &meta, world.settings.new_fields_hidden)?;
    let of = of.name.clone();
    world_file::apply(world, &of, &spec).map_err(|error| integrity(error.to_string()))?;
    world.specs.fields.entry(of.clone()).or_default().push(spec);
    world.reindex(&of);
    world.set_schema_changed(call.at);
    let id = world.mint("00N");
    Ok(Reply::json(201, &json!({"id": id, "success": true, "errors": [], "warnings": [], "infos": []})))
}

fn spec(name: &str, meta: &Json, hidden: bool) -> Result<FieldSpec, Fault> {
    let wanted = meta["type"].as_str().unwrap_or("");
    let known = TYPES.iter().find(|(one, _)| *one == wanted);
    let known =
        known.ok_or_else(|| Fault::row("FIELD_INTEGRITY_EXCEPTION", format!("type {wanted}"), &["Metadata"]))?;
    let size = |key: &str| meta[key].as_u64().and_then(|size| usize::try_from(size).ok());
    let on = |key: &str| meta[key] == json!(true);
    let definitions = meta["valueSet"]["valueSetDefinition"]["value"].as_array().cloned().unwrap_or_default();
    // A value's label is its name where none is given (metadata type `CustomValue` [doc]).
    let values = definitions.iter().filter_map(|value| {
        let name = value["fullName"].as_str().or(value["valueName"].as_str())?;
        Some(match value["label"].as_str().filter(|label| *label != name) {
            Some(label) => world_file::ValueSpec::Whole {
                value: name.to_owned(),
                label: Some(label.to_owned()),
                inactive: false,
                default: value["default"] == json!(true),
                valid_for: None,
            },
            None => world_file::ValueSpec::Plain(name.to_owned()),
        })
    });
    Ok(FieldSpec {
        name: name.to_owned(),
        label: meta["label"].as_str().map(str::to_owned),
        kind: Some(known.1.to_owned()),
        length: size("length"),
        precision: size("precision"),
        scale: size("scale"),
        required: Some(on("required")),
        unique: on("unique"),
        external_id: on("externalId"),
        case_sensitive: on("caseSensitive"),
        restricted: meta["valueSet"]["restricted"].as_bool(),
        hidden,
        html: wanted == "Html",
        values: values.collect(),
        reference_to: meta["referenceTo"].as_str().map(str::to_owned).into_iter().collect(),
        children: meta["relationshipName"].as_str().map(|name| format!("{name}__r")),
        ..FieldSpec::default()
    })
}

/// `POST /sobjects/FieldPermissions`: the users of the API see the field (sheet: section 3 \[unsure\]).
pub(super) fn grant(org: &mut Salesforce, call: &Call<'_>) -> Answer {
    let world = &mut org.world;
    let body = call.map()?;
    let full = body.get("Field").and_then(Json::as_str).unwrap_or("");
    let unknown = || Fault::row("INVALID_CROSS_REFERENCE_KEY", format!("no such field: {full}"), &["Field"]);
    let (object, name) = full.split_once('.').ok_or_else(unknown)?;
    let of = world.schema.object_mut(object).ok_or_else(unknown)?;
    let field = of.field_mut(name).filter(|field| field.custom).ok_or_else(unknown)?;
    let read = body.get("PermissionsRead") == Some(&json!(true));
    field.hidden = !read;
    (field.createable, field.updateable) = {
        let edit = body.get("PermissionsEdit") == Some(&json!(true));
        (field.createable && edit, field.updateable && edit)
    };
    let (of, name) = (of.name.clone(), name.to_owned());
    let specs = world.specs.fields.entry(of).or_default();
    if let Some(spec) = specs.iter_mut().find(|spec| spec.name.eq_ignore_ascii_case(&name)) {
        spec.hidden = !read;
    }
    world.set_schema_changed(call.at);
    let id = world.mint("01k");
    Ok(Reply::json(201, &json!({"id": id, "success": true, "errors": []})))
}
