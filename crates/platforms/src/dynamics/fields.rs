//! New columns of a customer's (sheet: Dynamics section 3 \[doc\]).
//!
//! A column is made, then the key over it where its values shall be unique, whose index is built for a while; then it is
//! looked at. Programs see it at once; for people's forms it is to be published by whoever wants it there.

use handover_connect::{Fault, FaultKind, Method, Refusal, Reply, Request, Step};
use handover_model::{Field, Kind};
use serde_json::{Value as Json, json};

use super::capabilities::CALL;
use super::definition::{self, Definition};
use super::objects::{DATA, Object};
use super::place::{Making, Place};
use super::{faults, query, schema};
use crate::json::{body, items, text_at};
use crate::marks::{Mark, foreign};

/// The longest text of one line, and the longest of several.
const LONGEST_TEXT: u32 = 4_000;
const LONGEST_AREA: u32 = 1_048_576;
/// How long is waited for an index, in milliseconds, and how often.
const INDEX_MS: u64 = 5_000;
const INDEX_TIMES: u32 = 60;
/// The language of labels: English, which every environment takes (\[unsure\]).
const LANGUAGE: u32 = 1_033;

/// The request that makes a column or its key, or looks at them.
pub(super) fn create(object: &Object<'_>, wish: &Field, place: Option<&Place>) -> Result<Request, Refusal> {
    if !object.has_key {
        return Err(Refusal::unsupported(format!("Dynamics' {} take no columns of one's own", object.name)));
    }
    let name = schema_name(wish)?;
    let path = definition::path(object.table);
    let post = |path: String, body: Json| {
        let mut request = Request::new(Method::Post, path, &CALL).with_json(body.to_string().into_bytes());
        request.headers.extend(query::headers());
        request
    };
    Ok(match place {
        None => match &wish.kind {
            // A lookup comes with its relationship.
            Kind::Reference { object: to, many: false } => {
                post(format!("{DATA}/RelationshipDefinitions"), relationship(object.table, to.as_str(), wish)?)
            }
            _ => post(format!("{path}/Attributes"), definition_of(wish)?),
        },
        Some(Place::Field(Making::Made)) => {
            let key = format!("{name}_Key");
            let body =
                json!({ "SchemaName": key, "KeyAttributes": [name.to_lowercase()], "DisplayName": label(&wish.label) });
            post(format!("{path}/Keys"), body)
        }
        Some(Place::Field(Making::Indexing { .. })) => {
            definition::ask(&format!("{path}/Keys"), &[("$select", "LogicalName,KeyAttributes,EntityKeyIndexStatus")])
        }
        Some(Place::Describing(definition)) => definition.request(object),
        Some(_) => return Err(foreign()),
    })
}

/// What became of it.
pub(super) fn created(object: &Object<'_>, wish: &Field, place: Option<Place>, reply: &Reply) -> Result<Step, Fault> {
    let name = schema_name(wish).map_err(Fault::from)?.to_lowercase();
    let describe = || Place::Describing(Box::default());
    match place {
        None => {
            match faults::check(reply) {
                // The name is taken, perhaps by this very request, whose answer was lost: look.
                Err(fault) if !is_taken(&fault, wish) => Err(fault),
                _ if wish.unique => Ok(Place::Field(Making::Made).then()),
                _ => Ok(describe().then()),
            }
        }
        Some(Place::Field(Making::Made)) => match faults::check(reply) {
            Err(fault) if fault.kind != FaultKind::Conflict => Err(fault),
            _ => Ok(Place::Field(Making::Indexing { times: 0 }).after(INDEX_MS)),
        },
        Some(Place::Field(Making::Indexing { times })) => match index(&name, reply)?.as_str() {
            "Active" => Ok(describe().then()),
            "Failed" => {
                let why = format!("`{name}` cannot be unique: records have the same value in it");
                Err(Fault::new(FaultKind::Conflict, "key_failed", why).with_field(name))
            }
            _ if times < INDEX_TIMES => Ok(Place::Field(Making::Indexing { times: times + 1 }).after(INDEX_MS)),
            _ => Err(Fault::new(FaultKind::Unavailable, "key_pending", format!("the index of `{name}` is not ready"))),
        },
        Some(Place::Describing(mut definition)) => {
            if definition.take(object, reply)? {
                return Ok(Place::Describing(definition).then());
            }
            seen(object, wish, &name, &definition)
        }
        Some(_) => Err(foreign().into()),
    }
}

/// Whether a refusal says that there is such a name. Of relationships it is not known which code does (\[unsure\]).
fn is_taken(fault: &Fault, wish: &Field) -> bool {
    let is_link = matches!(wish.kind, Kind::Reference { .. });
    fault.kind == FaultKind::Conflict || is_link && fault.kind == FaultKind::Invalid
}

/// The column that is there, if it is what was wanted.
fn seen(object: &Object<'_>, wish: &Field, name: &str, definition: &Definition) -> Result<Step, Fault> {
    let schema = schema::of(object, definition);
    let Some(field) = schema.field(name) else {
        let message = format!("the column `{name}` is not there: it was not made, or this user cannot read it");
        return Err(Fault::new(FaultKind::Denied, "column_not_visible", message).with_field(name));
    };
    let is_kind = match &wish.kind {
        Kind::Reference { .. } => field.kind == wish.kind,
        kind => std::mem::discriminant(&field.kind) == std::mem::discriminant(kind),
    };
    if (!is_kind || field.unique != wish.unique) && !matches!(wish.kind, Kind::Opaque | Kind::Time | Kind::Currency) {
        let message = format!("there is a column `{name}` of another type");
        return Err(Fault::new(FaultKind::Conflict, "name_taken", message).with_field(name));
    }
    Ok(Step::Field(field.clone()))
}

/// How far the index over a column is.
fn index(column: &str, reply: &Reply) -> Result<String, Fault> {
    faults::check(reply)?;
    let body = body(reply)?;
    let is_it = |key: &&Json| matches!(items(key, "KeyAttributes"), [only] if only.as_str() == Some(column));
    let key = items(&body, "value").iter().find(is_it);
    Ok(key.and_then(|key| text_at(key, "EntityKeyIndexStatus")).unwrap_or("Pending").to_owned())
}

fn label(text: &str) -> Json {
    json!({
        "@odata.type": "Microsoft.Dynamics.CRM.Label",
        "LocalizedLabels": [
            { "@odata.type": "Microsoft.Dynamics.CRM.LocalizedLabel", "Label": text, "LanguageCode": LANGUAGE },
        ],
    })
}

/// A column's definition.
fn definition_of(wish: &Field) -> Result<Json, Refusal> {
    let line = |format: &str, max: Option<u32>| {
        let max = max.unwrap_or(LONGEST_TEXT / 4).clamp(1, LONGEST_TEXT);
        ("String", json!({ "MaxLength": max, "FormatName": { "Value": format } }))
    };
    let (kind, more) = match &wish.kind {
        // A key stands in an index of 900 bytes (section 3 [doc]).
        Kind::Text { html: false, max } if wish.unique => line("Text", Some(max.unwrap_or(400).min(400))),
        Kind::Text { html: false, max: Some(max) } if *max <= LONGEST_TEXT => line("Text", Some(*max)),
        Kind::Text { max, .. } => {
            ("Memo", json!({ "MaxLength": max.unwrap_or(LONGEST_AREA).clamp(1, LONGEST_AREA), "Format": "TextArea" }))
        }
        Kind::Email { many: false } => line("Email", Some(100)),
        Kind::Phone { many: false } => line("Phone", Some(100)),
        Kind::Currency | Kind::Time | Kind::Opaque | Kind::Email { .. } | Kind::Phone { .. } => line("Text", None),
        Kind::Bool => {
            let option = |value: u8, text: &str| json!({ "Value": value, "Label": label(text) });
            let options =
                json!({ "TrueOption": option(1, "Yes"), "FalseOption": option(0, "No"), "OptionSetType": "Boolean" });
            ("Boolean", json!({ "OptionSet": options, "DefaultValue": false }))
        }
        Kind::Number => {
            ("Decimal", json!({ "MinValue": -100_000_000_000_i64, "MaxValue": 100_000_000_000_i64, "Precision": 4 }))
        }
        Kind::Date => ("DateTime", json!({ "Format": "DateOnly", "DateTimeBehavior": { "Value": "DateOnly" } })),
        Kind::DateTime => {
            ("DateTime", json!({ "Format": "DateAndTime", "DateTimeBehavior": { "Value": "UserLocal" } }))
        }
        Kind::Choice { options, many } => {
            // The platform gives the numbers.
            let options: Vec<Json> = options.iter().map(|option| json!({ "Label": label(&option.label) })).collect();
            let set = json!({ "IsGlobal": false, "OptionSetType": "Picklist", "Options": options });
            (if *many { "MultiSelectPicklist" } else { "Picklist" }, json!({ "OptionSet": set }))
        }
        Kind::User | Kind::Reference { .. } => {
            return Err(Refusal::unsupported("such lookups are made in the environment itself"));
        }
    };
    let mut all = json!({
        "@odata.type": format!("Microsoft.Dynamics.CRM.{kind}AttributeMetadata"),
        "AttributeType": if kind == "MultiSelectPicklist" { "Virtual" } else { kind },
        "AttributeTypeName": { "Value": format!("{kind}Type") },
        "SchemaName": schema_name(wish)?,
        "DisplayName": label(&wish.label),
        "RequiredLevel": not_required(),
    });
    if let (Some(all), Json::Object(more)) = (all.as_object_mut(), more) {
        all.extend(more);
    }
    Ok(all)
}

/// A lookup's definition, with its relationship: one that goes with nothing that is done to the record which it leads to,
/// and is emptied when that is deleted.
fn relationship(table: &str, to: &str, wish: &Field) -> Result<Json, Refusal> {
    if wish.unique {
        return Err(Refusal::unsupported("a lookup cannot be unique"));
    }
    let name = schema_name(wish)?;
    let (prefix, rest) = name.split_once('_').unwrap_or(("new", name.as_str()));
    let of_both: String = format!("{prefix}_{to}_{table}_{rest}").chars().take(100).collect();
    Ok(json!({
        "@odata.type": "Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata",
        "SchemaName": of_both,
        "ReferencedEntity": to,
        "ReferencingEntity": table,
        "CascadeConfiguration": {
            "Assign": "NoCascade", "Delete": "RemoveLink", "Merge": "NoCascade", "Reparent": "NoCascade",
            "Share": "NoCascade", "Unshare": "NoCascade",
        },
        "Lookup": {
            "@odata.type": "Microsoft.Dynamics.CRM.LookupAttributeMetadata",
            "AttributeType": "Lookup",
            "AttributeTypeName": { "Value": "LookupType" },
            "SchemaName": name,
            "DisplayName": label(&wish.label),
            "RequiredLevel": not_required(),
        },
    }))
}

fn not_required() -> Json {
    json!({ "Value": "None", "CanBeChanged": true, "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings" })
}

/// A wished name in Dataverse's form: the publisher's prefix of two to eight letters and digits, an underscore, letters
/// and digits. What is not in that form already gets the prefix that environments begin with.
fn schema_name(wish: &Field) -> Result<String, Refusal> {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let name: String = wish.name.as_str().chars().map(plain).collect();
    let name = name.trim_matches('_');
    if name.is_empty() {
        let why = format!("`{}` has no letter that a column's name could be made of", wish.name);
        return Err(Refusal::unsupported(why));
    }
    let is_formed =
        wish.name.as_str().bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    let has_prefix = is_formed
        && name.split_once('_').is_some_and(|(prefix, rest)| {
            (2..=8).contains(&prefix.len()) && prefix.starts_with(|c: char| c.is_ascii_alphabetic()) && !rest.is_empty()
        });
    let name = if has_prefix { name.to_owned() } else { format!("new_{name}") };
    // Fifty characters and a key's ending behind them, as the application asks for.
    Ok(name.chars().take(50).collect())
}
