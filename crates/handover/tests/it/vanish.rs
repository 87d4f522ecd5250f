//! Records that were deleted, merged and brought back: what becomes of their counterparts.

mod dying;
mod leaving;
mod merges;
mod returning;
mod targets;

use std::collections::BTreeSet;

use handover_engine::{Error, Policies, Report, Selection};
use handover_model::{Answer, Cause, Deletes, FlowName, Hold, Merges, Outcome, RecordId, Removals, Value};
use handover_sandbox::faults::{DisturbAction, Disturbance, FaultPlan, Which};
use handover_sandbox::journal::Action;
use handover_store::{Commit, GivenAnswer, HoldFilter, RecordRow, Store};
use jiff::SignedDuration;
use serde_json::json;

use crate::rig::{Death, Ended, Ground, Orders, Scene, Way};

/// How things are called on the way.
struct Names {
    /// The flow of people, and their object in the sandbox of the old and of the new system.
    flow: &'static str,
    old: &'static str,
    new: &'static str,
    /// A text field of theirs in the new system.
    text: &'static str,
}

fn names(way: Way) -> Names {
    match way {
        Way::ToHubspot => Names { flow: "persons", old: "person", new: "contacts", text: "lastname" },
        Way::ToPipedrive => Names { flow: "contacts", old: "contacts", new: "person", text: "name" },
    }
}

/// A company after its load, its rules, and what happens to it.
struct Play {
    ground: Ground<'static>,
    names: Names,
    orders: Orders,
}

/// No guard, and whatever is looked for is looked for in every pass.
fn open(policies: &mut Policies) {
    policies.sweep = SignedDuration::ZERO;
    policies.delete_count = 1_000;
    policies.delete_share = 1.0;
}

impl Play {
    fn new(way: Way, deletes: Deletes, merges: Merges) -> Self {
        Self::on(Scene::of(way), deletes, merges)
    }

    fn on(scene: &'static Scene, deletes: Deletes, merges: Merges) -> Self {
        let way = scene.way();
        let mut ground = Ground::new(scene);
        ground.finish().unwrap();
        let removals = Removals { deletes, merges, ..Removals::default() };
        let orders =
            Orders { selection: Some(Selection::Changes), removals, policies: Some(open), ..Orders::default() };
        let mut play = Self { ground, names: names(way), orders };
        assert_eq!(play.pass(), Vec::<String>::new(), "nothing vanished");
        play
    }

    /// A pass over changes; gives what it changed in the new system beside links, one word for each record.
    fn pass(&mut self) -> Vec<String> {
        let (ended, done) = self.pass_that_may_stop();
        ended.unwrap_or_else(|error| panic!("{error}"));
        done
    }

    fn pass_that_may_stop(&mut self) -> (Result<Report, Error>, Vec<String>) {
        let before = self.ground.end().new_journal.len();
        let ended = match self.ground.live_with(Death::No, &self.orders) {
            Ended::Finished(report) => Ok(report),
            Ended::Failed(error) => Err(error),
            Ended::Died => panic!("it died"),
        };
        self.ground.now += SignedDuration::from_mins(10);
        let journal = self.ground.end().new_journal;
        let changes = journal[before..].iter().flat_map(|entry| &entry.changes);
        let changes = changes.filter(|change| !matches!(change.action, Action::Linked | Action::Unlinked));
        let mut done: Vec<String> =
            changes.map(|change| format!("{:?} {} {}", change.action, change.object, change.id)).collect();
        done.sort();
        (ended, done)
    }

    /// Somebody makes a record in the old system (0) or in the new one (1), and a pass reads it; gives its id.
    fn create(&mut self, system: usize, object: &str, fields: serde_json::Value) -> RecordId {
        let action = DisturbAction::Create { fields };
        self.ground.disturb(system, &[Disturbance { object: object.to_owned(), which: Which::default(), action }]);
        self.pass();
        self.newest(system)
    }

    /// The record that was made last in the old system (0) or in the new one (1).
    fn newest(&self, system: usize) -> RecordId {
        let end = self.ground.end();
        let journal = if system == 0 { end.old_journal } else { end.new_journal };
        let mut changes = journal.iter().flat_map(|entry| &entry.changes);
        changes.rfind(|change| change.action == Action::Created).unwrap().id.as_str().into()
    }

    fn read<T>(&self, with: impl AsyncFnOnce(&Store) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = Store::open_reading(&self.ground.location).await.unwrap();
            let result = with(&store).await;
            store.close().await.unwrap();
            result
        })
    }

    /// Records of a flow that were made in the new system.
    fn made(&self, flow: &str) -> Vec<RecordRow> {
        self.read(async |store| store.rows_page(&flow.into(), Some(Outcome::Created), None, 1000).await.unwrap())
    }

    fn row(&self, flow: &str, record: &RecordId) -> RecordRow {
        let rows = self.read(async |store| store.rows(&flow.into(), std::slice::from_ref(record)).await.unwrap());
        rows[record].clone()
    }

    fn holds(&self, flow: &str, record: &RecordId) -> Vec<Hold> {
        let filter = HoldFilter { flow: Some(flow.into()), record: Some(record.clone()), ..HoldFilter::default() };
        let rows = self.read(async |store| store.holds_page(&filter, None, 100).await.unwrap());
        rows.into_iter().map(|row| row.hold).collect()
    }

    fn words(&self, record: &RecordId) -> Vec<&'static str> {
        self.holds(self.names.flow, record).iter().map(|hold| hold.cause.word()).collect()
    }

    /// Kinds of the ledger's rows about a person, in order.
    fn story(&self, record: &RecordId) -> Vec<String> {
        let story = self.read(async |store| store.story(&self.names.flow.into(), record).await.unwrap());
        story.into_iter().map(|told| told.kind).collect()
    }

    fn in_old(&mut self, object: &str, record: &RecordId, action: DisturbAction) {
        let which = Which::Id(record.to_string());
        self.ground.disturb(0, &[Disturbance { object: object.to_owned(), which, action }]);
    }

    fn in_new(&mut self, object: &str, record: &RecordId, action: DisturbAction) {
        let which = Which::Id(record.to_string());
        self.ground.disturb(1, &[Disturbance { object: object.to_owned(), which, action }]);
    }

    /// Deletes people of the old system.
    fn deleted(&mut self, number: usize) -> Vec<RecordRow> {
        let rows: Vec<RecordRow> = self.made(self.names.flow).into_iter().take(number).collect();
        for row in &rows {
            self.in_old(self.names.old, &row.record, DisturbAction::Delete);
        }
        rows
    }

    fn line(&self, action: &str, row: &RecordRow) -> String {
        format!("{action} {} {}", self.names.new, row.target.as_ref().unwrap())
    }

    /// Answers as `holds answer` does; gives what it changed in the new system.
    fn answer(&mut self, record: &RecordId, answer: Answer) -> Vec<String> {
        let flow: FlowName = self.names.flow.into();
        let given = GivenAnswer {
            flow: flow.clone(),
            record: record.clone(),
            answer,
            reviewer: "Ana".to_owned(),
            comment: String::new(),
        };
        let commit = Commit { at: self.ground.now, answers: vec![given], ..Commit::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = Store::open(&self.ground.location).await.unwrap();
            store.commit(commit).await.unwrap();
            store.close().await.unwrap();
        });
        let only = [(flow, BTreeSet::from([record.clone()]))].into();
        let changes = self.orders.selection.replace(Selection::Only(only));
        let done = self.pass();
        self.orders.selection = changes;
        done
    }

    /// HubSpot brings a record back without its associations, which is a change.
    fn removes_nothing(&mut self) {
        let done = self.pass();
        assert!(done.iter().all(|line| line.starts_with("Updated")), "{done:?}");
    }

    fn is_quiet(&mut self) {
        assert_eq!(self.pass(), Vec::<String>::new(), "it stopped changing");
    }
}

fn both(check: fn(Way)) {
    for way in [Way::ToHubspot, Way::ToPipedrive] {
        eprintln!("{way:?}");
        check(way);
    }
}

fn mark(names: &Names) -> Deletes {
    Deletes::Mark { field: names.text.into(), value: Value::from("Gone") }
}

#[test]
fn a_person_is_asked_about_what_was_deleted() {
    both(|way| {
        let mut play = Play::new(way, Deletes::Ask, Merges::Ask);
        let rows = play.deleted(2);
        assert_eq!(play.pass(), Vec::<String>::new());
        assert_eq!(play.words(&rows[0].record), Vec::<&str>::new(), "it is only missed yet");
        assert_eq!(play.pass(), Vec::<String>::new());
        for row in &rows {
            let holds = play.holds(play.names.flow, &row.record);
            let Cause::SourceDeleted { candidates } = &holds[0].cause else { panic!("{holds:?}") };
            assert_eq!(Some(&candidates[0].target), row.target.as_ref());
            assert!(!candidates[0].shown.is_empty() && holds[0].title != row.record.as_str(), "{holds:?}");
        }
        play.is_quiet();
        assert_eq!(play.answer(&rows[0].record, Answer::Delete), [play.line("Deleted", &rows[0])]);
        assert_eq!(play.answer(&rows[1].record, Answer::Keep), Vec::<String>::new());
        assert_eq!(play.words(&rows[0].record), Vec::<&str>::new());
        assert_eq!(play.words(&rows[1].record), Vec::<&str>::new());
        assert_eq!(play.row(play.names.flow, &rows[0].record).outcome, Outcome::Excluded);
        assert_eq!(play.row(play.names.flow, &rows[1].record).target, rows[1].target);
        let story = play.story(&rows[0].record);
        assert_eq!(story[story.len() - 4..], ["vanished", "held", "removing", "removed"]);
        play.is_quiet();
        play.is_quiet();
    });
}

#[test]
fn a_deletion_is_carried_by_rule_in_a_later_pass() {
    both(|way| {
        let mut play = Play::new(way, Deletes::Delete, Merges::Ask);
        let rows = play.deleted(2);
        assert_eq!(play.pass(), Vec::<String>::new(), "it is only missed yet");
        let mut expected = [play.line("Deleted", &rows[0]), play.line("Deleted", &rows[1])];
        expected.sort();
        assert_eq!(play.pass(), expected);
        play.is_quiet();
        // What it said stands in the ledger, to be written again.
        let story = play.read(async |store| store.story(&play.names.flow.into(), &rows[0].record).await.unwrap());
        let told = story.iter().find(|told| told.kind == "removing").unwrap().values.clone().unwrap();
        assert!(told["before"][play.names.text].is_string(), "{told}");
    });
}

#[test]
fn what_is_seen_again_leaves_the_list_by_itself() {
    both(|way| {
        let mut play = Play::new(way, Deletes::Delete, Merges::Ask);
        let rows = play.deleted(1);
        assert_eq!(play.pass(), Vec::<String>::new());
        play.in_old(play.names.old, &rows[0].record.clone(), DisturbAction::Restore);
        play.removes_nothing();
        play.removes_nothing();
        // Also when somebody was asked already.
        let mut play = Play::new(way, Deletes::Ask, Merges::Ask);
        let rows = play.deleted(1);
        play.is_quiet();
        play.is_quiet();
        assert_eq!(play.words(&rows[0].record), ["source_deleted"]);
        play.in_old(play.names.old, &rows[0].record.clone(), DisturbAction::Restore);
        play.removes_nothing();
        assert_eq!(play.words(&rows[0].record), Vec::<&str>::new());
        assert_eq!(play.row(play.names.flow, &rows[0].record).target, rows[0].target);
    });
}

#[test]
fn it_is_marked_or_left_alone() {
    both(|way| {
        let mut play = Play::new(way, mark(&names(way)), Merges::Ask);
        let rows = play.deleted(1);
        play.is_quiet();
        assert_eq!(play.pass(), [play.line("Updated", &rows[0])]);
        play.is_quiet();
        let mut play = Play::new(way, Deletes::Ignore, Merges::Ask);
        let rows = play.deleted(1);
        play.is_quiet();
        play.is_quiet();
        assert_eq!(play.words(&rows[0].record), Vec::<&str>::new());
        play.is_quiet();
        // Both platforms keep people that were deleted for a while.
        let mut play = Play::new(way, Deletes::Archive, Merges::Ask);
        let rows = play.deleted(1);
        play.is_quiet();
        assert_eq!(play.pass(), [play.line("Deleted", &rows[0])]);
    });
}

/// Nothing of it is carried out, everything else is, and a person lets it through by name.
#[test]
fn the_guard_stops_what_is_too_much() {
    both(|way| {
        let bounds: [fn(&mut Policies); 2] = [
            |policies| {
                open(policies);
                policies.delete_count = 2;
            },
            |policies| {
                open(policies);
                policies.delete_share = 0.001;
            },
        ];
        for bound in bounds {
            let mut play = Play::new(way, Deletes::Delete, Merges::Ask);
            play.orders.policies = Some(bound);
            play.deleted(3);
            play.is_quiet();
            let new = DisturbAction::Create { fields: json!({ "name": "New Ltd", "lastname": "New" }) };
            play.in_old(play.names.old, &"0".into(), new);
            let (ended, done) = play.pass_that_may_stop();
            let Err(Error::Guard(tripped)) = ended else { panic!("{ended:?}") };
            assert_eq!((tripped[0].flow.as_str(), tripped[0].due), (play.names.flow, 3));
            assert_eq!(done.len(), 1, "{done:?}");
            assert!(done[0].starts_with("Created"), "{done:?}");
            let (ended, done) = play.pass_that_may_stop();
            assert!(matches!(ended, Err(Error::Guard(_))) && done.is_empty(), "{ended:?} {done:?}");
            play.orders.policies = Some(|policies| {
                open(policies);
                policies.delete_count = 2;
                policies.delete_share = 0.001;
                policies.confirmed_deletes = [("persons".into(), 3), ("contacts".into(), 3)].into();
            });
            assert_eq!(play.pass().len(), 3);
            play.is_quiet();
        }
    });
}

/// A system that was restored from an older backup: hundreds of people vanish at once.
#[test]
fn masses_that_vanish_are_not_even_asked_about() {
    both(|way| {
        let mut play = Play::new(way, Deletes::Ask, Merges::Ask);
        play.orders.policies = Some(|policies| {
            open(policies);
            policies.delete_count = 8;
        });
        let rows = play.deleted(9);
        play.is_quiet();
        let (ended, done) = play.pass_that_may_stop();
        assert!(matches!(ended, Err(Error::Guard(_))) && done.is_empty(), "{ended:?} {done:?}");
        assert_eq!(play.words(&rows[0].record), Vec::<&str>::new());
        // The backup was a mistake: they are all there again.
        for row in &rows {
            play.in_old(play.names.old, &row.record, DisturbAction::Restore);
        }
        play.removes_nothing();
        play.is_quiet();
    });
}

/// A record that was deleted opposite and comes again is made anew, and what pointed to it points to it again.
#[test]
fn what_comes_again_is_made_anew() {
    both(|way| {
        let mut play = Play::new(way, Deletes::Delete, Merges::Ask);
        let rows = play.deleted(1);
        play.is_quiet();
        assert_eq!(play.pass().len(), 1);
        play.is_quiet();
        play.in_old(play.names.old, &rows[0].record.clone(), DisturbAction::Restore);
        let done = play.pass();
        let row = play.row(play.names.flow, &rows[0].record);
        assert!(done.contains(&play.line("Created", &row)), "{done:?}");
        assert_ne!(row.target, rows[0].target);
        assert_eq!((row.outcome, row.identity), (Outcome::Created, rows[0].identity));
        play.orders.verify = true;
        play.is_quiet();
        assert_eq!(play.ground.differences, Vec::<String>::new());
    });
}

/// Whatever happens to the answers, each is deleted once, and nothing else is.
#[test]
fn answers_to_deletions_that_are_lost() {
    both(|way| {
        for fault in [
            json!({"kind": "lost_before"}),
            json!({"kind": "lost_after"}),
            json!({"kind": "unavailable", "status": 500}),
            json!({"kind": "limited", "retry_after_s": 3}),
        ] {
            let mut play = Play::new(way, Deletes::Delete, Merges::Ask);
            let rows = play.deleted(2);
            play.is_quiet();
            let methods = if way == Way::ToHubspot { "/crm/v3/objects/*/batch/archive" } else { "/api/v2/persons/*" };
            let plan = json!({"seed": 1, "rules": [{"when": {"path": methods, "to": 4}, "fault": fault}]});
            play.orders.faults[1] = FaultPlan::from_json(&plan.to_string()).unwrap();
            let (_, mut done) = play.pass_that_may_stop();
            play.orders.faults = Orders::default().faults;
            for _ in 0..3 {
                done.extend(play.pass());
            }
            let mut expected = [play.line("Deleted", &rows[0]), play.line("Deleted", &rows[1])];
            expected.sort();
            done.sort();
            assert_eq!(done, expected, "{fault}");
        }
    });
}
