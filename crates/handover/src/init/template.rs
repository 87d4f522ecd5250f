//! What a flow between two objects is made of, before it is fitted to the two accounts.

use std::borrow::Cow;

use super::lexicon::{Concept, Funnel, Own};

/// How the names of fields begin that take something over.
pub(super) const OWN: &str = "handover_";

/// An object of one platform and its counterpart in another.
pub(super) struct Pair<'s> {
    /// The flow's name, also that of the mapping file.
    pub(super) flow: Cow<'static, str>,
    /// What its records are in the target.
    pub(super) target_concept: Concept,
    /// The source object.
    pub(super) source: &'s str,
    /// The target object.
    pub(super) target: &'s str,
    /// What people should know before they read on.
    pub(super) about: String,
    /// Which records belong to the flow; all when empty.
    pub(super) scope: String,
    /// Why the flow is proposed switched off, with what it costs; on when empty.
    pub(super) opt_in: String,
    /// Whether the target object takes custom fields.
    pub(super) own_fields: Own,
    /// Keys by which an existing target record is found.
    pub(super) matching: Vec<Match<'s>>,
    /// Standard fields, in order.
    pub(super) lines: Vec<Line<'s>>,
    /// Source fields that are left out, and why.
    pub(super) excluded: Vec<(&'s str, String)>,
    /// For flows that go both ways: source fields over target fields, where the rule above cannot be turned round.
    pub(super) back: Vec<Line<'s>>,
    /// Pipelines and stages of both sides, for deals.
    pub(super) funnels: Option<(Funnel, Funnel)>,
}

/// A match key.
pub(super) struct Match<'s> {
    pub(super) kind: &'static str,
    pub(super) source: Vec<&'s str>,
    pub(super) targets: Vec<&'static str>,
}

/// One target field.
pub(super) struct Line<'s> {
    pub(super) target: String,
    /// The source fields that it reads.
    pub(super) from: Vec<&'s str>,
    pub(super) how: How,
}

/// How a target field is made of its source fields.
pub(super) enum How {
    /// As it is; of several the first that is not blank (of links all).
    Plain,
    /// The same, with these keys in the rule: `steps: [primary]`.
    With(String),
    /// A VRL expression over them.
    Expr(String),
    /// The same, with these keys in the rule.
    Keyed(String, String),
    /// A constant.
    Value(String),
    /// Options with equal labels; a table of this name for the others; the label of the option for a blank, if any.
    Choices(&'static str, &'static str),
    /// A table that `stages` fills, of this name, over an expression if it is not empty.
    Stages { table: &'static str, expr: String },
    /// A field of its own, created in the target under this name, with these keys in the rule; what they make of the
    /// source field is a text, or a number.
    Carry { label: &'static str, with: String, is_number: bool },
}

impl Line<'_> {
    /// Whether a source field arrives as it is, and not as a part of something else.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.how, How::Plain | How::With(_) | How::Choices(..))
    }
}
