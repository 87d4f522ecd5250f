//! Files, and attachments: a file seen from the note that it hangs on.
//!
//! A file has no link to a record; it is named by a note that has links (sheet: HubSpot section 2.7
//! \[doc\]). So towards HubSpot a file is created and then named by a note (`hs_attachment_ids`), and from
//! HubSpot an attachment, with the id `note:file`, shows the note's time, owner and links.

use handover_connect::{Body, Charge, Fault, Method, Part, Refusal, Request, Write, WriteBatch, WriteMode};
use handover_model::{Field, Fields, Kind, ReadCost, Record, Schema, Value, Writable};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

use super::associations;
use super::capabilities::CALL;
use super::json::{id_text, text_at};
use super::objects::{Object, path};
use super::reading::Reading;
use super::values;

/// What stands in a path as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Seconds for which a signed address shall hold: one large download.
const SIGNED_S: u32 = 3_600;

/// One segment of a path.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// A file's path as segments of a request's path.
pub(super) fn path_segments(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty()).map(segment).collect::<Vec<_>>().join("/")
}

/// The file of an attachment's id.
pub(super) fn of_attachment(id: &str) -> Option<&str> {
    id.split_once(':').map(|(_, file)| file)
}

/// The note of an attachment's id.
pub(super) fn note_of(id: &str) -> Option<&str> {
    id.split_once(':').map(|(note, _)| note)
}

/// A file as a record.
pub(super) fn record(reading: &Reading<'_>, file: &Json) -> Result<Record, Fault> {
    let id = file.get("id").and_then(id_text).ok_or_else(|| Fault::malformed("a file has no id"))?;
    let fields: Fields = reading.properties().into_iter().map(|name| (name.into(), value(file, name))).collect();
    let modified = text_at(file, "updatedAt").and_then(values::read_instant);
    Ok(Record { id: id.into(), fields, modified, gone: super::json::flag_at(file, "archived") })
}

/// One field of a file.
pub(super) fn value(file: &Json, field: &str) -> Value {
    let text = |name: &str| text_at(file, name).filter(|text| !text.is_empty());
    let found = match field {
        "size" => file.get("size").and_then(Json::as_u64).map(|size| Value::Number(Decimal::from(size))),
        "name" => text("name").map(|name| Value::from(full_name(name, text("extension")))),
        "folderPath" => text("path").and_then(|path| path.rsplit_once('/')).map(|(folder, _)| Value::from(folder)),
        "createdAt" | "updatedAt" => text(field).and_then(values::read_instant).map(Value::DateTime),
        _ => text(field).map(Value::from),
    };
    found.unwrap_or(Value::Null)
}

/// A file's name without its extension.
pub(super) fn stem(name: &str) -> &str {
    name.rsplit_once('.').map(|(stem, _)| stem).filter(|stem| !stem.is_empty()).unwrap_or(name)
}

/// The name with its extension, which HubSpot keeps apart.
fn full_name(name: &str, extension: Option<&str>) -> String {
    match extension {
        Some(extension) if !name.to_lowercase().ends_with(&format!(".{}", extension.to_lowercase())) => {
            format!("{name}.{extension}")
        }
        _ => name.to_owned(),
    }
}

/// One page of files.
pub(super) fn list(after: Option<&str>) -> Request {
    let request = Request::new(Method::Get, format!("{}/search", path::FILES), &CALL).with_query("limit", "100");
    match after {
        Some(after) => request.with_query("after", after),
        None => request,
    }
}

/// The request for a file's signed address.
pub(super) fn signed(id: &str) -> Request {
    Request::new(Method::Get, format!("{}/{}/signed-url", path::FILES, segment(id)), &CALL)
        .with_query("expirationSeconds", SIGNED_S.to_string())
}

/// The folder and the name that a file is written to.
pub(super) fn target(write: &Write) -> Result<(&str, &str), Refusal> {
    let text = |name: &str| {
        write
            .fields
            .get(name)
            .and_then(Value::as_text)
            .filter(|text| !text.trim().is_empty())
            .ok_or_else(|| Refusal::invalid(name, format!("a file cannot be written without its `{name}`")))
    };
    Ok((text("folderPath")?, text("name")?))
}

/// The upload of one file. A second upload makes a second file (sheet: HubSpot section 2.7 \[unsure\]).
pub(super) fn upload(batch: &WriteBatch, charges: &[Charge]) -> Result<Request, Refusal> {
    let (WriteMode::Create { .. }, [write]) = (&batch.mode, &*batch.writes) else {
        return Err(Refusal::unsupported("files are created one at a time and not changed"));
    };
    let content =
        write.content.as_ref().ok_or_else(|| Refusal::unsupported("a file cannot be written without its bytes"))?;
    let (folder, name) = target(write)?;
    if let Some((other, _)) = write.fields.iter().find(|(field, _)| !matches!(field.as_str(), "name" | "folderPath")) {
        // The upload would ignore it in silence.
        return Err(Refusal::unsupported(format!("`{other}` of files cannot be written")).with_field(other.clone()));
    }
    let text = |name: &str, value: String| Part::Text { name: name.to_owned(), value };
    let mut request = Request::new(Method::Post, path::FILES, charges);
    request.body = Body::Multipart(vec![
        text("fileName", name.to_owned()),
        text("folderPath", folder.to_owned()),
        // Nobody without a login shall see a customer's file.
        text("options", json!({ "access": "PRIVATE" }).to_string()),
        Part::File {
            name: "file".to_owned(),
            file_name: name.to_owned(),
            path: content.path.clone(),
            bytes: content.bytes,
        },
    ]);
    Ok(request)
}

/// The fields of files.
pub(super) fn file_schema(object: Object<'_>) -> Schema {
    let text = || Kind::Text { max: None, html: false };
    let fields = vec![
        field("name", "Name", text(), Writable::OnCreate, true),
        field("folderPath", "Folder", text(), Writable::OnCreate, true),
        field("size", "Size in bytes", Kind::Number, Writable::Never, false),
        field("extension", "Extension", text(), Writable::Never, false),
        field("type", "Type", text(), Writable::Never, false),
        field("path", "Path", text(), Writable::Never, false),
        field("url", "Address", text(), Writable::Never, false),
        field("access", "Access", text(), Writable::Never, false),
        field("fileMd5", "MD5", text(), Writable::Never, false),
        field("createdAt", "Created", Kind::DateTime, Writable::Never, false),
        field("updatedAt", "Updated", Kind::DateTime, Writable::Never, false),
    ];
    Schema {
        object: object.name.into(),
        label: object.label.to_owned(),
        fields,
        name: None,
        content: true,
        own: std::collections::BTreeMap::new(),
    }
}

/// The fields of attachments: the file's name and size, the note's time, owner and links.
pub(super) fn attachment_schema(object: Object<'_>) -> Schema {
    let text = Kind::Text { max: None, html: false };
    let mut fields = vec![
        field("name", "File name", text, Writable::Never, false),
        field("size", "Size in bytes", Kind::Number, Writable::Never, false),
        field("hs_timestamp", "Activity date", Kind::DateTime, Writable::Never, false),
        field("hubspot_owner_id", "Owner", Kind::User, Writable::Never, false),
    ];
    let links = associations::of(object.source().name).map(associations::Association::field);
    fields.extend(links.map(|field| Field { writable: Writable::Never, ..field }));
    Schema {
        object: object.name.into(),
        label: object.label.to_owned(),
        fields,
        name: None,
        content: true,
        own: std::collections::BTreeMap::new(),
    }
}

fn field(name: &str, label: &str, kind: Kind, writable: Writable, required: bool) -> Field {
    Field {
        name: name.into(),
        label: label.to_owned(),
        kind,
        required,
        writable,
        unique: false,
        custom: false,
        read: ReadCost::Listed,
        blank_is_zero: false,
    }
}
