//! What the check says about flows before any record is read.

use handover_engine::check::{check_flow, check_flows};
use handover_engine::transform::Tables;
use handover_model::{
    Conflict, Field, Flow, Kind, MatchKey, MatchKind, Place, ReadCost, Rule, Schema, Scope, Value, Writable,
};

use crate::project::*;

/// What is said about a flow in which everything but `change` is in order.
fn told_about(change: impl FnOnce(&mut Case)) -> String {
    let mut case = Case {
        flow: flow(vec![from("firstname", "first_name"), from("email", "emails")]),
        source: schema("persons", vec![field("first_name", text()), field("emails", Kind::Email { many: true })]),
        target: schema("contacts", vec![field("firstname", text()), field("email", Kind::Email { many: false })]),
        tables: Tables::default(),
    };
    change(&mut case);
    told(&check_flow(&case.flow, &case.source, &case.target, &case.tables))
}

struct Case {
    flow: Flow,
    source: Schema,
    target: Schema,
    tables: Tables,
}

impl Case {
    fn source(&mut self, field: Field) {
        self.source.fields.push(field);
    }

    fn target(&mut self, field: Field) {
        self.target.fields.push(field);
    }

    fn rule(&mut self, rule: Rule) {
        self.flow.rules.push(rule);
    }

    fn exclude(&mut self, field: &str, reason: &str) {
        self.flow.excluded.insert(field.into(), (reason.to_owned(), place(30)));
    }

    fn match_by(&mut self, source: &str, target: &str) {
        let names = |name: &str| vec![name.into()];
        let key = MatchKey {
            kind: MatchKind::Email,
            source: names(source),
            target: names(target),
            region: None,
            place: place(5),
        };
        self.flow.matching.push(key);
    }
}

fn required(mut field: Field) -> Field {
    field.required = true;
    field
}

fn read_only(mut field: Field) -> Field {
    field.writable = Writable::Never;
    field
}

fn unique(mut field: Field) -> Field {
    field.unique = true;
    field
}

fn dear(mut field: Field) -> Field {
    field.read = ReadCost::Extra { per_call: 1, opt_in: true, only_above: None };
    field
}

#[test]
fn a_flow_in_order_has_no_findings() {
    assert_eq!(told_about(|_| {}), "");
    assert_eq!(
        told_about(|case| {
            case.source(field("address.locality", text()));
            case.source(field("address.value", text()));
            case.source(field("is_deleted", Kind::Bool));
            case.source(field("import_id", text()));
            case.exclude("address", "parts are in the company");
            case.flow.scope = Some(Scope { expression: ".is_deleted == false".to_owned(), place: place(3) });
            case.match_by("import_id", "email");
            case.target(required(read_only(field("id", text()))));
            case.target(unique(field("source_key", text())));
            case.flow.key = Some("source_key".into());
        }),
        ""
    );
}

type Change = fn(&mut Case);

/// What is wrong, the codes that tell it, and the change that makes it wrong.
const WRONGS: &[(&str, &[&str], Change)] = &[
    ("a source field that nobody mentions", &["unmapped_field"], |case| case.source(field("8f3a", text()))),
    ("read-only noise is no excuse", &["unmapped_field"], |case| {
        case.source(read_only(field("update_time", Kind::DateTime)))
    }),
    ("a misspelt source field", &["unknown_field"], |case| {
        case.target(field("x", text()));
        case.rule(from("x", "frist_name"));
    }),
    ("a source field that comes in parts", &["unknown_field"], |case| {
        case.source(field("address.value", text()));
        case.exclude("address.value", "tried below");
        case.target(field("x", text()));
        case.rule(from("x", "address"));
    }),
    ("a misspelt target field", &["unknown_field"], |case| case.rule(from("frstname", "first_name"))),
    ("a misspelt exclusion", &["unknown_field"], |case| case.exclude("emials", "not needed")),
    ("an expression over a field that does not exist", &["unknown_field"], |case| {
        case.target(field("x", text()));
        case.rule(expression("x", "upper(.frist_name)"));
    }),
    ("an expression that means a field and names a part of another", &["unknown_field"], |case| {
        case.source(field("parent", text()));
        case.source(field("parent.deals", text()));
        case.exclude("parent.deals", "tried below");
        case.target(field("x", text()));
        case.rule(expression("x", "upper(string(.parent.deals))"));
    }),
    ("a target field that the system fills", &["not_writable"], |case| {
        case.target(read_only(field("createdate", Kind::DateTime)));
        case.rule(constant("createdate", "2026-01-01"));
    }),
    ("a required field without a source", &["missing_required"], |case| {
        case.target(required(field("lastname", text())))
    }),
    ("a number for a date", &["wrong_type", "wrong_type"], |case| {
        case.source(field("amount", Kind::Number));
        case.target(field("day", Kind::Date));
        case.target(field("on", Kind::DateTime));
        case.rule(from("day", "amount"));
        case.rule(expression("on", ".amount"));
    }),
    ("a constant that is no option, a default that is none", &["wrong_type", "wrong_type"], |case| {
        case.target(field("stage", choice(&["lead", "customer"], false)));
        case.target(field("day", Kind::Date));
        case.rule(constant("stage", "custmer"));
        case.rule(defaulting(from("day", "first_name"), "soon"));
    }),
    (
        "a cohort's filter that is not yes or no, and one over a field that does not exist",
        &["wrong_type", "unknown_field"],
        |case| {
            let filter = |expression: &str| Scope { expression: expression.into(), place: Place::default() };
            case.flow.cohorts = vec![("a".into(), filter(".first_name")), ("b".into(), filter(".frist_name == \"x\""))];
        },
    ),
    (
        "a rule for conflicts that gives no side, and one that reads what it does not see",
        &["wrong_type", "unknown_field"],
        |case| {
            case.target(field("amount", Kind::Number));
            case.target(field("x", text()));
            for (mut rule, text) in [(constant("amount", 1), ".source"), (from("x", "first_name"), ".first_name")] {
                let expression = Scope { expression: text.into(), place: Place::default() };
                rule.ownership.conflict = Some(Conflict::Expression(expression));
                case.rule(rule);
            }
        },
    ),
    ("a scope that is not yes or no", &["wrong_type"], |case| {
        case.flow.scope = Some(Scope { expression: "upper(.first_name)".to_owned(), place: place(3) });
    }),
    ("a shorter target", &["too_narrow"], |case| {
        case.source(field("about", text_of(500)));
        case.target(field("short", text_of(100)));
        case.rule(from("short", "about"));
    }),
    ("several into one", &["too_narrow"], |case| {
        case.source(field("participants", link("persons", true)));
        case.target(field("person", link("contacts", false)));
        case.rule(from("person", "participants"));
    }),
    ("a table that does not exist", &["missing_table"], |case| {
        case.tables = table("deal_stages", &[]);
        case.target(field("x", text()));
        case.rule(translating(from("x", "first_name"), "deal_stage"));
    }),
    ("options without a translation", &["missing_table"], |case| {
        case.source(field("stage", choice(&["1=Lead", "2=Won"], false)));
        case.target(field("dealstage", choice(&["lead=Lead", "won=Closed won"], false)));
        case.rule(stepping(from("dealstage", "stage"), &[("by_label", &[])]));
    }),
    (
        "rows that lead nowhere, rows that come from nowhere",
        &["table_target_unknown", "table_source_unknown"],
        |case| {
            case.tables = table("stages", &[("1", "led"), ("Won", "Closed Won")]);
            case.source(field("stage", choice(&["1=Lead", "2=Won"], false)));
            case.target(field("dealstage", choice(&["lead=Lead", "won=Closed won"], false)));
            case.rule(translating(from("dealstage", "stage"), "stages"));
        },
    ),
    ("an exclusion without a reason", &["exclude_without_reason"], |case| {
        case.source(field("x", text()));
        case.exclude("x", " ");
    }),
    ("two rules for one field", &["mapped_twice"], |case| case.rule(from("firstname", "first_name"))),
    ("excluded and read", &["excluded_and_mapped"], |case| case.exclude("first_name", "not needed")),
    (
        "unknown steps and arguments",
        &[
            "unknown_step",
            "unknown_step",
            "bad_argument",
            "bad_argument",
            "bad_argument",
            "bad_argument",
            "bad_argument",
        ],
        |case| {
            case.target(field("x", text()));
            case.rule(stepping(
                from("x", "first_name"),
                &[
                    ("trimm", &[]),
                    ("concat", &[]),
                    ("truncate", &[]),
                    ("truncate", &[("max", "ten".into())]),
                    ("phone", &[("regoin", "DE".into())]),
                    ("phone", &[("region", "Germany".into())]),
                    ("phone", &[("format", "e614".into())]),
                ],
            ));
        },
    ),
    ("a key that the target does not keep unique", &["key_not_unique"], |case| {
        case.target(field("source_key", text()));
        case.flow.key = Some("source_key".into());
    }),
    ("a key that does not exist, or is no text", &["unknown_field"], |case| {
        case.target(unique(field("source_key", text())));
        case.flow.key = Some("sourcekey".into());
    }),
    ("a key of the wrong kind", &["wrong_type"], |case| {
        case.target(unique(field("source_key", Kind::Number)));
        case.flow.key = Some("source_key".into());
    }),
    ("match fields that do not exist", &["match_field_unknown", "match_field_unknown"], |case| {
        case.match_by("email", "e_mail")
    }),
    ("a field that costs calls", &["opt_in_field_used"], |case| {
        case.source(dear(field("followers", text())));
        case.target(field("x", text()));
        case.rule(from("x", "followers"));
    }),
    ("a user out of plain text", &["user_without_kind"], |case| {
        case.target(field("owner", Kind::User));
        case.rule(from("owner", "first_name"));
    }),
    ("an expression that does not compile", &["expression"], |case| {
        case.target(field("x", text()));
        case.rule(expression("x", "upper(.first_name)\n  + lowr(.first_name)"));
    }),
];

#[test]
fn each_finding_has_its_code_place_and_hint() {
    let told: Vec<String> = WRONGS
        .iter()
        .map(|(about, codes, change)| {
            let told = told_about(change);
            let found: Vec<&str> = told
                .lines()
                .filter_map(|line| line.split(['[', ']']).nth(1).filter(|_| !line.starts_with(' ')))
                .collect();
            assert_eq!(found, *codes, "{about}\n{told}");
            format!("# {about}\n{told}\n")
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

/// Organizations and persons of one system into companies and contacts of another.
fn project(rules: Vec<Rule>, more: Option<&str>) -> Vec<(Flow, Schema, Schema)> {
    let organizations = |name: &str| {
        let mut flow = flow(vec![]);
        flow.name = name.into();
        flow.source.object = "organizations".into();
        flow.target.object = "companies".into();
        (flow, schema("organizations", vec![]), schema("companies", vec![]))
    };
    let source =
        schema("persons", vec![field("org_id", link("organizations", false)), field("deal_id", link("deals", false))]);
    let target =
        schema("contacts", vec![field("company", link("companies", false)), field("deals", link("deals", true))]);
    let mut flow = flow(rules);
    for name in ["org_id", "deal_id"] {
        if !flow.rules.iter().any(
            |rule| matches!(&rule.from, handover_model::From::Fields(names) if names.iter().any(|have| *have == name)),
        ) {
            flow.excluded.insert(name.into(), ("not moved".to_owned(), place(30)));
        }
    }
    let mut flows = vec![organizations("organizations"), (flow, source, target)];
    flows.extend(more.map(organizations));
    flows
}

#[test]
fn links_need_a_flow() {
    let through = |mut rule: Rule, flow: &str| {
        rule.flow = Some(flow.into());
        rule
    };
    let check = |flows: Vec<(Flow, Schema, Schema)>| told(&check_flows(&flows, &Tables::default()));
    assert_eq!(check(project(vec![from("company", "org_id")], None)), "");
    assert_eq!(check(project(vec![through(from("company", "org_id"), "second")], Some("second"))), "");
    let told = [
        check(project(vec![from("deals", "deal_id")], None)),
        check(project(vec![through(from("company", "org_id"), "organisations")], None)),
        check(project(vec![through(from("deals", "deal_id"), "organizations")], None)),
        check(project(vec![from("company", "org_id")], Some("second"))),
        check(project(vec![expression("company", "null")], None)),
    ];
    insta::assert_snapshot!(told.join("\n\n"));
}

/// Two names that have one mark by chance: what is settled of one could pass for the other's.
#[test]
fn fields_that_the_state_cannot_tell_apart() {
    let told = |names: &[&str]| {
        told_about(|case| {
            for name in names {
                case.source(field(name, text()));
                case.target(field(name, text()));
                case.rule(from(name, name));
            }
        })
    };
    let found = told(&["custom_field_872", "custom_field_34805"]);
    assert!(found.starts_with("error[fields_alike] mappings/persons.yaml:10:3+18: "), "{found}");
    assert_eq!(told(&["custom_field_872", "custom_field_34806"]), "");
}

#[test]
fn the_same_project_gives_the_same_findings() {
    let change = |case: &mut Case| {
        for name in ["b", "a", "c"] {
            case.source(field(name, text()));
        }
        case.rule(constant("nowhere", Value::from(true)));
    };
    assert_eq!(told_about(change), told_about(change));
}

/// What marks the counterparts of deleted records is there and can be written.
#[test]
fn the_mark_of_deletions_is_a_field() {
    let told = |field: &str| {
        let field = field.to_owned();
        told_about(|case| {
            let deletes = handover_model::Deletes::Mark { field: field.as_str().into(), value: Value::from("gone") };
            case.flow.removals.deletes = deletes;
        })
    };
    assert!(!told("firstname").contains("marks"), "{}", told("firstname"));
    assert!(told("fristname").contains("`deletes` marks with `fristname`"), "{}", told("fristname"));
}
