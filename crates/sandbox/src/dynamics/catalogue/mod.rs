//! The standard tables as text, one line for each column.
//!
//! A table: `# SchemaName | set | type code | Label;Plural | marks`. Marks: `user` or `org` owned, `track`, `activity`,
//! `merge`, `money` (carries a currency), `locked` (no rows are written by requests), `intersect`, `single` (no
//! CreateMultiple), `bare` (without the columns that most tables have), `states:0 Active=1 Active,2 ..;1 ..`.
//!
//! A column: `SchemaName | type size | marks | rest`. Marks: `*` primary name, `req`, `app`, `rec`, `ro`, `c` (create
//! only), `hid` (never read), `calc`, `roll`, `def:VALUE`. The rest are choices, `1=Label;2=Label`, or the targets of a
//! lookup, `table Relationship [>nav] [*|!]` with `*` where deleting the parent takes the row along and `!` where the
//! row forbids it. `@address N` stands for the columns of an address, `@regarding Plural` for what an activity
//! is about.
//!
//! From the sheet, sections 2, 5 and 9, and the recorded lead; lengths that the sheet marks as unsure are out-of-box
//! ones.

mod activities;
mod customers;
mod sales;
mod service;
mod setup;

use serde_json::Value as Json;

use super::relations::{OnDelete, Pairs, Relation, Schema};
use super::schema::{Attribute, Behavior, Choice, Entity, Kind, Ownership, Required};

/// Every standard table, or the line that cannot be read.
pub(super) fn standard() -> Result<Schema, String> {
    let tables =
        [customers::TABLES, sales::TABLES, sales::PRODUCTS, service::TABLES, activities::TABLES, setup::TABLES];
    let mut schema = Schema::default();
    let mut relations = Vec::new();
    let mut current: Option<(Entity, Vec<String>)> = None;
    for line in tables.iter().flat_map(|table| table.lines()) {
        let bad = || format!("the catalogue's line `{line}`");
        if let Some(head) = line.strip_prefix("# ") {
            finish(&mut schema, &mut relations, current.take());
            current = Some(table(head).ok_or_else(bad)?);
            continue;
        }
        let (entity, _) = current.as_mut().ok_or_else(bad)?;
        for line in expanded(line, &entity.name) {
            column(entity, &mut relations, &line).ok_or_else(bad)?;
        }
    }
    finish(&mut schema, &mut relations, current.take());
    for relation in relations {
        schema.relate(relation);
    }
    for line in setup::PAIRS.lines() {
        schema.pair(pairs(line).ok_or_else(|| format!("the catalogue's line `{line}`"))?);
    }
    Ok(schema)
}

fn finish(schema: &mut Schema, relations: &mut Vec<Relation>, current: Option<(Entity, Vec<String>)>) {
    if let Some((mut entity, marks)) = current {
        if !marks.iter().any(|mark| mark == "bare") {
            system_columns(&mut entity, relations);
        }
        if marks.iter().any(|mark| mark == "money") {
            currency_columns(&mut entity, relations);
        }
        schema.add(entity);
    }
}

fn table(head: &str) -> Option<(Entity, Vec<String>)> {
    let mut parts = head.split('|').map(str::trim);
    let mut entity = Entity::new(parts.next()?, parts.next()?, parts.next()?.parse().ok()?);
    let (label, plural) = parts.next()?.split_once(';')?;
    (entity.label, entity.plural) = (label.to_owned(), plural.to_owned());
    let (marks, states) =
        parts.next()?.split_once("states:").unwrap_or_else(|| (head.rsplit('|').next().unwrap_or(""), ""));
    let marks: Vec<String> = marks.split_whitespace().map(str::to_owned).collect();
    let has = |mark: &str| marks.iter().any(|one| one == mark);
    entity.ownership = match () {
        () if has("user") => Ownership::User,
        () if has("org") => Ownership::Organization,
        () => Ownership::None,
    };
    entity.activity = has("activity");
    entity.tracked = has("track");
    entity.mergeable = has("merge");
    entity.intersect = has("intersect");
    entity.writable = !has("locked") && !entity.intersect;
    entity.bulk = entity.writable && !has("single");
    if entity.activity {
        entity.primary_id = "activityid".to_owned();
    }
    let mut id = Attribute::new(&proper(&entity.primary_id, &entity.schema_name), Kind::Guid);
    (id.update, id.required) = (false, Required::System);
    entity.push(id);
    state_columns(&mut entity, states)?;
    Some((entity, marks))
}

/// The schema name of a primary key: `AccountId`.
fn proper(primary_id: &str, schema_name: &str) -> String {
    if primary_id == "activityid" { "ActivityId".to_owned() } else { format!("{schema_name}Id") }
}

/// `0 Active=1 Active;1 Inactive=2 Inactive`.
fn state_columns(entity: &mut Entity, text: &str) -> Option<()> {
    if text.is_empty() {
        return Some(());
    }
    let mut state = Attribute::new("StateCode", Kind::State);
    let mut status = Attribute::new("StatusCode", Kind::Status);
    (state.label, status.label) = ("Status".to_owned(), "Status Reason".to_owned());
    state.required = Required::System;
    for part in text.split(';') {
        let (head, rest) = part.split_once('=')?;
        let (value, label) = head.trim().split_once(' ')?;
        let value: i64 = value.parse().ok()?;
        state.choices.push(Choice { value, label: label.to_owned(), state: None });
        for one in rest.split(',') {
            let (code, label) = one.trim().split_once(' ')?;
            status.choices.push(Choice { value: code.parse().ok()?, label: label.to_owned(), state: Some(value) });
        }
    }
    entity.push(state);
    entity.push(status);
    Some(())
}

/// A column's line, or the lines that a macro stands for.
fn expanded(line: &str, entity: &str) -> Vec<String> {
    if let Some(number) = line.strip_prefix("@address ") {
        return customers::ADDRESS.lines().map(|line| line.replace('N', number)).collect();
    }
    if let Some(plural) = line.strip_prefix("@regarding ") {
        let targets = ["Account", "Contact", "Lead", "Opportunity", "Incident", "Campaign"];
        let plain = entity == "activitypointer";
        let one = |target: &&str| {
            let (name, mark) = (target.to_lowercase(), if plain { "" } else { " *" });
            let nav =
                if plain { format!("regardingobjectid_{name}") } else { format!("regardingobjectid_{name}_{entity}") };
            format!("{name} {target}_{plural} >{nav}{mark}")
        };
        let targets: Vec<String> = targets.iter().map(one).collect();
        return vec![format!("RegardingObjectId | lookup | | {}", targets.join(";"))];
    }
    vec![line.to_owned()]
}

fn column(entity: &mut Entity, relations: &mut Vec<Relation>, line: &str) -> Option<()> {
    let mut parts = line.split('|').map(str::trim);
    let name = parts.next()?;
    let (kind, size) = parts.next().map(|kind| kind.split_once(' ').unwrap_or((kind, "")))?;
    let mut attribute = Attribute::new(name, Kind::String);
    sized(&mut attribute, kind, size)?;
    for mark in parts.next().unwrap_or("").split_whitespace() {
        match mark {
            "*" => entity.primary_name = Some(attribute.name.clone()),
            "req" => attribute.required = Required::System,
            "app" => attribute.required = Required::Application,
            "rec" => attribute.required = Required::Recommended,
            "ro" => attribute = attribute.read_only(),
            "c" => attribute.update = false,
            "hid" => attribute.read = false,
            "calc" => {
                attribute.source_type = 1;
                attribute = attribute.read_only();
            }
            other => attribute.default = Some(serde_json::from_str(other.strip_prefix("def:")?).ok()?),
        }
    }
    let rest = parts.next().unwrap_or("");
    if attribute.kind.is_lookup() {
        for one in rest.split(';').filter(|one| !one.is_empty()) {
            let relation = relation(entity, &attribute, one, rest.contains(';'))?;
            attribute.targets.push(relation.referenced.clone());
            relations.push(relation);
        }
    } else if attribute.kind == Kind::Boolean {
        let default = attribute.default.take().unwrap_or(Json::Bool(false));
        attribute.default = Some(default);
        let (no, yes) = rest.split_once(';').unwrap_or(("No", "Yes"));
        let choice = |value: i64, label: &str| Choice { value, label: label.to_owned(), state: None };
        attribute.choices = vec![choice(0, no), choice(1, yes)];
    } else {
        attribute.choices = choices(rest)?;
    }
    if attribute.kind == Kind::Money {
        entity.push(base(&attribute));
    }
    entity.push(attribute);
    Some(())
}

fn sized(attribute: &mut Attribute, kind: &str, size: &str) -> Option<()> {
    let range = || size.split_once("..").and_then(|(min, max)| Some((min.parse().ok()?, max.parse().ok()?)));
    let (kind, format) = match kind {
        "string" => (Kind::String, "Text"),
        "email" => (Kind::String, "Email"),
        "url" => (Kind::String, "Url"),
        "phone" => (Kind::String, "Phone"),
        "memo" => (Kind::Memo, "TextArea"),
        "int" => (Kind::Integer, "None"),
        "bigint" => (Kind::BigInt, "None"),
        "decimal" => (Kind::Decimal, "None"),
        "double" => (Kind::Double, "None"),
        "money" => (Kind::Money, "None"),
        "date" => (Kind::DateTime, "DateOnly"),
        "datetime" => (Kind::DateTime, "DateAndTime"),
        "bool" => (Kind::Boolean, "None"),
        "pick" => (Kind::Picklist, "None"),
        "multi" => (Kind::MultiSelect, "None"),
        "lookup" => (Kind::Lookup, "None"),
        "customer" => (Kind::Customer, "None"),
        "guid" => (Kind::Guid, "None"),
        "table" => (Kind::EntityName, "None"),
        _ => return None,
    };
    let fresh = Attribute::new(&attribute.schema_name, kind);
    *attribute = Attribute { format, ..fresh };
    match attribute.kind {
        Kind::String | Kind::Memo if !size.is_empty() => attribute.max_length = size.parse().ok()?,
        Kind::DateTime if format == "DateOnly" => attribute.behavior = Behavior::DateOnly,
        Kind::Decimal | Kind::Double | Kind::Money | Kind::Integer if !size.is_empty() => {
            (attribute.min, attribute.max) = range()?;
        }
        _ => {}
    }
    Some(())
}

/// `1=Accounting;2=Agriculture`.
fn choices(text: &str) -> Option<Vec<Choice>> {
    let text = match text {
        "@industry" => customers::INDUSTRIES,
        "@source" => customers::SOURCES,
        other => other,
    };
    let one = |part: &str| {
        let (value, label) = part.split_once('=')?;
        Some(Choice { value: value.trim().parse().ok()?, label: label.trim().to_owned(), state: None })
    };
    text.split(';').filter(|part| !part.is_empty()).map(one).collect()
}

/// `contact account_primary_contact >primarycontactid *`.
fn relation(entity: &Entity, attribute: &Attribute, text: &str, many: bool) -> Option<Relation> {
    let mut words = text.split_whitespace();
    let (target, schema_name) = (words.next()?, words.next()?);
    let plain = if many { format!("{}_{target}", attribute.name) } else { attribute.name.clone() };
    let mut relation = Relation {
        schema_name: schema_name.to_owned(),
        referencing: entity.name.clone(),
        attribute: attribute.name.clone(),
        referenced: target.to_owned(),
        nav: plain,
        on_delete: OnDelete::RemoveLink,
        custom: false,
    };
    for word in words {
        match word {
            "*" => relation.on_delete = OnDelete::Cascade,
            "!" => relation.on_delete = OnDelete::Restrict,
            nav => relation.nav = nav.strip_prefix('>')?.to_owned(),
        }
    }
    Some(relation)
}

/// The same amount in the base currency: read only (sheet: section 9).
pub(super) fn base(money: &Attribute) -> Attribute {
    let mut base = Attribute::new(&format!("{}_Base", money.schema_name), Kind::Money).read_only();
    base.base_of = Some(money.name.clone());
    base.precision = 4;
    base.label = format!("{} (Base)", money.label);
    base
}

/// `listcontact_association | listmember | list listid | contact entityid`.
fn pairs(line: &str) -> Option<Pairs> {
    let mut parts = line.split('|').map(str::trim);
    let (schema_name, intersect) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let mut side = || {
        let (table, column) = parts.next()?.split_once(' ')?;
        Some((table.to_owned(), column.to_owned()))
    };
    Some(Pairs { schema_name, intersect, one: side()?, two: side()? })
}

/// A lookup of the system to one table, which cannot be written.
fn system_lookup(
    entity: &mut Entity,
    relations: &mut Vec<Relation>,
    schema_name: &str,
    target: &str,
    relation: String,
) {
    let mut attribute = Attribute::new(schema_name, Kind::Lookup).read_only();
    attribute.targets = vec![target.to_owned()];
    relations.push(Relation {
        schema_name: relation,
        referencing: entity.name.clone(),
        attribute: attribute.name.clone(),
        referenced: target.to_owned(),
        nav: attribute.name.clone(),
        on_delete: OnDelete::RemoveLink,
        custom: false,
    });
    entity.push(attribute);
}

/// What nearly every table has (sheet: section 5.6 and the recorded lead).
pub(super) fn system_columns(entity: &mut Entity, relations: &mut Vec<Relation>) {
    let name = entity.name.clone();
    for column in ["CreatedOn", "ModifiedOn"] {
        entity.push(Attribute::new(column, Kind::DateTime).read_only());
    }
    for column in ["CreatedBy", "ModifiedBy"] {
        let relation = format!("lk_{name}base_{}", column.to_lowercase());
        system_lookup(entity, relations, column, "systemuser", relation);
    }
    for column in ["CreatedOnBehalfBy", "ModifiedOnBehalfBy"] {
        let relation = format!("lk_{name}_{}", column.to_lowercase());
        system_lookup(entity, relations, column, "systemuser", relation);
    }
    let mut original = Attribute::new("OverriddenCreatedOn", Kind::DateTime);
    original.update = false;
    original.label = "Record Created On".to_owned();
    entity.push(original);
    let mut import = Attribute::new("ImportSequenceNumber", Kind::Integer);
    import.update = false;
    entity.push(import);
    entity.push(Attribute::new("VersionNumber", Kind::BigInt).read_only());
    entity.push(Attribute::new("TimeZoneRuleVersionNumber", Kind::Integer));
    entity.push(Attribute::new("UTCConversionTimeZoneCode", Kind::Integer));
    if entity.ownership == Ownership::User {
        owner_columns(entity, relations);
    }
}

fn owner_columns(entity: &mut Entity, relations: &mut Vec<Relation>) {
    let (name, set) = (entity.name.clone(), entity.set.clone());
    let mut owner = Attribute::new("OwnerId", Kind::Owner);
    owner.label = "Owner".to_owned();
    owner.required = Required::System;
    owner.targets = vec!["systemuser".to_owned(), "team".to_owned()];
    entity.push(owner);
    for (target, relation) in [("team", format!("team_{set}_owner")), ("systemuser", format!("owner_{set}"))] {
        relations.push(Relation {
            schema_name: relation,
            referencing: name.clone(),
            attribute: "ownerid".to_owned(),
            referenced: target.to_owned(),
            nav: "ownerid".to_owned(),
            on_delete: OnDelete::Restrict,
            custom: false,
        });
    }
    system_lookup(entity, relations, "OwningUser", "systemuser", format!("{name}_owning_user"));
    system_lookup(entity, relations, "OwningTeam", "team", format!("{name}_owning_team"));
    system_lookup(entity, relations, "OwningBusinessUnit", "businessunit", format!("business_unit_{set}"));
}

/// What a table has whose rows carry money.
pub(super) fn currency_columns(entity: &mut Entity, relations: &mut Vec<Relation>) {
    let mut currency = Attribute::new("TransactionCurrencyId", Kind::Lookup);
    currency.label = "Currency".to_owned();
    currency.targets = vec!["transactioncurrency".to_owned()];
    entity.push(currency);
    relations.push(Relation {
        schema_name: format!("transactioncurrency_{}", entity.name),
        referencing: entity.name.clone(),
        attribute: "transactioncurrencyid".to_owned(),
        referenced: "transactioncurrency".to_owned(),
        nav: "transactioncurrencyid".to_owned(),
        on_delete: OnDelete::Restrict,
        custom: false,
    });
    let mut rate = Attribute::new("ExchangeRate", Kind::Decimal).read_only();
    rate.precision = 10;
    (rate.min, rate.max) = (0.000_000_000_1, 100_000_000_000.0);
    entity.push(rate);
}
