//! Every route: method, path, token cost, scopes, handler (sheet: Pipedrive section 2 \[spec\]).
//!
//! Costs that the sheet lacks are v1's generic ones (get 2, list 20, write 10, delete 6), or half of
//! them in v2.

use super::call::Call;
use super::refusal::{self, Answer};
use super::world::World;
use super::{
    activity_types, calls, deal_products, feeds, field_routes, files, filters, leads, mail, merge, notes, objects,
    pipelines, relations, search, users, webhooks,
};
use crate::Reply;

/// Answers one request of a route.
pub(super) type Handler = fn(&mut World, &mut Call<'_>) -> Answer;

/// The family of scopes that a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Base,
    Deals,
    Contacts,
    Activities,
    Products,
    Leads,
    /// Notes, files and filters come with deals or contacts.
    Either,
    DealFields,
    ContactFields,
    ProductFields,
    Admin,
    Users,
    Recents,
    Search,
    Mail,
    Phone,
}

/// One route.
#[derive(Debug)]
pub(super) struct Route {
    method: &'static str,
    pattern: &'static str,
    pub(super) cost: u64,
    scope: Scope,
    pub(super) search: bool,
    pub(super) handler: Handler,
}

/// What a path leads to.
pub(super) enum Found {
    Route(&'static Route, Vec<String>),
    Authorize,
    Token,
    Revoke,
    Reply(Reply),
}

const fn route(method: &'static str, pattern: &'static str, cost: u64, scope: Scope, handler: Handler) -> Route {
    Route { method, pattern, cost, scope, search: false, handler }
}

const fn searching(pattern: &'static str, cost: u64, handler: Handler) -> Route {
    Route { method: "GET", pattern, cost, scope: Scope::Search, search: true, handler }
}

use Scope::{
    Activities, Admin, Base, ContactFields, Contacts, DealFields, Deals, Either, Leads, Mail, Phone, ProductFields,
    Products, Recents, Users,
};

static ROUTES: &[Route] = &[
    // v2 records.
    searching("v2/deals/search", 20, search::objects),
    searching("v2/persons/search", 20, search::objects),
    searching("v2/organizations/search", 20, search::objects),
    searching("v2/products/search", 20, search::objects),
    searching("v2/leads/search", 20, search::objects),
    searching("v2/itemSearch", 20, search::items),
    searching("v2/itemSearch/field", 20, search::field),
    route("GET", "v2/deals", 10, Deals, objects::list),
    route("GET", "v2/deals/archived", 20, Deals, objects::list_archived),
    route("POST", "v2/deals", 5, Deals, objects::create),
    route("GET", "v2/deals/{}", 1, Deals, objects::get),
    route("PATCH", "v2/deals/{}", 5, Deals, objects::update),
    route("DELETE", "v2/deals/{}", 3, Deals, objects::delete),
    route("GET", "v2/deals/products", 10, Deals, deal_products::list_many),
    route("GET", "v2/deals/{}/products", 10, Deals, deal_products::list),
    route("POST", "v2/deals/{}/products", 5, Deals, deal_products::add),
    route("POST", "v2/deals/{}/products/bulk", 25, Deals, deal_products::add_many),
    route("DELETE", "v2/deals/{}/products", 15, Deals, deal_products::delete_many),
    route("PATCH", "v2/deals/{}/products/{}", 5, Deals, deal_products::update),
    route("DELETE", "v2/deals/{}/products/{}", 3, Deals, deal_products::delete),
    route("GET", "v2/persons", 10, Contacts, objects::list),
    route("POST", "v2/persons", 5, Contacts, objects::create),
    route("GET", "v2/persons/{}", 1, Contacts, objects::get),
    route("PATCH", "v2/persons/{}", 5, Contacts, objects::update),
    route("DELETE", "v2/persons/{}", 3, Contacts, objects::delete),
    route("GET", "v2/organizations", 10, Contacts, objects::list),
    route("POST", "v2/organizations", 5, Contacts, objects::create),
    route("GET", "v2/organizations/{}", 1, Contacts, objects::get),
    route("PATCH", "v2/organizations/{}", 5, Contacts, objects::update),
    route("DELETE", "v2/organizations/{}", 3, Contacts, objects::delete),
    route("GET", "v2/activities", 10, Activities, objects::list),
    route("POST", "v2/activities", 5, Activities, objects::create),
    route("GET", "v2/activities/{}", 1, Activities, objects::get),
    route("PATCH", "v2/activities/{}", 5, Activities, objects::update),
    route("DELETE", "v2/activities/{}", 3, Activities, objects::delete),
    route("GET", "v2/products", 10, Products, objects::list),
    route("POST", "v2/products", 5, Products, objects::create),
    route("GET", "v2/products/{}", 1, Products, objects::get),
    route("PATCH", "v2/products/{}", 5, Products, objects::update),
    route("DELETE", "v2/products/{}", 3, Products, objects::delete),
    route("GET", "v2/pipelines", 5, Deals, pipelines::list),
    route("POST", "v2/pipelines", 5, Admin, pipelines::create),
    route("GET", "v2/pipelines/{}", 1, Deals, pipelines::get),
    route("PATCH", "v2/pipelines/{}", 5, Admin, pipelines::update),
    route("DELETE", "v2/pipelines/{}", 3, Admin, pipelines::delete),
    route("GET", "v2/stages", 5, Deals, pipelines::list),
    route("POST", "v2/stages", 5, Admin, pipelines::create),
    route("GET", "v2/stages/{}", 1, Deals, pipelines::get),
    route("PATCH", "v2/stages/{}", 5, Admin, pipelines::update),
    route("DELETE", "v2/stages/{}", 3, Admin, pipelines::delete),
    // v2 fields.
    route("GET", "v2/dealFields", 10, DealFields, field_routes::list),
    route("POST", "v2/dealFields", 5, DealFields, field_routes::create),
    route("GET", "v2/dealFields/{}", 1, DealFields, field_routes::get),
    route("PATCH", "v2/dealFields/{}", 5, DealFields, field_routes::update),
    route("DELETE", "v2/dealFields/{}", 3, DealFields, field_routes::delete),
    route("POST", "v2/dealFields/{}/options", 5, DealFields, field_routes::add_options),
    route("PATCH", "v2/dealFields/{}/options", 5, DealFields, field_routes::rename_options),
    route("DELETE", "v2/dealFields/{}/options", 3, DealFields, field_routes::delete_options),
    route("GET", "v2/personFields", 10, ContactFields, field_routes::list),
    route("POST", "v2/personFields", 5, ContactFields, field_routes::create),
    route("GET", "v2/personFields/{}", 1, ContactFields, field_routes::get),
    route("PATCH", "v2/personFields/{}", 5, ContactFields, field_routes::update),
    route("DELETE", "v2/personFields/{}", 3, ContactFields, field_routes::delete),
    route("POST", "v2/personFields/{}/options", 5, ContactFields, field_routes::add_options),
    route("PATCH", "v2/personFields/{}/options", 5, ContactFields, field_routes::rename_options),
    route("DELETE", "v2/personFields/{}/options", 3, ContactFields, field_routes::delete_options),
    route("GET", "v2/organizationFields", 10, ContactFields, field_routes::list),
    route("POST", "v2/organizationFields", 5, ContactFields, field_routes::create),
    route("GET", "v2/organizationFields/{}", 1, ContactFields, field_routes::get),
    route("PATCH", "v2/organizationFields/{}", 5, ContactFields, field_routes::update),
    route("DELETE", "v2/organizationFields/{}", 3, ContactFields, field_routes::delete),
    route("POST", "v2/organizationFields/{}/options", 5, ContactFields, field_routes::add_options),
    route("PATCH", "v2/organizationFields/{}/options", 5, ContactFields, field_routes::rename_options),
    route("DELETE", "v2/organizationFields/{}/options", 3, ContactFields, field_routes::delete_options),
    route("GET", "v2/productFields", 10, ProductFields, field_routes::list),
    route("POST", "v2/productFields", 5, ProductFields, field_routes::create),
    route("GET", "v2/productFields/{}", 1, ProductFields, field_routes::get),
    route("PATCH", "v2/productFields/{}", 5, ProductFields, field_routes::update),
    route("DELETE", "v2/productFields/{}", 3, ProductFields, field_routes::delete),
    route("POST", "v2/productFields/{}/options", 5, ProductFields, field_routes::add_options),
    route("PATCH", "v2/productFields/{}/options", 5, ProductFields, field_routes::rename_options),
    route("DELETE", "v2/productFields/{}/options", 3, ProductFields, field_routes::delete_options),
    route("GET", "v2/activityFields", 10, Activities, field_routes::list),
    route("GET", "v2/activityFields/{}", 1, Activities, field_routes::get),
    // v1.
    route("GET", "v1/dealFields", 20, DealFields, field_routes::list_v1),
    route("GET", "v1/personFields", 20, ContactFields, field_routes::list_v1),
    route("GET", "v1/organizationFields", 20, ContactFields, field_routes::list_v1),
    route("GET", "v1/productFields", 20, ProductFields, field_routes::list_v1),
    route("GET", "v1/leadFields", 20, DealFields, field_routes::list_v1),
    route("GET", "v1/noteFields", 20, Either, field_routes::list_v1),
    route("GET", "v1/notes", 20, Either, notes::list),
    route("POST", "v1/notes", 10, Either, notes::create),
    route("GET", "v1/notes/{}", 2, Either, notes::get),
    route("PUT", "v1/notes/{}", 10, Either, notes::update),
    route("DELETE", "v1/notes/{}", 6, Either, notes::delete),
    route("GET", "v1/files", 20, Either, files::list),
    route("POST", "v1/files", 10, Either, files::upload),
    route("GET", "v1/files/{}", 2, Either, files::get),
    route("GET", "v1/files/{}/download", 20, Either, files::download),
    route("PUT", "v1/files/{}", 10, Either, files::update),
    route("DELETE", "v1/files/{}", 6, Either, files::delete),
    route("GET", "v1/users", 20, Users, users::list),
    route("POST", "v1/users", 10, Admin, users::create),
    route("GET", "v1/users/me", 2, Base, users::me),
    route("GET", "v1/users/find", 40, Users, users::find),
    route("GET", "v1/users/{}", 2, Users, users::get),
    route("PUT", "v1/users/{}", 10, Admin, users::update),
    route("GET", "v1/currencies", 20, Base, users::currencies),
    route("GET", "v1/activityTypes", 20, Activities, activity_types::list),
    route("POST", "v1/activityTypes", 10, Admin, activity_types::create),
    route("PUT", "v1/activityTypes/{}", 10, Admin, activity_types::update),
    route("DELETE", "v1/activityTypes/{}", 6, Admin, activity_types::delete),
    route("GET", "v1/organizationRelationships", 20, Contacts, relations::list),
    route("POST", "v1/organizationRelationships", 10, Contacts, relations::create),
    route("GET", "v1/organizationRelationships/{}", 2, Contacts, relations::get),
    route("DELETE", "v1/organizationRelationships/{}", 6, Contacts, relations::delete),
    route("GET", "v1/deals/{}/participants", 10, Deals, relations::participants),
    route("POST", "v1/deals/{}/participants", 10, Deals, relations::add_participant),
    route("DELETE", "v1/deals/{}/participants/{}", 6, Deals, relations::drop_participant),
    route("PUT", "v1/deals/{}/merge", 40, Deals, merge::merge),
    route("PUT", "v1/persons/{}/merge", 40, Contacts, merge::merge),
    route("PUT", "v1/organizations/{}/merge", 40, Contacts, merge::merge),
    route("GET", "v1/deals/{}/changelog", 20, Deals, feeds::changelog),
    route("GET", "v1/persons/{}/changelog", 20, Contacts, feeds::changelog),
    route("GET", "v1/organizations/{}/changelog", 20, Contacts, feeds::changelog),
    route("GET", "v1/deals/{}/mailMessages", 20, Mail, mail::list),
    route("GET", "v1/persons/{}/mailMessages", 20, Mail, mail::list),
    route("GET", "v1/mailbox/mailMessages/{}", 2, Mail, mail::get),
    route("DELETE", "v1/mailbox/mailThreads/{}", 6, Mail, mail::delete_thread),
    route("GET", "v1/recents", 20, Recents, feeds::recents),
    route("GET", "v1/webhooks", 10, Admin, webhooks::list),
    route("POST", "v1/webhooks", 10, Admin, webhooks::create),
    route("DELETE", "v1/webhooks/{}", 6, Admin, webhooks::delete),
    route("GET", "v1/leads", 20, Leads, leads::list),
    route("GET", "v1/leads/archived", 40, Leads, leads::list_archived),
    route("POST", "v1/leads", 10, Leads, leads::create),
    route("GET", "v1/leads/{}", 2, Leads, leads::get),
    route("PATCH", "v1/leads/{}", 10, Leads, leads::update),
    route("DELETE", "v1/leads/{}", 6, Leads, leads::delete),
    route("GET", "v1/leadLabels", 10, Leads, leads::labels),
    route("POST", "v1/leadLabels", 10, Leads, leads::add_label),
    route("PATCH", "v1/leadLabels/{}", 10, Leads, leads::update_label),
    route("DELETE", "v1/leadLabels/{}", 6, Leads, leads::delete_label),
    route("GET", "v1/callLogs", 20, Phone, calls::list),
    route("POST", "v1/callLogs", 10, Phone, calls::create),
    route("GET", "v1/callLogs/{}", 2, Phone, calls::get),
    route("DELETE", "v1/callLogs/{}", 6, Phone, calls::delete),
    route("GET", "v1/filters", 20, Either, filters::list),
    route("POST", "v1/filters", 10, Either, filters::create),
    route("GET", "v1/filters/{}", 2, Either, filters::get),
    route("DELETE", "v1/filters/{}", 6, Either, filters::delete),
];

/// v1 collections whose support ended on 2026-08-01.
const RETIRED: [&str; 8] =
    ["deals", "persons", "organizations", "activities", "products", "pipelines", "stages", "itemSearch"];

impl Route {
    /// Scopes, any one of which suffices.
    pub(super) fn scopes(&self) -> &'static [&'static str] {
        let reads = self.method == "GET";
        match (self.scope, reads) {
            (Base, _) => &[],
            (Deals, true) => &["deals:read", "deals:full"],
            (Deals, false) => &["deals:full"],
            (Contacts, true) => &["contacts:read", "contacts:full"],
            (Contacts, false) => &["contacts:full"],
            (Activities, true) => &["activities:read", "activities:full"],
            (Activities, false) => &["activities:full"],
            (Products, true) => &["products:read", "products:full"],
            (Products, false) => &["products:full"],
            (Leads, true) => &["leads:read", "leads:full"],
            (Leads, false) => &["leads:full"],
            (Either, true) => &["deals:read", "deals:full", "contacts:read", "contacts:full"],
            (Either, false) => &["deals:full", "contacts:full"],
            (DealFields, true) => &["deals:read", "deals:full", "deal-fields:full", "admin"],
            (DealFields, false) => &["deal-fields:full", "admin"],
            (ContactFields, true) => &["contacts:read", "contacts:full", "contact-fields:full", "admin"],
            (ContactFields, false) => &["contact-fields:full", "admin"],
            (ProductFields, true) => &["products:read", "products:full", "product-fields:full", "admin"],
            (ProductFields, false) => &["product-fields:full", "admin"],
            (Admin, _) => &["admin"],
            (Users, _) => &["users:read", "admin"],
            (Recents, _) => &["recents:read"],
            (Scope::Search, _) => &["search:read"],
            (Mail, true) => &["mail:read", "mail:full"],
            (Mail, false) => &["mail:full"],
            (Phone, _) => &["phone-integration"],
        }
    }
}

/// Finds the route of a request.
pub(super) fn find(method: &str, path: &str) -> Found {
    match (method, path) {
        ("GET", "/oauth/authorize") => return Found::Authorize,
        ("POST", "/oauth/token") => return Found::Token,
        ("POST", "/oauth/revoke") => return Found::Revoke,
        _ => {}
    }
    let (version, rest) = if let Some(rest) = path.strip_prefix("/api/v2/") {
        ("v2", rest)
    } else if let Some(rest) = path.strip_prefix("/api/v1/").or(path.strip_prefix("/v1/")) {
        ("v1", rest)
    } else {
        let html = path.starts_with("/api/v2");
        return Found::Reply(if html { refusal::unknown_v2_path() } else { refusal::unknown_v1_path() });
    };
    let parts: Vec<&str> = rest.trim_end_matches('/').split('/').collect();
    let mut elsewhere = false;
    let mut best: Option<(&'static Route, Vec<String>)> = None;
    for route in ROUTES {
        let Some(open) = matches(route.pattern, version, &parts) else { continue };
        if route.method != method {
            elsewhere = true;
        } else if best.as_ref().is_none_or(|(_, found)| open.len() < found.len()) {
            // `deals/archived` is closer than `deals/{}`.
            best = Some((route, open));
        }
    }
    if let Some((route, open)) = best {
        return Found::Route(route, open);
    }
    Found::Reply(match version {
        _ if elsewhere => refusal::wrong_method(),
        "v2" => refusal::unknown_v2_path(),
        _ if parts.first().is_some_and(|first| RETIRED.contains(first)) => refusal::retired_path(),
        _ => refusal::unknown_v1_path(),
    })
}

fn matches(pattern: &str, version: &str, parts: &[&str]) -> Option<Vec<String>> {
    let mut pattern = pattern.split('/');
    if pattern.next() != Some(version) {
        return None;
    }
    let mut open = Vec::new();
    let mut parts = parts.iter();
    loop {
        match (pattern.next(), parts.next()) {
            (None, None) => return Some(open),
            (Some("{}"), Some(part)) => open.push((*part).to_owned()),
            (Some(wanted), Some(part)) if wanted == *part => {}
            _ => return None,
        }
    }
}
