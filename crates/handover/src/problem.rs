//! What went wrong, for people: one value that renders to the terminal and to JSON and carries the exit
//! code.
//!
//! Invariants:
//! - A cause is printed once: sources are kept as a chain of sentences, never flattened into the message.
//! - Field values, tokens and bodies never enter a problem. Lines of project files are shown as
//!   [`crate::config::Sources`] keeps them, with literal secrets masked.

mod render;

use std::collections::BTreeSet;
use std::error::Error;
use std::ops::{Deref, DerefMut};

use handover_model::{Finding, Place, Weight};
use serde_json::{Value, json};

use crate::config::Sources;

/// What the process says to its caller when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 3: finished, with records held.
    Held,
    /// 4: stopped by a guard or by the error threshold.
    Guard,
    /// 1: the user can fix it.
    User,
    /// 2: our fault.
    Ours,
}

impl Exit {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::User => 1,
            Self::Ours => 2,
            Self::Held => 3,
            Self::Guard => 4,
        }
    }
}

/// The place in a project file that a problem is about, with the line itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// File, line and column.
    pub place: Place,
    /// How many characters the caret marks from the column on; 0 for the rest of the line.
    pub width: u32,
    /// The line, without its end; `None` when it is not known.
    pub text: Option<String>,
}

/// Something that failed or deserves a look. Its [`Parts`] are boxed, since problems travel in results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem(Box<Parts>);

/// What a problem says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// How much it weighs.
    pub weight: Weight,
    /// A stable word for it: `unknown_key`, `not_found`, ...
    pub code: String,
    /// What failed, in one sentence without a full stop.
    pub message: String,
    /// Where in the project.
    pub excerpt: Option<Excerpt>,
    /// Short remarks about the excerpt: a suggestion, where the other of two stands.
    pub notes: Vec<String>,
    /// Why, outermost cause first.
    pub causes: Vec<String>,
    /// What is true now: what was written, what is queued.
    pub state: Option<String>,
    /// What to do next.
    pub hints: Vec<String>,
    /// What the process ends with because of it.
    pub exit: Exit,
}

impl Deref for Problem {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl DerefMut for Problem {
    fn deref_mut(&mut self) -> &mut Parts {
        &mut self.0
    }
}

/// Bytes of a line beyond which it is no help to a reader: its number stands alone then.
const SHOWN: usize = 1000;

impl Problem {
    /// An error that the user can fix.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            weight: Weight::Error,
            code: code.to_owned(),
            message: message.into(),
            excerpt: None,
            notes: Vec::new(),
            causes: Vec::new(),
            state: None,
            hints: Vec::new(),
            exit: Exit::User,
        }))
    }

    /// An error of ours.
    pub fn ours(code: &str, message: impl Into<String>) -> Self {
        Self::new(code, message).exit(Exit::Ours)
    }

    /// The same problem, ending the process with `exit`.
    #[must_use]
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The same problem with another weight.
    #[must_use]
    pub fn weighing(mut self, weight: Weight) -> Self {
        self.weight = weight;
        self
    }

    /// The same problem with the whole chain of causes of an error, the error itself first.
    #[must_use]
    pub fn because(mut self, error: &(dyn Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            let sentence = error.to_string();
            // Some libraries repeat their source in their own sentence.
            if self.causes.last().is_none_or(|last| !last.ends_with(&sentence)) {
                self.causes.push(sentence);
            }
            next = error.source();
        }
        self
    }

    /// The same problem with one more cause.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// The same problem at a place, its line taken from `sources`.
    #[must_use]
    pub fn at(mut self, place: &Place, width: u32, sources: &Sources) -> Self {
        let text = sources.line(&place.file, place.line).filter(|line| line.len() <= SHOWN).map(str::to_owned);
        self.excerpt = Some(Excerpt { place: place.clone(), width, text });
        self
    }

    /// The same problem with a remark about its excerpt.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// The same problem with what is true now.
    #[must_use]
    pub fn state(mut self, state: impl Into<String>) -> Self {
        self.state = Some(state.into());
        self
    }

    /// The same problem with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// A finding as a problem. Its hint becomes a remark under the excerpt when it has one, so that the
    /// hints of many findings stand where they belong.
    pub fn from_finding(finding: &Finding, sources: &Sources) -> Self {
        let exit = if finding.weight == Weight::Error { Exit::User } else { Exit::Done };
        let mut problem = Self::new(&finding.code, finding.message.clone()).exit(exit);
        problem.weight = finding.weight;
        if let Some(records) = finding.records {
            problem.message.push_str(&match records {
                1 => " (1 record)".to_owned(),
                many => format!(" ({many} records)"),
            });
        }
        match (&finding.place, &finding.hint) {
            (Some(place), hint) => {
                let (place, width) = marked(place, finding, sources);
                problem = problem.at(&place, width, sources);
                problem.notes.extend(hint.clone());
            }
            (None, hint) => problem.hints.extend(hint.clone()),
        }
        problem
    }

    /// Findings as problems.
    pub fn from_findings(findings: &[Finding], sources: &Sources) -> Vec<Self> {
        findings.iter().map(|finding| Self::from_finding(finding, sources)).collect()
    }

    /// The problem as JSON: `{weight, code, message, place: {file, line, column, width, text} | null,
    /// notes, causes, state, hints, exit}`.
    pub fn to_json(&self) -> Value {
        let place = self.excerpt.as_ref().map(|excerpt| {
            json!({
                "file": &*excerpt.place.file,
                "line": excerpt.place.line,
                "column": excerpt.place.column,
                "width": excerpt.width,
                "text": excerpt.text,
            })
        });
        json!({
            "weight": word(self.weight),
            "code": self.code,
            "message": self.message,
            "place": place,
            "notes": self.notes,
            "causes": self.causes,
            "state": self.state,
            "hints": self.hints,
            "exit": self.exit.code(),
        })
    }

    /// The problem as the terminal shows it, with a line break at the end.
    pub fn render(&self, colour: bool) -> String {
        render(std::slice::from_ref(self), colour)
    }
}

/// Several problems as the terminal shows them: sorted by file and line, what they have in common (state
/// and hints) once, and a line that counts them when there are several.
pub fn render(problems: &[Problem], colour: bool) -> String {
    let sorted = sorted(problems);
    let paint = render::Paint::new(colour);
    let mut text = String::new();
    let states: BTreeSet<_> = sorted.iter().filter_map(|problem| problem.state.as_deref()).collect();
    let state_once = states.len() == 1 && sorted.len() > 1;
    for (index, problem) in sorted.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        render::block(&mut text, problem, &paint, !state_once);
    }
    if state_once {
        text.push('\n');
        for state in states {
            render::state(&mut text, state, &paint);
        }
    }
    render::hints(&mut text, &sorted, &paint);
    if sorted.len() > 1 {
        text.push_str(&format!("\n{}\n", counted(&sorted)));
    }
    text
}

/// Several problems as JSON: `{problems: [...], errors, warnings, notes}`.
pub fn to_json(problems: &[Problem]) -> Value {
    let sorted = sorted(problems);
    let number = |weight| sorted.iter().filter(|problem| problem.weight == weight).count();
    json!({
        "problems": sorted.iter().map(|problem| problem.to_json()).collect::<Vec<_>>(),
        "errors": number(Weight::Error),
        "warnings": number(Weight::Warning),
        "notes": number(Weight::Note),
    })
}

/// What the process ends with: our own fault weighs most, then the user's.
pub fn exit(problems: &[Problem]) -> Exit {
    problems.iter().map(|problem| problem.exit).max().unwrap_or(Exit::Done)
}

fn sorted(problems: &[Problem]) -> Vec<&Problem> {
    let mut sorted: Vec<_> = problems.iter().collect();
    // Problems without a place first: they are about the whole.
    sorted.sort_by_key(|problem| {
        problem.excerpt.as_ref().map(|excerpt| (excerpt.place.file.clone(), excerpt.place.line, excerpt.place.column))
    });
    sorted
}

fn counted(problems: &[&Problem]) -> String {
    let parts = [(Weight::Error, "error"), (Weight::Warning, "warning"), (Weight::Note, "note")];
    let words = parts.iter().filter_map(|(weight, word)| {
        match problems.iter().filter(|problem| problem.weight == *weight).count() {
            0 => None,
            1 => Some(format!("1 {word}")),
            many => Some(format!("{many} {word}s")),
        }
    });
    words.collect::<Vec<_>>().join(", ")
}

fn word(weight: Weight) -> &'static str {
    match weight {
        Weight::Error => "error",
        Weight::Warning => "warning",
        Weight::Note => "note",
    }
}

/// What the caret marks: the word that the finding is about where it stands on the line behind the marked
/// key, else the key.
fn marked(place: &Place, finding: &Finding, sources: &Sources) -> (Place, u32) {
    let key = (place.clone(), finding.width);
    let word = finding.about.as_deref().filter(|word| !word.is_empty());
    let (Some(word), Some(line)) = (word, sources.line(&place.file, place.line)) else { return key };
    let behind = place.column.saturating_sub(1).saturating_add(finding.width) as usize;
    let Some((start, _)) = line.char_indices().nth(behind) else { return key };
    let joins = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
    let is_whole = |at: &usize| {
        let (before, after) = (line.get(..*at).unwrap_or_default(), line.get(at + word.len()..).unwrap_or_default());
        !before.ends_with(joins) && !after.starts_with(joins)
    };
    let found = line.match_indices(word).map(|(at, _)| at).filter(|at| *at >= start).find(is_whole);
    let Some(at) = found else { return key };
    let count = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    let column = count(line.get(..at).unwrap_or_default()).saturating_add(1);
    (Place { column, ..place.clone() }, count(word))
}
