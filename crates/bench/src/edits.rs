//! Records of the stub that are edited after the load: in the source all at once, and in the target what was written.
//!
//! Of these alone the target knows what it was sent: the others are not asked for again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use handover_connect::{Clock as _, SystemClock};
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};

/// The family name of everybody in the source; it is what is edited.
const NAME: &str = "Müller-Lüdenscheidt";

/// Records spread evenly over all.
pub(crate) struct Edits {
    number: u64,
    /// Every so many records there is one.
    step: u64,
    /// When they were edited.
    at: Mutex<Option<Timestamp>>,
    /// The target's properties, by the target's id.
    written: Mutex<HashMap<String, Map<String, Json>>>,
}

impl Edits {
    pub(crate) fn new(records: u64, number: u64) -> Self {
        let number = number.min(records);
        let step = records.checked_div(number).unwrap_or(u64::MAX);
        Self { number, step, at: Mutex::default(), written: Mutex::default() }
    }

    /// How many there are.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The source's id of one of them, counted from 0.
    pub(crate) fn nth(&self, at: u64) -> u64 {
        (at + 1) * self.step
    }

    /// Edits all of them now, in whole seconds as the platform has them.
    pub(crate) fn edit(&self) {
        let now = Timestamp::from_second(SystemClock.now().as_second()).ok();
        *self.at.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// When they were edited, if that was not before this time of a query.
    pub(crate) fn since(&self, since: &str) -> Option<String> {
        let since: Timestamp = since.replace("%3A", ":").parse().ok()?;
        let at = (*self.at.lock().unwrap_or_else(PoisonError::into_inner))?;
        (at >= since).then(|| at.to_string())
    }

    /// Remembers what an upsert says of them.
    pub(crate) fn keep(&self, sent: &[u8]) {
        if self.number == 0 {
            return;
        }
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        for (trace, input) in inputs(sent) {
            if trace.parse::<u64>().is_ok_and(|id| id % self.step == 0) {
                written.insert(format!("9{trace}"), properties(&input));
            }
        }
    }

    /// Answers for records that are read by their ids.
    pub(crate) fn read(&self, sent: &[u8], body: &mut String) {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let ids = inputs(sent).into_iter().map(|(_, input)| input["id"].as_str().unwrap_or_default().to_owned());
        let found = ids.filter_map(|id| Some(record(&id, &id, written.get(&id)?)));
        answer(found.collect(), body);
    }

    /// Takes what an update says.
    pub(crate) fn update(&self, sent: &[u8], body: &mut String) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = Vec::new();
        for (trace, input) in inputs(sent) {
            let id = input["id"].as_str().unwrap_or_default();
            if let Some(have) = written.get_mut(id) {
                have.extend(properties(&input));
                found.push(record(id, &trace, have));
            }
        }
        answer(found, body);
    }
}

/// A person's row as it is once it was edited.
pub(crate) fn edited(row: &str, at: &str) -> String {
    let row = row.replacen(NAME, "Edited", 1);
    match row.split_once(r#""update_time":""#).and_then(|(head, rest)| Some((head, rest.split_once('"')?.1))) {
        Some((head, rest)) => format!(r#"{head}"update_time":"{at}"{rest}"#),
        None => row,
    }
}

/// The inputs of a batch, each with its trace.
fn inputs(sent: &[u8]) -> Vec<(String, Json)> {
    let mut batch: Json = serde_json::from_slice(sent).unwrap_or_default();
    let Json::Array(inputs) = batch["inputs"].take() else { return Vec::new() };
    inputs
        .into_iter()
        .map(|input| (input["objectWriteTraceId"].as_str().unwrap_or_default().to_owned(), input))
        .collect()
}

fn properties(input: &Json) -> Map<String, Json> {
    input["properties"].as_object().cloned().unwrap_or_default()
}

fn record(id: &str, trace: &str, properties: &Map<String, Json>) -> Json {
    json!({"id": id, "objectWriteTraceId": trace, "properties": properties, "archived": false,
        "createdAt": "2026-11-02T08:00:00Z", "updatedAt": "2026-11-02T08:00:00Z"})
}

fn answer(results: Vec<Json>, body: &mut String) {
    body.push_str(&json!({"status": "COMPLETE", "results": results}).to_string());
}
