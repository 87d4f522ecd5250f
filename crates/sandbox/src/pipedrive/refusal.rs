//! Refusals, each in Pipedrive's words as far as the sheet has them (section 7).

use serde_json::{Map, Value as Json, json};

use crate::Reply;

/// Why a request is refused, as the reply that says so.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) Box<Reply>);

/// What a route's handler gives.
pub(super) type Answer = Result<Reply, Refusal>;

const INFO: &str = "Please check developers.pipedrive.com";

impl Refusal {
    fn json(status: u16, body: &Json) -> Self {
        Self(Box::new(Reply::json(status, body)))
    }

    /// 400 of v2's schema validation, one complaint per key.
    pub(super) fn schema(complaints: &[(String, String)]) -> Self {
        let text: Vec<String> = complaints.iter().map(|(key, why)| format!("{key}: {why}")).collect();
        let error = format!("Validation failed: {}", text.join("; "));
        Self::json(400, &json!({"success": false, "error": error, "code": "ERR_SCHEMA_VALIDATION_FAILED"}))
    }

    /// 400 of v2's schema validation about one key.
    pub(super) fn key(key: &str, why: impl Into<String>) -> Self {
        Self::schema(&[(key.to_owned(), why.into())])
    }

    /// 400 with a text of its own.
    pub(super) fn bad(error: &str) -> Self {
        Self::status(400, error)
    }

    /// Any status in v1's envelope.
    pub(super) fn status(status: u16, error: &str) -> Self {
        Self::json(
            status,
            &json!({"success": false, "error": error, "error_info": INFO, "data": null, "additional_data": null}),
        )
    }

    /// 404 for a record (sheet: section 7 \[doc\]).
    pub(super) fn not_found() -> Self {
        Self::json(
            404,
            &json!({"success": false, "error": "Entity was not found", "error_info": "Object was not found.", "data": null, "additional_data": null}),
        )
    }

    /// 410 for a record that is deleted.
    pub(super) fn gone() -> Self {
        Self::status(410, "Entity is deleted")
    }

    /// 403.
    pub(super) fn forbidden(error: &str) -> Self {
        Self::status(403, error)
    }

    /// 403 for an OAuth token without the scope.
    pub(super) fn scope() -> Self {
        Self::json(
            403,
            &json!({"success": false, "error": "Scope and URL mismatch", "errorCode": 403, "error_info": INFO}),
        )
    }

    /// 403 for a cap of the plan (sheet: section 7 \[doc\]).
    pub(super) fn capped(error: &str, code: &str) -> Self {
        Self::json(
            403,
            &json!({"success": false, "error": error, "error_info": INFO, "data": null, "additional_data": null, "code": code}),
        )
    }

    /// 402 for an account that is not open.
    pub(super) fn closed() -> Self {
        Self::status(402, "Company account is not open (possible reason: trial expired, payment details not entered)")
    }
}

/// 401, exactly as seen live (sheet: section 1 \[obs\]).
pub(super) fn unauthorized() -> Reply {
    let body = json!({"success": false, "error": "unauthorized access", "errorCode": 401, "error_info": INFO});
    Reply::json(401, &body)
        .with_header("x-401-by-gw", "true")
        .with_header("x-correlation-id", "00000000-0000-4000-8000-000000000401")
}

/// 404 for a path that v2 does not have: HTML, not JSON (sheet: section 7).
pub(super) fn unknown_v2_path() -> Reply {
    Reply::html(
        404,
        "<!DOCTYPE html><html><head><title>404 Not Found</title></head><body><h1>Page not found</h1></body></html>",
    )
}

/// 404 for a path that v1 does not have.
pub(super) fn unknown_v1_path() -> Reply {
    Reply::json(
        404,
        &json!({"success": false, "error": "Unknown method .", "error_info": INFO, "data": null, "additional_data": null}),
    )
}

/// 405.
pub(super) fn wrong_method() -> Reply {
    Reply::json(
        405,
        &json!({"success": false, "error": "Method not allowed", "error_info": INFO, "data": null, "additional_data": null}),
    )
}

/// 410 for the v1 paths whose support ended (sheet: section 0b \[doc\]).
pub(super) fn retired_path() -> Reply {
    Reply::json(
        410,
        &json!({"success": false, "error": "This endpoint is no longer supported", "error_info": INFO, "data": null, "additional_data": null}),
    )
}

/// The page that stands before the API once a client ignored its limits (sheet: section 6 \[doc\]).
pub(super) fn cloudflare() -> Reply {
    Reply::html(403, "<!DOCTYPE html><html><head><title>Access denied | pipedrive.com used Cloudflare to restrict access</title></head><body><h1>Error 1015</h1><p>You are being rate limited</p></body></html>")
        .with_header("server", "cloudflare")
}

/// A reply of a server that fails.
pub(super) fn failed(status: u16) -> Reply {
    match status {
        502 => Reply::html(
            502,
            "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>",
        ),
        504 => Reply::html(
            504,
            "<html><head><title>504 Gateway Time-out</title></head><body><center><h1>504 Gateway Time-out</h1></center></body></html>",
        ),
        503 => Reply::json(
            503,
            &json!({"success": false, "error": "Requested service is not available", "error_info": INFO, "data": null, "additional_data": null}),
        ),
        other => Reply::json(
            other,
            &json!({"success": false, "error": "Internal server error", "error_info": INFO, "data": null, "additional_data": null}),
        ),
    }
}

/// An envelope around data, which may be large and is moved, not copied.
fn envelope(status: u16, data: Json, additional: Option<Json>) -> Reply {
    let mut body = Map::new();
    body.insert("success".to_owned(), json!(true));
    body.insert("data".to_owned(), data);
    if let Some(additional) = additional {
        body.insert("additional_data".to_owned(), additional);
    }
    Reply::json(status, &Json::Object(body))
}

/// v2: `{"success":true,"data":..}`.
pub(super) fn one(status: u16, data: Json) -> Reply {
    envelope(status, data, None)
}

/// v2: a page.
pub(super) fn page(data: Vec<Json>, next_cursor: Option<String>) -> Reply {
    envelope(200, Json::Array(data), Some(json!({"next_cursor": next_cursor})))
}

/// v1: a page of `start` and `limit`. An empty page has `data: null`, as v1 says it.
pub(super) fn offset_page(data: Vec<Json>, start: usize, limit: usize, more: bool) -> Reply {
    let mut pagination = json!({"start": start, "limit": limit, "more_items_in_collection": more});
    if more && let Some(map) = pagination.as_object_mut() {
        map.insert("next_start".to_owned(), json!(start + limit));
    }
    let data = if data.is_empty() { Json::Null } else { Json::Array(data) };
    envelope(200, data, Some(json!({"pagination": pagination})))
}
