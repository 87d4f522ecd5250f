//! Bytes up and down.

use handover_connect::{Connector as _, FaultKind, WriteOutcome};
use handover_model::RecordId;
use handover_sandbox::faults::DisturbAction;

use crate::conformance::Verdict;
use crate::conformance::stage::{Stage, create, hear, outcome, refused};
use crate::conformance::subject::{Object, Scene, Subject};
use crate::conformance::values::Dice;

pub(crate) async fn bytes_come_back_identical(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = Stage::of(subject, Scene::of(object, 2));
    stage.schema(object).await;
    let to = stage.folder.path().join("down");
    let name = object.name.into();
    if !stage.can(object).content {
        let id = subject.id(object.name, 1);
        return Verdict::Refused(refused(&stage, stage.driver.download(&name, &id, &to)).await);
    }
    let down = async |id: RecordId| {
        let content = stage.driver.download(&name, &id, &to).await.inspect_err(hear).unwrap();
        let bytes = std::fs::read(&to).unwrap();
        assert_eq!(content.blake3, blake3::hash(&bytes).to_hex().to_string());
        assert_eq!((content.bytes, &content.path), (bytes.len() as u64, &to));
        bytes
    };
    assert!(down(subject.id(object.name, 1)).await.starts_with(b"bytes 1"));
    if stage.can(object).write_batch == 0 {
        return Verdict::Ran("down only".to_owned());
    }
    let mut dice = Dice::new();
    let random: Vec<u8> = (0..300_000).map(|_| u8::try_from(dice.below(256)).unwrap()).collect();
    let all: [&[u8]; 5] =
        [b"x", b"\r\n--handover\r\n\r\n--", b"{\"json\": true}\r\n", "ü\u{0}\u{feff}".as_bytes(), &random];
    for (at, bytes) in all.into_iter().enumerate() {
        let mut batch = stage.batch(object, create(object), vec![(None, subject.mint(object, at as u64))]);
        let mut write = batch.writes[0].clone();
        write.content = Some(stage.content(bytes));
        batch.writes = [write].into();
        let written = stage.write(&batch).await.unwrap();
        let WriteOutcome::Applied { id, .. } = outcome(&written, 0) else { panic!("{written:?}") };
        assert!(down(id.clone()).await == bytes, "{at}: other bytes");
        // A broken download is fetched anew.
        stage.plan(serde_json::json!([{"when": {"nth": 1}, "fault": {"kind": "lost_after"}}]));
        assert!(down(id.clone()).await == bytes, "{at}: other bytes after a failure");
        stage.plan(serde_json::json!([]));
    }
    // A file without its bytes is refused before anything is sent.
    let mut batch = stage.batch(object, create(object), vec![(None, subject.mint(object, 90))]);
    let mut write = batch.writes[0].clone();
    write.content = None;
    batch.writes = [write].into();
    refused(&stage, stage.driver.write(&batch)).await;
    Verdict::ran()
}

pub(crate) async fn gone_bytes_are_not_found(subject: &'static dyn Subject, object: &'static Object) -> Verdict {
    let stage = Stage::of(subject, Scene::of(object, 2));
    stage.schema(object).await;
    let to = stage.folder.path().join("down");
    let name = object.name.into();
    let id = subject.id(object.name, 2);
    if !stage.can(object).content {
        return Verdict::Refused(refused(&stage, stage.driver.download(&name, &id, &to)).await);
    }
    if stage.can(object).write_batch > 0 {
        stage.upset(object, id.as_str(), DisturbAction::Delete).await;
    } else {
        // Files that are seen from elsewhere are deleted where they are.
        match subject.objects().iter().find(|other| other.name == "files") {
            Some(files) => stage.upset(files, "1", DisturbAction::Delete).await,
            None => stage.upset(object, id.as_str(), DisturbAction::Delete).await,
        }
    }
    let fault = stage.driver.download(&name, &id, &to).await.unwrap_err();
    hear(&fault);
    assert_eq!(fault.kind, FaultKind::NotFound, "{fault:?}");
    let unknown = stage.driver.download(&name, &subject.id(object.name, 987_654), &to).await;
    let fault = unknown.inspect_err(hear).err();
    assert!(fault.is_none_or(|fault| fault.kind == FaultKind::NotFound));
    Verdict::ran()
}
