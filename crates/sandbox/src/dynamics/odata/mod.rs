//! The query language of URLs (sheet: section 2): `$filter` and the options around it.

mod check;
mod eval;
mod lexer;
mod options;
mod parse;

pub(super) use check::check;
pub(super) use eval::{Row, compare, holds, value};
pub(super) use options::{Expand, Options, Order};
pub(super) use parse::parse;

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    Compare(Term, Op, Term),
    /// `contains(a, 'x')` and its like.
    Text(TextOp, Path, String),
    /// `Microsoft.Dynamics.CRM.In(...)`; true when it is `NotIn`.
    In(Path, Vec<String>, bool),
    /// `nav/any(x:...)`: the navigation, any or all, the variable, the condition.
    Lambda(Path, bool, String, Option<Box<Expr>>),
}

/// Names that slashes separate.
pub(super) type Path = Vec<String>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextOp {
    Contains,
    StartsWith,
    EndsWith,
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Term {
    Path(Path),
    Value(Literal),
}

/// A value as it is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Guid(String),
    /// `2026-01-31`.
    Day(String),
    /// A stamp.
    Time(String),
}
