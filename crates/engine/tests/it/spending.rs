//! Two processes on one day, on a platform that does not tell what is left of it.

#![expect(clippy::unwrap_used, reason = "a surprise is a failed test")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use handover_connect::{
    Capabilities, Charge, Clock as _, Connector, Credentials, Cursor, Dialect, Driver, Fault, Limit, Lost, Method,
    NoKeeper, Operation, Refusal, Reply, Request, Settings, Span, Step, Transport, VirtualClock, WireReply,
    WireRequest,
};
use handover_engine::{keep_spending, remember_spending};
use handover_model::{ObjectName, SystemName};
use handover_store::{Location, Store};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A platform whose users cost 3 of the day's 20, and whose replies have no headers.
struct Silent(Capabilities);

impl Dialect for Silent {
    fn capabilities(&self) -> &Capabilities {
        &self.0
    }

    fn objects(&self) -> Vec<ObjectName> {
        Vec::new()
    }

    fn encode(&self, _: &Operation, _: Option<&Cursor>) -> Result<Request, Refusal> {
        Ok(Request::new(Method::Get, "/users", &[Charge::of("tokens", 3)]))
    }

    fn decode(&self, _: &Operation, _: Option<&Cursor>, _: &Reply) -> Result<Step, Fault> {
        Ok(Step::Users { users: Vec::new(), next: None })
    }

    fn authorize(&self, _: &mut Request, _: &Credentials) {}
}

struct Answers;

#[async_trait]
impl Transport for Answers {
    async fn send(&self, _: WireRequest, _: Duration) -> Result<WireReply, Lost> {
        Ok(Reply { status: 200, headers: Vec::new(), body: Vec::new(), sunk: None })
    }
}

/// One process: its systems, and the clock.
struct Process(BTreeMap<SystemName, Arc<dyn Connector>>, Arc<VirtualClock>);

impl Process {
    fn starts(at: &str) -> Self {
        let capabilities = Capabilities {
            limits: vec![Limit { name: "tokens", amount: 20, span: Span::Day }],
            ..Capabilities::none("silent")
        };
        let settings = Settings { retries: 0, concurrency: 1, ..Settings::at("http://silent.test") };
        let clock = Arc::new(VirtualClock::new(at.parse::<Timestamp>().unwrap()));
        let (dialect, keeper) = (Box::new(Silent(capabilities)), Arc::new(NoKeeper));
        let driver = Driver::new(dialect, Arc::new(Answers), clock.clone(), keeper, Credentials::None, settings);
        driver.budget().set_zone(TimeZone::get("America/New_York").unwrap());
        Self([("old".into(), Arc::new(driver) as Arc<dyn Connector>)].into(), clock)
    }

    /// Asks for the users until the day is spent, at most so often; gives how often it was answered.
    async fn asks(&self, most: u32) -> u32 {
        let system = self.0.values().next().unwrap();
        for answered in 0..most {
            if let Err(fault) = system.users().await {
                assert!(fault.is_daily_limit(), "{fault}");
                return answered;
            }
        }
        most
    }

    async fn remembers(&self, store: &Store) {
        remember_spending(&self.0, store, self.1.now()).await.unwrap();
    }

    async fn keeps(&self, store: &Store) {
        keep_spending(&self.0, store, self.1.now()).await.unwrap();
    }
}

#[tokio::test]
async fn a_second_process_on_the_same_day_has_what_the_first_one_left() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&Location::Sqlite(folder.path().join("state.db"))).await.unwrap();
    let first = Process::starts("2026-03-02T18:00:00Z");
    first.remembers(&store).await;
    assert_eq!(first.asks(2).await, 2);
    first.keeps(&store).await;
    assert_eq!(first.asks(2).await, 2);
    first.keeps(&store).await;
    // Nothing was spent since: nothing is added.
    first.keeps(&store).await;
    // Midnight of Greenwich is not the account's.
    let second = Process::starts("2026-03-03T02:00:00Z");
    second.remembers(&store).await;
    second.remembers(&store).await;
    assert_eq!(second.0.values().next().unwrap().spent().left_today, Some(8));
    assert_eq!(second.asks(9).await, 2, "12 of 20 are spent, and one costs 3");
    second.keeps(&store).await;
    let third = Process::starts("2026-03-03T04:59:00Z");
    third.remembers(&store).await;
    assert_eq!(third.asks(9).await, 0);
    // The account's next day.
    let next = Process::starts("2026-03-03T05:01:00Z");
    next.remembers(&store).await;
    assert_eq!(next.asks(9).await, 6);
}
