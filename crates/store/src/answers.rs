//! What people answered, which writes are open, what was spent today.

use std::collections::{BTreeSet, HashMap};

use handover_model::{Fields, FlowName, RecordId, SystemName};
use jiff::Timestamp;

use crate::codec::{self, Unreadable};
use crate::database::{LIST, Row, unreadable};
use crate::ledger::{Appended, read_open};
use crate::store::{Step, instant, nanos};
use crate::told::names;
use crate::{Error, GivenAnswer, Intent, Store};

/// What is spent adds up in quarters of an hour: all time zones begin their days at one.
const QUARTER: i64 = 15 * 60 * 1_000_000_000;

impl Store {
    /// Writes whose outcome is not known, the oldest first.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn open_intents(&self) -> Result<Vec<Intent>, Error> {
        let sql = self
            .sql("SELECT i.id, f.text, i.payload, i.at FROM intent i JOIN name f ON f.id = i.flow ORDER BY i.at, i.id");
        let read = |row: &Row<'_>| {
            Ok(Intent {
                id: row.text(0)?.to_owned(),
                flow: row.text(1)?.into(),
                payload: row.blob(2)?.to_vec(),
                at: instant(row.int(3)?),
                entry: None,
            })
        };
        self.fetch(sql, read).await
    }

    /// Of the entry that was kept with an intent: the fields that it tells of each record under this name.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`] when what was kept cannot be decoded, else the database's.
    pub async fn told_with_intent(&self, intent: &str, name: &str) -> Result<HashMap<RecordId, Fields>, Error> {
        // It has a copy of its own only where values of the entry were erased since.
        let mut sql = self.sql(
            "SELECT COALESCE(i.told, v.body) FROM intent i LEFT JOIN entry_values v ON v.seq = i.entry WHERE i.id = ",
        );
        sql.text(intent);
        let read = |row: &Row<'_>| {
            let Some(body) = row.opt_blob(0)? else { return Ok(HashMap::new()) };
            let bytes = codec::decompress(body).map_err(unreadable)?;
            told_of_all(&bytes, name).map_err(unreadable)
        };
        Ok(self.fetch(sql, read).await?.pop().unwrap_or_default())
    }

    /// The answers given to these records, the oldest first; records without one are absent.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn answers(
        &self,
        flow: &FlowName,
        records: &[RecordId],
    ) -> Result<HashMap<RecordId, Vec<GivenAnswer>>, Error> {
        let mut found: HashMap<RecordId, Vec<GivenAnswer>> = HashMap::new();
        let Some(id) = self.id_of(flow.as_str()).await? else { return Ok(found) };
        // Mostly there is none at all.
        let mut any = self.sql("SELECT id FROM answer WHERE flow = ");
        any.int(id).push(" LIMIT 1");
        if self.fetch(any, |row| row.int(0)).await?.is_empty() {
            return Ok(found);
        }
        for records in records.chunks(LIST) {
            let mut sql = self.sql("SELECT record, answer, reviewer, comment FROM answer WHERE flow = ");
            sql.int(id).push(" AND record IN ").texts(records.iter().map(RecordId::as_str)).push(" ORDER BY id");
            let read = |row: &Row<'_>| {
                Ok(GivenAnswer {
                    flow: flow.clone(),
                    record: row.text(0)?.into(),
                    answer: serde_json::from_str(row.text(1)?).map_err(unreadable)?,
                    reviewer: row.text(2)?.to_owned(),
                    comment: row.text(3)?.to_owned(),
                })
            };
            for answer in self.fetch(sql, read).await? {
                found.entry(answer.record.clone()).or_default().push(answer);
            }
        }
        Ok(found)
    }

    /// Records of a flow that are held although somebody answered: nothing was judged since.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn answered(&self, flow: &FlowName) -> Result<BTreeSet<RecordId>, Error> {
        let Some(flow) = self.id_of(flow.as_str()).await? else { return Ok(BTreeSet::new()) };
        let mut sql = self.sql("SELECT a.record FROM answer a WHERE a.open = 1 AND a.flow = ");
        sql.int(flow).push(
            " AND EXISTS (SELECT 1 FROM hold h WHERE h.flow = a.flow AND h.record = a.record AND \
             h.cause <> 'reported')",
        );
        Ok(self.fetch(sql, |row| Ok(RecordId::from(row.text(0)?))).await?.into_iter().collect())
    }

    /// What was spent of a system's daily limit since `day_start`, in the limit's unit. The start counts
    /// to the quarter of an hour.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn spent_today(&self, system: &SystemName, day_start: Timestamp) -> Result<u64, Error> {
        let Some(system) = self.id_of(system.as_str()).await? else { return Ok(0) };
        let mut sql = self.sql("SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM spent WHERE system = ");
        sql.int(system).push(" AND since >= ").int(quarter(day_start));
        let found = self.fetch(sql, |row| row.int(0)).await?;
        Ok(found.first().copied().unwrap_or(0).unsigned_abs())
    }
}

fn told_of_all(bytes: &[u8], name: &str) -> Result<HashMap<RecordId, Fields>, Unreadable> {
    let open = read_open(bytes)?;
    let names = names(open.names)?;
    let mut found = HashMap::with_capacity(open.items.len());
    for item in open.items {
        if let Some((_, values)) = item.values {
            found.insert(item.record.into(), values.fields(&names, name)?);
        }
    }
    Ok(found)
}

fn quarter(at: Timestamp) -> i64 {
    nanos(at).div_euclid(QUARTER).saturating_mul(QUARTER)
}

impl Step<'_> {
    pub(crate) async fn write_intents(
        &mut self,
        intents: &[Intent],
        settled: &[String],
        appended: &Appended<'_>,
    ) -> Result<(), Error> {
        let mut placed = Vec::with_capacity(intents.len());
        for intent in intents {
            let entry = intent.entry.and_then(|at| appended.numbers.get(at).copied());
            let flow = self.id(intent.flow.as_str())?;
            placed.push((flow, entry, intent));
            let records = intent.entry.and_then(|at| appended.records.get(at));
            if let Some(open) = &mut self.open_heads {
                open.remove(&intent.id);
                if let (Some(seq), Some(records)) = (entry, records) {
                    open.add(&intent.id, flow, seq, records, true);
                }
            }
        }
        let placed = crate::apply::last_of_each(&placed, |(_, _, intent)| intent.id.as_str());
        let head = "INSERT INTO intent (id, flow, payload, entry, at) VALUES ";
        let tail = " ON CONFLICT (id) DO UPDATE SET flow = excluded.flow, payload = excluded.payload, \
                    entry = excluded.entry, told = NULL, at = excluded.at";
        self.tx
            .insert(head, &placed, tail, |sql, (flow, entry, intent)| {
                sql.text(intent.id.as_str()).int(*flow).blob(&*intent.payload).int(*entry).int(nanos(intent.at));
            })
            .await?;
        if let Some(open) = &mut self.open_heads {
            settled.iter().for_each(|intent| open.remove(intent));
        }
        for settled in settled.chunks(LIST) {
            let mut sql = self.tx.sql("DELETE FROM intent WHERE id IN ");
            sql.texts(settled.iter().map(String::as_str));
            self.tx.run(sql).await?;
        }
        Ok(())
    }

    pub(crate) async fn write_spent(&mut self, at: Timestamp, spent: &[(SystemName, u64)]) -> Result<(), Error> {
        for (system, amount) in spent {
            let amount = i64::try_from(*amount).unwrap_or(i64::MAX);
            let mut sql = self.tx.sql("INSERT INTO spent (system, since, amount) VALUES (");
            sql.int(self.id(system.as_str())?).push(",").int(quarter(at)).push(",").int(amount);
            sql.push(") ON CONFLICT (system, since) DO UPDATE SET amount = spent.amount + excluded.amount");
            self.tx.run(sql).await?;
        }
        Ok(())
    }

    /// These records are judged: what was answered about them is told by what became of them.
    pub(crate) async fn close_answers(&mut self, flow: i64, records: &[&str]) -> Result<(), Error> {
        // Mostly there is none at all.
        let mut any = self.tx.sql("SELECT id FROM answer WHERE open = 1 AND flow = ");
        any.int(flow).push(" LIMIT 1");
        if self.tx.fetch(any, |row| row.int(0)).await?.is_empty() {
            return Ok(());
        }
        for records in records.chunks(LIST) {
            let mut sql = self.tx.sql("UPDATE answer SET open = 0 WHERE open = 1 AND flow = ");
            sql.int(flow).push(" AND record IN ").texts(records.iter().copied());
            self.tx.run(sql).await?;
        }
        Ok(())
    }

    pub(crate) async fn write_answers(&mut self, at: Timestamp, answers: &[GivenAnswer]) -> Result<(), Error> {
        if answers.is_empty() {
            return Ok(());
        }
        let last = self.count_up("answer", answers.len() as i64).await?;
        let mut placed = Vec::with_capacity(answers.len());
        for (answer, number) in answers.iter().zip(last - answers.len() as i64 + 1..) {
            let text = serde_json::to_string(&answer.answer)
                .map_err(|error| Error::Failed { location: self.tx.location().clone(), source: error.into() })?;
            placed.push((number, self.id(answer.flow.as_str())?, text, answer));
        }
        let head = "INSERT INTO answer (id, flow, record, at, answer, reviewer, comment, open) VALUES ";
        self.tx
            .insert(head, &placed, "", |sql, (number, flow, text, answer)| {
                sql.int(*number).int(*flow).text(answer.record.as_str()).int(nanos(at)).text(text.as_str());
                sql.text(answer.reviewer.as_str()).text(answer.comment.as_str()).int(1);
            })
            .await
    }
}
