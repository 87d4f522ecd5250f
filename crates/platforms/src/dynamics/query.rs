//! Addresses with their queries, and conditions (sheet: Dynamics section 2).
//!
//! Addresses are written out here and not by whoever sends them: the links to next pages must be followed as they
//! stand (section 4), and everything else in the same way.

use std::collections::HashSet;

use handover_connect::{Method, Request};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::capabilities::CALL;
use super::guid::is_guid;
use super::objects::DATA;

/// What stands in a query as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'$')
    .remove(b',')
    .remove(b'(')
    .remove(b')')
    .remove(b'\'')
    .remove(b'@')
    .remove(b'=')
    .remove(b':')
    .remove(b';')
    .remove(b'/')
    .remove(b'*');
/// Values in one condition: their addresses stay well below the 32,768 bytes that one may have (section 2 \[doc\]).
pub(super) const IDS: usize = 300;
/// How long the values of a condition may be in all, in bytes as sent.
const LONGEST: usize = 14_000;

/// A part of an address.
pub(super) fn escaped(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// A request that reads, with its query.
pub(super) fn get(path: &str, query: &[(&str, &str)]) -> Request {
    let mut address = path.to_owned();
    let mut before = '?';
    for (name, value) in query.iter().filter(|(_, value)| !value.is_empty()) {
        address.push(before);
        address.push_str(name);
        address.push('=');
        address.push_str(&escaped(value));
        before = '&';
    }
    let mut request = Request::new(Method::Get, address, &CALL);
    // Conditions may hold keys.
    request.private_path = query.iter().any(|(name, value)| *name == "$filter" && value.contains('\''));
    request.headers.extend(headers());
    request
}

/// The request for a next page.
pub(super) fn follow(next: &str) -> Request {
    get(next, &[]).with_private_path()
}

/// The headers of every request (section 2).
pub(super) fn headers() -> impl Iterator<Item = (String, String)> {
    [("accept", "application/json"), ("odata-maxversion", "4.0"), ("odata-version", "4.0"), ("if-none-match", "null")]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
}

/// The path of a link that the platform gave, without its host: it is asked where everything is asked.
pub(super) fn linked(link: &str) -> Option<String> {
    let (_, rest) = link.split_once("/api/data/v9.")?;
    let (_, rest) = rest.split_once('/')?;
    let is_plain = rest.bytes().all(|byte| byte.is_ascii_graphic()) && !rest.contains("..") && !rest.contains('#');
    is_plain.then(|| format!("{DATA}/{rest}"))
}

/// A text in a condition.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A column that has one of several values, in as many conditions as it takes for each to fit into an address. The
/// values stand as a condition has them.
pub(super) fn ones_of(column: &str, values: &[String]) -> Vec<String> {
    let mut all = Vec::new();
    let mut some: Vec<&str> = Vec::new();
    let mut length = 0;
    let one_of = |some: &[&str]| {
        format!("Microsoft.Dynamics.CRM.In(PropertyName='{column}',PropertyValues=[{}])", some.join(","))
    };
    for value in values {
        let own = escaped(value).len() + 1;
        if !some.is_empty() && (length + own > LONGEST || some.len() >= IDS) {
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
pub(super) fn ids_of<'i>(column: &str, ids: impl Iterator<Item = &'i str>) -> Vec<String> {
    let mut seen = HashSet::new();
    let ids: Vec<String> = ids.filter(|id| is_guid(id) && seen.insert(*id)).map(quoted).collect();
    ones_of(column, &ids)
}

/// An instant in a condition: whole seconds, which is all that is kept (section 4).
pub(super) fn instant(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
