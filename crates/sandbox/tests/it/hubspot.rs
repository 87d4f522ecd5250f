//! HubSpot through `Sandbox::handle`: the checklist of the sheet's section 13, line by line.

#![expect(clippy::unwrap_used, reason = "a reply without an expected key is a failed test")]

mod associations;
mod auth;
mod automation;
mod batches;
mod deals;
mod files;
mod limits;
mod merges;
mod records;
mod schema;
mod searches;
mod values;
mod webhooks;
mod worlds;

use handover_sandbox::hubspot::Hubspot;
use handover_sandbox::{Delivery, Event, Platform, Reply, Request, Sandbox};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

/// 2026-11-20T09:00:00Z.
pub(crate) const START: i64 = 1_795_165_200_000;

/// A client of a sandbox with its own clock; every request takes a second, so that no limit is reached
/// by accident.
pub(crate) struct Client {
    pub(crate) sandbox: Sandbox,
    pub(crate) token: String,
    pub(crate) now: i64,
    pub(crate) step: i64,
    pub(crate) events: Vec<Event>,
}

impl Client {
    /// Over a new portal.
    pub(crate) fn new() -> Self {
        Self::over(json!({"platform": "hubspot"}))
    }

    /// Over a new portal with these settings.
    pub(crate) fn with(settings: Json) -> Self {
        Self::over(json!({"platform": "hubspot", "settings": settings}))
    }

    /// Over a world.
    pub(crate) fn over(world: Json) -> Self {
        let platform = Hubspot::from_world(world, 7).unwrap();
        let token = platform.credentials()["token"].as_str().unwrap_or("").to_owned();
        Self { sandbox: Sandbox::new(Box::new(platform)), token, now: START, step: 1_000, events: Vec::new() }
    }

    /// Sends a request as it is.
    pub(crate) fn send(&mut self, request: &Request) -> Reply {
        self.now += self.step;
        let handled = self.sandbox.handle(request, Timestamp::from_millisecond(self.now).unwrap());
        self.events.extend(handled.events);
        match handled.delivery {
            Delivery::Whole(reply) | Delivery::Cut { reply, .. } => reply,
            Delivery::Silence => Reply { status: 0, headers: vec![], body: vec![] },
        }
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut request = Request::new(method, path).with_header("authorization", format!("Bearer {}", self.token));
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            request = request.with_param(name, value);
        }
        request.with_header("host", "127.0.0.1:8080")
    }

    pub(crate) fn get(&mut self, path: &str) -> (u16, Json) {
        let request = self.request("GET", path);
        body(&self.send(&request))
    }

    pub(crate) fn delete(&mut self, path: &str) -> (u16, Json) {
        let request = self.request("DELETE", path);
        body(&self.send(&request))
    }

    pub(crate) fn post(&mut self, path: &str, body: Json) -> (u16, Json) {
        self.with_body("POST", path, &body)
    }

    pub(crate) fn patch(&mut self, path: &str, body: Json) -> (u16, Json) {
        self.with_body("PATCH", path, &body)
    }

    pub(crate) fn put(&mut self, path: &str, body: Json) -> (u16, Json) {
        self.with_body("PUT", path, &body)
    }

    fn with_body(&mut self, method: &str, path: &str, given: &Json) -> (u16, Json) {
        let request = self.request(method, path).with_json(given);
        body(&self.send(&request))
    }

    /// Creates a record; gives its id.
    pub(crate) fn create(&mut self, object: &str, properties: Json) -> String {
        let (status, body) = self.post(&format!("/crm/v3/objects/{object}"), json!({"properties": properties}));
        assert_eq!(status, 201, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }

    /// One property of a record.
    pub(crate) fn value(&mut self, object: &str, id: &str, property: &str) -> Json {
        let (status, body) = self.get(&format!("/crm/v3/objects/{object}/{id}?properties={property}"));
        assert_eq!(status, 200, "{body}");
        body["properties"][property].clone()
    }
}

/// Status and body.
pub(crate) fn body(reply: &Reply) -> (u16, Json) {
    (reply.status, serde_json::from_slice(&reply.body).unwrap_or(Json::Null))
}

/// The ids of a list of results, sorted.
pub(crate) fn ids(body: &Json) -> Vec<String> {
    let mut ids: Vec<String> =
        body["results"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

/// A 400 with its category; gives its sentence.
#[track_caller]
pub(crate) fn refused((status, body): (u16, Json), wanted: u16, category: &str) -> String {
    assert_eq!((status, body["category"].as_str()), (wanted, Some(category)), "{body}");
    assert_eq!(body["status"], "error");
    assert!(body["correlationId"].is_string());
    body["message"].as_str().unwrap().to_owned()
}
