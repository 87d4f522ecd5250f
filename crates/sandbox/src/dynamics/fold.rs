//! How the database compares texts: without case and, as a setting says, without accents (sheet: section 9).

/// Letters with accents and what they are without.
const ACCENTS: [(&str, char); 14] = [
    ("àáâãäåā", 'a'),
    ("çćč", 'c'),
    ("ďđ", 'd'),
    ("èéêëēęě", 'e'),
    ("ğ", 'g'),
    ("ìíîïī", 'i'),
    ("ł", 'l'),
    ("ñńň", 'n'),
    ("òóôõöøō", 'o'),
    ("ř", 'r'),
    ("śšş", 's'),
    ("ť", 't'),
    ("ùúûüūů", 'u'),
    ("ýÿ", 'y'),
];

/// A text as it is compared: lower case, without trailing spaces, `accents` dropped.
pub(super) fn fold(text: &str, accents: bool) -> String {
    let lower = text.trim_end_matches(' ').to_lowercase();
    if !accents || lower.is_ascii() {
        return lower;
    }
    let plain = |letter: char| {
        let found = ACCENTS.iter().find(|(with, _)| with.contains(letter));
        found.map_or(letter, |(_, plain)| *plain)
    };
    lower.chars().map(plain).collect()
}
