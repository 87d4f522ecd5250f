//! How long the driver sleeps because a system asks for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use handover_connect::{
    Capabilities, Clock as _, Connector as _, Credentials, Cursor, Dialect, Driver, Fault, FaultKind, Leave, Limited,
    Lost, Method, NoKeeper, Operation, Refusal, Reply, Request, Settings, Step, Transport, VirtualClock, WireReply,
    WireRequest,
};
use handover_model::ObjectName;
use jiff::Timestamp;

fn noon() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().unwrap()
}

/// A platform that asks to wait, by the way that the test names, until it has been asked twice.
struct Slow {
    capabilities: Capabilities,
    way: Way,
}

#[derive(Clone, Copy, Debug)]
enum Way {
    Limited(u64),
    Unavailable(u64),
    /// A job that is polled.
    Later(u64),
}

impl Dialect for Slow {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn objects(&self) -> Vec<ObjectName> {
        Vec::new()
    }

    fn encode(&self, _: &Operation, _: Option<&Cursor>) -> Result<Request, Refusal> {
        Ok(Request::new(Method::Get, "/users", &[]))
    }

    fn decode(&self, _: &Operation, cursor: Option<&Cursor>, reply: &Reply) -> Result<Step, Fault> {
        if reply.status == 200 || cursor.is_some() {
            return Ok(Step::Users { users: Vec::new(), next: None });
        }
        let (kind, wait_ms) = match self.way {
            Way::Limited(wait_ms) => (FaultKind::Limited, wait_ms),
            Way::Unavailable(wait_ms) => (FaultKind::Unavailable, wait_ms),
            Way::Later(wait_ms) => {
                return Ok(Step::Then { cursor: Cursor("poll".to_owned()), wait_ms, instead_of: None });
            }
        };
        let mut fault = Fault::new(kind, "477", "the account is being moved").with_status(reply.status);
        fault.detail.limited = Some(Limited { limit: "", daily: false, until: None, wait_ms: Some(wait_ms) });
        Err(fault)
    }

    fn authorize(&self, _: &mut Request, _: &Credentials) {}
}

/// Answers 477 once, then 200.
struct Once(Arc<AtomicU32>);

#[async_trait]
impl Transport for Once {
    async fn send(&self, _: WireRequest, _: Duration) -> Result<WireReply, Lost> {
        let status = if self.0.fetch_add(1, Ordering::SeqCst) == 0 { 477 } else { 200 };
        Ok(Reply { status, headers: Vec::new(), body: Vec::new(), sunk: None })
    }
}

/// Gives leave for so many requests.
struct Turns(AtomicU32);

#[async_trait]
impl Leave for Turns {
    async fn until_answered(&self, timeout: Duration) -> Result<(), String> {
        assert_eq!(timeout, Duration::from_secs(10));
        let left = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.map(drop).map_err(|_| "it is another one's turn".to_owned())
    }
}

/// What asking for the users comes to, how many requests it took, and how many seconds it slept.
async fn ask(way: Way) -> (Result<usize, Fault>, u32, i64) {
    ask_with_turns(way, u32::MAX).await
}

async fn ask_with_turns(way: Way, turns: u32) -> (Result<usize, Fault>, u32, i64) {
    let capabilities = Capabilities::none("slow");
    let (sent, clock) = (Arc::new(AtomicU32::new(0)), Arc::new(VirtualClock::new(noon())));
    let timeout = Duration::from_secs(10);
    let settings = Settings { timeout, retries: 3, concurrency: 1, ..Settings::at("http://slow.test") };
    let driver = Driver::new(
        Box::new(Slow { capabilities, way }),
        Arc::new(Once(Arc::clone(&sent))),
        Arc::<VirtualClock>::clone(&clock),
        Arc::new(NoKeeper),
        Credentials::None,
        settings,
    );
    let driver = driver.asking(Arc::new(Turns(AtomicU32::new(turns))));
    let users = driver.users().await.map(|users| users.len());
    let slept = clock.now().duration_since(noon()).as_secs();
    (users, sent.load(Ordering::SeqCst), slept)
}

#[tokio::test]
async fn ten_minutes_are_slept() {
    for way in [Way::Limited(600_000), Way::Unavailable(600_000), Way::Later(600_000)] {
        let (users, sent, slept) = ask(way).await;
        assert_eq!((users.unwrap(), sent, slept), (0, 2, 600), "{way:?}");
    }
}

#[tokio::test]
async fn longer_waits_are_told_and_not_slept() {
    let mut told = Vec::new();
    for way in [Way::Limited(600_001), Way::Unavailable(86_400_000), Way::Later(7_200_000)] {
        let (users, sent, slept) = ask(way).await;
        let fault = users.unwrap_err();
        assert_eq!((fault.kind, sent, slept), (FaultKind::Unavailable, 1, 0), "{way:?}");
        assert!(fault.detail.limited.unwrap().until.is_some());
        told.push(fault.message);
    }
    let expected = [
        "the account is being moved; the system asks to wait until 2026-03-02T12:10:00Z",
        "the account is being moved; the system asks to wait until 2026-03-03T12:00:00Z",
        "the system is not ready; the system asks to wait until 2026-03-02T14:00:00Z",
    ];
    assert_eq!(told, expected);
}

/// Each request asks for leave, also one that is sent again; without it nothing leaves and nothing is tried again.
#[tokio::test]
async fn no_request_leaves_without_leave() {
    for turns in [0, 1] {
        let (users, sent, slept) = ask_with_turns(Way::Unavailable(1_000), turns).await;
        let fault = users.unwrap_err();
        assert_eq!((fault.code.as_str(), fault.message.as_str()), ("no_leave", "it is another one's turn"));
        assert_eq!((sent, slept), (turns, i64::from(turns)));
    }
}

#[test]
fn a_fault_is_small_enough_for_every_result() {
    assert!(size_of::<Fault>() <= 96, "{}", size_of::<Fault>());
}
