//! What is known of an object's fields: the fixed ones, and the custom ones that a schema taught.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use handover_connect::Refusal;
use handover_model::{FieldName, Kind, Schema};

use super::form::Form;
use super::object::Object;
use super::system::{Place, System};

/// How the name of a custom field begins; its id follows, and a part for money.
pub(super) const CUSTOM: &str = "field_";
/// The parts of money.
pub(super) const AMOUNT: &str = "amount";
pub(super) const CURRENCY: &str = "currency";

/// Where a field stands.
#[derive(Clone, Debug)]
pub(super) enum Spot {
    /// A system field.
    System(&'static System),
    /// A custom value: the id of its field, and whether it is the currency of the money.
    Value { field: String, form: Form, is_currency: bool, is_money: bool },
}

impl Spot {
    /// Whether it is read in calls of its own.
    pub(super) fn is_extra(&self) -> bool {
        matches!(self, Self::System(system) if system.place == Place::Extra)
    }
}

/// What the schemas told.
#[derive(Default)]
struct Told {
    /// Custom fields.
    custom: HashMap<Object, HashMap<FieldName, Form>>,
    /// The pipeline of each stage.
    pipelines: HashMap<String, String>,
}

/// What the schemas told, for all threads.
#[derive(Default)]
pub(super) struct Known(RwLock<Told>);

impl Known {
    /// Keeps the custom fields of a schema, in place of what was known before.
    pub(super) fn learn(&self, schema: &Schema) {
        let Some(object) = Object::of(schema.object.as_str()) else { return };
        let form = |name: &FieldName, kind: &Kind| match name.as_str().rsplit_once('.') {
            Some((_, AMOUNT)) => Form::Cents,
            Some((_, CURRENCY)) => Form::Currency,
            _ => Form::of_custom(kind, object == Object::Contacts),
        };
        let custom = schema.fields.iter().filter(|field| field.custom);
        let custom = custom.map(|field| (field.name.clone(), form(&field.name, &field.kind))).collect();
        let mut told = self.0.write().unwrap_or_else(PoisonError::into_inner);
        told.custom.insert(object, custom);
        if let Some(Kind::Choice { options, .. }) = schema.field("stage").map(|field| &field.kind) {
            let stages = options.iter().filter_map(|option| Some((option.value.clone(), option.within.clone()?)));
            told.pipelines = stages.collect();
        }
    }

    /// The pipeline of a stage.
    pub(super) fn pipeline_of(&self, stage: &str) -> Option<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).pipelines.get(stage).cloned()
    }

    /// Where a field stands.
    ///
    /// # Errors
    /// When the object has no such field, or its schema was not read yet.
    pub(super) fn spot(&self, object: Object, name: &str) -> Result<Spot, Refusal> {
        if let Some(system) = object.system_field(name) {
            return Ok(Spot::System(system));
        }
        let told = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let form = told.custom.get(&object).and_then(|fields| fields.get(name)).copied();
        let id = name
            .strip_prefix(CUSTOM)
            .map(|rest| rest.split_once('.').map_or((rest, None), |(id, part)| (id, Some(part))));
        match (form, id) {
            (Some(form), Some((id, part))) => Ok(Spot::Value {
                field: id.to_owned(),
                form,
                is_currency: part == Some(CURRENCY),
                is_money: part.is_some(),
            }),
            _ => Err(Refusal::unsupported(format!(
                "`{}` has no field `{name}`, or its fields were not read yet",
                object.name()
            ))
            .with_field(name)),
        }
    }
}
