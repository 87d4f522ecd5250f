//! A page of v2's records, read from its bytes at once: only what is asked for becomes a value.
//!
//! Invariant: a page that is not plain (a refusal, a form that is not the documented one, a row without an id)
//! is no page here; the caller then looks at the whole answer as a tree and says what is wrong. So a page is
//! whole or it is none.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use handover_model::{Fields, Record, Value};
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value as Json};

use super::form::Form;
use super::reader::{Reader, Special, Told, blank_to_null};
use crate::keys::Keys;

/// A page.
pub(super) struct Page {
    pub(super) rows: Vec<Row>,
    /// v2's cursor of the next one.
    pub(super) next: Option<String>,
}

/// A row of it.
pub(super) struct Row {
    pub(super) record: Record,
    pub(super) is_archived: bool,
}

/// A page's rows; `None` when the answer is not a plain page.
pub(super) fn page(reader: &Reader, status: u16, body: &[u8]) -> Option<Page> {
    if !(200..300).contains(&status) {
        return None;
    }
    // Checked once for the whole, and not again for each text.
    let text = std::str::from_utf8(body).ok()?;
    let mut json = serde_json::Deserializer::from_str(text);
    let page = Body(&mut Parser::new(reader)).deserialize(&mut json).ok()?;
    json.end().ok()?;
    Some(page)
}

/// What a key of a row is for.
#[derive(Clone, Copy)]
enum Found {
    /// One column, whole.
    Column(usize, Form),
    /// What every row tells.
    Special(Special),
    /// The customer's own fields.
    Custom,
    /// Several of these: the number of the list of them.
    Several(usize),
}

/// The columns that stand under a key, and what every row tells there.
type Wanted = (Vec<usize>, Option<Special>);

/// What a page is read with.
struct Parser<'r> {
    reader: &'r Reader,
    top: Keys<'r, Found>,
    custom: Keys<'r, Found>,
    /// Keys that are for several things.
    several: Vec<Wanted>,
    /// The values of a row, by column.
    values: Vec<Option<Value>>,
    told: Told,
    has_custom: bool,
}

impl<'r> Parser<'r> {
    fn new(reader: &'r Reader) -> Self {
        let mut top: BTreeMap<&str, Wanted> = BTreeMap::new();
        let mut custom = top.clone();
        for (at, column) in reader.columns.iter().enumerate() {
            let keys = if column.is_custom { &mut custom } else { &mut top };
            keys.entry(&column.base).or_default().0.push(at);
        }
        for special in Special::ALL {
            top.entry(special.key()).or_default().1 = Some(special);
        }
        let mut several = Vec::new();
        let custom = found(reader, custom, &mut several);
        let mut top = found(reader, top, &mut several);
        top.insert("custom_fields", Found::Custom);
        let mut parser = Self {
            reader,
            top: Keys::new(top),
            custom: Keys::new(custom),
            several,
            values: Vec::new(),
            told: Told::default(),
            has_custom: false,
        };
        parser.values.resize_with(reader.columns.len(), || None);
        parser
    }

    /// Takes the value of a key.
    fn take<'de, A: MapAccess<'de>>(&mut self, found: Option<Found>, map: &mut A) -> Result<(), A::Error> {
        match found {
            None => drop(map.next_value::<IgnoredAny>()?),
            Some(Found::Column(at, form)) => {
                let value = map.next_value_seed(OfForm(form))?;
                self.put(at, blank_to_null(form, value));
            }
            Some(Found::Special(special)) => map.next_value_seed(OfAll(&mut self.told, special))?,
            Some(Found::Custom) if self.has_custom => return Err(A::Error::duplicate_field("custom_fields")),
            Some(Found::Custom) => {
                self.has_custom = true;
                map.next_value_seed(Custom(self))?;
            }
            Some(Found::Several(number)) => {
                let json: Json = map.next_value()?;
                let Some((columns, special)) = self.several.get(number) else { return Ok(()) };
                if let Some(special) = special {
                    self.told.take(*special, &json);
                }
                for at in columns.clone() {
                    let value = self.reader.columns.get(at).map(|column| column.read(&json));
                    value.into_iter().for_each(|value| self.put(at, value));
                }
            }
        }
        Ok(())
    }

    fn put(&mut self, at: usize, value: Value) {
        if let Some(place) = self.values.get_mut(at) {
            *place = Some(value);
        }
    }

    /// The row that was read; `None` when it has no id.
    fn row(&mut self) -> Option<Row> {
        let mut fields = Fields::with_capacity(self.values.len());
        for (column, value) in self.reader.columns.iter().zip(&mut self.values) {
            let value = match value.take() {
                Some(value) => value,
                // Whether unset custom fields are null or left out is not established (sheet: section 4
                // [unsure]); both are read and empty.
                None if column.is_custom && self.has_custom => Value::Null,
                None => continue,
            };
            fields.set(column.name.clone(), value);
        }
        self.has_custom = false;
        self.reader.finish(std::mem::take(&mut self.told), fields).ok()
    }
}

/// What keys are for, by the columns that stand under them.
fn found<'r>(
    reader: &'r Reader,
    keys: BTreeMap<&'r str, Wanted>,
    several: &mut Vec<Wanted>,
) -> HashMap<&'r str, Found> {
    let mut one = |(wanted, special): Wanted| {
        let whole = |at: &usize| reader.columns.get(*at).filter(|column| column.part.is_none());
        match (&*wanted, special) {
            ([], Some(special)) => Found::Special(special),
            ([at], None) if let Some(column) = whole(at) => Found::Column(*at, column.form),
            _ => {
                several.push((wanted, special));
                Found::Several(several.len() - 1)
            }
        }
    };
    keys.into_iter().map(|(key, wanted)| (key, one(wanted))).collect()
}

/// The answer.
struct Body<'p, 'r>(&'p mut Parser<'r>);

/// What comes beside the rows.
#[derive(Deserialize)]
struct Additional {
    #[serde(default)]
    next_cursor: Option<String>,
}

impl<'de> DeserializeSeed<'de> for Body<'_, '_> {
    type Value = Page;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Page, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Body<'_, '_> {
    type Value = Page;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Page, A::Error> {
        let mut rows = None;
        let mut additional = None;
        while let Some(key) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            match &*key {
                "success" if !map.next_value::<bool>()? => return Err(A::Error::custom("it tells of no success")),
                "success" => {}
                "data" if rows.is_none() => rows = Some(map.next_value_seed(Data(self.0))?),
                "additional_data" if additional.is_none() => {
                    additional = Some(map.next_value::<Option<Additional>>()?);
                }
                "data" | "additional_data" => return Err(A::Error::custom("a key stands twice")),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let rows = rows.ok_or_else(|| A::Error::missing_field("data"))?;
        Ok(Page { rows, next: additional.flatten().and_then(|additional| additional.next_cursor) })
    }
}

/// The rows.
struct Data<'p, 'r>(&'p mut Parser<'r>);

impl<'de> DeserializeSeed<'de> for Data<'_, '_> {
    type Value = Vec<Row>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Vec<Row>, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Data<'_, '_> {
    type Value = Vec<Row>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Vec<Row>, A::Error> {
        let page = usize::try_from(self.0.reader.object.page()).unwrap_or(0);
        let mut all = Vec::with_capacity(page);
        while let Some(row) = rows.next_element_seed(OneRow(self.0))? {
            all.push(row);
        }
        Ok(all)
    }
}

/// One row.
struct OneRow<'p, 'r>(&'p mut Parser<'r>);

impl<'de> DeserializeSeed<'de> for OneRow<'_, '_> {
    type Value = Row;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Row, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OneRow<'_, '_> {
    type Value = Row;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
        let parser = self.0;
        let mut at = 0;
        while let Some(found) = map.next_key_seed(parser.top.at(at))? {
            parser.take(found, &mut map)?;
            at += 1;
        }
        parser.row().ok_or_else(|| A::Error::missing_field("id"))
    }
}

/// The customer's own fields of a row.
struct Custom<'p, 'r>(&'p mut Parser<'r>);

impl<'de> DeserializeSeed<'de> for Custom<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Custom<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("custom fields")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let parser = self.0;
        let mut at = 0;
        while let Some(found) = map.next_key_seed(parser.custom.at(at))? {
            parser.take(found, &mut map)?;
            at += 1;
        }
        Ok(())
    }
}

/// What every row tells.
struct OfAll<'t>(&'t mut Told, Special);

impl<'de> DeserializeSeed<'de> for OfAll<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OfAll<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.take(self.1, &Json::Null);
        Ok(())
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<(), E> {
        self.0.take(self.1, &Json::Bool(flag));
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.0.take(self.1, &number.into());
        Ok(())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.0.take(self.1, &number.into());
        Ok(())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.0.take(self.1, &number.into());
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.0.take_text(self.1, text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<(), A::Error> {
        self.0.take(self.1, &Json::deserialize(SeqAccessDeserializer::new(items))?);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        self.0.take(self.1, &Json::deserialize(MapAccessDeserializer::new(map))?);
        Ok(())
    }
}

/// A value of a form: what is usual without a tree, the rest as [`Form::read`] does.
struct OfForm(Form);

impl<'de> DeserializeSeed<'de> for OfForm {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OfForm {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
        Ok(self.0.read(&Json::Bool(flag)))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(self.0.read_number(number.into()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(self.0.read_number(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Number::from_f64(number).map(|number| self.0.read_number(number)).ok_or_else(|| E::custom("no number"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(self.0.read_text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        if !matches!(self.0, Form::Contacts | Form::Opaque) {
            return Json::deserialize(SeqAccessDeserializer::new(items)).map(|json| self.0.read(&json));
        }
        let mut all = Vec::new();
        while let Some(item) = items.next_element_seed(Self(Form::Opaque))? {
            all.push(item);
        }
        Ok(Value::List(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        if self.0 != Form::Opaque {
            return Json::deserialize(MapAccessDeserializer::new(map)).map(|json| self.0.read(&json));
        }
        let mut parts = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            parts.insert(name, map.next_value_seed(Self(Form::Opaque))?);
        }
        Ok(Value::Map(parts))
    }
}
