//! Word lists, written for this sample: names in several scripts, company words, places, sentences.
//!
//! A list is one string: entries are separated by `;`, a native spelling and its Latin twin by `=`
//! (one form alone stands for both).

mod cultures;
mod prose;

pub(super) use cultures::{CULTURES, Culture};
pub(super) use prose::*;

/// A word as its people write it, and in the Latin letters of an e-mail address.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    /// As written, any script.
    pub(super) native: &'static str,
    /// ASCII letters, spaces and apostrophes.
    pub(super) latin: &'static str,
}

impl Word {
    /// Reads an entry.
    pub(super) fn of(entry: &'static str) -> Self {
        let (native, latin) = entry.split_once('=').unwrap_or((entry, entry));
        Self { native, latin }
    }
}

/// The entries of a list that has no Latin twins.
pub(super) fn list(list: &'static str) -> Vec<&'static str> {
    list.split(';').map(str::trim).collect()
}

/// Latin letters and digits only, lower case, other runs as one `joint`.
pub(super) fn slug(text: &str, joint: char) -> String {
    let mut slug = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else if !slug.ends_with(joint) && !slug.is_empty() {
            slug.push(joint);
        }
    }
    slug.trim_end_matches(joint).to_owned()
}
