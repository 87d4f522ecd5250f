//! A query in its words.

use serde_json::{Value as Json, json};

use crate::zoho::refusal::Refusal;

/// A word of a query.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name or a keyword; names may have dots.
    Word(String),
    /// A text or a number.
    Value(Json),
    /// `=`, `!=`, `<`, `<=`, `>`, `>=`, `(`, `)`, `,`.
    Sign(&'static str),
}

/// A query that cannot be read.
pub(super) fn syntax(near: &str, at: usize) -> Refusal {
    Refusal::new("SYNTAX_ERROR", "error occured while parsing the query")
        .with(json!({"line": 1, "column": at + 1, "near": near}))
}

const SIGNS: [&str; 9] = ["!=", "<=", ">=", "=", "<", ">", "(", ")", ","];

/// The words of a query with their places.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, usize)>, Refusal> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let at = text.len() - rest.len();
        let Some(first) = rest.chars().next() else { return Ok(tokens) };
        let is_number =
            first.is_ascii_digit() || (first == '-' && rest[1..].starts_with(|next: char| next.is_ascii_digit()));
        let (token, length) = if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            (Token::Sign(sign), sign.len())
        } else if first == '\'' || first == '"' {
            let (value, length) = quoted(rest, first).ok_or_else(|| syntax("'", at))?;
            (Token::Value(json!(value)), length)
        } else if is_number {
            let end = rest[1..]
                .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
                .map_or(rest.len(), |end| end + 1);
            let word = &rest[..end];
            let number: serde_json::Number = word.parse().map_err(|_| syntax(word, at))?;
            (Token::Value(Json::Number(number)), end)
        } else if first.is_alphabetic() || matches!(first, '_' | '$' | '!') {
            let is_end = |letter: char| !letter.is_alphanumeric() && !matches!(letter, '_' | '.' | '$' | '!');
            let end = rest.find(is_end).unwrap_or(rest.len());
            // `!` before a module tells it from a field.
            (Token::Word(rest[..end].trim_start_matches('!').to_owned()), end)
        } else {
            return Err(syntax(&first.to_string(), at));
        };
        tokens.push((token, at));
        rest = &rest[length..];
    }
}

/// A text between quotes, in which a backslash escapes; how many bytes it takes.
fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => value.push(letters.next()?.1),
            letter if letter == quote => return Some((value, at + 1)),
            letter => value.push(letter),
        }
    }
    None
}
