//! Project files: what is read, and what every refusal looks like.

mod alerts;
mod credentials;
mod fields;
mod folder;
mod mistakes;
mod schemas;
mod tables;

use folder::Folder;
use handover::config::{CredentialSource, SecretFrom};
use handover::problem::{self, Exit, Problem};
use handover_files::{DateOrder, Form};
use handover_model::{Deletes, Finding, From, Keep, Leaves, MatchKind, Merges, Removals, Value, Weight};

#[test]
fn a_whole_project_is_understood() {
    let folder = Folder::sample();
    let project = folder.load().unwrap_or_else(|text| panic!("{text}"));
    assert_eq!(project.name, "acme-move");
    assert!(project.state.ends_with(".handover/state.db"));
    let old = project.system(&"old".into()).unwrap();
    assert_eq!(old.platform, "pipedrive");
    assert_eq!(old.base_url.as_deref(), Some("https://acme.pipedrive.com"));
    assert!((old.reserve - 0.2).abs() < 1e-9);
    assert_eq!(old.timeout.as_secs(), 60);
    let CredentialSource::Token(token) = &old.credentials else { panic!("a token") };
    assert_eq!(token.from, SecretFrom::Env("OLD_TOKEN".into()));
    let drop = project.system(&"drop".into()).unwrap().files.as_ref().unwrap();
    assert_eq!(drop.objects.get("accounts").unwrap().columns.get("since"), Some(&Form::Date(DateOrder::DayFirst)));
    let demo = project.system(&"demo_old".into()).unwrap();
    assert!(demo.sandbox.is_some());
    let webhooks = demo.webhooks.as_ref().unwrap();
    assert_eq!(webhooks.secret.from, SecretFrom::Env("HOOKS".into()));
    assert_eq!(webhooks.url.as_deref(), Some("https://sync.acme.example/hooks/demo_old"));
    assert_eq!((webhooks.poll.as_secs(), old.webhooks.is_none()), (600, true));

    let persons = project.flow(&"persons".into()).unwrap();
    assert_eq!((persons.source.object.as_str(), persons.target.object.as_str()), ("persons", "contacts"));
    assert_eq!(persons.keep, Keep::FillEmpty);
    assert_eq!(persons.key.as_ref().map(|key| key.as_str()), Some("handover_source_key"));
    let kinds: Vec<_> = persons.matching.iter().map(|key| key.kind).collect();
    assert_eq!(kinds, [MatchKind::ExternalId, MatchKind::Email, MatchKind::Phone]);
    assert_eq!(persons.matching[2].region.as_deref(), Some("DE"));
    let rule = |name: &str| persons.rules.iter().find(|rule| rule.target == *name).unwrap();
    assert_eq!(rule("firstname").from, From::Fields(vec!["first_name".into()]));
    assert_eq!(rule("firstname").place.to_string(), "mappings/persons.yaml:11:3");
    assert_eq!(rule("phone").from, From::Fields(vec!["phones".into(), "other".into()]));
    assert_eq!(rule("email").steps.len(), 2);
    assert_eq!(rule("email").steps[1].arguments.get("in"), Some(&Value::from("EN")));
    assert_eq!(rule("email").keep, Some(Keep::Source));
    assert_eq!(rule("lifecyclestage").from, From::Constant(Value::from("customer")));
    assert_eq!(rule("score").from, From::Constant(Value::from(7)));
    assert_eq!(rule("zip").default.as_ref().unwrap().0, Value::from("01067"));
    assert_eq!(rule("dealstage").table.as_deref(), Some("deal_stages"));
    assert!(matches!(rule("note").from, From::Expression(_)));
    assert!(rule("associations.contacts").later);
    let (reason, place) = persons.excluded.get("picture_id").unwrap();
    assert_eq!(reason, "pictures are not moved");
    assert_eq!(place.line, 25);

    assert_eq!(project.tables["deal_stages"].rows["7"].to, "closedwon");
    let mark = Deletes::Mark { field: "hs_lead_status".into(), value: Value::from("UNQUALIFIED") };
    assert_eq!(persons.removals, Removals { deletes: mark, merges: Merges::Carry, leaves: Leaves::Ignore });
    assert_eq!(project.snapshot.len(), 64);
}

#[test]
fn policies_and_dates_are_understood() {
    let project = Folder::sample().load().unwrap_or_else(|text| panic!("{text}"));
    let persons = project.flow(&"persons".into()).unwrap();
    let reconcile = project.policies.reconcile.unwrap();
    assert_eq!((reconcile.every.as_mins(), reconcile.whole.as_hours(), reconcile.lag.as_mins()), (30, 72, 15));
    assert!(reconcile.carry && !reconcile.now);
    assert_eq!((project.policies.delete_count, project.policies.sweep.as_secs()), (30, 6 * 60 * 60));
    assert_eq!(project.policies.lease.as_secs(), 5 * 60);
    assert!((project.policies.delete_share - 0.005).abs() < 1e-9);
    assert_eq!(project.policies.error_of_last, 100);
    assert_eq!(project.policies.acknowledged_automations, ["Welcome e-mail"]);
    assert_eq!(project.kill_date.unwrap().at.to_string(), "2027-03-30T22:00:00Z", "midnight in Berlin");
    let cohorts: Vec<(&str, Option<String>, Option<String>)> = project
        .cohorts
        .iter()
        .map(|cohort| {
            (
                cohort.name.as_str(),
                cohort.begins.map(|day| day.at.to_string()),
                cohort.moves.map(|day| day.date.to_string()),
            )
        })
        .collect();
    let text = |text: &str| Some(text.to_owned());
    // Berlin's day begins an hour before Greenwich's.
    assert_eq!(
        cohorts,
        [("north", text("2027-01-03T23:00:00Z"), text("2027-02-01")), ("rest", None, text("2027-03-01"))]
    );
    let filters: Vec<&str> = persons.cohorts.iter().map(|(_, filter)| filter.expression.as_str()).collect();
    assert_eq!(filters, [".region == \"North\"", "true"]);
}

#[test]
fn the_snapshot_changes_with_every_byte_and_with_nothing_else() {
    let folder = Folder::sample();
    let first = folder.load().unwrap().snapshot;
    assert_eq!(folder.load().unwrap().snapshot, first);
    folder.write("unrelated.txt", "x");
    assert_eq!(folder.load().unwrap().snapshot, first);
    folder.append("translations/deal_stages.csv", "9,lost,\n");
    let second = folder.load().unwrap().snapshot;
    assert_ne!(second, first);
    folder.append("mappings/persons.yaml", "# a comment\n");
    assert_ne!(folder.load().unwrap().snapshot, second);
}

#[test]
fn anchors_are_understood_and_cannot_blow_up() {
    let folder = Folder::sample();
    folder.replace("handover.yaml", "    reserve: 20%\n", "    reserve: &share 20%\n");
    folder.replace("handover.yaml", "token: {env: NEW_TOKEN}}", "token: {env: NEW_TOKEN}, reserve: *share}");
    assert!((folder.load().unwrap().system(&"new".into()).unwrap().reserve - 0.2).abs() < 1e-9);

    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, inner) in ["b", "c", "d", "e", "f", "g", "h"].iter().zip(["a", "b", "c", "d", "e", "f", "g"]) {
        let aliases = vec![format!("*{inner}"); 10].join(", ");
        bomb.push_str(&format!("{name}: &{name} [{aliases}]\n"));
    }
    folder.write("handover.yaml", &bomb);
    assert!(folder.load().unwrap_err().contains("more parts than any project file needs"));
}

#[test]
fn a_mapping_that_no_flow_names_is_noticed() {
    let folder = Folder::sample();
    folder.write("mappings/forgotten.yaml", "x: y\n");
    let project = folder.load().unwrap();
    assert_eq!(project.notices.len(), 1);
    assert!(project.notices[0].message.contains("mappings/forgotten.yaml is not among the `flows`"));
}

#[test]
fn the_state_is_filled_from_the_environment() {
    let folder = Folder::sample();
    folder.replace("handover.yaml", "state: .handover/state.db", "state: postgres://app:${DB_PASSWORD}@db/handover");
    assert_eq!(folder.load().unwrap().state, "postgres://app:pw-from-env@db/handover");
    let project = format!("{:?}", folder.load().unwrap());
    assert!(!project.contains("pw-from-env"), "{project}");
}

#[test]
fn findings_are_shown_with_their_lines_and_counted() {
    let project = Folder::sample().load().unwrap();
    let flow = project.flow(&"persons".into()).unwrap();
    let place = |index: usize| &flow.rules[index].place;
    let mut wrong = Finding::new(Weight::Error, "unknown_field", "`fistname` is not a field of new.contacts")
        .at(place(0))
        .hint("did you mean `firstname`?");
    wrong.width = 9;
    let mut held = Finding::new(Weight::Warning, "untranslated", "`Won` has no row in translations/deal_stages.csv");
    held = held.at(place(6));
    held.records = Some(140);
    let note = Finding::new(Weight::Note, "automations", "2 workflows act on contacts").hint("look at them");
    let problems = Problem::from_findings(&[held, wrong, note], &project.sources);
    let problems: Vec<_> = problems.into_iter().map(|problem| problem.state("nothing was read or written")).collect();
    insta::assert_snapshot!("findings", problem::render(&problems, false));
    insta::assert_snapshot!("findings_in_colour", problem::render(&problems, true).replace('\u{1b}', "ESC"));
    insta::assert_snapshot!("findings_as_json", serde_json::to_string_pretty(&problem::to_json(&problems)).unwrap());
    assert_eq!(problem::exit(&problems).code(), 1);
}

#[test]
fn a_chain_of_causes_is_printed_once_and_cannot_move_the_cursor() {
    #[derive(Debug, thiserror::Error)]
    #[error("cannot open the state")]
    struct Outer(#[source] std::io::Error);
    let inner = std::io::Error::other("disk \u{1b}[2Jfull\nreally");
    let text = Problem::ours("state", "the run stopped")
        .because(&Outer(inner))
        .state("1,800 of 2,000 written; the rest is queued; nothing was sent twice")
        .hint("continue with `handover run`")
        .hint("continue with `handover run`")
        .render(false);
    insta::assert_snapshot!(text);
    assert_eq!(Exit::Ours.code(), 2);
    assert_eq!((Exit::Held.code(), Exit::Guard.code()), (3, 4));
}
