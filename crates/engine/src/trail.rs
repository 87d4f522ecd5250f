//! What the ledger tells of a record, written as JSON text at once: a tree of it would be built and taken
//! down again for every record, and costs more than everything else about the record together.

use handover_model::{Fields, Value};
use serde::Serialize;

/// A JSON object that is written part by part.
#[derive(Clone, Debug)]
pub(crate) struct Trail(String);

impl Trail {
    /// Nothing told yet.
    pub(crate) fn new() -> Self {
        Self(String::from("{"))
    }

    /// Tells one thing. What cannot be JSON is left out: nothing that the engine tells is of that kind.
    pub(crate) fn tell(&mut self, name: &str, value: &impl Serialize) {
        if let Ok(text) = serde_json::to_string(value) {
            self.name(name);
            self.0.push_str(&text);
        }
    }

    /// Tells fields with their values; none of them when there is none.
    pub(crate) fn fields<'f>(&mut self, name: &str, fields: impl Iterator<Item = (&'f str, &'f Value)>) {
        let mut fields = fields.peekable();
        if fields.peek().is_none() {
            return;
        }
        self.name(name);
        self.0.push('{');
        for (at, (name, value)) in fields.enumerate() {
            if at > 0 {
                self.0.push(',');
            }
            text(&mut self.0, name);
            self.0.push(':');
            plain(&mut self.0, value);
        }
        self.0.push('}');
    }

    /// As [`Trail::fields`], all of them.
    pub(crate) fn all(&mut self, name: &str, fields: &Fields) {
        self.fields(name, fields.iter().map(|(name, value)| (name.as_str(), value)));
    }

    /// The object.
    pub(crate) fn end(mut self) -> handover_store::Values {
        self.0.push('}');
        handover_store::Values::of_json(self.0)
    }

    fn name(&mut self, name: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        text(&mut self.0, name);
        self.0.push(':');
    }
}

impl Default for Trail {
    fn default() -> Self {
        Self::new()
    }
}

/// A value as plain JSON: numbers and instants as the text that people read, so that no digit is lost.
fn plain(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Text(found) => text(out, found),
        Value::Number(_) | Value::Date(_) | Value::DateTime(_) | Value::Time(_) => text(out, &value.display()),
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                plain(out, item);
            }
            out.push(']');
        }
        Value::Map(parts) => {
            out.push('{');
            for (at, (name, part)) in parts.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                text(out, name);
                out.push(':');
                plain(out, part);
            }
            out.push('}');
        }
    }
}

/// A text between quotes.
fn text(out: &mut String, text: &str) {
    out.push('"');
    // Nearly every text is written as it is; looking at all bytes at once is many times quicker.
    let odd = |odd: bool, byte: u8| odd | (byte < b' ') | (byte == b'"') | (byte == b'\\');
    if !text.bytes().fold(false, odd) {
        out.push_str(text);
        out.push('"');
        return;
    }
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&text[from..at]);
        from = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            other => {
                use std::fmt::Write as _;
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{other:04x}");
            }
        }
    }
    out.push_str(&text[from..]);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use handover_model::{Fields, Value};

    use super::Trail;

    #[test]
    fn any_text_reads_back_as_it_was() {
        let odd: String = (0..0x300_u32).filter_map(char::from_u32).collect();
        let nested = Value::List(vec![Value::Map([(odd.clone(), Value::from(odd.as_str()))].into()), Value::Null]);
        let fields: Fields =
            [("a".into(), Value::from(odd.as_str())), ("b".into(), nested), ("c".into(), Value::Bool(true))]
                .into_iter()
                .collect();
        let mut trail = Trail::new();
        trail.tell("match", &Some(odd.as_str()));
        trail.all("source", &fields);
        trail.all("none", &Fields::new());
        let read: serde_json::Value = serde_json::from_str(trail.end().as_json()).unwrap();
        assert_eq!(
            read,
            serde_json::json!({"match": odd, "source": {"a": odd, "b": [{odd.clone(): odd}, null], "c": true}})
        );
    }
}
