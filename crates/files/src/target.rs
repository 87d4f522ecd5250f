//! Writing: rows are appended, changed rows are written in a copy of the file that replaces it.
//!
//! Crash safety: before rows are appended a note beside the file says how long it was; the note goes
//! when the rows are on disk. Whoever finds the note cuts the file back to that length. So a file is
//! never cut that we did not write to.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use encoding_rs::UTF_8;
use handover_connect::{Fault, FaultKind, Write, WriteBatch, WriteMode, WriteOutcome, Written};
use handover_model::{Field, FieldName, ObjectName, RecordId};

use crate::pages::{Folder, Index, copy, row_id};
use crate::scan::{Scanned, Stamp, key};
use crate::{Error, parse};

/// What a batch does to the file.
#[derive(Default)]
struct Change {
    /// Rows to append, cell by cell.
    appended: Vec<Vec<String>>,
    /// Changed cells by the hash of the row's id.
    replaced: HashMap<u128, Vec<(usize, String)>>,
    outcomes: Vec<Written>,
}

/// Undoes a write that a crash cut short. Only before this process writes itself.
pub(crate) fn recover(folder: &Path, object: &ObjectName) -> Result<(), Error> {
    let note = note_path(folder, object);
    let Ok(text) = std::fs::read_to_string(&note) else { return Ok(()) };
    let path = folder.join(format!("{object}.csv"));
    // A note that is not whole was written before anything was appended.
    if let Ok(length) = text.trim_end_matches(';').parse::<u64>()
        && text.ends_with(';')
    {
        let file = OpenOptions::new().write(true).open(&path).map_err(Error::io("write", &path))?;
        file.set_len(length).and_then(|()| file.sync_all()).map_err(Error::io("write", &path))?;
    }
    std::fs::remove_file(&note).map_err(Error::io("write", &note))
}

fn note_path(folder: &Path, object: &ObjectName) -> PathBuf {
    folder.join(format!(".{object}.csv.writing"))
}

impl Folder {
    /// Writes a batch: one outcome for each write; an error means that nothing of it was applied.
    pub(crate) fn write(&self, batch: &WriteBatch) -> Result<Vec<Written>, Error> {
        let mut scanned = (*self.scanned(&batch.object)?).clone();
        if scanned.encoding != UTF_8 {
            if self.settings.encoding.is_some() {
                let what = "rows are written as UTF-8: set `encoding: utf-8` or `auto`".to_owned();
                return Err(Error::File { file: scanned.file(), what });
            }
            self.rewrite(&mut scanned, &HashMap::new(), None)?;
        }
        let key_column = self.key_column(&scanned, batch)?;
        let index = match &key_column {
            Some((name, at)) => Some(self.index(&scanned, name, *at)?),
            None => None,
        };
        let change = self.change(&scanned, batch, key_column.as_ref(), index.as_deref())?;
        if !change.replaced.is_empty() {
            self.rewrite(&mut scanned, &change.replaced, None)?;
        }
        self.append(&mut scanned, &change.appended)?;
        if let (Some((name, at)), Some(index)) = (key_column, index) {
            let index = grown(index, &scanned, at, &change.appended);
            self.keep_index((scanned.object.clone(), name), scanned.stamp, index);
        }
        self.note(scanned);
        Ok(change.outcomes)
    }

    /// The column by which rows are recognised: the batch's key, else the id column.
    fn key_column(&self, scanned: &Scanned, batch: &WriteBatch) -> Result<Option<(FieldName, usize)>, Error> {
        let key = match &batch.mode {
            WriteMode::Create { key: Some(key) } | WriteMode::Upsert { key } => Some(key.clone()),
            WriteMode::Update => None,
            WriteMode::Create { key: None } => scanned.id.and_then(|at| scanned.header.get(at).cloned()),
        };
        match key {
            Some(key) => {
                let at = scanned
                    .column(key.as_str())
                    .ok_or_else(|| Error::NoColumn { file: scanned.file(), column: key.to_string() })?;
                Ok(Some((key, at)))
            }
            None => Ok(None),
        }
    }

    fn change(
        &self,
        scanned: &Scanned,
        batch: &WriteBatch,
        key_column: Option<&(FieldName, usize)>,
        index: Option<&Index>,
    ) -> Result<Change, Error> {
        let mut change = Change::default();
        let mut seen: HashSet<u128> = HashSet::new();
        let known = if batch.mode == WriteMode::Update { self.known(scanned, batch)? } else { HashSet::new() };
        for write in &*batch.writes {
            let outcome = match self.cells(scanned, write) {
                Err(fault) => WriteOutcome::Refused(fault),
                Ok(cells) => match (&batch.mode, key_column) {
                    (WriteMode::Update, _) => update(&mut change, &known, write, cells),
                    (_, Some((name, at))) => put(&mut change, scanned, index, &mut seen, (name, *at), cells),
                    (_, None) => create(&mut change, scanned, cells),
                },
            };
            change.outcomes.push(Written { trace: write.trace.clone(), outcome });
        }
        Ok(change)
    }

    /// Which of the batch's ids the file has.
    fn known(&self, scanned: &Scanned, batch: &WriteBatch) -> Result<HashSet<u128>, Error> {
        let ids: Vec<RecordId> = batch.writes.iter().filter_map(|write| write.id.clone()).collect();
        let records = self.fetch(&scanned.object, &[], &ids)?;
        Ok(records.iter().map(|record| key(record.id.as_str())).collect())
    }

    /// A write's cells by the place of their columns; its file is copied into the folder.
    fn cells(&self, scanned: &Scanned, write: &Write) -> Result<BTreeMap<usize, String>, Fault> {
        let mut cells = BTreeMap::new();
        for (name, value) in write.fields.iter() {
            let at = scanned.column(name.as_str()).ok_or_else(|| {
                let message = format!("{} has no column `{name}`", scanned.file());
                Fault::new(FaultKind::NotFound, "no_column", message).with_field(name.clone())
            })?;
            cells.insert(at, parse::cell(value));
        }
        if let Some(content) = &write.content {
            let column = self.own(&scanned.object).content;
            let at = column.and_then(|column| scanned.column(column.as_str())).ok_or_else(|| {
                Fault::unsupported(format!("{} has no column for files: set `content`", scanned.file()))
            })?;
            let name = write.fields.get("name").and_then(|name| name.as_text()).unwrap_or("file");
            cells.insert(at, self.keep_file(scanned, write, name, &content.path)?);
        }
        Ok(cells)
    }

    /// Copies a file into the folder under a name of its own; gives its path there.
    fn keep_file(&self, scanned: &Scanned, write: &Write, name: &str, from: &Path) -> Result<String, Error> {
        let safe: String = name
            .chars()
            .map(|c| if c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ') { c } else { '_' })
            .take(100)
            .collect();
        let relative = format!(
            "{}.files/{:016x}-{}",
            scanned.object,
            key(write.trace.as_str()) >> 64,
            safe.trim_start_matches('.')
        );
        let path = self.settings.folder.join(&relative);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(Error::io("write", parent))?;
        }
        let beside = path.with_extension("part");
        copy(from, &beside)?;
        std::fs::rename(&beside, &path).map_err(Error::io("write", &path))?;
        Ok(relative)
    }

    /// Appends rows, durably or not at all.
    fn append(&self, scanned: &mut Scanned, rows: &[Vec<String>]) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let path = &scanned.path;
        let fail = |path: &Path| Error::io("write", path.to_owned());
        let mut file = OpenOptions::new().read(true).append(true).open(path).map_err(fail(path))?;
        let length = file.seek(SeekFrom::End(0)).map_err(fail(path))?;
        let mut text = Vec::new();
        if length > 0 {
            let mut last = [0];
            file.seek(SeekFrom::End(-1)).and_then(|_| file.read_exact(&mut last)).map_err(fail(path))?;
            if last != *b"\n" {
                text.push(b'\n');
            }
        }
        text.extend(lines(rows, scanned.delimiter, path)?);
        let note = note_path(&self.settings.folder, &scanned.object);
        durable(&note, format!("{length};").as_bytes())?;
        let written = file.write_all(&text).and_then(|()| file.sync_all());
        if let Err(error) = written {
            // Nothing of the batch may stay when the answer is an error; the note does it after a crash.
            file.set_len(length).and_then(|()| file.sync_all()).map_err(fail(path))?;
            std::fs::remove_file(&note).map_err(fail(&note))?;
            return Err(fail(path)(error));
        }
        std::fs::remove_file(&note).map_err(fail(&note))?;
        scanned.rows += rows.len() as u64;
        scanned.stamp = Stamp::of(path)?;
        Ok(())
    }

    /// Writes the file anew with changed cells, and perhaps one more column at the end, as UTF-8.
    fn rewrite(
        &self,
        scanned: &mut Scanned,
        replaced: &HashMap<u128, Vec<(usize, String)>>,
        column: Option<&FieldName>,
    ) -> Result<(), Error> {
        let beside = self.settings.folder.join(format!(".{}.csv.part", scanned.object));
        let fail = |path: &Path| Error::io("write", path.to_owned());
        let file = File::create(&beside).map_err(fail(&beside))?;
        let mut writer =
            csv::WriterBuilder::new().delimiter(scanned.delimiter).from_writer(std::io::BufWriter::new(file));
        let put = |writer: &mut csv::Writer<_>, cells: &[&str]| {
            writer.write_record(cells).map_err(|error| fail(&beside)(std::io::Error::other(error)))
        };
        let more = column.map(|name| name.as_str());
        let header: Vec<&str> = scanned.header.iter().map(FieldName::as_str).chain(more).collect();
        put(&mut writer, &header)?;
        let mut rows = scanned.open()?;
        let mut number = 0;
        while let Some(row) = rows.next_row()? {
            number += 1;
            let mut cells: Vec<&str> = row.cells.iter().collect();
            for (at, cell) in replaced.get(&key(&row_id(scanned, &row, number))).into_iter().flatten() {
                if let Some(slot) = cells.get_mut(*at) {
                    *slot = cell;
                }
            }
            cells.extend(more.map(|_| ""));
            put(&mut writer, &cells)?;
        }
        let buffer = writer.into_inner().map_err(|error| fail(&beside)(std::io::Error::other(error.to_string())))?;
        let file = buffer.into_inner().map_err(|error| fail(&beside)(error.into_error()))?;
        file.sync_all().map_err(fail(&beside))?;
        std::fs::rename(&beside, &scanned.path).map_err(fail(&scanned.path))?;
        sync_folder(&self.settings.folder)?;
        scanned.encoding = UTF_8;
        scanned.stamp = Stamp::of(&scanned.path)?;
        Ok(())
    }

    /// Adds a column, and the file when there is none.
    pub(crate) fn create_field(&self, object: &ObjectName, field: &Field) -> Result<Field, Error> {
        let path = self.settings.folder.join(format!("{object}.csv"));
        if path.is_file() {
            let mut scanned = (*self.scanned(object)?).clone();
            if scanned.column(field.name.as_str()).is_none() {
                self.rewrite(&mut scanned, &HashMap::new(), Some(&field.name))?;
            }
        } else {
            std::fs::create_dir_all(&self.settings.folder).map_err(Error::io("write", &self.settings.folder))?;
            let mut header = self.columns_told(object);
            if !header.contains(&field.name) {
                header.push(field.name.clone());
            }
            let header = header.iter().map(ToString::to_string).collect();
            let delimiter = self.settings.delimiter.unwrap_or(b',');
            durable(&path, &lines(&[header], delimiter, &path)?)?;
            sync_folder(&self.settings.folder)?;
        }
        Ok(Field { custom: true, required: false, ..field.clone() })
    }
}

fn update(change: &mut Change, known: &HashSet<u128>, write: &Write, cells: BTreeMap<usize, String>) -> WriteOutcome {
    match &write.id {
        Some(id) if known.contains(&key(id.as_str())) => {
            change.replaced.entry(key(id.as_str())).or_default().extend(cells);
            WriteOutcome::Applied { id: id.clone(), created: Some(false) }
        }
        _ => WriteOutcome::Refused(Fault::new(FaultKind::NotFound, "not_found", "there is no such row")),
    }
}

/// Creates or changes the row with this key.
fn put(
    change: &mut Change,
    scanned: &Scanned,
    index: Option<&Index>,
    seen: &mut HashSet<u128>,
    (name, at): (&FieldName, usize),
    cells: BTreeMap<usize, String>,
) -> WriteOutcome {
    let refused = |kind, code: &str, message: &str| {
        WriteOutcome::Refused(Fault::new(kind, code, message).with_field(name.clone()))
    };
    let Some(cell) = cells.get(&at).filter(|cell| !cell.trim().is_empty()) else {
        return refused(FaultKind::Invalid, "no_key", "the row has no key");
    };
    let hash = key(cell.trim());
    if !seen.insert(hash) {
        return refused(FaultKind::Conflict, "duplicate_key", "another row of the batch has the same key");
    }
    match index.and_then(|index| index.get(&hash)) {
        Some(Some(id)) => {
            let id = id.clone();
            change.replaced.entry(key(id.as_str())).or_default().extend(cells);
            WriteOutcome::Applied { id, created: Some(false) }
        }
        Some(None) => refused(FaultKind::Conflict, "duplicate_key", "several rows have this key"),
        None => create(change, scanned, cells),
    }
}

fn create(change: &mut Change, scanned: &Scanned, mut cells: BTreeMap<usize, String>) -> WriteOutcome {
    let number = scanned.rows + change.appended.len() as u64 + 1;
    let id = match scanned.id {
        Some(at) => match cells.get(&at).map(|id| id.trim()).filter(|id| !id.is_empty()) {
            Some(id) => RecordId::from(id.to_owned()),
            None => {
                return WriteOutcome::Refused(Fault::new(FaultKind::Invalid, "no_id", "the row has no id"));
            }
        },
        None => RecordId::from(number.to_string()),
    };
    let row = (0..scanned.header.len()).map(|at| cells.remove(&at).unwrap_or_default()).collect();
    change.appended.push(row);
    WriteOutcome::Applied { id, created: Some(true) }
}

/// The index with the rows that were just appended.
fn grown(index: Arc<Index>, scanned: &Scanned, at: usize, appended: &[Vec<String>]) -> Arc<Index> {
    let first = scanned.rows - appended.len() as u64;
    let mut index = index;
    let grown = Arc::make_mut(&mut index);
    for (number, row) in (first + 1..).zip(appended) {
        let id = match scanned.id {
            Some(at) => row.get(at).map(|id| id.trim().to_owned()).unwrap_or_default(),
            None => number.to_string(),
        };
        if let Some(cell) = row.get(at) {
            grown.insert(key(cell.trim()), Some(RecordId::from(id)));
        }
    }
    index
}

fn lines(rows: &[Vec<String>], delimiter: u8, path: &Path) -> Result<Vec<u8>, Error> {
    let fail = |error: String| Error::io("write", path)(std::io::Error::other(error));
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).map_err(|error| fail(error.to_string()))?;
    }
    writer.into_inner().map_err(|error| fail(error.to_string()))
}

fn durable(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut file = File::create(path).map_err(Error::io("write", path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(Error::io("write", path))
}

fn sync_folder(folder: &Path) -> Result<(), Error> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io("write", folder))
}
