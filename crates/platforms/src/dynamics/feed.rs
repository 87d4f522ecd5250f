//! What happened to a table's rows since an earlier reading: change tracking (sheet: Dynamics section 4 \[doc\]).
//!
//! - Only where the table has it on, which its definition tells; where it has not, nothing is sent.
//! - Tracked lists take no conditions: which rows are meant stands in the rows.
//! - A token is the link that the platform gave, followed as it stands. It ends after some days (7 where nobody changed
//!   that), and what is said of it then is known by its text (section 4) and by its code \[unsure\]: so any refusal of a
//!   request with a token but one of rights means that the token counts no more.
//! - A row that was merged away is told as changed, and is gone. One that was deleted is told by its id alone, whatever
//!   kind of row it was.

use handover_connect::{Cursor, Fault, FaultKind, Fed, Refusal, Reply, Request, Step};
use handover_model::{Fields, Record};

use super::capabilities::PAGE;
use super::guid::{in_address, is_guid};
use super::objects::{MERGED, Object, TRACKED};
use super::place::{Place, Rows};
use super::query;
use super::reading::Reading;
use super::rows::{Page, Row, text};
use crate::marks::{Mark, foreign};

/// What stands in the context of a row that was deleted.
const DELETED: &str = "$deletedEntity";

/// The request for all rows with a token behind them, for what happened since a token, or for the next page of either.
pub(super) fn request(reading: &Reading<'_>, token: Option<&Cursor>, place: Option<Place>) -> Result<Request, Refusal> {
    let object = &reading.object;
    if reading.schema.is_none_or(|schema| !schema.own.contains_key(TRACKED)) {
        let why = format!("change tracking is not switched on for the table `{}`", object.table);
        return Err(Refusal::unsupported(why));
    }
    let mut request = match (Rows::of(place)?.next, token) {
        (Some(next), _) => query::follow(&next),
        (None, Some(token)) => query::follow(own(object, &token.0).ok_or_else(foreign)?),
        (None, None) => query::get(&object.path(None), &[("$select", &columns(object).join(","))]),
    };
    let tracks = if token.is_none() { "odata.track-changes," } else { "" };
    request.headers.push(("prefer".to_owned(), format!("{tracks}odata.maxpagesize={PAGE}")));
    Ok(request)
}

/// One page of it.
pub(super) fn told(reading: &Reading<'_>, token: Option<&Cursor>, reply: &Reply) -> Result<Step, Fault> {
    let page = Page::of(reply).map_err(|fault| refused(fault, token.is_some()))?;
    let mut records = Vec::with_capacity(page.value.len());
    for row in &page.value {
        records.extend(record(&reading.object, row)?);
    }
    let next = page.next()?.map(|next| Place::Rows(Rows { next: Some(next), ..Rows::default() }).cursor());
    let left = page.left()?.filter(|_| next.is_none());
    let odd = || Fault::malformed("the token is one of another table");
    let token = left.map(|left| own(&reading.object, &left).map(|own| Cursor(own.to_owned())).ok_or_else(odd));
    Ok(Step::Fed(Fed { records, next, token: token.transpose()? }))
}

/// The columns that tell what a row is.
fn columns<'o>(object: &Object<'o>) -> Vec<&'o str> {
    let kind = object.only.map(|(column, _)| column);
    [Some(object.id), kind, object.merges.then_some(MERGED)].into_iter().flatten().collect()
}

/// A link of the table's own.
fn own<'l>(object: &Object<'_>, link: &'l str) -> Option<&'l str> {
    let rest = link.strip_prefix(&object.path(None))?;
    rest.starts_with('?').then_some(link)
}

/// A row as a record; `None` where it is none of the object's.
fn record(object: &Object<'_>, row: &Row<'_>) -> Result<Option<Record>, Fault> {
    let of = |id: String, gone| Record { id: id.into(), fields: Fields::with_capacity(0), modified: None, gone };
    let is_deleted = text(row, "@odata.context").is_some_and(|context| context.ends_with(DELETED));
    if is_deleted || row.contains_key("reason") {
        let id =
            text(row, "id").and_then(|id| if is_guid(&id) { Some(id) } else { in_address(&id).map(str::to_owned) });
        let id = id.ok_or_else(|| Fault::malformed("a deleted row has no id"))?;
        return Ok(Some(of(id.to_ascii_lowercase(), true)));
    }
    let id = text(row, object.id).ok_or_else(|| Fault::malformed("a row has no id"))?;
    let is = |column: &str| row.get(column).is_some_and(|raw| raw.get() == "true");
    let is_meant = object.only.is_none_or(|(column, wanted)| is(column) == wanted);
    Ok(is_meant.then(|| of(id, object.merges && is(MERGED))))
}

/// What a refusal means: that this token counts no more, or that nothing is told at all.
fn refused(fault: Fault, with_token: bool) -> Fault {
    let (kind, message) = match fault.kind {
        FaultKind::Invalid | FaultKind::Conflict | FaultKind::NotFound if with_token => {
            (FaultKind::NotFound, "the token of the earlier reading counts no more")
        }
        FaultKind::Invalid => (FaultKind::Unsupported, "the table's changes are not told"),
        _ => return fault,
    };
    Fault { kind, message: message.to_owned(), ..fault }
}
