//! Both systems are listed at the same time into the store beside: whichever has the tighter limits decides how
//! long it takes, not both together.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures::future::try_join;
use handover_connect::{Cursor, Read, Which};
use handover_model::{End, FieldName, ObjectName, Record, RecordId, SystemName};
use handover_store::{Block, Commit, MatchRow, Store};

use super::Difference;
use crate::Error;
use crate::extract::{Reading, in_blocks};
use crate::observe::Event;
use crate::pass::Pass;
use crate::setup::{Ready, Setup, Workplace};

/// What listing needs.
pub(super) struct Listing<'v> {
    pub(super) pass: &'v Pass,
    pub(super) setup: &'v Setup,
    pub(super) place: &'v Workplace,
    pub(super) beside: &'v Store,
}

/// The name under which a source's listing stands beside: a system may be source and target.
pub(super) fn as_source(system: &SystemName) -> SystemName {
    SystemName::from(format!("source {system}"))
}

/// A list that is being kept beside.
struct Kept<'r> {
    reading: &'r Reading,
    /// Under which name.
    name: SystemName,
    /// Flows that write the object: its records are looked at for keys of ours.
    sharing: Vec<Arc<Ready>>,
    /// Whether its records are found by their ids later, and may come twice until then.
    is_target: bool,
}

impl Listing<'_> {
    /// Lists every object of both sides. Gives what is wrong with keys of ours in the target, and for each
    /// source object, in the order of [`Setup::sources`], its number of blocks.
    pub(super) async fn list_all(&self) -> Result<(Vec<Difference>, Vec<i64>), Error> {
        let targets = async {
            let mut seen = HashSet::new();
            let mut differences = Vec::new();
            for ready in &self.setup.flows {
                if seen.insert((&ready.flow.target.system, &ready.flow.target.object)) {
                    for difference in self.list_target(ready).await? {
                        if !differences.contains(&difference) {
                            differences.push(difference);
                        }
                    }
                }
            }
            Ok::<_, Error>(differences)
        };
        let sources = async {
            let mut blocks = Vec::new();
            for (system, object) in self.setup.sources() {
                blocks.push(self.list_source(&system, &object).await?);
            }
            Ok(blocks)
        };
        // Reading does no harm where it is broken off.
        try_join(targets, sources).await
    }

    async fn list_source(&self, system: &SystemName, object: &ObjectName) -> Result<i64, Error> {
        let reading = self.pass.reading_of(&End { system: system.clone(), object: object.clone() });
        let kept = Kept { reading: &reading, name: as_source(system), sharing: Vec::new(), is_target: false };
        Ok(self.list(&kept).await?.0)
    }

    /// Lists a target object, looking for records that claim to be ours and are not.
    async fn list_target(&self, ready: &Arc<Ready>) -> Result<Vec<Difference>, Error> {
        let end = &ready.flow.target;
        let mut fields: HashSet<FieldName> = HashSet::new();
        let sharing: Vec<Arc<Ready>> =
            self.setup.flows.iter().filter(|other| other.flow.target == *end).cloned().collect();
        for other in &sharing {
            fields.extend(other.flow.rules.iter().map(|rule| rule.target.clone()));
            fields.extend(other.flow.key.clone());
        }
        let reading = Reading::new(&ready.target, end.system.clone(), fields, Vec::new());
        let kept = Kept { reading: &reading, name: end.system.clone(), sharing, is_target: true };
        Ok(self.list(&kept).await?.1)
    }

    async fn list(&self, kept: &Kept<'_>) -> Result<(i64, Vec<Difference>), Error> {
        let Kept { reading, sharing, .. } = kept;
        let fault = |fault| Error::system(&reading.system, fault);
        let system = self.setup.project.system(&reading.system)?.clone();
        let (object, fields) = (reading.object.clone(), reading.fields.clone());
        let read = Read { object, fields, which: Which::Live, since: None };
        let mut cursor: Option<Cursor> = None;
        let mut seen: HashSet<RecordId> = HashSet::new();
        let (mut blocks, mut records, mut differences) = (0, 0, Vec::new());
        let mut gathered: Vec<Vec<Record>> = Vec::new();
        loop {
            let page = system.page(&read, cursor.as_ref()).await.map_err(fault)?;
            let once = |record: &Record| kept.is_target || seen.insert(record.id.clone());
            gathered.push(page.records.into_iter().filter(|record| !record.gone).filter(once).collect());
            cursor = page.next;
            // Calls for what lists do not bring are filled over several pages.
            if cursor.is_some() && reading.takes_another(&gathered) {
                continue;
            }
            reading.enrich(system.as_ref(), &mut gathered).await.map_err(fault)?;
            for page in gathered.drain(..).flat_map(in_blocks) {
                for other in sharing {
                    differences.extend(self.unknown_records(other, &page).await?);
                }
                records += page.len() as u64;
                self.keep(kept, blocks, page).await?;
                blocks += 1;
            }
            self.place.observer.on(Event::Reading {
                system: reading.system.clone(),
                object: reading.object.clone(),
                records,
                told: None,
                complete: cursor.is_none(),
            });
            if cursor.is_none() {
                return Ok((blocks, differences));
            }
        }
    }

    async fn keep(&self, kept: &Kept<'_>, number: i64, records: Vec<Record>) -> Result<(), Error> {
        let (system, object) = (kept.name.clone(), kept.reading.object.clone());
        let key = |record: &Record| MatchRow {
            system: system.clone(),
            object: object.clone(),
            kind: "id".to_owned(),
            key: record.id.to_string(),
            record: record.id.clone(),
            block: number,
        };
        let keys = if kept.is_target { records.iter().map(key).collect() } else { Vec::new() };
        let block = Block { system, object, number, records };
        let commit = Commit { at: self.place.clock.now(), blocks: vec![block], keys, ..Commit::default() };
        self.beside.commit(commit).await?;
        Ok(())
    }

    /// Target records that carry a source key of ours which the crosswalk gives to another record or to none.
    async fn unknown_records(&self, ready: &Ready, records: &[Record]) -> Result<Vec<Difference>, Error> {
        let Some(key) = &ready.flow.key else { return Ok(Vec::new()) };
        let mut differences = Vec::new();
        let source = &ready.flow.source;
        let prefix = format!("{}:{}:", source.system, source.object);
        let ours: Vec<(RecordId, &Record)> = records
            .iter()
            .filter_map(|record| {
                let text = record.fields.get(key.as_str())?.as_text()?;
                Some((RecordId::from(text.strip_prefix(&prefix)?), record))
            })
            .collect();
        let ids: Vec<RecordId> = ours.iter().map(|(source, _)| source.clone()).collect();
        let mut known: HashMap<RecordId, Vec<RecordId>> = HashMap::new();
        for other in self
            .setup
            .flows
            .iter()
            .filter(|other| other.flow.source == *source && other.flow.target == ready.flow.target)
        {
            for (source, target) in self.place.store.targets_of_flow(&other.flow.name, &ids).await? {
                known.entry(source).or_default().push(target);
            }
        }
        for (source, record) in ours {
            let targets = known.get(&source);
            if targets.is_some_and(|targets| targets.contains(&record.id)) {
                continue;
            }
            let kind = if targets.is_some() { "duplicate" } else { "unknown_record" };
            differences.push(Difference {
                kind: kind.to_owned(),
                flow: ready.flow.name.clone(),
                source: Some(source),
                target: Some(record.id.clone()),
                field: None,
                expected: targets
                    .and_then(|targets| targets.first())
                    .map_or_else(|| "no record".to_owned(), ToString::to_string),
                actual: record.id.to_string(),
            });
        }
        Ok(differences)
    }
}
