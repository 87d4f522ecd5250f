//! What the API says when it refuses: HubSpot's error envelope (sheet: HubSpot section 7 \[doc\]).
//!
//! A [`Refusal`] is complete except for the correlation id, which the dispatcher adds, so that the
//! same refusal can stand alone as a reply or as one row of a 207.

use std::ops::{Deref, DerefMut};

use serde_json::{Map, Value as Json, json};

use crate::Reply;

/// The answer of a route.
pub(crate) type Answer = Result<Reply, Refusal>;

/// One refused request or one refused row of a batch. Boxed, because nearly every function may return it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal(Box<Words>);

/// What a refusal says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Words {
    /// The HTTP status when it stands alone.
    pub(crate) status: u16,
    /// The human sentence; clients parse some of them, so they are verbatim where the sheet knows them.
    pub(crate) message: String,
    /// `VALIDATION_ERROR`, ...
    pub(crate) category: &'static str,
    /// `crm.associations.NO_ASSOCIATIONS_FOUND`, ...
    pub(crate) sub_category: Option<String>,
    /// The details.
    pub(crate) errors: Vec<Json>,
    /// `{"name": ["value"]}`.
    pub(crate) context: Map<String, Json>,
    /// Extra top-level fields (`links`, `policyName`, ...).
    pub(crate) extra: Map<String, Json>,
}

impl Deref for Refusal {
    type Target = Words;

    fn deref(&self) -> &Words {
        &self.0
    }
}

impl DerefMut for Refusal {
    fn deref_mut(&mut self) -> &mut Words {
        &mut self.0
    }
}

impl Refusal {
    /// A refusal with status, category and sentence.
    pub(crate) fn new(status: u16, category: &'static str, message: impl Into<String>) -> Self {
        Self(Box::new(Words {
            status,
            message: message.into(),
            category,
            sub_category: None,
            errors: Vec::new(),
            context: Map::new(),
            extra: Map::new(),
        }))
    }

    /// 400 `VALIDATION_ERROR`.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "VALIDATION_ERROR", message)
    }

    /// 400 for a body that does not parse into what the route takes.
    pub(crate) fn json(problem: &str) -> Self {
        Self::invalid(format!("Invalid input JSON on line 1, column 1: {problem}"))
    }

    /// 404 `OBJECT_NOT_FOUND`.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, "OBJECT_NOT_FOUND", message)
    }

    /// 404 for a record: HubSpot says only this (sheet: section 7 \[code\]).
    pub(crate) fn no_record() -> Self {
        Self::not_found("resource not found")
    }

    /// 409 `CONFLICT`.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(409, "CONFLICT", message)
    }

    /// A limit on the number of inputs or on `limit`.
    pub(crate) fn too_many(what: &str, limit: usize, got: usize) -> Self {
        Self::invalid(format!(
            "The maximum number of {what} supported in a single request is {limit}, but {got} were sent"
        ))
    }

    /// With a sub category.
    #[must_use]
    pub(crate) fn sub(mut self, sub_category: impl Into<String>) -> Self {
        self.sub_category = Some(sub_category.into());
        self
    }

    /// With one context entry; context values are always lists.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<Json>) -> Self {
        self.context.insert(name.to_owned(), json!([value.into()]));
        self
    }

    /// With one detail.
    #[must_use]
    pub(crate) fn detail(mut self, detail: Json) -> Self {
        self.errors.push(detail);
        self
    }

    /// With one extra top-level field.
    #[must_use]
    pub(crate) fn field(mut self, name: &str, value: impl Into<Json>) -> Self {
        self.extra.insert(name.to_owned(), value.into());
        self
    }

    /// The body when it stands alone.
    pub(crate) fn body(&self, correlation_id: &str) -> Json {
        let mut body = Map::new();
        body.insert("status".into(), "error".into());
        body.insert("message".into(), self.message.clone().into());
        body.insert("correlationId".into(), correlation_id.into());
        if let Some(sub) = &self.sub_category {
            body.insert("subCategory".into(), sub.clone().into());
        }
        if !self.errors.is_empty() {
            body.insert("errors".into(), Json::Array(self.errors.clone()));
        }
        if !self.context.is_empty() {
            body.insert("context".into(), Json::Object(self.context.clone()));
        }
        if !self.category.is_empty() {
            body.insert("category".into(), self.category.into());
        }
        body.extend(self.extra.clone());
        Json::Object(body)
    }

    /// The entry in `errors` of a 207 (sheet: section 2.2 \[spec\]).
    pub(crate) fn row(&self) -> Json {
        let mut row = Map::new();
        row.insert("status".into(), "error".into());
        row.insert("category".into(), self.category.into());
        if let Some(sub) = &self.sub_category {
            row.insert("subCategory".into(), sub.clone().into());
        }
        row.insert("message".into(), self.message.clone().into());
        row.insert("errors".into(), Json::Array(self.errors.clone()));
        row.insert("context".into(), Json::Object(self.context.clone()));
        row.insert("links".into(), json!({}));
        Json::Object(row)
    }
}

/// One property value that was not accepted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BadValue {
    /// The property.
    pub(crate) name: String,
    /// `PROPERTY_DOESNT_EXIST`, `INVALID_OPTION`, ... (sheet: section 7 \[code/doc\]).
    pub(crate) code: &'static str,
    /// The sentence.
    pub(crate) message: String,
}

/// The refusal of a row for its property values: the sentence embeds a JSON array, the details repeat
/// it in the newer form (sheet: section 7 \[doc D2 sample\]).
pub(crate) fn bad_values(bad: &[BadValue]) -> Refusal {
    let embedded: Vec<Json> = bad
        .iter()
        .map(|b| {
            json!({"isValid": false, "message": b.message, "error": b.code, "name": b.name,
                   "localizedErrorMessage": b.message})
        })
        .collect();
    let mut refusal = Refusal::invalid(format!("Property values were not valid: {}", Json::Array(embedded)));
    for b in bad {
        refusal = refusal.detail(json!({"message": b.message, "code": b.code,
            "context": {"propertyName": [b.name]}}));
    }
    refusal
}
