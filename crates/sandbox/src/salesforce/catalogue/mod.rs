//! The standard objects as tables of text, and how a table is read.
//!
//! `# Object | prefix | label | plural | marks` opens an object; each further line is a field:
//! `Name@Compound | type size | flags | targets | values`. Flags: `c`reateable, `u`pdateable, `n`illable,
//! `d`efaulted on create, `r`estricted picklist, `N`ame field, id `L`ookup, `A`uto number, not
//! `F`ilterable, not `S`ortable. A target is `Object>Children` with `*` where deleting it takes the record
//! along and `!` where the record forbids deleting it; a `*` behind a value marks the default. Marks of
//! objects: `merge`, `undelete`, `nocreate`, `setup` (read only, unless `write`).

mod people;
mod sales;
mod service;
mod setup;

use serde_json::Value as Json;

use super::schema::{Field, Kind, Object, OnDelete, Pick, Target};

/// Every standard object, or the line that cannot be read.
pub(super) fn standard() -> Result<Vec<Object>, String> {
    let tables = [
        people::ACCOUNTS,
        people::LEADS,
        sales::OPPORTUNITIES,
        sales::PRODUCTS,
        service::CASES,
        service::ACTIVITIES,
        service::CONTENT,
        setup::SETUP,
    ];
    let mut objects: Vec<Object> = Vec::new();
    for line in tables.iter().flat_map(|table| table.lines()) {
        let bad = || format!("the catalogue's line `{line}`");
        if let Some(head) = line.strip_prefix("# ") {
            objects.push(object(head).ok_or_else(bad)?);
        } else {
            let field = field(line).ok_or_else(bad)?;
            objects.last_mut().ok_or_else(bad)?.push(field);
        }
    }
    for object in &mut objects {
        system_fields(object);
    }
    Ok(objects)
}

fn object(head: &str) -> Option<Object> {
    let mut parts = head.split('|').map(str::trim);
    let mut object = Object::new(parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let marks: Vec<&str> = parts.next()?.split(' ').collect();
    let has = |mark: &str| marks.contains(&mark);
    object.mergeable = has("merge");
    object.undeletable = has("undelete");
    object.createable = !has("nocreate") && (!has("setup") || has("write"));
    object.updateable = !has("setup") || has("write");
    object.deletable = !has("setup");
    object.setup = has("setup");
    Some(object)
}

fn field(line: &str) -> Option<Field> {
    let mut parts = line.split('|').map(str::trim);
    let (name, compound) = match parts.next()?.split_once('@') {
        Some((name, compound)) => (name, Some(compound.to_owned())),
        None => (line.split('|').next()?.trim(), None),
    };
    let (kind, size) = parts.next().map(|kind| kind.split_once(' ').unwrap_or((kind, "")))?;
    let mut field = Field::new(name, kind.parse().ok()?);
    let (whole, scale) = size.split_once(',').unwrap_or((size, "0"));
    field.size(whole.parse().unwrap_or(0), scale.parse().ok()?);
    field.compound = compound;
    for flag in parts.next()?.chars() {
        match flag {
            'c' => field.createable = true,
            'u' => field.updateable = true,
            'n' => field.nillable = true,
            'd' => field.defaulted = true,
            'r' => field.restricted = true,
            'N' => field.name_field = true,
            'L' => field.id_lookup = true,
            'A' => field.auto_number = true,
            'F' => field.filterable = false,
            'S' => field.sortable = false,
            _ => return None,
        }
    }
    field.targets = parts.next().unwrap_or("").split(',').filter(|one| !one.is_empty()).map(target).collect();
    field.values = values(parts.next().unwrap_or(""));
    if let Some(default) = field.values.iter().find(|pick| pick.default) {
        field.default = Some(default.value.clone().into());
    } else if field.kind == Kind::Boolean {
        field.default = Some(Json::Bool(false));
    }
    Some(field)
}

/// `Account>Contacts*`.
fn target(text: &str) -> Target {
    let (object, children) = text.split_once('>').map_or((text, None), |(object, rest)| (object, Some(rest)));
    let on_delete = match children.unwrap_or("").chars().last() {
        Some('*') => OnDelete::Cascade,
        Some('!') => OnDelete::Restrict,
        _ => OnDelete::Clear,
    };
    let children = children.map(|name| name.trim_end_matches(['*', '!']).to_owned());
    Target { object: object.to_owned(), children, on_delete }
}

fn values(text: &str) -> Vec<Pick> {
    let list = match text {
        "" => return Vec::new(),
        "GEOCODE" => "Address;NearAddress;Block;Street;ExtendedZip;Zip;Neighborhood;City;County;State;Unknown",
        "SOURCE" => "Web;Phone Inquiry;Partner Referral;Purchased List;Other",
        "INDUSTRY" => {
            "Agriculture;Apparel;Banking;Biotechnology;Chemicals;Communications;Construction;Consulting;Education;\
             Electronics;Energy;Engineering;Entertainment;Environmental;Finance;Food & Beverage;Government;Healthcare;\
             Hospitality;Insurance;Machinery;Manufacturing;Media;Not For Profit;Recreation;Retail;Shipping;Technology;\
             Telecommunications;Transportation;Utilities;Other"
        }
        other => other,
    };
    list.split(';')
        .map(|value| {
            let plain = value.trim_end_matches('*');
            Pick { default: plain != value, ..Pick::of(plain) }
        })
        .collect()
}

/// What every object has beside its own fields (sheet: section 2 \[fixture\]).
pub(super) fn system_fields(object: &mut Object) {
    let add = |name: &str, kind: Kind, defaulted: bool| {
        let mut field = Field::new(name, kind);
        field.defaulted = defaulted;
        if kind == Kind::Reference {
            field.targets = vec![Target { object: "User".into(), children: None, on_delete: OnDelete::Clear }];
        }
        if kind == Kind::Boolean {
            field.default = Some(Json::Bool(false));
        }
        field
    };
    let mut id = add("Id", Kind::Id, true);
    id.label = "Record ID".to_owned();
    id.id_lookup = true;
    let rest = [
        add("IsDeleted", Kind::Boolean, true),
        add("CreatedDate", Kind::Datetime, true),
        add("CreatedById", Kind::Reference, true),
        add("LastModifiedDate", Kind::Datetime, true),
        add("LastModifiedById", Kind::Reference, true),
        add("SystemModstamp", Kind::Datetime, true),
    ];
    object.push_first(id);
    for field in rest {
        object.push(field);
    }
}
