//! The committed list of verdicts. Tests run in processes of their own, so rewriting takes a lock.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::PathBuf;

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/conformance.golden")
}

fn updates() -> bool {
    std::env::var_os("UPDATE").is_some()
}

/// `platform object case` of a line.
fn subject_of(line: &str) -> &str {
    line.split_once(": ").map_or(line, |(subject, _)| subject)
}

fn is_of(line: &str, platform: &str, case: &str) -> bool {
    let mut words = subject_of(line).split(' ');
    words.next() == Some(platform) && words.next_back() == Some(case)
}

fn lines() -> Vec<String> {
    std::fs::read_to_string(path()).unwrap_or_default().lines().map(str::to_owned).collect()
}

fn rewrite(change: impl FnOnce(&mut BTreeSet<String>)) {
    let lock = File::create(std::env::temp_dir().join("handover-conformance-golden.lock")).unwrap();
    lock.lock().unwrap();
    let mut all: BTreeSet<String> = lines().into_iter().collect();
    change(&mut all);
    let text: String = all.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(path(), text).unwrap();
}

/// Compares the verdicts of one case of a platform.
pub(super) fn compare(platform: &str, case: &str, verdicts: &[String]) {
    if updates() {
        rewrite(|all| {
            all.retain(|line| !is_of(line, platform, case));
            all.extend(verdicts.iter().cloned());
        });
        return;
    }
    let expected: BTreeSet<String> = lines().into_iter().filter(|line| is_of(line, platform, case)).collect();
    let seen: BTreeSet<String> = verdicts.iter().cloned().collect();
    let lost: Vec<&String> = expected.difference(&seen).collect();
    let new: Vec<&String> = seen.difference(&expected).collect();
    assert!(lost.is_empty() && new.is_empty(), "expected {lost:#?}\nseen {new:#?}\nUPDATE=1 rewrites the list");
}

/// Compares the list's subjects.
pub(super) fn has_exactly(expected: &[String]) {
    let expected: BTreeSet<&str> = expected.iter().map(String::as_str).collect();
    if updates() {
        rewrite(|all| all.retain(|line| expected.contains(subject_of(line))));
        return;
    }
    let lines = lines();
    let have: BTreeSet<&str> = lines.iter().map(|line| subject_of(line)).collect();
    assert_eq!(lines.len(), have.len(), "a case stands there twice");
    assert_eq!(have.difference(&expected).collect::<Vec<_>>(), Vec::<&&str>::new(), "no case of the suite");
    assert_eq!(expected.difference(&have).collect::<Vec<_>>(), Vec::<&&str>::new(), "not in the list");
}
