//! A flow turned round: the rules by which what changed in the target goes back into the source.
//!
//! A rule is turned round step by step. What a step only puts into one form goes back as it is, what it
//! computes goes back through its opposite, and what it takes out of a list goes back into its place in the list
//! that the source has now. What cannot be turned round is said with a reason, and goes one way unless the flow
//! has a rule of its own for the way back.
//!
//! Invariant: going back never undoes what was not changed. Whoever carries a value back looks first whether the
//! source gives that very value already.

use std::collections::{BTreeMap, HashMap};

use handover_model::{
    Field, FieldName, Flow, FlowName, From, Keep, Kind, Place, Rule, Schema, Step, Table, TableRow, Value, Writable,
};

use super::Tables;
use super::expression::ID;
use super::functions::primary_of;
use super::registry::{Back, Function, Part};

/// What stands behind the name of a flow or a table that was turned round. No name in a project has a dot.
const BACK: &str = ".back";

/// The flow of which this is the way back (or the table that is read from right to left).
pub fn forth_of(name: &FlowName) -> Option<FlowName> {
    name.as_str().strip_suffix(BACK).map(FlowName::from)
}

/// The name of a flow's way back.
pub fn back_of(name: &FlowName) -> FlowName {
    format!("{name}{BACK}").into()
}

/// A flow for the way back.
#[derive(Clone, Debug)]
pub struct Reversed {
    /// The flow from the target to the source, with a rule for each value that can go back.
    pub flow: Flow,
    /// For each rule: the part of the source field's list that it makes, the outermost first; empty when it makes
    /// the whole field.
    pub parts: Vec<Vec<Part>>,
    /// For each rule: the rule of the forward flow that it turns round; `None` for one that the flow brings.
    pub forward: Vec<Option<usize>>,
    /// The tables that its rules name.
    pub tables: Tables,
    /// Target fields of which changes do not go back.
    pub one_way: Vec<OneWay>,
}

impl Reversed {
    /// Leaves a rule out: changes of the target field that it reads stay where they are.
    pub(crate) fn leave(&mut self, at: usize, why: String) {
        if at >= self.flow.rules.len() {
            return;
        }
        let rule = self.flow.rules.remove(at);
        self.parts.remove(at);
        self.forward.remove(at);
        if let From::Fields(names) = rule.from
            && let [target] = names.as_slice()
        {
            self.one_way.push(OneWay { target: target.clone(), why, place: rule.place });
        }
    }
}

/// A rule that is not turned round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneWay {
    /// The target field.
    pub target: FieldName,
    /// Why changes of it stay where they are, in words.
    pub why: String,
    /// Where the rule is written.
    pub place: Place,
}

/// Turns a flow round. Rules under `back` come instead of those that would write the same source field.
pub fn reversed(flow: &Flow, source: &Schema, tables: &Tables) -> Reversed {
    let mut rules: Vec<(Rule, Vec<Part>, Option<usize>)> = Vec::new();
    let mut one_way = Vec::new();
    let mut turned = BTreeMap::new();
    let own = |name: &FieldName| flow.back.iter().any(|rule| rule.target == *name);
    for (at, rule) in flow.rules.iter().enumerate() {
        let why = match turned_round(rule, source) {
            Ok((back, _)) if own(&back.target) => continue,
            Ok((back, parts)) => {
                turned.extend(back.table.clone().zip(rule.table.clone()));
                rules.push((back, parts, Some(at)));
                continue;
            }
            // A rule for the way back covers what it reads.
            Err(_) if flow.back.iter().any(|back| reads(back, &rule.target)) => continue,
            Err(why) => why,
        };
        one_way.push(OneWay { target: rule.target.clone(), why, place: rule.place.clone() });
    }
    let mut tables = tables.clone();
    for rule in &flow.back {
        let mut rule = rule.clone();
        if let Some(name) = rule.table.take() {
            let back = format!("{name}{BACK}");
            turned.insert(back.clone(), name);
            rule.table = Some(back);
        }
        rules.push((rule, Vec::new(), None));
    }
    for (back, name) in turned {
        let table = tables.0.get(&name).map(|table| turned_table(table, &back));
        tables.0.extend(table.map(|table| (back, table)));
    }
    let mut parts = Vec::new();
    let mut forward = Vec::new();
    let mut kept = Vec::new();
    for (rule, of, from) in rules {
        kept.push(rule);
        parts.push(of);
        forward.push(from);
    }
    Reversed { flow: around(flow, kept), parts, forward, tables, one_way }
}

/// The flow with its ends exchanged.
fn around(flow: &Flow, rules: Vec<Rule>) -> Flow {
    let matching = flow.matching.iter().map(|key| handover_model::MatchKey {
        source: key.target.clone(),
        target: key.source.clone(),
        ..key.clone()
    });
    Flow {
        name: back_of(&flow.name),
        source: flow.target.clone(),
        target: flow.source.clone(),
        scope: None,
        // Which cohort a pair is in tells its source record.
        cohorts: Vec::new(),
        // The source key says which record of the source it is: the source has no such field itself.
        key: None,
        matching: matching.collect(),
        keep: other_side(&flow.keep),
        rules,
        excluded: BTreeMap::new(),
        back: Vec::new(),
        ..flow.clone()
    }
}

/// Survivorship with the sides exchanged.
fn other_side(keep: &Keep) -> Keep {
    match keep {
        Keep::Source => Keep::Target,
        Keep::Target => Keep::Source,
        Keep::FillEmpty | Keep::Newest | Keep::MostComplete | Keep::Concatenate(_) => keep.clone(),
    }
}

fn reads(back: &Rule, target: &FieldName) -> bool {
    match &back.from {
        From::Fields(names) => names.contains(target),
        From::Expression(text) => text.contains(target.as_str()),
        From::Constant(_) => false,
    }
}

/// A rule for the source field that a rule reads, or why there is none.
fn turned_round(rule: &Rule, source: &Schema) -> Result<(Rule, Vec<Part>), String> {
    let name = match &rule.from {
        From::Constant(_) => return Err("it is the same for every record".to_owned()),
        From::Expression(_) => {
            return Err(
                "an expression cannot be turned round: write the source field's own rule under `back`".to_owned()
            );
        }
        From::Fields(names) => match names.as_slice() {
            [name] if *name == *ID => return Err("it is the record's id".to_owned()),
            [name] => name,
            _ => return Err("it is made of several source fields: write their rules under `back`".to_owned()),
        },
    };
    let field = source.field(name.as_str()).ok_or_else(|| format!("the source has no field `{name}`"))?;
    if field.writable != Writable::Always {
        return Err(format!("`{name}` cannot be written in the source"));
    }
    let (steps, parts) = turned_steps(&rule.steps)?;
    if !parts.is_empty() && !holds_entries(field) {
        return Err(format!("`{name}` holds no list"));
    }
    let back = Rule {
        steps,
        table: rule.table.as_ref().map(|table| format!("{table}{BACK}")),
        keep: rule.keep.as_ref().map(other_side),
        ownership: rule.ownership.clone(),
        flow: rule.flow.as_ref().map(back_of),
        later: rule.later,
        place: rule.place.clone(),
        ..Rule::new(name.clone(), From::Fields(vec![rule.target.clone()]))
    };
    Ok((back, parts))
}

fn holds_entries(field: &Field) -> bool {
    matches!(field.kind, Kind::Email { many: true } | Kind::Phone { many: true })
}

/// The steps of the way back, in their order, and the part of the list that they make.
fn turned_steps(steps: &[Step]) -> Result<(Vec<Step>, Vec<Part>), String> {
    let mut back = Vec::new();
    let mut parts = Vec::new();
    for step in steps {
        let Some(function) = Function::named(&step.name) else {
            return Err(format!("there is no step `{}`", step.name));
        };
        match function.back {
            Back::Same => {}
            Back::Lost => return Err(format!("the step `{}` cannot be turned round", step.name)),
            Back::Step(name) => back.push(Step { name: name.to_owned(), ..step.clone() }),
            Back::Part(_) if !back.is_empty() => {
                return Err(format!("what stands before the step `{}` cannot be turned round", step.name));
            }
            Back::Part(part) => parts.push(part),
        }
    }
    back.reverse();
    Ok((back, parts))
}

/// A table read from right to left. A value that several rows lead to has no row: which of them is meant is for a
/// person to say.
fn turned_table(table: &Table, name: &str) -> Table {
    let mut found: HashMap<&str, Vec<(&String, &TableRow)>> = HashMap::new();
    for (from, row) in table.rows.iter().filter(|(_, row)| !row.to.is_empty()) {
        found.entry(row.to.as_str()).or_default().push((from, row));
    }
    let rows = found.into_iter().filter_map(|(to, rows)| match rows.as_slice() {
        [(from, row)] => Some((to.to_owned(), TableRow { to: (*from).clone(), place: row.place.clone() })),
        _ => None,
    });
    Table { name: name.to_owned(), rows: rows.collect(), place: table.place.clone() }
}

/// Puts a part back into the list that the source field has: everything else in it stays.
pub fn put(parts: &[Part], list: &Value, new: Value) -> Value {
    let Some((part, inner)) = parts.split_first() else { return new };
    let entries: Vec<Value> = match list {
        Value::List(items) => items.iter().filter(|item| !item.is_blank()).cloned().collect(),
        blank if blank.is_blank() => Vec::new(),
        single => vec![single.clone()],
    };
    let primary = primary_of(&entries).cloned();
    let is_primary = |entry: &Value| primary.is_some() && Some(bare(entry)) == primary.as_ref();
    let at = match part {
        Part::Primary => entries.iter().position(is_primary).map(|at| at..at + 1).unwrap_or(0..0),
        Part::First => 0..entries.len().min(1),
        Part::Last => entries.len().saturating_sub(1)..entries.len(),
        Part::Rest => entries.len().min(1)..entries.len(),
        Part::Others => {
            let own = entries.iter().find(|entry| is_primary(entry)).cloned();
            let others: Vec<Value> = entries.iter().filter(|entry| !is_primary(entry)).cloned().collect();
            let new = put(inner, &Value::List(others.clone()), new);
            return Value::List(own.into_iter().chain(merged(&new, &others)).collect());
        }
    };
    let old = Value::List(entries.get(at.clone()).unwrap_or_default().to_vec());
    let old = if inner.is_empty() { old } else { unwrapped(*part, old) };
    let new = put(inner, &old, new);
    let mut new = merged(&new, entries.get(at.clone()).unwrap_or_default());
    if *part == Part::Primary {
        new.iter_mut().for_each(mark_primary);
    }
    let mut all = entries;
    all.splice(at, new);
    Value::List(all)
}

/// What the part's step gives: one entry, or a list.
fn unwrapped(part: Part, list: Value) -> Value {
    match (part, list) {
        (Part::Others | Part::Rest, list) => list,
        (Part::Primary | Part::First | Part::Last, Value::List(items)) => {
            items.into_iter().next().unwrap_or(Value::Null)
        }
        (_, other) => other,
    }
}

/// New values as entries: each takes the label of the old entry with the same value, else of the old entry in its
/// place.
fn merged(new: &Value, old: &[Value]) -> Vec<Value> {
    let new: Vec<&Value> = match new {
        Value::List(items) => items.iter().filter(|item| !item.is_blank()).collect(),
        blank if blank.is_blank() => Vec::new(),
        single => vec![single],
    };
    let entry = |(at, value): (usize, &&Value)| -> Value {
        if matches!(value, Value::Map(_)) {
            return (*value).clone();
        }
        let same = old.iter().find(|entry| bare(entry) == *value).or_else(|| old.get(at));
        match same {
            Some(Value::Map(parts)) => {
                let mut parts = parts.clone();
                parts.insert("value".to_owned(), (*value).clone());
                Value::Map(parts)
            }
            Some(_) => (*value).clone(),
            None => Value::Map(BTreeMap::from([("value".to_owned(), (*value).clone())])),
        }
    };
    new.iter().enumerate().map(entry).collect()
}

fn mark_primary(entry: &mut Value) {
    if let Value::Map(parts) = entry {
        parts.insert("primary".to_owned(), Value::Bool(true));
    }
}

/// The value of an entry.
fn bare(entry: &Value) -> &Value {
    match entry {
        Value::Map(parts) => parts.get("value").unwrap_or(entry),
        other => other,
    }
}
