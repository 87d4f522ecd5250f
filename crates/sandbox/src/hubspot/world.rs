//! The state of a portal, and the one way to change a record of it.
//!
//! Invariants: every change of a record goes through [`World::put`], which keeps indexes, the lag of
//! search, and what a rollback needs; indexes know the schema only through [`World::refresh_keys`].

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::catalogue;
use super::instant::iso;
use super::kinds::{self, Kind, Kinds};
use super::link_types::LinkTypes;
use super::links::{Links, Node};
use super::portal::{Account, Owner, Pipeline, Stage, StoredFile};
use super::property::{Property, Schema, Shown};
use super::record::{Keys, Record, Table};
use super::settings::Settings;

/// Something that HubSpot does by itself, later.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FollowUp {
    /// When (epoch ms).
    pub(crate) due: i64,
    pub(crate) kind: Kind,
    pub(crate) id: u64,
    pub(crate) action: FollowUpAction,
}

/// What it does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FollowUpAction {
    /// A workflow sets a property.
    Set { property: String, value: String, workflow: u64 },
    /// The contact gets the company of its e-mail domain.
    AssociateCompany,
}

/// The state of a portal.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) account: Account,
    pub(crate) settings: Settings,
    pub(crate) kinds: Kinds,
    pub(crate) schemas: Vec<Schema>,
    pub(crate) tables: Vec<Table>,
    keys: Vec<Keys>,
    pub(crate) links: Links,
    pub(crate) link_types: LinkTypes,
    pub(crate) pipelines: BTreeMap<Kind, Vec<Pipeline>>,
    pub(crate) owners: Vec<Owner>,
    pub(crate) files: BTreeMap<u64, StoredFile>,
    pub(crate) next_file: u64,
    pub(crate) workflows: Vec<Json>,
    /// Validation rules by kind, as `property-validations` returns them.
    pub(crate) validations: BTreeMap<Kind, Vec<Json>>,
    /// E-mail addresses erased under the GDPR.
    pub(crate) erased: BTreeSet<String>,
    pub(crate) follow_ups: Vec<FollowUp>,
    /// Ids of pipelines and stages that were made here.
    pub(crate) next_stage: u64,
    undo: Option<Undo>,
}

/// What a rollback restores.
#[derive(Clone, Debug, Default)]
struct Undo {
    /// Records as they were, in the order they were changed.
    records: Vec<(Kind, u64, Option<Record>)>,
    /// The next id of every kind, so that a refused request leaves no trace.
    next_ids: Vec<u64>,
}

impl World {
    /// A new portal without records.
    pub(crate) fn new() -> Self {
        let kinds = Kinds::built_in();
        let schemas = catalogue::schemas(&kinds);
        let link_types = LinkTypes::built_in(&kinds);
        let tables = kinds.iter().map(|(kind, _)| Table::of_kind(kind)).collect();
        let mut world = Self {
            account: Account::default(),
            settings: Settings::default(),
            keys: vec![Keys::default(); kinds.len()],
            kinds,
            schemas,
            tables,
            links: Links::default(),
            link_types,
            pipelines: BTreeMap::new(),
            owners: Vec::new(),
            files: BTreeMap::new(),
            next_file: 180_000_001,
            workflows: Vec::new(),
            validations: BTreeMap::new(),
            erased: BTreeSet::new(),
            follow_ups: Vec::new(),
            next_stage: 50_000_001,
            undo: None,
        };
        for kind in 0..world.kinds.len() {
            world.refresh_keys(u16::try_from(kind).unwrap_or(u16::MAX));
        }
        world
    }

    /// The schema of a kind. Every kind has one; an unknown kind reads as an empty one.
    pub(crate) fn schema(&self, kind: Kind) -> &Schema {
        static EMPTY: std::sync::LazyLock<Schema> = std::sync::LazyLock::new(Schema::default);
        self.schemas.get(usize::from(kind)).unwrap_or(&EMPTY)
    }

    /// The table of a kind.
    pub(crate) fn table(&self, kind: Kind) -> &Table {
        static EMPTY: std::sync::LazyLock<Table> = std::sync::LazyLock::new(Table::default);
        self.tables.get(usize::from(kind)).unwrap_or(&EMPTY)
    }

    /// Tells the indexes of a kind which properties are unique. Call it before records of the kind exist
    /// or after a unique property was added, which no record has a value of yet.
    pub(crate) fn refresh_keys(&mut self, kind: Kind) {
        let schema = self.schema(kind);
        let unique = schema.iter().filter(|(_, p)| p.unique).map(|(ix, _)| ix).collect();
        let email = match (kind, schema.index("email"), schema.index("hs_additional_emails")) {
            (kinds::CONTACTS, Some(email), Some(more)) => Some((email, more)),
            _ => None,
        };
        if let Some(keys) = self.keys.get_mut(usize::from(kind)) {
            *keys = Keys { unique, email };
        }
    }

    /// Makes room for the keys of kinds that were added.
    pub(crate) fn add_keys(&mut self) {
        self.keys.resize(self.kinds.len(), Keys::default());
        if let Ok(last) = u16::try_from(self.kinds.len().saturating_sub(1)) {
            self.refresh_keys(last);
        }
    }

    /// Puts a record of a world file; `false` when its id is taken. Search sees it at once.
    pub(crate) fn put_loaded(&mut self, kind: Kind, id: u64, record: Record) -> bool {
        let (Some(keys), Some(table)) = (self.keys.get(usize::from(kind)), self.tables.get_mut(usize::from(kind)))
        else {
            return false;
        };
        table.replace(id, Some(record), keys).is_none()
    }

    /// Puts a record in place of `id`, or removes it; gives what was there.
    pub(crate) fn put(&mut self, kind: Kind, id: u64, record: Option<Record>, now: i64) -> Option<Record> {
        let lag = self.settings.search_lag_ms;
        let keys = self.keys.get(usize::from(kind))?;
        let table = self.tables.get_mut(usize::from(kind))?;
        let before = table.replace(id, record, keys);
        if lag > 0 {
            table.delay(id, now, before.clone());
        }
        if let Some(undo) = &mut self.undo {
            undo.records.push((kind, id, before.clone()));
        }
        before
    }

    /// Begins to remember what [`World::rollback`] would restore.
    pub(crate) fn begin(&mut self) {
        let next_ids = self.tables.iter().map(|table| table.next_id).collect();
        self.undo = Some(Undo { records: Vec::new(), next_ids });
        self.links.begin();
    }

    /// Keeps what was done since [`World::begin`].
    pub(crate) fn commit(&mut self) {
        self.undo = None;
        self.links.commit();
    }

    /// Undoes what was done since [`World::begin`].
    pub(crate) fn rollback(&mut self) {
        self.links.rollback();
        let lag = self.settings.search_lag_ms;
        let undo = self.undo.take().unwrap_or_default();
        for (kind, id, before) in undo.records.into_iter().rev() {
            let (Some(keys), Some(table)) = (self.keys.get(usize::from(kind)), self.tables.get_mut(usize::from(kind)))
            else {
                continue;
            };
            table.replace(id, before, keys);
            if lag > 0 {
                table.undelay(id);
            }
        }
        for (table, next_id) in self.tables.iter_mut().zip(undo.next_ids) {
            table.next_id = next_id;
        }
    }

    /// The property that holds the pipeline, and the one that holds the stage.
    pub(crate) fn stage_properties(kind: Kind) -> Option<(&'static str, &'static str)> {
        match kind {
            kinds::DEALS => Some(("pipeline", "dealstage")),
            kinds::CONTACTS | kinds::COMPANIES => None,
            kinds::TICKETS | kinds::LEADS => Some(("hs_pipeline", "hs_pipeline_stage")),
            _ if Kinds::is_custom(kind) => Some(("hs_pipeline", "hs_pipeline_stage")),
            _ => None,
        }
    }

    /// The stage of a record.
    pub(crate) fn stage_of(&self, kind: Kind, record: &Record) -> Option<&Stage> {
        let (_, stage) = Self::stage_properties(kind)?;
        let id = record.value(self.schema(kind).index(stage)?)?;
        self.pipelines.get(&kind)?.iter().flat_map(|p| &p.stages).find(|s| s.id == id)
    }

    /// The value of a property as the API shows it: stored, or derived (ids, times, counts).
    pub(crate) fn value<'a>(&'a self, kind: Kind, record: &'a Record, name: &str) -> Option<Cow<'a, str>> {
        let schema = self.schema(kind);
        let stored = || schema.live_index(name).and_then(|ix| record.value(ix)).map(Cow::Borrowed);
        match name {
            "hs_object_id" => Some(record.id.to_string().into()),
            "hs_lastmodifieddate" => Some(iso(record.updated_at).into()),
            "lastmodifieddate" if kind == kinds::CONTACTS => Some(iso(record.updated_at).into()),
            "hs_createdate" => Some(iso(record.created_at).into()),
            "createdate" => stored().or_else(|| Some(iso(record.created_at).into())),
            "hs_object_source" | "hs_object_source_label" => Some(record.origin.names().0.into()),
            "hs_object_source_id" => Some(record.origin.names().1.into()),
            "hs_email_domain" if kind == kinds::CONTACTS => {
                let email = record.value(schema.index("email")?)?;
                email.split_once('@').map(|(_, domain)| Cow::Borrowed(domain))
            }
            "associatedcompanyid" if kind == kinds::CONTACTS => {
                let node = Node { kind, id: record.id };
                self.links.primary(&self.link_types, node, kinds::COMPANIES).map(|id| id.to_string().into())
            }
            "num_associated_contacts" => self.count_links(kind, record, kinds::CONTACTS),
            "num_associated_deals" => self.count_links(kind, record, kinds::DEALS),
            "hs_num_of_associated_line_items" => self.count_links(kind, record, kinds::LINE_ITEMS),
            "hs_is_closed" => self.stage_of(kind, record).map(|s| s.is_closed().to_string().into()),
            "hs_is_closed_won" | "hs_deal_stage_probability" if kind == kinds::DEALS => {
                let probability = self.stage_of(kind, record)?.metadata.get("probability")?;
                if name == "hs_is_closed_won" {
                    return Some(matches!(probability.as_str(), "1.0" | "1").to_string().into());
                }
                Some(Cow::Borrowed(probability.as_str()))
            }
            _ => stored(),
        }
    }

    fn count_links(&self, kind: Kind, record: &Record, other: Kind) -> Option<Cow<'_, str>> {
        let count = self.links.of(Node { kind, id: record.id }, other, 0).count();
        Some(count.to_string().into())
    }

    /// Whether a property's value may not be written, by its definition and the portal's settings.
    pub(crate) fn read_only(&self, kind: Kind, property: &Property) -> bool {
        if property.name == "createdate" {
            return !self
                .settings
                .createdate_writable
                .get(self.kinds.plural(kind))
                .copied()
                .unwrap_or(kind == kinds::DEALS);
        }
        property.read_only_value
    }

    /// The definition as the API returns it: options that come from pipelines and currencies filled in.
    pub(crate) fn property_shown<'p>(&self, kind: Kind, property: &'p Property) -> Shown<'p> {
        property.shown(self.derived_options(kind, &property.name), self.read_only(kind, property))
    }

    /// The same as a tree.
    pub(crate) fn property_json(&self, kind: Kind, property: &Property) -> Json {
        serde_json::to_value(self.property_shown(kind, property)).unwrap_or_default()
    }

    /// Options that are not in the definition: pipelines, stages and currencies.
    pub(crate) fn derived_options(&self, kind: Kind, name: &str) -> Option<Vec<super::property::Choice>> {
        let choice = |(order, (value, label)): (usize, (&str, &str))| super::property::Choice {
            label: label.to_owned(),
            value: value.to_owned(),
            display_order: i64::try_from(order).unwrap_or_default(),
            hidden: false,
            description: String::new(),
        };
        if matches!(name, "deal_currency_code" | "hs_currency" | "hs_line_item_currency_code") {
            return Some(self.account.currencies().map(|c| (c, c)).enumerate().map(choice).collect());
        }
        let (pipeline, stage) = Self::stage_properties(kind)?;
        let pipelines = self.pipelines.get(&kind)?;
        if name == pipeline {
            let all = pipelines.iter().map(|p| (p.id.as_str(), p.label.as_str()));
            return Some(all.enumerate().map(choice).collect());
        }
        if name == stage {
            let all = pipelines.iter().flat_map(|p| &p.stages).map(|s| (s.id.as_str(), s.label.as_str()));
            return Some(all.enumerate().map(choice).collect());
        }
        None
    }
}
