//! The zipped CSV of a job's result, read out of memory: one file, unpacked only as far as rows are asked for.
//!
//! What is refused says why, without what stands in it. Sizes that the archive tells are not believed: whatever it is, no
//! more of it is in memory than one part's rows.

use std::collections::HashMap;
use std::io::{Cursor, Read, copy, sink};

use csv::{ReaderBuilder, StringRecord};
use zip::ZipArchive;
use zip::read::ZipFile;

/// How large the file may be, unpacked: far more than the largest result has that is asked for.
const LARGEST: u64 = 1 << 30;
/// What a part has at most, in bytes of the file, but for its last row.
const PART: u64 = 8 << 20;
/// How large one row may be: some two hundred fields of 32,000 characters each.
const ROW: u64 = 16 << 20;

/// A row, or the first one with the names of the columns.
pub(super) struct Line<'l> {
    columns: &'l HashMap<String, usize>,
    cells: &'l StringRecord,
}

impl Line<'_> {
    /// The text in a column; `None` where there is no such column. The record's own id is called `Id` or `id` (sheet: Zoho
    /// section 4; vendor's page on results).
    pub(super) fn cell(&self, column: &str) -> Option<&str> {
        let at = self.columns.get(column).or_else(|| self.columns.get("Id").filter(|_| column == "id"));
        at.and_then(|at| self.cells.get(*at))
    }
}

/// What came of reading a part.
pub(super) struct Part {
    /// Its rows.
    pub(super) rows: u64,
    /// The byte of the file at which the next row begins; `None` at the end.
    pub(super) rest: Option<u64>,
}

/// Reads at most so many rows from a byte on, at 0 from the first row on.
///
/// # Errors
/// In words, when the archive is none, is too large or broken, and what `row` says.
pub(super) fn read(
    archive: &[u8],
    from: u64,
    most: u64,
    mut row: impl FnMut(&Line<'_>) -> Result<(), String>,
) -> Result<Part, String> {
    let mut archive = ZipArchive::new(Cursor::new(archive)).map_err(|_| "the result is no archive")?;
    if archive.len() != 1 {
        return Err("the result is no archive of one file".to_owned());
    }
    let (columns, begin) = columns(file(&mut archive)?)?;
    let from = from.max(begin);
    let mut file = file(&mut archive)?;
    let skipped = copy(&mut file.by_ref().take(from), &mut sink()).map_err(|_| BROKEN)?;
    if skipped != from {
        return Err(BROKEN.to_owned());
    }
    let mut lines = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file.take(PART + ROW));
    let mut cells = StringRecord::new();
    let mut rows = 0;
    loop {
        let is_row = lines.read_record(&mut cells).map_err(odd)?;
        if lines.get_ref().limit() == 0 {
            return Err("a row of the result is larger than a record can be".to_owned());
        }
        if !is_row {
            return Ok(Part { rows, rest: None });
        }
        if cells.len() != columns.len() {
            return Err("a row of the result has another number of cells than there are columns".to_owned());
        }
        row(&Line { columns: &columns, cells: &cells })?;
        rows += 1;
        let read = lines.position().byte();
        if rows >= most || read >= PART {
            return Ok(Part { rows, rest: Some(from + read) });
        }
        if from + read > LARGEST {
            return Err(LARGE.to_owned());
        }
    }
}

const BROKEN: &str = "the result cannot be unpacked";
const LARGE: &str = "the result is larger than what was asked for can be";

/// The only file of an archive, from its beginning.
fn file<'a, 'b>(archive: &'a mut ZipArchive<Cursor<&'b [u8]>>) -> Result<ZipFile<'a, Cursor<&'b [u8]>>, String> {
    let file = archive.by_index(0).map_err(|_| BROKEN)?;
    if file.size() > LARGEST { Err(LARGE.to_owned()) } else { Ok(file) }
}

/// The columns with their places, and the byte at which the first row begins.
fn columns(file: impl Read) -> Result<(HashMap<String, usize>, u64), String> {
    let mut lines = ReaderBuilder::new().from_reader(file.take(ROW));
    let names = lines.headers().map_err(odd)?;
    let columns = names.iter().enumerate().map(|(at, name)| (name.to_owned(), at)).collect::<HashMap<_, _>>();
    if columns.len() != names.len() {
        return Err("two columns of the result have one name".to_owned());
    }
    Ok((columns, lines.position().byte()))
}

fn odd(error: csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Io(_) => BROKEN.to_owned(),
        _ => format!("the result is no CSV: {:?}", error.position()),
    }
}
