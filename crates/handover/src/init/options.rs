//! Options of two choice fields, paired by their labels; pipelines and stages among them.

use std::collections::BTreeMap;

use handover_model::{Choice, Kind, Schema};

use super::lexicon::Funnel;

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

/// Words that mean the same on most platforms, among them the stages of leads and cases as the vendors call them. Of
/// several that a word is among the first counts.
const ALIKE: [&[&str]; 9] = [
    &["normal", "medium"],
    &["cancelled", "canceled"],
    &["new", "notcontacted", "opennotcontacted"],
    &["contacted", "workingcontacted"],
    &["lost", "lostlead", "closednotconverted"],
    &["inprogress", "working"],
    &["new", "inprogress"],
    &["closed", "problemsolved"],
    &["waitingoncontact", "waitingfordetails"],
];

/// Other words for this one, folded.
fn alike(label: &str) -> impl Iterator<Item = &'static str> {
    let word = folded(label);
    let of = move |words: &&&[&str]| words.contains(&word.as_str());
    ALIKE.iter().filter(of).flat_map(|words| words.iter().copied())
}

/// The option that stands for none, where the target has no such option but a blank.
pub(super) fn nothing<'o>(from: &'o [Choice], to: &[Choice]) -> Option<&'o Choice> {
    by_label(from, "none").filter(|option| by_label(to, &option.label).is_none())
}

/// Rows for the source options that no target option is called like; what is called otherwise everywhere is proposed.
pub(super) fn unpaired(from: &[Choice], to: &[Choice]) -> Vec<Row> {
    let nothing = nothing(from, to);
    let alone = from.iter().filter(|option| by_label(to, &option.label).is_none() && Some(*option) != nothing);
    let other = |label: &str| alike(label).find_map(|word| by_label(to, word)).map(|option| option.value.as_str());
    alone.map(|option| Row::new(&option.value, other(&option.label), &option.label)).collect()
}

/// The two sides of deals or cases: pipelines and stages of both accounts.
pub(super) struct Stages<'s> {
    from: Side<'s>,
    to: Side<'s>,
    /// Source pipeline to target pipeline, by their values.
    pipelines: BTreeMap<&'s str, &'s str>,
}

struct Side<'s> {
    funnel: Funnel,
    pipelines: &'s [Choice],
    stages: &'s [Choice],
}

impl<'s> Side<'s> {
    fn of((schema, funnel): (&'s Schema, Funnel)) -> Self {
        let pipelines = of(schema, funnel.pipeline);
        Self { funnel, pipelines, stages: of(schema, funnel.stage) }
    }

    /// The pipelines' values; one without a name where there are none.
    fn all(&self) -> Vec<&'s str> {
        if self.pipelines.is_empty() { vec![""] } else { self.pipelines.iter().map(|one| one.value.as_str()).collect() }
    }

    fn label(&self, pipeline: &str) -> &'s str {
        self.pipelines.iter().find(|one| one.value == pipeline).map_or("", |one| one.label.as_str())
    }

    /// The stages of a pipeline; one that belongs to none alone is in each.
    fn stages_of(&self, pipeline: &str) -> impl DoubleEndedIterator<Item = &'s Choice> {
        // Where there are no pipelines they belong to something else: a status to its state.
        let is_here = move |within: &str| self.pipelines.is_empty() || within == pipeline;
        self.stages.iter().filter(move |stage| stage.within.as_deref().is_none_or(is_here))
    }

    /// The stage's own name: its label without the pipeline's.
    fn name(&self, stage: &'s Choice) -> &'s str {
        let pipeline = stage.within.as_deref().map(|pipeline| self.label(pipeline)).unwrap_or_default();
        stage.label.strip_prefix(pipeline).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&stage.label)
    }

    fn named(&self, pipeline: &str, name: &str) -> Option<&'s Choice> {
        let wanted = folded(name);
        self.stages_of(pipeline).find(|stage| folded(self.name(stage)) == wanted)
    }

    /// The stage of a pipeline that means `won` or `lost`, by its name or id.
    fn ending(&self, pipeline: &str, word: &str) -> Option<&'s Choice> {
        self.stages_of(pipeline).find(|stage| self.is(stage, word))
    }

    fn is(&self, stage: &'s Choice, word: &str) -> bool {
        let names = [folded(self.name(stage)), folded(&stage.value)];
        names.iter().any(|name| name == word || name.strip_prefix("closed") == Some(word))
    }

    /// `PIPELINE:won`, the word alone where there are no pipelines.
    fn ended(pipeline: &str, word: &str) -> String {
        if pipeline.is_empty() { word.to_owned() } else { format!("{pipeline}:{word}") }
    }
}

impl<'s> Stages<'s> {
    /// Pairs the pipelines: equal labels first, then the greatest number of stages with equal names, and
    /// the only ones on both sides with each other.
    pub(super) fn new(from: (&'s Schema, Funnel), to: (&'s Schema, Funnel)) -> Self {
        let (from, to) = (Side::of(from), Side::of(to));
        let mut pipelines: BTreeMap<&str, &str> = BTreeMap::new();
        let (ours, theirs) = (from.all(), to.all());
        for pipeline in &ours {
            let common = |other: &&&'s str| {
                from.stages_of(pipeline).filter(|stage| to.named(other, from.name(stage)).is_some()).count()
            };
            let equal = by_label(to.pipelines, from.label(pipeline)).map(|one| one.value.as_str());
            // All stages of the one side are in the only pipeline of the other.
            let only = to.pipelines.is_empty() || matches!((&*ours, &*theirs), ([_], [_]));
            let likely = || theirs.iter().rev().max_by_key(common).filter(|best| only || common(best) > 1).copied();
            if let Some(other) = equal.or_else(likely) {
                pipelines.insert(pipeline, other);
            }
        }
        Self { from, to, pipelines }
    }

    /// The rows of one of the target's tables.
    pub(super) fn rows(&self, table: &str) -> Vec<Row> {
        let tables = self.to.funnel.tables;
        if table == tables.pipelines {
            self.pipeline_rows()
        } else if table == tables.status {
            self.status_rows()
        } else {
            self.stage_rows()
        }
    }

    /// Source stages that mean `won` or `lost`.
    pub(super) fn endings(&self, word: &str) -> impl Iterator<Item = &'s Choice> {
        self.from.stages.iter().filter(move |stage| self.from.is(stage, word))
    }

    /// Pipelines by pipeline; by stage where the source has none.
    fn pipeline_rows(&self) -> Vec<Row> {
        if self.from.pipelines.is_empty() {
            let to = |row: &Row| self.to.stages.iter().find(|stage| stage.value == row.to)?.within.as_deref();
            let default = self.pipelines.get("").copied();
            let rows = self.stage_rows().into_iter();
            return rows.map(|row| Row::new(&row.from, to(&row).or(default), &row.comment)).collect();
        }
        let row = |pipeline: &Choice| {
            Row::new(&pipeline.value, self.pipelines.get(pipeline.value.as_str()).copied(), &pipeline.label)
        };
        self.from.pipelines.iter().map(row).collect()
    }

    fn status_rows(&self) -> Vec<Row> {
        let Some((_, values)) = self.to.funnel.status else { return Vec::new() };
        let word = |place: usize| values.get(place).copied();
        if let Some((_, told)) = self.from.funnel.status {
            let labels = ["Open", "Won", "Lost"];
            let pairs = told.iter().zip(labels).enumerate();
            return pairs.map(|(place, (from, label))| Row::new(from, word(place), label)).collect();
        }
        let row = |stage: &'s Choice| {
            let place = ["won", "lost"].iter().position(|word| self.from.is(stage, word)).map_or(0, |place| place + 1);
            Row::new(&stage.value, word(place), &stage.label)
        };
        self.from.stages.iter().map(row).collect()
    }

    /// The one stage of this name in whatever pipeline of the target, for sources that have one list of stages.
    fn anywhere(&self, name: &str) -> Option<&'s Choice> {
        let wanted = folded(name);
        let mut found = self.to.stages.iter().filter(|stage| folded(self.to.name(stage)) == wanted);
        match (found.next(), found.next()) {
            (Some(one), None) if self.from.pipelines.is_empty() => Some(one),
            _ => None,
        }
    }

    fn stage_rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        // A stage that is in several pipelines is told with its pipeline.
        let is_shared = !self.from.pipelines.is_empty() && self.from.stages.iter().any(|stage| stage.within.is_none());
        for pipeline in self.from.all() {
            let target = self.pipelines.get(pipeline).copied();
            for stage in self.from.stages_of(pipeline) {
                let same = target.and_then(|target| self.to.named(target, self.from.name(stage)));
                let same = same.or_else(|| self.anywhere(self.from.name(stage)));
                let alike = || {
                    let target = target?;
                    alike(self.from.name(stage)).find_map(|word| self.to.named(target, word))
                };
                // What is won is won, whatever it is called there.
                let word = ["won", "lost"].into_iter().find(|word| self.from.is(stage, word));
                let ending = || target.zip(word).and_then(|(target, word)| self.to.ending(target, word));
                // A target that keeps won and lost beside the stage: such deals stay in the last one.
                let beside = word.is_some() && self.to.funnel.status.is_some();
                let last = || target.filter(|_| beside).and_then(|target| self.to.stages_of(target).next_back());
                let to = same.or_else(ending).or_else(last).or_else(alike);
                let key = if is_shared { format!("{pipeline}:{}", stage.value) } else { stage.value.clone() };
                rows.push(Row::new(&key, to.map(|stage| stage.value.as_str()), &stage.label));
            }
            if self.from.funnel.status.is_some() && self.to.funnel.status.is_none() {
                for word in ["won", "lost"] {
                    let ending = target.and_then(|target| self.to.ending(target, word));
                    let comment = format!("{}: {word} deals", self.from.label(pipeline));
                    let to = ending.map(|stage| stage.value.as_str());
                    rows.push(Row::new(&Side::ended(pipeline, word), to, comment.trim_start_matches(": ")));
                }
            }
        }
        rows
    }
}
