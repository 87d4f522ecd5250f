//! A driver before the sandbox of an organization.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use handover_connect::{
    Clock as _, Connector as _, Credentials, Driver, NoKeeper, Read, Reply, Request, Settings, Transport, VirtualClock,
    Which, WireRequest,
};
use handover_local::LocalTransport;
use handover_model::FieldName;
use handover_platforms::salesforce::Salesforce;
use handover_sandbox::Sandbox;
use secrecy::SecretString;
use serde_json::{Value as Json, json};

pub(super) const USER: &str = "005Aa0000000001IAA";
pub(super) const ADMIN: &str = "tok-admin";
const BASE: &str = "http://sandbox.test";

/// An organization with its driver.
pub(super) struct Live {
    pub(super) sandbox: Arc<Mutex<Sandbox>>,
    pub(super) clock: Arc<VirtualClock>,
    pub(super) driver: Driver,
    transport: Arc<LocalTransport>,
    credentials: Credentials,
    dialect: fn() -> Salesforce,
}

impl Live {
    /// Of a world, to which a user and sessions are added.
    pub(super) async fn of(world: Json, dialect: fn() -> Salesforce) -> Self {
        Self::let_in(world, dialect, Credentials::Token(SecretString::from("tok"))).await
    }

    /// The same for an app of OAuth, whose sessions end when they are not used.
    pub(super) async fn by_app(mut world: Json, dialect: fn() -> Salesforce) -> Self {
        world["apps"] = json!([{"client_id": "app", "client_secret": "s", "refresh_tokens": {"first": "u@x.example"}}]);
        let credentials = Credentials::Oauth {
            client_id: "app".to_owned(),
            client_secret: Some(SecretString::from("s")),
            refresh_token: SecretString::from("first"),
            access: None,
        };
        Self::let_in(world, dialect, credentials).await
    }

    /// The same with other credentials.
    async fn let_in(mut world: Json, dialect: fn() -> Salesforce, credentials: Credentials) -> Self {
        world["platform"] = json!("salesforce");
        world["complete"] = json!(true);
        world["sessions"] = json!({
            "tok": {"user": USER, "used": null, "refreshable": false},
            ADMIN: {"user": USER, "used": null, "refreshable": false},
        });
        let user = json!({"Id": USER, "Username": "u@x.example", "LastName": "U", "Email": "u@x.example", "Alias": "u",
            "IsActive": true});
        match world["records"]["User"].as_array_mut() {
            Some(users) => users.insert(0, user),
            None => world["records"]["User"] = json!([user]),
        }
        let org = handover_sandbox::salesforce::Salesforce::from_world(world, 1).unwrap();
        let sandbox = Arc::new(Mutex::new(Sandbox::new(Box::new(org))));
        let clock = Arc::new(VirtualClock::new("2026-03-02T10:00:00Z".parse().unwrap()));
        let transport = Arc::new(LocalTransport::new(sandbox.clone(), clock.clone()));
        let driver = driver(dialect(), &transport, &clock, &credentials);
        let live = Self { sandbox, clock, driver, transport, credentials, dialect };
        live.described(&live.driver).await;
        live
    }

    async fn described(&self, driver: &Driver) {
        for object in ["Account", "Contact", "Opportunity"] {
            driver.describe(&object.into()).await.unwrap();
        }
    }

    /// Another driver before the same organization, as after a crash.
    pub(super) async fn another(&self) -> Driver {
        let driver = driver((self.dialect)(), &self.transport, &self.clock, &self.credentials);
        self.described(&driver).await;
        driver
    }

    /// The same with a token.
    pub(super) async fn let_in_by(&self, token: &str) -> Driver {
        let credentials = Credentials::Token(SecretString::from(token));
        let driver = driver((self.dialect)(), &self.transport, &self.clock, &credentials);
        self.described(&driver).await;
        driver
    }

    /// Paths of the requests since the `from`th, without what goes before the objects.
    pub(super) fn paths(&self, from: usize) -> Vec<String> {
        let sandbox = self.sandbox.lock().unwrap();
        let paths =
            sandbox.journal().entries().iter().skip(from).map(|entry| format!("{} {}", entry.method, entry.path));
        paths.map(|path| path.replace("/services/data/v66.0/", "")).collect()
    }

    pub(super) fn sent(&self) -> usize {
        self.sandbox.lock().unwrap().journal().len() as usize
    }

    /// What somebody else does in the organization.
    pub(super) async fn raw(&self, mut request: Request) -> Reply {
        request.headers.push(("authorization".to_owned(), format!("Bearer {ADMIN}")));
        let wire = WireRequest {
            method: request.method,
            url: format!("{BASE}{}", request.path).parse().unwrap(),
            headers: request.headers,
            body: request.body,
            sink: None,
        };
        self.transport.send(wire, Duration::from_secs(30)).await.unwrap()
    }

    /// Time that passes.
    pub(super) async fn wait(&self, seconds: i64) {
        let until = self.clock.now().checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
        self.clock.sleep_until(until).await;
    }
}

fn driver(
    dialect: Salesforce,
    transport: &Arc<LocalTransport>,
    clock: &Arc<VirtualClock>,
    credentials: &Credentials,
) -> Driver {
    let settings = Settings { retries: 3, concurrency: 2, ..Settings::at(BASE) };
    Driver::new(Box::new(dialect), transport.clone(), clock.clone(), Arc::new(NoKeeper), credentials.clone(), settings)
}

/// A list of live records.
pub(super) fn live(object: &str, fields: &[&str]) -> Read {
    let fields = fields.iter().map(|name| FieldName::from(*name)).collect();
    Read { object: object.into(), fields, which: Which::Live, since: None }
}

/// An id with the letters that tell its case (sheet: Salesforce section 9).
pub(super) fn id(prefix: &str, n: usize) -> String {
    let short = format!("{prefix}Aa0{n:09}");
    let check = |five: &[u8]| {
        let bits = five.iter().enumerate().filter(|(_, letter)| letter.is_ascii_uppercase());
        char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[bits.map(|(bit, _)| 1 << bit).sum::<usize>()])
    };
    let checks: String = short.as_bytes().chunks(5).map(check).collect();
    format!("{short}{checks}")
}
