//! What is kept: encrypted, under the user's key, the newest refresh token, readable by its owner alone.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use super::{PASSPHRASE, Place};
use crate::cli::Play;
use crate::kill::Served;

/// Keeps a token of ActiveCampaign's, whatever the key is.
fn keep(place: &Place, environment: &[(&str, &str)]) -> crate::cli::Told {
    let options = ["old", "--platform", "activecampaign", "--url", place.url(), "--token", "env:AC_KEY"];
    place.connect_with(&options, &[environment, &[("AC_KEY", place.said("token"))]].concat())
}

fn mode(path: &std::path::Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn its_owner_alone_can_read_it_and_only_with_the_key() {
    let place = Place::of("activecampaign");
    keep(&place, &[PASSPHRASE]).ends(0);
    assert_eq!(mode(&place.path(".handover")), 0o700);
    assert_eq!(mode(&place.path(".handover/secrets")), 0o700);
    let mut files = 0;
    for entry in std::fs::read_dir(place.path(".handover/secrets")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let token = place.said("token").as_bytes();
        assert!(!bytes.windows(token.len()).any(|part| part == token), "{} has it in plain", path.display());
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        files += 1;
    }
    assert_eq!(files, 2, "the secrets, and who may change them");
    assert_eq!(place.opened("old")["secrets"], json!({"token": place.said("token")}));
}

#[test]
fn the_state_is_its_owners_alone() {
    let play = Play::ran();
    let folder = play.dir().join(".handover");
    assert_eq!(mode(&folder), 0o700);
    let mut files = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
            files += 1;
        }
    }
    assert!(files > 0, "there is a state");
}

#[test]
fn a_wrong_key_none_and_a_damaged_file() {
    let place = Place::of("activecampaign");
    let none = keep(&place, &[]).ends(1).shown();
    keep(&place, &[PASSPHRASE]).ends(0);
    let wrong = keep(&place, &[(PASSPHRASE.0, "another")]).ends(1).shown();
    // A project that reads it says the same, and reads nothing.
    place.write(
        "handover.yaml",
        &format!(
            "project: p\nsystems:\n  old: {{platform: activecampaign, base_url: '{}', token: {{kept: true}}}}\nflows: []\n",
            place.url()
        ),
    );
    let check = |passphrase: &str| {
        let output =
            crate::cli::binary().arg("check").current_dir(place.folder.path()).env(PASSPHRASE.0, passphrase).output();
        let output = output.unwrap();
        place.told(&output.stdout, &output.stderr, output.status.code())
    };
    let read = check("another").ends(1).shown();
    assert!(!check(PASSPHRASE.1).err.contains("wrong_key"), "the right one opens it");
    let file = place.path(".handover/secrets/old.age");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes.truncate(bytes.len() - 7);
    std::fs::write(&file, bytes).unwrap();
    let damaged = keep(&place, &[PASSPHRASE]).ends(1).shown();
    std::fs::remove_file(&file).unwrap();
    let absent = check(PASSPHRASE.1).ends(1).shown();
    insta::assert_snapshot!([none, wrong, read, damaged, absent].join("\n\n"));
}

/// The key may be an age identity in a file: then `age -d -i` reads what is kept.
#[test]
fn under_an_identity() {
    let place = Place::of("activecampaign");
    let identity = age::x25519::Identity::generate();
    let text = secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
    place.write("key.txt", &format!("# made by age-keygen\n{text}\n"));
    let yaml = |key: &str| {
        format!(
            "project: p\nsecrets: {{identity: {{file: {key}}}}}\nsystems:\n  old: {{platform: activecampaign, base_url: '{}', token: {{kept: true}}}}\nflows: []\n",
            place.url()
        )
    };
    place.write("handover.yaml", &yaml("key.txt"));
    let token = ("AC_KEY", place.said("token"));
    let told = place.connect_with(&["old", "--token", "env:AC_KEY"], &[token]).ends(0);
    assert!(told.out.contains("1 secret kept, encrypted: token"), "{}", told.out);
    let bytes = std::fs::read(place.path(".handover/secrets/old.age")).unwrap();
    let opened: serde_json::Value = serde_json::from_slice(&age::decrypt(&identity, &bytes).unwrap()).unwrap();
    assert_eq!(opened["secrets"]["token"], place.said("token"));
    place.write("none.txt", "no identity\n");
    place.write("handover.yaml", &yaml("none.txt"));
    let told = place.connect_with(&["old", "--token", "env:AC_KEY"], &[token]).ends(1);
    assert!(told.err.contains("error[no_key]") && told.err.contains("should be an age identity"), "{}", told.err);
}

/// A company whose Pipedrive is reached by OAuth: its refresh tokens work once.
fn by_oauth(refresh_token: &str) -> (Play, [Served; 2]) {
    let play = Play::forth();
    play.disturb("old", |world| {
        world["account"]["oauth_clients"] = json!([{"client_id": "app-0815", "client_secret": "s3cret", "scopes": super::PIPEDRIVE_SCOPES,
            "refresh_token": "1:1:first"}]);
    });
    let served = ["old", "new"].map(|side| Served::among(&play, side, "off", "timeout: 20s"));
    let oauth =
        format!("oauth: {{client_id: app-0815, client_secret: {{env: APP_SECRET}}, refresh_token: {refresh_token}}}");
    play.edit("handover.yaml", "token: {env: OLD_TOKEN}", &oauth);
    (play, served)
}

/// The token of the other system.
fn new(served: &[Served; 2]) -> (&str, &str) {
    ("NEW_TOKEN", &served[1].token)
}

const FIRST: (&str, &str) = ("REFRESH", "1:1:first");
const SECRET: (&str, &str) = ("APP_SECRET", "s3cret");

/// The project names the first refresh token; what came of it is kept, encrypted, and used from then on.
#[test]
fn a_refresh_token_that_changes_is_kept() {
    let (play, served) = by_oauth("{env: REFRESH}");
    for _ in 0..3 {
        let told = play.does_with(&["check"], &[PASSPHRASE, SECRET, FIRST, new(&served)]);
        assert!(
            !told.err.contains("not_let_in") && told.out.contains("check") || told.code == 0,
            "{}\n{}",
            told.out,
            told.err
        );
    }
    let file = play.dir().join(".handover/secrets/old.age");
    let identity = age::scrypt::Identity::new(secrecy::SecretString::from(PASSPHRASE.1));
    let opened = |bytes: &[u8]| -> serde_json::Value {
        serde_json::from_slice(&age::decrypt(&identity, bytes).unwrap()).unwrap()
    };
    let kept = opened(&std::fs::read(&file).unwrap());
    assert_eq!(kept["renewed"]["from"], "1:1:first");
    let newest = kept["renewed"]["to"].as_str().unwrap().to_owned();
    // The newest is nowhere in plain beside it.
    for entry in std::fs::read_dir(play.dir().join(".handover")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(newest.len()).any(|part| part == newest.as_bytes()), "{}", path.display());
        }
    }
    // Two at once: one waits for the other's exchange, and neither comes too late.
    let environment = [PASSPHRASE, SECRET, FIRST, new(&served)];
    let both: Vec<_> = (0..2)
        .map(|_| {
            play.command(&["check"])
                .envs(environment)
                .stderr(std::process::Stdio::piped())
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for one in both {
        let output = one.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!said.contains("not_let_in"), "{said}");
    }
}

/// Without a key the old token is not used up for one that would be lost.
#[test]
fn without_a_key_a_refresh_token_that_works_once_is_not_used() {
    let (play, served) = by_oauth("{env: REFRESH}");
    let told = play.does_with(&["check"], &[SECRET, FIRST, new(&served)]).ends(1);
    insta::assert_snapshot!(told.shown());
    let told = play.does_with(&["check"], &[PASSPHRASE, SECRET, FIRST, new(&served)]);
    assert!(!told.err.contains("not_let_in"), "it is still good: {}", told.err);
}

/// What connect kept works for every command, and so does what it becomes.
#[test]
fn what_is_kept_is_used() {
    let (play, served) = by_oauth("{kept: true}");
    let told = play.does_with(&["check"], &[PASSPHRASE, SECRET, new(&served)]).ends(1);
    assert!(told.err.contains("let the system in: `handover connect old`"), "{}", told.err);
    let mut command = play.command(&["connect", "old", "--no-browser", "--json"]);
    let output = command.envs([PASSPHRASE, SECRET, new(&served)]).output().unwrap();
    let asked: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let back = super::sent_to(asked["open"].as_str().unwrap());
    let told = play.does_with(&["connect", "old", "--code", &back], &[PASSPHRASE, SECRET, new(&served)]).ends(0);
    assert!(told.out.contains("client_secret: {env: APP_SECRET}, refresh_token: {kept: true}"), "{}", told.out);
    for _ in 0..2 {
        let told = play.does_with(&["check"], &[PASSPHRASE, SECRET, new(&served)]);
        assert!(!told.err.contains("not_let_in") && !told.err.contains("no_credentials"), "{}", told.err);
    }
}
