//! Names of flows, systems and objects as small numbers: they stand in every key of millions of rows.

use std::sync::Arc;

use foldhash::HashMap;

use crate::database::{Kind, Pool, Sql, Tx};
use crate::{Error, Store};

/// Numbers that the database has given to names. Numbers are never taken back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    by_text: HashMap<Arc<str>, i64>,
    by_id: HashMap<i64, Arc<str>>,
}

impl Names {
    pub(crate) fn get(&self, text: &str) -> Option<i64> {
        self.by_text.get(text).copied()
    }

    fn put(&mut self, id: i64, text: Arc<str>) {
        self.by_text.insert(text.clone(), id);
        self.by_id.insert(id, text);
    }

    /// The number of a name that was interned before.
    pub(crate) fn id(&self, location: &Arc<str>, text: &str) -> Result<i64, Error> {
        self.get(text).ok_or_else(|| missing(location, text))
    }

    /// The name of a number that stands in a row.
    pub(crate) fn text(&self, location: &Arc<str>, id: i64) -> Result<Arc<str>, Error> {
        self.by_id.get(&id).cloned().ok_or_else(|| missing(location, &id.to_string()))
    }

    /// Gives numbers to those of `texts` that have none. Besides the writer, whoever receives webhooks does so.
    pub(crate) async fn intern<'t>(
        &mut self,
        tx: &mut Tx<'_>,
        texts: impl IntoIterator<Item = &'t str>,
    ) -> Result<(), Error> {
        let unknown: Vec<&str> = texts.into_iter().filter(|text| !self.by_text.contains_key(*text)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        tx.alone_in("name").await?;
        let mut sql = tx.sql("SELECT id, text FROM name WHERE text IN ");
        sql.texts(unknown.iter().copied());
        for (id, text) in tx.fetch(sql, |row| Ok((row.int(0)?, Arc::<str>::from(row.text(1)?)))).await? {
            self.put(id, text);
        }
        for text in unknown {
            if self.by_text.contains_key(text) {
                continue;
            }
            let sql = tx.sql("SELECT COALESCE(MAX(id), 0) + 1 FROM name");
            let id = tx.fetch(sql, |row| row.int(0)).await?.first().copied().unwrap_or(1);
            let mut sql = tx.sql("INSERT INTO name (id, text) VALUES (");
            sql.int(id).push(",").text(text).push(")");
            tx.run(sql).await?;
            self.put(id, text.into());
        }
        Ok(())
    }
}

fn missing(location: &Arc<str>, what: &str) -> Error {
    Error::Corrupt { location: location.clone(), what: format!("the name `{what}` is not in its table"), source: None }
}

impl Store {
    /// The number of a name, if any row can have it.
    pub(crate) async fn id_of(&self, text: &str) -> Result<Option<i64>, Error> {
        if let Some(id) = self.names().get(text) {
            return Ok(Some(id));
        }
        // Another process may have added it since, but for a file that is this one's to write.
        if self.inner.writer.is_none() || self.inner.pool.kind() != Kind::Sqlite {
            self.load_names().await?;
        }
        Ok(self.names().get(text))
    }

    /// Names for every number that a row can have.
    pub(crate) async fn all_names(&self, ids: &[i64]) -> Result<Arc<Names>, Error> {
        let names = self.names();
        if ids.iter().all(|id| names.by_id.contains_key(id)) {
            return Ok(names);
        }
        self.load_names().await?;
        Ok(self.names())
    }

    pub(crate) async fn load_names(&self) -> Result<(), Error> {
        let pool: &Pool = &self.inner.pool;
        let sql = Sql::new(pool.kind(), "SELECT id, text FROM name");
        let found = self.fetch(sql, |row| Ok((row.int(0)?, Arc::<str>::from(row.text(1)?)))).await?;
        let mut names = Names::default();
        for (id, text) in found {
            names.put(id, text);
        }
        self.set_names(Arc::new(names));
        Ok(())
    }
}
