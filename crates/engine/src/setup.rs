//! What a pass works from: systems, flows, tables, policies, state, clock, an observer.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use foldhash::HashMap;
use handover_connect::{Clock, Connector};
use handover_model::{
    Cohort, Field, FieldName, Flow, FlowName, Kind, ObjectName, Owner, RecordId, Schema, SystemName, User, Weight,
};
use handover_store::{Store, Words};
use jiff::{SignedDuration, Timestamp};

use crate::back::{Back, turn_round};
use crate::drift::{Drift, Without};
use crate::order::Ordered;
use crate::people::People;
use crate::planted::Planted;
use crate::reconcile::Reconcile;
use crate::threshold::PlannedHolds;
use crate::transform::{Program, Tables};
use crate::{Error, Observer};

/// What the caller brings: a pinned snapshot of the project and the open systems.
#[derive(Clone)]
pub struct Project {
    /// The project's name.
    pub name: String,
    /// A hash of the project's files: what the ledger names as the rules that were in force.
    pub snapshot: String,
    /// The systems, opened.
    pub systems: BTreeMap<SystemName, Arc<dyn Connector>>,
    /// The flows.
    pub flows: Vec<Flow>,
    /// The parts of the company that move on dates of their own, in their order.
    pub cohorts: Vec<Cohort>,
    /// The translation tables.
    pub tables: Arc<Tables>,
    /// The policies.
    pub policies: Policies,
}

/// The project's policies.
#[derive(Clone, Debug)]
pub struct Policies {
    /// The share of unannounced holds among the last `error_of_last` records that halts a pass.
    pub error_share: f64,
    /// How many records the share is taken of.
    pub error_of_last: usize,
    /// The number of unannounced holds that halts a pass whatever the share.
    pub error_or: u64,
    /// The holds that a plan told of: so many are not unannounced.
    pub planned_holds: PlannedHolds,
    /// Writes under way at once.
    pub writes_at_once: usize,
    /// Records whose intents are made durable together.
    pub wave: usize,
    /// Whether a source count that differs from the system's own total is accepted.
    pub accept_counts: bool,
    /// Whether file bytes are read (a plan leaves them out).
    pub read_content: bool,
    /// Whether a pass keeps what it spends of the systems' days in its state (a plan's state is thrown away).
    pub keep_spending: bool,
    /// How long a request of a process that died may still be under way: so long a successor waits before
    /// it looks up what that process left open.
    pub answer_wait: SignedDuration,
    /// How far a reading of changes goes back behind what was read: longer than a system takes to show a change.
    pub overlap: SignedDuration,
    /// How long after our own write a platform or its workflows may still be putting what we wrote into another form.
    pub settle: SignedDuration,
    /// How often a value is written over one that took its place by itself, before the field is held.
    pub flips: u64,
    /// The mistake that is made on purpose; no project file can ask for one.
    pub planted: Planted,
    /// When the command that works began, if it says so: before the first load the schemas are read, and what people
    /// make in the target meanwhile was not there before.
    pub begun: Option<Timestamp>,
    /// The day by which the cohorts are judged, for a plan that looks ahead; the beginning of the pass when `None`.
    pub as_of: Option<Timestamp>,
    /// How old the last list of all ids of an object may get, where deleted records are found by that alone.
    pub sweep: SignedDuration,
    /// How pairs are looked at again, whatever the lists of changes say; `None` for not at all.
    pub reconcile: Option<Reconcile>,
    /// How many deletions and merges of a flow one pass may carry out,
    pub delete_count: u64,
    /// and which share of the flow's pairs, from 0 to 1; one is always allowed.
    pub delete_share: f64,
    /// By flow: how many a person lets through in this pass, whatever the bounds.
    pub confirmed_deletes: BTreeMap<FlowName, u64>,
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            error_share: 0.05,
            error_of_last: 500,
            error_or: 50,
            planned_holds: PlannedHolds::new(),
            writes_at_once: 4,
            wave: 800,
            accept_counts: false,
            read_content: true,
            keep_spending: true,
            answer_wait: SignedDuration::from_secs(60),
            overlap: SignedDuration::from_mins(5),
            settle: SignedDuration::from_mins(15),
            flips: 3,
            planted: Planted::Nothing,
            begun: None,
            as_of: None,
            sweep: SignedDuration::from_hours(24),
            reconcile: None,
            delete_count: 20,
            delete_share: 0.02,
            confirmed_deletes: BTreeMap::new(),
        }
    }
}

/// Where a pass works.
#[derive(Clone)]
pub struct Workplace {
    /// The state.
    pub store: Store,
    /// The clock, shared with the systems.
    pub clock: Arc<dyn Clock>,
    /// A folder for file bytes on their way.
    pub scratch: PathBuf,
    /// Who watches.
    pub observer: Arc<dyn Observer>,
}

/// A flow, ready to work: schemas read, rules compiled.
pub struct Ready {
    /// The flow.
    pub flow: Flow,
    /// The source object's schema.
    pub source: Schema,
    /// The target object's schema.
    pub target: Schema,
    /// The compiled rules.
    pub program: Program,
    /// For each rule that makes links: the flow whose pairs are meant, and whether the link is written in
    /// the second step.
    pub links: BTreeMap<usize, LinkRule>,
    /// Where the target's fields stand in its schema.
    places: HashMap<FieldName, usize>,
    /// The target's fields that a new record cannot be without.
    pub(crate) required: Vec<FieldName>,
    /// Those that hold a user.
    pub(crate) users: Vec<FieldName>,
    /// Those with options that belong to another field's option.
    pub(crate) nested: Vec<FieldName>,
    /// Those that hold links which wait for the second step when a record is new.
    pub(crate) deferred: Vec<FieldName>,
    /// What the flow does without because the schemas changed.
    pub(crate) without: Without,
    /// The names that the ledger tells of its records with.
    pub(crate) words: Mutex<Words>,
    /// The fields that both sides share.
    pub(crate) shared: Vec<Shared>,
    /// The way back, of a flow that goes both ways.
    pub back: Option<Back>,
    /// Of a way back: the flow that it turns round.
    pub forth: Option<FlowName>,
}

/// A target field that both sides share.
pub(crate) struct Shared {
    pub(crate) name: FieldName,
    /// The rule that writes it, if one does.
    pub(crate) rule: Option<usize>,
    /// Whether its changes can go back.
    pub(crate) goes_back: bool,
    /// Whether its changes are looked at: they can go back, or the source owns it by the project's own word.
    pub(crate) concerns: bool,
    pub(crate) owner: Owner,
    /// The same of records whose cohort has moved.
    pub(crate) then: Owner,
}

impl Ready {
    pub(crate) fn new(
        flow: Flow,
        source: Schema,
        target: Schema,
        program: Program,
        links: BTreeMap<usize, LinkRule>,
    ) -> Self {
        let places = target.fields.iter().enumerate().map(|(at, field)| (field.name.clone(), at)).collect();
        let those = |is: fn(&Field) -> bool| {
            target.fields.iter().filter(|field| is(field)).map(|field| field.name.clone()).collect::<Vec<_>>()
        };
        let required = those(|field| field.required);
        let users = those(|field| field.kind == Kind::User);
        let nested = those(|field| match &field.kind {
            Kind::Choice { options, .. } => options.iter().any(|option| option.within.is_some()),
            _ => false,
        });
        let rules = links.iter().filter(|(_, link)| link.deferred).filter_map(|(rule, _)| flow.rules.get(*rule));
        let deferred = rules.map(|rule| rule.target.clone()).collect();
        let mut ready = Self {
            flow,
            source,
            target,
            program,
            links,
            places,
            required,
            users,
            nested,
            deferred,
            without: Without::default(),
            words: Mutex::default(),
            shared: Vec::new(),
            back: None,
            forth: None,
        };
        ready.shared = ready.share();
        ready
    }

    /// A field of the target. Found at once: schemas have hundreds, and every value of every record asks.
    pub(crate) fn target_field(&self, name: &FieldName) -> Option<&Field> {
        self.target.fields.get(*self.places.get(name)?)
    }

    /// The target's fields that go back into a field of the source.
    pub(crate) fn fields_back_to(&self, field: &str) -> impl Iterator<Item = &FieldName> {
        let goes = move |shared: &&Shared| {
            self.back.as_ref().is_some_and(|back| {
                back.rules_of(&shared.name).iter().any(|rule| back.ready.flow.rules[*rule].target == *field)
            })
        };
        self.shared.iter().filter(goes).map(|shared| &shared.name)
    }

    /// Under which flow and record the holds of the way back stand of the pair with this target record.
    pub(crate) fn held_back(&self, target: &RecordId) -> Option<(FlowName, RecordId)> {
        self.back.as_ref().map(|back| (back.ready.flow.name.clone(), target.clone()))
    }

    /// Takes the way back, and what both sides share then.
    pub(crate) fn take_back(&mut self, back: Back) {
        self.back = Some(back);
        self.shared = self.share();
    }

    /// The fields whose owner changes when a record's cohort moves.
    pub fn passing(&self) -> impl Iterator<Item = &FieldName> {
        self.shared.iter().filter(|field| field.owner != field.then).map(|field| &field.name)
    }

    /// The target's fields that both sides share: those that rules write, and those that the way back reads.
    fn share(&self) -> Vec<Shared> {
        let written = self.flow.rules.iter().map(|rule| rule.target.clone());
        let read = self.back.iter().flat_map(|back| back.ready.program.source_fields());
        let names: BTreeSet<FieldName> = written.chain(read).collect();
        let shared = |name: FieldName| {
            let rule = self.flow.rules.iter().position(|rule| rule.target == name);
            let (said, then) = self.flow.owners(rule.and_then(|rule| self.flow.rules.get(rule)));
            let goes_back = self.back.as_ref().is_some_and(|back| !back.rules_of(&name).is_empty());
            let concerns = goes_back || self.back.is_some() && said == Some(Owner::Source);
            let default = if goes_back { Owner::Both } else { Owner::Source };
            let owner = said.filter(|_| concerns).unwrap_or(default);
            // What cannot go back is the target's own affair from then on, unless the project says otherwise.
            let then = then.unwrap_or_else(|| default.passed());
            let then = if goes_back || then == Owner::Source { then } else { Owner::Target };
            Shared { name, rule, goes_back, concerns, owner, then }
        };
        names.into_iter().map(shared).collect()
    }
}

/// How a rule's links are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRule {
    /// The flow that pairs the objects.
    pub flow: FlowName,
    /// Whether the parent's flow comes later (a cycle, or the flow itself): the link waits for the second step.
    pub deferred: bool,
    /// Whether the link is written in a call of its own, and how many one call covers.
    pub separate: Option<u32>,
    /// Whether records that exist get the link in a call of its own even if new ones do not.
    pub separate_on_update: Option<u32>,
}

/// Schemas by system and object.
pub type Schemas = BTreeMap<(SystemName, ObjectName), Schema>;

/// Everything that a pass needs, checked.
pub struct Setup {
    /// The project.
    pub project: Project,
    /// The flows in the order in which they work: parents first.
    pub flows: Vec<Arc<Ready>>,
    /// Users of every system, and how they pair.
    pub people: People,
    /// What the schemas' changes mean for this pass.
    pub drift: Drift,
}

impl Setup {
    /// Reads schemas and users, compiles the rules, puts the flows in order.
    ///
    /// # Errors
    /// [`Error::Findings`] when a rule does not fit the schemas; [`Error::System`] when a system cannot be read.
    pub async fn prepare(project: Project) -> Result<Self, Error> {
        Self::prepare_described(project, Schemas::new()).await
    }

    /// The same with the schemas that are known already: the others are read.
    ///
    /// # Errors
    /// Those of [`Setup::prepare`].
    pub async fn prepare_described(project: Project, schemas: Schemas) -> Result<Self, Error> {
        Self::prepare_under(project, schemas, Drift::default()).await
    }

    /// The same under what changed of the schemas since they were remembered.
    ///
    /// # Errors
    /// Those of [`Setup::prepare`].
    pub async fn prepare_drifted(project: Project, drift: Drift) -> Result<Self, Error> {
        Self::prepare_under(project, drift.schemas(), drift).await
    }

    async fn prepare_under(project: Project, mut schemas: Schemas, drift: Drift) -> Result<Self, Error> {
        let mut users: BTreeMap<SystemName, Vec<User>> = BTreeMap::new();
        for flow in &project.flows {
            for end in [&flow.source, &flow.target] {
                let key = (end.system.clone(), end.object.clone());
                let system = project.system(&end.system)?;
                if let Entry::Vacant(place) = schemas.entry(key) {
                    place
                        .insert(system.describe(&end.object).await.map_err(|fault| Error::system(&end.system, fault))?);
                }
                if !users.contains_key(&end.system) {
                    let known = system.users().await.map_err(|fault| Error::system(&end.system, fault))?;
                    users.insert(end.system.clone(), known);
                }
            }
        }
        let schema_of =
            |system: &SystemName, object: &ObjectName| schemas.get(&(system.clone(), object.clone())).cloned();
        let order = Ordered::of(&project.flows, &schema_of);
        let mut flows = Vec::new();
        let mut findings = order.findings.clone();
        findings.extend(project.flows.iter().filter_map(crate::check::fields_alike));
        for at in &order.sequence {
            let flow = project.flows[*at].clone();
            if drift.stopped.contains_key(&flow.name) {
                continue;
            }
            let (Some(source), Some(target)) = (
                schema_of(&flow.source.system, &flow.source.object),
                schema_of(&flow.target.system, &flow.target.object),
            ) else {
                continue;
            };
            match Program::compile(&flow, &source, &target, &project.tables) {
                Ok(program) => {
                    let links = order.links(*at, &flow, &project, &target);
                    let without = drift.without.get(&flow.name).cloned().unwrap_or_default();
                    let ready = Ready::new(flow, source, target, program, links);
                    flows.push((*at, Ready { without, ..ready }));
                }
                Err(found) => findings.extend(found),
            }
        }
        if findings.iter().any(|finding| finding.weight == Weight::Error) {
            return Err(Error::Findings(findings));
        }
        turn_round(&project, &order.sequence, &schema_of, &mut flows)?;
        for (_, ready) in &mut flows {
            if let Some(back) = ready.back.as_mut().and_then(|back| Arc::get_mut(&mut back.ready)) {
                back.without = ready.without.turned(&back.flow);
            }
        }
        let flows = flows.into_iter().map(|(_, ready)| Arc::new(ready)).collect();
        let people = People::new(users, &project.tables);
        Ok(Self { project, flows, people, drift })
    }

    /// The objects whose changes flows carry, with the fields that they read: the sources, and the targets of flows
    /// that go both ways.
    pub fn watched(&self) -> BTreeMap<(SystemName, ObjectName), BTreeSet<FieldName>> {
        let mut all: BTreeMap<_, BTreeSet<FieldName>> = BTreeMap::new();
        for ready in &self.flows {
            for ready in std::iter::once(ready).chain(ready.back.as_ref().map(|back| &back.ready)) {
                let end = (ready.flow.source.system.clone(), ready.flow.source.object.clone());
                all.entry(end).or_default().extend(ready.program.source_fields());
            }
        }
        all
    }

    /// The flow with this name, or the way back with this name.
    pub fn flow(&self, name: &FlowName) -> Option<&Arc<Ready>> {
        let backs = self.flows.iter().filter_map(|ready| ready.back.as_ref()).map(|back| &back.ready);
        self.flows.iter().chain(backs).find(|ready| ready.flow.name == *name)
    }

    /// The objects that are read as sources, each once, in the order of the flows.
    pub fn sources(&self) -> Vec<(SystemName, ObjectName)> {
        let mut all = Vec::new();
        for ready in &self.flows {
            let end = (ready.flow.source.system.clone(), ready.flow.source.object.clone());
            if !all.contains(&end) {
                all.push(end);
            }
        }
        all
    }
}

impl Project {
    /// A system by its name.
    ///
    /// # Errors
    /// [`Error::UnknownSystem`].
    pub fn system(&self, name: &SystemName) -> Result<&Arc<dyn Connector>, Error> {
        self.systems.get(name).ok_or_else(|| Error::UnknownSystem(name.clone()))
    }
}
