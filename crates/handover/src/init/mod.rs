//! A project proposed for two accounts: `handover init`.
//!
//! Pure: two descriptions in, files out. Invariants:
//! - Every source field of a proposed flow is mapped or excluded with a reason; custom fields are never
//!   excluded: what has no equivalent gets a new field in the target.
//! - What was not certain is a finding: stages without a counterpart, users without one, objects that
//!   nothing moves.
//!
//! Deliberately absent: whether fields are filled. The assessment knows; here every field counts.

mod carrier;
mod compose;
mod expression;
mod flow;
mod lexicon;
mod link;
mod made;
mod options;
mod region;
mod scope;
mod template;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use handover_model::{Account, Field, Finding, ObjectName, Schema, SystemName, User, Weight};

pub(crate) use lexicon::title;
pub use made::unpaired;
use options::Row;

/// One account, as its system describes itself.
#[derive(Clone, Debug)]
pub struct SystemView {
    /// The name that the project gives it.
    pub name: SystemName,
    /// Its platform.
    pub platform: String,
    /// The account.
    pub account: Account,
    /// Its objects, with those that the customer made as far as they can be carried.
    pub schemas: Vec<Schema>,
    /// The objects that the customer made; `None` where the account does not let them be listed.
    pub custom: Option<Vec<ObjectName>>,
    /// How many records its objects hold, where that was asked: of those that nothing takes, and 0 of those that
    /// [`optional`] names and the account does not use.
    pub counts: BTreeMap<ObjectName, u64>,
    /// Its users.
    pub users: Vec<User>,
}

/// The objects of a platform that many companies do not use, and for each the one that tells whether it is used: a flow
/// is proposed where that one holds a record.
pub fn optional(platform: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let things = lexicon::of(platform).map_or(&[][..], |lexicon| lexicon.things);
    things.iter().filter(|thing| !thing.used_with.is_empty()).map(|thing| (thing.object, thing.used_with))
}

impl SystemView {
    /// Whether an object is known to hold no record.
    pub(crate) fn is_unused(&self, object: &str) -> bool {
        self.counts.get(object).is_some_and(|count| *count == 0)
    }

    /// The object that tells a concept, if the account has and uses one.
    fn teller(&self, concept: lexicon::Concept) -> Option<&'static lexicon::Thing> {
        let told = lexicon::of(&self.platform)?.teller(concept, &self.schemas)?;
        (!self.is_unused(told.object)).then_some(told)
    }

    /// An object's schema.
    pub fn schema(&self, object: &str) -> Option<&Schema> {
        self.schemas.iter().find(|schema| schema.object == *object)
    }
}

/// A proposed project.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The files, by their path relative to the project.
    pub files: BTreeMap<PathBuf, String>,
    /// Fields to be created in the target; they stand in `fields.yaml` too.
    pub create_fields: Vec<(SystemName, ObjectName, Field)>,
    /// What a person should look at.
    pub findings: Vec<Finding>,
}

/// A field to be created, and the source field that it is for.
struct Wanted {
    object: ObjectName,
    field: Field,
    from: String,
}

/// Translation tables by name; rows of several flows come together.
type TableRows = BTreeMap<String, Vec<Row>>;

/// Proposes a project that moves `from` to `to`.
pub fn propose(from: &SystemView, to: &SystemView) -> Proposal {
    let mut files = BTreeMap::new();
    let mut findings = Vec::new();
    let mut tables = TableRows::new();
    let mut wanted: Vec<Wanted> = Vec::new();
    let mut flows = Vec::new();
    let mut off = Vec::new();
    let mut moved = BTreeSet::new();
    for flow in compose::missing(from, to) {
        let message = format!("the flow `{flow}` is left out: an account has no such object");
        findings.push(Finding::new(Weight::Warning, "object_missing", message));
    }
    let pairs = compose::pairs(from, to);
    for pair in &pairs {
        let (Some(source), Some(target)) = (from.schema(pair.source), to.schema(pair.target)) else { continue };
        let sides = flow::Sides { from, to, source, target };
        let built = flow::build(&sides, &pairs, pair, &wanted);
        files.insert(PathBuf::from(format!("mappings/{}.yaml", pair.flow)), built.text);
        findings.extend(built.findings);
        for (table, rows) in built.tables {
            add_rows(tables.entry(table).or_default(), rows);
        }
        wanted.extend(built.wanted);
        moved.insert(pair.source);
        if pair.opt_in.is_empty() {
            flows.push(&*pair.flow);
        } else {
            off.push((&*pair.flow, pair.opt_in.as_str()));
            findings.push(switched_off(source, pair));
        }
    }
    if flows.is_empty() {
        findings.push(
            Finding::new(
                Weight::Warning,
                "no_template",
                format!("nothing is known about moving {} to {}", from.platform, to.platform),
            )
            .hint("write mappings/NAME.yaml for each pair of objects and name them in `flows`"),
        );
    }
    findings.extend(unmoved(from, &moved));
    findings.extend(made::told(&pairs, from, to));
    findings.extend(scope::left_behind(from, to, &moved));
    tables.insert("users".to_owned(), users(from, to, &mut findings));
    for (name, rows) in &tables {
        files.insert(PathBuf::from(format!("translations/{name}.csv")), write::table(rows));
    }
    findings.extend(undecided(&tables));
    files.insert(PathBuf::from("handover.yaml"), write::project(from, to, &flows, &off));
    files.insert(PathBuf::from("fields.yaml"), write::fields(&to.name, &wanted));
    let create_fields = wanted.into_iter().map(|wanted| (to.name.clone(), wanted.object, wanted.field)).collect();
    Proposal { files, create_fields, findings }
}

/// A flow that is written down and waits for a person to want it.
fn switched_off(source: &Schema, pair: &template::Pair<'_>) -> Finding {
    let message = format!("{} are not moved unless you switch it on: {}", source.label.to_lowercase(), pair.opt_in);
    Finding::new(Weight::Warning, "opt_in_flow", message).hint(format!(
        "move `{}` from `off` to `flows` in handover.yaml; `handover plan` counts the calls then",
        pair.flow
    ))
}

fn add_rows(into: &mut Vec<Row>, rows: Vec<Row>) {
    for row in rows {
        if !into.iter().any(|have| have.from == row.from) {
            into.push(row);
        }
    }
}

/// Objects that no flow reads: somebody may expect them to be moved.
fn unmoved(from: &SystemView, moved: &BTreeSet<&str>) -> Vec<Finding> {
    // An object that shows another one's records once more is moved with it.
    let seen_elsewhere = |object: &str| object == "files" && moved.contains("attachments");
    let is_meant = |schema: &&Schema| !from.is_unused(schema.object.as_str()) && !made::is_made(from, &schema.object);
    let left = from.schemas.iter().filter(is_meant).filter(|schema| {
        !moved.is_empty() && !moved.contains(schema.object.as_str()) && !seen_elsewhere(schema.object.as_str())
    });
    let finding = |schema: &Schema| {
        let message = format!("{} of {} are not moved by this project", schema.label.to_lowercase(), from.name);
        Finding::new(Weight::Warning, "object_not_moved", message)
            .hint("write a mapping for them, or state in the scope document that they stay behind")
    };
    left.map(finding).collect()
}

/// Users who do not pair by e-mail, for a person to assign.
fn users(from: &SystemView, to: &SystemView, findings: &mut Vec<Finding>) -> Vec<Row> {
    let plain = |email: &str| email.trim().to_lowercase();
    let known: BTreeSet<_> = to.users.iter().filter(|user| user.active).map(|user| plain(&user.email)).collect();
    let alone = from.users.iter().filter(|user| !known.contains(&plain(&user.email)));
    let row = |user: &User| {
        let from = if user.email.trim().is_empty() { user.id.to_string() } else { user.email.trim().to_owned() };
        let state = if user.active { "" } else { " (inactive)" };
        Row { from, to: String::new(), comment: format!("{}{state}", user.name) }
    };
    let rows: Vec<_> = alone.map(row).collect();
    if !rows.is_empty() {
        let message = format!(
            "{} of {} users of {} have no active user with the same e-mail in {}",
            rows.len(),
            from.users.len(),
            from.name,
            to.name
        );
        let finding = Finding::new(Weight::Warning, "unknown_user", message)
            .hint("fill in the column `to` of translations/users.csv; until then their records are held");
        findings.push(finding);
    }
    rows
}

/// Rows of tables that nobody but a person can fill in.
fn undecided(tables: &TableRows) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, rows) in tables.iter().filter(|(name, _)| *name != "users") {
        let blank: Vec<_> = rows.iter().filter(|row| row.to.is_empty()).map(|row| row.comment.as_str()).collect();
        if !blank.is_empty() {
            let message = format!("translations/{name}.csv leaves open: {}", blank.join(", "));
            let finding = Finding::new(Weight::Warning, "untranslated", message)
                .hint("fill in the column `to`; until then the records concerned are held");
            findings.push(finding);
        }
    }
    findings
}
