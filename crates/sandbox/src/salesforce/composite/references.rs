//! `@{acc.id}`: what an earlier request of a composite gave, put into a later one.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::Reply;

/// What the requests so far gave, by their reference.
#[derive(Debug, Default)]
pub(super) struct References {
    known: BTreeMap<String, Option<Json>>,
}

impl References {
    pub(super) fn is_known(&self, id: &str) -> bool {
        self.known.contains_key(id)
    }

    pub(super) fn put(&mut self, id: &str, reply: &Reply) {
        let body = (reply.status < 300).then(|| reply.body_json());
        self.known.insert(id.to_owned(), body);
    }

    /// The request with its references filled in; the reference that cannot be.
    pub(super) fn fill(&self, value: &Json) -> Result<Json, String> {
        Ok(match value {
            Json::String(text) => self.fill_text(text)?,
            Json::Array(list) => Json::Array(list.iter().map(|one| self.fill(one)).collect::<Result<_, _>>()?),
            Json::Object(map) => Json::Object(
                map.iter().map(|(key, one)| Ok((key.clone(), self.fill(one)?))).collect::<Result<_, String>>()?,
            ),
            other => other.clone(),
        })
    }

    fn fill_text(&self, text: &str) -> Result<Json, String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, from)) = rest.split_once("@{") {
            let Some((path, after)) = from.split_once('}') else { break };
            let found = self.find(path).ok_or_else(|| format!("No value for {path} found"))?;
            if before.is_empty() && after.is_empty() && out.is_empty() {
                return Ok(found);
            }
            out.push_str(before);
            out.push_str(&found.as_str().map_or_else(|| found.to_string(), str::to_owned));
            rest = after;
        }
        out.push_str(rest);
        Ok(Json::String(out))
    }

    /// `acc.id`, `found.records[0].Id`.
    fn find(&self, path: &str) -> Option<Json> {
        let mut parts = path.split('.');
        let first = parts.next()?;
        let (name, place) = split_place(first);
        let mut here = self.known.get(name)?.as_ref()?;
        if let Some(place) = place {
            here = here.get(place)?;
        }
        for part in parts {
            let (name, place) = split_place(part);
            here = here.get(name)?;
            if let Some(place) = place {
                here = here.get(place)?;
            }
        }
        Some(here.clone())
    }
}

/// `records[0]` is a name and a place.
fn split_place(part: &str) -> (&str, Option<usize>) {
    match part.split_once('[') {
        Some((name, place)) => (name, place.trim_end_matches(']').parse().ok()),
        None => (part, None),
    }
}
