//! Translation tables: `translations/NAME.csv` with the columns `from`, `to` and whatever else people
//! keep there.
//!
//! Business users open them in spreadsheets, so what spreadsheets write is read: a byte order mark,
//! CRLF, Windows-1252, semicolons or tabs for commas. A row whose `to` is blank is not decided yet: it
//! counts as no row.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use handover_model::{Table, TableRow};

use super::durable;
use super::node::Mark;
use super::reader::{File, Reading, did_you_mean};
use crate::problem::Problem;

/// Reads all tables of a project.
pub(super) fn load(reading: &mut Reading, root: &Path) -> BTreeMap<String, Table> {
    let mut tables = BTreeMap::new();
    let Ok(folder) = std::fs::read_dir(root.join("translations")) else { return tables };
    let mut names: Vec<_> = folder
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".csv").map(str::to_owned))
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort_unstable();
    for name in names {
        let path = format!("translations/{name}.csv");
        let Some(bytes) = reading.bytes(root, &path) else { continue };
        let file = File(path.as_str().into());
        if let Some(rows) = rows(reading, &file, &bytes) {
            let place = file.place(Mark { line: 0, column: 0, width: 0 });
            tables.insert(name.clone(), Table { name, rows, place });
        }
    }
    tables
}

/// Appends a row to `translations/TABLE.csv` under `root`, durably and without touching other lines:
/// what answers a hold. The file is made if it does not exist. A row that says the same already is
/// enough.
///
/// # Errors
/// When the table cannot be read or written, or translates `from` to something else.
pub fn append_row(root: &Path, table: &str, from: &str, to: &str, comment: &str) -> Result<(), Problem> {
    let path = format!("translations/{table}.csv");
    let mut reading = Reading::default();
    let bytes = reading.bytes(root, &path);
    let file = File(path.as_str().into());
    let state = "the table is as it was";
    let rows = bytes.as_deref().and_then(|bytes| rows(&mut reading, &file, bytes)).unwrap_or_default();
    if let Some(problem) = reading.problems.pop() {
        return Err(problem.state(state));
    }
    match rows.get(from) {
        Some(row) if row.to == to => return Ok(()),
        Some(row) => {
            let problem = Problem::new("translated_otherwise", format!("{path} translates this value already"))
                .at(&row.place, 0, &reading.sources)
                .state(state)
                .hint("change the row in the file, or answer with what it says");
            return Err(problem);
        }
        None => {}
    }
    let bytes = with_row(bytes.as_deref().unwrap_or(b"from,to,comment\n"), from, to, comment);
    durable::replace(&root.join(&path), &bytes)
        .map_err(|error| Problem::new("unwritable", format!("cannot write {path}")).because(&error).state(state))
}

fn rows(reading: &mut Reading, file: &File, bytes: &[u8]) -> Option<BTreeMap<String, TableRow>> {
    // Of lines that end in two characters the reader counts the second one to the next line.
    let text = decoded(bytes).0.replace("\r\n", "\n");
    reading.sources.add(&file.0, &text);
    let delimiter = delimiter(&text);
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).delimiter(delimiter).has_headers(false).from_reader(text.as_bytes());
    let mut records = reader.records();
    let whole = |line: u32| Mark { line, column: 1, width: 0 };
    let header = match records.next() {
        Some(Ok(header)) => header,
        _ => {
            reading.complain(file, whole(1), "no_header", "the table is empty: its first line must be `from,to`");
            return None;
        }
    };
    let column = |name: &str| header.iter().position(|cell| cell.trim().eq_ignore_ascii_case(name));
    let (Some(from), Some(to)) = (column("from"), column("to")) else {
        let missing = if column("from").is_none() { "from" } else { "to" };
        let message = format!("the table has no column `{missing}`");
        let mut problem = reading.problem(file, whole(1), "missing_column", message);
        problem.notes.extend(did_you_mean(missing, header.iter()).map(|_| "the header must say `from,to`".to_owned()));
        reading.problems.push(problem);
        return None;
    };
    let width = header.len();
    let mut rows: BTreeMap<String, TableRow> = BTreeMap::new();
    for record in records {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                reading.problems.push(Problem::new("table", format!("cannot read {}", file.0)).because(&error));
                return None;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        let mark = whole(u32::try_from(line).unwrap_or(u32::MAX));
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if record.len() != width {
            let message = format!("the row has {} cells where the header has {width}", record.len());
            let problem = reading
                .problem(file, mark, "ragged_row", message)
                .note("a cell that contains the delimiter must stand in double quotes");
            reading.problems.push(problem);
            continue;
        }
        if let Some(message) = record.iter().find_map(no_value) {
            reading.complain(file, mark, "wrong_cell", message);
            continue;
        }
        let cell = |at: usize| record.get(at).unwrap_or_default().trim();
        let (key, value) = (cell(from), cell(to));
        if key.is_empty() {
            reading.complain(file, mark, "blank_from", "the row has no `from`");
        } else if value.is_empty() {
            // Not decided yet.
        } else if let Some(first) = rows.get(key) {
            let note = format!("first given in line {}", first.place.line);
            let message = format!("`{key}` is translated twice");
            let problem = reading.problem(file, mark, "duplicate_row", message).note(note);
            reading.problems.push(problem);
        } else {
            rows.insert(key.to_owned(), TableRow { to: value.to_owned(), place: file.place(mark) });
        }
    }
    Some(rows)
}

/// Why a cell is nothing that people translate.
fn no_value(cell: &str) -> Option<&'static str> {
    if cell.contains('\0') {
        Some("a cell has a NUL byte, which no text has: export the file anew")
    } else if cell.len() > 64 * 1024 {
        Some("a cell is larger than 64 kB: is a closing double quote missing?")
    } else {
        None
    }
}

/// The text, and the encoding to append in. What is neither marked nor UTF-8 is read as Windows-1252,
/// which every byte is.
fn decoded(bytes: &[u8]) -> (Cow<'_, str>, &'static Encoding) {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let (text, _) = encoding.decode_without_bom_handling(bytes.get(mark..).unwrap_or_default());
        return (text, encoding);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => (Cow::Borrowed(text), UTF_8),
        Err(_) => (WINDOWS_1252.decode_without_bom_handling(bytes).0, WINDOWS_1252),
    }
}

/// What stands between the cells of the header.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    *b",;\t".iter().max_by_key(|byte| header.bytes().filter(|have| have == *byte).count()).unwrap_or(&b',')
}

fn with_row(bytes: &[u8], from: &str, to: &str, comment: &str) -> Vec<u8> {
    let (text, encoding) = decoded(bytes);
    let line_end = if text.lines().next().is_some_and(|_| text.split('\n').next().is_some_and(|l| l.ends_with('\r'))) {
        "\r\n"
    } else {
        "\n"
    };
    let row = row_text(&text, from, to, comment);
    let mut added = String::new();
    if !text.is_empty() && !text.ends_with('\n') {
        added.push_str(line_end);
    }
    added.push_str(&row);
    added.push_str(line_end);
    let in_place = (encoding == UTF_8 || encoding == WINDOWS_1252).then(|| encoding.encode(&added));
    match in_place {
        Some((encoded, _, false)) => [bytes, &encoded].concat(),
        // UTF-16, or a character that Windows-1252 lacks: the same lines as UTF-8, marked, so that
        // spreadsheets go on reading them.
        _ => [b"\xef\xbb\xbf", text.as_bytes(), added.as_bytes()].concat(),
    }
}

/// The row in the order of the header's columns.
fn row_text(text: &str, from: &str, to: &str, comment: &str) -> String {
    let delimiter = delimiter(text);
    let header = csv::ReaderBuilder::new()
        .flexible(true)
        .delimiter(delimiter)
        .has_headers(false)
        .from_reader(text.as_bytes())
        .records()
        .next()
        .and_then(Result::ok)
        .unwrap_or_default();
    let cells = header.iter().map(|name| match name.trim().to_ascii_lowercase().as_str() {
        "from" => from,
        "to" => to,
        "comment" => comment,
        _ => "",
    });
    let between = char::from(delimiter).to_string();
    cells.map(|cell| quoted(cell, delimiter)).collect::<Vec<_>>().join(&between)
}

/// A cell as it stands in a row.
pub(crate) fn quoted(cell: &str, delimiter: u8) -> Cow<'_, str> {
    let plain = !cell.contains(['"', '\n', '\r', char::from(delimiter)]) && cell.trim() == cell;
    if plain { Cow::Borrowed(cell) } else { Cow::Owned(format!("\"{}\"", cell.replace('"', "\"\""))) }
}
