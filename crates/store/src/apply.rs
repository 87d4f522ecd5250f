//! Applying a commit: everything that one durable step changes, in one transaction.

use std::hash::Hash;
use std::sync::Arc;

use foldhash::{HashSet, HashSetExt as _};
use handover_model::Cause;

use crate::codec;
use crate::ledger::Unplaced;
use crate::store::Step;
use crate::{Block, Commit, Error, Seq, Store};

impl Store {
    /// Applies a commit whole or not at all; the numbers of its ledger rows, in the order of its entries.
    /// When it returns the commit survives a power cut.
    ///
    /// # Errors
    ///
    /// [`Error::DiskFull`], [`Error::ReadOnly`], [`Error::Unreachable`], [`Error::Stopped`] or the
    /// database's.
    pub async fn commit(&self, commit: Commit) -> Result<Vec<Seq>, Error> {
        Ok(self.commit_many(vec![commit]).await?.pop().unwrap_or_default())
    }

    /// Applies several commits, in order, in one transaction: all of them or none.
    ///
    /// # Errors
    ///
    /// As [`Store::commit`].
    pub async fn commit_many(&self, commits: Vec<Commit>) -> Result<Vec<Vec<Seq>>, Error> {
        let prepared = commits.iter().map(|commit| Prepared::of(&self.inner.location, commit));
        let prepared: Vec<Prepared<'_>> = prepared.collect::<Result<_, _>>()?;
        let mut writer = self.writer().await?;
        let mut step = self.begin(&mut writer).await?;
        let mut numbers = Vec::with_capacity(commits.len());
        for (commit, prepared) in commits.iter().zip(prepared) {
            numbers.push(step.apply(commit, prepared).await?);
        }
        let finished = self.finish(step).await;
        // Also behind a failure: whether it was written is not known then.
        if commits.iter().any(|commit| !commit.rows.is_empty() || !commit.cohorts.is_empty()) {
            self.forget_counts();
        }
        self.forget_staged(&commits);
        finished?;
        Ok(numbers)
    }
}

/// What of a commit needs no turn of the writer's: others write meanwhile.
struct Prepared<'c> {
    entries: Vec<Unplaced<'c>>,
    /// The bodies of its blocks.
    bodies: Vec<Vec<u8>>,
}

impl<'c> Prepared<'c> {
    fn of(location: &Arc<str>, commit: &'c Commit) -> Result<Self, Error> {
        let body = |block: &Block| codec::encode(&block.records).map_err(|error| Error::of_file(location, error));
        Ok(Self {
            entries: Unplaced::of_all(location, &commit.entries)?,
            bodies: commit.blocks.iter().map(body).collect::<Result<_, _>>()?,
        })
    }
}

impl Step<'_> {
    /// The number of a name that this step interned.
    pub(crate) fn id(&self, text: &str) -> Result<i64, Error> {
        self.names.id(self.tx.location(), text)
    }

    async fn apply<'c>(&mut self, commit: &'c Commit, prepared: Prepared<'c>) -> Result<Vec<Seq>, Error> {
        self.names.intern(&mut self.tx, names_of(commit)).await?;
        self.write_blocks(&commit.blocks, &prepared.bodies).await?;
        self.write_extractions(&commit.extractions).await?;
        self.write_watermarks(&commit.watermarks).await?;
        self.forget_keys(&commit.keyless).await?;
        self.write_keys(&commit.keys).await?;
        self.write_lookouts(&commit.lookouts).await?;
        self.write_vanished(&commit.vanished, &commit.returned).await?;
        let appended = self.append(commit.at, commit.pass, prepared.entries).await?;
        self.write_rows(&commit.rows, &appended.heads).await?;
        self.join_identities(&commit.rows).await?;
        self.write_cohorts(&commit.cohorts).await?;
        self.write_flips(&commit.flips, commit.flips_before).await?;
        self.write_worked(&commit.worked).await?;
        self.write_heads(commit, &appended).await?;
        self.write_memberships(&commit.memberships).await?;
        self.write_intents(&commit.intents, &commit.settled, &appended).await?;
        self.write_holds(commit).await?;
        self.write_links(commit).await?;
        self.write_spent(commit.at, &commit.spent).await?;
        self.write_kept(&commit.kept).await?;
        self.write_answers(commit.at, &commit.answers).await?;
        Ok(appended.numbers)
    }
}

/// Every name of a flow, a cohort, a system or an object in a commit, each once.
fn names_of(commit: &Commit) -> HashSet<&str> {
    let mut names = HashSet::new();
    // Millions of rows name the same few things one after the other.
    let mut last = ["", ""];
    let mut pair = |a, b| {
        if [a, b] != last {
            names.extend([a, b]);
            last = [a, b];
        }
    };
    commit.blocks.iter().for_each(|block| pair(block.system.as_str(), block.object.as_str()));
    commit.extractions.iter().for_each(|row| pair(row.system.as_str(), row.object.as_str()));
    commit.watermarks.iter().for_each(|row| pair(row.system.as_str(), row.object.as_str()));
    commit.keys.iter().for_each(|row| pair(row.system.as_str(), row.object.as_str()));
    commit.rows.iter().for_each(|row| pair(row.flow.as_str(), row.flow.as_str()));
    commit.worked.iter().for_each(|row| pair(row.flow.as_str(), row.flow.as_str()));
    commit.memberships.iter().for_each(|row| pair(row.system.as_str(), row.object.as_str()));
    commit.links.iter().chain(&commit.linked).for_each(|row| pair(row.flow.as_str(), row.parent_flow.as_str()));
    for hold in &commit.holds {
        pair(hold.flow.as_str(), hold.object.as_str());
        if let Cause::ParentHeld { flow, .. } = &hold.cause {
            pair(flow.as_str(), flow.as_str());
        }
    }
    commit.lookouts.iter().for_each(|row| pair(row.system.as_str(), row.object.as_str()));
    commit.keyless.iter().for_each(|(system, object, _)| pair(system.as_str(), object.as_str()));
    for row in &commit.cohorts {
        names.insert(row.flow.as_str());
        names.extend(row.cohort.as_ref().map(|cohort| cohort.as_str()));
    }
    names.extend(commit.flips.iter().map(|row| row.flow.as_str()));
    names.extend(commit.vanished.iter().map(|row| row.flow.as_str()));
    names.extend(commit.returned.iter().map(|(flow, _, _)| flow.as_str()));
    names.extend(commit.entries.iter().map(|entry| entry.flow.as_ref().map_or("", |flow| flow.as_str())));
    names.extend(commit.intents.iter().map(|intent| intent.flow.as_str()));
    names.extend(commit.closed.iter().map(|(flow, _)| flow.as_str()));
    names.extend(commit.cared.iter().map(|cared| cared.flow.as_str()));
    names.extend(commit.released.iter().chain(&commit.relinked).map(|(flow, _)| flow.as_str()));
    names.extend(commit.spent.iter().map(|(system, _)| system.as_str()));
    names.extend(commit.answers.iter().map(|answer| answer.flow.as_str()));
    names
}

/// The last of each key, in the order of the items: one statement must not write a row twice, which
/// PostgreSQL refuses. Items in order, the common case, are not looked up.
pub(crate) fn last_of_each<T: Copy, K: Hash + Ord>(items: &[T], key: impl Fn(&T) -> K) -> Vec<T> {
    if items.is_sorted_by(|a, b| key(a) < key(b)) {
        return items.to_vec();
    }
    let mut seen = HashSet::with_capacity(items.len());
    let mut kept: Vec<T> = items.iter().rev().filter(|item| seen.insert(key(item))).copied().collect();
    kept.reverse();
    kept
}
