//! Values and moments as other programs and people read them, not as our own state keeps them.

use handover_model::{Answer, Candidate, Cause, Value, Wins};
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};

/// A value as plain JSON: numbers as text, so that no digit is lost.
pub(crate) fn value(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => json!(flag),
        Value::List(items) => items.iter().map(self::value).collect(),
        Value::Map(parts) => parts.iter().map(|(name, part)| (name.clone(), self::value(part))).collect(),
        Value::Number(_) | Value::Text(_) | Value::Date(_) | Value::DateTime(_) | Value::Time(_) => {
            json!(value.display())
        }
    }
}

/// A cause: its word and its parts; candidates as `{key, target, shown: {FIELD: VALUE}}`.
pub(crate) fn cause(cause: &Cause) -> Json {
    let mut json = json!(cause);
    if let Cause::Conflict { there, .. } = cause {
        json["there"] = value(there);
    }
    if !cause.candidates().is_empty() {
        json["candidates"] = cause.candidates().iter().map(candidate).collect();
    }
    json
}

fn candidate(candidate: &Candidate) -> Json {
    let shown: Map<String, Json> =
        candidate.shown.iter().map(|(field, shown)| (field.to_string(), value(shown))).collect();
    json!({"key": candidate.key, "target": candidate.target, "shown": shown})
}

/// Whose care something is in, in words.
pub(crate) fn whose(owner: Option<&str>) -> String {
    format!("{}'s", owner.unwrap_or("nobody"))
}

/// An answer in words, as its option says it: `translate 90125`.
pub(crate) fn answer(answer: &Answer) -> String {
    match answer {
        Answer::Translate { to } => format!("translate {to}"),
        Answer::Assign { to } => format!("assign {to}"),
        Answer::Choose { target } => format!("choose {target}"),
        Answer::MergeInto { record } => format!("merge-into {record}"),
        Answer::Edit { field, value, .. } => format!("edit {field}={}", value.display()),
        Answer::Take { wins: Wins::Source, .. } => "take source".to_owned(),
        Answer::Take { wins: Wins::Target, .. } => "take target".to_owned(),
        Answer::Create => "create".to_owned(),
        Answer::Delete => "delete".to_owned(),
        Answer::Merge => "merge".to_owned(),
        Answer::Keep => "keep".to_owned(),
        Answer::Skip => "skip".to_owned(),
        Answer::Accept => "accept".to_owned(),
        Answer::Retry => "retry".to_owned(),
        Answer::Close => "close".to_owned(),
    }
}

/// A moment to the second, in UTC.
pub(crate) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
