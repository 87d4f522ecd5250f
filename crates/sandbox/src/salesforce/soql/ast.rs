//! A query as it was written, before anyone looked whether its names exist.

/// A name with dots, and where it stands in the text.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Path {
    pub(in super::super) parts: Vec<String>,
    /// Offset of its first character.
    pub(in super::super) at: usize,
}

impl Path {
    pub(in super::super) fn text(&self) -> String {
        self.parts.join(".")
    }
}

/// A value in a condition.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Literal {
    Null,
    Bool(bool),
    Text(String),
    Number(f64),
    Date(String),
    Datetime(i64),
    /// `TODAY`, `LAST_N_DAYS:30`.
    Period(String, i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
    In,
    NotIn,
    Includes,
    Excludes,
}

#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Compare {
        path: Path,
        operator: Operator,
        values: Vec<Literal>,
    },
    /// `AccountId IN (SELECT ...)`.
    Semijoin {
        path: Path,
        inside: bool,
        query: Box<Query>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Item {
    Field(Path),
    /// A subquery over children.
    Children(Query),
    /// `FIELDS(ALL)`, `FIELDS(STANDARD)`, `FIELDS(CUSTOM)`.
    Fields {
        group: String,
        at: usize,
    },
    /// `COUNT(Id)`, `MAX(Amount) best`.
    Aggregate {
        function: String,
        path: Option<Path>,
        alias: Option<String>,
        at: usize,
    },
    /// `TYPEOF What WHEN Account THEN Phone ELSE Name END`.
    TypeOf {
        path: Path,
        cases: Vec<(String, Vec<Path>)>,
        other: Vec<Path>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Order {
    pub(in super::super) path: Path,
    pub(in super::super) descending: bool,
    pub(in super::super) nulls_last: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Query {
    pub(in super::super) items: Vec<Item>,
    pub(in super::super) from: Path,
    pub(in super::super) alias: Option<String>,
    pub(in super::super) condition: Option<Condition>,
    pub(in super::super) group: Vec<Path>,
    pub(in super::super) order: Vec<Order>,
    pub(in super::super) limit: Option<usize>,
    pub(in super::super) offset: Option<usize>,
}
