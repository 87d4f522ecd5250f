//! Every way in of every platform.

use serde_json::json;

use super::{Place, query, sent_to};

/// Options of a code in a browser of this machine, on any port.
fn by_code<'a>(place: &'a Place, platform: &'a str) -> Vec<&'a str> {
    let mut options = vec!["new", "--platform", platform, "--url", place.url(), "--way", "code", "--port", "0"];
    options.extend(["--client-id", place.said("client_id"), "--client-secret", "env:APP_SECRET"]);
    options
}

/// The manual names every scope that is asked for.
#[test]
fn the_manual_names_every_scope() {
    let page = include_str!("../../../../../docs/manual/connect.md");
    for platform in ["hubspot", "pipedrive", "salesforce", "zoho"] {
        for scope in super::scopes(platform) {
            assert!(page.contains(&format!("`{scope}`")), "{platform}: {scope}");
        }
    }
}

#[test]
fn pipedrive_by_a_code() {
    let place = Place::of("pipedrive");
    let told = place.connect_by(&by_code(&place, "pipedrive"), |back| back).ends(0);
    insta::assert_snapshot!("pipedrive_by_a_code", told.shown());
    let kept = place.opened("new");
    assert_eq!(kept["secrets"]["client_secret"], "s3cret");
    assert!(kept["secrets"]["refresh_token"].as_str().unwrap().contains(':'), "as Pipedrive makes them");
}

#[test]
fn hubspot_by_a_code_and_by_a_token() {
    let place = Place::of("hubspot");
    let told = place.connect_by(&by_code(&place, "hubspot"), |back| back).ends(0);
    insta::assert_snapshot!("hubspot_by_a_code", told.shown());
    let token = ("HUB_TOKEN", place.said("token"));
    let options = ["old", "--platform", "hubspot", "--url", place.url(), "--token", "env:HUB_TOKEN"];
    let told = place.connect_with(&options, &[super::PASSPHRASE, token]).ends(0);
    insta::assert_snapshot!("hubspot_by_a_token", told.shown());
    assert_eq!(place.opened("old")["secrets"]["token"], place.said("token"));
    assert!(!told.out.contains(place.said("token")), "{}", told.out);
}

#[test]
fn salesforce_by_a_code_by_itself_and_for_a_user() {
    let place = Place::of("salesforce");
    let told = place.connect_by(&by_code(&place, "salesforce"), |back| back).ends(0);
    insta::assert_snapshot!("salesforce_by_a_code", told.shown());
    let secret = ("APP_SECRET", place.said("client_secret"));
    let basis = ["--platform", "salesforce", "--url", place.url(), "--client-id", place.said("client_id")];
    let app = [&["itself", "--way", "app", "--client-secret", "env:APP_SECRET"], basis.as_slice()].concat();
    let told = place.connect_with(&app, &[super::PASSPHRASE, secret]).ends(0);
    insta::assert_snapshot!("salesforce_by_itself", told.shown());
    place.write("key.pem", include_str!("../../../../platforms/tests/it/salesforce/key.pem"));
    let signed = ["user", "--private-key", "file:key.pem", "--user", "katrin.vogel@handwerk-nord.example"];
    let told = place.connect(&[&signed, basis.as_slice()].concat()).ends(0);
    insta::assert_snapshot!("salesforce_for_a_user", told.shown());
    assert!(
        place.opened("user")["secrets"]["private_key"].as_str().unwrap().contains("BEGIN"),
        "whole, with its lines"
    );
}

/// An app that cannot keep a secret: what proves that it is the one who asked is the verifier.
#[test]
fn salesforce_by_a_code_without_a_secret() {
    let place = Place::of("salesforce");
    let options = ["new", "--platform", "salesforce", "--url", place.url(), "--way", "code", "--port", "0"];
    let options = [options.as_slice(), &["--client-id", place.said("client_id")]].concat();
    let told = place.connect_by(&options, |back| back).ends(0);
    assert!(
        told.out.contains("oauth: {client_id: \"<app>\", refresh_token: {kept: true}}")
            || told.out.contains("oauth: {client_id: <app>, refresh_token: {kept: true}}"),
        "{}",
        told.out
    );
}

#[test]
fn zoho_by_a_code_and_by_one_of_its_console() {
    let place = Place::with("zoho", |world| {
        let user = world["users"][0]["id"].clone();
        let scope = "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.users.ALL,ZohoCRM.org.READ,ZohoCRM.coql.READ,ZohoCRM.bulk.READ,ZohoCRM.notifications.ALL";
        world["access"]["clients"] = json!([{"client_id": "1000.APP", "client_secret": "s3cret"}]);
        world["access"]["codes"] = json!({"1000.self.client": {"client_id": "1000.APP", "user": user, "scope": scope,
            "redirect_uri": "", "until": 4_000_000_000_i64, "offline": true}});
    });
    let told = place.connect_by(&by_code(&place, "zoho"), |back| back).ends(0);
    insta::assert_snapshot!("zoho_by_a_code", told.shown());
    let options = ["self", "--platform", "zoho", "--url", place.url(), "--client-id", "1000.APP"];
    let options = [options.as_slice(), &["--client-secret", "env:APP_SECRET", "--code", "1000.self.client"]].concat();
    let told = place.connect_with(&options, &[super::PASSPHRASE, ("APP_SECRET", "s3cret")]).ends(0);
    assert!(told.out.contains("`self` lets Handover in: "), "{}", told.out);
}

#[test]
fn dynamics_by_a_code_by_a_device_and_by_itself() {
    let place = Place::of("dynamics");
    let tenant = format!("{}/{}", place.url(), place.said("tenant_id"));
    let basis = ["--platform", "dynamics", "--url", place.url(), "--token-url", &tenant, "--client-id"];
    let basis = [basis.as_slice(), &[place.said("client_id")]].concat();
    let with = |options: &[&'static str]| [options, basis.as_slice()].concat();
    let told = place.connect_by(&with(&["new", "--way", "code", "--port", "0"]), |back| back).ends(0);
    let shown = told.shown().replace(place.said("tenant_id"), "<tenant>");
    insta::assert_snapshot!("dynamics_by_a_code", shown);
    let told = place.connect(&with(&["device", "--way", "device"])).ends(0);
    assert!(told.err.contains("https://microsoft.com/devicelogin"), "{}", told.err);
    assert!(told.out.contains("`device` lets Handover in: "), "{}", told.out);
    let app = with(&["itself", "--way", "app", "--client-secret", "env:APP_SECRET"]);
    let secret = ("APP_SECRET", place.said("client_secret"));
    let told = place.connect_with(&app, &[super::PASSPHRASE, secret]).ends(0);
    assert!(told.out.contains("client_secret: {kept: true}") && !told.out.contains("refresh_token"), "{}", told.out);
}

#[test]
fn activecampaign_by_a_key_from_standard_input() {
    let place = Place::of("activecampaign");
    place.write("key", place.said("token"));
    let mut command = crate::cli::binary();
    command.args(["connect", "old", "--platform", "activecampaign", "--url", place.url(), "--token", "-", "--json"]);
    command.current_dir(place.folder.path()).env(super::PASSPHRASE.0, super::PASSPHRASE.1);
    let output = command.stdin(std::fs::File::open(place.path("key")).unwrap()).output().unwrap();
    let told = place.told(&output.stdout, &output.stderr, output.status.code()).ends(0).json();
    assert_eq!((&told["way"], &told["kept"]), (&json!("token"), &json!(["token"])));
    assert!(told["user"].as_str().is_some_and(|user| user.contains('@')), "{told}");
    assert_eq!(told["lines"], json!(["    base_url: <sandbox>", "    token: {kept: true}"]));
}

/// The browser is on another machine, and nobody can be asked: one call asks, the next one ends it.
#[test]
fn in_two_calls() {
    let place = Place::of("salesforce");
    let options = ["new", "--platform", "salesforce", "--url", place.url(), "--client-id", place.said("client_id")];
    let secret = ("APP_SECRET", place.said("client_secret"));
    let options = [options.as_slice(), &["--client-secret", "env:APP_SECRET"]].concat();
    let output =
        place.begins(&[options.as_slice(), &["--no-browser", "--json"]].concat(), &[super::PASSPHRASE, secret]);
    let output = output.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let asked: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let page = asked["open"].as_str().unwrap();
    assert_eq!(query(page)["code_challenge_method"], "S256");
    let back = sent_to(page);
    assert!(place.opened("new")["asked"]["verifier"].is_string());
    let told =
        place.connect_with(&[options.as_slice(), &["--code", &back]].concat(), &[super::PASSPHRASE, secret]).ends(0);
    assert!(told.out.contains("2 secrets kept, encrypted: client_secret, refresh_token"), "{}", told.out);
    assert!(place.opened("new")["asked"].is_null(), "what was asked is over");
    // The same answer again belongs to nothing any more.
    let told =
        place.connect_with(&[options.as_slice(), &["--code", &back]].concat(), &[super::PASSPHRASE, secret]).ends(1);
    assert!(told.err.contains("error[wrong_state]"), "{}", told.err);
}

/// Without a terminal nobody is asked: what is missing is named, with its option.
#[test]
fn what_is_missing_is_named() {
    let place = Place::of("pipedrive");
    let shown = |options: &[&str]| place.connect(options).ends(1).shown();
    let basis = ["new", "--platform", "pipedrive", "--url", place.url()];
    let way = shown(&basis);
    let token = shown(&[basis.as_slice(), &["--way", "token"]].concat());
    let app = shown(&[basis.as_slice(), &["--way", "code"]].concat());
    let other = shown(&[basis.as_slice(), &["--way", "device"]].concat());
    let platform = shown(&["new"]);
    insta::assert_snapshot!("missing", [way, token, app, other, platform].join("\n\n"));
    let told = place.connect(&[basis.as_slice(), &["--token", "sk-secret"]].concat()).ends(1);
    assert!(told.err.contains("name `env:NAME`, `file:PATH` or `-`"), "{}", told.err);
    assert!(!told.err.contains("sk-secret"), "{}", told.err);
}

/// Systems that were let in before there is a project: `init` writes one that refers to what is kept.
#[test]
fn init_goes_on_from_what_is_kept() {
    let (place, old) = (Place::of("hubspot"), Place::of("pipedrive"));
    let new = ["new", "--platform", "hubspot", "--url", place.url(), "--token", "env:HUB_TOKEN"];
    place.connect_with(&new, &[super::PASSPHRASE, ("HUB_TOKEN", place.said("token"))]).ends(0);
    let from = ["old", "--platform", "pipedrive", "--url", old.url(), "--no-browser", "--json"];
    let from = [from.as_slice(), &["--client-id", "app-0815", "--client-secret", "env:APP_SECRET"]].concat();
    let secret = ("APP_SECRET", old.said("client_secret"));
    let asked = place.begins(&from, &[super::PASSPHRASE, secret]).wait_with_output().unwrap();
    let asked: serde_json::Value = serde_json::from_slice(&asked.stdout).unwrap();
    let back = sent_to(asked["open"].as_str().unwrap());
    place.connect_with(&[from.as_slice(), &["--code", &back]].concat(), &[super::PASSPHRASE, secret]).ends(0);
    let runs = |arguments: &[&str]| {
        let mut command = crate::cli::binary();
        let output =
            command.args(arguments).current_dir(place.folder.path()).env(super::PASSPHRASE.0, super::PASSPHRASE.1);
        let output = output.output().unwrap();
        place.told(&output.stdout, &output.stderr, output.status.code())
    };
    runs(&["init", "--from", "pipedrive", "--to", "hubspot"]).ends(0);
    let yaml = std::fs::read_to_string(place.path("handover.yaml")).unwrap();
    let line = "oauth: {client_id: app-0815, client_secret: {kept: true}, refresh_token: {kept: true}}";
    assert!(yaml.contains(line) && yaml.contains("    token: {kept: true}\n"), "{yaml}");
    assert!(!yaml.contains("_TOKEN"), "{yaml}");
    // The check reads both accounts with it; what it finds there is another matter.
    let told = runs(&["check"]);
    assert!(["not_let_in", "no_credentials", "wrong_key"].iter().all(|word| !told.err.contains(word)), "{}", told.err);
}
