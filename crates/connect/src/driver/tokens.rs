//! Access tokens: bought before they are needed, one buyer at a time, the new refresh token kept before it is used.

use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;

use super::{Driver, Failure, lock};
use crate::dialect::Step;
use crate::{Credentials, DeviceCode, Fault, FaultKind, Operation, Token, assertion};

impl Driver {
    /// Buys a token now, whatever there is: the proof that the credentials are good.
    ///
    /// # Errors
    /// The platform's refusal, of kind [`FaultKind::Auth`] where it is about the credentials.
    pub async fn let_in(&self) -> Result<Token, Fault> {
        let _one = self.buying.lock().await;
        self.buy().await.map_err(|failure| failure.fault)
    }

    /// Asks for a code with which a person lets the app in from another device.
    ///
    /// # Errors
    /// The platform's refusal; of kind [`FaultKind::Unsupported`] where it has no such codes.
    pub async fn device(&self, client_id: &str) -> Result<DeviceCode, Fault> {
        let operation = Operation::Device { client_id: client_id.to_owned() };
        match Box::pin(self.step(&operation, None)).await.map_err(|failure| failure.fault)?.0 {
            Step::Device(code) => Ok(code),
            _ => Err(Fault::malformed("the answer about a device's code")),
        }
    }

    /// Whether tokens are bought.
    pub(super) async fn is_oauth(&self) -> bool {
        self.credentials.lock().await.bought().is_some()
    }

    /// How many tokens were bought until now.
    pub(super) fn bought(&self) -> u64 {
        self.bought.load(Ordering::SeqCst)
    }

    /// Buys an access token when there is none, when it ends within a minute, or when the one that was bought as the
    /// `refused`th is still the newest.
    pub(super) async fn renew(&self, refused: Option<u64>) -> Result<(), Failure> {
        if !self.needs_token(refused).await {
            return Ok(());
        }
        let _one = self.buying.lock().await;
        // Somebody else may have bought it meanwhile.
        if self.needs_token(refused).await {
            self.buy().await?;
        }
        Ok(())
    }

    async fn needs_token(&self, refused: Option<u64>) -> bool {
        let soon = self.clock.now().checked_add(SignedDuration::from_secs(60)).unwrap_or(Timestamp::MAX);
        match self.credentials.lock().await.bought() {
            None => false,
            Some(None) => true,
            Some(Some((_, ends))) => refused == Some(self.bought()) || *ends <= soon,
        }
    }

    async fn buy(&self) -> Result<Token, Failure> {
        let not_kept = |why: String| Fault::new(FaultKind::Auth, "token_not_kept", why);
        let exchanges = matches!(&*self.credentials.lock().await, Credentials::Oauth { .. });
        let mut exchange = if exchanges {
            Some(self.keeper.begin().await.map_err(|why| not_kept(format!("no token was bought: {why}")))?)
        } else {
            None
        };
        if let (Credentials::Oauth { refresh_token, .. }, Some(newest)) =
            (&mut *self.credentials.lock().await, exchange.as_ref().and_then(|exchange| exchange.newest()))
        {
            *refresh_token = newest;
        }
        self.sign().await?;
        let (Step::Token(token), _) = Box::pin(self.step(&Operation::Refresh, None)).await? else {
            return Err(Fault::malformed("the token endpoint's answer").into());
        };
        let mut credentials = self.credentials.lock().await;
        if let (Credentials::Oauth { refresh_token, .. }, Some(new), Some(exchange)) =
            (&mut *credentials, &token.refresh, &mut exchange)
        {
            if new.expose_secret() != refresh_token.expose_secret() {
                exchange
                    .keep(new)
                    .map_err(|why| not_kept(format!("the new refresh token could not be kept: {why}")))?;
            }
            *refresh_token = new.clone();
        }
        let life = SignedDuration::from_secs(token.expires_in);
        let ends = self.clock.now().checked_add(life).unwrap_or(Timestamp::MAX);
        if let Some(bought) = credentials.bought() {
            *bought = Some((token.access.clone(), ends));
        }
        if let Some(base) = &token.api_base {
            base.trim_end_matches('/').clone_into(&mut lock(&self.api_base));
        }
        self.bought.fetch_add(1, Ordering::SeqCst);
        Ok(token)
    }

    /// Signs for a user, for those who buy a token that way: what was signed holds for minutes only.
    async fn sign(&self) -> Result<(), Fault> {
        if let Credentials::Signed { client_id, user, key, assertion, .. } = &mut *self.credentials.lock().await {
            let now = self.clock.now();
            *assertion = Some(assertion::sign(key, client_id, user, &self.settings.oauth_base, now)?);
        }
        Ok(())
    }
}
