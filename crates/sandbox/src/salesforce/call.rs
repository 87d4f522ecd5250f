//! One request on its way through the API.

use serde_json::{Map, Value as Json};

use super::instant::Seconds;
use super::refusal::Fault;
use super::rules::DuplicateHeader;
use super::soql::Scope;
use super::write::Writer;
use crate::Request;

/// A request whose sender is known.
#[derive(Clone, Debug)]
pub(super) struct Call<'a> {
    pub(super) request: &'a Request,
    /// The decoded segments behind `/services/data/v66.0/`.
    pub(super) path: Vec<String>,
    pub(super) version: u16,
    /// The user's id.
    pub(super) user: String,
    pub(super) at: Seconds,
    /// Only so many rows of a batch are applied (a fault).
    pub(super) apply_only: Option<usize>,
}

impl Call<'_> {
    /// Who writes.
    pub(super) fn writer(&self) -> Writer {
        let duplicates = DuplicateHeader::read(self.request.header("sforce-duplicate-rule-header"));
        Writer { user: self.user.clone(), at: self.at, duplicates, system: false }
    }

    pub(super) fn scope(&self, all: bool) -> Scope {
        Scope { all, now: self.at, version: self.version }
    }

    /// The body as JSON.
    pub(super) fn json(&self) -> Result<Json, Fault> {
        let kind = self.request.header("content-type").unwrap_or("application/json");
        if !kind.to_ascii_lowercase().starts_with("application/json") {
            let message = format!("Content type {kind} is not supported for this resource");
            return Err(Fault::new("UNSUPPORTED_MEDIA_TYPE", message));
        }
        serde_json::from_slice(&self.request.body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            Fault::new(
                "JSON_PARSER_ERROR",
                format!("Unexpected character or end of input at [line:{line}, column:{column}]"),
            )
        })
    }

    /// The body as an object of JSON.
    pub(super) fn map(&self) -> Result<Map<String, Json>, Fault> {
        match self.json()? {
            Json::Object(map) => Ok(map),
            _ => Err(Fault::parser("Can not deserialize an object out of another token")),
        }
    }

    /// A query parameter that is a flag.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.request.param(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The path of a resource in this version.
    pub(super) fn url(&self, rest: &str) -> String {
        format!("/services/data/v{}.0/{rest}", self.version)
    }

    pub(super) fn method(&self) -> &str {
        &self.request.method
    }

    pub(super) fn not_allowed(&self, allowed: &str) -> Fault {
        let message = format!("HTTP Method '{}' not allowed. Allowed are {allowed}", self.method());
        Fault::new("METHOD_NOT_ALLOWED", message)
    }
}
