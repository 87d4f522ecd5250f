//! Records as bytes: exact, small, quick to read. Field names stand once for each block.
//!
//! Shape: `1` (the format), the names, then the records; texts and lists are preceded by their length.
//! Numbers are unsigned LEB128, signed ones zigzag before. The whole is compressed with zstd.

use std::cell::RefCell;
use std::collections::BTreeMap;

use foldhash::{HashMap, HashMapExt as _};
use handover_model::{FieldName, Fields, Record, RecordId, Value};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use rust_decimal::Decimal;

/// The format's number.
const FORMAT: u8 = 1;

/// Values within values, at most: what decodes must not overflow the stack.
pub(crate) const DEPTH: usize = 64;

/// zstd's level: half the time of its default for a tenth more bytes; reading does not depend on it.
const LEVEL: i32 = 1;

/// Bytes that are not what we wrote.
#[derive(Debug, thiserror::Error)]
#[error("stored bytes cannot be read: {0}")]
pub(crate) struct Unreadable(pub(crate) &'static str);

/// What is decompressed at one go; what says that it is larger is read piece by piece.
const AT_ONE_GO: u64 = 16 * 1024 * 1024;

thread_local! {
    // Making zstd's working space costs more than what most rows need it for.
    static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

pub(crate) fn compress(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|space| match space {
        Some(compressor) => compressor.compress(bytes),
        None => space.insert(zstd::bulk::Compressor::new(LEVEL)?).compress(bytes),
    })
}

pub(crate) fn decompress(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let told = zstd::zstd_safe::get_frame_content_size(bytes).ok().flatten().filter(|size| *size <= AT_ONE_GO);
    let Some(size) = told.and_then(|size| usize::try_from(size).ok()) else {
        return zstd::stream::decode_all(bytes);
    };
    DECOMPRESSOR.with_borrow_mut(|space| match space {
        Some(decompressor) => decompressor.decompress(bytes, size),
        None => space.insert(zstd::bulk::Decompressor::new()?).decompress(bytes, size),
    })
}

/// Writes parts one after the other.
#[derive(Clone, Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(crate) fn unsigned(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    pub(crate) fn signed(&mut self, number: i128) {
        self.wide(((number << 1) ^ (number >> 127)).cast_unsigned());
    }

    fn wide(&mut self, mut number: u128) {
        while number >= 0x80 {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.unsigned(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.byte(0),
            Value::Bool(false) => self.byte(1),
            Value::Bool(true) => self.byte(2),
            Value::Number(number) => {
                self.byte(3);
                // At most 28, so the sign finds room beside it; zero too can have one.
                self.byte(number.scale() as u8 | u8::from(number.is_sign_negative()) << 7);
                let digits = number.mantissa().unsigned_abs();
                match u64::try_from(digits) {
                    Ok(digits) => self.unsigned(digits),
                    Err(_) => self.wide(digits),
                }
            }
            Value::Text(text) => {
                self.byte(4);
                self.bytes(text.as_bytes());
            }
            Value::Date(date) => {
                self.byte(5);
                self.signed(i128::from(date.year()));
                self.byte(date.month().cast_unsigned());
                self.byte(date.day().cast_unsigned());
            }
            Value::DateTime(at) => {
                self.byte(6);
                self.signed(at.as_nanosecond());
            }
            Value::Time(time) => {
                self.byte(7);
                self.byte(time.hour().cast_unsigned());
                self.byte(time.minute().cast_unsigned());
                self.byte(time.second().cast_unsigned());
                self.unsigned(u64::from(time.subsec_nanosecond().cast_unsigned()));
            }
            Value::List(items) => {
                self.byte(8);
                self.unsigned(items.len() as u64);
                items.iter().for_each(|item| self.value(item));
            }
            Value::Map(parts) => {
                self.byte(9);
                self.unsigned(parts.len() as u64);
                for (name, part) in parts {
                    self.bytes(name.as_bytes());
                    self.value(part);
                }
            }
        }
    }
}

/// Reads parts one after the other.
pub(crate) struct Reader<'b>(pub(crate) &'b [u8]);

impl<'b> Reader<'b> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Unreadable> {
        let (first, rest) = self.0.split_first().ok_or(Unreadable("it ends early"))?;
        self.0 = rest;
        Ok(*first)
    }

    pub(crate) fn take(&mut self, number: usize) -> Result<&'b [u8], Unreadable> {
        let (taken, rest) = self.0.split_at_checked(number).ok_or(Unreadable("it ends early"))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Unreadable("it ends early"))?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(crate) fn unsigned(&mut self) -> Result<u64, Unreadable> {
        // Lengths and numbers of names are small.
        if let Some((first, rest)) = self.0.split_first()
            && first & 0x80 == 0
        {
            self.0 = rest;
            return Ok(u64::from(*first));
        }
        u64::try_from(self.wide()?).map_err(|_| Unreadable("a number is too large"))
    }

    pub(crate) fn signed(&mut self) -> Result<i128, Unreadable> {
        let number = self.wide()?;
        Ok((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
    }

    fn wide(&mut self) -> Result<u128, Unreadable> {
        let mut number = 0_u128;
        for shift in (0..128).step_by(7) {
            let byte = self.byte()?;
            number |= u128::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Unreadable("a number is too long"))
    }

    /// A length that cannot exceed what is left: so that damage asks for no absurd memory.
    pub(crate) fn length(&mut self) -> Result<usize, Unreadable> {
        let length = usize::try_from(self.unsigned()?).map_err(|_| Unreadable("a length is too large"))?;
        if length > self.0.len() { Err(Unreadable("a length is too large")) } else { Ok(length) }
    }

    pub(crate) fn bytes(&mut self) -> Result<&'b [u8], Unreadable> {
        let length = self.length()?;
        self.take(length)
    }

    pub(crate) fn text(&mut self) -> Result<&'b str, Unreadable> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Unreadable("a text is not UTF-8"))
    }

    pub(crate) fn value(&mut self, depth: usize) -> Result<Value, Unreadable> {
        if depth == 0 {
            return Err(Unreadable("values are nested too deeply"));
        }
        Ok(match self.byte()? {
            0 => Value::Null,
            1 => Value::Bool(false),
            2 => Value::Bool(true),
            3 => Value::Number(self.number()?),
            4 => Value::Text(self.text()?.to_owned()),
            5 => {
                let year = i16::try_from(self.signed()?).map_err(|_| Unreadable("no such day"))?;
                let (month, day) = (self.byte()?.cast_signed(), self.byte()?.cast_signed());
                Value::Date(Date::new(year, month, day).map_err(|_| Unreadable("no such day"))?)
            }
            6 => Value::DateTime(self.instant()?),
            7 => {
                let [hour, minute, second] = self.array::<3>()?.map(u8::cast_signed);
                let nanos = i32::try_from(self.unsigned()?).map_err(|_| Unreadable("no such time"))?;
                Value::Time(Time::new(hour, minute, second, nanos).map_err(|_| Unreadable("no such time"))?)
            }
            8 => {
                let length = self.length()?;
                Value::List((0..length).map(|_| self.value(depth - 1)).collect::<Result<_, _>>()?)
            }
            9 => {
                let length = self.length()?;
                let mut parts = BTreeMap::new();
                for _ in 0..length {
                    parts.insert(self.text()?.to_owned(), self.value(depth - 1)?);
                }
                Value::Map(parts)
            }
            _ => return Err(Unreadable("no such kind of value")),
        })
    }

    fn number(&mut self) -> Result<Decimal, Unreadable> {
        let flags = self.byte()?;
        let digits = i128::try_from(self.wide()?).map_err(|_| Unreadable("a number is too large"))?;
        let mut number = Decimal::try_from_i128_with_scale(digits, u32::from(flags & 0x7f))
            .map_err(|_| Unreadable("a number is too large"))?;
        number.set_sign_negative(flags & 0x80 != 0);
        Ok(number)
    }

    fn instant(&mut self) -> Result<Timestamp, Unreadable> {
        Timestamp::from_nanosecond(self.signed()?).map_err(|_| Unreadable("no such instant"))
    }
}

/// Records as compressed bytes. Equal records give equal bytes.
pub(crate) fn encode(records: &[Record]) -> std::io::Result<Vec<u8>> {
    let mut names: HashMap<&FieldName, u64> = HashMap::new();
    let mut head = Writer::default();
    let mut body = Writer::default();
    // Records of a kind have the same fields, in the same order.
    let mut order: Vec<(&FieldName, u64)> = Vec::new();
    body.unsigned(records.len() as u64);
    for record in records {
        body.bytes(record.id.as_str().as_bytes());
        body.byte(u8::from(record.gone) | u8::from(record.modified.is_some()) << 1);
        if let Some(modified) = record.modified {
            body.signed(modified.as_nanosecond());
        }
        body.unsigned(record.fields.len() as u64);
        for (at, (name, value)) in record.fields.iter().enumerate() {
            let number = match order.get(at) {
                Some((known, number)) if *known == name => *number,
                _ => {
                    let next = names.len() as u64;
                    let number = *names.entry(name).or_insert_with(|| {
                        head.bytes(name.as_str().as_bytes());
                        next
                    });
                    match order.get_mut(at) {
                        Some(place) => *place = (name, number),
                        None => order.push((name, number)),
                    }
                    number
                }
            };
            body.unsigned(number);
            body.value(value);
        }
    }
    let mut whole = Writer(vec![FORMAT]);
    whole.unsigned(names.len() as u64);
    whole.0.extend_from_slice(&head.0);
    whole.0.extend_from_slice(&body.0);
    compress(&whole.0)
}

/// The records and how many bytes they had uncompressed.
pub(crate) fn decode(bytes: &[u8]) -> Result<(Vec<Record>, usize), Unreadable> {
    let bytes = decompress(bytes).map_err(|_| Unreadable("it is not compressed as it should be"))?;
    let mut reader = Reader(&bytes);
    if reader.byte()? != FORMAT {
        return Err(Unreadable("it has another format"));
    }
    let number = reader.length()?;
    let names = (0..number).map(|_| reader.text().map(FieldName::from)).collect::<Result<Vec<_>, _>>()?;
    let number = reader.length()?;
    let mut records = Vec::with_capacity(number);
    for _ in 0..number {
        let id = RecordId::from(reader.text()?);
        let flags = reader.byte()?;
        let modified = if flags & 2 == 0 { None } else { Some(reader.instant()?) };
        let number = reader.length()?;
        let mut fields = Fields::with_capacity(number);
        for _ in 0..number {
            let at = usize::try_from(reader.unsigned()?).map_err(|_| Unreadable("no such name"))?;
            let name = names.get(at).ok_or(Unreadable("no such name"))?.clone();
            fields.set(name, reader.value(DEPTH)?);
        }
        records.push(Record { id, fields, modified, gone: flags & 1 == 1 });
    }
    if reader.is_empty() { Ok((records, bytes.len())) } else { Err(Unreadable("something is left over")) }
}

/// A text as it stands in an index: long ones end in their hash, since PostgreSQL refuses index rows of
/// more than about 2,700 bytes.
pub(crate) fn indexable(text: &str) -> std::borrow::Cow<'_, str> {
    const LONGEST: usize = 400;
    if text.len() <= LONGEST {
        return text.into();
    }
    let start: String = text.chars().take(64).collect();
    format!("{start}...{}", blake3::hash(text.as_bytes()).to_hex()).into()
}
