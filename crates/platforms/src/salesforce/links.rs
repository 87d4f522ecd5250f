//! Links that are rows of their own: the contacts of an opportunity with their roles, what a note hangs on.
//!
//! - A link field shows every record that such a row leads to. The row itself, with its role, is a record of its own
//!   object where that is carried (`OpportunityContactRole`).
//! - Nothing refuses a second row for a pair, so the rows that are there are read first, and only what is missing is
//!   made. Sending it all again is harmless therefore.
//! - Fields that point to one record (lookups) are written with their record.

use handover_connect::{Fault, LinkBatch, LinkOutcome, Method, Refusal, Reply, Request, Step};
use handover_model::{Field, FieldName, Fields, Kind, ReadCost, Record, RecordId, Value, Writable};
use serde_json::{Value as Json, json};

use super::capabilities::{CALL, COLLECTION};
use super::encode::with_body;
use super::faults;
use super::ids::are_one;
use super::objects::DATA;
use super::place::{Links, Place, Rows};
use super::reading::is_of;
use super::rows::{self, Page, Row};
use super::soql::{IDS, Query, ids_of};
use crate::marks::{Mark, foreign};

/// A link field that is made of rows.
#[derive(Debug)]
pub(super) struct Junction {
    /// The object that has the field.
    object: &'static str,
    /// The field.
    field: &'static str,
    /// What users read.
    label: &'static str,
    /// The object pointed to.
    to: &'static str,
    /// The object of the rows.
    via: &'static str,
    /// Their column that points to the record that has the field.
    near: &'static str,
    /// Their column that points to the other one.
    far: &'static str,
    /// Their column that is true for the one which comes first.
    first: Option<&'static str>,
    /// What else a new row needs.
    along: &'static [(&'static str, &'static str)],
}

/// Contacts of opportunities; what notes hang on (sheet: Salesforce section 2).
static JUNCTIONS: [Junction; 6] = [
    Junction {
        object: "Opportunity",
        field: "OpportunityContactRoles",
        label: "Contacts (contact roles)",
        to: "Contact",
        via: "OpportunityContactRole",
        near: "OpportunityId",
        far: "ContactId",
        // The main contact: one for each opportunity at most (sheet: Salesforce section 2).
        first: Some("IsPrimary"),
        along: &[],
    },
    of_note("LinkedEntityId.Account", "Accounts", "Account"),
    of_note("LinkedEntityId.Contact", "Contacts", "Contact"),
    of_note("LinkedEntityId.Lead", "Leads", "Lead"),
    of_note("LinkedEntityId.Opportunity", "Opportunities", "Opportunity"),
    of_note("LinkedEntityId.Case", "Cases", "Case"),
];

const fn of_note(field: &'static str, label: &'static str, to: &'static str) -> Junction {
    Junction {
        object: "ContentNote",
        field,
        label,
        to,
        via: "ContentDocumentLink",
        near: "ContentDocumentId",
        far: "LinkedEntityId",
        first: None,
        // Those who may see the record may see the note (sheet: Salesforce section 2).
        along: &[("ShareType", "V")],
    }
}

/// Whether links are added or taken away.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Added.
    Add,
    /// Taken away.
    TakeAway,
}

/// The junction behind a field.
pub(super) fn junction(object: &str, field: &str) -> Option<&'static Junction> {
    Junction::of(object).find(|junction| junction.field == field)
}

impl Junction {
    /// Those of an object.
    pub(super) fn of(object: &str) -> impl Iterator<Item = &'static Self> {
        JUNCTIONS.iter().filter(move |junction| junction.object == object)
    }

    /// Whether a field is one.
    pub(super) fn is_field(object: &str, field: &str) -> bool {
        junction(object, field).is_some()
    }

    /// As a field.
    pub(super) fn field(&self) -> Field {
        Field {
            name: self.field.into(),
            label: self.label.to_owned(),
            kind: Kind::Reference { object: self.to.into(), many: true },
            required: false,
            writable: Writable::Always,
            unique: false,
            custom: false,
            read: ReadCost::Extra { per_call: u32::try_from(IDS).unwrap_or(1), opt_in: false, only_above: None },
            blank_is_zero: false,
        }
    }

    /// The two ends of a row, behind its id.
    fn ends(&self, row: &Row<'_>) -> Option<(String, String, String)> {
        let text = |name: &str| rows::text(row, name);
        let (id, near, far) = (text("Id")?, text(self.near)?, text(self.far)?);
        is_of(&far, self.to).then_some((id, near, far))
    }
}

/// The queries for the rows of some records.
pub(super) fn queries<'i>(junction: &'static Junction, ids: impl Iterator<Item = &'i str>) -> Vec<Query<'static>> {
    let query = |condition| Query {
        columns: [junction.near, junction.far].into_iter().chain(junction.first).collect(),
        conditions: vec![condition],
        ..Query::of(junction.via)
    };
    ids_of(junction.near, ids).into_iter().map(query).collect()
}

/// What an extra read's page tells: the records with their links once all pages are read.
pub(super) fn enriched(
    junction: &'static Junction,
    field: &FieldName,
    ids: &[RecordId],
    mut rows: Rows,
    reply: &Reply,
) -> Result<Step, Fault> {
    let page = Page::of(reply)?;
    for row in &page.records {
        let Some((_, near, far)) = junction.ends(row) else { continue };
        let comes_first = junction.first.and_then(|column| row.get(column)).is_some_and(|cell| cell.get() == "true");
        let at = if comes_first { 0 } else { rows.pairs.len() };
        rows.pairs.insert(at, (near, far));
    }
    let queries = queries(junction, ids.iter().map(RecordId::as_str)).len();
    if go_on(&mut rows, &page, queries) {
        return Ok(Place::Rows(rows).then());
    }
    let record = |id: &RecordId| {
        let mut far: Vec<&str> = Vec::new();
        for (near, to) in rows.pairs.iter().filter(|(near, _)| are_one(near, id.as_str())) {
            debug_assert!(!near.is_empty());
            // A contact may have several roles.
            if !far.contains(&to.as_str()) {
                far.push(to);
            }
        }
        let mut fields = Fields::new();
        fields.set(field.clone(), Value::List(far.into_iter().map(Value::from).collect()));
        Record { id: id.clone(), fields, modified: None, gone: false }
    };
    Ok(Step::Page { records: ids.iter().map(record).collect(), next: None })
}

/// Moves to the next page or query; false at the end.
pub(super) fn go_on(rows: &mut Rows, page: &Page<'_>, queries: usize) -> bool {
    rows.next = page.next();
    rows.last = page.texts("Id").last().or_else(|| rows.last.take());
    if rows.next.is_none() {
        rows.nth += 1;
        rows.last = None;
    }
    rows.next.is_some() || rows.nth < queries
}

fn junction_of(batch: &LinkBatch) -> Result<&'static Junction, Refusal> {
    junction(batch.object.as_str(), batch.field.as_str())
        .filter(|junction| junction.to == batch.to_object.as_str())
        .ok_or_else(|| {
            Refusal::unsupported(format!("`{}` of `{}` is written with the record", batch.field, batch.object))
        })
}

fn state(place: Option<Place>) -> Result<Links, Refusal> {
    match place {
        None => Ok(Links::default()),
        Some(Place::Links(links)) => Ok(links),
        Some(_) => Err(foreign()),
    }
}

/// The links that have no row yet, by their places in the batch; each pair once.
fn missing(batch: &LinkBatch, state: &Links) -> Vec<usize> {
    let is_known = |at: usize, from: &str, to: &str| {
        let known = state.known.iter().any(|(_, near, far)| are_one(near, from) && are_one(far, to));
        let twice =
            batch.links.iter().take(at).any(|link| are_one(link.from.as_str(), from) && are_one(link.to.as_str(), to));
        known || twice
    };
    let links = batch.links.iter().enumerate();
    links.filter(|(at, link)| !is_known(*at, link.from.as_str(), link.to.as_str())).map(|(at, _)| at).collect()
}

/// The rows of the pairs to be taken away.
fn superfluous<'s>(batch: &LinkBatch, state: &'s Links) -> Vec<&'s str> {
    let is_meant = |near: &str, far: &str| {
        batch.links.iter().any(|link| are_one(link.from.as_str(), near) && are_one(link.to.as_str(), far))
    };
    state.known.iter().filter(|(_, near, far)| is_meant(near, far)).map(|(row, ..)| row.as_str()).collect()
}

const AT_ONCE: usize = COLLECTION as usize;

/// The request that reads the rows which are there, makes those which are missing, or deletes some.
pub(super) fn request(batch: &LinkBatch, place: Option<Place>, way: Way) -> Result<Request, Refusal> {
    let junction = junction_of(batch)?;
    let state = state(place)?;
    if !state.read {
        let mut queries = queries(junction, batch.links.iter().map(|link| link.from.as_str()));
        if state.rows.nth >= queries.len() {
            return Err(Refusal::unsupported("there is nothing to link"));
        }
        return queries.swap_remove(state.rows.nth).request(&state.rows);
    }
    if way == Way::TakeAway {
        let rows: Vec<&str> = superfluous(batch, &state).into_iter().skip(state.done).take(AT_ONCE).collect();
        return Ok(super::removal::of_rows(&rows.join(",")));
    }
    let row = |at: usize| {
        let link = batch.links.get(at)?;
        let mut row =
            json!({ "attributes": { "type": junction.via }, junction.near: link.from, junction.far: link.to });
        for (name, value) in junction.along {
            row[*name] = json!(value);
        }
        Some(row)
    };
    let records: Vec<Json> =
        missing(batch, &state).into_iter().skip(state.done).take(AT_ONCE).filter_map(row).collect();
    let body = json!({ "allOrNone": false, "records": records }).to_string().into_bytes();
    let mut request = with_body(Method::Post, format!("{DATA}/composite/sobjects"), body);
    request.charges = CALL.to_vec();
    Ok(request)
}

/// One outcome for each link, or the next request.
pub(super) fn linked(batch: &LinkBatch, place: Option<Place>, way: Way, reply: &Reply) -> Result<Step, Fault> {
    let junction = junction_of(batch).map_err(Fault::from)?;
    let mut state = state(place).map_err(Fault::from)?;
    if state.read {
        let done = faults::check(reply, false).and_then(|()| rows_of(reply));
        let some = match way {
            Way::Add => missing(batch, &state),
            Way::TakeAway => (0..superfluous(batch, &state).len()).collect(),
        };
        let some: Vec<usize> = some.into_iter().skip(state.done).take(AT_ONCE).collect();
        let done = done?;
        if done.len() != some.len() {
            return Err(Fault::malformed("the answer has another number of rows than were sent"));
        }
        for (at, row) in some.into_iter().zip(&done) {
            match faults::of_row(row) {
                Some(fault) if way == Way::TakeAway && super::removal::is_absent(&fault) => {}
                // The link was made meanwhile.
                Some(fault) if way == Way::Add && fault.code == "DUPLICATE_VALUE" => {}
                Some(fault) => state.refused.push((at, (&fault).into())),
                None => {}
            }
        }
        state.done += AT_ONCE;
    } else {
        let page = Page::of(reply)?;
        state.known.extend(page.records.iter().filter_map(|row| junction.ends(row)));
        let queries = queries(junction, batch.links.iter().map(|link| link.from.as_str())).len();
        state.read = !go_on(&mut state.rows, &page, queries);
    }
    let all = match way {
        Way::Add => missing(batch, &state).len(),
        Way::TakeAway => superfluous(batch, &state).len(),
    };
    if !state.read || state.done < all {
        return Ok(Place::Links(state).then());
    }
    Ok(Step::Linked(outcomes(batch, &state, way)))
}

/// The rows of the answer to a collection.
pub(super) fn rows_of(reply: &Reply) -> Result<Vec<Json>, Fault> {
    serde_json::from_slice(&reply.body)
        .map_err(|error| Fault::malformed(format!("the answer is no list of rows: {error}")))
}

fn outcomes(batch: &LinkBatch, state: &Links, way: Way) -> Vec<LinkOutcome> {
    let rows = superfluous(batch, state);
    // What was refused of a row is so of every link that it makes.
    let refused = |at: usize| {
        let link = batch.links.get(at)?;
        let is_own = |near: &str, far: &str| are_one(link.from.as_str(), near) && are_one(link.to.as_str(), far);
        let concerns = |place: usize| match way {
            Way::Add => batch.links.get(place).is_some_and(|other| is_own(other.from.as_str(), other.to.as_str())),
            Way::TakeAway => {
                let row = rows.get(place).copied().unwrap_or_default();
                state.known.iter().any(|(known, near, far)| known == row && is_own(near, far))
            }
        };
        state.refused.iter().find(|(place, _)| concerns(*place)).map(|(_, refused)| refused)
    };
    let outcome = |(at, link): (usize, &handover_connect::Link)| {
        let result = match refused(at) {
            Some(refused) => Err(refused.clone().fault()),
            None => Ok(()),
        };
        LinkOutcome { link: link.clone(), result }
    };
    batch.links.iter().enumerate().map(outcome).collect()
}
