//! `$batch` (sheet: section 5.3): requests one by one, change sets as one transaction.

use super::call::{Call, Prefer};
use super::refusal::{Answer, Fault};
use super::{Dynamics, address, guid};
use crate::{Reply, Request};

/// Requests of one batch at most (sheet: section 5.3 \[doc\]).
const MOST: u64 = 1_000;

/// The longest address within a batch (sheet: section 2 \[doc\]).
const LONGEST_URI: usize = 65_536;

/// One part of a batch.
enum Part {
    One(Request, Option<String>),
    ChangeSet(Vec<(Request, Option<String>)>),
}

/// How many requests a batch holds.
pub(super) fn size(request: &Request) -> u64 {
    let parts = parts(request).unwrap_or_default();
    let count = |part: &Part| match part {
        Part::One(..) => 1,
        Part::ChangeSet(list) => u64::try_from(list.len()).unwrap_or(u64::MAX),
    };
    parts.iter().map(count).sum()
}

/// `POST /$batch`.
pub(super) fn answer(org: &mut Dynamics, call: &Call<'_>) -> Answer {
    if call.method() != "POST" {
        return Err(Fault::not_allowed(call.method()));
    }
    let parts = parts(call.request)
        .ok_or_else(|| Fault::odata("The batch request is malformed: its parts cannot be told apart."))?;
    if size(call.request) > MOST {
        return Err(Fault::bad_request(format!(
            "Number of requests in a batch message exceeds the maximum limit of {MOST}."
        )));
    }
    let mark = guid::mint(org.world.seed, "batch", org.world.version());
    let boundary = format!("batchresponse_{mark}");
    let mut body = String::new();
    let mut status = 200;
    let limit = call.apply_only.unwrap_or(usize::MAX);
    for (at, part) in parts.iter().take(limit).enumerate() {
        let failed = match part {
            Part::One(request, id) => {
                let reply = run(org, call, request, &address::References::new());
                open(&mut body, &boundary);
                body.push_str(&http(&reply, id.as_deref()));
                (reply.status >= 400).then_some(reply.status)
            }
            Part::ChangeSet(list) => {
                let inner = format!("changesetresponse_{mark}_{at}");
                let (text, failed) = change_set(org, call, list, &inner);
                open(&mut body, &boundary);
                body.push_str(&text);
                failed
            }
        };
        if let Some(failed) = failed.filter(|_| !call.prefer.continue_on_error) {
            status = failed;
            break;
        }
    }
    body.push_str(&format!("--{boundary}--\r\n"));
    let kind = format!("multipart/mixed; boundary={boundary}");
    Ok(Reply { status, headers: vec![("content-type".to_owned(), kind)], body: body.into_bytes() })
}

fn open(body: &mut String, boundary: &str) {
    body.push_str(&format!("--{boundary}\r\n"));
}

/// One reply as a part of the body.
fn http(reply: &Reply, content_id: Option<&str>) -> String {
    let reason = match reply.status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        304 => "Not Modified",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        412 => "Precondition Failed",
        429 => "Too Many Requests",
        _ => "Error",
    };
    let mut text = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n".to_owned();
    if let Some(id) = content_id {
        text.push_str(&format!("Content-ID: {id}\r\n"));
    }
    text.push_str(&format!("\r\nHTTP/1.1 {} {reason}\r\n", reply.status));
    for (name, value) in &reply.headers {
        let name = match name.as_str() {
            "content-type" => "Content-Type",
            "odata-entityid" => "OData-EntityId",
            "location" => "Location",
            other => other,
        };
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    format!("{text}OData-Version: 4.0\r\n\r\n{}\r\n", String::from_utf8_lossy(&reply.body))
}

/// All of a change set, or nothing.
fn change_set(
    org: &mut Dynamics,
    call: &Call<'_>,
    list: &[(Request, Option<String>)],
    boundary: &str,
) -> (String, Option<u16>) {
    let mark = org.world.mark();
    let mut references = address::References::new();
    let mut text = format!("Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n");
    for (request, id) in list {
        let reply = if request.method == "GET" {
            Fault::bad_request("A change set cannot contain GET requests.").reply("0x0", false)
        } else if defines(&request.path) {
            // Definitions are no part of a transaction.
            Fault::bad_request("A change set cannot contain requests that change definitions.").reply("0x0", false)
        } else {
            run(org, call, request, &references)
        };
        if reply.status >= 400 {
            // The whole set gives one answer: that of the request that failed.
            org.world.rollback(mark);
            let failed = http(&reply, id.as_deref());
            return (
                format!(
                    "Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n--{boundary}\r\n{failed}--{boundary}--\r\n"
                ),
                Some(reply.status),
            );
        }
        if let (Some(id), Some(made)) = (id, reply.header("odata-entityid")) {
            references.insert(id.clone(), made.to_owned());
        }
        text.push_str(&format!("--{boundary}\r\n{}", http(&reply, id.as_deref())));
    }
    text.push_str(&format!("--{boundary}--\r\n"));
    (text, None)
}

/// Whether a request may change the schema.
fn defines(path: &str) -> bool {
    let doors = ["Definitions", "InsertOptionValue", "CreateCustomerRelationships"];
    doors.iter().any(|door| path.contains(door))
}

/// One request of the batch.
fn run(org: &mut Dynamics, call: &Call<'_>, request: &Request, references: &address::References) -> Reply {
    let refuse = |fault: Fault| fault.reply(&org.world.settings.odata_error_code, false);
    // `$1` stands for the row that an earlier request made, also as the address.
    let path = request.path.trim_start_matches('/');
    let (head, tail) = path.split_once('/').map_or((path, String::new()), |(head, tail)| (head, format!("/{tail}")));
    let path = match head.strip_prefix('$').and_then(|id| references.get(id)) {
        Some(made) => format!("{made}{tail}"),
        None => request.path.clone(),
    };
    let Some((_, rest)) = path.split_once("/api/data/v9.") else {
        // Relative to the service.
        return inner(org, call, request, path.trim_start_matches('/'), references);
    };
    match rest.split_once('/') {
        Some((_, rest)) if !rest.starts_with("$batch") && path.len() <= LONGEST_URI => {
            inner(org, call, request, rest, references)
        }
        _ => refuse(Fault::no_segment("$batch")),
    }
}

fn inner(
    org: &mut Dynamics,
    call: &Call<'_>,
    request: &Request,
    rest: &str,
    references: &address::References,
) -> Reply {
    let Some(path) = address::segments(rest) else {
        return Fault::odata("Bad Request - Error in query syntax.").reply(&org.world.settings.odata_error_code, false);
    };
    let mut prefer = Prefer::read(request);
    if prefer.annotations.is_empty() {
        prefer.annotations.clone_from(&call.prefer.annotations);
    }
    let call = Call {
        request,
        path,
        base: call.base.clone(),
        user: call.user.clone(),
        behalf: call.behalf.clone(),
        at: call.at,
        prefer,
        references: references.clone(),
        apply_only: None,
    };
    org.routed(&call)
}

/// The parts of a batch; none if they cannot be told apart.
fn parts(request: &Request) -> Option<Vec<Part>> {
    let kind = request.header("content-type")?;
    if !kind.to_ascii_lowercase().starts_with("multipart/mixed") {
        return None;
    }
    let text = std::str::from_utf8(&request.body).ok()?;
    let mut list = Vec::new();
    for piece in pieces(text, boundary(kind)?)? {
        let (head, body) = head_and_body(piece)?;
        let kind = header(head, "content-type")?;
        if kind.to_ascii_lowercase().starts_with("multipart/mixed") {
            let mut set = Vec::new();
            for piece in pieces(body, boundary(kind)?)? {
                let (head, body) = head_and_body(piece)?;
                // A request of a change set has a name.
                let id = header(head, "content-id")?.to_owned();
                set.push((http_request(body)?, Some(id)));
            }
            list.push(Part::ChangeSet(set));
        } else {
            let id = header(head, "content-id").map(str::to_owned);
            list.push(Part::One(http_request(body)?, id));
        }
    }
    Some(list)
}

fn boundary(kind: &str) -> Option<&str> {
    let found = kind.split(';').find_map(|piece| piece.trim().strip_prefix("boundary="))?;
    Some(found.trim_matches('"'))
}

/// What stands between the boundaries; the last one must be there.
fn pieces<'a>(text: &'a str, boundary: &str) -> Option<Vec<&'a str>> {
    let mark = format!("--{boundary}");
    let mut list = Vec::new();
    let mut rest = text.split_once(mark.as_str())?.1;
    while !rest.starts_with("--") {
        let (piece, after) = rest.split_once(mark.as_str())?;
        list.push(piece.strip_prefix("\r\n").or_else(|| piece.strip_prefix('\n'))?);
        rest = after;
    }
    Some(list)
}

fn head_and_body(piece: &str) -> Option<(&str, &str)> {
    piece.split_once("\r\n\r\n").or_else(|| piece.split_once("\n\n")).or(Some((piece, "")))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.trim().eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

/// `POST /api/data/v9.2/accounts HTTP/1.1` with its headers and body.
fn http_request(text: &str) -> Option<Request> {
    let (head, body) = head_and_body(text.trim_start_matches(['\r', '\n']))?;
    let mut lines = head.lines();
    let mut words = lines.next()?.split_whitespace();
    let (method, target) = (words.next()?, words.next()?);
    // An address may be whole or begin at the service.
    let target = match target.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..))?,
        None => target,
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request::new(method, path);
    request.query = crate::http::read_pairs(query);
    request.headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    request.body = body.trim_end_matches(['\r', '\n']).as_bytes().to_vec();
    Some(request)
}
