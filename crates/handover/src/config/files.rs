//! The settings of a `csv` system.

use std::path::Path;

use handover_files::{Form, ObjectSettings, Reference, Settings};
use handover_model::{FieldName, ObjectName};

use super::node::{Kind, Node};
use super::reader::{Entries, File, Reading};

/// Reads what is particular to a folder of CSV files.
pub(super) fn read(reading: &mut Reading, file: &File, entries: &mut Entries<'_>, root: &Path) -> Settings {
    let mut settings = Settings::default();
    if let Some(folder) = entries.need("folder", reading).and_then(|node| reading.text(file, node, "folder")) {
        settings.folder = root.join(folder);
    }
    if let Some(node) = entries.take("encoding")
        && let Some(label) = reading.text(file, node, "encoding")
        && label != "auto"
    {
        if encoding_rs::Encoding::for_label(label.as_bytes()).is_some() {
            settings.encoding = Some(label);
        } else {
            let problem = reading
                .problem(file, node.mark, "unknown_word", format!("`{label}` is not an encoding"))
                .hint("`auto`, or a label such as `utf-8`, `utf-16le`, `windows-1252`, `iso-8859-15`, `shift_jis`");
            reading.problems.push(problem);
        }
    }
    if let Some(node) = entries.take("delimiter") {
        settings.delimiter = delimiter(reading, file, node);
    }
    settings.users = entries.take("users").and_then(|node| reading.text(file, node, "users")).map(ObjectName::new);
    if let Some(node) = entries.take("objects") {
        let Kind::Map { entries, .. } = &node.kind else {
            reading.wrong(file, node, "objects", "a mapping of object names");
            return settings;
        };
        for entry in entries {
            if let Some(object) = object(reading, file, &entry.value, &entry.key) {
                settings.objects.insert(ObjectName::new(entry.key.as_str()), object);
            }
        }
    }
    settings
}

fn delimiter(reading: &mut Reading, file: &File, node: &Node) -> Option<u8> {
    let text = reading.text(file, node, "delimiter")?;
    match text.as_str() {
        "auto" => None,
        "tab" | "\t" => Some(b'\t'),
        "," | ";" | "|" | ":" => text.bytes().next(),
        _ => {
            let message = "`delimiter` wants `auto`, `tab`, `\",\"`, `\";\"`, `\"|\"` or `\":\"`";
            reading.complain(file, node.mark, "wrong_value", message);
            None
        }
    }
}

fn object(reading: &mut Reading, file: &File, node: &Node, name: &str) -> Option<ObjectSettings> {
    let mut object = ObjectSettings::default();
    let mut entries = reading.open(file, node, &format!("the object `{name}`"))?;
    object.id = entries.take("id").and_then(|node| reading.text(file, node, "id")).map(FieldName::new);
    object.content = entries.take("content").and_then(|node| reading.text(file, node, "content")).map(FieldName::new);
    if let Some(node) = entries.take("references") {
        for (column, node) in named(reading, file, node, "references") {
            let Some(mut entries) = reading.open(file, node, "a reference") else { continue };
            let to = entries.need("object", reading).and_then(|node| reading.text(file, node, "object"));
            let by = entries.take("by").and_then(|node| reading.text(file, node, "by")).map(FieldName::new);
            entries.finish(reading);
            if let Some(to) = to {
                object.references.insert(column, Reference { object: ObjectName::new(to), by });
            }
        }
    }
    if let Some(node) = entries.take("columns") {
        let words = Form::WORDS.map(|(word, _)| word);
        for (column, node) in named(reading, file, node, "columns") {
            if let Some(form) = reading.word(file, node, "columns", &words).and_then(|word| Form::from_word(&word)) {
                object.columns.insert(column, form);
            }
        }
    }
    entries.finish(reading);
    Some(object)
}

fn named<'n>(reading: &mut Reading, file: &File, node: &'n Node, what: &str) -> Vec<(FieldName, &'n Node)> {
    match &node.kind {
        Kind::Map { entries, .. } => {
            entries.iter().map(|entry| (FieldName::new(entry.key.as_str()), &entry.value)).collect()
        }
        _ => {
            reading.wrong(file, node, what, "a mapping of column names");
            Vec::new()
        }
    }
}
