//! Holds: records kept out of the target, each with its causes.
//!
//! A hold belongs to (flow, record, cause). When a record is judged again and is still held for the same
//! cause, it is the same hold: it keeps the instant since which it stands, and its owner.

use std::collections::{HashMap, HashSet};

use handover_model::{Cause, FlowName, Hold, ObjectName, RecordId};
use jiff::Timestamp;

use crate::codec::indexable;
use crate::database::{LIST, Row, Sql, unreadable};
use crate::rows::settled_numbers;
use crate::store::{Step, instant, nanos};
use crate::{Cared, Commit, Error, Store};

/// Which holds are wanted; what is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HoldFilter {
    /// Of this flow.
    pub flow: Option<FlowName>,
    /// Of this source object.
    pub object: Option<ObjectName>,
    /// With this cause's word: `untranslated`.
    pub cause: Option<String>,
    /// Of this group (`Cause::group`).
    pub group: Option<String>,
    /// Of this record.
    pub record: Option<RecordId>,
}

/// Where a page of holds ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldCursor {
    group: String,
    flow: i64,
    record: String,
    key: Vec<u8>,
}

/// A hold with what the store knows of it.
#[derive(Clone, Debug)]
pub struct HeldRow {
    /// The hold.
    pub hold: Hold,
    /// Since when the record is held for this cause.
    pub since: Timestamp,
    /// Whether a person answered since then.
    pub answered: bool,
    /// Who looks after it, if somebody does.
    pub owner: Option<String>,
    /// Where the next page begins after it.
    pub cursor: HoldCursor,
}

/// A record that waits for its parent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Child {
    /// The child's flow.
    pub flow: FlowName,
    /// The child.
    pub record: RecordId,
    /// The parent that it waits for.
    pub parent: RecordId,
}

impl Store {
    /// The holds of a record.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn holds_of(&self, flow: &FlowName, record: &RecordId) -> Result<Vec<Hold>, Error> {
        let Some(flow) = self.id_of(flow.as_str()).await? else { return Ok(Vec::new()) };
        let mut sql = self.sql("SELECT body FROM hold WHERE flow = ");
        sql.int(flow).push(" AND record = ").text(record.as_str()).push(" ORDER BY cause, cause_key");
        self.fetch(sql, |row| serde_json::from_str(row.text(0)?).map_err(unreadable)).await
    }

    /// Those of these records that have holds in a flow, as far as they say that something could not be carried: what
    /// people report is not among them.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn held_among(&self, flow: &FlowName, records: &[RecordId]) -> Result<HashSet<RecordId>, Error> {
        self.among("SELECT DISTINCT record FROM hold WHERE cause <> 'reported' AND flow = ", flow, records).await
    }

    /// Those of these records of which nothing is carried since somebody reported them and said so.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn stopped_among(&self, flow: &FlowName, records: &[RecordId]) -> Result<HashSet<RecordId>, Error> {
        self.among("SELECT DISTINCT record FROM hold WHERE grp = 'reported:stop' AND flow = ", flow, records).await
    }

    async fn among(&self, query: &str, flow: &FlowName, records: &[RecordId]) -> Result<HashSet<RecordId>, Error> {
        let mut found = HashSet::new();
        let Some(flow) = self.id_of(flow.as_str()).await? else { return Ok(found) };
        for records in records.chunks(LIST) {
            let mut sql = self.sql(query);
            sql.int(flow).push(" AND record IN ").texts(records.iter().map(RecordId::as_str));
            found.extend(self.fetch(sql, |row| Ok(RecordId::from(row.text(0)?))).await?);
        }
        Ok(found)
    }

    /// Those of these records that have links in a flow which wait to be written or taken away.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn linking_among(&self, flow: &FlowName, records: &[RecordId]) -> Result<HashSet<RecordId>, Error> {
        self.among("SELECT DISTINCT record FROM link WHERE flow = ", flow, records).await
    }

    /// At most `limit` holds, by group, flow and record, after where a page ended.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn holds_page(
        &self,
        filter: &HoldFilter,
        after: Option<&HoldCursor>,
        limit: usize,
    ) -> Result<Vec<HeldRow>, Error> {
        let mut sql = self.sql(
            "SELECT h.body, h.since, h.owner, h.grp, h.flow, h.record, h.cause_key, \
             (SELECT COUNT(*) FROM answer a WHERE a.flow = h.flow AND a.record = h.record AND a.at >= h.since) \
             FROM hold h WHERE 1 = 1",
        );
        for (text, name) in [
            (" AND h.flow = ", filter.flow.as_ref().map(FlowName::as_str)),
            (" AND h.object = ", filter.object.as_ref().map(ObjectName::as_str)),
        ] {
            if let Some(name) = name {
                let Some(id) = self.id_of(name).await? else { return Ok(Vec::new()) };
                sql.push(text).int(id);
            }
        }
        for (text, value) in [
            (" AND h.cause = ", filter.cause.as_deref()),
            (" AND h.record = ", filter.record.as_ref().map(RecordId::as_str)),
        ] {
            if let Some(value) = value {
                sql.push(text).text(value);
            }
        }
        if let Some(group) = &filter.group {
            sql.push(" AND h.grp = ").text(&*indexable(group));
        }
        if let Some(after) = after {
            sql.push(" AND (h.grp, h.flow, h.record, h.cause_key) > (").text(after.group.as_str()).push(",");
            sql.int(after.flow).push(",").text(after.record.as_str()).push(",").blob(&*after.key).push(")");
        }
        sql.push(" ORDER BY h.grp, h.flow, h.record, h.cause_key").limit(limit);
        self.fetch(sql, read_held).await
    }

    /// How many holds there are by object and cause, in that order.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn hold_counts(&self) -> Result<Vec<(ObjectName, String, u64)>, Error> {
        let sql = self.sql(
            "SELECT o.text, h.cause, COUNT(*) FROM hold h JOIN name o ON o.id = h.object \
             GROUP BY o.text, h.cause ORDER BY o.text, h.cause",
        );
        self.fetch(sql, |row| Ok((row.text(0)?.into(), row.text(1)?.to_owned(), row.int(2)?.unsigned_abs()))).await
    }

    /// Records that are held for one of these parents, which are records of `flow`.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn children(&self, flow: &FlowName, parents: &[RecordId]) -> Result<Vec<Child>, Error> {
        let Some(flow) = self.id_of(flow.as_str()).await? else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for parents in parents.chunks(LIST) {
            let mut sql = self.sql(
                "SELECT DISTINCT f.text, h.record, h.parent FROM hold h JOIN name f ON f.id = h.flow \
                 WHERE h.parent_flow = ",
            );
            sql.int(flow).push(" AND h.parent IN ").texts(parents.iter().map(RecordId::as_str));
            sql.push(" ORDER BY 1, 2, 3");
            let read = |row: &Row<'_>| {
                Ok(Child { flow: row.text(0)?.into(), record: row.text(1)?.into(), parent: row.text(2)?.into() })
            };
            found.extend(self.fetch(sql, read).await?);
        }
        Ok(found)
    }

    /// Held records of a flow that wait for parents which are settled by now, each with its parent's flow: whoever settled
    /// those did not come to them any more.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn waiting_in_vain(&self, flow: &FlowName) -> Result<Vec<(FlowName, Child)>, Error> {
        let Some(id) = self.id_of(flow.as_str()).await? else { return Ok(Vec::new()) };
        let mut sql = self.sql(
            "SELECT DISTINCT p.text, h.record, h.parent FROM hold h JOIN name p ON p.id = h.parent_flow \
             JOIN record r ON r.flow = h.parent_flow AND r.record = h.parent WHERE h.flow = ",
        );
        sql.int(id).push(" AND h.parent_flow IS NOT NULL AND r.outcome IN ").ints(&settled_numbers());
        sql.push(" ORDER BY 1, 2, 3");
        let read = |row: &Row<'_>| {
            let child = Child { flow: flow.clone(), record: row.text(1)?.into(), parent: row.text(2)?.into() };
            Ok((row.text(0)?.into(), child))
        };
        self.fetch(sql, read).await
    }
}

fn read_held(row: &Row<'_>) -> Result<HeldRow, sqlx::Error> {
    Ok(HeldRow {
        hold: serde_json::from_str(row.text(0)?).map_err(unreadable)?,
        since: instant(row.int(1)?),
        owner: row.opt_text(2)?.map(str::to_owned),
        cursor: HoldCursor {
            group: row.text(3)?.to_owned(),
            flow: row.int(4)?,
            record: row.text(5)?.to_owned(),
            key: row.blob(6)?.to_vec(),
        },
        answered: row.int(7)? > 0,
    })
}

/// What makes two holds of a record the same: the cause with its details, but without the values that are
/// shown of candidates, which change while the question stays the same.
fn cause_key(cause: &Cause) -> Result<[u8; 16], serde_json::Error> {
    let mut cause = cause.clone();
    hide_candidates(&mut cause, |_| true);
    let mut key = [0; 16];
    blake3::Hasher::new().update(&serde_json::to_vec(&cause)?).finalize_xof().fill(&mut key);
    Ok(key)
}

/// Takes the shown values off those candidates; whether there were any.
pub(crate) fn hide_candidates(cause: &mut Cause, which: impl Fn(&RecordId) -> bool) -> bool {
    let mut hidden = false;
    for candidate in cause.candidates_mut().iter_mut().filter(|candidate| which(&candidate.target)) {
        hidden |= !candidate.shown.is_empty();
        candidate.shown.clear();
    }
    hidden
}

/// A hold on its way into its row.
struct Placed<'c> {
    flow: i64,
    object: i64,
    key: [u8; 16],
    group: String,
    since: i64,
    owner: Option<String>,
    parent: Option<(i64, &'c str)>,
    body: String,
    hold: &'c Hold,
}

type Kept = HashMap<(i64, String, Vec<u8>), (i64, Option<String>)>;

impl Step<'_> {
    /// Clears the released records' holds and the closed reports, then adds the new ones.
    pub(crate) async fn write_holds(&mut self, commit: &Commit) -> Result<(), Error> {
        let mut touched: HashMap<i64, Vec<&str>> = HashMap::new();
        let mut released: HashMap<i64, Vec<&str>> = HashMap::new();
        for (flow, record) in &commit.released {
            released.entry(self.id(flow.as_str())?).or_default().push(record.as_str());
        }
        for hold in &commit.holds {
            touched.entry(self.id(hold.flow.as_str())?).or_default().push(hold.record.as_str());
        }
        let kept = self.kept(touched).await?;
        for (flow, records) in released {
            // Mostly there is none at all.
            let mut any = self.tx.sql("SELECT flow FROM hold WHERE flow = ");
            any.int(flow).push(" LIMIT 1");
            if self.tx.fetch(any, |row| row.int(0)).await?.is_empty() {
                continue;
            }
            self.close_answers(flow, &records).await?;
            for records in records.chunks(LIST) {
                // A report stays, whatever becomes of the record.
                let mut sql = self.tx.sql("DELETE FROM hold WHERE cause <> 'reported' AND flow = ");
                sql.int(flow).push(" AND record IN ").texts(records.iter().copied());
                self.tx.run(sql).await?;
            }
        }
        for (flow, record) in &commit.closed {
            let mut sql = self.tx.sql("DELETE FROM hold WHERE cause = 'reported' AND flow = ");
            sql.int(self.id(flow.as_str())?).push(" AND record = ").text(record.as_str());
            self.tx.run(sql).await?;
        }
        let mut rows = Vec::with_capacity(commit.holds.len());
        let mut seen = HashSet::new();
        for hold in &commit.holds {
            let row = self.place(hold, nanos(commit.at), &kept)?;
            if seen.insert((row.flow, hold.record.as_str(), row.key)) {
                rows.push(row);
            }
        }
        let head = "INSERT INTO hold (flow, record, cause_key, object, cause, grp, since, owner, parent_flow, \
                    parent, body) VALUES ";
        let tail = " ON CONFLICT (flow, record, cause_key) DO UPDATE SET body = excluded.body, \
                    object = excluded.object";
        self.tx.insert(head, &rows, tail, one).await?;
        for Cared { flow, records, owner } in &commit.cared {
            for records in records.chunks(LIST) {
                let mut sql = self.tx.sql("UPDATE hold SET owner = ");
                sql.text(owner.as_deref()).push(" WHERE flow = ").int(self.id(flow.as_str())?);
                sql.push(" AND record IN ").texts(records.iter().map(RecordId::as_str));
                self.tx.run(sql).await?;
            }
        }
        Ok(())
    }

    fn place<'c>(&self, hold: &'c Hold, at: i64, kept: &Kept) -> Result<Placed<'c>, Error> {
        let location = self.tx.location();
        let wrong = |error: serde_json::Error| Error::Failed { location: location.clone(), source: error.into() };
        let flow = self.id(hold.flow.as_str())?;
        let key = cause_key(&hold.cause).map_err(wrong)?;
        let before = kept.get(&(flow, hold.record.as_str().to_owned(), key.to_vec()));
        let said = match &hold.cause {
            Cause::Reported { owner, .. } => owner.clone(),
            _ => None,
        };
        let (since, owner) = before.cloned().unwrap_or((at, said));
        let parent = match &hold.cause {
            Cause::ParentHeld { flow, parent, .. } => Some((self.id(flow.as_str())?, parent.as_str())),
            _ => None,
        };
        Ok(Placed {
            flow,
            object: self.id(hold.object.as_str())?,
            key,
            group: indexable(&hold.cause.group()).into_owned(),
            since,
            owner,
            parent,
            body: serde_json::to_string(hold).map_err(wrong)?,
            hold,
        })
    }

    /// Since when and in whose care the holds of these records stand.
    async fn kept(&mut self, touched: HashMap<i64, Vec<&str>>) -> Result<Kept, Error> {
        let mut kept = Kept::new();
        for (flow, records) in touched {
            for records in records.chunks(LIST) {
                let mut sql = self.tx.sql("SELECT record, cause_key, since, owner FROM hold WHERE flow = ");
                sql.int(flow).push(" AND record IN ").texts(records.iter().copied());
                let read = |row: &Row<'_>| {
                    let key = (flow, row.text(0)?.to_owned(), row.blob(1)?.to_vec());
                    Ok((key, (row.int(2)?, row.opt_text(3)?.map(str::to_owned))))
                };
                kept.extend(self.tx.fetch(sql, read).await?);
            }
        }
        Ok(kept)
    }
}

fn one(sql: &mut Sql, row: &Placed<'_>) {
    sql.int(row.flow).text(row.hold.record.as_str()).blob(&row.key[..]).int(row.object);
    sql.text(row.hold.cause.word()).text(row.group.as_str()).int(row.since).text(row.owner.as_deref());
    sql.int(row.parent.map(|(flow, _)| flow)).text(row.parent.map(|(_, parent)| parent)).text(row.body.as_str());
}
