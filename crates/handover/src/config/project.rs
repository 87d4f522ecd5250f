//! The project as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use handover_engine::Reconcile;
use handover_model::{Cohort, Day, Finding, Flow, FlowName, Place, SystemName, Table, Weight};
use jiff::tz::TimeZone;

use super::alerts::{self, Alerts};
use super::cohorts::{self, Cohorts};
use super::fields::{self, WantedField};
use super::node::{Kind, Node};
use super::reader::{File, Reading, did_you_mean};
use super::sources::Sources;
use super::system::{self, System};
use super::{credentials, flow, ownership, reconcile, table};
use crate::{kept::Vault, problem::Problem};

/// A project, understood.
pub struct Project {
    /// Its name; the state remembers it.
    pub name: String,
    /// The folder of the project file: what every path in the project is relative to.
    pub root: PathBuf,
    /// Where the state is: an absolute or root-relative path, or a `postgres://` address with its
    /// environment variables filled in (so it may contain a password).
    pub state: String,
    /// Where secrets are kept.
    pub vault: Vault,
    /// The systems, in the order of the file.
    pub systems: Vec<System>,
    /// The flows, in the order of the file.
    pub flows: Vec<Flow>,
    /// The parts of the company that move on dates of their own, in the order of the file.
    pub cohorts: Vec<Cohort>,
    /// In which the project's dates are.
    pub time_zone: TimeZone,
    /// The day on which the system that the company leaves is switched off.
    pub kill_date: Option<Day>,
    /// The translation tables by name.
    pub tables: BTreeMap<String, Table>,
    /// What guards a run.
    pub policies: Policies,
    /// Who is told of passes that fail or look odd.
    pub alerts: Option<Alerts>,
    /// Fields to be created in the targets, from `fields.yaml`.
    pub create_fields: Vec<WantedField>,
    /// The BLAKE3 hash, hex, over the names and bytes of all files of the project.
    pub snapshot: String,
    /// The files' lines, for excerpts.
    pub sources: Sources,
    /// What deserves a look and does not stop anything: a mapping that no flow names.
    pub notices: Vec<Finding>,
}

/// What guards a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Policies {
    /// The run stops when more than this share (0 to 1) ...
    pub error_share: f64,
    /// ... of the last so many records failed unannounced,
    pub error_of_last: u64,
    /// or when so many failed in all.
    pub error_or: u64,
    /// How many deletions and merges of a flow one pass may carry out,
    pub delete_count: u64,
    /// and which share of the flow's pairs (0 to 1); one is always allowed.
    pub delete_share: f64,
    /// How old the last list of all ids may get where deleted records are found by that alone.
    pub sweep: Duration,
    /// How pairs are looked at again, whatever the lists of changes say; `None` when the project wants none of it.
    pub reconcile: Option<Reconcile>,
    /// How long the right to write a state in PostgreSQL lasts each time it is prolonged.
    pub lease: Duration,
    /// A pass hangs that had no answer and wrote nothing for so long.
    pub hangs: Duration,
    /// Automations of the target, by name, that somebody has looked at and lets run.
    pub acknowledged_automations: Vec<String>,
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            error_share: 0.05,
            error_of_last: 500,
            error_or: 50,
            delete_count: 20,
            delete_share: 0.02,
            sweep: Duration::from_secs(24 * 60 * 60),
            reconcile: Some(reconcile::USUAL),
            lease: Duration::from_secs(3 * 60),
            hangs: Duration::from_secs(30 * 60),
            acknowledged_automations: Vec::new(),
        }
    }
}

/// Addresses and names; never the state, whose address may hold a password.
impl fmt::Debug for Project {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Project")
            .field("name", &self.name)
            .field("systems", &self.systems.iter().map(|system| &system.name).collect::<Vec<_>>())
            .field("flows", &self.flows.iter().map(|flow| &flow.name).collect::<Vec<_>>())
            .field("snapshot", &self.snapshot)
            .finish_non_exhaustive()
    }
}

impl Project {
    /// Reads a project from its file, environment variables from the process.
    ///
    /// # Errors
    /// Every problem of every file, none of the files being used then.
    pub fn load(path: &Path) -> Result<Self, Vec<Problem>> {
        Self::load_with(path, &|name| std::env::var(name).ok())
    }

    /// Reads a project from its file, environment variables from `environment`.
    ///
    /// # Errors
    /// Every problem of every file, none of the files being used then.
    pub fn load_with(path: &Path, environment: &dyn Fn(&str) -> Option<String>) -> Result<Self, Vec<Problem>> {
        let root = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let name = path.file_name().map_or_else(|| "handover.yaml".to_owned(), |name| name.to_string_lossy().into());
        let mut reading = Reading::default();
        let project = load(&mut reading, root, &name, environment);
        match project {
            Some(mut project) if reading.problems.is_empty() => {
                project.sources = reading.sources;
                Ok(project)
            }
            _ => {
                let state = "nothing was read from or written to any system";
                Err(reading.problems.into_iter().map(|problem| problem.state(state)).collect())
            }
        }
    }

    /// A system by its name.
    pub fn system(&self, name: &SystemName) -> Option<&System> {
        self.systems.iter().find(|system| system.name == *name)
    }

    /// A flow by its name.
    pub fn flow(&self, name: &FlowName) -> Option<&Flow> {
        self.flows.iter().find(|flow| flow.name == *name)
    }
}

/// What `handover.yaml` itself says.
struct Head {
    name: Option<String>,
    state: Option<String>,
    vault: Vault,
    systems: Vec<System>,
    names: Vec<SystemName>,
    flows: Vec<(FlowName, Node)>,
    off: Vec<(FlowName, Node)>,
    cohorts: Cohorts,
    time_zone: TimeZone,
    kill_date: Option<Day>,
    policies: Policies,
    alerts: Option<Alerts>,
}

fn load(
    reading: &mut Reading,
    root: PathBuf,
    name: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Option<Project> {
    let Some(bytes) = reading.bytes(&root, name) else {
        if reading.problems.is_empty() {
            let missing = Problem::new("no_project", format!("there is no {name} in {}", root.display()))
                .hint("`handover init` proposes a project for two systems; `--project FILE` names another file");
            reading.problems.push(missing);
        }
        return None;
    };
    let main = File(name.into());
    let tree = reading.tree(&main, &bytes, true)?;
    let head = head(reading, &main, &tree, &root, environment)?;
    let create_fields = fields::load(reading, &root, &head.names);
    let tables = table::load(reading, &root);
    let flows = flows(reading, &main, &root, &head, &create_fields);
    check_names(reading, &flows, &tables);
    ownership::check(reading, flows.iter().map(|read| &read.flow));
    let notices = unnamed_mappings(&root, &head);
    Some(Project {
        name: head.name?,
        state: head.state?,
        vault: head.vault,
        root,
        systems: head.systems,
        flows: flows.into_iter().map(|read| read.flow).collect(),
        cohorts: head.cohorts.cohorts,
        time_zone: head.time_zone,
        kill_date: head.kill_date,
        tables,
        policies: head.policies,
        alerts: head.alerts,
        create_fields,
        snapshot: snapshot(reading),
        sources: Sources::default(),
        notices,
    })
}

fn head(
    reading: &mut Reading,
    file: &File,
    tree: &Node,
    root: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Option<Head> {
    let mut entries = reading.open(file, tree, "the project file")?;
    let name = entries.need("project", reading).and_then(|node| name(reading, file, node, "project"));
    let state = match entries.take("state") {
        Some(node) => state(reading, file, node, root, environment),
        None => Some(root.join(".handover/state.db").to_string_lossy().into_owned()),
    };
    let vault = Vault::of(root, entries.take("secrets").and_then(|node| credentials::key(reading, file, node, root)));
    let (systems, names) = match entries.need("systems", reading) {
        Some(node) => system::read(reading, file, node, root, &vault),
        None => (Vec::new(), Vec::new()),
    };
    let before = reading.problems.len();
    let flows = match entries.need("flows", reading) {
        Some(node) => flow_names(reading, file, node, "flows"),
        None => Vec::new(),
    };
    let off = match entries.take("off") {
        Some(node) => flow_names(reading, file, node, "off"),
        None => Vec::new(),
    };
    for (name, node) in off.iter().filter(|(name, _)| flows.iter().any(|(flow, _)| flow == name)) {
        let message = format!("the flow `{name}` is on and off: it stands in `flows` too");
        reading.complain(file, node.mark, "duplicate_flow", message);
    }
    let longest = systems.iter().map(|system| system.timeout).max().unwrap_or_default();
    let named = reading.problems.len() == before;
    let time_zone = entries.take("time_zone").map_or(Some(TimeZone::UTC), |node| cohorts::zone(reading, file, node));
    // Days of a zone that is not known are taken for UTC's: their own mistakes are told all the same.
    let time_zone = time_zone.unwrap_or(TimeZone::UTC);
    let kill_date =
        entries.take("kill_date").and_then(|node| cohorts::day_at(reading, file, node, "kill_date", &time_zone));
    let cohorts = entries.take("cohorts").map(|node| {
        let known: Vec<&FlowName> = flows.iter().chain(&off).map(|(name, _)| name).collect();
        // Flows whose names were refused are not unknown: their own problems say enough.
        cohorts::read(reading, file, node, &time_zone, Some(&*known).filter(|_| named))
    });
    let cohorts = cohorts.unwrap_or_default();
    let policies = match entries.take("policies") {
        Some(node) => policies(reading, file, node, longest),
        None => Policies::with(longest),
    };
    let alerts = entries.take("alerts").and_then(|node| alerts::read(reading, file, node, root));
    entries.finish(reading);
    Some(Head { name, state, vault, systems, names, flows, off, cohorts, time_zone, kill_date, policies, alerts })
}

/// A name that can be a file's: no separators, no dots in front.
pub(super) fn name(reading: &mut Reading, file: &File, node: &Node, what: &str) -> Option<String> {
    let text = reading.text(file, node, what)?;
    let good = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    if !text.is_empty() && text.chars().all(good) {
        return Some(text);
    }
    let message = format!("`{text}` cannot be a name: letters, digits, `-` and `_` only");
    reading.complain(file, node.mark, "name", message);
    None
}

fn flow_names(reading: &mut Reading, file: &File, node: &Node, key: &str) -> Vec<(FlowName, Node)> {
    let Kind::List(items) = &node.kind else {
        reading.wrong(file, node, key, "a list of names");
        return Vec::new();
    };
    let mut names: Vec<(FlowName, Node)> = Vec::new();
    for item in items {
        let Some(text) = name(reading, file, item, key) else { continue };
        if names.iter().any(|(have, _)| *have == *text) {
            reading.complain(file, item.mark, "duplicate_flow", format!("the flow `{text}` is named twice"));
        } else {
            names.push((FlowName::new(text), item.clone()));
        }
    }
    names
}

/// The state's address with `${NAME}` filled in; a path becomes relative to the root.
fn state(
    reading: &mut Reading,
    file: &File,
    node: &Node,
    root: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Option<String> {
    let text = reading.text(file, node, "state")?;
    // A password in the address would stand in a file that gets committed.
    if let Some((_, rest)) = text.split_once("://")
        && let Some((user, _)) = rest.split_once('@')
        && user.split_once(':').is_some_and(|(_, password)| !password.is_empty() && !password.contains("${"))
    {
        let problem = Problem::new("literal_secret", "the state's address holds a password")
            .at(&Place { column: 0, ..file.place(node.mark) }, 0, &Sources::default())
            .hint("put the password into an environment variable: `postgres://user:${DB_PASSWORD}@host/name`");
        reading.problems.push(problem);
        return None;
    }
    let mut filled = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("${") {
        filled.push_str(before);
        let Some((name, behind)) = after.split_once('}') else {
            reading.complain(file, node.mark, "state", "a `${` in the state's address has no `}`");
            return None;
        };
        let Some(value) = environment(name) else {
            reading.complain(file, node.mark, "no_variable", format!("the environment variable `{name}` is not set"));
            return None;
        };
        filled.push_str(&value);
        rest = behind;
    }
    filled.push_str(rest);
    if filled.contains("://") { Some(filled) } else { Some(root.join(filled).to_string_lossy().into_owned()) }
}

impl Policies {
    /// What guards a run unless somebody says otherwise, when answers may take so long.
    fn with(longest: Duration) -> Self {
        Self { lease: longest.saturating_mul(3), ..Self::default() }
    }
}

fn policies(reading: &mut Reading, file: &File, node: &Node, longest: Duration) -> Policies {
    let mut policies = Policies::with(longest);
    let Some(mut entries) = reading.open(file, node, "policies") else { return policies };
    if let Some(node) = entries.take("errors")
        && let Some(mut errors) = reading.open(file, node, "errors")
    {
        if let Some(share) = errors.take("share").and_then(|node| reading.share(file, node, "share", 100)) {
            policies.error_share = share;
        }
        let most = 1_000_000_000;
        if let Some(last) = errors.take("of_last").and_then(|node| reading.whole(file, node, "of_last", 1, most)) {
            policies.error_of_last = last;
        }
        if let Some(or) = errors.take("or").and_then(|node| reading.whole(file, node, "or", 1, most)) {
            policies.error_or = or;
        }
        errors.finish(reading);
    }
    if let Some(node) = entries.take("delete_guard")
        && let Some(mut guard) = reading.open(file, node, "delete_guard")
    {
        if let Some(count) = guard.take("count").and_then(|node| reading.whole(file, node, "count", 0, 1_000_000_000)) {
            policies.delete_count = count;
        }
        if let Some(share) = guard.take("share").and_then(|node| share(reading, file, node)) {
            policies.delete_share = share;
        }
        guard.finish(reading);
    }
    if let Some(sweep) = entries.take("sweep").and_then(|node| reading.duration(file, node, "sweep")) {
        policies.sweep = sweep;
    }
    if let Some(hangs) = entries.take("hangs").and_then(|node| reading.duration(file, node, "hangs")) {
        policies.hangs = hangs;
    }
    if let Some(node) = entries.take("reconcile") {
        policies.reconcile = reconcile::read(reading, file, node);
    }
    if let Some(node) = entries.take("lease")
        && let Some(lease) = reading.duration(file, node, "lease")
    {
        policies.lease = lease;
        // No request leaves that the lease does not outlast, and it is prolonged when a third of it is over.
        if lease < longest.saturating_mul(2) {
            let message = format!("`lease` is shorter than twice the longest `timeout`, which is {longest:?}");
            reading.complain(file, node.mark, "lease", message);
        }
    }
    match entries.take("acknowledged_automations") {
        // An empty list is what `init` writes.
        Some(Node { kind: Kind::List(items), .. }) if items.is_empty() => {}
        Some(node) => {
            policies.acknowledged_automations =
                reading.texts(file, node, "acknowledged_automations").unwrap_or_default();
        }
        None => {}
    }
    entries.finish(reading);
    policies
}

/// `2%`, or as a number: `0.02`.
fn share(reading: &mut Reading, file: &File, node: &Node) -> Option<f64> {
    match node.text().and_then(|text| text.parse::<f64>().ok()) {
        Some(share) if (0.0..=1.0).contains(&share) => Some(share),
        _ => reading.share(file, node, "share", 100),
    }
}

fn flows(
    reading: &mut Reading,
    main: &File,
    root: &Path,
    head: &Head,
    create_fields: &[WantedField],
) -> Vec<flow::ReadFlow> {
    let mut flows = Vec::new();
    for (name, node) in &head.flows {
        let path = format!("mappings/{name}.yaml");
        let before = reading.problems.len();
        let Some(bytes) = reading.bytes(root, &path) else {
            if reading.problems.len() == before {
                let message = format!("the flow `{name}` has no {path}");
                let problem = reading
                    .problem(main, node.mark, "missing_file", message)
                    .hint("write the file, or take the name out of `flows`");
                reading.problems.push(problem);
            }
            continue;
        };
        let file = File(path.as_str().into());
        let Some(tree) = reading.tree(&file, &bytes, false) else { continue };
        if let Some(mut read) = flow::read(reading, &file, &tree, name, &head.names, head.cohorts.move_some()) {
            head.cohorts.tell(&mut read.flow);
            fields::rename(&mut read.flow, create_fields);
            flows.push(read);
        }
    }
    flows
}

/// Tables and flows that rules name must exist.
fn check_names(reading: &mut Reading, flows: &[flow::ReadFlow], tables: &BTreeMap<String, Table>) {
    let names: BTreeSet<_> = flows.iter().map(|read| read.flow.name.as_str()).collect();
    for mention in flows.iter().flat_map(|read| &read.mentions) {
        let (known, code, message) = match mention.what {
            flow::Mentioned::Table => (
                tables.contains_key(&mention.name),
                "unknown_table",
                format!("there is no translations/{}.csv", mention.name),
            ),
            flow::Mentioned::Flow => {
                (names.contains(mention.name.as_str()), "unknown_flow", format!("there is no flow `{}`", mention.name))
            }
        };
        // A flow that could not be read is not unknown: its own problems say enough.
        if known || (code == "unknown_flow" && !reading.problems.is_empty()) {
            continue;
        }
        let mut problem = reading.problem(&mention.file, mention.mark, code, message);
        problem.notes.extend(match mention.what {
            flow::Mentioned::Table => did_you_mean(&mention.name, tables.keys().map(String::as_str)),
            flow::Mentioned::Flow => did_you_mean(&mention.name, names.iter().copied()),
        });
        if code == "unknown_table" {
            problem = problem.hint("a translation table is a CSV file with the columns `from,to`");
        }
        reading.problems.push(problem);
    }
}

/// Mappings that nobody names move nothing: somebody may believe they do.
fn unnamed_mappings(root: &Path, head: &Head) -> Vec<Finding> {
    let Ok(folder) = std::fs::read_dir(root.join("mappings")) else { return Vec::new() };
    let mut names: Vec<_> = folder
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".yaml").map(str::to_owned))
        .filter(|name| !head.flows.iter().chain(&head.off).any(|(flow, _)| *flow == **name))
        .collect();
    names.sort_unstable();
    let finding = |name: &String| {
        let message = format!("mappings/{name}.yaml is not among the `flows`: it moves nothing");
        Finding::new(Weight::Warning, "unused_mapping", message)
            .at(&Place { file: format!("mappings/{name}.yaml").into(), line: 0, column: 0 })
            .hint(format!("add `{name}` to `flows` (or to `off`) in the project file, or delete it"))
    };
    names.iter().map(finding).collect()
}

fn snapshot(reading: &Reading) -> String {
    let mut hasher = blake3::Hasher::new();
    for (file, hash) in &reading.hashes {
        hasher.update(&(file.len() as u64).to_le_bytes());
        hasher.update(file.as_bytes());
        hasher.update(hash.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}
