//! E-mail addresses, web addresses, names and countries.

use handover_model::Value;

use super::super::countries;
use super::super::registry::{Back, Failure, Function, Type};
use super::{USUAL, text_at, value};

const TEXT: super::Parameter = value(Type::Text, "The text.");

pub(super) static ALL: &[Function] = &[
    Function {
        name: "email",
        doc: "Takes the bare address out of `Ada <ada@x.example>` or `mailto:ada@x.example`, with the domain in lower case.",
        parameters: &[TEXT],
        example: r#"email("Ada Lovelace <Ada@X.Example>")"#,
        result: "Ada@x.example",
        run: |arguments| Ok(email_form(&text_at(arguments, 0)).into()),
        back: Back::Same,
        ..USUAL
    },
    Function {
        name: "domain",
        doc: "The web domain of an address or e-mail address, without `www.`.",
        parameters: &[TEXT],
        blank: true,
        example: r#"domain("https://www.Acme.example/about")"#,
        result: "acme.example",
        run: |arguments| Ok(host(&text_at(arguments, 0)).map_or(Value::Null, Value::from)),
        ..USUAL
    },
    Function {
        name: "url",
        doc: "Puts `https://` in front of a web address without a scheme.",
        parameters: &[TEXT],
        example: r#"url("acme.example/about")"#,
        result: "https://acme.example/about",
        run: |arguments| {
            let text = text_at(arguments, 0);
            let text = text.trim();
            Ok(if text.contains("://") || text.starts_with("mailto:") {
                text.into()
            } else {
                format!("https://{}", text.trim_start_matches('/')).into()
            })
        },
        back: Back::Same,
        ..USUAL
    },
    Function {
        name: "first_name",
        doc: "What stands before the last name in a full name; of `Lovelace, Ada` what follows the comma.",
        parameters: &[TEXT],
        blank: true,
        example: r#"first_name("Ada King Lovelace")"#,
        result: "Ada King",
        run: |arguments| Ok(part(split_name(&text_at(arguments, 0)).0)),
        ..USUAL
    },
    Function {
        name: "last_name",
        doc: "The last word of a full name with its particles and suffixes (`van`, `Jr.`); of `Lovelace, Ada` what \
              precedes the comma.",
        parameters: &[TEXT],
        blank: true,
        example: r#"last_name("Ludwig van Beethoven")"#,
        result: "van Beethoven",
        run: |arguments| Ok(part(split_name(&text_at(arguments, 0)).1)),
        ..USUAL
    },
    Function {
        name: "country_code",
        doc: "The two-letter ISO code of a country given by its English name or its three-letter code.",
        parameters: &[TEXT],
        fallible: true,
        example: r#"country_code!("Germany")"#,
        result: "DE",
        run: |arguments| country(&text_at(arguments, 0), |country| country.code),
        back: Back::Step("country_name"),
        ..USUAL
    },
    Function {
        name: "country_name",
        doc: "The English name of a country given by its ISO code.",
        parameters: &[TEXT],
        fallible: true,
        example: r#"country_name!("de")"#,
        result: "Germany",
        run: |arguments| country(&text_at(arguments, 0), |country| country.name),
        back: Back::Step("country_code"),
        ..USUAL
    },
];

fn part(words: String) -> Value {
    if words.is_empty() { Value::Null } else { words.into() }
}

fn country(text: &str, what: fn(&countries::Country) -> &'static str) -> Result<Value, Failure> {
    countries::find(text).map(|country| what(country).into()).ok_or("not a country by its English name or ISO code")
}

/// The bare address; its domain in lower case, the local part as it is.
pub(crate) fn email_form(text: &str) -> String {
    let text = text.trim();
    let bare = match (text.rfind('<'), text.rfind('>')) {
        (Some(open), Some(close)) if open < close => text.get(open + 1..close).unwrap_or(text),
        _ => text,
    };
    let bare = bare.trim();
    let bare = match bare.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => bare.get(7..).unwrap_or(bare),
        _ => bare,
    };
    match bare.rsplit_once('@') {
        Some((local, domain)) => format!("{local}@{}", domain.to_lowercase()),
        None => bare.to_owned(),
    }
}

/// The host of a web or e-mail address in lower case, without `www.`, port and trailing dot.
pub(crate) fn host(text: &str) -> Option<String> {
    let text = text.trim();
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let rest = rest.trim_start_matches('/');
    let rest = rest.split(['/', '?', '#', ' ']).next().unwrap_or_default();
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let rest = rest.split(':').next().unwrap_or_default().trim_end_matches(['.', '>']).to_lowercase();
    let rest = rest.strip_prefix("www.").unwrap_or(&rest);
    let valid = rest.contains('.') && rest.split('.').all(|label| !label.is_empty());
    valid.then(|| rest.to_owned())
}

/// Words that belong to the family name behind them.
const PARTICLES: &[&str] = &[
    "van", "von", "der", "den", "de", "del", "della", "di", "da", "dos", "du", "la", "le", "ten", "ter", "zu", "zur",
    "af", "av", "bin", "ibn", "al", "el", "st",
];

/// Words that follow a family name. They stay with it: nothing is dropped.
const SUFFIXES: &[&str] = &[
    "jr", "sr", "ii", "iii", "iv", "vi", "vii", "esq", "esquire", "md", "do", "dds", "phd", "cpa", "mba", "rn", "dvm",
];

/// First and last name. One word alone is a last name: CRMs require that one.
pub(super) fn split_name(full: &str) -> (String, String) {
    let parts: Vec<&str> = full.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    let is_suffix = |part: &&str| part.split_whitespace().all(|word| is_among(word, SUFFIXES));
    let behind = parts.iter().skip(1).take_while(|part| is_suffix(part)).count();
    match parts.as_slice() {
        // `Lovelace, Ada`, but not `Lovelace, Jr.`
        [last, first @ ..] if !first.is_empty() && behind == 0 => (squeezed(&first.join(" ")), squeezed(last)),
        _ => in_order(full),
    }
}

fn in_order(full: &str) -> (String, String) {
    let words: Vec<&str> = full.split_whitespace().collect();
    let mut at = words.len().saturating_sub(1);
    while at > 1 && words.get(at).is_some_and(|word| is_among(word, SUFFIXES)) {
        at -= 1;
    }
    // A particle belongs to the last name only when a first name stays in front of it.
    while at > 1 && words.get(at - 1).is_some_and(|word| is_among(word, PARTICLES)) {
        at -= 1;
    }
    let (first, last) = words.split_at(at);
    (first.join(" "), last.join(" "))
}

fn is_among(word: &str, words: &[&str]) -> bool {
    let plain: String = word.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    words.contains(&plain.as_str())
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
