//! Words of a condition.

use super::Literal;
use crate::dynamics::{guid, instant};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Word(String),
    Value(Literal),
    Open,
    Close,
    SquareOpen,
    SquareClose,
    Comma,
    Slash,
    Colon,
    Equals,
}

/// The words with their places; the place where it cannot go on.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, usize> {
    let letters: Vec<char> = text.chars().collect();
    let mut list = Vec::new();
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        let start = at;
        let token = match letter {
            ' ' | '\t' | '\n' => {
                at += 1;
                continue;
            }
            '(' => Token::Open,
            ')' => Token::Close,
            '[' => Token::SquareOpen,
            ']' => Token::SquareClose,
            ',' => Token::Comma,
            '/' => Token::Slash,
            '=' => Token::Equals,
            ':' => Token::Colon,
            '\'' => {
                let (text, next) = quoted(&letters, at, '\'').ok_or(start)?;
                at = next;
                list.push((start, Token::Value(Literal::Text(text))));
                continue;
            }
            '"' => {
                let (text, next) = quoted(&letters, at, '"').ok_or(start)?;
                at = next;
                list.push((start, Token::Value(Literal::Text(text))));
                continue;
            }
            letter if letter.is_ascii_alphanumeric() || "_-@$".contains(letter) => {
                let (token, next) = word(&letters, at).ok_or(start)?;
                at = next;
                list.push((start, token));
                continue;
            }
            _ => return Err(start),
        };
        at += 1;
        list.push((start, token));
    }
    Ok(list)
}

/// A text in quotes, which are doubled within it.
fn quoted(letters: &[char], from: usize, mark: char) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut at = from + 1;
    loop {
        let letter = *letters.get(at)?;
        if letter == mark {
            if letters.get(at + 1) != Some(&mark) {
                return Some((text, at + 1));
            }
            at += 1;
        }
        text.push(letter);
        at += 1;
    }
}

/// A name, a number, a GUID, a day or a time: the longest that makes sense.
fn word(letters: &[char], from: usize) -> Option<(Token, usize)> {
    let run = |more: &str| -> String {
        let rest = letters.get(from..).unwrap_or_default().iter();
        rest.take_while(|letter| letter.is_ascii_alphanumeric() || more.contains(**letter)).collect()
    };
    let long = run("_-.:+");
    if let Some(id) = guid::parse(&long) {
        return Some((Token::Value(Literal::Guid(id)), from + long.len()));
    }
    if long.starts_with(|letter: char| letter.is_ascii_digit() || letter == '-') {
        let value = if let Some(day) = instant::read_day(&long) {
            Literal::Day(day)
        } else if let Some(at) = instant::read(&long) {
            Literal::Time(instant::stamp(at))
        } else {
            Literal::Number(long.parse().ok()?)
        };
        return Some((Token::Value(value), from + long.len()));
    }
    let name = run("_.@$");
    let token = match name.as_str() {
        "null" => Token::Value(Literal::Null),
        "true" => Token::Value(Literal::Bool(true)),
        "false" => Token::Value(Literal::Bool(false)),
        _ => Token::Word(name.clone()),
    };
    (!name.is_empty()).then_some((token, from + name.len()))
}
