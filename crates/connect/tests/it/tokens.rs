//! Access tokens of several requests at once: one is bought for all, and what works once is used once.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use handover_connect::{
    Body, Capabilities, Connector as _, Credentials, Cursor, Dialect, Driver, Exchange, Fault, FaultKind, Host, Keeper,
    Lost, Method, Operation, Proof, Refusal, Reply, Request, Settings, Step, Token, Transport, VirtualClock, WireReply,
    WireRequest, same,
};
use handover_model::ObjectName;
use secrecy::{ExposeSecret as _, SecretString};

/// A platform that sells tokens.
struct Selling(Capabilities);

impl Dialect for Selling {
    fn capabilities(&self) -> &Capabilities {
        &self.0
    }

    fn objects(&self) -> Vec<ObjectName> {
        Vec::new()
    }

    fn encode(&self, operation: &Operation, _: Option<&Cursor>) -> Result<Request, Refusal> {
        if matches!(operation, Operation::Refresh) {
            let mut request = Request::new(Method::Post, "/token", &[]);
            (request.host, request.body) = (Host::Oauth, Body::Form(Vec::new()));
            return Ok(request);
        }
        Ok(Request::new(Method::Get, "/users", &[]))
    }

    fn decode(&self, operation: &Operation, _: Option<&Cursor>, reply: &Reply) -> Result<Step, Fault> {
        let text = String::from_utf8(reply.body.clone()).unwrap();
        match (operation, reply.status) {
            (Operation::Refresh, 200) => Ok(Step::Token(Token {
                access: SecretString::from(format!("access of {text}")),
                expires_in: 3_600,
                refresh: Some(SecretString::from(text)),
                api_base: None,
                scopes: None,
            })),
            (_, 200) => Ok(Step::Users { users: Vec::new(), next: None }),
            (_, status) => Err(Fault::new(FaultKind::Auth, status.to_string(), "no")),
        }
    }

    fn authorize(&self, request: &mut Request, credentials: &Credentials) {
        let Credentials::Oauth { refresh_token, .. } = credentials else { panic!("OAuth") };
        let what = if request.host == Host::Oauth { Some(refresh_token) } else { credentials.access() };
        request.headers.push(("with".to_owned(), what.unwrap().expose_secret().to_owned()));
    }
}

/// Takes each refresh token once, and access tokens until `revoked`.
#[derive(Default)]
struct Shop {
    sold: AtomicU32,
    revoked: Mutex<String>,
}

#[async_trait]
impl Transport for Shop {
    async fn send(&self, request: WireRequest, _: Duration) -> Result<WireReply, Lost> {
        let with = request.headers.iter().find(|(name, _)| name == "with").unwrap().1.clone();
        // Others go on meanwhile.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        let reply = |status, text: String| Reply { status, headers: Vec::new(), body: text.into_bytes(), sunk: None };
        if request.url.path() == "/token" {
            let sold = self.sold.load(Ordering::SeqCst);
            if with != format!("r{sold}") {
                return Ok(reply(400, String::new()));
            }
            self.sold.store(sold + 1, Ordering::SeqCst);
            return Ok(reply(200, format!("r{}", sold + 1)));
        }
        Ok(reply(if *self.revoked.lock().unwrap() == with { 401 } else { 200 }, String::new()))
    }
}

/// What is kept.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<Option<String>>>);

#[async_trait]
impl Keeper for Shelf {
    async fn begin(&self) -> Result<Box<dyn Exchange>, String> {
        Ok(Box::new(self.clone()))
    }
}

impl Exchange for Shelf {
    fn newest(&self) -> Option<SecretString> {
        self.0.lock().unwrap().clone().map(SecretString::from)
    }

    fn keep(&mut self, refresh_token: &SecretString) -> Result<(), String> {
        *self.0.lock().unwrap() = Some(refresh_token.expose_secret().to_owned());
        Ok(())
    }
}

fn driver(shop: &Arc<Shop>, shelf: &Shelf, refresh_token: &str) -> Driver {
    let capabilities = Capabilities::none("selling");
    let settings = Settings { retries: 0, ..Settings::at("http://selling.test") };
    let credentials = Credentials::Oauth {
        client_id: "app".to_owned(),
        client_secret: None,
        refresh_token: SecretString::from(refresh_token),
        access: None,
    };
    let clock = Arc::new(VirtualClock::new("2026-03-02T12:00:00Z".parse().unwrap()));
    Driver::new(Box::new(Selling(capabilities)), shop.clone(), clock, Arc::new(shelf.clone()), credentials, settings)
}

#[tokio::test]
async fn one_is_bought_for_all() {
    let (shop, shelf) = (Arc::new(Shop::default()), Shelf::default());
    let driver = driver(&shop, &shelf, "r0");
    let four = || async { tokio::join!(driver.users(), driver.users(), driver.users(), driver.users()) };
    let (a, b, c, d) = four().await;
    assert!(a.is_ok() && b.is_ok() && c.is_ok() && d.is_ok(), "{a:?} {b:?} {c:?} {d:?}");
    assert_eq!(shop.sold.load(Ordering::SeqCst), 1);
    // All of them are refused at once, and buy one new token.
    *shop.revoked.lock().unwrap() = "access of r1".to_owned();
    let (a, b, c, d) = four().await;
    assert!(a.is_ok() && b.is_ok() && c.is_ok() && d.is_ok(), "{a:?} {b:?} {c:?} {d:?}");
    assert_eq!(shop.sold.load(Ordering::SeqCst), 2);
    assert_eq!(shelf.newest().unwrap().expose_secret(), "r2");
}

/// A process that begins with a token which another one has exchanged meanwhile takes the newest.
#[tokio::test]
async fn what_another_process_bought_is_used() {
    let (shop, shelf) = (Arc::new(Shop::default()), Shelf::default());
    driver(&shop, &shelf, "r0").users().await.unwrap();
    driver(&shop, &shelf, "r0").users().await.unwrap();
    assert_eq!(shop.sold.load(Ordering::SeqCst), 2);
}

/// The example of RFC 7636, appendix B; and proofs differ.
#[test]
fn a_proof_binds_a_code() {
    let known = Proof {
        state: SecretString::from("s"),
        verifier: SecretString::from("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    };
    assert_eq!(known.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    let (one, other) = (Proof::fresh().unwrap(), Proof::fresh().unwrap());
    assert!(same(&one.state, one.state.expose_secret()) && !same(&one.state, other.state.expose_secret()));
    assert!(!same(&one.state, ""));
    assert_eq!(one.verifier.expose_secret().len(), 43, "as long as the standard wants at least");
}
