use handover_store::{Error, Store};
use serde_json::json;

use crate::scene::{Scene, commit, entry, on_both};

on_both!(
    a_changed_row_is_named,
    a_missing_row_is_named,
    changed_values_are_named,
    values_that_vanish_without_a_word_are_named,
);

/// Two writers: rows 1 to 3, and a checkpoint 4 with rows 5 and 6.
async fn ledger(scene: &Scene) {
    for times in [3, 2] {
        let store = scene.open().await;
        let many = (0..times).map(|at| {
            commit(at, |commit| {
                commit.entries = vec![entry("decided", "contacts", &[("1", json!({ "n": at })), ("2", json!(at))])];
            })
        });
        store.commit_many(many.collect()).await.unwrap();
        store.close().await.unwrap();
    }
}

/// What `verify` finds after each statement, which is run on a fresh ledger.
async fn check(scene: &Scene, cases: &[(&str, i64, &str)]) {
    for (statement, seq, expected) in cases {
        let scene = match scene.is_sqlite() {
            true => Scene::sqlite(),
            false => Scene { _folder: tempfile::tempdir().unwrap(), location: scene.location.clone() },
        };
        let clear = "DELETE FROM entry; DELETE FROM entry_values; DELETE FROM writer; DELETE FROM story";
        drop(scene.open().await);
        scene.tamper(clear).await;
        ledger(&scene).await;
        let store = Store::open_reading(&scene.location).await.unwrap();
        assert_eq!(store.verify(|_, _| ()).await.unwrap().entries, 6);
        scene.tamper(statement).await;
        let store = Store::open(&scene.location).await.unwrap();
        let error = store.verify(|_, _| ()).await.unwrap_err();
        let Error::Broken { seq: found, what, .. } = &error else { panic!("{statement}: {error}") };
        assert_eq!((*found, what.as_str()), (*seq, *expected), "{statement}");
        store.close().await.unwrap();
    }
}

async fn a_changed_row_is_named(scene: Scene) {
    let hash = "its hash does not fit it and the row before";
    let cases = [
        ("UPDATE entry SET at = at + 1 WHERE seq = 2", 2, hash),
        ("UPDATE entry SET writer = 2 WHERE seq = 2", 2, hash),
        ("UPDATE entry SET pass = 9 WHERE seq = 2", 2, hash),
        ("UPDATE entry SET kind = 'confirmed' WHERE seq = 3", 3, hash),
        ("UPDATE entry SET flow = NULL WHERE seq = 3", 3, hash),
        ("UPDATE entry SET flow = '' WHERE seq = 3", 3, hash),
        ("UPDATE entry SET note = '{}' WHERE seq = 5", 5, hash),
        ("UPDATE entry SET note = '{\"heads\":[]}' WHERE seq = 4", 4, hash),
        ("UPDATE entry SET items_count = 1 WHERE seq = 1", 1, hash),
        ("UPDATE entry SET items = (SELECT items FROM entry WHERE seq = 1) WHERE seq = 6", 6, hash),
        ("UPDATE entry SET hash = (SELECT hash FROM entry WHERE seq = 1) WHERE seq = 2", 2, hash),
        ("UPDATE entry SET seq = 7 WHERE seq = 6", 6, "the row is missing"),
        (
            "UPDATE writer SET hash = (SELECT hash FROM entry WHERE seq = 1) WHERE id = 2",
            6,
            "its hash is not the one its writer noted",
        ),
    ];
    check(&scene, &cases).await;
}

async fn a_missing_row_is_named(scene: Scene) {
    let missing = "the row is missing";
    let cases = [
        ("DELETE FROM entry WHERE seq = 1", 1, missing),
        ("DELETE FROM entry WHERE seq = 2", 2, missing),
        ("DELETE FROM entry WHERE seq = 4", 4, missing),
        ("DELETE FROM entry WHERE seq = 6", 6, missing),
        ("DELETE FROM entry WHERE seq > 3", 6, missing),
        ("DELETE FROM entry", 3, missing),
        ("DELETE FROM writer WHERE id = 2", 6, "its writer is not known"),
    ];
    check(&scene, &cases).await;
}

async fn changed_values_are_named(scene: Scene) {
    let from = |seq| format!("UPDATE entry_values SET body = (SELECT body FROM entry_values WHERE seq = {seq})");
    let (other, flipped) = (format!("{} WHERE seq = 2", from(1)), "UPDATE entry_values SET body = ");
    let flipped = match scene.is_sqlite() {
        true => format!("{flipped} CAST(substr(body, 1, 4) || x'ff' || substr(body, 6) AS BLOB) WHERE seq = 3"),
        false => format!("{flipped} set_byte(body, 4, 255) WHERE seq = 3"),
    };
    let cases = [
        (other.as_str(), 2, "values were changed"),
        (flipped.as_str(), 3, "its values cannot be read"),
        ("DELETE FROM entry_values WHERE seq = 5", 5, "its values are missing"),
    ];
    check(&scene, &cases).await;
}

async fn values_that_vanish_without_a_word_are_named(scene: Scene) {
    // A row's values as `erase` would leave them, but nothing tells of it: no names, then flag 0, one letter, its record.
    let erased = zstd::bulk::compress(b"\x00\x00\x011\x00\x012", 3).unwrap();
    let hex: String = erased.iter().map(|byte| format!("{byte:02x}")).collect();
    let literal = if scene.is_sqlite() { format!("x'{hex}'") } else { format!("'\\x{hex}'::bytea") };
    let statement = format!("UPDATE entry_values SET body = {literal} WHERE seq = 2");
    check(&scene, &[(statement.as_str(), 2, "values were erased and no row tells of it")]).await;
}
