//! The ways in, one function for each: what each needs, and what it gives.

use std::sync::Arc;
use std::time::Duration;

use handover_connect::{Agreement, Credentials, Driver, Fault, HttpTransport, NoKeeper, SystemClock, Token, Way};
use secrecy::ExposeSecret as _;

use super::asking::{ask, not_given};
use super::code::Code;
use super::entry::Entrance;
use super::given::{Given, quoted};
use super::{Came, nothing_kept, refused};
use crate::cli::{Output, reach};
use crate::config::CredentialSource;
use crate::problem::Problem;

/// What a way in gave; `None` when a person has to go on later.
type Come = Result<Option<Came>, Problem>;

impl Entrance<'_> {
    /// A token that somebody made by hand.
    pub(super) fn by_token(&self) -> Come {
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
        let Some(Code { code, redirect_uri, verifier }) = self.code(&client_id, output).await? else { return Ok(None) };
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
    pub(super) async fn by_app(&self) -> Come {
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
    pub(super) async fn by_signature(&self) -> Come {
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

    fn refused(&self, way: Way, fault: &Fault) -> Problem {
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
}
