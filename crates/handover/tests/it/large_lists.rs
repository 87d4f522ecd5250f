//! Large lists of Zoho CRM, read by jobs: what arrives is the same wherever a process dies.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use handover_engine::{Policies, Selection};
use handover_model::{End, Flow, From, Rule};
use handover_platforms::zoho::{Jobs, Zoho};
use handover_sandbox::Sandbox;
use serde_json::{Value as Json, json};

use crate::rig::{Around, Death, Two};

/// One page of a query, and what is left to jobs.
const CONTACTS: u64 = 2_250;
const FIELDS: [&str; 4] = ["First_Name", "Last_Name", "Email", "Description"];
const KEY: &str = "Handover_Key";
const USER: u64 = 100_000_000_000_000_001;

fn org(contacts: Vec<Json>) -> Arc<Mutex<Sandbox>> {
    let scope = "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.users.ALL,ZohoCRM.org.READ,ZohoCRM.coql.READ,ZohoCRM.bulk.READ";
    let world = json!({
        "platform": "zoho",
        "users": [{"id": USER, "first_name": "Ada", "last_name": "A", "email": "a@x.example", "admin": true}],
        "access": {"tokens": {"tok": {"user": USER, "scope": scope}}},
        "fields": {"Contacts": [
            {"api_name": KEY, "data_type": "text", "length": 120, "unique": true, "case_sensitive": true},
        ]},
        "records": {"Contacts": contacts},
    });
    let org = handover_sandbox::zoho::Zoho::from_world(world, 1).unwrap();
    Arc::new(Mutex::new(Sandbox::new(Box::new(org))))
}

fn contact(n: u64) -> Json {
    json!({
        "id": 200_000_000_000_000_000 + n, "First_Name": format!("F {n}"), "Last_Name": format!("M\u{fc}ller, \"{n}\""),
        "Email": format!("p{n}@x.example"), "Description": format!("one\ntwo {n}"),
        "Created_Time": format!("2025-11-05T10:{:02}:{:02}Z", n * 7 % CONTACTS / 60, n % 60),
        "Modified_Time": "2025-12-05T10:11:12Z",
    })
}

/// Jobs of at most 1,600 records, whose results are read in parts.
fn dialect() -> Zoho {
    Zoho::new().with_jobs(Jobs { pages: 1, credits: 0, reach: 800, cells: 1_000_000, part: 300 })
}

fn ground() -> Two {
    let end = |system: &str| End::new(system, "Contacts");
    let rules = FIELDS.map(|field| Rule::new(field, From::Fields(vec![field.into()]))).into();
    let flow = Flow { key: Some(KEY.into()), ..Flow::new("people", end("old"), end("new"), rules) };
    let systems = [org((1..=CONTACTS).map(contact).collect()), org(Vec::new())];
    Two::of(|| Box::new(dialect()), systems, flow, Policies::default())
}

/// One process that comes to its end.
fn whole(ground: &mut Two) {
    let report = ground.live(Death::No, &Selection::All).unwrap().unwrap();
    let counts = report.objects[0].counts;
    assert!(counts.adds_up() && counts.read == CONTACTS && counts.created == CONTACTS, "{counts:?}");
}

/// The target's contacts by key, without ids and times; each has been made once.
fn there(ground: &Two) -> BTreeMap<String, Vec<String>> {
    let world = ground.systems[1].lock().unwrap().platform().world();
    let contacts = world["records"]["Contacts"].as_array().map_or(&[][..], Vec::as_slice);
    let of = |contact: &Json| {
        let values = FIELDS.map(|field| contact[field].as_str().unwrap_or_default().to_owned());
        (contact[KEY].as_str().unwrap().to_owned(), values.to_vec())
    };
    let all: BTreeMap<_, _> = contacts.iter().map(of).collect();
    assert_eq!(all.len(), contacts.len(), "no record was made twice");
    all
}

/// How often the source was asked to begin a job, and for a result.
fn jobs(ground: &Two) -> (usize, usize) {
    let old = ground.systems[0].lock().unwrap();
    let journal = old.journal();
    let entries = journal.entries();
    let begun = entries.iter().filter(|entry| entry.method == "POST" && entry.path == "/crm/bulk/v8/read").count();
    (begun, entries.iter().filter(|entry| entry.path.ends_with("/result")).count())
}

#[test]
fn what_jobs_read_is_carried() {
    let mut ground = ground();
    whole(&mut ground);
    assert_eq!(jobs(&ground), (2, 2));
    let there = there(&ground);
    assert_eq!(there.len() as u64, CONTACTS);
    assert!(
        there.values().all(|values| values[1].starts_with("M\u{fc}ller, \"") && values[3].starts_with("one\ntwo "))
    );
}

#[test]
fn dying_around_every_request_that_reads() {
    let quiet = {
        let mut ground = ground();
        whole(&mut ground);
        there(&ground)
    };
    // From the first page on: what comes before describes. Reading is done long before all is written.
    let mut after = Vec::new();
    for n in 1.. {
        let mut ground = ground();
        let around = if n % 2 == 0 { Around::Before } else { Around::After };
        if ground.live(Death::AtRequest(n, around), &Selection::All).is_some() {
            break;
        }
        let read = jobs(&ground);
        whole(&mut ground);
        assert!(there(&ground) == quiet, "{n} {around:?}");
        // A job that was begun is gone on with, unless its id was lost with the process.
        let (begun, results) = jobs(&ground);
        assert!(begun <= 3 && results <= 4, "{n} {around:?}: {begun} {results}");
        after.push(read);
        if read.1 == 2 {
            break;
        }
    }
    // It died before, between and behind both jobs.
    assert!(
        after.contains(&(0, 0)) && after.contains(&(1, 0)) && after.contains(&(1, 1)) && after.contains(&(2, 2)),
        "{after:?}"
    );
}
