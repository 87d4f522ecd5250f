//! What the SOAP interface alone offers: merging two records (sheet: Salesforce section 5.9 \[doc, spec\]).
//!
//! - The envelope is that of the partner WSDL: `merge` holds a `request` with a `masterRecord` (its `type` and `Id` in
//!   the namespace of objects) and the ids to be merged into it. The session stands in the header as a text, not in a
//!   header of HTTP.
//! - A request is one transaction, and what is refused as a whole was not begun: so a refusal is one, and every answer
//!   that cannot be read leaves it open whether the records were merged.
//! - A refusal is a fault with a code (`sf:INVALID_SESSION_ID`) or a result with errors; gateways answer in their own way.

use handover_connect::{Body, Fault, FaultKind, Method, Piece, Refusal, Reply, Request, Step, WriteOutcome, Written};
use handover_model::RecordId;
use roxmltree::Document;
use serde_json::{Value as Json, json};

use super::capabilities::CALL;
use super::faults;
use super::ids::{are_one, is_id};
use super::objects::{Object, SOAP};
use super::place::{Again, Place};
use super::write::{LOCKED_MS, MOST_TIMES};
use crate::marks::{Mark, foreign, is_about_the_row};

/// The request that merges `other` into `survivor`, whose values stay.
pub(super) fn merge(object: &Object<'_>, survivor: &RecordId, other: &RecordId) -> Result<Request, Refusal> {
    if !object.merges {
        return Err(Refusal::unsupported(format!("Salesforce merges no records of `{}`", object.name)));
    }
    if !is_id(survivor.as_str()) || !is_id(other.as_str()) {
        return Err(Refusal::unsupported("what is to be merged has not the form of an id"));
    }
    let before = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><e:Envelope \
         xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:p=\"urn:partner.soap.sforce.com\" \
         xmlns:o=\"urn:sobject.partner.soap.sforce.com\"><e:Header><p:SessionHeader><p:sessionId>";
    let after = format!(
        "</p:sessionId></p:SessionHeader><p:CallOptions><p:client>handover</p:client></p:CallOptions></e:Header>\
         <e:Body><p:merge><p:request><p:masterRecord><o:type>{}</o:type><o:Id>{survivor}</o:Id></p:masterRecord>\
         <p:recordToMergeIds>{other}</p:recordToMergeIds></p:request></p:merge></e:Body></e:Envelope>",
        object.name
    );
    let mut request = Request::new(Method::Post, SOAP, &CALL);
    request.headers.push(("soapaction".to_owned(), "\"\"".to_owned()));
    request.body = Body::Pieces {
        kind: "text/xml; charset=UTF-8".to_owned(),
        pieces: vec![Piece::Text(before.to_owned()), Piece::Text(after)],
    };
    Ok(request)
}

/// Puts the session into the envelope of such a request.
pub(super) fn let_in(request: &mut Request, token: &str) {
    if let Body::Pieces { pieces, .. } = &mut request.body
        && pieces.len() == 2
    {
        pieces.insert(1, Piece::Text(token.replace('&', "&amp;").replace('<', "&lt;")));
    }
}

/// What became of a merge: the survivor keeps its id. A record that somebody else holds is waited for, a few times.
pub(super) fn merged(
    survivor: &RecordId,
    other: &RecordId,
    place: Option<Place>,
    reply: &Reply,
) -> Result<Step, Fault> {
    let again = match place {
        None => Again::default(),
        Some(Place::Again(again)) => again,
        Some(_) => return Err(Fault::from(foreign())),
    };
    let written = |outcome| Ok(Step::Written(vec![Written { trace: survivor.clone(), outcome }]));
    let fault = match done(survivor, other, reply) {
        Ok(None) => return written(WriteOutcome::Applied { id: survivor.clone(), created: Some(false) }),
        Ok(Some(fault)) => fault,
        // Of the call as a whole: it was not begun, or nobody knows.
        Err(fault) if is_about_the_row(&fault) => return written(WriteOutcome::Refused(fault)),
        Err(fault) => return Err(fault),
    };
    // By itself, or inside what a trigger of the customer's says.
    let is_lock = matches!(fault.code.as_str(), "UNABLE_TO_LOCK_ROW" | "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY");
    match fault.kind {
        FaultKind::Unavailable if is_lock && again.times < MOST_TIMES => {
            let wait_ms = LOCKED_MS << (again.times + 1);
            Ok(Place::Again(Again { times: again.times + 1, ..again }).after(wait_ms))
        }
        // A lock that stays: the transaction was given up, so nothing was merged.
        FaultKind::Unavailable | FaultKind::Malformed if !is_lock => written(WriteOutcome::Unknown(fault)),
        _ => written(WriteOutcome::Refused(fault)),
    }
}

/// Whether it is done; else why these two records were refused.
fn done(survivor: &RecordId, other: &RecordId, reply: &Reply) -> Result<Option<Fault>, Fault> {
    let text = std::str::from_utf8(&reply.body).unwrap_or_default();
    let Ok(xml) = &Document::parse(text) else {
        // Gateways answer in their own way.
        faults::check(reply, true)?;
        return Err(Fault::malformed("the answer is no XML"));
    };
    if let Some(code) = text_of(xml, "faultcode") {
        return Err(fault_of(code, xml, reply.status));
    }
    faults::check(reply, true)?;
    match text_of(xml, "success") {
        Some("true") => {}
        Some("false") => {
            let field = text_of(xml, "fields");
            let error = json!({
                "statusCode": text_of(xml, "statusCode"), "message": text_of(xml, "message"),
                "fields": field.as_slice(),
            });
            return Ok(Some(refusal(&error)));
        }
        _ => return Err(Fault::malformed("the answer does not say whether the records were merged")),
    }
    let is_meant = |name: &str, id: &RecordId| text_of(xml, name).is_some_and(|told| are_one(told, id.as_str()));
    if is_meant("id", survivor) && is_meant("mergedRecordIds", other) {
        return Ok(None);
    }
    Err(Fault::malformed("the answer is about other records than were to be merged"))
}

/// A fault of the whole call. Its status is 500 whatever it is about, so that the code decides.
fn fault_of(code: &str, xml: &Document<'_>, status: u16) -> Fault {
    let code = code.rsplit(':').next().unwrap_or(code);
    let message = text_of(xml, "faultstring").unwrap_or_default();
    match code {
        "Client" => Fault::unsupported("Salesforce does not understand the envelope").with_status(status),
        "Server" => Fault::new(FaultKind::Unavailable, code, "Salesforce failed").with_status(status),
        _ => {
            let fault = refusal(&json!({ "statusCode": code, "message": message }));
            // Statuses of faults say nothing, and those of 500 and more would say that the server failed.
            if fault.kind == FaultKind::Unavailable { fault.with_status(status) } else { fault }
        }
    }
}

/// A refusal in the words that rows of collections have.
fn refusal(error: &Json) -> Fault {
    let row = json!({ "success": false, "errors": [error] });
    faults::of_row(&row).unwrap_or_else(|| Fault::malformed("a refusal without a reason"))
}

/// The text of the first element of this name, whatever its prefix; `None` when there is none or it is empty.
fn text_of<'x>(xml: &'x Document<'_>, name: &str) -> Option<&'x str> {
    let node = xml.descendants().find(|node| node.is_element() && node.tag_name().name() == name)?;
    node.text().map(str::trim).filter(|text| !text.is_empty())
}
