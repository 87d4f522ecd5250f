//! Records that vanished from a side of a flow, and how far was looked for them.

use handover_model::{FlowName, ObjectName, RecordId, Side, SystemName};
use jiff::Timestamp;

use crate::database::{LIST, Row, Sql, unreadable};
use crate::store::{Step, instant, nanos};
use crate::{Error, Store};

/// What is decided of a record that vanished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// Nothing yet.
    Pending,
    /// A person was asked.
    Asked,
    /// Its counterpart stays as it is.
    Kept,
    /// Its counterpart was marked.
    Marked,
    /// Its counterpart was deleted.
    Deleted,
}

/// A record that vanished from a side of a flow. It stays here until it is seen again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vanished {
    /// The flow.
    pub flow: FlowName,
    /// The side that it vanished from.
    pub side: Side,
    /// The record, by its id on that side.
    pub record: RecordId,
    /// The source record of the pair that it belongs to; empty where that has another counterpart by now.
    pub source: RecordId,
    /// What is decided.
    pub fate: Fate,
    /// The pass that noticed it.
    pub pass: i64,
    /// Since when it is missed.
    pub since: Timestamp,
    /// The record of the same side that it became, or seems to have become.
    pub into: Option<RecordId>,
    /// Whether the system says that it became that one.
    pub certain: bool,
    /// Its own counterpart: when the pair is the survivor's already, or when it is gone with it.
    pub counterpart: Option<RecordId>,
}

impl Vanished {
    /// A record that is missed since `since`, of which nothing more is known or decided.
    pub fn missed(
        flow: FlowName,
        side: Side,
        record: RecordId,
        source: RecordId,
        (pass, since): (i64, Timestamp),
    ) -> Self {
        Self {
            flow,
            side,
            record,
            source,
            fate: Fate::Pending,
            pass,
            since,
            into: None,
            certain: false,
            counterpart: None,
        }
    }

    /// The source record that it is about: of a source's record that is no pair's, the record itself.
    pub fn on_source(&self) -> &RecordId {
        let is_alone = self.side == Side::Source && self.source.as_str().is_empty();
        if is_alone { &self.record } else { &self.source }
    }
}

/// How far one of an object's lists was read to find what vanished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookout {
    /// The system.
    pub system: SystemName,
    /// Its object.
    pub object: ObjectName,
    /// Which list: `deleted`, `merged`, `whole`.
    pub list: String,
    /// The latest modification that counts as read, by the system's clock.
    pub at: Timestamp,
    /// When it was reached, by our clock.
    pub reached: Timestamp,
    /// Whether it was read once more after the overlap.
    pub closed: bool,
    /// When the last reading began, by our clock.
    pub looked: Timestamp,
    /// How many pages it took.
    pub pages: u64,
}

const COLUMNS: &str = "v.record, v.source, v.fate, v.pass, v.since, v.into_record, v.certain, v.counterpart";

const FATES: [Fate; 5] = [Fate::Pending, Fate::Asked, Fate::Kept, Fate::Marked, Fate::Deleted];

pub(crate) fn number(fate: Fate) -> i64 {
    FATES.iter().position(|known| *known == fate).map_or(0, |at| at as i64)
}

pub(crate) fn side_number(side: Side) -> i64 {
    i64::from(side == Side::Target)
}

fn read(flow: &FlowName, side: Side, row: &Row<'_>) -> Result<Vanished, sqlx::Error> {
    let fate = row.int(2)?;
    let known = usize::try_from(fate).ok().and_then(|at| FATES.get(at)).copied();
    Ok(Vanished {
        flow: flow.clone(),
        side,
        record: row.text(0)?.into(),
        source: row.text(1)?.into(),
        fate: known.ok_or_else(|| unreadable(format!("no fate has the number {fate}")))?,
        pass: row.int(3)?,
        since: instant(row.int(4)?),
        into: row.opt_text(5)?.map(RecordId::from),
        certain: row.int(6)? != 0,
        counterpart: row.opt_text(7)?.map(RecordId::from),
    })
}

impl Store {
    /// The records that vanished from a side of a flow, in order; with `open` those of which nothing is decided.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn vanished(&self, flow: &FlowName, side: Side, open: bool) -> Result<Vec<Vanished>, Error> {
        let Some(mut sql) = self.vanished_of(flow, side).await? else { return Ok(Vec::new()) };
        if open {
            sql.push(" AND v.fate <= ").int(number(Fate::Asked));
        }
        sql.push(" ORDER BY v.record");
        self.fetch(sql, |row| read(flow, side, row)).await
    }

    /// Those of these records that vanished from a side of a flow.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn vanished_among(
        &self,
        flow: &FlowName,
        side: Side,
        records: &[RecordId],
    ) -> Result<Vec<Vanished>, Error> {
        let mut found = Vec::new();
        for records in records.chunks(LIST) {
            let Some(mut sql) = self.vanished_of(flow, side).await? else { return Ok(found) };
            sql.push(" AND v.record IN ").texts(records.iter().map(RecordId::as_str));
            found.extend(self.fetch(sql, |row| read(flow, side, row)).await?);
        }
        Ok(found)
    }

    /// Those of a side of a flow that became one of these records, of which it is still to be decided what becomes of their
    /// counterparts.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn vanished_into(
        &self,
        flow: &FlowName,
        side: Side,
        records: &[RecordId],
    ) -> Result<Vec<Vanished>, Error> {
        let mut found = Vec::new();
        for records in records.chunks(LIST) {
            let Some(mut sql) = self.vanished_of(flow, side).await? else { return Ok(found) };
            sql.push(" AND v.fate <= ").int(number(Fate::Asked));
            sql.push(" AND v.into_record IN ").texts(records.iter().map(RecordId::as_str));
            found.extend(self.fetch(sql, |row| read(flow, side, row)).await?);
        }
        Ok(found)
    }

    /// The counterparts of these source records that vanished, where the records were deleted with them.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn gone_with(&self, flow: &FlowName, sources: &[RecordId]) -> Result<Vec<Vanished>, Error> {
        let mut found = Vec::new();
        for sources in sources.chunks(LIST) {
            let Some(mut sql) = self.vanished_of(flow, Side::Target).await? else { return Ok(found) };
            sql.push(" AND v.fate = ").int(number(Fate::Deleted));
            sql.push(" AND v.source IN ").texts(sources.iter().map(RecordId::as_str));
            found.extend(self.fetch(sql, |row| read(flow, Side::Target, row)).await?);
        }
        Ok(found)
    }

    async fn vanished_of(&self, flow: &FlowName, side: Side) -> Result<Option<Sql>, Error> {
        let Some(id) = self.id_of(flow.as_str()).await? else { return Ok(None) };
        let mut sql = self.sql(&format!("SELECT {COLUMNS} FROM vanished v WHERE v.flow = "));
        sql.int(id).push(" AND v.side = ").int(side_number(side));
        Ok(Some(sql))
    }

    /// How far a list of an object was read; `None` before the first reading.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn lookout(
        &self,
        system: &SystemName,
        object: &ObjectName,
        list: &str,
    ) -> Result<Option<Lookout>, Error> {
        let (Some(system_id), Some(object_id)) =
            (self.id_of(system.as_str()).await?, self.id_of(object.as_str()).await?)
        else {
            return Ok(None);
        };
        let mut sql = self.sql("SELECT at, reached, closed, looked, pages FROM lookout WHERE system = ");
        sql.int(system_id).push(" AND object = ").int(object_id).push(" AND list = ").text(list);
        let read = |row: &Row<'_>| {
            Ok(Lookout {
                system: system.clone(),
                object: object.clone(),
                list: list.to_owned(),
                at: instant(row.int(0)?),
                reached: instant(row.int(1)?),
                closed: row.int(2)? != 0,
                looked: instant(row.int(3)?),
                pages: row.int(4)?.unsigned_abs(),
            })
        };
        Ok(self.fetch(sql, read).await?.pop())
    }
}

impl Step<'_> {
    pub(crate) async fn write_vanished(
        &mut self,
        vanished: &[Vanished],
        returned: &[(FlowName, Side, RecordId)],
    ) -> Result<(), Error> {
        for (flow, side, record) in returned {
            let mut sql = self.tx.sql("DELETE FROM vanished WHERE flow = ");
            sql.int(self.id(flow.as_str())?).push(" AND side = ").int(side_number(*side));
            sql.push(" AND record = ").text(record.as_str());
            self.tx.run(sql).await?;
        }
        let mut placed = Vec::with_capacity(vanished.len());
        for row in vanished {
            placed.push((self.id(row.flow.as_str())?, row));
        }
        let placed = crate::apply::last_of_each(&placed, |(flow, row)| (*flow, row.side, row.record.as_str()));
        let head = "INSERT INTO vanished (flow, side, record, source, fate, pass, since, into_record, certain, \
                    counterpart) VALUES ";
        let tail = " ON CONFLICT (flow, side, record) DO UPDATE SET source = excluded.source, \
                    fate = excluded.fate, pass = excluded.pass, since = excluded.since, \
                    into_record = excluded.into_record, certain = excluded.certain, \
                    counterpart = excluded.counterpart";
        self.tx
            .insert(head, &placed, tail, |sql, (flow, row)| {
                sql.int(*flow).int(side_number(row.side)).text(row.record.as_str()).text(row.source.as_str());
                sql.int(number(row.fate)).int(row.pass).int(nanos(row.since));
                sql.text(row.into.as_ref().map(RecordId::as_str)).int(i64::from(row.certain));
                sql.text(row.counterpart.as_ref().map(RecordId::as_str));
            })
            .await
    }

    pub(crate) async fn write_lookouts(&mut self, lookouts: &[Lookout]) -> Result<(), Error> {
        for row in lookouts {
            let mut sql =
                self.tx.sql("INSERT INTO lookout (system, object, list, at, reached, closed, looked, pages) VALUES (");
            sql.int(self.id(row.system.as_str())?).push(",").int(self.id(row.object.as_str())?).push(",");
            sql.text(row.list.as_str()).push(",").int(nanos(row.at)).push(",").int(nanos(row.reached)).push(",");
            sql.int(i64::from(row.closed)).push(",").int(nanos(row.looked)).push(",");
            sql.int(i64::try_from(row.pages).unwrap_or(i64::MAX));
            sql.push(
                ") ON CONFLICT (system, object, list) DO UPDATE SET at = excluded.at, reached = excluded.reached, \
                 closed = excluded.closed, looked = excluded.looked, pages = excluded.pages",
            );
            self.tx.run(sql).await?;
        }
        Ok(())
    }

    /// Forgets under which keys records are found.
    pub(crate) async fn forget_keys(&mut self, gone: &[(SystemName, ObjectName, RecordId)]) -> Result<(), Error> {
        for (system, object, record) in gone {
            let mut sql = self.tx.sql("DELETE FROM match_key WHERE system = ");
            sql.int(self.id(system.as_str())?).push(" AND object = ").int(self.id(object.as_str())?);
            sql.push(" AND record = ").text(record.as_str());
            self.tx.run(sql).await?;
        }
        Ok(())
    }
}
