//! The compiler's diagnostics in the words of people who migrate CRMs: what was found, what was expected,
//! what to write instead. Types are called as everywhere else: text, a number, yes/no, a blank.

use std::ops::Range;

use handover_model::{Kind, Schema};
use vrl::compiler::ExpressionError;
use vrl::compiler::codes::{CompilerCode, ExprCode, ParserCode};
use vrl::diagnostic::{Diagnostic, DiagnosticList};

use super::super::compile::wording;
use super::super::registry::{Function, registry};
use super::super::spelling::did_you_mean;
use super::bridge::kind_of;
use super::paths::paths_in;

/// What is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// Where in the expression, in bytes.
    pub(crate) at: Range<usize>,
    pub(crate) hint: Option<String>,
}

pub(super) fn reword(text: &str, diagnostics: DiagnosticList, schema: &Schema) -> Vec<Fault> {
    let problems = diagnostics.into_iter().filter(Diagnostic::is_problem);
    problems.map(|diagnostic| Reworded::of(text, &diagnostic, schema).fault()).collect()
}

/// What failed while an expression ran, without values.
pub(super) fn at_run_time(error: &ExpressionError) -> String {
    let ExpressionError::Error { message, .. } = error else { return "the expression failed".to_owned() };
    // function call error for "number" at (0:15): not a number
    let called = message.strip_prefix("function call error for \"").and_then(|rest| rest.split_once('"'));
    let told = called.and_then(|(name, rest)| rest.split_once("): ").map(|(_, what)| format!("`{name}`: {what}")));
    plain(&told.unwrap_or_else(|| message.clone()))
}

struct Reworded<'a> {
    text: &'a str,
    diagnostic: &'a Diagnostic,
    schema: &'a Schema,
    at: Range<usize>,
    /// The part of the expression that is meant.
    part: &'a str,
}

type Told = (String, Option<String>);

impl<'a> Reworded<'a> {
    fn of(text: &'a str, diagnostic: &'a Diagnostic, schema: &'a Schema) -> Self {
        let span = diagnostic.labels.iter().find(|label| label.primary).map(|label| label.span);
        let at = span.map_or(0..0, |span| span.start().min(text.len())..span.end().min(text.len()));
        let part = text.get(at.clone()).unwrap_or_default().trim();
        Self { text, diagnostic, schema, at, part }
    }

    fn fault(self) -> Fault {
        let code = self.diagnostic.code;
        let is = |of: ExprCode| code == of as usize;
        let (message, hint) = if is(ExprCode::FallibleExpression)
            || is(ExprCode::FallibleAssignment)
            || code == CompilerCode::FallibleArgument as usize
            || code == CompilerCode::FallibleExpr as usize
        {
            self.may_fail()
        } else if is(ExprCode::InvalidArgumentKind) {
            self.argument_type()
        } else if is(ExprCode::UndefinedFunction) {
            self.no_function()
        } else if is(ExprCode::NonBooleanPredicate) {
            (
                format!("`{}` decides here and must be yes or no; it {}", self.part, self.resolves()),
                Some(compare(self.part)),
            )
        } else if is(ExprCode::MissingArgument) || is(ExprCode::WrongNumberOfArgs) || is(ExprCode::UnknownKeyword) {
            self.arguments()
        } else if (ParserCode::InvalidToken as usize..=ParserCode::UnicodeEscape as usize).contains(&code) {
            self.syntax()
        } else {
            self.other()
        };
        Fault { code: "expression", message, at: self.at, hint }
    }

    fn may_fail(&self) -> Told {
        let name = identifier(self.part);
        if let Some(function) = Function::named(name).filter(|function| function.fallible && is_call(self.part, name)) {
            let message = format!("`{}` fails on values that it cannot read", function.name);
            let rest = self.part.get(name.len()..).unwrap_or_default();
            return (
                message,
                Some(format!("`{name}!{rest}` holds such records, `{} ?? null` leaves the field blank", self.part)),
            );
        }
        let paths = paths_in(self.part);
        let known = || paths.iter().filter_map(|path| self.schema.field(&path.segments.join(".")));
        let fields: Vec<String> =
            known().map(|field| format!("`.{}` is {}", field.name, wording(&kind_of(&field.kind)))).collect();
        let message = if fields.is_empty() {
            format!("`{}` cannot be computed for every record", self.part)
        } else {
            format!("`{}` cannot be computed for every record: {}", self.part, fields.join(", "))
        };
        let number = known().find(|field| field.kind == Kind::Number);
        let hint = match number {
            Some(field) => format!("say what a blank counts as: `default(.{}, 0)`", field.name),
            None => "convert first (`string(..)`, `number!(..)`)".to_owned(),
        };
        (message, Some(format!("{hint}, or what stands in: `({}) ?? null`", self.part)))
    }

    fn argument_type(&self) -> Told {
        let head = self.text.get(..self.at.start).unwrap_or_default();
        let call = head.rfind('(').and_then(|open| head.get(..open)).unwrap_or_default().trim_end_matches('!');
        let start = call.rfind(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').map_or(0, |at| at + 1);
        let function = Function::named(call.get(start..).unwrap_or_default());
        let expected = self.context().and_then(|label| label.split('"').nth(1));
        let parameter = function.zip(expected).and_then(|(function, name)| {
            function.parameters.iter().find(|parameter| parameter.name == name).map(|parameter| (function, parameter))
        });
        let Some((function, parameter)) = parameter else { return self.other() };
        let place = if parameter.name == "value" { String::new() } else { format!(" as `{}`", parameter.name) };
        let message =
            format!("`{}` takes {}{place}; `{}` {}", function.name, parameter.takes.word(), self.part, self.resolves());
        let hint = match self.diagnostic.labels.iter().any(|label| label.message.contains("array")) {
            true => format!("choose an entry first: `primary({0})`, `first({0})`, or `join({0}, \", \")`", self.part),
            false => format!("convert it first: `string({0})`, `number!({0})`", self.part),
        };
        (message, Some(hint))
    }

    fn no_function(&self) -> Told {
        let names = registry().iter().filter(|function| function.is_in_expressions()).map(|function| function.name);
        let hint = match (Function::named(self.part), did_you_mean(self.part, names)) {
            (Some(_), _) => Some(format!("`{0}` is a step: `steps: [{0}]`", self.part)),
            (None, Some(hint)) => Some(hint),
            (None, None)
                if matches!(self.part, "now" | "today" | "uuid" | "uuid_v4" | "random_int" | "get_env_var") =>
            {
                Some("expressions know the record and nothing else, so that every run gives the same".to_owned())
            }
            (None, None) => None,
        };
        (format!("there is no function `{}`", self.part), hint)
    }

    fn arguments(&self) -> Told {
        let head = self.text.get(..self.at.end).unwrap_or_default();
        let function = registry().iter().filter(|function| {
            head.contains(&format!("{}(", function.name)) || head.contains(&format!("{}!(", function.name))
        });
        // The last call before the place is the one that is meant.
        let function = function.max_by_key(|function| head.rfind(function.name));
        let what = plain(self.primary());
        let what = match what.strip_prefix("required argument missing: \"").and_then(|rest| rest.split_once('"')) {
            Some((name, _)) => format!("the argument `{name}` is missing"),
            None => what.replace("too many function arguments", "too many arguments"),
        };
        match function {
            Some(function) => {
                (format!("`{}`: {what}", function.name), Some(format!("for example `{}`", function.example)))
            }
            None => (what, None),
        }
    }

    fn syntax(&self) -> Told {
        let rest = self.text.get(self.at.start..).unwrap_or_default();
        let hint = if rest.starts_with('\'') {
            Some("texts stand in double quotes: `\"text\"`".to_owned())
        } else if is_operator(self.part) && self.begins_line() {
            Some("an operator stands at the end of a line, not at the beginning of the next".to_owned())
        } else if self.part == "-" {
            Some("a minus stands between two values: `0 - .amount`".to_owned())
        } else if self.part == "++" {
            Some("`+` puts texts together".to_owned())
        } else {
            None
        };
        let primary = self.primary();
        if primary.contains("string literal") {
            return ("a text that begins with `\"` is not closed".to_owned(), Some("put a `\"` at its end".to_owned()));
        }
        if primary.contains("end of program") {
            let closes = self.context().is_some_and(|label| label.contains("\")\""));
            let hint = if closes { "a closing `)` is missing" } else { "a value is missing at the end" };
            return ("the expression ends too early".to_owned(), Some(hint.to_owned()));
        }
        match self.part {
            "" => ("the expression cannot be read".to_owned(), hint),
            part => (format!("`{part}` cannot stand here"), hint),
        }
    }

    fn other(&self) -> Told {
        if self.diagnostic.message.contains("undefined variable") {
            let part = self.part.trim_matches(['"', '{', '}', ' ']);
            let name = part.trim_start_matches('.');
            let hint = match self.schema.field(name) {
                Some(_) if self.part.contains("{{") || self.text.contains("{{") => {
                    format!("put texts together: `\"..\" + string(.{name})`")
                }
                Some(_) => format!("fields begin with a dot: `.{name}`"),
                None => "fields begin with a dot, texts stand in double quotes".to_owned(),
            };
            return (format!("`{part}` is not known"), Some(hint));
        }
        let primary = plain(self.primary());
        let message = match self.context().map(plain) {
            Some(context) if !context.is_empty() && !context.starts_with("did you mean") => {
                format!("{primary}; {context}")
            }
            _ if primary.is_empty() => plain(&self.diagnostic.message),
            _ => primary,
        };
        (message, None)
    }

    /// Whether only blanks stand before the part on its line, and something on the lines before.
    fn begins_line(&self) -> bool {
        let head = self.text.get(..self.at.start).unwrap_or_default();
        head.rsplit_once('\n').is_some_and(|(before, line)| line.trim().is_empty() && !before.trim().is_empty())
    }

    fn primary(&self) -> &str {
        self.diagnostic.labels.iter().find(|label| label.primary).map_or("", |label| label.message.as_str())
    }

    fn context(&self) -> Option<&str> {
        self.diagnostic.labels.iter().find(|label| !label.primary).map(|label| label.message.as_str())
    }

    /// What the part is, from the label that tells the type.
    fn resolves(&self) -> String {
        let label = self.diagnostic.labels.iter().find_map(|label| label.message.split_once("resolves to "));
        label.map_or_else(String::new, |(_, types)| format!("is {}", types_in(types)))
    }
}

fn is_operator(part: &str) -> bool {
    matches!(part, "+" | "-" | "*" | "/" | "&&" | "||" | "??" | "==" | "!=" | "<" | ">" | "<=" | ">=" | "|")
}

fn compare(part: &str) -> String {
    format!("compare it: `{part} == \"..\"`, or ask `!is_blank({part})`")
}

fn identifier(part: &str) -> &str {
    let end = part.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(part.len());
    part.get(..end).unwrap_or_default()
}

/// Whether the part is one call of `name` and nothing behind it.
fn is_call(part: &str, name: &str) -> bool {
    let rest = part.get(name.len()..).unwrap_or_default();
    let mut depth = 0_i32;
    for (at, letter) in rest.char_indices() {
        depth += match letter {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        if depth == 0 {
            return letter == ')' && at + 1 == rest.len();
        }
    }
    false
}

/// The compiler's list of types in words: `one of integer, float or null`.
fn types_in(types: &str) -> String {
    let types = types.trim_start_matches("one of ").trim_start_matches("the exact type ");
    let mut words: Vec<&str> = Vec::new();
    for name in types.split([',', ' ']).filter(|name| !name.is_empty() && *name != "or") {
        if let Some(word) = type_word(name).filter(|word| !words.contains(word)) {
            words.push(word);
        }
    }
    // A blank is the afterthought.
    words.sort_by_key(|word| *word == "a blank");
    words.join(" or ")
}

fn type_word(name: &str) -> Option<&'static str> {
    Some(match name {
        "string" => "text",
        "integer" | "float" => "a number",
        "boolean" => "yes/no",
        "timestamp" => "a date and time",
        "null" | "undefined" => "a blank",
        "any" => "of a kind that only the record tells",
        "object" => "a structured value",
        name if name.starts_with("array") => "a list",
        name if name.starts_with("object") || name.starts_with('{') => "a structured value",
        _ => return None,
    })
}

/// The compiler's words for types, replaced one by one.
fn plain(sentence: &str) -> String {
    let words = sentence.split(' ').map(|word| {
        let bare = word.trim_end_matches([',', '.', ';']);
        match bare {
            "string" | "integer" | "float" | "boolean" | "timestamp" | "null" => {
                type_word(bare).map_or_else(|| word.to_owned(), |plain| word.replacen(bare, plain, 1))
            }
            _ => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ").replace("can't", "cannot").replace("this expression resolves to", "this is")
}
