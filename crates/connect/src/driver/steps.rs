//! Operations: requests in a row until there is an answer.

use futures::{StreamExt as _, TryStreamExt as _};
use handover_model::{Content, Record, RecordId};

use super::{Driver, Failure, lock};
use crate::dialect::Step;
use crate::{Cursor, Fault, FaultKind, Operation, policy};

impl Driver {
    /// Runs an operation through all its continuations.
    pub(super) async fn run(&self, operation: &Operation, cursor: Option<&Cursor>) -> Result<Step, Failure> {
        Ok(self.run_to_sink(operation, cursor).await?.0)
    }

    /// The same, with what the last request's sink took.
    pub(super) async fn run_to_sink(
        &self,
        operation: &Operation,
        cursor: Option<&Cursor>,
    ) -> Result<(Step, Option<Content>), Failure> {
        let mut cursor = cursor.cloned();
        let mut steps = 0_u32;
        loop {
            match self.step(operation, cursor.as_ref()).await {
                Ok((Step::Then { cursor: next, wait_ms, instead_of }, _)) => {
                    if let Some(fault) = instead_of {
                        let platform = self.dialect.capabilities().platform;
                        tracing::warn!(platform, %fault, "something failed and is gone about in another way");
                    }
                    // What was sent so far of a write may have been applied.
                    let sent = operation.changes_records();
                    self.wait_for(wait_ms).await.map_err(|fault| Failure { fault, perhaps_applied: sent })?;
                    cursor = Some(next);
                }
                Ok(last) => return Ok(last),
                Err(mut failure) => {
                    // A write in several requests may stand half done once the first went through.
                    failure.perhaps_applied |= steps > 0 && operation.changes_records();
                    return Err(failure);
                }
            }
            steps += 1;
        }
    }

    pub(super) async fn one(&self, operation: Operation) -> Result<Step, Fault> {
        self.run(&operation, None).await.map_err(|failure| failure.fault)
    }

    /// Runs an operation and gathers all its pages. For operations whose results are bounded.
    pub(super) async fn pages(&self, operation: &Operation) -> Result<Vec<Record>, Fault> {
        let mut all = Vec::new();
        let mut cursor = None;
        loop {
            match self.run(operation, cursor.as_ref()).await.map_err(|failure| failure.fault)? {
                Step::Page { records, next } => {
                    all.extend(records);
                    match next {
                        Some(next) => cursor = Some(next),
                        None => return Ok(all),
                    }
                }
                step => return Err(unexpected(&step)),
            }
        }
    }

    /// The same operation over chunks of ids, several under way at once, results in order.
    pub(super) async fn chunked(
        &self,
        ids: &[RecordId],
        size: u32,
        operation: impl Fn(Vec<RecordId>) -> Operation,
    ) -> Result<Vec<Record>, Fault> {
        let size = usize::try_from(size.max(1)).unwrap_or(1);
        let chunks: Vec<_> = ids.chunks(size).map(|chunk| operation(chunk.to_vec())).collect();
        let pages: Vec<Vec<Record>> = futures::stream::iter(chunks)
            .map(|operation| async move { self.pages(&operation).await })
            .buffered(self.settings.concurrency.max(1))
            .try_collect()
            .await?;
        Ok(pages.into_iter().flatten().collect())
    }

    /// Waits as a platform asks between two steps of an operation.
    pub(super) async fn wait_for(&self, wait_ms: u64) -> Result<(), Fault> {
        let not_ready = Fault::new(FaultKind::Unavailable, "later", "the system is not ready");
        policy::bearable(wait_ms, self.clock.now(), not_ready)?;
        self.wait(wait_ms).await;
        Ok(())
    }

    pub(super) async fn wait(&self, wait_ms: u64) {
        if wait_ms == 0 {
            return;
        }
        lock(&self.spent).waited_ms += wait_ms;
        self.clock.sleep_until(policy::later(self.clock.now(), wait_ms)).await;
    }
}

pub(super) fn unexpected(step: &Step) -> Fault {
    let name = match step {
        Step::Then { .. } => "a continuation",
        Step::Page { .. } => "a page",
        Step::Part { .. } => "a part of a page",
        Step::Fed(_) => "what happened since",
        Step::Account(_) => "an account",
        Step::Objects(_) => "objects",
        Step::Schema(_) => "a schema",
        Step::Users { .. } => "users",
        Step::Automations(_) => "automations",
        Step::Count(_) => "a count",
        Step::Written(_) => "write results",
        Step::Linked(_) => "link results",
        Step::History(_) => "a history",
        Step::Downloaded => "a download without bytes",
        Step::Field(_) => "a field",
        Step::Subscriptions { .. } => "subscriptions",
        Step::Token(_) => "a token",
        Step::Device(_) => "a device's code",
    };
    Fault::malformed(format!("the dialect answered with {name}"))
}
