//! What is not from the platform, not for us or not a delivery at all; and what `serve` does not begin with.

use super::company::{Company, SECRET, ask, delivery};
use crate::cli::Play;

#[test]
fn what_is_forged_or_foreign_or_broken_is_refused_and_counted() {
    let company = Company::forth();
    let mut serving = company.in_step(&["--every", "1h"]);
    let good = delivery("e1", "change", "1", &serving.account).to_string();
    let became = |(status, body): (u16, String)| {
        let body: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
        (status, body["became"].as_str().unwrap_or_default().to_owned())
    };
    let forged = (401, "forged".to_owned());
    assert_eq!(became(serving.posts(&good, None)), forged);
    assert_eq!(became(serving.posts(&good, Some("hooks:guessed"))), forged);
    assert_eq!(became(serving.posts("kept private", Some(SECRET))), (400, "malformed".to_owned()));
    let other = delivery("e2", "change", "1", "987654").to_string();
    assert_eq!(became(serving.posts(&other, Some(SECRET))), (403, "other_account".to_owned()));
    let unknown = (404, "unknown_system".to_owned());
    for path in ["/hooks/nobody", "/hooks/new", "/hooks/", "/hooks/old/", "/hooks/%00", "/hooks/..%2fold"] {
        assert_eq!(became(serving.asks("POST", path, &[], good.as_bytes())), unknown, "{path}");
    }
    // Fifty megabytes that are promised, and two that come without a promise.
    let large = (413, "too_large".to_owned());
    let promised = [("content-length", "52428800")];
    assert_eq!(became(serving.asks("POST", "/hooks/old", &promised, &[b' '; 1024])), large);
    let chunk = [b"200000\r\n".as_slice(), &[b' '; 0x20_0000], b"\r\n0\r\n\r\n"].concat();
    let (status, _) = serving.asks("POST", "/hooks/old", &[("transfer-encoding", "chunked")], &chunk);
    // Who is still sending may lose the answer with the connection.
    assert!([413, 0].contains(&status), "{status}");
    assert_eq!(serving.asks("GET", "/hooks/old", &[], b"").0, 405);
    assert_eq!(serving.asks("POST", "/health", &[], b"").0, 405);
    assert_eq!(serving.asks("GET", "/", &[], b"").0, 404);
    let count = |system: &str, word: &str| {
        serving.metric(&format!("handover_webhooks_total{{system=\"{system}\",became=\"{word}\"}}"))
    };
    let counts = ["forged", "malformed", "other_account", "too_large", "kept"].map(|word| count("old", word));
    assert_eq!((counts, count("", "unknown_system")), ([2, 1, 1, 2, 0], 6));
    assert_eq!(serving.metric("handover_webhook_events_waiting{system=\"old\"}"), 0);
    // A good one is taken all the same, and nothing of the others was kept.
    assert_eq!(serving.posts(&good, Some(SECRET)).0, 200);
    assert_eq!(serving.next()["events"], 1);
    assert!(serving.stops().success());
    let log = company.log();
    assert!(log.contains("forged") && log.contains("other_account"), "{log}");
    for private in ["kept private", "guessed", "987654", SECRET] {
        assert!(!log.contains(private), "`{private}` stands in the log:\n{log}");
    }
}

/// No bytes end the server or keep it busy.
#[test]
fn no_bytes_are_too_much() {
    let company = Company::forth();
    let serving = company.in_step(&["--every", "1h"]);
    let seed: u64 = std::env::var("HANDOVER_TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    eprintln!("HANDOVER_TEST_SEED={seed}");
    let mut dice = blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof();
    let head = format!("POST /hooks/old HTTP/1.1\r\nhost: {}\r\ncontent-length: 40\r\n\r\n", serving.address);
    for round in 0..200 {
        let mut bytes = vec![0; 64];
        dice.fill(&mut bytes);
        // A whole head with noise behind it, one with noise in it, and noise alone.
        let sent = match round % 3 {
            0 => [head.as_bytes(), &bytes].concat(),
            1 => {
                let mut broken = head.clone().into_bytes();
                let at = usize::from(bytes[0]) % broken.len();
                broken[at] = bytes[1];
                broken
            }
            _ => bytes,
        };
        use std::io::Write as _;
        let mut stream = std::net::TcpStream::connect(&serving.address).unwrap();
        drop(stream.write_all(&sent));
    }
    assert_eq!(ask(&serving.address, "GET", "/health", &[], b"").0, 200);
    assert!(serving.stops().success());
    assert!(!company.log().contains("panicked"), "{}", company.log());
}

#[test]
fn what_it_does_not_begin_with() {
    let play = Play::forth();
    let told = play.does(&["serve", "--listen", "127.0.0.1:0"]).ends(1);
    assert!(told.err.contains("the first load has not come to its end"), "{}", told.err);
    let told = play.does(&["serve", "--listen", "0.0.0.0:0"]).ends(1);
    assert!(told.err.contains("error[exposed]") && told.err.contains("--expose"), "{}", told.err);
    let told = play.does(&["serve", "--every", "0s"]).ends(1);
    assert!(told.err.contains("a second is the shortest"), "{}", told.err);
    play.does(&["run"]).ends(3);
    play.edit("handover.yaml", "sandbox: sandbox/old", "sandbox: sandbox/old\n    webhooks: {secret: {env: NO_SUCH}}");
    let told = play.does(&["serve", "--listen", "127.0.0.1:0"]).ends(1);
    assert!(told.err.contains("the environment variable `NO_SUCH` is not set"), "{}", told.err);
    assert!(told.err.contains("handover.yaml:"), "the line is named: {}", told.err);
    play.edit("handover.yaml", "{secret: {env: NO_SUCH}}", "{secret: literal-secret, url: nowhere, pol: 5m}");
    let told = play.does(&["serve", "--listen", "127.0.0.1:0"]).ends(1);
    for part in ["literal_secret", "`url` wants the address", "did you mean `poll`?"] {
        assert!(told.err.contains(part), "{}", told.err);
    }
    assert!(!told.err.contains("literal-secret"), "{}", told.err);
}

/// What the unit and the container start is a command line that this binary knows.
#[test]
fn what_is_packaged_starts() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = |file: &str| std::fs::read_to_string(root.join("packaging").join(file)).unwrap();
    let unit = text("handover.service");
    let unit = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/handover ")).unwrap();
    let image = text("Containerfile");
    let image = image.lines().find_map(|line| line.strip_prefix("CMD ")).unwrap();
    let image: Vec<String> = serde_json::from_str(image).unwrap();
    let empty = tempfile::tempdir().unwrap();
    for arguments in [unit.split(' ').map(str::to_owned).collect(), image] {
        let output = crate::cli::binary().args(&arguments).current_dir(empty.path()).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        // It gets as far as looking for the project.
        assert!(told.contains("handover.yaml") && !told.contains("Usage"), "{arguments:?}: {told}");
    }
}
