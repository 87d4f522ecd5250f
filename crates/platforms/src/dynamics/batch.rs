//! Many requests in one (sheet: Dynamics section 5.3 \[doc\]): text of a batch, and its answers.
//!
//! The parts of a batch are independent of each other and answered in their order. What belongs together is a change
//! set: all of it, or nothing.

use handover_connect::{Body, Charge, Fault, Method, Piece, Reply, Request};
use sha2::{Digest as _, Sha256};

use super::capabilities::REQUESTS;
use super::objects::DATA;
use super::{faults, query};

/// What the first request of a change set made, in those that follow.
pub(super) const MADE: &str = "$1";

/// One request of a batch.
#[derive(Debug)]
pub(super) struct Inner {
    /// `POST`, `PATCH` or `DELETE`.
    pub(super) method: &'static str,
    /// Its path, or `$1` for what the first request of its change set made.
    pub(super) path: String,
    /// Headers beside the usual ones.
    pub(super) headers: Vec<(&'static str, &'static str)>,
    /// Its body, JSON; empty for none.
    pub(super) body: String,
    /// Whether it closes a record, which cannot be done twice.
    pub(super) closes: bool,
}

/// The request that sends parts, each of one or several requests. Counted is what is within (section 5.3).
pub(super) fn request(parts: &[Vec<Inner>]) -> Request {
    let number: usize = parts.iter().map(Vec::len).sum();
    let charge = Charge::of(REQUESTS, u32::try_from(number).unwrap_or(u32::MAX));
    let mut request = Request::new(Method::Post, format!("{DATA}/$batch"), &[charge]);
    request.headers.extend(query::headers());
    request.headers.push(("prefer".to_owned(), "odata.continue-on-error".to_owned()));
    // No text contains a digest of itself, so no value can end its part.
    let digest = parts.iter().flatten().fold(Sha256::new(), |digest, inner| {
        digest.chain_update(inner.path.as_bytes()).chain_update(inner.body.as_bytes())
    });
    let mark: String = digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let mut text = String::new();
    let mut id = 0;
    for part in parts {
        text.push_str(&format!("--batch_{mark}\r\n"));
        match part.as_slice() {
            [inner] => {
                id += 1;
                inner.write(id, id, &mut text);
            }
            several => {
                let first = id + 1;
                let set = format!("set_{first}_{mark}");
                text.push_str(&format!("Content-Type: multipart/mixed; boundary={set}\r\n\r\n"));
                for inner in several {
                    id += 1;
                    text.push_str(&format!("--{set}\r\n"));
                    inner.write(id, first, &mut text);
                }
                text.push_str(&format!("--{set}--\r\n"));
            }
        }
    }
    text.push_str(&format!("--batch_{mark}--\r\n"));
    request.body =
        Body::Pieces { kind: format!("multipart/mixed; boundary=batch_{mark}"), pieces: vec![Piece::Text(text)] };
    request
}

impl Inner {
    /// Writes the request with this id, behind the first one of its set.
    fn write(&self, id: usize, first: usize, into: &mut String) {
        // Only what follows on the first one says `$1`, and holds no texts of anybody's.
        let follows = |text: &str| if id > first { text.replace(MADE, &format!("${first}")) } else { text.to_owned() };
        into.push_str("Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n");
        into.push_str(&format!("Content-ID: {id}\r\n\r\n{} {} HTTP/1.1\r\n", self.method, follows(&self.path)));
        into.push_str("Accept: application/json\r\nOData-MaxVersion: 4.0\r\nOData-Version: 4.0\r\n");
        for (name, value) in &self.headers {
            into.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.body.is_empty() {
            into.push_str("Content-Type: application/json; type=entry\r\n");
        }
        into.push_str(&format!("\r\n{}\r\n", follows(&self.body)));
    }
}

/// The answers to a batch of so many parts, in their order.
///
/// # Errors
/// The fault of a batch that was refused as a whole, or whose answer cannot be read.
pub(super) fn answers(reply: &Reply, parts: usize) -> Result<Vec<Reply>, Fault> {
    faults::check(reply)?;
    let odd = || Fault::malformed("the answer to a batch cannot be taken apart");
    let text = std::str::from_utf8(&reply.body).map_err(|_| Fault::malformed("the answer is no text"))?;
    let boundary = reply.header("content-type").and_then(boundary).ok_or_else(odd)?;
    let mut all = Vec::with_capacity(parts);
    for piece in pieces(text, boundary).ok_or_else(odd)? {
        let (head, body) = head_and_body(piece).ok_or_else(odd)?;
        let kind = header(head, "content-type").ok_or_else(odd)?;
        match boundary_of_set(kind) {
            // Of what belongs together the first answer tells, unless one is a refusal.
            Some(boundary) => {
                let mut set = Vec::new();
                for piece in pieces(body, boundary).ok_or_else(odd)? {
                    let (_, http) = head_and_body(piece).ok_or_else(odd)?;
                    set.push(http_reply(http).ok_or_else(odd)?);
                }
                let refused = set.iter().position(|reply| reply.status >= 400).unwrap_or(0);
                if set.is_empty() {
                    return Err(odd());
                }
                all.push(set.swap_remove(refused));
            }
            None => all.push(http_reply(body).ok_or_else(odd)?),
        }
    }
    if all.len() != parts {
        return Err(Fault::malformed("the answer has another number of parts than were sent"));
    }
    Ok(all)
}

fn boundary(kind: &str) -> Option<&str> {
    let found = kind.split(';').find_map(|part| part.trim().strip_prefix("boundary="))?;
    Some(found.trim_matches('"')).filter(|boundary| !boundary.is_empty())
}

fn boundary_of_set(kind: &str) -> Option<&str> {
    kind.to_ascii_lowercase().starts_with("multipart/mixed").then(|| boundary(kind)).flatten()
}

/// What stands between the boundaries, each at the beginning of a line; the last one must be there.
fn pieces<'t>(text: &'t str, boundary: &str) -> Option<Vec<&'t str>> {
    let mark = format!("--{boundary}");
    let mut starts = Vec::new();
    for (at, _) in text.match_indices(&mark) {
        let before = text.get(..at)?;
        if before.is_empty() || before.ends_with('\n') {
            starts.push(at);
        }
    }
    let last = starts.pop()?;
    if !text.get(last + mark.len()..)?.starts_with("--") {
        return None;
    }
    let ends = starts.iter().skip(1).copied().chain([last]);
    starts
        .iter()
        .zip(ends)
        .map(|(start, end)| text.get(start + mark.len()..end).map(|piece| piece.trim_start_matches(['\r', '\n'])))
        .collect()
}

fn head_and_body(piece: &str) -> Option<(&str, &str)> {
    piece.split_once("\r\n\r\n").or_else(|| piece.split_once("\n\n"))
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.into_iter().find(|(have, _)| have.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// `HTTP/1.1 204 No Content` with its headers and body.
fn http_reply(text: &str) -> Option<Reply> {
    let text = text.trim_start_matches(['\r', '\n']);
    let (head, body) = head_and_body(text).unwrap_or((text.trim_end(), ""));
    let (first, lines) = head.split_once('\n').unwrap_or((head, ""));
    let status = first.split_whitespace().nth(1)?.parse().ok()?;
    let headers = lines.lines().filter_map(|line| line.split_once(':'));
    Some(Reply {
        status,
        headers: headers.map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned())).collect(),
        body: body.trim_end_matches(['\r', '\n']).as_bytes().to_vec(),
        sunk: None,
    })
}
