//! FetchXML (sheet: section 2): a table, its columns, conditions, joins, order and pages. What is not understood is
//! refused.

mod condition;
mod xml;

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::call::Call;
use super::odata::{Options, compare};
use super::refusal::{Answer, Fault};
use super::schema::Entity;
use super::view::Lens;
use super::world::{Record, World, referred};
use crate::Reply;
use xml::Element;

fn bad(why: impl Into<String>) -> Fault {
    Fault::new(400, "0x80041130", why)
}

/// A joined table.
struct Link {
    alias: String,
    entity: Arc<Entity>,
    from: String,
    to: String,
    outer: bool,
    element: Element,
    links: Vec<Link>,
}

/// A row that was joined: its alias, its table, itself.
type Partner<'a> = (String, Arc<Entity>, &'a Record);

/// A row with the rows joined to it.
type Joined<'a> = (&'a Record, Vec<Partner<'a>>);

/// `GET /accounts?fetchXml=...`.
pub(super) fn answer(world: &World, call: &Call<'_>, entity: &Arc<Entity>) -> Answer {
    let text = call.request.param("fetchXml").unwrap_or("");
    let fetch = xml::parse(text).filter(|fetch| fetch.name == "fetch").ok_or_else(|| bad("Invalid XML."))?;
    known(
        &fetch,
        &[
            "version",
            "mapping",
            "page",
            "count",
            "paging-cookie",
            "returntotalrecordcount",
            "top",
            "distinct",
            "no-lock",
            "output-format",
            "xmlns:generator",
        ],
    )?;
    let [table] = fetch.children.as_slice() else { return Err(bad("A fetch has one entity element.")) };
    if table.name != "entity" || table.attribute("name") != Some(entity.name.as_str()) {
        return Err(bad("The entity of the fetch is not that of the request."));
    }
    let links = links(world, entity, table)?;
    check(entity, table)?;
    let mut rows: Vec<Joined<'_>> = Vec::new();
    for (_, row) in world.scan(entity) {
        if !condition::holds(world, entity, row, table)? {
            continue;
        }
        rows.extend(join(world, row, &links)?.into_iter().map(|joined| (row, joined)));
    }
    order(world, entity, table, &mut rows);
    let total = rows.len();
    let number = |name: &str| {
        fetch
            .attribute(name)
            .map(|text| text.parse::<usize>().map_err(|_| bad(format!("{name} is no number."))))
            .transpose()
    };
    let size =
        number("count")?.or(call.prefer.page).unwrap_or(world.settings.page_rows).clamp(1, world.settings.page_rows);
    let (page, top) = (number("page")?.unwrap_or(1).max(1), number("top")?);
    if top.is_some() && (fetch.attribute("page").is_some() || fetch.attribute("count").is_some()) {
        return Err(bad("The top attribute can't be specified with paging attribute page."));
    }
    let size = top.unwrap_or(size);
    let rows: Vec<Joined<'_>> = rows.into_iter().skip((page - 1).saturating_mul(size)).take(size).collect();
    let more = top.is_none() && page.saturating_mul(size) < total;
    let lens = Lens { world, prefer: &call.prefer, base: &call.base };
    let value: Vec<Json> = rows.iter().map(|row| Json::Object(shown(&lens, entity, table, &links, row))).collect();
    let mut body = json!({"@odata.context": format!("{}$metadata#{}", call.base, entity.set)});
    if fetch.flag("returntotalrecordcount") {
        body["@odata.count"] = json!(total.min(5_000));
        body["@Microsoft.Dynamics.CRM.totalrecordcount"] = json!(total.min(5_000));
    }
    body["@Microsoft.Dynamics.CRM.morerecords"] = json!(more);
    if more {
        let cookie = format!(
            "<cookie pagenumber=\"{}\" pagingcookie=\"%253ccookie%2520page%253d%2522{page}%2522%253e\" istracking=\"False\" />",
            page + 1
        );
        body["@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"] = json!(cookie);
    }
    body["value"] = Json::Array(value);
    Ok(call.stamped(Reply::json(200, &body)))
}

/// Refuses attributes that are not understood.
fn known(element: &Element, names: &[&str]) -> Result<(), Fault> {
    match element.attributes.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(bad(format!("The attribute '{name}' of '{}' is not supported.", element.name))),
        None => Ok(()),
    }
}

/// Refuses columns that there are not, and elements that are not understood.
fn check(entity: &Entity, table: &Element) -> Result<(), Fault> {
    for child in &table.children {
        match child.name.as_str() {
            "attribute" | "order" => {
                if child.name == "attribute" {
                    known(child, &["name", "alias"])?;
                } else {
                    known(child, &["attribute", "descending"])?;
                }
                let name = child.attribute("name").or(child.attribute("attribute")).unwrap_or("");
                column(entity, name)?;
            }
            "all-attributes" | "filter" | "link-entity" => {}
            other => return Err(bad(format!("The element '{other}' is not supported."))),
        }
    }
    Ok(())
}

fn column<'a>(entity: &'a Entity, name: &str) -> Result<&'a super::schema::Attribute, Fault> {
    let message = || format!("'{}' entity doesn't contain attribute with Name = '{name}'.", entity.name);
    entity.attribute(name).ok_or_else(|| Fault::new(400, "0x80041103", message()))
}

fn links(world: &World, parent: &Entity, element: &Element) -> Result<Vec<Link>, Fault> {
    let mut list = Vec::new();
    for (at, child) in element.children.iter().filter(|child| child.name == "link-entity").enumerate() {
        known(child, &["name", "from", "to", "alias", "link-type", "visible", "intersect"])?;
        let named = |name: &str| child.attribute(name).ok_or_else(|| bad(format!("link-entity needs '{name}'.")));
        let entity = world.entity(named("name")?).ok_or_else(|| bad("There is no such linked entity."))?;
        let outer = match child.attribute("link-type") {
            None | Some("inner") => false,
            Some("outer") => true,
            Some(other) => return Err(bad(format!("The link-type '{other}' is not supported."))),
        };
        let (from, to) = (named("from")?.to_owned(), named("to")?.to_owned());
        column(&entity, &from)?;
        column(parent, &to)?;
        check(&entity, child)?;
        let alias = child.attribute("alias").map_or_else(|| format!("{}{}", entity.name, at + 1), str::to_owned);
        let links = links(world, &entity, child)?;
        list.push(Link { alias, entity, from, to, outer, element: child.clone(), links });
    }
    Ok(list)
}

/// A value as joins compare it: lookups by their id.
fn key(row: &Record, column: &str) -> Option<Json> {
    let value = row.get(column)?;
    Some(referred(value).map_or_else(|| value.clone(), |(_, id)| json!(id)))
}

/// Every combination of rows that are joined to one.
fn join<'a>(world: &'a World, row: &'a Record, links: &[Link]) -> Result<Vec<Vec<Partner<'a>>>, Fault> {
    let mut all = vec![Vec::new()];
    for link in links {
        let wanted = key(row, &link.to);
        let mut found = Vec::new();
        for (_, other) in world.scan(&link.entity) {
            if wanted.is_some()
                && key(other, &link.from) == wanted
                && condition::holds(world, &link.entity, other, &link.element)?
            {
                for deeper in join(world, other, &link.links)? {
                    let mut one = vec![(link.alias.clone(), link.entity.clone(), other)];
                    one.extend(deeper);
                    found.push(one);
                }
            }
        }
        if found.is_empty() && link.outer {
            continue;
        }
        all = all.iter().flat_map(|before| found.iter().map(|one| [before.clone(), one.clone()].concat())).collect();
    }
    Ok(all)
}

fn order(world: &World, entity: &Entity, table: &Element, rows: &mut [Joined<'_>]) {
    let orders: Vec<&Element> = table.children.iter().filter(|child| child.name == "order").collect();
    rows.sort_by(|one, two| {
        for order in &orders {
            let name = order.attribute("attribute").unwrap_or("");
            let value = |row: &Record| key(row, name).unwrap_or(Json::Null);
            let found = compare(world, &value(one.0), &value(two.0));
            if found != Ordering::Equal {
                return if order.flag("descending") { found.reverse() } else { found };
            }
        }
        one.0.get(&entity.primary_id).and_then(Json::as_str).cmp(&two.0.get(&entity.primary_id).and_then(Json::as_str))
    });
}

/// The columns that an element asks for; none stands for all.
fn selected(entity: &Entity, element: &Element) -> Option<Vec<String>> {
    if element.children.iter().any(|child| child.name == "all-attributes") {
        return None;
    }
    let names = element.children.iter().filter(|child| child.name == "attribute");
    Some(names.filter_map(|child| Some(entity.attribute(child.attribute("name")?)?.property())).collect())
}

fn shown(lens: &Lens<'_>, entity: &Entity, table: &Element, links: &[Link], row: &Joined<'_>) -> Map<String, Json> {
    let mut select = selected(entity, table);
    if select.as_ref().is_some_and(Vec::is_empty) && links.is_empty() {
        select = None;
    }
    let mut out = lens.row(entity, row.0, &Options { select, ..Options::default() });
    for (alias, joined, record) in &row.1 {
        let Some(link) = flat(links).into_iter().find(|link| link.alias == *alias) else { continue };
        let names = selected(joined, &link.element);
        let options = Options {
            select: Some(
                names
                    .clone()
                    .unwrap_or_else(|| joined.attributes.iter().map(super::schema::Attribute::property).collect()),
            ),
            ..Options::default()
        };
        for (name, value) in lens.row(joined, record, &options) {
            if name.starts_with("@odata")
                || value.is_null()
                || name == joined.primary_id && names.as_ref().is_some_and(|names| !names.contains(&name))
            {
                continue;
            }
            // A lookup of a joined table is shown by its plain name.
            let plain = name.strip_prefix('_').map_or(name.clone(), |rest| rest.replacen("_value", "", 1));
            out.insert(format!("{alias}.{plain}"), value);
        }
    }
    out
}

fn flat(links: &[Link]) -> Vec<&Link> {
    links.iter().flat_map(|link| std::iter::once(link).chain(flat(&link.links))).collect()
}
