//! Ids: 15 characters whose case counts, or the same with three characters that tell the case (sheet:
//! Salesforce section 9). The API gives 18; whoever compares compares the first 15.

/// The digits of the three characters at the end.
const CHECKS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// The part of an id that says which record it is.
pub(super) fn short(id: &str) -> &str {
    id.get(..15).unwrap_or(id)
}

/// Whether two ids are one record's.
pub(super) fn are_one(a: &str, b: &str) -> bool {
    short(a) == short(b)
}

/// Whether a text has the form of an id: what has not is no record's.
pub(super) fn is_id(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plain && (text.len() == 15 || text.len() == 18 && text.get(15..) == Some(checks(short(text)).as_str()))
}

/// The three characters for an id's case, five characters each, the first one the lowest bit.
fn checks(short: &str) -> String {
    short
        .as_bytes()
        .chunks(5)
        .map(|five| {
            let bits = five.iter().enumerate().filter(|(_, byte)| byte.is_ascii_uppercase());
            let number: usize = bits.map(|(at, _)| 1 << at).sum();
            CHECKS.get(number).copied().map_or('A', char::from)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{are_one, is_id};

    #[test]
    fn the_case_is_checked() {
        // Ids of the vendor's documentation.
        assert!(is_id("001D000000IqhSLIAZ") && is_id("001D000000IqhSL"));
        assert!(!is_id("001D000000IqhSLIAA") && !is_id("001D000000Iqh") && !is_id("001D000000IqhS'"));
        assert!(are_one("001D000000IqhSLIAZ", "001D000000IqhSL") && !are_one("001D000000IqhSL", "001D000000IqhSl"));
    }
}
