//! Bases: the last settled value of a field, kept as eight bytes.
//!
//! Values are marked in their settled form, so that reading back what was written gives the same mark.

use handover_model::{FieldName, Fields, Kind, Schema, Value};

use crate::merge::settled_form;

const ENTRY: usize = 16;

/// The base of a record: a mark for each field.
pub(crate) fn encode(schema: &Schema, fields: &Fields) -> Vec<u8> {
    let mut base = Vec::with_capacity(fields.len() * ENTRY);
    for (name, value) in fields.iter() {
        base.extend_from_slice(&name_mark(name));
        base.extend_from_slice(&mark(schema.field(name.as_str()).map(|field| &field.kind), value));
    }
    base
}

/// The mark that a base has for a field.
pub(crate) fn settled(base: &[u8], name: &FieldName) -> Option<[u8; 8]> {
    let wanted = name_mark(name);
    base.chunks_exact(ENTRY).find(|entry| entry[..8] == wanted).and_then(|entry| entry[8..].try_into().ok())
}

/// The mark of a value.
pub(crate) fn mark(kind: Option<&Kind>, value: &Value) -> [u8; 8] {
    let mut hasher = blake3::Hasher::new();
    settled_form(kind, value).digest_into(&mut hasher);
    let mut mark = [0; 8];
    hasher.finalize_xof().fill(&mut mark);
    mark
}

fn name_mark(name: &FieldName) -> [u8; 8] {
    let mut mark = [0; 8];
    mark.copy_from_slice(&blake3::hash(name.as_str().as_bytes()).as_bytes()[..8]);
    mark
}
