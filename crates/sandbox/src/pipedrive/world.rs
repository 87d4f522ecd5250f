//! The world of one account: everything that a world file holds.
//!
//! Invariants: ids are never given twice; nothing here depends on anything but the world, its seed and
//! the requests (drawn codes and UUIDs come from a counter, never from a random source).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::account::{Account, Settings};
use super::custom::expected;
use super::kind::Kind;
use super::participation::Participation;
use super::record::Table;
use super::schema::Fields;
use crate::drawn;

/// An object without a table: a pipeline, a stage, a label, a call.
pub(super) type Item = Map<String, Json>;

/// The bytes of a file, or how to make them.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Bytes(Vec<u8>),
    Seed { seed: u64, size: usize },
}

/// Everything that the account holds.
#[derive(Debug)]
pub(super) struct World {
    pub(super) seed: u64,
    /// How many codes and UUIDs were drawn.
    pub(super) drawn: u64,
    pub(super) account: Account,
    pub(super) settings: Settings,
    pub(super) users: BTreeMap<u64, Item>,
    pub(super) currencies: Vec<String>,
    pub(super) pipelines: BTreeMap<u64, Item>,
    pub(super) stages: BTreeMap<u64, Item>,
    pub(super) activity_types: BTreeMap<u64, Item>,
    fields: BTreeMap<Kind, Fields>,
    tables: BTreeMap<Kind, Table>,
    /// Lines of deals by deal; each line holds its `id`.
    pub(super) deal_products: BTreeMap<u64, Vec<Item>>,
    /// Participants of deals.
    pub(super) participants: Participation,
    pub(super) relationships: BTreeMap<u64, Item>,
    pub(super) calls: BTreeMap<String, Item>,
    pub(super) lead_labels: BTreeMap<String, Item>,
    pub(super) leads_by_uuid: BTreeMap<String, u64>,
    pub(super) mail: BTreeMap<u64, Item>,
    /// Ids of mails by `deal` or `person`, and its id.
    pub(super) mail_of: BTreeMap<(Kind, u64), BTreeSet<u64>>,
    pub(super) filters: BTreeMap<u64, Item>,
    pub(super) changelog: BTreeMap<(Kind, u64), Vec<Json>>,
    pub(super) webhooks: BTreeMap<u64, Item>,
    pub(super) contents: BTreeMap<u64, Content>,
    /// Survivors of merged-away records.
    pub(super) merged: BTreeMap<(Kind, u64), u64>,
    /// The next ids of objects without a table.
    pub(super) next: BTreeMap<String, u64>,
}

impl World {
    /// An account without users, fields and records.
    pub(super) fn blank(seed: u64) -> Self {
        Self {
            seed,
            drawn: 0,
            account: Account::default(),
            settings: Settings::default(),
            users: BTreeMap::new(),
            currencies: Vec::new(),
            pipelines: BTreeMap::new(),
            stages: BTreeMap::new(),
            activity_types: BTreeMap::new(),
            fields: Kind::ALL.into_iter().map(|kind| (kind, Fields::system(kind))).collect(),
            tables: Kind::ALL.into_iter().map(|kind| (kind, Table::new(kind.link_keys()))).collect(),
            deal_products: BTreeMap::new(),
            participants: Participation::default(),
            relationships: BTreeMap::new(),
            calls: BTreeMap::new(),
            lead_labels: BTreeMap::new(),
            leads_by_uuid: BTreeMap::new(),
            mail: BTreeMap::new(),
            mail_of: BTreeMap::new(),
            filters: BTreeMap::new(),
            changelog: BTreeMap::new(),
            webhooks: BTreeMap::new(),
            contents: BTreeMap::new(),
            merged: BTreeMap::new(),
            next: BTreeMap::new(),
        }
    }

    pub(super) fn table(&self, kind: Kind) -> &Table {
        &self.tables[&kind]
    }

    pub(super) fn table_mut(&mut self, kind: Kind) -> &mut Table {
        self.tables.entry(kind).or_insert_with(|| Table::new(kind.link_keys()))
    }

    pub(super) fn fields(&self, kind: Kind) -> &Fields {
        &self.fields[&kind.fields_of()]
    }

    pub(super) fn fields_mut(&mut self, kind: Kind) -> &mut Fields {
        self.fields.entry(kind.fields_of()).or_default()
    }

    /// The next id of an object without a table.
    pub(super) fn next_id(&mut self, object: &str) -> u64 {
        let next = self.next.entry(object.to_owned()).or_insert(1);
        let id = *next;
        *next += 1;
        id
    }

    /// Keeps ids from being given twice.
    pub(super) fn raise_next(&mut self, object: &str, taken: u64) {
        let next = self.next.entry(object.to_owned()).or_insert(1);
        *next = (*next).max(taken + 1);
    }

    /// So many hex digits that depend on the seed and on how much was drawn before.
    pub(super) fn draw_hex(&mut self, purpose: &str, digits: usize) -> String {
        self.drawn += 1;
        drawn::hex(self.seed, purpose, self.drawn, digits)
    }

    /// A UUID from the same source.
    pub(super) fn draw_uuid(&mut self, purpose: &str) -> String {
        let hex = self.draw_hex(purpose, 32);
        uuid_of(&hex)
    }

    /// Checks that a currency is enabled (sheet: section 9 trap 11).
    pub(super) fn check_currency(&self, code: &Json) -> Result<Json, String> {
        let text = code.as_str().ok_or_else(|| expected("string", code))?;
        if self.currencies.iter().any(|known| known == text) {
            Ok(code.clone())
        } else {
            Err(format!("Currency {text} is not enabled"))
        }
    }

    /// `visible_to` of records that do not say: the whole company.
    pub(super) fn default_visible_to(&self) -> u64 {
        let company = if self.account.plan.has_groups() { 7 } else { 3 };
        self.settings.default_visible_to.unwrap_or(company)
    }

    pub(super) fn is_admin(&self, user: u64) -> bool {
        let access = self.users.get(&user).and_then(|user| user.get("access")).and_then(Json::as_array);
        access.is_some_and(|list| list.iter().any(|one| one.get("admin") == Some(&json!(true))))
    }

    pub(super) fn is_active(&self, user: u64) -> bool {
        self.users.get(&user).is_some_and(|user| user.get("active_flag") != Some(&json!(false)))
    }

    /// The user's own currency, else the account's.
    pub(super) fn currency_of(&self, user: u64) -> String {
        let own = self.users.get(&user).and_then(|user| user.get("default_currency")).and_then(Json::as_str);
        own.filter(|own| self.currencies.iter().any(|code| code == own))
            .unwrap_or(&self.account.default_currency)
            .to_owned()
    }

    /// The first stage of a pipeline by order.
    pub(super) fn first_stage(&self, pipeline: u64) -> Option<u64> {
        let of_pipeline = self.stages.iter().filter(|(_, stage)| {
            stage.get("pipeline_id").and_then(Json::as_u64) == Some(pipeline)
                && stage.get("is_deleted") != Some(&json!(true))
        });
        of_pipeline.min_by_key(|(id, stage)| (stage.get("order_nr").and_then(Json::as_u64), **id)).map(|(id, _)| *id)
    }

    /// The pipeline of a stage.
    pub(super) fn pipeline_of(&self, stage: u64) -> Option<u64> {
        self.stages.get(&stage)?.get("pipeline_id")?.as_u64()
    }
}

/// A UUID of version 4 out of 32 hex digits.
pub(super) fn uuid_of(hex: &str) -> String {
    let bits = u128::from_str_radix(hex, 16).unwrap_or_default();
    uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid().to_string()
}
