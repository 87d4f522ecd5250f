//! Erasing a person's values, on request: everywhere that the state has them, provably.

use std::collections::BTreeSet;

use handover_model::{Answer, Fields, FlowName, Hold, ObjectName, RecordId, SystemName};
use jiff::Timestamp;

use super::{ERASED, OpenItem, Unplaced, read_open, write_open};
use crate::codec::{self, Writer};
use crate::database::{Row, unreadable};
use crate::store::Step;
use crate::{Commit, Entry, Error, Item, Store};

/// Staged blocks that are looked through in one go.
const BLOCKS: usize = 16;

/// A record of a system, by the numbers of their names.
type Member = (i64, i64, RecordId);

/// Everything that stands for one thing in the world.
struct Everywhere {
    /// Its records in all systems.
    members: BTreeSet<Member>,
    /// Its source records, each with its flow.
    sources: BTreeSet<(FlowName, RecordId)>,
}

impl Store {
    /// Erases the values of a record and of everything that it is the same as: from the ledger (values
    /// and salts; digests stay and the chain verifies), from staged blocks and their keys, holds, edits
    /// that people answered, and bases. The number of ledger items that lost their values. A row
    /// `erased` tells who asked and why: neither may contain personal data. A durable step.
    ///
    /// Of an open intent the payload stays, until it is settled. Bytes of files are the caller's. In
    /// PostgreSQL the server's vacuum gives the space free later, and its backups are the caller's.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownFlow`] when the flow's objects were never told and the record has no identity,
    /// [`Error::Stopped`], or the database's.
    pub async fn erase(
        &self,
        flow: &FlowName,
        record: &RecordId,
        at: Timestamp,
        who: &str,
        why: &str,
    ) -> Result<u64, Error> {
        let mut writer = self.writer().await?;
        let everywhere = self.everywhere(flow, record).await?;
        let mut rows: Vec<(FlowName, RecordId, Vec<i64>)> = Vec::new();
        for (flow, source) in &everywhere.sources {
            let told = self.story(flow, source).await?;
            rows.push((flow.clone(), source.clone(), told.into_iter().map(|told| told.seq).collect()));
        }
        // What is deleted must not stay readable in free pages or in the log.
        let location = self.inner.location.clone();
        let is_file = self.inner.pool.kind() == crate::database::Kind::Sqlite;
        if let Some(session) = writer.session.as_mut().filter(|_| is_file) {
            session.plain(&location, "PRAGMA secure_delete = ON").await?;
        }
        let mut step = self.begin(&mut writer).await?;
        let mut erased = 0;
        for (flow, source, numbers) in &rows {
            for seq in numbers.iter().collect::<BTreeSet<_>>() {
                erased += step.erase_item(*seq, source).await?;
            }
            step.names.intern(&mut step.tx, [flow.as_str()]).await?;
            step.erase_state(flow, source).await?;
        }
        for member in &everywhere.members {
            step.erase_staged(member).await?;
        }
        let targets: BTreeSet<&RecordId> = everywhere.members.iter().map(|(_, _, record)| record).collect();
        step.erase_candidates(&targets).await?;
        step.append_erased(at, who, why, &rows).await?;
        self.finish(step).await?;
        self.forget_blocks();
        if let Some(session) = writer.session.as_mut().filter(|_| is_file) {
            session.plain(&location, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA secure_delete = FAST").await?;
        }
        Ok(erased)
    }

    async fn everywhere(&self, flow: &FlowName, record: &RecordId) -> Result<Everywhere, Error> {
        let mut members = BTreeSet::new();
        let mut sources = BTreeSet::from([(flow.clone(), record.clone())]);
        let row = self.rows(flow, std::slice::from_ref(record)).await?.remove(record);
        let id = self.id_of(flow.as_str()).await?;
        let ends = match id {
            Some(id) => self.ends(id).await?,
            None => None,
        };
        let identity = row.as_ref().and_then(|row| row.identity);
        if ends.is_none() && identity.is_none() {
            return Err(Error::UnknownFlow { location: self.inner.location.clone(), flow: flow.clone() });
        }
        if let Some([source_system, source_object, target_system, target_object]) = ends {
            members.insert((source_system, source_object, record.clone()));
            if let Some(target) = row.and_then(|row| row.target) {
                members.insert((target_system, target_object, target));
            }
        }
        if let Some(identity) = identity {
            let mut sql = self.sql("SELECT system, object, record FROM member WHERE identity = ");
            sql.int(identity);
            members.extend(self.fetch(sql, |row| Ok((row.int(0)?, row.int(1)?, row.text(2)?.into()))).await?);
        }
        for (system, object, record) in &members {
            let names = self.all_names(&[*system, *object]).await?;
            let system = SystemName::new(names.text(&self.inner.location, *system)?);
            let object = ObjectName::new(names.text(&self.inner.location, *object)?);
            sources.extend(self.sources_everywhere(&system, &object, record).await?);
        }
        Ok(Everywhere { members, sources })
    }
}

impl Step<'_> {
    /// Takes values and salts of a record out of one ledger row.
    async fn erase_item(&mut self, seq: i64, record: &RecordId) -> Result<u64, Error> {
        let mut sql = self.tx.sql("SELECT body FROM entry_values WHERE seq = ");
        sql.int(seq);
        let read = |row: &Row<'_>| codec::decompress(row.blob(0)?).map_err(unreadable);
        let Some(bytes) = self.tx.fetch(sql, read).await?.pop() else { return Ok(0) };
        let location = self.tx.location().clone();
        let open = read_open(&bytes).map_err(|error| Error::of_database(&location, unreadable(error)))?;
        let mut kept = Writer::default();
        kept.bytes(open.names);
        let mut erased = 0;
        for item in open.items {
            let mine = item.record == record.as_str() && item.values.is_some();
            erased += u64::from(mine);
            let values = if mine { None } else { item.values };
            write_open(&mut kept, &OpenItem { record: item.record, values });
        }
        if erased > 0 {
            let body = codec::compress(&kept.0).map_err(|error| Error::of_file(&location, error))?;
            // Whoever settles an open intent needs what it told.
            let mut sql = self.tx.sql("UPDATE intent SET told = (SELECT body FROM entry_values WHERE seq = ");
            sql.int(seq).push(") WHERE told IS NULL AND entry = ").int(seq);
            self.tx.run(sql).await?;
            let mut sql = self.tx.sql("UPDATE entry_values SET body = ");
            sql.blob(&*body).push(" WHERE seq = ").int(seq);
            self.tx.run(sql).await?;
        }
        Ok(erased)
    }

    /// Takes values out of a record's row, holds and answers in a flow.
    async fn erase_state(&mut self, flow: &FlowName, record: &RecordId) -> Result<(), Error> {
        let flow = self.id(flow.as_str())?;
        let mut sql = self.tx.sql("UPDATE record SET base = NULL, mapped = NULL, digest = NULL WHERE flow = ");
        sql.int(flow).push(" AND record = ").text(record.as_str());
        self.tx.run(sql).await?;
        let mut sql = self.tx.sql("SELECT cause_key, body FROM hold WHERE flow = ");
        sql.int(flow).push(" AND record = ").text(record.as_str());
        let read = |row: &Row<'_>| {
            Ok((row.blob(0)?.to_vec(), serde_json::from_str::<Hold>(row.text(1)?).map_err(unreadable)?))
        };
        for (key, mut hold) in self.tx.fetch(sql, read).await? {
            hold.title.clear();
            hold.value = None;
            crate::holds::hide_candidates(&mut hold.cause, |_| true);
            self.rewrite_hold(flow, record.as_str(), &key, &hold).await?;
        }
        let mut sql = self.tx.sql("SELECT id, answer FROM answer WHERE flow = ");
        sql.int(flow).push(" AND record = ").text(record.as_str());
        let read = |row: &Row<'_>| Ok((row.int(0)?, serde_json::from_str::<Answer>(row.text(1)?).map_err(unreadable)?));
        for (id, answer) in self.tx.fetch(sql, read).await? {
            let mut sql = match answer {
                Answer::Edit { .. } => self.tx.sql("DELETE FROM answer WHERE id = "),
                _ => self.tx.sql("UPDATE answer SET comment = '' WHERE id = "),
            };
            sql.int(id);
            self.tx.run(sql).await?;
        }
        Ok(())
    }

    async fn rewrite_hold(&mut self, flow: i64, record: &str, key: &[u8], hold: &Hold) -> Result<(), Error> {
        let body = serde_json::to_string(hold)
            .map_err(|error| Error::Failed { location: self.tx.location().clone(), source: error.into() })?;
        let mut sql = self.tx.sql("UPDATE hold SET body = ");
        sql.text(body.as_str()).push(" WHERE flow = ").int(flow).push(" AND record = ").text(record);
        sql.push(" AND cause_key = ").blob(key);
        self.tx.run(sql).await?;
        Ok(())
    }

    /// Other records' holds may show values of these as candidates.
    async fn erase_candidates(&mut self, targets: &BTreeSet<&RecordId>) -> Result<(), Error> {
        let mut after: (i64, String, Vec<u8>) = (i64::MIN, String::new(), Vec::new());
        loop {
            let mut sql = self.tx.sql(
                "SELECT flow, record, cause_key, body FROM hold WHERE cause IN ('ambiguous', 'contradiction', \
                 'source_deleted', 'source_merged') AND (flow, record, cause_key) > (",
            );
            sql.int(after.0).push(",").text(after.1.as_str()).push(",").blob(&*after.2);
            sql.push(") ORDER BY flow, record, cause_key LIMIT 500");
            let read = |row: &Row<'_>| {
                let hold: Hold = serde_json::from_str(row.text(3)?).map_err(unreadable)?;
                Ok(((row.int(0)?, row.text(1)?.to_owned(), row.blob(2)?.to_vec()), hold))
            };
            let page = self.tx.fetch(sql, read).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = last.clone();
            for ((flow, record, key), mut hold) in page {
                if crate::holds::hide_candidates(&mut hold.cause, |target| targets.contains(target)) {
                    self.rewrite_hold(flow, &record, &key, &hold).await?;
                }
            }
        }
    }

    /// Takes the fields of a record out of the staged blocks, and its keys.
    async fn erase_staged(&mut self, (system, object, record): &Member) -> Result<(), Error> {
        let mut sql = self.tx.sql("DELETE FROM match_key WHERE system = ");
        sql.int(*system).push(" AND object = ").int(*object).push(" AND record = ").text(record.as_str());
        self.tx.run(sql).await?;
        let mut after = i64::MIN;
        loop {
            let mut sql = self.tx.sql("SELECT number, body FROM block WHERE system = ");
            sql.int(*system).push(" AND object = ").int(*object).push(" AND number > ").int(after);
            sql.push(" ORDER BY number").limit(BLOCKS);
            let read = |row: &Row<'_>| Ok((row.int(0)?, codec::decode(row.blob(1)?).map_err(unreadable)?.0));
            let page = self.tx.fetch(sql, read).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = *last;
            for (number, mut records) in page {
                let mut found = false;
                for mine in records.iter_mut().filter(|known| known.id == *record) {
                    mine.fields = Fields::new();
                    found = true;
                }
                if found {
                    let body = codec::encode(&records).map_err(|error| Error::of_file(self.tx.location(), error))?;
                    let mut sql = self.tx.sql("UPDATE block SET body = ");
                    sql.blob(&*body).push(" WHERE system = ").int(*system).push(" AND object = ").int(*object);
                    sql.push(" AND number = ").int(number);
                    self.tx.run(sql).await?;
                }
            }
        }
    }

    async fn append_erased(
        &mut self,
        at: Timestamp,
        who: &str,
        why: &str,
        rows: &[(FlowName, RecordId, Vec<i64>)],
    ) -> Result<(), Error> {
        let entry = |(flow, record, _): &(FlowName, RecordId, Vec<i64>)| Entry {
            kind: ERASED.to_owned(),
            flow: Some(flow.clone()),
            note: serde_json::json!({ "who": who, "why": why }),
            items: vec![Item { record: record.clone(), values: serde_json::json!({}).into() }],
        };
        let commit = Commit { at, entries: rows.iter().map(entry).collect(), ..Commit::default() };
        let entries = Unplaced::of_all(self.tx.location(), &commit.entries)?;
        let appended = self.append(at, 0, entries).await?;
        self.write_heads(&commit, &appended).await
    }
}
