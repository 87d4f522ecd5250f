//! A judge that knows nothing of the engine: it reads the worlds and the journals of both systems, and which
//! records the state says are held.

use std::collections::{BTreeMap, BTreeSet};

use handover_sandbox::journal::{Action, Entry};
use serde_json::Value as Json;

use super::Way;
use super::end::{id_of, lists, source_key};

/// What is judged.
pub(crate) struct Case<'a> {
    pub(crate) way: Way,
    pub(crate) old_before: &'a Json,
    pub(crate) old_journal: &'a [Entry],
    pub(crate) new_before: &'a Json,
    pub(crate) new_after: &'a Json,
    pub(crate) new_journal: &'a [Entry],
    /// Source records that are held: object and id.
    pub(crate) held: &'a BTreeSet<(String, String)>,
}

/// Everything that is wrong.
pub(crate) fn judge(case: &Case<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    source_untouched(case, &mut wrong);
    created_once(case, &mut wrong);
    each_present_once(case, &mut wrong);
    nothing_of_others(case, &mut wrong);
    links_once(case, &mut wrong);
    contents_identical(case, &mut wrong);
    wrong
}

/// Nothing was written to the old system, but by those who disturbed it.
fn source_untouched(case: &Case<'_>, wrong: &mut Vec<String>) {
    let written = case.old_journal.iter().filter(|entry| entry.method != "DISTURB" && !entry.changes.is_empty());
    wrong.extend(written.map(|entry| format!("the old system was written to: {} {}", entry.method, entry.path)));
}

/// No key was created twice, whether or not a copy was deleted afterwards.
fn created_once(case: &Case<'_>, wrong: &mut Vec<String>) {
    let mut ids: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for change in by_us(case) {
        if change.action != Action::Created {
            continue;
        }
        let hubspot = change.fields.get("handover_source_key").and_then(|(_, after)| after.as_str());
        let pipedrive = change.fields.iter().filter_map(|(name, (_, after))| {
            after.as_str().filter(|text| text.starts_with("old:") && name.len() >= 40)
        });
        for key in hubspot.into_iter().chain(pipedrive) {
            ids.entry(key.to_owned()).or_default().insert((change.object.clone(), change.id.clone()));
        }
    }
    wrong.extend(
        ids.iter()
            .filter(|(_, ids)| ids.len() > 1)
            .map(|(key, ids)| format!("{key} was created more than once: {ids:?}")),
    );
}

fn by_us<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a handover_sandbox::journal::Change> {
    case.new_journal.iter().filter(|entry| entry.method != "DISTURB").flat_map(|entry| &entry.changes)
}

/// The old system's objects with keys in the new one, those without, and how the latter are recognised.
fn each_present_once(case: &Case<'_>, wrong: &mut Vec<String>) {
    let after = lists(case.new_after);
    let mut keys: BTreeMap<&str, usize> = BTreeMap::new();
    for record in after.values().flatten().filter(|record| is_live(record)) {
        *keys.entry(source_key(record).unwrap_or_default()).or_default() += 1;
    }
    let keyed: &[&str] = match case.way {
        Way::ToHubspot => &["organizations", "persons", "deals", "notes", "activities", "files"],
        Way::ToPipedrive => &["companies", "contacts", "deals"],
    };
    let before = lists(case.old_before);
    for object in keyed {
        for record in before[*object].iter().filter(|record| is_live(record)) {
            let id = id_of(record);
            let held = case.held.contains(&((*object).to_owned(), id.clone()));
            let key = format!("old:{object}:{id}");
            let count = keys.get(key.as_str()).copied().unwrap_or(0);
            // One that is there may still be held for a link.
            if count > 1 || (count == 0 && !held) {
                wrong.push(format!("{key} is {count} times in the new system, held: {held}"));
            }
        }
    }
    if case.way == Way::ToPipedrive {
        let objects =
            [("calls", "activities"), ("meetings", "activities"), ("tasks", "activities"), ("notes", "notes")];
        let hanging = with_a_parent(case.old_before);
        let mut expected: BTreeMap<String, usize> = BTreeMap::new();
        for (from, to) in objects {
            for record in before[from].iter().filter(|record| is_live(record)) {
                // Pipedrive takes no note that hangs on nothing.
                let is_left = from == "notes" && !hanging.contains(&(from.to_owned(), id_of(record)));
                if !is_left && !case.held.contains(&(from.to_owned(), id_of(record))) {
                    *expected.entry(format!("{to} {}", as_hubspot(from, record))).or_default() += 1;
                }
            }
        }
        let mut found: BTreeMap<String, usize> = BTreeMap::new();
        for to in ["activities", "notes"] {
            for record in after[to].iter().filter(|record| is_live(record)) {
                *found.entry(format!("{to} {}", as_pipedrive(to, record))).or_default() += 1;
            }
        }
        same_counts("record", &expected, &found, wrong);
    }
}

/// Records of HubSpot, by object and id, that are associated with a contact, a company or a deal.
fn with_a_parent(world: &Json) -> BTreeSet<(String, String)> {
    let mut hanging = BTreeSet::new();
    for link in world["associations"].as_array().into_iter().flatten() {
        let text = |name: &str| link[name].as_str().unwrap_or_default().to_owned();
        let ends = [(text("fromType"), text("fromId")), (text("toType"), text("toId"))];
        let is_parent = |(object, _): &(String, String)| ["contacts", "companies", "deals"].contains(&object.as_str());
        if ends.iter().any(is_parent) {
            hanging.extend(ends);
        }
    }
    hanging
}

fn same_counts(
    what: &str,
    expected: &BTreeMap<String, usize>,
    found: &BTreeMap<String, usize>,
    wrong: &mut Vec<String>,
) {
    for name in expected.keys().chain(found.keys()).collect::<BTreeSet<_>>() {
        let count = |map: &BTreeMap<String, usize>| map.get(name).copied().unwrap_or(0);
        if count(expected) != count(found) {
            wrong.push(format!("{what}: {} instead of {} of {name}", count(found), count(expected)));
        }
    }
}

fn as_hubspot(object: &str, record: &Json) -> String {
    let property = |name: &str| record["properties"][name].as_str().unwrap_or_default();
    let day = property("hs_timestamp").get(..10).unwrap_or_default();
    match object {
        "notes" => format!("{day} {}", letters(property("hs_note_body"))),
        "calls" => format!("{day} {}", letters(property("hs_call_title"))),
        "meetings" => format!("{day} {}", letters(property("hs_meeting_title"))),
        _ => format!("{day} {}", letters(property("hs_task_subject"))),
    }
}

fn as_pipedrive(object: &str, record: &Json) -> String {
    let field = |name: &str| record[name].as_str().unwrap_or_default();
    match object {
        "notes" => format!("{} {}", field("add_time").get(..10).unwrap_or_default(), letters(field("content"))),
        _ => format!("{} {}", field("due_date"), letters(field("subject"))),
    }
}

/// Letters and digits outside of tags and entities.
fn letters(text: &str) -> String {
    let mut plain = String::new();
    let mut until = None;
    for letter in text.chars() {
        match (until, letter) {
            (Some(end), letter) if letter == end => until = None,
            (Some(_), _) => {}
            (None, '<') => until = Some('>'),
            (None, '&') => until = Some(';'),
            (None, letter) if letter.is_ascii_alphanumeric() => plain.push(letter.to_ascii_lowercase()),
            (None, _) => {}
        }
    }
    plain
}

fn is_live(record: &Json) -> bool {
    record.get("is_deleted") != Some(&Json::Bool(true)) && record.get("archived") != Some(&Json::Bool(true))
}

/// Records that were there before are written to only if they are the counterpart of a source record, and
/// nothing is deleted or merged.
fn nothing_of_others(case: &Case<'_>, wrong: &mut Vec<String>) {
    let ours: BTreeSet<String> = lists(case.new_after)
        .into_values()
        .flatten()
        .filter(|record| source_key(record).is_some())
        .map(|record| id_of(&record))
        .collect();
    let mut made: BTreeSet<(String, String)> = BTreeSet::new();
    for change in by_us(case) {
        let at = (change.object.clone(), change.id.clone());
        match change.action {
            Action::Created => drop(made.insert(at)),
            Action::Linked => {}
            Action::Updated if made.contains(&at) || ours.contains(&change.id) => {}
            // A file has no key and is not written twice.
            action => wrong.push(format!("{} {} was {action:?}, which is not ours", change.object, change.id)),
        }
    }
}

/// No link stands twice, and each that the old system has between records that were moved is there.
fn links_once(case: &Case<'_>, wrong: &mut Vec<String>) {
    let found = match case.way {
        Way::ToHubspot => hubspot_links(case.new_after),
        Way::ToPipedrive => pipedrive_links(case.new_after),
    };
    wrong.extend(
        found.iter().filter(|(_, count)| **count > 1).map(|(link, count)| format!("{count} times: link {link}")),
    );
    for link in expected_links(case) {
        if !found.contains_key(&link) {
            wrong.push(format!("missing: link {link}"));
        }
    }
}

/// Links between records with keys: the pair of their keys, sorted.
fn expected_links(case: &Case<'_>) -> BTreeSet<String> {
    let mut links = BTreeSet::new();
    let live: BTreeSet<(String, String)> = lists(case.old_before)
        .into_iter()
        .flat_map(|(object, records)| {
            records.into_iter().filter(is_live).map(move |record| (object.clone(), id_of(&record)))
        })
        .filter(|at| !case.held.contains(at))
        .collect();
    let mut add = |one: (&str, String), other: (&str, String)| {
        if [&one, &other].iter().all(|(object, id)| live.contains(&((*object).to_owned(), id.clone()))) {
            links.insert(pair(&format!("old:{}:{}", one.0, one.1), &format!("old:{}:{}", other.0, other.1)));
        }
    };
    match case.way {
        Way::ToHubspot => {
            for object in ["persons", "deals", "notes", "activities", "files"] {
                for record in &lists(case.old_before)[object] {
                    for (field, to) in [("org_id", "organizations"), ("person_id", "persons"), ("deal_id", "deals")] {
                        if record.get(field).is_some_and(Json::is_number) {
                            add((object, id_of(record)), (to, record[field].to_string()));
                        }
                    }
                }
            }
        }
        Way::ToPipedrive => {
            for link in case.old_before["associations"].as_array().into_iter().flatten() {
                let text = |name: &str| link[name].as_str().unwrap_or_default();
                let (from, to) = (text("fromType"), text("toType"));
                // A deal or a contact has one company in Pipedrive: only those that are the only one count.
                let primary = link["types"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .any(|kind| matches!(kind["typeId"].as_i64(), Some(1 | 2 | 5 | 6)));
                if primary && [from, to].contains(&"companies") && from != to {
                    add((from, text("fromId").to_owned()), (to, text("toId").to_owned()));
                }
            }
        }
    }
    links
}

fn pair(one: &str, other: &str) -> String {
    let mut ends = [one, other];
    ends.sort_unstable();
    ends.join(" - ")
}

fn hubspot_links(world: &Json) -> BTreeMap<String, usize> {
    let mut keys: BTreeMap<(String, String), String> = BTreeMap::new();
    for (object, records) in lists(world) {
        for record in records {
            let name = source_key(&record).map_or_else(|| format!("{object} {}", id_of(&record)), str::to_owned);
            keys.insert((object.clone(), id_of(&record)), name);
        }
    }
    let mut found = BTreeMap::new();
    for link in world["associations"].as_array().into_iter().flatten() {
        let end = |object: &str, id: &str| {
            let at = (
                link[object].as_str().unwrap_or_default().to_owned(),
                link[id].as_str().unwrap_or_default().to_owned(),
            );
            keys.get(&at).cloned().unwrap_or_else(|| format!("{at:?}"))
        };
        *found.entry(pair(&end("fromType", "fromId"), &end("toType", "toId"))).or_default() += 1;
    }
    found
}

fn pipedrive_links(world: &Json) -> BTreeMap<String, usize> {
    let all = lists(world);
    let key = |object: &str, id: &Json| {
        let found = all[object].iter().find(|record| record["id"] == *id);
        found.and_then(source_key).map_or_else(|| format!("{object} {id}"), str::to_owned)
    };
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for object in ["persons", "deals"] {
        for record in &all[object] {
            for (field, to) in [("org_id", "organizations"), ("person_id", "persons")] {
                if record.get(field).is_some_and(Json::is_number) {
                    *found.entry(pair(&key(object, &record["id"]), &key(to, &record[field]))).or_default() += 1;
                }
            }
        }
    }
    for row in &all["deal_participants"] {
        *found.entry(format!("participant {} - {}", row["deal_id"], row["person_id"])).or_default() += 1;
    }
    for row in &all["organization_relationships"] {
        *found.entry(format!("relation {} - {}", row["rel_owner_org_id"], row["rel_linked_org_id"])).or_default() += 1;
    }
    found
}

/// Every file of the old system is in the new one once, byte for byte, or held.
fn contents_identical(case: &Case<'_>, wrong: &mut Vec<String>) {
    let content = |file: &Json| file["content_base64"].as_str().unwrap_or_default().to_owned();
    let before = lists(case.old_before);
    let mut expected: BTreeMap<String, usize> = BTreeMap::new();
    match case.way {
        Way::ToHubspot => {
            for file in before["files"].iter().filter(|file| is_live(file)) {
                if !case.held.contains(&("files".to_owned(), id_of(file))) {
                    *expected.entry(content(file)).or_default() += 1;
                }
            }
        }
        Way::ToPipedrive => {
            for note in before["notes"].iter().filter(|note| is_live(note)) {
                let ids = note["properties"]["hs_attachment_ids"].as_str().unwrap_or_default();
                for id in ids.split(';').filter(|id| !id.is_empty()) {
                    let held = case.held.contains(&("attachments".to_owned(), format!("{}:{id}", id_of(note))));
                    if let Some(file) = before["files"].iter().find(|file| !held && id_of(file) == id) {
                        *expected.entry(content(file)).or_default() += 1;
                    }
                }
            }
        }
    }
    let earlier: BTreeSet<String> = lists(case.new_before)["files"].iter().map(id_of).collect();
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for file in lists(case.new_after)["files"].iter().filter(|file| is_live(file) && !earlier.contains(&id_of(file))) {
        *found.entry(content(file)).or_default() += 1;
    }
    let short = |counts: BTreeMap<String, usize>| -> BTreeMap<String, usize> {
        counts.into_iter().map(|(text, count)| (blake3::hash(text.as_bytes()).to_hex().to_string(), count)).collect()
    };
    same_counts("file", &short(expected), &short(found), wrong);
}
