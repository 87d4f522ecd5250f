//! Comparable keys for matching.

use handover_engine::transform::normalize::keys;
use handover_model::{MatchKind, Value};

use crate::project::{entries, number};

#[track_caller]
fn check(kind: MatchKind, value: impl Into<Value>, expected: &[&str]) {
    assert_eq!(keys(kind, &value.into(), Some("DE")), expected);
}

#[test]
fn e_mails_compare_without_case_and_blanks() {
    use MatchKind::Email;
    check(Email, " Ada@X.Example ", &["ada@x.example"]);
    check(Email, "Ada <ADA@x.example>", &["ada@x.example"]);
    check(Email, "a.d.a+crm@gmail.example", &["a.d.a+crm@gmail.example"]);
    check(Email, entries(&["B@x.example", "*a@x.example", "b@X.example", ""]), &["b@x.example", "a@x.example"]);
    check(Email, "a@x.example;b@x.example", &["a@x.example", "b@x.example"]);
    check(Email, "nobody", &[]);
    check(Email, Value::Null, &[]);
}

#[test]
fn phones_compare_in_their_international_form() {
    use MatchKind::Phone;
    check(Phone, "030 123456", &["+4930123456"]);
    check(Phone, "+49 (0)30 / 12 34 56", &["+4930123456"]);
    check(Phone, "0049 30 123456 ext. 5", &["+4930123456"]);
    check(Phone, "+1 (202) 555-0173", &["+12025550173"]);
    check(Phone, entries(&["030 123456", "+4930123456"]), &["+4930123456"]);
    check(Phone, number("4930123456"), &["+4930123456"]);
    check(Phone, "call me", &[]);
    check(Phone, "12", &[]);
    assert_eq!(keys(Phone, &"030 123456".into(), None), Vec::<String>::new(), "without a region no guess");
}

#[test]
fn domains_compare_without_scheme_www_and_path() {
    use MatchKind::Domain;
    for text in [
        "acme.example",
        "https://www.Acme.example/about?x",
        "WWW.ACME.EXAMPLE.",
        "http://acme.example:8080",
        "ada@acme.example",
    ] {
        check(Domain, text, &["acme.example"]);
    }
    check(Domain, "acme", &[]);
}

#[test]
fn texts_compare_without_case_and_repeated_blanks() {
    use MatchKind::Text;
    check(Text, "  ACME\u{a0} GmbH\n", &["acme gmbh"]);
    check(Text, "Ｓｔｒａße", &["strasse"]);
    check(Text, "STRASSE", &["strasse"]);
    check(Text, "Zoe\u{308}", &["zoë"]);
    check(Text, "ΟΔΟΣ", &["οδοσ"]);
    check(Text, "a;b", &["a;b"]);
    check(MatchKind::ExternalId, " A-7 ", &["A-7"]);
    check(MatchKind::ExternalId, number("7.0"), &["7"]);
}
