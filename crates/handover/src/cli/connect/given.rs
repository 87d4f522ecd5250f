//! What a way in needs of a person: given by options, named by the project, kept before, or typed.

use secrecy::SecretString;

use super::asking::{Source, ask, ask_secret, not_given};
use super::entry::Entrance;
use super::{Came, nothing_kept, plain};
use crate::config::{CredentialSource, Secret, SecretFrom};
use crate::kept::process;
use crate::problem::Problem;

/// A secret that was found.
pub(super) struct Given {
    pub(super) secret: SecretString,
    /// Where the project says that it is; none when it is to be kept.
    pub(super) there: Option<String>,
}

impl Entrance<'_> {
    pub(super) fn client_id(&self) -> Result<String, Problem> {
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
    pub(super) fn client_secret(&self, may_lack: bool) -> Result<Option<Given>, Problem> {
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
    pub(super) fn secret(
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
}

impl Came {
    /// Takes a secret that is to be kept, or that the project names already.
    pub(super) fn takes(&mut self, key: &'static str, given: Given) {
        match given.there {
            Some(line) => self.lines.push((key, line)),
            None => {
                self.secrets.push((key, plain(&given.secret)));
                self.lines.push((key, "{kept: true}".to_owned()));
            }
        }
    }
}

/// A word of YAML.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | '/'))
        && !matches!(text, "true" | "false" | "null");
    if is_plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
