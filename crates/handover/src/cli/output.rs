//! The one place that prints: data to standard output, everything else to standard error.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use super::progress::Telling;
use super::{Done, Global};
use crate::problem::{self, Exit, Problem};

/// Prints a line to standard error.
pub(crate) fn remark(text: &str) {
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}

/// How this process talks.
pub struct Output {
    json: bool,
    colour: bool,
    telling: Telling,
}

impl Output {
    pub(crate) fn of(global: &Global) -> Self {
        let plain = global.no_color || std::env::var_os("NO_COLOR").is_some();
        Self {
            json: global.json,
            colour: !plain && std::io::stderr().is_terminal(),
            telling: match (global.quiet, std::io::stderr().is_terminal()) {
                (true, _) => Telling::Nothing,
                (false, true) => Telling::Bar,
                (false, false) => Telling::Lines,
            },
        }
    }

    /// Whether the result is wanted as JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// How progress is told.
    pub(crate) fn telling(&self) -> Telling {
        self.telling
    }

    /// Prints text to standard output, unless JSON is wanted.
    pub(crate) fn say(&self, text: &str) {
        if !self.json {
            self.text(text);
        }
    }

    /// Prints text to standard output. A reader that went away is no failure.
    pub(crate) fn text(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        drop(out.write_all(text.as_bytes()));
        if !text.ends_with('\n') {
            drop(out.write_all(b"\n"));
        }
        drop(out.flush());
    }

    /// Prints the command's one JSON value.
    pub(crate) fn value(&self, value: &serde_json::Value) {
        if self.json {
            self.text(&serde_json::to_string_pretty(value).unwrap_or_default());
        }
    }

    /// Prints one of several JSON values, on a line of its own.
    pub(crate) fn line(&self, value: &serde_json::Value) {
        if self.json {
            self.text(&value.to_string());
        }
    }

    /// Prints a message to standard error.
    pub(crate) fn note(&self, text: &str) {
        remark(text);
    }

    /// Prints problems that do not end the command.
    pub(crate) fn warn(&self, problems: &[Problem]) {
        if !problems.is_empty() && !self.json {
            self.note(problem::render(problems, self.colour).trim_end());
        }
    }

    /// Ends the process: problems to standard error (and as JSON to standard output), the exit code.
    pub(crate) fn finish(&self, done: Done) -> ExitCode {
        let exit = match done {
            Ok(exit) => exit,
            Err(problems) => {
                self.value(&problem::to_json(&problems));
                self.note(problem::render(&problems, self.colour).trim_end());
                problem::exit(&problems)
            }
        };
        ExitCode::from(exit.code())
    }
}

/// A table of text: the first column to the left, numbers to the right.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    use comfy_table::{CellAlignment, ContentArrangement, Table};
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(head.to_vec());
    for row in rows {
        table.add_row(row.clone());
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        let numbers = !rows.is_empty()
            && rows.iter().all(|row| {
                row.get(at).is_some_and(|cell| cell.chars().all(|c| c.is_ascii_digit() || c == ',' || c == '-'))
            });
        if at > 0 && numbers {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// A number with commas.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Milliseconds as people say them.
pub(crate) fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0 => format!("{ms} ms"),
        1..=59 => format!("{}.{} s", seconds, (ms % 1000) / 100),
        60..=3599 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..=86_399 => format!("{} h {} min", seconds / 3600, (seconds % 3600) / 60),
        _ => format!("{} {} h", plural(seconds / 86_400, "day"), (seconds % 86_400) / 3600),
    }
}

/// `1 record`, `2 records`.
pub(crate) fn plural(number: u64, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{} {word}s", count(number)) }
}

/// The exit code for a migration with this many open holds.
pub(crate) fn held_exit(held: u64) -> Exit {
    if held > 0 { Exit::Held } else { Exit::Done }
}
