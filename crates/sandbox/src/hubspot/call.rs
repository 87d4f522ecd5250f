//! One request on its way through the routes.

use serde_json::{Map, Value as Json};

use super::links::Node;
use super::record::Source;
use super::refusal::Refusal;
use super::world::World;
use crate::Request;

/// A request with its canonical path, its time and its sender.
pub(crate) struct Call<'a> {
    /// As it came.
    pub(crate) request: &'a Request,
    /// Segments of the canonical (v3/v4) path, decoded.
    pub(crate) path: Vec<String>,
    /// The date-versioned path says 2026-09 or later: portal rules are enforced (sheet: HubSpot
    /// section 0b \[doc\]).
    pub(crate) enforce_rules: bool,
    /// Epoch milliseconds.
    pub(crate) now: i64,
    /// Only so many inputs of a batch are applied.
    pub(crate) apply_only: Option<usize>,
    /// The app that sent it.
    pub(crate) app: u32,
}

impl Call<'_> {
    /// The app as the source of changes.
    pub(crate) fn source(&self) -> Source {
        Source::Integration(self.app)
    }

    /// A segment of the path.
    pub(crate) fn segment(&self, at: usize) -> &str {
        self.path.get(at).map_or("", String::as_str)
    }

    /// A query parameter.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.request.param(name).filter(|value| !value.is_empty())
    }

    /// A list in the query: separated by commas or repeated.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let all = self.request.query.iter().filter(|(key, _)| key == name);
        all.flat_map(|(_, value)| value.split(','))
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// A boolean of the query; `false` without.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.param(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(Refusal::invalid(format!("Invalid value \"{other}\" for parameter {name}"))),
        }
    }

    /// `limit` of the query: default, and the most that is accepted.
    pub(crate) fn limit(&self, default: usize, max: usize) -> Result<usize, Refusal> {
        let Some(text) = self.param("limit") else { return Ok(default) };
        match text.parse::<usize>() {
            Ok(limit) if (1..=max).contains(&limit) => Ok(limit),
            Ok(limit) => Err(Refusal::invalid(format!("Invalid limit {limit}: the limit must be between 1 and {max}"))),
            Err(_) => Err(Refusal::invalid(format!("Invalid value \"{text}\" for parameter limit"))),
        }
    }

    /// A number as cursor.
    pub(crate) fn after(&self) -> Result<Option<u64>, Refusal> {
        self.param("after")
            .map(|text| {
                text.parse().map_err(|_| Refusal::invalid(format!("Invalid value \"{text}\" for parameter after")))
            })
            .transpose()
    }

    /// The body as a JSON object.
    pub(crate) fn object(&self) -> Result<Map<String, Json>, Refusal> {
        match self.json()? {
            Json::Object(map) => Ok(map),
            other => {
                Err(Refusal::json(&format!("Cannot deserialize the request from {}", super::values::shape(&other))))
            }
        }
    }

    /// The body as JSON. A body without the JSON content type is refused with 415.
    pub(crate) fn json(&self) -> Result<Json, Refusal> {
        let content_type = self.request.header("content-type").unwrap_or("");
        if !content_type.to_ascii_lowercase().starts_with("application/json") {
            return Err(Refusal::new(415, "", "Unsupported Media Type"));
        }
        serde_json::from_slice(&self.request.body).map_err(|error| {
            Refusal::invalid(format!(
                "Invalid input JSON on line {}, column {}: Unexpected character or end of input",
                error.line(),
                error.column()
            ))
        })
    }

    /// `inputs` of a batch: at least one, at most `max`. What interference leaves of them is applied by
    /// [`Call::applied`].
    pub(crate) fn inputs(&self, body: &Map<String, Json>, max: usize) -> Result<Vec<Map<String, Json>>, Refusal> {
        let Some(Json::Array(inputs)) = body.get("inputs") else {
            return Err(Refusal::json("Some required fields were not set: [inputs]"));
        };
        if inputs.len() > max {
            return Err(Refusal::too_many("inputs", max, inputs.len()));
        }
        inputs
            .iter()
            .map(|input| {
                input.as_object().cloned().ok_or_else(|| {
                    Refusal::json(&format!("Cannot deserialize an input from {}", super::values::shape(input)))
                })
            })
            .collect()
    }

    /// The inputs that are applied: all of them, or under interference the first few.
    pub(crate) fn applied<'b, T>(&self, inputs: &'b [T]) -> &'b [T] {
        let count = self.apply_only.unwrap_or(inputs.len()).min(inputs.len());
        inputs.get(..count).unwrap_or(inputs)
    }
}

/// An id in a body: a string, or a number as Jackson accepts it.
pub(crate) fn id_text(value: Option<&Json>) -> Option<String> {
    match value {
        Some(Json::String(text)) => Some(text.clone()),
        Some(Json::Number(number)) => Some(number.to_string()),
        _ => None,
    }
}

/// `{"id": ...}` under `name`, as a live record of `kind`.
pub(crate) fn node_at(
    world: &World,
    input: &Map<String, Json>,
    name: &str,
    kind: super::kinds::Kind,
) -> Result<Option<Node>, Refusal> {
    let Some(id) = id_text(input.get(name).and_then(|v| v.get("id"))) else {
        return Err(Refusal::json(&format!("Some required fields were not set: [{name}]")));
    };
    Ok(live_node(world, kind, &id))
}

/// A live record by the text of its id, merged ids resolved.
pub(crate) fn live_node(world: &World, kind: super::kinds::Kind, id: &str) -> Option<Node> {
    let id = world.table(kind).live(id.parse().ok()?)?.id;
    Some(Node { kind, id })
}
