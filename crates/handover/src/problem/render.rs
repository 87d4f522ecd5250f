//! Problems for the terminal. Meaning survives without colour.

use std::collections::BTreeSet;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use handover_model::Weight;

use super::{Excerpt, Problem};

/// How parts are coloured.
pub(super) struct Paint {
    renderer: Renderer,
    colour: bool,
}

impl Paint {
    pub(super) fn new(colour: bool) -> Self {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        Self { renderer: renderer.decor_style(DecorStyle::Ascii).term_width(120), colour }
    }

    fn strong<'t>(&self, word: &'t str) -> std::borrow::Cow<'t, str> {
        if self.colour { format!("\u{1b}[1m{word}\u{1b}[0m").into() } else { word.into() }
    }
}

/// One problem without its hints.
pub(super) fn block(text: &mut String, problem: &Problem, paint: &Paint, with_state: bool) {
    let level = match problem.weight {
        Weight::Error => Level::ERROR,
        Weight::Warning => Level::WARNING,
        Weight::Note => Level::NOTE,
    };
    let message = clean(&problem.message);
    let notes: Vec<_> = problem.notes.iter().map(|note| clean(note)).collect();
    let line = problem.excerpt.as_ref().and_then(|excerpt| excerpt.text.as_deref()).map(clean_line);
    let file = problem.excerpt.as_ref().map(|excerpt| clean(&excerpt.place.file));
    let mut group = Group::with_title(level.primary_title(message).id(problem.code.as_str()));
    if let (Some(excerpt), Some(file)) = (&problem.excerpt, &file) {
        let place = &excerpt.place;
        group = match &line {
            Some(line) => group.element(
                Snippet::source(line.as_str())
                    .path(file.as_str())
                    .line_start(place.line as usize)
                    .annotation(AnnotationKind::Primary.span(span(excerpt, line))),
            ),
            None => {
                let origin = Origin::path(file.as_str());
                group.element(match (place.line, place.column) {
                    (0, _) => origin,
                    (line, 0) => origin.line(line as usize),
                    (line, column) => origin.line(line as usize).char_column(column as usize),
                })
            }
        };
    }
    for note in &notes {
        group = group.element(Level::NOTE.no_name().message(note.as_str()));
    }
    text.push_str(&paint.renderer.render(&[group]));
    text.push('\n');
    for cause in &problem.causes {
        text.push_str(&format!("  {}: {}\n", paint.strong("caused by"), indented(&clean(cause))));
    }
    if with_state && let Some(words) = &problem.state {
        state(text, words, paint);
    }
}

/// What is true now.
pub(super) fn state(text: &mut String, words: &str, paint: &Paint) {
    text.push_str(&format!("  {}: {}\n", paint.strong("state"), indented(&clean(words))));
}

/// The hints of all problems, each once.
pub(super) fn hints(text: &mut String, problems: &[&Problem], paint: &Paint) {
    let mut seen = BTreeSet::new();
    for hint in problems.iter().flat_map(|problem| &problem.hints) {
        if seen.insert(hint) {
            text.push_str(&format!("{}: {}\n", paint.strong("hint"), indented(&clean(hint))));
        }
    }
}

/// The marked bytes of the line. Columns count characters; a column behind the end marks the end.
fn span(excerpt: &Excerpt, line: &str) -> std::ops::Range<usize> {
    let byte = |column: usize| line.char_indices().nth(column).map_or(line.len(), |(at, _)| at);
    let begin = (excerpt.place.column.max(1) - 1) as usize;
    let start = byte(begin);
    let whole = line.trim_end().len().max(start);
    let end = match excerpt.width {
        0 => whole,
        width => byte(begin + width as usize),
    };
    start..end.max(start)
}

/// Text from outside must not move the cursor of the terminal it is shown on.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

/// A line of a file, character for character, so that columns stay true.
fn clean_line(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c == '\t' {
                ' '
            } else if c.is_control() {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

fn indented(text: &str) -> String {
    text.replace('\n', "\n    ")
}
