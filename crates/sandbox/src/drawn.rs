//! What looks like chance: tokens and ids that depend on nothing but the arguments.

/// Fills bytes.
pub(crate) fn fill(seed: u64, purpose: &str, number: u64, bytes: &mut [u8]) {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes()).update(purpose.as_bytes()).update(&number.to_le_bytes());
    hasher.finalize_xof().fill(bytes);
}

/// So many hex digits, in lower case.
pub(crate) fn hex(seed: u64, purpose: &str, number: u64, digits: usize) -> String {
    let mut bytes = vec![0; digits.div_ceil(2)];
    fill(seed, purpose, number, &mut bytes);
    let mut text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    text.truncate(digits);
    text
}
