//! The names of a query against the schema.

use std::collections::BTreeSet;

use super::ast::{Condition, Item, Path, Query};
use super::literal;
use super::plan::{Hop, Leaf, Output, Plan, Route, Sort, Test};
use super::spot;
use crate::salesforce::refusal::Fault;
use crate::salesforce::schema::{Child, Field, Kind, Object, Schema};

/// The largest offset (sheet: section 4).
const OFFSET: usize = 2_000;

/// The most rows of `FIELDS(ALL)` (sheet: section 4).
const FIELDS_ROWS: usize = 200;

/// Fields that the record behind a lookup of many objects shows (sheet: section 9; the list is \[unsure\]).
const NAME_FIELDS: [&str; 12] = [
    "Id",
    "Name",
    "FirstName",
    "LastName",
    "Email",
    "Phone",
    "Title",
    "Username",
    "IsActive",
    "Alias",
    "UserRoleId",
    "ProfileId",
];

const CUSTOM_FIELD: &str = "If you are attempting to use a custom field, be sure to append the '__c' after the custom \
                            field name. Please reference your WSDL or the describe call for the appropriate names.";
const CUSTOM_WAY: &str = "If you are attempting to use a custom relationship, be sure to append the '__r' after the \
                          custom relationship name. Please reference your WSDL or the describe call for the \
                          appropriate names.";

/// Judges a query. `link_filter`: whether links of files need a filter.
pub(in super::super) fn check(schema: &Schema, text: &str, query: &Query, link_filter: bool) -> Result<Plan, Fault> {
    let check = Check { schema, text };
    let object = schema.object(&query.from.text()).ok_or_else(|| {
        let message = format!(
            "sObject type '{}' is not supported. If you are attempting to use a custom object, be sure to append the \
             '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.",
            query.from.text()
        );
        spot(text, query.from.at, "INVALID_TYPE", &message)
    })?;
    let plan = check.plan(object, query)?;
    if link_filter && object.name == "ContentDocumentLink" && !is_narrow(plan.test.as_ref()) {
        let message = "Implementation restriction: ContentDocumentLink requires a filter by a single Id on \
                       ContentDocumentId or LinkedEntityId using the equals operator or multiple Id's using the IN \
                       operator.";
        return Err(Fault::new("MALFORMED_QUERY", message));
    }
    Ok(plan)
}

/// Judges a condition alone.
pub(in super::super) fn test(
    schema: &Schema,
    text: &str,
    object: &Object,
    condition: &Condition,
) -> Result<Test, Fault> {
    Check { schema, text }.test(object, None, condition)
}

fn is_narrow(test: Option<&Test>) -> bool {
    use super::ast::Operator::{Equal, In};
    match test {
        Some(Test::All(parts)) => parts.iter().any(|part| is_narrow(Some(part))),
        Some(Test::Compare { route, operator, .. }) => {
            matches!(operator, Equal | In) && matches!(route.name(), "ContentDocumentId" | "LinkedEntityId")
        }
        Some(Test::Semijoin { route, inside, .. }) => {
            *inside && matches!(route.name(), "ContentDocumentId" | "LinkedEntityId")
        }
        _ => false,
    }
}

struct Check<'a> {
    schema: &'a Schema,
    text: &'a str,
}

impl Check<'_> {
    fn refuse(&self, at: usize, code: &str, message: &str) -> Fault {
        spot(self.text, at, code, message)
    }

    fn plan(&self, object: &Object, query: &Query) -> Result<Plan, Fault> {
        let alias = query.alias.as_deref();
        let offset = query.offset.unwrap_or(0);
        if offset > OFFSET {
            let message = format!("Maximum SOQL offset allowed is {OFFSET}");
            return Err(Fault::new("NUMBER_OUTSIDE_VALID_RANGE", message));
        }
        let mut plan = Plan {
            object: object.name.clone(),
            outputs: Vec::new(),
            test: query.condition.as_ref().map(|condition| self.test(object, alias, condition)).transpose()?,
            group: query.group.iter().map(|path| self.route(object, alias, path)).collect::<Result<_, _>>()?,
            order: Vec::new(),
            limit: query.limit,
            offset,
            count: false,
        };
        for item in &query.items {
            self.item(object, alias, query, item, &mut plan)?;
        }
        for order in &query.order {
            let route = self.route(object, alias, &order.path)?;
            if route.field().is_some_and(|field| !field.sortable) {
                let message = format!("field '{}' can not be sorted in a query call", order.path.text());
                return Err(self.refuse(order.path.at, "INVALID_FIELD", &message));
            }
            plan.order.push(Sort { route, descending: order.descending, nulls_last: order.nulls_last });
        }
        self.shape(query, &plan)?;
        Ok(plan)
    }

    /// What may not stand together.
    fn shape(&self, query: &Query, plan: &Plan) -> Result<(), Fault> {
        let malformed = |message: &str| Err(self.refuse(query.from.at, "MALFORMED_QUERY", message));
        if plan.count && (plan.outputs.len() > 1 || !plan.group.is_empty()) {
            return malformed("Grouped query cannot be combined with COUNT()");
        }
        let mut seen = BTreeSet::new();
        for output in &plan.outputs {
            let Output::Field(route) = output else { continue };
            if !seen.insert(route.text()) {
                return Err(Fault::new("INVALID_FIELD", format!("duplicate field selected: {}", route.text())));
            }
            let grouped = plan.group.iter().any(|group| group.text() == route.text());
            if plan.aggregates() && !plan.count && !grouped {
                let message = format!("Field must be grouped or aggregated: {}", route.text());
                return Err(self.refuse(route.at, "MALFORMED_QUERY", &message));
            }
        }
        Ok(())
    }

    fn item(
        &self,
        object: &Object,
        alias: Option<&str>,
        query: &Query,
        item: &Item,
        plan: &mut Plan,
    ) -> Result<(), Fault> {
        match item {
            Item::Field(path) => plan.outputs.push(Output::Field(self.route(object, alias, path)?)),
            Item::Fields { group, at } => {
                if group != "STANDARD" && query.limit.is_none_or(|limit| limit > FIELDS_ROWS) {
                    let message = "The SOQL FIELDS function must have a LIMIT of at most 200";
                    return Err(self.refuse(*at, "MALFORMED_QUERY", message));
                }
                let wanted = |field: &&Field| match group.as_str() {
                    "STANDARD" => !field.custom,
                    "CUSTOM" => field.custom,
                    _ => true,
                };
                for field in object.visible().filter(wanted) {
                    let leaf = Leaf::Field(Box::new(field.clone()));
                    plan.outputs.push(Output::Field(Route { hops: Vec::new(), leaf, at: *at }));
                }
            }
            Item::Aggregate { function, path: None, at, .. } if function != "COUNT" => {
                return Err(self.refuse(*at, "MALFORMED_QUERY", &super::lexer::unexpected(")")));
            }
            Item::Aggregate { path: None, .. } => plan.count = true,
            Item::Aggregate { function, path: Some(path), alias: name, .. } => {
                let route = self.route(object, alias, path)?;
                let unnamed = plan.outputs.iter().filter(|one| matches!(one, Output::Aggregate { .. })).count();
                let alias = name.clone().unwrap_or_else(|| format!("expr{unnamed}"));
                plan.outputs.push(Output::Aggregate { function: function.clone(), route: Some(route), alias });
            }
            Item::Children(inner) => {
                let child = self.child(object, inner)?;
                let name = child.target.children.clone().unwrap_or_default();
                let nested = Box::new(self.plan(child.object, inner)?);
                plan.outputs.push(Output::Children { name, field: Box::new(child.field.clone()), plan: nested });
            }
            Item::TypeOf { path, cases, other } => plan.outputs.push(self.type_of(object, path, cases, other)?),
        }
        Ok(())
    }

    fn child<'s>(&'s self, object: &'s Object, inner: &Query) -> Result<Child<'s>, Fault> {
        let name = inner.from.parts.last().map_or("", String::as_str);
        let mut children = self.schema.children(&object.name).filter(|child| !child.field.hidden);
        let child =
            children.find(|child| child.target.children.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(name)));
        child.ok_or_else(|| {
            let message = format!("Didn't understand relationship '{name}' in FROM part of query call. {CUSTOM_WAY}");
            self.refuse(inner.from.at, "INVALID_TYPE", &message)
        })
    }

    fn type_of(
        &self,
        object: &Object,
        path: &Path,
        cases: &[(String, Vec<Path>)],
        other: &[Path],
    ) -> Result<Output, Fault> {
        let lookup = object.lookup(&path.text()).filter(|field| field.polymorphic());
        let field = lookup.ok_or_else(|| self.no_way(path.at, &path.text()))?;
        let mut checked = Vec::new();
        for (name, paths) in cases {
            let target =
                self.schema.object(name).filter(|target| field.targets.iter().any(|one| one.object == target.name));
            let target = target.ok_or_else(|| {
                self.refuse(path.at, "INVALID_TYPE", &format!("sObject type '{name}' is not supported in TYPEOF."))
            })?;
            let routes = paths.iter().map(|path| self.route(target, None, path)).collect::<Result<_, _>>()?;
            checked.push((target.name.clone(), routes));
        }
        let other =
            other.iter().map(|path| self.name_leaf(path, &path.text(), Vec::new())).collect::<Result<_, _>>()?;
        Ok(Output::TypeOf { hop: hop(field), cases: checked, other })
    }

    fn no_way(&self, at: usize, name: &str) -> Fault {
        let message = format!("Didn't understand relationship '{name}' in field path. {CUSTOM_WAY}");
        self.refuse(at, "INVALID_FIELD", &message)
    }

    /// A path from the object.
    pub(super) fn route(&self, object: &Object, alias: Option<&str>, path: &Path) -> Result<Route, Fault> {
        let mut parts = path.parts.as_slice();
        if let [first, rest @ ..] = parts
            && !rest.is_empty()
            && (alias.is_some_and(|alias| alias.eq_ignore_ascii_case(first))
                || first.eq_ignore_ascii_case(&object.name))
            && object.lookup(first).is_none()
        {
            parts = rest;
        }
        let mut hops = Vec::new();
        let mut here = object;
        while let [first, rest @ ..] = parts {
            if rest.is_empty() {
                let field = here.field(first).ok_or_else(|| self.no_column(path.at, first, &here.name))?;
                return Ok(Route { hops, leaf: Leaf::Field(Box::new(field.clone())), at: path.at });
            }
            let field = here.lookup(first).ok_or_else(|| self.no_way(path.at, first))?;
            hops.push(hop(field));
            match (field.targets.as_slice(), rest) {
                ([only], _) => {
                    here = self.schema.object(&only.object).ok_or_else(|| self.no_way(path.at, first))?;
                }
                (_, [last]) => return self.name_leaf(path, last, hops),
                (_, _) => return Err(self.no_way(path.at, first)),
            }
            parts = rest;
        }
        Err(self.no_column(path.at, "", &object.name))
    }

    fn name_leaf(&self, path: &Path, last: &str, hops: Vec<Hop>) -> Result<Route, Fault> {
        if last.eq_ignore_ascii_case("Type") {
            return Ok(Route { hops, leaf: Leaf::Type, at: path.at });
        }
        let known = NAME_FIELDS.iter().find(|known| known.eq_ignore_ascii_case(last));
        let known = known.ok_or_else(|| self.no_column(path.at, last, "Name"))?;
        let kind = match *known {
            "IsActive" => Kind::Boolean,
            "Id" => Kind::Id,
            "UserRoleId" | "ProfileId" => Kind::Reference,
            _ => Kind::Text,
        };
        Ok(Route { hops, leaf: Leaf::Field(Box::new(Field::new(known, kind))), at: path.at })
    }

    fn no_column(&self, at: usize, field: &str, object: &str) -> Fault {
        let message = format!("No such column '{field}' on entity '{object}'. {CUSTOM_FIELD}");
        self.refuse(at, "INVALID_FIELD", &message)
    }

    fn test(&self, object: &Object, alias: Option<&str>, condition: &Condition) -> Result<Test, Fault> {
        let all = |parts: &[Condition]| -> Result<Vec<Test>, Fault> {
            parts.iter().map(|part| self.test(object, alias, part)).collect()
        };
        Ok(match condition {
            Condition::All(parts) => Test::All(all(parts)?),
            Condition::Any(parts) => Test::Any(all(parts)?),
            Condition::Not(inner) => Test::Not(Box::new(self.test(object, alias, inner)?)),
            Condition::Compare { path, operator, values } => {
                let route = self.filterable(object, alias, path)?;
                let values = literal::judge(self.text, &route, *operator, values)?;
                Test::Compare { route, operator: *operator, values }
            }
            Condition::Semijoin { path, inside, query } => {
                let route = self.filterable(object, alias, path)?;
                let plan = check(self.schema, self.text, query, false)?;
                let one_id = matches!(plan.outputs.as_slice(), [Output::Field(inner)]
                    if inner.field().is_some_and(|field| field.kind.is_id()));
                if !one_id || !route.field().is_some_and(|field| field.kind.is_id()) {
                    let message = "The left and the selected field of a semi join must be ids";
                    return Err(self.refuse(path.at, "INVALID_FIELD", message));
                }
                Test::Semijoin { route, inside: *inside, plan: Box::new(plan) }
            }
        })
    }

    fn filterable(&self, object: &Object, alias: Option<&str>, path: &Path) -> Result<Route, Fault> {
        let route = self.route(object, alias, path)?;
        if route.field().is_some_and(|field| !field.filterable) {
            let message = format!("field '{}' can not be filtered in a query call", path.text());
            return Err(self.refuse(path.at, "INVALID_FIELD", &message));
        }
        Ok(route)
    }
}

fn hop(field: &Field) -> Hop {
    Hop { lookup: field.name.clone(), relationship: field.relationship().unwrap_or_default() }
}
