//! Search: what may be asked, and which records answer (sheet: HubSpot sections 2.2 and 4).
//!
//! Search sees a record as it was before the writes that have not reached the index yet; archived
//! records never answer. Pages end at 10,000 results.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use super::Hubspot;
use super::call::{Call, id_text};
use super::instant;
use super::kinds::{self, Kind, Kinds};
use super::property::ValueType;
use super::record::Record;
use super::refusal::{Answer, Refusal};
use super::view::{Selection, record_json};
use super::world::World;
use crate::Reply;

const LIMIT: usize = 200;
/// Results that paging can reach (sheet: section 4 \[doc\]).
const CEILING: usize = 10_000;
const GROUPS: usize = 5;
const FILTERS_PER_GROUP: usize = 6;
const FILTERS: usize = 18;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Eq,
    Neq,
    Lt,
    Lte,
    Gt,
    Gte,
    Between,
    In,
    NotIn,
    HasProperty,
    NotHasProperty,
    ContainsToken,
    NotContainsToken,
}

impl Operator {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "EQ" => Self::Eq,
            "NEQ" => Self::Neq,
            "LT" => Self::Lt,
            "LTE" => Self::Lte,
            "GT" => Self::Gt,
            "GTE" => Self::Gte,
            "BETWEEN" => Self::Between,
            "IN" => Self::In,
            "NOT_IN" => Self::NotIn,
            "HAS_PROPERTY" => Self::HasProperty,
            "NOT_HAS_PROPERTY" => Self::NotHasProperty,
            "CONTAINS_TOKEN" => Self::ContainsToken,
            "NOT_CONTAINS_TOKEN" => Self::NotContainsToken,
            _ => return None,
        })
    }
}

struct Filter {
    property: String,
    value_type: ValueType,
    operator: Operator,
    value: String,
    high: String,
    values: Vec<String>,
}

struct Query {
    groups: Vec<Vec<Filter>>,
    text: String,
    sort: Option<(String, ValueType, bool)>,
    limit: usize,
    after: usize,
    wanted: Selection,
}

/// `POST /crm/v3/objects/{kind}/search`
pub(crate) fn search(hub: &mut Hubspot, call: &Call<'_>, kind: Kind) -> Answer {
    let characters = String::from_utf8_lossy(&call.request.body).chars().count();
    let most = hub.world.settings.search_body_characters;
    if characters > most {
        return Err(Refusal::invalid(format!(
            "The request body is {characters} characters long; search accepts at most {most}"
        )));
    }
    let query = parse(&hub.world, kind, &call.object()?)?;
    let horizon = call.now.saturating_sub(hub.world.settings.search_lag_ms);
    if let Some(table) = hub.world.tables.get_mut(usize::from(kind)) {
        table.settle(horizon);
    }
    let world = &hub.world;
    let mut found: Vec<&Record> =
        candidates(world, kind, &query).into_iter().filter(|record| matches(world, kind, record, &query)).collect();
    sort(world, kind, &query, &mut found);
    let total = found.len();
    let page = found.iter().skip(query.after).take(query.limit);
    let results: Vec<Json> = page.map(|record| Json::Object(record_json(world, kind, record, &query.wanted))).collect();
    let next = query.after + results.len();
    let mut body: Json = [("total", total.into()), ("results", Json::Array(results))].into_iter().collect();
    if let (true, Some(body)) = (next < total, body.as_object_mut()) {
        body.insert("paging".into(), json!({"next": {"after": next.to_string()}}));
    }
    Ok(Reply::json(200, &body))
}

fn parse(world: &World, kind: Kind, body: &Map<String, Json>) -> Result<Query, Refusal> {
    let empty = Vec::new();
    let list = |name: &str| match body.get(name) {
        None | Some(Json::Null) => Ok(&empty),
        Some(Json::Array(all)) => Ok(all),
        Some(other) => Err(Refusal::json(&format!("Cannot deserialize {name} from {}", super::values::shape(other)))),
    };
    let groups = list("filterGroups")?;
    if groups.len() > GROUPS {
        return Err(Refusal::invalid(format!("Too many filter groups: {}; the maximum is {GROUPS}", groups.len())));
    }
    let mut parsed = Vec::new();
    for group in groups {
        let Some(Json::Array(filters)) = group.get("filters") else {
            return Err(Refusal::json("Some required fields were not set: [filters]"));
        };
        if filters.is_empty() || filters.len() > FILTERS_PER_GROUP {
            return Err(Refusal::invalid(format!(
                "A filter group has {} filters; between 1 and {FILTERS_PER_GROUP} are allowed",
                filters.len()
            )));
        }
        parsed.push(filters.iter().map(|f| filter(world, kind, f)).collect::<Result<Vec<_>, _>>()?);
    }
    let filters = parsed.iter().map(Vec::len).sum::<usize>();
    if filters > FILTERS {
        return Err(Refusal::invalid(format!("Too many filters: {filters}; the maximum is {FILTERS} in total")));
    }
    let (limit, after) = page(body)?;
    Ok(Query {
        groups: parsed,
        text: body.get("query").and_then(Json::as_str).unwrap_or("").trim().to_lowercase(),
        sort: sort_rule(world, kind, list("sorts")?)?,
        limit,
        after,
        wanted: Selection::of_body(body)?,
    })
}

fn page(body: &Map<String, Json>) -> Result<(usize, usize), Refusal> {
    let number = |name: &str, default: usize| match body.get(name) {
        None | Some(Json::Null) => Ok(default),
        Some(Json::String(text)) if text.is_empty() => Ok(default),
        value => id_text(value)
            .and_then(|text| text.parse::<usize>().ok())
            .ok_or_else(|| Refusal::invalid(format!("Invalid value for {name}"))),
    };
    let (limit, after) = (number("limit", 10)?, number("after", 0)?);
    if limit == 0 || limit > LIMIT {
        return Err(Refusal::invalid(format!("Invalid limit {limit}: the limit must be between 1 and {LIMIT}")));
    }
    if after + limit > CEILING {
        return Err(Refusal::invalid(format!(
            "Search results can only be paged through the first {CEILING}: after {after}, limit {limit}"
        )));
    }
    Ok((limit, after))
}

fn filter(world: &World, kind: Kind, given: &Json) -> Result<Filter, Refusal> {
    let text = |name: &str| match given.get(name) {
        Some(Json::String(text)) => text.clone(),
        Some(Json::Number(number)) => number.to_string(),
        Some(Json::Bool(value)) => value.to_string(),
        _ => String::new(),
    };
    let (property, operator) = (text("propertyName"), text("operator"));
    if property.is_empty() || operator.is_empty() {
        return Err(Refusal::json(
            "Cannot build Filter, some of required attributes are not set [propertyName, operator]",
        ));
    }
    let Some(parsed) = Operator::parse(&operator) else {
        return Err(Refusal::json(&format!("Cannot deserialize value of type `Operator` from \"{operator}\"")));
    };
    let Some(definition) = world.schema(kind).live(&property) else {
        return Err(no_property(&property));
    };
    let values: Vec<String> = given
        .get("values")
        .and_then(Json::as_array)
        .map(|all| all.iter().filter_map(|v| v.as_str().map(str::to_owned).or_else(|| id_text(Some(v)))).collect())
        .unwrap_or_default();
    let filter = Filter {
        value_type: definition.value_type,
        operator: parsed,
        value: text("value"),
        high: text("highValue"),
        values,
        property,
    };
    complete(&filter, &operator)?;
    Ok(filter)
}

fn no_property(name: &str) -> Refusal {
    let message = format!("There was a problem with the request: property {name} does not exist");
    Refusal::invalid(message)
        .detail(json!({"message": format!("Property \"{name}\" does not exist"), "code": "PROPERTY_DOESNT_EXIST",
            "context": {"propertyName": [name]}}))
}

fn complete(filter: &Filter, operator: &str) -> Result<(), Refusal> {
    let missing = match filter.operator {
        Operator::HasProperty | Operator::NotHasProperty => None,
        Operator::In | Operator::NotIn => filter.values.is_empty().then_some("values"),
        Operator::Between if filter.high.is_empty() => Some("a highValue"),
        _ => filter.value.is_empty().then_some("a value"),
    };
    if let Some(missing) = missing {
        return Err(Refusal::json(&format!("operator {operator} requires {missing}")));
    }
    let ordered =
        matches!(filter.operator, Operator::Lt | Operator::Lte | Operator::Gt | Operator::Gte | Operator::Between);
    let time = matches!(filter.value_type, ValueType::Date | ValueType::DateTime);
    let number = filter.value_type == ValueType::Number;
    if ordered && (time || number) {
        let fits = |text: &str| if time { time_of(text).is_some() } else { text.parse::<f64>().is_ok() };
        if !fits(&filter.value) || (filter.operator == Operator::Between && !fits(&filter.high)) {
            return Err(Refusal::invalid(format!(
                "Value {} is not valid for the {} property {}",
                filter.value,
                filter.value_type.name(),
                filter.property
            )));
        }
    }
    Ok(())
}

/// One rule at most; an object, or the name alone.
fn sort_rule(world: &World, kind: Kind, sorts: &[Json]) -> Result<Option<(String, ValueType, bool)>, Refusal> {
    if sorts.len() > 1 {
        return Err(Refusal::invalid("Only one sort is supported"));
    }
    let Some(sort) = sorts.first() else { return Ok(None) };
    let (name, direction) = match sort {
        Json::String(name) => name.strip_prefix('-').map_or((name.as_str(), "ASCENDING"), |n| (n, "DESCENDING")),
        other => (
            other.get("propertyName").and_then(Json::as_str).unwrap_or(""),
            other.get("direction").and_then(Json::as_str).unwrap_or("ASCENDING"),
        ),
    };
    let Some(property) = world.schema(kind).live(name) else { return Err(no_property(name)) };
    match direction {
        "ASCENDING" | "DESCENDING" => Ok(Some((name.to_owned(), property.value_type, direction == "DESCENDING"))),
        other => Err(Refusal::json(&format!("Cannot deserialize value of type `Direction` from \"{other}\""))),
    }
}

/// Records that can answer: narrowed by id or time of change where one group of filters allows it.
fn candidates<'a>(world: &'a World, kind: Kind, query: &Query) -> Vec<&'a Record> {
    let table = world.table(kind);
    let bound = |property: &str| -> Option<i64> {
        let [group] = query.groups.as_slice() else { return None };
        let fitting = |f: &&Filter| {
            f.property == property && matches!(f.operator, Operator::Gt | Operator::Gte | Operator::Between)
        };
        group.iter().find(fitting).and_then(|f| time_of(&f.value))
    };
    let delayed: BTreeSet<u64> = table.delayed().collect();
    let now_seen = |record: &&Record| record.archived_at.is_none() && !delayed.contains(&record.id);
    let mut all: Vec<&Record> = match (bound(Kinds::modified_property(kind)), bound("hs_object_id")) {
        (Some(from), None) => table.modified_from(from).filter(now_seen).collect(),
        (_, Some(id)) => table.from(u64::try_from(id).unwrap_or(0)).filter(now_seen).collect(),
        (None, None) => table.from(0).filter(now_seen).collect(),
    };
    let older = delayed.iter().filter_map(|&id| table.seen_by_search(id).flatten());
    all.extend(older.filter(|record| record.archived_at.is_none()));
    all
}

fn matches(world: &World, kind: Kind, record: &Record, query: &Query) -> bool {
    let groups = &query.groups;
    let filtered = groups.is_empty() || groups.iter().any(|g| g.iter().all(|f| fits(world, kind, record, f)));
    filtered && (query.text.is_empty() || text_fits(world, kind, record, &query.text))
}

/// Properties that `query` looks into.
fn searchable(kind: Kind) -> &'static [&'static str] {
    match kind {
        kinds::CONTACTS => &["firstname", "lastname", "email", "phone", "company", "hs_additional_emails"],
        kinds::COMPANIES => &["website", "phone", "name", "domain"],
        kinds::DEALS => &["dealname", "pipeline", "dealstage", "description", "dealtype"],
        kinds::TICKETS => &["subject", "content"],
        kinds::PRODUCTS | kinds::LINE_ITEMS => &["name", "description", "hs_sku"],
        kinds::NOTES => &["hs_note_body"],
        kinds::CALLS => &["hs_call_title", "hs_call_body"],
        kinds::MEETINGS => &["hs_meeting_title", "hs_meeting_body"],
        kinds::TASKS => &["hs_task_subject", "hs_task_body"],
        kinds::EMAILS => &["hs_email_subject"],
        kinds::LEADS => &["hs_lead_name"],
        _ => &[],
    }
}

fn text_fits(world: &World, kind: Kind, record: &Record, text: &str) -> bool {
    text.split_whitespace().all(|word| {
        searchable(kind).iter().filter_map(|name| world.value(kind, record, name)).any(|value| {
            tokens(&value.to_lowercase()).any(|token| token.starts_with(word)) || value.to_lowercase() == word
        })
    })
}

fn fits(world: &World, kind: Kind, record: &Record, filter: &Filter) -> bool {
    let value = world.value(kind, record, &filter.property);
    let Some(value) = value else {
        // A missing value is unequal to everything and in no list.
        return matches!(
            filter.operator,
            Operator::NotHasProperty | Operator::Neq | Operator::NotIn | Operator::NotContainsToken
        );
    };
    let against = |other: &str| compare(filter.value_type, &value, other);
    let equal = |other: &str| against(other) == Some(Ordering::Equal);
    match filter.operator {
        Operator::HasProperty => true,
        Operator::NotHasProperty => false,
        Operator::Eq => equal(&filter.value),
        Operator::Neq => !equal(&filter.value),
        Operator::Lt => against(&filter.value) == Some(Ordering::Less),
        Operator::Gt => against(&filter.value) == Some(Ordering::Greater),
        Operator::Lte => matches!(against(&filter.value), Some(Ordering::Less | Ordering::Equal)),
        Operator::Gte => matches!(against(&filter.value), Some(Ordering::Greater | Ordering::Equal)),
        Operator::Between => {
            matches!(against(&filter.value), Some(Ordering::Greater | Ordering::Equal))
                && matches!(against(&filter.high), Some(Ordering::Less | Ordering::Equal))
        }
        Operator::In => in_list(filter, &value),
        Operator::NotIn => !in_list(filter, &value),
        Operator::ContainsToken => contains_token(&value, &filter.value),
        Operator::NotContainsToken => !contains_token(&value, &filter.value),
    }
}

/// `IN` on strings needs lower-case values (sheet: section 2.2 \[unsure\]; the stricter reading).
fn in_list(filter: &Filter, value: &str) -> bool {
    let own = match filter.value_type {
        ValueType::Text => Cow::Owned(value.to_lowercase()),
        _ => Cow::Borrowed(value),
    };
    let multi = filter.value_type == ValueType::Enumeration;
    filter.values.iter().any(|wanted| {
        *wanted == own
            || compare(filter.value_type, value, wanted) == Some(Ordering::Equal)
                && filter.value_type != ValueType::Text
            || multi && own.split(';').any(|part| part == wanted)
    })
}

/// A point in time of a filter: epoch ms, ISO 8601 or a day.
fn time_of(text: &str) -> Option<i64> {
    instant::parse(text).or_else(|| instant::midnight(text))
}

fn compare(value_type: ValueType, value: &str, other: &str) -> Option<Ordering> {
    match value_type {
        ValueType::Date | ValueType::DateTime => Some(time_of(value)?.cmp(&time_of(other)?)),
        ValueType::Number => match (value.parse::<u64>(), other.parse::<u64>()) {
            (Ok(a), Ok(b)) => Some(a.cmp(&b)),
            _ => value.parse::<f64>().ok()?.partial_cmp(&other.parse::<f64>().ok()?),
        },
        ValueType::Enumeration | ValueType::Bool => {
            if value.split(';').any(|part| part == other) {
                return Some(Ordering::Equal);
            }
            Some(value.cmp(other))
        }
        ValueType::Text | ValueType::PhoneNumber | ValueType::Internal => {
            Some(value.to_lowercase().cmp(&other.to_lowercase()))
        }
    }
}

fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|token| !token.is_empty())
}

/// Whole words; `*` at either end of a word stands for any letters.
fn contains_token(value: &str, wanted: &str) -> bool {
    let (value, wanted) = (value.to_lowercase(), wanted.to_lowercase());
    wanted.split_whitespace().all(|word| {
        let core = word.trim_matches('*');
        let (open_start, open_end) = (word.starts_with('*'), word.ends_with('*'));
        if tokens(core).count() > 1 {
            return value.contains(core);
        }
        tokens(&value).any(|token| match (open_start, open_end) {
            (true, true) => token.contains(core),
            (true, false) => token.ends_with(core),
            (false, true) => token.starts_with(core),
            (false, false) => token == core,
        })
    })
}

/// By the rule, then by id; without a rule by time of creation (sheet: section 2.2 \[doc\]). Records
/// without the value come last.
fn sort(world: &World, kind: Kind, query: &Query, found: &mut [&Record]) {
    match &query.sort {
        None => found.sort_by_key(|r| (r.created_at, r.id)),
        Some((name, _, descending)) if name == "hs_object_id" => {
            found.sort_by_key(|r| r.id);
            if *descending {
                found.reverse();
            }
        }
        Some((name, value_type, descending)) => found.sort_by(|a, b| {
            let (x, y) = (world.value(kind, a, name), world.value(kind, b, name));
            let order = match (&x, &y) {
                (Some(x), Some(y)) => {
                    let order = compare(*value_type, x, y).unwrap_or(Ordering::Equal);
                    if *descending { order.reverse() } else { order }
                }
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => Ordering::Equal,
            };
            order.then(a.id.cmp(&b.id))
        }),
    }
}
