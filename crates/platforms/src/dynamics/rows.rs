//! Pages of rows, read from their bytes: values stay text until a field asks for them.

use std::collections::HashMap;

use handover_connect::{Fault, Reply};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{faults, query};

/// One row: a property's name to its value as it stands there.
pub(super) type Row<'a> = HashMap<&'a str, &'a RawValue>;

/// One page of rows.
#[derive(Deserialize)]
pub(super) struct Page<'a> {
    /// The rows.
    #[serde(borrow)]
    pub(super) value: Vec<Row<'a>>,
    #[serde(default, rename = "@odata.nextLink")]
    next: Option<String>,
    #[serde(default, rename = "@odata.deltaLink")]
    left: Option<String>,
    /// How many there are in all, up to 5,000 (sheet: Dynamics section 4).
    #[serde(default, rename = "@odata.count")]
    pub(super) count: Option<u64>,
}

impl<'a> Page<'a> {
    /// The page in a reply.
    pub(super) fn of(reply: &'a Reply) -> Result<Self, Fault> {
        faults::check(reply)?;
        let text = std::str::from_utf8(&reply.body).map_err(|_| Fault::malformed("the answer is no text"))?;
        serde_json::from_str(text).map_err(|error| Fault::malformed(format!("the answer is no page of rows: {error}")))
    }

    /// The path of the next page; none at the end.
    pub(super) fn next(&self) -> Result<Option<String>, Fault> {
        path(self.next.as_deref())
    }

    /// The path of what a later reading goes on from, of a tracked list at its end (sheet: Dynamics section 4).
    pub(super) fn left(&self) -> Result<Option<String>, Fault> {
        path(self.left.as_deref())
    }
}

/// The path in a link.
fn path(link: Option<&str>) -> Result<Option<String>, Fault> {
    let odd = || Fault::malformed("a link is none of the API's");
    link.map(|link| query::linked(link).ok_or_else(odd)).transpose()
}

/// The text of a property of a row; `None` when it is empty or no text.
pub(super) fn text(row: &Row<'_>, name: &str) -> Option<String> {
    row.get(name).and_then(|raw| serde_json::from_str::<String>(raw.get()).ok()).filter(|text| !text.is_empty())
}
