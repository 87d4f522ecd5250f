//! The oracle knows nothing of the engine: its folder names no crate of ours but the sandbox.

#[test]
fn the_oracle_knows_the_sandboxes_alone() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/oracle");
    let mut read = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        read += 1;
        let others: Vec<&str> = text
            .match_indices("handover")
            .map(|(at, _)| text[at..].split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap())
            .filter(|name| *name != "handover_sandbox")
            .collect();
        assert_eq!(others, Vec::<&str>::new(), "{}", path.display());
        let outside: Vec<&str> =
            text.lines().filter(|line| line.contains("crate::") && !line.contains("pub(crate)")).collect();
        assert_eq!(outside, Vec::<&str>::new(), "{}", path.display());
    }
    assert!(read >= 5, "{read} files");
}
