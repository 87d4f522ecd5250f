//! Field rules: `target: source`, in the short and the long form.

use std::collections::BTreeMap;

use handover_model::{Default, FieldName, FlowName, From, Place, Rule, Step};

use super::flow::{Mention, Mentioned, Ways, keep, ownership};
use super::node::{Kind, Node};
use super::reader::{Entries, File, Reading, value};

/// Reads `fields` or `back`.
///
/// `ways` says what its rules may say of who owns a field.
pub(super) fn read(
    reading: &mut Reading,
    file: &File,
    node: &Node,
    ways: Ways,
    mentions: &mut Vec<Mention>,
) -> Vec<Rule> {
    let Kind::Map { entries, .. } = &node.kind else {
        reading.wrong(file, node, "fields", "a mapping of target fields to source fields");
        return Vec::new();
    };
    let mut rules = Vec::new();
    for entry in entries {
        let place = file.place(entry.key_mark);
        let target = FieldName::new(entry.key.as_str());
        rules.extend(rule(reading, file, (target, place), &entry.value, ways, mentions));
    }
    rules
}

/// Reads `exclude`: a source field and the reason for which it is left out.
pub(super) fn excluded(reading: &mut Reading, file: &File, node: &Node) -> BTreeMap<FieldName, (String, Place)> {
    let Kind::Map { entries, .. } = &node.kind else {
        reading.wrong(file, node, "exclude", "a mapping of source fields to reasons");
        return BTreeMap::new();
    };
    let mut excluded = BTreeMap::new();
    for entry in entries {
        match entry.value.text().filter(|reason| !reason.trim().is_empty()) {
            Some(reason) => {
                let place = file.place(entry.key_mark);
                excluded.insert(FieldName::new(entry.key.as_str()), (reason.to_owned(), place));
            }
            None => {
                let message = format!("`{}` is excluded without a reason", entry.key);
                let problem = reading
                    .problem(file, entry.key_mark, "no_reason", message)
                    .note("write why: `field: nobody uses it`");
                reading.problems.push(problem);
            }
        }
    }
    excluded
}

fn rule(
    reading: &mut Reading,
    file: &File,
    (target, place): (FieldName, Place),
    node: &Node,
    ways: Ways,
    mentions: &mut Vec<Mention>,
) -> Option<Rule> {
    let plain = |from| Rule { place: place.clone(), ..Rule::new(target.clone(), from) };
    if !matches!(node.kind, Kind::Map { .. }) {
        let names = reading.texts(file, node, target.as_str())?;
        return Some(plain(fields(names)));
    }
    let mut entries = reading.open(file, node, &format!("the rule for `{target}`"))?;
    let from = from(reading, file, &mut entries, node, &target);
    let steps = entries.take("steps").map(|node| steps(reading, file, node)).unwrap_or_default();
    let table = entries
        .take("translate")
        .and_then(|node| mention(reading, file, node, "translate", Mentioned::Table, mentions));
    let flow = entries.take("flow").and_then(|node| mention(reading, file, node, "flow", Mentioned::Flow, mentions));
    let default = entries.take("default").map(|node| Default(value(node)));
    let keep = entries.take("keep").and_then(|node| keep(reading, file, node));
    let ownership = ownership(reading, file, &mut entries, ways);
    let later = entries.take("later").and_then(|node| reading.flag(file, node, "later")).unwrap_or(false);
    let recalculated = entries.take("recalculated").and_then(|node| reading.text(file, node, "recalculated"));
    entries.finish(reading);
    let flow = flow.map(FlowName::new);
    Some(Rule { steps, table, default, keep, ownership, flow, later, recalculated, ..plain(from?) })
}

/// Exactly one of `from`, `expr` and `value`.
fn from(
    reading: &mut Reading,
    file: &File,
    entries: &mut Entries<'_>,
    node: &Node,
    target: &FieldName,
) -> Option<From> {
    let fields_node = entries.take("from");
    let expression = entries.take("expr");
    let constant = entries.take("value");
    match (fields_node, expression, constant) {
        (Some(node), None, None) => reading.texts(file, node, "from").map(fields),
        (None, Some(node), None) => reading.text(file, node, "expr").map(From::Expression),
        (None, None, Some(node)) => Some(From::Constant(value(node))),
        _ => {
            let message = format!("the rule for `{target}` wants exactly one of `from`, `expr` and `value`");
            reading.complain(file, node.mark, "rule", message);
            None
        }
    }
}

fn fields(names: Vec<String>) -> From {
    From::Fields(names.into_iter().map(FieldName::new).collect())
}

/// `[trim, {phone: {region: US}}]`
fn steps(reading: &mut Reading, file: &File, node: &Node) -> Vec<Step> {
    let Kind::List(items) = &node.kind else {
        reading.wrong(file, node, "steps", "a list of steps");
        return Vec::new();
    };
    let mut steps = Vec::new();
    for item in items {
        let place = file.place(item.mark);
        match &item.kind {
            Kind::Scalar { text, .. } => {
                steps.push(Step { name: text.clone(), arguments: BTreeMap::new(), place });
            }
            Kind::Map { entries, .. } => match entries.as_slice() {
                [step] => {
                    let arguments = match &step.value.kind {
                        Kind::Map { entries, .. } => {
                            entries.iter().map(|entry| (entry.key.clone(), value(&entry.value))).collect()
                        }
                        Kind::Null => BTreeMap::new(),
                        _ => {
                            reading.wrong(file, &step.value, &step.key, "its arguments as `{name: value}`");
                            continue;
                        }
                    };
                    steps.push(Step { name: step.key.clone(), arguments, place: file.place(step.key_mark) });
                }
                _ => reading.wrong(file, item, "steps", "one step per item"),
            },
            _ => reading.wrong(file, item, "steps", "a step's name or `{name: {argument: value}}`"),
        }
    }
    steps
}

fn mention(
    reading: &mut Reading,
    file: &File,
    node: &Node,
    key: &str,
    what: Mentioned,
    mentions: &mut Vec<Mention>,
) -> Option<String> {
    let name = reading.text(file, node, key)?;
    mentions.push(Mention { what, name: name.clone(), file: file.clone(), mark: node.mark });
    Some(name)
}
