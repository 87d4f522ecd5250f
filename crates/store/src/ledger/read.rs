//! Reading the ledger: the story of a record, and all of it for export.

use std::collections::{BTreeMap, BTreeSet};

use handover_model::{FlowName, ObjectName, RecordId, SystemName};
use jiff::Timestamp;
use serde_json::Value as Json;

use super::{hash_of_record, hex, read_open, read_sealed};
use crate::codec;
use crate::database::{Row, unreadable};
use crate::store::instant;
use crate::told::names;
use crate::{Error, Seq, Store};

/// What one ledger row tells of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The row.
    pub seq: Seq,
    /// When.
    pub at: Timestamp,
    /// The pass; 0 outside passes.
    pub pass: i64,
    /// What it tells: `decided`, `sent`, ...
    pub kind: String,
    /// The flow, if it belongs to one.
    pub flow: Option<FlowName>,
    /// Facts of the whole row, without personal data.
    pub note: Json,
    /// The source record.
    pub record: RecordId,
    /// Values and decisions; `None` when they were erased.
    pub values: Option<Json>,
}

/// A ledger row, for export.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryRow {
    /// Its number.
    pub seq: Seq,
    /// The writer whose chain it belongs to.
    pub writer: i64,
    /// When.
    pub at: Timestamp,
    /// The pass; 0 outside passes.
    pub pass: i64,
    /// What it tells.
    pub kind: String,
    /// The flow, if it belongs to one.
    pub flow: Option<FlowName>,
    /// Facts without personal data.
    pub note: Json,
    /// Its hash, hex.
    pub hash: String,
    /// The records that it tells of, with the values that are not erased.
    pub items: Vec<(RecordId, Option<Json>)>,
}

const COLUMNS: &str = "e.seq, e.writer, e.at, e.pass, e.kind, e.flow, e.note, e.hash, v.body, e.items";
const FROM: &str = " FROM entry e LEFT JOIN entry_values v ON v.seq = e.seq";

/// For each item of a row the hash of its record, and the row before that tells of the same record.
type Before = Vec<([u8; 16], Seq)>;

fn read_entry(row: &Row<'_>) -> Result<(EntryRow, Before), sqlx::Error> {
    let mut items = Vec::new();
    if let Some(body) = row.opt_blob(8)? {
        let bytes = codec::decompress(body).map_err(unreadable)?;
        let open = read_open(&bytes).map_err(unreadable)?;
        let names = names(open.names).map_err(unreadable)?;
        for item in open.items {
            let values = item.values.map(|(_, values)| values.json(&names)).transpose();
            items.push((item.record.into(), values.map_err(unreadable)?));
        }
    }
    let sealed = read_sealed(row.blob(9)?).map_err(unreadable)?;
    let previous = sealed.into_iter().map(|item| (item.record, item.previous)).collect();
    let entry = EntryRow {
        seq: row.int(0)?,
        writer: row.int(1)?,
        at: instant(row.int(2)?),
        pass: row.int(3)?,
        kind: row.text(4)?.to_owned(),
        flow: row.opt_text(5)?.map(FlowName::from),
        note: serde_json::from_str(row.text(6)?).map_err(unreadable)?,
        hash: hex(row.blob(7)?),
        items,
    };
    Ok((entry, previous))
}

impl Store {
    /// Everything that the ledger tells of a source record in a flow, what went back of its counterpart too, the
    /// oldest first.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`] when a row cannot be decoded, else the database's.
    pub async fn story(&self, flow: &FlowName, record: &RecordId) -> Result<Vec<Told>, Error> {
        let mut told = self.chapter(flow, record).await?;
        for (back, target) in self.way_back_of(flow, record).await? {
            told.extend(self.chapter(&back, &target).await?);
        }
        told.sort_by_key(|one| one.seq);
        Ok(told)
    }

    /// Under which names the ledger tells what went back of a source record's counterpart.
    async fn way_back_of(&self, flow: &FlowName, record: &RecordId) -> Result<Vec<(FlowName, RecordId)>, Error> {
        let Some(flow) = self.id_of(flow.as_str()).await? else { return Ok(Vec::new()) };
        let mut sql = self.sql(
            "SELECT n.text, r.target FROM record r JOIN flow f ON f.flow = r.flow JOIN name n ON n.id = f.back \
             WHERE r.target IS NOT NULL AND r.flow = ",
        );
        sql.int(flow).push(" AND r.record = ").text(record.as_str());
        self.fetch(sql, |row| Ok((row.text(0)?.into(), row.text(1)?.into()))).await
    }

    async fn chapter(&self, flow: &FlowName, record: &RecordId) -> Result<Vec<Told>, Error> {
        let mut told = Vec::new();
        let hash = hash_of_record(record.as_str());
        let mut next = self.story_head(flow.as_str(), record).await?;
        while let Some(seq) = next {
            let mut sql = self.sql(&format!("SELECT {COLUMNS}{FROM} WHERE e.seq = "));
            sql.int(seq);
            let Some((entry, previous)) = self.fetch(sql, read_entry).await?.pop() else { break };
            // Several items of one row may tell of the same record: the first of them names the row before.
            let before = previous.iter().filter(|(known, _)| *known == hash).map(|(_, seq)| *seq).max().unwrap_or(0);
            // Only what lies before: a damaged list must not go round in circles.
            next = (0 < before && before < seq).then_some(before);
            told.extend(tellings(entry, record).into_iter().rev());
        }
        told.reverse();
        Ok(told)
    }

    /// Everything that the ledger tells of a record of a system, in all flows and whether it is the
    /// source or the target there, the oldest first. Flows are known from `bind_flows`.
    ///
    /// # Errors
    ///
    /// As [`Store::story`].
    pub async fn stories(
        &self,
        system: &SystemName,
        object: &ObjectName,
        record: &RecordId,
    ) -> Result<Vec<Told>, Error> {
        let mut told = BTreeMap::new();
        for (flow, source) in self.sources_everywhere(system, object, record).await? {
            for (at, part) in self.story(&flow, &source).await?.into_iter().enumerate() {
                told.insert((part.seq, flow.clone(), source.clone(), at), part);
            }
        }
        Ok(told.into_values().collect())
    }

    /// At most `limit` ledger rows after the row `after` (0 for the first), with their values.
    ///
    /// # Errors
    ///
    /// As [`Store::story`].
    pub async fn entries(&self, after: Seq, limit: usize) -> Result<Vec<EntryRow>, Error> {
        let mut sql = self.sql(&format!("SELECT {COLUMNS}{FROM} WHERE e.seq > "));
        sql.int(after).push(" ORDER BY e.seq").limit(limit);
        self.fetch(sql, |row| read_entry(row).map(|(entry, _)| entry)).await
    }

    /// The row by which a pass began, which names the rules in force; `None` when the ledger has none.
    ///
    /// # Errors
    ///
    /// As [`Store::story`].
    pub async fn pass_begun(&self, pass: i64) -> Result<Option<EntryRow>, Error> {
        let mut sql = self.sql(&format!("SELECT {COLUMNS}{FROM} WHERE e.pass = "));
        sql.int(pass).push(" AND e.kind = ").text("pass_begun").push(" ORDER BY e.seq LIMIT 1");
        let found = self.fetch(sql, |row| read_entry(row).map(|(entry, _)| entry)).await?;
        Ok(found.into_iter().next())
    }

    async fn story_head(&self, flow: &str, record: &RecordId) -> Result<Option<Seq>, Error> {
        let Some(flow) = self.id_of(flow).await? else { return Ok(None) };
        let mut head = None;
        for table in ["record", "story"] {
            let mut sql = self.sql(&format!("SELECT last_entry FROM {table} WHERE flow = "));
            sql.int(flow).push(" AND record = ").text(record.as_str());
            head = head.max(self.fetch(sql, |row| row.opt_int(0)).await?.pop().flatten());
        }
        // While its write is open only the intent knows where the story ends.
        let hash = hash_of_record(record.as_str());
        let mut sql =
            self.sql("SELECT e.seq, e.items FROM intent i CROSS JOIN entry e WHERE e.seq = i.entry AND i.flow = ");
        sql.int(flow);
        let read = |row: &Row<'_>| {
            let items = read_sealed(row.blob(1)?).map_err(unreadable)?;
            Ok(items.iter().any(|item| item.record == hash).then_some(row.int(0)?))
        };
        Ok(head.max(self.fetch(sql, read).await?.into_iter().flatten().max()))
    }

    /// The source records, each with its flow, that stand for a record of a system.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn sources_everywhere(
        &self,
        system: &SystemName,
        object: &ObjectName,
        record: &RecordId,
    ) -> Result<BTreeSet<(FlowName, RecordId)>, Error> {
        let mut found = BTreeSet::new();
        let (Some(system), Some(object)) = (self.id_of(system.as_str()).await?, self.id_of(object.as_str()).await?)
        else {
            return Ok(found);
        };
        let mut sql = self.sql("SELECT n.text FROM flow f JOIN name n ON n.id = f.flow WHERE f.source_system = ");
        sql.int(system).push(" AND f.source_object = ").int(object);
        for flow in self.fetch(sql, |row| Ok(FlowName::from(row.text(0)?))).await? {
            found.insert((flow, record.clone()));
        }
        // Ways back have stories only of what went back.
        let mut sql = self.sql("SELECT n.text FROM flow f JOIN name n ON n.id = f.back WHERE f.target_system = ");
        sql.int(system).push(" AND f.target_object = ").int(object);
        let mut backs = self.fetch(sql, |row| Ok((FlowName::from(row.text(0)?), record.clone()))).await?;
        let mut sql = self.sql(
            "SELECT n.text, r.target FROM flow f CROSS JOIN record r CROSS JOIN name n WHERE n.id = f.back \
             AND r.flow = f.flow AND r.target IS NOT NULL AND f.source_system = ",
        );
        sql.int(system).push(" AND f.source_object = ").int(object).push(" AND r.record = ").text(record.as_str());
        backs.extend(self.fetch(sql, |row| Ok((row.text(0)?.into(), row.text(1)?.into()))).await?);
        for (back, target) in backs {
            if self.story_head(back.as_str(), &target).await?.is_some() {
                found.insert((back, target));
            }
        }
        let mut sql = self.sql(
            "SELECT n.text, r.record FROM flow f CROSS JOIN record r CROSS JOIN name n WHERE n.id = f.flow \
             AND r.flow = f.flow AND r.target IS NOT NULL AND f.target_system = ",
        );
        sql.int(system).push(" AND f.target_object = ").int(object).push(" AND r.target = ").text(record.as_str());
        found.extend(self.fetch(sql, |row| Ok((row.text(0)?.into(), row.text(1)?.into()))).await?);
        Ok(found)
    }
}

fn tellings(entry: EntryRow, record: &RecordId) -> Vec<Told> {
    let EntryRow { seq, at, pass, kind, flow, note, items, .. } = entry;
    let mine = items.into_iter().filter(|(known, _)| known == record);
    mine.map(|(record, values)| Told {
        seq,
        at,
        pass,
        kind: kind.clone(),
        flow: flow.clone(),
        note: note.clone(),
        record,
        values,
    })
    .collect()
}
