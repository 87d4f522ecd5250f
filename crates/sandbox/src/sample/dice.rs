//! Randomness with a name: each part of the sample draws from its own stream, so that a change in one
//! part does not shift the others.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::words::Word;

/// A stream of draws that depends on the seed and on its name only.
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream called `name` of the sample with this seed.
    pub(super) fn new(seed: u64, name: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes());
        hasher.update(name.as_bytes());
        Self(ChaCha8Rng::from_seed(*hasher.finalize().as_bytes()))
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        self.0.random_range(low..=high.max(low))
    }

    /// An index below `len` (0 when `len` is 0).
    pub(super) fn below(&mut self, len: usize) -> usize {
        self.0.random_range(0..len.max(1))
    }

    /// An index below `len` that prefers small ones: a few organizations have many people.
    pub(super) fn skewed(&mut self, len: usize) -> usize {
        self.below(len).min(self.below(len))
    }

    /// True in `percent` of a hundred cases.
    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.0.random_ratio(percent.min(100), 100)
    }

    /// One of `items`, which are never empty here: they are word lists and tables of this module.
    pub(super) fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len())]
    }

    /// An entry of a word list.
    pub(super) fn entry(&mut self, list: &'static str, separator: char) -> &'static str {
        let entries = list.matches(separator).count() + 1;
        list.split(separator).nth(self.below(entries)).unwrap_or_default().trim()
    }

    /// A word of a list of words.
    pub(super) fn word(&mut self, list: &'static str) -> Word {
        Word::of(self.entry(list, ';'))
    }

    /// A copy of one of `items` (never empty, as for [`Dice::pick`]).
    pub(super) fn pick_copy<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    /// Brings `items` into a random order.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// `len` lower-case hexadecimal digits.
    pub(super) fn hex(&mut self, len: usize) -> String {
        (0..len).map(|_| char::from(b"0123456789abcdef"[self.below(16)])).collect()
    }

    /// Fills `bytes`.
    pub(super) fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}
