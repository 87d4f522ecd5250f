//! The one place that knows two drivers: statements, rows and transactions over SQLite and PostgreSQL.
//!
//! A statement is written once, its values are bound where they stand in the text, so that text and values cannot
//! disagree. Plain `?` for SQLite: looking up thousands of named parameters is quadratic there.

use std::sync::Arc;

use futures::channel::mpsc;
use futures::stream::BoxStream;
use futures::{SinkExt, StreamExt, TryStreamExt};
use sqlx::postgres::PgArguments;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions};
use sqlx::{
    Arguments as _, AssertSqlSafe, ConnectOptions, Connection, PgConnection, PgPool, Postgres, Sqlite,
    SqliteConnection, Transaction,
};

use crate::Error;
use crate::readers::Readers;
pub(crate) use crate::row::{Row, unreadable};

/// Rows that one statement carries: multi-row statements are what makes the store fast, and a few fixed
/// sizes are what lets their preparation be reused.
const ROWS: [usize; 4] = [256, 64, 8, 1];

/// Rows that wait for whoever reads them one by one.
const WAITING: usize = 50;

/// Ids that one `IN (...)` carries.
pub(crate) const LIST: usize = 512;

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

enum Arguments {
    Sqlite(SqliteArguments),
    Postgres(PgArguments),
}

/// A statement with its values.
pub(crate) struct Sql {
    text: String,
    arguments: Arguments,
    count: usize,
    /// Inside a list, where values are separated by commas: whether one stands there already.
    list: Option<bool>,
    refused: Option<sqlx::error::BoxDynError>,
}

impl Sql {
    pub(crate) fn new(kind: Kind, text: &str) -> Self {
        let arguments = match kind {
            Kind::Sqlite => Arguments::Sqlite(SqliteArguments::default()),
            Kind::Postgres => Arguments::Postgres(PgArguments::default()),
        };
        Self { text: text.to_owned(), arguments, count: 0, list: None, refused: None }
    }

    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// ` LIMIT n`, in the text: SQLite would plan a statement anew each time that a value is bound there.
    pub(crate) fn limit(&mut self, rows: usize) -> &mut Self {
        self.push(&format!(" LIMIT {}", i64::try_from(rows).unwrap_or(i64::MAX)))
    }

    pub(crate) fn int(&mut self, value: impl Into<Option<i64>>) -> &mut Self {
        let value = value.into();
        let added = match &mut self.arguments {
            Arguments::Sqlite(arguments) => arguments.add(value),
            Arguments::Postgres(arguments) => arguments.add(value),
        };
        self.placed(added)
    }

    /// A whole number that says so itself, where no column does.
    pub(crate) fn whole(&mut self, value: i64) -> &mut Self {
        let list = self.list.take();
        self.push(if list == Some(true) { ",CAST(" } else { "CAST(" }).int(value).push(" AS BIGINT)");
        self.list = list.map(|_| true);
        self
    }

    pub(crate) fn text<'t>(&mut self, value: impl Into<Option<&'t str>>) -> &mut Self {
        let value = value.into();
        let added = match &mut self.arguments {
            Arguments::Sqlite(arguments) => arguments.add(value),
            // PostgreSQL has no NUL in texts. What stands here are ids, keys and names: the same
            // replacement when they are written and when they are looked up keeps them equal.
            Arguments::Postgres(arguments) => match value {
                Some(text) if text.contains('\0') => arguments.add(text.replace('\0', "\u{fffd}")),
                value => arguments.add(value),
            },
        };
        self.placed(added)
    }

    pub(crate) fn blob<'b>(&mut self, value: impl Into<Option<&'b [u8]>>) -> &mut Self {
        let value = value.into();
        let added = match &mut self.arguments {
            Arguments::Sqlite(arguments) => arguments.add(value),
            Arguments::Postgres(arguments) => arguments.add(value),
        };
        self.placed(added)
    }

    /// `(a, b, ...)`, at most [`LIST`] texts. Short lists are filled with their last member up to the
    /// next power of two: few distinct texts, so that preparation is reused.
    pub(crate) fn texts<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) -> &mut Self {
        self.push("(").list = Some(false);
        let mut number = 0_usize;
        let mut last = None;
        for text in texts {
            self.text(text);
            last = Some(text);
            number += 1;
        }
        if let Some(last) = last {
            for _ in number..number.next_power_of_two() {
                self.text(last);
            }
        } else {
            self.push("NULL");
        }
        self.list = None;
        self.push(")")
    }

    /// `(1, 2, ...)`, as [`Sql::texts`].
    pub(crate) fn ints(&mut self, ints: &[i64]) -> &mut Self {
        self.push("(").list = Some(false);
        match ints.last() {
            Some(last) => {
                for int in ints.iter().chain(std::iter::repeat_n(last, ints.len().next_power_of_two() - ints.len())) {
                    self.int(*int);
                }
            }
            None => {
                self.push("NULL");
            }
        }
        self.list = None;
        self.push(")")
    }

    /// `(a, b, ...), (a, b, ...)`: one row for each item.
    pub(crate) fn rows<T>(&mut self, items: &[T], mut row: impl FnMut(&mut Self, &T)) -> &mut Self {
        for (at, item) in items.iter().enumerate() {
            self.push(if at == 0 { "(" } else { ",(" }).list = Some(false);
            row(self, item);
            self.list = None;
            self.push(")");
        }
        self
    }

    fn placed(&mut self, added: Result<(), sqlx::error::BoxDynError>) -> &mut Self {
        use std::fmt::Write as _;
        if let Err(error) = added {
            self.refused = Some(error);
        }
        if let Some(some) = &mut self.list {
            if *some {
                self.text.push(',');
            }
            *some = true;
        }
        self.count += 1;
        match self.arguments {
            Arguments::Sqlite(_) => self.text.push('?'),
            Arguments::Postgres(_) => drop(write!(self.text, "${}", self.count)),
        }
        self
    }
}

/// Splits `items` into the sizes of multi-row statements.
pub(crate) fn batches<T>(mut items: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = ROWS.into_iter().find(|size| *size <= items.len())?;
        let (batch, rest) = items.split_at(size);
        items = rest;
        Some(batch)
    })
}

macro_rules! run_on {
    ($executor:expr, $sql:expr, $arguments:expr, $method:ident) => {
        sqlx::query_with(AssertSqlSafe($sql), $arguments).$method($executor)
    };
}

/// The connections that read.
#[derive(Clone)]
pub(crate) enum Pool {
    Sqlite(Arc<Readers>),
    Postgres(PgPool),
}

impl Pool {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Sqlite(_) => Kind::Sqlite,
            Self::Postgres(_) => Kind::Postgres,
        }
    }

    /// Reads rows; for results whose number the caller bounds.
    pub(crate) async fn fetch<T: Send>(
        &self,
        location: &Arc<str>,
        sql: Sql,
        mut read: impl FnMut(&Row<'_>) -> Result<T, sqlx::Error> + Send,
    ) -> Result<Vec<T>, Error> {
        match (self, sql) {
            (Self::Sqlite(readers), Sql { text, arguments: Arguments::Sqlite(arguments), refused: None, .. }) => {
                let reading = async {
                    let mut found = Vec::new();
                    let mut reader = readers.take().await?;
                    let mut rows = run_on!(&mut reader.connection, text, arguments, fetch);
                    while let Some(row) = rows.try_next().await? {
                        found.push(read(&Row::Sqlite(&row))?);
                    }
                    drop(rows);
                    reader.done();
                    Ok(found)
                };
                reading.await.map_err(|error| Error::of_database(location, error))
            }
            (_, sql) => self.stream(location, sql, read).try_collect().await,
        }
    }

    /// Reads rows one by one, as `read` makes them.
    pub(crate) fn stream<'a, T: Send + 'a>(
        &'a self,
        location: &'a Arc<str>,
        sql: Sql,
        mut read: impl FnMut(&Row<'_>) -> Result<T, sqlx::Error> + Send + 'a,
    ) -> BoxStream<'a, Result<T, Error>> {
        if let Some(error) = sql.refused {
            let error = Error::of_database(location, sqlx::Error::Encode(error));
            return futures::stream::once(async move { Err(error) }).boxed();
        }
        match (self, sql.arguments) {
            (Self::Sqlite(readers), Arguments::Sqlite(arguments)) => {
                let (mut sender, rows) = mpsc::channel(WAITING);
                let reading = async move {
                    let mut reader = readers.take().await?;
                    let mut rows = run_on!(&mut reader.connection, sql.text, arguments, fetch);
                    while let Some(row) = rows.try_next().await? {
                        if sender.send(read(&Row::Sqlite(&row))?).await.is_err() {
                            return Ok(());
                        }
                    }
                    drop(rows);
                    reader.done();
                    Ok(())
                };
                let failed = futures::stream::once(reading)
                    .filter_map(|done: Result<(), sqlx::Error>| futures::future::ready(done.err().map(Err)));
                futures::stream::select(rows.map(Ok), failed)
                    .map_err(|error| Error::of_database(location, error))
                    .boxed()
            }
            (Self::Postgres(pool), Arguments::Postgres(arguments)) => run_on!(pool, sql.text, arguments, fetch)
                .map(move |row| row.and_then(|row| read(&Row::Postgres(&row))))
                .map_err(|error| Error::of_database(location, error))
                .boxed(),
            _ => mixed(location),
        }
    }

    /// Begins a transaction beside the writer, in PostgreSQL: a file is read-only for everybody but its writer.
    pub(crate) async fn begin(&self, location: &Arc<str>) -> Result<Tx<'static>, Error> {
        let raw = match self {
            Self::Sqlite(_) => return Err(Error::ReadOnly { location: location.clone(), source: None }),
            Self::Postgres(pool) => pool.begin().await.map(RawTx::Postgres),
        };
        let raw = raw.map_err(|error| Error::of_database(location, error))?;
        Ok(Tx { raw, location: location.clone() })
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(readers) => readers.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

fn mixed<'a, T: Send + 'a>(location: &Arc<str>) -> BoxStream<'a, Result<T, Error>> {
    let error = Error::of_database(location, sqlx::Error::Protocol("a statement for the other database".to_owned()));
    futures::stream::once(async move { Err(error) }).boxed()
}

/// The connection that writes.
pub(crate) enum Session {
    /// With what it takes to open it again.
    Sqlite(SqliteConnection, Box<SqliteConnectOptions>),
    Postgres(PgConnection),
}

impl Session {
    pub(crate) async fn begin(&mut self, location: &Arc<str>) -> Result<Tx<'_>, Error> {
        let raw = match self {
            Self::Sqlite(connection, options) => {
                // A full disk makes SQLite roll back by itself, and the driver does not notice: it counts
                // a transaction that is no more, and can begin none on this connection.
                if connection.is_in_transaction() {
                    // The one before may just be on its way back: a ping waits behind it.
                    let _ = connection.ping().await;
                }
                if connection.is_in_transaction() {
                    *connection = options.connect().await.map_err(|error| Error::of_database(location, error))?;
                }
                // Taking the write lock at once: a lock that is upgraded later fails instead of waiting.
                connection.begin_with("BEGIN IMMEDIATE").await.map(RawTx::Sqlite)
            }
            Self::Postgres(connection) => connection.begin().await.map(RawTx::Postgres),
        };
        let raw = raw.map_err(|error| Error::of_database(location, error))?;
        Ok(Tx { raw, location: location.clone() })
    }

    pub(crate) async fn close(self, location: &Arc<str>) -> Result<(), Error> {
        match self {
            Self::Sqlite(connection, _) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        }
        .map_err(|error| Error::of_database(location, error))
    }

    /// Runs a fixed text outside any transaction.
    pub(crate) async fn plain(&mut self, location: &Arc<str>, text: &'static str) -> Result<(), Error> {
        use sqlx::Executor as _;
        match self {
            Self::Sqlite(connection, _) => connection.execute(sqlx::raw_sql(text)).await.map(drop),
            Self::Postgres(connection) => connection.execute(sqlx::raw_sql(text)).await.map(drop),
        }
        .map_err(|error| Error::of_database(location, error))
    }
}

enum RawTx<'c> {
    Sqlite(Transaction<'c, Sqlite>),
    Postgres(Transaction<'c, Postgres>),
}

/// A transaction; undone when dropped.
pub(crate) struct Tx<'c> {
    raw: RawTx<'c>,
    location: Arc<str>,
}

impl Tx<'_> {
    pub(crate) fn sql(&self, text: &str) -> Sql {
        Sql::new(self.kind(), text)
    }

    fn kind(&self) -> Kind {
        match self.raw {
            RawTx::Sqlite(_) => Kind::Sqlite,
            RawTx::Postgres(_) => Kind::Postgres,
        }
    }

    pub(crate) fn location(&self) -> &Arc<str> {
        &self.location
    }

    /// Runs a statement; the number of rows that it changed.
    pub(crate) async fn run(&mut self, sql: Sql) -> Result<u64, Error> {
        let changed = match (&mut self.raw, sql.arguments, sql.refused) {
            (_, _, Some(error)) => Err(sqlx::Error::Encode(error)),
            (RawTx::Sqlite(tx), Arguments::Sqlite(arguments), None) => {
                run_on!(&mut **tx, sql.text, arguments, execute).await.map(|done| done.rows_affected())
            }
            (RawTx::Postgres(tx), Arguments::Postgres(arguments), None) => {
                run_on!(&mut **tx, sql.text, arguments, execute).await.map(|done| done.rows_affected())
            }
            _ => Err(sqlx::Error::Protocol("a statement for the other database".to_owned())),
        };
        changed.map_err(|error| Error::of_database(&self.location, error))
    }

    /// Runs fixed texts, separated by semicolons.
    pub(crate) async fn script(&mut self, text: String) -> Result<(), Error> {
        use sqlx::Executor as _;
        match &mut self.raw {
            RawTx::Sqlite(tx) => tx.execute(sqlx::raw_sql(AssertSqlSafe(text))).await.map(drop),
            RawTx::Postgres(tx) => tx.execute(sqlx::raw_sql(AssertSqlSafe(text))).await.map(drop),
        }
        .map_err(|error| Error::of_database(&self.location, error))
    }

    /// Lets nobody else write a table until the end of the transaction. A file has one writer in any case.
    pub(crate) async fn alone_in(&mut self, table: &'static str) -> Result<(), Error> {
        match self.raw {
            RawTx::Sqlite(_) => Ok(()),
            RawTx::Postgres(_) => self.script(format!("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")).await,
        }
    }

    /// Inserts `items` by multi-row statements: `head` up to `VALUES`, then the rows, then `tail`.
    pub(crate) async fn insert<T>(
        &mut self,
        head: &str,
        items: &[T],
        tail: &str,
        mut row: impl FnMut(&mut Sql, &T),
    ) -> Result<(), Error> {
        let kind = self.kind();
        let mut written = batches(items).map(|batch| {
            let mut sql = Sql::new(kind, head);
            sql.rows(batch, &mut row).push(tail);
            sql
        });
        let mut next = written.next();
        while let Some(sql) = next {
            // The next statement is written while the database works off this one.
            let (done, after) = futures::future::join(self.run(sql), async { written.next() }).await;
            done?;
            next = after;
        }
        Ok(())
    }

    /// Reads rows; for results whose number the caller bounds.
    pub(crate) async fn fetch<T>(
        &mut self,
        sql: Sql,
        mut read: impl FnMut(&Row<'_>) -> Result<T, sqlx::Error>,
    ) -> Result<Vec<T>, Error> {
        let mut found = Vec::new();
        let done = async {
            match (&mut self.raw, sql.arguments, sql.refused) {
                (_, _, Some(error)) => return Err(sqlx::Error::Encode(error)),
                (RawTx::Sqlite(tx), Arguments::Sqlite(arguments), None) => {
                    let mut rows = run_on!(&mut **tx, sql.text, arguments, fetch);
                    while let Some(row) = rows.try_next().await? {
                        found.push(read(&Row::Sqlite(&row))?);
                    }
                }
                (RawTx::Postgres(tx), Arguments::Postgres(arguments), None) => {
                    let mut rows = run_on!(&mut **tx, sql.text, arguments, fetch);
                    while let Some(row) = rows.try_next().await? {
                        found.push(read(&Row::Postgres(&row))?);
                    }
                }
                _ => return Err(sqlx::Error::Protocol("a statement for the other database".to_owned())),
            }
            Ok(())
        };
        let done = done.await;
        done.map_err(|error| Error::of_database(&self.location, error))?;
        Ok(found)
    }

    pub(crate) async fn commit(self) -> Result<(), Error> {
        match self.raw {
            RawTx::Sqlite(tx) => tx.commit().await,
            RawTx::Postgres(tx) => tx.commit().await,
        }
        .map_err(|error| Error::of_database(&self.location, error))
    }

    pub(crate) async fn rollback(self) -> Result<(), Error> {
        match self.raw {
            RawTx::Sqlite(tx) => tx.rollback().await,
            RawTx::Postgres(tx) => tx.rollback().await,
        }
        .map_err(|error| Error::of_database(&self.location, error))
    }
}
