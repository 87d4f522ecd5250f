//! What goes wrong: in the systems and on the way to them, and with the process itself.

use handover_sandbox::faults::{Fault, FaultPlan, LimitScope, Rule, When};
use handover_store::Moment;

use crate::dice::Dice;
use crate::oracle::{NEW, OLD};
use crate::scenario::Scenario;

/// One way in which things go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mishap {
    /// 429.
    Limited,
    /// The day's calls are used up.
    DayUsedUp,
    /// 5xx before anything is applied.
    Unavailable,
    /// No answer, and nothing applied.
    LostBefore,
    /// Everything applied, and no answer.
    LostAfter,
    /// Everything applied, and a 5xx.
    FailedAfter,
    /// A part of a batch applied, and no answer.
    HalfBatch,
    /// The connection closes within the body.
    Cut,
    /// A body that is no JSON.
    Malformed,
    /// The token is refused once.
    ExpiredToken,
    /// The account is under maintenance for a moment.
    Maintenance,
    /// The answer takes its time.
    Slow,
    /// Changes show late in lists and searches.
    SearchLag,
    /// A system's clock is ahead or behind.
    Skew,
    /// The process dies at a durable write.
    DeathAtWrite,
    /// The process dies around a request.
    DeathAtRequest,
    /// A webhook never comes.
    WebhookLost,
    /// A webhook comes twice.
    WebhookTwice,
    /// A webhook comes after one that was sent later.
    WebhookShuffled,
    /// A webhook comes at a later attempt.
    WebhookLate,
    /// A token ends, and another one is bought.
    TokenRenewed,
    /// The day's calls are used up by our own.
    DaySpent,
    /// A worker is paused, succeeded, and comes back.
    Zombie,
    /// A cohort begins on its day, and moves on another.
    Cohort,
}

impl Mishap {
    /// Every mishap.
    pub const ALL: [Self; 24] = [
        Self::Limited,
        Self::DayUsedUp,
        Self::Unavailable,
        Self::LostBefore,
        Self::LostAfter,
        Self::FailedAfter,
        Self::HalfBatch,
        Self::Cut,
        Self::Malformed,
        Self::ExpiredToken,
        Self::Maintenance,
        Self::Slow,
        Self::SearchLag,
        Self::Skew,
        Self::DeathAtWrite,
        Self::DeathAtRequest,
        Self::WebhookLost,
        Self::WebhookTwice,
        Self::WebhookShuffled,
        Self::WebhookLate,
        Self::TokenRenewed,
        Self::DaySpent,
        Self::Zombie,
        Self::Cohort,
    ];

    /// The word for it: what the journal shows.
    pub fn word(self) -> &'static str {
        match self {
            Self::Limited => "limited",
            Self::DayUsedUp => "day used up",
            Self::Unavailable => "unavailable",
            Self::LostBefore => "lost before",
            Self::LostAfter => "lost after",
            Self::FailedAfter => "failed after",
            Self::HalfBatch => "half a batch",
            Self::Cut => "cut",
            Self::Malformed => "malformed",
            Self::ExpiredToken => "expired token",
            Self::Maintenance => "maintenance",
            Self::Slow => "slow",
            Self::SearchLag => "search lag",
            Self::Skew => "skew",
            Self::DeathAtWrite => "death at a write",
            Self::DeathAtRequest => "death around a request",
            Self::WebhookLost => "webhook lost",
            Self::WebhookTwice => "webhook twice",
            Self::WebhookShuffled => "webhook out of order",
            Self::WebhookLate => "webhook late",
            Self::TokenRenewed => "token renewed",
            Self::DaySpent => "day spent",
            Self::Zombie => "zombie",
            Self::Cohort => "cohort",
        }
    }
}

/// A system's faults over all weeks.
pub(crate) fn plan(seed: u64, side: usize, scenario: &Scenario, oauth: bool) -> FaultPlan {
    let mut dice = Dice::new(seed, &format!("faults {side}"));
    // Requests that change something come seldom: what goes wrong with them goes wrong oftener.
    let any = |probability| When { probability: Some(probability), ..When::default() };
    let write = |probability| When {
        method: Some("POST".to_owned()),
        path: Some(scenario.pair.0[NEW].writes.to_owned()),
        probability: Some(probability),
        ..When::default()
    };
    let mut rules = Vec::new();
    let mut add = |mishap: Mishap, when: When, fault: Fault| {
        if scenario.has(mishap) {
            rules.push(Rule { name: Some(mishap.word().to_owned()), when, fault });
        }
    };
    let calm = dice.pick(&[0.001, 0.003, 0.006]);
    let wild = dice.pick(&[0.02, 0.06, 0.12]);
    add(Mishap::Limited, any(calm), Fault::Limited { scope: LimitScope::Burst, retry_after_s: Some(2) });
    let day = When { nth: Some(u64::try_from(dice.between(60, 900)).unwrap_or(100)), ..When::default() };
    if side == OLD {
        add(Mishap::DayUsedUp, day, Fault::Limited { scope: LimitScope::Daily, retry_after_s: None });
    }
    add(Mishap::Unavailable, any(calm), Fault::Unavailable { status: dice.pick(&[500, 502, 503, 504]) });
    add(Mishap::LostBefore, any(calm), Fault::LostBefore);
    add(Mishap::Cut, any(calm), Fault::Cut { bytes: 40 });
    add(Mishap::Malformed, any(calm / 4.0), Fault::Malformed);
    add(Mishap::ExpiredToken, any(calm / 4.0), Fault::ExpiredToken { until_refresh: Some(oauth && side == NEW) });
    add(Mishap::Maintenance, any(calm / 4.0), Fault::Maintenance { status: None, retry_after_s: None });
    let delay_ms = u64::try_from(dice.between(1_000, 50_000)).unwrap_or(1_000);
    add(Mishap::Slow, any(calm), Fault::Slow { delay_ms });
    if side == NEW {
        add(Mishap::LostAfter, write(wild), Fault::LostAfter { status: None });
        add(Mishap::FailedAfter, write(wild), Fault::LostAfter { status: Some(502) });
        add(Mishap::HalfBatch, write(wild), Fault::HalfBatch { apply_only: dice.below(4), status: None });
        add(Mishap::LostBefore, write(wild / 2.0), Fault::LostBefore);
    }
    FaultPlan::new(seed ^ side as u64, rules)
}

/// When a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Death {
    /// Not in this pass.
    No,
    /// At its n-th durable write from now, from 1.
    AtWrite(u64, Moment),
    /// Around its n-th request from now, from 1; `true` when the request still arrives.
    AtRequest(u64, bool),
}

impl Death {
    /// How the next pass ends.
    pub(crate) fn draw(dice: &mut Dice, scenario: &Scenario) -> Self {
        if !dice.chance(60) {
            return Self::No;
        }
        if dice.chance(600) && scenario.has(Mishap::DeathAtWrite) {
            let moment = if dice.chance(500) { Moment::Before } else { Moment::After };
            return Self::AtWrite(u64::try_from(dice.between(1, 14)).unwrap_or(1), moment);
        }
        if scenario.has(Mishap::DeathAtRequest) {
            return Self::AtRequest(u64::try_from(dice.between(1, 16)).unwrap_or(1), dice.chance(500));
        }
        Self::No
    }

    /// The mishap that it is.
    pub(crate) fn mishap(self) -> Option<Mishap> {
        match self {
            Self::No => None,
            Self::AtWrite(..) => Some(Mishap::DeathAtWrite),
            Self::AtRequest(..) => Some(Mishap::DeathAtRequest),
        }
    }
}
