//! A private copy of the state, for a plan that may write as much as it likes.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use futures::TryStreamExt;

use crate::database::{Pool, Row};
use crate::open::{beside, lock_file, open_sqlite, private_folder};
use crate::store::Temporary;
use crate::{Claim, Error, Store, schema};

/// Rows that are copied in one go.
const COPY: usize = 1024;

static FORKS: AtomicU64 = AtomicU64::new(0);

impl Store {
    /// A private copy in a temporary SQLite file, removed when its last clone is dropped. It has what was
    /// committed when the call was made, and nothing that happens to it reaches this store.
    ///
    /// # Errors
    ///
    /// [`Error::DiskFull`] when the copy does not fit, else as [`Store::open`].
    pub async fn fork(&self) -> Result<Self, Error> {
        let number = FORKS.fetch_add(1, Ordering::Relaxed);
        let base = match &self.inner.pool {
            // Beside the original: values of records belong on that disk and behind that folder's doors.
            Pool::Sqlite(_) => Path::new(&*self.inner.location).to_path_buf(),
            Pool::Postgres(_) => away(),
        };
        let folder = beside(&base, &format!(".fork-{}-{number}", std::process::id()));
        private_folder(&folder).map_err(|error| Error::of_file(&self.inner.location, error))?;
        let temporary = Temporary(folder.clone());
        let path = folder.join("state.db");
        let lock = lock_file(&path, &self.inner.location, &Claim::default().worker)?;
        if let Pool::Sqlite(_) = &self.inner.pool {
            let mut sql = self.sql("VACUUM INTO ");
            sql.text(&*path.display().to_string());
            self.fetch(sql, |_| Ok(())).await?;
            return open_sqlite(&path, Some(lock), Some(temporary)).await;
        }
        let copy = open_sqlite(&path, Some(lock), Some(temporary)).await?;
        for table in schema::NAMES {
            self.copy_table(&copy, table).await?;
        }
        copy.load_names().await?;
        Ok(copy)
    }

    async fn copy_table(&self, copy: &Self, table: &'static str) -> Result<(), Error> {
        let mut sql = copy.sql("SELECT name, type FROM pragma_table_info(");
        sql.text(table).push(") ORDER BY cid");
        let columns = copy.fetch(sql, |row| Ok((row.text(0)?.to_owned(), Cell::of_column(row.text(1)?)))).await?;
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(", ");
        let read = |row: &Row<'_>| {
            columns.iter().enumerate().map(|(at, (_, kind))| kind.read(row, at)).collect::<Result<Vec<_>, _>>()
        };
        let source = self.stream(self.sql(&format!("SELECT {names} FROM {table}")), read);
        let mut batches = source.try_chunks(COPY);
        let head = format!("INSERT INTO {table} ({names}) VALUES ");
        let mut writer = copy.writer().await?;
        let mut step = copy.begin(&mut writer).await?;
        // The copy was made with its own version and counters.
        let clear = step.tx.sql(&format!("DELETE FROM {table}"));
        step.tx.run(clear).await?;
        while let Some(batch) = batches.try_next().await.map_err(|broken| broken.1)? {
            step.tx
                .insert(&head, &batch, "", |sql, row| {
                    for cell in row {
                        match cell {
                            Cell::Int(value) => sql.int(*value),
                            Cell::Text(value) => sql.text(value.as_deref()),
                            Cell::Blob(value) => sql.blob(value.as_deref()),
                        };
                    }
                })
                .await?;
        }
        step.tx.commit().await
    }
}

/// Where copies of a PostgreSQL state lie.
pub(crate) fn away() -> PathBuf {
    std::env::temp_dir().join("handover-state")
}

/// A value on its way from one database to the other.
enum Cell {
    Int(Option<i64>),
    Text(Option<String>),
    Blob(Option<Vec<u8>>),
}

impl Cell {
    fn of_column(kind: &str) -> Self {
        match kind {
            "INTEGER" => Self::Int(None),
            "TEXT" => Self::Text(None),
            _ => Self::Blob(None),
        }
    }

    fn read(&self, row: &Row<'_>, at: usize) -> Result<Self, sqlx::Error> {
        Ok(match self {
            Self::Int(_) => Self::Int(row.opt_int(at)?),
            Self::Text(_) => Self::Text(row.opt_text(at)?.map(str::to_owned)),
            Self::Blob(_) => Self::Blob(row.opt_blob(at)?.map(<[u8]>::to_vec)),
        })
    }
}

/// Removes copies whose process did not live to remove them: those whose lock nobody holds.
pub(crate) fn remove_stale(path: &Path) {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let prefix = format!("{name}.fork-");
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let copy = entry.path();
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(&prefix));
        if ours && copy.is_dir() && lock_file(&copy.join("state.db"), &"".into(), "").is_ok() {
            drop(Temporary(copy));
        }
    }
}
