//! Large batches: they end as ordinary ones do, whatever goes wrong and wherever a process dies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use handover_connect::VirtualClock;
use handover_engine::{Overlay, Pass, Policies, Report, Selection, Setup, Unobserved, Workplace};
use handover_model::{End, Flow, From, Rule};
use handover_sandbox::Sandbox;
use handover_sandbox::faults::FaultPlan;
use handover_store::{Location, Moment, Store};
use serde_json::{Value as Json, json};

use crate::rig::{Around, Death, Two, Wire};

/// One ordinary wave and what pays for a large batch.
const CONTACTS: usize = 2_300;
/// Ordinary batches of a wave.
const WAVE: usize = 200;
const KEY: &str = "Handover_Key__c";
const USER: &str = "005Aa0000000001IAA";

fn org(settings: Json, contacts: Vec<Json>) -> Arc<Mutex<Sandbox>> {
    let world = json!({
        "platform": "salesforce", "complete": true, "settings": settings,
        "sessions": {"tok": {"user": USER, "used": null, "refreshable": false}},
        "fields": {"Contact": [{"name": KEY, "type": "string", "length": 120, "unique": true, "external_id": true}]},
        "records": {
            "User": [{"Id": USER, "Username": "u@x.example", "LastName": "U", "Email": "u@x.example", "Alias": "u",
                "IsActive": true}],
            "Contact": contacts,
        },
    });
    let org = handover_sandbox::salesforce::Salesforce::from_world(world, 1).unwrap();
    Arc::new(Mutex::new(Sandbox::new(Box::new(org))))
}

fn contact(n: usize) -> Json {
    json!({
        "Id": format!("003Aa0{n:09}"), "FirstName": format!("F {n}"), "LastName": format!("M\u{fc}ller, \"{n}\""),
        "Email": format!("p{n}@x.example"), "Description": format!("one\ntwo {n}"),
        "CreatedDate": "2024-03-05T10:11:12.000+0000", "LastModifiedDate": "2025-11-05T10:11:12.000+0000",
        "SystemModstamp": "2025-11-05T10:11:12.000+0000",
    })
}

/// A contact that the target refuses: its name is longer than a name may be there.
const BAD: usize = 1_500;

fn flow() -> Flow {
    let end = |system: &str| End::new(system, "Contact");
    let rule = |(target, source): (&str, &str)| Rule::new(target, From::Fields(vec![source.into()]));
    let fields =
        [("FirstName", "FirstName"), ("LastName", "LastName"), ("Email", "Email"), ("Description", "Description")];
    let rules = fields.into_iter().map(rule).collect();
    Flow { key: Some(KEY.into()), ..Flow::new("people", end("old"), end("new"), rules) }
}

/// Two organizations.
struct Ground(Two);

impl Ground {
    fn new(settings: Json) -> Self {
        Self::of(settings, (1..=CONTACTS).map(contact).collect())
    }

    fn of(settings: Json, contacts: Vec<Json>) -> Self {
        let systems = [org(json!({}), contacts), org(settings, Vec::new())];
        let dialect = || handover_platforms::dialect("salesforce").unwrap();
        Self(Two::of(dialect, systems, flow(), Policies { wave: WAVE, ..Policies::default() }))
    }

    fn live(&mut self, death: Death) -> Option<Result<Report, handover_engine::Error>> {
        self.0.live(death, &Selection::All)
    }

    /// One that comes to its end.
    fn whole(&mut self) -> Report {
        self.live(Death::No).unwrap().unwrap()
    }

    /// The target's contacts by key, without ids and times; each has been made once.
    fn there(&self) -> BTreeMap<String, Vec<String>> {
        let new = self.0.systems[1].lock().unwrap();
        let world = new.platform().world();
        let contacts = world["records"]["Contact"].as_array().map_or(&[][..], Vec::as_slice);
        let of = |contact: &Json| {
            let fields = ["FirstName", "LastName", "Email", "Description"];
            let values = fields.map(|field| contact[field].as_str().unwrap_or_default().to_owned());
            (contact[KEY].as_str().unwrap().to_owned(), values.to_vec())
        };
        let all: BTreeMap<_, _> = contacts.iter().map(of).collect();
        assert_eq!(all.len(), contacts.len(), "no record was made twice");
        all
    }

    /// The requests to the target that write, by what they are, with how often they came.
    fn sent(&self) -> BTreeMap<String, usize> {
        let new = self.0.systems[1].lock().unwrap();
        let mut sent = BTreeMap::new();
        for entry in new.journal().entries() {
            let path = entry.path.trim_start_matches("/services/data/v66.0/");
            let parts = path.split('/').map(|part| if part.starts_with("750") { "*" } else { part });
            let path = format!("{} {}", entry.method, parts.collect::<Vec<_>>().join("/"));
            if path.contains("jobs/ingest") || path.contains("composite/sobjects/Contact/") {
                *sent.entry(path).or_default() += 1;
            }
        }
        sent
    }

    fn faults(&self, rules: Json) {
        let plan: FaultPlan = serde_json::from_value(json!({"seed": 3, "rules": rules})).unwrap();
        plan.check().unwrap();
        self.0.systems[1].lock().unwrap().set_faults(plan);
    }
}

const COLLECTION: &str = "PATCH composite/sobjects/Contact/Handover_Key__c";

fn created(report: &Report) -> (u64, u64) {
    let counts = report.objects[0].counts;
    assert!(counts.adds_up() && counts.read == CONTACTS as u64 && counts.pending == 0, "{counts:?}");
    (counts.created, counts.held)
}

#[test]
fn what_pays_goes_in_one_batch_as_the_plan_says() {
    let mut ground = Ground::new(json!({}));
    // The plan, over an empty state of its own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let planned = runtime.block_on(async {
        let clock = Arc::new(VirtualClock::new(ground.0.now));
        let [old, new] = ground.0.connect(&clock, &Arc::new(Wire::new(Death::No, None)));
        let overlay = Arc::new(Overlay::new(new, BTreeMap::new(), BTreeSet::new()));
        let setup = Setup::prepare(ground.0.project([old, overlay.clone()])).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Location::Sqlite(folder.path().join("plan.db"))).await.unwrap();
        let scratch = folder.path().join("scratch");
        let place = Workplace { store, clock, scratch, observer: Arc::new(Unobserved) };
        let pass = Pass::begin(setup, &place, "plan", Arc::new(AtomicBool::new(false))).await.unwrap();
        assert_eq!(created(&pass.run(&Selection::All).await.unwrap()), (CONTACTS as u64, 0));
        overlay.planned()
    });
    drop(runtime);
    assert!(ground.there().is_empty() && ground.sent().is_empty());
    assert_eq!(created(&ground.whole()), (CONTACTS as u64, 0));
    let sent = ground.sent();
    assert_eq!(sent[COLLECTION], 1, "the first wave");
    assert_eq!((sent["POST jobs/ingest"], sent["PUT jobs/ingest/*/batches"]), (1, 1));
    // The plan reckons with what a job takes as a rule.
    let calls: usize = sent.values().sum();
    assert_eq!(planned.calls["Contact"], 1 + 7);
    assert!(calls.abs_diff(8) <= 1, "{sent:?}");
    // A second pass has nothing to do.
    ground.whole();
    assert_eq!(ground.sent(), sent);
}

#[test]
fn one_bad_record_among_thousands_is_held_alone() {
    let mut contacts: Vec<Json> = (1..=CONTACTS).map(contact).collect();
    contacts[BAD]["Email"] = json!("no address");
    let mut ground = Ground::of(json!({}), contacts);
    // The source has what its own rules would not let in.
    assert_eq!(created(&ground.whole()), (CONTACTS as u64 - 1, 1));
    assert_eq!(ground.there().len(), CONTACTS - 1);
    assert_eq!(ground.sent()[COLLECTION], 1);
}

#[test]
fn what_goes_by_no_job_goes_by_collections() {
    let quiet = {
        let mut ground = Ground::new(json!({}));
        ground.whole();
        ground.there()
    };
    let jobs = "/services/data/v66.0/jobs/ingest";
    let results = format!("{jobs}/*/successfulResults");
    // A quota, a job that never ends, results that nobody gets, a token that is refused for a while.
    let cases = [
        (json!({"daily_batches": 0}), json!([])),
        (json!({"bulk_s": 1_000_000}), json!([])),
        (json!({}), json!([{"when": {"path": results}, "fault": {"kind": "unavailable", "status": 503}}])),
        (json!({}), json!([{"when": {"path": format!("{jobs}/*/batches")}, "fault": {"kind": "lost_after"}}])),
        (json!({"lock_every": 700}), json!([])),
    ];
    for (settings, rules) in cases {
        let mut ground = Ground::new(settings.clone());
        ground.faults(rules.clone());
        assert_eq!(created(&ground.whole()), (CONTACTS as u64, 0), "{settings} {rules}");
        assert!(ground.there() == quiet, "{settings} {rules}");
        let sent = ground.sent();
        assert!(sent[COLLECTION] > 1 && sent["POST jobs/ingest"] >= 1, "{settings} {rules}: {sent:?}");
        // Never one by one.
        assert!(sent[COLLECTION] < 60, "{settings} {rules}: {sent:?}");
    }
}

#[test]
fn text_that_a_job_could_not_carry_arrives() {
    let mut contacts: Vec<Json> = (1..=CONTACTS).map(contact).collect();
    contacts[BAD]["Description"] = json!("#N/A");
    contacts[BAD + 1]["Description"] = json!("one\r\ntwo");
    let mut ground = Ground::of(json!({}), contacts);
    assert_eq!(created(&ground.whole()), (CONTACTS as u64, 0));
    let there = ground.there();
    assert_eq!(there.values().filter(|values| values[3] == "#N/A").count(), 1);
    assert_eq!(there.values().filter(|values| values[3] == "one\r\ntwo").count(), 1);
}

#[test]
fn dying_around_every_request_of_a_job() {
    let (quiet, first, last) = {
        let mut ground = Ground::new(json!({}));
        ground.whole();
        let steps: usize = ground.sent().values().sum();
        (ground.there(), ground.0.requests - steps as u64, ground.0.requests)
    };
    for n in first..=last {
        for around in [Around::Before, Around::After] {
            let mut ground = Ground::new(json!({}));
            assert!(ground.live(Death::AtRequest(n, around)).is_none(), "{n} {around:?}");
            assert_eq!(created(&ground.whole()), (CONTACTS as u64, 0), "{n} {around:?}");
            assert!(ground.there() == quiet, "{n} {around:?}");
            // What the dead process began ends, and changes nothing.
            ground.0.now += jiff::SignedDuration::from_hours(1);
            ground.whole();
            assert!(ground.there() == quiet, "{n} {around:?}");
        }
    }
}

#[test]
fn dying_at_the_last_durable_writes() {
    let (quiet, writes) = {
        let mut ground = Ground::new(json!({}));
        ground.whole();
        (ground.there(), ground.0.writes)
    };
    for n in writes.saturating_sub(9)..=writes {
        for moment in [Moment::Before, Moment::After] {
            let mut ground = Ground::new(json!({}));
            let ended = ground.live(Death::AtWrite(n, moment));
            assert!(ended.is_none_or(|ended| ended.is_err()), "{n} {moment:?}");
            assert_eq!(created(&ground.whole()), (CONTACTS as u64, 0), "{n} {moment:?}");
            assert!(ground.there() == quiet, "{n} {moment:?}");
        }
    }
}
