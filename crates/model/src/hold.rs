//! Records kept out of the target: why, and what a person can answer.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{CohortName, FieldName, FlowName, ObjectName, RecordId, Value};

/// A reason for which a record is kept out of the target. Holds with equal [`Cause::group`] are
/// answered together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum Cause {
    /// A value that the translation table does not have.
    Untranslated {
        /// The target field.
        field: FieldName,
        /// The translation table.
        table: String,
        /// The source value.
        value: String,
        /// What users of the source call it.
        label: String,
    },
    /// A user of the source who has no counterpart in the target.
    UnknownUser {
        /// The target field.
        field: FieldName,
        /// The source user's id.
        user: String,
        /// The source user's e-mail, or the id where there is none.
        label: String,
    },
    /// Several target records qualify.
    Ambiguous {
        /// The key by which they qualify.
        key: String,
        /// The candidates.
        candidates: Vec<Candidate>,
    },
    /// One key points to one target record, another to another.
    Contradiction {
        /// Key and candidate, in the order of the match rules.
        candidates: Vec<Candidate>,
    },
    /// Another source record claims the same target record, or has the same unique value.
    DuplicateSource {
        /// The key that both have.
        key: String,
        /// The other source records.
        others: Vec<RecordId>,
    },
    /// A record that it points to is not in the target yet.
    ParentHeld {
        /// The target field that points.
        field: FieldName,
        /// The parent's flow.
        flow: FlowName,
        /// The parent's id in the source.
        parent: RecordId,
    },
    /// A value that the target would not take.
    Invalid {
        /// The target field.
        field: FieldName,
        /// The rule that it breaks, in words, without the value.
        rule: String,
    },
    /// A required field without a value.
    Missing {
        /// The target field.
        field: FieldName,
    },
    /// The target refused the write.
    Refused {
        /// The platform's code.
        code: String,
        /// The field it names, if it names one.
        field: Option<FieldName>,
        /// The platform's sentence, without values.
        message: String,
    },
    /// The answer to a write was lost and looking it up did not settle whether it was applied.
    OutcomeUnknown,
    /// A file whose bytes cannot be read from the source.
    ContentGone {
        /// What the source said.
        message: String,
    },
    /// The record disappeared from the source while it was being carried over.
    SourceGone,
    /// The target record was deleted or changed behind the pass.
    TargetGone {
        /// The target record.
        target: RecordId,
    },
    /// Both sides changed a field, or the side that does not own it any more did, and no rule says which value is
    /// right. The hold's value is what the rules make of the source's.
    Conflict {
        /// The target field.
        field: FieldName,
        /// The cohort with which the field had passed to the target, where only the source changed it since.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        moved: Option<CohortName>,
        /// The target's value.
        there: Box<Value>,
        /// What tells this conflict from one over other values; behind a colon, how often what was written gave way to
        /// the other side's value, where that is the reason.
        mark: String,
        /// The source's last edit of it, as far as its platform tells.
        source: Option<Box<Edit>>,
        /// The target's last edit of it, as far as its platform tells.
        target: Option<Box<Edit>>,
    },
    /// The record was deleted in the source; its counterpart stands.
    SourceDeleted {
        /// The counterpart.
        candidates: Vec<Candidate>,
    },
    /// The record was merged into another one in the source; both counterparts stand.
    SourceMerged {
        /// The record that it became.
        into: RecordId,
        /// Whether the source says so. If not, it looks like it: what belonged to the record belongs to that one now.
        certain: bool,
        /// The counterpart of the record that it became, if there is one, and its own.
        candidates: Vec<Candidate>,
    },
    /// The flow's condition does not hold for the record any more; its counterpart stands as it was.
    LeftScope,
    /// Its counterpart became one record with the counterpart of another source record.
    TargetMerged {
        /// The source record that has the counterpart now.
        other: RecordId,
        /// What both counterparts became.
        target: RecordId,
    },
    /// A person says that the record is wrong; what they say is the hold's value. The report stays until somebody closes
    /// it; the record is carried on as before, unless the report stops it.
    Reported {
        /// When.
        at: Timestamp,
        /// Who reports it; empty where that was not said.
        by: String,
        /// In whose care it is, if it is in somebody's.
        owner: Option<String>,
        /// Whether nothing of the record is carried, either way, until the report is closed.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        stop: bool,
    },
    /// An expression or a step failed on this record's values.
    Expression {
        /// The target field.
        field: FieldName,
        /// What failed, without values.
        message: String,
    },
}

/// Who changed a field last, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// When, by the system's clock.
    pub at: Timestamp,
    /// Who, in words.
    pub by: String,
}

/// Whose value is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wins {
    /// The source's.
    Source,
    /// The target's.
    Target,
}

/// A target record that may be the counterpart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The key by which it qualifies.
    pub key: String,
    /// Its id in the target.
    pub target: RecordId,
    /// A few of its values, for the person who decides.
    pub shown: Vec<(FieldName, Value)>,
}

/// A record kept out, for one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The flow.
    pub flow: FlowName,
    /// The source object.
    pub object: ObjectName,
    /// The source record.
    pub record: RecordId,
    /// What people call the record (its name, title or subject).
    pub title: String,
    /// Why it is held.
    pub cause: Cause,
    /// The source value in question, if the cause is about one.
    pub value: Option<Value>,
    /// Announced holds (found before anything was written) and their children do not count towards the
    /// error threshold.
    pub announced: bool,
}

/// What a person answers to a hold or a group of holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Translate the value; a row is appended to the translation table.
    Translate {
        /// The target value.
        to: String,
    },
    /// Assign the source user's records to this target user; a row is appended to `users`.
    Assign {
        /// The target user's e-mail or id.
        to: String,
    },
    /// This target record is the counterpart.
    Choose {
        /// Its id.
        target: RecordId,
    },
    /// None of the candidates: create a new record.
    Create,
    /// Use this value for the field instead of the source's.
    Edit {
        /// The target field.
        field: FieldName,
        /// The value.
        value: Value,
        /// The value in question when it was answered, if the hold was about one ([`Hold::value`]): once the source
        /// says something else, that counts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<Box<Value>>,
    },
    /// Of a field that both sides changed take this side's value.
    Take {
        /// The target field.
        field: FieldName,
        /// Whose.
        wins: Wins,
        /// The conflict that is meant ([`Cause::Conflict`]): a later one is asked about anew.
        mark: String,
    },
    /// Merge into the target record of another source record.
    MergeInto {
        /// The other source record.
        record: RecordId,
    },
    /// Delete the counterpart too.
    Delete,
    /// Merge the counterparts too.
    Merge,
    /// Leave the counterparts as they are.
    Keep,
    /// Leave the record out.
    Skip,
    /// Accept that the record stays held: the migration can be complete without it.
    Accept,
    /// Judge it again: what stood in the way was mended outside.
    Retry,
    /// A report is dealt with.
    Close,
}

impl Cause {
    /// The cause's word: `untranslated`, `parent_held`, ...
    pub fn word(&self) -> &'static str {
        match self {
            Self::Untranslated { .. } => "untranslated",
            Self::UnknownUser { .. } => "unknown_user",
            Self::Ambiguous { .. } => "ambiguous",
            Self::Contradiction { .. } => "contradiction",
            Self::DuplicateSource { .. } => "duplicate_source",
            Self::ParentHeld { .. } => "parent_held",
            Self::Invalid { .. } => "invalid",
            Self::Missing { .. } => "missing",
            Self::Refused { .. } => "refused",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::ContentGone { .. } => "content_gone",
            Self::SourceGone => "source_gone",
            Self::TargetGone { .. } => "target_gone",
            Self::Conflict { .. } => "conflict",
            Self::SourceDeleted { .. } => "source_deleted",
            Self::SourceMerged { .. } => "source_merged",
            Self::LeftScope => "left_scope",
            Self::TargetMerged { .. } => "target_merged",
            Self::Reported { .. } => "reported",
            Self::Expression { .. } => "expression",
        }
    }

    /// The target records that are shown to the person who decides.
    pub fn candidates(&self) -> &[Candidate] {
        match self {
            Self::Ambiguous { candidates, .. }
            | Self::Contradiction { candidates }
            | Self::SourceDeleted { candidates }
            | Self::SourceMerged { candidates, .. } => candidates,
            _ => &[],
        }
    }

    /// The same, to be changed.
    pub fn candidates_mut(&mut self) -> &mut [Candidate] {
        match self {
            Self::Ambiguous { candidates, .. }
            | Self::Contradiction { candidates }
            | Self::SourceDeleted { candidates }
            | Self::SourceMerged { candidates, .. } => candidates,
            _ => &mut [],
        }
    }

    /// The target field that the cause is about, if it is about one.
    pub fn field(&self) -> Option<&FieldName> {
        match self {
            Self::Untranslated { field, .. }
            | Self::UnknownUser { field, .. }
            | Self::ParentHeld { field, .. }
            | Self::Invalid { field, .. }
            | Self::Missing { field }
            | Self::Conflict { field, .. }
            | Self::Expression { field, .. } => Some(field),
            Self::Refused { field, .. } => field.as_ref(),
            Self::Ambiguous { .. }
            | Self::Contradiction { .. }
            | Self::DuplicateSource { .. }
            | Self::OutcomeUnknown
            | Self::ContentGone { .. }
            | Self::SourceGone
            | Self::SourceDeleted { .. }
            | Self::SourceMerged { .. }
            | Self::LeftScope
            | Self::TargetMerged { .. }
            | Self::Reported { .. }
            | Self::TargetGone { .. } => None,
        }
    }

    /// Holds with the same group are answered together: one translation, one assignment.
    pub fn group(&self) -> String {
        match self {
            Self::Untranslated { table, value, .. } => format!("untranslated:{table}:{value}"),
            Self::UnknownUser { user, .. } => format!("unknown_user:{user}"),
            Self::Invalid { field, rule } => format!("invalid:{field}:{rule}"),
            Self::Missing { field } => format!("missing:{field}"),
            Self::Conflict { field, .. } => format!("conflict:{field}"),
            Self::Refused { code, field, .. } => {
                format!("refused:{code}:{}", field.as_ref().map_or("", |field| field.as_str()))
            }
            Self::Expression { field, message } => format!("expression:{field}:{message}"),
            Self::Reported { stop: true, .. } => "reported:stop".to_owned(),
            Self::Ambiguous { .. }
            | Self::Contradiction { .. }
            | Self::DuplicateSource { .. }
            | Self::ParentHeld { .. }
            | Self::OutcomeUnknown
            | Self::ContentGone { .. }
            | Self::SourceGone
            | Self::SourceDeleted { .. }
            | Self::SourceMerged { .. }
            | Self::LeftScope
            | Self::TargetMerged { .. }
            | Self::Reported { .. }
            | Self::TargetGone { .. } => self.word().to_owned(),
        }
    }

    /// The cause in one sentence, for people. Values are not part of it.
    pub fn sentence(&self) -> String {
        match self {
            Self::Untranslated { table, label, field, .. } => {
                format!("`{label}` has no row in translations/{table}.csv (for `{field}`)")
            }
            Self::UnknownUser { label, .. } => format!("the user {label} has no counterpart in the target"),
            Self::Ambiguous { key, candidates } => {
                format!("{} target records qualify by {key}", candidates.len())
            }
            Self::Contradiction { candidates } => {
                let keys: Vec<_> = candidates.iter().map(|candidate| candidate.key.as_str()).collect();
                format!("{} point to different target records", keys.join(" and "))
            }
            Self::DuplicateSource { key, others } => {
                let others = others.len();
                let (records, have) = if others == 1 { ("record", "has") } else { ("records", "have") };
                format!("{others} other source {records} {have} the same {key}")
            }
            Self::ParentHeld { flow, .. } => format!("waits for its parent in `{flow}`"),
            Self::Invalid { field, rule } => format!("`{field}`: {rule}"),
            Self::Missing { field } => format!("`{field}` is required and has no value"),
            Self::Refused { code, message, .. } => format!("the target refused it: {code}: {message}"),
            Self::OutcomeUnknown => "a write whose answer was lost could not be looked up".to_owned(),
            Self::ContentGone { message } => format!("the file's bytes cannot be read: {message}"),
            Self::SourceGone => "the record disappeared from the source".to_owned(),
            Self::TargetGone { target } => format!("the target record {target} is gone"),
            Self::Conflict { field, moved, source, target, mark, .. } => {
                if let Some((_, flips)) = mark.split_once(':') {
                    return format!(
                        "`{field}` flips: what was written of it gave way to another value {flips} times, and no person \
                         is told to have changed it"
                    );
                }
                let edit = |edit: &Option<Box<Edit>>| match edit {
                    Some(edit) => format!("by {} at {}", edit.by, edit.at.strftime("%Y-%m-%d %H:%M:%S UTC")),
                    None => "nobody tells by whom".to_owned(),
                };
                match moved {
                    Some(cohort) => format!(
                        "`{field}` was changed in the source ({}) after its cohort `{cohort}` had moved",
                        edit(source)
                    ),
                    None => format!(
                        "`{field}` was changed on both sides (in the source {}; in the target {})",
                        edit(source),
                        edit(target)
                    ),
                }
            }
            Self::SourceDeleted { .. } => "the record was deleted in the source; its counterpart stands".to_owned(),
            Self::SourceMerged { into, certain: true, .. } => {
                format!("the record was merged into {into} in the source; both counterparts stand")
            }
            Self::SourceMerged { into, certain: false, .. } => {
                format!("the record is gone from the source and may have been merged into {into}")
            }
            Self::LeftScope => {
                "the flow's `where` does not hold for it any more; its counterpart stands as it was".to_owned()
            }
            Self::TargetMerged { other, target } => {
                format!("its counterpart became one with that of {other}, as {target} in the target")
            }
            Self::Reported { by, owner, stop, .. } => {
                let by = if by.is_empty() { "somebody" } else { by };
                let care = owner.as_ref().map(|owner| format!("; {owner} looks into it")).unwrap_or_default();
                let stop = if *stop { "; nothing of it is carried until that is closed" } else { "" };
                format!("{by} says that it is wrong{care}{stop}")
            }
            Self::Expression { field, message } => format!("`{field}`: {message}"),
        }
    }
}
