//! Which kinds of record exist, by what names a path may call them, and which scopes guard them.
//!
//! Owns the table of type ids (sheet: HubSpot section 2 \[doc\]). A kind never changes its index, so
//! every other module keeps the small [`Kind`] instead of a name. Custom objects are appended behind
//! the built-in ones when a world brings them.

use std::collections::HashMap;

/// Index of an object kind; stable for the life of a world.
pub(crate) type Kind = u16;

pub(crate) const CONTACTS: Kind = 0;
pub(crate) const COMPANIES: Kind = 1;
pub(crate) const DEALS: Kind = 2;
pub(crate) const TICKETS: Kind = 3;
pub(crate) const NOTES: Kind = 4;
pub(crate) const CALLS: Kind = 5;
pub(crate) const MEETINGS: Kind = 6;
pub(crate) const TASKS: Kind = 7;
pub(crate) const EMAILS: Kind = 8;
pub(crate) const PRODUCTS: Kind = 9;
pub(crate) const LINE_ITEMS: Kind = 10;
pub(crate) const QUOTES: Kind = 11;
pub(crate) const LEADS: Kind = 12;
pub(crate) const COMMUNICATIONS: Kind = 13;
pub(crate) const POSTAL_MAIL: Kind = 14;

/// Type id, plural name, singular name, word in scopes (`crm.objects.WORD.read`).
const BUILT_IN: [(&str, &str, &str, &str); 15] = [
    ("0-1", "contacts", "contact", "contacts"),
    ("0-2", "companies", "company", "companies"),
    ("0-3", "deals", "deal", "deals"),
    ("0-5", "tickets", "ticket", "tickets"),
    ("0-46", "notes", "note", "contacts"),
    ("0-48", "calls", "call", "contacts"),
    ("0-47", "meetings", "meeting", "contacts"),
    ("0-27", "tasks", "task", "contacts"),
    ("0-49", "emails", "email", "contacts"),
    ("0-7", "products", "product", "products"),
    ("0-8", "line_items", "line_item", "line_items"),
    ("0-14", "quotes", "quote", "quotes"),
    ("0-136", "leads", "lead", "leads"),
    ("0-18", "communications", "communication", "contacts"),
    ("0-116", "postal_mail", "postal_mail", "contacts"),
];

/// One kind of record.
#[derive(Clone, Debug)]
pub(crate) struct ObjectKind {
    /// `0-1`, or `2-NNN` for a custom object.
    pub(crate) type_id: String,
    /// `contacts`.
    pub(crate) plural: String,
    /// `contact`, as messages and association types write it.
    pub(crate) singular: String,
    /// The word in its scopes.
    pub(crate) scope_word: String,
    /// Custom objects: properties that a create must bring (sheet: section 2.3).
    pub(crate) required: Vec<String>,
    /// Custom objects: what else their schema says.
    pub(crate) custom: Custom,
}

/// What the schema of a custom object says (sheet: HubSpot section 2.8 \[spec\]).
#[derive(Clone, Debug, Default)]
pub(crate) struct Custom {
    /// `p123_car`: the name by which everybody may call it.
    pub(crate) qualified: String,
    /// What users call one of them; its name where nobody said it.
    pub(crate) label: Option<String>,
    /// What they call several.
    pub(crate) plural_label: Option<String>,
    /// The property that names a record.
    pub(crate) primary: Option<String>,
}

/// Every kind of this portal.
#[derive(Clone, Debug)]
pub(crate) struct Kinds {
    all: Vec<ObjectKind>,
    by_name: HashMap<String, Kind>,
}

impl Kinds {
    /// The built-in kinds.
    pub(crate) fn built_in() -> Self {
        let mut kinds = Self { all: Vec::new(), by_name: HashMap::new() };
        for (type_id, plural, singular, scope) in BUILT_IN {
            kinds.add(ObjectKind {
                type_id: type_id.to_owned(),
                plural: plural.to_owned(),
                singular: singular.to_owned(),
                scope_word: scope.to_owned(),
                required: Vec::new(),
                custom: Custom::default(),
            });
        }
        kinds
    }

    /// Appends a custom object.
    pub(crate) fn add(&mut self, kind: ObjectKind) -> Kind {
        let index = u16::try_from(self.all.len()).unwrap_or(u16::MAX);
        let names = [&kind.type_id, &kind.plural, &kind.singular, &kind.custom.qualified];
        for name in names.into_iter().filter(|name| !name.is_empty()) {
            self.by_name.insert(name.clone(), index);
        }
        self.all.push(kind);
        index
    }

    /// The kind that a path calls `name`: plural, singular, type id or qualified name, in any case.
    pub(crate) fn find(&self, name: &str) -> Option<Kind> {
        self.by_name.get(name).or_else(|| self.by_name.get(&name.to_ascii_lowercase())).copied()
    }

    /// How many kinds there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Every kind with its index.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Kind, &ObjectKind)> {
        self.all.iter().enumerate().map(|(i, kind)| (u16::try_from(i).unwrap_or(u16::MAX), kind))
    }

    fn get(&self, kind: Kind) -> Option<&ObjectKind> {
        self.all.get(usize::from(kind))
    }

    /// `contacts`.
    pub(crate) fn plural(&self, kind: Kind) -> &str {
        self.get(kind).map_or("", |k| k.plural.as_str())
    }

    /// `contact`.
    pub(crate) fn singular(&self, kind: Kind) -> &str {
        self.get(kind).map_or("", |k| k.singular.as_str())
    }

    /// `0-1`.
    pub(crate) fn type_id(&self, kind: Kind) -> &str {
        self.get(kind).map_or("", |k| k.type_id.as_str())
    }

    /// Properties a create of this custom object must bring; empty for built-in kinds.
    pub(crate) fn required(&self, kind: Kind) -> &[String] {
        self.get(kind).map_or(&[], |k| k.required.as_slice())
    }

    /// What the schema of this custom object says.
    pub(crate) fn custom(&self, kind: Kind) -> Option<&Custom> {
        self.get(kind).filter(|_| Self::is_custom(kind)).map(|k| &k.custom)
    }

    /// The scopes that reading or writing records of `kind` needs, all of them
    /// (sheet: section 1 \[doc\]: tickets have their own word, e-mail bodies one more).
    pub(crate) fn object_scopes(&self, kind: Kind, write: bool) -> Vec<String> {
        if kind == TICKETS {
            return vec!["tickets".to_owned()];
        }
        let word = self.get(kind).map_or("custom", |k| k.scope_word.as_str());
        let mut scopes = vec![format!("crm.objects.{word}.{}", if write { "write" } else { "read" })];
        if kind == EMAILS && !write {
            scopes.push("sales-email-read".to_owned());
        }
        scopes
    }

    /// The scope that reading or changing property definitions of `kind` needs.
    pub(crate) fn schema_scope(&self, kind: Kind, write: bool) -> String {
        if kind == TICKETS {
            return "tickets".to_owned();
        }
        let word = self.get(kind).map_or("custom", |k| k.scope_word.as_str());
        format!("crm.schemas.{word}.{}", if write { "write" } else { "read" })
    }

    /// The property that every write of `kind` moves: contacts differ (sheet: section 4 \[doc\]).
    pub(crate) fn modified_property(kind: Kind) -> &'static str {
        if kind == CONTACTS { "lastmodifieddate" } else { "hs_lastmodifieddate" }
    }

    /// The property that always comes back as the time of creation.
    pub(crate) fn created_property(kind: Kind) -> &'static str {
        match kind {
            CONTACTS | COMPANIES | DEALS | TICKETS | PRODUCTS | LINE_ITEMS => "createdate",
            _ => "hs_createdate",
        }
    }

    /// Whether `kind` is an entry of the timeline (an engagement).
    pub(crate) fn is_activity(kind: Kind) -> bool {
        matches!(kind, NOTES | CALLS | MEETINGS | TASKS | EMAILS | COMMUNICATIONS | POSTAL_MAIL)
    }

    /// Custom objects stand behind the built-in kinds.
    pub(crate) fn is_custom(kind: Kind) -> bool {
        usize::from(kind) >= BUILT_IN.len()
    }
}
