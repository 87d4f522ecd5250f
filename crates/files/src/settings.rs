//! How a folder of CSV files is read and written, as the project file says it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use handover_model::{FieldName, ObjectName};

/// How a folder of CSV files is read and written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The folder; each `OBJECT.csv` in it is an object.
    pub folder: PathBuf,
    /// The encoding by its WHATWG label (`windows-1252`); detected from the bytes when `None`.
    pub encoding: Option<String>,
    /// The delimiter; found out from the first rows when `None`.
    pub delimiter: Option<u8>,
    /// The object whose rows are the users (columns `id`, `email`, `name`, `active`); no users when `None`.
    pub users: Option<ObjectName>,
    /// What cannot be seen in the files, by object.
    pub objects: BTreeMap<ObjectName, ObjectSettings>,
}

/// What cannot be seen in an object's file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectSettings {
    /// The column whose value is a row's id; the row's number (the first row under the header is 1)
    /// when `None`.
    pub id: Option<FieldName>,
    /// Columns that point to rows of other files.
    pub references: BTreeMap<FieldName, Reference>,
    /// The form of columns where the values alone do not tell, or tell wrongly.
    pub columns: BTreeMap<FieldName, Form>,
    /// The column that holds the path of each row's file, relative to the folder.
    pub content: Option<FieldName>,
    /// Columns without a form in `columns` are text. For files that are written: their forms must not
    /// change with what is written into them.
    pub plain: bool,
}

/// Where a column points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The object that is pointed to.
    pub object: ObjectName,
    /// The column of that object whose value stands here; its id when `None`.
    pub by: Option<FieldName>,
}

/// The form of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    /// Text as it is.
    Text,
    /// `true`/`false`, `yes`/`no`, `1`/`0`.
    Bool,
    /// Numbers in this notation.
    Number(Decimals),
    /// Days in this order.
    Date(DateOrder),
    /// Days in this order with a time, in UTC unless an offset stands with them.
    DateTime(DateOrder),
}

/// What separates the decimals of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Decimals {
    /// `1,234.56`
    Point,
    /// `1.234,56`
    Comma,
}

/// The order of the parts of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DateOrder {
    /// `2024-12-31`
    YearFirst,
    /// `31/12/2024`
    DayFirst,
    /// `12/31/2024`
    MonthFirst,
}

impl Form {
    /// Every form with the word by which the project file names it.
    pub const WORDS: [(&'static str, Self); 10] = [
        ("text", Self::Text),
        ("yes/no", Self::Bool),
        ("1,234.56", Self::Number(Decimals::Point)),
        ("1.234,56", Self::Number(Decimals::Comma)),
        ("y-m-d", Self::Date(DateOrder::YearFirst)),
        ("d/m/y", Self::Date(DateOrder::DayFirst)),
        ("m/d/y", Self::Date(DateOrder::MonthFirst)),
        ("y-m-d time", Self::DateTime(DateOrder::YearFirst)),
        ("d/m/y time", Self::DateTime(DateOrder::DayFirst)),
        ("m/d/y time", Self::DateTime(DateOrder::MonthFirst)),
    ];

    /// The form with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.into_iter().find(|(have, _)| *have == word).map(|(_, form)| form)
    }

    /// The word for the form.
    pub fn word(self) -> &'static str {
        Self::WORDS.into_iter().find(|(_, form)| *form == self).map_or("text", |(word, _)| word)
    }
}
