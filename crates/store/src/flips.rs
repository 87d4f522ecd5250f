//! Fields that flip: what was written of them, and how often it was changed back.

use std::collections::HashMap;

use handover_model::{FieldName, FlowName, RecordId};
use jiff::Timestamp;

use crate::database::{LIST, Row};
use crate::store::{Step, instant, nanos};
use crate::{Error, Store};

/// A field of a pair of which one side's value gave way to the other's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flip {
    /// The flow.
    pub flow: FlowName,
    /// The source's record.
    pub record: RecordId,
    /// The target's field.
    pub field: FieldName,
    /// The mark of the value that gave way.
    pub mark: Vec<u8>,
    /// How often that value was written again since.
    pub number: u64,
    /// When it gave way last.
    pub at: Timestamp,
}

impl Store {
    /// What is known of the fields of these records.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn flips(
        &self,
        flow: &FlowName,
        records: &[RecordId],
    ) -> Result<HashMap<(RecordId, FieldName), Flip>, Error> {
        let mut found = HashMap::new();
        let Some(id) = self.id_of(flow.as_str()).await? else { return Ok(found) };
        for records in records.chunks(LIST) {
            let mut sql = self.sql("SELECT record, field, mark, number, at FROM flip WHERE flow = ");
            sql.int(id).push(" AND record IN ").texts(records.iter().map(RecordId::as_str));
            let read = |row: &Row<'_>| {
                Ok(Flip {
                    flow: flow.clone(),
                    record: row.text(0)?.into(),
                    field: row.text(1)?.into(),
                    mark: row.blob(2)?.to_vec(),
                    number: row.int(3)?.unsigned_abs(),
                    at: instant(row.int(4)?),
                })
            };
            let rows = self.fetch(sql, read).await?;
            found.extend(rows.into_iter().map(|row| ((row.record.clone(), row.field.clone()), row)));
        }
        Ok(found)
    }
}

impl Step<'_> {
    pub(crate) async fn write_flips(&mut self, flips: &[Flip], forget: Option<Timestamp>) -> Result<(), Error> {
        if let Some(before) = forget {
            let mut sql = self.tx.sql("DELETE FROM flip WHERE at < ");
            sql.int(nanos(before));
            self.tx.run(sql).await?;
        }
        let mut placed = Vec::with_capacity(flips.len());
        for row in flips {
            placed.push((self.id(row.flow.as_str())?, row));
        }
        let placed =
            crate::apply::last_of_each(&placed, |(flow, row)| (*flow, row.record.as_str(), row.field.as_str()));
        let head = "INSERT INTO flip (flow, record, field, mark, number, at) VALUES ";
        let tail = " ON CONFLICT (flow, record, field) DO UPDATE SET mark = excluded.mark, \
                    number = excluded.number, at = excluded.at";
        self.tx
            .insert(head, &placed, tail, |sql, (flow, row)| {
                sql.int(*flow).text(row.record.as_str()).text(row.field.as_str()).blob(row.mark.as_slice());
                sql.int(i64::try_from(row.number).unwrap_or(i64::MAX)).int(nanos(row.at));
            })
            .await
    }
}
