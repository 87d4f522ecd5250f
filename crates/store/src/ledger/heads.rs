//! Where the stories of records end.

use std::collections::hash_map::Entry;

use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};

use super::{Appended, Unplaced, hash_of_record, read_open, read_sealed};
use crate::codec;
use crate::database::{LIST, Row, unreadable};
use crate::store::Step;
use crate::{Commit, Error, Seq};

/// Where stories end that only open intents know of. The writing process keeps it from one step to the next.
#[derive(Debug, Default)]
pub(crate) struct OpenHeads {
    /// By flow and hash of the record.
    heads: HashMap<(i64, [u8; 16]), OpenHead>,
    /// By intent: its flow, the row that it knows of, and the records of that row.
    intents: HashMap<String, (i64, Seq, Vec<[u8; 16]>)>,
}

/// The last row that tells of a record whose write is open.
#[derive(Debug)]
struct OpenHead {
    seq: Seq,
    /// Whether no table can know of a later one: this process told all of them itself.
    is_last: bool,
    /// Open intents that concern the record.
    intents: u32,
}

impl OpenHeads {
    /// A row tells of a record; gives the one before, 0 where no open intent knows of any.
    pub(super) fn tell(&mut self, flow: i64, record: [u8; 16], seq: Seq) -> Seq {
        self.heads.get_mut(&(flow, record)).map_or(0, |head| std::mem::replace(&mut head.seq, seq))
    }

    /// An intent that knows of a row is open.
    pub(crate) fn add(&mut self, intent: &str, flow: i64, seq: Seq, records: &[[u8; 16]], is_last: bool) {
        for record in records {
            let head = self.heads.entry((flow, *record)).or_insert(OpenHead { seq, is_last, intents: 0 });
            (head.seq, head.intents) = (head.seq.max(seq), head.intents + 1);
        }
        self.intents.insert(intent.to_owned(), (flow, seq, records.to_vec()));
    }

    /// An intent is settled.
    pub(crate) fn remove(&mut self, intent: &str) {
        let Some((flow, _, records)) = self.intents.remove(intent) else { return };
        for record in records {
            let Entry::Occupied(mut head) = self.heads.entry((flow, record)) else { continue };
            head.get_mut().intents -= 1;
            if head.get().intents == 0 {
                head.remove();
            }
        }
    }

    fn knows_all(&self, flow: i64, record: &[u8; 16]) -> bool {
        self.heads.get(&(flow, *record)).is_some_and(|head| head.is_last)
    }
}

impl Step<'_> {
    /// Looks up the last rows that tell of the records concerned.
    pub(super) async fn heads<'e>(
        &mut self,
        entries: &[Unplaced<'e>],
        open: &OpenHeads,
        appended: &mut Appended<'e>,
    ) -> Result<(), Error> {
        let mut records: HashMap<i64, HashSet<&'e str>> = HashMap::new();
        for Unplaced { entry, items, .. } in entries.iter().filter(|unplaced| !unplaced.items.is_empty()) {
            let flow = self.id(entry.flow.as_ref().map_or("", |flow| flow.as_str()))?;
            let told = entry.items.iter().zip(items).filter(|(_, (hash, _))| !open.knows_all(flow, hash));
            records.entry(flow).or_default().extend(told.map(|(item, _)| item.record.as_str()));
        }
        for (flow, records) in records {
            let mut records: Vec<&str> = records.into_iter().collect();
            // In order the look-ups touch each page of the index once.
            records.sort_unstable();
            for table in ["record", "story"] {
                // Mostly there is none at all in the second.
                let mut any = self.tx.sql(&format!("SELECT flow FROM {table} WHERE flow = "));
                any.int(flow).push(" LIMIT 1");
                if records.is_empty() || self.tx.fetch(any, |row| row.int(0)).await?.is_empty() {
                    continue;
                }
                for records in records.chunks(LIST) {
                    let mut sql = self.tx.sql(&format!("SELECT record, last_entry FROM {table} WHERE flow = "));
                    sql.int(flow).push(" AND record IN ").texts(records.iter().copied());
                    let found = self.tx.fetch(sql, |row| Ok((row.text(0)?.to_owned(), row.opt_int(1)?))).await?;
                    for (record, seq) in found {
                        let Ok(at) = records.binary_search(&record.as_str()) else { continue };
                        let Some(record) = records.get(at).copied() else { continue };
                        let head = appended.heads.entry((flow, record)).or_default();
                        *head = (*head).max(seq.unwrap_or(0));
                    }
                }
            }
        }
        Ok(())
    }

    /// The last rows that tell of records whose writes are open: as they are known, else read.
    pub(super) async fn open_heads(&mut self) -> Result<OpenHeads, Error> {
        if let Some(open) = self.open_heads.take() {
            return Ok(open);
        }
        let sql =
            self.tx.sql("SELECT i.id, i.flow, e.seq, e.items FROM intent i CROSS JOIN entry e WHERE e.seq = i.entry");
        let read = |row: &Row<'_>| {
            let items = read_sealed(row.blob(3)?).map_err(unreadable)?;
            let records: Vec<_> = items.iter().map(|item| item.record).collect();
            Ok((row.text(0)?.to_owned(), row.int(1)?, row.int(2)?, records))
        };
        let mut open = OpenHeads::default();
        for (intent, flow, seq, records) in self.tx.fetch(sql, read).await? {
            open.add(&intent, flow, seq, &records, false);
        }
        Ok(open)
    }

    /// Which of these have a row in their flow.
    async fn with_row(&mut self, flow: i64, records: &[&str]) -> Result<HashSet<String>, Error> {
        let mut found = HashSet::new();
        for records in records.chunks(LIST) {
            let mut sql = self.tx.sql("SELECT record FROM record WHERE flow = ");
            sql.int(flow).push(" AND record IN ").texts(records.iter().copied());
            found.extend(self.tx.fetch(sql, |row| Ok(row.text(0)?.to_owned())).await?);
        }
        Ok(found)
    }

    /// Where the stories of records end that this commit tells of without writing their rows, and of those that
    /// it leaves without a word though their intents knew.
    pub(crate) async fn write_heads(&mut self, commit: &Commit, appended: &Appended<'_>) -> Result<(), Error> {
        let mut written = HashSet::with_capacity(commit.rows.len());
        for row in &commit.rows {
            written.insert((self.id(row.flow.as_str())?, row.record.as_str()));
        }
        // The rows of which intents know.
        let named: HashSet<Seq> =
            commit.intents.iter().filter_map(|intent| appended.numbers.get(intent.entry?).copied()).collect();
        let mut unwritten: HashMap<i64, Vec<(&str, Seq)>> = HashMap::new();
        for (&(flow, record), &seq) in &appended.heads {
            if !written.contains(&(flow, record)) && !named.contains(&seq) {
                unwritten.entry(flow).or_default().push((record, seq));
            }
        }
        let mut with_row: HashMap<(i64, Seq), Vec<&str>> = HashMap::new();
        let mut without: Vec<(i64, &str, Seq)> = Vec::new();
        for (flow, mut told) in unwritten {
            told.sort_unstable();
            let records: Vec<&str> = told.iter().map(|(record, _)| *record).collect();
            let known = self.with_row(flow, &records).await?;
            for (record, seq) in told {
                match known.contains(record) {
                    true => with_row.entry((flow, seq)).or_default().push(record),
                    false => without.push((flow, record, seq)),
                }
            }
        }
        for ((flow, seq), records) in with_row {
            for records in records.chunks(LIST) {
                let mut sql = self.tx.sql("UPDATE record SET last_entry = ");
                sql.int(seq).push(" WHERE flow = ").int(flow).push(" AND record IN ").texts(records.iter().copied());
                self.tx.run(sql).await?;
            }
        }
        let left = self.left_without_a_word(commit, appended).await?;
        without.extend(left.iter().map(|(flow, record, seq)| (*flow, record.as_str(), *seq)));
        without.sort_unstable();
        let without = crate::apply::last_of_each(&without, |(flow, record, _)| (*flow, *record));
        let head = "INSERT INTO story (flow, record, last_entry) VALUES ";
        let tail = " ON CONFLICT (flow, record) DO UPDATE SET last_entry = excluded.last_entry \
                    WHERE excluded.last_entry > story.last_entry";
        self.tx
            .insert(head, &without, tail, |sql, (flow, record, seq)| {
                sql.int(*flow).text(*record).int(*seq);
            })
            .await
    }

    /// Records of intents that end with this commit, where it tells nothing of them: not sent, or still open
    /// under another intent. Each with its flow and the row that told of it.
    async fn left_without_a_word(
        &mut self,
        commit: &Commit,
        appended: &Appended<'_>,
    ) -> Result<Vec<(i64, String, Seq)>, Error> {
        let mut left = Vec::new();
        let open = self.open_heads().await?;
        // An intent may also end because another takes its place under the same id.
        let ends = commit.settled.iter().chain(commit.intents.iter().map(|intent| &intent.id));
        let untold =
            |flow: &i64, records: &[[u8; 16]]| records.iter().any(|one| !appended.told.contains(&(*flow, *one)));
        let some: Vec<(i64, Seq)> = ends
            .filter_map(|id| open.intents.get(id))
            .filter(|(flow, _, records)| untold(flow, records))
            .map(|(flow, seq, _)| (*flow, *seq))
            .collect();
        self.open_heads = Some(open);
        for (flow, seq) in some {
            left.extend(self.untold(flow, seq, appended).await?.into_iter().map(|record| (flow, record, seq)));
        }
        Ok(left)
    }

    /// The records of a row that nothing was told of.
    async fn untold(&mut self, flow: i64, seq: Seq, appended: &Appended<'_>) -> Result<Vec<String>, Error> {
        let mut sql = self.tx.sql("SELECT body FROM entry_values WHERE seq = ");
        sql.int(seq);
        let read = |row: &Row<'_>| {
            let bytes = codec::decompress(row.blob(0)?).map_err(unreadable)?;
            let open = read_open(&bytes).map_err(unreadable)?;
            let records = open.items.iter().map(|item| item.record);
            let untold = records.filter(|record| !appended.told.contains(&(flow, hash_of_record(record))));
            Ok(untold.map(str::to_owned).collect::<Vec<_>>())
        };
        Ok(self.tx.fetch(sql, read).await?.into_iter().flatten().collect())
    }
}
