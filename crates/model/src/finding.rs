//! Something that the check, the plan or the verification noticed.

use serde::{Deserialize, Serialize};

use crate::{Place, Rule};

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// `run` refuses until it is mended.
    Error,
    /// Records will be held, or something deserves a look; `run` goes on.
    Warning,
    /// Good to know.
    Note,
}

/// Something noticed, with its place in the project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How much it weighs.
    pub weight: Weight,
    /// A stable word for it: `unmapped_field`, `unknown_field`, `wrong_type`, ...
    pub code: String,
    /// What was found, in one sentence without a full stop.
    pub message: String,
    /// Where in the project.
    pub place: Option<Place>,
    /// How many columns the caret marks, from the place's column on; 0 for the rest of the line.
    pub width: u32,
    /// A word behind the marked columns, on the same line, that the caret marks instead where it is found:
    /// the source field of a rule whose place is its target field.
    pub about: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// How many records it concerns, where that is known.
    pub records: Option<u64>,
}

impl Finding {
    /// A finding with `weight`, a code and a sentence.
    pub fn new(weight: Weight, code: &str, message: impl Into<String>) -> Self {
        Self {
            weight,
            code: code.to_owned(),
            message: message.into(),
            place: None,
            width: 0,
            about: None,
            hint: None,
            records: None,
        }
    }

    /// The same finding at a place.
    #[must_use]
    pub fn at(mut self, place: &Place) -> Self {
        self.place = Some(place.clone());
        self
    }

    /// The same finding at a rule: the caret marks its target field.
    #[must_use]
    pub fn at_rule(mut self, rule: &Rule) -> Self {
        self.width = u32::try_from(rule.target.as_str().chars().count()).unwrap_or(0);
        self.at(&rule.place)
    }

    /// The same finding with the caret under this word, where it stands behind the place on its line.
    #[must_use]
    pub fn about(mut self, word: impl Into<String>) -> Self {
        self.about = Some(word.into());
        self
    }

    /// The same finding with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
