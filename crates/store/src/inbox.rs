//! What webhooks told: kept before it is answered, until somebody has looked.
//!
//! Invariants:
//! - A hint that was received survives a power cut, and waits until it is marked as done.
//! - The same event counts once, however often it is delivered, for as long as a platform tries again.

use std::collections::BTreeMap;
use std::sync::Arc;

use handover_model::{Event, Happened, SystemName};
use jiff::{SignedDuration, Timestamp};

use crate::codec::indexable;
use crate::database::{LIST, Row, Tx, unreadable};
use crate::names::Names;
use crate::store::{instant, nanos};
use crate::{Error, Store};

/// How long an event is remembered after it was done: longer than platforms deliver again.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(3 * 24);

/// Something that a webhook told and at which nobody has looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The system that told it.
    pub system: SystemName,
    /// What it told. A very long id ends in its hash.
    pub event: Event,
    /// When it was received.
    pub received: Timestamp,
}

/// What a system's webhooks have told so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The system.
    pub system: SystemName,
    /// How many events, each counted once.
    pub events: u64,
    /// When the last of them was received.
    pub last: Timestamp,
    /// How many of them wait.
    pub waiting: u64,
}

impl Store {
    /// Keeps what a delivery told; gives how many of its events are new. A durable step, and the one that in PostgreSQL
    /// needs no lease (see [`Store::open_receiving`]).
    ///
    /// # Errors
    ///
    /// [`Error::Stopped`] or the database's.
    pub async fn receive(&self, system: &SystemName, events: &[Event], at: Timestamp) -> Result<u64, Error> {
        if events.is_empty() {
            return Ok(0);
        }
        if !self.inner.receives {
            let mut writer = self.writer().await?;
            let mut step = self.begin(&mut writer).await?;
            let new = put(&mut step.tx, &mut step.names, system, events, at).await?;
            self.finish(step).await?;
            return Ok(new);
        }
        let mut tx = self.inner.pool.begin(&self.inner.location).await?;
        let mut names = (*self.names()).clone();
        let new = put(&mut tx, &mut names, system, events, at).await?;
        tx.commit().await?;
        self.set_names(Arc::new(names));
        Ok(new)
    }

    /// What waits, in the order in which it was received; at most `limit` hints.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn inbox(&self, limit: usize) -> Result<Vec<Hint>, Error> {
        let mut sql = self.sql(
            "SELECT s.text, i.event, o.text, i.record, i.what, i.survivor, i.at, i.received FROM inbox i \
             JOIN name s ON s.id = i.system JOIN name o ON o.id = i.object \
             WHERE i.done IS NULL ORDER BY i.received, i.system, i.event",
        );
        sql.limit(limit);
        let read = |row: &Row<'_>| {
            let event = Event {
                id: row.text(1)?.to_owned(),
                account: String::new(),
                object: row.text(2)?.into(),
                record: row.text(3)?.into(),
                what: happened(row.text(4)?, row.opt_text(5)?)?,
                at: instant(row.int(6)?),
            };
            Ok(Hint { system: row.text(0)?.into(), event, received: instant(row.int(7)?) })
        };
        self.fetch(sql, read).await
    }

    /// Marks hints as done, and forgets those that were done long ago. A durable step.
    ///
    /// # Errors
    ///
    /// [`Error::Stopped`] or the database's.
    pub async fn mark_done(&self, hints: &[Hint], at: Timestamp) -> Result<(), Error> {
        if hints.is_empty() {
            return Ok(());
        }
        let mut by_system: BTreeMap<&SystemName, Vec<&str>> = BTreeMap::new();
        for hint in hints {
            by_system.entry(&hint.system).or_default().push(&hint.event.id);
        }
        let mut writer = self.writer().await?;
        let mut step = self.begin(&mut writer).await?;
        let names: Vec<&str> = by_system.keys().map(|system| system.as_str()).collect();
        step.names.intern(&mut step.tx, names).await?;
        for (system, events) in by_system {
            let system = step.id(system.as_str())?;
            for events in events.chunks(LIST) {
                let mut sql = step.tx.sql("UPDATE inbox SET done = ");
                sql.int(nanos(at)).push(" WHERE system = ").int(system);
                sql.push(" AND event IN ").texts(events.iter().copied());
                step.tx.run(sql).await?;
            }
        }
        let mut sql = step.tx.sql("DELETE FROM inbox WHERE done < ");
        sql.int(nanos(at.checked_sub(REMEMBERED).unwrap_or(Timestamp::MIN)));
        step.tx.run(sql).await?;
        self.finish(step).await
    }

    /// What the webhooks of each system told so far, in order of the systems; of those that told something.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn received(&self) -> Result<Vec<Received>, Error> {
        let sql = self.sql(
            "SELECT n.text, h.events, h.last, \
             (SELECT COUNT(*) FROM inbox i WHERE i.system = h.system AND i.done IS NULL) \
             FROM heard h JOIN name n ON n.id = h.system ORDER BY n.text",
        );
        let read = |row: &Row<'_>| {
            Ok(Received {
                system: row.text(0)?.into(),
                events: row.int(1)?.unsigned_abs(),
                last: instant(row.int(2)?),
                waiting: row.int(3)?.unsigned_abs(),
            })
        };
        self.fetch(sql, read).await
    }
}

/// Puts events into the inbox, each once.
async fn put(
    tx: &mut Tx<'_>,
    names: &mut Names,
    system: &SystemName,
    events: &[Event],
    at: Timestamp,
) -> Result<u64, Error> {
    let mut wanted: Vec<&str> = events.iter().map(|event| event.object.as_str()).collect();
    wanted.push(system.as_str());
    names.intern(tx, wanted).await?;
    let system = names.id(tx.location(), system.as_str())?;
    let mut rows = Vec::with_capacity(events.len());
    for event in events {
        rows.push((names.id(tx.location(), event.object.as_str())?, event));
    }
    // In one order everywhere: two that receive the same events wait for each other, and not in a circle.
    rows.sort_by(|(_, one), (_, other)| one.id.cmp(&other.id));
    let mut new = 0;
    for batch in crate::database::batches(&rows) {
        let mut sql = tx.sql("INSERT INTO inbox (system, event, object, record, what, survivor, at, received) VALUES ");
        sql.rows(batch, |sql, (object, event)| {
            let (what, survivor) = word(&event.what);
            sql.int(system).text(&*indexable(&event.id)).int(*object).text(event.record.as_str());
            sql.text(what).text(survivor).int(nanos(event.at)).int(nanos(at));
        });
        sql.push(" ON CONFLICT (system, event) DO NOTHING");
        new += tx.run(sql).await?;
    }
    let mut sql = tx.sql("INSERT INTO heard (system, events, last) VALUES (");
    sql.int(system).push(",").int(i64::try_from(new).unwrap_or(i64::MAX)).push(",").int(nanos(at));
    sql.push(") ON CONFLICT (system) DO UPDATE SET events = heard.events + excluded.events, last = excluded.last");
    tx.run(sql).await?;
    Ok(new)
}

fn word(what: &Happened) -> (&'static str, Option<&str>) {
    match what {
        Happened::Created => ("created", None),
        Happened::Changed => ("changed", None),
        Happened::Deleted => ("deleted", None),
        Happened::Restored => ("restored", None),
        Happened::MergedInto(survivor) => ("merged", Some(survivor.as_str())),
    }
}

fn happened(word: &str, survivor: Option<&str>) -> Result<Happened, sqlx::Error> {
    Ok(match (word, survivor) {
        ("created", None) => Happened::Created,
        ("changed", None) => Happened::Changed,
        ("deleted", None) => Happened::Deleted,
        ("restored", None) => Happened::Restored,
        ("merged", Some(survivor)) => Happened::MergedInto(survivor.into()),
        _ => return Err(unreadable("an event of no known kind")),
    })
}
