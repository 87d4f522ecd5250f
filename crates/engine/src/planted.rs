//! Mistakes made on purpose, to check what checks the engine: the simulation must find each of them.
//!
//! Compiled in by the cargo feature `planted` alone, and asked for in [`crate::Policies`], which no project file
//! reaches. Each mistake is one call at its place.

use std::collections::BTreeMap;

use handover_model::{FieldName, Fields, Kind, Value};

use crate::pass::Pass;
use crate::resolve::Resolved;
use crate::setup::Ready;

/// A mistake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Planted {
    /// None: what everybody gets.
    #[default]
    Nothing,
    /// The watermark stands where the reading began, and nothing before it is read again.
    WatermarkTooFar,
    /// One of many changed records is not staged.
    ChangeDropped,
    /// What was carried is not settled.
    BaseNotUpdated,
    /// Fields that nobody changed are written with those that somebody did.
    UnchangedWritten,
    /// A changed value goes into its neighbour's field too.
    WrongField,
    /// Links of records that exist are forgotten.
    LinkForgotten,
    /// What is overwritten is not told.
    SilentOverwrite,
    /// A record is held and has nothing that speaks against it.
    HoldWithoutReason,
    /// A write whose answer was lost is sent again without looking.
    LostAnswerResent,
    /// What an earlier process left under way is not looked at.
    IntentsForgotten,
    /// What became part of another record counts as deleted.
    MergeIgnored,
    /// What we wrote ourselves counts as a change of the target's.
    EchoNotRecognised,
}

impl Planted {
    /// Every mistake.
    pub const ALL: [Self; 12] = [
        Self::WatermarkTooFar,
        Self::ChangeDropped,
        Self::BaseNotUpdated,
        Self::UnchangedWritten,
        Self::WrongField,
        Self::LinkForgotten,
        Self::SilentOverwrite,
        Self::HoldWithoutReason,
        Self::LostAnswerResent,
        Self::IntentsForgotten,
        Self::MergeIgnored,
        Self::EchoNotRecognised,
    ];
}

impl Pass {
    /// Whether this mistake is to be made.
    pub(crate) fn errs(&self, planted: Planted) -> bool {
        cfg!(feature = "planted") && self.setup.project.policies.planted == planted
    }
}

/// What is written with what nobody changed.
pub(crate) fn unchanged_too(mut write: BTreeMap<FieldName, Value>, resolved: &Resolved) -> BTreeMap<FieldName, Value> {
    if !write.is_empty() {
        write.extend(resolved.fields.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    write
}

/// Puts the first text that is written into another text field, too.
pub(crate) fn misplace(ready: &Ready, write: &mut Fields) {
    let is_text =
        |name: &FieldName| ready.target_field(name).is_some_and(|field| matches!(field.kind, Kind::Text { .. }));
    let taken = write.iter().find(|(name, _)| is_text(name)).map(|(_, value)| value.clone());
    let free = ready
        .flow
        .rules
        .iter()
        .map(|rule| &rule.target)
        .find(|name| is_text(name) && write.get(name.as_str()).is_none());
    if let (Some(value), Some(name)) = (taken, free) {
        write.set(name.clone(), value);
    }
}
