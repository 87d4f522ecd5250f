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
        /// The app's secret; none of an app that can keep none, where the platform lets such in.
        client_secret: Option<SecretString>,
        /// What new access tokens are bought with; some platforms change it at every use.
        refresh_token: SecretString,
        /// The access token and when it ends, once there is one.
        access: Option<(SecretString, Timestamp)>,
    },
    /// OAuth that a person has just agreed to: what came of it buys the first tokens, once.
    Agreed {
        /// The app's id.
        client_id: String,
        /// The app's secret; none of an app that can keep none.
        client_secret: Option<SecretString>,
        /// What came of it.
        agreement: Agreement,
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
            Self::Oauth { access, .. }
            | Self::Agreed { access, .. }
            | Self::App { access, .. }
            | Self::Signed { access, .. } => access.as_ref().map(|(token, _)| token),
        }
    }

    /// Where the access token stands, for those that buy one.
    pub(crate) fn bought(&mut self) -> Option<&mut Option<(SecretString, Timestamp)>> {
        match self {
            Self::None | Self::Token(_) => None,
            Self::Oauth { access, .. }
            | Self::Agreed { access, .. }
            | Self::App { access, .. }
            | Self::Signed { access, .. } => Some(access),
        }
    }
}

/// What a person's agreement gave.
#[derive(Clone, Debug)]
pub enum Agreement {
    /// A code (RFC 6749, section 4.1), which the browser brought or the platform showed.
    Code {
        /// The code.
        code: SecretString,
        /// Where the browser was sent with it; none of a code that was shown.
        redirect_uri: Option<String>,
        /// What proves that whoever asked for it exchanges it (RFC 7636).
        verifier: Option<SecretString>,
    },
    /// A device's code (RFC 8628): the person agrees elsewhere, until then it is refused.
    Device(SecretString),
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
    /// What was granted, in the platform's own names, when it tells.
    pub scopes: Option<Vec<String>>,
}

/// Where the newest refresh token is kept, for platforms that change it when it is used.
#[async_trait]
pub trait Keeper: Send + Sync {
    /// Begins to exchange the refresh token: nobody else does until what this gives is dropped.
    ///
    /// # Errors
    /// In words, when a new token could not be kept: then the old one must not be used up.
    async fn begin(&self) -> Result<Box<dyn Exchange>, String>;
}

/// A refresh token that is being exchanged.
pub trait Exchange: Send {
    /// The newest token, where somebody exchanged the one that this process knows.
    fn newest(&self) -> Option<SecretString>;

    /// Keeps the new token durably, before the access token is used: on some platforms the old one is dead by now.
    ///
    /// # Errors
    /// In words. It stops the operation, since the token would be lost.
    fn keep(&mut self, refresh_token: &SecretString) -> Result<(), String>;
}

/// Keeps nothing: for static tokens and tests.
pub struct NoKeeper;

#[async_trait]
impl Keeper for NoKeeper {
    async fn begin(&self) -> Result<Box<dyn Exchange>, String> {
        Ok(Box::new(Self))
    }
}

impl Exchange for NoKeeper {
    fn newest(&self) -> Option<SecretString> {
        None
    }

    fn keep(&mut self, _: &SecretString) -> Result<(), String> {
        Ok(())
    }
}
