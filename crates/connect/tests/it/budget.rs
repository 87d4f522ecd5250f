//! What is left of a day: our count against the account's.

use handover_connect::{Budget, Charge, Limit, Span, VirtualClock};
use jiff::Timestamp;

fn noon() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().unwrap()
}

const LIMITS: [Limit; 2] = [
    Limit { name: "daily", amount: 1_000, span: Span::Day },
    Limit { name: "burst", amount: 100, span: Span::Rolling(2_000) },
];

/// A budget of which this much is taken, each time by one request that was answered.
async fn spent(amounts: &[u32]) -> Budget {
    let budget = Budget::new(&LIMITS, 0.0);
    for amount in amounts {
        take(&budget, *amount).await;
    }
    budget
}

async fn take(budget: &Budget, amount: u32) {
    let clock = VirtualClock::new(noon());
    budget.take(&[Charge::of("daily", amount)], &clock).await.unwrap().landed();
}

fn told(budget: &Budget, remaining: u64) -> u64 {
    budget.told("daily", Some(1_000), Some(remaining), noon());
    budget.left_today().unwrap()
}

#[tokio::test]
async fn the_accounts_own_count_wins_in_quiet_moments() {
    let budget = spent(&[300, 100]).await;
    assert_eq!(told(&budget, 500), 500, "others spend too");
    assert_eq!(told(&budget, 950), 950, "the account's day began later than ours");
    assert_eq!(told(&budget, 1_200), 1_000, "never more than the whole allowance");
}

#[tokio::test]
async fn a_request_under_way_keeps_our_count() {
    let budget = spent(&[300]).await;
    let clock = VirtualClock::new(noon());
    let flight = budget.take(&[Charge::of("daily", 50)], &clock).await.unwrap();
    assert_eq!(told(&budget, 900), 650, "the reply may know of less than we sent");
    assert_eq!(told(&budget, 600), 600, "a higher count is believed at once");
    flight.landed();
    assert_eq!(told(&budget, 900), 900);
}

#[tokio::test]
async fn what_a_lost_request_may_cost_is_kept() {
    let budget = spent(&[300]).await;
    let clock = VirtualClock::new(noon());
    drop(budget.take(&[Charge::of("daily", 50)], &clock).await.unwrap());
    assert_eq!(told(&budget, 1_000), 950);
    // The next day owes nothing for it.
    let tomorrow = "2026-03-03T00:00:01Z".parse().unwrap();
    budget.told("daily", Some(1_000), Some(1_000), tomorrow);
    assert_eq!(budget.left_today(), Some(1_000));
}

#[tokio::test]
async fn rolling_windows_are_not_lowered() {
    let budget = Budget::new(&LIMITS, 0.0);
    let clock = VirtualClock::new(noon());
    let charge = [Charge::of("burst", 100)];
    budget.take(&charge, &clock).await.unwrap().landed();
    budget.told("burst", Some(100), Some(100), noon());
    assert!(budget.take(&charge, &clock).await.unwrap().waited_ms() >= 2_000);
}

/// Workers take turns: what one left in a window is not there for the next one until it is free.
#[tokio::test]
async fn what_another_worker_left_in_a_window_is_waited_out() {
    let seconds = jiff::SignedDuration::from_secs;
    let taken = |amount: u64| Some([("burst".to_owned(), amount)].into());
    let waits: [(Option<_>, i64, u32, bool); 6] = [
        (taken(60), 0, 40, false),
        (taken(60), 1, 50, true),
        (taken(60), 3, 100, false),
        (taken(0), 0, 100, false),
        // Nobody knows: all of it.
        (None, 1, 1, true),
        (None, 60, 100, false),
    ];
    for (windows, ago, amount, waited) in waits {
        let budget = Budget::new(&LIMITS, 0.0);
        let clock = VirtualClock::new(noon());
        budget.others_left(windows.as_ref(), seconds(ago), noon());
        let flight = budget.take(&[Charge::of("burst", amount)], &clock).await.unwrap();
        let most = u64::try_from(2_250 - ago * 1_000).unwrap_or(0);
        assert_eq!(flight.waited_ms() > 0, waited, "{windows:?} {ago} {amount}");
        assert!(flight.waited_ms() <= most, "{windows:?} {ago} {amount}: {}", flight.waited_ms());
    }
    let budget = Budget::new(&LIMITS, 0.0);
    let charge = [Charge::of("burst", 30)];
    budget.take(&charge, &VirtualClock::new(noon())).await.unwrap().landed();
    assert_eq!(budget.windows(noon()), taken(30).unwrap());
    assert_eq!(budget.windows(noon() + seconds(3)), std::collections::BTreeMap::new());
}

/// What the state knows of the day and what this process knows of it are not added up.
#[tokio::test]
async fn what_was_spent_today_in_all_counts_once() {
    let budget = spent(&[300]).await;
    for (all, left) in [(200, 700), (350, 650), (350, 650), (300, 650)] {
        budget.spent_today(all, noon());
        assert_eq!(budget.left_today(), Some(left), "{all}");
    }
}
