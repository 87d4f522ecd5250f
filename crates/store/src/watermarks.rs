//! How far the changes of an object were read.

use handover_model::{ObjectName, SystemName};
use jiff::{SignedDuration, Timestamp};

use crate::database::Row;
use crate::store::{Step, instant, nanos};
use crate::{Error, Store};

/// How far the changes of an object were read, and what the last reading brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watermark {
    /// The system.
    pub system: SystemName,
    /// Its object.
    pub object: ObjectName,
    /// The latest modification that counts as read, by the system's clock.
    pub at: Timestamp,
    /// When it was reached, by the system's clock.
    pub reached: Timestamp,
    /// Whether it was read once more after the overlap.
    pub closed: bool,
    /// How far the system's clock counted as ahead of ours then, in whole seconds.
    pub ahead: SignedDuration,
    /// When it was seen to have been set forward, by our clock, as long as its old time counts.
    pub set: Option<Timestamp>,
    /// Marks of the records that the last reading brought, in order: what comes again unchanged is known by them.
    pub seen: Vec<u64>,
}

impl Store {
    /// How far the changes of an object were read; `None` before the first reading of changes.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn watermark(&self, system: &SystemName, object: &ObjectName) -> Result<Option<Watermark>, Error> {
        let (Some(system_id), Some(object_id)) =
            (self.id_of(system.as_str()).await?, self.id_of(object.as_str()).await?)
        else {
            return Ok(None);
        };
        let mut sql = self.sql("SELECT at, reached, closed, ahead, clock_set, seen FROM watermark WHERE system = ");
        sql.int(system_id).push(" AND object = ").int(object_id);
        let read = |row: &Row<'_>| {
            Ok(Watermark {
                system: system.clone(),
                object: object.clone(),
                at: instant(row.int(0)?),
                reached: instant(row.int(1)?),
                closed: row.int(2)? != 0,
                ahead: SignedDuration::from_secs(row.int(3)?),
                set: row.opt_int(4)?.map(instant),
                seen: row.blob(5)?.chunks_exact(8).map(number).collect(),
            })
        };
        Ok(self.fetch(sql, read).await?.pop())
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_le_bytes)
}

impl Step<'_> {
    pub(crate) async fn write_watermarks(&mut self, watermarks: &[Watermark]) -> Result<(), Error> {
        for row in watermarks {
            let seen: Vec<u8> = row.seen.iter().flat_map(|mark| mark.to_le_bytes()).collect();
            let mut sql = self
                .tx
                .sql("INSERT INTO watermark (system, object, at, reached, closed, ahead, clock_set, seen) VALUES (");
            sql.int(self.id(row.system.as_str())?).push(",").int(self.id(row.object.as_str())?).push(",");
            sql.int(nanos(row.at)).push(",").int(nanos(row.reached)).push(",").int(i64::from(row.closed)).push(",");
            sql.int(row.ahead.as_secs()).push(",").int(row.set.map(nanos)).push(",");
            sql.blob(seen.as_slice());
            sql.push(
                ") ON CONFLICT (system, object) DO UPDATE SET at = excluded.at, reached = excluded.reached, \
                 closed = excluded.closed, ahead = excluded.ahead, clock_set = excluded.clock_set, \
                 seen = excluded.seen",
            );
            self.tx.run(sql).await?;
        }
        Ok(())
    }
}
