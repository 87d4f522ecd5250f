//! Identifiers: lower case, with hyphens, without braces (sheet: section 2).

use crate::drawn;

/// A GUID in its one form.
pub(super) fn parse(text: &str) -> Option<String> {
    if text.len() != 36 {
        return None;
    }
    let id = uuid::Uuid::try_parse(text).ok()?;
    Some(id.hyphenated().to_string())
}

/// The GUID that a seed, a purpose and a number have.
pub(super) fn mint(seed: u64, purpose: &str, number: u64) -> String {
    let mut bytes = [0_u8; 16];
    drawn::fill(seed, purpose, number, &mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid().hyphenated().to_string()
}

/// The id of a part of the schema: the same in every organization of the sandbox.
pub(super) fn of_schema(name: &str) -> String {
    mint(0, name, 0)
}
