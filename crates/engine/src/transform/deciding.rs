//! Expressions that decide: which records belong to a flow or a cohort, and which side wins where both changed a field.

use handover_model::{Conflict, Field, Finding, Flow, Schema, Scope, Weight};
use vrl::prelude::Kind as VrlKind;

use super::compile::{Built, can_give, fault_at, wording};
use super::expression::Expression;

impl Built {
    /// A filter over the source's records.
    pub(super) fn filter(&mut self, scope: &Scope, what: &str, source: &Schema) -> Option<Expression> {
        match Expression::compile(&scope.expression, source) {
            Ok(expression) => {
                self.scope_reads.extend(expression.fields().cloned());
                if !can_give(expression.gives(), &VrlKind::boolean()) {
                    let gives = wording(expression.gives());
                    let message = format!("{what} must be true or false for each record; this gives {gives}");
                    self.findings.push(Finding::new(Weight::Error, "wrong_type", message).at(&scope.place));
                }
                Some(expression)
            }
            Err(faults) => {
                self.scope_reads.extend(Expression::named(&scope.expression, source));
                self.findings.extend(faults.into_iter().map(|fault| fault_at(fault, &scope.expression, &scope.place)));
                None
            }
        }
    }

    /// The expressions that decide about what both sides changed, over both values.
    pub(super) fn conflicts(&mut self, flow: &Flow, target: &Schema) {
        for (at, rule) in flow.rules.iter().enumerate() {
            let Conflict::Expression(scope) = flow.conflict(rule) else { continue };
            let Some(field) = target.field(rule.target.as_str()) else { continue };
            let sides = both_values(field);
            match Expression::compile(&scope.expression, &sides) {
                Ok(expression) => {
                    if !can_give(expression.gives(), &VrlKind::bytes()) {
                        let message = format!(
                            "`conflict` must give \"source\", \"target\", or nothing to ask a person; for `{}` this gives {}",
                            rule.target,
                            wording(expression.gives())
                        );
                        self.findings.push(Finding::new(Weight::Error, "wrong_type", message).at(&scope.place));
                    }
                    self.conflicts.insert(at, expression);
                }
                Err(faults) => {
                    let faults = faults.into_iter().map(|fault| fault_at(fault, &scope.expression, &scope.place));
                    self.findings.extend(faults);
                }
            }
        }
    }
}

/// What an expression about a conflict sees: both sides' values of a field, in the target's terms.
fn both_values(field: &Field) -> Schema {
    let side = |name: &str| Field { name: name.into(), ..field.clone() };
    Schema {
        object: "conflict".into(),
        label: String::new(),
        fields: vec![side(SOURCE), side(TARGET)],
        name: None,
        content: false,
        own: std::collections::BTreeMap::new(),
    }
}

/// The names of both values of a field in an expression about a conflict.
pub(super) const SOURCE: &str = "source";
pub(super) const TARGET: &str = "target";
