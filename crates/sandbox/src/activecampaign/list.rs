//! Lists: filters, orders, pages (sheet: ActiveCampaign section 4).

use serde_json::{Map, Value as Json, json};

use super::call::Call;
use super::kind::{Form, Kind};
use super::refusal::{Answer, Refusal};
use super::render::{self, As};
use super::time;
use super::world::{Row, World, related};
use crate::Reply;

/// The greatest page; a larger `limit` is cut.
pub(super) const MOST: usize = 100;

/// `GET /{collection}`.
pub(super) fn list(world: &World, call: &Call<'_>, kind: Kind) -> Answer {
    let mut rows = gathered(world, call, kind)?;
    order(call, kind, &mut rows);
    Ok(page(world, call, kind, &rows))
}

/// A page of rows.
pub(super) fn page(world: &World, call: &Call<'_>, kind: Kind, rows: &[&Row]) -> Reply {
    let shape = kind.shape();
    let (start, size) = window(call, shape.default_page);
    let shown: Vec<&Row> = rows.iter().copied().skip(start).take(size).collect();
    let total = match kind {
        Kind::Contact if world.settings.total_of_all => world.live(kind).count(),
        _ => rows.len(),
    };
    let total = if shape.numeric_total { json!(total) } else { json!(total.to_string()) };
    let mut body = Map::new();
    body.insert(shape.path.to_owned(), shown.iter().map(|row| render::row(world, call, kind, row, As::Told)).collect());
    sideload(world, call, kind, &shown, &mut body);
    body.insert("meta".to_owned(), json!({"total": total, "page_input": {"limit": size, "offset": start}}));
    Reply::json(200, &Json::Object(body))
}

/// Any rows in a page, under a name.
pub(super) fn page_of(call: &Call<'_>, name: &str, default_page: usize, rows: Vec<Json>) -> Reply {
    let (start, size) = window(call, default_page);
    let total = rows.len().to_string();
    let shown: Vec<Json> = rows.into_iter().skip(start).take(size).collect();
    let mut body = Map::new();
    body.insert(name.to_owned(), Json::Array(shown));
    body.insert("meta".to_owned(), json!({"total": total}));
    Reply::json(200, &Json::Object(body))
}

/// `offset` and `limit`.
fn window(call: &Call<'_>, default_page: usize) -> (usize, usize) {
    let number = |name| call.number(name).and_then(|number| usize::try_from(number).ok());
    (number("offset").unwrap_or(0), number("limit").filter(|size| *size > 0).unwrap_or(default_page).min(MOST))
}

/// What comes beside the rows: options of fields always, values and associations of contacts, deals and accounts
/// where `include` works.
fn sideload(world: &World, call: &Call<'_>, kind: Kind, rows: &[&Row], body: &mut Map<String, Json>) {
    if kind == Kind::Field {
        for (name, from) in [("fieldOptions", Kind::FieldOption), ("fieldRels", Kind::FieldRel)] {
            let all = rows.iter().flat_map(|row| world.pointing(from, "field", row.id));
            body.insert(name.to_owned(), all.map(|row| render::row(world, call, from, row, As::Told)).collect());
        }
    }
    if kind == Kind::Contact {
        body.insert("scoreValues".to_owned(), json!([]));
    }
    let include = call.param("include").filter(|_| world.settings.sideloads).unwrap_or_default();
    for name in include.split(',').map(str::trim) {
        let values = || rows.iter().flat_map(|row| render::values(call, kind, row)).collect();
        match (kind, name) {
            (Kind::Contact, "fieldValues")
            | (Kind::Deal, "dealCustomFieldData")
            | (Kind::Account, "accountCustomFieldData") => {
                body.insert(name.to_owned(), values());
            }
            (Kind::Contact, "accountContacts" | "contactTags" | "contactLists") => {
                let Some(from) = Kind::of(name) else { continue };
                let all = rows.iter().flat_map(|row| world.pointing(from, "contact", row.id));
                body.insert(name.to_owned(), all.map(|row| render::row(world, call, from, row, As::Told)).collect());
            }
            _ => {}
        }
    }
}

/// The rows that the filters leave, in order of ids.
fn gathered<'w>(world: &'w World, call: &Call<'_>, kind: Kind) -> Result<Vec<&'w Row>, Refusal> {
    let ids = call.repeated("ids");
    let mut rows: Vec<&Row> = match (kind, few(world, call, kind)) {
        (_, Some(rows)) => rows,
        (Kind::Contact, None) if !ids.is_empty() => ids.iter().filter_map(|id| world.any(kind, *id)).collect(),
        (_, None) => match call.number("id_greater").filter(|_| kind == Kind::Contact) {
            Some(id) => world.behind(kind, id).collect(),
            None => world.all(kind).collect(),
        },
    };
    rows.retain(|row| row.is_live() || (kind == Kind::Contact && world.settings.lists_deleted));
    for (name, value) in &call.request.query {
        if let Some(filter) = Filter::of(call, kind, name, value)? {
            rows.retain(|row| filter.fits(world, call, kind, row));
        }
    }
    Ok(rows)
}

/// The rows that one indexed filter leaves.
fn few<'w>(world: &'w World, call: &Call<'_>, kind: Kind) -> Option<Vec<&'w Row>> {
    let of = |name: &str| call.number(&format!("filters[{name}]"));
    let pointing = |key, id| Some(world.pointing(kind, key, id).collect());
    match kind {
        Kind::AccountContact | Kind::ContactList => of("contact").and_then(|id| pointing("contact", id)),
        Kind::Task | Kind::Note => {
            let (_, word) = related(call.param("filters[reltype]")?)?;
            of("relid").and_then(|id| pointing(word, id))
        }
        Kind::Contact => {
            let email = call.param("email")?;
            Some(world.with(kind, "email", email).and_then(|id| world.get(kind, id)).into_iter().collect())
        }
        _ => None,
    }
}

/// A filter of a query.
enum Filter {
    /// A key's number.
    Is(&'static str, u64),
    /// A key's text, whole or in part.
    Text(&'static str, String, bool),
    /// Times of creation and change, at or after.
    Since { created: bool, at: i64 },
    /// Before.
    Until { created: bool, at: i64 },
    /// A key's instant.
    Instant(&'static str, i64, bool),
    /// Ids below.
    Below(u64),
    /// On a list, or with a tag.
    Joined(Kind, &'static str, u64),
    /// Any status of a list.
    Status(u64),
    /// Money in units (sheet: section 4: not in cents).
    Value { least: bool, units: u64 },
    /// A search in texts.
    Search(String),
}

impl Filter {
    fn of(call: &Call<'_>, kind: Kind, name: &str, value: &str) -> Result<Option<Self>, Refusal> {
        let number = || value.trim().parse::<u64>().ok();
        let inner = name
            .strip_prefix("filters[")
            .or_else(|| name.strip_prefix("Fitlers["))
            .and_then(|name| name.strip_suffix(']'));
        let by_time = matches!(kind, Kind::Contact | Kind::Deal);
        Ok(match (inner, name) {
            (Some(time @ ("created_after" | "created_before" | "updated_after" | "updated_before")), _) if by_time => {
                let at =
                    time::read(value, &call.zone).ok_or_else(|| Refusal::bad("a filter by time wants ISO 8601"))?;
                let created = time.starts_with("created");
                Some(if time.ends_with("after") { Self::Since { created, at } } else { Self::Until { created, at } })
            }
            (Some(due @ ("due_after" | "due_before")), _) if kind == Kind::Task => {
                let at =
                    time::read(value, &call.zone).ok_or_else(|| Refusal::bad("a filter by time wants ISO 8601"))?;
                Some(Self::Instant("duedate", at, due == "due_after"))
            }
            (Some("minimum_value"), _) if kind == Kind::Deal => {
                number().map(|units| Self::Value { least: true, units })
            }
            (Some("maximum_value"), _) if kind == Kind::Deal => {
                number().map(|units| Self::Value { least: false, units })
            }
            (Some("search"), _) | (None, "search") => Some(Self::Search(value.to_lowercase())),
            (Some(inner), _) => Self::by_key(kind, inner, value),
            (None, "id_less") if kind == Kind::Contact => number().map(Self::Below),
            (None, "listid") if kind == Kind::Contact => number().map(|id| Self::Joined(Kind::ContactList, "list", id)),
            (None, "tagid") if kind == Kind::Contact => number().map(|id| Self::Joined(Kind::ContactTag, "tag", id)),
            (None, "status") if kind == Kind::Contact => number().map(Self::Status),
            (None, "email_like") if kind == Kind::Contact => Some(Self::Text("email", value.to_lowercase(), true)),
            (None, "phone") if kind == Kind::Contact => Some(Self::Text("phone", value.to_lowercase(), false)),
            _ => None,
        })
    }

    /// `filters[KEY]`, and `filters[KEY][eq|contains]`, whose first bracket is open here.
    fn by_key(kind: Kind, inner: &str, value: &str) -> Option<Self> {
        let (name, how) = inner.split_once("][").map_or((inner, "eq"), |(name, how)| (name, how));
        let name = match (kind, name) {
            (Kind::Stage, "d_groupid") => "group",
            (Kind::Task, "d_tasktypeid") => "dealTasktype",
            (Kind::Task, "userid") => "user",
            (Kind::Task, "assignee_userid") => "assignee",
            (Kind::Tag, "search") => "tag",
            (_, name) => name,
        };
        let key = kind.shape().key(name)?;
        match key.form {
            Form::Line | Form::Free | Form::Address | Form::Currency => {
                Some(Self::Text(key.name, value.to_lowercase(), how == "contains"))
            }
            Form::Id(_) | Form::Flag | Form::Whole => {
                value.trim().parse().ok().map(|number| Self::Is(key.name, number))
            }
            Form::Instant | Form::List => None,
        }
    }

    fn fits(&self, world: &World, call: &Call<'_>, kind: Kind, row: &Row) -> bool {
        // Searches and filters by time lag behind (sheet: section 4 [unsure]).
        let shows = row.updated <= call.at - world.settings.lag_s;
        let time = |created: bool| if created { row.created } else { row.updated };
        match self {
            Self::Is(key, number) => row.number(key).unwrap_or(0) == *number,
            Self::Text(key, text, true) => row.text(key).to_lowercase().contains(text),
            Self::Text(key, text, false) => row.text(key).to_lowercase() == *text,
            Self::Since { created, at } => shows && time(*created) >= *at,
            Self::Until { created, at } => shows && time(*created) < *at,
            Self::Instant(key, at, after) => {
                let is = row.get(key).and_then(Json::as_i64).unwrap_or_default();
                if *after { is >= *at } else { is < *at }
            }
            Self::Below(id) => row.id < *id,
            Self::Joined(from, key, id) => {
                world.pointing(*from, "contact", row.id).any(|join| join.number(key) == Some(*id))
            }
            Self::Status(status) => {
                world.pointing(Kind::ContactList, "contact", row.id).any(|join| join.number("status") == Some(*status))
            }
            Self::Value { least, units } => {
                let value = row.number("value").unwrap_or(0);
                if *least { value >= units * 100 } else { value <= units * 100 }
            }
            Self::Search(text) => shows && searched(kind).iter().any(|key| row.text(key).to_lowercase().contains(text)),
        }
    }
}

/// The keys that a search looks into.
fn searched(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Contact => &["email", "firstName", "lastName", "phone"],
        Kind::Account => &["name"],
        Kind::Deal | Kind::Role => &["title"],
        Kind::Tag => &["tag"],
        _ => &[],
    }
}

/// `orders[KEY]=ASC|DESC`.
fn order(call: &Call<'_>, kind: Kind, rows: &mut [&Row]) {
    for (name, value) in &call.request.query {
        let Some(key) = name.strip_prefix("orders[").and_then(|name| name.strip_suffix(']')) else { continue };
        match (kind, key) {
            (Kind::Contact, "id") => rows.sort_by_key(|row| row.id),
            (Kind::Contact | Kind::Deal, "cdate") => rows.sort_by_key(|row| (row.created, row.id)),
            (Kind::Contact, "email") => rows.sort_by_key(|row| row.text("email").to_owned()),
            (Kind::Deal | Kind::Stage, "title") => rows.sort_by_key(|row| row.text("title").to_owned()),
            (Kind::Deal, "value") => rows.sort_by_key(|row| row.number("value")),
            // Others are not documented and do nothing.
            _ => continue,
        }
        if value.eq_ignore_ascii_case("desc") {
            rows.reverse();
        }
    }
}
