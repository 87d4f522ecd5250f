//! Checklist 11: rate limits on a virtual clock, locks, faults.

use handover_sandbox::Reply;
use handover_sandbox::faults::FaultPlan;
use serde_json::json;

use super::{Client, START, body, refused};

fn header(reply: &Reply, name: &str) -> Option<String> {
    reply.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
}

fn portal(tier: &str) -> Client {
    let mut client = Client::over(json!({"platform": "hubspot",
        "account": {"tier": tier, "timeZone": "America/New_York"},
        "tokens": [{"token": "a", "scopes": "all", "app": 1}, {"token": "b", "scopes": "all", "app": 2}]}));
    client.step = 1;
    client
}

#[test]
fn ten_rolling_seconds_per_app() {
    for (tier, limit) in [("free", 100), ("starter", 100), ("professional", 190), ("enterprise", 190)] {
        let mut client = portal(tier);
        for n in 1..=limit {
            let request = client.request("GET", "/crm/v3/owners");
            let reply = client.send(&request);
            assert_eq!(reply.status, 200, "{tier} {n}");
            assert_eq!(header(&reply, "x-hubspot-ratelimit-max"), Some(limit.to_string()));
            assert_eq!(header(&reply, "x-hubspot-ratelimit-remaining"), Some((limit - n).to_string()));
            assert_eq!(header(&reply, "x-hubspot-ratelimit-interval-milliseconds"), Some("10000".into()));
        }
        let reply = client.get("/crm/v3/owners");
        assert_eq!(reply.1["policyName"], "TEN_SECONDLY_ROLLING");
        assert_eq!(reply.1["errorType"], "RATE_LIMIT");
        assert_eq!(refused(reply, 429, "RATE_LIMITS"), "You have reached your ten_secondly_rolling limit.");
        client.token = "b".into();
        assert_eq!(client.get("/crm/v3/owners").0, 200, "another app has its own");
        client.token = "a".into();
        client.now = START + 10_001;
        assert_eq!(client.get("/crm/v3/owners").0, 200, "the first ones left the window");
        client.now += 10_000;
        assert_eq!(client.get("/crm/v3/owners").0, 200);
    }
}

#[test]
fn the_day_belongs_to_the_account_and_ends_at_its_midnight() {
    let mut client = portal("free");
    client.step = 101;
    client.sandbox.set_journal(handover_sandbox::journal::Keep::Counts);
    // 2026-11-20 09:00 UTC is 04:00 in New York: the day ends at 05:00 UTC.
    let request = client.request("GET", "/crm/v3/owners");
    for n in 0..250_000_u64 {
        let reply = client.send(&request);
        assert_eq!(reply.status, 200, "{n}");
        if n == 9 {
            assert_eq!(header(&reply, "x-hubspot-ratelimit-daily"), Some("250000".into()));
            assert_eq!(header(&reply, "x-hubspot-ratelimit-daily-remaining"), Some("249990".into()));
        }
    }
    client.token = "b".into();
    let reply = client.get("/crm/v3/owners");
    assert_eq!(reply.1["policyName"], "DAILY");
    assert_eq!(refused(reply, 429, "RATE_LIMITS"), "You have reached your daily limit.");
    client.now = START + 20 * 3_600_000 + 1;
    let (_, usage) = client.get("/account-info/v3/api-usage/daily/private-apps");
    assert_eq!(usage["results"][0]["usageLimit"], 250_000);
    assert_eq!(usage["results"][0]["currentUsage"], 1);
    assert_eq!(usage["results"][0]["resetsAt"], "2026-11-22T05:00:00.000Z");
}

#[test]
fn limits_can_be_switched_off() {
    let mut client = portal("free");
    client.sandbox.platform_mut().set_limits(false);
    assert!((0..300).all(|_| client.get("/crm/v3/owners").0 == 200));
}

#[test]
fn many_writes_lock_a_kind_for_two_seconds() {
    let mut client = Client::with(json!({"lock_writes_per_second": 3}));
    client.step = 10;
    for n in 0..3 {
        client.create("contacts", json!({"email": format!("c{n}@b.co")}));
    }
    let write = json!({"properties": {"lastname": "L"}});
    assert_eq!(client.post("/crm/v3/objects/contacts", write.clone()).0, 423);
    client.now += 1_500;
    assert_eq!(client.post("/crm/v3/objects/contacts", write.clone()).0, 423);
    assert_eq!(client.get("/crm/v3/objects/contacts").0, 200, "reading is free");
    client.now += 600;
    assert_eq!(client.post("/crm/v3/objects/contacts", write).0, 201);
}

#[test]
fn faults_speak_hubspots_words() {
    let mut client = Client::new();
    let plan = json!({"rules": [
        {"when": {"nth": 1}, "fault": {"kind": "limited", "scope": "daily"}},
        {"when": {"nth": 2}, "fault": {"kind": "limited", "retry_after_s": 10}},
        {"when": {"nth": 3}, "fault": {"kind": "maintenance"}},
        {"when": {"nth": 4}, "fault": {"kind": "maintenance", "status": 477, "retry_after_s": 60}},
        {"when": {"nth": 5}, "fault": {"kind": "unavailable", "status": 502}},
        {"when": {"nth": 6}, "fault": {"kind": "lost_after", "status": 504}},
        {"when": {"nth": 7}, "fault": {"kind": "lost_after"}},
        {"when": {"nth": 8}, "fault": {"kind": "expired_token"}},
        {"when": {"nth": 9}, "fault": {"kind": "limited", "scope": "search"}}]});
    client.sandbox.set_faults(FaultPlan::from_json(&plan.to_string()).unwrap());
    let mut next = |email: &str| {
        let request =
            client.request("POST", "/crm/v3/objects/contacts").with_json(&json!({"properties": {"email": email}}));
        client.send(&request)
    };
    assert_eq!(body(&next("a@b.co")).1["policyName"], "DAILY");
    let limited = next("a@b.co");
    assert_eq!(
        (body(&limited).1["policyName"].as_str(), header(&limited, "retry-after")),
        (Some("TEN_SECONDLY_ROLLING"), Some("10".into()))
    );
    assert_eq!(next("a@b.co").status, 423);
    let moving = next("a@b.co");
    assert_eq!((moving.status, header(&moving, "retry-after")), (477, Some("60".into())));
    assert_eq!((next("a@b.co").status, next("one@b.co").status, next("two@b.co").status), (502, 504, 0));
    let expired = body(&next("a@b.co"));
    assert_eq!(expired.1["message"], "The OAuth token used to make this call expired 75 second(s) ago.");
    refused(expired, 401, "EXPIRED_AUTHENTICATION");
    assert_eq!(body(&next("a@b.co")).1["policyName"], "SECONDLY");
    for address in ["one@b.co", "two@b.co"] {
        refused(body(&next(address)), 409, "CONFLICT");
    }
    assert_eq!(client.sandbox.journal().lost_after_commit().count(), 2);
}
