//! The one registry of named steps and expression functions, each written once: a function over model
//! values with its argument list, a sentence and an example. The manual is generated from it.
//!
//! Invariants: every function is total (a failure is a sentence without values), pure, and knows neither
//! clock nor time zone. A blank value passes through untouched unless the function says otherwise.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use handover_model::Value;

use super::functions;

/// What an argument takes or a function gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Text; days and times of day stand in expressions as text (`2026-01-31`, `14:30`).
    Text,
    /// A number.
    Number,
    /// True or false.
    Bool,
    /// An instant.
    DateTime,
    /// A list.
    List,
    /// Anything.
    Any,
}

/// Where a function may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// As a step and in expressions.
    Everywhere,
    /// As a step only.
    Steps,
    /// In expressions only.
    Expressions,
}

/// An argument.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name; of the first one (the value itself) the name counts in expressions only.
    pub name: &'static str,
    /// What it takes.
    pub takes: Type,
    /// Whether it must be given.
    pub required: bool,
    /// The words that it takes, when it takes certain words only.
    pub words: &'static [&'static str],
    /// What it is for.
    pub doc: &'static str,
}

/// How what a step made goes back into the field that it came from, when the record changed on the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Back {
    /// That cannot be told.
    Lost,
    /// As it is: the step only puts a value into one form.
    Same,
    /// Through another step with the same arguments.
    Step(&'static str),
    /// Into its place in the list that the field holds; the other entries stay.
    Part(Part),
}

/// A part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The primary entry.
    Primary,
    /// All entries but the primary one.
    Others,
    /// The first entry.
    First,
    /// The last entry.
    Last,
    /// All entries but the first.
    Rest,
}

/// Why a function could not do its work, in words, without the value.
pub type Failure = &'static str;

/// A named step and expression function.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub doc: &'static str,
    /// Its arguments; the first is the value that it works on.
    pub parameters: &'static [Parameter],
    /// What it gives.
    pub gives: Type,
    /// Whether it can give a blank for a value that is not blank.
    pub blank: bool,
    /// Whether it can fail: in an expression such a call needs `!` (hold the record) or `??` (else).
    pub fallible: bool,
    /// Where it may be used.
    pub place: Place,
    /// Whether, as a step, it goes over each entry of a list.
    pub each: bool,
    /// Whether a blank first argument reaches it instead of passing through.
    pub sees_blank: bool,
    /// What it is on the way back.
    pub back: Back,
    /// An expression that shows it, or the step as the mapping writes it where it is a step only.
    pub example: &'static str,
    /// What the example gives, as it is displayed.
    pub result: &'static str,
    /// The work. The slice has one value per parameter; those not given are null.
    pub(crate) run: fn(&[Value]) -> Result<Value, Failure>,
}

/// The step that needs both schemas and is therefore done by the program itself.
pub(crate) const BY_LABEL: &str = "by_label";

static ALL: LazyLock<Vec<&'static Function>> = LazyLock::new(|| {
    let mut all: Vec<&'static Function> = functions::all().collect();
    all.sort_by_key(|function| function.name);
    all
});

static BY_NAME: LazyLock<BTreeMap<&'static str, &'static Function>> =
    LazyLock::new(|| ALL.iter().map(|function| (function.name, *function)).collect());

/// All steps and functions, by name.
pub fn registry() -> &'static [&'static Function] {
    &ALL
}

impl Function {
    /// A function by its name.
    pub fn named(name: &str) -> Option<&'static Function> {
        BY_NAME.get(name).copied()
    }

    /// Whether it can be a step.
    pub fn is_step(&self) -> bool {
        self.place != Place::Expressions
    }

    /// Whether it can stand in an expression.
    pub fn is_in_expressions(&self) -> bool {
        self.place != Place::Steps
    }

    /// Does the work; a blank value passes through unless the function looks at blanks.
    pub(crate) fn call(&self, arguments: &[Value]) -> Result<Value, Failure> {
        match arguments.first() {
            Some(first) if !self.sees_blank && first.is_blank() => Ok(Value::Null),
            _ => (self.run)(arguments),
        }
    }
}

impl Type {
    /// The word for it in messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "a number",
            Self::Bool => "true or false",
            Self::DateTime => "a date and time",
            Self::List => "a list",
            Self::Any => "anything",
        }
    }

    /// Whether an argument written in the project is of this type.
    pub(crate) fn takes(self, value: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::Text => matches!(value, Value::Text(_) | Value::Number(_) | Value::Date(_) | Value::Time(_)),
            Self::Number => matches!(value, Value::Number(_)),
            Self::Bool => matches!(value, Value::Bool(_)),
            Self::DateTime => matches!(value, Value::DateTime(_) | Value::Text(_)),
            Self::List => matches!(value, Value::List(_) | Value::Text(_)),
        }
    }
}
