//! ActiveCampaign's sandbox, in the words of its API.

mod api;
mod records;
mod values;
mod worlds;

use handover_sandbox::activecampaign::ActiveCampaign;
use handover_sandbox::{Handled, Reply, Request, Sandbox};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// An account and its clock.
pub(crate) struct Account {
    pub(crate) sandbox: Sandbox,
    pub(crate) now: Timestamp,
    pub(crate) key: String,
}

impl Account {
    pub(crate) fn empty() -> Self {
        Self::of(json!({}))
    }

    /// An account of a world file, to which limits and lags do not apply unless it says so.
    pub(crate) fn of(mut world: Value) -> Self {
        let settings = world.as_object_mut().unwrap().entry("settings").or_insert(json!({}));
        for (name, value) in [("limits", json!(false)), ("lag_s", json!(0))] {
            settings.as_object_mut().unwrap().entry(name).or_insert(value);
        }
        let account = ActiveCampaign::from_world(world, 7).unwrap();
        let now = "2026-03-02T10:00:00Z".parse().unwrap();
        Self { sandbox: Sandbox::new(Box::new(account)), now, key: "sandbox-key".to_owned() }
    }

    pub(crate) fn wait(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    pub(crate) fn handle(&mut self, method: &str, path: &str, body: Option<&Value>) -> Handled {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut request = Request::new(method, &format!("/api/3/{path}")).with_header("api-token", &self.key);
        request.query = handover_sandbox::http::read_pairs(query);
        if let Some(body) = body {
            request = request.with_json(body);
        }
        self.sandbox.handle(&request, self.now)
    }

    pub(crate) fn call(&mut self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        self.handle(method, path, body).reply().unwrap().clone()
    }

    pub(crate) fn get(&mut self, path: &str) -> Value {
        self.send("GET", path, None, 200)
    }

    pub(crate) fn post(&mut self, path: &str, body: &Value) -> Value {
        self.send("POST", path, Some(body), 201)
    }

    pub(crate) fn send(&mut self, method: &str, path: &str, body: Option<&Value>, status: u16) -> Value {
        let reply = self.call(method, path, body);
        assert_eq!(reply.status, status, "{method} {path}: {}", String::from_utf8_lossy(&reply.body));
        reply.body_json()
    }

    /// Sends what must be refused and change nothing; gives the answer.
    pub(crate) fn refused(&mut self, method: &str, path: &str, body: Option<&Value>, status: u16) -> Value {
        let before = usize::try_from(self.sandbox.journal().len()).unwrap();
        let told = self.send(method, path, body, status);
        assert!(self.sandbox.journal().entries()[before].changes.is_empty(), "a refusal changed something");
        told
    }
}

/// The code of a refusal and the key that it points to.
pub(crate) fn refusal(told: &Value) -> (&str, &str) {
    let error = &told["errors"][0];
    let pointer = error["source"]["pointer"].as_str().unwrap_or_default();
    (error["code"].as_str().unwrap_or_default(), pointer.rsplit('/').next().unwrap_or_default())
}
