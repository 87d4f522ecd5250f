//! Texts that are kept under a name: what a pass has to know of the passes before it and has no table of its own.

use crate::store::Step;
use crate::{Error, Store};

impl Store {
    /// The text that is kept under a name.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn kept(&self, name: &str) -> Result<Option<String>, Error> {
        let mut sql = self.sql("SELECT value FROM kept WHERE name = ");
        sql.text(name);
        Ok(self.fetch(sql, |row| Ok(row.text(0)?.to_owned())).await?.pop())
    }
}

impl Step<'_> {
    pub(crate) async fn write_kept(&mut self, kept: &[(String, String)]) -> Result<(), Error> {
        for (name, value) in kept {
            let mut sql = if value.is_empty() {
                self.tx.sql("DELETE FROM kept WHERE name = ")
            } else {
                self.tx.sql("INSERT INTO kept (name, value) VALUES (")
            };
            sql.text(name.as_str());
            if !value.is_empty() {
                sql.push(",").text(value.as_str());
                sql.push(") ON CONFLICT (name) DO UPDATE SET value = excluded.value");
            }
            self.tx.run(sql).await?;
        }
        Ok(())
    }
}
