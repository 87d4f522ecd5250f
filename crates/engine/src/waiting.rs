//! Records that wait to be written, and how many of them leave together.
//!
//! Ordinary waves are whole batches of what the target takes in one call. Where a target takes very many at once and so
//! many wait, they leave in one large batch ([`Bulk`]).
//!
//! Invariants:
//! - What waits is bounded in records and in bytes, whatever the size of the flow.
//! - The first wave of a kind is an ordinary one: what the target refuses of every record stops the pass before many
//!   are refused.

use std::collections::VecDeque;

use handover_connect::Bulk;
use handover_model::Value;

use crate::write::Outgoing;

/// Records of one kind that wait.
pub(crate) struct Waiting {
    writes: VecDeque<Outgoing>,
    /// Where very many may leave at once.
    bulk: Option<Bulk>,
    /// Bytes of their values, where that matters.
    bytes: u64,
    /// Whether a wave of them has left.
    begun: bool,
}

impl Waiting {
    /// Nothing yet.
    pub(crate) fn new(bulk: Option<Bulk>) -> Self {
        Self { writes: VecDeque::new(), bulk, bytes: 0, begun: false }
    }

    pub(crate) fn push(&mut self, one: Outgoing) {
        if self.bulk.is_some() {
            self.bytes = self.bytes.saturating_add(bytes_of(&one));
        }
        self.writes.push_back(one);
    }

    pub(crate) fn len(&self) -> usize {
        self.writes.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Outgoing> {
        self.writes.iter()
    }

    /// Whether a wave is full; of ordinary ones this is the size.
    pub(crate) fn is_full(&self, wave: usize) -> bool {
        match self.bulk.filter(|_| self.begun) {
            Some(bulk) => self.len() >= size(bulk.most) || self.bytes >= bulk.bytes,
            None => self.len() >= wave,
        }
    }

    /// The batches of the next wave: one large one, or ordinary ones.
    pub(crate) fn next(&mut self, wave: usize, batch: usize) -> Vec<Vec<Outgoing>> {
        let many = self.many();
        let (number, size) = many.map_or((wave, batch), |many| (many, many));
        let mut rest: Vec<Outgoing> = self.writes.drain(..self.len().min(number)).collect();
        if self.bulk.is_some() {
            self.bytes = self.bytes.saturating_sub(rest.iter().map(bytes_of).sum());
        }
        self.begun = true;
        let mut batches = Vec::new();
        while !rest.is_empty() {
            let tail = rest.split_off(rest.len().min(size.max(1)));
            batches.push(rest);
            rest = tail;
        }
        batches
    }

    /// How many leave in one large batch, where so many wait that it pays.
    fn many(&self) -> Option<usize> {
        let bulk = self.bulk.filter(|_| self.begun)?;
        let mut bytes = 0_u64;
        let fitting = self.writes.iter().take(size(bulk.most)).take_while(|one| {
            bytes = bytes.saturating_add(bytes_of(one));
            bytes <= bulk.bytes
        });
        Some(fitting.count()).filter(|many| *many >= size(bulk.least))
    }
}

fn size(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Bytes of a record's values, about as text.
fn bytes_of(one: &Outgoing) -> u64 {
    one.fields.iter().map(|(_, value)| bytes(value)).sum()
}

fn bytes(value: &Value) -> u64 {
    /// Of what is short whatever it says: a number, a day.
    const SHORT: u64 = 16;
    match value {
        Value::Null => 0,
        Value::Bool(_) | Value::Number(_) | Value::Date(_) | Value::DateTime(_) | Value::Time(_) => SHORT,
        Value::Text(text) => text.len() as u64,
        Value::List(items) => items.iter().map(bytes).sum(),
        Value::Map(parts) => parts.values().map(bytes).sum(),
    }
}
