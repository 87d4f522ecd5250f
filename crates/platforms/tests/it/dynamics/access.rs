//! Credentials, tokens, what is told of the limits.

use handover_connect::{Body, Credentials, Dialect as _, FaultKind, Host, Operation, Reply, Step};
use handover_platforms::dynamics::Dynamics;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value as Json, json};

fn reply(status: u16, body: &Json, headers: &[(&str, &str)]) -> Reply {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Reply { status, headers, body: body.to_string().into_bytes(), sunk: None }
}

fn form(credentials: &Credentials) -> Vec<(String, String)> {
    let dialect = Dynamics::new();
    dialect.based("https://acme.crm4.dynamics.com/");
    let mut request = dialect.encode(&Operation::Refresh, None).unwrap();
    assert!(request.host == Host::Oauth && request.path == "/oauth2/v2.0/token");
    dialect.authorize(&mut request, credentials);
    let Body::Form(form) = request.body else { panic!() };
    form
}

#[test]
fn tokens_are_bought_for_one_environment() {
    let has = |form: &[(String, String)], name: &str, value: &str| {
        assert!(form.contains(&(name.to_owned(), value.to_owned())), "{name}: {form:?}");
    };
    let app = Credentials::App { client_id: "app".to_owned(), client_secret: SecretString::from("s"), access: None };
    let app = form(&app);
    has(&app, "grant_type", "client_credentials");
    // One slash: the address is given with another behind it.
    has(&app, "scope", "https://acme.crm4.dynamics.com/.default");
    let user = Credentials::Oauth {
        client_id: "app".to_owned(),
        client_secret: Some(SecretString::from("s")),
        refresh_token: SecretString::from("r"),
        access: None,
    };
    let user = form(&user);
    has(&user, "refresh_token", "r");
    has(&user, "scope", "https://acme.crm4.dynamics.com/user_impersonation offline_access");
}

#[test]
fn a_token_says_how_long_it_lives_and_a_refusal_why() {
    let dialect = Dynamics::new();
    let body = json!({"token_type": "Bearer", "expires_in": 3599, "access_token": "eyJ0", "refresh_token": "new"});
    let Step::Token(token) = dialect.decode(&Operation::Refresh, None, &reply(200, &body, &[])).unwrap() else {
        panic!()
    };
    assert_eq!((token.expires_in, token.access.expose_secret(), token.api_base), (3_599, "eyJ0", None));
    let refusals = [
        (401, "invalid_client", 7_000_215, "the app's secret is wrong (AADSTS7000215)"),
        (400, "invalid_grant", 700_082, "the refresh token has ended (AADSTS700082)"),
        (400, "invalid_request", 90_002, "there is no such tenant (AADSTS90002)"),
        (400, "invalid_scope", 1, "Entra ID gave no token (AADSTS1)"),
    ];
    for (status, error, number, words) in refusals {
        let body = json!({"error": error, "error_description": "AADSTS: secret-1234", "error_codes": [number]});
        let fault = dialect.decode(&Operation::Refresh, None, &reply(status, &body, &[])).unwrap_err();
        assert_eq!((fault.kind, fault.code.as_str(), fault.message.as_str()), (FaultKind::Auth, error, words));
    }
}

#[test]
fn what_is_left_is_told_with_commas() {
    let headers = [("x-ms-ratelimit-burst-remaining-xrm-requests", "5,999")];
    let told = Dynamics::new().limits_told(&reply(200, &json!({}), &headers));
    assert_eq!(told, [("requests", None, Some(5_999))]);
    assert_eq!(Dynamics::new().limits_told(&reply(200, &json!({}), &[])), []);
}

#[test]
fn tokens_are_sold_elsewhere_than_where_the_environment_is() {
    let elsewhere = |name: &str| handover_platforms::platform(name).unwrap().sells_elsewhere();
    assert_eq!(["dynamics", "activecampaign", "salesforce", "hubspot"].map(elsewhere), [true, false, false, false]);
}
