//! A project in a folder of its own.

use std::path::PathBuf;

use handover::config::Project;
use handover::problem;

pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    /// A project that uses every key of the format once.
    pub(crate) fn sample() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("handover.yaml", include_str!("sample/handover.yaml"));
        folder.write("mappings/persons.yaml", include_str!("sample/persons.yaml"));
        folder.write("translations/deal_stages.csv", "from,to,comment\n7,closedwon,\n8,contractsent,late\n");
        folder
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    pub(crate) fn root(&self) -> &std::path::Path {
        self.0.path()
    }

    pub(crate) fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        let path = self.path(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.path(file)).unwrap()
    }

    pub(crate) fn append(&self, file: &str, text: &str) {
        let mut bytes = self.read(file);
        bytes.extend_from_slice(text.as_bytes());
        self.write(file, bytes);
    }

    pub(crate) fn replace(&self, file: &str, old: &str, new: &str) {
        let text = String::from_utf8(self.read(file)).unwrap();
        assert!(text.contains(old), "`{old}` is not in {file}");
        self.write(file, text.replace(old, new));
    }

    /// The project, or its problems as the terminal shows them, this folder's path taken out.
    pub(crate) fn load(&self) -> Result<Project, String> {
        Project::load_with(&self.path("handover.yaml"), &environment).map_err(|problems| {
            problem::render(&problems, false).replace(&self.0.path().display().to_string(), "FOLDER")
        })
    }
}

pub(crate) fn environment(name: &str) -> Option<String> {
    match name {
        "OLD_TOKEN" => Some("token-from-env".to_owned()),
        "DB_PASSWORD" => Some("pw-from-env".to_owned()),
        "EMPTY" => Some(" \n".to_owned()),
        _ => None,
    }
}
