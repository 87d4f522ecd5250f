//! A YAML file as a tree in which every part knows its place.
//!
//! The parser is the one under serde-saphyr. Reading its events instead of deserialising gives what
//! serde cannot: all mistakes of a file at once, both lines of a duplicate key, and whether a scalar was
//! quoted.

use std::collections::HashMap;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

/// Where a part stands: from 1, in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) line: u32,
    pub(crate) column: u32,
    /// Characters on that line; 0 when it goes on behind it.
    pub(crate) width: u32,
}

/// A part of a file.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) mark: Mark,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// Nothing, `~` or `null`.
    Null,
    Scalar {
        text: String,
        /// Whether it was written in quotes or as a block: then it is a text, whatever it looks like.
        quoted: bool,
    },
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        /// Whether it was written in braces.
        flow: bool,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_mark: Mark,
    pub(crate) value: Node,
}

/// A mistake in the notation.
pub(crate) struct Mistake {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) mark: Mark,
    pub(crate) note: Option<String>,
}

/// Parts that one file may have, aliases written out: no honest project comes near it.
const PARTS_MAX: usize = 200_000;
/// How deep parts may be nested; deeper than any project file means.
const DEPTH_MAX: usize = 64;

impl Node {
    /// What it is, in words.
    pub(crate) fn word(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "nothing",
            Kind::Scalar { .. } => "a single value",
            Kind::List(_) => "a list",
            Kind::Map { .. } => "a mapping",
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    fn parts(&self) -> usize {
        1 + match &self.kind {
            Kind::List(items) => items.iter().map(Self::parts).sum(),
            Kind::Map { entries, .. } => entries.iter().map(|entry| 1 + entry.value.parts()).sum(),
            Kind::Null | Kind::Scalar { .. } => 0,
        }
    }
}

/// The tree of a file, an empty file being `Null`, with the mistakes that leave a tree standing
/// (duplicate keys: the first is kept).
///
/// # Errors
/// The mistake because of which there is no tree.
pub(crate) fn parse(text: &str) -> Result<(Node, Vec<Mistake>), Mistake> {
    let mut builder =
        Builder { parser: Parser::new_from_str(text), anchors: HashMap::new(), mistakes: Vec::new(), parts: 0 };
    let root = builder.document()?;
    Ok((root, builder.mistakes))
}

struct Builder<'t> {
    parser: Parser<'t, StrInput<'t>>,
    anchors: HashMap<usize, Node>,
    mistakes: Vec<Mistake>,
    parts: usize,
}

impl<'t> Builder<'t> {
    /// The next event that is part of the data.
    fn next(&mut self) -> Result<Option<(Event<'t>, Span)>, Mistake> {
        loop {
            match self.parser.next() {
                None => return Ok(None),
                Some(Err(error)) => return Err(notation(&error)),
                Some(Ok((Event::Comment(..), _))) => {}
                Some(Ok(pair)) => return Ok(Some(pair)),
            }
        }
    }

    fn document(&mut self) -> Result<Node, Mistake> {
        let mut root = None;
        while let Some((event, span)) = self.next()? {
            match event {
                Event::StreamStart | Event::StreamEnd | Event::DocumentStart(..) | Event::DocumentEnd => {}
                _ if root.is_some() => {
                    return Err(mistake("several_documents", "the file has several documents (`---`)", mark(&span)));
                }
                event => root = Some(self.node(event, &span, 0)?),
            }
        }
        Ok(root.unwrap_or(Node { mark: Mark { line: 1, column: 1, width: 0 }, kind: Kind::Null }))
    }

    fn node(&mut self, event: Event<'t>, span: &Span, depth: usize) -> Result<Node, Mistake> {
        let at = mark(span);
        self.parts += 1;
        if self.parts > PARTS_MAX || depth > DEPTH_MAX {
            return Err(mistake("too_large", "the file has more parts than any project file needs", at));
        }
        if let Some(tag) = event.tag() {
            let message = format!("the tag `{}` means nothing here", tag.original());
            return Err(mistake("tag", message, at));
        }
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let node = scalar(&text, style, at);
                self.remember(anchor, &node);
                Ok(node)
            }
            Event::SequenceStart(_, anchor, _) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        Some((Event::SequenceEnd, _)) | None => break,
                        Some((event, span)) => items.push(self.node(event, &span, depth + 1)?),
                    }
                }
                let node = Node { mark: Mark { width: 1, ..at }, kind: Kind::List(items) };
                self.remember(anchor, &node);
                Ok(node)
            }
            Event::MappingStart(style, anchor, _) => {
                let entries = self.entries(depth)?;
                let flow = style == serde_saphyr::granit_parser::StructureStyle::Flow;
                let node = Node { mark: Mark { width: u32::from(flow), ..at }, kind: Kind::Map { entries, flow } };
                self.remember(anchor, &node);
                Ok(node)
            }
            Event::Alias(anchor) => {
                let Some(known) = self.anchors.get(&anchor).cloned() else {
                    return Err(mistake("unknown_alias", "the alias stands inside of what it names", at));
                };
                self.parts += known.parts();
                Ok(known)
            }
            _ => Err(mistake("notation", "something is written here that is no value", at)),
        }
    }

    fn entries(&mut self, depth: usize) -> Result<Vec<Entry>, Mistake> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut lines: HashMap<String, u32> = HashMap::new();
        loop {
            let (event, span) = match self.next()? {
                Some((Event::MappingEnd, _)) | None => return Ok(entries),
                Some(pair) => pair,
            };
            let key_mark = mark(&span);
            let key = self.node(event, &span, depth + 1)?;
            let Some(key) = key.text().map(str::to_owned) else {
                return Err(mistake("key", "a key must be a single word or text", key_mark));
            };
            let Some((event, span)) = self.next()? else { return Ok(entries) };
            let value = self.node(event, &span, depth + 1)?;
            if let Some(first) = lines.get(&key) {
                self.mistakes.push(Mistake {
                    code: "duplicate_key",
                    message: format!("`{key}` is given twice"),
                    mark: key_mark,
                    note: Some(format!("first given in line {first}")),
                });
                continue;
            }
            lines.insert(key.clone(), key_mark.line);
            entries.push(Entry { key, key_mark, value });
        }
    }

    fn remember(&mut self, anchor: usize, node: &Node) {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
    }
}

fn scalar(text: &str, style: ScalarStyle, mark: Mark) -> Node {
    let quoted = style != ScalarStyle::Plain;
    let kind = match text {
        "" | "~" | "null" | "Null" | "NULL" if !quoted => Kind::Null,
        _ => Kind::Scalar { text: text.to_owned(), quoted },
    };
    Node { mark, kind }
}

fn mark(span: &Span) -> Mark {
    let line = u32::try_from(span.start.line()).unwrap_or(u32::MAX);
    let column = u32::try_from(span.start.col()).unwrap_or(u32::MAX).saturating_add(1);
    let width = if span.start.line() == span.end.line() {
        u32::try_from(span.end.col().saturating_sub(span.start.col())).unwrap_or(0)
    } else {
        0
    };
    Mark { line, column, width }
}

fn notation(error: &ScanError) -> Mistake {
    let at = error.marker();
    let line = u32::try_from(at.line()).unwrap_or(u32::MAX);
    let column = u32::try_from(at.col()).unwrap_or(u32::MAX).saturating_add(1);
    mistake("yaml", format!("this is not YAML: {}", error.info()), Mark { line, column, width: 1 })
}

fn mistake(code: &'static str, message: impl Into<String>, mark: Mark) -> Mistake {
    Mistake { code, message: message.into(), mark, note: None }
}
