//! Expressions: compiled and type-checked against the source's schema before any record is read.
//!
//! Invariants: an expression sees the record and nothing else (no clock, no time zone, no environment);
//! only the fields that it names are put before it; no message repeats a value.

mod bridge;
mod paths;
mod wording;

use std::collections::{BTreeMap, HashSet};

use handover_model::{FieldName, Record, Schema, Value};
use vrl::compiler::runtime::{Runtime, Terminate};
use vrl::compiler::state::{ExternalEnv, RuntimeState};
use vrl::compiler::{CompileConfig, ExpressionError, TargetValueRef, TimeZone, compile_with_external};
use vrl::path::OwnedSegment;
use vrl::prelude::{Collection, Field as VrlField, KeyString, Kind as VrlKind, ObjectMap, Value as VrlValue};
use vrl::value::Secrets;

use super::spelling::did_you_mean;
use bridge::{FUNCTIONS, from_vrl, kind_of, to_vrl};
use paths::{names_the_record, paths_in};
pub(crate) use wording::Fault;

/// A compiled expression.
#[derive(Debug)]
pub(crate) struct Expression {
    program: vrl::compiler::Program,
    reads: Vec<Read>,
    gives: VrlKind,
}

/// A field that an expression reads, and where in the object it looks for it.
#[derive(Debug)]
struct Read {
    field: FieldName,
    path: Vec<KeyString>,
}

/// The name under which the record's own id stands.
pub(crate) const ID: &str = "id";

impl Expression {
    /// Compiles an expression over the records of `schema`.
    pub(crate) fn compile(text: &str, schema: &Schema) -> Result<Self, Vec<Fault>> {
        let unknown = unknown_fields(text, schema);
        if !unknown.is_empty() {
            return Err(unknown);
        }
        let external = ExternalEnv::new_with_kind(object_kind(text, schema), VrlKind::object(Collection::empty()));
        let compiled = compile_with_external(text, &FUNCTIONS, &external, CompileConfig::default())
            .map_err(|diagnostics| wording::reword(text, diagnostics, schema))?;
        let program = compiled.program;
        let gives = program.final_type_info().result.kind().clone();
        let reads = program.info().target_queries.iter().flat_map(|query| reads_of(&query.path.segments, schema));
        let mut all: Vec<Read> = Vec::new();
        for read in reads {
            if !all.iter().any(|have| have.path == read.path) {
                all.push(read);
            }
        }
        Ok(Self { program, reads: all, gives })
    }

    /// The fields that an expression's text names, even if it does not compile.
    pub(crate) fn named(text: &str, schema: &Schema) -> Vec<FieldName> {
        let paths = paths_in(text).into_iter();
        let fields = paths.flat_map(|path| {
            let names: Vec<&str> = path.segments.iter().map(String::as_str).collect();
            fields_at(&names, schema)
        });
        fields.map(|(field, _)| field).collect()
    }

    /// The fields that it reads; the id is not among them.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &FieldName> {
        self.reads.iter().map(|read| &read.field).filter(|field| **field != *ID)
    }

    /// What it gives, as the compiler knows it.
    pub(crate) fn gives(&self) -> &VrlKind {
        &self.gives
    }

    /// Its value for a record; the error is a sentence without values.
    pub(crate) fn run(&self, record: &Record) -> Result<Value, String> {
        let mut object = ObjectMap::new();
        for read in &self.reads {
            let value = match record.fields.get(read.field.as_str()) {
                _ if read.field == *ID => VrlValue::from(record.id.as_str()),
                Some(value) => to_vrl(value),
                None => VrlValue::Null,
            };
            put(&mut object, &read.path, value);
        }
        let (mut value, mut metadata, mut secrets) =
            (VrlValue::Object(object), VrlValue::Object(ObjectMap::new()), Secrets::new());
        let mut target = TargetValueRef { value: &mut value, metadata: &mut metadata, secrets: &mut secrets };
        let zone = TimeZone::parse("UTC").unwrap_or_default();
        let given = Runtime::new(RuntimeState::default()).resolve(&mut target, &self.program, &zone);
        given
            .map_err(|end| match end {
                Terminate::Abort(ExpressionError::Abort { .. }) => {
                    "the expression gave the record up (`abort`)".to_owned()
                }
                Terminate::Interrupted => "the expression was interrupted".to_owned(),
                Terminate::Abort(error) | Terminate::Error(error) => wording::at_run_time(&error),
            })
            .and_then(|value| from_vrl(value).ok_or_else(|| "the expression gives a number out of range".to_owned()))
    }
}

fn put(object: &mut ObjectMap, path: &[KeyString], value: VrlValue) {
    let Some((first, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        object.insert(first.clone(), value);
        return;
    }
    let inner = object.entry(first.clone()).or_insert_with(|| VrlValue::Object(ObjectMap::new()));
    if !matches!(inner, VrlValue::Object(_)) {
        *inner = VrlValue::Object(ObjectMap::new());
    }
    if let VrlValue::Object(inner) = inner {
        put(inner, rest, value);
    }
}

/// The record's type: each field under its name, and dotted names as structure too, where no field has the
/// name of the whole.
///
/// The compiler copies it for each of its steps, so of a schema of hundreds of fields it is told only those that the
/// expression names, unless that speaks of the record as a whole.
fn object_kind(text: &str, schema: &Schema) -> VrlKind {
    let named: Option<HashSet<FieldName>> =
        (!names_the_record(text)).then(|| Expression::named(text, schema).into_iter().collect());
    let is_named = |field: &&handover_model::Field| named.as_ref().is_none_or(|named| named.contains(&field.name));
    let mut root: BTreeMap<VrlField, VrlKind> = BTreeMap::from([(ID.into(), VrlKind::bytes())]);
    for field in schema.fields.iter().filter(|field| field.name != *ID).filter(is_named) {
        let parts: Vec<&str> = field.name.as_str().split('.').collect();
        let kind = kind_of(&field.kind);
        if is_structured(field.name.as_str(), schema) {
            add_part(&mut root, &parts, kind.clone());
        }
        root.insert(field.name.as_str().into(), kind);
    }
    VrlKind::object(Collection::from_parts(root, VrlKind::undefined()))
}

fn add_part(level: &mut BTreeMap<VrlField, VrlKind>, parts: &[&str], kind: VrlKind) {
    match parts {
        [] => {}
        [name] => drop(level.insert((*name).into(), kind)),
        [name, rest @ ..] => {
            let key: VrlField = (*name).into();
            let mut known = level
                .get(&key)
                .and_then(VrlKind::as_object)
                .map_or_else(BTreeMap::new, |object| object.known().clone());
            add_part(&mut known, rest, kind);
            level.insert(key, VrlKind::object(Collection::from_parts(known, VrlKind::undefined())));
        }
    }
}

/// Whether a dotted field can be reached part by part: no shorter name on its way is a field itself.
fn is_structured(name: &str, schema: &Schema) -> bool {
    let heads = name.match_indices('.').filter_map(|(at, _)| name.get(..at));
    name.contains('.') && heads.clone().all(|head| !head.is_empty() && schema.field(head).is_none())
}

/// The fields that a query of the compiled program touches.
fn reads_of(segments: &[OwnedSegment], schema: &Schema) -> Vec<Read> {
    let names: Vec<&str> = segments
        .iter()
        .map_while(|segment| match segment {
            OwnedSegment::Field(name) => Some(name.as_str()),
            OwnedSegment::Index(_) => None,
        })
        .collect();
    fields_at(&names, schema)
        .into_iter()
        .map(|(field, flat)| {
            let parts = if flat {
                vec![field.as_str().into()]
            } else {
                field.as_str().split('.').map(KeyString::from).collect()
            };
            Read { path: parts, field }
        })
        .collect()
}

/// The fields that a path names, and whether under their whole name: the field itself, the field whose part
/// it is, all fields below it, or every field for the record as a whole.
fn fields_at(names: &[&str], schema: &Schema) -> Vec<(FieldName, bool)> {
    let Some(first) = names.first() else {
        let mut all: Vec<_> = schema.fields.iter().map(|field| (field.name.clone(), true)).collect();
        all.push((ID.into(), true));
        return all;
    };
    if *first == ID {
        return vec![(ID.into(), true)];
    }
    if let Some(field) = schema.field(first) {
        return vec![(field.name.clone(), true)];
    }
    let whole = names.join(".");
    let structured = schema.fields.iter().filter(|field| is_structured(field.name.as_str(), schema));
    structured
        .filter(|field| {
            let name = field.name.as_str();
            let (short, long) = if name.len() <= whole.len() { (name, whole.as_str()) } else { (whole.as_str(), name) };
            long == short || long.strip_prefix(short).is_some_and(|rest| rest.starts_with('.'))
        })
        .map(|field| (field.name.clone(), false))
        .collect()
}

/// Paths in the text that name no field of the schema, or another one than they seem to.
fn unknown_fields(text: &str, schema: &Schema) -> Vec<Fault> {
    let wrong = |path: paths::NamedPath| {
        let names: Vec<&str> = path.segments.iter().map(String::as_str).collect();
        let name = names.join(".");
        let found = fields_at(&names, schema);
        // The path would be a part of the shorter field, which has none: null for every record.
        let hides = found.first().is_some_and(|(field, _)| *field != *name) && schema.field(&name).is_some();
        let (message, hint) = if hides {
            let first = names.first().copied().unwrap_or_default();
            let message = format!("`{name}` is a field beside `{first}`, of which `.{name}` would be a part");
            (message, Some(format!("write `.{name:?}`")))
        } else if found.is_empty() {
            let known = schema.fields.iter().map(|field| field.name.as_str());
            let hint = did_you_mean(&name, known).map(|hint| hint.replacen('`', "`.", 1));
            (format!("`{}` has no field `{name}`", schema.object), hint)
        } else {
            return None;
        };
        Some(Fault { code: "unknown_field", message, at: path.at, hint })
    };
    paths_in(text).into_iter().filter_map(wrong).collect()
}
