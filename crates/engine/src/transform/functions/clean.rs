//! HTML reduced to what is read: for targets that take out by themselves what they do not like, so that
//! what is compared later is what was written.

use handover_model::Value;

use super::super::registry::{Back, Function, Type};
use super::markup::{name, tag_at};
use super::{USUAL, text_at, value};

pub(super) static ALL: &[Function] = &[Function {
    name: "clean_html",
    doc: "HTML with its text, its structure and its links only: comments, styles, scripts and all other attributes go.",
    parameters: &[value(Type::Text, "The HTML.")],
    blank: true,
    example: r#"clean_html("<style>p {}</style><p class=\"x\">See <a href=\"https://x.example\" id=\"1\">x</a></p>")"#,
    result: r#"<p>See <a href="https://x.example">x</a></p>"#,
    run: |arguments| {
        let clean = cleaned(&text_at(arguments, 0));
        Ok(if clean.trim().is_empty() { Value::Null } else { clean.into() })
    },
    back: Back::Same,
    ..USUAL
}];

/// Elements of which the content goes too.
const DROPPED: [&str; 8] = ["head", "iframe", "noscript", "object", "script", "style", "svg", "title"];
/// Tags that say nothing outside of a page of their own; what stands in them stays.
const BARE: [&str; 9] = ["base", "body", "embed", "font", "form", "html", "input", "link", "meta"];

fn cleaned(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        out.push_str(text);
        let Some((inside, behind)) = tag_at(tag) else {
            // A lone `<` is text: nothing may vanish.
            out.push_str("&lt;");
            rest = tag.get(1..).unwrap_or_default();
            continue;
        };
        rest = behind;
        let closes = inside.starts_with('/');
        let name = name(inside);
        // Comments and declarations, and the namespaces of word processors (`<o:p>`).
        let is_foreign =
            name.is_empty() || inside.trim_start_matches('/').get(name.len()..).is_some_and(|r| r.starts_with(':'));
        if is_foreign || BARE.contains(&name.as_str()) {
            continue;
        }
        if DROPPED.contains(&name.as_str()) {
            // Without its end nothing tells how much belongs to it: the rest stays.
            rest = if closes { behind } else { behind_element(behind, &name).unwrap_or(behind) };
            continue;
        }
        out.push_str(if closes { "</" } else { "<" });
        out.push_str(&name);
        let link = match name.as_str() {
            "a" => address(inside, "href").map(|link| format!(" href=\"{link}\"")),
            "img" => address(inside, "src").map(|link| format!(" src=\"{link}\"")),
            _ => None,
        };
        out.push_str(&link.unwrap_or_default());
        out.push('>');
    }
    out.push_str(rest);
    out
}

/// What follows the end tag of an element.
fn behind_element<'h>(html: &'h str, name: &str) -> Option<&'h str> {
    let at = html.to_ascii_lowercase().find(&format!("</{name}"))?;
    Some(html.get(at..)?.split_once('>')?.1)
}

/// A web or e-mail address in an attribute of a tag.
fn address<'t>(inside: &'t str, attribute: &str) -> Option<&'t str> {
    let value = value_of(inside, attribute)?.trim();
    let plain = value.to_ascii_lowercase();
    let is_link = ["http://", "https://", "mailto:", "tel:"].iter().any(|scheme| plain.starts_with(scheme));
    let is_safe = !value.contains([' ', '\t', '\n', '\r', '"', '<']) && !plain.contains("javascript:");
    (is_link && is_safe).then_some(value)
}

/// The value of an attribute; quotes are respected, so that no other attribute's value is taken for it.
fn value_of<'t>(inside: &'t str, attribute: &str) -> Option<&'t str> {
    let mut rest = inside.split_once(char::is_whitespace)?.1;
    loop {
        rest = rest.trim_start();
        let end = rest.find(|c: char| c == '=' || c.is_whitespace())?;
        let (name, behind) = rest.split_at(end);
        let Some(behind) = behind.trim_start().strip_prefix('=') else {
            rest = behind;
            continue;
        };
        let behind = behind.trim_start();
        let (value, after) = match behind.chars().next()? {
            quote @ ('"' | '\'') => behind.get(1..)?.split_once(quote)?,
            _ => behind.split_once(char::is_whitespace).unwrap_or((behind, "")),
        };
        if name.eq_ignore_ascii_case(attribute) {
            return Some(value);
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::cleaned;

    #[test]
    fn text_structure_and_links_stay() {
        for (html, clean) in [
            ("<p>plain</p>", "<p>plain</p>"),
            ("a < b &amp; c", "a &lt; b &amp; c"),
            ("<!--[if mso]><table><![endif]--><p>x</p>", "<p>x</p>"),
            ("<html><head><title>t</title><style>p{}</style></head><body><p>x</p></body></html>", "<p>x</p>"),
            ("<p onclick=\"go()\" style='a'>x<br/></p>", "<p>x<br></p>"),
            ("<o:p>x</o:p><STYLE>p{}</STYLE>", "x"),
            (
                "<a title=\"href=1\" href='https://x.example/?a=1&amp;b'>x</a>",
                "<a href=\"https://x.example/?a=1&amp;b\">x</a>",
            ),
            ("<a href=\"javascript:go()\">x</a>", "<a>x</a>"),
            ("<img alt=logo src=https://x.example/l.png>", "<img src=\"https://x.example/l.png\">"),
            ("<style>never closed <p>x</p>", "never closed <p>x</p>"),
        ] {
            assert_eq!(cleaned(html), clean);
            assert_eq!(cleaned(clean), clean, "cleaning twice is cleaning once");
        }
    }
}
