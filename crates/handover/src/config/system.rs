//! The systems of a project.

use std::path::{Path, PathBuf};
use std::time::Duration;

use handover_files::Settings as FileSettings;
use handover_model::{Day, Place, SystemName};
use jiff::tz::TimeZone;

use super::cohorts;
use super::credentials::{self, CredentialSource, Shelf};
use super::files;
use super::node::{Kind, Node};
use super::reader::{File, Reading};
use super::sources::Sources;
use super::webhooks::{self, Webhooks};
use crate::kept::Vault;
use crate::problem::Problem;

/// Platforms that a project file may name: those that have an API, and files.
fn platforms() -> Vec<&'static str> {
    handover_platforms::PLATFORMS.iter().map(|platform| platform.name).chain(["csv"]).collect()
}

/// A system as the project file has it.
#[derive(Clone, Debug, PartialEq)]
pub struct System {
    /// Its name.
    pub name: SystemName,
    /// Its platform, as the project file names it.
    pub platform: String,
    /// The API's base address without a slash at the end; the platform's own when `None`.
    pub base_url: Option<String>,
    /// The token endpoint's base address; the platform's own when `None`.
    pub oauth_base: Option<String>,
    /// Where the credentials are.
    pub credentials: CredentialSource,
    /// On which day its token ends, as far as somebody knows.
    pub token_ends: Option<Day>,
    /// The share (0 to 0.9) of every limit that is left to the company's other integrations.
    pub reserve: f64,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Requests under way at once.
    pub concurrency: usize,
    /// Its webhooks, if it sends some.
    pub webhooks: Option<Webhooks>,
    /// The folder of a sandbox: no network then.
    pub sandbox: Option<PathBuf>,
    /// For `csv`: which folder, and how its files are read.
    pub files: Option<FileSettings>,
    /// Where it is written.
    pub place: Place,
}

/// Left to others unless the project says otherwise.
const RESERVE: f64 = 0.2;
/// An answer may take this long unless the project says otherwise.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Requests under way at once unless the project says otherwise.
const CONCURRENCY: usize = 4;

/// Reads `systems`. Gives also the names of all, of those too that were refused, so that nobody complains
/// that they do not exist.
pub(super) fn read(
    reading: &mut Reading,
    file: &File,
    node: &Node,
    root: &Path,
    vault: &Vault,
) -> (Vec<System>, Vec<SystemName>) {
    let Kind::Map { entries, .. } = &node.kind else {
        reading.wrong(file, node, "systems", "a mapping of names to systems");
        return (Vec::new(), Vec::new());
    };
    let mut systems = Vec::new();
    let names = entries.iter().map(|entry| SystemName::new(entry.key.as_str())).collect();
    for entry in entries {
        let name = Node { mark: entry.key_mark, kind: Kind::Scalar { text: entry.key.clone(), quoted: true } };
        let Some(name) = super::project::name(reading, file, &name, "systems") else { continue };
        let name = SystemName::new(name);
        let shelf = Shelf { root, kept: Some((vault, &name)) };
        systems.extend(system(reading, file, name.clone(), entry.key_mark, &entry.value, shelf));
    }
    (systems, names)
}

/// A system that no project names yet, from the lines that one would have.
///
/// # Errors
/// What is wrong with them.
pub(crate) fn beside(name: &str, platform: &str, lines: &[String], root: &Path) -> Result<System, Vec<Problem>> {
    let text = format!("{name}:\n    platform: {platform}\n{}\n", lines.join("\n"));
    let mut reading = Reading::default();
    let file = File("what is kept".into());
    let tree = reading.tree(&file, text.as_bytes(), true);
    let systems = tree.map(|tree| read(&mut reading, &file, &tree, root, &Vault::of(root, None)).0).unwrap_or_default();
    match systems.into_iter().next() {
        Some(system) if reading.problems.is_empty() => Ok(system),
        _ => Err(reading.problems),
    }
}

fn system(
    reading: &mut Reading,
    file: &File,
    name: SystemName,
    mark: super::node::Mark,
    node: &Node,
    shelf: Shelf<'_>,
) -> Option<System> {
    let root = shelf.root;
    let mut entries = reading.open(file, node, &format!("the system `{name}`"))?;
    let platform =
        entries.need("platform", reading).and_then(|node| reading.word(file, node, "platform", &platforms()));
    let is_csv = platform.as_deref() == Some("csv");
    let mut system = System {
        name,
        platform: platform.clone().unwrap_or_default(),
        base_url: None,
        oauth_base: None,
        credentials: CredentialSource::None,
        token_ends: None,
        reserve: RESERVE,
        timeout: TIMEOUT,
        concurrency: CONCURRENCY,
        webhooks: None,
        sandbox: None,
        files: None,
        place: file.place(mark),
    };
    if is_csv {
        system.files = Some(files::read(reading, file, &mut entries, root));
        entries.finish(reading);
        return Some(system);
    }
    system.base_url = entries.take("base_url").and_then(|node| address(reading, file, node, "base_url"));
    (system.credentials, system.oauth_base) = credentials::read(reading, file, &mut entries, shelf);
    // Platforms do not tell: whoever made the token knows.
    let utc = TimeZone::UTC;
    let ends = entries.take("token_ends");
    system.token_ends = ends.and_then(|node| cohorts::day_at(reading, file, node, "token_ends", &utc));
    if let Some(share) = entries.take("reserve").and_then(|node| reading.share(file, node, "reserve", 90)) {
        system.reserve = share;
    }
    if let Some(timeout) = entries.take("timeout").and_then(|node| reading.duration(file, node, "timeout")) {
        system.timeout = timeout;
    }
    if let Some(number) = entries.take("concurrency").and_then(|node| reading.whole(file, node, "concurrency", 1, 64)) {
        system.concurrency = usize::try_from(number).unwrap_or(CONCURRENCY);
    }
    system.webhooks = entries.take("webhooks").and_then(|node| webhooks::read(reading, file, node, root));
    let sandbox = entries.take("sandbox").and_then(|node| reading.text(file, node, "sandbox"));
    system.sandbox = sandbox.map(|folder| root.join(folder));
    entries.finish(reading);
    let refused = reading.problems.iter().any(|problem| problem.code == "literal_secret");
    if system.credentials == CredentialSource::None && system.sandbox.is_none() && platform.is_some() && !refused {
        let problem = reading
            .problem(file, mark, "no_credentials", format!("the system `{}` has no credentials", system.name))
            .hint("add `token: {env: NAME}`, the name of the environment variable that holds the token")
            .hint(format!("or `token: {{kept: true}}`, and let the system in with `handover connect {}`", system.name));
        reading.problems.push(problem);
    }
    platform.map(|_| system)
}

/// A base address, without its slash at the end. Tokens travel there, so plain HTTP is for this machine.
pub(super) fn address(reading: &mut Reading, file: &File, node: &Node, what: &str) -> Option<String> {
    let text = reading.text(file, node, what)?;
    base_address(&text, what)
        .map_err(|problem| {
            // The line is not shown where the address may hold a password.
            let shown = if text.contains(['@', '?', '#']) { Sources::default() } else { reading.sources.clone() };
            reading.problems.push(problem.at(&file.place(node.mark), node.mark.width, &shown));
        })
        .ok()
}

/// The same of a text.
///
/// # Errors
/// When it is no address, when it would send tokens unencrypted, when it has a user, a query or a fragment.
pub(crate) fn base_address(text: &str, what: &str) -> Result<String, Problem> {
    let url = match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "https" | "http") && url.has_host() => url,
        _ => return Err(Problem::new("wrong_value", format!("`{what}` wants an address like `https://host`"))),
    };
    let local = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(domain)) => domain == "localhost" || domain.ends_with(".localhost"),
        None => false,
    };
    if url.scheme() == "http" && !local {
        let message = format!("`{what}` would send the token unencrypted");
        return Err(Problem::new("plain_http", message).hint("use `https://`"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        let message = format!("`{what}` is an address without user, query and fragment");
        return Err(Problem::new("wrong_value", message));
    }
    Ok(text.trim_end_matches('/').to_owned())
}
