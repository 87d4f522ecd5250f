//! The project's rules in the oracle's own words.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use super::replay::Life;

/// The old system's place in every pair.
pub const OLD: usize = 0;
/// The new system's place.
pub const NEW: usize = 1;

/// Which ways changes go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ways {
    /// From the old system to the new one.
    #[default]
    One,
    /// Both.
    Both,
}

/// Whose value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The old system's when it changes; until then what people write in the new one stays there.
    OldOnceChanged,
    /// The old system's: what is changed in the new one is put back.
    Old,
    /// The new system's.
    New,
    /// Either's: what was changed is carried, and of two changes this one.
    Both(Conflict),
}

/// What becomes of a field that both sides changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// The old system's value wins.
    Old,
    /// The later one wins; a person is asked where nobody can tell.
    Newest,
    /// A person is asked.
    Ask,
}

/// What becomes of the counterpart of a record that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletes {
    /// A person is asked.
    Ask,
    /// It stays.
    Ignore,
    /// It is deleted: both systems have a bin.
    Delete,
    /// It stays and this field of the new system says this.
    Mark(&'static str, &'static str),
}

/// How many deletions, marks and merges of a flow one pass carries out.
#[derive(Clone, Copy, Debug)]
pub struct Guard {
    /// So many at most,
    pub count: u64,
    /// and this share of the flow's pairs; one is always allowed.
    pub share: f64,
}

/// How two values are compared.
#[derive(Clone, Debug)]
pub enum Form {
    /// Text, without blanks around it.
    Text,
    /// A number; one of the systems cannot tell nothing from zero.
    Number,
    /// A day.
    Day,
    /// The first e-mail address, whatever its case.
    Email,
    /// The digits of the first phone number.
    Phone,
    /// Options of the old system with their counterparts.
    Option(Vec<(&'static str, &'static str)>),
    /// The record that it points to, in this flow.
    Link {
        /// The flow.
        flow: &'static str,
        /// How both systems say it.
        stands: [Stands; 2],
    },
}

/// How a system says that a record points to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// By a field with its id.
    Field,
    /// By an association: its type, and that of the way back; any when there is none.
    Association(Option<[u64; 2]>),
}

/// One field that is carried.
#[derive(Clone, Debug)]
pub struct FieldRule {
    /// Its names in both systems; several with blanks between where they are said as one.
    pub names: [&'static str; 2],
    /// How its values are compared.
    pub form: Form,
    /// Whose value counts.
    pub owner: Owner,
    /// The old system's field that a change of the new one's is written to, where it is a part of that one.
    pub part_of: Option<&'static str>,
    /// Whether a system needs one: then nothing blank is carried there.
    pub needed: [bool; 2],
}

/// One flow.
#[derive(Clone, Debug)]
pub struct FlowRule {
    /// Its name.
    pub name: &'static str,
    /// The name of its way back.
    pub back: &'static str,
    /// The objects as the journals name them.
    pub objects: [&'static str; 2],
    /// The old system's object in the plural.
    pub plural: &'static str,
    /// The new system's field that says which record of the old one it is, where it can have one.
    pub key: Option<String>,
    /// What stands before the id there.
    pub key_head: String,
    /// The fields.
    pub fields: Vec<FieldRule>,
    /// The field by which records are found that were there before, by its place in `fields`.
    pub found_by: Option<usize>,
    /// What becomes of the counterpart of a record that is gone.
    pub deletes: Deletes,
    /// Whether the counterparts of records that became one become one too, without a question.
    pub merges: bool,
    /// Which records are carried from a day on, and are the new system's from another.
    pub cohort: Option<CohortRule>,
}

/// A cohort of a flow: its records say this for ever.
#[derive(Clone, Copy, Debug)]
pub struct CohortRule {
    /// The old system's field.
    pub field: &'static str,
    /// What it says.
    pub value: &'static str,
    /// From when on they are carried.
    pub begins: Timestamp,
    /// From when on they are the new system's.
    pub moves: Timestamp,
}

/// All of it.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The flows, parents first.
    pub flows: Vec<FlowRule>,
    /// What is never passed.
    pub guard: Guard,
    /// How old the last list of all records gets by which deletions are found.
    pub sweep: SignedDuration,
    /// Which ways changes go.
    pub ways: Ways,
}

/// A value that can be compared across the systems.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Plain {
    /// Nothing.
    Blank,
    /// Something.
    Text(String),
    /// Something that the rules cannot carry.
    Impossible(String),
}

impl FlowRule {
    /// The cohort of a record of the old system, if it is in one.
    pub(crate) fn cohort_of(&self, life: &Life) -> Option<CohortRule> {
        self.cohort.filter(|cohort| first(life.field(cohort.field)).as_deref() == Some(cohort.value))
    }

    /// The field by which records are found.
    pub(crate) fn finder(&self) -> Option<&FieldRule> {
        self.fields.get(self.found_by?)
    }
}

impl FieldRule {
    /// A value of one of the systems in the form in which both can be compared.
    pub(crate) fn plain(&self, side: usize, value: &Json) -> Plain {
        let text = match (&self.form, first(value)) {
            (_, None) => return Plain::Blank,
            (Form::Text | Form::Link { .. }, Some(text)) => text,
            (Form::Number, Some(text)) => match text.parse::<f64>() {
                Ok(0.0) => return Plain::Blank,
                Ok(number) => number.to_string(),
                Err(_) => return Plain::Impossible(text),
            },
            (Form::Day, Some(text)) => text.chars().take(10).collect(),
            (Form::Email, Some(text)) => {
                let address = text.to_lowercase();
                let fits = address.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
                if !fits {
                    return Plain::Impossible(address);
                }
                address
            }
            (Form::Phone, Some(text)) => text.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect(),
            (Form::Option(table), Some(text)) if side == OLD => match table.iter().find(|(old, _)| *old == text) {
                Some((_, new)) => (*new).to_owned(),
                None => return Plain::Impossible(text),
            },
            (Form::Option(_), Some(text)) => text,
        };
        Plain::Text(text)
    }
}

/// The ids of the records that a value points to; a platform may say the table before the id.
pub(crate) fn ids(value: &Json) -> Vec<String> {
    match value {
        Json::Null => Vec::new(),
        Json::String(text) => {
            text.rsplit('/').next().filter(|id| !id.is_empty()).map(str::to_owned).into_iter().collect()
        }
        Json::Array(all) => all.iter().flat_map(ids).collect(),
        Json::Object(lookup) => lookup.get("id").map(ids).unwrap_or_default(),
        other => vec![other.to_string()],
    }
}

/// The id of the record that a value points to; nothing where there is none.
pub(crate) fn id_of(value: &Json) -> String {
    ids(value).into_iter().next().unwrap_or_default()
}

/// The text of a value; of several, that of the primary one. `None` when it is blank.
fn first(value: &Json) -> Option<String> {
    let text = match value {
        Json::Null => return None,
        Json::String(text) => text.trim().to_owned(),
        Json::Array(items) => {
            let primary = items.iter().find(|item| item["primary"] == true).or(items.first())?;
            return first(primary.get("value").unwrap_or(primary));
        }
        other => other.to_string(),
    };
    (!text.is_empty()).then_some(text)
}
