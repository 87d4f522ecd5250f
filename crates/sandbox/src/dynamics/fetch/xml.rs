//! As much of XML as FetchXML needs: elements with attributes and text.

use std::collections::BTreeMap;

/// An element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) children: Vec<Element>,
    pub(super) text: String,
}

impl Element {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.attribute(name), Some("true" | "1"))
    }
}

/// How deep elements may be nested.
const DEPTH: usize = 64;

/// The one element of a text; none when it is not well-formed.
pub(super) fn parse(text: &str) -> Option<Element> {
    let text = match text.trim().strip_prefix("<?") {
        Some(rest) => rest.split_once("?>")?.1.trim(),
        None => text.trim(),
    };
    let (element, rest) = element(text, 0)?;
    rest.trim().is_empty().then_some(element)
}

fn element(text: &str, depth: usize) -> Option<(Element, &str)> {
    if depth > DEPTH {
        return None;
    }
    let text = text.strip_prefix('<')?;
    let end = text.find(|letter: char| !(letter.is_ascii_alphanumeric() || "-_:".contains(letter)))?;
    let (name, mut rest) = text.split_at(end);
    let mut found = Element { name: name.to_owned(), ..Element::default() };
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix("/>") {
            return Some((found, after));
        }
        if let Some(after) = rest.strip_prefix('>') {
            rest = after;
            break;
        }
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let mark = after.chars().next().filter(|mark| *mark == '"' || *mark == '\'')?;
        let (value, after) = after.get(1..)?.split_once(mark)?;
        found.attributes.insert(name.trim().to_owned(), plain(value));
        rest = after;
    }
    loop {
        if let Some(after) = rest.strip_prefix("</") {
            let (closed, after) = after.split_once('>')?;
            return (closed.trim() == found.name).then_some((found, after));
        }
        if let Some(after) = rest.strip_prefix("<!--") {
            rest = after.split_once("-->")?.1;
        } else if rest.starts_with('<') {
            let (child, after) = element(rest, depth + 1)?;
            found.children.push(child);
            rest = after;
        } else {
            let at = rest.find('<')?;
            let (text, after) = rest.split_at(at);
            found.text.push_str(&plain(text));
            rest = after;
        }
    }
}

fn plain(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&")
}
