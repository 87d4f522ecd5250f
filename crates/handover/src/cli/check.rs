//! `handover check`: proves the project against both systems before anything moves.

use std::collections::BTreeMap;
use std::sync::Arc;

use handover_connect::Connector;
use handover_engine::{
    Announcement, Drift, Overlay, Remembered, Schemas, Setup, announce, check::check_flows, read_again,
    transform::Tables,
};
use handover_model::{Automation, Finding, Flow, Schema, SystemName, Weight};
use handover_store::Store;
use serde_json::json;

use super::inferred::{self, Found};
use super::output::plural;
use super::session::Session;
use super::{Done, Global, Output, cohorts, failure};
use crate::problem::{Exit, Problem};

/// Options of `check`.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  handover check\n  handover check --no-usage    rules and schemas only; no record is read"
)]
pub(crate) struct Options {
    /// Do not read the source's records to count values and users in use
    #[arg(long)]
    no_usage: bool,
}

/// What the check proved and found.
pub(crate) struct Checked {
    pub(crate) setup: Setup,
    pub(crate) findings: Vec<Finding>,
    pub(crate) announced: Announcement,
    pub(crate) inferred: Found,
}

/// Open systems by name.
pub(crate) type Systems = BTreeMap<SystemName, Arc<dyn Connector>>;

/// Systems of which the targets are seen through overlays that have the wanted fields already.
pub(crate) fn overlaid(session: &Session) -> (Systems, BTreeMap<SystemName, Arc<Overlay>>) {
    let mut wanted = session.wanted_fields();
    let mut systems = session.systems.clone();
    let mut overlays = BTreeMap::new();
    for flow in &session.project.flows {
        let name = &flow.target.system;
        if overlays.contains_key(name) {
            continue;
        }
        if let Some(system) = session.systems.get(name) {
            let wanted = wanted.remove(name).unwrap_or_default();
            let overlay = Arc::new(Overlay::new(system.clone(), wanted, read_again(&session.project.flows, name)));
            overlays.insert(name.clone(), overlay.clone());
            systems.insert(name.clone(), overlay as Arc<dyn Connector>);
        }
    }
    (systems, overlays)
}

/// Runs the check against `systems`.
pub(crate) async fn check(
    session: &Session,
    systems: &BTreeMap<SystemName, Arc<dyn Connector>>,
    usage: bool,
) -> Result<Checked, Vec<Problem>> {
    let inferred = inferred::found(session)?;
    let (flows, schemas) = described(session, systems).await?;
    let findings = proved(session, systems, &flows, &inferred)?;
    let setup = session.setup_described(session.engine_project(systems.clone()), schemas).await?;
    checked(session, setup, findings, inferred, usage).await
}

/// The check before a pass, which remembers the schemas. With `goes_on` a change of theirs stops what it concerns
/// and nothing else.
pub(crate) async fn check_for_pass(session: &Session, store: &Store, goes_on: bool) -> Result<Checked, Vec<Problem>> {
    let failed = |error: handover_engine::Error| failure::engine(&error, &session.project.sources);
    // Files that are wrong are named with their lines before anything is read of them.
    let inferred = inferred::found(session)?;
    let (flows, _) = described(session, &session.systems).await?;
    let known = Remembered::of(store, &flows).await.map_err(failed)?;
    let (drift, findings) = if goes_on {
        let drift = Drift::of(&flows, &Tables(session.project.tables.clone()), &known);
        let drift = drift.map_err(|own| nothing_written(session, own))?;
        if drift.stopped.len() == flows.len() {
            return Err(nothing_written(session, drift.stopped.into_values().flatten().collect()));
        }
        (drift, Vec::new())
    } else {
        (Drift::none(&flows, &known), proved(session, &session.systems, &flows, &inferred)?)
    };
    let setup = session.setup_drifted(session.engine_project(session.systems.clone()), drift).await?;
    checked(session, setup, findings, inferred, false).await
}

/// What the flows and their schemas say; the errors among it stop here.
fn proved(
    session: &Session,
    systems: &Systems,
    flows: &[(Flow, Schema, Schema)],
    inferred: &Found,
) -> Result<Vec<Finding>, Vec<Problem>> {
    let mut findings = session.project.notices.clone();
    findings.extend(inferred.findings(session));
    findings.extend(flows.iter().filter_map(|(flow, _, _)| read_through(flow, systems)));
    findings.extend(check_flows(flows, &Tables(session.project.tables.clone())));
    if findings.iter().any(|finding| finding.weight == Weight::Error) {
        return Err(nothing_written(session, findings));
    }
    Ok(findings)
}

fn nothing_written(session: &Session, mut findings: Vec<Finding>) -> Vec<Problem> {
    findings.retain(|finding| finding.weight != Weight::Note);
    let problems = Problem::from_findings(&findings, &session.project.sources).into_iter();
    let is_error = |problem: &Problem| problem.weight == Weight::Error;
    problems.map(|problem| if is_error(&problem) { problem.state("nothing was written") } else { problem }).collect()
}

async fn checked(
    session: &Session,
    setup: Setup,
    mut findings: Vec<Finding>,
    inferred: Found,
    usage: bool,
) -> Result<Checked, Vec<Problem>> {
    findings.extend(one_way(&setup));
    findings.extend(automations(session).await?);
    let announced = if usage {
        announce(&setup).await.map_err(|error| failure::engine(&error, &session.project.sources))?
    } else {
        Announcement::default()
    };
    findings.extend(announced.nobody.iter().filter_map(|(name, cohort)| {
        let flow = session.project.flow(name)?;
        let (_, filter) = flow.cohorts.iter().find(|(of, _)| of == cohort)?;
        Some(cohorts::nobody(cohort, name, &filter.place))
    }));
    findings.extend(announced.groups.iter().map(|one| one.finding(&setup)));
    Ok(Checked { setup, findings, announced, inferred })
}

/// The flows with the schemas of both ends, and the schemas by themselves.
async fn described(
    session: &Session,
    systems: &BTreeMap<SystemName, Arc<dyn Connector>>,
) -> Result<(Vec<(Flow, Schema, Schema)>, Schemas), Vec<Problem>> {
    let mut schemas = Schemas::new();
    let mut flows = Vec::new();
    for flow in &session.project.flows {
        let mut ends = Vec::new();
        for end in [&flow.source, &flow.target] {
            let key = (end.system.clone(), end.object.clone());
            if !schemas.contains_key(&key) {
                let Some(system) = systems.get(&end.system) else {
                    return Err(vec![
                        Problem::new("unknown_system", format!("the project has no system `{}`", end.system)).at(
                            &flow.place,
                            0,
                            &session.project.sources,
                        ),
                    ]);
                };
                let mut known = system.objects();
                if !known.contains(&end.object) && system.capabilities().custom.is_some() {
                    let own = system.custom_objects().await;
                    known.extend(own.map_err(|fault| vec![failure::system(&end.system, &fault)])?);
                }
                if !known.contains(&end.object) {
                    let known: Vec<String> = known.iter().map(ToString::to_string).collect();
                    return Err(vec![
                        Problem::new("unknown_object", format!("`{}` has no object `{}`", end.system, end.object))
                            .at(&flow.place, 0, &session.project.sources)
                            .hint(format!("it has {}", known.join(", "))),
                    ]);
                }
                let schema =
                    system.describe(&end.object).await.map_err(|fault| vec![failure::system(&end.system, &fault)])?;
                schemas.insert(key.clone(), schema);
            }
            ends.extend(schemas.get(&key).cloned());
        }
        if let [source, target] = ends.as_slice() {
            flows.push((flow.clone(), source.clone(), target.clone()));
        }
    }
    Ok((flows, schemas))
}

/// Fields of flows that go both ways of which changes in the target stay there.
fn one_way(setup: &Setup) -> impl Iterator<Item = Finding> + '_ {
    let backs = setup.flows.iter().filter_map(|ready| ready.back.as_ref().map(|back| (ready, back)));
    backs.flat_map(|(ready, back)| {
        back.one_way.iter().map(|field| {
            let system = &ready.flow.target.system;
            let message = format!("what `{system}` changes in `{}` stays there: {}", field.target, field.why);
            Finding::new(Weight::Note, "one_way", message)
                .at(&field.place)
                .hint("a rule for the source field under `back:` carries it")
        })
    })
}

/// An object without a list of its own is dear to read, and whoever switched it on should know.
fn read_through(flow: &Flow, systems: &Systems) -> Option<Finding> {
    let (system, object) = (systems.get(&flow.source.system)?, flow.source.object.as_str());
    let through = system.capabilities().object(object)?.through;
    if through.is_empty() {
        return None;
    }
    let message =
        format!("reading `{object}` takes one call for each record of {} that has some", through.join(" and "));
    Some(
        Finding::new(Weight::Note, "opt_in_object_used", message)
            .at(&flow.place)
            .hint("`handover plan` counts the calls"),
    )
}

/// Workflows of the targets that nobody has acknowledged.
async fn automations(session: &Session) -> Result<Vec<Finding>, Vec<Problem>> {
    let mut findings = Vec::new();
    for name in session.targets() {
        let Some(system) = session.systems.get(&name) else { continue };
        let Some(all) = system.automations().await.map_err(|fault| vec![failure::system(&name, &fault)])? else {
            findings.push(
                Finding::new(
                    Weight::Note,
                    "automations_unknown",
                    format!("`{name}` does not tell its automations: what is written through the API may start them"),
                )
                .hint("look through them before the run: e-mails to customers, tasks, owner changes"),
            );
            continue;
        };
        let names: Vec<String> =
            unacknowledged(session, &all).map(|automation| format!("\"{}\"", automation.name)).collect();
        for automation in unacknowledged(session, &all) {
            findings.push(
                Finding::new(
                    Weight::Warning,
                    "automation",
                    format!(
                        "`{name}`: the workflow `{}` is on: records written through the API may start it",
                        automation.name
                    ),
                )
                .hint(format!(
                    "switch them off for the load, or acknowledge them in handover.yaml: policies: \
                     acknowledged_automations: [{}]",
                    names.join(", ")
                )),
            );
        }
    }
    Ok(findings)
}

fn unacknowledged<'a>(session: &'a Session, all: &'a [Automation]) -> impl Iterator<Item = &'a Automation> {
    let known = &session.project.policies.acknowledged_automations;
    all.iter().filter(move |automation| automation.enabled && !known.contains(&automation.name))
}

/// Runs the command.
pub(crate) async fn run(global: &Global, options: &Options, output: &Output) -> Done {
    let session = Session::open(&global.project)?;
    let (systems, _) = overlaid(&session);
    let checked = check(&session, &systems, !options.no_usage).await?;
    let problems = Problem::from_findings(&checked.findings, &session.project.sources);
    output.warn(&problems);
    let held = checked.announced.records;
    let wanted: usize = session.wanted_fields().values().flat_map(BTreeMap::values).map(Vec::len).sum();
    output.value(&json!({
        "flows": session.project.flows.len(),
        "findings": checked.findings,
        "fields_to_create": wanted,
        "held": held,
        "inferred": checked.inferred.json(),
    }));
    checked.inferred.say(output);
    output.say(&format!("{} checked against both systems.", plural(checked.setup.flows.len() as u64, "flow")));
    if wanted > 0 {
        output.say(&format!("{} to be created: `handover plan --create-fields`.", plural(wanted as u64, "field")));
    }
    if held > 0 {
        output.say(&format!("{} will be held until somebody answers; the rest can run.", plural(held, "record")));
    }
    session.close().map_err(|problem| vec![problem])?;
    Ok(Exit::Done)
}
