//! States that cannot be written: the disk is full, a file may not grow, the files are read-only. None of
//! these tests passes by not running: where a machine cannot play a case, the test fails and says so.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::served::serve;
use super::{Play, Told};

/// Runs a shell script in the project's folder; `$HANDOVER` is the binary, and what each command of it
/// said comes back in order.
fn script(play: &Play, wrapper: &[&str], script: &str, environment: &[(&str, &str)]) -> Vec<Told> {
    let told = play.dir().join("told");
    std::fs::create_dir_all(&told).unwrap();
    // `does NAME COMMAND...`: the output and the exit code, kept outside of what the script limits.
    let head = "does() { name=$1; shift; code=0; \"$HANDOVER\" \"$@\" >\"told/$name.out\" 2>\"told/$name.err\" || code=$?; \
                echo $code >\"told/$name.code\"; }\n";
    let mut command = Command::new(wrapper.first().unwrap_or(&"sh"));
    if let Some((_, rest)) = wrapper.split_first() {
        command.args(rest).arg("sh");
    }
    let output = command
        .args(["-c", &format!("set -e\n{head}{script}")])
        .env("HANDOVER", env!("CARGO_BIN_EXE_handover"))
        .env("NO_COLOR", "1")
        .env_remove("HANDOVER_LOG")
        .envs(environment.iter().copied())
        .current_dir(play.dir())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |name: &str| std::fs::read_to_string(told.join(name)).unwrap();
    let of = |name: &str| Told {
        code: read(&format!("{name}.code")).trim().parse().unwrap(),
        out: read(&format!("{name}.out")),
        err: read(&format!("{name}.err")),
    };
    let mut names: Vec<String> = std::fs::read_dir(&told)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".code").map(str::to_owned))
        .collect();
    names.sort();
    names.iter().map(|name| of(name)).collect()
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

/// A small file system of its own, seen by the script alone: it goes with its last process.
#[test]
fn a_full_disk() {
    let wrapper: &[&str] =
        if is_root() { &["unshare", "--mount"] } else { &["unshare", "--user", "--map-root-user", "--mount"] };
    if std::env::var_os("HANDOVER_TEST_NO_MOUNT").is_some() {
        eprintln!(
            "left out, as HANDOVER_TEST_NO_MOUNT asks: `a_state_that_may_not_grow` plays the case without a mount"
        );
        return;
    }
    let play = Play::forth();
    let can =
        Command::new(wrapper[0]).args(&wrapper[1..]).args(["mount", "-t", "tmpfs", "tmpfs"]).arg(play.dir()).output();
    assert!(
        can.as_ref().is_ok_and(|done| done.status.success()),
        "this user may mount nothing, so that no disk can be filled up; HANDOVER_TEST_NO_MOUNT=1 leaves this test \
         out: {can:?}"
    );
    std::fs::create_dir_all(play.dir().join(".handover")).unwrap();
    let told = script(
        &play,
        wrapper,
        "mount -t tmpfs -o size=400k tmpfs .handover
         does 1 run
         mount -o remount,size=64m .handover
         does 2 run
         does 3 verify --json",
        &[],
    );
    let [full, again, verified] = told.as_slice() else { panic!("{} commands", told.len()) };
    assert_eq!(full.code, 1, "{}", full.shown());
    assert!(full.err.contains("no space is left"), "{}", full.err);
    assert!(full.err.contains("goes on where it stopped"), "{}", full.err);
    assert_eq!(again.code, 3, "{}", again.shown());
    assert_eq!(verified.code, 0, "{}", verified.shown());
}

/// The same without any privilege: the system refuses to let a file grow beyond a size. The systems are
/// processes of their own, so that the limit meets the state alone.
#[test]
fn a_state_that_may_not_grow() {
    let play = Play::forth();
    let (old, new) = (serve(&play, "old", &json!([])), serve(&play, "new", &json!([])));
    let environment = [old.token(), new.token()].concat();
    let told = script(
        &play,
        &[],
        "(trap '' XFSZ; ulimit -f 400; does 1 run)
         does 2 run
         does 3 verify --json",
        &environment,
    );
    let [full, again, verified] = told.as_slice() else { panic!("{} commands", told.len()) };
    assert_eq!(full.code, 1, "{}", full.shown());
    assert!(full.err.contains("everything before it stays"), "{}", full.err);
    assert!(full.err.contains("goes on where it stopped"), "{}", full.err);
    assert_eq!(again.code, 3, "{}", again.shown());
    assert_eq!(verified.code, 0, "{}", verified.shown());
}

fn permit(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Root may write whatever the permissions say, so as root the command runs without that right.
#[test]
fn a_read_only_state() {
    let play = Play::ran();
    let folder = play.dir().join(".handover");
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        permit(&path, if path.is_dir() { 0o555 } else { 0o444 });
    }
    permit(&folder, 0o555);
    let wrapper: &[&str] = if is_root() { &["setpriv", "--bounding-set=-dac_override,-dac_read_search"] } else { &[] };
    let before = play.records("new");
    let told = script(&play, wrapper, "does 1 run\ndoes 2 holds answer persons/45 --create\ndoes 3 status", &[]);
    for path in [folder.clone(), folder.join("scratch")] {
        permit(&path, 0o755);
    }
    for told in &told {
        assert_eq!(told.code, 1, "{}", told.shown());
        assert!(told.err.contains("cannot be written"), "{}", told.err);
        assert!(told.err.contains("make the file and its folder writable"), "{}", told.err);
    }
    assert_eq!(before, play.records("new"));
}
