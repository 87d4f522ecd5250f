//! Reading `multipart/form-data` bodies (RFC 7578): enough for uploads, refusing what is broken.

use crate::Request;

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    /// The field's name.
    pub(crate) name: String,
    /// The file's name, if it is one.
    pub(crate) file_name: Option<String>,
    /// The content.
    pub(crate) content: &'a [u8],
}

/// The parts of a request's body; `None` when it is not well-formed.
pub(crate) fn parts(request: &Request) -> Option<Vec<Part<'_>>> {
    let (kind, parameters) = request.header("content-type")?.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameters.split(';').find_map(|p| p.trim().strip_prefix("boundary="))?.trim_matches('"');
    let delimiter = format!("--{boundary}");
    let mut rest = strip(&request.body, delimiter.as_bytes())?;
    let mut found = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return Some(found);
        }
        rest = strip(rest, b"\r\n")?;
        let head_end = position(rest, b"\r\n\r\n")?;
        let (head, tail) = (rest.get(..head_end)?, rest.get(head_end + 4..)?);
        let next = format!("\r\n{delimiter}");
        let end = position(tail, next.as_bytes())?;
        found.push(part(std::str::from_utf8(head).ok()?, tail.get(..end)?)?);
        rest = tail.get(end + next.len()..)?;
    }
}

fn part<'a>(head: &str, content: &'a [u8]) -> Option<Part<'a>> {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let parameter = |name: &str| {
        line.split(';').find_map(|p| {
            let (key, value) = p.trim().split_once('=')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
        })
    };
    Some(Part { name: parameter("name")?, file_name: parameter("filename"), content })
}

fn strip<'a>(bytes: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    bytes.strip_prefix(prefix)
}

fn position(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
