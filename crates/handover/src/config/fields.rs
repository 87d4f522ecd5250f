//! `fields.yaml`: fields that are to be created in the targets.
//!
//! A platform may assign names of its own (Pipedrive makes 40 hexadecimal digits). Until a field is
//! created, mappings call it by the wished name; afterwards `created_as` holds the real one, and it
//! stands in the flows wherever the wished name is written.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use handover_model::{
    Choice, End, Field, FieldName, Flow, From, Kind as FieldKind, ObjectName, Place, ReadCost, SystemName, Writable,
};

use super::durable;
use super::node::{Kind, Mark, Node, parse};
use super::reader::{File, Reading};
use crate::problem::Problem;

/// The file, relative to the project.
const FILE: &str = "fields.yaml";

/// A field that is to be created in a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedField {
    /// The system.
    pub system: SystemName,
    /// The object.
    pub object: ObjectName,
    /// The field under its wished name.
    pub field: Field,
    /// The source field that it is for, for people.
    pub from: Option<String>,
    /// The name that the platform gave it, once it is created.
    pub created_as: Option<FieldName>,
    /// Where it is written.
    pub place: Place,
}

/// A field that was created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// The system.
    pub system: SystemName,
    /// The object.
    pub object: ObjectName,
    /// The wished name.
    pub name: FieldName,
    /// The name that the platform gave it.
    pub created_as: FieldName,
}

/// Kinds by the word that the file has for them.
const KINDS: [&str; 16] = [
    "text", "html", "yes_no", "number", "date", "datetime", "time", "choice", "choices", "user", "email", "emails",
    "phone", "phones", "currency", "link",
];

/// The word for a kind in `fields.yaml`; `None` for kinds that nobody can create (links to several records).
pub(crate) fn kind_word(kind: &FieldKind) -> Option<&'static str> {
    Some(match kind {
        FieldKind::Text { html: true, .. } => "html",
        FieldKind::Text { .. } => "text",
        FieldKind::Bool => "yes_no",
        FieldKind::Number => "number",
        FieldKind::Date => "date",
        FieldKind::DateTime => "datetime",
        FieldKind::Time => "time",
        FieldKind::Choice { many: false, .. } => "choice",
        FieldKind::Choice { many: true, .. } => "choices",
        FieldKind::User => "user",
        FieldKind::Email { many: false } => "email",
        FieldKind::Email { many: true } => "emails",
        FieldKind::Phone { many: false } => "phone",
        FieldKind::Phone { many: true } => "phones",
        FieldKind::Currency => "currency",
        FieldKind::Reference { many: false, .. } => "link",
        FieldKind::Reference { many: true, .. } | FieldKind::Opaque => return None,
    })
}

fn kind(word: &str, max: Option<u32>, options: Arc<[Choice]>, to: Option<String>) -> FieldKind {
    match word {
        "link" => FieldKind::Reference { object: to.unwrap_or_default().into(), many: false },
        "html" => FieldKind::Text { max: None, html: true },
        "yes_no" => FieldKind::Bool,
        "number" => FieldKind::Number,
        "date" => FieldKind::Date,
        "datetime" => FieldKind::DateTime,
        "time" => FieldKind::Time,
        "choice" => FieldKind::Choice { options, many: false },
        "choices" => FieldKind::Choice { options, many: true },
        "user" => FieldKind::User,
        "email" => FieldKind::Email { many: false },
        "emails" => FieldKind::Email { many: true },
        "phone" => FieldKind::Phone { many: false },
        "phones" => FieldKind::Phone { many: true },
        "currency" => FieldKind::Currency,
        _ => FieldKind::Text { max, html: false },
    }
}

/// Reads `fields.yaml`, if there is one.
pub(super) fn load(reading: &mut Reading, root: &Path, systems: &[SystemName]) -> Vec<WantedField> {
    let Some(bytes) = reading.bytes(root, FILE) else { return Vec::new() };
    let file = File(FILE.into());
    let Some(tree) = reading.tree(&file, &bytes, false) else { return Vec::new() };
    let items = match &tree.kind {
        Kind::List(items) => items.as_slice(),
        Kind::Null => &[],
        _ => {
            reading.wrong(&file, &tree, FILE, "a list of fields");
            &[]
        }
    };
    let mut wanted: Vec<WantedField> = Vec::new();
    for item in items {
        let Some(field) = field(reading, &file, item, systems) else { continue };
        let same = |have: &&WantedField| {
            have.system == field.system && have.object == field.object && have.field.name == field.field.name
        };
        match wanted.iter().find(same) {
            Some(first) => {
                let message = format!("`{}` of {}.{} is wanted twice", field.field.name, field.system, field.object);
                let note = format!("first given in line {}", first.place.line);
                let problem = reading.problem(&file, item.mark, "duplicate_field", message).note(note);
                reading.problems.push(problem);
            }
            None => wanted.push(field),
        }
    }
    wanted
}

fn field(reading: &mut Reading, file: &File, node: &Node, systems: &[SystemName]) -> Option<WantedField> {
    let mut entries = reading.open(file, node, "a field")?;
    let mut text = |reading: &mut Reading, key: &'static str, needed: bool| {
        let node = if needed { entries.need(key, reading) } else { entries.take(key) }?;
        reading.text(file, node, key)
    };
    let system = text(reading, "system", true);
    let object = text(reading, "object", true);
    let name = text(reading, "name", true);
    let label = text(reading, "label", false);
    let from = text(reading, "from", false);
    let created_as = text(reading, "created_as", false);
    let word = entries.need("kind", reading).and_then(|node| reading.word(file, node, "kind", &KINDS));
    let to = entries.take("to").and_then(|node| reading.text(file, node, "to"));
    let options = entries.take("options").map(|node| options(reading, file, node)).unwrap_or_default();
    // The longest text that a platform is known to take has 1,048,576 characters (a memo of Dynamics 365).
    let max = entries.take("max").and_then(|node| reading.whole(file, node, "max", 1, 1_048_576));
    let max = max.and_then(|max| u32::try_from(max).ok());
    let unique = entries.take("unique").and_then(|node| reading.flag(file, node, "unique")).unwrap_or(false);
    entries.finish(reading);
    let (system, object, name, word) = (system?, object?, name?, word?);
    if !systems.iter().any(|have| *have == *system) && !systems.is_empty() {
        let message = format!("there is no system `{system}` in the project file");
        reading.complain(file, node.mark, "unknown_system", message);
        return None;
    }
    if matches!(word.as_str(), "choice" | "choices") && options.is_empty() {
        reading.complain(file, node.mark, "no_options", format!("the choice field `{name}` has no `options`"));
        return None;
    }
    if word == "link" && to.is_none() {
        let message = format!("the link `{name}` does not say with `to` to which object it leads");
        reading.complain(file, node.mark, "no_object", message);
        return None;
    }
    Some(WantedField {
        system: SystemName::new(system),
        object: ObjectName::new(object),
        field: Field {
            label: label.unwrap_or_else(|| name.clone()),
            name: FieldName::new(name),
            kind: kind(&word, max, options.into(), to),
            required: false,
            writable: Writable::Always,
            unique,
            custom: true,
            read: ReadCost::Listed,
            blank_is_zero: false,
        },
        from,
        created_as: created_as.map(FieldName::new),
        place: file.place(node.mark),
    })
}

/// Labels, or `{value, label}` where the API takes something else than people read.
fn options(reading: &mut Reading, file: &File, node: &Node) -> Vec<Choice> {
    let Kind::List(items) = &node.kind else {
        reading.wrong(file, node, "options", "a list of labels");
        return Vec::new();
    };
    let mut options = Vec::new();
    for item in items {
        if let Some(label) = item.text() {
            options.push(Choice { value: label.to_owned(), label: label.to_owned(), within: None });
            continue;
        }
        let Some(mut entries) = reading.open(file, item, "an option") else { continue };
        let value = entries.need("value", reading).and_then(|node| reading.text(file, node, "value"));
        let label = entries.take("label").and_then(|node| reading.text(file, node, "label"));
        entries.finish(reading);
        if let Some(value) = value {
            options.push(Choice { label: label.unwrap_or_else(|| value.clone()), value, within: None });
        }
    }
    options
}

/// Puts the real names of created fields into a flow.
pub(super) fn rename(flow: &mut Flow, wanted: &[WantedField]) {
    let source = names(&flow.source, wanted);
    let target = names(&flow.target, wanted);
    if source.is_empty() && target.is_empty() {
        return;
    }
    for rule in &mut flow.rules {
        replace(&mut rule.target, &target);
        if let From::Fields(fields) = &mut rule.from {
            fields.iter_mut().for_each(|field| replace(field, &source));
        }
    }
    for rule in &mut flow.back {
        replace(&mut rule.target, &source);
        if let From::Fields(fields) = &mut rule.from {
            fields.iter_mut().for_each(|field| replace(field, &target));
        }
    }
    for key in &mut flow.matching {
        key.source.iter_mut().for_each(|field| replace(field, &source));
        key.target.iter_mut().for_each(|field| replace(field, &target));
    }
    if let Some(key) = &mut flow.key {
        replace(key, &target);
    }
    flow.excluded = std::mem::take(&mut flow.excluded)
        .into_iter()
        .map(|(mut field, reason)| {
            replace(&mut field, &source);
            (field, reason)
        })
        .collect();
}

fn names<'w>(end: &End, wanted: &'w [WantedField]) -> BTreeMap<&'w str, &'w FieldName> {
    wanted
        .iter()
        .filter(|field| field.system == end.system && field.object == end.object)
        .filter_map(|field| Some((field.field.name.as_str(), field.created_as.as_ref()?)))
        .collect()
}

/// Parts of a structured field go with it: `wished.currency` becomes `created.currency`.
fn replace(field: &mut FieldName, names: &BTreeMap<&str, &FieldName>) {
    if let Some(real) = names.get(field.as_str()) {
        *field = (*real).clone();
    } else if let Some((whole, part)) = field.as_str().split_once('.')
        && let Some(real) = names.get(whole)
    {
        *field = FieldName::new(format!("{real}.{part}"));
    }
}

/// Writes `created_as` into `fields.yaml` for fields that were created, durably and without touching
/// other lines.
///
/// # Errors
/// When the file cannot be read or written, or has no such field.
pub fn record_created(root: &Path, created: &[Created]) -> Result<(), Problem> {
    let failed = |message: String| Problem::new("unwritable", message).state("fields.yaml is as it was");
    let path = root.join(FILE);
    let mut text =
        std::fs::read_to_string(&path).map_err(|error| failed(format!("cannot read {FILE}")).because(&error))?;
    for field in created {
        let (tree, _) = parse(&text).map_err(|mistake| failed(mistake.message))?;
        let missing = || failed(format!("{FILE} has no field `{}` of {}.{}", field.name, field.system, field.object));
        let spot = spot(&tree, field).ok_or_else(missing)?;
        text = insert(&text, &spot, field);
    }
    durable::replace(&path, text.as_bytes()).map_err(|error| failed(format!("cannot write {FILE}")).because(&error))
}

/// Where a field's `created_as` goes: behind its name.
struct Spot {
    name: Mark,
    key_column: u32,
    flow: bool,
    present: Option<Mark>,
}

fn spot(tree: &Node, wanted: &Created) -> Option<Spot> {
    let Kind::List(items) = &tree.kind else { return None };
    items.iter().find_map(|item| {
        let Kind::Map { entries, flow } = &item.kind else { return None };
        let entry = |key: &str| entries.iter().find(|entry| entry.key == key);
        let is = |key: &str, value: &str| entry(key).and_then(|entry| entry.value.text()) == Some(value);
        let same = is("system", wanted.system.as_str())
            && is("object", wanted.object.as_str())
            && is("name", wanted.name.as_str());
        let name = entry("name").filter(|_| same)?;
        let present = entry("created_as").map(|entry| entry.value.mark);
        Some(Spot { name: name.value.mark, key_column: name.key_mark.column, flow: *flow, present })
    })
}

fn insert(text: &str, spot: &Spot, field: &Created) -> String {
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let at = spot.present.unwrap_or(spot.name);
    let mut out = String::new();
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if index + 1 != at.line as usize {
            out.push_str(line);
            continue;
        }
        let cut = |column: u32| line.char_indices().nth(column as usize).map_or(line.len(), |(byte, _)| byte);
        let (start, end) = (cut(at.column - 1), cut(at.column - 1 + at.width));
        if spot.present.is_some() {
            out.push_str(&format!("{}{}{}", &line[..start], field.created_as, &line[end..]));
        } else if spot.flow {
            out.push_str(&format!("{}, created_as: {}{}", &line[..end], field.created_as, &line[end..]));
        } else {
            out.push_str(line.trim_end_matches(['\r', '\n']));
            let indent = " ".repeat(spot.key_column.saturating_sub(1) as usize);
            out.push_str(&format!("{line_end}{indent}created_as: {}{line_end}", field.created_as));
        }
    }
    out
}
