//! Pages of a query's rows, read from their bytes: values stay text until a field asks for them.

use std::collections::HashMap;

use handover_connect::{Fault, Reply};
use handover_model::{Kind, Value};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::objects::DATA;
use super::reading::Cells;
use super::{faults, values};

/// One row: a column's name to its value as it stands there.
pub(super) type Row<'a> = HashMap<&'a str, &'a RawValue>;

impl Cells for Row<'_> {
    fn value(&self, column: &str, kind: Option<&Kind>) -> Option<Value> {
        self.get(column).map(|raw| values::read(kind, raw.get()))
    }

    fn raw(&self, column: &str) -> Option<&str> {
        self.get(column).map(|raw| raw.get())
    }
}

/// One page of rows.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page<'a> {
    /// The rows.
    #[serde(borrow)]
    pub(super) records: Vec<Row<'a>>,
    /// Whether it is the last page.
    pub(super) done: bool,
    /// Where the next page is.
    #[serde(default)]
    pub(super) next_records_url: Option<String>,
    /// How many rows there are in all.
    #[serde(default)]
    pub(super) total_size: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Composite<'a> {
    #[serde(borrow)]
    composite_response: Vec<Answer<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    #[serde(borrow)]
    body: &'a RawValue,
    http_status_code: u16,
}

impl<'a> Page<'a> {
    /// The page in a reply; a query that was too long for an address has a request around it.
    pub(super) fn of(reply: &'a Reply) -> Result<Self, Fault> {
        faults::check(reply, false)?;
        let text = std::str::from_utf8(&reply.body).map_err(|_| Fault::malformed("the answer is no text"))?;
        let is_composite = text.get(..40).unwrap_or(text).contains("\"compositeResponse\"");
        let text = if is_composite { inner(text, reply)? } else { text };
        let page: Self = serde_json::from_str(text)
            .map_err(|error| Fault::malformed(format!("the answer is no page of rows: {error}")))?;
        let leads_there = page.next_records_url.as_ref().is_some_and(|next| is_next(next));
        if !page.done && !leads_there {
            return Err(Fault::malformed("the page does not say where the next one is"));
        }
        Ok(page)
    }

    /// The rows that stand within a row. All of them: the next page of such rows is read by nobody.
    pub(super) fn within(json: &'a str) -> Result<Self, Fault> {
        let page: Self = serde_json::from_str(json)
            .map_err(|error| Fault::malformed(format!("what stands within a row is no page of rows: {error}")))?;
        if page.done { Ok(page) } else { Err(Fault::malformed("a row has more rows within it than a page")) }
    }

    /// The path of the next page.
    pub(super) fn next(&self) -> Option<String> {
        self.next_records_url.clone().filter(|_| !self.done)
    }

    /// The texts of a column.
    pub(super) fn texts(&self, column: &str) -> impl Iterator<Item = String> {
        self.records.iter().filter_map(move |row| text(row, column))
    }
}

/// The text in a column of a row; `None` when it is empty or no text.
pub(super) fn text(row: &Row<'_>, column: &str) -> Option<String> {
    row.get(column).and_then(|raw| serde_json::from_str::<String>(raw.get()).ok()).filter(|text| !text.is_empty())
}

/// Whether a path is one that the platform could have given.
fn is_next(path: &str) -> bool {
    path.strip_prefix(DATA).is_some_and(|rest| rest.starts_with("/query"))
        && !path.contains(['?', '#'])
        && !path.contains("..")
}

fn inner<'a>(text: &'a str, reply: &Reply) -> Result<&'a str, Fault> {
    let odd = |error| Fault::malformed(format!("the composite answer: {error}"));
    let composite: Composite<'a> = serde_json::from_str(text).map_err(odd)?;
    let answer =
        composite.composite_response.first().ok_or_else(|| Fault::malformed("the composite answer is empty"))?;
    let status = answer.http_status_code;
    if !(200..300).contains(&status) {
        let own =
            Reply { status, body: answer.body.get().as_bytes().to_vec(), headers: reply.headers.clone(), sunk: None };
        return Err(faults::of_reply(&own, false));
    }
    Ok(answer.body.get())
}
