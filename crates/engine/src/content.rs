//! File bytes: read from the source into a folder, written from there, checked by their hash.

use futures::{StreamExt as _, stream};
use handover_connect::FaultKind;
use handover_model::Cause;
use handover_store::Item;
use serde_json::json;

use crate::Error;
use crate::pass::Pass;
use crate::setup::Ready;
use crate::write::{Batch, Outgoing};

impl Pass {
    /// Reads the bytes of the batches' files. A file whose bytes are gone is held and leaves its batch.
    pub(crate) async fn load_content(&self, ready: &Ready, batches: &mut [Batch]) -> Result<(), Error> {
        let wanted = ready.source.content && ready.target.content && self.setup.project.policies.read_content;
        if !wanted {
            return Ok(());
        }
        let end = &ready.flow.source;
        let system = self.setup.project.system(&end.system)?;
        tokio::fs::create_dir_all(&self.place.scratch)
            .await
            .map_err(|source| Error::Disk { path: self.place.scratch.clone(), source })?;
        let mut commit = self.commit();
        let mut entry = self.entry("held", ready);
        let writes: Vec<(usize, Outgoing)> = batches
            .iter_mut()
            .enumerate()
            .flat_map(|(at, batch)| std::mem::take(&mut batch.writes).into_iter().map(move |write| (at, write)))
            .collect();
        // Several at once, since each waits for an answer; in order, so that batches keep theirs.
        let mut read = stream::iter(writes)
            .map(|(at, write)| async move {
                let name = blake3::hash(format!("{}/{}", ready.flow.name, write.case.record).as_bytes()).to_hex();
                let path = self.place.scratch.join(name.as_str());
                let content = system.download(&end.object, &write.case.record, &path).await;
                (at, write, content)
            })
            .buffered(self.setup.project.policies.writes_at_once.max(1));
        while let Some((at, mut write, content)) = read.next().await {
            self.go_on()?;
            match content {
                Ok(content) => {
                    write.content = Some(content);
                    batches[at].writes.push(write);
                }
                Err(fault) if matches!(fault.kind, FaultKind::NotFound | FaultKind::Invalid) => {
                    let cause = Cause::ContentGone { message: fault.message };
                    entry
                        .items
                        .push(Item { record: write.case.record.clone(), values: json!({"causes": [cause]}).into() });
                    self.hold(ready, &mut commit, &write.case, cause);
                    self.threshold().note(!write.case.was_held);
                }
                Err(fault) => return Err(Error::system(&end.system, fault)),
            }
        }
        drop(read);
        if !entry.items.is_empty() {
            commit.entries.push(entry);
            self.place.store.commit(commit).await?;
        }
        Ok(())
    }
}
