//! Large lists by jobs: what is asked for, what comes, and what happens when a job does not.

use std::collections::BTreeMap;

use handover_connect::{Clock as _, Connector as _, Credentials, Driver, Read, Which};
use handover_model::Record;
use handover_platforms::zoho::{Jobs, Zoho};
use handover_sandbox::faults::{DisturbAction, FaultPlan};
use secrecy::SecretString;
use serde_json::{Value as Json, json};

use super::{Stage, USER, driver, names};
use crate::lists::{once, rest};

/// Contacts of the world: one page of queries, and so many behind it.
const CONTACTS: u64 = 2_000 + BEHIND;
const BEHIND: u64 = 700;
const FIELDS: [&str; 17] = [
    "id",
    "Last_Name",
    "Email",
    "Phone",
    "Owner",
    "Account_Name",
    "Created_Time",
    "Created_By",
    "Email_Opt_Out",
    "My_Area",
    "My_Number",
    "My_Date",
    "My_Instant",
    "My_Flag",
    "My_Choice",
    "My_Choices",
    "My_Key",
];
const BASE: &str = "http://sandbox.test";

/// Jobs of at most 1,400 records, behind one page.
const SMALL: Jobs = Jobs { pages: 1, credits: 0, reach: 700, cells: 1_000_000, part: 150 };

/// Values that CSV could break: separators, quotes, ends of lines, what looks like nothing.
fn contact(n: u64) -> Json {
    let mut contact = json!({
        "id": 10_000 + n, "Last_Name": format!("A, \"{n}\" \u{1f980}"), "Owner": USER, "My_Flag": n.is_multiple_of(2),
        "Created_Time": made(n), "Modified_Time": if n.is_multiple_of(5) { "2026-02-01T10:00:00Z" } else { "2026-01-02T10:00:00Z" },
    });
    if n.is_multiple_of(3) {
        contact["My_Area"] =
            json!(["one\ntwo", "a\r\nb", "-None-", "null", "true", "12,5", "'\"'", " x "][(n % 8) as usize]);
        contact["Email"] = json!(format!("a{n}@x.example"));
        contact["Account_Name"] = json!(1);
        contact["My_Number"] = json!(n as f64 * 1000.125);
        contact["My_Date"] = json!("2026-02-28");
        contact["My_Instant"] = json!("2026-03-29T01:30:00Z");
        contact["My_Choice"] = json!("High");
        contact["My_Choices"] = if n.is_multiple_of(2) { json!(["Low", "High"]) } else { json!(["High"]) };
        contact["My_Key"] = json!(format!("0{n}"));
    }
    contact
}

/// Three are made in a second, and ids say nothing of it.
fn made(n: u64) -> String {
    let second = (n * 7) % CONTACTS / 3;
    format!("2026-01-01T{:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60)
}

fn world(settings: Json) -> Json {
    let picks = json!([{"display": "Low"}, {"display": "Very high", "actual": "High"}]);
    json!({
        "settings": settings,
        "org": {"time_zone": "Europe/Berlin"},
        "fields": {"Contacts": [
            {"api_name": "My_Area", "data_type": "textarea", "textarea": "large"},
            {"api_name": "My_Number", "data_type": "double", "decimals": 3},
            {"api_name": "My_Date", "data_type": "date"}, {"api_name": "My_Instant", "data_type": "datetime"},
            {"api_name": "My_Flag", "data_type": "boolean"},
            {"api_name": "My_Choice", "data_type": "picklist", "picks": picks},
            {"api_name": "My_Choices", "data_type": "multiselectpicklist", "picks": picks},
            {"api_name": "My_Key", "data_type": "text", "length": 120},
        ]},
        "records": {
            "Accounts": [{"id": 1, "Account_Name": "A"}],
            "Contacts": (1..=CONTACTS).map(contact).collect::<Vec<_>>(),
        },
    })
}

fn token() -> Credentials {
    Credentials::Token(SecretString::from("token"))
}

async fn stage(world: Json, dialect: Zoho) -> Stage {
    let stage = Stage::by(world, token(), BASE, dialect);
    stage.schema("Contacts").await;
    stage
}

async fn org(settings: Json) -> Stage {
    stage(world(settings), Zoho::new().with_jobs(SMALL)).await
}

fn read() -> Read {
    Read { object: "Contacts".into(), fields: names(&FIELDS), which: Which::Live, since: None }
}

impl Stage {
    /// The requests since the `from`th, and how often each came; jobs without their ids.
    fn paths(&self, from: usize) -> BTreeMap<String, usize> {
        let sandbox = self.sandbox.lock().unwrap();
        let mut paths = BTreeMap::new();
        for entry in sandbox.journal().entries().iter().filter(|entry| entry.method != "DISTURB").skip(from) {
            let path = entry.path.trim_start_matches("/crm/");
            let parts = path.split('/').map(|part| if part.parse::<u64>().is_ok() { "*" } else { part });
            *paths.entry(format!("{} {}", entry.method, parts.collect::<Vec<_>>().join("/"))).or_default() += 1;
        }
        paths
    }

    /// Another driver before the same organization, as after a crash.
    async fn another(&self) -> Driver {
        let driver = driver(Zoho::new().with_jobs(SMALL), &self.transport, &self.clock, token(), BASE);
        driver.describe(&"Contacts".into()).await.unwrap();
        driver
    }
}

/// The whole list by queries.
async fn by_queries() -> Vec<Record> {
    let stage = stage(world(json!({})), Zoho::new()).await;
    let all = rest(&stage.driver, &read(), None).await;
    assert!(stage.paths(0).keys().all(|path| !path.contains("bulk")), "too few for jobs");
    all
}

#[tokio::test]
async fn a_job_brings_what_queries_bring() {
    let expected = by_queries().await;
    assert_eq!(expected.len() as u64, CONTACTS);
    let stage = org(json!({})).await;
    let before = stage.sent();
    let all = rest(&stage.driver, &read(), None).await;
    assert_eq!(all.len() as u64, CONTACTS, "each record once");
    assert_eq!(once(all), expected);
    // A page, the number behind it, the ends of the jobs: two for the first, the second begins with 1,300 left.
    // The state is asked for after 0, 5, 15 and 35 seconds. Each result comes once, however many parts it is read in.
    let paths: Vec<(String, usize)> = stage.paths(before).into_iter().collect();
    let wanted =
        [("GET bulk/v8/read/*", 8), ("GET bulk/v8/read/*/result", 2), ("POST bulk/v8/read", 2), ("POST v8/coql", 6)];
    assert_eq!(paths, wanted.map(|(path, times)| (path.to_owned(), times)));
    assert_eq!(stage.driver.spent().charges["daily"], 3 + 1 + 2 * 2 + 2 * (50 + 4 + 1) + described(&stage));
}

/// What the description before took.
fn described(stage: &Stage) -> u64 {
    let paths = stage.paths(0);
    paths.iter().filter(|(path, _)| path.contains("settings")).map(|(_, times)| *times as u64).sum()
}

#[tokio::test]
async fn changed_records_are_read_by_jobs_too() {
    let mut world = world(json!({}));
    for contact in world["records"]["Contacts"].as_array_mut().unwrap().iter_mut().skip(100) {
        contact["Modified_Time"] = json!("2026-02-02T10:00:00Z");
    }
    let since = Read { since: Some("2026-02-02T10:00:00Z".parse().unwrap()), ..read() };
    let mut found = Vec::new();
    for dialect in [Zoho::new(), Zoho::new().with_jobs(SMALL)] {
        let stage = stage(world.clone(), dialect).await;
        let records = once(rest(&stage.driver, &since, None).await);
        assert_eq!(records.len() as u64, CONTACTS - 100);
        found.push((records, stage.paths(0).contains_key("POST bulk/v8/read")));
    }
    assert_eq!(found[0].0, found[1].0);
    assert_eq!((found[0].1, found[1].1), (false, true));
}

#[tokio::test]
async fn whoever_goes_on_finds_the_job() {
    let stage = org(json!({})).await;
    let (mut cursor, mut all) = (None, Vec::new());
    // Every page is read by another process.
    loop {
        let driver = stage.another().await;
        // Ten results may be fetched in a minute.
        stage.clock.set(stage.clock.now().checked_add(jiff::SignedDuration::from_secs(10)).unwrap());
        let page = driver.page(&read(), cursor.as_ref()).await.unwrap();
        all.extend(page.records);
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(all.len() as u64, CONTACTS);
    assert_eq!(once(all), by_queries().await);
    let paths = stage.paths(0);
    assert_eq!(paths["POST bulk/v8/read"], 2, "no job twice");
    assert!(paths["GET bulk/v8/read/*/result"] >= CONTACTS as usize / 150, "{paths:?}");
}

#[tokio::test]
async fn what_is_deleted_meanwhile_moves_nothing_out_of_sight() {
    let stage = org(json!({})).await;
    let (mut cursor, mut all, mut gone) = (None, Vec::new(), Vec::new());
    loop {
        let page = stage.driver.page(&read(), cursor.as_ref()).await.unwrap();
        all.extend(page.records);
        let Some(next) = page.next else { break };
        cursor = Some(next);
        // Some of each half, wherever the reading is.
        for _ in 0..3 {
            let n = gone.len() as u64 * 61 % CONTACTS + 1;
            stage.upset("Contacts", 10_000 + n, DisturbAction::Delete);
            gone.push((10_000 + n).to_string());
        }
    }
    let have: std::collections::HashSet<String> = all.iter().map(|record| record.id.to_string()).collect();
    let lacks = |n: &u64| !have.contains(&(10_000 + n).to_string()) && !gone.contains(&(10_000 + n).to_string());
    assert_eq!((1..=CONTACTS).filter(lacks).count(), 0);
    assert!(gone.len() > 20 && stage.paths(0)["POST bulk/v8/read"] == 2);
}

#[tokio::test]
async fn what_is_refused_or_fails_gives_way_to_queries() {
    let expected = by_queries().await;
    let scope = "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.coql.READ";
    let without_scope = |mut world: Json| {
        world["scope"] = json!(scope);
        world
    };
    let free = |mut world: Json| {
        world["org"]["edition"] = json!("free");
        world
    };
    // A job that is never done is asked for an hour.
    for (world, begun, asked) in [
        (without_scope(world(json!({}))), 1, 0),
        (free(world(json!({}))), 1, 0),
        (world(json!({"bulk_s": 100_000})), 1, 65),
        (world(json!({"bulk_page": 800})), 1, 4),
    ] {
        let stage = stage(world, Zoho::new().with_jobs(SMALL)).await;
        let all = rest(&stage.driver, &read(), None).await;
        assert_eq!(all.len() as u64, CONTACTS);
        assert_eq!(once(all), expected);
        let paths = stage.paths(0);
        let times = |path: &str| paths.get(path).copied().unwrap_or(0);
        assert_eq!((times("POST bulk/v8/read"), times("GET bulk/v8/read/*")), (begun, asked), "{paths:?}");
        assert_eq!(times("GET bulk/v8/read/*/result"), 0);
    }
}

#[tokio::test]
async fn more_in_a_second_than_a_job_may_have_is_read_by_queries() {
    let mut world = world(json!({}));
    for contact in world["records"]["Contacts"].as_array_mut().unwrap() {
        contact["Created_Time"] = json!("2026-01-01T00:00:00Z");
    }
    let stage = stage(world, Zoho::new().with_jobs(SMALL)).await;
    assert_eq!(once(rest(&stage.driver, &read(), None).await).len() as u64, CONTACTS);
    assert!(!stage.paths(0).contains_key("POST bulk/v8/read"));
}

#[tokio::test]
async fn a_result_that_is_cut_or_spoilt_loses_nothing() {
    let expected = by_queries().await;
    for fault in [
        json!({"kind": "malformed"}),
        json!({"kind": "cut", "bytes": 200}),
        json!({"kind": "unavailable", "status": 503}),
        json!({"kind": "lost_after"}),
    ] {
        let stage = org(json!({})).await;
        let rules = json!([{"when": {"path": "/crm/bulk/v8/read*", "to": 2}, "fault": fault},
            {"when": {"path": "/crm/bulk/v8/read/*/result", "to": 1}, "fault": fault}]);
        let plan: FaultPlan = serde_json::from_value(json!({"seed": 5, "rules": rules})).unwrap();
        plan.check().unwrap();
        stage.sandbox.lock().unwrap().set_faults(plan);
        let all = rest(&stage.driver, &read(), None).await;
        assert_eq!(once(all), expected, "{fault}");
    }
}

#[tokio::test]
async fn only_what_pays_is_read_by_jobs() {
    // As it is: some pages, and the number behind them where there are more; this is far too little for a job.
    let usual = Jobs { pages: 1, ..Jobs::default() };
    let stage = stage(world(json!({})), Zoho::new().with_jobs(usual)).await;
    let before = stage.sent();
    assert_eq!(rest(&stage.driver, &read(), None).await.len() as u64, CONTACTS);
    assert_eq!(stage.paths(before).into_iter().collect::<Vec<_>>(), [("POST v8/coql".to_owned(), 3)]);
}
