//! Ids: 15 characters whose case counts, or the same with three characters behind them that tell the case (sheet:
//! Salesforce section 9). The API gives 18; whoever compares compares the first 15.

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
    matches!(text.len(), 15 | 18) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
