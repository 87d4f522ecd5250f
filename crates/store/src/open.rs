//! Opening: who may write, whether the file is whole, whether we know its version.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use crate::database::{Kind, Pool, Session, Sql};
use crate::lease::{Held, Patience};
use crate::readers::Readers;
use crate::schema;
use crate::staging::Cache;
use crate::store::{Inner, Store, Temporary, Writer};
use crate::{Claim, Error, Holder, Location};

/// Connections to PostgreSQL that read beside the writer.
const READERS: u32 = 4;

/// Prepared statements that a connection keeps: each occurs in a few sizes.
const STATEMENTS: usize = 300;

/// PostgreSQL would keep the plans that it made while the tables were empty: five times slower.
const PLANS: (&str, &str) = ("plan_cache_mode", "force_custom_plan");

/// A transaction that nobody goes on with, of a paused process say, keeps nobody waiting for longer; nor does one for
/// longer than a lease.
const IDLE: Duration = Duration::from_secs(5);

/// How long a reader waits for a connection to PostgreSQL.
const SOON: Duration = Duration::from_secs(3);

/// The first key in PostgreSQL of the advisory lock under which tables are made ("hand"); the second is the schema's
/// hash.
const LOCK: i32 = 0x6861_6e64;

impl Store {
    /// Opens the state for writing, made anew if there is none, and keeps others from writing until the
    /// last clone is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`], [`Error::NewerVersion`], [`Error::Corrupt`], [`Error::ReadOnly`],
    /// [`Error::DiskFull`], [`Error::Unreachable`].
    pub async fn open(location: &Location) -> Result<Self, Error> {
        Self::open_as(location, &Claim::default()).await
    }

    /// The same under a name. In PostgreSQL others are kept from writing by a [`Lease`](crate::Lease), which is
    /// prolonged until the state is closed.
    ///
    /// # Errors
    ///
    /// As [`Store::open`].
    pub async fn open_as(location: &Location, claim: &Claim) -> Result<Self, Error> {
        match location {
            Location::Sqlite(path) => {
                let shown: Arc<str> = location.to_string().into();
                let lock = lock_patiently(path, &shown, &claim.worker).await?;
                crate::fork::remove_stale(path);
                open_sqlite(path, Some(lock), None).await
            }
            Location::Postgres(_) => {
                crate::fork::remove_stale(&crate::fork::away());
                let store = open_postgres(location, Some(claim), Some(&claim.worker)).await?;
                crate::lease::keep(&store);
                Ok(store)
            }
        }
    }

    /// Opens the state for reading only: no lock is taken, a run may be under way. What is read is what
    /// was committed when the call was made.
    ///
    /// # Errors
    ///
    /// [`Error::Absent`] when there is none, else as [`Store::open`].
    pub async fn open_reading(location: &Location) -> Result<Self, Error> {
        match location {
            Location::Sqlite(path) => {
                let shown: Arc<str> = location.to_string().into();
                check_file(path, &shown)?;
                let pool = readers(path, &shown).await?;
                let store = assemble((None, None), pool, shown, None, None);
                store.check_version().await?;
                Ok(store)
            }
            Location::Postgres(_) => open_postgres(location, None, None).await,
        }
    }

    /// Opens the state for receiving webhooks and for reading, while others write it. In a file, whoever receives is
    /// the writer, as by [`Store::open`].
    ///
    /// # Errors
    ///
    /// [`Error::Absent`] when there is none in PostgreSQL, else as [`Store::open`].
    pub async fn open_receiving(location: &Location, worker: &str) -> Result<Self, Error> {
        match location {
            Location::Sqlite(_) => Self::open(location).await,
            Location::Postgres(_) => {
                let mut store = open_postgres(location, None, Some(worker)).await?;
                if let Some(inner) = Arc::get_mut(&mut store.inner) {
                    inner.receives = true;
                }
                Ok(store)
            }
        }
    }

    async fn check_version(&self) -> Result<(), Error> {
        let sql = self.sql("SELECT value FROM meta WHERE name = 'version'");
        let found = self.fetch(sql, |row| Ok(row.text(0)?.parse::<i64>().ok())).await?;
        let corrupt = || Error::Corrupt {
            location: self.inner.location.clone(),
            what: "it has no version".to_owned(),
            source: None,
        };
        let have = found.first().copied().flatten().ok_or_else(corrupt)?;
        if have > schema::VERSION {
            return Err(Error::NewerVersion { location: self.inner.location.clone(), have, know: schema::VERSION });
        }
        self.load_names().await
    }
}

fn assemble(
    (session, lease): (Option<Session>, Option<Held>),
    pool: Pool,
    location: Arc<str>,
    lock: Option<File>,
    temporary: Option<Temporary>,
) -> Store {
    let writer = session
        .map(|session| tokio::sync::Mutex::new(Writer { session: Some(session), chain: None, open_heads: None }));
    Store {
        inner: Arc::new(Inner {
            writer,
            pool,
            location,
            cache: Mutex::new(Cache::default()),
            counted: Mutex::default(),
            names: RwLock::default(),
            fuse: Mutex::new(None),
            durable: AtomicU64::new(0),
            lease,
            receives: false,
            _lock: lock,
            _temporary: temporary,
        }),
    }
}

/// Opens a SQLite file whose lock is held, or a private copy without one.
pub(crate) async fn open_sqlite(path: &Path, lock: Option<File>, temporary: Option<Temporary>) -> Result<Store, Error> {
    let shown: Arc<str> = path.display().to_string().into();
    let exists = path.try_exists().map_err(|error| Error::of_file(&shown, error))?;
    if exists {
        check_file(path, &shown)?;
    } else {
        create_sqlite(path, &shown).await?;
    }
    let wrong = |error| Error::of_database(&shown, error);
    let options = SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(false)
        .journal_mode(SqliteJournalMode::Wal)
        // A private copy need not survive anything.
        .synchronous(if temporary.is_some() { SqliteSynchronous::Off } else { SqliteSynchronous::Full })
        .pragma("cache_size", "-12288")
        .pragma("wal_autocheckpoint", "4000")
        .statement_cache_capacity(STATEMENTS)
        // Space that erased values leave is overwritten where that costs no extra writing.
        .pragma("secure_delete", "FAST")
        .busy_timeout(Duration::from_secs(30))
        .disable_statement_logging();
    let connection = options.connect().await.map_err(wrong)?;
    let pool = readers(path, &shown).await?;
    let session = Some(Session::Sqlite(connection, Box::new(options)));
    let store = assemble((session, None), pool, shown, lock, temporary);
    store.check_version().await?;
    Ok(store)
}

async fn readers(path: &Path, shown: &Arc<str>) -> Result<Pool, Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .foreign_keys(false)
        .pragma("cache_size", "-2048")
        .statement_cache_capacity(STATEMENTS)
        .busy_timeout(Duration::from_secs(30))
        .disable_statement_logging();
    let readers = Readers::open(options).await.map_err(|error| Error::of_database(shown, error))?;
    Ok(Pool::Sqlite(Arc::new(readers)))
}

/// Makes the file under another name and puts it in its place when it is whole: so an empty or half file
/// at `path` is never ours, and never taken for a fresh start.
async fn create_sqlite(path: &Path, shown: &Arc<str>) -> Result<(), Error> {
    let fresh = beside(path, ".new");
    let wrong = |error| Error::of_file(shown, error);
    if fresh.exists() {
        std::fs::remove_file(&fresh).map_err(wrong)?;
    }
    drop(private_file(&fresh).map_err(wrong)?);
    let options = SqliteConnectOptions::new()
        .filename(&fresh)
        .journal_mode(SqliteJournalMode::Delete)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging();
    let connection = options.connect().await.map_err(|error| Error::of_database(shown, error))?;
    let mut session = Session::Sqlite(connection, Box::new(options));
    let mut tx = session.begin(shown).await?;
    schema::create(&mut tx, Kind::Sqlite).await?;
    tx.commit().await?;
    session.close(shown).await?;
    std::fs::rename(&fresh, path).map_err(wrong)?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        // The new name must survive a power cut too; where folders cannot be opened nothing can be done.
        if let Ok(folder) = File::open(folder) {
            folder.sync_all().map_err(wrong)?;
        }
    }
    Ok(())
}

/// Looks at the file itself: SQLite would take an empty file for a new database, and would notice a cut
/// one only when it comes to the missing pages.
fn check_file(path: &Path, shown: &Arc<str>) -> Result<(), Error> {
    let corrupt = |what: &str| Error::Corrupt { location: shown.clone(), what: what.to_owned(), source: None };
    let has_log = || std::fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0);
    let had_log = has_log();
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::Absent { location: shown.clone() });
        }
        Err(error) => return Err(Error::of_file(shown, error)),
    };
    let length = || file.metadata().map(|file| file.len()).map_err(|error| Error::of_file(shown, error));
    let mut head = [0_u8; 100];
    if length()? < 100 {
        return Err(corrupt("the file is cut off"));
    }
    (&file).read_exact(&mut head).map_err(|error| Error::of_file(shown, error))?;
    if !head.starts_with(b"SQLite format 3\0") {
        return Err(corrupt("the file is not a state"));
    }
    let number = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    // Header offsets: sqlite.org/fileformat.html, section 1.3.
    let page = match u16::from_be_bytes([head[16], head[17]]) {
        1 => 65_536,
        size => u64::from(size),
    };
    // While a write-ahead log has pages, the file may rightly be behind its header. A log may be folded into the file
    // and removed while we look: so it is asked for before the header and after the length.
    let is_short = number(24) == number(92) && u64::from(number(28)) * page > length()?;
    if is_short && !had_log && !has_log() {
        return Err(corrupt("the file is cut off"));
    }
    Ok(())
}

/// A path with something after its file name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Opens a file that only its owner can read, and makes it when it is not there.
///
/// # Errors
/// The disk's.
pub fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a folder that only its owner can enter, with those above it.
///
/// # Errors
/// The disk's.
pub fn private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Takes the lock beside the file. It is the operating system's: it ends with the process, however that
/// ends. Who has it, its file says, and since when, the file's own date.
pub(crate) fn lock_file(path: &Path, shown: &Arc<str>, worker: &str) -> Result<File, Error> {
    let wrong = |error| Error::of_file(shown, error);
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        private_folder(folder).map_err(wrong)?;
    }
    let mut lock = private_file(&beside(path, ".lock")).map_err(wrong)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut by = String::new();
            let known = lock.read_to_string(&mut by).is_ok() && !by.trim().is_empty();
            let mut by = Holder::named(if known { by.trim() } else { "another process" });
            let taken = lock.metadata().and_then(|file| file.modified()).ok();
            by.since = taken.and_then(|taken| taken.try_into().ok());
            return Err(Error::Locked { location: shown.clone(), by: by.into() });
        }
        Err(TryLockError::Error(error)) => return Err(wrong(error)),
    }
    lock.set_len(0).map_err(wrong)?;
    lock.seek(SeekFrom::Start(0)).map_err(wrong)?;
    write!(lock, "{worker}").map_err(wrong)?;
    Ok(lock)
}

/// The same, waiting a moment for one that is about to be given back.
async fn lock_patiently(path: &Path, shown: &Arc<str>, worker: &str) -> Result<File, Error> {
    let patience = Patience::begins();
    loop {
        match lock_file(path, shown, worker) {
            Ok(lock) => return Ok(lock),
            Err(error) => {
                if !patience.waits(&error).await {
                    return Err(error);
                }
            }
        }
    }
}

async fn open_postgres(location: &Location, claim: Option<&Claim>, worker: Option<&str>) -> Result<Store, Error> {
    let shown: Arc<str> = location.to_string().into();
    let wrong = |error| Error::of_database(&shown, error);
    let (url, schema) = location.connection()?;
    let idle = claim.map_or(IDLE, |claim| claim.term.max(IDLE)).as_millis().to_string();
    let options = PgConnectOptions::from_str(&url)
        .map_err(|_| Error::BadLocation { given: shown.to_string(), why: "the driver cannot read it".to_owned() })?
        .options([("search_path", schema.as_str()), PLANS, ("idle_in_transaction_session_timeout", &idle)])
        .application_name(&worker.map_or_else(|| "handover".to_owned(), |name| format!("{}{name}", mark(&schema))))
        .statement_cache_capacity(STATEMENTS)
        .disable_statement_logging();
    let mut session = None;
    let mut lease = None;
    if let Some(claim) = claim {
        let connection = options.connect().await.map_err(wrong)?;
        let mut writer = Session::Postgres(connection);
        create_postgres(&mut writer, &shown, &schema).await?;
        lease = Some(crate::lease::take(&mut writer, &shown, claim).await?);
        session = Some(writer);
    }
    let mut pool = PgPoolOptions::new().max_connections(READERS);
    if claim.is_none() {
        // Whoever looks or delivers wants to know soon that there is no database.
        pool = pool.acquire_timeout(SOON);
    }
    let pool = pool.connect_with(options).await.map_err(wrong)?;
    let store = assemble((session, lease), Pool::Postgres(pool), shown, None, None);
    let mut sql = store.sql("SELECT count(*) FROM pg_tables WHERE tablename = 'meta' AND schemaname = ");
    sql.text(schema.as_str());
    if store.fetch(sql, |row| row.int(0)).await?.first() != Some(&1) {
        return Err(Error::Absent { location: store.inner.location.clone() });
    }
    store.check_version().await?;
    Ok(store)
}

/// How the connections of workers on a schema begin their names.
pub(crate) fn mark(schema: &str) -> String {
    format!("handover {} ", &blake3::hash(schema.as_bytes()).to_hex()[..8])
}

/// Makes the tables if there are none; of several that want to, one does.
async fn create_postgres(writer: &mut Session, shown: &Arc<str>, schema: &str) -> Result<(), Error> {
    let exists = "SELECT count(*) FROM pg_tables WHERE tablename = 'meta' AND schemaname = ";
    let mut tx = writer.begin(shown).await?;
    let mut sql: Sql = tx.sql("SELECT 1 FROM pg_advisory_xact_lock(");
    let hash = blake3::hash(schema.as_bytes());
    let bytes = hash.as_bytes();
    let key = i64::from(i32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    sql.int(i64::from(LOCK)).push("::int, ").int(key).push("::int)");
    tx.run(sql).await?;
    let mut sql: Sql = tx.sql(exists);
    sql.text(schema);
    if tx.fetch(sql, |row| row.int(0)).await?.first() == Some(&0) {
        // The name is a plain identifier, see `Location::connection`.
        tx.script(format!("CREATE SCHEMA IF NOT EXISTS \"{schema}\"")).await?;
        schema::create(&mut tx, Kind::Postgres).await?;
    }
    tx.commit().await
}
