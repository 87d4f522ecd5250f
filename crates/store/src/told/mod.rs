//! What a ledger item tells of its record, as bytes: texts or trees of it would cost more than everything else
//! about a record together. It becomes JSON when somebody reads it.
//!
//! Shape: parts, each the number of its name, its kind and what it tells. Numbers are from 1; the names stand
//! once for all items of a row, see [`Words`]. Fields are the number of a name and a value, 0 ends them; in a
//! part that repeats, `n` before a field's value says that it is that of the `n`th field of the first part with
//! fields, 0 that its own follows.

mod stored;

use std::sync::Arc;

use foldhash::HashMap;
use handover_model::{FieldName, Fields, Value};
use serde_json::Value as Json;

pub(crate) use self::stored::{Stored, names};
use crate::codec::{Unreadable, Writer};

const JSON: u8 = 0;
const TEXT: u8 = 1;
const FIELDS: u8 = 2;
const REPEATING: u8 = 3;

/// Names as numbers, given as they come. They are never taken back, so that everything that was told with them
/// can be read with all of them.
#[derive(Debug, Default)]
pub struct Words {
    numbers: HashMap<Arc<str>, usize>,
    names: Vec<Arc<str>>,
    table: Option<Arc<Table>>,
    /// For each part the numbers of its fields when it was told last: records of a kind have the same ones.
    orders: Vec<Vec<usize>>,
    /// For each field where its value was found when it was told last.
    found: Vec<usize>,
}

/// The names that numbers stand for, as a row keeps them.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) bytes: Vec<u8>,
    pub(crate) hash: [u8; 32],
}

impl Words {
    fn number(&mut self, name: &str) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let name: Arc<str> = name.into();
        self.names.push(name.clone());
        self.numbers.insert(name, self.names.len());
        self.orders.push(Vec::new());
        self.found.push(0);
        self.table = None;
        self.names.len()
    }

    /// The number of a name where `guess` is mostly right.
    fn guessed(&mut self, guess: Option<usize>, name: &str) -> usize {
        match guess {
            Some(guess) if self.names.get(guess - 1).is_some_and(|known| **known == *name) => guess,
            _ => self.number(name),
        }
    }

    fn table(&mut self) -> Arc<Table> {
        let names = &self.names;
        let table = self.table.get_or_insert_with(|| {
            let mut bytes = Writer::default();
            names.iter().for_each(|name| bytes.bytes(name.as_bytes()));
            let hash = *blake3::hash(&bytes.0).as_bytes();
            Arc::new(Table { bytes: bytes.0, hash })
        });
        table.clone()
    }
}

/// What is told of a record, part by part.
#[derive(Clone, Default)]
pub struct Telling(Writer);

impl Telling {
    fn part(&mut self, words: &mut Words, name: &str, kind: u8) -> usize {
        let number = words.number(name);
        self.0.unsigned(number as u64);
        self.0.byte(kind);
        number
    }

    /// Tells a text.
    pub fn text(&mut self, words: &mut Words, name: &str, text: &str) {
        self.part(words, name, TEXT);
        self.0.bytes(text.as_bytes());
    }

    /// Tells anything, as JSON text. Reading the ledger fails where it is not.
    pub fn json(&mut self, words: &mut Words, name: &str, json: &str) {
        self.part(words, name, JSON);
        self.0.bytes(json.as_bytes());
    }

    /// Tells fields with their values; nothing when there is none.
    pub fn fields<'f>(
        &mut self,
        words: &mut Words,
        name: &str,
        fields: impl Iterator<Item = (&'f FieldName, &'f Value)>,
    ) {
        self.told(words, name, FIELDS, fields, |writer, _, value| writer.value(value));
    }

    /// As [`Telling::fields`], of a record of which other fields were told first: values that stand there
    /// are not told again.
    pub fn repeating<'f>(
        &mut self,
        words: &mut Words,
        name: &str,
        fields: impl Iterator<Item = (&'f FieldName, &'f Value)>,
        first: &Fields,
    ) {
        let first: Vec<&Value> = first.iter().map(|(_, value)| value).collect();
        let mut found = std::mem::take(&mut words.found);
        self.told(words, name, REPEATING, fields, |writer, number, value| {
            let guess = found.get(number - 1).copied().unwrap_or(0);
            let at = match first.get(guess) {
                Some(there) if is_exactly(there, value) => Some(guess),
                _ => first.iter().position(|there| is_exactly(there, value)),
            };
            match at {
                Some(at) => {
                    writer.unsigned(at as u64 + 1);
                    if let Some(found) = found.get_mut(number - 1) {
                        *found = at;
                    }
                }
                None => {
                    writer.byte(0);
                    writer.value(value);
                }
            }
        });
        found.resize(words.names.len(), 0);
        words.found = found;
    }

    fn told<'f>(
        &mut self,
        words: &mut Words,
        name: &str,
        kind: u8,
        fields: impl Iterator<Item = (&'f FieldName, &'f Value)>,
        mut one: impl FnMut(&mut Writer, usize, &Value),
    ) {
        let mut fields = fields.peekable();
        if fields.peek().is_none() {
            return;
        }
        let part = self.part(words, name, kind);
        let mut order = words.orders.get_mut(part - 1).map(std::mem::take).unwrap_or_default();
        for (at, (name, value)) in fields.enumerate() {
            let guess = order.get(at).copied();
            let number = words.guessed(guess, name.as_str());
            match order.get_mut(at) {
                Some(guess) => *guess = number,
                None => order.push(number),
            }
            self.0.unsigned(number as u64);
            one(&mut self.0, number, value);
        }
        self.0.byte(0);
        if let Some(place) = words.orders.get_mut(part - 1) {
            *place = order;
        }
    }

    /// All of it, with the names that it was told with.
    pub fn end(self, words: &mut Words) -> Values {
        Values(Form::Told { table: words.table(), bytes: self.0.0 })
    }
}

/// Equal to the last digit: 1 is not 1.0. What is made of parts is not compared.
fn is_exactly(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one.mantissa() == other.mantissa()
                && one.scale() == other.scale()
                && one.is_sign_negative() == other.is_sign_negative()
        }
        (Value::List(_) | Value::Map(_), _) => false,
        (one, other) => one == other,
    }
}

/// What an item tells: JSON text, or the parts of a [`Telling`].
#[derive(Clone)]
pub struct Values(Form);

#[derive(Clone)]
enum Form {
    Json(String),
    Told { table: Arc<Table>, bytes: Vec<u8> },
}

impl From<Json> for Values {
    fn from(values: Json) -> Self {
        Self(Form::Json(values.to_string()))
    }
}

/// Values are the customer's data: they never enter logs or panics by accident.
impl std::fmt::Debug for Telling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Telling({} bytes)", self.0.0.len())
    }
}

/// As for [`Telling`].
impl std::fmt::Debug for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = match &self.0 {
            Form::Json(text) => text.len(),
            Form::Told { bytes, .. } => bytes.len(),
        };
        write!(f, "Values({bytes} bytes)")
    }
}

impl Values {
    /// The names that all of these can be read with, if one table has them all; of those that are JSON none.
    pub(crate) fn table<'v>(all: impl Iterator<Item = &'v Self> + Clone) -> Arc<Table> {
        let tables = all.filter_map(|values| match &values.0 {
            Form::Json(_) => None,
            Form::Told { table, .. } => Some(table),
        });
        tables.max_by_key(|table| table.bytes.len()).cloned().unwrap_or_default()
    }

    /// How they are stored in a row with these names: told with other ones, they become JSON.
    pub(crate) fn stored<'v>(&'v self, row: &Arc<Table>, text: &'v mut String) -> Result<Stored<'v>, Unreadable> {
        match &self.0 {
            Form::Json(text) => Ok(Stored { is_json: true, bytes: text.as_bytes() }),
            Form::Told { table, bytes } if Arc::ptr_eq(table, row) || row.bytes.starts_with(&table.bytes) => {
                Ok(Stored { is_json: false, bytes })
            }
            Form::Told { table, bytes } => {
                *text = Stored { is_json: false, bytes }.json(&names(&table.bytes)?)?.to_string();
                Ok(Stored { is_json: true, bytes: text.as_bytes() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use handover_model::{Fields, Value};

    use super::{Stored, Telling, Values, Words, names};

    fn odd() -> String {
        (0..0x300_u32).filter_map(char::from_u32).collect()
    }

    fn all() -> Fields {
        let part = |text: &str| Value::Map([(odd(), Value::from(text))].into());
        let values: Vec<Value> = vec![
            odd().as_str().into(),
            Value::List(vec![part("x"), Value::Null]),
            true.into(),
            Value::Null,
            Value::Number("-1.50".parse().unwrap()),
            Value::Number("79228162514264337593543950335".parse().unwrap()),
            Value::Date("2026-11-02".parse().unwrap()),
            Value::DateTime("2026-11-02T10:11:12.5Z".parse().unwrap()),
            Value::Time("10:11:12".parse().unwrap()),
        ];
        values.into_iter().enumerate().map(|(at, value)| (format!("f{at}").into(), value)).collect()
    }

    /// The values, as a row with these names has them, and the names.
    fn stored(values: &Values, all: &[&Values]) -> (bool, Vec<u8>, Vec<u8>) {
        let table = Values::table(all.iter().copied());
        let mut text = String::new();
        let stored = values.stored(&table, &mut text).unwrap();
        (stored.is_json, stored.bytes.to_vec(), table.bytes.clone())
    }

    #[test]
    fn what_is_told_reads_back_as_it_was() {
        let source = all();
        let mut write = Fields::new();
        // Under other names, in another order, one of them not as it was read.
        for (name, value) in source.iter() {
            write.set(format!("g{}", 99 - name.as_str()[1..].parse::<u32>().unwrap()).into(), value.clone());
        }
        write.set("g94".into(), Value::Number("-1.5".parse().unwrap()));
        let mut words = Words::default();
        // Twice, since the second record finds everything where the first had it.
        let told: Vec<Values> = (0..2)
            .map(|_| {
                let mut telling = Telling::default();
                telling.json(&mut words, "match", "null");
                telling.fields(&mut words, "source", source.iter());
                telling.fields(&mut words, "none", Fields::new().iter());
                telling.repeating(&mut words, "write", write.iter(), &source);
                telling.text(&mut words, "target", &odd());
                telling.end(&mut words)
            })
            .collect();
        for values in &told {
            let (is_json, bytes, table) = stored(values, &told.iter().collect::<Vec<_>>());
            let (stored, names) = (Stored { is_json, bytes: &bytes }, names(&table).unwrap());
            assert!(!is_json);
            assert_eq!(stored.fields(&names, "source").unwrap(), source);
            let read = stored.fields(&names, "write").unwrap();
            assert_eq!(read, write);
            let digits = |fields: &Fields, name| {
                fields.get(name).map(|value| match value {
                    Value::Number(number) => number.to_string(),
                    _ => String::new(),
                })
            };
            assert_eq!(digits(&read, "g94").as_deref(), Some("-1.5"));
            let json = stored.json(&names).unwrap();
            assert_eq!(json["source"]["f0"], odd());
            assert_eq!(json["source"]["f1"], serde_json::json!([{ odd(): "x" }, null]));
            assert_eq!((&json["source"]["f4"], &json["write"]["g94"]), (&"-1.5".into(), &"-1.5".into()));
            assert_eq!((&json["match"], &json["target"]), (&serde_json::Value::Null, &odd().into()));
            assert!(json.get("none").is_none());
        }
    }

    #[test]
    fn what_was_told_with_other_names_is_kept_as_json() {
        let telling = |words: &mut Words, name: &str| {
            let mut telling = Telling::default();
            telling.text(words, name, "x");
            telling.end(words)
        };
        let mut one = Words::default();
        let early = telling(&mut one, "a");
        let (late, other) = (telling(&mut one, "b"), telling(&mut Words::default(), "c"));
        let all = [&early, &late, &other];
        assert!(!stored(&early, &all).0);
        assert!(!stored(&late, &all).0);
        let (is_json, bytes, _) = stored(&other, &all);
        assert!(is_json);
        assert_eq!(bytes, br#"{"c":"x"}"#);
    }

    #[test]
    fn damage_is_an_error() {
        let mut words = Words::default();
        let mut telling = Telling::default();
        telling.fields(&mut words, "source", all().iter());
        telling.repeating(&mut words, "write", all().iter(), &all());
        let values = telling.end(&mut words);
        let (_, bytes, table) = stored(&values, &[&values]);
        let names = names(&table).unwrap();
        for at in 0..bytes.len() {
            let cut = Stored { is_json: false, bytes: &bytes[..at] };
            drop(cut.json(&names));
            for byte in [0, 1, 7, 0x7f, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] = byte;
                drop(Stored { is_json: false, bytes: &damaged }.json(&names));
            }
        }
    }
}
