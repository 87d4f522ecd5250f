//! Salesforce through `Sandbox::handle`: the sheet's sections 1 to 9, in HTTP's own words.

mod auth;
mod bulk;
mod collections;
mod composite;
mod deletions;
mod kept;
mod limits;
mod objects;
mod records;
mod rules;
mod sales;
mod schema;
mod soql;

use handover_sandbox::salesforce::Salesforce;
use handover_sandbox::{Platform, Reply, Request, Sandbox};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

/// 2026-11-20T09:00:00Z.
pub(crate) const START: i64 = 1_795_165_200;

/// A client of an organization with its own clock.
pub(crate) struct Org {
    pub(crate) sandbox: Sandbox,
    pub(crate) token: String,
    /// Seconds since the epoch.
    pub(crate) now: i64,
    pub(crate) headers: Vec<(String, String)>,
}

impl Org {
    pub(crate) fn new() -> Self {
        Self::of(json!({}))
    }

    /// An organization whose accounts and contacts have a key of their own.
    pub(crate) fn keyed() -> Self {
        Self::of(json!({"fields": keys()}))
    }

    pub(crate) fn of(world: Json) -> Self {
        let platform = Salesforce::from_world(world, 7).unwrap();
        let token = platform.credentials()["token"].as_str().unwrap_or("").to_owned();
        Self { sandbox: Sandbox::new(Box::new(platform)), token, now: START, headers: Vec::new() }
    }

    pub(crate) fn wait(&mut self, seconds: i64) {
        self.now += seconds;
    }

    /// A header for every request from now on.
    pub(crate) fn header(&mut self, name: &str, value: &str) {
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn send(&mut self, request: &Request) -> Reply {
        let now = Timestamp::from_second(self.now).unwrap();
        self.sandbox.handle(request, now).reply().unwrap().clone()
    }

    /// A request of `/services/data/v66.0/...`, or of the path as it is when it begins with a slash.
    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/services/data/v66.0/{path}") };
        let mut request = Request::new(method, &path)
            .with_header("authorization", format!("Bearer {}", self.token))
            .with_header("host", "127.0.0.1:8080");
        request.headers.extend(self.headers.clone());
        request.query = handover_sandbox::http::read_pairs(query);
        request
    }

    pub(crate) fn call(&mut self, method: &str, path: &str, body: Option<&Json>) -> (u16, Json) {
        let request = self.request(method, path);
        let request = match body {
            Some(body) => request.with_json(body),
            None => request,
        };
        let reply = self.send(&request);
        (reply.status, reply.body_json())
    }

    pub(crate) fn get(&mut self, path: &str) -> Json {
        let (status, body) = self.call("GET", path, None);
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    pub(crate) fn post(&mut self, path: &str, body: &Json, wanted: u16) -> Json {
        let (status, reply) = self.call("POST", path, Some(body));
        assert_eq!(status, wanted, "POST {path}: {reply}");
        reply
    }

    pub(crate) fn patch(&mut self, path: &str, body: &Json, wanted: u16) -> Json {
        let (status, reply) = self.call("PATCH", path, Some(body));
        assert_eq!(status, wanted, "PATCH {path}: {reply}");
        reply
    }

    /// Creates a record; gives its id.
    pub(crate) fn create(&mut self, object: &str, fields: &Json) -> String {
        let reply = self.post(&format!("sobjects/{object}"), fields, 201);
        reply["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn delete(&mut self, object: &str, id: &str) {
        let (status, body) = self.call("DELETE", &format!("sobjects/{object}/{id}"), None);
        assert_eq!(status, 204, "{body}");
    }

    /// One field of a record.
    pub(crate) fn value(&mut self, object: &str, id: &str, field: &str) -> Json {
        self.get(&format!("sobjects/{object}/{id}?fields={field}"))[field].clone()
    }

    /// The reply to a query, which is sent as it is.
    pub(crate) fn ask(&mut self, resource: &str, soql: &str) -> (u16, Json) {
        let request = self.request("GET", resource).with_param("q", soql);
        let reply = self.send(&request);
        (reply.status, reply.body_json())
    }

    /// The rows of a query.
    pub(crate) fn query(&mut self, soql: &str) -> Vec<Json> {
        let (status, body) = self.ask("query", soql);
        assert_eq!(status, 200, "{soql}: {body}");
        body["records"].as_array().unwrap().clone()
    }

    /// One text of each row of a query.
    pub(crate) fn texts(&mut self, field: &str, soql: &str) -> Vec<String> {
        self.query(soql).iter().map(|row| row[field].as_str().unwrap_or("null").to_owned()).collect()
    }
}

/// Unique keys on accounts, contacts, leads and opportunities.
pub(crate) fn keys() -> Json {
    let key = json!([{"name": "Src_Id__c", "length": 40, "external_id": true, "unique": true}]);
    json!({"Account": key, "Contact": key, "Lead": key, "Opportunity": key})
}

/// A refusal with its code; gives its sentence.
#[track_caller]
pub(crate) fn refused((status, body): (u16, Json), wanted: u16, code: &str) -> String {
    assert_eq!((status, body[0]["errorCode"].as_str()), (wanted, Some(code)), "{body}");
    body[0]["message"].as_str().unwrap().to_owned()
}
