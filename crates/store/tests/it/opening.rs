use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use handover_model::Outcome;
use handover_store::{Commit, Error, Location, Store};

use crate::scene::{Scene, commit, on_both, row};

on_both!(
    one_writer_at_a_time_and_any_number_of_readers,
    there_is_nothing_to_read_before_the_first_writer,
    a_newer_version_is_left_alone,
    a_reader_cannot_write,
    a_closed_store_says_so,
);

async fn one_writer_at_a_time_and_any_number_of_readers(scene: Scene) {
    let store = scene.open().await;
    let error = Store::open(&scene.location).await.unwrap_err();
    let Error::Locked { by, .. } = &error else { panic!("{error}") };
    assert_eq!(by.worker, format!("process {}", std::process::id()));
    let reader = Store::open_reading(&scene.location).await.unwrap();
    let rows = commit(0, |commit| commit.rows = vec![row("contacts", "1", Outcome::Held)]);
    store.commit(rows).await.unwrap();
    assert_eq!(reader.counts(&"contacts".into()).await.unwrap().held, 1, "what is committed is seen at once");
    drop(store);
    scene.open().await;
}

async fn there_is_nothing_to_read_before_the_first_writer(scene: Scene) {
    let error = Store::open_reading(&scene.location).await.unwrap_err();
    assert!(matches!(error, Error::Absent { .. }), "{error}");
    scene.open().await.close().await.unwrap();
    Store::open_reading(&scene.location).await.unwrap();
}

async fn a_newer_version_is_left_alone(scene: Scene) {
    scene.open().await.close().await.unwrap();
    scene.tamper("UPDATE meta SET value = '2' WHERE name = 'version'").await;
    for error in
        [Store::open(&scene.location).await.unwrap_err(), Store::open_reading(&scene.location).await.unwrap_err()]
    {
        assert!(matches!(error, Error::NewerVersion { have: 2, know: 1, .. }), "{error}");
    }
    scene.tamper("DELETE FROM meta WHERE name = 'version'").await;
    let error = Store::open(&scene.location).await.unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
}

async fn a_reader_cannot_write(scene: Scene) {
    scene.open().await.close().await.unwrap();
    let reader = Store::open_reading(&scene.location).await.unwrap();
    let error = reader.commit(Commit::default()).await.unwrap_err();
    assert!(matches!(error, Error::ReadOnly { .. }), "{error}");
    let error = reader.reserve_identities(1).await.unwrap_err();
    assert!(matches!(error, Error::ReadOnly { .. }), "{error}");
}

async fn a_closed_store_says_so(scene: Scene) {
    let store = scene.open().await;
    let other = store.clone();
    store.close().await.unwrap();
    assert!(other.commit(Commit::default()).await.is_err());
    assert!(other.passes().await.is_err());
    drop(other);
    scene.open().await;
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let location = Location::parse("a/b/state.db", folder.path()).unwrap();
    let store = Store::open(&location).await.unwrap();
    store.reserve_identities(1).await.unwrap();
    let mode = |path: &str| std::fs::metadata(folder.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("a"), 0o700);
    assert_eq!(mode("a/b"), 0o700);
    for file in ["state.db", "state.db-wal", "state.db-shm", "state.db.lock"] {
        assert_eq!(mode(&format!("a/b/{file}")), 0o600, "{file}");
    }
}

/// A state of some size in a folder, closed.
async fn filled(folder: &Path) -> Location {
    let location = Location::Sqlite(folder.join("state.db"));
    let store = Store::open(&location).await.unwrap();
    let rows = (0..3000).map(|at| row("contacts", &format!("{at}"), Outcome::Held)).collect();
    store.commit(commit(0, |commit| commit.rows = rows)).await.unwrap();
    store.close().await.unwrap();
    location
}

#[tokio::test]
async fn a_damaged_file_is_never_taken_for_a_fresh_start() {
    let whole = tempfile::tempdir().unwrap();
    filled(whole.path()).await;
    let bytes = std::fs::read(whole.path().join("state.db")).unwrap();
    let mut no_header = bytes.clone();
    no_header[..16].fill(0);
    let cases: [(&str, &[u8]); 6] = [
        ("empty", &[]),
        ("cut in the header", &bytes[..60]),
        ("cut in the first page", &bytes[..2000]),
        ("cut by one page", &bytes[..bytes.len() - 4096]),
        (
            "another file",
            b"%PDF-1.7 and so on, long enough to be read as a header: ....................................",
        ),
        ("no header", &no_header),
    ];
    for (name, damaged) in cases {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        std::fs::write(&path, damaged).unwrap();
        let location = Location::Sqlite(path.clone());
        for error in [Store::open(&location).await.unwrap_err(), Store::open_reading(&location).await.unwrap_err()] {
            assert!(matches!(error, Error::Corrupt { .. }), "{name}: {error}");
            assert!(error.to_string().contains(&path.display().to_string()), "{error}");
        }
        assert_eq!(std::fs::read(&path).unwrap(), damaged, "{name}: it is left as it was");
    }
}

/// Dropped connections are closed in the background: whoever opens the file while the log is being folded into it
/// sees a file that grows, not one that is cut off. How the two meet is chance: hence so often.
#[test]
fn a_file_that_is_being_closed_is_not_taken_for_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::Sqlite(folder.path().join("state.db"));
    for nth in 0..40 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let rows = (0..5000).map(|at| row("contacts", &format!("{nth}-{at}"), Outcome::Held)).collect();
        runtime.block_on(async {
            let store = Store::open(&location).await.unwrap();
            store.commit(commit(0, |commit| commit.rows = rows)).await.unwrap();
        });
    }
}

#[tokio::test]
async fn damage_within_the_file_is_told_when_it_is_met() {
    let folder = tempfile::tempdir().unwrap();
    let location = filled(folder.path()).await;
    let mut file = std::fs::OpenOptions::new().write(true).open(folder.path().join("state.db")).unwrap();
    // Everything after the first page: the tables' list stays, their contents do not.
    let length = file.metadata().unwrap().len();
    file.seek(SeekFrom::Start(4096)).unwrap();
    file.write_all(&vec![0x5a; usize::try_from(length - 4096).unwrap()]).unwrap();
    drop(file);
    let error = match Store::open(&location).await {
        Ok(store) => store.counts(&"contacts".into()).await.unwrap_err(),
        Err(error) => error,
    };
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
}

#[tokio::test]
async fn a_creation_that_was_cut_off_is_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("state.db.new"), b"half").unwrap();
    let location = Location::Sqlite(folder.path().join("state.db"));
    Store::open(&location).await.unwrap().reserve_identities(1).await.unwrap();
    assert!(!folder.path().join("state.db.new").exists());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_read_only_place_is_named() {
    // /sys takes no folders from anybody, the administrator included.
    let location = Location::Sqlite("/sys/handover/state.db".into());
    let error = Store::open(&location).await.unwrap_err();
    assert!(matches!(error, Error::ReadOnly { .. }), "{error:?}");
    assert!(error.to_string().contains("/sys/handover/state.db"), "{error}");
}

#[tokio::test]
async fn an_unreachable_server_is_named_without_its_password() {
    // Port 1 on loopback: nobody listens there.
    let location = Location::parse("postgres://me:hunter2@127.0.0.1:1/db?schema=acme", Path::new("/")).unwrap();
    let error = Store::open(&location).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("postgres://me@127.0.0.1:1/db?schema=acme"), "{error}");
    assert!(!format!("{error:?} {location:?} {location}").contains("hunter2"));
}

#[test]
fn locations() {
    let parse = |text: &str| Location::parse(text, Path::new("/project"));
    for (text, path) in [
        ("state.db", "/project/state.db"),
        ("sqlite:state.db", "/project/state.db"),
        ("sqlite:///abs/state.db", "/abs/state.db"),
        ("/abs/state.db", "/abs/state.db"),
    ] {
        assert_eq!(parse(text).unwrap(), Location::Sqlite(path.into()), "{text}");
    }
    assert!(matches!(parse("postgresql://h/db").unwrap(), Location::Postgres(_)));
    let refused = [
        "",
        " ",
        "mysql://me:hunter2@h/db",
        "postgres://me:hunter2@h/db?schema=x;drop",
        "postgres://me:hunter2@h:x/db",
    ];
    for text in refused {
        let error = parse(text).unwrap_err();
        assert!(matches!(error, Error::BadLocation { .. }), "{text}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}
