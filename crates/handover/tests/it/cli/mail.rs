//! Synced e-mail: off until somebody wants it, then priced, carried and compared like everything else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::Play;

/// Moves the flow from `off` to `flows`, as a person would.
fn switch_on(play: &Play) {
    let project = play.read("handover.yaml");
    let line = project.lines().find(|line| line.trim_start().starts_with("- emails")).unwrap().to_owned();
    let head = project.lines().find(|line| line.starts_with("off:")).unwrap().to_owned();
    play.edit("handover.yaml", &format!("{head}\n{line}\n"), "");
    play.edit("handover.yaml", "policies:", "  - emails\npolicies:");
}

/// How the flow is proposed, and how many calls a plan reads without and with it.
fn priced(play: &Play) -> (String, u64, u64) {
    let project = play.read("handover.yaml");
    let line = project.lines().find(|line| line.trim_start().starts_with("- emails")).unwrap().to_owned();
    let reads = |told: &Json| told["calls"]["old"]["reads"].as_u64().unwrap();
    let without = reads(&play.does(&["plan", "--json"]).ends(0).json());
    assert!(!play.does(&["check"]).ends(0).err.contains("emails.yaml"), "a flow that is off is no mistake");
    switch_on(play);
    let with = play.does(&["plan", "--create-fields", "--json"]).ends(0);
    (line, without, reads(&with.json()))
}

/// Runs, and verifies that nothing differs; gives what verify says of the flow.
fn carried(play: &Play) -> Json {
    play.does(&["run"]).ends(3);
    let told = play.does(&["verify", "--json"]).ends(0).json();
    assert_eq!(told["report"]["differences"].as_array().unwrap().len(), 0, "{told}");
    let flows = told["report"]["flows"].as_array().unwrap();
    flows.iter().find(|flow| flow["flow"] == "emails").unwrap().clone()
}

fn list<'w>(world: &'w Json, name: &str) -> &'w [Json] {
    world[name].as_array().unwrap()
}

#[test]
fn mail_from_pipedrive_is_priced_carried_and_compared() {
    let play = Play::forth();
    let (line, without, with) = priced(&play);
    assert!(line.contains("20 tokens") && line.contains("2 tokens"), "{line}");
    let world = play.world("old");
    let mails: Vec<&Json> = list(&world, "mail_messages").iter().filter(|mail| mail["draft_flag"] == 0).collect();
    let all = list(&world, "mail_messages").len() as u64;
    // Two lists of deals, one of persons; a call for each deal and person with mail; one for each text.
    let deals: BTreeSet<u64> =
        list(&world, "mail_messages").iter().filter_map(|mail| mail["deal_id"].as_u64()).collect();
    let persons: BTreeSet<u64> = list(&world, "mail_messages").iter().flat_map(persons_of).collect();
    assert_eq!(with - without, 3 + (deals.len() + persons.len()) as u64 + all);
    let verified = carried(&play);
    assert_eq!(verified["records"], mails.len());
    let new = play.world("new");
    let emails = list(&new["objects"], "emails");
    assert_eq!(emails.len(), mails.len(), "each message once, however many records it hangs on");
    let made: BTreeMap<&str, &Json> =
        emails.iter().map(|one| (one["properties"]["handover_source_key"].as_str().unwrap(), one)).collect();
    for mail in mails {
        let properties = &made[format!("old:mail_messages:{}", mail["id"]).as_str()]["properties"];
        assert_eq!(properties["hs_email_subject"], mail["subject"]);
        assert_eq!(properties["hs_email_html"], mail["body"], "the whole text");
        let direction = if mail["sent_flag"] == 1 { "EMAIL" } else { "INCOMING_EMAIL" };
        assert_eq!(properties["hs_email_direction"], direction);
        let headers: Json = serde_json::from_str(properties["hs_email_headers"].as_str().unwrap()).unwrap();
        assert_eq!(headers["from"]["email"].as_str().unwrap().to_lowercase(), address(&mail["from"][0]));
        assert_eq!(headers["to"][0]["email"].as_str().unwrap().to_lowercase(), address(&mail["to"][0]));
    }
    let links = |to: &str| {
        let of = |link: &&Json| {
            let ends = [link["fromType"].as_str().unwrap(), link["toType"].as_str().unwrap()];
            ends.contains(&"emails") && ends.contains(&to)
        };
        list(&new, "associations").iter().filter(of).count()
    };
    let expected = |count: fn(&Json) -> usize| -> usize {
        list(&world, "mail_messages").iter().filter(|mail| mail["draft_flag"] == 0).map(count).sum()
    };
    assert_eq!(links("deals"), expected(|mail| usize::from(!mail["deal_id"].is_null())));
    assert_eq!(links("contacts"), expected(|mail| persons_of(mail).count()));
}

fn address(party: &Json) -> String {
    party["email_address"].as_str().unwrap().to_lowercase()
}

fn persons_of(mail: &Json) -> impl Iterator<Item = u64> + '_ {
    ["from", "to", "cc", "bcc"]
        .into_iter()
        .flat_map(|list| mail[list].as_array().unwrap())
        .filter_map(|party| party["linked_person_id"].as_u64())
}

#[test]
fn mail_from_hubspot_becomes_notes() {
    let play = Play::back();
    let (line, _, _) = priced(&play);
    assert!(line.contains("becomes a note"), "{line}");
    let world = play.world("old");
    let emails = list(&world["objects"], "emails");
    let styled = |email: &&Json| email["properties"]["hs_email_html"].as_str().unwrap().contains("<style>");
    assert!(emails.iter().any(|email| styled(&email)), "some come from mail programs");
    let verified = carried(&play);
    assert_eq!(verified["records"], emails.len());
    let new = play.world("new");
    for email in emails {
        let properties = &email["properties"];
        let subject = properties["hs_email_subject"].as_str().unwrap();
        let from = properties["hs_email_from_email"].as_str().unwrap();
        let text = properties["hs_email_html"].as_str().unwrap();
        let sent = properties["hs_timestamp"].as_str().unwrap().replace(['T', 'Z'], " ").trim_end().to_owned();
        // Of what mail programs send along only text, structure and links go into a note.
        let paragraphs: Vec<&str> = text.split("<p>").skip(1).map(|part| part.split("</p>").next().unwrap()).collect();
        let read = paragraphs.iter().filter(|part| **part != "only here");
        let is_of = |note: &&Json| {
            let content = note["content"].as_str().unwrap();
            let is_whole = read.clone().all(|part| content.contains(part)) && !content.contains("only here");
            content.contains(&format!("From: {from}")) && is_whole && content.contains(&sent[..16])
        };
        let note = list(&new, "notes").iter().find(is_of).unwrap_or_else(|| panic!("no note of {subject}"));
        assert!(!note["content"].as_str().unwrap().contains("style"));
        assert_eq!(note["add_time"].as_str().unwrap()[..19].replace('T', " "), sent[..19], "the original date");
        assert!(!note["person_id"].is_null() || !note["deal_id"].is_null());
    }
}
