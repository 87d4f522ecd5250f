//! Replies that are read in parts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use handover_connect::{
    Capabilities, Connector as _, Credentials, Cursor, Dialect, Driver, Fault, Lost, Method, NoKeeper, Operation, Read,
    Refusal, Reply, Request, Settings, Step, Transport, VirtualClock, Which, WireReply, WireRequest,
};
use handover_model::{Fields, ObjectName, Record};

/// A platform whose answers have three records, of which each is a part; behind the second answer is nothing.
struct Parted(Capabilities);

/// Which answer, and which of its records comes next.
fn place(cursor: Option<&Cursor>) -> (u32, usize) {
    let text = cursor.map_or("0 0", |cursor| &cursor.0);
    let (answer, at) = text.split_once(' ').unwrap();
    (answer.parse().unwrap(), at.parse().unwrap())
}

impl Dialect for Parted {
    fn capabilities(&self) -> &Capabilities {
        &self.0
    }

    fn objects(&self) -> Vec<ObjectName> {
        Vec::new()
    }

    fn encode(&self, _: &Operation, cursor: Option<&Cursor>) -> Result<Request, Refusal> {
        Ok(Request::new(Method::Get, format!("/answers/{}", place(cursor).0), &[]))
    }

    fn decode(&self, _: &Operation, cursor: Option<&Cursor>, reply: &Reply) -> Result<Step, Fault> {
        let (answer, at) = place(cursor);
        let text = std::str::from_utf8(&reply.body).unwrap();
        let id = text.split(' ').nth(at).filter(|id| *id != "odd").ok_or_else(|| Fault::malformed("it is odd"))?;
        let records = vec![Record { id: id.into(), fields: Fields::new(), modified: None, gone: false }];
        Ok(match (answer, at) {
            (_, 0 | 1) => Step::Part { records, rest: Cursor(format!("{answer} {}", at + 1)) },
            (0, _) => Step::Page { records, next: Some(Cursor("1 0".to_owned())) },
            _ => Step::Page { records, next: None },
        })
    }

    fn authorize(&self, _: &mut Request, _: &Credentials) {}
}

/// Answers with names of the address, at the first time perhaps with something odd among them.
struct Names {
    sent: Arc<AtomicU32>,
    odd: bool,
}

#[async_trait]
impl Transport for Names {
    async fn send(&self, request: WireRequest, _: Duration) -> Result<WireReply, Lost> {
        let n = request.url.path().trim_start_matches("/answers/").to_owned();
        let second = if self.odd && self.sent.load(Ordering::SeqCst) == 0 { "odd".to_owned() } else { format!("{n}b") };
        self.sent.fetch_add(1, Ordering::SeqCst);
        let body = format!("{n}a {second} {n}c").into_bytes();
        Ok(Reply { status: 200, headers: Vec::new(), body, sunk: None })
    }
}

fn driver(odd: bool) -> (Driver, Arc<AtomicU32>) {
    let sent = Arc::new(AtomicU32::new(0));
    let clock = Arc::new(VirtualClock::new("2026-03-02T12:00:00Z".parse().unwrap()));
    let driver = Driver::new(
        Box::new(Parted(Capabilities::none("parted"))),
        Arc::new(Names { sent: Arc::clone(&sent), odd }),
        clock,
        Arc::new(NoKeeper),
        Credentials::None,
        Settings::at("http://parted.test"),
    );
    (driver, sent)
}

fn read() -> Read {
    Read { object: "things".into(), fields: Arc::new([]), which: Which::Live, since: None }
}

/// The ids of one page, and where the next one is.
async fn page(driver: &Driver, cursor: Option<&Cursor>) -> (String, Option<Cursor>) {
    let page = driver.page(&read(), cursor).await.unwrap();
    let ids: Vec<String> = page.records.iter().map(|record| record.id.to_string()).collect();
    (ids.join(" "), page.next)
}

/// All ids from a position on, each page for itself.
async fn all(driver: &Driver, mut cursor: Option<Cursor>) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let (ids, next) = page(driver, cursor.as_ref()).await;
        all.push(ids);
        match next {
            Some(next) => cursor = Some(next),
            None => return all,
        }
    }
}

#[tokio::test]
async fn a_reply_is_asked_for_once_however_many_parts_it_has() {
    let (driver, sent) = driver(false);
    assert_eq!(all(&driver, None).await, ["0a", "0b", "0c", "1a", "1b", "1c"]);
    assert_eq!(sent.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn whoever_has_not_kept_it_asks_again() {
    let (first, _) = driver(false);
    let (_, next) = page(&first, None).await;
    let (second, sent) = driver(false);
    assert_eq!(all(&second, next.clone()).await, ["0b", "0c", "1a", "1b", "1c"]);
    assert_eq!(sent.load(Ordering::SeqCst), 2);
    // The same position twice: what was kept is at another one by then.
    assert_eq!(page(&first, next.as_ref()).await.0, "0b");
    assert_eq!(page(&first, next.as_ref()).await.0, "0b");
    assert_eq!(first.spent().calls, 2);
}

#[tokio::test]
async fn what_cannot_be_read_of_a_kept_reply_is_asked_for_again() {
    let (driver, sent) = driver(true);
    assert_eq!(all(&driver, None).await, ["0a", "0b", "0c", "1a", "1b", "1c"]);
    assert_eq!(sent.load(Ordering::SeqCst), 3);
}
