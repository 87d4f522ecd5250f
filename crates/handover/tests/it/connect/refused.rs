//! What goes wrong on the way, and what is said then: place, cause, what is true now, what next.

use serde_json::json;

use super::{PASSPHRASE, Place, sent_to};
use crate::cli::Play;
use crate::kill::Served;

fn options<'a>(place: &'a Place, platform: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let basis = ["new", "--platform", platform, "--url", place.url(), "--way", "code", "--port", "0"];
    [&basis, ["--client-secret", "env:APP_SECRET"].as_slice(), more].concat()
}

/// The refusals of a platform to an unknown app, a wrong secret, and a code that nobody gave or that has ended.
fn refusals(platform: &str, place: &Place, ended: Option<&str>) -> String {
    let id = place.said("client_id");
    let tried = |client: &str, secret: &str, code: &str| {
        let more = ["--client-id", client, "--code", code, "--redirect-uri", "http://localhost:8971/callback"];
        let options = options(place, platform, &more);
        place.connect_with(&options, &[PASSPHRASE, ("APP_SECRET", secret)]).ends(1).shown()
    };
    let secret = place.said("client_secret");
    let mut shown = vec![
        format!("# an unknown app\n{}", tried("somebody-else", secret, "c0de")),
        format!("# a wrong secret\n{}", tried(id, "wr0ng", ended.unwrap_or("c0de"))),
        format!("# an unknown code\n{}", tried(id, secret, "c0de")),
    ];
    shown.extend(ended.map(|code| format!("# a code that has ended\n{}", tried(id, secret, code))));
    assert!(!place.is_kept("new"), "nothing is kept");
    let shown = shown.join("\n\n");
    for secret in ["wr0ng", "c0de", secret] {
        assert!(!shown.contains(secret), "{shown}");
    }
    shown
}

#[test]
fn by_hubspot() {
    insta::assert_snapshot!(refusals("hubspot", &Place::of("hubspot"), None));
}

#[test]
fn by_pipedrive() {
    let place = Place::with("pipedrive", |world| {
        world["account"]["codes"] =
            json!({"l4te": {"client_id": "app-0815", "user_id": 1, "scopes": [], "expires": 1_000, "used": false}});
    });
    insta::assert_snapshot!(refusals("pipedrive", &place, Some("l4te")));
}

#[test]
fn by_salesforce() {
    let place = Place::with("salesforce", |world| {
        world["apps"] = json!([{"client_id": "app-0815", "client_secret": "s3cret", "codes": {"l4te": {"username":
            "katrin.vogel@handwerk-nord.example", "redirect_uri": "", "until": 1_000}}}]);
    });
    insta::assert_snapshot!(refusals("salesforce", &place, Some("l4te")));
}

/// An app of another data centre is unknown in this one, and so is its code.
#[test]
fn by_zoho() {
    let place = Place::with("zoho", |world| {
        let user = world["users"][0]["id"].clone();
        world["access"]["clients"] = json!([{"client_id": "1000.APP", "client_secret": "s3cret"}]);
        world["access"]["codes"] = json!({"l4te": {"client_id": "1000.APP", "user": user, "scope": "x",
            "redirect_uri": "", "until": 1_000, "offline": true}});
    });
    insta::assert_snapshot!(refusals("zoho", &place, Some("l4te")));
}

#[test]
fn by_dynamics() {
    let place = Place::of("dynamics");
    let base = format!("{}/organizations", place.url());
    let id = place.said("client_id");
    let tried = |client: &str, secret: &str| {
        let more = ["--client-id", client, "--code", "c0de", "--token-url", &base];
        let options = options(&place, "dynamics", &more);
        place.connect_with(&options, &[PASSPHRASE, ("APP_SECRET", secret)]).ends(1).shown()
    };
    let shown = [tried("somebody-else", "x"), tried(id, "wr0ng"), tried(id, place.said("client_secret"))];
    insta::assert_snapshot!(shown.join("\n\n"));
}

/// Whoever does not agree is heard on every platform, each in its own words.
#[test]
fn a_person_who_does_not_agree() {
    for platform in ["hubspot", "pipedrive", "salesforce", "zoho", "dynamics"] {
        let place = Place::with(platform, |world| world["settings"]["consent"] = json!(false));
        let base = format!("{}/organizations", place.url());
        let mut more = vec!["--client-id", place.said("client_id")];
        if platform == "dynamics" {
            more.extend(["--token-url", &base]);
        }
        let told = place.connect_by(&options(&place, platform, &more), |back| back).ends(1);
        assert!(told.err.contains("error[denied]: the person did not let Handover into `new`"), "{}", told.err);
        assert!(told.err.contains("state: nothing was kept"), "{}", told.err);
        assert!(!place.is_kept("new"));
        if platform == "dynamics" {
            let device =
                ["new", "--platform", "dynamics", "--url", place.url(), "--token-url", &base, "--way", "device"];
            let told = place.connect(&[device.as_slice(), &["--client-id", place.said("client_id")]].concat()).ends(1);
            assert!(told.err.contains("error[denied]: `new` was told not to let the app in"), "{}", told.err);
        }
    }
}

/// What does not belong to what was asked is refused before anything is sent, and so is an answer without a state.
#[test]
fn a_wrong_state() {
    let place = Place::of("pipedrive");
    let options = options(&place, "pipedrive", &["--client-id", "app-0815"]);
    let told = place.connect_by(&options, |back| back.replace("state=", "state=A")).ends(1);
    insta::assert_snapshot!(told.shown());
    let told = place.connect_by(&options, |back| back.split("&state").next().unwrap().to_owned()).ends(1);
    assert!(told.err.contains("error[wrong_state]"), "{}", told.err);
}

#[test]
fn a_port_in_use() {
    let place = Place::of("pipedrive");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let options = ["new", "--platform", "pipedrive", "--url", place.url(), "--way", "code", "--port", &port];
    let options = [options.as_slice(), &["--client-id", "app-0815", "--client-secret", "env:APP_SECRET"]].concat();
    let told = place.connect_with(&options, &[PASSPHRASE, ("APP_SECRET", "s3cret")]).ends(1);
    insta::assert_snapshot!(told.shown().replace(&port, "<port>"));
}

#[test]
fn nobody_comes_back() {
    let place = Place::of("pipedrive");
    let options = options(&place, "pipedrive", &["--client-id", "app-0815", "--wait", "1"]);
    let told = place.connect_with(&options, &[PASSPHRASE, ("APP_SECRET", "s3cret")]).ends(1);
    assert!(told.err.contains("error[no_answer]: nobody came back within 1 seconds"), "{}", told.err);
}

/// What is not granted is named as the platform calls it; nothing is kept unless somebody says so.
#[test]
fn missing_scopes() {
    let place = Place::with("pipedrive", |world| {
        world["account"]["oauth_clients"][0]["scopes"] = json!(["base", "deals:read", "contacts:full", "users:read"]);
    });
    let options = options(&place, "pipedrive", &["--client-id", "app-0815"]);
    let told = place.connect_by(&options, |back| back).ends(1);
    insta::assert_snapshot!(told.shown());
    assert!(!place.is_kept("new"));
    let told = place.connect_by(&[options.as_slice(), &["--accept-missing"]].concat(), |back| back).ends(0);
    assert!(told.err.contains("warning[missing_scopes]"), "{}", told.err);
    assert!(place.is_kept("new"));
}

/// A private app's token does not say what it may: trying what the project needs shows it.
#[test]
fn a_token_that_may_too_little() {
    let play = Play::forth();
    play.disturb("new", |world| {
        world["tokens"][0]["scopes"] = json!(["crm.objects.contacts.read", "crm.schemas.contacts.read"]);
    });
    let served = Served::among(&play, "new", "off", "timeout: 20s");
    let environment = [PASSPHRASE, ("NEW_TOKEN", served.token.as_str())];
    let told = play.does_with(&["connect", "new"], &environment).ends(1);
    assert!(told.err.contains("error[missing_scopes]") && told.err.contains("crm.schemas.deals.read"), "{}", told.err);
}

/// The data centre where the account is, the browser brings along; the app's secret goes there only when a person says so.
#[test]
fn a_wrong_data_centre() {
    let place = Place::of("zoho");
    let options = options(&place, "zoho", &["--client-id", place.said("client_id")]);
    let elsewhere = |back: String| {
        let (before, _) = back.split_once("accounts%2Dserver").or_else(|| back.split_once("accounts-server")).unwrap();
        format!("{before}accounts-server=https%3A%2F%2Faccounts.zoho.in")
    };
    let told = place.connect_by(&options, elsewhere).ends(1);
    insta::assert_snapshot!(told.shown());
}

/// A code that was used once gives nothing the second time.
#[test]
fn a_code_that_was_used() {
    let place = Place::of("pipedrive");
    let secret = ("APP_SECRET", "s3cret");
    let asked = place.begins(
        &options(&place, "pipedrive", &["--client-id", "app-0815", "--no-browser", "--json"]),
        &[PASSPHRASE, secret],
    );
    let asked: serde_json::Value = serde_json::from_slice(&asked.wait_with_output().unwrap().stdout).unwrap();
    let back = sent_to(asked["open"].as_str().unwrap());
    let code = super::query(&back)["code"].clone();
    place
        .connect_with(
            &options(&place, "pipedrive", &["--client-id", "app-0815", "--code", &back]),
            &[PASSPHRASE, secret],
        )
        .ends(0);
    let before = place.opened("new");
    let told = place
        .connect_with(
            &options(&place, "pipedrive", &["--client-id", "app-0815", "--code", &code]),
            &[PASSPHRASE, secret],
        )
        .ends(1);
    assert!(told.err.contains("error[wrong_code]: `new` did not take the code"), "{}", told.err);
    assert_eq!(place.opened("new"), before, "what was kept before is as it was");
}

/// The state was made with one account; the token of another, a sandbox's, is refused.
#[test]
fn a_token_of_another_account() {
    let play = Play::ran();
    let world = play.world("new");
    let other = Place::with("hubspot", |sandbox| {
        sandbox["account"] = world["account"].clone();
        sandbox["account"]["portalId"] = json!(999);
        sandbox["account"]["accountType"] = json!("SANDBOX");
    });
    play.edit(
        "handover.yaml",
        "sandbox: sandbox/new",
        &format!("base_url: {}\n    token: {{kept: true}}", other.url()),
    );
    let environment = [PASSPHRASE, ("HUB_TOKEN", other.said("token"))];
    let told = play.does_with(&["connect", "new", "--token", "env:HUB_TOKEN"], &environment).ends(1);
    let shown = told.shown().replace(&world["account"]["portalId"].to_string(), "<production>");
    insta::assert_snapshot!(shown);
    assert!(!play.dir().join(".handover/secrets/new.age").exists());
    // A token that the account does not know at all.
    let environment = [PASSPHRASE, ("HUB_TOKEN", "pat-eu1-of-another")];
    let told = play.does_with(&["connect", "new", "--token", "env:HUB_TOKEN"], &environment).ends(1);
    assert!(told.err.contains("error[not_let_in]") && told.err.contains("one of a sandbox is refused"), "{}", told.err);
}
