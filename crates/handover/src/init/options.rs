//! Options of two choice fields, paired by their labels; pipelines and stages among them.

use std::collections::BTreeMap;

use handover_model::{Choice, Kind, Schema};

/// One row of a proposed translation table. A blank `to` is for a person to fill in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) comment: String,
}

impl Row {
    fn new(from: &str, to: Option<&str>, comment: &str) -> Self {
        Self { from: from.to_owned(), to: to.unwrap_or_default().to_owned(), comment: comment.to_owned() }
    }
}

/// A label for comparing: letters and digits in lower case.
pub(super) fn folded(label: &str) -> String {
    label.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The options of a choice field.
pub(super) fn of<'s>(schema: &'s Schema, field: &str) -> &'s [Choice] {
    match schema.field(field).map(|field| &field.kind) {
        Some(Kind::Choice { options, .. }) => options,
        _ => &[],
    }
}

/// The one option with this label (or this value).
pub(super) fn by_label<'o>(options: &'o [Choice], label: &str) -> Option<&'o Choice> {
    let wanted = folded(label);
    let mut found = options.iter().filter(|option| !wanted.is_empty() && folded(&option.label) == wanted);
    match (found.next(), found.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    }
}

/// Rows for the source options that no target option is called like.
pub(super) fn unpaired(from: &[Choice], to: &[Choice]) -> Vec<Row> {
    let alone = from.iter().filter(|option| by_label(to, &option.label).is_none());
    alone.map(|option| Row::new(&option.value, None, &option.label)).collect()
}

/// The two sides of deals: pipelines and stages of both accounts.
pub(super) struct Stages<'s> {
    from: Side<'s>,
    to: Side<'s>,
    /// Source pipeline to target pipeline, by their values.
    pipelines: BTreeMap<&'s str, &'s str>,
}

struct Side<'s> {
    pipelines: &'s [Choice],
    stages: &'s [Choice],
}

impl<'s> Side<'s> {
    fn stages_of(&self, pipeline: &'s str) -> impl Iterator<Item = &'s Choice> {
        self.stages.iter().filter(move |stage| stage.within.as_deref() == Some(pipeline))
    }

    /// The stage's own name: its label without the pipeline's.
    fn name(&self, stage: &'s Choice) -> &'s str {
        let pipeline = self.pipelines.iter().find(|pipeline| Some(pipeline.value.as_str()) == stage.within.as_deref());
        pipeline
            .and_then(|pipeline| stage.label.strip_prefix(pipeline.label.as_str())?.strip_prefix(": "))
            .unwrap_or(&stage.label)
    }

    fn named(&self, pipeline: &'s str, name: &str) -> Option<&'s Choice> {
        let wanted = folded(name);
        self.stages_of(pipeline).find(|stage| folded(self.name(stage)) == wanted)
    }

    /// The stage of a pipeline that means `won` or `lost`, by its name or id.
    fn ending(&self, pipeline: &'s str, word: &str) -> Option<&'s Choice> {
        self.stages_of(pipeline).find(|stage| self.is(stage, word))
    }

    fn is(&self, stage: &'s Choice, word: &str) -> bool {
        let names = [folded(self.name(stage)), folded(&stage.value)];
        names.iter().any(|name| name == word || name.strip_prefix("closed") == Some(word))
    }
}

impl<'s> Stages<'s> {
    /// Pairs the pipelines: equal labels first, then the greatest number of stages with equal names, and
    /// the only ones on both sides with each other.
    pub(super) fn new(from: &'s Schema, to: &'s Schema) -> Self {
        let side = |schema: &'s Schema| {
            let (pipeline, stage) = if schema.field("stage_id").is_some() {
                ("pipeline_id", "stage_id")
            } else {
                ("pipeline", "dealstage")
            };
            Side { pipelines: of(schema, pipeline), stages: of(schema, stage) }
        };
        let (from, to) = (side(from), side(to));
        let mut pipelines: BTreeMap<&str, &str> = BTreeMap::new();
        for pipeline in from.pipelines {
            let common = |other: &&Choice| {
                from.stages_of(&pipeline.value)
                    .filter(|stage| to.named(&other.value, from.name(stage)).is_some())
                    .count()
            };
            let equal = by_label(to.pipelines, &pipeline.label);
            let only = matches!((from.pipelines, to.pipelines), ([_], [_]));
            let likely = || to.pipelines.iter().rev().max_by_key(common).filter(|best| only || common(best) > 1);
            if let Some(other) = equal.or_else(likely) {
                pipelines.insert(&pipeline.value, &other.value);
            }
        }
        Self { from, to, pipelines }
    }

    /// The rows of `deal_pipelines`, `deal_stages` or `deal_status`.
    pub(super) fn rows(&self, table: &str) -> Vec<Row> {
        match table {
            "deal_pipelines" => {
                let row = |pipeline: &Choice| {
                    Row::new(&pipeline.value, self.pipelines.get(pipeline.value.as_str()).copied(), &pipeline.label)
                };
                self.from.pipelines.iter().map(row).collect()
            }
            "deal_status" => {
                let row = |stage: &'s Choice| {
                    let ends = ["won", "lost"].into_iter().find(|word| self.from.is(stage, word));
                    Row::new(&stage.value, Some(ends.unwrap_or("open")), &stage.label)
                };
                self.from.stages.iter().map(row).collect()
            }
            _ => self.stage_rows(),
        }
    }

    fn stage_rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        let has_status = !self.to.stages.iter().any(|stage| self.to.is(stage, "won"));
        for pipeline in self.from.pipelines {
            let target = self.pipelines.get(pipeline.value.as_str()).copied();
            for stage in self.from.stages_of(&pipeline.value) {
                let same = target.and_then(|target| self.to.named(target, self.from.name(stage)));
                // A target that keeps won and lost beside the stage: such deals stay in the last one.
                let ends = ["won", "lost"].iter().any(|word| self.from.is(stage, word));
                let last = || target.filter(|_| has_status && ends).and_then(|target| self.to.stages_of(target).last());
                rows.push(Row::new(&stage.value, same.or_else(last).map(|stage| stage.value.as_str()), &stage.label));
            }
            if !has_status && !self.from.stages_of(&pipeline.value).any(|stage| self.from.is(stage, "won")) {
                for word in ["won", "lost"] {
                    let ending = target.and_then(|target| self.to.ending(target, word));
                    let key = format!("{}:{word}", pipeline.value);
                    let comment = format!("{}: {word} deals", pipeline.label);
                    rows.push(Row::new(&key, ending.map(|stage| stage.value.as_str()), &comment));
                }
            }
        }
        rows
    }

    /// An expression in which `{won}` and `{lost}` are true for the source stages that mean it; `None` where none does.
    pub(super) fn by_ending(&self, expr: &str) -> Option<String> {
        let mut expr = expr.to_owned();
        for word in ["won", "lost"] {
            let mark = format!("{{{word}}}");
            if expr.contains(&mark) {
                let is = self.from.stages.iter().filter(|stage| self.from.is(stage, word));
                let is: Vec<_> = is.map(|stage| format!(".dealstage == \"{}\"", stage.value)).collect();
                expr = Some(expr.replace(&mark, &is.join(" || "))).filter(|_| !is.is_empty())?;
            }
        }
        Some(expr)
    }
}
