//! What becomes of the counterparts of records that were deleted or merged, or left their flow: `deletes`,
//! `merges` and `leaves` of a mapping.

use handover_model::{Deletes, FieldName, Leaves, Merges, Removals};

use super::node::{Kind, Node};
use super::reader::{Entries, File, Reading, value};

/// Reads `deletes`, `merges` and `leaves`.
pub(super) fn read(reading: &mut Reading, file: &File, entries: &mut Entries<'_>) -> Removals {
    let deletes = entries.take("deletes").and_then(|node| deletes(reading, file, node)).unwrap_or_default();
    let merges = entries.take("merges").and_then(|node| merges(reading, file, node)).unwrap_or_default();
    let leaves = entries.take("leaves").and_then(|node| leaves(reading, file, node)).unwrap_or_default();
    Removals { deletes, merges, leaves }
}

/// `ask`, `ignore`, `archive`, `delete` or `{mark: FIELD, as: VALUE}`.
fn deletes(reading: &mut Reading, file: &File, node: &Node) -> Option<Deletes> {
    const WORDS: [&str; 4] = ["ask", "ignore", "archive", "delete"];
    if let Kind::Map { .. } = node.kind {
        let mut entries = reading.open(file, node, "deletes")?;
        let field = entries.need("mark", reading).and_then(|node| reading.text(file, node, "mark"));
        let value = entries.need("as", reading).map(value);
        entries.finish(reading);
        return Some(Deletes::Mark { field: FieldName::new(field?), value: value? });
    }
    Some(match reading.word(file, node, "deletes", &WORDS)?.as_str() {
        "ignore" => Deletes::Ignore,
        "archive" => Deletes::Archive,
        "delete" => Deletes::Delete,
        _ => Deletes::Ask,
    })
}

/// `ask` or `carry`.
fn merges(reading: &mut Reading, file: &File, node: &Node) -> Option<Merges> {
    Some(match reading.word(file, node, "merges", &["ask", "carry"])?.as_str() {
        "carry" => Merges::Carry,
        _ => Merges::Ask,
    })
}

/// `ask`, `carry` or `ignore`.
fn leaves(reading: &mut Reading, file: &File, node: &Node) -> Option<Leaves> {
    Some(match reading.word(file, node, "leaves", &["ask", "carry", "ignore"])?.as_str() {
        "carry" => Leaves::Carry,
        "ignore" => Leaves::Ignore,
        _ => Leaves::Ask,
    })
}
