//! Links that are written later, once both ends are in the target.

use handover_model::{FieldName, FlowName, RecordId};

use crate::database::{Row, Sql};
use crate::store::Step;
use crate::{Error, PendingLink, Store};

const COLUMNS: &str = "f.text, l.record, l.field, p.text, l.parent";
const FROM: &str = " FROM link l JOIN name f ON f.id = l.flow JOIN name p ON p.id = l.parent_flow";

fn read_link(row: &Row<'_>) -> Result<PendingLink, sqlx::Error> {
    Ok(PendingLink {
        flow: row.text(0)?.into(),
        record: row.text(1)?.into(),
        field: row.text(2)?.to_owned(),
        parent_flow: row.text(3)?.into(),
        parent: row.text(4)?.into(),
    })
}

/// Names rather than their numbers give the order: it is the same in every copy of the state.
fn page(sql: &mut Sql, after: Option<&PendingLink>, limit: usize) {
    if let Some(after) = after {
        sql.push(" AND (f.text, l.record, l.field, p.text, l.parent) > (");
        sql.text(after.flow.as_str()).push(",").text(after.record.as_str()).push(",").text(after.field.as_str());
        sql.push(",").text(after.parent_flow.as_str()).push(",").text(after.parent.as_str()).push(")");
    }
    sql.push(" ORDER BY f.text, l.record, l.field, p.text, l.parent LIMIT ").int(limit as i64);
}

impl Store {
    /// At most `limit` links that are not written yet, in order, after the link `after`; of one flow, of
    /// one field, or of all.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn pending_links(
        &self,
        flow: Option<&FlowName>,
        field: Option<&FieldName>,
        after: Option<&PendingLink>,
        limit: usize,
    ) -> Result<Vec<PendingLink>, Error> {
        let mut sql = self.sql(&format!("SELECT {COLUMNS}{FROM} WHERE 1 = 1"));
        if let Some(flow) = flow {
            sql.push(" AND f.text = ").text(flow.as_str());
        }
        if let Some(field) = field {
            sql.push(" AND l.field = ").text(field.as_str());
        }
        page(&mut sql, after, limit);
        self.fetch(sql, read_link).await
    }

    /// At most `limit` links whose both ends have a target record, with the targets of the record that
    /// points and of the one pointed to. Written links must be taken off (`Commit::linked`), else the
    /// same come again.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn ready_links(&self, limit: usize) -> Result<Vec<(PendingLink, RecordId, RecordId)>, Error> {
        self.ready_links_after(None, limit).await
    }

    /// As [`Store::ready_links`], after the link `after`: for a caller that leaves some standing.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn ready_links_after(
        &self,
        after: Option<&PendingLink>,
        limit: usize,
    ) -> Result<Vec<(PendingLink, RecordId, RecordId)>, Error> {
        let mut sql = self.sql(&format!(
            "SELECT {COLUMNS}, a.target, b.target{FROM} JOIN record a ON a.flow = l.flow AND a.record = l.record \
             JOIN record b ON b.flow = l.parent_flow AND b.record = l.parent \
             WHERE a.target IS NOT NULL AND b.target IS NOT NULL"
        ));
        page(&mut sql, after, limit);
        self.fetch(sql, |row| Ok((read_link(row)?, row.text(5)?.into(), row.text(6)?.into()))).await
    }

    /// How many links are not written yet, ready or not.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn count_pending_links(&self) -> Result<u64, Error> {
        let found = self.fetch(self.sql("SELECT COUNT(*) FROM link"), |row| row.int(0)).await?;
        Ok(found.first().copied().unwrap_or(0).unsigned_abs())
    }
}

impl Step<'_> {
    pub(crate) async fn write_links(&mut self, links: &[PendingLink], linked: &[PendingLink]) -> Result<(), Error> {
        let placed = self.placed(links)?;
        let head = "INSERT INTO link (flow, record, field, parent_flow, parent) VALUES ";
        self.tx.insert(head, &placed, " ON CONFLICT DO NOTHING", one).await?;
        let placed = self.placed(linked)?;
        for batch in crate::database::batches(&placed) {
            let mut sql = self.tx.sql("DELETE FROM link WHERE (flow, record, field, parent_flow, parent) IN (VALUES ");
            // Bare rows have no column to take their types from.
            sql.rows(batch, |sql, (flow, parent_flow, link)| {
                sql.whole(*flow).text(link.record.as_str()).text(link.field.as_str()).whole(*parent_flow);
                sql.text(link.parent.as_str());
            });
            sql.push(")");
            self.tx.run(sql).await?;
        }
        Ok(())
    }

    fn placed<'l>(&self, links: &'l [PendingLink]) -> Result<Vec<(i64, i64, &'l PendingLink)>, Error> {
        links.iter().map(|link| Ok((self.id(link.flow.as_str())?, self.id(link.parent_flow.as_str())?, link))).collect()
    }
}

fn one(sql: &mut Sql, (flow, parent_flow, link): &(i64, i64, &PendingLink)) {
    sql.int(*flow).text(link.record.as_str()).text(link.field.as_str()).int(*parent_flow);
    sql.text(link.parent.as_str());
}
