//! Secrets: named in the project, read when needed, shown never.

use handover::config::{CredentialSource, SecretFrom};
use handover_connect::Credentials;
use secrecy::ExposeSecret as _;

use super::folder::{Folder, environment};

fn source(folder: &Folder, system: &str) -> CredentialSource {
    folder.load().unwrap().system(&system.into()).unwrap().credentials.clone()
}

#[test]
fn a_token_comes_from_the_environment_or_a_file() {
    let folder = Folder::sample();
    let Credentials::Token(token) = source(&folder, "old").resolve_with(&"old".into(), &environment).unwrap() else {
        panic!("a token")
    };
    assert_eq!(token.expose_secret(), "token-from-env");

    folder.replace("handover.yaml", "token: {env: OLD_TOKEN}", "token: {file: secrets/old.token}");
    folder.write("secrets/old.token", "token-from-file\r\n");
    let Credentials::Token(token) = source(&folder, "old").resolve_with(&"old".into(), &environment).unwrap() else {
        panic!("a token")
    };
    assert_eq!(token.expose_secret(), "token-from-file");
}

#[test]
fn a_missing_secret_is_named_by_its_place_only() {
    let folder = Folder::sample();
    let problem = source(&folder, "new").resolve_with(&"new".into(), &environment).unwrap_err();
    insta::assert_snapshot!(problem.render(false), @r"
    error[no_credentials]: there are no credentials for the system `new`
      caused by: the environment variable `NEW_TOKEN` is not set
      state: nothing was sent
    ");
    folder.replace("handover.yaml", "NEW_TOKEN", "EMPTY");
    let problem = source(&folder, "new").resolve_with(&"new".into(), &environment).unwrap_err();
    assert_eq!(problem.causes, ["the environment variable `EMPTY` is empty"]);
    folder.replace("handover.yaml", "{env: EMPTY}", "{file: secrets/none}");
    let problem = source(&folder, "new").resolve_with(&"new".into(), &environment).unwrap_err();
    assert!(problem.causes[0].contains("secrets/none: No such file"), "{:?}", problem.causes);
    folder.write("secrets/none", "abc def");
    let problem = source(&folder, "new").resolve_with(&"new".into(), &environment).unwrap_err();
    assert!(!problem.render(false).contains("abc"), "{}", problem.render(false));
}

#[test]
fn a_literal_secret_is_refused_and_masked() {
    let folder = Folder::sample();
    folder.replace("handover.yaml", "    token: {env: OLD_TOKEN}\n", "    token: sk-Secret99\n    tokn: x\n");
    folder.replace("handover.yaml", "token: {env: NEW_TOKEN}", "token: 'sk-Secret98', tmeout: 1s");
    folder.replace(
        "handover.yaml",
        "client_secret: {env: APP_SECRET}",
        "client_secret: |\n        sk-Secret97\n        more",
    );
    let text = folder.load().unwrap_err();
    assert!(!text.contains("Secret9"), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn a_literal_secret_is_masked_in_a_file_that_is_no_yaml() {
    let folder = Folder::sample();
    folder.replace("handover.yaml", "    token: {env: OLD_TOKEN}\n", "    token: \"sk-Secret99\n");
    let text = folder.load().unwrap_err();
    assert!(!text.contains("Secret99"), "{text}");
}

#[test]
fn a_password_in_the_state_is_refused() {
    let folder = Folder::sample();
    folder.replace("handover.yaml", "state: .handover/state.db", "state: postgres://app:sk-Secret99@db/handover");
    let text = folder.load().unwrap_err();
    assert!(!text.contains("Secret99"), "{text}");
    insta::assert_snapshot!(text);
}

/// What `handover connect` keeps is named by its key; what it does not keep cannot be.
#[test]
fn what_is_kept_is_named_by_its_key() {
    let folder = Folder::sample();
    folder.replace("handover.yaml", "token: {env: OLD_TOKEN}", "token: {kept: true}");
    folder.replace("handover.yaml", "refresh_token: {file: secrets/refresh}", "refresh_token: {kept: true}");
    let CredentialSource::Token(token) = source(&folder, "old") else { panic!("a token") };
    let SecretFrom::Kept { system, name, .. } = &token.from else { panic!("kept") };
    assert_eq!((system.as_str(), name.as_str()), ("old", "token"));
    let problem = source(&folder, "old").resolve_with(&"old".into(), &environment).unwrap_err();
    assert_eq!(problem.hints, ["let the system in: `handover connect old`"]);
    let CredentialSource::Oauth { refresh_token, client_secret, .. } = source(&folder, "app") else { panic!("OAuth") };
    let SecretFrom::Kept { system, name, .. } = &refresh_token.from else { panic!("kept") };
    assert_eq!((system.as_str(), name.as_str(), client_secret.is_some()), ("app", "refresh_token", true));
    folder.replace("handover.yaml", "      client_secret: {env: APP_SECRET}\n", "");
    let CredentialSource::Oauth { client_secret: None, .. } = source(&folder, "app") else { panic!("no secret") };
}

#[test]
fn a_wrong_place_of_a_secret_is_refused() {
    let folder = Folder::sample();
    folder.replace("handover.yaml", "token: {env: OLD_TOKEN}", "token: {kept: false}");
    folder.replace("handover.yaml", "secret: {env: HOOKS}", "secret: {kept: true}");
    folder.replace("handover.yaml", "refresh_token: {file: secrets/refresh}", "refresh_token: {kept: true, env: X}");
    folder.append("handover.yaml", "secrets: {passphrase: sk-Secret99}\n");
    let text = folder.load().unwrap_err();
    assert!(!text.contains("Secret99"), "{text}");
    insta::assert_snapshot!(text);
}
