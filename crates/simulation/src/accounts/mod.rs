//! What each platform calls things: a table for each, and nothing but tables knows a platform's names.
//!
//! A table says for the four kinds of records, and for what is said of them, how the API calls it, how the sandbox's
//! journal does, and in which form people write it. What a platform lacks is missing in its table.

mod dynamics;
mod hubspot;
mod pipedrive;
mod salesforce;
mod zoho;

use std::fmt;

use handover_sandbox::faults::DisturbAction;
use serde_json::{Map, Value as Json, json};

use crate::oracle::Stands;
use crate::people::Deed;

/// Every platform that can be played.
pub const PLATFORMS: [&str; 5] = ["dynamics", "hubspot", "pipedrive", "salesforce", "zoho"];

/// An organization, by its place in [`Account::objects`].
pub(crate) const ORGANIZATION: usize = 0;
/// A person.
pub(crate) const PERSON: usize = 1;
/// A deal.
pub(crate) const DEAL: usize = 2;
/// A task.
pub(crate) const TASK: usize = 3;

/// Something that is said of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Concept {
    /// An organization's name.
    Name,
    /// Its page.
    Site,
    /// How many work there.
    Staff,
    /// A person's given name.
    First,
    /// A person's family name.
    Last,
    /// Both, where they are written as one.
    Whole,
    /// The address for e-mails.
    Mail,
    /// The phone number.
    Phone,
    /// The organization of a person or a deal.
    Firm,
    /// A deal's name.
    Title,
    /// What it is worth.
    Amount,
    /// How far it is.
    Stage,
    /// When it is to be won.
    Close,
    /// What tells ordinary deals from those of the cohort: an option of both.
    Sort,
    /// A deal's person.
    Contact,
    /// What is to be done.
    Subject,
    /// Until when.
    Due,
    /// The deal of a task.
    Deal,
}

/// How a value is written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Says {
    /// Text; blank it is null.
    Text,
    /// Text that is blank when it is empty.
    Words,
    /// A number.
    Number,
    /// A number, written as text that is blank when it is empty.
    Digits,
    /// A day.
    Day,
    /// The midnight with which a day begins, in UTC; blank it is empty.
    Midnight,
    /// A list of values, of which one is the primary one.
    Entries,
    /// One of these.
    Option(&'static [&'static str]),
    /// One of these numbers.
    Numbered(&'static [&'static str]),
    /// The id of another record, a number.
    Id,
    /// The id of another record, text.
    Key,
    /// An object with the id of another record.
    Lookup,
    /// A path of another record, in this set.
    Bind(&'static str),
    /// Nothing: it is an association, told from others by the types that it has from both of its ends, if that tells.
    Association(Option<[u64; 2]>),
}

/// One field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) concept: Concept,
    /// Its name in the schema.
    pub(crate) api: &'static str,
    /// Its name in the journal.
    pub(crate) journal: &'static str,
    /// Its name where people write it.
    pub(crate) written: &'static str,
    pub(crate) says: Says,
    /// Whether a record needs one.
    pub(crate) required: bool,
    /// Whether it can be written at all.
    pub(crate) derived: bool,
}

/// One kind of record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Object {
    /// Its name in the schema.
    pub(crate) api: &'static str,
    /// Its name in the journal.
    pub(crate) journal: &'static str,
    /// Whether it can have a field that says which record of the other system it is; with `true` one that is unique.
    pub(crate) key: Option<bool>,
    pub(crate) fields: &'static [Field],
    /// What every record says.
    pub(crate) constants: &'static [(&'static str, &'static str)],
    /// The field and the value that say that its counterpart is gone.
    pub(crate) mark: Option<(&'static str, &'static str)>,
}

/// How an account is in the weeks of a seed.
pub(crate) struct Mood {
    pub(crate) seed: u64,
    /// Milliseconds until searches find a change.
    pub(crate) lag_ms: i64,
    /// What it grants for each day, where that is little.
    pub(crate) day: Option<u64>,
}

/// How an account comes to tell of changes: its world, the address, and what is to be subscribed to.
pub(crate) type Tells = fn(&mut Json, &str, &[String]);

/// One platform.
pub(crate) struct Account {
    pub(crate) platform: &'static str,
    /// A new account: a world file.
    pub(crate) world: fn() -> Json,
    /// Organizations, persons, deals, tasks.
    pub(crate) objects: [Object; 4],
    /// Without it is polled alone.
    pub(crate) tells: Option<Tells>,
    /// What depends on the seed.
    pub(crate) mood: fn(&mut Json, &Mood),
    /// Whether a day's calls can be made few.
    pub(crate) has_day: bool,
    /// The requests that write, as a glob of their paths.
    pub(crate) writes: &'static str,
    /// Where tokens are bought, if ours are to end there.
    pub(crate) tokens: Option<&'static str>,
    /// Whether it takes any text for an address.
    pub(crate) any_mail: bool,
    /// What people cannot do there: where it is the old system, and where it is the new one.
    pub(crate) lacks: [&'static [Deed]; 2],
}

/// What most accounts are: polled, with enough calls, strict about addresses, and people do everything.
const PLAIN: Account = Account {
    platform: "",
    world: || Json::Null,
    objects: [object("", &[]); 4],
    tells: None,
    mood: |_, _| {},
    has_day: false,
    writes: "**",
    tokens: None,
    any_mail: false,
    lacks: [&[], &[]],
};

/// The platforms of the old system and of the new one.
#[derive(Clone, Copy)]
pub struct Pair(pub(crate) [&'static Account; 2]);

impl Pair {
    /// The pair of these platforms.
    ///
    /// # Errors
    /// When one of them has no table.
    pub fn of(old: &str, new: &str) -> Result<Self, String> {
        Ok(Self([account(old)?, account(new)?]))
    }

    /// A field of both sides; nothing where one of them lacks it.
    pub(crate) fn both(&self, kind: usize, concept: Concept) -> Option<[&'static Field; 2]> {
        let [old, new] = self.0.map(|account| account.objects[kind].field(concept));
        Some([old?, new?])
    }

    /// Whether people of a side do such things.
    pub(crate) fn can(&self, side: usize, deed: Deed) -> bool {
        !self.0[side].lacks[side].contains(&deed)
    }

    /// Whether a field has to be filled wherever a record is made.
    pub(crate) fn needs(&self, kind: usize, concept: Concept) -> bool {
        self.0.iter().any(|account| account.objects[kind].field(concept).is_some_and(|field| field.required))
    }

    /// Both platforms' names.
    pub fn names(&self) -> [&'static str; 2] {
        self.0.map(|account| account.platform)
    }
}

impl Default for Pair {
    fn default() -> Self {
        Self([&pipedrive::ACCOUNT, &hubspot::ACCOUNT])
    }
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [old, new] = self.names();
        write!(f, "{old} to {new}")
    }
}

fn account(platform: &str) -> Result<&'static Account, String> {
    Ok(match platform {
        "dynamics" => &dynamics::ACCOUNT,
        "hubspot" => &hubspot::ACCOUNT,
        "pipedrive" => &pipedrive::ACCOUNT,
        "salesforce" => &salesforce::ACCOUNT,
        "zoho" => &zoho::ACCOUNT,
        _ => return Err(format!("{platform} cannot be played; {} can", PLATFORMS.join(", "))),
    })
}

/// A field that schema, journal and people call the same.
const fn field(concept: Concept, name: &'static str, says: Says) -> Field {
    Field { concept, api: name, journal: name, written: name, says, required: false, derived: false }
}

impl Field {
    const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    const fn derived(self) -> Self {
        Self { derived: true, ..self }
    }

    /// The same where the schema calls it something else.
    const fn in_schema(self, api: &'static str) -> Self {
        Self { api, ..self }
    }

    /// The same where people write it by another name.
    const fn by(self, written: &'static str) -> Self {
        Self { written, ..self }
    }

    /// A value in the form in which people write it. `text` is the plain value: an option's place, a day, an id.
    pub(crate) fn value(&self, text: &str) -> Json {
        let number = || text.parse::<i64>().map_or(Json::Null, |number| json!(number));
        let place = |codes: &[&'static str]| codes.get(text.parse::<usize>().ok()?).copied();
        match self.says {
            Says::Text | Says::Words | Says::Digits | Says::Day | Says::Key => json!(text),
            Says::Number | Says::Id => number(),
            Says::Midnight => json!(format!("{text}T00:00:00Z")),
            Says::Entries => json!([{"value": text, "primary": true, "label": "work"}]),
            Says::Option(codes) => json!(place(codes)),
            Says::Numbered(codes) => json!(place(codes).and_then(|code| code.parse::<i64>().ok())),
            Says::Lookup => json!({"id": text}),
            Says::Bind(set) => json!(format!("/{set}({text})")),
            Says::Association(_) => Json::Null,
        }
    }

    /// No value, as people write it.
    pub(crate) fn blank(&self) -> Json {
        match self.says {
            Says::Words | Says::Digits | Says::Midnight => json!(""),
            Says::Entries => json!([]),
            _ => Json::Null,
        }
    }

    /// Whether it is an association, which stands beside the records.
    pub(crate) fn is_association(&self) -> bool {
        matches!(self.says, Says::Association(_))
    }

    /// How the journal tells of the record that it points to.
    pub(crate) fn stands(&self) -> Stands {
        match self.says {
            Says::Association(kind) => Stands::Association(kind),
            _ => Stands::Field,
        }
    }

    /// The options that it has.
    pub(crate) fn options(&self) -> &'static [&'static str] {
        match self.says {
            Says::Option(codes) | Says::Numbered(codes) => codes,
            _ => &[],
        }
    }

    /// Somebody gives it a value.
    pub(crate) fn change(&self, value: Json) -> DisturbAction {
        DisturbAction::Change { field: self.written.to_owned(), value }
    }
}

/// A kind of record that schema and journal call the same.
const fn object(name: &'static str, fields: &'static [Field]) -> Object {
    Object { api: name, journal: name, key: None, fields, constants: &[], mark: None }
}

impl Object {
    /// The same where the journal calls it something else.
    const fn in_journal(self, journal: &'static str) -> Self {
        Self { journal, ..self }
    }

    /// It can say which record of the other system it is, in a field that is unique or not.
    const fn keyed(self, unique: bool) -> Self {
        Self { key: Some(unique), ..self }
    }

    /// Every record says this.
    const fn always(self, constants: &'static [(&'static str, &'static str)]) -> Self {
        Self { constants, ..self }
    }

    /// What it says when its counterpart is gone.
    const fn marked(self, field: &'static str, value: &'static str) -> Self {
        Self { mark: Some((field, value)), ..self }
    }

    /// What it calls a thing.
    pub(crate) fn field(&self, concept: Concept) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.concept == concept)
    }

    /// The same, if people can write it.
    pub(crate) fn writable(&self, concept: Concept) -> Option<&'static Field> {
        self.field(concept).filter(|field| !field.derived)
    }

    /// A new record that says this; what the platform does not know is left out, and associations are.
    pub(crate) fn filled(&self, said: &[(Concept, String)]) -> Json {
        let mut fields = Map::new();
        for (concept, text) in said {
            if let Some(field) = self.writable(*concept).filter(|field| !field.is_association()) {
                fields.insert(field.written.to_owned(), field.value(text));
            }
        }
        fields.extend(self.constants.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        Json::Object(fields)
    }
}
