//! A record as the API shows it (sheet: HubSpot section 2.1 \[spec/obs\]): every value a string or null,
//! ids as strings, the object id and both times always there.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use super::call::Call;
use super::instant::iso;
use super::kinds::{self, Kind, Kinds};
use super::link_types::LinkType;
use super::links::Node;
use super::property::PropIx;
use super::record::Record;
use super::refusal::Refusal;
use super::world::World;

/// Associations of one kind that a record shows before `paging`.
const ASSOCIATIONS_SHOWN: usize = 100;

/// What of a record is wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    /// Properties by name; empty: the defaults of the kind.
    pub(crate) properties: Vec<String>,
    /// Properties with their history.
    pub(crate) history: Vec<String>,
    /// Kinds whose associations come along.
    pub(crate) associations: Vec<Kind>,
}

impl Selection {
    /// From the query of a list or get.
    pub(crate) fn of_query(world: &World, call: &Call<'_>) -> Result<Self, Refusal> {
        let associations = call
            .list("associations")
            .iter()
            .map(|name| world.kinds.find(name).ok_or_else(|| unknown_kind(name)))
            .collect::<Result<_, _>>()?;
        Ok(Self { properties: call.list("properties"), history: call.list("propertiesWithHistory"), associations })
    }

    /// From the body of a batch read or search.
    pub(crate) fn of_body(body: &Map<String, Json>) -> Result<Self, Refusal> {
        let names = |field: &str| match body.get(field) {
            None | Some(Json::Null) => Ok(Vec::new()),
            Some(Json::Array(all)) => Ok(all.iter().filter_map(Json::as_str).map(str::to_owned).collect()),
            Some(other) => {
                Err(Refusal::json(&format!("Cannot deserialize {field} from {}", super::values::shape(other))))
            }
        };
        Ok(Self {
            properties: names("properties")?,
            history: names("propertiesWithHistory")?,
            associations: Vec::new(),
        })
    }
}

/// Kinds that HubSpot has and the sandbox leaves out, with the word of their scope (sheet: section 2 \[doc\]).
const LEFT_OUT: [(&str, &str); 8] = [
    ("goal_targets", "goals"),
    ("feedback_submissions", "feedback_submissions"),
    ("invoices", "invoices"),
    ("subscriptions", "subscriptions"),
    ("orders", "orders"),
    ("carts", "carts"),
    ("appointments", "appointments"),
    ("services", "services"),
];

/// 400 for a kind that does not exist; for one that the sandbox leaves out 403, as for an app that was never granted
/// its scope, because clients that read whatever there is go on after that.
pub(crate) fn unknown_kind(name: &str) -> Refusal {
    if let Some((_, word)) = LEFT_OUT.iter().find(|(known, _)| *known == name) {
        return super::access::missing_scopes(&[&format!("crm.objects.{word}.read")]);
    }
    Refusal::invalid(format!("Unable to infer object type from: {name}"))
}

/// Properties that come without being asked for.
fn defaults(kind: Kind) -> &'static [&'static str] {
    match kind {
        kinds::CONTACTS => &["email", "firstname", "lastname"],
        kinds::COMPANIES => &["domain", "name"],
        kinds::DEALS => &["amount", "closedate", "dealname", "dealstage", "pipeline"],
        kinds::TICKETS => {
            &["content", "hs_pipeline", "hs_pipeline_stage", "hs_ticket_category", "hs_ticket_priority", "subject"]
        }
        kinds::PRODUCTS => &["description", "name", "price"],
        kinds::LINE_ITEMS => &["amount", "hs_product_id", "quantity"],
        kinds::LEADS => &["hs_lead_name"],
        _ => &[],
    }
}

/// The record under a selection.
pub(crate) fn record_json(world: &World, kind: Kind, record: &Record, wanted: &Selection) -> Map<String, Json> {
    let mut names: BTreeSet<&str> =
        BTreeSet::from(["hs_object_id", Kinds::created_property(kind), Kinds::modified_property(kind)]);
    if wanted.properties.is_empty() {
        names.extend(defaults(kind));
    } else {
        names.extend(wanted.properties.iter().map(String::as_str));
    }
    names.extend(wanted.history.iter().map(String::as_str));
    let mut out = base(world, kind, record, names);
    if !wanted.history.is_empty() {
        out.insert("propertiesWithHistory".into(), history(world, kind, record, &wanted.history));
    }
    let mut associations = Map::new();
    for &other in &wanted.associations {
        let found = association_list(world, Node { kind, id: record.id }, other);
        if let Some(found) = found {
            associations.insert(world.kinds.plural(other).to_owned(), found);
        }
    }
    if !associations.is_empty() {
        out.insert("associations".into(), Json::Object(associations));
    }
    out
}

/// The record as a write returns it: the defaults and what was written.
pub(crate) fn written_json(world: &World, kind: Kind, record: &Record, written: &[PropIx]) -> Map<String, Json> {
    let schema = world.schema(kind);
    let mut names: BTreeSet<&str> =
        BTreeSet::from(["hs_object_id", Kinds::created_property(kind), Kinds::modified_property(kind)]);
    let set = |name: &&&str| schema.index(name).is_some_and(|ix| record.value(ix).is_some());
    names.extend(defaults(kind).iter().filter(set));
    names.extend(written.iter().filter_map(|ix| schema.get(*ix)).map(|p| p.name.as_str()));
    base(world, kind, record, names)
}

fn base(world: &World, kind: Kind, record: &Record, names: BTreeSet<&str>) -> Map<String, Json> {
    let mut properties = Map::new();
    for name in names {
        let value = world.value(kind, record, name);
        let known = world.schema(kind).live(name).is_some();
        match value {
            Some(value) if known => {
                properties.insert(name.to_owned(), value.into_owned().into());
            }
            _ if known && world.settings.empty_as_null => {
                properties.insert(name.to_owned(), Json::Null);
            }
            _ => {}
        }
    }
    let mut out = Map::new();
    out.insert("id".into(), record.id.to_string().into());
    out.insert("properties".into(), Json::Object(properties));
    out.insert("createdAt".into(), created(world, kind, record).into());
    out.insert("updatedAt".into(), iso(record.updated_at).into());
    out.insert("archived".into(), record.archived_at.is_some().into());
    if let Some(at) = record.archived_at {
        out.insert("archivedAt".into(), iso(at).into());
    }
    if !Kinds::is_activity(kind) {
        let account = &world.account;
        let url = format!(
            "https://{}/contacts/{}/record/{}/{}",
            account.ui_domain,
            account.portal_id,
            world.kinds.type_id(kind),
            record.id
        );
        out.insert("url".into(), url.into());
    }
    out
}

/// `createdAt` follows a written `createdate`.
fn created(world: &World, kind: Kind, record: &Record) -> String {
    let shown = world.value(kind, record, Kinds::created_property(kind));
    shown.map_or_else(|| iso(record.created_at), std::borrow::Cow::into_owned)
}

fn history(world: &World, kind: Kind, record: &Record, names: &[String]) -> Json {
    let mut out = Map::new();
    for name in names {
        let Some(ix) = world.schema(kind).live_index(name) else { continue };
        let versions: Vec<Json> = record
            .versions(ix)
            .iter()
            .map(|past| {
                let (source, id) = past.source.names();
                let mut version = json!({"value": past.value.as_deref().unwrap_or(""), "timestamp": iso(past.at),
                    "sourceType": source, "sourceId": id});
                if let (super::record::Source::User(user), Some(version)) = (&past.source, version.as_object_mut()) {
                    version.insert("updatedByUserId".into(), (*user).into());
                }
                version
            })
            .collect();
        out.insert(name.clone(), versions.into());
    }
    Json::Object(out)
}

fn association_list(world: &World, from: Node, kind: Kind) -> Option<Json> {
    let mut results = Vec::new();
    let mut more = None;
    for (to, types) in world.links.of(from, kind, 0) {
        if results.len() >= ASSOCIATIONS_SHOWN {
            more = Some(to.id);
            break;
        }
        for name in type_names(world, from.kind, kind, types) {
            results.push(json!({"id": to.id.to_string(), "type": name}));
        }
    }
    if results.is_empty() {
        return None;
    }
    let mut out: Json = [("results", Json::Array(results))].into_iter().collect();
    if let (Some(after), Some(object)) = (more, out.as_object_mut()) {
        let link = format!(
            "https://api.hubapi.com/crm/v4/objects/{}/{}/associations/{}?after={after}",
            world.kinds.plural(from.kind),
            from.id,
            world.kinds.plural(kind)
        );
        object.insert("paging".into(), json!({"next": {"after": after.to_string(), "link": link}}));
    }
    Some(out)
}

fn type_names(world: &World, from: Kind, to: Kind, types: &[LinkType]) -> Vec<String> {
    types.iter().filter_map(|&link| world.link_types.row(from, to, link)).map(|row| row.name.clone()).collect()
}
