//! The project that the weeks are played with, twice: in the engine's words, and in the oracle's. Written by hand
//! both times, so that a misreading of the one is not in the other.

use std::collections::BTreeMap;
use std::sync::Arc;

use handover_connect::Connector;
use handover_engine::transform::Tables;
use handover_engine::{Planted, Policies, Project};
use handover_model::{
    Cohort, CohortName, Day, Deletes, End, FieldName, Flow, FlowName, From, Keep, MatchKey, MatchKind, Merges,
    Ownership, Place, Removals, Rule, Scope, Step, SystemName, Table, TableRow, Value,
};
use jiff::SignedDuration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::oracle::{CohortRule, Conflict, Deletes as Gone, FieldRule, FlowRule, Form, Guard, Owner, Rules, Ways};

/// The field of the new system that says which record of the old one it is.
pub(crate) const KEY: &str = "handover_source_key";

/// Objects of the new system that have it, and whether it is unique there.
pub(crate) const KEYED: [(&str, bool); 4] =
    [("companies", true), ("contacts", true), ("deals", true), ("tasks", false)];

/// Stages that the table translates; the fifth is left out.
const STAGES: &[(&str, &str)] = &[
    ("1", "appointmentscheduled"),
    ("2", "qualifiedtobuy"),
    ("3", "presentationscheduled"),
    ("4", "decisionmakerboughtin"),
];

/// What the new system's two names are in the old one.
const NAME: &str = "concat([.firstname, .lastname], \" \")";

/// What a task says whose activity is gone.
const MARK: (&str, &str) = ("hs_task_priority", "HIGH");

/// The cohort of the deals that are not in the company's own currency.
const OVERSEAS: (&str, &str, &str) = ("overseas", "currency", "USD");

/// From when on a cohort is carried, and from when on it is the new system's: both at midnight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dates {
    pub(crate) begins: Timestamp,
    pub(crate) moves: Timestamp,
}

/// The project in the engine's words.
pub(crate) fn project(
    systems: BTreeMap<SystemName, Arc<dyn Connector>>,
    ways: Ways,
    planted: Planted,
    confirmed: &BTreeMap<String, u64>,
    dates: Option<Dates>,
) -> Project {
    let confirmed_deletes = confirmed.iter().map(|(flow, number)| (FlowName::from(flow.as_str()), *number)).collect();
    let policies = Policies {
        error_or: 10_000,
        error_share: 1.0,
        accept_counts: true,
        planted,
        confirmed_deletes,
        ..Policies::default()
    };
    let rows = STAGES.iter().map(|(from, to)| {
        let row = TableRow { to: (*to).to_owned(), place: Place::default() };
        ((*from).to_owned(), row)
    });
    let stages = Table { name: "stages".to_owned(), rows: rows.collect(), place: Place::default() };
    Project {
        name: "simulation".to_owned(),
        snapshot: "simulation".to_owned(),
        systems,
        flows: flows().into_iter().map(|flow| flow_of(flow, ways)).collect(),
        cohorts: dates.into_iter().map(cohort).collect(),
        tables: Arc::new(Tables(BTreeMap::from([("stages".to_owned(), stages)]))),
        policies,
    }
}

/// What becomes of what is gone is another thing in each flow.
fn flow_of(flow: Flow, ways: Ways) -> Flow {
    let (deletes, merges) = match (flow.name.as_str(), ways) {
        ("organizations", _) => (Deletes::Ask, Merges::Ask),
        ("persons", _) => (Deletes::Delete, Merges::Carry),
        ("deals", _) => (Deletes::Archive, Merges::Ask),
        (_, Ways::One) => (Deletes::Mark { field: MARK.0.into(), value: Value::text(MARK.1) }, Merges::Ask),
        (_, Ways::Both) => (Deletes::Ignore, Merges::Ask),
    };
    Flow { both_ways: ways == Ways::Both, removals: Removals { deletes, merges }, ..flow }
}

fn cohort(dates: Dates) -> Cohort {
    let day = |at: Timestamp| Day { date: at.to_zoned(TimeZone::UTC).date(), at };
    let Dates { begins, moves } = dates;
    Cohort { name: OVERSEAS.0.into(), begins: Some(day(begins)), moves: Some(day(moves)), place: Place::default() }
}

/// Which of a flow's records are in it.
fn overseas(expression: String) -> Vec<(CohortName, Scope)> {
    vec![(OVERSEAS.0.into(), Scope { expression, place: Place::default() })]
}

fn flows() -> Vec<Flow> {
    vec![
        Flow {
            matching: vec![found_by(MatchKind::Text, "name", "name")],
            ..flow(
                "organizations",
                ["organizations", "companies"],
                vec![plain("name", "name"), plain("website", "website"), plain("numberofemployees", "employee_count")],
            )
        },
        Flow {
            matching: vec![found_by(MatchKind::Email, "emails", "email")],
            back: vec![Rule { from: From::Expression(NAME.to_owned()), ..plain("name", "") }],
            ..flow(
                "persons",
                ["persons", "contacts"],
                vec![
                    plain("firstname", "first_name"),
                    plain("lastname", "last_name"),
                    stepped("email", "emails", "primary"),
                    stepped("phone", "phones", "primary"),
                    plain("associations.primary_company", "org_id"),
                ],
            )
        },
        Flow {
            cohorts: overseas(format!(".{} == \"{}\"", OVERSEAS.1, OVERSEAS.2)),
            ..flow("deals", ["deals", "deals"], deals())
        },
        Flow {
            // They would follow their deals.
            cohorts: overseas("false".to_owned()),
            ..flow(
                "tasks",
                ["activities", "tasks"],
                vec![
                    plain("hs_task_subject", "subject"),
                    plain("hs_timestamp", "due_date"),
                    plain("associations.deals", "deal_id"),
                ],
            )
        },
    ]
}

fn deals() -> Vec<Rule> {
    vec![
        plain("dealname", "title"),
        plain("amount", "value"),
        Rule { table: Some("stages".to_owned()), ..plain("dealstage", "stage_id") },
        Rule { from: From::Constant(Value::text("default")), ..plain("pipeline", "") },
        plain("closedate", "expected_close_date"),
        plain("associations.primary_company", "org_id"),
        Rule { later: true, ..plain("associations.contacts", "person_id") },
    ]
}

fn flow(name: &str, [source, target]: [&str; 2], rules: Vec<Rule>) -> Flow {
    Flow {
        name: FlowName::from(name),
        source: End { system: "old".into(), object: source.into() },
        target: End { system: "new".into(), object: target.into() },
        scope: None,
        cohorts: Vec::new(),
        key: Some(FieldName::from(KEY)),
        matching: Vec::new(),
        keep: Keep::Source,
        rules,
        excluded: BTreeMap::new(),
        back: Vec::new(),
        both_ways: false,
        removals: Removals::default(),
        ownership: Ownership::default(),
        place: Place::default(),
    }
}

fn found_by(kind: MatchKind, source: &str, target: &str) -> MatchKey {
    MatchKey { kind, source: vec![source.into()], target: vec![target.into()], region: None, place: Place::default() }
}

fn plain(target: &str, source: &str) -> Rule {
    Rule {
        target: target.into(),
        from: From::Fields(vec![source.into()]),
        steps: Vec::new(),
        table: None,
        default: None,
        keep: None,
        ownership: Ownership::default(),
        flow: None,
        later: false,
        recalculated: None,
        place: Place::default(),
    }
}

fn stepped(target: &str, source: &str, step: &str) -> Rule {
    let step = Step { name: step.to_owned(), arguments: BTreeMap::new(), place: Place::default() };
    Rule { steps: vec![step], ..plain(target, source) }
}

fn flow_rule(
    [name, back]: [&'static str; 2],
    objects: [&'static str; 2],
    (plural, key_head): (&'static str, &'static str),
    fields: Vec<FieldRule>,
    found_by: Option<usize>,
) -> FlowRule {
    let (deletes, merges) = (Gone::Ask, false);
    FlowRule { name, back, objects, plural, key: KEY, key_head, fields, found_by, deletes, merges, cohort: None }
}

/// What becomes of what is gone, in the oracle's words.
fn removals(rule: FlowRule, ways: Ways) -> FlowRule {
    let (deletes, merges) = match rule.name {
        "persons" => (Gone::Delete, true),
        "deals" => (Gone::Delete, false),
        "tasks" if ways == Ways::Both => (Gone::Ignore, false),
        "tasks" => (Gone::Mark("hs_task_priority", "HIGH"), false),
        _ => (Gone::Ask, false),
    };
    FlowRule { deletes, merges, ..rule }
}

/// The project in the oracle's words.
pub(crate) fn rules(ways: Ways, dates: Option<Dates>) -> Rules {
    let owned = |old: &'static str, new: &'static str, form: Form| FieldRule {
        names: [old, new],
        form,
        owner: if ways == Ways::Both { Owner::Both(Conflict::Ask) } else { Owner::OldOnceChanged },
        part_of: None,
    };
    let named = |old, new| FieldRule { part_of: Some("name"), ..owned(old, new, Form::Text) };
    let link = |old, new, flow, kind| owned(old, new, Form::Link { flow, kind });
    let flows = vec![
        flow_rule(
            ["organizations", "organizations.back"],
            ["organization", "companies"],
            ("organizations", "old:organizations:"),
            vec![
                owned("name", "name", Form::Text),
                owned("website", "website", Form::Text),
                owned("employee_count", "numberofemployees", Form::Number),
            ],
            Some(0),
        ),
        flow_rule(
            ["persons", "persons.back"],
            ["person", "contacts"],
            ("persons", "old:persons:"),
            vec![
                owned("emails", "email", Form::Email),
                named("first_name", "firstname"),
                named("last_name", "lastname"),
                owned("phones", "phone", Form::Phone),
                link("org_id", "associations.primary_company", "organizations", Some([1, 2])),
            ],
            Some(0),
        ),
        flow_rule(
            ["deals", "deals.back"],
            ["deal", "deals"],
            ("deals", "old:deals:"),
            vec![
                owned("title", "dealname", Form::Text),
                owned("value", "amount", Form::Number),
                owned("stage_id", "dealstage", Form::Option(STAGES)),
                owned("expected_close_date", "closedate", Form::Day),
                link("org_id", "associations.primary_company", "organizations", Some([5, 6])),
                link("person_id", "associations.contacts", "persons", None),
            ],
            None,
        ),
        flow_rule(
            ["tasks", "tasks.back"],
            ["activity", "tasks"],
            ("activities", "old:activities:"),
            vec![
                owned("subject", "hs_task_subject", Form::Text),
                owned("due_date", "hs_timestamp", Form::Day),
                link("deal_id", "associations.deals", "deals", None),
            ],
            None,
        ),
    ];
    let mut flows: Vec<FlowRule> = flows.into_iter().map(|rule| removals(rule, ways)).collect();
    let (_, field, value) = OVERSEAS;
    for flow in flows.iter_mut().filter(|flow| flow.name == "deals") {
        flow.cohort = dates.map(|Dates { begins, moves }| CohortRule { field, value, begins, moves });
    }
    Rules { flows, ways, guard: Guard { count: 20, share: 0.02 }, sweep: SignedDuration::from_hours(24) }
}
