//! Contact roles of deals: the contacts that take part in a deal, beside the main one (sheet: Zoho section 2 \[doc\]).
//!
//! - The field shows every contact with a role, and the main contact, who stands among them. The role itself has no id
//!   and no place in a link: it is left alone where there is one, and new links are made without.
//! - A contact is given a role one at a time, and giving it again would replace the one that is there. So the contacts
//!   of a deal are read first, and only those who are missing are added. Sending it all again is harmless therefore.
//! - Fields that point to one record (lookups) are written with their record.

use handover_connect::{Fault, FaultKind, Link, LinkBatch, LinkOutcome, Method, Refusal, Reply, Request, Step};
use handover_model::{Field, FieldName, Fields, Kind, ReadCost, Record, RecordId, Value, Writable};

use super::capabilities::{CALL, PAGE};
use super::faults;
use super::json::{body, items};
use super::objects::{API, Object};
use super::place::{Links, Place};
use super::rows::{Page, text};
use crate::marks::{Mark, foreign, is_about_the_row};

/// The field.
const ROLES: &str = "Contact_Roles";

/// Whether links are added or taken away.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Added.
    Add,
    /// Taken away.
    TakeAway,
}

/// Whether a field is made of roles.
pub(super) fn is_field(object: &Object<'_>, field: &str) -> bool {
    object.name == "Deals" && field == ROLES
}

/// As a field.
pub(super) fn field() -> Field {
    Field {
        name: ROLES.into(),
        label: "Contacts (contact roles)".to_owned(),
        kind: Kind::Reference { object: "Contacts".into(), many: true },
        required: false,
        writable: Writable::Always,
        unique: false,
        custom: false,
        read: ReadCost::Extra { per_call: 1, opt_in: false, only_above: None },
        blank_is_zero: false,
    }
}

/// The request for a page of a deal's contacts.
pub(super) fn contacts(deal: &RecordId, page: u32) -> Request {
    Request::new(Method::Get, format!("{API}/Deals/{deal}/{ROLES}"), &CALL)
        .with_query("fields", "id")
        .with_query("page", page.to_string())
        .with_query("per_page", PAGE.to_string())
}

/// The contacts on a page, and whether there are more.
fn told(reply: &Reply) -> Result<(Vec<RecordId>, bool), Fault> {
    let page = match Page::of(reply) {
        Ok(page) => page,
        // A deal that is gone has no contacts.
        Err(fault) if is_gone(&fault) => Page::default(),
        Err(fault) => return Err(fault),
    };
    let ids = page.data.iter().filter_map(|row| text(row, "id")).map(RecordId::from).collect();
    Ok((ids, page.info.more_records))
}

/// Whether a refusal says that the record in the path is not there (sheet: Zoho section 7 \[unsure\]: 204, or 404).
pub(super) fn is_gone(fault: &Fault) -> bool {
    matches!(&*fault.code, "INVALID_DATA" | "INVALID_URL_PATTERN" | "RESOURCE_NOT_FOUND") && fault.field.is_none()
}

/// What an extra read's page tells: the record with its links once all pages are read.
pub(super) fn enriched(field: &FieldName, ids: &[RecordId], mut state: Links, reply: &Reply) -> Result<Step, Fault> {
    let [id] = ids else { return Err(Refusal::unsupported("contact roles are read deal by deal").into()) };
    let (more, goes_on) = told(reply)?;
    let known = state.known.get_or_insert_with(|| (id.clone(), Vec::new()));
    known.1.extend(more);
    if goes_on {
        state.page = state.page.max(1) + 1;
        return Ok(Place::Links(state).then());
    }
    let mut all: Vec<Value> = Vec::new();
    for contact in known.1.iter().map(|id| Value::from(id.as_str())) {
        if !all.contains(&contact) {
            all.push(contact);
        }
    }
    let mut fields = Fields::new();
    fields.set(field.clone(), Value::List(all));
    Ok(Step::Page { records: vec![Record { id: id.clone(), fields, modified: None, gone: false }], next: None })
}

/// The links of an operation that is there, or at its beginning.
pub(super) fn state(place: Option<Place>) -> Result<Links, Refusal> {
    match place {
        None => Ok(Links::default()),
        Some(Place::Links(links)) => Ok(links),
        Some(_) => Err(foreign()),
    }
}

fn link_at<'b>(batch: &'b LinkBatch, state: &Links) -> Result<&'b Link, Refusal> {
    if batch.object != *"Deals" || batch.field != *ROLES || batch.to_object != *"Contacts" {
        let why = format!("`{}` of `{}` is written with the record", batch.field, batch.object);
        return Err(Refusal::unsupported(why));
    }
    batch.links.get(state.at).ok_or_else(|| Refusal::unsupported("there is nothing to link"))
}

/// Whether the contacts of the link's deal are known.
fn knows(state: &Links, link: &Link) -> bool {
    state.page == 0 && state.known.as_ref().is_some_and(|(deal, _)| *deal == link.from)
}

/// The request that reads the contacts who are there, or gives one a role, or takes it.
pub(super) fn request(batch: &LinkBatch, place: Option<Place>, way: Way) -> Result<Request, Refusal> {
    let state = state(place)?;
    let link = link_at(batch, &state)?;
    if !knows(&state, link) {
        return Ok(contacts(&link.from, state.page.max(1)));
    }
    let path = format!("{API}/Deals/{}/{ROLES}/{}", link.from, link.to);
    Ok(match way {
        Way::Add => Request::new(Method::Put, path, &CALL).with_json(b"{\"data\":[{}]}".to_vec()).idempotent(),
        Way::TakeAway => Request::new(Method::Delete, path, &CALL).idempotent(),
    })
}

/// One outcome for each link, or the next request.
pub(super) fn linked(batch: &LinkBatch, place: Option<Place>, way: Way, reply: &Reply) -> Result<Step, Fault> {
    let mut state = state(place).map_err(Fault::from)?;
    let link = link_at(batch, &state).map_err(Fault::from)?;
    if knows(&state, link) {
        match row_of(reply)? {
            None => {
                if let Some((_, known)) = &mut state.known {
                    known.retain(|contact| *contact != link.to);
                    known.extend((way == Way::Add).then(|| link.to.clone()));
                }
            }
            // A request whose answer was lost did it already; or it is the main contact, who has no role to be taken.
            Some(fault) if way == Way::TakeAway && fault.code == "INVALID_DATA" => {
                let message = "the main contact stands among the roles until `Contact_Name` leads to another";
                state.doubt = Some((&Fault { message: message.to_owned(), ..fault }).into());
                state.known = None;
                return Ok(Place::Links(state).then());
            }
            Some(fault) => state.refused.push((state.at, (&fault).into())),
        }
        state.at += 1;
    } else {
        let (more, goes_on) = told(reply)?;
        let mut known = state.known.take().filter(|(deal, _)| *deal == link.from && state.page > 0);
        known.get_or_insert_with(|| (link.from.clone(), Vec::new())).1.extend(more);
        state.known = known;
        state.page = if goes_on { state.page.max(1) + 1 } else { 0 };
        let is_there = state.known.as_ref().is_some_and(|(_, known)| known.contains(&link.to));
        if let Some(doubt) = state.doubt.take_if(|_| !goes_on).filter(|_| is_there) {
            state.refused.push((state.at, doubt));
            state.at += 1;
        }
    }
    // Links that are as they shall be.
    while let Some(link) = batch.links.get(state.at) {
        let known = state.known.as_ref().filter(|_| knows(&state, link));
        let is_done = known.is_some_and(|(_, known)| known.contains(&link.to) == (way == Way::Add));
        if !is_done {
            return Ok(Place::Links(state).then());
        }
        state.at += 1;
    }
    let outcome = |(at, link): (usize, &Link)| {
        let refused = state.refused.iter().find(|(place, _)| *place == at);
        let result = refused.map_or(Ok(()), |(_, refused)| Err(refused.clone().fault()));
        LinkOutcome { link: link.clone(), result }
    };
    Ok(Step::Linked(batch.links.iter().enumerate().map(outcome).collect()))
}

/// Why a role was not given or taken.
fn row_of(reply: &Reply) -> Result<Option<Fault>, Fault> {
    let told = if reply.status < 500 { body(reply)? } else { serde_json::Value::Null };
    if let Some(row) = items(&told, "data").first() {
        return match faults::of_row(row) {
            Some(fault) if matches!(fault.kind, FaultKind::Unavailable | FaultKind::Malformed) => Err(fault),
            other => Ok(other),
        };
    }
    match faults::check(reply) {
        Ok(()) => Err(Fault::malformed("the answer says nothing of the link")),
        Err(fault) if is_about_the_row(&fault) => Ok(Some(fault)),
        Err(fault) => Err(fault),
    }
}
