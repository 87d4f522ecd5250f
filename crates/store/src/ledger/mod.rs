//! The ledger: the append-only record of every decision and every write.
//!
//! Each row's hash covers the hash of the writer's row before it, so that no row can be changed, taken
//! out or put in unnoticed. A writer is one process that opened the store; its first row is a checkpoint
//! that names the ends of the writers before it, which ties their chains together.
//!
//! A row covers its values only by salted digests. Values and salts lie in a table of their own: when a
//! person's are erased the digests say nothing any more, and the chain still verifies.
//!
//! Invariants:
//! - Rows are numbered from 1 without gaps.
//! - The rows that tell of one record are a list: each item names the row before; the record's row, the table
//!   `story` where there is none, or an open intent of it names the last.

mod erase;
mod heads;
mod read;
mod verify;

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};
use handover_model::FlowName;
use jiff::Timestamp;
use rand::RngCore;

pub use read::{EntryRow, Told};
pub use verify::{Head, Verified};

pub(crate) use self::heads::OpenHeads;
use crate::codec::{self, Reader, Unreadable, Writer};
use crate::database::unreadable;
use crate::store::{Step, nanos};
use crate::told::{Stored, Values};
use crate::{Entry, Error, Seq};

/// The kind of the row that ties the chains of writers together.
pub(crate) const CHECKPOINT: &str = "checkpoint";

/// The kind of the row that tells of erased values.
pub(crate) const ERASED: &str = "erased";

/// The ledger's end as the writing process knows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chain {
    writer: i64,
    next: Seq,
    head: [u8; 32],
}

/// What appending entries brought about.
pub(crate) struct Appended<'e> {
    /// The rows' numbers, in the order of the entries.
    pub(crate) numbers: Vec<Seq>,
    /// The last row of each record that was told of.
    pub(crate) heads: HashMap<(i64, &'e str), Seq>,
    /// Everything that was told of, as rows name it.
    pub(crate) told: HashSet<(i64, [u8; 16])>,
    /// The records that each entry tells of, as its row names them.
    pub(crate) records: Vec<Vec<[u8; 16]>>,
}

/// A row's parts that its hash covers.
pub(crate) struct Sealed<'r> {
    pub(crate) seq: Seq,
    pub(crate) writer: i64,
    pub(crate) at: i64,
    pub(crate) pass: i64,
    pub(crate) kind: &'r str,
    pub(crate) flow: Option<&'r str>,
    pub(crate) note: &'r str,
    pub(crate) count: i64,
    pub(crate) items: &'r [u8],
}

impl Sealed<'_> {
    /// The row's hash, after the hash of the writer's row before it.
    pub(crate) fn hash(&self, previous: &[u8; 32]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(previous);
        for number in [self.seq, self.writer, self.at, self.pass, self.count] {
            hasher.update(&number.to_le_bytes());
        }
        hasher.update(&[u8::from(self.flow.is_some())]);
        for part in [self.kind.as_bytes(), self.flow.unwrap_or("").as_bytes(), self.note.as_bytes(), self.items] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        *hasher.finalize().as_bytes()
    }
}

/// An item as the chain covers it.
pub(crate) struct SealedItem {
    /// Hash of the record's id.
    pub(crate) record: [u8; 16],
    /// Digest of salt and values.
    pub(crate) digest: [u8; 16],
    /// The row before that tells of the record; 0 when this is the first.
    pub(crate) previous: Seq,
}

/// An item's values as they lie beside the chain.
pub(crate) struct OpenItem<'b> {
    pub(crate) record: &'b str,
    /// Salt and values; `None` when they were erased.
    pub(crate) values: Option<([u8; 16], Stored<'b>)>,
}

/// What a row tells, as it lies beside the chain: the names that its values are told with, and its items.
pub(crate) struct Open<'b> {
    pub(crate) names: &'b [u8],
    pub(crate) items: Vec<OpenItem<'b>>,
}

#[expect(clippy::disallowed_methods, reason = "salts must not be guessed: no seed, and no decision hangs on them")]
fn salts(number: usize) -> Vec<[u8; 16]> {
    let mut salts = vec![[0; 16]; number];
    rand::rng().fill_bytes(salts.as_flattened_mut());
    salts
}

pub(crate) fn hash_of_record(record: &str) -> [u8; 16] {
    first_half(&blake3::hash(record.as_bytes()))
}

/// Digest of salt and values; `names` is the hash of those that they are told with.
pub(crate) fn digest_of_values(salt: &[u8; 16], values: &Stored<'_>, names: &[u8; 32]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(salt).update(&[values.form()]);
    if !values.is_json {
        hasher.update(names);
    }
    first_half(&hasher.update(values.bytes).finalize())
}

fn first_half(hash: &blake3::Hash) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&hash.as_bytes()[..16]);
    half
}

pub(crate) fn read_sealed(bytes: &[u8]) -> Result<Vec<SealedItem>, Unreadable> {
    let mut reader = Reader(bytes);
    let mut items = Vec::with_capacity(bytes.len() / 33);
    while !reader.is_empty() {
        let (record, digest) = (reader.array()?, reader.array()?);
        let previous = i64::try_from(reader.unsigned()?).map_err(|_| Unreadable("no such row"))?;
        items.push(SealedItem { record, digest, previous });
    }
    Ok(items)
}

pub(crate) fn read_open(bytes: &[u8]) -> Result<Open<'_>, Unreadable> {
    let mut reader = Reader(bytes);
    let names = reader.bytes()?;
    let mut items = Vec::new();
    while !reader.is_empty() {
        let form = reader.byte()?;
        let record = reader.text()?;
        let values = match form {
            0 => None,
            form => Some((reader.array()?, Stored::of(form, reader.bytes()?)?)),
        };
        items.push(OpenItem { record, values });
    }
    Ok(Open { names, items })
}

pub(crate) fn write_open(writer: &mut Writer, item: &OpenItem<'_>) {
    writer.byte(item.values.as_ref().map_or(0, |(_, values)| values.form()));
    writer.bytes(item.record.as_bytes());
    if let Some((salt, values)) = &item.values {
        writer.0.extend_from_slice(salt);
        writer.bytes(values.bytes);
    }
}

/// What an entry becomes, but for its place in the chain. It is made before the writer's turn: hashing and compressing
/// take longer than the rest, and others write meanwhile.
pub(crate) struct Unplaced<'e> {
    entry: &'e Entry,
    note: String,
    /// For each item the hash of its record, and the digest of salt and values.
    items: Vec<([u8; 16], [u8; 16])>,
    values: Option<Vec<u8>>,
}

impl<'e> Unplaced<'e> {
    pub(crate) fn of_all(location: &Arc<str>, entries: &'e [Entry]) -> Result<Vec<Self>, Error> {
        entries.iter().map(|entry| Self::of(location, entry)).collect()
    }

    fn of(location: &Arc<str>, entry: &'e Entry) -> Result<Self, Error> {
        let names = Values::table(entry.items.iter().map(|item| &item.values));
        let mut open = Writer::default();
        open.bytes(&names.bytes);
        let mut items = Vec::with_capacity(entry.items.len());
        for (item, salt) in entry.items.iter().zip(salts(entry.items.len())) {
            let record = item.record.as_str();
            let mut text = String::new();
            let values = item.values.stored(&names, &mut text);
            let values = values.map_err(|error| Error::of_database(location, unreadable(error)))?;
            items.push((hash_of_record(record), digest_of_values(&salt, &values, &names.hash)));
            write_open(&mut open, &OpenItem { record, values: Some((salt, values)) });
        }
        let values = match items.is_empty() {
            true => None,
            false => Some(codec::compress(&open.0).map_err(|error| Error::of_file(location, error))?),
        };
        Ok(Self { entry, note: entry.note.to_string(), items, values })
    }
}

/// A row on its way into its table.
struct Placed<'e> {
    seq: Seq,
    kind: &'e str,
    flow: Option<&'e str>,
    note: String,
    count: i64,
    items: Vec<u8>,
    hash: [u8; 32],
    values: Option<Vec<u8>>,
}

impl Step<'_> {
    /// Appends rows to the ledger.
    pub(crate) async fn append<'e>(
        &mut self,
        at: Timestamp,
        pass: i64,
        entries: Vec<Unplaced<'e>>,
    ) -> Result<Appended<'e>, Error> {
        let mut appended = Appended {
            numbers: Vec::with_capacity(entries.len()),
            heads: HashMap::new(),
            told: HashSet::new(),
            records: Vec::with_capacity(entries.len()),
        };
        if entries.is_empty() {
            return Ok(appended);
        }
        let mut rows = Vec::with_capacity(entries.len() + 1);
        let mut chain = match self.chain {
            Some(chain) => chain,
            None => self.begin_chain(at, pass, &mut rows).await?,
        };
        let mut open = self.open_heads().await?;
        self.heads(&entries, &open, &mut appended).await?;
        for entry in entries {
            let row = self.seal(at, pass, entry, &mut chain, &mut open, &mut appended)?;
            appended.numbers.push(row.seq);
            rows.push(row);
        }
        self.open_heads = Some(open);
        self.write_entries(at, pass, chain, &rows).await?;
        self.chain = Some(chain);
        Ok(appended)
    }

    /// Makes this process a writer, tied to those before it.
    async fn begin_chain(&mut self, at: Timestamp, pass: i64, rows: &mut Vec<Placed<'_>>) -> Result<Chain, Error> {
        let sql = self.tx.sql("SELECT COALESCE(MAX(seq), 0) FROM entry");
        let last = self.tx.fetch(sql, |row| row.int(0)).await?.pop().unwrap_or(0);
        let sql = self.tx.sql("SELECT COALESCE(MAX(id), 0) FROM writer");
        let writer = self.tx.fetch(sql, |row| row.int(0)).await?.pop().unwrap_or(0) + 1;
        let sql = self.tx.sql("SELECT id, head, hash FROM writer WHERE tied = 0 ORDER BY id");
        let untied = self.tx.fetch(sql, |row| Ok((row.int(0)?, row.int(1)?, hex(row.blob(2)?)))).await?;
        let mut chain = Chain { writer, next: last + 1, head: [0; 32] };
        if untied.is_empty() {
            return Ok(chain);
        }
        let heads: Vec<_> = untied
            .iter()
            .map(|(writer, seq, hash)| serde_json::json!({ "writer": writer, "seq": seq, "hash": hash }))
            .collect();
        let note = serde_json::json!({ "heads": heads }).to_string();
        rows.push(sealed_row(at, pass, CHECKPOINT, None, note, 0, Vec::new(), None, &mut chain));
        let sql = self.tx.sql("UPDATE writer SET tied = 1 WHERE tied = 0");
        self.tx.run(sql).await?;
        Ok(chain)
    }

    /// Gives a row its place in the chain.
    fn seal<'e>(
        &self,
        at: Timestamp,
        pass: i64,
        unplaced: Unplaced<'e>,
        chain: &mut Chain,
        open: &mut OpenHeads,
        appended: &mut Appended<'e>,
    ) -> Result<Placed<'e>, Error> {
        let Unplaced { entry, note, items, values } = unplaced;
        let flow = entry.flow.as_ref().map(FlowName::as_str);
        let flow_id = self.id(flow.unwrap_or(""))?;
        let seq = chain.next;
        let mut sealed = Writer::default();
        let mut records = Vec::with_capacity(items.len());
        for (item, (hash, digest)) in entry.items.iter().zip(items) {
            appended.told.insert((flow_id, hash));
            records.push(hash);
            let head = appended.heads.entry((flow_id, item.record.as_str())).or_default();
            *head = (*head).max(open.tell(flow_id, hash, seq));
            sealed.0.extend_from_slice(&hash);
            sealed.0.extend_from_slice(&digest);
            sealed.unsigned(if *head == seq { 0 } else { head.unsigned_abs() });
            *head = seq;
        }
        appended.records.push(records);
        let count = entry.items.len() as i64;
        Ok(sealed_row(at, pass, &entry.kind, flow, note, count, sealed.0, values, chain))
    }

    async fn write_entries(
        &mut self,
        at: Timestamp,
        pass: i64,
        chain: Chain,
        rows: &[Placed<'_>],
    ) -> Result<(), Error> {
        let head = "INSERT INTO entry (seq, writer, at, pass, kind, flow, note, items_count, items, hash) VALUES ";
        self.tx
            .insert(head, rows, "", |sql, row| {
                sql.int(row.seq).int(chain.writer).int(nanos(at)).int(pass).text(row.kind).text(row.flow);
                sql.text(row.note.as_str()).int(row.count).blob(&*row.items).blob(&row.hash[..]);
            })
            .await?;
        let values: Vec<_> = rows.iter().filter_map(|row| Some((row.seq, row.values.as_deref()?))).collect();
        let head = "INSERT INTO entry_values (seq, body) VALUES ";
        self.tx
            .insert(head, &values, "", |sql, (seq, body)| {
                sql.int(*seq).blob(*body);
            })
            .await?;
        let mut sql = self.tx.sql("INSERT INTO writer (id, head, hash, tied) VALUES (");
        sql.int(chain.writer).push(",").int(chain.next - 1).push(",").blob(&chain.head[..]).push(", 0)");
        sql.push(" ON CONFLICT (id) DO UPDATE SET head = excluded.head, hash = excluded.hash");
        self.tx.run(sql).await?;
        Ok(())
    }
}

#[expect(clippy::too_many_arguments, reason = "a row has that many columns, and each is told once")]
fn sealed_row<'e>(
    at: Timestamp,
    pass: i64,
    kind: &'e str,
    flow: Option<&'e str>,
    note: String,
    count: i64,
    items: Vec<u8>,
    values: Option<Vec<u8>>,
    chain: &mut Chain,
) -> Placed<'e> {
    // PostgreSQL stores no NUL: what is hashed is what is stored.
    let (seq, writer) = (chain.next, chain.writer);
    let sealed = Sealed { seq, writer, at: nanos(at), pass, kind, flow, note: &note, count, items: &items };
    let hash = sealed.hash(&chain.head);
    chain.head = hash;
    chain.next += 1;
    Placed { seq, kind, flow, note, count, items, hash, values }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
