//! Links that are taken away.

use handover_connect::{Connector as _, FaultKind, LinkBatch, LinkOutcome};
use handover_model::{Field, Kind, RecordId, Schema};
use handover_sandbox::faults::DisturbAction;

use crate::conformance::Verdict;
use crate::conformance::cases::linking::{has_own_call, linkable, links, no_links, pointed_to};
use crate::conformance::stage::{Stage, hear, refused};
use crate::conformance::subject::{Object, Scene, Subject};

async fn unlink(stage: &Stage, batch: &LinkBatch) -> Vec<LinkOutcome> {
    let outcomes = stage.driver.unlink(batch).await.inspect_err(hear).unwrap();
    assert_eq!(
        outcomes.iter().map(|outcome| &outcome.link).collect::<Vec<_>>(),
        batch.links.iter().collect::<Vec<_>>()
    );
    outcomes
}

async fn away(stage: &Stage, batch: &LinkBatch) {
    let outcomes = unlink(stage, batch).await;
    assert!(outcomes.iter().all(|outcome| outcome.result.is_ok()), "`{}`: {outcomes:?}", batch.field);
}

async fn link(stage: &Stage, batch: &LinkBatch) {
    let outcomes = stage.driver.link(batch).await.inspect_err(hear).unwrap();
    assert!(outcomes.iter().all(|outcome| outcome.result.is_ok()), "`{}`: {outcomes:?}", batch.field);
}

pub(crate) async fn links_are_taken_away_and_others_stay(
    subject: &'static dyn Subject,
    object: &'static Object,
) -> Verdict {
    let mut note = Vec::new();
    let stage = Stage::of(subject, Scene::of(object, 40));
    let schema = stage.schema(object).await;
    for field in linkable(object, &schema) {
        if has_own_call(&stage, object, field) {
            // Each on records without any links.
            let stage = Stage::of(subject, Scene::of(object, 40));
            stage.schema(object).await;
            note.push(taken_away(&stage, object, &schema, field).await);
        } else {
            // What is written with the record is cleared by a write.
            let (from, to) = (subject.id(object.name, 31), subject.id(field.kind.referenced().unwrap().as_str(), 2));
            refused(&stage, stage.driver.unlink(&links(object, field, &[(&from, &to)]))).await;
        }
    }
    // A field that is no such link is refused.
    let [other, nowhere] = no_links(subject, object, &schema);
    let why = refused(&stage, stage.driver.unlink(&other)).await;
    refused(&stage, stage.driver.unlink(&nowhere)).await;
    if note.is_empty() { Verdict::Refused(why) } else { Verdict::Ran(note.join(", ")) }
}

/// What the record points to through its other link fields; what leads to `except` is left out of those that
/// show every link, whatever its kind.
async fn others(
    stage: &Stage,
    object: &Object,
    schema: &Schema,
    field: &Field,
    from: &RecordId,
    except: &RecordId,
) -> Vec<(String, Vec<String>)> {
    let mut all = Vec::new();
    for other in linkable(object, schema).filter(|other| other.name != field.name && has_own_call(stage, object, other))
    {
        let mut ids = pointed_to(stage, object, other, from).await;
        if is_many(field) {
            ids.retain(|id| *except != *id.as_str());
        }
        all.push((other.name.to_string(), ids));
    }
    all
}

fn is_many(field: &Field) -> bool {
    matches!(field.kind, Kind::Reference { many: true, .. })
}

async fn taken_away(stage: &Stage, object: &Object, schema: &Schema, field: &Field) -> String {
    let subject = stage.subject;
    let to_object = field.kind.referenced().unwrap().as_str();
    let is_own = to_object == object.name;
    let from = subject.id(object.name, 31);
    let (one, two) =
        (subject.id(to_object, if is_own { 33 } else { 1 }), subject.id(to_object, if is_own { 32 } else { 2 }));
    // Every other field of the record leads to the same records.
    for other in linkable(object, schema).filter(|other| other.name != field.name && has_own_call(stage, object, other))
    {
        if other.kind.referenced().unwrap() == to_object {
            link(stage, &links(object, other, &[(&from, &one)])).await;
        }
    }
    let (to_one, to_two) = (links(object, field, &[(&from, &one)]), links(object, field, &[(&from, &two)]));
    if is_many(field) {
        link(stage, &links(object, field, &[(&from, &one), (&from, &two)])).await;
        let had = others(stage, object, schema, field, &from, &two).await;
        for _ in 0..2 {
            away(stage, &to_two).await;
            assert_eq!(pointed_to(stage, object, field, &from).await, [one.to_string()], "`{}`", field.name);
            assert_eq!(others(stage, object, schema, field, &from, &two).await, had, "`{}`", field.name);
        }
        link(stage, &to_two).await;
        away(stage, &links(object, field, &[(&from, &two), (&from, &one)])).await;
    } else {
        link(stage, &to_one).await;
        let had = others(stage, object, schema, field, &from, &one).await;
        // Taking away another than the one that is there changes nothing.
        away(stage, &to_two).await;
        assert_eq!(pointed_to(stage, object, field, &from).await, [one.to_string()], "`{}`", field.name);
        for _ in 0..2 {
            away(stage, &to_one).await;
            assert_eq!(others(stage, object, schema, field, &from, &one).await, had, "`{}`", field.name);
        }
    }
    assert!(pointed_to(stage, object, field, &from).await.is_empty(), "`{}`", field.name);
    lost(stage, object, field, &from, &one).await;
    many(stage, object, field, &one).await;
    // Records that are not there have no links: nobody, and one that was deleted.
    let nobody = (subject.id(object.name, 987_654), subject.id(to_object, 987_654));
    away(stage, &links(object, field, &[(&nobody.0, &one), (&from, &nobody.1)])).await;
    link(stage, &to_one).await;
    stage.upset(object, from.as_str(), DisturbAction::Delete).await;
    away(stage, &to_one).await;
    field.name.to_string()
}

/// The answer is lost, before and after it was done: taking away again is harmless.
async fn lost(stage: &Stage, object: &Object, field: &Field, from: &RecordId, to: &RecordId) {
    let batch = links(object, field, &[(from, to)]);
    for (at, kind) in ["lost_before", "lost_after", "malformed"].into_iter().enumerate() {
        link(stage, &batch).await;
        // Whichever of its requests it is.
        let nth = at % 2 + 1;
        stage.plan(serde_json::json!([{"when": {"nth": nth}, "fault": {"kind": kind}}]));
        away(stage, &batch).await;
        stage.plan(serde_json::json!([]));
        assert!(pointed_to(stage, object, field, from).await.is_empty(), "`{}` {kind}", field.name);
    }
    link(stage, &batch).await;
    stage.plan(serde_json::json!([{"fault": {"kind": "unavailable", "status": 503}}]));
    let fault = stage.driver.unlink(&batch).await.inspect_err(hear).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unavailable);
    stage.plan(serde_json::json!([]));
    assert_eq!(pointed_to(stage, object, field, from).await, [to.to_string()], "`{}`", field.name);
    away(stage, &batch).await;
}

/// Links of many records, of which some are not there.
async fn many(stage: &Stage, object: &Object, field: &Field, to: &RecordId) {
    let from: Vec<RecordId> = (1..=12).map(|n| stage.subject.id(object.name, n)).collect();
    let pairs: Vec<_> = from.iter().map(|from| (from, to)).collect();
    link(stage, &links(object, field, &pairs[..9])).await;
    away(stage, &links(object, field, &pairs[3..])).await;
    for (at, from) in from.iter().enumerate() {
        assert_eq!(pointed_to(stage, object, field, from).await.len(), usize::from(at < 3), "`{}` {at}", field.name);
    }
}
