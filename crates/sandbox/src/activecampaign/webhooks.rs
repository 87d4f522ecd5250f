//! Webhooks: form-encoded hints without a signature, never sent again (sheet: ActiveCampaign section 8).

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::call::Call;
use super::kind::Kind;
use super::refusal::Refusal;
use super::time;
use super::world::{Row, World};
use crate::journal::Action;
use crate::{Event, Retry};

/// What can be subscribed to.
pub(super) const EVENTS: [&str; 28] = [
    "subscribe",
    "unsubscribe",
    "update",
    "contact_tag_added",
    "contact_tag_removed",
    "subscriber_note",
    "sent",
    "open",
    "click",
    "bounce",
    "forward",
    "share",
    "reply",
    "list_add",
    "deal_add",
    "deal_update",
    "deal_note_add",
    "deal_pipeline_add",
    "deal_stage_add",
    "deal_task_add",
    "deal_task_complete",
    "deal_tasktype_add",
    "contact_task_add",
    "account_add",
    "account_update",
    "account_contact_add",
    "account_contact_update",
    "sms_sent",
];
const SOURCES: [&str; 4] = ["public", "admin", "api", "system"];

/// Checks a subscription: https on port 443, known events and sources.
pub(super) fn check(world: &World, row: &Row) -> Result<(), Refusal> {
    let url = row.text("url");
    let local = world.settings.loopback_webhooks && url.starts_with("http://127.0.0.1");
    if !url.starts_with("https://") && !local {
        return Err(Refusal::wrong("url", "https is expected"));
    }
    for (key, known) in [("events", &EVENTS[..]), ("sources", &SOURCES[..])] {
        let list = row.get(key).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        if list.is_empty() || !list.iter().all(|one| one.as_str().is_some_and(|one| known.contains(&one))) {
            return Err(Refusal::wrong(key, "a list of known words is expected"));
        }
    }
    Ok(())
}

/// The events of a change. Nothing tells of deletions.
fn kinds_of(kind: Kind, row: &Row, before: Option<&Row>, action: Action) -> Option<&'static str> {
    Some(match (kind, action) {
        (Kind::Contact, Action::Updated) => "update",
        (Kind::Contact, Action::Created) => "subscribe",
        (Kind::ContactTag, Action::Created) => "contact_tag_added",
        (Kind::ContactTag, Action::Deleted) => "contact_tag_removed",
        (Kind::ContactList, Action::Created | Action::Updated) => {
            if row.number("status") == Some(2) {
                "unsubscribe"
            } else {
                "subscribe"
            }
        }
        (Kind::Deal, Action::Created) => "deal_add",
        (Kind::Deal, Action::Updated) => "deal_update",
        (Kind::Account, Action::Created) => "account_add",
        (Kind::Account, Action::Updated) => "account_update",
        (Kind::AccountContact, Action::Created) => "account_contact_add",
        (Kind::AccountContact, Action::Updated) => "account_contact_update",
        (Kind::Note, Action::Created) if row.text("reltype") == "Deal" => "deal_note_add",
        (Kind::Note, Action::Created) if row.text("reltype") == "Subscriber" => "subscriber_note",
        (Kind::Task, Action::Created) if row.text("reltype") == "Deal" => "deal_task_add",
        (Kind::Task, Action::Created) => "contact_task_add",
        (Kind::Task, Action::Updated) if row.text("reltype") == "Deal" => {
            let was = before.and_then(|before| before.number("status"));
            if row.number("status") == Some(1) && was != Some(1) { "deal_task_complete" } else { return None }
        }
        (Kind::Pipeline, Action::Created) => "deal_pipeline_add",
        (Kind::Stage, Action::Created) => "deal_stage_add",
        _ => return None,
    })
}

/// Makes the deliveries of a change.
pub(super) fn announce(
    world: &World,
    call: &mut Call<'_>,
    kind: Kind,
    before: Option<&Row>,
    row: &Row,
    action: Action,
) {
    let Some(event) = kinds_of(kind, row, before, action).filter(|_| !call.is_silent) else { return };
    let says = |hook: &Row, key: &str, word: &str| {
        hook.get(key).and_then(Json::as_array).is_some_and(|list| list.iter().any(|one| one.as_str() == Some(word)))
    };
    let source = call.source();
    let fits = |hook: &&Row| says(hook, "events", event) && says(hook, "sources", source);
    let hooks: Vec<String> = world.live(Kind::Webhook).filter(fits).map(|hook| hook.text("url").to_owned()).collect();
    if hooks.is_empty() {
        return;
    }
    let mut pairs = vec![
        ("type".to_owned(), event.to_owned()),
        ("date_time".to_owned(), time::told(call.at, &call.zone)),
        ("initiated_from".to_owned(), source.to_owned()),
        ("initiated_by".to_owned(), source.to_owned()),
        ("list".to_owned(), "0".to_owned()),
    ];
    body(world, kind, row, &mut pairs);
    let text = encoded(&pairs);
    for url in hooks {
        let headers = vec![
            ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
            ("user-agent".to_owned(), "ActiveCampaign Webhooks".to_owned()),
        ];
        call.events.push(Event { url, headers, body: json!(text) });
    }
}

/// The blocks that a record is told in.
fn body(world: &World, kind: Kind, row: &Row, pairs: &mut Vec<(String, String)>) {
    match kind {
        Kind::Contact => contact(world, row, pairs),
        Kind::Deal => deal(world, row, pairs),
        Kind::Account => {
            pairs.push(("account[id]".to_owned(), row.id.to_string()));
            pairs.push(("account[name]".to_owned(), row.text("name").to_owned()));
        }
        Kind::AccountContact | Kind::ContactTag | Kind::ContactList => {
            if let Some(row) = row.number("contact").and_then(|id| world.get(Kind::Contact, id)) {
                contact(world, row, pairs);
            }
            if let Some(id) = row.number("account") {
                pairs.push(("account[id]".to_owned(), id.to_string()));
            }
        }
        Kind::Note | Kind::Task => {
            let block = if kind == Kind::Note { "note" } else { "task" };
            pairs.push((format!("{block}[id]"), row.id.to_string()));
            let parent = row.number("relid");
            match row.text("reltype") {
                "Deal" => {
                    if let Some(row) = parent.and_then(|id| world.get(Kind::Deal, id)) {
                        deal(world, row, pairs);
                    }
                }
                "Subscriber" => {
                    if let Some(row) = parent.and_then(|id| world.get(Kind::Contact, id)) {
                        contact(world, row, pairs);
                    }
                }
                _ => {}
            }
        }
        _ => {}
    }
}

fn contact(world: &World, row: &Row, pairs: &mut Vec<(String, String)>) {
    let tags: Vec<&str> = world
        .pointing(Kind::ContactTag, "contact", row.id)
        .filter_map(|join| world.get(Kind::Tag, join.number("tag")?))
        .map(|tag| tag.text("tag"))
        .collect();
    let texts = [("email", "email"), ("first_name", "firstName"), ("last_name", "lastName"), ("phone", "phone")];
    pairs.push(("contact[id]".to_owned(), row.id.to_string()));
    pairs.extend(texts.map(|(name, key)| (format!("contact[{name}]"), row.text(key).to_owned())));
    pairs.push(("contact[tags]".to_owned(), tags.join(", ")));
    for (field, cell) in &row.cells {
        let tag = world.get(Kind::Field, *field).map(|field| field.text("perstag").to_lowercase());
        let value = cell.value.as_str().unwrap_or_default().to_owned();
        pairs.push((format!("contact[fields][{}]", tag.unwrap_or_default()), value));
    }
}

fn deal(world: &World, row: &Row, pairs: &mut Vec<(String, String)>) {
    let number = |key: &str| row.number(key).map(|number| number.to_string()).unwrap_or_default();
    let title = |kind, key: &str| {
        let other = row.number(key).and_then(|id| world.get(kind, id));
        other.map(|other| other.text("title").to_owned()).unwrap_or_default()
    };
    let cents = row.number("value").unwrap_or_default();
    let told = [
        ("id", row.id.to_string()),
        ("title", row.text("title").to_owned()),
        // In units and not in cents [unsure].
        ("value", format!("{}.{:02}", cents / 100, cents % 100)),
        ("currency", row.text("currency").to_owned()),
        ("stageid", number("stage")),
        ("stage_title", title(Kind::Stage, "stage")),
        ("pipelineid", number("group")),
        ("pipeline_title", title(Kind::Pipeline, "group")),
        ("owner", number("owner")),
        ("contactid", number("contact")),
        ("status", row.number("status").unwrap_or(0).to_string()),
    ];
    pairs.extend(told.map(|(name, value)| (format!("deal[{name}]"), value)));
}

/// A form, with brackets left as PHP reads them.
fn encoded(pairs: &[(String, String)]) -> String {
    let plain = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string().replace("%20", "+")
    };
    let bare = |key: &str| plain(key).replace("%5B", "[").replace("%5D", "]").replace("%5F", "_");
    pairs.iter().map(|(key, value)| format!("{}={}", bare(key), plain(value))).collect::<Vec<_>>().join("&")
}

/// A delivery is not sent again; 410 switches the webhook off for good.
pub(super) fn delivered(world: &mut World, event: &Event, status: Option<u16>, now: Timestamp) -> Option<Retry> {
    if status == Some(410) {
        let off: Vec<Row> = world.live(Kind::Webhook).filter(|hook| hook.text("url") == event.url).cloned().collect();
        for mut hook in off {
            hook.deleted = Some(now.as_second());
            world.put(Kind::Webhook, hook);
        }
    }
    None
}
