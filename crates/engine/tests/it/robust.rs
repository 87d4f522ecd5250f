//! Applying rules never panics and never clears, whatever the values are.

use std::collections::BTreeMap;

use handover_engine::transform::{Place, Program, State, Tables, normalize, registry};
use handover_model::{Kind, MatchKind, Value};
use proptest::prelude::*;

use crate::project::*;

/// Texts as CRMs have them, and texts as nobody wants them.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~]{0,20}",
        "[0-9.,:+() /-]{0,16}",
        "[a-z.@<>]{0,12}",
        "<?/?[a-z]{0,6}[^>]{0,4}>?&?[a-z#0-9]{0,5};?",
        Just("2026-01-31T10:00:00Z".to_owned()),
        Just("01:30".to_owned()),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        (any::<i128>(), 0_u32..=28).prop_map(|(number, scale)| {
            Value::Number(rust_decimal::Decimal::from_i128_with_scale(number >> 33, scale))
        }),
        texts().prop_map(Value::Text),
        (-9999_i16..=9999, 1_i8..=12, 1_i8..=28).prop_map(|(y, m, d)| Value::Date(jiff::civil::date(y, m, d))),
        (-377_705_023_201_i64..=253_402_207_200)
            .prop_map(|second| { jiff::Timestamp::from_second(second).map_or(Value::Null, Value::DateTime) }),
        (0_i8..24, 0_i8..60).prop_map(|(h, m)| Value::Time(jiff::civil::time(h, m, 0, 0))),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            prop::collection::btree_map("value|label|primary|x", inner, 0..4).prop_map(Value::Map),
        ]
    })
}

fn kinds() -> Vec<Kind> {
    vec![
        text(),
        text_of(4),
        html(),
        Kind::Bool,
        Kind::Number,
        Kind::Date,
        Kind::DateTime,
        Kind::Time,
        choice(&["1=One", "a=b"], false),
        choice(&["1=One", "a=b"], true),
        Kind::User,
        link("x", false),
        link("x", true),
        Kind::Email { many: false },
        Kind::Email { many: true },
        Kind::Phone { many: false },
        Kind::Phone { many: true },
        Kind::Currency,
        Kind::Opaque,
    ]
}

/// Every pair of kinds, every step, every function.
fn everything() -> (Program, usize) {
    let mut rules = Vec::new();
    let mut source = Vec::new();
    let mut target = Vec::new();
    for (at, kind) in kinds().into_iter().enumerate() {
        source.push(field(&format!("f{at}"), kind.clone()));
        let number_of_kinds = kinds().len();
        for from_at in 0..number_of_kinds {
            let name = format!("t{from_at}_{at}");
            target.push(field(&name, kind.clone()));
            rules.push(from(&name, &format!("f{from_at}")));
        }
    }
    let filled = |name: &str| match name {
        "max" | "digits" => number("3"),
        "region" => "DE".into(),
        "format" => "%d.%m.%Y".into(),
        "decimal" => ",".into(),
        _ => "x".into(),
    };
    for function in
        registry().iter().filter(|function| function.place != Place::Expressions && function.name != "by_label")
    {
        for to in ["text", "opaque"] {
            let name = format!("s_{}_{to}", function.name);
            target.push(field(&name, if to == "text" { text() } else { Kind::Opaque }));
            let arguments: BTreeMap<&str, Value> = function
                .parameters
                .iter()
                .skip(1)
                .filter(|parameter| parameter.words.is_empty() && (parameter.required || to == "text"))
                .map(|parameter| (parameter.name, filled(parameter.name)))
                .collect();
            let arguments: Vec<(&str, Value)> = arguments.into_iter().collect();
            rules.push(stepping(from(&name, "f18"), &[(function.name, &arguments)]));
        }
    }
    for (at, text) in [
        "string(.f18)",
        "upper!(.f18)",
        "number!(.f0)",
        "date!(.f18)",
        "datetime!(.f18)",
        "at!(.f18, .f0)",
        "add_duration!(.f18, .f0)",
        "duration_ms!(.f0)",
        "coalesce([.f18, .f0])",
        "join(.f18, \",\")",
        "(.f4 * 3) ?? .f4",
        "(.f4 / .f4) ?? null",
        ".f18 == .f0",
        "length(.f18)",
        "primary(.f14)",
        "first(.f18)",
        "default(.f18, .f0)",
        "round!(.f4, 2)",
        "phone!(.f0, \"DE\")",
        "email(.f0)",
        "domain(.f0)",
        "html(.f0)",
        "text(.f0)",
        "first_name(.f0)",
        "last_name(.f0)",
        "format_date!(.f18, .f0)",
        ".f18.value",
        ".",
    ]
    .iter()
    .enumerate()
    {
        let name = format!("e{at}");
        target.push(field(&name, Kind::Opaque));
        rules.push(expression(&name, text));
    }
    let (source, target) = (schema("a", source), schema("b", target));
    // Pairs that cannot fit are refused before any record: what remains is run.
    rules.retain(|rule| Program::compile(&flow(vec![rule.clone()]), &source, &target, &Tables::default()).is_ok());
    let count = rules.len();
    assert!(count > 200, "{count}");
    let program = Program::compile(&flow(rules), &source, &target, &Tables::default());
    (program.unwrap_or_else(|findings| panic!("{}", told(&findings))), count)
}

#[test]
fn applying_never_panics_and_never_clears() {
    let (program, count) = everything();
    let fields = prop::collection::vec(values(), kinds().len());
    proptest!(ProptestConfig::with_cases(400), |(values in fields)| {
        let named: Vec<(String, Value)> = values.into_iter().enumerate().map(|(at, value)| (format!("f{at}"), value)).collect();
        let named: Vec<(&str, Value)> = named.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let record = record(&named);
        let mapped = program.apply(&record);
        prop_assert_eq!(mapped.len(), count);
        for entry in &mapped {
            let clears = matches!(&entry.state, State::Value(value) if value.is_blank());
            prop_assert!(!clears, "{} was cleared", entry.target);
        }
        prop_assert_eq!(&mapped, &program.apply(&record), "the same input gives the same");
    });
}

#[test]
fn keys_never_panic_and_are_their_own_keys() {
    let all = [MatchKind::Email, MatchKind::Phone, MatchKind::Domain, MatchKind::Text, MatchKind::ExternalId];
    proptest!(ProptestConfig::with_cases(2000), |(value in values())| {
        for kind in all {
            for key in normalize::keys(kind, &value, Some("DE")) {
                prop_assert!(!key.is_empty());
                let again = normalize::keys(kind, &Value::from(key.as_str()), Some("DE"));
                // A key that is no text of its kind any more (a domain that was an address, a phone number that
                // nobody could have) may have another.
                if !matches!(kind, MatchKind::Domain | MatchKind::Phone) {
                    prop_assert_eq!(again, vec![key]);
                }
            }
        }
    });
}
