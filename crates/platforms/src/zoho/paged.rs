//! Pages of the records interface, for modules without queries: notes (sheet: Zoho section 4).
//!
//! - In the order of ids, whatever was given is below whatever follows: so nothing is given twice, and a list whose
//!   token was forgotten (after a day) begins anew and passes by what was given.
//! - Whether a token stands for a place or for a record is not said. If for a place, each deletion among what was read
//!   moves a record from the next page to the one before, where nobody would see it. So behind each page the one before
//!   it is read again, and what is new on it is given too.
//! - Tokens reach 100,000 records; beyond, the platform refuses, and so does the list.

use std::collections::HashSet;

use handover_connect::{Fault, Method, Refusal, Reply, Request, Step};
use jiff::Timestamp;

use super::capabilities::{CALL, PAGE};
use super::coql::{NAMES, instant};
use super::place::{Paged, Place};
use super::reading::Reading;
use super::rows::{self, Page, Row};
use crate::marks::Mark;

/// The request for a page, or for the one before it once more.
pub(super) fn request(reading: &Reading<'_>, state: &Paged, since: Option<Timestamp>) -> Result<Request, Refusal> {
    let parts = reading.parts();
    let [columns] = &*parts else {
        return Err(Refusal::unsupported(format!("{} are read with at most {NAMES} fields", reading.object.name)));
    };
    let token = if state.held.is_some() { &state.before } else { &state.token };
    let mut request = Request::new(Method::Get, reading.object.path(), &CALL)
        .with_query("fields", format!("id,{}", columns.join(",")))
        .with_query("sort_by", "id")
        .with_query("sort_order", "asc")
        .with_query("per_page", PAGE.to_string());
    if let Some(token) = token {
        request = request.with_query("page_token", token.as_str());
    }
    if let Some(since) = since {
        request.headers.push(("if-modified-since".to_owned(), instant(since)));
    }
    Ok(request)
}

/// Whether a refusal says that a token is of no use any more.
fn is_forgotten(fault: &Fault) -> bool {
    matches!(&*fault.code, "EXPIRED_VALUE" | "TOKEN_BOUND_DATA_MISMATCH")
}

/// What a page brings.
pub(super) fn told(reading: &Reading<'_>, mut state: Paged, reply: &Reply) -> Result<Step, Fault> {
    let page = match Page::of(reply) {
        Ok(page) => page,
        Err(fault) if is_forgotten(&fault) && state.token.is_some() => {
            return Ok(Place::Paged(Paged { after: state.after, ..Paged::default() }).then());
        }
        Err(fault) => return Err(fault),
    };
    let goes_on = page.info.more_records;
    let (rows, next) = match state.held.take() {
        None => {
            let next = page.info.next_page_token.filter(|_| goes_on);
            if goes_on && next.is_none() {
                return Err(Fault::malformed("the page does not say where the next one is"));
            }
            if state.token.is_some() {
                state.held = Some((page.data, next));
                return Ok(Place::Paged(state).then());
            }
            (page.data, next)
        }
        Some((mut rows, next)) => {
            let have = rows.iter().map(rows::number).collect::<Result<HashSet<_>, _>>()?;
            for row in page.data {
                if !have.contains(&rows::number(&row)?) {
                    rows.push(row);
                }
            }
            (rows, next)
        }
    };
    let mut new: Vec<(u64, Row)> = Vec::with_capacity(rows.len());
    for row in rows {
        let id = rows::number(&row)?;
        if state.after.is_none_or(|after| id > after) {
            new.push((id, row));
        }
    }
    new.sort_by_key(|(id, _)| *id);
    let after = new.last().map(|(id, _)| *id).or(state.after);
    let records = new.iter().map(|(_, row)| reading.record(row)).collect::<Result<Vec<_>, _>>()?;
    let next = next.map(|next| Place::Paged(Paged { before: state.token, token: Some(next), after, held: None }));
    match next {
        // All of it was given already.
        Some(next) if records.is_empty() => Ok(next.then()),
        next => Ok(Step::Page { records, next: next.map(|next| next.cursor()) }),
    }
}
