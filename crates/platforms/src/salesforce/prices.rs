//! The standard prices of a product: rows of the standard price book, one for each currency (sheet: Salesforce section 2
//! \[unsure\]; the vendor's object reference says the same of `PricebookEntry`).
//!
//! - Where the organization has several currencies, they are a map from currency to amounts, `{"EUR": {"price": 10}}`;
//!   else one number. Rows that are not active are no prices: nothing can be sold by them.
//! - They come with the product, as rows of a query within the query. Whether a new price touches its product is not
//!   documented: products of changed prices are asked for apart, and a product is as new as its newest price.
//! - They are written behind their products: the rows that are there are read, what is missing is made, what differs is
//!   changed, and what has no price any more is made inactive, since old lines may point to it. A row that is there twice
//!   is refused, so sending it again is harmless.
//! - A product that stands already, with a price that was refused, is of unknown outcome: it is looked up.

use std::collections::BTreeMap;

use handover_connect::{Fault, Method, Refusal, Reply, Request, Step, Write, WriteBatch, WriteOutcome, Written};
use handover_model::{Field, Fields, Kind, ReadCost, Schema, Value, Writable, number_text};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

use super::capabilities::COLLECTION;
use super::encode::with_body;
use super::ids::are_one;
use super::objects::{DATA, MODIFIED, PRODUCT};
use super::place::{Known, Outcome, Place, Prices};
use super::reading::Cells;
use super::rows::{Page, Row, text};
use super::soql::{Query, ids_of};
use super::write::{all_of, headers};
use super::{faults, values};
use crate::marks::Mark;

/// The price where there is one currency.
const PRICE: &str = "StandardPrice";
/// The prices by currency.
const PRICES: &str = "StandardPrices";
/// Both, of which an organization has one.
pub(super) const FIELDS: [&str; 2] = [PRICE, PRICES];
/// The amount within a currency.
const AMOUNT: &str = "price";
/// The column that tells a row's currency.
pub(super) const CURRENCY: &str = "CurrencyIsoCode";
/// Rows of the standard price book.
pub(super) const STANDARD: &str = "Pricebook2.IsStandard = true";
/// What a page calls a product's prices.
const ROWS: &str = "PricebookEntries";
/// How often the rows are read anew, since somebody made one meanwhile.
const MOST_AGAIN: u32 = 2;
const AT_ONCE: usize = COLLECTION as usize;

/// Whether a field is that of the prices.
pub(super) fn is_field(object: &str, field: &str) -> bool {
    object == PRODUCT && FIELDS.contains(&field)
}

/// The field of the prices, for an object with these fields.
pub(super) fn field(object: &str, fields: &[Field]) -> Option<Field> {
    let has_currencies = fields.iter().any(|field| field.name == CURRENCY);
    let (name, label, kind) = match has_currencies {
        true => (PRICES, "Standard Prices", Kind::Opaque),
        false => (PRICE, "Standard Price", Kind::Number),
    };
    (object == PRODUCT).then(|| Field {
        name: name.into(),
        label: label.to_owned(),
        kind,
        required: false,
        writable: Writable::Always,
        unique: false,
        custom: false,
        read: ReadCost::Listed,
        blank_is_zero: false,
    })
}

/// The query within a query of products that brings this field.
pub(super) fn within(field: &str) -> String {
    let currency = if field == PRICES { "CurrencyIsoCode, " } else { "" };
    format!("(SELECT UnitPrice, {currency}IsActive, {MODIFIED} FROM {ROWS} WHERE {STANDARD})")
}

/// The products whose prices changed since, beside those that changed themselves.
pub(super) fn changed_since(since: &str) -> [String; 2] {
    [
        format!("Id IN (SELECT Product2Id FROM PricebookEntry WHERE {STANDARD} AND {MODIFIED} >= {since})"),
        format!("{MODIFIED} < {since}"),
    ]
}

/// The prices of a product in a page, and when the newest of them was changed; `None` where the page has none.
pub(super) fn read(field: &str, row: &impl Cells) -> Result<Option<(Value, Option<Timestamp>)>, Fault> {
    let Some(json) = row.raw(ROWS) else { return Ok(None) };
    // No rows at all may be null (sheet: Salesforce section 2 [unsure]).
    let page = match json {
        "null" => None,
        json => Some(Page::within(json)?),
    };
    let mut prices = BTreeMap::new();
    let mut newest = None;
    for row in page.iter().flat_map(|page| &page.records) {
        newest = newest.max(text(row, MODIFIED).as_deref().and_then(values::read_instant));
        if let (true, Some(price)) = (is_active(row), price(row)) {
            prices.insert(text(row, CURRENCY).unwrap_or_default(), price);
        }
    }
    let value = if field == PRICES {
        let amounts = |price| Value::Map([(AMOUNT.to_owned(), Value::Number(price))].into());
        let prices: BTreeMap<String, Value> =
            prices.into_iter().map(|(currency, price)| (currency, amounts(price))).collect();
        if prices.is_empty() { Value::Null } else { Value::Map(prices) }
    } else {
        prices.into_values().next().map_or(Value::Null, Value::Number)
    };
    Ok(Some((value, newest)))
}

fn is_active(row: &Row<'_>) -> bool {
    row.get("IsActive").is_none_or(|raw| raw.get() == "true")
}

fn price(row: &Row<'_>) -> Option<Decimal> {
    match values::read(Some(&Kind::Number), row.get("UnitPrice")?.get()) {
        Value::Number(price) => Some(price),
        _ => None,
    }
}

/// The prices by currency that a write wants, where it says any; the currency is blank where there is one.
pub(super) fn wanted(fields: &Fields) -> Result<Option<BTreeMap<String, Decimal>>, Refusal> {
    if let Some(value) = fields.get(PRICE) {
        return match value {
            Value::Number(price) => Ok(Some([(String::new(), *price)].into())),
            Value::Null => Ok(Some(BTreeMap::new())),
            _ => Err(Refusal::invalid(PRICE, "a price is a number")),
        };
    }
    let odd = || Refusal::invalid(PRICES, "prices are amounts (`price`) by currency");
    match fields.get(PRICES) {
        None => Ok(None),
        Some(Value::Null) => Ok(Some(BTreeMap::new())),
        Some(Value::Map(prices)) => {
            let mut wanted = BTreeMap::new();
            for (currency, amounts) in prices {
                let Value::Map(amounts) = amounts else { return Err(odd()) };
                // What a platform keeps beside the price has no place here and must not be dropped in silence.
                if amounts.iter().any(|(name, amount)| name != AMOUNT && !amount.is_blank()) {
                    return Err(odd());
                }
                match amounts.get(AMOUNT) {
                    Some(Value::Number(price)) => drop(wanted.insert(currency.clone(), *price)),
                    None | Some(Value::Null) => {}
                    Some(_) => return Err(odd()),
                }
            }
            Ok(Some(wanted))
        }
        Some(_) => Err(odd()),
    }
}

/// What follows the writes of products: the writes of their prices, where there are some.
pub(super) fn behind(batch: &WriteBatch, written: Vec<Written>) -> Step {
    let has_prices = |(write, written): (&Write, &Written)| {
        matches!(written.outcome, WriteOutcome::Applied { .. })
            && write.fields.iter().any(|(name, _)| is_field(batch.object.as_str(), name.as_str()))
    };
    if !batch.writes.iter().zip(&written).any(has_prices) {
        return Step::Written(written);
    }
    let outcomes = written.into_iter().map(|written| Outcome::from(written.outcome)).collect();
    Place::Prices(Prices { outcomes, ..Prices::default() }).then()
}

/// The product of a write that was applied.
fn product(state: &Prices, at: usize) -> Option<&str> {
    match state.outcomes.get(at) {
        Some(Outcome::Applied(id, _)) => Some(id),
        _ => None,
    }
}

/// The rows that are there.
fn there(batch: &WriteBatch, state: &Prices, has_currencies: bool) -> Result<Vec<Query<'static>>, Refusal> {
    let mut products = Vec::new();
    for (at, write) in batch.writes.iter().enumerate() {
        if wanted(&write.fields)?.is_some() {
            products.extend(product(state, at));
        }
    }
    let mut columns = vec!["Product2Id", "Pricebook2Id", "UnitPrice", "IsActive"];
    columns.extend(has_currencies.then_some(CURRENCY));
    let query = |condition| Query {
        columns: columns.clone(),
        conditions: vec![STANDARD.to_owned(), condition],
        ..Query::of("PricebookEntry")
    };
    Ok(ids_of("Product2Id", products.into_iter()).into_iter().map(query).collect())
}

fn book() -> Query<'static> {
    Query { conditions: vec!["IsStandard = true".to_owned()], ..Query::of("Pricebook2") }
}

/// A row of prices that is to be sent, and the place of its product in the batch.
struct Change {
    at: usize,
    /// None of a new one.
    id: Option<String>,
    body: Json,
}

/// All that is to be sent, new rows first; always the same ones for the same state.
fn changes(batch: &WriteBatch, state: &Prices) -> Result<Vec<Change>, Refusal> {
    let mut all = Vec::new();
    for (at, write) in batch.writes.iter().enumerate() {
        let (Some(wanted), Some(product)) = (wanted(&write.fields)?, product(state, at)) else { continue };
        let own = |known: &&Known| are_one(&known.product, product);
        for (currency, price) in &wanted {
            let amount: Json = serde_json::from_str(&number_text(*price))
                .map_err(|_| Refusal::invalid(PRICES, "the price has no form in JSON"))?;
            let known = state.known.iter().filter(own).find(|known| known.currency == *currency);
            let (id, mut body) = match known {
                Some(known) if known.is_active && known.price == Some(*price) => continue,
                Some(known) => (Some(known.id.clone()), json!({"UnitPrice": amount, "IsActive": true})),
                None => {
                    let book = &state.book;
                    (None, json!({"Pricebook2Id": book, "Product2Id": product, "UnitPrice": amount, "IsActive": true}))
                }
            };
            if id.is_none() && !currency.is_empty() {
                body[CURRENCY] = json!(currency);
            }
            all.push(Change { at, id, body });
        }
        let gone = state.known.iter().filter(own).filter(|known| known.is_active);
        for known in gone.filter(|known| !wanted.contains_key(&known.currency)) {
            all.push(Change { at, id: Some(known.id.clone()), body: json!({"IsActive": false}) });
        }
    }
    all.sort_by_key(|change| change.id.is_some());
    Ok(all)
}

/// The changes of the next call: those of one kind, as many as fit.
fn next(changes: &[Change], done: usize) -> &[Change] {
    let left = changes.get(done..).unwrap_or_default();
    let is_new = left.first().is_some_and(|change| change.id.is_none());
    let most = left.iter().take(AT_ONCE).take_while(|change| change.id.is_none() == is_new).count();
    left.get(..most).unwrap_or_default()
}

/// The next request: for the rows that are there, for the book, or one that writes.
pub(super) fn request(batch: &WriteBatch, state: &Prices, learnt: Option<&Schema>) -> Result<Request, Refusal> {
    if !state.read {
        let mut queries = there(batch, state, has_currencies(learnt))?;
        if state.rows.nth >= queries.len() {
            return Err(Refusal::unsupported("there are no prices to look for"));
        }
        return queries.swap_remove(state.rows.nth).request(&state.rows);
    }
    let changes = changes(batch, state)?;
    let some = next(&changes, state.done);
    if state.book.is_none() && some.first().is_some_and(|change| change.id.is_none()) {
        return book().request(&super::place::Rows::default());
    }
    let is_new = some.first().is_some_and(|change| change.id.is_none());
    let rows = some.iter().map(|change| {
        let mut row = change.body.clone();
        row["attributes"] = json!({"type": "PricebookEntry"});
        if let Some(id) = &change.id {
            row["id"] = json!(id);
        }
        row
    });
    let body = json!({"allOrNone": false, "records": rows.collect::<Vec<_>>()}).to_string().into_bytes();
    let method = if is_new { Method::Post } else { Method::Patch };
    let mut request = with_body(method, format!("{DATA}/composite/sobjects"), body).idempotent();
    request.headers.extend(headers());
    Ok(request)
}

/// What the answer means.
pub(super) fn written(
    batch: &WriteBatch,
    mut state: Prices,
    learnt: Option<&Schema>,
    reply: &Reply,
) -> Result<Step, Fault> {
    if !state.read {
        let page = Page::of(reply)?;
        for row in &page.records {
            let (Some(id), Some(product)) = (text(row, "Id"), text(row, "Product2Id")) else { continue };
            state.book = state.book.or_else(|| text(row, "Pricebook2Id"));
            let currency = text(row, CURRENCY).unwrap_or_default();
            state.known.push(Known { id, product, currency, price: price(row), is_active: is_active(row) });
        }
        let queries = there(batch, &state, has_currencies(learnt)).map_err(Fault::from)?.len();
        state.read = !super::links::go_on(&mut state.rows, &page, queries);
        return settled(batch, state);
    }
    let changes = changes(batch, &state).map_err(Fault::from)?;
    let some = next(&changes, state.done);
    if state.book.is_none() && some.first().is_some_and(|change| change.id.is_none()) {
        let page = Page::of(reply)?;
        state.book = page.texts("Id").next();
        if state.book.is_none() {
            return Err(Fault::unsupported("the organization shows no standard price book"));
        }
        return settled(batch, state);
    }
    let rows = faults::check(reply, true).and_then(|()| super::links::rows_of(reply))?;
    if rows.len() != some.len() {
        return Err(Fault::malformed("the answer has another number of rows than were sent"));
    }
    let mut is_there = false;
    for (change, row) in some.iter().zip(&rows) {
        match faults::of_row(row) {
            None => {}
            // Made meanwhile, perhaps by this very request, whose answer was lost.
            Some(fault) if change.id.is_none() && fault.code == "DUPLICATE_VALUE" && state.again < MOST_AGAIN => {
                is_there = true;
            }
            Some(fault) => refuse(batch, &mut state, change.at, fault),
        }
    }
    state.done += some.len();
    if is_there {
        let Prices { outcomes, book, again, .. } = state;
        return Ok(Place::Prices(Prices { outcomes, book, again: again + 1, ..Prices::default() }).then());
    }
    settled(batch, state)
}

/// Takes note that a product's price was refused.
fn refuse(batch: &WriteBatch, state: &mut Prices, at: usize, fault: Fault) {
    let names = batch.writes.get(at).into_iter().flat_map(|write| write.fields.iter().map(|(name, _)| name));
    let name = names.into_iter().find(|name| is_field(PRODUCT, name.as_str()));
    let fault = match name {
        Some(name) => fault.with_field(name.clone()),
        None => fault,
    };
    if let Some(outcome) = state.outcomes.get_mut(at) {
        *outcome = match outcome {
            Outcome::Applied(_, Some(false)) => Outcome::Refused((&fault).into()),
            _ => Outcome::Unknown((&fault).into()),
        };
    }
}

/// The next step, or what became of the batch.
fn settled(batch: &WriteBatch, state: Prices) -> Result<Step, Fault> {
    if !state.read || state.done < changes(batch, &state).map_err(Fault::from)?.len() {
        return Ok(Place::Prices(state).then());
    }
    Ok(Step::Written(all_of(batch, state.outcomes.into_iter())))
}

/// Whether the organization has several currencies: what is described then has them (sheet: Salesforce section 9).
pub(super) fn has_currencies(learnt: Option<&Schema>) -> bool {
    learnt.is_some_and(|schema| schema.field(CURRENCY).is_some())
}
