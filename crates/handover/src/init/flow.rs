//! One flow: the template's lines first, then fields with equal labels, then fields of their own, and a
//! reason for each field that is left.

use std::collections::{BTreeMap, BTreeSet};

use handover_model::{Field, Finding, Kind, Schema, Weight, Writable};

use super::carrier::{self, Aim, Carrier, Way, carrier, fits, slug, unique};
use super::lexicon::{Concept, Own, is_quoted, lacks, points_to, title};
use super::made::bare;
use super::options::{self, Row, Stages, folded};
use super::template::{How, Line, OWN, Pair};
use super::{SystemView, Wanted, write};

/// What a flow is built from.
pub(super) struct Sides<'s> {
    pub(super) from: &'s SystemView,
    pub(super) to: &'s SystemView,
    pub(super) source: &'s Schema,
    pub(super) target: &'s Schema,
}

/// A flow as it will be written.
pub(super) struct Built {
    pub(super) text: String,
    pub(super) tables: Vec<(String, Vec<Row>)>,
    pub(super) wanted: Vec<Wanted>,
    pub(super) findings: Vec<Finding>,
}

/// One rule as it will be written.
pub(super) struct RuleText {
    pub(super) target: String,
    /// The right side, in YAML.
    pub(super) right: String,
    /// What stands behind it as a comment.
    pub(super) remark: String,
}

/// One excluded field as it will be written.
pub(super) struct ExcludedText {
    pub(super) field: String,
    pub(super) reason: String,
    pub(super) remark: String,
}

/// The field that holds the source key.
const KEY: &str = "handover_source_key";

/// Builds one flow of all `pairs`. `earlier` are the fields that other flows want already.
pub(super) fn build(sides: &Sides<'_>, pairs: &[Pair<'_>], pair: &Pair<'_>, earlier: &[Wanted]) -> Built {
    let mut builder = Builder {
        sides,
        pairs,
        pair,
        earlier,
        rules: Vec::new(),
        excluded: Vec::new(),
        used: BTreeSet::new(),
        claimed: BTreeSet::new(),
        tables: Vec::new(),
        wanted: Vec::new(),
        findings: Vec::new(),
    };
    let key = builder.key();
    for line in &pair.lines {
        builder.line(line);
    }
    for field in &sides.source.fields {
        if !builder.used.contains(field.name.as_str()) {
            builder.rest(field);
        }
    }
    builder.report();
    let back: Vec<RuleText> = pair.back.iter().filter_map(|line| back(sides, line)).collect();
    let text = write::flow(sides, pair, key.as_deref(), &builder.rules, &back, &builder.excluded);
    Built { text, tables: builder.tables, wanted: builder.wanted, findings: builder.findings }
}

/// A line of the way back: from the target's fields to the source's.
fn back(sides: &Sides<'_>, line: &Line<'_>) -> Option<RuleText> {
    sides.source.field(&line.target).filter(|field| field.writable == Writable::Always)?;
    let right = match &line.how {
        How::Plain => write::names(&line.from),
        How::With(keys) => write::rule(&format!("from: {}", write::names(&line.from)), keys),
        How::Expr(expr) => write::expression(expr, ""),
        How::Keyed(expr, keys) => write::expression(expr, keys),
        How::Value(value) => format!("{{value: {}}}", write::scalar(value)),
        How::Choices(..) | How::Stages { .. } | How::Carry { .. } => return None,
    };
    Some(RuleText { target: line.target.clone(), right, remark: String::new() })
}

pub(super) struct Builder<'s> {
    pub(super) sides: &'s Sides<'s>,
    pairs: &'s [Pair<'s>],
    pub(super) pair: &'s Pair<'s>,
    earlier: &'s [Wanted],
    rules: Vec<RuleText>,
    excluded: Vec<ExcludedText>,
    used: BTreeSet<String>,
    pub(super) claimed: BTreeSet<String>,
    tables: Vec<(String, Vec<Row>)>,
    wanted: Vec<Wanted>,
    findings: Vec<Finding>,
}

impl Builder<'_> {
    /// The field for the source key, where the target object can have one.
    fn key(&mut self) -> Option<String> {
        let is_unique = self.pair.own_fields == Own::Unique;
        let kind = Kind::Text { max: Some(255), html: false };
        let key = self.own_field(KEY, "Source key (Handover)", kind, is_unique, "id")?;
        self.claimed.insert(key.clone());
        Some(key)
    }

    /// One line of the pair.
    fn line(&mut self, line: &Line<'_>) {
        if let How::Carry { label, with, is_number } = &line.how {
            self.carry_line(line, label, with, *is_number);
            return;
        }
        let Some(target) = self.sides.target.field(&line.target) else { return };
        if self.claimed.contains(&line.target) {
            return;
        }
        let from = &line.from;
        let first = from.first().copied().unwrap_or_default();
        let mut remark = String::new();
        let right = match &line.how {
            How::Plain if target.kind == Kind::User && self.fallback().is_some() => {
                "what names nobody: the platform gives it to the token's user".clone_into(&mut remark);
                let default = format!("default: {}", write::scalar(self.fallback().unwrap_or_default()));
                write::rule(&format!("from: {}", write::names(from)), &default)
            }
            How::Plain => write::names(from),
            How::With(keys) => write::rule(&format!("from: {}", write::names(from)), keys),
            How::Expr(expr) => write::expression(expr, ""),
            How::Keyed(expr, keys) => write::expression(expr, keys),
            How::Value(value) => format!("{{value: {}}}", write::scalar(value)),
            How::Choices(table, default) => self.choices(first, target, table, default),
            How::Stages { table, expr } => self.stages(first, table, expr),
            How::Carry { .. } => return,
        };
        self.claimed.insert(line.target.clone());
        self.used.extend(from.iter().map(|name| (*name).to_owned()));
        self.rules.push(RuleText { target: line.target.clone(), right, remark });
    }

    /// The address of the user to whom the target gives what names nobody. Written into the rule, so that nobody
    /// wonders later who that is, and `verify` knows what to demand.
    fn fallback(&self) -> Option<&str> {
        let id = self.sides.to.account.fallback_user.as_ref()?;
        self.sides.to.users.iter().find(|user| user.id == *id && user.active).map(|user| user.email.as_str())
    }

    /// A field of its own for the first of the line's source fields, with the others of its kind where that is blank.
    fn carry_line(&mut self, line: &Line<'_>, label: &str, with: &str, is_number: bool) {
        let source = line.from.iter().find_map(|name| self.sides.source.field(name));
        let Some(source) = source else { return };
        // Other e-mail addresses have a field of HubSpot's own where it can be written.
        let taken = with.contains("others") && self.claimed.contains("hs_additional_emails");
        let quoted = line.target.strip_prefix(OWN).is_some_and(is_quoted);
        if taken || source.writable == Writable::Never && !is_telling(source) && !quoted {
            return;
        }
        let carrier = self.carrier(source);
        let kind = match with {
            "" => carrier.kind,
            _ if is_number => Kind::Number,
            _ => Kind::Text { max: None, html: false },
        };
        let name = source.name.to_string();
        let Some(target) = self.own_field(&line.target, label, kind, false, &name) else { return };
        let right = match (with, &carrier.way) {
            ("", Way::Plain) => {
                self.used.extend(line.from.iter().map(|name| (*name).to_owned()));
                write::names(&line.from)
            }
            ("", way) => right(&name, way),
            (with, _) => write::rule(&format!("from: {}", write::scalar(&name)), with),
        };
        self.take(&name, target, right, String::new());
    }

    /// A field that the template does not know.
    fn rest(&mut self, field: &Field) {
        let name = field.name.as_str();
        if let Some((_, reason)) = self.pair.excluded.iter().find(|(excluded, _)| *excluded == name) {
            self.exclude(field, reason);
            return;
        }
        // The name of a customer's record is the customer's, also where the platform counts it.
        let is_named =
            self.pair.target_concept == Concept::Made && self.sides.source.name.as_ref() == Some(&field.name);
        let own = field.custom || is_named;
        if field.writable == Writable::Never && !own {
            let reason = format!("{} fills it by itself", title(&self.sides.from.platform));
            self.exclude(field, &reason);
        } else if self.link(field) || self.equal_label(field) {
            // Mapped.
        } else if own {
            self.propose(field);
        } else {
            let reason = match (&field.kind, name) {
                (Kind::Opaque, _) => format!("only {} can read it", title(&self.sides.from.platform)),
                (Kind::Reference { object, .. }, _) => {
                    format!("{} has no such link to {object}", title(&self.sides.to.platform))
                }
                (_, KEY) => "an earlier move's own key".to_owned(),
                _ => format!("{} has no such field; write a rule if it is in use", title(&self.sides.to.platform)),
            };
            self.exclude(field, &reason);
        }
    }

    /// What takes over a field that has no counterpart.
    fn carrier(&self, field: &Field) -> Carrier {
        carrier(&field.kind, self.aim(field), lacks(&self.sides.to.platform), &self.sides.from.name)
    }

    /// Where a field that points to moved records leads in the target: they are moved by one flow, to what such fields can
    /// point to there.
    fn aim(&self, field: &Field) -> Option<Aim> {
        let (pair, later) = self.leads(field)?;
        let can = points_to(&self.sides.to.platform, pair.target_concept);
        can.then(|| Aim { object: pair.target.into(), later })
    }

    /// The one flow that moves what a field points to, and whether that is done after this one.
    pub(super) fn leads(&self, field: &Field) -> Option<(&Pair<'_>, bool)> {
        let Kind::Reference { object, .. } = &field.kind else { return None };
        let mut moving = self.pairs.iter().enumerate().filter(|(_, pair)| pair.source == object.as_str());
        let (Some((at, pair)), None) = (moving.next(), moving.next()) else { return None };
        let here = self.pairs.iter().position(|pair| pair.flow == self.pair.flow)?;
        pair.opt_in.is_empty().then_some((pair, at >= here))
    }

    /// Maps a field to the target's field with the same label, if there is one of the same kind.
    fn equal_label(&mut self, field: &Field) -> bool {
        let carrier = self.carrier(field);
        let wanted = folded(&field.label);
        let alike = |target: &&Field| folded(&target.label) == wanted;
        // What own fields of the platform cannot hold a field that is there may.
        let is_same = |kind: &Kind| *kind == field.kind && matches!(kind, Kind::Email { many: false } | Kind::User);
        let fields = || self.sides.target.fields.iter();
        let found =
            fields().filter(alike).chain(fields().filter(|target| self.is_named_so(field, target))).find(|target| {
                target.writable != Writable::Never
                    && !self.claimed.contains(target.name.as_str())
                    && (is_same(&target.kind) || fits(&target.kind, &carrier.kind))
            });
        let Some(target) = found else { return false };
        let name = field.name.to_string();
        let right = match (&field.kind, &target.kind) {
            (Kind::Choice { .. }, Kind::Choice { .. }) => {
                let table = format!("{}_{}", self.pair.flow, slug(&field.label));
                self.choices(&name, target, &table, "")
            }
            (_, kind) if is_same(kind) => write::scalar(&name),
            _ => right(&name, &carrier.way),
        };
        let what = if folded(&target.label) == wanted { "label" } else { "name" };
        let remark = format!("{}: the same {what} on both sides", field.label);
        self.take(&name, target.name.to_string(), right, remark);
        true
    }

    /// Whether fields of two objects that customers made are named alike but for what their platforms put around it.
    fn is_named_so(&self, field: &Field, target: &Field) -> bool {
        let (from, to) = (bare(self.sides.from, field.name.as_str()), bare(self.sides.to, target.name.as_str()));
        self.pair.target_concept == Concept::Made && field.custom && target.custom && folded(from) == folded(to)
    }

    /// A new field for one of the customer's fields.
    fn propose(&mut self, field: &Field) {
        let carrier = self.carrier(field);
        let name = field.name.to_string();
        let wish = slug(&field.label);
        let Some(target) = self.own_field(&wish, &field.label, carrier.kind, false, &name) else {
            let message = format!(
                "{} of {} takes no fields of one's own: `{}` ({}) is not moved",
                self.pair.target,
                title(&self.sides.to.platform),
                field.name,
                field.label
            );
            self.findings.push(Finding::new(Weight::Warning, "no_room", message));
            self.exclude(field, &format!("{} takes no field for it here", title(&self.sides.to.platform)));
            return;
        };
        let mut remark = field.label.clone();
        if !carrier.remark.is_empty() {
            remark.push_str(": ");
            remark.push_str(carrier.remark);
        }
        self.take(&name, target, right(&name, &carrier.way), remark);
    }

    pub(super) fn take(&mut self, source: &str, target: String, right: String, remark: String) {
        self.used.insert(source.to_owned());
        self.claimed.insert(target.clone());
        self.rules.push(RuleText { target, right, remark });
    }

    fn exclude(&mut self, field: &Field, reason: &str) {
        self.used.insert(field.name.to_string());
        let remark = if field.custom { field.label.clone() } else { String::new() };
        self.excluded.push(ExcludedText { field: field.name.to_string(), reason: reason.to_owned(), remark });
    }

    /// A field of ours in the target: one that is there (an earlier `init` was followed), one that
    /// another flow wants already, or a new one. `None` where the object takes none.
    pub(super) fn own_field(
        &mut self,
        wish: &str,
        label: &str,
        kind: Kind,
        is_unique: bool,
        from: &str,
    ) -> Option<String> {
        let target = self.sides.target;
        let there = target.fields.iter().find(|field| {
            field.custom
                && (field.name == *wish || folded(&field.label) == folded(label))
                && field.writable != Writable::Never
                && fits(&field.kind, &kind)
                && !self.claimed.contains(field.name.as_str())
        });
        if let Some(field) = there {
            return Some(field.name.to_string());
        }
        if self.pair.own_fields == Own::No {
            return None;
        }
        let is_same = |wanted: &&Wanted| wanted.object == target.object && wanted.field.name == *wish;
        let earlier = self.earlier.iter().find(is_same).filter(|wanted| wanted.field.label == label);
        if earlier.is_some() && !self.claimed.contains(wish) {
            return Some(wish.to_owned());
        }
        let name = unique(wish, |name| {
            target.field(name).is_some()
                || self.wanted.iter().chain(self.earlier).any(|w| w.object == target.object && w.field.name == *name)
        });
        let label = self.own_label(label);
        let field = carrier::field(&name, &label, kind, is_unique);
        self.wanted.push(Wanted { object: target.object.clone(), field, from: from.to_owned() });
        Some(name)
    }

    /// The label, with a number behind it where a field has it already: some platforms refuse a second one.
    fn own_label(&self, label: &str) -> String {
        let target = self.sides.target;
        let wanted = self.wanted.iter().chain(self.earlier).filter(|wanted| wanted.object == target.object);
        let taken: BTreeSet<String> = wanted
            .map(|wanted| wanted.field.label.as_str())
            .chain(target.fields.iter().map(|field| field.label.as_str()))
            .map(folded)
            .collect();
        let numbered = (2_u32..).map(|number| format!("{label} {number}"));
        let mut all = std::iter::once(label.to_owned()).chain(numbered);
        all.find(|label| !taken.contains(&folded(label))).unwrap_or_else(|| label.to_owned())
    }

    /// Options by label, and a table for those that no option of the target is called like.
    fn choices(&mut self, source: &str, target: &Field, table: &str, default: &str) -> String {
        let from = options::of(self.sides.source, source);
        let to = options::of(self.sides.target, target.name.as_str());
        let rows = options::unpaired(from, to);
        let default =
            options::by_label(to, default).map(|option| format!(", default: {}", write::scalar(&option.value)));
        let nothing = options::nothing(from, to);
        let nothing = nothing.map(|option| format!("{{blank_if: {{is: {}}}}}, ", write::scalar(&option.value)));
        let mut keys = format!("from: {}, steps: [{}by_label]", write::scalar(source), nothing.unwrap_or_default());
        if !rows.is_empty() {
            self.tables.push((table.to_owned(), rows));
            keys.push_str(&format!(", translate: {table}"));
        }
        format!("{{{keys}{}}}", default.unwrap_or_default())
    }

    fn stages(&mut self, source: &str, table: &str, expr: &str) -> String {
        let Some((from, to)) = self.pair.funnels else { return write::scalar(source) };
        let rows = Stages::new((self.sides.source, from), (self.sides.target, to)).rows(table);
        self.tables.push((table.to_owned(), rows));
        if expr.is_empty() {
            return format!("{{from: {}, translate: {table}}}", write::scalar(source));
        }
        write::expression(expr, &format!("translate: {table}"))
    }

    /// What a person should know about what is left out.
    fn report(&mut self) {
        let open: Vec<_> = self
            .excluded
            .iter()
            .filter(|excluded| excluded.reason.ends_with("write a rule if it is in use"))
            .map(|excluded| excluded.field.as_str())
            .collect();
        if !open.is_empty() {
            let message = format!(
                "{} fields of {} have no counterpart in {} and are left out",
                open.len(),
                self.pair.source,
                title(&self.sides.to.platform)
            );
            let hint = format!("look through `exclude` in mappings/{}.yaml", self.pair.flow);
            self.findings.push(Finding::new(Weight::Note, "left_out", message).hint(hint));
        }
        let mut several: BTreeMap<&str, &str> = BTreeMap::new();
        for rule in self.rules.iter().filter(|rule| rule.right.contains("steps: [first]")) {
            if let Some(field) = self.sides.source.fields.iter().find(|f| rule.right.contains(f.name.as_str())) {
                several.insert(&rule.target, field.name.as_str());
            }
        }
        for (target, source) in several {
            let message = format!(
                "`{target}` of {} takes one record; of several in `{source}` the first is linked",
                self.pair.target
            );
            self.findings.push(Finding::new(Weight::Note, "one_of_several", message));
        }
    }
}

/// Read-only fields that say something which the target cannot know: when, and by whom.
fn is_telling(field: &Field) -> bool {
    matches!(field.kind, Kind::DateTime | Kind::User)
}

/// The right side of a rule for one source field.
fn right(source: &str, way: &Way) -> String {
    match way {
        Way::Plain => write::scalar(source),
        Way::With(keys) => write::rule(&format!("from: {}", write::scalar(source)), keys),
        Way::YesNo => {
            let path = write::path(source);
            let expr = format!("if {path} == true {{ \"Yes\" }} else if {path} == false {{ \"No\" }} else {{ null }}");
            write::expression(&expr, "steps: [by_label]")
        }
    }
}
