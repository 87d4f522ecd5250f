//! Six weeks of two systems in use, played in a moment: people, integrations, faults and crashes on a virtual
//! clock, the engine between them, and an oracle that judges it.
//!
//! A seed says everything: the same seed plays the same weeks. What the weeks are made of is data (see
//! [`Scenario`]); what is right is told by [`oracle`], which knows nothing of the engine.
//!
//! Invariants:
//! - A seed replays exactly: time is virtual, draws come from named streams, everything runs in one thread.
//! - Every deed and every mishap is counted, so that a run in which one never happened can be refused.

mod accounts;
mod answers;
mod claims;
mod deeds;
mod dice;
mod guard;
mod mishaps;
pub mod oracle;
mod people;
mod post;
mod process;
mod project;
mod roster;
mod scenario;
mod scene;
mod weeks;
mod wire;
mod worker;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Weeks are many small texts, as the program's work is; it has the same one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub use accounts::{PLATFORMS, Pair};
pub use handover_engine::Planted;
pub use mishaps::Mishap;
pub use people::{Deed, PEOPLE};
pub use scenario::Scenario;
pub use weeks::{Counted, Played, play};

/// Plays seeds on all processors; gives what was played, in order of the seeds.
pub fn play_all(seeds: &[u64], scenario: &Scenario) -> Vec<Played> {
    let next = AtomicUsize::new(0);
    let played = Mutex::new(Vec::with_capacity(seeds.len()));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let one = play(*seed, scenario);
                    deeds::lock(&played).push(one);
                }
            });
        }
    });
    let mut played = played.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    played.sort_by_key(|one| one.seed);
    played
}

/// The first of these seeds in which something is wrong; the others are left alone then.
pub fn first_wrong(seeds: &[u64], scenario: &Scenario) -> Option<Played> {
    let at_once = std::thread::available_parallelism().map_or(2, usize::from);
    seeds.chunks(at_once).find_map(|some| play_all(some, scenario).into_iter().find(|one| !one.wrong.is_empty()))
}
