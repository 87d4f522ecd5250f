//! Reading: schemas, pages, single rows, files' bytes.

use std::collections::{HashMap, HashSet};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use handover_model::{
    Content, Field, FieldName, Fields, Kind, ObjectName, ReadCost, Record, RecordId, Schema, User, Value, Writable,
};

use crate::error::Lines;
use crate::parse;
use crate::rows::{Row, Rows};
use crate::scan::{Scanned, Stamp, key, scan};
use crate::{DateOrder, Error, Form, Inferred, ObjectSettings, Reference, Settings};

/// Rows on one page.
pub(crate) const PAGE: usize = 1_000;

/// A folder, its files scanned as they are asked for.
pub(crate) struct Folder {
    pub(crate) settings: Settings,
    scanned: Mutex<HashMap<ObjectName, Arc<Scanned>>>,
    indexes: Mutex<HashMap<(ObjectName, FieldName), Indexed>>,
    /// Where the last page of an object ended, so that the next one need not begin at the top.
    open: Mutex<HashMap<ObjectName, Open>>,
    /// Shared by readers, held alone while a file is written: nobody sees half a row.
    pub(crate) access: RwLock<()>,
}

/// A value of a column to the id of its row; `None` where several rows have it.
pub(crate) type Index = HashMap<u128, Option<RecordId>>;

/// An index and the file that it is of.
struct Indexed {
    stamp: Stamp,
    index: Arc<Index>,
}

struct Open {
    next: u64,
    stamp: Stamp,
    rows: Rows,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Folder {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings,
            scanned: Mutex::default(),
            indexes: Mutex::default(),
            open: Mutex::default(),
            access: RwLock::new(()),
        }
    }

    /// What the project says about an object.
    pub(crate) fn own(&self, object: &ObjectName) -> ObjectSettings {
        self.settings.objects.get(object).cloned().unwrap_or_default()
    }

    /// What is known about an object's file; read anew when the file has changed.
    pub(crate) fn scanned(&self, object: &ObjectName) -> Result<Arc<Scanned>, Error> {
        let have = lock(&self.scanned).get(object).cloned();
        if let Some(have) = have
            && Stamp::of(&have.path).is_ok_and(|stamp| stamp == have.stamp)
        {
            return Ok(have);
        }
        let fresh = Arc::new(scan(&self.settings, object)?);
        lock(&self.scanned).insert(object.clone(), fresh.clone());
        Ok(fresh)
    }

    /// Takes note of what our own write made of a file.
    pub(crate) fn note(&self, scanned: Scanned) {
        lock(&self.scanned).insert(scanned.object.clone(), Arc::new(scanned));
    }

    /// Whether the project names an object that nobody has written yet: it is empty.
    pub(crate) fn is_unwritten(&self, object: &ObjectName) -> bool {
        self.settings.objects.contains_key(object) && !self.settings.folder.join(format!("{object}.csv")).exists()
    }

    /// The columns that the settings tell of an object: what its file begins with.
    pub(crate) fn columns_told(&self, object: &ObjectName) -> Vec<FieldName> {
        let own = self.own(object);
        let mut columns: Vec<FieldName> = Vec::new();
        for name in own.id.iter().chain(&own.content).chain(own.references.keys()).chain(own.columns.keys()) {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
        columns
    }

    /// The fields of an object.
    pub(crate) fn schema(&self, object: &ObjectName) -> Result<Schema, Error> {
        let own = self.own(object);
        if self.is_unwritten(object) {
            let header = self.columns_told(object);
            let forms: Vec<Form> =
                header.iter().map(|name| own.columns.get(name).copied().unwrap_or(Form::Text)).collect();
            let id = own.id.as_ref().and_then(|id| header.iter().position(|name| name == id));
            return Ok(schema(object, &own, &header, &forms, id));
        }
        let scanned = self.scanned(object)?;
        Ok(schema(object, &own, &scanned.header, &scanned.forms, scanned.id))
    }

    /// One page from row `start` on, and where the next one begins.
    pub(crate) fn page(
        &self,
        object: &ObjectName,
        fields: &[FieldName],
        start: u64,
    ) -> Result<(Vec<Record>, Option<u64>), Error> {
        if self.is_unwritten(object) {
            return Ok((Vec::new(), None));
        }
        let scanned = self.scanned(object)?;
        let shape = self.shape(&scanned, fields)?;
        let kept = lock(&self.open).remove(object);
        let mut rows = match kept.filter(|open| open.next == start && open.stamp == scanned.stamp) {
            Some(open) => open.rows,
            None => skipped(&scanned, start)?,
        };
        let mut records = Vec::new();
        let mut next = start;
        while records.len() < PAGE {
            let Some(row) = rows.next_row()? else { return Ok((records, None)) };
            next += 1;
            records.push(shape.record(&row, next));
        }
        lock(&self.open).insert(object.clone(), Open { next, stamp: scanned.stamp, rows });
        Ok((records, Some(next)))
    }

    /// The rows with these ids, in the file's order.
    pub(crate) fn fetch(
        &self,
        object: &ObjectName,
        fields: &[FieldName],
        ids: &[RecordId],
    ) -> Result<Vec<Record>, Error> {
        if self.is_unwritten(object) {
            return Ok(Vec::new());
        }
        let scanned = self.scanned(object)?;
        let shape = self.shape(&scanned, fields)?;
        let wanted: HashSet<&str> = ids.iter().map(RecordId::as_str).collect();
        self.filtered(&scanned, &shape, |row, number| wanted.contains(&*row_id(&scanned, row, number)))
    }

    /// The rows whose `column` has one of these cells.
    pub(crate) fn having(
        &self,
        object: &ObjectName,
        fields: &[FieldName],
        column: &str,
        cells: &HashSet<String>,
    ) -> Result<Vec<Record>, Error> {
        if self.is_unwritten(object) {
            return Ok(Vec::new());
        }
        let scanned = self.scanned(object)?;
        let Some(at) = scanned.column(column) else { return Ok(Vec::new()) };
        let shape = self.shape(&scanned, fields)?;
        self.filtered(&scanned, &shape, |row, _| row.cells.get(at).is_some_and(|cell| cells.contains(cell)))
    }

    fn filtered(
        &self,
        scanned: &Scanned,
        shape: &Shape<'_>,
        keep: impl Fn(&Row, u64) -> bool,
    ) -> Result<Vec<Record>, Error> {
        let mut rows = scanned.open()?;
        let mut records = Vec::new();
        let mut number = 0;
        while let Some(row) = rows.next_row()? {
            number += 1;
            if keep(&row, number) {
                records.push(shape.record(&row, number));
            }
        }
        Ok(records)
    }

    fn shape<'s>(&self, scanned: &'s Scanned, fields: &[FieldName]) -> Result<Shape<'s>, Error> {
        let own = self.own(&scanned.object);
        let mut cells = Vec::new();
        for name in fields {
            let at = scanned
                .column(name.as_str())
                .ok_or_else(|| Error::NoColumn { file: scanned.file(), column: name.to_string() })?;
            let index = match own.references.get(name) {
                Some(reference) => self.index_for(&reference.object, reference.by.as_ref())?,
                None => None,
            };
            cells.push((name.clone(), at, scanned.forms.get(at).copied().unwrap_or(Form::Text), index));
        }
        Ok(Shape { scanned, cells })
    }

    /// The index that resolves a reference; `None` where the cell is the id itself.
    fn index_for(&self, object: &ObjectName, by: Option<&FieldName>) -> Result<Option<Arc<Index>>, Error> {
        let Some(by) = by else { return Ok(None) };
        let scanned = self.scanned(object)?;
        let at = scanned
            .column(by.as_str())
            .ok_or_else(|| Error::NoColumn { file: scanned.file(), column: by.to_string() })?;
        if scanned.id == Some(at) { Ok(None) } else { self.index(&scanned, by, at).map(Some) }
    }

    /// What was found out about an object's file, references looked up.
    pub(crate) fn inferred(&self, object: &ObjectName) -> Result<Vec<Inferred>, Error> {
        if self.is_unwritten(object) {
            return Ok(Vec::new());
        }
        let scanned = self.scanned(object)?;
        let mut inferred = scanned.inferred.clone();
        for (name, reference) in &self.own(object).references {
            let Some(found) = inferred.iter_mut().find(|found| found.column.as_ref() == Some(name)) else { continue };
            let Some((count, lines)) = self.dangling(&scanned, name, reference)? else { continue };
            let by = reference.by.as_ref().map_or_else(|| "the id".to_owned(), |by| format!("`{by}`"));
            found.evidence = format!("it points to {by} of {}.csv", reference.object);
            if count > 0 {
                found.dangling = count;
                found.evidence.push_str(&format!("; {count} of its values to no row or to several: {lines}"));
            }
        }
        Ok(inferred)
    }

    /// How many cells of a reference lead to no row or to several, and where; `None` where ids are row numbers.
    fn dangling(
        &self,
        scanned: &Scanned,
        name: &FieldName,
        reference: &Reference,
    ) -> Result<Option<(u64, Lines)>, Error> {
        if self.is_unwritten(&reference.object) {
            return Ok(None);
        }
        let to = self.scanned(&reference.object)?;
        let by = reference.by.clone().or_else(|| to.id.and_then(|at| to.header.get(at).cloned()));
        let (Some(by), Some(at)) = (by, scanned.column(name.as_str())) else { return Ok(None) };
        let by_at =
            to.column(by.as_str()).ok_or_else(|| Error::NoColumn { file: to.file(), column: by.to_string() })?;
        let index = self.index(&to, &by, by_at)?;
        let (mut count, mut lines) = (0, Lines::default());
        let mut rows = scanned.open()?;
        while let Some(row) = rows.next_row()? {
            let cell = row.cells.get(at).unwrap_or_default().trim();
            if !cell.is_empty() && !matches!(index.get(&key(cell)), Some(Some(_))) {
                count += 1;
                lines.add(row.line);
            }
        }
        Ok(Some((count, lines)))
    }

    /// Values of a column to ids. Kept until the file changes.
    pub(crate) fn index(&self, scanned: &Scanned, name: &FieldName, at: usize) -> Result<Arc<Index>, Error> {
        let place = (scanned.object.clone(), name.clone());
        if let Some(have) = lock(&self.indexes).get(&place)
            && have.stamp == scanned.stamp
        {
            return Ok(have.index.clone());
        }
        let mut index = Index::new();
        let mut rows = scanned.open()?;
        let mut number = 0;
        while let Some(row) = rows.next_row()? {
            number += 1;
            let cell = row.cells.get(at).unwrap_or_default().trim();
            if !cell.is_empty() {
                let id = RecordId::from(row_id(scanned, &row, number).into_owned());
                index.entry(key(cell)).and_modify(|have| *have = None).or_insert(Some(id));
            }
        }
        let index = Arc::new(index);
        self.keep_index(place, scanned.stamp, index.clone());
        Ok(index)
    }

    pub(crate) fn keep_index(&self, place: (ObjectName, FieldName), stamp: Stamp, index: Arc<Index>) {
        lock(&self.indexes).insert(place, Indexed { stamp, index });
    }

    /// The users: rows of the object that the project names.
    pub(crate) fn users(&self) -> Result<Vec<User>, Error> {
        let Some(object) = &self.settings.users else { return Ok(Vec::new()) };
        let scanned = self.scanned(object)?;
        let column = |names: &[&str]| {
            let is = |have: &FieldName| names.iter().any(|name| have.as_str().eq_ignore_ascii_case(name));
            scanned.header.iter().position(is)
        };
        let email = column(&["email", "e-mail"])
            .ok_or_else(|| Error::NoColumn { file: scanned.file(), column: "email".to_owned() })?;
        let (id, name, active) = (scanned.id.or_else(|| column(&["id"])), column(&["name"]), column(&["active"]));
        let mut rows = scanned.open()?;
        let mut users = Vec::new();
        while let Some(row) = rows.next_row()? {
            let cell = |at: Option<usize>| at.and_then(|at| row.cells.get(at)).unwrap_or_default().trim();
            let email = cell(Some(email));
            let id = if cell(id).is_empty() { email } else { cell(id) };
            if id.is_empty() {
                return Err(rows.line(row.line, "a user needs an `email` or an `id`".to_owned()));
            }
            users.push(User {
                id: id.into(),
                email: email.to_owned(),
                name: if cell(name).is_empty() { email.to_owned() } else { cell(name).to_owned() },
                active: parse::flag(cell(active)).unwrap_or(true),
            });
        }
        Ok(users)
    }

    /// Copies a row's file to `to`.
    pub(crate) fn download(&self, object: &ObjectName, id: &RecordId, to: &Path) -> Result<Content, Error> {
        let file = format!("{object}.csv");
        let complain = |what: String| Error::File { file: file.clone(), what };
        let column = self
            .own(object)
            .content
            .ok_or_else(|| complain("no column holds files' paths: set `content`".to_owned()))?;
        let records = self.fetch(object, std::slice::from_ref(&column), std::slice::from_ref(id))?;
        let path = records.first().and_then(|record| record.fields.get(column.as_str())?.as_text().map(str::to_owned));
        let path = path.ok_or_else(|| complain(format!("the row {id} names no file")))?;
        let path =
            self.inside(&path).ok_or_else(|| complain(format!("the row {id} names a file outside of the folder")))?;
        copy(&path, to)
    }

    /// A path in the folder; `None` when it leads out of it.
    fn inside(&self, path: &str) -> Option<PathBuf> {
        let whole = self.settings.folder.join(path.replace('\\', "/"));
        let plain = Path::new(&path.replace('\\', "/"))
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir));
        // A link may lead out although the path does not.
        let root = self.settings.folder.canonicalize().ok()?;
        let leads_out = whole.canonicalize().is_ok_and(|real| !real.starts_with(&root));
        (plain && !leads_out).then_some(whole)
    }
}

fn schema(
    object: &ObjectName,
    own: &ObjectSettings,
    header: &[FieldName],
    forms: &[Form],
    id: Option<usize>,
) -> Schema {
    let field = |(at, name): (usize, &FieldName)| Field {
        name: name.clone(),
        label: name.to_string(),
        kind: match own.references.get(name) {
            Some(reference) => Kind::Reference { object: reference.object.clone(), many: false },
            None => kind(forms.get(at).copied().unwrap_or(Form::Text)),
        },
        required: id == Some(at),
        writable: Writable::Always,
        unique: id == Some(at),
        custom: true,
        read: ReadCost::Listed,
        blank_is_zero: false,
    };
    Schema {
        object: object.clone(),
        label: object.to_string(),
        fields: header.iter().enumerate().map(field).collect(),
        name: None,
        content: own.content.is_some(),
        own: std::collections::BTreeMap::new(),
    }
}

/// What of a row becomes a record.
struct Shape<'s> {
    scanned: &'s Scanned,
    cells: Vec<(FieldName, usize, Form, Option<Arc<Index>>)>,
}

impl Shape<'_> {
    fn record(&self, row: &Row, number: u64) -> Record {
        let mut fields = Fields::new();
        for (name, at, form, index) in &self.cells {
            let cell = row.cells.get(*at).unwrap_or_default();
            let value = match index {
                // What points nowhere, or to several rows, stays as it is: somebody will say so.
                Some(index) => match index.get(&key(cell.trim())) {
                    Some(Some(id)) => Value::Text(id.to_string()),
                    _ => parse::value(cell.trim(), Form::Text),
                },
                None => parse::value(cell, *form),
            };
            fields.set(name.clone(), value);
        }
        let id = RecordId::from(row_id(self.scanned, row, number).into_owned());
        Record { id, fields, modified: None, gone: false }
    }
}

/// A row's id: its cell in the id column, else its number.
pub(crate) fn row_id<'r>(scanned: &Scanned, row: &'r Row, number: u64) -> std::borrow::Cow<'r, str> {
    match scanned.id.and_then(|at| row.cells.get(at)) {
        Some(cell) => cell.trim().into(),
        None => number.to_string().into(),
    }
}

fn skipped(scanned: &Scanned, start: u64) -> Result<Rows, Error> {
    let mut rows = scanned.open()?;
    for _ in 0..start {
        if rows.next_row()?.is_none() {
            break;
        }
    }
    Ok(rows)
}

fn kind(form: Form) -> Kind {
    match form {
        Form::Text => Kind::Text { max: None, html: false },
        Form::Bool => Kind::Bool,
        Form::Number(_) => Kind::Number,
        Form::Date(DateOrder::YearFirst | DateOrder::DayFirst | DateOrder::MonthFirst) => Kind::Date,
        Form::DateTime(_) => Kind::DateTime,
    }
}

/// Copies bytes, hashing them on the way; on disk when it returns.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<Content, Error> {
    let mut source = std::fs::File::open(from).map_err(Error::io("read", from))?;
    let mut target = std::fs::File::create(to).map_err(Error::io("write", to))?;
    let mut hasher = blake3::Hasher::new();
    let mut chunk = vec![0; 64 * 1024];
    let mut bytes = 0;
    loop {
        let length = source.read(&mut chunk).map_err(Error::io("read", from))?;
        let read = chunk.get(..length).unwrap_or_default();
        if read.is_empty() {
            break;
        }
        hasher.update(read);
        target.write_all(read).map_err(Error::io("write", to))?;
        bytes += length as u64;
    }
    target.sync_all().map_err(Error::io("write", to))?;
    Ok(Content { path: to.to_owned(), bytes, blake3: hasher.finalize().to_hex().to_string() })
}
