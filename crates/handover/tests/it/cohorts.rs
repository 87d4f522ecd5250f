//! Cohorts on a virtual clock: what begins, what moves, and what changes its cohort.

use std::path::Path;

use handover_engine::{Report, Selection};
use handover_model::{Counts, Deletes, Removals};
use handover_store::{CohortCount, Moment, Store};
use serde_json::{Value as Json, json};

use handover_sandbox::faults::{DisturbAction, Disturbance, Which};
use handover_sandbox::journal::Action;

use crate::both_ways::{change, in_hubspot, nothing, pass, words};
use crate::rig::{Death, Ended, Ground, Orders, Scene, Way};

/// Two organizations with persons and deals, that the new system has not.
const NORTH: [&str; 2] = ["2", "8"];

/// A company whose organizations move in two parts, told apart by their names; what hangs on them follows.
fn company(both_ways: &[&str], dates: [&str; 2], edit: &dyn Fn(&Path)) -> Ground<'static> {
    let [north, south] = dates;
    let text = format!(
        "time_zone: Europe/Berlin\ncohorts:\n\
         \x20 - {{name: north, where: {{organizations: 'starts_with(string!(.name), \"North\")'}}, {north}}}\n\
         \x20 - {{name: south, where: {{organizations: 'starts_with(string!(.name), \"South\")'}}, {south}}}\n"
    );
    let scene = Scene::edited(Way::ToHubspot, both_ways, &|folder| {
        let file = folder.join("handover.yaml");
        let before = std::fs::read_to_string(&file).unwrap();
        let (head, flows) = before.split_once("flows:").unwrap();
        let (_, tail) = flows.split_once("policies:").unwrap();
        std::fs::write(file, format!("{head}flows: [organizations, persons, deals]\npolicies:{tail}{text}")).unwrap();
        edit(folder);
    });
    let mut ground = Ground::new(scene);
    ground.disturb(0, &NORTH.map(|id| change("organization", id, "name", json!(format!("North {id}")))));
    ground
}

/// Rewrites a part of the mapping of organizations.
fn mapping(folder: &Path, old: &str, new: &str) {
    let file = folder.join("mappings/organizations.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(old), "{old}");
    std::fs::write(file, text.replacen(old, new, 1)).unwrap();
}

fn plain(both_ways: &[&str], dates: [&str; 2]) -> Ground<'static> {
    company(both_ways, dates, &|_| {})
}

/// Noon of a day of that November.
fn noon_of(ground: &mut Ground<'_>, day: u8) {
    ground.now = format!("2026-11-{day:02}T12:00:00Z").parse().unwrap();
}

fn rename(ground: &mut Ground<'_>, id: &str, name: &str) {
    ground.disturb(0, &[change("organization", id, "name", json!(name))]);
}

/// A pass over what changed, with its report.
fn report(ground: &mut Ground<'_>) -> Report {
    let orders = Orders { selection: Some(Selection::Changes), verify: true, ..Orders::default() };
    let Ended::Finished(report) = ground.live_with(Death::No, &orders) else { panic!("the pass did not end") };
    assert_eq!(ground.differences, Vec::<String>::new());
    report
}

fn counts_of(report: &Report, object: &str) -> Counts {
    let counts = report.objects.iter().find(|one| one.object == *object).unwrap().counts;
    assert!(counts.adds_up(), "{counts:?}");
    counts
}

fn state<T>(ground: &Ground<'_>, ask: impl AsyncFnOnce(Store) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { ask(Store::open_reading(&ground.location).await.unwrap()).await })
}

fn cohorts(ground: &Ground<'_>) -> Vec<CohortCount> {
    state(ground, async |store| store.cohort_counts().await.unwrap())
}

/// Names of the companies in the new system that came of organizations.
fn companies(ground: &Ground<'_>) -> Vec<(String, String)> {
    let new = ground.world("new");
    let records = new["objects"]["companies"].as_array().unwrap().clone();
    let text = |value: &Json| value.as_str().map(str::to_owned);
    let made = records.iter().filter_map(|record| {
        let properties = &record["properties"];
        Some((text(&properties["handover_source_key"])?, text(&properties["name"]).unwrap_or_default()))
    });
    made.filter(|(key, _)| NORTH.iter().any(|id| *key == format!("old:organizations:{id}"))).collect()
}

/// The id of the company that came of an organization, and what it says of a field.
fn company_of(ground: &Ground<'_>, id: &str, field: &str) -> (String, String) {
    let company = in_hubspot(ground, "companies", &format!("old:organizations:{id}"));
    let new = ground.world("new");
    let records = new["objects"]["companies"].as_array().unwrap().clone();
    let record = records.iter().find(|record| record["id"] == *company).unwrap().clone();
    (company, record["properties"][field].as_str().unwrap_or_default().to_owned())
}

/// What the old system says of a field of an organization.
fn organization(ground: &Ground<'_>, id: &str, field: &str) -> Json {
    let old = ground.world("old");
    let records = old["organizations"].as_array().unwrap().clone();
    records.iter().find(|record| record["id"] == id.parse::<u64>().unwrap()).unwrap()[field].clone()
}

/// The holds of a record, each in its sentence.
fn holds_of(ground: &Ground<'_>, id: &str) -> Vec<String> {
    let holds = state(ground, async |store| store.holds_of(&"organizations".into(), &id.into()).await.unwrap());
    holds.iter().map(|hold| hold.cause.sentence()).collect()
}

/// What waits is in no system but its own until its day comes; then it arrives although nobody touched it, with all
/// that follows it, as if it had been carried at once.
#[test]
fn what_begins_later_arrives_on_its_day_untouched() {
    let mut ground = plain(&[], ["begins: 2026-11-04", "begins: 2027-01-01"]);
    let first = ground.finish().unwrap();
    let organizations = counts_of(&first, "organizations");
    assert_eq!(organizations.excluded, 2, "{organizations:?}");
    assert_eq!(companies(&ground), []);
    let waiting = cohorts(&ground);
    let flows: Vec<(&str, u64, u64)> =
        waiting.iter().map(|count| (count.flow.as_str(), count.records, count.waiting)).collect();
    eprintln!("{flows:?}");
    assert!(flows.contains(&("organizations", 2, 2)));
    assert!(waiting.iter().all(|count| count.waiting == count.records && count.paired == 0), "{waiting:?}");
    for follows in ["persons", "deals"] {
        assert!(flows.iter().any(|(flow, ..)| *flow == follows), "{follows} follow their organizations: {flows:?}");
    }
    assert_eq!(pass(&mut ground), nothing(), "its day has not come");
    assert_eq!(counts_of(&report(&mut ground), "organizations").excluded, 2);

    // Berlin's 4th of November begins at 23:00 of the 3rd in UTC.
    ground.now = "2026-11-03T22:50:00Z".parse().unwrap();
    assert_eq!(pass(&mut ground), nothing(), "ten minutes too early");
    ground.now = "2026-11-03T23:00:01Z".parse().unwrap();
    let arrived = report(&mut ground);
    assert_eq!(counts_of(&arrived, "organizations").excluded, 0);
    assert_eq!(companies(&ground).len(), 2);
    assert!(cohorts(&ground).iter().all(|count| count.waiting == 0));
    assert_eq!(pass(&mut ground), nothing(), "once");

    let mut at_once = plain(&[], ["moves: 2027-01-01", "moves: 2027-01-01"]);
    at_once.finish().unwrap();
    let (late, early) = (ground.end(), at_once.end());
    assert_eq!(late.held, early.held);
    assert_eq!(late.differences(&early), Vec::<String>::new());
}

/// A record that changes its cohort: into one that has not begun it stays as it is in the target and its changes wait;
/// into one that has, it is carried, and what follows it too.
#[test]
fn what_changes_its_cohort_waits_or_arrives() {
    let mut ground = plain(&[], ["begins: 2026-11-20", "moves: 2027-01-01"]);
    rename(&mut ground, "2", "South 2");
    ground.finish().unwrap();
    let (_, name) = company_of(&ground, "2", "name");
    assert_eq!(name, "South 2");
    let organizations = counts_of(&report(&mut ground), "organizations");
    assert_eq!(organizations.excluded, 1);

    rename(&mut ground, "2", "North again");
    let waits = report(&mut ground);
    assert_eq!(company_of(&ground, "2", "name").1, "South 2", "it stays as it is");
    let counts = counts_of(&waits, "organizations");
    assert_eq!((counts.excluded, counts.created), (2, organizations.created - 1), "and counts as left out for now");

    // The other one goes the other way: nobody touched what follows it.
    rename(&mut ground, "8", "South 8");
    let arrives = report(&mut ground);
    assert_eq!(company_of(&ground, "8", "name").1, "South 8");
    assert!(arrives.did.created > 1, "with its persons: {:?}", arrives.did);
    assert_eq!(counts_of(&arrives, "organizations").excluded, 1);

    noon_of(&mut ground, 20);
    assert_eq!(pass(&mut ground), (Vec::new(), words(&["Updated companies"])));
    assert_eq!(company_of(&ground, "2", "name").1, "North again", "what waited arrives");
    assert_eq!(pass(&mut ground), nothing());
}

/// Who waits and is gone on its day was never carried: what points to it is carried without it, and linked with it when
/// it comes again, though nobody touched that.
#[test]
fn what_is_gone_on_its_day_and_comes_again_is_linked() {
    let mut ground = plain(&[], ["begins: 2026-11-04", "moves: 2027-01-01"]);
    let stage = ground.scene.old["deals"][0]["stage_id"].clone();
    let south = made(&mut ground, "organization", json!({"name": "South works"}));
    let north = NORTH[0].parse::<u64>().unwrap();
    let person = made(&mut ground, "person", json!({"name": "Waits Alone", "org_id": north}));
    let deal = made(
        &mut ground,
        "deal",
        json!({"title": "Linked late", "org_id": south, "person_id": person, "stage_id": stage}),
    );
    ground.finish().unwrap();
    assert_eq!(keyed(&ground, "contacts", person), None, "it waits");
    let carried = keyed(&ground, "deals", deal).unwrap();

    ground.disturb(0, &[on("person", person, DisturbAction::Delete)]);
    noon_of(&mut ground, 4);
    pass(&mut ground);
    ground.disturb(0, &[change("deal", &deal.to_string(), "title", json!("Carried without"))]);
    assert_eq!(pass(&mut ground), (Vec::new(), words(&["Updated deals"])));
    ground.disturb(0, &[on("person", person, DisturbAction::Restore)]);
    assert_eq!(pass(&mut ground), (Vec::new(), words(&["Created contacts"])));
    let contact = keyed(&ground, "contacts", person).unwrap();
    let linked =
        ground.end().new_journal.iter().flat_map(|entry| entry.changes.clone()).any(|change| {
            change.action == Action::Linked && change.id == format!("deals/{carried}/contacts/{contact}")
        });
    assert!(linked, "the deal is linked with who came again");
    assert_eq!(pass(&mut ground), nothing());
}

/// Makes a record in the old system; gives its id.
fn made(ground: &mut Ground<'_>, object: &str, fields: Json) -> u64 {
    ground.disturb(
        0,
        &[Disturbance { object: object.to_owned(), which: Which::default(), action: DisturbAction::Create { fields } }],
    );
    let old = ground.world("old");
    let records = old[format!("{object}s")].as_array().unwrap();
    records.iter().filter_map(|record| record["id"].as_u64()).max().unwrap()
}

fn on(object: &str, id: u64, action: DisturbAction) -> Disturbance {
    Disturbance { object: object.to_owned(), which: Which::Id(id.to_string()), action }
}

/// The record of the new system that came of one of the old system's, if any did.
fn keyed(ground: &Ground<'_>, object: &str, id: u64) -> Option<String> {
    let old = if object == "contacts" { "persons" } else { object };
    let new = ground.world("new");
    let records = new["objects"][object].as_array().unwrap().clone();
    let key = json!(format!("old:{old}:{id}"));
    let found = records.iter().find(|record| record["properties"]["handover_source_key"] == key)?;
    found["id"].as_str().map(str::to_owned)
}

/// One way, after the move: the target's people are left alone, and an edit in the source is asked about or left, by
/// rule, and never carried over what they say.
#[test]
fn an_edit_in_the_source_after_the_move_is_asked_about() {
    let mut ground = company(&[], ["moves: 2026-11-04", "moves: 2027-01-01"], &|folder| {
        mapping(
            folder,
            "numberofemployees: employee_count",
            "numberofemployees: {from: employee_count, conflict: target}",
        );
    });
    ground.finish().unwrap();
    rename(&mut ground, "8", "North before");
    assert_eq!(pass(&mut ground), (Vec::new(), words(&["Updated companies"])), "not yet");

    noon_of(&mut ground, 4);
    assert_eq!(pass(&mut ground), nothing(), "a move by itself writes nothing");
    let (theirs, _) = company_of(&ground, "2", "name");
    ground.disturb(1, &[change("companies", &theirs, "name", json!("The team's own"))]);
    rename(&mut ground, "8", "North after");
    ground.disturb(0, &[change("organization", "2", "employee_count", json!(4711))]);
    let late = report(&mut ground);
    assert_eq!(company_of(&ground, "8", "name").1, "North before");
    assert_eq!(company_of(&ground, "2", "name").1, "The team's own");
    assert_ne!(company_of(&ground, "2", "numberofemployees").1, "4711");
    let asked = holds_of(&ground, "8");
    assert!(
        asked
            .iter()
            .any(|asked| asked.contains("`name` was changed in the source") && asked.contains("`north` had moved")),
        "{asked:?}"
    );
    assert_eq!(holds_of(&ground, "2"), Vec::<String>::new());
    let left: Vec<(String, u64)> = late.late.iter().map(|((flow, field), n)| (format!("{flow}.{field}"), *n)).collect();
    assert_eq!(left, [("organizations.numberofemployees".to_owned(), 1)]);
    assert_eq!(pass(&mut ground), nothing(), "told once");
    // The edit is taken back: nothing is left to be asked.
    rename(&mut ground, "8", "North before");
    assert_eq!(pass(&mut ground), nothing());
    assert_eq!(holds_of(&ground, "8"), Vec::<String>::new());
}

/// Both ways: until the move the source overwrites what the target says of its fields, afterwards it is the other way
/// round; a field with words of its own keeps to them.
#[test]
fn ownership_passes_on_its_day() {
    let mut ground = company(&["organizations"], ["moves: 2026-11-10", "moves: 2027-01-01"], &|folder| {
        mapping(folder, "direction: both_ways", "direction: both_ways\nowner: source");
        mapping(
            folder,
            "numberofemployees: employee_count",
            "numberofemployees: {from: employee_count, owner: {until_move: target, then: source}}",
        );
    });
    ground.finish().unwrap();
    noon_of(&mut ground, 5);
    let (company, _) = company_of(&ground, "8", "name");
    ground.disturb(
        1,
        &[
            change("companies", &company, "name", json!("Theirs")),
            change("companies", &company, "numberofemployees", json!("10")),
        ],
    );
    report(&mut ground);
    assert_eq!(company_of(&ground, "8", "name").1, "North 8", "the source owns the name");
    assert_eq!(organization(&ground, "8", "employee_count"), json!(10));

    noon_of(&mut ground, 10);
    ground.disturb(
        1,
        &[
            change("companies", &company, "name", json!("Theirs")),
            change("companies", &company, "numberofemployees", json!("11")),
        ],
    );
    let moved = report(&mut ground);
    assert_eq!(
        (company_of(&ground, "8", "name").1.as_str(), organization(&ground, "8", "name")),
        ("Theirs", json!("Theirs"))
    );
    assert_eq!(company_of(&ground, "8", "numberofemployees").1, "10", "the source's now");
    assert_eq!(moved.late.len(), 0, "{:?}", moved.late);
    noon_of(&mut ground, 11);
    // It is in no cohort any more by its own name: the team's word holds where a cohort has moved.
    rename(&mut ground, "2", "North by habit");
    let late = report(&mut ground);
    assert_eq!(organization(&ground, "2", "name"), json!("North 2"), "what the old system says is overwritten");
    assert_eq!(late.late.values().sum::<u64>(), 1, "and counted");
    assert_eq!(pass(&mut ground), nothing());
}

/// What the target's people do to a pair that waits goes back when the cohort begins.
#[test]
fn what_the_target_changes_meanwhile_waits_too() {
    let mut ground = plain(&["organizations"], ["begins: 2026-11-20", "moves: 2027-01-01"]);
    rename(&mut ground, "2", "South 2");
    ground.finish().unwrap();
    rename(&mut ground, "2", "North 2");
    report(&mut ground);
    let (company, name) = company_of(&ground, "2", "name");
    assert_eq!(name, "South 2");
    noon_of(&mut ground, 10);
    ground.disturb(1, &[change("companies", &company, "numberofemployees", json!("4711"))]);
    assert_eq!(pass(&mut ground), nothing());
    noon_of(&mut ground, 20);
    report(&mut ground);
    assert_eq!(organization(&ground, "2", "employee_count"), json!(4711));
    assert_eq!(company_of(&ground, "2", "name").1, "North 2");
    assert_eq!(pass(&mut ground), nothing());
}

/// Who tidies up in the old system after the move deletes nothing in the new one by rule.
#[test]
fn a_deletion_in_the_source_after_the_move_is_asked_about() {
    let mut ground = plain(&[], ["moves: 2026-11-04", "moves: 2027-01-01"]);
    ground.finish().unwrap();
    noon_of(&mut ground, 5);
    let gone = Disturbance {
        object: "organization".to_owned(),
        which: Which::Id("8".to_owned()),
        action: DisturbAction::Delete,
    };
    ground.disturb(0, &[gone]);
    let orders = || Orders {
        selection: Some(Selection::Changes),
        removals: Removals { deletes: Deletes::Delete, ..Removals::default() },
        ..Orders::default()
    };
    for _ in 0..3 {
        assert!(matches!(ground.live_with(Death::No, &orders()), Ended::Finished(_)));
    }
    let asked = holds_of(&ground, "8");
    assert_eq!(asked, ["the record was deleted in the source; its counterpart stands"]);
    company_of(&ground, "8", "name");
}

/// An expression decides what both sides changed; where it gives nothing a person is asked.
#[test]
fn an_expression_decides_a_conflict() {
    let rule = "{from: employee_count, conflict: {expr: 'if default(.source, 0) > default(.target, 0) { \"source\" } else if default(.target, 0) < 100 { null } else { \"target\" }'}}";
    let mut ground = company(&["organizations"], ["moves: 2027-01-01", "moves: 2027-01-01"], &|folder| {
        mapping(folder, "numberofemployees: employee_count", &format!("numberofemployees: {rule}"));
    });
    ground.finish().unwrap();
    noon_of(&mut ground, 3);
    for (source, target, left) in [("500", "400", Some("500")), ("300", "600", Some("600")), ("20", "50", None)] {
        let (company, _) = company_of(&ground, "8", "numberofemployees");
        ground.disturb(0, &[change("organization", "8", "employee_count", json!(source.parse::<u32>().unwrap()))]);
        ground.disturb(1, &[change("companies", &company, "numberofemployees", json!(target))]);
        ground.now += jiff::SignedDuration::from_hours(1);
        report(&mut ground);
        let (here, there) =
            (organization(&ground, "8", "employee_count").to_string(), company_of(&ground, "8", "numberofemployees").1);
        assert_eq!((here.as_str(), there.as_str()), (left.unwrap_or(source), left.unwrap_or(target)));
        assert_eq!(holds_of(&ground, "8").len(), usize::from(left.is_none()));
        ground.now += jiff::SignedDuration::from_hours(1);
    }
}

/// Dying before any durable write of the pass in which a cohort begins, the next one goes on, and the end is the same.
#[test]
fn dying_when_a_cohort_begins() {
    let mut whole = company(&[], ["begins: 2026-11-04", "begins: 2027-01-01"], &|folder| {
        let file = folder.join("handover.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(file, text.replace("[organizations, persons, deals]", "[organizations, persons]")).unwrap();
    });
    whole.finish().unwrap();
    noon_of(&mut whole, 4);
    let begun = whole.copy();
    let orders = Orders { selection: Some(Selection::Changes), ..Orders::default() };
    whole.live_with(Death::No, &orders);
    let deaths: Vec<Death> = (1..=whole.writes).map(|n| Death::AtWrite(n, Moment::Before)).collect();
    whole.die_at(&deaths, &begun, &orders);
}
