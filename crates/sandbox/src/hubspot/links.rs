//! Which record is associated with which, under which types.
//!
//! Invariants: a pair stands in both directions or in none; every pair carries its plain type; the
//! side that may have one primary has at most one.

use std::collections::BTreeMap;

use super::kinds::Kind;
use super::link_types::{LinkType, LinkTypes};

/// One record, of any kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) id: u64,
}

/// How types are written to a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    /// Labels become exactly these (sheet: HubSpot section 5.6 \[doc\]: replace).
    Replace {
        /// Also the primary goes, unless it is among them.
        drop_primary: bool,
    },
    /// These are added.
    Add,
}

/// A pair and the types that it had.
type Before = ((Node, Node), Option<Vec<LinkType>>);

/// Every association of the portal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Links {
    pairs: BTreeMap<(Node, Node), Vec<LinkType>>,
    undo: Option<Vec<Before>>,
}

impl Links {
    /// The associations of a record with records of `kind`, from `after` on, by id.
    pub(crate) fn of(&self, from: Node, kind: Kind, after: u64) -> impl Iterator<Item = (Node, &[LinkType])> {
        let first = (from, Node { kind, id: after });
        let last = (from, Node { kind, id: u64::MAX });
        self.pairs.range(first..=last).map(|((_, to), types)| (*to, types.as_slice()))
    }

    /// Every association of a record.
    pub(crate) fn all_of(&self, from: Node) -> impl Iterator<Item = (Node, &[LinkType])> {
        let first = (from, Node { kind: 0, id: 0 });
        let last = (from, Node { kind: Kind::MAX, id: u64::MAX });
        self.pairs.range(first..=last).map(|((_, to), types)| (*to, types.as_slice()))
    }

    /// Every pair in one direction only (for the world file): the one that says more.
    pub(crate) fn halves(&self) -> impl Iterator<Item = (Node, Node, &[LinkType])> {
        self.pairs
            .iter()
            .filter(|((from, to), types)| {
                let back = self.types(*to, *from).map_or(0, <[LinkType]>::len);
                types.len() > back || (types.len() == back && from <= to)
            })
            .map(|((from, to), types)| (*from, *to, types.as_slice()))
    }

    /// Begins to remember what [`Links::rollback`] would restore.
    pub(crate) fn begin(&mut self) {
        self.undo = Some(Vec::new());
    }

    /// Forgets it.
    pub(crate) fn commit(&mut self) {
        self.undo = None;
    }

    /// Restores every pair as it was at [`Links::begin`].
    pub(crate) fn rollback(&mut self) {
        for (pair, types) in self.undo.take().unwrap_or_default().into_iter().rev() {
            self.set(pair, types);
        }
    }

    fn set(&mut self, pair: (Node, Node), types: Option<Vec<LinkType>>) {
        let before = match types {
            Some(types) => self.pairs.insert(pair, types),
            None => self.pairs.remove(&pair),
        };
        if let Some(undo) = &mut self.undo {
            undo.push((pair, before));
        }
    }

    /// The types of a pair.
    pub(crate) fn types(&self, from: Node, to: Node) -> Option<&[LinkType]> {
        self.pairs.get(&(from, to)).map(Vec::as_slice)
    }

    /// The primary associate of `kind`.
    pub(crate) fn primary(&self, table: &LinkTypes, from: Node, kind: Kind) -> Option<u64> {
        let primary = table.between(from.kind, kind).find(|row| row.one_per_from)?.link;
        self.of(from, kind, 0).find(|(_, types)| types.contains(&primary)).map(|(to, _)| to.id)
    }

    /// Writes types to a pair, in both directions; `false` when nothing changed.
    pub(crate) fn write(&mut self, table: &LinkTypes, from: Node, to: Node, types: &[LinkType], how: Write) -> bool {
        let before = self.types(from, to).map(<[LinkType]>::to_vec);
        let mut next: Vec<LinkType> = table.plain(from.kind, to.kind).map(|row| row.link).into_iter().collect();
        next.extend_from_slice(types);
        let kept = before.iter().flatten().filter(|link| match how {
            Write::Add => true,
            Write::Replace { drop_primary } => !drop_primary && is_primary(table, from.kind, to.kind, **link),
        });
        next.extend(kept.copied());
        next.sort_unstable();
        next.dedup();
        if before.as_ref() == Some(&next) {
            return false;
        }
        self.free_primary(table, from, to, &next);
        self.store(table, from, to, next);
        true
    }

    /// Takes types from a pair; the plain type takes the whole pair. `true` when something went.
    pub(crate) fn remove(&mut self, table: &LinkTypes, from: Node, to: Node, types: Option<&[LinkType]>) -> bool {
        let Some(before) = self.types(from, to).map(<[LinkType]>::to_vec) else { return false };
        let plain = table.plain(from.kind, to.kind).map(|row| row.link);
        let whole = types.is_none_or(|types| types.iter().any(|link| Some(*link) == plain));
        let rest: Vec<LinkType> =
            before.iter().copied().filter(|link| !whole && types.is_some_and(|types| !types.contains(link))).collect();
        if rest.len() == before.len() {
            return false;
        }
        if rest.is_empty() {
            self.set((from, to), None);
            self.set((to, from), None);
        } else {
            self.store(table, from, to, rest);
        }
        true
    }

    fn store(&mut self, table: &LinkTypes, from: Node, to: Node, types: Vec<LinkType>) {
        let mut back: Vec<LinkType> = table.plain(to.kind, from.kind).map(|row| row.link).into_iter().collect();
        back.extend(types.iter().filter_map(|&link| table.row(from.kind, to.kind, link)).filter_map(|row| row.inverse));
        back.sort_unstable();
        back.dedup();
        self.set((from, to), Some(types));
        if from != to {
            self.set((to, from), Some(back));
        }
    }

    /// Takes the primary from the other pairs of its owner when this pair gets it.
    fn free_primary(&mut self, table: &LinkTypes, from: Node, to: Node, types: &[LinkType]) {
        for (owner, other) in [(from, to), (to, from)] {
            let Some(row) = table.between(owner.kind, other.kind).find(|row| row.one_per_from) else { continue };
            let mine = if owner == from { Some(row.link) } else { row.inverse };
            if !mine.is_some_and(|link| types.contains(&link)) {
                continue;
            }
            let primary = row.link;
            let losers: Vec<(Node, Vec<LinkType>)> = self
                .of(owner, other.kind, 0)
                .filter(|(node, types)| node.id != other.id && types.contains(&primary))
                .map(|(node, types)| (node, types.iter().copied().filter(|link| *link != primary).collect()))
                .collect();
            for (node, rest) in losers {
                self.store(table, owner, node, rest);
            }
        }
    }
}

fn is_primary(table: &LinkTypes, from: Kind, to: Kind, link: LinkType) -> bool {
    table.row(from, to, link).is_some_and(|row| row.label.as_deref() == Some("Primary"))
}
