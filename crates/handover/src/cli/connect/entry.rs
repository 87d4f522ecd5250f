//! The system that is to let us in: in the project or beside it, with its ways and what is needed of it.

use handover_connect::{Dialect, Way};
use handover_model::{ObjectName, Place, SystemName};
use handover_platforms::Platform;

use super::asking::{ask, not_given};
use super::{Came, Options, nothing_kept};
use crate::cli::{Global, Output, init, reach};
use crate::config::{self, CredentialSource, System};
use crate::kept::{Vault, process};
use crate::problem::Problem;

/// A system that is to let us in.
pub(super) struct Entrance<'o> {
    pub(super) options: &'o Options,
    pub(super) project: Option<config::Project>,
    pub(super) vault: Vault,
    pub(super) system: System,
    pub(super) platform: &'static Platform,
    pub(super) dialect: Box<dyn Dialect>,
    /// The objects of the project's flows, and whether they are written.
    pub(super) objects: Vec<(ObjectName, bool)>,
}

impl<'o> Entrance<'o> {
    /// The system, in the project or beside it.
    pub(super) fn find(global: &Global, options: &'o Options) -> Result<Self, Problem> {
        let name = SystemName::from(options.system.as_str());
        let project = match global.project.exists() {
            true => Some(config::Project::load(&global.project).map_err(first)?),
            false => None,
        };
        let in_project = project.as_ref().and_then(|project| project.system(&name)).cloned();
        let sources = project.as_ref().map(|project| project.sources.clone()).unwrap_or_default();
        let mut system = match (in_project, &options.platform) {
            (Some(system), None) => system,
            (Some(system), Some(platform)) if system.platform == *platform => system,
            (Some(system), Some(_)) => {
                let message = format!("the project says that `{name}` is of `{}`", system.platform);
                return Err(nothing_kept(Problem::new("other_platform", message)));
            }
            (None, Some(platform)) => beside(&name, platform)?,
            (None, None) => return Err(unknown(&name, project.as_ref(), global)),
        };
        for (address, given, option) in
            [(&mut system.base_url, &options.url, "--url"), (&mut system.oauth_base, &options.token_url, "--token-url")]
        {
            if let Some(given) = given {
                *address = Some(config::base_address(given, option).map_err(nothing_kept)?);
            }
        }
        if system.sandbox.is_some() || system.files.is_some() {
            let message = format!("`{name}` is a folder of this machine and lets everybody in");
            return Err(nothing_kept(Problem::new("nothing_to_connect", message)));
        }
        let platform = reach::platform(&system, &sources).map_err(nothing_kept)?;
        let dialect = (platform.dialect)();
        dialect.based(&reach::settings(&system, platform).api_base);
        let flows = project.as_ref().map(|project| objects(project, &name)).filter(|objects| !objects.is_empty());
        let objects =
            flows.unwrap_or_else(|| dialect.objects().into_iter().map(|object| (object, !options.read_only)).collect());
        let root = global.project.parent().unwrap_or(std::path::Path::new(""));
        let vault = project.as_ref().map_or_else(|| Vault::of(root, None), |project| project.vault.clone());
        Ok(Self { options, project, vault, system, platform, dialect, objects })
    }

    /// Makes sure that what comes can be kept, before anybody is asked for anything.
    pub(super) fn ready(&self) -> Result<(), Problem> {
        let name = &self.system.name;
        let failed = |failure: crate::kept::Failure| nothing_kept(failure.problem(name));
        self.vault.opened(&process).map_err(failed)?;
        self.vault.read(name, &process).map(drop).map_err(failed)
    }

    /// Which way in: as it was said, as the project has it, the only one, or the one that a person chooses.
    pub(super) fn way(&self, output: &Output) -> Result<Way, Problem> {
        let ways = self.dialect.door().ways;
        let words = ways.iter().map(|way| way.word()).collect::<Vec<_>>().join(", ");
        let named = |word: &str| {
            ways.iter().copied().find(|way| way.word() == word).ok_or_else(|| {
                let message = format!("{} has no way in that is called `{word}`", self.platform.name);
                nothing_kept(Problem::new("no_such_way", message)).hint(format!("it has: {words}"))
            })
        };
        let options = self.options;
        let implied = [
            (options.token.is_some(), Way::Token),
            (options.code.is_some() || options.no_browser, Way::Code),
            (options.private_key.is_some(), Way::Signed),
        ];
        let implied = implied.iter().find(|(is_given, _)| *is_given).map(|(_, way)| *way);
        let in_project = match &self.system.credentials {
            CredentialSource::None => None,
            CredentialSource::Token(_) => Some(Way::Token),
            CredentialSource::Oauth { client_secret: None, .. } if ways.contains(&Way::Device) => None,
            CredentialSource::Oauth { .. } => Some(Way::Code),
            CredentialSource::App { .. } => Some(Way::App),
            CredentialSource::Signed { .. } => Some(Way::Signed),
        };
        match (&options.way, implied.or(in_project.filter(|way| ways.contains(way))), ways) {
            (Some(word), _, _) => named(word),
            (None, Some(way), _) => named(way.word()),
            (None, None, [only]) => Ok(*only),
            (None, None, _) => {
                output.note(&format!("`{}` can be let in by: {words}", self.system.name));
                match ask("Which way") {
                    Some(word) => named(&word),
                    None => Err(not_given("which way in", "--way").hint(format!("it has: {words}"))),
                }
            }
        }
    }

    /// The lines of the project file.
    pub(super) fn lines(&self, way: Way, came: &Came) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(url) = &self.options.url {
            lines.push(format!("    base_url: {url}"));
        }
        let mut entries: Vec<String> = came.lines.iter().map(|(key, value)| format!("{key}: {value}")).collect();
        if way == Way::Token {
            lines.extend(entries.into_iter().map(|entry| format!("    {entry}")));
            return lines;
        }
        entries.extend(self.system.oauth_base.as_ref().map(|url| format!("token_url: {url}")));
        lines.push(format!("    oauth: {{{}}}", entries.join(", ")));
        lines
    }
}

/// A system that no project names yet.
fn beside(name: &SystemName, platform: &str) -> Result<System, Problem> {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    if name.as_str().is_empty() || !name.as_str().chars().all(is_name) {
        let message = format!("`{name}` cannot be a name: letters, digits, `-` and `_` only");
        return Err(nothing_kept(Problem::new("name", message)));
    }
    let place = Place { file: "the command line".into(), ..Place::default() };
    Ok(init::system(name.as_str(), platform, None, place))
}

fn unknown(name: &SystemName, project: Option<&config::Project>, global: &Global) -> Problem {
    let Some(project) = project else {
        let message = format!("there is no {}, so that nothing is known of `{name}`", global.project.display());
        return nothing_kept(Problem::new("no_project", message)).hint("say what it is: `--platform PLATFORM`");
    };
    let known: Vec<&str> = project.systems.iter().map(|system| system.name.as_str()).collect();
    nothing_kept(Problem::new("unknown_system", format!("the project has no system `{name}`")))
        .hint(format!("it has {}; `--platform PLATFORM` lets in one that it does not have yet", known.join(", ")))
}

/// The first of a project's problems: the others show with `check`.
fn first(problems: Vec<Problem>) -> Problem {
    let ours = || Problem::ours("project", "the project cannot be read");
    problems.into_iter().next().unwrap_or_else(ours)
}

/// The objects of a system in the project's flows, and whether they are written.
fn objects(project: &config::Project, name: &SystemName) -> Vec<(ObjectName, bool)> {
    let mut objects = std::collections::BTreeMap::new();
    for flow in &project.flows {
        for (end, writes) in [(&flow.source, flow.both_ways), (&flow.target, true)] {
            if end.system == *name {
                *objects.entry(end.object.clone()).or_insert(false) |= writes;
            }
        }
    }
    objects.into_iter().collect()
}
