//! The sample company standing in HubSpot.

#![expect(clippy::unwrap_used, reason = "a world file without a key is a failed test")]

use std::collections::{HashMap, HashSet};

use handover_sandbox::sample::{self, HubspotCompany};
use serde_json::Value as Json;

use crate::sample::{SEEDS, contact_emails, list, text};

#[test]
fn the_company_stands_in_hubspot_too() {
    for seed in SEEDS {
        let HubspotCompany { hubspot, pipedrive, facts } = sample::hubspot_company(seed);
        let count = |name: &str| list(&hubspot["objects"], name).len();
        assert_eq!([count("companies"), count("contacts"), count("deals")], [1_000, 4_200, 1_800], "seed {seed}");
        assert_eq!(count("notes"), 6_000 + facts.file_notes.len(), "seed {seed}");
        assert_eq!(facts.file_notes.len(), 199, "seed {seed}: one file has no bytes");
        assert_eq!(count("calls") + count("meetings") + count("tasks"), 5_000, "seed {seed}");
        assert_eq!(count("emails"), 239, "seed {seed}: a draft is no e-mail yet");
        assert_eq!((facts.untranslated_deals.len(), facts.departed_contacts.len()), (140, 34), "seed {seed}");
        assert!(list(&pipedrive, "deals").is_empty() && list(&pipedrive, "users").len() == 12);
        check_hubspot(&hubspot, &facts, seed);
    }
}

fn check_hubspot(hubspot: &Json, facts: &sample::HubspotFacts, seed: u64) {
    let mut addresses = HashSet::new();
    let mut known = HashSet::new();
    let stages: HashMap<&str, HashSet<&str>> = list(&hubspot["pipelines"], "deals")
        .iter()
        .map(|one| {
            (one["id"].as_str().unwrap(), list(one, "stages").iter().filter_map(|stage| stage["id"].as_str()).collect())
        })
        .collect();
    for (object, records) in hubspot["objects"].as_object().unwrap() {
        for record in records.as_array().unwrap() {
            assert!(known.insert((object.as_str(), record["id"].as_str().unwrap())), "seed {seed}: id twice");
            assert!(record["properties"].as_object().unwrap().values().all(Json::is_string), "seed {seed}: {record}");
            for address in contact_emails(record) {
                assert!(addresses.insert(address), "seed {seed}: {record}");
            }
            if object == "deals" {
                let stage = text(record, "dealstage").unwrap();
                assert!(stages[text(record, "pipeline").unwrap()].contains(stage), "seed {seed}");
                let listed = facts.untranslated_deals.iter().any(|one| record["id"] == **one);
                assert_eq!(listed, facts.untranslated_stages.iter().any(|one| one == stage), "seed {seed}");
            }
            let longest = text(record, "hs_note_body").map_or(0, |body| body.chars().count());
            assert!(longest <= 65_536, "seed {seed}");
        }
    }
    for link in list(hubspot, "associations") {
        for (kind, id) in [("fromType", "fromId"), ("toType", "toId")] {
            assert!(known.contains(&(link[kind].as_str().unwrap(), link[id].as_str().unwrap())), "seed {seed}: {link}");
        }
    }
}
