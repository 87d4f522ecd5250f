//! What became of each record in each flow.

use std::collections::HashMap;
use std::sync::PoisonError;

use handover_model::{Counts, FlowName, Outcome, RecordId};

use crate::database::{LIST, Row, unreadable};
use crate::store::{Step, instant, nanos};
use crate::{Error, RecordRow, Seq, Store, Worked};

/// Outcomes from the worst to the best: a record that is in several flows counts with its worst. The
/// number that is stored is the place in this list.
const WORST_FIRST: [Outcome; 8] = [
    Outcome::Pending,
    Outcome::Held,
    Outcome::Created,
    Outcome::Updated,
    Outcome::Merged,
    Outcome::Unchanged,
    Outcome::Skipped,
    Outcome::Excluded,
];

const COLUMNS: &str = "record, outcome, identity, target, digest, base, mapped, block, written, last_entry";

pub(crate) fn number(outcome: Outcome) -> i64 {
    WORST_FIRST.iter().position(|known| *known == outcome).map_or(0, |at| at as i64)
}

/// The numbers of the outcomes for which nobody waits any more.
pub(crate) fn settled_numbers() -> Vec<i64> {
    let settled = WORST_FIRST.iter().filter(|outcome| !matches!(outcome, Outcome::Held | Outcome::Pending));
    settled.map(|outcome| number(*outcome)).collect()
}

fn outcome(number: i64) -> Result<Outcome, sqlx::Error> {
    let known = usize::try_from(number).ok().and_then(|at| WORST_FIRST.get(at));
    known.copied().ok_or_else(|| unreadable(format!("no outcome has the number {number}")))
}

fn read_row(flow: &FlowName, row: &Row<'_>) -> Result<RecordRow, sqlx::Error> {
    let digest = row.opt_blob(4)?.map(<[u8; 16]>::try_from).transpose().map_err(unreadable)?;
    Ok(RecordRow {
        flow: flow.clone(),
        record: row.text(0)?.into(),
        outcome: outcome(row.int(1)?)?,
        identity: row.opt_int(2)?,
        target: row.opt_text(3)?.map(RecordId::from),
        digest,
        base: row.opt_blob(5)?.map(<[u8]>::to_vec),
        mapped: row.opt_blob(6)?.map(<[u8]>::to_vec),
        block: row.int(7)?,
        written: row.opt_int(8)?.map(instant),
        last_entry: row.opt_int(9)?,
    })
}

/// What was counted of millions of rows, until one of them changes: passes that change nothing count nothing.
#[derive(Default)]
pub(crate) struct Counted {
    /// Steps that may have changed what was counted.
    changes: u64,
    known: HashMap<Vec<FlowName>, Counts>,
}

impl Store {
    /// The rows of these records; records without a row are absent.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn rows(&self, flow: &FlowName, records: &[RecordId]) -> Result<HashMap<RecordId, RecordRow>, Error> {
        let mut found = HashMap::with_capacity(records.len());
        let Some(id) = self.id_of(flow.as_str()).await? else { return Ok(found) };
        for records in records.chunks(LIST) {
            let mut sql = self.sql(&format!("SELECT {COLUMNS} FROM record WHERE flow = "));
            sql.int(id).push(" AND record IN ").texts(records.iter().map(RecordId::as_str));
            for row in self.fetch(sql, |row| read_row(flow, row)).await? {
                found.insert(row.record.clone(), row);
            }
        }
        Ok(found)
    }

    /// The rows of a flow that have one of these targets, in order of their records.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn rows_with_targets(&self, flow: &FlowName, targets: &[RecordId]) -> Result<Vec<RecordRow>, Error> {
        let mut found = Vec::new();
        let Some(id) = self.id_of(flow.as_str()).await? else { return Ok(found) };
        for targets in targets.chunks(LIST) {
            let mut sql = self.sql(&format!("SELECT {COLUMNS} FROM record WHERE target IS NOT NULL AND flow = "));
            sql.int(id).push(" AND target IN ").texts(targets.iter().map(RecordId::as_str)).push(" ORDER BY record");
            found.extend(self.fetch(sql, |row| read_row(flow, row)).await?);
        }
        Ok(found)
    }

    /// At most `limit` rows of a flow in order of their records, after the record `after`; with an
    /// outcome those that have it.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn rows_page(
        &self,
        flow: &FlowName,
        outcome: Option<Outcome>,
        after: Option<&RecordId>,
        limit: usize,
    ) -> Result<Vec<RecordRow>, Error> {
        let Some(id) = self.id_of(flow.as_str()).await? else { return Ok(Vec::new()) };
        let mut sql = self.sql(&format!("SELECT {COLUMNS} FROM record WHERE flow = "));
        sql.int(id);
        if let Some(outcome) = outcome {
            sql.push(" AND outcome = ").int(number(outcome));
        }
        if let Some(after) = after {
            sql.push(" AND record > ").text(after.as_str());
        }
        sql.push(" ORDER BY record").limit(limit);
        self.fetch(sql, |row| read_row(flow, row)).await
    }

    /// How many of its first blocks a flow has worked through under these project files; 0 when it did not
    /// begin, or other files decided then.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn worked(&self, flow: &FlowName, snapshot: &str) -> Result<i64, Error> {
        let Some(id) = self.id_of(flow.as_str()).await? else { return Ok(0) };
        let mut sql = self.sql("SELECT blocks FROM worked WHERE flow = ");
        sql.int(id).push(" AND snapshot = ").text(snapshot);
        Ok(self.fetch(sql, |row| row.int(0)).await?.pop().unwrap_or(0))
    }

    /// How many records of a flow have which outcome.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn counts(&self, flow: &FlowName) -> Result<Counts, Error> {
        self.object_counts(std::slice::from_ref(flow)).await
    }

    async fn count_flow(&self, flow: &FlowName) -> Result<Counts, Error> {
        let Some(id) = self.id_of(flow.as_str()).await? else { return Ok(Counts::default()) };
        let mut sql =
            self.sql(&format!("SELECT each_once.worst, COUNT(*) FROM (SELECT {} AS worst", self.shown().await?));
        sql.push(" FROM record r WHERE r.flow = ").int(id).push(") AS each_once GROUP BY worst");
        self.count(sql).await
    }

    /// How many source records have which outcome over several flows of the same source object. A record
    /// that is in several of them counts once, with its worst: pending, held, created, updated, merged,
    /// unchanged, skipped, excluded.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn object_counts(&self, flows: &[FlowName]) -> Result<Counts, Error> {
        let (known, changes) = self.counted(|counted| (counted.known.get(flows).copied(), counted.changes));
        if let Some(counts) = known {
            return Ok(counts);
        }
        let counts = match flows {
            [flow] => self.count_flow(flow).await?,
            flows => self.count_flows(flows).await?,
        };
        // Of what others write a reader learns nothing.
        if self.inner.writer.is_some() {
            self.counted(|counted| {
                if counted.changes == changes {
                    counted.known.insert(flows.to_vec(), counts);
                }
            });
        }
        Ok(counts)
    }

    /// From here on rows may have other outcomes than were counted.
    pub(crate) fn forget_counts(&self) {
        self.counted(|counted| *counted = Counted { changes: counted.changes + 1, ..Counted::default() });
    }

    fn counted<T>(&self, with: impl FnOnce(&mut Counted) -> T) -> T {
        with(&mut self.inner.counted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn count_flows(&self, flows: &[FlowName]) -> Result<Counts, Error> {
        let mut ids = Vec::with_capacity(flows.len());
        for flow in flows {
            ids.extend(self.id_of(flow.as_str()).await?);
        }
        let shown = self.shown().await?;
        let head = format!("SELECT worst, COUNT(*) FROM (SELECT MIN({shown}) AS worst FROM record r WHERE r.flow IN ");
        let mut sql = self.sql(&head);
        sql.ints(&ids).push(" GROUP BY r.record) AS each_once GROUP BY worst");
        self.count(sql).await
    }

    /// What counts as the outcome of a row: a pair that waits for its cohort is left out for the time being.
    async fn shown(&self) -> Result<String, Error> {
        let any = self.sql("SELECT flow FROM cohort WHERE waits = 1 LIMIT 1");
        if self.fetch(any, |row| row.int(0)).await?.is_empty() {
            return Ok("r.outcome".to_owned());
        }
        let excluded = number(Outcome::Excluded);
        Ok(format!(
            "CASE WHEN r.target IS NOT NULL AND EXISTS (SELECT 1 FROM cohort c WHERE c.flow = r.flow \
             AND c.record = r.record AND c.waits = 1) THEN {excluded} ELSE r.outcome END"
        ))
    }

    async fn count(&self, sql: crate::database::Sql) -> Result<Counts, Error> {
        let mut counts = Counts::default();
        for (outcome, number) in self.fetch(sql, |row| Ok((outcome(row.int(0)?)?, row.int(1)?))).await? {
            let number = number.unsigned_abs();
            counts.add(outcome, number);
            counts.read += number;
        }
        Ok(counts)
    }
}

impl Step<'_> {
    /// Writes rows; `heads` are the last ledger rows of records that this step tells of.
    pub(crate) async fn write_rows(
        &mut self,
        rows: &[RecordRow],
        heads: &foldhash::HashMap<(i64, &str), Seq>,
    ) -> Result<(), Error> {
        let mut placed = Vec::with_capacity(rows.len());
        for row in rows {
            placed.push((self.id(row.flow.as_str())?, row));
        }
        let placed = crate::apply::last_of_each(&placed, |(flow, row)| (*flow, row.record.as_str()));
        let head = format!("INSERT INTO record (flow, {COLUMNS}) VALUES ");
        let tail = " ON CONFLICT (flow, record) DO UPDATE SET outcome = excluded.outcome, \
                    identity = excluded.identity, target = excluded.target, digest = excluded.digest, \
                    base = excluded.base, mapped = excluded.mapped, block = excluded.block, \
                    written = COALESCE(excluded.written, record.written), \
                    last_entry = COALESCE(excluded.last_entry, record.last_entry)";
        self.tx
            .insert(&head, &placed, tail, |sql, (flow, row)| {
                sql.int(*flow).text(row.record.as_str()).int(number(row.outcome)).int(row.identity);
                sql.text(row.target.as_ref().map(RecordId::as_str)).blob(row.digest.as_ref().map(|d| &d[..]));
                sql.blob(row.base.as_deref()).blob(row.mapped.as_deref()).int(row.block).int(row.written.map(nanos));
                sql.int(heads.get(&(*flow, row.record.as_str())).copied());
            })
            .await
    }

    pub(crate) async fn write_worked(&mut self, worked: &[Worked]) -> Result<(), Error> {
        for row in worked {
            let flow = self.id(row.flow.as_str())?;
            let mut sql = self.tx.sql("INSERT INTO worked (flow, snapshot, blocks) VALUES (");
            sql.int(flow).push(",").text(row.snapshot.as_str()).push(",").int(row.blocks);
            sql.push(") ON CONFLICT (flow) DO UPDATE SET snapshot = excluded.snapshot, blocks = excluded.blocks");
            self.tx.run(sql).await?;
        }
        Ok(())
    }
}
