//! The tables, once for both databases.

use crate::database::{Kind, Tx};
use crate::{Error, Identity};

/// The version of the tables that this program writes.
pub(crate) const VERSION: i64 = 1;

/// `%i`, `%t`, `%b` are the database's words for whole numbers, texts in byte order and bytes; `%k` ends
/// a table that is ordered by its primary key.
///
/// Flows, systems and objects stand as numbers (table `name`), in every key of millions of rows.
/// `flow.back` is the name of the flow's way back: its pairs are the flow's, turned round.
/// A block's marks stand before its body, so that reading them does not touch the body's pages.
/// What a flow paired stands in `record` alone; `membership` has what is more than that, `member` both.
/// `cohort.cohort` is 0 for a record that left its cohort and is in none.
/// Instants are nanoseconds since 1970. Outcomes are numbers, the worst first, see `rows.rs`.
const TABLES: &str = "
CREATE TABLE meta (name %t PRIMARY KEY, value %t NOT NULL) %k;
CREATE TABLE kept (name %t PRIMARY KEY, value %t NOT NULL) %k;
CREATE TABLE lease (
    one %i PRIMARY KEY, fence %i NOT NULL, worker %t NOT NULL, process %t NOT NULL, since %i NOT NULL,
    until %i NOT NULL, term %i NOT NULL, given_back %i NOT NULL) %k;
CREATE TABLE counter (name %t PRIMARY KEY, value %i NOT NULL) %k;
CREATE TABLE name (id %i PRIMARY KEY, text %t NOT NULL UNIQUE) %k;
CREATE TABLE system (system %i PRIMARY KEY, platform %t NOT NULL, account %t NOT NULL) %k;
CREATE TABLE flow (
    flow %i PRIMARY KEY, source_system %i NOT NULL, source_object %i NOT NULL,
    target_system %i NOT NULL, target_object %i NOT NULL, back %i NOT NULL) %k;
CREATE TABLE pass (
    id %i PRIMARY KEY, kind %t NOT NULL, began %i NOT NULL, ended %i, status %t,
    snapshot %t NOT NULL, note %t NOT NULL) %k;
CREATE TABLE extraction (
    system %i NOT NULL, object %i NOT NULL, pass %i NOT NULL, resume %t, blocks %i NOT NULL,
    records %i NOT NULL, complete %i NOT NULL, told %i, began %i NOT NULL,
    ahead %i NOT NULL, PRIMARY KEY (system, object)) %k;
CREATE TABLE watermark (
    system %i NOT NULL, object %i NOT NULL, at %i NOT NULL, reached %i NOT NULL, closed %i NOT NULL,
    ahead %i NOT NULL, clock_set %i, seen %b NOT NULL, PRIMARY KEY (system, object)) %k;
CREATE TABLE block (
    system %i NOT NULL, object %i NOT NULL, number %i NOT NULL, marks %b NOT NULL, body %b NOT NULL,
    PRIMARY KEY (system, object, number)) %r;
CREATE TABLE match_key (
    system %i NOT NULL, object %i NOT NULL, kind %t NOT NULL, key %t NOT NULL, record %t NOT NULL,
    block %i NOT NULL, PRIMARY KEY (system, object, kind, key, record)) %k;
CREATE TABLE record (
    flow %i NOT NULL, record %t NOT NULL, outcome %i NOT NULL, identity %i, target %t, digest %b, base %b,
    mapped %b, block %i NOT NULL, written %i, last_entry %i, PRIMARY KEY (flow, record)) %k;
CREATE INDEX record_outcome ON record (flow, outcome, record);
CREATE INDEX record_target ON record (flow, target) WHERE target IS NOT NULL;
CREATE INDEX record_identity ON record (identity) WHERE target IS NOT NULL;
CREATE TABLE membership (
    system %i NOT NULL, object %i NOT NULL, record %t NOT NULL, identity %i NOT NULL, role %t NOT NULL,
    state %t NOT NULL, PRIMARY KEY (system, object, record)) %k;
CREATE INDEX membership_identity ON membership (identity);
CREATE VIEW member AS
    SELECT system, object, record, identity, role, state FROM membership
    UNION ALL SELECT f.source_system, f.source_object, r.record, r.identity, '', 'live'
    FROM flow f JOIN record r ON r.flow = f.flow WHERE r.target IS NOT NULL AND r.identity IS NOT NULL
    UNION ALL SELECT f.target_system, f.target_object, r.target, r.identity, '', 'live'
    FROM flow f JOIN record r ON r.flow = f.flow WHERE r.target IS NOT NULL AND r.identity IS NOT NULL;
CREATE TABLE cohort (
    flow %i NOT NULL, record %t NOT NULL, cohort %i NOT NULL, waits %i NOT NULL, block %i NOT NULL,
    PRIMARY KEY (flow, record)) %k;
CREATE INDEX cohort_waits ON cohort (flow, record) WHERE waits = 1;
CREATE TABLE flip (
    flow %i NOT NULL, record %t NOT NULL, field %t NOT NULL, mark %b NOT NULL, number %i NOT NULL, at %i NOT NULL,
    PRIMARY KEY (flow, record, field)) %k;
CREATE TABLE vanished (
    flow %i NOT NULL, side %i NOT NULL, record %t NOT NULL, source %t NOT NULL, fate %i NOT NULL, pass %i NOT NULL,
    since %i NOT NULL, into_record %t, certain %i NOT NULL, counterpart %t, PRIMARY KEY (flow, side, record)) %k;
CREATE TABLE lookout (
    system %i NOT NULL, object %i NOT NULL, list %t NOT NULL, at %i NOT NULL, reached %i NOT NULL,
    closed %i NOT NULL, looked %i NOT NULL, pages %i NOT NULL, PRIMARY KEY (system, object, list)) %k;
CREATE TABLE worked (flow %i PRIMARY KEY, snapshot %t NOT NULL, blocks %i NOT NULL) %k;
CREATE TABLE intent (
    id %t PRIMARY KEY, flow %i NOT NULL, payload %b NOT NULL, entry %i, told %b, at %i NOT NULL) %k;
CREATE TABLE hold (
    flow %i NOT NULL, record %t NOT NULL, cause_key %b NOT NULL, object %i NOT NULL, cause %t NOT NULL,
    grp %t NOT NULL, since %i NOT NULL, owner %t, parent_flow %i, parent %t, body %t NOT NULL,
    PRIMARY KEY (flow, record, cause_key)) %k;
CREATE INDEX hold_group ON hold (grp, flow, record);
CREATE INDEX hold_parent ON hold (parent_flow, parent) WHERE parent IS NOT NULL;
CREATE TABLE link (
    flow %i NOT NULL, record %t NOT NULL, field %t NOT NULL, parent_flow %i NOT NULL, parent %t NOT NULL,
    gone %i NOT NULL, PRIMARY KEY (flow, record, field, parent_flow, parent, gone)) %k;
CREATE TABLE answer (
    id %i PRIMARY KEY, flow %i NOT NULL, record %t NOT NULL, at %i NOT NULL, answer %t NOT NULL,
    reviewer %t NOT NULL, comment %t NOT NULL, open %i NOT NULL) %k;
CREATE INDEX answer_record ON answer (flow, record);
CREATE INDEX answer_open ON answer (flow) WHERE open = 1;
CREATE TABLE inbox (
    system %i NOT NULL, event %t NOT NULL, object %i NOT NULL, record %t NOT NULL, what %t NOT NULL, survivor %t,
    at %i NOT NULL, received %i NOT NULL, done %i, PRIMARY KEY (system, event)) %k;
CREATE INDEX inbox_waiting ON inbox (received) WHERE done IS NULL;
CREATE TABLE heard (system %i PRIMARY KEY, events %i NOT NULL, last %i NOT NULL) %k;
CREATE TABLE spent (system %i NOT NULL, since %i NOT NULL, amount %i NOT NULL, PRIMARY KEY (system, since)) %k;
CREATE TABLE writer (id %i PRIMARY KEY, head %i NOT NULL, hash %b NOT NULL, tied %i NOT NULL) %k;
CREATE TABLE entry (
    seq %i PRIMARY KEY, writer %i NOT NULL, at %i NOT NULL, pass %i NOT NULL, kind %t NOT NULL,
    flow %t, note %t NOT NULL, items_count %i NOT NULL, items %b NOT NULL, hash %b NOT NULL) %r;
CREATE TABLE entry_values (seq %i PRIMARY KEY, body %b NOT NULL) %r;
CREATE TABLE story (flow %i NOT NULL, record %t NOT NULL, last_entry %i NOT NULL, PRIMARY KEY (flow, record)) %k;
";

/// What SQLite's planner takes for granted of `record`: many rows for each flow, few for each outcome, one
/// for each target and each identity; and few flows. Without it, it reads whole flows where an index leads to the rows.
const EXPECTED: &str = "
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('record', 'record', '10000000 1000000 1'),
    ('record', 'record_outcome', '10000000 1000000 1000 1'),
    ('record', 'record_target', '10000000 1000000 1 1'),
    ('record', 'record_identity', '10000000 1 1 1'),
    ('flow', 'flow', '20 1');
";

/// Every table, in the order in which a copy is made; but for the lease, which is not copied.
pub(crate) const NAMES: [&str; 29] = [
    "meta",
    "kept",
    "counter",
    "name",
    "system",
    "flow",
    "pass",
    "extraction",
    "watermark",
    "block",
    "match_key",
    "record",
    "cohort",
    "flip",
    "vanished",
    "lookout",
    "worked",
    "membership",
    "intent",
    "hold",
    "link",
    "answer",
    "inbox",
    "heard",
    "spent",
    "writer",
    "entry",
    "entry_values",
    "story",
];

/// Makes the tables.
pub(crate) async fn create(tx: &mut Tx<'_>, kind: Kind) -> Result<(), Error> {
    // Rows that are mostly bytes (%r) stay in SQLite's rowid tables: their key is small, the body large.
    let words = match kind {
        Kind::Sqlite => ["INTEGER", "TEXT", "BLOB", "STRICT, WITHOUT ROWID", "STRICT"],
        // Byte order, as SQLite has it: pages continue after a record whatever the server's locale.
        Kind::Postgres => ["BIGINT", "TEXT COLLATE \"C\"", "BYTEA", "", ""],
    };
    let mut text = TABLES.to_owned();
    for (mark, word) in ["%i", "%t", "%b", "%k", "%r"].into_iter().zip(words) {
        text = text.replace(mark, word);
    }
    tx.script(text).await?;
    if kind == Kind::Sqlite {
        tx.script(EXPECTED.to_owned()).await?;
    }
    let mut sql = tx.sql("INSERT INTO meta (name, value) VALUES ");
    sql.rows(&[("version", VERSION.to_string())], |sql, (name, value)| {
        sql.text(*name).text(value.as_str());
    });
    tx.run(sql).await?;
    let free = "INSERT INTO lease (one, fence, worker, process, since, until, term, given_back) \
                VALUES (1, 0, '', '', 0, 0, 0, 1)";
    tx.script(free.to_owned()).await?;
    let mut sql = tx.sql("INSERT INTO counter (name, value) VALUES ");
    let none: Identity = 0;
    sql.rows(&["identity", "answer"], |sql, name| {
        sql.text(*name).int(none);
    });
    tx.run(sql).await?;
    Ok(())
}
