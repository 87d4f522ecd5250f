//! Whom to tell: what is understood, and what is refused.

use handover::config::{SecretFrom, Security};
use jiff::SignedDuration;

use super::folder::Folder;

#[test]
fn who_is_told_and_when() {
    let folder = Folder::sample();
    let alerts = folder.load().unwrap().alerts.unwrap();
    assert_eq!(alerts.webhook.unwrap().from, SecretFrom::Env("ALERT_WEBHOOK".into()));
    assert_eq!((alerts.silence, alerts.quiet), (SignedDuration::from_hours(4), SignedDuration::from_hours(12)));
    assert_eq!((alerts.holds, alerts.volume), (Some(100), 10));
    let email = alerts.email.unwrap();
    assert_eq!((email.host.as_str(), email.port, email.security), ("mail.acme.example", 465, Security::Tls));
    assert_eq!(email.from.email.to_string(), "handover@acme.example");
    let (user, password) = email.login.unwrap();
    assert_eq!((user.as_str(), password.from), ("handover", SecretFrom::File(folder.path("secrets/smtp"))));
    for (address, expected) in [
        ("smtp://mail.acme.example", (587, Security::StartTls)),
        ("smtp://127.0.0.1:2525", (2525, Security::Local)),
        ("smtp://[::1]", (25, Security::Local)),
    ] {
        let folder = Folder::sample();
        folder.replace("handover.yaml", "smtps://mail.acme.example", address);
        let email = folder.load().unwrap().alerts.unwrap().email.unwrap();
        assert_eq!((email.port, email.security), expected, "{address}");
    }
}

#[test]
fn what_is_no_way_to_tell_anybody() {
    for (old, new, expected) in [
        ("webhook: {env: ALERT_WEBHOOK}", "webhook: https://hooks.example/very-secret", "error[literal_secret]"),
        ("smtps://mail", "ftp://mail", "`smtp` wants an address"),
        ("smtps://mail", "smtps://user:very-secret@mail", "`smtp` wants an address"),
        ("to: [ops@acme.example]", "to: [ops]", "`to` wants addresses"),
        ("user: handover, ", "", "`user` and `password` of a mail server go together"),
        ("silence: 4h", "silence: long", "`silence`"),
        ("holds: 100", "hold: 100", "error[unknown_key]"),
        ("volume: 10", "volume: 1", "`volume`"),
    ] {
        let folder = Folder::sample();
        folder.replace("handover.yaml", old, new);
        let told = folder.load().unwrap_err();
        assert!(told.contains(expected), "{new}: {told}");
        assert!(!told.contains("very-secret"), "{new}: {told}");
    }
}
