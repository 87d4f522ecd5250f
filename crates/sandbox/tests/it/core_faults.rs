//! Faults of every kind, the journal that sees through them, and determinism.

use handover_sandbox::faults::{
    DisturbAction, Disturbance, Fault, FaultPlan, FaultPlanError, Rule, When, Which, path_matches,
};
use handover_sandbox::journal::{Action, Delivered, Keep};
use handover_sandbox::{Delivery, Handled, Request};
use serde_json::json;

use crate::pipedrive::Account;

const PERSONS: &str = "/api/v2/persons";

/// An account in which this fault hits the first write to persons.
fn with(fault: Fault) -> Account {
    let when =
        When { method: Some("post".into()), path: Some("/api/*/persons".into()), nth: Some(1), ..When::default() };
    faulty(when, fault)
}

fn faulty(when: When, fault: Fault) -> Account {
    let mut account = Account::empty();
    account.sandbox.set_faults(FaultPlan::new(1, vec![Rule { name: Some("test".into()), when, fault }]));
    account
}

fn create(account: &mut Account) -> Handled {
    account.handle("POST", PERSONS, Some(&json!({"name": "A"})))
}

/// The status that the client saw (none: nothing came) and whether the person exists.
fn check(fault: Fault, status: Option<u16>, exists: bool) -> Account {
    let mut account = with(fault.clone());
    let handled = create(&mut account);
    assert_eq!(handled.reply().map(|reply| reply.status), status, "{fault:?}");
    assert_eq!(account.sandbox.journal().count("person", Action::Created), u64::from(exists), "{fault:?}");
    let entry = account.sandbox.journal().entries().last().unwrap();
    assert_eq!(entry.rule.as_deref(), Some("test"), "{fault:?}");
    assert_eq!(entry.status, status);
    // The fault fires once; the next request is answered.
    assert_eq!(create(&mut account).reply().unwrap().status, 201, "{fault:?}");
    account
}

#[test]
fn faults_before_commit_change_nothing() {
    check(Fault::Limited { scope: Default::default(), retry_after_s: None }, Some(429), false);
    check(Fault::Maintenance { status: None, retry_after_s: Some(9) }, Some(503), false);
    check(Fault::ExpiredToken { until_refresh: None }, Some(401), false);
    check(Fault::LostBefore, None, false);
    for status in [500, 502, 503, 504] {
        check(Fault::Unavailable { status }, Some(status), false);
    }
}

#[test]
fn faults_after_commit_are_in_the_journal() {
    let account = check(Fault::LostAfter { status: None }, None, true);
    let lost: Vec<_> = account.sandbox.journal().lost_after_commit().collect();
    assert_eq!((lost.len(), lost[0].delivered, lost[0].applied_status), (1, Delivered::Lost, Some(201)));
    assert_eq!(lost[0].changes[0].fields["name"].1, "A");
    let account = check(Fault::LostAfter { status: Some(504) }, Some(504), true);
    assert_eq!(account.sandbox.journal().lost_after_commit().count(), 1);
}

#[test]
fn a_429_says_when_to_come_back_only_if_told_to() {
    let mut account = with(Fault::Limited { scope: Default::default(), retry_after_s: Some(7) });
    let handled = create(&mut account);
    assert_eq!(handled.reply().unwrap().header("retry-after"), Some("7"));
    let daily = handover_sandbox::faults::LimitScope::Daily;
    let mut account = with(Fault::Limited { scope: daily, retry_after_s: None });
    let handled = create(&mut account);
    let reply = handled.reply().unwrap();
    assert_eq!((reply.header("retry-after"), reply.header("x-daily-ratelimit-token-remaining")), (None, Some("0")));
}

#[test]
fn bodies_are_cut_or_broken() {
    let mut account = with(Fault::Cut { bytes: 10 });
    match create(&mut account).delivery {
        Delivery::Cut { reply, bytes } => assert_eq!((reply.status, bytes), (201, 10)),
        other => panic!("{other:?}"),
    }
    assert_eq!(account.sandbox.journal().entries()[0].delivered, Delivered::Cut);
    let mut account = with(Fault::Malformed);
    let handled = create(&mut account);
    assert_eq!(handled.reply().unwrap().status, 201);
    assert!(serde_json::from_slice::<serde_json::Value>(&handled.reply().unwrap().body).is_err());
}

#[test]
fn half_a_batch_is_applied() {
    for (status, seen) in [(None, None), (Some(502), Some(502))] {
        let when = When { path: Some("**/products/bulk".into()), ..When::default() };
        let mut account = faulty(when, Fault::HalfBatch { apply_only: 2, status });
        account.post("/api/v2/deals", &json!({"title": "T"}));
        account.post("/api/v2/products", &json!({"name": "P"}));
        let line = json!({"product_id": 1, "item_price": 1, "quantity": 1});
        let body = json!({"data": [line, line, line]});
        let handled = account.handle("POST", "/api/v2/deals/1/products/bulk", Some(&body));
        assert_eq!(handled.reply().map(|reply| reply.status), seen);
        assert_eq!(account.sandbox.journal().count("deal_product", Action::Created), 2);
    }
}

#[test]
fn an_expired_oauth_token_stays_refused_until_another_comes() {
    let mut account =
        faulty(When { nth: Some(2), ..When::default() }, Fault::ExpiredToken { until_refresh: Some(true) });
    let call = |account: &mut Account, token: &str| {
        let request = Request::new("GET", "/v1/users/me").with_header("authorization", format!("Bearer {token}"));
        account.sandbox.handle(&request, account.now).reply().unwrap().status
    };
    let seen: Vec<_> = ["admin-token", "admin-token", "admin-token", "seller-token", "admin-token"]
        .into_iter()
        .map(|token| call(&mut account, token))
        .collect();
    assert_eq!(seen, [200, 401, 401, 200, 401]);
    // An API token cannot be refreshed: without a word to the contrary it is refused once.
    let mut account = faulty(When { nth: Some(1), ..When::default() }, Fault::ExpiredToken { until_refresh: None });
    assert_eq!([call(&mut account, "admin-token"), call(&mut account, "admin-token")], [401, 200]);
}

#[test]
fn slowness_and_disturbances_leave_the_answer_whole() {
    let disturbance = Disturbance {
        object: "person".into(),
        which: Which::Nth(0),
        action: DisturbAction::Change { field: "name".into(), value: json!("B") },
    };
    let rules = vec![
        Rule {
            name: None,
            when: When { method: Some("GET".into()), ..When::default() },
            fault: Fault::Slow { delay_ms: 1_500 },
        },
        Rule {
            name: None,
            when: When { method: Some("GET".into()), nth: Some(1), ..When::default() },
            fault: Fault::Disturb { disturbance, before: false },
        },
    ];
    let mut account = Account::empty();
    account.sandbox.set_faults(FaultPlan::new(0, rules));
    create(&mut account);
    let handled = account.handle("GET", PERSONS, None);
    assert_eq!(handled.delay_ms, 1_500);
    assert_eq!(handled.reply().unwrap().body_json()["data"][0]["name"], "A");
    assert_eq!(account.get(PERSONS)["data"][0]["name"], "B");
    let disturbed: Vec<_> = account.sandbox.journal().requests("DISTURB", "/").collect();
    assert_eq!(disturbed[0].changes[0].fields["name"], (json!("A"), json!("B")));
}

#[test]
fn every_disturbance_happens() {
    let mut account = Account::empty();
    let mut disturb = |which: Which, action: DisturbAction| {
        account.wait(1);
        account.sandbox.disturb(&Disturbance { object: "person".into(), which, action }, account.now);
        account.sandbox.journal().entries().last().unwrap().changes.clone()
    };
    for name in ["A", "B"] {
        disturb(Which::default(), DisturbAction::Create { fields: json!({"name": name}) });
    }
    assert_eq!(disturb(Which::Id("2".into()), DisturbAction::Touch)[0].action, Action::Updated);
    assert_eq!(disturb(Which::Id("1".into()), DisturbAction::Merge { into: "2".into() })[0].action, Action::Merged);
    assert_eq!(disturb(Which::Nth(0), DisturbAction::Delete)[0].id, "2");
    assert_eq!(disturb(Which::Nth(0), DisturbAction::Delete), []);
    let back = |id: &str| Which::Id(id.to_owned());
    assert_eq!(disturb(back("2"), DisturbAction::Restore)[0].action, Action::Restored);
    assert_eq!(disturb(back("2"), DisturbAction::Restore), [], "it is there");
    disturb(Which::default(), DisturbAction::Create { fields: json!({"name": "C"}) });
    let mut deals = |action: DisturbAction| {
        let deal = Disturbance { object: "deal".into(), which: Which::default(), action };
        account.sandbox.disturb(&deal, account.now);
        account.sandbox.journal().entries().last().unwrap().changes.clone()
    };
    deals(DisturbAction::Create { fields: json!({"title": "D"}) });
    let (object, to) = ("person".to_owned(), "3".to_owned());
    let link = DisturbAction::Link { object: object.clone(), to: to.clone() };
    assert_eq!(deals(link.clone())[0].action, Action::Linked);
    assert_eq!(deals(link), [], "it is linked");
    let unlink = DisturbAction::Unlink { object, to };
    assert_eq!(deals(unlink.clone())[0].action, Action::Unlinked);
    assert_eq!(deals(unlink), [], "it is not linked");
}

#[test]
fn rules_fire_by_count_and_by_chance() {
    let fired = |when: When| {
        let mut account = faulty(when, Fault::Unavailable { status: 500 });
        let seen: Vec<bool> = (0..200).map(|_| create(&mut account).reply().unwrap().status == 500).collect();
        let places: Vec<usize> = seen.iter().enumerate().filter(|(_, hit)| **hit).map(|(at, _)| at + 1).collect();
        places
    };
    assert_eq!(fired(When { every: Some(50), ..When::default() }), [50, 100, 150, 200]);
    assert_eq!(fired(When { from: Some(3), to: Some(5), ..When::default() }), [3, 4, 5]);
    assert_eq!(fired(When { from: Some(7), times: Some(2), ..When::default() }), [7, 8]);
    let chance = When { probability: Some(0.25), ..When::default() };
    let hits = fired(chance.clone());
    assert_eq!(hits, fired(chance));
    assert!((25..75).contains(&hits.len()), "{} of 200", hits.len());
    assert!(fired(When { probability: Some(0.0), ..When::default() }).is_empty());
}

#[test]
fn plans_are_read_and_checked() {
    let text = r#"{"seed": 3, "rules": [
        {"when": {"method": "GET", "path": "/v1/**", "every": 3}, "fault": {"kind": "limited", "scope": "daily", "retry_after_s": 10}},
        {"name": "half", "fault": {"kind": "half_batch", "apply_only": 3}},
        {"fault": {"kind": "disturb", "disturbance": {"object": "person", "which": {"nth": 2}, "action": "touch"}}},
        {"fault": {"kind": "disturb", "disturbance": {"object": "person", "action": {"change": {"field": "name", "value": "x"}}}}}
    ]}"#;
    assert_eq!(FaultPlan::from_json(text).unwrap().rules.len(), 4);
    let wrong = |text: &str| FaultPlan::from_json(text).unwrap_err();
    assert!(matches!(
        wrong(r#"{"rules": [{"fault": {"kind": "unavailable", "status": 404}}]}"#),
        FaultPlanError::Rule { rule: 1, .. }
    ));
    assert!(matches!(
        wrong(r#"{"rules": [{"when": {"nth": 0}, "fault": {"kind": "malformed"}}]}"#),
        FaultPlanError::Rule { .. }
    ));
    assert!(matches!(wrong(r#"{"rule": []}"#), FaultPlanError::Shape(_)));
}

#[test]
fn globs() {
    for (glob, path, fits) in [
        ("/v1/notes", "/v1/notes", true),
        ("/v1/*", "/v1/notes", true),
        ("/v1/*", "/v1/notes/1", false),
        ("/v1/**", "/v1/notes/1", true),
        ("**/merge", "/api/v1/deals/1/merge", true),
        ("/v1/n*s", "/v1/notes", true),
        ("/v1/n*x", "/v1/notes", false),
        ("/**/deals/**", "/api/v2/deals", true),
        ("/v1", "/v1/notes", false),
    ] {
        assert_eq!(path_matches(glob, path), fits, "{glob} {path}");
    }
}

#[test]
fn the_same_requests_give_the_same_bytes() {
    let play = || {
        let mut account = Account::empty();
        let rule = Rule {
            name: None,
            when: When { probability: Some(0.2), ..When::default() },
            fault: Fault::LostAfter { status: None },
        };
        account.sandbox.set_faults(FaultPlan::new(11, vec![rule]));
        let mut said = Vec::new();
        for n in 0..60 {
            account.wait(1);
            let bodies = [
                ("POST", PERSONS, json!({"name": format!("P {n}")})),
                (
                    "POST",
                    "/api/v2/dealFields",
                    json!({"field_name": format!("F {n}"), "field_type": "set", "options": [{"label": "A"}]}),
                ),
                ("POST", "/v1/leads", json!({"title": "L", "person_id": 1})),
                ("GET", PERSONS, json!({})),
            ];
            for (method, path, body) in bodies {
                said.push(format!("{:?}", account.handle(method, path, Some(&body)).delivery));
            }
        }
        (said, account.sandbox.journal().to_json_lines(), account.sandbox.platform().world())
    };
    assert_eq!(play(), play());
}

#[test]
fn a_journal_of_sums_keeps_no_entries() {
    let mut account = Account::empty();
    account.sandbox.set_journal(Keep::Counts);
    for _ in 0..3 {
        create(&mut account);
        account.handle("GET", "/api/v2/persons/99", None);
    }
    let journal = account.sandbox.journal();
    assert_eq!((journal.entries().len(), journal.len(), journal.cost()), (0, 6, 18));
    assert_eq!((journal.count("person", Action::Created), journal.answered(404)), (3, 3));
    let route = ("GET".to_owned(), "/api/v2/persons/*".to_owned(), Some(404));
    assert_eq!(journal.routes()[&route], 3);
    assert_eq!(journal.to_json_lines().lines().count(), 1);
}
