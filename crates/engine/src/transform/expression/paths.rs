//! The fields that an expression names, found in its text: so that a misspelt field is named at its place,
//! whatever else is wrong with the expression.

use std::ops::Range;

/// A path such as `.address.locality`, with where it stands (bytes).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedPath {
    pub(crate) segments: Vec<String>,
    pub(crate) at: Range<usize>,
}

/// The paths in an expression, in order. Text literals, comments and paths behind a value (`foo().bar`)
/// are not the record's fields.
pub(crate) fn paths_in(expression: &str) -> Vec<NamedPath> {
    let mut paths = every_path(expression);
    paths.retain(|path| !path.segments.is_empty());
    paths
}

/// Whether an expression speaks of the record as a whole: a `.` alone.
pub(crate) fn names_the_record(expression: &str) -> bool {
    every_path(expression).iter().any(|path| path.segments.is_empty())
}

/// The paths, that of the whole record among them.
fn every_path(expression: &str) -> Vec<NamedPath> {
    let mut scan = Scan { text: expression, at: 0 };
    let mut out = Vec::new();
    let mut before = None;
    while let Some(letter) = scan.peek() {
        match letter {
            '#' => scan.skip_while(|letter| letter != '\n'),
            '"' => drop(scan.quoted('"')),
            '\'' => drop(scan.quoted('\'')),
            '.' if !before.is_some_and(continues) => {
                let start = scan.at;
                let segments = scan.path();
                out.push(NamedPath { segments, at: start..scan.at });
                before = Some('x');
                continue;
            }
            _ => scan.skip(letter),
        }
        before = Some(letter);
    }
    out
}

/// Whether a `.` behind this letter goes on with a value or number.
fn continues(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | ')' | ']' | '}' | '"' | '%' | '@')
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn skip(&mut self, letter: char) {
        self.at += letter.len_utf8();
    }

    fn skip_while(&mut self, mut goes: impl FnMut(char) -> bool) {
        while let Some(letter) = self.peek().filter(|letter| goes(*letter)) {
            self.skip(letter);
        }
    }

    /// A quoted text with its escapes; the opening quote is next.
    fn quoted(&mut self, quote: char) -> String {
        let mut out = String::new();
        self.skip(quote);
        while let Some(letter) = self.peek() {
            self.skip(letter);
            match letter {
                '\\' => {
                    if let Some(escaped) = self.peek() {
                        self.skip(escaped);
                        out.push(escaped);
                    }
                }
                _ if letter == quote => break,
                _ => out.push(letter),
            }
        }
        out
    }

    /// A path; the first `.` is next.
    fn path(&mut self) -> Vec<String> {
        let mut segments = Vec::new();
        while self.peek() == Some('.') {
            let dot = self.at;
            self.skip('.');
            let segment = match self.peek() {
                Some('"') => self.quoted('"'),
                _ => {
                    let start = self.at;
                    self.skip_while(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '@'));
                    self.text.get(start..self.at).unwrap_or_default().to_owned()
                }
            };
            if segment.is_empty() {
                self.at = if segments.is_empty() { self.at } else { dot };
                break;
            }
            segments.push(segment);
            // What stands behind an index belongs to an entry, not to the record.
            if self.peek() == Some('[') {
                self.skip_while(|letter| letter != ']');
                break;
            }
        }
        segments
    }
}
