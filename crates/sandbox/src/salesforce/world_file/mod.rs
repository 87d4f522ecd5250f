//! An organization from a world file, and a world file from an organization.
//!
//! The file is a JSON object; every key may be missing: `platform`, `seed`, `org`, `settings`, `apps`
//! (connected apps), `passwords`, `sessions`, `objects` (custom ones), `fields` (by object: custom fields, or
//! what differs in standard ones), `validation_rules`, `duplicate_rules`, `records` (by object, each with the
//! fields that have a value), `complete` (nothing is to be filled in), `next`, `bin`, `gone`, `jobs`,
//! `schema_changed`.

mod dump;
mod records;
mod shape;

use serde_json::Value as Json;

use super::access::Session;
use super::catalogue;
use super::id;
use super::schema::{Field, Kind, OnDelete, Pick, Target};
use super::world::World;
pub use crate::world_error::WorldError;
use crate::world_error::wrong;
pub(super) use dump::dump;
use shape::WorldFile;
pub(super) use shape::{FieldSpec, Specs, ValueSpec};

/// The world of a file.
pub(super) fn load(json: Json, seed: u64) -> Result<World, WorldError> {
    let file: WorldFile = serde_json::from_value(json).map_err(WorldError::Shape)?;
    let mut world = World::blank(file.seed.unwrap_or(seed));
    world.org = file.org.clone().unwrap_or_default();
    world.settings = file.settings.clone();
    world.access.apps.clone_from(&file.apps);
    world.access.passwords.clone_from(&file.passwords);
    world.specs = Specs { objects: file.objects.clone(), fields: file.fields.clone() };
    world.next.clone_from(&file.next);
    world.jobs = file.jobs.clone();
    world.set_schema_changed(file.schema_changed);
    schema(&mut world)?;
    records::load(&mut world, &file)?;
    picklists(&mut world);
    for mut rule in file.validation_rules {
        rule.prepare(&world).map_err(|why| wrong(format!("validation rule {}: {why}", rule.name)))?;
        world.rules.validation.push(rule);
    }
    for rule in file.duplicate_rules {
        let object = world.schema.object(&rule.object).ok_or_else(|| wrong(format!("no object {}", rule.object)))?;
        if rule.fields.is_empty() || rule.fields.iter().any(|field| object.any_field(field).is_none()) {
            return Err(wrong(format!("duplicate rule {}: a field is missing", rule.name)));
        }
        world.rules.duplicate.push(rule);
    }
    world.access.sessions = file.sessions;
    defaults(&mut world);
    drop(world.settle());
    Ok(world)
}

/// A session and an app for whoever has none.
fn defaults(world: &mut World) {
    let users = world.rows("User").filter(|(_, user)| user.get("IsActive") == Some(&Json::Bool(true)));
    let admin = users.map(|(id, user)| (id.clone(), super::world::text(user, "Username").to_owned())).next();
    let Some((user, username)) = admin else { return };
    if world.access.sessions.is_empty() {
        let drawn = world.draw_token("first session", 94);
        let token = format!("{}!AQ{drawn}", world.org.id.get(..15).unwrap_or(""));
        world.access.sessions.insert(token, Session { user, used: None, refreshable: false });
    }
    if world.access.apps.is_empty() {
        let client_id = format!("3MVG9{}", world.draw_token("client id", 80));
        let client_secret = world.draw_token("client secret", 64);
        let refresh = format!("5Aep{}", world.draw_token("refresh token", 60));
        world.access.apps.push(super::access::App {
            client_id,
            client_secret,
            run_as: Some(username.clone()),
            preauthorised: vec!["*".to_owned()],
            refresh_tokens: [(refresh, username.clone())].into(),
            codes: std::collections::BTreeMap::new(),
        });
    }
    if world.access.passwords.is_empty() {
        let password = format!("pass{}", world.draw_token("password", 24));
        world.access.passwords.insert(username, password);
    }
}

/// The standard objects, then what the file says of objects and fields.
fn schema(world: &mut World) -> Result<(), WorldError> {
    for mut object in catalogue::standard().map_err(wrong)? {
        if !object.setup {
            audit(&mut object, world.settings.audit_fields);
            if world.org.multi_currency {
                object.push(currency(&object.name));
            }
        }
        if !world.org.multi_currency && object.name == "CurrencyType" {
            continue;
        }
        world.schema.add(object);
    }
    for spec in world.specs.objects.clone() {
        let prefix = spec.prefix.clone().unwrap_or_else(|| world.schema.free_prefix());
        let mut object = spec.object(&prefix).map_err(wrong)?;
        catalogue::system_fields(&mut object);
        audit(&mut object, world.settings.audit_fields);
        if world.org.multi_currency {
            object.push(currency(&object.name));
        }
        world.schema.add(object);
    }
    for (name, fields) in world.specs.fields.clone() {
        for spec in fields {
            apply(world, &name, &spec)?;
        }
    }
    for spec in world.specs.objects.clone() {
        for field in &spec.fields {
            apply(world, &spec.name, field)?;
        }
    }
    world.schema.open_to_custom();
    Ok(())
}

/// With the permission, a create may set who made a record and when (sheet: section 5.6).
fn audit(object: &mut super::schema::Object, allowed: bool) {
    if !allowed || !object.createable {
        return;
    }
    for name in ["CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById"] {
        if let Some(field) = object.field_mut(name) {
            field.createable = true;
        }
    }
}

/// The currency of a record: a line's is that of its opportunity, a price's stays (object reference).
fn currency(object: &str) -> Field {
    let mut field = Field::new("CurrencyIsoCode", Kind::Picklist);
    field.length = 3;
    (field.createable, field.updateable, field.nillable, field.defaulted) = (true, true, true, true);
    field.createable = object != "OpportunityLineItem";
    field.updateable = !matches!(object, "OpportunityLineItem" | "PricebookEntry");
    field.restricted = true;
    field
}

/// Adds a field to an object, or changes a standard one.
pub(super) fn apply(world: &mut World, object: &str, spec: &FieldSpec) -> Result<(), WorldError> {
    let known = world.schema.object(object).ok_or_else(|| wrong(format!("there is no object {object}")))?;
    let before = known.any_field(&spec.name).cloned();
    for target in &spec.reference_to {
        if world.schema.object(target).is_none() {
            return Err(wrong(format!("{object}.{}: there is no object {target}", spec.name)));
        }
    }
    let name = known.name.clone();
    let field = spec.field(before.as_ref()).map_err(wrong)?;
    if let Some(object) = world.schema.object_mut(&name) {
        object.push(field);
    }
    Ok(())
}

/// Stages and statuses are records; the picklists show them.
fn picklists(world: &mut World) {
    for (list, object, field) in [
        ("OpportunityStage", "Opportunity", "StageName"),
        ("LeadStatus", "Lead", "Status"),
        ("CaseStatus", "Case", "Status"),
        ("TaskStatus", "Task", "Status"),
        ("CurrencyType", "", "CurrencyIsoCode"),
    ] {
        let value = |row: &super::world::Record, name: &str| super::world::text(row, name).to_owned();
        let mut rows: Vec<(i64, Pick)> = world
            .rows(list)
            .map(|(_, row)| {
                let api = [value(row, "ApiName"), value(row, "IsoCode"), value(row, "MasterLabel")];
                let name = api.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
                let mut pick = Pick::of(&name);
                pick.default = row.get("IsDefault") == Some(&Json::Bool(true));
                pick.active = row.get("IsActive") != Some(&Json::Bool(false)) || !row.contains_key("SortOrder");
                (row.get("SortOrder").and_then(Json::as_i64).unwrap_or(0), pick)
            })
            .collect();
        rows.sort_by_key(|(order, _)| *order);
        let picks: Vec<Pick> = rows.into_iter().map(|(_, pick)| pick).collect();
        let default = picks.iter().find(|pick| pick.default).map(|pick| Json::String(pick.value.clone()));
        for of in world.schema.objects.values_mut().filter(|of| object.is_empty() || of.name == object) {
            if let Some(field) = of.field_mut(field) {
                field.values.clone_from(&picks);
                field.default.clone_from(&default);
            }
        }
    }
}

impl FieldSpec {
    /// The field; `before` is the standard field that it changes.
    fn field(&self, before: Option<&Field>) -> Result<Field, String> {
        let kind = match (&self.kind, before) {
            (Some(kind), _) => kind.parse()?,
            (None, Some(before)) => before.kind,
            (None, None) => Kind::Text,
        };
        let mut field = before.cloned().unwrap_or_else(|| {
            let mut field = Field::new(&self.name, kind);
            let open = self.formula.is_none() && !self.auto_number;
            (field.createable, field.updateable, field.nillable) = (open, open, true);
            field.length = if kind.is_text() && !kind.is_id() { 255 } else { field.length };
            if kind.is_number() {
                field.size(18, 0);
            }
            field
        });
        if let Some(length) = self.length {
            field.length = length;
            if kind == Kind::Textarea && length > 255 {
                (field.filterable, field.sortable) = (false, false);
            }
        }
        field.precision = self.precision.unwrap_or(field.precision);
        field.scale = self.scale.unwrap_or(field.scale);
        field.label = self.label.clone().unwrap_or(field.label);
        field.unique |= self.unique;
        field.external_id |= self.external_id;
        field.case_sensitive |= self.case_sensitive;
        field.restricted = self.restricted.unwrap_or(field.restricted);
        field.hidden = self.hidden;
        field.html |= self.html;
        field.auto_number |= self.auto_number;
        field.controller = self.controller.clone().or(field.controller);
        field.formula = self.formula.clone().or(field.formula);
        field.default = self.default.clone().or(field.default);
        if self.required == Some(true) || self.master_detail {
            field.nillable = false;
        }
        if kind == Kind::Boolean {
            field.nillable = false;
            field.defaulted = true;
            field.default = field.default.or(Some(Json::Bool(false)));
        }
        field.defaulted |= self.default.is_some() || self.auto_number;
        if !self.values.is_empty() {
            field.values = self.values.iter().map(shape::ValueSpec::pick).collect();
        }
        if !self.reference_to.is_empty() {
            let on_delete = if self.master_detail { OnDelete::Cascade } else { OnDelete::Clear };
            let children = self.children.clone();
            let target = |object: &String| Target { object: object.clone(), children: children.clone(), on_delete };
            field.targets = self.reference_to.iter().map(target).collect();
            field.updateable &= !self.master_detail;
        }
        Ok(field)
    }
}

/// An id of a file in its long form.
fn read_id(text: &str) -> Result<String, WorldError> {
    id::parse(text).ok_or_else(|| wrong(format!("`{text}` is no id")))
}
