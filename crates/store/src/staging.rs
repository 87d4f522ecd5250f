//! Records as they were read, kept so that no API call is made twice.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError};

use futures::TryStreamExt;
use handover_model::{ObjectName, Record, RecordId, SystemName};
use jiff::SignedDuration;

use crate::codec::{self, indexable};
use crate::database::{LIST, unreadable};
use crate::store::{Step, instant, nanos};
use crate::{Block, Commit, Error, Extraction, MatchRow, Store};

/// Decoded blocks are kept up to this many bytes (of their uncompressed form; in memory they are some
/// three times as large).
const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// Blocks up to this size are kept also when all are gone through, as long as half of the room is free: passes over
/// changes stage many small ones, and ask for each several times.
const SMALL: usize = 16 * 1024;

/// Records of an object that share a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DuplicateGroup {
    /// The key; a very long one ends in its hash.
    pub key: String,
    /// The records, in order of their ids, each with the block in which it is staged.
    pub records: Vec<(RecordId, i64)>,
}

type BlockKey = (i64, i64, i64);

/// Decoded blocks, the least recently used leave first, and how far reading came.
///
/// Invariant: what was read while it changed is not kept.
#[derive(Default)]
pub(crate) struct Cache {
    blocks: HashMap<BlockKey, (Arc<Vec<Record>>, usize, u64)>,
    bytes: usize,
    clock: u64,
    extractions: HashMap<(i64, i64), Extraction>,
    /// Steps that may have changed what is kept.
    changes: u64,
}

impl Cache {
    fn get(&mut self, key: &BlockKey) -> Option<Arc<Vec<Record>>> {
        self.clock += 1;
        let (records, _, used) = self.blocks.get_mut(key)?;
        *used = self.clock;
        Some(records.clone())
    }

    /// Keeps a block that was asked for after so many changes.
    fn put(&mut self, changes: u64, key: BlockKey, records: Arc<Vec<Record>>, bytes: usize) {
        if self.changes != changes {
            return;
        }
        self.clock += 1;
        if let Some((_, old, _)) = self.blocks.insert(key, (records, bytes, self.clock)) {
            self.bytes -= old;
        }
        self.bytes += bytes;
        while self.bytes > CACHE_BYTES && self.blocks.len() > 1 {
            let oldest = self.blocks.iter().min_by_key(|(_, (_, _, used))| *used).map(|(key, _)| *key);
            if let Some((_, bytes, _)) = oldest.and_then(|key| self.blocks.remove(&key)) {
                self.bytes -= bytes;
            }
        }
    }

    fn has_room_for(&self, bytes: usize) -> bool {
        bytes <= SMALL && self.bytes + bytes <= CACHE_BYTES / 2
    }

    fn forget(&mut self, key: &BlockKey) {
        if let Some((_, bytes, _)) = self.blocks.remove(key) {
            self.bytes -= bytes;
        }
    }

    fn clear(&mut self) {
        *self = Self { changes: self.changes + 1, clock: self.clock, ..Self::default() };
    }
}

impl Store {
    /// The records of a staged block, empty when there is no such block.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`] when the block cannot be decoded, else the database's.
    pub async fn block(
        &self,
        system: &SystemName,
        object: &ObjectName,
        number: i64,
    ) -> Result<Arc<Vec<Record>>, Error> {
        let (Some(system), Some(object)) = (self.id_of(system.as_str()).await?, self.id_of(object.as_str()).await?)
        else {
            return Ok(Arc::default());
        };
        let key = (system, object, number);
        let (known, changes) = self.cache(|cache| (cache.get(&key), cache.changes));
        if let Some(records) = known {
            return Ok(records);
        }
        let Some((records, bytes)) = self.decoded(key).await? else { return Ok(Arc::default()) };
        let records = Arc::new(records);
        if self.keeps() {
            self.cache(|cache| cache.put(changes, key, records.clone(), bytes));
        }
        Ok(records)
    }

    /// Whether what was read may be kept: a reader's cache could outlive what another process stages anew.
    fn keeps(&self) -> bool {
        self.inner.writer.is_some()
    }

    /// The records of a staged block, for a caller that goes through all blocks once: they leave those in
    /// the cache that others look things up in.
    ///
    /// # Errors
    ///
    /// As [`Store::block`].
    pub async fn block_once(
        &self,
        system: &SystemName,
        object: &ObjectName,
        number: i64,
    ) -> Result<Vec<Record>, Error> {
        let (Some(system), Some(object)) = (self.id_of(system.as_str()).await?, self.id_of(object.as_str()).await?)
        else {
            return Ok(Vec::new());
        };
        let key = (system, object, number);
        let (known, changes) = self.cache(|cache| (cache.get(&key), cache.changes));
        if let Some(records) = known {
            return Ok((*records).clone());
        }
        let Some((records, bytes)) = self.decoded(key).await? else { return Ok(Vec::new()) };
        if self.keeps() {
            self.cache(|cache| {
                if cache.has_room_for(bytes) {
                    cache.put(changes, key, Arc::new(records.clone()), bytes);
                }
            });
        }
        Ok(records)
    }

    async fn decoded(&self, (system, object, number): BlockKey) -> Result<Option<(Vec<Record>, usize)>, Error> {
        let mut sql = self.sql("SELECT body FROM block WHERE system = ");
        sql.int(system).push(" AND object = ").int(object).push(" AND number = ").int(number);
        Ok(self.fetch(sql, |row| codec::decode(row.blob(0)?).map_err(unreadable)).await?.pop())
    }

    /// A mark of each staged record of an object, see [`Store::mark_of`]: enough to know whether a record
    /// was read before, without reading it again.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn staged_marks(&self, system: &SystemName, object: &ObjectName) -> Result<HashSet<u64>, Error> {
        let (Some(system), Some(object)) = (self.id_of(system.as_str()).await?, self.id_of(object.as_str()).await?)
        else {
            return Ok(HashSet::new());
        };
        let mut sql = self.sql("SELECT marks FROM block WHERE system = ");
        sql.int(system).push(" AND object = ").int(object);
        let read = |row: &crate::database::Row<'_>| {
            let (marks, rest) = row.blob(0)?.as_chunks();
            if rest.is_empty() { Ok(marks.to_vec()) } else { Err(unreadable("a mark is cut off")) }
        };
        let mut all = HashSet::new();
        let mut blocks = self.stream(sql, read);
        while let Some(marks) = blocks.try_next().await? {
            all.extend(marks.into_iter().map(u64::from_le_bytes));
        }
        Ok(all)
    }

    /// Of records that are staged more than once among these blocks, by their marks: the last block that has them.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn staged_twice(
        &self,
        system: &SystemName,
        object: &ObjectName,
        blocks: std::ops::Range<i64>,
    ) -> Result<HashMap<u64, i64>, Error> {
        let (Some(system), Some(object)) = (self.id_of(system.as_str()).await?, self.id_of(object.as_str()).await?)
        else {
            return Ok(HashMap::new());
        };
        let mut sql = self.sql("SELECT number, marks FROM block WHERE system = ");
        sql.int(system).push(" AND object = ").int(object).push(" AND number >= ").int(blocks.start);
        sql.push(" AND number < ").int(blocks.end);
        let mut all: Vec<(u64, i64)> = Vec::new();
        let read = |row: &crate::database::Row<'_>| {
            let (number, (marks, _)) = (row.int(0)?, row.blob(1)?.as_chunks());
            Ok(marks.iter().map(|mark| (u64::from_le_bytes(*mark), number)).collect::<Vec<_>>())
        };
        let mut rows = self.stream(sql, read);
        while let Some(marks) = rows.try_next().await? {
            all.extend(marks);
        }
        all.sort_unstable();
        let again = all.windows(2).filter_map(|two| match two {
            [(one, _), (other, last)] if one == other => Some((*other, *last)),
            _ => None,
        });
        Ok(again.collect())
    }

    /// Eight bytes for an id, the same in every version of this program: a set of them stays small with
    /// millions of records.
    pub fn mark_of(record: &RecordId) -> u64 {
        let hash = blake3::hash(record.as_str().as_bytes());
        let mut mark = [0; 8];
        mark.copy_from_slice(&hash.as_bytes()[..8]);
        u64::from_le_bytes(mark)
    }

    /// How far reading an object came.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn extraction(&self, system: &SystemName, object: &ObjectName) -> Result<Option<Extraction>, Error> {
        let (Some(system_id), Some(object_id)) =
            (self.id_of(system.as_str()).await?, self.id_of(object.as_str()).await?)
        else {
            return Ok(None);
        };
        let key = (system_id, object_id);
        let (known, changes) = self.cache(|cache| (cache.extractions.get(&key).cloned(), cache.changes));
        if known.is_some() {
            return Ok(known);
        }
        let mut sql = self.sql(EXTRACTION);
        sql.push(" WHERE e.system = ").int(system_id).push(" AND e.object = ").int(object_id);
        let found = self.fetch(sql, extraction).await?.pop();
        if let Some(found) = found.as_ref().filter(|_| self.keeps()) {
            self.cache(|cache| {
                if cache.changes == changes {
                    cache.extractions.insert(key, found.clone());
                }
            });
        }
        Ok(found)
    }

    /// How far reading came, of every object that was begun; in order of systems and objects.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn extractions(&self) -> Result<Vec<Extraction>, Error> {
        let sql = self.sql(&format!("{EXTRACTION} ORDER BY s.text, o.text"));
        self.fetch(sql, extraction).await
    }

    /// Staged records that have one of these keys, in no particular order.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn matches(
        &self,
        system: &SystemName,
        object: &ObjectName,
        keys: &[(String, String)],
    ) -> Result<Vec<MatchRow>, Error> {
        let (Some(system_id), Some(object_id)) =
            (self.id_of(system.as_str()).await?, self.id_of(object.as_str()).await?)
        else {
            return Ok(Vec::new());
        };
        let mut by_kind: HashMap<&str, HashMap<String, &str>> = HashMap::new();
        for (kind, key) in keys {
            by_kind.entry(kind).or_default().insert(indexable(key).into_owned(), key);
        }
        let mut found = Vec::new();
        for (kind, keys) in by_kind {
            // A kind of which there is no key at all is asked for as often as any other.
            let mut any = self.sql("SELECT block FROM match_key WHERE system = ");
            any.int(system_id).push(" AND object = ").int(object_id).push(" AND kind = ").text(kind).push(" LIMIT 1");
            if self.fetch(any, |row| row.int(0)).await?.is_empty() {
                continue;
            }
            let stored: Vec<&str> = keys.keys().map(String::as_str).collect();
            for stored in stored.chunks(LIST) {
                let mut sql = self.sql("SELECT key, record, block FROM match_key WHERE system = ");
                sql.int(system_id).push(" AND object = ").int(object_id).push(" AND kind = ").text(kind);
                sql.push(" AND key IN ").texts(stored.iter().copied());
                let read = |row: &crate::database::Row<'_>| {
                    let key = row.text(0)?;
                    Ok(MatchRow {
                        system: system.clone(),
                        object: object.clone(),
                        kind: kind.to_owned(),
                        key: keys.get(key).map_or(key, |key| *key).to_owned(),
                        record: row.text(1)?.into(),
                        block: row.int(2)?,
                    })
                };
                found.extend(self.fetch(sql, read).await?);
            }
        }
        Ok(found)
    }

    /// Groups of records that share a key of this kind, in order of the keys; at most `limit` groups
    /// after the key `after`.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn duplicates(
        &self,
        system: &SystemName,
        object: &ObjectName,
        kind: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<DuplicateGroup>, Error> {
        let (Some(system), Some(object)) = (self.id_of(system.as_str()).await?, self.id_of(object.as_str()).await?)
        else {
            return Ok(Vec::new());
        };
        let mut sql = self.sql("SELECT key FROM match_key WHERE system = ");
        sql.int(system).push(" AND object = ").int(object).push(" AND kind = ").text(kind);
        if let Some(after) = after {
            sql.push(" AND key > ").text(&*indexable(after));
        }
        sql.push(" GROUP BY key HAVING COUNT(*) > 1 ORDER BY key").limit(limit);
        let keys = self.fetch(sql, |row| Ok(row.text(0)?.to_owned())).await?;
        let mut groups: Vec<DuplicateGroup> = Vec::new();
        for keys in keys.chunks(LIST) {
            let mut sql = self.sql("SELECT key, record, block FROM match_key WHERE system = ");
            sql.int(system).push(" AND object = ").int(object).push(" AND kind = ").text(kind);
            sql.push(" AND key IN ").texts(keys.iter().map(String::as_str)).push(" ORDER BY key, record");
            let read = |row: &crate::database::Row<'_>| {
                Ok((row.text(0)?.to_owned(), RecordId::from(row.text(1)?), row.int(2)?))
            };
            for (key, record, block) in self.fetch(sql, read).await? {
                match groups.last_mut() {
                    Some(group) if group.key == key => group.records.push((record, block)),
                    _ => groups.push(DuplicateGroup { key, records: vec![(record, block)] }),
                }
            }
        }
        Ok(groups)
    }

    pub(crate) fn forget_blocks(&self) {
        self.cache(Cache::clear);
    }

    /// Forgets what these commits staged, whether they were written or not.
    pub(crate) fn forget_staged(&self, commits: &[Commit]) {
        if commits.iter().all(|commit| commit.blocks.is_empty() && commit.extractions.is_empty()) {
            return;
        }
        let names = self.names();
        let place =
            |system: &SystemName, object: &ObjectName| Some((names.get(system.as_str())?, names.get(object.as_str())?));
        self.cache(|cache| {
            cache.changes += 1;
            for block in commits.iter().flat_map(|commit| &commit.blocks) {
                if let Some((system, object)) = place(&block.system, &block.object) {
                    cache.forget(&(system, object, block.number));
                }
            }
            for row in commits.iter().flat_map(|commit| &commit.extractions) {
                place(&row.system, &row.object).map(|place| cache.extractions.remove(&place));
            }
        });
    }

    fn cache<T>(&self, with: impl FnOnce(&mut Cache) -> T) -> T {
        with(&mut self.inner.cache.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

const EXTRACTION: &str = "SELECT s.text, o.text, pass, resume, blocks, records, complete, told, began, ahead \
    FROM extraction e JOIN name s ON s.id = e.system JOIN name o ON o.id = e.object";

fn extraction(row: &crate::database::Row<'_>) -> Result<Extraction, sqlx::Error> {
    Ok(Extraction {
        system: row.text(0)?.into(),
        object: row.text(1)?.into(),
        pass: row.int(2)?,
        cursor: row.opt_text(3)?.map(str::to_owned),
        blocks: row.int(4)?,
        records: row.int(5)?,
        complete: row.int(6)? != 0,
        told: row.opt_int(7)?,
        began: instant(row.int(8)?),
        ahead: SignedDuration::from_secs(row.int(9)?),
    })
}

impl Step<'_> {
    /// Writes blocks; `bodies` are their records as they are stored.
    pub(crate) async fn write_blocks(&mut self, blocks: &[Block], bodies: &[Vec<u8>]) -> Result<(), Error> {
        for (block, body) in blocks.iter().zip(bodies) {
            let (system, object) = (self.id(block.system.as_str())?, self.id(block.object.as_str())?);
            let marks: Vec<u8> =
                block.records.iter().flat_map(|record| Store::mark_of(&record.id).to_le_bytes()).collect();
            let mut sql = self.tx.sql("INSERT INTO block (system, object, number, marks, body) VALUES (");
            sql.int(system).push(",").int(object).push(",").int(block.number).push(",").blob(&*marks);
            sql.push(",").blob(body.as_slice());
            sql.push(
                ") ON CONFLICT (system, object, number) DO UPDATE SET marks = excluded.marks, body = excluded.body",
            );
            self.tx.run(sql).await?;
        }
        Ok(())
    }

    pub(crate) async fn write_extractions(&mut self, extractions: &[Extraction]) -> Result<(), Error> {
        for extraction in extractions {
            let (system, object) = (self.id(extraction.system.as_str())?, self.id(extraction.object.as_str())?);
            let mut sql = self.tx.sql(
                "INSERT INTO extraction \
                 (system, object, pass, resume, blocks, records, complete, told, began, ahead) VALUES ",
            );
            sql.rows(std::slice::from_ref(extraction), |sql, row| {
                sql.int(system).int(object).int(row.pass).text(row.cursor.as_deref()).int(row.blocks);
                sql.int(row.records).int(i64::from(row.complete)).int(row.told).int(nanos(row.began));
                sql.int(row.ahead.as_secs());
            });
            sql.push(
                " ON CONFLICT (system, object) DO UPDATE SET pass = excluded.pass, resume = excluded.resume, \
                 blocks = excluded.blocks, records = excluded.records, complete = excluded.complete, \
                 told = excluded.told, began = excluded.began, ahead = excluded.ahead",
            );
            self.tx.run(sql).await?;
        }
        Ok(())
    }

    pub(crate) async fn write_keys(&mut self, keys: &[MatchRow]) -> Result<(), Error> {
        let stored: Vec<_> = keys.iter().map(|key| indexable(&key.key)).collect();
        let mut rows: Vec<(i64, i64, &str, &MatchRow)> = Vec::with_capacity(keys.len());
        for (key, stored) in keys.iter().zip(&stored) {
            rows.push((self.id(key.system.as_str())?, self.id(key.object.as_str())?, stored, key));
        }
        let rows = crate::apply::last_of_each(&rows, |(system, object, stored, key)| {
            (*system, *object, key.kind.as_str(), *stored, key.record.as_str())
        });
        let head = "INSERT INTO match_key (system, object, kind, key, record, block) VALUES ";
        let tail = " ON CONFLICT (system, object, kind, key, record) DO UPDATE SET block = excluded.block";
        self.tx
            .insert(head, &rows, tail, |sql, (system, object, stored, key)| {
                sql.int(*system).int(*object).text(key.kind.as_str()).text(*stored);
                sql.text(key.record.as_str()).int(key.block);
            })
            .await
    }
}
