//! Objects and fields: what describe tells, and what every write and every query is judged by.
//!
//! Names are found without case; what is given back has the case of the schema.

use std::collections::BTreeMap;

use serde_json::Value as Json;

/// A field's type as describe names it (sheet: section 3 \[spec\]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Id,
    Text,
    Textarea,
    Picklist,
    Multipicklist,
    Combobox,
    Reference,
    Boolean,
    Currency,
    Double,
    Percent,
    Int,
    Date,
    Datetime,
    Time,
    Phone,
    Email,
    Url,
    Base64,
    Address,
}

/// Name in describe, type, type in SOAP.
const KINDS: [(&str, Kind, &str); 20] = [
    ("id", Kind::Id, "tns:ID"),
    ("string", Kind::Text, "xsd:string"),
    ("textarea", Kind::Textarea, "xsd:string"),
    ("picklist", Kind::Picklist, "xsd:string"),
    ("multipicklist", Kind::Multipicklist, "xsd:string"),
    ("combobox", Kind::Combobox, "xsd:string"),
    ("reference", Kind::Reference, "tns:ID"),
    ("boolean", Kind::Boolean, "xsd:boolean"),
    ("currency", Kind::Currency, "xsd:double"),
    ("double", Kind::Double, "xsd:double"),
    ("percent", Kind::Percent, "xsd:double"),
    ("int", Kind::Int, "xsd:int"),
    ("date", Kind::Date, "xsd:date"),
    ("datetime", Kind::Datetime, "xsd:dateTime"),
    ("time", Kind::Time, "xsd:time"),
    ("phone", Kind::Phone, "xsd:string"),
    ("email", Kind::Email, "xsd:string"),
    ("url", Kind::Url, "xsd:string"),
    ("base64", Kind::Base64, "xsd:base64Binary"),
    ("address", Kind::Address, "urn:address"),
];

impl std::str::FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = KINDS.iter().find(|(name, _, _)| *name == text);
        known.map(|(_, kind, _)| *kind).ok_or_else(|| format!("`{text}` is no type of field"))
    }
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        KINDS.iter().find(|(_, kind, _)| *kind == self).map_or("string", |(name, _, _)| name)
    }

    pub(super) fn soap(self) -> &'static str {
        KINDS.iter().find(|(_, kind, _)| *kind == self).map_or("xsd:string", |(_, _, soap)| soap)
    }

    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::Currency | Self::Double | Self::Percent | Self::Int)
    }

    pub(super) fn is_id(self) -> bool {
        matches!(self, Self::Id | Self::Reference)
    }

    pub(super) fn is_text(self) -> bool {
        !self.is_number() && !matches!(self, Self::Boolean | Self::Date | Self::Datetime | Self::Time | Self::Address)
    }
}

/// One value of a picklist.
#[derive(Clone, Debug)]
pub(super) struct Pick {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) active: bool,
    pub(super) default: bool,
    /// Places of the controlling field's values under which it may be chosen; none where it has no controller.
    pub(super) valid_for: Option<Vec<usize>>,
}

impl Pick {
    pub(super) fn of(value: &str) -> Self {
        Self { value: value.to_owned(), label: value.to_owned(), active: true, default: false, valid_for: None }
    }
}

/// What happens to the record that points when the one it points to is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnDelete {
    Clear,
    Cascade,
    Restrict,
}

/// An object that a lookup may point to.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) object: String,
    /// The name under which the target sees these records.
    pub(super) children: Option<String>,
    pub(super) on_delete: OnDelete,
}

/// A field.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) kind: Kind,
    pub(super) length: usize,
    pub(super) precision: usize,
    pub(super) scale: usize,
    pub(super) createable: bool,
    pub(super) updateable: bool,
    pub(super) nillable: bool,
    pub(super) defaulted: bool,
    pub(super) filterable: bool,
    pub(super) sortable: bool,
    pub(super) custom: bool,
    pub(super) unique: bool,
    pub(super) external_id: bool,
    pub(super) case_sensitive: bool,
    pub(super) id_lookup: bool,
    pub(super) name_field: bool,
    pub(super) auto_number: bool,
    pub(super) html: bool,
    pub(super) restricted: bool,
    pub(super) values: Vec<Pick>,
    pub(super) controller: Option<String>,
    pub(super) default: Option<Json>,
    pub(super) targets: Vec<Target>,
    pub(super) compound: Option<String>,
    /// A calculated field: the path whose value it shows, or a text in quotes.
    pub(super) formula: Option<String>,
    /// Not shown to the users of the API until they are granted it (field-level security).
    pub(super) hidden: bool,
}

impl Field {
    pub(super) fn new(name: &str, kind: Kind) -> Self {
        let long = matches!(kind, Kind::Base64 | Kind::Address);
        Self {
            name: name.to_owned(),
            label: label_of(name, kind),
            kind,
            length: if kind.is_id() { 18 } else { 0 },
            precision: 0,
            scale: 0,
            createable: false,
            updateable: false,
            nillable: false,
            defaulted: false,
            filterable: !long,
            sortable: !long,
            custom: name.ends_with("__c"),
            unique: false,
            external_id: false,
            case_sensitive: false,
            id_lookup: false,
            name_field: false,
            auto_number: false,
            html: false,
            restricted: false,
            values: Vec::new(),
            controller: None,
            default: None,
            targets: Vec::new(),
            compound: None,
            formula: None,
            hidden: false,
        }
    }

    /// Characters of a text, digits of a number.
    pub(super) fn size(&mut self, whole: usize, scale: usize) {
        if self.kind.is_number() {
            self.precision = whole;
            self.scale = scale;
        } else if !self.kind.is_id() {
            self.length = whole;
        }
    }

    /// Whether a create must give it (sheet: section 2 \[fixture\]).
    pub(super) fn required(&self) -> bool {
        self.createable && !self.nillable && !self.defaulted && self.kind != Kind::Boolean
    }

    /// The name of the way to the parent: `Account`, `Parent__r`.
    pub(super) fn relationship(&self) -> Option<String> {
        if self.kind != Kind::Reference {
            return None;
        }
        match self.name.strip_suffix("__c") {
            Some(stem) => Some(format!("{stem}__r")),
            None => self.name.strip_suffix("Id").map(str::to_owned),
        }
    }

    pub(super) fn polymorphic(&self) -> bool {
        self.targets.len() > 1
    }

    /// Whether records are found by its value: lookups, keys, and the names that upserts may use.
    pub(super) fn indexed(&self) -> bool {
        self.kind == Kind::Reference || self.unique || self.external_id || (self.id_lookup && self.kind != Kind::Id)
    }
}

/// `AccountId` → `Account ID`, `BillingCity` → `Billing City`, `Src_Id__c` → `Src Id`.
fn label_of(name: &str, kind: Kind) -> String {
    let stem = name.trim_end_matches("__c").replace('_', " ");
    let mut label = String::new();
    for (at, letter) in stem.char_indices() {
        let before = stem.get(..at).and_then(|text| text.chars().last());
        if letter.is_uppercase() && before.is_some_and(|b| b.is_lowercase() || b.is_ascii_digit()) {
            label.push(' ');
        }
        label.push(letter);
    }
    match label.strip_suffix(" Id") {
        Some(stem) if kind.is_id() => format!("{stem} ID"),
        _ => label,
    }
}

/// An object.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) plural: String,
    pub(super) prefix: String,
    pub(super) custom: bool,
    pub(super) mergeable: bool,
    pub(super) undeletable: bool,
    pub(super) createable: bool,
    pub(super) updateable: bool,
    pub(super) deletable: bool,
    /// An object of the setup: it may not be written together with business records.
    pub(super) setup: bool,
    /// How an automatic number looks: `INV-{0000}`.
    pub(super) number_format: String,
    pub(super) fields: Vec<Field>,
    places: BTreeMap<String, usize>,
}

impl Object {
    pub(super) fn new(name: &str, prefix: &str, label: &str, plural: &str) -> Self {
        Self {
            name: name.to_owned(),
            label: label.to_owned(),
            plural: plural.to_owned(),
            prefix: prefix.to_owned(),
            custom: name.ends_with("__c"),
            mergeable: false,
            undeletable: true,
            createable: true,
            updateable: true,
            deletable: true,
            setup: false,
            number_format: "{00000000}".to_owned(),
            fields: Vec::new(),
            places: BTreeMap::new(),
        }
    }

    /// Adds a field, or puts it in the place of the one with its name.
    pub(super) fn push(&mut self, field: Field) {
        let key = field.name.to_lowercase();
        match self.places.get(&key).and_then(|place| self.fields.get_mut(*place)) {
            Some(place) => *place = field,
            None => {
                self.places.insert(key, self.fields.len());
                self.fields.push(field);
            }
        }
    }

    pub(super) fn push_first(&mut self, field: Field) {
        self.fields.insert(0, field);
        self.places = self.fields.iter().enumerate().map(|(at, field)| (field.name.to_lowercase(), at)).collect();
    }

    /// A field that the users of the API may see, by its name in any case.
    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        self.any_field(name).filter(|field| !field.hidden)
    }

    pub(super) fn any_field(&self, name: &str) -> Option<&Field> {
        self.fields.get(*self.places.get(&name.to_lowercase())?)
    }

    pub(super) fn field_mut(&mut self, name: &str) -> Option<&mut Field> {
        let place = *self.places.get(&name.to_lowercase())?;
        self.fields.get_mut(place)
    }

    pub(super) fn visible(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| !field.hidden)
    }

    /// The lookup behind a way to a parent: `Account`, `Parent__r`.
    pub(super) fn lookup(&self, relationship: &str) -> Option<&Field> {
        self.visible().find(|field| field.relationship().is_some_and(|own| own.eq_ignore_ascii_case(relationship)))
    }
}

/// One way from an object to records that point to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Child<'a> {
    pub(super) object: &'a Object,
    pub(super) field: &'a Field,
    pub(super) target: &'a Target,
}

/// All objects of the organization.
#[derive(Clone, Debug, Default)]
pub(super) struct Schema {
    pub(super) objects: BTreeMap<String, Object>,
    names: BTreeMap<String, String>,
    prefixes: BTreeMap<String, String>,
}

impl Schema {
    pub(super) fn add(&mut self, object: Object) {
        self.names.insert(object.name.to_lowercase(), object.name.clone());
        self.prefixes.insert(object.prefix.clone(), object.name.clone());
        self.objects.insert(object.name.clone(), object);
    }

    /// An object by its name in any case.
    pub(super) fn object(&self, name: &str) -> Option<&Object> {
        self.objects.get(self.names.get(&name.to_lowercase())?)
    }

    pub(super) fn object_mut(&mut self, name: &str) -> Option<&mut Object> {
        let name = self.names.get(&name.to_lowercase())?.clone();
        self.objects.get_mut(&name)
    }

    /// The object whose records' ids begin like this one.
    pub(super) fn of_id(&self, id: &str) -> Option<&Object> {
        self.objects.get(self.prefixes.get(id.get(..3)?)?)
    }

    /// A key prefix that no custom object has yet.
    pub(super) fn free_prefix(&self) -> String {
        (0..36_u32)
            .filter_map(|n| char::from_digit(n, 36))
            .map(|last| format!("a0{last}"))
            .find(|prefix| !self.prefixes.contains_key(prefix))
            .unwrap_or_else(|| format!("a{:02}", self.objects.len() % 100))
    }

    /// Every way to children of an object.
    pub(super) fn children<'a>(&'a self, parent: &'a str) -> impl Iterator<Item = Child<'a>> {
        self.objects.values().flat_map(move |object| {
            object.fields.iter().flat_map(move |field| {
                let to_parent = field.targets.iter().filter(move |target| target.object == parent);
                to_parent.map(move |target| Child { object, field, target })
            })
        })
    }

    /// Lookups that may point to any custom object now point to the present ones.
    pub(super) fn open_to_custom(&mut self) {
        let custom: Vec<String> =
            self.objects.values().filter(|object| object.custom).map(|object| object.name.clone()).collect();
        for object in self.objects.values_mut() {
            for field in &mut object.fields {
                if !field.targets.iter().any(|target| target.object == "CUSTOM") {
                    continue;
                }
                field.targets.retain(|target| target.object != "CUSTOM");
                let like = field.targets.first().cloned();
                let (children, on_delete) =
                    like.map_or((None, OnDelete::Clear), |target| (target.children, target.on_delete));
                field.targets.extend(custom.iter().map(|name| Target {
                    object: name.clone(),
                    children: children.clone(),
                    on_delete,
                }));
            }
        }
    }
}
