//! The ways in, one function for each: what each needs, and what it gives.

use std::sync::Arc;
use std::time::Duration;

use handover_connect::{
    Agreement, Ask, Credentials, Dialect, Driver, HttpTransport, NoKeeper, Proof, SystemClock, Token, Way, same,
};
use handover_model::{ObjectName, Place, SystemName};
use handover_platforms::Platform;
use secrecy::{ExposeSecret as _, SecretString};

use super::asking::{Source, ask, ask_secret, not_given, terminal};
use super::browser::{Brought, Landing, pasted};
use super::{Came, Options, nothing_kept, plain, refused};
use crate::cli::{Global, Output, init, reach};
use crate::config::{self, CredentialSource, Secret, SecretFrom, System};
use crate::kept::{Asked, Vault, process};
use crate::problem::Problem;

/// What a way in gave; `None` when a person has to go on later.
type Come = Result<Option<Came>, Problem>;

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

/// A secret that was found.
struct Given {
    secret: SecretString,
    /// Where the project says that it is; none when it is to be kept.
    there: Option<String>,
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
    pub(super) fn ready(&self, _: &Output) -> Result<(), Problem> {
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

    /// A token that somebody made by hand.
    pub(super) fn by_token(&self, _: &Output) -> Come {
        let there = match &self.system.credentials {
            CredentialSource::Token(token) => Some(token),
            _ => None,
        };
        let token = self.secret("token", "the token", "--token", self.options.token.as_ref(), there)?;
        if token.secret.expose_secret().chars().any(|c| c.is_control() || c.is_whitespace()) {
            let problem = Problem::new("not_given", "the token holds blanks or line breaks, which no token has");
            return Err(nothing_kept(problem));
        }
        let driver = self.driver(Credentials::Token(token.secret.clone()))?;
        let mut came = Came { secrets: Vec::new(), lines: Vec::new(), driver, granted: None };
        came.takes("token", token);
        Ok(Some(came))
    }

    /// A person agrees in a browser, which brings a code.
    pub(super) async fn by_code(&self, output: &Output) -> Come {
        let client_id = self.client_id()?;
        let client_secret = self.client_secret(self.dialect.door().public)?;
        let Some((code, redirect_uri, verifier)) = self.code(&client_id, output).await? else { return Ok(None) };
        let agreement = Agreement::Code { code, redirect_uri, verifier };
        let driver = self.agreed(&client_id, client_secret.as_ref(), agreement)?;
        let token = driver.let_in().await.map_err(|fault| self.refused(Way::Code, &fault))?;
        self.came(driver, client_id, client_secret, token).map(Some)
    }

    /// A person agrees on another device, with a code that is shown here.
    pub(super) async fn by_device(&self, output: &Output) -> Come {
        let client_id = self.client_id()?;
        let client_secret = self.client_secret(true)?;
        let refused = |fault| self.refused(Way::Device, &fault);
        let asking = self.driver(Credentials::None)?;
        let code = asking.device(&client_id).await.map_err(refused)?;
        output
            .note(&format!("Open this address in any browser, and type {} there:\n\n  {}\n", code.shown, code.address));
        let driver = self.agreed(&client_id, client_secret.as_ref(), Agreement::Device(code.code))?;
        let limit = Duration::from_secs(code.expires_in.min(self.options.wait));
        let mut interval = Duration::from_secs(code.interval);
        let mut waited = Duration::ZERO;
        let token = loop {
            match driver.let_in().await {
                Ok(token) => break token,
                Err(fault) if fault.code == "slow_down" => interval += Duration::from_secs(5),
                Err(fault) if fault.code == "authorization_pending" => {}
                Err(fault) => return Err(refused(fault)),
            }
            if waited >= limit {
                let message = format!("nobody agreed within {} seconds", limit.as_secs());
                return Err(nothing_kept(Problem::new("no_answer", message))
                    .hint("run the command again; `--wait SECONDS` gives more time"));
            }
            tokio::time::sleep(interval).await;
            waited += interval;
        };
        self.came(driver, client_id, client_secret, token).map(Some)
    }

    /// The app acts for itself.
    pub(super) async fn by_app(&self, _: &Output) -> Come {
        let client_id = self.client_id()?;
        let Some(secret) = self.client_secret(false)? else {
            return Err(not_given("the app's secret", "--client-secret"));
        };
        let credentials =
            Credentials::App { client_id: client_id.clone(), client_secret: secret.secret.clone(), access: None };
        let driver = self.driver(credentials)?;
        let token = driver.let_in().await.map_err(|fault| self.refused(Way::App, &fault))?;
        let mut came =
            Came { secrets: Vec::new(), lines: vec![("client_id", quoted(&client_id))], driver, granted: token.scopes };
        came.takes("client_secret", secret);
        Ok(Some(came))
    }

    /// The app signs for a user.
    pub(super) async fn by_signature(&self, _: &Output) -> Come {
        let client_id = self.client_id()?;
        let (known, there) = match &self.system.credentials {
            CredentialSource::Signed { user, private_key, .. } => (Some(user.clone()), Some(private_key)),
            _ => (None, None),
        };
        let user = self.options.user.clone().or(known).or_else(|| ask("The user for whom the app signs"));
        let user = user.ok_or_else(|| not_given("the user for whom the app signs", "--user"))?;
        let key =
            self.secret("private_key", "the private key", "--private-key", self.options.private_key.as_ref(), there)?;
        let credentials = Credentials::Signed {
            client_id: client_id.clone(),
            user: user.clone(),
            key: key.secret.clone(),
            assertion: None,
            access: None,
        };
        let driver = self.driver(credentials)?;
        let token = driver.let_in().await.map_err(|fault| self.refused(Way::Signed, &fault))?;
        let lines = vec![("client_id", quoted(&client_id)), ("user", quoted(&user))];
        let mut came = Came { secrets: Vec::new(), lines, driver, granted: token.scopes };
        came.takes("private_key", key);
        Ok(Some(came))
    }

    fn refused(&self, way: Way, fault: &handover_connect::Fault) -> Problem {
        refused::tokens(&self.system.name, way, fault, self.dialect.door().elsewhere)
    }

    /// Tokens of a person's agreement: the refresh token is what is kept.
    fn came(&self, driver: Driver, client_id: String, secret: Option<Given>, token: Token) -> Result<Came, Problem> {
        let Some(refresh) = token.refresh else {
            let message =
                format!("`{}` gave no refresh token, so that the way in would end within hours", self.system.name);
            return Err(nothing_kept(Problem::new("no_refresh_token", message))
                .hint("allow the app to act while nobody is there (offline access), then run the command again"));
        };
        let lines = vec![("client_id", quoted(&client_id))];
        let mut came = Came { secrets: Vec::new(), lines, driver, granted: token.scopes };
        if let Some(secret) = secret {
            came.takes("client_secret", secret);
        }
        came.takes("refresh_token", Given { secret: refresh, there: None });
        Ok(came)
    }

    fn driver(&self, credentials: Credentials) -> Result<Driver, Problem> {
        let http = HttpTransport::new()
            .map_err(|error| nothing_kept(Problem::ours("tls", "TLS could not be set up").because(&error)))?;
        let settings = reach::settings(&self.system, self.platform);
        let dialect = (self.platform.dialect)();
        Ok(Driver::new(dialect, Arc::new(http), Arc::new(SystemClock), Arc::new(NoKeeper), credentials, settings))
    }

    fn agreed(&self, client_id: &str, secret: Option<&Given>, agreement: Agreement) -> Result<Driver, Problem> {
        self.driver(Credentials::Agreed {
            client_id: client_id.to_owned(),
            client_secret: secret.map(|given| given.secret.clone()),
            agreement,
            access: None,
        })
    }

    fn client_id(&self) -> Result<String, Problem> {
        let known = match &self.system.credentials {
            CredentialSource::Oauth { client_id, .. }
            | CredentialSource::App { client_id, .. }
            | CredentialSource::Signed { client_id, .. } => Some(client_id.clone()),
            CredentialSource::None | CredentialSource::Token(_) => None,
        };
        let given = self.options.client_id.clone().or(known).or_else(|| ask("The app's id (client id)"));
        given.ok_or_else(|| not_given("the app's id", "--client-id"))
    }

    /// The app's secret; none where the app may have none and nobody gives one.
    fn client_secret(&self, may_lack: bool) -> Result<Option<Given>, Problem> {
        let there = match &self.system.credentials {
            CredentialSource::Oauth { client_secret, .. } => client_secret.as_ref(),
            CredentialSource::App { client_secret, .. } => Some(client_secret),
            _ => None,
        };
        let (what, option) = ("the app's secret", "--client-secret");
        let given = self.options.client_secret.as_ref();
        if may_lack && given.is_none() && there.is_none() {
            return Ok(
                ask_secret("The app's secret, nothing when it has none").map(|secret| Given { secret, there: None })
            );
        }
        self.secret("client_secret", what, option, given, there).map(Some)
    }

    /// A secret: as it was given, as the project names it, as it is kept, as a person types it.
    fn secret(
        &self,
        key: &str,
        what: &str,
        option: &str,
        given: Option<&Source>,
        there: Option<&Secret>,
    ) -> Result<Given, Problem> {
        if let Some(source) = given {
            return Ok(Given { secret: source.read(option)?, there: None });
        }
        let line = match there.map(|secret| &secret.from) {
            Some(SecretFrom::Env(name)) => Some(format!("{{env: {name}}}")),
            Some(SecretFrom::File(path)) => {
                let root = self.project.as_ref().map(|project| project.root.as_path());
                let path = root.and_then(|root| path.strip_prefix(root).ok()).unwrap_or(path);
                Some(format!("{{file: {}}}", quoted(&path.display().to_string())))
            }
            Some(SecretFrom::Kept { .. }) | None => None,
        };
        if let (Some(secret), Some(line)) = (there, line) {
            let secret = secret.words(&process).map_err(|why| {
                nothing_kept(
                    Problem::new("not_given", format!("{what} cannot be read where the project says")).cause(why),
                )
            })?;
            return Ok(Given { secret, there: Some(line) });
        }
        // A token that is being replaced is no use; an app's secret is.
        if key != "token"
            && let Ok(secret) = self.vault.secret(&self.system.name, key, &process)
        {
            return Ok(Given { secret, there: None });
        }
        let secret = ask_secret(&capital(what)).ok_or_else(|| not_given(what, option))?;
        Ok(Given { secret, there: None })
    }

    /// The code, the redirect address that belongs to it, and the verifier; `None` when a person goes on later.
    async fn code(
        &self,
        client_id: &str,
        output: &Output,
    ) -> Result<Option<(SecretString, Option<String>, Option<SecretString>)>, Problem> {
        let name = &self.system.name;
        if let Some(text) = &self.options.code {
            let asked = self.vault.read(name, &process).map_err(|failure| nothing_kept(failure.problem(name)))?.asked;
            let asked = asked.filter(|asked| asked.client_id == client_id);
            return self.judged(&pasted(text), asked.as_ref()).map(Some);
        }
        let landing = match (&self.options.redirect_uri, self.options.no_browser) {
            (None, false) => Some(Landing::on(self.options.port).await?),
            _ => None,
        };
        let proof = Proof::fresh().map_err(|why| nothing_kept(Problem::ours("random", why)))?;
        let own = || format!("http://localhost:{}/callback", self.options.port);
        let redirect_uri = landing.as_ref().map(Landing::address);
        let redirect_uri = redirect_uri.or_else(|| self.options.redirect_uri.clone()).unwrap_or_else(own);
        let asked = Asked {
            client_id: client_id.to_owned(),
            redirect_uri,
            state: plain(&proof.state),
            verifier: self.dialect.door().proof.then(|| plain(&proof.verifier)),
        };
        let page = self.page(&asked, &proof)?;
        output.note(&format!("Open this address in a browser, and agree there:\n\n  {page}\n"));
        let brought = match landing {
            Some(landing) => {
                let (wait, address) = (self.options.wait, &asked.redirect_uri);
                output.note(&format!("Waiting {wait} seconds at most for the browser to come back to {address}"));
                landing.wait(Duration::from_secs(wait)).await?
            }
            None if terminal().is_some() => {
                let text = ask("The address to which the browser was sent, or the code alone");
                pasted(&text.ok_or_else(|| not_given("the code", "--code"))?)
            }
            None => {
                self.later(asked, page.as_str(), output)?;
                return Ok(None);
            }
        };
        self.judged(&brought, Some(&asked)).map(Some)
    }

    /// Keeps what was asked with, so that another call of the command can end it.
    fn later(&self, asked: Asked, page: &str, output: &Output) -> Result<(), Problem> {
        let name = &self.system.name;
        let kept = self.vault.change(name, &process, |entry| entry.asked = Some(asked));
        kept.map_err(|failure| failure.problem(name))?;
        let then = format!("handover connect {name} --code 'ADDRESS TO WHICH THE BROWSER WAS SENT'");
        output.value(&serde_json::json!({"system": name, "open": page, "then": then}));
        output.say(&format!("Then, with the same options: {then}"));
        Ok(())
    }

    /// The address of the page where a person agrees.
    fn page(&self, asked: &Asked, proof: &Proof) -> Result<url::Url, Problem> {
        let challenge = asked.verifier.as_ref().map(|_| proof.challenge());
        let scopes = self.dialect.scopes(&self.objects);
        let address = self.dialect.ask(&Ask {
            client_id: &asked.client_id,
            redirect_uri: &asked.redirect_uri,
            state: &asked.state,
            challenge: challenge.as_deref(),
            scopes: &scopes,
        });
        let none = || nothing_kept(Problem::ours("no_page", format!("{} asks nobody", self.platform.name)));
        let address = address.ok_or_else(none)?;
        let base = reach::page_base(&self.system, self.platform);
        let mut page = url::Url::parse(&format!("{base}{}", address.path)).map_err(|error| {
            nothing_kept(Problem::new("no_page", "the platform's page has no address").because(&error))
        })?;
        page.query_pairs_mut().extend_pairs(&address.query);
        Ok(page)
    }

    /// What the browser brought, when it is the answer to what was asked.
    fn judged(
        &self,
        brought: &Brought,
        asked: Option<&Asked>,
    ) -> Result<(SecretString, Option<String>, Option<SecretString>), Problem> {
        let name = &self.system.name;
        if let (Some(state), Some(asked)) = (brought.get("state"), asked)
            && !same(&SecretString::from(asked.state.clone()), state)
        {
            return Err(wrong_state(name));
        }
        // A whole address without what we asked with is somebody else's.
        let is_address = brought.len() > 1;
        if is_address && (asked.is_none() || !brought.contains_key("state")) {
            return Err(wrong_state(name));
        }
        if let Some(error) = brought.get("error") {
            return Err(refused::page(name, error, brought.get("error_description")));
        }
        let Some(code) = brought.get("code").filter(|code| !code.is_empty()) else {
            return Err(not_given("the code", "--code"));
        };
        self.at_home(brought)?;
        let verifier = asked.and_then(|asked| asked.verifier.clone()).map(SecretString::from);
        // A code that a console shows belongs to no address.
        let redirect_uri = asked.map(|asked| asked.redirect_uri.clone()).or_else(|| self.options.redirect_uri.clone());
        Ok((SecretString::from(code.clone()), redirect_uri, verifier))
    }

    /// Platforms with several data centres say where the code counts; the app's secret goes nowhere else.
    fn at_home(&self, brought: &Brought) -> Result<(), Problem> {
        let Some(server) = brought.get("accounts-server") else { return Ok(()) };
        let home = reach::settings(&self.system, self.platform).oauth_base;
        if server.trim_end_matches('/') == home {
            return Ok(());
        }
        let message = format!("the account of `{}` is in another data centre", self.system.name);
        let problem = nothing_kept(Problem::new("wrong_data_centre", message))
            .cause(format!("its tokens were to be bought at {home}"));
        Err(match config::base_address(server, "accounts-server") {
            Ok(server) => {
                problem.hint(format!("when the account is yours: `--token-url {server}`, with the app's secret for it"))
            }
            Err(_) => problem,
        })
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

impl Came {
    /// Takes a secret that is to be kept, or that the project names already.
    fn takes(&mut self, key: &'static str, given: Given) {
        match given.there {
            Some(line) => self.lines.push((key, line)),
            None => {
                self.secrets.push((key, plain(&given.secret)));
                self.lines.push((key, "{kept: true}".to_owned()));
            }
        }
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

fn wrong_state(name: &SystemName) -> Problem {
    nothing_kept(Problem::new("wrong_state", "what came back does not belong to what was asked"))
        .cause("its `state` is another one: somebody else's page, or an older one")
        .hint(format!("run `handover connect {name}` again, and use the address that it shows"))
}

/// A word of YAML.
fn quoted(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | '/'))
        && !matches!(text, "true" | "false" | "null");
    if is_plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
