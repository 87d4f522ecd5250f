//! What is written durably, all of it in one transaction.

use handover_model::{Answer, FlowName, Hold, ObjectName, Outcome, Record, RecordId, Side, SystemName};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{CohortRow, Flip, Lookout, Values, Vanished, Watermark};

/// A ledger row's number, from 1, without gaps per writer.
pub type Seq = i64;

/// What a set of records in several systems has in common: they are the same thing in the world.
pub type Identity = i64;

/// Everything that one durable step changes. It is applied whole or not at all.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// When.
    pub at: Timestamp,
    /// The pass that this belongs to; 0 outside passes.
    pub pass: i64,
    /// Blocks of records as they were read.
    pub blocks: Vec<Block>,
    /// How far reading came.
    pub extractions: Vec<Extraction>,
    /// How far the changes of objects were read; replaces what was there.
    pub watermarks: Vec<Watermark>,
    /// How far was looked for what vanished; replaces what was there.
    pub lookouts: Vec<Lookout>,
    /// Records that vanished; replaces what was there.
    pub vanished: Vec<Vanished>,
    /// Records that are no longer among those, taken off before `vanished` are added.
    pub returned: Vec<(FlowName, Side, RecordId)>,
    /// Staged records that are not to be found under any key any more, before `keys` are added.
    pub keyless: Vec<(SystemName, ObjectName, RecordId)>,
    /// Keys under which staged records are found.
    pub keys: Vec<MatchRow>,
    /// New ledger rows, in order. A record row's `last_entry` may point into them, see [`RecordRow`].
    pub entries: Vec<Entry>,
    /// The state of records in flows; replaces what was there.
    pub rows: Vec<RecordRow>,
    /// In which cohorts records are; replaces what was there.
    pub cohorts: Vec<CohortRow>,
    /// Fields that flip; replaces what was there.
    pub flips: Vec<Flip>,
    /// Before that, flips that are older than this are forgotten.
    pub flips_before: Option<Timestamp>,
    /// How far flows came; replaces what was there.
    pub worked: Vec<Worked>,
    /// Which record is which beyond what `rows` say of source and target; replaces what was there.
    pub memberships: Vec<Membership>,
    /// Writes that are about to be sent.
    pub intents: Vec<Intent>,
    /// Intents whose outcome is known now.
    pub settled: Vec<String>,
    /// Holds; several for one record if there are several causes.
    pub holds: Vec<Hold>,
    /// Records whose holds are all cleared *before* `holds` are added.
    pub released: Vec<(FlowName, RecordId)>,
    /// Records of which what people reported is dealt with.
    pub closed: Vec<(FlowName, RecordId)>,
    /// Records of which no link waits any more *before* `links` are added.
    pub relinked: Vec<(FlowName, RecordId)>,
    /// In whose care the holds of records are, after `holds` are added.
    pub cared: Vec<Cared>,
    /// Links to be written later, once both ends are there, or to be taken away.
    pub links: Vec<PendingLink>,
    /// Links that are written or no longer wanted.
    pub linked: Vec<PendingLink>,
    /// What was spent today per system, in the daily limit's unit (adds up).
    pub spent: Vec<(SystemName, u64)>,
    /// Texts to keep under their names; they replace what was there, an empty one takes it away.
    pub kept: Vec<(String, String)>,
    /// People's answers.
    pub answers: Vec<GivenAnswer>,
}

/// In whose care all holds of records are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cared {
    /// The flow.
    pub flow: FlowName,
    /// The source records.
    pub records: Vec<RecordId>,
    /// Who looks into them; nobody when `None`.
    pub owner: Option<String>,
}

/// A block of staged records.
#[derive(Clone, Debug)]
pub struct Block {
    /// The system they come from.
    pub system: SystemName,
    /// Their object.
    pub object: ObjectName,
    /// The block's number within the extraction, from 0.
    pub number: i64,
    /// The records.
    pub records: Vec<Record>,
}

/// How far reading an object came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extraction {
    /// The system.
    pub system: SystemName,
    /// The object.
    pub object: ObjectName,
    /// The pass that reads.
    pub pass: i64,
    /// Where the next page begins; `None` at the start and when complete.
    pub cursor: Option<String>,
    /// Blocks so far.
    pub blocks: i64,
    /// Records so far, each once.
    pub records: i64,
    /// Whether the end was reached.
    pub complete: bool,
    /// What the system itself said the number is.
    pub told: Option<i64>,
    /// When reading began, by the system's clock: the next delta's watermark.
    pub began: Timestamp,
    /// How far the system's clock was ahead of ours then, in whole seconds.
    pub ahead: SignedDuration,
}

/// How far a flow came: the records of its first blocks have outcomes, or are outside its scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worked {
    /// The flow.
    pub flow: FlowName,
    /// The hash of the project's files that decided about scope.
    pub snapshot: String,
    /// How many blocks.
    pub blocks: i64,
}

/// A key under which a staged record is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchRow {
    /// The record's system.
    pub system: SystemName,
    /// Its object.
    pub object: ObjectName,
    /// The kind of key and the rule it belongs to: `email#1`.
    pub kind: String,
    /// The comparable key.
    pub key: String,
    /// The record.
    pub record: RecordId,
    /// The block in which it is staged.
    pub block: i64,
}

/// A record's state in a flow. There is exactly one for each source record in the flow's scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRow {
    /// The flow.
    pub flow: FlowName,
    /// The source record.
    pub record: RecordId,
    /// What became of it.
    pub outcome: Outcome,
    /// Its identity, once it has one.
    pub identity: Option<Identity>,
    /// The target record, once there is one.
    pub target: Option<RecordId>,
    /// Digest of the source's mapped values when it was settled.
    pub digest: Option<[u8; 16]>,
    /// The target's base: marks of what its fields said when the record was settled, as the engine encodes them.
    pub base: Option<Vec<u8>>,
    /// The source's base: marks of what the rules made of it then; `None` where it is equal to `base`.
    pub mapped: Option<Vec<u8>>,
    /// The block in which it is staged.
    pub block: i64,
    /// When this system last wrote either of its records; left as it was where `None` is given.
    pub written: Option<Timestamp>,
    /// The last ledger row that tells of it: set by the store when the same commit has an entry with an
    /// item for this flow and record, else left as it was.
    pub last_entry: Option<Seq>,
}

/// A record as a member of an identity. The two records of a [`RecordRow`] that has an identity and a target are
/// its members without further ado.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The system.
    pub system: SystemName,
    /// The object.
    pub object: ObjectName,
    /// The record.
    pub record: RecordId,
    /// The identity.
    pub identity: Identity,
    /// What it is within the identity; empty for the thing itself, `carrier` for a note that holds a file.
    pub role: String,
    /// `live`, `merged`, `deleted`.
    pub state: String,
}

/// A write that is about to be sent: found open after a crash, it is looked up before anything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Its id, unique.
    pub id: String,
    /// The flow.
    pub flow: FlowName,
    /// The batch, as the engine encodes it.
    pub payload: Vec<u8>,
    /// When it was made.
    pub at: Timestamp,
    /// Which of the commit's entries tells what is written: what it tells is kept with the intent until that
    /// is settled, also when the ledger's values are erased meanwhile; and the stories of its records end there
    /// until then. `None` when it is read back.
    pub entry: Option<usize>,
}

/// A link to be written when both ends are in the target, or to be taken away.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PendingLink {
    /// The flow of the record that points.
    pub flow: FlowName,
    /// The source record that points.
    pub record: RecordId,
    /// The target's reference field.
    pub field: String,
    /// The flow of the record pointed to.
    pub parent_flow: FlowName,
    /// The source record pointed to; of a link that is to be taken away the target's.
    pub parent: RecordId,
    /// Whether it is to be taken away.
    pub gone: bool,
}

/// One ledger row: one decision or one write, of one record or of a batch of them.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it tells: `decided`, `sent`, `confirmed`, `held`, `answered`, `linked`, `pass_begun`, ...
    pub kind: String,
    /// The flow, if it belongs to one.
    pub flow: Option<FlowName>,
    /// Facts without personal data.
    pub note: serde_json::Value,
    /// One item for each record concerned.
    pub items: Vec<Item>,
}

/// What a ledger row tells of one record. Its values can be erased; its salted hash stays.
#[derive(Clone, Debug)]
pub struct Item {
    /// The source record.
    pub record: RecordId,
    /// The values and decisions.
    pub values: Values,
}

/// An answer that a person gave to a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenAnswer {
    /// The flow.
    pub flow: FlowName,
    /// The record.
    pub record: RecordId,
    /// The answer.
    pub answer: Answer,
    /// Who gave it.
    pub reviewer: String,
    /// Why.
    pub comment: String,
}
