//! Where a system's secrets are. They are read when the system is opened, never kept in the project.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use handover_connect::Credentials;
use handover_model::{Place, SystemName};
use secrecy::{ExposeSecret as _, SecretString};

use super::node::{Kind, Mark, Node};
use super::reader::{Entries, File, Reading};
use super::sources::SECRET_KEYS;
use crate::kept::{Environment, Failure, Key, Vault};
use crate::problem::Problem;

/// How a system lets us in, by where its secrets are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialSource {
    /// It needs none: files, a sandbox in a folder.
    None,
    /// A token.
    Token(Secret),
    /// An OAuth app that was authorised once.
    Oauth {
        /// The app's id.
        client_id: String,
        /// The app's secret; none of an app that can keep none.
        client_secret: Option<Secret>,
        /// The refresh token. Where platforms change it when it is used, the newer one is kept by us.
        refresh_token: Secret,
    },
    /// An OAuth app that acts for itself.
    App {
        /// The app's id.
        client_id: String,
        /// The app's secret.
        client_secret: Secret,
    },
    /// An OAuth app that signs for a user.
    Signed {
        /// The app's id.
        client_id: String,
        /// The user.
        user: String,
        /// The app's private key, in PEM.
        private_key: Secret,
    },
}

/// Where one secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// The place of the secret.
    pub from: From,
    /// Where the project names it.
    pub place: Place,
}

/// The place of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// An environment variable.
    Env(String),
    /// A file; the secret is its text without the line end.
    File(PathBuf),
    /// Kept by us, encrypted: `handover connect` put it there.
    Kept {
        /// Where.
        vault: Arc<Vault>,
        /// For which system.
        system: SystemName,
        /// Its key in the project file.
        name: String,
    },
}

/// Where secrets may be that a part of the project file names.
#[derive(Clone, Copy)]
pub(super) struct Shelf<'s> {
    /// What paths are relative to.
    pub(super) root: &'s Path,
    /// Where kept ones are; none for what nobody keeps.
    pub(super) kept: Option<(&'s Vault, &'s SystemName)>,
}

impl<'s> Shelf<'s> {
    /// For secrets that are not kept by us.
    pub(super) fn plain(root: &'s Path) -> Self {
        Self { root, kept: None }
    }
}

/// Why there is no secret.
enum Missing {
    Cause(String),
    Kept(Failure),
}

impl Missing {
    fn problem(&self, system: &SystemName) -> Problem {
        match self {
            Self::Cause(cause) => missing(system, cause),
            Self::Kept(failure) => failure.problem(system),
        }
    }

    fn words(self) -> String {
        match self {
            Self::Cause(cause) => cause,
            Self::Kept(failure) => failure.to_string(),
        }
    }
}

impl CredentialSource {
    /// Reads the secrets, environment variables from the process.
    ///
    /// # Errors
    /// When a variable is not set or a file cannot be read or is empty. The secret is never part of it.
    pub fn resolve(&self, system: &SystemName) -> Result<Credentials, Problem> {
        self.resolve_with(system, &|name| std::env::var(name).ok())
    }

    /// Reads the secrets, environment variables from `environment`.
    ///
    /// # Errors
    /// When a variable is not set or a file cannot be read or is empty. The secret is never part of it.
    pub fn resolve_with(
        &self,
        system: &SystemName,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Credentials, Problem> {
        match self {
            Self::None => Ok(Credentials::None),
            Self::Token(token) => Ok(Credentials::Token(token.resolve(system, environment)?)),
            Self::Oauth { client_id, client_secret, refresh_token } => Ok(Credentials::Oauth {
                client_id: client_id.clone(),
                client_secret: client_secret.as_ref().map(|secret| secret.resolve(system, environment)).transpose()?,
                refresh_token: refresh_token.resolve(system, environment)?,
                access: None,
            }),
            Self::App { client_id, client_secret } => Ok(Credentials::App {
                client_id: client_id.clone(),
                client_secret: client_secret.resolve(system, environment)?,
                access: None,
            }),
            Self::Signed { client_id, user, private_key } => Ok(Credentials::Signed {
                client_id: client_id.clone(),
                user: user.clone(),
                // A key has lines.
                key: private_key
                    .text(environment)
                    .map(|(text, _)| SecretString::from(text))
                    .map_err(|missing| missing.problem(system))?,
                assertion: None,
                access: None,
            }),
        }
    }
}

impl Secret {
    /// Reads the secret, environment variables from `environment`.
    ///
    /// # Errors
    /// When a variable is not set or a file cannot be read or is empty. The secret is never part of it.
    pub fn resolve(
        &self,
        system: &SystemName,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<SecretString, Problem> {
        let (text, source) = self.text(environment).map_err(|missing| missing.problem(system))?;
        // A header cannot carry them, and a file with several lines is surely not a token.
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(missing(system, &format!("{source} holds blanks or line breaks, which no token has")));
        }
        Ok(SecretString::from(text))
    }

    /// Reads the secret, environment variables from the process.
    ///
    /// # Errors
    /// In words, when a variable is not set or a file cannot be read or is empty. The secret is never part of it.
    pub fn read(&self) -> Result<SecretString, String> {
        self.words(&|name| std::env::var(name).ok())
    }

    /// Reads the secret, whatever it looks like, environment variables from `environment`.
    pub(crate) fn words(&self, environment: Environment<'_>) -> Result<SecretString, String> {
        self.text(environment).map(|(text, _)| SecretString::from(text)).map_err(Missing::words)
    }

    /// The secret, and where it was found.
    fn text(&self, environment: Environment<'_>) -> Result<(String, String), Missing> {
        let (text, source) = match &self.from {
            From::Env(name) => match environment(name) {
                Some(text) => (text, format!("the environment variable `{name}`")),
                None => return Err(Missing::Cause(format!("the environment variable `{name}` is not set"))),
            },
            From::File(path) => match std::fs::read_to_string(path) {
                Ok(text) => (text, path.display().to_string()),
                Err(error) => return Err(Missing::Cause(format!("cannot read {}: {error}", path.display()))),
            },
            From::Kept { vault, system, name } => {
                let secret = vault.secret(system, name, environment).map_err(Missing::Kept)?;
                (secret.expose_secret().to_owned(), format!("what is kept of `{system}`"))
            }
        };
        let text = text.trim();
        if text.is_empty() {
            return Err(Missing::Cause(format!("{source} is empty")));
        }
        Ok((text.to_owned(), source))
    }
}

fn missing(system: &SystemName, cause: &str) -> Problem {
    Problem::new("no_credentials", format!("there are no credentials for the system `{system}`"))
        .cause(cause)
        .state("nothing was sent")
}

/// Reads `token:` or `oauth:` of a system; also the token endpoint's address.
pub(super) fn read(
    reading: &mut Reading,
    file: &File,
    entries: &mut Entries<'_>,
    shelf: Shelf<'_>,
) -> (CredentialSource, Option<String>) {
    let token = entries.entry("token");
    let oauth = entries.entry("oauth");
    if let (Some(_), Some(oauth)) = (token, oauth) {
        reading.complain(file, oauth.key_mark, "two_credentials", "a system has either `token` or `oauth`, not both");
    }
    if let Some(oauth) = oauth {
        let (source, base) = read_oauth(reading, file, &oauth.value, shelf);
        return (source.unwrap_or(CredentialSource::None), base);
    }
    let secret = token.and_then(|token| secret(reading, file, &token.value, "token", shelf));
    (secret.map_or(CredentialSource::None, CredentialSource::Token), None)
}

fn read_oauth(
    reading: &mut Reading,
    file: &File,
    node: &Node,
    shelf: Shelf<'_>,
) -> (Option<CredentialSource>, Option<String>) {
    let Some(mut entries) = reading.open(file, node, "oauth") else { return (None, None) };
    let client_id = entries.need("client_id", reading).and_then(|node| reading.text(file, node, "client_id"));
    let user = entries.take("user");
    let [client_secret, refresh_token, private_key] =
        ["client_secret", "refresh_token", "private_key"].map(|name| (name, entries.take(name)));
    let base = entries.take("token_url").and_then(|node| super::system::address(reading, file, node, "token_url"));
    entries.finish(reading);
    let secret_of = |reading: &mut Reading, (name, node): (&str, Option<&Node>)| {
        node.and_then(|node| secret(reading, file, node, name, shelf))
    };
    let ways = (client_secret.1.is_some(), refresh_token.1.is_some(), user, private_key.1.is_some());
    let source = match ways {
        (has_secret, true, None, false) => {
            let secrets = (secret_of(reading, client_secret), secret_of(reading, refresh_token));
            let whole = secrets.0.is_some() == has_secret;
            client_id.zip(secrets.1).filter(|_| whole).map(|(client_id, refresh_token)| CredentialSource::Oauth {
                client_id,
                client_secret: secrets.0,
                refresh_token,
            })
        }
        (true, false, None, false) => {
            let secret = secret_of(reading, client_secret);
            client_id.zip(secret).map(|(client_id, client_secret)| CredentialSource::App { client_id, client_secret })
        }
        (false, false, Some(user), true) => {
            let user = reading.text(file, user, "user");
            let key = secret_of(reading, private_key);
            client_id.zip(user).zip(key).map(|((client_id, user), private_key)| CredentialSource::Signed {
                client_id,
                user,
                private_key,
            })
        }
        _ => {
            let message = "`oauth` needs `refresh_token` (with `client_secret`, unless the app has none), `client_secret` \
                           alone where the app acts for itself, or `user` with `private_key`";
            reading.complain(file, node.mark, "missing_key", message);
            None
        }
    };
    (source, base)
}

/// Reads under which key secrets are kept.
pub(super) fn key(reading: &mut Reading, file: &File, node: &Node, root: &Path) -> Option<Key> {
    let mut entries = reading.open(file, node, "secrets")?;
    let (passphrase, identity) = (entries.take("passphrase"), entries.take("identity"));
    entries.finish(reading);
    let shelf = Shelf::plain(root);
    match (passphrase, identity) {
        (Some(node), None) => secret(reading, file, node, "passphrase", shelf).map(Key::Passphrase),
        (None, Some(node)) => secret(reading, file, node, "identity", shelf).map(Key::Identity),
        _ => {
            reading.complain(file, node.mark, "wrong_value", "`secrets` wants either `passphrase` or `identity`");
            None
        }
    }
}

/// Reads where a secret is.
pub(super) fn secret(reading: &mut Reading, file: &File, node: &Node, what: &str, shelf: Shelf<'_>) -> Option<Secret> {
    debug_assert!(SECRET_KEYS.contains(&what), "a secret's key must be masked");
    let place = file.place(node.mark);
    match &node.kind {
        Kind::Scalar { .. } => {
            let problem = reading
                .problem(file, node.mark, "literal_secret", format!("`{what}` is written into the project file"))
                .hint(format!(
                    "name an environment variable, `{what}: {{env: NAME}}`, or a file, `{what}: {{file: PATH}}`"
                ))
                .hint("a secret that stood in a file may have been copied: consider replacing it at the platform");
            reading.problems.push(problem);
            None
        }
        _ => {
            let mut entries = reading.open(file, node, what)?;
            let env = entries.take("env");
            let path = entries.take("file");
            let kept = entries.take("kept");
            entries.finish(reading);
            match (env, path, kept) {
                (Some(env), None, None) => {
                    let name = reading.text(file, env, "env")?;
                    Some(Secret { from: From::Env(name), place })
                }
                (None, Some(path), None) => {
                    let path = reading.text(file, path, "file")?;
                    Some(Secret { from: From::File(shelf.root.join(path)), place })
                }
                (None, None, Some(kept)) => {
                    let from = from_kept(reading, file, kept, what, node.mark, shelf)?;
                    Some(Secret { from, place })
                }
                _ => {
                    let or_kept = if shelf.kept.is_some() { " or `kept: true`" } else { "" };
                    let message = format!("`{what}` wants either `env: NAME` or `file: PATH`{or_kept}");
                    reading.complain(file, node.mark, "wrong_value", message);
                    None
                }
            }
        }
    }
}

fn from_kept(
    reading: &mut Reading,
    file: &File,
    kept: &Node,
    what: &str,
    mark: Mark,
    shelf: Shelf<'_>,
) -> Option<From> {
    let Some((vault, system)) = shelf.kept else {
        reading.complain(file, mark, "wrong_value", format!("`{what}` is not kept: name `env: NAME` or `file: PATH`"));
        return None;
    };
    if !reading.flag(file, kept, "kept")? {
        reading.complain(file, kept.mark, "wrong_value", "`kept` is `true` or is not there");
        return None;
    }
    Some(From::Kept { vault: Arc::new(vault.clone()), system: system.clone(), name: what.to_owned() })
}
