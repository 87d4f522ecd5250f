//! The sample company: exact counts, determinism, and that its facts say what its worlds hold.

#![expect(clippy::unwrap_used, reason = "a world file without a key is a failed test")]

use std::collections::{BTreeMap, HashMap, HashSet};

use handover_sandbox::sample::{self, Company, Finding, Scale};
use serde_json::Value as Json;

/// Seeds of the checks that hold for any seed.
pub(crate) const SEEDS: [u64; 2] = [7, 2026];

pub(crate) fn list<'a>(world: &'a Json, name: &str) -> &'a [Json] {
    world[name].as_array().unwrap_or_else(|| panic!("no list {name}")).as_slice()
}

pub(crate) fn is_live(record: &Json) -> bool {
    record["is_deleted"] != true && record["active_flag"] != false
}

pub(crate) fn live<'a>(world: &'a Json, name: &str) -> Vec<&'a Json> {
    list(world, name).iter().filter(|record| is_live(record)).collect()
}

pub(crate) fn id(record: &Json) -> u64 {
    record["id"].as_u64().unwrap()
}

pub(crate) fn by_id<'a>(world: &'a Json, name: &str) -> BTreeMap<u64, &'a Json> {
    list(world, name).iter().map(|record| (id(record), record)).collect()
}

/// Digits as a reader in Germany takes them: international without plus, national with 49.
pub(crate) fn dialled(phone: &str) -> String {
    let phone = phone.split(" ext").next().unwrap().replace("(0)", "");
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    if phone.starts_with('+') {
        digits
    } else if let Some(rest) = digits.strip_prefix("00") {
        rest.to_owned()
    } else if let Some(rest) = digits.strip_prefix('0') {
        format!("49{rest}")
    } else {
        digits
    }
}

pub(crate) fn emails(person: &Json) -> Vec<String> {
    list(person, "emails").iter().map(|one| one["value"].as_str().unwrap().to_lowercase()).collect()
}

pub(crate) fn phones(person: &Json) -> Vec<String> {
    list(person, "phones").iter().map(|one| dialled(one["value"].as_str().unwrap())).collect()
}

pub(crate) fn text<'a>(contact: &'a Json, property: &str) -> Option<&'a str> {
    contact["properties"][property].as_str()
}

pub(crate) fn contact_emails(contact: &Json) -> Vec<String> {
    let more = text(contact, "hs_additional_emails").unwrap_or_default();
    text(contact, "email")
        .into_iter()
        .chain(more.split(';'))
        .filter(|one| !one.is_empty())
        .map(str::to_lowercase)
        .collect()
}

#[test]
fn counts_are_exact() {
    for seed in SEEDS {
        let Company { pipedrive, hubspot, facts } = sample::company(seed);
        let count = |name: &str| live(&pipedrive, name).len();
        let counts = ["organizations", "persons", "deals", "notes", "activities", "files"].map(count);
        assert_eq!(counts, [1_000, 4_200, 1_800, 6_000, 5_000, 200], "seed {seed}");
        assert_eq!(list(&pipedrive, "organization_relationships").len(), 120, "seed {seed}");
        assert_eq!(list(&hubspot["objects"], "contacts").len(), 345, "seed {seed}");
        assert_eq!(list(&hubspot["objects"], "companies").len(), 15, "seed {seed}");
        assert_eq!(list(&hubspot, "workflows").iter().filter(|one| one["enabled"] == true).count(), 3);
        let found = [
            facts.matches.len(),
            facts.ambiguous.len(),
            facts.contradicting.len(),
            facts.near_misses.len(),
            facts.shared_email_pairs.len(),
            facts.refused_emails.len(),
            facts.departed_persons.len(),
            facts.untranslated_deals.len(),
            facts.archived_deals.len(),
            facts.deals_without_person.len(),
            facts.deals_without_organization.len(),
            facts.deals_with_participants.len(),
            facts.shared_companies.len(),
        ];
        assert_eq!(found, [280, 12, 8, 25, 6, 3, 34, 140, 40, 5, 20, 300, 5], "seed {seed}");
        let of = |finding: &[Finding]| facts.matches.iter().filter(|one| finding.contains(&one.finding)).count();
        assert_eq!(of(&[Finding::Email, Finding::AdditionalEmail]), 230, "seed {seed}");
        assert!(of(&[Finding::AdditionalEmail]) > 5, "seed {seed}");
        assert_eq!((of(&[Finding::Phone]), of(&[Finding::ExternalId])), (40, 10), "seed {seed}");
    }
}

#[test]
fn the_small_one_is_a_hundredth() {
    for seed in 0..20 {
        let Company { pipedrive, facts, .. } = sample::small(seed);
        let counts = ["organizations", "persons", "deals", "notes", "activities", "files"]
            .map(|name| live(&pipedrive, name).len());
        assert_eq!(counts, [10, 42, 18, 60, 50, 4], "seed {seed}");
        assert_eq!((facts.untranslated_deals.len(), facts.matches.len()), (2, 3), "seed {seed}");
        check_references(&pipedrive, seed);
    }
}

#[test]
fn same_seed_same_bytes() {
    let bytes = |company: &Company| {
        (company.pipedrive.to_string(), company.hubspot.to_string(), serde_json::to_string(&company.facts).unwrap())
    };
    assert!(bytes(&sample::company(11)) == bytes(&sample::company(11)));
    assert!(bytes(&sample::small(11)) != bytes(&sample::small(12)));
    let reverse = |seed| sample::hubspot_company_scaled(seed, Scale::small());
    assert!(reverse(11) == reverse(11) && reverse(11) != reverse(12));
}

#[test]
fn nobody_shares_an_address_or_a_number_unintended() {
    for seed in SEEDS {
        let Company { pipedrive, facts, .. } = sample::company(seed);
        let pairs: HashSet<(u64, u64)> = facts.shared_email_pairs.iter().copied().collect();
        let mut shared = HashSet::new();
        let mut owners: HashMap<String, u64> = HashMap::new();
        for person in list(&pipedrive, "persons") {
            for key in emails(person).into_iter().chain(phones(person)) {
                if let Some(other) = owners.insert(key.clone(), id(person)) {
                    shared.insert((other.min(id(person)), other.max(id(person))));
                }
            }
        }
        assert_eq!(shared, pairs, "seed {seed}");
    }
}

#[test]
fn deals_stand_where_the_facts_say() {
    for seed in SEEDS {
        let Company { pipedrive, hubspot, facts } = sample::company(seed);
        let plain =
            |name: &str| -> String { name.to_lowercase().chars().filter(|one| one.is_alphanumeric()).collect() };
        let labels: HashSet<String> = list(&hubspot["pipelines"], "deals")
            .iter()
            .flat_map(|pipeline| list(pipeline, "stages"))
            .map(|stage| plain(stage["label"].as_str().unwrap()))
            .collect();
        let stages = by_id(&pipedrive, "stages");
        let departed = facts.departed_user;
        let held: HashSet<u64> = facts
            .departed_persons
            .iter()
            .copied()
            .chain(facts.ambiguous.iter().chain(&facts.contradicting).map(|one| one.person))
            .chain(facts.shared_email_pairs.iter().flat_map(|pair| [pair.0, pair.1]))
            .chain(facts.refused_emails.iter().map(|one| one.0))
            .chain([facts.person_with_eleven_emails])
            .collect();
        let mut untranslated = Vec::new();
        for deal in live(&pipedrive, "deals") {
            let stage = stages[&deal["stage_id"].as_u64().unwrap()];
            assert_eq!(stage["pipeline_id"], deal["pipeline_id"], "seed {seed}");
            if !labels.contains(&plain(stage["name"].as_str().unwrap())) {
                untranslated.push(id(deal));
                assert_eq!((&deal["status"], &deal["is_archived"]), (&Json::from("open"), &Json::from(false)));
                assert!(deal["owner_id"] != departed && !held.contains(&deal["person_id"].as_u64().unwrap()));
            }
        }
        assert_eq!(untranslated, facts.untranslated_deals, "seed {seed}");
        let ids = |keep: &dyn Fn(&Json) -> bool| -> Vec<u64> {
            live(&pipedrive, "deals").into_iter().filter(|deal| keep(deal)).map(id).collect()
        };
        assert_eq!(ids(&|deal| deal["person_id"].is_null()), facts.deals_without_person, "seed {seed}");
        assert_eq!(ids(&|deal| deal["org_id"].is_null()), facts.deals_without_organization, "seed {seed}");
        assert_eq!(ids(&|deal| deal["is_archived"] == true), facts.archived_deals, "seed {seed}");
        assert_eq!(ids(&|deal| deal["owner_id"] == departed), facts.departed_deals, "seed {seed}");
        for deal in live(&pipedrive, "deals") {
            let (won, lost) = (!deal["won_time"].is_null(), !deal["lost_time"].is_null());
            let status = deal["status"].as_str().unwrap();
            assert_eq!((won, lost), (status == "won", status == "lost"), "seed {seed}");
            assert!(lost || deal["lost_reason"].is_null(), "seed {seed}");
        }
        let extra: BTreeMap<u64, usize> =
            list(&pipedrive, "deal_participants").iter().fold(BTreeMap::new(), |mut sum, one| {
                assert!(!held.contains(&one["person_id"].as_u64().unwrap()), "seed {seed}");
                *sum.entry(one["deal_id"].as_u64().unwrap()).or_default() += 1;
                sum
            });
        assert_eq!(extra.keys().copied().collect::<Vec<_>>(), facts.deals_with_participants, "seed {seed}");
        assert!(extra.values().all(|count| (2..=4).contains(count)), "seed {seed}");
    }
}

#[test]
fn one_user_left_without_an_owner() {
    for seed in SEEDS {
        let Company { pipedrive, hubspot, facts } = sample::company(seed);
        let owners: HashSet<String> = list(&hubspot, "owners")
            .iter()
            .filter(|owner| owner["archived"] == false)
            .map(|owner| owner["email"].as_str().unwrap().to_lowercase())
            .collect();
        let lacking: Vec<u64> = list(&pipedrive, "users")
            .iter()
            .filter(|user| !owners.contains(&user["email"].as_str().unwrap().to_lowercase()))
            .map(id)
            .collect();
        assert_eq!(lacking, [facts.departed_user]);
        for (name, key, expected) in [
            ("persons", "owner_id", &facts.departed_persons),
            ("activities", "owner_id", &facts.departed_activities),
            ("organizations", "owner_id", &Vec::new()),
            ("notes", "user_id", &Vec::new()),
            ("files", "user_id", &Vec::new()),
        ] {
            let own: Vec<u64> =
                list(&pipedrive, name).iter().filter(|one| one[key] == facts.departed_user).map(id).collect();
            assert_eq!(&own, expected, "seed {seed} {name}");
        }
        assert_eq!(facts.users_without_records.len(), 2, "seed {seed}");
    }
}

#[test]
fn every_field_type_is_used_everywhere() {
    let Company { pipedrive, .. } = sample::company(SEEDS[0]);
    let types = [
        "address",
        "date",
        "daterange",
        "double",
        "enum",
        "monetary",
        "org",
        "people",
        "phone",
        "set",
        "text",
        "time",
        "timerange",
        "user",
        "varchar",
        "varchar_auto",
    ];
    for (fields, records) in
        [("organization_fields", "organizations"), ("person_fields", "persons"), ("deal_fields", "deals")]
    {
        let mut seen: Vec<&str> = Vec::new();
        for field in list(&pipedrive, fields) {
            let code = field["field_code"].as_str().unwrap();
            assert_eq!(code.len(), 40);
            let options: HashSet<u64> = field["options"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|option| option["id"].as_u64().unwrap())
                .collect();
            let values: Vec<&Json> = live(&pipedrive, records)
                .into_iter()
                .map(|record| &record["custom_fields"][code])
                .filter(|value| !value.is_null())
                .collect();
            let share = values.len() as f64 / live(&pipedrive, records).len() as f64;
            assert!((0.01..0.9).contains(&share), "{} is filled in {share}", field["field_name"]);
            let chosen =
                values.iter().flat_map(|value| value.as_array().into_iter().flatten().chain(std::iter::once(*value)));
            if !options.is_empty() {
                assert!(chosen.filter_map(Json::as_u64).all(|option| options.contains(&option)));
            }
            seen.push(field["field_type"].as_str().unwrap());
        }
        seen.sort_unstable();
        assert_eq!(seen, types);
    }
}

/// Every id that a record mentions is one of a live record.
fn check_references(pipedrive: &Json, seed: u64) {
    let ids = |name: &str| -> HashSet<u64> { live(pipedrive, name).into_iter().map(id).collect() };
    let (organizations, persons, deals, activities) =
        (ids("organizations"), ids("persons"), ids("deals"), ids("activities"));
    let users: HashSet<u64> = list(pipedrive, "users").iter().map(id).collect();
    let check = |record: &Json, key: &str, known: &HashSet<u64>| {
        assert!(record[key].as_u64().is_none_or(|one| known.contains(&one)), "seed {seed}: {key} of {record}");
    };
    for name in ["organizations", "persons", "deals", "activities", "notes", "files"] {
        for record in list(pipedrive, name) {
            for (key, known) in [
                ("org_id", &organizations),
                ("person_id", &persons),
                ("deal_id", &deals),
                ("activity_id", &activities),
                ("owner_id", &users),
                ("user_id", &users),
                ("creator_user_id", &users),
            ] {
                check(record, key, known);
            }
        }
    }
    for activity in list(pipedrive, "activities") {
        list(activity, "participants").iter().for_each(|one| check(one, "person_id", &persons));
    }
    for (fields, records) in
        [("organization_fields", "organizations"), ("person_fields", "persons"), ("deal_fields", "deals")]
    {
        for field in list(pipedrive, fields) {
            let known = match field["field_type"].as_str().unwrap() {
                "org" => &organizations,
                "people" => &persons,
                "user" => &users,
                _ => continue,
            };
            let code = field["field_code"].as_str().unwrap();
            list(pipedrive, records).iter().for_each(|record| check(&record["custom_fields"], code, known));
        }
    }
    for one in list(pipedrive, "deal_participants") {
        check(one, "deal_id", &deals);
        check(one, "person_id", &persons);
    }
    for one in list(pipedrive, "organization_relationships") {
        check(one, "rel_owner_org_id", &organizations);
        check(one, "rel_linked_org_id", &organizations);
    }
}

#[test]
fn references_are_of_live_records() {
    for seed in SEEDS {
        check_references(&sample::company(seed).pipedrive, seed);
    }
}

#[test]
fn parents_form_trees_and_one_cycle_of_two() {
    for seed in SEEDS {
        let Company { pipedrive, facts, .. } = sample::company(seed);
        let parents: HashMap<u64, u64> = list(&pipedrive, "organization_relationships")
            .iter()
            .map(|one| (one["rel_linked_org_id"].as_u64().unwrap(), one["rel_owner_org_id"].as_u64().unwrap()))
            .collect();
        assert_eq!(parents.len(), 120, "seed {seed}: one parent each");
        let mut deepest = 0;
        let mut circling = Vec::new();
        for &child in parents.keys() {
            let mut at = child;
            let mut steps = 0;
            while let Some(&parent) = parents.get(&at) {
                at = parent;
                steps += 1;
                if at == child || steps > 10 {
                    circling.push(child);
                    break;
                }
            }
            deepest = deepest.max(steps);
        }
        circling.sort_unstable();
        let (one, other) = facts.organization_cycle;
        assert_eq!(circling, [one.min(other), one.max(other)], "seed {seed}");
        assert!((3..=5).contains(&deepest), "seed {seed}: {deepest} levels");
    }
}

#[test]
fn notes_and_files_have_their_oddities() {
    for seed in SEEDS {
        let Company { pipedrive, facts, .. } = sample::company(seed);
        for note in list(&pipedrive, "notes") {
            let content = note["content"].as_str().unwrap();
            let visible =
                content.split('<').map(|part| part.rsplit('>').next().unwrap().chars().count()).sum::<usize>();
            assert_eq!(visible > 65_536, id(note) == facts.oversized_note, "seed {seed}");
            assert!(content.len() < 100_000 && !content.is_empty(), "seed {seed}");
            assert!(
                !(note["deal_id"].is_null() && note["person_id"].is_null() && note["org_id"].is_null()),
                "seed {seed}"
            );
        }
        let files = live(&pipedrive, "files");
        let gone: Vec<u64> =
            files.iter().filter(|file| file["content_base64"].is_null()).map(|file| id(file)).collect();
        assert_eq!(gone, [facts.file_without_bytes], "seed {seed}");
        assert!(files.iter().map(|file| file["file_size"].as_u64().unwrap()).sum::<u64>() < 4_000_000, "seed {seed}");
        for key in ["deal_id", "person_id", "org_id", "activity_id"] {
            assert!(files.iter().any(|file| !file[key].is_null()), "seed {seed}: no file at {key}");
        }
    }
}

#[test]
fn activities_are_of_every_kind() {
    for seed in SEEDS {
        let Company { pipedrive, facts, .. } = sample::company(seed);
        let activities = live(&pipedrive, "activities");
        for kind in list(&pipedrive, "activity_types") {
            for done in [true, false] {
                assert!(
                    activities.iter().any(|one| one["type"] == kind["key_string"] && one["done"] == done),
                    "seed {seed}: {} {done}",
                    kind["name"]
                );
            }
        }
        let without: Vec<u64> = activities
            .iter()
            .filter(|one| one["deal_id"].is_null() && one["person_id"].is_null() && one["org_id"].is_null())
            .map(|one| id(one))
            .collect();
        assert_eq!(without, facts.activities_without_parent, "seed {seed}");
        assert!(
            activities.iter().any(|one| one["due_time"].is_null())
                && activities.iter().any(|one| !one["location"].is_null())
        );
        assert!(activities.iter().any(|one| list(one, "participants").len() > 1), "seed {seed}");
    }
}

#[test]
fn names_and_addresses_are_odd_as_told() {
    for seed in SEEDS {
        let Company { pipedrive, hubspot, facts } = sample::company(seed);
        let spaced = |name: &str| -> Vec<u64> {
            live(&pipedrive, name)
                .into_iter()
                .filter(|one| one["name"].as_str().unwrap().ends_with(' '))
                .map(id)
                .collect()
        };
        assert_eq!(spaced("persons"), facts.persons_with_trailing_space, "seed {seed}");
        assert_eq!(spaced("organizations"), facts.organizations_with_trailing_space, "seed {seed}");
        let organizations = by_id(&pipedrive, "organizations");
        for (one, other) in &facts.duplicate_organization_names {
            assert_eq!(organizations[one]["name"], organizations[other]["name"], "seed {seed}");
        }
        let names: HashSet<&str> = organizations.values().map(|one| one["name"].as_str().unwrap().trim()).collect();
        assert_eq!(organizations.len() - names.len(), facts.duplicate_organization_names.len(), "seed {seed}");
        let persons = by_id(&pipedrive, "persons");
        assert_eq!(list(persons[&facts.person_with_eleven_emails], "emails").len(), 11);
        let refused: HashSet<u64> = facts.refused_emails.iter().map(|one| one.0).collect();
        for (person_id, person) in &persons {
            for address in emails(person) {
                let domain = address.split_once('@').map(|parts| parts.1).unwrap_or_default();
                let fine =
                    address.is_ascii() && !address.contains(' ') && domain.contains('.') && !domain.ends_with('.');
                assert_eq!(fine, !refused.contains(person_id), "seed {seed}: {address}");
            }
        }
        for (organization, company) in &facts.shared_companies {
            let company = list(&hubspot["objects"], "companies").iter().find(|one| one["id"] == **company).unwrap();
            assert_eq!(
                Some(organizations[organization]["name"].as_str().unwrap()),
                text(company, "name"),
                "seed {seed}"
            );
            assert!(
                organizations[organization]["website"].as_str().unwrap().ends_with(text(company, "domain").unwrap())
            );
        }
    }
}

#[test]
fn times_lie_within_five_years() {
    let Company { pipedrive, .. } = sample::company(SEEDS[1]);
    for name in ["organizations", "persons", "deals", "notes", "activities", "files"] {
        let mut before = (0, String::new());
        for record in list(&pipedrive, name) {
            let time = |key: &str| record[key].as_str().unwrap().replace(' ', "T")[..19].to_owned();
            let (added, updated) = (time("add_time"), time("update_time"));
            assert!(
                added.as_str() >= "2021-11-01" && updated.as_str() <= "2026-10-31T23:59:59" && added <= updated,
                "{record}"
            );
            assert!(before <= (id(record), added.clone()), "{name} are ordered by id and creation");
            before = (id(record), added);
        }
    }
}
