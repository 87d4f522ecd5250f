//! Links between records.

use std::sync::Arc;

use handover_connect::{Connector as _, FaultKind, Link, LinkBatch, Links, WriteMode, WriteOutcome};
use handover_model::{Field, FieldName, Fields, Kind, ReadCost, RecordId, Schema, Value, Writable};

use crate::conformance::Verdict;
use crate::conformance::stage::{Stage, hear, outcome, refused};
use crate::conformance::subject::{Object, Scene, Subject};

pub(super) fn links(object: &Object, field: &Field, pairs: &[(&RecordId, &RecordId)]) -> LinkBatch {
    let links = pairs.iter().map(|(from, to)| Link { from: (*from).clone(), to: (*to).clone() }).collect();
    let to_object = field.kind.referenced().unwrap().clone();
    LinkBatch { object: object.name.into(), field: field.name.clone(), to_object, links }
}

/// Links through a field that is none, and through one that is not there.
pub(super) fn no_links(subject: &dyn Subject, object: &Object, schema: &Schema) -> [LinkBatch; 2] {
    let other = schema.fields.iter().find(|field| !matches!(field.kind, Kind::Reference { .. })).unwrap();
    let from = subject.id(object.name, 1);
    [other.name.clone(), "no_such_field".into()].map(|field| LinkBatch {
        object: object.name.into(),
        field,
        to_object: object.name.into(),
        links: [Link { from: from.clone(), to: from.clone() }].into(),
    })
}

/// What a record points to through a field, however it is read.
pub(super) async fn pointed_to(stage: &Stage, object: &Object, field: &Field, from: &RecordId) -> Vec<String> {
    let ids = std::slice::from_ref(from);
    let records = match field.read {
        ReadCost::Listed => stage.fetch(object, &Arc::from([field.name.clone()]), ids).await.unwrap(),
        ReadCost::Extra { .. } => stage.driver.enrich(&object.name.into(), &field.name, ids).await.unwrap(),
    };
    let value = records.first().and_then(|record| record.fields.get(field.name.as_str()));
    value.map(|value| value.ids().into_iter().map(str::to_owned).collect()).unwrap_or_default()
}

fn mentions(json: &serde_json::Value, id: &str) -> bool {
    match json {
        serde_json::Value::String(text) => text == id,
        serde_json::Value::Number(number) => number.to_string() == id,
        serde_json::Value::Array(items) => items.iter().any(|item| mentions(item, id)),
        serde_json::Value::Object(map) => map.values().any(|item| mentions(item, id)),
        serde_json::Value::Null | serde_json::Value::Bool(_) => false,
    }
}

/// The link fields that can be written.
pub(super) fn linkable<'s>(object: &'s Object, schema: &'s Schema) -> impl Iterator<Item = &'s Field> {
    schema
        .fields
        .iter()
        .filter(|field| matches!(field.kind, Kind::Reference { .. }) && field.writable != Writable::Never)
        .filter(|field| object.apart.iter().all(|(apart, _)| field.name != *apart))
}

/// Whether links of existing records have calls of their own, and only those.
fn is_separate(stage: &Stage, object: &Object, field: &Field) -> bool {
    match stage.can(object).links {
        Links::Inline => !matches!(field.read, ReadCost::Listed),
        Links::InlineOnCreate { .. } | Links::Separate { .. } => field.name.as_str().starts_with("associations."),
    }
}

/// Whether links of existing records have calls of their own, if need be beside others.
pub(super) fn has_own_call(stage: &Stage, object: &Object, field: &Field) -> bool {
    is_separate(stage, object, field) || matches!(stage.can(object).links, Links::InlineOnCreate { .. })
}

pub(crate) async fn links_are_added_once(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = Stage::of(subject, Scene::of(object, 40));
    let schema = stage.schema(object).await;
    let mut note = Vec::new();
    for field in linkable(object, &schema) {
        if is_separate(&stage, object, field) {
            note.push(added(&stage, object, field).await);
            not_with_the_record(&stage, object, field).await;
        } else if field.writable == Writable::Always {
            note.push(written(&stage, object, field).await);
        }
    }
    // A field that is no such link is refused.
    let [other, nowhere] = no_links(subject, object, &schema);
    let why = refused(&stage, stage.driver.link(&other)).await;
    refused(&stage, stage.driver.link(&nowhere)).await;
    if note.is_empty() { Verdict::Refused(why) } else { Verdict::Ran(note.join(", ")) }
}

/// A link that is made in a call of its own.
async fn added(stage: &Stage, object: &Object, field: &Field) -> String {
    let subject = stage.subject;
    let to_object = field.kind.referenced().unwrap().as_str();
    let is_own = to_object == object.name;
    let (from, to) = (subject.id(object.name, 31), subject.id(to_object, if is_own { 32 } else { 2 }));
    let link = links(object, field, &[(&from, &to)]);
    for _ in 0..2 {
        let outcomes = stage.driver.link(&link).await.inspect_err(hear).unwrap();
        assert!(outcomes.len() == 1 && outcomes[0].result.is_ok(), "`{}`: {outcomes:?}", field.name);
        assert_eq!(pointed_to(stage, object, field, &from).await, [to.to_string()], "`{}`", field.name);
    }
    // The answer to a link is lost: adding it again is harmless.
    stage.plan(serde_json::json!([{"when": {"method": "POST", "nth": 1}, "fault": {"kind": "lost_after"}}]));
    let other = subject.id(object.name, 33);
    let lost = links(object, field, &[(&other, &to)]);
    if let Err(fault) = stage.driver.link(&lost).await {
        hear(&fault);
        assert_eq!(fault.kind, FaultKind::Unavailable, "{fault}");
    }
    stage.plan(serde_json::json!([]));
    assert!(stage.driver.link(&lost).await.unwrap()[0].result.is_ok());
    assert_eq!(pointed_to(stage, object, field, &other).await, [to.to_string()], "`{}`", field.name);
    // One that cannot be made is refused for itself.
    let nobody = subject.id(to_object, 987_654);
    let outcomes = stage.driver.link(&links(object, field, &[(&from, &nobody)])).await.unwrap();
    let fault = outcomes[0].result.as_ref().unwrap_err();
    hear(fault);
    assert!(matches!(fault.kind, FaultKind::NotFound | FaultKind::Invalid), "{fault:?}");
    let reverse = match subject.reverse(object, field.name.as_str(), from.as_str(), to.as_str()) {
        Some(request) => {
            let reply = stage.raw(request).await;
            let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
            let seen = if field.name == *"participants" { to.as_str() } else { from.as_str() };
            assert!(reply.status == 200 && mentions(&body, seen), "`{}` is seen from its other end", field.name);
            ", both ends"
        }
        None => "",
    };
    per_call(stage, object, field, &to).await;
    format!("{} (own call{reverse})", field.name)
}

/// Neither set nor cleared by an update of the record: refused, and nothing sent.
async fn not_with_the_record(stage: &Stage, object: &Object, field: &Field) {
    let to = Value::from(stage.subject.id(field.kind.referenced().unwrap().as_str(), 2).as_str());
    for value in [Value::Null, to] {
        let fields: Fields = [(field.name.clone(), value)].into_iter().collect();
        let id = stage.subject.id(object.name, 31);
        refused(stage, stage.driver.write(&stage.batch(object, WriteMode::Update, vec![(Some(id), fields)]))).await;
    }
}

/// As many links as one call covers.
async fn per_call(stage: &Stage, object: &Object, field: &Field, to: &RecordId) {
    let most = match stage.can(object).links {
        Links::Inline => 1,
        Links::InlineOnCreate { per_call } | Links::Separate { per_call } => per_call,
    };
    let from: Vec<RecordId> = (1..=30).map(|n| stage.subject.id(object.name, n)).collect();
    let pairs: Vec<_> = from.iter().take(most.min(20) as usize).map(|from| (from, to)).collect();
    let outcomes = stage.driver.link(&links(object, field, &pairs)).await.unwrap();
    assert!(outcomes.iter().all(|outcome| outcome.result.is_ok()));
    assert_eq!(outcomes.len(), pairs.len());
}

/// A link that is written with the record.
async fn written(stage: &Stage, object: &Object, field: &Field) -> String {
    let subject = stage.subject;
    let to_object = field.kind.referenced().unwrap().as_str();
    let (from, to) = (subject.id(object.name, 31), subject.id(to_object, 2));
    let value = Value::from(to.as_str());
    let is_many = matches!(field.kind, Kind::Reference { many: true, .. });
    let value = if is_many { Value::List(vec![value]) } else { value };
    for _ in 0..2 {
        let fields: Fields = [(FieldName::clone(&field.name), value.clone())].into_iter().collect();
        let batch = stage.batch(object, WriteMode::Update, vec![(Some(from.clone()), fields)]);
        let written = stage.write(&batch).await.unwrap();
        assert!(matches!(outcome(&written, 0), WriteOutcome::Applied { .. }), "{written:?}");
        assert_eq!(pointed_to(stage, object, field, &from).await, [to.to_string()], "`{}`", field.name);
    }
    let link = links(object, field, &[(&from, &to)]);
    if !matches!(stage.can(object).links, Links::InlineOnCreate { .. }) {
        // And not in a call of its own.
        refused(stage, stage.driver.link(&link)).await;
        return field.name.to_string();
    }
    // Records that exist get it in a call of its own too, beside what is there.
    let more = subject.id(to_object, 1);
    for link in [&link, &links(object, field, &[(&from, &more)]), &link] {
        assert!(stage.driver.link(link).await.unwrap().iter().all(|outcome| outcome.result.is_ok()));
    }
    assert_eq!(pointed_to(stage, object, field, &from).await, [to.to_string(), more.to_string()], "`{}`", field.name);
    // One that cannot be made is refused for itself.
    let nothing = subject.id(to_object, 987_654);
    let other = subject.id(object.name, 30);
    let outcomes = stage.driver.link(&links(object, field, &[(&other, &to), (&from, &nothing)])).await.unwrap();
    assert!(outcomes[0].result.is_ok() && outcomes[1].result.is_err(), "{outcomes:?}");
    format!("{} (own call too)", field.name)
}
