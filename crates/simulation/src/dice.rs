//! Randomness with a name: each part of a simulation draws from its own stream, so that a change in one part does
//! not shift the others, and a seed plays the same weeks for ever.

use jiff::SignedDuration;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A stream of draws that depends on the seed and on its name only.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream called `name` of this seed.
    pub(crate) fn new(seed: u64, name: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes()).update(name.as_bytes());
        Self(ChaCha8Rng::from_seed(*hasher.finalize().as_bytes()))
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        self.0.random_range(low..=high.max(low))
    }

    /// An index below `len` (0 when `len` is 0).
    pub(crate) fn below(&mut self, len: usize) -> usize {
        self.0.random_range(0..len.max(1))
    }

    /// True in `of_thousand` of a thousand cases.
    pub(crate) fn chance(&mut self, of_thousand: u32) -> bool {
        self.0.random_ratio(of_thousand.min(1_000), 1_000)
    }

    /// One of `items`; `None` when there is none.
    pub(crate) fn one_of<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len()))
    }

    /// One of `items`, which are tables of this crate and never empty.
    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    /// So many seconds, from `low` to `high`.
    pub(crate) fn seconds(&mut self, low: i64, high: i64) -> SignedDuration {
        SignedDuration::from_secs(self.between(low, high))
    }
}
