//! Refresh tokens that platforms change when they are used: the newest one is kept, and one process exchanges it at a time.

use std::fs::File;

use async_trait::async_trait;
use handover_connect::{Exchange, Keeper, Renewal};
use handover_model::SystemName;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Entry, Failure, Renewed, USUAL_KEY, Vault, process};

/// Where the project says that the refresh token is.
#[derive(Clone)]
pub(crate) enum Original {
    /// Kept by us.
    Kept,
    /// Elsewhere: this one.
    Elsewhere(SecretString),
}

/// Keeps the newest refresh token of a system.
#[derive(Clone)]
pub(crate) struct Renewer {
    pub(crate) vault: Vault,
    pub(crate) system: SystemName,
    pub(crate) original: Original,
    pub(crate) renewal: Renewal,
}

/// A token that is being exchanged.
struct Turn {
    renewer: Renewer,
    newest: Option<SecretString>,
    /// Held until the exchange is over; none without a key.
    lock: Option<File>,
}

impl Original {
    fn newest(&self, entry: Entry) -> Option<SecretString> {
        match (self, entry.renewed) {
            (Self::Kept, _) => entry.secrets.get("refresh_token").cloned().map(SecretString::from),
            (Self::Elsewhere(original), Some(renewed)) if renewed.from == original.expose_secret() => {
                Some(SecretString::from(renewed.to))
            }
            (Self::Elsewhere(_), _) => None,
        }
    }
}

impl Renewer {
    fn begin(self) -> Result<Turn, String> {
        if self.renewal == Renewal::Stays {
            return Ok(Turn { renewer: self, newest: None, lock: None });
        }
        match self.vault.opened(&process) {
            Err(Failure::NoKey(why)) if self.renewal != Renewal::Once => {
                tracing::debug!(system = %self.system, why, "a new refresh token could not be kept");
                return Ok(Turn { renewer: self, newest: None, lock: None });
            }
            Err(failure @ Failure::NoKey(_)) => {
                return Err(format!("`{}` changes its refresh token each time, and {failure}", self.system));
            }
            Err(failure) => return Err(failure.to_string()),
            Ok(_) => {}
        }
        let lock = self.vault.lock(&self.system).map_err(|failure| failure.to_string())?;
        let entry = self.vault.read(&self.system, &process).map_err(|failure| failure.to_string())?;
        let newest = self.original.newest(entry);
        Ok(Turn { renewer: self, newest, lock: Some(lock) })
    }
}

#[async_trait]
impl Keeper for Renewer {
    async fn begin(&self) -> Result<Box<dyn Exchange>, String> {
        let renewer = self.clone();
        // Waiting for another process, and the work of a passphrase.
        let begun = tokio::task::spawn_blocking(move || renewer.begin()).await;
        let turn = begun.map_err(|error| format!("the kept secrets could not be opened: {error}"))??;
        Ok(Box::new(turn))
    }
}

impl Exchange for Turn {
    fn newest(&self) -> Option<SecretString> {
        self.newest.clone()
    }

    fn keep(&mut self, refresh_token: &SecretString) -> Result<(), String> {
        let Renewer { vault, system, original, renewal } = &self.renewer;
        if self.lock.is_none() {
            return match renewal {
                // The old one stays good.
                Renewal::Stays | Renewal::Adds => Ok(()),
                Renewal::MayChange | Renewal::Once => Err(format!(
                    "there is no key to encrypt it under: set {USUAL_KEY}, then `handover connect {system}`"
                )),
            };
        }
        let token = refresh_token.expose_secret().to_owned();
        let mut entry = vault.read(system, &process).map_err(|failure| failure.to_string())?;
        match original {
            Original::Kept => drop(entry.secrets.insert("refresh_token".to_owned(), token)),
            Original::Elsewhere(first) => {
                entry.renewed = Some(Renewed { from: first.expose_secret().to_owned(), to: token });
            }
        }
        vault.write(system, &process, &entry).map_err(|failure| failure.to_string())
    }
}
