//! What has to be asked before a batch is written.
//!
//! - A line is sold by a row of a price book: that of its product in the standard one, in the currency of its opportunity
//!   (object reference: OpportunityLineItem; its own field for the product cannot be set). So the opportunities and the
//!   prices are read first. A line without such a price is refused, never sold by another one.
//! - The amount of an opportunity with lines is their sum, and a write of it is ignored without a word (object reference:
//!   OpportunityLineItem, effects on opportunities). So whoever has lines is asked for, and the amount is refused.

use std::collections::BTreeMap;

use handover_connect::{Fault, FaultKind, Refusal, Reply, Request, Step, Write, WriteBatch, WriteMode};
use handover_model::Schema;

use super::ids::are_one;
use super::objects::{DEAL, LINE};
use super::place::{Again, Before, Deal, Known, Outcome, Place};
use super::prices::{CURRENCY, STANDARD, has_currencies};
use super::rows::{Page, text};
use super::soql::{Query, ids_of};
use super::write::all_of;
use crate::marks::{Mark, Refused};

/// The opportunity of a line.
const OF_DEAL: &str = "OpportunityId";
/// The product of a line.
pub(super) const OF_PRODUCT: &str = "Product2Id";
/// The row of the price book by which a line is sold.
pub(super) const ENTRY: &str = "PricebookEntryId";
/// What an opportunity is worth.
pub(super) const AMOUNT: &str = "Amount";

/// Whether something has to be asked before a batch is written.
pub(super) fn is_needed(batch: &WriteBatch) -> bool {
    match batch.object.as_str() {
        LINE => batch.mode != WriteMode::Update,
        DEAL => batch.mode == WriteMode::Update && batch.writes.iter().any(|write| write.fields.get(AMOUNT).is_some()),
        _ => false,
    }
}

/// The record that a write points to.
fn target<'w>(write: &'w Write, field: &str) -> Option<&'w str> {
    write.fields.get(field).and_then(|value| value.ids().first().copied())
}

/// The queries, those for opportunities first, and how many these are.
fn queries(batch: &WriteBatch, learnt: Option<&Schema>) -> (Vec<Query<'static>>, usize) {
    let targets = |field: &'static str| batch.writes.iter().filter_map(move |write| target(write, field));
    if batch.object == DEAL {
        let named = batch.writes.iter().filter(|write| write.fields.get(AMOUNT).is_some());
        let conditions = ids_of("Id", named.filter_map(|write| Some(write.id.as_ref()?.as_str())));
        let query = |condition| Query {
            columns: vec!["HasOpportunityLineItem"],
            conditions: vec!["HasOpportunityLineItem = true".to_owned(), condition],
            ..Query::of(DEAL)
        };
        let queries: Vec<_> = conditions.into_iter().map(query).collect();
        let number = queries.len();
        return (queries, number);
    }
    let currency = has_currencies(learnt).then_some(CURRENCY);
    let deal = |condition| Query {
        columns: ["Pricebook2Id"].into_iter().chain(currency).collect(),
        conditions: vec![condition],
        ..Query::of(DEAL)
    };
    let price = |condition| Query {
        columns: ["Product2Id", "Pricebook2Id"].into_iter().chain(currency).collect(),
        conditions: vec![STANDARD.to_owned(), "IsActive = true".to_owned(), condition],
        ..Query::of("PricebookEntry")
    };
    let mut queries: Vec<_> = ids_of("Id", targets(OF_DEAL)).into_iter().map(deal).collect();
    let number = queries.len();
    queries.extend(ids_of("Product2Id", targets(OF_PRODUCT)).into_iter().map(price));
    (queries, number)
}

/// The next query.
pub(super) fn request(batch: &WriteBatch, state: &Before, learnt: Option<&Schema>) -> Result<Option<Request>, Refusal> {
    let (queries, _) = queries(batch, learnt);
    queries.into_iter().nth(state.rows.nth).map(|query| query.request(&state.rows)).transpose()
}

/// What the answer means: the next query, the batch itself, or its end, where nothing of it can be sent.
pub(super) fn told(
    batch: &WriteBatch,
    mut state: Before,
    learnt: Option<&Schema>,
    reply: &Reply,
) -> Result<Step, Fault> {
    let page = Page::of(reply)?;
    let (queries, deals) = queries(batch, learnt);
    let is_deal = state.rows.nth < deals;
    for row in &page.records {
        let Some(id) = text(row, "Id") else { continue };
        let (book, currency) = (text(row, "Pricebook2Id"), text(row, CURRENCY).unwrap_or_default());
        if is_deal {
            let has_lines = row.get("HasOpportunityLineItem").is_some_and(|raw| raw.get() == "true");
            state.deals.push(Deal { id, book, currency, has_lines });
        } else if let Some(product) = text(row, "Product2Id") {
            state.book = state.book.or(book);
            state.known.push(Known { id, product, currency, price: None, is_active: true });
        }
    }
    if super::links::go_on(&mut state.rows, &page, queries.len()) {
        return Ok(Place::Before(state).then());
    }
    Ok(after(batch, &state))
}

/// What follows once all is known: the batch without what cannot be sent.
pub(super) fn after(batch: &WriteBatch, state: &Before) -> Step {
    let mut again = Again { settled: vec![None; batch.writes.len()], ..Again::default() };
    for ((at, write), settled) in batch.writes.iter().enumerate().zip(&mut again.settled) {
        match judge(batch, state, write) {
            Ok(Some(entry)) => drop(again.entries.insert(at, entry)),
            Ok(None) => {}
            Err(fault) => *settled = Some(Outcome::Refused(Refused::from(&fault))),
        }
    }
    if again.settled.iter().any(Option::is_none) {
        return Place::Again(again).then();
    }
    Step::Written(all_of(batch, again.settled.into_iter().flatten()))
}

/// The row by which a line is sold; `None` where none is needed.
fn judge(batch: &WriteBatch, state: &Before, write: &Write) -> Result<Option<String>, Fault> {
    let no = |code: &str, why: &str, field: &str| Err(Fault::new(FaultKind::Invalid, code, why).with_field(field));
    let deal = |id: &str| state.deals.iter().find(|deal| are_one(&deal.id, id));
    if batch.object == DEAL {
        let has_lines = write.id.as_ref().and_then(|id| deal(id.as_str())).is_some_and(|deal| deal.has_lines);
        return if has_lines && write.fields.get(AMOUNT).is_some() {
            no("products", "the amount of an opportunity with products is the sum of its products", AMOUNT)
        } else {
            Ok(None)
        };
    }
    let Some(product) = target(write, OF_PRODUCT) else {
        return no("no_product", "a line in Salesforce needs a product", OF_PRODUCT);
    };
    let Some(deal) = target(write, OF_DEAL).and_then(deal) else {
        return no("no_opportunity", "a line needs an opportunity that is there", OF_DEAL);
    };
    if let (Some(own), Some(standard)) = (&deal.book, &state.book)
        && !are_one(own, standard)
    {
        return no("other_price_book", "the opportunity sells by another price book than the standard one", OF_DEAL);
    }
    let is_price = |known: &&Known| are_one(&known.product, product) && known.currency == deal.currency;
    match state.known.iter().find(is_price) {
        Some(known) => Ok(Some(known.id.clone())),
        None => {
            no("no_price", "the product has no active standard price in the currency of the opportunity", OF_PRODUCT)
        }
    }
}

/// Puts the row by which a line is sold in the place of its product.
pub(super) fn sold_by(columns: &mut BTreeMap<&str, String>, entry: Option<&String>) {
    if let Some(entry) = entry {
        columns.remove(OF_PRODUCT);
        columns.insert(ENTRY, crate::json::quoted(entry));
    }
}
