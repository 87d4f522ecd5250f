//! Refusals, each in ActiveCampaign's words as far as the sheet has them (section 7).

use serde_json::{Value as Json, json};

use crate::Reply;

/// Why a request is refused, as the reply that says so.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) Box<Reply>);

/// What a route's handler gives.
pub(super) type Answer = Result<Reply, Refusal>;

impl Refusal {
    fn json(status: u16, body: &Json) -> Self {
        Self(Box::new(Reply::json(status, body)))
    }

    /// 422 about one key (sheet: section 7 \[spec\]).
    pub(super) fn key(key: &str, code: &str, title: impl Into<String>) -> Self {
        let title: String = title.into();
        let source = json!({"pointer": format!("/data/attributes/{key}")});
        Self::json(422, &json!({"errors": [{"title": title, "detail": "", "code": code, "source": source}]}))
    }

    /// 422: a value that is not of the key's form.
    pub(super) fn wrong(key: &str, why: &str) -> Self {
        Self::key(key, "field_invalid", format!("The {key} is not valid: {why}."))
    }

    /// 422: a key that is missing.
    pub(super) fn missing(one: &str, key: &str) -> Self {
        Self::key(key, "field_missing", format!("The {one} {key} was not provided."))
    }

    /// 422: an id that names nothing.
    pub(super) fn related(key: &str) -> Self {
        Self::key(key, "related_missing", format!("The {key} does not exist."))
    }

    /// 422 of a custom value of a deal or an account: the value and the type, not the field (section 5 \[spec\]).
    pub(super) fn value(shown: &str, kind: &str) -> Self {
        let detail =
            format!("The custom field value `{shown}` could not be saved to the custom field of type `{kind}`.");
        Self::json(422, &json!({"errors": [{"detail": detail}]}))
    }

    /// 422 in one plain string, as `fieldOption/bulk` refuses (section 7 \[spec\]).
    pub(super) fn plain(text: &str) -> Self {
        Self::json(422, &json!({"errors": text}))
    }

    /// 422 with a numeric code, as the fields of deals and accounts are refused (section 3 \[spec\]).
    pub(super) fn numbered(title: &str) -> Self {
        Self::json(422, &json!({"errors": [{"title": title, "detail": "", "code": 422}]}))
    }

    /// 400 with an empty object: a body that is not understood (sections 2 and 7).
    pub(super) fn bad_body() -> Self {
        Self::json(400, &json!({}))
    }

    /// 400 in a sentence.
    pub(super) fn bad(message: &str) -> Self {
        Self::json(400, &json!({"message": message}))
    }

    /// 404 for a record (section 2 \[spec\]).
    pub(super) fn not_found(said: &str, id: &str) -> Self {
        Self::json(404, &json!({"message": format!("No Result found for {said} with id {id}")}))
    }

    /// 403 for what the key's user may not do (section 1 \[spec\]).
    pub(super) fn forbidden(detail: &str) -> Self {
        Self::json(403, &json!({"errors": [{"status": 403, "title": "Forbidden", "detail": detail}]}))
    }

    /// Any status with an error that is one title.
    pub(super) fn titled(status: u16, title: &str) -> Self {
        Self::json(status, &json!({"errors": [{"title": title}]}))
    }

    /// 400 of the bulk import (section 5 \[spec\]).
    pub(super) fn import(message: &str, reasons: &Json) -> Self {
        Self::json(400, &json!({"success": 0, "message": message, "failureReasons": reasons}))
    }
}

/// 403 for a missing or wrong key (section 1 \[spec\]); some meet a 401 \[code\].
pub(super) fn unauthorized(as_401: bool) -> Reply {
    Reply::json(if as_401 { 401 } else { 403 }, &json!({"message": "Forbidden"}))
}

/// 402 of an account that is not paid for \[unsure\].
pub(super) fn unpaid() -> Reply {
    Reply::json(402, &json!({"message": "Payment Required"}))
}

/// 404 for a path that does not exist.
pub(super) fn unknown_path() -> Reply {
    Reply::json(404, &json!({"message": "No Result found"}))
}

/// 405.
pub(super) fn wrong_method() -> Reply {
    Reply::json(405, &json!({"message": "Method Not Allowed"}))
}

/// A reply of a server that fails; the edge answers in HTML (section 7).
pub(super) fn failed(status: u16) -> Reply {
    match status {
        502 | 504 | 520..=524 => Reply::html(
            status,
            &format!(
                "<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center></body></html>"
            ),
        ),
        other => Reply::json(other, &json!({"message": "An error occurred"})),
    }
}
