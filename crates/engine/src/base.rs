//! Bases: the last settled value of a field, kept as eight bytes.
//!
//! Values are marked in a form that ignores what platforms change by themselves (surrounding blanks, the
//! order of lists), so that reading back what was written gives the same mark.

use handover_model::{FieldName, Fields, Value};

const ENTRY: usize = 16;

/// The base of a record: a mark for each field.
pub(crate) fn encode(fields: &Fields) -> Vec<u8> {
    let mut base = Vec::with_capacity(fields.len() * ENTRY);
    for (name, value) in fields.iter() {
        base.extend_from_slice(&name_mark(name));
        base.extend_from_slice(&mark(value));
    }
    base
}

/// The mark that a base has for a field.
pub(crate) fn settled(base: &[u8], name: &FieldName) -> Option<[u8; 8]> {
    let wanted = name_mark(name);
    base.chunks_exact(ENTRY).find(|entry| entry[..8] == wanted).and_then(|entry| entry[8..].try_into().ok())
}

/// The mark of a value.
pub(crate) fn mark(value: &Value) -> [u8; 8] {
    let mut hasher = blake3::Hasher::new();
    plain(value).digest_into(&mut hasher);
    let mut mark = [0; 8];
    hasher.finalize_xof().fill(&mut mark);
    mark
}

fn plain(value: &Value) -> Value {
    match value {
        value if value.is_blank() => Value::Null,
        Value::Text(text) => Value::Text(text.trim().to_owned()),
        Value::List(items) if items.len() == 1 => plain(&items[0]),
        Value::List(items) => {
            let mut items: Vec<Value> = items.iter().map(plain).collect();
            items.sort();
            Value::List(items)
        }
        value => value.clone(),
    }
}

fn name_mark(name: &FieldName) -> [u8; 8] {
    let mut mark = [0; 8];
    mark.copy_from_slice(&blake3::hash(name.as_str().as_bytes()).as_bytes()[..8]);
    mark
}
