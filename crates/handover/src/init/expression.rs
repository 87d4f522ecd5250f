//! The texts of expressions: their terms, and how they tell deals that are won and lost.

use handover_model::{Field, Kind};

use super::compose::{Sides, Told};
use super::lexicon::{Funnel, Tell, Way};
use super::options::Stages;
use super::template::How;
use super::write;

/// What stands in expressions for the main currency of the other account.
const CURRENCY: &str = "CURRENCY";
/// The code of none, which no platform takes.
const NO_CURRENCY: &str = "XXX";

impl<'s> Sides<'s> {
    /// An expression with its terms told, and the fields that it reads. What is told by an expression gets a name.
    pub(super) fn fill(&self, template: &str, target: &Field) -> (Vec<&'s str>, String) {
        let mut from: Vec<&'s str> = Vec::new();
        let mut named: Vec<String> = Vec::new();
        let mut out = String::new();
        let mut rest = template;
        while let Some((before, behind)) = rest.split_once('{') {
            out.push_str(before);
            let Some((term, after)) = behind.split_once('}').filter(|(term, _)| is_term(term)) else {
                out.push('{');
                rest = behind;
                continue;
            };
            rest = after;
            let Some(Told { from: fields, way }) = self.tell(term) else {
                out.push_str("null");
                continue;
            };
            match way {
                // Alone it stays as it is, where its markup is the target's.
                Way::Expr(expr)
                    if out.is_empty() && rest.is_empty() && self.marked(String::new(), &fields, target).is_empty() =>
                {
                    out.push_str(expr);
                }
                Way::Expr(expr) => {
                    let (first, last) = expr.rsplit_once('\n').map_or(("", expr), |(first, last)| (first, last));
                    for line in first.lines().map(str::to_owned).chain([format!("{term} = {last}")]) {
                        if !named.contains(&line) {
                            named.push(line);
                        }
                    }
                    out.push_str(&self.marked(term.to_owned(), &fields, target));
                }
                way => out.push_str(&self.marked(self.said(way, &fields), &fields, target)),
            }
            fields.into_iter().for_each(|name| {
                if !from.contains(&name) {
                    from.push(name);
                }
            });
        }
        out.push_str(rest);
        named.push(without_nothing(&out));
        (from, named.join("\n").replace(CURRENCY, &self.currency()))
    }

    /// The main currency of the account that keeps one price where the other one keeps one for each currency; where it
    /// does not tell its own, that of the other one, as for what deals are worth.
    fn currency(&self) -> String {
        let is_of_many = |tell: &Tell| matches!(tell.way, Way::Expr(expr) if expr.contains(CURRENCY));
        let (from, to) = (self.from.0, self.to.0);
        let both = if self.from.1.tells.iter().any(is_of_many) { [to, from] } else { [from, to] };
        let code = both.iter().find_map(|one| one.account.currencies.first()).map_or(NO_CURRENCY, String::as_str);
        code.chars().filter(char::is_ascii_alphanumeric).collect()
    }

    /// A term as an expression.
    fn said(&self, way: Way, fields: &[&str]) -> String {
        match (way, fields) {
            (Way::Step(step), [one, ..]) => format!("{step}({})", self.path(one)),
            (_, [one]) => self.path(one),
            (_, several) => {
                format!("coalesce([{}])", several.iter().map(|name| self.path(name)).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// A source field as an expression names it: in one piece where a part of its name is a field of its own.
    pub(super) fn path(&self, name: &str) -> String {
        let mut heads = name.match_indices('.').filter_map(|(at, _)| name.get(..at));
        if heads.any(|head| self.from.2.field(head).is_some()) { format!(".{name:?}") } else { write::path(name) }
    }

    /// A text in the markup of the target.
    fn marked(&self, text: String, fields: &[&str], target: &Field) -> String {
        let markup = |name: &&str| match self.from.2.field(name).map(|field| &field.kind) {
            Some(Kind::Text { html, .. }) => Some(*html),
            _ => None,
        };
        let all: Vec<bool> = fields.iter().filter_map(markup).collect();
        match (&target.kind, &*all) {
            (_, []) => text,
            (Kind::Text { html: true, .. }, all) if !all.contains(&true) => format!("html({text})"),
            (Kind::Text { html: false, .. }, all) if all.contains(&true) => format!("text({text})"),
            _ => text,
        }
    }
}

/// An expression over one field of which no total of both sides can agree says so: a number that is made of a number
/// is the same in another unit, and a choice that is made of a choice is blank where the other side has no word for it.
pub(super) fn uncounted(how: How, source: Option<&Kind>, target: &Kind) -> How {
    match (how, source, target) {
        (How::Expr(expr), Some(Kind::Number), Kind::Number) => {
            How::Keyed(expr, "recalculated: both systems count in units of their own".to_owned())
        }
        (How::Expr(expr), Some(Kind::Choice { .. }), Kind::Choice { .. }) if expr.contains("null") => {
            How::Keyed(expr, "recalculated: not every value has one in the other system".to_owned())
        }
        (how, ..) => how,
    }
}

/// Whether a text is the name of a term.
fn is_term(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit())
}

/// The terms of an expression.
pub(super) fn terms_of(template: &str) -> Vec<&str> {
    template
        .split('{')
        .skip(1)
        .filter_map(|part| part.split_once('}').map(|(term, _)| term))
        .filter(|term| is_term(term))
        .collect()
}

/// Lists without the terms that nobody tells, and lists of one as that one.
fn without_nothing(expr: &str) -> String {
    let mut out = expr.replace("[null, ", "[");
    while out.contains(", null, ") || out.contains("[null, ") {
        out = out.replace(", null, ", ", ").replace("[null, ", "[");
    }
    out.replace(", null]", "]")
}

/// Whether a deal is won or lost, and the field that says it.
pub(super) fn condition(
    stages: &Stages<'_>,
    funnel: Funnel,
    place: usize,
    word: &str,
) -> Option<(&'static str, String)> {
    match funnel.status {
        Some((field, values)) => Some((field, format!("{} == {:?}", write::path(field), values.get(place)?))),
        None => {
            let all: Vec<String> = stages
                .endings(word)
                .map(|stage| format!("{} == {:?}", write::path(funnel.stage), stage.value))
                .collect();
            (!all.is_empty()).then(|| (funnel.stage, all.join(" || ")))
        }
    }
}

/// The stage of open deals, `PIPELINE:won` and `PIPELINE:lost` for the others; without pipelines the words alone.
pub(super) fn ended(
    stage: &'static str,
    status: &'static str,
    pipeline: Option<&'static str>,
    won: &str,
    lost: &str,
) -> (Vec<&'static str>, String) {
    let word = |word: &str| match pipeline {
        Some(pipeline) => format!("concat([{}, \"{word}\"], \":\")", write::path(pipeline)),
        None => format!("\"{word}\""),
    };
    let (state, fields) = (write::path(status), [Some(stage), Some(status), pipeline]);
    let expr = format!(
        "if {state} == {won:?} {{ {} }}\nelse if {state} == {lost:?} {{ {} }}\nelse {{ {} }}",
        word("won"),
        word("lost"),
        write::path(stage)
    );
    (fields.into_iter().flatten().collect(), expr)
}
