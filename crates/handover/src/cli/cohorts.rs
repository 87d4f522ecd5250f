//! Cohorts as `plan` and `status` show them: dates, records, what begins and what passes to the target.

use std::collections::BTreeMap;

use handover_engine::Setup;
use handover_model::{Cohort, CohortName, Day, FieldName, Finding, FlowName, Weight};
use handover_store::{CohortCount, CohortHolds, Store};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};

use super::output::{count, table};
use super::{Output, failure};
use crate::config::Project;
use crate::problem::Problem;

/// The cohorts of a project with their records.
pub(crate) struct Cohorts {
    cohorts: Vec<Cohort>,
    zone: TimeZone,
    counts: Vec<CohortCount>,
    /// Which fields change their owner when a record's cohort moves; where the rules are known.
    passing: Option<Passing>,
}

/// By flow: which fields change their owner when a record's cohort moves.
pub(crate) type Passing = BTreeMap<FlowName, Vec<FieldName>>;

/// By flow: which fields change their owner when a record's cohort moves.
pub(crate) fn passing(setup: &Setup) -> Passing {
    setup.flows.iter().map(|ready| (ready.flow.name.clone(), ready.passing().cloned().collect())).collect()
}

/// What the coming date of one cohort does.
pub(crate) struct Move {
    cohort: Cohort,
    /// By flow: its records as they are, and as they are then.
    flows: Vec<(CohortCount, CohortCount)>,
    /// Why records of it are held then.
    holds: Vec<CohortHolds>,
    passing: Passing,
    /// That day.
    at: Timestamp,
    zone: TimeZone,
}

/// The cohort of this name.
pub(crate) fn named(project: &Project, name: &str) -> Result<Cohort, Vec<Problem>> {
    let found = project.cohorts.iter().find(|cohort| cohort.name.as_str() == name);
    found.cloned().ok_or_else(|| {
        let known: Vec<&str> = project.cohorts.iter().map(|cohort| cohort.name.as_str()).collect();
        let hint = match known.as_slice() {
            [] => "it has none: `cohorts` in handover.yaml".to_owned(),
            known => format!("it has {}", known.join(", ")),
        };
        vec![Problem::new("unknown_cohort", format!("the project has no cohort `{name}`")).hint(hint)]
    })
}

impl Move {
    /// What a plan brought for a cohort: `before` the records as they are, in `store` as they are then.
    pub(crate) async fn of(
        (project, cohort): (&Project, &Cohort),
        before: &[CohortCount],
        store: &Store,
        (passing, at): (&Passing, Timestamp),
    ) -> Result<Self, Vec<Problem>> {
        let failed = |error: handover_store::Error| vec![failure::store(&error)];
        let mut flows = Vec::new();
        for then in store.cohort_counts().await.map_err(failed)?.into_iter().filter(|one| one.cohort == cohort.name) {
            let nobody = CohortCount { records: 0, paired: 0, waiting: 0, conflicts: 0, ..then.clone() };
            let now = before.iter().find(|one| one.flow == then.flow && one.cohort == then.cohort);
            flows.push((now.cloned().unwrap_or(nobody), then));
        }
        let holds = store.cohort_holds(&cohort.name).await.map_err(failed)?;
        let (cohort, passing, zone) = (cohort.clone(), passing.clone(), project.time_zone.clone());
        Ok(Self { cohort, flows, holds, passing, at, zone })
    }

    fn passes(&self, flow: &FlowName) -> &[FieldName] {
        let moves = self.cohort.has_moved(self.at);
        self.passing.get(flow).filter(|_| moves).map_or(&[], Vec::as_slice)
    }

    /// `{name, begins, moves, as_of, state, flows: {FLOW: {records, carried_now, carried, waiting, conflicts,
    /// fields_that_change_owner}}, holds: [{flow, group, records}]}`.
    pub(crate) fn json(&self) -> Json {
        let flow = |(now, then): &(CohortCount, CohortCount)| {
            let told = json!({
                "records": then.records, "carried_now": now.paired, "carried": then.paired, "waiting": then.waiting,
                "conflicts": then.conflicts, "fields_that_change_owner": self.passes(&then.flow),
            });
            (then.flow.to_string(), told)
        };
        let held = |one: &CohortHolds| json!({"flow": one.flow, "group": one.group, "records": one.records});
        json!({
            "name": self.cohort.name,
            "begins": self.cohort.begins.map(|day| day.date.to_string()),
            "moves": self.cohort.moves.map(|day| day.date.to_string()),
            "as_of": self.at.to_zoned(self.zone.clone()).date().to_string(),
            "state": state(&self.cohort, self.at),
            "flows": self.flows.iter().map(flow).collect::<serde_json::Map<_, _>>(),
            "holds": self.holds.iter().map(held).collect::<Vec<_>>(),
        })
    }

    pub(crate) fn say(&self, output: &Output) {
        let (name, day) = (&self.cohort.name, self.at.to_zoned(self.zone.clone()).date());
        let stands = match state(&self.cohort, self.at) {
            "moved" => "its records are the target's",
            "begun" => "its records are carried",
            _ => "its records wait",
        };
        output.say(&format!("The cohort `{name}` on {day}: {stands}.\n"));
        let rows: Vec<Vec<String>> = self.flows.iter().map(|(now, then)| self.row(now, then)).collect();
        let head =
            ["flow", "records", "carried now", "carried then", "waiting", "conflicts", "fields that change owner"];
        output.say(&table(&head, &rows));
        for (_, then) in &self.flows {
            let names: Vec<&str> = self.passes(&then.flow).iter().map(FieldName::as_str).collect();
            if !names.is_empty() {
                output.say(&format!("\n`{}`, the target's from then on: {}.", then.flow, names.join(", ")));
            }
        }
        if self.holds.is_empty() {
            return output.say("\nNone of its records is held then.");
        }
        let row = |one: &CohortHolds| vec![one.flow.to_string(), count(one.records), one.group.clone()];
        output.say("\nHeld then:\n");
        output.say(&table(&["flow", "records", "group"], &self.holds.iter().map(row).collect::<Vec<_>>()));
    }

    fn row(&self, now: &CohortCount, then: &CohortCount) -> Vec<String> {
        let mut row = vec![then.flow.to_string()];
        let passes = self.passes(&then.flow).len() as u64;
        row.extend([then.records, now.paired, then.paired, then.waiting, then.conflicts, passes].map(count));
        row
    }
}

impl Cohorts {
    /// Reads what the state knows of the project's cohorts.
    pub(crate) async fn of(project: &Project, store: &Store, passing: Option<Passing>) -> Result<Self, Vec<Problem>> {
        let counts = store.cohort_counts().await.map_err(|error| vec![failure::store(&error)])?;
        Ok(Self { cohorts: project.cohorts.clone(), zone: project.time_zone.clone(), counts, passing })
    }

    /// `[{name, begins, moves, state, days_to_begin, days_to_move, flows: {FLOW: {...}}}]`.
    pub(crate) fn json(&self, now: Timestamp) -> Json {
        let flows = |cohort: &Cohort| -> serde_json::Map<String, Json> {
            let counts = self.of_cohort(cohort).map(|one| {
                let mut told = json!({
                    "records": one.records, "paired": one.paired, "waiting": one.waiting, "conflicts": one.conflicts,
                });
                if let Some(passing) = &self.passing {
                    told["fields_that_change_owner"] = json!(passing.get(&one.flow).map_or(0, Vec::len));
                }
                (one.flow.to_string(), told)
            });
            counts.collect()
        };
        let told = |cohort: &Cohort| {
            json!({
                "name": cohort.name,
                "begins": cohort.begins.map(|day| day.date.to_string()),
                "moves": cohort.moves.map(|day| day.date.to_string()),
                "state": state(cohort, now),
                "days_to_begin": cohort.begins.map(|day| self.days_to(day, now)),
                "days_to_move": cohort.moves.map(|day| self.days_to(day, now)),
                "flows": flows(cohort),
            })
        };
        self.cohorts.iter().map(told).collect()
    }

    /// A line for each cohort and flow; nothing where a project has no cohorts.
    pub(crate) fn say(&self, now: Timestamp, output: &Output) {
        if self.cohorts.is_empty() {
            return;
        }
        let mut rows = Vec::new();
        for cohort in &self.cohorts {
            let mut dates = [cohort.begins, cohort.moves].map(|day| self.when(day, now));
            let mut name = cohort.name.to_string();
            for one in self.of_cohort(cohort) {
                let [begins, moves] = std::mem::take(&mut dates);
                let mut row = vec![std::mem::take(&mut name), begins, moves, one.flow.to_string()];
                row.extend([one.records, one.paired, one.waiting].map(count));
                row.extend(
                    self.passing
                        .as_ref()
                        .map(|known| count(known.get(&one.flow).map_or(0, |fields| fields.len() as u64))),
                );
                row.push(count(one.conflicts));
                rows.push(row);
            }
            if !name.is_empty() {
                let [begins, moves] = dates;
                let mut row = vec![name, begins, moves];
                row.resize(8 + usize::from(self.passing.is_some()), "-".to_owned());
                rows.push(row);
            }
        }
        let mut head = vec!["cohort", "begins", "moves", "flow", "records", "carried", "waiting"];
        head.extend(self.passing.is_some().then_some("fields that change owner"));
        head.push("conflicts");
        output.say("\nCohorts:\n");
        output.say(&table(&head, &rows));
    }

    /// Records that wait for their cohort to begin.
    pub(crate) fn waiting(&self) -> u64 {
        self.counts.iter().map(|one| one.waiting).sum()
    }

    /// Filters that no record meets.
    pub(crate) fn findings(&self, project: &Project) -> Vec<Finding> {
        let filters = project.flows.iter().flat_map(|flow| {
            flow.cohorts
                .iter()
                .filter(|(name, _)| !self.counts.iter().any(|one| one.flow == flow.name && one.cohort == *name))
                .map(|(name, filter)| nobody(name, &flow.name, &filter.place))
        });
        filters.collect()
    }

    fn of_cohort<'c>(&'c self, cohort: &'c Cohort) -> impl Iterator<Item = &'c CohortCount> {
        self.counts.iter().filter(|one| one.cohort == cohort.name)
    }

    fn days_to(&self, day: Day, now: Timestamp) -> i32 {
        days_to(day, &self.zone, now)
    }

    fn when(&self, day: Option<Day>, now: Timestamp) -> String {
        day.map_or_else(|| "-".to_owned(), |day| when(day, &self.zone, now))
    }
}

/// How many days are left to a date.
pub(crate) fn days_to(day: Day, zone: &TimeZone, now: Timestamp) -> i32 {
    now.to_zoned(zone.clone()).date().until(day.date).map_or(0, |span| span.get_days())
}

/// A date, and how many days are left to it.
pub(crate) fn when(day: Day, zone: &TimeZone, now: Timestamp) -> String {
    match days_to(day, zone, now) {
        1 => format!("{} (1 day to go)", day.date),
        days if days > 1 => format!("{} ({days} days to go)", day.date),
        _ => day.date.to_string(),
    }
}

/// The finding that a cohort's filter holds for no record of a flow.
pub(crate) fn nobody(cohort: &CohortName, flow: &FlowName, place: &handover_model::Place) -> Finding {
    Finding::new(Weight::Warning, "cohort_of_nobody", format!("no record of `{flow}` is in the cohort `{cohort}`"))
        .at(place)
        .hint("look at the filter, and at those of the cohorts before it: a record is in the first whose filter holds")
}

fn state(cohort: &Cohort, now: Timestamp) -> &'static str {
    match (cohort.has_begun(now), cohort.has_moved(now)) {
        (_, true) => "moved",
        (true, false) => "begun",
        (false, false) => "waits",
    }
}
