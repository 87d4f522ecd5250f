//! Holds that one answer releases, and how many records wait behind them.

use std::collections::{HashMap, HashSet};

use futures::TryStreamExt;
use handover_model::{FlowName, Hold, ObjectName, RecordId};

use crate::database::{Row, unreadable};
use crate::{Error, Store};

/// Holds of one flow and object with the same `Cause::group`: answered together.
#[derive(Clone, Debug)]
pub struct HoldGroup {
    /// The flow.
    pub flow: FlowName,
    /// The source object.
    pub object: ObjectName,
    /// The cause's word.
    pub cause: String,
    /// The group.
    pub group: String,
    /// How many records it holds.
    pub count: u64,
    /// The hold of the record whose id comes first.
    pub sample: Hold,
    /// How many other records are held only for a record of this group: as its children, or theirs.
    pub waiting: u64,
}

/// A record of a flow as one number; two of ten million records share one with a chance of about one in
/// a hundred thousand, and then a count is off by one.
type Node = u64;

fn node(flow: i64, record: &str) -> Node {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&flow.to_le_bytes()).update(record.as_bytes());
    let mut bytes = [0; 8];
    hasher.finalize_xof().fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

/// A group before its sample and its waiting records are known.
struct Found {
    flow: i64,
    flow_name: FlowName,
    object: ObjectName,
    cause: String,
    group: String,
    count: u64,
    first: RecordId,
}

impl Store {
    /// Holds by flow, object and group, in that order.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn hold_groups(&self) -> Result<Vec<HoldGroup>, Error> {
        let sql = self.sql(
            "SELECT h.flow, f.text, o.text, h.cause, h.grp, COUNT(DISTINCT h.record), MIN(h.record) FROM hold h \
             JOIN name f ON f.id = h.flow JOIN name o ON o.id = h.object \
             GROUP BY h.flow, f.text, o.text, h.cause, h.grp ORDER BY f.text, o.text, h.cause, h.grp",
        );
        let read = |row: &Row<'_>| {
            Ok(Found {
                flow: row.int(0)?,
                flow_name: row.text(1)?.into(),
                object: row.text(2)?.into(),
                cause: row.text(3)?.to_owned(),
                group: row.text(4)?.to_owned(),
                count: row.int(5)?.unsigned_abs(),
                first: row.text(6)?.into(),
            })
        };
        let found = self.fetch(sql, read).await?;
        let waiting = self.waiting(&found).await?;
        let mut groups = Vec::with_capacity(found.len());
        for (found, waiting) in found.into_iter().zip(waiting) {
            let Some(sample) = self.sample(&found).await? else { continue };
            groups.push(HoldGroup {
                flow: found.flow_name,
                object: found.object,
                cause: found.cause,
                // A very long group stands in its row with its hash: the whole one is the sample's.
                group: sample.cause.group(),
                count: found.count,
                sample,
                waiting,
            });
        }
        Ok(groups)
    }

    async fn sample(&self, group: &Found) -> Result<Option<Hold>, Error> {
        let mut sql = self.sql("SELECT body FROM hold WHERE grp = ");
        sql.text(group.group.as_str()).push(" AND flow = ").int(group.flow);
        sql.push(" AND record = ").text(group.first.as_str()).push(" ORDER BY cause_key LIMIT 1");
        let read = |row: &Row<'_>| serde_json::from_str(row.text(0)?).map_err(unreadable);
        Ok(self.fetch(sql, read).await?.pop())
    }

    /// For each group the number of records outside it that are held only for records of it.
    async fn waiting(&self, groups: &[Found]) -> Result<Vec<u64>, Error> {
        let places: HashMap<(i64, &str), usize> =
            groups.iter().enumerate().map(|(at, group)| ((group.flow, group.group.as_str()), at)).collect();
        let mut roots: Vec<HashSet<Node>> = vec![HashSet::new(); groups.len()];
        let mut with_other_causes: HashSet<Node> = HashSet::new();
        let mut children: HashMap<Node, Vec<Node>> = HashMap::new();
        let sql = self.sql("SELECT flow, record, grp, cause, parent_flow, parent FROM hold");
        let read = |row: &Row<'_>| {
            let child = node(row.int(0)?, row.text(1)?);
            let parent = match (row.opt_int(4)?, row.opt_text(5)?) {
                (Some(flow), Some(parent)) => Some(node(flow, parent)),
                _ => None,
            };
            Ok((child, places.get(&(row.int(0)?, row.text(2)?)).copied(), parent))
        };
        let mut holds = self.stream(sql, read);
        while let Some((record, place, parent)) = holds.try_next().await? {
            if let Some(roots) = place.and_then(|at| roots.get_mut(at)) {
                roots.insert(record);
            }
            match parent {
                Some(parent) => children.entry(parent).or_default().push(record),
                None => drop(with_other_causes.insert(record)),
            }
        }
        Ok(roots.iter().map(|roots| count_behind(roots, &children, &with_other_causes)).collect())
    }
}

fn count_behind(roots: &HashSet<Node>, children: &HashMap<Node, Vec<Node>>, with_other_causes: &HashSet<Node>) -> u64 {
    let mut seen: HashSet<Node> = roots.clone();
    let mut open: Vec<Node> = roots.iter().copied().collect();
    let mut behind = 0;
    while let Some(parent) = open.pop() {
        for child in children.get(&parent).into_iter().flatten() {
            if !with_other_causes.contains(child) && seen.insert(*child) {
                behind += 1;
                open.push(*child);
            }
        }
    }
    behind
}
