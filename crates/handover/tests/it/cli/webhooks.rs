//! `handover webhooks`: what the platforms are to tell, made, renewed and ended through their APIs.

use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::Play;

const SECRET: [(&str, &str); 1] = [("OLD_HOOKS", "hooks:open-sesame")];
const HOOKS: &str =
    "sandbox: sandbox/old\n    webhooks: {secret: {env: OLD_HOOKS}, url: https://sync.example.com/hooks/old}";

/// A play whose old system tells its changes.
fn telling(play: Play) -> Play {
    play.edit("handover.yaml", "sandbox: sandbox/old", HOOKS);
    play
}

#[test]
fn they_are_shown_registered_and_removed() {
    let play = telling(Play::forth());
    let does = |arguments: &[&str]| play.does_with(arguments, &SECRET);
    let mine =
        json!([{"subscription_url": "https://elsewhere.example.com/", "event_object": "*", "event_action": "*"}]);
    play.disturb("old", |world| world["webhooks"] = mine.clone());
    let before = does(&["webhooks"]).ends(0);
    let made = does(&["webhooks", "register"]).ends(0);
    let again = does(&["webhooks", "register", "old"]).ends(0);
    assert_snapshot!([before.shown(), made.shown(), again.out.lines().next().unwrap().to_owned()].join("\n\n"));
    let world = play.world("old");
    let hooks = world["webhooks"].as_array().unwrap();
    assert!(hooks.len() > 4, "{hooks:?}");
    assert!(hooks.iter().skip(1).all(|hook| hook["http_auth_password"] == "open-sesame"), "{hooks:?}");
    // Somebody deleted one at the platform.
    play.disturb("old", |world| world["webhooks"].as_array_mut().unwrap().pop());
    let told = does(&["webhooks", "--json"]).ends(0).json();
    assert_eq!(told[0]["untold"].as_array().unwrap().len(), 1, "{told}");
    assert!(!told.to_string().contains("sesame"), "{told}");
    let removed = does(&["webhooks", "remove", "--json"]).ends(0).json();
    assert_eq!(removed[0]["removed"], hooks.len() - 2);
    assert_eq!(play.world("old")["webhooks"].as_array().unwrap().len(), 1, "those of others stay");
}

/// Where people subscribe in the platform's settings they are told what to.
#[test]
fn what_people_are_to_register_is_told() {
    let play = telling(Play::back());
    let told = play.does_with(&["webhooks", "register"], &SECRET).ends(0);
    let lines: Vec<&str> = told.out.lines().collect();
    assert_snapshot!(lines[0]);
    for wanted in ["  contact.creation", "  contact.propertyChange of email", "  deal.associationChange"] {
        assert!(lines.contains(&wanted), "{}", told.out);
    }
}

/// Channels of Zoho end by themselves.
#[test]
fn what_ends_soon_is_made_anew() {
    let play = telling(Play::between("zoho", "pipedrive"));
    let secret = [("OLD_HOOKS", "a-secret-of-thirty-characters.")];
    let does = |arguments: &[&str]| play.does_with(arguments, &secret).ends(0).json();
    let ids = |told: &serde_json::Value| -> Vec<String> {
        let all = told[0]["subscriptions"].as_array().unwrap().iter();
        all.map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    let first = does(&["webhooks", "register", "--json"]);
    assert_eq!(first[0]["untold"], json!([]), "{first}");
    assert_eq!(ids(&first), ids(&does(&["webhooks", "register", "--json"])));
    let later = |days: i64| {
        let file = play.dir().join("sandbox").join("clock");
        let now: Timestamp = std::fs::read_to_string(&file).unwrap().trim().parse().unwrap();
        std::fs::write(&file, (now + SignedDuration::from_hours(24 * days)).to_string()).unwrap();
    };
    later(4);
    let soon = does(&["webhooks", "--json"]);
    assert_eq!((ids(&soon), &soon[0]["untold"]), (ids(&first), &json!([])));
    let second = does(&["webhooks", "register", "--json"]);
    assert_eq!((ids(&second).len(), &second[0]["untold"]), (ids(&first).len(), &json!([])));
    assert!(ids(&second).iter().all(|id| !ids(&first).contains(id)), "{second}");
    later(7);
    let over = does(&["webhooks", "--json"]);
    assert_eq!((ids(&over).len(), &over[0]["untold"]), (0, &over[0]["wanted"]));
}

#[test]
fn what_cannot_be_is_explained() {
    let play = Play::forth();
    let none = play.does_with(&["webhooks"], &SECRET).ends(1).shown();
    let play = telling(play);
    let plain = play.does_with(&["webhooks", "register"], &[("OLD_HOOKS", "open-sesame")]).ends(1).shown();
    let other = play.does_with(&["webhooks", "remove", "new"], &SECRET).ends(1).shown();
    play.edit("handover.yaml", ", url: https://sync.example.com/hooks/old", "");
    let nowhere = play.does_with(&["webhooks"], &SECRET).ends(1).shown();
    assert_snapshot!([none, plain, other, nowhere].join("\n\n"));
}
