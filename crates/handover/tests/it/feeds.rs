//! What is deleted, merged and brought back where a platform tells it since an earlier reading: with the token, without
//! it, when it has ended, and wherever a process dies.

use std::sync::{Arc, Mutex};

use handover_engine::{Policies, Report, Selection, Vanishings};
use handover_model::{Deletes, End, Flow, From, Removals, Rule};
use handover_sandbox::Sandbox;
use handover_sandbox::faults::{DisturbAction, Disturbance, FaultPlan, Which};
use handover_store::Moment;
use jiff::SignedDuration;
use serde_json::{Value as Json, json};

use crate::rig::{Around, Death, Two};

const ACCOUNTS: u64 = 25;
/// Rows on a page here, so that lists take several.
const PAGE: u64 = 10;
const KEY: &str = "new_sourcekey";
const USER: &str = "00000008-0000-4000-8000-000000000001";
const UNIT: &str = "0000000a-0000-4000-8000-000000000001";

fn id(n: u64) -> String {
    format!("00000000-0000-4000-8000-{n:012x}")
}

fn environment(settings: Json, tracked: bool, accounts: Vec<Json>) -> Arc<Mutex<Sandbox>> {
    let world = json!({
        "org": {"currency": "EUR"}, "settings": settings, "tracking": {"account": tracked},
        "tokens": {"tok": {"user": USER}},
        "columns": {"account": [{"schema_name": "new_SourceKey", "kind": "string", "max_length": 80}]},
        "keys": {"account": [{"schema_name": "new_SourceKey_Key", "columns": [KEY]}]},
        "records": {
            "businessunit": [{"businessunitid": UNIT, "name": "All"}],
            "systemuser": [{"systemuserid": USER, "firstname": "Ana", "lastname": "A", "domainname": "a@x.example",
                "internalemailaddress": "a@x.example", "businessunitid": UNIT, "islicensed": true}],
            "transactioncurrency": [{"transactioncurrencyid": id(901), "currencyname": "EUR", "isocurrencycode": "EUR",
                "currencysymbol": "EUR", "currencyprecision": 2, "exchangerate": 1.0}],
            "account": accounts,
        },
    });
    let environment = handover_sandbox::dynamics::Dynamics::from_world(world, 7).unwrap();
    Arc::new(Mutex::new(Sandbox::new(Box::new(environment))))
}

fn flow() -> Flow {
    let end = |system: &str| End::new(system, "account");
    let name = Rule::new("name", From::Fields(vec!["name".into()]));
    Flow {
        key: Some(KEY.into()),
        removals: Removals { deletes: Deletes::Delete, ..Removals::default() },
        ..Flow::new("companies", end("old"), end("new"), vec![name])
    }
}

/// Two environments.
struct Ground(Two);

impl Ground {
    /// After the load.
    fn new(mut settings: Json, tracked: bool) -> Self {
        settings["page_rows"] = json!(PAGE);
        let account = |n| json!({"accountid": id(n), "name": format!("A{n}"), "modifiedon": "2026-01-05T10:00:00Z"});
        let old = environment(settings.clone(), tracked, (1..=ACCOUNTS).map(account).collect());
        let systems = [old, environment(settings, tracked, Vec::new())];
        let policies = Policies { delete_count: 1_000, delete_share: 1.0, ..Policies::default() };
        let mut ground = Self(Two::of(|| handover_platforms::dialect("dynamics").unwrap(), systems, flow(), policies));
        let report = ground.live(Death::No, &Selection::All).unwrap().unwrap();
        assert_eq!(report.objects[0].counts.created, ACCOUNTS);
        ground
    }

    fn live(&mut self, death: Death, selection: &Selection) -> Option<Result<Report, handover_engine::Error>> {
        self.0.live(death, selection)
    }

    /// A pass over changes, ten minutes after the one before.
    fn pass(&mut self) -> Vanishings {
        self.after(SignedDuration::from_mins(10))
    }

    /// One after a while.
    fn after(&mut self, span: SignedDuration) -> Vanishings {
        self.0.now += span;
        self.live(Death::No, &Selection::Changes).unwrap().unwrap().vanishings
    }

    /// Something that a user of the old system does.
    fn upset(&self, n: u64, action: DisturbAction) {
        let disturbance = Disturbance { object: "account".to_owned(), which: Which::Id(id(n)), action };
        self.0.systems[0].lock().unwrap().disturb(&disturbance, self.0.now);
    }

    /// The names in the new system, in order.
    fn there(&self) -> Vec<String> {
        let new = self.0.systems[1].lock().unwrap();
        let world = new.platform().world();
        let accounts = world["records"]["account"].as_array().map_or(&[][..], Vec::as_slice);
        let mut names: Vec<String> =
            accounts.iter().map(|account| account["name"].as_str().unwrap().to_owned()).collect();
        names.sort_by_key(|name| (name.len(), name.clone()));
        names
    }

    /// How often lists of accounts were asked for, in both systems.
    fn lists(&self) -> usize {
        let lists = |sandbox: &Arc<Mutex<Sandbox>>| {
            let sandbox = sandbox.lock().unwrap();
            let entries = sandbox.journal().entries();
            entries.iter().filter(|entry| entry.method == "GET" && entry.path.ends_with("/accounts")).count()
        };
        self.0.systems.iter().map(lists).sum()
    }

    fn faults(&self, rules: Json) {
        let plan: FaultPlan = serde_json::from_value(json!({"seed": 3, "rules": rules})).unwrap();
        plan.check().unwrap();
        self.0.systems[0].lock().unwrap().set_faults(plan);
    }
}

fn all_but(gone: &[u64]) -> Vec<String> {
    (1..=ACCOUNTS).filter(|n| !gone.contains(n)).map(|n| format!("A{n}")).collect()
}

#[test]
fn what_is_deleted_is_noticed_by_the_next_pass() {
    let mut ground = Ground::new(json!({}), true);
    assert_eq!(ground.pass(), Vanishings::default());
    ground.upset(3, DisturbAction::Delete);
    assert_eq!(ground.pass().noticed, 1);
    assert_eq!(ground.pass().deleted, 1);
    assert_eq!(ground.there(), all_but(&[3]));
    // What is told again is not noticed again, nor when it comes from an older token.
    for _ in 0..12 {
        assert_eq!(ground.pass(), Vanishings::default());
    }
    // What was merged away is followed.
    ground.upset(5, DisturbAction::Merge { into: id(6) });
    let told = ground.pass();
    assert_eq!((told.noticed, told.followed), (0, 1), "{told:?}");
}

#[test]
fn what_comes_back_before_anything_was_done_is_no_deletion() {
    let mut ground = Ground::new(json!({}), true);
    ground.pass();
    ground.upset(3, DisturbAction::Delete);
    assert_eq!(ground.pass().noticed, 1);
    ground.upset(3, DisturbAction::Restore);
    let told = ground.pass();
    assert_eq!((told.returned, told.deleted), (1, 0), "{told:?}");
    assert_eq!((ground.pass().deleted, ground.there()), (0, all_but(&[])));
}

#[test]
fn what_comes_back_after_it_was_deleted_opposite_is_made_anew() {
    let mut ground = Ground::new(json!({}), true);
    ground.pass();
    ground.upset(3, DisturbAction::Delete);
    ground.pass();
    assert_eq!(ground.pass().deleted, 1);
    for _ in 0..3 {
        ground.pass();
    }
    ground.upset(3, DisturbAction::Restore);
    ground.pass();
    ground.pass();
    assert_eq!(ground.there(), all_but(&[]));
}

#[test]
fn a_token_that_has_ended_is_one_list_of_all() {
    let mut ground = Ground::new(json!({}), true);
    ground.pass();
    ground.after(SignedDuration::from_hours(25));
    ground.upset(3, DisturbAction::Delete);
    assert_eq!(ground.after(SignedDuration::from_hours(8 * 24)).noticed, 1);
    assert_eq!(ground.pass().deleted, 1);
    ground.upset(4, DisturbAction::Delete);
    assert_eq!(ground.pass().noticed, 1, "it is followed again");
    // Where nobody has a look for longer than a token lives, but for less than a list of all may grow old.
    let mut ground = Ground::new(json!({"tracking_days": 1}), true);
    ground.pass();
    ground.after(SignedDuration::from_hours(25));
    ground.upset(3, DisturbAction::Delete);
    assert_eq!(ground.after(SignedDuration::from_hours(26)).noticed, 1);
}

#[test]
fn where_nothing_is_told_lists_of_all_go_on() {
    for (settings, tracked) in [(json!({"reads_all": false}), true), (json!({}), false)] {
        let mut ground = Ground::new(settings.clone(), tracked);
        ground.pass();
        ground.upset(3, DisturbAction::Delete);
        let before = ground.lists();
        for _ in 0..6 {
            assert_eq!(ground.pass().noticed, 0, "{settings}");
        }
        assert_eq!(ground.lists() - before, 6, "who is refused does not ask again at once: {settings}");
        assert_eq!(ground.after(SignedDuration::from_hours(24)).noticed, 1, "{settings}");
        assert_eq!(ground.pass().deleted, 1, "{settings}");
    }
}

#[test]
fn what_goes_while_the_first_list_is_read_is_found_a_day_later() {
    let mut ground = Ground::new(json!({}), true);
    // Changes are asked for first, then the pages of the list behind which the first token lies.
    let gone = json!({"object": "account", "which": {"id": id(1)}, "action": "delete"});
    ground.faults(json!([{"when": {"path": "/api/data/v9.2/accounts", "nth": 2},
        "fault": {"kind": "disturb", "disturbance": gone}}]));
    assert_eq!(ground.pass().noticed, 0);
    ground.faults(json!([]));
    for _ in 0..3 {
        assert_eq!(ground.pass().noticed, 0, "the token is younger than the deletion");
    }
    assert_eq!(ground.after(SignedDuration::from_hours(24)).noticed, 1);
}

#[test]
fn lists_of_all_become_rare_where_the_feed_is_followed() {
    let lists = |tracked: bool| {
        let mut ground = Ground::new(json!({}), tracked);
        ground.pass();
        ground.after(SignedDuration::from_hours(24));
        let before = ground.lists();
        for _ in 0..5 {
            assert_eq!(ground.after(SignedDuration::from_hours(24)), Vanishings::default());
        }
        ground.lists() - before
    };
    // Three pages hold all rows. The old system is asked what changed once a day, and both what was deleted.
    assert_eq!(lists(true), 5 * (1 + 1 + 1));
    assert_eq!(lists(false), 5 * (1 + 3 + 3));
}

#[test]
fn dying_in_a_pass_that_is_told_of_deletions() {
    let begun = || {
        let mut ground = Ground::new(json!({}), true);
        ground.pass();
        ground.upset(3, DisturbAction::Delete);
        ground.upset(5, DisturbAction::Merge { into: id(6) });
        ground.0.now += SignedDuration::from_mins(10);
        ground
    };
    let (requests, writes) = {
        let mut ground = begun();
        ground.live(Death::No, &Selection::Changes).unwrap().unwrap();
        (ground.0.requests, ground.0.writes)
    };
    let mut deaths: Vec<Death> = Vec::new();
    for n in 1..=requests {
        deaths.extend([Around::Before, Around::After].map(|around| Death::AtRequest(n, around)));
    }
    for n in 1..=writes {
        deaths.extend([Moment::Before, Moment::After].map(|moment| Death::AtWrite(n, moment)));
    }
    for death in deaths {
        let mut ground = begun();
        let ended = ground.live(death, &Selection::Changes);
        assert!(ended.is_none_or(|ended| ended.is_err()), "{death:?}");
        let told: Vec<Vanishings> = (0..3).map(|_| ground.pass()).collect();
        assert_eq!(told.iter().map(|told| told.deleted).sum::<u64>(), 1, "{death:?}: {told:?}");
        assert!(told.iter().all(|told| told.merged == 0), "a person is asked: {death:?}");
        assert_eq!(ground.there(), all_but(&[3]), "{death:?}");
    }
}
