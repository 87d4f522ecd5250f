//! What the suite must be told about a platform: how its sandbox world is made and how a record looks.

use handover_connect::{Credentials, Dialect, Request};
use handover_model::{Fields, RecordId, Value};
use handover_sandbox::Platform;
use handover_sandbox::faults::DisturbAction;
use secrecy::SecretString;
use serde_json::Value as Json;

use super::values::Dice;

/// Stands in every text of every record, so that a value that leaks is seen wherever it comes out.
pub(super) const MARK: &str = "Zq7";

/// One object of a platform.
#[derive(Debug)]
pub(super) struct Object {
    /// Its name.
    pub(super) name: &'static str,
    /// Its name in the journal and for disturbances.
    pub(super) journal: &'static str,
    /// Whether the sandbox can disturb it (touch, create, merge).
    pub(super) disturbed: bool,
    /// A text field by which records are told apart; empty when none is written.
    pub(super) text: &'static str,
    /// The customer's field that carries the source key; empty without one.
    pub(super) key: &'static str,
    /// How many lists make the whole (live ones and archived ones).
    pub(super) lists: u64,
    /// Records that each page of a list repeats from the page before, as its anchor.
    pub(super) overlap: u64,
    /// Requests that each page behind the first takes beside its own, to be sure of it.
    pub(super) again: u64,
    /// Fields that cannot be written for themselves, and why.
    pub(super) apart: &'static [(&'static str, &'static str)],
    /// Choice fields whose system takes more than their list, and why.
    pub(super) open: &'static [(&'static str, &'static str)],
}

/// Which records a world holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene {
    /// The object under test.
    pub(super) object: &'static str,
    /// Its live records, numbered from 1.
    pub(super) live: u64,
    /// Its deleted records, numbered after the live ones.
    pub(super) gone: u64,
}

impl Scene {
    /// So many live records of an object.
    pub(super) fn of(object: &Object, live: u64) -> Self {
        Self { object: object.name, live, gone: 0 }
    }
}

/// When all records of a scene were last modified, in the shape of ISO 8601.
pub(super) const MODIFIED: &str = "2026-02-01T10:00:00Z";
/// The name of the text of the scene's record `n`.
pub(super) fn live_text(n: u64) -> String {
    format!("{MARK} live {n}")
}

/// A platform under test.
pub(super) trait Subject: Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// Its dialect.
    fn dialect(&self) -> Box<dyn Dialect> {
        handover_platforms::dialect(self.name()).unwrap()
    }

    /// Its objects.
    fn objects(&self) -> &'static [Object];

    /// Objects that are not under test, each with the one under test that can exactly the same; without one where the
    /// sandbox has no such object, or where the platform's own tests have it.
    fn alike(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// A world file: two records of every object to point to, and those of the scene.
    fn world(&self, scene: Scene) -> Json;

    /// The sandbox over a world file.
    fn sandbox(&self, world: Json) -> Box<dyn Platform>;

    /// A token that the world accepts.
    fn token(&self) -> &'static str;

    /// Credentials that the world accepts.
    fn credentials(&self, oauth: bool) -> Credentials {
        if !oauth {
            return Credentials::Token(SecretString::from(self.token()));
        }
        Credentials::Oauth {
            client_id: "app".to_owned(),
            client_secret: Some(SecretString::from("app-secret")),
            refresh_token: SecretString::from("first-secret"),
            access: None,
        }
    }

    /// What stands behind the address of the token endpoint's host.
    fn tenant(&self) -> &'static str {
        ""
    }

    /// The account's time zone; empty where none is told.
    fn time_zone(&self) -> &'static str {
        "Europe/Berlin"
    }

    /// Parts of secrets that may stand nowhere.
    fn secrets(&self) -> &'static [&'static str];

    /// Whether access tokens are bought; without, there are keys that do not end by themselves.
    fn has_oauth(&self) -> bool {
        true
    }

    /// Whether the token endpoint gives a new refresh token at every use.
    fn renews_refresh_tokens(&self) -> bool;

    /// The id of the scene's record `n`.
    fn id(&self, object: &str, n: u64) -> RecordId;

    /// All that a new record needs, with a text, a key and (where they are) unique values of its own.
    fn mint(&self, object: &Object, n: u64) -> Fields;

    /// A value for a field whose rules its kind does not tell.
    fn value(&self, object: &Object, field: &str, dice: &mut Dice) -> Option<Value>;

    /// What must be written along with a field.
    fn along(&self, object: &Object, field: &str) -> Vec<(&'static str, Value)>;

    /// A user to whom records may be assigned.
    fn user(&self) -> &'static str;

    /// Users in the world: active, inactive.
    fn users(&self) -> (&'static [&'static str], &'static [&'static str]);

    /// Fields of a new record in the sandbox's own notation, for a disturbance.
    fn raw(&self, object: &Object) -> Json;

    /// A request of somebody else who does this to a record, where no disturbance can.
    fn request(&self, object: &Object, id: &str, action: &DisturbAction) -> Option<Request>;

    /// Makes updates and upserts be refused as a whole for one bad row. False when the platform writes one
    /// record at a time.
    fn refuse_whole(&self, world: &mut Json) -> bool;

    /// Takes the rights to read an object from the credentials. Gives the word that the fault must name and
    /// whether OAuth credentials are those without it.
    fn without_rights(&self, world: &mut Json, object: &Object) -> (&'static str, bool);

    /// The request that shows a link from its other end; `None` where the platform does not.
    fn reverse(&self, object: &Object, field: &str, from: &str, to: &str) -> Option<Request>;
}
