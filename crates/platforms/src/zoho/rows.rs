//! Lists of rows, read from their bytes: values stay text until a field asks for them.

use std::collections::HashMap;

use handover_connect::{Fault, Reply};
use serde::Deserialize;
use serde_json::Value as Json;
use serde_json::value::RawValue;

use super::faults;
use super::json::{body, items};

/// One row: a field's name to its value as it stands there.
pub(super) type Row = HashMap<String, Box<RawValue>>;

/// One page of rows.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Page {
    /// The rows.
    pub(super) data: Vec<Row>,
    /// What is told beside them.
    pub(super) info: Info,
}

/// What a page tells of others.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Info {
    /// Whether there are more.
    pub(super) more_records: bool,
    /// The next page.
    pub(super) next_page_token: Option<String>,
}

impl Page {
    /// The page in a reply. Where there is nothing, there is no body: 204, and 304 where nothing was changed since
    /// (sheet: Zoho sections 4, 7).
    pub(super) fn of(reply: &Reply) -> Result<Self, Fault> {
        if matches!(reply.status, 204 | 304) {
            return Ok(Self::default());
        }
        faults::check(reply)?;
        if reply.body.is_empty() {
            return Ok(Self::default());
        }
        let page: Self = serde_json::from_slice(&reply.body)
            .map_err(|error| Fault::malformed(format!("the answer is no list of rows: {error}")))?;
        if page.data.is_empty() && page.info.more_records {
            return Err(Fault::malformed("an empty page says that there is more"));
        }
        Ok(page)
    }

    /// The ids of its rows, in their order.
    pub(super) fn ids(&self) -> Result<Vec<u64>, Fault> {
        self.data.iter().map(number).collect()
    }
}

/// The number in a query's only row.
pub(super) fn count(reply: &Reply) -> Result<u64, Fault> {
    faults::check(reply)?;
    let told = body(reply)?;
    if told.is_null() {
        return Ok(0);
    }
    let row = items(&told, "data").first().and_then(Json::as_object);
    let count = row.and_then(|row| row.iter().filter(|(name, _)| *name != "id").find_map(|(_, count)| count.as_u64()));
    count.ok_or_else(|| Fault::malformed("the answer tells no number"))
}

/// The text of a row's field; `None` when it is empty or no text.
pub(super) fn text(row: &Row, name: &str) -> Option<String> {
    row.get(name).and_then(|raw| serde_json::from_str::<String>(raw.get()).ok()).filter(|text| !text.is_empty())
}

/// A row's id as a number: ids are given in ascending order, so a higher one is a younger record.
pub(super) fn number(row: &Row) -> Result<u64, Fault> {
    text(row, "id").and_then(|id| id.parse().ok()).ok_or_else(|| Fault::malformed("a record has no id"))
}
