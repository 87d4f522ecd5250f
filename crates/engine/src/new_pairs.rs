//! Pairs that a way back makes: records of the target for which it created or found a record of the source.
//!
//! Invariant: whichever way a pair was found, the flow's rules for records that both sides had decide what it says:
//! what the source still gives to its counterpart is left unsettled, and carried at once.

use std::collections::HashMap;
use std::sync::Arc;

use handover_model::{FieldName, Fields, Record, RecordId, Value};
use handover_store::RecordRow;

use crate::Error;
use crate::base::{self, OpenLink};
use crate::decide::{Decision, Judged};
use crate::merge::merge;
use crate::pass::Pass;
use crate::returns::took;
use crate::setup::Ready;
use crate::staged::Staged;
use crate::verdict::known_of;
use crate::write::UNSTAGED;

impl Pass {
    /// Records that a way back creates or finds in the source become pairs of the flow: with what its rules make of
    /// them, and with what the target says.
    pub(crate) async fn settle_new_pairs(
        &self,
        back: &Arc<Ready>,
        judged: &mut [Judged],
        there: &[Record],
    ) -> Result<(), Error> {
        let Some(ready) = back.forth.as_ref().and_then(|forth| self.setup.flow(forth)).cloned() else { return Ok(()) };
        let there: HashMap<&RecordId, &Record> = there.iter().map(|record| (&record.id, record)).collect();
        let mut new: Vec<&mut Judged> = judged
            .iter_mut()
            .filter(|one| matches!(one.decision, Decision::Create(_) | Decision::Update(..) | Decision::Unchanged(_)))
            .collect();
        let sources: Vec<Record> = new
            .iter_mut()
            .map(|one| {
                let fields = one.after.take().unwrap_or_else(|| (*one.mapped).clone());
                Record { id: one.record.clone(), fields, modified: None, gone: false }
            })
            .collect();
        let resolved = self.resolve_all(&ready, &sources).await?;
        for ((one, source), mut resolved) in new.into_iter().zip(&sources).zip(resolved) {
            let Some(there) = there.get(&one.record) else { continue };
            if let (Some(back), Decision::Create(written) | Decision::Update(_, written)) = (&ready.back, &one.decision)
            {
                took(&ready, back, written, &there.fields, &mut resolved, |_| true);
            }
            let mut owed = match &one.decision {
                Decision::Create(_) => Vec::new(),
                _ => owed(&ready, source, &resolved.fields, there),
            };
            owed.extend(key_of_another(&ready, &resolved.fields, there).cloned());
            let mapped = base::keeping(&base::encode(&ready, &resolved.fields), &[], &owed);
            one.digest = base::digest(&mapped, &ready.deferred);
            one.settles(mapped, base::encode(&ready, &there.fields));
            // What it points to is one of the target's records here.
            let fields = |field| ready.fields_back_to(field).cloned();
            let open = one.links.iter().filter(|link| !link.gone).flat_map(|link| {
                fields(&link.field).map(|field| OpenLink { field, id: link.parent.to_string(), gone: false })
            });
            let open: Vec<OpenLink> = open.collect();
            one.leave_open(&ready, &open);
        }
        Ok(())
    }
}

/// Target fields that a source record still gives to the record that a way back found it for, by the flow's own rules
/// for records that both sides had; with them the key.
fn owed(ready: &Ready, source: &Record, mapped: &Fields, there: &Record) -> Vec<FieldName> {
    let staged = Staged::new(source.clone(), UNSTAGED);
    let write = merge(ready, &staged, mapped, there).write;
    let key = ready.flow.key.as_ref();
    let mut names: Vec<FieldName> =
        write.iter().map(|(name, _)| name).filter(|name| key != Some(name)).cloned().collect();
    if !names.is_empty() {
        names.extend(key.cloned());
    }
    names
}

/// The key, where the target's record still has that of another record: under it that one would be found.
fn key_of_another<'r>(ready: &'r Ready, mapped: &Fields, there: &Record) -> Option<&'r FieldName> {
    let key = ready.flow.key.as_ref()?;
    let has = there.fields.get(key.as_str()).filter(|has| !has.is_blank())?;
    (Some(has) != mapped.get(key.as_str())).then_some(key)
}

/// Whether something of that is not given yet.
pub(crate) fn owes(ready: &Ready, row: &RecordRow) -> bool {
    let key = ready.flow.key.as_ref();
    key.is_some_and(|key| base::differs(known_of(row), key, None, &Value::Null).is_none())
}
