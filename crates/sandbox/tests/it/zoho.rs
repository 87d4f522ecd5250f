//! Zoho CRM through `Sandbox::handle`: the sheet's sections 1 to 10, in HTTP's own words.

mod activities;
mod auth;
mod bulk;
mod conversion;
mod deletions;
mod kept;
mod limits;
mod lists;
mod queries;
mod records;
mod related;
mod schema;
mod values;
mod watch;

use handover_sandbox::zoho::Zoho;
use handover_sandbox::{Event, Platform, Reply, Request, Sandbox};
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
    /// What subscribers were sent.
    pub(crate) events: Vec<Event>,
}

impl Org {
    pub(crate) fn new() -> Self {
        Self::of(json!({}))
    }

    /// An organization whose contacts, accounts and deals have a key of their own.
    pub(crate) fn keyed() -> Self {
        Self::of(json!({"fields": keys()}))
    }

    pub(crate) fn with(settings: &Json) -> Self {
        Self::of(json!({"settings": settings, "fields": keys()}))
    }

    pub(crate) fn of(world: Json) -> Self {
        let platform = Zoho::from_world(world, 7).unwrap();
        let token = platform.credentials()["token"].as_str().unwrap_or("").to_owned();
        let sandbox = Sandbox::new(Box::new(platform));
        Self { sandbox, token, now: START, headers: Vec::new(), events: Vec::new() }
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
        let handled = self.sandbox.handle(request, now);
        self.events.extend(handled.events.clone());
        handled.reply().unwrap().clone()
    }

    /// A request of `/crm/v8/...`, or of the path as it is when it begins with a slash.
    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/crm/v8/{path}") };
        let mut request = Request::new(method, &path)
            .with_header("authorization", format!("Zoho-oauthtoken {}", self.token))
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

    #[track_caller]
    pub(crate) fn get(&mut self, path: &str) -> Json {
        let (status, body) = self.call("GET", path, None);
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    /// A `GET` that has nothing to say.
    #[track_caller]
    pub(crate) fn empty(&mut self, path: &str) {
        let request = self.request("GET", path);
        let reply = self.send(&request);
        assert_eq!((reply.status, reply.body.len()), (204, 0), "GET {path}: {}", reply.body_json());
    }

    #[track_caller]
    pub(crate) fn post(&mut self, path: &str, body: &Json, wanted: u16) -> Json {
        let (status, reply) = self.call("POST", path, Some(body));
        assert_eq!(status, wanted, "POST {path}: {reply}");
        reply
    }

    #[track_caller]
    pub(crate) fn put(&mut self, path: &str, body: &Json, wanted: u16) -> Json {
        let (status, reply) = self.call("PUT", path, Some(body));
        assert_eq!(status, wanted, "PUT {path}: {reply}");
        reply
    }

    /// Creates a record; gives its id.
    #[track_caller]
    pub(crate) fn create(&mut self, module: &str, fields: &Json) -> String {
        let reply = self.post(module, &json!({"data": [fields]}), 201);
        reply["data"][0]["details"]["id"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn update(&mut self, module: &str, id: &str, fields: &Json) {
        self.put(&format!("{module}/{id}"), &json!({"data": [fields]}), 200);
    }

    #[track_caller]
    pub(crate) fn delete(&mut self, module: &str, id: &str) {
        let (status, body) = self.call("DELETE", &format!("{module}/{id}"), None);
        assert_eq!((status, body["data"][0]["message"].as_str()), (200, Some("record deleted")), "{body}");
    }

    /// A record with everything.
    #[track_caller]
    pub(crate) fn record(&mut self, module: &str, id: &str) -> Json {
        self.get(&format!("{module}/{id}"))["data"][0].clone()
    }

    /// The first result of an insert that is refused.
    #[track_caller]
    pub(crate) fn refused(&mut self, module: &str, fields: &Json) -> (String, Json) {
        let reply = self.post(module, &json!({"data": [fields]}), 400);
        let first = &reply["data"][0];
        (first["code"].as_str().unwrap().to_owned(), first["details"].clone())
    }

    /// One text of each record of a list.
    #[track_caller]
    pub(crate) fn texts(&mut self, field: &str, path: &str) -> Vec<String> {
        let rows = self.get(path);
        rows["data"].as_array().unwrap().iter().map(|row| row[field].as_str().unwrap_or("null").to_owned()).collect()
    }
}

/// Unique keys of contacts, accounts and deals.
pub(crate) fn keys() -> Json {
    let key = json!([{"api_name": "Source_Id", "data_type": "text", "length": 100, "unique": true, "external": "org"}]);
    json!({"Contacts": key, "Accounts": key, "Deals": key})
}

/// A request that is refused as a whole; gives the details.
#[track_caller]
pub(crate) fn denied((status, body): (u16, Json), wanted: u16, code: &str) -> Json {
    assert_eq!((status, body["code"].as_str()), (wanted, Some(code)), "{body}");
    body["details"].clone()
}
