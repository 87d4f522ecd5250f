//! How people let an app in: the ways that a platform has, and what proves that the one who asked is the one who comes back.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

/// A way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A token or key that somebody made by hand.
    Token,
    /// A person agrees in a browser, which brings a code back.
    Code,
    /// A person agrees in a browser of another device, with a short code that is shown to them.
    Device,
    /// The app acts for itself, with its secret.
    App,
    /// The app signs for a user, with a private key.
    Signed,
}

impl Way {
    /// The word for it on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Code => "code",
            Self::Device => "device",
            Self::App => "app",
            Self::Signed => "signed",
        }
    }
}

/// What becomes of a refresh token when it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// It stays as it is.
    Stays,
    /// A new one comes, and the old one stays good.
    Adds,
    /// A new one may come, and then the old one is dead: it is not known beforehand.
    MayChange,
    /// It works once: whoever cannot keep the new one must not use it.
    Once,
}

/// How people let an app in at a platform.
#[derive(Debug)]
pub struct Door {
    /// The ways, the simplest first.
    pub ways: &'static [Way],
    /// Whether an app without a secret is let in by code or device.
    pub public: bool,
    /// Whether the code is bound to whoever asked for it (PKCE, RFC 7636).
    pub proof: bool,
    /// What becomes of refresh tokens.
    pub renewal: Renewal,
    /// Where a person agrees that the app is let in, on the platform's host for that; `None` where nobody is asked so.
    pub page: Option<fn(&Ask<'_>) -> Address>,
    /// Whether what was granted covers a scope: some names include others.
    pub covers: fn(&[String], &str) -> bool,
    /// Where else an app, a code or an account may be known that nobody knows here: a hint for people.
    pub elsewhere: Option<&'static str>,
}

impl Door {
    /// A token that somebody made by hand, and nothing else.
    pub const TOKEN: Self = Self {
        ways: &[Way::Token],
        public: false,
        proof: false,
        renewal: Renewal::Stays,
        page: None,
        covers: listed,
        elsewhere: None,
    };
}

/// Whether a scope is among those that were granted, where no name includes another.
pub fn listed(granted: &[String], scope: &str) -> bool {
    granted.iter().any(|have| have.eq_ignore_ascii_case(scope))
}

/// What a person is asked to agree to.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The app's id.
    pub client_id: &'a str,
    /// Where the browser is sent afterwards.
    pub redirect_uri: &'a str,
    /// What the browser must bring back.
    pub state: &'a str,
    /// What the code is bound to, where the platform has that.
    pub challenge: Option<&'a str>,
    /// What the app wants to do, in the platform's own names.
    pub scopes: &'a [String],
}

/// A page of the platform's host for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The path, beginning with `/`.
    pub path: &'static str,
    /// The query, not encoded.
    pub query: Vec<(&'static str, String)>,
}

/// A code for a person on another device (RFC 8628, section 3.2).
#[derive(Clone, Debug)]
pub struct DeviceCode {
    /// What is exchanged once the person agreed.
    pub code: SecretString,
    /// What the person types.
    pub shown: String,
    /// Where the person types it.
    pub address: String,
    /// How long it lives, in seconds.
    pub expires_in: u64,
    /// How long to wait between two questions, in seconds.
    pub interval: u64,
}

/// What proves that a code comes back to whoever asked for it.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The state: what the browser must bring back.
    pub state: SecretString,
    /// The verifier: what goes with the code when it is exchanged.
    pub verifier: SecretString,
}

impl Proof {
    /// A proof that nobody can guess: 32 random bytes each.
    ///
    /// # Errors
    /// In words, when the system has no randomness.
    pub fn fresh() -> Result<Self, &'static str> {
        let drawn = || -> Result<SecretString, &'static str> {
            let mut bytes = [0; 32];
            SystemRandom::new().fill(&mut bytes).map_err(|_| "the system gives no random numbers")?;
            Ok(SecretString::from(URL_SAFE_NO_PAD.encode(bytes)))
        };
        Ok(Self { state: drawn()?, verifier: drawn()? })
    }

    /// What the code is bound to: the verifier's SHA-256 (RFC 7636, section 4.2, method `S256`).
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, self.verifier.expose_secret().as_bytes()))
    }
}

/// Whether a text is the secret, in a time that does not tell how much of it is right.
pub fn same(secret: &SecretString, text: &str) -> bool {
    secret.expose_secret().as_bytes().ct_eq(text.as_bytes()).into()
}
