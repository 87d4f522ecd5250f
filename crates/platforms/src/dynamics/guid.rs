//! Ids: GUIDs in lower case with hyphens and without braces (sheet: Dynamics section 2).

use handover_model::Value;
use sha2::{Digest as _, Sha256};

/// Whether a text has the form of an id: what has not is no record's.
pub(super) fn is_guid(text: &str) -> bool {
    let fits = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(fits)
}

/// The id that a new record of a table gets for its source key: the same for the same key, so that a creation whose
/// answer was lost and which is sent again cannot make a second record (sheet: Dynamics sections 5.1, 5.9).
///
/// A UUID of version 8 over SHA-256 (RFC 9562, section 5.8).
pub(super) fn of_key(table: &str, key: &Value) -> String {
    let digest = Sha256::new_with_prefix(table).chain_update([0]).chain_update(key.display()).finalize();
    let mut bytes = [0_u8; 16];
    bytes.iter_mut().zip(digest.iter()).for_each(|(to, from)| *to = *from);
    let mut number = u128::from_be_bytes(bytes);
    number = number & !(0xf << 76) | 8 << 76;
    number = number & !(0b11 << 62) | 0b10 << 62;
    let hex = format!("{number:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

/// The id in the address of a record: `https://.../accounts(guid)`.
pub(super) fn in_address(address: &str) -> Option<&str> {
    let (_, rest) = address.rsplit_once('(')?;
    rest.strip_suffix(')').filter(|id| is_guid(id))
}
