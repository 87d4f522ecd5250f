//! The sample's worlds load, and the APIs list back what was put in.

#![expect(clippy::unwrap_used, reason = "a reply without its key is a failed test")]

use std::collections::BTreeSet;

use handover_sandbox::hubspot::Hubspot;
use handover_sandbox::pipedrive::Pipedrive;
use handover_sandbox::sample::{self, Company, HubspotCompany};
use handover_sandbox::{Delivery, Platform, Reply, Request, Sandbox};
use jiff::Timestamp;
use serde_json::Value as Json;

use crate::sample::{id, list, live};

const SEED: u64 = 7;

/// The morning after the sample was taken.
fn now() -> Timestamp {
    "2026-11-01T08:00:00Z".parse().unwrap()
}

/// A sandbox without limits, and the header that lets one in.
struct Door {
    sandbox: Sandbox,
    auth: (String, String),
}

impl Door {
    fn new(mut platform: Box<dyn Platform>) -> Self {
        platform.set_limits(false);
        let token = platform.credentials()["token"].as_str().unwrap().to_owned();
        let auth = match platform.name() {
            "pipedrive" => ("x-api-token".to_owned(), token),
            _ => ("authorization".to_owned(), format!("Bearer {token}")),
        };
        Self { sandbox: Sandbox::new(platform), auth }
    }

    fn reply(&mut self, path: &str, query: &[(&str, &str)]) -> Reply {
        let request = Request {
            method: "GET".to_owned(),
            path: path.to_owned(),
            query: query.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            headers: vec![self.auth.clone()],
            body: Vec::new(),
        };
        match self.sandbox.handle(&request, now()).delivery {
            Delivery::Whole(reply) => reply,
            other => panic!("{path}: {other:?}"),
        }
    }

    fn get(&mut self, path: &str, query: &[(&str, &str)]) -> Json {
        let reply = self.reply(path, query);
        let body: Json = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(reply.status, 200, "{path}: {body}");
        body
    }

    /// Pipedrive's second API: pages by cursor.
    fn all_v2(&mut self, path: &str) -> Vec<Json> {
        let mut records = Vec::new();
        let mut cursor = String::new();
        loop {
            let mut query = vec![("limit", "500")];
            if !cursor.is_empty() {
                query.push(("cursor", &cursor));
            }
            let page = self.get(path, &query);
            records.extend(list(&page, "data").to_vec());
            match page["additional_data"]["next_cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => return records,
            }
        }
    }

    /// Pipedrive's first API: pages by start.
    fn all_v1(&mut self, path: &str) -> Vec<Json> {
        let mut records = Vec::new();
        loop {
            let page = self.get(path, &[("limit", "500"), ("start", &records.len().to_string())]);
            records.extend(list(&page, "data").to_vec());
            if page["additional_data"]["pagination"]["more_items_in_collection"] != true {
                return records;
            }
        }
    }

    /// HubSpot's lists.
    fn all_objects(&mut self, object: &str, properties: &str) -> Vec<Json> {
        let mut records = Vec::new();
        let mut after = String::new();
        loop {
            let mut query = vec![("limit", "100"), ("properties", properties)];
            if !after.is_empty() {
                query.push(("after", &after));
            }
            let page = self.get(&format!("/crm/v3/objects/{object}"), &query);
            records.extend(list(&page, "results").to_vec());
            match page["paging"]["next"]["after"].as_str() {
                Some(next) => after = next.to_owned(),
                None => return records,
            }
        }
    }
}

fn ids<'a>(records: impl IntoIterator<Item = &'a Json>) -> BTreeSet<u64> {
    records.into_iter().map(id).collect()
}

#[test]
fn pipedrive_lists_the_company() {
    let Company { pipedrive, facts, .. } = sample::company(SEED);
    let mut door = Door::new(Box::new(Pipedrive::from_world(pipedrive.clone(), SEED).unwrap()));
    for object in ["organizations", "persons", "activities"] {
        let listed = door.all_v2(&format!("/api/v2/{object}"));
        assert_eq!(ids(&listed), ids(live(&pipedrive, object)), "{object}");
        assert_eq!(listed.len(), live(&pipedrive, object).len(), "{object}: each once");
    }
    let (open, archived) = (door.all_v2("/api/v2/deals"), door.all_v2("/api/v2/deals/archived"));
    assert_eq!((open.len(), archived.len()), (1_760, 40));
    assert_eq!(ids(&archived).into_iter().collect::<Vec<_>>(), facts.archived_deals);
    for object in ["notes", "files"] {
        let listed = door.all_v1(&format!("/api/v1/{object}"));
        assert_eq!(ids(&listed), ids(live(&pipedrive, object)), "{object}");
    }
    // What was put in comes back: two records in full, but for keys that the world file leaves out.
    for (object, record) in [("persons", &list(&pipedrive, "persons")[40]), ("deals", &list(&pipedrive, "deals")[40])] {
        let shown = door.get(&format!("/api/v2/{object}/{}", id(record)), &[]);
        for (key, value) in record.as_object().unwrap() {
            assert_eq!(&shown["data"][key], value, "{object} {key}");
        }
    }
}

#[test]
fn pipedrive_keeps_what_hangs_on_the_records() {
    let Company { pipedrive, facts, .. } = sample::company(SEED);
    let mut door = Door::new(Box::new(Pipedrive::from_world(pipedrive.clone(), SEED).unwrap()));
    let deal = facts.deals_with_participants[0];
    let others = list(&pipedrive, "deal_participants").iter().filter(|one| one["deal_id"] == deal).count();
    let participants = door.get(&format!("/api/v1/deals/{deal}/participants"), &[]);
    let more = list(&participants, "data").len() - others;
    assert!(more <= 1, "the main person may be listed too: {participants}");
    let (one, other) = facts.organization_cycle;
    let relations = door.get("/api/v1/organizationRelationships", &[("org_id", &one.to_string())]);
    assert!(list(&relations, "data").len() >= 2, "{one} and {other}: {relations}");
    for object in ["organization", "person", "deal"] {
        let fields = door.all_v2(&format!("/api/v2/{object}Fields"));
        let custom = fields.iter().filter(|field| field["is_custom_field"] == true).count();
        assert_eq!(custom, 16, "{object}");
    }
    // The record is listed, its bytes are gone.
    let gone = facts.file_without_bytes;
    assert_eq!(door.get(&format!("/api/v1/files/{gone}"), &[])["data"]["id"], gone);
    assert_eq!(door.reply(&format!("/api/v1/files/{gone}/download"), &[]).status, 404);
}

#[test]
fn hubspot_lists_the_portal() {
    let Company { hubspot, facts, .. } = sample::company(SEED);
    let mut door = Door::new(Box::new(Hubspot::from_world(hubspot.clone(), SEED).unwrap()));
    check_objects(&mut door, &hubspot);
    let owners = door.get("/crm/v3/owners", &[("limit", "100")]);
    assert_eq!(list(&owners, "results").len(), 13);
    let contact = &facts.matches[0].contacts[0];
    let shown = door.get(&format!("/crm/v3/objects/contacts/{contact}"), &[("properties", "lastname")]);
    assert_eq!(shown["id"], **contact);
}

#[test]
fn the_reverse_direction_loads_too() {
    let HubspotCompany { hubspot, pipedrive, .. } = sample::hubspot_company(SEED);
    let mut door = Door::new(Box::new(Hubspot::from_world(hubspot.clone(), SEED).unwrap()));
    check_objects(&mut door, &hubspot);
    let file = &list(&hubspot, "files")[0]["id"];
    let shown = door.get(&format!("/files/v3/files/{file}"), &[]);
    assert_eq!(shown["id"], file.to_string());
    let mut door = Door::new(Box::new(Pipedrive::from_world(pipedrive, SEED).unwrap()));
    for object in ["organizations", "persons", "deals"] {
        assert!(door.all_v2(&format!("/api/v2/{object}")).is_empty());
    }
    let users = door.get("/api/v1/users", &[]);
    assert_eq!(list(&users, "data").len(), 12);
}

/// Every record is listed once, with the values that it was given.
fn check_objects(door: &mut Door, hubspot: &Json) {
    for (object, records) in hubspot["objects"].as_object().unwrap() {
        let records = records.as_array().unwrap();
        let names: BTreeSet<&str> =
            records.iter().flat_map(|one| one["properties"].as_object().unwrap().keys().map(String::as_str)).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let mut listed = door.all_objects(object, &names.join(","));
        let by_id = |one: &Json| one["id"].as_str().unwrap().parse::<u64>().unwrap();
        listed.sort_by_key(by_id);
        let mut expected: Vec<&Json> = records.iter().collect();
        expected.sort_by_key(|one| by_id(one));
        assert_eq!(listed.len(), expected.len(), "{object}");
        for (shown, given) in listed.iter().zip(expected) {
            assert_eq!(shown["id"], given["id"], "{object}");
            for (name, value) in given["properties"].as_object().unwrap() {
                assert_eq!(&shown["properties"][name], value, "{object} {name}");
            }
        }
    }
}
