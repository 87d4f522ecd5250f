//! Files: the newest version of each as a record of `ContentVersion`, made once, and attachments of the older kind.
//!
//! A file hangs on the record that it is first published at (`FirstPublishLocationId`), which makes the link of
//! itself (sheet: Salesforce sections 5.10, 9).

use std::path::Path;

use handover_connect::{
    Body, Fault, Method, Part, Refusal, Reply, Request, Sink, Step, WriteBatch, WriteMode, WriteOutcome, Written,
};
use handover_model::{RecordId, Schema};

use super::capabilities::CALL;
use super::faults;
use super::objects::{DATA, Family, Object};
use super::write;
use crate::json::{body, text_at};
use crate::marks::is_about_the_row;

/// The column that holds the bytes.
pub(super) fn bytes_of(family: Family) -> Option<&'static str> {
    match family {
        Family::File => Some("VersionData"),
        Family::Attachment => Some("Body"),
        Family::Plain | Family::Note => None,
    }
}

/// The request for a file's bytes.
pub(super) fn download(object: &Object<'_>, id: &RecordId, to: &Path) -> Result<Request, Refusal> {
    let Some(column) = bytes_of(object.family).filter(|_| super::ids::is_id(id.as_str())) else {
        return Err(Refusal::unsupported(format!("`{id}` of {} has no bytes", object.name)));
    };
    let mut request = Request::new(Method::Get, format!("{DATA}/sobjects/{}/{id}/{column}", object.name), &CALL);
    request.sink = Some(Sink::of(to));
    Ok(request)
}

/// The upload of one file, its bytes streamed (sheet: Salesforce section 5.10 \[doc\]). A second upload makes a second
/// file.
pub(super) fn upload(batch: &WriteBatch, learnt: Option<&Schema>) -> Result<Request, Refusal> {
    let (WriteMode::Create { .. }, [write]) = (&batch.mode, &*batch.writes) else {
        return Err(Refusal::unsupported("files are made one at a time and not changed"));
    };
    let content =
        write.content.as_ref().ok_or_else(|| Refusal::unsupported("a file cannot be written without its bytes"))?;
    let name = write.fields.get("PathOnClient").map(|name| name.display()).filter(|name| !name.trim().is_empty());
    let name = name.ok_or_else(|| Refusal::invalid("PathOnClient", "a file needs its name, `PathOnClient`"))?;
    let object = super::objects::object(batch.object.as_str())?;
    let entity = format!("{{{}}}", write::fields_of(&object, write, true, learnt)?);
    let mut request = Request::new(Method::Post, format!("{DATA}/sobjects/{}", object.name), &CALL);
    request.headers.extend(write::headers());
    request.body = Body::Multipart(vec![
        Part::Json { name: "entity_content".to_owned(), value: entity },
        Part::File {
            name: "VersionData".to_owned(),
            file_name: name,
            path: content.path.clone(),
            bytes: content.bytes,
        },
    ]);
    Ok(request)
}

/// What became of the upload.
pub(super) fn uploaded(batch: &WriteBatch, reply: &Reply) -> Result<Step, Fault> {
    let written = |outcome: WriteOutcome| {
        Ok(Step::Written(
            batch.writes.iter().map(|write| Written { trace: write.trace.clone(), outcome: outcome.clone() }).collect(),
        ))
    };
    if let Err(fault) = faults::check(reply, true) {
        return if is_about_the_row(&fault) { written(WriteOutcome::Refused(fault)) } else { Err(fault) };
    }
    let body = body(reply)?;
    match text_at(&body, "id").filter(|id| super::ids::is_id(id)) {
        Some(id) => written(WriteOutcome::Applied { id: id.into(), created: Some(true) }),
        None => Err(Fault::malformed("the answer does not say which file was made")),
    }
}
