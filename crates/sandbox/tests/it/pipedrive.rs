//! A client's view of a Pipedrive sandbox, for the tests beside it.

use handover_sandbox::pipedrive::Pipedrive;
use handover_sandbox::{Handled, Reply, Request, Sandbox};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

pub(crate) const SEED: u64 = 7;

/// An account with one user per role, two currencies, and its clock.
pub(crate) struct Account {
    pub(crate) sandbox: Sandbox,
    pub(crate) now: Timestamp,
    pub(crate) token: String,
}

impl Account {
    pub(crate) fn empty() -> Self {
        Self::of(json!({}))
    }

    /// An account of a world file, to which limits do not apply unless it says so.
    pub(crate) fn of(mut world: Value) -> Self {
        let settings = world.as_object_mut().unwrap().entry("settings").or_insert(json!({}));
        settings.as_object_mut().unwrap().entry("limits").or_insert(json!(false));
        let account = world.as_object_mut().unwrap().entry("account").or_insert(json!({}));
        account.as_object_mut().unwrap().entry("api_tokens").or_insert(json!([
            {"token": "admin-token", "user_id": 1}, {"token": "seller-token", "user_id": 2}
        ]));
        world.as_object_mut().unwrap().entry("users").or_insert(json!([
            {"id": 1, "name": "Ada Admin", "email": "ada@example.com", "active_flag": true, "role_id": 1,
             "default_currency": "EUR", "access": [{"app": "sales", "admin": true}]},
            {"id": 2, "name": "Sam Seller", "email": "sam@example.com", "active_flag": true, "role_id": 2,
             "default_currency": "USD", "access": [{"app": "sales", "admin": false}]},
            {"id": 3, "name": "Gone", "email": "gone@example.com", "active_flag": false, "role_id": 2, "access": []},
        ]));
        let platform = Pipedrive::from_world(world, SEED).unwrap();
        Self::over(Sandbox::new(Box::new(platform)))
    }

    pub(crate) fn over(sandbox: Sandbox) -> Self {
        let now = "2026-03-02T10:00:00Z".parse().unwrap();
        Self { sandbox, now, token: "admin-token".to_owned() }
    }

    pub(crate) fn wait(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    pub(crate) fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Request {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut request = Request::new(method, path).with_header("x-api-token", &self.token);
        request.query = handover_sandbox::http::read_pairs(query);
        match body {
            Some(body) => request.with_json(body),
            None => request,
        }
    }

    pub(crate) fn handle(&mut self, method: &str, path: &str, body: Option<&Value>) -> Handled {
        let request = self.request(method, path, body);
        self.sandbox.handle(&request, self.now)
    }

    pub(crate) fn call(&mut self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        self.handle(method, path, body).reply().unwrap().clone()
    }

    pub(crate) fn get(&mut self, path: &str) -> Value {
        let reply = self.call("GET", path, None);
        assert_eq!(reply.status, 200, "GET {path}: {}", String::from_utf8_lossy(&reply.body));
        reply.body_json()
    }

    /// Sends a body and gives `data`; fails the test unless the status is as expected.
    pub(crate) fn send(&mut self, method: &str, path: &str, body: &Value, status: u16) -> Value {
        let reply = self.call(method, path, Some(body));
        assert_eq!(reply.status, status, "{method} {path} {body}: {}", String::from_utf8_lossy(&reply.body));
        reply.body_json()["data"].clone()
    }

    pub(crate) fn post(&mut self, path: &str, body: &Value) -> Value {
        self.send("POST", path, body, 201)
    }

    /// Sends what must be refused, and gives the error's text.
    pub(crate) fn refused(&mut self, method: &str, path: &str, body: Option<&Value>, status: u16) -> String {
        let before = self.sandbox.journal().len();
        let reply = self.call(method, path, body);
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        assert_eq!(reply.status, status, "{method} {path}: {text}");
        let entry = &self.sandbox.journal().entries()[usize::try_from(before).unwrap()];
        assert!(entry.changes.is_empty(), "a refusal changed something: {:?}", entry.changes);
        reply.body_json()["error"].as_str().unwrap_or(&text).to_owned()
    }

    /// Walks a v2 list to its end; gives the ids in the order seen.
    pub(crate) fn walk(&mut self, path: &str, mut between: impl FnMut(&mut Self, usize)) -> Vec<u64> {
        let mut ids = Vec::new();
        let mut cursor = String::new();
        for page in 0.. {
            let joint = if path.contains('?') { '&' } else { '?' };
            let reply = self.get(&format!("{path}{joint}cursor={cursor}"));
            ids.extend(reply["data"].as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()));
            let Some(next) = reply["additional_data"]["next_cursor"].as_str() else { break };
            cursor = next.replace('+', "%2B");
            between(self, page);
        }
        ids
    }
}
