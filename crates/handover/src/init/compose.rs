//! Two lexicons put together: how the one tells a term, and how the other takes it, make a rule.

use std::borrow::Cow;

use super::SystemView;
use super::carrier::is_like;
use super::expression::{condition, ended, terms_of, uncounted};
use super::lexicon::{self, CONCEPTS, Concept, Follows, Funnel, Lexicon, Make, Take, Tell, Thing, Way};
use super::made;
use super::options::{Stages, by_label, folded, of};
use super::scope::both;
use super::template::{How, Line, Match, OWN, Pair};
use super::write;
use handover_model::{Field, Kind, Schema, Writable};

/// The pairs of objects that both accounts have; none where a platform has no lexicon.
pub(super) fn pairs<'s>(from: &'s SystemView, to: &'s SystemView) -> Vec<Pair<'s>> {
    let (Some(source), Some(target)) = (lexicon::of(&from.platform), lexicon::of(&to.platform)) else {
        return Vec::new();
    };
    let mut pairs: Vec<Pair<'s>> =
        CONCEPTS.iter().filter_map(|concept| pair(*concept, (from, source), (to, target))).collect();
    let file = pairs.iter().position(|pair| pair.target_concept == Concept::File);
    let note = pairs.iter().position(|pair| pair.target_concept == Concept::FileNote);
    if let (Some(file), Some(note)) = (file, note) {
        shared(&mut pairs, file, note);
        shared(&mut pairs, note, file);
    }
    made::add_pairs(&mut pairs, from, to);
    pairs
}

/// What the one flow of an object leaves to the other one.
fn shared(pairs: &mut [Pair<'_>], one: usize, other: usize) {
    let Some(Pair { flow, lines, .. }) = pairs.get(other) else { return };
    let why = format!("goes into the flow `{flow}`");
    let read: Vec<&str> = lines.iter().flat_map(|line| line.from.iter().copied()).collect();
    let Some(pair) = pairs.get_mut(one) else { return };
    // What only a field of its own would take may have none.
    let taking = pair.lines.iter().filter(|line| !matches!(line.how, How::Carry { .. }));
    let taken: Vec<&str> = taking.flat_map(|line| line.from.iter().copied()).collect();
    let left: Vec<_> = read.into_iter().filter(|name| !taken.contains(name)).map(|name| (name, why.clone())).collect();
    pair.excluded.splice(0..0, left);
}

/// What neither account lacks, but for its objects: concepts that one platform tells and the other takes.
pub(super) fn missing(from: &SystemView, to: &SystemView) -> Vec<&'static str> {
    let (Some(source), Some(target)) = (lexicon::of(&from.platform), lexicon::of(&to.platform)) else {
        return Vec::new();
    };
    let is_known = |concept: &&Concept| source.tells(**concept).is_some() && target.takes(**concept).is_some();
    let lacks = |concept: &&Concept| pair(**concept, (from, source), (to, target)).is_none();
    let wanted = CONCEPTS.iter().filter(is_known).filter(lacks);
    wanted
        .filter_map(|concept| source.tells(*concept))
        .filter(|thing| thing.opt_in.is_empty() && !from.is_unused(thing.object))
        .map(|thing| thing.flow)
        .collect()
}

fn pair<'s>(concept: Concept, from: (&'s SystemView, &Lexicon), to: (&'s SystemView, &Lexicon)) -> Option<Pair<'s>> {
    let source = from.0.teller(concept)?;
    let target = to.1.taker(concept, &to.0.schemas)?;
    let sides = Sides::new((from.0, source), (to.0, target))?;
    pair_of(&sides, concept, if concept == Concept::FileNote { "file_notes" } else { source.flow }.into())
}

/// The pair of one object of each account, under the name of its flow; `None` where the account has no such records.
pub(super) fn pair_of<'s>(sides: &Sides<'s>, concept: Concept, flow: Cow<'static, str>) -> Option<Pair<'s>> {
    let (source, target) = (sides.from.1, sides.to.1);
    let scope = [sides.scope()?, sides.hanging().unwrap_or_default()];
    let lines = sides.lines();
    let taken: Vec<&str> = lines.iter().flat_map(|line| line.from.iter().copied()).collect();
    let excluded = source.left.iter().filter(|(field, _)| !taken.contains(field));
    let mut excluded: Vec<(&'s str, String)> = excluded.map(|(field, why)| (*field, (*why).to_owned())).collect();
    excluded.extend(sides.told_otherwise(&taken));
    let back = sides.turned().map(|turned| turned.rules(source.back)).unwrap_or_default();
    let text = |parts: &[&'static str]| {
        let mut said: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
        // Both platforms may have the same to say.
        said.dedup();
        said.join("\n")
    };
    Some(Pair {
        flow,
        target_concept: concept,
        source: sides.from.2.object.as_str(),
        target: sides.to.2.object.as_str(),
        about: text(&[source.about, target.about, sides.about_stages(), sides.about_hanging(&scope[1])]),
        scope: both(&scope),
        opt_in: text(&[source.opt_in, target.opt_in]).replace('\n', "; "),
        own_fields: target.own_fields,
        matching: sides.matching(),
        lines,
        excluded,
        back,
        funnels: source.funnel.zip(target.funnel),
    })
}

/// The step that makes a number of a duration.
const MILLISECONDS: &str = "duration_ms!";

/// How an account tells a term: the fields that it has for it, and what is done to them.
pub(super) struct Told<'s> {
    pub(super) from: Vec<&'s str>,
    pub(super) way: Way,
}

/// One object of each account, as one concept.
pub(super) struct Sides<'s> {
    pub(super) from: (&'s SystemView, &'static Thing, &'s Schema),
    pub(super) to: (&'s SystemView, &'static Thing, &'s Schema),
}

impl<'s> Sides<'s> {
    fn new(from: (&'s SystemView, &'static Thing), to: (&'s SystemView, &'static Thing)) -> Option<Self> {
        Some(Self {
            from: (from.0, from.1, from.0.schema(from.1.object)?),
            to: (to.0, to.1, to.0.schema(to.1.object)?),
        })
    }

    /// The same the other way round, where the target's object can be read.
    fn turned(&self) -> Option<Self> {
        (!self.to.1.tells.is_empty()).then_some(Self { from: self.to, to: self.from })
    }

    /// What people should know of stages.
    fn about_stages(&self) -> &'static str {
        match (self.from.1.funnel.map(|funnel| funnel.status), self.to.1.funnel.map(|funnel| funnel.status)) {
            (Some(Some(_)), Some(None)) => {
                "Won and lost deals go to the stages that translations/deal_stages.csv names for `PIPELINE:won` and\n\
                 `PIPELINE:lost`; the pipeline goes with the stage, so both tables must agree."
            }
            (Some(None), Some(Some(_))) => {
                "translations/deal_status.csv says which stages are won and lost; such deals keep the pipeline's stage\n\
                 that translations/deal_stages.csv names, with the status beside it."
            }
            _ => "",
        }
    }

    fn matching(&self) -> Vec<Match<'s>> {
        let key = |(kind, term, fields): &(&'static str, &str, &'static [&'static str])| {
            let source = self.tell(term)?.from;
            let targets: Vec<_> = fields.iter().copied().filter(|name| self.to.2.field(name).is_some()).collect();
            (!source.is_empty() && !targets.is_empty()).then_some(Match { kind, source, targets })
        };
        self.to.1.keys.iter().filter_map(key).collect()
    }

    /// Of the fields those that the source has.
    fn there(&self, fields: &'static [&'static str]) -> Vec<&'s str> {
        fields.iter().copied().filter(|name| *name == "id" || self.from.2.field(name).is_some()).collect()
    }

    /// How the source tells a term, or one from which it follows.
    pub(super) fn tell(&self, term: &str) -> Option<Told<'s>> {
        if let Some(told) = self.told(term) {
            return Some(told);
        }
        let (other, how) = lexicon::following(term)?;
        let told = self.told(other).filter(|told| how == Follows::Same || told.way == Way::Plain)?;
        let first = told.from.first().and_then(|name| self.from.2.field(name)).map(|field| &field.kind);
        let is_many = matches!(first, Some(Kind::Reference { many: true, .. }));
        let way = match how {
            Follows::Same => told.way,
            Follows::Clock => (first == Some(&Kind::DateTime)).then_some(Way::Plain)?,
            Follows::First => {
                if is_many {
                    Way::Step("first")
                } else {
                    Way::Plain
                }
            }
            Follows::Rest => is_many.then_some(Way::Step("rest"))?,
            Follows::Step(step) => Way::Step(step),
        };
        Some(Told { way, ..told })
    }

    /// How the source tells a term itself: a field that took the term over in an earlier move comes first, since it
    /// knows what was before.
    fn told(&self, term: &str) -> Option<Told<'s>> {
        if term == "id" {
            return Some(Told { from: vec!["id"], way: Way::Plain });
        }
        let own = self.taken_over(term);
        let Some(tell) = self.line_of(term) else {
            return own.map(|own| Told { from: vec![own.name.as_str()], way: Way::Plain });
        };
        let native = self.there(tell.from);
        let kinds = || native.iter().filter_map(|name| self.from.2.field(name)).map(|field| &field.kind);
        // Options of two lists are not said in one rule.
        let goes_with =
            |own: &&Field| !matches!(own.kind, Kind::Choice { .. }) && kinds().all(|kind| is_like(kind, &own.kind));
        let own = own.filter(|own| tell.way == Way::Plain && goes_with(own));
        Some(Told { from: own.map(|own| own.name.as_str()).into_iter().chain(native.clone()).collect(), way: tell.way })
    }

    /// The first line of the source's lexicon that tells a term and whose fields the account has.
    fn line_of(&self, term: &str) -> Option<&'static Tell> {
        let is_told = |tell: &&Tell| {
            let there = self.there(tell.from).len();
            tell.term == term && if tell.way == Way::Plain { there > 0 } else { there == tell.from.len() }
        };
        self.from.1.tells.iter().find(is_told)
    }

    /// The field of ours in the source that took a term over.
    fn taken_over(&self, term: &str) -> Option<&'s Field> {
        let label = lexicon::label(term)?;
        self.from.2.fields.iter().find(|field| field.custom && folded(&field.label) == folded(label))
    }

    /// A field of the target that can be written.
    fn field(&self, name: &str) -> Option<&'s Field> {
        self.to.2.field(name).filter(|field| field.writable != Writable::Never && !self.leads_nowhere(field))
    }

    /// Whether a link leads to what no flow moves, since the source has none.
    fn leads_nowhere(&self, field: &Field) -> bool {
        let (Kind::Reference { object, .. }, Some(source), Some(target)) =
            (&field.kind, lexicon::of(&self.from.0.platform), lexicon::of(&self.to.0.platform))
        else {
            return false;
        };
        let mut told = target.things.iter().filter(|thing| thing.object == object.as_str());
        told.any(|thing| {
            source.teller(thing.concept, &self.from.0.schemas).is_some() && self.from.0.teller(thing.concept).is_none()
        })
    }

    /// A rule for each field that both accounts allow, and a field of its own for each term that nothing takes.
    fn lines(&self) -> Vec<Line<'s>> {
        let mut lines = self.rules(self.to.1.takes);
        let mut kept: Vec<Line<'s>> = Vec::new();
        for tell in self.from.1.tells.iter().filter(|tell| self.line_of(tell.term) == Some(tell)) {
            if let Some(label) = lexicon::label(tell.term).filter(|_| !self.is_taken(tell.term)) {
                kept.extend(self.keep(tell, label, &lines));
            }
        }
        lines.extend(kept);
        lines
    }

    /// The first rule for each field that both accounts allow.
    fn rules(&self, takes: &'static [Take]) -> Vec<Line<'s>> {
        let mut lines: Vec<Line<'s>> = Vec::new();
        for take in takes {
            let Some(field) = self.field(take.field) else { continue };
            if lines.iter().any(|line| line.target == take.field) {
                continue;
            }
            if let Some((from, how)) = self.make(&take.make, field) {
                let only = if let [one] = &*from { self.from.2.field(one) } else { None };
                let how = uncounted(how, only.map(|field| &field.kind), &field.kind);
                lines.push(Line { target: take.field.to_owned(), from, how });
            }
        }
        lines
    }

    /// The flow that pairs the records to which a link field points.
    fn flow_to(&self, field: &Field) -> Option<&'static str> {
        let Kind::Reference { object, .. } = &field.kind else { return None };
        let target = lexicon::of(&self.to.0.platform)?;
        let thing = target.things.iter().find(|thing| thing.object == object.as_str())?;
        Some(self.from.0.teller(thing.concept)?.flow)
    }

    /// Whether a field that the account has takes a term, or one that says the same.
    fn is_taken(&self, term: &str) -> bool {
        lexicon::saying(term).any(|other| self.is_taken(other))
            || self.to.1.takes.iter().any(|take| {
                let speaks = match &take.make {
                    Make::Of(terms, ..) => terms.iter().find(|term| self.tell(term).is_some()) == Some(&term),
                    Make::Expr(needs, expr) => needs.contains(&term) || expr.contains(&format!("{{{term}}}")),
                    Make::Choice(one, ..) => *one == term,
                    Make::Ending(expr, _) => expr.contains(&format!("{{{term}}}")),
                    Make::Dated(_) => ["text", "created_at"].contains(&term),
                    Make::Part(..) | Make::Value(_) | Make::Stage | Make::Pipeline | Make::Status => false,
                };
                speaks && self.field(take.field).is_some()
            })
    }

    /// A field of its own for a term that nothing takes.
    fn keep(&self, tell: &Tell, label: &'static str, lines: &[Line<'s>]) -> Option<Line<'s>> {
        let Told { from, way } = self.told(tell.term)?;
        let with = match way {
            Way::Plain
                if from.iter().any(|name| lines.iter().any(|line| line.is_whole() && line.from.contains(name))) =>
            {
                return None;
            }
            Way::Plain => String::new(),
            Way::Step("others") => "steps: [{others: {separator: \"; \"}}]".to_owned(),
            Way::Step(step) => format!("steps: [{}]", step.trim_end_matches('!')),
            // What an expression makes has a kind that only it knows.
            Way::Expr(_) => return None,
        };
        Some(Line {
            target: format!("{OWN}{}", tell.term),
            from,
            how: How::Carry { label, with, is_number: way == Way::Step(MILLISECONDS) },
        })
    }

    fn make(&self, make: &Make, field: &Field) -> Option<(Vec<&'s str>, How)> {
        match make {
            Make::Of(terms, keys) => self.of(terms, keys, field),
            Make::Expr(needs, expr) | Make::Part(needs, expr) => {
                // `others` is a step only, and no function of expressions.
                let can_say = |tell: Told<'_>| !matches!(tell.way, Way::Step(step) if step.starts_with("others"));
                let is_told = needs.iter().all(|term| self.tell(term).is_some_and(can_say));
                is_told.then(|| {
                    let (from, expr) = self.fill(expr, field);
                    // Of a field it is known where it points to, of an expression it is not.
                    let how = match self.flow_to(field) {
                        Some(flow) => How::Keyed(expr, format!("flow: {flow}")),
                        None => How::Expr(expr),
                    };
                    (from, how)
                })
            }
            Make::Value(value) => Some((Vec::new(), How::Value(self.option(field, value)))),
            Make::Choice(term, table, default) => {
                let Told { from, .. } = self.tell(term).filter(|told| told.way == Way::Plain)?;
                let is_choice = |kind: &Kind| matches!(kind, Kind::Choice { options, .. } if !options.is_empty());
                let source = from.first().and_then(|name| self.from.2.field(name)).map(|field| &field.kind)?;
                let how = match (is_choice(source), is_choice(&field.kind)) {
                    (_, true) => How::Choices(table, default),
                    (_, false) if matches!(field.kind, Kind::Text { .. }) => How::Plain,
                    _ => return None,
                };
                Some((from, how))
            }
            Make::Stage | Make::Pipeline | Make::Status => self.funnel(make),
            Make::Ending(expr, keys) => self.ending(expr, keys, field),
            Make::Dated(created) => self.dated(created, field),
        }
    }

    /// The first of the terms that is told, and those behind it while all are plain fields.
    fn of(&self, terms: &[&'static str], keys: &str, field: &Field) -> Option<(Vec<&'s str>, How)> {
        let told: Vec<Told<'s>> = terms.iter().filter_map(|term| self.tell(term)).collect();
        if told.is_empty() {
            // An account of one currency says it once for all.
            let currency = self.from.0.account.currencies.first().filter(|_| field.kind == Kind::Currency)?;
            return field.required.then(|| (Vec::new(), How::Value(currency.clone())));
        }
        let with = |step: &str| {
            let step = if step.is_empty() { String::new() } else { format!("steps: [{step}]") };
            let parts: Vec<&str> = [step.as_str(), keys].into_iter().filter(|part| !part.is_empty()).collect();
            if parts.is_empty() { How::Plain } else { How::With(parts.join(", ")) }
        };
        match told.first().map(|tell| tell.way)? {
            Way::Plain => {
                let mut from: Vec<&'s str> = Vec::new();
                for name in told.iter().take_while(|told| told.way == Way::Plain).flat_map(|told| &told.from) {
                    if !from.contains(name) {
                        from.push(name);
                    }
                }
                Some((from, with("")))
            }
            Way::Step(step) => Some((told.first()?.from.clone(), with(step.trim_end_matches('!')))),
            Way::Expr(_) => {
                let term = terms.iter().find(|term| self.tell(term).is_some())?;
                let (from, expr) = self.fill(&format!("{{{term}}}"), field);
                Some((from, How::Expr(expr)))
            }
        }
    }

    /// The option of a choice field that is called so; the word itself for other fields.
    fn option(&self, field: &Field, word: &str) -> String {
        let Kind::Choice { options, .. } = &field.kind else { return word.to_owned() };
        if options.iter().any(|option| option.value == word) {
            return word.to_owned();
        }
        let found = by_label(options, word).or_else(|| options.first());
        found.map_or_else(|| word.to_owned(), |option| option.value.clone())
    }

    fn funnel(&self, make: &Make) -> Option<(Vec<&'s str>, How)> {
        let (from, to) = (self.from.1.funnel?, self.to.1.funnel?);
        let source = |name: &'static str| self.from.2.field(name).map(|_| name);
        let stage = source(from.stage)?;
        let tables = to.tables;
        let table = |name: &'static str, fields: Vec<&'static str>, expr: String| {
            Some((fields, How::Stages { table: name, expr }))
        };
        match make {
            Make::Stage => match (from.status, to.status) {
                _ if self.has_shared_stages(from) => {
                    let pipeline = source(from.pipeline)?;
                    let expr = format!("concat([{}, {}], \":\")", write::path(pipeline), write::path(stage));
                    table(tables.stages, vec![stage, pipeline], expr)
                }
                (Some((status, [_, won, lost])), None) => {
                    let pipeline = source(from.pipeline);
                    let (fields, expr) = ended(stage, status, pipeline, won, lost);
                    table(tables.stages, fields, expr)
                }
                _ => table(tables.stages, vec![stage], String::new()),
            },
            Make::Pipeline => match (source(from.pipeline), from.status, to.status) {
                (Some(pipeline), ..) => table(tables.pipelines, vec![pipeline], String::new()),
                // The stage says which it is, as it says the stage.
                (None, Some((status, [_, won, lost])), None) => {
                    let (fields, expr) = ended(stage, status, None, won, lost);
                    table(tables.pipelines, fields, expr)
                }
                (None, ..) => table(tables.pipelines, vec![stage], String::new()),
            },
            Make::Status => {
                let field = from.status.map_or(stage, |(field, _)| field);
                table(tables.status, vec![source(field)?], String::new())
            }
            _ => None,
        }
    }

    /// Whether a stage alone does not say where a deal is: it may be in several pipelines.
    fn has_shared_stages(&self, funnel: Funnel) -> bool {
        !of(self.from.2, funnel.pipeline).is_empty()
            && of(self.from.2, funnel.stage).iter().any(|stage| stage.within.is_none())
    }

    /// An expression in which `{won}` and `{lost}` are true for deals that are; `None` where no deal is ever.
    fn ending(&self, template: &str, keys: &str, field: &Field) -> Option<(Vec<&'s str>, How)> {
        let (from, to) = (self.from.1.funnel?, self.to.1.funnel?);
        let stages = Stages::new((self.from.2, from), (self.to.2, to));
        let mut template = template.to_owned();
        let mut read = Vec::new();
        for (place, word) in ["won", "lost"].into_iter().enumerate() {
            let mark = format!("{{{word}}}");
            if !template.contains(&mark) {
                continue;
            }
            let (field, condition) = condition(&stages, from, place + 1, word)?;
            read.push(field);
            template = template.replace(&mark, &condition);
        }
        if template.contains("{stage}") {
            read.push(from.stage);
            template = template.replace("{stage}", &write::path(from.stage));
        }
        if terms_of(&template).iter().any(|term| self.tell(term).is_none()) {
            return None;
        }
        let (mut fields, expr) = self.fill(&template, field);
        // What the condition reads is not used up by it.
        fields.retain(|field| !read.contains(field));
        let how = if keys.is_empty() { How::Expr(expr) } else { How::Keyed(expr, keys.to_owned()) };
        Some((fields, how))
    }

    /// A text, with the day on which it was written where that cannot be set.
    fn dated(&self, created: &str, field: &Field) -> Option<(Vec<&'s str>, How)> {
        self.tell("text")?;
        if self.field(created).is_some() || self.tell("created_at").is_none() {
            return self.of(&["text"], "", field);
        }
        let between = if matches!(field.kind, Kind::Text { html: true, .. }) { "<br>" } else { "\\n" };
        // Texts that an earlier move dated are dated.
        let written = "if is_blank({created_at}) || starts_with({text}, \"Written 2\") { null } else { concat([\"Written\", format_date!({created_at}, \"%Y-%m-%d %H:%M\"), \"UTC\"], \" \") }";
        let (from, expr) =
            self.fill(&format!("written = {written}\nconcat([written, {{text}}], \"{between}\")"), field);
        Some((from, How::Expr(expr)))
    }

    /// Source fields that say again what another one says: a second way to tell a term that was carried.
    fn told_otherwise(&self, taken: &[&str]) -> Vec<(&'s str, String)> {
        let mut out: Vec<(&'s str, String)> = Vec::new();
        for tell in self.from.1.tells {
            let first = self.line_of(tell.term).filter(|first| *first != tell);
            let first = first.map(|first| self.there(first.from)).unwrap_or_default();
            let other = first.iter().find(|name| taken.contains(name));
            for name in self.there(tell.from) {
                let known = taken.contains(&name) || out.iter().any(|(have, _)| *have == name);
                if let Some(other) = other.filter(|other| **other != name && !known) {
                    out.push((name, format!("`{other}` says it")));
                }
            }
        }
        out
    }
}
