//! Records by page, by token, by id (sheet: section 4, list pagination).

use serde_json::{Value as Json, json};

use super::call::Call;
use super::draft::Writer;
use super::instant::{self, Seconds};
use super::refusal::{Answer, Refusal, nothing, unchanged};
use super::schema::Module;
use super::scopes::Does;
use super::settings::NotFound;
use super::view;
use super::world::{Id, Row, World};
use crate::Reply;

/// Records in a page.
const PER_PAGE: usize = 200;

/// Records that `page` reaches; beyond it tokens are needed.
const BY_PAGE: usize = 2_000;

/// Records that tokens reach.
const BY_TOKEN: usize = 100_000;

/// Names in `fields`.
const FIELDS: usize = 50;

/// How long a page token lives.
const TOKEN_S: Seconds = 86_400;

/// `GET /{M}/{id}`.
pub(super) fn one(world: &World, call: &Call<'_>, module: &Module, text: &str) -> Answer {
    call.may_in(world, &module.api_name, Does::Read)?;
    let id = Writer::of(call).record(world, module, text);
    let Some(row) = id.and_then(|id| world.get(&module.api_name, id)) else { return missing(world) };
    if call.time_header("if-modified-since")?.is_some_and(|since| row.modified < since) {
        return Ok(unchanged(world));
    }
    let told = match call.list("fields") {
        Some(names) => view::some(world, call.version, module, row, &names),
        None => view::full(world, call.version, module, row),
    };
    Ok(Reply::json(200, &json!({"data": [told]})))
}

/// The reply to an id that is not there (sheet: section 7 \[unsure\]).
pub(super) fn missing(world: &World) -> Answer {
    match world.settings.not_found {
        NotFound::NoContent => Ok(nothing()),
        NotFound::InvalidData => {
            let refusal = Refusal::new("INVALID_DATA", "the id given seems to be invalid").with_status(404);
            Err(refusal.with(json!({"resource_path_index": 1})))
        }
        NotFound::InvalidUrl => Err(Refusal::no_url()),
    }
}

/// The names that a list is asked for; every field in v2, which needs none.
pub(super) fn names(call: &Call<'_>, module: &Module) -> Result<Vec<String>, Refusal> {
    match call.list("fields") {
        Some(names) if names.len() > FIELDS => {
            Err(Refusal::limit("Fields limit exceeded.", json!({"param_name": "fields", "limit": FIELDS})))
        }
        Some(names) => Ok(names),
        None if call.version > 2 => Err(Refusal::missing_param("fields")),
        None => Ok(module.fields.iter().map(|field| field.api_name.clone()).collect()),
    }
}

/// What a list is asked for.
struct Asked {
    names: Vec<String>,
    per_page: usize,
    start: usize,
    page: usize,
    sort_by: &'static str,
    descending: bool,
    since: Option<Seconds>,
    by_token: bool,
}

/// `GET /{M}`.
pub(super) fn list(world: &World, call: &Call<'_>, module: &Module) -> Answer {
    call.may_in(world, &module.api_name, Does::Read)?;
    if module.api_name == "Notes" && !world.users.get(&call.user).is_some_and(|user| user.admin) {
        return Err(Refusal::new("NOT_SUPPORTED", "The module is not supported in api"));
    }
    let asked = asked(world, call, module)?;
    let rows = sorted(world, call, module, &asked)?;
    page(world, call, module, &rows, &asked)
}

fn asked(world: &World, call: &Call<'_>, module: &Module) -> Result<Asked, Refusal> {
    let names = names(call, module)?;
    let per_page = call.number("per_page", PER_PAGE, PER_PAGE)?;
    let sort_by = match call.param("sort_by") {
        None | Some("id") => "id",
        Some("Created_Time") => "Created_Time",
        Some("Modified_Time") => "Modified_Time",
        Some(_) => return Err(Refusal::bad_param("sort_by")),
    };
    let descending = match call.param("sort_order") {
        None | Some("desc") => true,
        Some("asc") => false,
        Some(_) => return Err(Refusal::bad_param("sort_order")),
    };
    if call.param("cvid").is_some() {
        return Err(Refusal::bad_param("cvid"));
    }
    let since = call.time_header("if-modified-since")?;
    let mut asked = Asked { names, per_page, start: 0, page: 1, sort_by, descending, since, by_token: false };
    match (call.param("page_token"), call.param("page")) {
        (Some(_), Some(_)) => {
            let message = "You cannot use the page and page_token parameters together";
            return Err(Refusal::new("AMBIGUITY_DURING_PROCESSING", message)
                .with(json!({"ambiguity_due_to": [{"param_name": "page"}, {"param_name": "page_token"}]})));
        }
        (Some(token), None) => {
            asked.start = read_token(world, call, token)?;
            asked.page = asked.start / per_page + 1;
            asked.by_token = true;
        }
        (None, _) => {
            asked.page = call.number("page", usize::MAX, 1)?;
            asked.start = (asked.page - 1).saturating_mul(per_page);
            if asked.page.saturating_mul(per_page) > BY_PAGE && asked.start >= BY_PAGE {
                let message = "Use the page_token parameter to fetch more than 2000 records";
                return Err(Refusal::new("DISCRETE_PAGINATION_LIMIT_EXCEEDED", message)
                    .with(json!({"param_name": "page", "limit": BY_PAGE})));
            }
        }
    }
    if asked.start >= BY_TOKEN {
        return Err(Refusal::new("PAGINATION_LIMIT_EXCEEDED", "The pagination limit is exceeded")
            .with(json!({"param_name": "page_token", "limit": BY_TOKEN})));
    }
    Ok(asked)
}

/// Every record that the list has, in its order.
fn sorted<'a>(world: &'a World, call: &Call<'_>, module: &Module, asked: &Asked) -> Result<Vec<&'a Row>, Refusal> {
    let name = module.api_name.as_str();
    let converted = call.param("converted").unwrap_or("false");
    let fits = |row: &&Row| match converted {
        "true" => row.is("$converted"),
        "both" => true,
        _ => !row.is("$converted"),
    };
    let mut rows: Vec<&Row> = match call.list("ids") {
        Some(ids) if ids.len() > 100 => {
            return Err(Refusal::limit("ids limit exceeded", json!({"param_name": "ids", "limit": 100})));
        }
        Some(ids) => {
            let by = Writer::of(call);
            let found = ids.iter().filter_map(|text| by.record(world, module, text));
            let mut rows: Vec<&Row> = found.filter_map(|id| world.get(name, id)).collect();
            rows.sort_by_key(|row| row.id);
            rows.dedup_by_key(|row| row.id);
            rows
        }
        None => match (asked.since, world.tables.get(name)) {
            (Some(since), Some(table)) => {
                let newer = table.modified.range((since, Id::MIN)..);
                let mut rows: Vec<&Row> = newer.filter_map(|(_, id)| table.rows.get(id)).collect();
                rows.sort_by_key(|row| row.id);
                rows
            }
            _ => world.rows(name).collect(),
        },
    };
    rows.retain(fits);
    rows.retain(|row| asked.since.is_none_or(|since| row.modified >= since));
    match asked.sort_by {
        "Created_Time" => rows.sort_by_key(|row| (row.created, row.id)),
        "Modified_Time" => rows.sort_by_key(|row| (row.modified, row.id)),
        _ => {}
    }
    if asked.descending {
        rows.reverse();
    }
    Ok(rows)
}

fn page(world: &World, call: &Call<'_>, module: &Module, rows: &[&Row], asked: &Asked) -> Answer {
    let here: Vec<&&Row> = rows.iter().skip(asked.start).take(asked.per_page).collect();
    if here.is_empty() {
        return Ok(if asked.since.is_some() && rows.is_empty() { unchanged(world) } else { nothing() });
    }
    let data: Vec<Json> = here.iter().map(|row| view::some(world, call.version, module, row, &asked.names)).collect();
    let end = asked.start + here.len();
    let more = end < rows.len();
    let mut info = json!({
        "per_page": asked.per_page, "count": here.len(), "page": asked.page, "sort_by": asked.sort_by,
        "sort_order": if asked.descending { "desc" } else { "asc" }, "more_records": more,
    });
    if call.version > 2 {
        let token = |start: usize| make_token(world, call, start);
        let previous = asked.by_token.then(|| token(asked.start.saturating_sub(asked.per_page)));
        info["previous_page_token"] = json!(previous);
        info["next_page_token"] = json!(more.then(|| token(end)));
        info["page_token_expiry"] = json!(more.then(|| instant::told(call.at + TOKEN_S, world.org.utc_offset_min)));
    }
    Ok(Reply::json(200, &json!({"data": data, "info": info})))
}

/// What a token is bound to: the user, the module and every other parameter.
fn bound(world: &World, call: &Call<'_>) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&world.seed.to_le_bytes()).update(&call.user.to_le_bytes()).update(call.request.path.as_bytes());
    let mut rest: Vec<&(String, String)> =
        call.request.query.iter().filter(|(name, _)| name != "page" && name != "page_token").collect();
    rest.sort();
    for (name, value) in rest {
        hasher.update(name.as_bytes()).update(b"=").update(value.as_bytes()).update(b"&");
    }
    hasher.finalize().to_hex().chars().take(24).collect()
}

fn make_token(world: &World, call: &Call<'_>, start: usize) -> String {
    format!("{}{:012x}{start:08x}", bound(world, call), call.at + TOKEN_S)
}

fn read_token(world: &World, call: &Call<'_>, token: &str) -> Result<usize, Refusal> {
    let part = |from: usize, to: usize| token.get(from..to).and_then(|hex| u64::from_str_radix(hex, 16).ok());
    let (Some(until), Some(start), 44) = (part(24, 36), part(36, 44), token.len()) else {
        return Err(Refusal::bad_param("page_token"));
    };
    if i64::try_from(until).unwrap_or(0) <= call.at {
        let refusal = Refusal::new("EXPIRED_VALUE", "The page_token has expired");
        return Err(refusal.with(json!({"param_name": "page_token"})));
    }
    if token.get(..24) != Some(bound(world, call).as_str()) {
        let refusal = Refusal::new("TOKEN_BOUND_DATA_MISMATCH", "The given parameters do not match the page_token");
        return Err(refusal.with(json!({"param_name": "page_token"})));
    }
    Ok(usize::try_from(start).unwrap_or(usize::MAX))
}

/// `GET /{M}/actions/count`.
pub(super) fn count(world: &World, call: &Call<'_>, module: &Module) -> Answer {
    call.may_in(world, &module.api_name, Does::Read)?;
    // The index of the search counts, which lags behind (sheet: section 2).
    let seen = world.seen(&module.api_name, world.settings.search_lag_s);
    let count = seen.iter().filter(|row| !row.is("$converted")).count();
    Ok(Reply::json(200, &json!({"count": count})))
}

/// `GET /{M}/{id}/actions/fetch_full_data`: long texts whole.
pub(super) fn whole_texts(world: &World, call: &Call<'_>, module: &Module, text: &str) -> Answer {
    call.may_in(world, &module.api_name, Does::Read)?;
    let id = Writer::of(call).record(world, module, text);
    let Some(row) = id.and_then(|id| world.get(&module.api_name, id)) else { return missing(world) };
    let names = call.list("fields");
    let mut told = json!({"id": row.id.to_string()});
    for field in module.fields.iter().filter(|field| field.textarea.as_deref() == Some("rich_text")) {
        if names.as_ref().is_none_or(|names| names.contains(&field.api_name)) {
            told[field.api_name.as_str()] = view::field(world, call.version, row, field);
        }
    }
    Ok(Reply::json(200, &json!({"data": [told]})))
}
