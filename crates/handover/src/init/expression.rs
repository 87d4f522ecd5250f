//! The texts of expressions: their terms, and how they tell deals that are won and lost.

use handover_model::Kind;

use super::lexicon::Funnel;
use super::options::Stages;
use super::template::How;
use super::write;

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
pub(super) fn is_term(text: &str) -> bool {
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
pub(super) fn without_nothing(expr: &str) -> String {
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
