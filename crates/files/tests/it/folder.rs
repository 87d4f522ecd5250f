//! A folder with files, and its connector.

use std::path::PathBuf;
use std::sync::Arc;

use handover_connect::{Connector, Fault, Read, Which, Write, WriteBatch, WriteMode, WriteOutcome, Written};
use handover_files::{CsvConnector, ObjectSettings, Settings};
use handover_model::{FieldName, Fields, Record, Value};

pub(crate) struct Folder {
    folder: tempfile::TempDir,
    pub(crate) settings: Settings,
}

impl Folder {
    pub(crate) fn new(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let settings = Settings { folder: folder.path().to_owned(), ..Settings::default() };
        Self { folder, settings }
    }

    pub(crate) fn with(mut self, object: &str, own: ObjectSettings) -> Self {
        self.settings.objects.insert(object.into(), own);
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    pub(crate) fn open(&self) -> CsvConnector {
        CsvConnector::new(self.settings.clone()).unwrap()
    }

    /// All records of an object, page by page, with all fields.
    pub(crate) async fn all(&self, object: &str) -> Result<Vec<Record>, Fault> {
        let connector = self.open();
        let schema = connector.describe(&object.into()).await?;
        let fields: Arc<[FieldName]> = schema.fields.into_iter().map(|field| field.name).collect();
        let read = Read { object: object.into(), fields, which: Which::Live, since: None };
        let (mut records, mut cursor) = (Vec::new(), None);
        loop {
            let page = connector.page(&read, cursor.as_ref()).await?;
            records.extend(page.records);
            cursor = page.next;
            if cursor.is_none() {
                return Ok(records);
            }
        }
    }

    /// The error of reading an object, the folder's path taken out.
    pub(crate) async fn error(&self, object: &str) -> String {
        let fault = self.all(object).await.unwrap_err();
        format!("{:?}: {fault}", fault.kind).replace(&self.folder.path().display().to_string(), "FOLDER")
    }
}

pub(crate) fn text<'r>(record: &'r Record, field: &str) -> &'r str {
    record.fields.get(field).and_then(Value::as_text).unwrap_or("")
}

pub(crate) fn write(trace: &str, pairs: &[(&str, &str)]) -> Write {
    let fields: Fields = pairs.iter().map(|(name, value)| (FieldName::from(*name), Value::from(*value))).collect();
    Write { trace: trace.into(), id: None, fields: fields.into(), content: None }
}

pub(crate) fn batch(object: &str, mode: WriteMode, writes: Vec<Write>) -> WriteBatch {
    WriteBatch { object: object.into(), mode, writes: writes.into() }
}

pub(crate) fn upsert(object: &str, key: &str, writes: Vec<Write>) -> WriteBatch {
    batch(object, WriteMode::Upsert { key: key.into() }, writes)
}

/// Outcomes in words: `1 created`, `2 changed`, `refused: code`.
pub(crate) fn outcomes(written: &[Written]) -> Vec<String> {
    let word = |written: &Written| match &written.outcome {
        WriteOutcome::Applied { id, created: Some(true) } => format!("{id} created"),
        WriteOutcome::Applied { id, .. } => format!("{id} changed"),
        WriteOutcome::Refused(fault) | WriteOutcome::Unknown(fault) => format!("refused: {}", fault.code),
    };
    written.iter().map(word).collect()
}
