//! `multipart/form-data`: files with their names (sheet: section 2, attachments and files).

use crate::Request;

/// One part of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) name: String,
    /// The name of the file, if it is one.
    pub(super) file: Option<String>,
    pub(super) body: Vec<u8>,
}

/// The parts of the request's body; none if it has no parts or they cannot be told apart.
pub(super) fn parts(request: &Request) -> Option<Vec<Part>> {
    let kind = request.header("content-type")?;
    let boundary = kind.split(';').find_map(|piece| piece.trim().strip_prefix("boundary="))?.trim_matches('"');
    let mark = format!("--{boundary}").into_bytes();
    let body = &request.body;
    let mut starts = Vec::new();
    let mut at = 0;
    while let Some(found) = find(body.get(at..)?, &mark) {
        starts.push(at + found);
        at += found + mark.len();
    }
    let parts = starts.windows(2).filter_map(|pair| match pair {
        [from, to] => part(body.get(from + mark.len()..*to)?),
        _ => None,
    });
    Some(parts.collect())
}

fn part(text: &[u8]) -> Option<Part> {
    let text = text.strip_prefix(b"\r\n")?;
    let at = find(text, b"\r\n\r\n")?;
    let (head, body) = (text.get(..at)?, text.get(at + 4..)?);
    let head = String::from_utf8_lossy(head).into_owned();
    let word = |name: &str| {
        let rest = head.split(&format!("; {name}=")).nth(1)?;
        let value = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next()?,
            None => rest.split([';', '\r', '\n']).next()?,
        };
        Some(value.to_owned())
    };
    let body = body.strip_suffix(b"\r\n").unwrap_or(body);
    Some(Part { name: word("name")?, file: word("filename"), body: body.to_vec() })
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}
