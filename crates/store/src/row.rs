//! A row of either database, and reading its columns.

use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

/// A row as either driver gives it.
pub(crate) enum Row<'r> {
    Sqlite(&'r SqliteRow),
    Postgres(&'r PgRow),
}

macro_rules! column {
    ($name:ident, $type:ty) => {
        pub(crate) fn $name(&self, at: usize) -> Result<$type, sqlx::Error> {
            match self {
                Self::Sqlite(row) => row.try_get_unchecked(at),
                Self::Postgres(row) => row.try_get_unchecked(at),
            }
        }
    };
}

impl<'r> Row<'r> {
    column!(int, i64);
    column!(opt_int, Option<i64>);
    column!(text, &'r str);
    column!(opt_text, Option<&'r str>);
    column!(blob, &'r [u8]);
    column!(opt_blob, Option<&'r [u8]>);
}

/// A value in a column that cannot be what we wrote.
pub(crate) fn unreadable(what: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::Decode(what.into())
}
