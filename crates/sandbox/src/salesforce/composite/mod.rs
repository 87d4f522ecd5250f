//! Many operations in one request (sheet: sections 5.2 and 5.3).

mod batch;
mod collections;
mod references;
mod tree;

use serde_json::{Map, Value as Json, json};

use super::Salesforce;
use super::call::Call;
use super::refusal::{Answer, Fault};
use super::routes;
use crate::{Reply, Request};
use references::References;

/// How many subrequests one request may hold, and how many of them may be queries or collections.
const SUBREQUESTS: usize = 25;
const HEAVY: usize = 5;

/// Answers `/composite/...`.
pub(super) fn answer(org: &mut Salesforce, call: &Call<'_>, path: &[&str]) -> Answer {
    if !path.starts_with(&["sobjects"]) && call.method() != "POST" {
        return match path {
            [] => Ok(Reply::json(
                200,
                &json!({"sobjects": call.url("composite/sobjects"), "tree": call.url("composite/tree"),
                "batch": call.url("composite/batch"), "graph": call.url("composite/graph")}),
            )),
            _ => Err(call.not_allowed("POST")),
        };
    }
    match path {
        [] => {
            let body = call.map()?;
            let all_or_none = body.get("allOrNone") == Some(&Json::Bool(true));
            let (responses, _) = subrequests(org, call, body.get("compositeRequest"), all_or_none, Some(SUBREQUESTS))?;
            Ok(Reply::json(200, &json!({"compositeResponse": responses})))
        }
        ["graph"] => graphs(org, call),
        ["batch"] => batch::answer(org, call),
        ["tree", object] => tree::answer(&mut org.world, call, object),
        ["sobjects", rest @ ..] => collections::answer(&mut org.world, call, rest),
        _ => Err(Fault::not_found()),
    }
}

/// One request of a composite as a request of its own, with the headers of the whole.
fn inner(call: &Call<'_>, method: &str, url: &str, body: Option<&Json>) -> Option<(Request, u16, Vec<String>)> {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let full = if path.starts_with("/services/data/") {
        path.to_owned()
    } else {
        format!("/services/data/{}", path.trim_start_matches('/'))
    };
    let (version, segments) = super::address(&full)?;
    let mut request = Request::new(method, &full);
    request.query = crate::http::read_pairs(query);
    let kept = |name: &str| name.starts_with("sforce-") || name == "host";
    request.headers = call.request.headers.iter().filter(|(name, _)| kept(name)).cloned().collect();
    if let Some(body) = body {
        request = request.with_json(body);
    }
    Some((request, version, segments))
}

/// Runs one of them.
fn run(org: &mut Salesforce, call: &Call<'_>, method: &str, url: &str, body: Option<&Json>) -> Reply {
    let Some((request, version, path)) = inner(call, method, url, body) else {
        return Fault::not_found().reply();
    };
    if path.first().is_some_and(|first| first == "composite")
        && path.get(1).is_none_or(|second| second != "sobjects" && second != "tree")
    {
        return Fault::new("INVALID_REQUEST", "a composite cannot stand in a composite").reply();
    }
    let inner = Call { request: &request, path, version, user: call.user.clone(), at: call.at, apply_only: None };
    routes::answer(org, &inner).unwrap_or_else(|fault| fault.reply())
}

type Responses = (Vec<Json>, bool);

/// The requests of a composite in order: what each gave, and whether all of it went well.
fn subrequests(
    org: &mut Salesforce,
    call: &Call<'_>,
    list: Option<&Json>,
    all_or_none: bool,
    most: Option<usize>,
) -> Result<Responses, Fault> {
    let list = list.and_then(Json::as_array).ok_or_else(|| Fault::parser("compositeRequest is missing"))?;
    if most.is_some_and(|most| list.len() > most) {
        let message = format!("Limit of {SUBREQUESTS} subrequests exceeded.");
        return Err(Fault::new("LIMIT_EXCEEDED", message));
    }
    let url = |request: &Json| request["url"].as_str().unwrap_or("").to_owned();
    let heavy =
        list.iter().filter(|request| url(request).contains("/query") || url(request).contains("/composite/sobjects"));
    if most.is_some() && heavy.count() > HEAVY {
        return Err(Fault::new("LIMIT_EXCEEDED", format!("Limit of {HEAVY} queries and collections exceeded.")));
    }
    let mark = org.world.mark();
    let mut references = References::default();
    let mut responses: Vec<(String, Reply)> = Vec::new();
    for request in list {
        let id = request["referenceId"].as_str().unwrap_or("").to_owned();
        if id.is_empty() || references.is_known(&id) {
            return Err(Fault::new("INVALID_INPUT", format!("referenceId missing or given twice: {id}")));
        }
        let reply = match references.fill(request) {
            Ok(filled) => {
                let method = filled["method"].as_str().unwrap_or("GET").to_owned();
                run(org, call, &method, &url(&filled), filled.get("body"))
            }
            Err(wrong) => Fault::new("PROCESSING_HALTED", format!("Invalid reference specified. {wrong}")).reply(),
        };
        let failed = reply.status >= 300;
        references.put(&id, &reply);
        responses.push((id, reply));
        if failed && all_or_none {
            org.world.rollback(mark);
            return Ok((halted(list, &responses), false));
        }
    }
    let well = responses.iter().all(|(_, reply)| reply.status < 300);
    Ok((responses.iter().map(|(id, reply)| response(id, reply)).collect(), well))
}

fn response(id: &str, reply: &Reply) -> Json {
    let body = if reply.body.is_empty() { Json::Null } else { reply.body_json() };
    let location = reply.header("location").map(|location| json!({"Location": location}));
    json!({"body": body, "httpHeaders": location.unwrap_or_else(|| Json::Object(Map::new())),
        "httpStatusCode": reply.status, "referenceId": id})
}

/// One failed, and everything was taken back: the others say so.
fn halted(list: &[Json], responses: &[(String, Reply)]) -> Vec<Json> {
    let message = "The transaction was rolled back since another operation in the same transaction failed.";
    let other = Fault::new("PROCESSING_HALTED", message).reply();
    let failed = responses.len().saturating_sub(1);
    list.iter()
        .enumerate()
        .map(|(at, request)| {
            let id = request["referenceId"].as_str().unwrap_or("");
            match responses.get(at).filter(|_| at == failed) {
                Some((id, reply)) => response(id, reply),
                None => response(id, &other),
            }
        })
        .collect()
}

/// `POST /composite/graph`: each graph is one transaction.
fn graphs(org: &mut Salesforce, call: &Call<'_>) -> Answer {
    let body = call.map()?;
    let list = body.get("graphs").and_then(Json::as_array).ok_or_else(|| Fault::parser("graphs is missing"))?;
    let nodes: usize = list.iter().map(|graph| graph["compositeRequest"].as_array().map_or(0, Vec::len)).sum();
    if list.len() > 75 || nodes > 500 {
        return Err(Fault::new("LIMIT_EXCEEDED", "Limit of graphs or nodes exceeded."));
    }
    let mut out = Vec::new();
    let mut failures = 0;
    for graph in list {
        let id = graph["graphId"].clone();
        // After 14 failed graphs the rest is not begun (sheet: section 5.3 [doc]).
        let (responses, well) = if failures >= 14 {
            let requests = graph["compositeRequest"].as_array().map(Vec::as_slice).unwrap_or_default();
            (halted(requests, &[]), false)
        } else {
            subrequests(org, call, graph.get("compositeRequest"), true, None)?
        };
        failures += usize::from(!well);
        out.push(json!({"graphId": id, "graphResponse": {"compositeResponse": responses}, "isSuccessful": well}));
    }
    Ok(Reply::json(200, &json!({"graphs": out})))
}
