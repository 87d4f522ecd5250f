//! Where a system's secrets are. They are read when the system is opened, never kept in the project.

use std::path::{Path, PathBuf};

use handover_connect::Credentials;
use handover_model::{Place, SystemName};
use secrecy::SecretString;

use super::node::{Kind, Node};
use super::reader::{Entries, File, Reading};
use super::sources::SECRET_KEYS;
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
        /// The app's secret.
        client_secret: Secret,
        /// The refresh token. Platforms that change it at every use: the state keeps the newer one.
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
                client_secret: client_secret.resolve(system, environment)?,
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
                    .map_err(|cause| missing(system, &cause))?,
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
        let (text, source) = self.text(environment).map_err(|cause| missing(system, &cause))?;
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
        self.text(&|name| std::env::var(name).ok()).map(|(text, _)| SecretString::from(text))
    }

    /// The secret, and where it was found.
    fn text(&self, environment: &dyn Fn(&str) -> Option<String>) -> Result<(String, String), String> {
        let (text, source) = match &self.from {
            From::Env(name) => match environment(name) {
                Some(text) => (text, format!("the environment variable `{name}`")),
                None => return Err(format!("the environment variable `{name}` is not set")),
            },
            From::File(path) => match std::fs::read_to_string(path) {
                Ok(text) => (text, path.display().to_string()),
                Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
            },
        };
        let text = text.trim();
        if text.is_empty() {
            return Err(format!("{source} is empty"));
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
    root: &Path,
) -> (CredentialSource, Option<String>) {
    let token = entries.entry("token");
    let oauth = entries.entry("oauth");
    if let (Some(_), Some(oauth)) = (token, oauth) {
        reading.complain(file, oauth.key_mark, "two_credentials", "a system has either `token` or `oauth`, not both");
    }
    if let Some(oauth) = oauth {
        let (source, base) = read_oauth(reading, file, &oauth.value, root);
        return (source.unwrap_or(CredentialSource::None), base);
    }
    let secret = token.and_then(|token| secret(reading, file, &token.value, "token", root));
    (secret.map_or(CredentialSource::None, CredentialSource::Token), None)
}

fn read_oauth(
    reading: &mut Reading,
    file: &File,
    node: &Node,
    root: &Path,
) -> (Option<CredentialSource>, Option<String>) {
    let Some(mut entries) = reading.open(file, node, "oauth") else { return (None, None) };
    let client_id = entries.need("client_id", reading).and_then(|node| reading.text(file, node, "client_id"));
    let user = entries.take("user");
    let [client_secret, refresh_token, private_key] =
        ["client_secret", "refresh_token", "private_key"].map(|name| (name, entries.take(name)));
    let base = entries.take("token_url").and_then(|node| super::system::address(reading, file, node, "token_url"));
    entries.finish(reading);
    let secret_of = |reading: &mut Reading, (name, node): (&str, Option<&Node>)| {
        node.and_then(|node| secret(reading, file, node, name, root))
    };
    let ways = (client_secret.1.is_some(), refresh_token.1.is_some(), user, private_key.1.is_some());
    let source = match ways {
        (true, true, None, false) => {
            let secrets = (secret_of(reading, client_secret), secret_of(reading, refresh_token));
            client_id.zip(secrets.0).zip(secrets.1).map(|((client_id, client_secret), refresh_token)| {
                CredentialSource::Oauth { client_id, client_secret, refresh_token }
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
            let message = "`oauth` needs `client_secret` with `refresh_token`, `client_secret` alone where the app acts \
                           for itself, or `user` with `private_key`";
            reading.complain(file, node.mark, "missing_key", message);
            None
        }
    };
    (source, base)
}

/// Reads where a secret is.
pub(super) fn secret(reading: &mut Reading, file: &File, node: &Node, what: &str, root: &Path) -> Option<Secret> {
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
            entries.finish(reading);
            match (env, path) {
                (Some(env), None) => {
                    let name = reading.text(file, env, "env")?;
                    Some(Secret { from: From::Env(name), place })
                }
                (None, Some(path)) => {
                    let path = reading.text(file, path, "file")?;
                    Some(Secret { from: From::File(root.join(path)), place })
                }
                _ => {
                    let message = format!("`{what}` wants either `env: NAME` or `file: PATH`");
                    reading.complain(file, node.mark, "wrong_value", message);
                    None
                }
            }
        }
    }
}
