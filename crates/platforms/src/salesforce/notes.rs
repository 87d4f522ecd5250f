//! Notes with a formatted body (`ContentNote`): HTML that is kept as a file's bytes, so lists do not bring it, and
//! that is written in Base64 (sheet: Salesforce section 2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handover_connect::{Fault, FaultKind, Method, Refusal, Reply, Request, Step};
use handover_model::{Field, FieldName, Fields, Kind, ReadCost, Record, RecordId, Value, Writable};

use super::capabilities::CALL;
use super::faults;
use super::ids::is_id;
use super::objects::{DATA, Family, Object};
use super::reading::Reading;

/// The body of a note.
const BODY: &str = "Content";

/// Whether a field is a note's body.
pub(super) fn is_body(object: &str, field: &str) -> bool {
    object == "ContentNote" && field == BODY
}

/// The body as a field.
pub(super) fn field(object: &Object<'_>) -> Option<Field> {
    (object.family == Family::Note).then(|| Field {
        name: BODY.into(),
        label: "Body".to_owned(),
        kind: Kind::Text { max: None, html: true },
        required: false,
        writable: Writable::Always,
        unique: false,
        custom: false,
        read: ReadCost::Extra { per_call: 1, opt_in: false, only_above: None },
        blank_is_zero: false,
    })
}

/// The request for a note's body.
pub(super) fn body(reading: &Reading<'_>, field: &FieldName, ids: &[RecordId]) -> Result<Request, Refusal> {
    if !is_body(reading.object.name, field.as_str()) {
        let why = format!("`{field}` of {} is not read in calls of its own", reading.object.name);
        return Err(Refusal::unsupported(why));
    }
    match ids {
        [id] if is_id(id.as_str()) => {
            Ok(Request::new(Method::Get, format!("{DATA}/sobjects/ContentNote/{id}/{BODY}"), &CALL))
        }
        _ => Err(Refusal::unsupported("bodies of notes are read one at a time")),
    }
}

/// The body.
pub(super) fn read(field: &FieldName, ids: &[RecordId], reply: &Reply) -> Result<Step, Fault> {
    match faults::check(reply, false) {
        Ok(()) => {}
        Err(fault) if fault.kind == FaultKind::NotFound => return Ok(Step::Page { records: Vec::new(), next: None }),
        Err(fault) => return Err(fault),
    }
    let text = String::from_utf8_lossy(&reply.body);
    let value = if text.is_empty() { Value::Null } else { Value::from(&*text) };
    let record = |id: &RecordId| {
        let fields: Fields = [(field.clone(), value.clone())].into_iter().collect();
        Record { id: id.clone(), fields, modified: None, gone: false }
    };
    Ok(Step::Page { records: ids.iter().map(record).collect(), next: None })
}

/// A body as it is written.
pub(super) fn written(value: &Value) -> String {
    STANDARD.encode(value.display())
}
