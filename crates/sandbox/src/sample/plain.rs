//! Texts for platforms that are stricter than Pipedrive.

/// Text without its markup.
pub(super) fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html.replace("<br>", "\n").replace("</p>", "\n").replace("</li>", "\n");
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        rest = rest[at..].find('>').map_or_else(String::new, |end| rest[at + end + 1..].to_owned());
    }
    text.push_str(&rest);
    html_escape::decode_html_entities(text.trim()).into_owned()
}

/// So many characters at most.
pub(super) fn short(text: &str, most: usize) -> String {
    text.trim().chars().take(most).collect()
}

/// Whether it would be taken as an e-mail address of at most so many characters.
pub(super) fn is_address(text: &str, most: usize) -> bool {
    let parts = text.split_once('@');
    let is_whole = parts.is_some_and(|(local, domain)| {
        !local.is_empty() && domain.contains('.') && !domain.starts_with('.') && !domain.ends_with('.')
    });
    is_whole && text.matches('@').count() == 1 && !text.contains(char::is_whitespace) && text.chars().count() <= most
}
