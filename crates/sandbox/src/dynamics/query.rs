//! Lists of rows (sheet: section 4): filter, order, pages, counts.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value as Json, json};
use std::cmp::Ordering;

use super::call::Call;
use super::odata::{Options, Order, Row, compare, holds, value};
use super::refusal::{Answer, Fault};
use super::schema::Entity;
use super::tracking;
use super::view::Lens;
use super::world::{Record, World};
use crate::Reply;

/// More rows than that are not counted (sheet: section 4 \[doc\]).
const COUNTED: usize = 5_000;

/// What stands in a link as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'$')
    .remove(b',')
    .remove(b'(')
    .remove(b')')
    .remove(b'\'')
    .remove(b'@');

/// The rows of a list, before anything is asked of them.
pub(super) enum Source {
    /// All rows of the table.
    Table,
    /// Rows of a collection.
    Ids(Vec<String>),
}

/// Where the next page begins.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Cookie {
    pub(super) page: usize,
    /// The values by which the last row was sorted.
    pub(super) keys: Vec<Json>,
    pub(super) id: String,
    /// Of tracked lists: the version at their first page.
    pub(super) version: u64,
}

impl Cookie {
    pub(super) fn write(&self) -> String {
        let inner = json!([self.keys, self.id, self.version]).to_string();
        let inner = URL_SAFE_NO_PAD.encode(inner);
        format!("<cookie pagenumber=\"{}\" pagingcookie=\"{inner}\" istracking=\"False\" />", self.page)
    }

    pub(super) fn read(text: &str) -> Result<Self, Fault> {
        let part =
            |name: &str| text.split_once(&format!("{name}=\""))?.1.split_once('"').map(|(value, _)| value.to_owned());
        let read = || {
            let page = part("pagenumber")?.parse().ok()?;
            let inner = URL_SAFE_NO_PAD.decode(part("pagingcookie")?).ok()?;
            let (keys, id, version) = serde_json::from_slice(&inner).ok()?;
            Some(Self { page, keys, id, version })
        };
        read().ok_or_else(|| Fault::new(400, "0x80041129", "Malformed XML in the Paging Cookie."))
    }
}

/// An address with its query.
pub(super) fn link(base: &str, path: &str, sent: &[(String, String)], name: &str, token: &str) -> String {
    let mut link = format!("{base}{path}?");
    for (name, value) in sent {
        link.push_str(&format!("{name}={}&", utf8_percent_encode(value, PLAIN)));
    }
    format!("{link}{name}={}", utf8_percent_encode(token, PLAIN))
}

/// The values by which a row is sorted.
pub(super) fn sort_values(world: &World, entity: &Entity, row: &Record, order: &[Order]) -> Vec<Json> {
    order.iter().map(|(path, _)| value(world, Row::Record(entity, row), path)).collect()
}

fn ordered(world: &World, order: &[Order], one: (&[Json], &str), two: (&[Json], &str)) -> Ordering {
    for (at, (_, down)) in order.iter().enumerate() {
        let (left, right) = (one.0.get(at).unwrap_or(&Json::Null), two.0.get(at).unwrap_or(&Json::Null));
        let found = compare(world, left, right);
        if found != Ordering::Equal {
            return if *down { found.reverse() } else { found };
        }
    }
    one.1.cmp(two.1)
}

/// Sorts rows; those that are equal by their ids.
pub(super) fn sort(world: &World, entity: &Entity, rows: &mut Vec<(&str, &Record)>, order: &[Order]) {
    if order.is_empty() {
        rows.sort_by_key(|(id, _)| *id);
        return;
    }
    let mut keyed: Vec<(Vec<Json>, (&str, &Record))> =
        rows.iter().map(|one| (sort_values(world, entity, one.1, order), *one)).collect();
    keyed.sort_by(|one, two| ordered(world, order, (&one.0, one.1.0), (&two.0, two.1.0)));
    *rows = keyed.into_iter().map(|(_, row)| row).collect();
}

/// The rows that fit, in their order.
fn found<'a>(
    world: &'a World,
    entity: &'a Entity,
    source: &'a Source,
    options: &Options,
) -> Vec<(&'a str, &'a Record)> {
    let mut rows = match source {
        Source::Table => world.scan(entity),
        Source::Ids(ids) => ids.iter().filter_map(|id| Some((id.as_str(), world.get(&entity.name, id)?))).collect(),
    };
    if let Some(filter) = &options.filter {
        rows.retain(|(_, row)| holds(world, Row::Record(entity, row), filter));
    }
    sort(world, entity, &mut rows, &options.order);
    rows
}

/// `GET /accounts`, `GET /accounts(guid)/contact_customer_accounts`.
pub(super) fn list(world: &World, call: &Call<'_>, entity: &Entity, source: &Source, path: &str) -> Answer {
    let options = Options::read(world, entity, &call.request.query)?;
    let select = options.select.as_ref().map(|names| format!("({})", names.join(","))).unwrap_or_default();
    let context = format!("{}$metadata#{}{select}", call.base, entity.set);
    if call.prefer.track || options.delta_token.is_some() {
        return tracking::list(world, call, entity, &options, path);
    }
    let mut rows = found(world, entity, source, &options);
    let total = rows.len();
    // A list that is cut at the top has no pages.
    let size = if options.top.is_some() {
        world.settings.page_rows
    } else {
        call.prefer.page.unwrap_or(world.settings.page_rows)
    };
    let size = size.min(world.settings.page_rows).min(options.top.unwrap_or(usize::MAX));
    let cookie = options.skip_token.as_deref().map(Cookie::read).transpose()?;
    if let Some(cookie) = &cookie {
        skip(world, entity, &mut rows, cookie, &options, size);
    }
    let more = rows.len() > size && options.top.is_none();
    rows.truncate(size);
    let lens = Lens { world, prefer: &call.prefer, base: &call.base };
    let mut body = json!({"@odata.context": context});
    if options.count {
        body["@odata.count"] = json!(total.min(COUNTED));
    }
    if call.prefer.wants("Microsoft.Dynamics.CRM.totalrecordcount") {
        let counted = if options.count { json!(total.min(COUNTED)) } else { json!(-1) };
        body["@Microsoft.Dynamics.CRM.totalrecordcount"] = counted;
        body["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] = json!(options.count && total > COUNTED);
    }
    if more && let Some((id, row)) = rows.last() {
        let keys = sort_values(world, entity, row, &options.order);
        let page = cookie.map_or(2, |cookie| cookie.page + 1);
        let next = Cookie { page, keys, id: (*id).to_owned(), version: 0 };
        body["@odata.nextLink"] = json!(link(&call.base, path, &options.sent, "$skiptoken", &next.write()));
    }
    body["value"] = rows.iter().map(|(_, row)| Json::Object(lens.row(entity, row, &options))).collect();
    Ok(call.stamped(Reply::json(200, &body)))
}

/// Drops the rows of earlier pages.
fn skip(
    world: &World,
    entity: &Entity,
    rows: &mut Vec<(&str, &Record)>,
    cookie: &Cookie,
    options: &Options,
    size: usize,
) {
    let before = match world.settings.pages_by_number {
        true => (cookie.page.saturating_sub(1)).saturating_mul(size).min(rows.len()),
        false => rows.partition_point(|(id, row)| {
            let keys = sort_values(world, entity, row, &options.order);
            ordered(world, &options.order, (&keys, id), (&cookie.keys, &cookie.id)) != Ordering::Greater
        }),
    };
    rows.drain(..before);
}

/// `GET /accounts/$count`.
pub(super) fn count(world: &World, call: &Call<'_>, entity: &Entity, source: &Source) -> Answer {
    let options = Options::read(world, entity, &call.request.query)?;
    let number = match &options.delta_token {
        Some(token) => tracking::count(world, entity, token, call.at)?,
        None => found(world, entity, source, &options).len().min(COUNTED),
    };
    // The service sends a mark of the byte order before it.
    let body = format!("\u{feff}{number}").into_bytes();
    Ok(Reply { status: 200, headers: vec![("content-type".to_owned(), "text/plain".to_owned())], body })
}
