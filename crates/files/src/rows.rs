//! Rows of a file, one after the other.

use std::path::Path;

use csv::StringRecord;
use encoding_rs::Encoding;

use crate::Error;
use crate::decode::{Complaint, Utf8};

/// The largest cell, in bytes of UTF-8.
const CELL_MAX: usize = 10 * 1024 * 1024;
/// The largest record: beyond it surely a closing quote is missing.
const RECORD_MAX: u64 = 32 * 1024 * 1024;

/// A row with the line on which it begins.
pub(crate) struct Row {
    pub(crate) cells: StringRecord,
    pub(crate) line: u64,
}

/// A file being read.
pub(crate) struct Rows {
    reader: csv::Reader<Utf8>,
    file: String,
    header: Vec<String>,
    record: StringRecord,
}

impl Rows {
    /// Opens a file and reads its header.
    pub(crate) fn open(path: &Path, encoding: &'static Encoding, delimiter: u8) -> Result<Self, Error> {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let reader = csv::ReaderBuilder::new()
            .flexible(true)
            .has_headers(false)
            .delimiter(delimiter)
            .from_reader(Utf8::open(path, encoding)?);
        let mut rows = Self { reader, file, header: Vec::new(), record: StringRecord::new() };
        if let Some(row) = rows.next_row()? {
            rows.header = row.cells.iter().map(|name| name.trim().to_owned()).collect();
        }
        rows.check_header()?;
        Ok(rows)
    }

    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// The next row. Its number of cells is the caller's matter.
    pub(crate) fn next_row(&mut self) -> Result<Option<Row>, Error> {
        let begins = self.reader.position().line();
        self.reader.get_mut().allow(RECORD_MAX);
        match self.reader.read_record(&mut self.record) {
            Ok(false) => Ok(None),
            Ok(true) => {
                let line = self.record.position().map_or(begins, csv::Position::line);
                if let Some(at) = self.record.iter().position(|cell| cell.len() > CELL_MAX) {
                    let column = self.header.get(at).map_or_else(|| (at + 1).to_string(), |name| format!("`{name}`"));
                    let what = format!("the cell in column {column} is larger than {} MB", CELL_MAX >> 20);
                    return Err(self.line(line, what));
                }
                Ok(Some(Row { cells: self.record.clone(), line }))
            }
            Err(error) => Err(self.failed(error, begins)),
        }
    }

    fn failed(&self, error: csv::Error, begins: u64) -> Error {
        match error.into_kind() {
            csv::ErrorKind::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<Complaint>()) {
                Some(complaint @ (Complaint::Nul { line } | Complaint::Encoding { line, .. })) => {
                    self.line(*line, complaint.to_string())
                }
                Some(Complaint::TooLarge) => {
                    let what = format!(
                        "the record that begins here is larger than {} MB: is a closing double quote missing?",
                        RECORD_MAX >> 20
                    );
                    self.line(begins, what)
                }
                None => Error::Io { doing: "read", path: self.file.as_str().into(), source: error },
            },
            // The stream is UTF-8 already and lengths may differ, so nothing else can come.
            _ => self.line(begins, "the record cannot be read".to_owned()),
        }
    }

    pub(crate) fn line(&self, line: u64, what: String) -> Error {
        Error::Line { file: self.file.clone(), line, what }
    }

    fn check_header(&self) -> Result<(), Error> {
        let complain = |what: String| Err(Error::Line { file: self.file.clone(), line: 1, what });
        if self.header.is_empty() {
            return Err(Error::File {
                file: self.file.clone(),
                what: "the file is empty: it needs a header line".to_owned(),
            });
        }
        for (at, name) in self.header.iter().enumerate() {
            if name.is_empty() {
                return complain(format!("column {} has no name", at + 1));
            }
            if let Some(first) = self.header.iter().take(at).position(|have| have == name) {
                return complain(format!("the columns {} and {} have the same name `{name}`", first + 1, at + 1));
            }
        }
        Ok(())
    }
}

/// The delimiter, and why: the one that cuts the first rows into most cells of equal number.
pub(crate) fn sniff(path: &Path, encoding: &'static Encoding) -> Result<(u8, String), Error> {
    use std::io::Read as _;
    let mut sample = Vec::new();
    let stream = Utf8::open(path, encoding)?;
    // What is wrong with the text is said with its line when the rows are read.
    drop(stream.take(64 * 1024).read_to_end(&mut sample));
    let mut best = (b',', 1_usize, 0_usize);
    for delimiter in *b",;\t|" {
        let (width, rows) = cut(&sample, delimiter);
        if width > 1 && (rows, width) > (best.2, best.1) {
            best = (delimiter, width, rows);
        }
    }
    let why = match best.1 {
        1 => "there is one column".to_owned(),
        width => format!("it cuts the first {} rows into {width} cells each", best.2),
    };
    Ok((best.0, why))
}

/// How many cells the header has, and how many rows from the first on have as many.
fn cut(sample: &[u8], delimiter: u8) -> (usize, usize) {
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).has_headers(false).delimiter(delimiter).from_reader(sample);
    let mut width = None;
    let mut rows = 0;
    // The sample ends in the middle of a row.
    for record in reader.byte_records().take(50).map_while(Result::ok) {
        if *width.get_or_insert(record.len()) != record.len() {
            break;
        }
        rows += 1;
    }
    (width.unwrap_or(1), rows)
}
