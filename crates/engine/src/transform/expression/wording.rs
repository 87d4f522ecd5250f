//! The compiler's diagnostics in the words of people who migrate CRMs.

use std::ops::Range;

use handover_model::Schema;
use vrl::compiler::ExpressionError;
use vrl::diagnostic::{Diagnostic, DiagnosticList};

/// What is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// Where in the expression, in bytes.
    pub(crate) at: Range<usize>,
    pub(crate) hint: Option<String>,
}

pub(super) fn reword(_text: &str, diagnostics: DiagnosticList, _schema: &Schema) -> Vec<Fault> {
    diagnostics.into_iter().filter(Diagnostic::is_problem).map(|d| Fault {
        code: "expression",
        message: format!("{} {:?} {:?}", d.message, d.labels, d.notes),
        at: 0..0,
        hint: None,
    }).collect()
}

/// What failed while an expression ran, without values.
pub(super) fn at_run_time(error: &ExpressionError) -> String {
    match error {
        ExpressionError::Error { message, .. } => message.clone(),
        _ => "the expression failed".to_owned(),
    }
}
