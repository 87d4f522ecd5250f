//! The folder as the engine sees it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use handover_connect::{
    Capabilities, Change, Connector, Count, Cursor, Delivery, Event, Fault, LinkBatch, LinkOutcome, Links, Lookup,
    ObjectCapabilities, Page, Read, Spent, Upsert, Which, WriteBatch, WriteMode, WriteOutcome, Written,
};
use handover_model::{Account, Automation, Content, Field, FieldName, ObjectName, Record, RecordId, Schema, User};
use jiff::Timestamp;

use crate::pages::{Folder, PAGE};
use crate::target::recover;
use crate::{Error, Inferred, Settings, parse};

/// A folder of CSV files as a system.
///
/// Nothing of it needs the network: limits and charges are empty. File work runs on the runtime's
/// blocking threads.
pub struct CsvConnector {
    folder: Arc<Folder>,
    capabilities: Capabilities,
}

/// Rows that one write covers.
const WRITE_BATCH: u32 = 500;
/// Rows that one fetch covers. Each fetch reads the whole file, so it covers many.
const FETCH_BATCH: u32 = 10_000;

impl CsvConnector {
    /// A connector for the folder's files as they are now, and for objects that the settings name.
    ///
    /// # Errors
    /// When the folder cannot be listed. A folder that does not exist has no objects yet.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let mut objects: Vec<ObjectName> = settings.objects.keys().cloned().collect();
        objects.extend(files(&settings.folder)?);
        objects.sort();
        objects.dedup();
        for object in &objects {
            recover(&settings.folder, object)?;
        }
        let object = |object: &ObjectName| ObjectCapabilities {
            object: object.clone(),
            list_page: u32::try_from(PAGE).unwrap_or(u32::MAX),
            list_charges: Vec::new(),
            fetch_batch: FETCH_BATCH,
            fetch_charges: Vec::new(),
            write_batch: WRITE_BATCH,
            write_charges: Vec::new(),
            bulk: None,
            upsert: Upsert::ByUniqueField,
            lookup: Lookup::ByKey { keyless_lag_ms: 0 },
            count: Count::Told,
            links: Links::Inline,
            content: settings.objects.get(object).is_some_and(|own| own.content.is_some()),
            delete_batch: 0,
            delete_charges: Vec::new(),
            merge_charges: None,
            people_merge: false,
            history_batch: 0,
            history_charges: Vec::new(),
            fetch_follows_merges: false,
            merge_marks: None,
            keeps_deleted: false,
            links_touch: true,
            lists_deleted: false,
            feeds: false,
            bin_is_quiet: false,
            lists_since: false,
            through: &[],
            written_behind: &[],
        };
        let capabilities = Capabilities {
            platform: "csv",
            objects: objects.iter().map(object).collect(),
            custom: None,
            limits: Vec::new(),
            ending: Vec::new(),
            automations: false,
            create_fields: true,
        };
        Ok(Self { folder: Arc::new(Folder::new(settings)), capabilities })
    }

    /// What was found out about an object's file from its contents: encoding, delimiter, the forms of the
    /// columns, each with its evidence. Reads the file whole. Nothing about an object of the settings that
    /// nobody has written yet.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn inferred(&self, object: &ObjectName) -> Result<Vec<Inferred>, Error> {
        self.folder.inferred(object)
    }

    /// Reads on a blocking thread, beside other readers.
    async fn reading<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Fault> {
        self.blocking(move |folder| {
            let _shared = folder.access.read().unwrap_or_else(PoisonError::into_inner);
            work(folder)
        })
        .await
    }

    /// Writes on a blocking thread, alone.
    async fn changing<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Fault> {
        self.blocking(move |folder| {
            let _alone = folder.access.write().unwrap_or_else(PoisonError::into_inner);
            work(folder)
        })
        .await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Fault> {
        let folder = self.folder.clone();
        let done = tokio::task::spawn_blocking(move || work(&folder)).await;
        Ok(done.map_err(|error| Fault::malformed(format!("work on a file was given up: {error}")))??)
    }
}

fn files(folder: &Path) -> Result<Vec<ObjectName>, Error> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("read", folder)(error)),
    };
    let mut objects = Vec::new();
    for entry in entries {
        let entry = entry.map_err(Error::io("read", folder))?;
        if let Some(name) = entry.file_name().to_str().and_then(|name| name.strip_suffix(".csv"))
            && !name.starts_with('.')
            && entry.path().is_file()
        {
            objects.push(ObjectName::new(name));
        }
    }
    Ok(objects)
}

#[async_trait]
impl Connector for CsvConnector {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn objects(&self) -> Vec<ObjectName> {
        self.capabilities.objects.iter().map(|object| object.object.clone()).collect()
    }

    async fn account(&self) -> Result<Account, Fault> {
        let folder = &self.folder.settings.folder;
        let real = folder.canonicalize().unwrap_or_else(|_| folder.clone());
        let name = real.file_name().map_or_else(|| real.display().to_string(), |name| name.to_string_lossy().into());
        Ok(Account {
            id: format!("csv:{}", real.display()),
            name,
            currencies: Vec::new(),
            time_zone: "UTC".to_owned(),
            lacks: Vec::new(),
            daily_limit: None,
            fallback_user: None,
        })
    }

    async fn describe(&self, object: &ObjectName) -> Result<Schema, Fault> {
        let object = object.clone();
        self.reading(move |folder| folder.schema(&object)).await
    }

    async fn users(&self) -> Result<Vec<User>, Fault> {
        self.reading(Folder::users).await
    }

    async fn automations(&self) -> Result<Option<Vec<Automation>>, Fault> {
        // Files do nothing by themselves.
        Ok(Some(Vec::new()))
    }

    async fn count(&self, object: &ObjectName) -> Result<Option<u64>, Fault> {
        let object = object.clone();
        self.reading(move |folder| if folder.is_unwritten(&object) { Ok(0) } else { Ok(folder.scanned(&object)?.rows) })
            .await
            .map(Some)
    }

    async fn page(&self, read: &Read, cursor: Option<&Cursor>) -> Result<Page, Fault> {
        if read.which == Which::Deleted {
            return Err(Fault::unsupported("files do not tell which rows were deleted"));
        }
        let start = match cursor {
            Some(cursor) => {
                cursor.0.parse().map_err(|_| Fault::malformed("the place to go on reading from is not one of ours"))?
            }
            None => 0,
        };
        let read = read.clone();
        let (records, next) = self.reading(move |folder| folder.page(&read.object, &read.fields, start)).await?;
        Ok(Page { records, next: next.map(|next| Cursor(next.to_string())) })
    }

    async fn fetch(
        &self,
        object: &ObjectName,
        fields: &Arc<[FieldName]>,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, Fault> {
        let (object, fields, ids) = (object.clone(), fields.clone(), ids.to_vec());
        self.reading(move |folder| folder.fetch(&object, &fields, &ids)).await
    }

    async fn enrich(&self, _: &ObjectName, _: &FieldName, _: &[RecordId]) -> Result<Vec<Record>, Fault> {
        Err(Fault::unsupported("every column comes with the rows"))
    }

    async fn candidates(
        &self,
        batch: &WriteBatch,
        fields: &Arc<[FieldName]>,
        _since: Timestamp,
    ) -> Result<Vec<Record>, Fault> {
        let (WriteMode::Create { key: Some(key) } | WriteMode::Upsert { key }) = &batch.mode else {
            return Err(Fault::unsupported("rows without a key cannot be told apart"));
        };
        let cells: HashSet<String> =
            batch.writes.iter().filter_map(|write| write.fields.get(key.as_str())).map(parse::cell).collect();
        let (object, fields, key) = (batch.object.clone(), fields.clone(), key.clone());
        self.reading(move |folder| folder.having(&object, &fields, key.as_str(), &cells)).await
    }

    async fn write(&self, batch: &WriteBatch) -> Result<Vec<Written>, Fault> {
        let batch = batch.clone();
        self.changing(move |folder| folder.write(&batch)).await
    }

    async fn link(&self, _: &LinkBatch) -> Result<Vec<LinkOutcome>, Fault> {
        Err(Fault::unsupported("a link is a cell of its row and is written with it"))
    }

    async fn unlink(&self, _: &LinkBatch) -> Result<Vec<LinkOutcome>, Fault> {
        Err(Fault::unsupported("a link is a cell of its row and is written with it"))
    }

    async fn delete(&self, _: &ObjectName, _: &[RecordId]) -> Result<Vec<Written>, Fault> {
        Err(Fault::unsupported("rows of files are not taken out"))
    }

    async fn merge(&self, _: &ObjectName, _: &RecordId, _: &RecordId) -> Result<WriteOutcome, Fault> {
        Err(Fault::unsupported("rows of files are not merged"))
    }

    async fn history(&self, _: &ObjectName, _: &Arc<[FieldName]>, _: &[RecordId]) -> Result<Vec<Change>, Fault> {
        Err(Fault::unsupported("files have no history"))
    }

    async fn download(&self, object: &ObjectName, id: &RecordId, to: &Path) -> Result<Content, Fault> {
        let (object, id, to): (_, _, PathBuf) = (object.clone(), id.clone(), to.to_owned());
        self.reading(move |folder| folder.download(&object, &id, &to)).await
    }

    async fn create_field(&self, object: &ObjectName, field: &Field) -> Result<Field, Fault> {
        let (object, field) = (object.clone(), field.clone());
        self.changing(move |folder| folder.create_field(&object, &field)).await
    }

    fn events(&self, _: &Delivery<'_>) -> Result<Vec<Event>, Fault> {
        Err(Fault::unsupported("files send no webhooks"))
    }

    fn spent(&self) -> Spent {
        Spent::default()
    }
}
