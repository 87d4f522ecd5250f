//! Sanitising of note HTML: comments, scripts and event handlers are dropped (sheet: Pipedrive
//! section 9 trap 8; that comments go is \[unsure\], hence a setting).

/// Elements that go with everything inside them.
const DROPPED: [&str; 6] = ["script", "style", "iframe", "object", "embed", "noscript"];

/// The text without what a note may not hold.
pub(super) fn sanitise(text: &str, keep_comments: bool) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        clean.push_str(before);
        rest = if tag.starts_with("<!--") {
            let end = tag.find("-->").map_or(tag.len(), |end| end + 3);
            let (comment, after) = tag.split_at(end);
            if keep_comments {
                clean.push_str(comment);
            }
            after
        } else if let Some(name) = dropped_element(tag) {
            skip_element(tag, name)
        } else if tag[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') {
            let end = tag.find('>').map_or(tag.len(), |end| end + 1);
            let (whole, after) = tag.split_at(end);
            clean.push_str(&without_handlers(whole));
            after
        } else {
            clean.push('<');
            &tag[1..]
        };
    }
    clean.push_str(rest);
    clean
}

fn dropped_element(tag: &str) -> Option<&'static str> {
    let name: String =
        tag[1..].chars().take_while(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    DROPPED.into_iter().find(|dropped| *dropped == name)
}

/// What follows the end tag of an element.
fn skip_element<'t>(tag: &'t str, name: &str) -> &'t str {
    let lower = tag.to_ascii_lowercase();
    let Some(end) = lower.find(&format!("</{name}")) else { return "" };
    let tail = &tag[end..];
    tail.find('>').map_or("", |close| &tail[close + 1..])
}

/// The tag without `on...` attributes and `javascript:` addresses.
fn without_handlers(tag: &str) -> String {
    let lower = tag.to_ascii_lowercase();
    if !lower.contains(" on") && !lower.contains("javascript:") {
        return tag.to_owned();
    }
    let name: String = tag.chars().take_while(|c| !c.is_whitespace() && *c != '>').collect();
    let closes = if lower.ends_with("/>") { "/>" } else { ">" };
    format!("{name}{closes}")
}
