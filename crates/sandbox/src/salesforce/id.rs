//! Record ids: 15 characters in which case matters, or 18 that carry three check characters
//! (sheet: section 9 \[fixture\]).

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CHECKS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// The 18-character id of the n-th record under a key prefix. Ids of one prefix ascend with `n`.
pub(super) fn mint(prefix: &str, n: u64) -> String {
    let mut rest = n;
    let mut tail = [b'0'; 9];
    for place in tail.iter_mut().rev() {
        *place = usize::try_from(rest % 62).ok().and_then(|at| DIGITS.get(at)).copied().unwrap_or(b'0');
        rest /= 62;
    }
    let short = format!("{prefix}Hs0{}", String::from_utf8_lossy(&tail));
    long(&short)
}

/// The 18-character form of a 15-character id.
fn long(short: &str) -> String {
    let mut id = short.to_owned();
    for chunk in short.as_bytes().chunks(5) {
        let bits = chunk.iter().enumerate().map(|(bit, letter)| usize::from(letter.is_ascii_uppercase()) << bit);
        id.push(CHECKS.get(bits.sum::<usize>()).map_or('A', |check| char::from(*check)));
    }
    id
}

/// The 18-character form of an id of either length; none if it is no id.
pub(super) fn parse(text: &str) -> Option<String> {
    if !text.bytes().all(|letter| letter.is_ascii_alphanumeric()) {
        return None;
    }
    match text.len() {
        15 => Some(long(text)),
        18 => text.get(..15).map(long).filter(|whole| whole == text),
        _ => None,
    }
}
