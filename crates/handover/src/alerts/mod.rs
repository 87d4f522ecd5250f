//! Alerts: what people are told when a pass fails or looks odd.
//!
//! Owns: what deserves an alert ([`conditions`]), what of it is told now ([`Standing`]), how it leaves ([`send`]).
//! Invariants:
//! - The same thing is told once, again after the silence has passed, and once more when it is over; all of that
//!   survives a restart.
//! - What could not be delivered is tried again at the next pass.
//! - Nothing here stops a pass, or holds it up for longer than [`send::TIMEOUT`].
//! - Names and numbers only: no value of a record, no token.

pub(crate) mod conditions;
pub(crate) mod send;

use std::collections::BTreeMap;
use std::time::Duration;

use handover_store::{Commit, Store};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::config;
use conditions::{Facts, Judged};

/// Something that deserves an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alert {
    /// What it is about: equal keys are the same thing.
    pub(crate) key: String,
    /// In a few words.
    pub(crate) title: String,
    /// In a sentence or two.
    pub(crate) text: String,
    /// Whether it is an event: told, and not awaited to be over.
    pub(crate) event: bool,
}

/// One message to people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Message {
    pub(crate) key: String,
    pub(crate) state: State,
    pub(crate) title: String,
    pub(crate) text: String,
}

/// What a message says of its alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// It is so since this pass.
    New,
    /// It is still so.
    Still,
    /// It is over.
    Resolved,
}

/// What was told, and what was not delivered. Kept in the state under [`NAME`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    told: BTreeMap<String, Told>,
    /// Times that a channel failed, over all passes.
    pub(crate) failures: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    title: String,
    text: String,
    /// When people were told last.
    at: Option<Timestamp>,
    /// Whether they believe that it is so.
    open: bool,
    event: bool,
}

/// Under which name the state keeps what was told.
const NAME: &str = "alerts";

impl Standing {
    /// What is to be told now.
    pub(crate) fn messages(&self, judged: &Judged, now: Timestamp, silence: SignedDuration) -> Vec<Message> {
        let mut messages = Vec::new();
        for alert in &judged.alerts {
            let told = self.told.get(&alert.key);
            let due = told.and_then(|told| told.at).is_none_or(|at| now.duration_since(at) >= silence);
            if due {
                let state = if told.is_some_and(|told| told.open) { State::Still } else { State::New };
                messages.push(Message::of(&alert.key, state, &alert.title, &alert.text));
            }
        }
        for (key, told) in self.told.iter().filter(|(key, _)| !judged.alerts.iter().any(|alert| alert.key == **key)) {
            if told.event && told.at.is_none() {
                messages.push(Message::of(key, State::New, &told.title, &told.text));
            } else if told.open && judged.knows(key) {
                messages.push(Message::of(key, State::Resolved, &told.title, "It is over."));
            }
        }
        messages
    }

    /// What stands once these messages were delivered, or were not.
    pub(crate) fn after(
        &mut self,
        judged: &Judged,
        messages: &[Message],
        delivered: bool,
        now: Timestamp,
        silence: SignedDuration,
    ) {
        for alert in &judged.alerts {
            let told = self.told.entry(alert.key.clone()).or_insert_with(|| Told {
                title: String::new(),
                text: String::new(),
                at: None,
                open: false,
                event: alert.event,
            });
            (told.title, told.text) = (alert.title.clone(), alert.text.clone());
        }
        for message in messages.iter().filter(|_| delivered) {
            if let Some(told) = self.told.get_mut(&message.key) {
                told.open = message.state != State::Resolved && !told.event;
                told.at = Some(if message.state == State::Resolved { told.at.unwrap_or(now) } else { now });
            }
        }
        // Known as long as it is not told again: what comes and goes does not tell each time.
        let is_there = |key: &String| judged.alerts.iter().any(|alert| alert.key == *key);
        self.told.retain(|key, told| {
            let fresh = told.at.is_some_and(|at| now.duration_since(at) < silence);
            told.open || fresh || is_there(key) || (told.event && told.at.is_none()) || !judged.knows(key)
        });
    }
}

impl Message {
    fn of(key: &str, state: State, title: &str, text: &str) -> Self {
        Self { key: key.to_owned(), state, title: title.to_owned(), text: text.to_owned() }
    }
}

/// What became of the alerts of a pass.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    sent: u64,
    silenced: u64,
    failed: u64,
    failures: u64,
    /// Why a channel failed, in words.
    pub(crate) why: Vec<String>,
}

impl Outcome {
    /// `{sent, silenced, failed, failures}`: messages that were delivered, alerts that were told already, channels that
    /// failed now, and over all passes.
    pub(crate) fn json(&self) -> Json {
        json!({"sent": self.sent, "silenced": self.silenced, "failed": self.failed, "failures": self.failures})
    }
}

/// Tells people what the end of a pass brought. Never fails: what went wrong stands in the outcome.
pub(crate) async fn tell(project: &str, alerts: &config::Alerts, store: &Store, facts: &Facts<'_>) -> Outcome {
    deliver(project, alerts, store, &conditions::judge(facts, alerts), facts.now).await
}

/// Tells people what was found outside the end of a pass; gives what went wrong, in words.
pub(crate) async fn tell_found(
    project: &str,
    alerts: &config::Alerts,
    store: &Store,
    found: &Judged,
    now: Timestamp,
) -> Vec<String> {
    deliver(project, alerts, store, found, now).await.why
}

/// How long the state may take: it may be what is wrong.
const STATE: Duration = Duration::from_secs(10);

async fn in_time<T>(asked: impl Future<Output = Result<T, handover_store::Error>>) -> Result<T, String> {
    match tokio::time::timeout(STATE, asked).await {
        Ok(told) => told.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {} s", STATE.as_secs())),
    }
}

async fn deliver(project: &str, alerts: &config::Alerts, store: &Store, judged: &Judged, now: Timestamp) -> Outcome {
    let mut outcome = Outcome::default();
    let mut standing: Standing = match in_time(store.kept(NAME)).await {
        Ok(text) => text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
        Err(why) => {
            outcome.why.push(format!("what was told before cannot be read: {why}"));
            Standing::default()
        }
    };
    let before = standing.clone();
    let messages = standing.messages(judged, now, alerts.silence);
    let open = messages.iter().filter(|message| message.state != State::Resolved).count();
    outcome.silenced = (judged.alerts.len().saturating_sub(open)) as u64;
    let mut delivered = true;
    if !messages.is_empty() {
        let why = send::all(project, alerts, &messages).await;
        let channels = usize::from(alerts.webhook.is_some()) + usize::from(alerts.email.is_some());
        // Told is what one channel told.
        delivered = why.len() < channels;
        outcome.failed = why.len() as u64;
        standing.failures += outcome.failed;
        outcome.sent = if delivered { messages.len() as u64 } else { 0 };
        outcome.why.extend(why);
    }
    standing.after(judged, &messages, delivered, now, alerts.silence);
    outcome.failures = standing.failures;
    if standing != before
        && let Ok(text) = serde_json::to_string(&standing)
    {
        let commit = Commit { at: now, kept: vec![(NAME.to_owned(), text)], ..Commit::default() };
        if let Err(error) = in_time(store.commit(commit)).await {
            outcome.why.push(format!("what was told cannot be kept, and will be told again: {error}"));
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::conditions::Judged;
    use super::{Alert, Standing, State};

    fn alert(key: &str) -> Alert {
        Alert { key: key.to_owned(), title: key.to_owned(), text: String::new(), event: key.starts_with("event") }
    }

    /// What holds, whether a channel works, and what is told.
    type Row<'r> = (&'r [&'r str], bool, &'r [(&'r str, State)]);

    /// Passes, a minute each: what holds in them and whether a channel works, and what is told.
    #[test]
    fn told_once_again_after_the_silence_and_when_it_is_over() {
        let silence = SignedDuration::from_mins(5);
        let rows: [Row<'_>; 19] = [
            (&[], true, &[]),
            (&["a"], true, &[("a", State::New)]),
            (&["a"], true, &[]),
            (&["a", "b"], true, &[("b", State::New)]),
            (&["b"], true, &[("a", State::Resolved)]),
            (&["a", "b"], true, &[]),
            (&["a", "b"], true, &[("a", State::New)]),
            (&["a", "b"], true, &[]),
            (&["a", "b"], true, &[("b", State::Still)]),
            (&[], false, &[("a", State::Resolved), ("b", State::Resolved)]),
            (&[], true, &[("a", State::Resolved), ("b", State::Resolved)]),
            (&[], true, &[]),
            (&["c"], false, &[("c", State::New)]),
            (&["c"], true, &[("c", State::New)]),
            (&["event 1"], true, &[("event 1", State::New), ("c", State::Resolved)]),
            (&[], true, &[]),
            (&["event 2"], false, &[("event 2", State::New)]),
            (&[], true, &[("event 2", State::New)]),
            (&[], true, &[]),
        ];
        let mut standing = Standing::default();
        for (minute, (present, works, expected)) in rows.into_iter().enumerate() {
            let now = Timestamp::from_second(1_800_000_000 + 60 * minute as i64).unwrap();
            let judged = Judged { alerts: present.iter().map(|key| alert(key)).collect(), ..Judged::default() };
            // Each pass is a process of its own.
            standing = serde_json::from_str(&serde_json::to_string(&standing).unwrap()).unwrap();
            let messages = standing.messages(&judged, now, silence);
            let told: Vec<(&str, State)> = messages.iter().map(|one| (one.key.as_str(), one.state)).collect();
            assert_eq!(told, expected, "minute {minute}");
            standing.after(&judged, &messages, works, now, silence);
        }
        let late = Timestamp::from_second(1_900_000_000).unwrap();
        standing.after(&Judged::default(), &[], true, late, silence);
        assert_eq!(standing, Standing::default(), "nothing is kept for ever");
    }
}
