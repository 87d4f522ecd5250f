//! The least number of calls that moving and verifying a company takes: from what the two worlds hold before and
//! after, and from the sizes of pages and batches. What was sent has no part in it.
//!
//! Counted once for load and verification together: who one is, the users, the fields of each object. Left out,
//! although a careful client needs them: looking whether a link is there before it is added, and lists that
//! begin with the last record of the page before.

use std::collections::{BTreeMap, BTreeSet};

use handover_connect::Capabilities;
use handover_model::Flow;
use serde_json::Value as Json;

/// Records in a batch (sheet: HubSpot section 5.3 \[doc\]).
const RECORDS: u64 = 100;
/// Links written in a batch, and records whose links one call reads (sheet: HubSpot section 5.1 \[doc\]).
const LINKS: (u64, u64) = (2_000, 1_000);

/// Which side of the move a system is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Read twice: once to carry, once to verify.
    Source,
    /// Written, and read to verify.
    Target,
}

/// What a side's least is made of.
pub(crate) struct Side<'a> {
    pub(crate) role: Role,
    pub(crate) capabilities: &'a Capabilities,
    pub(crate) flows: &'a [Flow],
    /// The system's world before and after.
    pub(crate) worlds: (&'a Json, &'a Json),
    /// Records of the target that were there before and were changed, by object.
    pub(crate) updated: BTreeMap<String, BTreeSet<String>>,
    /// Files that were carried over.
    pub(crate) files: u64,
}

impl Side<'_> {
    /// What for, how many calls, and whether they count against the limits.
    pub(crate) fn parts(&self) -> Vec<(String, u64, bool)> {
        let mut parts: Vec<(String, u64, bool)> = Vec::new();
        let objects = self.objects();
        let is_pipedrive = self.capabilities.platform == "pipedrive";
        parts.push(("account, users, fields".to_owned(), self.known(&objects), true));
        for object in &objects {
            let pages = |world| self.pages(world, object);
            let listed = match self.role {
                Role::Source => 2 * pages(self.worlds.0),
                Role::Target if self.is_matched(object) => pages(self.worlds.0) + pages(self.worlds.1),
                Role::Target => pages(self.worlds.1),
            };
            parts.push((format!("pages of {object}"), listed, true));
            if self.role == Role::Target {
                parts.push((format!("writes of {object}"), self.writes(object), true));
            }
        }
        if is_pipedrive {
            self.pipedrive(&mut parts)
        } else {
            self.hubspot(&objects, &mut parts)
        }
        parts.retain(|(_, calls, _)| *calls > 0);
        parts
    }

    fn objects(&self) -> BTreeSet<String> {
        let end = |flow: &Flow| if self.role == Role::Source { flow.source.clone() } else { flow.target.clone() };
        self.flows.iter().map(|flow| end(flow).object.to_string()).collect()
    }

    fn is_matched(&self, object: &str) -> bool {
        self.flows.iter().any(|flow| flow.target.object == *object && !flow.matching.is_empty())
    }

    /// Calls that tell how the account is made.
    fn known(&self, objects: &BTreeSet<String>) -> u64 {
        let has = |object: &str| u64::from(objects.contains(object));
        if self.capabilities.platform == "pipedrive" {
            let with_fields = ["organizations", "persons", "deals", "activities"].map(has).iter().sum::<u64>();
            // Me, currencies, users; pipelines and stages; types of activities.
            return 3 + with_fields + 2 * has("deals") + has("activities");
        }
        let with_fields = objects.iter().filter(|object| !matches!(object.as_str(), "files" | "attachments")).count();
        // Details, usage, owners of both kinds; pipelines; what acts by itself.
        4 + with_fields as u64 + has("deals") + u64::from(self.role == Role::Target)
    }

    fn pages(&self, world: &Json, object: &str) -> u64 {
        let page = self.capabilities.object(object).map_or(1, |object| u64::from(object.list_page));
        let records = live(world, object);
        let number = |archived: bool| {
            let is = |record: &&&Json| record["is_archived"].as_bool().unwrap_or(false) == archived;
            (records.iter().filter(is).count() as u64).div_ceil(page).max(1)
        };
        match (self.capabilities.platform, object) {
            // Archived ones have a list of their own.
            ("pipedrive", "deals") => number(false) + number(true),
            // Attachments are read from the notes, which are listed anyway.
            ("hubspot", "attachments") => 0,
            _ => number(false).max((records.len() as u64).div_ceil(page)),
        }
    }

    fn made(&self, object: &str) -> Vec<&Json> {
        let before: BTreeSet<String> = all(self.worlds.0, object).into_iter().map(id).collect();
        live(self.worlds.1, object).into_iter().filter(|record| !before.contains(&id(record))).collect()
    }

    fn writes(&self, object: &str) -> u64 {
        let new = self.made(object);
        let updated = self.updated.get(object).map_or(0, |ids| ids.len() as u64);
        match (self.capabilities.platform, object) {
            // The upload takes no description.
            ("pipedrive", "files") => {
                let described = new.iter().filter(|file| file["description"].as_str().is_some_and(|it| !it.is_empty()));
                new.len() as u64 + described.count() as u64
            }
            ("pipedrive", _) | (_, "files") => new.len() as u64 + updated,
            _ => (new.len() as u64).div_ceil(RECORDS) + updated.div_ceil(RECORDS),
        }
    }

    /// What Pipedrive tells and takes one by one.
    fn pipedrive(&self, parts: &mut Vec<(String, u64, bool)>) {
        let (world, times) = match self.role {
            Role::Source => (self.worlds.0, 2),
            Role::Target => (self.worlds.1, 1),
        };
        parts.push(("parents of organizations".to_owned(), times * live(world, "organizations").len() as u64, true));
        let several = people(world);
        let deals: BTreeSet<String> = live(world, "deals").into_iter().map(id).collect();
        let several = several.iter().filter(|(deal, people)| deals.contains(*deal) && people.len() > 1).count() as u64;
        parts.push(("participants of deals".to_owned(), times * several, true));
        parts.push(("bytes of files".to_owned(), times * self.files, true));
        if self.role == Role::Target {
            let grown = |list: &str| {
                let number = |world: &Json| world[list].as_array().map_or(0, Vec::len) as u64;
                number(self.worlds.1) - number(self.worlds.0)
            };
            parts.push(("parents added".to_owned(), grown("organization_relationships"), true));
            // The main person is one of them without a call.
            let main: BTreeMap<String, String> =
                live(world, "deals").into_iter().map(|deal| (id(deal), text(&deal["person_id"]))).collect();
            let others = people(world)
                .iter()
                .map(|(deal, people)| people.iter().filter(|person| main.get(deal) != Some(*person)).count() as u64)
                .sum();
            parts.push(("participants added".to_owned(), others, true));
        }
    }

    /// Links, counts and files of HubSpot.
    fn hubspot(&self, objects: &BTreeSet<String>, parts: &mut Vec<(String, u64, bool)>) {
        let times = if self.role == Role::Source { 2 } else { 1 };
        let world = if self.role == Role::Source { self.worlds.0 } else { self.worlds.1 };
        let typed = ["contacts", "companies", "deals"].into_iter().filter(|object| objects.contains(*object));
        let links = typed.map(|object| (live(world, object).len() as u64).div_ceil(LINKS.1)).sum::<u64>();
        parts.push(("typed links read".to_owned(), times * links, true));
        // The signed address, then the bytes, which count against nothing.
        parts.push(("addresses of files".to_owned(), times * self.files, true));
        parts.push(("bytes of files".to_owned(), times * self.files, false));
        if self.role == Role::Source {
            let counted = objects.iter().filter(|object| *object != "attachments").count() as u64;
            parts.push(("totals".to_owned(), counted, true));
            // Names and sizes are told for one file at a time (sheet: HubSpot section 2.7 [spec]).
            let mut named: BTreeSet<&str> = BTreeSet::new();
            for note in live(world, "notes") {
                let ids = note["properties"]["hs_attachment_ids"].as_str().unwrap_or_default();
                named.extend(ids.split(';').filter(|id| !id.is_empty()));
            }
            parts.push(("names of files".to_owned(), times * named.len() as u64, true));
        } else {
            parts.push(("links added".to_owned(), self.links_added(), true));
        }
    }

    fn links_added(&self) -> u64 {
        let pairs = |world: &Json| {
            let mut pairs: BTreeMap<[String; 2], u64> = BTreeMap::new();
            for link in world["associations"].as_array().into_iter().flatten() {
                let mut ends = [text(&link["fromType"]), text(&link["toType"])];
                ends.sort();
                // Links of activities come with their creation.
                if ends.iter().all(|end| matches!(end.as_str(), "contacts" | "companies" | "deals")) {
                    *pairs.entry(ends).or_default() += 1;
                }
            }
            pairs
        };
        let before = pairs(self.worlds.0);
        pairs(self.worlds.1)
            .into_iter()
            .map(|(ends, number)| number.saturating_sub(before.get(&ends).copied().unwrap_or(0)).div_ceil(LINKS.0))
            .sum()
    }
}

/// The people of each deal, the main person included.
fn people(world: &Json) -> BTreeMap<String, BTreeSet<String>> {
    let mut people: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for one in world["deal_participants"].as_array().into_iter().flatten() {
        people.entry(text(&one["deal_id"])).or_default().insert(text(&one["person_id"]));
    }
    for deal in live(world, "deals").into_iter().filter(|deal| !deal["person_id"].is_null()) {
        people.entry(id(deal)).or_default().insert(text(&deal["person_id"]));
    }
    people
}

fn all<'w>(world: &'w Json, object: &str) -> Vec<&'w Json> {
    let list =
        if world["objects"].is_object() && object != "files" { &world["objects"][object] } else { &world[object] };
    list.as_array().map(|records| records.iter().collect()).unwrap_or_default()
}

/// Records that users see.
pub(crate) fn live<'w>(world: &'w Json, object: &str) -> Vec<&'w Json> {
    let gone = |record: &Json, flag: &str| record[flag].as_bool().unwrap_or(false);
    all(world, object).into_iter().filter(|record| !gone(record, "is_deleted") && !gone(record, "archived")).collect()
}

/// A record's id.
pub(crate) fn id(record: &Json) -> String {
    text(&record["id"])
}

fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
