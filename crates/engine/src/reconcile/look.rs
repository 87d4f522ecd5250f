//! What differs of pairs, read anew on both sides: what a pass would do about them if it looked at them now.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use futures::future::try_join;
use handover_model::{FieldName, FlowName, Kind, Outcome, Record, RecordId, Side};
use handover_store::RecordRow;

use crate::Error;
use crate::change::Pair;
use crate::decide::{Look, Staged};
use crate::pass::Pass;
use crate::resolve::misplaced;
use crate::setup::Ready;
use crate::verdict::{Known, Verdicts, left_to_the_target, weigh};

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    /// By source record: the target's fields that differ; none when one of both records is missing.
    pub(super) different: BTreeMap<RecordId, BTreeSet<Option<FieldName>>>,
    /// Pairs that could be judged.
    pub(super) looked: u64,
    /// Values that the target's people changed and that stay as they are.
    pub(super) left: u64,
}

impl Pass {
    /// What differs of these pairs, by their source records. What is held, waits, or is known to be gone does not.
    pub(super) async fn differing(&self, ready: &Arc<Ready>, ids: &[RecordId]) -> Result<Found, Error> {
        let mut found = Found::default();
        let rows = self.open_pairs(ready, ids).await?;
        if rows.is_empty() {
            return Ok(found);
        }
        let sources: Vec<RecordId> = rows.keys().cloned().collect();
        let targets: Vec<RecordId> = rows.values().filter_map(|row| row.target.clone()).collect();
        // Reading does no harm where it is broken off.
        let reading = self.reading_of(&ready.flow.source);
        let (here, there) = try_join(self.read_now(&reading, &sources), self.targets_now(ready, &targets)).await?;
        let by_id = |records: Vec<Record>| -> HashMap<RecordId, Record> {
            records.into_iter().map(|record| (record.id.clone(), record)).collect()
        };
        let (mut here, mut there) = (by_id(here), by_id(there));
        let mut staged = Vec::new();
        let mut others: HashMap<RecordId, (RecordRow, Record)> = HashMap::new();
        for (id, row) in rows {
            let target = row.target.as_ref().and_then(|target| there.remove(target));
            match (here.remove(&id), target) {
                (Some(record), Some(target)) => {
                    staged.push(Staged::new(record, row.block));
                    others.insert(id, (row, target));
                }
                _ => drop(found.different.entry(id).or_default().insert(None)),
            }
        }
        found.looked = (staged.len() + found.different.len()) as u64;
        let pairs = self.pairs_of(ready, staged, others).await?;
        let held = self.held_of(ready, &pairs).await?;
        let ids: Vec<RecordId> = pairs.iter().map(|pair| pair.staged.record.id.clone()).collect();
        let linking = self.place.store.linking_among(&ready.flow.name, &ids).await?;
        for pair in &pairs {
            let Some(there) = &pair.there else { continue };
            let id = &pair.staged.record.id;
            let Verdicts { forth, back, held: asked, .. } = weigh(ready, pair, there, &Known::default());
            let asked = asked.iter().filter_map(|(cause, _)| cause.field().cloned());
            let fields: BTreeSet<FieldName> = forth.into_keys().chain(back).chain(asked).collect();
            let is_link = |name: &FieldName| {
                matches!(ready.target_field(name).map(|field| &field.kind), Some(Kind::Reference { .. }))
            };
            let waits = |name: &FieldName| {
                held.contains(&(id.clone(), None))
                    || held.contains(&(id.clone(), Some(name.clone())))
                    || linking.contains(id) && is_link(name)
            };
            let open: BTreeSet<_> = fields.into_iter().filter(|name| !waits(name)).map(Some).collect();
            if !open.is_empty() {
                found.different.insert(id.clone(), open);
            }
            found.left += left_to_the_target(ready, pair, there);
        }
        Ok(found)
    }

    /// The rows of those that are pairs, and of which nothing is known to have vanished.
    async fn open_pairs(&self, ready: &Ready, ids: &[RecordId]) -> Result<HashMap<RecordId, RecordRow>, Error> {
        let (flow, store) = (&ready.flow.name, &self.place.store);
        let mut rows = store.rows(flow, ids).await?;
        rows.retain(|_, row| row.outcome.is_paired() && row.outcome != Outcome::Merged && row.target.is_some());
        let targets: Vec<RecordId> = rows.values().filter_map(|row| row.target.clone()).collect();
        let mut gone = store.vanished_among(flow, Side::Source, ids).await?;
        gone.extend(store.vanished_among(flow, Side::Target, &targets).await?);
        for one in gone {
            rows.remove(&one.source);
        }
        Ok(rows)
    }

    /// The pairs as a pass would judge them. Those that wait for their cohort or are out of scope are not among them.
    async fn pairs_of(
        &self,
        ready: &Arc<Ready>,
        mut staged: Vec<Staged>,
        mut others: HashMap<RecordId, (RecordRow, Record)>,
    ) -> Result<Vec<Pair>, Error> {
        // In which cohort they are is told, and kept by a pass that carries them.
        self.place(ready, &mut staged, Look::Again).await?;
        staged.retain(|one| !one.standing.waits && ready.program.in_scope(&one.record) == Ok(true));
        let ids: Vec<RecordId> = staged.iter().map(|one| one.record.id.clone()).collect();
        let mut answers = self.place.store.answers(&ready.flow.name, &ids).await?;
        let mapped: Vec<_> = staged.iter().map(|one| ready.program.apply(&one.record)).collect();
        let parents = self.parents(ready, mapped.iter().map(Vec::as_slice)).await?;
        let mut pairs = Vec::new();
        for (staged, mapped) in staged.into_iter().zip(mapped) {
            let Some((row, there)) = others.remove(&staged.record.id) else { continue };
            let answers = answers.remove(&staged.record.id).unwrap_or_default();
            let mut resolved = self.resolve(ready, &staged.record, mapped, &answers, parents.again());
            misplaced(ready, &mut resolved);
            ready.forget_untold(&mut resolved);
            pairs.push(Pair {
                target: there.id.clone(),
                there: Some(there),
                staged,
                row,
                answers,
                resolved,
                returned: None,
                stuck: Vec::new(),
                missing: Arc::default(),
                open: Vec::new(),
                holds: Vec::new(),
                was_held: false,
            });
        }
        let missing = Arc::new(self.missing_ends(ready, &pairs).await?);
        pairs.iter_mut().for_each(|pair| pair.missing = missing.clone());
        if let Some(back) = &ready.back {
            self.turn_all(ready, back, &mut pairs).await?;
        }
        Ok(pairs)
    }

    /// What is held of pairs, on either way: by the source's record, the target's field, or none for all of it.
    async fn held_of(&self, ready: &Ready, pairs: &[Pair]) -> Result<HashSet<(RecordId, Option<FieldName>)>, Error> {
        let mut held = HashSet::new();
        let ids: Vec<RecordId> = pairs.iter().map(|pair| pair.staged.record.id.clone()).collect();
        let store = &self.place.store;
        for id in store.held_among(&ready.flow.name, &ids).await? {
            let holds = store.holds_of(&ready.flow.name, &id).await?;
            held.extend(holds.iter().map(|hold| (id.clone(), hold.cause.field().cloned())));
        }
        let Some(back) = &ready.back else { return Ok(held) };
        let name: &FlowName = &back.ready.flow.name;
        let targets: Vec<RecordId> = pairs.iter().map(|pair| pair.target.clone()).collect();
        let waiting = store.held_among(name, &targets).await?;
        for pair in pairs.iter().filter(|pair| waiting.contains(&pair.target)) {
            for hold in store.holds_of(name, &pair.target).await? {
                let id = &pair.staged.record.id;
                match hold.cause.field() {
                    // It names the source's field.
                    Some(field) => {
                        held.extend(ready.fields_back_to(field.as_str()).map(|name| (id.clone(), Some(name.clone()))))
                    }
                    None => drop(held.insert((id.clone(), None))),
                }
            }
        }
        Ok(held)
    }
}
