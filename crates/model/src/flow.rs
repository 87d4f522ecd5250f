//! A flow: one object of one system paired with one of another, and the rules between them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{CohortName, FieldName, FlowName, ObjectName, Removals, Side, SystemName, Value};

/// Where in the project a thing is written: what every message about it names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file, relative to the project.
    pub file: Arc<str>,
    /// The line, from 1; 0 when the file as a whole is meant.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

/// One side of a flow.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct End {
    /// The system.
    pub system: SystemName,
    /// The object in it.
    pub object: ObjectName,
}

/// An object in one system paired with an object in another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Its name.
    pub name: FlowName,
    /// Where records come from.
    pub source: End,
    /// Where they go.
    pub target: End,
    /// Which records of the source object belong to this flow; all when `None`.
    pub scope: Option<Scope>,
    /// The cohorts that its records can be in, in the project's order: a record is in the first whose filter holds.
    pub cohorts: Vec<(CohortName, Scope)>,
    /// The target field that holds the source key `system:object:id`, if the target has one.
    pub key: Option<FieldName>,
    /// How a target record is found that a source record already is, in this order.
    pub matching: Vec<MatchKey>,
    /// Which value wins on a matched record, unless the field's rule says otherwise.
    pub keep: Keep,
    /// The field rules, one for each target field.
    pub rules: Vec<Rule>,
    /// Source fields that are left out, and why.
    pub excluded: BTreeMap<FieldName, (String, Place)>,
    /// Rules for the way back, one for each source field, read over the target's record: for source fields
    /// whose rule cannot simply be turned round.
    pub back: Vec<Rule>,
    /// Whether what people change and create in the target goes back into the source.
    pub both_ways: bool,
    /// Who may change its fields, unless a field's rule says otherwise.
    pub ownership: Ownership,
    /// What becomes of the counterparts of records that were deleted or merged.
    pub removals: Removals,
    /// Where the flow is written.
    pub place: Place,
}

/// Who may change a field of two records that are kept in step, and what becomes of edits on both sides.
#[derive(Clone, Debug, std::default::Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ownership {
    /// The side that is the field's system of record; `None` where that is not said.
    pub owner: Option<Owner>,
    /// The side that it is once the record's cohort has moved; `None` where that is not said: what the source owned
    /// is the target's then.
    pub then: Option<Owner>,
    /// What becomes of a field that both sides changed; `None` where that is not said: a person is asked.
    pub conflict: Option<Conflict>,
}

/// Who may change a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// The source is the system of record.
    Source,
    /// The target is the system of record.
    Target,
    /// Both sides may change it.
    Both,
}

/// What becomes of a field that both sides changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conflict {
    /// A person is asked.
    Ask,
    /// A rule decides.
    Keep(Keep),
    /// A VRL expression over both values (`.source`, `.target`) decides: it gives `source`, `target`, or nothing to
    /// ask a person.
    Expression(Scope),
}

/// An expression that decides: which records belong to a flow or a cohort, or which side wins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// A VRL expression; of a filter over the source record, true for records that belong.
    pub expression: String,
    /// Where it is written.
    pub place: Place,
}

/// How one target field gets its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The target field.
    pub target: FieldName,
    /// Where the value comes from.
    pub from: From,
    /// Named steps that it goes through, in order.
    pub steps: Vec<Step>,
    /// The translation table that it is looked up in, after the steps.
    pub table: Option<String>,
    /// What is written when the value is blank.
    pub default: Option<Default>,
    /// Which value wins on a matched record; the flow's `keep` when `None`.
    pub keep: Option<Keep>,
    /// Who may change the field; the flow's where nothing is said.
    pub ownership: Ownership,
    /// For links: the flow whose pairs are meant, when several pair the same objects.
    pub flow: Option<FlowName>,
    /// For links: write the record without waiting for a held parent, add the link when it is released.
    pub later: bool,
    /// Why the target's total of this field may differ from the source's (an amount in another unit):
    /// without it, `verify` reports a sum that the rule changed.
    pub recalculated: Option<String>,
    /// Where the rule is written.
    pub place: Place,
}

/// Where a rule's value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum From {
    /// Source fields; `id` is the record's own id. Of several, links are united in order, of anything
    /// else the first that is not blank is taken.
    Fields(Vec<FieldName>),
    /// A VRL expression over the source record.
    Expression(String),
    /// The same value for every record.
    Constant(Value),
}

/// A default value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Default(pub Value);

/// A named step with its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its name: `trim`, `phone`, ...
    pub name: String,
    /// Its arguments: `{region: US}`.
    pub arguments: BTreeMap<String, Value>,
    /// Where it is written.
    pub place: Place,
}

/// One key by which a counterpart is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchKey {
    /// How its values are made comparable.
    pub kind: MatchKind,
    /// Source fields whose values count, `id` for the record's own id.
    pub source: Vec<FieldName>,
    /// Target fields whose values count.
    pub target: Vec<FieldName>,
    /// The region in which phone numbers without a country code stand (ISO 3166 alpha-2).
    pub region: Option<String>,
    /// Where it is written.
    pub place: Place,
}

/// How match values are made comparable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchKind {
    /// An id of the source that the target holds, compared as it is.
    ExternalId,
    /// An e-mail address, compared without case and surrounding blanks.
    Email,
    /// A phone number, compared in its international form.
    Phone,
    /// A web domain, compared without scheme, `www.` and path.
    Domain,
    /// Text, compared without case, surrounding and repeated blanks.
    Text,
}

/// Survivorship: which value wins on a record that both sides had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// The source's, unless it is blank.
    Source,
    /// The target's, always.
    Target,
    /// The target's unless it is blank.
    FillEmpty,
    /// That of the record which was modified later.
    Newest,
    /// The one that says more: the longer text, the longer list, anything rather than nothing.
    MostComplete,
    /// Both, the target's first, with this between them, unless one contains the other.
    Concatenate(String),
}

/// A translation table: a source value to a target value.
#[derive(Clone, Debug, std::default::Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its name: the file is `translations/NAME.csv`.
    pub name: String,
    /// Its rows by source value.
    pub rows: BTreeMap<String, TableRow>,
    /// Where the file is.
    pub place: Place,
}

/// One row of a translation table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableRow {
    /// The target value.
    pub to: String,
    /// Where the row is.
    pub place: Place,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (0, _) => write!(f, "{}", self.file),
            (line, 0) => write!(f, "{}:{line}", self.file),
            (line, column) => write!(f, "{}:{line}:{column}", self.file),
        }
    }
}

impl Rule {
    /// A rule that says nothing but where the value comes from.
    pub fn new(target: impl Into<FieldName>, from: From) -> Self {
        Self {
            target: target.into(),
            from,
            steps: Vec::new(),
            table: None,
            default: None,
            keep: None,
            ownership: Ownership::default(),
            flow: None,
            later: false,
            recalculated: None,
            place: Place::default(),
        }
    }
}

impl End {
    /// This object of this system.
    pub fn new(system: impl Into<SystemName>, object: impl Into<ObjectName>) -> Self {
        Self { system: system.into(), object: object.into() }
    }
}

impl Flow {
    /// A flow one way that says nothing but its rules: all records, no key, nothing to match by, and on a matched record
    /// only what is blank is filled.
    pub fn new(name: impl Into<FlowName>, source: End, target: End, rules: Vec<Rule>) -> Self {
        Self {
            name: name.into(),
            source,
            target,
            scope: None,
            cohorts: Vec::new(),
            key: None,
            matching: Vec::new(),
            keep: Keep::FillEmpty,
            rules,
            excluded: BTreeMap::new(),
            back: Vec::new(),
            both_ways: false,
            ownership: Ownership::default(),
            removals: Removals::default(),
            place: Place::default(),
        }
    }

    /// Who may change a field until its record's cohort moves, and since then: by the word of its rule, or the
    /// flow's.
    pub fn owners(&self, rule: Option<&Rule>) -> (Option<Owner>, Option<Owner>) {
        let said = rule.map(|rule| &rule.ownership).filter(|said| said.owner.is_some());
        let Ownership { owner, then, .. } = said.unwrap_or(&self.ownership);
        (*owner, then.or(owner.map(Owner::passed)))
    }

    /// What decides about a field that both sides changed.
    pub fn conflict<'f>(&'f self, rule: &'f Rule) -> &'f Conflict {
        let said = rule.ownership.conflict.as_ref().or(self.ownership.conflict.as_ref());
        said.unwrap_or(&Conflict::Ask)
    }

    /// The end on one side.
    pub fn end(&self, side: Side) -> &End {
        match side {
            Side::Source => &self.source,
            Side::Target => &self.target,
        }
    }
}

impl Owner {
    /// Who owns what this side owned once its cohort has moved.
    #[must_use]
    pub fn passed(self) -> Self {
        match self {
            Self::Source | Self::Target => Self::Target,
            Self::Both => Self::Both,
        }
    }

    /// The word for it, as the project file writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Target => "target",
            Self::Both => "both",
        }
    }
}

impl MatchKind {
    /// The word for it, as the project file writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::ExternalId => "external_id",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Domain => "domain",
            Self::Text => "text",
        }
    }
}
