//! A query's text as words, literals and signs.

use super::ast::Literal;
use super::spot;
use crate::salesforce::instant;
use crate::salesforce::refusal::Fault;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Word(String),
    Literal(Literal),
    Sign(&'static str),
}

const SIGNS: [&str; 11] = ["!=", "<>", "<=", ">=", "=", "<", ">", "(", ")", ",", ":"];

/// The tokens with their offsets.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, usize)>, Fault> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(letter) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = text.get(at..).unwrap_or("");
        if letter.is_whitespace() {
            at += letter.len_utf8();
        } else if letter == '\'' {
            let (value, used) = quoted(text, at)?;
            tokens.push((Token::Literal(Literal::Text(value)), at));
            at += used;
        } else if letter.is_ascii_digit() || number_follows(rest) {
            let run = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.:".contains(c))).unwrap_or(rest.len());
            let word = rest.get(..run).unwrap_or("");
            let literal = literal(word).ok_or_else(|| spot(text, at, "MALFORMED_QUERY", &unexpected(word)))?;
            tokens.push((Token::Literal(literal), at));
            at += run;
        } else if letter.is_ascii_alphabetic() || letter == '_' {
            let run = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')).unwrap_or(rest.len());
            tokens.push((Token::Word(rest.get(..run).unwrap_or("").to_owned()), at));
            at += run;
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push((Token::Sign(sign), at));
            at += sign.len();
        } else {
            let message = format!("line 1:{at} no viable alternative at character '{letter}'");
            return Err(Fault::new("MALFORMED_QUERY", message));
        }
    }
    Ok(tokens)
}

pub(super) fn unexpected(token: &str) -> String {
    format!("unexpected token: '{token}'")
}

fn number_follows(rest: &str) -> bool {
    let mut letters = rest.chars();
    matches!(letters.next(), Some('-' | '+')) && letters.next().is_some_and(|next| next.is_ascii_digit())
}

/// A text in quotes with its escapes (sheet: section 4), and how many bytes it took.
fn quoted(text: &str, from: usize) -> Result<(String, usize), Fault> {
    let mut value = String::new();
    let mut escaped = false;
    for (offset, letter) in text.get(from..).unwrap_or("").char_indices().skip(1) {
        if !escaped {
            match letter {
                '\'' => return Ok((value, offset + 1)),
                '\\' => escaped = true,
                other => value.push(other),
            }
            continue;
        }
        escaped = false;
        match letter {
            'n' | 'N' => value.push('\n'),
            'r' | 'R' => value.push('\r'),
            't' | 'T' => value.push('\t'),
            '\'' | '"' | '\\' => value.push(letter),
            // In LIKE a guarded sign stands for itself.
            '_' | '%' => value.extend(['\\', letter]),
            other => {
                let message = format!("Illegal string literal: invalid escape sequence '\\{other}'");
                return Err(spot(text, from + offset, "MALFORMED_QUERY", &message));
            }
        }
    }
    Err(spot(text, from, "MALFORMED_QUERY", "unexpected end of string literal"))
}

fn literal(word: &str) -> Option<Literal> {
    if let Ok(number) = word.parse::<f64>() {
        return Some(Literal::Number(number));
    }
    if let Some(day) = instant::read_day(word) {
        return Some(Literal::Date(day));
    }
    instant::read(word).map(Literal::Datetime)
}
