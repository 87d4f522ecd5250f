//! Subscribing to webhooks, and reading what they bring.

use handover_connect::{Connector as _, Delivery, Event, Fault, FaultKind, Subscription};
use handover_model::FieldName;
use handover_sandbox::faults::{DisturbAction, Disturbance, Which as Place};
use secrecy::SecretString;
use serde_json::json;

use crate::conformance::Verdict;
use crate::conformance::stage::{Stage, hear, refused};
use crate::conformance::subject::{MARK, Object, Scene, Subject};

const URL: &str = "https://hooks.example/hooks/old";
/// Holds what may stand in no fault and in no line of the log.
const SECRET: &str = "hooks:Zq7 & s3cret";

async fn ours(stage: &Stage) -> Result<Vec<Subscription>, Fault> {
    let all = stage.driver.subscribed().await.inspect_err(hear)?;
    assert!(all.iter().all(|one| !format!("{one:?}").contains(MARK)), "a list shows the secret");
    Ok(all.into_iter().filter(|one| one.is_for(URL)).collect())
}

/// Somebody changes the first record; gives what is delivered.
fn change(stage: &Stage, object: &Object, subject: &dyn Subject, text: &str) -> Vec<handover_sandbox::Event> {
    let which = Place::Id(subject.id(object.name, 1).as_str().to_owned());
    let action = DisturbAction::Change { field: object.text.to_owned(), value: json!(format!("{MARK} {text}")) };
    let disturbance = Disturbance { object: object.journal.to_owned(), which, action };
    let now = handover_connect::Clock::now(stage.clock.as_ref());
    stage.sandbox.lock().unwrap().disturb(&disturbance, now)
}

fn read(stage: &Stage, event: &handover_sandbox::Event, secret: &str) -> Result<Vec<Event>, Fault> {
    let body = event.body.as_str().map_or_else(|| event.body.to_string(), str::to_owned);
    let at = handover_connect::Clock::now(stage.clock.as_ref());
    let (address, headers, body) = (event.url.as_str(), event.headers.as_slice(), body.as_bytes());
    stage.dialect.events(&Delivery { method: "POST", address, headers, body, secret, at }).inspect_err(hear)
}

pub(crate) async fn changes_are_told_where_they_are_subscribed_to(
    subject: &'static dyn Subject,
    object: &'static Object,
) -> Verdict {
    let stage = Stage::of(subject, Scene::of(object, 3));
    stage.schema(object).await;
    let sent = stage.sent();
    if let Err(fault) = ours(&stage).await {
        assert_eq!((fault.kind, stage.sent()), (FaultKind::Unsupported, sent), "{fault}");
        return Verdict::Refused(refused(&stage, stage.driver.unsubscribe("1")).await);
    }
    let words = stage.dialect.subscriptions(&object.name.into(), &[FieldName::from(object.text)]);
    if words.is_empty() {
        return Verdict::Ran("nothing is told".to_owned());
    }
    let secret = SecretString::from(SECRET);
    assert_eq!(ours(&stage).await.unwrap(), []);
    stage.driver.subscribe(&words, URL, &secret).await.inspect_err(hear).unwrap();
    let told = ours(&stage).await.unwrap();
    assert!(words.iter().all(|word| told.iter().any(|one| one.is_on && one.words.contains(word))), "{told:?}");
    let elsewhere = "https://elsewhere.example/hooks/old";
    stage.driver.subscribe(&words, elsewhere, &secret).await.inspect_err(hear).unwrap();
    assert_eq!(ours(&stage).await.unwrap(), told);
    let delivered = if object.disturbed { change(&stage, object, subject, "told") } else { Vec::new() };
    let delivered: Vec<_> = delivered.into_iter().filter(|event| event.url.starts_with(URL)).collect();
    for event in &delivered {
        let read_as = |secret| read(&stage, event, secret);
        let record = subject.id(object.name, 1);
        let events = read_as(SECRET).unwrap();
        assert!(events.iter().any(|event| event.object == *object.name && event.record == record), "{events:?}");
        // Whether by headers, body or address: whoever does not know the secret is not believed.
        assert_eq!(read_as("hooks:another").unwrap_err().kind, FaultKind::Auth);
        assert_eq!(read_as("").unwrap_err().kind, FaultKind::Auth);
    }
    for one in &told {
        stage.driver.unsubscribe(&one.id).await.inspect_err(hear).unwrap();
        stage.driver.unsubscribe(&one.id).await.inspect_err(hear).unwrap();
    }
    assert_eq!(ours(&stage).await.unwrap(), []);
    let rest = if object.disturbed { change(&stage, object, subject, "untold") } else { Vec::new() };
    assert!(rest.iter().all(|event| !event.url.starts_with(URL)));
    assert_eq!(rest.is_empty(), delivered.is_empty(), "those of others stay");
    let until = told.iter().find_map(|one| one.until).map_or("", |_| ", for a time");
    Verdict::Ran(format!("{}{until}", if delivered.is_empty() { "no change is told" } else { "a change is told" }))
}
