//! From a path to what answers it: the table of path versions, the scopes of every route, the routes.

use percent_encoding::percent_decode_str;

use super::access::Need;
use super::call::Call;
use super::kinds::Kind;
use super::refusal::{Answer, Refusal};
use super::view::unknown_kind;
use super::world::World;
use super::{Hubspot, account, associations, batch, files, merge, objects, pipelines, properties, search, webhooks};

/// Date-versioned paths that are served beside v3 and v4 (sheet: HubSpot section 0b \[doc\]).
const DATED: [&str; 2] = ["2026-03", "2026-09"];

/// Where a dated family lives on canonical paths: dated prefix (`*` is the version), canonical prefix
/// (sheet: section 0b \[spec\]). The first that fits wins.
const FAMILIES: &[(&[&str], &[&str])] = &[
    (&["crm", "objects", "*"], &["crm", "v3", "objects"]),
    (&["crm", "properties", "*"], &["crm", "v3", "properties"]),
    (&["crm", "property-validations", "*"], &["crm", "v3", "property-validations"]),
    (&["crm", "associations", "*"], &["crm", "v4", "associations"]),
    (&["crm", "associations", "v4"], &["crm", "v4", "associations"]),
    (&["crm", "pipelines", "*"], &["crm", "v3", "pipelines"]),
    (&["crm", "owners", "*"], &["crm", "v3", "owners"]),
    (&["crm", "limits", "*"], &["crm", "v3", "limits"]),
    (&["crm-object-schemas", "*"], &["crm-object-schemas", "v3"]),
    (&["account-info", "*"], &["account-info", "v3"]),
    (&["files", "*"], &["files", "v3"]),
    (&["oauth", "*"], &["oauth", "v3"]),
    (&["automation", "*", "flows"], &["automation", "v4", "flows"]),
    (&["webhooks", "*"], &["webhooks", "v3"]),
];

/// A path in canonical form.
pub(crate) struct Canonical {
    /// Its decoded segments.
    pub(crate) segments: Vec<String>,
    /// It came with a version from 2026-09 on.
    pub(crate) enforce_rules: bool,
}

/// Brings a path into canonical form.
pub(crate) fn canonical(path: &str) -> Canonical {
    let given: Vec<String> = path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect();
    let enforce_rules = given.iter().take(3).any(|part| part == "2026-09");
    for (dated, plain) in FAMILIES {
        let fits = given.len() >= dated.len()
            && dated.iter().zip(&given).all(
                |(want, have)| {
                    if *want == "*" { DATED.contains(&have.as_str()) } else { want == have }
                },
            );
        if fits {
            let tail = given.iter().skip(dated.len()).cloned();
            let mut segments: Vec<String> = plain.iter().map(|s| (*s).to_owned()).chain(tail).collect();
            // Associations of one record live under objects on both, but under v4 on canonical paths.
            if segments.get(2).is_some_and(|s| s == "objects")
                && segments.get(5).is_some_and(|s| s == "associations")
                && let Some(version) = segments.get_mut(1)
            {
                "v4".clone_into(version);
            }
            return Canonical { segments, enforce_rules };
        }
    }
    Canonical { segments: given, enforce_rules }
}

/// Whether the route needs no token.
pub(crate) fn is_open(segments: &[String]) -> bool {
    matches!(segments.first().map(String::as_str), Some("oauth" | "filemanager"))
}

/// Whether the route is a search.
pub(crate) fn is_search(segments: &[String]) -> bool {
    segments.get(2).is_some_and(|s| s == "objects") && segments.last().is_some_and(|s| s == "search")
}

fn kind_of(world: &World, segments: &[String], at: usize) -> Option<Kind> {
    segments.get(at).and_then(|name| world.kinds.find(name))
}

/// Whether a request writes records, and of which kind.
pub(crate) fn written_kind(world: &World, method: &str, segments: &[String]) -> Option<Kind> {
    let reads = method == "GET" || segments.last().is_some_and(|s| s == "search" || s == "read");
    if reads || segments.get(2).is_none_or(|s| s != "objects") {
        return None;
    }
    kind_of(world, segments, 3)
}

/// What the token must be allowed to; each entry is a choice.
pub(crate) fn needs(world: &World, method: &str, segments: &[String]) -> Vec<Need> {
    let last = segments.last().map_or("", String::as_str);
    let write = method != "GET" && last != "search" && last != "read";
    let part = |at: usize| segments.get(at).map_or("", String::as_str);
    let all = |scopes: Vec<String>| scopes.into_iter().map(|scope| vec![scope]).collect::<Vec<Need>>();
    let objects =
        |at: usize| kind_of(world, segments, at).map(|k| world.kinds.object_scopes(k, write)).unwrap_or_default();
    match (part(0), part(1), part(2)) {
        ("crm", "v4", "objects") => {
            let to = if part(6) == "default" { 7 } else { 6 };
            all([objects(3), objects(to)].concat())
        }
        ("crm", "v4", "associations") => all([objects(3), objects(4)].concat()),
        ("crm", "v3", "objects") => all(objects(3)),
        ("crm", "v3", "properties" | "property-validations") => {
            let kind = kind_of(world, segments, 3);
            kind.map(|kind| vec![world.kinds.schema_scope(kind, write)]).into_iter().collect()
        }
        ("crm", "v3", "pipelines") => kind_of(world, segments, 3)
            .map(|kind| {
                let mut any = world.kinds.object_scopes(kind, write);
                any.push(world.kinds.schema_scope(kind, write));
                any
            })
            .into_iter()
            .collect(),
        ("crm", "v3", "owners") => vec![vec!["crm.objects.owners.read".to_owned()]],
        ("crm-object-schemas", ..) => {
            vec![vec![format!("crm.schemas.custom.{}", if write { "write" } else { "read" })]]
        }
        ("files", ..) => vec![vec!["files".to_owned()]],
        ("automation", ..) => vec![vec!["automation".to_owned()]],
        _ => Vec::new(),
    }
}

/// Answers a request whose sender is known and admitted.
pub(crate) fn answer(hub: &mut Hubspot, call: &Call<'_>) -> Answer {
    let kind = |hub: &Hubspot| hub.world.kinds.find(call.segment(3)).ok_or_else(|| unknown_kind(call.segment(3)));
    match (call.segment(0), call.segment(1), call.segment(2)) {
        ("crm", "v3", "objects") => {
            let kind = kind(hub)?;
            object(hub, call, kind)
        }
        ("crm", "v4", "objects") if call.segment(5) == "associations" => associations::single(hub, call),
        ("crm", "v4", "associations") => associations::many(hub, call),
        ("crm", "v3", "properties") => {
            let kind = kind(hub)?;
            properties::route(hub, call, kind)
        }
        ("crm", "v3", "property-validations") => properties::validations(hub, call, kind(hub)?),
        ("crm", "v3", "pipelines") => {
            let kind = kind(hub)?;
            pipelines::route(hub, call, kind)
        }
        ("crm", "v3", "owners") if call.request.method == "GET" => account::owners(hub, call),
        ("crm", "v3", "limits") if call.request.method == "GET" => properties::limits(hub, call),
        ("crm-object-schemas", "v3", "schemas") => account::schemas(hub, call),
        ("account-info", "v3", _) => account::info(hub, call),
        ("automation", "v3", "workflows") | ("automation", "v4", "flows") => account::automation(hub, call),
        ("files", "v3", "files") => files::route(hub, call),
        ("filemanager", "api", "v3") if call.segment(5) == "signed" => files::signed(hub, call),
        ("oauth", "authorize", _) if call.request.method == "GET" => super::oauth::authorize(hub, call),
        ("oauth", "v1" | "v3", _) => super::oauth::route(hub, call),
        ("webhooks", "v3", _) => webhooks::route(hub, call),
        _ => Err(Refusal::no_record()),
    }
}

fn object(hub: &mut Hubspot, call: &Call<'_>, kind: Kind) -> Answer {
    match (call.request.method.as_str(), call.path.len(), call.segment(4), call.segment(5)) {
        ("GET", 4, ..) => objects::list(hub, call, kind),
        ("POST", 4, ..) => objects::create(hub, call, kind),
        ("POST", 5, "search", _) => search::search(hub, call, kind),
        ("POST", 5, "merge", _) if mergeable(kind) || call.enforce_rules => merge::merge(hub, call, kind),
        ("POST", 5, "gdpr-delete", _) if kind == super::kinds::CONTACTS || call.enforce_rules => {
            objects::gdpr_delete(hub, call, kind)
        }
        ("GET", 5, ..) => objects::get(hub, call, kind),
        ("PATCH", 5, ..) => objects::update(hub, call, kind),
        ("DELETE", 5, ..) => objects::archive(hub, call, kind),
        ("POST", 6, "batch", "read") => batch::read(hub, call, kind),
        ("POST", 6, "batch", "create") => batch::create(hub, call, kind),
        ("POST", 6, "batch", "update") => batch::update(hub, call, kind),
        ("POST", 6, "batch", "upsert") => batch::upsert(hub, call, kind),
        ("POST", 6, "batch", "archive") => batch::archive(hub, call, kind),
        (_, 4 | 5, ..) => Err(Refusal::new(405, "", "Method Not Allowed")),
        _ => Err(Refusal::no_record()),
    }
}

/// Merge exists for these on v3 (sheet: section 2 \[spec\]); generic from 2026-09 on.
fn mergeable(kind: Kind) -> bool {
    use super::kinds::{COMPANIES, CONTACTS, DEALS, TICKETS};
    matches!(kind, CONTACTS | COMPANIES | DEALS | TICKETS)
}
