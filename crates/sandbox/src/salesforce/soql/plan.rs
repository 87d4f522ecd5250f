//! A query whose names exist.

use super::ast::{Literal, Operator};
use crate::salesforce::schema::Field;

/// A step to a parent.
#[derive(Clone, Debug)]
pub(in super::super) struct Hop {
    /// The lookup's field.
    pub(in super::super) lookup: String,
    /// What the way is called in results.
    pub(in super::super) relationship: String,
}

/// What stands at the end of a path.
#[derive(Clone, Debug)]
pub(in super::super) enum Leaf {
    Field(Box<Field>),
    /// `What.Type`: the object of the record that a lookup of many objects points to.
    Type,
}

/// A path from a record to a value.
#[derive(Clone, Debug)]
pub(in super::super) struct Route {
    pub(in super::super) hops: Vec<Hop>,
    pub(in super::super) leaf: Leaf,
    pub(in super::super) at: usize,
}

impl Route {
    /// The name of the last part.
    pub(in super::super) fn name(&self) -> &str {
        match &self.leaf {
            Leaf::Field(field) => &field.name,
            Leaf::Type => "Type",
        }
    }

    pub(in super::super) fn field(&self) -> Option<&Field> {
        match &self.leaf {
            Leaf::Field(field) => Some(field),
            Leaf::Type => None,
        }
    }

    /// The field, if it is one of the queried object itself.
    pub(in super::super) fn own(&self) -> Option<&Field> {
        if self.hops.is_empty() { self.field() } else { None }
    }

    /// `Account.Name`.
    pub(in super::super) fn text(&self) -> String {
        let hops = self.hops.iter().map(|hop| hop.relationship.as_str());
        hops.chain([self.name()]).collect::<Vec<_>>().join(".")
    }
}

#[derive(Clone, Debug)]
pub(in super::super) enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
    Compare { route: Route, operator: Operator, values: Vec<Literal> },
    Semijoin { route: Route, inside: bool, plan: Box<Plan> },
}

#[derive(Clone, Debug)]
pub(in super::super) enum Output {
    Field(Route),
    Children { name: String, field: Box<Field>, plan: Box<Plan> },
    Aggregate { function: String, route: Option<Route>, alias: String },
    TypeOf { hop: Hop, cases: Vec<(String, Vec<Route>)>, other: Vec<Route> },
}

#[derive(Clone, Debug)]
pub(in super::super) struct Sort {
    pub(in super::super) route: Route,
    pub(in super::super) descending: bool,
    pub(in super::super) nulls_last: bool,
}

/// A query that can be answered.
#[derive(Clone, Debug)]
pub(in super::super) struct Plan {
    pub(in super::super) object: String,
    pub(in super::super) outputs: Vec<Output>,
    pub(in super::super) test: Option<Test>,
    pub(in super::super) group: Vec<Route>,
    pub(in super::super) order: Vec<Sort>,
    pub(in super::super) limit: Option<usize>,
    pub(in super::super) offset: usize,
    /// `SELECT COUNT()`: the number alone.
    pub(in super::super) count: bool,
}

impl Plan {
    /// Whether it gives groups instead of records.
    pub(in super::super) fn aggregates(&self) -> bool {
        !self.group.is_empty() || self.outputs.iter().any(|output| matches!(output, Output::Aggregate { .. }))
    }
}
