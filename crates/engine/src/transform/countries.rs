//! Countries: ISO 3166-1 codes with their common English names.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A country.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Country {
    /// ISO 3166-1 alpha-2.
    pub(crate) code: &'static str,
    /// Its common English name.
    pub(crate) name: &'static str,
}

/// Names under which people write some countries; the second column is the alpha-2 code.
const ALIASES: &[(&str, &str)] = &[
    ("usa", "US"),
    ("u.s.a.", "US"),
    ("u.s.", "US"),
    ("united states of america", "US"),
    ("uk", "GB"),
    ("u.k.", "GB"),
    ("great britain", "GB"),
    ("england", "GB"),
    ("scotland", "GB"),
    ("wales", "GB"),
    ("northern ireland", "GB"),
    ("czechia", "CZ"),
    ("holland", "NL"),
    ("the netherlands", "NL"),
    ("russian federation", "RU"),
    ("korea, republic of", "KR"),
    ("republic of korea", "KR"),
    ("uae", "AE"),
    ("ivory coast", "CI"),
    ("türkiye", "TR"),
    ("turkiye", "TR"),
    ("viet nam", "VN"),
    ("cabo verde", "CV"),
    ("burma", "MM"),
    ("swaziland", "SZ"),
    ("macau", "MO"),
    ("republic of ireland", "IE"),
    ("holy see", "VA"),
    ("the bahamas", "BS"),
    ("the gambia", "GM"),
    ("east timor", "TL"),
    ("macedonia", "MK"),
];

static BY_NAME: LazyLock<HashMap<String, Country>> = LazyLock::new(|| {
    let mut all = HashMap::new();
    for line in include_str!("countries.tsv").lines() {
        let mut parts = line.split('\t');
        if let (Some(code), Some(long), Some(name)) = (parts.next(), parts.next(), parts.next()) {
            for key in [code, long, name] {
                all.insert(key.to_lowercase(), Country { code, name });
            }
        }
    }
    for (alias, code) in ALIASES {
        if let Some(country) = all.get(&code.to_lowercase()).copied() {
            all.insert((*alias).to_owned(), country);
        }
    }
    all
});

/// A country by its code or name, in any case.
pub(crate) fn find(text: &str) -> Option<&'static Country> {
    BY_NAME.get(text.trim().to_lowercase().as_str())
}
