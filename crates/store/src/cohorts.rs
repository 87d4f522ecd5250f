//! In which cohorts records are, and which of them wait for their cohort to begin.

use std::collections::HashMap;

use handover_model::{CohortName, FlowName, RecordId};

use crate::database::{LIST, Row};
use crate::store::Step;
use crate::{Error, Store};

/// A source record's place in a cohort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CohortRow {
    /// The flow.
    pub flow: FlowName,
    /// The source record.
    pub record: RecordId,
    /// The cohort; `None` when it left the one that it was in and is in none.
    pub cohort: Option<CohortName>,
    /// Whether the cohort had not begun when the record was looked at last: what there is to carry waits.
    pub waits: bool,
    /// The latest block in which the record was staged then.
    pub block: i64,
}

/// A cohort's records in a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CohortCount {
    /// The flow.
    pub flow: FlowName,
    /// The cohort.
    pub cohort: CohortName,
    /// All of them.
    pub records: u64,
    /// Those that have a counterpart.
    pub paired: u64,
    /// Those that wait for the cohort to begin.
    pub waiting: u64,
    /// Those that are held for a conflict.
    pub conflicts: u64,
}

/// Records of a cohort that are held for the same reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CohortHolds {
    /// The flow.
    pub flow: FlowName,
    /// Their group (`Cause::group`).
    pub group: String,
    /// How many.
    pub records: u64,
}

const SELECT: &str = "SELECT c.record, n.text, c.waits, c.block FROM cohort c LEFT JOIN name n ON n.id = c.cohort \
     WHERE c.flow = ";

fn read_row(flow: &FlowName, row: &Row<'_>) -> Result<CohortRow, sqlx::Error> {
    Ok(CohortRow {
        flow: flow.clone(),
        record: row.text(0)?.into(),
        cohort: row.opt_text(1)?.map(CohortName::from),
        waits: row.int(2)? != 0,
        block: row.int(3)?,
    })
}

impl Store {
    /// Those of these records that are in a cohort, or were.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn cohorts_of(
        &self,
        flow: &FlowName,
        records: &[RecordId],
    ) -> Result<HashMap<RecordId, CohortRow>, Error> {
        let mut found = HashMap::new();
        let Some(id) = self.id_of(flow.as_str()).await? else { return Ok(found) };
        for records in records.chunks(LIST) {
            let mut sql = self.sql(SELECT);
            sql.int(id).push(" AND c.record IN ").texts(records.iter().map(RecordId::as_str));
            let rows = self.fetch(sql, |row| read_row(flow, row)).await?;
            found.extend(rows.into_iter().map(|row| (row.record.clone(), row)));
        }
        Ok(found)
    }

    /// At most `limit` records of a flow that wait for their cohort to begin, in order, after the record `after`.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn cohort_waiting(
        &self,
        flow: &FlowName,
        after: Option<&RecordId>,
        limit: usize,
    ) -> Result<Vec<CohortRow>, Error> {
        let Some(id) = self.id_of(flow.as_str()).await? else { return Ok(Vec::new()) };
        let mut sql = self.sql(SELECT);
        sql.int(id).push(" AND c.waits = 1");
        if let Some(after) = after {
            sql.push(" AND c.record > ").text(after.as_str());
        }
        sql.push(" ORDER BY c.record").limit(limit);
        self.fetch(sql, |row| read_row(flow, row)).await
    }

    /// Why records of a cohort are held, in order of flows and groups.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn cohort_holds(&self, cohort: &CohortName) -> Result<Vec<CohortHolds>, Error> {
        let mut sql = self.sql(
            "SELECT f.text, h.grp, COUNT(DISTINCT h.record) FROM hold h JOIN cohort c ON c.flow = h.flow \
             AND c.record = h.record JOIN name n ON n.id = c.cohort JOIN name f ON f.id = h.flow WHERE n.text = ",
        );
        sql.text(cohort.as_str()).push(" GROUP BY f.text, h.grp ORDER BY f.text, h.grp");
        let read = |row: &Row<'_>| {
            let (flow, group) = (row.text(0)?.into(), row.text(1)?.to_owned());
            Ok(CohortHolds { flow, group, records: row.int(2)?.unsigned_abs() })
        };
        self.fetch(sql, read).await
    }

    /// The cohorts' records, in order of flows and cohorts.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn cohort_counts(&self) -> Result<Vec<CohortCount>, Error> {
        let sql = self.sql(
            "SELECT f.text, n.text, COUNT(*), COUNT(r.target), COUNT(CASE WHEN c.waits = 1 THEN 1 END), \
             COUNT(CASE WHEN EXISTS (SELECT 1 FROM hold h WHERE h.flow = c.flow AND h.record = c.record \
             AND h.cause = 'conflict') THEN 1 END) \
             FROM cohort c JOIN name n ON n.id = c.cohort JOIN name f ON f.id = c.flow \
             LEFT JOIN record r ON r.flow = c.flow AND r.record = c.record \
             GROUP BY f.text, n.text ORDER BY f.text, n.text",
        );
        let read = |row: &Row<'_>| {
            Ok(CohortCount {
                flow: row.text(0)?.into(),
                cohort: row.text(1)?.into(),
                records: row.int(2)?.unsigned_abs(),
                paired: row.int(3)?.unsigned_abs(),
                waiting: row.int(4)?.unsigned_abs(),
                conflicts: row.int(5)?.unsigned_abs(),
            })
        };
        self.fetch(sql, read).await
    }
}

impl Step<'_> {
    pub(crate) async fn write_cohorts(&mut self, cohorts: &[CohortRow]) -> Result<(), Error> {
        let mut placed = Vec::with_capacity(cohorts.len());
        for row in cohorts {
            let cohort = match &row.cohort {
                Some(cohort) => self.id(cohort.as_str())?,
                None => 0,
            };
            placed.push((self.id(row.flow.as_str())?, cohort, row));
        }
        let placed = crate::apply::last_of_each(&placed, |(flow, _, row)| (*flow, row.record.as_str()));
        let head = "INSERT INTO cohort (flow, record, cohort, waits, block) VALUES ";
        let tail = " ON CONFLICT (flow, record) DO UPDATE SET cohort = excluded.cohort, waits = excluded.waits, \
                    block = excluded.block";
        self.tx
            .insert(head, &placed, tail, |sql, (flow, cohort, row)| {
                sql.int(*flow).text(row.record.as_str()).int(*cohort).int(i64::from(row.waits)).int(row.block);
            })
            .await
    }
}
