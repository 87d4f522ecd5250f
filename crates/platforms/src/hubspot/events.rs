//! Webhook deliveries: whether they are HubSpot's, and what they tell (sheet: HubSpot section 8).
//!
//! - Three signatures are in use. The third has a time, so that an old delivery cannot be sent again; the first
//!   two count only where it is absent, and what they let through is a hint to look and nothing more.
//! - A delivery is an array. Events of kinds or objects that this dialect does not know are passed over.
//! - `eventId` is not unique, and deliveries repeat: an event's id is made of what it is about. Values go into
//!   it as a digest only.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handover_connect::{Delivery, Event, Fault, FaultKind, Happened};
use handover_model::FieldName;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::json::{flag_at, id_text, text_at, text_or_empty};
use super::objects::OBJECTS;
use crate::deliveries;

/// How old a signed delivery may be, in milliseconds (sheet: HubSpot section 8 \[doc\]).
const OLDEST_MS: i64 = 300_000;

/// Objects that events name; the others are `object` with a type id (section 8 \[spec\]).
const NAMED: [&str; 6] = ["contact", "company", "deal", "ticket", "product", "line_item"];

/// What HubSpot decodes in the address before it signs it (section 8 \[doc, code\]).
const DECODED: [(&str, char); 12] = [
    ("3A", ':'),
    ("2F", '/'),
    ("3F", '?'),
    ("40", '@'),
    ("21", '!'),
    ("24", '$'),
    ("27", '\''),
    ("28", '('),
    ("29", ')'),
    ("2A", '*'),
    ("2C", ','),
    ("3B", ';'),
];

/// What a delivery tells.
pub(super) fn told(delivery: &Delivery<'_>) -> Result<Vec<Event>, Fault> {
    check(delivery)?;
    let body = deliveries::json(delivery)?;
    let all = body.as_array().ok_or_else(|| Fault::malformed("the delivery is no list of events"))?;
    let mut events = Vec::new();
    for one in all {
        read(one, &mut events)?;
    }
    Ok(events)
}

/// What to subscribe to, so that an object's changes are told: each field by itself (section 8 \[spec\]).
pub(super) fn subscriptions(object: &str, fields: &[FieldName]) -> Vec<String> {
    let Some(object) = OBJECTS.iter().find(|known| known.is_crm() && known.name == object) else { return Vec::new() };
    let word = match object.name {
        "companies" => "company",
        name => name.strip_suffix('s').unwrap_or(name),
    };
    let (word, of) = if NAMED.contains(&word) {
        (word, String::new())
    } else {
        ("object", format!(" with objectTypeId {}", object.type_id))
    };
    let verbs = ["creation", "deletion", "restore", "merge", "associationChange"].map(str::to_owned);
    // Links are no properties, and have events of their own.
    let properties = fields.iter().filter(|field| !field.as_str().contains('.'));
    let changes = properties.map(|field| format!("propertyChange of {field}"));
    verbs.into_iter().chain(changes).map(|verb| format!("{word}.{verb}{of}")).collect()
}

fn refused(message: &str) -> Fault {
    Fault::new(FaultKind::Auth, "signature", message)
}

fn header<'d>(delivery: &Delivery<'d>, name: &str) -> Option<&'d str> {
    delivery.headers.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
}

/// Whether the delivery was signed with the app's secret.
fn check(delivery: &Delivery<'_>) -> Result<(), Fault> {
    if delivery.secret.is_empty() {
        // Anybody can sign with an empty key.
        return Err(refused("the app's client secret is not known"));
    }
    if let Some(signature) = header(delivery, "x-hubspot-signature-v3") {
        return check_timed(delivery, signature);
    }
    let signature = header(delivery, "x-hubspot-signature").ok_or_else(|| refused("the delivery is not signed"))?;
    let mut hash = Sha256::new();
    hash.update(delivery.secret);
    match header(delivery, "x-hubspot-signature-version") {
        None | Some("v1") => {}
        Some("v2") => {
            hash.update(delivery.method);
            hash.update(delivery.address);
        }
        Some(_) => return Err(refused("the delivery is signed in a way that is not known")),
    }
    hash.update(delivery.body);
    let expected = hex(&hash.finalize());
    if bool::from(expected.as_bytes().ct_eq(signature.trim().to_ascii_lowercase().as_bytes())) {
        Ok(())
    } else {
        Err(refused("the signature does not fit"))
    }
}

/// The third signature: over method, address, body and time.
fn check_timed(delivery: &Delivery<'_>, signature: &str) -> Result<(), Fault> {
    let time = header(delivery, "x-hubspot-request-timestamp").unwrap_or_default().trim();
    let sent: i64 = time.parse().map_err(|_| refused("the signed delivery has no time"))?;
    if delivery.at.as_millisecond().saturating_sub(sent) > OLDEST_MS {
        return Err(refused("the delivery is older than five minutes"));
    }
    let signature = STANDARD.decode(signature.trim()).map_err(|_| refused("the signature does not fit"))?;
    let mut mac = Hmac::<Sha256>::new_from_slice(delivery.secret.as_bytes())
        .map_err(|_| refused("the app's client secret is no key"))?;
    mac.update(delivery.method.as_bytes());
    mac.update(decoded(delivery.address).as_bytes());
    mac.update(delivery.body);
    mac.update(time.as_bytes());
    // Compares in constant time.
    mac.verify_slice(&signature).map_err(|_| refused("the signature does not fit"))
}

/// The address as HubSpot signs it: some escapes decoded, all others as they were sent.
fn decoded(address: &str) -> String {
    let mut clear = String::with_capacity(address.len());
    let mut rest = address;
    while let Some(at) = rest.find('%') {
        let (before, escape) = rest.split_at(at);
        clear.push_str(before);
        let known = escape.get(1..3).and_then(|code| {
            DECODED.iter().find(|(have, _)| have.eq_ignore_ascii_case(code)).map(|(_, character)| *character)
        });
        let length = if let Some(character) = known {
            clear.push(character);
            3
        } else {
            clear.push('%');
            1
        };
        rest = escape.get(length..).unwrap_or_default();
    }
    clear.push_str(rest);
    clear
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The events of one entry of a delivery: none for what is not known, several for merges and links.
fn read(entry: &Json, events: &mut Vec<Event>) -> Result<(), Fault> {
    if !entry.is_object() {
        return Err(Fault::malformed("an event is no object"));
    }
    // Some documents call it the one, deliveries the other (sheet: HubSpot section 8 [doc]).
    let kind = text_at(entry, "subscriptionType").or_else(|| text_at(entry, "eventType"));
    let kind = kind.ok_or_else(|| Fault::malformed("an event has no type"))?;
    let Some((word, verb)) = kind.split_once('.') else { return Ok(()) };
    let object = if word == "object" { by_type(entry, "objectTypeId") } else { by_word(word) };
    let happened = match verb {
        "creation" => Happened::Created,
        "deletion" | "privacyDeletion" => Happened::Deleted,
        "restore" => Happened::Restored,
        "propertyChange" => Happened::Changed,
        "merge" => return merged(entry, object, events),
        "associationChange" => return linked(entry, object, events),
        _ => return Ok(()),
    };
    let Some(object) = object else { return Ok(()) };
    let record = id(entry, "objectId")?;
    events.push(event(entry, object, record, happened)?);
    Ok(())
}

/// The records that were merged away. The primary one too, when the survivor got an id of its own.
fn merged(entry: &Json, object: Option<&'static str>, events: &mut Vec<Event>) -> Result<(), Fault> {
    let Some(object) = object else { return Ok(()) };
    let primary = id(entry, "primaryObjectId")?;
    let survivor = entry.get("newObjectId").and_then(id_text).unwrap_or_else(|| primary.clone());
    let others = entry.get("mergedObjectIds").and_then(Json::as_array);
    let others = others.ok_or_else(|| Fault::malformed("a merge names no merged records"))?;
    let mut away: Vec<String> = others.iter().filter_map(id_text).chain([primary]).collect();
    away.retain(|id| *id != survivor);
    for record in away {
        events.push(event(entry, object, record, Happened::MergedInto(survivor.as_str().into()))?);
    }
    Ok(())
}

/// Both ends of a link. Which objects they are of stands in the type's name: `CONTACT_TO_COMPANY`.
fn linked(entry: &Json, object: Option<&'static str>, events: &mut Vec<Event>) -> Result<(), Fault> {
    let name = text_or_empty(entry, "associationType").to_ascii_lowercase();
    let (from, to) = name.split_once("_to_").unwrap_or_default();
    let from = by_type(entry, "fromObjectTypeId").or_else(|| by_word(from)).or(object);
    let to = by_type(entry, "toObjectTypeId").or_else(|| by_word(to));
    for (object, end) in [(from, "fromObjectId"), (to, "toObjectId")] {
        if let Some(object) = object {
            events.push(event(entry, object, id(entry, end)?, Happened::Changed)?);
        }
    }
    Ok(())
}

/// The object of a singular, as the names of events write it.
fn by_word(word: &str) -> Option<&'static str> {
    let plural = match word {
        "company" => "companies".to_owned(),
        word => format!("{word}s"),
    };
    OBJECTS.iter().find(|object| object.is_crm() && object.name == plural).map(|object| object.name)
}

/// The object of a type id.
fn by_type(entry: &Json, name: &str) -> Option<&'static str> {
    let id = text_at(entry, name)?;
    OBJECTS.iter().find(|object| object.is_crm() && object.type_id == id).map(|object| object.name)
}

fn id(entry: &Json, name: &str) -> Result<String, Fault> {
    entry.get(name).and_then(id_text).ok_or_else(|| Fault::malformed(format!("an event has no `{name}`")))
}

fn event(entry: &Json, object: &'static str, record: String, what: Happened) -> Result<Event, Fault> {
    let at = entry.get("occurredAt").and_then(Json::as_i64).and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let at = at.ok_or_else(|| Fault::malformed("an event has no time"))?;
    let subscription = entry.get("subscriptionId").and_then(id_text).unwrap_or_default();
    let id = format!("{subscription}:{object}:{record}:{}:{}", at.as_millisecond(), mark(entry));
    Ok(Event { id, account: self::id(entry, "portalId")?, object: object.into(), record: record.into(), what, at })
}

/// What tells events of one subscription, record and time apart: the property and its value, the other end
/// of a link, what was merged.
fn mark(entry: &Json) -> String {
    let mut hash = Sha256::new();
    for name in ["propertyName", "propertyValue", "associationType", "fromObjectId", "toObjectId", "mergedObjectIds"] {
        let part = entry.get(name).map(Json::to_string).unwrap_or_default();
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.update([u8::from(flag_at(entry, "associationRemoved"))]);
    hex(&hash.finalize()).chars().take(16).collect()
}
