//! What the HubSpot portal knows of the sample company's people.

#![expect(clippy::unwrap_used, reason = "a world file without a key is a failed test")]

use std::collections::{BTreeMap, BTreeSet, HashMap};

use handover_sandbox::sample::{self, Company, Finding, Scale};
use serde_json::Value as Json;

use crate::sample::{SEEDS, by_id, contact_emails, dialled, emails, id, list, live, phones, text};

/// Which contacts qualify for whom, found anew from both worlds.
#[test]
fn the_portal_knows_whom_the_facts_name() {
    for seed in SEEDS {
        let Company { pipedrive, hubspot, facts } = sample::company(seed);
        let (mut by_email, mut by_phone, mut by_external) =
            (HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new());
        for contact in list(&hubspot["objects"], "contacts") {
            let contact_id = contact["id"].as_str().unwrap().to_owned();
            for email in contact_emails(contact) {
                by_email.entry(email).or_default().push(contact_id.clone());
            }
            if let Some(phone) = text(contact, "phone") {
                by_phone.entry(dialled(phone)).or_default().push(contact_id.clone());
            }
            if let Some(external) = text(contact, "pipedrive_person_id") {
                by_external.entry(external.to_owned()).or_default().push(contact_id.clone());
            }
        }
        assert!(by_email.values().all(|contacts| contacts.len() == 1), "seed {seed}: HubSpot's addresses are unique");
        let mut expected: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
        for one in facts.matches.iter().chain(&facts.ambiguous).chain(&facts.contradicting) {
            expected.insert(one.person, one.contacts.iter().cloned().collect());
        }
        let mut found: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
        for person in list(&pipedrive, "persons") {
            let keys = [
                emails(person).iter().filter_map(|email| by_email.get(email)).flatten().cloned().collect::<Vec<_>>(),
                phones(person).iter().filter_map(|phone| by_phone.get(phone)).flatten().cloned().collect(),
                by_external.get(&id(person).to_string()).cloned().unwrap_or_default(),
            ];
            let contacts: BTreeSet<String> = keys.into_iter().flatten().collect();
            if !contacts.is_empty() {
                found.insert(id(person), contacts);
            }
        }
        assert_eq!(found, expected, "seed {seed}");
        check_findings(&pipedrive, &hubspot, &facts, seed);
    }
}

#[test]
fn a_person_is_odd_in_one_way_only() {
    for seed in SEEDS {
        let facts = sample::company(seed).facts;
        let found = facts.matches.iter().chain(&facts.ambiguous).chain(&facts.contradicting).chain(&facts.near_misses);
        let mut persons: Vec<u64> = found.map(|one| one.person).collect();
        persons.extend(facts.shared_email_pairs.iter().flat_map(|pair| [pair.0, pair.1]));
        persons.extend(facts.refused_emails.iter().map(|one| one.0));
        persons.extend(facts.persons_with_trailing_space.iter().chain(&facts.departed_persons));
        persons.push(facts.person_with_eleven_emails);
        let distinct: BTreeSet<u64> = persons.iter().copied().collect();
        assert_eq!(distinct.len(), persons.len(), "seed {seed}");
    }
}

#[test]
fn twice_the_size_keeps_the_oddities() {
    let Company { pipedrive, facts, .. } = sample::company_scaled(SEEDS[0], Scale::times(2));
    let count = |name: &str| live(&pipedrive, name).len();
    assert_eq!([count("organizations"), count("persons"), count("deals")], [2_000, 8_400, 3_600]);
    assert_eq!((facts.matches.len(), facts.untranslated_deals.len()), (280, 140));
}

fn check_findings(pipedrive: &Json, hubspot: &Json, facts: &sample::Facts, seed: u64) {
    let persons = by_id(pipedrive, "persons");
    let contacts: HashMap<&str, &Json> =
        list(&hubspot["objects"], "contacts").iter().map(|one| (one["id"].as_str().unwrap(), one)).collect();
    let mut other_case = 0;
    for one in facts.matches.iter().chain(&facts.near_misses).chain(&facts.ambiguous).chain(&facts.contradicting) {
        let (person, contact) = (persons[&one.person], contacts[one.contacts[0].as_str()]);
        let first_phone = person["phones"][0]["value"].as_str();
        match one.finding {
            Finding::Email => {
                other_case += usize::from(person["emails"][0]["value"].as_str() != text(contact, "email"));
            }
            Finding::AdditionalEmail => {
                assert!(text(contact, "hs_additional_emails").is_some());
            }
            Finding::Phone => {
                assert!(text(contact, "email").is_none() && text(contact, "phone") != first_phone, "seed {seed}");
            }
            Finding::SameNameOnly => {
                let name = person["name"].as_str().unwrap();
                assert!(name.contains(text(contact, "firstname").unwrap()), "seed {seed}");
                assert!(name.contains(text(contact, "lastname").unwrap()), "seed {seed}");
            }
            Finding::ExternalId => assert!(text(contact, "phone").is_none(), "seed {seed}"),
            Finding::SamePhoneTwice | Finding::SameExternalIdTwice | Finding::EmailAgainstPhone => {
                assert_eq!(one.contacts.len(), 2, "seed {seed}");
            }
        }
    }
    assert!(other_case > 60, "seed {seed}: {other_case} addresses in another case");
}
