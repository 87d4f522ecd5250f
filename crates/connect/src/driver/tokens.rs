//! Access tokens: bought before they are needed, the new refresh token kept before it is used.

use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;

use super::{Driver, Failure, lock};
use crate::dialect::Step;
use crate::{Credentials, Fault, FaultKind, Operation};

impl Driver {
    pub(super) async fn is_oauth(&self) -> bool {
        matches!(&*self.credentials.lock().await, Credentials::Oauth { .. })
    }

    /// Buys an access token when there is none, when it ends within a minute, or when told to.
    pub(super) async fn renew(&self, force: bool) -> Result<(), Failure> {
        let needed = match &*self.credentials.lock().await {
            Credentials::Oauth { access: None, .. } => true,
            Credentials::Oauth { access: Some((_, ends)), .. } => {
                force || *ends <= self.clock.now().checked_add(SignedDuration::from_secs(60)).unwrap_or(Timestamp::MAX)
            }
            Credentials::None | Credentials::Token(_) => false,
        };
        if !needed {
            return Ok(());
        }
        let (Step::Token(token), _) = Box::pin(self.step(&Operation::Refresh, None)).await? else {
            return Err(Fault::malformed("the token endpoint's answer").into());
        };
        let mut credentials = self.credentials.lock().await;
        if let Credentials::Oauth { refresh_token, access, .. } = &mut *credentials {
            if let Some(new) = token.refresh {
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
            let ends =
                self.clock.now().checked_add(SignedDuration::from_secs(token.expires_in)).unwrap_or(Timestamp::MAX);
            *access = Some((token.access, ends));
        }
        if let Some(base) = token.api_base {
            *lock(&self.api_base) = base.trim_end_matches('/').to_owned();
        }
        Ok(())
    }
}
