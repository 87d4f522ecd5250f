//! Links that people take away: they go on the other side too, whatever else the record is linked to.

use handover_engine::{Policies, Selection};
use handover_sandbox::faults::{DisturbAction, Disturbance, Which};
use handover_sandbox::journal::Action;
use serde_json::{Value as Json, json};

use crate::rig::{Death, Ended, Ground, Orders, Scene, Way, disturbance, source_key};

fn orders() -> Orders {
    Orders { selection: Some(Selection::Changes), verify: true, ..Orders::default() }
}

/// A pass; gives the links that it made and took away in the old and in the new system.
fn pass(ground: &mut Ground<'_>) -> [Vec<String>; 2] {
    let before = ground.end();
    match ground.live_with(Death::No, &orders()) {
        Ended::Finished(_) => {}
        ended => panic!("{ended:?}"),
    }
    assert_eq!(ground.differences, Vec::<String>::new());
    let after = ground.end();
    let links = |before: usize, entries: &[handover_sandbox::journal::Entry]| {
        let changes = entries[before..].iter().flat_map(|entry| &entry.changes);
        let links = changes.filter(|change| matches!(change.action, Action::Linked | Action::Unlinked));
        let mut links: Vec<String> =
            links.map(|change| format!("{:?} {} {}", change.action, change.object, change.id)).collect();
        links.sort();
        links
    };
    [links(before.old_journal.len(), &after.old_journal), links(before.new_journal.len(), &after.new_journal)]
}

fn disturb(object: &str, id: &str, action: DisturbAction) -> Disturbance {
    disturbance(object, Which::Id(id.to_owned()), action)
}

/// The HubSpot records that came of Pipedrive's.
struct Made(Json);

impl Made {
    fn of(ground: &Ground<'_>) -> Self {
        Self(ground.end().new)
    }

    fn id(&self, object: &str, key: &str) -> Option<String> {
        let records = self.0["objects"][object].as_array()?;
        let found = records.iter().find(|record| source_key(record) == Some(key))?;
        found["id"].as_str().map(str::to_owned)
    }
}

/// A deal with a person beside the main one, all of them in HubSpot: in Pipedrive and in HubSpot.
struct Deal {
    old: [String; 2],
    new: [String; 2],
}

impl Deal {
    fn of(ground: &Ground<'_>, nth: usize) -> Self {
        let made = Made::of(ground);
        let deals = ground.scene.old["deals"].as_array().unwrap();
        let found = ground.scene.old["deal_participants"].as_array().unwrap().iter().filter_map(|row| {
            let (deal, person) = (row["deal_id"].to_string(), row["person_id"].to_string());
            let main = deals.iter().find(|one| one["id"] == row["deal_id"])?["person_id"].to_string();
            let new = [
                made.id("deals", &format!("old:deals:{deal}"))?,
                made.id("contacts", &format!("old:persons:{person}"))?,
            ];
            made.id("contacts", &format!("old:persons:{main}")).filter(|main| *main != new[1])?;
            Some(Self { old: [deal, person], new })
        });
        let mut seen = std::collections::BTreeSet::new();
        found.filter(|found| seen.insert(found.old[0].clone())).nth(nth).expect("a deal with two people")
    }
}

fn begun(scene: &'static Scene) -> Ground<'static> {
    let mut ground = Ground::new(scene);
    ground.finish().unwrap();
    assert_eq!(pass(&mut ground), [Vec::<String>::new(), Vec::new()]);
    ground
}

fn unlink(object: &str, to: &str) -> DisturbAction {
    DisturbAction::Unlink { object: object.to_owned(), to: to.to_owned() }
}

#[test]
fn what_is_taken_away_in_pipedrive_goes_in_hubspot() {
    let mut ground = begun(Scene::of(Way::ToHubspot));
    let deal = Deal::of(&ground, 0);
    ground.disturb(
        0,
        &[
            disturb("deal", &deal.old[0], unlink("person", &deal.old[1])),
            disturb("deal", &deal.old[0], DisturbAction::Touch),
        ],
    );
    let [old, new] = pass(&mut ground);
    assert_eq!(old, Vec::<String>::new());
    assert_eq!(new, [format!("Unlinked associations deals/{}/contacts/{}", deal.new[0], deal.new[1])]);
    assert_eq!(pass(&mut ground), [Vec::<String>::new(), Vec::new()]);
    // What people of the new system link is theirs, and stays.
    let other = Deal::of(&ground, 1);
    let link = DisturbAction::Link { object: "contacts".to_owned(), to: deal.new[1].clone() };
    ground.disturb(1, &[disturb("deals", &other.new[0], link)]);
    ground.disturb(
        0,
        &[
            disturb("deal", &other.old[0], unlink("person", &other.old[1])),
            disturb("deal", &other.old[0], DisturbAction::Touch),
        ],
    );
    let before = ground.end().new_journal.len();
    assert!(matches!(ground.live_with(Death::No, &Orders { verify: false, ..orders() }), Ended::Finished(_)));
    let after = ground.end();
    let gone: Vec<&str> = after.new_journal[before..]
        .iter()
        .flat_map(|entry| &entry.changes)
        .filter(|change| change.action == Action::Unlinked)
        .map(|change| change.id.as_str())
        .collect();
    assert_eq!(gone, [format!("deals/{}/contacts/{}", other.new[0], other.new[1])]);
}

#[test]
fn a_company_that_is_left_or_changed_is_no_longer_the_primary_one() {
    let mut ground = begun(Scene::of(Way::ToHubspot));
    let made = Made::of(&ground);
    let persons = ground.scene.old["persons"].as_array().unwrap();
    let employed: Vec<(String, String, String, String)> = persons
        .iter()
        .filter_map(|person| {
            let (id, org) = (person["id"].to_string(), person["org_id"].to_string());
            let contact = made.id("contacts", &format!("old:persons:{id}"))?;
            let company = made.id("companies", &format!("old:organizations:{org}"))?;
            Some((id, contact, org, company))
        })
        .collect();
    let [one, other, ..] = employed.as_slice() else { panic!("two people with companies") };
    let elsewhere = employed.iter().find(|(_, _, org, _)| *org != other.2).unwrap();
    let change =
        |id: &str, org: Json| disturb("person", id, DisturbAction::Change { field: "org_id".to_owned(), value: org });
    ground.disturb(0, &[change(&one.0, Json::Null), change(&other.0, elsewhere.2.parse::<u64>().unwrap().into())]);
    let [_, new] = pass(&mut ground);
    let primary = |word: &str, contact: &str, company: &str| {
        format!("{word} associations contacts/{contact}/companies/{company}")
    };
    let mut expected = vec![
        primary("Unlinked", &one.1, &one.3),
        primary("Unlinked", &other.1, &other.3),
        primary("Linked", &other.1, &elsewhere.3),
    ];
    expected.sort();
    assert_eq!(new, expected);
    assert_eq!(pass(&mut ground), [Vec::<String>::new(), Vec::new()]);
}

#[test]
fn both_ways_each_side_may_take_away_and_add() {
    let mut ground = begun(Scene::both_ways(Way::ToHubspot));
    let [deal, other] = [Deal::of(&ground, 0), Deal::of(&ground, 1)];
    // One person leaves in HubSpot while another one joins in Pipedrive.
    let joins = |person: &str| DisturbAction::Link { object: "person".to_owned(), to: person.to_owned() };
    ground.disturb(
        1,
        &[
            disturb("deals", &deal.new[0], unlink("contacts", &deal.new[1])),
            disturb("deals", &deal.new[0], DisturbAction::Touch),
        ],
    );
    ground.disturb(
        0,
        &[disturb("deal", &deal.old[0], joins(&other.old[1])), disturb("deal", &deal.old[0], DisturbAction::Touch)],
    );
    let [old, new] = pass(&mut ground);
    assert_eq!(old, [format!("Unlinked deal_participant {}/{}", deal.old[0], deal.old[1])]);
    assert_eq!(new, [format!("Linked associations deals/{}/contacts/{}", deal.new[0], other.new[1])]);
    assert_eq!(pass(&mut ground), [Vec::<String>::new(), Vec::new()]);
}

/// Links taken away on both sides, and one changed.
fn worked(ground: &mut Ground<'_>) {
    let [deal, other] = [Deal::of(ground, 0), Deal::of(ground, 1)];
    ground.disturb(
        1,
        &[
            disturb("deals", &deal.new[0], unlink("contacts", &deal.new[1])),
            disturb("deals", &deal.new[0], DisturbAction::Touch),
        ],
    );
    ground.disturb(
        0,
        &[
            disturb("deal", &other.old[0], unlink("person", &other.old[1])),
            disturb("deal", &other.old[0], DisturbAction::Touch),
            disturb("person", &other.old[1], DisturbAction::Change { field: "org_id".to_owned(), value: json!(null) }),
        ],
    );
}

/// Dying anywhere in such a pass, the end is that of one that nobody interrupted.
#[test]
fn dying_in_a_pass_that_takes_links_away() {
    let mut whole = Ground::new(Scene::both_ways(Way::ToHubspot));
    whole.finish().unwrap();
    worked(&mut whole);
    let begun = whole.copy();
    whole.live_with(Death::No, &orders());
    whole.die_everywhere(&begun, &orders());
}

/// People join and leave a deal, and nothing of the deal itself moves.
#[test]
fn links_that_touch_no_record_are_found_by_a_sweep() {
    let mut ground = begun(Scene::both_ways(Way::ToHubspot));
    let [deal, other] = [Deal::of(&ground, 0), Deal::of(&ground, 1)];
    ground.disturb(1, &[disturb("deals", &deal.new[0], unlink("contacts", &deal.new[1]))]);
    ground.disturb(0, &[disturb("deal", &other.old[0], unlink("person", &other.old[1]))]);
    ground.now += jiff::SignedDuration::from_hours(25);
    let [old, new] = pass(&mut ground);
    assert_eq!(old, [format!("Unlinked deal_participant {}/{}", deal.old[0], deal.old[1])]);
    assert_eq!(new, [format!("Unlinked associations deals/{}/contacts/{}", other.new[0], other.new[1])]);
    ground.now += jiff::SignedDuration::from_hours(25);
    assert_eq!(pass(&mut ground), [Vec::<String>::new(), Vec::new()]);
}

/// Every participant of every deal is gone at once: nothing is taken away until a person says so.
#[test]
fn links_that_vanish_in_masses_are_guarded() {
    let mut ground = begun(Scene::of(Way::ToHubspot));
    let rows = ground.scene.old["deal_participants"].as_array().unwrap().clone();
    let text = |row: &Json, field: &str| row[field].to_string();
    let gone = rows.iter().map(|row| disturb("deal", &text(row, "deal_id"), unlink("person", &text(row, "person_id"))));
    ground.disturb(0, &gone.collect::<Vec<_>>());
    ground.now += jiff::SignedDuration::from_hours(25);
    let before = ground.end().new_journal.len();
    let bounds: fn(&mut Policies) = |policies| policies.delete_count = 2;
    let ended = ground.live_with(Death::No, &Orders { verify: false, policies: Some(bounds), ..orders() });
    let Ended::Failed(error) = ended else { panic!("{ended:?}") };
    let message = error.to_string();
    assert!(message.contains("links to be taken away are due"), "{message}");
    let unlinked = |ground: &Ground<'_>| {
        let end = ground.end();
        let changes = end.new_journal[before..].iter().flat_map(|entry| &entry.changes).cloned().collect::<Vec<_>>();
        changes.iter().filter(|change| change.action == Action::Unlinked).count()
    };
    assert_eq!(unlinked(&ground), 0);
    let policies: fn(&mut Policies) = |policies| {
        policies.delete_count = 2;
        policies.confirmed_deletes.insert("deals".into(), 1_000);
    };
    let confirmed = Orders { policies: Some(policies), ..orders() };
    assert!(matches!(ground.live_with(Death::No, &confirmed), Ended::Finished(_)));
    assert!(unlinked(&ground) > 2);
    assert_eq!(ground.differences, Vec::<String>::new());
}
