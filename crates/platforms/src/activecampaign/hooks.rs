//! Webhooks as ActiveCampaign has them: one for any number of events (sheet: ActiveCampaign section 8).

use std::collections::BTreeSet;

use handover_connect::{Fault, Method, Refusal, Reply, Request, Step, Subscribe, Subscription, Wanted, without_query};
use secrecy::ExposeSecret as _;
use serde_json::{Value as Json, json};
use url::form_urlencoded;

use super::encode::{get, paged};
use super::events::{SOURCES, subscriptions};
use super::faults;
use super::form::id_text;
use super::mark::ListMark;
use super::object::{CALL, Object, PAGE};
use super::reader::rows;
use crate::deliveries;
use crate::marks::Mark as _;

const PATH: &str = "/api/3/webhooks";

/// The request.
pub(super) fn request(what: &Subscribe, start: u64) -> Result<Request, Refusal> {
    match what {
        Subscribe::List => Ok(paged(get(PATH), start)),
        Subscribe::Add(wanted) => Ok(Request::new(Method::Post, PATH, &CALL).with_json(hook(wanted)?)),
        Subscribe::Remove { id } => {
            Ok(Request::new(Method::Delete, deliveries::path_of(PATH, id)?, &CALL).idempotent())
        }
    }
}

/// One webhook for all words. Nothing but its address can tell that a delivery is ActiveCampaign's.
fn hook(wanted: &Wanted) -> Result<Vec<u8>, Refusal> {
    let secret = wanted.secret.expose_secret();
    if secret.is_empty() {
        return Err(Refusal::secret("the secret of ActiveCampaign's webhooks is empty"));
    }
    let sign = if wanted.url.contains('?') { '&' } else { '?' };
    let key: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let url = format!("{}{sign}key={key}", wanted.url);
    let events: BTreeSet<&str> = wanted.words.iter().flat_map(|word| events(word)).collect();
    let hook = json!({"name": "Handover", "url": url, "events": events, "sources": SOURCES, "listid": 0});
    Ok(json!({ "webhook": hook }).to_string().into_bytes())
}

/// The events of a word: `events=deal_add,deal_update sources=...`.
fn events(word: &str) -> impl Iterator<Item = &str> {
    word.split(' ').filter_map(|part| part.strip_prefix("events=")).flat_map(|list| list.split(','))
}

/// What the answer means.
pub(super) fn answered(what: &Subscribe, start: u64, reply: &Reply) -> Result<Step, Fault> {
    let body = faults::check(reply)?;
    let Subscribe::List = what else { return Ok(Step::Subscriptions { subscriptions: Vec::new(), next: None }) };
    let here = rows(&body, "webhooks");
    let subscriptions = here.iter().filter_map(subscription).collect();
    let page = u64::from(PAGE);
    let mark = ListMark { start: start + page, ..ListMark::default() };
    let next = (here.len() as u64 == page).then(|| mark.cursor());
    Ok(Step::Subscriptions { subscriptions, next })
}

/// Without the key in its address.
fn subscription(raw: &Json) -> Option<Subscription> {
    let list = |name: &str| -> BTreeSet<&str> {
        raw.get(name).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect()
    };
    let (told, sources) = (list("events"), list("sources"));
    let is_all = SOURCES.iter().all(|source| sources.contains(source));
    let words = Object::ALL.iter().flat_map(|object| subscriptions(object.name()));
    Some(Subscription {
        id: raw.get("id").and_then(id_text)?,
        url: without_query(raw.get("url").and_then(Json::as_str)?).to_owned(),
        words: words.filter(|word| is_all && events(word).all(|event| told.contains(event))).collect(),
        until: None,
        is_on: true,
    })
}
