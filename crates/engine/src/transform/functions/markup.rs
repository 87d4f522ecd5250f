//! HTML to plain text and back: enough for notes and descriptions, and never more markup than was there.

use super::super::registry::{Back, Function, Type};
use super::{USUAL, text_at, value};

pub(super) static ALL: &[Function] = &[
    Function {
        name: "html",
        doc: "Writes plain text as HTML: special characters are escaped, line breaks become `<br>`.",
        parameters: &[value(Type::Text, "The plain text.")],
        example: r#"html("a < b\nc")"#,
        result: "a &lt; b<br>c",
        run: |arguments| Ok(text_to_html(&text_at(arguments, 0)).into()),
        back: Back::Step("text"),
        ..USUAL
    },
    Function {
        name: "text",
        doc: "Writes HTML as plain text: tags go, paragraphs and breaks become line breaks.",
        parameters: &[value(Type::Text, "The HTML.")],
        example: r#"text("<p>a &lt; b</p><p>c</p>")"#,
        result: "a < b\nc",
        run: |arguments| Ok(html_to_text(&text_at(arguments, 0)).into()),
        back: Back::Step("html"),
        ..USUAL
    },
];

/// Plain text as HTML.
pub(crate) fn text_to_html(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    html_escape::encode_text(&text).replace('\n', "<br>")
}

/// HTML as plain text.
pub(crate) fn html_to_text(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        push_text(&mut out, text);
        let Some((inside, behind)) = tag_at(tag) else {
            // A lone `<` is text: nothing may vanish.
            out.push('<');
            rest = tag.get(1..).unwrap_or_default();
            continue;
        };
        rest = match hidden(inside) {
            Some(end) => after(behind, end),
            None => behind,
        };
        mark(&mut out, inside);
    }
    push_text(&mut out, rest);
    let lines: Vec<&str> = out.lines().map(str::trim_end).collect();
    squeeze(&lines).trim().to_owned()
}

/// The inside of the tag that `html` begins with, and what stands behind it.
pub(super) fn tag_at(html: &str) -> Option<(&str, &str)> {
    if let Some(comment) = html.strip_prefix("<!--") {
        return Some(comment.split_once("-->").map_or(("!", ""), |(_, behind)| ("!", behind)));
    }
    let inside = html.get(1..)?;
    let opens = inside.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '/' || c == '!' || c == '?');
    if opens { inside.split_once('>') } else { None }
}

/// The end tag of an element whose content nobody reads.
fn hidden(inside: &str) -> Option<&'static str> {
    match name(inside).as_str() {
        "script" => Some("</script"),
        "style" => Some("</style"),
        _ => None,
    }
}

fn after<'a>(html: &'a str, end: &str) -> &'a str {
    let at = html.to_ascii_lowercase().find(end);
    at.and_then(|at| html.get(at..)).and_then(|tail| tail.split_once('>')).map_or("", |(_, behind)| behind)
}

pub(super) fn name(inside: &str) -> String {
    let inside = inside.trim_start_matches('/');
    inside.chars().take_while(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

fn mark(out: &mut String, inside: &str) {
    let closes = inside.starts_with('/');
    match name(inside).as_str() {
        "br" => out.push('\n'),
        "li" if !closes => {
            break_line(out);
            out.push_str("- ");
        }
        "td" | "th" if closes => out.push(' '),
        "p" | "div" | "ul" | "ol" | "li" | "tr" | "table" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "blockquote"
        | "hr" | "section" | "pre" => break_line(out),
        _ => {}
    }
}

fn break_line(out: &mut String) {
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
}

/// Text between tags: entities read, white space as HTML shows it.
fn push_text(out: &mut String, text: &str) {
    let decoded = html_escape::decode_html_entities(text);
    for letter in decoded.chars() {
        let blank = matches!(letter, ' ' | '\t' | '\n' | '\r');
        match letter {
            _ if blank && (out.is_empty() || out.ends_with([' ', '\n'])) => {}
            _ if blank => out.push(' '),
            '\u{a0}' => out.push(' '),
            other => out.push(other),
        }
    }
}

fn squeeze(lines: &[&str]) -> String {
    let mut out = String::new();
    let mut blanks = 0;
    for line in lines {
        blanks = if line.is_empty() { blanks + 1 } else { 0 };
        if blanks < 2 {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}
