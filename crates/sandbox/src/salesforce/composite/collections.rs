//! `/composite/sobjects`: up to 200 rows, each judged by itself (sheet: section 5.2).

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use crate::Reply;
use crate::salesforce::call::Call;
use crate::salesforce::draft::{self, Purpose};
use crate::salesforce::refusal::{Answer, Fault};
use crate::salesforce::schema::Field;
use crate::salesforce::settings::ParseErrors;
use crate::salesforce::sobjects::object;
use crate::salesforce::world::{Mark, World};
use crate::salesforce::{id, remove, view, write};

/// Rows of a write, and ids of a retrieve by POST.
const ROWS: usize = 200;
const READS: usize = 2_000;

/// How often the type may change from one row to the next.
const CHUNKS: usize = 10;

/// Answers `/composite/sobjects/...`.
pub(super) fn answer(world: &mut World, call: &Call<'_>, path: &[&str]) -> Answer {
    match (call.method(), path) {
        ("POST", []) => write_rows(world, call, &Work::Create),
        ("PATCH", []) => write_rows(world, call, &Work::Update),
        ("PATCH", [name, key]) => {
            let of = object(world, name)?;
            let key = write::key_field(of, key)?.name.clone();
            write_rows(world, call, &Work::Upsert { object: of.name.clone(), key })
        }
        ("DELETE", []) => delete(world, call),
        ("GET" | "POST", [name]) => retrieve(world, call, name),
        (_, []) => Err(call.not_allowed("POST,PATCH,DELETE")),
        _ => Err(Fault::not_found()),
    }
}

enum Work {
    Create,
    Update,
    Upsert { object: String, key: String },
}

/// What became of a row.
type Row = Result<(String, Option<bool>), Fault>;

fn write_rows(world: &mut World, call: &Call<'_>, work: &Work) -> Answer {
    let body = call.map()?;
    let all_or_none = body.get("allOrNone") == Some(&Json::Bool(true));
    let rows = body.get("records").and_then(Json::as_array).ok_or_else(|| Fault::parser("records is missing"))?;
    let rows: Vec<&Map<String, Json>> = rows
        .iter()
        .map(|row| row.as_object().ok_or_else(|| Fault::parser("A record must be an object")))
        .collect::<Result<_, _>>()?;
    if rows.len() > ROWS {
        return Err(Fault::new(
            "EXCEEDED_ID_LIMIT",
            format!("record limit reached. cannot submit more than {ROWS} records into this call"),
        ));
    }
    let names: Vec<String> = rows.iter().map(|row| type_of(world, row, work)).collect::<Result<_, _>>()?;
    let chunks = names.windows(2).filter(|pair| pair.first() != pair.last()).count() + 1;
    if chunks > CHUNKS {
        let message = format!(
            "Cannot have more than {CHUNKS} chunks in a single operation. Please rearrange the data to reduce chunking."
        );
        return Err(Fault::new("INVALID_FIELD", message));
    }
    if world.settings.collection_parse_errors == ParseErrors::Whole {
        parse_all(world, &rows, &names, work)?;
    }
    let mark = world.mark();
    let mut results: Vec<Row> = Vec::new();
    let mut keys = BTreeSet::new();
    for (row, name) in rows.iter().zip(&names).take(call.apply_only.unwrap_or(ROWS)) {
        results.push(one(world, call, row, name, work, &mut keys));
    }
    if all_or_none && results.iter().any(Result::is_err) {
        take_back(world, mark, &mut results);
    }
    Ok(Reply::json(200, &results.iter().map(shown).collect::<Vec<_>>()))
}

/// One row was refused and all or none was asked for: the others say so.
fn take_back(world: &mut World, mark: Mark, results: &mut [Row]) {
    world.rollback(mark);
    for row in results.iter_mut().filter(|row| row.is_ok()) {
        let message =
            "Record rolled back because not all records were valid and the request was using AllOrNone header";
        *row = Err(Fault::row("ALL_OR_NONE_OPERATION_ROLLED_BACK", message, &[]));
    }
}

fn shown(row: &Row) -> Json {
    match row {
        Ok((id, None)) => json!({"id": id, "success": true, "errors": []}),
        Ok((id, Some(created))) => json!({"id": id, "success": true, "errors": [], "created": created}),
        Err(fault) => json!({"success": false, "errors": [fault.item()]}),
    }
}

fn type_of(world: &World, row: &Map<String, Json>, work: &Work) -> Result<String, Fault> {
    let named = row.get("attributes").and_then(|attributes| attributes.get("type")).and_then(Json::as_str);
    let Some(named) = named else {
        return Err(Fault::new("INVALID_INPUT", "The attributes of a record must name its type"));
    };
    let of = world
        .schema
        .object(named)
        .ok_or_else(|| Fault::new("INVALID_TYPE", format!("sObject type '{named}' is not supported.")))?;
    match work {
        Work::Upsert { object, .. } if *object != of.name => {
            Err(Fault::new("INVALID_TYPE", format!("The records must be of the type {object}")))
        }
        _ => Ok(of.name.clone()),
    }
}

/// Unknown fields and values of a wrong type stop the whole request before anything is written.
fn parse_all(world: &World, rows: &[&Map<String, Json>], names: &[String], work: &Work) -> Result<(), Fault> {
    let purpose = if matches!(work, Work::Create) { Purpose::Create } else { Purpose::Update };
    for (row, name) in rows.iter().zip(names) {
        let Some(of) = world.schema.object(name) else { continue };
        let fields = plain(row);
        if let Err(fault) = draft::read(world, of, &fields, purpose)
            && (fault.code == "JSON_PARSER_ERROR" || fault.message.starts_with("No such column"))
        {
            return Err(fault);
        }
    }
    Ok(())
}

/// The row without its id and attributes.
fn plain(row: &Map<String, Json>) -> Map<String, Json> {
    row.iter()
        .filter(|(key, _)| !key.eq_ignore_ascii_case("id") && *key != "attributes")
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn one(
    world: &mut World,
    call: &Call<'_>,
    row: &Map<String, Json>,
    name: &str,
    work: &Work,
    keys: &mut BTreeSet<String>,
) -> Row {
    let given_id = row.iter().find(|(key, _)| key.eq_ignore_ascii_case("id")).and_then(|(_, id)| id.as_str());
    match work {
        Work::Create => {
            if given_id.is_some() {
                let message = "cannot specify Id in an insert call";
                return Err(Fault::row("INVALID_FIELD_FOR_INSERT_UPDATE", message, &["Id"]));
            }
            Ok((write::create(world, name, &plain(row), &call.writer())?, None))
        }
        Work::Update => {
            let missing = || Fault::row("MISSING_ARGUMENT", "Id not specified in an update call", &["Id"]);
            let given = given_id.ok_or_else(missing)?;
            let of = object(world, name)?;
            let id = id::parse(given).ok_or_else(|| write::missing(world, of, given))?;
            if !keys.insert(id.clone()) {
                return Err(Fault::row("DUPLICATE_VALUE", format!("duplicate id in list: {id}"), &[]));
            }
            write::update(world, name, &id, &plain(row), &call.writer())?;
            Ok((id, None))
        }
        Work::Upsert { key, .. } => {
            let mut fields = if key == "Id" { plain(row) } else { row.clone() };
            fields.remove("attributes");
            let found = row
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(key))
                .map(|(name, value)| (name.clone(), value.clone()));
            let Some((written, value)) = found.filter(|(_, value)| !value.is_null() && value != "") else {
                return Err(Fault::row("MISSING_ARGUMENT", format!("{key} not specified"), &[]));
            };
            fields.remove(&written);
            // The same key twice in one call (sheet: section 5.2 [unsure]).
            if !keys.insert(value.to_string().to_lowercase()) {
                return Err(Fault::row("DUPLICATE_VALUE", "Duplicate external id specified", &[key]));
            }
            let done = write::upsert(world, name, (key, &value), &fields, &call.writer())?;
            Ok((done.id, Some(done.created)))
        }
    }
}

fn delete(world: &mut World, call: &Call<'_>) -> Answer {
    let ids: Vec<&str> = call.request.param("ids").unwrap_or("").split(',').filter(|id| !id.is_empty()).collect();
    if ids.is_empty() || ids.len() > ROWS {
        return Err(Fault::new("EXCEEDED_ID_LIMIT", format!("between 1 and {ROWS} ids must be given")));
    }
    let mark = world.mark();
    let results: Vec<Row> = ids
        .iter()
        .take(call.apply_only.unwrap_or(ROWS))
        .map(|given| {
            let malformed = || Fault::row("MALFORMED_ID", format!("malformed id {given}"), &[]);
            let id = id::parse(given).ok_or_else(malformed)?;
            let of = world.schema.of_id(&id).map(|of| of.name.clone());
            let of = of.ok_or_else(|| Fault::row("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &[]))?;
            remove::delete(world, &of, &id, &call.writer())?;
            Ok((id, None))
        })
        .collect();
    let mut results = results;
    if call.flag("allOrNone") && results.iter().any(Result::is_err) {
        take_back(world, mark, &mut results);
    }
    Ok(Reply::json(200, &results.iter().map(shown).collect::<Vec<_>>()))
}

/// Records by their ids; null for what is not there.
fn retrieve(world: &World, call: &Call<'_>, name: &str) -> Answer {
    let of = object(world, name)?;
    let (ids, fields): (Vec<String>, Vec<String>) = if call.method() == "POST" {
        let body = call.map()?;
        let list = |key: &str| -> Vec<String> {
            let list = body.get(key).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
            list.iter().filter_map(Json::as_str).map(str::to_owned).collect()
        };
        (list("ids"), list("fields"))
    } else {
        let list = |key: &str| -> Vec<String> {
            call.request.param(key).unwrap_or("").split(',').filter(|one| !one.is_empty()).map(str::to_owned).collect()
        };
        (list("ids"), list("fields"))
    };
    if ids.len() > READS || fields.is_empty() {
        return Err(Fault::new("INVALID_INPUT", format!("at most {READS} ids and at least one field must be given")));
    }
    let fields: Vec<Field> = fields
        .iter()
        .map(|field| of.field(field).cloned().ok_or_else(|| Fault::no_column(field, &of.name)))
        .collect::<Result<_, _>>()?;
    let rows: Vec<Json> = ids
        .iter()
        .map(|given| {
            let record = id::parse(given).and_then(|id| world.live(&of.name, &id));
            record.map_or(Json::Null, |record| view::record(world, &of.name, record, Some(&fields), call.version))
        })
        .collect();
    Ok(Reply::json(200, &rows))
}
