//! What is known of an object's fields: the fixed system fields, and the custom ones that a schema taught.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use handover_connect::Refusal;
use handover_model::{FieldName, Schema};

use super::form::Form;
use super::object::Object;
use super::system::{Brought, System};

/// Where a field stands in a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot<'a> {
    /// The key, at the top or within `custom_fields`.
    pub(super) base: &'a str,
    /// The part of a structured value.
    pub(super) part: Option<&'a str>,
    /// How the value, or the part, stands in JSON.
    pub(super) form: Form,
    /// The system field; `None` for a custom one.
    pub(super) system: Option<&'static System>,
}

impl Spot<'_> {
    /// Whether it is one of the customer's.
    pub(super) fn is_custom(&self) -> bool {
        self.system.is_none()
    }

    /// Whether the field is read in calls of its own.
    pub(super) fn is_extra(&self) -> bool {
        self.system.is_some_and(|field| field.brought == Brought::Extra)
    }
}

/// Custom fields as the schemas told them.
#[derive(Default)]
pub(super) struct Known(RwLock<HashMap<Object, HashMap<FieldName, Form>>>);

impl Known {
    /// Keeps the custom fields of a schema, in place of what was known before.
    pub(super) fn learn(&self, schema: &Schema) {
        let Some(object) = Object::of(schema.object.as_str()) else { return };
        let custom = schema
            .fields
            .iter()
            .filter(|field| field.custom)
            .map(|field| (field.name.clone(), Form::of_custom(&field.kind)))
            .collect();
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(object, custom);
    }

    /// Where a field stands.
    ///
    /// # Errors
    /// When the object has no such field, or its schema was not read yet.
    pub(super) fn spot<'a>(&self, object: Object, name: &'a str) -> Result<Spot<'a>, Refusal> {
        let (base, part) = match name.split_once('.') {
            Some((base, part)) => (base, Some(part)),
            None => (name, None),
        };
        if let Some(system) = object.system_field(base) {
            let form = match part {
                Some(part) if system.parts().iter().any(|(name, _)| *name == part) => system.part_form(part),
                None if system.parts().is_empty() => system.form,
                _ => return Err(unknown(object, name)),
            };
            return Ok(Spot { base, part, form, system: Some(system) });
        }
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let form = known.get(&object).and_then(|fields| fields.get(name)).ok_or_else(|| unknown(object, name))?;
        Ok(Spot { base, part, form: *form, system: None })
    }

    /// The parts of a structured field, as far as they are known.
    pub(super) fn parts(&self, object: Object, base: &str) -> Vec<String> {
        if let Some(system) = object.system_field(base) {
            return system.parts().iter().map(|(part, _)| (*part).to_owned()).collect();
        }
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let names = known.get(&object).into_iter().flat_map(HashMap::keys);
        names.filter_map(|name| name.as_str().strip_prefix(base)?.strip_prefix('.').map(ToOwned::to_owned)).collect()
    }
}

fn unknown(object: Object, name: &str) -> Refusal {
    Refusal::unsupported(format!("`{}` has no field `{name}`, or its fields were not read yet", object.name()))
        .with_field(name)
}
