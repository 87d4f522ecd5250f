//! Replacing a project file so that after a crash either the old or the new one is whole.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

/// Writes `bytes` beside the file and renames over it; permissions are kept, links are followed.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = match path.canonicalize() {
        Ok(real) => real,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error),
    };
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => ".".into(),
    };
    std::fs::create_dir_all(&folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder.join(format!(".{name}.{}.tmp", std::process::id()));
    let written = write_beside(&beside, &path, bytes).and_then(|()| std::fs::rename(&beside, &path));
    if written.is_err() {
        // The error that matters is the first one.
        drop(std::fs::remove_file(&beside));
        return written;
    }
    // The rename itself lasts only once the folder is on disk.
    File::open(&folder)?.sync_all()
}

fn write_beside(beside: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(beside)?;
    if let Ok(old) = std::fs::metadata(path) {
        file.set_permissions(old.permissions())?;
    }
    file.write_all(bytes)?;
    file.sync_all()
}
