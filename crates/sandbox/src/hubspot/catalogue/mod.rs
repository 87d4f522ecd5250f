//! What a new portal already has: HubSpot's own properties and their groups, per kind.
//!
//! The tables are text, one property a line: `name | label | group | type/fieldType | flags | options`.
//! Flags: `ro` value read-only, `calc` calculated, `hid` hidden, `uniq` unique, `owner` an enumeration
//! of owners with empty options, `ext` external options, `money` with currency symbol, `form` form
//! field, `team`/`company`/`contact` refers to that kind. Options: `value=Label;value;...`.
//! Names, types and flags follow the sheet (HubSpot sections 2.3, 2.4, 3 \[doc/obs\]); it is a realistic
//! part of the several hundred properties of a real portal, not all of them.

mod activities;
mod companies;
mod people;
mod sales;

use super::kinds::{self, Kind, Kinds};
use super::property::{Choice, Group, Property, Schema, ValueType};

/// System properties that every kind has.
const SYSTEM: &str = "\
hs_object_id | Record ID | INFO | number/number | ro |
hs_lastmodifieddate | Object last modified date/time | INFO | datetime/date | ro |
hs_createdate | Object create date/time | INFO | datetime/date | ro |
hs_merged_object_ids | Merged record IDs | INFO | enumeration/checkbox | ro ext |
hs_object_source | Record source | INFO | string/text | ro hid |
hs_object_source_id | Record source ID | INFO | string/text | ro hid |
hs_object_source_label | Record source | INFO | enumeration/select | ro ext |
hs_object_source_detail_1 | Record source detail 1 | INFO | string/text | ro |
hs_object_source_detail_2 | Record source detail 2 | INFO | string/text | ro |
hs_object_source_user_id | Record source user ID | INFO | number/number | ro hid |
hs_created_by_user_id | Created by user ID | INFO | number/number | ro |
hs_updated_by_user_id | Updated by user ID | INFO | number/number | ro |
hs_user_ids_of_all_owners | User IDs of all owners | INFO | enumeration/checkbox | ro ext |
hs_user_ids_of_all_notification_followers | User IDs of all notification followers | INFO | enumeration/checkbox | ro ext hid |
hs_user_ids_of_all_notification_unfollowers | User IDs of all notification unfollowers | INFO | enumeration/checkbox | ro ext hid |
hs_all_owner_ids | All owner IDs | INFO | enumeration/checkbox | ro ext |
hs_all_team_ids | All team IDs | INFO | enumeration/checkbox | ro ext |
hs_all_accessible_team_ids | All accessible team IDs | INFO | enumeration/checkbox | ro ext |
hs_all_assigned_business_unit_ids | Business units | INFO | enumeration/checkbox | ext |
hs_unique_creation_key | Unique creation key | INFO | string/text | ro hid |
hs_was_imported | Performed in an import | INFO | bool/booleancheckbox | ro |
hs_read_only | Read only object | INFO | bool/booleancheckbox | ro hid |
hs_shared_team_ids | Shared teams | INFO | enumeration/checkbox | ro ext |
hs_shared_user_ids | Shared users | INFO | enumeration/checkbox | ro ext |
hs_owning_teams | Owning Teams | INFO | enumeration/checkbox | ext |
hubspot_owner_id | Owner | INFO | enumeration/select | owner |
hubspot_owner_assigneddate | Owner assigned date | INFO | datetime/date | ro |
hubspot_team_id | HubSpot team | INFO | enumeration/select | ro ext team |
";

/// Name of the group that HubSpot's own properties of a kind stand in.
fn info_group(kind: Kind) -> &'static str {
    match kind {
        kinds::CONTACTS => "contactinformation",
        kinds::COMPANIES => "companyinformation",
        kinds::DEALS => "dealinformation",
        kinds::TICKETS => "ticketinformation",
        kinds::NOTES => "note",
        kinds::CALLS => "call",
        kinds::MEETINGS => "meeting",
        kinds::TASKS => "task",
        kinds::EMAILS => "email",
        kinds::PRODUCTS => "productinformation",
        kinds::LINE_ITEMS => "lineiteminformation",
        kinds::QUOTES => "quoteinformation",
        kinds::LEADS => "leadinformation",
        kinds::COMMUNICATIONS => "communication",
        kinds::POSTAL_MAIL => "postal_mail",
        _ => "custom_object_information",
    }
}

/// The default schema of a kind.
pub(crate) fn schema(kind: Kind) -> Schema {
    let tables: &[&str] = match kind {
        kinds::CONTACTS => &[people::CONTACTS, people::CONTACT_ANALYTICS],
        kinds::COMPANIES => &[companies::COMPANIES],
        kinds::DEALS => &[sales::DEALS],
        kinds::TICKETS => &[sales::TICKETS],
        kinds::PRODUCTS => &[sales::PRODUCTS],
        kinds::LINE_ITEMS => &[sales::LINE_ITEMS],
        kinds::QUOTES => &[sales::QUOTES],
        kinds::LEADS => &[people::LEADS],
        kinds::NOTES => &[activities::SHARED, activities::NOTES],
        kinds::CALLS => &[activities::SHARED, activities::CALLS],
        kinds::MEETINGS => &[activities::SHARED, activities::MEETINGS],
        kinds::TASKS => &[activities::SHARED, activities::TASKS],
        kinds::EMAILS => &[activities::SHARED, activities::EMAILS],
        kinds::COMMUNICATIONS => &[activities::SHARED, activities::COMMUNICATIONS],
        kinds::POSTAL_MAIL => &[activities::SHARED, activities::POSTAL_MAIL],
        _ => &[],
    };
    let mut schema = Schema::default();
    let info = info_group(kind);
    group(&mut schema, info);
    for table in [SYSTEM].iter().chain(tables) {
        for line in table.lines().filter(|line| !line.trim().is_empty()) {
            let mut property = line_property(line, info);
            if property.name == "industry" {
                property.options = choices(companies::INDUSTRIES);
            }
            group(&mut schema, &property.group);
            schema.put(property);
        }
    }
    schema
}

fn group(schema: &mut Schema, name: &str) {
    if schema.groups.iter().any(|g| g.name == name) {
        return;
    }
    let display_order = i64::try_from(schema.groups.len()).unwrap_or(i64::MAX);
    schema.groups.push(Group { name: name.to_owned(), label: title(name), display_order, archived: false });
}

fn line_property(line: &str, info: &str) -> Property {
    let mut columns = line.split('|').map(str::trim);
    let mut next = || columns.next().unwrap_or("");
    let (name, label, group) = (next(), next(), next());
    let (value_type, field_type) = next().split_once('/').unwrap_or(("string", "text"));
    let flags = next();
    let options = next();
    let group = if group == "INFO" { info } else { group };
    let value_type = ValueType::parse(value_type).unwrap_or(ValueType::Text);
    let mut property = Property::custom(name, label, group, value_type, field_type);
    property.hubspot_defined = true;
    property.read_only_definition = true;
    property.options = choices(options);
    for flag in flags.split_whitespace() {
        apply_flag(&mut property, flag);
    }
    property
}

fn apply_flag(property: &mut Property, flag: &str) {
    match flag {
        "ro" => property.read_only_value = true,
        "calc" => {
            property.calculated = true;
            property.read_only_value = true;
        }
        "hid" => property.hidden = true,
        "uniq" => property.unique = true,
        "ext" => property.external_options = true,
        "form" => property.form_field = true,
        "owner" => {
            property.external_options = true;
            property.referenced = Some("OWNER".to_owned());
        }
        "team" => property.referenced = Some("TEAM".to_owned()),
        "company" => property.referenced = Some("COMPANY".to_owned()),
        "contact" => property.referenced = Some("CONTACT".to_owned()),
        "money" => {
            property.show_currency_symbol = true;
            property.currency_property = Some("deal_currency_code".to_owned());
        }
        _ => {}
    }
}

fn choices(list: &str) -> Vec<Choice> {
    list.split(';')
        .map(str::trim)
        .filter(|option| !option.is_empty())
        .enumerate()
        .map(|(order, option)| {
            let (value, label) =
                option.split_once('=').map_or_else(|| (option, title(option)), |(v, l)| (v, l.to_owned()));
            Choice {
                label,
                value: value.to_owned(),
                display_order: i64::try_from(order).unwrap_or(i64::MAX),
                hidden: false,
                description: String::new(),
            }
        })
        .collect()
}

/// `AIRLINES_AVIATION` becomes `Airlines Aviation`.
fn title(name: &str) -> String {
    name.split('_')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| {
                first.to_uppercase().chain(letters.flat_map(char::to_lowercase)).collect()
            })
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// The kinds that every portal has, with their schemas.
pub(crate) fn schemas(kinds: &Kinds) -> Vec<Schema> {
    kinds.iter().map(|(kind, _)| schema(kind)).collect()
}
