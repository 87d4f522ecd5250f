//! Replacing a file so that after a crash, or when the disk is full, either the old or the new one is whole.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use handover_store::private_file;

/// A file that is being written beside the one whose place it takes. Dropped before its end, it is as if nobody had begun.
pub(crate) struct Replacement {
    file: File,
    beside: PathBuf,
    path: PathBuf,
}

impl Replacement {
    /// Begins, in the folder of the file. Permissions are kept, links are followed; a
    /// file that was not there can be read by its owner only where it `is_private`.
    pub(crate) fn begin(path: &Path, is_private: bool) -> io::Result<Self> {
        let path = match path.canonicalize() {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
            Err(error) => return Err(error),
        };
        let folder = folder(&path);
        let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?.to_string_lossy();
        let beside = folder.join(format!(".{name}.{}.tmp", std::process::id()));
        // What an earlier process of this number left there goes with it.
        let file = if is_private { private_file(&beside)? } else { File::create(&beside)? };
        let begun = Self { file, beside, path };
        begun.file.set_len(0)?;
        if let Ok(old) = std::fs::metadata(&begun.path) {
            begun.file.set_permissions(old.permissions())?;
        }
        Ok(begun)
    }

    /// Puts the new file in the place of the old one, durably.
    pub(crate) fn finish(self) -> io::Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.beside, &self.path)?;
        // The rename itself lasts only once the folder is on disk.
        File::open(folder(&self.path))?.sync_all()
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        // Gone by now where it was put in place; else the error that matters is the first one.
        drop(std::fs::remove_file(&self.beside));
    }
}

/// Replaces a file of the project, in a folder that is made if it is missing.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    std::fs::create_dir_all(folder(path))?;
    write(Replacement::begin(path, false)?, bytes)
}

/// Replaces a file that nobody but its owner may read.
pub(crate) fn replace_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write(Replacement::begin(path, true)?, bytes)
}

fn write(mut replacement: Replacement, bytes: &[u8]) -> io::Result<()> {
    replacement.write_all(bytes)?;
    replacement.finish()
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
