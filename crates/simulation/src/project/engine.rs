//! The project in the engine's words.

use std::collections::BTreeMap;
use std::sync::Arc;

use handover_connect::Connector;
use handover_engine::transform::Tables;
use handover_engine::{Planted, Policies, Project};
use handover_model::{
    Cohort, CohortName, Day, Deletes, End, FieldName, Flow, FlowName, From, Keep, MatchKey, MatchKind, Merges, Place,
    Removals, Rule, Scope, Step, SystemName, Table, TableRow, Value,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Dates, Places};
use crate::accounts::Concept::{
    Amount, Close, Contact, Deal, Due, Firm, First, Last, Mail, Name, Phone, Site, Sort, Staff, Stage, Subject, Title,
    Whole,
};
use crate::accounts::{Concept, DEAL, Field, ORGANIZATION, PERSON, Pair, Says, TASK};
use crate::oracle::{NEW, OLD, Ways};

/// The cohort of the deals that are of another sort.
const OVERSEAS: &str = "overseas";

/// What is wanted of one process.
pub(crate) struct Wanted<'w> {
    pub(crate) places: &'w Places,
    pub(crate) ways: Ways,
    pub(crate) planted: Planted,
    /// By flow: how many deletions a person lets through.
    pub(crate) confirmed: &'w BTreeMap<String, u64>,
    pub(crate) dates: Option<Dates>,
}

/// The project that carries between these systems.
pub(crate) fn project(systems: BTreeMap<SystemName, Arc<dyn Connector>>, wanted: &Wanted<'_>) -> Project {
    let Wanted { places, ways, planted, confirmed, dates } = *wanted;
    let confirmed_deletes = confirmed.iter().map(|(flow, number)| (FlowName::from(flow.as_str()), *number)).collect();
    let policies = Policies {
        error_or: 10_000,
        error_share: 1.0,
        accept_counts: true,
        planted,
        confirmed_deletes,
        ..Policies::default()
    };
    let stages = Table { name: "stages".to_owned(), rows: stages(places.pair), place: Place::default() };
    Project {
        name: "simulation".to_owned(),
        snapshot: "simulation".to_owned(),
        systems,
        flows: flows(places)
            .into_iter()
            .enumerate()
            .map(|(kind, flow)| flow_of(flow, kind, places.pair, ways))
            .collect(),
        cohorts: dates.into_iter().map(cohort).collect(),
        tables: Arc::new(Tables(BTreeMap::from([("stages".to_owned(), stages)]))),
        policies,
    }
}

/// What becomes of what is gone is another thing in each flow.
fn flow_of(flow: Flow, kind: usize, pair: Pair, ways: Ways) -> Flow {
    let (deletes, merges) = match (kind, ways) {
        (ORGANIZATION, _) => (Deletes::Ask, Merges::Ask),
        (PERSON, _) => (Deletes::Delete, Merges::Carry),
        (DEAL, _) => (Deletes::Archive, Merges::Ask),
        (_, Ways::One) => (marked(pair), Merges::Ask),
        (_, Ways::Both) => (Deletes::Ignore, Merges::Ask),
    };
    Flow { both_ways: ways == Ways::Both, removals: Removals { deletes, merges, ..Removals::default() }, ..flow }
}

/// A task says that its counterpart is gone.
fn marked(pair: Pair) -> Deletes {
    match pair.0[NEW].objects[TASK].mark {
        Some((field, value)) => Deletes::Mark { field: field.into(), value: Value::text(value) },
        None => Deletes::Ask,
    }
}

/// Stages that the table translates; the fifth is left out.
fn stages(pair: Pair) -> BTreeMap<String, TableRow> {
    let Some([old, new]) = pair.both(DEAL, Stage) else { return BTreeMap::new() };
    let rows = old.options().iter().zip(new.options()).take(4).map(|(from, to)| {
        let row = TableRow { to: (*to).to_owned(), place: Place::default() };
        ((*from).to_owned(), row)
    });
    rows.collect()
}

fn cohort(dates: Dates) -> Cohort {
    let day = |at: Timestamp| Day { date: at.to_zoned(TimeZone::UTC).date(), at };
    let Dates { begins, moves } = dates;
    Cohort { name: OVERSEAS.into(), begins: Some(day(begins)), moves: Some(day(moves)), place: Place::default() }
}

/// Which of a flow's records are in it.
fn overseas(expression: String) -> Vec<(CohortName, Scope)> {
    vec![(OVERSEAS.into(), Scope { expression, place: Place::default() })]
}

/// Which deals are in it.
fn is_overseas(pair: Pair) -> String {
    let sort = pair.0[OLD].objects[DEAL].field(Sort);
    let said = sort.and_then(|sort| Some((sort.api, *sort.options().get(1)?)));
    said.map_or_else(|| "false".to_owned(), |(field, value)| format!(".{field} == \"{value}\""))
}

fn flows(places: &Places) -> Vec<Flow> {
    let pair = places.pair;
    let all = |kind, concepts: &[Concept]| -> Vec<Rule> {
        concepts.iter().filter_map(|concept| carried(pair, kind, *concept)).collect()
    };
    vec![
        Flow {
            matching: found_by(pair, ORGANIZATION, MatchKind::Text, Name),
            ..flow(places, ORGANIZATION, "organizations", all(ORGANIZATION, &[Name, Site, Staff]))
        },
        Flow {
            matching: found_by(pair, PERSON, MatchKind::Email, Mail),
            back: named_back(pair),
            ..flow(places, PERSON, "persons", persons(pair))
        },
        Flow { cohorts: overseas(is_overseas(pair)), ..flow(places, DEAL, "deals", deals(pair)) },
        Flow {
            // They would follow their deals.
            cohorts: overseas("false".to_owned()),
            ..flow(places, TASK, "tasks", all(TASK, &[Subject, Due, Deal]))
        },
    ]
}

fn persons(pair: Pair) -> Vec<Rule> {
    let names = match pair.0[NEW].objects[PERSON].writable(Whole) {
        None => [First, Last].into_iter().filter_map(|part| carried(pair, PERSON, part)).collect(),
        Some(name) => vec![whole(pair, name)],
    };
    let others = [Mail, Phone, Firm].into_iter().filter_map(|concept| carried(pair, PERSON, concept));
    names.into_iter().chain(others).collect()
}

/// A name that is written as one.
fn whole(pair: Pair, name: &Field) -> Rule {
    let old = pair.0[OLD].objects[PERSON];
    match old.writable(Whole) {
        Some(own) => plain(name.api, own.api),
        None => composed(name.api, [First, Last].map(|part| old.field(part).map_or("", |field| field.api))),
    }
}

/// Two names as one.
fn composed(target: &str, [first, last]: [&str; 2]) -> Rule {
    Rule { from: From::Expression(format!("concat([.{first}, .{last}], \" \")")), ..plain(target, "") }
}

/// What a person's names are in the old system, where they are written as one on one side only.
fn named_back(pair: Pair) -> Vec<Rule> {
    let [old, new] = pair.0.map(|account| account.objects[PERSON]);
    let part = |concept| Some([old.field(concept)?.api, new.field(concept)?.api]);
    let (Some([old_first, first]), Some([old_last, last])) = (part(First), part(Last)) else { return Vec::new() };
    match (old.writable(Whole), new.writable(Whole)) {
        (Some(own), None) => vec![composed(own.api, [first, last])],
        (None, Some(name)) => {
            vec![stepped(old_first, name.api, "first_name"), stepped(old_last, name.api, "last_name")]
        }
        _ => Vec::new(),
    }
}

fn deals(pair: Pair) -> Vec<Rule> {
    let carried = |concept| carried(pair, DEAL, concept);
    let constants = pair.0[NEW].objects[DEAL]
        .constants
        .iter()
        .map(|(field, value)| Some(Rule { from: From::Constant(Value::text(*value)), ..plain(field, "") }));
    let stage = carried(Stage).map(|rule| Rule { table: Some("stages".to_owned()), ..rule });
    let contact = carried(Contact).map(|rule| Rule { later: true, ..rule });
    let rules = [carried(Title), carried(Amount), stage].into_iter().chain(constants);
    rules.chain([carried(Close), carried(Firm), contact]).flatten().collect()
}

/// The rule for a thing that both systems know.
fn carried(pair: Pair, kind: usize, concept: Concept) -> Option<Rule> {
    let [old, new] = pair.both(kind, concept)?;
    Some(match (old.says, new.says) {
        (Says::Entries, Says::Entries) => plain(new.api, old.api),
        (Says::Entries, _) => stepped(new.api, old.api, "primary"),
        // Of several associations one finds a place in a lookup.
        (Says::Association(None), Says::Id | Says::Key | Says::Lookup | Says::Bind(_)) => {
            stepped(new.api, old.api, "first")
        }
        _ => plain(new.api, old.api),
    })
}

fn flow(places: &Places, kind: usize, name: &str, rules: Vec<Rule>) -> Flow {
    let [source, target] = places.pair.0.map(|account| account.objects[kind].api);
    Flow {
        key: places.keys[kind].as_deref().map(FieldName::from),
        keep: Keep::Source,
        ..Flow::new(name, End::new("old", source), End::new("new", target), rules)
    }
}

fn found_by(pair: Pair, object: usize, kind: MatchKind, concept: Concept) -> Vec<MatchKey> {
    let key = |[old, new]: [&Field; 2]| MatchKey {
        kind,
        source: vec![old.api.into()],
        target: vec![new.api.into()],
        region: None,
        place: Place::default(),
    };
    pair.both(object, concept).map(key).into_iter().collect()
}

fn plain(target: &str, source: &str) -> Rule {
    Rule::new(target, From::Fields(vec![source.into()]))
}

fn stepped(target: &str, source: &str, step: &str) -> Rule {
    let step = Step { name: step.to_owned(), arguments: BTreeMap::new(), place: Place::default() };
    Rule { steps: vec![step], ..plain(target, source) }
}
