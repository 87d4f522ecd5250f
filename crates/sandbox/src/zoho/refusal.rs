//! Errors as the API words them (sheet: section 7): `{code, details, message, status}` for a request, and the same in
//! `data[]` for a record.

use serde_json::{Map, Value as Json, json};

use super::world::World;
use crate::Reply;

/// What is wrong with a request or with a record.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) details: Json,
}

/// What a route gives.
pub(super) type Answer = Result<Reply, Refusal>;

impl Refusal {
    /// A refusal under the status that its code has (sheet: section 7).
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        let status = match code {
            "INVALID_TOKEN" | "AUTHENTICATION_FAILURE" | "OAUTH_SCOPE_MISMATCH" => 401,
            "NO_PERMISSION" | "NOT_SUPPORTED" | "AUTHORIZATION_FAILED" | "FEATURE_NOT_ENABLED" => 403,
            "INVALID_URL_PATTERN" => 404,
            "INVALID_REQUEST_METHOD" => 405,
            "ALREADY_MODIFIED" => 412,
            "FILE_SIZE_MORE_THAN_ALLOWED_SIZE" => 413,
            "TOO_MANY_REQUESTS" => 429,
            "INTERNAL_ERROR" => 500,
            _ => 400,
        };
        Self { status, code, message: message.into(), details: json!({}) }
    }

    #[must_use]
    pub(super) fn with(mut self, details: Json) -> Self {
        self.details = details;
        self
    }

    #[must_use]
    pub(super) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// A value of another type than the field's.
    pub(super) fn invalid(field: &str, path: &str, expected: &str) -> Self {
        Self::new("INVALID_DATA", "invalid data")
            .with(json!({"expected_data_type": expected, "api_name": field, "json_path": path}))
    }

    /// A value that is too long.
    pub(super) fn too_long(field: &str, path: &str, most: usize) -> Self {
        Self::new("INVALID_DATA", "invalid data")
            .with(json!({"maximum_length": most, "api_name": field, "json_path": path}))
    }

    /// A record that is not there.
    pub(super) fn bad_id(name: &str, path: &str) -> Self {
        Self::new("INVALID_DATA", "the id given seems to be invalid").with(json!({"api_name": name, "json_path": path}))
    }

    /// A record to which a lookup points and that is not there.
    pub(super) fn bad_related(field: &str, path: &str) -> Self {
        Self::new("INVALID_DATA", "the related id given seems to be invalid")
            .with(json!({"api_name": field, "json_path": path}))
    }

    /// A field without which there is no record.
    pub(super) fn missing(field: &str, path: &str) -> Self {
        Self::new("MANDATORY_NOT_FOUND", "required field not found").with(json!({"api_name": field, "json_path": path}))
    }

    /// A parameter without which there is no reply.
    pub(super) fn missing_param(name: &str) -> Self {
        Self::new("REQUIRED_PARAM_MISSING", "One of the expected parameter is missing")
            .with(json!({"param_name": name}))
    }

    /// A parameter whose value cannot be.
    pub(super) fn bad_param(name: &str) -> Self {
        Self::new("INVALID_DATA", "invalid data").with(json!({"param_name": name}))
    }

    pub(super) fn limit(message: &str, details: Json) -> Self {
        Self::new("LIMIT_EXCEEDED", message).with(details)
    }

    pub(super) fn no_module(index: usize) -> Self {
        Self::new("INVALID_MODULE", "the module name given seems to be invalid")
            .with(json!({"resource_path_index": index}))
    }

    pub(super) fn no_url() -> Self {
        Self::new("INVALID_URL_PATTERN", "Please check if the URL trying to access is a correct one")
    }

    pub(super) fn method() -> Self {
        Self::new("INVALID_REQUEST_METHOD", "The http request method type is not a valid one")
    }

    /// The form of one record of many.
    pub(super) fn item(&self) -> Json {
        json!({"code": self.code, "details": self.details, "message": self.message, "status": "error"})
    }

    /// The form of a request.
    pub(super) fn reply(&self) -> Reply {
        Reply::json(self.status, &self.item())
    }
}

/// 204: nothing there (sheet: trap 14).
pub(super) fn nothing() -> Reply {
    Reply { status: 204, headers: Vec::new(), body: Vec::new() }
}

/// 304: nothing changed (sheet: section 4).
pub(super) fn unchanged(world: &World) -> Reply {
    Reply { status: world.settings.unchanged_status, headers: Vec::new(), body: Vec::new() }
}

/// A record that was dealt with.
pub(super) fn success(message: &str, details: Json) -> Map<String, Json> {
    let item = json!({"code": "SUCCESS", "details": details, "message": message, "status": "success"});
    item.as_object().cloned().unwrap_or_default()
}
