//! Whether a condition fits its table: names, kinds, what may not be asked.

use super::{Expr, Literal, Term};
use crate::dynamics::refusal::Fault;
use crate::dynamics::relations::Nav;
use crate::dynamics::schema::{Attribute, Behavior, Entity, Kind};
use crate::dynamics::world::World;

/// Variables of lambdas with their tables.
type Variables<'a> = Vec<(&'a str, &'a Entity)>;

/// Refuses what the OData layer refuses.
pub(in super::super) fn check(world: &World, entity: &Entity, expr: &Expr) -> Result<(), Fault> {
    walk(world, entity, expr, &mut Vec::new())
}

fn walk<'a>(world: &'a World, entity: &'a Entity, expr: &'a Expr, variables: &mut Variables<'a>) -> Result<(), Fault> {
    match expr {
        Expr::And(left, right) | Expr::Or(left, right) => {
            walk(world, entity, left, variables)?;
            walk(world, entity, right, variables)
        }
        Expr::Not(inner) => walk(world, entity, inner, variables),
        Expr::Compare(left, op, right) => {
            let pair = match (left, right) {
                (Term::Path(path), Term::Value(value)) | (Term::Value(value), Term::Path(path)) => {
                    Some((attribute(world, entity, path, variables)?, value))
                }
                (Term::Path(one), Term::Path(two)) => {
                    let (one, two) =
                        (attribute(world, entity, one, variables)?, attribute(world, entity, two, variables)?);
                    if one.edm() != two.edm() {
                        return Err(incompatible(one.edm(), two.edm(), op_name(*op)));
                    }
                    None
                }
                _ => return Err(Fault::odata("A filter must name a property.")),
            };
            match pair {
                Some((attribute, value)) => fits(attribute, value, op_name(*op)),
                None => Ok(()),
            }
        }
        Expr::Text(_, path, _) => {
            let attribute = attribute(world, entity, path, variables)?;
            if attribute.kind.is_text() { Ok(()) } else { Err(no_function(attribute)) }
        }
        Expr::In(path, ..) => attribute(world, entity, path, variables).map(drop),
        Expr::Lambda(path, _, variable, body) => {
            let target = children(world, entity, path, variables)?;
            if let Some(body) = body {
                variables.push((variable, target));
                walk(world, entity, body, variables)?;
                variables.pop();
            }
            Ok(())
        }
    }
}

fn op_name(op: super::Op) -> &'static str {
    match op {
        super::Op::Eq => "Equal",
        super::Op::Ne => "NotEqual",
        super::Op::Gt => "GreaterThan",
        super::Op::Ge => "GreaterThanOrEqual",
        super::Op::Lt => "LessThan",
        super::Op::Le => "LessThanOrEqual",
    }
}

fn no_function(attribute: &Attribute) -> Fault {
    Fault::odata(format!(
        "No function signature for the function matches the specified argument '{}'.",
        attribute.edm()
    ))
}

/// The table from which a path starts, and the rest of the path.
fn start<'a, 'p>(entity: &'a Entity, path: &'p [String], variables: &Variables<'a>) -> (&'a Entity, &'p [String]) {
    if let Some((first, rest)) = path.split_first()
        && !rest.is_empty()
        && let Some((_, table)) = variables.iter().rev().find(|(name, _)| name == first)
    {
        return (table, rest);
    }
    (entity, path)
}

/// Follows all but the last name of a path through lookups.
fn follow<'a>(world: &'a World, entity: &'a Entity, path: &[String]) -> Result<&'a Entity, Fault> {
    let mut here = entity;
    for name in path {
        let missing = || Fault::no_property(name, &here.name);
        match world.schema.nav(&here.name, name).ok_or_else(missing)? {
            Nav::Parent(relation) => here = world.schema.entity(&relation.referenced).ok_or_else(missing)?,
            _ => return Err(Fault::odata(format!("The property '{name}' is a collection: use any or all."))),
        }
    }
    Ok(here)
}

fn attribute<'a>(
    world: &'a World,
    entity: &'a Entity,
    path: &[String],
    variables: &Variables<'a>,
) -> Result<&'a Attribute, Fault> {
    let (entity, path) = start(entity, path, variables);
    let (last, before) = path.split_last().ok_or_else(|| Fault::odata("A filter must name a property."))?;
    let here = follow(world, entity, before)?;
    let found = here.property(last).ok_or_else(|| Fault::no_property(last, &here.name))?;
    if found.name == "versionnumber" && !world.settings.filter_on_version {
        return Err(Fault::odata("The property 'versionnumber' cannot be used in the $filter query option."));
    }
    Ok(found)
}

fn children<'a>(
    world: &'a World,
    entity: &'a Entity,
    path: &[String],
    variables: &Variables<'a>,
) -> Result<&'a Entity, Fault> {
    let (entity, path) = start(entity, path, variables);
    let (last, before) = path.split_last().ok_or_else(|| Fault::odata("A filter must name a property."))?;
    let here = follow(world, entity, before)?;
    let missing = || Fault::no_property(last, &here.name);
    match world.schema.nav(&here.name, last).ok_or_else(missing)? {
        Nav::Parent(_) => Err(Fault::odata(format!("Any/All may only be used following a collection, not '{last}'."))),
        nav => world.schema.entity(nav.target()).map(|entity| &**entity).ok_or_else(missing),
    }
}

fn incompatible(one: &str, two: &str, op: &str) -> Fault {
    let message = format!(
        "A binary operator with incompatible types was detected. Found operand types '{one}' and '{two}' for operator kind '{op}'."
    );
    Fault::odata(message)
}

/// Whether a column can be compared with a value of this kind.
fn fits(attribute: &Attribute, value: &Literal, op: &str) -> Result<(), Fault> {
    let edm = match value {
        Literal::Null => return Ok(()),
        Literal::Bool(_) => "Edm.Boolean",
        Literal::Number(number) if number.fract() == 0.0 => "Edm.Int32",
        Literal::Number(_) => "Edm.Decimal",
        Literal::Text(_) => "Edm.String",
        Literal::Guid(_) => "Edm.Guid",
        Literal::Day(_) => "Edm.Date",
        Literal::Time(_) => "Edm.DateTimeOffset",
    };
    let fits = match attribute.kind {
        Kind::String | Kind::Memo | Kind::MultiSelect => edm == "Edm.String",
        // A table's name is a text, or its number.
        Kind::EntityName => edm == "Edm.String" || edm == "Edm.Int32",
        Kind::Integer | Kind::BigInt | Kind::Picklist | Kind::State | Kind::Status => edm == "Edm.Int32",
        Kind::Decimal | Kind::Double | Kind::Money => edm == "Edm.Int32" || edm == "Edm.Decimal",
        Kind::DateTime if attribute.behavior == Behavior::DateOnly => edm == "Edm.Date",
        Kind::DateTime => edm == "Edm.Date" || edm == "Edm.DateTimeOffset",
        Kind::Boolean => edm == "Edm.Boolean",
        Kind::Guid | Kind::Lookup | Kind::Customer | Kind::Owner => edm == "Edm.Guid",
    };
    if fits { Ok(()) } else { Err(incompatible(attribute.edm(), edm, op)) }
}
