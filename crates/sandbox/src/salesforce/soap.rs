//! What only SOAP can do: login, merge, undelete (sheet: sections 1 and 5.9).
//!
//! The envelopes are read by the local names of their elements; prefixes and attributes are not looked at, but
//! `xsi:type` of a master record. Deliberately absent: convertLead and every call that REST has.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::access::Access;
use super::draft::{self, Purpose};
use super::instant::Seconds;
use super::refusal::Fault;
use super::rules::DuplicateHeader;
use super::world::World;
use super::write::Writer;
use super::{id, oauth, remove, values};
use crate::{Reply, Request};

/// An element with its children.
#[derive(Debug, Default)]
struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    fn value(&self, name: &str) -> &str {
        self.child(name).map_or("", |child| child.text.trim())
    }
}

/// A call as it came.
pub(super) struct Called {
    envelope: Element,
}

impl Called {
    fn call(&self) -> Option<&Element> {
        self.envelope.child("Body").and_then(|body| body.children.first())
    }

    /// Whether it begins a session.
    pub(super) fn is_login(&self) -> bool {
        self.call().is_some_and(|call| call.name == "login")
    }
}

/// Reads a request to `/services/Soap/u/66.0`.
pub(super) fn read(world: &World, request: &Request) -> Result<Called, Reply> {
    // The transport wants the header, whatever it says.
    if request.header("soapaction").is_none() {
        return Err(fault("soapenv:Client", "SOAPAction HTTP header missing"));
    }
    // Behind the version may stand the organization, as a login tells it.
    let version = request.path.split('/').nth(4).and_then(|version| version.strip_suffix(".0")?.parse().ok());
    if !version.is_some_and(|version| (world.org.oldest_version..=world.org.version).contains(&version)) {
        return Err(fault(
            "sf:UNSUPPORTED_API_VERSION",
            "UNSUPPORTED_API_VERSION: Invalid Api version specified on URL",
        ));
    }
    let text = String::from_utf8_lossy(&request.body).into_owned();
    let envelope = parse(&text).ok_or_else(|| fault("soapenv:Client", "the envelope cannot be read"))?;
    let called = Called { envelope };
    if called.call().is_none() {
        return Err(fault("soapenv:Client", "the envelope has no body"));
    }
    Ok(called)
}

/// The user of the session that stands in the envelope's header, and nowhere else.
pub(super) fn enter(world: &mut World, called: &Called, at: Seconds) -> Result<String, Fault> {
    let header = called.envelope.child("Header").and_then(|header| header.child("SessionHeader"));
    let token = header.map(|header| header.value("sessionId")).unwrap_or("").to_owned();
    let idle = world.settings.session_s;
    let user = Access::enter(&mut world.access, &token, at, idle).filter(|user| world.is_active_user(user));
    let illegal = "Invalid Session ID found in SessionHeader: Illegal Session";
    let user = user.ok_or_else(|| Fault::new("INVALID_SESSION_ID", illegal))?;
    if !world.settings.api {
        return Err(Fault::new("API_DISABLED_FOR_ORG", "API is not enabled for this Organization or Partner"));
    }
    Ok(user)
}

/// Carries out a call.
pub(super) fn answer(world: &mut World, called: &Called, user: String, at: Seconds) -> Reply {
    let Some(call) = called.call() else { return fault("soapenv:Client", "the envelope has no body") };
    let by =
        Writer { user, at, duplicates: DuplicateHeader { allow_save: true, include_details: false }, system: false };
    match call.name.as_str() {
        "merge" => merge(world, call, &by),
        "undelete" => undelete(world, call, &by),
        other => fault("sf:UNKNOWN_EXCEPTION", &format!("the operation {other} is not supported")),
    }
}

/// A refusal of the whole call.
pub(super) fn refused(wrong: &Fault) -> Reply {
    fault(&format!("sf:{}", wrong.code), &format!("{}: {}", wrong.code, wrong.message))
}

/// Begins a session.
pub(super) fn login(world: &mut World, request: &Request, called: &Called, at: Seconds) -> Reply {
    let Some(call) = called.call() else { return fault("soapenv:Client", "the envelope has no body") };
    let username = call.value("username");
    let right = world.access.passwords.get(username).is_some_and(|known| known == call.value("password"));
    let user = oauth::user_id(world, username).filter(|user| right && world.is_active_user(user));
    let Some(user) = user else {
        let message = "INVALID_LOGIN: Invalid username, password, security token; or user locked out.";
        return fault("sf:INVALID_LOGIN", message);
    };
    let token = oauth::begin_session(world, &user, at, true);
    let host = request.header("host").unwrap_or("localhost");
    let url = format!("http://{host}{}/{}", request.path, world.org.id.get(..15).unwrap_or(""));
    let org = &world.org;
    envelope(&format!(
        "<loginResponse><result><passwordExpired>false</passwordExpired><sandbox>{}</sandbox><serverUrl>{}</serverUrl>\
         <sessionId>{}</sessionId><userId>{user}</userId><userInfo><organizationId>{}</organizationId>\
         <organizationMultiCurrency>{}</organizationMultiCurrency><organizationName>{}</organizationName>\
         <userId>{user}</userId><userName>{}</userName></userInfo></result></loginResponse>",
        org.sandbox,
        escape(&url),
        escape(&token),
        org.id,
        org.multi_currency,
        escape(&org.name),
        escape(username)
    ))
}

fn merge(world: &mut World, call: &Element, by: &Writer) -> Reply {
    if let Some(other) = call.children.iter().find(|child| child.name != "request") {
        return fault("soapenv:Client", &format!("Element {} invalid at this location in type merge", other.name));
    }
    let mut out = String::from("<mergeResponse>");
    for request in call.all("request") {
        let done = merge_one(world, request, by);
        out.push_str("<result>");
        match done {
            Ok((master, losers, moved)) => {
                out.push_str(&format!("<id>{master}</id>"));
                for loser in losers {
                    out.push_str(&format!("<mergedRecordIds>{loser}</mergedRecordIds>"));
                }
                out.push_str("<success>true</success>");
                for one in moved {
                    out.push_str(&format!("<updatedRelatedIds>{one}</updatedRelatedIds>"));
                }
            }
            Err(wrong) => {
                out.push_str(&error(&wrong));
                out.push_str("<success>false</success>");
            }
        }
        out.push_str("</result>");
    }
    out.push_str("</mergeResponse>");
    envelope(&out)
}

type Merged = (String, Vec<String>, Vec<String>);

fn merge_one(world: &mut World, request: &Element, by: &Writer) -> Result<Merged, Fault> {
    let malformed = |id: &str| Fault::row("MALFORMED_ID", format!("malformed id {id}"), &["Id"]);
    let record = request.child("masterRecord").ok_or_else(|| malformed(""))?;
    let given = record.value("Id");
    let master = id::parse(given).ok_or_else(|| malformed(given))?;
    let losers = request
        .all("recordToMergeIds")
        .map(|loser| id::parse(loser.text.trim()).ok_or_else(|| malformed(loser.text.trim())))
        .collect::<Result<Vec<String>, Fault>>()?;
    // An object of the partner's form says of which type it is.
    let object = world.schema.object(record.value("type"));
    let object = object.ok_or_else(|| Fault::row("INVALID_TYPE", "Must send a concrete entity type.", &[]))?;
    if world.schema.of_id(&master).is_some_and(|of| of.name != object.name) {
        return Err(Fault::row("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &[]));
    }
    let fields: BTreeMap<String, Json> = match world.schema.of_id(&master) {
        Some(object) => {
            let mut body = Map::new();
            for child in record.children.iter().filter(|child| !["Id", "type"].contains(&child.name.as_str())) {
                if child.name == "fieldsToNull" {
                    body.insert(child.text.trim().to_owned(), Json::Null);
                    continue;
                }
                let value = object.field(&child.name).map(|field| values::from_text(field, &child.text));
                body.insert(child.name.clone(), value.unwrap_or_else(|| json!(child.text)));
            }
            draft::read(world, object, &body, Purpose::Update)?
        }
        None => BTreeMap::new(),
    };
    let moved = remove::merge(world, &master, fields, &losers, by)?;
    Ok((master, losers, moved))
}

fn undelete(world: &mut World, call: &Element, by: &Writer) -> Reply {
    let mut out = String::from("<undeleteResponse>");
    for given in call.all("ids") {
        let done = id::parse(given.text.trim())
            .ok_or_else(|| Fault::row("MALFORMED_ID", format!("malformed id {}", given.text.trim()), &["Id"]))
            .and_then(|id| remove::undelete(world, &id, by).map(|()| id));
        match done {
            Ok(id) => out.push_str(&format!("<result><id>{id}</id><success>true</success></result>")),
            Err(wrong) => out.push_str(&format!("<result>{}<success>false</success></result>", error(&wrong))),
        }
    }
    out.push_str("</undeleteResponse>");
    envelope(&out)
}

fn error(fault: &Fault) -> String {
    let fields: String =
        fault.fields.iter().flatten().map(|field| format!("<fields>{}</fields>", escape(field))).collect();
    let message = escape(&fault.message);
    format!("<errors>{fields}<message>{message}</message><statusCode>{}</statusCode></errors>", fault.code)
}

fn envelope(body: &str) -> Reply {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope \
         xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns=\"urn:partner.soap.sforce.com\">\
         <soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    );
    Reply {
        status: 200,
        headers: vec![("content-type".to_owned(), "text/xml; charset=utf-8".to_owned())],
        body: text.into_bytes(),
    }
}

/// 500 with a fault (sheet: section 1).
fn fault(code: &str, message: &str) -> Reply {
    let detail = code.strip_prefix("sf:").map(|name| detail(name, message)).unwrap_or_default();
    let mut reply = envelope(&format!(
        "<soapenv:Fault><faultcode>{code}</faultcode><faultstring>{}</faultstring>{detail}</soapenv:Fault>",
        escape(message)
    ));
    reply.status = 500;
    reply
}

/// What a fault of the API says once more as an `ApiFault` (partner WSDL \[spec\]); its message is without the code.
fn detail(name: &str, message: &str) -> String {
    let kind = if name == "INVALID_LOGIN" { "LoginFault" } else { "UnexpectedErrorFault" };
    let text = message.strip_prefix(name).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(message);
    format!(
        "<detail><sf:{kind} xmlns:sf=\"urn:fault.partner.soap.sforce.com\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"sf:{kind}\">\
         <sf:exceptionCode>{name}</sf:exceptionCode><sf:exceptionMessage>{}</sf:exceptionMessage></sf:{kind}></detail>",
        escape(text)
    )
}

fn escape(text: &str) -> String {
    html_escape::encode_text(text).into_owned()
}

/// The outermost element; none for what is no well-formed XML.
fn parse(text: &str) -> Option<Element> {
    let document = roxmltree::Document::parse(text).ok()?;
    element(document.root_element(), 64)
}

/// An element with its children; none where they are deeper than so many.
fn element(node: roxmltree::Node<'_, '_>, deepest: usize) -> Option<Element> {
    let below = deepest.checked_sub(1)?;
    Some(Element {
        name: node.tag_name().name().to_owned(),
        text: node.children().filter(|child| child.is_text()).filter_map(|child| child.text()).collect(),
        children: node
            .children()
            .filter(|child| child.is_element())
            .map(|child| element(child, below))
            .collect::<Option<_>>()?,
    })
}
