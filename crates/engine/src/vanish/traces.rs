//! What the staged records tell of one that vanished: who points to it, and who seems to have taken its place.
//!
//! Some platforms do not tell where a merged record went. But what belonged to it belongs to the survivor then: the
//! records that pointed to it, and its addresses and numbers. That is no proof, and enough to ask a person.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use handover_model::{End, FieldName, From, Record, RecordId, Side, Value};
use handover_store::{Commit, PendingLink, RecordRow};

use crate::Error;
use crate::base;
use crate::pairing::{Keys, Pairing};
use crate::pass::Pass;
use crate::setup::Ready;

/// A field of a child flow that points to a flow's records.
struct Pointer {
    child: Arc<Ready>,
    field: FieldName,
    /// The object whose records point,
    end: End,
    /// and the fields by which they do.
    from: Vec<FieldName>,
}

impl Pointer {
    fn parents(&self, record: &Record) -> BTreeSet<RecordId> {
        let values = self.from.iter().filter_map(|name| record.fields.get(name.as_str()));
        values.flat_map(|value| value.ids().into_iter().map(RecordId::from).collect::<Vec<_>>()).collect()
    }
}

/// Of one pointer: by child, to which of the wanted records it points now, and where those point that did before.
#[derive(Default)]
struct Pointing {
    now: BTreeMap<RecordId, BTreeSet<RecordId>>,
    moved: BTreeMap<RecordId, BTreeSet<RecordId>>,
    /// Every child that ever pointed to one.
    ever: Vec<RecordId>,
}

impl Pass {
    /// The links to these records of a flow, as the children were staged last: they wait until there is a
    /// counterpart again.
    pub(super) async fn links_to(&self, ready: &Ready, wanted: &BTreeSet<RecordId>) -> Result<Vec<PendingLink>, Error> {
        let mut links = Vec::new();
        if wanted.is_empty() {
            return Ok(links);
        }
        for pointer in self.pointers(ready, Side::Source) {
            let pointing = self.pointing(&pointer, wanted).await?;
            for (record, parents) in pointing.now {
                links.extend(parents.into_iter().map(|parent| PendingLink {
                    flow: pointer.child.flow.name.clone(),
                    record: record.clone(),
                    field: pointer.field.as_str().to_owned(),
                    parent_flow: ready.flow.name.clone(),
                    parent,
                    gone: false,
                }));
            }
        }
        Ok(links)
    }

    /// What points to records that were left alone, and shall get a counterpart after all, waits for that: it was settled
    /// without the link meanwhile.
    pub(crate) async fn keep_links_to(&self, ready: &Ready, revived: &BTreeSet<RecordId>) -> Result<(), Error> {
        let links = self.links_to(ready, revived).await?;
        if !links.is_empty() {
            self.place.store.commit(Commit { links, ..self.commit() }).await?;
        }
        Ok(())
    }

    /// What pointed to records of a source that vanished is read and staged as changed.
    pub(super) async fn stage_pointing(
        &self,
        places: &[(Arc<Ready>, Side)],
        gone: &BTreeSet<RecordId>,
    ) -> Result<(), Error> {
        for (ready, _) in places.iter().filter(|(_, side)| *side == Side::Source && !gone.is_empty()) {
            for pointer in self.pointers(ready, Side::Source) {
                let children: Vec<RecordId> = self.pointing(&pointer, gone).await?.now.into_keys().collect();
                self.stage_children(&pointer, &children).await?;
            }
        }
        Ok(())
    }

    /// What ever pointed to records of a side that came back is read and staged as changed, where the bin gives links
    /// back without a word.
    pub(super) async fn stage_pointing_again(
        &self,
        ready: &Ready,
        side: Side,
        back: &BTreeSet<RecordId>,
    ) -> Result<(), Error> {
        let can = self.can(ready.flow.end(side))?;
        if back.is_empty() || !can.is_some_and(|can| can.bin_is_quiet) {
            return Ok(());
        }
        for pointer in self.pointers(ready, side) {
            let children = self.pointing(&pointer, back).await?.ever;
            self.stage_children(&pointer, &children).await?;
        }
        Ok(())
    }

    async fn stage_children(&self, pointer: &Pointer, children: &[RecordId]) -> Result<(), Error> {
        let end = &pointer.end;
        let read = self.place.store.extraction(&end.system, &end.object).await?;
        // Who is being read comes anyhow.
        match read.filter(|read| read.complete && !children.is_empty()) {
            Some(read) => self.stage_now(&self.reading_of(end), read, children).await,
            None => Ok(()),
        }
    }

    /// By record of the flow's source that vanished: the records that seem to have taken its place.
    pub(super) async fn likely(
        &self,
        ready: &Arc<Ready>,
        gone: &BTreeSet<RecordId>,
    ) -> Result<BTreeMap<RecordId, BTreeSet<RecordId>>, Error> {
        let mut likely: BTreeMap<RecordId, BTreeSet<RecordId>> = BTreeMap::new();
        if gone.is_empty() {
            return Ok(likely);
        }
        for pointer in self.pointers(ready, Side::Source) {
            for (old, new) in self.pointing(&pointer, gone).await?.moved {
                likely.entry(old).or_default().extend(new);
            }
        }
        for (old, others) in self.same_keys(ready, gone).await? {
            likely.entry(old).or_default().extend(others);
        }
        for others in likely.values_mut() {
            others.retain(|other| !gone.contains(other));
        }
        likely.retain(|_, others| !others.is_empty());
        Ok(likely)
    }

    /// The fields by which records of the side's system point to a flow's records.
    fn pointers(&self, ready: &Ready, side: Side) -> Vec<Pointer> {
        let of = |child: &Arc<Ready>| {
            let end = child.flow.end(side);
            let rules = child.links.iter().filter(|(_, link)| link.flow == ready.flow.name);
            let rules = rules.filter_map(|(at, _)| child.flow.rules.get(*at));
            let pointers = rules.filter_map(|rule| {
                let from = match (side, &rule.from) {
                    (Side::Target, _) => vec![rule.target.clone()],
                    (Side::Source, From::Fields(from)) => from.clone(),
                    (Side::Source, From::Expression(_) | From::Constant(_)) => return None,
                };
                Some(Pointer { child: child.clone(), field: rule.target.clone(), end: end.clone(), from })
            });
            pointers.collect::<Vec<_>>()
        };
        self.setup.flows.iter().flat_map(of).collect()
    }

    /// Goes through the staged records of a child: later blocks have what was read later.
    async fn pointing(&self, pointer: &Pointer, wanted: &BTreeSet<RecordId>) -> Result<Pointing, Error> {
        let end = &pointer.end;
        let Some(read) = self.place.store.extraction(&end.system, &end.object).await? else {
            return Ok(Pointing::default());
        };
        let mut pointing = Pointing::default();
        // To which of those in question it pointed, and to what else meanwhile.
        let mut before: BTreeMap<RecordId, [BTreeSet<RecordId>; 2]> = BTreeMap::new();
        for number in 0..read.blocks {
            for record in self.place.store.block_once(&end.system, &end.object, number).await? {
                let parents = pointer.parents(&record);
                let now: BTreeSet<RecordId> = parents.intersection(wanted).cloned().collect();
                // Where it points instead of a record that it pointed to: not where it pointed beside it.
                if let Some([wanted, beside]) = before.get(&record.id) {
                    for old in wanted.iter().filter(|old| !now.contains(*old)) {
                        let new = parents.difference(beside).cloned();
                        pointing.moved.entry(old.clone()).or_default().extend(new);
                    }
                }
                if now.is_empty() {
                    pointing.now.remove(&record.id);
                } else {
                    let [wanted, beside] = before.entry(record.id.clone()).or_default();
                    wanted.extend(now.iter().cloned());
                    beside.extend(parents);
                    pointing.now.insert(record.id, now);
                }
            }
        }
        pointing.ever = before.into_keys().collect();
        Ok(pointing)
    }

    /// Records of the flow's source that are found under a key of one that vanished.
    async fn same_keys(
        &self,
        ready: &Ready,
        gone: &BTreeSet<RecordId>,
    ) -> Result<HashMap<RecordId, BTreeSet<RecordId>>, Error> {
        let pairing = Pairing::of(&ready.flow, &ready.target);
        let end = &ready.flow.source;
        let mut found: HashMap<RecordId, BTreeSet<RecordId>> = HashMap::new();
        let ids: Vec<RecordId> = gone.iter().cloned().collect();
        let rows = self.place.store.rows(&ready.flow.name, &ids).await?;
        let keys_of = |rules: &[Keys], record: &Record| -> Vec<(String, String)> {
            let all = rules.iter().flat_map(|rule| rule.of(record).into_iter().map(|key| (rule.kind.clone(), key)));
            all.collect()
        };
        let mut keyed: Vec<(&RecordRow, Vec<(String, String)>)> = Vec::new();
        for row in rows.values() {
            let block = self.place.store.block(&end.system, &end.object, row.block).await?;
            let staged = block.iter().find(|record| record.id == row.record);
            keyed.extend(staged.map(|record| (row, keys_of(&pairing.source, record))));
        }
        // What a way back wrote nobody may have read: its counterpart says the same, or said so then.
        if ready.back.is_some() {
            let paired: HashMap<RecordId, &RecordRow> =
                rows.values().filter_map(|row| Some((row.target.clone()?, row))).collect();
            let targets: Vec<RecordId> = paired.keys().cloned().collect();
            for mut card in self.counterparts(ready, &targets).await? {
                let Some(row) = paired.get(&card.id) else { continue };
                // What it said before they were a pair, or since it was settled last, its source never said.
                if let Some(base) = &row.base {
                    let is_settled = |name: &FieldName, value: &Value| {
                        let kind = ready.target_field(name).map(|field| &field.kind);
                        base::differs(base, name, kind, value) != Some(true)
                    };
                    card.fields = card.fields.into_iter().filter(|(name, value)| is_settled(name, value)).collect();
                }
                keyed.push((*row, keys_of(&pairing.target, &card)));
            }
        }
        for (row, keys) in keyed {
            let same = self.place.store.matches(&end.system, &end.object, &keys).await?;
            let others = same.into_iter().map(|same| same.record).filter(|other| *other != row.record);
            found.entry(row.record.clone()).or_default().extend(others);
        }
        Ok(found)
    }

    /// These records of the flow's target as they are, and as they were staged.
    async fn counterparts(&self, ready: &Ready, ids: &[RecordId]) -> Result<Vec<Record>, Error> {
        let mut cards = self.targets_now(ready, ids).await?;
        let ids: HashSet<&RecordId> = ids.iter().collect();
        let end = &ready.flow.target;
        let blocks = self.place.store.extraction(&end.system, &end.object).await?.map_or(0, |read| read.blocks);
        for number in 0..blocks {
            let staged = self.place.store.block_once(&end.system, &end.object, number).await?;
            cards.extend(staged.into_iter().filter(|record| ids.contains(&record.id)));
        }
        Ok(cards)
    }
}
