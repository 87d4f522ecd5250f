//! Lists of rows, read from their bytes: values stay text until a field asks for them.

use std::collections::HashMap;

use handover_connect::{Fault, Reply};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::faults;

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

/// The text of a row's field; `None` when it is empty or no text.
pub(super) fn text(row: &Row, name: &str) -> Option<String> {
    row.get(name).and_then(|raw| serde_json::from_str::<String>(raw.get()).ok()).filter(|text| !text.is_empty())
}

/// A row's id as a number: ids are given in ascending order, so a higher one is a younger record.
pub(super) fn number(row: &Row) -> Result<u64, Fault> {
    text(row, "id").and_then(|id| id.parse().ok()).ok_or_else(|| Fault::malformed("a record has no id"))
}
