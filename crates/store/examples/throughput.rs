//! Prints how many rows a second the store takes: `throughput [ROWS] [BATCH] [POSTGRES_URL]`.
//!
//! A row here is a row of a table as a backfill writes them: a record's state, or one of its two
//! memberships. A second round adds a ledger item for each record.

use std::io::Write;
use std::time::Instant;

use handover_model::{Outcome, RecordId};
use handover_store::{Commit, Entry, Item, Location, Membership, RecordRow, Store};
use jiff::Timestamp;

fn membership(system: &str, object: &str, record: RecordId, identity: i64) -> Membership {
    Membership {
        system: system.into(),
        object: object.into(),
        record,
        identity,
        role: String::new(),
        state: "live".to_owned(),
    }
}

fn batch(flow: &str, from: i64, size: i64, with_ledger: bool) -> Commit {
    let mut commit = Commit { at: Timestamp::UNIX_EPOCH, pass: 1, ..Commit::default() };
    let mut items = Vec::new();
    for number in from..from + size {
        let source = RecordId::from(format!("{}", 1_000_000 + number));
        let target = RecordId::from(format!("{}", 90_000_000_000 + number * 7));
        commit.rows.push(RecordRow {
            flow: flow.into(),
            record: source.clone(),
            outcome: Outcome::Created,
            identity: Some(number),
            target: Some(target.clone()),
            digest: Some([7; 16]),
            base: Some(vec![42; 60]),
            mapped: None,
            block: number / 500,
            written: None,
            last_entry: None,
        });
        if with_ledger {
            let values =
                serde_json::json!({ "name": format!("Person {number}"), "email": format!("p{number}@example.com") });
            items.push(Item { record: source.clone(), values: values.into() });
        }
        commit.memberships.push(membership("old", flow, source, number));
        commit.memberships.push(membership("new", flow, target, number));
    }
    if with_ledger {
        let note = serde_json::Value::Null;
        commit.entries.push(Entry { kind: "confirmed".to_owned(), flow: Some(flow.into()), note, items });
    }
    commit
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let records: i64 = arguments.next().map_or(Ok(300_000), |text| text.parse())?;
    let size: i64 = arguments.next().map_or(Ok(3_000), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let location = match arguments.next() {
        Some(url) => Location::parse(&url, folder.path())?,
        None => Location::Sqlite(folder.path().join("state.db")),
    };
    let store = Store::open(&location).await?;
    for (flow, with_ledger) in [("contacts", false), ("deals", true)] {
        let began = Instant::now();
        for from in (0..records).step_by(usize::try_from(size)?) {
            store.commit(batch(flow, from, size.min(records - from), with_ledger)).await?;
        }
        let seconds = began.elapsed().as_secs_f64();
        let what = if with_ledger { "rows, memberships and ledger items" } else { "rows and memberships" };
        let rows = records * if with_ledger { 4 } else { 3 };
        writeln!(std::io::stdout(), "{what}: {:.0} rows/s", rows as f64 / seconds)?;
    }
    Ok(())
}
