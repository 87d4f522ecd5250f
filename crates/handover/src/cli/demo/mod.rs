//! `handover demo`: the whole story on two local CRMs.
//!
//! A sample company moves from one sandbox to the other with the project that `init` proposes. The clock
//! that the demo shares with its sandboxes jumps over rate waits and says how long they would have been.

mod deeds;
mod parallel;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use handover_model::{Answer, Cause};
use handover_sandbox::{persist, sample};
use handover_store::{HeldRow, HoldFilter, HoldGroup, Store};
use serde_json::{Value as Json, json};

use crate::cli::output::{count, duration, plural};
use crate::cli::session::{CLOCK, SANDBOX_START, Session, world};
use crate::cli::{Done, Global, Output, failure, holds, init, plan, queue, run, verify};
use crate::init::title;
use crate::kept::Recipients;
use crate::problem::{Exit, Problem};

/// Options of `demo`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  handover demo
  handover demo --from salesforce --to zoho --small
  handover demo --reverse          from HubSpot to Pipedrive
  handover demo --parallel         and ten days of both systems in use
  handover demo --parallel --reverse
  handover demo --after handover-demo --to pipedrive --dir back     and back again
  handover demo --json             one object with the outcome
Afterwards every command works on it: cd handover-demo; handover holds; handover audit show persons/1")]
pub(crate) struct Options {
    /// Where the demo lives; an earlier demo there is replaced
    #[arg(long, value_name = "DIR", default_value = "handover-demo")]
    dir: PathBuf,
    /// The seed of the sample company
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The platform that the company leaves: activecampaign, dynamics, hubspot, pipedrive, salesforce or zoho
    #[arg(long, value_name = "PLATFORM", default_value = "pipedrive")]
    from: String,
    /// Move on from where an earlier demo brought the company; DIR is that demo's folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["from", "reverse", "parallel"])]
    after: Option<PathBuf>,
    /// The platform that it moves to: the same, or another
    #[arg(long, value_name = "PLATFORM", default_value = "hubspot")]
    to: String,
    /// The other way round
    #[arg(long)]
    reverse: bool,
    /// After the load: ten days in which people work in both systems
    #[arg(long, conflicts_with = "until")]
    parallel: bool,
    /// A hundredth of the size
    #[arg(long)]
    small: bool,
    /// Stop after this chapter, to go on by hand
    #[arg(long, value_enum, default_value_t = Until::End)]
    until: Until,
}

/// Where a demo stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
enum Until {
    /// The project is written, the new fields are created.
    Init,
    /// The plan is shown.
    Plan,
    /// Everything is told.
    End,
}

/// The file by which a folder is known as a demo's.
const MARK: &str = ".handover-demo";

/// Runs the command.
pub(crate) async fn run(options: &Options, output: &Output) -> Done {
    let begun = Instant::now();
    let arrived = options.after.as_deref().map(arrived).transpose()?;
    let from = arrived.as_ref().map_or(&*options.from, |(platform, ..)| platform);
    let (from, to) = if options.reverse { (&*options.to, from) } else { (from, &*options.to) };
    let is_told = [from, to].iter().all(|platform| ["hubspot", "pipedrive"].contains(platform)) && from != to;
    if options.parallel && !is_told {
        let message = "the ten days of --parallel are played between Pipedrive and HubSpot only";
        return Err(vec![
            Problem::new("demo", message)
                .state("nothing was changed")
                .hint("leave --parallel out, or move from pipedrive to hubspot or back"),
        ]);
    }
    let worlds = match &arrived {
        Some((_, world, _)) => [world.clone(), bare(options, to)?],
        None => worlds(options, from, to)?,
    };
    prepare_folder(&options.dir)?;
    keep_worlds(options, [("old", from), ("new", to)], worlds)?;
    if let Some((.., clock)) = &arrived {
        let file = options.dir.join("sandbox").join(CLOCK);
        std::fs::write(&file, clock).map_err(|error| {
            vec![Problem::ours("demo", format!("the clock could not be kept in {}", file.display())).because(&error)]
        })?;
    }
    output.say(&format!(
        "{} in {}, about to move to {}. Everything is in {}.\n",
        if arrived.is_some() { "The sample company, as it arrived" } else { "A sample company" },
        title(from),
        title(to),
        options.dir.display()
    ));
    chapter(output, 1, "init: a project that fits these two accounts");
    let mut session = write_project(options, from, to, output).await?;
    let global = Global { project: options.dir.join("handover.yaml"), json: false, no_color: true, quiet: true };
    let told = play(&mut session, &global, options, output).await;
    // What the sandboxes did is kept, whatever became of the demo.
    let closed = session.close();
    let told = told?;
    closed.map_err(|problem| vec![problem])?;
    let Some(mut told) = told else {
        output.value(&json!({"dir": options.dir}));
        output.say(&format!("\nGo on by hand: cd {}; handover run", options.dir.display()));
        return Ok(Exit::Done);
    };
    let seconds = begun.elapsed().as_secs_f64();
    told["seconds"] = json!((seconds * 10.0).round() / 10.0);
    output.value(&told);
    let real = told["seconds_at_real_limits"].as_u64().unwrap_or_default();
    let waits = if real == 0 { "no wait".to_owned() } else { duration(real * 1000) };
    output.say(&format!("\nDone in {seconds:.1} s. The load at the real limits of both platforms: {waits}."));
    // Only Pipedrive counts from one.
    let record = if from == "pipedrive" { "persons/1" } else { "OBJECT/ID" };
    say_next(&options.dir, record, output);
    Ok(Exit::Done)
}

/// The chapters, as far as they are wanted; what they told when all of them are.
///
/// The sandboxes stay open from the first to the last: reading and writing two companies takes longer than some chapters.
async fn play(
    session: &mut Session,
    global: &Global,
    options: &Options,
    output: &Output,
) -> Result<Option<Json>, Vec<Problem>> {
    session.read_anew(&global.project)?;
    plan::create_fields(session, output).await?;
    if options.until == Until::Init {
        return Ok(None);
    }
    chapter(output, 2, "check and plan: what will happen, before anything does");
    session.read_anew(&global.project)?;
    let planned = plan::plan(session, output, None).await?;
    planned.say(session, output);
    if options.until == Until::Plan {
        return Ok(None);
    }
    let mut told = load(session, global, output).await?;
    told["planned"] = brief(&planned.queue.groups);
    if !options.parallel {
        chapter(output, 5, "verify: both systems read anew, everything compared");
        told["verify"] = verify_it(session, global, &options.dir, output).await?;
        chapter(output, 6, "audit: the ledger proves it");
        audit(session, output).await?;
        return Ok(Some(told));
    }
    // What the load brought is compared with what the ten days made of it, all at once.
    chapter(output, 5, "audit: the ledger proves it");
    audit(session, output).await?;
    told["parallel"] = parallel::ten_days(session, global, &options.dir, output).await?;
    Ok(Some(told))
}

/// Run, hold, answer.
async fn load(session: &mut Session, global: &Global, output: &Output) -> Result<Json, Vec<Problem>> {
    chapter(output, 3, "run: every record written and confirmed, or held with a reason");
    session.read_anew(&global.project)?;
    let started = session.clock.now();
    let store = session.store().await?;
    let report = run::carry(session, &store, output, &run::Options::default()).await?;
    output.say(&run::objects_table(&report));
    let groups = groups(&store).await?;
    queue::Queue::of(&store).await?.say(output);
    let mut told = json!({"objects": run::objects_json(&report), "holds": brief(&groups)});
    chapter(output, 4, "holds: one answer releases a group");
    let answered = answer_some(session, global, &store, output).await?;
    told["after"] =
        json!({"objects": answered.report.as_ref().map(run::objects_json), "holds": brief(&answered.queue.groups)});
    if let Some(report) = &answered.report {
        output.say(&run::objects_table(report));
    }
    told["calls"] = run::calls_json(session);
    told["seconds_at_real_limits"] = json!(session.clock.now().duration_since(started).as_secs());
    Session::closed(store, Ok(told)).await
}

/// Verifies the ledger.
async fn audit(session: &Session, output: &Output) -> Result<(), Vec<Problem>> {
    let store = session.store_reading().await?;
    let whole = store.verify(|_, _| {}).await.map_err(|error| vec![failure::store(&error)])?;
    output.say(&format!(
        "The hash chain is whole: {} rows tell of {} decisions and writes.",
        count(whole.entries),
        count(whole.items)
    ));
    Ok(())
}

/// Answers the first untranslated stage and assigns the records of the user without a seat.
async fn answer_some(
    session: &Session,
    global: &Global,
    store: &Store,
    output: &Output,
) -> Result<holds::Answered, Vec<Problem>> {
    let mut given: Vec<(HeldRow, Answer, String)> = Vec::new();
    let groups = groups(store).await?;
    let stage = groups.iter().find(|group| group.cause == "untranslated");
    let users: Vec<&HoldGroup> = groups.iter().filter(|group| group.cause == "unknown_user").collect();
    for group in stage.into_iter().chain(users) {
        let answer = match &group.sample.cause {
            Cause::Untranslated { field, table, value, .. } => {
                match first_option(session, group, table, value, field.as_str()).await? {
                    Some(to) => Answer::Translate { to },
                    None => continue,
                }
            }
            Cause::UnknownUser { .. } => match first_user(session, group).await? {
                Some(to) => Answer::Assign { to },
                None => continue,
            },
            _ => continue,
        };
        let filter =
            HoldFilter { flow: Some(group.flow.clone()), group: Some(group.group.clone()), ..HoldFilter::default() };
        let rows = queue::rows(store, &filter).await?;
        output.say(&format!("{}: {} ({})", group.flow, group.sample.cause.sentence(), plural(group.count, "record")));
        output.say(&format!(
            "  -> {}",
            match &answer {
                Answer::Translate { to } => format!("translate to {to}"),
                Answer::Assign { to } => format!("assign to {to}"),
                _ => String::new(),
            }
        ));
        given.extend(rows.into_iter().map(|(row, _)| (row, answer.clone(), "answered by the demo".to_owned())));
    }
    output.say("");
    holds::carry_answers(session, global, store.clone(), given, "demo".to_owned(), false, output).await
}

/// An option of the target's field that the group's value can be translated to: the first one that belongs
/// where the translations of its neighbours belong.
async fn first_option(
    session: &Session,
    group: &HoldGroup,
    table: &str,
    value: &str,
    field: &str,
) -> Result<Option<String>, Vec<Problem>> {
    let Some(flow) = session.project.flow(&group.flow) else { return Ok(None) };
    let Some(system) = session.systems.get(&flow.target.system) else { return Ok(None) };
    let schema = system
        .describe(&flow.target.object)
        .await
        .map_err(|fault| vec![failure::system(&flow.target.system, &fault)])?;
    let options = match schema.field(field).map(|field| &field.kind) {
        Some(handover_model::Kind::Choice { options, .. }) => options.clone(),
        _ => return Ok(None),
    };
    let within =
        |value: &str| options.iter().find(|option| option.value == value).and_then(|option| option.within.clone());
    let rows = session.project.tables.get(table).map(|table| &table.rows);
    let neighbour = rows.and_then(|rows| {
        // Ids tell neighbours by their numbers, `PIPELINE:STAGE` by the pipeline.
        let number = |text: &str| text.parse::<i64>().ok();
        let distance = |from: &str| match (value.split_once(':'), from.split_once(':')) {
            (Some((own, _)), Some((other, _))) => Some(i64::from(own != other)),
            _ => Some((number(from)? - number(value)?).abs()),
        };
        rows.iter().filter_map(|(from, row)| Some((distance(from)?, within(&row.to)?))).min().map(|(_, within)| within)
    });
    let fitting = options.iter().find(|option| neighbour.is_none() || option.within == neighbour);
    Ok(fitting.map(|option| option.value.clone()))
}

/// An active user of the target.
async fn first_user(session: &Session, group: &HoldGroup) -> Result<Option<String>, Vec<Problem>> {
    let Some(flow) = session.project.flow(&group.flow) else { return Ok(None) };
    let Some(system) = session.systems.get(&flow.target.system) else { return Ok(None) };
    let users = system.users().await.map_err(|fault| vec![failure::system(&flow.target.system, &fault)])?;
    Ok(users.into_iter().find(|user| user.active).map(|user| user.email))
}

async fn groups(store: &Store) -> Result<Vec<HoldGroup>, Vec<Problem>> {
    store.hold_groups().await.map_err(|error| vec![failure::store(&error)])
}

/// Holds by object and cause.
fn brief(groups: &[HoldGroup]) -> Json {
    let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
    for group in groups {
        *counts.entry((group.object.to_string(), group.cause.clone())).or_default() += group.count;
    }
    counts
        .into_iter()
        .map(|((object, cause), count)| json!({"object": object, "cause": cause, "count": count}))
        .collect()
}

fn prepare_folder(dir: &Path) -> Result<(), Vec<Problem>> {
    let problem = |error: &std::io::Error| {
        vec![Problem::new("demo", format!("the folder {} cannot be prepared", dir.display())).because(error)]
    };
    if dir.exists() {
        let empty = std::fs::read_dir(dir).map_err(|error| problem(&error))?.next().is_none();
        if !empty && !dir.join(MARK).exists() {
            return Err(vec![
                Problem::new("demo", format!("{} is not the folder of a demo", dir.display()))
                    .state("nothing was changed")
                    .hint("choose another with --dir"),
            ]);
        }
        std::fs::remove_dir_all(dir).map_err(|error| problem(&error))?;
    }
    std::fs::create_dir_all(dir).and_then(|()| std::fs::write(dir.join(MARK), "")).map_err(|error| problem(&error))
}

/// The company's world in the one platform, and what it finds in the other.
fn worlds(options: &Options, from: &str, to: &str) -> Result<[Json; 2], Vec<Problem>> {
    let scale = if options.small { sample::Scale::small() } else { sample::Scale::full() };
    // The portal that knows some of the people already.
    if (from, to) == ("pipedrive", "hubspot") {
        let company = sample::company_scaled(options.seed, scale);
        return Ok([company.pipedrive, company.hubspot]);
    }
    let old = sample::company_in(from, options.seed, scale).ok_or_else(|| no_sample(from))?;
    Ok([old, bare(options, to)?])
}

/// The account that the company finds.
fn bare(options: &Options, to: &str) -> Result<Json, Vec<Problem>> {
    sample::bare(to, options.seed).ok_or_else(|| no_sample(to))
}

fn no_sample(platform: &str) -> Vec<Problem> {
    let known = sample::PLATFORMS.join(", ");
    vec![
        Problem::new("demo", format!("there is no sample company in `{platform}`"))
            .state("nothing was changed")
            .hint(format!("give --from and --to one of: {known}")),
    ]
}

/// The platform to which an earlier demo brought the company, its world, and what its clock says.
fn arrived(dir: &Path) -> Result<(String, Json, String), Vec<Problem>> {
    let none = |cause: &(dyn std::error::Error + 'static)| {
        vec![
            Problem::new("demo", format!("no demo brought the company anywhere in {}", dir.display()))
                .because(cause)
                .state("nothing was changed")
                .hint("give --after the folder of a demo that came to its end"),
        ]
    };
    let (folder, file) = (dir.join("sandbox").join("new"), dir.join("sandbox").join(CLOCK));
    let clock = std::fs::read_to_string(&file).map_err(|error| none(&error))?;
    let text = std::fs::read_to_string(folder.join("world.json")).map_err(|error| none(&error))?;
    let platform = serde_json::from_str::<Json>(&text).map_err(|error| none(&error))?;
    let platform = platform["platform"].as_str().unwrap_or_default().to_owned();
    // What its log tells beside the file is read with it.
    let load = |json| world(&platform, Some(json));
    let sandbox = persist::open(&folder, || world(&platform, None), load).map_err(|error| none(&error))?;
    let json = sandbox.platform().world();
    Ok((platform, json, clock))
}

/// Both worlds, kept in folders of the demo.
fn keep_worlds(options: &Options, places: [(&str, &str); 2], worlds: [Json; 2]) -> Result<(), Vec<Problem>> {
    for ((name, platform), json) in places.into_iter().zip(worlds) {
        let dir = options.dir.join("sandbox").join(name);
        persist::open(&dir, || world(platform, Some(json)), |json| world(platform, Some(json))).map(drop).map_err(
            |error| {
                vec![
                    Problem::ours("demo", format!("the sandbox in {} could not be made", dir.display()))
                        .because(&error),
                ]
            },
        )?;
    }
    Ok(())
}

/// The project that `init` proposes, with the sandboxes in the place of tokens; gives the session that has them open.
async fn write_project(options: &Options, from: &str, to: &str, output: &Output) -> Result<Session, Vec<Problem>> {
    let systems = vec![init::sandboxed(&options.dir, "old", from), init::sandboxed(&options.dir, "new", to)];
    let session = Session::of(init::bare(&options.dir, systems))?;
    let proposal = init::propose_for(&session, from, to, output).await?;
    let mut automations: Vec<String> = Vec::new();
    // What goes back after the load is written into the old system.
    for name in ["new", "old"].into_iter().take(if options.parallel { 2 } else { 1 }) {
        if let Some(system) = session.systems.get(name) {
            let found = system.automations().await.ok().flatten().unwrap_or_default();
            automations.extend(found.into_iter().map(|one| one.name));
        }
    }
    let mut files = proposal.files.clone();
    if let Some(text) = files.get_mut(Path::new("handover.yaml")) {
        for name in ["old", "new"] {
            *text = text.replace(
                &format!("    token: {{env: {}_TOKEN}}\n", name.to_uppercase()),
                &format!("    sandbox: sandbox/{name}\n"),
            );
        }
        *text =
            text.replace("acknowledged_automations: []", &format!("acknowledged_automations: {}", json!(automations)));
    }
    init::write(&options.dir, &files)?;
    let stages = proposal.findings.len();
    output.say(&format!(
        "{} written; {} proposed, {} to look at.",
        plural(files.len() as u64, "file"),
        plural(proposal.create_fields.len() as u64, "new field"),
        plural(stages as u64, "finding")
    ));
    if !automations.is_empty() {
        output.say(&format!(
            "Workflows of the systems that are written, acknowledged by name: {}.",
            automations.join(", ")
        ));
    }
    Ok(session)
}

/// Compares everything, tells it and writes the page; gives the summary.
async fn verify_it(session: &mut Session, global: &Global, dir: &Path, output: &Output) -> Result<Json, Vec<Problem>> {
    // The answers are rows in the project's tables now.
    session.read_anew(&global.project)?;
    let found = verify::compare(session, output).await?;
    verify::say(&found, output);
    verify::write_page(session, &found, &dir.join("verify.html"), &Recipients::default())?;
    Ok(verify::summary(&found))
}

fn chapter(output: &Output, number: u32, text: &str) {
    output.say(&format!("\n{number}. {text}\n"));
}

fn say_next(dir: &Path, record: &str, output: &Output) {
    let dir = dir.display();
    output.say(&format!(
        "\nThe demo's project stays in {dir}. Every command works on it:\n\
         \n  cd {dir}\n  handover status\n  handover holds\n  handover holds list --help\n  handover audit show {record}\n  handover verify --html report.html\n\
         \nIts verification report is {dir}/verify.html. The clock began at {SANDBOX_START}."
    ));
}
