//! The store's handle: its connections, its one writer, and how a durable step ends.

use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use futures::stream::BoxStream;
use jiff::Timestamp;
use tokio::sync::MutexGuard;

use crate::Error;
use crate::database::{Pool, Row, Session, Sql, Tx};
use crate::lease::{Asked, Held};
use crate::ledger::{Chain, OpenHeads};
use crate::names::Names;
use crate::rows::Counted;
use crate::staging::Cache;

/// On which side of a durable transaction a fuse goes off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Moment {
    /// Nothing of it is written.
    Before,
    /// All of it is written, but the caller is told that it failed.
    After,
}

/// For tests: told the number of the durable transaction (from 1) and the moment, true to stop there.
pub type Fuse = Arc<dyn Fn(u64, Moment) -> bool + Send + Sync>;

/// Durable state. Cheap to clone; the last clone closes it.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    // Dropped in this order: connections before the lock that guards them, the lock before the folder.
    pub(crate) writer: Option<tokio::sync::Mutex<Writer>>,
    pub(crate) pool: Pool,
    pub(crate) location: Arc<str>,
    pub(crate) cache: Mutex<Cache>,
    pub(crate) counted: Mutex<Counted>,
    pub(crate) names: RwLock<Arc<Names>>,
    pub(crate) fuse: Mutex<Option<Fuse>>,
    pub(crate) durable: AtomicU64,
    /// In PostgreSQL, the right to write.
    pub(crate) lease: Option<Held>,
    /// In PostgreSQL, whether it takes webhooks although it does not write.
    pub(crate) receives: bool,
    pub(crate) _lock: Option<File>,
    pub(crate) _temporary: Option<Temporary>,
}

/// A folder that is removed with the store that lies in it.
pub(crate) struct Temporary(pub(crate) PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(path = %self.0.display(), error = %error, "a temporary copy of the state stays behind");
        }
    }
}

/// The writing connection and what it knows without asking.
pub(crate) struct Writer {
    /// `None` once the store is closed.
    pub(crate) session: Option<Session>,
    /// The ledger's end; `None` when it must be read anew (at the start, and after a step whose end is
    /// not known).
    pub(crate) chain: Option<Chain>,
    /// Where stories end that only open intents know of; `None` when it must be read anew.
    pub(crate) open_heads: Option<OpenHeads>,
}

/// A durable step under way. Undone when dropped.
pub(crate) struct Step<'w> {
    pub(crate) tx: Tx<'w>,
    pub(crate) names: Names,
    /// The ledger's end as this step leaves it.
    pub(crate) chain: Option<Chain>,
    pub(crate) open_heads: Option<OpenHeads>,
    kept: (&'w mut Option<Chain>, &'w mut Option<OpenHeads>),
    /// The lease that it prolongs, and since when.
    lease: Option<&'w Held>,
    asked: Asked,
}

impl Step<'_> {
    /// Ends a step that did nothing but prolong the lease.
    pub(crate) async fn prolonged(self) -> Result<(), Error> {
        self.tx.commit().await?;
        if let Some(lease) = self.lease {
            lease.prolonged(self.asked);
        }
        Ok(())
    }
}

impl Drop for Inner {
    /// A lease that nobody gave back is given back in the background, as far as the process lives on.
    fn drop(&mut self) {
        let (Some(lease), Ok(runtime)) = (self.lease.take(), tokio::runtime::Handle::try_current()) else { return };
        let (pool, location) = (self.pool.clone(), self.location.clone());
        let writer = self.writer.take();
        runtime.spawn(async move {
            // Its transaction ends first.
            drop(writer);
            if let Err(error) = lease.give_back(&pool, &location).await {
                tracing::warn!(%error, "the lease could not be given back: it ends by itself");
            }
        });
    }
}

impl Store {
    /// Stops tests at durable writes: told the number of each transaction, from 1 since the store was
    /// opened, and whether it is about to be written or was written. True makes it fail with
    /// [`Error::Stopped`].
    pub fn set_fuse(&self, fuse: Fuse) {
        *self.inner.fuse.lock().unwrap_or_else(PoisonError::into_inner) = Some(fuse);
    }

    /// How many durable transactions there were since the store was opened.
    pub fn durable_writes(&self) -> u64 {
        self.inner.durable.load(Ordering::SeqCst)
    }

    /// Whether no durable step and no reading is under way. For tests that stop a process between two of them.
    pub fn is_idle(&self) -> bool {
        self.inner.writer.as_ref().is_none_or(|writer| writer.try_lock().is_ok()) && self.inner.pool.is_idle()
    }

    /// The file, or the URL without its password.
    pub fn location(&self) -> &str {
        &self.inner.location
    }

    /// Gives the lease back, closes all connections and waits until they are closed; later calls on other clones
    /// fail. Dropping the last clone does so too, but does not wait. A file's lock ends with the last clone.
    ///
    /// # Errors
    ///
    /// The database's; it is closed all the same.
    pub async fn close(self) -> Result<(), Error> {
        let location = &self.inner.location;
        if self.inner.lease.is_none() {
            // The writer goes last: what readers leave behind of a file's log, they cannot write into it.
            self.inner.pool.close().await;
        }
        let session = match &self.inner.writer {
            Some(writer) => writer.lock().await.session.take(),
            None => None,
        };
        let closed = match session {
            Some(session) => session.close(location).await,
            None => Ok(()),
        };
        // On a connection of its own: the writing one may be what failed.
        let given = match &self.inner.lease {
            Some(lease) => lease.give_back(&self.inner.pool, location).await,
            None => Ok(()),
        };
        self.inner.pool.close().await;
        closed.and(given)
    }

    pub(crate) fn names(&self) -> Arc<Names> {
        self.inner.names.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_names(&self, names: Arc<Names>) {
        *self.inner.names.write().unwrap_or_else(PoisonError::into_inner) = names;
    }

    /// A statement for this store's database.
    pub(crate) fn sql(&self, text: &str) -> Sql {
        Sql::new(self.inner.pool.kind(), text)
    }

    /// Reads rows; for results whose number the caller bounds.
    pub(crate) async fn fetch<T: Send>(
        &self,
        sql: Sql,
        read: impl FnMut(&Row<'_>) -> Result<T, sqlx::Error> + Send,
    ) -> Result<Vec<T>, Error> {
        self.inner.pool.fetch(&self.inner.location, sql, read).await
    }

    /// Reads rows one by one.
    pub(crate) fn stream<'a, T: Send + 'a>(
        &'a self,
        sql: Sql,
        read: impl FnMut(&Row<'_>) -> Result<T, sqlx::Error> + Send + 'a,
    ) -> BoxStream<'a, Result<T, Error>> {
        self.inner.pool.stream(&self.inner.location, sql, read)
    }

    /// Waits for the writing connection.
    pub(crate) async fn writer(&self) -> Result<MutexGuard<'_, Writer>, Error> {
        match &self.inner.writer {
            Some(writer) => Ok(writer.lock().await),
            None => Err(Error::ReadOnly { location: self.inner.location.clone(), source: None }),
        }
    }

    /// Begins a durable step; whoever was succeeded begins none.
    pub(crate) async fn begin<'w>(&'w self, writer: &'w mut Writer) -> Result<Step<'w>, Error> {
        let Writer { session, chain, open_heads } = writer;
        let session = session.as_mut().ok_or_else(|| closed(&self.inner.location))?;
        let mut tx = session.begin(&self.inner.location).await?;
        let (lease, asked) = (self.inner.lease.as_ref(), Asked::now());
        if let Some(lease) = lease {
            lease.prolong(&mut tx).await?;
        }
        let names = (*self.names()).clone();
        Ok(Step { tx, names, chain: *chain, open_heads: open_heads.take(), kept: (chain, open_heads), lease, asked })
    }

    /// Makes a step durable.
    pub(crate) async fn finish(&self, step: Step<'_>) -> Result<(), Error> {
        let Step { tx, names, chain, open_heads, kept: (kept, kept_heads), lease, asked } = step;
        let nth = self.inner.durable.fetch_add(1, Ordering::SeqCst) + 1;
        if self.stops(nth, Moment::Before) {
            tx.rollback().await?;
            return Err(Error::Stopped { location: self.inner.location.clone(), nth });
        }
        // If the commit's end stays unknown, so does the ledger's: it is read anew then.
        *kept = None;
        tx.commit().await?;
        (*kept, *kept_heads) = (chain, open_heads);
        if let Some(lease) = lease {
            lease.prolonged(asked);
        }
        self.set_names(Arc::new(names));
        if self.stops(nth, Moment::After) {
            return Err(Error::Stopped { location: self.inner.location.clone(), nth });
        }
        Ok(())
    }

    fn stops(&self, nth: u64, moment: Moment) -> bool {
        let fuse = self.inner.fuse.lock().unwrap_or_else(PoisonError::into_inner).clone();
        fuse.is_some_and(|fuse| fuse(nth, moment))
    }
}

fn closed(location: &Arc<str>) -> Error {
    Error::of_database(location, sqlx::Error::PoolClosed)
}

/// An instant as it is stored: nanoseconds since 1970. Beyond 1677 and 2262, where no clock of ours
/// stands, the nearest that fits.
pub(crate) fn nanos(at: Timestamp) -> i64 {
    let nanos = at.as_nanosecond();
    i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
}

/// The instant that was stored.
pub(crate) fn instant(nanos: i64) -> Timestamp {
    // Every i64 of nanoseconds lies within jiff's range.
    Timestamp::from_nanosecond(i128::from(nanos)).unwrap_or_default()
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.inner.location)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Block, Commit, Error, Location, Store};

    /// Sets a limit on the writing connection, fails for it, and goes on when it is lifted.
    async fn check(limit: &'static str, lifted: &'static str, expected: fn(&Error) -> bool) -> Result<(), Error> {
        let folder = tempfile::tempdir().map_err(|error| Error::of_file(&"".into(), error))?;
        let store = Store::open(&Location::Sqlite(folder.path().join("state.db"))).await?;
        let set = async |text: &'static str| match &mut store.writer().await?.session {
            Some(session) => session.plain(&store.inner.location, text).await,
            None => Ok(()),
        };
        // Half of it is noise: what is compressed away fills no disk.
        let mut noise = vec![0; 2_000_000];
        blake3::Hasher::new().finalize_xof().fill(&mut noise);
        let record = handover_model::Record {
            id: crate::ledger::hex(&noise).into(),
            fields: handover_model::Fields::new(),
            modified: None,
            gone: false,
        };
        let block = Block { system: "old".into(), object: "persons".into(), number: 0, records: vec![record] };
        let commit = Commit { blocks: vec![block], ..Commit::default() };
        set(limit).await?;
        let error = store.commit(commit.clone()).await.err();
        assert!(error.as_ref().is_some_and(expected), "{error:?}");
        set(lifted).await?;
        store.commit(commit).await?;
        assert_eq!(store.block(&"old".into(), &"persons".into(), 0).await?.len(), 1);
        Ok(())
    }

    #[tokio::test]
    async fn a_full_disk_is_named_and_nothing_is_written() -> Result<(), Error> {
        let full = |error: &Error| matches!(error, Error::DiskFull { .. });
        check("PRAGMA max_page_count = 100", "PRAGMA max_page_count = 1000000", full).await
    }

    #[tokio::test]
    async fn a_file_that_became_read_only_is_named() -> Result<(), Error> {
        let refused = |error: &Error| matches!(error, Error::ReadOnly { .. });
        check("PRAGMA query_only = 1", "PRAGMA query_only = 0", refused).await
    }
}
