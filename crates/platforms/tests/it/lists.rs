//! Lists as whoever reads them goes through them.

use std::collections::HashSet;

use handover_connect::{Connector as _, Cursor, Driver, Fault, Read};
use handover_model::Record;

/// A page of a list; the cursor goes through text on the way, as the state keeps it.
pub(crate) async fn page(
    driver: &Driver,
    read: &Read,
    cursor: Option<&Cursor>,
) -> Result<(Vec<Record>, Option<Cursor>), Fault> {
    let cursor: Option<Cursor> =
        cursor.map(|cursor| serde_json::from_str(&serde_json::to_string(cursor).unwrap()).unwrap());
    driver.page(read, cursor.as_ref()).await.map(|page| (page.records, page.next))
}

/// The pages behind a position, to the end.
pub(crate) async fn rest(driver: &Driver, read: &Read, mut cursor: Option<Cursor>) -> Vec<Record> {
    let mut all = Vec::new();
    for _ in 0..1_000 {
        let (records, next) = page(driver, read, cursor.as_ref()).await.unwrap();
        all.extend(records);
        match next {
            Some(next) => cursor = Some(next),
            None => return all,
        }
    }
    panic!("the list does not end");
}

/// Each record once, the first copy of it: what the reader of a list makes of it.
pub(crate) fn once(records: Vec<Record>) -> Vec<Record> {
    let mut seen = HashSet::new();
    let mut once: Vec<Record> = records.into_iter().filter(|record| seen.insert(record.id.clone())).collect();
    once.sort_by(|a, b| a.id.cmp(&b.id));
    once
}
