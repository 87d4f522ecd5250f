//! One flow: `mappings/NAME.yaml`.

use handover_model::{
    Conflict, End, FieldName, Flow, FlowName, Keep, MatchKey, MatchKind, ObjectName, Owner, Ownership, Scope,
    SystemName,
};

use super::node::{Kind, Mark, Node};
use super::reader::{Entries, File, Reading, did_you_mean};
use super::{removals, rule};

/// A flow, and what its rules name that must exist elsewhere.
pub(super) struct ReadFlow {
    pub(super) flow: Flow,
    pub(super) mentions: Vec<Mention>,
}

/// A name in a rule.
pub(super) struct Mention {
    pub(super) what: Mentioned,
    pub(super) name: String,
    pub(super) file: File,
    pub(super) mark: Mark,
}

/// What a rule names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mentioned {
    Table,
    Flow,
}

/// Reads a flow; `passes` says whether the ownership of any record passes to the target one day. `None` when its ends are not known; the problems say why.
pub(super) fn read(
    reading: &mut Reading,
    file: &File,
    tree: &Node,
    name: &FlowName,
    systems: &[SystemName],
    passes: bool,
) -> Option<ReadFlow> {
    let mut entries = reading.open(file, tree, "the mapping")?;
    let source = entries.need("source", reading).and_then(|node| end(reading, file, node, "source", systems));
    let target = entries.need("target", reading).and_then(|node| end(reading, file, node, "target", systems));
    let scope = entries.take("where").and_then(|node| {
        let expression = reading.text(file, node, "where")?;
        Some(Scope { expression, place: file.place(node.mark) })
    });
    let key = entries.take("key").and_then(|node| reading.text(file, node, "key")).map(FieldName::new);
    let keep = entries.take("keep").and_then(|node| keep(reading, file, node)).unwrap_or(Keep::FillEmpty);
    let matching = entries.take("match").map(|node| matching(reading, file, node)).unwrap_or_default();
    let said = entries.take("direction");
    let direction = said.and_then(|node| reading.word(file, node, "direction", &DIRECTIONS));
    let both_ways = direction.as_deref() == Some(DIRECTIONS[1]);
    // A word that is wrong is one mistake, not one of each key that hangs on it.
    let ways = match both_ways || said.is_some() && direction.is_none() {
        true => Ways::Both,
        false if passes => Ways::OneThatPasses,
        false => Ways::One,
    };
    let ownership = ownership(reading, file, &mut entries, ways);
    let mut mentions = Vec::new();
    let rules = match entries.need("fields", reading) {
        Some(node) => rule::read(reading, file, node, ways, &mut mentions),
        None => Vec::new(),
    };
    let back = entries.take("back").map(|node| {
        // Who says which way the flow goes may keep the rules of the other.
        needs_both_ways(reading, file, node, "back", said.is_some());
        rule::read(reading, file, node, Ways::One, &mut mentions)
    });
    let back = back.unwrap_or_default();
    let excluded = entries.take("exclude").map(|node| rule::excluded(reading, file, node)).unwrap_or_default();
    let removals = removals::read(reading, file, &mut entries);
    entries.finish(reading);
    let (source, target) = (source?, target?);
    let place = file.place(tree.mark);
    let name = name.clone();
    let flow = Flow {
        name,
        source,
        target,
        scope,
        cohorts: Vec::new(),
        key,
        matching,
        keep,
        rules,
        excluded,
        back,
        both_ways,
        ownership,
        removals,
        place,
    };
    Some(ReadFlow { flow, mentions })
}

/// One way: from the source to the target. Both ways: what people do in the target goes back as well.
const DIRECTIONS: [&str; 2] = ["one_way", "both_ways"];

/// What may be said of ownership.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ways {
    /// Nothing: the source owns all.
    One,
    /// The source owns all until a cohort moves.
    OneThatPasses,
    /// Everything.
    Both,
}

/// `owner` and `conflict`, of a flow or of a rule.
pub(super) fn ownership(reading: &mut Reading, file: &File, entries: &mut Entries<'_>, ways: Ways) -> Ownership {
    let mut ownership = Ownership::default();
    if let Some(node) = entries.take("owner") {
        let per_period = matches!(node.kind, Kind::Map { .. });
        needs_both_ways(reading, file, node, "owner", ways == Ways::Both || per_period && ways == Ways::OneThatPasses);
        if per_period {
            (ownership.owner, ownership.then) = owners(reading, file, node);
        } else {
            ownership.owner = owner(reading, file, node, "owner");
        }
    }
    ownership.conflict = entries.take("conflict").and_then(|node| {
        needs_both_ways(reading, file, node, "conflict", ways != Ways::One);
        conflict(reading, file, node)
    });
    ownership
}

/// `{until_move: source, then: both}`.
fn owners(reading: &mut Reading, file: &File, node: &Node) -> (Option<Owner>, Option<Owner>) {
    let Some(mut entries) = reading.open(file, node, "owner") else { return (None, None) };
    let before = entries.need("until_move", reading).and_then(|node| owner(reading, file, node, "until_move"));
    let then = entries.need("then", reading).and_then(|node| owner(reading, file, node, "then"));
    entries.finish(reading);
    (before, then)
}

fn owner(reading: &mut Reading, file: &File, node: &Node, what: &str) -> Option<Owner> {
    Some(match reading.word(file, node, what, &["source", "target", "both"])?.as_str() {
        "source" => Owner::Source,
        "target" => Owner::Target,
        _ => Owner::Both,
    })
}

/// One of the words, or `{expr: 'if .source > .target { "source" } else { "target" }'}`.
fn conflict(reading: &mut Reading, file: &File, node: &Node) -> Option<Conflict> {
    if let Kind::Map { .. } = node.kind {
        let mut entries = reading.open(file, node, "conflict")?;
        let rule = entries.need("expr", reading).and_then(|node| {
            let expression = reading.text(file, node, "expr")?;
            Some(Scope { expression, place: file.place(node.mark) })
        });
        entries.finish(reading);
        return rule.map(Conflict::Expression);
    }
    let words: Vec<&str> = ["ask"].iter().chain(&KEEPS).copied().collect();
    Some(match reading.word(file, node, "conflict", &words)?.as_str() {
        "ask" => Conflict::Ask,
        word => Conflict::Keep(keep_of(word)),
    })
}

/// A key without effect would make somebody believe in it.
fn needs_both_ways(reading: &mut Reading, file: &File, node: &Node, key: &str, both_ways: bool) {
    if !both_ways {
        let message = format!("`{key}` has no effect in a flow that goes one way");
        let problem = reading
            .problem(file, node.mark, "one_way", message)
            .hint("add `direction: both_ways` to the mapping, or take it out");
        reading.problems.push(problem);
    }
}

fn end(reading: &mut Reading, file: &File, node: &Node, what: &str, systems: &[SystemName]) -> Option<End> {
    let mut entries = reading.open(file, node, what)?;
    let system = entries.need("system", reading);
    let object = entries.need("object", reading).and_then(|node| reading.text(file, node, "object"));
    entries.finish(reading);
    let system = system?;
    let name = reading.text(file, system, "system")?;
    if !systems.iter().any(|have| *have == *name) {
        // Systems that were refused leave none: their own problems say enough.
        if !systems.is_empty() {
            let message = format!("there is no system `{name}` in the project file");
            let mut problem = reading.problem(file, system.mark, "unknown_system", message);
            problem.notes.extend(did_you_mean(&name, systems.iter().map(SystemName::as_str)));
            reading.problems.push(problem);
        }
        return None;
    }
    Some(End { system: SystemName::new(name), object: ObjectName::new(object?) })
}

/// The words for survivorship.
const KEEPS: [&str; 5] = ["source", "target", "fill_empty", "newest", "most_complete"];

fn keep_of(word: &str) -> Keep {
    match word {
        "source" => Keep::Source,
        "target" => Keep::Target,
        "newest" => Keep::Newest,
        "most_complete" => Keep::MostComplete,
        _ => Keep::FillEmpty,
    }
}

/// One of the words, or `{concatenate: "; "}`.
pub(super) fn keep(reading: &mut Reading, file: &File, node: &Node) -> Option<Keep> {
    if let Kind::Map { .. } = node.kind {
        let mut entries = reading.open(file, node, "keep")?;
        let between = entries.need("concatenate", reading).and_then(|node| reading.text(file, node, "concatenate"));
        entries.finish(reading);
        return between.map(Keep::Concatenate);
    }
    reading.word(file, node, "keep", &KEEPS).map(|word| keep_of(&word))
}

fn matching(reading: &mut Reading, file: &File, node: &Node) -> Vec<MatchKey> {
    let Kind::List(items) = &node.kind else {
        reading.wrong(file, node, "match", "a list of keys");
        return Vec::new();
    };
    items.iter().filter_map(|item| match_key(reading, file, item)).collect()
}

fn match_key(reading: &mut Reading, file: &File, node: &Node) -> Option<MatchKey> {
    const KINDS: [(&str, MatchKind); 5] = [
        ("external_id", MatchKind::ExternalId),
        ("email", MatchKind::Email),
        ("phone", MatchKind::Phone),
        ("domain", MatchKind::Domain),
        ("text", MatchKind::Text),
    ];
    let mut entries = reading.open(file, node, "a match key")?;
    let mut kinds = Vec::new();
    for (word, kind) in KINDS {
        if let Some(node) = entries.take(word) {
            kinds.push((kind, reading.texts(file, node, word)));
        }
    }
    let target = entries.need("target", reading).and_then(|node| reading.texts(file, node, "target"));
    let region = entries.take("region").and_then(|node| region(reading, file, node));
    entries.finish(reading);
    if kinds.len() != 1 {
        let message = "a match key has one of `external_id`, `email`, `phone`, `domain` and `text`";
        reading.complain(file, node.mark, "match", message);
        return None;
    }
    let (kind, source) = kinds.pop()?;
    let names = |texts: Vec<String>| texts.into_iter().map(FieldName::new).collect();
    Some(MatchKey { kind, source: names(source?), target: names(target?), region, place: file.place(node.mark) })
}

fn region(reading: &mut Reading, file: &File, node: &Node) -> Option<String> {
    let text = reading.text(file, node, "region")?;
    if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Some(text);
    }
    reading.complain(file, node.mark, "wrong_value", "`region` wants a country's two capital letters, like `US`");
    None
}
