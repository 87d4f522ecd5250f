//! Reading what somebody told of: records by their ids, staged behind what was read before.
//!
//! Invariants:
//! - What is told is a hint: values come from the system itself, as it has them now. So hints that come twice,
//!   late or in another order make no difference.
//! - No watermark moves: the next reading of changes does not rely on what was told.
//! - Deliberately absent: records that are not there any more. That a record is gone is for a reading of changes to
//!   prove, and for it to carry.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use handover_model::{ObjectName, RecordId, SystemName};
use handover_store::Extraction;

use crate::Error;
use crate::extract::Reading;
use crate::pass::Pass;

/// Records that are said to have changed, by system and object.
pub type Told = BTreeMap<(SystemName, ObjectName), BTreeSet<RecordId>>;

/// Records that are read together: as many as one call of any platform covers.
const AT_ONCE: usize = 1_000;

/// Records of one block: as many as a page of most lists has.
const BLOCK: usize = 500;

impl Pass {
    /// Reads those of an object's records that were told of, in as few calls as can be. An object that was not read
    /// to its end, or whose records cannot be read by their ids, is left to the reading of changes. What was read is
    /// taken out of `told`.
    pub(crate) async fn read_told(&self, reading: &Reading, told: &mut Told) -> Result<(), Error> {
        let Some(ids) = told.remove(&(reading.system.clone(), reading.object.clone())) else { return Ok(()) };
        let system = self.setup.project.system(&reading.system)?;
        let by_ids = system.capabilities().object(reading.object.as_str()).is_some_and(|object| object.fetch_batch > 0);
        let state = self.place.store.extraction(&reading.system, &reading.object).await?;
        let Some(state) = state.filter(|state| state.complete && by_ids) else { return Ok(()) };
        self.stage_now(reading, state, &ids.into_iter().collect::<Vec<_>>()).await
    }

    /// Reads records by their ids and stages them as changed, each once.
    pub(crate) async fn stage_now(
        &self,
        reading: &Reading,
        mut state: Extraction,
        ids: &[RecordId],
    ) -> Result<(), Error> {
        // Many come in no order, and the same state makes the same requests.
        let ids: Vec<RecordId> = ids.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
        let mut known = None;
        let mut came = HashSet::new();
        for ids in ids.chunks(AT_ONCE) {
            self.go_on()?;
            let mut records = self.read_now(reading, ids).await?;
            records.retain(|record| came.insert(record.id.clone()));
            if records.is_empty() {
                continue;
            }
            let staged = match known.take() {
                Some(staged) => staged,
                None => self.place.store.staged_marks(&reading.system, &reading.object).await?,
            };
            let pages = records.chunks(BLOCK).map(<[_]>::to_vec);
            known = Some(self.stage_changes(reading, &mut state, pages, staged).await?);
        }
        Ok(())
    }
}
