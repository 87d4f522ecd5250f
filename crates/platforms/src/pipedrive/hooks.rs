//! Webhooks as Pipedrive has them: one for each kind of record (sheet: Pipedrive section 8).

use handover_connect::{Fault, Method, Refusal, Reply, Request, Step, Subscribe, Subscription, Wanted, without_query};
use secrecy::ExposeSecret as _;
use serde_json::{Value as Json, json};

use super::decode::rows;
use super::faults;
use super::form::id_text;
use super::object::cost;
use crate::deliveries;
use crate::marks::Mark as _;

const PATH: &str = "/v1/webhooks";

/// The request, the `nth` of those that add some.
pub(super) fn request(what: &Subscribe, nth: usize) -> Result<Request, Refusal> {
    match what {
        Subscribe::List => Ok(Request::new(Method::Get, PATH, &cost(10))),
        Subscribe::Add(wanted) => {
            let word = wanted.words.get(nth).map(String::as_str).unwrap_or_default();
            Ok(Request::new(Method::Post, PATH, &cost(10)).with_json(hook(wanted, word)?))
        }
        Subscribe::Remove { id } => {
            Ok(Request::new(Method::Delete, deliveries::path_of(PATH, id)?, &cost(6)).idempotent())
        }
    }
}

/// A webhook for what a word says: `event_object=deal event_action=*`.
fn hook(wanted: &Wanted, word: &str) -> Result<Vec<u8>, Refusal> {
    let part = |name: &str| word.split(' ').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    let (Some(object), Some(action)) = (part("event_object"), part("event_action")) else {
        return Err(Refusal::unsupported("this is nothing that Pipedrive tells"));
    };
    let secret = wanted.secret.expose_secret();
    let (user, password) = secret
        .split_once(':')
        .filter(|(user, password)| !user.is_empty() && !password.is_empty())
        .ok_or_else(|| Refusal::secret("the secret of Pipedrive's webhooks is `user:password`"))?;
    let hook = json!({
        "subscription_url": wanted.url, "event_object": object, "event_action": action,
        "name": format!("Handover: {object}"), "http_auth_user": user, "http_auth_password": password, "version": "2.0",
    });
    Ok(hook.to_string().into_bytes())
}

/// What the answer means.
pub(super) fn answered(what: &Subscribe, nth: usize, reply: &Reply) -> Result<Step, Fault> {
    let body = faults::check(reply)?;
    let subscriptions = match what {
        Subscribe::List => rows(&body).iter().filter_map(subscription).collect(),
        Subscribe::Add(wanted) if nth + 1 < wanted.words.len() => return Ok((nth + 1).then()),
        Subscribe::Add(_) | Subscribe::Remove { .. } => Vec::new(),
    };
    Ok(Step::Subscriptions { subscriptions, next: None })
}

/// Without the password, which lists may show.
fn subscription(raw: &Json) -> Option<Subscription> {
    let text = |name: &str| raw.get(name).and_then(Json::as_str);
    let word = format!("event_object={} event_action={}", text("event_object")?, text("event_action")?);
    // Banned for half an hour, or switched off (section 8 [doc]).
    let is_on = match raw.get("is_active") {
        Some(Json::Bool(is_on)) => *is_on,
        Some(Json::Number(number)) => number.as_i64() != Some(0),
        _ => true,
    };
    Some(Subscription {
        id: raw.get("id").and_then(id_text)?,
        url: without_query(text("subscription_url")?).to_owned(),
        words: vec![word],
        until: None,
        is_on,
    })
}
