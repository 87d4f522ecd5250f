//! A query against the records.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::{Column, Function, Query, beyond, invalid};
use crate::Reply;
use crate::zoho::call::Call;
use crate::zoho::criteria::{self, Op};
use crate::zoho::instant;
use crate::zoho::refusal::{Answer, Refusal, nothing};
use crate::zoho::schema::{Kind, Module};
use crate::zoho::scopes::Does;
use crate::zoho::values::plain;
use crate::zoho::world::{Row, World};

/// Limits of a query (sheet: section 4).
const COLUMNS: usize = 50;
const CRITERIA: usize = 25;
const IN: usize = 50;
const JOINS: usize = 2;
const ORDER_BY: usize = 10;
const GROUP_BY: usize = 4;

/// Answers a query.
pub(super) fn run(world: &World, call: &Call<'_>, mut query: Query) -> Answer {
    let module = world.module(&query.module).filter(|module| {
        // Notes and attachments cannot be queried (sheet: silent; the list of modules does not name them).
        module.generated != "linking" && !matches!(module.api_name.as_str(), "Notes" | "Attachments")
    });
    let module = module.ok_or_else(|| {
        Refusal::new("INVALID_MODULE", "the module name given seems to be invalid")
            .with(json!({"module": query.module}))
    })?;
    call.may_in(world, &module.api_name, Does::Read)?;
    check(world, call, module, &query)?;
    let prepared = query.filter.prepare(world, module);
    prepared.map_err(|name| invalid("value given seems to be invalid for the column", json!({"column_name": name})))?;
    let mut rows = world.seen(&module.api_name, world.settings.coql_lag_s);
    rows.retain(|row| !row.is("$converted") && query.filter.holds(world, module, row));
    sort(world, module, &query, &mut rows);
    let is_grouped = !query.group_by.is_empty() || query.columns.iter().any(|column| column.function.is_some());
    let all: Vec<Json> = match is_grouped {
        true => grouped(world, module, &query, &rows),
        false => rows.iter().map(|row| told(world, module, &query, row)).collect(),
    };
    let count = all.len();
    let here: Vec<Json> = all.into_iter().skip(query.offset).take(query.limit).collect();
    if here.is_empty() {
        return Ok(nothing());
    }
    let info = json!({"count": here.len(), "more_records": count > query.offset + here.len()});
    Ok(Reply::json(200, &json!({"data": here, "info": info})))
}

/// Every column is there, and nothing is more than it may be.
fn check(world: &World, call: &Call<'_>, module: &Module, query: &Query) -> Result<(), Refusal> {
    let (most, reach) = if call.version >= 7 { (2_000, 100_000) } else { (200, 10_000) };
    let tests = query.filter.tests();
    for (clause, count, limit) in [
        ("select", query.columns.len(), COLUMNS),
        ("where", tests.len(), CRITERIA),
        ("order by", query.order_by.len(), ORDER_BY),
        ("group by", query.group_by.len(), GROUP_BY),
        ("limit", query.limit, most),
        ("offset", query.offset + query.limit, reach),
    ] {
        if count > limit {
            return Err(beyond(clause, limit));
        }
    }
    if query.limit == 0 {
        return Err(beyond("limit", most));
    }
    if tests.iter().any(|test| matches!(test.op, Op::In | Op::NotIn) && test.values.len() > IN) {
        return Err(beyond("in", IN));
    }
    let mut ordered = BTreeSet::new();
    if !query.order_by.iter().all(|(path, _)| ordered.insert(path)) {
        return Err(Refusal::new("DUPLICATE_DATA", "duplicate data").with(json!({"clause": "order by"})));
    }
    let selected = query.columns.iter().map(|column| (&column.path, "select"));
    let filtered = tests.iter().map(|test| (&test.path, "where"));
    let sorted = query.order_by.iter().map(|(path, _)| (path, "order by"));
    let by = query.group_by.iter().map(|path| (path, "group by"));
    let mut joins = BTreeSet::new();
    for (path, clause) in selected.chain(filtered).chain(sorted).chain(by) {
        let name = path.join(".");
        let unknown = |reason: &str| invalid(reason, json!({"column_name": name, "clause": clause}));
        let field = criteria::target(world, module, path).ok_or_else(|| unknown("column given seems to be invalid"))?;
        let is_text = |area: &str| field.and_then(|field| field.textarea.as_deref()) == Some(area);
        let is_list = field.is_some_and(|field| field.data_type.single_only() || field.data_type == Kind::Fileupload);
        let is_long = field.is_some_and(|field| field.data_type == Kind::Textarea);
        if is_list || is_text("rich_text") || (clause != "select" && is_long) {
            return Err(unknown("data type not supported"));
        }
        if path.len() > 1 {
            joins.insert(path.iter().take(path.len() - 1).cloned().collect::<Vec<_>>());
        }
    }
    if joins.len() > JOINS {
        return Err(beyond("join", JOINS));
    }
    Ok(())
}

/// By id unless the query says otherwise; what is not there comes first.
fn sort(world: &World, module: &Module, query: &Query, rows: &mut [&Row]) {
    rows.sort_by_key(|row| row.id);
    for (path, descends) in query.order_by.iter().rev() {
        rows.sort_by(|one, other| {
            let (one, other) = (criteria::value(world, module, one, path), criteria::value(world, module, other, path));
            let order = match (one.is_null(), other.is_null()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                _ => criteria::compare(&one, &other).unwrap_or(Ordering::Equal),
            };
            if *descends { order.reverse() } else { order }
        });
    }
}

fn told(world: &World, module: &Module, query: &Query, row: &Row) -> Json {
    let mut told: Map<String, Json> =
        query.columns.iter().map(|column| (column.name.clone(), cell(world, module, row, &column.path))).collect();
    told.insert("id".to_owned(), json!(row.id.to_string()));
    Json::Object(told)
}

/// Lookups give their id alone (sheet: section 4).
fn cell(world: &World, module: &Module, row: &Row, path: &[String]) -> Json {
    let value = criteria::value(world, module, row, path);
    let kind = criteria::target(world, module, path).flatten().map(|field| field.data_type);
    match kind {
        _ if value.is_null() => value,
        Some(kind) if kind.points() => json!({"id": value}),
        Some(Kind::Datetime) => json!(instant::retold(value.as_str().unwrap_or(""), world.org.utc_offset_min)),
        _ => value,
    }
}

fn grouped(world: &World, module: &Module, query: &Query, rows: &[&Row]) -> Vec<Json> {
    let mut groups: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        let key: Vec<Json> = query.group_by.iter().map(|path| criteria::value(world, module, row, path)).collect();
        groups.entry(Json::Array(key).to_string()).or_default().push(row);
    }
    let of = |rows: &Vec<&Row>| {
        let columns = query.columns.iter().map(|column| {
            let value = match column.function {
                Some(function) => computed(world, module, rows, column, function),
                None => rows.first().map_or(Json::Null, |row| cell(world, module, row, &column.path)),
            };
            (column.name.clone(), value)
        });
        Json::Object(columns.collect())
    };
    groups.values().map(of).collect()
}

fn computed(world: &World, module: &Module, rows: &[&Row], column: &Column, function: Function) -> Json {
    let values = rows.iter().map(|row| criteria::value(world, module, row, &column.path));
    let values: Vec<Json> = values.filter(|value| !value.is_null()).collect();
    let sum = || values.iter().filter_map(Json::as_f64).sum::<f64>();
    let by = |one: &&Json, other: &&Json| criteria::compare(one, other).unwrap_or(Ordering::Equal);
    match function {
        Function::Count => json!(values.len()),
        Function::Sum => plain(sum()),
        Function::Avg if values.is_empty() => Json::Null,
        Function::Avg => {
            let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
            plain(sum() / f64::from(count))
        }
        Function::Min => values.iter().min_by(by).cloned().unwrap_or_default(),
        Function::Max => values.iter().max_by(by).cloned().unwrap_or_default(),
    }
}
