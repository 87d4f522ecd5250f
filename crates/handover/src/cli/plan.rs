//! `handover plan`: the engine itself over an overlay of the target, so that the plan cannot disagree with
//! the run.

use std::collections::BTreeMap;

use handover_connect::Spent;
use handover_engine::{Pass, Report, Selection};
use handover_model::{Field, ObjectName, SystemName};
use handover_store::CohortCount;
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::cohorts::{Cohorts, Move, Passing};
use super::output::{plural, table};
use super::price::{self, Price};
use super::progress::Progress;
use super::queue::Queue;
use super::run::{objects_json, objects_table, stop_on_request};
use super::session::Session;
use super::{Done, Global, Output, check, cohorts, failure};
use crate::config;
use crate::problem::{Exit, Problem};

/// Options of `plan`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  handover plan                   what would be created, updated, held; calls and minutes
  handover plan --as-of 2027-02-01  the same as if it were that day: what cohorts begin and move by then
  handover plan --cohort north    what the coming date of this cohort does: records, owners, holds
  handover plan --values 20       with the values of the first 20 updates of each flow
  handover plan --create-fields   create the fields of fields.yaml that do not exist yet")]
pub(crate) struct Options {
    /// Create the fields that fields.yaml lists, then plan
    #[arg(long)]
    create_fields: bool,
    /// Show the values of this many updates of each flow
    #[arg(long, value_name = "N", default_value_t = 0)]
    values: usize,
    /// Judge the dates of cohorts as on this day, in the project's time zone
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// Show this cohort alone, on the day on which it moves (or begins, if it does not move) unless --as-of names another
    #[arg(long, value_name = "NAME", conflicts_with = "values")]
    cohort: Option<String>,
}

/// Runs the command.
pub(crate) async fn run(global: &Global, options: &Options, output: &Output) -> Done {
    let mut session = Session::open(&global.project)?;
    if options.create_fields {
        create_fields(&session, output).await?;
        session.close().map_err(|problem| vec![problem])?;
        drop(session);
        session = Session::open(&global.project)?;
    }
    let cohort = options.cohort.as_deref().map(|name| cohorts::named(&session.project, name)).transpose()?;
    let said = options.as_of.as_deref().map(|text| as_of(&session, text)).transpose()?;
    let comes = cohort.as_ref().and_then(|cohort| cohort.moves.or(cohort.begins)).map(|day| day.at);
    let as_of = said.or(comes.filter(|day| *day > session.clock.now()));
    let planned = plan(&session, output, as_of).await?;
    if let Some(cohort) = &cohort {
        let about = (&planned.passing, planned.dated);
        let told = Move::of((&session.project, cohort), &planned.before, &planned.store, about).await?;
        output.value(&json!({"cohort": told.json()}));
        told.say(output);
        session.close().map_err(|problem| vec![problem])?;
        return Ok(Exit::Done);
    }
    output.value(&planned.json(&session));
    planned.say(&session, output);
    if options.values > 0 {
        planned.say_values(&session, options.values, output).await?;
    }
    session.close().map_err(|problem| vec![problem])?;
    Ok(Exit::Done)
}

/// The moment at which a day begins where the project is.
fn as_of(session: &Session, text: &str) -> Result<Timestamp, Vec<Problem>> {
    let day = config::day(text, &session.project.time_zone).map(|day| day.at);
    day.ok_or_else(|| {
        vec![
            Problem::new("date", format!("`--as-of` wants a date like `2027-01-31`, not `{text}`"))
                .state("nothing was read"),
        ]
    })
}

/// A plan.
pub(crate) struct Plan {
    pub(crate) report: Report,
    pub(crate) queue: Queue,
    prices: Vec<Price>,
    inferred: super::inferred::Found,
    cohorts: Cohorts,
    passing: Passing,
    /// The cohorts' records before it was played.
    before: Vec<CohortCount>,
    /// By which day the cohorts were judged.
    dated: Timestamp,
    store: handover_store::Store,
}

/// Plays the run over overlays of the targets and a private copy of the state.
pub(crate) async fn plan(session: &Session, output: &Output, as_of: Option<Timestamp>) -> Result<Plan, Vec<Problem>> {
    let store = session.store().await?;
    let lacks = session.bind(&store).await?;
    output.warn(&lacks);
    let fork = store.fork().await.map_err(|error| vec![failure::store(&error)]);
    let fork = Session::closed(store, fork).await?;
    let planned = played(session, fork, output, as_of).await;
    // What the plan read counts for the run that follows on the same day.
    let store = session.store().await?;
    let planned = session.spent(&store, planned).await;
    let planned = match planned {
        // A plan that looks ahead tells nothing of the run of today.
        Ok(planned) if as_of.is_none() => {
            let told = handover_engine::keep_planned_holds(&store, &planned.queue.groups, session.clock.now()).await;
            told.map(|()| planned).map_err(|error| failure::engine(&error, &session.project.sources))
        }
        planned => planned,
    };
    Session::closed(store, planned).await
}

async fn played(
    session: &Session,
    fork: handover_store::Store,
    output: &Output,
    as_of: Option<Timestamp>,
) -> Result<Plan, Vec<Problem>> {
    let (systems, overlays) = check::overlaid(session);
    let checked = check::check(session, &systems, false).await?;
    output.warn(&Problem::from_findings(&checked.findings, &session.project.sources));
    let (mut setup, inferred) = (checked.setup, checked.inferred);
    setup.project.policies.accept_counts = true;
    setup.project.policies.read_content = false;
    setup.project.policies.keep_spending = false;
    setup.project.policies.as_of = as_of;
    let dated = as_of.unwrap_or_else(|| session.clock.now());
    let passing = cohorts::passing(&setup);
    setup.project.policies.error_or = u64::MAX;
    setup.project.policies.error_share = 1.0;
    let before: BTreeMap<SystemName, Spent> =
        session.systems.iter().map(|(name, system)| (name.clone(), system.spent())).collect();
    let place = session.workplace(fork.clone(), Progress::watch(output.telling(), &session.systems));
    let failed = |error: handover_engine::Error| failure::engine(&error, &session.project.sources);
    let before_it = fork.cohort_counts().await.map_err(|error| vec![failure::store(&error)])?;
    let pass = Pass::begin(setup, &place, "plan", stop_on_request(output)).await.map_err(failed)?;
    let report = pass.run(&Selection::All).await.map_err(failed)?;
    let queue = Queue::of(&fork).await?;
    let cohorts = Cohorts::of(&session.project, &fork, Some(passing.clone())).await?;
    output.warn(&Problem::from_findings(&cohorts.findings(&session.project), &session.project.sources));
    let prices = session
        .systems
        .iter()
        .map(|(name, system)| {
            let planned = overlays.get(name).map(|overlay| overlay.planned()).unwrap_or_default();
            let reserve = session.project.system(name).map_or(0.0, |system| system.reserve);
            Price::of((name, system.as_ref()), before.get(name), &planned, reserve)
        })
        .collect();
    Ok(Plan { report, queue, prices, inferred, cohorts, passing, before: before_it, dated, store: fork })
}

impl Plan {
    pub(crate) fn json(&self, session: &Session) -> Json {
        json!({
            "objects": objects_json(&self.report),
            "holds": self.queue.json(),
            "calls": self.prices.iter().map(Price::json).collect::<serde_json::Map<_, _>>(),
            "fields_to_create": fields_json(&session.wanted_fields()),
            "inferred": self.inferred.json(),
            "cohorts": self.cohorts.json(self.dated),
        })
    }

    pub(crate) fn say(&self, session: &Session, output: &Output) {
        self.inferred.say(output);
        let wanted = session.wanted_fields();
        let fields: Vec<Vec<String>> = wanted
            .iter()
            .flat_map(|(system, objects)| {
                objects.iter().flat_map(move |(object, fields)| {
                    fields.iter().map(move |field| {
                        vec![
                            format!("{system}.{object}.{}", field.name),
                            field.label.clone(),
                            field.kind.word().to_owned(),
                            options_of(field),
                        ]
                    })
                })
            })
            .collect();
        if !fields.is_empty() {
            output.say(&format!("Fields to be created (`handover plan --create-fields`): {}\n", fields.len()));
            output.say(&table(&["field", "label", "type", "options"], &fields));
            output.say("");
        }
        output.say("A run would end like this:\n");
        output.say(&objects_table(&self.report));
        self.cohorts.say(self.dated, output);
        self.queue.say(output);
        price::say(&self.prices, session, output);
        output.say(
            "\nNot in the plan: the bytes of files are read when the run moves them; one that is gone is held then.",
        );
    }

    /// The first updates of each flow, value by value.
    async fn say_values(&self, session: &Session, number: usize, output: &Output) -> Result<(), Vec<Problem>> {
        for flow in &session.project.flows {
            let rows = self
                .store
                .rows_page(&flow.name, Some(handover_model::Outcome::Updated), None, number)
                .await
                .map_err(|error| vec![failure::store(&error)])?;
            for row in rows {
                let story =
                    self.store.story(&flow.name, &row.record).await.map_err(|error| vec![failure::store(&error)])?;
                let Some(told) = story.iter().rev().find(|told| told.kind == "decided") else { continue };
                let values = told.values.clone().unwrap_or_default();
                output.say(&format!(
                    "\n{} {} -> {}",
                    flow.name,
                    row.record,
                    row.target.map(|id| id.to_string()).unwrap_or_default()
                ));
                for (field, value) in values["write"].as_object().into_iter().flatten() {
                    output.say(&format!("  {field}: {} -> {value}", values["before"][field]));
                }
            }
        }
        Ok(())
    }
}

fn options_of(field: &Field) -> String {
    match &field.kind {
        handover_model::Kind::Choice { options, .. } => {
            options.iter().map(|option| option.label.as_str()).collect::<Vec<_>>().join(", ").chars().take(60).collect()
        }
        _ => String::new(),
    }
}

fn fields_json(wanted: &BTreeMap<SystemName, BTreeMap<ObjectName, Vec<Field>>>) -> Json {
    wanted
        .iter()
        .flat_map(|(system, objects)| {
            objects.iter().flat_map(move |(object, fields)| {
                fields.iter().map(move |field| json!({"system": system, "object": object, "name": field.name, "label": field.label, "type": field.kind.word()}))
            })
        })
        .collect()
}

/// Creates the wanted fields and writes down what the platforms named them.
pub(crate) async fn create_fields(session: &Session, output: &Output) -> Result<usize, Vec<Problem>> {
    let mut created = Vec::new();
    let mut failed = Vec::new();
    for (name, objects) in session.wanted_fields() {
        let Some(system) = session.systems.get(&name) else { continue };
        for (object, fields) in objects {
            let schema = system.describe(&object).await.map_err(|fault| vec![failure::system(&name, &fault)])?;
            for field in fields {
                // A field that was created when the process died, or by hand, is taken as it is.
                let there = schema
                    .fields
                    .iter()
                    .find(|have| have.name == field.name || (have.custom && have.label == field.label));
                let made = match there {
                    Some(there) => Ok(there.clone()),
                    None => system.create_field(&object, &field).await,
                };
                match made {
                    Ok(made) => created.push(config::Created {
                        system: name.clone(),
                        object: object.clone(),
                        name: field.name.clone(),
                        created_as: made.name,
                    }),
                    Err(fault) => failed.push(
                        failure::system(&name, &fault)
                            .note(format!("the field `{object}.{}` was not created", field.name)),
                    ),
                }
            }
        }
    }
    config::record_created(&session.project.root, &created).map_err(|problem| vec![problem])?;
    output.say(&format!("{} created.\n", plural(created.len() as u64, "field")));
    if failed.is_empty() { Ok(created.len()) } else { Err(failed) }
}
