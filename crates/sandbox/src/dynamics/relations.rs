//! What connects tables, and all tables together.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::schema::{Choice, Entity};

/// What deleting a parent does to its children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnDelete {
    Cascade,
    RemoveLink,
    Restrict,
}

impl OnDelete {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Cascade => "Cascade",
            Self::RemoveLink => "RemoveLink",
            Self::Restrict => "Restrict",
        }
    }
}

/// A lookup of one table to another.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    /// Its name; also that of the parent's collection.
    pub(super) schema_name: String,
    pub(super) referencing: String,
    pub(super) attribute: String,
    pub(super) referenced: String,
    /// The child's navigation property.
    pub(super) nav: String,
    pub(super) on_delete: OnDelete,
    pub(super) custom: bool,
}

/// Pairs of two tables' rows.
#[derive(Clone, Debug)]
pub(super) struct Pairs {
    pub(super) schema_name: String,
    pub(super) intersect: String,
    /// Table, column of the intersect table.
    pub(super) one: (String, String),
    pub(super) two: (String, String),
}

/// What a navigation property leads to.
#[derive(Clone, Debug)]
pub(super) enum Nav {
    Parent(Arc<Relation>),
    Children(Arc<Relation>),
    /// The pairs, and whether one comes from their first side.
    Paired(Arc<Pairs>, bool),
}

impl Nav {
    /// The table at the other end.
    pub(super) fn target(&self) -> &str {
        match self {
            Self::Parent(relation) => &relation.referenced,
            Self::Children(relation) => &relation.referencing,
            Self::Paired(pairs, true) => &pairs.two.0,
            Self::Paired(pairs, false) => &pairs.one.0,
        }
    }
}

/// Tables and what connects them.
#[derive(Debug, Default)]
pub(super) struct Schema {
    pub(super) entities: BTreeMap<String, Arc<Entity>>,
    sets: BTreeMap<String, String>,
    pub(super) relations: Vec<Arc<Relation>>,
    pub(super) pairs: Vec<Arc<Pairs>>,
    navs: BTreeMap<String, BTreeMap<String, Nav>>,
}

impl Schema {
    pub(super) fn add(&mut self, entity: Entity) {
        self.sets.insert(entity.set.clone(), entity.name.clone());
        self.entities.insert(entity.name.clone(), Arc::new(entity));
    }

    pub(super) fn entity(&self, name: &str) -> Option<&Arc<Entity>> {
        self.entities.get(name)
    }

    pub(super) fn entity_mut(&mut self, name: &str) -> Option<&mut Entity> {
        self.entities.get_mut(name).map(Arc::make_mut)
    }

    /// A table by the name of its set.
    pub(super) fn set(&self, set: &str) -> Option<&Arc<Entity>> {
        self.entities.get(self.sets.get(set)?)
    }

    pub(super) fn relate(&mut self, relation: Relation) {
        let relation = Arc::new(relation);
        let navs = self.navs.entry(relation.referencing.clone()).or_default();
        navs.insert(relation.nav.clone(), Nav::Parent(relation.clone()));
        let navs = self.navs.entry(relation.referenced.clone()).or_default();
        navs.insert(relation.schema_name.clone(), Nav::Children(relation.clone()));
        self.relations.push(relation);
    }

    pub(super) fn pair(&mut self, pairs: Pairs) {
        let pairs = Arc::new(pairs);
        for (table, first) in [(&pairs.one.0, true), (&pairs.two.0, false)] {
            let navs = self.navs.entry(table.clone()).or_default();
            navs.insert(pairs.schema_name.clone(), Nav::Paired(pairs.clone(), first));
        }
        self.pairs.push(pairs);
    }

    pub(super) fn nav(&self, entity: &str, nav: &str) -> Option<&Nav> {
        self.navs.get(entity)?.get(nav)
    }

    /// All navigation properties of a table.
    pub(super) fn navs<'a>(&'a self, entity: &str) -> impl Iterator<Item = (&'a String, &'a Nav)> {
        self.navs.get(entity).into_iter().flat_map(BTreeMap::iter)
    }

    /// Lookups that a column stands for: one for each table that it may point to.
    pub(super) fn of_attribute<'a>(
        &'a self,
        entity: &'a str,
        attribute: &'a str,
    ) -> impl Iterator<Item = &'a Arc<Relation>> {
        self.relations.iter().filter(move |one| one.referencing == entity && one.attribute == attribute)
    }

    /// Gives the columns of the organization's own set their choices.
    pub(super) fn rechoose(&mut self, set: &str, choices: &[Choice]) {
        for entity in self.entities.values_mut().map(Arc::make_mut) {
            for attribute in entity.attributes.iter_mut().filter(|one| one.global_choices.as_deref() == Some(set)) {
                attribute.choices = choices.to_vec();
            }
        }
    }

    /// Lookups that point to a table.
    pub(super) fn to<'a>(&'a self, entity: &'a str) -> impl Iterator<Item = &'a Arc<Relation>> {
        self.relations.iter().filter(move |one| one.referenced == entity)
    }

    pub(super) fn activities(&self) -> impl Iterator<Item = &Arc<Entity>> {
        self.entities.values().filter(|entity| entity.activity && entity.name != "activitypointer")
    }
}
