//! `handover init`: a commented project that fits two accounts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use handover_connect::{Fault, FaultKind, Read, Which};
use handover_model::{ObjectName, Place, SystemName};
use serde_json::json;

use super::output::plural;
use super::session::Session;
use super::{Done, Global, Output, failure};
use crate::config::{self, CredentialSource, Secret, SecretFrom, Sources, System};
use crate::init::{Proposal, SystemView, optional, propose, unpaired};
use crate::kept::{Vault, process};
use crate::problem::{Exit, Problem};

/// Options of `init`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  export OLD_TOKEN=... NEW_TOKEN=...
  handover init --from pipedrive --to hubspot
  handover init --from pipedrive --from-url https://acme.pipedrive.com --to hubspot --dir move

The tokens are read from OLD_TOKEN and NEW_TOKEN and are not written anywhere. A system `old` or `new` that
`handover connect` let in before (in the same folder) needs none.")]
pub(crate) struct Options {
    /// The platform to leave
    #[arg(long, value_name = "PLATFORM")]
    from: String,
    /// The platform to move to
    #[arg(long, value_name = "PLATFORM")]
    to: String,
    /// The address of the one to leave, where it is not the platform's own
    #[arg(long, value_name = "URL", env = "OLD_URL")]
    from_url: Option<String>,
    /// The address of the one to move to
    #[arg(long, value_name = "URL", env = "NEW_URL")]
    to_url: Option<String>,
    /// Where the project goes
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
}

/// Runs the command.
pub(crate) async fn run(_: &Global, options: &Options, output: &Output) -> Done {
    guard_empty(&options.dir)?;
    let old = kept(&options.dir, "old", &options.from).map_err(|problem| vec![problem])?;
    let new = kept(&options.dir, "new", &options.to).map_err(|problem| vec![problem])?;
    let systems = vec![
        system_of(options, "old", &options.from, options.from_url.clone(), &old)?,
        system_of(options, "new", &options.to, options.to_url.clone(), &new)?,
    ];
    let session = Session::of(bare(&options.dir, systems))?;
    let proposal = propose_for(&session, &options.from, &options.to, output).await?;
    let mut files = proposal.files.clone();
    for (name, url, kept) in [("old", &options.from_url, old), ("new", &options.to_url, new)] {
        let Some(text) = files.get_mut(Path::new("handover.yaml")) else { continue };
        let token = format!("    token: {{env: {}_TOKEN}}\n", name.to_uppercase());
        let mut lines: String = kept.map_or_else(|| token.clone(), |lines| lines.join("\n") + "\n");
        if let Some(url) = url.as_ref().filter(|_| !lines.contains("    base_url: ")) {
            lines.insert_str(0, &format!("    base_url: {url}\n"));
        }
        *text = text.replace(&token, &lines);
    }
    write(&options.dir, &files)?;
    tell(&proposal, output);
    output.value(&json!({"files": files.keys().collect::<Vec<_>>(), "fields_to_create": proposal.create_fields.len(), "findings": proposal.findings}));
    output.say(&format!(
        "{} written to {}. Read them, then{}: handover check, handover plan --create-fields, handover run.",
        plural(files.len() as u64, "file"),
        options.dir.display(),
        if options.dir == Path::new(".") { String::new() } else { format!(" in {}", options.dir.display()) }
    ));
    Ok(Exit::Done)
}

/// A project is never written over another.
fn guard_empty(dir: &Path) -> Result<(), Vec<Problem>> {
    if dir.join("handover.yaml").exists() {
        return Err(vec![
            Problem::new("project_exists", format!("there is a project in {} already", dir.display()))
                .state("nothing was written")
                .hint("choose another folder with --dir"),
        ]);
    }
    Ok(())
}

/// The lines of a system that `connect` let in before there was a project, unless its token is in the environment.
fn kept(dir: &Path, name: &str, platform: &str) -> Result<Option<Vec<String>>, Problem> {
    let (vault, system) = (Vault::of(dir, None), SystemName::from(name));
    if std::env::var_os(variable(name)).is_some() || !vault.file(&system).exists() {
        return Ok(None);
    }
    let entry = vault.read(&system, &process).map_err(|failure| failure.problem(&system))?;
    Ok(entry.entry.filter(|(known, _)| known == platform).map(|(_, lines)| lines))
}

/// The variable with the token of a system.
fn variable(name: &str) -> String {
    format!("{}_TOKEN", name.to_uppercase())
}

fn system_of(
    options: &Options,
    name: &str,
    platform: &str,
    url: Option<String>,
    kept: &Option<Vec<String>>,
) -> Result<System, Vec<Problem>> {
    let Some(lines) = kept else { return Ok(real(name, platform, url, &variable(name))) };
    let system = config::beside(name, platform, lines, &options.dir)?;
    Ok(System { base_url: system.base_url.or(url), ..system })
}

fn real(name: &str, platform: &str, base_url: Option<String>, variable: &str) -> System {
    let place = Place { file: "the command line".into(), ..Place::default() };
    System {
        credentials: CredentialSource::Token(Secret {
            from: SecretFrom::Env(variable.to_owned()),
            place: place.clone(),
        }),
        base_url,
        ..system(name, platform, None, place)
    }
}

/// A system that keeps its sandbox in a folder.
pub(crate) fn sandboxed(root: &Path, name: &str, platform: &str) -> System {
    system(name, platform, Some(root.join("sandbox").join(name)), Place::default())
}

pub(crate) fn system(name: &str, platform: &str, sandbox: Option<PathBuf>, place: Place) -> System {
    System {
        name: SystemName::from(name),
        platform: platform.to_owned(),
        base_url: None,
        oauth_base: None,
        credentials: CredentialSource::None,
        token_ends: None,
        reserve: 0.2,
        timeout: Duration::from_secs(60),
        concurrency: 4,
        webhooks: None,
        sandbox,
        files: None,
        place,
    }
}

/// A project that has systems and nothing else yet.
pub(crate) fn bare(root: &Path, systems: Vec<System>) -> config::Project {
    config::Project {
        name: "new".to_owned(),
        root: root.to_owned(),
        state: ".handover/state.db".to_owned(),
        vault: Vault::of(root, None),
        systems,
        flows: Vec::new(),
        cohorts: Vec::new(),
        time_zone: jiff::tz::TimeZone::UTC,
        kill_date: None,
        tables: BTreeMap::new(),
        policies: config::Policies::default(),
        alerts: None,
        create_fields: Vec::new(),
        snapshot: String::new(),
        sources: Sources::default(),
        notices: Vec::new(),
    }
}

/// Reads both accounts and proposes the project.
pub(crate) async fn propose_for(
    session: &Session,
    from: &str,
    to: &str,
    output: &Output,
) -> Result<Proposal, Vec<Problem>> {
    let mut old = view(session, "old", from).await?;
    let mut new = view(session, "new", to).await?;
    let made = |view: &SystemView| view.custom.as_ref().is_some_and(|custom| !custom.is_empty());
    if made(&old) && made(&new) {
        describe_made(session, &mut old).await?;
        describe_made(session, &mut new).await?;
    }
    old.counts = unused(session, &old).await?;
    old.counts.extend(counted(session, &old, &unpaired(&old, &new)).await);
    for view in [&old, &new] {
        output.warn(&failure::lacks(&view.name, &view.account).collect::<Vec<_>>());
    }
    Ok(propose(&old, &new))
}

async fn view(session: &Session, name: &str, platform: &str) -> Result<SystemView, Vec<Problem>> {
    let name = SystemName::from(name);
    let Some(system) = session.systems.get(&name) else {
        return Err(vec![Problem::ours("init", format!("the system `{name}` is not open"))]);
    };
    let fault = |fault| vec![failure::system(&name, &fault)];
    let account = system.account().await.map_err(fault)?;
    let users = system.users().await.map_err(fault)?;
    let mut schemas = Vec::new();
    for object in system.objects() {
        match system.describe(&object).await {
            Ok(schema) => schemas.push(schema),
            // An object that the account does not have (a plan, a scope) cannot be moved and is not proposed.
            Err(error) if is_lacking(&error) => {}
            Err(error) => return Err(fault(error)),
        }
    }
    let custom = match system.custom_objects().await {
        Ok(names) => Some(names),
        Err(error) if is_lacking(&error) => None,
        Err(error) => return Err(fault(error)),
    };
    let (name, platform, counts) = (name.clone(), platform.to_owned(), BTreeMap::new());
    Ok(SystemView { name, platform, account, schemas, custom, counts, users })
}

/// The objects that the account could use and does not, with the number of their records, 0: a call for each that
/// tells it.
async fn unused(session: &Session, view: &SystemView) -> Result<BTreeMap<ObjectName, u64>, Vec<Problem>> {
    let mut told_by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (object, asked) in optional(&view.platform).filter(|(_, asked)| view.schema(asked).is_some()) {
        told_by.entry(asked).or_default().push(object);
    }
    let mut unused = BTreeMap::new();
    for (asked, objects) in told_by {
        if is_unused(session, view, asked).await? {
            unused.extend(objects.into_iter().map(|object| (object.into(), 0)));
        }
    }
    Ok(unused)
}

/// Whether an object holds no live record: the first page of its list tells.
async fn is_unused(session: &Session, view: &SystemView, object: &str) -> Result<bool, Vec<Problem>> {
    let Some(system) = session.systems.get(&view.name) else { return Ok(false) };
    let read = Read { object: object.into(), fields: Arc::from([]), which: Which::Live, since: None };
    match system.page(&read, None).await {
        Ok(page) => Ok(page.records.is_empty() && page.next.is_none()),
        // What may be described and not read cannot be moved either; the check says so.
        Err(error) if is_lacking(&error) => Ok(false),
        Err(fault) => Err(vec![failure::system(&view.name, &fault)]),
    }
}

/// Describes what a customer made, as far as it can be carried.
async fn describe_made(session: &Session, view: &mut SystemView) -> Result<(), Vec<Problem>> {
    let Some(system) = session.systems.get(&view.name) else { return Ok(()) };
    for object in view.custom.iter().flatten() {
        match system.describe(object).await {
            Ok(schema) => view.schemas.push(schema),
            // It stays behind, and that is told.
            Err(error) if is_lacking(&error) || error.kind == FaultKind::Unsupported => {}
            Err(error) => return Err(vec![failure::system(&view.name, &error)]),
        }
    }
    Ok(())
}

/// How many records stay behind in the objects that nothing takes; none where the system does not tell.
async fn counted(session: &Session, view: &SystemView, objects: &[ObjectName]) -> BTreeMap<ObjectName, u64> {
    let mut counts = BTreeMap::new();
    let Some(system) = session.systems.get(&view.name) else { return counts };
    for object in objects {
        if let Ok(Some(count)) = system.count(object).await {
            counts.insert(object.clone(), count);
        }
    }
    counts
}

/// Whether the account does not have or not show what was asked for.
fn is_lacking(error: &Fault) -> bool {
    matches!(error.kind, FaultKind::Denied | FaultKind::NotFound)
}

/// Writes the proposed files.
pub(crate) fn write(dir: &Path, files: &BTreeMap<PathBuf, String>) -> Result<(), Vec<Problem>> {
    for (path, text) in files {
        let file = dir.join(path);
        let parent = file.parent().unwrap_or(dir);
        std::fs::create_dir_all(parent).and_then(|()| std::fs::write(&file, text)).map_err(|error| {
            vec![Problem::new("write", format!("{} could not be written", file.display())).because(&error)]
        })?;
    }
    Ok(())
}

/// Tells what a person should look at.
pub(crate) fn tell(proposal: &Proposal, output: &Output) {
    output.warn(&Problem::from_findings(&proposal.findings, &Sources::default()));
}
