//! The keys of JSON objects that follow each other, as the rows of a page do.

use std::collections::HashMap;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, Visitor};

/// Keys that are remembered in their order; real rows have far fewer.
const REMEMBERED: usize = 1_000;

/// What each key of an object is for. Nearly all rows have the same keys in the same order, so that one
/// comparison finds most of them.
pub(crate) struct Keys<'r, T> {
    known: HashMap<&'r str, T>,
    /// Those of the row before, in order.
    seen: Vec<(String, Option<T>)>,
}

impl<'r, T: Copy> Keys<'r, T> {
    pub(crate) fn new(known: HashMap<&'r str, T>) -> Self {
        Self { known, seen: Vec::new() }
    }

    /// The next key of a map, at this place of it: what it is for, if for anything.
    pub(crate) fn at(&mut self, place: usize) -> Key<'_, 'r, T> {
        Key(self, place)
    }

    fn find(&mut self, place: usize, key: &str) -> Option<T> {
        if let Some((have, found)) = self.seen.get(place)
            && have == key
        {
            return *found;
        }
        let found = self.known.get(key).copied();
        match self.seen.get_mut(place) {
            Some(seen) => *seen = (key.to_owned(), found),
            None if place < REMEMBERED => self.seen.push((key.to_owned(), found)),
            None => {}
        }
        found
    }
}

/// A key at its place.
pub(crate) struct Key<'k, 'r, T>(&'k mut Keys<'r, T>, usize);

impl<'de, T: Copy> DeserializeSeed<'de> for Key<'_, '_, T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Option<T>, D::Error> {
        from.deserialize_str(self)
    }
}

impl<T: Copy> Visitor<'_> for Key<'_, '_, T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Option<T>, E> {
        Ok(self.0.find(self.1, key))
    }
}
