//! Notes with a file (sheet: Dynamics sections 4, 5.8): its bytes are a column in Base64, which lists do not bring.

use std::path::Path;

use handover_connect::{
    Body, Fault, Method, Piece, Refusal, Reply, Request, Sink, Step, WriteBatch, WriteMode, WriteOutcome, Written,
};
use handover_model::{RecordId, Schema};

use super::capabilities::CALL;
use super::guid::{in_address, is_guid};
use super::objects::Object;
use super::{faults, query, removal, write};

/// The request for a file's bytes.
pub(super) fn download(object: &Object<'_>, id: &RecordId, to: &Path) -> Result<Request, Refusal> {
    if !object.is_document() || !is_guid(id.as_str()) {
        return Err(Refusal::unsupported(format!("`{id}` of {} has no bytes", object.name)));
    }
    let path = format!("{}/documentbody/$value", object.path(Some(id.as_str())));
    let mut request = Request::new(Method::Get, path, &CALL);
    request.headers.extend(query::headers());
    request.sink = Some(Sink { path: to.to_owned(), is_base64: true });
    Ok(request)
}

/// The note that carries one file, its bytes streamed. A second one makes a second note.
pub(super) fn upload(object: &Object<'_>, batch: &WriteBatch, learnt: Option<&Schema>) -> Result<Request, Refusal> {
    let (WriteMode::Create { .. }, [write]) = (&batch.mode, &*batch.writes) else {
        return Err(Refusal::unsupported("files are made one at a time and not changed"));
    };
    let content =
        write.content.as_ref().ok_or_else(|| Refusal::unsupported("a file cannot be written without its bytes"))?;
    if write.fields.get("filename").is_none_or(|name| name.is_blank()) {
        return Err(Refusal::invalid("filename", "a file needs its name, `filename`"));
    }
    let body = write::new_body(object, write, learnt)?;
    let body = body.strip_suffix('}').unwrap_or(&body);
    let before = if body.len() > 1 { "," } else { "" };
    let mut request = Request::new(Method::Post, object.path(None), &CALL);
    request.headers.extend(query::headers());
    request.body = Body::Pieces {
        kind: "application/json".to_owned(),
        pieces: vec![
            Piece::Text(format!("{body}{before}\"isdocument\":true,\"documentbody\":\"")),
            Piece::Base64 { path: content.path.clone(), bytes: content.bytes },
            Piece::Text("\"}".to_owned()),
        ],
    };
    Ok(request)
}

/// What became of the upload.
pub(super) fn uploaded(batch: &WriteBatch, reply: &Reply, learnt: Option<&Schema>) -> Result<Step, Fault> {
    let [write] = &*batch.writes else { return Err(Fault::malformed("files are made one at a time")) };
    let outcome = match faults::check(reply) {
        Ok(()) => match reply.header("odata-entityid").and_then(in_address) {
            Some(id) if reply.status == 204 && reply.body.is_empty() => {
                WriteOutcome::Applied { id: id.into(), created: Some(true) }
            }
            _ => return Err(Fault::malformed("the answer does not say which file was made")),
        },
        Err(fault) if removal::is_about_the_row(&fault) || faults::is_about_owner(&fault) => {
            WriteOutcome::Refused(write::blamed(&batch.mode, write, fault, reply, learnt))
        }
        Err(fault) => return Err(fault),
    };
    Ok(Step::Written(vec![Written { trace: write.trace.clone(), outcome }]))
}
