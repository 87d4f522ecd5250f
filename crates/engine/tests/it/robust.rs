//! Applying rules never panics and never clears, whatever the values are.

use handover_engine::transform::{Place, Program, State, Tables, normalize, registry};
use handover_model::{Field, Kind, MatchKind, Rule, Value};
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

const EXPRESSIONS: &[&str] = &[
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
];

/// Every pair of kinds, every step with and without its arguments, many expressions.
fn everything() -> (Program, usize) {
    let source: Vec<Field> = kinds().into_iter().enumerate().map(|(at, kind)| field(&format!("f{at}"), kind)).collect();
    let mut all: Vec<(Rule, Kind)> = Vec::new();
    for (at, kind) in kinds().into_iter().enumerate() {
        all.extend(
            source.iter().map(|field| (from(&format!("{}_{at}", field.name), field.name.as_str()), kind.clone())),
        );
    }
    all.extend(steps());
    all.extend(EXPRESSIONS.iter().enumerate().map(|(at, text)| (expression(&format!("e{at}"), text), Kind::Opaque)));
    let target = all.iter().map(|(rule, kind)| field(rule.target.as_str(), kind.clone())).collect();
    let (source, target) = (schema("a", source), schema("b", target));
    let compiles =
        |rule: &Rule| Program::compile(&flow(vec![rule.clone()]), &source, &target, &Tables::default()).is_ok();
    // Pairs that cannot fit are refused before any record: what remains is run.
    let rules: Vec<Rule> = all.into_iter().map(|(rule, _)| rule).filter(compiles).collect();
    let count = rules.len();
    assert!(count > 200, "{count}");
    let program = Program::compile(&flow(rules), &source, &target, &Tables::default());
    (program.unwrap_or_else(|findings| panic!("{}", told(&findings))), count)
}

fn steps() -> Vec<(Rule, Kind)> {
    let filled = |name: &str| match name {
        "max" | "digits" => number("3"),
        "region" => "DE".into(),
        "format" => "%d.%m.%Y".into(),
        "decimal" => ",".into(),
        _ => "x".into(),
    };
    let mut rules = Vec::new();
    for function in
        registry().iter().filter(|function| function.place != Place::Expressions && function.name != "by_label")
    {
        for kind in [text(), Kind::Opaque] {
            let given = function.parameters.iter().skip(1);
            let given = given.filter(|parameter| parameter.words.is_empty() && (parameter.required || kind == text()));
            let arguments: Vec<(&str, Value)> =
                given.map(|parameter| (parameter.name, filled(parameter.name))).collect();
            let name = format!("s_{}_{}", function.name, kind.word());
            rules.push((stepping(from(&name, "f18"), &[(function.name, &arguments)]), kind));
        }
    }
    rules
}

#[test]
fn programs_go_between_threads() {
    fn goes<T: Send + Sync>() {}
    goes::<Program>();
}

#[test]
fn applying_never_panics_and_never_clears() {
    let (program, count) = everything();
    let fields = prop::collection::vec(values(), kinds().len());
    proptest!(ProptestConfig::with_cases(150), |(values in fields)| {
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
    proptest!(ProptestConfig::with_cases(500), |(value in values())| {
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
