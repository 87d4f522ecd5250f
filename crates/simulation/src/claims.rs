//! What the state claims, in the oracle's words.

use std::collections::BTreeMap;

use handover_engine::Report;
use handover_model::{Cause, Outcome};
use handover_store::{EntryRow, HoldFilter, Location, Store};
use serde_json::json;

use crate::oracle::{Claims, Held, Paired, Story, Sum, Told};

/// What the ledger tells of records that are gone.
const STORIES: [&str; 6] = ["vanished", "removing", "removed", "returned", "followed", "kept"];

/// Everything that the state says in the end.
pub(crate) async fn read(
    location: &Location,
    flows: &[&str],
    report: Option<&Report>,
) -> Result<Claims, handover_store::Error> {
    let store = Store::open_reading(location).await?;
    let mut claims = Claims { open: store.open_intents().await?.len(), ..Claims::default() };
    for row in store.holds_page(&HoldFilter::default(), None, 100_000).await? {
        let hold = row.hold;
        let other = match &hold.cause {
            Cause::ParentHeld { parent, .. } => Some(parent.to_string()),
            Cause::TargetGone { target } => Some(target.to_string()),
            _ => None,
        };
        let mark = match &hold.cause {
            Cause::Conflict { mark, .. } => Some(mark.clone()),
            _ => None,
        };
        claims.held.push(Held {
            flow: hold.flow.to_string(),
            record: hold.record.to_string(),
            cause: hold.cause.word().to_owned(),
            field: hold.cause.field().map(ToString::to_string),
            other,
            mark,
        });
    }
    for flow in flows.iter().copied() {
        for row in store.rows_page(&flow.into(), None, None, 100_000).await? {
            // Who became another record points to that one's counterpart.
            let Some(target) = row.target.filter(|_| row.outcome != Outcome::Merged) else { continue };
            let (source, target) = (row.record.to_string(), target.to_string());
            claims.pairs.push(Paired { flow: flow.to_owned(), source, target });
        }
    }
    for row in ledger(&store).await? {
        let Some(flow) = &row.flow else { continue };
        for (record, values) in row.items.iter().filter(|_| STORIES.contains(&row.kind.as_str())) {
            let text = |key: &str| {
                let told = values.as_ref().and_then(|values| values.get(key)?.as_str()).or(row.note[key].as_str());
                told.unwrap_or_default().to_owned()
            };
            let brought = !text("way_back").is_empty();
            claims.stories.push(Story {
                kind: if brought { "brought".to_owned() } else { row.kind.clone() },
                at: row.at,
                flow: flow.to_string(),
                record: record.to_string(),
                how: text("how"),
                other: text(if brought { "target" } else { "record" }),
            });
        }
        for (record, values) in &row.items {
            let before = values.as_ref().and_then(|values| values.get("before")?.as_object());
            claims.told.extend(before.into_iter().flatten().map(|(field, value)| Told {
                flow: flow.to_string(),
                record: record.to_string(),
                field: field.clone(),
                before: value.clone(),
            }));
        }
    }
    claims.broken_chain = store.verify(|_, _| {}).await.err().map(|error| error.to_string());
    for object in report.into_iter().flat_map(|report| &report.objects) {
        claims.sums.push(Sum {
            side: usize::from(object.system != *"old"),
            object: object.object.to_string(),
            read: object.counts.read,
            outcomes: Outcome::ALL.into_iter().map(|outcome| object.counts.of(outcome)).sum(),
            pending: object.counts.of(Outcome::Pending),
        });
    }
    store.close().await?;
    Ok(claims)
}

/// The whole ledger: that of six weeks is small.
async fn ledger(store: &Store) -> Result<Vec<EntryRow>, handover_store::Error> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let rows = store.entries(after, 1_000).await?;
        let Some(last) = rows.last() else { return Ok(all) };
        after = last.seq;
        all.extend(rows);
    }
}

/// The ledger and the queue as lines of JSON, for whoever wants to know what happened.
pub(crate) async fn told(location: &Location) -> Result<String, handover_store::Error> {
    let store = Store::open_reading(location).await?;
    let mut text = String::new();
    for row in ledger(&store).await? {
        let items: BTreeMap<&str, _> = row.items.iter().map(|(record, values)| (record.as_str(), values)).collect();
        let line = json!({"seq": row.seq, "at": row.at, "pass": row.pass, "kind": row.kind, "flow": row.flow,
                "note": row.note, "items": items});
        text += &format!("{line}\n");
    }
    for row in store.holds_page(&HoldFilter::default(), None, 100_000).await? {
        let hold = row.hold;
        text += &format!("{}\n", json!({"held": hold.record, "flow": hold.flow, "cause": format!("{:?}", hold.cause)}));
    }
    store.close().await?;
    Ok(text)
}
