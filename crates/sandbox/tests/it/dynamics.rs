//! Dynamics 365 through `Sandbox::handle`: the sheet's sections 1 to 9, in HTTP's own words.

mod activities;
mod auth;
mod batches;
mod fetches;
mod fields;
mod kept;
mod limits;
mod merges;
mod metadata;
mod queries;
mod records;
mod sales;
mod tracking;

use handover_sandbox::dynamics::Dynamics;
use handover_sandbox::{Platform, Reply, Request, Sandbox};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

/// 2026-11-20T09:00:00Z.
pub(crate) const START: i64 = 1_795_165_200;

/// A GUID that no row has.
pub(crate) const NOWHERE: &str = "11111111-2222-4333-8444-555555555555";

/// A client of an environment with its own clock.
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

    /// An environment whose accounts and contacts have a key of their own.
    pub(crate) fn keyed() -> Self {
        let column = json!([{"schema_name": "new_SourceId", "kind": "string", "max_length": 40}]);
        let key = json!([{"schema_name": "new_SourceKey", "columns": ["new_sourceid"]}]);
        Self::of(json!({"columns": {"account": column, "contact": column}, "keys": {"account": key, "contact": key}}))
    }

    pub(crate) fn of(world: Json) -> Self {
        let platform = Dynamics::from_world(world, 7).unwrap();
        let token = platform.credentials()["token"].as_str().unwrap_or("").to_owned();
        Self { sandbox: Sandbox::new(Box::new(platform)), token, now: START, headers: Vec::new() }
    }

    /// An environment with one setting changed.
    pub(crate) fn with(settings: Json) -> Self {
        Self::of(json!({"settings": settings}))
    }

    pub(crate) fn wait(&mut self, seconds: i64) {
        self.now += seconds;
    }

    pub(crate) fn send(&mut self, request: &Request) -> Reply {
        let now = Timestamp::from_second(self.now).unwrap();
        self.sandbox.handle(request, now).reply().unwrap().clone()
    }

    /// A request of `/api/data/v9.2/...`, or of an address as a reply gave it.
    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        let path = path.strip_prefix("http://127.0.0.1:8080").unwrap_or(path);
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/api/data/v9.2/{path}") };
        let mut request = Request::new(method, &path)
            .with_header("authorization", format!("Bearer {}", self.token))
            .with_header("host", "127.0.0.1:8080");
        request.headers.extend(self.headers.clone());
        request.query = handover_sandbox::http::read_pairs(query);
        request
    }

    /// The reply to a request with these headers.
    pub(crate) fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Json>) -> Reply {
        let mut request = self.request(method, path);
        for (name, value) in headers {
            request = request.with_header(name, *value);
        }
        let request = match body {
            Some(body) => request.with_json(body),
            None => request,
        };
        self.send(&request)
    }

    pub(crate) fn call(&mut self, method: &str, path: &str, body: Option<&Json>) -> (u16, Json) {
        let reply = self.ask(method, path, &[], body);
        (reply.status, reply.body_json())
    }

    #[track_caller]
    pub(crate) fn get(&mut self, path: &str) -> Json {
        let (status, body) = self.call("GET", path, None);
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    #[track_caller]
    pub(crate) fn post(&mut self, path: &str, body: &Json, wanted: u16) -> Json {
        let (status, reply) = self.call("POST", path, Some(body));
        assert_eq!(status, wanted, "POST {path}: {reply}");
        reply
    }

    #[track_caller]
    pub(crate) fn patch(&mut self, path: &str, body: &Json) {
        let reply = self.ask("PATCH", path, &[("if-match", "*")], Some(body));
        assert_eq!(reply.status, 204, "PATCH {path}: {}", reply.body_json());
    }

    /// Creates a row; gives its id.
    #[track_caller]
    pub(crate) fn create(&mut self, set: &str, fields: &Json) -> String {
        let reply = self.ask("POST", set, &[], Some(fields));
        assert_eq!(reply.status, 204, "POST {set}: {}", reply.body_json());
        id_of(&reply)
    }

    #[track_caller]
    pub(crate) fn delete(&mut self, path: &str) {
        let (status, body) = self.call("DELETE", path, None);
        assert_eq!(status, 204, "DELETE {path}: {body}");
    }

    /// The rows of a query.
    #[track_caller]
    pub(crate) fn rows(&mut self, path: &str) -> Vec<Json> {
        self.get(path)["value"].as_array().unwrap().clone()
    }

    /// One text of each row of a query.
    #[track_caller]
    pub(crate) fn texts(&mut self, field: &str, path: &str) -> Vec<String> {
        self.rows(path).iter().map(|row| row[field].as_str().unwrap_or("null").to_owned()).collect()
    }

    /// The user of the token.
    pub(crate) fn me(&mut self) -> String {
        self.get("WhoAmI")["UserId"].as_str().unwrap().to_owned()
    }
}

/// The id in the address of the row that was written.
pub(crate) fn id_of(reply: &Reply) -> String {
    let address = reply.header("odata-entityid").unwrap();
    address.rsplit_once('(').unwrap().1.trim_end_matches(')').to_owned()
}

/// A refusal with its code; gives its sentence.
#[track_caller]
pub(crate) fn refused((status, body): (u16, Json), wanted: u16, code: &str) -> String {
    assert_eq!((status, body["error"]["code"].as_str()), (wanted, Some(code)), "{body}");
    body["error"]["message"].as_str().unwrap().to_owned()
}
