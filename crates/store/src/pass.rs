//! Whose state this is, which accounts it was made with, and its passes.

use std::collections::BTreeMap;

use handover_model::{End, FlowName, SystemName};
use jiff::Timestamp;
use serde_json::Value as Json;

use crate::database::{Row, unreadable};
use crate::store::{instant, nanos};
use crate::{Error, Store};

/// A reading of changes that was begun.
#[derive(Clone, Debug, PartialEq)]
pub struct Pass {
    /// Its number, from 1.
    pub id: i64,
    /// What it is: `backfill`, `delta`, ...
    pub kind: String,
    /// When it began.
    pub began: Timestamp,
    /// When it ended; `None` while it runs, and when it was cut off.
    pub ended: Option<Timestamp>,
    /// How it ended, in the engine's word.
    pub status: Option<String>,
    /// The hash of the project's files that it works from.
    pub snapshot: String,
    /// Facts about it, those told at its end beside those told at its beginning when both are objects.
    pub note: Json,
}

fn read_pass(row: &Row<'_>) -> Result<Pass, sqlx::Error> {
    Ok(Pass {
        id: row.int(0)?,
        kind: row.text(1)?.to_owned(),
        began: instant(row.int(2)?),
        ended: row.opt_int(3)?.map(instant),
        status: row.opt_text(4)?.map(str::to_owned),
        snapshot: row.text(5)?.to_owned(),
        note: serde_json::from_str(row.text(6)?).map_err(unreadable)?,
    })
}

const COLUMNS: &str = "id, kind, began, ended, status, snapshot, note";

impl Store {
    /// Ties the state to a project and to the accounts of its systems: each is `(system, platform,
    /// account's id)`. What is new is recorded, what is known must be equal. A durable step if anything is
    /// new.
    ///
    /// # Errors
    ///
    /// [`Error::OtherProject`], [`Error::OtherAccount`], [`Error::Stopped`] or the database's.
    pub async fn bind(&self, project: &str, systems: &[(SystemName, String, String)]) -> Result<(), Error> {
        let mut writer = self.writer().await?;
        let mut step = self.begin(&mut writer).await?;
        let location = self.inner.location.clone();
        let mut new = false;
        let sql = step.tx.sql("SELECT value FROM meta WHERE name = 'project'");
        match step.tx.fetch(sql, |row| Ok(row.text(0)?.to_owned())).await?.pop() {
            Some(have) if have != project => {
                return Err(Error::OtherProject { location, have, given: project.to_owned() });
            }
            Some(_) => {}
            None => {
                new = true;
                let mut sql = step.tx.sql("INSERT INTO meta (name, value) VALUES ('project', ");
                sql.text(project).push(")");
                step.tx.run(sql).await?;
            }
        }
        step.names.intern(&mut step.tx, systems.iter().map(|(system, _, _)| system.as_str())).await?;
        for (system, platform, account) in systems {
            let id = step.id(system.as_str())?;
            let mut sql = step.tx.sql("SELECT platform, account FROM system WHERE system = ");
            sql.int(id);
            let read = |row: &Row<'_>| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()));
            match step.tx.fetch(sql, read).await?.pop() {
                Some((have_platform, have)) if have_platform != *platform || have != *account => {
                    let have = format!("{have_platform} account {have}");
                    let given = format!("{platform} account {account}");
                    return Err(Error::OtherAccount { location, system: system.clone(), have, given });
                }
                Some(_) => {}
                None => {
                    new = true;
                    let mut sql = step.tx.sql("INSERT INTO system (system, platform, account) VALUES (");
                    sql.int(id).push(",").text(platform.as_str()).push(",").text(account.as_str()).push(")");
                    step.tx.run(sql).await?;
                }
            }
        }
        if new { self.finish(step).await } else { Ok(()) }
    }

    /// Refuses a state that is tied to another project.
    ///
    /// # Errors
    ///
    /// [`Error::OtherProject`] or the database's.
    pub async fn belongs_to(&self, project: &str) -> Result<(), Error> {
        let sql = self.sql("SELECT value FROM meta WHERE name = 'project'");
        match self.fetch(sql, |row| Ok(row.text(0)?.to_owned())).await?.pop() {
            Some(have) if have != project => {
                Err(Error::OtherProject { location: self.inner.location.clone(), have, given: project.to_owned() })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The accounts that the state is tied to: the id of each system's.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn accounts(&self) -> Result<BTreeMap<SystemName, String>, Error> {
        let sql = self.sql("SELECT n.text, s.account FROM system s JOIN name n ON n.id = s.system");
        let read = |row: &Row<'_>| Ok((SystemName::from(row.text(0)?), row.text(1)?.to_owned()));
        Ok(self.fetch(sql, read).await?.into_iter().collect())
    }

    /// Tells which objects the flows pair, so that records can be found by system and object, and under which name
    /// each goes the way back. Replaces what was told before of these flows. A durable step.
    ///
    /// # Errors
    ///
    /// [`Error::Stopped`] or the database's.
    pub async fn bind_flows(&self, flows: &[(FlowName, End, End, FlowName)]) -> Result<(), Error> {
        let mut writer = self.writer().await?;
        let mut step = self.begin(&mut writer).await?;
        for (flow, source, target, back) in flows {
            let names = [
                flow.as_str(),
                source.system.as_str(),
                source.object.as_str(),
                target.system.as_str(),
                target.object.as_str(),
                back.as_str(),
            ];
            step.names.intern(&mut step.tx, names).await?;
            let mut sql = step.tx.sql(
                "INSERT INTO flow (flow, source_system, source_object, target_system, target_object, back) VALUES ",
            );
            let ids = names.iter().map(|name| step.id(name)).collect::<Result<Vec<_>, _>>()?;
            sql.rows(&[ids], |sql, ids| {
                for id in ids {
                    sql.int(*id);
                }
            });
            sql.push(
                " ON CONFLICT (flow) DO UPDATE SET source_system = excluded.source_system, \
                 source_object = excluded.source_object, target_system = excluded.target_system, \
                 target_object = excluded.target_object, back = excluded.back",
            );
            step.tx.run(sql).await?;
        }
        self.finish(step).await
    }

    /// Begins a pass and gives its number. A durable step.
    ///
    /// # Errors
    ///
    /// [`Error::Stopped`] or the database's.
    pub async fn begin_pass(&self, at: Timestamp, snapshot_hash: &str, kind: &str, note: Json) -> Result<i64, Error> {
        let mut writer = self.writer().await?;
        let mut step = self.begin(&mut writer).await?;
        let sql = step.tx.sql("SELECT COALESCE(MAX(id), 0) + 1 FROM pass");
        let id = step.tx.fetch(sql, |row| row.int(0)).await?.pop().unwrap_or(1);
        let mut sql = step.tx.sql("INSERT INTO pass (id, kind, began, snapshot, note) VALUES (");
        sql.int(id).push(",").text(kind).push(",").int(nanos(at)).push(",").text(snapshot_hash).push(",");
        sql.text(note.to_string().as_str()).push(")");
        step.tx.run(sql).await?;
        self.finish(step).await?;
        Ok(id)
    }

    /// Ends a pass. A durable step.
    ///
    /// # Errors
    ///
    /// [`Error::Stopped`] or the database's.
    pub async fn finish_pass(&self, pass: i64, at: Timestamp, status: &str, note: Json) -> Result<(), Error> {
        let mut writer = self.writer().await?;
        let mut step = self.begin(&mut writer).await?;
        let mut sql = step.tx.sql(&format!("SELECT {COLUMNS} FROM pass WHERE id = "));
        sql.int(pass);
        let told = step.tx.fetch(sql, read_pass).await?.pop().map(|pass| pass.note);
        let note = match (told, note) {
            (Some(Json::Object(mut told)), Json::Object(more)) => {
                told.extend(more);
                Json::Object(told)
            }
            (Some(told), Json::Null) => told,
            (_, note) => note,
        };
        let mut sql = step.tx.sql("UPDATE pass SET ended = ");
        sql.int(nanos(at)).push(", status = ").text(status).push(", note = ").text(note.to_string().as_str());
        sql.push(" WHERE id = ").int(pass);
        step.tx.run(sql).await?;
        self.finish(step).await
    }

    /// The pass that was begun last.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn last_pass(&self) -> Result<Option<Pass>, Error> {
        let sql = self.sql(&format!("SELECT {COLUMNS} FROM pass ORDER BY id DESC LIMIT 1"));
        Ok(self.fetch(sql, read_pass).await?.pop())
    }

    /// The pass that was begun first.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn first_pass(&self) -> Result<Option<Pass>, Error> {
        let sql = self.sql(&format!("SELECT {COLUMNS} FROM pass ORDER BY id LIMIT 1"));
        Ok(self.fetch(sql, read_pass).await?.pop())
    }

    /// Whether a pass ever ended with this status and this fact about it. Weeks of passes are not read for it.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn any_pass(&self, status: &str, fact: (&str, &Json)) -> Result<bool, Error> {
        // Within a text every quotation mark is escaped: so this stands nowhere but where it is a fact.
        let fact = format!("%{}:{}%", Json::from(fact.0), fact.1);
        let mut sql = self.sql("SELECT id FROM pass WHERE status = ");
        sql.text(status).push(" AND note LIKE ").text(fact.as_str()).push(" ORDER BY id LIMIT 1");
        Ok(!self.fetch(sql, |row| row.int(0)).await?.is_empty())
    }

    /// All passes, the first first.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn passes(&self) -> Result<Vec<Pass>, Error> {
        let sql = self.sql(&format!("SELECT {COLUMNS} FROM pass ORDER BY id"));
        self.fetch(sql, read_pass).await
    }
}
