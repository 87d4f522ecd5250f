//! The crosswalk: which record is which in the other systems.

use std::collections::{BTreeMap, HashMap};

use futures::TryStreamExt;
use handover_model::{FlowName, ObjectName, Outcome, RecordId, Side, SystemName};

use crate::database::{LIST, Row, Sql};
use crate::store::Step;
use crate::{Error, Identity, Membership, RecordRow, Store};

impl Store {
    /// Sets `number` identities aside and gives the first; the others follow it. A durable step of its
    /// own: identities that are then not used are never given again.
    ///
    /// # Errors
    ///
    /// The database's, [`Error::Stopped`].
    pub async fn reserve_identities(&self, number: usize) -> Result<Identity, Error> {
        let mut writer = self.writer().await?;
        let mut step = self.begin(&mut writer).await?;
        let last = step.count_up("identity", number as i64).await?;
        self.finish(step).await?;
        Ok(last - number as i64 + 1)
    }

    /// Identity, role and state of these records; records without an identity are absent.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn identities(
        &self,
        system: &SystemName,
        object: &ObjectName,
        records: &[RecordId],
    ) -> Result<HashMap<RecordId, (Identity, String, String)>, Error> {
        let mut found = HashMap::with_capacity(records.len());
        let (Some(system), Some(object)) = (self.id_of(system.as_str()).await?, self.id_of(object.as_str()).await?)
        else {
            return Ok(found);
        };
        for records in records.chunks(LIST) {
            let mut sql = self.sql("SELECT record, identity, role, state FROM member WHERE system = ");
            sql.int(system).push(" AND object = ").int(object).push(" AND record IN ");
            // Later rows win in the map: the identity that was given last.
            sql.texts(records.iter().map(RecordId::as_str)).push(" ORDER BY identity");
            let read = |row: &Row<'_>| {
                Ok((row.text(0)?.into(), (row.int(1)?, row.text(2)?.to_owned(), row.text(3)?.to_owned())))
            };
            found.extend(self.fetch(sql, read).await?);
        }
        Ok(found)
    }

    /// All members of an identity, in order of system, object and record.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn members(&self, identity: Identity) -> Result<Vec<Membership>, Error> {
        let mut sql = self.sql(
            "SELECT DISTINCT s.text, o.text, m.record, m.identity, m.role, m.state FROM member m \
             JOIN name s ON s.id = m.system JOIN name o ON o.id = m.object WHERE m.identity = ",
        );
        sql.int(identity).push(" ORDER BY s.text, o.text, m.record");
        let read = |row: &Row<'_>| {
            Ok(Membership {
                system: row.text(0)?.into(),
                object: row.text(1)?.into(),
                record: row.text(2)?.into(),
                identity: row.int(3)?,
                role: row.text(4)?.to_owned(),
                state: row.text(5)?.to_owned(),
            })
        };
        self.fetch(sql, read).await
    }

    /// What these records are in another system: live members of the same identity that are the thing
    /// itself (an empty role). Where there are several, the one whose id comes first.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn counterparts(
        &self,
        from: (&SystemName, &ObjectName),
        to: (&SystemName, &ObjectName),
        records: &[RecordId],
    ) -> Result<HashMap<RecordId, RecordId>, Error> {
        // Of several the first one: later rows win in the map.
        let states = " AND b.state = 'live' ORDER BY a.record, b.record DESC";
        Ok(self.opposite("member", from, to, records, states).await?.into_iter().collect())
    }

    /// What these records, which were deleted once, were in another system until that was deleted too: pairs of both,
    /// in order.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn former_counterparts(
        &self,
        from: (&SystemName, &ObjectName),
        to: (&SystemName, &ObjectName),
        records: &[RecordId],
    ) -> Result<Vec<(RecordId, RecordId)>, Error> {
        let states = " AND a.state = 'deleted' AND b.state = 'deleted' ORDER BY a.record, b.record";
        self.opposite("membership", from, to, records, states).await
    }

    /// These records with what has their identity in another system and is the thing itself, as a table knows it and
    /// their states are.
    async fn opposite(
        &self,
        table: &str,
        from: (&SystemName, &ObjectName),
        to: (&SystemName, &ObjectName),
        records: &[RecordId],
        states: &str,
    ) -> Result<Vec<(RecordId, RecordId)>, Error> {
        let mut ids = [0; 4];
        let names = [from.0.as_str(), from.1.as_str(), to.0.as_str(), to.1.as_str()];
        for (id, name) in ids.iter_mut().zip(names) {
            let Some(known) = self.id_of(name).await? else { return Ok(Vec::new()) };
            *id = known;
        }
        let mut found = Vec::new();
        for records in records.chunks(LIST) {
            let mut sql = self.sql(&format!(
                "SELECT a.record, b.record FROM {table} a JOIN {table} b ON b.identity = a.identity WHERE a.system = "
            ));
            sql.int(ids[0]).push(" AND a.object = ").int(ids[1]).push(" AND a.record IN ");
            sql.texts(records.iter().map(RecordId::as_str));
            sql.push(" AND b.system = ").int(ids[2]).push(" AND b.object = ").int(ids[3]);
            sql.push(" AND b.role = ''").push(states);
            found.extend(self.fetch(sql, pair).await?);
        }
        Ok(found)
    }

    /// The target records of these source records in a flow; records that have none are absent.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn targets_of_flow(
        &self,
        flow: &FlowName,
        sources: &[RecordId],
    ) -> Result<HashMap<RecordId, RecordId>, Error> {
        let mut found = HashMap::with_capacity(sources.len());
        let Some(flow) = self.id_of(flow.as_str()).await? else { return Ok(found) };
        for sources in sources.chunks(LIST) {
            // Asking for targets that are there would lead SQLite to the wrong index.
            let mut sql = self.sql("SELECT record, target FROM record WHERE flow = ");
            sql.int(flow).push(" AND record IN ").texts(sources.iter().map(RecordId::as_str));
            let read = |row: &Row<'_>| Ok((row.text(0)?.into(), row.opt_text(1)?.map(RecordId::from)));
            let pairs: Vec<(RecordId, _)> = self.fetch(sql, read).await?;
            found.extend(pairs.into_iter().filter_map(|(source, target)| Some((source, target?))));
        }
        Ok(found)
    }

    /// The source records of these target records in a flow. Where several were merged into one target,
    /// the one that was not merged away.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn sources_of_flow(
        &self,
        flow: &FlowName,
        targets: &[RecordId],
    ) -> Result<HashMap<RecordId, RecordId>, Error> {
        let mut found = HashMap::with_capacity(targets.len());
        let Some(flow) = self.id_of(flow.as_str()).await? else { return Ok(found) };
        let merged = crate::rows::number(handover_model::Outcome::Merged);
        for targets in targets.chunks(LIST) {
            let mut sql = self.sql("SELECT target, record FROM record WHERE flow = ");
            sql.int(flow).push(" AND target IS NOT NULL AND target IN ").texts(targets.iter().map(RecordId::as_str));
            // Later rows win in the map: so merged ones come first, and the order is always the same.
            sql.push(" ORDER BY CASE WHEN outcome = ").int(merged).push(" THEN 0 ELSE 1 END, record DESC");
            found.extend(self.fetch(sql, pair).await?);
        }
        Ok(found)
    }

    /// The objects that a flow pairs: source system and object, target system and object.
    pub(crate) async fn ends(&self, flow: i64) -> Result<Option<[i64; 4]>, Error> {
        let mut sql =
            self.sql("SELECT source_system, source_object, target_system, target_object FROM flow WHERE flow = ");
        sql.int(flow);
        let mut found = self.stream(sql, |row| Ok([row.int(0)?, row.int(1)?, row.int(2)?, row.int(3)?]));
        found.try_next().await
    }
}

fn pair(row: &Row<'_>) -> Result<(RecordId, RecordId), sqlx::Error> {
    Ok((row.text(0)?.into(), row.text(1)?.into()))
}

/// A row's record on a side, with the identity that it has.
fn of_side(row: &RecordRow, side: Side) -> Option<(&str, Identity)> {
    let record = match side {
        Side::Source => Some(&row.record),
        Side::Target => row.target.as_ref(),
    };
    Some((record?.as_str(), row.identity?))
}

/// Of identities that are one by pairs, each but the oldest with the oldest.
fn oldest(pairs: &[(Identity, Identity)]) -> BTreeMap<Identity, Identity> {
    let mut older: BTreeMap<Identity, Identity> = BTreeMap::new();
    let find = |older: &BTreeMap<Identity, Identity>, mut one: Identity| {
        while let Some(next) = older.get(&one) {
            one = *next;
        }
        one
    };
    for (one, other) in pairs {
        let (one, other) = (find(&older, *one), find(&older, *other));
        if one != other {
            older.insert(one.max(other), one.min(other));
        }
    }
    older.keys().map(|one| (*one, find(&older, *one))).collect()
}

impl Step<'_> {
    pub(crate) async fn write_memberships(&mut self, memberships: &[Membership]) -> Result<(), Error> {
        let mut placed = Vec::with_capacity(memberships.len());
        for row in memberships {
            placed.push((self.id(row.system.as_str())?, self.id(row.object.as_str())?, row));
        }
        let placed =
            crate::apply::last_of_each(&placed, |(system, object, row)| (*system, *object, row.record.as_str()));
        let head = "INSERT INTO membership (system, object, record, identity, role, state) VALUES ";
        let tail = " ON CONFLICT (system, object, record) DO UPDATE SET identity = excluded.identity, \
                    role = excluded.role, state = excluded.state";
        self.tx
            .insert(head, &placed, tail, |sql: &mut Sql, (system, object, row)| {
                sql.int(*system).int(*object).text(row.record.as_str()).int(row.identity);
                sql.text(row.role.as_str()).text(row.state.as_str());
            })
            .await
    }

    /// Flows that meet in one object pair the same records, each in its own rows: what they pair is one identity, the
    /// oldest of them. So is what was merged into one target.
    pub(crate) async fn join_identities(&mut self, rows: &[RecordRow]) -> Result<(), Error> {
        let mut flows: BTreeMap<i64, Vec<&RecordRow>> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.identity.is_some() && row.target.is_some()) {
            flows.entry(self.id(row.flow.as_str())?).or_default().push(row);
        }
        let mut same = Vec::new();
        for (flow, rows) in flows {
            let mut meetings = self.meetings(flow).await?;
            if rows.iter().any(|row| row.outcome == Outcome::Merged) {
                meetings.push((Side::Target, flow, Side::Target));
            }
            for (own, other, side) in meetings {
                let records: HashMap<&str, Identity> = rows.iter().filter_map(|row| of_side(row, own)).collect();
                let found = self.identities_in(other, side, records.keys().copied()).await?;
                same.extend(found.iter().filter_map(|(record, found)| Some((*records.get(record.as_str())?, *found))));
            }
        }
        for (from, to) in oldest(&same) {
            let mut sql = self.tx.sql("UPDATE record SET identity = ");
            sql.int(to).push(" WHERE target IS NOT NULL AND identity = ").int(from);
            self.tx.run(sql).await?;
            let mut sql = self.tx.sql("UPDATE membership SET identity = ");
            sql.int(to).push(" WHERE identity = ").int(from);
            self.tx.run(sql).await?;
        }
        Ok(())
    }

    /// The other flows that have an end in common with this one: which of its ends, the flow, which of that one's.
    async fn meetings(&mut self, flow: i64) -> Result<Vec<(Side, i64, Side)>, Error> {
        let sides = ["source", "target"];
        let mut sql = self.tx.sql("");
        let mut between = "";
        for (own, theirs) in sides.iter().flat_map(|own| sides.iter().map(move |theirs| (*own, *theirs))) {
            let (is_target, its_target) = (i64::from(own == "target"), i64::from(theirs == "target"));
            sql.push(&format!(
                "{between}SELECT {is_target}, g.flow, {its_target} FROM flow f JOIN flow g ON g.flow <> f.flow AND \
                 g.{theirs}_system = f.{own}_system AND g.{theirs}_object = f.{own}_object WHERE f.flow = "
            ));
            sql.int(flow);
            between = " UNION ALL ";
        }
        let side = |target: i64| if target == 0 { Side::Source } else { Side::Target };
        self.tx.fetch(sql, |row| Ok((side(row.int(0)?), row.int(1)?, side(row.int(2)?)))).await
    }

    /// The identities that a flow gives to these records of one of its sides.
    async fn identities_in<'r>(
        &mut self,
        flow: i64,
        side: Side,
        records: impl Iterator<Item = &'r str>,
    ) -> Result<Vec<(String, Identity)>, Error> {
        let mut records: Vec<&str> = records.collect();
        records.sort_unstable();
        let mut found = Vec::new();
        for records in records.chunks(LIST) {
            // Each leads to the index that has the records of that side.
            let (column, only) = match side {
                Side::Source => ("record", ""),
                Side::Target => ("target", "target IS NOT NULL AND "),
            };
            let mut sql = self.tx.sql(&format!("SELECT {column}, identity, target FROM record WHERE {only}flow = "));
            sql.int(flow).push(&format!(" AND {column} IN ")).texts(records.iter().copied());
            let read = |row: &Row<'_>| {
                let identity = row.opt_int(1)?;
                Ok((row.text(0)?.to_owned(), identity.filter(|_| matches!(row.opt_text(2), Ok(Some(_))))))
            };
            let rows = self.tx.fetch(sql, read).await?;
            found.extend(rows.into_iter().filter_map(|(record, identity)| Some((record, identity?))));
        }
        Ok(found)
    }

    /// Adds to a counter and gives its new value.
    pub(crate) async fn count_up(&mut self, counter: &str, number: i64) -> Result<i64, Error> {
        let mut sql = self.tx.sql("UPDATE counter SET value = value + ");
        sql.int(number).push(" WHERE name = ").text(counter).push(" RETURNING value");
        let found = self.tx.fetch(sql, |row| row.int(0)).await?.pop();
        found.ok_or_else(|| Error::Corrupt {
            location: self.tx.location().clone(),
            what: format!("the counter `{counter}` is missing"),
            source: None,
        })
    }
}
