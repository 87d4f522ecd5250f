//! Queries: text of them, the requests that send them, and paging.
//!
//! - A query is ordered by id. Its pages are read by the path that the platform gives for the next one, which
//!   costs the platform least and shows each record once; when that path is forgotten (after two days, or by too
//!   many queries of others; sheet: Salesforce section 4), reading goes on behind the last id that was read. So a
//!   list of any age resumes, and no page is read twice.
//! - What is too long for an address goes into the body of a composite request.

use std::collections::HashSet;

use handover_connect::{Method, Refusal, Request};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::capabilities::CALL;
use super::ids::is_id;
use super::objects::{DATA, is_name};
use super::place::Rows;

/// Ids in one query: their addresses stay well below the 16,384 bytes that a request's head may have (sheet:
/// Salesforce section 4).
pub(super) const IDS: usize = 400;
/// The longest query that goes into an address, in bytes as sent.
const LONGEST: usize = 14_000;
/// How long the condition of a query may be, in bytes as sent. What is too long with its columns goes into a body.
const LONGEST_CONDITION: usize = 12_000;

/// A query over one object.
#[derive(Clone, Debug)]
pub(super) struct Query<'q> {
    /// The object.
    pub(super) object: &'q str,
    /// The columns beside `Id`.
    pub(super) columns: Vec<&'q str>,
    /// The query within it that brings rows of another object, in parentheses.
    pub(super) within: Option<String>,
    /// The conditions.
    pub(super) conditions: Vec<String>,
    /// Whether deleted and archived records are shown too.
    pub(super) all: bool,
}

impl<'q> Query<'q> {
    /// A query for the ids of an object's live records.
    pub(super) fn of(object: &'q str) -> Self {
        Self { object, columns: Vec::new(), within: None, conditions: Vec::new(), all: false }
    }
}

impl Query<'_> {
    /// The request for the page at `rows`.
    pub(super) fn request(&self, rows: &Rows) -> Result<Request, Refusal> {
        if let Some(next) = &rows.next {
            return Ok(Request::new(Method::Get, next, &CALL).with_batches());
        }
        let mut text = self.text(rows.last.as_deref())?;
        text.push_str(" ORDER BY Id");
        Ok(send(&text, self.all).with_batches())
    }

    /// Its text, in no order: of the records behind one only, where that one is given.
    pub(super) fn text(&self, behind: Option<&str>) -> Result<String, Refusal> {
        if let Some(odd) = self.columns.iter().copied().chain([self.object]).find(|name| !is_path(name)) {
            return Err(Refusal::unsupported(format!("`{odd}` is no name that Salesforce could have")));
        }
        let mut text = String::from("SELECT Id");
        for column in &self.columns {
            text.push_str(", ");
            text.push_str(column);
        }
        if let Some(within) = &self.within {
            text.push_str(", ");
            text.push_str(within);
        }
        text.push_str(" FROM ");
        text.push_str(self.object);
        let beyond = behind.map(|last| format!("Id > {}", quoted(last)));
        let mut word = " WHERE ";
        for condition in self.conditions.iter().chain(&beyond) {
            text.push_str(word);
            text.push_str(condition);
            word = " AND ";
        }
        Ok(text)
    }
}

/// The request that sends a query.
pub(super) fn send(text: &str, all: bool) -> Request {
    let path = format!("{DATA}/{}", if all { "queryAll" } else { "query" });
    if sent_length(text) <= LONGEST {
        // The path of a list says nothing of any record; conditions may hold keys.
        return Request::new(Method::Get, path, &CALL).with_query("q", text);
    }
    let encoded: String = url_encoded(text);
    let body = json!({ "compositeRequest": [
        { "method": "GET", "url": format!("{path}?q={encoded}"), "referenceId": "rows" },
    ] });
    Request::new(Method::Post, format!("{DATA}/composite"), &CALL).with_json(body.to_string().into_bytes()).idempotent()
}

/// Pages as large as they may be.
trait Batches {
    fn with_batches(self) -> Self;
}

impl Batches for Request {
    fn with_batches(mut self) -> Self {
        // A wish: wide rows come in smaller pages (sheet: Salesforce section 4).
        self.headers.push(("sforce-query-options".to_owned(), "batchSize=2000".to_owned()));
        self
    }
}

/// Whether a text is a name, or a path of them to a field of a parent.
fn is_path(text: &str) -> bool {
    text.split('.').all(is_name)
}

fn url_encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// How long a text is in an address.
pub(super) fn sent_length(text: &str) -> usize {
    let length = |byte: u8| if byte.is_ascii_alphanumeric() || b"-_.~ ".contains(&byte) { 1 } else { 3 };
    text.bytes().map(length).sum()
}

/// A text in a query.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for c in text.chars() {
        match c {
            '\'' => quoted.push_str("\\'"),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

/// A field that has one of several values, in as many conditions as it takes for each to fit into an address. The
/// values stand as a query has them.
pub(super) fn ones_of(field: &str, values: &[String]) -> Vec<String> {
    let mut all = Vec::new();
    let mut some: Vec<&str> = Vec::new();
    let mut length = 0;
    let one_of = |some: &[&str]| format!("{field} IN ({})", some.join(","));
    for value in values {
        let own = sent_length(value) + 3;
        if !some.is_empty() && (length + own > LONGEST_CONDITION || some.len() >= IDS) {
            all.push(one_of(&some));
            some.clear();
            length = 0;
        }
        length += own;
        some.push(value);
    }
    if !some.is_empty() {
        all.push(one_of(&some));
    }
    all
}

/// The same of ids, each once; what has not the form of one is no record's.
pub(super) fn ids_of<'i>(field: &str, ids: impl Iterator<Item = &'i str>) -> Vec<String> {
    let mut seen = HashSet::new();
    let ids: Vec<String> = ids.filter(|id| is_id(id) && seen.insert(*id)).map(quoted).collect();
    ones_of(field, &ids)
}

/// An instant in a query: whole seconds, which is all that filters know (sheet: Salesforce section 4).
pub(super) fn instant(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
