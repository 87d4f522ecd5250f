//! Extract: records are read page by page and staged durably, with the cursor that goes on from there.
//!
//! Invariants:
//! - A page and the cursor behind it are committed together, so reading resumes without a gap.
//! - What was staged without a field that a rule reads now is read again: it is not blank, it was not asked for.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use handover_connect::{Connector, Cursor, Read, Which};
use handover_model::{
    End, FieldName, Finding, ObjectName, ReadCost, Record, RecordId, Schema, SystemName, Value, Weight,
};
use handover_store::{Block, Commit, Extraction, MatchRow, Store};

use crate::Error;
use crate::changes::whole_seconds;
use crate::drift::Without;
use crate::observe::Event;
use crate::pairing::{Keys, Pairing};
use crate::pass::Pass;

/// What to read of an object, and under which keys its records are found.
pub(crate) struct Reading {
    pub(crate) system: SystemName,
    pub(crate) object: ObjectName,
    pub(crate) fields: Arc<[FieldName]>,
    extra: Vec<FieldName>,
    /// Records for which one call brings what lists do not: so many are gathered before it is made.
    at_once: usize,
    keys: Vec<Keys>,
}

impl Reading {
    /// Reads `fields` of an object; those that lists do not bring are read in calls of their own, some of
    /// them only for records for which the list cannot tell.
    pub(crate) fn new(schema: &Schema, system: SystemName, wanted: HashSet<FieldName>, keys: Vec<Keys>) -> Self {
        let mut listed = HashSet::new();
        let mut extra = Vec::new();
        let mut at_once = 0;
        for name in wanted {
            match schema.field(name.as_str()).map(|field| &field.read) {
                Some(ReadCost::Extra { only_above, per_call, .. }) => {
                    at_once = at_once.max(usize::try_from(*per_call).unwrap_or(0));
                    if only_above.is_some() {
                        listed.insert(name.clone());
                    }
                    extra.push(name);
                }
                Some(ReadCost::Listed) => drop(listed.insert(name)),
                None => {}
            }
        }
        let mut fields: Vec<FieldName> = listed.into_iter().collect();
        fields.sort();
        extra.sort();
        Self { system, object: schema.object.clone(), fields: fields.into(), extra, at_once, keys }
    }

    /// The fields that are read, each once, in one order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &FieldName> {
        self.extra.iter().chain(self.fields.iter().filter(|name| !self.extra.contains(name)))
    }

    /// The fields that are read, as a text to be kept under a name of the object's.
    pub(crate) fn told_fields(&self) -> (String, String) {
        let names: Vec<&str> = self.names().map(FieldName::as_str).collect();
        // An empty text would take away what is kept.
        (format!("fields of {}.{}", self.system, self.object), format!("id\n{}", names.join("\n")))
    }

    /// Whether the next page would go into the same calls as these.
    pub(crate) fn takes_another(&self, pages: &[Vec<Record>]) -> bool {
        let records: usize = pages.iter().map(Vec::len).sum();
        let largest = pages.iter().map(Vec::len).max().unwrap_or(0);
        records + largest <= self.at_once
    }

    /// Reads for the records of some pages what lists do not bring.
    pub(crate) async fn enrich(
        &self,
        system: &dyn Connector,
        pages: &mut [Vec<Record>],
    ) -> Result<(), handover_connect::Fault> {
        for field in &self.extra {
            // What a list could tell by itself stands in the record already.
            let ids: Vec<RecordId> = pages
                .iter()
                .flatten()
                .filter(|record| record.fields.get(field.as_str()).is_none())
                .map(|record| record.id.clone())
                .collect();
            if ids.is_empty() {
                continue;
            }
            let mut found: BTreeMap<RecordId, Value> = system
                .enrich(&self.object, field, &ids)
                .await?
                .into_iter()
                .filter_map(|mut record| record.fields.remove(field.as_str()).map(|value| (record.id, value)))
                .collect();
            for record in pages.iter_mut().flatten() {
                if let Some(value) = found.remove(&record.id) {
                    record.fields.set(field.clone(), value);
                }
            }
        }
        Ok(())
    }

    fn match_rows(&self, records: &[Record], block: i64) -> Vec<MatchRow> {
        let mut rows = Vec::new();
        for record in records {
            for keys in &self.keys {
                for key in keys.of(record) {
                    rows.push(MatchRow {
                        system: self.system.clone(),
                        object: self.object.clone(),
                        kind: keys.kind.clone(),
                        key,
                        record: record.id.clone(),
                        block,
                    });
                }
            }
        }
        rows
    }
}

/// Records of a block at most. Blocks are looked at whole, several at once, and a page may be many times as large.
const BLOCK: usize = 5_000;

/// A page as blocks, none of them empty.
pub(crate) fn in_blocks(mut page: Vec<Record>) -> impl Iterator<Item = Vec<Record>> {
    std::iter::from_fn(move || {
        let rest = page.split_off(page.len().min(BLOCK));
        let block = std::mem::replace(&mut page, rest);
        (!block.is_empty()).then_some(block)
    })
}

impl Pass {
    /// What is read of an object, for all flows whose source or target it is, in one go.
    pub(crate) fn reading_of(&self, end: &End) -> Reading {
        let mut fields: HashSet<FieldName> = HashSet::new();
        let mut keys = Vec::new();
        let mut schema = None;
        for ready in &self.setup.flows {
            let pairing = Pairing::of(&ready.flow, &ready.target);
            if ready.flow.source == *end {
                fields.extend(ready.program.source_fields());
                fields.extend(pairing.source_fields());
                fields.extend(titles(&ready.source));
                // What is written back is looked at first.
                let written = ready.back.iter().flat_map(|back| &back.ready.flow.rules);
                fields.extend(written.map(|rule| rule.target.clone()));
                keys.extend(pairing.source.iter().cloned());
                schema = Some(&ready.source);
            }
            if ready.flow.target == *end {
                fields.extend(pairing.target_fields());
                fields.extend(ready.shared.iter().map(|field| field.name.clone()));
                if ready.back.is_some() {
                    fields.extend(titles(&ready.target));
                }
                keys.extend(pairing.target.iter().cloned());
                schema = Some(&ready.target);
            }
        }
        fields.extend(self.merge_marks(end).ok().flatten());
        for ready in &self.setup.flows {
            let Without { unread, gone, .. } = &ready.without;
            let missing = [(&ready.flow.source, unread), (&ready.flow.target, gone)];
            for (_, names) in missing.iter().filter(|(of, _)| *of == end) {
                fields.retain(|name| !names.contains(name));
            }
        }
        let object = end.object.clone();
        let empty = handover_model::Schema {
            object,
            label: String::new(),
            fields: Vec::new(),
            name: None,
            content: false,
            own: BTreeMap::new(),
        };
        Reading::new(schema.unwrap_or(&empty), end.system.clone(), fields, keys)
    }

    /// Reads an object to its end, from where an earlier process stopped.
    pub(crate) async fn extract(&self, reading: &Reading, counted: bool) -> Result<Extraction, Error> {
        let system = self.setup.project.system(&reading.system)?.clone();
        let fault = |fault| Error::system(&reading.system, fault);
        let begun = self.place.store.extraction(&reading.system, &reading.object).await?;
        let mut state = match begun {
            Some(mut state) if state.complete => {
                if self.lacks_fields(reading).await? {
                    self.read_whole_again(reading).await?;
                    let again = self.place.store.extraction(&reading.system, &reading.object).await?;
                    return Ok(again.unwrap_or(state));
                }
                // The earlier process may have ended between the last page and the proof.
                if counted {
                    self.compare_count(&mut state, system.as_ref()).await?;
                }
                return Ok(state);
            }
            Some(state) => state,
            None => self.begin_reading(reading, system.count(&reading.object).await.map_err(fault)?),
        };
        let mut seen = self.place.store.staged_marks(&state.system, &state.object).await?;
        let read =
            Read { object: reading.object.clone(), fields: reading.fields.clone(), which: Which::Live, since: None };
        // Nothing to read costs no further call.
        state.complete = state.told == Some(0);
        let mut ahead = None;
        let mut gathered: Vec<Vec<Record>> = Vec::new();
        while !state.complete {
            self.go_on()?;
            let page = match ahead.take() {
                Some(page) => page,
                None => system.page(&read, state.cursor.clone().map(Cursor).as_ref()).await.map_err(fault)?,
            };
            // A record that moved while the list was read comes twice: the first copy is kept, and the
            // next delta sees the change.
            let records: Vec<Record> = page
                .records
                .into_iter()
                .filter(|record| !record.gone && seen.insert(Store::mark_of(&record.id)))
                .collect();
            gathered.push(records);
            state.cursor = page.next.map(|cursor| cursor.0);
            state.complete = state.cursor.is_none();
            // Calls for what lists do not bring are filled over several pages.
            if !state.complete && reading.takes_another(&gathered) {
                continue;
            }
            reading.enrich(system.as_ref(), &mut gathered).await.map_err(fault)?;
            let mut commit = self.staging(reading, &mut state, gathered.drain(..));
            commit.kept.extend(state.complete.then(|| reading.told_fields()));
            // The next page is on its way while this one is made durable; if it fails, this one stays.
            let next = async {
                match &state.cursor {
                    Some(cursor) => system.page(&read, Some(&Cursor(cursor.clone()))).await.map(Some),
                    None => Ok(None),
                }
            };
            let (staged, next) = futures::future::join(self.stage(commit), next).await;
            staged?;
            self.tell_reading(&state);
            ahead = next.map_err(fault)?;
        }
        if counted {
            self.compare_count(&mut state, system.as_ref()).await?;
        } else if state.told.is_some_and(|told| told != state.records) {
            // What we write ourselves meanwhile is no reason to doubt the reading, when it counts later.
            state.told = None;
            self.keep_extraction(&state).await?;
        }
        if state.blocks == 0 {
            let kept = vec![reading.told_fields()];
            let commit = Commit { extractions: vec![state.clone()], kept, ..self.commit() };
            self.place.store.commit(commit).await?;
        }
        Ok(state)
    }

    /// Whether fields are read now with which the object was not read whole.
    async fn lacks_fields(&self, reading: &Reading) -> Result<bool, Error> {
        let (name, wanted) = reading.told_fields();
        let Some(text) = self.place.store.kept(&name).await? else { return Ok(false) };
        let known: HashSet<&str> = text.split('\n').collect();
        let (read, lacking): (Vec<&str>, Vec<&str>) = wanted.split('\n').partition(|name| known.contains(name));
        if let [first, ..] = lacking.as_slice() {
            let (system, object, more) = (&reading.system, &reading.object, lacking.len() - 1);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            let message = format!("`{system}.{object}` is read whole again: the rules read `{first}`{more} now");
            self.notice(Finding::new(Weight::Warning, "read_whole_again", message));
        }
        // A field that no rule reads any more is missing from what is staged from now on.
        if lacking.is_empty() && read.len() < known.len() {
            let kept = vec![(name, read.join("\n"))];
            self.place.store.commit(Commit { kept, ..self.commit() }).await?;
        }
        Ok(!lacking.is_empty())
    }

    /// Makes a page durable, on another processor than the one that reads the next.
    async fn stage(&self, commit: Commit) -> Result<(), Error> {
        let store = self.place.store.clone();
        match tokio::spawn(async move { store.commit(commit).await }).await {
            Ok(staged) => staged.map(drop).map_err(Error::from),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(Error::Stopped),
        }
    }

    /// Pages as blocks, with the state that goes on behind them.
    pub(crate) fn staging(
        &self,
        reading: &Reading,
        state: &mut Extraction,
        pages: impl Iterator<Item = Vec<Record>>,
    ) -> Commit {
        let mut commit = self.commit();
        for records in pages.flat_map(in_blocks) {
            let number = state.blocks;
            state.blocks += 1;
            state.records += i64::try_from(records.len()).unwrap_or(i64::MAX);
            commit.keys.extend(reading.match_rows(&records, number));
            let (system, object) = (reading.system.clone(), reading.object.clone());
            commit.blocks.push(Block { system, object, number, records });
        }
        commit.extractions.push(state.clone());
        commit.spent = self.newly_spent();
        commit
    }

    /// Nothing read yet, of so many records as the system tells.
    fn begin_reading(&self, reading: &Reading, told: Option<u64>) -> Extraction {
        Extraction {
            system: reading.system.clone(),
            object: reading.object.clone(),
            pass: self.id,
            cursor: None,
            blocks: 0,
            records: 0,
            complete: false,
            told: told.and_then(|told| i64::try_from(told).ok()),
            began: self.time_of(&reading.system),
            ahead: whole_seconds(self.ahead(&reading.system)),
        }
    }

    async fn keep_extraction(&self, state: &Extraction) -> Result<(), Error> {
        let commit = Commit { extractions: vec![state.clone()], ..self.commit() };
        self.place.store.commit(commit).await?;
        Ok(())
    }

    /// The source's own total is the proof that nothing was left out. Counted again after reading, since
    /// the company goes on working meanwhile.
    async fn compare_count(&self, state: &mut Extraction, system: &dyn Connector) -> Result<(), Error> {
        if state.told.is_none_or(|told| told == state.records) || self.setup.project.policies.accept_counts {
            return Ok(());
        }
        let told = system.count(&state.object).await.map_err(|fault| Error::system(&state.system, fault))?;
        state.told = told.and_then(|told| i64::try_from(told).ok());
        if state.told.is_none_or(|told| told == state.records) {
            return self.keep_extraction(state).await;
        }
        Err(Error::CountMismatch {
            system: state.system.clone(),
            object: state.object.clone(),
            read: u64::try_from(state.records).unwrap_or(0),
            told: u64::try_from(state.told.unwrap_or(0)).unwrap_or(0),
        })
    }

    fn tell_reading(&self, state: &Extraction) {
        self.place.observer.on(Event::Reading {
            system: state.system.clone(),
            object: state.object.clone(),
            records: u64::try_from(state.records).unwrap_or(0),
            told: state.told.and_then(|told| u64::try_from(told).ok()),
            complete: state.complete,
        });
    }
}

/// Fields by which people know a record, where the object has them.
fn titles(schema: &handover_model::Schema) -> impl Iterator<Item = FieldName> + '_ {
    ["name", "title", "subject", "dealname", "firstname", "lastname", "file_name"]
        .into_iter()
        .filter(|name| schema.field(name).is_some())
        .map(FieldName::from)
}
