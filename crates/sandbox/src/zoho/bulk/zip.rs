//! Archives of one file.

use std::io::{Cursor, Read as _, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// How large an unpacked file may be: what says that it is larger is not read.
const LARGEST: u64 = 100 * 1024 * 1024;

/// An archive of one file; none if it cannot be packed.
pub(super) fn pack(name: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    // The same bytes at whatever time.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default());
    archive.start_file(name, options).ok()?;
    archive.write_all(bytes).ok()?;
    Some(archive.finish().ok()?.into_inner())
}

/// The name and the bytes of an archive's only file; none if it is no such archive.
pub(super) fn unpack(archive: &[u8]) -> Option<(String, Vec<u8>)> {
    let mut archive = ZipArchive::new(Cursor::new(archive)).ok()?;
    if archive.len() != 1 {
        return None;
    }
    let file = archive.by_index(0).ok()?;
    let name = file.name().ok()?.into_owned();
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= LARGEST).then_some((name, bytes))
}

#[cfg(test)]
mod tests {
    use super::{pack, unpack};

    #[test]
    fn what_was_packed_is_unpacked() {
        let archive = pack("a.csv", b"Id,Name\n1,x\n").unwrap();
        assert_eq!(unpack(&archive), Some(("a.csv".to_owned(), b"Id,Name\n1,x\n".to_vec())));
        assert_eq!(unpack(b"PK"), None);
        assert_eq!(unpack(&archive[..archive.len() - 4]), None);
    }
}
