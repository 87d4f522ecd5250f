//! Credentials, tokens, what is told of the day.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use handover_connect::{
    Body, Connector as _, Credentials, Delivery, Dialect, Driver, FaultKind, Host, Lost, NoKeeper, Operation, Reply,
    Settings, Step, Transport, VirtualClock, WireRequest,
};
use handover_platforms::salesforce::Salesforce;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::{decoded, line, list, reply, rows};

fn oauth(access: Option<&str>) -> Credentials {
    Credentials::Oauth {
        client_id: "app".to_owned(),
        client_secret: Some(SecretString::from("s")),
        refresh_token: SecretString::from("r"),
        access: access.map(|token| (SecretString::from(token), "2026-02-01T10:00:00Z".parse().unwrap())),
    }
}

#[test]
fn tokens_are_bought_and_sent() {
    let dialect = Salesforce::new();
    let mut refresh = dialect.encode(&Operation::Refresh, None).unwrap();
    assert!(refresh.host == Host::Oauth && !refresh.idempotent);
    dialect.authorize(&mut refresh, &oauth(None));
    assert_eq!(
        line(&refresh),
        r#"POST /services/oauth2/token form [("grant_type", "refresh_token"), ("client_id", "app"), ("client_secret", "s"), ("refresh_token", "r")]"#
    );
    for credentials in [Credentials::Token(SecretString::from("T")), oauth(Some("T"))] {
        let mut request = dialect.encode(&list("Account", &[]), None).unwrap();
        dialect.authorize(&mut request, &credentials);
        assert!(request.headers.contains(&("authorization".to_owned(), "Bearer T".to_owned())));
    }
}

#[test]
fn apps_come_in_by_themselves_and_for_users() {
    let dialect = Salesforce::new();
    let form = |credentials: &Credentials| {
        let mut refresh = dialect.encode(&Operation::Refresh, None).unwrap();
        dialect.authorize(&mut refresh, credentials);
        line(&refresh)
    };
    let app = Credentials::App { client_id: "app".to_owned(), client_secret: SecretString::from("s"), access: None };
    assert_eq!(
        form(&app),
        r#"POST /services/oauth2/token form [("grant_type", "client_credentials"), ("client_id", "app"), ("client_secret", "s")]"#
    );
    let signed = Credentials::Signed {
        client_id: "app".to_owned(),
        user: "ana@x.example".to_owned(),
        key: SecretString::from("key"),
        assertion: Some(SecretString::from("a.b.c")),
        access: None,
    };
    assert_eq!(
        form(&signed),
        r#"POST /services/oauth2/token form [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", "a.b.c")]"#
    );
}

#[test]
fn a_token_says_where_the_api_is() {
    let body = json!({"access_token": "00D!x", "instance_url": "https://na1.example.com", "token_type": "Bearer",
        "issued_at": "1278448832702", "refresh_token": "new"});
    let Step::Token(token) = decoded(&Operation::Refresh, None, &reply(200, &body)).unwrap() else { panic!() };
    assert_eq!(token.api_base.as_deref(), Some("https://na1.example.com"));
    assert_eq!((token.access.expose_secret(), token.refresh.unwrap().expose_secret()), ("00D!x", "new"));
    let dead = json!({"error": "invalid_grant", "error_description": "expired access/refresh token"});
    let fault = decoded(&Operation::Refresh, None, &reply(400, &dead)).unwrap_err();
    assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Auth, "expired access/refresh token"));
}

#[test]
fn every_reply_tells_of_the_day() {
    let dialect = Salesforce::new();
    let all = [
        ("api-usage=10018/100000", Some((100_000, 89_982))),
        ("api-usage=18/5000; api-bursts=1/750", Some((5_000, 4_982))),
        ("per-app-api-usage=17/250(appName=x), api-usage=5001/5000", Some((5_000, 0))),
        ("api-usage=many", None),
    ];
    for (header, expected) in all {
        let mut reply = rows(json!([]));
        reply.headers.push(("sforce-limit-info".to_owned(), header.to_owned()));
        let expected: Vec<_> = expected.map(|(all, left)| ("daily", Some(all), Some(left))).into_iter().collect();
        assert_eq!(dialect.limits_told(&reply), expected, "{header}");
    }
}

#[test]
fn there_are_no_webhooks() {
    let at = "2026-02-01T10:00:00Z".parse().unwrap();
    let delivery =
        Delivery { method: "POST", address: "https://us.example/", headers: &[], body: b"{}", secret: "s", at };
    assert_eq!(Salesforce::new().events(&delivery).unwrap_err().kind, FaultKind::Unsupported);
}

/// Answers the token endpoint and everything else, and keeps the forms that it was sent.
#[derive(Default)]
struct Answers {
    forms: Mutex<Vec<Vec<(String, String)>>>,
    hosts: Mutex<Vec<String>>,
}

#[async_trait]
impl Transport for Answers {
    async fn send(&self, request: WireRequest, _: Duration) -> Result<Reply, Lost> {
        self.hosts.lock().unwrap().push(request.url.host_str().unwrap().to_owned());
        Ok(match request.body {
            Body::Form(form) => {
                self.forms.lock().unwrap().push(form);
                reply(200, &json!({"access_token": "T", "instance_url": "https://na1.example.com"}))
            }
            _ => reply(200, &json!({"totalSize": 7, "done": true, "records": []})),
        })
    }
}

/// The whole way with the driver: signed as other programs sign, and then at the address that came with the token.
#[tokio::test]
async fn it_signs_for_a_user() {
    for key in [include_str!("key.pem"), include_str!("key_of_rsa.pem")] {
        let answers = Arc::new(Answers::default());
        let settings = Settings { retries: 0, ..Settings::at("https://login.example.com") };
        let credentials = Credentials::Signed {
            client_id: "app".to_owned(),
            user: "ana@x.example".to_owned(),
            key: SecretString::from(key),
            assertion: None,
            access: None,
        };
        let clock = Arc::new(VirtualClock::new("2026-03-02T12:00:00Z".parse().unwrap()));
        let dialect = Box::new(Salesforce::new());
        let driver = Driver::new(dialect, answers.clone(), clock, Arc::new(NoKeeper), credentials, settings);
        assert_eq!(driver.count(&"Account".into()).await.unwrap(), Some(7));
        let forms = answers.forms.lock().unwrap().clone();
        // Made by OpenSSL from the same key.
        assert_eq!(forms[0][1], ("assertion".to_owned(), include_str!("signed.txt").trim().to_owned()));
        assert_eq!(*answers.hosts.lock().unwrap(), ["login.example.com", "na1.example.com"]);
    }
}
