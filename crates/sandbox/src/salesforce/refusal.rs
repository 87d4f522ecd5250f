//! Errors as the API words them (sheet: section 7): a list of `{message, errorCode, fields}` for a request,
//! `{statusCode, message, fields}` for a row of many.

use serde_json::{Value as Json, json};

use crate::Reply;

/// What is wrong with a row or with a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) message: String,
    /// The fields concerned; none where the API says nothing of fields.
    pub(super) fields: Option<Vec<String>>,
    /// What a duplicate rule found.
    pub(super) duplicates: Option<Json>,
}

impl Fault {
    /// A fault of a request, under the status that its code has.
    pub(super) fn new(code: &str, message: impl Into<String>) -> Self {
        let status = match code {
            "INVALID_SESSION_ID" | "INVALID_AUTH_HEADER" => 401,
            "REQUEST_LIMIT_EXCEEDED"
            | "API_DISABLED_FOR_ORG"
            | "API_CURRENTLY_DISABLED"
            | "FUNCTIONALITY_NOT_ENABLED" => 403,
            "NOT_FOUND" | "ENTITY_IS_DELETED" => 404,
            "METHOD_NOT_ALLOWED" => 405,
            "UNSUPPORTED_API_VERSION" => 410,
            "UNSUPPORTED_MEDIA_TYPE" => 415,
            "UNKNOWN_EXCEPTION" => 500,
            _ => 400,
        };
        Self { status, code: code.to_owned(), message: message.into(), fields: None, duplicates: None }
    }

    /// A fault of a row, with its fields.
    pub(super) fn row(code: &str, message: impl Into<String>, fields: &[&str]) -> Self {
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        Self { fields: Some(fields), ..Self::new(code, message) }
    }

    #[must_use]
    pub(super) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(super) fn not_found() -> Self {
        Self::new("NOT_FOUND", "The requested resource does not exist")
    }

    pub(super) fn no_column(field: &str, object: &str) -> Self {
        Self::new("INVALID_FIELD", format!("No such column '{field}' on sobject of type {object}"))
    }

    /// Somebody else holds the record.
    pub(super) fn locked(id: &str) -> Self {
        let message = format!("unable to obtain exclusive access to this record or 1 records: {id}");
        Self::row("UNABLE_TO_LOCK_ROW", message, &[])
    }

    pub(super) fn deleted() -> Self {
        Self::row("ENTITY_IS_DELETED", "entity is deleted", &[])
    }

    pub(super) fn parser(why: &str) -> Self {
        Self::new("JSON_PARSER_ERROR", format!("{why} at [line:1, column:1]"))
    }

    /// The form of a row of many.
    pub(super) fn item(&self) -> Json {
        let mut item = json!({"statusCode": self.code, "message": self.message,
            "fields": self.fields.clone().unwrap_or_default()});
        if let (Some(found), Some(map)) = (&self.duplicates, item.as_object_mut()) {
            map.insert("duplicateResult".to_owned(), found.clone());
        }
        item
    }

    /// The form of a request.
    pub(super) fn body(&self) -> Json {
        let mut body = json!({"message": self.message, "errorCode": self.code});
        if let Some(map) = body.as_object_mut() {
            if let Some(fields) = &self.fields {
                map.insert("fields".to_owned(), json!(fields));
            }
            if let Some(found) = &self.duplicates {
                map.insert("duplicateResult".to_owned(), found.clone());
            }
        }
        body
    }

    /// `CODE:message:fields --`, the form of a bulk result (sheet: section 5.5 \[doc\]).
    pub(super) fn line(&self) -> String {
        format!("{}:{}:{} --", self.code, self.message, self.fields.clone().unwrap_or_default().join(","))
    }

    /// The reply of a request that this stopped.
    pub(super) fn reply(&self) -> Reply {
        Reply::json(self.status, &json!([self.body()]))
    }
}

/// What a route gives.
pub(super) type Answer = Result<Reply, Fault>;

/// 204.
pub(super) fn no_content() -> Reply {
    Reply { status: 204, headers: Vec::new(), body: Vec::new() }
}
