//! Random commits beside a plain model of what they mean: counts add up, stories are whole, the ledger
//! verifies.

use std::collections::{BTreeMap, BTreeSet};

use handover_model::{Cause, Counts, FlowName, Outcome, RecordId};
use handover_store::{Commit, Seq, Store};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::scene::{Scene, commit, entry, hold, row, waits_for};

const FLOWS: [&str; 3] = ["contacts", "deals", "notes"];

/// One thing that a commit does.
#[derive(Clone, Debug)]
enum Act {
    Row(usize, u8, usize),
    Tell(usize, Vec<u8>),
    Hold(usize, u8, u8),
    Release(usize, u8),
}

fn act() -> impl Strategy<Value = Act> {
    let flow = 0..FLOWS.len();
    prop_oneof![
        (flow.clone(), 0..20_u8, 0..8_usize).prop_map(|(flow, record, outcome)| Act::Row(flow, record, outcome)),
        (flow.clone(), prop::collection::vec(0..20_u8, 0..6)).prop_map(|(flow, records)| Act::Tell(flow, records)),
        (flow.clone(), 0..20_u8, 0..3_u8).prop_map(|(flow, record, cause)| Act::Hold(flow, record, cause)),
        (flow, 0..20_u8).prop_map(|(flow, record)| Act::Release(flow, record)),
    ]
}

/// What the commits mean.
#[derive(Default)]
struct Model {
    rows: BTreeMap<(usize, u8), Outcome>,
    stories: BTreeMap<(usize, u8), Vec<Seq>>,
    holds: BTreeMap<(usize, u8), BTreeSet<u8>>,
    entries: i64,
    items: u64,
}

impl Model {
    fn commit(&mut self, second: i64, acts: &[Act]) -> Commit {
        let name = |record: u8| format!("r{record}");
        // In the order in which a commit is applied, whatever the order of the acts.
        commit(second, |commit| {
            for act in acts {
                match act {
                    Act::Row(flow, record, outcome) => {
                        let outcome = Outcome::ALL[*outcome];
                        self.rows.insert((*flow, *record), outcome);
                        commit.rows.push(row(FLOWS[*flow], &name(*record), outcome));
                    }
                    Act::Tell(flow, records) => {
                        self.entries += 1;
                        self.items += records.len() as u64;
                        let names: Vec<String> = records.iter().map(|record| name(*record)).collect();
                        let items: Vec<_> = names.iter().map(|name| (name.as_str(), json!({ "of": name }))).collect();
                        commit.entries.push(entry("told", FLOWS[*flow], &items));
                        for record in records {
                            self.stories.entry((*flow, *record)).or_default().push(self.entries);
                        }
                    }
                    Act::Release(flow, record) => {
                        self.holds.remove(&(*flow, *record));
                        commit.released.push((FLOWS[*flow].into(), name(*record).into()));
                    }
                    Act::Hold(..) => {}
                }
            }
            for act in acts {
                if let Act::Hold(flow, record, cause) = act {
                    self.holds.entry((*flow, *record)).or_default().insert(*cause);
                    let why = match cause {
                        0 => Cause::OutcomeUnknown,
                        1 => Cause::Missing { field: "name".into() },
                        _ => waits_for("companies", "c"),
                    };
                    commit.holds.push(hold(FLOWS[*flow], "things", &name(*record), why));
                }
            }
        })
    }

    async fn check(&self, store: &Store) {
        let mut all: BTreeMap<u8, usize> = BTreeMap::new();
        let order = ["pending", "held", "created", "updated", "merged", "unchanged", "skipped", "excluded"];
        for (at, flow) in FLOWS.iter().enumerate() {
            let mut expected = Counts::default();
            for ((_, record), outcome) in self.rows.iter().filter(|((flow, _), _)| *flow == at) {
                expected.add(*outcome, 1);
                expected.read += 1;
                let rank = order.iter().position(|word| *word == outcome.word()).unwrap();
                let worst = all.entry(*record).or_insert(rank);
                *worst = rank.min(*worst);
            }
            let counts = store.counts(&FlowName::from(*flow)).await.unwrap();
            assert_eq!(counts, expected);
            assert!(counts.adds_up());
        }
        let counts = store.object_counts(&FLOWS.map(FlowName::from)).await.unwrap();
        assert!(counts.adds_up());
        assert_eq!(counts.read, all.len() as u64);
        for (rank, word) in order.iter().enumerate() {
            let expected = all.values().filter(|worst| **worst == rank).count();
            assert_eq!(counts.of(Outcome::from_word(word).unwrap()), expected as u64, "{word}");
        }
        for (flow, name) in FLOWS.iter().enumerate() {
            for record in 0..20_u8 {
                let (name, id) = (FlowName::from(*name), RecordId::from(format!("r{record}")));
                let story = store.story(&name, &id).await.unwrap();
                let numbers: Vec<_> = story.iter().map(|told| told.seq).collect();
                assert_eq!(numbers, self.stories.get(&(flow, record)).cloned().unwrap_or_default());
                assert!(story.iter().all(|told| told.values == Some(json!({ "of": format!("r{record}") }))));
                let holds = store.holds_of(&name, &id).await.unwrap().len();
                assert_eq!(holds, self.holds.get(&(flow, record)).map_or(0, BTreeSet::len));
            }
        }
        let verified = store.verify(|_, _| ()).await.unwrap();
        assert_eq!((verified.entries, verified.items), (self.entries.unsigned_abs(), self.items));
    }
}

fn play(cases: u32, scene: impl Fn(u32) -> Option<Scene>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _inside = runtime.enter();
    let number = std::cell::Cell::new(0);
    let many = prop::collection::vec(prop::collection::vec(prop::collection::vec(act(), 0..12), 1..3), 1..8);
    // A failing case is printed whole; the same seed is tried in every run.
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    runner
        .run(&many, |groups| {
            number.set(number.get() + 1);
            let Some(scene) = scene(number.get()) else { return Ok(()) };
            runtime.block_on(async {
                let store = scene.open().await;
                let mut model = Model::default();
                for (second, group) in groups.iter().enumerate() {
                    let commits = group.iter().map(|acts| model.commit(second as i64, acts)).collect();
                    store.commit_many(commits).await.unwrap();
                }
                model.check(&store).await;
            });
            Ok(())
        })
        .unwrap();
}

#[test]
fn random_commits_mean_what_the_model_says_on_sqlite() {
    play(60, |_| Some(Scene::sqlite()));
}

#[test]
fn random_commits_mean_what_the_model_says_on_postgres() {
    play(12, |number| {
        let (send, receive) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            send.send(runtime.block_on(Scene::postgres(&format!("random_{number}")))).unwrap();
        });
        receive.recv().unwrap_or_else(|_| panic!("no PostgreSQL"))
    });
}
