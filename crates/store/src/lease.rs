//! The right to write a state in PostgreSQL: one process has it at a time, and only for a time.
//!
//! A file's lock is the operating system's and ends with its process. Over a network nobody can tell a dead process
//! from a silent one: so the right is a lease with a number that grows with each holder, the *fence*.
//!
//! Invariants:
//! - Every durable step begins by prolonging the lease under its fence, in its own transaction: whoever was succeeded
//!   commits nothing any more, and while a step is under way nobody succeeds its holder.
//! - What the row says is told by the database's clock alone. What the holder believes is measured by its own clock,
//!   begun before it asked, so that it believes in less than the row says. Clocks of machines are never compared.
//! - A lease that was not given back is free a tenth of its time after its end: for clocks that run differently.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;

use crate::database::{Pool, Row, Session, Sql, Tx};
use crate::open::mark;
use crate::store::{Inner, Store, instant};
use crate::{Error, Location};

/// How long a lease is unless somebody says otherwise.
const TERM: Duration = Duration::from_secs(60);
/// How long is waited for a holder that is just about to give its lease back.
const MOMENT: Duration = Duration::from_secs(2);
const STEP: Duration = Duration::from_millis(50);
/// The database's time, in nanoseconds since 1970.
const NOW: &str = "((EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT * 1000)";

/// Who wants to write a state, and on what terms.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The name under which people know the process.
    pub worker: String,
    /// What tells this process from every other one, in the caller's words.
    pub process: String,
    /// How long the lease lasts each time it is prolonged (in PostgreSQL).
    pub term: Duration,
    /// The fence of a holder that certainly lives no more: its lease is not waited for.
    pub over: Option<i64>,
}

impl Default for Claim {
    fn default() -> Self {
        let worker = format!("process {}", std::process::id());
        Self { worker, process: String::new(), term: TERM, over: None }
    }
}

/// Who writes a state now, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// Its name.
    pub worker: String,
    /// What tells it from every other process; empty where that is not known.
    pub process: String,
    /// The number of its lease; 0 for a lock.
    pub fence: i64,
    /// Since when.
    pub since: Option<Timestamp>,
    /// Until when, unless it goes on; `None` for a lock, which ends with its process.
    pub until: Option<Timestamp>,
}

impl Holder {
    /// Somebody of whom only a word is known.
    pub(crate) fn named(worker: &str) -> Self {
        Self { worker: worker.to_owned(), ..Self::default() }
    }
}

/// `NAME since WHEN`.
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.worker)?;
        match self.since {
            Some(since) => write!(f, " since {since:.0}"),
            None => Ok(()),
        }
    }
}

/// Which other process had the lease before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predecessor {
    /// What told it from every other process.
    pub process: String,
    /// How long before this lease began its own ended, by the database's clock.
    pub ago: Duration,
    /// Whether it gave its lease back.
    pub gave_back: bool,
}

/// A lease as its holder knows it. Cheap to clone; it does not keep the state open.
#[derive(Clone)]
pub struct Lease {
    shared: Arc<Shared>,
    store: Weak<Inner>,
}

struct Shared {
    fence: i64,
    term: Duration,
    predecessor: Option<Predecessor>,
    standing: Mutex<Standing>,
}

#[derive(Clone)]
enum Standing {
    /// Confirmed, and when the confirmation was asked for.
    Held(Asked),
    /// Somebody else has it.
    Lost(Holder),
    /// It was given back, or the state is closed: nothing hangs on it.
    Over,
}

/// A moment by this machine. Its monotonic clock stands while the machine sleeps, the other one may be set: whichever
/// says that more time has passed is believed.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    monotonic: Instant,
    wall: SystemTime,
}

impl Asked {
    #[expect(
        clippy::disallowed_methods,
        reason = "only how long ago it was is asked, of a lease that must not outlive it"
    )]
    pub(crate) fn now() -> Self {
        Self { monotonic: Instant::now(), wall: SystemTime::now() }
    }

    fn ago(&self) -> Duration {
        let by_wall = Self::now().wall.duration_since(self.wall).unwrap_or_default();
        self.monotonic.elapsed().max(by_wall)
    }
}

impl Lease {
    /// Its number: every later holder has a greater one.
    pub fn fence(&self) -> i64 {
        self.shared.fence
    }

    /// Who had it before, if another process had.
    pub fn predecessor(&self) -> Option<&Predecessor> {
        self.shared.predecessor.as_ref()
    }

    /// Who has taken it over, once that was noticed.
    pub fn lost_to(&self) -> Option<Holder> {
        match &*self.shared.standing() {
            Standing::Lost(by) => Some(by.clone()),
            Standing::Held(_) | Standing::Over => None,
        }
    }

    /// Makes sure that the lease lasts for so long; asks the database where the holder cannot know. Once the state was
    /// closed in order, nothing hangs on it any more.
    ///
    /// # Errors
    ///
    /// [`Error::Succeeded`] when somebody else has it, [`Error::LeaseShort`] when it is shorter than that,
    /// [`Error::Unreachable`] when the database does not answer.
    pub async fn outlasts(&self, time: Duration) -> Result<(), Error> {
        let Some(inner) = self.store.upgrade() else { return Ok(()) };
        let location = inner.location.clone();
        if self.shared.knows(&location, time)? {
            return Ok(());
        }
        let silent = |_| Error::Unreachable { location: location.clone(), source: "it is silent".into() };
        tokio::time::timeout(self.shared.term, Store { inner }.prolong()).await.map_err(silent)??;
        match self.shared.knows(&location, time)? {
            true => Ok(()),
            false => Err(Error::LeaseShort { location, term: self.shared.term }),
        }
    }
}

impl Shared {
    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is known to last for so long.
    fn knows(&self, location: &Arc<str>, time: Duration) -> Result<bool, Error> {
        match &*self.standing() {
            Standing::Held(asked) => Ok(asked.ago().saturating_add(time) <= self.term),
            Standing::Lost(by) => Err(Error::Succeeded { location: location.clone(), by: by.clone().into() }),
            Standing::Over => Ok(true),
        }
    }
}

/// A lease in the store that has it.
pub(crate) struct Held(Arc<Shared>);

impl Held {
    /// Prolongs the lease within a step, or finds that somebody else has it.
    pub(crate) async fn prolong(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let mut sql = tx.sql(&format!("UPDATE lease SET until = {NOW} + "));
        sql.int(nanos(self.0.term)).push(" WHERE given_back = 0 AND fence = ").int(self.0.fence);
        if tx.run(sql).await? == 1 {
            return Ok(());
        }
        let sql = tx.sql(SELECT);
        let by = tx.fetch(sql, read).await?.pop().map(|found| found.holder).unwrap_or_default();
        *self.0.standing() = Standing::Lost(by.clone());
        Err(Error::Succeeded { location: tx.location().clone(), by: by.into() })
    }

    /// The step that was asked for then is durable.
    pub(crate) fn prolonged(&self, asked: Asked) {
        let mut standing = self.0.standing();
        if let Standing::Held(then) = &mut *standing {
            *then = asked;
        }
    }

    /// Gives the lease back; afterwards nothing hangs on it. What was succeeded stays so.
    pub(crate) async fn give_back(&self, pool: &Pool, location: &Arc<str>) -> Result<(), Error> {
        {
            let mut standing = self.0.standing();
            if !matches!(*standing, Standing::Held(_)) {
                return Ok(());
            }
            *standing = Standing::Over;
        }
        let given = async {
            let mut tx = pool.begin(location).await?;
            let mut sql = tx.sql(&format!("UPDATE lease SET given_back = 1, until = {NOW} WHERE fence = "));
            sql.int(self.0.fence);
            tx.run(sql).await?;
            tx.commit().await
        };
        let silent = |_| Error::Unreachable { location: location.clone(), source: "it is silent".into() };
        tokio::time::timeout(MOMENT, given).await.map_err(silent)?
    }
}

const SELECT: &str = "SELECT fence, worker, process, since, until, term, given_back FROM lease";

/// The row as it stands.
struct Found {
    holder: Holder,
    until: i64,
    term: i64,
    given_back: bool,
}

fn read(row: &Row<'_>) -> Result<Found, sqlx::Error> {
    let until = row.int(4)?;
    let holder = Holder {
        fence: row.int(0)?,
        worker: row.text(1)?.to_owned(),
        process: row.text(2)?.to_owned(),
        since: Some(instant(row.int(3)?)),
        until: Some(instant(until)),
    };
    Ok(Found { holder, until, term: row.int(5)?, given_back: row.int(6)? == 1 })
}

impl Found {
    fn is_free(&self, now: i64, over: Option<i64>) -> bool {
        let late = self.until.saturating_add(self.term / 10);
        self.given_back || now > late || over == Some(self.holder.fence)
    }
}

fn nanos(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX / 4)
}

/// For how long somebody else's state is asked for anew: who ends is still about it, a thread of this very process
/// perhaps.
pub(crate) struct Patience(Instant);

impl Patience {
    pub(crate) fn begins() -> Self {
        Self(Instant::now())
    }

    /// Waits until it may be tried again, if that may help.
    pub(crate) async fn waits(&self, error: &Error) -> bool {
        let helps = matches!(error, Error::Locked { .. }) && self.0.elapsed() < MOMENT;
        if helps {
            tokio::time::sleep(STEP).await;
        }
        helps
    }
}

/// Takes the lease for a session that shall write; one that is about to be given back is waited for.
pub(crate) async fn take(session: &mut Session, location: &Arc<str>, claim: &Claim) -> Result<Held, Error> {
    let patience = Patience::begins();
    loop {
        match try_to_take(session, location, claim).await {
            Ok(held) => return Ok(held),
            Err(error) => {
                if !patience.waits(&error).await {
                    return Err(error);
                }
            }
        }
    }
}

async fn try_to_take(session: &mut Session, location: &Arc<str>, claim: &Claim) -> Result<Held, Error> {
    let mut tx = session.begin(location).await?;
    // A step of the holder that is under way is waited for, but not for long.
    tx.script("SET LOCAL lock_timeout = '1s'".to_owned()).await?;
    let sql = tx.sql(&format!("{SELECT} FOR UPDATE"));
    let found = match tx.fetch(sql, read).await {
        Ok(mut found) => found.pop(),
        Err(Error::Locked { .. }) => {
            tx.rollback().await?;
            let mut tx = session.begin(location).await?;
            let sql = tx.sql(SELECT);
            let by = tx.fetch(sql, read).await?.pop().map(|found| found.holder).unwrap_or_default();
            return Err(Error::Locked { location: location.clone(), by: by.into() });
        }
        Err(error) => return Err(error),
    };
    let missing =
        || Error::Corrupt { location: location.clone(), what: "its lease is missing".to_owned(), source: None };
    let found = found.ok_or_else(missing)?;
    // Asked once the row is ours: the wait for it does not count.
    let now_sql = tx.sql(&format!("SELECT {NOW}"));
    let now = tx.fetch(now_sql, |row| row.int(0)).await?.pop().unwrap_or(0);
    if !found.is_free(now, claim.over) {
        tx.rollback().await?;
        return Err(Error::Locked { location: location.clone(), by: found.holder.into() });
    }
    let fence = found.holder.fence + 1;
    let asked = Asked::now();
    let mut sql = tx.sql("UPDATE lease SET given_back = 0, fence = ");
    sql.int(fence).push(", worker = ").text(claim.worker.as_str()).push(", process = ").text(claim.process.as_str());
    sql.push(&format!(", since = {NOW}, until = {NOW} + ")).int(nanos(claim.term));
    sql.push(", term = ").int(nanos(claim.term));
    tx.run(sql).await?;
    tx.commit().await?;
    // Whoever goes on itself knows what it did.
    let same = !claim.process.is_empty() && found.holder.process == claim.process;
    let predecessor = (found.holder.fence > 0 && !same).then(|| Predecessor {
        process: found.holder.process,
        ago: Duration::from_nanos(u64::try_from(now - found.until).unwrap_or(0)),
        gave_back: found.given_back,
    });
    let standing = Mutex::new(Standing::Held(asked));
    Ok(Held(Arc::new(Shared { fence, term: claim.term, predecessor, standing })))
}

/// Prolongs the lease while nothing else does, until the store is closed.
pub(crate) fn keep(store: &Store) {
    let Some(Held(shared)) = &store.inner.lease else { return };
    let (pause, inner) = (shared.term / 3, Arc::downgrade(&store.inner));
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(pause).await;
            let Some(inner) = inner.upgrade() else { return };
            match (Store { inner }).prolong().await {
                Ok(()) => {}
                Err(Error::Succeeded { by, .. }) => {
                    tracing::error!(%by, "another worker has taken the state over: this one stops");
                    return;
                }
                // Tried again: whoever was succeeded meanwhile learns it then.
                Err(error) => tracing::warn!(%error, "the lease could not be prolonged"),
            }
        }
    });
}

impl Store {
    /// The lease under which it writes; `None` for a file, whose lock ends with the process, and for readers.
    pub fn lease(&self) -> Option<Lease> {
        let Held(shared) = self.inner.lease.as_ref()?;
        Some(Lease { shared: shared.clone(), store: Arc::downgrade(&self.inner) })
    }

    /// Who writes the state now. For a state in PostgreSQL; of a file's lock only who is refused learns.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn holder(&self) -> Result<Option<Holder>, Error> {
        if matches!(self.inner.pool, Pool::Sqlite(_)) {
            return Ok(None);
        }
        let mut sql: Sql = self.sql(SELECT);
        sql.push(&format!(" WHERE given_back = 0 AND until >= {NOW}"));
        Ok(self.fetch(sql, read).await?.pop().map(|found| found.holder))
    }

    /// The workers that are connected to a state in PostgreSQL, by name, and since when each is; one that only looks is
    /// not among them.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn workers(&self) -> Result<Vec<(String, Timestamp)>, Error> {
        if matches!(self.inner.pool, Pool::Sqlite(_)) {
            return Ok(Vec::new());
        }
        let sql = self.sql("SELECT current_schema()::TEXT");
        let schema = self.fetch(sql, |row| Ok(row.text(0)?.to_owned())).await?.pop().unwrap_or_default();
        let mark = mark(&schema);
        let mut sql = self.sql(
            "SELECT application_name, (EXTRACT(EPOCH FROM MIN(backend_start)) * 1000000)::BIGINT * 1000 \
             FROM pg_stat_activity WHERE datname = current_database() AND starts_with(application_name, ",
        );
        sql.text(mark.as_str()).push(") GROUP BY application_name ORDER BY application_name");
        let read = |row: &Row<'_>| Ok((row.text(0)?.replacen(&mark, "", 1), instant(row.int(1)?)));
        self.fetch(sql, read).await
    }

    /// Who has taken the lease over since, if somebody has; asked of the database where it is not known. Also after a
    /// failure: the writing connection may be what a successor ended.
    pub async fn successor(&self) -> Option<Holder> {
        let lease = self.lease()?;
        if let Some(by) = lease.lost_to() {
            return Some(by);
        }
        let asked = tokio::time::timeout(MOMENT, self.fetch(self.sql(SELECT), read)).await;
        let found = asked.ok()?.ok()?.pop()?.holder;
        (found.fence > lease.fence()).then_some(found)
    }

    async fn prolong(&self) -> Result<(), Error> {
        let mut writer = self.writer().await?;
        let step = self.begin(&mut writer).await?;
        step.prolonged().await
    }
}

impl Location {
    /// Whether several workers may share it.
    pub fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}
