//! The connections that read a SQLite file beside its writer.
//!
//! Not the driver's pool: that asks a connection whether it lives each time it is given back, and takes turns among
//! all of them. A file does not go away, and the connection that was used last knows its statements and has its pages.
//!
//! Invariant: a connection whose statement did not come to its end is not used again.

use std::sync::{Mutex, PoisonError};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::database::Pool;

/// As many as read at once.
const READERS: u32 = 4;

/// A connection that reads. Closed when dropped.
pub(crate) struct Reader<'r> {
    pub(crate) connection: SqliteConnection,
    readers: &'r Readers,
    _permit: SemaphorePermit<'r>,
}

impl Reader<'_> {
    /// Gives it back once its statement came to its end.
    pub(crate) fn done(self) {
        self.readers.idle().push(self.connection);
    }
}

/// The connections.
pub(crate) struct Readers {
    options: SqliteConnectOptions,
    idle: Mutex<Vec<SqliteConnection>>,
    /// One permit for each that may read.
    room: Semaphore,
}

impl Pool {
    /// Whether nobody reads.
    pub(crate) fn is_idle(&self) -> bool {
        match self {
            Self::Sqlite(readers) => readers.is_idle(),
            Self::Postgres(pool) => u32::try_from(pool.num_idle()).is_ok_and(|idle| idle == pool.size()),
        }
    }
}

impl Readers {
    /// Opens the first of them, so that what is wrong with the file is told at once.
    pub(crate) async fn open(options: SqliteConnectOptions) -> Result<Self, sqlx::Error> {
        let first = options.connect().await?;
        Ok(Self { options, idle: Mutex::new(vec![first]), room: Semaphore::new(READERS as usize) })
    }

    /// Whether nobody reads.
    pub(crate) fn is_idle(&self) -> bool {
        self.room.available_permits() == READERS as usize
    }

    /// One of them, as soon as one is free.
    pub(crate) async fn take(&self) -> Result<Reader<'_>, sqlx::Error> {
        let permit = self.room.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        Ok(Reader { connection, readers: self, _permit: permit })
    }

    /// Waits for those that read, and closes all.
    pub(crate) async fn close(&self) {
        let all = self.room.acquire_many(READERS).await;
        self.room.close();
        let idle = std::mem::take(&mut *self.idle());
        for connection in idle {
            // It read only: there is nothing that could be lost.
            drop(connection.close().await);
        }
        drop(all);
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<SqliteConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
