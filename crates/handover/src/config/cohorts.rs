//! Dates of the project file: `time_zone`, `kill_date`, and `cohorts`.

use std::collections::BTreeMap;

use handover_model::{Cohort, CohortName, Day, Flow, FlowName, Scope};
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::node::{Kind, Mark, Node};
use super::project::name;
use super::reader::{File, Reading, did_you_mean};

/// The cohorts, and which records of which flow each has.
#[derive(Default)]
pub(super) struct Cohorts {
    pub(super) cohorts: Vec<Cohort>,
    /// In the order of the cohorts.
    filters: Vec<BTreeMap<FlowName, Scope>>,
}

impl Cohorts {
    /// Whether the ownership of any record ever passes to the target.
    pub(super) fn move_some(&self) -> bool {
        self.cohorts.iter().any(|cohort| cohort.moves.is_some())
    }

    /// Gives a flow the filters that speak of its records.
    pub(super) fn tell(&self, flow: &mut Flow) {
        let filters = self.cohorts.iter().zip(&self.filters);
        let told = filters.filter_map(|(cohort, of)| Some((cohort.name.clone(), of.get(&flow.name)?.clone())));
        flow.cohorts = told.collect();
    }
}

/// Reads `time_zone`: a name of the IANA's list; UTC where nothing is said.
pub(super) fn zone(reading: &mut Reading, file: &File, node: &Node) -> Option<TimeZone> {
    let text = reading.text(file, node, "time_zone")?;
    if let Ok(zone) = TimeZone::get(&text) {
        return Some(zone);
    }
    let message = format!("`{text}` is not a time zone that this machine knows");
    let problem = reading
        .problem(file, node.mark, "time_zone", message)
        .hint("`time_zone` wants a name such as `Europe/Berlin` or `America/New_York`");
    reading.problems.push(problem);
    None
}

/// Reads `cohorts`; `flows` are the names of the project's flows, if they could be read.
pub(super) fn read(
    reading: &mut Reading,
    file: &File,
    node: &Node,
    zone: &TimeZone,
    flows: Option<&[&FlowName]>,
) -> Cohorts {
    let Kind::List(items) = &node.kind else {
        reading.wrong(file, node, "cohorts", "a list of cohorts");
        return Cohorts::default();
    };
    let mut all = Cohorts::default();
    for item in items {
        let Some((cohort, filters)) = cohort(reading, file, item, zone, flows) else { continue };
        if let Some(other) = all.cohorts.iter().find(|other| other.name == cohort.name) {
            let message = format!("there are two cohorts `{}`: the other one is at {}", cohort.name, other.place);
            reading.complain(file, item.mark, "duplicate_cohort", message);
            continue;
        }
        all.cohorts.push(cohort);
        all.filters.push(filters);
    }
    all
}

fn cohort(
    reading: &mut Reading,
    file: &File,
    node: &Node,
    zone: &TimeZone,
    flows: Option<&[&FlowName]>,
) -> Option<(Cohort, BTreeMap<FlowName, Scope>)> {
    let mut entries = reading.open(file, node, "a cohort")?;
    let given = entries.need("name", reading);
    let mark = given.map_or(node.mark, |node| node.mark);
    let given = given.and_then(|node| name(reading, file, node, "name"));
    let filters = entries.need("where", reading).map(|node| filters(reading, file, node, flows));
    let begins = entries.take("begins").map(|node| (node.mark, day_at(reading, file, node, "begins", zone)));
    let moves = entries.take("moves").map(|node| (node.mark, day_at(reading, file, node, "moves", zone)));
    entries.finish(reading);
    if let (Some((_, Some(begins))), Some((at, Some(moves)))) = (&begins, &moves)
        && moves.at < begins.at
    {
        let message = format!("the cohort moves on {}, before it begins on {}", moves.date, begins.date);
        reading.complain(file, *at, "moves_too_early", message);
    }
    let of = |day: Option<(Mark, Option<Day>)>| day.and_then(|(_, day)| day);
    let (begins, moves, place) = (of(begins), of(moves), file.place(mark));
    Some((Cohort { name: CohortName::new(given?), begins, moves, place }, filters?))
}

/// `where`: by flow, which of its records belong.
fn filters(reading: &mut Reading, file: &File, node: &Node, flows: Option<&[&FlowName]>) -> BTreeMap<FlowName, Scope> {
    let mut filters = BTreeMap::new();
    let Kind::Map { entries, .. } = &node.kind else {
        reading.wrong(file, node, "where", "a filter for each flow (`deals: '.region == \"North\"'`)");
        return filters;
    };
    for entry in entries {
        if let Some(flows) = flows.filter(|flows| !flows.iter().any(|flow| **flow == *entry.key)) {
            let message = format!("there is no flow `{}`", entry.key);
            let mut problem = reading.problem(file, entry.key_mark, "unknown_flow", message);
            problem.notes.extend(did_you_mean(&entry.key, flows.iter().map(|flow| flow.as_str())));
            reading.problems.push(problem);
            continue;
        }
        let Some(expression) = reading.text(file, &entry.value, &entry.key) else { continue };
        let place = file.place(entry.value.mark);
        filters.insert(FlowName::new(entry.key.as_str()), Scope { expression, place });
    }
    filters
}

/// Reads a date.
pub(super) fn day_at(reading: &mut Reading, file: &File, node: &Node, what: &str, zone: &TimeZone) -> Option<Day> {
    let text = reading.text(file, node, what)?;
    let found = day(&text, zone);
    if found.is_none() {
        reading.complain(file, node.mark, "date", format!("`{what}` wants a date like `2027-01-31`, not `{text}`"));
    }
    found
}

/// A date, `2027-01-31`, in a time zone.
pub(crate) fn day(text: &str, zone: &TimeZone) -> Option<Day> {
    // Nothing but the date: jiff would take a time along and leave it out.
    let date: Date = text.parse().ok().filter(|_| text.len() == "2027-01-31".len())?;
    let at = date.to_zoned(zone.clone()).ok()?.timestamp();
    Some(Day { date, at })
}
