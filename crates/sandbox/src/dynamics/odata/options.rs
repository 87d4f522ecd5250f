//! `$select`, `$orderby`, `$expand` and the rest of a query.

use super::{Expr, Path, check, parse};
use crate::dynamics::address::split;
use crate::dynamics::refusal::Fault;
use crate::dynamics::relations::Nav;
use crate::dynamics::schema::{Attribute, Entity};
use crate::dynamics::world::World;

/// How many `$expand`s one query may have (sheet: section 4 \[doc\]).
const EXPANDS: usize = 15;

/// How deep expansions, with what stands in parentheses within them, may be nested.
const DEPTH: usize = 20;

/// A column or a path, and whether it runs downwards.
pub(in super::super) type Order = (Path, bool);

/// A navigation property to follow, with its own options.
#[derive(Clone, Debug)]
pub(in super::super) struct Expand {
    pub(in super::super) nav: String,
    pub(in super::super) options: Options,
    /// `nav/$ref`: addresses alone.
    pub(in super::super) reference: bool,
}

/// What a query asks for.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Options {
    /// Properties; none stands for all.
    pub(in super::super) select: Option<Vec<String>>,
    pub(in super::super) filter: Option<Expr>,
    pub(in super::super) order: Vec<Order>,
    pub(in super::super) expand: Vec<Expand>,
    pub(in super::super) top: Option<usize>,
    pub(in super::super) count: bool,
    pub(in super::super) skip_token: Option<String>,
    pub(in super::super) delta_token: Option<String>,
    /// The options as they were sent, for links to more.
    pub(in super::super) sent: Vec<(String, String)>,
}

impl Options {
    /// Reads and checks the options of a query over a table.
    pub(in super::super) fn read(world: &World, entity: &Entity, query: &[(String, String)]) -> Result<Self, Fault> {
        let mut options = Self::default();
        for (name, text) in query {
            match name.as_str() {
                "$skiptoken" => options.skip_token = Some(text.clone()),
                "$deltatoken" => options.delta_token = Some(text.clone()),
                _ => {
                    options.one(world, entity, name, text)?;
                    options.sent.push((name.clone(), text.clone()));
                }
            }
        }
        let expands: usize = options.expand.len();
        if expands > EXPANDS {
            let message = format!("Number of $expand exceeds maximum limit of {EXPANDS}.");
            return Err(Fault::new(400, "0x80060888", message));
        }
        Ok(options)
    }

    fn one(&mut self, world: &World, entity: &Entity, name: &str, text: &str) -> Result<(), Fault> {
        let bad = || Fault::odata(format!("The query parameter {name} is not valid."));
        match name {
            "$select" => {
                let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
                for name in &names {
                    property(entity, name)?;
                }
                self.select = Some(names);
            }
            "$filter" => {
                let filter = parse(text)?;
                check(world, entity, &filter)?;
                self.filter = Some(filter);
            }
            "$orderby" => self.order = order(world, entity, text)?,
            "$expand" => {
                for part in split(text, ',').ok_or_else(bad)? {
                    self.expand.push(expand(world, entity, part.trim())?);
                }
            }
            "$top" => self.top = Some(text.parse().ok().filter(|top| *top > 0).ok_or_else(bad)?),
            "$count" => self.count = text.parse().map_err(|_| bad())?,
            // A sender's own mark, and the partition of elastic tables.
            "tag" | "partitionId" | "api-version" => {}
            other if other.starts_with('@') => {}
            other => return Err(Fault::odata(format!("The query parameter {other} is not supported"))),
        }
        Ok(())
    }
}

/// A column by the property that a query names.
fn property<'a>(entity: &'a Entity, name: &str) -> Result<&'a Attribute, Fault> {
    entity.property(name).ok_or_else(|| Fault::no_property(name, &entity.name))
}

fn order(world: &World, entity: &Entity, text: &str) -> Result<Vec<Order>, Fault> {
    let mut list = Vec::new();
    for part in text.split(',') {
        let mut words = part.split_whitespace();
        let name = words.next().unwrap_or("");
        let down = match words.next() {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(_) => return Err(Fault::odata("Syntax error in '$orderby'.")),
        };
        let path: Path = name.split('/').map(str::to_owned).collect();
        let mut here = entity;
        for step in path.iter().take(path.len().saturating_sub(1)) {
            let missing = || Fault::no_property(step, &here.name);
            let nav = world.schema.nav(&here.name, step).ok_or_else(missing)?;
            let Nav::Parent(_) = nav else { return Err(missing()) };
            here = world.schema.entity(nav.target()).ok_or_else(missing)?;
        }
        property(here, path.last().map_or("", String::as_str))?;
        list.push((path, down));
    }
    Ok(list)
}

/// `primarycontactid($select=fullname;$expand=...)`.
fn expand(world: &World, entity: &Entity, text: &str) -> Result<Expand, Fault> {
    let deep = text.chars().scan(0_usize, |depth, letter| {
        match letter {
            '(' => *depth += 1,
            ')' => *depth = depth.saturating_sub(1),
            _ => {}
        }
        Some(*depth)
    });
    if deep.max().unwrap_or(0) > DEPTH {
        return Err(Fault::odata("The request includes a $expand path which is too deep."));
    }
    let (name, inner) = match text.split_once('(') {
        Some((name, rest)) => {
            (name.trim(), rest.strip_suffix(')').ok_or_else(|| Fault::odata("Syntax error in '$expand'."))?)
        }
        None => (text, ""),
    };
    let (nav, reference) = name.strip_suffix("/$ref").map_or((name, false), |nav| (nav, true));
    let found = world.schema.nav(&entity.name, nav).ok_or_else(|| Fault::no_property(nav, &entity.name))?;
    let target = world.schema.entity(found.target()).ok_or_else(|| Fault::no_property(nav, &entity.name))?;
    let mut options = Options::default();
    for part in split(inner, ';').unwrap_or_default().iter().filter(|part| !part.trim().is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let single = matches!(found, Nav::Parent(_)) && !matches!(name.trim(), "$select" | "$expand");
        if single || matches!(name.trim(), "$count" | "$skiptoken" | "$deltatoken") {
            return Err(Fault::odata(format!(
                "The option '{}' cannot be used within $expand of '{nav}'.",
                name.trim()
            )));
        }
        options.one(world, target, name.trim(), value)?;
    }
    Ok(Expand { nav: nav.to_owned(), options, reference })
}
