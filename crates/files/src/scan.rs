//! One pass over a whole file: what it is, before a row of it is given out.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use encoding_rs::Encoding;
use handover_model::{FieldName, ObjectName};

use crate::error::Lines;
use crate::infer::{Column, Inferred};
use crate::rows::{Rows, sniff};
use crate::{Error, Form, ObjectSettings, Settings};

/// What is known about a file.
#[derive(Clone, Debug)]
pub(crate) struct Scanned {
    pub(crate) object: ObjectName,
    pub(crate) path: PathBuf,
    pub(crate) encoding: &'static Encoding,
    pub(crate) delimiter: u8,
    pub(crate) header: Vec<FieldName>,
    pub(crate) forms: Vec<Form>,
    /// The place of the column with the rows' ids.
    pub(crate) id: Option<usize>,
    pub(crate) rows: u64,
    pub(crate) inferred: Vec<Inferred>,
    pub(crate) stamp: Stamp,
}

/// Tells whether a file is still the one that was scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    pub(crate) fn of(path: &Path) -> Result<Self, Error> {
        let metadata = std::fs::metadata(path).map_err(Error::io("read", path))?;
        Ok(Self { bytes: metadata.len(), modified: metadata.modified().ok() })
    }
}

impl Scanned {
    /// The file's name, for messages.
    pub(crate) fn file(&self) -> String {
        format!("{}.csv", self.object)
    }

    /// The place of a column.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|have| *have == *name)
    }

    pub(crate) fn open(&self) -> Result<Rows, Error> {
        Rows::open(&self.path, self.encoding, self.delimiter)
    }
}

/// Reads a whole file once.
pub(crate) fn scan(settings: &Settings, object: &ObjectName) -> Result<Scanned, Error> {
    let path = settings.folder.join(format!("{object}.csv"));
    if !path.is_file() {
        return Err(Error::NoObject(object.to_string()));
    }
    let stamp = Stamp::of(&path)?;
    let own = settings.objects.get(object).cloned().unwrap_or_default();
    let (encoding, encoding_why) = match settings.encoding.as_deref() {
        Some(label) => {
            let known = Encoding::for_label(label.as_bytes()).ok_or_else(|| Error::File {
                file: format!("{object}.csv"),
                what: format!("`{label}` is not an encoding"),
            })?;
            (known, "configured".to_owned())
        }
        None => crate::decode::detect(&path)?,
    };
    let (delimiter, delimiter_why) = match settings.delimiter {
        Some(delimiter) => (delimiter, "configured".to_owned()),
        None => sniff(&path, encoding)?,
    };
    let mut rows = Rows::open(&path, encoding, delimiter)?;
    let header: Vec<FieldName> = rows.header().iter().map(|name| FieldName::new(name.as_str())).collect();
    let mut scanned = Scanned {
        object: object.clone(),
        path,
        encoding,
        delimiter,
        forms: vec![Form::Text; header.len()],
        id: None,
        header,
        rows: 0,
        inferred: Vec::new(),
        stamp,
    };
    scanned.id = configured(&scanned, &own)?;
    let columns = body(&mut scanned, &mut rows)?;
    let file = |what: &str, evidence: String| Inferred {
        object: object.clone(),
        column: None,
        what: what.to_owned(),
        evidence,
        ambiguous: false,
        dangling: 0,
    };
    scanned.inferred.push(file(&encoding.name().to_lowercase(), encoding_why));
    scanned.inferred.push(file(delimiter_word(delimiter), delimiter_why));
    if scanned.id.is_none() {
        let why = "no `id` is set: a row is known by its place in the file, so rows may only be added at the end";
        scanned.inferred.push(file("row numbers as ids", why.to_owned()));
    }
    settle(&mut scanned, &own, &columns);
    Ok(scanned)
}

/// Checks that what is configured is there; gives the place of the id column.
fn configured(scanned: &Scanned, own: &ObjectSettings) -> Result<Option<usize>, Error> {
    let known = |name: &FieldName| {
        scanned.column(name.as_str()).ok_or_else(|| Error::NoColumn { file: scanned.file(), column: name.to_string() })
    };
    for name in own.references.keys().chain(own.columns.keys()).chain(&own.content) {
        known(name)?;
    }
    own.id.as_ref().map(known).transpose()
}

/// Reads all rows: widths, ids, forms.
fn body(scanned: &mut Scanned, rows: &mut Rows) -> Result<Vec<Column>, Error> {
    let width = scanned.header.len();
    let mut columns = vec![Column::new(); width];
    let (mut ragged, mut ragged_lines) = (0, Lines::default());
    let (mut nameless, mut nameless_lines) = (0_u64, Lines::default());
    // A hash of each id: ids themselves may be long.
    let mut ids: HashMap<u128, u64> = HashMap::new();
    while let Some(row) = rows.next_row()? {
        if row.cells.len() != width {
            ragged += 1;
            ragged_lines.add(row.line);
            continue;
        }
        scanned.rows += 1;
        for (column, cell) in columns.iter_mut().zip(row.cells.iter()) {
            column.see(cell, row.line);
        }
        if let Some(id) = scanned.id.and_then(|at| row.cells.get(at)) {
            if id.trim().is_empty() {
                nameless += 1;
                nameless_lines.add(row.line);
            } else if let Some(first) = ids.insert(key(id.trim()), row.line) {
                let what = format!("the id stands in line {first} too: it must be another one in each row");
                return Err(rows.line(row.line, what));
            }
        }
    }
    if ragged > 0 {
        return Err(Error::Ragged { file: scanned.file(), width, count: ragged, lines: ragged_lines });
    }
    if nameless > 0 {
        let what = format!("rows without an id: {nameless_lines}");
        return Err(Error::File { file: scanned.file(), what });
    }
    Ok(columns)
}

/// The form of each column: configured, text for ids and references, else what the values tell.
fn settle(scanned: &mut Scanned, own: &ObjectSettings, columns: &[Column]) {
    for (at, (name, column)) in scanned.header.iter().zip(columns).enumerate() {
        let mut ambiguous = false;
        let (form, evidence) = match own.columns.get(name) {
            Some(form) => (*form, "configured".to_owned()),
            None if scanned.id == Some(at) => (Form::Text, "it holds the ids".to_owned()),
            None if own.references.contains_key(name) => (Form::Text, "it points to other rows".to_owned()),
            None if own.content.as_ref() == Some(name) => (Form::Text, "it holds paths of files".to_owned()),
            None if own.plain => (Form::Text, "the file is written to: what no form is set for is text".to_owned()),
            None => {
                ambiguous = column.is_ambiguous();
                column.form()
            }
        };
        if let Some(slot) = scanned.forms.get_mut(at) {
            *slot = form;
        }
        scanned.inferred.push(Inferred {
            object: scanned.object.clone(),
            column: Some(name.clone()),
            what: form.word().to_owned(),
            evidence,
            ambiguous,
            dangling: 0,
        });
    }
}

/// A hash for comparing values without keeping them.
pub(crate) fn key(text: &str) -> u128 {
    let mut bytes = [0; 16];
    blake3::Hasher::new().update(text.as_bytes()).finalize_xof().fill(&mut bytes);
    u128::from_le_bytes(bytes)
}

fn delimiter_word(delimiter: u8) -> &'static str {
    match delimiter {
        b';' => "semicolon",
        b'\t' => "tab",
        b'|' => "vertical bar",
        b':' => "colon",
        _ => "comma",
    }
}
