//! What is known before anything is written: values and users in use that have no counterpart yet.
//!
//! Reads the source's lists once (no call per record, so nothing that is read through other records), applies
//! the rules, counts. The records concerned will be held; the run of the rest is not prevented.

use std::collections::{BTreeMap, BTreeSet};

use handover_connect::{Read, Which};
use handover_model::{Cause, CohortName, FieldName, Finding, FlowName, ReadCost, Weight};

use crate::Error;
use crate::setup::{Ready, Setup};
use crate::transform::State;

/// What will be held.
#[derive(Clone, Debug, Default)]
pub struct Announcement {
    /// By flow and cause.
    pub groups: Vec<Announced>,
    /// Records in all; one that has several causes counts once.
    pub records: u64,
    /// By flow: cohorts in which none of its records is.
    pub nobody: Vec<(FlowName, CohortName)>,
}

/// Records that will be held, by flow and cause.
#[derive(Clone, Debug)]
pub struct Announced {
    /// The flow.
    pub flow: FlowName,
    /// The cause.
    pub cause: Cause,
    /// How many records have it.
    pub records: u64,
    /// The rule, in the flow.
    pub rule: usize,
}

impl Announced {
    /// The announcement as a finding.
    pub fn finding(&self, setup: &Setup) -> Finding {
        let place =
            setup.flow(&self.flow).and_then(|ready| ready.flow.rules.get(self.rule)).map(|rule| rule.place.clone());
        let message = format!("{}: held until somebody answers: {}", self.flow, self.cause.sentence());
        let mut finding = Finding::new(Weight::Warning, self.cause.word(), message);
        finding.place = place;
        finding.records = Some(self.records);
        finding.hint = Some(match &self.cause {
            Cause::Untranslated { table, .. } => {
                format!("add a row to translations/{table}.csv, or answer the hold later")
            }
            Cause::UnknownUser { .. } => {
                "give the user a seat in the target, or add a row to translations/users.csv, or answer the hold later"
                    .to_owned()
            }
            _ => "they can be answered in the queue later".to_owned(),
        });
        finding
    }
}

/// Counts the records that are sure to be held.
///
/// # Errors
/// When a source cannot be read.
pub async fn announce(setup: &Setup) -> Result<Announcement, Error> {
    let mut counts: BTreeMap<(FlowName, String), Announced> = BTreeMap::new();
    let mut records = 0;
    let mut nobody: BTreeSet<(FlowName, CohortName)> = BTreeSet::new();
    for (system, object) in setup.sources() {
        let flows: Vec<_> = setup
            .flows
            .iter()
            .filter(|ready| ready.flow.source.system == system && ready.flow.source.object == object)
            .collect();
        let mut fields: Vec<FieldName> = flows.iter().flat_map(|ready| listed(ready)).collect();
        fields.sort();
        fields.dedup();
        let read = Read { object: object.clone(), fields: fields.into(), which: Which::Live, since: None };
        let connector = setup.project.system(&system)?;
        if connector.capabilities().object(object.as_str()).is_some_and(|object| !object.through.is_empty()) {
            continue;
        }
        for ready in &flows {
            nobody.extend(ready.flow.cohorts.iter().map(|(name, _)| (ready.flow.name.clone(), name.clone())));
        }
        let mut cursor = None;
        loop {
            let page = connector.page(&read, cursor.as_ref()).await.map_err(|fault| Error::system(&system, fault))?;
            for record in page.records.iter().filter(|record| !record.gone) {
                for ready in flows.iter().filter(|ready| ready.program.in_scope(record).unwrap_or(false)) {
                    records += u64::from(count(setup, ready, record, &mut counts));
                    if let Ok(Some(cohort)) = ready.program.cohort(record) {
                        nobody.remove(&(ready.flow.name.clone(), cohort.clone()));
                    }
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    Ok(Announcement { groups: counts.into_values().collect(), records, nobody: nobody.into_iter().collect() })
}

fn listed(ready: &Ready) -> impl Iterator<Item = FieldName> + '_ {
    ready
        .program
        .source_fields()
        .into_iter()
        .filter(|name| ready.source.field(name.as_str()).is_some_and(|field| field.read == ReadCost::Listed))
}

/// Counts a record once in each group of its causes; whether there is any.
fn count(
    setup: &Setup,
    ready: &Ready,
    record: &handover_model::Record,
    counts: &mut BTreeMap<(FlowName, String), Announced>,
) -> bool {
    let mut groups = BTreeSet::new();
    for mapped in ready.program.apply(record) {
        let cause = match mapped.state {
            State::Problem(cause @ Cause::Untranslated { .. }, _) => cause,
            State::User(user) => {
                let (source, target) = (&ready.flow.source.system, &ready.flow.target.system);
                if setup.people.counterpart(source, &user, target).is_some() {
                    continue;
                }
                Cause::UnknownUser { field: mapped.target, label: setup.people.label(source, &user), user }
            }
            State::Problem(..) | State::Absent | State::Value(_) | State::Links(_) => continue,
        };
        let group = cause.group();
        let known = counts.entry((ready.flow.name.clone(), group.clone())).or_insert_with(|| Announced {
            flow: ready.flow.name.clone(),
            cause,
            records: 0,
            rule: mapped.rule,
        });
        known.records += u64::from(groups.insert(group));
    }
    !groups.is_empty()
}
