//! The project: `handover.yaml`, `mappings/*.yaml`, `translations/*.csv`, `fields.yaml`.
//!
//! Invariants:
//! - What is not understood is refused: unknown keys, wrong types, duplicate keys and rows, all at once,
//!   each with file, line and column.
//! - A pass works from a pinned snapshot: [`Project::snapshot`] hashes the bytes that were parsed.
//! - Secrets are named here (an environment variable, a file, kept by us) and read only when a system is opened;
//!   a literal one is refused, and masked in what the refusal shows.
//!
//! Deliberately absent: whether fields exist and types fit. That needs the systems' schemas: `check`.

mod alerts;
mod cohorts;
mod credentials;
mod durable;
mod fields;
mod files;
mod flow;
mod node;
mod ownership;
mod project;
mod reader;
mod reconcile;
mod removals;
mod rule;
mod sources;
mod system;
mod table;
mod webhooks;

pub use alerts::{Alerts, Email, Security};
pub(crate) use cohorts::day;
pub use credentials::{CredentialSource, From as SecretFrom, Secret};
pub(crate) use durable::{Replacement, replace_private};
pub(crate) use fields::kind_word;
pub use fields::{Created, WantedField, record_created};
pub use project::{Policies, Project};
pub(crate) use reconcile::USUAL as USUAL_RECONCILE;
pub use sources::Sources;
pub use system::System;
pub(crate) use system::{base_address, beside};
pub use table::append_row;
pub(crate) use table::quoted as csv_cell;
pub use webhooks::Webhooks;

/// JSON Schemas for editors (draft 2020-12), by the file of the project that they describe.
pub const SCHEMAS: [(&str, &str); 3] = [
    ("handover.yaml", include_str!("schema/project.json")),
    ("mappings/*.yaml", include_str!("schema/mapping.json")),
    ("fields.yaml", include_str!("schema/fields.json")),
];
