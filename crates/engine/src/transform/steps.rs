//! Named steps of a rule, checked once and run for each record.

use std::collections::BTreeMap;

use handover_model::{Finding, Kind, Step, Value, Weight};

use super::registry::{BY_LABEL, Failure, Function, Parameter, Type, registry};
use super::spelling::did_you_mean;

/// A step with its arguments in their places.
#[derive(Debug)]
pub(crate) struct Ready {
    function: &'static Function,
    arguments: Vec<Value>,
}

/// One step of a rule.
#[derive(Debug)]
pub(crate) enum Stage {
    /// A function of the registry.
    Call(Ready),
    /// The option with the same label; done by the rule, which knows both schemas.
    ByLabel,
}

impl Ready {
    pub(crate) fn name(&self) -> &'static str {
        self.function.name
    }

    /// Whether there are values that it can make nothing of.
    pub(crate) fn can_fail(&self) -> bool {
        self.function.fallible
    }

    /// Whether it has something to do for blanks.
    pub(crate) fn sees_blank(&self) -> bool {
        self.function.sees_blank
    }

    /// The kind that a value of `kind` has behind this step, where that can be known.
    pub(crate) fn gives(&self, kind: Option<&Kind>) -> Option<Kind> {
        let text = || Kind::Text { max: None, html: self.function.name == "html" };
        match self.function.gives {
            // Text functions keep an e-mail list an e-mail list, and leave an address an address.
            Type::Text if self.function.each => match kind {
                Some(Kind::Email { .. } | Kind::Phone { .. }) => kind.cloned(),
                _ => Some(text()),
            },
            Type::Text => Some(text()),
            Type::Number => Some(Kind::Number),
            Type::Bool => Some(Kind::Bool),
            Type::DateTime => Some(Kind::DateTime),
            Type::List | Type::Any => None,
        }
    }

    /// Runs over a value, or over each entry of a list.
    pub(crate) fn run(&self, value: Value) -> Result<Value, Failure> {
        if !self.function.each {
            return self.call(value);
        }
        match value {
            Value::List(items) => {
                let items: Result<Vec<_>, _> = items.into_iter().map(|item| self.run_entry(item)).collect();
                Ok(Value::List(items?.into_iter().filter(|item| !item.is_blank()).collect()))
            }
            other => self.run_entry(other),
        }
    }

    /// Runs over the value of an e-mail or phone entry, which keeps its label.
    fn run_entry(&self, entry: Value) -> Result<Value, Failure> {
        match entry {
            Value::Map(mut parts) => {
                if let Some(value) = parts.remove("value") {
                    let value = self.call(value)?;
                    if value.is_blank() {
                        return Ok(Value::Null);
                    }
                    parts.insert("value".to_owned(), value);
                }
                Ok(Value::Map(parts))
            }
            other => self.call(other),
        }
    }

    fn call(&self, value: Value) -> Result<Value, Failure> {
        if self.arguments.is_empty() {
            return self.function.call(&[value]);
        }
        let mut arguments = Vec::with_capacity(self.arguments.len() + 1);
        arguments.push(value);
        arguments.extend_from_slice(&self.arguments);
        self.function.call(&arguments)
    }
}

/// A step made ready, or what is wrong with it.
pub(crate) fn prepare(step: &Step) -> Result<Stage, Vec<Finding>> {
    let Some(function) = Function::named(&step.name).filter(|function| function.is_step()) else {
        return Err(vec![unknown(step)]);
    };
    let mut findings = Vec::new();
    let mut arguments = Vec::new();
    let parameters = function.parameters.get(1..).unwrap_or_default();
    for parameter in parameters {
        match step.arguments.get(parameter.name) {
            Some(value) => {
                if let Some(problem) = misfit(parameter, value) {
                    findings.push(bad_argument(step, format!("step `{}`: {problem}", step.name)));
                }
                arguments.push(value.clone());
            }
            None if parameter.required => {
                let message = format!("step `{}` needs the argument `{}`", step.name, parameter.name);
                findings.push(bad_argument(step, message).hint(usage(function)));
                arguments.push(Value::Null);
            }
            None => arguments.push(Value::Null),
        }
    }
    findings.extend(superfluous(step, function, &step.arguments));
    if !findings.is_empty() {
        return Err(findings);
    }
    Ok(if function.name == BY_LABEL { Stage::ByLabel } else { Stage::Call(Ready { function, arguments }) })
}

fn unknown(step: &Step) -> Finding {
    let message = format!("there is no step `{}`", step.name);
    let mut finding = Finding::new(Weight::Error, "unknown_step", message).at(&step.place);
    finding.width = width(&step.name);
    let names = registry().iter().filter(|function| function.is_step()).map(|function| function.name);
    finding.hint = match Function::named(&step.name) {
        Some(_) => Some(format!("`{}` is for expressions: `expr: '{}(..)'`", step.name, step.name)),
        None => did_you_mean(&step.name, names),
    };
    finding
}

fn superfluous(step: &Step, function: &Function, given: &BTreeMap<String, Value>) -> Vec<Finding> {
    let known = || function.parameters.iter().skip(1).map(|parameter| parameter.name);
    let unknown = given.keys().filter(|name| !known().any(|have| have == name.as_str()));
    unknown
        .map(|name| {
            let finding = bad_argument(step, format!("step `{}` has no argument `{name}`", step.name));
            finding.hint(did_you_mean(name, known()).unwrap_or_else(|| usage(function)))
        })
        .collect()
}

fn misfit(parameter: &Parameter, value: &Value) -> Option<String> {
    if !parameter.takes.takes(value) {
        return Some(format!("the argument `{}` takes {}", parameter.name, parameter.takes.word()));
    }
    let named = value.display();
    if !parameter.words.is_empty() && !parameter.words.contains(&named.as_str()) {
        return Some(format!("the argument `{}` takes {}", parameter.name, one_of(parameter.words)));
    }
    if parameter.takes == Type::Number
        && matches!(value, Value::Number(number) if number.is_sign_negative() || !number.fract().is_zero())
    {
        return Some(format!("the argument `{}` takes a whole number that is not negative", parameter.name));
    }
    if parameter.name == "region" && super::functions::region_of(&named).is_none() {
        return Some("the argument `region` takes an ISO 3166 code of two letters, such as `DE`".to_owned());
    }
    None
}

fn one_of(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or ")
}

/// How a step is written, for hints.
fn usage(function: &Function) -> String {
    let arguments: Vec<String> = function
        .parameters
        .iter()
        .skip(1)
        .map(|parameter| format!("{}: {}", parameter.name, parameter.takes.word()))
        .collect();
    if arguments.is_empty() {
        format!("`{}` takes no arguments", function.name)
    } else {
        format!("`{}: {{{}}}`", function.name, arguments.join(", "))
    }
}

fn bad_argument(step: &Step, message: String) -> Finding {
    let mut finding = Finding::new(Weight::Error, "bad_argument", message).at(&step.place);
    finding.width = width(&step.name);
    finding
}

/// The caret's width under a name.
pub(crate) fn width(name: &str) -> u32 {
    u32::try_from(name.chars().count()).unwrap_or(0)
}
