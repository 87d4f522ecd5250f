//! Alerts of `handover sync`: through a webhook and by mail, once, again when it is over, and never in the way.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};

use super::served::serve;
use super::{Play, Told};

/// What a stub was sent, as text.
pub(crate) type Sent = Arc<Mutex<Vec<String>>>;

/// A server on this machine that does with each connection what it is told; where it listens, and what it was sent.
pub(crate) fn stub(talk: fn(TcpStream) -> Option<String>) -> (String, Sent) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let sent = Sent::default();
    let all = sent.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let got = talk(stream.unwrap());
            all.lock().unwrap().extend(got);
        }
    });
    (address, sent)
}

/// Takes one request and answers 200.
pub(crate) fn hook(mut stream: TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
    Some(String::from_utf8(body).unwrap())
}

/// Takes one mail.
fn post_office(mut stream: TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut say = |text: &str| stream.write_all(format!("{text}\r\n").as_bytes()).unwrap();
    let mut mail = None;
    say("220 stub");
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap() == 0 {
            return mail;
        }
        match line.split_whitespace().next().unwrap_or_default().to_uppercase().as_str() {
            "DATA" => {
                say("354 go on");
                let mut text = String::new();
                while !text.ends_with("\r\n.\r\n") {
                    reader.read_line(&mut text).unwrap();
                }
                mail = Some(text);
                say("250 taken");
            }
            "QUIT" => {
                say("221 bye");
                return mail;
            }
            _ => say("250 ok"),
        }
    }
}

/// Accepts and says nothing until the other side goes away.
fn silent(mut stream: TcpStream) -> Option<String> {
    let mut all = Vec::new();
    drop(stream.read_to_end(&mut all));
    None
}

fn alerts(play: &Play, more: &str) {
    play.append("handover.yaml", &format!("alerts:\n  webhook: {{env: ALERT_WEBHOOK}}\n{more}"));
}

fn sync(play: &Play, webhook: &str, environment: &[(&str, &str)]) -> Told {
    let address = format!("http://{webhook}/services/not-to-be-shown");
    let environment = [&[("ALERT_WEBHOOK", address.as_str())], environment].concat();
    play.does_with(&["sync", "--once", "--json"], &environment)
}

/// What the webhook was sent last: keys and states, in order.
fn last(sent: &Sent) -> Vec<(String, String)> {
    let body: Json = serde_json::from_str(sent.lock().unwrap().last().unwrap()).unwrap();
    let word = |alert: &Json, key: &str| alert[key].as_str().unwrap().to_owned();
    let alerts = body["alerts"].as_array().unwrap().iter();
    alerts.map(|alert| (word(alert, "key"), word(alert, "state"))).collect()
}

fn number(told: &Told, word: &str) -> u64 {
    told.json()["alerts"][word].as_u64().unwrap_or_else(|| panic!("{}", told.out))
}

#[test]
fn told_once_over_restarts_and_once_more_when_it_is_over() {
    let play = Play::ran();
    let (webhook, posts) = stub(hook);
    let (mail, mails) = stub(post_office);
    alerts(&play, &format!("  holds: 0\n  email: {{smtp: \"smtp://{mail}\", from: a@x.example, to: [b@y.example]}}\n"));
    let first = sync(&play, &webhook, &[]).ends(3);
    assert_eq!((number(&first, "sent"), number(&first, "silenced"), number(&first, "failed")), (1, 0, 0));
    assert_eq!(last(&posts), [("holds".to_owned(), "new".to_owned())]);
    let second = sync(&play, &webhook, &[]).ends(3);
    assert_eq!((number(&second, "sent"), number(&second, "silenced")), (0, 1));
    assert_eq!((posts.lock().unwrap().len(), mails.lock().unwrap().len()), (1, 1));
    play.edit("handover.yaml", "holds: 0", "holds: 100000");
    for expected in [1, 0] {
        assert_eq!(number(&sync(&play, &webhook, &[]).ends(3), "sent"), expected);
    }
    assert_eq!(last(&posts), [("holds".to_owned(), "resolved".to_owned())]);
    let mails = mails.lock().unwrap().clone();
    assert_eq!(mails.len(), 2);
    assert!(mails[0].contains("To: b@y.example") && mails[0].contains("many records are held"), "{}", mails[0]);
    assert!(mails[1].contains("over: many records are held"), "{}", mails[1]);
}

/// A mail server that says nothing and a webhook that is not there: the pass is what it would have been, and people
/// are told as soon as it works.
#[test]
fn channels_that_do_not_work() {
    let play = Play::ran();
    let (mail, _) = stub(silent);
    let nowhere = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    alerts(&play, &format!("  holds: 0\n  email: {{smtp: \"smtp://{mail}\", from: a@x.example, to: b@y.example}}\n"));
    let told = sync(&play, &nowhere, &[]).ends(3);
    assert_eq!((number(&told, "sent"), number(&told, "failed"), number(&told, "failures")), (0, 2, 2));
    let quiet = play.does_with(&["sync", "--once"], &[]).ends(3);
    assert!(quiet.err.contains("`ALERT_WEBHOOK` is not set"), "{}", quiet.err);
    assert!(quiet.err.contains("no answer within") || quiet.err.contains("timeout"), "{}", quiet.err);
    let (webhook, posts) = stub(hook);
    let told = sync(&play, &webhook, &[]).ends(3);
    assert_eq!((number(&told, "sent"), number(&told, "failed"), number(&told, "failures")), (1, 1, 5));
    assert_eq!(last(&posts), [("holds".to_owned(), "new".to_owned())]);
    assert!(!told.err.contains("not-to-be-shown") && !told.out.contains("not-to-be-shown"));
}

#[test]
fn a_pass_that_fails_and_nothing_of_any_record() {
    let play = Play::ran();
    let (webhook, posts) = stub(hook);
    alerts(&play, "  holds: 0\n");
    sync(&play, &webhook, &[]).ends(3);
    let names: Vec<String> = play.world("old")["persons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect();
    // Every telephone number goes, as when somebody empties a column.
    play.disturb("old", |world| {
        for person in world["persons"].as_array_mut().unwrap() {
            person["phones"] = json!([]);
            person["update_time"] = json!("2026-11-02T09:30:00Z");
        }
    });
    sync(&play, &webhook, &[]).ends(3);
    assert!(last(&posts).contains(&("blank:persons.phone".to_owned(), "new".to_owned())), "{:?}", last(&posts));
    let _served = serve(&play, "new", &json!([]));
    let wrong = [("NEW_TOKEN", "pat-eu1-wrong")];
    let told = sync(&play, &webhook, &wrong).ends(1);
    assert_eq!(last(&posts), [("failed:not_let_in".to_owned(), "new".to_owned())], "{}", told.shown());
    let before = posts.lock().unwrap().len();
    sync(&play, &webhook, &wrong).ends(1);
    assert_eq!(posts.lock().unwrap().len(), before, "told once");
    let all = posts.lock().unwrap().join("\n");
    assert!(!all.contains("pat-eu1-wrong"));
    assert!(names.iter().all(|name| !all.contains(name.as_str())), "{all}");
}

/// A system that takes its time: told while the pass waits, and over when it has ended.
#[test]
fn a_pass_that_hangs_for_a_while() {
    let play = Play::ran();
    let (webhook, posts) = stub(hook);
    alerts(&play, "");
    play.edit("handover.yaml", "policies:\n", "policies:\n  hangs: 400ms\n");
    let late =
        json!([{"when": {"path": "**/contacts/search", "nth": 1}, "fault": {"kind": "slow", "delay_ms": 1_600}}]);
    let served = serve(&play, "new", &late);
    let told = sync(&play, &webhook, &served.token()).ends(3);
    let sent = posts.lock().unwrap().clone();
    assert!(sent[0].contains("a pass hangs") && sent[0].contains("\"key\":\"hangs\""), "{sent:?}");
    assert!(last(&posts).contains(&("hangs".to_owned(), "resolved".to_owned())), "{sent:?}");
    assert!(number(&told, "sent") >= 1);
    let status = play.does_with(&["status", "--json"], &served.token()).ends(3).json();
    assert_eq!(status["hanging"], json!(null), "it has ended");
}

/// What is coming to its end, and people who were entered twice.
#[test]
fn what_ends_and_what_is_there_twice() {
    let play = Play::ran();
    let (webhook, posts) = stub(hook);
    alerts(&play, "  duplicates: 1\n  ends: 200d\n");
    play.edit("handover.yaml", "platform: pipedrive\n", "platform: pipedrive\n    token_ends: 2026-11-20\n");
    sync(&play, &webhook, &[]).ends(3);
    let keys = ["token:old", "version:new:/crm/v4"].map(|key| (key.to_owned(), "new".to_owned()));
    assert_eq!(last(&posts), keys);
    play.disturb("old", |world| {
        let persons = world["persons"].as_array_mut().unwrap();
        let mut fresh = persons[0].clone();
        fresh["emails"] = json!([{"label": "work", "primary": true, "value": "twice@acme.example"}]);
        fresh["phones"] = json!([]);
        fresh["update_time"] = json!("2026-11-02T09:30:00Z");
        for id in [990_001, 990_002] {
            fresh["id"] = json!(id);
            persons.push(fresh.clone());
        }
    });
    sync(&play, &webhook, &[]).ends(3);
    assert_eq!(last(&posts), [("duplicates".to_owned(), "new".to_owned())]);
    play.edit("handover.yaml", "token_ends: 2026-11-20", "token_ends: 2027-11-20");
    sync(&play, &webhook, &[]).ends(3);
    assert_eq!(last(&posts), [("token:old".to_owned(), "resolved".to_owned())]);
}
