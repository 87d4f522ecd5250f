//! Credentials, kept out of every log.

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;

/// How a system lets us in.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// No credentials (files, a stub).
    None,
    /// A token that does not expire by itself.
    Token(SecretString),
    /// OAuth: an access token that is renewed by a refresh token.
    Oauth {
        /// The app's id.
        client_id: String,
        /// The app's secret.
        client_secret: SecretString,
        /// What new access tokens are bought with; some platforms change it at every use.
        refresh_token: SecretString,
        /// The access token and when it ends, once there is one.
        access: Option<(SecretString, Timestamp)>,
    },
    /// OAuth for the app itself (RFC 6749, section 4.4): an access token is bought with the app's secret alone.
    App {
        /// The app's id.
        client_id: String,
        /// The app's secret.
        client_secret: SecretString,
        /// The access token and when it ends, once there is one.
        access: Option<(SecretString, Timestamp)>,
    },
    /// OAuth for a user on whose behalf the app signs (RFC 7523, section 2.1).
    Signed {
        /// The app's id: the issuer.
        client_id: String,
        /// The user: the subject.
        user: String,
        /// The app's private key: RSA in PEM.
        key: SecretString,
        /// What was signed for the token that is being bought.
        assertion: Option<SecretString>,
        /// The access token and when it ends, once there is one.
        access: Option<(SecretString, Timestamp)>,
    },
}

impl Credentials {
    /// The token that goes with requests, as far as there is one.
    pub fn access(&self) -> Option<&SecretString> {
        match self {
            Self::None => None,
            Self::Token(token) => Some(token),
            Self::Oauth { access, .. } | Self::App { access, .. } | Self::Signed { access, .. } => {
                access.as_ref().map(|(token, _)| token)
            }
        }
    }

    /// Where the access token stands, for those that buy one.
    pub(crate) fn bought(&mut self) -> Option<&mut Option<(SecretString, Timestamp)>> {
        match self {
            Self::None | Self::Token(_) => None,
            Self::Oauth { access, .. } | Self::App { access, .. } | Self::Signed { access, .. } => Some(access),
        }
    }
}

/// The answer of a token endpoint.
#[derive(Clone, Debug)]
pub struct Token {
    /// The access token.
    pub access: SecretString,
    /// Its life in seconds.
    pub expires_in: i64,
    /// A new refresh token, when the platform sent one.
    pub refresh: Option<SecretString>,
    /// The API's base address, when the platform tells it with the token.
    pub api_base: Option<String>,
}

/// Keeps a new refresh token durably before the access token is used: on some platforms the old one is
/// dead from then on.
#[async_trait]
pub trait Keeper: Send + Sync {
    /// Keeps `refresh_token`. An error stops the operation, since the token would be lost.
    async fn keep(&self, refresh_token: &SecretString) -> Result<(), String>;
}

/// Keeps nothing: for static tokens and tests.
pub struct NoKeeper;

#[async_trait]
impl Keeper for NoKeeper {
    async fn keep(&self, _: &SecretString) -> Result<(), String> {
        Ok(())
    }
}
