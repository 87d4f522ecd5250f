//! What a body says about a row: columns, lookups by `@odata.bind`, and rows nested in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::address::{self, References};
use super::instant::Seconds;
use super::refusal::Fault;
use super::relations::{Nav, Pairs, Relation};
use super::schema::Entity;
use super::settings::Leniency;
use super::world::{World, reference};
use super::{guid, values};

/// What is to be written.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) entity: Arc<Entity>,
    /// The id that the client chose.
    pub(super) id: Option<String>,
    /// Columns; none clears.
    pub(super) values: BTreeMap<String, Option<Json>>,
    /// Rows to create first, to which a lookup then points.
    pub(super) parents: Vec<(Arc<Relation>, Draft)>,
    /// Rows to create behind it, which then point here.
    pub(super) children: Vec<(Arc<Relation>, Draft)>,
    /// Rows to be paired with it.
    pub(super) pairs: Vec<(Arc<Pairs>, bool, String)>,
}

/// Where a body is read.
pub(super) struct Desk<'a> {
    pub(super) world: &'a World,
    pub(super) references: &'a References,
    pub(super) at: Seconds,
    /// A new row; else one that is changed.
    pub(super) create: bool,
}

impl Draft {
    pub(super) fn empty(entity: Arc<Entity>) -> Self {
        Self { entity, id: None, values: BTreeMap::new(), parents: Vec::new(), children: Vec::new(), pairs: Vec::new() }
    }

    /// Sets one column.
    #[must_use]
    pub(super) fn with(mut self, column: &str, value: Option<Json>) -> Self {
        self.values.insert(column.to_owned(), value);
        self
    }
}

impl Desk<'_> {
    /// Reads the body of a row.
    pub(super) fn read(&self, entity: &Arc<Entity>, body: &Map<String, Json>) -> Result<Draft, Fault> {
        let mut draft = Draft::empty(entity.clone());
        for (name, value) in body {
            if let Some(nav) = name.strip_suffix("@odata.bind") {
                self.bind(&mut draft, nav, value)?;
            } else if name == "@odata.type" {
                self.check_type(entity, value)?;
            } else if !name.contains('@') {
                self.property(&mut draft, name, value)?;
            }
        }
        Ok(draft)
    }

    fn check_type(&self, entity: &Entity, value: &Json) -> Result<(), Fault> {
        let wanted = format!("Microsoft.Dynamics.CRM.{}", entity.name);
        match value.as_str().map(|text| text.trim_start_matches('#')) {
            Some(named) if named == wanted => Ok(()),
            _ => Err(Fault::payload(&entity.set, &format!("The payload's type is not '{wanted}'."))),
        }
    }

    fn property(&self, draft: &mut Draft, name: &str, value: &Json) -> Result<(), Fault> {
        let entity = draft.entity.clone();
        if name.starts_with('_') && entity.property(name).is_some() {
            let why =
                "CRM do not support direct update of Entity Reference properties, Use Navigation properties instead.";
            return Err(Fault::payload(&entity.set, why));
        }
        if let Some(nav) = self.world.schema.nav(&entity.name, name) {
            return self.nested(draft, name, &nav.clone(), value);
        }
        let Some(attribute) = entity.property(name) else {
            let why = format!(
                "Microsoft.OData.ODataException: The property '{name}' does not exist on type \
                 'Microsoft.Dynamics.CRM.{}'. Make sure to only use property names that are defined by the type.",
                entity.name
            );
            return Err(Fault::payload(&entity.set, &why));
        };
        if *name == entity.primary_id {
            let id = value.as_str().and_then(guid::parse);
            draft.id = Some(id.ok_or_else(|| Fault::payload(&entity.set, "The primary key is no Edm.Guid."))?);
            return Ok(());
        }
        if !(if self.create { attribute.create } else { attribute.update }) {
            return match self.world.settings.read_only_columns {
                Leniency::Ignore => Ok(()),
                Leniency::Refuse => {
                    let message = format!("The property '{name}' cannot be set by this request: it is read-only.");
                    Err(Fault::argument(message))
                }
            };
        }
        draft.values.insert(attribute.name.clone(), values::read(&entity, attribute, value)?);
        Ok(())
    }

    /// A row or rows nested under a navigation property.
    fn nested(&self, draft: &mut Draft, name: &str, nav: &Nav, value: &Json) -> Result<(), Fault> {
        let entity = draft.entity.clone();
        let wrong = |why: &str| Fault::payload(&entity.set, &format!("The navigation property '{name}' {why}."));
        let parties = nav.target() == "activityparty";
        if !self.create && !parties {
            return Err(wrong("cannot be written by an update"));
        }
        let target = self.world.entity(nav.target()).ok_or_else(|| wrong("leads nowhere"))?;
        match (nav, value) {
            (Nav::Parent(relation), Json::Object(map)) => {
                let nested = self.read(&target, map)?;
                draft.parents.push((relation.clone(), nested));
            }
            (Nav::Parent(_), _) => return Err(wrong("takes a row or @odata.bind")),
            (Nav::Children(relation), Json::Array(rows)) => {
                for row in rows {
                    let map = row.as_object().ok_or_else(|| wrong("takes rows"))?;
                    let nested = self.read(&target, map)?;
                    draft.children.push((relation.clone(), nested));
                }
            }
            _ => return Err(wrong("takes a list of rows")),
        }
        Ok(())
    }

    fn bind(&self, draft: &mut Draft, name: &str, value: &Json) -> Result<(), Fault> {
        let entity = draft.entity.clone();
        let undeclared = || {
            let why = format!(
                "Microsoft.OData.ODataException: An undeclared property '{name}' which only has property annotations in \
                 the payload but no property value was found in the payload. In OData, only declared navigation \
                 properties and declared named streams can be represented as properties without values."
            );
            Fault::payload(&entity.set, &why)
        };
        match self.world.schema.nav(&entity.name, name).ok_or_else(undeclared)?.clone() {
            Nav::Parent(relation) => {
                let attribute = entity.attribute(&relation.attribute).ok_or_else(undeclared)?;
                let open = if self.create { attribute.create } else { attribute.update };
                if !open && self.world.settings.read_only_columns == Leniency::Refuse {
                    let message = format!("The property '{name}' cannot be set by this request: it is read-only.");
                    return Err(Fault::argument(message));
                }
                let value = match value {
                    Json::Null => None,
                    Json::String(text) => {
                        // An owner has one property for two tables.
                        let owner = [relation.referenced.as_str(), "team", "systemuser"];
                        let targets = if relation.nav == "ownerid" { &owner[..] } else { &owner[..1] };
                        Some(self.target(&entity, name, text, targets)?)
                    }
                    _ => return Err(undeclared()),
                };
                if open {
                    draft.values.insert(relation.attribute.clone(), value);
                }
            }
            Nav::Paired(pairs, first) if self.create => {
                for one in value.as_array().ok_or_else(undeclared)? {
                    let target = if first { &pairs.two.0 } else { &pairs.one.0 };
                    let text = one.as_str().ok_or_else(undeclared)?;
                    let found = self.target(&entity, name, text, &[target])?;
                    let id = super::world::referred(&found).map(|(_, id)| id.to_owned()).unwrap_or_default();
                    draft.pairs.push((pairs.clone(), first, id));
                }
            }
            Nav::Paired(..) | Nav::Children(_) => return Err(undeclared()),
        }
        Ok(())
    }

    /// The row that a bind names.
    fn target(&self, entity: &Entity, nav: &str, text: &str, targets: &[&str]) -> Result<Json, Fault> {
        let (target, key) = address::refer(self.world, self.references, text, self.at)?;
        if !targets.contains(&target.name.as_str()) {
            let why = format!("The navigation property '{nav}' does not lead to '{}'.", target.set);
            return Err(Fault::payload(&entity.set, &why));
        }
        let found = address::existing(self.world, &target, &key);
        let id = found.map_err(|fault| Fault { status: self.world.settings.missing_target_status, ..fault })?;
        Ok(reference(&target.name, &id))
    }
}
