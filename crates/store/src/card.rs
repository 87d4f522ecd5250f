//! What the state has of single records: for people who look at one.

use std::collections::{HashMap, HashSet};

use futures::TryStreamExt;
use handover_model::{ObjectName, Record, RecordId, SystemName};

use crate::database::Row;
use crate::{Error, Store};

impl Store {
    /// The records of any system that have this id and that a flow knows, in order.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn records_called(&self, id: &RecordId) -> Result<Vec<(SystemName, ObjectName)>, Error> {
        let mut sql = self.sql(
            "SELECT DISTINCT s.text, o.text FROM (\
             SELECT f.source_system AS system, f.source_object AS object FROM flow f CROSS JOIN record r \
             WHERE r.flow = f.flow AND r.record = ",
        );
        sql.text(id.as_str());
        sql.push(
            " UNION SELECT f.target_system, f.target_object FROM flow f CROSS JOIN record r \
             WHERE r.flow = f.flow AND r.target IS NOT NULL AND r.target = ",
        );
        sql.text(id.as_str());
        sql.push(
            " UNION SELECT f.target_system, f.target_object FROM flow f CROSS JOIN record r \
             WHERE r.flow = f.back AND r.record = ",
        );
        sql.text(id.as_str());
        sql.push(") AS found JOIN name s ON s.id = found.system JOIN name o ON o.id = found.object ORDER BY 1, 2");
        self.fetch(sql, |row| Ok((row.text(0)?.into(), row.text(1)?.into()))).await
    }

    /// Records as they were staged last; those that were never read are absent.
    ///
    /// # Errors
    ///
    /// As [`Store::block`].
    pub async fn last_copies(
        &self,
        system: &SystemName,
        object: &ObjectName,
        ids: &[RecordId],
    ) -> Result<HashMap<RecordId, Record>, Error> {
        let mut found = HashMap::new();
        let wanted: HashSet<u64> = ids.iter().map(Self::mark_of).collect();
        let mut blocks: HashMap<u64, i64> = HashMap::new();
        let (Some(system_id), Some(object_id)) =
            (self.id_of(system.as_str()).await?, self.id_of(object.as_str()).await?)
        else {
            return Ok(found);
        };
        let mut sql = self.sql("SELECT number, marks FROM block WHERE system = ");
        sql.int(system_id).push(" AND object = ").int(object_id).push(" ORDER BY number");
        let read = |row: &Row<'_>| {
            let marks = row.blob(1)?.as_chunks().0.iter().map(|mark| u64::from_le_bytes(*mark));
            Ok((row.int(0)?, marks.filter(|mark| wanted.contains(mark)).collect::<Vec<_>>()))
        };
        let mut rows = self.stream(sql, read);
        while let Some((number, marks)) = rows.try_next().await? {
            blocks.extend(marks.into_iter().map(|mark| (mark, number)));
        }
        drop(rows);
        for number in blocks.values().collect::<HashSet<_>>() {
            for record in self.block_once(system, object, *number).await? {
                if ids.contains(&record.id) && blocks.get(&Self::mark_of(&record.id)) == Some(number) {
                    found.insert(record.id.clone(), record);
                }
            }
        }
        Ok(found)
    }
}
