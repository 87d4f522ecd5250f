//! One rule, made ready for many records.

use std::borrow::Cow;
use std::collections::HashMap;

use handover_model::{Cause, FieldName, Kind, Record, Value};

use super::State;
use super::convert::Shape;
use super::expression::{Expression, ID};
use super::functions::{html_to_text, text_to_html};
use super::steps::Stage;

/// A rule against both schemas.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) shape: Shape,
    pub(crate) source: Source,
    pub(crate) stages: Vec<Stage>,
    pub(crate) table: Option<Translation>,
    pub(crate) default: State,
    pub(crate) ids: Ids,
}

/// Where the value comes from.
#[derive(Debug)]
pub(crate) enum Source {
    Fields { inputs: Vec<Input>, united: bool },
    Expression(Box<Expression>),
    Constant(State),
}

/// A source field.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) field: FieldName,
    /// Where it probably stands among a record's fields.
    pub(crate) place: usize,
    /// Labels of its options by their folded value; empty unless a rule needs them.
    pub(crate) labels: HashMap<String, String>,
    /// Whether its options go into the target by their label.
    pub(crate) shows_labels: bool,
    pub(crate) markup: Markup,
}

/// What a text needs to go from its field's form to the target's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Markup {
    Same,
    Escape,
    Strip,
}

/// Whose ids a user or link field gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ids {
    Source,
    Target,
}

/// A translation table as one target field reads it.
#[derive(Debug)]
pub(crate) struct Translation {
    pub(crate) name: String,
    pub(crate) rows: HashMap<String, String>,
    /// What people of the source call the values that an expression may give.
    pub(crate) labels: HashMap<String, String>,
}

impl Compiled {
    /// Notes where its fields stand among those that are read, in order of their names.
    pub(crate) fn place_among(&mut self, reads: &[FieldName]) {
        if let Source::Fields { inputs, .. } = &mut self.source {
            for input in inputs {
                input.place = reads.binary_search(&input.field).unwrap_or(0);
            }
        }
    }

    pub(crate) fn apply(&self, record: &Record) -> State {
        match self.carried(record) {
            Ok(state) => state,
            Err((cause, value)) => State::Problem(cause, value),
        }
    }

    fn carried(&self, record: &Record) -> Result<State, (Cause, Option<Value>)> {
        let (input, found) = match &self.source {
            Source::Constant(state) => return Ok(state.clone()),
            Source::Expression(expression) => (None, self.evaluated(expression, record)?),
            Source::Fields { inputs, united: false } => match first(inputs, record) {
                Some((input, value)) => (Some(input), value),
                None => (None, Cow::Owned(Value::Null)),
            },
            Source::Fields { inputs, united: true } => (None, Cow::Owned(union(inputs, record))),
        };
        if let Some(input) = input
            && self.is_plain(input)
            && !found.is_blank()
        {
            return self.converted(found.clone(), found);
        }
        let sees_blank = || self.stages.iter().any(|stage| matches!(stage, Stage::Call(step) if step.sees_blank()));
        if found.is_blank() && !sees_blank() {
            return Ok(self.default.clone());
        }
        let value = self.prepared(input, found.clone())?;
        let value = if value.is_blank() { value } else { self.translated(input, value, &found)? };
        if value.is_blank() {
            return Ok(self.default.clone());
        }
        self.converted(value, found)
    }

    /// Whether a value goes from its field into the target as it is, but for its kind.
    fn is_plain(&self, input: &Input) -> bool {
        self.stages.is_empty() && self.table.is_none() && !input.shows_labels && input.markup == Markup::Same
    }

    /// A value in the target's kind; `found` is what stood in the source.
    fn converted(&self, value: Cow<'_, Value>, found: Cow<'_, Value>) -> Result<State, (Cause, Option<Value>)> {
        let value = self.shape.convert(value).map_err(|rule| {
            (Cause::Invalid { field: self.shape.field.clone(), rule: rule.into_owned() }, Some(found.into_owned()))
        })?;
        Ok(if value.is_blank() { self.default.clone() } else { self.state(value) })
    }

    fn evaluated<'a>(
        &self,
        expression: &Expression,
        record: &Record,
    ) -> Result<Cow<'a, Value>, (Cause, Option<Value>)> {
        let value = expression.run(record).map_err(|message| (self.failed(message), None))?;
        Ok(Cow::Owned(value))
    }

    /// The value after the steps, in the target's markup.
    fn prepared<'a>(
        &self,
        input: Option<&Input>,
        value: Cow<'a, Value>,
    ) -> Result<Cow<'a, Value>, (Cause, Option<Value>)> {
        let mut value = value;
        if let Some(input) = input.filter(|input| input.shows_labels) {
            value = Cow::Owned(labelled(input, &value));
        }
        for stage in &self.stages {
            let Stage::Call(step) = stage else {
                if value.is_blank() {
                    continue;
                }
                value = self.by_label(input, value)?;
                continue;
            };
            let before = value.into_owned();
            let kept = step.can_fail().then(|| before.clone());
            let after = step
                .run(before)
                .map_err(|failure| (self.failed(format!("step `{}`: {failure}", step.name())), kept))?;
            value = Cow::Owned(after);
        }
        let markup = input.map_or(Markup::Same, |input| input.markup);
        Ok(match (markup, value.as_ref()) {
            (Markup::Escape, Value::Text(text)) if text.contains(['<', '>', '&', '\n', '\r']) => {
                Cow::Owned(text_to_html(text).into())
            }
            (Markup::Strip, Value::Text(text)) if text.contains(['<', '&']) => Cow::Owned(html_to_text(text).into()),
            _ => value,
        })
    }

    fn failed(&self, message: String) -> Cause {
        Cause::Expression { field: self.shape.field.clone(), message }
    }

    /// The target's options with the labels of the source's.
    fn by_label<'a>(
        &self,
        input: Option<&Input>,
        value: Cow<'a, Value>,
    ) -> Result<Cow<'a, Value>, (Cause, Option<Value>)> {
        let one = |value: &Value| -> Option<Value> {
            let word = value.display();
            let label = input.and_then(|input| input.labels.get(&word)).map_or(word.as_str(), String::as_str);
            self.shape.option_by_label(label).map(Value::from)
        };
        let found = match value.as_ref() {
            Value::List(items) => items.iter().map(one).collect::<Option<Vec<_>>>().map(Value::List),
            other => one(other),
        };
        match found {
            Some(found) => Ok(Cow::Owned(found)),
            // A table may know what the labels do not tell.
            None if self.table.is_some() => Ok(value),
            None => {
                let rule = "no option, or more than one, has the label that the source shows".to_owned();
                Err((Cause::Invalid { field: self.shape.field.clone(), rule }, Some(value.into_owned())))
            }
        }
    }

    fn translated<'a>(
        &self,
        input: Option<&Input>,
        value: Cow<'a, Value>,
        found: &Value,
    ) -> Result<Cow<'a, Value>, (Cause, Option<Value>)> {
        let Some(table) = &self.table else { return Ok(value) };
        let settled = self.stages.iter().any(|stage| matches!(stage, Stage::ByLabel));
        let one = |value: &Value| -> Result<Value, Cause> {
            let row = |word: &str| table.rows.get(word).or_else(|| table.rows.get(word.trim()));
            let shown = |value: &Value| value.as_text().map_or_else(|| row(&value.display()), row);
            if let Some(to) = shown(value) {
                return Ok(if to.is_empty() { Value::Null } else { to.as_str().into() });
            }
            let word = value.display();
            if settled && self.shape.has_option(&word) {
                return Ok(word.into());
            }
            let label = input.and_then(|input| input.labels.get(&word)).or_else(|| table.labels.get(&word));
            let label = label.cloned().unwrap_or_else(|| word.clone());
            Err(Cause::Untranslated { field: self.shape.field.clone(), table: table.name.clone(), value: word, label })
        };
        let to = match value.as_ref() {
            Value::List(items) => items.iter().map(one).collect::<Result<Vec<_>, _>>().map(Value::List),
            other => one(other),
        };
        to.map(Cow::Owned).map_err(|cause| (cause, Some(found.clone())))
    }

    fn state(&self, value: Value) -> State {
        match (&self.shape.kind, self.ids) {
            (Kind::User, Ids::Source) => State::User(value.display()),
            (Kind::Reference { .. }, Ids::Source) => State::Links(value.ids().into_iter().map(str::to_owned).collect()),
            _ => State::Value(value),
        }
    }
}

/// The first field that is not blank.
fn first<'a, 'r>(inputs: &'a [Input], record: &'r Record) -> Option<(&'a Input, Cow<'r, Value>)> {
    inputs.iter().find_map(|input| value_of(input, record).map(|value| (input, value)))
}

fn value_of<'r>(input: &Input, record: &'r Record) -> Option<Cow<'r, Value>> {
    if input.field == *ID {
        return Some(Cow::Owned(record.id.as_str().into()));
    }
    record.fields.get_near(input.place, input.field.as_str()).filter(|value| !value.is_blank()).map(Cow::Borrowed)
}

/// The links of several fields, each once.
fn union(inputs: &[Input], record: &Record) -> Value {
    let mut out: Vec<Value> = Vec::new();
    for value in inputs.iter().filter_map(|input| value_of(input, record)) {
        let items = match value.as_ref() {
            Value::List(items) => items.as_slice(),
            other => std::slice::from_ref(other),
        };
        for item in items.iter().filter(|item| !item.is_blank()) {
            if !out.contains(item) {
                out.push(item.clone());
            }
        }
    }
    Value::List(out)
}

/// Options by their labels; what is no option stays.
fn labelled(input: &Input, value: &Value) -> Value {
    match value {
        Value::List(items) => Value::List(items.iter().map(|item| labelled(input, item)).collect()),
        other => input.labels.get(&other.display()).map_or_else(|| other.clone(), |label| label.as_str().into()),
    }
}

impl Translation {
    /// A table's rows for one target field: `to` may be an option or, if no option is called so, its label.
    pub(crate) fn of(table: &handover_model::Table, shape: &Shape, labels: HashMap<String, String>) -> Self {
        let to = |to: &str| {
            if shape.has_option(to) { to.to_owned() } else { shape.option_by_label(to).unwrap_or(to).to_owned() }
        };
        let rows = table.rows.iter().map(|(from, row)| (from.clone(), to(row.to.trim()))).collect();
        Self { name: table.name.clone(), rows, labels }
    }
}

/// Labels of a source field's options by value.
pub(crate) fn labels_of(kind: &Kind) -> HashMap<String, String> {
    match kind {
        Kind::Choice { options, .. } => {
            options.iter().map(|option| (option.value.clone(), option.label.clone())).collect()
        }
        _ => HashMap::new(),
    }
}
