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

/// Reads a flow. `None` when its ends are not known; the problems say why.
pub(super) fn read(
    reading: &mut Reading,
    file: &File,
    tree: &Node,
    name: &FlowName,
    systems: &[SystemName],
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
    let may_own = both_ways || said.is_some() && direction.is_none();
    let ownership = ownership(reading, file, &mut entries, may_own);
    let mut mentions = Vec::new();
    let rules = match entries.need("fields", reading) {
        Some(node) => rule::read(reading, file, node, may_own, &mut mentions),
        None => Vec::new(),
    };
    let back = entries.take("back").map(|node| {
        // Who says which way the flow goes may keep the rules of the other.
        needs_both_ways(reading, file, node, "back", said.is_some());
        rule::read(reading, file, node, false, &mut mentions)
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

/// `owner` and `conflict`, of a flow or of a rule.
pub(super) fn ownership(reading: &mut Reading, file: &File, entries: &mut Entries<'_>, both_ways: bool) -> Ownership {
    let owner = entries.take("owner").and_then(|node| {
        needs_both_ways(reading, file, node, "owner", both_ways);
        match reading.word(file, node, "owner", &["source", "target", "both"])?.as_str() {
            "source" => Some(Owner::Source),
            "target" => Some(Owner::Target),
            _ => Some(Owner::Both),
        }
    });
    let conflict = entries.take("conflict").and_then(|node| {
        needs_both_ways(reading, file, node, "conflict", both_ways);
        let words: Vec<&str> = ["ask"].iter().chain(&KEEPS).copied().collect();
        match reading.word(file, node, "conflict", &words)?.as_str() {
            "ask" => Some(Conflict::Ask),
            word => Some(Conflict::Keep(keep_of(word))),
        }
    });
    Ownership { owner, conflict }
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
