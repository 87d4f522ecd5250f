//! A record between judging and the outcome of its write, in the form in which an intent keeps it.

use handover_model::{Hold, Outcome, RecordId};
use handover_store::{PendingLink, RecordRow};
use serde::{Deserialize, Serialize};

use crate::decide::Judged;

/// What is kept of a record between judging and the outcome of its write.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Case {
    pub(crate) record: RecordId,
    pub(crate) title: String,
    pub(crate) block: i64,
    pub(crate) identity: Option<i64>,
    /// Whether it was held already: then a hold is no news.
    pub(crate) was_held: bool,
    #[serde(with = "bytes")]
    pub(crate) digest: [u8; 16],
    #[serde(with = "bytes")]
    pub(crate) base: Vec<u8>,
    pub(crate) mapped_base: Option<Vec<u8>>,
    /// What was settled of a record that was carried before.
    pub(crate) before: Option<Before>,
    /// Holds on single fields of such a record.
    #[serde(with = "as_json")]
    pub(crate) holds: Vec<Hold>,
    pub(crate) links: Vec<PendingLink>,
}

/// What was settled of a record: it stands when a later write of it is refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Before {
    pub(crate) outcome: Outcome,
    pub(crate) target: RecordId,
    pub(crate) digest: Option<[u8; 16]>,
    pub(crate) base: Option<Vec<u8>>,
    pub(crate) mapped: Option<Vec<u8>>,
}

impl Before {
    fn of(row: &RecordRow) -> Option<Self> {
        let target = row.target.clone()?;
        let RecordRow { outcome, digest, base, mapped, .. } = row.clone();
        Some(Self { outcome, target, digest, base, mapped })
    }
}

impl Case {
    pub(crate) fn of(one: &Judged) -> Self {
        Self {
            record: one.record.clone(),
            title: one.title.clone(),
            block: one.block,
            identity: one.identity,
            was_held: one.was_held,
            digest: one.digest,
            base: one.base.clone(),
            mapped_base: one.mapped_base.clone(),
            before: one.before.as_ref().and_then(Before::of),
            holds: one.holds.clone(),
            links: one.links.clone(),
        }
    }
}

/// Bytes in one piece: one by one they cost more than all else of an intent.
mod bytes {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(bytes: impl AsRef<[u8]>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes.as_ref())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>, B: TryFrom<&'de [u8]>>(
        deserializer: D,
    ) -> Result<B, D::Error> {
        let bytes = <&[u8]>::deserialize(deserializer)?;
        B::try_from(bytes).map_err(|_| D::Error::custom("the bytes are too few or too many"))
    }
}

/// Holds within an intent: their causes say by a name which they are, which the intent's own form cannot read.
mod as_json {
    use handover_model::Hold;
    use serde::{Deserialize as _, Deserializer, Serializer, de, ser};

    pub(super) fn serialize<S: Serializer>(holds: &[Hold], serializer: S) -> Result<S::Ok, S::Error> {
        if holds.is_empty() {
            return serializer.serialize_str("");
        }
        serializer.serialize_str(&serde_json::to_string(holds).map_err(ser::Error::custom)?)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Hold>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() { Ok(Vec::new()) } else { serde_json::from_str(&text).map_err(de::Error::custom) }
    }
}
