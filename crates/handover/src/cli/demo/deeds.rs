//! What the sample company's people do in both systems after the load, in the words of each platform.

use std::sync::PoisonError;

use handover_model::{Outcome, RecordId};
use handover_sandbox::faults::{DisturbAction, Disturbance, Which};
use handover_store::{RecordRow, Store};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use crate::cli::failure;
use crate::cli::session::Session;
use crate::problem::Problem;

/// The system that the company comes from.
pub(super) const OLD: &str = "old";
/// The system that it moves to.
pub(super) const NEW: &str = "new";

/// Somebody does something in one of the systems.
pub(super) struct Deed {
    /// Which.
    pub(super) system: &'static str,
    /// In plain words.
    pub(super) says: String,
    does: Vec<Disturbance>,
}

impl Deed {
    /// One thing that is done to one record, or to many alike.
    pub(super) fn new(system: &'static str, says: impl Into<String>, does: Vec<Disturbance>) -> Self {
        Self { system, says: says.into(), does }
    }

    /// Lets it happen.
    pub(super) fn happen(&self, session: &Session, now: Timestamp) {
        if let Some(sandbox) = session.sandboxes.get(self.system) {
            let mut sandbox = sandbox.lock().unwrap_or_else(PoisonError::into_inner);
            for disturbance in &self.does {
                sandbox.disturb(disturbance, now);
            }
        }
    }
}

fn done_to(object: &str, id: &RecordId, action: DisturbAction) -> Disturbance {
    Disturbance { object: object.to_owned(), which: Which::Id(id.to_string()), action }
}

fn changed(object: &str, id: &RecordId, field: &str, value: Json) -> Disturbance {
    done_to(object, id, DisturbAction::Change { field: field.to_owned(), value })
}

/// Somebody, or something, of which both systems have a record.
#[derive(Clone)]
pub(super) struct Pair {
    pub(super) old: RecordId,
    pub(super) new: RecordId,
}

/// As commands name a person of the old system.
impl std::fmt::Display for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "persons/{}", self.old)
    }
}

impl Pair {
    /// A phone number is typed into the old system, where a person has a list of them.
    pub(super) fn phone_in_old(&self, number: &str) -> Disturbance {
        changed("person", &self.old, "phones", json!([{"value": number, "primary": true, "label": "work"}]))
    }

    pub(super) fn phone_in_new(&self, number: &str) -> Disturbance {
        changed("contacts", &self.new, "phone", json!(number))
    }

    pub(super) fn surname_in_new(&self, name: &str) -> Disturbance {
        changed("contacts", &self.new, "lastname", json!(name))
    }

    pub(super) fn amount_in_new(&self, amount: u32) -> Disturbance {
        changed("deals", &self.new, "amount", json!(amount.to_string()))
    }

    /// A deal of the old system gets another organization.
    pub(super) fn moved_in_old(&self, organization: &Self) -> Disturbance {
        let id: Json = organization.old.as_str().parse::<u64>().map_or(Json::Null, Json::from);
        changed("deal", &self.old, "org_id", id)
    }

    pub(super) fn merged_in_old(&self, into: &Self) -> Disturbance {
        done_to("person", &self.old, DisturbAction::Merge { into: into.old.to_string() })
    }

    pub(super) fn deleted_in_old(&self) -> Disturbance {
        done_to("person", &self.old, DisturbAction::Delete)
    }

    pub(super) fn restored_in_old(&self) -> Disturbance {
        done_to("person", &self.old, DisturbAction::Restore)
    }
}

/// A form on the web page, which knows the old system only, sends what was typed into it.
pub(super) fn posted_to_old(name: &str, address: &str) -> Disturbance {
    let fields = json!({"name": name, "emails": [{"value": address, "primary": true, "label": "work"}]});
    Disturbance { object: "person".to_owned(), which: Which::default(), action: DisturbAction::Create { fields } }
}

/// The records that people work on: some of those that the load created and of which nothing is held.
pub(super) struct Cast {
    pub(super) people: Vec<Pair>,
    pub(super) deals: [Pair; 2],
    pub(super) organizations: [Pair; 2],
}

impl Cast {
    /// Chooses them: so many people, two deals and two organizations.
    pub(super) async fn of(session: &Session, store: &Store, people: usize) -> Result<Self, Vec<Problem>> {
        Ok(Self {
            people: pairs(session, store, "persons", people).await?,
            deals: two(pairs(session, store, "deals", 2).await?)?,
            organizations: two(pairs(session, store, "organizations", 2).await?)?,
        })
    }
}

fn two(pairs: Vec<Pair>) -> Result<[Pair; 2], Vec<Problem>> {
    <[Pair; 2]>::try_from(pairs).map_err(|_| vec![Problem::ours("demo", "two records were to be chosen")])
}

async fn pairs(session: &Session, store: &Store, object: &str, wanted: usize) -> Result<Vec<Pair>, Vec<Problem>> {
    let failed = |error: handover_store::Error| vec![failure::store(&error)];
    let flow = session.project.flows.iter().find(|flow| flow.source.object.as_str() == object);
    let flow = flow.ok_or_else(|| vec![Problem::ours("demo", format!("no flow carries `{object}`"))])?;
    // A few more than wanted: some of them wait for an answer.
    let rows = store.rows_page(&flow.name, Some(Outcome::Created), None, wanted * 2 + 20).await.map_err(failed)?;
    let ids: Vec<RecordId> = rows.iter().map(|row| row.record.clone()).collect();
    let held = store.held_among(&flow.name, &ids).await.map_err(failed)?;
    let pair = |row: RecordRow| row.target.map(|new| Pair { old: row.record, new });
    let found: Vec<Pair> =
        rows.into_iter().filter(|row| !held.contains(&row.record)).filter_map(pair).take(wanted).collect();
    if found.len() < wanted {
        return Err(vec![Problem::ours("demo", format!("the sample has too few `{object}` for these ten days"))]);
    }
    Ok(found)
}
