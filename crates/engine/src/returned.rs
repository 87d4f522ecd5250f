//! What the way back makes of a target record, by rule.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use handover_model::{Cause, FieldName, Fields, Record, RecordId, Value};

use crate::back::Back;
use crate::merge::same;
use crate::setup::Ready;
use crate::transform::put;

/// Why a field cannot go back, and the value in question.
pub(crate) type Cannot = (Cause, Option<Value>);

/// What the way back makes of a target record.
pub(crate) struct Returned {
    /// By rule: the value for its source field, none where it leaves the field alone, or why it cannot be told.
    pub(crate) rules: BTreeMap<usize, Result<Option<Value>, Cannot>>,
    /// By rule and source record: the target record that it is linked as.
    pub(crate) found: HashMap<(usize, String), RecordId>,
    /// Rules that left a link out, since nobody stands for whom it leads to: what they make is not what the target says.
    pub(crate) left_out: BTreeSet<usize>,
    /// Links to records of which nothing is known, by rule.
    pub(crate) unknown: Vec<(usize, RecordId)>,
    /// Rules with links to records that are still to be read (see [`crate::unread`]).
    pub(crate) awaited: BTreeSet<usize>,
}

impl Returned {
    /// Whether the source says already what would go back of a target field.
    pub(crate) fn equals_source(&self, ready: &Ready, name: &FieldName, source: &Record) -> bool {
        let Some(back) = &ready.back else { return false };
        let rules = back.rules_of(name);
        !rules.is_empty()
            && rules.iter().all(|rule| {
                if self.left_out.contains(rule) {
                    return false;
                }
                let value = match self.rules.get(rule) {
                    Some(Ok(Some(value))) => value,
                    Some(Ok(None)) => return true,
                    Some(Err(_)) | None => return false,
                };
                let field = &back.ready.flow.rules[*rule].target;
                let have = source.fields.get(field.as_str()).unwrap_or(&Value::Null);
                let kind = back.ready.target_field(field).map(|field| &field.kind);
                same(kind, &put(&back.parts[*rule], have, value.clone()), have)
            })
    }

    /// Everything that the rules make, by the source's fields.
    pub(crate) fn all(&self, back: &Back) -> Fields {
        let made = self.rules.iter().filter_map(|(rule, value)| Some((rule, value.as_ref().ok()?.clone()?)));
        made.map(|(rule, value)| (back.ready.flow.rules[*rule].target.clone(), value)).collect()
    }

    /// The source's fields as these rules make them; or why one of them cannot.
    pub(crate) fn fields(&self, back: &Back, rules: &BTreeSet<usize>, source: &Record) -> Result<Fields, Cannot> {
        let mut fields = Fields::new();
        for rule in rules {
            let name = &back.ready.flow.rules[*rule].target;
            let value = match self.rules.get(rule) {
                Some(Ok(Some(value))) => value.clone(),
                Some(Err(cause)) => return Err(cause.clone()),
                Some(Ok(None)) | None => continue,
            };
            let have = fields.get(name.as_str()).or_else(|| source.fields.get(name.as_str())).unwrap_or(&Value::Null);
            let value = put(&back.parts[*rule], have, value);
            if value.is_blank() && back.ready.required.contains(name) {
                return Err((Cause::Missing { field: name.clone() }, None));
            }
            fields.set(name.clone(), value);
        }
        // What the source says already is not written.
        let changed = fields.into_iter().filter(|(name, value)| {
            let kind = back.ready.target_field(name).map(|field| &field.kind);
            !same(kind, value, source.fields.get(name.as_str()).unwrap_or(&Value::Null))
        });
        Ok(changed.collect())
    }
}
