//! Proving that the ledger is as it was written.

use std::collections::HashMap;
use std::sync::Arc;

use futures::TryStreamExt;
use serde_json::Value as Json;

use super::{CHECKPOINT, ERASED, Sealed, digest_of_values, hash_of_record, hex, read_open, read_sealed};
use crate::codec;
use crate::database::{Row, unreadable};
use crate::{Error, Seq, Store};

/// Rows between two calls of the progress callback.
const PROGRESS: u64 = 1000;

/// The end of a writer's chain: noted elsewhere, it proves later that nothing was cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The writer.
    pub writer: i64,
    /// Its last row.
    pub seq: Seq,
    /// That row's hash, hex.
    pub hash: String,
}

/// A ledger that is as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Its rows.
    pub entries: u64,
    /// Their items.
    pub items: u64,
    /// Items whose values were erased.
    pub erased: u64,
    /// The ends of the chains that no later checkpoint covers.
    pub heads: Vec<Head>,
}

/// A row as it is read.
struct Found {
    seq: Seq,
    writer: i64,
    at: i64,
    pass: i64,
    kind: String,
    flow: Option<String>,
    note: String,
    count: i64,
    items: Vec<u8>,
    hash: Vec<u8>,
    values: Option<Vec<u8>>,
}

fn read_found(row: &Row<'_>) -> Result<Found, sqlx::Error> {
    Ok(Found {
        seq: row.int(0)?,
        writer: row.int(1)?,
        at: row.int(2)?,
        pass: row.int(3)?,
        kind: row.text(4)?.to_owned(),
        flow: row.opt_text(5)?.map(str::to_owned),
        note: row.text(6)?.to_owned(),
        count: row.int(7)?,
        items: row.blob(8)?.to_vec(),
        hash: row.blob(9)?.to_vec(),
        values: row.opt_blob(10)?.map(<[u8]>::to_vec),
    })
}

/// Which values may be missing: by flow and record the row that tells of their erasure.
type Erasures = HashMap<(Option<String>, [u8; 16]), Seq>;

/// What is known while rows go by.
#[derive(Default)]
struct Walk {
    heads: HashMap<i64, (Seq, [u8; 32])>,
    erasures: Erasures,
    entries: u64,
    items: u64,
    erased: u64,
}

impl Walk {
    /// Checks a row against all before it; else what is wrong with it.
    fn step(&mut self, row: &Found) -> Result<(), String> {
        let expected = self.entries as i64 + 1;
        if row.seq != expected {
            return Err(if row.seq > expected { "the row is missing" } else { "the row is there twice" }.to_owned());
        }
        let sealed = Sealed {
            seq: row.seq,
            writer: row.writer,
            at: row.at,
            pass: row.pass,
            kind: &row.kind,
            flow: row.flow.as_deref(),
            note: &row.note,
            count: row.count,
            items: &row.items,
        };
        let first = !self.heads.contains_key(&row.writer);
        let previous = self.heads.get(&row.writer).map_or([0; 32], |(_, hash)| *hash);
        let hash = sealed.hash(&previous);
        if hash[..] != row.hash[..] {
            return Err("its hash does not fit it and the row before".to_owned());
        }
        if row.kind == CHECKPOINT {
            self.checkpoint(&row.note)?;
        } else if first && !self.heads.is_empty() {
            return Err("a writer begins without a checkpoint".to_owned());
        }
        self.values(row)?;
        self.heads.insert(row.writer, (row.seq, hash));
        self.entries += 1;
        Ok(())
    }

    fn checkpoint(&self, note: &str) -> Result<(), String> {
        let note: Json = serde_json::from_str(note).map_err(|_| "its note cannot be read".to_owned())?;
        for head in note["heads"].as_array().into_iter().flatten() {
            let (writer, seq) = (head["writer"].as_i64().unwrap_or(0), head["seq"].as_i64().unwrap_or(0));
            let known = self.heads.get(&writer).map(|(seq, hash)| (*seq, hex(hash)));
            if known != head["hash"].as_str().map(|hash| (seq, hash.to_owned())) {
                return Err(format!("it ties writer {writer} at row {seq}, where that writer's chain does not end"));
            }
        }
        Ok(())
    }

    fn values(&mut self, row: &Found) -> Result<(), String> {
        let sealed = read_sealed(&row.items).map_err(|_| "its items cannot be read".to_owned())?;
        if sealed.len() as i64 != row.count {
            return Err(format!("it tells of {} records and has {}", row.count, sealed.len()));
        }
        let bytes = match &row.values {
            Some(values) => codec::decompress(values).map_err(|_| "its values cannot be read".to_owned())?,
            None if sealed.is_empty() => return Ok(()),
            None => return Err("its values are missing".to_owned()),
        };
        let open = read_open(&bytes).map_err(|_| "its values cannot be read".to_owned())?;
        if open.items.len() != sealed.len() {
            return Err("values of a record are missing".to_owned());
        }
        let names = *blake3::hash(open.names).as_bytes();
        for (sealed, open) in sealed.iter().zip(&open.items) {
            if hash_of_record(open.record) != sealed.record {
                return Err("values belong to another record".to_owned());
            }
            match &open.values {
                Some((salt, values)) if digest_of_values(salt, values, &names) != sealed.digest => {
                    return Err("values were changed".to_owned());
                }
                Some(_) => {}
                None => {
                    let told = self.erasures.get(&(row.flow.clone(), sealed.record));
                    if told.is_none_or(|told| *told <= row.seq) {
                        return Err("values were erased and no row tells of it".to_owned());
                    }
                    self.erased += 1;
                }
            }
        }
        self.items += sealed.len() as u64;
        Ok(())
    }
}

impl Store {
    /// Reads the whole ledger and checks every row, every item and every value. `progress` is told how
    /// many rows of how many are done.
    ///
    /// # Errors
    ///
    /// [`Error::Broken`] names the first row that is not as it was written; else the database's.
    pub async fn verify(&self, mut progress: impl FnMut(u64, u64) + Send) -> Result<Verified, Error> {
        let location: &Arc<str> = &self.inner.location;
        let broken = |seq, what| Error::Broken { location: location.clone(), seq, what };
        let mut walk = Walk::default();
        let total = self.fetch(self.sql("SELECT COUNT(*) FROM entry"), |row| row.int(0)).await?;
        let total = total.first().copied().unwrap_or(0).unsigned_abs();
        let sql = self.sql(
            "SELECT e.seq, e.writer, e.at, e.pass, e.kind, e.flow, e.note, e.items_count, e.items, e.hash, v.body \
             FROM entry e LEFT JOIN entry_values v ON v.seq = e.seq ORDER BY e.seq",
        );
        let mut rows = self.stream(sql, read_found);
        loop {
            let next = walk.entries as i64 + 1;
            let row = match rows.try_next().await {
                Ok(Some(row)) => {
                    // Read once the stream stands: every erasure that it can show is told of by then.
                    if walk.entries == 0 {
                        walk.erasures = self.erasures().await?;
                    }
                    row
                }
                Ok(None) => break,
                Err(Error::Corrupt { what, .. }) => return Err(broken(next, what)),
                Err(error) => return Err(error),
            };
            walk.step(&row).map_err(|what| broken(next, what))?;
            if walk.entries.is_multiple_of(PROGRESS) {
                progress(walk.entries, total);
            }
        }
        drop(rows);
        let heads = self.check_heads(&walk).await?;
        progress(walk.entries, total);
        Ok(Verified { entries: walk.entries, items: walk.items, erased: walk.erased, heads })
    }

    /// Each chain must end where its writer said it ends: rows cut off at the end leave no gap.
    async fn check_heads(&self, walk: &Walk) -> Result<Vec<Head>, Error> {
        let sql = self.sql("SELECT id, head, hash, tied FROM writer ORDER BY id");
        let read = |row: &Row<'_>| Ok((row.int(0)?, row.int(1)?, row.blob(2)?.to_vec(), row.int(3)? != 0));
        let stored = self.fetch(sql, read).await?;
        let broken = |seq, what: &str| Error::Broken { location: self.inner.location.clone(), seq, what: what.into() };
        let mut heads = Vec::new();
        for (writer, seq, hash, tied) in &stored {
            let known = walk.heads.get(writer);
            // While a run is under way, rows may have come since the stream began.
            let later = *seq > walk.entries as i64 && self.inner.writer.is_none();
            match known {
                Some((last, known)) if last == seq && known[..] == hash[..] => {}
                _ if later => {}
                Some((last, _)) if last == seq => return Err(broken(*seq, "its hash is not the one its writer noted")),
                Some((last, _)) => return Err(broken(last + 1, "the row is missing")),
                None => return Err(broken(*seq, "the row is missing")),
            }
            if !tied {
                heads.push(Head { writer: *writer, seq: *seq, hash: hex(hash) });
            }
        }
        let unknown = walk.heads.iter().filter(|(writer, _)| !stored.iter().any(|(id, ..)| id == *writer));
        match unknown.map(|(_, (seq, _))| *seq).min() {
            Some(seq) => Err(broken(seq, "its writer is not known")),
            None => Ok(heads),
        }
    }

    async fn erasures(&self) -> Result<Erasures, Error> {
        let mut sql = self.sql("SELECT seq, flow, items FROM entry WHERE kind = ");
        sql.text(ERASED).push(" ORDER BY seq");
        let read = |row: &Row<'_>| {
            let items = read_sealed(row.blob(2)?).map_err(unreadable)?;
            Ok((row.int(0)?, row.opt_text(1)?.map(str::to_owned), items))
        };
        let mut erasures = Erasures::new();
        let mut rows = self.stream(sql, read);
        loop {
            match rows.try_next().await {
                Ok(Some((seq, flow, items))) => {
                    erasures.extend(items.into_iter().map(|item| ((flow.clone(), item.record), seq)));
                }
                // A damaged row is found and named when its turn comes.
                Ok(None) | Err(Error::Corrupt { .. }) => return Ok(erasures),
                Err(error) => return Err(error),
            }
        }
    }
}
