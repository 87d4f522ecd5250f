//! Access tokens: bought before they are needed, the new refresh token kept before it is used.

use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;

use super::{Driver, Failure, lock};
use crate::dialect::Step;
use crate::{Credentials, Fault, FaultKind, Operation, assertion};

impl Driver {
    /// Whether tokens are bought.
    pub(super) async fn is_oauth(&self) -> bool {
        self.credentials.lock().await.bought().is_some()
    }

    /// Buys an access token when there is none, when it ends within a minute, or when told to.
    pub(super) async fn renew(&self, force: bool) -> Result<(), Failure> {
        let soon = self.clock.now().checked_add(SignedDuration::from_secs(60)).unwrap_or(Timestamp::MAX);
        let needed = match self.credentials.lock().await.bought() {
            None => false,
            Some(None) => true,
            Some(Some((_, ends))) => force || *ends <= soon,
        };
        if !needed {
            return Ok(());
        }
        self.sign().await?;
        let (Step::Token(token), _) = Box::pin(self.step(&Operation::Refresh, None)).await? else {
            return Err(Fault::malformed("the token endpoint's answer").into());
        };
        let mut credentials = self.credentials.lock().await;
        if let (Credentials::Oauth { refresh_token, .. }, Some(new)) = (&mut *credentials, token.refresh) {
            if new.expose_secret() != refresh_token.expose_secret() {
                self.keeper.keep(&new).await.map_err(|why| {
                    Fault::new(
                        FaultKind::Auth,
                        "token_not_kept",
                        format!("the new refresh token could not be kept: {why}"),
                    )
                })?;
            }
            *refresh_token = new;
        }
        let life = SignedDuration::from_secs(token.expires_in);
        let ends = self.clock.now().checked_add(life).unwrap_or(Timestamp::MAX);
        if let Some(bought) = credentials.bought() {
            *bought = Some((token.access, ends));
        }
        if let Some(base) = token.api_base {
            *lock(&self.api_base) = base.trim_end_matches('/').to_owned();
        }
        Ok(())
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
