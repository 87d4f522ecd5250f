//! One request on its way through the API.

use serde_json::{Map, Value as Json};

use super::address::{References, Segment};
use super::instant::Seconds;
use super::refusal::Fault;
use super::settings::Settings;
use super::write::Writer;
use crate::{Reply, Request};

/// What `Prefer` asks for (sheet: section 2).
#[derive(Clone, Debug, Default)]
pub(super) struct Prefer {
    pub(super) representation: bool,
    /// Names and patterns of annotations.
    pub(super) annotations: Vec<String>,
    pub(super) page: Option<usize>,
    pub(super) track: bool,
    pub(super) continue_on_error: bool,
}

impl Prefer {
    pub(super) fn read(request: &Request) -> Self {
        let mut prefer = Self::default();
        for (_, header) in request.headers.iter().filter(|(name, _)| name == "prefer") {
            for part in unquoted(header) {
                let (name, value) = part.split_once('=').unwrap_or((&part, ""));
                match (name.trim(), value.trim().trim_matches('"')) {
                    ("return", "representation") => prefer.representation = true,
                    ("odata.include-annotations", list) => {
                        prefer.annotations.extend(list.split(',').map(|one| one.trim().to_owned()));
                    }
                    ("odata.maxpagesize", size) => prefer.page = size.parse().ok().filter(|size| *size > 0),
                    ("odata.track-changes", _) => prefer.track = true,
                    ("odata.continue-on-error", _) => prefer.continue_on_error = true,
                    _ => {}
                }
            }
        }
        prefer
    }

    /// Whether an annotation is asked for: by its name, by `*`, or by a namespace with `.*`.
    pub(super) fn wants(&self, annotation: &str) -> bool {
        self.annotations.iter().any(|one| {
            one == "*" || one == annotation || one.strip_suffix('*').is_some_and(|stem| annotation.starts_with(stem))
        })
    }

    /// What of it was done, for `Preference-Applied`.
    pub(super) fn applied(&self) -> Option<String> {
        let mut list = Vec::new();
        if self.representation {
            list.push("return=representation".to_owned());
        }
        if !self.annotations.is_empty() {
            list.push(format!("odata.include-annotations=\"{}\"", self.annotations.join(",")));
        }
        list.extend(self.page.map(|page| format!("odata.maxpagesize={page}")));
        if self.track {
            list.push("odata.track-changes".to_owned());
        }
        (!list.is_empty()).then(|| list.join(","))
    }
}

/// Parts of a header that commas separate, those within quotes excepted.
fn unquoted(header: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for letter in header.chars() {
        if letter == '"' {
            quoted = !quoted;
        }
        if letter == ',' && !quoted {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(letter);
        }
    }
    parts
}

/// A request whose sender is known.
#[derive(Clone, Debug)]
pub(super) struct Call<'a> {
    pub(super) request: &'a Request,
    /// What stands behind `/api/data/v9.2/`.
    pub(super) path: Vec<Segment>,
    /// `http://host/api/data/v9.2/`.
    pub(super) base: String,
    /// The user as whom it acts.
    pub(super) user: String,
    /// The user who acts for that one.
    pub(super) behalf: Option<String>,
    pub(super) at: Seconds,
    pub(super) prefer: Prefer,
    /// Rows that earlier requests of the change set made.
    pub(super) references: References,
    /// Only so many requests of a batch are applied (a fault).
    pub(super) apply_only: Option<usize>,
}

impl Call<'_> {
    /// Who writes.
    pub(super) fn writer(&self) -> Writer {
        // Duplicate rules are off unless the header turns them on (sheet: section 5.5 [doc]).
        let header = self.request.header("mscrm.suppressduplicatedetection");
        let duplicates = header.is_some_and(|value| value.eq_ignore_ascii_case("false"));
        Writer { user: self.user.clone(), behalf: self.behalf.clone(), at: self.at, duplicates, system: false }
    }

    /// Refuses headers that need a privilege which the user has not.
    pub(super) fn check_privileges(&self, settings: &Settings) -> Result<(), Fault> {
        let bypass = [
            "mscrm.bypassbusinesslogicexecution",
            "mscrm.bypassbusinesslogicexecutionstepids",
            "mscrm.bypasscustompluginexecution",
        ];
        let asked = bypass.iter().any(|name| self.request.header(name).is_some_and(|value| !value.is_empty()));
        if asked && !settings.bypass_business_logic {
            return Err(Fault::forbidden(
                "Principal user is missing prvBypassCustomBusinessLogic privilege on OTC=0 for entity ''.",
            ));
        }
        Ok(())
    }

    /// The body as an object of JSON.
    pub(super) fn map(&self) -> Result<Map<String, Json>, Fault> {
        let kind = self.request.header("content-type").unwrap_or("");
        if !kind.to_ascii_lowercase().starts_with("application/json") {
            return Err(Fault::new(415, "0x80060888", "The media type of the request body is not supported."));
        }
        match serde_json::from_slice(&self.request.body) {
            Ok(Json::Object(map)) => Ok(map),
            _ => Err(Fault::new(400, "0x80048d19", "An error occurred while parsing the OData request payload.")),
        }
    }

    pub(super) fn method(&self) -> &str {
        &self.request.method
    }

    /// A reply with `Preference-Applied`.
    pub(super) fn stamped(&self, reply: Reply) -> Reply {
        match self.prefer.applied() {
            Some(applied) => reply.with_header("preference-applied", applied),
            None => reply,
        }
    }

    /// The address of a row.
    pub(super) fn url(&self, set: &str, id: &str) -> String {
        format!("{}{set}({id})", self.base)
    }
}
