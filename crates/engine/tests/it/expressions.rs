//! What is said about expressions that do not compile, in the words of those who write them.

use handover_engine::transform::Tables;
use handover_model::Kind;

use crate::project::*;

#[test]
fn faults_are_told_in_plain_words() {
    let source = || {
        vec![
            field("first_name", text()),
            field("amount", Kind::Number),
            field("vip", Kind::Bool),
            field("add_time", Kind::DateTime),
            field("emails", Kind::Email { many: true }),
            field("address.locality", text()),
            field("anything", Kind::Opaque),
        ]
    };
    let cases = [
        // A field that does not exist, whatever else is wrong.
        (".frist_name + 1", text()),
        ("upper(.address.locallity)", text()),
        (".\"8f3a\"", text()),
        // Operations that some records cannot take.
        (".first_name + 1", text()),
        (".amount / 2", Kind::Number),
        (".amount > 3", Kind::Bool),
        (".first_name && true", Kind::Bool),
        ("if .first_name { 1 } else { 2 }", Kind::Number),
        // Functions.
        ("date(.first_name)", Kind::Date),
        ("upper(.first_name) + date(.first_name)", text()),
        ("lowr(.first_name)", text()),
        ("others(.emails)", text()),
        ("now()", Kind::DateTime),
        ("lower(.amount)", text()),
        ("lower(.emails)", text()),
        ("lower(.anything)", text()),
        ("phone!(.first_name, format: 2)", text()),
        ("lower()", text()),
        ("lower(.first_name, 2)", text()),
        ("replace(.first_name)", text()),
        ("join(.emails, sep: \";\")", text()),
        // Grammar.
        ("lower(.first_name", text()),
        (".first_name == ", Kind::Bool),
        ("\"abc", text()),
        ("'x'", text()),
        (".first_name ++ \"x\"", text()),
        ("first_name", text()),
        ("\"{{ first_name }}\"", text()),
        // The result against the target's field.
        (".first_name", Kind::Number),
        (".amount", Kind::Bool),
        ("{\"a\": 1}", text()),
        (".add_time", link("companies", false)),
    ];
    let told: Vec<String> = cases
        .iter()
        .map(|(text, to)| {
            let given = applied(expression("x", text), source(), to.clone(), &Tables::default(), &record(&[]));
            assert!(given.starts_with("error["), "{text} compiles");
            format!("{text}\n{given}\n")
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}
