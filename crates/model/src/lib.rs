//! What Handover talks about: records, values, schemas, mapping rules, outcomes and holds.
//!
//! Invariants:
//! - *Absent* and *null* differ: a field that is not in [`Fields`] was not read, a [`Value::Null`] was
//!   read and is empty.
//! - Everything about a record is a field, relations too: a field of kind [`Kind::Reference`] holds the
//!   ids of the records it points to. So mapping, merging and comparing know one thing only.
//! - Deliberately absent: I/O, async, clock, randomness, and every platform's name.

mod cohort;
mod event;
mod finding;
mod flow;
mod hold;
mod ids;
mod outcome;
mod record;
mod removal;
mod schema;
mod value;

pub use cohort::{Cohort, Day};
pub use event::{Event, Happened};
pub use finding::{Finding, Weight};
pub use flow::{
    Conflict, Default, End, Flow, From, Keep, MatchKey, MatchKind, Owner, Ownership, Place, Rule, Scope, Step, Table,
    TableRow,
};
pub use hold::{Answer, Candidate, Cause, Edit, Hold, Wins};
pub use ids::{CohortName, FieldName, FlowName, ObjectName, RecordId, SystemName, UserId};
pub use outcome::{Counts, Outcome};
pub use record::{Content, Fields, Record};
pub use removal::{Deletes, Leaves, Merges, Removals, Side};
pub use schema::{Above, Account, Automation, Choice, Field, Kind, ReadCost, Schema, User, Writable};
pub use value::{Value, date_text, number_text};
