//! Links that are written later, once both ends are in the target, and links that are to be taken away.

use handover_model::{FieldName, FlowName, RecordId, Side};

use crate::database::{Row, Sql};
use crate::store::Step;
use crate::vanished::{number, side_number};
use crate::{Commit, Error, Fate, PendingLink, Store};

/// Cross joins keep the order of the tables in SQLite too: a page begins with the links, in the order of
/// their key, and looks the ends up.
const READY: &str = "SELECT l.flow, l.record, l.field, l.parent_flow, l.parent, l.gone, a.target, b.target \
     FROM link l CROSS JOIN record a CROSS JOIN record b WHERE a.flow = l.flow AND a.record = l.record \
     AND b.flow = l.parent_flow AND b.record = l.parent AND a.target IS NOT NULL AND b.target IS NOT NULL \
     AND l.gone = 0";

/// The same for links of ways back, whose pairs are those of the flows that they turn round.
const READY_BACK: &str = "SELECT l.flow, l.record, l.field, l.parent_flow, l.parent, l.gone, a.record, b.record \
     FROM link l JOIN flow f ON f.back = l.flow JOIN flow p ON p.back = l.parent_flow \
     JOIN record a ON a.flow = f.flow AND a.target = l.record JOIN record b ON b.flow = p.flow AND b.target = l.parent \
     WHERE l.gone = 0 AND a.outcome <> ";

/// Links to be taken away, with the record that they are taken from, if there still is one: of a flow, and of a way
/// back, whose pairs are those of the flow that it turns round.
const GONE: &str = "SELECT l.flow, l.record, l.field, l.parent_flow, l.parent, l.gone, COALESCE(a.target, b.record) \
     FROM link l LEFT JOIN record a ON a.flow = l.flow AND a.record = l.record AND a.target IS NOT NULL \
     LEFT JOIN flow f ON f.back = l.flow LEFT JOIN record b ON b.flow = f.flow AND b.target = l.record \
     AND b.outcome <> ";

/// A link with the numbers of its flows.
struct Found {
    flow: i64,
    record: RecordId,
    field: String,
    parent_flow: i64,
    parent: RecordId,
    gone: bool,
}

fn read_link(row: &Row<'_>) -> Result<Found, sqlx::Error> {
    Ok(Found {
        flow: row.int(0)?,
        record: row.text(1)?.into(),
        field: row.text(2)?.to_owned(),
        parent_flow: row.int(3)?,
        parent: row.text(4)?.into(),
        gone: row.int(5)? != 0,
    })
}

impl Store {
    /// At most `limit` links that are not written yet, after the link `after`; of one flow, of one field,
    /// or of all. They come in an order that never changes.
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
        let mut sql =
            self.sql("SELECT l.flow, l.record, l.field, l.parent_flow, l.parent, l.gone FROM link l WHERE 1 = 1");
        if let Some(flow) = flow {
            let Some(flow) = self.id_of(flow.as_str()).await? else { return Ok(Vec::new()) };
            sql.push(" AND l.flow = ").int(flow);
        }
        if let Some(field) = field {
            sql.push(" AND l.field = ").text(field.as_str());
        }
        self.page(&mut sql, after, limit).await?;
        let found = self.fetch(sql, read_link).await?;
        let mut links = Vec::with_capacity(found.len());
        for found in found {
            links.push(self.named(found).await?);
        }
        Ok(links)
    }

    /// The links that wait for a record of a flow. Those that it has itself [`crate::Commit::relinked`] takes away.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn links_waiting_for(&self, flow: &FlowName, record: &RecordId) -> Result<Vec<PendingLink>, Error> {
        let Some(id) = self.id_of(flow.as_str()).await? else { return Ok(Vec::new()) };
        let mut sql = self.sql("SELECT l.flow, l.record, l.field, l.parent_flow, l.parent, l.gone FROM link l WHERE ");
        sql.push("l.gone = 0 AND l.parent_flow = ").int(id).push(" AND l.parent = ").text(record.as_str());
        let found = self.fetch(sql, read_link).await?;
        let mut links = Vec::with_capacity(found.len());
        for found in found {
            links.push(self.named(found).await?);
        }
        Ok(links)
    }

    /// At most `limit` links whose both ends have a target record that is not missed, with the targets of the record
    /// that points and of the one pointed to. Written links must be taken off (`Commit::linked`), else the
    /// same come again.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn ready_links(&self, limit: usize) -> Result<Vec<(PendingLink, RecordId, RecordId)>, Error> {
        let ready = self.ready_links_after(None, limit).await?;
        if ready.is_empty() { self.ready_links_back(limit).await } else { Ok(ready) }
    }

    /// No platform links with what is gone: a link waits until both its ends on this side are there again.
    fn without_missed(sql: &mut Sql, side: Side) {
        let column = if side == Side::Source { "record" } else { "target" };
        for end in ["a", "b"] {
            sql.push(&format!(" AND NOT EXISTS (SELECT 1 FROM vanished v WHERE v.flow = {end}.flow AND v.side = "));
            sql.int(side_number(side)).push(&format!(" AND v.record = {end}.{column} AND v.fate < "));
            sql.int(number(Fate::Deleted)).push(")");
        }
    }

    async fn ready_links_back(&self, limit: usize) -> Result<Vec<(PendingLink, RecordId, RecordId)>, Error> {
        let merged = crate::rows::number(handover_model::Outcome::Merged);
        let mut sql = self.sql(READY_BACK);
        sql.int(merged).push(" AND b.outcome <> ").int(merged);
        Self::without_missed(&mut sql, Side::Source);
        self.page(&mut sql, None, limit).await?;
        self.ready(sql).await
    }

    /// As [`Store::ready_links`] of flows, not of ways back, after the link `after`: for a caller that leaves some
    /// standing.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn ready_links_after(
        &self,
        after: Option<&PendingLink>,
        limit: usize,
    ) -> Result<Vec<(PendingLink, RecordId, RecordId)>, Error> {
        let mut sql = self.sql(READY);
        Self::without_missed(&mut sql, Side::Target);
        self.page(&mut sql, after, limit).await?;
        self.ready(sql).await
    }

    async fn ready(&self, sql: Sql) -> Result<Vec<(PendingLink, RecordId, RecordId)>, Error> {
        let read = |row: &Row<'_>| Ok((read_link(row)?, RecordId::from(row.text(6)?), RecordId::from(row.text(7)?)));
        let found = self.fetch(sql, read).await?;
        let mut links = Vec::with_capacity(found.len());
        for (found, from, to) in found {
            links.push((self.named(found).await?, from, to));
        }
        Ok(links)
    }

    /// At most `limit` links that are to be taken away, with the target record that they are taken from; without one
    /// nothing is left to be done. Those that are taken away must be taken off (`Commit::linked`), else the same come
    /// again.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn gone_links(
        &self,
        after: Option<&PendingLink>,
        limit: usize,
    ) -> Result<Vec<(PendingLink, Option<RecordId>)>, Error> {
        let mut sql = self.sql(GONE);
        sql.int(crate::rows::number(handover_model::Outcome::Merged)).push(" WHERE l.gone = 1");
        self.page(&mut sql, after, limit).await?;
        let read = |row: &Row<'_>| Ok((read_link(row)?, row.opt_text(6)?.map(RecordId::from)));
        let mut links = Vec::new();
        for (found, from) in self.fetch(sql, read).await? {
            links.push((self.named(found).await?, from));
        }
        Ok(links)
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

    async fn page(&self, sql: &mut Sql, after: Option<&PendingLink>, limit: usize) -> Result<(), Error> {
        if let Some(after) = after {
            let flow = self.id_of(after.flow.as_str()).await?.unwrap_or(0);
            let parent_flow = self.id_of(after.parent_flow.as_str()).await?.unwrap_or(0);
            sql.push(" AND (l.flow, l.record, l.field, l.parent_flow, l.parent, l.gone) > (").int(flow).push(",");
            sql.text(after.record.as_str()).push(",").text(after.field.as_str()).push(",").int(parent_flow);
            sql.push(",").text(after.parent.as_str()).push(",").int(i64::from(after.gone)).push(")");
        }
        sql.push(" ORDER BY l.flow, l.record, l.field, l.parent_flow, l.parent, l.gone").limit(limit);
        Ok(())
    }

    async fn named(&self, found: Found) -> Result<PendingLink, Error> {
        let names = self.all_names(&[found.flow, found.parent_flow]).await?;
        Ok(PendingLink {
            flow: FlowName::new(names.text(&self.inner.location, found.flow)?),
            record: found.record,
            field: found.field,
            parent_flow: FlowName::new(names.text(&self.inner.location, found.parent_flow)?),
            parent: found.parent,
            gone: found.gone,
        })
    }
}

impl Step<'_> {
    pub(crate) async fn write_links(&mut self, commit: &Commit) -> Result<(), Error> {
        let Commit { links, linked, relinked, .. } = commit;
        let relinked = relinked.iter().map(|(flow, record)| Ok((self.id(flow.as_str())?, record)));
        let relinked = relinked.collect::<Result<Vec<_>, Error>>()?;
        for batch in crate::database::batches(&relinked) {
            let mut sql = self.tx.sql("DELETE FROM link WHERE (flow, record) IN (VALUES ");
            sql.rows(batch, |sql, (flow, record)| {
                sql.whole(*flow).text(record.as_str());
            });
            sql.push(")");
            self.tx.run(sql).await?;
        }
        let placed = self.placed(links)?;
        let head = "INSERT INTO link (flow, record, field, parent_flow, parent, gone) VALUES ";
        self.tx.insert(head, &placed, " ON CONFLICT DO NOTHING", one).await?;
        let placed = self.placed(linked)?;
        for batch in crate::database::batches(&placed) {
            let mut sql =
                self.tx.sql("DELETE FROM link WHERE (flow, record, field, parent_flow, parent, gone) IN (VALUES ");
            // Bare rows have no column to take their types from.
            sql.rows(batch, |sql, (flow, parent_flow, link)| {
                sql.whole(*flow).text(link.record.as_str()).text(link.field.as_str()).whole(*parent_flow);
                sql.text(link.parent.as_str()).whole(i64::from(link.gone));
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
    sql.text(link.parent.as_str()).int(i64::from(link.gone));
}
