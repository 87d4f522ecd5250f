//! Where the stories of records end.

use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};

use super::{Appended, hash_of_record, read_open, read_sealed};
use crate::codec;
use crate::database::{LIST, Row, unreadable};
use crate::store::Step;
use crate::{Commit, Entry, Error, Seq};

/// Where stories end that only open intents know of: by flow and hash of the record.
type OpenHeads = HashMap<(i64, [u8; 16]), Seq>;

impl Step<'_> {
    /// Looks up the last rows that tell of the records concerned.
    pub(super) async fn heads<'e>(&mut self, entries: &'e [Entry], appended: &mut Appended<'e>) -> Result<(), Error> {
        let mut records: HashMap<i64, HashSet<&'e str>> = HashMap::new();
        for entry in entries.iter().filter(|entry| !entry.items.is_empty()) {
            let flow = self.id(entry.flow.as_ref().map_or("", |flow| flow.as_str()))?;
            records.entry(flow).or_default().extend(entry.items.iter().map(|item| item.record.as_str()));
        }
        for (flow, records) in records {
            let mut records: Vec<&str> = records.into_iter().collect();
            // In order the look-ups touch each page of the index once.
            records.sort_unstable();
            for table in ["record", "story"] {
                // Mostly there is none at all in the second.
                let mut any = self.tx.sql(&format!("SELECT flow FROM {table} WHERE flow = "));
                any.int(flow).push(" LIMIT 1");
                if self.tx.fetch(any, |row| row.int(0)).await?.is_empty() {
                    continue;
                }
                for records in records.chunks(LIST) {
                    let mut sql = self.tx.sql(&format!("SELECT record, last_entry FROM {table} WHERE flow = "));
                    sql.int(flow).push(" AND record IN ").texts(records.iter().copied());
                    let found = self.tx.fetch(sql, |row| Ok((row.text(0)?.to_owned(), row.opt_int(1)?))).await?;
                    for (record, seq) in found {
                        let Ok(at) = records.binary_search(&record.as_str()) else { continue };
                        let Some(record) = records.get(at).copied() else { continue };
                        if table == "record" {
                            appended.with_row.insert((flow, record));
                        }
                        let head = appended.heads.entry((flow, record)).or_default();
                        *head = (*head).max(seq.unwrap_or(0));
                    }
                }
            }
        }
        Ok(())
    }

    /// The last rows that tell of records whose writes are open.
    pub(super) async fn open_heads(&mut self) -> Result<OpenHeads, Error> {
        let sql = self.tx.sql("SELECT i.flow, e.seq, e.items FROM intent i CROSS JOIN entry e WHERE e.seq = i.entry");
        let read = |row: &Row<'_>| Ok((row.int(0)?, row.int(1)?, read_sealed(row.blob(2)?).map_err(unreadable)?));
        let mut heads = OpenHeads::new();
        for (flow, seq, items) in self.tx.fetch(sql, read).await? {
            for item in items {
                let head = heads.entry((flow, item.record)).or_default();
                *head = (*head).max(seq);
            }
        }
        Ok(heads)
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
        let mut with_row: HashMap<(i64, Seq), Vec<&str>> = HashMap::new();
        let mut without: Vec<(i64, &str, Seq)> = Vec::new();
        for (&(flow, record), &seq) in &appended.heads {
            if written.contains(&(flow, record)) || named.contains(&seq) {
            } else if appended.with_row.contains(&(flow, record)) {
                with_row.entry((flow, seq)).or_default().push(record);
            } else {
                without.push((flow, record, seq));
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
        // An intent may also end because another takes its place under the same id.
        let ends = commit.settled.iter().chain(commit.intents.iter().map(|intent| &intent.id)).collect::<Vec<_>>();
        for ends in ends.chunks(LIST) {
            let mut sql = self.tx.sql(
                "SELECT i.flow, e.seq, e.items FROM intent i CROSS JOIN entry e WHERE e.seq = i.entry AND i.id IN ",
            );
            sql.texts(ends.iter().map(|id| id.as_str()));
            let read = |row: &Row<'_>| {
                let flow = row.int(0)?;
                let items = read_sealed(row.blob(2)?).map_err(unreadable)?;
                Ok((flow, row.int(1)?, items.iter().any(|item| !appended.told.contains(&(flow, item.record)))))
            };
            for (flow, seq, some) in self.tx.fetch(sql, read).await? {
                if some {
                    left.extend(self.untold(flow, seq, appended).await?.into_iter().map(|record| (flow, record, seq)));
                }
            }
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
