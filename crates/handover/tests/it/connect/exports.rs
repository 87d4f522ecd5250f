//! Exports that hold personal data, encrypted to whoever is to read them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use age::x25519::Identity;

use crate::cli::Play;

fn opened(identity: &Identity, file: &Path) -> String {
    let bytes = std::fs::read(file).unwrap();
    assert!(bytes.starts_with(b"age-encryption.org/v1"), "an age file");
    String::from_utf8(age::decrypt(identity, &bytes).unwrap()).unwrap()
}

#[test]
fn every_recipient_reads_the_same_and_nobody_else() {
    let play = Play::ran();
    let (ana, ben, other) = (Identity::generate(), Identity::generate(), Identity::generate());
    let (to_ana, to_ben) = (ana.to_public().to_string(), ben.to_public().to_string());
    let exports: [(&[&str], &str); 4] = [
        (&["holds", "export"], "queue.csv"),
        (&["audit", "export", "--format", "csv", "--out"], "ledger.csv"),
        (&["audit", "export", "--out"], "ledger.jsonl"),
        (&["verify", "--html"], "report.html"),
    ];
    for (command, file) in exports {
        let code = if command[0] == "verify" { 4 } else { 0 };
        let ends = |told: crate::cli::Told| assert!([0, code].contains(&told.code), "{}\n{}", told.out, told.err);
        let sealed = format!("{file}.age");
        ends(play.does(&[command, &[&sealed, "--encrypt-to", &to_ana, "--encrypt-to", &to_ben]].concat()));
        ends(play.does(&[command, &[file]].concat()));
        let path = play.dir().join(&sealed);
        let (for_ana, for_ben) = (opened(&ana, &path), opened(&ben, &path));
        assert_eq!(for_ana, for_ben);
        if command[0] != "verify" {
            assert_eq!(for_ana, play.read(file), "the same as without");
        }
        assert!(for_ana.len() > 100, "{for_ana}");
        assert!(age::decrypt(&other, &std::fs::read(&path).unwrap()).is_err());
        for file in [&sealed, file] {
            let mode = std::fs::metadata(play.dir().join(file)).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{file}");
        }
    }
    // To standard output, for a pipe.
    let mut command = play.command(&["audit", "export", "--encrypt-to", &to_ana]);
    let output = command.output().unwrap();
    let text = String::from_utf8(age::decrypt(&ana, &output.stdout).unwrap()).unwrap();
    assert_eq!(text, play.read("ledger.jsonl"));
}

#[test]
fn what_is_no_recipient_is_refused_before_anything_is_written() {
    let play = Play::ran();
    let refused = |arguments: &[&str]| play.does(arguments).ends(1).shown();
    let typo = refused(&["holds", "export", "queue.csv", "--encrypt-to", "age1xyz"]);
    let secret = secrecy::ExposeSecret::expose_secret(&Identity::generate().to_string()).to_owned();
    let backwards = refused(&["audit", "export", "--out", "ledger.csv", "--encrypt-to", &secret]);
    assert!(!backwards.contains(&secret), "{backwards}");
    let to = Identity::generate().to_public().to_string();
    let nothing = refused(&["verify", "--encrypt-to", &to]);
    insta::assert_snapshot!([typo, backwards, nothing].join("\n\n"));
    for file in ["queue.csv", "ledger.csv"] {
        assert!(!play.dir().join(file).exists(), "{file}");
    }
}
