//! Fields out of a table's definition.
//!
//! - A lookup that may lead to several tables (`customerid`) is one field for each of them (`customerid.account`), and
//!   one that shows the id whatever it leads to.
//! - The owner is a user; a team stands as `team:` with its id before it, so that whose it is can be told when it is
//!   written (sheet: Dynamics section 5.1).
//! - The state of a record and its status within are choices, each status within its state (section 5.6).

use std::collections::BTreeMap;
use std::sync::Arc;

use handover_connect::{Fault, Refusal, Reply, Request, Step};
use handover_model::{Choice, Field, FieldName, Kind, ObjectName, ReadCost, Schema, Writable};
use serde_json::Value as Json;

use super::capabilities::LINKS;
use super::definition::{self, CURRENCY, Column, Definition};
use super::faults;
use super::objects::{self, CREATED, DATA, ID, Keeps, OVERRIDDEN, Object, SET, TRACKED};
use super::place::Place;
use crate::json::{body, flag_at, items, text_at};
use crate::marks::{Mark, foreign};

/// The tables that owners are in.
const OWNERS: [&str; 2] = ["systemuser", "team"];
/// What the platform keeps for itself, and the bytes of files, which are no value.
const HIDDEN: [&str; 5] =
    ["documentbody", "isdocument", "versionnumber", "timezoneruleversionnumber", "utcconversiontimezonecode"];
/// Who takes part in activities, as what, and the number of that part (section 5.8 \[doc\]).
const PARTS: [(&str, &str, u8); 9] = [
    ("email", "from", 1),
    ("email", "to", 2),
    ("email", "cc", 3),
    ("email", "bcc", 4),
    ("phonecall", "from", 1),
    ("phonecall", "to", 2),
    ("appointment", "requiredattendees", 5),
    ("appointment", "optionalattendees", 6),
    ("appointment", "organizer", 7),
];
/// The tables of those who take part and are carried.
const PARTIES: [&str; 3] = ["account", "contact", "lead"];
/// What the platform fills although it must not be empty.
const FILLED: [&str; 4] = ["OwnerType", "StateType", "StatusType", "UniqueidentifierType"];

/// The schema of a table whose definition is whole.
pub(super) fn of(object: &Object<'_>, definition: &Definition) -> Schema {
    let mut maker = Maker { object, definition, own: BTreeMap::new(), fields: Vec::new() };
    maker.own.insert(SET.to_owned(), definition.set.clone());
    maker.own.insert(ID.to_owned(), definition.id.clone());
    if definition.tracked {
        maker.own.insert(TRACKED.to_owned(), "yes".to_owned());
    }
    for column in &definition.columns {
        if !HIDDEN.contains(&column.name.as_str()) {
            maker.column(column);
        }
    }
    maker.pairs();
    maker.parties();
    for (code, id) in &definition.currencies {
        maker.own.insert(Keeps::Currency.of(code), id.clone());
    }
    let Maker { own, fields, .. } = maker;
    Schema {
        object: object.name.into(),
        label: if object.is_document() { format!("{} with files", definition.label) } else { definition.label.clone() },
        fields,
        name: definition.name.as_deref().map(FieldName::from),
        content: object.is_document(),
        own,
    }
}

struct Maker<'d> {
    object: &'d Object<'d>,
    definition: &'d Definition,
    own: BTreeMap<String, String>,
    fields: Vec<Field>,
}

impl Maker<'_> {
    /// A column as a field, or as several.
    fn column(&mut self, column: &Column) {
        let writable = match (column.create, column.update) {
            _ if column.name == OVERRIDDEN => Writable::Never,
            // What is said of it goes through another column.
            _ if column.name == CREATED => self.dates_back(),
            (true, true) => Writable::Always,
            // A record is made open whatever the state, and brought into it behind that.
            (false, true) if column.kind == "StateType" => Writable::Always,
            (true, false) => Writable::OnCreate,
            // What can be changed and not be given at first does not exist.
            (false, _) => Writable::Never,
        };
        // Files are made and not changed.
        let writable =
            if self.object.is_document() && writable == Writable::Always { Writable::OnCreate } else { writable };
        let is_filled = FILLED.contains(&column.kind.as_str()) || column.kind == "BooleanType";
        let field = Field {
            name: column.name.as_str().into(),
            label: column.label.clone(),
            kind: Kind::Opaque,
            required: column.needed && !is_filled && writable != Writable::Never,
            writable,
            unique: self.definition.keys.get(&column.name) == Some(&true),
            custom: column.custom,
            read: ReadCost::Listed,
            blank_is_zero: false,
        };
        if column.kind.starts_with("Lookup") || column.kind == "CustomerType" || column.kind == "OwnerType" {
            self.lookup(field);
        } else if let Some(kind) = self.kind(column) {
            self.fields.push(Field { kind, ..field });
        }
    }

    /// Whether a date of creation can be given (section 5.6).
    fn dates_back(&self) -> Writable {
        let column = self.definition.columns.iter().find(|column| column.name == OVERRIDDEN);
        if column.is_some_and(|column| column.create) { Writable::OnCreate } else { Writable::Never }
    }

    fn kind(&self, column: &Column) -> Option<Kind> {
        Some(match column.kind.as_str() {
            "StringType" if column.format == "Email" => Kind::Email { many: false },
            "StringType" if column.format == "Phone" => Kind::Phone { many: false },
            "StringType" => Kind::Text { max: column.max, html: false },
            // The body of an e-mail (section 9).
            "MemoType" => {
                Kind::Text { max: column.max, html: self.object.table == "email" && column.name == "description" }
            }
            "IntegerType" | "BigIntType" | "DecimalType" | "DoubleType" | "MoneyType" => Kind::Number,
            "DateTimeType" if column.day => Kind::Date,
            "DateTimeType" => Kind::DateTime,
            "BooleanType" => Kind::Bool,
            "PicklistType" | "StateType" | "StatusType" => Kind::Choice { options: self.choices(column), many: false },
            "MultiSelectPicklistType" => Kind::Choice { options: self.choices(column), many: true },
            "UniqueidentifierType" | "EntityNameType" => Kind::Opaque,
            // Pictures, files and lists of parties are no value by themselves.
            _ => return None,
        })
    }

    fn choices(&self, column: &Column) -> Arc<[Choice]> {
        let all = self.definition.choices.get(&column.name).map(Vec::as_slice).unwrap_or_default();
        let one = |choice: &super::definition::Choice| Choice {
            value: choice.value.to_string(),
            label: choice.label.clone(),
            within: choice.state.map(|state| state.to_string()),
        };
        all.iter().map(one).collect()
    }

    /// A lookup: one field, or one for each table that it may lead to.
    fn lookup(&mut self, field: Field) {
        let column = field.name.to_string();
        let property = format!("_{column}_value");
        let all: Vec<(String, String)> = self
            .definition
            .lookups
            .iter()
            .filter(|lookup| lookup.column == column)
            .map(|lookup| (lookup.to.clone(), lookup.nav.clone()))
            .collect();
        self.own.insert(Keeps::Read.of(&column), property.clone());
        if !all.is_empty() && all.iter().all(|(to, _)| OWNERS.contains(&to.as_str())) {
            let nav = all.first().map(|(_, nav)| nav.clone()).unwrap_or_default();
            self.own.insert(Keeps::Nav.of(&column), nav);
            self.fields.push(Field { kind: Kind::User, ..field });
            return;
        }
        if column == CURRENCY {
            self.lead(&column, "transactioncurrencies", &column);
            self.fields.push(Field { kind: Kind::Currency, ..field });
            return;
        }
        let carried: Vec<(&String, &String, String)> =
            all.iter().filter_map(|(to, nav)| Some((to, nav, self.set_of(to)?))).collect();
        match (all.as_slice(), carried.as_slice()) {
            ([_], [(to, nav, set)]) => {
                let kind = Kind::Reference { object: ObjectName::from(to.as_str()), many: false };
                self.lead(&column, set, nav);
                self.fields.push(Field { kind, ..field });
            }
            _ => {
                // One of several cannot be asked of each, so none of them is required.
                self.fields.push(Field { writable: Writable::Never, required: false, ..field.clone() });
                for (to, nav, set) in carried {
                    let name = format!("{column}.{to}");
                    self.own.insert(Keeps::Read.of(&name), property.clone());
                    self.lead(&name, &set, nav);
                    self.fields.push(Field {
                        name: name.as_str().into(),
                        label: format!("{}: {to}", field.label),
                        kind: Kind::Reference { object: ObjectName::from(to.as_str()), many: false },
                        required: false,
                        ..field.clone()
                    });
                }
            }
        }
    }

    /// Keeps where a lookup leads and by what it is written.
    fn lead(&mut self, field: &str, set: &str, nav: &str) {
        self.own.insert(Keeps::To.of(field), set.to_owned());
        self.own.insert(Keeps::Nav.of(field), nav.to_owned());
    }

    /// The set of a table that is carried.
    fn set_of(&self, table: &str) -> Option<String> {
        Some(self.other(table)?.0)
    }

    /// Set and id of a table that is carried.
    fn other(&self, table: &str) -> Option<(String, String)> {
        if table == self.object.table {
            return Some((self.definition.set.clone(), self.definition.id.clone()));
        }
        match objects::known(table) {
            Some(known) => Some((known.set.to_owned(), known.id.to_owned())),
            None => self.definition.sets.get(table).cloned(),
        }
    }

    /// Tables with which rows are paired (section 9).
    fn pairs(&mut self) {
        for pair in &self.definition.pairs {
            let Some((set, id)) = self.other(&pair.to) else { continue };
            self.own.insert(Keeps::Pair.of(&pair.nav), format!("{} {set} {id}", pair.nav));
            self.fields.push(several(&pair.nav, format!("{} ({})", pair.to, pair.nav), &pair.to, Writable::Always));
        }
    }

    /// Who takes part in an activity.
    fn parties(&mut self) {
        let table = self.object.table;
        for (_, name, part) in PARTS.iter().filter(|(activity, ..)| *activity == table) {
            for to in PARTIES {
                let field = format!("{name}.{to}");
                self.own.insert(Keeps::Party.of(&field), format!("{table}_activity_parties {part} {to}"));
                self.fields.push(several(&field, format!("{name}: {to}"), to, Writable::Never));
            }
        }
    }
}

/// Links to several records, read in calls of their own.
fn several(name: &str, label: String, to: &str, writable: Writable) -> Field {
    Field {
        name: name.into(),
        label,
        kind: Kind::Reference { object: ObjectName::from(to), many: true },
        required: false,
        writable,
        unique: false,
        custom: false,
        read: ReadCost::Extra { per_call: LINKS, opt_in: false, only_above: None },
        blank_is_zero: false,
    }
}

/// What the names of tables begin with that the vendor's own solutions bring, and no customer made.
const VENDORS: [&str; 8] = ["msdyn", "mscrm", "mspp", "msfp", "msevtmgt", "msa", "adx", "mspcat"];

/// The request for the list of tables.
pub(super) fn objects() -> Request {
    let select = "LogicalName,IsCustomEntity,IsIntersect,IsActivity,TableType,IsValidForAdvancedFind";
    let query = [("$select", select), ("$filter", "IsCustomEntity eq true")];
    definition::ask(&format!("{DATA}/EntityDefinitions"), &query)
}

/// The tables that the customer made.
pub(super) fn objects_told(reply: &Reply) -> Result<Step, Fault> {
    faults::check(reply)?;
    let body = body(reply)?;
    let is_meant = |table: &&Json| {
        flag_at(table, "IsCustomEntity")
            && flag_at(table, "IsValidForAdvancedFind")
            && !flag_at(table, "IsIntersect")
            // Elastic and virtual tables have rules of their own.
            && text_at(table, "TableType").is_none_or(|kind| kind == "Standard")
    };
    let is_vendors = |name: &str| {
        let prefix = name.split('_').next().unwrap_or_default();
        VENDORS.iter().any(|vendor| prefix == *vendor || *vendor == "msdyn" && prefix.starts_with(vendor))
    };
    let names = items(&body, "value").iter().filter(is_meant).filter_map(|table| text_at(table, "LogicalName"));
    let mut names: Vec<ObjectName> =
        names.filter(|name| objects::is_custom(name) && !is_vendors(name)).map(ObjectName::from).collect();
    names.sort_unstable();
    Ok(Step::Objects(names))
}

/// The next request that describes an object.
pub(super) fn describe(name: &str, place: Option<Place>) -> Result<Request, Refusal> {
    Ok(defined(place)?.request(&undescribed(name)?))
}

/// What the reply says of the object, or what is asked next.
pub(super) fn described(name: &str, place: Option<Place>, reply: &Reply) -> Result<Step, Fault> {
    let object = undescribed(name).map_err(Fault::from)?;
    let mut definition = defined(place).map_err(Fault::from)?;
    if definition.take(&object, reply)? {
        return Ok(Place::Describing(definition).then());
    }
    Ok(Step::Schema(of(&object, &definition)))
}

fn defined(place: Option<Place>) -> Result<Box<Definition>, Refusal> {
    match place {
        None => Ok(Box::default()),
        Some(Place::Describing(definition)) => Ok(definition),
        Some(_) => Err(foreign()),
    }
}

/// An object of which only the name is known.
fn undescribed(name: &str) -> Result<Object<'_>, Refusal> {
    match objects::known(name) {
        Some(known) => Ok(*known),
        None if objects::is_custom(name) => Ok(Object { name, table: name, ..objects::OWN }),
        None => objects::object(name, None),
    }
}
